"""Exact roots of low degree, and where they lie for all legal parameters."""

from __future__ import annotations

import functools

import sympy as sp

from gantheory.deadline import Undecided
from gantheory.exact.algebra import Algebra, floating_value
from gantheory.exact.assumptions import GENERIC, Assumptions, interior


def roots_between(
    expr: sp.Expr, x: sp.Symbol, lower: sp.Expr, upper: sp.Expr, parameters: Assumptions
) -> list[sp.Expr]:
    """Return all zeros of ``expr`` with lower < x < upper, in increasing order.

    Raises:
        Undecided: if a factor has no closed form, or the place of a zero depends on parameters.
    """
    algebra = Algebra(
        {**parameters.sample, x: interior(lower, upper, parameters), **_rest(expr, parameters, x)}
    )
    quotient = algebra.quotient(expr)
    if quotient.num.is_zero():
        return []
    found: list[sp.Expr] = []
    for base, power in quotient.factors()[1]:
        if power < 0 or x not in base.free_symbols:
            continue
        if parameters.sign(base, {x: (lower, upper)}) in (1, -1):
            continue  # an irreducible factor of one sign has no zero
        found += [
            root
            for root in solve_factor(base, x, algebra, parameters)
            if _is_between(root, lower, upper, parameters)
        ]
    return in_order(found, parameters)


def _rest(expr: sp.Expr, parameters: Assumptions, x: sp.Symbol) -> dict[sp.Symbol, float]:
    known = {*parameters.sample, x}
    return {s: GENERIC[1] for s in expr.free_symbols if s not in known}


def solve_factor(
    factor: sp.Expr, x: sp.Symbol, algebra: Algebra, parameters: Assumptions | None = None
) -> list[sp.Expr]:
    """Return the real roots of an irreducible factor in one generator of degree at most two.

    With ``parameters`` the roots must be real for all of them, else at the sample of ``algebra``.

    >>> x, a = sp.symbols("x a", positive=True)
    >>> solve_factor(x**a - 3, x, Algebra({x: 1.3, a: 0.7}))
    [3**(1/a)]
    """
    quotient = algebra.quotient(factor)
    places = [k for k, g in enumerate(quotient.generators) if x in g.free_symbols]
    used = [k for k in places if quotient.num.degrees()[k]]
    if len(used) > 1 and all(isinstance(quotient.generators[k], sp.log) for k in used):
        return _without_logarithms(quotient.expression(quotient.num), x, algebra, parameters)
    if len(used) != 1:
        raise Undecided(f"no closed form for the zeros of {factor} in {x}")
    generator = quotient.generators[used[0]]
    values = _polynomial_roots(quotient.coefficients(used[0]), algebra, parameters)
    if isinstance(generator, sp.exp):
        values = [value for value in values if _is_positive(value, algebra, parameters)]
    return [inverse(generator, value, x) for value in values]


def _without_logarithms(
    expr: sp.Expr, x: sp.Symbol, algebra: Algebra, parameters: Assumptions | None
) -> list[sp.Expr]:
    """Solve Σ cᵢ·log(Pᵢ) + c = 0 as Π Pᵢ^kᵢ = exp(-c/g), for rational cᵢ = g·kᵢ, kᵢ coprime."""
    logarithms: list[tuple[sp.Rational, sp.Expr]] = []
    rest = sp.Integer(0)
    for term in sp.Add.make_args(sp.expand(expr)):
        coefficient, part = term.as_coeff_Mul(rational=True)
        if x not in part.free_symbols:
            rest += term
        elif isinstance(part, sp.log):
            logarithms.append((coefficient, part.args[0]))
        else:
            raise Undecided(f"no closed form for the zeros of {expr} in {x}")
    step = functools.reduce(sp.gcd, (c for c, _ in logarithms))
    product = sp.Mul(*(base ** (c / step) for c, base in logarithms))
    equation = algebra.quotient(product - sp.exp(-rest / step))
    return [
        root
        for factor, power in equation.factors()[1]
        if power > 0 and x in factor.free_symbols
        for root in solve_factor(factor, x, algebra, parameters)
    ]


