"""What a user has who installed the wheel: commands without a checkout, and typed signatures."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKED = (
    "gantheory", "simulations", "docs", "tests", "benchmarks", "examples", "conftest.py",
    "pyproject.toml", "MANIFEST.in", "Makefile", "constraints.txt", "README.md", "LICENSE",
    "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md",
)  # fmt: skip
SOUND = """\
import gantheory as gt

mine = gt.Loss("mine", real="log(D)", fake="log(1 - D)", generator="-log(D)")
followed = gt.derive(mine).followed
estimate: gt.Estimate = gt.divergence("jsd", "normal(0, 1)", "normal(1, 1)", wrt="q.loc")
verdict: gt.Verdict = gt.prove("jsd <= tv*log(2)")
outcomes: list[float] = [outcome.seconds for outcome in gt.check("minimax.optimal-discriminator")]
"""
WRONG = """\
import gantheory as gt

gt.divergence("jsd", "normal(0, 1)")
gt.derive("minimax", second=1.0)
gt.Loss("mine", real="t", fake="-t", generater="-t")
gt.explain("minimax", discriminator_loss="1.3")
number: int = gt.density("normal(0, 1)")
gt.derive()
gt.curve(["jsd"], vals=[1.0])
gt.prove()
gt.analyse("dirac-minimax", stp=1)
gt.claims(quik=True)
gt.certify("jsd", "normal(0, 1)")
gt.read_loss()
gt.measure()
gt.train()
gt.between_samples("w1")
gt.derive_estimator()
gt.optimal_critic()
gt.optimal_discriminator("minimax", "normal(0, 1)", "normal(1, 1)")
gt.make_method("flow", inr=1)
gt.run_protocol()
gt.register()
gt.from_json()
gt.Game()
gt.Estimate()
gt.FDivergence("mine")
"""


UNSEEN = ("numpy", "scipy", "sympy", "torch", "polars", "matplotlib", "flint", "rich", "mpmath")


def run(folder, *call):
    """Run a program in a folder, with neither this checkout nor its settings in sight."""
    bare = {name: v for name, v in os.environ.items() if name not in ("PYTHONPATH", "MYPYPATH")}
    return subprocess.run(call, capture_output=True, text=True, cwd=folder, env=bare)


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("typed")
    (folder / "sound.py").write_text(SOUND)
    (folder / "wrong.py").write_text(WRONG)
    return folder


@pytest.fixture(scope="module")
def by_mypy(scripts, installed):
    # What the signatures name of other libraries is not looked into, which takes most of the time.
    others = "".join(f"[mypy-{name}.*]\nfollow_imports = skip\n" for name in UNSEEN)
    (scripts / "mypy.ini").write_text(f"[mypy]\n{others}")
    options = ["--strict", "--config-file", "mypy.ini", "--cache-dir", "cache",
               "--python-executable"]  # fmt: skip
    done = run(scripts, sys.executable, "-m", "mypy", *options, installed, "sound.py", "wrong.py")
    return {tuple(line.split(":")[:2]) for line in done.stdout.splitlines() if ": error: " in line}


@pytest.fixture(scope="module")
def by_pyright(scripts, installed):
    options = ["--outputjson", "--level", "error", "--pythonpath"]
    done = run(scripts, sys.executable, "-m", "basedpyright", *options, installed)
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {(row["file"].rsplit("/")[-1], str(row["range"]["start"]["line"] + 1)) for row in found}


EXPECTED = {("wrong.py", str(line)) for line in range(3, len(WRONG.splitlines()) + 1)}


def test_mypy_admits_a_sound_script_and_reports_each_wrong_call(by_mypy):
    assert by_mypy == EXPECTED


def test_pyright_admits_a_sound_script_and_reports_each_wrong_call(by_pyright):
    assert by_pyright == EXPECTED


COMMANDS = [
    (["derive", "lsgan"], "D* = p/(p + q)"),
    (["divergence", "jsd", "normal(0, 1)", "normal(2, 1)"], "0.33683082034683"),
    (["prove", "tv**2 <= kl_pq/2"], "proved"),
    (["explain", "minimax", "--stuck", "0.693"], "D = 1/2 everywhere"),
    (["game", "bilinear"], "diverges (proved"),
]
ONE_AFTER_ANOTHER = """
import json, sys
from click.testing import CliRunner
from gantheory.cli import cli
done = [CliRunner().invoke(cli, call) for call in json.loads(sys.argv[1])]
print(json.dumps([one.output for one in done]))
"""


def test_commands_need_no_checkout(tmp_path, installed):
    """One is started as a user does, and in a second process all of them, one after another."""
    (call, answer), calls = COMMANDS[1], json.dumps([call for call, _ in COMMANDS])
    alone = run(tmp_path, installed, "-m", "gantheory", *call)
    assert not alone.returncode, alone.stderr
    assert answer in alone.stdout
    done = run(tmp_path, installed, "-c", ONE_AFTER_ANOTHER, calls)
    assert not done.returncode, done.stderr
    said = zip(COMMANDS, json.loads(done.stdout), strict=True)
    assert [(call, out) for (call, answer), out in said if answer not in out] == []


def test_the_wheel_has_its_data_and_the_source_archive_builds_the_same_wheel(tmp_path, installed):
    """What is not Python goes astray easily: types, pages, ledgers, the report's script."""
    source = tmp_path / "source"
    skipped = shutil.ignore_patterns("_build", "__pycache__", "generated", "*.egg-info", ".*")
    for name in PACKED:
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(place, source / name, ignore=skipped)
        else:
            source.mkdir(exist_ok=True)
            shutil.copy(place, source / name)
    build = f"from setuptools import build_meta as b; print(b.build_sdist({str(tmp_path)!r}))"
    whole = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    done = run(source, sys.executable, "-c", build)
    assert not done.returncode, done.stderr
    with tarfile.open(tmp_path / done.stdout.split()[-1]) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    ask = "import gantheory, pathlib; print(pathlib.Path(gantheory.__file__).parent)"
    package = Path(run(tmp_path, installed, "-c", ask).stdout.strip())
    for name in ("py.typed", "__init__.pyi", "report/page.js", "report/page.css",
                 "ledger/statements/data/systems.toml"):  # fmt: skip
        assert (package / name).is_file()
        assert f"gantheory/{name}" in packed
    assert "PKG-INFO" in packed
    assert whole - packed == set()  # with its tests and what they read, so that they run
