"""LaTeX that pdflatex takes as it is."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import gantheory
from gantheory.derivations.exposition import latex_document
from gantheory.derivations.latex import breakable, escape_latex

SOURCES = Path(gantheory.__file__).parent.rglob("*.py")


def characters():
    """Return every character that a text of this package may hold, but for drawn symbols."""
    texts = (path.read_text(encoding="utf-8") for path in SOURCES)
    found = {c for text in texts for c in text if not c.isascii()}
    return sorted(c for c in found if ord(c) < 0x2300 and not 0x300 <= ord(c) < 0x370)


def test_every_character_of_our_texts_becomes_one_that_pdflatex_has():
    known = characters()
    assert {"∞", "ρ", "χ", "‖", "²", "∂", "ᵏ", "₀", "Σ"} <= set(known)
    for character in known:
        text = escape_latex(character)
        assert max(map(ord, text)) < 0x180, character
        assert re.fullmatch(r"[^$]*|\$[^$]+\$", text), text


@pytest.mark.parametrize("special", "\\^~&%$#_{}<>|")
def test_what_means_something_to_latex_is_escaped(special):
    text = escape_latex(special)
    assert text not in ("", special)
    assert text.replace("\\{", "").replace("\\}", "").count("{") == text.replace(
        "\\{", "").replace("\\}", "").count("}")  # fmt: skip


@pytest.mark.parametrize("name", ["minimax", "hinge", "f-gan-kl"])
def test_a_document_begins_with_the_answer_and_holds_nothing_that_pdflatex_lacks(name):
    derivation = gantheory.derive(name)
    text = latex_document(derivation)
    assert text.startswith("\\documentclass")
    assert text.rstrip().endswith("\\end{document}")
    assert max(map(ord, text)) < 0x180
    first = text.index("\\paragraph")
    for line in derivation.summary:
        assert 0 < text.index(escape_latex(line.text)) < first
    assert len(re.findall(r"\\begin\{", text)) == len(re.findall(r"\\end\{", text))
    assert text.count("\\formula{") == len(derivation.steps)
    assert "resizebox" not in text


@pytest.mark.parametrize(
    ("formula", "ends"),
    [
        (r"f = \left(" + "a + " * 30 + r"b\right)", 1),  # long: a line may end in it
        (r"f = \left(a + b\right)", 0),
        (r"\frac{\left(" + "a + " * 30 + r"b\right)}{r}", 0),  # none ends in a fraction
        (r"g = \left\{\left(" + "a + " * 30 + r"1\right) + \left[c\right]\right\}", 2),
        (r"a = 1,\quad b = 2, \qquad c = 3", 0),
    ],
)
def test_a_wide_formula_gets_places_to_break_and_keeps_every_sign(formula, ends):
    broken = breakable(formula)
    assert broken.count("\\bigl") == broken.count("\\bigr") == ends
    assert broken.count("\\penalty") == formula.count("quad")
    kept = broken.replace("\\bigl", "\\left").replace("\\bigr", "\\right")
    kept = re.sub(r"\\penalty-50\s*", "", kept)
    assert re.sub(r"\s", "", kept) == re.sub(r"\s", "", formula)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.parametrize("name", ["wasserstein", "two-sided-smoothing-non-saturating"])
def test_a_document_compiles_and_no_line_is_wider_than_the_page(name, tmp_path):
    (tmp_path / "it.tex").write_text(latex_document(gantheory.derive(name)), "utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "it.tex"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
