"""A loss's value, its generator's loss and what its generator follows, as things to integrate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from gantheory.errors import GantheoryError
from gantheory.losses import get_loss
from gantheory.losses.loss import Loss

if TYPE_CHECKING:
    from gantheory.theory.records import Curvature

QUANTITIES = ("value", "loss", "followed")


def quantity(loss: Loss | str, part: str) -> Curvature:
    """Return what is derived of a loss: its ``"value"``, ``"loss"`` or ``"followed"`` curvature.

    Args:
        loss: a `Loss` without free parameters, or a catalogue name such as ``"hinge"`` or
            ``"alpha-gan(alpha=3)"``.
        part: which of `QUANTITIES`.

    Raises:
        GantheoryError: where nothing is derived, with the reason.

    >>> quantity("alpha-gan(alpha=2)", "followed").curvature
    2/(r**2 + 1)**(3/2)
    """
    from gantheory.derivations import derive

    loss = get_loss(loss)
    if loss.parameters:
        free = ", ".join(loss.parameters)
        raise GantheoryError(
            f"loss {loss.name!r} has free parameters ({free}); give them numbers, as in "
            f"{loss.name}({', '.join(f'{name}=0.5' for name in loss.parameters)})"
        )
    derivation = derive(loss)
    found = getattr(derivation, part)
    if found is None and loss.general is not None:
        found = _with_numbers(getattr(derive(loss.general), part), loss.numbers)
    if found is None:
        undecided = "; ".join((derivation.undecided or {}).values())
        reason = derivation.no_optimum or undecided or "it is not derived"
        raise GantheoryError(f"the loss {loss.name!r} has no {part}: {reason}")
    return found


def _with_numbers(curvature: Curvature | None, numbers: Mapping[str, Fraction]) -> Curvature | None:
    """Return the curvature of a loss with parameters at some numbers."""
    if curvature is None:
        return None
    import sympy as sp

    def given(expr: Any) -> Any:
        values = {s: numbers[s.name] for s in expr.free_symbols if s.name in numbers}
        return expr.xreplace(
            {s: sp.Rational(x.numerator, x.denominator) for s, x in values.items()}
        )

    def at(places: Any) -> Any:
        return tuple((given(place), given(height)) for place, height in places)

    return replace(
        curvature,
        curvature=given(curvature.curvature),
        constant=given(curvature.constant),
        atoms=at(curvature.atoms),
        jumps=at(curvature.jumps),
        slope=None if curvature.slope is None else given(curvature.slope),
        terms={},
        alternatives=(),
    )
