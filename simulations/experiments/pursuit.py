"""A generator against a discriminator that is held fixed, and what D does in its turn.

Against a fixed D the best answer of G is one point: the one that D likes best. In its turn D lowers
that point, and another becomes the best: G moves there, still a point, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from gantheory.records import Estimate, How
from simulations.compare import proportion
from simulations.data import Law, as_density
from simulations.discriminators import NETWORK, Task, recipe, train_discriminators
from simulations.ensembles import Member, Recipe, initial_state
from simulations.experiments.base import Comparison, Measurement, Setting
from simulations.networks import Mlp
from simulations.train import last, train

Array = NDArray[np.float64]
MAKER = Mlp((1, 32, 32, 1), activation="tanh")
Z = torch.linspace(-3, 3, 601, dtype=torch.float64)

# Two modes, one nearer to where G begins. tanh keeps D's score bounded far out, where it sees
# nothing, and the noise lets D's slope reach from one mode to the other.
PAIR, WIDE, NOISE = "normal_mixture((0.5, 0.5), (-1, 3), (0.5, 0.5))", "normal(1, 3)", 0.5
CRITIC = Mlp((1, 32, 32, 1), activation="tanh")
X = torch.linspace(-7, 9, 1601, dtype=torch.float64)
AWAY, MOVED = 1.0, 0.5  # two standard deviations of a mode, and one


@dataclass(frozen=True)
class _Budget:
    """How many seeds take how many turns, and the error probability of what is said of them."""

    seeds: int
    turns: int
    delta: float


FULL, QUICK = _Budget(16, 4, 1e-3), _Budget(4, 2, 0.2)


def fixed(setting: Setting) -> Measurement:
    """Train D on N(1, 0.5) against N(0, 2), hold it, and train G alone: D has one best point."""
    seed = setting.seed_of("fixed")
    p, q = "normal(1, 0.5)", "normal(0, 2)"
    row = train_discriminators(
        [Task("non-saturating", p, q, seed)], recipe(512, device=setting.device)
    )[0].row[None]
    member = Member(Law(as_density(p)), "non-saturating", seed=seed, generator_rate=3e-3)
    alone = Recipe(NETWORK, MAKER, steps=1024, batch=256, train="generator", device=setting.device)
    start = initial_state([member], alone)
    start.parameters["discriminator"].copy_(row)
    before = start.parameters["generator"].cpu().clone()
    after = last(train([member], alone, state=start)).parameters["generator"].cpu()
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    scores = NETWORK(row, x[None, :, None])[0, :, 0]
    made = MAKER(after, Z[None, :, None])[0, :, 0].detach()
    low, high = float(made.min()), float(made.max())
    worst = [_worst_score(row, rows) for rows in (before, after)]
    highest_score = Estimate(float(scores.max()), method="largest on a grid")
    slopes = [_slope(row, rows) for rows in (before, after)]
    comparisons = (
        Comparison(
            "mode-collapse.fixed.best",
            "every z goes to a point whose score is D's highest on [-8, 8], to 0.05",
            _less(highest_score, worst[1]), "<=", Estimate(0.05),
        ),
        Comparison(
            "mode-collapse.fixed.spread", "G spreads over less than 0.2 for z in [-3, 3]",
            Estimate(high - low), "<=", Estimate(0.2),
        ),
        Comparison(
            "mode-collapse.fixed.slope", "∂J/∂z falls to less than a hundredth",
            Estimate(slopes[1]), "<=", Estimate(0.01 * slopes[0]),
        ),
        Comparison(
            "mode-collapse.fixed.twin",
            "untrained, G sends every z to a point whose score is D's highest, to 0.05",
            _less(highest_score, worst[0]), "<=", Estimate(0.05), How.REFUTED,
            twin_of="mode-collapse.fixed.best",
        ),
    )  # fmt: skip
    numbers = {
        "x": x[::40].tolist(), "score": scores[::40].tolist(),
        "z": Z[::10].tolist(), "made": made[::10].tolist(), "slopes": slopes,
    }  # fmt: skip
    return Measurement("fixed", comparisons, numbers)


def _worst_score(row: torch.Tensor, rows: torch.Tensor) -> float:
    """Return the lowest score that D gives G's image of z in [-3, 3]."""
    with torch.no_grad():
        return float(NETWORK(row, MAKER(rows, Z[None, :, None])).min())


def _less(estimate: Estimate, value: float) -> Estimate:
    return replace(estimate, value=estimate.value - value)


def _slope(row: torch.Tensor, rows: torch.Tensor) -> float:
    """Return the root mean square of ∂J/∂z, J the non-saturating loss of one sample."""
    from simulations.measure import generator_payoff

    inputs = Z.clone().requires_grad_()
    scores = NETWORK(row, MAKER(rows, inputs[None, :, None]))[0, :, 0]
    (slope,) = torch.autograd.grad(generator_payoff("non-saturating")(scores).sum(), inputs)
    return float(slope.square().mean().sqrt())


