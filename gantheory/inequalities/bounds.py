r"""Bounds of one divergence by another, and what they say of a comparison of several.

Where a margin rises or falls with a divergence x, its least value for a given pivot z is not below
its value at a bound φ(z) of x, so that a function of z alone decides. Bounds come from three rules:

* the best constant c with x ≤ c·z or x ≥ c·z, and the largest value of x;
* Jensen: with u = log p/q, x = E_P[g(u)] is at most g(KL(P‖Q)) for concave g and at least that for
  convex g, where g(u) = f(e^u)e^(−u) and f(0) = 0; in the same way for KL(Q‖P), and for Jeffreys'
  divergence J with g(J/2) where x is symmetric;
* bounds in the total variation and others that are proved on two points before they are used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import sympy as sp
from flint import fmpq
from mpmath import iv

from gantheory.deadline import Undecided
from gantheory.divergences import DIVERGENCES, FDivergence
from gantheory.exact.signs import sign_on_positive
from gantheory.exact.signs.logforms import LogForm, NotALogForm, log_form, rational
from gantheory.functions import r
from gantheory.inequalities.convex import largest, prove_convex
from gantheory.inequalities.linear import decide_linear
from gantheory.inequalities.statements import Statement, read_statement
from gantheory.inequalities.values import NoInterval, enclosure, is_nonnegative_between
from gantheory.records import How
from gantheory.theory.branches import (
    Branches,
    branch,
    combined_generator,
    generator_formula,
    number_of_form,
)

MEANS = ("kl_pq", "kl_qp", "jeffreys")  # of log p/q
PIVOTS = ("tv", "hellinger2", *MEANS)
KNOWN = (  # each is proved on two points before it is used
    "kl_pq >= 2*tv**2 + 4/9*tv**4",
    "kl_qp >= 2*tv**2 + 4/9*tv**4",
    "kl_pq >= -log(1 - tv**2)",
    "kl_qp >= -log(1 - tv**2)",
    "jeffreys >= 4*tv**2",
    "pearson_chi2 >= 4*tv**2",
    "neyman_chi2 >= 4*tv**2",
    "triangular >= 2*tv**2",
    "jsd >= tv**2/2",
    "hellinger2 >= tv**2/2",
    "tv <= sqrt(hellinger2*(2 - hellinger2))",
    "tv <= sqrt(kl_pq/2)",
    "tv <= sqrt(kl_qp/2)",
)
HALF = sp.Rational(1, 2)


@dataclass(frozen=True)
class _Bound:
    """A bound φ(z) of a divergence, the statement that it is, and whether exact algebra says so."""

    value: sp.Expr
    text: str
    exact: bool = False


@dataclass(frozen=True)
class Certificate:
    """Why a margin is nowhere negative, and how that is known."""

    how: How
    text: str


def certificate_by_jensen(statement: Statement) -> Certificate | None:
    """Return why a margin is nowhere negative, by Jensen's inequality alone; None if not shown."""
    if any(entry.name == "tv" for entry in statement.divergences.values()):
        return None  # |p - q| has a kink at u = 0 and is no mean of a convex or concave g(u)
    return _by_one_pivot(statement, _directions(statement), MEANS, _by_jensen)


def certificate_by_bounds(statement: Statement) -> Certificate | None:
    """Return why a margin is nowhere negative, by bounds of its divergences; None if not shown."""
    directions = _directions(statement)
    pivots = dict.fromkeys([*(d.name for d in statement.divergences.values()), *PIVOTS])
    return _term_by_term(statement, directions) or _by_one_pivot(
        statement, directions, [name for name in pivots if name in DIVERGENCES], _bounds
    )


def _directions(statement: Statement) -> dict[sp.Symbol, int]:
    return {symbol: _direction(statement, symbol) for symbol in statement.divergences}


def _term_by_term(statement: Statement, directions: Mapping[sp.Symbol, int]) -> Certificate | None:
    """Replace what the margin falls with by multiples of the rest, until no term is negative."""
    rising = [symbol for symbol, direction in directions.items() if direction > 0]
    falling = [symbol for symbol, direction in directions.items() if direction < 0]
    if not all(directions.values()) or not statement.margin.is_polynomial(*directions):
        return None
    lists = [list(_multiples(statement.divergences[s], rising, statement)) for s in falling]
    for chosen in product(*lists):
        values = {s: b.value for s, b in zip(falling, chosen, strict=True)}
        terms = sp.Add.make_args(sp.expand(statement.margin.subs(values)))
        if all(term.is_nonnegative for term in terms):
            return Certificate(How.CERTIFIED, f"with {_listed(chosen)}, term by term")
    return None


