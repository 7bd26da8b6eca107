r"""Objectives that are functions of means: their moments, and how they change with the score.

An objective such as ``E_p(t) - log(E_q(exp(t)))`` is a function :math:`\Phi` of moments
:math:`M_i = E[f_i(t)]` under P or Q, where f_i may contain other moments. With the adjoints
:math:`\bar e_i = dV/dM_i`, taken through every moment that contains M_i, its variations are

.. math::
    \delta_t V = \int \Big(p \sum_{i \in P} \bar e_i f_i'(t) + q \sum_{j \in Q} \bar e_j f_j'(t)
    \Big)\,\delta t\,dx, \qquad
    \delta_q V = \int \delta q \sum_{j \in Q} \bar e_j f_j(t)\,dx .

So the best score is a function of r = p/q and of a few numbers, and with D held a generator feels
:math:`h(r) = \sum_{j\in Q} \bar e_j f_j(t^*(r))`, as in a separable game.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from functools import cached_property

import sympy as sp

from gantheory.errors import GantheoryError
from gantheory.expressions import parse
from gantheory.functions import t, to_sympy
from gantheory.losses.critic import (
    FUNCTIONAL,
    MEANS,
    Averages,
    Critic,
    Expectations,
    Functional,
    in_place_of_score,
)


@dataclass(frozen=True)
class Moment:
    """The mean of a function of the score under one law; ``integrand`` may name inner moments."""

    symbol: sp.Symbol
    law: str
    integrand: sp.Expr

    def __str__(self) -> str:
        return f"{self.symbol} = E_{self.law}[{self.integrand}]"


@dataclass(frozen=True)
class Means:
    """A function of moments: inner ones come before those that contain them."""

    outer: sp.Expr
    moments: tuple[Moment, ...]

    @cached_property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """The symbols of the moments."""
        return tuple(moment.symbol for moment in self.moments)

    @cached_property
    def adjoints(self) -> tuple[dict[sp.Symbol, sp.Expr], tuple[Moment, ...]]:
        """dV/dM for each moment, and the further moments that nesting brings into them."""
        found: dict[sp.Symbol, sp.Expr] = {}
        further: dict[tuple[str, sp.Expr], Moment] = {}
        for moment in reversed(self.moments):
            total = sp.diff(self.outer, moment.symbol)
            for other in self.moments:
                slope = sp.diff(other.integrand, moment.symbol)
                if slope == 0:
                    continue
                if slope.has(t):
                    key = other.law, slope
                    name = sp.Symbol(f"S{len(further) + 1}", real=True)
                    slope = further.setdefault(key, Moment(name, *key)).symbol
                total += found[other.symbol] * slope
            found[moment.symbol] = total
        return found, tuple(further.values())

    @property
    def unknowns(self) -> tuple[Moment, ...]:
        """Every moment that the forces depend on."""
        return (*self.moments, *self.adjoints[1])

    def felt(self, law: str) -> sp.Expr:
        """Return what the value gains for each unit of mass that a law adds where the score is t.

        Its derivative in t is the force on the score there.
        """
        weights = self.adjoints[0]
        parts = (weights[m.symbol] * m.integrand for m in self.moments if m.law == law)
        return sum(parts, sp.S.Zero)

    def force(self, law: str) -> sp.Expr:
        """Return the factor of a law's density in the variation of the value with the score."""
        return sp.diff(self.felt(law), t)

    def moved(self, image: sp.Expr) -> dict[sp.Symbol, sp.Expr] | None:
        """Return each moment's image where ``image`` takes the place of t, if moments give it.

        With f(image) = α·f(t) + β the moment of f becomes α·M + β; one of a power of t becomes a
        sum of those of lower ones, where they are there.
        """
        images: dict[sp.Symbol, sp.Expr] = {}
        for moment in self.moments:
            if (power := self._moved_power(moment, image)) is not None:
                images[moment.symbol] = power
                continue
            slope = sp.diff(moment.integrand, t)
            there = moment.integrand.subs(t, image).xreplace(images)
            ratio = sp.diff(there, t) / slope if slope != 0 else sp.S.One
            if not is_zero(sp.diff(ratio, t)):
                return None
            factor = sp.simplify(ratio)
            rest = sp.simplify(there - factor * moment.integrand)
            if rest.has(t):
                return None
            images[moment.symbol] = factor * moment.symbol + rest
        return images

    def _moved_power(self, moment: Moment, image: sp.Expr) -> sp.Expr | None:
        """Return the image of the mean of a polynomial as a sum of means of powers, if they do."""
        if not moment.integrand.is_polynomial(t) or not image.is_polynomial(t):
            return None
        means = {one.integrand: one.symbol for one in self.moments if one.law == moment.law}
        total = sp.S.Zero
        for (degree,), factor in sp.Poly(moment.integrand.subs(t, image), t).terms():
            power = t**degree
            if degree and power not in means:
                return None
            total += factor * (means[power] if degree else 1)
        return total

    def is_invariant(self, image: sp.Expr) -> bool:
        """Whether putting ``image`` in the place of t changes no value."""
        images = self.moved(image)
        if images is None:
            return False
        change = self.outer.xreplace(images) - self.outer
        return is_zero(change)

    def is_homogeneous(self) -> bool:
        """Whether c times the score has c times the value, for every c > 0."""
        c = sp.Symbol("c", positive=True)
        images = self.moved(c * t)
        if images is None:
            return False
        return is_zero(self.outer.xreplace(images) - c * self.outer)


