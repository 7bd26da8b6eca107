r"""Finite elements of high degree on the line: a concave functional of t and t', maximised.

.. math:: J(t) = \int p\,a(t) + q\,b(t) - \tfrac12 w\,t'^2\,dx,\qquad w = \gamma_p p + \gamma_q q

Newton's method on piecewise polynomials. For any t, with the flux σ that has
:math:`\sigma' = -(p a'(t) + q b'(t))` and vanishes at the ends, duality bounds what is missed:

.. math:: 0 \le J^* - J(t) \le \int \frac{(\sigma - w t')^2}{2w}\,dx

which is a sum of squares, free of cancellation, and says which elements to cut. A bound on the
slope is held by a barrier instead of the penalty; `energies` has both.

Source: W. Prager, J. L. Synge (1947), Quarterly of Applied Mathematics 5 (the bound, for linear
problems; for concave ones I. Ekeland, R. Temam (1976), Convex Analysis and Variational Problems).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.polynomial import legendre
from scipy.linalg import LinAlgError, cho_solve_banded, cholesky_banded

from gantheory.densities.base import Array
from gantheory.regularised.energies import Energy, Quadratic
from gantheory.regularised.payoffs import PenalisedPayoffs

DEGREE = 10
POINTS = 18  # of Gauss's rule on an element: exact to degree 35
STEPS = 200
LARGEST_STEP = 3.0  # of the score: where exp(t) is too large, Newton's step is -1
SMALL_STEP = 1e-11
HELD = 1e-4  # of the penalty's weight: a payoff that bends less does not hold a score
NOISE = 1e-14  # of all forces: a flux below it is the rounding of a sum
FARTHEST = 690.0  # a score whose exponential binary64 holds

Densities = Callable[[Array], tuple[Array, Array]]


def _reference() -> tuple[Array, Array, Array, Array, Array, Array, Array]:
    """Return Gauss points and weights, basis values and slopes, integrals from both ends, nodes."""
    x, weights = legendre.leggauss(POINTS)
    inner = legendre.legroots(legendre.legder(np.eye(DEGREE + 1)[DEGREE]))
    nodes = np.concatenate([[-1.0], np.sort(inner.real), [1.0]])  # Gauss-Lobatto
    to_series = np.linalg.inv(legendre.legvander(nodes, DEGREE))
    values = legendre.legvander(x, DEGREE) @ to_series
    slopes = np.column_stack(
        [legendre.legval(x, legendre.legder(to_series[:, k])) for k in range(DEGREE + 1)]
    )
    series = np.linalg.inv(legendre.legvander(x, POINTS - 1))
    left = np.column_stack(
        [legendre.legval(x, legendre.legint(series[:, k], lbnd=-1)) for k in range(POINTS)]
    )
    right = np.column_stack(
        [-legendre.legval(x, legendre.legint(series[:, k], lbnd=1)) for k in range(POINTS)]
    )
    return x, weights, values, slopes, left, right, nodes


GAUSS, WEIGHTS, VALUES, SLOPES, FROM_LEFT, FROM_RIGHT, NODES = _reference()
TO_SERIES = np.linalg.inv(legendre.legvander(NODES, DEGREE))
_SERIES = np.linalg.inv(legendre.legvander(GAUSS, POINTS - 1))
FROM_SLOPES = legendre.legvander(NODES, POINTS) @ legendre.legint(_SERIES, lbnd=-1)


@dataclass(frozen=True)
class Solution:
    """A score on a mesh: its values at the nodes of each element, one row an element.

    Attributes:
        edges: the ends of the elements, in order.
        nodes: the score at the Gauss-Lobatto nodes, of shape (elements, degree + 1).
        energy: what slopes cost.
        converged: whether Newton's method came to rest.
    """

    edges: Array
    nodes: Array
    payoffs: PenalisedPayoffs
    densities: Densities
    energy: Energy
    converged: bool = True

    @cached_property
    def half(self) -> Array:
        """Half of the elements' lengths, as a column."""
        return 0.5 * np.diff(self.edges)[:, None]

    @cached_property
    def x(self) -> Array:
        """The quadrature points."""
        return 0.5 * (self.edges[:-1] + self.edges[1:])[:, None] + self.half * GAUSS

    @cached_property
    def both(self) -> tuple[Array, Array]:
        """p and q at the quadrature points."""
        return self.densities(self.x)

    @cached_property
    def alone(self) -> bool:
        """Whether one of the laws has no mass here, so that a constant score is best."""
        return not all(np.any(density > 0) for density in self.both)

    def mass(self, law: int) -> float:
        """Return the mass of p (0) or q (1) on the mesh."""
        return float(self.integral(self.both[law]).sum())

    @cached_property
    def score(self) -> Array:
        """The score at the quadrature points."""
        return self.nodes @ VALUES.T

    @cached_property
    def slope(self) -> Array:
        """Its derivative in x."""
        return self.nodes @ SLOPES.T / self.half

    @cached_property
    def stiffness(self) -> Array:
        """The energy's weight w."""
        return self.energy.weight(self.x, *self.both)

    def integral(self, values: Array) -> Array:
        """Return the integral over each element."""
        found: Array = (values * WEIGHTS).sum(1) * self.half[:, 0]
        return found

    @cached_property
    def value(self) -> Array:
        """What each element adds to E_p[a(t)] + E_q[b(t)]."""
        p, q = self.both
        return self.integral(p * self.payoffs.real[0](self.score)) + self.integral(
            q * self.payoffs.fake[0](self.score)
        )

    @cached_property
    def penalty(self) -> Array:
        """What each element adds to the penalty."""
        return self.integral(self.energy.cost(self.stiffness, self.slope))

    @cached_property
    def smooth_force(self) -> Array:
        """p·a'(t) + q·b'(t), without what kinks add."""
        p, q = self.both
        return p * self.payoffs.real[1](self.score) + q * self.payoffs.fake[1](self.score)

    @cached_property
    def smooth_bend(self) -> Array:
        """p·a''(t) + q·b''(t), without what kinks add."""
        p, q = self.both
        return p * self.payoffs.real[2](self.score) + q * self.payoffs.fake[2](self.score)

    @property
    def force(self) -> Array:
        """What pushes the score up, without the penalty."""
        return self.smooth_force

    @property
    def bend(self) -> Array:
        """What the force gains as the score grows."""
        return self.smooth_bend

    @property
    def pull(self) -> Array:
        """The force that Newton's step starts from."""
        return self.force

    @property
    def aside(self) -> Array | float:
        """What scores themselves miss under the forces that they are given."""
        return 0.0

    @cached_property
    def needed(self) -> Array:
        """The flux σ with σ' = −force that vanishes at the ends, summed from the nearer one."""
        inner = self.integral(self.force)
        before = np.concatenate([[0.0], np.cumsum(inner)[:-1]])
        after = np.concatenate([np.cumsum(inner[::-1])[::-1][1:], [0.0]])
        sigma = -(before[:, None] + self.half * (self.force @ FROM_LEFT.T))
        other = after[:, None] + self.half * (self.force @ FROM_RIGHT.T)
        mass = np.cumsum(self.integral(self.stiffness))
        return np.where((mass < 0.5 * mass[-1])[:, None], sigma, other)

    @cached_property
    def gap(self) -> Array:
        """What each element adds to the bound of J* − J: the flux against the slope's."""
        sigma = self.needed
        felt = float(self.integral(np.abs(self.force)).sum())
        own = np.abs(self.energy.flux(self.stiffness, self.slope))
        noise = np.maximum(np.abs(sigma), own) < NOISE * felt
        missed = self.energy.missed(sigma, self.stiffness, self.slope)
        return self.integral(np.where(noise, 0.0, missed) + self.aside)

    def at(self, x: Array, slope: bool = False) -> Array:
        """Return the score, or its derivative, at points within the mesh."""
        k = np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, len(self.nodes) - 1)
        half = 0.5 * (self.edges[k + 1] - self.edges[k])
        local = (x - 0.5 * (self.edges[k + 1] + self.edges[k])) / half
        series = self.nodes @ TO_SERIES.T
        if slope:
            series = np.array([legendre.legder(row) for row in series])
        found: Array = (legendre.legvander(local, series.shape[1] - 1) * series[k]).sum(-1)
        return found / half if slope else found

    def cut(self, where: Array) -> Solution:
        """Return the same score with the elements halved where ``where`` is true."""
        middles = 0.5 * (self.edges[:-1] + self.edges[1:])
        edges = np.sort(np.concatenate([self.edges, middles[where]]))
        return replace(self, edges=edges, nodes=self.at(_nodes(edges)))


