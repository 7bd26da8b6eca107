"""Second routes of enumerations and trainings: random laws in floating point, and optimisers.

What is enumerated exactly for laws in sixths is tried on random laws of more points; where a
training ends is found by SciPy's optimisers on the exact objective. What is a fact of one run of
this package's own trainer (a trace, the digits of a DCGAN) has no second route.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad, solve_ivp
from scipy.optimize import minimize

from gantheory.ledger.statements.critics import _lipschitz

Array = NDArray[np.float64]
Case = tuple[str, float, float]
DRAWS = 5


def _draws() -> Iterator[np.random.Generator]:
    yield from (np.random.default_rng(seed) for seed in range(DRAWS))


def kl(p: Array, q: Array) -> float:
    """Return Σ p log(p/q), of arrays of any one shape."""
    used = p > 0
    return float(np.sum(p[used] * np.log(p[used] / q[used])))


def jsd(p: Array, q: Array) -> float:
    """Return the Jensen-Shannon divergence."""
    return (kl(p, (p + q) / 2) + kl(q, (p + q) / 2)) / 2


def entropy(p: Array) -> float:
    """Return -Σ p log p."""
    return -float(np.sum(p * np.log(p)))


def information(joint: Array) -> float:
    """Return the mutual information of rows and columns."""
    return kl(joint, joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True))


def _joint(draw: np.random.Generator, rows: int = 3, columns: int = 4) -> Array:
    return draw.dirichlet(np.ones(rows * columns)).reshape(rows, columns)


def _softmax(x: Array, axis: int | None = None) -> Array:
    weights = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(weights / weights.sum(axis=axis, keepdims=True))


def _least(cost: Callable[[Array], float], start: Array) -> Array:
    """Return where a smooth function is least, found from a start."""
    found = minimize(cost, start, method="BFGS", options={"gtol": 1e-10})
    return np.asarray(found.x)


def _images(shift: int = 0) -> Iterator[Case]:
    for draw in _draws():
        law, h, move = draw.dirichlet(np.ones(6)), draw.normal(size=6), draw.integers(0, 6, 6)
        image = np.bincount(move, law, minlength=6)
        yield "six points", float(law @ h[move]) + shift, float(image @ h)


def _relabelled(law: str = "uniform") -> Iterator[Case]:
    for draw in _draws():
        masses = np.full(7, 1 / 7) if law == "uniform" else draw.dirichlet(np.ones(7))
        moved = np.bincount(draw.permutation(7), masses, minlength=7)
        yield "seven points", float(np.abs(moved - masses).sum()), 0.0


def _best_reply(claim: str = "argmax") -> Iterator[Case]:
    p = np.array([3, 2, 1]) / 6
    cost = np.log(1 - p / (p + p[::-1]))
    claimed = float(cost[0]) if claim == "argmax" else float(p @ cost)
    laws = (draw.dirichlet(np.full(3, 0.02), 99) for draw in _draws())
    best = min(float((one @ cost).min()) for one in laws)
    yield "random laws", min(best, claimed), claimed


def _packed(relation: str = "rises") -> Iterator[Case]:
    for m in (1, 2, 3):
        now, then = (1 - (6 / 8) ** k for k in (m, m + 1))  # Q's support has mass (6/8)^m under P^m
        yield f"m = {m}", float(then > now), float(relation == "rises")


def _same_marginals() -> Iterator[Case]:
    """Move mass around a square of a joint law: the marginals stay and the law moves."""
    for draw in _draws():
        joint = _joint(draw)
        move = np.zeros_like(joint)
        move[:2, :2] = np.array([[1, -1], [-1, 1]]) * joint[:2, :2].min() / 2
        other = joint + move
        apart = sum(float(np.abs((joint - other).sum(axis)).sum()) for axis in (0, 1))
        yield "the marginals", apart, 0.0
        yield "the joint laws", jsd(joint, other), 0.0


def _from_marginal(claim: str = "undetermined") -> Iterator[Case]:
    moved = [one for where, one, _ in _same_marginals() if where == "the joint laws"]
    yield "x given a label", float(max(moved) > 1e-6), float(claim == "undetermined")


def _written(where: str = "float") -> Iterator[Case]:
    with np.errstate(divide="ignore"):
        direct = float(np.log(1 - 1 / (1 + np.exp(-40.0))))
    yield "s = 40", max(direct, -1e9), -float(np.logaddexp(0, 40.0))


def _labelled(labels: str = "the same") -> Iterator[Case]:
    for draw in _draws():
        p, q = _joint(draw), _joint(draw)
        if labels == "the same":
            q = q / q.sum(0) * p.sum(0)
        mean = sum(w * jsd(a / a.sum(), b / b.sum())
                   for w, a, b in zip(p.sum(0), p.T, q.T, strict=True))  # fmt: skip
        yield "three points, four labels", jsd(p, q), float(mean)


def _informed(gap: str = "posterior to Q") -> Iterator[Case]:
    for draw in _draws():
        joint, q = _joint(draw), _softmax(draw.normal(size=(3, 4)), 0)
        bound = float(np.sum(joint * np.log(q))) + entropy(joint.sum(1))
        posterior = joint / joint.sum(0)
        one, other = (posterior, q) if gap == "posterior to Q" else (q, posterior)
        mean = sum(w * kl(a, b) for w, a, b in zip(joint.sum(0), one.T, other.T, strict=True))
        yield "three codes", information(joint) - bound, float(mean)


def _bound(where: str = "every Q") -> Iterator[Case]:
    for draw in _draws():
        joint = _joint(draw)
        q = joint / joint.sum(0) if where == "the posterior" else np.full((3, 4), 1 / 3)
        yield where, float(np.sum(joint * np.log(q))) + entropy(joint.sum(1)), information(joint)


def _classified(extra: str = "entropy") -> Iterator[Case]:
    for draw in _draws():
        p, q = _joint(draw), _joint(draw)
        posterior, mine = p / p.sum(0), q / q.sum(0)
        parts = sum(w * kl(a, b) for w, a, b in zip(q.sum(0), mine.T, posterior.T, strict=True))
        left = entropy(q) - entropy(q.sum(0)) if extra == "entropy" else 0.0
        yield "three labels", -float(np.sum(q * np.log(posterior))), float(parts) + left


SEVEN = np.array([0.2, 0.25, 0.2, 0.15, 0.1, 0.05, 0.05])


def _auxiliary_cost(q: Array) -> float:
    both, surprise = (SEVEN + SEVEN[::-1]) / 2, -np.log(SEVEN / (SEVEN + SEVEN[::-1]))
    return 2 * jsd(both, (q + q[::-1]) / 2) + float(q @ surprise)


def _auxiliary(claim: str = "the data's law", half_unit: str = "0") -> Iterator[Case]:
    best = _softmax(_least(lambda x: _auxiliary_cost(_softmax(x)), np.log(SEVEN)))
    claimed = _auxiliary_cost(SEVEN) if claim == "the data's law" else float(claim)
    found, near = _auxiliary_cost(best), float(half_unit)
    yield "BFGS", claimed if abs(found - claimed) <= near else found, claimed


def _evidence(encoder: str = "any", gap: str = "KL") -> Iterator[Case]:
    for draw in _draws():
        joint = _joint(draw)[:, 0]  # p(z, x) at one x
        posterior = joint / joint.sum()
        q = posterior if encoder == "posterior" else draw.dirichlet(np.ones(3))
        bound = float(np.sum(q * np.log(joint))) + entropy(q)
        yield encoder, math.log(joint.sum()) - bound, kl(q, posterior) if gap == "KL" else 0.0


def _chained(model: str = "chain", excess: str = "both") -> Iterator[Case]:
    for draw in _draws():
        p = _joint(draw)
        q = p.sum(1, keepdims=True) * p.sum(0) if model == "independent" else _joint(draw)
        first = kl(p.sum(1), q.sum(1))
        rest = sum(a.sum() * kl(a / a.sum(), b / b.sum()) for a, b in zip(p, q, strict=True))
        said = {"both": first + rest, "first": first, "0": 0.0, "information": information(p)}
        yield model, -float(np.sum(p * np.log(q))) - entropy(p), float(said[excess])


def _cycle_loss(g: Array, f: Array, law: Array) -> float:
    there_and_back = 2 - float(law @ (g @ f).diagonal()) - float(law @ (f @ g).diagonal())
    return jsd(law, law @ g) + jsd(law, law @ f) + 10 * there_and_back


def _cycled(law: str = "uniform", claim: str = "relabellings") -> Iterator[Case]:
    masses, eye = np.full(4, 0.25) if law == "uniform" else np.array([4, 3, 2, 1]) / 10, np.eye(4)
    for move in permutations(range(4)):
        g = eye[list(move)]
        zero = _cycle_loss(g, g.T, masses) < 1e-12
        is_identity = move == (0, 1, 2, 3)
        said = claim == "relabellings" or is_identity
        yield f"G = {move} and its inverse", float(zero), float(said)
    for draw in _draws():
        g, f = (_softmax(5 * draw.normal(size=(4, 4)), 1) for _ in range(2))
        yield "soft maps", float(_cycle_loss(g, f, masses) < 1e-12), 0.0


def _transported(critic: str = "1-Lipschitz", sign: int = 1) -> Iterator[Case]:
    for draw in _draws():
        p, q = draw.dirichlet(np.ones(5)), draw.dirichlet(np.ones(5))
        best = abs(float((p - q) @ np.arange(5))) if critic == "clipped" else _lipschitz(p, q, p)
        yield "five points", sign * best, float(np.abs(np.cumsum(p - q)).sum())


def _paired_best(p: Array, q: Array) -> tuple[Array, float]:
    weights = np.outer(p, q)

    def cost(c: Array) -> float:
        return float(np.sum(weights * np.logaddexp(0, c[None, :] - c[:, None])))

    best = _least(cost, np.zeros(len(p)))
    return best - best[0], -cost(best)


def _relativistic(power: int = 1) -> Iterator[Case]:
    for draw in _draws():
        p, q = (draw.dirichlet(np.full(4, 3.0)) for _ in range(2))
        best, score = _paired_best(p, q)[0], power * np.log(p / q)
        yield "four points", float(np.abs(best - score + score[0]).max()), 0.0


def _relativistic_value(value: str = "of pairs") -> Iterator[Case]:
    for draw in _draws():
        p, q = (draw.dirichlet(np.full(4, 3.0)) for _ in range(2))
        pairs = jsd(np.outer(p, q), np.outer(q, p)) if value == "of pairs" else jsd(p, q)
        yield "four points", _paired_best(p, q)[1], pairs - math.log(2)


def _averaged() -> Iterator[Case]:
    p, q = np.array([3, 2, 1]) / 6, np.array([1, 1, 4]) / 6

    def cost(c: Array) -> float:
        return float(p @ np.logaddexp(0, q @ c - c) + q @ np.logaddexp(0, c - p @ c))

    score = np.log(p / q)
    yield "the value at the best score and at log(p/q)", -cost(_least(cost, score)), -cost(score)


def _cycled_flow(amplitude: str = "coth") -> Iterator[Case]:
    """Follow WGAN-GP's Dirac flow by the midpoint rule, from inside and outside its cycle."""
    weight, h = 0.5, 0.005
    decay = math.pi * weight / math.sqrt(1 - weight**2) / 2
    said = {"coth": 1 / math.tanh(decay), "tanh": math.tanh(decay), "0": 0.0}[amplitude]

    def field(x: float, y: float) -> tuple[float, float]:
        return y, -x - 2 * weight * (abs(y) - 1) * math.copysign(1, y)

    for start in (0.1, 4.0):
        x, y, swung = start, 0.1, 0.0
        for step in range(8000):
            dx, dy = field(x, y)
            dx, dy = field(x + h / 2 * dx, y + h / 2 * dy)
            x, y = x + h * dx, y + h * dy
            swung = max(swung, abs(x)) if step > 6000 else 0.0
        near = abs(swung - 2 * weight * said) < 0.02
        yield f"from θ = {start} to {swung:.3f}", float(near), 1.0