def _multiples(
    entry: FDivergence, rising: Iterable[sp.Symbol], statement: Statement
) -> Iterator[_Bound]:
    for z in rising:
        if (c := _best_constant(entry, statement.divergences[z], True)) is not None:
            yield _Bound(c * z, f"{entry.name} <= {c * z}")
    if (most := largest(entry)) is not sp.oo:
        yield _Bound(most, f"{entry.name} <= {most}")


def _by_one_pivot(
    statement: Statement,
    directions: Mapping[sp.Symbol, int],
    pivots: Iterable[str],
    bounds: Callable[[FDivergence, sp.Symbol, bool], Iterable[_Bound]],
) -> Certificate | None:
    """Bound every divergence by one of them, or by one that has many bounds."""
    for pivot in pivots:
        z = sp.Symbol(pivot, nonnegative=True)
        others = [symbol for symbol in statement.divergences if symbol != z]
        if not all(directions[symbol] for symbol in others):
            continue
        lists = [list(bounds(statement.divergences[s], z, directions[s] < 0)) for s in others]
        for chosen in product(*lists):
            values = {s: b.value for s, b in zip(others, chosen, strict=True)}
            if how := _nonnegative(statement.margin.subs(values), z):
                exact = all(bound.exact for bound in chosen)
                return Certificate(
                    how if exact else How.CERTIFIED,
                    f"with {_listed(chosen)}, on every value of {pivot}",
                )
    return None


def _listed(bounds: Iterable[_Bound]) -> str:
    return ", ".join(dict.fromkeys(bound.text for bound in bounds))


def _nonnegative(margin: sp.Expr, z: sp.Symbol) -> How | None:
    if _vanishes(margin, z):
        return How.PROVED
    shown = is_nonnegative_between(margin, z, sp.S.Zero, largest(DIVERGENCES[z.name]))
    return How.CERTIFIED if shown else None


def _vanishes(margin: sp.Expr, z: sp.Symbol) -> bool:
    """Return whether a function of exp(z/4) is identically zero, by exact algebra in it."""
    w = sp.Dummy("w", positive=True)
    try:
        return log_form(sp.expand_power_exp(margin.subs(z, 4 * sp.log(1 + w))), w).is_zero
    except NotALogForm:
        return False


def _direction(statement: Statement, symbol: sp.Symbol) -> int:
    """Return 1 or -1 where the margin rises or falls with a divergence, 0 where neither is seen."""
    slope = sp.factor(sp.diff(statement.margin, symbol))
    if slope.is_nonnegative or slope.is_nonpositive:
        return 1 if slope.is_nonnegative else -1
    try:
        ranges = {s: iv.mpf([0, _upper_end(largest(d))]) for s, d in statement.divergences.items()}
        found = enclosure(slope, ranges)
    except NoInterval:
        return 0
    return 1 if found.a >= 0 else -1 if found.b <= 0 else 0


def _upper_end(value: sp.Expr) -> object:
    return iv.inf if value is sp.oo else enclosure(value, {}).b


def _by_jensen(entry: FDivergence, z: sp.Symbol, upper: bool) -> Iterator[_Bound]:
    if value := _jensen(entry, z, upper):
        text = f"{entry.name} {'<=' if upper else '>='} {value} (Jensen)"
        yield _Bound(value, text, exact=True)


def _bounds(entry: FDivergence, z: sp.Symbol, upper: bool) -> Iterator[_Bound]:
    """Yield bounds of a divergence by a pivot, the sharper kinds first."""
    pivot = DIVERGENCES[z.name]
    relation = "<=" if upper else ">="
    for text in KNOWN:
        name, _, bound = text.partition(f" {relation} ")
        if bound and name == entry.name and z.name in bound and _is_proved(text):
            yield _Bound(read_statement(text).right, text, exact=True)
    yield from _by_jensen(entry, z, upper)
    if (c := _best_constant(entry, pivot, upper)) is not None:
        yield _Bound(c * z, f"{entry.name} {relation} {c * z}")
    if not upper:
        yield _Bound(sp.S.Zero, f"{entry.name} >= 0", exact=True)
    elif (most := largest(entry)) is not sp.oo:
        yield _Bound(most, f"{entry.name} <= {most}")


@lru_cache(maxsize=256)
def _is_proved(text: str) -> bool:
    return prove_convex(read_statement(text)).how is How.PROVED


