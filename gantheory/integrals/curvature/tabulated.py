r"""f̃ and G of any f-divergence, tabulated from its curvature.

With v = abs(u), S(v) = ∫₀ᵛ 2 sinh((v − w)/2) κ(±w) dw, M(v) = ∫₀ᵛ exp(−(v − w)/2) κ(±w) dw and
T(v) = ∫ᵥ^∞ exp(−w/2) κ(−w) dw,

    q f̃(p/q) = √(pq) S;    q G = −√(pq) M for p > q, and √(pq) (S + M) = q (T(0) − T) for p < q.

None of it cancels where κ has one sign. M and S solve M' = κ − M/2 and S' = S/2 + M. Each is
divided by its growth and solved by collocation on panels that double, and are halved until their
Chebyshev coefficients have died down; beyond the last panel each is a polynomial in v.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.polynomial import chebyshev, polynomial

from gantheory.densities.base import Array
from gantheory.divergences.ratio import Ratio
from gantheory.divergences.stable import Growth, Scaled
from gantheory.integrals.curvature.symmetric import Far, SymmetricCurvature

NODES = 24  # Chebyshev nodes a panel: exp(4x) on (-1, 1) is resolved to 3e-17
RESOLVED = 4e-15  # of the largest Chebyshev coefficient: what the last three may still be
SMALLEST = 1e-9  # no panel is cut finer
DIES = 45.0  # exp(-45) is 3e-20
HALF = Fraction(1, 2)

_X = chebyshev.chebpts1(NODES)
_SHARE = 0.5 * (1 + _X)  # the nodes on (0, 1)
_FIT = np.linalg.inv(chebyshev.chebvander(_X, NODES - 1))


@dataclass(frozen=True)
class Piecewise:
    """A function of v ≥ 0: v^order times Chebyshev series on panels, then a polynomial in v."""

    edges: Array
    coefficients: Array  # of shape (NODES, panels)
    outside: Array
    order: int = 0

    def __call__(self, v: Array) -> Array:
        """Return the function at v."""
        v = np.where(np.isfinite(v), v, 1e300)
        inside = np.minimum(v, self.edges[-1])
        last = len(self.edges) - 2
        panel = np.clip(np.searchsorted(self.edges, inside, side="right") - 1, 0, last)
        low, high = self.edges[panel], self.edges[panel + 1]
        x = (2 * inside - low - high) / (high - low)
        b1, b2 = np.zeros_like(x), np.zeros_like(x)
        for row in self.coefficients[:0:-1]:  # Clenshaw's recurrence
            b1, b2 = row[panel] + 2 * x * b1 - b2, b1
        near = (self.coefficients[0][panel] + x * b1 - b2) * inside**self.order
        return np.where(v <= self.edges[-1], near, polynomial.polyval(v, self.outside))


@dataclass(frozen=True)
class Side:
    """The tables of one side of u = 0, each divided by its growth.

    Attributes:
        far: how κ itself grows.
        steep: S grows like exp(steep·v).
        slow: M grows like exp(slow·v).
        value: S.
        memory: M.
        rest: T, which falls like exp((far.rate − 1/2)·v); None where it is infinite.
    """

    far: Far
    steep: Fraction
    slow: Fraction
    value: Piecewise
    memory: Piecewise
    rest: Piecewise | None

    @classmethod
    def of(cls, curvature: SymmetricCurvature) -> Side:
        """Tabulate one side of a curvature.

        Raises:
            GantheoryError: where it cannot be resolved.
        """
        march = _March(curvature, curvature.far())
        march.run()
        return cls(march.far, march.steep, march.slow, *march.tables())

    def growth(self) -> tuple[Fraction, int, int]:
        """Return (steep, logarithms, sign) of S; the sign matters where f̃ is unbounded."""
        if self.far.rate > HALF:
            return self.far.rate, self.far.logs, self.far.sign
        if self.far.rate == HALF:
            return HALF, self.far.logs + 1, self.far.sign
        return HALF, 0, 1


@dataclass(frozen=True)
class _Panel:
    low: float
    high: float
    kappa: Array  # κ·exp(−rate·v) at the nodes

    @property
    def v(self) -> Array:
        """The nodes."""
        return self.low + (self.high - self.low) * _SHARE


@dataclass(frozen=True)
class _Equation:
    """y' = decay·y + exp(fall·v)·source."""

    decay: float
    fall: float

    def forward(self, panel: _Panel, source: Array, start: float) -> Array:
        """Return y at the nodes of a panel, from its value at the lower end."""
        half = 0.5 * (panel.high - panel.low)
        right = start + half * _INTEGRAL @ (np.exp(self.fall * panel.v) * source)
        return np.asarray(np.linalg.solve(_ONE - half * self.decay * _INTEGRAL, right))

    def backward(self, panel: _Panel, source: Array, end: float) -> Array:
        """Return y at the nodes of a panel, from its value at the upper end."""
        half = 0.5 * (panel.high - panel.low)
        right = end - half * _REMAINDER @ (np.exp(self.fall * panel.v) * source)
        return np.asarray(np.linalg.solve(_ONE + half * self.decay * _REMAINDER, right))

    def extrapolated(self, source: Array, at: float, value: float) -> Array:
        """Return the polynomial that y is beyond ``at``, where the source is one or has died."""
        source = source if self.fall == 0 else np.zeros(1)
        if self.decay == 0:
            grown = polynomial.polyint(source)
            return np.asarray(polynomial.polyadd(grown, [value - polynomial.polyval(at, grown)]))
        return self.steady(source)

    def steady(self, source: Array) -> Array:
        """Return the polynomial that solves y' = decay·y + source."""
        found = np.zeros(len(source))
        for k in range(len(source) - 1, -1, -1):
            above = (k + 1) * found[k + 1] if k + 1 < len(source) else 0.0
            found[k] = (above - source[k]) / self.decay
        return found


