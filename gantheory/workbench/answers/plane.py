"""An ensemble of real GANs on a ring of eight modes in the plane, beside what counting says.

Both players are small networks. Samples are sorted into nine cells: near one of the modes, within
three standard deviations, or near none. Sorting never raises an f-divergence (data processing,
Csiszár, 1967), so that the value of an optimal D that is told the cell alone is a lower bound of
V(D*), and −V of it the most that D's loss reads at its optimum: counted beside what is trained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gantheory.densities.discrete import Discrete
from gantheory.errors import GantheoryError
from gantheory.losses.loss import Loss
from gantheory.workbench.answers import bounded_number, chart_numbers
from gantheory.workbench.answers.training import Ensemble, fresh_losses, values_at_equality
from simulations.coverage import CEILING, Coverage, coverage
from simulations.data import ring
from simulations.ensembles import Member, Recipe, State, initial_state
from simulations.losses import torch_loss
from simulations.networks import Mlp
from simulations.streams import EVALUATION, generator_of
from simulations.theory import predict
from simulations.train import train
from simulations.updates import Adam, Schedule

LAW = ring(8, scale=0.05)
HIDDEN, DEVIATION = (32, 32, 32), 0.25  # of the networks, and of their initial weights
BATCH, CRITIC_RATE, MAKER_RATE = 128, 4e-3, 2e-3
REACH, SIDE = 1.5, 19  # of the square on which D is shown
POINTS = 200  # samples that are shown
SHOWN = "frame['modes'], frame['quality']"  # what a script prints
Best = Callable[[Coverage], float]


@dataclass(frozen=True)
class Settings(Ensemble):
    """What is trained: also the deviation of the noise on what D sees, which falls to 0."""

    members: int = 4
    steps: int = 2048
    noise: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        bounded_number("noise", self.noise, 0, 2)


def frames(settings: Settings) -> Iterator[dict[str, Any]]:
    """Train, and yield what there is to see at the start and after every 64 steps.

    Scores are counted from what D gives where p = q; ``best`` is the bound on D's loss.
    """
    members, recipe = _ensemble(settings)
    state = initial_state(members, recipe)
    compiled = torch_loss(settings.definition)
    best, level = _best(settings.definition)[0], _level(settings.definition)

    def frame(now: State) -> dict[str, Any]:
        found, made = fresh_losses(now, recipe, members, compiled)
        counted = [coverage(points, LAW) for points in made.double().numpy()]
        scores = compiled.score(_on_square(now, recipe)) - level
        return {
            **found,
            "modes": [one.modes for one in counted],
            "quality": chart_numbers(one.quality.value for one in counted),
            "best": chart_numbers(map(best, counted)),
            "samples": [_pairs(points) for points in made[:, :POINTS]],
            "scores": [chart_numbers(row) for row in scores.tolist()],
        }

    yield frame(state)
    yield from map(frame, train(members, recipe, state=state))


def _ensemble(settings: Settings) -> tuple[list[Member], Recipe]:
    members = [
        Member(
            LAW, settings.definition, seed=seed, noise=settings.noise,
            discriminator_rate=CRITIC_RATE, generator_rate=MAKER_RATE,
        )
        for seed in settings.seeds
    ]  # fmt: skip
    recipe = Recipe(
        Mlp((2, *HIDDEN, 1), activation="leaky", scale=DEVIATION),
        Mlp((2, *HIDDEN, 2), activation="leaky", scale=DEVIATION),
        steps=settings.steps, batch=BATCH, rule=Adam(beta1=0.5), schedule=Schedule.LINEAR,
        annealing=Schedule.EARLY, dtype=torch.float32,
    )  # fmt: skip
    return members, recipe


def _on_square(state: State, recipe: Recipe) -> Tensor:
    """Return what every member's D puts out on the square, shape (K, SIDE²)."""
    rows = state.parameters["discriminator"]
    with torch.no_grad():
        points = _square(recipe.dtype).expand(len(rows), -1, -1)
        return recipe.discriminator(rows, points)[..., 0]


def _square(dtype: torch.dtype) -> Tensor:
    """Return the points at which D is shown, (SIDE², 2)."""
    axis = torch.linspace(-REACH, REACH, SIDE, dtype=dtype)
    return torch.cartesian_prod(axis, axis)


def _pairs(points: Tensor) -> list[list[float]]:
    return [[round(c, 3) for c in point] for point in points.tolist() if np.isfinite(point).all()]


def _level(loss: Loss) -> float:
    """Return the score of an optimal D where p = q, 0 where it is not known."""
    try:
        return float(predict(loss).score(torch.zeros(1, dtype=torch.float64)))
    except GantheoryError:
        return 0.0


def _best(loss: Loss) -> tuple[Best, str]:
    """Return the function from counted cells to the most that D's loss is at its optimum.

    Where there is none it is nan, and the second entry says why.
    """
    try:
        predicted = predict(loss)
    except GantheoryError as error:
        return (lambda _: float("nan")), str(error)
    modes = len(LAW.centres)
    real = Discrete((*[CEILING / modes] * modes, 1 - CEILING))

    def best(found: Coverage) -> float:
        good = found.quality.value if found.quality.is_finite else 0.0
        fake = Discrete((*(good * share for share in found.masses), 1 - good))
        return -predicted.optimal_value(real, fake).value

    return best, ""


def theory(settings: Settings) -> dict[str, Any]:
    """Return what losses read at P = Q, and what a perfect sampler scores."""
    why = _best(settings.definition)[1]
    return {
        **values_at_equality(settings.definition), "ceiling": CEILING, "total": len(LAW.centres),
        "steps": [0, settings.steps], "why": why and f"No bound from counting: {why}",
    }  # fmt: skip


def picture(settings: Settings) -> dict[str, Any]:
    """Return what stays as it is: samples of the data, the modes, and where D is shown."""
    source = generator_of(settings.seed, EVALUATION, 2)
    return {
        "data": _pairs(LAW.sample(POINTS, source, torch.float64)),
        "centres": LAW.centres,
        "square": [[round(c, 3) for c in point] for point in _square(torch.float64).tolist()],
        "reach": REACH,
    }
