r"""A divergence as an integrand in u = log p − log q that keeps its digits for every u.

With f̃ = f − f'(1)(r − 1), which gives the same divergence, each value is ∫ q f̃(p/q) over the
union of the supports, and each derivative in a parameter of q is ∫ q·score·(G − c) with
G = f̃ − r f̃' and any constant c. An integrand comes as exp(log weight)·mantissa, so that values of
1e-300 and below keep all their digits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from flint import acb

from gantheory.divergences.ratio import Ratio
from gantheory.divergences.series import Array

Scaled = tuple[Array, Array]  # log weight, mantissa
Integrand = Callable[[Ratio], Scaled]
Balls = Callable[[acb, acb, acb, bool], acb]  # (log p, log q, log p/q, analytic)


@dataclass(frozen=True)
class Growth:
    """f(r) ~ sign · r**power · abs(log r)**logs as r tends to 0 or to infinity.

    The sign matters where f is unbounded; 0 says that it is not known.
    """

    power: Fraction
    logs: int = 0
    sign: int = 1

    @property
    def is_finite(self) -> bool:
        """Whether f(0), or f'(∞) after exchanging roles, is finite."""
        return self.power >= 0 and not self.logs


FLAT, LINEAR = Growth(Fraction(0)), Growth(Fraction(1))
ZERO_LOG, INFINITE_LOG = Growth(Fraction(0), 1), Growth(Fraction(1), 1)


@dataclass(frozen=True, eq=False)
class Stable:
    """The integrands of a divergence, and how f grows.

    Attributes:
        value: q f̃(p/q).
        slopes: q (G − c) for one or two constants c: G(0) first, then the limit of G where q's own
            mass sits far from p, which keeps tiny gradients exact where the first would cancel.
        at_zero: how f̃ grows as r → 0; power 0 without logs where f(0) is finite.
        at_infinity: how f̃ grows as r → ∞; power 1 without logs where f'(∞) is finite.
        kinks: the values of u at which f' jumps.
        balls: q f(p/q) itself in ball arithmetic, where the formula f would make wide balls of it.
    """

    value: Integrand
    slopes: tuple[Integrand, ...]
    at_zero: Growth = FLAT
    at_infinity: Growth = LINEAR
    kinks: tuple[float, ...] = ()
    balls: Balls | None = None


@dataclass(frozen=True)
class Swapped:
    """An integrand with p and q exchanged."""

    inner: Integrand

    def __call__(self, n: Ratio) -> Scaled:
        """Return the integrand of (q, p)."""
        return self.inner(n.swapped)


@dataclass(frozen=True)
class SwappedBalls:
    """An integrand in balls with p and q exchanged."""

    inner: Balls

    def __call__(self, a: acb, b: acb, u: acb, analytic: bool) -> acb:
        """Return the integrand of (q, p)."""
        return self.inner(b, a, -u, analytic)
