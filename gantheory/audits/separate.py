"""From the formula of a batch to payoffs of one score, or to what couples the samples."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy as sp

from gantheory.functions import relu, sigmoid, softplus, t

POINTS = 7  # at which two formulas are compared
TOLERANCE = 1e-11


@dataclass(frozen=True)
class Separated:
    """A loss as a sum over samples, on one side of the batch each.

    Attributes:
        real: what each real sample adds, in ``t``; None where the samples differ.
        fake: what each fake sample adds.
        constant: what no score changes.
        coupled: the terms in which several samples occur.
    """

    real: sp.Expr | None
    fake: sp.Expr | None
    constant: sp.Expr
    coupled: tuple[sp.Expr, ...] = ()


def separate(formula: sp.Expr, real: Sequence[sp.Symbol], fake: Sequence[sp.Symbol]) -> Separated:
    """Split a formula into what each sample adds."""
    found = _by_sample(terms_of_sum(formula), real, fake)
    if found.coupled:
        together = sp.Add(*found.coupled)
        expanded = sp.expand(together, log=False, power_base=False, power_exp=False)
        other = _by_sample(terms_of_sum(formula - together + expanded), real, fake)
        return found if other.coupled else other
    return found


def _by_sample(
    parts: Iterator[sp.Expr], real: Sequence[sp.Symbol], fake: Sequence[sp.Symbol]
) -> Separated:
    owners = {*real, *fake}
    alone: dict[sp.Symbol, list[sp.Expr]] = {leaf: [] for leaf in (*real, *fake)}
    constant, coupled = [], []
    for term in parts:
        found = term.free_symbols & owners
        if not found:
            constant.append(term)
        elif len(found) == 1:
            alone[found.pop()].append(term)
        else:
            coupled.append(term)
    sides = [
        _common([sp.Add(*alone[leaf]).xreplace({leaf: t}) for leaf in side])
        for side in (real, fake)
    ]
    return Separated(sides[0], sides[1], sp.Add(*constant), tuple(coupled))


def terms_of_sum(formula: sp.Expr, factor: sp.Expr = sp.S.One) -> Iterator[sp.Expr]:
    """Yield the terms of a sum, numbers multiplied out and nothing else."""
    number, rest = _number_times(formula)
    if rest.is_Add:
        for term in rest.args:
            yield from terms_of_sum(term, factor * number)
    else:
        yield factor * number * rest


def _number_times(formula: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    number, rest = formula.as_independent(*formula.free_symbols, as_Add=False)
    return (formula, sp.Integer(1)) if not formula.free_symbols else (number, rest)


def _common(formulas: Sequence[sp.Expr]) -> sp.Expr | None:
    """Return the formula that all samples share."""
    if not formulas:
        return sp.Integer(0)
    first = formulas[0]
    return first if all(same_up_to_constant(first, other) for other in formulas[1:]) else None


def same_up_to_constant(left: sp.Expr, right: sp.Expr) -> bool:
    """Return whether two formulas of ``t`` are the same function, up to a constant."""
    if left == right:
        return True
    found = ratio(left, right)
    return found is not None and abs(found - 1) < TOLERANCE


def ratio(left: sp.Expr, right: sp.Expr) -> float | None:
    """Return k with left = k·right + constant, or None; 0 = k·0 gives 1."""
    points = _points()
    a, b = _changes(left, points), _changes(right, points)
    if a is None or b is None:
        return None
    size = sum(abs(y) for y in b)
    if size == 0:
        return 1.0 if not any(a) else None
    k = sum(x * y for x, y in zip(a, b, strict=True)) / sum(y * y for y in b)
    off = max(abs(x - k * y) for x, y in zip(a, b, strict=True))
    return k if off <= 1e-9 * max(map(abs, a), default=0.0) + 1e-13 else None


def _points() -> list[float]:
    drawn = random.Random(20261127)
    return [drawn.uniform(-0.95, 0.45) for _ in range(3)] + [
        drawn.uniform(-2.9, 2.9) for _ in range(POINTS - 3)
    ]


def _changes(formula: sp.Expr, points: Sequence[float]) -> list[float] | None:
    function = numeric(formula)
    values = [function(point) for point in points]
    finite = [v for v in values if v is not None]
    if len(finite) < 3:
        return None
    return [0.0 if v is None else v - finite[0] for v in values]


def numeric(formula: sp.Expr) -> Callable[[float], float | None]:
    """Return a formula of ``t`` as a function of a float; None where it is not real."""

    def at(point: float) -> float | None:
        value = formula.xreplace({t: sp.Float(point, 30)})
        try:
            return float(sp.N(value, 20))
        except (TypeError, ValueError):
            return None

    return at


def shift_free(formula: sp.Expr, leaves: Sequence[sp.Symbol]) -> bool:
    """Return whether a formula stays the same when all scores move together."""
    moved = formula.xreplace({leaf: leaf + sp.Rational(7, 10) for leaf in leaves})
    drawn = random.Random(4)
    at = {leaf: sp.Float(drawn.uniform(-2, 2), 30) for leaf in leaves}
    try:
        return abs(float(sp.N((moved - formula).xreplace(at), 20))) < 1e-12
    except (TypeError, ValueError):
        return False


def coupling(separated: Separated, real: Sequence[sp.Symbol], fake: Sequence[sp.Symbol]) -> str:
    """Name what couples the samples: ``relativistic-paired``, ``relativistic-average``, ..."""
    leaves = [*real, *fake]
    together = sp.Add(*separated.coupled)
    whole = together
    for side, leaf_list in ((separated.real, real), (separated.fake, fake)):
        if side is not None:
            whole += sp.Add(*(side.xreplace({t: leaf}) for leaf in leaf_list))
    owners = [term.free_symbols & set(leaves) for term in separated.coupled]
    across = [x for x in owners if x & set(real) and x & set(fake)]
    if across and _turns(whole, real, fake):
        return "a distance between real and fake samples, which are treated alike"
    if across and shift_free(whole, leaves):
        if all(len(x) == 2 for x in across):
            partners = {frozenset(x) for x in across}
            paired = {frozenset(pair) for pair in zip(real, fake, strict=False)}
            return "relativistic-paired" if partners <= paired else "relativistic-all-pairs"
        if all(
            _by_means(term, (real, fake))
            for term, x in zip(separated.coupled, owners, strict=True)
            if x in across and len(x) > 2
        ):
            return "relativistic-average"
    if across:
        return "couples real with fake samples"
    return "couples the samples of one side"


def _turns(whole: sp.Expr, real: Sequence[sp.Symbol], fake: Sequence[sp.Symbol]) -> bool:
    """Return whether nothing changes when real and fake scores are exchanged."""
    pairs = [*zip(real, fake, strict=False), *zip(fake, real, strict=False)]
    drawn = random.Random(6)
    at = {leaf: sp.Float(drawn.uniform(-2, 2), 30) for leaf in (*real, *fake)}
    try:
        values = [sp.N(f.xreplace(at), 20) for f in (whole, whole.xreplace(dict(pairs)))]
        return abs(float(values[0] - values[1])) < 1e-12 * (1 + abs(float(values[0])))
    except (TypeError, ValueError):
        return False


def _by_means(term: sp.Expr, sides: Sequence[Sequence[sp.Symbol]]) -> bool:
    """Return whether the samples of a side enter a term by their sum alone, or are one."""
    drawn = random.Random(5)
    at = {leaf: sp.Float(drawn.uniform(-2, 2), 30) for side in sides for leaf in side}
    for side in sides:
        slopes = [sp.N(sp.diff(term, leaf).xreplace(at), 20) for leaf in side if term.has(leaf)]
        if any(abs(slope - slopes[0]) > 1e-12 for slope in slopes[1:]):
            return False
    return True


def mean_of_draws(
    formula: sp.Expr, drawn: Mapping[sp.Symbol, tuple[sp.Expr, sp.Expr]]
) -> sp.Expr | None:
    """Return the mean over independent draws, given (mean, variance); None beyond degree two."""
    for symbol in sorted(formula.free_symbols & set(drawn), key=str):
        centre, spread = drawn[symbol]
        second = sp.diff(formula, symbol, 2)
        if second.has(symbol):
            return None
        formula = formula.xreplace({symbol: centre}) + second * spread / 2
    return formula


def squashed(formula: sp.Expr) -> bool:
    """Return whether ``t`` occurs in sigmoids or hyperbolic tangents alone, and not in a log.

    >>> squashed((sigmoid(t) - 1) ** 2), squashed(softplus(t)), squashed(relu(1 - t))
    (True, False, False)
    """
    if formula.has(softplus, sp.log, sp.exp) or not formula.has(sigmoid, sp.tanh):
        return False
    inner = sp.Dummy(real=True)
    replaced = formula.replace(
        lambda e: isinstance(e, sigmoid | sp.tanh), lambda e: inner if e.has(t) else e
    )
    return t not in replaced.free_symbols and bool(
        replaced.has(relu) or sp.degree(replaced, inner) == 2
        if replaced.is_polynomial(inner) or replaced.has(relu)
        else False
    )
