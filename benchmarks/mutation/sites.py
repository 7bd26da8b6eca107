"""Find every place where an error can be planted, and draw some of them with a seed."""

from __future__ import annotations

import ast
import hashlib
import math
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.mutation import mutators

PACKAGES = ("gantheory", "simulations")
DRAWINGS = ("gantheory/report/plots/", "gantheory/report/phase.py")  # their measures are taste
GUARDS = ("strict", "maxsize", "repr", "frozen", "help", "show_default")  # change no result


@dataclass(frozen=True)
class Mutant:
    """One planted error: in ``file``, the characters ``start`` to ``end`` become ``after``."""

    file: str
    line: int
    last: int
    start: int
    end: int
    kind: str
    before: str
    after: str
    place: str  # the function or class around it, and the line within it
    at_import: bool

    @property
    def key(self) -> str:
        """Return a name that stays when other lines of the file change."""
        parts = (self.file, self.place, " ".join(self.before.split()), self.after)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]

    @property
    def package(self) -> str:
        """Return the folder that the file lies in."""
        return str(Path(self.file).parent)

    def planted(self, source: bytes) -> bytes:
        """Return the file's bytes with the error in them."""
        assert source[self.start : self.end].decode() == self.before, f"{self.file} has changed"
        return source[: self.start] + self.after.encode() + source[self.end :]

    def record(self) -> dict[str, object]:
        """Return the mutant as plain data, with its key."""
        return {"key": self.key} | asdict(self)


def all_mutants(root: Path) -> list[Mutant]:
    """Return every mutant of the packages below ``root``, in order."""
    files = sorted(file for package in PACKAGES for file in (root / package).rglob("*.py"))
    return [mutant for file in files for mutant in of_file(file, str(file.relative_to(root)))]


def of_file(path: Path, name: str) -> list[Mutant]:
    """Return the mutants of one file."""
    source = path.read_bytes()
    return list(Finder(source, name).walk(ast.parse(source), Place(), False))


def compiles(mutant: Mutant, root: Path) -> bool:
    """Tell whether Python reads the file with the error in it."""
    try:
        ast.parse(mutant.planted((root / mutant.file).read_bytes()))
    except SyntaxError:
        return False
    return True


@dataclass(frozen=True)
class Place:
    """The function or class that one is in, its first line and what it returns."""

    name: str = ""
    line: int = 1
    returns: str = ""

    def entered(self, node: ast.FunctionDef | ast.ClassDef) -> Place:
        """Return the place inside ``node``."""
        returns = ast.unparse(node.returns) if getattr(node, "returns", None) else ""
        return Place(f"{self.name}.{node.name}".lstrip("."), node.lineno, returns)

    @property
    def drawn(self) -> bool:
        """Tell whether this is a function that draws."""
        return any(word in self.name for word in ("draw", "plot", "figure"))


class Finder:
    """Walk one syntax tree, knowing in which function one is."""

    def __init__(self, source: bytes, file: str) -> None:
        self.source, self.file = source, file
        self.drawing = file.startswith(DRAWINGS)
        lines = source.splitlines(keepends=True)
        self.starts = [0]
        for line in lines:
            self.starts.append(self.starts[-1] + len(line))

    def walk(self, node: ast.AST, place: Place, inside: bool) -> Iterator[Mutant]:
        """Yield the mutants of ``node`` and of all below it."""
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            place = place.entered(node)
        for variants in mutators.EVERYWHERE:
            yield from self.mutants(node, variants(node), place, inside)
        yield from self.mutants(node, mutators.results(node, place.returns), place, inside)
        for test in forced(node):
            yield from self.mutants(test, mutators.tests(test), place, inside)
        for child, deeper in parts(node, inside):
            yield from self.walk(child, place, deeper)

    def mutants(
        self, node: ast.AST, variants: Iterator[mutators.Variant], place: Place, inside: bool
    ) -> Iterator[Mutant]:
        """Yield a mutant for each variant whose text differs from what stands there."""
        drawn = self.drawing or place.drawn
        for kind, after in variants:
            start = self.starts[node.lineno - 1] + node.col_offset
            end = self.starts[node.end_lineno - 1] + node.end_col_offset
            before = self.source[start:end].decode()
            taste = drawn and kind in ("constant", "exchanged", "left out")
            if after not in (before, f"({before})") and not taste:
                where = (self.file, node.lineno, node.end_lineno, start, end)
                within = f"{place.name}+{node.lineno - place.line}"
                yield Mutant(*where, kind, before, after, within, not inside)


def forced(node: ast.AST) -> list[ast.expr]:
    """Return the tests below ``node`` that can be forced (a loop's would never end)."""
    if isinstance(node, ast.If | ast.IfExp):
        idle = isinstance(node.test, ast.Constant) or "TYPE_CHECKING" in ast.unparse(node.test)
        return [] if idle else [node.test]
    return list(node.ifs) if isinstance(node, ast.comprehension) else []


def parts(node: ast.AST, inside: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Yield the children that may be changed, and whether they run after import."""
    if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Assert):
        return
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    if isinstance(node, ast.keyword) and node.arg in GUARDS:
        return
    if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "")[:2] == "__":
        return
    skipped = {"annotation", "returns", "decorator_list", "type_comment", "bases"}
    body = isinstance(node, ast.FunctionDef | ast.Lambda)
    for name, value in ast.iter_fields(node):
        if name in skipped:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child, inside or (body and name == "body")


def sample(root: Path, count: int, seed: int, only: str = "") -> list[Mutant]:
    """Draw mutants: a folder by the root of its size, then a line, then a change of it."""
    mutants = [mutant for mutant in all_mutants(root) if mutant.file.startswith(only)]
    tree: dict[str, dict[tuple[str, int], list[Mutant]]] = defaultdict(lambda: defaultdict(list))
    for mutant in mutants:
        tree[mutant.package][mutant.file, mutant.line].append(mutant)
    folders = sorted(tree)
    weights = [math.sqrt(len(tree[folder])) for folder in folders]
    draw = random.Random(seed)
    chosen: dict[str, Mutant] = {}
    while len(chosen) < min(count, len(mutants)):
        lines = tree[draw.choices(folders, weights)[0]]
        mutant = draw.choice(lines[draw.choice(sorted(lines))])
        if compiles(mutant, root):
            chosen.setdefault(mutant.key, mutant)
    return list(chosen.values())
