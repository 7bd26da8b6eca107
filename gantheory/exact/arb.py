"""Numbers and functions in ball arithmetic (Arb through python-flint), at the working precision."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

import flint
from flint import acb, arb, fmpq


def exact_ball(value: Any) -> arb:
    """Return the ball around a number as it is stored: a float is the binary64 number.

    >>> exact_ball(0.1).contains(fmpq(1, 10)), exact_ball(Fraction(1, 10)).contains(fmpq(1, 10))
    (False, True)
    """
    return _ball(value, flint.ctx.prec)


@lru_cache(maxsize=4096, typed=True)
def _ball(value: Any, precision: int) -> arb:
    """Return the ball at the working precision, which is part of the key."""
    fraction = stored(value)
    return arb(fmpq(fraction.numerator, fraction.denominator))


def stored(value: Any) -> Fraction:
    """Return a number exactly: what a float is stored as, or the fraction that is given."""
    return value if isinstance(value, Fraction) else Fraction(float(value))


def softplus(w: acb, analytic: bool) -> acb:
    """Return log(1 + e^w), with the branch that is real on the real line, or a non-finite ball."""
    if w.real.mid() > 0:
        return w + (1 + (-w).exp()).log(analytic=analytic)
    return (1 + w.exp()).log(analytic=analytic)
