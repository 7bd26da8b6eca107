"""The house: arrows between files and between folders go one way, and the entrances stay light."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [*ROOT.glob("gantheory/**/*.py"), *ROOT.glob("simulations/**/*.py")]
HEAVY = {"sympy", "scipy", "torch", "matplotlib"}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


def imported(path: Path) -> set[str]:
    """The modules of the house that a file imports, inside functions too; types alone are none."""
    found = set()
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in MODULES else node.module for name in inner}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return (found & set(MODULES)) - {module_of(path)}


def room_of(module: str) -> str:
    """The folder of a module; a file that lies beside the packages is a room of its own."""
    folder = ".".join(MODULES[module].relative_to(ROOT).parent.parts)
    return module if folder == "gantheory" else folder


def circle(arrows: dict[str, set[str]]) -> list[str] | None:
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return error.args[1]
    return None


@cache
def files() -> dict[str, set[str]]:
    return {module: imported(path) for module, path in MODULES.items()}


def rooms(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for module, targets in arrows.items():
        room = room_of(module)
        found.setdefault(room, set()).update({room_of(target) for target in targets} - {room})
    return found


def test_no_file_imports_itself_by_way_of_others():
    assert circle(files()) is None


def test_arrows_between_folders_go_one_way():
    assert circle(rooms(files())) is None


@pytest.mark.parametrize(
    ("module", "target"),
    [
        ("gantheory.exact.algebra", "gantheory.theory.optimum"),
        ("gantheory.theory.pieces", "gantheory.derivations.engine"),
        ("gantheory.integrals.kernels.kernel", "gantheory.integrals.line.estimates"),
        ("gantheory.derivations.engine", "gantheory.report.explain"),
    ],
)
def test_an_arrow_back_is_noticed(module, target):
    arrows = {**files(), module: files()[module] | {target}}
    assert circle(rooms(arrows)) is not None


RUN = """
import sys
sys.argv = ['gantheory', *{arguments!r}]
from gantheory.cli import main
try: main()
except SystemExit as e: assert not e.code
"""


@pytest.mark.parametrize(
    ("code", "spared"),
    [
        ("import gantheory", HEAVY),
        (RUN.format(arguments=["--help"]), HEAVY),
        (RUN.format(arguments=["derive", "minimax"]), HEAVY - {"sympy"}),
    ],
)
def test_the_entrances_load_nothing_heavy_that_they_do_not_need(code, spared):
    script = f"{code}\nimport sys\nprint('LOADED', sorted({spared!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "LOADED []" in done.stdout
