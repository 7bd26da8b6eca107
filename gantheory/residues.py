r"""Means of softplus over exponential and logistic laws, in balls.

With :math:`\varphi(z) = E[e^{zX}]`, which is 1/(1 − z) for X exponential and πz/sin(πz) for X
logistic, the k-th derivative of :math:`E[\mathrm{softplus}(u + sX)]` in u is

.. math:: M_k(u, s) = \frac{1}{2\pi i}\int_{c - i\infty}^{c + i\infty}
   e^{zu}\, z^{k-1}\, \frac{\pi}{\sin \pi z}\, \varphi(sz)\, dz, \qquad 0 < c < \min(1, 1/s).

Where u is negative the path is moved to the right: what is left of it are the residues at z = n and
z = j/s, and on the new path |sin πz| ≥ |sin πc|·cosh(π Im z) bounds the rest. Near u = 0 a Taylor
polynomial at u = −1/2 is used, and above 0 softplus(v) = v + softplus(−v). The scale s = p/q is
exact, so that double poles are seen.

Source: NIST Digital Library of Mathematical Functions, 2.5(i) and 25.12(ii).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from flint import arb, arb_poly, arb_series, ctx, fmpq

from gantheory.smoothed import LARGEST, composed, in_sigmoid, logistic_derivative, order_of

GUARD = 32  # bits worked in beyond those that are asked for
ROUNDED = 32  # bits are a multiple of, so that tables are made once
SPARE = 24  # binary digits beyond those that a ball has
NEAR = 0.25  # where a Taylor polynomial is used for few bits
MANY = 1 << 14  # poles, beyond which it is used for more: at 1280 bits it takes 18 s to make
CENTRE = -0.5  # of it
DISC = 2.7  # < 7π/8: so far from the real axis σ is known to be small
CANCELLED = 4  # bits a coefficient of the polynomial, as its residues are larger than their sum
MOST_ORDERS = 16  # of its derivatives
FEW_BITS = 320  # of its coefficients, at least
GAPS = 6  # between poles, of which the widest is taken for the path
AT_ONCE = 1 << 22  # numbers of an array and a rule that are held together
LAWS = EXPONENTIAL, LOGISTIC = "exponential", "logistic"


@dataclass(frozen=True)
class Pole:
    """The residue size·z^(k−1)·e^(zu), times (u + (k − 1 + more)/z) where the pole is double."""

    z: fmpq
    size: arb
    more: int | None = None


def _sine(z: fmpq) -> arb:
    """Return sin(πz)/π."""
    return arb.sin_pi(arb(z)) / arb.pi()


@lru_cache(maxsize=128)
def poles_below(law: str, s: fmpq, most: int, bits: int) -> tuple[Pole, ...]:
    """Return the poles at 0 < z < most, with minus their residues, in increasing order."""
    found = []
    with ctx.workprec(bits):
        for n in range(1, most):
            z, sign = fmpq(n), -1 if n % 2 == 0 else 1
            if (s * n).q != 1 or s < 0 or (law == EXPONENTIAL and s * n != 1):
                moment = 1 / arb(1 - s * n) if law == EXPONENTIAL else s * n / _sine(s * n)
                found.append(Pole(z, sign * moment))
            elif law == EXPONENTIAL:
                found.append(Pole(z, -sign * arb(n), 0))
            else:
                found.append(Pole(z, (sign if int(s * n) % 2 == 0 else -sign) * arb(n), 1))
        last = 0 if s < 0 else 1 if law == EXPONENTIAL else math.ceil(s * most)
        for j in range(1, last + 1):
            z = j / s
            if z.q != 1 and z < most:
                sign = 1 if law == EXPONENTIAL or j % 2 else -1
                found.append(Pole(z, sign * arb(z) / _sine(z)))
    return tuple(sorted(found, key=lambda pole: pole.z))


@lru_cache(maxsize=1024)
def rest_beyond(law: str, s: fmpq, c: fmpq, k: int) -> arb:
    """Return C so that the integral along Re z = c is at most C·e^(cu)."""
    power = k - 1 if law == EXPONENTIAL else k
    across = abs(arb(1 - s * c)) if law == EXPONENTIAL else abs(_sine(s * c)) / abs(arb(s))
    if power < 0:
        size = 1 / arb(c)
    else:
        parts = (math.perm(power, i) * arb(c) ** (power - i) / arb.pi() ** (i + 1)
                 for i in range(power + 1))  # fmt: skip
        size = 4 * sum(parts, arb(0))
    return size / (2 * arb.pi() * abs(_sine(c)) * across)


@lru_cache(maxsize=256)
def path_after(law: str, s: fmpq, least: int) -> tuple[int, fmpq]:
    """Return how many poles lie before a path at about ``least`` or beyond, and its place."""
    poles = poles_below(law, s, least + GAPS + 2, 64)
    start = next(k for k, pole in enumerate(poles) if pole.z >= least)
    gaps = list(pairwise(pole.z for pole in poles[start : start + GAPS + 1]))
    low, high = max(gaps, key=lambda gap: gap[1] - gap[0])
    return start + gaps.index((low, high)) + 1, (low + high) / 2


@lru_cache(maxsize=256)
def _series(
    law: str, s: fmpq, count: int, c: fmpq, k: int, bits: int
) -> tuple[arb_poly, arb_poly, arb_poly]:
    """Return P, Q and R with M_k(u) = P(e^u) + u·Q(e^u) + R(e^(u/s)) but for the rest."""
    plain, double, other = [arb(0)], [arb(0)], [arb(0)]
    with ctx.workprec(bits):
        for pole in poles_below(law, s, math.ceil(c) + 1, bits)[:count]:
            z = arb(pole.z)
            front = pole.size * z ** (k - 1)
            if pole.z.q == 1:
                plain += [arb(0)] * (int(pole.z) + 1 - len(plain))
                plain[int(pole.z)] = front if pole.more is None else front * (k - 1 + pole.more) / z
                double += [arb(0)] * (len(plain) - len(double))
                double[int(pole.z)] = arb(0) if pole.more is None else front
            else:
                j = int(pole.z * s)
                other += [arb(0)] * (j + 1 - len(other))
                other[j] = front
        return arb_poly(plain), arb_poly(double), arb_poly(other)


def _by_residues(law: str, s: fmpq, u: arb, orders: range) -> list[arb]:
    """Return M_k(u) for u < 0 by the poles to the right of the path."""
    first = min(1.0, float(1 / s)) if s > 0 else 1.0
    least = math.ceil(ctx.prec * math.log(2) / -float(u.mid()) + first)
    count, c = path_after(law, s, 1 << (least - 1).bit_length())
    x, w, grown = u.exp(), (u / arb(s)).exp(), (arb(c) * u).exp()
    found = []
    for k in orders:
        plain, double, other = _series(law, s, count, c, k, ctx.prec)
        missed = (rest_beyond(law, s, c, k) * grown).abs_upper()
        found.append(plain(x) + u * double(x) + other(w) + arb(0, missed))
    return found


_KNOWN: dict[tuple[str, fmpq], tuple[int, arb_poly]] = {}


def _taylor(law: str, s: fmpq) -> arb_poly:
    """Return the Taylor polynomial of M_0 at the centre, made once for the most bits asked for."""
    bits, poly = _KNOWN.get((law, s), (0, None))
    if poly is None or bits < ctx.prec:
        bits = max(ctx.prec, FEW_BITS)
        poly = _made_taylor(law, s, bits)
        _KNOWN[law, s] = bits, poly
    return poly


def _made_taylor(law: str, s: fmpq, bits: int) -> arb_poly:
    """Differentiate P(e^u) + u·Q(e^u) + R(e^(u/s)) again and again: P becomes x·P' + Q."""
    length = MOST_ORDERS + math.ceil(bits * math.log(2) / math.log(DISC / -CENTRE))
    with ctx.workprec(bits + CANCELLED * length):
        count, c = path_after(law, s, math.ceil(2 * ctx.prec * math.log(2) / -CENTRE))
        x, w = arb(CENTRE).exp(), (CENTRE / arb(s)).exp()
        plain, double, other = _series(law, s, count, c, 0, ctx.prec)
        grown, raised, found = (arb(c) * CENTRE).exp(), arb_poly([0, 1]), []
        for k in range(length):
            missed = (rest_beyond(law, s, c, k) * grown).abs_upper()
            total = plain(x) + double(x) * CENTRE + other(w) + arb(0, missed)
            found.append(total / math.factorial(k))
            plain = raised * plain.derivative() + double
            double, other = raised * double.derivative(), raised * other.derivative() * (1 / arb(s))
        return arb_poly(found)


