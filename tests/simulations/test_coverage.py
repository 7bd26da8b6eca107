"""Modes, quality and coverage of samples in the plane."""

import math

import numpy as np
import pytest
import torch

from gantheory.errors import GantheoryError
from gantheory.records import Status
from simulations.coverage import CEILING, coverage
from simulations.data import grid, ring


@pytest.mark.parametrize("law", [ring(), grid()], ids=["ring", "grid"])
def test_a_perfect_sampler_meets_its_ceiling_and_covers_every_mode(law):
    points = law.sample(20_000, torch.Generator().manual_seed(0), torch.float64).numpy()
    found = coverage(points, law)
    assert found.modes == found.total == len(law.centres)
    assert abs(found.quality.value - CEILING) <= found.quality.error
    bias = (found.total - 1) / (2 * 20_000)  # of the plug-in entropy
    assert 0 <= found.reverse_kl < 10 * bias


def test_modes_that_are_missed_raise_the_reverse_kl_to_its_floor():
    law = ring()
    kept = np.repeat(np.array(law.centres)[:6], 100, axis=0)
    found = coverage(kept, law)
    assert (found.modes, found.total) == (6, 8)
    assert found.reverse_kl == pytest.approx(math.log(8 / 6), abs=1e-12)
    assert found.floor == pytest.approx(math.log(8 / 6), abs=1e-12)


def test_points_that_are_not_finite_count_as_poor():
    points = np.array([[1.0, 0.0], [np.nan, 0.0], [np.inf, np.inf], [5.0, 5.0]])
    found = coverage(points, ring())
    assert (found.modes, found.quality.value) == (1, 0.25)
    assert found.quality.status is Status.OK
    assert found.quality.warnings == ("2 of 4 samples are not finite, and count as poor",)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_coverage_of_samples_that_are_no_numbers_is_undetermined(value):
    found = coverage(np.full((50, 2), value), ring())
    assert found.quality.status is Status.UNDETERMINED
    assert "none of 50 samples is finite" in found.quality.reason
    assert found.modes == 0
    assert math.isnan(found.reverse_kl)


@pytest.mark.parametrize("shape", [(0, 2), (5,), (5, 3)])
def test_points_that_are_not_points_of_the_plane_are_refused(shape):
    with pytest.raises(GantheoryError, match=r"give \(n, 2\)"):
        coverage(np.zeros(shape), ring())


@pytest.mark.parametrize(("modes", "radius"), [(8, 1.0), (5, 2.5)])
def test_the_ring_has_its_modes_evenly_on_a_circle_of_its_radius(modes, radius):
    law = ring(modes, radius, scale=0.02)
    points = law.sample(4000, torch.Generator().manual_seed(1), torch.float64).numpy()
    assert abs(np.hypot(*points.T).mean() - radius) < 0.01  # far from every other radius
    centres = np.array(law.centres) @ [1, 1j]
    assert np.abs(centres**modes - radius**modes).max() < 1e-12 * radius**modes
    assert np.unique(np.round(centres, 6)).size == modes
    assert np.abs(points[:, 0] + 1j * points[:, 1] - centres[:, None]).min(0).max() < 6 * 0.02


def test_the_grid_has_its_modes_about_zero():
    centres = sorted(grid(3, spacing=2.0).centres)
    assert centres == [(x, y) for x in (-2.0, 0.0, 2.0) for y in (-2.0, 0.0, 2.0)]
