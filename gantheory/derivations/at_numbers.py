"""What is found for all parameters, held against the theory at single numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import sympy as sp

from gantheory.deadline import OutOfTime, Undecided
from gantheory.derivations.derivation import Derivation
from gantheory.exact.assumptions import Assumptions, positive_image
from gantheory.losses.loss import Loss

SHARES = (Fraction(1), Fraction(1, 5), Fraction(6))  # of the free number in an interval's image

Plain = Callable[[Loss], Derivation]


def legal_points(parameters: Assumptions) -> Iterator[dict[str, Fraction]]:
    """Yield a few legal points of the parameters."""
    for share in SHARES:
        found: dict[sp.Symbol, sp.Expr] = {}
        for symbol, bounds in parameters.ranges.items():
            image = positive_image(symbol, *bounds)
            free = sp.Rational(share.numerator, share.denominator)
            if image is None:
                found[symbol] = free - 2
                continue
            inner = {dummy: free for dummy in image.atoms(sp.Dummy)}
            found[symbol] = sp.nsimplify(image.xreplace(inner).xreplace(found), rational=True)
        yield {str(symbol): Fraction(int(x.p), int(x.q)) for symbol, x in found.items()}


def held_against_numbers(made: Derivation, parameters: Assumptions, plain: Plain) -> Derivation:
    """Say at which numbers an open curvature is a divergence, and refuse what numbers refute."""
    seen: dict[str, dict[bool, str]] = {"loss": {}, "followed": {}}
    for numbers in legal_points(parameters):
        shown = ", ".join(f"{name} = {value}" for name, value in numbers.items())
        try:
            single = plain(made.definition.given(**numbers))
        except OutOfTime:
            raise
        except Undecided:
            continue
        for name, verdicts in seen.items():
            one, whole = getattr(single, name), getattr(made, name)
            if one is None or one.is_divergence is None:
                continue
            verdicts.setdefault(one.is_divergence, shown)
            if whole.is_divergence not in (None, one.is_divergence):
                raise Undecided(f"{name} at {shown} contradicts what is found for all parameters")
        if all(
            getattr(made, name).is_divergence is not None or len(verdicts) == 2
            for name, verdicts in seen.items()
        ):
            break  # one point confirms what is proved, and two of them that it depends on numbers
    changes = {
        name: replace(getattr(made, name), reason=_said(verdicts))
        for name, verdicts in seen.items()
        if getattr(made, name).is_divergence is None and verdicts
    }
    return replace(made, **changes)


def _said(verdicts: dict[bool, str]) -> str:
    """Say what is known at single numbers."""
    words = {True: "a divergence", False: "none"}
    at = ", ".join(f"{words[holds]} at {where}" for holds, where in verdicts.items())
    if len(verdicts) == 2:
        return f"it depends on the parameters: {at}"
    return f"not decided for all parameters: {at}"