def _jensen(entry: FDivergence, z: sp.Symbol, upper: bool) -> sp.Expr | None:
    """Return g(z) where Jensen's inequality bounds the divergence so, else None."""
    if z.name == "jeffreys":
        symmetric = entry if _is_symmetric(entry) else None
        half = DIVERGENCES["kl_pm"] if entry.name == "jsd" else symmetric
        return None if half is None else _jensen_half(half, "kl_pq", upper, z / 2)
    if z.name in {"kl_pq", "kl_qp"}:
        return _jensen_half(entry, z.name, upper, z)
    return None


def _jensen_half(entry: FDivergence, pivot: str, upper: bool, at: sp.Expr) -> sp.Expr | None:
    g = _mean_under_p(entry, pivot)
    if g is None:
        return None
    bend = sp.expand(r * sp.diff(r * sp.diff(g, r), r))
    found = sign_on_positive(bend, r)
    if found.how is How.PROVED and found.sign in ({"<0", "<=0"} if upper else {">0", ">=0"}):
        return sp.expand(g.subs(r, sp.exp(at)))
    return None


@lru_cache(maxsize=64)
def _mean_under_p(entry: FDivergence, pivot: str) -> sp.Expr | None:
    """Return g with D = E_P[g(p/q)] for all laws (for KL(Q‖P): of D and the laws exchanged)."""
    if DIVERGENCES.get(entry.name) != entry or entry.name == "tv":
        return None
    f = generator_formula(entry)
    if pivot == "kl_qp":
        f = sp.expand(r * f.subs(r, 1 / r))
    start = combined_generator({entry: sp.Integer(1)})
    end = start.at_zero() if pivot == "kl_pq" else start.slope_at_infinity()
    if isinstance(end, int):
        return None
    return sp.expand((f + number_of_form(end) * (r - 1)) / r)


def _is_symmetric(entry: FDivergence) -> bool:
    """Return whether D(P, Q) = D(Q, P): f''(1/r)/r³ = f''(r)."""
    above, below = (sp.diff(branch(entry, side), r, 2) for side in (sp.Integer(2), HALF))
    try:
        return log_form(sp.expand(below.subs(r, 1 / r) / r**3) - above, r, 2).is_zero
    except NotALogForm:
        return False


@lru_cache(maxsize=1024)
def _best_constant(entry: FDivergence, pivot: FDivergence, upper: bool) -> sp.Expr | None:
    """Return the best c among the ratios at the ends and at 1 for which x ≤ c·z (or ≥) is shown."""
    candidates = sorted(_ratios(entry, pivot), key=float, reverse=not upper)
    for c in candidates:
        relation = "<=" if upper else ">="
        statement = _linear(entry, pivot, c, relation)
        try:
            if decide_linear(statement, 0.3).how in {How.PROVED, How.CERTIFIED}:
                return c
        except Undecided:
            return None
    return None


def _linear(entry: FDivergence, pivot: FDivergence, c: sp.Expr, relation: str) -> Statement:
    x, z = (sp.Symbol(one.name, nonnegative=True) for one in (entry, pivot))
    return Statement("", x, relation, c * z, {x: entry, z: pivot})


def _ratios(entry: FDivergence, pivot: FDivergence) -> set[sp.Expr]:
    """Return exact ratios x/z: of f''(1), of f at 0 and at ∞, and of the largest values.

    With f'(1) = 0, as f is bounded below by 0 then.
    """
    found: set[sp.Expr] = set()
    one, other = _level(entry), _level(pivot)
    for top, bottom in (
        (one.at_zero(), other.at_zero()),
        (one.slope_at_infinity(), other.slope_at_infinity()),
    ):
        if isinstance(top, LogForm) and isinstance(bottom, LogForm) and not bottom.is_zero:
            found.add(number_of_form(top) / number_of_form(bottom))
    if largest(entry) is not sp.oo and largest(pivot) is not sp.oo:
        found.add(largest(entry) / largest(pivot))
    bends = [sp.diff(branch(d, sp.Integer(2)), r, 2).subs(r, 1) for d in (entry, pivot)]
    if bends[1] != 0:
        found.add(bends[0] / bends[1])
    return {c for c in found if c.is_positive}


def _level(entry: FDivergence) -> Branches:
    """Return f plus the multiple of r − 1 for which its slopes at 1 are opposite or 0."""
    h = combined_generator({entry: sp.Integer(1)})
    left, right = h.slopes()
    return h.tilted((left + right) * rational(fmpq(-1, 2)))
