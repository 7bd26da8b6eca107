"""Where a formula in z turns, or stops for a moment: the ends of its monotone stretches."""

from __future__ import annotations

import ast
from dataclasses import dataclass

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.duals import Dual, evaluate

TOUCHES = 1e-9  # of G' beside it: what it is at most where it vanishes, but for rounding
DIGITS = 9  # after the point of a place that is tried in place of one found to rounding


def is_whole(power: ast.expr) -> bool:
    """Whether an exponent is a whole number as typed."""
    return isinstance(power, ast.Constant) and float(power.value) % 1 == 0  # type: ignore[arg-type]


def ordered(x: Array) -> Array:
    """Return binary64 numbers as integers in the same order."""
    bits = (np.asarray(x, float) + 0.0).view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - np.minimum(bits, 0), bits)


def numbered(order: Array) -> Array:
    """Return the numbers that `ordered` counts."""
    bits = np.where(order < 0, np.int64(-(2**63)) - np.minimum(order, 0), order)
    return np.asarray(bits).view(np.float64)


@dataclass(frozen=True)
class Map:
    """A formula G in z, on the stretch of z that holds all but nothing of the latent mass."""

    tree: ast.expr
    window: tuple[float, float]

    def generate(self, z: Array) -> Dual:
        """Return G(z) and G'(z)."""
        with np.errstate(all="ignore"):
            return evaluate(self.tree, np.asarray(z, float))

    def last_rising(self, z: Array) -> int:
        """Return the last of some places up to which G goes on as it does at the first."""
        with np.errstate(all="ignore"):
            value, slope = self.generate(z)
            rises = np.diff(value) * np.sign(z[-1] - z[0]) * np.sign(slope[0]) > 0
            goes_on = rises & np.isfinite(value[1:]) & (slope[1:] * np.sign(slope[0]) > 0)
        return int(np.argmin(goes_on)) if not goes_on.all() else len(z) - 1

    def flat_places(self, z: Array, slope: Array) -> list[float]:
        """Return where G' touches 0 without a change of sign, as that of z³ does."""
        size = np.abs(slope)
        least = (size[1:-1] <= size[:-2]) & (size[1:-1] <= size[2:])
        least &= 4 * size[1:-1] < np.maximum(size[:-2], size[2:])  # as those of a double zero
        found = []
        for k in np.nonzero(least & (slope[:-2] * slope[2:] > 0))[0] + 1:
            place = self._least_slope(float(z[k - 1]), float(z[k + 1]))
            here = abs(self.generate(np.array([place]))[1][0])
            if here <= TOUCHES * min(size[k - 1], size[k + 1]):
                found.append(place)
        return found

    def _least_slope(self, low: float, high: float) -> float:
        """Return where abs(G') is least, 0 where it vanishes there."""
        if low < 0 < high and self.generate(np.zeros(1))[1][0] == 0:
            return 0.0
        for _ in range(100):
            a, b = low + (high - low) / 3, high - (high - low) / 3
            one, other = np.abs(self.generate(np.array([a, b]))[1])
            low, high = (low, b) if one <= other else (a, high)
        place = 0.5 * (low + high)
        tried = np.array([round(place, digits) for digits in range(DIGITS)])
        exact = tried[(self.generate(tried)[1] == 0) & (np.abs(tried - place) < 1e-3)]
        return float(exact[-1]) if len(exact) else place

    def monotone_until(self, start: float, end: float) -> float:
        """Return how far from ``start`` toward ``end`` G goes on as it begins."""
        z = np.linspace(start, end, 257)
        value, slope = self.generate(z)
        with np.errstate(all="ignore"):
            step = np.diff(value) * (z[1] - z[0])
            goes_on = (step * slope[0] >= 0) & (slope[1:] * slope[0] >= 0)
        return end if goes_on.all() else float(z[np.argmin(goes_on)])

    def turn(self, low: float, high: float) -> float:
        """Return the number of binary64 at which G' changes its sign, 0 for one next to it."""
        rising = self.generate(np.array([low]))[1][0] > 0
        if low < 0 < high and self.generate(np.zeros(1))[1][0] == 0:
            return 0.0
        below, above = ordered(np.array([low, high])).tolist()
        while above - below > 1:
            middle = (below + above) // 2
            slope = self.generate(numbered(np.array([middle])))[1][0]
            if slope == 0:
                return float(numbered(np.array([middle]))[0])
            below, above = (middle, above) if (slope > 0) == rising else (below, middle)
        ends = numbered(np.array([below, above]))
        return float(ends[np.argmin(np.abs(ends))])

    def folds(self, turn: float) -> bool:
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


def pole_among(z: Array, value: Array, slope: Array) -> float | None:
    """Return a place among or between others at which G is not finite; None: there is none.

    Beyond a pole of odd order G comes back from the other side, against its slope.
    """
    if (lost := ~np.isfinite(value)).any():
        return float(z[lost][0])
    size = np.abs(value[:-1]) + np.abs(value[1:])
    back = np.diff(value) * np.sign(slope[:-1]) < -1e-9 * size
    back &= slope[:-1] * slope[1:] > 0
    return float(z[:-1][back][0]) if back.any() else None
