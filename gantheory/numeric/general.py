r"""Kernels of any f-divergence: from its named terms, or tabulated from its curvature f''.

The curvature is all there is to a divergence: with A(u) = ∫₀ᵘ e^w f''(e^w) dw and
B(u) = ∫₀ᵘ e^{2w} f''(e^w) dw, f̃' = A, G = f̃ − r f̃' = −B, and
f̃(e^u) = ∫₀ᵘ (e^u − e^w) e^w f''(e^w) dw, an integral without cancellation for f'' >= 0. The
curvature is evaluated in 30 digits on panels of u; beyond them its asymptotic form continues it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from gantheory.densities.base import Array
from gantheory.divergences import FDivergence
from gantheory.errors import GantheoryError
from gantheory.numeric.combined import combination, total
from gantheory.numeric.kernels import Growth, Integrand, Kernel, Scaled
from gantheory.numeric.names import kernel_of
from gantheory.numeric.ratio import Ratio
from gantheory.symbolic.atoms import r
from gantheory.symbolic.generator import curvature as curvature_of
from gantheory.symbolic.limits import Undecided

NODES = 22  # Chebyshev nodes a panel of width 1: exp(4w) is resolved to 1e-17
REACH = 120  # panels cover abs(u) <= 120; what settles more slowly than exp(-u/4) is refused
DIGITS = 30


def kernel_of_formula(what: Any) -> Kernel:
    """Return the kernel of an `FDivergence`, or of anything with ``curvature`` and ``atoms``.

    Raises:
        GantheoryError: where the formula has free parameters, or settles too slowly.
    """
    if isinstance(what, FDivergence):
        return _of_divergence(what)
    if not hasattr(what, "curvature"):
        raise GantheoryError(
            f"{str(what)[:60]!r} is no divergence; give a name, an FDivergence or a curvature"
        )
    expr, atoms = what.curvature, tuple(getattr(what, "atoms", ()))
    terms = getattr(what, "terms", None) or {}
    involved = sp.Tuple(expr, *(sp.Tuple(*atom) for atom in atoms), *terms.values())
    if free := involved.free_symbols - {r}:
        raise GantheoryError(
            f"the curvature {expr} has free parameters ({', '.join(sorted(map(str, free)))}); "
            "put numbers into the game's formulas"
        )
    if "jump" in getattr(what, "reason", ""):
        raise GantheoryError(f"this is no f-divergence and has no curvature: {what.reason}")
    if terms:
        return _of_terms(tuple((name, float(c)) for name, c in terms.items()))
    return tabulated(expr, atoms)


def _of_divergence(what: FDivergence) -> Kernel:
    try:
        known = kernel_of(what.name)
    except GantheoryError:
        return _from_generator(what)
    from gantheory.divergences import named

    return known if named(what.name).f == what.f else _from_generator(what)


def _from_generator(what: FDivergence) -> Kernel:
    try:
        return tabulated(*curvature_of(what), name=what.name)
    except Undecided as undecided:
        raise GantheoryError(f"the curvature of {what.name!r} is undecided: {undecided}") from None


@cache
def _of_terms(terms: tuple[tuple[str, float], ...]) -> Kernel:
    if len(terms) == 1 and terms[0][1] == 1:
        return kernel_of(terms[0][0])
    name = " + ".join(f"{c:.17g}*{key}" for key, c in terms)
    return combination(name, dict(terms))


@cache
def tabulated(
    expr: sp.Expr, atoms: tuple[tuple[sp.Expr, sp.Expr], ...] = (), name: str = ""
) -> Kernel:
    """Return the kernel of the divergence with curvature ``expr`` (in r) and point masses.

    >>> from gantheory.symbolic.atoms import r
    >>> tabulated(1/(2*r*(1 + r))).at_infinity.power
    Fraction(1, 1)
    """
    name = name or f"curvature {expr}"
    table = _Table.of(expr)
    parts, weights = [table], [1.0]
    points = [(float(sp.log(place)), float(mass)) for place, mass in atoms]
    kinks = [_Kink(level) for level, _ in points]
    masses = [mass for _, mass in points]
    values = [p.value for p in parts] + [k.value for k in kinks]
    slopes = [p.slope for p in parts] + [k.slope for k in kinks]
    return Kernel(
        name,
        total(values, weights + masses),
        (total(slopes, weights + masses),),
        f"reverse of {name}",
        table.at_zero,
        table.at_infinity,
        tuple(level for level, _ in points),
        exchanged=lambda: _reversed(expr, atoms, name),
    )


def _reversed(expr: sp.Expr, atoms: Any, name: str) -> Kernel:
    """Return the kernel of r·f(1/r), whose curvature is f''(1/r)/r³."""
    other = sp.simplify(expr.subs(r, 1 / r) / r**3)
    return tabulated(other, tuple((1 / a, m / a) for a, m in atoms), name=f"reverse of {name}")


@dataclass(frozen=True)
class _Kink:
    """A point mass of curvature at r = e^level: f̃ = max(0, ±(r − e^level)) away from r = 1."""

    level: float

    def value(self, n: Ratio) -> Scaled:
        far = np.abs(n.u - self.level)
        beyond = n.u > self.level if self.level >= 0 else n.u < self.level
        weight = np.where(n.u > self.level, n.log_p, n.log_q + self.level)
        mantissa = np.where(beyond, -np.expm1(-far), 0.0)
        if self.level == 0:  # half of the hockey stick on either side: (r − 1)⁺ up to (r − 1)/2
            return n.log_top, -np.expm1(-n.v) / 2
        return weight, mantissa

    def slope(self, n: Ratio) -> Scaled:
        if self.level == 0:
            return n.log_q, -np.sign(n.u) / 2
        beyond = n.u > self.level if self.level > 0 else n.u < self.level
        sign = -1.0 if self.level > 0 else 1.0
        return n.log_q + self.level, np.where(beyond, sign, 0.0)


@dataclass(frozen=True)
class _Side:
    """A table on one side of u = 0: functions of v = abs(u), as panels and a continuation.

    ``value`` is exp(−power·v)·f̃ and ``slope`` exp(−steep·v)·G, each divided by its order of
    vanishing at v = 0 (v² and v).
    """

    power: float
    steep: float
    value: Array  # Chebyshev coefficients, of shape (NODES, panels)
    slope: Array
    value_beyond: Array  # polynomials in v for v > REACH
    slope_beyond: Array

    def value_at(self, v: Array) -> Array:
        """Return exp(−power·v)·f̃."""
        return _evaluate(self.value, self.value_beyond, v, 2)

    def slope_at(self, v: Array) -> Array:
        """Return exp(−steep·v)·G."""
        return _evaluate(self.slope, self.slope_beyond, v, 1)


def _evaluate(table: Array, beyond: Array, v: Array, order: int) -> Array:
    v = np.where(np.isfinite(v), v, 1e300)
    inside = np.minimum(v, REACH)
    panel = np.minimum(inside.astype(int), REACH - 1)
    x = 2 * (inside - panel) - 1
    # Clenshaw's recurrence with each point's own coefficients
    b1, b2 = np.zeros_like(x), np.zeros_like(x)
    for coefficients in table[:0:-1]:
        b1, b2 = coefficients[panel] + 2 * x * b1 - b2, b1
    near = (table[0][panel] + x * b1 - b2) * inside**order
    return np.where(v <= REACH, near, np.polynomial.polynomial.polyval(v, beyond))


@dataclass(frozen=True)
class _Table:
    """f̃ and G of one smooth curvature, on both sides of u = 0."""

    above: _Side
    below: _Side
    at_zero: Growth
    at_infinity: Growth

    @classmethod
    def of(cls, expr: sp.Expr) -> _Table:
        """Tabulate a curvature."""
        if expr == 0:
            flat = _Side(1, 1, *(np.zeros((NODES, REACH)),) * 2, np.zeros(1), np.zeros(1))
            below = _Side(0, 0, flat.value, flat.slope, np.zeros(1), np.zeros(1))
            return cls(flat, below, Growth(Fraction(0)), Growth(Fraction(1)))
        function = sp.lambdify(r, expr, "mpmath")
        high, low = _order(function, +1), _order(function, -1)
        at_infinity, at_zero = _growth_at_infinity(*high), _growth_at_zero(*low)
        powers = float(at_infinity.power), float(at_zero.power)
        # G grows like r² f'' at infinity, and like f at 0
        steep = max(float(high[0]) + 2, 0.0), min(float(low[0]) + 2, 0.0)
        above = _side(function, +1, powers[0], steep[0], expr)
        below = _side(function, -1, -powers[1], -steep[1], expr)
        return cls(above, below, at_zero, at_infinity)

    def value(self, n: Ratio) -> Scaled:
        """Return q f̃(p/q)."""
        high, low = self.above, self.below
        weight = np.where(n.positive, _weight(n, high.power), _weight(n, -low.power))
        return weight, np.where(n.positive, high.value_at(n.v), low.value_at(n.v))

    def slope(self, n: Ratio) -> Scaled:
        """Return q G(u)."""
        high, low = self.above, self.below
        weight = np.where(n.positive, _weight(n, high.steep), _weight(n, -low.steep))
        return weight, np.where(n.positive, high.slope_at(n.v), low.slope_at(n.v))


def _weight(n: Ratio, power: float) -> Array:
    if power == 0:
        return n.log_q
    return n.log_p if power == 1 else n.log_power(power)


def _order(function: Any, side: int) -> tuple[Fraction, int]:
    """Return (power, logs) of f'' ~ C·r^power·abs(log r)^logs at infinity (+1) or at zero (−1)."""
    far = mpmath.mpf(10) ** 6
    with mpmath.workdps(60):
        logs = [mpmath.log(abs(function(mpmath.exp(side * far * k)))) for k in (1, 2, 4)]
        # log f'' = power·w + logs·log w + constant, solved from three points
        first, second = logs[1] - logs[0], logs[2] - logs[1]
        count = (2 * first - second) / mpmath.log(2)
        power = side * (first - count * mpmath.log(2)) / far
        rational = Fraction(str(mpmath.nstr(power, 25))).limit_denominator(1000)
    if abs(float(rational) - float(power)) > 1e-4 or abs(count - round(count)) > 1e-3:
        raise GantheoryError(
            "the curvature does not grow like a power with logarithms toward "
            f"{'infinity' if side > 0 else 'zero'}; its integrals cannot be decided"
        )
    return rational, round(count)


def _growth_at_infinity(power: Fraction, logs: int) -> Growth:
    if power > -1:
        return Growth(power + 2, logs)
    return Growth(Fraction(1), logs + 1 if power == -1 and logs >= 0 else 0)


def _growth_at_zero(power: Fraction, logs: int) -> Growth:
    if power < -2:
        return Growth(power + 2, logs)
    return Growth(Fraction(0), logs + 1 if power == -2 and logs >= 0 else 0)


def _side(function: Any, side: int, power: float, steep: float, expr: sp.Expr) -> _Side:
    """Integrate the curvature outward from u = 0, panel by panel of width 1."""
    x = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)[::-1]
    w = 0.5 * (1 + x)
    matrices = _matrices(w, side)
    values, slopes = np.empty((NODES, REACH)), np.empty((NODES, REACH))
    f = a = b = 0.0  # f̃, A = f̃' and B = −G at the panel's start, up to e^{side·start}
    for k in range(REACH):
        with mpmath.workdps(DIGITS):
            c = np.array([float(function(mpmath.exp(side * (k + float(t))))) for t in w])
        start = np.exp(side * float(k))
        grown = start * np.exp(side * w)
        whole = (grown - start) * a + (matrices.value @ c) * start**2 + f
        values[:, k] = whole[:-1] if len(whole) > NODES else whole
        slopes[:, k] = -(b + (matrices.second @ c) * start**2)
        end = start * np.exp(side * 1.0)
        f += (end - start) * a + float(matrices.value_end @ c) * start**2
        a += float(matrices.first_end @ c) * start
        b += float(matrices.second_end @ c) * start**2
    v = np.arange(REACH)[None, :] + w[:, None]
    value, slope = values * np.exp(-power * v), slopes * np.exp(-steep * v)
    beyond = _continued(v, value, expr), _continued(v, slope, expr)
    fit = np.linalg.inv(np.polynomial.chebyshev.chebvander(x, NODES - 1))
    return _Side(power, steep, fit @ (value / v**2), fit @ (slope / v), *beyond)


@dataclass(frozen=True)
class _Matrices:
    """Maps from the curvature at a panel's nodes to its integrals up to each node and the end."""

    value: Array
    second: Array
    value_end: Array
    first_end: Array
    second_end: Array


