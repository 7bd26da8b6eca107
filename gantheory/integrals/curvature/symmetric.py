r"""How a curvature bends: κ(u) = r^{3/2} f''(r) at r = e^u, to full accuracy for every u.

In κ a divergence and its reverse mirror each other (f''(1/r)/r³ belongs to κ(−u)), and
q f̃(p/q) = √(pq)·∫₀ᵘ 2 sinh((u − w)/2) κ(w) dw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from gantheory.densities.base import Array
from gantheory.errors import GantheoryError
from gantheory.functions import r
from gantheory.implicit.atscore import AtScore, in_mpmath

DIGITS = 20  # asked of each value of κ
MOST = 700  # digits worked in at most
# Where the growth is read off: corrections of exp(-1e-10·u) are gone at the first, and the second
# is for what underflows to 0 at the first in any number of digits, such as log(1 + 1/r).
FAR = (mpmath.mpf(10) ** 12, mpmath.mpf(100))
FAR_DIGITS = 100
UNDERFLOWS = 1000.0  # beyond this v an exact 0 is no answer
MOST_LOGS = 3
STEEPEST = 200  # log κ changes by at most this for each unit of u
LAST = 10.0**7  # tables reach so far at most
CONVERGED = 1e-17  # relative
NONE = Fraction(-3, 2)  # the rate of a curvature that is 0 far out; any does


class _Lost(GantheoryError):
    """No number of digits settles the curvature at some place."""


@dataclass(frozen=True)
class SymmetricCurvature:
    """κ as a function of v = abs(u) on one ``side`` (+1: p > q), with the curvature it is made of.

    Attributes:
        text: the curvature, for messages.
        function: the curvature f'' for mpmath's numbers.
        side: +1 or −1.
        breaks: the v at which the curvature has another formula.
        vanishes: whether the curvature has a piece that is 0.
    """

    text: str
    function: Any
    side: int
    breaks: tuple[float, ...] = ()
    vanishes: bool = False

    @classmethod
    def both(cls, expr: sp.Expr) -> tuple[SymmetricCurvature, SymmetricCurvature]:
        """Return κ above and below u = 0."""
        implicit = expr.has(AtScore)
        function = in_mpmath(expr, r) if implicit else sp.lambdify(r, expr, "mpmath")
        levels = [float(sp.log(place).evalf(30)) for place in breaks(expr)]
        above = tuple(sorted(u for u in levels if u > 0))
        below = tuple(sorted(-u for u in levels if u < 0))
        pieces = [part for piece in expr.atoms(sp.Piecewise) for part, _ in piece.args]
        zero = any(part == 0 for part in (expr, *pieces))
        return (
            cls(str(expr), function, +1, above, zero),
            cls(str(expr), function, -1, below, zero),
        )

    def at(self, v: Any, digits: int = DIGITS) -> mpmath.mpf:
        """Return κ at v: worked out twice with more and more digits, until both agree."""
        work = digits + 10
        before = self._worked(v, work)
        while work < MOST:
            work = work * 3 // 2
            now = self._worked(v, work)
            if now and abs(now - before) <= abs(now) * mpmath.mpf(10) ** -digits:
                return now
            if now == before == 0 and self.vanishes:
                return now
            before = now
        if before == 0 and v < UNDERFLOWS:
            return before
        raise _Lost(str(self.refused(f"is lost at log r = {self.side * float(v):.6g}")))

    def _worked(self, v: Any, digits: int) -> mpmath.mpf:
        with mpmath.workdps(digits):
            u = self.side * mpmath.mpf(v)
            try:
                value = self.function(mpmath.exp(u)) * mpmath.exp(1.5 * u)
            except (ArithmeticError, ValueError):
                return mpmath.nan  # agrees with nothing: more digits are tried
            return value if mpmath.isfinite(value) and not mpmath.im(value) else mpmath.nan

    def scaled(self, v: Array, rate: Fraction) -> Array:
        """Return κ·exp(−rate·v) at many v."""
        with mpmath.workdps(DIGITS + 10):
            exact = mpmath.mpf(rate.numerator) / rate.denominator
            return np.array([float(mpmath.exp(-exact * x) * self.at(x)) for x in v.tolist()])

    def far(self) -> Far:
        """Return what κ grows like as v → ∞.

        Raises:
            GantheoryError: where it is no power of r with logarithms.
        """
        self._check_steepness()
        with mpmath.workdps(FAR_DIGITS):
            try:
                return self._far(FAR[0])
            except _Lost:
                return self._far(FAR[1])

    def _far(self, unit: mpmath.mpf) -> Far:
        places = [unit * k for k in (1, 2, 4, 8)]
        values = [self.at(v, FAR_DIGITS // 2) for v in places]
        if not any(values):
            return Far(NONE, (0.0,), self._settled(NONE, [mpmath.mpf(0)], places[-1]))
        if not all(values):
            raise self.refused("does not grow like a power with logarithms")
        logs = [mpmath.log(abs(value)) for value in values]
        first, second = logs[1] - logs[0], logs[2] - logs[1]
        count = (2 * first - second) / mpmath.log(2)  # of logarithms
        if abs(count - round(count)) > 1e-6 or not 0 <= round(count) <= MOST_LOGS:
            raise self.refused("does not grow like a power with logarithms")
        rate = simple_fraction((first - round(count) * mpmath.log(2)) / unit)
        polynomial = _through(places, values, rate, round(count))
        start = self._settled(rate, polynomial, places[-1])
        return Far(rate, tuple(map(float, polynomial)), start)

    def _check_steepness(self) -> None:
        for v in (20.0, 100.0):
            near, far = self.at(v), self.at(v + 1)
            if near and far and abs(mpmath.log(abs(far / near))) > STEEPEST:
                raise self.refused("grows or falls faster than any power of r")

    def _settled(self, rate: Fraction, polynomial: Sequence[Any], last: Any) -> float:
        """Return a v beyond which κ is its asymptotic form to within rounding."""
        end = float(last)
        while end > 1.0 and all(self._is_far(end * k, rate, polynomial) for k in (0.5, 0.69, 0.83)):
            end /= 2
        end = max(end, *(2 * place for place in self.breaks)) if self.breaks else end
        if end > LAST:
            raise self.refused(
                "settles too slowly to be tabulated: it is still off its asymptotic form at "
                f"log r = {self.side * end:.0e}"
            )
        return end

    def _is_far(self, v: float, rate: Fraction, polynomial: Sequence[mpmath.mpf]) -> bool:
        value = self.at(v)
        with mpmath.workdps(2 * DIGITS):
            model = mpmath.polyval(list(polynomial)[::-1], mpmath.mpf(v))
            model *= mpmath.exp(mpmath.mpf(rate.numerator) / rate.denominator * v)
            return bool(abs(value - model) <= CONVERGED * abs(model))

    def refused(self, why: str) -> GantheoryError:
        """Return the refusal of this curvature."""
        where = "infinity" if self.side > 0 else "zero"
        return GantheoryError(
            f"the curvature {self.text[:80]} {why} (toward r = {where}), so its integrals cannot "
            "be decided; give a simpler or a rescaled f"
        )


@dataclass(frozen=True)
class Far:
    """κ ~ exp(rate·v)·Σ polynomial[k]·v^k for v ≥ start."""

    rate: Fraction
    polynomial: tuple[float, ...]
    start: float

    @property
    def logs(self) -> int:
        """The power of the logarithm of r."""
        return len(self.polynomial) - 1

    @property
    def sign(self) -> int:
        """The sign of κ far out."""
        return int(np.sign(self.polynomial[-1]))


def _through(places: list[Any], values: list[Any], rate: Fraction, degree: int) -> list[Any]:
    """Return the polynomial in v that exp(−rate·v)·κ is, lowest power first."""
    exact = mpmath.mpf(rate.numerator) / rate.denominator
    points = [(v, value * mpmath.exp(-exact * v)) for v, value in zip(places, values, strict=True)]
    used = points[: degree + 1]
    matrix = mpmath.matrix([[v**k for k in range(degree + 1)] for v, _ in used])
    return list(mpmath.lu_solve(matrix, mpmath.matrix([value for _, value in used])))


def simple_fraction(x: Any) -> Fraction:
    """Return a number as the simple fraction that it is to 20 digits, or else all its digits."""
    whole = Fraction(int(mpmath.nint(x * mpmath.mpf(10) ** 45)), 10**45)
    simple = whole.limit_denominator(10**9)
    return simple if abs(simple - whole) < Fraction(1, 10**20) else whole


def breaks(expr: sp.Expr) -> tuple[sp.Expr, ...]:
    """Return the places in r at which a curvature changes from one formula to another.

    Raises:
        GantheoryError: where they cannot be read off.
    """
    found = set()
    for piece in expr.atoms(sp.Piecewise):
        for condition in (c for _, c in piece.args if c not in (True, sp.true)):
            place = condition.rhs if getattr(condition, "lhs", None) == r else None
            if place is None or not place.is_number:
                raise GantheoryError(f"{condition} is no condition on r; write it like r < 2")
            found.add(place)
    if expr.has(sp.DiracDelta, sp.Heaviside, sp.Abs, sp.sign, sp.Derivative):
        raise GantheoryError(
            f"the curvature {str(expr)[:80]} has a corner that is not read off; write f with abs, "
            "max, min or relu of a formula that changes its sign"
        )
    return tuple(sorted((p for p in found if p > 0), key=float))
