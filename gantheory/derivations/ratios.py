"""What a derivation reads at single density ratios: numbers with errors, closed form or not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq

from gantheory.errors import GantheoryError
from gantheory.exact.signs.balls import NoEnclosure, enclose
from gantheory.expressions import Grammar, number, parse
from gantheory.functions import r
from gantheory.records import Estimate
from gantheory.theory.records import Curvature, OptimalDiscriminator

PRECISIONS = (128, 512, 2048)  # bits tried until a number has those of a double
ROUNDED = 2.0**-53


@dataclass(frozen=True)
class AtRatio:
    """The optimal score, D and the three curvatures at one ratio r = p/q.

    None stands where a curvature has a point mass or the optimum jumps, and for what is not
    derived.

    >>> from gantheory import derive
    >>> print(derive("minimax").at(3)[0].D)
    0.75 (exact)
    """

    r: float
    t: Estimate | None
    D: Estimate | None
    value: Estimate | None
    loss: Estimate | None
    followed: Estimate | None

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys; each number with its error."""
        names = ("t", "D", "value", "loss", "followed")
        return {"r": self.r, **{name: _as_json(getattr(self, name)) for name in names}}


def _as_json(found: Estimate | None) -> dict[str, Any] | None:
    if found is None:
        return None
    value = found.value if found.is_finite else str(found.value)
    return {"value": value, "error": found.error}


def at_ratio(
    optimum: OptimalDiscriminator | None,
    curvatures: Mapping[str, Curvature],
    ratio: float | Fraction | str,
) -> AtRatio:
    """Return what is read at one ratio.

    Raises:
        GantheoryError: for a ratio that is not positive, a loss with free parameters, or one
            without an optimal discriminator.
    """
    exact = _ratio(ratio)
    if optimum is None:
        raise GantheoryError("the loss has no optimal discriminator to read at a ratio")
    found = {name: one.curvature for name, one in curvatures.items() if not _lies_at(one, exact)}
    asked = {"t": optimum.score, "D": optimum.D, **found}
    involved = sp.Tuple(*asked.values()).free_symbols - {r}
    if involved:
        names = ", ".join(sorted(map(str, involved)))
        raise GantheoryError(
            f"the loss has free parameters ({names}); give them numbers, as in LOSS({names}=0.5), "
            "by --parameter NAME=0.5 or by at(..., parameters={...})"
        )
    numbers = {
        name: None if _jumps_at(expr, exact) else estimate(expr, exact)
        for name, expr in asked.items()
    }
    parts = ("t", "D", "value", "loss", "followed")
    return AtRatio(float(exact), *(numbers.get(name) for name in parts))


def _ratio(ratio: float | Fraction | str) -> Fraction:
    value = number(parse(str(ratio), Grammar("ratio", {})))
    if value is None or value <= 0:
        raise GantheoryError(f"ratio {str(ratio)[:40]!r} must be a positive number, such as 0.3")
    return value


def _lies_at(curvature: Curvature, ratio: Fraction) -> bool:
    """Whether a curvature has a point mass, or a generator a jump, at a ratio."""
    return any(
        _ball(place, ratio).overlaps(arb(_exact(ratio)))
        for place, _ in (*curvature.atoms, *curvature.jumps)
    )


def _exact(ratio: Fraction) -> fmpq:
    return fmpq(ratio.numerator, ratio.denominator)


def _ball(expr: sp.Expr, ratio: Fraction) -> arb:
    return enclose(expr, {r: arb(_exact(ratio))})


def _jumps_at(expr: sp.Expr, ratio: Fraction) -> bool:
    """Whether a function of r has different values on both sides of a ratio."""
    if not isinstance(expr, sp.Piecewise):
        return False
    for (before, condition), (after, _) in pairwise(expr.args):
        place = getattr(condition, "rhs", None)
        if place is None or not _ball(place, ratio).overlaps(arb(_exact(ratio))):
            continue
        try:
            return not _ball(before, ratio).overlaps(_ball(after, ratio))
        except NoEnclosure:
            return True
    return False


def estimate(expr: sp.Expr, ratio: Fraction) -> Estimate | None:
    """Return an expression of r at a ratio; None where it has no number there."""
    if expr in (sp.oo, -sp.oo):
        sign = 1 if expr == sp.oo else -1
        return Estimate.infinite("the supremum is only approached", sign=sign)
    found: Estimate | None = None
    for bits in PRECISIONS:
        with ctx.workprec(bits):
            try:
                chosen = _chosen(expr, ratio)
                if chosen in (sp.oo, -sp.oo):
                    return estimate(chosen, ratio)
                ball = _ball(chosen, ratio)
            except NoEnclosure:
                return None
            if not ball.is_finite():
                continue
            value = float(ball.mid())
            error = float(abs(ball - arb(value)).abs_upper())
            found = Estimate(value, error, method="ball arithmetic")
        if error <= 2 * ROUNDED * abs(value) or math.isclose(error, 0):
            break
    return found


def _chosen(expr: sp.Expr, ratio: Fraction) -> sp.Expr:
    from gantheory.exact.signs.balls import piece_at

    return piece_at(expr, {r: arb(_exact(ratio))})
