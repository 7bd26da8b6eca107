r"""MMD² and energy of laws of counts from their characteristic functions, however wide they are.

.. math:: \mathrm{MMD}^2 = \frac1\pi\int_0^\pi |\varphi_p(t)-\varphi_q(t)|^2 K(t)\,dt,\qquad
   K(t) = \sum_m k(m)\cos mt,

and the energy distance is the same with :math:`K(t) = 1/(1 - \cos t)`. With :math:`z = 1 - e^{it}`
and :math:`\varphi = e^{-g}`, :math:`g = \lambda z` for Poisson, :math:`r\log(1 + z(1-p)/p)` for
negative binomial and :math:`-n\log(1-pz)` for binomial laws. That of a Zipf law is a
polylogarithm: :math:`\Gamma(s)\zeta(s)\varphi = \int_0^\infty x^{s-1}/(e^{x-it}-1)\,dx`, whose
trapezoidal sum in log x converges geometrically.

Source: A. Gretton et al. (2012), Journal of Machine Learning Research 13; for the integral NIST
Digital Library of Mathematical Functions 25.12.11.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy import special

from gantheory.densities.base import Array, Density
from gantheory.densities.counts import Binomial, Counts, Failures, Poisson, Zipf, zeta_of
from gantheory.densities.discrete import Discrete
from gantheory.densities.inherited import of_family
from gantheory.errors import unknown_name
from gantheory.integrals.counting.terms import window_of
from gantheory.integrals.line.quadrature import FROM_LOW, KRONROD, rule_error
from gantheory.integrals.transport.ladders import sum_estimate
from gantheory.integrals.transport.radial import RadialKernel
from gantheory.records import Estimate
from gantheory.rounding import EPS
from gantheory.wrt import split_parameter

SMOOTH = (Poisson, Failures, Binomial)  # with an exponent g
FEW = 1 << 12  # masses of a discrete law, of which the sum is written out
NARROW = 0.02  # bandwidths below this make of a slowly falling kernel too many terms
STEP = 0.14  # in log x
STEEP = 8.0  # exponents from which on a Zipf law has few masses that count
CHUNK = 1 << 20
TARGET = 1e-15
MOST = 1 << 18  # panels
ROUNDS = 60
Samples = tuple[Array, Array]  # values, and bounds on their errors


def has_waves(p: Density, q: Density, kernel: RadialKernel, bandwidth: float) -> bool:
    """Whether the characteristic functions of the laws, and the kernel's, are known."""
    few = [of_family(law, Discrete) and len(law.masses) <= FEW for law in (p, q)]
    named = [any(of_family(law, kind) for kind in (*SMOOTH, Zipf)) for law in (p, q)]
    slow = kernel.name == "imq" and bandwidth < NARROW
    return not slow and any(named) and all(a or b for a, b in zip(few, named, strict=True))


def mmd2_by_waves(
    p: Counts | Discrete,
    q: Counts | Discrete,
    kernel: RadialKernel,
    bandwidth: float,
    wrt: str | None = None,
) -> Estimate:
    """Return MMD² of two different laws, or its derivative.

    >>> from gantheory.densities import density
    >>> from gantheory.integrals.transport.radial import KERNELS
    >>> p, q = density("geometric(1e-9)"), density("geometric(2e-9)")
    >>> float(f"{mmd2_by_waves(p, q, KERNELS['laplacian'], 1.0).value:.10g}")
    3.606589022e-10
    """
    spectrum = partial(_spectrum, kernel.name, bandwidth)
    return _by_waves(p, q, spectrum, bandwidth, wrt)


def energy_by_waves(p: Density, q: Density, wrt: str | None = None) -> Estimate:
    """Return the energy distance of two different smooth laws, or its derivative.

    >>> from gantheory.densities import density
    >>> p, q = density("geometric(1e-9)"), density("geometric(2e-9)")
    >>> float(f"{energy_by_waves(p, q).value:.9g}")  # of exponential laws 1e9/6
    166666667.0
    """
    return _by_waves(p, q, lambda t: 0.5 / np.sin(t / 2) ** 2, 1.0, wrt)


def are_smooth(*laws: Density) -> bool:
    """Whether the laws are of those whose characteristic functions have an exponent g."""
    return all(any(of_family(law, kind) for kind in SMOOTH) for law in laws)


