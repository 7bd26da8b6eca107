"""Constrained critics again: their value on laws of a few points, by numerical maximisation.

Nothing of the theory is used: a critic is a vector of outputs or slopes, its class a constraint
on them, and the claimed value is a formula in the two laws, evaluated in floating point.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog, minimize, minimize_scalar

from gantheory.divergences import DIVERGENCES
from gantheory.expressions import ELEMENTARY, ONE, Grammar, parse
from gantheory.ledger.statements import floats
from gantheory.ledger.statements.floats import NoRoute, float_value

Law = NDArray[np.float64]
CLAIMED = Grammar("value", {**ELEMENTARY, "integral": ONE}, parameters=True)
POINTS = 5  # 0, 1, ..., 4 on the line, where a distance matters
DISTANCE, WEIGHT = 1.3, 0.7  # of WGAN-GP's two points, and of its penalty


def cases(critic: str, claimed: str) -> Iterator[tuple[str, float, float]]:
    """Yield the best value that is found and the claimed one, on random pairs of laws.

    Raises:
        NoRoute: for a critic of another kind.
    """
    if critic not in BEST:
        raise NoRoute(f"no numerical maximisation for {critic}")
    draw = np.random.default_rng(15)
    for number in range(6):
        p, q, mu = (draw.dirichlet(np.ones(POINTS)) for _ in range(3))
        yield f"laws {number}", BEST[critic](p, q, mu), value_on_laws(claimed, p, q, mu)


def _lipschitz(p: Law, q: Law, mu: Law) -> float:
    """Return max Σ (p - q) f over |f(k) - f(k + 1)| ≤ 1, a linear program."""
    steps = np.diff(np.eye(POINTS), axis=0)
    found = linprog(q - p, A_ub=np.vstack([steps, -steps]), b_ub=np.ones(2 * len(steps)),
                    bounds=[(0, 0), *[(None, None)] * (POINTS - 1)])  # fmt: skip
    return -float(found.fun)


def _penalised(p: Law, q: Law, mu: Law) -> float:
    """Return the best value of WGAN-GP's critic between two points, over its slope."""
    found = minimize_scalar(lambda v: -(v * DISTANCE - WEIGHT * (abs(v) - 1) ** 2))
    return -float(found.fun)


def _largest(gain: Law, weights: Law) -> float:
    """Return max gain·f over Σ weights f² ≤ 1, by ascent."""

    def cost(f: Law) -> float:
        return -float(gain @ f) / float(np.sqrt(weights @ f**2))

    return -float(minimize(cost, gain + 0.1, tol=1e-12).fun)


def _fisher(p: Law, q: Law, mu: Law) -> float:
    return _largest(p - q, (p + q) / 2)


def _sobolev(p: Law, q: Law, mu: Law) -> float:
    """Critics by their slopes on the gaps between points; mu is the mean's density on a gap."""
    return _largest(np.cumsum(q - p)[:-1], mu[:-1])


def _energy(p: Law, q: Law, mu: Law) -> float:
    """Return max E_p f - E_q f over the unit ball of the kernel -|x - y|, f = Σ w k(x, ·)."""
    places = np.arange(POINTS)
    kernel = POINTS - np.abs(places[:, None] - places)  # a constant more changes no difference
    gain = kernel @ (p - q)

    def cost(w: Law) -> float:
        return -float(gain @ w) / float(np.sqrt(w @ kernel @ w))

    return -float(minimize(cost, p - q + 0.01, tol=1e-13).fun)


def _score(p: Law, q: Law, mu: Law) -> float:
    """Return the largest E_p log D + E_q log(1 - D), score by score."""
    return sum(
        -float(minimize_scalar(
            lambda t, a=a, b=b: a * np.logaddexp(0, -t) + b * np.logaddexp(0, t)).fun)
        for a, b in zip(p, q, strict=True)
    )  # fmt: skip


BEST: Mapping[str, Callable[[Law, Law, Law], float]] = {
    "wasserstein": _lipschitz, "wgan-gp": _penalised, "fisher": _fisher, "sobolev": _sobolev,
    "cramer": _energy, "conditional": _score,
}  # fmt: skip


def value_on_laws(text: str, p: Law, q: Law, mu: Law) -> float:
    """Return a claimed value on two laws of points 0, 1, 2, ...; cdfs are steps between them."""
    return _total(parse(text.replace("lambda", "weight"), CLAIMED), p, q, mu)


def _total(node: Any, p: Law, q: Law, mu: Law) -> float:
    """Return the number that a value's tree stands for: integrals over the gaps are replaced."""

    class Integrals(ast.NodeTransformer):
        def visit_Call(self, call: ast.Call) -> ast.expr:
            if getattr(call.func, "id", "") != "integral":
                self.generic_visit(call)
                return call
            heights = zip(*(h[:-1] for h in (np.cumsum(p), np.cumsum(q), mu)), strict=True)
            cells = (dict(zip(("F_p", "F_q", "mu"), one, strict=True)) for one in heights)
            return ast.Constant(sum(float_value(call.args[0], cell) for cell in cells))

    names: dict[str, float] = {
        "w1": float(np.abs(np.cumsum(p - q)).sum()), "d": DISTANCE, "weight": WEIGHT
    }  # fmt: skip
    used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & set(DIVERGENCES)
    tree = Integrals().visit(node)
    names |= floats.divergences_of_masses(tree, tuple(p), tuple(q)) if used else {}
    return float_value(tree, names)
