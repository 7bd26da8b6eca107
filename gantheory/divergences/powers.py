r"""Power divergences of any order α: f = (r^α − 1 − α(r − 1))/(α(α − 1)), so f'' = r^(α − 2).

α = 1 and α = 0 are the limits KL(P‖Q) and KL(Q‖P); 2 and −1 are half the chi-squared divergences.

Source: N. Cressie, T. R. C. Read (1984), Multinomial goodness-of-fit tests, Journal of the Royal
Statistical Society B 46(3).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from gantheory.divergences.ratio import Ratio
from gantheory.divergences.record import FDivergence
from gantheory.divergences.series import phi
from gantheory.divergences.stable import Growth, Integrand, Scaled, Stable, Swapped
from gantheory.errors import GantheoryError

LARGEST = 60  # of abs(α): beyond, the formula has exponents that the parser refuses


def power_divergence(alpha: Fraction) -> FDivergence:
    """Return the power divergence of an order that is neither 0 nor 1."""
    if abs(alpha) > LARGEST:
        raise GantheoryError(
            f"power divergence of order alpha={alpha}: its order must be within ±{LARGEST}"
        )
    a = f"({alpha})" if alpha.denominator > 1 or alpha < 0 else str(alpha)
    return FDivergence(
        power_name(alpha),
        f"(r**{a} - 1 - {a}*(r - 1))/({a}*({a} - 1))",
        f"D_{alpha}(P‖Q)",
        rf"D_{{{alpha}}}(P\|Q)",
        rf"\frac{{\int p^{{{alpha}}}q^{{1-{alpha}}}-1}}{{{alpha}({alpha}-1)}}",
        reverse=power_name(1 - alpha),
        power=(alpha, 1),
        stable=stable_power(alpha),
    )


def power_name(alpha: Fraction) -> str:
    """Return the name of an order: a decimal where that is exact, or a fraction."""
    text = f"{float(alpha):.12f}".rstrip("0").rstrip(".")
    return f"power_{text if Fraction(text) == alpha else alpha}"


def stable_power(alpha: Fraction) -> Stable:
    """Return the integrands of the power divergence of an order that is neither 0 nor 1."""
    return Stable(
        _value(alpha),
        (_Slope(float(alpha)), _FarSlope(float(alpha))),
        Growth(min(alpha, Fraction(0))),
        Growth(max(alpha, Fraction(1))),
    )


def _value(alpha: Fraction) -> Integrand:
    """Return the integrand of an order; those beyond 1/2 are 1 − α with p and q exchanged."""
    if alpha > Fraction(1, 2):
        return Swapped(_Value(float(1 - alpha)))
    return _Value(float(alpha))


@dataclass(frozen=True)
class _Value:
    """[expm1(u) − expm1(αu)/α]/(1 − α) for α ≤ 1/2, scaled by its largest term.

    It keeps its digits as α tends to 0.
    """

    alpha: float

    def __call__(self, n: Ratio) -> Scaled:
        alpha = self.alpha
        behind = n.log_power(alpha) if alpha < 0 else n.log_q
        grown = np.maximum(alpha * n.u, 0.0)
        part = -np.expm1(-abs(alpha) * n.v) / abs(alpha)
        above = n.drop - part * np.exp((max(alpha, 0.0) - 1) * n.v)
        below = part - n.drop * np.exp(-grown)
        w = np.clip(n.u, -1.0, 1.0)
        near = (phi(w) - phi(alpha * w) / alpha) * np.exp(
            -np.where(n.positive, w, min(alpha, 0.0) * w)
        )
        few = max(1, abs(alpha)) * n.v < 1
        mantissa = np.where(few, near, np.where(n.positive, above, below))
        return np.where(n.positive, n.log_p, behind), mantissa / (1 - alpha)


@dataclass(frozen=True)
class _Slope:
    """G − G(0) = (1 − r^α)/α."""

    alpha: float

    def __call__(self, n: Ratio) -> Scaled:
        growing = self.alpha * n.u > 0
        weight = np.where(growing, n.log_power(self.alpha), n.log_q)
        decay = np.expm1(-abs(self.alpha) * n.v)
        return weight, np.where(growing, decay, -decay) / self.alpha


@dataclass(frozen=True)
class _FarSlope:
    """G minus its limit: −r^α/α."""

    alpha: float

    def __call__(self, n: Ratio) -> Scaled:
        weight = n.log_power(self.alpha)
        return weight, np.full_like(weight, -1 / self.alpha)
