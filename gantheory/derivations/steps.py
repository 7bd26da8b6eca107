"""The derivation as a reader follows it, step by step, each saying how it is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import sympy as sp

from gantheory.deadline import OutOfTime, Undecided
from gantheory.derivations import opening
from gantheory.derivations.exposition import Step
from gantheory.derivations.extremes import disjoint_steps, equilibrium_steps, saturation_steps
from gantheory.derivations.solved import Solved
from gantheory.derivations.typeset import typeset
from gantheory.derivations.wording import (
    atoms_latex,
    atoms_text,
    combination_latex,
    combination_title,
    constant_latex,
    constant_text,
    undecided_kind,
    value_text,
)
from gantheory.divergences.symbols import dotted
from gantheory.exact.algebra import Algebra
from gantheory.exact.assumptions import Assumptions, Range
from gantheory.exact.derivative import derivative
from gantheory.functions import r, t
from gantheory.records import How
from gantheory.theory.coordinates import Coordinate
from gantheory.theory.curvature import Curve, algebra_of
from gantheory.theory.optimum import Optimum
from gantheory.theory.printing import plain
from gantheory.theory.records import (
    NO_DIVERGENCE,
    UNNAMED,
    Curvature,
    OptimalDiscriminator,
    known,
    pieces_text,
    text,
)

if TYPE_CHECKING:
    from gantheory.derivations.derivation import Derivation

p, q = sp.symbols("p q", positive=True)


def steps_of(derivation: Derivation, solved: Solved) -> tuple[Step, ...]:
    """Return the steps of ``derivation`` in the order in which they are proved."""
    supremum, h = solved.along("supremum"), solved.along("generator")
    coordinate, optimum, parameters = solved.coordinate, solved.optimum, solved.parameters
    return tuple(
        [
            opening.game(derivation),
            opening.pointwise(),
            *_stationarity(coordinate, optimum, parameters),
            *_optimum(derivation),
            *second_order_steps(derivation, coordinate.symbol),
            *_value(derivation, supremum, optimum, parameters),
            *_loss(derivation, h),
            *_followed(derivation, h),
            *_comparison(derivation),
            *saturation_steps(derivation.saturation),
            *disjoint_steps(derivation),
            *equilibrium_steps(derivation),
        ]
    )


def _stationarity(
    coordinate: Coordinate, optimum: Optimum, parameters: Assumptions
) -> Iterator[Step]:
    for branch in optimum.branches:
        if branch.derivatives is None:
            continue
        slope = sp.Add(r * branch.derivatives[0], branch.derivatives[1])
        name = coordinate.symbol
        yield Step(
            "Stationarity" + _where(branch.ratios),
            f"With {coordinate.title}, d/d{name} (r*a(t) + b(t)) = {plain(slope)}, "
            f"which vanishes at {name} = {plain(branch.x)}.",
            rf"\frac{{d}}{{d{typeset(name)}}}(r\,a(t) + b(t)) = {typeset(slope)} = 0 \iff "
            rf"{typeset(name)} = {typeset(branch.x)}",
            *_checked(
                [(slope.xreplace({name: branch.x}), branch.ratios)],
                parameters,
                "the solution satisfies the equation by exact algebra",
            ),
        )


def _checked(
    differences: Sequence[tuple[sp.Expr, Range]], parameters: Assumptions, reason: str
) -> tuple[How, str]:
    """Return how it is known that expressions in r vanish on their intervals of ratios."""
    try:
        if all(algebra_of(cell, parameters).is_zero(expr) for expr, cell in differences):
            return How.PROVED, reason
    except OutOfTime:
        raise
    except Undecided as why:
        return How.UNDECIDED, str(why)
    return How.UNDECIDED, f"the exact algebra does not bring a difference to 0; expected: {reason}"


def _where(ratios: tuple[sp.Expr, sp.Expr]) -> str:
    if ratios == (0, sp.oo):
        return ""
    return f" for {text(ratios[0])} < r < {text(ratios[1])}"


def _in_densities(expr: sp.Expr) -> sp.Expr | None:
    """Return an expression of r in p and q, where that is an algebraic one."""
    if expr.has(sp.Piecewise, sp.log, sp.oo) or expr == r:
        return None
    try:
        return Algebra({p: 1.3, q: 0.7, **{s: 0.6 for s in expr.free_symbols}}).normal(
            expr.xreplace({r: p / q})
        )
    except Undecided:
        return None


def _optimum(derivation: Derivation) -> Iterator[Step]:
    optimum = derivation.optimum
    assert optimum is not None
    shown = _in_densities(optimum.D)
    densities = "" if shown is None else f" = {plain(shown)}"
    latex = typeset(optimum.D) + ("" if shown is None else f" = {typeset(shown)}")
    attained = "" if optimum.attained else " The supremum is approached and never attained."
    yield Step(
        "The optimal discriminator",
        f"D* = {pieces_text(optimum.D)}{densities}, with score t* = {pieces_text(optimum.score)}."
        f"{attained}{_flat_text(optimum)}",
        rf"D^* = {latex}, \qquad t^* = {typeset(optimum.score)}",
        known(*(branch.reason != "" or None for branch in optimum.branches)),
        "; ".join(dict.fromkeys(branch.reason for branch in optimum.branches)),
    )


def _flat_text(optimum: OptimalDiscriminator) -> str:
    flats = "".join(
        f" At r = {ratio} every score from {value_text(lower)} to {value_text(upper)} is optimal."
        for ratio, lower, upper in optimum.flats
    )
    return flats + "".join(
        f" For {text(low)} < r < {text(high)} every score from {text(lower)} to {text(upper)} is "
        "as good."
        for (low, high), lower, upper in optimum.plateaus
    )


def second_order_steps(derivation: Derivation, variable: sp.Symbol = t) -> Iterator[Step]:
    """Say that the stationary score is a maximum; the second derivative is in ``variable``."""
    found = derivation.second_order
    if found is None:
        return
    second, name = found.derivative, typeset(variable)
    bent = rf"\frac{{d^2}}{{d{name}^2}}(r\,a(t) + b(t))\Big|_{{t = t^*}}"
    if second is not None and found.holds:
        statement = (
            f"At the optimum the second derivative of r*a(t) + b(t) in {variable}, "
            f"{plain(second)}, is negative."
        )
        latex = f"{bent} = {typeset(second)} < 0"
    elif found.holds:
        statement = "The derivative of r*a(t) + b(t) changes from + to - at the optimum."
        latex = r"\operatorname{sign}\frac{d}{dt}(r\,a(t) + b(t)):\ + \to -"
    else:
        statement = "That the stationary point is a maximum is not shown."
        latex = rf"{bent} < 0\ \text{{ is not shown}}"
    yield Step("Second-order condition", statement, latex, found.how, found.reason)


def _value(
    derivation: Derivation, supremum: Curve, optimum: Optimum, parameters: Assumptions
) -> Iterator[Step]:
    found = derivation.value
    if found is None:
        return
    value = supremum.expression
    yield Step(
        "The value at the optimum",
        f"V(D*) = E_q[F(r)] with F(r) = {pieces_text(value)}; F(1) = {value_text(found.constant)}; "
        f"F'' = {atoms_text(found)}.",
        rf"F(r) = {typeset(value)}, \quad F(1) = {typeset(found.constant)}, \quad "
        rf"F''(r) = {atoms_latex(found)}",
        *_checked(
            [(derivative(b.supremum, r) - b.real, b.ratios) for b in optimum.branches],
            parameters,
            "F' = a(t*), the envelope theorem, seen by differentiation",
        ),
    )
    yield from name_of("V(D*)", "value reports", found, r"V(D^*)")
    if found.zero_only_at_equality:
        yield Step(
            "Equality only at P = Q",
            f"V(D*) = {found.constant} exactly when P = Q, and is larger otherwise.",
            rf"V(D^*) = {typeset(found.constant)} \iff P = Q",
            found.how,
            "the generator is convex and bends at r = 1 (Jensen)",
        )


def name_of(left: str, verb: str, curvature: Curvature, latex: str) -> Iterator[Step]:
    """The step that says which divergence a curvature is."""
    constant = dotted(constant_text(curvature.constant))
    if curvature.divergence == NO_DIVERGENCE:
        shown = f" ({combination_title(curvature.terms)})" if curvature.terms else ""
        statement = f"{left} is no divergence{shown}: {curvature.reason}."
        formula = rf"{latex} \text{{ is no divergence}}"
        how = How.REFUTED
    elif curvature.is_named:
        others = "".join(f" = {combination_title(o)}{constant}" for o in curvature.alternatives)
        statement = f"{left} = {combination_title(curvature.terms)}{constant}{others}."
        formula = (
            f"{latex} = {combination_latex(curvature.terms)}{constant_latex(curvature.constant)}"
        )
        how = How.PROVED
    else:
        generator = curvature.f
        shown = "" if generator is None else f" with generator f = {plain(generator)}"
        kind = UNNAMED if curvature.is_divergence else undecided_kind(curvature)
        level = f", plus the constant {value_text(curvature.constant)}" if constant else ""
        statement = f"{left} is {kind}{shown}{level}."
        formula = rf"{latex} = D_f{constant_latex(curvature.constant)}" + (
            "" if generator is None else rf", \quad f = {typeset(generator)}"
        )
        how = curvature.how
    yield Step(
        f"Which divergence the {verb}",
        statement,
        formula,
        how,
        f"exact linear algebra on the curvatures; {curvature.reason}",
    )


def _loss(derivation: Derivation, h: Curve) -> Iterator[Step]:
    found = derivation.loss
    if found is None:
        return
    yield Step(
        "The generator's loss at the optimum",
        f"E_q[h(r)] with h(r) = c(t*) = {pieces_text(h.expression)}; h'' = {atoms_text(found)}.",
        rf"h(r) = c(t^*(r)) = {typeset(h.expression)}, \quad h''(r) = {atoms_latex(found)}",
        How.PROVED,
        "by differentiation",
    )
    yield from name_of("E_q[c(t*)]", "loss reads", found, r"\mathbb{E}_q[c(t^*)]")


def _followed(derivation: Derivation, h: Curve) -> Iterator[Step]:
    found = derivation.followed
    if found is None:
        return
    yield Step(
        "What the generator follows",
        "With D held fixed the gradient is the integral of (dq/dtheta)*h(r); that of D_g is the "
        "integral of (dq/dtheta)*(g - r*g'), and (g - r*g')' = -r*g''. "
        f"So g'' = -h'(r)/r = {atoms_text(found)}.",
        rf"g''(r) = -\frac{{h'(r)}}{{r}} = {atoms_latex(found)}",
        How.PROVED,
        "by differentiation under the integral",
    )
    yield from name_of("The followed quantity", "generator follows", found, r"D_g(P\|Q)")


def _comparison(derivation: Derivation) -> Iterator[Step]:
    value, loss, followed = derivation.value, derivation.loss, derivation.followed
    if value is None or loss is None or followed is None:
        return
    same = (loss.curvature, loss.atoms) == (followed.curvature, followed.atoms)
    same = same and not loss.jumps
    where = None if same else _differ_at(loss, followed)
    statement = (
        "The loss and what its gradient follows are the same divergence."
        if same
        else "The loss's value and what its gradient follows are different: h'' and -h'/r differ."
    )
    if (value.curvature, value.atoms) == (followed.curvature, followed.atoms):
        subject = "The game is zero-sum, and the" if derivation.zero_sum else "The"
        statement += f" {subject} gradient follows the divergence that the value reports."
    yield Step(
        "Loss against gradient",
        statement,
        r"h'' = -h'/r" if same else r"h'' \neq -h'/r",
        How.PROVED if same or where else How.UNDECIDED,
        "h'' = -h'/r exactly when h is a multiple of log r plus a constant"
        + (f"; they differ {where}" if where else ""),
    )


def _differ_at(loss: Curvature, followed: Curvature) -> str | None:
    """Return where two curvatures differ: in their point masses or jumps, or at some ratio."""
    if loss.atoms != followed.atoms or loss.jumps:
        return "in their point masses"
    for place in (sp.Rational(1, 3), sp.Rational(5, 3), sp.Integer(7)):
        sides = [one.curvature.xreplace({r: place}) for one in (loss, followed)]
        numbers = loss.parameters.sample if loss.parameters else {}
        gap = sp.N((sides[0] - sides[1]).xreplace(numbers), 15)
        if gap.is_number and gap.is_real and abs(gap) > sp.Float("1e-9"):
            return f"at r = {place}"
    return None
