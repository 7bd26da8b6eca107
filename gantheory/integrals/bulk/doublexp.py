"""Tanh-sinh quadrature of many pairs of laws and many integrands at once.

Each row's line is cut at the crossings of its two densities and at their kinks; every piece gets
the same nodes. The stated error is that of the rule, of the cut tails and of rounding. The rule's
is the difference of its values at step h and 2h, several times: that is the error of the coarser
one, far above that of the finer. For two normals it is read from 4h, 2h and h: between their
crossings the number of right digits doubles with each halving of the step.

Source: H. Takahasi, M. Mori (1974), Publ. RIMS 9; the doubling is used as by D. H. Bailey,
K. Jeyabalan, X. S. Li (2005), Experimental Mathematics 14(3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from gantheory.densities.base import Array
from gantheory.divergences.ratio import Ratio
from gantheory.divergences.stable import Integrand
from gantheory.integrals.bulk.rows import STANDARD, LawRows, MixtureRows
from gantheory.integrals.kernels.bounds import bounds_of
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.rounding import EPS

COUNT = 88  # steps of a piece, a multiple of 4: normals up to 9 apart to 1e-10
CHUNK = 100  # rows at once: arrays of 150 kB, which stay in a core's own cache
SLACK = 8.0  # times the difference of two steps, which pieces that are not smooth nearly reach
THINNEST = 400.0  # widths of its narrowest bump in a row's window: beyond, pieces may miss its tail
CONVERGED = 1e-12  # relative error at which a derivative needs no second form
GRID = 65  # points of a row at which a crossing of the two densities is looked for
AROUND = np.linspace(-9, 9, 37)  # widths about a narrow bump at which more are looked for


@cache
def inner_nodes(count: int) -> tuple[Array, Array]:
    """Return nodes and weights on (0, 1), double-exponentially dense at both ends."""
    t, step = np.linspace(-3.3, 3.3, count + 1, retstep=True)
    inner = 0.5 * np.pi * np.sinh(t)
    density = 0.5 * np.pi * np.cosh(t) / np.cosh(inner) ** 2
    return 0.5 + 0.5 * np.tanh(inner), 0.5 * float(step) * density


@cache
def outer_nodes(count: int) -> tuple[Array, Array]:
    """Return nodes and weights on (0, 1], dense at 0, for integrands that have died down at 1."""
    t, step = np.linspace(-3.6, 3.0, count + 1, retstep=True)
    x = np.exp(t - np.exp(-t))
    return x / x[-1], float(step) * x * (1 + np.exp(-t)) / x[-1]


@dataclass(frozen=True)
class Wanted:
    """One column: a kernel's value, or its derivative in the varying number."""

    kernel: Kernel
    derivative: bool = False


def is_served(kernel: Kernel, p: LawRows | MixtureRows, q: LawRows | MixtureRows) -> bool:
    """Whether the pieces and the windows of these laws see all that the kernel integrates.

    The pieces are cut where p = q alone. Beyond the windows an integrand must have died down: one
    that is bounded in p + q does; one that grows with log(p/q) does unless that is a Gumbel law's,
    which falls double exponentially; a power of p/q may peak anywhere but between two normals.
    """
    if kernel.jumps or not set(kernel.levels) <= {0.0}:
        return False
    if kernel.at_infinity.power > 1 or kernel.at_zero.power < 0:
        return all(
            isinstance(law, LawRows) and law.standard is STANDARD["normal"] for law in (p, q)
        )
    logs = ((kernel.at_infinity, q), (kernel.at_zero, p))
    return not any(growth.logs and _has_gumbel(law) for growth, law in logs)


def _has_gumbel(law: LawRows | MixtureRows) -> bool:
    parts = law.parts if isinstance(law, MixtureRows) else (law,)
    return any(part.standard is STANDARD["gumbel"] for part in parts)


@dataclass(frozen=True)
class Column:
    """A column of the answer: values and bounds of their errors, one for each row."""

    value: Array
    error: Array


