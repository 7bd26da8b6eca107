"""A second route to a check's answer, that shares no code with the first: plain floating point.

A formula is evaluated at points, its derivatives by differences. What is derived of a loss is held
against a numerical maximum over the score, on laws of two points. A comparison of divergences is
tried on random laws, and an integral is done once more by QUADPACK. None of it proves anything;
it would notice a wrong engine.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from functools import singledispatch
from itertools import pairwise
from typing import Any

import numpy as np

from gantheory.formulas import interval
from gantheory.ledger.statements import critics, floats, played
from gantheory.ledger.statements.floats import NoRoute, value
from gantheory.ledger.statements.games import Play
from gantheory.ledger.statements.kinds import (
    Derived,
    Formula,
    Inequality,
    Integral,
    Known,
    OnLaws,
    split_comparison,
)
from gantheory.losses.loss import Loss
from gantheory.records import How, Verdict
from gantheory.verify import decided

TOLERANCE = 2e-4  # relative to 1 + both sides: of differences of second order
FAR = 300.0  # beyond e^FAR a generator is its slope at infinity times r, in floating point
LAWS = 200  # random laws that a comparison of divergences is tried on
Case = tuple[str, float, float]  # where, and both sides there


@singledispatch
def again(check: Any) -> Verdict | None:
    """Decide a check by another route; None where there is none."""
    return None


def _judged(
    statement: str, relation: str, cases: Iterable[Case], tolerance: float = TOLERANCE
) -> Verdict | None:
    """Refute at the first case beyond the tolerance; None where no case tells anything.

    Two sides that are as near as that do not tell whether one is strictly the larger.
    """
    count = 0
    for where, left, right in cases:
        allowed = tolerance * (1 + abs(left) + abs(right))
        gap = 0.0 if left == right else left - right
        if relation in ("<", ">") and abs(gap) <= allowed:
            continue
        count += 1
        holds = {"<": gap < 0, "<=": gap <= allowed, ">": gap > 0, ">=": gap >= -allowed,
                 "==": abs(gap) <= allowed}[relation]  # fmt: skip
        if not holds:
            why = f"{where}: {left:.6g} {relation} {right:.6g} fails"
            return decided(statement, False, why, how=How.MEASURED)
    told = f"{count} cases in floating point, within {tolerance:.2g}"
    return decided(statement, True, told, how=How.MEASURED) if count else None


@again.register
def _(check: Formula) -> Verdict | None:
    left, relation, right = split_comparison(check.text)
    trees = floats.read(left), floats.read(right)
    called = {n for tree in trees for n in _names(tree)}
    names = called - set(floats.FUNCTIONS) - {*floats.CONSTANTS, "diff", "at", "limit"}
    spans = {name: _span(check.where.get(name, "(0, oo)")) for name in sorted(names)}

    def cases() -> Iterator[Case]:
        for point in floats.grid(spans):
            try:
                sides = value(trees[0], point), value(trees[1], point)
            except NoRoute:
                continue
            if all(map(math.isfinite, sides)):
                where = ", ".join(f"{name} = {x:.4g}" for name, x in point.items())
                yield where or "the constants", *sides

    return _judged(str(check), relation, cases())


def _names(tree: Any) -> set[str]:
    import ast

    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _span(text: str) -> tuple[float, float]:
    legal = interval(text)
    return value(legal.lower, {}), value(legal.upper, {})


@again.register
def _(check: Derived) -> Verdict | None:
    parts = {
        "optimal_discriminator": _at_ratios, "equilibrium": _at_equality, "f": _at_ratios,
        "discriminator_loss": _at_equality, "generator_loss": _at_equality,
        "value": _on_two_points, "loss": _on_two_points, "followed": _on_two_points,
    }  # fmt: skip
    if check.part not in parts or check.text == "no divergence":
        return None
    try:
        return _judged(str(check), "==", parts[check.part](_Played(check.loss), check))
    except NoRoute:
        return None


class _Played:
    """A loss with typical numbers, its best score found by golden sections on its own text."""

    def __init__(self, loss: Loss) -> None:
        self.numbers = {name: value(floats.read(x), {}) for name, x in loss.typical.items()}
        self.trees = [floats.read(t) for t in (loss.real, loss.fake, loss.generator, loss.link)]
        lower, upper = (value(end, self.numbers) for end in _ends(loss.domain))
        self.span = max(lower, -60.0), min(upper, 60.0)

    def payoffs(self, t: float) -> tuple[float, ...]:
        """Return a, b, c and the link at a score."""
        names = {**self.numbers, "t": t, "D": floats.FUNCTIONS["sigmoid"](t)}
        return tuple(value(tree, names) for tree in self.trees)

    def best(self, ratio: float) -> float:
        """Return the score that maximises r a + b."""
        from scipy.optimize import minimize_scalar

        def cost(t: float) -> float:
            try:
                real, fake, *_ = self.payoffs(float(t))
            except NoRoute:
                return math.inf
            return -(ratio * real + fake)

        low, high = self.span
        inner = [low + (high - low) * (k + 0.5) / 240 for k in range(240)]
        points = [low, *inner, high]
        k = min(range(len(points)), key=lambda k: cost(points[k]))
        if not math.isfinite(cost(points[k])):
            raise NoRoute("no score has a payoff")
        around = points[max(k - 1, 0)], points[min(k + 1, len(points) - 1)]
        found = minimize_scalar(cost, bounds=around, method="bounded", options={"xatol": 1e-11})
        return min((float(found.x), points[k]), key=cost)


def _ends(domain: str) -> tuple[Any, Any]:
    legal = interval(domain)
    return legal.lower, legal.upper


def _at_ratios(played: _Played, check: Derived) -> Iterator[Case]:
    tree = floats.read(check.text)
    for ratio in (0.3, 0.8, 1.7, 4.0):
        t = played.best(ratio)
        real, fake, _, link = played.payoffs(t)
        found = link if check.part == "optimal_discriminator" else ratio * real + fake
        yield f"r = {ratio}", found, value(tree, {**played.numbers, "r": ratio})


def _at_equality(played: _Played, check: Derived) -> Iterator[Case]:
    real, fake, cost, link = played.payoffs(played.best(1.0))
    found = {"equilibrium": link, "discriminator_loss": -real - fake, "generator_loss": cost}
    yield "p = q", found[check.part], value(floats.read(check.text), played.numbers)


def _on_two_points(played: _Played, check: Derived) -> Iterator[Case]:
    """Hold V, G's loss or its gradient, at the best scores, against divergences of two laws."""
    tree = floats.read(check.text)

    def claimed(p: tuple[float, ...], q: tuple[float, ...]) -> float:
        return value(tree, {**played.numbers, **floats.divergences(tree, p, q)})

    for first, second in ((0.3, 0.6), (0.8, 0.45), (0.15, 0.35)):
        p, q = (first, 1 - first), (second, 1 - second)
        at = [played.payoffs(played.best(a / b)) for a, b in zip(p, q, strict=True)]
        found = {
            "value": sum(a * x[0] + b * x[1] for a, b, x in zip(p, q, at, strict=True)),
            "loss": sum(b * x[2] for b, x in zip(q, at, strict=True)),
            "followed": at[0][2] - at[1][2],
        }[check.part]
        said = claimed(p, q)
        if check.part == "followed":  # the slope as mass moves from the second point to the first
            up, down = (claimed(p, (second + h, 1 - second - h)) for h in (1e-5, -1e-5))
            said = (up - down) / 2e-5
        yield f"P = {p}, Q = {q}", found, said