def _slow(rate: int = 8, low: str = "2", high: str = "6") -> Iterator[Case]:
    """Integrate the non-saturating flow in θ and ψ themselves."""

    def flow(t: float, z: Array) -> list[float]:
        u = z[0] * z[1]
        return [z[1] / (1 + math.exp(u)), -z[0] / (1 + math.exp(-u))]

    found = solve_ivp(flow, (0, 100), [1.0, 1.0], rtol=1e-10, atol=1e-12, max_step=0.5)
    values = (rate / (found.y**2).sum(0) - found.t)[1:]
    inside = float(low) < values.min() and values.max() < float(high)
    yield "Runge-Kutta in the plane", float(inside), 1.0


def _quartile(spread: float = 1.0) -> Iterator[Case]:
    def density(x: float) -> float:
        return 1 / (math.pi * spread * (1 + (x / spread) ** 2))

    yield "its density up to 1", float(quad(density, -math.inf, 1.0)[0]), 0.75


def _trained_conditional(target: str = "data") -> Iterator[Case]:
    p = np.array([[0.25, 0.15, 0.1], [0.05, 0.15, 0.3]])

    def law(x: Array) -> Array:
        return np.asarray(p.sum(1, keepdims=True) * _softmax(x.reshape(2, 3), 1))

    goal = p if target == "data" else p.sum(1, keepdims=True) * p.sum(0)
    found = law(_least(lambda x: jsd(p, law(x)), np.zeros(6)))
    yield "the minimum of JSD", float(np.abs(found - goal).sum() / 2 > 0.01), 0.0