def _nodes(edges: Array) -> Array:
    half = 0.5 * np.diff(edges)[:, None]
    found: Array = 0.5 * (edges[:-1] + edges[1:])[:, None] + half * NODES
    return found


def start(
    edges: Array,
    payoffs: PenalisedPayoffs,
    densities: Densities,
    energy: Energy,
    level: bool = False,
) -> Solution:
    """Return a score to begin with: what is best at each point alone, or a constant.

    Where the payoffs hold a point's score less than the penalty does, it is that of its
    neighbours.
    """
    places = _nodes(edges)
    nodes = np.full_like(places, payoffs.middle)
    if not level:
        p, q = (density.ravel() for density in densities(places))
        best = _pointwise(payoffs, p, q)
        bend = -(p * payoffs.real[2](best) + q * payoffs.fake[2](best))
        held = (bend > HELD * energy.weight(places.ravel(), p, q)) & (np.abs(best) < FARTHEST - 1)
        if held.any():
            x = places.ravel()
            nodes = np.interp(x, x[held], best[held]).reshape(places.shape)
    return Solution(edges, nodes, payoffs, densities, energy, False)


def _pointwise(payoffs: PenalisedPayoffs, p: Array, q: Array) -> Array:
    """Return the zero of p·a' + q·b', which falls, by bisection."""
    low = np.full_like(p, max(payoffs.low, -FARTHEST))
    high = np.full_like(p, min(payoffs.high, FARTHEST))
    for _ in range(60):
        middle = 0.5 * (low + high)
        rising = p * payoffs.real[1](middle) + q * payoffs.fake[1](middle) > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    found: Array = 0.5 * (low + high)
    return found


