"""The gradient that the generator follows with D held at its optimum.

Claim: by autograd through samples x = G_θ(z), it is the derivative of the followed divergence
g'' = −h'(r)/r (2·JSD for minimax, 2·KL(M‖P) for non-saturating), and not the derivative of the
loss's value at D* (KL(Q‖M) for minimax), which the same test rejects wherever the two differ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gantheory.games import list_games
from gantheory.games.classic import CLASSIC
from gantheory.records import Estimate, How, Status
from simulations import measure
from simulations.experiments.base import Comparison, Experiment, Measurement, Setting
from simulations.experiments.optimal_discriminator import trained
from simulations.experiments.pairs import (
    PAIRS,
    PARAMETERS,
    SPINE,
    played,
    same_discriminator,
)
from simulations.theory import Prediction, predict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WRT = ("q.loc", "q.scale")
# A twin is put to the test where the two derivatives differ by this many stated errors: it would
# be no fair test where the interval is as wide as what it should tell apart.
TELLING = 2.0
# An interval wider than the gradient itself, and than this many nats per unit, tests nothing.
LEAST = 0.1
TOO_WIDE = (
    "the stated error exceeds the gradient: D would have to come nearer to D* where fakes are rare"
)


def cases(quick: bool) -> tuple[str, ...]:
    """Return ``game|pair``: the classic games on one pair, or every game on every pair."""
    games = [g.name for g in CLASSIC] if quick else list_games()
    return tuple(f"{game}|{pair}" for game in games for pair in ([SPINE] if quick else PAIRS))


def compare(case: str, setting: Setting) -> Measurement:
    """Measure one game on one pair, in location and scale, with D* and with a trained D."""
    game, pair = case.split("|")
    prediction = predict(played(game))
    flat = prediction.followed.curvature == 0 and bool(prediction.followed.atoms)
    comparisons: list[Comparison] = []
    numbers: dict[str, Any] = {
        "game": game,
        "parameters": PARAMETERS.get(game, {}),
        "pair": pair,
    }
    for wrt in WRT:
        numbers[wrt], found = (_flat if flat else _smooth)(case, wrt, prediction, setting)
        comparisons += found
    return Measurement(case, tuple(comparisons), numbers)


Found = tuple[dict[str, Any], list[Comparison]]


def _smooth(case: str, wrt: str, prediction: Prediction, setting: Setting) -> Found:
    """Compare autograd, with D* and with a trained D, with the derived derivatives."""
    game, pair = case.split("|")
    p, q = PAIRS[pair]
    followed = prediction.followed_gradient(p, q, wrt)
    loss = prediction.loss_value_gradient(p, q, wrt)
    row = {"followed": asdict(followed), "loss": asdict(loss)}
    if not followed.is_finite:  # an infinite divergence has no derivative to be met
        return row, []
    objective = f"{same_discriminator(game)}|{pair}"
    network = trained(objective, setting.seed_of(f"train {objective}"), setting.device)
    comparisons: list[Comparison] = []
    for kind, discriminator in (("optimal", None), ("trained", network)):
        seed = setting.seed_of(f"{case} {wrt} {kind}")
        measured = measure.frozen_gradient(
            played(game), p, q, wrt, discriminator=discriminator, seed=seed
        )
        if measured.is_finite and measured.error > max(abs(followed.value), LEAST):
            measured = Estimate.undetermined(TOO_WIDE, measured.method)
        row[kind] = asdict(measured)
        comparisons += _compared(f"{case}|{wrt}|{kind}", measured, followed, loss)
    return row, comparisons


def _flat(case: str, wrt: str, prediction: Prediction, setting: Setting) -> Found:
    """Show that a D* of two values has no slope to follow, whatever its divergence says.

    The followed divergence of hinge is 2 TV, as a derivative in the law. Autograd sees D*(x), which
    is constant but for a jump, and answers 0: only a D short of the optimum has a slope.
    """
    game, pair = case.split("|")
    p, q = PAIRS[pair]
    followed = prediction.followed_gradient(p, q, wrt)
    measured = measure.frozen_gradient(
        played(game), p, q, wrt, seed=setting.seed_of(f"{case} {wrt}")
    )
    name = f"frozen-gradient.{game}.{pair}.{wrt}.optimal"
    where = f"{game}, {pair}, {wrt}"
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
    place: str, measured: Estimate, followed: Estimate, loss: Estimate
) -> list[Comparison]:
    name = f"frozen-gradient.{place.replace('|', '.')}"
    where = place.replace("|", ", ")
    law = Comparison(
        name,
        f"autograd = derivative of the followed divergence ({where})",
        measured,
        "=",
        followed,
        # Where the payoff's tail is too heavy for an interval, the honest verdict is none.
        How.UNDECIDED if measured.status is Status.UNDETERMINED else How.MEASURED,
    )
    error = measured.error + followed.error + loss.error
    if not abs(followed.value - loss.value) > TELLING * error:
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


def draw(measured: Sequence[Measurement]) -> Figure:
    """Draw what autograd gives against both derivatives, for D* and for the trained D."""
    from matplotlib.figure import Figure

    rows = [(m, wrt) for m in measured for wrt in WRT]
    figure = Figure(figsize=(9, 1.5 + 0.32 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for k, (m, wrt) in enumerate(rows):
        row = m.numbers[wrt]
        followed = float(row["followed"]["value"])
        if "loss" in row:
            axes.plot(float(row["loss"]["value"]) - followed, k, "x", color="C3", ms=8)
        for shift, kind, colour in ((0.14, "optimal", "C0"), (-0.14, "trained", "C2")):
            if kind not in row or float(row[kind]["error"]) == math.inf:
                continue
            estimate = row[kind]
            axes.errorbar(
                float(estimate["value"]) - followed,
                k + shift,
                xerr=float(estimate["error"]),
                fmt="o", ms=4, color=colour, capsize=3,
            )  # fmt: skip
    for colour, marker, label in (
        ("C0", "o", "autograd, D*"), ("C2", "o", "autograd, trained D"),
        ("C3", "x", "derivative of the loss's value"),
    ):  # fmt: skip
        axes.plot([], [], marker, color=colour, label=label)
    axes.axvline(0, color="black", lw=1)
    axes.set_xscale("symlog", linthresh=0.01)
    axes.set_yticks(range(len(rows)), [f"{m.case.replace('|', ', ')}, {wrt}" for m, wrt in rows])
    axes.tick_params(axis="y", labelsize=7)
    axes.set_xlabel("difference from the derivative of the followed divergence, nats per unit")
    figure.legend(loc="outside upper center", ncols=3, fontsize=8)
    return figure


EXPERIMENT = Experiment(
    name="frozen-gradient",
    title="The gradient with D held fixed",
    claim="autograd follows the followed divergence's gradient, not that of the loss's value",
    expected=(
        "minimax at N(0,1), N(1.7,1), in location: 0.46672 (2 JSD), not 0.23336 (KL(Q||M))",
        "non-saturating, same place: 1.23328 (2 KL(M||P)), where the loss's value has 1.46664",
        "log-odds generator: followed and loss are both KL(Q||P), slope 1.7",
    ),
    minutes=30,
    quick_minutes=0.2,
    cases=cases,
    measure=compare,
    draw=draw,
    source="Arjovsky and Bottou (2017), Theorem 2.5; the envelope theorem for minimax",
)
