"""Two parallel lines that never meet: a divergence without slope, and a GAN that moves.

Claim: the data lie on the line x = 0 of the plane and the fakes on x = θ, so JSD = log 2 for every
θ ≠ 0 and its gradient is 0. Against a discriminator trained well, the minimax generator stays
where it is; the non-saturating generator walks to the data. Training is no descent of a divergence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from gantheory.records import Estimate, How
from simulations.compare import proportion
from simulations.ensembles import Member, Recipe, State, initial_state
from simulations.experiments.base import Comparison, Experiment, Measurement, Setting
from simulations.networks import Affine, Mlp
from simulations.train import last, train
from simulations.updates import Adam, Sgd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

START = 2.0
DELTA = 1e-6
GAMES = ("minimax", "non-saturating")
DISCRIMINATOR = Mlp((2, 32, 32, 1), activation="leaky")
GENERATOR = Affine(dim=2, train="loc")


@dataclass(frozen=True)
class _Line:
    """The law on the line x = 0 with a standard normal second coordinate."""

    dim = 2

    def sample(self, n: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        """Return n points, shape (n, 2)."""
        second = torch.randn(n, 1, generator=generator, dtype=dtype)
        return torch.cat([torch.zeros_like(second), second], dim=1)


def cases(quick: bool) -> tuple[str, ...]:
    """Return one ensemble for each loss."""
    return GAMES


def compare(case: str, setting: Setting) -> Measurement:
    """Train D well at θ = 2, then both players, D five steps for each of G's."""
    members = _members(case, setting)
    steps = 128 if setting.quick else 2048
    how = Recipe(
        DISCRIMINATOR,
        GENERATOR,
        steps=steps,
        batch=64,
        discriminator_steps=5,
        rule=Sgd(),
        device=setting.device,
    )
    start = _started(members, how, setting)
    path = [_places(start)] + [_places(state) for state in train(members, how, state=start)]
    moved = START - np.abs(path[-1])
    stays, arrives = (int((moved < 0.1).sum()), int((moved > 1.0).sum()))
    name = f"disjoint-lines.{case}"
    most = f"in more than half of all seeds (error probability {DELTA:g})"
    staying, arriving = (proportion(n, len(moved), DELTA) for n in (stays, arrives))
    if case == "minimax":
        comparisons: tuple[Comparison, ...] = (
            Comparison(
                f"{name}.stays", f"minimax: θ moves by less than 0.1 of its 2, {most}",
                staying, ">=", Estimate(0.5), surely=True,
            ),
        )  # fmt: skip
    else:
        comparisons = (
            Comparison(
                f"{name}.moves", f"non-saturating: θ moves by more than 1 of its 2, {most}",
                arriving, ">=", Estimate(0.5), surely=True,
            ),
            Comparison(
                f"{name}.twin", f"non-saturating: θ follows JSD, so it stays, {most}",
                staying, ">=", Estimate(0.5), How.REFUTED,
                twin_of="disjoint-lines.minimax.stays",
            ),
        )  # fmt: skip
    numbers = {"path": np.array(path).tolist(), "every": 64}
    return Measurement(case, comparisons, numbers)


def _members(loss: str, setting: Setting) -> list[Member]:
    first = setting.seed_of("lines")  # the same for both losses: their D's start equal
    return [
        Member(_Line(), loss, seed=first + k, discriminator_rate=0.05, generator_rate=0.02)
        for k in range(32 if setting.quick else 64)
    ]


def _started(members: list[Member], how: Recipe, setting: Setting) -> State:
    """Return a fresh state of players that have been `_trained_first`."""
    state = initial_state(members, how)
    for player, trained in _trained_first(setting).items():
        state.parameters[player].copy_(trained)
    return state


@lru_cache(maxsize=1)
def _trained_first(setting: Setting) -> dict[str, Tensor]:
    """Return both players, D trained by Adam on the two lines, θ = 2 throughout.

    D plays for the same payoffs in both games, so that it is trained once for both.
    """
    members = _members(GAMES[0], setting)
    how = Recipe(
        DISCRIMINATOR, GENERATOR, steps=512, batch=64, rule=Adam(), train="discriminator",
        device=setting.device,
    )  # fmt: skip
    start = initial_state(members, how)
    start.parameters["generator"][:, :4] = torch.tensor(
        [START, 0.0, 0.0, 1.0], dtype=start.parameters["generator"].dtype
    )
    return dict(last(train(members, how, state=start)).parameters)


def _places(state: State) -> np.ndarray:
    return state.parameters["generator"][:, 0].cpu().numpy().copy()


def draw(measured: Sequence[Measurement]) -> Figure:
    """Draw θ along training for every member, and JSD, which does not change."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for m, colour in zip(measured, ("C0", "C1"), strict=False):
        path = np.array(m.numbers["path"])
        steps = np.arange(len(path)) * m.numbers["every"]
        axes.plot(steps, path, color=colour, lw=0.6, alpha=0.5)
        label = f"{m.case}: {path.shape[1]} seeds and their mean"
        axes.plot(steps, path.mean(axis=1), color=colour, lw=2.5, marker="o", ms=4, label=label)
    axes.axhline(0, color="black", lw=1, ls=":")
    axes.set(xlabel="generator steps", ylabel="θ, the distance of the two lines")
    axes.set_title("JSD = log 2 at every θ ≠ 0", fontsize=10)
    axes.legend(loc="upper right", bbox_to_anchor=(1, 0.92))
    return figure


EXPERIMENT = Experiment(
    name="disjoint-lines",
    title="Two lines that never meet",
    claim="JSD is log 2 throughout; the non-saturating generator moves, the minimax one does not",
    expected=(
        "minimax: θ moves by less than 0.1 of 2",
        "non-saturating: θ reaches the data's line",
    ),
    minutes=2,
    quick_minutes=0.1,
    cases=cases,
    measure=compare,
    draw=draw,
    source="Fedus et al. (2018), arXiv:1710.08446, Section 2",
)
