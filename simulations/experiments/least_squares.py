"""Two codings of least squares, one of which has no divergence to follow.

Claim: with D at its optimum, the coding (−1, 1, 0) that the paper proves to be a Pearson χ²
follows a curvature that changes sign at p = q: a scale generator started at 0.9 of the data's
scale shrinks to where the derived gradient vanishes next, and (0.55, 0.45) runs away from
(0.5, 0.5) until one point has everything. The 0-1 coding converges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
import torch
from torch import Tensor

from gantheory.functions import r
from gantheory.records import Estimate, How
from simulations import measure
from simulations.compare import mean_of
from simulations.data import torch_logpdf
from simulations.experiments.base import (
    Combination,
    Comparison,
    Experiment,
    Measurement,
    Setting,
)
from simulations.measure import Budget
from simulations.theory import predict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAMES = {"pearson": "least-squares-pearson", "zero-one": "least-squares-01"}
START, RATE, STEPS = 0.9, 0.02, 3000
WEIGHT = 0.55  # of the first point, at the start
BATCH = 32  # stratified samples a step, for each of the replicates
REPLICATES = {True: 128, False: 512}  # quick or not


@dataclass(frozen=True)
class Descent(Combination):
    """A generator under one coding."""

    kind: str  # a key of `MEASURED`
    coding: str  # a key of `GAMES`


def cases(quick: bool) -> tuple[Descent, ...]:
    """Return a scale generator and a two-point law for each coding."""
    return tuple(Descent(kind, coding) for kind in MEASURED for coding in GAMES)


def compare(case: Descent, setting: Setting) -> Measurement:
    """Measure one of the two generators under one coding."""
    comparisons, numbers = MEASURED[case.kind](case.coding, setting)
    return Measurement(str(case), comparisons, {**asdict(case), **numbers})


Found = tuple[tuple[Comparison, ...], dict[str, Any]]


def _slope(coding: str, setting: Setting) -> Found:
    """Measure by autograd which way the scale is pushed at 0.9, against the derived curvature."""
    p, q = "normal(0, 1)", f"normal(0, {START})"
    seed = setting.seed_of(f"slope {coding}")
    measured = measure.frozen_gradient(
        GAMES[coding], p, q, "q.scale", seed=seed, budget=Budget(1024, 256)
    )
    theory = predict(GAMES[coding]).followed_gradient(p, q, "q.scale")
    name = f"least-squares.slope.{coding}"
    comparisons = (
        Comparison(
            f"{name}.theory", f"{coding}: autograd in the scale at {START} = followed curvature's",
            measured, "=", theory,
        ),
        Comparison(
            f"{name}.sign", f"{coding}: the scale is pushed up towards the data's",
            measured, "<=", Estimate(0.0),
            How.REFUTED if coding == "pearson" else How.MEASURED,
            twin_of="least-squares.slope.zero-one.sign" if coding == "pearson" else None,
        ),
    )  # fmt: skip
    return comparisons, {"measured": asdict(measured), "theory": asdict(theory)}


def _scale(coding: str, setting: Setting) -> Found:
    """Descend the printed loss by autograd through samples s·z, with D = D* at every step."""
    rng = np.random.default_rng(setting.stream(f"scale {coding}"))
    score, payoff = predict(GAMES[coding]).score, measure.generator_payoff(GAMES[coding])
    log_p = torch_logpdf("normal(0, 1)")
    replicates = REPLICATES[setting.quick]
    scale = torch.full((replicates, 1), START, dtype=torch.float64)
    path = [scale[:, 0].numpy().copy()]
    for step in range(STEPS):
        z = _stratified_normals(rng, replicates)
        moving = scale.clone().requires_grad_()
        x = moving * z
        # D* of the current scale, held fixed while the generator moves.
        log_q = -0.5 * (x / scale) ** 2 - torch.log(scale) - 0.5 * np.log(2 * np.pi)
        objective = payoff(score(log_p(x) - log_q)).mean(-1).sum()
        (gradient,) = torch.autograd.grad(objective, moving)
        scale = (scale - RATE * gradient).detach()
        if (step + 1) % 50 == 0:
            path.append(scale[:, 0].numpy().copy())
    final = mean_of(path[-1], 1e-8, "replicate runs, Student's t with skewness")
    place = rest(lambda s: scale_slope(coding, s), START, (0.05, 2.0))
    shrinks = coding == "pearson"
    name = f"least-squares.scale.{coding}"
    comparisons = (
        Comparison(
            f"{name}.end",
            f"{coding}: the scale, started at {START}, ends within 0.01 of {place:.4f}, where the "
            "derivative of what it follows is next 0",
            _distance(final, place), "<=", Estimate(0.01),
        ),
        Comparison(
            f"{name}.toward", f"{coding}: the scale ends nearer to the data's than it began",
            _distance(final, 1.0), "<=", Estimate(1 - START),
            How.REFUTED if shrinks else How.MEASURED,
            twin_of="least-squares.scale.zero-one.toward" if shrinks else None,
        ),
    )  # fmt: skip
    return comparisons, {"path": np.mean(path, axis=1).tolist(), "every": 50, "rest": place}


def scale_slope(coding: str, scale: float) -> float:
    """Return the derived derivative in the scale of N(0, scale), by quadrature."""
    q = f"normal(0, {scale!r})"
    return predict(GAMES[coding]).followed_gradient("normal(0, 1)", q, "q.scale").value


def weight_slope(coding: str, weight: float) -> float:
    r"""Return the derived derivative in the weight w of the law (w, 1 − w) against (½, ½).

    For a curvature g'' it is :math:`-\int_{r_2}^{r_1} s\,g''(s)\,ds`, r the two ratios p/q, here
    in log s.
    """
    from scipy.integrate import quad

    curvature = sympy.lambdify(r, predict(GAMES[coding]).followed.curvature)
    first, second = np.log(0.5 / weight), np.log(0.5 / (1 - weight))
    return -float(quad(lambda u: np.exp(2 * u) * curvature(np.exp(u)), second, first)[0])


def rest(slope: Callable[[float], float], start: float, ends: tuple[float, float]) -> float:
    """Return where descent from ``start`` comes to rest: the next zero of the slope, or an end."""
    from scipy.optimize import brentq

    way = -np.sign(slope(start))
    end = ends[1] if way > 0 else ends[0]
    places = np.linspace(start, end, 41).tolist()
    for here, there in pairwise(places):
        if way * slope(there) > 0:  # the slope now points back
            return float(brentq(slope, here, there))
    return float(end)


def _stratified_normals(rng: np.random.Generator, replicates: int) -> Tensor:
    from scipy.special import ndtri

    levels = (np.arange(BATCH) + rng.random((replicates, BATCH))) / BATCH
    return torch.from_numpy(ndtri(levels))


def _distance(estimate: Estimate, place: float) -> Estimate:
    return replace(estimate, value=abs(estimate.value - place))


def _two_points(coding: str, setting: Setting) -> Found:
    """Follow the natural softmax flow of q = (w, 1 − w) towards p = (½, ½), with D = D*."""
    score, payoff = predict(GAMES[coding]).score, measure.generator_payoff(GAMES[coding])
    target = torch.tensor([0.5, 0.5], dtype=torch.float64)
    logits = torch.tensor([np.log(WEIGHT / (1 - WEIGHT)), 0.0], dtype=torch.float64)
    path = []
    for _ in range(8_001):
        q = torch.softmax(logits, 0)
        path.append(float(q[0]))
        losses = payoff(score(torch.log(target) - torch.log(q)))
        # The natural gradient of the softmax is the loss itself, centred.
        logits = logits - 0.1 * (losses - (q * losses).sum())
    end = Estimate(path[-1], method="deterministic flow")
    name = f"least-squares.two-points.{coding}"
    runs_away = coding == "pearson"
    place = rest(lambda w: weight_slope(coding, w), WEIGHT, (1e-6, 1 - 1e-6))
    comparisons = (
        Comparison(
            f"{name}.end",
            f"{coding}: ({WEIGHT}, {1 - WEIGHT:.2f}) ends within 0.01 of ({place:.4g}, "
            f"{1 - place:.4g}), where the derivative of what it follows is next 0, or at an end",
            _distance(end, place), "<=", Estimate(0.01),
        ),
        Comparison(
            f"{name}.toward", f"{coding}: the law ends nearer to (0.5, 0.5) than it began",
            _distance(end, 0.5), "<=", Estimate(WEIGHT - 0.5),
            How.REFUTED if runs_away else How.MEASURED,
            twin_of="least-squares.two-points.zero-one.toward" if runs_away else None,
        ),
    )  # fmt: skip
    return comparisons, {"path": path[::40], "every": 40, "rest": place}


MEASURED: dict[str, Callable[[str, Setting], Found]] = {
    "slope": _slope,
    "scale": _scale,
    "two-points": _two_points,
}


def draw(measured: Sequence[Measurement]) -> Figure:
    """Draw the scale and the weight of the first point along the descent, for both codings."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, kind, goal, label in zip(
        figure.subplots(1, 2), ("scale", "two-points"), (1.0, 0.5),
        ("scale of the generator", "weight of the first point"), strict=True,
    ):  # fmt: skip
        for m in measured:
            if m.numbers["kind"] == kind:
                path = m.numbers["path"]
                steps = np.arange(len(path)) * m.numbers["every"]
                (line,) = axes.plot(steps, path, label=m.numbers["coding"])
                axes.axhline(m.numbers["rest"], color=line.get_color(), lw=0.7, ls="--")
        axes.axhline(goal, color="black", lw=1, ls=":")
        axes.set(xlabel="steps of descent with D = D*; dashed: derived rest", ylabel=label)
        axes.legend()
    return figure


EXPERIMENT = Experiment(
    name="least-squares",
    title="Least squares: two codings",
    claim="the coding (-1, 1, 0) drives the generator away from the data; 0-1 brings it there",
    expected=(
        "(-1, 1, 0): the scale goes from 0.9 to 0.340; (0.55, 0.45) goes to (1, 0)",
        "0-1: the scale goes to 1, the two points to (0.5, 0.5)",
    ),
    minutes=0.5,
    quick_minutes=0.2,
    cases=cases,
    measure=compare,
    draw=draw,
    source="Mao et al. (2017), Section 3.2 (refuted for the gradient that training follows)",
)
