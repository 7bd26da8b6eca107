"""Laws with mass beyond the largest number of binary64: nothing of it may be dropped silently."""

import math
from dataclasses import dataclass
from typing import ClassVar

import mpmath
import numpy as np
import pytest

from gantheory import divergence
from gantheory.densities.location_scale import Gumbel
from gantheory.densities.normal import Normal
from gantheory.densities.univariate import Points
from gantheory.errors import GantheoryError
from gantheory.integrals.transport.gaps import alive
from gantheory.records import Status

RNG = np.random.default_rng(20261127)


def holds(answer, truth, width):
    """The bar holds the truth, and is at most ``width`` of it; beyond the range its log is told."""
    truth = mpmath.mpf(truth)
    if truth > 1.7e308:
        assert answer.status is Status.UNDETERMINED
        assert "beyond the range" in answer.reason
        assert answer.log_value == pytest.approx(float(mpmath.log(truth)), rel=1e-11)
        return
    assert abs(answer.value - truth) <= answer.error
    assert answer.error <= width * abs(truth)


def mean(loc, scale):
    """E[X] of a lognormal law."""
    return mpmath.exp(mpmath.mpf(loc) + mpmath.mpf(scale) ** 2 / 2)


@pytest.mark.parametrize(("loc", "scale"), [
    (-284.76, 58.25),
    (-300.0, 29.0),  # x is held by binary64, but not x/median
    *zip(RNG.uniform(-300, 100, 5).round(2), RNG.uniform(5, 70, 5).round(2), strict=True),
])  # fmt: skip
@pytest.mark.parametrize("q", ["laplace(-14, 2)", "gamma(1, 2)"])
def test_the_divergence_of_a_lognormal_law_counts_where_x_overflows(loc, scale, q):
    own = -mpmath.log(scale) - mpmath.mpf(loc) - mpmath.log(2 * mpmath.pi * mpmath.e) / 2
    constant = mpmath.log(4) + 7 if q.startswith("laplace") else mpmath.log(2)
    cost = constant + mean(loc, scale) / 2
    p = f"lognormal({loc}, {scale})"
    holds(divergence("kl_pq", p, q), own + cost, 1e-9)
    holds(divergence("kl_qp", q, p), own + cost, 1e-9)


@pytest.mark.parametrize(("loc", "apart", "scale"), [
    tuple(row) for row in RNG.uniform([300, 10, 50], [550, 50, 300], (5, 3)).round(2)
])  # fmt: skip
def test_a_bounded_divergence_counts_the_mass_beyond_the_range(loc, apart, scale):
    a, b = f"lognormal({loc}, {scale})", f"lognormal({loc - apart}, {scale})"
    step = mpmath.mpf(loc) - mpmath.mpf(float(loc - apart))
    truth = mpmath.erf(step / (2 * mpmath.sqrt(2) * mpmath.mpf(scale)))
    holds(divergence("tv", a, b), truth, 1e-9)


def test_mass_of_1e_13_beyond_the_range_is_not_lost():
    # p holds ndtr(−7.34) = 1e-13 beyond; q > p on the negative numbers and between two crossings
    p, q = "lognormal(0, 96.64256109497052)", "truncnormal(0.9925, 1, -38.7, inf)"
    with mpmath.workdps(30):
        scale, at = mpmath.mpf(96.64256109497052), mpmath.mpf(0.9925)

        def excess(x):
            return mpmath.npdf(mpmath.log(x) / scale) / scale / x - mpmath.npdf(x - at)

        low = mpmath.findroot(excess, (0.002, 0.02), solver="anderson")
        high = mpmath.findroot(excess, (3.0, 6.0), solver="anderson")
        q_over = mpmath.ncdf(high - at) - mpmath.ncdf(low - at) + mpmath.ncdf(-at)
        p_over = mpmath.ncdf(mpmath.log(high) / scale) - mpmath.ncdf(mpmath.log(low) / scale)
        truth = q_over - p_over
    holds(divergence("tv", p, q), truth, 1e-12)


@pytest.mark.parametrize(("loc", "scale"), [(0.0, 30.0), (-300.0, 44.0), (-200.0, 37.5)])
def test_w1_counts_where_a_tail_underflows_or_x_overflows(loc, scale):
    answer = divergence("w1", f"lognormal({loc}, {scale})", "normal(0, 1)")
    truth = mean(loc, scale)
    if answer.status is Status.UNDETERMINED:
        assert "binary64" in answer.reason
    else:
        assert abs(answer.value - truth) <= answer.error


@pytest.mark.parametrize("df", [1.001, 1.01, 1.1, 1.5])
def test_w1_counts_a_tail_that_reaches_beyond_the_range(df):
    n = mpmath.mpf(df)
    folded = 2 * mpmath.sqrt(n / mpmath.pi) * mpmath.gammaprod([(n + 1) / 2], [n / 2]) / (n - 1)
    answer = divergence("w1", f"student_t({df})", "laplace(0, 1e-9)")
    assert abs(answer.value - (folded - 1e-9)) <= answer.error
    assert answer.error <= {1.001: math.inf, 1.01: 0.02}.get(df, 1e-9) * answer.value


def test_a_gumbel_law_vanishes_where_x_overflows():
    with np.errstate(over="ignore"):
        at = Points(np.zeros(2), np.array([-1.0, 1.0]), np.exp([800.0, 800.0]), np.full(2, 800.0))
        assert np.isneginf(Gumbel(3.0, 2.0).log_density(at)).all()


@dataclass(frozen=True)
class _Torn(Normal):
    """A normal law whose log-density is nan on part of the line, as by a fault."""

    name: ClassVar[str] = "torn"

    def end_tail(self, end):
        return Normal(self.loc, self.scale).end_tail(end)

    def log_density(self, at):
        return np.where(at.x > 1.5, np.nan, super().log_density(at))


@pytest.mark.parametrize("name", ["kl_pq", "tv", "jsd"])
def test_a_density_that_is_nan_at_a_node_is_refused(name):
    with pytest.raises(GantheoryError, match="log-density is nan at x="):
        divergence(name, _Torn(0.0, 1.0), Normal(1.0, 2.0))


def test_an_integrand_that_is_nan_is_lost_and_not_zero():
    weight = np.array([[0.0, 0.0, -np.inf, np.nan]])
    mantissa = np.array([[1.0, np.nan, np.nan, 1.0]])
    samples = alive(weight, mantissa, np.zeros_like(weight))
    assert samples.lost.tolist() == [[[False, True, False, True]]]


@pytest.mark.parametrize("log_x", [-1000.0, 720.0, 3000.0])
@pytest.mark.parametrize("log_scale", [-300.0, 0.0, 300.0])
def test_an_image_keeps_the_logarithm_of_a_distance_that_overflows(log_x, log_scale):
    with np.errstate(over="ignore"):
        distance = np.exp(np.array([log_x]))
    at = Points(np.array([-14.0]), np.ones(1), distance, np.array([log_x]))
    inner = at.standardised(3.0, math.exp(log_scale), {})
    assert inner.log_distance[0] == pytest.approx(log_x - log_scale)
    if abs(inner.log_distance[0]) < 700 and log_x > 0:
        assert inner.distance[0] == pytest.approx(math.exp(log_x - log_scale), rel=1e-10)
