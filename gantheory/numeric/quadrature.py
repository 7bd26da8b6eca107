"""Adaptive Gauss-Kronrod quadrature of many scaled integrands at once, on panels.

An integrand is exp(log weight)·mantissa. Each output is summed relative to its own largest
weight, so a value of 1e-300, or of exp(-5000), has as many digits as any other. The stated error
is that of the rule, plus what the cut tails may hold, plus rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gantheory.densities.base import Array
from gantheory.numeric.panels import Panels

EPS = float(np.finfo(float).eps)

# Gauss-Kronrod 21: nodes and weights as in QUADPACK (Piessens et al. 1983).
_NODES = np.array([
    0.995657163025808080735527280689003, 0.973906528517171720077964012084452,
    0.930157491355708226001207180059508, 0.865063366688984510732096688423493,
    0.780817726586416897063717578345042, 0.679409568299024406234327365114874,
    0.562757134668604683339000099272694, 0.433395394129247190799265943165784,
    0.294392862701460198131126603103866, 0.148874338981631210884826001129720, 0.0,
])  # fmt: skip
_KRONROD = np.array([
    0.011694638867371874278064396062192, 0.032558162307964727478818972459390,
    0.054755896574351996031381300244580, 0.075039674810919952767043140916190,
    0.093125454583697605535065465083366, 0.109387158802297641899210590325805,
    0.123491976262065851077958109585166, 0.134709217311473325928054001771707,
    0.142775938577060080797094273138717, 0.147739104901338491374841515972068,
    0.149445554002916905664936468389821,
])  # fmt: skip
_GAUSS = np.array([
    0.066671344308688137593568809893332, 0.149451349150580593145863397657697,
    0.219086362515982043995534934228163, 0.269266719309996355091226921569469,
    0.295524224714752870173815619188769,
])  # fmt: skip
NODES = np.concatenate([-_NODES, _NODES[-2::-1]])
KRONROD = np.concatenate([_KRONROD, _KRONROD[-2::-1]])
_WIDE = np.zeros(11)
_WIDE[1::2] = _GAUSS
GAUSS = np.concatenate([_WIDE, _WIDE[-2::-1]])

MAX_PANELS = 6000
MAX_ROUNDS = 70
TARGET = 1e-14  # of the integral of the absolute value; what is reached is often ten times less


@dataclass(frozen=True)
class Samples:
    """Several integrands at one set of nodes, each of shape (outputs, panels, nodes).

    ``noise`` bounds the relative rounding error of each sample.
    """

    log_weight: Array
    mantissa: Array
    noise: Array


@dataclass(frozen=True)
class Sums:
    """Integrals, each relative to exp(``shift``): value, rule error, rounding, ∫abs."""

    value: Array
    error: Array
    rounding: Array
    absolute: Array
    shift: Array
    evaluations: int
    converged: bool


Sampler = Callable[[Panels, Array], Samples]


def integrate(sample: Sampler, panels: Panels) -> Sums:
    """Return the integrals of every output of ``sample`` over all ``panels``."""
    parts, shift = _rule(sample, panels, None)
    evaluations = 21 * len(panels)
    converged = False
    for _ in range(MAX_ROUNDS):
        bad = _unfinished(parts)
        converged = not bad.any()
        if converged or len(panels) > MAX_PANELS:
            break
        index = np.nonzero(bad)[0]
        halves = panels.halves(index)
        fresh, higher = _rule(sample, halves, shift)
        kept = parts[:, :, ~bad] * np.exp(shift - higher)[None, :, None]
        parts, shift = np.concatenate([kept, fresh], axis=2), higher
        rest = panels.take(np.nonzero(~bad)[0])
        panels = _joined(rest, halves)
        evaluations += 21 * len(halves)
    value, error, rounding, absolute = parts.sum(axis=2)
    return Sums(value, error, rounding, absolute, shift, evaluations, converged)


def _joined(a: Panels, b: Panels) -> Panels:
    fields = a.__dataclass_fields__
    return Panels(*(np.concatenate([getattr(a, f), getattr(b, f)]) for f in fields))


def _rule(sample: Sampler, panels: Panels, shift: Array | None) -> tuple[Array, Array]:
    """Return (value, error, rounding, absolute) by output and panel, and the shift used."""
    half = 0.5 * (panels.high - panels.low)
    middle = 0.5 * (panels.high + panels.low)
    got = sample(panels, middle[:, None] + half[:, None] * NODES)
    highest = np.max(got.log_weight, axis=(1, 2), initial=-np.inf)
    highest = np.where(np.isfinite(highest), highest, 0.0 if shift is None else shift)
    shift = highest if shift is None else np.maximum(highest, shift)
    with np.errstate(all="ignore"):  # what is not finite ends as an undetermined answer
        size = np.exp(got.log_weight - shift[:, None, None])
        f = np.where(size > 0, size * got.mantissa, 0.0)
        magnitude = np.abs(f)
        kronrod = f @ KRONROD
        absolute = magnitude @ KRONROD
        spread = np.abs(f - 0.5 * kronrod[..., None]) @ KRONROD
        error = np.abs(kronrod - f @ GAUSS)
        # QUADPACK's reading of the difference of the two rules
        sharp = spread * np.minimum(1.0, (200 * error / spread) ** 1.5)
        error = np.where(spread > 0, sharp, error)
        rounding = np.where(f != 0, magnitude * got.noise, 0.0) @ KRONROD
    return np.stack([kronrod, error, rounding, absolute]) * half, shift


def _unfinished(parts: Array) -> Array:
    """Return which panels hold more error than their share, in any output."""
    _, error, rounding, absolute = parts
    total = absolute.sum(axis=1, keepdims=True)
    share = TARGET * total / np.sqrt(parts.shape[2])
    allowed = np.maximum(share, np.maximum(60 * EPS * absolute, rounding))
    return np.asarray((error > allowed).any(axis=0))
