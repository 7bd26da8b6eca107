"""Published numbers beside ours: the data, what is told of it, and the Dirac-GANs whole."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import gantheory as gt
from gantheory.cli import cli
from gantheory.errors import GantheoryError
from simulations.compare import energy_test
from simulations.protocols import get_protocol, list_protocols, metrics, outcomes_of, published_of
from simulations.protocols.digits import MODES, StackedDigits
from simulations.protocols.mescheder import PENALTIES, PLANE, Circle, Segments
from simulations.protocols.metrics import wasserstein_of_points
from simulations.protocols.results import QUANTITIES, ProtocolOutcome, table_rows

PACGAN, VEEGAN, R3GAN = "1712.04086", "1705.07761", "2501.05441"
LITERATURE = {  # read in the papers' tables: protocol, paper, method -> modes and quality or KL
    ("pacgan-ring", PACGAN, "GAN"): {"modes": (6.3, 0.5), "quality": (0.982, 0.002)},
    ("pacgan-ring-2", PACGAN, "PacGAN2"): {"modes": (7.9, 0.1), "quality": (0.956, 0.020)},
    ("pacgan-grid", PACGAN, "GAN"): {"modes": (17.3, 0.8), "quality": (0.948, 0.007)},
    ("pacgan-grid-2", PACGAN, "PacGAN2"): {"modes": (23.8, 0.7), "quality": (0.913, 0.008)},
    ("pacgan-ring", VEEGAN, "GAN"): {"modes": (1, None), "quality": (0.993, None)},
    ("pacgan-ring", VEEGAN, "VEEGAN"): {"modes": (8, None), "quality": (0.529, None)},
    ("pacgan-grid", VEEGAN, "GAN"): {"modes": (3.3, None), "quality": (0.005, None)},
    ("pacgan-grid", VEEGAN, "VEEGAN"): {"modes": (24.6, None), "quality": (0.40, None)},
    ("unrolled-ring-5", VEEGAN, "Unrolled"): {"modes": (7.6, None), "quality": (0.356, None)},
    ("stacked-digits-gan", PACGAN, "DCGAN"): {"modes": (99.0, None), "kl": (3.40, None)},
    ("stacked-digits-pac2", PACGAN, "PacDCGAN2"): {"modes": (1000.0, 0.0), "kl": (0.06, 0.003)},
    ("stacked-digits-r3gan", R3GAN, "RpGAN + R1 + R2"): {
        "modes": (1000, None),
        "kl": (0.0781, None),
    },
}


@pytest.mark.parametrize(("protocol", "arxiv", "method"), LITERATURE)
def test_printed_numbers_are_those_of_the_tables(protocol, arxiv, method):
    rows = [row for row in published_of(protocol) if row.arxiv == arxiv]
    (row,) = (r for r in rows if re.fullmatch(rf"{re.escape(method)}( GAN, .*| \(.*)?", r.method))
    assert row.read == "copy"
    for quantity, pair in LITERATURE[protocol, arxiv, method].items():
        assert row.numbers[quantity] == pair


@pytest.mark.parametrize("name", list_protocols())
def test_every_row_belongs_to_a_toy_and_can_be_told(name):
    rows, outcomes = published_of(name), outcomes_of(name)
    for shown in (get_protocol(name), *rows, *outcomes):
        assert "\n" not in repr(shown)
        assert not re.search(r"None|\bnan\b|object at", repr(shown) + shown._repr_html_())
    for row in rows:
        assert re.fullmatch(r"\d{4}\.\d{5}", row.arxiv)
        assert row.place
        assert row.read in ("copy", "memory")
        assert row.numbers or row.said
        assert set(row.numbers) <= set(QUANTITIES)
        for quantity in ("reverse_kl", "kl"):  # no law on k of K modes has less: log(K/k)
            if quantity in row.numbers and row.numbers["modes"][0]:
                modes = {"ring": 8, "grid": 25}.get(name.split("-")[1], MODES)
                least = math.log(modes / row.numbers["modes"][0])
                assert row.numbers[quantity][0] >= least
    for found in outcomes:
        assert found.published_steps == get_protocol(name).recipe.steps
        assert all(len(values) == len(found.seeds) for values in found.numbers.values())
    for line in table_rows(rows, outcomes):
        assert ("SHORTENED" in line.remark) == any(
            not found.whole and found.label in line.remark for found in outcomes
        )
        assert ("not confirmed" in line.remark) == any(
            row.read == "memory" and line.who == f"{row.method}; arXiv:{row.arxiv}, {row.place}"
            for row in rows
        )


@pytest.mark.parametrize(
    ("name", "loss", "r1"),
    [("gan", "gan", 0.0), ("nsgan", "ns", 0.0), ("r1", "gan", 0.3), ("nsgan-r1", "ns", 0.3)],
)
def test_a_trained_dirac_gan_follows_the_two_numbers_written_out(name, loss, r1):
    """D first: psi += h (-theta f'(psi theta) - g psi), theta from f' or its mirror image."""
    protocol = get_protocol(f"dirac-{name}")
    sigmoid = lambda t: 1 / (1 + math.exp(-t))  # noqa: E731
    theta = psi = 1.0
    for _ in range(64):
        psi += 0.2 * (-theta * sigmoid(psi * theta) - r1 * psi)
        pull = sigmoid(psi * theta) if loss == "gan" else sigmoid(-psi * theta)
        theta += 0.2 * psi * pull
    from simulations.train import last, train

    state = last(train(protocol.members([0]), protocol.changed(steps=64)))
    assert float(state.parameters["generator"][0, 0]) == pytest.approx(theta, abs=1e-12)
    assert float(state.parameters["discriminator"][0, 0]) == pytest.approx(psi, abs=1e-12)


def test_the_printed_factor_of_a_dirac_gan_is_that_of_the_eigenvalues_and_is_reached():
    for name, gamma in (("dirac-r1", 0.3), ("dirac-r1-critical", 1.0), ("dirac-gan", 0.0)):
        h, f = 0.2, 0.5
        step = np.array([[1, h * f], [0, 1]]) @ np.array([[1, 0], [-h * f, 1 - h * gamma]])
        size = np.abs(np.linalg.eigvals(step)).max()
        (row,) = published_of(name)
        assert row.numbers["factor"][0] == pytest.approx(size, abs=1e-6)
    found = gt.run_protocol("dirac-r1", seeds=[0], steps=320)
    assert not found.whole
    assert found.numbers["factor"][0] == pytest.approx(0.969536, abs=1e-5)
    assert found.numbers["distance"][0] < 1e-3


def test_a_mean_its_error_and_the_medians_interval_are_those_of_numpy():
    rng = np.random.default_rng(4)
    for n in (2, 5, 8):
        values = rng.normal(size=n)
        found = ProtocolOutcome("x", 1, 2, tuple(range(n)), {"w1": tuple(values)})
        mean, error = found.mean("w1")
        assert mean == pytest.approx(values.mean())
        assert error == pytest.approx(values.std(ddof=1) / math.sqrt(n))
        middle = found.median("w1")
        assert middle.value - middle.error == pytest.approx(values.min())
        assert middle.value + middle.error == pytest.approx(values.max())
        assert middle.error_probability == pytest.approx(2.0 ** (1 - n))
        assert "SHORTENED to 1 of 2 steps" in found.label
    assert math.isnan(ProtocolOutcome("x", 1, 1, (0,), {"w1": (1.0,)}).mean("w1")[1])
    lost = ProtocolOutcome("x", 1, 1, (0, 1), {"w1": (1.0, math.nan)})
    assert table_rows((), [lost])[0].numbers["w1"] == "1 of 2 seeds: no number"


def test_transport_is_the_least_sum_over_all_pairings():
    from itertools import permutations

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 6, 2))
    costs = np.linalg.norm(a[:, None] - b[None], axis=-1)
    least = min(costs[range(6), list(order)].mean() for order in permutations(range(6)))
    assert wasserstein_of_points(a, b) == pytest.approx(least, rel=1e-12)
    assert math.isnan(wasserstein_of_points(a, b * np.nan))


def test_laws_on_curves_and_stacks_are_what_they_say():
    source = torch.Generator().manual_seed(0)
    circle = Circle(2.0).sample(1000, source, torch.float64)
    assert torch.allclose(circle.norm(dim=1), torch.tensor(2.0, dtype=torch.float64))
    assert circle.mean(0).abs().max() < 0.2
    lines = Segments((-1.0, 3.0), length=4.0).sample(1000, source, torch.float64)
    assert set(lines[:, 1].tolist()) == {-1.0, 3.0}
    assert lines[:, 0].abs().max() <= 2
    assert 400 < int((lines[:, 1] > 0).sum()) < 600
    normal = PLANE["gaussian"][1].sample(300, source, torch.float64).numpy()
    theirs = np.random.default_rng(0).normal(size=(300, 2))
    assert energy_test(normal, theirs, 0, 199) > 0.01
    law = StackedDigits()
    stacks = law.sample(500, source, torch.float64).numpy()
    assert stacks.shape == (500, law.dim)
    modes = law.modes_of(stacks)
    assert modes.min() >= 0
    assert modes.max() < MODES
    assert len(set(modes.tolist())) > 300  # 500 draws of 1000 modes hit 393 of them on average
    swapped = stacks.reshape(500, 3, -1)[:, [2, 1, 0]].reshape(500, -1)
    assert (law.modes_of(swapped) == modes % 10 * 100 + modes // 10 % 10 * 10 + modes // 100).all()


def test_every_law_of_mescheder_meets_every_penalty_on_the_samples_it_is_named_after():
    for law in ("gaussian", "line", "circle", "lines"):
        where, title = PLANE[law][1], {}
        for penalty in PENALTIES:
            protocol = get_protocol(f"mescheder-{law}-{penalty}")
            assert protocol.law == where
            title[penalty] = protocol.recipe.regularisers
        x, y = torch.tensor([[[1.0]], [[2.0]]], dtype=torch.float64)
        square = lambda points: points.square().sum(-1)  # noqa: E731
        slope = [title[name][0](square, x[None], y[None], x[None]).item() for name in ("r1", "r2")]
        assert slope == [2.0, 8.0]  # half the square of 2x, of the real 1 and of the fake 2
        assert title["gan"] == ()


def test_the_command_shows_printed_numbers_beside_ours_and_a_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(metrics, "TRANSPORTED", 100)

    def run(*arguments):
        done = CliRunner().invoke(cli, ["protocols", *arguments], catch_exceptions=False)
        assert done.exit_code == 0
        return done.output

    shown = run("pacgan-ring")
    assert "modes 6.3 ± 0.5, high quality 98.2% ± 0.2%" in shown
    assert "arXiv:1712.04086, table 1" in shown
    assert "dirac-r1" in run()
    line = ["mescheder-circle-gan", "--run", "--seeds", "0:2", "--steps", "64", "--json", "--out"]
    first = json.loads(run(*line, str(tmp_path)))["measured"][-1]
    assert json.loads(run(*line, str(tmp_path)))["measured"][-1] == first
    assert (first["steps"], first["seeds"]) == (64, [0, 1])
    assert json.loads((tmp_path / "outcome.json").read_text()) == first
    assert first["numbers"]["w1"][0] > 2 * first["numbers"]["w1_of_data"][0]  # untrained


def test_a_run_without_a_name_or_of_no_steps_is_one_line():
    with pytest.raises(GantheoryError, match="needs a name"):
        CliRunner().invoke(
            cli, ["protocols", "--run"], catch_exceptions=False, standalone_mode=False
        )
    with pytest.raises(GantheoryError, match="--steps says how to train; add --run"):
        CliRunner().invoke(
            cli, ["protocols", "dirac-gan", "--steps", "9"], catch_exceptions=False,
            standalone_mode=False,
        )  # fmt: skip
    with pytest.raises(GantheoryError, match="steps=0"):
        gt.run_protocol("dirac-gan", steps=0)
    with pytest.raises(GantheoryError, match="seed 3 is given twice"):
        gt.run_protocol("dirac-gan", seeds=[3, 1, 3])
    assert replace(gt.get_protocol("dirac-gan"), name="mine").members([3])[0].seed == 3
