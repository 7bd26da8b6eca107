"""Means of softplus over exponential and logistic laws as functions of sympy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from flint import arb, arb_series, ctx, fmpq

from gantheory.errors import GantheoryError
from gantheory.residues import EXPONENTIAL, LOGISTIC, logistic_mean_series

MOST_ORDER = 40  # of the means of softplus


def hold_order(what: str, k: sp.Expr, least: int) -> None:
    """Refuse an order that is no whole number from ``least`` on."""
    if not (k.is_Integer and least <= k <= MOST_ORDER):
        raise GantheoryError(f"{what}: its order k is a whole number from 0 to {MOST_ORDER}")


def in_balls(function: Callable[..., arb_series], prec: int, *arguments: sp.Expr) -> sp.Expr | None:
    """Return the centre of the ball that a function has at numbers; None for other arguments."""
    found = [argument._eval_evalf(prec + 20) for argument in arguments]
    if not all(isinstance(one, sp.Float | sp.Rational) for one in found):
        return None
    with ctx.workprec(prec + 20):
        series = [arb_series([arb(one._to_mpmath(prec + 20))], prec=1) for one in found]
        mantissa, exponent = function(*series)[0].mid().man_exp()
    return sp.Float(sp.Integer(int(mantissa)) * sp.Integer(2) ** int(exponent), precision=prec)


class LogisticMean(sp.Function):
    """E[softplus(u + p*X/q)] of a law, differentiated k times in u (`gantheory.residues`)."""

    nargs = 4
    law = ""

    @classmethod
    def eval(cls, k: sp.Expr, u: sp.Expr, p: sp.Expr, q: sp.Expr) -> sp.Expr | None:
        hold_order(f"{cls.__name__}(k, u, p, q)", k, 0)
        if not (p.is_Integer and q.is_Integer and p != 0 and q > 0):
            raise GantheoryError(f"{cls.__name__}(k, u, p, q) needs whole numbers p != 0 and q > 0")
        share = abs(p / q) if cls.law == LOGISTIC else p / q
        return None if share.p == p and share.q == q else cls(k, u, share.p, share.q)

    def fdiff(self, argindex: int = 2) -> sp.Expr:
        if argindex != 2:
            raise sp.ArgumentIndexError(self, argindex)
        return self.func(self.args[0] + 1, *self.args[1:])

    def _eval_evalf(self, prec: int) -> sp.Expr | None:
        k, u, p, q = self.args
        share = fmpq(int(p), int(q))
        return in_balls(lambda u: logistic_mean_series(self.law, int(k), u, share), prec, u)

    def _latex(self, printer: Any) -> str:
        k, u, s = (printer._print(one) for one in (*self.args[:2], self.args[2] / self.args[3]))
        return rf"\mathrm{{L{self.law[0].upper()}}}_{{{k}}}\left({u},\, {s}\right)"

    def _eval_is_positive(self) -> bool | None:
        return self.args[1].is_extended_real if self.args[0] <= 2 else None


class logistic_exponential(LogisticMean):
    """E[softplus(u + p*X/q)] for X exponential of the scale 1, differentiated k times in u."""

    law = EXPONENTIAL


class logistic_logistic(LogisticMean):
    """E[softplus(u + p*X/q)] for X logistic of the scale 1, differentiated k times in u."""

    law = LOGISTIC
