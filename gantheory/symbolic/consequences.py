"""What follows from the optimum: signs, names, saturation, disjoint supports, equilibrium."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from gantheory.records import How
from gantheory.symbolic.asymptotics import limit
from gantheory.symbolic.atoms import r
from gantheory.symbolic.curvature import Curve, algebra_of, followed_curvature, gradient_weight
from gantheory.symbolic.derivation import Curvature, Equilibrium, Saturation, SecondOrder
from gantheory.symbolic.generator import f_from_curvature
from gantheory.symbolic.identify import identify
from gantheory.symbolic.limits import Undecided
from gantheory.symbolic.optimum import Branch, Optimum
from gantheory.symbolic.pieces import algebra_on
from gantheory.symbolic.positivity import Parameters, positive_image
from gantheory.symbolic.signs import sign_on_positive

ONE, ZERO = sp.Integer(1), sp.Integer(0)


@dataclass(frozen=True)
class Judgement:
    """Whether a curvature is nowhere negative, and how that is known."""

    is_divergence: bool | None
    how: How
    reason: str
    counterexample: sp.Expr | None = None
    condition: str | None = None


def second_order(optimum: Optimum, x: sp.Symbol, parameters: Parameters) -> SecondOrder:
    """Return whether d²/dx² (r·a + b) < 0 at every stationary branch."""
    stationary = [branch for branch in optimum.branches if branch.derivatives is not None]
    if not stationary:
        return SecondOrder(True, How.PROVED, optimum.branches[0].reason)
    second = None
    for branch in stationary:
        second = second_derivative(branch, x, parameters)
        if parameters.sign(second, {r: branch.ratios}) != -1:
            return SecondOrder(
                True, How.PROVED, f"the sign of the first derivative: {branch.reason}", second
            )
    return SecondOrder(
        True, How.PROVED, "the second derivative is negative at the stationary point", second
    )


def second_derivative(branch: Branch, x: sp.Symbol, parameters: Parameters) -> sp.Expr:
    """Return r·a''(x*) + b''(x*) as a function of r."""
    assert branch.derivatives is not None
    a, b = branch.derivatives
    bent = (r * sp.diff(a, x) + sp.diff(b, x)).xreplace({x: branch.x})
    return algebra_of(branch.ratios, parameters).normal(bent)


def judge(curve: Curve, parameters: Parameters) -> Judgement:
    """Decide whether the generator with this curvature is convex on (0, ∞)."""
    if curve.dipoles:
        place, step = curve.dipoles[0]
        reason = f"its generator jumps by {step} at r = {place}, and no convex function jumps"
        return Judgement(False, How.REFUTED, reason, place)
    for place, mass in curve.atoms:
        if parameters.sign(mass) not in (0, 1):
            reason = f"the point mass {mass} at r = {place} is negative"
            return Judgement(False, How.REFUTED, reason, place)
    found = [_judge_cell(expr, cell, parameters) for cell, expr in curve.cells]
    for verdict in (False, None):
        bad = next((one for one in found if one.is_divergence is verdict), None)
        if bad is not None:
            return bad
    weakest = next((one for one in found if one.how is How.CERTIFIED), found[0])
    return weakest


def _judge_cell(expr: sp.Expr, cell: tuple[sp.Expr, sp.Expr], parameters: Parameters) -> Judgement:
    sign = parameters.sign(expr, {r: cell})
    if sign in (0, 1):
        reason = "it vanishes" if expr == 0 else "every factor of the curvature is positive"
        return Judgement(True, How.PROVED, f"{reason} on ({cell[0]}, {cell[1]})")
    image = r if cell == (ZERO, sp.oo) else _image(cell)
    return _from_signs(expr.xreplace({r: image}), image, expr, parameters)


def _image(cell: tuple[sp.Expr, sp.Expr]) -> sp.Expr:
    image = positive_image(r, *cell)
    assert image is not None
    return image.xreplace({next(iter(image.atoms(sp.Dummy))): r})


def _from_signs(expr: sp.Expr, image: sp.Expr, shown: sp.Expr, parameters: Parameters) -> Judgement:
    used = {s: v for s, v in parameters.ranges.items() if s in expr.free_symbols}
    if len(expr.free_symbols) == 1 or not used:
        found = sign_on_positive(expr, r)
        if found.is_nonnegative is not None:
            how = found.how if found.is_nonnegative else How.REFUTED
            point = found.counterexample
            place = None if point is None else sp.sympify(image.xreplace({r: point}), strict=True)
            reason = found.reason or "by its sign on all of (0, oo)"
            if place is not None:
                value = shown.xreplace({r: place})
                reason = f"the curvature at r = {place} is {sp.N(value, 6)}"
            return Judgement(found.is_nonnegative, how, reason, place)
        return Judgement(None, How.UNDECIDED, found.reason)
    condition = _condition(expr, parameters)
    return Judgement(None, How.UNDECIDED, "it depends on the parameters", condition=condition)


def _condition(expr: sp.Expr, parameters: Parameters) -> str:
    """Return what the parameters must satisfy: the factors whose sign is open."""
    content, factors = algebra_of((ZERO, sp.oo), parameters).factors(expr)
    sign = int(sp.sign(content))
    loose: list[sp.Expr] = []
    for base, power in factors:
        if power.is_Integer and power % 2 == 0:
            continue
        known = parameters.sign(base)
        if known is None:
            loose.append(base)
        else:
            sign *= known
    product = sp.Mul(sign, *loose) if len(loose) != 1 else sp.expand(sign * loose[0])
    if len(loose) == 1 and product.is_polynomial(r) and sp.degree(product, r) == 1:
        parts = [sp.factor(product.coeff(r, k)) for k in (0, 1)]
        return f"{parts[0]} >= 0 and {parts[1]} >= 0"
    return f"{product} >= 0 for all r > 0"


def describe(curve: Curve, constant: sp.Expr, parameters: Parameters) -> Curvature:
    """Name a curvature and decide whether it is a divergence."""
    judged = judge(curve, parameters)
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


def _near_one(curve: Curve, parameters: Parameters) -> bool | None:
    """A divergence vanishes at P = Q alone where its generator bends at r = 1."""
    if any(place == 1 for place, _ in curve.atoms):
        return True
    signs = []
    for (lower, upper), expr in curve.cells:
        below, above = parameters.sign(ONE - lower), 1
        above = 1 if upper == sp.oo else parameters.sign(upper - ONE) or 0
        if (below or 0) >= 0 and above >= 0:
            signs.append(parameters.sign(expr.xreplace({r: ONE})))
    if 1 in signs:
        return True
    return False if all(expr == 0 for _, expr in curve.cells) else None


def saturation(h: Curve, parameters: Parameters, undecided: dict[str, str]) -> Saturation:
    """Return the generator's gradient per fake sample in the logit, and its ends."""
    weight = gradient_weight(h, parameters)
    ends = []
    for which in (0, 1):
        try:
            ends.append(end_of(weight, which, parameters))
        except Undecided as reason:
            undecided[f"saturation {('limit_at_0', 'limit_at_inf')[which]}"] = str(reason)
            ends.append(None)
    return Saturation(weight.expression, ends[0], ends[1])


