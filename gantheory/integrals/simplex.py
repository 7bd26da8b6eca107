r"""Divergences of two Dirichlet laws in closed form, in digits enough for the terms to cancel.

With B the multivariate beta function, :math:`\int p^a q^{1-a} = B(a\alpha + (1-a)\beta)
B(\alpha)^{-a} B(\beta)^{a-1}`, infinite where an exponent is not positive, and
:math:`KL(P\|Q) = \log B(\beta) - \log B(\alpha) + \sum_k (\alpha_k - \beta_k)(\psi(\alpha_k) -
\psi(\sum_j \alpha_j))`.
"""

from __future__ import annotations

import math
from typing import Any

import mpmath

from gantheory.densities.simplex import Dirichlet
from gantheory.errors import GantheoryError
from gantheory.records import Estimate
from gantheory.rounding import EPS

METHOD = "closed form"
# a divergence as (order a of the affinity A, slope and constant of the value in A)
AFFINE = {
    "bc": (0.5, 1, 0),
    "hellinger2": (0.5, -1, 1),
    "pearson_chi2": (2, 1, -1),
    "neyman_chi2": (-1, 1, -1),
}
KL = ("kl_pq", "kl_qp", "jeffreys")
NAMES = (*KL, *AFFINE)


def divergence_of_dirichlets(
    name: str, p: Dirichlet, q: Dirichlet, wrt: str | None = None
) -> Estimate:
    """Return a divergence of `NAMES`, or its derivative in q.concentration[k] or p's."""
    size = max(abs(math.log10(x)) for x in (*p.concentration, *q.concentration))
    with mpmath.workdps(60 + int(3 * size)):
        a, b = ([mpmath.mpf(x) for x in law.concentration] for law in (p, q))
        if wrt is None:
            return _value(name, a, b)
        law, _, parameter = wrt.partition(".")
        k = (p if law == "p" else q).index(parameter)
        if name not in KL:
            raise GantheoryError(f"wrt={wrt!r}: of Dirichlet laws {', '.join(KL)} have derivatives")
        slopes = [_kl_slope(x, y, k, x is a, law) for x, y in _orders(name, a, b)]
        return _rounded(mpmath.fsum(slopes))


def _orders(name: str, a: Any, b: Any) -> list[tuple[Any, Any]]:
    return {"kl_pq": [(a, b)], "kl_qp": [(b, a)], "jeffreys": [(a, b), (b, a)]}[name]


def _value(name: str, a: Any, b: Any) -> Estimate:
    if name in KL:
        return _rounded(mpmath.fsum(_kl(x, y) for x, y in _orders(name, a, b)))
    order, slope, constant = AFFINE[name]
    mixed = [order * x + (1 - order) * y for x, y in zip(a, b, strict=True)]
    if min(mixed) <= 0:
        return Estimate.infinite("the affinity integral diverges at a face of the simplex", METHOD)
    log = _log_beta(mixed) - order * _log_beta(a) - (1 - order) * _log_beta(b)
    value = slope * mpmath.expm1(log) + slope + constant
    if value > mpmath.mpf("1e308"):
        answer = Estimate.undetermined("finite, but beyond the range of binary64", METHOD)
        return answer
    return _rounded(value)


def _log_beta(a: Any) -> Any:
    return mpmath.fsum(map(mpmath.loggamma, a)) - mpmath.loggamma(mpmath.fsum(a))


def _kl(a: Any, b: Any) -> Any:
    whole = mpmath.digamma(mpmath.fsum(a))
    moved = ((x - y) * (mpmath.digamma(x) - whole) for x, y in zip(a, b, strict=True))
    return _log_beta(b) - _log_beta(a) + mpmath.fsum(moved)


def _kl_slope(a: Any, b: Any, k: int, straight: bool, law: str) -> Any:
    """Return the derivative of KL(a‖b) in the k-th number of the law that moves."""
    if (law == "p") != straight:  # the second law moves
        of_b = mpmath.digamma(b[k]) - mpmath.digamma(mpmath.fsum(b))
        return of_b - mpmath.digamma(a[k]) + mpmath.digamma(mpmath.fsum(a))
    apart = mpmath.fsum(a) - mpmath.fsum(b)
    return (a[k] - b[k]) * mpmath.psi(1, a[k]) - apart * mpmath.psi(1, mpmath.fsum(a))


def _rounded(value: Any) -> Estimate:
    found = float(value)
    return Estimate(found, EPS * abs(found), method=METHOD)
