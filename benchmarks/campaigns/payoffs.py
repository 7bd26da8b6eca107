"""Payoffs at random: formulas of a score t that are text for the package and functions for us.

A formula is a nested tuple such as ``("softplus", ("-", "t"))``. `text` writes it, `compiled`
computes it by numpy (many scores at once) or by mpmath (many digits).
"""

from __future__ import annotations

import operator
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb
from scipy.special import erf

Formula = Any  # "t", "D", the name of a parameter, a Fraction, or (function, *formulas)
INFIX = {"+": "({} + {})", "*": "({}*{})", "/": "({}/{})", "**": "({})**{}", "-": "(-{})"}


class Arrays:
    """Functions on arrays of float64."""

    exp, log, sqrt, abs, sin, cos = np.exp, np.log, np.sqrt, np.abs, np.sin, np.cos
    tanh, atan, log1p, expm1 = np.tanh, np.arctan, np.log1p, np.expm1
    erf, max, min, logsumexp = erf, np.maximum, np.minimum, np.logaddexp

    @staticmethod
    def number(x: Fraction) -> float:
        return float(x)

    @staticmethod
    def softplus(u: Any) -> Any:
        return np.logaddexp(0, u)

    @staticmethod
    def chosen(first: Any, then: Any, otherwise: Any) -> Any:
        return np.where(first, then, otherwise)


class Digits:
    """Functions on balls of many digits; a comparison is one of their middles."""

    @staticmethod
    def number(x: Fraction) -> arb:
        return arb(x.numerator) / x.denominator

    @staticmethod
    def max(u: arb, v: arb) -> arb:
        return u if (u - v).mid() > 0 else v

    @staticmethod
    def min(u: arb, v: arb) -> arb:
        return v if (u - v).mid() > 0 else u

    @staticmethod
    def abs(u: arb) -> arb:
        return abs(u)

    @staticmethod
    def softplus(u: arb) -> arb:
        return (-abs(u)).exp().log1p() + (u if u > 0 else 0)

    @staticmethod
    def logsumexp(u: arb, v: arb) -> arb:
        return Digits.max(u, v) + (-abs(u - v)).exp().log1p()

    @staticmethod
    def chosen(first: bool, then: arb, otherwise: arb) -> arb:
        return then if first else otherwise

    exp, log, sqrt, sin, cos = arb.exp, arb.log, arb.sqrt, arb.sin, arb.cos
    tanh, atan, log1p, expm1, erf = arb.tanh, arb.atan, arb.log1p, arb.expm1, arb.erf


def text(formula: Formula) -> str:
    """Return a formula as the package reads it."""
    if not isinstance(formula, tuple):
        return str(formula) if not isinstance(formula, Fraction) else f"({formula})"
    head, *rest = formula
    parts = [text(part) for part in rest]
    return INFIX[head].format(*parts) if head in INFIX else f"{head}({', '.join(parts)})"


def compiled(formula: Formula, m: Any) -> Callable[[Any, dict[str, Any]], Any]:
    """Return a formula as a function of the score and of the parameters, with functions of m."""
    if isinstance(formula, Fraction):
        number = m.number(formula)
        return lambda t, numbers: number
    if formula == "t":
        return lambda t, numbers: t
    if formula == "D":
        return lambda t, numbers: m.exp(-m.softplus(-t))
    if isinstance(formula, str):
        return lambda t, numbers: numbers[formula]
    head, *rest = formula
    if head == "log" and rest[0] in ("D", OTHER):
        sign = -1 if rest[0] == "D" else 1
        return lambda t, numbers: -m.softplus(sign * t)
    f = _function(head, m, rest)
    parts = [compiled(part, m) for part in rest]
    if len(parts) == 1:
        only = parts[0]
        return lambda t, numbers: f(only(t, numbers))
    return lambda t, numbers: f(*(part(t, numbers) for part in parts))


def _function(head: str, m: Any, parts: list[Formula]) -> Callable[..., Any]:
    """Return the function that a formula names, of the values of its parts."""
    if head == "**":
        whole = parts[1].denominator == 1
        exponent = int(parts[1]) if whole else m.number(parts[1])
        return lambda u, _: u**exponent
    known: dict[str, Callable[..., Any]] = {
        "+": operator.add,
        "*": operator.mul,
        "/": operator.truediv,
        "-": operator.neg,
        "relu": lambda u: m.max(u, 0 * u),
        "sigmoid": lambda u: m.exp(-m.softplus(-u)),
        "clamp": lambda u, low, high: m.min(m.max(u, low + 0 * u), high + 0 * u),
        "leaky_relu": lambda u, slope: m.chosen(u > 0, u, slope * u),
        "huber": lambda u, d: m.chosen(m.abs(u) <= d, u * u / 2, d * (m.abs(u) - d / 2)),
    }
    return known.get(head) or getattr(m, head)


