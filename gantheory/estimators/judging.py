"""An estimator as a curve in r = p/q, what its curvatures stand for, and claims about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import sympy as sp

from gantheory.critics.published import read_value
from gantheory.critics.suprema import p, q
from gantheory.deadline import OutOfTime, Undecided
from gantheory.derivations.difference import first_difference
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import absolute, r, relu, sigmoid, softplus
from gantheory.records import How, Verdict
from gantheory.theory.curvature import Curve, loss_curvature
from gantheory.theory.identify import combination_text
from gantheory.theory.pieces import opened, smooth_parts
from gantheory.theory.records import NO_DIVERGENCE, Curvature

if TYPE_CHECKING:
    from gantheory.estimators.derive import EstimatorDerivation

POSITIVE = (sp.Integer(0), sp.oo)
NOTHING = "nothing: the gradient is pure noise"
WAYS = {
    "followed": "frozen samples",
    "reward": "a reward",
    "weighted": "a differentiable importance weight",
}


def curve_of(formula: sp.Expr, parameters: Assumptions) -> Curve:
    """Return a formula in r as one smooth expression between its kinks."""
    formula = formula.replace(softplus, lambda x: sp.log(1 + sp.exp(x)))
    formula = formula.replace(sigmoid, lambda x: 1 / (1 + sp.exp(-x)))
    formula = formula.replace(sp.Abs, absolute).replace(relu, _without_factor)
    formula = opened(formula, r, POSITIVE, parameters)
    return Curve(tuple(smooth_parts(formula, r, POSITIVE, parameters)))


def _without_factor(inner: sp.Expr) -> sp.Expr:
    """Return relu(k·g) as |k|·relu(±g) where a factor k that r is not in has a sign."""
    factor, rest = inner.as_independent(r, as_Add=False)
    if factor.is_positive:
        return factor * relu(rest)
    return -factor * relu(-rest) if factor.is_negative else relu(inner)


def judged(derived: EstimatorDerivation, parameters: Assumptions) -> Iterator[Verdict]:
    """Judge what was published, and whether each way of differentiating follows the value."""
    for claim in derived.definition.claims:
        for part in ("value", "followed"):
            said, found = getattr(claim, part), getattr(derived, part)
            if said is not None and found is not None:
                verb = "estimates" if part == "value" else "follows, with frozen samples,"
                statement = f"{claim.source}: {derived.definition.name} {verb} {said}"
                yield _compared(statement, found, _claimed(said), said, parameters)
    if derived.value is None:
        return
    for name, way in WAYS.items():
        found = getattr(derived, name)
        if found is not None:
            statement = f"with {way} the gradient follows what the estimator's mean is"
            wanted = (derived.value.curvature, derived.value.atoms)
            yield _compared(statement, found, wanted, derived.value.divergence, parameters)


def _claimed(said: str) -> tuple[sp.Expr, tuple[Any, ...]]:
    """Return the curvature of a combination of named divergences."""
    f = read_value(said).integrand.xreplace({p: r, q: sp.S.One})
    bent = loss_curvature(curve_of(f, Assumptions()), Assumptions())
    return bent.expression, bent.atoms


def _compared(
    statement: str,
    curvature: Curvature,
    wanted: tuple[sp.Expr, tuple[Any, ...]],
    said: str,
    parameters: Assumptions,
) -> Verdict:
    left = said_of(curvature)
    if dict(curvature.atoms) != dict(wanted[1]):
        places = sorted({str(place) for place, _ in (*curvature.atoms, *wanted[1])})
        example = f"the point masses at r = {', '.join(places)} differ"
        return Verdict(statement, How.REFUTED, left=left, right=said, counterexample=example)
    try:
        apart = first_difference(curvature.curvature - wanted[0], parameters)
    except OutOfTime:
        raise
    except Undecided as reason:
        return Verdict(statement, How.UNDECIDED, left=left, right=said, reason=str(reason))
    if apart is None:
        return Verdict(statement, How.PROVED, left=left, right=said)
    place, value = apart
    example = f"the curvatures differ by {float(value.mid()):.6g} at {place}"
    return Verdict(statement, How.REFUTED, left=left, right=said, counterexample=example)


def said_of(curvature: Curvature) -> str:
    """Return what a curvature stands for in words.

    >>> from gantheory.estimators.derive import derive_estimator
    >>> said_of(derive_estimator("k1").followed)
    'nothing: the gradient is pure noise'
    """
    if curvature.curvature == 0 and not curvature.atoms:
        return NOTHING
    if curvature.divergence == NO_DIVERGENCE and curvature.terms:
        return f"{combination_text(curvature.terms)}, which is no divergence"
    return curvature.divergence
