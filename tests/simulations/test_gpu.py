"""Counted randomness, and the script for a GPU on a CPU in its place."""

import json
import math
import subprocess
import sys
import time
import types
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from benchmarks import gpu, gpu_equality, gpu_speed
from benchmarks.gpu_setting import Setting
from benchmarks.simulator import TASKS
from gantheory.errors import GantheoryError, MissingExtraError
from gantheory.losses import find
from simulations import fused, minibatches, trainable
from simulations.counter import Counter, philox
from simulations.data import Law, as_density, grid, quantile, ring
from simulations.ensembles import Member, Recipe, initial_state
from simulations.flows import Flow
from simulations.minibatches import portions
from simulations.networks import Affine, Mlp
from simulations.regularisers import GradientPenalty
from simulations.streams import CHUNK, TRAINING
from simulations.train import last, train
from simulations.updates import Adam, RmsProp


@pytest.mark.parametrize(
    ("inputs", "words"),
    [  # the known answers that Random123 publishes for philox4x32-10: counter, then key
        ("ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff",
         "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0",
         "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)  # fmt: skip
def test_philox_gives_the_published_words(inputs, words):
    a, b, c, d, low, high = (torch.tensor([int(word, 16)]) for word in inputs.split())
    found = [f"{int(word):08x}" for word in philox((a, b, c, d), (low, high))]
    assert found == words.split()


@pytest.mark.parametrize("source", ["counter", "twister"])
def test_drawing_for_many_members_looks_each_loss_up_once(source, monkeypatch):
    """A card waits for each look at the catalogue: a thousand members a portion made it idle."""
    looked_up = []
    monkeypatch.setattr(trainable, "find", lambda loss: looked_up.append(loss) or find(loss))
    losses = ["minimax", "hinge"]
    team = [Member(Law(as_density("normal(0, 1)")), losses[k % 2], seed=k) for k in range(40)]
    network = Mlp((1, 4, 1))
    how = Recipe(network, Affine(1, 1), steps=CHUNK, batch=2, source=source)
    drawn = list(portions(team, how, 0, CHUNK))
    assert all(len(samples["real"]) == 40 for _, samples in drawn)
    assert len(looked_up) <= len(losses) * len(drawn)


def by_hand(seed, stream, step, tag, place):
    """Return the four words of one counter in whole numbers of Python."""
    x, key = [place, step % 2**32, stream << 8 | tag, step >> 32], [seed % 2**32, seed >> 32]
    for _ in range(10):
        p, q = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(q >> 32) ^ x[1] ^ key[0], q % 2**32, (p >> 32) ^ x[3] ^ key[1], p % 2**32]
        key = [(key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32]
    return x


def test_numbers_are_the_words_of_their_seed_step_purpose_and_place():
    rng = np.random.default_rng(3)
    seeds = (0, 2**64 - 1, *(int(s) for s in rng.integers(0, 2**63, 3)))
    for first in (0, 2**32 - 2):
        group = Counter(seeds, TRAINING, first, 4)
        u, z = group.draw(0, 2, (3, 5)).flatten(2), group.draw(1, 2, (3, 5)).flatten(2)
        for k, step, j in rng.integers(0, (5, 4, 15), (20, 3)).tolist():
            words = by_hand(seeds[k], TRAINING, first + step, 4, j // 4)
            assert float(u[k, step, j]) == (words[j % 4] + 0.5) / 2**32
            words = by_hand(seeds[k], TRAINING, first + step, 5, j // 4)
            radius, angle = words[j % 4 // 2 * 2], words[j % 4 // 2 * 2 + 1]
            turn = np.sin if j % 2 else np.cos
            expected = np.sqrt(-2 * np.log((radius + 0.5) / 2**32))
            expected *= turn(2 * np.pi * (angle + 0.5) / 2**32)
            assert float(z[k, step, j]) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_counted_normals_are_normal_and_uncorrelated_over_steps_members_and_purposes():
    z = Counter(tuple(range(50)), TRAINING, 0, 40).draw(1, 0, (100,))
    assert stats.kstest(z.flatten().numpy(), "norm").pvalue > 1e-6
    other = Counter(tuple(range(50)), TRAINING, 0, 40).draw(1, 1, (100,))
    pairs = (z[1:], z[:-1]), (z[:, 1:], z[:, :-1]), (z[..., 1:], z[..., :-1]), (z, other)
    for a, b in pairs:
        for power in (1, 2):
            x, y = (t.flatten().numpy() ** power for t in (a, b))
            assert abs(np.corrcoef(x, y)[0, 1]) < 5 / np.sqrt(x.size)


@dataclass(frozen=True)
class Drawn:
    """A sampler that only takes a generator."""

    loc: float = 0.0
    dim: int = 1

    def sample(self, n, generator, dtype):
        return torch.randn(n, 1, generator=generator, dtype=dtype) + self.loc


def law(text, block=1):
    return Law(as_density(text), block)


TOY = Recipe(Mlp((1, 8, 1)), Affine(), steps=70, batch=32, source="counter")
MEMBERS = [
    Member(law("normal(2, 1)"), seed=1),
    Member(Drawn(1.0), "minimax", seed=2, noise=0.1),
    Member(law("student_t(3)"), seed=3),
    Member(law("normal(2, 1)"), "minimax", seed=1),
]


def rows_of(members, recipe):
    return last(train(members, recipe)).parameters["discriminator"]


@pytest.mark.parametrize(
    "changes", [{"discriminator_steps": 2, "latent": "uniform"},
                {"regularisers": (GradientPenalty(),), "annealing": "linear", "steps": 20}],
)  # fmt: skip
def test_a_members_counted_numbers_depend_on_its_seed_alone(changes, monkeypatch):
    recipe = replace(TOY, **changes)
    fast = not recipe.regularisers
    whole = rows_of(MEMBERS, recipe)
    close = {"rtol": 0, "atol": 0 if fast else 1e-12}
    torch.testing.assert_close(rows_of(MEMBERS[::-1], recipe).flip(0), whole, **close)
    torch.testing.assert_close(rows_of(MEMBERS[1:2], recipe), whole[1:2], **close)
    monkeypatch.setitem(minibatches.MEMORY, "cpu", 2**18)  # other portions
    assert minibatches.Counted(MEMBERS, recipe, 0).most < CHUNK / 2
    assert torch.equal(rows_of(MEMBERS, recipe), whole)
    assert torch.equal(whole[0], whole[3]) == (MEMBERS[0].loss == MEMBERS[3].loss)


def test_both_paths_train_alike_from_counted_numbers():
    slow, fast = (last(train(MEMBERS, TOY, path=path)).parameters for path in ("reference", "fast"))
    for player in slow:
        assert (slow[player] - fast[player]).abs().max() < 1e-12


def real_points(members, recipe):
    return torch.cat([samples["real"] for _, samples in portions(members, recipe, 0, CHUNK)], 1)


@pytest.mark.parametrize(
    "text", ["normal(2, 0.5)", "uniform(-1, 3)", "logistic(1, 2)", "gamma(2, 1)",
             "normal_mixture((0.3, 0.7), (-2, 2), (0.5, 1))"],
)  # fmt: skip
def test_counted_points_follow_their_law(text):
    density = as_density(text)
    for block in (1, 32):
        members = [Member(Law(density, block), seed=s) for s in range(20)]
        points = real_points(members, TOY).numpy()
        assert points.shape == (20, CHUNK, 1, 32, 1)
        if block == 1:
            assert stats.kstest(points.ravel(), density.cdf).pvalue > 1e-6
        else:  # one point in every slice of probability
            edges = quantile(density, np.arange(1, 32) / 32)
            if "mixture" not in text:
                slices = np.searchsorted(edges, points[..., 0])
                assert (np.sort(slices, -1) == np.arange(32)).all()


@pytest.mark.parametrize("modes", [ring(), grid()])
def test_counted_points_of_modes_lie_about_every_centre_alike(modes):
    recipe = replace(TOY, discriminator=Mlp((2, 8, 1)), generator=Affine(dim=2))
    points = real_points([Member(modes, seed=5)], recipe).reshape(-1, 2)
    away = torch.cdist(points, torch.tensor(modes.centres, dtype=points.dtype))
    counts = torch.bincount(away.argmin(1), minlength=len(modes.centres)).numpy()
    assert stats.chisquare(counts).pvalue > 1e-6
    nearest = away.amin(1).square().numpy() / modes.scale**2
    assert stats.kstest(nearest, stats.chi2(2).cdf).pvalue > 1e-6


def test_a_plane_law_counts_too():
    plane = law("normal_nd((1, 0), ((2, 0.5), (0.5, 1)))")
    recipe = replace(TOY, discriminator=Mlp((2, 8, 1)), generator=Affine(dim=2))
    points = real_points([Member(plane, seed=5)], recipe).reshape(-1, 2).numpy()
    assert np.allclose(np.cov(points.T), [[2, 0.5], [0.5, 1]], atol=0.15)


def test_an_unknown_source_is_refused():
    with pytest.raises(GantheoryError, match="unknown source 'dice'"):
        replace(TOY, source="dice")


def test_calls_joined_into_one_do_what_they_do_apart(monkeypatch):
    monkeypatch.setattr(fused, "BACKEND", "eager")  # traces as the other, and compiles nothing
    recipe = replace(
        TOY, discriminator=Mlp((2, 6, 1), "leaky"), generator=Affine(dim=2), steps=5,
        rule=(RmsProp(), Adam(weight_decay=0.1, decoupled=True)), averaging=0.9,
    )  # fmt: skip
    members = [Member(ring(), loss, seed=k, generator_rate=1e-2) for k, loss in enumerate(
        ("minimax", "non-saturating", "minimax"))]  # fmt: skip
    apart = last(train(members, recipe, path="fast"))
    joined = gpu_equality.fused(members, recipe)
    for player, rows in apart.parameters.items():
        assert (rows - joined.parameters[player]).abs().max() < 1e-14
        assert (rows - initial_state(members, recipe).parameters[player]).abs().max() > 1e-3


# --- the script --------------------------------------------------------------------------------


def script(tmp_path, *parts):
    """Run parts of the script on the CPU; return its exit code and the file."""
    place = tmp_path / "gpu.json"
    status = gpu.main(["--out", str(place), "--device", "cpu", "--quick", "--parts", *parts])
    return status, json.loads(place.read_text())


def test_a_part_that_fails_stops_no_other_and_holds_nothing_of_them(tmp_path, monkeypatch, capsys):
    def fail(setting):
        setting.keep("done", 1)
        raise RuntimeError("planted")

    monkeypatch.setitem(gpu.PARTS, "planted", (fail, 5))  # see test_card for the other parts
    status, results = script(tmp_path, "noise", "planted", "environment")
    assert status == 1
    assert "RuntimeError: planted" in results["planted"].pop("error")
    assert set(results["planted"]) == {"done", "seconds"}
    assert results["environment"]["cores"] >= 1
    assert results["noise"]["normal"]["differing float64"] == 0
    assert results["noise"]["same alone and in company"]
    assert "failed parts: planted" in capsys.readouterr().out


def test_a_part_that_is_ended_before_its_end_keeps_what_it_has_finished(tmp_path, monkeypatch):
    def slow(setting):
        setting.add("cells", 1.5)
        try:
            time.sleep(20)
        except Exception:  # as code does that takes whatever fails for its own failure
            return {}

    monkeypatch.setitem(gpu.PARTS, "noise", (slow, 1 - gpu.GRACE))  # the alarm rings after 1 s
    status, results = script(tmp_path, "noise")
    assert status == 0
    assert results["noise"].pop("seconds") < 5
    assert results["noise"] == {"cells": [1.5], "cut short": True}


def test_a_run_that_is_killed_leaves_every_finished_piece_on_the_disk(tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    made = iter([{"seconds": 2.0}, {"seconds": 2.0}])

    def cell(*_):
        try:
            return next(made)
        except StopIteration:
            raise Killed from None

    monkeypatch.setattr(gpu_speed, "cell", cell)
    row = {"within": True}
    compared = lambda name, *_: [row] if name == "line" else cell()  # noqa: E731
    monkeypatch.setattr(gpu_equality, "compared", compared)
    for part, count in (("throughput", 2), ("equality", 4)):
        with pytest.raises(Killed):
            script(tmp_path, part)
        found = json.loads((tmp_path / "gpu.json").read_text())[part]
        assert len(found["cells" if part == "throughput" else "cases"]) == count
        assert found["cut short"]


def test_what_one_cell_meets_is_its_own_and_time_that_is_over_ends_a_part(monkeypatch):
    def fail(*_):
        raise RuntimeError("out of memory")

    over = Setting("cpu", quick=True, deadline=time.monotonic())
    assert gpu_equality.equality(over) == {"cut short": True}
    monkeypatch.setattr(gpu_speed, "ensemble", fail)
    monkeypatch.setattr(gpu_speed.DeviceLoop, "__init__", fail)
    setting = Setting("cpu", quick=True)
    for cell in gpu_speed.throughput(setting)["cells"] + gpu_speed.anchors(setting)["cells"]:
        assert cell["error"] == "RuntimeError: out of memory"
    assert gpu.strict({"a": [math.inf, 1.0]}) == {"a": ["inf", 1.0]}


def test_all_parts_together_take_no_longer_than_the_whole_run_may(tmp_path, monkeypatch):
    given = {}

    def part(setting):
        given[len(given)] = setting.left
        return setting.kept

    for name in gpu.PARTS:
        monkeypatch.setitem(gpu.PARTS, name, (part, 200))
    monkeypatch.setattr(gpu, "WHOLE", 60)
    clock = iter(range(0, 10**6, 9))
    monkeypatch.setattr(gpu.time, "monotonic", lambda: next(clock))
    status, results = script(tmp_path, *gpu.PARTS)
    assert status == 0
    ran = [name for name in gpu.PARTS if "left out" not in results[name]]
    assert ran == list(gpu.PARTS)[: len(ran)]
    assert 0 < len(ran) < len(gpu.PARTS)
    assert all(left <= 60 for left in given.values())


def test_experiments_that_outlast_their_part_are_ended_with_it(tmp_path, monkeypatch):
    ended = []

    class Process(types.SimpleNamespace):
        def wait(self, most=None):
            if most is not None and self.status is None:
                raise subprocess.TimeoutExpired("experiment", most)
            return self.status

        def kill(self):
            ended.append(self.name)

    def popen(command, cwd, stdout, stderr, env):
        name, out = command[4], Path(command[-1])
        out.mkdir()
        cases = [{"case": "a", "seconds": 1.0}]
        (out / "record.json").write_text(json.dumps({"measurements": cases}))
        stdout.write(json.dumps({"as_expected": True, "verdicts": [{"as_expected": True}]}))
        return Process(name=name, status=0 if name == "slow" else None)

    monkeypatch.setattr(gpu, "NAMES", ("slow", "hung"))
    monkeypatch.setattr(gpu.subprocess, "Popen", popen)
    found = gpu.experiments(Setting("cuda", quick=False, deadline=time.monotonic()))
    assert found["experiments"] == {
        "slow": {
            "as expected": True, "verdicts": 1, "unexpected": [], "seconds by case": {"a": 1.0},
        },
        "hung": {"error": "out of time", "cases done": ["a"]},
    }  # fmt: skip
    assert not found["all as expected"]
    assert {"slow", "hung"} <= set(ended)


def test_a_machine_without_the_card_is_told_so_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        gpu.main(["--out", str(tmp_path / "gpu.json")])
    assert stop.value.code == 2
    assert "torch sees no CUDA device here" in capsys.readouterr().err


def test_a_cell_that_would_outlast_its_part_is_left_out_and_the_others_stay(monkeypatch):
    def cell(name, members, *_):
        return {"seconds": 2 + members * (0.001 if name == "one-d" else 0.01)}

    monkeypatch.setattr(gpu_speed, "cell", cell)
    found = gpu_speed.throughput(Setting("cpu", quick=False, deadline=time.monotonic() + 60))
    left_out = [(c["task"], c["members"]) for c in found["cells"] if "left out" in c]
    assert left_out == [("ring", 10_000)]  # 102 s; all others take from 2 to 12
    assert len(found["cells"]) == 12
    assert found["cut short"]


def test_an_experiment_without_its_package_is_one_line(tmp_path):
    (tmp_path / "stdout").write_text("")
    (tmp_path / "stderr").write_text("a warning\ngantheory: a flow needs an optional package\n")
    process = types.SimpleNamespace(wait=lambda most: 2)
    found = gpu.ended(process, tmp_path, time.monotonic() + 5)
    assert found == {"error": "gantheory: a flow needs an optional package", "status": 2}


def test_a_flow_without_its_package_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "zuko", None)
    with pytest.raises(MissingExtraError, match="a flow needs an optional package"):
        Flow()


def test_the_work_of_a_ring_step_is_what_the_design_counted():
    assert gpu_speed.operations_of_a_step(TASKS["ring"]) == pytest.approx(205.8e6, rel=1e-3)
