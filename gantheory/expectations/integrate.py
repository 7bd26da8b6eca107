r"""The mean of a formula over a random name, in closed form, kinks included.

A kink in u = α·m + β parts the integrand into what holds everywhere and what is gained where u > 0,
a range of m that starts at the place −β/α. What is left is smooth: polynomials in m have the
partial moments of the law, exponentials in m change a density into another of its kind, functions
g(α·m + β) have antiderivatives where the density is a polynomial
(`gantheory.expectations.antiderivatives`), and over a whole normal law the means of softplus, of
its derivatives and of erf are known functions.
"""

from __future__ import annotations

import sympy as sp

from gantheory.deadline import Undecided
from gantheory.exact.assumptions import Assumptions
from gantheory.expectations.antiderivatives import U, antiderivative, fading, wave
from gantheory.expectations.laws import M, MarginLaw, MarginPiece
from gantheory.expectations.normal import bell, mean_over_normal
from gantheory.expectations.sigmoids import beyond_a_place, over_logistic
from gantheory.expectations.terms import no_closed_form, parted
from gantheory.functions import choice, relu, sigmoid, t

KINKS = (relu, sp.Abs, choice)
TERMS = 60  # of an expanded integrand


def mean_over(expr: sp.Expr, name: sp.Symbol, law: MarginLaw, parameters: Assumptions) -> sp.Expr:
    """Return the mean of an expression over a random name.

    Raises:
        Undecided: where the integral has no closed form here.
    """
    expr = expr.xreplace({name: M})
    total = sp.Add(*(weight * expr.xreplace({M: place}) for place, weight in law.atoms))
    for piece in law.pieces:
        total += _Means(piece, parameters).between(expr, piece.lower, piece.upper)
    return min((total, sp.expand(total)), key=lambda one: int(one.count_ops()))


