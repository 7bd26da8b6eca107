r"""Means of softplus over uniform, triangular and normal laws: two families of functions.

The complete Fermi-Dirac integrals are the repeated antiderivatives of softplus,

.. math:: F_k(u) = \frac{1}{k!}\int_0^\infty \frac{y^k\,dy}{e^{y-u}+1} = -\mathrm{Li}_{k+1}(-e^u),
   \qquad F_k' = F_{k-1},\quad F_0 = \mathrm{softplus},

with :math:`F_k(u) - (-1)^k F_k(-u) = C_k(u)`, a polynomial; and the logistic-normal integrals are
:math:`L_k(u, s) = \partial_u^k\, E[\mathrm{softplus}(u + sZ)]` with Z standard normal.

Source: NIST Digital Library of Mathematical Functions, 25.12(iii); L. N. Trefethen,
J. A. C. Weideman (2014), SIAM Review 56, theorem 5.1 (the trapezoidal rule in a strip).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp
from flint import arb, arb_series, ctx

from gantheory.errors import GantheoryError

STRIP = 3 * math.pi / 4  # where the trapezoidal rule looks: Im(u + sz), of a pole at π
REACH = math.pi / 8  # the radius of Cauchy's circles around it
LARGEST = 2.7  # > 1/sin(π/8) >= abs(σ(w)) and abs(σ(w))·exp(-Re w) where abs(Im w) <= 7π/8
LONG = 7  # the order from which series are faster than polynomials
WIDEST = 2000  # nodes
SPARE = 24  # binary digits beyond those that a ball has


def polynomial(k: int, u: Any, pi: Any) -> Any:
    r"""Return C_k(u): C_0 = u, C_k' = C_{k-1}, and C_k(0) = 2·F_k(0) for odd k, else 0.

    >>> polynomial(1, sp.Symbol("u"), sp.pi)
    u**2/2 + pi**2/6
    """
    total = u ** (k + 1) / math.factorial(k + 1)
    for j in range(1, k + 1, 2):
        ratio = 2 * (1 - sp.Rational(1, 2**j)) * sp.zeta(j + 1) / sp.pi ** (j + 1)
        share = pi ** (j + 1) * int(ratio.p) / int(ratio.q) / math.factorial(k - j)
        total = total + (share * u ** (k - j) if k > j else share)
    return total


def order_of(k: arb_series) -> int:
    """Return an order that is given as a constant series."""
    return round(float(k[0].mid()))


# In balls


def _softplus(u: arb) -> arb:
    return u + _softplus(-u) if u > 0 else u.exp().log1p()


def _sigmoid(u: arb_series) -> arb_series:
    grown = u.exp() if u[0] < 0 else (-u).exp()
    return grown / (1 + grown) if u[0] < 0 else 1 / (1 + grown)


def _logistic(u: arb, length: int) -> arb_series:
    """Return the Taylor coefficients of softplus."""
    if length == 1:
        return arb_series([_softplus(u)], prec=1)
    slope = _sigmoid(arb_series([u, 1], prec=length - 1))
    found = [_softplus(u), *(slope[k] / (k + 1) for k in range(length - 1))]
    return arb_series(found, prec=length)


def fermi_value(k: int, u: arb) -> arb:
    """Return F_k, which rises with u."""
    if u.rad() > 0:
        return fermi_value(k, u.lower()).union(fermi_value(k, u.upper()))
    if u > 0:
        rest = fermi_value(k, -u)
        return polynomial(k, u, arb.pi()) + (rest if k % 2 == 0 else -rest)
    return -(-u.exp()).polylog(arb(k + 1))


def fermi_series(k: int, u: arb_series) -> arb_series:
    """Return the Taylor coefficients of F_k(u), given those of u."""
    found = _logistic(u[0], max(u.prec - k, 1))
    for j in range(1, k + 1):
        found = arb_series(
            [fermi_value(j, u[0]), *(found[i] / (i + 1) for i in range(u.prec - k + j - 1))],
            prec=max(u.prec - k + j, 1),
        )
    return composed(found, u)


def composed(outer: arb_series, u: arb_series) -> arb_series:
    """Return a function of a series, given its Taylor coefficients at the constant term."""
    if u.prec == 1:
        return outer
    return outer(arb_series([0, *(u[k] for k in range(1, u.prec))], prec=u.prec))


@dataclass(frozen=True)
class _Rule:
    """A trapezoidal rule for means over s·Z: places, e^(sz), e^(−sz), weights, and its error.

    ``error`` is for a mean of what is at most 1 in the strip.
    """

    nodes: list[tuple[arb, arb, arb, arb]]
    error: arb


_RULES: dict[tuple[str, int, int], _Rule] = {}
MOST_RULES = 200


def _rule(s: arb, bits: int) -> _Rule:
    key = str(s.mid().man_exp()) + str(s.rad().man_exp()), bits, ctx.prec
    if key not in _RULES:
        if len(_RULES) >= MOST_RULES:
            _RULES.clear()
        _RULES[key] = _made_rule(s, bits)
    return _RULES[key]


def _made_rule(s: arb, bits: int) -> _Rule:
    width = float(s.upper()) * (1 + 1e-12)
    strip = min(STRIP / width, math.sqrt(2 * bits))
    step = 2 * math.pi * strip / (bits * math.log(2) + strip**2 / 2)
    reach = math.sqrt(2 * bits * math.log(2)) + width
    count = math.ceil(reach / step) + 1
    if count > WIDEST:
        raise GantheoryError(f"a normal margin of the scale {width:.3g} is too wide to sum up")
    h, half = arb(step), arb(strip)
    front = h / (2 * arb.pi()).sqrt()
    nodes = []
    for j in range(-count, count + 1):
        z = h * j
        moved = s * z
        nodes.append((moved, moved.exp(), (-moved).exp(), (-(z * z) / 2).exp() * front))
    error = 2 * (half * half / 2).exp() / ((2 * arb.pi() * half / h).exp() - 1)
    return _Rule(nodes, error + 2 * (-((arb(reach) - width) ** 2) / 2).exp())


@lru_cache(maxsize=64)
def _in_bell(order: int) -> tuple[tuple[int, ...], bool]:
    """Return the derivative σ^(order − 1), order >= 2, as P(a) or P(a)·b, a = σ(1 − σ), b = 1 − 2σ.

    By a' = ab, b' = −2a and b² = 1 − 4a.
    """
    poly, odd = np.polynomial.Polynomial([0, 1]), False
    a = poly
    for _ in range(order - 2):
        slope = poly.deriv() * a
        poly, odd = (slope * (1 - 4 * a) - 2 * a * poly, False) if odd else (slope, True)
    return tuple(round(float(c)) for c in poly.coef), odd


def logistic_normal_series(k: int, u: arb_series, s: arb) -> arb_series:
    r"""Return the Taylor coefficients of L_k(u, s), given those of u, by the trapezoidal rule.

    In the strip softplus is at most 2.7·min(e^{Re w}, 1 + (Re w)₊), and its derivatives by Cauchy's
    estimate of the sigmoid: so what the rule misses is at most that mean times the rule's error.
    """
    at, orders = u[0], range(k, k + u.prec)
    if not (at.is_finite() and s > 0):
        return arb_series([arb("nan")] * u.prec, prec=u.prec)
    spread = float(at.rad()) / (1 + abs(float(at.mid())))
    bits = ctx.prec if not spread else min(ctx.prec, max(0, -round(math.log2(spread))) + SPARE)
    rule = _rule(s, bits)
    totals = _totals(at, orders, rule)
    grown = (at.upper() + s * s / 2).exp().upper()
    found = []
    for order, total in zip(orders, totals, strict=True):
        size = grown.min(1 + abs(at) + s)
        if order:
            cauchy = arb(8 / math.pi) ** (order - 1) * math.factorial(order - 1)
            size = 1.5 * grown.min(arb(1)) * cauchy
        missed = (LARGEST * rule.error * size).abs_upper()
        found.append((total + arb(0, missed)) / math.factorial(order - k))
    return composed(arb_series(found, prec=u.prec), u)


def _totals(at: arb, orders: range, rule: _Rule) -> list[arb]:
    """Return the rule's sums of some derivatives of softplus."""
    if orders[-1] > LONG:
        whole = arb_series([0], prec=orders[-1] + 1)
        for moved, _, _, weight in rule.nodes:
            whole = whole + _logistic(at + moved, orders[-1] + 1) * weight
        return [whole[order] * math.factorial(order) for order in orders]
    rises, falls = at.exp(), (-at).exp()
    totals = [arb(0) for _ in orders]
    bells = [_in_bell(order) for order in orders if order >= 2]
    for moved, up, down, weight in rule.nodes:
        x, y = rises * up, falls * down
        row: list[arb] = []
        if orders[0] == 0:
            row.append(x.log1p() if x.mid() < 1 else at + moved + y.log1p())
        sigma = 1 / (1 + y)
        if orders[0] <= 1 and len(totals) > len(row):
            row.append(sigma)
        if bells:
            rest = 1 / (1 + x)
            bell, turn = sigma * rest, rest - sigma
            for poly, odd in bells:
                value = _horner(poly, bell)
                row.append(value * turn if odd else value)
        for j, value in enumerate(row):
            totals[j] += value * weight
    return totals


