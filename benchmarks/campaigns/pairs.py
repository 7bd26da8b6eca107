"""Pairs of laws at random over the whole legal range of their parameters.

A law is a nested tuple, such as ``("affine", ("beta", 2.0, 3.0), 1.0, -2.0)``. It has two readings:
`text` is what the package reads, `ball_law` the textbook density in many digits.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

from flint import arb

from benchmarks.campaigns import laws
from benchmarks.campaigns.families import FAMILIES
from benchmarks.campaigns.laws import ZERO, Law, in_many_digits

Tree = tuple[Any, ...]
ON_THE_LINE = ("normal", "laplace", "logistic", "gumbel", "student_t", "cauchy",
               "generalised_normal", "skew_normal")  # fmt: skip
POSITIVE = ("gamma", "exponential", "chi_squared", "lognormal", "weibull", "rayleigh",
            "inverse_gamma", "log_logistic", "half_normal", "half_cauchy", "pareto")  # fmt: skip
BOUNDED = ("uniform", "triangular", "beta", "kumaraswamy", "truncnormal", "von_mises")
RESTRICTED = ("normal", "laplace", "logistic", "gumbel", "gamma", "lognormal", "weibull", "pareto")
IMAGES = ("gamma", "beta", "gumbel", "student_t", "lognormal", "weibull", "pareto", "triangular")
COMPOSED = ("affine", "restrict", "mixture")


def text(tree: Tree) -> str:
    """Return a law as the package reads it."""
    head, *rest = tree
    if head == "mixture":
        parts = (f"{w!r}*{text(part)}" for w, part in zip(*rest, strict=True))
        return f"mixture({' + '.join(parts)})"
    return f"{head}({', '.join(text(x) if isinstance(x, tuple) else repr(x) for x in rest)})"


@in_many_digits
def ball_law(tree: Tree, moved: dict[str, arb] | None = None, path: str = "") -> Law:
    """Return a law of textbook densities; ``moved`` holds by how much to move named parameters.

    ``loc`` and ``scale`` of a family that has none are those of its image.
    """
    moved = moved or {}
    head, *rest = tree

    def at(name: str, x: float) -> arb | None:
        return None if math.isinf(x) else arb(x) + moved.get(path + name, ZERO)

    if head == "mixture":
        weights, parts = rest
        return laws.mixture(
            [arb(w) + moved.get(f"{path}weights[{i}]", ZERO) for i, w in enumerate(weights)],
            [ball_law(part, moved, f"{path}components[{i}].") for i, part in enumerate(parts)],
        )
    if head in ("affine", "restrict"):
        names = ("loc", "scale") if head == "affine" else ("a", "b")
        base = ball_law(rest[0], moved, f"{path}base.")
        build = laws.affine if head == "affine" else laws.restrict
        return build(base, *(at(name, x) for name, x in zip(names, rest[1:], strict=True)))
    make, names = FAMILIES[head]
    found = make(*(at(name, x) for name, x in zip(names, rest, strict=True)))
    if path + "loc" in moved and "loc" not in names:
        return laws.affine(found, moved[path + "loc"], arb(1))
    return found


def parameters(tree: Tree, path: str = "") -> Iterator[tuple[str, float | None]]:
    """Yield what a law can be derived in, with its size; None for a place."""
    head, *rest = tree
    if head == "mixture":
        for i, (w, part) in enumerate(zip(*rest, strict=True)):
            yield f"{path}weights[{i}]", w
            yield from parameters(part, f"{path}components[{i}].")
        return
    if head in ("affine", "restrict"):
        names = ("loc", "scale") if head == "affine" else ("a", "b")
        yield from parameters(rest[0], f"{path}base.")
        rest = rest[1:]
    else:
        names = FAMILIES[head][1]
        if not path and "loc" not in names and head not in ("uniform", "triangular"):
            yield "loc", None
    places = ("loc", "mode", "a", "b") if head not in ("beta", "kumaraswamy") else ()
    for name, x in zip(names, rest, strict=True):
        one_way = head == "triangular" and rest.count(x) > 1  # at the end of its range
        if not math.isinf(x) and not one_way:
            place = name in places and head != "lognormal"  # whose loc is one of log x
            yield path + name, None if place else abs(rest[1] if name == "loc" else x)


class Draw:
    """Draws of one seed, in a unit of length of its own."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        r = self.random
        self.unit = r.choice([1.0, 1.0, 1.0, 10 ** r.uniform(-100, 100)])

    def place(self) -> float:
        """Return a place: at 0, near it, or far out."""
        r, s = self.random, self.unit
        far = r.choice([-1, 1]) * 10 ** r.uniform(-12, 3) * s
        return r.choice(
            [0.0, r.uniform(-3, 3) * s, r.uniform(-3, 3) * s, far, r.uniform(-40, 40) * s]
        )

    def width(self) -> float:
        """Return a width."""
        r = self.random
        powers = [
            0.0,
            *(r.uniform(-0.5, 0.5) for _ in range(2)),
            r.uniform(-4, 4),
            r.uniform(-30, 30),
        ]
        return self.unit * 10 ** r.choice(powers)

    def shape(self, low: float = -3.0, high: float = 8.0) -> float:
        """Return a shape: usually of order one, sometimes anywhere in its range."""
        r = self.random
        usual = [10 ** r.uniform(-0.5, 1) for _ in range(2)]
        return r.choice([*usual, 10 ** r.uniform(low, high), float(r.randint(1, 5))])

    def law(self, heads: tuple[str, ...] = ON_THE_LINE + POSITIVE + BOUNDED + COMPOSED) -> Tree:
        """Return a law of one of the families, or composed of some."""
        head = self.random.choice(heads)
        composed = {"affine": self._affine, "restrict": self._restrict, "mixture": self._mixture,
                    "uniform": self._interval, "triangular": self._interval,
                    "truncnormal": self._truncnormal}  # fmt: skip
        if head in composed:
            return composed[head](head)
        return (head, *(self._parameter(head, name) for name in FAMILIES[head][1]))

    def _parameter(self, head: str, name: str) -> float:
        r = self.random
        if head == "lognormal":
            usual = {"loc": [0.0, r.uniform(-3, 3), r.uniform(-300, 300)],
                     "scale": [1.0, 10 ** r.uniform(-1, 1), 10 ** r.uniform(-6, 2)]}  # fmt: skip
            return r.choice(usual[name])
        if head == "von_mises":
            return self.shape(-6, 6) if name == "concentration" else r.uniform(-4, 4)
        if head == "skew_normal" and name == "shape":
            return r.choice([-1, 1]) * self.shape(-3, 5)
        if name == "loc":
            return self.place()
        if name == "scale":
            return self.width()
        low_and_high = {"generalised_normal": (-1.0, 4.0), "weibull": (-1.5, 5.0),
                        "log_logistic": (-1.0, 5.0), "kumaraswamy": (-1.0, 4.0)}  # fmt: skip
        return self.shape(*low_and_high.get(head, (-3.0, 8.0)))

    def _interval(self, head: str) -> Tree:
        low, width = self.place(), self.width()
        high = low + width if low + width > low else low + max(abs(low), self.unit)
        mode = low + (high - low) * self.random.choice([0.0, 1.0, 0.5, self.random.random()])
        return (head, low, high) if head == "uniform" else (head, low, min(mode, high), high)

    def _truncnormal(self, head: str) -> Tree:
        r, m, s = self.random, self.place(), self.width()
        a = m + s * r.choice([-1, 1, 1, -1, r.uniform(-40, 40), 10 ** r.uniform(-6, 3)])
        b = r.choice([math.inf, a + s * 10 ** r.uniform(-4, 2)])
        if r.random() < 0.2:
            a, b = -math.inf, a
        return (head, m, s, a, b if b > a else math.inf)

    def _affine(self, head: str) -> Tree:
        away, factor = self.place(), self.width()
        old, self.unit = self.unit, 1.0
        base = self.law(IMAGES)
        self.unit = old
        return (head, base, away, factor * self.random.choice([-1, 1]))

    def _restrict(self, head: str) -> Tree:
        r, base = self.random, self.law(RESTRICTED)
        middle, width = (float(x) for x in ball_law(base).anchors[-1])
        low = middle + width * r.choice([-1, r.uniform(-3, 3), 0.3, 10 ** r.uniform(-3, 1.3)])
        if base[0] in POSITIVE and low <= 0:
            low = middle * 10 ** r.uniform(-8, 0)
        high = low + width * 10 ** r.uniform(-2, 1.5)
        if not high > low:
            high = math.inf
        return (head, base, *r.choice([(low, high), (low, math.inf), (-math.inf, high)]))

    def _mixture(self, head: str) -> Tree:
        r = self.random
        n = r.choice([2, 2, 3])
        small = [2.0 ** -r.randint(2, 40) for _ in range(n - 1)]
        weights = (0.25, 0.75) if n == 2 and r.random() < 0.6 else (*small, 1.0 - sum(small))
        kinds = (*ON_THE_LINE[:7], "uniform", "gamma", "weibull")
        return (head, weights, tuple(self.law(kinds) for _ in range(n)))

    def neighbour(self, tree: Tree, size: float) -> Tree:
        """Return a law next to one: some of its numbers moved by a relative ``size``."""
        head, *rest = tree

        def near(x: float) -> float:
            moves = self.random.random() < 0.6 and not math.isinf(x)
            return x * (1 + size * self.random.gauss(0, 1)) if moves else x

        if head == "mixture":
            return (head, rest[0], tuple(self.neighbour(part, size) for part in rest[1]))
        return (head, *(self.neighbour(x, size) if isinstance(x, tuple) else near(x) for x in rest))


def pair(seed: int) -> tuple[Draw, Tree, Tree]:
    """Return two laws: neighbours, or unrelated; sometimes both moved far from 0."""
    draw = Draw(seed)
    r = draw.random
    p = draw.law()
    q = draw.neighbour(p, 10 ** r.uniform(-12, 0)) if r.random() < 0.45 else draw.law()
    if r.random() < 0.1 and p[0] not in COMPOSED and q[0] not in COMPOSED:
        away = 10 ** r.uniform(-12, 8)
        p, q = ("affine", p, away, 1.0), ("affine", q, away, 1.0)
    return draw, p, q
