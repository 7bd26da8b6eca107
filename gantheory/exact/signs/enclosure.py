r"""The certified sign of a `LogForm` on an interval with exact ends.

On (0, 1] in x, and after x → 1/x on the other half-line:

* at an end, the form is :math:`\sum_j A_j(y) (\log y)^j` with analytic A. Its leading term
  :math:`y^v(\log y)^j` is found by exact Taylor coefficients, so that an equality at an end or at
  r = 1 is proved, not observed. The form divided by its leading term is then enclosed on (0, ε]:
  the vth Taylor coefficient of A over the ball [0, ε] encloses A(y)/y^v there.
* between the ends, bisection with Taylor enclosures in ball arithmetic until each box is decided.

What is trusted: Arb's enclosures and exact polynomials, through python-flint.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from flint import arb, arb_poly, arb_series, ctx, fmpq, fmpq_poly, fmpz_poly

from gantheory.deadline import Undecided, count_cut
from gantheory.exact.signs.balls import NoEnclosure, enclose
from gantheory.exact.signs.logforms import (
    LOG_X,
    ONE,
    Generator,
    LogForm,
    Monomial,
    positive_roots,
)
from gantheory.exact.signs.rationals import simplest

PRECISIONS = (96, 384)  # bits: the second where cancellation defeats the first
ORDERS = (6, 12, 24, 48)  # Taylor orders tried for the leading term at an end
MOST_BITS = 2048  # for the sign of one constant
SMALLEST_END = 200  # an end is enclosed on (0, 2^-k] for some k up to this
TAYLOR = 4  # order of the enclosure of a box
NARROWEST = 40  # boxes narrower than 2^-40 of their place are given up


@dataclass(frozen=True)
class IntervalSign:
    """The sign of a form on an open interval.

    Attributes:
        sign: 1 or -1 where it is positive or negative throughout, 0 where it is
            identically zero, None where it takes both strict signs.
        negative: a rational point where it is negative, if there is one.
        touch: the order to which it vanishes at the right end; negative for a pole.
        boxes: how many boxes were enclosed between the ends; a polynomial takes none.
        strict: whether it has no zero in the interval.
    """

    sign: int | None
    negative: fmpq | None = None
    touch: int = 0
    boxes: int = 0
    strict: bool = True


def means(boxes: int) -> str:
    """Say in words by what the sign of a form with logarithms was found, in so many boxes.

    >>> means(0), means(1)
    ('series at the ends', 'interval arithmetic on 1 piece, and series at the ends')
    """
    if not boxes:
        return "series at the ends"
    pieces = "1 piece" if boxes == 1 else f"{boxes} pieces"
    return f"interval arithmetic on {pieces}, and series at the ends"


@dataclass(frozen=True)
class _End:
    """The leading term y^power·(log y)^logs of a form at y → 0+, and its exact sign there."""

    power: int
    logs: int
    sign: int
    valuations: dict[int, int]


def sign_on_unit_interval(form: LogForm, *, seconds: float = 2.0) -> IntervalSign:
    """Decide the sign of ``form`` on the open interval 0 < x < 1.

    Raises:
        Undecided: where no certificate was found, with the reason.
    """
    stop = time.thread_time() + seconds
    form, pole = without_denominator(form)
    found = _sign_without_denominator(form, stop)
    return replace(found, touch=found.touch - pole)


def _sign_without_denominator(form: LogForm, stop: float) -> IntervalSign:
    if form.is_zero:
        return IntervalSign(0, strict=False)
    if form.is_rational:
        return _sign_of_polynomial(fmpz_poly(form.numerator.numer()))
    for bits in PRECISIONS:
        try:
            with ctx.workprec(bits):
                return _enclosed_sign(form, stop)
        except Undecided as reason:
            found = reason
    raise found


def _enclosed_sign(form: LogForm, stop: float) -> IntervalSign:
    charts = form, form.shift(fmpq(1), -1)
    ends = [leading_term(chart) for chart in charts]
    widths = [_width_of_end(chart, end) for chart, end in zip(charts, ends, strict=True)]
    touch = ends[1].power
    places = widths[0] / 2, 1 - widths[1] / 2
    if ends[0].sign != ends[1].sign:
        return IntervalSign(None, places[0] if ends[0].sign < 0 else places[1], touch)
    sign, opposite, boxes = ends[0].sign, None, 0
    if widths[0] + widths[1] < 1:
        opposite, boxes = _scan(form, widths[0], 1 - widths[1], sign, stop)
    if opposite is not None:
        return IntervalSign(None, opposite if sign > 0 else places[0], touch, boxes)
    return IntervalSign(sign, places[0] if sign < 0 else None, touch, boxes)


def _sign_of_polynomial(poly: fmpz_poly) -> IntervalSign:
    """Decide a polynomial on (0, 1) by root isolation."""
    touch = 0
    while poly(1) == 0:
        poly, touch = poly // fmpz_poly([-1, 1]), touch + 1
    roots = [root for root in positive_roots(poly) if root[0] < 1]
    if any(high >= 1 for _, high, _ in roots):
        raise Undecided("a root could not be told apart from 1")
    ends = [fmpq(0), *(end for low, high, _ in roots for end in (low, high)), fmpq(1)]
    points = [simplest(a, b) for a, b in zip(ends[::2], ends[1::2], strict=True)]
    values = [poly(point) * (-1) ** touch for point in points]
    negative = next((p for p, value in zip(points, values, strict=True) if value < 0), None)
    positive = any(value > 0 for value in values)
    sign = None if positive and negative is not None else 1 if positive else -1
    return IntervalSign(sign, negative, touch, 0, not roots)


def without_denominator(form: LogForm) -> tuple[LogForm, int]:
    """Return a form without denominator of the same sign on (0, 1), and the pole's order at 1."""
    poly, order = fmpz_poly(form.denominator.numer()), 0
    while poly(1) == 0:
        poly, order = poly // fmpz_poly([-1, 1]), order + 1
    if any(low < 1 for low, _, _ in positive_roots(poly)):
        raise Undecided("it has a pole in (0, oo)")
    positive = poly(1) * (-1) ** order > 0
    return LogForm(form.terms if positive else (-form).terms, fmpq_poly([1])), order


