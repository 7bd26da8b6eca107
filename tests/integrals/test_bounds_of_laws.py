"""What certified mode assumes of a law: bounds that hold, and are no looser than they must be."""

import numpy as np
import pytest
import scipy.integrate
from flint import arb
from scipy import stats

from gantheory.integrals.certified import laws

LAWS = {
    "Normal": stats.norm,
    "Laplace": stats.laplace,
    "Logistic": stats.logistic,
    "Gumbel": stats.gumbel_r,
}
SIDES = (laws.LEFT, laws.RIGHT)


def cases():
    draw = np.random.default_rng(5)
    for name, family in LAWS.items():
        for _ in range(3):
            loc, scale = round(draw.uniform(-2, 2), 3), round(float(np.exp(draw.uniform(-1, 1))), 3)
            law = getattr(laws, f"Analytic{name}")(loc, scale)
            yield pytest.param(law, family(loc, scale), id=f"{name}({loc}, {scale})")


CASES = list(cases())


def falls(frozen, y, side, step=1e-5):
    """−d log p/d|x| at |x| = y, by differences."""
    return (frozen.logpdf(side * (y - step)) - frozen.logpdf(side * (y + step))) / (2 * step)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("law", "frozen"), CASES)
def test_a_tail_falls_at_the_stated_rate_and_hardly_faster(law, frozen, side):
    for y in law.reach * np.array([1.0, 1.5, 3.0]):
        rate = float(law.rate(arb(y), side).mid())
        beyond = [falls(frozen, y * k, side) for k in (1, 1.2, 2.0, 4.0)]
        assert rate <= min(beyond) + 1e-5 * abs(beyond[0])
        assert rate >= 0.7 * beyond[0]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("law", "frozen"), CASES)
def test_the_steepest_fall_bounds_every_fall(law, frozen, side):
    steepest = float(law.steepest(side).mid())
    seen = [falls(frozen, y, side) for y in law.reach * np.linspace(1, 12, 45)]
    assert steepest >= max(seen) - 1e-5
    if np.isfinite(steepest):
        assert steepest <= 1.3 * max(seen)


@pytest.mark.parametrize("power", [0, 1, 2])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("law", "frozen"), CASES)
def test_a_tail_holds_its_moments_and_little_more(law, frozen, side, power):
    y = 3 * law.reach
    bound = float(law.tail(laws.Fraction(power), arb(y), side).mid())
    true, _ = scipy.integrate.quad(
        lambda x: frozen.pdf(side * x) * x**power, y, y + 60, epsabs=0, epsrel=1e-10, limit=300
    )
    assert true * (1 - 1e-9) <= bound
    assert bound <= 3 * true + 1e-290


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("law", "frozen"), CASES)
def test_the_growth_bounds_the_log_density(law, frozen, side):
    growth = law.growth(side)
    if growth is None:
        return
    for y in law.reach * np.array([1.0, 2.0, 10.0, 100.0]):
        bound = sum(float(c.mid()) * y ** float(k) for k, c in growth.items())
        size = abs(float(frozen.logpdf(side * y)))
        assert size <= bound + 1e-9
        assert bound <= 4 * size + 12
