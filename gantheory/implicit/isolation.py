"""Functions of the score: their Taylor coefficients on whole intervals, and all of their zeros.

A `Function` evaluates a sympy expression in ball arithmetic, so that what it returns on an
interval contains every value there. Its zeros on an interval are found by bisection until each
part is free of them or the function is monotone on it; near ends that are infinite or singular
the sign is proved by a germ (`gantheory.implicit.germs`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial, reduce

import sympy as sp
from flint import arb, arb_series, ctx, fmpq

from gantheory.deadline import OutOfTime, Undecided, check_time
from gantheory.exact.signs.balls import NoEnclosure, enclose
from gantheory.implicit.constants import sign_of
from gantheory.implicit.monomials import NotSmall
from gantheory.implicit.near import Near
from gantheory.implicit.reals import Real, enclosed
from gantheory.residues import LAWS, logistic_mean_of
from gantheory.smoothed import fermi_series, logistic_normal_series, order_of

BITS = 192
MOST = 8000  # evaluations on intervals for the zeros of one function
MANY, DEEP = 200, 7  # after so many intervals Taylor's formula is taken to this order
SPECK = arb(2) ** -56  # an interval, relative to 1 + abs(t), that is no longer cut
STARTS = (8, 16, 32, 64, 2**10, 2**20, 2**60)  # of germs: s >= S, tried in turn
DEEPEST = 12  # the highest order of a zero that is recognised

Coefficients = Callable[..., arb_series]


def _power(exponent: fmpq | arb) -> Coefficients:
    def raised(u: arb_series) -> arb_series:
        return (u.log() * exponent).exp() if u[0] > 0 else _nothing(u)

    return raised


def _whole(exponent: int) -> Coefficients:
    def raised(u: arb_series) -> arb_series:
        power = reduce(lambda a, b: a * b, [u] * abs(exponent))
        return power if exponent > 0 else _inverse(power)

    return raised


def _nothing(u: arb_series) -> arb_series:
    return arb_series([arb("nan")] * u.prec, prec=u.prec)


def _inverse(u: arb_series) -> arb_series:
    return _nothing(u) if u[0].contains(0) else 1 / u


def _log(u: arb_series) -> arb_series:
    return u.log() if u[0] > 0 else _nothing(u)


def _sigmoid(u: arb_series) -> arb_series:
    if u[0] < 0:  # what is large has a large radius, and what is small a small one
        grown = u.exp()
        return grown * _inverse(1 + grown)
    return _inverse(1 + (-u).exp())


def _softplus(u: arb_series) -> arb_series:
    if u[0] > 0:
        return u + _softplus(-u)
    found = (1 + u.exp()).log()
    rest = [found[k] for k in range(1, u.prec)]
    return arb_series([u[0].exp().log1p(), *rest], prec=u.prec)


OPERATIONS: dict[str, Coefficients] = {
    "Add": lambda *u: sum(u[1:], u[0]), "Mul": lambda *u: reduce(lambda a, b: a * b, u),
    "exp": arb_series.exp, "log": _log, "sigmoid": _sigmoid, "softplus": _softplus,
    "tanh": lambda u: 2 * _sigmoid(2 * u) - 1, "atan": arb_series.atan, "erf": arb_series.erf,
    "erfc": arb_series.erfc,
    "sin": arb_series.sin, "cos": arb_series.cos,
    "fermi_dirac": lambda k, u: fermi_series(order_of(k), u),
    "logistic_normal": lambda k, u, s: logistic_normal_series(order_of(k), u, s[0]),
    **{f"logistic_{law}": partial(logistic_mean_of, law) for law in LAWS},
}  # fmt: skip


class Function:
    """A smooth expression of one symbol, evaluated with all of its parts shared."""

    def __init__(
        self, expr: sp.Expr, t: sp.Symbol, values: Mapping[sp.Symbol, arb] | None = None
    ) -> None:
        self.expr, self.t, self.values = expr, t, values
        self._code: list[tuple[Coefficients, list[int]] | sp.Expr | None] = []
        self._slots: dict[sp.Expr, int] = {}
        self._result = self._place(expr)
        self._constants: dict[int, arb] = {}
        self._bits = 0

    def _place(self, node: sp.Expr) -> int:
        if node in self._slots:
            return self._slots[node]
        step: tuple[Coefficients, list[int]] | sp.Expr | None
        if node == self.t:
            step = None
        elif self.t not in node.free_symbols:
            step = node
        elif isinstance(node, sp.Pow):
            step = self._power(node)
        else:
            name = type(node).__name__
            if name not in OPERATIONS:
                raise Undecided(f"{name} of the score has no enclosure here")
            step = (OPERATIONS[name], [self._place(part) for part in node.args])
        self._code.append(step)
        self._slots[node] = len(self._code) - 1
        return self._slots[node]

    def _power(self, node: sp.Pow) -> tuple[Coefficients, list[int]]:
        base, exponent = node.base, node.exp
        if exponent.is_Integer:
            return _whole(int(exponent)), [self._place(base)]
        if exponent.is_Rational:
            return _power(fmpq(int(exponent.p), int(exponent.q))), [self._place(base)]
        return arb_series.exp, [self._place(exponent * sp.log(base))]

    def __call__(self, place: arb, length: int = 1) -> arb_series:
        """Return the Taylor coefficients at a point, or enclosures of them on an interval."""
        if self._bits != ctx.prec:
            self._constants, self._bits = {}, ctx.prec
        values: list[arb_series] = []
        for k, step in enumerate(self._code):
            if step is None:
                values.append(arb_series([place, arb(1)][:length], prec=length))
            elif isinstance(step, tuple):
                operation, arguments = step
                values.append(operation(*(values[a] for a in arguments)))
            else:
                if k not in self._constants:
                    self._constants[k] = enclosed(step, self.values)
                values.append(arb_series([self._constants[k]], prec=length))
        return values[self._result]

    def value(self, place: arb) -> arb:
        """Return the value."""
        return self(place)[0]

    def sign(self, place: arb) -> int | None:
        """Return the sign at a point, or on an interval; None where it is not known."""
        value = self.value(place)
        if value > 0:
            return 1
        return -1 if value < 0 else 0 if value == 0 else None


def zeros(
    function: Function, lower: Real, upper: Real, name: bool = True, most: int = MOST
) -> list[Real]:
    """Return all zeros between two ends, in order; of a function that is not 0 throughout.

    With ``name`` they are given their exact form where it is simple; ``most`` is how many
    intervals are looked at.

    Raises:
        Undecided: where the sign near an end is not known, or there are too many.
    """
    ends = [inner_end(function, lower, 1, upper), inner_end(function, upper, -1, lower)]
    if ends[0] >= ends[1]:
        return []
    found = _isolated(function, ends[0], ends[1], most)
    return [_named(function, place) for place in found] if name else found


def inner_end(function: Function, end: Real, side: int, other: Real) -> arb:
    """Return a point such that between the end and it the function has no zero."""
    if end.is_finite:
        series = function(end.ball, 2)
        if all(series[k].is_finite() for k in range(2)):
            return end.ball.mid() if end.ball.rad() else end.ball
    if end.exact is None:
        raise Undecided(f"a payoff is singular at t = {end.shown}, which has no exact form")
    least = 1
    if end.is_finite and other.is_finite:
        least = math.ceil(2 / abs(float(other.ball.mid()) - float(end.ball.mid())))
    for start in (max(least, start) for start in STARTS):
        try:
            near(function.t, end.exact, side, start)(function.expr).sign()
        except NotSmall:
            continue
        return end.ball + side / arb(start) if end.is_finite else arb(-side * start)
    raise Undecided(f"the sign of a derivative near t = {end.shown} is not known")


def limit_near(expr: sp.Expr, t: sp.Symbol, end: Real, side: int) -> sp.Expr:
    """Return the exact limit of an expression at an end, from its germ there."""
    for start in STARTS:
        try:
            return near(t, end.exact, side, start)(expr).limit()
        except NotSmall:
            continue
    raise Undecided(f"an expansion at t = {end.shown} is not valid anywhere")


@lru_cache(maxsize=64)
def near(t: sp.Symbol, end: sp.Expr, side: int, start: int) -> Near:
    """Return what makes germs at an end; it remembers those it has made."""
    return Near(t, end, side, start)


def _isolated(function: Function, lower: arb, upper: arb, most: int) -> list[Real]:
    waiting, found, specks, count = [(lower, upper)], [], [], 0
    while waiting:
        check_time()
        low, high = waiting.pop()
        count += 1
        if count > most:
            raise Undecided("a derivative of the payoffs has too many changes of sign to list")
        value, slope = _enclosures(function, low.union(high), 2 if count < MANY else DEEP)
        if value.is_finite() and not value.contains(0):
            continue
        if slope.is_finite() and not slope.contains(0):
            signs = function.sign(low), function.sign(high)
            if signs[0] and signs[1]:
                if signs[0] != signs[1]:
                    found.append(Real(_refined(function, low, high)))
                continue
            if 0 in signs and signs != (0, 0):  # a zero at an end of the part, and no other
                at = low if signs[0] == 0 else high
                if lower < at < upper:
                    found.append(Real(at))
                continue
        middle = ((low + high) / 2 + (high - low) / 64).mid()
        if high - low < SPECK * (1 + abs(middle)):
            specks.append(low.union(high))
            continue
        waiting += [(middle, high), (low, middle)]
    places = _merged([*found, *map(Real, specks)])
    return [place for place in places if lower < place.ball < upper]


def _enclosures(function: Function, box: arb, order: int) -> tuple[arb, arb]:
    """Enclose f and f' on an interval: as they stand, else by Taylor's formula about the middle.

    What stands there several times is counted several times, which the second form does only in
    the remainder of the given order: it sees what is left where products cancel.
    """
    series = function(box, order + 1)
    value, slope = series[0], series[1]
    if not slope.is_finite() or not value.contains(0):
        return value, slope
    centre = function(box.mid(), order)
    reach = box - box.mid()
    last = series[order]
    if not last.is_finite():
        return meet(value, centre[0] + slope * reach), slope
    value = meet(value, centre[0] + slope * reach)
    terms = [*(centre[k] for k in range(order)), last]
    value = meet(value, _summed(terms, reach))
    if slope.contains(0):
        slope = meet(slope, _summed([k * c for k, c in enumerate(terms)][1:], reach))
    return value, slope


def _summed(terms: Sequence[arb], x: arb) -> arb:
    """Return a polynomial's value, its lowest coefficient first."""
    return reduce(lambda total, c: total * x + c, reversed(terms), arb(0))


