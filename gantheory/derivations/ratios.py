"""What a derivation reads at single density ratios: numbers with errors, closed form or not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq

from gantheory.deadline import OutOfTime, Undecided
from gantheory.errors import GantheoryError
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.signs.balls import NoEnclosure, enclose
from gantheory.expressions import Grammar, number, parse
from gantheory.functions import r
from gantheory.implicit.atscore import AtScore
from gantheory.implicit.curves import limit_far_out
from gantheory.records import Estimate
from gantheory.theory.curvature import value_at
from gantheory.theory.records import Curvature, OptimalDiscriminator

PRECISIONS = (128, 512, 2048)  # bits tried until a number has those of a double
ROUNDED = 2.0**-53
SHORT = 12  # letters of a number that is written as it is
NAMES = ("t", "D", "value", "loss", "followed")


@dataclass(frozen=True)
class AtRatio:
    """The optimal score, D and the three curvatures at one ratio r = p/q.

    None stands where a curvature has a point mass, where what is asked jumps, and for what is not
    derived; ``reasons`` then says which, by name: between which scores the optimum jumps and
    whether all between them are as good, or which point mass lies there.

    >>> from gantheory import derive
    >>> print(derive("minimax").at(3)[0].D)
    0.75 (exact)
    >>> derive("hinge").at(1)[0].reasons["t"]
    'every score from -1 to 1 is optimal'
    """

    r: float
    t: Estimate | None
    D: Estimate | None
    value: Estimate | None
    loss: Estimate | None
    followed: Estimate | None
    reasons: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys; each number with its error, and why there is none."""
        found = {"r": self.r, **{name: _as_json(getattr(self, name)) for name in NAMES}}
        return {**found, "reasons": dict(self.reasons)} if self.reasons else found


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
    asked = {"t": optimum.score, "D": optimum.D}
    asked |= {name: one.curvature for name, one in curvatures.items()}
    involved = sp.Tuple(*asked.values()).free_symbols - {r}
    if involved:
        names = ", ".join(sorted(map(str, involved)))
        raise GantheoryError(
            f"the loss has free parameters ({names}); give them numbers, as in LOSS({names}=0.5), "
            "by --parameter NAME=0.5 or by at(..., parameters={...})"
        )
    flat = _flat_at(optimum, exact)
    found: dict[str, Estimate | str] = {}
    for name, expr in asked.items():
        mass = _mass_at(curvatures[name], exact) if name in curvatures else ""
        found[name] = mass or _read(expr, exact)
    if flat and isinstance(found["t"], str):
        found["t"] = flat
    t, D, value, loss, followed = (
        one if isinstance(one := found.get(name), Estimate) else None for name in NAMES
    )
    reasons = {name: one for name, one in found.items() if isinstance(one, str)}
    return AtRatio(float(exact), t, D, value, loss, followed, reasons)


def one_by_one(ratios: Iterable[Any]) -> Iterator[float | Fraction | str]:
    """Yield single ratios, those in arrays and nested lists in their order."""
    for one in ratios:
        if hasattr(one, "tolist"):
            one = one.tolist()
        if isinstance(one, Iterable) and not isinstance(one, str):
            yield from one_by_one(one)
        else:
            yield one


def _ratio(ratio: float | Fraction | str) -> Fraction:
    value = number(parse(str(ratio), Grammar("ratio", {})))
    if value is None or value <= 0:
        raise GantheoryError(f"ratio {str(ratio)[:40]!r} must be a positive number, such as 0.3")
    return value


def _mass_at(curvature: Curvature, ratio: Fraction) -> str:
    """Say which point mass of a curvature, or jump of a generator, lies at a ratio."""
    for which, places in (("a point mass of", curvature.atoms), ("f jumps by", curvature.jumps)):
        for place, size in places:
            if _is_at(place, ratio):
                return f"{which} {_shortened(size)} at r = {_shortened(place)}"
    return ""


def _flat_at(optimum: OptimalDiscriminator, ratio: Fraction) -> str:
    """Say between which scores all are optimal at a ratio."""
    for place, first, last in optimum.flats:
        if _is_at(place, ratio):
            return f"every score from {_shortened(first)} to {_shortened(last)} is optimal"
    return ""


def _is_at(place: sp.Expr, ratio: Fraction) -> bool:
    return bool(_ball(place, ratio).overlaps(_point(ratio)))


def _ball(expr: sp.Expr, ratio: Fraction | sp.Expr) -> arb:
    return enclose(expr, {r: _point(ratio)})


def _point(ratio: Fraction | sp.Expr) -> arb:
    return (
        enclose(ratio)
        if isinstance(ratio, sp.Expr)
        else arb(fmpq(ratio.numerator, ratio.denominator))
    )


def _read(expr: sp.Expr, ratio: Fraction) -> Estimate | str:
    """Return a function of r at a ratio, or why it has no one value there."""
    sides = _sides(expr, ratio)
    if sides is None:
        return estimate(expr, ratio) or "no enclosure was found"
    place = sides[2]
    before, after = (_beside(one, place, side) for one, side in ((sides[0], -1), (sides[1], 1)))
    if before is None or after is None:
        return "the optimum changes there, and the limit from one side is not known"
    apart = abs(before.value - after.value) > before.error + after.error
    if apart and before.value != after.value:
        return f"jumps from {_shown(before)} to {_shown(after)}"
    return min(before, after, key=lambda one: one.error)


def _sides(expr: sp.Expr, ratio: Fraction) -> tuple[sp.Expr, sp.Expr, sp.Expr] | None:
    """Return the pieces below and above a ratio at which they change, and the ratio as it is."""
    if isinstance(expr, sp.Piecewise):
        for (before, condition), (after, _) in pairwise(expr.args):
            place = getattr(condition, "rhs", None)
            if place is not None and _is_at(place, ratio):
                return before, after, place
    return None


def _beside(expr: sp.Expr, place: sp.Expr, side: int) -> Estimate | None:
    """Return the limit of a function of r at a ratio from above (1) or below (-1)."""
    found = estimate(expr, place)
    if found is not None:
        return found
    try:
        if isinstance(expr, AtScore):
            return estimate(limit_far_out(expr, enclose(place)), place)
        return estimate(value_at(expr, place, side, Assumptions()), place)
    except OutOfTime:
        raise
    except (Undecided, NoEnclosure):
        return None


def _shown(found: Estimate) -> str:
    return f"{found.value + 0.0:.10g}".replace("inf", "oo")


def _shortened(number: sp.Expr) -> str:
    """Return a number as it is where that is short, else its first digits."""
    return str(number) if len(str(number)) < SHORT else f"{float(number):.10g}"


def estimate(expr: sp.Expr, ratio: Fraction | sp.Expr) -> Estimate | None:
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


def _chosen(expr: sp.Expr, ratio: Fraction | sp.Expr) -> sp.Expr:
    from gantheory.exact.signs.balls import piece_at

    return piece_at(expr, {r: _point(ratio)})
