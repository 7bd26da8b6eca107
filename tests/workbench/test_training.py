"""Ensembles of the workbench: the plane's bound from counting, and the script that is shown."""

import math

import numpy as np
import pytest

from gantheory.errors import GantheoryError
from gantheory.workbench.answers import Refused

pytest.importorskip("torch")

from gantheory.workbench.answers import line, plane
from simulations.coverage import CEILING, coverage

RANDOM = np.random.default_rng(17)


def points(shares, good, n=4096):
    """Return n points, a share ``good`` of them at modes with these shares, the others far off."""
    near = round(good * n)
    where = RANDOM.choice(8, size=near, p=shares)
    return np.concatenate([np.array(plane.LAW.centres)[where], np.full((n - near, 2), 9.0)])


@pytest.mark.parametrize("shares", [[1 / 8] * 8, [1 / 4] * 4 + [0] * 4, RANDOM.dirichlet([1] * 8)])
def test_the_bound_from_counting_is_the_loss_of_the_best_d_that_sees_cells_alone(shares):
    found = coverage(points(shares, 0.9), plane.LAW)
    p = np.array([*[CEILING / 8] * 8, 1 - CEILING])
    q = np.array([*(found.quality.value * np.array(found.masses)), 1 - found.quality.value])
    D = p / (p + q)
    with np.errstate(divide="ignore", invalid="ignore"):
        right = -np.sum(p * np.log(D) + np.where(q > 0, q * np.log(1 - D), 0))
    best, why = plane._best(plane.Settings(loss="minimax").definition)
    assert why == ""
    assert best(found) == pytest.approx(right, rel=1e-12)
    assert best(found) < 2 * math.log(2)


def test_a_perfect_sampler_leaves_the_bound_at_the_value_of_p_equal_q():
    rows = plane.LAW.centres + plane.LAW.scale * RANDOM.normal(size=(4000, 8, 2))
    best, _ = plane._best(plane.Settings().definition)
    assert best(coverage(rows.reshape(-1, 2), plane.LAW)) == pytest.approx(
        2 * math.log(2), abs=2e-3
    )


def test_the_plane_trains_and_shows_every_seed():
    seen = plane.frames(plane.Settings(members=2, seed=3))
    first, second = next(seen), next(seen)
    assert (first["step"], second["step"]) == (0, 64)
    assert second["samples"] != first["samples"]
    assert len(second["samples"]) == len(second["scores"]) == len(second["modes"]) == 2
    assert len(second["scores"][0]) == len(plane.picture(plane.Settings())["square"])
    assert all(0 <= share <= 1 for share in second["quality"])


@pytest.mark.parametrize("scene", [line, plane])
def test_a_script_that_is_shown_runs(scene):
    settings = scene.Settings(members=2, steps=64, seed=5)
    shown = {}
    exec(settings.script(scene.__name__.rpartition(".")[2], scene.SHOWN), shown)
    assert shown["frame"]["step"] == 64
    *_, last = scene.frames(settings)
    assert shown["frame"] == last


def test_what_cannot_be_trained_is_refused_beside_its_field():
    for field, scene, value in (("noise", plane, -1), ("p", line, "ring(8)"), ("members", line, 0)):
        with pytest.raises(Refused) as refused:
            scene.Settings(**{field: value})
        assert refused.value.field == field
    with pytest.raises(GantheoryError, match="known"):
        plane.Settings(loss="no-such-loss")
