"""Distribution functions of gamma and beta laws in their far tails, against python-flint's."""

import math
import random

import flint
import mpmath
import numpy as np
import pytest
from flint import arb

from gantheory.densities import Points, density
from gantheory.integrals import divergence
from gantheory.integrals.transport.gaps import CDF_NOISE

EPS = 2.0**-52
BITS = 200  # of working precision: a tail of 1e-60 keeps 30 digits


@pytest.fixture(autouse=True)
def many_bits():
    with flint.ctx.workprec(BITS):
        yield


def true_gamma(law, x, side):
    z = x / arb(law.scale)
    return z.gamma_upper(law.shape, 1) if side > 0 else z.gamma_lower(law.shape, 1)


def true_beta(law, x, side):
    a, b = arb(law.a), arb(law.b)
    return (1 - x).beta_lower(b, a, 1) if side > 0 else x.beta_lower(a, b, 1)


def drawn(kind, rng):
    shape, other = (float(10 ** rng.uniform(-1, 2.7)) for _ in "ab")
    if kind is true_gamma:
        return density("gamma", shape=shape, scale=float(10 ** rng.uniform(-9, 9)))
    return density("beta", a=shape, b=other)


def stated(law, at, truth):
    """What W1 counts as the error of a distribution function (`Gap.at`)."""
    place = EPS * law.blur(at)[0] * math.exp(law.log_density(at)[0])
    return (CDF_NOISE - EPS * math.log(truth)) * truth + min(place, truth)


@pytest.mark.parametrize("kind", [true_gamma, true_beta])
def test_a_distribution_function_is_off_by_no_more_than_is_stated_in_its_tails(kind):
    rng = np.random.default_rng(11)
    deep = 0
    for _ in range(14):
        law = drawn(kind, rng)
        center, width = law.pivot, law.centers[0][1]
        for deviations in (-12, -6, -3, -1, 1, 3, 6, 12, 25):
            y, side = abs(deviations) * width, math.copysign(1, deviations)
            x, (low, high) = arb(center) + side * arb(y), law.support
            if not low < center + side * y < high:
                continue
            one = np.ones(1)
            at = Points(center * one, side * one, y * one, math.log(y) * one)
            ball = kind(law, x, side)
            if not ball.rel_accuracy_bits() > 60 or not (truth := float(ball.mid())) > 1e-250:
                continue
            found = float((law.above if side > 0 else law.below)(at)[0])
            assert abs(found - truth) <= stated(law, at, truth), (law, deviations)
            deep += truth < 1e-8
    assert deep > 4


@pytest.mark.parametrize("shape", [1e6, 1e7, 1e9])
@pytest.mark.parametrize("deviations", [-20, -5.0, 4.5, 20])
def test_far_tails_of_the_largest_shapes_follow_the_recurrence_in_the_shape(shape, deviations):
    """Q(k + 1, x) − Q(k, x) = x^k e^−x/Γ(k + 1), the density of the larger shape at x."""
    x = shape + deviations * math.sqrt(shape)
    laws = [density("gamma", shape=shape), density("gamma", shape=shape + 1)]
    tails = [float(law.sf(x) if deviations > 0 else law.cdf(x)) for law in laws]
    step = math.exp(float(laws[1].logpdf(x)))
    assert abs(tails[1] - tails[0]) == pytest.approx(step, rel=1e-9 + 1e-14 * tails[0] / step)
    # the mean excess beyond x: Mills' ratio of a normal law, but for the skewness of the shape
    mills = tails[0] / math.exp(float(laws[0].logpdf(x))) / math.sqrt(shape)
    z = abs(deviations)
    normal = math.sqrt(math.pi / 2) * math.erfc(z / math.sqrt(2)) * math.exp(z * z / 2)
    assert mills == pytest.approx(normal, rel=40 * z / math.sqrt(shape))


@pytest.mark.parametrize("seed", range(4))
def test_a_restriction_of_a_large_shape_states_what_a_rounded_place_moves(seed):
    draw = random.Random(seed)
    shape, scale = 10 ** draw.uniform(6, 8), draw.uniform(0.3, 3)
    low, high = (scale * (shape + z * shape**0.5) for z in (draw.uniform(-1, 0), 0.4))
    with mpmath.workdps(35):
        k, s = mpmath.mpf(shape), mpmath.mpf(scale)
        c = mpmath.loggamma(k)
        places = mpmath.linspace(low / s, high / s, 5)
        mass = mpmath.quad(lambda y: mpmath.exp((k - 1) * mpmath.log(y) - y - c), places)
        truth = float(-mpmath.log(mass))
    base = f"gamma({shape!r}, {scale!r})"
    found = divergence("kl_pq", f"restrict({base}, {low!r}, {high!r})", base)
    assert abs(found.value - truth) <= found.error < 1e-9