def _matrices(w: Array, side: int) -> _Matrices:
    nodes, weights = np.polynomial.legendre.leggauss(30)
    ends = np.append(w, 1.0)
    t = ends[:, None] * (1 + nodes) / 2  # Gauss points on [0, end] for every end
    dt = ends[:, None] * weights / 2 * side
    at = np.exp(side * t)
    chebyshev = np.polynomial.chebyshev
    fit = np.linalg.inv(chebyshev.chebvander(2 * w - 1, NODES - 1))
    interpolate = chebyshev.chebvander(2 * t - 1, NODES - 1) @ fit
    gap = np.exp(side * ends)[:, None] - at
    value = np.einsum("et,etn->en", dt * gap * at, interpolate)
    first = np.einsum("et,etn->en", dt * at, interpolate)
    second = np.einsum("et,etn->en", dt * at * at, interpolate)
    return _Matrices(value[:-1], second[:-1], value[-1], first[-1], second[-1])


def _continued(v: Array, scaled: Array, expr: sp.Expr) -> Array:
    """Return the polynomial in v that a scaled function has become at the end of its table."""
    far = v > REACH - 12
    x, y = v[far], scaled[far]
    size = np.max(np.abs(y))
    if size == 0:
        return np.zeros(1)
    for degree in range(4):
        fitted = np.polynomial.Polynomial.fit(x, y, degree)
        if np.max(np.abs(fitted(x) - y)) <= 1e-13 * size:
            return np.asarray(fitted.convert().coef)
    raise GantheoryError(f"the divergence with curvature {expr} settles too slowly to be tabulated")


__all__ = ["Integrand", "kernel_of_formula", "tabulated"]
