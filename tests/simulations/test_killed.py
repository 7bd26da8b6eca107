"""kill -9 at random instants: training, an experiment and a sweep end as if nothing had happened.

The suite kills each a few times; ``GANTHEORY_KILLS=50`` kills each fifty times.
"""

import os
import signal
import subprocess
import sys
import time
import warnings
from contextlib import suppress

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from gantheory.cli import cli
from gantheory.records import Estimate
from simulations import experiments
from simulations.data import Law, as_density
from simulations.ensembles import Member, Recipe
from simulations.experiments.base import Comparison, Experiment, Measurement, Record
from simulations.networks import Affine, Mlp
from simulations.runs import CHECKPOINT, RECORD, train_run
from simulations.sweeps.sweep import sweep

KILLS = int(os.environ.get("GANTHEORY_KILLS", "3"))
MEMBERS = [Member(Law(as_density("normal(1, 1)")), seed=seed) for seed in range(2)]
RECIPE = Recipe(Mlp((1, 8, 1)), Affine(), steps=640, batch=16)


def killed(work, seconds, seed):
    """Do ``work`` in processes that are killed at random instants, then once to the end."""
    rng = np.random.default_rng(seed)
    struck = 0
    for _ in range(KILLS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forking, from Python 3.12 on
            child = os.fork()
        if child == 0:
            with suppress(BaseException):
                work()
            os._exit(0)
        time.sleep(rng.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        struck += os.waitpid(child, 0)[1] == signal.SIGKILL
    work()
    return struck


def train_in(folder):
    def located(state):
        return {"loc": state.parameters["generator"][:, 0]}

    return train_run(folder, MEMBERS, RECIPE, every=64, measure=located)


def test_training_killed_at_random_instants_ends_bitwise_as_one_that_was_not(tmp_path):
    begin = time.monotonic()
    train_in(tmp_path / "whole")
    killed(lambda: train_in(tmp_path / "killed"), time.monotonic() - begin, seed=1)
    for name in (CHECKPOINT, RECORD):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not list((tmp_path / "killed").glob(".*.partial*"))


@pytest.fixture
def experiment():
    def measure(case, setting):
        time.sleep(0.01)
        number = float(torch.rand((), generator=torch.Generator().manual_seed(int(case[1:]))))
        side = Comparison(f"toy.{case}", f"{case} is a number", Estimate(number), ">=", Estimate(0))
        return Measurement(case, (side,), {"number": number})

    def draw(measured):
        from matplotlib.figure import Figure

        return Figure()

    toy = Experiment(
        "killed-toy", "A toy", "all goes on", ("numbers",), 1, 1,
        lambda quick: tuple(f"c{k}" for k in range(12)), measure, draw,
    )  # fmt: skip
    experiments.register(toy)
    yield toy
    experiments.unregister(toy)


def test_an_experiment_killed_at_random_instants_measures_each_case_once(tmp_path, experiment):
    def run(folder):
        line = ["simulate", experiment.name, "--quick", "--out", str(folder), "--json"]
        done = CliRunner().invoke(cli, line, catch_exceptions=False)
        assert done.exit_code == 0

    run(tmp_path / "whole")
    killed(lambda: run(tmp_path / "killed"), 0.3, seed=2)
    whole, found = (Record.read(tmp_path / name / "record.json") for name in ("whole", "killed"))
    kept = [[(m.case, m.comparisons, m.numbers) for m in r.measurements] for r in (whole, found)]
    assert kept[0] == kept[1]


def test_a_sweep_killed_at_random_instants_goes_on_to_the_same_table(tmp_path):
    def run(folder):
        return sweep("minimax", "normal(0, 1)", "normal(1, 1)", seeds=range(5), out=folder,
                     workers=1, steps=64, batch=32, hidden=(8,))  # fmt: skip

    whole = run(tmp_path / "whole")
    killed(lambda: run(tmp_path / "killed"), 0.6, seed=3)
    assert run(tmp_path / "killed").equals(whole)
    for name in ("table.csv", "table.parquet"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not list((tmp_path / "killed").glob("cells/*/.*"))


def test_a_worker_ends_with_its_parent_and_leaves_the_interrupt_to_it(tmp_path):
    (tmp_path / "slow.py").write_text("import time\ndef work(text):\n    time.sleep(60)\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    worker = subprocess.Popen(
        [sys.executable, "-m", "simulations.sweeps.worker"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    worker.stdin.write('["json:loads", "1"]\n["slow:work", ""]\n')
    worker.stdin.flush()
    assert worker.stdout.readline() == '["found", 1]\n'  # it listens now
    worker.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(0.3)
    worker.stdin.close()  # as when the parent is killed
    assert worker.wait(20) == 0
    worker.stdout.close()
