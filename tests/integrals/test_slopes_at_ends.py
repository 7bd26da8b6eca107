"""Derivatives where a density ends, and nearly equal laws: found by `benchmarks.campaigns`."""

import mpmath
import numpy as np
import pytest

from gantheory import divergence
from gantheory.records import Status


def slope_by_differences(name, p, q, at, step):
    """Return the derivative of a divergence in what q holds as {}, and how far it is off."""
    coarse, fine = (
        (divergence(name, p, q.format(at + h)).value - divergence(name, p, q.format(at - h)).value)
        / (2 * h)
        for h in (step, step / 2)
    )
    return (4 * fine - coarse) / 3, abs(fine - coarse)


@pytest.mark.parametrize("seed", range(6))
def test_a_density_that_vanishes_at_its_end_leaves_a_slope_of_tv_its_digits(seed):
    rng = np.random.default_rng(seed)
    p = rng.choice(["normal(0, 1)", "laplace(0, 1)", "logistic(0.2, 1)", "uniform(-1, 1)"])
    q = rng.choice(["exponential({})", "gamma(1, {})", "weibull(1, {})", "chi_squared({})"])
    at = float(rng.uniform(2.5, 40))
    found = divergence("tv", p, q.format(at), wrt="q.df" if "df" in q or "chi" in q else "q.scale")
    expected, off = slope_by_differences("tv", p, q, at, 1e-3 * at)
    assert found.value == pytest.approx(expected, abs=off + 1e-9)
    assert found.error < 1e-11 * abs(found.value)


@pytest.mark.parametrize(
    ("law", "parameter"),
    [
        ("triangular(0, 0, 1)", "a"),
        ("triangular(0, 0, 1)", "mode"),
        ("triangular(-1, 2, 2)", "b"),
        ("triangular(-1, 2, 2)", "mode"),
        ("affine(triangular(0, 0, 1), 1, -2)", "base.a"),
        ("restrict(triangular(0, 0, 1), -1, 0.5)", "base.mode"),
    ],
)
def test_what_can_move_one_way_only_has_no_derivative(law, parameter):
    for name in ("tv", "jsd", "w1"):
        found = divergence(name, law, "normal(0, 1)", wrt=f"p.{parameter}")
        assert found.status is Status.UNDETERMINED
        assert "one way only" in str(found.reason)


def test_the_other_ends_of_a_triangle_with_an_upright_side_still_move():
    expected, off = slope_by_differences("jsd", "normal(0, 1)", "triangular(0, 0, {})", 1.3, 1e-3)
    found = divergence("jsd", "normal(0, 1)", "triangular(0, 0, 1.3)", wrt="q.b")
    assert found.value == pytest.approx(expected, abs=off + 1e-9)
    assert found.error < 1e-12


def test_an_end_at_the_middle_of_another_component_moves():
    q = "mixture(0.5*uniform({}, 1) + 0.25*normal(0, 1) + 0.25*gumbel(1, 2))"
    expected, off = slope_by_differences("jsd", "normal(0.5, 1)", q, 0.0, 1e-4)
    found = divergence("jsd", "normal(0.5, 1)", q.format(0), wrt="q.components[0].a")
    assert found.value == pytest.approx(expected, abs=off + 1e-7)
    assert found.error < 1e-12


@pytest.mark.parametrize("seed", range(12))
def test_nearly_equal_laws_on_the_circle_keep_their_digits(seed):
    rng = np.random.default_rng(seed)
    loc, k = float(rng.uniform(-9, 9)), float(10 ** rng.uniform(-5, 3))
    near = float(10 ** rng.uniform(-9, -1))
    turned, wider = loc + near * float(rng.normal()), k * (1 + near * float(rng.normal()))
    with mpmath.workdps(60):
        one, other = mpmath.mpf(k), mpmath.mpf(wider)
        zero = mpmath.besseli(0, one)
        mean = mpmath.besseli(1, one) / zero
        angle = mpmath.cos(mpmath.mpf(turned) - mpmath.mpf(loc))
        truth = one * mean - other * mean * angle + mpmath.log(mpmath.besseli(0, other) / zero)
    found = divergence("kl_pq", f"von_mises({loc!r}, {k!r})", f"von_mises({turned!r}, {wider!r})")
    assert abs(found.value - truth) <= found.error + 1e-17 * abs(truth)
    assert found.error < 1e-4 * abs(truth)
