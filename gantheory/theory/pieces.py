"""The score axis cut at kinks: on each piece the payoffs are smooth in an algebraic coordinate.

Where the payoffs are made of exp(t), sigmoid(t), softplus(t) or tanh(t), the coordinate is
z = exp(t/k), in which their derivatives are rational; elsewhere it is t itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import sympy as sp
from flint import arb

from gantheory.deadline import Undecided
from gantheory.errors import GantheoryError
from gantheory.exact.algebra import Algebra, floating_value
from gantheory.exact.assumptions import (
    Assumptions,
    Range,
    end,
    interior,
    positive_image,
)
from gantheory.exact.limits import limit
from gantheory.exact.roots import in_order, roots_between
from gantheory.exact.signs import sign_on_positive
from gantheory.exact.signs.balls import NoEnclosure, enclose
from gantheory.formulas import interval
from gantheory.functions import choice, relu, sigmoid, softplus, t
from gantheory.losses.loss import Loss
from gantheory.theory.coordinates import Coordinate, Payoffs, in_coordinate
from gantheory.theory.radicals import opened

KINKS = (relu, sp.Abs, choice)
SPREAD = (0.0131, 0.0623, 0.1737, 0.3719, 0.8310732, 1.7093, 3.127, 7.731, 31.07)


def _kinks(exprs: Iterable[sp.Expr], x: sp.Symbol) -> list[sp.Expr]:
    """Return the kinks in ``x``, those inside of others first."""
    found = {kink for expr in exprs for kink in expr.atoms(*KINKS) if kink.args[0].has(x)}
    return sorted(
        found,
        key=lambda k: (k.args[0].has(*KINKS), not isinstance(k, choice), sp.default_sort_key(k)),
    )


def _parts(payoffs: Payoffs) -> tuple[sp.Expr, ...]:
    return payoffs.real, payoffs.fake, payoffs.generator, payoffs.link


@dataclass(frozen=True)
class Piece:
    """An open interval of the coordinate on which the payoffs are smooth.

    ``closed_lower`` and ``closed_upper`` say whether the optimum may be attained at that end.
    """

    lower: sp.Expr
    upper: sp.Expr
    payoffs: Payoffs
    closed_lower: bool = False
    closed_upper: bool = False
    joined: bool = False  # whether the payoffs continue from the piece before without a pole
    climbed: bool = False  # whether D's payoffs do so, where the generator's loss alone jumps


def domain_of(loss: Loss, parameters: Assumptions) -> tuple[sp.Expr, sp.Expr, bool, bool]:
    """Return the ends of the score domain and whether each is attained."""
    declared = interval(loss.domain)
    lower, upper = (end(e, parameters.symbols) for e in (declared.lower, declared.upper))
    width = 1 if lower == -sp.oo or upper == sp.oo else parameters.sign(upper - lower)
    if lower == sp.oo or upper == -sp.oo or width in (0, -1):
        raise GantheoryError(f"domain {loss.domain!r} is empty; write its lower end first")
    if width is None:
        raise Undecided(f"whether the domain {loss.domain} is empty depends on its parameters")
    return lower, upper, declared.closed_lower, declared.closed_upper


def pieces_of(
    loss: Loss, payoffs: Payoffs, coordinate: Coordinate, parameters: Assumptions
) -> list[Piece]:
    """Cut the domain at the kinks of the payoffs."""
    lower, upper, closed_lower, closed_upper = domain_of(loss, parameters)
    whole = Piece(
        lower,
        upper,
        payoffs,
        closed_lower and lower.is_finite is True,
        closed_upper and upper.is_finite is True,
    )
    pieces = [
        smooth
        for part in _with_smooth_exponents(whole, parameters)
        for smooth in _smooth(_moved(part, coordinate), coordinate.symbol, parameters)
    ]
    return (
        _parted_at_jumps(pieces, payoffs, coordinate, parameters) if may_jump(payoffs) else pieces
    )


def may_jump(payoffs: Payoffs) -> bool:
    """Whether a payoff is chosen by cases, or divided by what may be 0 beside a kink."""
    parts = _parts(payoffs)
    return any(part.has(choice) for part in parts) or (
        any(part.has(*KINKS) for part in parts)
        and any(is_pole and not base.is_positive for base, is_pole in _delicate(payoffs))
    )


def is_defined(payoffs: Payoffs) -> bool:
    """Whether the formulas have values, be they infinite: 0/0 has none."""
    return not any(part.has(sp.nan, sp.zoo, sp.AccumBounds) for part in _parts(payoffs))


def _parted_at_jumps(
    pieces: list[Piece], payoffs: Payoffs, coordinate: Coordinate, parameters: Assumptions
) -> list[Piece]:
    """Part neighbouring pieces where a payoff jumps, closed where the formula has its value."""
    parted = pieces[:1]
    for piece in pieces[1:]:
        before = parted[-1]
        x, place = coordinate.symbol, piece.lower
        score = {t: coordinate.to_score(place)}
        here = payoffs.map(partial(sp.Expr.xreplace, rule=score))
        left, right = (
            one.payoffs.map(partial(limit, x=x, point=place, side=side, parameters=parameters))
            for one, side in ((before, -1), (piece, 1))
        )
        if not piece.joined or _agree(left, right, parameters):
            parted.append(piece)
            continue
        held = [_agree(here, side, parameters) for side in (left, right)]
        jumps = not any(held) and is_defined(here)
        if jumps and not _is_between(here, left, right, parameters):
            raise Undecided(f"a payoff has at t = {score[t]} alone a value unlike those beside it")
        climbed = _agree(_of_critic(left), _of_critic(right), parameters)
        parted[-1] = replace(before, closed_upper=held[0])
        parted.append(replace(piece, closed_lower=held[1], joined=False, climbed=climbed))
    return parted


def _agree(one: Payoffs, other: Payoffs, parameters: Assumptions) -> bool:
    """Whether payoffs are the same at a score."""
    algebra = Algebra(parameters.sample)
    return all(
        a == b or (a.is_finite and b.is_finite and algebra.is_zero(a - b))
        for a, b in zip(_parts(one), _parts(other), strict=True)
    )


def _of_critic(payoffs: Payoffs) -> Payoffs:
    """Return the payoffs that D climbs, without what G loses and what D puts out."""
    return replace(payoffs, generator=sp.Integer(0), link=sp.Integer(0))


def _is_between(here: Payoffs, left: Payoffs, right: Payoffs, parameters: Assumptions) -> bool:
    """Whether payoffs at a jump are halfway, as those of sign(t) are at 0: never best alone."""
    middle = Payoffs(*((a + b) / 2 for a, b in zip(_parts(left), _parts(right), strict=True)))
    return _agree(here, middle, parameters)


def _moved(piece: Piece, coordinate: Coordinate) -> Piece:
    """Write a piece of the score axis in the coordinate."""
    return replace(
        piece,
        lower=coordinate.of_score(piece.lower),
        upper=coordinate.of_score(piece.upper),
        payoffs=piece.payoffs.map(lambda part: in_coordinate(part, coordinate)),
    )


def _with_smooth_exponents(piece: Piece, parameters: Assumptions) -> list[Piece]:
    """Cut the score axis at the kinks inside of exponentials, as in exp(min(t, 2))."""
    exponents = {
        argument
        for part in _parts(piece.payoffs)
        for atom in part.atoms(sp.exp, softplus, sigmoid, sp.tanh)
        for argument in atom.args
    }
    kinks = _kinks(exponents, t)
    if not kinks:
        return [piece]
    return [
        smooth
        for part in _cut_at(piece, kinks[0], t, parameters)
        for smooth in _with_smooth_exponents(part, parameters)
    ]


def smooth_parts(
    expr: sp.Expr, x: sp.Symbol, bounds: Range, parameters: Assumptions
) -> list[tuple[Range, sp.Expr]]:
    """Return the intervals between the kinks and poles of ``expr``, each with what it is there."""
    alone = Payoffs(expr, sp.Integer(0), sp.Integer(0), sp.Integer(0))
    parts = _smooth(Piece(*bounds, alone), x, parameters)
    return [((part.lower, part.upper), part.payoffs.real) for part in parts]


def _smooth(piece: Piece, x: sp.Symbol, parameters: Assumptions) -> list[Piece]:
    choices = [k for k in _kinks(_parts(piece.payoffs), x) if isinstance(k, choice)]
    if choices and not choices[0].args[0].has(relu, sp.Abs):
        return [
            smooth
            for part in _cut_at(piece, choices[0], x, parameters)
            for smooth in _smooth(part, x, parameters)
        ]
    parts = _between_poles(piece, x, parameters)
    if len(parts) > 1:
        return [smooth for part in parts for smooth in _smooth(part, x, parameters)]
    bounds = (piece.lower, piece.upper)
    payoffs = piece.payoffs.map(lambda part: opened(part, x, bounds, parameters))
    piece, kinks = replace(piece, payoffs=payoffs), _kinks(_parts(payoffs), x)
    if not kinks:
        piece = replace(piece, payoffs=payoffs.map(_with_moduli))
        _check_real(piece, x, parameters)
        return [piece]
    return [
        smooth
        for part in _cut_at(piece, kinks[0], x, parameters)
        for smooth in _smooth(part, x, parameters)
    ]


def _cut_at(piece: Piece, kink: sp.Expr, x: sp.Symbol, parameters: Assumptions) -> list[Piece]:
    """Cut a piece at the zeros of a kink's argument, and put in what the kink is on each part."""
    argument = kink.args[0]
    cuts = roots_between(argument, x, piece.lower, piece.upper, parameters)
    return [_without(part, argument, x, parameters) for part in cut(piece, cuts)]


