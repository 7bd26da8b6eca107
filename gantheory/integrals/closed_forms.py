r"""Closed forms: an independent route, from two formulas a family and symbolic differentiation.

Each exponential family states KL(P‖Q) and its affinity :math:`\int p^\alpha q^{1-\alpha}`; the
other divergences follow from these two. Nothing here is shared with the quadrature. Values are
computed in 40 digits and again in twice as many until 20 of them stay, so differences of nearly
equal laws keep all of theirs; what 640 digits do not converge has the last change as its error.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import sympy as sp

from gantheory.densities.renamed import as_known
from gantheory.densities.univariate import Univariate
from gantheory.divergences import named
from gantheory.errors import GantheoryError
from gantheory.integrals.line.estimates import BEYOND, CAREFUL
from gantheory.integrals.line.inputs import input_noise
from gantheory.integrals.line.integrals import SMALLEST
from gantheory.records import Estimate, Status
from gantheory.rounding import EPS
from gantheory.wrt import split_parameter

METHOD = "closed form"
DIGITS, MOST_DIGITS = 40, 640
CONVERGED = 1e-20  # relative change from one number of digits to twice as many
Formula = tuple[sp.Expr, tuple[sp.Expr, ...]]  # and what must be positive for it to be finite


def symbols(names: str) -> tuple[Any, ...]:
    """Return real symbols p_name and q_name for each name, p's first."""
    return tuple(
        sp.Symbol(f"{law}_{n}", positive=n != "loc", real=True)
        for law in "pq"
        for n in names.split()
    )


A = sp.Symbol("alpha", real=True)
_m1, _s1, _m2, _s2 = symbols("loc scale")
_k1, _t1, _k2, _t2 = symbols("shape scale")
_a1, _b1, _a2, _b2 = symbols("a b")


@dataclass(frozen=True)
class Forms:
    """What one family knows in closed form; ``needs`` are positive where the affinity exists."""

    kl: sp.Expr | None = None
    affinity: sp.Expr | None = None
    needs: tuple[sp.Expr, ...] = ()
    overlap: sp.Expr | None = None  # 1 − TV at equal scales


def _normal() -> Forms:
    spread = (1 - A) * _s1**2 + A * _s2**2
    shift = _m1 - _m2
    kl = sp.log(_s2 / _s1) + (_s1**2 + shift**2) / (2 * _s2**2) - sp.Rational(1, 2)
    affinity = _s1 ** (1 - A) * _s2**A / sp.sqrt(spread)
    affinity *= sp.exp(-A * (1 - A) * shift**2 / (2 * spread))
    return Forms(kl, affinity, (spread,), sp.erfc(sp.Abs(shift) / (2 * sp.sqrt(2) * _s1)))


def _laplace() -> Forms:
    far = sp.Abs(_m1 - _m2)
    kl = sp.log(_s2 / _s1) + far / _s2 + _s1 / _s2 * sp.exp(-far / _s1) - 1
    return Forms(kl, overlap=sp.exp(-far / (2 * _s1)))


def _gumbel() -> Forms:
    ratio, shift = _s1 / _s2, (_m1 - _m2) / _s2
    kl = -sp.log(ratio) + shift + sp.EulerGamma * (ratio - 1)
    return Forms(kl + sp.exp(-shift) * sp.gamma(1 + ratio) - 1)


def _cauchy() -> Forms:
    return Forms(sp.log(((_s1 + _s2) ** 2 + (_m1 - _m2) ** 2) / (4 * _s1 * _s2)))


def _gamma() -> Forms:
    kl = (_k1 - _k2) * sp.digamma(_k1) - sp.loggamma(_k1) + sp.loggamma(_k2)
    kl += _k2 * sp.log(_t2 / _t1) + _k1 * (_t1 - _t2) / _t2
    shape, rate = A * _k1 + (1 - A) * _k2, A / _t1 + (1 - A) / _t2
    log_affinity = sp.loggamma(shape) - shape * sp.log(rate)
    log_affinity -= A * (sp.loggamma(_k1) + _k1 * sp.log(_t1))
    log_affinity -= (1 - A) * (sp.loggamma(_k2) + _k2 * sp.log(_t2))
    return Forms(kl, sp.exp(log_affinity), (shape, rate))


