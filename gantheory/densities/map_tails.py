r"""The tail of x = G(z) from that of z, where the growth of G is known.

With H = abs(x) at an infinite end of x and H = 1/abs(x − x₀) at a finite one, log p_x is log p_z
less the logarithm of abs(dx/dz), written in H. Where a term cannot be written, or what is left out
may grow, the tail is not known: None.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass, field
from fractions import Fraction

from gantheory.densities.asymptotics import (
    NONE,
    Exp,
    Log,
    Order,
    Series,
    Value,
    added,
    constant,
    growth,
    log_of,
    of_terms,
    power,
    scaled,
    sign,
)
from gantheory.densities.tails import Power, Tail

Number = Fraction | float
SAME = 1e-9  # relative: within which the limit of G is the end that it was found to have
ROUNDS = 4  # of inverting a series, each of which gains a term


@dataclass
class _Terms:
    """The terms of log p_x in Y = H and L = log H, as they are added up."""

    logsquare: Number = Fraction(0)
    log: Number = Fraction(0)
    square: Number = Fraction(0)
    linear: Number = Fraction(0)
    rate: Number = Fraction(0)
    lift: Number = Fraction(0)
    powers: list[Power] = field(default_factory=list)

    def tail(self, finite: bool) -> Tail:
        """Return them as a tail."""
        if finite:
            extra: list[Power] = [(Fraction(2), Fraction(1), self.square)]
            extra.append((Fraction(1), Fraction(1), self.linear))
            powers = tuple((*self.powers, *(power for power in extra if power[2])))
            return Tail(finite=True, logsquare=self.logsquare, log=self.log, powers=powers)
        return Tail(
            False, self.rate, self.lift, self.square, self.linear, self.logsquare, self.log,
            tuple(self.powers),
        )  # fmt: skip


def image_tail(tree: ast.expr, latent: Tail, end: float, lower: bool, target: float) -> Tail | None:
    """Return the tail of G(z) at ``target`` from that of z at ``end``; None: it is not known.

    Args:
        tree: G, a checked expression in z.
        latent: the growth of the log-density of z at its end.
        end: an end of the support of z.
        lower: whether it is the lower one.
        target: what G tends to there, by which the growth found is checked.
    """
    value = toward(tree, end, lower)
    if (affine := _affine(value, latent, Fraction(-1 if lower else 1))) is not None:
        return affine
    large = _large(value, target)
    if large is None:
        return None
    finite = math.isfinite(target)
    found: _Terms | None = None
    match large:
        case Series():
            found = _through_powers(large, latent)
        case Exp():
            found = _through_exponential(large, latent)
        case Log() if not finite:
            found = _through_logarithm(large, latent)
    if found is None:
        return None
    if finite:  # abs(dx) = dH/H²
        found.log += 2
    return found.tail(finite)


def toward(tree: ast.expr, end: float, lower: bool) -> Value:
    """Return how G grows toward an end of z, or toward a place from above where it is ``lower``."""
    if math.isinf(end):
        return growth(tree, of_terms([(Fraction(1), Fraction(-1 if lower else 1))]))
    inward = Fraction(1 if lower else -1)  # z = end ± 1/s
    return growth(tree, of_terms([(Fraction(-1), inward), (Fraction(0), Fraction(end))]))


def unbounded(value: Value) -> float | None:
    """Return the infinity that a value tends to, or None where it stays bounded or is not known."""
    if isinstance(value, Series) and (value.limit is not None or not value.leading):
        return None
    side = sign(value)
    return side * math.inf if side else None


def _affine(value: Value, latent: Tail, inward: Fraction) -> Tail | None:
    """Return the tail where G is affine in z, to the last digit."""
    if latent.finite or not isinstance(value, Series):
        return None
    if value.rest != NONE or value.small or value.vague or {e for e, _ in value.terms} - {0, 1}:
        return None
    slope = dict(value.terms).get(Fraction(1), Fraction(0)) * inward
    shift = dict(value.terms).get(Fraction(0), Fraction(0))
    if not slope:
        return None
    toward = inward * (1 if slope > 0 else -1)  # the end of x
    return latent.affine(float(shift * toward), float(slope))


def _large(value: Value, target: float) -> Series | Exp | Log | None:
    """Return H, which tends to infinity, or None where G does not tend to the target."""
    if math.isinf(target):
        if unbounded(value) != target:
            return None
        return scaled(value, Fraction(1 if target > 0 else -1))
    if not isinstance(value, Series) or value.limit is None:
        return None
    if abs(float(value.limit) - target) > SAME * (1 + abs(target)):
        return None
    gap = added(value, constant(-value.limit))
    side = sign(gap)
    return power(scaled(gap, Fraction(side)), Fraction(-1)) if side else None


def _powers_of(latent: Tail) -> list[Power]:
    """Return every term weight·(s/scale)^exponent of log p_z."""
    plain = [(Fraction(2), Fraction(1), latent.square), (Fraction(1), Fraction(1), latent.linear)]
    return [*latent.powers, *(power for power in plain if power[2])]


def _through_powers(large: Series, latent: Tail) -> _Terms | None:
    """Write log p_z in Y = c·s^e·(1 + ...)."""
    if latent.rate or not large.leading:
        return None
    e, c = large.leading
    found, log_c = _Terms(), log_of(c)
    found.logsquare = Fraction(latent.logsquare) / e**2
    found.log = Fraction(latent.log) / e - 2 * log_c * Fraction(latent.logsquare) / e**2
    found.log -= (e + (1 if latent.finite else -1)) / e  # dx/dz
    inverse = _inverted(large, e, c)
    for exponent, scale, weight in _powers_of(latent):
        exponent, scale, weight = Fraction(exponent), Fraction(scale), Fraction(weight)
        raised = power(inverse, exponent) if inverse is not None else None
        if not isinstance(raised, Series) or raised.rest > 0:
            return None
        stretched = scale ** int(e) if e.denominator == 1 else Fraction(float(scale) ** float(e))
        found.powers.append((exponent / e, c * stretched, weight))
        more = weight / Fraction(float(scale) ** float(exponent))
        found.powers += [(k, Fraction(1), d * more) for k, d in raised.terms[1:] if k > 0]
    return found


def _inverted(large: Series, e: Fraction, c: Fraction) -> Series | None:
    """Return s as a series in Y, of which Y = c·s^e·(1 + u(s))."""
    root = Fraction(float(c) ** -float(1 / e)) if e != 1 else 1 / c
    first = of_terms([(1 / e, root)])
    relative = of_terms(
        [(k - e, d / c) for k, d in large.terms[1:]], large.rest - e, None, large.vague
    )
    s = first
    for _ in range(ROUNDS):
        bent = _substituted(relative, s)
        factor = power(added(constant(1), bent), -1 / e) if bent is not None else None
        if not isinstance(factor, Series):
            return None
        terms = [(k + 1 / e, d * root) for k, d in factor.terms]
        s = of_terms(terms, factor.rest + 1 / e, None, factor.vague)
    gained = max((k - e for k, _ in large.terms[1:]), default=NONE)
    left: Order = NONE if gained == NONE else (1 + (ROUNDS + 1) * gained) / e
    return of_terms(s.terms, max(s.rest, left), None, s.vague)


def _substituted(series: Series, s: Series) -> Series | None:
    """Return Σ d·s^k of a series in s, for s a series in Y."""
    total: Series = of_terms([], NONE, None, series.vague)
    for k, d in series.terms:
        raised = scaled(power(s, k), d)
        summed = added(total, raised)
        if not isinstance(summed, Series):
            return None
        total = summed
    order = s.terms[0][0]
    return of_terms(total.terms, max(total.rest, series.rest * order), None, total.vague)


def _through_exponential(large: Exp, latent: Tail) -> _Terms | None:
    """Write log p_z in Y = exp(r·s + b), so that s = (L − b)/r."""
    if latent.finite or latent.powers or latent.log or latent.logsquare:
        return None  # log s would be log log Y
    r, b = large.rate, large.constant
    square, linear = Fraction(latent.square), Fraction(latent.linear)
    found = _Terms(logsquare=square / r**2, log=-2 * b * square / r**2 + linear / r - 1)
    if latent.rate:  # exp(lift + rate·s) = (Y/exp(b − lift·r/rate))^(rate/r)
        if not large.exact:
            return None
        rate = Fraction(latent.rate)
        away = float(b - Fraction(latent.lift) * r / rate)
        if abs(away) > 600:
            return None
        found.powers.append((rate / r, Fraction(math.exp(away)), Fraction(-1)))
    return found


def _through_logarithm(large: Log, latent: Tail) -> _Terms | None:
    """Write log p_z in y = k·log(s) + b, so that log s = (y − b)/k."""
    k, b = large.slope, large.constant
    if latent.rate or k <= 0:
        return None
    logsquare, log = Fraction(latent.logsquare), Fraction(latent.log)
    found = _Terms(square=logsquare / k**2, linear=log / k - 2 * b * logsquare / k**2)
    found.linear += (-1 if latent.finite else 1) / k  # dx/dz
    powers = [tuple(Fraction(x) for x in power) for power in _powers_of(latent)]
    if len(powers) > 1:
        return None  # of two exponentials one is left out
    for exponent, scale, weight in powers:
        if weight > 0 or large.rest + exponent > 0:
            return None
        found.rate = exponent / k
        size = math.log(-weight) - float(exponent) * math.log(scale)
        found.lift = Fraction(size) - exponent * b / k
    return found
