"""`optimal_critic`: the best score of a function of means between two given laws, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy as sp

from gantheory.critics.concavity import curvature_of, grows_with_concave
from gantheory.critics.functional import as_functional, read_means
from gantheory.critics.laws import DiscreteLaw
from gantheory.critics.means import CONVEX
from gantheory.deadline import DEFAULT_SECONDS, OutOfTime, Undecided, time_limit
from gantheory.densities import Density, parse_density
from gantheory.densities.base import Array
from gantheory.densities.univariate import Points, Univariate
from gantheory.errors import GantheoryError
from gantheory.functionals.constrained import ConstrainedCritic, constrained_critic
from gantheory.functionals.fixed_point import STEP, MeansGame
from gantheory.functionals.nodes import (
    ROUNDING,
    Law,
    Nodes,
    from_two_resolutions,
    moved_law,
    nodes_of,
    numbers_of,
)
from gantheory.functionals.paired import PairedCritic, paired_critic
from gantheory.functionals.scores import is_smooth
from gantheory.functionals.unbounded import ratios, unattained
from gantheory.losses import find
from gantheory.losses.critic import Critic, Pairs
from gantheory.losses.function_classes import AnyFunction
from gantheory.records import Estimate, Status
from gantheory.samples.reading import refuse_samples
from gantheory.shown import Shown

METHOD = "fixed point of the moments"
SOLVING = 15.0  # seconds for the fixed point
STEEPEST = 200.0  # log of the largest ratio at which a score has to exist
FAR_OUT = (
    "the supremum is not attained: far out, where p/q or q/p is extreme, every score falls short, "
    "so that sets of no weight move the means"
)
TRIALS = 6  # changes of the score that must not gain, where no theorem says that it is best
TRIAL = 0.05
NO_POINT = (
    "no score solves its condition: the supremum may not be attained, or the laws are too far "
    "apart for rounding"
)


@dataclass(frozen=True, repr=False)
class OptimalCritic(Shown):
    """The best score of an unrestricted critic whose objective is a function of means.

    Attributes:
        loss: the game.
        p: the data law.
        q: the generator's law.
        value: V at the best score.
        moments: the means that V is a function of, by their names in `derive`.
        reason: why there is no score, where there is none.
        best: whether the score is shown to be the best of all, as V is concave in it.

    >>> best = optimal_critic("donsker-varadhan", "normal(0, 1)", "normal(1, 1)")
    >>> round(best.value.value, 12)  # KL(P‖Q)
    0.5
    """

    loss: Critic
    p: Law
    q: Law
    value: Estimate
    moments: Mapping[str, Estimate] = field(default_factory=dict)
    reason: str | None = None
    best: bool = False
    solved: tuple[tuple[Nodes, MeansGame, Array, Array], ...] = field(
        default=(), repr=False, compare=False
    )

    def score(self, x: float) -> Estimate:
        """Return t(x); where an invariance leaves it free, that of the solution that was found."""
        if self.reason is not None:
            return Estimate.undetermined(self.reason, METHOD)
        place = _place(self.p, self.q, float(x))
        _, game, numbers, error = self.solved[-1]

        def score(values: Array) -> float:
            return float(game.score(place, values)[0, 0])

        found = score(numbers)
        if not np.isfinite(found):
            return Estimate.undetermined(f"neither law has a density at x = {float(x):g}", METHOD)
        total = _felt(score, numbers, error) + ROUNDING * (1 + abs(found))
        return Estimate(found, total, method=METHOD)

    def gradient(self, wrt: str = "q.loc") -> Estimate:
        """Return the derivative of the generator's loss in a parameter of q, with D held.

        It is E_q[h(t)·∂log q], where h is what a unit of fake mass adds to G's loss.
        """
        q, name = moved_law(self.q, wrt)
        if self.reason is not None:
            return Estimate.undetermined(self.reason, METHOD)
        minimised = MeansGame(read_means(as_functional(self.loss)[1]))
        found = [_gradient(q, name, minimised, one) for one in self.solved]
        (coarse, _), (fine, error) = found
        return from_two_resolutions(fine, coarse, error, METHOD)

    def as_dict(self, wrt: str | None = None) -> dict[str, Any]:
        """Return the stable JSON keys."""
        return {
            **numbers_of(self, wrt),
            "moments": {name: one.as_dict() for name, one in self.moments.items()},
            "best": self.best,
        }  # fmt: skip

    def __str__(self) -> str:
        means = "".join(f"\n{name} = {one}" for name, one in self.moments.items())
        return f"{self.loss.name} on p = {self.p}, q = {self.q}\nV(D) = {self.value}{means}"


def optimal_critic(
    loss: str | Critic, p: Law | str, q: Law | str, *, mu: Density | str | None = None
) -> OptimalCritic | ConstrainedCritic | PairedCritic:
    """Return the best critic of a function of means, or of a linear objective in a class.

    Args:
        loss: a `Critic`, or its name: one whose objective is a smooth function of means of any
            function (`Functional`, `Expectations`, `Averages`), or of pairs (`Pairs`), or
            c·(E_p f − E_q f) in a class: `Slope`, `SecondMoment`, `GradientMoment`, or a
            `KernelBall` of a kernel that MMD knows.
        p: the data law, on the line or on finitely many points, or its text.
        q: the generator's law.
        mu: the law that a class is stated with, as Sobolev GAN's is.

    >>> found = optimal_critic("donsker-varadhan", "normal(0, 1)", "normal(1, 1)")
    >>> print(f"{found.value.value:.9f} {found.gradient('q.loc').value:.6f}")
    0.500000000 1.000000
    >>> fisher = optimal_critic("fisher", "normal(0, 1)", "normal(1, 1)")
    >>> print(f"{fisher.value.value:.9f} {fisher.score(0.5).value:.6f}")
    0.903447321 0.000000
    """
    entry = find(loss)
    refuse_samples("critics", p, q)
    if isinstance(entry, Critic) and not isinstance(entry.constraint, AnyFunction):
        if isinstance(p, DiscreteLaw) or isinstance(q, DiscreteLaw):
            raise GantheoryError("in a constrained class give densities, or laws of counts")
        return constrained_critic(entry, p, q, mu)
    if not isinstance(entry, Critic) or not isinstance(entry.constraint, AnyFunction):
        raise GantheoryError(
            f"loss {getattr(entry, 'name', '?')!r} is no function of means of an unrestricted "
            "critic; separable losses have `divergence`, penalised ones `optimal_discriminator`"
        )
    if isinstance(entry.objective, Pairs):
        return paired_critic(entry, p, q)
    first, second = (x if isinstance(x, DiscreteLaw) else parse_density(x) for x in (p, q))
    game = MeansGame(read_means(as_functional(entry)[0]))
    if refused := _refused(game):
        raise GantheoryError(f"loss {entry.name!r}: {refused}")
    both = nodes_of(first, second)
    if (value := unattained(entry, first, second, both[-1])) is not None:
        return OptimalCritic(entry, first, second, value, reason=value.reason)
    if (value := _of_unbounded(game, both[-1])) is not None:
        return OptimalCritic(entry, first, second, value, reason=value.reason)
    try:
        with time_limit(SOLVING):
            coarse = _solved(game, both[0])
            fine = None if coarse is None else _solved(game, both[1], coarse[2])
    except OutOfTime:
        coarse, fine, why = None, None, f"no score was found within {SOLVING:g} seconds"
    else:
        why = NO_POINT
    if coarse is None or fine is None:
        empty = Estimate.undetermined(why, METHOD)
        return OptimalCritic(entry, first, second, empty, reason=why)
    if not _holds_far_out(game, fine[2], ratios(first, second, both[-1])):
        empty = Estimate.undetermined(FAR_OUT, METHOD)
        return OptimalCritic(entry, first, second, empty, reason=FAR_OUT)
    return _assembled(entry, first, second, game, [coarse, fine])


def _refused(game: MeansGame) -> str | None:
    """Say why an objective has no numbers: a kink, or a parameter without a number."""
    means = game.means
    if not all(is_smooth(moment.integrand) for moment in means.moments):
        return "a mean is of a function with a kink, and only smooth ones are solved"
    free = means.outer.free_symbols.union(*(m.integrand.free_symbols for m in means.moments))
    free -= {*means.symbols, sp.Symbol("t", real=True)}
    names = ", ".join(sorted(map(str, free)))
    return f"put numbers in the place of {names}" if names else None


def _holds_far_out(game: MeansGame, values: Array, seen: tuple[float, float]) -> bool:
    """Whether a score solves the condition at the extreme ratios in the far tails too.

    Where none does, sets of no weight there would change the moments: nothing is attained.
    """
    u = np.clip(np.array([seen]), -STEEPEST, STEEPEST)
    one = np.ones_like(u)
    return bool(np.all(np.isfinite(game.score(Nodes(u, one, one, u), values))))


def _of_unbounded(game: MeansGame, nodes: Nodes) -> Estimate | None:
    """Return the supremum where V(c·t) = c·V(t), or V is convex; else None.

    A convex function that differs at two scores grows beyond bounds on the line through them, and
    a homogeneous one does as soon as one score gains.
    """
    homogeneous = game.means.is_homogeneous()
    if not homogeneous and _bend(game) not in (0, 1):
        return None
    seen = []
    for score in (np.clip(nodes.u, -3, 3), np.exp(np.clip(nodes.u, -9, 3)), np.sin(nodes.x)):
        values, sizes = game.measured(nodes, score)
        value, error = game.outer(values), _felt(game.outer, values, sizes) + ROUNDING
        if homogeneous and value > error:
            return Estimate.infinite("V(c*t) = c*V(t), and V is positive at some score", METHOD)
        seen.append((value, error))
    (low, off), (high, other) = min(seen), max(seen)
    if not homogeneous and high - low > off + other:
        return Estimate.infinite(CONVEX, METHOD)
    why = "V(c*t) = c*V(t): the supremum is 0" if homogeneous else "V is convex: it is constant"
    return Estimate.undetermined(f"{why} or infinite", METHOD)


def _solved(
    game: MeansGame, nodes: Nodes, near: Array | None = None
) -> tuple[Nodes, MeansGame, Array, Array] | None:
    """Return the fixed point on some nodes, and by how much its numbers may be off."""
    found = game.solve(nodes, near)
    if found is None:
        return None
    values, step, inverse = found
    score = game.score(nodes, values)
    if not np.all(np.isfinite(score[nodes.real + nodes.fake > 0])):
        return None
    _, sizes = game.measured(nodes, score)
    errors = np.abs(step)
    errors[game.active] += np.abs(inverse) @ sizes[game.active]
    return nodes, game, values, errors


def _assembled(
    loss: Critic,
    p: Law,
    q: Law,
    game: MeansGame,
    solved: list[tuple[Nodes, MeansGame, Array, Array]],
) -> OptimalCritic:
    numbers, sizes = zip(*(_measured(one) for one in solved), strict=True)
    concave = _is_concave(game)
    (coarse, fine), size = numbers, sizes[-1]
    moments = {
        str(symbol): from_two_resolutions(fine[k], coarse[k], size[k], METHOD)
        for k, symbol in enumerate(game.means.symbols)
    }
    felt = _felt(game.outer, fine, size)
    value = from_two_resolutions(game.outer(fine), game.outer(coarse), felt, METHOD)
    if _can_gain(solved[-1], game.outer(fine)):
        reason = "the stationary score is no maximum"
        return OptimalCritic(loss, p, q, Estimate.undetermined(reason, METHOD), reason=reason)
    if not concave:
        note = "V is not shown to be concave: another score may do better"
        value = Estimate(value.value, value.error, value.status, METHOD, value.reason,
                         warnings=(note,))  # fmt: skip
    why = value.reason if value.status is Status.UNDETERMINED else None
    return OptimalCritic(loss, p, q, value, moments, why, concave, tuple(solved))


def _is_concave(game: MeansGame) -> bool:
    try:
        with time_limit(DEFAULT_SECONDS):
            return grows_with_concave(game.means)
    except Undecided:
        return False


def _bend(game: MeansGame) -> int | None:
    """Return the sign of V's second differences in the score; None where it is not shown."""
    try:
        with time_limit(DEFAULT_SECONDS):
            return curvature_of(game.means)
    except Undecided:
        return None


