"""Antiderivatives, generators f and values on disjoint supports, against sums and differences."""

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import quad

from gantheory import Loss, derive
from gantheory.deadline import Undecided
from gantheory.exact.algebra import Algebra
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import r
from gantheory.theory.disjoint import integral_of_curvature
from gantheory.theory.primitive import antiderivative

FORMS = [
    "1/(r*(1 + r)**2)", "log(r)/r**2", "log(1 + r)/r**2", "sqrt(r)/(1 + r)**2", "r**(1/3)*log(r)",
    "1/(r**2 + r + 1)", "(1 + log(r))/r**3", "1/(sqrt(r)*(1 + sqrt(r))**3)", "log(r)/(1 + r)**2",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_an_antiderivative_gives_the_integral_that_quadrature_gives(form):
    expr = sp.sympify(form, locals={"r": r})
    whole = antiderivative(expr, r, Algebra({r: 1.37}))
    rng = np.random.default_rng(len(form))
    for low, high in rng.uniform(0.05, 6, size=(3, 2)):
        exact = float(whole.subs(r, high) - whole.subs(r, low))
        numeric, _ = quad(sp.lambdify(r, expr), low, high, epsabs=1e-12)
        assert exact == pytest.approx(numeric, rel=1e-9, abs=1e-10)


def test_what_has_no_textbook_antiderivative_is_undecided():
    with pytest.raises(Undecided, match="no closed form"):
        antiderivative(sp.exp(-r) / r, r, Algebra({r: 1.37}))


def test_integrals_to_infinity_are_finite_exactly_where_they_converge():
    known = Assumptions()
    assert integral_of_curvature(1 / r, sp.Integer(1), sp.oo, known) == sp.oo
    assert integral_of_curvature(-1 / sp.sqrt(r), sp.Integer(2), sp.oo, known) == -sp.oo
    assert integral_of_curvature(r**-1 * (1 + r) ** -1, sp.Integer(1), sp.oo, known) == sp.log(2)


ROOTS = [  # piecewise curvatures, roots of r, logarithms of r: (game, domain)
    (("log(D)", "log(1 - D)", "-log(D)"), "[-1, 2]"),
    (("-relu(1 - t)**2", "-relu(1 + t)**2", "relu(1 - t)**2"), "(-oo, oo)"),
    (("-exp(-t/2)", "-exp(t/3)", "-t**2"), "(-oo, oo)"),
    (("-relu(2 - t)**2", "-t", "t"), "[0, oo)"),
    (("log(t)", "-t", "-sqrt(t)"), "(0, 4]"),
    (("log(1 + t)", "-t", "-t"), "[0, 5]"),
]


@pytest.mark.parametrize(("formulas", "domain"), ROOTS)
def test_generators_have_their_curvature_and_their_sum_on_disjoint_supports(formulas, domain):
    found = derive(Loss("yours", *formulas, domain=domain))
    edges = [float(branch.ratios[1]) for branch in found.optimum.branches[:-1]]
    for name in ("value", "loss", "followed"):
        one = getattr(found, name)
        f = sp.lambdify(r, one.f, [{"relu": lambda u: max(u, 0)}, "mpmath"])
        assert abs(float(f(1.0))) < 1e-12
        for ratio in (0.21, 0.83, 1.7, 6.0):
            if min((abs(ratio - edge) for edge in edges), default=1) > 1e-2:
                k = 1e-3
                second = float(f(ratio + k) - 2 * f(ratio) + f(ratio - k)) / k**2
                at = float(one.curvature.subs(r, ratio))
                assert second == pytest.approx(at, rel=1e-3, abs=1e-6)
        total = getattr(found.disjoint, name)
        if total.is_finite:
            assert float(f(1e-12) + f(1e12) / 1e12) == pytest.approx(
                float(total), rel=1e-4, abs=1e-9
            )


@pytest.mark.parametrize(
    ("real", "fake"),
    [("1/(t - 1)**2", "-t**2"), ("1/abs(t - a)", "-t**4"), ("-t**2", "1/(3 - t)"),
     ("1/(t**2 - 2)", "-abs(t)"), ("-log(abs(t - 1))", "-t**2"), ("1/(exp(t) - 2)**2", "-t")],
)  # fmt: skip
def test_a_pole_inside_of_the_domain_is_said_to_be_one(real, fake):
    found = derive(Loss("yours", real, fake, "-t"))
    assert found.status == "no optimum"
    assert "grows without bound as t -> " in found.no_optimum


def test_no_fields_of_numbers_are_factored_over():
    """SymPy takes minutes over such integrals, whose values balls enclose at once."""
    with pytest.raises(Undecided, match="no closed form"):
        antiderivative(1 / (r**2 + sp.exp(2) * r + sp.exp(1)), r, Algebra({r: 1.3}))