def steepest(k: int) -> arb:
    """Return a bound on the k-th derivative of softplus, by Cauchy's estimate of σ; k >= 1."""
    return arb(LARGEST) * math.factorial(k - 1) / arb(DISC) ** (k - 1)


def _near_zero(law: str, s: fmpq, u: arb, orders: range) -> list[arb]:
    """Return M_k(u) for u below and near 0 by a Taylor polynomial, off by the next derivative."""
    poly, moved, found = _taylor(law, s), u - CENTRE, []
    length = len(poly)
    for k in range(orders[-1] + 1):
        if k >= orders[0]:
            rest = steepest(length) * abs(moved) ** (length - k) / math.factorial(length - k)
            found.append(poly(moved) + arb(0, rest.abs_upper()))
        poly = poly.derivative()
    return found


@lru_cache(maxsize=64)
def bound_of(k: int) -> int:
    """Return b with |softplus⁽ᵏ⁾| ≤ b·σ, from it as a polynomial in σ; k >= 1."""
    return sum(map(abs, in_sigmoid(k)))


def _exactly(law: str, s: fmpq, u: arb, orders: range) -> list[arb]:
    """Return M_k(u) of a number without a radius."""
    few = ctx.prec <= FEW_BITS
    if u <= -(NEAR if few else min(NEAR, ctx.prec * math.log(2) / MANY)):
        return _by_residues(law, s, u, orders)
    if u <= 0:
        return _near_zero(law, s, u, orders)
    found = []
    mirrored = _exactly(law, -s if law == EXPONENTIAL else s, -u, orders)
    for k, one in zip(orders, mirrored, strict=True):
        mean = arb(s) if law == EXPONENTIAL else arb(0)
        found.append(one + u + mean if k == 0 else 1 - one if k == 1 else one * (-1) ** k)
    return found