Expansion = dict[tuple[int, Monomial], fmpq_poly]


def expand(form: LogForm, order: int) -> Expansion:
    """Return the exact expansion at y = 0+: (power of log y, constants) -> series in y."""
    total: Expansion = {}
    for monomial, poly in form.terms.items():
        part: Expansion = {(0, ONE): poly.truncate(order)}
        for generator, exponent in monomial:
            for _ in range(exponent):
                part = _multiply(part, _expand_generator(generator, order), order)
        for key, series in part.items():
            total[key] = total.get(key, fmpq_poly([])) + series
    return total


def _multiply(left: Expansion, right: Expansion, order: int) -> Expansion:
    result: Expansion = {}
    for (i, a), f in left.items():
        for (j, b), g in right.items():
            exponents = dict(a)
            for generator, exponent in b:
                exponents[generator] = exponents.get(generator, 0) + exponent
            key = i + j, frozenset(exponents.items())
            result[key] = result.get(key, fmpq_poly([])) + f.mul_low(g, order)
    return result


def _expand_generator(generator: Generator, order: int) -> Expansion:
    if generator == LOG_X:
        return {(1, ONE): fmpq_poly([1])}
    if not isinstance(generator, tuple) or len(generator) == 1:
        return {(0, frozenset([(generator, 1)])): fmpq_poly([1])}
    constant = fmpq(generator[0])
    result = {(0, ONE): _log_series([fmpq(c) / constant for c in generator], order)}
    for prime, multiplicity in constant.numer().factor():
        result[0, frozenset([((int(prime),), 1)])] = fmpq_poly([multiplicity])
    return result


def _log_series(g: list[fmpq], order: int) -> fmpq_poly:
    """Return log g(y) to O(y^order) for g(0) = 1, by n·c_n = n·g_n − Σ k·c_k·g_(n−k)."""
    g = g[:order] + [fmpq(0)] * (order - len(g))
    c = [fmpq(0)] * order
    for n in range(1, order):
        c[n] = g[n] - sum((k * c[k] * g[n - k] for k in range(1, n)), fmpq(0)) / n
    return fmpq_poly(c)


