r"""Antiderivatives of a power of the random name times a function of α·m + β.

.. math:: \int m^k g(\alpha m + \beta)\,dm
   = \frac{1}{\alpha}\sum_j \binom{k}{j}\frac{(-\beta)^{k-j}}{\alpha^k}\int u^j g(u)\,du,

and by parts :math:`\int u^k F_j = \sum_i (-1)^i \frac{k!}{(k-i)!}\, u^{k-i} F_{j+1+i}` for the
Fermi-Dirac integrals, of which softplus is :math:`F_0` and the sigmoid :math:`F_{-1}`.
"""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from gantheory.deadline import Undecided
from gantheory.expectations.laws import M
from gantheory.expectations.terms import Term
from gantheory.functions import fermi_dirac, sigmoid, softplus, t

U = sp.Symbol("u", real=True)


def antiderivative(term: sp.Expr) -> sp.Expr:
    """Return the antiderivative in m of a power of m times one function of α·m + β.

    Raises:
        Undecided: where there is none of the grammar's functions.
    """
    if term.is_polynomial(M):
        return sp.integrate(term, M)
    power, function = sp.S.Zero, sp.S.One
    for factor in sp.Mul.make_args(term):
        if factor == M or (factor.is_Pow and factor.base == M and factor.exp.is_Integer):
            power += factor.as_base_exp()[1]
        else:
            function *= factor
    inner = {_inner(node) for node in _calls(function)}
    if len(inner) != 1 or power < 0:
        raise Undecided(f"the mean of {str(term)[:60]} has no closed form here")
    argument = inner.pop()
    slope = sp.diff(argument, M)
    shift = sp.expand(argument - slope * M)
    square = _square_completed(argument)
    if square is not None:
        function = function.xreplace({argument: square[1].xreplace({U: square[0]})})
        argument, slope = square[0], sp.S.One
        shift = argument - M
    if slope.has(M) or shift.has(M) or slope.is_nonzero is not True:
        raise Undecided(f"{str(argument)[:60]} is not linear in the random name")
    outer = function.xreplace({argument: U})
    if outer.has(M):
        raise Undecided(f"the mean of {str(term)[:60]} has no closed form here")
    expanded = sp.Poly(sp.expand(((U - shift) / slope) ** power), U)
    parts = (c * _primitive(outer, int(k)) for (k,), c in expanded.terms())
    return sp.Add(*parts).xreplace({U: argument}) / slope


def _square_completed(argument: sp.Expr) -> tuple[sp.Expr, sp.Expr] | None:
    """Return (w, a·u² + c) of an argument a·w² + c with w = m + β and c without the score."""
    if not argument.is_polynomial(M) or sp.degree(argument, M) != 2:
        return None
    a, b, c = sp.Poly(argument, M).all_coeffs()
    rest = sp.expand(c - b**2 / (4 * a))
    if a.has(t) or rest.has(t):
        return None
    return M + sp.expand(b / (2 * a)), a * U**2 + rest