def _with_moduli(expr: sp.Expr) -> sp.Expr:
    """Write the kinks that are left, those of parameters alone, by absolute values.

    Those have one relation, |u|² = u², which the exact algebra knows.
    """
    return expr.replace(relu, lambda u: (u + sp.Abs(u)) / 2)


def cut(piece: Piece, points: list[sp.Expr]) -> list[Piece]:
    """Cut a piece at interior points, in increasing order."""
    ends = [piece.lower, *points, piece.upper]
    return [
        replace(
            piece,
            lower=lower,
            upper=upper,
            closed_lower=k > 0 or piece.closed_lower,
            closed_upper=k < len(points) or piece.closed_upper,
            joined=k > 0 or piece.joined,
        )
        for k, (lower, upper) in enumerate(pairwise(ends))
    ]


def _without(piece: Piece, argument: sp.Expr, x: sp.Symbol, parameters: Assumptions) -> Piece:
    """Replace the kinks in ``argument`` by what they are where it has one sign."""
    sign = parameters.sign(argument, {x: (piece.lower, piece.upper)})
    if sign is None and argument.free_symbols == {x}:
        # The piece ends at the zeros of the argument, so that one point tells its sign.
        point = interior(piece.lower, piece.upper, parameters)
        sign = 1 if floating_value(argument, {x: point}) > 0 else -1
    if sign is None:
        raise Undecided(f"the sign of {argument} in a kink depends on the parameters")
    negative = sign < 0
    values = {
        relu(argument): sp.Integer(0) if negative else argument,
        relu(-argument): -argument if negative else sp.Integer(0),
        sp.Abs(argument): -argument if negative else argument,
    }

    def chosen(expr: sp.Expr) -> sp.Expr:
        for one in expr.atoms(choice):
            if one.args[0] in (argument, -argument):
                falls = negative == (one.args[0] == argument)
                return chosen(expr.xreplace({one: one.args[2 if falls else 1]}))
        return expr.xreplace(values)

    return replace(piece, payoffs=piece.payoffs.map(chosen))


