r"""Bilinear elements in the plane: a score whose squared slope is penalised, on a box.

.. math:: J(t) = \int p\,a(t) + q\,b(t) - \tfrac12 w\,|\nabla t|^2\,dx,\qquad
    w = \gamma_p p + \gamma_q q

by Newton's method and a sparse LU factorisation. The lines of a grid stand where a smooth map has
them, dense near every mode, and twice as many lines halve every cell in that map: so what a grid
misses is C·h² + O(h⁴), three grids give two extrapolations, and the second is nearer than the two
are to each other.

Source: L. F. Richardson (1911), Philosophical Transactions of the Royal Society A 210.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from gantheory.deadline import check_time
from gantheory.densities.base import Array
from gantheory.densities.plane import Spatial
from gantheory.regularised.payoffs import PenalisedPayoffs

COUNTS = (48, 96, 192)  # cells along each side
REACH = 7.25  # standard deviations of each mode within the box: 1e-12 of its mass lies outside
DENSE = 3.0  # standard deviations around a mode within which lines are evenly spaced
LINES = 4001  # places at which the map of a side is tabulated
FLOOR = 1e-80  # of the largest weight: so little holds a score where there is no mass
FAINT, UNHELD = 1e-60, 1e-11  # a weight that holds no score in rounding, and the mass it may leave
STEPS, LARGEST_STEP = 100, 3.0
AT_REST = 1e-20  # of what a Newton step still gains: scores are then within 1e-10 where mass is
_G = 0.5 - 0.5 / np.sqrt(3.0)
CORNERS = ((0, 0), (1, 0), (0, 1), (1, 1))


def _reference() -> tuple[Array, Array, Array]:
    """Return the basis and its slopes at the four Gauss points of the unit square."""
    places = [(x, y) for x in (_G, 1 - _G) for y in (_G, 1 - _G)]
    values, across, along = (np.empty((4, 4)) for _ in range(3))
    for g, (x, y) in enumerate(places):
        for k, (i, j) in enumerate(CORNERS):
            fx, fy = (x if i else 1 - x), (y if j else 1 - y)
            values[g, k] = fx * fy
            across[g, k], along[g, k] = (1 if i else -1) * fy, (1 if j else -1) * fx
    return values, across, along


VALUES, ACROSS, ALONG = _reference()


@dataclass(frozen=True)
class Grid:
    """A score on a grid: its values at the crossings of two families of lines.

    Attributes:
        lines: the places of the lines on both axes, each of shape (n + 1,).
        nodes: the score at their crossings, of shape (n + 1, n + 1).
        weights: what a squared slope costs on real and on fake samples.
    """

    lines: tuple[Array, Array]
    nodes: Array
    p: Spatial
    q: Spatial
    payoffs: PenalisedPayoffs
    weights: tuple[float, float]
    converged: bool = False

    @cached_property
    def cells(self) -> Array:
        """The numbers of each cell's corners, of shape (cells, 4)."""
        index = np.arange(self.nodes.size).reshape(self.nodes.shape)
        last = [slice(0, -1), slice(1, None)]
        return np.stack([index[last[i], last[j]].ravel() for i, j in CORNERS], axis=-1)

    @cached_property
    def sizes(self) -> tuple[Array, Array]:
        """Both sides of each cell, as columns."""
        dx, dy = (np.diff(one) for one in self.lines)
        return np.repeat(dx, len(dy))[:, None], np.tile(dy, len(dx))[:, None]

    @cached_property
    def x(self) -> Array:
        """The quadrature points, of shape (cells, 4, 2)."""
        corners = np.stack(np.meshgrid(*self.lines, indexing="ij"), axis=-1).reshape(-1, 2)
        found: Array = np.einsum("gk,ckd->cgd", VALUES, corners[self.cells])
        return found

    @cached_property
    def area(self) -> Array:
        """What each quadrature point counts, as a column."""
        return self.sizes[0] * self.sizes[1] / 4

    @cached_property
    def both(self) -> tuple[Array, Array]:
        """p and q at the quadrature points."""
        return np.exp(self.p.logpdf(self.x)), np.exp(self.q.logpdf(self.x))

    @cached_property
    def stiffness(self) -> Array:
        """The penalty's weight w at the quadrature points."""
        found = self.weights[0] * self.both[0] + self.weights[1] * self.both[1]
        return np.maximum(found, FLOOR * found.max())

    @cached_property
    def score(self) -> Array:
        """The score at the quadrature points."""
        found: Array = self.nodes.ravel()[self.cells] @ VALUES.T
        return found

    @cached_property
    def slopes(self) -> tuple[Array, Array]:
        """Its derivatives there."""
        corners = self.nodes.ravel()[self.cells]
        return corners @ ACROSS.T / self.sizes[0], corners @ ALONG.T / self.sizes[1]

    def value(self) -> float:
        """Return E_p[a(t)] + E_q[b(t)] within the box."""
        (p, q), t = self.both, self.score
        return float(
            np.sum(self.area * (p * self.payoffs.real[0](t) + q * self.payoffs.fake[0](t)))
        )

    def penalty(self) -> float:
        """Return ½·E[γ·|∇t|²] within the box."""
        squares = self.slopes[0] ** 2 + self.slopes[1] ** 2
        return float(np.sum(self.area * 0.5 * self.stiffness * squares))

    def moved(self, name: str) -> float:
        """Return the derivative of E_q[c(t)] in a parameter of q, with t held."""
        rate = self.q.score(name, self.x)
        return float(
            np.sum(self.area * self.both[1] * rate * self.payoffs.generator[0](self.score))
        )

    def at(self, place: Array) -> float:
        """Return the score at a place within the box."""
        (i, j), (u, v) = zip(*(self._cell(k, float(place[k])) for k in (0, 1)), strict=True)
        part = self.nodes[i : i + 2, j : j + 2]
        return float(np.array([1 - u, u]) @ part @ np.array([1 - v, v]))

    def holds(self, place: Array) -> bool:
        """Whether a place lies within the box."""
        return all(one[0] <= x <= one[-1] for one, x in zip(self.lines, place, strict=True))

    def bend_at(self, place: Array) -> float:
        """Return how far the score bends away from a straight line within the cell of a place."""
        k = [self._cell(axis, float(place[axis]))[0] for axis in (0, 1)]
        near = self.nodes[max(k[0] - 1, 0) : k[0] + 3, max(k[1] - 1, 0) : k[1] + 3]
        return float(sum(np.abs(np.diff(near, 2, axis=axis)).max() for axis in (0, 1)) / 4)

    def _cell(self, axis: int, x: float) -> tuple[int, float]:
        line = self.lines[axis]
        k = int(np.clip(np.searchsorted(line, x, side="right") - 1, 0, len(line) - 2))
        return k, (x - line[k]) / (line[k + 1] - line[k])


