"""What a formula is apart from its guards: clamps that are reached far out, epsilons in logarithms.

Guards keep numbers finite and change nothing where a loss is usually evaluated. The core is the
formula without them, and with it goes the interval in which the two agree.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Set

import numpy as np
import sympy as sp
from sympy.printing.str import StrPrinter

from gantheory.audits.equals import values
from gantheory.audits.kinks import by_relu
from gantheory.audits.separate import numeric
from gantheory.functions import logarithm, relu, t

NEAR = tuple(k / 4 + 0.01 for k in range(-8, 9))  # log ratios within a factor of e^2
FAR = 60.0  # beyond this no log ratio is looked at
SMALL = sp.Rational(1, 1000)  # the largest epsilon that is taken for a guard
CLOSE = 1e-3  # relative, of a formula and its core


def core(formula: sp.Expr) -> sp.Expr:
    """Return a formula of ``t`` without the guards that are idle near t = 0.

    >>> core(relu(sp.exp(t) + 20) - relu(-20 - sp.exp(t)) - 20)
    exp(t)
    >>> core(sp.log(sp.exp(t) + sp.Rational(1, 10**8)))
    t
    """
    formula = formula.replace(lambda e: isinstance(e, sp.Piecewise), _chosen)
    formula = formula.replace(lambda e: isinstance(e, relu), _opened)
    formula = formula.replace(lambda e: isinstance(e, sp.log), _without_epsilon)
    if not formula.has(relu, sp.Piecewise):
        return formula
    try:
        whole = by_relu(formula)
    except (NotImplementedError, TypeError, ValueError):
        whole = None
    return formula if whole is None else whole


def _chosen(piecewise: sp.Piecewise) -> sp.Expr:
    """Return the piece that holds at every near point, if one does."""
    for value, condition in piecewise.args:
        said = {condition.xreplace({t: sp.Float(x)}) == True for x in NEAR}  # noqa: E712
        if said == {True}:
            return value
        if said == {True, False}:
            return piecewise
    return piecewise


def _opened(kink: relu) -> sp.Expr:
    values = [numeric(kink.args[0])(x) for x in NEAR]
    if any(v is None for v in values):
        return kink
    signs = {v > 0 for v in values if v is not None}
    return kink if len(signs) > 1 else kink.args[0] if True in signs else sp.Integer(0)


def _without_epsilon(found: sp.log) -> sp.Expr:
    inner = found.args[0]
    if inner.is_Add and inner.has(t):
        number = inner.as_coeff_Add()[0]
        near = round(float(number))
        if number.is_Rational and 0 < abs(number - near) <= SMALL:
            inner = _as_product(inner - number + near)
    return sp.sympify(logarithm(inner))


def _as_product(inner: sp.Expr) -> sp.Expr:
    """Return 1 - sigmoid(x) as sigmoid(-x)."""
    from gantheory.audits.elements import add

    number, rest = inner.as_coeff_Add()
    return add(number, rest)


class _Printer(StrPrinter):
    """Writes pieces as ``where``, which a formula may hold."""

    def _print_choice(self, expr: sp.Expr) -> str:
        place, above, below = map(self._print, expr.args)
        return f"where({place} > 0, {above}, {below})"

    def _print_Piecewise(self, piecewise: sp.Piecewise) -> str:
        *pieces, (otherwise, _) = piecewise.args
        text = self._print(otherwise)
        for value, condition in reversed(pieces):
            text = f"where({self._print(condition)}, {self._print(value)}, {text})"
        return str(text)


def formula_text(formula: sp.Expr) -> str:
    """Return a formula as text that is read again as the same.

    >>> formula_text(sp.Piecewise((1, t > 0), (-1, True)))
    'where(t > 0, 1, -1)'
    """
    return str(_Printer().doprint(formula))


def core_range(formula: sp.Expr, kept: sp.Expr) -> list[float | None] | None:
    """Return the log ratios between which a formula is its core; None where everywhere."""
    if formula == kept:
        return None
    ends = [_reach(formula, kept, sign) for sign in (-1.0, 1.0)]
    return None if ends == [None, None] else ends


def _reach(formula: sp.Expr, kept: sp.Expr, sign: float) -> float | None:
    """Return how far from 0 the two agree; None where up to `FAR`."""
    far = np.arange(0.0, FAR, 0.01)
    whole, part = values(formula, sign * far), values(kept, sign * far)
    with np.errstate(all="ignore"):
        apart = np.flatnonzero(~(np.abs(whole - part) <= CLOSE * (1 + np.abs(part))))
    return None if not apart.size else round(sign * float(far[max(apart[0] - 1, 0)]), 2) + 0.0


def of_alone(formula: sp.Expr, known: Set[sp.Symbol]) -> sp.Expr | None:
    """Return a formula in ``known`` symbols, if no other changes it; else None."""
    others = formula.free_symbols - known
    if not others:
        return formula
    rest = formula.xreplace(dict.fromkeys(others, sp.Integer(0)))
    return rest if alike(formula, rest) else None


def alike(left: sp.Expr, right: sp.Expr) -> bool:
    """Return whether two formulas have the same values at random points."""
    if left == right:
        return True
    drawn = random.Random(14)
    symbols = sorted(left.free_symbols | right.free_symbols, key=str)
    for _ in range(4):
        at: Mapping[sp.Symbol, sp.Float] = {x: sp.Float(drawn.uniform(-2, 2), 30) for x in symbols}
        try:
            a, b = (float(sp.N(one.xreplace(at), 20)) for one in (left, right))
        except (TypeError, ValueError):
            return False
        if abs(a - b) > 1e-11 * (1 + abs(a)):
            return False
    return True
