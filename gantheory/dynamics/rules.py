"""Update rules: what one training step does to the two players, as pure functions.

A rule uses only ``+``, ``-``, ``*`` and a `Field`, so one definition serves exact matrices of
sympy (its operator and spectrum), batches of numpy (its trajectories), tensors of torch, and the
training of networks in `simulations`, where player 1 is the generator, player 2 the discriminator
and the field a minibatch's. `register` adds a rule from outside to all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol

from gantheory.errors import GantheoryError, unknown_name
from gantheory.shown import Overview, Shown

State = tuple[Any, ...]  # the strategies x and y of the players, then the rule's memory


class Field(Protocol):
    """The direction in which each player moves at the strategies ``(x, y)``."""

    def first(self, x: Any, y: Any) -> Any:
        """Return minus the gradient of player 1's loss in x."""

    def second(self, x: Any, y: Any) -> Any:
        """Return minus the gradient of player 2's loss in y."""

    def implicit(self, x: Any, y: Any, step: Any) -> State:
        """Return the solution (u, w) of ``(u, w) = (x, y) + step * field(u, w)``."""


@dataclass(frozen=True, repr=False)
class Rule(Shown):
    """One way of updating two players by the step size ``step``.

    Attributes:
        name: as typed on the command line.
        advance: ``(field, state, step) -> state``; never changes its arguments.
        start: memory that stands beside the strategies at the first step: for player 1 and for
            player 2, in turn.
        options: the numbers that select this rule among its kind, for printing.
        is_implicit: whether it solves `Field.implicit`, which no minibatch can.

    >>> def half(field, state, step):
    ...     x, y = state
    ...     return x + step / 2 * field.first(x, y), y + step * field.second(x, y)
    >>> Rule("two-timescale", half).name
    'two-timescale'
    """

    name: str
    advance: Callable[[Field, State, Any], State]
    start: Callable[[Field, Any, Any], State] = lambda field, x, y: ()
    options: Mapping[str, Any] = field(default_factory=dict)
    is_implicit: bool = False

    def overview(self) -> Overview:
        """Return the name and the options."""
        return Overview(self.name, tuple((name, str(one)) for name, one in self.options.items()))

    def initial(self, field: Field, x: Any, y: Any) -> State:
        """Return the whole state in which a trajectory from ``(x, y)`` starts."""
        return (x, y, *self.start(field, x, y))


one_for_all = lru_cache(maxsize=None, typed=True)  # equal options give the same rule


@one_for_all
def simultaneous() -> Rule:
    """Both players step from the same strategies: explicit Euler on the flow."""

    def advance(field: Field, state: State, step: Any) -> State:
        x, y = state
        return x + step * field.first(x, y), y + step * field.second(x, y)

    return Rule("simultaneous", advance)


@one_for_all
def alternating(inner: int = 1, outer: int = 1, leader: int = 1, clip: Any = None) -> Rule:
    """Player 1 steps ``outer`` times, then player 2 ``inner`` times seeing the new strategy.

    With ``leader=2`` player 2 steps first in each round: Algorithm 1 of Goodfellow et al. (2014),
    arXiv:1406.2661, where player 2 is the discriminator. Both rounds have the same spectrum.
    ``clip``, for arrays only, bounds player 2's variables after each of its steps.
    """
    for name, value in (("inner", inner), ("outer", outer)):
        if value < 1:
            raise GantheoryError(f"{name}={value} steps of a player; give 1 or more")
    if leader not in (1, 2):
        raise GantheoryError(f"leader={leader}: player 1 or player 2 steps first")

    def first(field: Field, x: Any, y: Any, step: Any) -> State:
        for _ in range(outer):
            x = x + step * field.first(x, y)
        return x, y

    def second(field: Field, x: Any, y: Any, step: Any) -> State:
        for _ in range(inner):
            y = y + step * field.second(x, y)
            y = y if clip is None else y.clip(-clip, clip)
        return x, y

    def advance(field: Field, state: State, step: Any) -> State:
        x, y = state
        for move in (first, second) if leader == 1 else (second, first):
            x, y = move(field, x, y, step)
        return x, y

    options = {"inner": inner}
    options |= {} if (outer, leader) == (1, 1) else {"outer": outer, "leader": leader}
    options |= {} if clip is None else {"clip": clip}
    return Rule("alternating", advance, options=options)


@one_for_all
def proximal() -> Rule:
    """Both players solve the step at the strategies that it leads to: implicit Euler."""

    def advance(field: Field, state: State, step: Any) -> State:
        x, y = state
        return field.implicit(x, y, step)

    return Rule("proximal", advance, is_implicit=True)


