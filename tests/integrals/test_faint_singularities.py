"""A weak singularity that is faint beside a smooth ground, as where two laws with a kink are near.

QUADPACK's power 3/2 of the difference of two rules takes all of it to converge as fast as the
ground does. The truth is known without an oracle: two numbers whose sum is 1 or log 2, the small
one of which has its own integrand and keeps all its digits.
"""

import math

import numpy as np
import pytest

import gantheory as gt
from gantheory.integrals.line.quadrature import FROM_LOW, KRONROD, rule_error

X = FROM_LOW / 2
ADDS_UP = (("bc", "hellinger2", 1.0), ("jsd_gap", "jsd", math.log(2)), ("tv_gap", "tv", 1.0))
OF_LAPLACE = "generalised_normal(0, 1, 1)", "generalised_normal(0, 1, 1.0000006939955168)"
INNER = (
    "mixture(0.9999999969212883*normal(0, 1) + 3.0787116818885907e-09*beta({}, 1.1008910900894))"
)
OF_MIXTURES = INNER.format(0.33464395253204826), INNER.format(0.336038131493892)


def near_pairs(count: int) -> list[tuple[str, str]]:
    """Draw near-equal laws with a kink or a weak singularity, half of them faint parts."""
    draw = np.random.default_rng(31)
    pairs = []
    for k in range(count):
        a, apart = draw.uniform(0.3, 1.9), 1 + 10 ** draw.uniform(-8, -4)
        family = draw.choice(["generalised_normal(0, 1, {!r})", "gamma({!r}, 1)", "beta({!r}, 2)"])
        p, q = (family.format(float(shape)) for shape in (a, a * apart))
        if k % 2:
            w = float(10 ** draw.uniform(-9, -5))
            p, q = (f"mixture({1 - w!r}*normal(0, 1) + {w!r}*{law})" for law in (p, q))
        pairs.append((p, q))
    return pairs


@pytest.mark.parametrize(("p", "q"), [OF_LAPLACE, OF_MIXTURES, *near_pairs(4)])
def test_what_adds_up_to_a_constant_does_so_within_the_stated_errors(p: str, q: str) -> None:
    first, second = gt.density(p), gt.density(q)
    for great, small, whole in ADDS_UP:
        large, little = gt.divergence(great, first, second), gt.divergence(small, first, second)
        off = abs(math.fsum([large.value, little.value, -whole]))
        assert off <= large.error + little.error + 2e-16, (great, off, large, little)
        assert large.error < 1e-13


def faint(power: float, log: bool, share: float) -> tuple[np.ndarray, float]:
    """Return e^−x + share·x^power·(log x) at the nodes on [0, 1], and its integral."""
    added = X**power * (np.log(X) if log else 1.0)
    whole = -1 / (power + 1) ** 2 if log else 1 / (power + 1)
    return np.exp(-X) + share * added, -math.expm1(-1) + share * whole


def test_the_error_of_a_rule_holds_a_faint_singularity_and_is_not_raised_on_smooth_ground() -> None:
    draw = np.random.default_rng(7)
    for _ in range(300):
        log, share = bool(draw.random() < 0.5), 10 ** draw.uniform(-9, 0)
        f, whole = faint(draw.uniform(0.1, 2.9) if not log else draw.uniform(0.5, 2), log, share)
        value = f @ KRONROD / 2
        error = rule_error(f[None], (f @ KRONROD)[None])[0] / 2
        assert abs(value - whole) <= error + 1e-15
        assert error <= 1e5 * abs(value - whole) + 1e-6 * share + 1e-14
    smooth = np.exp(-X)
    assert rule_error(smooth[None], (smooth @ KRONROD)[None])[0] < 1e-15
