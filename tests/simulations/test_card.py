"""What runs on a GPU, run on a card that is none (see `tests.card`)."""

import json
import sys
from dataclasses import replace

import pytest
import torch
from torch import nn

from benchmarks import gpu, gpu_equality, gpu_speed
from benchmarks.gpu_setting import Setting
from gantheory.records import Estimate
from simulations import counter
from simulations.data import Law, SwissRoll, as_density, ring
from simulations.ensembles import Member, Recipe
from simulations.minibatches import portions
from simulations.networks import Affine, Mlp
from simulations.points import points
from simulations.protocols import get_protocol, metrics, run_protocol
from simulations.protocols.digits import StackedDigits
from simulations.protocols.mescheder import Circle, Segments
from simulations.regularisers import ZeroCentred
from simulations.runs import load_checkpoint, train_run
from simulations.train import last, train
from simulations.updates import Adam, RmsProp
from simulations.watch import measure
from tests.card import Graph, card

LINE = [Member(Law(as_density("normal(1, 2)")), loss, seed=k, noise=0.1 * k)
        for k, loss in enumerate(("minimax", "non-saturating", "minimax"))]  # fmt: skip
PLANE = [Member(ring(), "relativistic", seed=k) for k in range(2)]
SMALL = Recipe(Mlp((1, 8, 1)), Affine(), steps=3, batch=8, rule=Adam(epsilon=1e-3))
DEEP = replace(SMALL, discriminator=Mlp((2, 8, 8, 1)), generator=Mlp((2, 8, 2)), source="counter")
WAYS = {  # name -> members, recipe, path, and how many graphs it leaves
    "counted": (LINE, replace(SMALL, source="counter"), "fast", 1),
    "drawn": (LINE, replace(SMALL, discriminator_steps=2, clip=0.2), "fast", 1),
    "deep": ([replace(m, loss="minimax") for m in PLANE],
             replace(DEEP, rule=RmsProp(epsilon=1e-3), averaging=0.9), "fast", 1),
    "captured": (PLANE, replace(DEEP, regularisers=(ZeroCentred(1.0),), averaging=0.9,
                                schedule="linear"), "reference", 1),
    "readable": (LINE, replace(SMALL, source="counter"), "reference", 0),
}  # fmt: skip


@pytest.fixture
def fake(monkeypatch):
    counter._on.cache_clear()
    counter._keys.cache_clear()
    with card(monkeypatch) as memory:
        yield memory
    counter._on.cache_clear()
    counter._keys.cache_clear()


@pytest.mark.parametrize("way", WAYS)
def test_a_card_trains_what_the_cpu_trains(way, fake, monkeypatch):
    members, recipe, path, graphs = WAYS[way]
    replayed = []
    play = Graph.replay
    monkeypatch.setattr(Graph, "replay", lambda graph: replayed.append(graph) or play(graph))
    expected = last(train(members, recipe, path="reference"))
    found = last(train(members, replace(recipe, device="cuda"), path=path))
    assert len(set(map(id, replayed))) == graphs
    assert len(replayed) == graphs * recipe.steps
    for player, rows in expected.parameters.items():
        assert found.parameters[player].is_cuda
        assert (found.parameters[player].cpu() - rows).abs().max() < 1e-12


def law(text):
    return Law(as_density(text))


SAMPLERS = [
    law("normal(2, 1)"), Law(as_density("uniform(-1, 3)"), 8), law("gamma(2, 1)"), law("cauchy(0)"),
    law("normal_mixture((0.3, 0.7), (-2, 2), (0.5, 1))"), ring(), SwissRoll(), Circle(),
    law("normal_nd((1, 0), ((2, 0.5), (0.5, 1)))"), Segments((-1.0, 1.0)), StackedDigits(),
    points([[1.0, 2.0], [3.0, 4.0]]),
]  # fmt: skip


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("source", ["counter", "twister"])
def test_every_law_is_sampled_on_a_card_as_on_the_cpu(sampler, source, fake):
    members = [Member(sampler, "relativistic", seed=k, noise=0.1) for k in range(2)]
    recipe = replace(
        SMALL, discriminator=Mlp((sampler.dim, 1)), generator=Mlp((1, sampler.dim)), source=source
    )
    here, there = (drawn(members, replace(recipe, device=device)) for device in ("cpu", "cuda"))
    assert here.keys() == there.keys()
    for name, numbers in here.items():
        assert there[name].is_cuda
        assert torch.equal(there[name].cpu(), numbers)


def drawn(members, recipe):
    pieces = [samples for _, samples in portions(members, recipe, 0, 1)]
    return {name: torch.cat([piece[name] for piece in pieces], 1) for name in pieces[0]}


