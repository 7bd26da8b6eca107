"""LaTeX that pdflatex takes as it is."""

import re
from pathlib import Path

import pytest

import gantheory
from gantheory.derivations.exposition import latex_document
from gantheory.derivations.latex import escape_latex

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
    assert text.count("\\fit{") == len(derivation.steps)