def _by_waves(
    p: Any, q: Any, spectrum: Callable[[Array], Array], width: float, wrt: str | None
) -> Estimate:
    reach = [1e16 if of_family(law, Zipf) else window_of(law)[1] for law in (p, q)]
    low = 1e-9 / max(1.0, width, *reach)
    edges = np.append(np.exp(np.arange(math.log(low), math.log(math.pi), math.log(2))), math.pi)
    f = partial(_integrand, p, q, spectrum, wrt)
    value, error = _integrated(f, edges)
    first = np.abs(f(np.array([[low]]))[0]).item()  # which grows with t there, or is constant
    value, error = value / math.pi, (error + 4 * low * first) / math.pi
    return sum_estimate(max(value, 0.0) if wrt is None else value, error + 4 * EPS * abs(value))


def _integrand(
    p: Density, q: Density, spectrum: Callable[[Array], Array], wrt: str | None, t: Array
) -> Samples:
    """Return abs(φ_p − φ_q)² K, or its derivative, and bounds on the errors."""
    apart, noise = _apart(p, q, t)
    size, height = np.abs(apart), spectrum(t)
    if wrt is None:
        return size**2 * height, (2 * size + noise) * noise * height + 8 * EPS * size**2 * height
    side, name = split_parameter(wrt)
    speed, off = _speed(p if side == "p" else q, name, t)
    sign = 2.0 if side == "p" else -2.0
    lost = np.abs(speed) * (noise + 8 * EPS * size) + off * (size + noise)
    return sign * (apart.conj() * speed).real * height, 2 * lost * height


def _apart(p: Density, q: Density, t: Array) -> tuple[Array, Array]:
    """Return φ_p − φ_q, which keeps its digits for relatives, and bounds on the errors."""
    if not are_smooth(p, q):
        (one, off), (other, more) = _wave(p, t), _wave(q, t)
        return one - other, off + more
    z = _circle(t)
    with np.errstate(all="ignore"):
        ours, theirs = _exponent(p, z), _exponent(q, z)
        change, size = _change(p, q, z, ours, theirs)
        (one, off), (other, more) = _wave(p, t), _wave(q, t)
        near = np.abs(change) < 1
        small = other * np.expm1(np.where(near, change, 0.0))
        lost = np.abs(other) * 4 * EPS * size + np.abs(small) * EPS * (8 + np.abs(theirs))
    lost = np.where(np.abs(other) > 0, lost, 0.0)
    return np.where(near, small, one - other), np.where(near, lost, off + more)


def _circle(t: Array) -> Array:
    """Return 1 − e^(it)."""
    return 2 * np.sin(t / 2) ** 2 - 1j * np.sin(t)


def _log1p(w: Array) -> Array:
    """Return log(1 + w), whose modulus keeps its digits for small w."""
    x, y = w.real, w.imag
    return 0.5 * np.log1p(x * (2 + x) + y * y) + 1j * np.arctan2(y, 1 + x)


def _exponent(law: Any, z: Array) -> Array:
    if of_family(law, Poisson):
        return np.asarray(law.rate * z)
    if of_family(law, Failures):
        return np.asarray(law.successes * _log1p((1 - law.p) / law.p * z))
    return np.asarray(-law.n * _log1p(-law.p * z))


def _change(p: Any, q: Any, z: Array, ours: Array, theirs: Array) -> tuple[Array, Array]:
    """Return g_q − g_p, and the size of what it was summed from."""
    if of_family(p, Poisson) and of_family(q, Poisson):
        change = (q.rate - p.rate) * z
        return change, np.abs(change)
    if of_family(p, Failures) and of_family(q, Failures):
        one, other, base = p.successes, q.successes, (1 - p.p) / p.p
        moved = other * _log1p((p.p - q.p) / (p.p * q.p) * z / (1 + base * z))
    elif of_family(p, Binomial) and of_family(q, Binomial):
        one, other = p.n, q.n
        moved = -other * _log1p((p.p - q.p) * z / (1 - p.p * z))
    else:
        return theirs - ours, np.abs(theirs) + np.abs(ours)
    more = (other / one - 1) * ours if other != one else np.zeros_like(ours)
    return moved + more, np.abs(moved) * 4 + np.abs(more)


def _wave(law: Any, t: Array) -> tuple[Array, Array]:
    """Return φ, and bounds on its errors."""
    if of_family(law, Discrete):
        k = np.arange(len(law.masses))
        found, off = _summed(lambda t: np.exp(1j * k * t), t, np.asarray(law.masses, float))
        return found, off + EPS * len(k) * t
    if of_family(law, Zipf):
        return _polylogarithm(law.exponent, t)
    with np.errstate(all="ignore"):
        g = _exponent(law, _circle(t))
        found = np.where(g.real < 745, np.exp(-g), 0.0)
        off = np.where(found != 0, EPS * (4 + 2 * np.abs(g)) * np.abs(found), 0.0)
    return found, off