def _horner(poly: tuple[int, ...], a: arb) -> arb:
    total = arb(poly[-1])
    for c in reversed(poly[:-1]):
        total = total * a + c
    return total


# In numpy, and in whatever has the same operations


def _exp_sinh() -> tuple[np.ndarray, np.ndarray]:
    x = np.arange(-4.5, 5.5, 0.0625)
    y = np.exp(x - np.exp(-x))
    return y, y * (1 + np.exp(-x)) * 0.0625


HALF_LINE = _exp_sinh()


def fermi_array(k: int, u: Any) -> Any:
    """Return F_k of an array."""
    from scipy import special

    k, u = int(k), np.asarray(u, float)
    y, weights = HALF_LINE
    low = -np.abs(u)[..., None]
    sums = (special.expit(low - y) * y**k * weights).sum(-1) / math.factorial(k)
    return np.where(u > 0, polynomial(k, u, math.pi) + (-1) ** k * sums, sums)


def normal_rule(s: float) -> tuple[np.ndarray, np.ndarray]:
    """Return places s·z and weights for means over a normal margin in binary64."""
    strip = min(STRIP / s, 8.0)
    step = 2 * math.pi * strip / (38.0 + strip**2 / 2)
    count = math.ceil((8.8 + s) / step)
    z = step * np.arange(-count, count + 1)
    return s * z, np.exp(-0.5 * z**2) * step / math.sqrt(2 * math.pi)


def logistic_normal_array(k: int, u: Any, s: Any) -> Any:
    """Return L_k of an array, for one width."""
    from scipy import special

    places, weights = normal_rule(float(s))
    w = np.asarray(u, float)[..., None] + places
    values = logistic_derivative(int(k), special.expit(w), np.logaddexp(0.0, w))
    return (values * weights).sum(-1)


@lru_cache(maxsize=16)
def in_sigmoid(k: int) -> tuple[int, ...]:
    """Return the k-th derivative of softplus as the coefficients of a polynomial in σ, k >= 1."""
    poly = np.polynomial.Polynomial([0, 1])
    for _ in range(k - 1):
        poly = poly.deriv() * np.polynomial.Polynomial([0, 1, -1])
    return tuple(round(float(c)) for c in poly.coef)


def logistic_derivative(k: int, sigma: Any, softplus: Any) -> Any:
    """Return the k-th derivative of softplus, given the sigmoid and softplus there."""
    if k == 0:
        return softplus
    total = 0 * sigma
    for c in reversed(in_sigmoid(k)):
        total = total * sigma + c
    return total