def _between_poles(piece: Piece, x: sp.Symbol, parameters: Assumptions) -> list[Piece]:
    """Cut a piece at the poles of the payoffs, also of those inside of a kink."""
    poles: set[sp.Expr] = set()
    for base, is_pole in _delicate(piece.payoffs):
        if is_pole and not base.is_positive and not base.has(relu, sp.Abs):
            poles |= set(roots_between(base, x, piece.lower, piece.upper, parameters))
    places = in_order(list(poles), parameters)
    ends = [piece.lower, *places, piece.upper]
    return [
        replace(
            piece,
            lower=lower,
            upper=upper,
            closed_lower=piece.closed_lower and k == 0,
            closed_upper=piece.closed_upper and k == len(places),
            joined=piece.joined and k == 0,
        )
        for k, (lower, upper) in enumerate(pairwise(ends))
    ]


def _check_real(piece: Piece, x: sp.Symbol, parameters: Assumptions) -> None:
    """See that roots and logarithms are real on a smooth piece."""
    inside = {x: (piece.lower, piece.upper)}
    for base, is_pole in _delicate(piece.payoffs):
        known = is_pole or base.is_positive or parameters.sign(base, inside) == 1
        if not (known or _is_positive(base, x, inside[x], parameters)):
            raise Undecided(
                f"{base} is not known to be positive between {piece.lower} and {piece.upper}, "
                "where its root or logarithm is taken; restrict the domain of scores"
            )


