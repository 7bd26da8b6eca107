"""`derive`: from the formulas of a loss to its theory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import sympy as sp

from gantheory.deadline import DEFAULT_SECONDS, OutOfTime, Undecided, check_seconds, time_limit
from gantheory.derivations.completion import completed
from gantheory.derivations.confirmation import confirm
from gantheory.derivations.derivation import Derivation
from gantheory.derivations.kept import kept
from gantheory.derivations.solved import Solved
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.derivative import derivative
from gantheory.functions import MEANS, r
from gantheory.losses import get_loss
from gantheory.losses.loss import Loss
from gantheory.losses.written import written_out
from gantheory.theory import consequences, disjoint, masses
from gantheory.theory.coordinates import coordinate_for, payoffs_of
from gantheory.theory.curvature import (
    Curve,
    followed_curvature,
    loss_curvature,
    value_curvature,
)
from gantheory.theory.equality import equilibrium
from gantheory.theory.optimum import Optimum, optimise
from gantheory.theory.pieces import Piece, algebra_on, pieces_of
from gantheory.theory.records import Curvature, Disjoint, OptimalDiscriminator
from gantheory.theory.tangent import GeneratorSource

ONE, ZERO = sp.Integer(1), sp.Integer(0)
PART_FOR_CLOSED_FORMS, LEAST_SECONDS = 0.25, 2.0  # four times what any catalogue loss takes

ASSUMPTIONS = (
    "P and Q have densities p and q with respect to a common measure",
    "the discriminator is unrestricted: its score may be any function of x in the domain",
    "where Q vanishes on part of P, or P on part of Q, f'(oo) or f(0) must be finite",
    "derivatives in the generator's parameters pass under the integral",
)


def derive(loss: Loss | str, seconds: float = DEFAULT_SECONDS) -> Derivation:
    """Derive the theory of a separable loss from its formulas alone; once a process.

    Args:
        loss: a `Loss`, or the name of one in the catalogue.
        seconds: the time limit; what is not decided by then is undecided, with the reason.

    >>> derive("non-saturating").followed.divergence
    '2*kl_mp'
    """
    check_seconds(seconds)
    return kept(_derived, get_loss(loss), seconds)


def _for_closed_forms(loss: Loss, seconds: float) -> float:
    """Return how long closed forms are looked for: the score as parameter may know all sooner."""
    if loss.parameters or loss.laws:
        return seconds
    return min(seconds, max(LEAST_SECONDS, seconds * PART_FOR_CLOSED_FORMS))


def _derived(loss: Loss, seconds: float) -> Derivation:
    parameters = Assumptions.of(loss.parameters)
    try:
        with time_limit(_for_closed_forms(loss, seconds)):
            loss = written_out(loss)
            solved = solve(loss, parameters)
            if solved.optimum.unbounded:
                return _without_optimum(solved)
            found = confirm(_consequences(solved))
    except Undecided as reason:
        found = Derivation(loss, assumptions=ASSUMPTIONS, undecided={"optimum": str(reason)})
    return found if loss.laws else completed(found, seconds)


def solve(loss: Loss, parameters: Assumptions) -> Solved:
    """Find the optimal discriminator."""
    payoffs = payoffs_of(loss, parameters)
    if any(part.has(*MEANS) for part in (payoffs.real, payoffs.fake)):
        raise Undecided("no closed form for the best score where a payoff is a mean of softplus")
    coordinate = coordinate_for(payoffs)
    pieces = pieces_of(loss, payoffs, coordinate, parameters)
    optimum = optimise(pieces, coordinate, parameters)
    return Solved(loss, parameters, coordinate, tuple(pieces), optimum)


def is_zero_sum(pieces: tuple[Piece, ...], x: sp.Symbol, parameters: Assumptions) -> bool | None:
    """Return whether the generator's loss is the discriminator's payoff, up to one constant.

    None where the difference is constant on each piece, and whether all of these constants are
    one depends on the parameters or is not decided.
    """
    constants = []
    for piece in pieces:
        algebra = algebra_on(piece, x, parameters)
        rest = algebra.normal(piece.payoffs.generator - piece.payoffs.fake)
        if not algebra.is_zero(derivative(rest, x)):
            return False
        if x in rest.free_symbols:
            return None
        constants.append(rest)
    steps = [parameters.sign(one - constants[0]) for one in constants[1:]]
    if any(step in (1, -1) for step in steps):
        return False
    return None if None in steps else True


def _without_optimum(solved: Solved) -> Derivation:
    reason = f"no optimum: {solved.optimum.unbounded}"
    return Derivation(
        solved.definition,
        zero_sum=is_zero_sum(solved.pieces, solved.coordinate.symbol, solved.parameters),
        assumptions=ASSUMPTIONS,
        no_optimum=reason,
    )


def _consequences(solved: Solved) -> Derivation:
    parameters, optimum, x = solved.parameters, solved.optimum, solved.coordinate.symbol
    undecided: dict[str, str] = {}

    def attempt(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return numbers_only(function(*arguments))
        except OutOfTime:
            raise
        except Undecided as reason:
            undecided[name] = str(reason)
            return None

    real, h, link, supremum = (
        numbers_only(solved.along(part)) for part in ("real", "generator", "link", "supremum")
    )
    at_ends = {part: solved.composed(part) for part in ("real", "fake", "generator")}
    best = solved.composed("supremum").at(ONE, parameters)
    finite = attempt("loss", _determined, h, optimum)
    loss = finite and attempt("loss", at_ends["generator"].at, ONE, parameters)
    finite = None if loss is None else finite
    slopes = attempt("saturation in the score", solved.slopes)

    def described(name: str, curvature: Callable[..., Curve], curve: Curve, *more: Any) -> Any:
        return attempt(name, _described, curvature, curve, *more, parameters)

    def on_disjoint(name: str, function: Callable[..., sp.Expr], *arguments: Any) -> Any:
        return attempt(f"disjoint {name}", function, *arguments, parameters)

    return Derivation(
        solved.definition,
        numbers_only(_optimal_discriminator(solved, link)),
        attempt("second_order", consequences.second_order, optimum, x, parameters),
        attempt("value", _of_value, real, best, GeneratorSource(supremum), parameters),
        finite
        and _sloped(described("loss", loss_curvature, h, loss, GeneratorSource(h)), h, parameters),
        finite and attempt("followed", _of_followed, h, optimum, x, parameters),
        attempt("zero_sum", is_zero_sum, solved.pieces, x, parameters),
        finite and attempt("saturation", consequences.saturation, h, slopes, parameters, undecided),
        Disjoint(
            on_disjoint(
                "value", disjoint.value_on_disjoint, at_ends["real"], at_ends["fake"], best
            ),
            finite and on_disjoint("loss", disjoint.loss_on_disjoint, at_ends["generator"], loss),
            finite
            and on_disjoint("followed", disjoint.followed_on_disjoint, h, optimum.branches, x),
        ),
        attempt("equilibrium", equilibrium, optimum, solved.coordinate, best, parameters),
        assumptions=ASSUMPTIONS + _parameter_assumptions(parameters),
        undecided=undecided,
        solved=solved,
    )


def numbers_only(found: Any) -> Any:
    """Return a result, unless some expression in it is not a number: the gate against nan.

    Raises:
        Undecided: naming what is not a number.
    """
    if isinstance(found, sp.Basic):
        if found.has(sp.nan, sp.zoo, sp.AccumBounds):
            raise Undecided("an expression is not a number at the point where it is needed")
    elif isinstance(found, tuple | list):
        for part in found:
            numbers_only(part)
    elif is_dataclass(found) and not isinstance(found, Assumptions | Piece):
        for part in fields(found):
            numbers_only(getattr(found, part.name))
    return found


def _determined(h: Curve, optimum: Optimum) -> Curve:
    """Return the generator's payoff at the optimum if it is finite and one for every r."""
    for branch in optimum.branches:
        if branch.undetermined:
            raise Undecided(branch.undetermined)
    for (lower, upper), expr in h.cells:
        if expr.has(sp.oo, -sp.oo):
            raise Undecided(
                "the generator's loss is infinite at the optimal discriminator for "
                f"{lower} < r < {upper}"
            )
    return h


