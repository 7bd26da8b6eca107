"""The best score of a function of means, as a formula in the ratio where it has one.

A formula stands where the moments that the condition r·U(t, M) + W(t, M) = 0 needs drop out, as
an invariance of the objective or exact integrals show: E_P g = E_Q[r·g], and E_Q[α·r + β] = α + β.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy as sp

from gantheory.critics.concavity import in_exponentials
from gantheory.critics.functional import Means, Moment, is_zero
from gantheory.functions import r, t

z = sp.Symbol("z", positive=True)  # exp(t)
SHIFT = sp.Symbol("c", positive=True)
MOST = 5  # moments beyond which a formula would not be read
SAMPLES = (sp.Rational(7, 10), sp.Rational(13, 10), sp.Rational(5, 2))
INVARIANCES = {"t + c": t + SHIFT, "c*t": SHIFT * t}


@dataclass(frozen=True)
class Integrals:
    """The moments of a score T(r): known numbers, and means E_q[g(r)] that have no number.

    Attributes:
        numbers: moment -> its number.
        densities: moment -> g, for those that depend on the laws; equal ones share one symbol.
        same: moment -> the symbol that stands for it.
    """

    numbers: dict[sp.Symbol, sp.Expr] = field(default_factory=dict)
    densities: dict[sp.Symbol, sp.Expr] = field(default_factory=dict)
    same: dict[sp.Symbol, sp.Symbol] = field(default_factory=dict)

    def at(self, expr: sp.Expr) -> sp.Expr:
        """Return an expression with what is known of the moments in their place."""
        return self._summed(expr.xreplace(self.same).xreplace(self.numbers))

    def _summed(self, expr: sp.Expr) -> sp.Expr:
        """Put the number of a sum of moments in its place, inside of an expression too."""
        if not expr.free_symbols & set(self.densities) or not expr.args:
            return expr
        if expr.is_Add:
            slopes = {s: expr.coeff(s, 1) for s in self.densities if expr.has(s)}
            rest = expr - sum(slope * s for s, slope in slopes.items())
            if all(part.is_number for part in (*slopes.values(), rest)):
                total = sum(slope * self.densities[s] for s, slope in slopes.items())
                number = _mean_of(total)
                return expr if number is None else number + rest
        return expr.func(*map(self._summed, expr.args))

    def vanishes(self, expr: sp.Expr) -> bool:
        """Whether an expression is 0 for all laws, as a linear one in the moments may be."""
        expr = sp.expand(self.at(expr))
        rest, total = expr, sp.S.Zero
        for symbol, g in self.densities.items():
            factor = expr.coeff(symbol, 1)
            if factor.free_symbols & set(self.densities):
                return False
            rest = rest - factor * symbol
            total += factor * g
        rest = sp.expand(rest)
        if rest.free_symbols & set(self.densities):
            return False
        number = _mean_of(total)
        return number is not None and is_zero(number + rest)


def _mean_of(g: sp.Expr) -> sp.Expr | None:
    """Return E_q[g(r)] where g is affine in r, so that it is the same for all laws.

    >>> _mean_of(3 * r - 1)
    2
    """
    if not is_zero(sp.diff(g, r, 2)):
        return None
    return sp.simplify(g.subs(r, 1))


def moments_of_score(moments: tuple[Moment, ...], score: sp.Expr) -> Integrals:
    """Return the moments of a score that is a function of r."""
    found = Integrals()
    for moment in moments:
        f = found.at(moment.integrand).subs(t, score)
        g = _tidied(r * f if moment.law == "p" else f)
        number = None if g.free_symbols & set(found.densities) else _mean_of(g)
        if number is not None:
            found.numbers[moment.symbol] = number
            continue
        other = next((s for s, known in found.densities.items() if is_zero(known - g)), None)
        if other is not None:
            found.same[moment.symbol] = other
        else:
            found.densities[moment.symbol] = g
    return found


def _tidied(g: sp.Expr) -> sp.Expr:
    g = sp.expand_log(in_exponentials(g), force=True).replace(sp.exp, _power_of)
    return sp.powsimp(sp.expand(sp.cancel(g)), force=True)


def _power_of(argument: sp.Expr) -> sp.Expr:
    """Return exp(a·log(b) + c) as b**a·exp(c)."""
    found, rest = sp.S.One, sp.S.Zero
    for term in sp.Add.make_args(sp.expand(argument)):
        logs = [factor for factor in sp.Mul.make_args(term) if isinstance(factor, sp.log)]
        if len(logs) == 1:
            found *= logs[0].args[0] ** (term / logs[0])
        else:
            rest += term
    return found * sp.exp(rest)


def stationary_formula(means: Means) -> sp.Expr | None:
    """Return t as a function of r and the moments; None where it has no single formula."""
    real, fake = (in_exponentials(means.force(law)) for law in "pq")
    if sp.simplify(real) == 0 or sp.simplify(fake) == 0:
        return None
    ratio = sp.powsimp(sp.cancel(sp.together(_in_z(-fake / real))))
    image = sp.expand(sp.expand_log(sp.log(ratio), force=True).subs(sp.log(z), t))
    rate = sp.diff(image, t)
    if not image.has(z) and rate != 0 and not rate.has(t):  # log r = rate·t + rest
        return sp.simplify((sp.log(r) - image.subs(t, 0)) / rate)
    condition = sp.together(_in_z(r * real + fake))
    symbol = z if condition.has(z) else t
    if condition.has(z) and (condition.has(t) or len(means.unknowns) > MOST):
        return None
    try:
        roots = sp.solve(sp.numer(condition), symbol)
    except NotImplementedError:
        return None
    kept = [root for root in roots if _is_possible(root, symbol)]
    if len(kept) != 1:
        return None
    return sp.log(kept[0]) if symbol == z else kept[0]


def _in_z(expr: sp.Expr) -> sp.Expr:
    """Return an expression with exp(k·t + c) as exp(c)·z**k."""

    def power(argument: sp.Expr) -> sp.Expr:
        argument = sp.expand(argument)
        k = argument.coeff(t, 1)
        rest = argument - k * t
        return sp.exp(argument) if rest.has(t) else sp.exp(sp.simplify(rest)) * z**k

    return expr.replace(sp.exp, power)


def _is_possible(root: sp.Expr, symbol: sp.Symbol) -> bool:
    """Whether a root can be real, and positive as exp(t) is, for some positive moments."""
    for sample in SAMPLES:
        names = sorted(root.free_symbols, key=str)
        value = sp.N(root.xreplace({name: sample + k for k, name in enumerate(names)}))
        if value.is_real and (symbol != z or value > 0):
            return True
    return False


@dataclass(frozen=True)
class Closed:
    """A score in r alone, the moments it has, and the change of scores that brings others to it."""

    score: sp.Expr
    integrals: Integrals
    invariance: str | None


def closed_score(means: Means, score: sp.Expr) -> Closed | None:
    """Return the score without moments, where it then solves its own condition."""
    symbols = {moment.symbol for moment in means.unknowns}
    if not score.free_symbols & symbols:
        return Closed(score, moments_of_score(means.unknowns, score), _invariance(means))
    for name, image in INVARIANCES.items():
        if not means.is_invariant(image):
            continue
        bare = without(score, symbols, shift=name == "t + c")
        if bare is None:
            continue
        integrals = moments_of_score(means.unknowns, bare)
        if _solves(means, bare, integrals):
            return Closed(bare, integrals, name)
    return None


def _invariance(means: Means) -> str | None:
    return next((name for name, image in INVARIANCES.items() if means.is_invariant(image)), None)


def without(score: sp.Expr, symbols: set[sp.Symbol], shift: bool) -> sp.Expr | None:
    """Return the part of a score that depends on r, if no moment is in it."""
    opened = sp.expand(sp.expand_log(sp.expand_log(score, force=True), force=True))
    _, bare = (
        opened.as_independent(r, as_Add=True) if shift else score.as_independent(r, as_Add=False)
    )
    return None if bare.free_symbols & symbols else sp.logcombine(bare, force=True)


def _solves(means: Means, score: sp.Expr, integrals: Integrals) -> bool:
    """Whether the score solves the condition with its own moments, for all laws and every r."""
    condition = (r * means.force("p") + means.force("q")).subs(t, score)
    condition = sp.expand_log(in_exponentials(integrals.at(condition)), force=True)
    numerator = sp.numer(sp.cancel(sp.together(sp.powsimp(condition, force=True))))
    for factor in sp.factor_list(numerator)[1]:
        if not factor[0].has(r) and integrals.vanishes(factor[0]):
            return True
    collected = sp.collect(sp.expand(numerator), r, evaluate=False)
    return all(not part.has(r) and integrals.vanishes(part) for part in collected.values())
