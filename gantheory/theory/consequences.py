"""What follows from the optimum: signs, names, saturation, and what is read at P = Q."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import sympy as sp

from gantheory.deadline import OutOfTime, Undecided
from gantheory.exact.algebra import Algebra
from gantheory.exact.assumptions import Assumptions, Range, interior, positive_image
from gantheory.exact.derivative import derivative
from gantheory.exact.roots import roots_between
from gantheory.exact.signs import sign_on_positive
from gantheory.functions import r
from gantheory.records import How
from gantheory.theory.cases import undecided_factor
from gantheory.theory.curvature import Curve, algebra_of, gradient_weight
from gantheory.theory.disjoint import limit_at_end
from gantheory.theory.identify import identify
from gantheory.theory.maxima import Branch
from gantheory.theory.optimum import Optimum
from gantheory.theory.records import Curvature, Saturation, SecondOrder

ONE, ZERO = sp.Integer(1), sp.Integer(0)


InScore = Callable[[int], int | None]


@dataclass(frozen=True)
class Judgement:
    """Whether a curvature is nowhere negative, and how that is known."""

    is_divergence: bool | None
    how: How
    reason: str
    counterexample: sp.Expr | None = None
    condition: str | None = None


def second_order(optimum: Optimum, x: sp.Symbol, parameters: Assumptions) -> SecondOrder:
    """Return whether d²/dx² (r·a + b) < 0 at every stationary branch.

    Where that sign is open, the change of sign of the first derivative decides: it is certified
    for every branch by the pattern that the branch was found by.
    """
    second = None
    for branch in optimum.branches:
        if branch.derivatives is None:
            continue
        second = second_derivative(branch, x, parameters)
        sign = parameters.sign(second, {r: branch.ratios})
        if sign == 1:
            reason = f"the second derivative {second} is positive: the point is a minimum"
            return SecondOrder(False, How.REFUTED, reason, second)
        if sign != -1:
            how = How.PROVED if branch.reason else How.UNDECIDED
            reason = f"the sign of the first derivative: {branch.reason}"
            return SecondOrder(True if branch.reason else None, how, reason)
        if not _has_no_zero(second, branch.ratios, parameters):
            reason = (
                "the second derivative is negative but for single ratios, where the first "
                f"derivative changes from + to -: {branch.reason}"
            )
            return SecondOrder(True, How.PROVED, reason)
    if second is None:
        return SecondOrder(True, How.PROVED, optimum.branches[0].reason)
    return SecondOrder(
        True, How.PROVED, "the second derivative is negative at the stationary point", second
    )


def _has_no_zero(expr: sp.Expr, cell: Range, parameters: Assumptions) -> bool:
    try:
        return not roots_between(expr, r, *cell, parameters)
    except OutOfTime:
        raise
    except Undecided:
        return False


def second_derivative(branch: Branch, x: sp.Symbol, parameters: Assumptions) -> sp.Expr:
    """Return r·a''(x*) + b''(x*) as a function of r."""
    assert branch.derivatives is not None
    a, b = branch.derivatives
    bent = (r * derivative(a, x) + derivative(b, x)).xreplace({x: branch.x})
    return algebra_of(branch.ratios, parameters).normal(bent)


def judge_convexity(
    curve: Curve, parameters: Assumptions, in_score: InScore | None = None
) -> Judgement:
    """Decide whether the generator with this curvature is convex on (0, ∞).

    ``in_score`` returns the sign on a cell from elsewhere, for what has no sign in r.
    """
    found = [
        *(_judge_jump(place, step, parameters) for place, step in curve.dipoles),
        *(_judge_mass(place, mass, parameters) for place, mass in curve.atoms),
    ]
    for k, (cell, expr) in enumerate(curve.cells):
        judged = _judge_cell(expr, cell, parameters)
        if judged.is_divergence is None and in_score is not None and in_score(k) == 1:
            reason = f"the loss falls along the scores on ({cell[0]}, {cell[1]})"
            judged = Judgement(True, How.PROVED, reason)
        found.append(judged)
    for verdict in (False, None):
        bad = next((one for one in found if one.is_divergence is verdict), None)
        if bad is not None:
            return bad
    how = How.CERTIFIED if any(one.how is How.CERTIFIED for one in found) else How.PROVED
    return Judgement(True, how, "; ".join(dict.fromkeys(one.reason for one in found)))


def _judge_jump(place: sp.Expr, step: sp.Expr, parameters: Assumptions) -> Judgement:
    if parameters.sign(step) in (1, -1):
        reason = f"its generator jumps by {step} at r = {place}, and no convex function jumps"
        return Judgement(False, How.REFUTED, reason, place)
    reason = f"its generator jumps by {step} at r = {place} unless that vanishes"
    return Judgement(None, How.UNDECIDED, reason, condition=f"{step} = 0")


def _judge_mass(place: sp.Expr, mass: sp.Expr, parameters: Assumptions) -> Judgement:
    sign = parameters.sign(mass)
    if sign is None:
        condition = f"{undecided_factor(mass, parameters)} >= 0"
        reason = f"the sign of the point mass {mass} at r = {place} depends on the parameters"
        return Judgement(None, How.UNDECIDED, reason, condition=condition)
    if sign == -1:
        reason = f"the point mass {mass} at r = {place} is negative"
        return Judgement(False, How.REFUTED, reason, place)
    return Judgement(True, How.PROVED, f"the point mass {mass} at r = {place} is positive")


def _judge_cell(expr: sp.Expr, cell: Range, parameters: Assumptions) -> Judgement:
    sign = parameters.sign(expr, {r: cell})
    if sign in (0, 1):
        reason = "it vanishes" if expr == 0 else "every factor of the curvature is positive"
        return Judgement(True, How.PROVED, f"{reason} on ({cell[0]}, {cell[1]})")
    if sign == -1 and set(expr.free_symbols) - {r}:
        return _judge_negative(expr, cell, parameters)
    image = r if cell == (ZERO, sp.oo) else _image(cell)
    return _from_signs(expr, image, cell, parameters)


def _judge_negative(expr: sp.Expr, cell: Range, parameters: Assumptions) -> Judgement:
    """A curvature that is nowhere positive, for any legal parameters."""
    place = sp.nsimplify(sp.Float(interior(*cell, parameters), 4), rational=True)
    if parameters.sign(cell[0] - place) == -1 and (
        cell[1] == sp.oo or parameters.sign(cell[1] - place) == 1
    ):
        at_place = expr.xreplace({r: place})
        if _has_sign_for_all(at_place, parameters):
            reason = f"the curvature at r = {place} is {at_place}, which is negative"
            return Judgement(False, How.REFUTED, reason, place)
    reason = "it is nowhere positive, and zero only where the parameters make it vanish"
    return Judgement(None, How.UNDECIDED, reason, condition=f"{expr} = 0")


def _has_sign_for_all(expr: sp.Expr, parameters: Assumptions) -> bool:
    """Whether no legal parameters make an expression vanish: each factor keeps its sign."""
    _, factors = Algebra(parameters.sample).factors(expr)
    return all(parameters.sign(base) in (1, -1) for base, _ in factors)


def _image(cell: tuple[sp.Expr, sp.Expr]) -> sp.Expr:
    image = positive_image(r, *cell)
    assert image is not None
    return image.xreplace({next(iter(image.atoms(sp.Dummy))): r})


def _from_signs(shown: sp.Expr, image: sp.Expr, cell: Range, parameters: Assumptions) -> Judgement:
    if set(shown.free_symbols) - {r}:
        condition = _condition(shown, cell, parameters)
        return Judgement(None, How.UNDECIDED, "it depends on the parameters", condition=condition)
    found = sign_on_positive(shown.xreplace({r: image}), r)
    if found.is_nonnegative is None:
        return Judgement(None, How.UNDECIDED, found.reason)
    how = found.how if found.is_nonnegative else How.REFUTED
    reason = f"{found.reason or 'by its sign'} on ({cell[0]}, {cell[1]})"
    point = found.counterexample
    if point is None:
        return Judgement(found.is_nonnegative, how, reason)
    place = sp.sympify(image.xreplace({r: point}), strict=True)
    value = sp.N(shown.xreplace({r: place}), 6)
    return Judgement(False, how, f"the curvature at r = {place} is {value}", place)


def _condition(expr: sp.Expr, cell: Range, parameters: Assumptions) -> str:
    """Return what the parameters must satisfy: the factors whose sign is open."""
    everywhere = cell == (ZERO, sp.oo)
    product = undecided_factor(expr, parameters, {r: cell})
    if everywhere and product.is_polynomial(r) and sp.degree(product, r) == 1:
        parts = [sp.factor(sp.Poly(product, r).nth(k)) for k in (0, 1)]
        return f"{parts[0]} >= 0 and {parts[1]} >= 0"
    where = "all r > 0" if everywhere else f"{cell[0]} < r < {cell[1]}"
    return f"{product} >= 0" + (f" for {where}" if r in product.free_symbols else "")


def of_value(curvature: Curvature) -> Curvature:
    """Return the value's curvature as a divergence: F is a supremum of affine functions of r.

    Raises:
        Undecided: where the curvature found contradicts this, so that the optimum found is wrong.
    """
    if curvature.is_divergence is False:
        raise Undecided(
            "the value is a supremum of affine functions of r, hence convex, yet "
            f"{curvature.reason}; the optimum that was found is wrong: please report this game"
        )
    if curvature.is_divergence:
        return curvature
    reason = "F(r) = sup over t of r*a(t) + b(t) is convex, a supremum of affine functions of r"
    return replace(curvature, is_divergence=True, how=How.PROVED, reason=reason, condition=None)


def describe_curvature(
    curve: Curve, constant: sp.Expr, parameters: Assumptions, in_score: InScore | None = None
) -> Curvature:
    """Name a curvature and decide whether it is a divergence."""
    judged = judge_convexity(curve, parameters, in_score)
    expr = curve.expression
    named = identify(expr, curve.atoms, parameters) if not curve.dipoles else None
    at_one = _near_one(curve, parameters) if judged.is_divergence else None
    return Curvature(
        expr,
        curve.atoms,
        constant,
        named.terms if named else {},
        named.combinations[1:] if named else (),
        judged.is_divergence,
        judged.counterexample,
        judged.how,
        judged.reason,
        judged.condition,
        at_one,
        parameters,
        curve.dipoles,
    )


def _near_one(curve: Curve, parameters: Assumptions) -> bool | None:
    """A divergence vanishes at P = Q alone where its generator bends at r = 1.

    It is enough that it bends on one side: with E_q r <= 1, all mass on r = 1 and on a stretch
    at one side of it means P = Q.
    """
    masses = [parameters.sign(place - 1) for place, _ in curve.atoms]
    if 0 in masses:
        return True
    touching = []
    for (lower, upper), expr in curve.cells:
        below = parameters.sign(ONE - lower)
        above = 1 if upper == sp.oo else parameters.sign(upper - ONE)
        if -1 in (below, above):
            continue
        if None in (below, above):
            return None
        touching.append(0 if expr == 0 else parameters.sign(expr, {r: (lower, upper)}))
    if 1 in touching:
        return True
    return False if set(touching) == {0} and None not in masses else None


def saturation(
    h: Curve, slopes: Curve | None, parameters: Assumptions, undecided: dict[str, str]
) -> Saturation:
    """Return the generator's gradient per fake sample, in log r and in the score, at its ends."""

    def ends(name: str, curve: Curve) -> tuple[sp.Expr | None, sp.Expr | None]:
        found: list[sp.Expr | None] = []
        for which, where in ((0, "limit_at_0"), (1, "limit_at_inf")):
            try:
                found.append(limit_at_end(curve, which, parameters))
            except OutOfTime:
                raise
            except Undecided as reason:
                undecided[f"{name} {where}"] = str(reason)
                found.append(None)
        return found[0], found[1]

    weight = gradient_weight(h, parameters)
    first, last = ends("saturation", weight)
    if slopes is None:
        undecided["saturation in the score"] = (
            "the generator's loss has a kink at the optimal score, or its slope is not found"
        )
        return Saturation(weight.expression, first, last)
    in_score = ends("saturation in the score", slopes)
    return Saturation(weight.expression, first, last, slopes.expression, *in_score)