def _described(
    curvature: Callable[[Curve, Assumptions], Curve],
    curve: Curve,
    constant: sp.Expr,
    source: GeneratorSource,
    parameters: Assumptions,
) -> Curvature:
    found = consequences.describe_curvature(curvature(curve, parameters), constant, parameters)
    return replace(found, source=source)


def _of_value(
    real: Curve, constant: sp.Expr, source: GeneratorSource, parameters: Assumptions
) -> Curvature:
    return consequences.of_value(_described(value_curvature, real, constant, source, parameters))


def _of_followed(h: Curve, optimum: Optimum, x: sp.Symbol, parameters: Assumptions) -> Curvature:
    found = consequences.describe_curvature(
        followed_curvature(h, parameters),
        ZERO,
        parameters,
        lambda k: masses.sign_of_curvature(optimum.branches[k], x, parameters),
    )
    return replace(found, source=GeneratorSource(h, followed=True))


def _sloped(curvature: Curvature | None, h: Curve, parameters: Assumptions) -> Curvature | None:
    """Return a loss with h'(1), the mean of both sides where h has a kink there."""
    if curvature is None:
        return None
    return replace(curvature, slope=h.derivative(parameters).at(ONE, parameters))


def _optimal_discriminator(solved: Solved, link: Curve) -> OptimalDiscriminator:
    scores = Curve(
        tuple((b.ratios, solved.coordinate.to_score(b.x)) for b in solved.optimum.branches)
    )
    return OptimalDiscriminator(
        scores.expression,
        link.expression,
        solved.optimum.attained,
        solved.optimum.branches,
        tuple(
            (flat.ratio, *map(solved.coordinate.to_score, (flat.piece.lower, flat.piece.upper)))
            for flat in solved.optimum.flats
        ),
        tuple(
            (
                b.ratios,
                *map(solved.coordinate.to_score, (b.plateau[0].lower, b.plateau[-1].upper)),
            )
            for b in solved.optimum.branches
            if b.plateau
        ),
    )


def _parameter_assumptions(parameters: Assumptions) -> tuple[str, ...]:
    return tuple(
        f"{lower} < {symbol} < {upper}" for symbol, (lower, upper) in parameters.ranges.items()
    )


__all__ = ["derive", "r", "solve"]
