"""Published statements against derived ones, by exact algebra: proved equal, or refuted.

The text of a claim is data. It never enters a derivation; here it is made exact and compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy as sp

from gantheory.divergences import COMPLEMENTS, DIVERGENCES
from gantheory.errors import GantheoryError
from gantheory.expressions import ELEMENTARY, Grammar, parse
from gantheory.game import Claim, Game
from gantheory.records import How, Verdict
from gantheory.symbolic.algebra import Algebra
from gantheory.symbolic.atoms import r, to_sympy
from gantheory.symbolic.curvature import Atoms
from gantheory.symbolic.derivation import Curvature, Derivation
from gantheory.symbolic.engine import derive
from gantheory.symbolic.generator import curvature

COMBINATION = Grammar(
    "combination of divergences", ELEMENTARY, frozenset({*DIVERGENCES, *COMPLEMENTS}),
    parameters=True,
)  # fmt: skip
FORMULA = Grammar("formula", ELEMENTARY, frozenset({"r"}), parameters=True)
# Where to look for a ratio at which two different curvatures differ; any one of them will do.
PROBES = tuple(sp.Rational(k, 8) for k in (4, 16, 1, 64, 7, 9))


def compare(derived: Curvature, claimed: str, statement: str) -> Verdict:
    """Decide whether a derived quantity is the claimed combination, constant included.

    Two f-divergences are equal for all P and Q exactly when their curvatures are; so this proves
    or refutes, and a refutation shows a ratio r at which the curvatures differ, or the constants.

    >>> compare(derive("minimax").followed, "2*jsd", "").how.value
    'proved'
    """
    terms, constant = read_combination(claimed)
    smooth, atoms = _curvature_of(terms)
    example = _different_curvature(derived, smooth, atoms)
    if example is None and not Algebra({}).is_zero(derived.constant - constant):
        example = f"at P = Q it is {derived.constant}, not {constant}"
    how = How.PROVED if example is None else How.REFUTED
    return Verdict(statement, how, left=_in_words(derived), right=claimed, counterexample=example)


def equal(derived: object, claimed: str, statement: str) -> Verdict:
    """Decide whether a derived formula in r equals the claimed one, identically.

    >>> equal(derive("minimax").optimum.D, "r/(1 + r)", "").how.value
    'proved'
    """
    expected = to_sympy(parse(claimed, FORMULA), ratio=True)
    if derived is None:
        return Verdict(statement, How.UNDECIDED, reason="the engine derives no such formula")
    found: sp.Expr = sp.S.Zero + derived
    if Algebra({}).is_zero(found - expected):
        return Verdict(statement, How.PROVED, left=str(found), right=claimed)
    example = _where_different(found - expected)
    return Verdict(statement, How.REFUTED, str(found), claimed, counterexample=example)


def check_claim(game: Game, claim: Claim) -> tuple[Verdict, ...]:
    """Return a verdict on each thing that a publication claims of its loss."""
    theory = derive(game)
    verdicts = []
    if claim.optimal_discriminator is not None:
        said = f"{game.name}: D* = {claim.optimal_discriminator} ({claim.source})"
        found = None if theory.optimum is None else theory.optimum.D
        verdicts.append(equal(found, claim.optimal_discriminator, said))
    for part in ("value", "loss", "followed"):
        if (claimed := getattr(claim, part)) is not None:
            said = f"{game.name}: {part} = {claimed} ({claim.source})"
            verdicts.append(compare_part(theory, part, claimed, said))
    return tuple(verdicts)


def compare_part(theory: Derivation, part: str, claimed: str, statement: str) -> Verdict:
    """Decide a claim of a game's ``"value"``, ``"loss"`` or ``"followed"`` divergence."""
    derived = getattr(theory, part)
    if derived is not None:
        return compare(derived, claimed, statement)
    reason = theory.no_optimum or (theory.undecided or {}).get(part, "")
    return Verdict(statement, How.UNDECIDED, reason=f"no {part} is derived: {reason}")


def read_combination(text: str) -> tuple[Mapping[str, sp.Expr], sp.Expr]:
    """Return the coefficients of a linear combination of named divergences, and its constant.

    Raises:
        GantheoryError: where the text is no linear combination.

    >>> read_combination("2*jsd - 2*log(2)")
    ({'jsd': 2}, -2*log(2))
    """
    symbols = {name: sp.Symbol(name) for name in DIVERGENCES}
    values: dict[str, sp.Expr] = {**symbols}
    for name, complement in COMPLEMENTS.items():
        values[name] = to_sympy(complement.maximum) - symbols[complement.of]
    expr = sp.expand(to_sympy(parse(text, COMBINATION), values))
    terms = {name: expr.coeff(symbol) for name, symbol in symbols.items() if expr.has(symbol)}
    constant = sp.expand(expr - sum(value * symbols[name] for name, value in terms.items()))
    if any(part.has(*symbols.values()) for part in (constant, *terms.values())):
        raise GantheoryError(f"{text[:60]!r} is not a linear combination of divergences")
    return terms, constant


def _in_words(derived: Curvature) -> str:
    if not derived.is_named:
        return f"{derived.divergence}, plus {derived.constant}"
    named = sum((value * sp.Symbol(name) for name, value in derived.terms.items()), sp.S.Zero)
    return str(named + derived.constant)


def _curvature_of(terms: Mapping[str, sp.Expr]) -> tuple[sp.Expr, Atoms]:
    smooth, masses = sp.S.Zero, dict[Any, sp.Expr]()
    for name, coefficient in terms.items():
        part, atoms = curvature(DIVERGENCES[name])
        smooth += coefficient * part
        for place, mass in atoms:
            masses[place] = masses.get(place, sp.S.Zero) + coefficient * mass
    return smooth, tuple((place, mass) for place, mass in masses.items() if mass != 0)


def _different_curvature(derived: Curvature, smooth: sp.Expr, atoms: Atoms) -> str | None:
    difference = derived.curvature - smooth
    if not Algebra({}).is_zero(difference):
        return _where_different(difference)
    if not _same_atoms(derived.atoms, atoms):
        return f"the point masses of the curvature are {derived.atoms}, not {atoms}"
    return None


def _same_atoms(left: Atoms, right: Atoms) -> bool:
    masses = dict(left)
    for place, mass in right:
        masses[place] = masses.get(place, sp.S.Zero) - mass
    return all(Algebra({}).is_zero(mass) for mass in masses.values())


def _where_different(difference: sp.Expr, points: Iterable[sp.Rational] = PROBES) -> str:
    for point in points:
        value = difference.subs(r, point)
        if not value.free_symbols and abs(value.evalf(30)) > sp.Rational(1, 10**12):
            return f"at r = {point} they differ by {value.evalf(6)}"
    return f"their difference {difference} is not identically zero"