def _trained_informed(goal: str = "information") -> Iterator[Case]:
    joint = np.array([[0.3, 0.15, 0.05], [0.05, 0.15, 0.3]])

    def fit(x: Array) -> float:
        return float(np.sum(joint * np.log(_softmax(x.reshape(2, 3), 0))))

    bound = fit(_least(lambda x: -fit(x), np.zeros(6))) + entropy(joint.sum(1))
    target = information(joint) if goal == "information" else entropy(joint.sum(1))
    yield "BFGS", float(abs(bound - target) > 0.001), 0.0


def _trained_auxiliary(goal: str = "biased") -> Iterator[Case]:
    best = _softmax(_least(lambda x: _auxiliary_cost(_softmax(x)), np.log(SEVEN)))
    published = np.array([0.293, 0.385, 0.245, 0.077, 0, 0, 0])
    target = published if goal == "biased" else SEVEN
    yield "BFGS", float(np.abs(best - target).sum() / 2 > 0.02), 0.0


def _trained_content(weight: float = 1.0, goal: str = "between") -> Iterator[Case]:
    p, content = np.array([0.5, 0, 0.5]), np.array([2.0, 1.0, 2.0])

    def cost(x: Array) -> float:
        q = _softmax(x)
        return float(q @ content) + 2 * weight * jsd(p, q)

    found = float(_softmax(_least(cost, np.zeros(3)))[1])
    power = math.exp(1 / weight)
    said = {"between": max(0.0, (power - 2) / (power - 1)), "adversarial": 0.0, "content": 1.0}
    yield "BFGS", float(abs(found - said[goal]) > 0.01), 0.0


