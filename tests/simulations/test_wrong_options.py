"""Options of another type are refused in one line, before any work; numpy's scalars are numbers."""

import numpy as np
import pytest
import torch
from torch import nn

import gantheory as gt
from simulations.data import Law, as_density
from simulations.ensembles import Member, Recipe
from simulations.networks import Affine, Mlp
from simulations.runs import train_run
from simulations.train import train

P, Q = "normal(0, 1)", "normal(1, 1)"
MEMBERS, RECIPE = [Member(Law(as_density(P)))], Recipe(Mlp((1, 4, 1)), Affine(), steps=64, batch=8)


class Answering:
    """An executor that returns answers where futures are wanted."""

    def submit(self, function, text):
        return text


def fitted(**options):
    torch.manual_seed(0)
    return gt.train(nn.Linear(1, 1), nn.Linear(1, 1), P, latent=1, **{"steps": 2, **options})


def read(**options):
    return gt.measure(nn.Linear(1, 1), nn.Linear(1, 1), P, latent=1, **{"n": 50, **options})


def hooked(**options):
    return gt.watch(nn.Linear(1, 1), nn.Linear(1, 1), P, latent=1, **options)


def swept(**options):
    return gt.sweep("minimax", P, Q, **{"out": "unused", "workers": 1, "steps": 2, **options})


def run(folder="unused", members=MEMBERS, recipe=RECIPE, **options):
    return train_run(folder, members, recipe, **options)


WRONG = {
    fitted: {
        "progress": [3, "a"], "parameters": [3, [1], "alpha=2"], "every": ["64", 64.0, True, 63],
        "out": [3, b"x", ["a"]], "path": [3, None], "order": [3, None, ["a"]], "fresh": ["no", 1],
        "schedule": [3, ["a"]], "annealing": [{}], "averaging": ["a", [0.9]], "noise": [True],
        "seeds": ["01", 3, np.array(3), np.zeros((2, 2)), [1.5], [True]], "rate": [0.1],
    },
    read: {"test": [3, ["energy"]], "parameters": [3], "step": ["a", None, 1.5]},
    hooked: {"options": [3, None, [1], {"nn": 3}, {"step": 3}, {"seed": "a"}]},
    swept: {
        "progress": [3], "seeds": [3, "01", None, np.random.default_rng(0), [True], [1.0]],
        "workers": ["2", 1.5, True], "scheduler": [3, "", ["a"]],
        "executor": [3, Answering, Answering()], "train": [3], "steps": ["2", 2.0, None, True],
        "batch": ["8", 8.5], "hidden": [3, "44", (4.0,), None], "activation": [3, ["relu"]],
        "rate": ["1", None, True, 0], "generator_rate": [[1]], "out": [3, None, b"a"],
    },
    run: {
        "progress": [3], "measure": [3, lambda state: 3, lambda state: {"a": object()}],
        "every": ["64", 64.0, None, 63], "path": [3], "folder": [3, None],
        "members": [3, [3], MEMBERS[0]], "recipe": [3, None],
    },
    lambda **options: gt.run_protocol("pacgan-ring", **{"steps": 1, "seeds": (0,), **options}): {
        "progress": [3], "seeds": [3, "a"], "steps": ["1", 1.5, True], "out": [3, b"a"],
    },
    lambda **options: Recipe(**{"discriminator": Mlp((1, 1)), "generator": Affine(), "steps": 1,
                                **options}): {"discriminator": [3, nn.Linear(1, 1)]},
    Mlp: {"sizes": ["a", (1, 8.5, 1)]},
    gt.simulate: {"progress": [3]},
}  # fmt: skip


@pytest.mark.parametrize("call", WRONG, ids=map(str, range(len(WRONG))))
def test_an_option_of_another_type_is_one_line(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = {"name": "sensitivity", "quick": True} if call is gt.simulate else {}
    for name, wrong in ((name, one) for name, several in WRONG[call].items() for one in several):
        with pytest.raises(gt.GantheoryError) as refused:
            call(**told, **{name: wrong})
        assert "\n" not in str(refused.value)
        assert len(str(refused.value)) < 300
    assert not list(tmp_path.glob("unused/cells/*/*"))
    assert not list(tmp_path.glob("*/run.json"))


def test_scalars_and_arrays_of_numpy_and_torch_are_numbers(tmp_path):
    plain = swept(seeds=[0, 1], hidden=(4,), rate=0.5, out=tmp_path / "a")
    for seeds in (np.arange(2), torch.arange(2), [np.int32(0), np.uint8(1)]):
        made = swept(seeds=seeds, steps=np.int64(2), hidden=np.array([4]), rate=np.float32(0.5),
                     out=tmp_path / "a")  # fmt: skip
        assert made.equals(plain)
    assert len(list(tmp_path.glob("a/cells/*/*.json"))) == 2  # and were found again
    kept = fitted(seeds=np.arange(2), generator_rate=np.float32(0.5), out=tmp_path / "b")
    again = fitted(seeds=[0, 1], generator_rate=0.5)
    assert torch.equal(kept.state.parameters["generator"], again.state.parameters["generator"])


def test_a_watch_counts_by_whole_steps():
    watch = hooked(options={"n": 50})
    for wrong in (0.5, "0", None, torch.tensor(0.5)):
        with pytest.raises(gt.GantheoryError, match="must be a whole number"):
            watch(wrong)
    assert watch(torch.tensor(100)).step == 100
    assert watch(np.int64(200)).step == 200


def test_an_ensemble_is_a_list_of_members():
    for wrong in (3, [3], MEMBERS[0]):
        with pytest.raises(gt.GantheoryError, match="an object of type"):
            train(wrong, RECIPE)
