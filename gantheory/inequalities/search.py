r"""Counterexamples to an inequality: laws on two, three or four points, found in floating point.

The vector of k divergences of any pair of laws is an average of such vectors on two points, of
k + 1 of them at most. So laws on two points refute every false statement whose region is convex,
and a few more points the others: tv + bc² ≥ 1 first fails on three. What is found is rounded to
rational masses and then decided by ball arithmetic; nothing rests on the search.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import sympy as sp
from scipy.optimize import minimize

from gantheory.divergences import FDivergence
from gantheory.exact.signs.balls import NoEnclosure
from gantheory.functions import r
from gantheory.inequalities.statements import Statement
from gantheory.inequalities.twopoint import Laws, enclosed_value
from gantheory.theory.branches import branch

Array: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Margin: TypeAlias = Callable[[Array, Array], Array]  # of masses (..., points), relative
LOGITS = np.linspace(-20, 20, 81)  # of the masses on two points
DRAWS = 4000  # pairs of random laws on three and on four points
CONCENTRATION = 0.35  # of those laws: many masses nearly vanish
SMALLEST = 1e-12  # mass: kept off 0, where float formulas are undefined
NOISE = 1e-10  # size of both sides below which rounding, 1e-16, decides the sign
DENOMINATORS = (12, 60, 10**3, 10**5, 10**8, 10**12)  # a short counterexample is worth more


def counterexample(
    statement: Statement, seconds: float, points: tuple[int, ...] = (2, 3, 4), starts: int = 3
) -> Laws | None:
    """Return laws for which an inequality certainly fails, if some are found.

    Args:
        statement: an inequality between divergences.
        seconds: no new local search begins after them, of the processor's time.
        points: how many points the laws may have.
        starts: how many of the best pairs of each number of points are improved.
    """
    stop = time.thread_time() + seconds
    try:
        margin = _margin(statement)
        for p, q in _candidates(margin, points, starts, stop):
            if laws := _violating(statement, p, q):
                return laws
    except (TypeError, NameError, NoEnclosure):  # a function without a floating-point version
        return None
    return None


def _candidates(
    margin: Margin, points: tuple[int, ...], starts: int, stop: float
) -> Iterator[tuple[Array, Array]]:
    """Yield the most promising pairs of laws, then each improved by a local search."""
    promising = []
    for size in points:
        p, q = _two_points() if size == 2 else _few_points(size)
        values = np.nan_to_num(margin(p, q), nan=np.inf)
        for k in np.argsort(values)[:starts]:
            if values[k] < 0:
                yield p[k], q[k]
            promising.append((p[k], q[k]))
    for pair in promising:
        if time.thread_time() > stop:
            return
        yield _improved(margin, *pair)


def _two_points() -> tuple[Array, Array]:
    masses = 1 / (1 + np.exp(-LOGITS))
    p, q = (side.ravel() for side in np.meshgrid(masses, masses))
    apart = p > q
    return tuple(np.stack([side, 1 - side], axis=-1)[apart] for side in (p, q))  # type: ignore[return-value]


def _few_points(points: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(points)
    p, q = (rng.dirichlet(np.full(points, CONCENTRATION), DRAWS) for _ in "pq")
    return _inside(p), _inside(q)


def _inside(masses: Array) -> Array:
    masses = np.maximum(masses, SMALLEST)
    return masses / masses.sum(axis=-1, keepdims=True)


def _improved(margin: Margin, p: Array, q: Array) -> tuple[Array, Array]:
    def laws(x: Array) -> tuple[Array, Array]:
        weights = np.exp(np.clip(x, -40, 40)).reshape(2, -1)
        return _inside(weights[0] / weights[0].sum()), _inside(weights[1] / weights[1].sum())

    def objective(x: Array) -> float:
        return float(np.nan_to_num(margin(*laws(x)), nan=np.inf))

    start = np.log(np.concatenate([p, q]))
    options = {"maxfev": 150 * len(start), "xatol": 1e-7, "fatol": 1e-13}
    return laws(minimize(objective, start, method="Nelder-Mead", options=options).x)


def _margin(statement: Statement) -> Margin:
    """Return the margin over the size of both sides, in floating point."""
    symbols = list(statement.divergences)
    size = sp.Abs(statement.left) + sp.Abs(statement.right)
    compiled = sp.lambdify(symbols, [statement.margin, size], modules="numpy")
    generators = [_generator(entry) for entry in statement.divergences.values()]

    def relative(p: Array, q: Array) -> Array:
        with np.errstate(all="ignore"):
            values = [np.sum(q * f(p / q), axis=-1) for f in generators]
            margin, total = compiled(*values)
            return np.asarray(margin / (total + NOISE))

    return relative


@lru_cache(maxsize=64)
def _generator(entry: FDivergence) -> Callable[[Array], Array]:
    below, above = (
        sp.lambdify(r, branch(entry, side) + 0 * r, modules="numpy")
        for side in (sp.Rational(1, 2), sp.Integer(2))
    )
    return lambda ratio: np.where(ratio < 1, below(ratio), above(ratio))


def _violating(statement: Statement, p: Array, q: Array) -> Laws | None:
    """Return rational laws near two others for which the statement fails by ball arithmetic."""
    for denominator in DENOMINATORS:
        laws = Laws(_rounded(p, denominator), _rounded(q, denominator))
        value = enclosed_value(statement.margin, statement.divergences, laws)
        if value is not None and value < 0:
            return laws
    return None


def _rounded(masses: Array, denominator: int) -> tuple[sp.Rational, ...]:
    counts = [round(Fraction(float(mass)) * denominator) for mass in masses]
    counts[int(np.argmax(masses))] += denominator - sum(counts)
    return tuple(sp.Rational(count, denominator) for count in counts)