@again.register
def _(check: Play) -> Verdict | None:
    try:
        found = _played_again(check, played.Arena(check.parts()[0]))
    except NoRoute:
        return None
    why = f"{check.asked} is {found}: played in floating point"
    return decided(str(check), found == check.answer, why, how=How.MEASURED)


def _played_again(check: Play, arena: played.Arena) -> str:
    """Return the answer that floating point gives: the one claimed, where it cannot tell."""
    if check.asked == "fate":
        return played.fate(arena, check.method, value(floats.read(check.step), {}), check.options)
    if check.asked == "conserves":
        return check.answer if played.drift(arena, check.answer) < TOLERANCE else "another"
    if check.asked == "converges_for":
        wrong = played.wrong_step(arena, check.method, check.options, *_span(check.answer))
        return check.answer if wrong is None else f"not that, at step {wrong:.3g}"
    if check.asked == "eigenvalue":
        real, _, imaginary = check.answer.partition(",")
        asked = complex(value(floats.read(real), {}), value(floats.read(imaginary), {}))
        spectrum = np.linalg.eigvals(played.slopes_of(arena.field, arena.rest()))
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
    critic, of_value, claimed = check.statement.partition(": the value at the optimal critic is ")
    try:
        return _judged(str(check), "==", critics.cases(critic, claimed)) if of_value else None
    except NoRoute:
        return None


