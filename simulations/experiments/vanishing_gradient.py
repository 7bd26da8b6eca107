"""What the generator feels as the discriminator learns to tell two distant laws apart.

Claim: at N(0, 1) against N(6, 1) the minimax gradient sinks to the little that 2·JSD has left
(0.0125), the non-saturating gradient grows towards that of 2·KL(M‖P) (5.99); with a noisy
discriminator on disjoint supports the non-saturating gradient is Cauchy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gantheory.records import Estimate, How
from simulations import measure
from simulations.discriminators import Task, recipe, snapshots, train_discriminators
from simulations.experiments.base import (
    Comparison,
    Experiment,
    Measurement,
    Setting,
    within_its_error,
)
from simulations.measure import Budget
from simulations.theory import predict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = "normal(0, 1)"
GAMES = ("minimax", "non-saturating")
FAR = 6.0
DISTANCES = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
POINT = Budget(1024, 256)  # for a comparison with theory
CURVE = Budget(512, 128)  # for the points of a curve: enough for intervals of 1e-4


def cases(quick: bool) -> tuple[str, ...]:
    """Return the curve of distance, one training run or four, and the noisy discriminator."""
    runs = [f"training-{k}" for k in range(1 if quick else 4)]
    return ("distance", *runs, "noise")


def compare(case: str, setting: Setting) -> Measurement:
    """Measure one part of the claim."""
    if case == "distance":
        return _distance(setting)
    return _noise(setting) if case == "noise" else _training(case, setting)


def _distance(setting: Setting) -> Measurement:
    """Measure the gradient at each distance with D* and, at the moderate ones, a trained D."""
    seed = setting.seed_of("distance")
    distances = DISTANCES[1::2] if setting.quick else DISTANCES
    laws = [f"normal({d:g}, 1)" for d in distances]
    steps = 512 if setting.quick else 1024
    how = recipe(steps, device=setting.device)
    networks = train_discriminators([Task("minimax", P, q, seed) for q in laws], how)
    comparisons: list[Comparison] = []
    numbers: dict[str, Any] = {"d": distances}
    for game in GAMES:
        numbers[game] = {"followed": [], "optimal": [], "trained": []}
        for d, q, network in zip(distances, laws, networks, strict=True):
            theory = predict(game).followed_gradient(P, q, "q.loc")
            numbers[game]["followed"].append(theory.value)
            for kind, discriminator in (("optimal", None), ("trained", network)):
                measured = measure.frozen_gradient(
                    game, P, q, discriminator=discriminator, seed=seed, budget=POINT
                )
                numbers[game][kind].append(asdict(measured))
                law = Comparison(
                    f"vanishing-gradient.{game}.{kind}.{d:g}",
                    f"{game} gradient, {kind} D, at N(0,1), N({d:g},1) = theory",
                    measured,
                    "=",
                    theory,
                )
                comparisons.append(law if kind == "optimal" else within_its_error(law))
    return Measurement("distance", tuple(comparisons), numbers)


def _training(case: str, setting: Setting) -> Measurement:
    """Train one discriminator at the far distance and measure both gradients as it learns."""
    q = f"normal({FAR:g}, 1)"
    task = Task("minimax", P, q, setting.seed_of(case))
    along = snapshots(
        task, recipe(768 if setting.quick else 2048, 256, device=setting.device), rate=1e-3
    )
    seed = setting.seed_of(f"{case} samples")
    numbers: dict[str, Any] = {"step": [step for step, _ in along]}
    estimates: dict[str, list[Estimate]] = {}
    for game in GAMES:
        estimates[game] = [
            measure.generator_gradient(game, discriminator, q, "q.loc", seed=seed, budget=CURVE)
            for _, discriminator in along
        ]
        numbers[game] = [asdict(estimate) for estimate in estimates[game]]
    saturating, other = (estimates[game] for game in GAMES)
    name = f"vanishing-gradient.{case}"
    comparisons = (
        Comparison(
            f"{name}.minimax", "the minimax gradient ends below half of its largest value",
            saturating[-1], "<=", _times(0.5, max(saturating, key=float)),
        ),
        Comparison(
            f"{name}.ratio", "the non-saturating gradient ends 100 times the minimax gradient",
            _times(100, saturating[-1]), "<=", other[-1],
        ),
        Comparison(
            f"{name}.twin", "the non-saturating gradient ends below half of its largest value",
            other[-1], "<=", _times(0.5, max(other, key=float)), How.REFUTED,
            twin_of=f"{name}.minimax",
        ),
    )  # fmt: skip
    return Measurement(case, comparisons, numbers)


def _times(factor: float, estimate: Estimate) -> Estimate:
    return replace(estimate, value=factor * estimate.value, error=factor * estimate.error)


def _noise(setting: Setting) -> Measurement:
    """Perturb a perfect discriminator by a centred Gaussian field; take −∇ log|D| on a fake.

    On fakes a perfect D is 0 with zero gradient, so the gradient is the ratio of two independent
    Gaussians (Arjovsky and Bottou, 2017, Theorem 2.6): Cauchy, without mean or variance.
    """
    from scipy import stats

    rng = np.random.default_rng(setting.stream("noise"))
    count = 20_000
    level, tilt = (torch.from_numpy(rng.standard_normal(count)) for _ in range(2))
    theta = torch.zeros(count, dtype=torch.float64, requires_grad=True)
    noisy = level + tilt * theta  # the perturbed D along the generator's direction, at 0
    (gradients,) = torch.autograd.grad(-noisy.abs().log().sum(), theta)
    values = gradients.numpy()
    quartiles = np.quantile(values, [0.25, 0.75])
    p_value = float(stats.kstest(values, "cauchy").pvalue)
    normal = float(stats.kstest(values, "norm", args=(0, float(quartiles[1]) / 0.6745)).pvalue)
    level_of = Estimate(1e-8, method="Kolmogorov-Smirnov", error_probability=1e-8)
    tests = (
        Comparison(
            "vanishing-gradient.noise.cauchy",
            "the noisy gradient is Cauchy: p-value at least 1e-8",
            level_of, "<=", Estimate(p_value),
        ),
        Comparison(
            "vanishing-gradient.noise.normal",
            "the noisy gradient is normal: p-value at least 1e-8",
            replace(level_of, error_probability=0.0), "<=", Estimate(normal), How.REFUTED,
            twin_of="vanishing-gradient.noise.cauchy",
        ),
    )  # fmt: skip
    shown = np.quantile(values, np.linspace(0.005, 0.995, 199))
    numbers = {"quartiles": quartiles, "p_value": p_value, "quantiles": shown}
    return Measurement("noise", tests, {k: np.asarray(v).tolist() for k, v in numbers.items()})


def draw(measured: Sequence[Measurement]) -> Figure:
    """Draw the gradients against distance and against D's training steps, and the noisy law."""
    from matplotlib.figure import Figure

    found = {m.case: m.numbers for m in measured}
    figure = Figure(figsize=(12, 3.8), layout="constrained")
    far, along, noisy = figure.subplots(1, 3)
    for game, colour in zip(GAMES, ("C0", "C1"), strict=True):
        distance = found.get("distance")
        if distance:
            far.plot(distance["d"], distance[game]["followed"], color=colour, label=game)
            far.errorbar(
                distance["d"],
                [float(e["value"]) for e in distance[game]["trained"]],
                [float(e["error"]) for e in distance[game]["trained"]],
                fmt="o", ms=4, capsize=3, color=colour,
            )  # fmt: skip
        for case, numbers in found.items():
            if case.startswith("training"):
                values = [abs(float(e["value"])) for e in numbers[game]]
                along.plot(numbers["step"], values, color=colour)
    far.set(xlabel="distance d of N(0,1), N(d,1)", ylabel="gradient", yscale="log")
    far.set_title("theory (line), trained D (points)", fontsize=10)
    far.set_ylim(1e-3, 20)
    far.legend()
    along.set(xlabel="D's training steps", yscale="log", ylabel="gradient at d = 6")
    along.axhline(0.01246, color="C0", ls=":", lw=1)
    along.axhline(5.98754, color="C1", ls=":", lw=1)
    along.set_title("dotted: the gradient at D*", fontsize=10)
    if "noise" in found:
        levels = np.linspace(0.005, 0.995, 199)
        noisy.plot(np.tan(np.pi * (levels - 0.5)), found["noise"]["quantiles"], ".", ms=4)
        noisy.plot([-60, 60], [-60, 60], color="black", lw=1)
        noisy.set(xlabel="Cauchy quantile", ylabel="quantile of the noisy gradient")
        noisy.set(xscale="symlog", yscale="symlog")
    return figure


EXPERIMENT = Experiment(
    name="vanishing-gradient",
    title="The vanishing gradient",
    claim="minimax loses its gradient to a good discriminator; the non-saturating loss does not",
    expected=(
        "at d = 6 the gradient at D* is 0.01246 for minimax, 5.98754 for the non-saturating loss",
        "the noisy non-saturating gradient has quartiles -1 and 1, and no variance",
    ),
    minutes=2,
    quick_minutes=0.3,
    cases=cases,
    measure=compare,
    draw=draw,
    source="Arjovsky and Bottou (2017), Section 2",
)