def test_calls_that_are_joined_on_a_card_are_still_one_step(fake):
    members, recipe, _, _ = WAYS["deep"]
    there = replace(recipe, device="cuda")
    joined, apart = gpu_equality.fused(members, there), last(train(members, there, path="fast"))
    for player, rows in apart.parameters.items():
        assert (joined.parameters[player] - rows).abs().max() < 1e-14


def test_the_card_refuses_what_a_card_refuses(fake):
    there, here = torch.ones(3, device="cuda"), torch.ones(3)
    with pytest.raises(RuntimeError, match="same device"):
        there + here
    with pytest.raises(TypeError, match="can't convert cuda"):
        there.numpy()
    with pytest.raises(RuntimeError, match="capturing"), torch.cuda.graph(Graph()):
        float(there[0])
    assert (there.cpu() + here).tolist() == [2.0] * 3


def test_a_run_on_a_card_goes_on_from_its_folder_there(fake, tmp_path, monkeypatch):
    for name, module in list(sys.modules.items()):
        if name.startswith("simulations.") and hasattr(module, "CHUNK"):
            monkeypatch.setattr(module, "CHUNK", 2)
    members, recipe, *_ = WAYS["deep"]
    recipe = replace(recipe, device="cuda", steps=4)
    whole = last(train(members, recipe))

    class Killed(BaseException):
        pass

    def kill(done, total):
        if done > 2:  # steps, of which the first two are in the checkpoint
            raise Killed

    with pytest.raises(Killed):
        train_run(tmp_path, members, recipe, every=2, progress=kill)
    train_run(tmp_path, members, recipe, every=2)
    found = load_checkpoint(tmp_path)[1]
    for player, rows in whole.parameters.items():
        assert rows.is_cuda
        assert torch.equal(found.parameters[player].cpu(), rows.cpu())


def test_a_users_networks_on_a_card_are_measured_as_on_the_cpu(fake, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: torch.zeros(1))
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: None)
    torch.manual_seed(0)
    makers = [nn.Sequential(nn.Linear(k, 8), nn.Tanh(), nn.Linear(8, 1)).double() for k in (2, 1)]
    question = "normal(2, 1)", "non-saturating"
    here = measure(*makers, *question, latent=2, n=200, test="energy")
    there = measure(*(one.to("cuda") for one in makers), *question, latent=2, n=200, test="energy")
    assert all(p.is_cuda for p in makers[0].parameters())
    for name, number in vars(here).items():
        other = getattr(there, name)
        if isinstance(number, Estimate):
            number, other = number.value, other.value
        assert other == (number if isinstance(number, str) else pytest.approx(number, abs=1e-12))


def test_a_published_toy_is_measured_on_a_card_as_on_the_cpu(fake, monkeypatch):
    monkeypatch.setattr(metrics, "TRANSPORTED", 50)
    toy = get_protocol("mescheder-line-r2")
    shorter = replace(toy, recipe=toy.changed(batch=4, source="counter", dtype=torch.float64))
    here, there = (run_protocol(shorter, seeds=[0], steps=2, device=d) for d in ("cpu", "cuda"))
    assert there.machine.startswith("no card, torch")
    assert there.numbers["w1"] == pytest.approx(here.numbers["w1"], abs=1e-9)


def test_every_part_of_the_gpu_script_runs_on_a_card(fake, tmp_path, monkeypatch):
    small = {"discriminator": DEEP.discriminator, "generator": DEEP.generator, "batch": 8}
    monkeypatch.setattr(gpu_equality, "CASES", {"small": (WAYS["deep"][0], small)})
    monkeypatch.setattr(gpu_equality, "BOUNDS", {torch.float64: 1e-10})
    for name, task in gpu_speed.TASKS.items():  # shallow: what costs here is the number of calls
        shallow = replace(task, discriminator=Mlp((task.real.dim, 4, 1)), batch=16)
        monkeypatch.setitem(gpu_speed.TASKS, name, shallow)
    place = tmp_path / "gpu.json"
    parts = [name for name in gpu.PARTS if name != "experiments"]
    assert gpu.main(["--out", str(place), "--quick", "--parts", *parts]) == 0
    found = json.loads(place.read_text())
    assert found["environment"]["card"] == "no card"
    assert found["graph"]["graphs"] == 1
    for row in found["throughput"]["cells"]:
        assert row["finite"]
        assert row["share of copy"] > 0
        assert row["GB/s"] > 0
        assert row["peak GiB"] == 1
    assert {row["loop"] for row in found["anchors"]["cells"]} == {"DeviceLoop", "CapturedLoop"}
    assert all(row["gan-steps/s"] > 0 for row in found["anchors"]["cells"])
    assert found["equality"]["all within bounds"]
    assert {row["path"] for row in found["equality"]["cases"]} == {"fast", "fused", "reference"}
    apart = gpu_speed.cell("one-d", 2, "apart", Setting("cuda", quick=True), {})
    assert apart["gan-steps/s"] > 0
