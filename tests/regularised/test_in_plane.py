"""Penalised discriminators in the plane, against the line where the problem is one of the line."""

import numpy as np
import pytest

import gantheory as gt
from gantheory.regularised import plane

HALVES = "mixture(0.25*normal_2d_iso({0}, 1) + 0.75*normal_2d_iso({0}, 1))"  # one law, as two
ALONG = "normal_nd(({0}, 0), ((1, 0), (0, 2)))"  # across the line both are alike
LEANING = "normal_nd(({0}, {1}), ((1, 0.8), (0.8, 1)))"
MODES = "mixture(0.5*normal_2d_iso((-1, 0), 0.7) + 0.5*normal_2d_iso((1, 0.5), 0.7))"
ON_LINE = [
    ("minimax", HALVES.format((0, 0)), HALVES.format((2.4, 1.8)), 3, "r1(1)"),
    ("non-saturating", ALONG.format(0), ALONG.format(-0.6), 0.6, "r2(0.5)"),
    ("least-squares(a=0, b=1, c=1)", ALONG.format(0), ALONG.format(1), 1, "r1(1) + r2(3)"),
    (gt.Loss("linear", "t", "-t", "-t"), ALONG.format(0), ALONG.format(1), 1, "both(1)"),
]


@pytest.mark.parametrize(("loss", "p", "q", "apart", "regulariser"), ON_LINE)
def test_laws_that_differ_along_a_line_have_the_numbers_of_the_line(loss, p, q, apart, regulariser):
    found = gt.optimal_discriminator(loss, p, q, regulariser=regulariser)
    line = gt.optimal_discriminator(
        loss, "normal(0, 1)", f"normal({apart}, 1)", regulariser=regulariser
    )
    for name in ("value", "penalty", "objective"):
        mine, known = getattr(found, name), getattr(line, name)
        assert abs(mine.value - known.value) < mine.error < 2e-6
    along = np.array([found.gradient(f"q.loc[{k}]").value for k in (0, 1)])
    assert np.linalg.norm(along) == pytest.approx(abs(line.gradient("q.loc").value), rel=2e-6)


def test_a_score_has_its_error_at_any_place():
    loss, p, q, apart, regulariser = ON_LINE[0]
    found = gt.optimal_discriminator(loss, p, q, regulariser=regulariser)
    line = gt.optimal_discriminator(
        loss, "normal(0, 1)", f"normal({apart}, 1)", regulariser=regulariser
    )
    for place in np.random.default_rng(0).normal(0.5, 1.0, (40, 2)):
        mine, known = found.score(place), line.score(float(place @ (0.8, 0.6)))
        assert abs(mine.value - known.value) < mine.error < 2e-2
    assert np.isnan(found.score((99, 0)).value)
    assert np.isnan(found.score(1.0).value)


def test_under_r1_a_zero_sum_generator_follows_the_objective_for_any_laws():
    def at(x):
        return gt.optimal_discriminator(
            "minimax", MODES, LEANING.format(x, 0.3), regulariser="r1(1)"
        )

    low, middle, high = (at(x) for x in (0.35, 0.4, 0.45))
    slope = (high.objective.value - low.objective.value) / 0.1
    followed = middle.gradient("q.loc[0]")
    assert followed.error < 1e-5
    assert slope == pytest.approx(followed.value, abs=3e-4)
    assert abs(followed.value) > 0.01


def test_what_is_not_solved_in_the_plane_is_one_line_or_a_reason():
    p, q = ALONG.format(0), LEANING.format(1, 0)
    for loss, regulariser in (("hinge", "r1(1)"), ("minimax", "slope(1)"), ("minimax", "gp(10)")):
        with pytest.raises(gt.GantheoryError, match="'both', for payoffs without kinks"):
            gt.optimal_discriminator(loss, p, q, regulariser=regulariser)
    far = gt.optimal_discriminator("minimax", p, LEANING.format(40, 0), regulariser="r1(1)")
    assert "penalise both kinds of samples" in str(far)


def test_a_grid_that_is_lost_gives_no_numbers(monkeypatch):
    step = plane._newton_step

    def lost(grid):
        found, gain = step(grid)
        return found, gain if len(grid.nodes) == plane.COUNTS[0] + 1 else np.nan

    monkeypatch.setattr(plane, "_newton_step", lost)
    loss, p, q, _, regulariser = ON_LINE[2]
    found = gt.optimal_discriminator(loss, p, q, regulariser=regulariser)
    assert "did not come to rest" in str(found)