def integrate_twice(
    p: LawRows | MixtureRows,
    q: LawRows | MixtureRows,
    wanted: Sequence[Wanted],
    n: int,
    tolerance: float,
) -> list[Column]:
    """Return every column; rows whose relative error misses the tolerance get twice the nodes."""
    found = integrate_rows(p, q, wanted, n)
    missed = np.any([~(c.error <= tolerance * np.abs(c.value)) for c in found], axis=0)
    todo = np.nonzero(missed)[0]
    if len(todo):
        again = integrate_rows(p.take(todo), q.take(todo), wanted, len(todo), 2 * COUNT)
        for column, other in zip(found, again, strict=True):
            better = ~(other.error >= column.error[todo])
            column.value[todo[better]] = other.value[better]
            column.error[todo[better]] = other.error[better]
    return found


def integrate_rows(
    p: LawRows | MixtureRows,
    q: LawRows | MixtureRows,
    wanted: Sequence[Wanted],
    n: int,
    count: int = COUNT,
) -> list[Column]:
    """Return every column for the pairs of rows ``(p[k], q[k])``, k < n, at ``count`` steps."""
    value, error = np.empty((2, len(wanted), n))
    with np.errstate(all="ignore"):
        for start in range(0, n, CHUNK):
            part = slice(start, min(start + CHUNK, n))
            value[:, part], error[:, part] = _chunk(p.take(part), q.take(part), wanted, count)
    error = np.where(np.isfinite(value) & ~np.isnan(error), error, np.inf)
    for k, column in enumerate(wanted):
        if not column.derivative:
            low, high = bounds_of(column.kernel)
            error[k, (value[k] < low - error[k]) | (value[k] > high + error[k])] = np.inf
    return [Column(value[k], error[k]) for k in range(len(wanted))]


def _chunk(
    p: LawRows | MixtureRows, q: LawRows | MixtureRows, wanted: Sequence[Wanted], count: int
) -> tuple[Array, Array]:
    cuts = _cuts(p, q)
    x, weight = _points(cuts, count)
    u = p.log_ratio(q, x)
    n = Ratio.of(p.log_density(x), q.log_density(x), u)
    noise = EPS * 24 if u is not None else _cancellation(n)
    rule = _Rule(weight, cuts.shape[1] - 1, count, noise, doubling=u is not None)
    scores = _Scores(p, q, n, x)
    values, errors = np.empty((2, len(wanted), len(x)))
    for k, column in enumerate(wanted):
        values[k], errors[k] = _converged(_forms(column, n, scores, rule), rule)
    errors[:, _is_thin(p, q, cuts)] = np.inf
    return values, errors


def _is_thin(p: LawRows | MixtureRows, q: LawRows | MixtureRows, cuts: Array) -> Array:
    """Return which rows hold a bump too narrow for their window."""
    width = np.min([w[:, 0] for _, w in (*p.bumps(), *q.bumps())], axis=0)
    return np.asarray(cuts[:, -1] - cuts[:, 0] > THINNEST * width)


def _converged(forms: Iterator[Array], rule: _Rule) -> tuple[Array, Array]:
    """Return, row by row, the form with the smallest stated error; later ones only if needed."""
    value, error = rule.integral(next(forms))
    while not np.all(error <= CONVERGED * np.abs(value)):
        samples = next(forms, None)
        if samples is None:
            break
        other, bound = rule.integral(samples)
        better = ~(bound >= error)
        value[better], error[better] = other[better], bound[better]
    return value, error


