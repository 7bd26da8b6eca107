"""Published claims as data: each is compared with what the formulas give, by exact algebra."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp
from flint import arb

from gantheory.deadline import Undecided
from gantheory.derivations.confirmation import Point, named_curvature
from gantheory.derivations.derivation import Derivation
from gantheory.derivations.difference import confirm_equal, first_difference
from gantheory.derivations.engine import derive
from gantheory.divergences import DIVERGENCES, FDivergence
from gantheory.errors import GantheoryError
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.signs.balls import enclose
from gantheory.expressions import ELEMENTARY, Grammar, parse
from gantheory.formulas import names_in
from gantheory.functions import r, to_sympy
from gantheory.losses.loss import Claim, Loss
from gantheory.records import How, Verdict
from gantheory.theory.curvature import algebra_of
from gantheory.theory.generator import curvature
from gantheory.theory.jets import constant, jet
from gantheory.theory.records import Curvature

CLAIM = Grammar("claim", ELEMENTARY, frozenset({"r", *DIVERGENCES}), parameters=True)
PARTS = {
    "value": "V(D*)",
    "loss": "the generator's loss at D*",
    "followed": "the divergence that the generator follows",
}


def check_claim(
    loss: Loss, claim: Claim, derivation: Derivation | None = None
) -> tuple[Verdict, ...]:
    """Decide every part of a published claim about ``loss``: proved or refuted.

    >>> from gantheory.losses import get_loss
    >>> loss = get_loss("minimax")
    >>> [str(verdict.how) for verdict in check_claim(loss, loss.claims[0])]
    ['proved', 'proved', 'proved']
    """
    derivation = derivation or derive(loss)
    found: list[Verdict] = []
    if claim.optimal_discriminator is not None:
        found.append(_check_optimum(loss, claim.optimal_discriminator, derivation))
    for part in PARTS:
        text = getattr(claim, part)
        if text is not None:
            found.append(_check_part(loss, part, text, derivation))
    return tuple(found)


def _check_part(loss: Loss, part: str, text: str, derivation: Derivation) -> Verdict:
    statement = f"{loss.name}: {PARTS[part]} is {text}"
    found: Curvature | None = getattr(derivation, part)
    parameters = Assumptions.of(loss.parameters)
    claimed, _ = claimed_curvature(text, parameters)
    if found is None:
        reason = "; ".join((derivation.undecided or {}).values()) or derivation.no_optimum
        return Verdict(statement, How.UNDECIDED, right=text, reason=reason)
    left = _shown(found)
    if found.is_divergence is False and found.curvature == 0 and not found.atoms:
        return Verdict(statement, How.REFUTED, left, text, counterexample=found.reason)
    try:
        where = _difference_of_parts(part, found, claimed, parameters)
    except Undecided as undecided:
        return Verdict(statement, How.UNDECIDED, left, text, reason=str(undecided))
    if where is not None:
        return Verdict(statement, How.REFUTED, left, text, counterexample=where)

    def as_claimed(point: Point) -> arb:
        parts = claimed.terms.items()
        return sum((enclose(c, point) * named_curvature(n, point) for n, c in parts), arb(0))

    confirm_equal(found.curvature, as_claimed, parameters, statement)
    return Verdict(
        statement,
        How.PROVED,
        left,
        text,
        reason="the curvatures are equal by exact algebra",
        assumptions=derivation.assumptions,
    )


def _difference_of_parts(
    part: str, found: Curvature, claimed: Curvature, parameters: Assumptions
) -> str | None:
    """Return where what was found differs from what is claimed: curvature, kinks or constant."""
    where = first_difference(found.curvature - claimed.curvature, parameters)
    if where is not None:
        return f"at {where[0]} the curvatures differ by {float(where[1].mid()):.6g}"
    atoms = _atom_difference(found, claimed, parameters)
    if atoms is not None or part == "followed":
        return atoms
    if _is_zero(found.constant - claimed.constant, parameters):
        return None
    return f"at P = Q it is {found.constant}, not {claimed.constant}"


def _shown(found: Curvature) -> str:
    name = found.divergence if found.is_named else f"D_f with f'' = {found.curvature}"
    return name if found.constant == 0 else f"{name} + {found.constant}".replace("+ -", "- ")


def claimed_curvature(text: str, parameters: Assumptions) -> tuple[Curvature, sp.Expr]:
    """Read a combination of named divergences: its curvature and its constant.

    Raises:
        GantheoryError: if it is not linear in the divergences.
    """
    tree = parse(text, CLAIM)
    markers = {
        name: sp.Symbol(f"<{name}>", real=True)
        for name in names_in(tree)
        if name in DIVERGENCES or name.startswith("power_")
    }
    expr = sp.expand(to_sympy(tree, {**parameters.symbols, **markers}))
    constant = expr.xreplace({marker: sp.Integer(0) for marker in markers.values()})
    total: sp.Expr = sp.Integer(0)
    atoms: dict[sp.Expr, sp.Expr] = {}
    for name, marker in markers.items():
        coefficient = sp.diff(expr, marker)
        if coefficient.free_symbols & set(markers.values()):
            raise GantheoryError(f"claim {text[:60]!r} is not linear in its divergences")
        smooth, masses = _named_curvature(name, parameters)
        total += coefficient * smooth
        for place, mass in masses:
            atoms[place] = atoms.get(place, sp.Integer(0)) + coefficient * mass
    terms = {name: sp.diff(expr, marker) for name, marker in markers.items()}
    found = Curvature(
        total, tuple(atoms.items()), constant, terms, (), None, None, How.UNDECIDED, "claimed"
    )
    return found, constant


def _named_curvature(
    name: str, parameters: Assumptions
) -> tuple[sp.Expr, tuple[tuple[sp.Expr, sp.Expr], ...]]:
    if name in DIVERGENCES:
        return curvature(DIVERGENCES[name])
    order = name.removeprefix("power_")
    if order in parameters.symbols:
        alpha = parameters.symbols[order]
        f = (r**alpha - 1 - alpha * (r - 1)) / (alpha * (alpha - 1))
        return algebra_of((sp.Integer(0), sp.oo), parameters).normal(sp.diff(f, r, 2)), ()
    from gantheory.divergences import named

    entry: FDivergence = named(name)
    return curvature(entry)


def _is_zero(expr: sp.Expr, parameters: Assumptions) -> bool:
    return algebra_of((sp.Integer(0), sp.oo), parameters).is_zero(expr)


def _atom_difference(found: Curvature, claimed: Curvature, parameters: Assumptions) -> str | None:
    masses = dict(found.atoms)
    for place, mass in claimed.atoms:
        masses[place] = masses.get(place, sp.Integer(0)) - mass
    for place, mass in masses.items():
        if not _is_zero(mass, parameters):
            return f"at r = {place} the point masses differ by {mass}"
    return None


def _check_optimum(loss: Loss, text: str, derivation: Derivation) -> Verdict:
    statement = f"{loss.name}: the optimal discriminator is {text}"
    if derivation.optimum is None:
        reason = derivation.no_optimum or "; ".join((derivation.undecided or {}).values())
        return Verdict(statement, How.UNDECIDED, right=text, reason=reason)
    verdict = equal(derivation.optimum.D, text, statement, Assumptions.of(loss.parameters))
    return replace(verdict, assumptions=derivation.assumptions)


def equal(
    found: sp.Expr, claimed: str, statement: str, parameters: Assumptions | None = None
) -> Verdict:
    """Decide whether a derived formula in ``r`` and parameters is the claimed one, identically.

    >>> equal(derive("minimax").optimum.D, "1/(1 + r)", "p and q swapped").counterexample
    'at r = 2 the two sides differ by 0.333333'
    """
    parameters = parameters or Assumptions()
    expected = to_sympy(parse(claimed, CLAIM), parameters.symbols, ratio=True)
    try:
        where = first_difference(found - expected, parameters)
    except Undecided as reason:
        return Verdict(statement, How.UNDECIDED, str(found), claimed, reason=str(reason))
    if where is not None:
        shown = f"at {where[0]} the two sides differ by {float(where[1].mid()):.6g}"
        return Verdict(statement, How.REFUTED, str(found), claimed, counterexample=shown)

    def as_typed(point: Point) -> arb:
        names = {str(symbol): constant(value) for symbol, value in point.items()}
        return jet(parse(claimed, CLAIM), names)[0]

    confirm_equal(found, as_typed, parameters, statement)
    return Verdict(statement, How.PROVED, str(found), claimed)
