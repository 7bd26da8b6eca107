"""What a method does to a small game, and what its equilibrium is, as an entry asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import sympy as sp

from gantheory.dynamics.analysis import Analysis, analyse, show_set
from gantheory.dynamics.conserved import EXACTLY, conserved_by_flow
from gantheory.dynamics.games import get_game
from gantheory.dynamics.methods import Method, make_method, read_step
from gantheory.dynamics.record import Game, simplified
from gantheory.dynamics.text import read_game
from gantheory.dynamics.verdict import Behaviour
from gantheory.errors import GantheoryError, unknown_name
from gantheory.expressions import Grammar, number, parse
from gantheory.functions import to_sympy
from gantheory.ledger.statements.entry import Test
from gantheory.records import How, Verdict
from gantheory.verify import decided

PLAYED = ("momentum", "momentum2", "inner", "order", "consensus")
ASKED = ("behaviour", "nash", "dominant", "conserves", "converges_for", "eigenvalue")


@dataclass(frozen=True)
class Play:
    """A question about a game: the behaviour of an update rule, or a property of its equilibrium.

    Attributes:
        game: a name, or the payoff that player 1 minimises and player 2 maximises.
        asked: "behaviour", "nash", "dominant", "conserves", "converges_for" (the step sizes) or
            "eigenvalue" (one of the flow's, as "real part, imaginary part").
        answer: what is claimed.
        players: the variables of each player, for a payoff.
        method: the flow or an update rule.
        step: its step size.
        options: further options of the method and of the Dirac-GAN (r1, r2, noise, ...).
    """

    game: str
    asked: str
    answer: str
    players: tuple[str, ...] = ()
    method: str = "simultaneous"
    step: str = "0.1"
    options: Mapping[str, str] = field(default_factory=dict)
    slow: bool = False

    def __str__(self) -> str:
        given = "".join(f", {name} = {value}" for name, value in self.options.items())
        played = f", {self.method} with step {self.step}" if self.asked == "behaviour" else ""
        return f"game {self.game}{given}{played}: {self.asked} is {self.answer}"

    def validate(self) -> None:
        """Refuse an unknown game, method or option."""
        _parts(self.game, self.players, self.method, tuple(self.options.items()))
        read_step(self.step)

    def decide(self) -> Verdict:
        """Analyse the game, and compare."""
        analysis = _analysis(self.game, self.players, self.method, self.step,
                             tuple(sorted(self.options.items())))  # fmt: skip
        found, why, how = getattr(self, f"_{self.asked}")(analysis)
        holds = None if found is None else found == self.answer
        quoted = analysis.decision.theorem if self.asked == "behaviour" else ""
        return decided(str(self), holds, f"{self.asked} is {found}: {why}", how=how,
                       assumptions=filter(None, [quoted]))  # fmt: skip

    def parts(self) -> tuple[Game, Method]:
        """Return the game and the method that are asked for."""
        return _parts(self.game, self.players, self.method, tuple(self.options.items()))

    def _behaviour(self, analysis: Analysis) -> tuple[str | None, str, How]:
        if self.answer not in {str(behaviour) for behaviour in Behaviour}:
            raise unknown_name("behaviour", self.answer, map(str, Behaviour))
        decision = analysis.decision
        known = decision.behaviour is not Behaviour.UNDECIDED
        return (str(decision.behaviour) if known else None), decision.reason, decision.how

    def _nash(self, analysis: Analysis) -> tuple[str | None, str, How]:
        point = analysis.equilibrium
        if point is None or point.nash.kind == "undecided":
            return None, "no equilibrium is known", How.UNDECIDED
        return point.nash.kind, f"at {point.point}", point.how

    def _dominant(self, analysis: Analysis) -> tuple[str | None, str, How]:
        point = analysis.equilibrium
        if point is None or None in point.nash.dominant:
            return None, "dominance is not decided", How.UNDECIDED
        examples = "; ".join(text for text in point.nash.counterexamples if text)
        return str(all(point.nash.dominant)).lower(), examples, point.how

    def _conserves(self, analysis: Analysis) -> tuple[str | None, str, How]:
        game = analysis.dynamics
        quantity = to_sympy(self.answer, {str(v): v for v in game.variables})
        change = (sp.Matrix([quantity]).jacobian(game.variables) * game.field)[0, 0]
        if quantity.free_symbols and simplified(sp.expand(change)) == 0:
            return self.answer, "its derivative along the flow is 0", EXACTLY
        found = ", ".join(map(str, conserved_by_flow(game))) or "nothing of degree 1 or 2"
        return found, "polynomials that the flow conserves", EXACTLY

    def _converges_for(self, analysis: Analysis) -> tuple[str | None, str, How]:
        sizes = analysis.step_sizes
        if sizes is None:
            return None, "no formula for the step sizes is found", How.UNDECIDED
        return show_set(sizes.converges), f"{self.method}, all step sizes", EXACTLY

    def _eigenvalue(self, analysis: Analysis) -> tuple[str | None, str, How]:
        point = analysis.equilibrium
        if point is None or point.eigenvalues is None:
            return None, "no formula for the eigenvalues is found", How.UNDECIDED
        real, _, imaginary = self.answer.partition(",")
        asked = to_sympy(real) + sp.I * to_sympy(imaginary)
        near = any(sp.simplify(value - asked) == 0 for value in point.eigenvalues)
        listed = ", ".join(map(str, point.eigenvalues))
        return self.answer if near else listed, f"the spectrum is {listed}", point.how

    def plants(self) -> Iterator[tuple[str, Test]]:
        """Yield another answer."""
        others = {
            "behaviour": "diverges" if self.answer != "diverges" else "converges",
            "nash": "not Nash" if self.answer != "not Nash" else "Nash (global)",
            "dominant": "true" if self.answer == "false" else "false",
            "conserves": f"{self.answer} + {self._variable()}",
            "converges_for": self.answer.replace("0", "1", 1),
            "eigenvalue": f"1 + {self.answer}",
        }
        yield "another answer", replace(self, answer=others[self.asked])

    def _variable(self) -> str:
        return str(self.parts()[0].variables[0])


@cache
def _analysis(
    game: str,
    players: tuple[str, ...],
    method: str,
    step: str,
    options: tuple[tuple[str, str], ...],
) -> Analysis:
    return analyse(*_parts(game, players, method, options), step)


def _parts(
    game: str, players: tuple[str, ...], method: str, options: tuple[tuple[str, str], ...]
) -> tuple[Game, Method]:
    """Return the game and the method that are asked for."""
    given = {name: read_step(value) for name, value in options if name in ("r1", "r2", "noise")}
    rest = {name: value for name, value in options if name not in given}
    played = {name: _option(name, value) for name, value in rest.items()}
    return _game(game, players, given), make_method(method, **played)


def _option(name: str, value: str) -> Any:
    if name not in PLAYED:
        raise unknown_name("option", name, PLAYED)
    if name == "order":
        return value
    exact = number(parse(value, Grammar(name, {})))
    if exact is None:
        raise GantheoryError(f"{name} = {value[:40]!r} is no number")
    return int(exact) if name == "inner" else sp.Rational(exact.numerator, exact.denominator)


def _game(game: str, players: tuple[str, ...], given: Mapping[str, object]) -> Game:
    if not players:
        return get_game(game, **given)
    if len(players) != 2 or given:
        raise GantheoryError("players are two texts, as in [\"x\", \"y\"]; regularisers belong to "
                             "named games")  # fmt: skip
    return read_game(game, players[0], players[1])