def _points(cuts: Array, count: int) -> tuple[Array, Array]:
    """Return nodes (rows, pieces·nodes) and weights for the pieces between the cuts."""
    outer, outer_weight = outer_nodes(count)
    inner, inner_weight = inner_nodes(count)
    last = cuts.shape[1] - 2
    parts = []
    for k in range(last + 1):
        a, b = cuts[:, k, None], cuts[:, k + 1, None]
        if k == 0:
            parts.append((b - (b - a) * outer, (b - a) * outer_weight))
        elif k == last:
            parts.append((a + (b - a) * outer, (b - a) * outer_weight))
        else:
            parts.append((a + (b - a) * inner, (b - a) * inner_weight))
    x, weight = zip(*parts, strict=True)
    return np.concatenate(x, axis=1), np.concatenate(weight, axis=1)


def _cancellation(n: Ratio) -> Array:
    """Return the relative noise of an integrand whose u is a difference of two logarithms."""
    size = 8 + np.abs(n.log_p) + np.abs(n.log_q)
    return np.minimum(2 * EPS * size * (1 + 1 / np.maximum(n.v, 1e-300)), 1.0)


def _cuts(p: LawRows | MixtureRows, q: LawRows | MixtureRows) -> Array:
    """Return the ends of the pieces of each row, in order; pieces may be empty."""
    low = np.minimum(p.window()[0], q.window()[0])
    high = np.maximum(p.window()[1], q.window()[1])
    inner = [*p.kinks(), *q.kinks(), *_crossings(p, q, low, high)]
    narrow = _narrow(p, q, low, high)
    inner += [c + side * w for c, w in narrow for side in (-9.0, 0.0, 9.0)]
    if not inner:
        inner = [0.5 * (low + high)]
    return np.sort(np.clip(np.concatenate([low, *inner, high], axis=1), low, high), axis=1)


def _narrow(
    p: LawRows | MixtureRows, q: LawRows | MixtureRows, low: Array, high: Array
) -> list[tuple[Array, Array]]:
    """Return (center, width) of the bumps that are narrow against the window, in any row."""
    return [(c, w) for c, w in (*p.bumps(), *q.bumps()) if np.any(high - low > 45 * w)]


def _crossings(
    p: LawRows | MixtureRows, q: LawRows | MixtureRows, low: Array, high: Array
) -> list[Array]:
    """Return the points at which log p = log q: as many columns as the busiest row needs."""
    x = low + (high - low) * np.linspace(0, 1, GRID)
    if narrow := _narrow(p, q, low, high):  # a uniform grid would step over them
        near = [np.clip(c + w * AROUND, low, high) for c, w in narrow]
        x = np.sort(np.concatenate([x, *near], axis=1), axis=1)
    u = _u(p, q, x)
    change = (u[:, :-1] > 0) != (u[:, 1:] > 0)
    most = int(change.sum(axis=1).max())
    found: list[Array] = []
    for k in range(most):
        has = change.sum(axis=1) > k
        where = np.argmax(np.cumsum(change, axis=1) > k, axis=1)
        pick = np.arange(len(x))
        bracket = x[pick, where][:, None], x[pick, where + 1][:, None]
        ends = u[pick, where][:, None], u[pick, where + 1][:, None]
        root = _close(p, q, *bracket, *ends)
        other = found[-1] if found else 0.5 * (low + high)
        found.append(np.where(has[:, None], root, other))
    return found


def _u(p: LawRows | MixtureRows, q: LawRows | MixtureRows, x: Array) -> Array:
    known = p.log_ratio(q, x)
    return p.log_density(x) - q.log_density(x) if known is None else known


def _close(
    p: LawRows | MixtureRows, q: LawRows | MixtureRows, a: Array, b: Array, fa: Array, fb: Array
) -> Array:
    """Return a zero of u in [a, b], all rows at once, by the Illinois rule."""
    for _ in range(60):
        c = np.where(fb == fa, b, b - fb * (b - a) / (fb - fa))
        fc = _u(p, q, c)
        crossed = fc * fb < 0
        a = np.where(crossed, b, a)
        fa = np.where(crossed, fb, 0.5 * fa)
        b, fb = c, fc
        if np.all((np.abs(fb) < 1e-14) | (np.abs(b - a) <= 4 * EPS * np.abs(b))):
            break
    return b


