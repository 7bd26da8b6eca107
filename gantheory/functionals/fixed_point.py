r"""The numbers that a best score depends on, as a fixed point: each moment of t(r; M) is M.

Newton's method with differences, in the least-squares sense, since an invariance of the objective
leaves some combination free.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy as sp
from scipy.optimize import minimize

from gantheory.critics.functional import Means, Moment
from gantheory.densities.base import Array
from gantheory.functionals.nodes import ROUNDING, Nodes
from gantheory.functionals.scores import Function, compiled_force, zeros_of_forces
from gantheory.functions import t

STEPS = 60
STEP = 1e-6  # of differences
REST = 1e-13
NEAR = 1e-9  # a step that rounding keeps from being smaller
FREE = 1e-7  # a slope of this size is that of rounding in differences: the rest have size 1
SMALLEST = 1e-6  # of the masses that a climb is scaled by
CLIMB = 300


@dataclass(frozen=True)
class MeansGame:
    """A functional, ready to be evaluated on nodes."""

    means: Means

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """The moments, and those that nesting adds."""
        return self.means.unknowns

    @cached_property
    def names(self) -> tuple[sp.Symbol, ...]:
        """Their symbols."""
        return tuple(moment.symbol for moment in self.moments)

    @cached_property
    def _integrands(self) -> list[Function]:
        return [self.function(moment.integrand) for moment in self.moments]

    @cached_property
    def _forces(self) -> list[Function]:
        return [self.function(self.means.force(law)) for law in "pq"]

    @cached_property
    def _slopes(self) -> list[Function]:
        return [self.function(sp.diff(self.means.force(law), t)) for law in "pq"]

    @cached_property
    def active(self) -> Array:
        """Which moments the score depends on."""
        needed = self.means.force("p").free_symbols | self.means.force("q").free_symbols
        inner = (moment.integrand.free_symbols for moment in self.moments)
        needed = needed.union(*inner)
        return np.array([k for k, name in enumerate(self.names) if name in needed], int)

    @cached_property
    def _last(self) -> list[tuple[Nodes, Array]]:
        """The last nodes and their score, where the next one on the same nodes is looked for."""
        return []

    def score(self, nodes: Nodes, values: Array) -> Array:
        """Return the score that solves the condition with these moments at every node."""
        shares = [share.ravel() for share in nodes.shares]

        def force(score: Array, k: Array) -> tuple[Array, Array]:
            found = []
            for functions in (self._forces, self._slopes):
                parts = [one(score, values) for one in functions]
                with np.errstate(all="ignore"):
                    total = sum(
                        np.where(share[k] > 0, share[k] * part, 0.0)
                        for share, part in zip(shares, parts, strict=True)
                    )
                found.append(np.asarray(total))
            return found[0], found[1]

        near = next((score for known, score in self._last if known is nodes), None)
        found = zeros_of_forces(force, nodes.u.shape, near)
        self._last[:] = [(nodes, found)]
        return found

    def function(self, expr: sp.Expr) -> Function:
        """Return an expression in t and the moments as a function of arrays."""
        return compiled_force(expr, self.names)

    def images(self, nodes: Nodes, score: Array, values: Array) -> Array:
        """Return the mean of each integrand, its inner moments being ``values``."""
        found = [
            nodes.mean(moment.law, function(score, values))
            for moment, function in zip(self.moments, self._integrands, strict=True)
        ]
        return np.array(found)

    def measured(self, nodes: Nodes, score: Array) -> tuple[Array, Array]:
        """Return the moments of a score, inner ones first, and the size of what they add up."""
        values, sizes = np.zeros(len(self.moments)), np.zeros(len(self.moments))
        for k, moment in enumerate(self.moments):
            terms = self._integrands[k](score, values)
            values[k] = nodes.mean(moment.law, terms)
            sizes[k] = ROUNDING * nodes.mean(moment.law, np.abs(terms)) + nodes.loose(
                moment.law, terms
            )
        return values, sizes

    def outer(self, values: Array) -> float:
        """Return the objective for given moments."""
        at = dict(zip(self.names, map(float, values), strict=True))
        return float(sp.N(self.means.outer.xreplace(at)))

    def solve(self, nodes: Nodes, near: Array | None = None) -> tuple[Array, Array, Array] | None:
        """Return the moments at the fixed point, the last step and the inverse slope; or None.

        ``near`` are moments to begin with.
        """
        if near is not None:
            return self._from(nodes, near)
        starts = np.clip(nodes.u, -3, 3), 0 * nodes.u
        for start in starts:
            if (found := self._from(nodes, self.measured(nodes, start)[0])) is not None:
                return found
        return self._from(nodes, self.measured(nodes, self._climbed(nodes))[0])

    def _climbed(self, nodes: Nodes) -> Array:
        """Return a score of which no bounded change gains much, by a quasi-Newton method."""
        scale = 1 / np.sqrt(nodes.real + nodes.fake + SMALLEST)

        def loss(x: Array) -> tuple[float, Array]:
            score = x.reshape(nodes.u.shape) * scale
            values, _ = self.measured(nodes, score)
            force = nodes.terms("p", self._forces[0](score, values))
            force = force + nodes.terms("q", self._forces[1](score, values))
            return -self.outer(values), -(force * scale).ravel()

        start = (np.clip(nodes.u, -1, 1) / scale).ravel()
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": CLIMB})
        return found.x.reshape(nodes.u.shape) * scale

    def _from(self, nodes: Nodes, values: Array) -> tuple[Array, Array, Array] | None:
        """Return the fixed point that Newton's method finds from some moments."""
        gap = self._gap(nodes, values)
        if not len(self.active):
            return None if gap is None else (values, np.zeros_like(values), np.zeros((0, 0)))
        for _ in range(STEPS):
            if gap is None:
                return None
            slope = self._slope(nodes, values, gap)
            if slope is None:
                return None
            inverse = _inverse(slope)
            step = np.zeros_like(values)
            step[self.active] = -inverse @ gap[self.active]
            size = np.abs(step).max() / (1 + np.abs(values).max())
            if size < REST:
                return values, step, inverse
            values, gap, moved = self._damped(nodes, values, gap, step)
            if not moved:
                return (values, step, inverse) if size < NEAR else None
        return None

    def _gap(self, nodes: Nodes, values: Array) -> Array | None:
        found = self.images(nodes, self.score(nodes, values), values) - values
        return found if np.all(np.isfinite(found)) else None

    def _slope(self, nodes: Nodes, values: Array, gap: Array) -> Array | None:
        columns = []
        for k in self.active:
            step = STEP * (1 + abs(values[k]))
            there = self._gap(nodes, values + step * np.eye(len(values))[k])
            if there is None:
                return None
            columns.append((there - gap)[self.active] / step)
        return np.array(columns).T.reshape(len(self.active), len(self.active))

    def _damped(
        self, nodes: Nodes, values: Array, gap: Array, step: Array
    ) -> tuple[Array, Array, bool]:
        """Return the step, halved until the gap is smaller, and whether there was one."""
        for halving in range(12):
            there = values + 0.5**halving * step
            found = self._gap(nodes, there)
            if found is not None and _size(found[self.active]) < _size(gap[self.active]):
                return there, found, True
        return values, gap, False


def _inverse(slope: Array) -> Array:
    """Return the inverse but for the combinations that an invariance leaves free."""
    left, sizes, right = np.linalg.svd(slope)
    kept = np.where(sizes > FREE, 1 / np.maximum(sizes, FREE), 0.0)
    found: Array = right.T @ (kept[:, None] * left.T)
    return found


def _size(values: Array) -> float:
    return float(np.abs(values).max())
