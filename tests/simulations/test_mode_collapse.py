"""Mode collapse: planted samples and turns get the verdicts that they should."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from gantheory.ledger.simulated import judge_comparison
from gantheory.records import How
from simulations.experiments import mode_collapse, pursuit
from simulations.experiments.base import Measurement
from simulations.experiments.collapse_figure import PackedMixture, _counts


def seeds_of(law, masses, quality=0.95, modes=None, untrained=1):
    """Return the groups of eight seeds that all got these shares of their modes."""
    total, held = len(masses), [m for m in masses if m]
    numbers = {
        "untrained": [untrained] * mode_collapse.GROUP,
        "modes": [modes or len(held)] * mode_collapse.GROUP,
        "quality": [quality] * mode_collapse.GROUP,
        "masses": [masses] * mode_collapse.GROUP,
        "reverse_kl": [sum(m * math.log(m * total) for m in held)] * mode_collapse.GROUP,
        "centres": [(0.0, 0.0)] * total,
    }
    groups = range(mode_collapse.SEEDS // mode_collapse.GROUP)
    perfect = {f"{name} G": 20.0 for name in mode_collapse.MIXTURES}
    return [
        *(Measurement(f"{law}|1|{group}", (), numbers) for group in groups),
        Measurement("perfect", (), perfect),
    ]


def concluded(measured):
    return {
        c.id.removeprefix("mode-collapse."): judge_comparison(c).how
        for c in mode_collapse.conclude(measured)
    }


EQUAL, TILTED = (0.125,) * 8, (0.09,) * 4 + (0.16,) * 4
HOLDS, FAILS = How.MEASURED, How.REFUTED


@pytest.mark.parametrize(
    ("masses", "expected"),
    [
        (
            (0.2,) * 3 + (0.4 / 19,) * 19 + (0.0,) * 3,
            {"modes": HOLDS, "shares": HOLDS, "twin": FAILS},
        ),
        ((1 / 18,) * 18 + (0.0,) * 7, {"modes": FAILS, "shares": HOLDS, "twin": FAILS}),
        ((0.04,) * 25, {"modes": HOLDS, "shares": FAILS, "twin": FAILS}),
    ],
    ids=["uneven", "lost", "perfect"],
)
def test_the_grid_is_judged_by_its_shares_as_well_as_its_modes(masses, expected):
    found = concluded(seeds_of("grid", masses))
    assert {name: found[f"grid.1.{name}"] for name in expected} == expected


@pytest.mark.parametrize(
    ("planted", "expected"),
    [
        (
            seeds_of("ring", TILTED),
            {"modes": HOLDS, "quality": HOLDS, "shares": HOLDS, "twin": FAILS},
        ),
        (seeds_of("ring", TILTED), {"uneven": HOLDS, "uneven.twin": FAILS}),
        (seeds_of("ring", EQUAL), {"uneven": FAILS, "uneven.twin": FAILS}),
        (
            seeds_of("ring", (0.25,) * 4 + (0.0,) * 4),
            {"modes": FAILS, "shares": FAILS, "twin": FAILS},
        ),
        (seeds_of("ring", EQUAL, untrained=8), {"modes": HOLDS, "twin": HOLDS}),
        (
            seeds_of("ring", EQUAL, quality=math.nan),
            {"quality": How.UNDECIDED, "uneven": How.UNDECIDED, "modes": HOLDS},
        ),
        (seeds_of("ring", TILTED, quality=0.905), {"quality": How.UNDECIDED, "modes": HOLDS}),
        (seeds_of("ring", TILTED, quality=0.85), {"quality": FAILS, "modes": HOLDS}),
    ],
    ids=["sound", "tilted", "equal", "lost", "untrained", "no numbers", "near", "poor"],
)
def test_the_ring_is_judged_by_what_all_of_its_seeds_cover(planted, expected):
    found = concluded(planted)
    assert {name: found[f"ring.1.{name}"] for name in expected} == expected
    assert concluded(planted[1:]) == {}  # nothing is said before all seeds are finished


def looks(best):
    """Return what sixteen seeds show after G, D, G, D, G when G sits at 0, 3, 0 in turn."""
    spots, ones = (0.0, 0.0, 3.0, 3.0, 0.0), np.ones(16)
    return [
        pursuit.Look(b * ones, (s - 0.1) * ones, (s + 0.1) * ones, s * ones)
        for b, s in zip(best, spots, strict=True)
    ]


@pytest.mark.parametrize(
    ("best", "leaves", "follows"),
    [
        ((0, 3, 3, 0, 0), True, True),
        ((0, 3, 3, 2.5, 0), False, True),
        ((0, 0, 3, 3, 0), False, True),
        ((3, 3, 0, 0, 3), True, False),
    ],
)
def test_d_leaves_g_only_where_every_turn_takes_its_best_point_away(best, leaves, follows):
    judged = {
        c.id.rpartition(".")[2]: judge_comparison(c).how for c in pursuit.chased(looks(best), 1e-3)
    }
    assert judged["leaves"] is (HOLDS if leaves else FAILS)
    assert judged["twin"] is (FAILS if follows else HOLDS)
    assert judged["moves"] is judged["point"] is HOLDS


def test_the_share_of_the_modes_stands_above_the_place_of_its_ensemble():
    axes = Figure().add_subplot()
    found = {"centres": [(0.0, 0.0)] * 8, "modes": [2, 4, 8]}
    _counts(axes, {PackedMixture("ring", 1): found, PackedMixture("ring", 2): found})
    for place, dots in enumerate(axes.get_lines()):
        assert list(dots.get_ydata()) == [0.25, 0.5, 1.0]
        assert np.abs(dots.get_xdata() - place).max() < 0.5