def _polylogarithm(s: float, t: Array, slope: bool = False) -> tuple[Array, Array]:
    """Return φ of a Zipf law, or its derivative in the exponent, and bounds on the errors."""
    log_zeta, moved = zeta_of(s)
    if s >= STEEP:
        k = np.arange(1.0, 10 ** (20 / s) + 2)
        weight, rate = k**-s * math.exp(-log_zeta), -np.log(k) - moved
        return _summed(lambda t: np.exp(1j * k * t), t, weight * (rate if slope else 1.0))
    y = STEP * np.arange((math.log(t.min()) - 80 / s) // STEP, math.log(100.0) // STEP)
    x = np.exp(y)
    weight = STEP * np.exp(s * y - x - special.gammaln(s) - log_zeta)
    rate = y - special.digamma(s) - moved
    below = -np.expm1(-x)
    # e^(−it) − e^(−x), of which neither difference from 1 loses digits
    return _summed(lambda t: 1 / (below - _circle(t).conj()), t, weight * (rate if slope else 1.0))


def _summed(terms: Callable[[Array], Array], t: Array, weights: Array) -> tuple[Array, Array]:
    """Return weighted sums of terms at every t, and bounds on their rounding errors."""
    flat, rows, found, size = t.ravel(), max(CHUNK // len(weights), 1), [], []
    for at in range(0, len(flat), rows):
        part = terms(flat[at : at + rows, None])
        found.append(part @ weights)
        size.append(np.abs(part) @ np.abs(weights))
    noise = 32 * EPS * np.concatenate(size)
    return np.concatenate(found).reshape(t.shape), noise.reshape(t.shape)


def _speed(law: Any, name: str, t: Array) -> tuple[Array, Array]:
    """Return the derivative of φ in a parameter, and bounds on its errors."""
    if of_family(law, Zipf) and name == "exponent":
        return _polylogarithm(law.exponent, t, slope=True)
    z = _circle(t)
    with np.errstate(all="ignore"):
        if of_family(law, Poisson) and name == "rate":
            rate = z
        elif of_family(law, Failures) and name == "p":
            rate = -law.successes / law.p * z / (law.p + (1 - law.p) * z)
        elif of_family(law, Failures) and name == "r" and name in law.parameters:
            rate = _log1p((1 - law.p) / law.p * z)
        elif of_family(law, Binomial) and name == "p":
            rate = law.n * z / (1 - law.p * z)
        else:
            raise unknown_name(f"parameter of {law}:", name, law.parameters)
        wave, off = _wave(law, t)
        return -wave * rate, (off + 16 * EPS * np.abs(wave)) * np.abs(rate)


def _spectrum(name: str, h: float, t: Array) -> Array:
    """Return Σ_m k(m) cos(mt) over the whole numbers."""
    if name == "laplacian":
        decay = math.exp(-1 / h)
        return np.asarray(
            -math.expm1(-2 / h) / (math.expm1(-1 / h) ** 2 + 4 * decay * np.sin(t / 2) ** 2)
        )
    if name == "gaussian" and h < 0.5:
        m = np.arange(1, 8)
        return np.asarray(1 + 2 * np.cos(t[..., None] * m) @ np.exp(-((m / h) ** 2) / 2))
    images = 3 if name == "gaussian" else int(45 / (2 * math.pi * h)) + 1
    total = np.zeros_like(t)
    for j in range(-images, images + 1):
        x = h * np.abs(t + 2 * math.pi * j)
        total += math.sqrt(2 * math.pi) * np.exp(-x * x / 2) if name == "gaussian" else (
            2 * special.k0(x)
        )  # fmt: skip
    return h * total


def _integrated(f: Callable[[Array], Samples], edges: Array) -> tuple[float, float]:
    """Return the integral between the edges, by rules on panels that are halved where needed."""
    low, high = edges[:-1], edges[1:]
    value, error, size = [0.0], 0.0, 0.0
    for _ in range(ROUNDS):
        half = (high - low) / 2
        y, off = f(low[:, None] + half[:, None] * FROM_LOW)
        found, rounding = y @ KRONROD, off @ KRONROD
        each = half * (np.abs(y) @ KRONROD)
        doubt = half * rule_error(y, found)
        total = max(size + float(np.sum(each)), 1e-300)
        allowed = np.maximum(TARGET * total / math.sqrt(len(low)), 60 * EPS * each)
        done = doubt <= np.maximum(allowed, half * rounding)
        value.append(math.fsum((half * found)[done]))
        error += float(np.sum((doubt + half * rounding)[done]))
        size += float(np.sum(each[done]))
        middle = ((low + high) / 2)[~done]
        low, high = np.append(low[~done], middle), np.append(middle, high[~done])
        if not len(low):
            return math.fsum(value), error
        if len(low) > MOST:
            break
    return math.nan, math.inf
