"""What implementations do to logarithms of probabilities, and the values at which losses then stop.

A probability D is clipped to [ε, 1 − ε], or ε is added inside of a logarithm, or the logarithm is
clamped. In single precision 1 − ε is a multiple of 2⁻²⁴: 1 − 1e-7 is stored as 1 − 2⁻²³, so that
log(1 − D) stops at log(2⁻²³) = −15.942 where log(D) stops at log(1e-7) = −16.118.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp

from gantheory.functions import sigmoid, softplus, t

UNGUARDED = 10.0  # a mean loss beyond exp(-10) = 5e-5 is a guard's, not a discriminator's
SINGLE = sp.Rational(1, 2**24)  # the distance of single-precision numbers just below 1


@dataclass(frozen=True)
class Guard:
    """The least D and the least 1 − D that a guard leaves, or the least value of a logarithm.

    Attributes:
        low: log D where D is nearest to 0.
        high: log(1 − D) where D is nearest to 1.
        said: what the implementation does.
    """

    low: sp.Expr
    high: sp.Expr
    said: str

    def probability(self, side: int) -> sp.Expr:
        """Return D where the guard cuts it, near 0 (-1) or near 1 (1)."""
        return sp.exp(self.low) if side < 0 else 1 - sp.exp(self.high)

    def at(self, payoff: sp.Expr, side: int) -> sp.Expr:
        """Return a payoff of the score t where the guard cuts D near 0 (-1) or near 1 (1)."""
        D = self.probability(side)
        logs = (self.low, sp.log(1 - D)) if side < 0 else (sp.log(D), self.high)
        values = {
            softplus(-t): -logs[0], softplus(t): -logs[1], sigmoid(t): D, sigmoid(-t): 1 - D,
        }  # fmt: skip
        return payoff.xreplace(values).xreplace({t: logs[0] - logs[1]})


def _clipped(k: int) -> Iterator[Guard]:
    least = sp.Rational(1, 10**k)
    said = f"probabilities are kept {float(least):.0e} away from 0 and 1"
    yield Guard(sp.log(least), sp.log(least), said)
    stored = sp.Integer(round(least / SINGLE)) * SINGLE
    if stored:  # else 1 - ε rounds to 1, and nothing guards log(1 - D)
        single = f"{said} in single precision, which stores 1 - {float(least):.0e} as 1 - {stored}"
        yield Guard(sp.log(least), sp.log(stored), single)


GUARDS: tuple[Guard, ...] = (
    *(guard for k in (6, 7, 8, 10, 12) for guard in _clipped(k)),
    Guard(sp.log(SINGLE), sp.log(SINGLE), "D is the single-precision number next to 1"),
    Guard(sp.Integer(-100), sp.Integer(-100), "logarithms are clamped at -100 (torch's BCELoss)"),
)