def climb(solution: Solution, steps: int = STEPS, rest: float = SMALL_STEP) -> Solution:
    """Return the maximiser on the same mesh, by damped Newton steps."""
    for _ in range(steps):
        step = newton_step(solution)
        if step is None:
            return Solution(*_parts(solution), False)
        size = float(np.abs(step).max())
        bounded = np.isfinite(solution.energy.most)
        if not (solution.payoffs.quadratic or bounded):
            step = np.clip(step, -LARGEST_STEP, LARGEST_STEP)
        moved = _inside(solution, step)
        if moved is None:
            return Solution(*_parts(solution), False)
        solution = moved
        if size <= rest * (1 + float(np.abs(solution.nodes).max())):
            return Solution(*_parts(solution), True)
    return Solution(*_parts(solution), False)


def _parts(s: Solution) -> tuple[Array, Array, PenalisedPayoffs, Densities, Energy]:
    return s.edges, s.nodes, s.payoffs, s.densities, s.energy


def _inside(solution: Solution, step: Array) -> Solution | None:
    """Return the step, shortened until every score is in the domain and every force finite."""
    payoffs, factor = solution.payoffs, room(solution, step)
    for _ in range(60):
        nodes = solution.nodes + factor * step
        if nodes.min() > payoffs.low and nodes.max() < payoffs.high:
            moved = Solution(
                solution.edges, nodes, payoffs, solution.densities, solution.energy, False
            )
            keep_mesh(moved, solution)
            if np.all(np.isfinite(moved.force)) and _rises(moved, solution):
                return moved
        factor *= 0.5
    return None