class _March:
    """The tables of one side in the making: panel after panel, each cut until it is resolved."""

    def __init__(self, curvature: SymmetricCurvature, far: Far) -> None:
        self.curvature, self.far = curvature, far
        self.steep, self.slow = max(far.rate, HALF), max(far.rate, -HALF)
        self.memory = _Equation(float(-HALF - self.slow), float(far.rate - self.slow))
        self.value = _Equation(float(HALF - self.steep), float(self.slow - self.steep))
        self.panels: list[_Panel] = []
        self.m: list[Array] = []  # divided by v
        self.s: list[Array] = []  # divided by v²
        self.ends = (0.0, 0.0)

    def run(self) -> None:
        """Solve for M and S on every panel."""
        waiting = list(pairwise(self._edges()))[::-1]
        while waiting:
            low, high = waiting.pop()
            if not self._accepted(_Panel(low, high, self._kappa(low, high))):
                if high - low < SMALLEST:
                    place = self.curvature.side * low
                    raise self.curvature.refused(
                        f"has a spike, jump or singularity at log r = {place:.9g}"
                    )
                middle = 0.5 * (low + high)
                waiting += [(middle, high), (low, middle)]

    def _edges(self) -> list[float]:
        apart = [abs(self.far.rate + side) for side in (HALF, -HALF)]
        last = max([self.far.start, *(DIES / float(gap) for gap in apart if gap)])
        doubling = [0.0, *(2.0**k for k in range(max(1, math.ceil(math.log2(last)) + 1)))]
        return sorted({*doubling, *self.curvature.breaks})

    def _kappa(self, low: float, high: float) -> Array:
        v = low + (high - low) * _SHARE
        if low >= self.far.start:
            return np.asarray(polynomial.polyval(v, self.far.polynomial))
        return self.curvature.scaled(v, self.far.rate)

    def _accepted(self, panel: _Panel) -> bool:
        if not _is_resolved(panel.kappa):
            return False
        if panel.low == 0:
            m, s, ends = _from_zero(panel, *map(float, (self.far.rate, self.slow, self.steep)))
        else:
            first = self.memory.forward(panel, panel.kappa, self.ends[0])
            second = self.value.forward(panel, first, self.ends[1])
            ends = _at_end(first), _at_end(second)
            m, s = first / panel.v, second / panel.v**2
        if not (_is_resolved(m) and _is_resolved(s)):
            return False
        self.panels.append(panel)
        self.m.append(m)
        self.s.append(s)
        self.ends = ends
        return True

    def tables(self) -> tuple[Piecewise, Piecewise, Piecewise | None]:
        """Return S, M and T."""
        last = self.panels[-1].high
        m = self.memory.extrapolated(np.array(self.far.polynomial), last, self.ends[0])
        s = self.value.extrapolated(m, last, self.ends[1])
        rest = self._rest() if self.far.rate < HALF else None
        return self._table(self.s, s, 2), self._table(self.m, m, 1), rest

    def _rest(self) -> Piecewise | None:
        equation = _Equation(float(HALF - self.far.rate), 0.0)
        beyond = equation.steady(-np.array(self.far.polynomial))
        end = float(polynomial.polyval(self.panels[-1].high, beyond))
        found = []
        for panel in self.panels[::-1]:
            found.append(equation.backward(panel, -panel.kappa, end))
            if not _is_resolved(found[-1]):
                return None
            end = _at_start(found[-1])
        return self._table(found[::-1], beyond, 0)

    def _table(self, values: list[Array], outside: Array, order: int) -> Piecewise:
        edges = np.array([0.0, *(panel.high for panel in self.panels)])
        return Piecewise(edges, _FIT @ np.stack(values, axis=1), outside, order)


