r"""The mass of the followed curvature on an interval of ratios, with the score as variable.

Where t*(r) is stationary, r = ρ(x) = −b'(x)/a'(x) in the coordinate x of the score, so

.. math:: \int g''(r)\,dr = -\int \frac{dh}{r} = -\int \frac{c'(x)}{\rho(x)}\,dx,

and no closed form of x*(r) enters. Where the textbook has no integral in x either, a ball encloses
it: by `flint.acb.integral` up to a cut near both ends, and beyond, where h is monotone, by
:math:`|\int dh/r| \le |\Delta h|/\min r`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce

import sympy as sp
from flint import acb, arb, ctx

from gantheory.deadline import OutOfTime, Undecided, check_time
from gantheory.exact.algebra import Algebra
from gantheory.exact.assumptions import Assumptions, Range, interior
from gantheory.exact.derivative import derivative
from gantheory.exact.limits import limit
from gantheory.exact.signs.balls import NoEnclosure, enclose
from gantheory.theory.curvature import value_at
from gantheory.theory.maxima import Branch
from gantheory.theory.primitive import antiderivative

BITS = 600  # leaves 200 beyond the cut
CUT = sp.Rational(1, 2**200)  # a cube root changes by 2**-66 of its scale beyond it
WITHIN = arb(2) ** -64  # relative error asked of the integral: below that of binary64
_ANALYTIC: dict[str, Callable[[acb], acb]] = {
    "exp": lambda z: z.exp(), "tanh": lambda z: z.tanh(), "sinh": lambda z: z.sinh(),
    "cosh": lambda z: z.cosh(), "sigmoid": lambda z: 1 / (1 + (-z).exp()),
}  # fmt: skip


def mass(branch: Branch, x: sp.Symbol, within: Range, parameters: Assumptions) -> sp.Expr:
    """Return the mass of a stationary branch's followed curvature, by the textbook.

    Raises:
        Undecided: where there is no closed form.
    """
    density = _density(branch, x)
    start, stop = _ends(branch, within, parameters)
    if not x.is_positive:  # the rules are for positive variables
        y, way = sp.Dummy("y", positive=True), sp.Integer(_way(start, stop, parameters))
        density, start, stop = (
            way * density.xreplace({x: start + way * y}),
            sp.Integer(0),
            (sp.oo if stop.is_infinite else way * (stop - start)),
        )
        x = y
    lower, upper = (start, stop) if _way(start, stop, parameters) == 1 else (stop, start)
    algebra = Algebra({**parameters.sample, x: interior(lower, upper, parameters)})
    whole = antiderivative(algebra.normal(density), x, algebra)
    ends = [limit(whole, x, end, side, parameters) for end, side in ((lower, 1), (upper, -1))]
    total = ends[1] - ends[0]
    return total if (lower, upper) == (start, stop) else -total


def sign_of_curvature(branch: Branch, x: sp.Symbol, parameters: Assumptions) -> int | None:
    """Return the sign of a branch's followed curvature: whether c falls where ρ rises."""
    try:
        density = _density(branch, x)
        start, stop = _ends(branch, branch.ratios, parameters)
        way = _way(start, stop, parameters)
    except OutOfTime:
        raise
    except Undecided:
        return None
    along = parameters.sign(density, {x: (start, stop) if way == 1 else (stop, start)})
    return None if along is None else way * along


def enclosed_mass(branch: Branch, x: sp.Symbol, within: Range, parameters: Assumptions) -> arb:
    """Return a ball that contains the mass of a stationary branch without parameters.

    Raises:
        Undecided: where h is infinite at an end or not monotone, or the integral not enclosed.
    """
    density = _density(branch, x)
    if density.free_symbols - {x}:
        raise Undecided("an integral with parameters is no number")
    start, stop = _ends(branch, within, parameters)
    way = _way(start, stop, parameters)
    if parameters.sign(density, {x: (start, stop) if way == 1 else (stop, start)}) is None:
        raise Undecided("the generator's loss is not known to be monotone near r = oo")
    with ctx.workprec(BITS):
        inner = [_cut(start, stop, way), _cut(stop, start, -way)]
        try:
            tails = [
                abs(_loss(branch, ratio, side, parameters) - enclose(branch.loss_in_x, {x: place}))
                / enclose(ratio if k == 0 else branch.ratio_in_x, {x: place})
                for k, (ratio, side, place) in enumerate(
                    ((within[0], 1, inner[0]), (within[1], -1, inner[1]))
                )
            ]
            middle = acb.integral(
                _compiled(density, x),
                acb(inner[0]), acb(inner[1]), rel_tol=WITHIN, abs_tol=WITHIN,
            ).real  # fmt: skip
        except NoEnclosure as reason:
            raise Undecided(str(reason)) from None
        except SystemError:  # the alarm of the deadline went off inside of the integrator
            check_time()
            raise
        total = middle + sum((tail.union(-tail) for tail in tails), arb(0))
    if not total.is_finite() or total.rad() > 1e-9 * (1 + abs(total.mid())):
        raise Undecided(f"the integral of {density} is not enclosed")
    return total


