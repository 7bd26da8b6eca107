"""A two-player game of smooth losses: its field and Jacobian, by differentiation alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import sympy as sp

from gantheory.dynamics.noise import Noise
from gantheory.errors import GantheoryError
from gantheory.functions import relu, sigmoid
from gantheory.shown import Overview, Shown

KINKED = (sp.Abs, sp.Max, sp.Min, sp.sign, sp.Heaviside, sp.Piecewise, relu)


@dataclass(frozen=True, repr=False)
class Game(Shown):
    r"""Two players who descend their own losses.

    With the strategies :math:`z = (x, y)` and the losses :math:`L_1, L_2`, each minimised by
    its player, training follows the field
    :math:`v(z) = (-\partial_x L_1, -\partial_y L_2)`, whose Jacobian J has the blocks
    :math:`-\partial_{xx} L_1` and :math:`-\partial_{yy} L_2` on its diagonal.
    In a zero-sum game :math:`L_2 = -L_1`.

    Args:
        name: identifier.
        losses: :math:`L_1` and :math:`L_2`, in the variables and positive parameters.
        players: the variables of each player, real symbols.
        domains: sympy sets to which variables are confined; the reals unless given.
        noise: random variables with their laws; the losses are expectations over them.
        candidates: points to be tried as equilibria where the equations cannot be solved.
        title: a sentence for people.

    >>> x, y = sp.symbols("x y", real=True)
    >>> Game("xy", (x * y, -x * y), ((x,), (y,))).jacobian
    Matrix([
    [0, -1],
    [1,  0]])
    """

    name: str
    losses: tuple[sp.Expr, sp.Expr]
    players: tuple[tuple[sp.Symbol, ...], tuple[sp.Symbol, ...]]
    domains: Mapping[sp.Symbol, sp.Set] = field(default_factory=dict)
    noise: Mapping[sp.Symbol, Noise] = field(default_factory=dict)
    candidates: tuple[Mapping[sp.Symbol, sp.Expr], ...] = ()
    title: str = ""

    def overview(self) -> Overview:
        """Return each player's loss and variables."""
        rows = [(f"min over {', '.join(map(str, variables))}", str(loss))
                for loss, variables in zip(self.losses, self.players, strict=True)]  # fmt: skip
        return Overview(self.title or self.name, tuple(rows))

    def __post_init__(self) -> None:
        for number, variables in enumerate(self.players, 1):
            if not variables:
                raise GantheoryError(f"player {number} has no variables; name at least one")
        shared = set(self.players[0]) & set(self.players[1])
        if shared:
            raise GantheoryError(f"variable {shared.pop()} belongs to both players; give it to one")
        for number, (loss, variables) in enumerate(zip(self.losses, self.players, strict=True), 1):
            if not loss.free_symbols & set(variables):
                raise GantheoryError(
                    f"player {number} has no variables in its payoff {_shown(loss)}: "
                    f"{', '.join(map(str, variables))} does not occur there"
                )
        undeclared = [v for v in self.rough if v not in self.domains]
        if undeclared:
            name = undeclared[0]
            raise GantheoryError(
                f"the payoff of {self.name!r} is not smooth in {name}; declare its domain, as in "
                f"--domain '{name}: (0, oo)', or accept a discontinuous field by "
                f"--domain '{name}: (-oo, oo)'"
            )

    @property
    def variables(self) -> tuple[sp.Symbol, ...]:
        """The variables of player 1, then those of player 2."""
        return (*self.players[0], *self.players[1])

    @property
    def parameters(self) -> tuple[sp.Symbol, ...]:
        """The free symbols that no player moves, in the order of their names."""
        used = set().union(*(loss.free_symbols for loss in self.losses))
        used |= set().union(set(), *(law.scale.free_symbols for law in self.noise.values()))
        return tuple(sorted(used - set(self.variables) - set(self.noise), key=str))

    @cached_property
    def rough(self) -> tuple[sp.Symbol, ...]:
        """The variables in which a loss has a kink or leaves the reals."""
        parts = [part for loss in self.losses for part in _rough_parts(loss)]
        symbols = set().union(set(), *(part.free_symbols for part in parts))
        return tuple(v for v in self.variables if v in symbols)

    @cached_property
    def discontinuous(self) -> bool:
        """Whether the field jumps somewhere in the declared domain."""
        return bool(self.field.atoms(*KINKED))

    @cached_property
    def zero_sum(self) -> bool:
        """Whether one player's gain is the other's loss: the losses add up to a constant."""
        total = sum(self.losses)
        return all(sp.simplify(sp.expand(sp.diff(total, v))) == 0 for v in self.variables)

    @cached_property
    def integrand(self) -> sp.Matrix:
        """The field before the expectation over the noise."""
        return sp.Matrix(
            [
                -sp.diff(loss, variable)
                for loss, variables in zip(self.losses, self.players, strict=True)
                for variable in variables
            ]
        )

    @cached_property
    def field(self) -> sp.Matrix:
        """The vector field v, a column over `variables`."""
        return self.integrand.applyfunc(self.expect)

    @cached_property
    def jacobian(self) -> sp.Matrix:
        """The derivative of the field, away from kinks."""
        return smooth_part(self.integrand.jacobian(self.variables)).applyfunc(self.expect)

    def field_at(self, point: Mapping[sp.Symbol, Any]) -> sp.Matrix:
        """The field at one point; under noise the point is put in before the expectation."""
        return self.integrand.subs(dict(point)).applyfunc(self.expect).applyfunc(simplified)

    def jacobian_at(self, point: Mapping[sp.Symbol, Any]) -> sp.Matrix:
        """The Jacobian at one point; under noise the point is put in before the expectation."""
        raw = smooth_part(self.integrand.jacobian(self.variables))
        return raw.subs(dict(point)).applyfunc(self.expect).applyfunc(simplified)

    def hessian(self, player: int) -> sp.Matrix:
        """The second derivative of a player's loss (0 or 1) in its own variables."""
        raw = sp.hessian(self.losses[player], self.players[player])
        return smooth_part(raw).applyfunc(self.expect)

    def expect(self, expression: sp.Expr) -> sp.Expr:
        """The expectation over the noise, exact where it is polynomial in the noise."""
        for symbol, law in self.noise.items():
            expression = law.mean(expression, symbol)
        return expression

    def with_losses(self, first: sp.Expr, second: sp.Expr, **changes: Any) -> Game:
        """The same players with other losses."""
        return replace(self, losses=(first, second), **changes)

    def at(self, values: Mapping[str, Any]) -> Game:
        """The game with numbers for some of its parameters, given by name."""
        known = {str(symbol): symbol for symbol in self.parameters}
        for name in values:
            if name not in known:
                free = ", ".join(known) or "none"
                raise GantheoryError(f"no parameter {name!r} in {self.name!r}; free: {free}")
        put = {known[name]: sp.sympify(value) for name, value in values.items()}
        noise = {symbol: replace(n, scale=n.scale.subs(put)) for symbol, n in self.noise.items()}
        return self.with_losses(*(loss.subs(put) for loss in self.losses), noise=noise)