def leading_term(form: LogForm) -> _End:
    """Return the leading term at y → 0+, exactly."""
    for order in ORDERS:
        expansion = expand(form, order)
        for power in range(order):
            for logs in sorted({key[0] for key in expansion}, reverse=True):
                constant = _coefficient(expansion, logs, power)
                if constant:
                    sign = sign_of_logs(constant) * (-1) ** logs
                    return _End(power, logs, sign, _valuations(expansion, order))
    raise Undecided(f"it vanishes at an end to order {ORDERS[-1]} or more")


def _coefficient(expansion: Expansion, logs: int, power: int) -> dict[Monomial, fmpq]:
    found = {key[1]: series[power] for key, series in expansion.items() if key[0] == logs}
    return {monomial: value for monomial, value in found.items() if value != 0}


def _valuations(expansion: Expansion, order: int) -> dict[int, int]:
    """Return for each power of log y the exact order of vanishing of its coefficient."""
    result = {}
    for logs in {key[0] for key in expansion}:
        powers = (k for k in range(order) if _coefficient(expansion, logs, k))
        result[logs] = next(powers, order)
    return result


def sign_of_logs(constant: dict[Monomial, fmpq]) -> int:
    """Return the sign of a formally non-zero constant: enclosed away from zero, or undecided."""
    bits = 64
    while bits <= MOST_BITS:
        with ctx.workprec(bits):
            ball = sum((arb(c) * _value(m) for m, c in constant.items()), arb(0))
        if ball > 0 or ball < 0:
            return 1 if ball > 0 else -1
        bits *= 2
    raise Undecided("a constant in it may be zero, and no exact rule says so")


def _value(monomial: Monomial) -> arb:
    product = arb(1)
    for generator, exponent in monomial:
        product *= _constant_value(generator) ** exponent
    return product


def _constant_value(generator: Generator) -> arb:
    if isinstance(generator, tuple):
        return arb(generator[0]).log()
    try:
        return enclose(generator)
    except NoEnclosure as error:
        raise Undecided(str(error)) from None


def _width_of_end(form: LogForm, end: _End) -> fmpq:
    """Return a width 2^-k such that the form has the end's sign on all of (0, 2^-k]."""
    for k in (*range(1, 24), *range(24, SMALLEST_END, 8)):
        if _end_is_certified(form, end, k):
            return fmpq(1, 2**k)
    raise Undecided(f"no neighbourhood of an end down to 2^-{SMALLEST_END} could be enclosed")


def _end_is_certified(form: LogForm, end: _End, k: int) -> bool:
    width = arb(fmpq(1, 2**k))
    depth = -width.log()
    highest = max(end.valuations.values())
    parts = _log_coefficients(form, _between(fmpq(0), fmpq(1, 2**k)), highest + 1)
    total = arb(0)
    for logs, series in parts.items():
        valuation, over = end.valuations[logs], logs - end.logs
        gain = valuation - end.power
        if over > 0 and not depth * gain > over:  # y^gain·|log y|^over must increase up to width
            return False
        bound = width**gain * depth**over
        total += series[valuation] * (1 if (gain, over) == (0, 0) else _between_balls(bound, over))
    return bool(total * end.sign * (-1) ** end.logs > 0)


def _between_balls(bound: arb, over: int) -> arb:
    """Return an enclosure of y^gain·(log y)^over from a bound on its absolute value."""
    return arb(0).union(bound if over % 2 == 0 else -bound)


def _between(lower: fmpq, upper: fmpq) -> arb:
    return arb(lower).union(arb(upper))


