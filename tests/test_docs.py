"""The pages are bound to the code: ids resolve, examples run, unknown ids stop the build."""

import inspect
import io
import re
import warnings
from contextlib import redirect_stderr
from dataclasses import replace
from inspect import isfunction
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

import gantheory
from gantheory.ledger.checks import CHECKS
from gantheory.ledger.statements.checks import statement_checks
from gantheory.losses import CATALOGUE, CRITICS
from gantheory.records import How

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
    assert set(ids_in(page.read_text())) <= {*CHECKS, *statement_checks()}


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


def build(folder, text, more="bound_readme = 'none'\n"):
    (folder / "conf.py").write_text(MINI.format(extension=str(DOCS / "_ext")) + more)
    (folder / "index.md").write_text(
        f"# Page\n\n{text}\n\n```{{checks-table}} minimax.optimal-discriminator\n```\n"
    )
    from sphinx.cmd.build import build_main

    page, said = folder / "out" / "index.html", io.StringIO()
    call = ["-W", "-q", "-N", "-b", "html", str(folder), str(page.parent)]
    with redirect_stderr(said), warnings.catch_warnings(action="ignore"):
        status = build_main(call)  # `sphinx-build`, in this process
    return status, said.getvalue(), page


@pytest.mark.slow
@pytest.mark.parametrize("text", ["```{check} no.such.id\n```", "See {check}`no.such.id`."])
def test_an_unknown_id_stops_the_build_and_names_it(tmp_path, text):
    status, said, _ = build(tmp_path, text)
    assert status != 0
    assert "no.such.id" in said


@pytest.mark.slow
def test_a_bound_statement_shows_how_it_is_known_and_links_to_the_ledger(tmp_path):
    name = "minimax.optimal-discriminator"
    status, said, page = build(tmp_path, f"```{{check}} {name}\n```\n\nSee {{check}}`{name}`.")
    assert status == 0, said
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
    assert "value is w1" not in text
    assert "1. " in text
    assert text.count("$$") % 2 == 0


def test_the_command_reference_ends_each_command_in_an_example(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    from commands import section

    from gantheory.cli import COMMANDS

    for name, summary in COMMANDS.items():
        assert "Example" in section(name, summary).astext(), name


@pytest.mark.slow
def test_the_statements_of_a_source_and_the_systems_are_pages_with_their_verdicts(tmp_path):
    """A statement of a document can be bound by its id, and links to its row."""
    bound = "```{check} 003-84\n```\n\n```{statements} 003\n```\n\n```{systems}\n```"
    status, said, page = build(tmp_path, bound)
    assert status == 0, said
    text = page.read_text()
    assert text.count('id="statement-003-') == 20
    assert text.count('href="#statement-003-84"') == 1
    assert "P = (9/10, 1/10)" in text
    assert "not machine-checkable" in text
    for system in ("conditional GAN", "InfoGAN", "AC-GAN", "CycleGAN", "SRGAN", "DCGAN", "WGAN",
                   "WGAN-GP", "VAE", "autoregressive"):  # fmt: skip
        assert f'href="#system-{number_of(system)}"' in text, system
    assert text.count('href="#of-system-ac-gan-bias"') == 1
    assert text.count('id="of-system-ac-gan-bias"') == 1


def number_of(system):
    from gantheory.ledger.statements.deciding import all_entries

    return list(dict.fromkeys(e.system for e in all_entries() if e.system)).index(system)


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("", "curve.png is bound to no check"),
        ("<!-- bound to: survey.jsd.2, no.such.id -->", "no.such.id"),
        ("<!-- bound to: 003-84,\nsurvey.jsd.2 -->", None),
        ("<!-- bound to: false -->", "false is not as it should be"),
    ],
)
def test_a_picture_of_the_readme_that_no_check_holds_is_refused(
    tmp_path, monkeypatch, comment, said
):
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    import checks
    from sphinx.errors import ExtensionError

    wrong = replace(CHECKS["survey.jsd.3"], id="false", expected=How.REFUTED)
    monkeypatch.setattr(checks, "CHECKS", {**CHECKS, "false": wrong})
    readme = tmp_path / "readme.txt"
    readme.write_text(f"![a curve](curve.png)\n{comment}\n")
    app = SimpleNamespace(config=SimpleNamespace(bound_readme=str(readme)))
    if said is None:
        checks.bind_pictures(app)
        return
    with pytest.raises(ExtensionError, match=said):
        checks.bind_pictures(app)


@pytest.mark.slow
def test_a_broken_binding_of_the_readme_stops_the_build(tmp_path):
    readme = tmp_path / "readme.txt"
    readme.write_text("![a curve](curve.png)\n<!-- bound to: no.such.id -->\n")
    status, said, _ = build(tmp_path, "Nothing.", f"bound_readme = {str(readme)!r}\n")
    assert status != 0
    assert "no.such.id" in said


def test_what_the_readme_says_of_the_ledger_is_so():
    from gantheory.ledger.statements.deciding import all_entries

    readme = (DOCS.parent / "README.md").read_text()
    sources = {entry.source.key for entry in all_entries() if entry.source.key.isdigit()}
    count = sum(entry.source.key.isdigit() for entry in all_entries())
    assert f"decides so {count} sentences of five documents" in readme
    assert len(sources) == 5


def test_papers_in_a_line_of_text_are_links_and_names_of_code_are_not(tmp_path):
    status, said, page = build(
        tmp_path, "See arXiv:1406.2661v1, arXiv:math/0309285 and `arXiv:1701.07875`.",
        "bound_readme = 'none'\nextensions.append('arxiv')\n",
    )  # fmt: skip
    assert status == 0, said
    text = page.read_text()
    assert 'href="https://arxiv.org/abs/1406.2661">arXiv:1406.2661v1</a>' in text
    assert 'href="https://arxiv.org/abs/math/0309285"' in text
    assert "abs/1701.07875" not in text


def test_the_reference_has_every_public_name():
    declared = (Path(gantheory.__file__).parent / "__init__.pyi").read_text()
    names = re.findall(r"^from \.\w\S* import \w+ as (\w+)$", declared, re.MULTILINE)
    names.remove("games")  # a module, as the other catalogues are
    assert len(names) > 60
    api = (DOCS / "reference" / "api.md").read_text()
    assert not [name for name in names if f"gantheory.{name}\n" not in api]


def test_the_reference_has_what_public_functions_return():
    api = (DOCS / "reference" / "api.md").read_text()
    declared = (Path(gantheory.__file__).parent / "__init__.pyi").read_text()
    names = re.findall(r"^from \.\w\S* import \w+ as (\w+)$", declared, re.MULTILINE)
    public = [getattr(gantheory, name) for name in names]
    said = [str(inspect.signature(one).return_annotation) for one in public if isfunction(one)]
    returned = set(re.findall(r"\b[A-Z]\w+", " ".join(said)))
    assert {"Derivation", "Reading", "Trained", "Curves"} <= returned
    aliases = {"Theory", "Entry", "Key", "DataFrame", "None"}  # of types, and of other packages
    assert [name for name in returned - aliases if not re.search(rf"\.{name}\n", api)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(DOCS)))
def test_a_page_is_offered_as_a_notebook_only_where_it_has_code_to_run(page):
    text = page.read_text()
    assert ("{nb-download}" in text) == ("{code-cell}" in text)