class _Means:
    """Integrals against one piece of a law."""

    def __init__(self, piece: MarginPiece, parameters: Assumptions) -> None:
        self.piece, self.parameters = piece, parameters

    def between(self, expr: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> sp.Expr:
        """Return ∫ expr·density over (lower, upper), both of which may move with the score."""
        kinks = _kinks_in(expr)
        if not kinks:
            return self.smooth(expr, lower, upper)
        argument = min(kinks, key=sp.default_sort_key).args[0]
        slope = sp.diff(argument, M)
        rest = sp.expand(argument - slope * M)
        known = not slope.has(M, t) and self.parameters.sign(slope) in (1, -1)
        if not known or rest.has(M):
            raise Undecided(f"the kink in {argument} is not linear in the random name")
        above, below = (_without(expr, argument, side) for side in (1, -1))
        simple = self.piece.density.is_polynomial(M)
        if (expr.has(sp.exp) and not simple) or any(map(_is_one_sided, (above, below))):
            return sum(
                self.beyond(part, u, lower, upper)
                if simple and not _kinks_in(part)
                else self.between(part, *(_reached(u, end) for end in (lower, upper)))
                for part, u in ((above, argument), (below, -argument))
            )
        everywhere = self.between(below, lower, upper)
        gained = sp.expand(above - below)
        if simple and not _kinks_in(gained):
            return everywhere + self.beyond(gained, argument, lower, upper)
        ends = (_reached(argument, end) for end in (lower, upper))
        return everywhere + self.between(gained, *ends)

    def beyond(self, gained: sp.Expr, argument: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> sp.Expr:
        """Return the integral of ``gained``·density where an argument u = α·m + β is positive.

        With H(u) the antiderivative that is 0 at u = 0, it is H(max(u, 0))/α between the ends.
        """
        slope = sp.diff(argument, M)
        rest = sp.expand(argument - slope * M)
        total = sp.S.Zero
        for term in sp.Add.make_args(sp.expand(gained * self.piece.density)):
            front, moving = term.as_independent(M)
            found = antiderivative(moving) if term != 0 else sp.S.Zero
            ends = (found.xreplace({M: sp.expand((x - rest) / slope)}) for x in (U, sp.S.Zero))
            total += front * (next(ends) - next(ends))
        total = sp.expand(total)
        places = (relu(sp.expand(argument.xreplace({M: end}))) for end in (upper, lower))
        return total.xreplace({U: next(places)}) - total.xreplace({U: next(places)})

    def smooth(self, expr: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> sp.Expr:
        """Return ∫ expr·density where no kink is left."""
        if lower == upper:
            return sp.S.Zero
        for node in expr.atoms(sp.Pow):
            if node.exp.is_negative and node.exp != -1 and node.base.has(M):
                raise Undecided(f"the mean of {node} may have a pole")
        density = self.piece.density
        weighted = density.is_polynomial(M) and not expr.is_polynomial(M)
        for atom in expr.atoms(sigmoid):
            mirrored = sigmoid(sp.expand(-atom.args[0]))
            if expr.has(atom) and expr.has(mirrored):
                expr = expr.xreplace({mirrored: 1 - atom})
        if self.piece.tilts is not None or self.piece.logistic is not None:
            expr = expr.replace(sp.tanh, lambda u: 2 * sigmoid(2 * u) - 1)
        terms = sp.Add.make_args(sp.expand(expr * density if weighted else expr))
        if len(terms) > TERMS:
            raise Undecided("a mean has too many terms")
        total = sp.S.Zero
        for term in terms:
            if term == 0:
                continue
            rest, moving = term.as_independent(M)
            if not weighted:
                total += rest * self.of_term(moving, lower, upper)
                continue
            found = bell(moving, lower, upper)
            if found is None:
                whole = antiderivative(moving)
                found = whole.xreplace({M: upper}) - whole.xreplace({M: lower})
            total += rest * found
        return total

    def of_term(self, moving: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> sp.Expr:
        """Return ∫ mᵏ·exp(a·m² + b·m + c)·g(m)·density."""
        term, piece = parted(moving), self.piece
        everywhere = lower == -sp.oo and upper == sp.oo
        if everywhere and piece.whole is not None and term.other == 1 and term.square == 0:
            return term.front * piece.whole(term.order, term.rate, self.parameters)
        front = term.front
        if term.square.is_negative and piece.normal is None:
            constant, product = sp.powsimp(moving * piece.density).as_independent(M)
            found = bell(product, lower, upper)
            if found is not None:
                return constant * found
        if term.square != 0 or term.rate != 0:
            if piece.tilts is None:
                raise no_closed_form(moving, "over this law")
            factor, piece = piece.tilts(piece, term.square, term.rate, self.parameters)
            front *= factor
        if term.other == 1:
            ends = piece.moment(term.order, upper) - piece.moment(term.order, lower)
            return front * ends
        if piece.logistic is not None and everywhere and not term.order:
            return front * over_logistic(term.other, *piece.logistic)
        if piece.normal is None:
            rules = (made(term, piece.density, lower, upper) for made in (wave, fading))
            found = next((one for one in rules if one is not None), None)
            if found is None and not term.order:
                mass = piece.moment(0, upper) - piece.moment(0, lower)
                found = beyond_a_place(term.other, piece.density, lower, upper, mass)
            if found is None:
                raise no_closed_form(term.other, "over this law")
            return front * found
        if not everywhere:
            raise no_closed_form(term.other, "over a part of a normal law, as beside a kink")
        return front * mean_over_normal(term.order, term.other, *piece.normal)


def _kinks_in(expr: sp.Expr) -> list[sp.Expr]:
    """Return the innermost kinks in the random name."""
    kinks = [kink for kink in expr.atoms(*KINKS) if kink.args[0].has(M)]
    return [k for k in kinks if not any(one.has(M) for one in k.args[0].atoms(*KINKS))]


def _is_one_sided(expr: sp.Expr) -> bool:
    """Whether a root or logarithm in an expression may be real on one side of a kink alone."""
    roots = {node.base for node in expr.atoms(sp.Pow) if not node.exp.is_Integer}
    logs = {node.args[0] for node in expr.atoms(sp.log)}
    return any(base.has(M) for base in roots | logs)


def _reached(argument: sp.Expr, end: sp.Expr) -> sp.Expr:
    """Return an end of a range where u = α·m + β is positive there, else the place of u = 0."""
    slope = sp.diff(argument, M)
    place = sp.expand(argument.xreplace({M: sp.S.Zero})) / -slope
    if end.is_infinite:
        return end if (slope * end).is_extended_positive else place
    return place + relu(sp.expand(argument.xreplace({M: end}))) / slope


def _without(expr: sp.Expr, argument: sp.Expr, sign: int) -> sp.Expr:
    """Return an expression where the argument of a kink has one sign."""
    for one in expr.atoms(choice):
        if one.args[0] in (argument, -argument):
            positive = (sign > 0) == (one.args[0] == argument)
            return _without(expr.xreplace({one: one.args[1 if positive else 2]}), argument, sign)
    return expr.xreplace(
        {
            relu(argument): argument if sign > 0 else sp.S.Zero,
            relu(-argument): sp.S.Zero if sign > 0 else -argument,
            sp.Abs(argument): sign * argument,
            sp.Abs(-argument): sign * argument,
        }
    )
