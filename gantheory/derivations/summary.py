"""The answer first: what D reports, the loss reads, G follows; where it vanishes; P = Q."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sympy as sp

from gantheory.derivations.exposition import Line, weakest_word
from gantheory.derivations.wording import (
    atoms_text,
    combination_title,
    constant_text,
    undecided_kind,
    value_text,
)
from gantheory.divergences.symbols import dotted
from gantheory.functions import r, t, to_sympy
from gantheory.theory.records import UNNAMED, Curvature, Saturation, known, pieces_text

if TYPE_CHECKING:
    from gantheory.derivations.derivation import Derivation
    from gantheory.losses.loss import Loss
    from gantheory.records import Estimate


def summary_of(derivation: Derivation) -> tuple[Line, ...]:
    """Return five lines, each as well known as the weakest step that it rests on."""
    if derivation.no_optimum:
        why = derivation.no_optimum.removeprefix("no optimum: ")
        hint = "D maximises its payoffs; of a loss that it minimises, change the sign"
        return (Line("no optimum", f"{why} ({hint})", "proved"),)
    if derivation.optimum is None:
        return (Line("undecided", "; ".join((derivation.undecided or {}).values()), "undecided"),)
    value, *quantities = (
        Line(label, _quantity(derivation, name), _known(derivation, f"Which divergence the {verb}"))
        for name, label, verb in QUANTITIES
    )
    optimum = _known(derivation, "The optimal discriminator", "Second-order condition")
    value = Line(
        value.label,
        f"{value.text}, by D* = {_optimum(derivation)}{_restricted(derivation.definition)}",
        weakest_word([value.known, optimum]),
    )
    equality = Line("at P = Q", _equality(derivation), _known(derivation, "At equilibrium"))
    lines = (value, *quantities, _vanishing(derivation), equality)
    return tuple(Line(line.label, DIGITS.sub(_rounded, line.text), line.known) for line in lines)


FITS = 48  # characters of a formula that is read at a glance; the steps have every formula
DIGITS = re.compile(r"\d+\.\d{15,}(e-?\d+)?")  # of a number that is enclosed, not exact


def _rounded(found: re.Match[str]) -> str:
    return f"{float(found[0]):.10g}"


def _known(derivation: Derivation, *titles: str) -> str:
    """Return how the steps with these titles are known, by the weakest."""
    return weakest_word(step.known for step in derivation.steps if step.title in titles)


QUANTITIES = (
    ("value", "D reports", "value reports"),
    ("loss", "loss reads", "loss reads"),
    ("followed", "G follows", "generator follows"),
)


def _restricted(loss: Loss) -> str:
    """Say of payoffs in D that a domain is one of the score t, where one is given."""
    written = f"{loss.real} {loss.fake} {loss.generator}"
    if loss.domain.replace(" ", "") == "(-oo,oo)" or not re.search(r"\bD\b", written):
        return ""
    return f"; D = {loss.link}, t in {loss.domain}"


def _optimum(derivation: Derivation) -> str:
    """Return D* in r = p/q, in the densities where it is rational in them, or by its equation."""
    assert derivation.optimum is not None
    D = derivation.optimum.D
    attained = "" if derivation.optimum.attained else " (approached, not attained)"
    if derivation.value and derivation.value.parametric:
        equations = _equations(derivation.value)
        place = equations if len(equations) <= FITS else "r*a'(t) + b'(t) = 0"
        return f"the score t at which {place}{attained}"
    if not (D.is_rational_function(r) and D.has(r)):
        shown = pieces_text(D)
        if len(shown) > 2 * FITS:
            return f"a formula in r = p/q (among the steps){attained}"
        return f"{shown}{', r = p/q' if D.has(r) else ''}{attained}"
    p, q = sp.symbols("p q", positive=True)
    return f"{sp.factor(sp.cancel(D.subs(r, p / q)))}{attained}"


def _quantity(derivation: Derivation, name: str) -> str:
    found: Curvature | None = getattr(derivation, name)
    if found is None:
        return _open(derivation, name)
    if found.is_divergence is False:
        return f"no divergence: {found.reason}"
    condition = "" if found.is_divergence else f", {undecided_kind(found)}"
    if not found.is_named:
        kind = UNNAMED if found.is_divergence else "a quantity without a name"
        return f"{kind}{_bend(found)}{condition}"
    if not found.terms:
        return f"a constant, {dotted(str(found.constant))}"
    constant = dotted(constant_text(found.constant))
    forms = [found.terms, *found.alternatives][:2]
    return " = ".join(combination_title(form) + constant for form in forms) + condition


def _bend(curvature: Curvature) -> str:
    """Return f'' where it fits the line; the steps have it in any case."""
    if curvature.parametric:
        masses = "".join(f", a mass {mass} at r = {place}" for place, mass in curvature.atoms)
        formulas = " or ".join(dict.fromkeys(str(one.curvature) for one in curvature.parametric))
        shown = f"{formulas} where {_equations(curvature)}{masses}"
    else:
        shown = atoms_text(curvature)
    return f", f'' = {shown}" if len(shown) <= FITS else ""


def _equations(curvature: Curvature) -> str:
    """Return how r depends on the score, each formula once."""
    return " or ".join(dict.fromkeys(f"r = {one.ratio}" for one in curvature.parametric))


def _vanishing(derivation: Derivation) -> Line:
    """Say whether fakes give G a gradient: all of them, or those that D recognises."""
    found, label = derivation.saturation, "gradient"
    if found is None:
        return Line(label, _open(derivation, "saturation"), "undecided")
    if not to_sympy(derivation.definition.generator).has(t):
        return Line(label, "no fake gives one: G's loss does not depend on D", "proved")
    return vanishing_line(found)


def vanishing_line(found: Saturation) -> Line:
    """Say whether fakes that D recognises give G a gradient, in the score and in log r."""
    by_score, by_ratio = found.vanishing_in_score, found.vanishing
    decided = (None if one is None else True for one in (by_score, by_ratio))
    return Line("gradient", f"fakes that D recognises (r -> 0) {_given(by_score, by_ratio)}",
                known(*decided).value)  # fmt: skip


def _given(by_score: bool | None, by_ratio: bool | None) -> str:
    """Say whether fakes give a gradient: in the score, where G gets it, and in log r.

    >>> _given(True, True), _given(False, True)
    ('give none, in the raw score and in log r', 'give one in the raw score, but none in log r')
    """
    words = {True: "none", False: "one", None: "one or none (undecided)"}
    if by_score == by_ratio:
        return f"give {words[by_score]}, in the raw score and in log r"
    link = "and" if None in (by_score, by_ratio) else "but"
    return f"give {words[by_score]} in the raw score, {link} {words[by_ratio]} in log r"


def _equality(derivation: Derivation) -> str:
    """Say what D and both losses read at P = Q."""
    found = derivation.equilibrium
    if found is None:
        return _open(derivation, "equilibrium")
    D = _span(found.D_range) or value_text(found.D)
    loss = _span(found.generator_range) or _reading(found.generator_loss) or "undetermined"
    if found.generator_range is not None and loss:
        loss += "".join(
            f", or {value_text(one.generator_loss)} at D = {value_text(one.D)}"
            for one in found.others
        )
    losses = f"discriminator's loss {_reading(found.discriminator_loss)}, generator's {loss}"
    return f"D = {D}; {dotted(losses)}"


def _reading(value: sp.Expr | Estimate | None) -> str | None:
    """Return a loss with the decimals that a log shows; a long formula stays among the steps.

    >>> _reading(2 * sp.log(2)), _reading(sp.Rational(1, 4))
    ('2*log(2) ≈ 1.38629', '1/4')
    """
    exact = value_text(value)
    if exact is None or not isinstance(value, sp.Expr) or value.is_Rational:
        return exact
    if not (value.is_number and value.is_finite):
        return exact
    return f"{exact if len(exact) <= FITS // 2 else ''} ≈ {float(value):.6g}".strip()


def _span(ends: tuple[sp.Expr, sp.Expr] | None) -> str | None:
    return None if ends is None else f"{value_text(ends[0])} to {value_text(ends[1])}"


def _open(derivation: Derivation, name: str) -> str:
    """Return why a part of a derivation is missing."""
    return (derivation.undecided or {}).get(name, "undecided")
