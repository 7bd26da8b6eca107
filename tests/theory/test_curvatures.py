"""Curvatures built by hand: what is known of them, and the generator that they come from."""

import random
from fractions import Fraction

import pytest
import sympy as sp

from gantheory.exact.assumptions import Assumptions
from gantheory.exact.signs.half_line import SignResult
from gantheory.functions import r, relu
from gantheory.records import How
from gantheory.theory import consequences
from gantheory.theory.consequences import judge_convexity
from gantheory.theory.curvature import Curve
from gantheory.theory.generator import f_from_curvature

WHOLE = (sp.Integer(0), sp.oo)
CERTAIN = {
    How.PROVED: [1 / r, (r - 2) ** 2 / (1 + r), sp.Integer(0)],
    How.CERTIFIED: [r * sp.log(r) - r + 1, sp.log(1 + r) - r / (1 + r), sp.log(r) / (r - 1)],
    How.REFUTED: [-1 / r, sp.log(r), sp.sqrt(r) - r],
}


@pytest.mark.parametrize(
    ("how", "curvature"), [(how, one) for how, many in CERTAIN.items() for one in many], ids=str
)
def test_a_curvature_is_known_as_its_sign_is_known_and_no_better(how, curvature):
    found = judge_convexity(Curve(((WHOLE, sp.sympify(curvature)),)), Assumptions())
    assert found.how is how
    assert found.is_divergence is (how is not How.REFUTED)
    if how is How.REFUTED:
        assert float(curvature.subs(r, found.counterexample)) < 0


@pytest.mark.parametrize("mass", [-1, 1])
def test_a_point_mass_counts_with_its_sign(mass):
    found = judge_convexity(
        Curve(((WHOLE, 1 / r),), ((sp.Integer(2), sp.Integer(mass)),)), Assumptions()
    )
    assert found.is_divergence is (mass > 0)


def test_the_weakest_cell_decides_how_a_curvature_is_known():
    one = sp.Integer(1)
    cells = (((sp.Integer(0), one), 1 / r), ((one, sp.oo), r * sp.log(r) - r + 1))
    assert judge_convexity(Curve(cells), Assumptions()).how is How.CERTIFIED


SMOOTH = [1 / r, 1 / r**2, 1 / (1 + r) ** 2, sp.sqrt(r), 1 / (r * (1 + r)), 2 / r**3]


@pytest.mark.parametrize("seed", range(12))
def test_a_generator_bends_as_its_curvature_says(seed):
    """f(b) − f(a) − f'(a)(b − a) = ∫ (b − s) f''(s) ds: point masses are hinges of their weight."""
    draw = random.Random(seed)
    smooth = sp.Integer(draw.randint(0, 3)) * draw.choice(SMOOTH)
    places = draw.sample([Fraction(1, 3), Fraction(1), Fraction(7, 4), Fraction(3)], 2)
    atoms = tuple(
        (sp.Rational(place), sp.Rational(draw.randint(1, 9), draw.randint(1, 5)))
        for place in places
    )
    f = f_from_curvature(smooth, atoms)
    value = sp.lambdify(r, f.replace(relu, lambda x: sp.Max(x, 0)), "mpmath")
    density = sp.lambdify(r, smooth, "mpmath")
    import mpmath

    assert value(mpmath.mpf(1)) == pytest.approx(0, abs=1e-14)
    for low, high in [(0.2, 5.0), (0.25, 0.9), (1.2, 2.5), (2.0, 4.0)]:
        step = 1e-6
        slope = (value(low + step) - value(low - step)) / (2 * step)
        bend = float(mpmath.quad(lambda s, end=high: (end - s) * density(s), [low, high]))
        hinges = sum(float(m) * (high - float(x)) for x, m in atoms if low < x < high)
        found = float(value(high) - value(low) - slope * (high - low))
        assert found == pytest.approx(bend + hinges, rel=1e-7, abs=1e-7)


def test_a_sign_that_is_not_known_refutes_no_divergence(monkeypatch):
    """As where algebra and balls both end without an answer: undecided, with their reason."""
    open_sign = SignResult("undecided", How.UNDECIDED, reason="no interval was small enough")
    monkeypatch.setattr(consequences, "sign_on_positive", lambda expr, symbol: open_sign)
    found = consequences._from_signs(r - 1, r, (sp.S.Zero, sp.oo), Assumptions.of({}))
    assert found.how is How.UNDECIDED
    assert found.reason == "no interval was small enough"