@one_for_all
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


@one_for_all
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


@one_for_all
def optimistic() -> Rule:
    """Step by twice the present direction minus the previous one.

    Daskalakis et al. (2018), arXiv:1711.00141. The memory is the previous direction; the first
    step takes the present one for it.
    """

    def advance(field: Field, state: State, step: Any) -> State:
        x, y, last_x, last_y = state
        now_x, now_y = field.first(x, y), field.second(x, y)
        return x + step * (2 * now_x - last_x), y + step * (2 * now_y - last_y), now_x, now_y

    return Rule("optimistic", advance, lambda field, x, y: (field.first(x, y), field.second(x, y)))


@one_for_all
def momentum(first: Any = -0.5, second: Any | None = None, order: str = "alternating") -> Rule:
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
    """Clip player 2's variables to ±``bound`` after each of its steps: WGAN's weight clipping.

    Arjovsky et al. (2017), arXiv:1701.07875. For arrays only. Under alternation each of the
    ``inner`` steps is clipped, under other rules the round.
    """
    known = rule.options.keys() <= {"inner", "outer", "leader"}
    if rule.name == "alternating" and known and rule is alternating(**rule.options):
        return alternating(**rule.options, clip=bound)

    def advance(field: Field, state: State, step: Any) -> State:
        x, y, *memory = rule.advance(field, state, step)
        return (x, y.clip(-bound, bound), *memory)

    return Rule(rule.name, advance, rule.start, {**rule.options, "clip": bound}, rule.is_implicit)


REGISTERED: dict[str, Callable[..., Rule]] = {
    "simultaneous": simultaneous,
    "alternating": alternating,
    "proximal": proximal,
    "extragradient": extragradient,
    "midpoint": midpoint,
    "optimistic": optimistic,
    "momentum": momentum,
}


def register_rule(name: str, make: Callable[..., Rule]) -> None:
    """Make a rule known by name: to analyses, to trajectories, and to the training of networks.

    ``make`` returns the rule; its keyword arguments, each with a default, are the rule's options.

    Raises:
        GantheoryError: where the name is taken, ``make()`` is no rule of that name, or its step
            does not return the strategies and the memory in their shapes.
    """
    taken = getattr(REGISTERED.get(name), "__wrapped__", make)
    if name in {*list_methods()} - {*REGISTERED} or taken is not make:
        raise GantheoryError(f"an update rule {name!r} exists; choose another name")
    rule = make()
    if not isinstance(rule, Rule) or rule.name != name:
        raise GantheoryError(
            f"the maker of {name!r} returned {rule!r:.60}, not a Rule of that name"
        )
    _check_state(rule)
    REGISTERED[name] = one_for_all(make)


def _check_state(rule: Rule) -> None:
    """Refuse a rule whose step does not return what it was given: strategies, then the memory."""
    import numpy as np

    x, y = np.array([0.3, -0.2]), np.array([0.5, 0.1, 0.7])
    state = rule.initial(_Rotation(), x, y)
    after = rule.advance(_Rotation(), state, 0.1)
    before, now = ([np.shape(part) for part in some] for some in (state, after))
    if not isinstance(after, tuple) or before != now:
        raise GantheoryError(
            f"update rule {rule.name!r}: a step takes {len(before)} arrays of the shapes {before} "
            f"and returns {now}; it must return a tuple of as many, of the same shapes"
        )


class _Rotation:
    """A field on R² × R³ by which a rule is tried."""

    def first(self, x: Any, y: Any) -> Any:
        return -y[:2]

    def second(self, x: Any, y: Any) -> Any:
        return 0 * y + x.sum()

    def implicit(self, x: Any, y: Any, step: Any) -> State:
        return x, y


def list_rules() -> tuple[str, ...]:
    """Return the names of all update rules."""
    return tuple(REGISTERED)


def list_methods() -> tuple[str, ...]:
    """Return the names of all ways of training: the flow, the rules, and consensus.

    >>> list_methods()[:2]
    ('flow', 'simultaneous')
    """
    return ("flow", *list_rules(), "consensus")


def get_rule(name: str, **options: Any) -> Rule:
    """Return a rule by name.

    >>> get_rule("alternating", inner=2).options
    {'inner': 2}
    """
    if name not in REGISTERED:
        raise unknown_name("update rule", name, REGISTERED)
    return REGISTERED[name](**options)
