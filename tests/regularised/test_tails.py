"""Penalised discriminators of heavy tails: infinite integrals, and what finite ones leave out."""

import itertools

import numpy as np
import pytest
import scipy.integrate

import gantheory as gt

LINEAR = gt.Loss("linear", "t", "-t", "-t")  # V − penalty is half of ∫(F_p − F_q)²/w


@pytest.mark.parametrize(
    ("p", "q", "regulariser", "says"),
    [
        ("cauchy(0, 1)", "cauchy(0, 2)", "r1(1)", "tails are too heavy"),  # it tends to a constant
        ("student_t(1.5, 0, 1)", "student_t(1.5, 0, 1.1)", "both(1)", "tails are too heavy"),
        ("uniform(0, 1)", "uniform(2, 3)", "r1(1)", "grows without bound"),
        ("normal(0, 1)", "cauchy(0, 2)", "r1(1)", "grows without bound"),
    ],
)
def test_an_integral_that_tails_make_infinite_is_no_number(p, q, regulariser, says):
    found = gt.optimal_discriminator(LINEAR, p, q, regulariser=regulariser)
    assert says in found.value.reason
    assert says in found.gradient().reason


@pytest.mark.parametrize(
    ("p", "q", "regulariser"),
    [
        ("cauchy(0, 1)", "cauchy(1, 1)", "r1(1)"),  # it falls as 1/x^2
        ("student_t(3, 0, 1)", "student_t(3, 0, 1.5)", "both(1)"),
        ("student_t(4, 1, 1)", "laplace(0, 2)", "both(1)"),
    ],
)
def test_heavy_tails_with_a_finite_integral_are_numbers(p, q, regulariser):
    one, other = gt.density(p), gt.density(q)

    def half(y):  # x = sinh(y), and both tails together
        total = 0
        for x in (np.sinh(y), -np.sinh(y)):
            tails = (one.cdf(x), other.cdf(x)) if x < 0 else (one.sf(x), other.sf(x))
            weight = one.pdf(x) + (other.pdf(x) if "both" in regulariser else 0)
            total += 0.5 * (tails[0] - tails[1]) ** 2 / weight
        return total * np.cosh(y)

    truth = sum(
        scipy.integrate.quad(half, a, b, epsabs=1e-13, limit=200)[0]
        for a, b in itertools.pairwise([0, 1, 2, 3, 5, 8, 12, 16, 22, 28])
    )
    found = gt.optimal_discriminator(LINEAR, p, q, regulariser=regulariser).objective
    assert abs(found.value - truth) <= found.error + 1e-9
    assert found.error < 1e-5
