r"""Branches of roots and logarithms: a perfect square under a root is an absolute value.

The exact algebra takes the base of a root or logarithm with the sign that it has at one point of
the domain (`gantheory.exact.algebra`). That is sound where the expression is analytic on a
connected domain, because two analytic functions that agree near a point agree everywhere. It is
so exactly where every irreducible factor g of every such base is without a zero there. Hence,
before any algebra, on each interval:

* :math:`(g^{2k} h)^e = |g|^{2ke} h^e` and :math:`\log(g^{2k} h) = 2k \log|g| + \log h` wherever g
  may vanish, and an absolute value is a kink at which the interval is cut;
* what remains of the base must be positive on the interval, or the game is undecided.

Which rewriting happens elsewhere, and why it is sound:

* sympy evaluates on its own :math:`\sqrt{x^2} = |x|` for real x, :math:`(xy)^e = x^e y^e` and
  :math:`\log x^e = e \log x` for positive x, and :math:`e^{\log x} = x`; all symbols are real, and
  one is declared positive only where its interval is.
* `atoms` splits the logarithm of a product over factors that are positive by sympy's own rules.
* `algebra` splits powers and logarithms of products over their factors, all of one sign on the
  interval by the above; constants under nested square roots are denested by `sympy.sqrtdenest`, an
  identity of real numbers. A difference that is not formally 0 but encloses 0 is never called
  different from 0.
* `roots` squares no equation without putting the solution back (`patterns` does).
* `powdenest(force=True)`, `expand_log(force=True)` and `logcombine` take every symbol for
  positive: the derivations do not use them. The published tables, the relativistic pair and the
  claims about integrals do, on logarithms and powers of densities and ratios, which are positive.
* Every derivation is evaluated against the formulas as typed before it is shown
  (`gantheory.derivations.confirmation`).
"""

from __future__ import annotations

import sympy as sp

from gantheory.exact.algebra import Algebra
from gantheory.exact.assumptions import Assumptions, Range, interior


def opened(expr: sp.Expr, x: sp.Symbol, bounds: Range, parameters: Assumptions) -> sp.Expr:
    """Return ``expr`` with absolute values where a root or logarithm hides an even power.

    >>> x = sp.Symbol("x", real=True)
    >>> opened(sp.sqrt(x**2 - 2*x + 1), x, (-sp.oo, sp.oo), Assumptions())
    Abs(x - 1)
    """
    if expr.is_Atom:
        return expr
    parts = [opened(part, x, bounds, parameters) for part in expr.args]
    if any(new is not old for new, old in zip(parts, expr.args, strict=True)):
        expr = expr.func(*parts)
    if isinstance(expr, sp.log):
        rest, squares = _split(expr.args[0], x, bounds, parameters)
        return sp.log(rest) + sp.Add(*(k * sp.log(sp.Abs(g)) for g, k in squares))
    if expr.is_Pow and not expr.exp.is_Integer:
        rest, squares = _split(expr.base, x, bounds, parameters)
        return rest**expr.exp * sp.Mul(*(sp.Abs(g) ** (k * expr.exp) for g, k in squares))
    return expr


def _split(
    base: sp.Expr, x: sp.Symbol, bounds: Range, parameters: Assumptions
) -> tuple[sp.Expr, list[tuple[sp.Expr, sp.Integer]]]:
    """Return a base without the even powers of factors that may vanish, and those powers."""
    if base.is_positive or not base.free_symbols:
        return base, []
    algebra = Algebra({**parameters.sample, x: interior(*bounds, parameters)})
    squares = [
        (factor, power)
        for factor, power in algebra.factors(base)[1]
        if power.is_Integer
        and power % 2 == 0
        and parameters.sign(factor, {x: bounds}) not in (1, -1)
    ]
    if not squares:
        return base, []
    return algebra.normal(base / sp.Mul(*(g**k for g, k in squares))), squares
