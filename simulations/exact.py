r"""The exact divergence between data and a trained generator, integrated through its density.

Both integrals take the two halves of

.. math:: JSD = \tfrac12 E_p\log\frac{2p}{p+q} + \tfrac12 E_q\log\frac{2q}{p+q} .
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gantheory.densities import Density, parse_density
from gantheory.densities.inherited import of_family
from gantheory.densities.normal import Normal
from gantheory.densities.plane import NormalNd, Spatial
from gantheory.errors import GantheoryError
from gantheory.integrals.line.quadrature import GAUSS, KRONROD, NODES
from gantheory.records import Estimate
from simulations.data import as_density, bulk, quantile
from simulations.flows import Flow
from simulations.networks import Affine, Mlp, Network
from simulations.pushforward import REACH, GeneratorLaw

Array = NDArray[np.float64]

LOG2 = math.log(2)


def normal_law(network: Network, row: Tensor) -> Density:
    """Return the exact law of a generator that is affine in z: a normal, in any dimension.

    x = loc + scale·z for an `Affine`; x = Wz + b, with covariance WWᵀ, for an `Mlp` of one layer.
    With it `gantheory.divergence` and `gantheory.integrals.transport.distances.w2` have closed
    forms.

    Raises:
        GantheoryError: for another network, or a covariance that is singular.

    >>> print(normal_law(Affine(), torch.tensor([1.0, -2.0])))
    normal(1, 2)
    """
    row = row.detach().cpu().double()
    if isinstance(network, Affine):
        loc, factor = row[: network.dim], torch.diag(row[network.dim :])
    elif isinstance(network, Mlp) and len(network.sizes) == 2 and network.output == "identity":
        weight, bias = network.matrices(row[None])
        loc, factor = bias[0, 0], weight[0].T
    else:
        raise GantheoryError(
            f"{network} is not affine, so its law is no normal; use its Pushforward on the line, "
            "a Flow in the plane, or two-sample tests"
        )
    covariance = (factor @ factor.T).numpy()
    if len(loc) == 1:
        return Normal(float(loc), math.sqrt(covariance[0, 0]))
    # Rounding must not make it asymmetric.
    return NormalNd(tuple(loc.tolist()), tuple(map(tuple, (covariance + covariance.T) / 2)))


def jsd_on_line(p: Density | str, law: GeneratorLaw) -> Estimate:
    """Return JSD(P, law of g(z)) in nats by adaptive quadrature: P's half in x, Q's half in z.

    In z nothing is sharp where g is nearly constant and q nearly an atom. Both lines are cut where
    q has poles: in x at the images of g's turns, in z at whatever g sends there too. Between cuts
    a < b runs a + (b − a)s²(3 − 2s), which makes roots and their inverses at either end smooth in
    s, and panels in s are halved until their Gauss-Kronrod errors are met.
    """
    data = as_density(p)

    def of_p(x: Array) -> Array:
        log_p = np.asarray(data.logpdf(x))
        return np.exp(log_p) * _gain(log_p - law.logpdf(x))

    def of_q(z: Array) -> Array:
        x, slope = law(z)
        with np.errstate(divide="ignore"):
            own = -(z**2) / 2 - _LOG_ROOT - np.log(np.abs(slope))
        # At least what this z itself gives: +inf on an atom, where x's preimages are not told.
        log_q = np.fmax(own, law.logpdf(x))
        return np.exp(-(z**2) / 2 - _LOG_ROOT) * _gain(log_q - np.asarray(data.logpdf(x)))

    poles = law.value(law.turns)
    even = np.linspace(-REACH, REACH, 31)
    in_x = np.concatenate([poles, law.value(even), quantile(data, _LEVELS), bulk(data, 1e-15)])
    in_z = np.concatenate([law.turns, law.preimages(poles)[1], even])
    halves = [_adaptive(of_p, in_x), _adaptive(of_q, in_z)]
    value, error = (sum(half[k] for half in halves) / 2 for k in (0, 1))
    count = int(sum(half[2] for half in halves))
    return Estimate(value, error + _CUT, method="quadrature, exact density", evaluations=count)


_CUT = 1e-14  # the mass of either law beyond the outermost cuts, at log 2 nats each, and rounding
_LOG_ROOT = math.log(2 * math.pi) / 2
_LEVELS = np.linspace(0, 1, 17)[1:-1]


def _gain(log_ratio: Array) -> Array:
    """Return log(2p/(p+q)) from log(p/q); 0 where neither law is."""
    return np.asarray(np.where(np.isnan(log_ratio), 0.0, LOG2 - np.logaddexp(0, -log_ratio)))


_TARGET = 1e-9  # nats, for all panels together
_ROUNDS = 24  # of halving


def _adaptive(function: Callable[[Array], Array], cuts: Array) -> tuple[float, float, int]:
    """Return the integral over the finite ``cuts``, its error and how many evaluations it took."""
    cuts = np.unique(cuts[np.isfinite(cuts)])
    start, width = cuts[:-1], np.diff(cuts)
    low, high = np.zeros(len(start)), np.ones(len(start))
    allowed = _TARGET / (16 * len(start))
    value = error = 0.0
    count = 0
    for turn in range(_ROUNDS):
        half = (high - low) / 2
        s = (low + half)[:, None] + half[:, None] * NODES
        x = start[:, None] + width[:, None] * (s * s * (3 - 2 * s))
        f = function(x.ravel()).reshape(s.shape) * 6 * s * (1 - s) * width[:, None]
        count += s.size
        by_panel, errors = (f @ KRONROD) * half, np.abs(f @ (KRONROD - GAUSS)) * half
        bad = (errors > allowed) & (turn < _ROUNDS - 1)
        value, error = value + by_panel[~bad].sum(), error + errors[~bad].sum()
        if not bad.any():
            break
        middle = (low + high)[bad] / 2
        start, width = np.tile(start[bad], 2), np.tile(width[bad], 2)
        low, high = np.concatenate([low[bad], middle]), np.concatenate([middle, high[bad]])
    return float(value), float(error), count


def jsd_in_plane(p: Density | str, flow: Flow, row: Tensor, target: float = 1e-4) -> Estimate:
    """Return JSD(P, law of one member's flow) in nats by the trapezoid, for P a sum of normals.

    Each half is an expectation under normals, of z for the flow and of each part of P, where the
    trapezoid converges geometrically if the integrand is smooth. Its steps are halved, from 1/4
    to 1/32, until the four interlaced grids of twice the step agree to ``target``; how far any
    of them lies from their mean is the stated error.
    """
    data = parse_density(p)
    if not of_family(data, Spatial) or data.dim != 2 or flow.dim != 2:
        raise GantheoryError(f"{data} and a flow in {flow.dim} dimensions: both must be planar")
    row = row.detach().cpu().double()
    estimate = Estimate.undetermined("the flow's density is not finite")
    for per_unit in (4, 8, 16, 32):
        means, count = _grid_means(data, flow, row, per_unit)
        if not np.isfinite(means).all():
            return estimate
        error = float(np.abs(means - means.mean()).max()) + _CUT
        method = f"trapezoid of step 1/{per_unit}, exact density"
        estimate = Estimate(float(means.mean()), error, method=method, evaluations=count)
        if error <= target:
            break
    return estimate


def _grid_means(data: Spatial, flow: Flow, row: Tensor, per_unit: int) -> tuple[Array, int]:
    """Return the JSD by each of the four grids of step 2/per_unit, and the points in all."""
    z, weights = _normal_grid(per_unit)
    result = np.zeros(4)
    with torch.no_grad():
        made = flow(row[None], torch.from_numpy(z)[None])[0].numpy()
    points = [(0.5, made, -1.0)]
    for share, mean, factor in zip(data.weights, data.means, data.factors, strict=True):
        points.append((share / 2, mean + z @ factor.T, 1.0))
    for share, x, sign in points:
        with torch.no_grad():
            log_q = flow.log_density(row, torch.from_numpy(x)).numpy()
        with np.errstate(invalid="ignore"):
            gain = _gain(sign * (data.logpdf(x) - log_q))
        result += share * (weights @ gain)
    return result, len(points) * len(z)


def _normal_grid(per_unit: int) -> tuple[Array, Array]:
    """Return points of a square grid within 8.5 of 0, and each interlaced grid's weights (4, n)."""
    line = np.arange(-9 * per_unit, 9 * per_unit + 1)
    i, j = (index.ravel() for index in np.meshgrid(line, line))
    near = i**2 + j**2 <= (8.5 * per_unit) ** 2  # the mass beyond is exp(-36) = 2e-16
    i, j = i[near], j[near]
    z = np.stack([i, j], axis=1) / per_unit
    weights = np.exp(-(z**2).sum(axis=1) / 2)
    grids = np.stack([(i % 2 == a) & (j % 2 == b) for a in (0, 1) for b in (0, 1)]) * weights
    return z, grids / grids.sum(axis=1, keepdims=True)
