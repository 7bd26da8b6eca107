"""Whether the flow brings every start closer to an equilibrium, by a certified sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from gantheory.dynamics.record import Game
from gantheory.dynamics.solve import Unsolved, solve_all
from gantheory.exact.signs import sign_on_positive
from gantheory.functions import sigmoid, softplus
from gantheory.records import How

r = sp.Symbol("r", positive=True)


@dataclass(frozen=True)
class Lyapunov:
    """What the squared distance to an equilibrium does along the flow.

    Attributes:
        rate: the derivative of half the squared distance.
        sign: ``"= 0"`` (orbits stay on spheres), ``"<= 0"``, ``"< 0"`` elsewhere, or ``"?"``.
        attracts: whether every trajectory is proved to converge to the equilibrium.
        how: proved by algebra, or certified by ball arithmetic.
    """

    rate: sp.Expr
    sign: str
    attracts: bool
    how: How


def distance_along_flow(dynamics: Game, point: Mapping[sp.Symbol, sp.Expr]) -> Lyapunov:
    r"""Study :math:`\tfrac{d}{dt} \tfrac12 \|z - z^*\|^2 = (z - z^*) \cdot v(z)`.

    Where it is nowhere positive, LaSalle's principle decides: if no trajectory but the
    equilibrium stays where it vanishes, every trajectory converges, for balls are compact and
    invariant. The field must be smooth.

    >>> from gantheory.dynamics.known import dirac
    >>> game = dirac("non-saturating")
    >>> distance_along_flow(game, game.candidates[0]).attracts
    True
    """
    shift = {v: v + point[v] for v in dynamics.variables}
    field = dynamics.field.subs(shift, simultaneous=True)
    rate = sp.factor(sum((v * f for v, f in zip(dynamics.variables, field, strict=True)), 0))
    if sp.expand(rate) == 0:
        return Lyapunov(sp.S.Zero, "= 0", False, How.PROVED)
    if rate.has(sp.Integral) or dynamics.discontinuous:
        return Lyapunov(rate, "?", False, How.UNDECIDED)
    parts = [_dissipation(term, dynamics.variables) for term in _terms(rate, dynamics.variables)]
    if any(part is None for part in parts):
        return Lyapunov(rate, "?", False, How.UNDECIDED)
    known = [part for part in parts if part is not None]
    how = How.CERTIFIED if How.CERTIFIED in [part.how for part in known] else How.PROVED
    vanishing = [equation for part in known for equation in part.zero]
    attracts = _only_origin_stays(vanishing, field, dynamics.variables)
    return Lyapunov(rate, "<= 0", attracts, how)


@dataclass(frozen=True)
class _Dissipation:
    """A term that is nowhere positive, and the equations of the set where it vanishes."""

    zero: tuple[sp.Expr, ...]
    how: How


def _terms(rate: sp.Expr, variables: tuple[sp.Symbol, ...]) -> list[sp.Expr]:
    """The quadratic part of a rate as one term, the rest as another."""
    quadratic = [
        term
        for term in sp.Add.make_args(sp.expand(rate))
        if term.is_polynomial(*variables) and sp.Poly(term, *variables).total_degree() == 2
    ]
    form = sp.Add(*quadratic)
    rest = sp.expand(rate - form)
    return [part for part in (form, rest) if part != 0]


def _dissipation(term: sp.Expr, variables: tuple[sp.Symbol, ...]) -> _Dissipation | None:
    return _quadratic_form(term, variables) or _in_product(term, variables)


def _quadratic_form(term: sp.Expr, variables: tuple[sp.Symbol, ...]) -> _Dissipation | None:
    if not term.is_polynomial(*variables) or not sp.Poly(term, *variables).is_homogeneous:
        return None
    if sp.Poly(term, *variables).total_degree() != 2:
        return None
    form = sp.hessian(term, variables)
    if not form.is_negative_semidefinite:
        return None
    return _Dissipation(tuple(form * sp.Matrix(variables)), How.PROVED)


def _in_product(term: sp.Expr, variables: tuple[sp.Symbol, ...]) -> _Dissipation | None:
    """A term in the product of two variables or in one variable alone, of certified sign."""
    used = [v for v in variables if term.has(v)]
    if len(used) == 2:
        s = sp.Symbol("s", real=True)
        alone = sp.expand(term.subs(used[0], s / used[1]))
        if alone.has(used[1]):
            return None
        how = _negative_but_at_zero(alone, s)
        return None if how is None else _Dissipation((used[0] * used[1],), how)
    if len(used) == 1:
        how = _negative_but_at_zero(term, used[0])
        return None if how is None else _Dissipation((used[0],), how)
    return None


def _negative_but_at_zero(expression: sp.Expr, s: sp.Symbol) -> How | None:
    """How it is known that an expression is negative except at s = 0, where it vanishes.

    With r = exp(s), s > 0 is r > 1 and s < 0 is r < 1; each half is certified by itself.
    """
    plain = expression.replace(sigmoid, lambda u: 1 / (1 + sp.exp(-u)))
    plain = plain.replace(softplus, lambda u: sp.log(1 + sp.exp(u))).rewrite(sp.exp)
    if sp.simplify(plain.subs(s, 0)) != 0 or plain.free_symbols != {s}:
        return None
    if plain.is_polynomial(s):
        halves = [plain.subs(s, r), plain.subs(s, -r)]
    else:
        whole = sp.simplify(plain.subs(s, sp.log(r)))
        halves = [whole.subs(r, 1 + r), whole.subs(r, 1 / (1 + r))]
    results = [sign_on_positive(sp.simplify(sp.expand_log(half)), r) for half in halves]
    if any(result.sign != "<0" for result in results):
        return None
    return How.CERTIFIED if How.CERTIFIED in [result.how for result in results] else How.PROVED


def _only_origin_stays(
    vanishing: list[sp.Expr], field: sp.Matrix, variables: tuple[sp.Symbol, ...]
) -> bool:
    """Whether the origin is the only point where the equations keep holding along the flow."""
    equations, latest = list(vanishing), list(vanishing)
    for _ in variables:
        latest = [(sp.Matrix([e]).jacobian(variables) * field)[0, 0] for e in latest]
        equations += latest
        try:
            points = solve_all(equations, variables)
        except Unsolved:
            continue
        if points and all(p.get(v, v) == 0 for p in points for v in variables):
            return True
    return False
