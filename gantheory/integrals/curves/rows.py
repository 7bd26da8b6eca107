"""Laws that vary along a curve: a row a law, its parameters formulas in the varying number."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from gantheory.densities.base import POSITIVE, Array
from gantheory.densities.mixing import SUM_TOLERANCE
from gantheory.integrals.bulk.rows import STANDARD, LawRows, MixtureRows, Number
from gantheory.integrals.curves.formula import LETTER, arguments, dual, terms, tree_in_d, varies


def rows(text: str, values: Array) -> LawRows | MixtureRows | None:
    """Return the laws that a text with the letter d describes at all values of d.

    Returns:
        None where the family is not served in bulk, or where a law is not legal.
    """
    tree = tree_in_d(text)
    if _name(tree) != "mixture":
        return _row(tree, values)
    pairs = [(_number_of(weight, values), _row(part, values)) for weight, part in terms(tree)]
    weights, parts = zip(*pairs, strict=True)
    if any(part is None for part in parts):
        return None
    shares = _shares(weights)
    return None if shares is None else MixtureRows(shares, parts)


def _number_of(node: ast.expr, values: Array) -> Number:
    """Return the number that a formula is at every value of d."""
    if not varies(node):
        return Number(np.full((len(values), 1), float(dual(node, Fraction(0))[0])))
    if isinstance(node, ast.Name):
        return Number(values[:, None], np.ones((len(values), 1)))
    pairs = np.array([list(map(float, dual(node, Fraction(repr(d))))) for d in values.tolist()])
    return Number(pairs[:, :1], pairs[:, 1:])


def _name(node: ast.expr) -> str:
    named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return node.func.id if named else ""  # type: ignore[attr-defined]


def _row(node: ast.expr, values: Array) -> LawRows | None:
    if not isinstance(node, ast.Call) or _name(node) not in STANDARD:
        return None
    given = arguments(node)
    formulas = given.get("loc", ast.Constant(0)), given.get("scale", ast.Constant(1))
    if any(isinstance(formula, ast.Name) and formula.id != LETTER for formula in formulas):
        return None  # an infinity
    loc, scale = (_number_of(formula, values) for formula in formulas)
    if not np.all((scale.value > POSITIVE.lower) & (scale.value < POSITIVE.upper)):
        return None
    return LawRows(STANDARD[_name(node)], loc, scale)


def _shares(weights: Sequence[Number]) -> tuple[Number, ...] | None:
    """Return weights made to sum to 1, with their slopes; None where they do not, nearly."""
    total = np.sum([weight.value for weight in weights], axis=0)
    least = np.min([weight.value for weight in weights])
    if not least > POSITIVE.lower or np.max(np.abs(total - 1)) > SUM_TOLERANCE:
        return None
    if all(weight.slope is None for weight in weights):
        return tuple(Number(weight.value / total) for weight in weights)
    slopes = [np.zeros_like(total) if w.slope is None else w.slope for w in weights]
    grown = np.sum(slopes, axis=0)
    return tuple(
        Number(weight.value / total, (slope - weight.value / total * grown) / total)
        for weight, slope in zip(weights, slopes, strict=True)
    )