def _merged(places: Sequence[Real]) -> list[Real]:
    """Sort zeros, and join those that touch."""
    ordered = sorted(places, key=lambda place: float(place.ball.mid()))
    joined: list[Real] = []
    for place in ordered:
        if joined and joined[-1].ball.overlaps(place.ball):
            joined[-1] = Real(joined[-1].ball.union(place.ball))
        else:
            joined.append(place)
    return joined


def _refined(function: Function, low: arb, high: arb) -> arb:
    """Enclose the one zero between two points of opposite signs, where it is monotone."""
    sign = function.sign(low)
    for _ in range(24):
        middle = ((low + high) / 2).mid()
        at = function.sign(middle)
        if at == 0:
            return middle
        if at is None:
            break
        low, high = (middle, high) if at == sign else (low, middle)
    box = low.union(high)
    for _ in range(12):
        middle = box.mid()
        slope = function(box, 2)[1]
        if slope.contains(0) or not slope.is_finite():
            break
        step = middle - function.value(middle) / slope
        if not step.overlaps(box):
            break
        smaller = meet(box, step)
        if smaller.rad() * 4 > box.rad() * 3:
            return smaller
        box = smaller
    return box


def meet(one: arb, other: arb) -> arb:
    """Return a ball that contains what two overlapping balls have in common."""
    low, high = one.lower().max(other.lower()), one.upper().min(other.upper())
    return low.union(high)


def _named(function: Function, place: Real) -> Real:
    """Give a zero its exact form where it is a simple fraction, or the logarithm of one."""
    if place.exact is not None:
        return place
    for exact in candidates(place.ball):
        try:
            if sign_of(function.expr.xreplace({function.t: exact})) == 0:
                return Real(enclose(exact), exact)
        except OutOfTime:
            raise
        except (Undecided, NoEnclosure, ValueError, TypeError):
            continue
    return place


def candidates(ball: arb) -> list[sp.Expr]:
    """Return simple exact numbers within a ball: fractions, and logarithms of fractions."""
    found = []
    for value, function in ((ball, lambda x: x), (ball.exp(), sp.log)):
        simple = _simplest(value)
        if simple is not None:
            found.append(function(simple))
    return found


def _simplest(ball: arb) -> sp.Rational | None:
    if not ball.is_finite() or abs(ball) > 1e6:
        return None
    for denominator in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20, 32, 50, 64, 100, 1000):
        scaled = ball * denominator
        whole = scaled.unique_fmpz() if scaled.rad() < 0.4 else None
        if whole is not None:
            return sp.Rational(int(whole), denominator)
    return None