def wave(term: Term, density: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> sp.Expr | None:
    """Return ∫ mᵏ·sin(α·m + β)·density for an exponential density; None for other functions."""
    function = term.other
    if not isinstance(function, sp.sin | sp.cos) or not sp.diff(sp.log(density), M, 2).equals(0):
        return None
    slope = sp.diff(function.args[0], M)
    if slope.has(M):
        return None
    phase = sp.Dummy("phase", real=True)
    made = sp.integrate(M**term.order * function.func(slope * M + phase) * density, M)
    if made.has(sp.Integral):
        return None
    made = made.xreplace({phase: sp.expand(function.args[0] - slope * M)})
    ends = (sp.S.Zero if end.is_infinite else made.xreplace({M: end}) for end in (upper, lower))
    return next(ends) - next(ends)


def fading(term: Term, density: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> sp.Expr | None:
    r"""Return ∫ g(u)·density for softplus or the sigmoid of u = α·m + β; None for others.

    For a density K·exp(cu) with c = ±1 or ±1/2 alone: with y = exp(cu), which is 0 at the infinite
    end, ∫σ·exp(cu) du is −log(1 + y), y − log(1 + y), −2·atan(y) and 2·(y − atan(y)) for c = −1, 1,
    −1/2 and 1/2, and softplus follows by parts; for other c see `gantheory.expectations.sigmoids`.
    """
    function = term.other
    if term.order or not isinstance(function, softplus | sigmoid):
        return None
    u = function.args[0]
    slope, growth = sp.diff(u, M), sp.diff(sp.log(density), M)
    rate = sp.simplify(growth / slope)
    if slope.has(M) or rate not in (1, -1, sp.S.Half, -sp.S.Half):
        return None
    y = sp.exp(rate * U)
    halved = abs(rate) == sp.S.Half
    area = sp.atan(y) if halved else softplus(rate * U)
    made = (2 if halved else 1) * (y - area if rate > 0 else -area)
    if isinstance(function, softplus):
        made = (softplus(U) * y - made) / rate
    front = density.xreplace({M: sp.S.Zero}) * sp.exp(-rate * u.xreplace({M: sp.S.Zero})) / slope
    places = (
        sp.S.Zero if m.is_infinite else made.xreplace({U: u.xreplace({M: m})})
        for m in (upper, lower)
    )
    return sp.expand(front * (next(places) - next(places)))


def _calls(expr: sp.Expr) -> set[sp.Expr]:
    """Return the outermost functions and powers of m in an expression."""
    if not expr.has(M):
        return set()
    if expr.is_Mul or (expr.is_Pow and expr.exp.is_Integer and expr.exp > 0):
        return set().union(*(_calls(part) for part in expr.args))
    return {expr}


def _inner(node: sp.Expr) -> sp.Expr:
    if isinstance(node, sp.exp):
        return node.args[0]
    if node.is_Pow:
        return node.exp if node.exp.has(M) else node.base
    return node.args[0] if isinstance(node, sp.Function) and len(node.args) == 1 else node


@lru_cache(maxsize=256)
def _primitive(function: sp.Expr, power: int) -> sp.Expr:
    """Return the antiderivative of uᵏ·g(u)."""
    for sign in (1, -1):
        for scale in (1, 2):
            argument = sign * scale * U
            found = _of_logistic(function, argument, power)
            if found is not None:
                return found
    if function.has(sigmoid, softplus, sp.tanh):
        raise Undecided(f"the mean of {function} over its argument has no elementary form")
    positive = sp.Symbol("u", positive=True)  # logarithms and roots are real, checked elsewhere
    real = function.has(sp.log) or any(not node.exp.is_Integer for node in function.atoms(sp.Pow))
    inner = positive if real or function.has(sp.Pow) else U
    found = sp.integrate((U**power * function).xreplace({U: inner}), inner)
    if found.has(sp.Integral, sp.Piecewise, sp.asinh, sp.acosh, sp.erfi, sp.Ei, sp.gamma):
        raise Undecided(f"the mean of {function} over its argument has no closed form here")
    return found.xreplace({inner: U})


def _of_logistic(function: sp.Expr, argument: sp.Expr, power: int) -> sp.Expr | None:
    """Return ∫ uᵏ·g for a power of the sigmoid, softplus or tanh of ±u."""
    if function == softplus(argument):
        return _by_parts(0, argument, power)
    base, exponent = function.as_base_exp()
    if base == sigmoid(argument) and exponent.is_Integer and exponent >= 1:
        return _of_powers(int(exponent), argument, power)
    if function == sp.tanh(argument):
        return 2 * _by_parts(-1, 2 * argument, power) - U ** (power + 1) / (power + 1)
    return None


def _by_parts(order: int, argument: sp.Expr, power: int) -> sp.Expr:
    """Return ∫ uᵏ·F_j(±αu) du."""
    scale, total = sp.diff(argument, U), sp.S.Zero
    for i in range(power + 1):
        front = (-1) ** i * sp.ff(power, i) * U ** (power - i) / scale ** (i + 1)
        total += front * fermi_dirac(sp.Integer(order + 1 + i), argument)
    return total


def _of_powers(n: int, argument: sp.Expr, power: int) -> sp.Expr:
    """Return ∫ uᵏ·σⁿ(αu) du, by σⁿ = σⁿ⁻¹ − (σⁿ⁻¹)'/((n − 1)·α) and by parts."""
    if n == 1:
        return _by_parts(-1, argument, power)
    edge = U**power * sigmoid(argument) ** (n - 1)
    inner = power * _of_powers(n - 1, argument, power - 1) if power else sp.S.Zero
    return _of_powers(n - 1, argument, power) - (edge - inner) / ((n - 1) * sp.diff(argument, U))
