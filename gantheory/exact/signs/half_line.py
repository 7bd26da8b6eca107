r"""The exact sign of an expression on (0, ∞): a proof, a counterexample, or the reason for neither.

Three routes, the cheapest first: signs of factors with positive symbols; root isolation where the
expression is rational in a root of r; else an enclosure of a `LogForm` over the whole half-line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import sympy
from flint import arb, fmpq, fmpz_poly
from sympy import Rational

from gantheory.deadline import Undecided
from gantheory.exact.signs.balls import NoEnclosure, enclose
from gantheory.exact.signs.enclosure import certified_sign
from gantheory.exact.signs.logforms import (
    LogForm,
    NotALogForm,
    log_form,
    positive_roots,
    root_of,
)
from gantheory.exact.signs.rationals import simplest
from gantheory.records import How

SECONDS = 2.0  # for one certificate; those of the named divergences take milliseconds
LONG = 100  # operations: the sign of what is longer is not asked of sympy, which evaluates it often


@dataclass(frozen=True)
class SignResult:
    """What the sign of an expression is on all of (0, ∞), and how that is known.

    Attributes:
        sign: ``">0"``, ``"<0"``, ``">=0"`` or ``"<=0"`` (a zero is there or not excluded),
            ``"=0"``, ``"mixed"`` or ``"undecided"``.
        how: `How.PROVED` by exact algebra, `How.CERTIFIED` by ball arithmetic, else undecided.
        counterexample: a rational r where the expression is certainly negative, if there is one.
        reason: how it was found, or why not.
    """

    sign: str
    how: How
    counterexample: Rational | None = None
    reason: str = ""

    @property
    def is_nonnegative(self) -> bool | None:
        """Whether the expression is nowhere negative; None where undecided."""
        if self.counterexample is not None:
            return False
        return None if self.sign == "undecided" else self.sign in {">0", ">=0", "=0"}


def sign_on_positive(
    expression: sympy.Expr,
    r: sympy.Symbol,
    *,
    intervals: Mapping[sympy.Symbol, tuple[sympy.Expr, sympy.Expr]] | None = None,
    seconds: float = SECONDS,
) -> SignResult:
    """Decide the sign of ``expression`` for all r > 0 and all legal values of its parameters.

    Args:
        expression: in ``r`` and parameters; a parameter that sympy does not know to be positive
            needs an entry in ``intervals``.
        r: the density ratio.
        intervals: the open interval of each parameter that is not simply positive.
        seconds: the time limit of the certificate.

    >>> r = sympy.Symbol("r", positive=True)
    >>> sign_on_positive(1 / (r**2 * (1 + r)), r).sign
    '>0'
    >>> sign_on_positive(2 * (1 - r) / (r * (1 + r) ** 3), r).counterexample
    2
    >>> sign_on_positive(r * sympy.log(r) - r + 1, r).how
    <How.CERTIFIED: 'certified'>
    """
    expression = sympy.sympify(expression, strict=True)
    expression = _with_positive_parameters(expression, intervals or {})
    sign = _sign_of_factors(expression)
    if sign is not None:
        return _known(sign, "the signs of its factors")
    if expression.free_symbols - {r}:
        return _sign_of_coefficients(expression, r)
    root = root_of(expression, r)
    try:
        form = log_form(expression, r, root)
        return (
            _sign_of_rational(form, root) if form.is_rational else _certified(form, root, seconds)
        )
    except (NotALogForm, Undecided) as reason:
        return _probed(expression, r, str(reason))


def _known(sign: str, reason: str) -> SignResult:
    witness = Rational(1) if sign == "<0" else None
    return SignResult(sign, How.PROVED, witness, reason)


def _with_positive_parameters(
    expression: sympy.Expr, intervals: Mapping[sympy.Symbol, tuple[sympy.Expr, sympy.Expr]]
) -> sympy.Expr:
    """Write each parameter as a function of a positive one that runs through its interval."""
    images: dict[sympy.Symbol, sympy.Expr] = {}
    for symbol, (lower, upper) in intervals.items():
        free = sympy.Dummy(symbol.name, positive=True)
        lower, upper = sympy.sympify(lower), sympy.sympify(upper)
        if lower.is_finite and upper.is_finite:
            images[symbol] = lower + (upper - lower) * free / (1 + free)
        elif lower.is_finite:
            images[symbol] = lower + free
        elif upper.is_finite:
            images[symbol] = upper - free
    return expression.xreplace(images)


def _sign_of_factors(expression: sympy.Expr) -> str | None:
    """Return the strict sign that sympy's assumptions give, or that of a product of factors."""
    return _strict_sign(_with_plain_numbers(expression))


