"""The sign of an expression for all legal parameters and all points of an interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

import sympy as sp
from flint import acb_poly, arb, ctx

from gantheory.deadline import Undecided
from gantheory.errors import GantheoryError
from gantheory.exact.algebra import Algebra, floating_value
from gantheory.exact.signs import sign_on_positive
from gantheory.exact.signs.balls import NoEnclosure, enclose
from gantheory.formulas import interval, names_of
from gantheory.functions import parameter_symbol, r, to_sympy

BITS = 192
Range = tuple[sp.Expr, sp.Expr]
Found = TypeVar("Found")
# An interior point of each range: generic, so that nothing vanishes there by accident.
GENERIC = (0.8310732, 1.2970341, 0.6180534, 1.7320823, 0.4271937, 2.2360891)


def end(text_tree: object, names: Mapping[str, sp.Expr]) -> sp.Expr:
    """Return an end of an interval, given as a checked tree, as an expression."""
    infinities = {"oo": sp.oo, "inf": sp.oo}
    return to_sympy(text_tree, {**infinities, **names}, finite=False)  # type: ignore[arg-type]


@lru_cache(maxsize=1024)  # one symbol for each interval, so that sympy's own caches serve
def positive_image(symbol: sp.Symbol, lower: sp.Expr, upper: sp.Expr) -> sp.Expr | None:
    """Return a function of a positive symbol whose range is (lower, upper); None for the line."""
    free = sp.Dummy(symbol.name, positive=True)
    if lower == -sp.oo and upper == sp.oo:
        return None
    if upper == sp.oo:
        return lower + free
    if lower == -sp.oo:
        return upper - free
    return (lower + upper * free) / (1 + free)


@dataclass
class Assumptions:
    """The free parameters of a loss: their symbols, legal intervals and one generic point.

    Attributes:
        symbols: name -> symbol, positive where the interval is.
        ranges: symbol -> open interval; an end may name parameters declared before it.
        sample: a generic interior point.
    """

    symbols: dict[str, sp.Expr] = field(default_factory=dict)
    ranges: dict[sp.Symbol, Range] = field(default_factory=dict)
    sample: dict[sp.Symbol, float] = field(default_factory=dict)
    _known: dict[object, int | None] = field(default_factory=dict, repr=False, compare=False)
    _values: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, declared: Mapping[str, str]) -> Assumptions:
        """Read the declared intervals of parameters by name, ``{"alpha": "(0, 1)"}``."""
        found = cls()
        waiting = dict(declared)
        while waiting:
            ready = [n for n, text in waiting.items() if not (names_of(text) & set(waiting))]
            if not ready:
                raise GantheoryError(
                    f"the intervals of parameters {', '.join(waiting)} refer to one another "
                    "in a circle; declare one of them by numbers"
                )
            for name in ready:
                found.declare(name, waiting.pop(name))
        return found

    def declare(self, name: str, text: str) -> None:
        """Add a parameter with its interval."""
        declared = interval(text)
        lower, upper = end(declared.lower, self.symbols), end(declared.upper, self.symbols)
        if lower == upper and lower.is_finite and declared.closed_lower and declared.closed_upper:
            self.symbols[name] = lower
            return
        if lower == upper or lower == sp.oo or upper == -sp.oo:
            raise GantheoryError(f"interval {text!r} of parameter {name!r} is empty")
        nonnegative = lower != -sp.oo and (lower.is_nonnegative or self.sign(lower) in (0, 1))
        symbol = parameter_symbol(name, positive=bool(nonnegative))
        image = positive_image(symbol, lower, upper)
        generic = GENERIC[len(self.symbols) % len(GENERIC)]
        if image is not None:
            free = next(iter(image.atoms(sp.Dummy)))
            generic = floating_value(image, {**self.sample, free: generic})
            if lower != -sp.oo and upper != sp.oo and self.sign(upper - lower) in (0, -1):
                raise GantheoryError(f"interval {text!r} of parameter {name!r} is empty")
        self.symbols[name] = symbol
        self.ranges[symbol] = (lower, upper)
        self.sample[symbol] = generic

    def including(self, symbol: sp.Symbol, values: Range, point: float) -> Assumptions:
        """Return these parameters and one more symbol with its open interval."""
        ranges, sample = {**self.ranges, symbol: values}, {**self.sample, symbol: point}
        return Assumptions(self.symbols, ranges, sample)

    def remembered(self, key: object, found: Callable[[], Found]) -> Found:
        """Return what ``found`` gives, which depends on these parameters and ``key`` alone."""
        if key not in self._values:
            self._values[key] = found()
        value: Found = self._values[key]
        return value

    def sign(self, expr: sp.Expr, ranges: Mapping[sp.Symbol, Range] | None = None) -> int | None:
        """Return 1, -1 or 0 if that is the sign everywhere (zeros at single points allowed).

        None where the sign changes or is not known. ``ranges`` gives the intervals of the
        symbols other than parameters; those not in it are positive.
        """
        if expr.has(sp.nan, sp.zoo):
            raise Undecided("an expression is not a number at an end of the domain")
        if expr.is_Number:
            return int(sp.sign(expr))
        # An absolute value that is left is one of parameters, and vanishes at single points only.
        expr = expr.xreplace({m: sp.Dummy(str(m), positive=True) for m in expr.atoms(sp.Abs)})
        question = (expr, tuple((ranges or {}).items()))
        if question not in self._known:
            self._known[question] = self._sign(expr, ranges)
        return self._known[question]

    def _sign(self, expr: sp.Expr, ranges: Mapping[sp.Symbol, Range] | None) -> int | None:
        everything = {**self.ranges, **(ranges or {})}
        for symbol, (lower, upper) in (ranges or {}).items():
            if symbol in expr.free_symbols and (lower, upper) == (-sp.oo, sp.oo):
                return self._sign_on_the_line(expr, symbol, ranges or {})
        image, sample = self._positive_form(expr, everything)
        try:
            return _sign_of_factors(image, sample)
        except Undecided:
            return None

    def _positive_form(
        self, expr: sp.Expr, ranges: Mapping[sp.Symbol, Range]
    ) -> tuple[sp.Expr, dict[sp.Symbol, float]]:
        sample = {symbol: GENERIC[k % 6] for k, symbol in enumerate(_sorted(expr.free_symbols))}
        for symbol in reversed(list(ranges)):
            image = positive_image(symbol, *ranges[symbol])
            if symbol not in expr.free_symbols or image is None:
                continue
            if ranges[symbol] == (sp.Integer(0), sp.oo) and symbol.is_positive:
                continue
            expr = expr.xreplace({symbol: image})
        for k, symbol in enumerate(_sorted(expr.free_symbols)):
            sample.setdefault(symbol, GENERIC[k % 6])
        return expr, sample

    def _sign_on_the_line(
        self, expr: sp.Expr, symbol: sp.Symbol, ranges: Mapping[sp.Symbol, Range]
    ) -> int | None:
        rest = {k: v for k, v in ranges.items() if k is not symbol}
        half = sp.Dummy(symbol.name, positive=True)
        signs = {self.sign(expr.xreplace({symbol: s * half}), rest) for s in (1, -1)}
        at_zero = self.sign(expr.xreplace({symbol: sp.Integer(0)}), rest)
        signs.discard(0)
        if len(signs) == 1 and None not in signs and at_zero in (*signs, 0):
            return signs.pop()
        return 0 if not signs else None


def interior(lower: sp.Expr, upper: sp.Expr, parameters: Assumptions) -> float:
    """Return a generic point between two ends, at the generic parameters."""
    low = -math.inf if lower == -sp.oo else floating_value(lower, parameters.sample)
    high = math.inf if upper == sp.oo else floating_value(upper, parameters.sample)
    if math.isinf(low) and math.isinf(high):
        return 0.3310732
    if math.isinf(high):
        return low + 0.8310732
    return high - 0.8310732 if math.isinf(low) else low + 0.4310732 * (high - low)


def _sorted(symbols: set[sp.Symbol]) -> list[sp.Symbol]:
    return sorted(symbols, key=sp.default_sort_key)


def _sign_of_factors(expr: sp.Expr, sample: Mapping[sp.Symbol, float]) -> int | None:
    """Return the product of the signs of the factors, each of them definite."""
    content, factors = Algebra(sample).factors(expr)
    if content == 0:
        return 0
    sign = int(sp.sign(content))
    for base, exponent in factors:
        if exponent.is_Integer and exponent % 2 == 0:
            continue
        one = sign_of_polynomial(base)
        if one is None:
            return None
        sign *= one
    return sign


def sign_of_polynomial(base: sp.Expr) -> int | None:
    """Return the sign of an irreducible factor in positive symbols, if it has one."""
    signs = {_sign_of_term(term) for term in sp.Add.make_args(base)}
    if len(signs) == 1:
        return signs.pop()
    free = base.free_symbols
    if len(free) == 1 and next(iter(free)).is_positive:
        symbol = free.pop()
        if not all(e.is_Rational for e in _powers(base, symbol)):
            return None  # left to the certificates of `sign_on_positive`
        numbers = base.atoms(sp.exp, sp.log, sp.NumberSymbol, sp.Pow)
        if any(number.is_number and not number.is_Rational for number in numbers):
            return sign_by_roots(base, symbol)
        found = sign_on_positive(base.xreplace({symbol: r}), r)
        return {">0": 1, ">=0": 1, "<0": -1, "<=0": -1, "=0": 0}.get(found.sign)
    if len(free) == 1 and base.is_polynomial(*free):
        poly = sp.Poly(base, *free)
        return None if poly.count_roots() else int(sp.sign(poly.eval(0)))
    if not free:
        return int(sp.sign(base)) if base.is_positive or base.is_negative else None
    return None


def sign_by_roots(base: sp.Expr, symbol: sp.Symbol) -> int | None:
    """Return the sign of a sum of powers on the positive half line, its roots enclosed by balls.

    None where it has a root there, or where balls do not tell.
    """
    found = sp.collect(sp.expand(base), symbol, evaluate=False)
    powers = {one.as_base_exp()[1] if one.has(symbol) else sp.S.Zero: found[one] for one in found}
    scale, least = math.lcm(*(int(power.q) for power in powers)), min(powers)
    coefficients = [arb(0)] * (int((max(powers) - least) * scale) + 1)
    with ctx.workprec(BITS):
        try:
            for power, constant in powers.items():
                coefficients[int((power - least) * scale)] = enclose(constant)
            roots = acb_poly(coefficients).roots()
        except (NoEnclosure, ValueError, ZeroDivisionError):
            return None
        if any(root.imag.contains(0) and not root.real < 0 for root in roots):
            return None
        value = sum(coefficients, arb(0))
        return 1 if value > 0 else -1 if value < 0 else None


def _powers(base: sp.Expr, symbol: sp.Symbol) -> list[sp.Expr]:
    """Return the exponents of a symbol in a sum of its powers; nan for any other term."""
    terms = (term.as_independent(symbol)[1].as_base_exp() for term in sp.Add.make_args(base))
    return [e if b == symbol else sp.Integer(0) if b == 1 else sp.nan for b, e in terms]


def _sign_of_term(term: sp.Expr) -> int | None:
    if term.is_positive:
        return 1
    return -1 if term.is_negative else None
