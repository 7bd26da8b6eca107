"""Algorithm 1 watched from outside: the exact divergence and the loss, along training.

Claim: the generator's density is known exactly, and so is its JSD from the data, which falls below
0.01 nats; on the way the printed loss rises while the divergence falls, and it ends near log 2,
where it began: the loss alone does not tell how far training has come.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from gantheory.records import Estimate, How
from simulations.compare import highest, lowest, proportion
from simulations.data import Law, as_density
from simulations.ensembles import Member, Recipe, State, initial_state
from simulations.experiments.base import Comparison, Experiment, Measurement, Setting
from simulations.measure import generator_payoff, normal_jsd
from simulations.networks import Affine, Mlp
from simulations.streams import generator_of
from simulations.train import train
from simulations.updates import Schedule

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = "normal(0, 1)"
GENERATOR = Affine(loc=3.0, scale=0.5)
DISCRIMINATOR = Mlp((1, 32, 32, 1), activation="tanh")
DELTA = 1e-6
FRESH = 4096  # samples for the loss at each point of the curve
# What the loss of each game equals at P = Q and D = 1/2, by the derivation; here only drawn.
END = {"non-saturating": math.log(2), "minimax": -math.log(2)}


def cases(quick: bool) -> tuple[str, ...]:
    """Return the games."""
    return tuple(END)


def compare(case: str, setting: Setting) -> Measurement:
    """Train an ensemble of seeds; integrate every member's JSD after each 64 steps."""
    first = setting.seed_of("training")
    members = [
        Member(
            Law(as_density(P)), case, seed=first + k,
            discriminator_rate=1e-2, generator_rate=1e-2,
        )
        for k in range(24 if setting.quick else 48)
    ]  # fmt: skip
    how = Recipe(
        DISCRIMINATOR,
        GENERATOR,
        steps=640 if setting.quick else 2048,
        batch=128,
        schedule=Schedule.HALFWAY,
        device=setting.device,
    )
    start = initial_state(members, how)
    points = [_observe(case, start, members)]
    points += [_observe(case, state, members) for state in train(members, how, state=start)]
    jsd = np.array([point[0] for point in points])
    loss = np.array([point[1] for point in points])
    numbers = {"step": [64 * k for k in range(len(points))], "jsd": jsd.tolist()}
    return Measurement(case, _compared(case, jsd, loss), {**numbers, "loss": loss.tolist()})


def _observe(case: str, state: State, members: Sequence[Member]) -> tuple[list[float], list[float]]:
    """Return every member's exact JSD, and its generator's loss on fresh samples."""
    rows, critic = (state.parameters[player].cpu() for player in ("generator", "discriminator"))
    jsd = normal_jsd(rows[:, 0].numpy(), rows[:, 1].numpy()).tolist()
    z = torch.stack(
        [
            torch.randn(FRESH, 1, generator=generator_of(m.seed, 2), dtype=rows.dtype)
            for m in members
        ]
    )
    with torch.no_grad():
        scores = DISCRIMINATOR(critic, GENERATOR(rows, z))[..., 0]
        loss = generator_payoff(case)(scores).mean(-1)
    return jsd, loss.tolist()


def _compared(case: str, jsd: np.ndarray, loss: np.ndarray) -> tuple[Comparison, ...]:
    count = jsd.shape[1]
    arrived = int((jsd[-1] <= 0.01).sum())
    # The loss rose from one observation to the next while the exact divergence fell.
    against = int(((np.diff(loss, axis=0) > 0.05) & (np.diff(jsd, axis=0) < -0.01)).any(0).sum())
    near = int((np.abs(loss[-1] - END[case]) <= 0.1).sum())
    name = f"training.{case}"
    most = f"in more than half of all seeds (error probability {DELTA:g})"

    def share(part: str, text: str, hits: int) -> Comparison:
        low = lowest(proportion(hits, count, DELTA))
        return Comparison(f"{name}.{part}", f"{case}: {text}, {most}", Estimate(0.5), "<=", low)

    laws = [
        share("arrives", "the exact JSD ends below 0.01 nats", arrived),
        share("equilibrium", f"the loss ends within 0.1 of {END[case]:.4f}", near),
    ]
    if case == "non-saturating":
        laws += [
            share("against", "the loss rises by 0.05 while the JSD falls by 0.01", against),
            Comparison(
                f"{name}.twin", f"{case}: the loss never rises while the JSD falls, {most}",
                Estimate(0.5), "<=", highest(proportion(count - against, count, DELTA)),
                How.REFUTED, twin_of=f"{name}.against",
            ),
        ]  # fmt: skip
    return tuple(laws)


def draw(measured: Sequence[Measurement]) -> Figure:
    """Draw the exact divergence and the loss of every seed along training, and one on the other."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.8), layout="constrained")
    falling, printed, both = figure.subplots(1, 3)
    for m, colour in zip(measured, ("C1", "C0"), strict=False):
        jsd, loss, step = (np.array(m.numbers[key]) for key in ("jsd", "loss", "step"))
        falling.plot(step, np.maximum(jsd, 1e-9), color=colour, lw=0.6, alpha=0.5)
        falling.plot([], [], color=colour, label=m.case)
        printed.plot(step, loss, color=colour, lw=0.6, alpha=0.5)
        printed.axhline(END[m.case], color=colour, ls=":", lw=1.5)
        both.plot(loss.ravel(), np.maximum(jsd.ravel(), 1e-9), ".", ms=2, color=colour)
    falling.set(xlabel="steps", ylabel="exact JSD, nats", yscale="log")
    falling.legend()
    printed.set(xlabel="steps", ylabel="generator's loss", title="dotted: at equilibrium")
    both.set(xlabel="generator's loss", ylabel="exact JSD, nats", yscale="log")
    return figure


EXPERIMENT = Experiment(
    name="training",
    title="Divergence and loss along training",
    claim="the exact JSD falls below 0.01 nats while the loss rises, and ends where it began",
    expected=(
        "exact JSD below 0.01 nats at the end for nearly every seed",
        "the loss ends near log 2 = 0.693 (non-saturating) and -0.693 (minimax)",
    ),
    minutes=2,
    quick_minutes=0.5,
    cases=cases,
    measure=compare,
    draw=draw,
    source="Goodfellow et al. (2014), Algorithm 1",
)
