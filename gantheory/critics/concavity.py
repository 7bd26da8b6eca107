"""Whether a function of means is concave in the score, by rules of composition.

A mean of f(l), with l affine in the score, bends as f does. Sums, multiples and functions of one
variable follow the rules of disciplined convex programming (M. Grant, S. Boyd, Y. Ye 2006, Global
Optimization: from theory to implementation); the logarithm of a sum of means of exponentials is
convex (Hoelder), and so is the root of a sum of means of squares (Minkowski).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import sympy as sp

from gantheory.critics.functional import Means, Moment
from gantheory.deadline import OutOfTime, Undecided
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import sigmoid, softplus, t

POSITIVE = (sp.Integer(0), sp.oo)
RULES = (
    "composition of convex and concave functions (Boyd and Vandenberghe 2004, Convex "
    "Optimization, 3.2.4), Hoelder's and Minkowski's inequalities"
)


def in_exponentials(expr: sp.Expr) -> sp.Expr:
    """Return a payoff in exponentials and logarithms alone."""
    expr = expr.replace(softplus, lambda u: sp.log(1 + sp.exp(u))).replace(
        sp.tanh, lambda u: 1 - 2 / (1 + sp.exp(2 * u))
    )
    return expr.replace(sigmoid, lambda u: 1 / (1 + sp.exp(-u)))


def bend_of(payoff: sp.Expr, parameters: Assumptions | None = None) -> int | None:
    """Return the sign of the second derivative in t on the whole line; None where it changes.

    >>> bend_of(-softplus(t))
    -1
    """
    parameters = parameters or Assumptions()
    z = sp.Symbol("z", positive=True)  # exp(t)
    bend = sp.diff(in_exponentials(payoff), t, 2)
    image = sp.simplify(bend.subs(t, sp.log(z)))
    if not image.has(z) or not bend.has(sp.exp):
        found = parameters.sign(sp.simplify(bend), {t: (-sp.oo, sp.oo)})
        return found if found is not None or not image.has(z) else None
    return parameters.sign(image, {z: POSITIVE})


def curvature_of(means: Means, parameters: Assumptions | None = None) -> int | None:
    """Return 1 for a convex function of the score, -1 for a concave, 0 for an affine one."""
    parameters = parameters or Assumptions()
    known: dict[sp.Symbol, int | None] = {}
    try:
        for moment in means.moments:
            known[moment.symbol] = _of_moment(moment, known, parameters)
        return _Rules(means, known, parameters).bend(means.outer)
    except OutOfTime:
        raise
    except Undecided:
        return None


def grows_with_concave(means: Means, parameters: Assumptions | None = None) -> bool:
    """Whether V is concave in the score, or an increasing function of what is.

    A score at which it is stationary is then the best of all.
    """
    parameters = parameters or Assumptions()
    if curvature_of(means, parameters) == -1 or concave_where_held(means, parameters):
        return True
    inner = [part for part in means.outer.args if part.free_symbols & set(means.symbols)]
    if len(inner) != 1 or inner[0].is_Symbol or means.outer.is_Add:
        return False
    u = sp.Symbol("u", positive=True) if inner[0].is_positive else sp.Symbol("u", real=True)
    bounds = POSITIVE if inner[0].is_positive else (-sp.oo, sp.oo)
    slope = sp.diff(means.outer.xreplace({inner[0]: u}), u)
    try:
        grows = parameters.sign(slope, {u: bounds}) == 1
    except OutOfTime:
        raise
    except Undecided:
        return False
    return grows and grows_with_concave(replace(means, outer=inner[0]), parameters)


def concave_where_held(means: Means, parameters: Assumptions | None = None) -> bool:
    """Whether V is concave among scores of mean 0, to which t -> t + c brings every score.

    A score at which it is stationary is then the best of all, as for a penalty on a variance.
    """
    if not means.is_invariant(t + sp.Symbol("c", positive=True)):
        return False
    for moment in means.moments:
        if moment.integrand == t:
            held = {moment.symbol: sp.S.Zero}
            rest = tuple(
                replace(other, integrand=other.integrand.xreplace(held))
                for other in means.moments
                if other is not moment
            )
            if curvature_of(Means(means.outer.xreplace(held), rest), parameters) == -1:
                return True
    return False


def _of_moment(
    moment: Moment, known: dict[sp.Symbol, int | None], parameters: Assumptions
) -> int | None:
    """Return how the mean of f(t, M) bends, where f is a function of one affine combination."""
    inner = moment.integrand.free_symbols & set(known)
    slope = sp.diff(moment.integrand, t)
    for symbol in inner:
        along = sp.simplify(sp.diff(moment.integrand, symbol) / slope) if slope != 0 else None
        if known[symbol] != 0 or along is None or along.has(t) or along.free_symbols & set(known):
            return None
    return bend_of(moment.integrand.xreplace(dict.fromkeys(inner, sp.S.Zero)), parameters)


class _Rules:
    """The rules of composition over one tree."""

    def __init__(
        self, means: Means, known: dict[sp.Symbol, int | None], parameters: Assumptions
    ) -> None:
        self.known, self.parameters = known, parameters
        self.integrand = {moment.symbol: moment.integrand for moment in means.moments}

    def bend(self, node: sp.Expr) -> int | None:
        """Return how an expression in moments bends."""
        if not node.free_symbols & set(self.known):
            return 0
        if node.is_Symbol:
            return self.known[node]
        if node.is_Add:
            return _joined(self.bend(part) for part in node.args)
        if node.is_Mul:
            factor, rest = node.as_independent(*self.known, as_Add=False)
            sign = self.parameters.sign(factor)
            bent = self.bend(rest) if factor != 1 else None
            return None if sign is None or bent is None else sign * bent
        if isinstance(node, sp.log):
            return 1 if self.is_sum_of(node.args[0], _is_exponential) else self.composed(node)
        if node.is_Pow and node.exp == sp.Rational(1, 2):
            return 1 if self.is_sum_of(node.base, _is_square) else self.composed(node)
        return self.composed(node)

    def is_sum_of(self, node: sp.Expr, kind: object) -> bool:
        """Whether an expression adds up positive multiples of means of one kind."""
        assert callable(kind)
        for part in sp.Add.make_args(node):
            factor, symbol = part.as_independent(*self.known, as_Add=False)
            if self.parameters.sign(factor) != 1 or symbol not in self.integrand:
                return False
            f = self.integrand[symbol]
            if f.free_symbols & set(self.known) or not kind(f):
                return False
        return True

    def composed(self, node: sp.Expr) -> int | None:
        """Return how φ(u) bends: φ'' and φ'·u'' must not have different signs."""
        if node.is_Pow and not node.exp.free_symbols & set(self.known):
            inner = node.base
        elif len(node.args) == 1:
            inner = node.args[0]
        else:
            return None
        bent = self.bend(inner)
        u = sp.Symbol("u", positive=True) if inner.is_positive else sp.Symbol("u", real=True)
        outer = node.xreplace({inner: u})
        bounds = POSITIVE if inner.is_positive else (-sp.oo, sp.oo)
        first, second = (self.parameters.sign(sp.diff(outer, u, k), {u: bounds}) for k in (1, 2))
        if bent == 0:
            return second
        if None in (bent, first, second):
            return None
        assert bent is not None
        assert first is not None
        return _joined((second, first * bent))


def _joined(parts: Iterable[int | None]) -> int | None:
    found = set(parts) - {0}
    if not found:
        return 0
    return found.pop() if len(found) == 1 else None


def _is_exponential(f: sp.Expr) -> bool:
    """Whether log f is affine in the score."""
    log = sp.expand_log(sp.log(in_exponentials(f)), force=True)
    return bool(sp.simplify(sp.diff(log, t, 2)) == 0)


def _is_square(f: sp.Expr) -> bool:
    """Whether f is the square of an affine function of the score."""
    if not f.is_polynomial(t) or sp.degree(f, t) != 2:
        return False
    a, b, c = sp.Poly(f, t).all_coeffs()
    return bool(sp.simplify(b**2 - 4 * a * c) == 0 and a.is_positive)