def is_zero(expr: sp.Expr) -> bool:
    """Whether an expression is 0: by algebra, where it is at a generic point of its symbols."""
    names = sorted(expr.free_symbols, key=str)
    at = {name: sp.Rational(17 + 6 * k, 13) for k, name in enumerate(names)}
    value = sp.N(expr.xreplace(at), 30)
    if value.is_number and abs(value) > sp.Float("1e-15"):
        return False
    return bool(sp.simplify(sp.expand_log(expr, force=True)) == 0)


class _Reader(ast.NodeTransformer):
    """Takes the means out of a formula, inner ones first, and leaves their symbols."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, sp.Expr], Moment] = {}

    @property
    def names(self) -> dict[str, sp.Expr]:
        return {moment.symbol.name: moment.symbol for moment in self.found.values()}

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        assert isinstance(node.func, ast.Name)
        if node.func.id not in MEANS:
            return node
        integrand = to_sympy(node.args[0], self.names)
        key = node.func.id.removeprefix("E_"), integrand
        if key not in self.found:
            name = f"M{len(self.found) + 1}"
            sign = {"positive": True} if integrand.is_nonnegative else {"real": True}
            self.found[key] = Moment(sp.Symbol(name, **sign), *key)
        return ast.Name(self.found[key].symbol.name)


def read_means(text: str) -> Means:
    """Return a functional as a function of moments.

    >>> [str(moment) for moment in read_means("E_p(t) - log(E_q(exp(t)))").moments]
    ['M1 = E_p[t]', 'M2 = E_q[exp(t)]']
    """
    Functional(text)
    reader = _Reader()
    tree = reader.visit(parse(text, FUNCTIONAL))
    outer = to_sympy(tree, reader.names)
    moments = tuple(
        replace(moment, integrand=sp.expand(moment.integrand))
        if moment.integrand.is_polynomial(t)
        else moment
        for moment in reader.found.values()
    )
    if not any(moment.integrand.has(t) for moment in moments):
        raise GantheoryError(f"functional {text[:60]!r} does not depend on the score")
    return Means(outer, moments)


def as_functional(loss: Critic) -> tuple[str, str]:
    """Return the objective and the generator's loss of an unrestricted critic as functionals.

    Raises:
        GantheoryError: for an objective over pairs, which is no function of means.
    """
    objective = loss.objective
    if isinstance(objective, Functional):
        return objective.formula, loss.generator
    if isinstance(objective, Expectations):
        return f"E_p({objective.real}) + E_q({objective.fake})", f"E_q({loss.generator})"
    if isinstance(objective, Averages):
        on_real, on_fake = "t - E_q(t)", "t - E_p(t)"
        value = _means_of(objective.real, on_real, objective.fake, on_fake)
        return value, _means_of(loss.generator_on_real, on_real, loss.generator, on_fake)
    raise GantheoryError(f"the objective of critic {loss.name!r} compares pairs of samples")


def _means_of(real: str, on_real: str, fake: str, on_fake: str) -> str:
    """Return E_p(real) + E_q(fake), each payoff in its own difference of scores."""
    placed = {"SCOREONREAL": on_real, "SCOREONFAKE": on_fake}
    parts = [
        f"{law}({in_place_of_score(payoff, place)})"
        for law, payoff, place in (("E_p", real, "SCOREONREAL"), ("E_q", fake, "SCOREONFAKE"))
        if payoff
    ]
    text = " + ".join(parts)
    for name, difference in placed.items():
        text = text.replace(name, f"({difference})")
    return text
