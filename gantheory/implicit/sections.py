"""The score axis cut where a payoff has a kink, a jump or a pole: smooth sections between.

Unlike the pieces of `gantheory.theory.pieces` their ends need no closed form: a ball encloses
each. Where all of a derivative's zeros are known, so are its signs, and with them the parts on
which every payoff of the discriminator is monotone.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import sympy as sp
from flint import arb

from gantheory.deadline import Undecided
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import choice, relu, t
from gantheory.implicit.isolation import Function, zeros
from gantheory.implicit.reals import Real
from gantheory.losses.loss import Loss
from gantheory.theory.coordinates import Payoffs, payoffs_of
from gantheory.theory.pieces import KINKS, domain_of, is_defined, may_jump

LONG = 300  # operations: what is longer is not simplified
POINTS = 3  # at which an expression that is 0 throughout vanishes


@dataclass(frozen=True)
class Section:
    """An open interval of scores on which the payoffs are smooth.

    ``joined`` says whether they continue from the section before without a jump or pole, and
    ``climbed`` whether D's payoffs do so, where the generator's loss alone jumps.
    """

    lower: Real
    upper: Real
    payoffs: Payoffs
    closed_lower: bool = False
    closed_upper: bool = False
    joined: bool = False
    climbed: bool = False

    @property
    def middle(self) -> arb:
        """A point inside."""
        return generic_point(self.lower, self.upper)


def generic_point(lower: Real, upper: Real) -> arb:
    """Return a generic point between two ends."""
    low, high = lower.ball.mid(), upper.ball.mid()
    if not lower.is_finite:
        return arb("0.3310732").mid() if not upper.is_finite else (high - arb("0.8310732")).mid()
    if not upper.is_finite:
        return (low + arb("0.8310732")).mid()
    return (low + arb("0.4310732") * (high - low)).mid()


def sections_of(loss: Loss) -> list[Section]:
    """Cut the domain of a loss without free parameters."""
    payoffs = payoffs_of(loss, Assumptions())
    low, high, closed_lower, closed_upper = domain_of(loss, Assumptions())
    whole = Section(Real.of(low), Real.of(high), payoffs, closed_lower, closed_upper)
    return _with_closed_ends(_smooth(whole), payoffs)


def _parts(payoffs: Payoffs) -> tuple[sp.Expr, ...]:
    return payoffs.real, payoffs.fake, payoffs.generator, payoffs.link


def _smooth(section: Section) -> list[Section]:
    kink = _innermost(section.payoffs)
    if kink is None:
        return _between_poles(section)
    argument = kink.args[0]
    cuts = places_of_zeros(argument, section.lower, section.upper)
    return [smooth for part in _cut(section, cuts) for smooth in _smooth(_without(part, argument))]


def _innermost(payoffs: Payoffs) -> sp.Expr | None:
    kinks = {k for part in _parts(payoffs) for k in part.atoms(*KINKS) if k.args[0].has(t)}
    simple = [kink for kink in kinks if not kink.args[0].has(*KINKS)]
    return min(simple, key=sp.default_sort_key) if simple else None


def places_of_zeros(expr: sp.Expr, lower: Real, upper: Real) -> list[Real]:
    """Return the zeros of an expression between two ends; none where it vanishes throughout."""
    if t not in expr.free_symbols or vanishes(expr, lower, upper):
        return []
    return zeros(Function(expr, t), lower, upper)


def vanishes(expr: sp.Expr, lower: Real, upper: Real) -> bool:
    """Return whether an expression is 0 throughout, by exact algebra.

    Raises:
        Undecided: where balls do not tell it from 0 and algebra does not show it.
    """
    function = Function(expr, t)
    place = Real(generic_point(lower, upper))
    for _ in range(POINTS):
        if not function.value(place.ball).contains(0):
            return False
        place = Real(generic_point(place, upper))
    if expr.count_ops() < LONG:
        rewritten = expr.rewrite(sp.exp)
        if sp.cancel(rewritten) == 0 or sp.simplify(rewritten) == 0:  # the cheap one first
            return True
    raise Undecided(f"whether {str(expr)[:80]} is 0 for every t is not known")


def _cut(section: Section, places: Sequence[Real]) -> list[Section]:
    """Cut a section at places inside of it, at which its payoffs continue."""
    ends = [section.lower, *places, section.upper]
    return [
        replace(
            section,
            lower=ends[k],
            upper=ends[k + 1],
            closed_lower=k > 0 or section.closed_lower,
            closed_upper=k < len(places) or section.closed_upper,
            joined=k > 0 or section.joined,
        )
        for k in range(len(places) + 1)
    ]


def _without(section: Section, argument: sp.Expr) -> Section:
    """Put in what the kinks in an argument are where it has one sign."""
    sign = Function(argument, t).sign(section.middle)
    if sign is None:
        raise Undecided(f"the sign of {argument} is not known")

    def chosen(expr: sp.Expr) -> sp.Expr:
        values = {
            relu(argument): argument if sign > 0 else sp.S.Zero,
            relu(-argument): -argument if sign < 0 else sp.S.Zero,
            sp.Abs(argument): sign * argument,
            sp.Abs(-argument): sign * argument,
        }
        for one in expr.atoms(choice):
            if one.args[0] in (argument, -argument):
                positive = sign > 0 if one.args[0] == argument else sign < 0
                return chosen(expr.xreplace({one: one.args[1 if positive else 2]}))
        return expr.xreplace(values)

    return replace(section, payoffs=section.payoffs.map(chosen))


def _between_poles(section: Section) -> list[Section]:
    """Cut at poles, and see that logarithms and roots are real."""
    poles: list[Real] = []
    for base, is_pole in _delicate(section.payoffs):
        found = places_of_zeros(base, section.lower, section.upper)
        if is_pole:
            poles += found
            continue
        ends = [section.lower, *found, section.upper]
        for low, high in itertools.pairwise(ends):
            if Function(base, t).sign(generic_point(low, high)) != 1:
                raise Undecided(
                    f"{base} is not positive between {section.lower.shown} and "
                    f"{section.upper.shown}, where its root or logarithm is taken; restrict the "
                    "domain of scores"
                )
        poles += found
    poles = sorted(poles, key=lambda place: float(place.ball.mid()))
    parts = _cut(section, poles)
    return [
        replace(
            part,
            closed_lower=part.closed_lower and k == 0,
            closed_upper=part.closed_upper and k == len(poles),
            joined=part.joined and k == 0,
        )
        for k, part in enumerate(parts)
    ]


def _delicate(payoffs: Payoffs) -> set[tuple[sp.Expr, bool]]:
    """Return the bases of logarithms, roots and denominators; the last are poles."""
    found: set[tuple[sp.Expr, bool]] = set()
    for part in _parts(payoffs):
        for node in sp.preorder_traversal(part):
            if isinstance(node, sp.log):
                found.add((node.args[0], False))
            elif node.is_Pow and not (node.exp.is_Integer and node.exp > 0):
                found.add((node.base, bool(node.exp.is_Integer)))
    return {(base, pole) for base, pole in found if t in base.free_symbols and not base.is_positive}


def _with_closed_ends(sections: list[Section], payoffs: Payoffs) -> list[Section]:
    """Part neighbours where a payoff jumps, closed where the formula has its value."""
    if not may_jump(payoffs):
        return sections
    parted = sections[:1]
    for section in sections[1:]:
        before, place = parted[-1], section.lower
        if not section.joined:
            parted.append(section)
            continue
        left, right = (
            [Function(part, t).value(place.ball) for part in _parts(one.payoffs)]
            for one in (before, section)
        )
        if _agree(left, right):
            parted.append(section)
            continue
        if place.exact is None:
            raise Undecided(f"a payoff jumps at t = {place.shown}, which has no exact form")
        exact = payoffs.map(partial(sp.Expr.xreplace, rule={t: place.exact}))
        here = [Real.of(part).ball for part in _parts(exact)] if is_defined(exact) else []
        held = [bool(here) and _agree(here, side) for side in (left, right)]
        halfway = [(a + b) / 2 for a, b in zip(left, right, strict=True)]
        if here and not any(held) and not _agree(here, halfway):
            raise Undecided(
                f"a payoff has at t = {place.shown} alone a value unlike those beside it"
            )
        climbed = _agree(left[:2], right[:2])
        parted[-1] = replace(before, closed_upper=held[0])
        parted.append(replace(section, closed_lower=held[1], joined=False, climbed=climbed))
    return parted


def _agree(one: Sequence[arb], other: Sequence[arb]) -> bool:
    return all(a.overlaps(b) for a, b in zip(one, other, strict=True))
