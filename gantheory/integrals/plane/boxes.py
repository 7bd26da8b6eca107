"""Divergences between mixtures of normals in the plane, and between laws on finitely many points.

Equal covariances reduce any pair of normals, in any dimension, to one on the line. Otherwise the
plane is cut into boxes no wider than the narrowest normal that reaches into them, so that no mode
can be missed; boxes whose Gauss-Kronrod error is too large are halved.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.discrete import Discrete
from gantheory.densities.normal import Normal
from gantheory.densities.plane import Spatial
from gantheory.divergences.ratio import Ratio
from gantheory.divergences.stable import Integrand
from gantheory.errors import GantheoryError
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.line.breaks import terms_at_levels, with_ties
from gantheory.integrals.line.estimates import sweep_line
from gantheory.integrals.line.quadrature import GAUSS, KRONROD, NODES
from gantheory.integrals.plane.decay import Bump, bumps
from gantheory.integrals.plane.normals import mahalanobis
from gantheory.records import Estimate, Status
from gantheory.rounding import EPS

REACH = 9.8  # standard deviations: beyond, a normal in the plane holds exp(-48) of its mass
WIDTH = 5.0  # a box is at most this many standard deviations of a normal that reaches into it
TARGET = 1e-13  # relative, for all boxes together
MAX_BOXES = 40_000
MAX_KINKED = 3_000  # along a curve with a kink more boxes gain a digit for ten times the time
ROUNDS = 40
CHUNK = 100  # boxes at once: 961 nodes each
METHOD = "quadrature in the plane"


def divergence_in_space(
    kernel: Kernel, p: Spatial, q: Spatial, parameter: str | None = None
) -> Estimate:
    """Return a divergence, or its derivative in a parameter of q, of two mixtures of normals.

    Raises:
        GantheoryError: for laws of different dimensions, or in more than two where no closed form
            is known.
    """
    if p.dim != q.dim:
        raise GantheoryError(f"{p} has {p.dim} dimensions and {q} has {q.dim}; they must agree")
    if parameter is None:
        if same_law(p, q) and kernel.touches and not kernel.jumps:
            return Estimate(0.0, method="identical laws")
        if (line := on_the_line(p, q)) is not None:
            return _reduced(kernel, *line)
    if p.dim != 2:
        raise GantheoryError(
            f"{kernel.name} in {p.dim} dimensions is known for normals of equal covariance, and "
            "KL for any two normals; use method='monte carlo' for others"
        )
    if kernel.jumps:
        raise GantheoryError(
            f"{kernel.name} jumps along curves in the plane; use method='monte carlo' for its value"
        )
    if parameter and kernel.jumps:
        return Estimate.undetermined(f"{kernel.name} jumps along curves in the plane that move")
    far = bumps(kernel, p, q)
    if isinstance(far, Estimate):
        if parameter is None or far.status is Status.UNDETERMINED:
            return far
        return Estimate.undetermined(f"{kernel.name} has no derivative here: its value is {far}")
    return _integral(kernel, p, q, far, parameter)


def same_law(p: Spatial, q: Spatial) -> bool:
    """Whether two mixtures have the same parts in the same order."""
    pairs = ((p.weights, q.weights), (p.means, q.means), (p.covariances, q.covariances))
    return all(np.array_equal(a, b) for a, b in pairs)


def on_the_line(p: Spatial, q: Spatial) -> tuple[Normal, Normal] | None:
    """Return the pair of normals on the line that has the same f-divergences, where there is one.

    With equal covariances Σ the ratio p/q depends on x only through its projection on Σ⁻¹(m' − m),
    and the pair becomes N(0, 1), N(δ, 1) with δ the Mahalanobis distance of the means.
    """
    if len(p.weights) > 1 or len(q.weights) > 1:
        return None
    if not np.array_equal(p.covariances, q.covariances):
        return None
    return Normal(0.0, 1.0), Normal(mahalanobis(p, q), 1.0)


def _reduced(kernel: Kernel, p: Normal, q: Normal) -> Estimate:
    """Return the value on the line, with what the rounding of the distance may do to it."""
    found = sweep_line({"x": kernel}, p, q, (None, "q.loc"))
    value, slope = found["x", None], found["x", "q.loc"]
    if not (value.is_finite and slope.is_finite):
        return value
    return replace(value, error=value.error + EPS * q.loc * (abs(slope.value) + slope.error))


@dataclass(frozen=True)
class _Sum:
    """Values by box: the Kronrod sum, its error, the sum of absolute values, and the rounding."""

    value: Array
    error: Array
    absolute: Array
    rounding: Array


def _integral(
    kernel: Kernel, p: Spatial, q: Spatial, far: list[Bump], parameter: str | None
) -> Estimate:
    forms = kernel.slopes if parameter else (kernel.value,)
    best: Estimate | None = None
    for form in forms:

        def integrand(x: Array, form: Integrand = form) -> tuple[Array, Array]:
            n = Ratio.of(p.logpdf(x), q.logpdf(x))
            weight, mantissa = form(n)
            f = np.where(np.isneginf(weight), 0.0, np.exp(weight) * mantissa)
            size = 8 + np.abs(n.log_p) + np.abs(n.log_q)
            size = size + p.rounding(x, n.log_p) + q.rounding(x, n.log_q)
            noise = (
                EPS
                * size
                * (1 + (kernel.touches or parameter is not None) / np.maximum(n.v, 1e-300))
            )
            if parameter:
                f = f * q.score(parameter, x) * kernel.sign
            return f, np.abs(f) * np.minimum(noise, 1.0)

        left_out = _left_out(kernel, p, q, far)
        most = MAX_KINKED if kernel.levels or kernel.jumps else MAX_BOXES
        found = _adaptive(integrand, _boxes(p, q, far), left_out, most)
        if best is None or found.error < best.error:
            best = found
    assert best is not None
    return best


def _left_out(kernel: Kernel, p: Spatial, q: Spatial, far: list[Bump]) -> float:
    """Return what an unbounded divergence may hold outside of its bumps' reach.

    A power α of a sum of n terms is at most n^(α − 1) times the sum of their powers; beyond the
    reach lies exp(−48) of each, and a hundred allows for the constants of f and of a score.
    """
    powers = (float(kernel.at_infinity.power), 1 - float(kernel.at_zero.power))
    terms = max(len(p.weights), len(q.weights)) ** (max(powers) - 1)
    near_one = max([1.0, *(1 / (power - 1) for power in powers if power > 1)])
    return 1e-18 * near_one * terms * sum(math.exp(bump.log_mass) for bump in far)


def _adaptive(
    integrand: Callable[[Array], tuple[Array, Array]], boxes: Array, left_out: float, most: int
) -> Estimate:
    parts = _rule(integrand, boxes)
    evaluations = len(NODES) ** 2 * len(boxes)
    for _ in range(ROUNDS):
        total = float(parts.absolute.sum())
        share = np.maximum(TARGET * total / math.sqrt(len(boxes)), parts.rounding)
        bad = parts.error > np.maximum(share, 60 * EPS * parts.absolute)
        if not bad.any() or len(boxes) >= most:
            break
        worst = np.argsort(np.where(bad, -parts.error, 0.0))[(most - len(boxes)) // 3 + 1 :]
        bad[worst] = False  # the rest waits for the next round, or for lack of boxes stays
        fresh = _quarters(boxes[bad])
        new = _rule(integrand, fresh)
        evaluations += len(NODES) ** 2 * len(fresh)
        boxes = np.concatenate([boxes[~bad], fresh])
        parts = _Sum(*(np.concatenate([getattr(parts, f)[~bad], getattr(new, f)])
                       for f in ("value", "error", "absolute", "rounding")))  # fmt: skip
    value = math.fsum(parts.value)
    # beyond the reach lies exp(-48) of either law, times at most a few hundred nats
    error = float(parts.error.sum() + parts.rounding.sum()) + 1e-18 * (1 + abs(value)) + left_out
    if not (math.isfinite(value) and math.isfinite(error)):
        return Estimate.undetermined("the integral does not converge within the range of binary64")
    cause = "the integrand has a kink, or cancels, along curves in the plane"
    return Estimate.of_sum(value, error, METHOD, cause, evaluations=evaluations)


def _quarters(boxes: Array) -> Array:
    x0, x1, y0, y1 = boxes.T
    x, y = 0.5 * (x0 + x1), 0.5 * (y0 + y1)
    quarters = [(x0, x, y0, y), (x, x1, y0, y), (x0, x, y, y1), (x, x1, y, y1)]
    return np.concatenate([np.stack(quarter, axis=1) for quarter in quarters])


def _rule(integrand: Callable[[Array], tuple[Array, Array]], boxes: Array) -> _Sum:
    """Return the 31-point Gauss-Kronrod rule on each box, in both directions."""
    found = [_rule_chunk(integrand, boxes[k : k + CHUNK]) for k in range(0, len(boxes), CHUNK)]
    return _Sum(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _rule_chunk(
    integrand: Callable[[Array], tuple[Array, Array]], boxes: Array
) -> tuple[Array, Array, Array, Array]:
    x0, x1, y0, y1 = boxes.T[..., None]
    x = 0.5 * (x0 + x1) + 0.5 * (x1 - x0) * NODES
    y = 0.5 * (y0 + y1) + 0.5 * (y1 - y0) * NODES
    shape = (len(boxes), len(NODES), len(NODES))
    points = np.stack(
        [np.broadcast_to(x[:, :, None], shape), np.broadcast_to(y[:, None, :], shape)], axis=-1
    )
    with np.errstate(all="ignore"):
        f, noise = integrand(points)
    area = 0.25 * ((x1 - x0) * (y1 - y0))[:, 0]

    def weigh(values: Array, rule: Array) -> Array:
        return area * np.einsum("bij,i,j->b", values, rule, rule, optimize=True)

    value, absolute = weigh(f, KRONROD), weigh(np.abs(f), KRONROD)
    rough = np.abs(value - weigh(f, GAUSS))
    mean = value / (4 * area)
    spread = weigh(np.abs(f - mean[:, None, None]), KRONROD)
    with np.errstate(all="ignore"):  # QUADPACK's reading of the difference of the two rules
        sharp = spread * np.minimum(1.0, (200 * rough / spread) ** 1.5)
    return value, np.where(spread > 0, sharp, rough), absolute, weigh(noise, KRONROD)


def _boxes(p: Spatial, q: Spatial, far: list[Bump]) -> Array:
    """Return boxes that tile the reach of both laws and of the bumps, as narrow as these are."""
    means = np.stack([*p.means, *q.means, *(bump.mean for bump in far)])
    covariances = np.stack([*p.covariances, *q.covariances, *(bump.covariance for bump in far)])
    reach = REACH * np.sqrt(np.einsum("kii->ki", covariances))
    width = WIDTH * np.sqrt(np.linalg.eigvalsh(covariances)[:, 0])
    low, high = (means - reach).min(axis=0), (means + reach).max(axis=0)
    boxes = np.array([[low[0], high[0], low[1], high[1]]])
    done = []
    while len(boxes):
        apart_x = np.maximum(boxes[:, :1] - means[:, 0], means[:, 0] - boxes[:, 1:2])
        apart_y = np.maximum(boxes[:, 2:3] - means[:, 1], means[:, 1] - boxes[:, 3:])
        touched = (apart_x < reach[:, 0]) & (apart_y < reach[:, 1])
        allowed = np.where(touched, width, np.inf).min(axis=1)
        side = np.maximum(boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 2])
        wide = (side > allowed) & touched.any(axis=1)
        done.append(boxes[~wide & touched.any(axis=1)])
        if sum(map(len, done)) > MAX_BOXES:
            raise GantheoryError(
                f"{p} and {q} need more than {MAX_BOXES} boxes in the plane; use method='monte "
                "carlo', or fewer or wider modes"
            )
        boxes = _quarters(boxes[wide]) if wide.any() else boxes[:0]
    return np.concatenate(done)


def divergence_of_masses(kernel: Kernel, p: Discrete, q: Discrete) -> Estimate:
    """Return a divergence of two laws on 0, 1, 2, ... as a finite sum."""
    size = max(len(p.masses), len(q.masses))
    k = np.arange(size)
    log_p, log_q = p.logpdf(k), q.logpdf(k)
    u = _log_quotients(p.shares(size), q.shares(size))
    alive = ~(np.isneginf(log_p) & np.isneginf(log_q))
    log_p, log_q, u = log_p[alive], log_q[alive], u[alive]
    unbounded = kernel.at_infinity.power > 1 or kernel.at_infinity.logs
    if np.any(np.isneginf(log_q)) and kernel.singular_p and unbounded:
        return Estimate.infinite("p has mass on a point where q = 0")
    if np.any(np.isneginf(log_p)) and not kernel.at_zero.is_finite:
        return Estimate.infinite("q has mass on a point where p = 0")
    with np.errstate(all="ignore"):
        n = Ratio.of(log_p, log_q, u)
        weight, mantissa = kernel.value(n)
        lost = float(terms_at_levels(kernel, n).sum())
        terms = np.where(np.isneginf(weight), 0.0, np.exp(weight) * mantissa)
    # u is rounded from itself alone, and a weight from its logarithms
    logs = np.abs(np.where(np.isfinite(weight), weight, 0.0))
    error = EPS * float(np.sum(np.abs(terms) * (8 + 4 * logs)))
    value = math.fsum(terms)
    careful = error <= 1e-12 * abs(value) or not value
    found = Estimate(
        value,
        error,
        Status.OK if careful else Status.ILL_CONDITIONED,
        "finite sum",
        None if careful else "terms of both signs cancel",
        evaluations=len(terms),
    )
    return with_ties(found, lost)


def _log_quotients(p: list[Fraction], q: list[Fraction]) -> Array:
    """Return log(p/q) of exact shares, from their exact difference where they are close."""
    return np.array([_log_quotient(a, b) for a, b in zip(p, q, strict=True)])


def _log_quotient(a: Fraction, b: Fraction) -> float:
    if not a or not b:
        return math.inf if a else -math.inf if b else math.nan
    close = float((a - b) / b) if 2 * abs(a - b) < b else None
    return math.log(float(a)) - math.log(float(b)) if close is None else math.log1p(close)