def _trained_cycles(claim: str = "different") -> Iterator[Case]:
    zeros = [move for move in product(np.eye(3)[list(m)] for m in permutations(range(3)))
             if _cycle_loss(move[0], move[0].T, np.full(3, 1 / 3)) < 1e-12]  # fmt: skip
    yield "maps of loss 0", float(len(zeros) > 1), float(claim == "different")


def _trained_lipschitz(goal: str = "W1") -> Iterator[Case]:
    p, q = np.array([0.5, 0, 0, 0, 0.5]), np.array([0.1, 0.3, 0.5, 0.1, 0.0])
    said = np.abs(np.cumsum(p - q)).sum() if goal == "W1" else abs((p - q) @ np.arange(5))
    yield "a linear program", _lipschitz(p, q, p), float(said)


def _trained_penalised(
    distance: float = 1.0, weight: float = 1.0, slope: str = "1 + d/(2λ)"
) -> Iterator[Case]:
    def cost(slopes: Array) -> float:
        return float(weight * np.mean((slopes - 1) ** 2) - distance * np.mean(slopes))

    best = float(_least(cost, np.ones(8)).mean())
    yield "slopes of eight pieces", best, 1 + distance / (2 * weight) if slope != "1" else 1.0


def _trained_encoder(steps: str = "trained") -> Iterator[Case]:
    """Maximum likelihood of two mixed laws of four points reaches the data's own."""
    p = np.array([0.4, 0.3, 0.2, 0.1])

    def cost(x: Array) -> float:
        return -float(p @ np.log(_softmax(x.reshape(2, 4), 1).mean(0)))

    start = np.array([1.0, 0, 0, 0, 0, 0, 0, 1.0])
    found = cost(_least(cost, start) if steps == "trained" else start)
    yield "maximum likelihood", float(found - entropy(p) > 0.001), 0.0


def _trained_autoregressive(model: str = "chain") -> Iterator[Case]:
    p = np.array([[0.4, 0.1], [0.1, 0.4]])
    fitted = p if model == "chain" else np.outer(p.sum(1), p.sum(0))  # by counting
    yield "counts", float(kl(p, fitted) > 0.001), 0.0


ROUTES: Mapping[str, Callable[..., Iterator[Case]]] = {
    "expectations_of_images": _images, "relabellings": _relabelled,
    "best_reply_to_a_fixed_discriminator": _best_reply, "packed_total_variation": _packed,
    "conditional_from_marginal": _from_marginal, "written_forms": _written,
    "joint_divergence": _labelled, "marginals_suffice": _same_marginals,
    "information_gap": _informed, "information_bound": _bound, "classifier_gap": _classified,
    "auxiliary_optimum": _auxiliary, "evidence_gap": _evidence,
    "chain_of_likelihoods": _chained, "cycle_solutions": _cycled,
    "transport_duality": _transported, "relativistic_optimum": _relativistic,
    "relativistic_value": _relativistic_value, "average_optimum": _averaged,
    "wgan_gp_cycle": _cycled_flow, "slow_approach": _slow, "noisy_gradient_quartiles": _quartile,
    "train_conditional": _trained_conditional, "train_informed": _trained_informed,
    "train_auxiliary": _trained_auxiliary, "train_content": _trained_content,
    "train_cycles": _trained_cycles, "train_lipschitz": _trained_lipschitz,
    "train_penalised": _trained_penalised, "train_encoder": _trained_encoder,
    "train_autoregressive": _trained_autoregressive,
}  # fmt: skip


def cases(name: str, arguments: Mapping[str, Any]) -> Iterator[Case] | None:
    """Return both sides of a check by code, on random laws or at an optimum; None without one."""
    return ROUTES[name](**arguments) if name in ROUTES else None