def _density(branch: Branch, x: sp.Symbol) -> sp.Expr:
    """Return −c'(x)/ρ(x)."""
    if branch.loss_in_x is None or branch.ratio_in_x is None:
        raise Undecided("the score does not move")
    return -derivative(branch.loss_in_x, x) / branch.ratio_in_x


def _ends(branch: Branch, within: Range, parameters: Assumptions) -> tuple[sp.Expr, sp.Expr]:
    start, stop = within
    return value_at(branch.x, start, 1, parameters), value_at(branch.x, stop, -1, parameters)


def _way(start: sp.Expr, stop: sp.Expr, parameters: Assumptions) -> int:
    """Return 1 where x rises from one end to the other, else -1."""
    way = parameters.sign(stop - start) if stop.is_finite else int(sp.sign(stop))
    if way not in (1, -1) or not start.is_finite:
        raise Undecided("the order of two scores depends on the parameters")
    return way


def _cut(end: sp.Expr, other: sp.Expr, way: int) -> arb:
    """Return a place just within an end: `CUT` from it, or 1/`CUT` where it is infinite."""
    if end.is_infinite:
        return enclose(other) - way / enclose(CUT)
    gap = sp.Integer(1) if other.is_infinite else abs(other - end)
    return enclose(end) + way * enclose(CUT * gap)


def _loss(branch: Branch, ratio: sp.Expr, side: int, parameters: Assumptions) -> arb:
    """Return h at an end of the interval."""
    value = value_at(branch.generator, ratio, side, parameters)
    if value.is_infinite:
        raise Undecided("the generator's loss is infinite at r = oo, so a tail has no bound")
    return enclose(value)


def _compiled(expr: sp.Expr, x: sp.Symbol) -> Callable[[acb, bool], acb]:
    """Return the evaluation at a complex ball; not finite where a branch cut is met.

    Parts that stand there twice are evaluated once, constants once for all.
    """
    slots: dict[sp.Expr, int] = {}
    start: list[acb | None] = []
    steps: list[tuple[int, Callable[..., acb], list[int]]] = []

    def place(node: sp.Expr) -> int:
        if node not in slots:
            arguments = []
            if node != x and x in node.free_symbols:
                arguments = [place(part) for part in node.args]
            k = slots[node] = len(start)
            start.append(None if x in node.free_symbols else acb(enclose(node)))
            if arguments:
                steps.append((k, _operation(node), arguments))
        return slots[node]

    result = place(expr)

    def evaluated(z: acb, analytic: bool) -> acb:
        check_time()
        values = [z if value is None else value for value in start]
        for k, operation, arguments in steps:
            values[k] = operation(analytic, *(values[a] for a in arguments))
        return values[result]

    return evaluated


def _operation(node: sp.Expr) -> Callable[..., acb]:
    """Return one step of an evaluation; it is told whether the function has to be analytic."""
    if isinstance(node, sp.Add | sp.Mul):
        two = operator.add if isinstance(node, sp.Add) else operator.mul
        return lambda _, *parts: reduce(two, parts)
    if isinstance(node, sp.Pow):
        if node.exp.is_Integer:
            return lambda _, base, __: base ** int(node.exp)
        return lambda analytic, base, exponent: base.pow(exponent, analytic=analytic)
    name = type(node).__name__
    if name == "log":
        return lambda analytic, part: part.log(analytic=analytic)
    if name == "softplus":
        return lambda analytic, part: (1 + part.exp()).log(analytic=analytic)
    if name in _ANALYTIC:
        return lambda _, part: _ANALYTIC[name](part)
    raise NoEnclosure(f"{name} has no complex enclosure here")