def _polynomial_roots(
    coefficients: list[sp.Expr], algebra: Algebra, parameters: Assumptions | None
) -> list[sp.Expr]:
    """Return the real roots of a polynomial, its highest coefficient first."""
    coefficients = [algebra.normal(c) for c in coefficients]
    degree = len(coefficients) - 1
    if degree == 1:
        return [algebra.normal(-coefficients[1] / coefficients[0])]
    if degree == 2:
        a, b, c = coefficients
        square = algebra.normal(b**2 - 4 * a * c)
        if not _is_positive(square, algebra, parameters):
            return []
        root = algebra.normal(sp.Pow(square, sp.Rational(1, 2), evaluate=False))
        return [algebra.normal((-b - root) / (2 * a)), algebra.normal((-b + root) / (2 * a))]
    if not any(coefficients[1:-1]):
        ratio = algebra.normal(-coefficients[-1] / coefficients[0])
        if ratio.is_positive:
            root = algebra.normal(ratio ** sp.Rational(1, degree))
            return [root] if degree % 2 else [-root, root]
    if all(c.is_Rational for c in coefficients):
        poly = sp.Poly(coefficients, sp.Dummy("x"))
        if poly.count_roots() == 0:
            return []
    raise Undecided(f"no closed form for the zeros of a polynomial of degree {degree}")


def _is_positive(value: sp.Expr, algebra: Algebra, parameters: Assumptions | None) -> bool:
    if parameters is None:
        return floating_value(value, algebra.sample) > 0
    sign = parameters.sign(value)
    if sign is None:
        raise Undecided(f"whether the roots are real depends on the sign of {value}")
    return sign > 0


def inverse(generator: sp.Expr, value: sp.Expr, x: sp.Symbol) -> sp.Expr:
    """Solve ``generator == value`` for x: x itself, a power, a logarithm or an exponential."""
    if generator == x:
        return value
    if generator.is_Pow and generator.base == x:
        return value ** (1 / generator.exp)
    if isinstance(generator, sp.log):
        return inverse_of_linear(generator.args[0], sp.exp(value), x)
    if isinstance(generator, sp.exp):
        return inverse_of_linear(generator.args[0], sp.log(value), x)
    if generator.is_Pow and x not in generator.exp.free_symbols:
        return inverse_of_linear(generator.base, value ** (1 / generator.exp), x)
    raise Undecided(f"no closed form for the solution of {generator} = {value}")


def inverse_of_linear(expr: sp.Expr, value: sp.Expr, x: sp.Symbol) -> sp.Expr:
    """Solve ``expr == value`` where ``expr`` is linear in x."""
    slope = sp.expand(expr).coeff(x)
    rest = sp.expand(expr - slope * x)
    if slope == 0 or x in rest.free_symbols:
        raise Undecided(f"no closed form for the solution of {expr} = {value}")
    return (value - rest) / slope


def _is_between(root: sp.Expr, lower: sp.Expr, upper: sp.Expr, parameters: Assumptions) -> bool:
    above = 1 if lower == -sp.oo else parameters.sign(root - lower)
    below = 1 if upper == sp.oo else parameters.sign(upper - root)
    if above in (0, -1) or below in (0, -1):
        return False
    if above is None or below is None:
        raise Undecided(f"whether {root} lies in ({lower}, {upper}) depends on the parameters")
    return True


def in_order(values: list[sp.Expr], parameters: Assumptions) -> list[sp.Expr]:
    """Sort constants increasingly and drop repetitions."""

    def compare(a: sp.Expr, b: sp.Expr) -> int:
        if sp.oo in (a, b) or -sp.oo in (a, b):
            return bool(a > b) - bool(a < b)
        sign = parameters.sign(a - b)
        if sign is None:
            raise Undecided(f"the order of {a} and {b} depends on the parameters")
        return sign

    ordered: list[sp.Expr] = []
    for value in sorted(values, key=functools.cmp_to_key(compare)):
        if not ordered or compare(ordered[-1], value) != 0:
            ordered.append(value)
    return ordered
