r"""KL divergences of two laws of one family of counts in closed form, each rounded once.

.. math:: \mathrm{Poisson}: a\log\tfrac ab - a + b,\qquad
   \mathrm{binomial}: n[a\log\tfrac ab + (1-a)\log\tfrac{1-a}{1-b}],\qquad
   \mathrm{negative\ binomial}: \tfrac ra\,[a\log\tfrac ab + (1-a)\log\tfrac{1-a}{1-b}],

the geometric law being the last with r = 1; of binomial laws n, of negative binomial ones r, must
be shared. Derivatives are differences of these in so many digits that none is lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import mpmath

from gantheory.densities.base import Density
from gantheory.densities.counts import Binomial, Geometric, NegativeBinomial, Poisson
from gantheory.densities.gammas import in_digits
from gantheory.densities.inherited import of_family
from gantheory.records import Estimate
from gantheory.rounding import EPS
from gantheory.wrt import split_parameter

NAMES = ("kl_pq", "kl_qp")


def _poisson(a: Any, b: Any) -> Any:
    return a * mpmath.log(a / b) - a + b


def _two_sided(a: Any, b: Any) -> Any:
    return a * mpmath.log(a / b) + (1 - a) * mpmath.log((1 - a) / (1 - b))


# of each family: its moving parameter, the shared one, and the formula in (shared, p's, q's)
FORMS: dict[type[Density], tuple[str, str, Callable[..., Any]]] = {
    Poisson: ("rate", "", lambda _, a, b: _poisson(a, b)),
    Binomial: ("p", "n", lambda n, a, b: n * _two_sided(a, b)),
    NegativeBinomial: ("p", "r", lambda r, a, b: r / a * _two_sided(a, b)),
    Geometric: ("p", "", lambda _, a, b: _two_sided(a, b) / a),
}


def kl_of_family(name: str | None, p: Density, q: Density, wrt: str | None) -> Estimate | None:
    """Return a KL divergence, or its derivative; None where no formula is known.

    >>> from gantheory.densities import density
    >>> kl_of_family("kl_pq", density("poisson(1)"), density("poisson(2)"), "q.rate").value
    0.5
    """
    if name not in NAMES:
        return None
    family = next((kind for kind in FORMS if of_family(p, kind) and of_family(q, kind)), None)
    if family is None:
        return None
    moving, shared, formula = FORMS[family]
    side, parameter = split_parameter(wrt) if wrt else ("", moving)
    if parameter != moving or (shared and getattr(p, shared) != getattr(q, shared)):
        return None
    if p == q:
        return Estimate(0.0, method="closed form")
    laws, order = ((p, q), "pq") if name == "kl_pq" else ((q, p), "qp")
    numbers = [float(getattr(law, moving)) for law in laws]
    held = float(getattr(p, shared)) if shared else 1.0
    place = None if wrt is None else order.index(side)
    value = in_digits(lambda *at: (_moved(formula, place, *at),), held, *numbers)[0]
    log = math.log(value) if value > 0 and wrt is None else None
    return Estimate(value, EPS * abs(value), method="closed form", log_value=log)


def _moved(formula: Callable[..., Any], place: int | None, held: Any, *numbers: Any) -> Any:
    """Return a formula's value, or its derivative in the number at a place."""
    if place is None:
        return formula(held, *numbers)
    orders = tuple(int(k == place) for k in range(len(numbers)))
    return mpmath.diff(partial(formula, held), numbers, orders, relative=True)
