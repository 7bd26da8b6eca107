r"""Tails: how a log-density behaves at an end of its support, as exact orders of growth.

Whether an integral is finite is decided by these orders, before any quadrature.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Tail:
    r"""The growth of log p at one end, by coefficients of a fixed scale of terms.

    At an infinite end y = abs(x) → ∞ and L = log y; at a finite end y is the distance to it,
    y → 0 and L = −log y (the terms y² and y are then absent):

    .. math:: \log p = -e^{\text{lift} + \text{rate}\,y} + \text{square}\,y^2
              + \text{linear}\,y + \text{logsquare}\,L^2 + \text{log}\,L + O(1)

    with the double exponential present where ``rate > 0``. Locations are absorbed into the lower
    coefficients, so two laws on one axis can be combined.
    """

    finite: bool = False
    rate: float = 0.0
    lift: float = 0.0
    square: float = 0.0
    linear: float = 0.0
    logsquare: float = 0.0
    log: float = 0.0

    @property
    def order(self) -> tuple[float, ...]:
        """The coefficients from the fastest-growing term down, for comparing two tails."""
        double = (-self.rate, -self.lift) if self.rate else (0.0, 0.0)
        return (*double, self.square, self.linear, self.logsquare, self.log)

    @property
    def is_constant(self) -> bool:
        """Whether log p stays bounded at this end."""
        return not any(getattr(self, f.name) for f in fields(self) if f.name != "finite")

    def __str__(self) -> str:
        y, long = ("y", "log(y)") if not self.finite else ("y", "log(1/y)")
        terms = [(self.square, f"{y}^2"), (self.linear, y), (self.logsquare, f"{long}^2")]
        terms.append((self.log, long))
        double = f"-exp({self.lift:g} + {self.rate:g} y)" if self.rate else ""
        found = " ".join([double, *(f"{c:+g} {name}" for c, name in terms if c)]).strip()
        return found or "constant"

    def affine(self, loc: float, scale: float) -> Tail:
        """Return the tail of loc + scale·X at the image of this end (``scale`` may be < 0)."""
        size = abs(scale)
        if self.finite:
            shift = 2 * self.logsquare * math.log(size)
            return replace(self, log=self.log + shift)
        # y' = |loc + scale x|, so y = (y' - s)/size with s the signed shift toward this end
        return self._moved(size, loc)

    def _moved(self, size: float, shift: float) -> Tail:
        return replace(
            self,
            rate=self.rate / size,
            lift=self.lift - self.rate * shift / size,
            square=self.square / size**2,
            linear=self.linear / size - 2 * self.square * shift / size**2,
            log=self.log - 2 * self.logsquare * math.log(size),
        )


CONSTANT = Tail(finite=True)


def heavier(tails: list[Tail]) -> Tail:
    """Return the tail that dominates a sum of densities."""
    return max(tails, key=lambda tail: tail.order)


@dataclass(frozen=True)
class Growing:
    """The order of growth of the logarithm of a product of powers of two densities."""

    finite: bool
    doubles: tuple[tuple[float, float, float], ...]  # (rate, lift, coefficient)
    square: float
    linear: float
    logsquare: float
    log: float

    @classmethod
    def of(cls, a: float, p: Tail, b: float, q: Tail) -> Growing:
        """Return the growth of a·log p + b·log q."""
        doubles = tuple((t.rate, t.lift, -c) for c, t in ((a, p), (b, q)) if t.rate and c)
        pairs = ((getattr(p, f), getattr(q, f)) for f in ("square", "linear", "logsquare", "log"))
        return cls(p.finite, doubles, *(_combined(a, x, b, y) for x, y in pairs))

    @property
    def double(self) -> float:
        """The coefficient of the fastest double exponential, up to a positive factor."""
        if not self.doubles:
            return 0.0
        rate = max(rate for rate, _, _ in self.doubles)
        fast = [(lift, c) for r, lift, c in self.doubles if r == rate]
        top = max(lift for lift, _ in fast)
        parts = [c * math.exp(lift - top) for lift, c in fast]
        return _negligible(sum(parts), sum(map(abs, parts)))

    @property
    def direction(self) -> int:
        """Whether the logarithm tends to +∞ (1), to −∞ (−1) or stays bounded (0)."""
        terms = (self.double, self.square, self.linear, self.logsquare, self.log)
        return next((1 if term > 0 else -1 for term in terms if term), 0)

    def times_logs(self, logs: int, u: Growing) -> Growing:
        """Return the growth after multiplying by abs(u)**logs."""
        if not logs or self.finite:
            return self
        if u.double:
            rate = max(rate for rate, _, _ in u.doubles)
            return replace(self, linear=self.linear + logs * rate)
        power = 2 if u.square else 1 if u.linear else 0
        return replace(self, log=self.log + logs * power)

    @property
    def integrable(self) -> bool:
        """Whether the exponential of this growth has a finite integral at the end."""
        for term in (self.double, self.square, self.linear, self.logsquare):
            if term:
                return term < 0
        return _negligible(self.log + (-1 if self.finite else 1), abs(self.log) + 1) < 0


def _combined(a: float, x: float, b: float, y: float) -> float:
    return _negligible(a * x + b * y, abs(a * x) + abs(b * y))


def _negligible(total: float, size: float) -> float:
    """Return a sum, or 0 where it is no larger than the rounding of its terms."""
    return 0.0 if abs(total) <= 8 * 2.2e-16 * size else total