def _measured(one: tuple[Nodes, MeansGame, Array, Array]) -> tuple[Array, Array]:
    nodes, game, values, _ = one
    return game.measured(nodes, game.score(nodes, values))


def _can_gain(one: tuple[Nodes, MeansGame, Array, Array], value: float) -> bool:
    """Whether some small smooth change of the score gains beyond rounding."""
    nodes, game, values, _ = one
    score, draw = game.score(nodes, values), np.random.default_rng(TRIALS)
    size = TRIAL * (1 + np.abs(score))
    for _ in range(TRIALS):
        change = size * np.sin(draw.uniform(0.3, 3) * np.clip(nodes.u, -9, 9) + draw.normal())
        for part in (change, -change):
            there = game.outer(game.measured(nodes, score + part)[0])
            if there > value + 1e-9 * (1 + abs(value)):
                return True
    return False


def _felt(function: Any, numbers: Array, errors: Array) -> float:
    """Return by how much a function of the numbers moves within their errors, to first order."""
    total, here = 0.0, function(numbers)
    for k, error in enumerate(errors):
        step = STEP * (1 + abs(numbers[k]))
        moved = function(numbers + step * np.eye(len(numbers))[k])
        total += abs(moved - here) / step * float(error)
    return total


def _gradient(
    q: Univariate, name: str, minimised: MeansGame, one: tuple[Nodes, MeansGame, Array, Array]
) -> tuple[float, float]:
    """Return E_q[h(t)·∂log q] and the error that the numbers and rounding leave in it."""
    nodes, game, numbers, errors = one
    at = Points.at(nodes.x)
    with np.errstate(all="ignore"):
        weight = np.where(nodes.fake > 0, q.scores(name, at), 0.0)
    felt = minimised.means.felt("q")

    def terms(values: Array) -> Array:
        score = game.score(nodes, values)
        own, _ = minimised.measured(nodes, score)
        held = minimised.function(felt)(score, own)
        return nodes.terms("q", np.where(weight == 0, 0.0, weight * held))

    here = terms(numbers)
    rounding = ROUNDING * float(np.abs(here).sum())
    moved = _felt(lambda values: float(terms(values).sum()), numbers, errors)
    return float(here.sum()), rounding + moved + nodes.at_ends(here)


def _place(p: Law, q: Law, x: float) -> Nodes:
    """Return one place, with the ratio of the densities there."""
    if isinstance(p, Density) and isinstance(q, Density):
        logs = [float(law.logpdf(x)) for law in (p, q)]
    else:
        assert isinstance(p, DiscreteLaw)
        assert isinstance(q, DiscreteLaw)
        with np.errstate(divide="ignore"):
            logs = [
                float(np.log(dict((float(a), float(b)) for a, b in law.items()).get(x, 0.0)))
                for law in (p, q)
            ]
    u = logs[0] - logs[1] if max(logs) > -np.inf else np.nan
    one = np.ones((1, 1))
    return Nodes(x * one, one, one, u * one)