OTHER = ("+", Fraction(1), ("-", "D"))  # 1 − D
ONE, TWO, HALF, THIRD = Fraction(1), Fraction(2), Fraction(1, 2), Fraction(1, 3)


def minus(formula: Formula) -> Formula:
    return ("-", formula)


def plus(*formulas: Formula) -> Formula:
    """Return a sum."""
    first, *rest = formulas
    return ("+", first, plus(*rest)) if rest else first


def times(a: Formula, b: Formula) -> Formula:
    return ("*", a, b)


def power(base: Formula, exponent: Fraction) -> Formula:
    return ("**", base, exponent)


def shifted(by: Fraction, slope: Fraction = ONE) -> Formula:
    """Return slope·t + by."""
    scaled = "t" if slope == 1 else times(slope, "t")
    return plus(scaled, by) if by else scaled


def _losses_of_one_sample() -> list[Formula]:
    """Return payoffs of fake samples as losses in t that someone may minimise; −t for real ones."""
    up, t = shifted(ONE), "t"
    return [
        minus(("log", OTHER)), ("softplus", t), ("relu", up), power(up, TWO), power(t, TWO),
        ("huber", t, ONE), ("huber", up, HALF), ("exp", t), ("exp", times(HALF, t)), ("erf", t),
        ("tanh", t), ("atan", t), ("sigmoid", t), "D", power("D", TWO), plus(t, power(t, TWO)),
        plus(t, times(Fraction(1, 4), power(t, TWO))), power(("abs", t), Fraction(3, 2)),
        ("logsumexp", t, times(TWO, t)), ("log1p", power(up, TWO)), ("expm1", t),
        plus(("relu", t), times(Fraction(1, 8), power(t, TWO))),
        plus(times(HALF, ("sqrt", plus(ONE, power(t, TWO)))), times(HALF, t)),
        plus(("leaky_relu", up, Fraction(1, 5)), times(Fraction(1, 9), power(t, TWO))),
        ("max", ("exp", t), plus(ONE, t)), plus(power(t, Fraction(4)), t),
        ("relu", power(up, Fraction(3))), plus(("softplus", t), ("relu", up)), t,
    ]  # fmt: skip


ATOMS = [
    "D", ("log", "D"), ("log", OTHER), ("tanh", "t"), ("atan", shifted(-ONE)), ("erf", "t"),
    ("sigmoid", shifted(HALF, TWO)), power("D", TWO), ("relu", shifted(-HALF)), "t",
    ("huber", "t", HALF), ("clamp", "t", -ONE, TWO), ("softplus", times(HALF, "t")),
    ("exp", minus(times(HALF, "t"))), power("t", TWO), ("abs", "t"),
    ("sqrt", plus(ONE, power("t", TWO))),
]  # fmt: skip
GENERATORS = [
    minus("t"), ("softplus", minus("t")), minus("D"), minus(("erf", "t")), ("log", OTHER),
    ("relu", shifted(ONE, -ONE)), minus(("log", "D")), power(shifted(-ONE), TWO),
    minus(("tanh", "t")), ("exp", minus("t")), minus(("atan", "t")), power(OTHER, TWO),
]  # fmt: skip
LINE = "(-oo, oo)"
DOMAINS = [LINE] * 5 + ["[-2, 2]", "[-3, 4]", "[0, oo)", "(-1, 3)", "(-oo, 1/2]"]


def mirrored(formula: Formula) -> Formula:
    """Return a formula in −t, with D and 1 − D exchanged."""
    if formula == "t":
        return minus("t")
    if formula == OTHER:
        return "D"
    if formula == "D":
        return OTHER
    if not isinstance(formula, tuple):
        return formula
    head, *rest = formula
    return (head, *map(mirrored, rest))


def draw(r: random.Random) -> dict[str, Formula]:
    """Return real and fake payoffs, the generator's loss and the domain of a loss at random."""
    losses = _losses_of_one_sample()
    real, fake = minus(mirrored(r.choice(losses))), minus(r.choice(losses))
    weight: Formula = r.choice([ONE, ONE, HALF, TWO, THIRD, "c"])
    if weight != ONE:
        real = times(weight, real)
    for _ in range(r.choice([0, 0, 1, 2])):  # something that need not be concave
        small = times(r.choice([THIRD, -Fraction(1, 4), Fraction(1, 9)]), r.choice(ATOMS))
        real, fake = (plus(real, small), fake) if r.random() < 0.5 else (real, plus(fake, small))
    return {
        "real": real,
        "fake": fake,
        "generator": r.choice(GENERATORS),
        "domain": r.choice(DOMAINS),
    }
