"""Every console block of README and docs: its commands are legal, and print what stands below."""

import re
import shlex
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from click.testing import CliRunner

from gantheory.cli import cli

ROOT = Path(__file__).parents[1]
GENERATED = {"_build", "generated", "jupyter_execute"}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if not GENERATED & set(page.relative_to(ROOT).parts)]
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
TOML = re.compile(r"^```toml\n(.*?)^```", re.DOTALL | re.MULTILINE)
# What stands in a table of questions or in a line of text, without its output.
INLINE = re.compile(r"`(gantheory [^`\n]+)`")


def commands(text):
    """Yield each command of the console blocks with the lines that it prints."""
    for block in CONSOLE.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            if command.startswith("gantheory "):
                yield command, printed


BLOCKS = [(page, *found) for page in PAGES for found in commands(page.read_text())]
PRINTED = [block for block in BLOCKS if block[2].strip()]
WHOLE = re.compile(r"[\"\d]")  # a command in a line of text that is no mere name of one
NAMED = [
    (page, one)
    for page in PAGES
    for one in INLINE.findall(page.read_text())
    if WHOLE.search(one) and "..." not in one
]
ASKED = [(page, command) for page, command, printed in BLOCKS if not printed.strip()] + NAMED


def named(case):
    return case.name if isinstance(case, Path) else None


def loosened(text):
    """Return a text as a pattern: lines of ``...`` stand for any, errors for any error."""
    text = " ".join(re.sub(r"± \S+", "± ", text).split())
    return re.sub(r"(^| )\.\.\.( |$)", " * ", text.replace("[", "[[]")).strip()


def test_there_are_blocks_to_run():
    assert len(PRINTED) >= 15
    assert len(ASKED) >= 30


@pytest.mark.parametrize(("page", "command", "printed"), PRINTED, ids=named)
def test_a_command_prints_what_stands_below_it(page, command, printed):
    done = CliRunner(env={"COLUMNS": "100"}).invoke(cli, shlex.split(command)[1:])
    assert done.exit_code == 0, done.output
    found = " ".join(re.sub(r"± \S+", "± ", done.stdout).split())
    assert fnmatchcase(found, loosened(printed)), done.stdout


@pytest.mark.parametrize(("page", "command"), ASKED, ids=named)
def test_a_command_without_its_output_is_at_least_legal(page, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, *arguments = shlex.split(command)[1:]
    for path in re.findall(r"\S+\.toml", command):
        toml = [text for text in TOML.findall(page.read_text()) if "real" in text] or [OWN]
        Path(path).write_text(toml[0])
    arguments = arguments[: arguments.index("|")] if "|" in arguments else arguments
    found = cli.get_command(None, name)
    assert found is not None, name
    with found.make_context(name, arguments):
        pass


OWN = 'name = "mine"\nreal = "-(t - 1)**2"\nfake = "-t**2"\ngenerator = "(t - 1)**2"\n'


def test_what_is_not_printed_is_noticed():
    assert fnmatchcase("a = 1 ± b c", loosened("a = 1 ± 2e-9\n...\nc"))
    assert not fnmatchcase("a = 1 ± b c", loosened("a = 2 ± 2e-9\n...\nc"))
    assert not fnmatchcase("[0, 1]", loosened("[0, 2]"))
