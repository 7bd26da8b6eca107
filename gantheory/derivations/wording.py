"""Divergences, constants and atoms in words and in LaTeX, as derivations show them."""

from __future__ import annotations

import re

import sympy as sp

from gantheory.derivations.typeset import typeset
from gantheory.divergences import named
from gantheory.divergences.symbols import dotted
from gantheory.errors import GantheoryError
from gantheory.records import Estimate
from gantheory.theory.curvature import joined, sum_text
from gantheory.theory.identify import Combination, combination_text
from gantheory.theory.records import Curvature, pieces_text, text

_WORD = re.compile(r"[A-Za-z]+(?:_[A-Za-z0-9]+)?")


def divergence_title(name: str) -> str:
    """Return the plain-text symbol of a named divergence."""
    try:
        return named(name).title
    except GantheoryError:
        return f"D_{name.removeprefix('power_').strip('()')}(P‖Q)"


def divergence_latex(name: str) -> str:
    """Return the typeset symbol of a named divergence."""
    try:
        return named(name).latex
    except GantheoryError:
        order = _WORD.sub(lambda word: typeset(sp.Symbol(word[0])), name.removeprefix("power_"))
        order = order.strip("()")
        return rf"D_{{{order}}}(P\|Q)"


def combination_title(terms: Combination) -> str:
    """Return a combination of divergences with their plain-text symbols."""
    return dotted(combination_text({divergence_title(name): c for name, c in terms.items()}))


def quantity_title(terms: Combination, constant: sp.Expr) -> str:
    """Return a combination of divergences and a constant as people write them.

    >>> quantity_title({"jsd": sp.Integer(2)}, -2 * sp.log(2))
    '2·JSD(P, Q) - 2·log(2)'
    """
    return combination_title(terms) + dotted(constant_text(constant))


def combination_latex(terms: Combination) -> str:
    """Return a combination of divergences typeset."""
    if not terms:
        return "0"
    shown = ""
    for name, value in terms.items():
        negative = value.could_extract_minus_sign()
        size = -value if negative else value
        factor = "" if size == 1 else _factor(size) + r"\,"
        sign = ("-" if negative else "") if not shown else (" - " if negative else " + ")
        shown += sign + factor + divergence_latex(name)
    return shown


def _factor(size: sp.Expr) -> str:
    shown = typeset(size)
    return rf"\left({shown}\right)" if size.is_Add else shown


def constant_text(constant: sp.Expr) -> str:
    """Return `` + c`` or `` - c`` as text, or nothing for 0."""
    if constant == 0:
        return ""
    terms = sp.Add.make_args(constant)
    return "".join(
        f" - {value_text(-term)}" if term.could_extract_minus_sign() else f" + {value_text(term)}"
        for term in terms
    )


def value_text(value: sp.Expr | Estimate | None) -> str | None:
    """Return a value as `text` does, but its pieces, in brackets, with their conditions in words.

    >>> gamma = sp.Symbol("gamma", positive=True)
    >>> value_text(sp.Piecewise((0, sp.Eq(gamma, 1)), (-1, gamma < 1), (sp.oo, True)))
    '(0 where gamma = 1, -1 where gamma < 1, else oo)'
    """
    if isinstance(value, sp.Expr) and value.has(sp.Piecewise):
        return f"({pieces_text(value)})"
    return text(value)


def constant_latex(constant: sp.Expr) -> str:
    """Return ``+ c`` or ``- c``, or nothing for 0."""
    if constant == 0:
        return ""
    if constant.could_extract_minus_sign():
        return " - " + typeset(-constant)
    return " + " + typeset(constant)


def undecided_kind(curvature: Curvature) -> str:
    """Return what decides whether a curvature is a divergence's, or why that is open."""
    if curvature.condition:
        return f"a divergence only if {curvature.condition}"
    return f"not known to be a divergence ({curvature.reason})"


def atoms_text(curvature: Curvature) -> str:
    """Return a curvature with its point masses as text."""
    smooth = pieces_text(curvature.curvature)
    if curvature.atoms and isinstance(curvature.curvature, sp.Piecewise):
        smooth = f"({smooth})"
    return sum_text("" if curvature.atoms and curvature.curvature == 0 else smooth, curvature.atoms)


def atoms_latex(curvature: Curvature) -> str:
    """Return a curvature with its point masses typeset."""
    masses = [
        ("" if mass == 1 else _factor(mass) + r"\,") + rf"\delta(r - {typeset(place)})"
        for place, mass in curvature.atoms
    ]
    smooth = [] if curvature.curvature == 0 and masses else [typeset(curvature.curvature)]
    return joined([*smooth, *masses])