def _log_coefficients(form: LogForm, ball: arb, length: int) -> dict[int, arb_series]:
    """Return the jets over ``ball`` of the coefficients of each power of log y."""
    result: dict[int, arb_series] = {}
    cache: dict[Generator, arb_series] = {}
    for monomial, poly in form.terms.items():
        logs, part = 0, _jet(poly, ball, length)
        for generator, exponent in monomial:
            if generator == LOG_X:
                logs = exponent
                continue
            if generator not in cache:
                cache[generator] = _generator_jet(generator, ball, length)
            for _ in range(exponent):
                part = part * cache[generator]
        result[logs] = result[logs] + part if logs in result else part
    return result


def _jet(poly: fmpq_poly, ball: arb, length: int) -> arb_series:
    shifted = arb_poly(poly)(arb_poly([ball, 1]))
    return _series([shifted[k] for k in range(min(length, shifted.length()))], length)


def _series(coefficients: list[arb], length: int) -> arb_series:
    return arb_series(coefficients, prec=length)


def _generator_jet(generator: Generator, ball: arb, length: int) -> arb_series:
    if isinstance(generator, tuple) and len(generator) > 1:
        return _jet(fmpq_poly(list(generator)), ball, length).log()
    return _series([_constant_value(generator)], length)


def _full_jet(form: LogForm, ball: arb, length: int) -> arb_series:
    parts = _log_coefficients(form, ball, length)
    log_y = _series([ball, arb(1)], length).log()
    total = _series([], length)
    for logs, series in parts.items():
        for _ in range(logs):
            series = series * log_y
        total = total + series
    return total


def form_at(form: LogForm, point: fmpq) -> arb:
    """Return an enclosure of the form's value at a rational point x > 0."""
    over = form.denominator(point)
    return _full_jet(form, arb(point), 1)[0] / arb(over)


def _scan(
    form: LogForm, lower: fmpq, upper: fmpq, sign: int, stop: float
) -> tuple[fmpq | None, int]:
    """Show that the form has ``sign`` on [lower, upper], or return a point of the other sign."""
    boxes, stack = 0, [(lower, upper)]
    while stack:
        a, b = stack.pop()
        boxes += 1
        middle = (a + b) / 2
        if _box_is_certified(form, a, b, middle, sign):
            continue
        if form_at(form, middle) * sign < 0:
            return middle, boxes
        late = time.thread_time() > stop
        if (b - a) * 2**NARROWEST < a or late:
            if late:
                count_cut()
            why = "time is up" if late else "it may touch zero"
            raise Undecided(f"{why} near x = {float(middle.p) / float(middle.q):.6g}")
        stack += [(middle, b), (a, middle)]
    return None, boxes


def _box_is_certified(form: LogForm, a: fmpq, b: fmpq, middle: fmpq, sign: int) -> bool:
    """Decide a box by h(c) + h'(c)(x−c) + ... + (x−c)^n·[nth Taylor coefficient over the box]."""
    here = _full_jet(form, arb(middle), TAYLOR)
    whole = _full_jet(form, _between(a, b), TAYLOR + 1)
    step = _between(a - middle, b - middle)
    total = whole[TAYLOR]
    for k in reversed(range(TAYLOR)):
        total = total * step + here[k]
    return bool(total * sign > 0)


def certified_sign(form: LogForm, *, seconds: float = 2.0) -> tuple[str, fmpq | None, str]:
    """Return the sign of ``form`` on x > 0, a point where it is negative, and the reason.

    Raises:
        Undecided: where no certificate was found, with the reason.
    """
    below = sign_on_unit_interval(form, seconds=seconds)
    above = sign_on_unit_interval(form.invert(), seconds=seconds)
    negative = below.negative
    if negative is None and above.negative is not None:
        negative = 1 / above.negative
    signs = {below.sign, above.sign}
    if below.touch < 0:
        raise Undecided("it has a pole at r = 1")
    if signs == {0}:
        return "=0", None, "it is identically zero"
    touch = f", touching zero at r = 1 to order {below.touch}" if below.touch else ""
    by = "root isolation" if form.is_rational else means(below.boxes + above.boxes)
    reason = f"found on (0, oo) by {by}{touch}"
    if None in signs or signs == {1, -1}:
        return "mixed", negative, "both signs are attained, by enclosure"
    sign = ">" if 1 in signs else "<"
    return sign + ("=0" if below.touch else "0"), negative, reason