def end_of(curve: Curve, which: int, parameters: Parameters, divisor: sp.Expr = ONE) -> sp.Expr:
    """Return the limit of a curve, divided by ``divisor``, at r -> 0 or r -> oo."""
    point, side = ((ZERO, 1), (sp.oo, -1))[which]
    return limit(curve.cells[-which][1] / divisor, r, point, side, parameters)


def _total(parameters: Parameters, *parts: sp.Expr) -> sp.Expr:
    found = sp.Add(*parts)
    if found is sp.nan:
        raise Undecided("f(0) and f'(oo) are infinities of opposite sign")
    return found if found.is_infinite else algebra_of((ZERO, sp.oo), parameters).normal(found)


def value_on_disjoint(
    real: Curve, fake: Curve, supremum: sp.Expr, parameters: Parameters
) -> sp.Expr:
    """Return F(0) + F'(∞) - F(1), where F(0) = b and F'(∞) = a at the two ends."""
    return _total(parameters, end_of(fake, 0, parameters), end_of(real, 1, parameters), -supremum)


def loss_on_disjoint(h: Curve, loss: sp.Expr, parameters: Parameters) -> sp.Expr:
    """Return h(0) + lim h(r)/r - h(1)."""
    return _total(parameters, end_of(h, 0, parameters), end_of(h, 1, parameters, r), -loss)


