"""Every route takes parameters as the binary64 numbers that are stored, and agrees with the others.

The texts are decimals that binary64 cannot hold; weights add up to 1 as typed, and not as stored.
"""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from mpmath import mpf

from gantheory import divergence
from gantheory.densities import density
from gantheory.errors import GantheoryError


def decimals(rng, near):
    """A pair of normals in decimals; ``near``: they differ in their last digits alone."""
    loc, scale = round(rng.uniform(-3, 3), 1), round(rng.uniform(0.3, 3), 1)
    if near:
        moved = round(loc + 10.0 ** -int(rng.integers(4, 12)), 12)
        return (loc, scale), (moved, scale)
    return (loc, scale), (round(rng.uniform(-3, 3), 1), round(rng.uniform(0.3, 3), 1))


def kl(p, q):
    (m, s), (n, t) = (tuple(map(mpf, law)) for law in (p, q))
    return mp.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - mpf(1) / 2


@pytest.mark.parametrize("seed", range(6))
def test_quadrature_closed_form_and_certified_give_the_value_of_the_stored_numbers(seed):
    p, q = decimals(np.random.default_rng(seed), near=seed % 2)
    texts = [f"normal({loc!r}, {scale!r})" for loc, scale in (p, q)]
    with mp.workdps(60):
        truth = kl(p, q)
        for method in ("quadrature", "closed form", "certified"):
            found = divergence("kl_pq", *texts, method=method)
            assert abs(mpf(found.value) - truth) <= found.error, method
            if method == "certified":  # which no rounding of parameters excuses
                assert found.error <= 1e-15 * found.value


@pytest.mark.parametrize("seed", range(3))
def test_weights_that_add_up_as_typed_are_divided_by_what_they_add_up_to(seed):
    rng = np.random.default_rng(seed)
    tenths = rng.multinomial(7, [1 / 3] * 3) + 1
    stored = [Fraction(float(f"0.{k}")) for k in tenths]
    shares = [w / sum(stored) for w in stored]
    mixed = " + ".join(f"0.{k}*normal({2.7 * j!r}, 0.3)" for j, k in enumerate(tenths))
    means = [Fraction(2.7 * j) for j in range(3)]
    with mp.workdps(60):
        # far to the right of all, W1 is the difference of the means
        away = divergence("w1", f"mixture({mixed})", "normal(99.9, 0.3)")
        truth = Fraction(99.9) - sum(w * m for w, m in zip(shares, means, strict=True))
        assert abs(Fraction(away.value) - truth) <= away.error <= 1e-12 * away.value
        masses = [f"discrete([{', '.join(f'0.{k}' for k in r)}])" for r in (tenths, tenths[::-1])]
        discrete = [divergence("tv", text, "discrete([0.3, 0.3, 0.4])") for text in masses]
        other = [Fraction(x) for x in (0.3, 0.3, 0.4)]
        for found, row in zip(discrete, (shares, shares[::-1]), strict=True):
            apart = (abs(a - b / sum(other)) for a, b in zip(row, other, strict=True))
            assert abs(Fraction(found.value) - sum(apart) / 2) <= found.error
    routes = [divergence("jsd", f"mixture({mixed})", "normal(0.1, 2.2)", method=method)
              for method in ("quadrature", "certified")]  # fmt: skip
    assert abs(routes[0].value - routes[1].value) <= routes[0].error + routes[1].error


@pytest.mark.parametrize("family", ["laplace", "logistic", "gumbel", "cauchy"])
def test_routes_agree_on_decimals_within_their_stated_errors(family):
    rng = np.random.default_rng(5)
    name, df = ("student_t", "1, ") if family == "cauchy" else (family, "")
    for _ in range(1):
        p, q = decimals(rng, near=False)
        texts = [f"{name}({df}{loc!r}, {scale!r})" for loc, scale in (p, q)]
        found = []
        for method in ("quadrature", "closed form", "certified"):
            try:
                found.append(divergence("kl_pq", *texts, method=method))
            except GantheoryError:  # not every family has every route
                continue
        assert len(found) >= 2
        for other in found[1:]:
            assert abs(found[0].value - other.value) <= found[0].error + other.error
    assert density(texts[0]).loc == p[0]
