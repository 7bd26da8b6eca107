r"""A function of one number on an interval: never negative, shown by interval arithmetic.

Inside, boxes are halved until each is decided. Where the function is exactly 0 at an end, the first
of its derivatives that is not 0 there is enclosed next to the end instead: by Taylor's formula
:math:`g(a+h) = g^{(n)}(\xi)\,h^n/n!`, so that an equality at an end is proved, not observed.
"""

from __future__ import annotations

from functools import reduce
from operator import add, mul
from typing import Any

import sympy as sp
from mpmath import iv, mp

from gantheory.deadline import check_time

HIGHEST_DERIVATIVE = 12
NEAREST = 40  # an end is enclosed on a width 2^-k of the interval for some k up to this
NARROWEST = 2.0**-20  # boxes narrower than this share of the interval are given up
FAR = (1, 4, 16, 64, 256)  # where the part towards infinity may begin
HALF = sp.Rational(1, 2)
_FUNCTIONS = {sp.log: iv.log, sp.exp: iv.exp}


class NoInterval(Exception):
    """An expression has no interval here: a logarithm of what may be negative, say."""


def is_nonnegative_between(g: sp.Expr, x: sp.Symbol, low: sp.Expr, high: sp.Expr) -> bool:
    """Return whether g(x) ≥ 0 for low < x < high is shown.

    Towards an infinite ``high`` g must be so by its own enclosure, or increase.

    >>> x = sp.Symbol("x", nonnegative=True)
    >>> is_nonnegative_between(-sp.log(1 - x) - x, x, sp.S.Zero, sp.S.One)
    True
    >>> is_nonnegative_between(sp.sqrt(x) - x, x, sp.S.Zero, sp.Integer(2))
    False
    """
    g = factored(g, x, low, high)
    y = sp.Dummy("y", nonnegative=True)
    if high is sp.oo:
        ends = (place for place in FAR if _is_nonnegative_beyond(g, x, place))
        far = next(ends, None)
        return far is not None and is_nonnegative_between(g, x, low, sp.Integer(far))
    from_left, from_right = (
        sp.expand(g.subs(x, end)) if g.is_polynomial(x) else g.subs(x, end)
        for end in (low + (high - low) * y, high - (high - low) * y)
    )
    if from_left == 0:
        return True
    left, right = _certified_width(from_left, y), _certified_width(from_right, y)
    return left is not None and right is not None and _scan(from_left, y, left, 1 - right)