def climb(grid: Grid) -> Grid:
    """Return the maximiser on the same grid, by damped Newton steps."""
    payoffs = grid.payoffs
    for _ in range(STEPS):
        check_time()
        step, gain = _newton_step(grid)
        if not (np.isfinite(gain) and np.all(np.isfinite(step))):
            return grid
        if not payoffs.quadratic:
            step = np.clip(step, -LARGEST_STEP, LARGEST_STEP)
        nodes = grid.nodes + step
        while nodes.min() <= payoffs.low or nodes.max() >= payoffs.high:
            step = 0.5 * step
            nodes = grid.nodes + step
        moved = replace(grid, nodes=nodes)
        for name in ("cells", "sizes", "x", "area", "both", "stiffness"):
            moved.__dict__[name] = getattr(grid, name)
        grid = moved
        if gain <= AT_REST * (1 + abs(grid.value())):
            return replace(grid, converged=True)
    return grid


def _newton_step(grid: Grid) -> tuple[Array, float]:
    """Return the Newton step at the crossings, and twice what it promises to gain.

    The unknowns are scaled by the diagonal.
    """
    (p, q), t, payoffs = grid.both, grid.score, grid.payoffs
    (dx, dy), (sx, sy) = grid.sizes, grid.slopes
    force = grid.area * (p * payoffs.real[1](t) + q * payoffs.fake[1](t))
    bend = grid.area * (p * payoffs.real[2](t) + q * payoffs.fake[2](t))
    stiff = grid.area * grid.stiffness
    pull = force @ VALUES - (stiff * sx / dx) @ ACROSS - (stiff * sy / dy) @ ALONG
    matrices = np.einsum("cg,gi,gj->cij", -bend, VALUES, VALUES, optimize=True)
    for size, basis in ((dx, ACROSS), (dy, ALONG)):
        matrices += np.einsum("cg,gi,gj->cij", stiff / size**2, basis, basis, optimize=True)
    rows, columns = np.repeat(grid.cells, 4, axis=1), np.tile(grid.cells, (1, 4))
    count = grid.nodes.size
    matrix = sparse.csc_matrix(
        (matrices.ravel(), (rows.ravel(), columns.ravel())), shape=(count, count)
    )
    right = np.bincount(grid.cells.ravel(), pull.ravel(), minlength=count)
    scale = 1 / np.sqrt(matrix.diagonal())
    scaled = sparse.diags(scale) @ matrix @ sparse.diags(scale)
    if payoffs.linear:  # a constant is free, and what quadrature makes of p − q has a sum
        share = np.bincount(grid.cells.ravel(), (grid.area * (p + q) @ VALUES).ravel(), count)
        right = right - share * right.sum() / share.sum()
        scaled = scaled + sparse.csc_matrix(([1.0], ([count // 2], [count // 2])), scaled.shape)
    try:
        factors = splu(scaled.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    except RuntimeError:  # singular in rounding
        return grid.nodes, np.nan
    found = scale * factors.solve(scale * right)
    return found.reshape(grid.nodes.shape), float(found @ right)


def start(p: Spatial, q: Spatial, payoffs: PenalisedPayoffs, weights: tuple[float, float]) -> Grid:
    """Return a constant score on the coarsest grid."""
    lines = _lines(p, q, COUNTS[0])
    nodes = np.full((COUNTS[0] + 1, COUNTS[0] + 1), payoffs.middle)
    return Grid(lines, nodes, p, q, payoffs, weights)


def solved(first: Grid) -> tuple[Grid, ...]:
    """Return the optimum on grids of twice the lines of the one before, until one is lost."""
    found = [climb(first)]
    for count in COUNTS[1:]:
        last = found[-1]
        if not last.converged:
            break
        lines = _lines(last.p, last.q, count)
        nodes = _carried(last, *lines)
        found.append(climb(replace(last, lines=lines, nodes=nodes, converged=False)))
    return tuple(found)


def unheld(grid: Grid) -> str | None:
    """Say where samples are on which the penalty hardly holds the score."""
    faint = grid.stiffness <= FAINT * grid.stiffness.max()
    mass = max(float(np.sum(grid.area * law * faint)) for law in grid.both)
    if mass <= UNHELD:
        return None
    return (
        f"one of the laws has the mass {mass:.3g} where the penalty's weight is below {FAINT:g} of "
        "its largest; penalise both kinds of samples, as in 'both(1)'"
    )


def _lines(p: Spatial, q: Spatial, count: int) -> tuple[Array, Array]:
    share = np.linspace(0, 1, count + 1)
    first, second = (_side(p, q, axis)(share) for axis in (0, 1))
    return first, second


def _side(p: Spatial, q: Spatial, axis: int) -> Callable[[Array], Array]:
    """Return the map from [0, 1] to a side of the box, which has more lines near the modes."""
    means = np.concatenate([law.means[:, axis] for law in (p, q)])
    widths = np.sqrt(np.concatenate([law.covariances[:, axis, axis] for law in (p, q)]))
    low, high = float((means - REACH * widths).min()), float((means + REACH * widths).max())
    x = np.linspace(low, high, LINES)
    modes = np.unique(np.round(np.stack([means, widths], axis=1) / widths.min(), 3), axis=0)
    modes = modes * widths.min()
    rate = sum(1 / np.hypot(x - mean, DENSE * width) for mean, width in modes)
    total = np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]))])
    return lambda share: np.interp(share, total / total[-1], x)


def _carried(grid: Grid, first: Array, second: Array) -> Array:
    """Return the score of a coarser grid at the crossings of a finer one."""
    one = np.stack([np.interp(first, grid.lines[0], column) for column in grid.nodes.T], axis=1)
    return np.stack([np.interp(second, grid.lines[1], row) for row in one], axis=0)