def _log_beta(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    return sp.loggamma(a) + sp.loggamma(b) - sp.loggamma(a + b)


def _beta() -> Forms:
    kl = _log_beta(_a2, _b2) - _log_beta(_a1, _b1) + (_a1 - _a2) * sp.digamma(_a1)
    kl += (_b1 - _b2) * sp.digamma(_b1) + (_a2 - _a1 + _b2 - _b1) * sp.digamma(_a1 + _b1)
    a, b = A * _a1 + (1 - A) * _a2, A * _b1 + (1 - A) * _b2
    log_affinity = _log_beta(a, b) - A * _log_beta(_a1, _b1) - (1 - A) * _log_beta(_a2, _b2)
    return Forms(kl, sp.exp(log_affinity), (a, b))


@cache
def _student_to_normal() -> Formula:
    """Return KL from Student's t to a normal law: cross-entropy by two moments, less entropy."""
    df, half = sp.Symbol("p_df", positive=True), sp.Rational(1, 2)
    square = _s1**2 * df / (df - 2) + (_m1 - _m2) ** 2
    entropy = (df + 1) / 2 * (sp.digamma((df + 1) / 2) - sp.digamma(df / 2)) + sp.log(df) / 2
    entropy += sp.log(_s1) + sp.loggamma(df / 2) + sp.loggamma(half) - sp.loggamma((df + 1) / 2)
    return sp.log(2 * sp.pi * _s2**2) / 2 + square / (2 * _s2**2) - entropy, (df - 2,)


FORMS = {
    "normal": _normal,
    "lognormal": _normal,  # the same divergences: log is a bijection
    "laplace": _laplace,
    "gumbel": _gumbel,
    "cauchy": _cauchy,
    "gamma": _gamma,
    "beta": _beta,
}


def closed_form(name: str, p: Univariate, q: Univariate, wrt: str | None = None) -> Estimate:
    """Return a divergence, or its derivative, from its closed form.

    Raises:
        GantheoryError: where no closed form is known here.

    >>> from gantheory.densities import density
    >>> closed_form("kl_pq", density("normal(0, 1)"), density("normal(1, 1)"), "q.loc").value
    1.0
    """
    p, q = as_known(p), as_known(q)
    found = _of_pair(name, p, q, wrt)
    values = _numbers(p, q)
    if found is None:
        raise _unknown(name, p, q)
    expr, needs = found
    if any(_evaluated(need, values)[0] <= 0 for need in needs):
        infinite = Estimate.infinite("the affinity integral diverges", METHOD)
        return infinite if not wrt else Estimate.undetermined(f"{name} is infinite here", METHOD)
    return _estimate(*_evaluated(expr, values), input_noise(p, q))


def _of_pair(name: str, p: Univariate, q: Univariate, wrt: str | None) -> Formula | None:
    if (name, p.name, q.name) == ("kl_pq", "student_t", "normal"):
        return _differentiated(name, _student_to_normal(), wrt)
    if (name, q.name, p.name) == ("kl_qp", "student_t", "normal"):
        expr, needs = _student_to_normal()
        return _differentiated(name, (_exchanged(expr), tuple(map(_exchanged, needs))), wrt)
    family = _family(p)
    if family is None or family != _family(q):
        return None
    return expression_of(name, family, _equal_scales(p, q), wrt)


@cache
def expression_of(name: str, family: str, equal_scales: bool, wrt: str | None) -> Formula | None:
    """Return the formula of a divergence between two laws of a family, or of its derivative.

    Raises:
        GantheoryError: where the formula has no such parameter.
    """
    found = _expression(name, family, equal_scales)
    if found is None or (name in ("tv", "tv_gap") and wrt and not wrt.endswith(".loc")):
        return None
    return _differentiated(name, found, wrt)


def _differentiated(name: str, formula: Formula, wrt: str | None) -> Formula:
    if wrt is None:
        return formula
    expr, needs = formula
    law, parameter = split_parameter(wrt)
    symbol = next((s for s in expr.free_symbols if str(s) == f"{law}_{parameter}"), None)
    if symbol is None:
        raise GantheoryError(f"the closed form of {name} has no parameter {wrt!r}")
    return _derivative(expr, symbol), needs


def _unknown(name: str, p: Univariate, q: Univariate) -> GantheoryError:
    return GantheoryError(
        f"no closed form of {name} between {p} and {q} is known here; use method='quadrature'"
    )


def _family(law: Univariate) -> str | None:
    if law.name == "student_t":
        return "cauchy" if law.parameters["df"] == 1 else None
    return law.name if law.name in FORMS else None


def _equal_scales(p: Univariate, q: Univariate) -> bool:
    return p.parameters.get("scale") == q.parameters.get("scale")


@cache
def _expression(name: str, family: str, equal_scales: bool) -> Formula | None:
    forms = FORMS[family]()
    if name in ("tv", "tv_gap"):
        if forms.overlap is None or not equal_scales:
            return None
        return (forms.overlap if name == "tv_gap" else 1 - forms.overlap), ()
    if name in ("kl_pq", "kl_qp", "jeffreys") and forms.kl is not None:
        both = forms.kl, _exchanged(forms.kl)
        return {"kl_pq": both[0], "kl_qp": both[1], "jeffreys": sum(both)}[name], ()
    if forms.affinity is None:
        return None
    if name == "bc":
        return forms.affinity.subs(A, sp.Rational(1, 2)), ()
    power = named(name).power
    return None if power is None else _power(*power, forms)


def _power(order: Fraction, factor: Fraction | int, forms: Forms) -> Formula:
    alpha = sp.Rational(order.numerator, order.denominator)
    scale = sp.Rational(factor) / (alpha * (alpha - 1))
    return (_at(forms, alpha) - 1) * scale, _needs(forms, alpha)


def _at(forms: Forms, alpha: sp.Rational) -> sp.Expr:
    assert forms.affinity is not None
    return forms.affinity.subs(A, alpha)


def _needs(forms: Forms, alpha: sp.Rational) -> tuple[sp.Expr, ...]:
    return tuple(need.subs(A, alpha) for need in forms.needs)


def _exchanged(expr: sp.Expr) -> sp.Expr:
    names = {s: sp.Symbol(("p" if str(s)[0] == "q" else "q") + str(s)[1:], **s.assumptions0)
             for s in expr.free_symbols}  # fmt: skip
    return expr.xreplace(names)


@cache
def _derivative(expr: sp.Expr, symbol: sp.Symbol) -> sp.Expr:
    return sp.diff(expr, symbol)


def _numbers(p: Univariate, q: Univariate) -> dict[str, Any]:
    laws = (("p", p), ("q", q))
    return {f"{law}_{k}": v for law, density in laws for k, v in density.parameters.items()}


def _evaluated(expr: sp.Expr, values: dict[str, Any]) -> tuple[Any, float]:
    """Return an expression's value at binary64 parameters, and by how much it is unsettled."""
    compute, names = compiled_formula(expr, "mpmath")
    at = [values[name] for name in names]
    digits, value = DIGITS, _in_digits(compute, at, DIGITS)
    while True:
        digits, before = 2 * digits, value
        value = _in_digits(compute, at, digits)
        change = abs(value - before)
        if value != 0 and change <= CONVERGED * abs(value):  # all digits of a 0 may have cancelled
            return value, 0.0
        if digits >= MOST_DIGITS:
            return value, float(change)


@cache
def compiled_formula(expr: sp.Expr, functions: Any) -> tuple[Callable[..., Any], tuple[str, ...]]:
    """Return a function of an expression's symbols, in order of their names, and these names.

    ``functions`` is a module's name, or (name, function) of all that the expression may hold.
    """
    symbols = sorted(expr.free_symbols, key=str)
    known = functions if isinstance(functions, str) else [dict(functions)]
    return sp.lambdify(symbols, expr, known), tuple(map(str, symbols))


def _in_digits(compute: Callable[..., Any], numbers: list[float], digits: int) -> Any:
    with mpmath.workdps(digits):
        return compute(*map(mpmath.mpf, numbers))


def _estimate(value: Any, unsettled: float, noise: float) -> Estimate:
    number, lowest = float(value), sys.float_info.min
    log_value = float(mpmath.log(value)) if value > 0 else None
    if math.isinf(number):
        return replace(Estimate.undetermined(BEYOND, METHOD), log_value=log_value)
    error = (EPS + noise) * abs(number) + unsettled
    if value != 0 and abs(number) < lowest:
        error = max(error, SMALLEST)
    status, reason = Status.OK, None
    if error > CAREFUL * abs(number):
        status = Status.ILL_CONDITIONED
        reason = "the rounding of the parameters to binary64 matters"
        if abs(number) < lowest:
            reason = "below the range of binary64; see log_value"
    return Estimate(number, error, status, METHOD, reason, log_value=log_value)