def _is_positive(base: sp.Expr, x: sp.Symbol, bounds: Range, parameters: Assumptions) -> bool:
    """Return whether ``base`` has no zero between two ends and is positive at one point."""
    point = {**parameters.sample, x: interior(*bounds, parameters)}
    try:
        return floating_value(base, point) > 0 and not roots_between(base, x, *bounds, parameters)
    except Undecided:
        return _is_certified(base, x, bounds)


def _is_certified(base: sp.Expr, x: sp.Symbol, bounds: Range) -> bool:
    """Return whether ball arithmetic shows that a function of ``x`` alone is positive."""
    image = positive_image(x, *bounds)
    if image is None or sp.Tuple(base, *bounds).free_symbols != {x}:
        return False
    moved = base.xreplace({x: image})
    return sign_on_positive(moved, moved.free_symbols.pop()).sign == ">0"


def _delicate(payoffs: Payoffs) -> set[tuple[sp.Expr, bool]]:
    """Return the bases of logarithms, roots and denominators; the last are poles."""
    found: set[tuple[sp.Expr, bool]] = set()
    for part in _parts(payoffs):
        for node in sp.preorder_traversal(part):
            if isinstance(node, sp.log):
                found.add((node.args[0], False))
            elif node.is_Pow and not (node.exp.is_Integer and node.exp > 0):
                found.add((node.base, bool(node.exp.is_Integer)))
    return {(base, pole) for base, pole in found if base.free_symbols}


def algebra_on(piece: Piece, x: sp.Symbol, parameters: Assumptions) -> Algebra:
    """Return the normal forms that hold on a piece."""
    return Algebra({**parameters.sample, x: interior(piece.lower, piece.upper, parameters)})


def balls_along(
    exprs: Sequence[sp.Expr], piece: Piece, x: sp.Symbol, parameters: Assumptions
) -> Iterator[tuple[arb, ...]]:
    """Yield the values of some expressions at points of a piece, in increasing order.

    The parameters are generic; points at which an expression has no sure sign are left out.
    """
    ends = [piece.lower, piece.upper]
    if x.is_positive:
        ends = [-sp.oo if end == 0 else end if end == sp.oo else sp.log(end) for end in ends]
    image, free = positive_image(x, *ends), sp.Dummy("s", positive=True)
    image = free - 1 / free if image is None else image
    symbols = image.atoms(sp.Dummy)
    values = ({**parameters.sample, **dict.fromkeys(symbols, s)} for s in SPREAD)
    sample = {symbol: arb(value) for symbol, value in parameters.sample.items()}
    for place in sorted(floating_value(image, value) for value in values):
        point = {**sample, x: arb(place).exp() if x.is_positive else arb(place)}
        try:
            found = tuple(enclose(expr, point) for expr in exprs)
        except NoEnclosure:
            continue
        if not any(ball.contains(0) for ball in found):
            yield found