def _rises(moved: Solution, solution: Solution) -> bool:
    """Whether a step gains; Newton's own steps need no such watch under a quadratic penalty."""
    energy = solution.energy
    if isinstance(energy, Quadratic):
        return True
    gains = [
        one.value.sum() - one.integral(energy.held(one.stiffness, one.slope)).sum()
        for one in (solution, moved)
    ]
    return bool(gains[1] >= gains[0] - 1e-15 * (1 + abs(gains[0])))


def room(solution: Solution, step: Array) -> float:
    """Return the part of a step that keeps every slope below its bound."""
    most = solution.energy.most
    if not np.isfinite(most):
        return 1.0
    change = step @ SLOPES.T / solution.half
    with np.errstate(all="ignore"):
        reach = (most * np.sign(change) - solution.slope) / change
    return min(1.0, 0.95 * float(np.min(np.where(change == 0, np.inf, reach))))


def keep_mesh(moved: Solution, known: Solution) -> None:
    """Hand on what depends on the mesh alone."""
    for name in ("half", "x", "both", "stiffness"):
        moved.__dict__[name] = getattr(known, name)


def newton_step(s: Solution) -> Array | None:
    """Return the Newton step at the nodes of each element; None where no matrix is definite."""
    flux = s.energy.flux(s.stiffness, s.slope)
    pull = (s.half * WEIGHTS * s.pull) @ VALUES - (WEIGHTS * flux) @ SLOPES
    band = hessian(s)
    if s.payoffs.linear:
        hold(band)
    found = solve_bands(band, gathered(pull))
    return None if found is None else spread(found, len(s.nodes))


def spread(found: Array, count: int) -> Array:
    """Return the values at the nodes of each element, one row an element."""
    return found[np.arange(count)[:, None] * DEGREE + np.arange(DEGREE + 1)]


def hessian(s: Solution) -> Array:
    """Return the negative second derivative of J at the nodes, as the bands of a matrix."""
    stiff = s.energy.bend(s.stiffness, s.slope)
    scale = s.half * WEIGHTS
    matrices = np.einsum("eq,qi,qj->eij", -scale * s.bend, VALUES, VALUES, optimize=True)
    matrices += np.einsum("eq,qi,qj->eij", WEIGHTS * stiff / s.half, SLOPES, SLOPES, optimize=True)
    count, n = len(s.nodes), DEGREE
    band = np.zeros((n + 1, count * n + 1))
    for i in range(n + 1):
        for j in range(i + 1):
            band[i - j, j : j + (count - 1) * n + 1 : n] += matrices[:, i, j]
    return band


def gathered(parts: Array) -> Array:
    """Return what the nodes of all elements have in common, from one row an element."""
    count, n = len(parts), DEGREE
    found = np.zeros(count * n + 1)
    for i in range(n + 1):
        found[i : i + (count - 1) * n + 1 : n] += parts[:, i]
    return found


def hold(band: Array) -> None:
    """Hold the score at one node, where a constant is free."""
    band[0, band.shape[1] // 2] *= 2


def solve_bands(band: Array, right: Array) -> Array | None:
    """Solve a symmetric banded system, each unknown scaled by its diagonal."""
    if np.any(band[0] <= 0) or not np.all(np.isfinite(band)):
        return None
    scale = 1 / np.sqrt(band[0])
    scaled = np.zeros_like(band)
    for k in range(len(band)):
        scaled[k, : band.shape[1] - k] = (
            band[k, : band.shape[1] - k] * scale[: band.shape[1] - k] * scale[k:]
        )
    try:
        factor = cholesky_banded(scaled, lower=True)
    except LinAlgError:
        return None
    found: Array = scale * cho_solve_banded((factor, True), scale * right)
    return found
