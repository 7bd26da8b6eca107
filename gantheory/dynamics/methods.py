"""The ways of training that have names: the flow and the update rules, with their options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from gantheory.dynamics import rules
from gantheory.dynamics.record import Game
from gantheory.dynamics.regularise import with_consensus
from gantheory.errors import GantheoryError, require_type, unknown_name
from gantheory.expressions import Grammar, number, parse
from gantheory.shown import Overview, Shown

HALF = sp.Rational(1, 2)


@dataclass(frozen=True, repr=False)
class Method(Shown):
    """A way of training: the flow, or a rule, on the game with its method's regulariser.

    ``rule`` is None for the flow; ``clip`` bounds player 2's variables after each step.

    >>> Method("flow", None).options
    {}
    """

    name: str
    rule: rules.Rule | None
    consensus: sp.Expr | None = None
    clip: sp.Expr | None = None

    def overview(self) -> Overview:
        """Return the name and the options."""
        return Overview(self.name, tuple((name, str(one)) for name, one in self.options.items()))

    @property
    def options(self) -> Mapping[str, Any]:
        """The numbers that select the method among its kind."""
        given = {} if self.rule is None else dict(self.rule.options)
        extra = {"consensus": self.consensus, "clip": self.clip}
        return given | {name: value for name, value in extra.items() if value is not None}

    @property
    def update(self) -> rules.Rule | None:
        """The rule that arrays follow, with its clipping."""
        if self.rule is None or self.clip is None:
            return self.rule
        return rules.clipped(self.rule, float(self.clip))

    def game(self, dynamics: Game) -> Game:
        """Return the game that the method in fact plays."""
        return dynamics if self.consensus is None else with_consensus(dynamics, self.consensus)


def make_method(
    name: str,
    *,
    inner: int = 1,
    consensus: Any = HALF,
    momentum: Any = -HALF,
    momentum2: Any | None = None,
    order: str = "alternating",
    clip: Any | None = None,
) -> Method:
    """Return a method by name.

    Args:
        name: one of `list_methods`.
        inner: steps of player 2 to one of player 1, for ``alternating``.
        consensus: weight of half the squared field, for ``consensus``.
        momentum: heavy-ball coefficient of player 1.
        momentum2: of player 2; as player 1's unless given.
        order: ``alternating`` or ``simultaneous`` play under momentum.
        clip: bound on player 2's variables after each step.

    >>> make_method("alternating", inner=5).options["inner"]
    5
    """
    require_type("method", name, str, "a name such as 'simultaneous'")
    method = _plain_method(name, inner, consensus, momentum, momentum2, order)
    if clip is None:
        return method
    if name == "flow" or not clip > 0:
        raise GantheoryError(f"clip={clip} needs an update rule and a positive bound")
    return replace(method, clip=sp.sympify(clip))


def _plain_method(
    name: str, inner: int, consensus: Any, momentum: Any, momentum2: Any | None, order: str
) -> Method:
    if name == "flow":
        return Method(name, None)
    if name == "consensus":
        return Method(name, rules.simultaneous(), sp.sympify(consensus))
    options = {
        "alternating": {"inner": inner},
        "momentum": {"first": momentum, "second": momentum2, "order": order},
    }
    if name not in rules.list_rules():
        raise unknown_name("method", name, rules.list_methods())
    return Method(name, rules.get_rule(name, **options.get(name, {})))


def read_step(step: Any) -> sp.Rational:
    """Return a step size as an exact positive number; decimal text is taken as written.

    >>> read_step("0.1")
    1/10
    """
    value = number(parse(str(step), Grammar("step", {})))
    if value is None or value <= 0:
        raise GantheoryError(f"step {str(step)[:40]} must be a positive number; write it like 0.1")
    return sp.Rational(value.numerator, value.denominator)