def _within(law: str, s: fmpq, u: arb, orders: range) -> list[arb]:
    """Return M_k over a ball: M_0 and M_1 rise, and the others move by at most their slope."""
    if u.rad() == 0:
        return _exactly(law, s, u, orders)
    low, high = (
        _exactly(law, s, end, range(min(orders[0], 1), 2)) for end in (u.lower(), u.upper())
    )
    known = {k: low[-2 + k].union(high[-2 + k]) for k in orders if k <= 1}
    higher = range(max(orders[0], 2), orders[-1] + 1)
    middle = _exactly(law, s, u.mid(), higher) if len(higher) else []
    share = high[-1].min(1 - low[-1])
    for k, one in zip(higher, middle, strict=True):
        known[k] = one + arb(
            0, (u.rad() * (bound_of(k + 1) * share).min(steepest(k + 1))).abs_upper()
        )
    return [known[k] for k in orders]


def logistic_mean_series(law: str, k: int, u: arb_series, s: fmpq) -> arb_series:
    """Return the Taylor coefficients of M_k(u, s), given those of u."""
    if law == LOGISTIC and s > 1:  # σ is the logistic law's own distribution function
        return logistic_mean_series(law, k, u / arb(s), 1 / s) * arb(s) ** (1 - k)
    at, orders = u[0], range(k, k + u.prec)
    if not at.is_finite():
        return arb_series([arb("nan")] * u.prec, prec=u.prec)
    spread = float(at.rad()) / (1 + abs(float(at.mid())))
    bits = ctx.prec if not spread else min(ctx.prec, max(0, -round(math.log2(spread))) + SPARE)
    bits += GUARD + int(s.q).bit_length()
    with ctx.workprec(-(-bits // ROUNDED) * ROUNDED):
        found = _within(law, s, at, orders)
    found = [one / math.factorial(order - k) for one, order in zip(found, orders, strict=True)]
    return composed(arb_series(found, prec=u.prec), u)


def logistic_mean(law: str, k: int, u: arb, p: arb, q: arb) -> arb:
    """Return M_k(u, p/q) over a ball."""
    return logistic_mean_of(law, *(arb_series([x], prec=1) for x in (k, u, p, q)))[0]


def logistic_mean_of(
    law: str, k: arb_series, u: arb_series, p: arb_series, q: arb_series
) -> arb_series:
    """Return M_k(u, p/q), its order and its scale given as constant series."""
    share = fmpq(order_of(p), order_of(q))
    return logistic_mean_series(law, order_of(k), u, share)


# In numpy, and in whatever has the same operations


@lru_cache(maxsize=64)
def logistic_rule(law: str, s: float) -> tuple[np.ndarray, np.ndarray]:
    """Return places s·x and weights for means over X in binary64.

    X = softplus(W) is exponential where W is logistic; u + sX then keeps from softplus's poles
    where |Im W| < 3π/4·min(1, 1/|s|), and the trapezoidal rule in W falls by that.
    """
    step = 2 * math.pi * 0.75 * math.pi * min(1.0, 1 / abs(s)) / 40
    w = step * np.arange(-math.ceil(42 / step), math.ceil(42 / step) + 1)
    weights = step / (2 + 2 * np.cosh(w))
    return s * (np.logaddexp(0.0, w) if law == EXPONENTIAL else w), weights


def logistic_mean_array(law: str, k: int, u: Any, p: float, q: float) -> Any:
    """Return M_k of an array."""
    from scipy import special

    s, at = float(p) / float(q), np.asarray(u, float)
    if law == LOGISTIC and abs(s) > 1:  # as in balls
        scale = abs(s)
        return logistic_mean_array(law, k, at / scale, 1.0, scale) * scale ** (1 - int(k))
    places, weights = logistic_rule(law, s)
    total = np.zeros_like(at)
    for part in np.array_split(np.arange(len(places)), -(-at.size * len(places) // AT_ONCE) or 1):
        w = at[..., None] + places[part]
        values = logistic_derivative(int(k), special.expit(w), np.logaddexp(0.0, w))
        total += (values * weights[part]).sum(-1)
    return total