@again.register
def _(check: Inequality) -> Verdict | None:
    if check.restricted:
        return None
    left, relation, right = split_comparison(check.text)
    trees = floats.read(left), floats.read(right)
    return _judged(str(check), relation, _on_random_laws(trees))


def _on_random_laws(trees: tuple[Any, Any]) -> Iterator[Case]:
    draw = random.Random(0)
    for _ in range(LAWS):
        size = draw.choice((2, 2, 3, 5))
        weights = [[draw.expovariate(1) ** 3 + 1e-6 for _ in range(size)] for _ in range(2)]
        p, q = (tuple(w / sum(law) for w in law) for law in weights)
        try:
            one, other = (value(tree, floats.divergences(tree, p, q)) for tree in trees)
            yield f"P = {p}, Q = {q}", one, other
        except NoRoute:
            return


@again.register
def _(check: OnLaws) -> Verdict | None:
    left, relation, right = split_comparison(check.text)
    p, q = (tuple(value(floats.read(x), {}) for x in law) for law in (check.p, check.q))
    if min(*p, *q) <= 0:
        return None
    trees = floats.read(left), floats.read(right)
    try:
        one, other = (value(tree, floats.divergences(tree, p, q)) for tree in trees)
    except NoRoute:
        return None
    return _judged(str(check), relation, [("the two laws", one, other)])


@again.register
def _(check: Integral) -> Verdict | None:
    from gantheory.divergences import DIVERGENCES
    from gantheory.ledger.survey import half_unit

    if check.quantity not in DIVERGENCES or check.wrt not in (None, "q.loc"):
        return None
    tree = floats.read(DIVERGENCES[check.quantity].f)
    try:
        found = _integrated(tree, check, 0.0)
        if check.wrt:
            h = 1e-4
            up, down = (_integrated(tree, check, shift) for shift in (h, -h))
            found = (up - down) / (2 * h)
    except NoRoute:
        return None
    relation = {"is": "==", "above": ">", "below": "<"}[check.relation]
    printed = half_unit(check.number) if check.relation == "is" and float(check.number) else 0.0
    case = "by QUADPACK", found, float(check.number)
    tolerance = printed / (1 + abs(found) + abs(float(check.number)))
    return _judged(str(check), relation, [case], max(tolerance, 1e-8))


def _integrated(tree: Any, check: Integral, shift: float) -> float:
    """Return ∫ q f(p/q), q moved by ``shift``, of two normal laws."""
    from scipy.integrate import quad

    from gantheory.densities import parse_density
    from gantheory.densities.normal import Normal

    p, q = (parse_density(law) for law in (check.p, check.q))
    if not (isinstance(p, Normal) and isinstance(q, Normal)):
        raise NoRoute("QUADPACK is asked for normal laws alone")

    def integrand(x: float) -> float:
        a, b = float(p.logpdf(x)), float(q.logpdf(x - shift))
        ratio = math.exp(min(max(a - b, -FAR), FAR))
        return math.exp(b if a - b < FAR else a - FAR) * value(tree, {"r": ratio})

    ends = sorted({law.loc + k * law.scale for law in (p, q) for k in (-38, -9, -3, 0, 3, 9, 38)})
    return sum(quad(integrand, *piece, limit=400, epsabs=1e-13)[0] for piece in pairwise(ends))
