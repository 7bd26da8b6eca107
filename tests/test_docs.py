"""The pages are bound to the code: ids resolve, examples run, unknown ids stop the build."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

import gantheory
from gantheory.ledger.checks import CHECKS
from gantheory.losses import CATALOGUE, CRITICS

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(
    path
    for path in DOCS.rglob("*.md")
    if not {"_build", "generated", "jupyter_execute"} & set(path.relative_to(DOCS).parts)
)
USES = re.compile(r"^```\{check\} (\S+)|\{check\}`([^`]+)`", re.MULTILINE)


def ids_in(text):
    return [one or other for one, other in USES.findall(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(DOCS)))
def test_every_check_named_on_a_page_exists(page):
    assert set(ids_in(page.read_text())) <= set(CHECKS)


def test_the_theory_binds_statements_of_each_classic_loss():
    bound = ids_in((DOCS / "theory.md").read_text())
    for loss in ("minimax", "non-saturating", "reverse-kl"):
        assert any(name.startswith(f"{loss}.") for name in bound), loss


def python_blocks(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def few_examples():
    """The shown tests use hypothesis as it comes; a few examples tell whether they run."""
    settings.register_profile("shown", max_examples=15, deadline=None, derandomize=True)
    settings.load_profile("shown")
    yield
    settings.load_profile("default")


def test_the_tests_shown_in_the_ci_page_pass_as_they_stand(few_examples):
    names = {}
    for block in python_blocks(DOCS / "howto" / "in-your-ci.md"):
        exec(block, names)
    names["my_kl"] = lambda p, q: gantheory.divergence("kl_pq", p, q).value
    tests = [test for name, test in names.items() if name.startswith("test_")]
    assert len(tests) >= 4
    for test in tests:
        test()


MINI = """
import sys
sys.path.insert(0, {extension!r})
extensions = ["myst_parser", "checks", "statements", "formulas"]
html_math_renderer = "mathml"
"""


def build(folder, text):
    (folder / "conf.py").write_text(MINI.format(extension=str(DOCS / "_ext")))
    (folder / "index.md").write_text(
        f"# Page\n\n{text}\n\n```{{checks-table}} minimax.optimal-discriminator\n```\n"
    )
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", ".", "out"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"}
    )
    return done, folder / "out" / "index.html"


@pytest.mark.slow
@pytest.mark.parametrize("text", ["```{check} no.such.id\n```", "See {check}`no.such.id`."])
def test_an_unknown_id_stops_the_build_and_names_it(tmp_path, text):
    done, _ = build(tmp_path, text)
    assert done.returncode != 0
    assert "no.such.id" in done.stderr


@pytest.mark.slow
def test_a_bound_statement_shows_how_it_is_known_and_links_to_the_ledger(tmp_path):
    name = "minimax.optimal-discriminator"
    done, page = build(tmp_path, f"```{{check}} {name}\n```\n\nSee {{check}}`{name}`.")
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert "Statement 1" in text
    assert "proved" in text
    assert text.count('href="#check-minimax.optimal-discriminator"') == 2
    assert text.count('id="check-minimax.optimal-discriminator"') == 1


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_page_of_every_game_is_written_from_its_derivation(name, monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    from catalogues import page_of

    text = page_of(CATALOGUE[name])
    assert text.startswith(f"# {CATALOGUE[name].title}\n")
    assert "The generator really follows" in text
    assert "## The derivation" in text
    assert text.count("$$") % 2 == 0


@pytest.mark.parametrize("name", CRITICS)
def test_the_page_of_every_critic_is_written_from_its_derivation(name, monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    from catalogues import critic_page_of

    text = critic_page_of(CRITICS[name])
    assert text.startswith(f"# {CRITICS[name].title}\n")
    assert "1. " in text
    assert text.count("$$") % 2 == 0


def test_the_command_reference_ends_each_command_in_an_example(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    from commands import section

    from gantheory.cli import COMMANDS

    for name, summary in COMMANDS.items():
        assert "Example" in section(name, summary).astext(), name


@pytest.mark.slow
def test_the_statements_of_a_source_are_a_page_with_their_verdicts(tmp_path):
    done, page = build(tmp_path, "```{statements} 003\n```")
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert text.count('id="statement-003-') == 20
    assert "P = (9/10, 1/10)" in text
    assert "not machine-checkable" in text
