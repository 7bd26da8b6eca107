"""Whether a point is a Nash equilibrium, by its definition, and whether a strategy dominates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import sympy as sp
from flint import arb

from gantheory.dynamics.record import KINKED, Game, smooth_part
from gantheory.dynamics.spectrum import Balls, ball_matrix, eigenvalue_balls
from gantheory.exact.signs import sign_on_positive
from gantheory.functions import sigmoid, softplus

# Exact places where a better reply is looked for: a refutation needs one, a proof none.
TRIALS = tuple(sp.Rational(k, 4) for k in (-40, -12, -8, -5, -3, -1, 1, 3, 5, 8, 12, 40))


class Reply(StrEnum):
    """How a player's strategy answers the other's, from strongest to weakest."""

    INDIFFERENT = "indifferent"  # every strategy is as good
    GLOBAL = "globally best"
    LOCAL = "locally best"
    WORSE = "not best"  # some strategy nearby is better
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class NashTest:
    """The definition of a Nash equilibrium checked at one point.

    Attributes:
        replies: for each player, how its strategy answers the other's.
        differential: whether both second derivatives are positive definite there.
        dominant: for each player, whether its strategy is best against every strategy of the
            other; None where undecided.
        counterexamples: for each player, where dominance fails.
    """

    replies: tuple[Reply, Reply]
    differential: bool | None
    dominant: tuple[bool | None, bool | None]
    counterexamples: tuple[str, str]

    @property
    def kind(self) -> str:
        """``"Nash (global)"``, ``"Nash (local)"``, ``"not Nash"`` or ``"undecided"``."""
        if Reply.WORSE in self.replies:
            return "not Nash"
        if Reply.UNDECIDED in self.replies:
            return "undecided"
        return "Nash (local)" if Reply.LOCAL in self.replies else "Nash (global)"


def check_nash(dynamics: Game, point: Mapping[sp.Symbol, sp.Expr]) -> NashTest:
    """Check the definition at ``point``: no player gains by moving alone.

    >>> x, y = sp.symbols("x y", real=True)
    >>> check_nash(Game("xy", (x * y, -x * y), ((x,), (y,))), {x: 0, y: 0}).kind
    'Nash (global)'
    """
    point = {variable: sp.sympify(value) for variable, value in point.items()}
    hessians = [_hessian_at(dynamics, k, point) for k in (0, 1)]
    definite = [h.is_positive_definite for h in hessians]
    replies = tuple(_reply(dynamics, k, point, hessians[k]) for k in (0, 1))
    dominance = [_dominance(dynamics, k, point, replies[k]) for k in (0, 1)]
    return NashTest(
        (replies[0], replies[1]),
        None if None in definite else all(definite),
        (dominance[0][0], dominance[1][0]),
        (dominance[0][1], dominance[1][1]),
    )


def nash_in_balls(dynamics: Game, box: Mapping[sp.Symbol, arb]) -> NashTest:
    """Judge a point that balls enclose by the certain signs of its second derivatives."""
    definite = [_definite(ball_matrix(dynamics.hessian(k), box)) for k in (0, 1)]
    replies = [
        Reply.UNDECIDED if sign is None else Reply.LOCAL if sign else Reply.WORSE
        for sign in definite
    ]
    differential = None if None in definite else all(definite)
    return NashTest((replies[0], replies[1]), differential, (None, None), ("", ""))


def _definite(hessian: Balls | None) -> bool | None:
    """True if positive definite, False if some curvature is negative, None if not certain."""
    values = None if hessian is None else eigenvalue_balls(hessian)
    if values is None:
        return None
    if any(value.real < 0 for value in values):
        return False
    return True if all(value.real > 0 for value in values) else None


def _hessian_at(dynamics: Game, k: int, point: Mapping[sp.Symbol, sp.Expr]) -> sp.Matrix:
    raw = smooth_part(sp.hessian(dynamics.losses[k], dynamics.players[k])).subs(dict(point))
    return raw.applyfunc(dynamics.expect).applyfunc(sp.simplify)


def _gain(dynamics: Game, k: int, point: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """What player k loses by moving away from ``point`` alone, before the expectation."""
    loss = dynamics.losses[k].subs({v: point[v] for v in dynamics.players[1 - k]})
    gain = sp.simplify(loss - loss.subs({v: point[v] for v in dynamics.players[k]}))
    return dynamics.expect(gain) if gain.is_polynomial(*dynamics.noise) else gain


def _reply(dynamics: Game, k: int, point: Mapping[sp.Symbol, sp.Expr], hessian: sp.Matrix) -> Reply:
    gain, own = _gain(dynamics, k, point), dynamics.players[k]
    if gain == 0:
        return Reply.INDIFFERENT
    if gain.atoms(*KINKED):
        return _on_both_sides(gain, own, point)
    if hessian.is_positive_semidefinite is False:
        return Reply.WORSE
    if _nonnegative(gain, own):
        return Reply.GLOBAL
    if hessian.is_positive_definite:
        return Reply.LOCAL
    return Reply.UNDECIDED if gain.has(*dynamics.noise) else _on_both_sides(gain, own, point)


def _nonnegative(gain: sp.Expr, own: tuple[sp.Symbol, ...]) -> bool:
    """Whether the gain, zero and stationary at the point, is proved nowhere negative."""
    second = sp.hessian(gain, own).applyfunc(sp.simplify)
    if not second.free_symbols & set(own):
        return bool(second.is_positive_semidefinite)
    if len(own) > 1:
        return False
    (variable,), curvature = own, second[0, 0]
    if curvature.is_nonnegative:
        return True
    if gain.free_symbols != {variable}:
        return False
    if _nonnegative_on_line(curvature, variable):
        return True
    return _nonnegative_on_line(gain, variable)


def _nonnegative_on_line(expression: sp.Expr, variable: sp.Symbol) -> bool:
    """Whether an expression in one real variable is proved nowhere negative."""
    if expression.is_nonnegative:
        return True
    r = sp.Symbol("r", positive=True)
    plain = expression.replace(sigmoid, lambda u: 1 / (1 + sp.exp(-u))).replace(
        softplus, lambda u: sp.log(1 + sp.exp(u))
    )
    if variable.is_positive:
        return bool(_sign(plain.subs(variable, r), r))
    if plain.is_polynomial(variable):
        halves = [plain.subs(variable, r), plain.subs(variable, -r), plain.subs(variable, 0)]
        return all(_sign(half, r) for half in halves)
    return bool(_sign(sp.simplify(plain.subs(variable, sp.log(r))), r))


def _sign(expression: sp.Expr, r: sp.Symbol) -> bool | None:
    if not expression.free_symbols:
        return expression.is_nonnegative
    if expression.free_symbols != {r}:
        return None
    return sign_on_positive(expression, r).is_nonnegative


def _on_both_sides(
    gain: sp.Expr, own: tuple[sp.Symbol, ...], point: Mapping[sp.Symbol, sp.Expr]
) -> Reply:
    """Decide a local minimum in one variable by the first derivative that does not vanish."""
    if len(own) > 1:
        return Reply.UNDECIDED
    away = sp.Symbol("away", positive=True)
    signs = set()
    for side in (1, -1):
        derivative = gain.subs(own[0], point[own[0]] + side * away)
        for _ in range(8):
            derivative = smooth_part(sp.Matrix([sp.diff(derivative, away)]))[0]
            value = sp.simplify(derivative.subs(away, 0))
            if value != 0:
                break
        signs.add(value.is_positive if value.is_nonzero else None)
    if signs == {True}:
        return Reply.LOCAL
    return Reply.WORSE if False in signs else Reply.UNDECIDED


def _dominance(
    dynamics: Game, k: int, point: Mapping[sp.Symbol, sp.Expr], reply: Reply
) -> tuple[bool | None, str]:
    """Whether player k's strategy is best against all others: a proof or an exact exception."""
    own, others = dynamics.players[k], dynamics.players[1 - k]
    fixed = {v: point[v] for v in own}
    gain = sp.simplify(dynamics.losses[k] - dynamics.losses[k].subs(fixed))
    if dynamics.noise and not gain.is_polynomial(*dynamics.noise):
        return None, ""
    gain = dynamics.expect(gain)
    if not gain.free_symbols & set(others):
        return (True if reply in {Reply.GLOBAL, Reply.INDIFFERENT} else None), ""
    if dynamics.parameters or any(value.free_symbols for value in point.values()):
        return None, ""
    for mine, theirs in product(TRIALS, repeat=2):
        put = {v: point[v] + mine for v in own} | {v: point[v] + theirs for v in others}
        value = gain.subs(put)
        if value.is_real and sp.N(value, 30) < 0:
            where = ", ".join(f"{v}={put[v]}" for v in (*own, *others))
            return False, f"player {k + 1} does better at {where}"
    return None, ""
