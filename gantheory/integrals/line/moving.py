r"""What the ends and jumps of q add to a derivative when they move with its parameter.

Differentiating the limits of ∫ q f̃(p/q) gives Σ velocity·[φ(q₋) − φ(q₊)] over the places where q
jumps from q₋ to q₊, with φ(q) = q f̃(p/q) + a·q + b·p and any constants: a is the constant that the
chosen form of the slope G − c subtracts, and b drops out where p is continuous. Since
q f̃ = q G(u) + p f̃'(r), and f̃'(r) is the slope G of the reversed divergence at −u, every form of
both slopes gives one form of φ. Where p/q is tiny their limits, which would cancel, are left out:
for TV φ is then −min(p, q).
"""

from __future__ import annotations

import math

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.images import steepness
from gantheory.densities.univariate import Points, Univariate
from gantheory.divergences import Complement
from gantheory.divergences.ratio import Ratio
from gantheory.divergences.stable import Integrand
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.kernels.stable import kernel_of
from gantheory.integrals.line.crossings import Term
from gantheory.integrals.line.integrals import Pair
from gantheory.records import Estimate
from gantheory.rounding import EPS

SMOOTH = 1e-9  # one-sided limits that differ by less are one value, rounded
NEXT = 1e-300  # of a point: a distance at which it is itself, seen from one side


def no_derivative(parameter: str, p: Univariate, q: Univariate) -> Estimate | None:
    """Refuse a derivative where a moving end or jump of q makes the divergence kink or jump."""
    if refusal := moves_one_way(parameter, q):
        return refusal
    for point, _ in moving_points(q, parameter):
        tails = [d.tail(point, side) for d in (q, p) for side in (-1, +1)]
        if any(tail is None or tail.is_unbounded for tail in tails[:2]):
            return Estimate.undetermined(
                f"q is unbounded at {point:g}, which moves with {parameter}; use a one-sided "
                "difference of values"
            )
        if _jumps(p, point) and _jumps(q, point):
            return Estimate.undetermined(
                f"p and q both end or jump at {point:g}, which moves with {parameter}: the "
                "derivatives from the two sides differ; move one of the laws"
            )
    return None


def moves_one_way(parameter: str, q: Univariate) -> Estimate | None:
    """Refuse a derivative where the parameter lies at the end of its range."""
    for point, velocity in moving_points(q, parameter):
        if math.isnan(velocity):
            return Estimate.undetermined(
                f"{parameter} lies at the end of its range, at {point:g}, from which it can move "
                "one way only; use a one-sided difference of values"
            )
    return None


def moving_points(q: Univariate, parameter: str) -> list[tuple[float, float]]:
    """Return (point, velocity) of each end or kink of q that the parameter moves.

    The velocity is nan where the parameter can move one way only.
    """
    points = {end for piece in q.pieces for end in piece if math.isfinite(end)} | {*q.kinks}
    moving = [(point, q.end_velocity(parameter, point)) for point in sorted(points)]
    return [(point, velocity) for point, velocity in moving if velocity]


def _jumps(law: Univariate, point: float) -> bool:
    """Whether the density is discontinuous at a point: its two one-sided limits differ."""
    below, above = (np.exp(law.log_density(beside(point, side))[0]) for side in (-1, +1))
    return bool(abs(below - above) > SMOOTH * max(below, above))


def beside(point: float, side: int) -> Points:
    """Return the point itself, seen from one side."""
    one = np.ones(1)
    return Points(point * one, side * one, NEXT * one, math.log(NEXT) * one)


def boundary(
    kernel: Kernel, formula: int, pair: Pair, moving: list[tuple[float, float]]
) -> Term | None:
    """Return Σ velocity·[φ(q₋) − φ(q₊)] over the jumps of q that move; None: it is not finite."""
    value = error = 0.0
    for point, velocity in moving:
        if not _jumps(pair.q, point):
            continue
        forms = _differences(kernel, formula, pair, point)
        found = [form for form in forms if math.isfinite(form.error)]
        if not found:
            return None
        best = min(found, key=lambda form: form.error)
        value += velocity * best.value
        error += abs(velocity) * best.error
    return Term(value, error)


def _differences(kernel: Kernel, formula: int, pair: Pair, point: float) -> list[Term]:
    """Return φ(q₋) − φ(q₊) at one point in every form: sums that cancel more or less."""
    at = beside(point, 1)
    with np.errstate(all="ignore"):
        log_p = pair.p.log_density(at)  # p does not jump where q does
        off = (pair.p.misplaced + pair.q.misplaced) * steepness(pair.p, at) + pair.p.misread(at)
        sides = []
        for side in (-1, +1):
            log_q = pair.q.log_density(beside(point, side))
            size = pair.summed(log_p, np.where(np.isneginf(log_q), 0.0, log_q))
            near = [
                _forms(kernel, formula, Ratio.of(log_p + shift, log_q)) for shift in (0, -off, off)
            ]
            sides.append(
                [
                    (-side * part, EPS * (8 + 2 * size[0]) * abs(part) + _apart(part, *shifted))
                    for part, *shifted in zip(*near, strict=True)
                ]
            )
        return [_summed(both) for both in zip(*sides, strict=True)]


def _apart(terms: Array, below: Array, above: Array) -> Array:
    """Return how far terms lie from what they are where p is a little less, or more."""
    return np.maximum(np.abs(below - terms), np.abs(above - terms))


def _summed(parts: tuple[tuple[Array, Array], ...]) -> Term:
    """Return the sum of (terms, their errors); its error is inf where a term is."""
    terms, errors = (np.concatenate(column) for column in zip(*parts, strict=True))
    if not np.isfinite([terms, errors]).all():
        return Term(math.nan, math.inf)
    return Term(math.fsum(terms), math.fsum(errors))


def _forms(kernel: Kernel, formula: int, n: Ratio) -> list[Array]:
    """Return φ in every form, as its terms."""
    whole = kernel_of(kernel.entry.of) if isinstance(kernel.entry, Complement) else kernel
    of_q = -_constant(kernel, formula) * float(np.exp(n.log_q[0]))
    forms = [np.array([_at(whole.value, n), of_q])]
    if kernel.singular_p and kernel.singular_q:
        own = _at(kernel.slopes[formula], n)
        forms += [np.array([own, _at(s, n.swapped)]) for s in kernel.exchanged().slopes]
    return forms


def _at(integrand: Integrand, n: Ratio) -> float:
    weight, mantissa = integrand(n)
    return 0.0 if np.isneginf(weight[0]) else float(np.exp(weight[0]) * mantissa[0])


def _constant(kernel: Kernel, formula: int) -> float:
    """Return the constant c that a form of the slope subtracts from G, where G(u = 0) = 0."""
    if formula == 0:
        return 0.0
    zero = np.zeros(1)
    first, other = (_at(slope, Ratio.of(zero, zero)) for slope in kernel.slopes)
    return first - other
