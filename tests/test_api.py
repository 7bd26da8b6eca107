"""The flat interface: one call for a question, seen with its signature by a type checker."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import gantheory as gt
from gantheory.errors import GantheoryError
from gantheory.losses import CATALOGUE, CRITICS

SOUND = """\
import gantheory as gt

mine = gt.Loss("mine", real="log(D)", fake="log(1 - D)", generator="-log(D)")
followed = gt.derive(mine).followed
estimate: gt.Estimate = gt.divergence("jsd", "normal(0, 1)", "normal(1, 1)", wrt="q.loc")
verdict: gt.Verdict = gt.prove("jsd <= tv*log(2)")
outcomes: list[float] = [outcome.seconds for outcome in gt.check("minimax.optimum")]
"""
WRONG = """\
import gantheory as gt

gt.divergence("jsd", "normal(0, 1)")
gt.derive("minimax", second=1.0)
gt.Loss("mine", real="t", fake="-t", generater="-t")
gt.explain("minimax", discriminator_loss="1.3")
number: int = gt.density("normal(0, 1)")
"""


@pytest.mark.parametrize("name", gt.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name):
    assert getattr(gt, name).__doc__


@pytest.mark.parametrize("name", [*CRITICS, "WGAN"])
def test_a_constrained_loss_is_derived_by_name_like_any_other(name):
    found = gt.derive(name)
    assert isinstance(found, gt.CriticDerivation)
    assert found == gt.derive(gt.find(name))


@pytest.mark.parametrize("name", list(CATALOGUE)[::4])
def test_a_derivation_travels_to_another_process_with_its_proof(name):
    found = gt.derive(name)
    there = pickle.loads(pickle.dumps(found))
    assert there == found
    assert there.steps == found.steps
    assert there.as_dict() == found.as_dict()


def test_a_typo_gets_one_line_with_the_nearest_names():
    with pytest.raises(GantheoryError, match="did you mean 'wasserstein'"):
        gt.derive("waserstein")
    with pytest.raises(GantheoryError, match=r"minimax\.optimum"):
        gt.check("minimax.optimun")


def test_claims_are_decided_by_their_ids():
    law, twin = gt.check(["minimax.optimum", "minimax.optimum-twin"])
    assert law.as_expected
    assert twin.as_expected
    assert (law.verdict.how, twin.verdict.how) == (gt.How.PROVED, gt.How.REFUTED)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("typed")
    for name, text in (("sound", SOUND), ("wrong", WRONG)):
        (folder / f"{name}.py").write_text(text)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder / "cache")]
    options = ["--config-file", "", "--show-error-codes", "sound.py", "wrong.py"]
    # A checkout that is installed in editable mode is found by an import hook, not by mypy.
    found = os.environ | {"MYPYPATH": str(Path(gt.__file__).parents[1])}
    call = [*command, *options]
    done = subprocess.run(call, capture_output=True, text=True, cwd=folder, env=found)
    return [line for line in done.stdout.splitlines() if ": error: " in line]


def test_a_type_checker_admits_a_sound_script(judged):
    assert not [line for line in judged if line.startswith("sound.py")]


@pytest.mark.parametrize(
    ("line", "code"),
    [(3, "call-arg"), (4, "call-overload"), (5, "call-arg"), (6, "arg-type"), (7, "assignment")],
)
def test_a_type_checker_reports_a_wrong_call(judged, line, code):
    assert any(row.startswith(f"wrong.py:{line}:") and f"[{code}]" in row for row in judged)
