r"""The law of x = G(z): what a generator on the line does to the density of its latent variable.

Where G is smooth and strictly monotone piece by piece,
:math:`q(x) = \sum_{z : G(z) = x} p_z(z)/|G'(z)|`: a generator that moves slowly piles up mass.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from gantheory.densities.base import Array, Density, generator
from gantheory.densities.duals import Dual, evaluate
from gantheory.densities.from_ends import distance_from_end
from gantheory.densities.tails import Tail
from gantheory.densities.text import parse_density
from gantheory.densities.univariate import Interval, Points, Univariate
from gantheory.errors import GantheoryError
from gantheory.expressions import ELEMENTARY, Grammar, parse

GENERATOR = Grammar("generator", ELEMENTARY, frozenset({"z"}), example="tanh(2*z)")
LEVEL = 1e-16  # latent mass beyond either end of the window in which G is searched for turns
BEYOND = 4.7  # how far past the window G is followed: to 38 deviations, where a normal underflows
DEEPEST = 1e-300  # latent mass beyond the last z that is told apart from the end
NEAR = 1e-3  # of an end's image, within which the distance to that end is found from itself
SCAN = 8001  # points of that window: turns closer than 1/8000 of it are not told apart
_STEPS = 200  # of bisection: enough to close any bracket to its last bit


def is_whole(power: ast.expr) -> bool:
    """Whether an exponent is a whole number as typed."""
    return isinstance(power, ast.Constant) and float(power.value) % 1 == 0  # type: ignore[arg-type]


def _ordered(x: Array) -> Array:
    """Return binary64 numbers as integers in the same order."""
    bits = (np.asarray(x, float) + 0.0).view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - np.minimum(bits, 0), bits)


def _numbered(order: Array) -> Array:
    """Return the numbers that `_ordered` counts."""
    bits = np.where(order < 0, np.int64(-(2**63)) - np.minimum(order, 0), order)
    return np.asarray(bits).view(np.float64)


@dataclass(frozen=True)
class _Branch:
    """A stretch of z on which G is strictly monotone, and its image."""

    low: float
    high: float
    image: Interval
    rising: bool


@dataclass(frozen=True, eq=False)
class Pushforward(Univariate):
    """The law of G(z) for z drawn from ``latent``; see `pushforward`."""

    name: ClassVar[str] = "pushforward"
    normalised = False  # G may carry mass to within one rounding of an end of its image
    formula: str
    latent: Univariate
    tree: ast.expr = field(repr=False)

    @property
    def parameters(self) -> dict[str, Any]:
        return {"formula": self.formula, "latent": self.latent}

    def __str__(self) -> str:
        return f"pushforward({self.formula}, z ~ {self.latent})"

    def generate(self, z: Array) -> Dual:
        """Return G(z) and G'(z)."""
        with np.errstate(all="ignore"):
            return evaluate(self.tree, np.asarray(z, float))

    @cached_property
    def window(self) -> Interval:
        """The stretch of z that holds all but 1e-16 of the latent mass on either side."""
        low, high = self.latent.support
        tails = np.asarray(self.latent.ppf(np.array([LEVEL, 1 - LEVEL])), float)
        return max(low, float(tails[0])), min(high, float(tails[1]))

    @cached_property
    def branches(self) -> tuple[_Branch, ...]:
        """The monotone stretches, from left to right."""
        z = np.linspace(*self.window, SCAN)
        value, slope = self.generate(z)
        if not np.all(np.isfinite(value)):
            raise GantheoryError(
                f"generator {self.formula!r} is not finite at z={z[~np.isfinite(value)][0]:.6g}, "
                f"where {self.latent} has mass"
            )
        flat = slope == 0
        if np.any(flat[1:] & flat[:-1]):
            where = z[:-1][flat[1:] & flat[:-1]][0]
            raise GantheoryError(
                f"generator {self.formula!r} is constant near z={where:.4g}: x = G(z) has an atom "
                "there, and no density"
            )
        turns = [self._turn(z[k], z[k + 1]) for k in np.nonzero(slope[:-1] * slope[1:] < 0)[0]]
        turns += [float(z[k]) for k in np.nonzero(flat)[0] if 0 < k < SCAN - 1]
        ends = [self._followed(0), *sorted(map(float, turns)), self._followed(1)]
        return tuple(self._branch(a, b) for a, b in pairwise(ends))

    def _followed(self, side: int) -> float:
        """Return the z up to which G is inverted: past the window, as far as the support goes."""
        middle = 0.5 * (self.window[0] + self.window[1])
        z = middle + BEYOND * (self.window[side] - middle)
        with np.errstate(all="ignore"):
            deep = float((self.latent.isf if side else self.latent.ppf)(DEEPEST))
        if math.isfinite(deep):
            z = max(z, deep) if side else min(z, deep)
        low, high = self.latent.support
        return self._monotone(self.window[side], min(max(z, low), high))

    def _monotone(self, start: float, end: float) -> float:
        """Return how far from ``start`` toward ``end`` G goes on as it begins."""
        z = np.linspace(start, end, 257)
        value, slope = self.generate(z)
        with np.errstate(all="ignore"):
            step = np.diff(value) * (z[1] - z[0])
            goes_on = (step * slope[0] >= 0) & (slope[1:] * slope[0] >= 0)
        return end if goes_on.all() else float(z[np.argmin(goes_on)])

    def _limit(self, z: float) -> float:
        """Return G(z), or what it tends to where z is a far end of an infinite latent support."""
        low, high = self.latent.support
        below = z <= self.window[0] and math.isinf(low)
        far = below or (z >= self.window[1] and math.isinf(high))
        places = [z, *(-x if below else x for x in (1e9, 1e150, 1e300))]
        values, slopes = self.generate(np.array(places))
        value, *there = values.tolist()
        known = [v for v in there if not math.isnan(v)]
        if not far or not known:
            return value
        last, outward = known[-1], float(-slopes[0] if below else slopes[0])
        if (last - value) * outward < 0:  # G turns, or has a pole, where there is no mass
            return math.copysign(math.inf, outward)
        if abs(last) > 1e6 * (1 + abs(value)):
            return math.copysign(math.inf, last)
        return 0.0 if abs(last) < 1e-100 else last

    def _turn(self, low: float, high: float) -> float:
        sign = self.generate(np.array([low]))[1][0] > 0
        for _ in range(_STEPS):
            middle = 0.5 * (low + high)
            if not low < middle < high:
                break
            slope = self.generate(np.array([middle]))[1][0]
            low, high = (middle, high) if (slope > 0) == sign else (low, middle)
        return 0.5 * (low + high)

    def _branch(self, low: float, high: float) -> _Branch:
        a, b = self._limit(low), self._limit(high)
        return _Branch(low, high, (min(a, b), max(a, b)), a < b)

    def log_density(self, at: Points) -> Array:
        x = at.x
        total = np.full(x.shape, -np.inf)
        for branch in self.branches:
            reached = np.sort(self.generate(np.array([branch.low, branch.high]))[0])
            inside = (x >= reached[0]) & (x <= reached[1])  # beyond, the density underflows
            z = self._inverse(branch, np.clip(x, *reached))
            log_slope = self._log_slope(branch, z, at)
            with np.errstate(all="ignore"):
                log = self.latent.logpdf(z) - log_slope
            log = self._beside_ends(branch, at, log)
            total = np.logaddexp(total, np.where(inside, log, -np.inf))
        return total

    def _beside_ends(self, branch: _Branch, at: Points, log: Array) -> Array:
        """Return log p, next to the image c of an end of z from the distance to that end alone.

        There x = c + y has few digits of y, and the latent law may have mass within one of them.
        """
        reach = NEAR * (self.window[1] - self.window[0])
        for end, side in ((branch.low, +1), (branch.high, -1)):
            if end not in self.latent.support or not (image := self._image(end)):
                continue
            log_gap = at.log_abs_minus(image)
            toward = np.where(at.anchor == image, at.side, np.sign(at.minus(image)))
            inward = side if branch.rising else -side
            close = (log_gap < math.log(NEAR * abs(image))) & (toward == inward)
            if not close.any():
                continue
            log_d, log_slope = distance_from_end(
                lambda z: self.generate(z)[1], end, side, log_gap[close], reach
            )
            places = np.full(log_d.shape, end), np.full(log_d.shape, float(side))
            latent = self.latent.log_density(Points(*places, np.exp(log_d), log_d))
            log[close] = np.where(np.isfinite(log_d), latent - log_slope, log[close])
        return log

    def _image(self, end: float) -> float:
        """Return G at an end of z, 0 where it has none."""
        value = float(self.generate(np.array([end]))[0][0])
        return value if math.isfinite(value) else 0.0

    def _log_slope(self, branch: _Branch, z: Array, at: Points) -> Array:
        """Return log abs(G'(z)): next to a turn c = G(z₀) from G'² = 2·abs(G''(z₀)(x − c))."""
        with np.errstate(divide="ignore"):
            log_slope = np.log(np.abs(self.generate(z)[1]))
        for turn in (branch.low, branch.high):
            if not self._folds(turn):
                continue
            step = 1e-5 * (self.window[1] - self.window[0])
            before, after = self.generate(np.array([turn - step, turn + step]))[1]
            bend = abs(after - before) / (2 * step)
            end = float(self.generate(np.array([turn]))[0][0])
            log_gap = at.log_abs_minus(end)
            # there both formulas are right to 1e-8: one to first order, one to √binary64
            close = log_gap < math.log(1e-8 * (1 + abs(end)))
            log_slope = np.where(close, 0.5 * (math.log(2 * bend) + log_gap), log_slope)
        return log_slope

    def _folds(self, turn: float) -> bool:
        """Whether G' vanishes at a turn, as it does not at a kink like that of abs(z).

        Where G is smooth by its formula it must; beside a switch the slopes are compared.
        """
        if not self.window[0] < turn < self.window[1]:
            return False
        if not any(self._switches(node, turn) for node in ast.walk(self.tree)):
            return True
        steps = (self.window[1] - self.window[0]) * np.array([1e-5, 1e-9])
        slopes = np.abs(self.generate(np.concatenate([turn - steps, turn + steps]))[1])
        return bool(max(slopes[1], slopes[3]) < 0.1 * max(slopes[0], slopes[2]))

    def _switches(self, node: ast.AST, turn: float) -> bool:
        """Whether a part of the formula meets a corner, or a branch point, at a turn."""
        match node:
            case ast.Call(func=ast.Name(id="abs" | "relu" | "sqrt"), args=[inner]):
                corner: ast.expr = inner
            case ast.Call(func=ast.Name(id="max" | "min"), args=[one, other]):
                corner = ast.BinOp(one, ast.Sub(), other)
            case ast.Call(func=ast.Name(id="max" | "min")):
                return True
            case ast.BinOp(left=base, op=ast.Pow(), right=power) if not is_whole(power):
                corner = base
            case _:
                return False
        step = 1e-5 * (self.window[1] - self.window[0])
        with np.errstate(all="ignore"):
            at, *beside = evaluate(corner, np.array([turn, turn - step, turn + step]))[0]
        return not (min(beside) > 0 or max(beside) < 0) or abs(at) < 1e-9 * max(map(abs, beside))

    def _inverse(self, branch: _Branch, x: Array) -> Array:
        """Return z by bisection over the numbers of binary64, as many below 1 as above it."""
        ends = _ordered(np.array([branch.low, branch.high]))
        low, high = np.full(x.shape, ends[0]), np.full(x.shape, ends[1])
        for _ in range(65):
            middle = (low >> 1) + (high >> 1) + (low & high & 1)
            below = (self.generate(_numbered(middle))[0] < x) == branch.rising
            low, high = np.where(below, middle, low), np.where(below, high, middle)
            if np.all(high - low <= 1):
                break
        return _numbered(high)

    @cached_property
    def pieces(self) -> tuple[Interval, ...]:
        merged: list[Interval] = []
        for low, high in sorted(branch.image for branch in self.branches):
            if merged and low <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(merged[-1][1], high)
            else:
                merged.append((low, high))
        return tuple(merged)

    @property
    def kinks(self) -> tuple[float, ...]:
        ends = {end for piece in self.pieces for end in piece}
        inner = {end for branch in self.branches for end in branch.image}
        return tuple(sorted(inner - ends))

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        found = []
        for center, width in self.latent.centers:
            value, slope = (float(part[0]) for part in self.generate(np.array([center])))
            found.append((value, max(abs(slope) * width, 1e-6 * (1 + abs(value)))))
        return tuple(found)

    def end_tail(self, end: float) -> Tail | None:
        return None  # how G grows far out is not known: no tail is claimed

    def tail(self, point: float, side: int) -> Tail | None:
        """Return the square-root singularity at the image of a turn, on the side that it folds to.

        Degenerate turns (G'' = 0 too) are more singular still, and not told apart.
        """
        for branch in self.branches:
            inner = branch.image[0] if side > 0 else branch.image[1]
            if inner == point and math.isfinite(point) and self._turns_at(branch, point):
                return Tail(finite=True, log=0.5)
        return super().tail(point, side)

    def _turns_at(self, branch: _Branch, point: float) -> bool:
        return self._folds(
            branch.low if (branch.image[0] == point) == branch.rising else branch.high
        )

    @property
    def log_magnitude(self) -> float:
        # next to a turn z is known to the square root of binary64 only: 2e-16 times this is 2e-8
        folds = any(self._folds(end) for b in self.branches for end in (b.low, b.high))
        return 1e8 if folds else 1e3

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return self.generate(self.latent.sample(generator(rng), n))[0]

    def below(self, at: Points) -> Array:
        """Return P(G(z) <= x), summed over the monotone stretches."""
        points = at.x
        total = np.zeros(points.shape)
        for b in self.branches:
            z = self._inverse(b, np.clip(points, *b.image))
            z = np.where(points <= b.image[0], b.low if b.rising else b.high, z)
            z = np.where(points >= b.image[1], b.high if b.rising else b.low, z)
            low, high = (b.low, z) if b.rising else (z, b.high)
            total = total + self.latent.cdf(high) - self.latent.cdf(low)
        return np.clip(total, 0.0, 1.0)


def pushforward(formula: str, latent: Density | str = "normal(0, 1)") -> Pushforward:
    """Return the law of x = G(z).

    Args:
        formula: G as text in ``z``, such as ``"z + 2*tanh(3*z)"``.
        latent: the law of z, on the line and with quantiles.

    Raises:
        GantheoryError: for a malformed formula, a latent law without quantiles, a G that is
            infinite where z has mass, or one that is constant on an interval (an atom).

    >>> square = pushforward("z**2")
    >>> round(float(square.pdf(1.0)), 12)  # chi-squared with one degree of freedom
    0.241970724519
    """
    tree, law = parse(formula, GENERATOR), parse_density(latent)
    if not isinstance(law, Univariate):
        raise GantheoryError(f"latent law {law}: it must live on the line")
    found = Pushforward(formula, law, tree)
    if not any(isinstance(node, ast.Name) and node.id == "z" for node in ast.walk(tree)):
        raise GantheoryError(f"generator {formula!r} does not contain z, so G(z) has no density")
    _ = found.branches  # raises where G is infinite, or constant on a stretch
    return found