def smooth_part(matrix: sp.Matrix) -> sp.Matrix:
    """Drop the point masses that differentiating a jump leaves behind."""
    return matrix.applyfunc(lambda entry: entry.replace(sp.DiracDelta, lambda *_: sp.S.Zero))


def simplified(expression: sp.Expr) -> sp.Expr:
    """Simplify one entry; a sigmoid of logarithms becomes the rational number that it is."""
    plain = expression.replace(
        lambda part: isinstance(part, sigmoid) and part.args[0].has(sp.log),
        lambda part: 1 / (1 + sp.exp(-part.args[0])),
    )
    return sp.simplify(plain)


def _rough_parts(loss: sp.Expr) -> list[sp.Expr]:
    """The parts of a loss that are not known to be smooth and real wherever they are evaluated."""
    logs = [part for part in loss.atoms(sp.log) if not part.args[0].is_positive]
    powers = [
        part
        for part in loss.atoms(sp.Pow)
        if not (part.exp.is_integer and part.exp.is_nonnegative)
        and not part.base.is_positive
        and not (part.exp.is_integer and part.base.is_nonzero)
    ]
    return [*loss.atoms(*KINKED), *logs, *powers]


def _shown(expression: sp.Expr) -> str:
    text = str(expression)
    return repr(text if len(text) <= 60 else text[:57] + "...")
