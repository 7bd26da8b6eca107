"""Where the field of a game vanishes: exact points, enclosed points, and what is left open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy as sp
from flint import arb

from gantheory.deadline import OutOfTime, time_limit
from gantheory.dynamics.balls import enclose_on_box
from gantheory.dynamics.krawczyk import System, Vector, clusters, meets, search
from gantheory.dynamics.record import KINKED, Game, smooth_part
from gantheory.dynamics.solve import Point, exact_zeros
from gantheory.functions import sigmoid

REACH = 16  # half-width of the box that is searched where a domain has no end
NEAR = sp.Rational(1, 2**10)  # distance kept from an open end, where a field may be singular
SECONDS = 6.0  # for the search of the box
DENOMINATOR = 1000  # of the fractions that an enclosed zero is compared with
EVERYWHERE = "everywhere"


@dataclass(frozen=True)
class Zeros:
    """The points where a field vanishes.

    Attributes:
        points: exact points; free variables stand for themselves (a line of equilibria).
        enclosed: balls for each variable around a point that is proved to exist.
        scope: where these are all: ``everywhere``, a box, or empty if no search was possible.
        unresolved: regions inside ``scope`` that may hold further points.
    """

    points: tuple[Point, ...]
    enclosed: tuple[Mapping[sp.Symbol, arb], ...] = ()
    scope: str = EVERYWHERE
    unresolved: tuple[Mapping[sp.Symbol, arb], ...] = ()

    @property
    def complete(self) -> bool:
        """Whether it is proved that there are no others in the whole domain."""
        return self.scope == EVERYWHERE and not self.unresolved

    @property
    def statement(self) -> str:
        """What is known about further equilibria, as text."""
        if self.complete:
            return "these are all"
        if not self.scope:
            return "there may be others: the field was not searched"
        where = "" if self.scope == EVERYWHERE else f" with {self.scope}"
        if not self.unresolved:
            return f"these are all{where}"
        region = ", ".join(f"{v} in {_range(ball)}" for v, ball in self.unresolved[0].items())
        more = len(self.unresolved) - 1
        others = f" and {more} more such regions" if more else ""
        return f"these are all{where}, except perhaps for {region}{others}, where it is undecided"


def zeros_of_field(dynamics: Game) -> Zeros:
    """Solve ``field = 0`` exactly where formulas suffice, else enclose all zeros in a box.

    >>> from gantheory.dynamics.known import dirac
    >>> zeros_of_field(dirac("minimax")).points
    ({theta: 0, psi: 0},)
    """
    plain = without_tanh(dynamics)
    points, complete = exact_zeros(plain)
    if complete:
        return Zeros(tuple(points))
    if plain.field.has(sp.Integral) or plain.parameters or len(plain.variables) > 4:
        return Zeros(tuple(points), scope="")
    return _searched(plain, points)


def without_tanh(dynamics: Game) -> Game:
    """Write tanh by the sigmoid, whose derivative shows that it is positive."""
    losses = [loss.replace(sp.tanh, lambda u: 2 * sigmoid(2 * u) - 1) for loss in dynamics.losses]
    return dynamics.with_losses(losses[0], losses[1])


def _searched(dynamics: Game, points: list[Point]) -> Zeros:
    names = dynamics.variables
    ends, whole = _box(dynamics)
    start = [enclose_on_box(low, {}).union(enclose_on_box(high, {})) for low, high in ends]
    system = _system(dynamics)
    with time_limit(SECONDS):
        found = search(system, start)
    exact = [[enclose_on_box(p[v], {}) for v in names] for p in points if not _free(p)]
    fresh = [z for z in found.zeros if not any(meets(z, known) for known in exact)]
    real = [z for z in fresh if all(value.is_finite() for value in _field_at(dynamics, z))]
    simple = [_simple_point(dynamics, z) for z in real]
    points = [*points, *(point for point in simple if point is not None)]
    real = [z for z, point in zip(real, simple, strict=True) if point is None]
    box = ", ".join(f"{v} in [{low}, {high}]" for v, (low, high) in zip(names, ends, strict=True))
    return Zeros(
        tuple(points),
        tuple(dict(zip(names, z, strict=True)) for z in real),
        EVERYWHERE if whole else box,
        tuple(dict(zip(names, hull, strict=True)) for hull in clusters(found.unresolved)),
    )


def _simple_point(dynamics: Game, box: Vector) -> Point | None:
    """A zero of small fractions inside the enclosure of the only zero there, checked exactly."""
    point = {
        v: sp.Rational(float(ball.mid())).limit_denominator(DENOMINATOR)
        for v, ball in zip(dynamics.variables, box, strict=True)
    }
    inside = meets([enclose_on_box(value, {}) for value in point.values()], box)
    return point if inside and dynamics.field_at(point).is_zero_matrix else None


def _field_at(dynamics: Game, box: Vector) -> Vector:
    known = dict(zip(dynamics.variables, box, strict=True))
    return [enclose_on_box(entry, known) for entry in dynamics.field]


def _system(dynamics: Game) -> System:
    """The field with denominators cleared where it is rational, its Jacobian and its jumps."""
    names = dynamics.variables
    field = [_cleared(entry, names) for entry in dynamics.field]
    jacobian = smooth_part(sp.Matrix(field).jacobian(names))
    jumps = [part.args[0] for part in dynamics.integrand.atoms(*KINKED)]
    return System(names, field, jacobian, jumps)


def _cleared(entry: sp.Expr, names: tuple[sp.Symbol, ...]) -> sp.Expr:
    return sp.numer(sp.together(entry)) if entry.is_rational_function(*names) else entry


def _box(dynamics: Game) -> tuple[list[tuple[sp.Expr, sp.Expr]], bool]:
    """The ends of the box to search, and whether no zero can lie outside it."""
    spans = [dynamics.domains.get(v, sp.Reals) for v in dynamics.variables]
    bound = polynomial_bound(_system(dynamics).field, dynamics.variables)
    if bound is not None:
        return [_within(span, bound) for span in spans], True
    closed = all(s.inf.is_finite and s.sup.is_finite and s.is_closed for s in spans)
    return [_near(span) for span in spans], bool(closed)


def _within(span: sp.Set, bound: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    low = sp.Max(span.inf, -bound)
    return low, sp.Max(low, sp.Min(span.sup, bound))


def _near(span: sp.Set) -> tuple[sp.Expr, sp.Expr]:
    """The part of a domain to search: at most ``REACH`` from 0 or from its finite end."""
    low, high = span.inf, span.sup
    first = low + NEAR * int(bool(span.left_open)) if low.is_finite else -sp.Integer(REACH)
    last = high - NEAR * int(bool(span.right_open)) if high.is_finite else sp.Integer(REACH)
    if low.is_finite and not high.is_finite:
        last = low + REACH
    if high.is_finite and not low.is_finite:
        first = high - REACH
    return first, last


def polynomial_bound(field: Sequence[sp.Expr], names: tuple[sp.Symbol, ...]) -> sp.Expr | None:
    """A number that no coordinate of a real zero exceeds, for two polynomials in two variables.

    A coordinate of a common zero is a root of the resultant in the other variable. None where the
    polynomials have a common factor, and for other fields.

    >>> x, y = sp.symbols("x y", real=True)
    >>> polynomial_bound([x**2 + y**2 - 25, x - y], (x, y)) >= 5 / sp.sqrt(2)
    True
    """
    if len(names) != 2 or not all(_is_rational_polynomial(entry, names) for entry in field):
        return None
    bound = sp.S.One
    for other, kept in (names, names[::-1]):
        try:
            with time_limit(SECONDS):
                roots = sp.Poly(sp.resultant(*field, other), kept)
                if roots.is_zero:
                    return None
                spans = roots.sqf_part().intervals() if roots.degree() else []
        except OutOfTime:
            return None
        ends = [abs(end) for (span, _) in spans for end in span]
        bound = sp.Max(bound, *(sp.ceiling(end) + 1 for end in ends))
    return bound


def _is_rational_polynomial(entry: sp.Expr, names: tuple[sp.Symbol, ...]) -> bool:
    if not entry.is_polynomial(*names):
        return False
    return all(c.is_rational for c in sp.Poly(entry, *names).coeffs())


def _free(point: Point) -> bool:
    return any(value.free_symbols for value in point.values())


def _range(ball: arb) -> str:
    return f"[{float(ball.lower()):.4g}, {float(ball.upper()):.4g}]"
