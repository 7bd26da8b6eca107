"""What a published toy measures: one number a seed for each quantity."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simulations.coverage import SAMPLES, coverage
from simulations.data import Modes
from simulations.ensembles import Member, State
from simulations.protocols.digits import MODES, StackedDigits
from simulations.protocols.protocol import Protocol
from simulations.samples import fresh_samples
from simulations.streams import COMPARISON, generator_of

Array = NDArray[np.float64]
Numbers = dict[str, list[float]]
Metric = Callable[[Protocol, Sequence[State], Sequence[Member]], Numbers]

STACKS = 26_000  # samples of the published protocol of stacked MNIST
TRANSPORTED = 2048  # samples of either side in Mescheder's
KEPT = 4  # of the last states: what is looked at
LINEAR = 0.05  # within this distance of the equilibrium the Dirac-GAN is linear to 1e-4


def quantities_of(
    protocol: Protocol, states: Sequence[State], members: Sequence[Member]
) -> Numbers:
    """Return the protocol's quantities, by name, a number for each member.

    Args:
        protocol: what was trained.
        states: the run's states, every 64 steps or fewer; the last one is what is judged.
        members: whom it was trained for.

    Raises:
        KeyError: for an unknown metric.
    """
    return METRICS[protocol.metric](protocol, states, members)


def _samples(protocol: Protocol, state: State, members: Sequence[Member], n: int) -> Tensor:
    final = state.averaged if protocol.recipe.averaging else state
    return fresh_samples(final, protocol.recipe, members, n).double()


def _covered(protocol: Protocol, states: Sequence[State], members: Sequence[Member]) -> Numbers:
    """Return modes, share of high quality and reverse KL, of 2500 samples as published."""
    law = protocol.law
    assert isinstance(law, Modes)
    points = _samples(protocol, states[-1], members, SAMPLES).numpy()
    found = [coverage(sample, law) for sample in points]
    return {
        "modes": [float(c.modes) if c.quality.is_finite else math.nan for c in found],
        "quality": [c.quality.value for c in found],
        "reverse_kl": [c.reverse_kl for c in found],
    }


def _stacked(protocol: Protocol, states: Sequence[State], members: Sequence[Member]) -> Numbers:
    """Return modes and their KL from the uniform law, of 26 000 samples as published."""
    law = protocol.law
    assert isinstance(law, StackedDigits)
    found: Numbers = {"modes": [], "kl": []}
    for points in _samples(protocol, states[-1], members, STACKS).numpy():
        finite = points[np.isfinite(points).all(axis=1)]
        if not len(finite):
            for values in found.values():
                values.append(math.nan)
            continue
        counts = np.bincount(law.modes_of(finite), minlength=MODES)
        shares = counts[counts > 0] / counts.sum()
        found["modes"].append(float((counts > 0).sum()))
        found["kl"].append(float((shares * np.log(shares * MODES)).sum()))
    return found


def _transported(protocol: Protocol, states: Sequence[State], members: Sequence[Member]) -> Numbers:
    """Return W1 between 2048 samples and as many of the data, and what two data sets have."""
    found: Numbers = {"w1": [], "w1_of_data": []}
    for member, points in zip(
        members, _samples(protocol, states[-1], members, TRANSPORTED).numpy(), strict=True
    ):
        real, again = (
            protocol.law.sample(
                TRANSPORTED, generator_of(member.seed, COMPARISON, k), torch.float64
            ).numpy()
            for k in (0, 1)
        )
        found["w1"].append(wasserstein_of_points(points, real))
        found["w1_of_data"].append(wasserstein_of_points(again, real))
    return found


def wasserstein_of_points(first: Array, second: Array) -> float:
    """Return the 1-Wasserstein distance of two equally large sets of points, exactly.

    >>> wasserstein_of_points(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]))
    5.0
    """
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return float("nan")
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    costs = cdist(first, second)
    return float(costs[linear_sum_assignment(costs)].mean())


def _distances(protocol: Protocol, states: Sequence[State], members: Sequence[Member]) -> Numbers:
    """Return the distance from the equilibrium (0, 0), and near it the factor on it a step.

    Near the equilibrium 64 steps are a linear map M: of three states v, w = Mv, x = Mw in a row it
    is (w x)(v w)^-1, and the factor a step is the 64th root of its largest eigenvalue's size.
    """
    found: Numbers = {"distance": []}
    for k in range(len(members)):
        track = [
            np.array([float(s.parameters["generator"][k, 0]),
                      float(s.parameters["discriminator"][k, 0])])
            for s in states
        ]  # fmt: skip
        found["distance"].append(float(np.hypot(*track[-1])))
        if len(track) == KEPT and np.hypot(*track[0]) < LINEAR:
            steps = states[-3].step - states[-4].step
            found.setdefault("factor", []).append(_factor(track[0], track[1], track[2], steps))
    return found


def _factor(v: Array, w: Array, x: Array, steps: int) -> float:
    before, after = np.column_stack([v, w]), np.column_stack([w, x])
    size = np.abs(np.linalg.eigvals(after @ np.linalg.pinv(before))).max()
    return float(size ** (1 / steps))


METRICS: dict[str, Metric] = {
    "coverage": _covered,
    "stacked": _stacked,
    "transport": _transported,
    "distance": _distances,
}
