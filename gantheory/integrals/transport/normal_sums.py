r"""MMD² of sums of many normal laws on the line: all pairs of components at once, in binary64.

With d the distance of two components' means and v the sum of their variances,

.. math:: E\,e^{-D^2/2h^2} = \frac{h}{\sqrt V} e^{-d^2/2V},\; V = h^2 + v,\qquad
   E\,e^{-|D|/h} = \tfrac12 e^{-d^2/2v} [\mathrm{erfcx}(a - b) + \mathrm{erfcx}(a + b)],

:math:`a = \sqrt{v/2}/h, b = |d|/\sqrt{2v}`, for D normal of mean d and variance v. As functions of
d and v both solve the heat equation :math:`\partial_v k = \tfrac12\partial_d^2 k`, of which the
derivatives are made.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from flint import acb, arb, ctx
from scipy.special import erfcx

from gantheory.densities.base import Array
from gantheory.densities.univariate import Univariate
from gantheory.integrals.plane.exactly import normal_parts
from gantheory.records import Estimate
from gantheory.rounding import EPS
from gantheory.wrt import split_parameter

SHARP = 1e-10  # relative error of an answer that is kept
DIGITS = 60
STEP = 2.0**-60  # of a derivative by a complex step, right to its square
ROWS = 1 << 21  # pairs at once
Slopes = tuple[Array, Array, Array]  # a mean kernel, and its derivatives in d and in v


def _gaussian(d: Array, v: Array, h: float) -> Slopes:
    total = h * h + v
    k = h / np.sqrt(total) * np.exp(-d * d / (2 * total))
    return k, -d / total * k, 0.5 * (d * d / total - 1) / total * k


def _laplacian(d: Array, v: Array, h: float) -> Slopes:
    a, b = np.sqrt(v / 2) / h, np.abs(d) / np.sqrt(2 * v)
    bell = np.exp(-b * b)
    with np.errstate(over="ignore", invalid="ignore"):
        near = bell * erfcx(a - b)
        far = 2 * np.exp(a * a - 2 * a * b) - bell * erfcx(b - a)
    before, beyond = np.where(b > a, far, near), bell * erfcx(a + b)
    k = 0.5 * (before + beyond)
    curved = k / (h * h) - bell * math.sqrt(2 / math.pi) / (h * np.sqrt(v))
    return k, np.sign(d) * (beyond - before) / (2 * h), 0.5 * curved


MEANS: dict[str, Callable[[Array, Array, float], Slopes]] = {
    "gaussian": _gaussian,
    "laplacian": _laplacian,
}


@dataclass(frozen=True)
class Parts:
    """Normal components: signed weights, means and variances; and how each moves."""

    weight: Array
    place: Array
    variance: Array
    moves: tuple[Array, Array, Array]

    @classmethod
    def of(cls, p: Univariate, q: Univariate, wrt: str | None) -> Parts:
        """Return the components of p − q."""
        moved, name = split_parameter(wrt) if wrt else ("", "")
        rows = []
        with ctx.workdps(DIGITS):
            for law, side, own in ((p, 1, "p"), (q, -1, "q")):
                still = normal_parts(law)
                moving = normal_parts(law, name, acb(0, STEP)) if own == moved else still
                for now, then in zip(still, moving, strict=True):
                    ours, theirs = ([w, m[0], s[0][0]] for w, m, s in (now, then))
                    values = [float(x.real.mid()) for x in ours]
                    speeds = [float((x.imag / arb(STEP)).mid()) for x in theirs]
                    rows.append([side * values[0], *values[1:], side * speeds[0], *speeds[1:]])
        w, m, s, *moves = np.array(rows).T
        return cls(w, m, s, (moves[0], moves[1], moves[2]))


def mmd2_of_normals(
    p: Univariate, q: Univariate, kernel: str, bandwidth: float, wrt: str | None = None
) -> Estimate | None:
    """Return MMD² of two sums of normals, or its derivative; None where it cancels too far."""
    parts = Parts.of(p, q, wrt)
    step = max(ROWS // len(parts.weight), 1)
    terms = []
    for start in range(0, len(parts.weight), step):
        some = slice(start, start + step)
        terms.append(_pairs(parts, some, MEANS[kernel], bandwidth, wrt is not None))
    value, error = (math.fsum(column) for column in zip(*terms, strict=True))
    if not error <= SHARP * abs(value):
        return None
    log = math.log(value) if value > 0 and wrt is None else None
    return Estimate(value, error, method="closed form", log_value=log)


def _pairs(
    parts: Parts, some: slice, mean: Callable[..., Slopes], h: float, slope: bool
) -> tuple[float, float]:
    """Return the sum over some rows of pairs, and a bound on its rounding."""
    d = parts.place[some, None] - parts.place
    v = parts.variance[some, None] + parts.variance
    weight = parts.weight[some, None]
    k, along, across = mean(d, v, h)
    away = EPS * (np.abs(parts.place[some, None]) + np.abs(parts.place))  # places are rounded
    size = np.minimum(d * d / (h * h + v) + np.abs(d) / h, 800.0) + 16
    if not slope:
        terms = weight * k * parts.weight
        noise = np.abs(weight * parts.weight) * (EPS * size * k + away * np.abs(along))
    else:
        w, m, s = (move[some, None] for move in parts.moves)
        terms = 2 * parts.weight * (w * k + weight * (m * along + s * across))
        sizes = np.abs(w) * k + np.abs(weight) * _sizes(np.abs(m), np.abs(s), k, along, d, v, h)
        noise = 2 * np.abs(parts.weight) * sizes * (EPS * size + away / np.sqrt(h * h + v))
    return float(np.sum(terms)), float(np.sum(noise + 8 * EPS * np.abs(terms)))


def _sizes(m: Array, s: Array, k: Array, along: Array, d: Array, v: Array, h: float) -> Array:
    """Return the size of what a component's moves change, before any of it cancels."""
    bell = np.exp(-d * d / (2 * v)) / np.sqrt(v)
    return np.asarray(m * (np.abs(along) + k / h) + s * (k / h + bell) / h)
