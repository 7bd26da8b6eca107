r"""Kernels of any f-divergence: from its named terms, its powers of r, or its curvature f''.

The curvature is all there is to a divergence, up to terms that integrate to nothing. What is a
sum of powers or of named divergences of one sign uses their closed kernels; everything else, and
what would cancel, is tabulated from the curvature (`gantheory.integrals.curvature.tabulated`).
Point masses of the curvature and jumps of f are added as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import sympy as sp

from gantheory.deadline import Undecided
from gantheory.divergences import FDivergence, named
from gantheory.errors import GantheoryError, shown
from gantheory.functions import r
from gantheory.integrals.curvature.losses import expectation_kernel
from gantheory.integrals.curvature.symmetric import SymmetricCurvature, breaks, simple_fraction
from gantheory.integrals.curvature.tabulated import Table
from gantheory.integrals.kernels.combined import sum_of, weighted_integrand
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.kernels.stable import kernel_of_order, stable_kernel
from gantheory.integrals.line.breaks import break_integrands
from gantheory.theory.generator import check_convex, check_generator, f_from_curvature
from gantheory.theory.generator import curvature as curvature_of

Places = tuple[tuple[sp.Expr, sp.Expr], ...]  # (ratio, mass or height)
Levels = tuple[tuple[float, float], ...]  # (log ratio, mass or height)


def kernel_of_formula(what: Any) -> Kernel:
    """Return the kernel of an `FDivergence`, or of anything with ``curvature``.

    ``atoms`` (point masses of the curvature), ``jumps`` (of f) and ``terms`` (what it is in named
    divergences) are used where there are any.

    Raises:
        GantheoryError: where the formula has free parameters, or cannot be tabulated.
    """
    if isinstance(what, FDivergence):
        return kernel_of_divergence(what)
    if not hasattr(what, "curvature"):
        if hasattr(what, "followed"):
            raise GantheoryError(
                "a loss's theory holds three divergences; give one of them: .value, .loss or "
                ".followed"
            )
        several = "; divergence_table takes several" if isinstance(what, list | tuple) else ""
        raise GantheoryError(
            f"{shown(what)} is no divergence; give a name, an FDivergence or a curvature{several}"
        )
    expr = what.curvature
    atoms, jumps = (tuple(getattr(what, part, ())) for part in ("atoms", "jumps"))
    terms = getattr(what, "terms", None) or {}
    slopes = () if getattr(what, "slope", None) is None else (what.slope,)
    involved = sp.Tuple(
        expr, *slopes, *(sp.Tuple(*place) for place in (*atoms, *jumps)), *terms.values()
    )
    if free := involved.free_symbols - {r}:
        names = sorted(map(str, free))
        raise GantheoryError(
            f"the curvature {expr} has free parameters ({', '.join(names)}); give them numbers, as "
            f"in LOSS({names[0]}=0.5)"
        )
    kernel = (_of_terms(terms) if terms else None) or of_curvature(expr, atoms, jumps)
    slope = getattr(what, "slope", None)
    return kernel if slope is None else expectation_kernel(kernel, float(slope))


@cache
def kernel_of_divergence(what: FDivergence) -> Kernel:
    """Return the kernel of an f-divergence: its stable form, or a table made from its formula."""
    return stable_kernel(what) or _from_generator(what)


def _from_generator(what: FDivergence) -> Kernel:
    check_generator(what)
    check_convex(what)
    try:
        expr, atoms = curvature_of(what)
    except Undecided as undecided:
        raise GantheoryError(f"the curvature of {what.name!r} is undecided: {undecided}") from None
    return replace(of_curvature(expr, atoms, name=what.name), entry=what)


def divergence_of_curvature(what: Any) -> FDivergence:
    """Return the f-divergence of a derived curvature: Σ c·f of its terms, or f by integration.

    Raises:
        GantheoryError: where no formula is known, or f jumps.
    """
    terms = getattr(what, "terms", None) or {}
    f = " + ".join(f"({c})*({named(name).f})" for name, c in terms.items())
    if getattr(what, "jumps", ()):
        raise GantheoryError(f"the divergence with curvature {what.curvature} has jumps of f")
    if not f:
        try:
            f = str(f_from_curvature(what.curvature, tuple(getattr(what, "atoms", ()))))
        except Undecided as undecided:
            raise GantheoryError(f"no f is known for {what.curvature}: {undecided}") from None
    return FDivergence(getattr(what, "divergence", None) or f"curvature {what.curvature}", f)


def _of_terms(terms: Mapping[str, Any]) -> Kernel | None:
    """Return a combination of named divergences, or None where it would cancel."""
    numbers = {name: float(c) for name, c in terms.items()}
    if min(numbers.values()) < 0 < max(numbers.values()):
        return None
    return sum_of([(kernel_of_divergence(named(name)), c) for name, c in numbers.items()])


@cache
def of_curvature(expr: sp.Expr, atoms: Places = (), jumps: Places = (), name: str = "") -> Kernel:
    """Return the kernel with curvature ``expr`` (in r), point masses and jumps of f.

    >>> from gantheory.functions import r
    >>> of_curvature(3*r**-sp.Rational(1, 2)).name
    '3*power_1.5'
    """
    if not atoms and not jumps and (known := _of_powers(expr, name)):
        return known
    return tabulated(expr, atoms, jumps, name)


def _of_powers(expr: sp.Expr, name: str) -> Kernel | None:
    """Return the kernel of Σ c·r^k with coefficients of one sign, or None for anything else."""
    found: dict[Fraction, float] = {}
    for term in sp.Add.make_args(sp.expand(expr)):
        coefficient, power = term.as_independent(r, as_Add=False)
        base, exponent = power.as_base_exp()
        if power != 1 and (base != r or not exponent.is_number):
            return None
        order = (Fraction(0) if power == 1 else _exact(exponent)) + 2
        found[order] = found.get(order, 0.0) + float(coefficient)
    if not found or not (all(c > 0 for c in found.values()) or all(c < 0 for c in found.values())):
        return None
    return sum_of([(kernel_of_order(order), c) for order, c in found.items()], name)


def _exact(number: sp.Expr) -> Fraction:
    if number.is_Rational:
        return Fraction(int(number.p), int(number.q))
    with mpmath.workdps(60):
        return simple_fraction(number.evalf(60)._to_mpmath(200))


@cache
def tabulated(expr: sp.Expr, atoms: Places = (), jumps: Places = (), name: str = "") -> Kernel:
    """Return a kernel made from a table of the curvature, whatever that is.

    >>> from gantheory.functions import r
    >>> tabulated(1/(2*r*(1 + r))).at_infinity.power
    Fraction(1, 1)
    """
    table = Table.of(*SymmetricCurvature.both(expr))
    corners = tuple(_level(place) for place in breaks(expr))
    kinks, steps = (tuple((_level(x), float(m)) for x, m in given) for given in (atoms, jumps))
    name = name or f"curvature {expr}" + (" with a jump of f" if jumps else "")
    return _assembled(name, table, kinks, steps, corners)


def _level(place: sp.Expr) -> float:
    return float(sp.log(place).evalf(30))


def _assembled(
    name: str,
    table: Table,
    kinks: Levels,
    jumps: Levels,
    corners: tuple[float, ...],
    turned: bool = False,
) -> Kernel:
    """Return the kernel of a table with kinks and jumps; ``turned``: the jumps are reversed."""
    extra = break_integrands(kinks, jumps, turned)
    weights = [1.0, *(weight for _, weight in extra)]
    value = weighted_integrand([table.value, *(part.value for part, _ in extra)], weights)
    slopes = [weighted_integrand([table.slope, *(part.slope for part, _ in extra)], weights)]
    if table.below.rest is not None:
        slopes += [
            weighted_integrand([table.slope_far, *(part.slope_far for part, _ in extra)], weights)
        ]
    places = {level for level, _ in (*kinks, *jumps)} | set(corners)

    def exchanged() -> Kernel:
        return _assembled(
            f"reverse of {name}",
            table.exchanged,
            tuple((-level, mass * math.exp(level)) for level, mass in kinks),
            tuple((-level, height) for level, height in jumps),
            tuple(-level for level in corners),
            not turned,
        )

    strengths = [(level, -h * math.exp(level) if turned else h) for level, h in jumps]
    return Kernel(
        name,
        value,
        tuple(slopes),
        exchanged,
        table.at_zero,
        table.at_infinity,
        tuple(places),
        jumps=tuple(strengths),
        kinks=tuple(level for level, _ in kinks),
    )


__all__ = [
    "divergence_of_curvature",
    "kernel_of_divergence",
    "kernel_of_formula",
    "of_curvature",
    "tabulated",
]