def _strict_sign(expression: sympy.Expr) -> str | None:
    if expression.count_ops() <= LONG:
        if expression.is_zero:
            return "=0"
        if expression.is_positive:
            return ">0"
        if expression.is_negative:
            return "<0"
    if not isinstance(expression, sympy.Mul):
        return None
    factors = [factor.as_base_exp() for factor in expression.args]
    signs = [_strict_sign(base if power.is_Integer else base**power) for base, power in factors]
    if not all(sign in {">0", "<0"} for sign in signs):
        return None
    falls = sum(s == "<0" and p % 2 == 1 for s, (_, p) in zip(signs, factors, strict=True))
    return "<0" if falls % 2 else ">0"


def _with_plain_numbers(expression: sympy.Expr) -> sympy.Expr:
    """Put symbols of the same sign for exponentials and such of numbers.

    Sympy evaluates them each time that it is asked for a sign: sums of many take it minutes.
    """
    if expression.is_Atom or not expression.has(sympy.exp, sympy.log):
        return expression
    if expression.is_number:
        try:
            value = enclose(expression)
        except NoEnclosure:
            return expression
        free = sympy.Dummy(positive=True)
        return free if value > 0 else -free if value < 0 else expression
    parts = expression.args
    if expression.is_Add:
        numbers = [part for part in parts if part.is_number]
        parts = (sympy.Add(*numbers), *(part for part in parts if not part.is_number))
    return expression.func(*map(_with_plain_numbers, parts))


def _sign_of_coefficients(expression: sympy.Expr, r: sympy.Symbol) -> SignResult:
    """Decide an expression with parameters by the factors of its numerator and denominator."""
    numerator, denominator = sympy.fraction(sympy.together(sympy.powsimp(expression)))
    alone, sign, strict = sympy.Integer(1), 1, True
    unknown = []
    for factor, power in (*_factors(numerator), *_factors(denominator)):
        known = _sign_of_factors(factor) or _one_sign(factor)
        if known == "=0":
            return _known("=0", "its numerator is zero")
        if known is not None:
            sign *= -1 if known == "<0" and power % 2 else 1
        elif not factor.free_symbols - {r}:
            alone *= factor**power
        elif power % 2 == 0:
            strict = False  # a square that legal parameters may make zero
        else:
            unknown.append(factor)
    if unknown:
        return _depends(unknown, expression.free_symbols - {r})
    return _weakened(sign_on_positive(sign * alone, r), strict)


def _factors(expression: sympy.Expr) -> list[tuple[sympy.Expr, int]]:
    """Return factors with integer powers; the constant one first."""
    try:
        constant, factors = sympy.factor_list(expression)
    except sympy.PolynomialError:
        parts = [part.as_base_exp() for part in sympy.Mul.make_args(expression)]
        return [(b, int(e)) if e.is_Integer else (b**e, 1) for b, e in parts]
    return [(constant, 1), *factors]


def _depends(unknown: list[sympy.Expr], parameters: set[sympy.Basic]) -> SignResult:
    names = ", ".join(sorted(str(symbol) for symbol in parameters))
    shown = " and of ".join(str(factor)[:80] for factor in unknown)
    reason = f"it depends on the parameters {names} through the sign of {shown}"
    return SignResult("undecided", How.UNDECIDED, None, reason)


