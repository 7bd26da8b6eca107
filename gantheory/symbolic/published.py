"""Published claims as data: each is compared with what the formulas give, by exact algebra."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import sympy as sp

from gantheory.divergences import DIVERGENCES, FDivergence
from gantheory.errors import GantheoryError
from gantheory.expressions import ELEMENTARY, Grammar, parse
from gantheory.game import Claim, Game, names_in
from gantheory.records import How, Verdict
from gantheory.symbolic.algebra import evaluate
from gantheory.symbolic.atoms import r, to_sympy
from gantheory.symbolic.curvature import algebra_of
from gantheory.symbolic.derivation import Curvature, Derivation
from gantheory.symbolic.engine import derive
from gantheory.symbolic.generator import curvature
from gantheory.symbolic.limits import Undecided
from gantheory.symbolic.positivity import Parameters

CLAIM = Grammar("claim", ELEMENTARY, frozenset({"r", *DIVERGENCES}), parameters=True)
PARTS = {
    "value": "V(D*)",
    "loss": "the generator's loss at D*",
    "followed": "the divergence that the generator follows",
}


def check_claim(
    game: Game, claim: Claim, derivation: Derivation | None = None
) -> tuple[Verdict, ...]:
    """Decide every part of a published claim about ``game``: proved or refuted.

    >>> from gantheory.games import get_game
    >>> game = get_game("minimax")
    >>> [str(verdict.how) for verdict in check_claim(game, game.claims[0])]
    ['proved', 'proved', 'proved']
    """
    derivation = derivation or derive(game)
    found: list[Verdict] = []
    if claim.optimal_discriminator is not None:
        found.append(_check_optimum(game, claim.optimal_discriminator, derivation))
    for part in PARTS:
        text = getattr(claim, part)
        if text is not None:
            found.append(_check_part(game, part, text, derivation))
    return tuple(found)


def _check_part(game: Game, part: str, text: str, derivation: Derivation) -> Verdict:
    statement = f"{game.name}: {PARTS[part]} is {text}"
    found: Curvature | None = getattr(derivation, part)
    parameters = Parameters.of(game)
    claimed, constant = claimed_curvature(text, parameters)
    if found is None:
        reason = "; ".join((derivation.undecided or {}).values()) or derivation.no_optimum
        return Verdict(statement, How.UNDECIDED, right=text, reason=reason)
    left = _shown(found)
    if found.is_divergence is False and found.curvature == 0 and not found.atoms:
        return Verdict(statement, How.REFUTED, left, text, counterexample=found.reason)
    difference = found.curvature - claimed.curvature
    where = _first_difference(difference, parameters)
    if where is not None:
        return Verdict(statement, How.REFUTED, left, text, counterexample=where)
    atoms = _atom_difference(found, claimed, parameters)
    if atoms is not None:
        return Verdict(statement, How.REFUTED, left, text, counterexample=atoms)
    if part != "followed" and not _is_zero(found.constant - constant, parameters):
        reason = f"at P = Q it is {found.constant}, not {constant}"
        return Verdict(statement, How.REFUTED, left, text, counterexample=reason)
    return Verdict(
        statement,
        How.PROVED,
        left,
        text,
        reason="the curvatures are equal by exact algebra",
        assumptions=derivation.assumptions,
    )


def _shown(found: Curvature) -> str:
    name = found.divergence if found.is_named else f"D_f with f'' = {found.curvature}"
    return name if found.constant == 0 else f"{name} + {found.constant}".replace("+ -", "- ")


def claimed_curvature(text: str, parameters: Parameters) -> tuple[Curvature, sp.Expr]:
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
    name: str, parameters: Parameters
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


def _is_zero(expr: sp.Expr, parameters: Parameters) -> bool:
    return algebra_of((sp.Integer(0), sp.oo), parameters).is_zero(expr)


def _cells(expr: sp.Expr) -> Iterator[sp.Expr]:
    if expr.has(sp.Piecewise):
        for piece in sp.piecewise_fold(expr).args:
            yield piece[0]
    else:
        yield expr


def _first_difference(difference: sp.Expr, parameters: Parameters) -> str | None:
    """Return where two curvatures differ, or None where they are equal."""
    for expr in _cells(difference):
        if not _is_zero(expr, parameters):
            for point in (sp.Integer(2), sp.Rational(1, 2), sp.Integer(3)):
                value = evaluate(expr, {**parameters.sample, r: float(point)})
                if abs(value) > 1e-9:
                    at = _at(parameters.sample)
                    return f"at r = {point}{at} the curvatures differ by {value:.6g}"
            return "the curvatures differ"
    return None


def _at(sample: Mapping[sp.Symbol, float]) -> str:
    return "".join(f", {symbol} = {value:.6g}" for symbol, value in sample.items())


def _atom_difference(found: Curvature, claimed: Curvature, parameters: Parameters) -> str | None:
    masses = dict(found.atoms)
    for place, mass in claimed.atoms:
        masses[place] = masses.get(place, sp.Integer(0)) - mass
    for place, mass in masses.items():
        if not _is_zero(mass, parameters):
            return f"at r = {place} the point masses differ by {mass}"
    return None


def _check_optimum(game: Game, text: str, derivation: Derivation) -> Verdict:
    statement = f"{game.name}: the optimal discriminator is {text}"
    if derivation.optimum is None:
        reason = derivation.no_optimum or "; ".join((derivation.undecided or {}).values())
        return Verdict(statement, How.UNDECIDED, right=text, reason=reason)
    verdict = equal(derivation.optimum.D, text, statement, Parameters.of(game))
    return replace(verdict, assumptions=derivation.assumptions)


def equal(
    found: sp.Expr, claimed: str, statement: str, parameters: Parameters | None = None
) -> Verdict:
    """Decide whether a derived formula in ``r`` and parameters is the claimed one, identically.

    >>> equal(derive("minimax").optimum.D, "1/(1 + r)", "p and q swapped").counterexample
    'at r = 2 the two sides differ by 0.333333'
    """
    parameters = parameters or Parameters()
    expected = to_sympy(parse(claimed, CLAIM), parameters.symbols, ratio=True)
    try:
        where = _first_difference(found - expected, parameters)
    except Undecided as reason:
        return Verdict(statement, How.UNDECIDED, str(found), claimed, reason=str(reason))
    if where is None:
        return Verdict(statement, How.PROVED, str(found), claimed)
    where = where.replace("curvatures", "two sides")
    return Verdict(statement, How.REFUTED, str(found), claimed, counterexample=where)
