"""A second route to a check's answer, that shares no code with the first: floating point.

A formula is evaluated at points, with derivatives by differences and limits by approach. What is
derived of a loss is held against a numerical maximum over the score. A comparison of divergences
is tried on random laws, an integral is done once more by QUADPACK, a game is played, a critic is
maximised on a few points, an enumeration is tried on random laws. None of it proves anything; it
would notice a wrong engine.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from functools import singledispatch
from typing import Any

import numpy as np

from gantheory.formulas import interval
from gantheory.ledger.statements import critics, drawn, floats, integrated, played, scored
from gantheory.ledger.statements.floats import PRECISE, NoRoute, float_value, mp
from gantheory.ledger.statements.games import Play
from gantheory.ledger.statements.kinds import (
    Code,
    Derived,
    Formula,
    Inequality,
    Integral,
    Known,
    OnLaws,
    split_comparison,
)
from gantheory.losses import CATALOGUE
from gantheory.records import How, Verdict
from gantheory.verify import decided

TOLERANCE = 2e-4  # relative to 1 + both sides: of differences of second order
CLOSE = 1e-8  # of numbers of 80 digits: derivatives by differences, limits by approach
SAME = 1e-25  # relative: below it two numbers of 80 digits are the same
LAWS = 200  # random laws that a comparison of divergences is tried on
OPTIMAL = ": the value at the optimal critic is "
Case = tuple[str, Any, Any]  # where, and both sides there


@singledispatch
def again(check: Any) -> Verdict | None:
    """Decide a check by another route; None where there is none."""
    return None


def _judged(
    statement: str, relation: str, cases: Iterable[Case], tolerance: float = TOLERANCE
) -> Verdict | None:
    """Refute at the first case beyond the tolerance; None where no case tells anything.

    Two sides that are as near as that do not tell whether one is strictly the larger, unless
    they are the same within `SAME` in every case.
    """
    count, ties, same = 0, 0, True
    for where, left, right in cases:
        gap = 0.0 if left == right else float(left - right)
        allowed = float(tolerance * (1 + min(abs(left), abs(right))))
        if relation in ("<", ">") and abs(gap) <= allowed:
            ties += 1
            same = same and abs(gap) <= SAME * float(max(abs(left), abs(right)))
            continue
        count += 1
        holds = {"<": gap < 0, "<=": gap <= allowed, ">": gap > 0, ">=": gap >= -allowed,
                 "==": abs(gap) <= allowed}[relation]  # fmt: skip
        if not holds:
            why = f"{where}: {float(left):.6g} {relation} {float(right):.6g} fails"
            return decided(statement, False, why, how=How.MEASURED)
    if ties and not count and same:
        why = f"both sides agree within {SAME:.0e} in all {ties} cases"
        return decided(statement, False, why, how=How.MEASURED)
    seen = "1 case" if count == 1 else f"{count} cases"
    reason = f"{seen} in floating point, within {tolerance:.2g}"
    return decided(statement, True, reason, how=How.MEASURED) if count else None


@again.register
def _(check: Formula) -> Verdict | None:
    left, relation, right = split_comparison(check.text)
    trees = floats.read(left), floats.read(right)
    names = {name for tree in trees for name in floats.free_names(tree)}
    spans = {name: _span(check.where.get(name, "(0, oo)")) for name in sorted(names)}

    def cases() -> Iterator[Case]:
        for point in floats.grid_in(spans):
            at = {name: mp.mpf(x) for name, x in point.items()}
            try:
                sides = float_value(trees[0], at, PRECISE), float_value(trees[1], at, PRECISE)
            except NoRoute:
                continue
            where = ", ".join(f"{name} = {x:.4g}" for name, x in point.items())
            yield where or "the constants", *sides

    return _judged(str(check), relation, cases(), CLOSE)


def _span(text: str) -> tuple[float, float]:
    legal = interval(text)
    return float_value(legal.lower, {}), float_value(legal.upper, {})


@again.register
def _(check: Derived) -> Verdict | None:
    try:
        found = scored.cases(check)
        return None if found is None else _judged(str(check), *found)
    except NoRoute:
        return None


@again.register
def _(check: Play) -> Verdict | None:
    try:
        found = _played_again(check, played.PlayedGame(check.parts()[0]))
    except NoRoute:
        return None
    why = f"{check.asked} is {found}: played in floating point"
    return decided(str(check), found == check.answer, why, how=How.MEASURED)


def _played_again(check: Play, arena: played.PlayedGame) -> str:
    """Return the answer that floating point gives: the one claimed, where it cannot tell."""
    if check.asked == "behaviour":
        return played.behaviour(
            arena, check.method, float_value(floats.read(check.step), {}), check.options
        )
    if check.asked == "conserves":
        return check.answer if played.drift(arena, check.answer) < TOLERANCE else "another"
    if check.asked == "converges_for":
        wrong = played.wrong_step(arena, check.method, check.options, *_span(check.answer))
        return check.answer if wrong is None else f"not that, at step {wrong:.3g}"
    if check.asked == "eigenvalue":
        real, _, imaginary = check.answer.partition(",")
        asked = complex(float_value(floats.read(real), {}), float_value(floats.read(imaginary), {}))
        spectrum = np.linalg.eigvals(played.central_differences(arena.field, arena.rest()))
        near = min(abs(one - asked) for one in spectrum) < 2e-3  # double ones lose half the digits
        return check.answer if near else ", ".join(f"{one:.4g}" for one in spectrum)
    if check.asked == "dominant":
        return str(played.stands(arena, against=True)).lower()
    stands = played.stands(arena)
    if stands is not check.answer.startswith("Nash"):
        return "Nash" if stands else "not Nash"
    return check.answer


@again.register
def _(check: Known) -> Verdict | None:
    try:
        inner = _as_derived(check)
        if inner is not None:
            return again(inner)
        critic, is_value, claimed = check.statement.partition(OPTIMAL)
        return _judged(str(check), "==", critics.cases(critic, claimed)) if is_value else None
    except NoRoute:
        return None


def _as_derived(check: Known) -> Derived | Formula | None:
    """Return the question about a loss that a check of the catalogue asks, where it is one."""
    from gantheory.ledger.published import PARTS

    loss, _, rest = check.statement.partition(": ")
    part = next((name for name, said in PARTS.items() if rest.startswith(f"{said} is ")), None)
    if loss not in CATALOGUE or part is None:
        return None
    text = rest.removeprefix(f"{PARTS[part]} is ")
    printed = next((claim.f for claim in CATALOGUE[loss].claims if claim.f), None)
    if part not in ("slope", "normalised"):
        return Derived(CATALOGUE[loss], part, text)
    if printed is None:
        return None
    spans = {name: span for name, span in CATALOGUE[loss].parameters.items() if name in printed}
    asked = f"diff({printed}, r) == {text}" if part == "slope" else f"at({printed}, r, 1) == {text}"
    return Formula(asked, spans)


@again.register
def _(check: Code) -> Verdict | None:
    found = drawn.cases(check.name, check.arguments)
    return None if found is None else _judged(str(check), "==", found)


@again.register
def _(check: Inequality) -> Verdict | None:
    left, relation, right = split_comparison(check.text)
    trees = floats.read(left), floats.read(right)
    return _judged(str(check), relation, _on_random_laws(trees, check.restricted))


def _on_random_laws(trees: tuple[Any, Any], restricted: bool) -> Iterator[Case]:
    """Yield both sides on random laws; restricted, Q is P on a random event and 0 elsewhere."""
    draw = random.Random(0)
    for _ in range(LAWS):
        size = draw.choice((2, 2, 3, 5))
        weights = [[draw.expovariate(1) ** 3 + 1e-6 for _ in range(size)] for _ in range(2)]
        p, q = (tuple(w / sum(law) for w in law) for law in weights)
        if restricted:
            kept = sum(p[1:])
            q = (1e-15, *(mass / kept for mass in p[1:]))
        try:
            one, other = (
                float_value(tree, floats.divergences_of_masses(tree, p, q)) for tree in trees
            )
            yield f"P = {p}, Q = {q}", one, other
        except NoRoute:
            return


@again.register
def _(check: OnLaws) -> Verdict | None:
    """Compare on the two laws, an empty point having a mass that tends to 0."""
    left, relation, right = split_comparison(check.text)
    p, q = ([float_value(floats.read(x), {}, PRECISE) for x in law] for law in (check.p, check.q))
    trees = floats.read(left), floats.read(right)
    try:
        sides = [_at_empty_points(tree, p, q) for tree in trees]
    except NoRoute:
        return None
    return _judged(str(check), relation, [("the two laws", *sides)], CLOSE)


def _at_empty_points(tree: Any, p: list[Any], q: list[Any]) -> Any:
    found = []
    for k in (6, 12, 18, 24):
        least = mp.mpf(10) ** -k
        one, other = (tuple(max(mass, least) for mass in law) for law in (p, q))
        known = floats.divergences_of_masses(tree, one, other, numbers=PRECISE)
        found.append(float_value(tree, known, PRECISE))
    return floats.limit_of_values(found)


@again.register
def _(check: Integral) -> Verdict | None:
    from gantheory.ledger.survey import half_unit

    try:
        found = integrated.asked_number(check)
    except NoRoute:
        return None
    relation = {"is": "==", "above": ">", "below": "<"}[check.relation]
    printed = half_unit(check.number) if check.relation == "is" and float(check.number) else 0.0
    smaller = min(abs(found), abs(float(check.number)))
    tolerance = max(printed / (1 + smaller), CLOSE)
    return _judged(str(check), relation, [("by QUADPACK", found, float(check.number))], tolerance)