def _weakened(result: SignResult, strict: bool) -> SignResult:
    """Return the sign of a product with a further factor that is positive, or not negative."""
    if strict or result.sign in {">=0", "<=0", "=0", "undecided"}:
        return result
    if result.sign == ">0":
        return SignResult(">=0", result.how, None, result.reason)
    return SignResult("undecided", How.UNDECIDED, None, "a factor may be zero for legal parameters")


def _one_sign(expression: sympy.Expr) -> str | None:
    """Return the strict sign of a sum of products of positive quantities, if it has one."""
    signs = {_sign_of_factors(term) for term in sympy.Add.make_args(sympy.expand(expression))}
    return signs.pop() if len(signs) == 1 else None


def _sign_of_rational(form: LogForm, root: int) -> SignResult:
    """Decide a rational form by isolating the roots of numerator × denominator."""
    if form.is_zero:
        return _known("=0", "it is identically zero")
    product = fmpz_poly((form.numerator * form.denominator).numer())
    roots = positive_roots(product)
    points = _points_between([(low, high) for low, high, _ in roots])
    values = [product(point) for point in points]
    negative = next((p for p, v in zip(points, values, strict=True) if v < 0), None)
    witness = None if negative is None else as_rational(negative) ** root
    positive = any(value > 0 for value in values)
    if positive and negative is not None:
        return SignResult("mixed", How.PROVED, witness, _changes(roots))
    strict = not roots
    reason = "no root on (0, oo)" if strict else "every root on (0, oo) has even multiplicity"
    sign = (">" if positive else "<") + ("0" if strict else "=0")
    return SignResult(sign, How.PROVED, witness, reason)


def _changes(roots: tuple[tuple[fmpq, fmpq, int], ...]) -> str:
    places = [float(as_rational((low + high) / 2)) for low, high, k in roots if k % 2]
    return f"sign changes at {len(places)} point(s) of (0, oo)"


def _points_between(roots: list[tuple[fmpq, fmpq]]) -> list[fmpq]:
    """Return one short rational in each gap that isolated roots leave on (0, ∞)."""
    if not roots:
        return [fmpq(1)]
    inner = [simplest(a[1], b[0]) for a, b in pairwise(roots)]
    return [simplest(fmpq(0), roots[0][0]), *inner, simplest(roots[-1][1], roots[-1][1] + 2)]


def as_rational(value: fmpq) -> Rational:
    """Return an exact sympy rational."""
    return Rational(int(value.p), int(value.q))


def _certified(form: LogForm, root: int, seconds: float) -> SignResult:
    """Decide a form with logarithms by enclosures over the whole half-line."""
    sign, negative, reason = certified_sign(form, seconds=seconds)
    witness = None if negative is None else as_rational(negative) ** root
    return SignResult(sign, How.CERTIFIED, witness, reason)


_PROBES = tuple(Rational(2) ** k for k in (0, -1, 1, -3, 3, -6, 6, -12, 12, -24, 24))


def _probed(expression: sympy.Expr, r: sympy.Symbol, reason: str) -> SignResult:
    """Enclose the expression at a few points: enough to refute, never to prove."""
    plain = _with_plain_numbers(expression)
    if plain.count_ops() <= LONG and (plain.is_nonnegative or plain.is_nonpositive):
        sign = ">=0" if plain.is_nonnegative else "<=0"
        return SignResult(sign, How.PROVED, None, "a square, or a sum of them")
    negative = positive = None
    for point in _PROBES:
        try:
            value = enclose(expression, {r: arb(fmpq(int(point.p), int(point.q)))})
        except NoEnclosure:
            break
        negative = point if negative is None and value < 0 else negative
        positive = point if positive is None and value > 0 else positive
    if negative is not None and positive is not None:
        return SignResult("mixed", How.CERTIFIED, negative, f"enclosed at {negative}, {positive}")
    return SignResult("undecided", How.UNDECIDED, negative, reason)
