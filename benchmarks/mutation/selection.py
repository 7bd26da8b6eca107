"""Which tests can see a mutant: those that ran its lines when the sound tree was recorded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import coverage

from benchmarks.mutation.sites import Mutant


def copy_of(root: Path, folder: Path) -> Path:
    """Copy the tree (tracked files and new ones) to ``folder``, replacing what is there."""
    shutil.rmtree(folder, ignore_errors=True)
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, folder / name)
    return folder


def record(root: Path, folder: Path) -> int:
    """Run the whole suite on a copy of ``root``, one process, and keep who runs what."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("coverage*"):
        old.unlink()
    tree = copy_of(root, folder / "recorded")
    path = os.pathsep.join([str(tree), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path, "MUTATION_RECORD": str(folder)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "benchmarks.mutation.recorder"]
    return subprocess.run(command, cwd=tree, env=environment, check=False).returncode


@dataclass(frozen=True)
class Record:
    """The recorded run: the usual seconds of each test, and the tests of each line."""

    folder: Path
    seconds: dict[str, float]

    @property
    def tree(self) -> Path:
        """Return the copy of the tree that was recorded: mutants are planted in copies of it."""
        return (self.folder / "recorded").resolve()

    @classmethod
    def read(cls, folder: Path) -> Record:
        """Read what ``record`` wrote."""
        return cls(folder, json.loads((folder / "tests.json").read_text())["seconds"])

    @cached_property
    def lines(self) -> dict[str, dict[int, list[str]]]:
        """Return the contexts of each line of each file, by the file's name in the tree."""
        data = coverage.CoverageData(str(self.folder / "coverage"))
        data.read()
        files = [Path(file) for file in data.measured_files()]
        return {
            str(file.relative_to(self.tree)): data.contexts_by_lineno(str(file))
            for file in files
            if file.is_relative_to(self.tree)
        }

    def stages(self, mutant: Mutant) -> list[dict[str, float]]:
        """Return the tests to run, in stages: most errors are noticed in the first.

        First the tests of the line in the folder that mirrors the module's, then those of other
        folders, then the other tests of all these files; in each stage fast tests come first. What
        runs at import is seen by every test; those that run the same file come first. A line that
        no test is seen to run may be run by a child process that is killed: its folder is tried.
        """
        folder = mirror(mutant.file)
        contexts = self.lines.get(mutant.file, {})
        if mutant.at_import:
            seen, rest = self.named(contexts.values()), set(self.seconds)
        else:
            seen = self.named(contexts.get(at, []) for at in range(mutant.line, mutant.last + 1))
            files = {file_of(name) for name in seen}
            rest = {name for name in self.seconds if file_of(name) in files}
        near = {name for name in seen or self.seconds if file_of(name).startswith(folder)}
        return [self.sorted(stage) for stage in (near, seen - near, rest - seen) if stage]

    def named(self, contexts: Iterable[list[str]]) -> set[str]:
        """Return the tests that the contexts name (a child process appends the phase)."""
        names = {name for line in contexts for name in line}
        return (names | {name.rsplit(" (", 1)[0] for name in names}) & set(self.seconds)

    def sorted(self, names: Iterable[str]) -> dict[str, float]:
        """Return the usual seconds of the tests, fast first."""
        return {name: self.seconds[name] for name in sorted(names, key=self.seconds.__getitem__)}


def file_of(test: str) -> str:
    """Return the file that a test stands in."""
    return test.split("::")[0]


def mirror(file: str) -> str:
    """Return the folder of tests that mirrors a module's, or the module's own tests at the top."""
    package, *inner = Path(file).parts
    if package == "simulations":
        return "tests/simulations/"
    return f"tests/{inner[0]}/" if len(inner) > 1 else f"tests/test_{inner[0]}"
