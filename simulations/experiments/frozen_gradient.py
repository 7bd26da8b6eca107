"""The gradient that the generator follows with D held at its optimum.

Claim: by autograd through samples x = G_θ(z), it is the derivative of the followed divergence
g'' = −h'(r)/r (2·JSD for minimax, 2·KL(M‖P) for non-saturating), and not the derivative of the
loss's value at D* (KL(Q‖M) for minimax), which the same test rejects wherever the two differ.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gantheory.losses import list_losses
from gantheory.losses.classic import CLASSIC
from gantheory.records import Estimate, How
from simulations import measure
from simulations.discriminators import NETWORK
from simulations.experiments.base import (
    Combination,
    Comparison,
    Experiment,
    Measurement,
    Setting,
)
from simulations.experiments.pairs import (
    PAIRS,
    SPINE,
    LossOnPair,
    played,
    played_numbers,
    same_discriminator,
)
from simulations.fit import fit_discriminator
from simulations.measure import Budget, Discriminator
from simulations.theory import Prediction, predict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WRT = ("q.loc", "q.scale")
BUDGET = {True: Budget(1024, 256), False: Budget()}  # quick or not
# The two derivatives are told apart where they differ by a tenth and by this many nats per unit:
# an allowance beyond a twentieth of the theory decides nothing (`verify.LARGEST_ALLOWANCE`).
DISTINCT, LEAST = 0.1, 0.01


@dataclass(frozen=True)
class Gradient(Combination):
    """One gradient of a loss on a pair: in one parameter of Q, through one discriminator."""

    loss: str
    pair: str
    wrt: str
    discriminator: str  # "optimal" or "trained"


# What no sample of this size decides, fixed beforehand. On "skewed" Q falls to the left
# like exp(-e^-x), where these payoffs grow like p/q or a power of it, or round to a pole. And one
# derivative so small, 0.004, that the bound on a trained D is 6 % of it.
HEAVY = ("f-gan-hellinger", "f-gan-kl", "f-gan-jeffreys", "f-gan-pearson-alternative")
OUT_OF_REACH = frozenset(
    {Gradient(loss, "skewed", wrt, "optimal") for loss in HEAVY for wrt in WRT}
    | {Gradient("dual-alpha-non-saturating", "shifted", "q.scale", "trained")}
)


def cases(quick: bool) -> tuple[LossOnPair, ...]:
    """Return the classic losses on one pair, or every loss on every pair."""
    losses = [g.name for g in CLASSIC] if quick else list_losses()
    return tuple(
        LossOnPair(loss, pair) for loss in losses for pair in ([SPINE] if quick else PAIRS)
    )


def compare(case: LossOnPair, setting: Setting) -> Measurement:
    """Measure one loss on one pair, in location and scale, with D* and with a trained D."""
    prediction = predict(played(case.loss))
    flat = prediction.followed.curvature == 0 and bool(prediction.followed.atoms)
    comparisons: list[Comparison] = []
    numbers: dict[str, Any] = {
        "loss": case.loss,
        "parameters": played_numbers(case.loss),
        "pair": case.pair,
    }
    for wrt in WRT:
        numbers[wrt], found = (_flat if flat else _smooth)(case, wrt, prediction, setting)
        comparisons += found
    return Measurement(str(case), tuple(comparisons), numbers)


Found = tuple[dict[str, Any], list[Comparison]]


def _smooth(case: LossOnPair, wrt: str, prediction: Prediction, setting: Setting) -> Found:
    """Compare autograd with the derived derivatives: with D*, and on one pair with a trained D.

    Where the laws' tails differ no training brings D so near to D* that the bound on what is left
    decides anything (for Jeffreys on "narrower" it is 18 times the gradient).
    """
    p, q = PAIRS[case.pair]
    followed = prediction.followed_gradient(p, q, wrt)
    loss = prediction.loss_value_gradient(p, q, wrt)
    row = {"followed": asdict(followed), "loss": asdict(loss)}
    if not followed.is_finite:  # an infinite divergence has no derivative to be met
        return row, []
    kinds: dict[str, Discriminator | None] = {"optimal": None}
    if case.pair == SPINE:
        kinds["trained"] = _fitted(replace(case, loss=same_discriminator(case.loss)), setting)
    comparisons: list[Comparison] = []
    for kind, discriminator in kinds.items():
        seed = setting.seed_of(f"{case} {wrt} {kind}")
        measured = measure.frozen_gradient(
            played(case.loss), p, q, wrt, discriminator=discriminator, seed=seed,
            budget=BUDGET[setting.quick],
        )  # fmt: skip
        row[kind] = asdict(measured)
        comparisons += _compared(
            Gradient(case.loss, case.pair, wrt, kind), measured, followed, loss
        )
    return row, comparisons


@lru_cache(maxsize=64)
def _fitted(case: LossOnPair, setting: Setting) -> Discriminator:
    """Return the discriminator of one loss on one pair, trained as near to D* as we can."""
    return fit_discriminator(
        played(case.loss), *PAIRS[case.pair], seed=setting.seed_of(f"fit {case}"),
        network=NETWORK, starts=1 if setting.quick else 2,
    )  # fmt: skip


def _flat(case: LossOnPair, wrt: str, prediction: Prediction, setting: Setting) -> Found:
    """Show that a D* of two values has no slope to follow, whatever its divergence says.

    The followed divergence of hinge is 2 TV, as a derivative in the law. Autograd sees D*(x), which
    is constant but for a jump, and answers 0: only a D short of the optimum has a slope.
    """
    p, q = PAIRS[case.pair]
    followed = prediction.followed_gradient(p, q, wrt)
    measured = measure.frozen_gradient(
        played(case.loss), p, q, wrt, seed=setting.seed_of(f"{case} {wrt}")
    )
    name = f"frozen-gradient.{case.joined('.')}.{wrt}.optimal"
    where = f"{case.joined(', ')}, {wrt}"
    comparisons = [
        Comparison(
            f"{name}.flat",
            f"autograd through D*, which jumps, is 0 ({where})",
            measured,
            "=",
            Estimate(0.0),
        )
    ]
    if abs(followed.value) > 0.01:
        comparisons.append(
            Comparison(
                f"{name}.flat.twin",
                f"autograd = derivative of the followed divergence ({where})",
                measured,
                "=",
                followed,
                How.REFUTED,
                twin_of=f"{name}.flat",
            )
        )
    return {"followed": asdict(followed), "optimal": asdict(measured)}, comparisons


def _compared(
    place: Gradient, measured: Estimate, followed: Estimate, loss: Estimate
) -> list[Comparison]:
    """Return the law and, where theory's two derivatives are distinct, its false twin.

    What is expected of both is fixed by theory and `OUT_OF_REACH`, never by what was measured.
    """
    name = f"frozen-gradient.{place.joined('.')}"
    where = place.joined(", ")
    reached = place not in OUT_OF_REACH
    law = Comparison(
        name,
        f"autograd = derivative of the followed divergence ({where})",
        measured,
        "=",
        followed,
        How.MEASURED if reached else How.UNDECIDED,
    )
    apart = abs(followed.value - loss.value)
    if not reached or apart <= max(DISTINCT * abs(followed.value), LEAST):
        return [law]
    twin = Comparison(
        f"{name}.twin",
        f"autograd = derivative of the loss's value ({where})",
        measured,
        "=",
        loss,
        How.REFUTED,
        twin_of=name,
    )
    return [law, twin]


MARKS = {  # what is drawn: colour, marker, legend, and its height within the loss's row
    "loss": ("C3", "x", "derivative of the loss's value", 0.0),
    "optimal": ("C0", "o", "autograd, D*", 0.18),
    "trained": ("C2", "s", "autograd, trained D", -0.18),
    "flat": ("0.5", "d", "autograd, D* that jumps: 0", 0.0),
}


def draw(measured: Sequence[Measurement]) -> Figure:
    """Draw what autograd gives against both derivatives: one column per pair, one row per loss."""
    from matplotlib.figure import Figure

    losses = list(dict.fromkeys(m.numbers["loss"] for m in measured))
    pairs = list(dict.fromkeys(m.numbers["pair"] for m in measured))
    size = max(9, 2.5 + 2.4 * len(pairs)), max(6, 2 + 0.42 * len(losses))
    figure = Figure(figsize=size, layout="constrained")
    every = figure.subplots(len(WRT), len(pairs), sharex=True, sharey=True, squeeze=False)
    for m in measured:
        for axes, wrt in zip(every[:, pairs.index(m.numbers["pair"])], WRT, strict=True):
            _mark(axes, losses.index(m.numbers["loss"]), m.numbers[wrt])
    for axes, wrt in zip(every[:, 0], WRT, strict=True):
        axes.set_yticks(range(len(losses)), losses, fontsize=7)
        axes.set_ylabel(f"derivative in {wrt}")
        axes.set_ylim(len(losses) - 0.5, -0.5)
    for axes, pair in zip(every[0], pairs, strict=True):
        p, q = PAIRS[pair]
        axes.set_title(f"{pair}\nP = {_short(p)}\nQ = {_short(q)}", fontsize=8)
    for axes in every.flat:
        axes.axvline(0, color="black", lw=0.8)
        axes.grid(axis="y", lw=0.3)
        axes.set_xscale("symlog", linthresh=1e-3)
        axes.set_xticks([-1, -0.01, 0, 0.01, 1], ["-1", "-.01", "0", ".01", "1"], fontsize=7)
    figure.supxlabel(
        "difference from the derivative of the followed divergence, nats per unit", fontsize=10
    )
    _legend(figure)
    return figure


def _short(text: str) -> str:
    return text.replace("normal_mixture((0.5, 0.5), (-2, 2), (1, 1))", "½N(-2, 1) + ½N(2, 1)")


def _mark(axes: Any, row: int, numbers: Mapping[str, Any]) -> None:
    """Draw one loss's differences from the followed derivative, with their stated errors."""
    followed = float(numbers["followed"]["value"])
    if "loss" not in numbers:
        numbers = {"flat": numbers["optimal"]}
    for kind, (colour, marker, _, height) in MARKS.items():
        if kind not in numbers or not math.isfinite(error := float(numbers[kind]["error"])):
            continue
        axes.errorbar(
            float(numbers[kind]["value"]) - followed, row + height,
            xerr=None if kind == "loss" else error,
            fmt=marker, ms=3.5, color=colour, lw=1, capsize=2,
        )  # fmt: skip


def _legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker=marker, color=colour, ls="none", label=label)
        for colour, marker, label, _ in MARKS.values()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4, fontsize=8)


EXPERIMENT = Experiment(
    name="frozen-gradient",
    title="The gradient with D held fixed",
    claim="autograd follows the followed divergence's gradient, not that of the loss's value",
    expected=(
        "minimax at N(0,1), N(1.7,1), in location: 0.46672 (2·JSD(P, Q)), not 0.23336 (KL(Q‖M))",
        "non-saturating, same place: 1.23328 (2 KL(M||P)), where the loss's value has 1.46664",
        "log-odds generator: followed and loss are both KL(Q||P), slope 1.7",
        "undecided, as stated beforehand: four payoffs too heavy for one pair, one trained D",
    ),
    minutes=15,
    quick_minutes=0.4,
    cases=cases,
    measure=compare,
    draw=draw,
    source="Arjovsky and Bottou (2017), Theorem 2.5; the envelope theorem for minimax",
)