def factored(g: sp.Expr, x: sp.Symbol, low: sp.Expr, high: sp.Expr) -> sp.Expr:
    """Return g with logarithms and square roots taken of factors, so that equal ones cancel.

    Factors are rational polynomials of one sign in (low, high); what has others stays as it is.
    """
    found = {}
    for part in g.atoms(sp.log, sp.Pow):
        root = isinstance(part, sp.Pow)
        if part.has(x) and (not root or part.exp == HALF):
            factors = _positive_factors(part.args[0], x, low, high)
            if factors is not None and root:
                found[part] = sp.Mul(*(
                    f ** (m // 2) * (sp.sqrt(f) if m % 2 else 1) for f, m in factors
                ))  # fmt: skip
            elif factors is not None:
                found[part] = sp.Add(*(m * sp.log(f) for f, m in factors))
    return g.xreplace(found)


def _positive_factors(
    value: sp.Expr, x: sp.Symbol, low: sp.Expr, high: sp.Expr
) -> list[tuple[sp.Expr, int]] | None:
    """Return factors, each positive in (low, high), and their powers; None where they are not."""
    sign, factors = 1, []
    for part, power in zip(sp.fraction(sp.together(value)), (1, -1), strict=True):
        if not part.is_polynomial(x):
            return None
        number, irreducible = sp.factor_list(part, x)
        for factor, multiplicity in [(number, 1), *irreducible]:
            positive = _one_sign(factor, x, low, high)
            if positive is None:
                return None
            sign *= positive**multiplicity
            factors.append((sp.expand(positive * factor), power * multiplicity))
    return factors if sign == 1 else None


def _one_sign(factor: sp.Expr, x: sp.Symbol, low: sp.Expr, high: sp.Expr) -> int | None:
    """Return the sign of an irreducible rational polynomial in (low, high), if it has but one."""
    polynomial = sp.Poly(factor, x)
    if not polynomial.domain.is_QQ and not polynomial.domain.is_ZZ:
        return None
    ends = (end for end in (low, high) if end.is_Rational)
    inside = polynomial.count_roots(low, high) - sum(polynomial.eval(end) == 0 for end in ends)
    middle = low + 1 if high is sp.oo else (low + high) / 2
    return None if inside else int(sp.sign(polynomial.eval(middle)))


def _is_nonnegative_beyond(g: sp.Expr, x: sp.Symbol, place: int, deeper: int = 3) -> bool:
    """Return whether g ≥ 0 on (place, ∞): by its enclosure, or at ``place`` and increasing."""
    try:
        if enclosure(g, {x: iv.mpf([place, iv.inf])}).a >= 0:
            return True
        here = enclosure(g, {x: iv.mpf(place)}).a >= 0
    except NoInterval:
        return False
    return bool(deeper and here) and _is_nonnegative_beyond(sp.diff(g, x), x, place, deeper - 1)


def _certified_width(g: sp.Expr, y: sp.Symbol) -> float | None:
    """Return a width w such that g ≥ 0 on (0, w] by its first derivative that is not 0 at 0."""
    for _ in range(HIGHEST_DERIVATIVE):
        value = g.subs(y, 0)
        if value.is_finite is False or value.has(sp.nan) or not _is_zero(value):
            return _enclosed_width(g, y)
        g = sp.diff(g, y)
    return None


def _is_zero(value: sp.Expr) -> bool:
    """Return whether a constant is exactly 0; True only where algebra says so."""
    try:
        inside = enclosure(value, {})
    except NoInterval:
        return False
    return bool(0 in inside and sp.simplify(sp.expand_log(value, force=False)) == 0)


def _enclosed_width(g: sp.Expr, y: sp.Symbol) -> float | None:
    for k in range(1, NEAREST):
        if _is_nonnegative_on(g, y, 0.0, 2.0**-k):
            return 2.0**-k
    return None


def _is_nonnegative_on(g: sp.Expr, y: sp.Symbol, low: float, high: float) -> bool:
    try:
        return bool(enclosure(g, {y: iv.mpf([low, high])}).a >= 0)
    except NoInterval:
        return False


def _scan(g: sp.Expr, y: sp.Symbol, low: float, high: float) -> bool:
    slope = sp.diff(g, y)
    stack = [(low, high)] if low < high else []
    while stack:
        check_time()
        a, b = stack.pop()
        if _is_nonnegative_on(g, y, a, b) or _is_nonnegative_by_slope(g, slope, y, a, b):
            continue
        middle = (a + b) / 2
        if b - a < NARROWEST or _is_negative_at(g, y, middle):
            return False
        stack += [(a, middle), (middle, b)]
    return True


def _is_nonnegative_by_slope(g: sp.Expr, slope: sp.Expr, y: sp.Symbol, a: float, b: float) -> bool:
    """Enclose by the mean-value form g(c) + g'([a, b])·([a, b] − c)."""
    box, middle = iv.mpf([a, b]), iv.mpf((a + b) / 2)
    try:
        total = enclosure(g, {y: middle}) + enclosure(slope, {y: box}) * (box - middle)
    except NoInterval:
        return False
    return bool(total.a >= 0)


def _is_negative_at(g: sp.Expr, y: sp.Symbol, place: float) -> bool:
    try:
        return bool(enclosure(g, {y: iv.mpf(place)}).b < 0)
    except NoInterval:
        return False


def enclosure(expression: sp.Expr, values: dict[sp.Symbol, Any]) -> Any:
    """Return an interval, perhaps unbounded, that contains every value of an expression.

    Raises:
        NoInterval: where it may be undefined, or has no interval arithmetic here.
    """
    if expression in values:
        return values[expression]
    if isinstance(expression, sp.Rational):
        return iv.mpf(int(expression.p)) / iv.mpf(int(expression.q))
    if expression is sp.pi or expression is sp.E:
        return iv.pi if expression is sp.pi else iv.e
    parts = [enclosure(part, values) for part in expression.args]
    try:
        if isinstance(expression, sp.Add | sp.Mul):
            return reduce(add if isinstance(expression, sp.Add) else mul, parts)
        if isinstance(expression, sp.Pow):
            return _power(expression.exp, *parts)
        if expression.func in _FUNCTIONS:
            return _FUNCTIONS[expression.func](*parts)
    except (ValueError, ZeroDivisionError, mp.ComplexResult) as error:
        raise NoInterval(str(error)) from None
    raise NoInterval(f"{str(expression)[:60]} has no interval")


def _power(exponent: sp.Expr, base: Any, value: Any) -> Any:
    if exponent.is_Integer:
        return base ** int(exponent) if exponent > 0 else 1 / base ** int(-exponent)
    if exponent == HALF:
        return iv.sqrt(base)
    return iv.exp(value * iv.log(base))
