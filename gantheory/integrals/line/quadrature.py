"""Adaptive Gauss-Kronrod quadrature of many scaled integrands at once, on panels.

An integrand is exp(log weight)·mantissa. Each panel is summed relative to its own largest weight,
so a value of 1e-300, or of exp(-5000), has as many digits as any other, and a peak that a panel's
nodes found is not lost when the nodes of its halves step over it. The stated error is that of the
rule, plus what the cut tails may hold, plus rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gantheory.densities.base import Array
from gantheory.integrals.line.panels import Panels
from gantheory.rounding import EPS

# Gauss-Kronrod 31 on [-1, 1]: nodes and weights from the zeros of Legendre's and Stieltjes'
# polynomials at 60 digits; 31 nodes settle most panels without a second round.
_NODES = np.array([
    0.99800229869339706029, 0.98799251802048542849, 0.96773907567913913426,
    0.93727339240070590431, 0.89726453234408190088, 0.84820658341042721620,
    0.79041850144246593297, 0.72441773136017004742, 0.65099674129741697053,
    0.57097217260853884754, 0.48508186364023968069, 0.39415134707756336990,
    0.29918000715316881217, 0.20119409399743452230, 0.10114206691871749903, 0.0,
])  # fmt: skip
_KRONROD = np.array([
    0.0053774798729233489878, 0.015007947329316122538, 0.025460847326715320187,
    0.035346360791375846222, 0.044589751324764876608, 0.053481524690928087265,
    0.062009567800670640285, 0.069854121318728258710, 0.076849680757720378894,
    0.083080502823133021038, 0.088564443056211770647, 0.093126598170825321225,
    0.096642726983623678505, 0.099173598721791959332, 0.10076984552387559504,
    0.10133000701479154902,
])  # fmt: skip
_GAUSS = np.array([
    0.030753241996117268355, 0.070366047488108124709, 0.10715922046717193501,
    0.13957067792615431445, 0.16626920581699393355, 0.18616100001556221103,
    0.19843148532711157646, 0.20257824192556127288,
])  # fmt: skip
NODES = np.concatenate([-_NODES, _NODES[-2::-1]])
FROM_LOW = np.concatenate([1 - _NODES, 1 + _NODES[-2::-1]])
KRONROD = np.concatenate([_KRONROD, _KRONROD[-2::-1]])
_WIDE = np.zeros(16)
_WIDE[1::2] = _GAUSS
GAUSS = np.concatenate([_WIDE, _WIDE[-2::-1]])


def _null_rules(degrees: range) -> Array:
    """Return weights that leave of a panel's interpolant its Legendre coefficients of degrees.

    Each sums to 2 in absolute value, as the rules do (Berntsen & Espelid, Error estimation in
    automatic quadrature routines, ACM Trans. Math. Softw. 17, 1991).
    """
    rows = np.linalg.inv(np.polynomial.legendre.legvander(NODES, len(NODES) - 1))[list(degrees)]
    return np.asarray(2 * rows / np.abs(rows).sum(axis=1, keepdims=True)).T


LOWER, UPPER = _null_rules(range(19, 23)), _null_rules(range(27, 31))

MAX_PANELS = 6000
MAX_ROUNDS = 70
STEEP = 1e3  # the log weight of a panel that changes by more may rise to a peak between its nodes
HIDDEN = 46.0  # exp(-46) = 1e-20: what is less does not count
UNBOUNDED = 1e300  # in the place of a rounding error that overflows
TARGET = 1e-14  # of the integral of the absolute value; what is reached is often ten times less


class OneIntegrand:
    """A sampler of a single integrand."""

    @property
    def outputs(self) -> tuple[None]:
        """One."""
        return (None,)


@dataclass(frozen=True)
class NodeSamples:
    """Several integrands at one set of nodes, each of shape (outputs, panels, nodes).

    ``noise`` bounds the relative rounding error of each sample, and ``unsure`` what a mantissa
    may be off by beside that, where anything is; ``lost`` marks those that are not known at all.
    """

    log_weight: Array
    mantissa: Array
    noise: Array
    unsure: Array | None = None
    lost: Array | None = None


@dataclass(frozen=True)
class Sums:
    """Integrals, each relative to exp(``shift``): value, rule error, rounding, ∫abs.

    ``lost`` is the part of ∫abs that comes from samples which are not known at all.
    """

    value: Array
    error: Array
    rounding: Array
    absolute: Array
    lost: Array
    shift: Array
    evaluations: int
    converged: bool


Sampler = Callable[[Panels, Array, Array], NodeSamples]  # at ξ, and what rounding took from it


def integrate(sample: Sampler, panels: Panels) -> Sums:
    """Return the integrals of every output of ``sample`` over all ``panels``."""
    parts, scale, apex = _rule(sample, panels)
    evaluations = len(NODES) * len(panels)
    converged = False
    for _ in range(MAX_ROUNDS):
        bad = _unfinished(parts, scale, apex)
        converged = not bad.any()
        if converged or len(panels) > MAX_PANELS:
            break
        index, kept = np.nonzero(bad)[0], np.nonzero(~bad)[0]
        halves = panels.halves(index)
        fresh = _rule(sample, halves)
        parts = np.concatenate([parts[:, :, kept], fresh[0]], axis=2)
        scale, apex = (
            np.concatenate([old[:, kept], new], axis=1)
            for old, new in zip((scale, apex), fresh[1:], strict=True)
        )
        panels = panels.take(kept).joined(halves)
        evaluations += len(NODES) * len(halves)
    shift = _largest(scale)
    with np.errstate(all="ignore"):
        sums = (parts * np.exp(scale - shift[:, None])).sum(axis=2)
    value, error, rounding, absolute, lost = sums
    return Sums(value, error, rounding, absolute, lost, shift, evaluations, converged)


def shares(sample: Sampler, panels: Panels) -> Array:
    """Return which part of an integral of the absolute value a panel holds: of any the largest."""
    parts, scale, _ = _rule(sample, panels)
    with np.errstate(all="ignore"):
        held = parts[3] * np.exp(scale - _largest(scale)[:, None])
        part = held / held.sum(axis=1, keepdims=True)
    return np.asarray(np.nan_to_num(part, posinf=0.0).max(axis=0, initial=0.0))


def _largest(scale: Array) -> Array:
    """Return the largest scale of each output, 0 where all its panels hold nothing."""
    shift = scale.max(axis=1, initial=-np.inf)
    return np.where(np.isfinite(shift), shift, 0.0)


def _rule(sample: Sampler, panels: Panels) -> tuple[Array, Array, Array]:
    """Return (value, error, rounding, absolute, lost) by output and panel, with scale and apex."""
    half = 0.5 * (panels.high - panels.low)
    low, step = panels.low[:, None], half[:, None] * FROM_LOW
    xi = low + step
    got = sample(panels, xi, (low - xi) + step)
    # a weight whose integrand is 0 sets no scale: beside it the others would be subnormal
    counts = got.mantissa != 0 if got.unsure is None else (got.mantissa != 0) | (got.unsure > 0)
    scale = np.fmax.reduce(np.where(counts, got.log_weight, -np.inf), axis=2)
    with np.errstate(all="ignore"):  # what is not finite ends as an undetermined answer
        above = got.log_weight - np.where(np.isfinite(scale), scale, 0.0)[:, :, None]
        size = np.exp(np.where(counts, above, np.minimum(above, 0.0)))
        f = np.where(size > 0, size * got.mantissa, 0.0)
        magnitude = np.abs(f)
        kronrod = f @ KRONROD
        absolute = magnitude @ KRONROD
        error = rule_error(f, kronrod)
        rounding = np.where(f != 0, magnitude * got.noise, 0.0) @ KRONROD
        if got.unsure is not None:
            rounding += np.where(size > 0, size * got.unsure, 0.0) @ KRONROD
        rounding = np.minimum(rounding, UNBOUNDED)  # so that no weight is too small to undo it
        lost = np.zeros_like(absolute)
        if got.lost is not None:
            lost = np.where(got.lost, magnitude, 0.0) @ KRONROD
        top = np.fmax.reduce(got.log_weight, axis=2)
        apex = _apex(got.log_weight, top)
        apex = np.where(apex > top, apex, scale)
        length = np.log(half)
    return np.stack([kronrod, error, rounding, absolute, lost]), scale + length, apex + length


def rule_error(f: Array, kronrod: Array) -> Array:
    """Return the error of the rule for samples on [−1, 1], one panel a row.

    It is QUADPACK's reading of the difference of the two rules, whose power 3/2 takes Legendre's
    coefficients to fall geometrically; those of a faint weak singularity on a smooth ground, as
    1 + 1e-6·x·log x, do not, so it is no less than how slowly they are seen to fall.
    """
    spread = np.abs(f - 0.5 * kronrod[..., None]) @ KRONROD
    apart = np.abs(kronrod - f @ GAUSS)
    lower, upper = (np.abs(f @ rules).sum(axis=-1) for rules in (LOWER, UPPER))
    with np.errstate(all="ignore"):
        sharp = spread * np.minimum(1.0, (200 * apart / spread) ** 1.5)
        slow = 3 * upper * np.where(upper < lower, upper / lower, 1.0)
    return np.where(spread > 0, np.maximum(sharp, slow), apart)


def _apex(log_weight: Array, scale: Array) -> Array:
    """Return how high the log weight may rise between nodes, where it is as steep as a peak.

    It is the vertex of the parabola through the highest node and its two neighbours.
    """
    steep = scale - np.min(log_weight, axis=2) > STEEP
    apex = scale.copy()
    if steep.any():
        tall = log_weight[steep]
        top = np.clip(np.argmax(tall, axis=1), 1, len(NODES) - 2)[:, None] + [-1, 0, 1]
        x, y = NODES[top], np.take_along_axis(tall, top, axis=1)
        first, second = np.diff(y, axis=1).T / np.diff(x, axis=1).T
        bend = (second - first) / (x[:, 2] - x[:, 0])
        at = 0.5 * (x[:, 0] + x[:, 1]) - first / (2 * bend)
        vertex = y[:, 1] - bend * (x[:, 1] - at) ** 2
        found = (bend < 0) & (np.abs(at) < 1) & (vertex > y.max(axis=1) + 1)
        apex[steep] = np.where(found, vertex, apex[steep])
    return apex


def _unfinished(parts: Array, scale: Array, apex: Array) -> Array:
    """Return which panels hold more error than their share, or may hide a peak, in any output."""
    shift = _largest(scale)[:, None]
    with np.errstate(all="ignore"):
        _, error, rounding, absolute, _ = parts * np.exp(scale - shift)
        total = absolute.sum(axis=1, keepdims=True)
        share = TARGET * total / np.sqrt(parts.shape[2])
        allowed = np.maximum(share, np.maximum(60 * EPS * absolute, rounding))
        hidden = (apex > scale) & (apex > shift - HIDDEN)
    return np.asarray(((error > allowed) | hidden).any(axis=0))