@dataclass(frozen=True)
class Look:
    """Where every seed stands between two turns.

    Attributes:
        best: where D's score is highest, shape (K,).
        low, high: the ends of G's image of z in [-3, 3], shape (K,).
        middle: the mean of that image, shape (K,).
    """

    best: Array
    low: Array
    high: Array
    middle: Array

    @classmethod
    def at(cls, rows: dict[str, torch.Tensor]) -> Look:
        """Look at the players' parameters."""
        with torch.no_grad():
            count = len(rows["generator"])
            scores = CRITIC(rows["discriminator"], X[None, :, None].expand(count, -1, -1))[..., 0]
            made = MAKER(rows["generator"], Z[None, :, None].expand(count, -1, -1))[..., 0]
        ends = (made.amin(1), made.amax(1), made.mean(1))
        return cls(X[scores.argmax(1)].numpy(), *(end.numpy() for end in ends))


def chase(setting: Setting) -> Measurement:
    """Let the players take long turns: G to its best answer, then D, then G, and so on."""
    budget, first = (QUICK if setting.quick else FULL), setting.seed_of("chase")
    seeds = range(first, first + budget.seeds)
    trained = train_discriminators(
        [Task("non-saturating", PAIR, WIDE, seed) for seed in seeds],
        recipe(512, network=CRITIC, device=setting.device),
    )
    members = [
        Member(
            Law(as_density(PAIR)), "non-saturating", seed=seed, noise=NOISE,
            discriminator_rate=3e-3, generator_rate=3e-3,
        )
        for seed in seeds
    ]  # fmt: skip
    rows = {"discriminator": torch.stack([d.row for d in trained])}
    rows = _turn(members, rows, "generator", 1024, setting)
    looks = [Look.at(rows)]
    for turn in range(budget.turns):
        for player, steps in (("discriminator", 256), ("generator", 512)):
            fresh = setting.seed_of(f"chase {turn} {player}")
            members = [replace(m, seed=fresh + k) for k, m in enumerate(members)]
            rows = _turn(members, rows, player, steps, setting)
            looks.append(Look.at(rows))
    numbers = {
        name: np.round([getattr(look, name) for look in looks], 3).tolist()
        for name in ("best", "low", "high", "middle")
    }
    return Measurement("chase", chased(looks, budget.delta), numbers)


def _turn(
    members: list[Member],
    rows: dict[str, torch.Tensor],
    player: str,
    steps: int,
    setting: Setting,
) -> dict[str, torch.Tensor]:
    """Train one player, Adam's memory empty at first, and return both players' parameters."""
    how = Recipe(CRITIC, MAKER, steps, batch=128, train=player, device=setting.device)  # type: ignore[arg-type]
    start = initial_state(members, how)
    for name, kept in rows.items():
        start.parameters[name].copy_(kept)
    ended = last(train(members, how, state=start)).parameters
    return {name: parameters.cpu() for name, parameters in ended.items()}


def chased(looks: list[Look], delta: float) -> tuple[Comparison, ...]:
    """Judge each seed by the worst of its turns; looks alternate: after G, after D, after G..."""
    best, low, high, middle = (
        np.array([getattr(look, name) for look in looks])
        for name in ("best", "low", "high", "middle")
    )
    away = np.maximum(low - best, best - high) >= AWAY  # from all of G's image
    leaves, missed = (int(away[turn::2].all(0).sum()) for turn in (1, 0))
    moved = int((np.abs(np.diff(middle[::2], axis=0)) >= MOVED).all(0).sum())
    point = int((high - low < AWAY).all(0).sum())
    count = best.shape[1]
    name = "mode-collapse.chase"
    most = f"in more than half of all seeds (error probability {delta:g})"

    def share(part: str, text: str, hits: int) -> Comparison:
        found = proportion(hits, count, delta)
        statement = f"{text}, {most}"
        return Comparison(f"{name}.{part}", statement, found, ">=", Estimate(0.5), surely=True)

    return (
        share("leaves", f"each turn of D moves its best point {AWAY:g} away from all of G", leaves),
        share("moves", f"each turn of G moves it by {MOVED:g}", moved),
        share("point", f"G spreads over less than {AWAY:g} after every turn", point),
        Comparison(
            f"{name}.twin", f"each turn of G leaves D's best point {AWAY:g} away from it, {most}",
            proportion(missed, count, delta), ">=", Estimate(0.5), How.REFUTED,
            twin_of=f"{name}.leaves",
        ),
    )  # fmt: skip