def _is_resolved(values: Array) -> bool:
    size = np.abs(_FIT @ values)
    return bool(np.all(np.isfinite(size)) and np.max(size[-3:]) <= RESOLVED * np.max(size))


def _at_end(values: Array) -> float:
    return float(np.sum(_FIT @ values))


def _at_start(values: Array) -> float:
    return float(chebyshev.chebval(-1.0, _FIT @ values))


def _from_zero(
    panel: _Panel, rate: float, slow: float, steep: float
) -> tuple[Array, Array, tuple[float, float]]:
    """Return M/v and S/v² on the first panel, without the cancellation of solving from 0."""
    v = np.append(panel.v, panel.high)[:, None]
    t, weights = 0.5 * (1 + _GAUSS[0]), 0.5 * _GAUSS[1]
    shares = v * t / panel.high
    kappa = chebyshev.chebval(2 * shares - 1, _FIT @ panel.kappa) * np.exp(rate * v * t)
    gap = 0.5 * v * (1 - t)
    m = (np.exp(-gap - slow * v) * kappa) @ weights
    s = (2 * np.sinh(gap) / v * np.exp(-steep * v) * kappa) @ weights
    return m[:-1], s[:-1], (float(m[-1] * panel.high), float(s[-1] * panel.high**2))


_GAUSS = np.polynomial.legendre.leggauss(30)
_ONE = np.eye(NODES)
_ANTIDERIVATIVES = chebyshev.chebint(np.eye(NODES), lbnd=-1, axis=0)  # of each polynomial
_INTEGRAL = chebyshev.chebvander(_X, NODES) @ _ANTIDERIVATIVES @ _FIT
_REMAINDER = np.sum(_ANTIDERIVATIVES @ _FIT, axis=0) - _INTEGRAL


@dataclass(frozen=True)
class Table:
    """f̃ and G of one curvature, as integrands."""

    above: Side
    below: Side

    @classmethod
    def of(cls, above: SymmetricCurvature, below: SymmetricCurvature) -> Table:
        """Tabulate a curvature on both sides of u = 0."""
        return cls(Side.of(above), Side.of(below))

    @property
    def exchanged(self) -> Table:
        """The table of the divergence with p and q exchanged."""
        return Table(self.below, self.above)

    @property
    def at_infinity(self) -> Growth:
        """How f̃ grows as r → ∞."""
        steep, logs, sign = self.above.growth()
        return Growth(HALF + steep, logs, sign)

    @property
    def at_zero(self) -> Growth:
        """How f̃ grows as r → 0."""
        steep, logs, sign = self.below.growth()
        return Growth(HALF - steep, logs, sign)

    def value(self, n: Ratio) -> Scaled:
        """Return q f̃(p/q)."""
        high, low = self.above, self.below
        weight = np.where(n.positive, _weight(n, HALF + high.steep), _weight(n, HALF - low.steep))
        return weight, _either(n, high.value, low.value)

    def slope(self, n: Ratio) -> Scaled:
        """Return q G(u)."""
        high, low = self.above, self.below
        weight = np.where(n.positive, _weight(n, HALF + high.slow), _weight(n, HALF - low.steep))
        return weight, _either(
            n,
            lambda v: -high.memory(v),
            lambda v: low.value(v) + _decayed(v, low.slow - low.steep) * low.memory(v),
        )

    def slope_far(self, n: Ratio) -> Scaled:
        """Return q·(G(u) − G(−∞)), where ``below.rest`` says that this limit is finite."""
        high, low = self.above, self.below
        assert low.rest is not None
        rest, whole = low.rest, float(low.rest(np.zeros(1))[0])
        weight = np.where(n.positive, _weight(n, HALF + high.slow), _weight(n, HALF - low.far.rate))
        return weight, _either(
            n,
            lambda v: -high.memory(v) - whole * _decayed(v, -HALF - high.slow),
            lambda v: -rest(v),
        )


def _either(n: Ratio, above: Callable[[Array], Array], below: Callable[[Array], Array]) -> Array:
    """Return a function of v above u = 0, and another one below."""
    found = np.empty(n.v.shape)
    found[n.positive] = above(n.v[n.positive])
    found[~n.positive] = below(n.v[~n.positive])
    return found


def _decayed(v: Array, rate: Fraction) -> Array:
    return np.exp(float(rate) * v) if rate else np.ones_like(v)


def _weight(n: Ratio, power: Fraction) -> Array:
    """Return log(p^power·q^(1 − power))."""
    if power in (0, 1):
        return n.log_p if power else n.log_q
    return n.log_power(float(power))
