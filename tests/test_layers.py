"""The house: a module imports only from its left, and the light entrances stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Each layer may import from itself and from those to its left.
LAYERS = [
    ["errors"],
    ["records", "expressions", "naming"],
    ["game", "divergences"],
    ["games"],
    ["symbolic"],
    ["densities"],
    ["numeric"],
    ["simulations"],
    ["verify"],
    ["claims", "testing"],
    ["report"],
    ["cli"],
]
POSITION = {name: k for k, layer in enumerate(LAYERS) for name in layer}
HEAVY = {"sympy", "scipy", "torch", "matplotlib"}
FILES = [*ROOT.glob("gantheory/**/*.py"), *ROOT.glob("simulations/**/*.py")]


def layer_of(path: Path) -> str:
    package, *rest = path.relative_to(ROOT).with_suffix("").parts
    return package if package == "simulations" else rest[0]


def imported_layers(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        modules = []
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module]
            if node.module == "gantheory":
                modules = [f"gantheory.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        for module in modules:
            head, *rest = module.split(".")
            if head == "simulations":
                found.add("simulations")
            elif head == "gantheory" and rest:
                found.add(rest[0])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_only_from_its_left(path):
    name = layer_of(path)
    if name in {"__init__", "__main__"}:
        return
    for imported in imported_layers(path) & set(POSITION):
        assert POSITION[imported] <= POSITION[name], f"{name} imports {imported}, to its right"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_has_a_layer(path):
    assert layer_of(path) in {*POSITION, "__init__", "__main__"}


@pytest.mark.parametrize(
    "code",
    [
        "import gantheory",
        "import sys; sys.argv = ['gantheory', '--help']\n"
        "from gantheory.cli import main\n"
        "try: main()\nexcept SystemExit as e: assert not e.code",
    ],
)
def test_the_entrances_load_nothing_heavy(code):
    script = f"{code}\nimport sys\nprint('LOADED', sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "LOADED []" in done.stdout
