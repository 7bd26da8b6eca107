"""The outside project in examples/, tested from the installed wheel as its reader would."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

OUTSIDE = Path(__file__).parents[1] / "examples" / "outside"


@pytest.fixture(scope="module")
def outside(installed, tmp_path_factory):
    """Run a module of the installed environment in a copy of the project."""
    folder = tmp_path_factory.mktemp("project") / "outside"
    shutil.copytree(OUTSIDE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    bare = {name: v for name, v in os.environ.items() if name not in ("PYTHONPATH", "MYPYPATH")}

    def run(*call):
        command = [installed, "-m", *call]
        return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=bare)

    return run


def test_its_tests_and_its_audit_pass_and_both_published_faults_are_found(outside):
    options = ["-q", "-p", "no:cacheprovider", "--gantheory-audit", "losses.py:GANLoss"]
    done = outside("pytest", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 xfailed" in done.stdout
    assert int(done.stdout.rsplit("\n", 2)[-2].split()[0]) >= 4 + 20  # one a kind of finding


def test_a_fault_ends_with_status_1_where_that_is_asked_for(outside):
    done = outside("gantheory", "audit", "published.py:gradient_penalty", "--fail-on", "warning")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "penalty-norm" in done.stdout