class _Scores:
    """The scores of both laws in the varying number, computed when first asked for."""

    def __init__(
        self, p: LawRows | MixtureRows, q: LawRows | MixtureRows, n: Ratio, x: Array
    ) -> None:
        self.p = p.score(x) if p.varies else None
        self.q = q.score(x) if q.varies else None
        self.reversed = Ratio(n.log_q, n.log_p, -n.u) if p.varies else n


class _Rule:
    """The sums of one chunk: values, their errors, and exponentials that integrands share."""

    def __init__(
        self, weight: Array, pieces: int, count: int, noise: Array | float, doubling: bool
    ) -> None:
        self.weight, self.pieces, self.count, self.noise = weight, pieces, count, noise
        self.doubling = doubling
        self._sizes: dict[int, tuple[Array, Array]] = {}

    def size(self, log_weight: Array) -> Array:
        """Return weight·exp(log_weight), once for each array of logarithms."""
        key = id(log_weight)
        if key not in self._sizes:  # the array is kept, so that its id stays its own
            self._sizes[key] = log_weight, self.weight * np.exp(log_weight)
        return self._sizes[key][1]

    def integral(self, f: Array) -> tuple[Array, Array]:
        """Return the value and error of each row of weighted samples (rows, nodes)."""
        size = np.abs(f)
        sums = f @ _strides(self.pieces, self.count)
        fine, middle, coarse = (sums[:, k::3] for k in range(3))
        whole = size.sum(axis=1) + 1e-300
        rule = self._error(fine, middle, coarse, whole)
        exact = isinstance(self.noise, float)
        rounding = whole * self.noise if exact else (size * self.noise).sum(axis=1)
        return fine.sum(axis=1), rule + rounding + self._ends(size)

    def _error(self, fine: Array, middle: Array, coarse: Array, whole: Array) -> Array:
        """Return the error of the rule at its finest step, from the sums of each piece."""
        gap = np.abs(fine - middle)
        if not self.doubling:
            return SLACK * gap.sum(axis=1)
        near, far = (
            np.log10(np.maximum(apart / whole[:, None], 1e-17))
            for apart in (gap, np.abs(fine - coarse))
        )
        exponent = np.where(far < -0.5, np.maximum(near**2 / far, 2 * near), near)
        return np.asarray(10 * whole * np.sum(10 ** np.clip(exponent, -17, 0), axis=1))

    def _ends(self, size: Array) -> Array:
        """Return what the cut tails may hold: the samples at the ends, without their weights."""
        outermost = [self.count, -1]
        at_ends = size[:, outermost] / np.maximum(self.weight[:, outermost], 1e-300)
        return at_ends.sum(axis=1) * self.weight.sum(axis=1)


@cache
def _strides(pieces: int, count: int) -> Array:
    """Return the matrix that sums samples piece by piece at steps h, 2h and 4h."""
    one = np.zeros((count + 1, 3))
    for k in range(3):
        one[:: 2**k, k] = 2**k
    return np.kron(np.eye(pieces), one)


def _forms(column: Wanted, n: Ratio, scores: _Scores, rule: _Rule) -> Iterator[Array]:
    """Yield the weighted samples of each form of a column, computed when asked for."""
    kernel = column.kernel
    if not column.derivative:
        yield _weighted(kernel.value, n, rule)
        return
    back = kernel.exchanged()
    for form in kernel.slopes if scores.q is not None else (None,):
        for other in back.slopes if scores.p is not None else (None,):
            total = np.zeros_like(rule.weight)
            if form is not None:
                total = scores.q * _weighted(form, n, rule)
            if other is not None:
                total = total + scores.p * _weighted(other, scores.reversed, rule)
            yield kernel.sign * total


def _weighted(integrand: Integrand, n: Ratio, rule: _Rule) -> Array:
    log_weight, mantissa = integrand(n)
    size = rule.size(log_weight)
    return np.where(size > 0, size * mantissa, 0.0)
