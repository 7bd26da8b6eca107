"""Random terms inside a loss, against quadrature of textbook densities."""

import pytest
import scipy.integrate
import sympy as sp
from scipy import stats

from gantheory.dynamics.noise import Noise

z = sp.Symbol("z", real=True)
LAWS = {"normal": lambda s: stats.norm(0, s), "uniform": lambda s: stats.uniform(-s, 2 * s)}
CASES = [(law, scale) for law in LAWS for scale in (0.5, 3.0)]


@pytest.mark.parametrize(("law", "scale"), CASES)
def test_moments_are_those_of_the_law(law, scale):
    noise, frozen = Noise(law, sp.Rational(scale)), LAWS[law](scale)
    for order in range(7):
        assert float(noise.moment(order)) == pytest.approx(
            frozen.moment(order), rel=1e-10, abs=1e-12
        )


@pytest.mark.parametrize(("law", "scale"), CASES)
def test_a_mean_is_exact_for_polynomials_and_else_the_integral(law, scale):
    noise, frozen = Noise(law, sp.Rational(scale)), LAWS[law](scale)
    polynomial = 2 - z + 3 * z**2 + z**5 - z**4 / 7
    for expression in (polynomial, sp.exp(-(z**2)), sp.cos(z), sp.Integer(4)):
        found = noise.mean(expression, z)
        low, high = (-40, 40) if law == "normal" else (-scale, scale)
        value = sp.lambdify(z, expression, "math")
        true, _ = scipy.integrate.quad(
            lambda x, f=value: f(x) * frozen.pdf(x), low, high, points=[0.0], limit=400
        )
        assert float(found.evalf()) == pytest.approx(true, rel=1e-8)
