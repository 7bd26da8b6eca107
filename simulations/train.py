"""Train ensembles of GANs, a chunk of steps at a time, so that a run may stop and go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol, get_args

from gantheory.errors import GantheoryError, unknown_name
from simulations.captured import Captured, can_capture
from simulations.ensembles import Member, Recipe, State, check_members, initial_state
from simulations.fast import Fast, is_fast
from simulations.fit import FittedDiscriminator, fit_discriminator
from simulations.forwards import recording
from simulations.reference import ReferenceEngine
from simulations.settings import check_progress
from simulations.streams import CHUNK
from simulations.threads import one_thread
from simulations.trainable import is_paired

Progress = Callable[[int, int], None]  # steps done, steps in all
Path = Literal["auto", "fast", "reference"]


class Engine(Protocol):
    """Advances a state by some steps of one chunk."""

    def advance(self, state: State, steps: int) -> None:
        """Change ``state`` in place."""


def train(
    members: Sequence[Member],
    recipe: Recipe,
    *,
    state: State | None = None,
    progress: Progress | None = None,
    path: Path = "auto",
) -> Iterator[State]:
    """Train all members together and yield the run's state after every 64 steps, and at the end.

    The state yielded is the live one: measure it, or keep it with ``state.copy()``. Stop by
    leaving the loop; go on later from the last state. Member k's result is a function of
    ``members[k]`` and ``recipe`` alone. Uses one CPU thread: more make small networks slower.

    Args:
        members: the GANs.
        recipe: how they are trained.
        state: where to go on from; by default the initial state.
        progress: called with the steps done and the steps in all.
        path: ``"reference"`` for the plain path by autograd, ``"fast"`` to insist on the other;
            ``"auto"`` takes the fast path where the recipe has one.

    Raises:
        GantheoryError: before any work, where members, recipe and state do not fit together.

    >>> from simulations.data import Law, parse_density
    >>> from simulations.networks import Affine, Mlp
    >>> recipe = Recipe(Mlp((1, 8, 1)), Affine(), steps=100, batch=32)
    >>> members = [Member(Law(parse_density("normal(2, 1)")), seed=seed) for seed in (0, 1)]
    >>> [state.step for state in train(members, recipe)]
    [64, 100]
    """
    check_progress(progress)
    check_members(members, recipe)
    with recording():
        state = initial_state(members, recipe) if state is None else state
        how = engine(members, recipe, path)
    if state.step % CHUNK and state.step < recipe.steps:
        raise GantheoryError(
            f"a run can go on only from a multiple of {CHUNK} steps, not from {state.step}"
        )
    return _chunks(recipe, state, progress, how)


def engine(members: Sequence[Member], recipe: Recipe, path: Path = "auto") -> Engine:
    """Return what trains by ``recipe``.

    Raises:
        GantheoryError: for an unknown path, or ``"fast"`` where the recipe needs autograd.
    """
    if path not in get_args(Path):
        raise unknown_name("path", path, get_args(Path))
    fast = is_fast(recipe) and not any(is_paired(member.loss) for member in members)
    if path == "fast" and not fast:
        raise GantheoryError(
            "no fast path for this recipe (it takes alternating updates of Mlp or Affine networks "
            "that normalise nothing, without gradient penalties or unrolling, and losses that "
            "compare no pairs); use path='auto'"
        )
    if path == "reference" or not fast:
        return (Captured if can_capture(members, recipe) else ReferenceEngine)(members, recipe)
    return Fast(members, recipe)


def _chunks(
    recipe: Recipe,
    state: State,
    progress: Progress | None,
    engine: Engine,
) -> Iterator[State]:
    while state.step < recipe.steps:
        steps = min(CHUNK, recipe.steps - state.step)
        with one_thread(), recording():
            engine.advance(state, steps)
        if progress is not None:
            progress(state.step, recipe.steps)
        yield state


def last(states: Iterator[State]) -> State:
    """Return the last state of a training run."""
    state = None
    for state in states:  # noqa: B007 - a run is its states, and only the last is wanted
        pass
    if state is None:
        raise GantheoryError("nothing was trained: the run has no steps left")
    return state


__all__ = [
    "FittedDiscriminator",
    "Member",
    "Recipe",
    "State",
    "fit_discriminator",
    "initial_state",
    "last",
    "train",
]
