"""Integrals again, by QUADPACK: laws are SciPy's, divergences their f as it is written."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import integrate, stats

from gantheory.divergences import DIVERGENCES
from gantheory.ledger.statements import floats
from gantheory.ledger.statements.floats import NoRoute, float_value
from gantheory.ledger.statements.kinds import Integral
from gantheory.ledger.statements.scored import Played

FAR = 300.0  # beyond e^FAR a generator is its slope at infinity times r, in floating point
LAWS: Mapping[str, Callable[..., Any]] = {
    "normal": stats.norm, "laplace": stats.laplace, "logistic": stats.logistic,
    "uniform": lambda a, b: stats.uniform(a, b - a),
}  # fmt: skip


def asked_number(check: Integral) -> float:
    """Return what is asked, a derivative in q.loc by differences.

    Raises:
        NoRoute: for other laws, quantities and derivatives.
    """
    p, q = (_law(text) for text in (check.p, check.q))
    if check.quantity == "w1":
        found = _wasserstein
    elif check.quantity.endswith(".followed") and check.wrt == "q.loc":
        return _followed(check.quantity.removesuffix(".followed"), p, q)
    elif check.quantity in DIVERGENCES:
        tree = floats.read(DIVERGENCES[check.quantity].f)
        found = lambda p, q, shift: _divergence(tree, p, q, shift)  # noqa: E731
    else:
        raise NoRoute(f"no second route for {check.quantity}")
    if check.wrt is None:
        return found(p, q, 0.0)
    if check.wrt != "q.loc":
        raise NoRoute(f"no difference in {check.wrt}")
    h = 1e-4
    return (found(p, q, h) - found(p, q, -h)) / (2 * h)


def _law(text: str) -> Any:
    match = re.fullmatch(r"\s*(\w+)\(([^()]*)\)\s*", text)
    if match is None or match[1] not in LAWS:
        raise NoRoute(f"no law of SciPy for {text}")
    return LAWS[match[1]](*(float(part) for part in match[2].split(",")))


def _pieces(*laws: Any) -> list[tuple[float, float]]:
    """Return short intervals that hold the mass of the laws to 1e-300 or so."""
    ends = set()
    for law in laws:
        low, high = map(float, law.support())
        spread = [law.mean() + k * law.std() for k in (-38, -9, -3, 0, 3, 9, 38)]
        ends |= {float(x) for x in (low, high, *spread) if math.isfinite(x) and low <= x <= high}
    return list(pairwise(sorted(ends)))


def _quad(integrand: Callable[[float], float], *laws: Any) -> float:
    return float(sum(
        integrate.quad(integrand, *piece, limit=400, epsabs=1e-13)[0] for piece in _pieces(*laws)
    ))  # fmt: skip


def _divergence(tree: Any, p: Any, q: Any, shift: float) -> float:
    """Return ∫ q f(p/q), q moved by ``shift``; where one density is 0, by f(0) and f'(∞)."""

    def integrand(x: float) -> float:
        a, b = float(p.logpdf(x)), float(q.logpdf(x - shift))
        if a == b == -math.inf:
            return 0.0
        ratio = math.exp(min(max(a - b, -FAR), FAR))
        return math.exp(b if a - b < FAR else a - FAR) * float(float_value(tree, {"r": ratio}))

    moved = [stats.norm(q.mean() + shift, q.std())] if shift else []
    return _quad(integrand, p, q, *moved)


def _wasserstein(p: Any, q: Any, shift: float) -> float:
    return _quad(lambda x: abs(float(p.cdf(x) - q.cdf(x - shift))), p, q)


def _followed(loss: str, p: Any, q: Any) -> float:
    """Return the slope of E_q[H] in q's place, H held: the generator's loss at the best score."""
    from gantheory.losses import get_loss

    played, h = Played(get_loss(loss)), 1e-4
    places = np.linspace(q.mean() - 7 * q.std(), q.mean() + 7 * q.std(), 57)
    paid = np.array([played.paid_at(float(p.logpdf(x) - q.logpdf(x))) for x in places])
    slopes = (q.pdf(places - h) - q.pdf(places + h)) / (2 * h)
    return float(integrate.simpson(paid * slopes, x=places))
