"""Closed forms of many pairs at once, with a bound on the rounding of every element."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from gantheory.densities import Density
from gantheory.densities.arrays import Densities
from gantheory.densities.base import Array
from gantheory.densities.inherited import is_family
from gantheory.densities.renamed import Renamed
from gantheory.integrals.bulk.normals import Answer, NormalPairs, of_normals
from gantheory.integrals.bulk.tracked import FUNCTIONS, Tracked
from gantheory.integrals.closed_forms import FORMS, compiled_formula, expression_of
from gantheory.wrt import split_parameter

Shape = tuple[int, ...]
Named = tuple[str, dict[str, Any]]  # a family that closed forms know, with its parameters


def closed_forms(name: str, p: Density, q: Density, shape: Shape, wrt: str | None) -> Answer | None:
    """Return a divergence, or its derivative, of every pair; None where no formula is known.

    Elements with nan or an error of inf are left to other routes.
    """
    (family, ours), (other, theirs) = _named(p), _named(q)
    if family != other:
        return None
    if family in ("normal", "lognormal") and wrt is None:
        numbers = (ours["loc"], ours["scale"], theirs["loc"], theirs["scale"])
        return of_normals(name, NormalPairs(*(np.broadcast_to(x, shape) for x in numbers)))
    if family not in FORMS:
        return None
    factor = 1.0
    if wrt is not None:
        wrt, factor = _inner(p, q, wrt)
    return _of_formula(name, family, {"p": ours, "q": theirs}, shape, wrt, factor)


def _of_formula(
    name: str,
    family: str,
    laws: dict[str, dict[str, Any]],
    shape: Shape,
    wrt: str | None,
    factor: float,
) -> Answer | None:
    values = {
        f"{law}_{key}": np.broadcast_to(np.asarray(x, float), shape)
        for law, numbers in laws.items()
        for key, x in numbers.items()
    }
    found = expression_of(name, family, True, wrt)
    if found is None:
        return None
    expr, needs = found
    with np.errstate(all="ignore"):
        value, error = _evaluated(expr, values, shape)
        for need in needs:
            bound, off = _evaluated(need, values, shape)
            sure = np.abs(bound) > off
            value = np.where(sure & (bound < 0), np.inf if wrt is None else np.nan, value)
            error = np.where(sure & (bound < 0), 0.0, np.where(sure, error, np.inf))
        if name in ("tv", "tv_gap"):  # the formula is that of equal scales
            error = np.where(values["p_scale"] == values["q_scale"], error, np.inf)
    return factor * value, abs(factor) * error


def _evaluated(expr: Any, values: dict[str, Array], shape: Shape) -> Answer:
    compute, names = compiled_formula(_without_signs(expr), tuple(FUNCTIONS.items()))
    found = Tracked.of(compute(*(Tracked(values[key]) for key in names)))
    return np.broadcast_to(found.value, shape), np.broadcast_to(found.error, shape)


@cache
def _without_signs(expr: sp.Expr) -> sp.Expr:
    """Return an expression with a function of ours for sign, which else is printed by its cases."""
    return expr.replace(sp.sign, sp.Function("sign_of"))


def _named(law: Density) -> Named:
    """Return the family and the parameters, arrays among them, of the law that closed forms know.

    A family that is another's under its own name builds that one from arrays as from numbers.
    """
    family = law.family if isinstance(law, Densities) else type(law)
    parameters = law.parameters
    if is_family(family, Renamed):
        known = family(**parameters).law
        family, parameters = type(known), known.parameters
    if family.name == "student_t" and np.all(np.asarray(parameters["df"]) == 1):
        return "cauchy", {key: parameters[key] for key in ("loc", "scale")}
    return family.name, parameters


def _inner(p: Density, q: Density, wrt: str) -> tuple[str, float]:
    """Return the parameter of the known law that one of a law moves, and how fast."""
    side, name = split_parameter(wrt)
    law = p if side == "p" else q
    family = law.family if isinstance(law, Densities) else type(law)
    chain = family.chain if is_family(family, Renamed) else {}
    inner, speed = chain.get(name, (name, 1.0))
    return f"{side}.{inner}", speed
