"""Where two laws are seen: quadrature nodes with the mass that each law has there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.polynomial import legendre
from scipy.special import expit

from gantheory.critics.laws import DiscreteLaw
from gantheory.densities.base import Array, Density
from gantheory.densities.discrete import Discrete
from gantheory.densities.inherited import of_family
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError
from gantheory.records import Estimate
from gantheory.regularised.mesh import elements, ends_of
from gantheory.rounding import EPS
from gantheory.wrt import parameter_of_q

POINTS = 18  # of Gauss's rule on an element
FAINT = -250.0  # of a log-density: what a mean may still weigh with exp(250)
STEP = 1.5  # outwards from the ends that hold all but 1e-17 of the mass
STEPS = 60
LOOSE = 1e-12  # of a mean, on the outermost element of an infinite end
SAFETY = 4.0  # the finer of two resolutions is nearer than their difference, by far when smooth
COARSE = 1e-3  # relative: two resolutions that differ so much do not resolve the laws
ROUNDING = 64 * EPS

GAUSS, WEIGHTS = legendre.leggauss(POINTS)
Law = Density | DiscreteLaw


@dataclass(frozen=True)
class Nodes:
    """Places with the masses of P and Q and log p − log q.

    Attributes:
        x: the places, as rows of elements on the line, or one row of points.
        real: the mass of P at each place.
        fake: the mass of Q.
        u: log p − log q.
        open_ends: whether the first and the last element stand before an infinite end.
    """

    x: Array
    real: Array
    fake: Array
    u: Array
    open_ends: tuple[bool, bool] = (False, False)

    @cached_property
    def lengths(self) -> Array:
        """What each place on the line stands for in an integral over dx."""
        half = (self.x[:, -1:] - self.x[:, :1]) / (GAUSS[-1] - GAUSS[0])
        return half * WEIGHTS

    @cached_property
    def shares(self) -> tuple[Array, Array]:
        """p/(p + q) and q/(p + q)."""
        return expit(self.u), expit(-self.u)

    def mean(self, law: str, values: Array) -> float:
        """Return E[values] under a law."""
        with np.errstate(all="ignore"):
            return float(self.terms(law, values).sum())

    def terms(self, law: str, values: Array) -> Array:
        """Return what each place adds to a mean."""
        mass = self.real if law == "p" else self.fake
        with np.errstate(all="ignore"):
            return np.where(mass > 0, mass * values, 0.0)

    def loose(self, law: str, values: Array) -> float:
        """Return the size of a mean on the outermost elements before infinite ends."""
        return self.at_ends(self.terms(law, values))

    def at_ends(self, terms: Array) -> float:
        """Return the size of what the outermost elements before infinite ends add."""
        rows = [row for row, is_open in zip((0, -1), self.open_ends, strict=True) if is_open]
        return float(np.abs(terms[rows]).sum())


def nodes_of(p: Law, q: Law, also: Density | None = None) -> tuple[Nodes, Nodes]:
    """Return two resolutions of a pair of laws, the coarse one first; on points they are equal.

    On the line a third law may be resolved with them.

    Raises:
        GantheoryError: for laws that are neither on the line nor on finitely many points.
    """
    if isinstance(p, Univariate) and isinstance(q, Univariate):
        edges, open_ends = _edges(p, q)
        if isinstance(also, Univariate):
            edges = np.union1d(edges, elements(also, also, *edges[[0, -1]]))
        finer = np.sort(np.concatenate([edges, 0.5 * (edges[:-1] + edges[1:])]))
        return _on_line(p, q, edges, open_ends), _on_line(p, q, finer, open_ends)
    if isinstance(p, DiscreteLaw) and isinstance(q, DiscreteLaw):
        points = sorted({*p.points, *q.points})
        masses = ([float(law.mass(x)) for x in points] for law in (p, q))
        found = _on_points(np.array([float(x) for x in points]), *map(np.array, masses))
        return found, found
    if of_family(p, Discrete) and of_family(q, Discrete):
        x = np.arange(max(len(p.masses), len(q.masses)), dtype=float)
        found = _on_points(x, p.pdf(x), q.pdf(x))
        return found, found
    raise GantheoryError(f"{p} and {q}: give two laws on the line, or two on finitely many points")


def _on_points(x: Array, real: Array, fake: Array) -> Nodes:
    with np.errstate(all="ignore"):
        u = np.log(real) - np.log(fake)
    return Nodes(x[None, :], real[None, :], fake[None, :], u[None, :])


def _on_line(p: Univariate, q: Univariate, edges: Array, open_ends: tuple[bool, bool]) -> Nodes:
    half = 0.5 * np.diff(edges)[:, None]
    x = 0.5 * (edges[:-1] + edges[1:])[:, None] + half * GAUSS
    logs = p.logpdf(x), q.logpdf(x)
    held = np.maximum(*logs) > FAINT  # elsewhere neither law has mass
    with np.errstate(all="ignore"):
        u = np.where(held, logs[0] - logs[1], 0.0)
        masses = [np.where(held, half * WEIGHTS * np.exp(log), 0.0) for log in logs]
    return Nodes(x, masses[0], masses[1], u, open_ends)


def _edges(p: Univariate, q: Univariate) -> tuple[Array, tuple[bool, bool]]:
    """Return elements that reach to where both densities underflow, or to the supports' ends."""
    reach = [ends_of(law) for law in (p, q)]
    low, high = min(a for a, _ in reach), max(b for _, b in reach)
    lowest, highest = min(p.support[0], q.support[0]), max(p.support[1], q.support[1])
    middle, size = 0.5 * (low + high), 0.5 * (high - low)
    ends = []
    for side, last in ((-1, lowest), (1, highest)):
        end = low if side < 0 else high
        distance = size
        for _ in range(STEPS):
            if math.isfinite(last) or max(float(law.logpdf(end)) for law in (p, q)) < FAINT:
                break
            distance *= STEP
            end = middle + side * distance
        ends.append(last if math.isfinite(last) else end)
    return elements(p, q, *ends), (math.isinf(lowest), math.isinf(highest))


def from_two_resolutions(fine: float, coarse: float, error: float, method: str) -> Estimate:
    """Return the finer of two resolutions, with their difference and other errors as its error."""
    total = SAFETY * abs(float(fine) - float(coarse)) + float(error)
    if not np.isfinite(total) or (total > COARSE * abs(fine) and total > 1e-8):
        return Estimate.undetermined(
            f"two resolutions give {coarse:.6g} and {fine:.6g}: a mean does not converge", method
        )
    return Estimate(float(fine), total, method=method)


def moved_law(q: Law, wrt: str) -> tuple[Univariate, str]:
    """Return the law that a generator moves, and its parameter that ``wrt`` names."""
    name = parameter_of_q(wrt)
    if not isinstance(q, Univariate):
        raise GantheoryError(f"wrt={wrt!r}: {q} has no such parameter")
    return q, name


def numbers_of(critic: Any, wrt: str | None) -> dict[str, Any]:
    """Return the JSON keys of a best critic: the question, V, and with ``wrt`` the gradient."""
    numbers = {"value": critic.value}
    if wrt is not None:
        numbers["gradient"] = critic.gradient(wrt)
    return {
        "loss": critic.loss.name, "p": str(critic.p), "q": str(critic.q), "wrt": wrt,
        **{name: one.as_dict() for name, one in numbers.items()},
    }  # fmt: skip
