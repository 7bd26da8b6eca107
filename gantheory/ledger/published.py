"""Published claims as data: each is compared with what the formulas give, by exact algebra."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp
from flint import arb

from gantheory.deadline import Undecided
from gantheory.derivations.at_ratio import Point, named_curvature
from gantheory.derivations.derivation import Derivation
from gantheory.derivations.difference import confirm_equal, first_difference
from gantheory.derivations.engine import derive
from gantheory.divergences import DIVERGENCES, FDivergence
from gantheory.errors import GantheoryError, unknown_name
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.signs.balls import enclose
from gantheory.expressions import ELEMENTARY, Grammar, parse
from gantheory.formulas import names_in
from gantheory.functions import r, softplus, t, to_sympy
from gantheory.losses.loss import Claim, Loss
from gantheory.records import Estimate, How, Verdict
from gantheory.theory.curvature import algebra_of
from gantheory.theory.generator import curvature
from gantheory.theory.jets import constant_jet, jet
from gantheory.theory.records import NO_DIVERGENCE, Curvature

CLAIM = Grammar("claim", ELEMENTARY, frozenset({"r", *DIVERGENCES}), parameters=True)
CURVATURES = {
    "value": "V(D*)",
    "loss": "the generator's loss at D*",
    "followed": "the divergence that the generator follows",
}
FORMULAS = {
    "optimal_discriminator": "the optimal discriminator",
    "equilibrium": "the optimal discriminator at p = q",
    "discriminator_loss": "the discriminator's loss at p = q",
    "generator_loss": "the generator's loss at p = q",
    "disjoint": "what the generator follows where the supports are disjoint",
    "f": "sup_t r·a(t) + b(t)",
}
PRINTED = {  # of the generator f that a claim prints, not of the loss
    "slope": "the derivative of the printed f",
    "normalised": "the printed f at r = 1",
}
PARTS = {**FORMULAS, **PRINTED, **CURVATURES}


def claimed_parts(claim: Claim) -> Iterator[tuple[str, str]]:
    """Yield each part that a claim states, with its text as published.

    A printed f says two things more: f(1) = 0, and that its derivative is the printed optimum.

    >>> list(claimed_parts(Claim("me", f="r*log(r)", optimal_discriminator="1 + log(r)")))[1:3]
    [('f', 'r*log(r)'), ('slope', '1 + log(r)')]
    """
    for part in (*FORMULAS, *CURVATURES):
        text = getattr(claim, part)
        if text is None:
            continue
        yield part, text
        if part == "f":
            if claim.optimal_discriminator is not None:
                yield "slope", claim.optimal_discriminator
            yield "normalised", "0"


def check_claim(
    loss: Loss, claim: Claim, derivation: Derivation | None = None
) -> tuple[Verdict, ...]:
    """Decide every part of a published claim about ``loss``, as printed: proved or refuted.

    >>> from gantheory.losses import get_loss
    >>> loss = get_loss("reverse-kl")
    >>> [str(verdict.how) for verdict in check_claim(loss, loss.claims[0])]
    ['proved', 'proved', 'proved']
    """
    derivation = derivation or derive(loss)
    return tuple(
        check_part(loss, part, text, derivation, f=claim.f) for part, text in claimed_parts(claim)
    )


def check_part(
    loss: Loss, part: str, text: str, derivation: Derivation, *, f: str | None = None
) -> Verdict:
    """Decide whether one quantity of ``loss`` is what ``text`` says; ``f`` is the printed one."""
    if part in CURVATURES:
        return _check_curvature(loss, part, text, derivation)
    statement = f"{loss.name}: {PARTS[part]} is {text}"
    parameters = Assumptions.of(loss.parameters)
    if part in PRINTED:
        if f is None:
            raise GantheoryError(f"{statement}: no f is printed")
        printed = to_sympy(parse(f, CLAIM), parameters.symbols, ratio=True)
        found = sp.diff(printed, r) if part == "slope" else printed.subs(r, 1)
        return equal(found, text, statement, parameters)
    found = _formula(loss, part, derivation, parameters)
    if not isinstance(found, sp.Expr):
        return Verdict(statement, How.UNDECIDED, right=text, reason=_why_open(derivation))
    verdict = equal(found, text, statement, parameters)
    return replace(verdict, assumptions=derivation.assumptions)


def _formula(
    loss: Loss, part: str, derivation: Derivation, parameters: Assumptions
) -> sp.Expr | Estimate | None:
    """Return what is derived for one of the `FORMULAS`; None where it is not known."""
    optimum, equilibrium = derivation.optimum, derivation.equilibrium
    if part == "disjoint":
        return derivation.disjoint and derivation.disjoint.followed
    if optimum is None or equilibrium is None:
        return None
    if part == "f":
        real, fake = (to_sympy(text, parameters.symbols) for text in (loss.real, loss.fake))
        return (r * real + fake).subs(t, optimum.score).rewrite(softplus, sp.log)
    return {
        "optimal_discriminator": optimum.D,
        "equilibrium": equilibrium.D,
        "discriminator_loss": equilibrium.discriminator_loss,
        "generator_loss": equilibrium.generator_loss,
    }[part]


def _why_open(derivation: Derivation) -> str | None:
    undecided = "; ".join((derivation.undecided or {}).values())
    return derivation.no_optimum or undecided or "it is not derived"


def _check_curvature(loss: Loss, part: str, text: str, derivation: Derivation) -> Verdict:
    statement = f"{loss.name}: {PARTS[part]} is {text}"
    found: Curvature | None = getattr(derivation, part)
    parameters = Assumptions.of(loss.parameters)
    if found is None:
        return Verdict(statement, How.UNDECIDED, right=text, reason=_why_open(derivation))
    left = _shown(found)
    if text == NO_DIVERGENCE:
        return _no_divergence(found, statement, left)
    claimed, _ = claimed_curvature(text, parameters)
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


def _no_divergence(found: Curvature, statement: str, left: str) -> Verdict:
    """Decide that f'' is negative somewhere, where the engine found a ratio at which it is."""
    if found.is_divergence is None:
        return Verdict(statement, How.UNDECIDED, left, NO_DIVERGENCE, reason=found.reason)
    if found.is_divergence:
        example = f"f'' = {found.curvature} is nowhere negative"
        return Verdict(statement, How.REFUTED, left, NO_DIVERGENCE, counterexample=example)
    return Verdict(statement, How.PROVED, left, NO_DIVERGENCE, reason=found.reason)


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
        GantheoryError: if it is not linear in the divergences, or has an unknown name.
    """
    tree = parse(text, CLAIM)
    for name in names_in(tree):
        if not (name in DIVERGENCES or name in parameters.symbols or name.startswith("power_")):
            raise unknown_name("divergence", name, (*DIVERGENCES, *parameters.symbols))
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


def equal(
    expr: sp.Expr, claimed: str, statement: str, parameters: Assumptions | None = None
) -> Verdict:
    """Decide whether a derived formula in ``r`` and parameters is the claimed one, identically.

    >>> equal(derive("minimax").optimum.D, "1/(1 + r)", "p and q swapped").counterexample
    'at r = 2 the two sides differ by 0.333333'
    """
    parameters = parameters or Assumptions()
    expected = to_sympy(parse(claimed, CLAIM), parameters.symbols, ratio=True)
    try:
        where = first_difference(expr - expected, parameters)
    except Undecided as reason:
        return Verdict(statement, How.UNDECIDED, str(expr), claimed, reason=str(reason))
    if where is not None:
        shown = f"at {where[0]} the two sides differ by {float(where[1].mid()):.6g}"
        return Verdict(statement, How.REFUTED, str(expr), claimed, counterexample=shown)

    def as_typed(point: Point) -> arb:
        names = {str(symbol): constant_jet(value) for symbol, value in point.items()}
        return jet(parse(claimed, CLAIM), names)[0]

    confirm_equal(expr, as_typed, parameters, statement)
    return Verdict(statement, How.PROVED, str(expr), claimed)