def followed_on_disjoint(h: Curve, loss: sp.Expr, parameters: Parameters) -> sp.Expr:
    """Return g(0) + g'(∞), where g(0) = ∫₀¹ r·g'' = h(0) - h(1) and g'(∞) = ∫₁^∞ g''."""
    beyond = _mass_beyond_one(followed_curvature(h, parameters), parameters)
    return _total(parameters, end_of(h, 0, parameters), -loss, beyond)


def _mass_beyond_one(curve: Curve, parameters: Parameters) -> sp.Expr:
    """Return g'(∞) = ∫₁^∞ g'' with half of a point mass at 1."""
    atoms = sp.Add(
        *(
            mass / 2 if place == 1 else mass
            for place, mass in curve.atoms
            if place == 1 or parameters.sign(place - 1) == 1
        )
    )
    total = atoms
    for (lower, upper), expr in curve.cells:
        if upper != sp.oo and parameters.sign(upper - 1) != 1:
            continue
        start = lower if parameters.sign(lower - 1) == 1 else ONE
        total += _integral(expr, start, upper, parameters)
    return total


def _integral(expr: sp.Expr, lower: sp.Expr, upper: sp.Expr, parameters: Parameters) -> sp.Expr:
    if expr == 0:
        return ZERO
    if upper == sp.oo:
        tail = limit(expr * r, r, sp.oo, -1, parameters)
        if tail != 0:
            sign = parameters.sign(tail) if tail.is_finite else int(sp.sign(tail))
            if sign is None:
                raise Undecided(f"an integral depends on the sign of {tail}")
            return sign * sp.oo
    slope = sp.diff(f_from_curvature(expr, (), parameters), r)
    last = limit(slope, r, upper, -1, parameters)
    return last - slope.xreplace({r: lower})


def equilibrium(
    optimum: Optimum,
    values: tuple[sp.Expr, sp.Expr],
    x: sp.Symbol,
    link: Curve,
    parameters: Parameters,
) -> Equilibrium:
    """Return the discriminator and the losses at P = Q."""
    supremum, h = values
    flat = next((f for f in optimum.flats if parameters.sign(f.ratio - 1) == 0), None)
    if flat is None:
        return Equilibrium(at_one(link, parameters), -supremum, h)
    algebra = algebra_on(flat.piece, x, parameters)
    lower, upper = flat.piece.lower, flat.piece.upper

    def ends(expr: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        pair = (limit(expr, x, lower, 1, parameters), limit(expr, x, upper, -1, parameters))
        return pair if parameters.sign(pair[1] - pair[0]) in (0, 1) else pair[::-1]

    scores, losses = ends(flat.piece.payoffs.link), ends(flat.piece.payoffs.generator)
    slope = algebra.normal(sp.diff(flat.piece.payoffs.generator, x))
    monotone = parameters.sign(slope, {x: (lower, upper)}) is not None
    return Equilibrium(
        algebra.normal((scores[0] + scores[1]) / 2),
        -supremum,
        algebra.normal((losses[0] + losses[1]) / 2),
        scores,
        losses if monotone else None,
    )


def at_one(curve: Curve, parameters: Parameters) -> sp.Expr:
    """Return the value at r = 1; the mean of its two sides where it jumps there."""
    sides = []
    for (lower, upper), expr in curve.cells:
        below = parameters.sign(ONE - lower)
        above = 1 if upper == sp.oo else parameters.sign(upper - ONE)
        if below == 1 and above == 1:
            sides = [expr.xreplace({r: ONE})]
            break
        if (below, above) in ((1, 0), (0, 1)):
            sides.append(limit(expr, r, ONE, 1 if below == 0 else -1, parameters))
    return algebra_of((ZERO, sp.oo), parameters).normal(sp.Add(*sides) / max(len(sides), 1))
