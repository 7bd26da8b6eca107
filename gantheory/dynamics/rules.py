"""Update rules: what one training step does to the two players, as pure functions.

A rule uses only ``+``, ``-``, ``*`` and a `Field`, so one definition serves exact matrices of
sympy (its operator and spectrum), batches of numpy (its trajectories) and tensors of torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

from gantheory.errors import GantheoryError, unknown_name

State = tuple[Any, ...]  # the strategies x and y of the players, then the rule's memory


class Field(Protocol):
    """The direction in which each player moves at the strategies ``(x, y)``."""

    def first(self, x: Any, y: Any) -> Any:
        """Return minus the gradient of player 1's loss in x."""

    def second(self, x: Any, y: Any) -> Any:
        """Return minus the gradient of player 2's loss in y."""

    def implicit(self, x: Any, y: Any, step: Any) -> State:
        """Return the solution (u, w) of ``(u, w) = (x, y) + step * field(u, w)``."""


@dataclass(frozen=True)
class Rule:
    """One way of updating two players by the step size ``step``.

    Attributes:
        name: as typed on the command line.
        advance: ``(field, state, step) -> state``; never changes its arguments.
        start: memory that stands beside the strategies at the first step.
        options: the numbers that select this rule among its kind, for printing.
    """

    name: str
    advance: Callable[[Field, State, Any], State]
    start: Callable[[Field, Any, Any], State] = lambda field, x, y: ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def initial(self, field: Field, x: Any, y: Any) -> State:
        """Return the whole state in which a trajectory from ``(x, y)`` starts."""
        return (x, y, *self.start(field, x, y))


def simultaneous() -> Rule:
    """Both players step from the same strategies: explicit Euler on the flow."""

    def advance(field: Field, state: State, step: Any) -> State:
        x, y = state
        return x + step * field.first(x, y), y + step * field.second(x, y)

    return Rule("simultaneous", advance)


def alternating(inner: int = 1) -> Rule:
    """Player 1 steps, then player 2 steps ``inner`` times seeing the new strategy."""
    if inner < 1:
        raise GantheoryError(f"inner={inner} steps of player 2; give 1 or more")

    def advance(field: Field, state: State, step: Any) -> State:
        x, y = state
        x = x + step * field.first(x, y)
        for _ in range(inner):
            y = y + step * field.second(x, y)
        return x, y

    return Rule("alternating", advance, options={"inner": inner})


def proximal() -> Rule:
    """Both players solve the step at the strategies that it leads to: implicit Euler."""

    def advance(field: Field, state: State, step: Any) -> State:
        x, y = state
        return field.implicit(x, y, step)

    return Rule("proximal", advance)


def extragradient() -> Rule:
    """Look ahead by one simultaneous step, then step with the directions found there.

    Korpelevich (1976); for GANs Mertikopoulos et al. (2019), arXiv:1807.02629.
    """

    def advance(field: Field, state: State, step: Any) -> State:
        x, y = state
        ahead_x, ahead_y = x + step * field.first(x, y), y + step * field.second(x, y)
        return (
            x + step * field.first(ahead_x, ahead_y),
            y + step * field.second(ahead_x, ahead_y),
        )

    return Rule("extragradient", advance)


def midpoint() -> Rule:
    """One step of the explicit midpoint method: the flow itself, to second order in the step."""

    def advance(field: Field, state: State, step: Any) -> State:
        x, y = state
        half_x, half_y = (
            x + step / 2 * field.first(x, y),
            y + step / 2 * field.second(x, y),
        )
        return x + step * field.first(half_x, half_y), y + step * field.second(half_x, half_y)

    return Rule("midpoint", advance)


def optimistic() -> Rule:
    """Step by twice the present direction minus the previous one.

    Daskalakis et al. (2018), arXiv:1711.00141. The first step takes the present direction for
    the previous one.
    """

    def advance(field: Field, state: State, step: Any) -> State:
        x, y, old_x, old_y = state
        push_x, push_y = (
            2 * field.first(x, y) - field.first(old_x, old_y),
            2 * field.second(x, y) - field.second(old_x, old_y),
        )
        return x + step * push_x, y + step * push_y, x, y

    return Rule("optimistic", advance, lambda field, x, y: (x, y))


def momentum(first: Any, second: Any | None = None, order: str = "alternating") -> Rule:
    """Heavy ball: each player also repeats ``first`` or ``second`` times its last displacement.

    Negative momentum: Gidel et al. (2019), arXiv:1807.04740.
    """
    second = first if second is None else second
    if order not in {"alternating", "simultaneous"}:
        raise unknown_name("order of play", order, ["alternating", "simultaneous"])

    def advance(field: Field, state: State, step: Any) -> State:
        x, y, old_x, old_y = state
        new_x = x + step * field.first(x, y) + _times(first, x - old_x)
        seen = new_x if order == "alternating" else x
        new_y = y + step * field.second(seen, y) + _times(second, y - old_y)
        return new_x, new_y, x, y

    options = {"momentum1": first, "momentum2": second, "order": order}
    return Rule("momentum", advance, lambda field, x, y: (x, y), options)


def _times(value: Any, displacement: Any) -> Any:
    """A coefficient times exact entries (sympy's or balls), exactly; a float beside floats."""
    if hasattr(displacement, "free_symbols"):
        return value * displacement
    if getattr(displacement, "dtype", "") == "object":
        ratio = Fraction(str(value))
        return ratio.numerator * displacement / ratio.denominator
    return float(value) * displacement


def clipped(rule: Rule, bound: Any) -> Rule:
    """Clip player 2's variables to ±``bound`` after each step: WGAN's weight clipping.

    Arjovsky et al. (2017), arXiv:1701.07875. For arrays only.
    """

    def advance(field: Field, state: State, step: Any) -> State:
        x, y, *memory = rule.advance(field, state, step)
        return (x, y.clip(-bound, bound), *memory)

    return Rule(rule.name, advance, rule.start, {**rule.options, "clip": bound})
