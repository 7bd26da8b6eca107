r"""Facts of an f-divergence, derived from its generator f alone, and f back from a curvature."""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from gantheory.deadline import Undecided
from gantheory.divergences import RATIO, FDivergence
from gantheory.errors import GantheoryError
from gantheory.exact.algebra import Algebra
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.limits import limit
from gantheory.exact.partial import parts_of
from gantheory.exact.signs import sign_on_positive
from gantheory.expressions import parse
from gantheory.functions import absolute, r, relu, to_sympy
from gantheory.theory.curvature import Atoms, Curve, algebra_of
from gantheory.theory.pieces import smooth_parts
from gantheory.theory.radicals import opened

ONE = sp.Integer(1)
POSITIVE = (sp.Integer(0), sp.oo)


@lru_cache(maxsize=256)
def formula(divergence: FDivergence) -> sp.Expr:
    """Return f as an expression in r whose only kinks are relu.

    >>> from gantheory.divergences import named
    >>> formula(named("kl_pq"))
    r*log(r)
    """
    expr = to_sympy(parse(divergence.f, RATIO), {}, ratio=True)
    return opened(expr, r, POSITIVE, Assumptions()).replace(sp.Abs, absolute)


def check_generator(divergence: FDivergence) -> None:
    """Refuse an f that has free parameters, or for which f(1) is not 0.

    Raises:
        GantheoryError: with what to write instead.
    """
    expr = formula(divergence)
    if free := sorted(map(str, expr.free_symbols - {r})):
        raise GantheoryError(
            f"f = {divergence.f} has free parameters ({', '.join(free)}); put numbers into it"
        )
    at_one = expr.xreplace({r: ONE})
    if at_one.has(sp.nan, sp.zoo):
        at_one = limit(expr, r, ONE, 1, Assumptions())
    if not Algebra({}).is_zero(at_one):
        shown = at_one if len(str(at_one)) < 30 else f"{float(at_one):.6g}"
        raise GantheoryError(
            f"f = {divergence.f} is no generator of a divergence: f(1) = {shown}, not 0, so that "
            "equal laws would be apart; subtract it"
        )


def check_convex(divergence: FDivergence) -> None:
    """Refuse an f that is known to bend downwards somewhere; one that is undecided passes.

    Raises:
        GantheoryError: with what to write instead.
    """
    if is_convex(divergence) is False:
        turned = is_convex(FDivergence(divergence.name, f"-({divergence.f})"))
        remedy = "change its sign" if turned else "a divergence is convex in r on (0, oo)"
        raise GantheoryError(
            f"f = {divergence.f} is no generator of a divergence: it is not convex; {remedy}"
        )


@lru_cache(maxsize=256)
def is_convex(divergence: FDivergence) -> bool | None:
    """Whether f is convex on (0, ∞); None where that is not decided.

    >>> from gantheory.divergences import named
    >>> is_convex(named("tv")), is_convex(FDivergence("concave", "sqrt(r) - 1"))
    (True, False)
    """
    try:
        smooth, atoms = curvature(divergence)
        bends = True if smooth == 0 else sign_on_positive(sp.together(smooth), r).is_nonnegative
    except Undecided:
        return None
    kinks = [mass.is_nonnegative for _, mass in atoms]
    return False if False in (bends, *kinks) else None if None in (bends, *kinks) else True


@lru_cache(maxsize=256)
def generator_curve(divergence: FDivergence) -> Curve:
    """Return f as a curve: one smooth expression between its kinks."""
    return Curve(tuple(smooth_parts(formula(divergence), r, POSITIVE, Assumptions())))


def curvature(divergence: FDivergence) -> tuple[sp.Expr, Atoms]:
    """Return f'' on (0, ∞) without its point masses, and those as (location, mass).

    >>> from gantheory.divergences import named
    >>> curvature(named("kl_mp")), curvature(named("tv"))
    ((1/(2*r**2*(r + 1)), ()), (0, ((1, 1),)))
    """
    return _curvature(divergence)


@lru_cache(maxsize=256)
def _curvature(divergence: FDivergence) -> tuple[sp.Expr, Atoms]:
    parameters = Assumptions()
    second = generator_curve(divergence).derivative(parameters).derivative(parameters)
    return second.expression, second.atoms


@lru_cache(maxsize=256)
def at_zero(divergence: FDivergence) -> sp.Expr:
    """Return f(0) = lim f(r) as r falls to 0: the weight of the part of Q where p = 0.

    >>> from gantheory.divergences import named
    >>> at_zero(named("kl_qm")), at_zero(named("kl_qp"))
    (log(2), oo)
    """
    return limit(generator_curve(divergence).cells[0][1], r, sp.Integer(0), 1, Assumptions())


@lru_cache(maxsize=256)
def slope_at_infinity(divergence: FDivergence) -> sp.Expr:
    """Return f'(∞) = lim f(r)/r: the weight of the part of P where q = 0.

    >>> from gantheory.divergences import named
    >>> slope_at_infinity(named("jsd")), slope_at_infinity(named("kl_pq"))
    (log(2)/2, oo)
    """
    return limit(generator_curve(divergence).cells[-1][1] / r, r, sp.oo, -1, Assumptions())


def f_from_curvature(
    expr: sp.Expr, atoms: Atoms = (), parameters: Assumptions | None = None
) -> sp.Expr:
    """Return f with f'' = ``expr`` + Σ mass·δ(r − location) and f(1) = f'(1) = 0.

    A partial fraction of ``expr`` in powers of r and of linear functions of r is integrated in
    closed form, and the result is differentiated twice to check it.

    Raises:
        Undecided: where no closed form is found.

    >>> f_from_curvature(1 / r)
    r*log(r) - r + 1
    """
    parameters = parameters or Assumptions()
    kinks = sp.Add(*(mass * _hinge(place) for place, mass in atoms))
    if expr.has(sp.Piecewise):
        raise Undecided("the generator of a curvature with several pieces is not worked out")
    algebra = algebra_of((sp.Integer(0), sp.oo), parameters)
    smooth = sp.Add(
        *(
            _twice(part.base, part.exponent) * part.coefficient
            for part in parts_of(expr, r, algebra)
        )
    )
    if not algebra.is_zero(sp.diff(smooth, r, 2) - expr):
        raise Undecided(f"no closed form for the generator with curvature {expr}")
    return smooth + kinks


def _hinge(place: sp.Expr) -> sp.Expr:
    """A convex kink at ``place`` with unit mass, chosen so that f(1) = 0."""
    if place == 1:
        return sp.Abs(r - 1) / 2
    return relu(place - r) - relu(place - 1)


def _twice(base: sp.Expr, exponent: sp.Expr) -> sp.Expr:
    """Return ∫₁ʳ (r − s) base(s)^exponent ds for a base linear in r."""
    slope = sp.expand(base).coeff(r)
    start = base.xreplace({r: ONE})
    if exponent == -1:
        inner = base * sp.log(base / start) - slope * (r - 1)
    elif exponent == -2:
        inner = -sp.log(base / start) + slope * (r - 1) / start
    else:
        e = exponent
        inner = (
            base ** (e + 2) - start ** (e + 2) - (e + 2) * start ** (e + 1) * slope * (r - 1)
        ) / ((e + 1) * (e + 2))
    return inner / slope**2
