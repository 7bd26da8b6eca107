"""What a curve shows: named divergences, combinations of them, or what a loss follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from gantheory.divergences import named
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.quantities import QUANTITIES, quantity
from gantheory.integrals.resolve import kernel_for, resolve
from gantheory.integrals.transport.catalogue import Distance
from gantheory.losses.loss import Loss

LARGEST = 1000  # of the denominators that a label writes as fractions


@dataclass(frozen=True)
class Target:
    """What a curve shows: a combination of named divergences, or one that has no name.

    Attributes:
        label: the name of its columns.
        terms: (name, coefficient) of each named divergence.
        other: a divergence given by its curvature, where it is no such combination.
        title: how a plot names it.
    """

    label: str
    terms: tuple[tuple[str, float], ...] = ()
    other: Any = None
    title: str = ""

    @classmethod
    def of(cls, what: Any) -> Target:
        """Return the target of a divergence's name, of ``LOSS.loss``, or of any divergence."""
        if isinstance(what, Target):
            return what
        if not isinstance(what, str):
            return cls(getattr(what, "name", None) or str(what), other=what)
        loss, dot, part = what.rpartition(".")
        if dot and part in QUANTITIES:
            return cls.of_game(loss, part)
        found = resolve(what)
        entry = found if isinstance(found, Distance) else found.entry
        return cls(what, ((found.name, 1.0),), found, title=entry.title if entry else "")

    @classmethod
    def of_game(cls, loss: Loss | str, part: str = "followed") -> Target:
        """Return a loss's value, loss or followed divergence, without its constant.

        Raises:
            GantheoryError: for an unknown loss, one with free parameters, or no such part.
        """
        found = quantity(loss, part)
        name = loss if isinstance(loss, str) else loss.name
        label = name if part == "followed" else f"{name}.{part}"
        does = "follows" if part == "followed" else part
        if found.terms:
            terms = tuple((key, float(c)) for key, c in found.terms.items())
            # terms of both signs may diverge each, and cancel: they are integrated as one
            whole = found if min(c for _, c in terms) < 0 < max(c for _, c in terms) else None
            return cls(label, terms, whole, title=f"{name}: {does} {_written(terms)}")
        return cls(label, other=found, title=f"{name}: {does} no named divergence")

    @classmethod
    def followed_by(cls, loss: Loss | str) -> Target:
        """Return what a loss's generator descends with D held at its optimum; or ``LOSS.loss``."""
        if isinstance(loss, str) and loss.rpartition(".")[2] in QUANTITIES:
            return cls.of(loss)
        return cls.of_game(loss)

    @property
    def kernels(self) -> list[tuple[Kernel, float]]:
        """What is integrated, with its coefficients; nothing for a distance."""
        if self.other is None:
            return [(kernel_for(name), c) for name, c in self.terms]
        found = resolve(self.other)
        return [] if isinstance(found, Distance) else [(found, 1.0)]


def _written(terms: Sequence[tuple[str, float]]) -> str:
    """Return a combination of divergences for a label.

    >>> _written([("jsd", 2.0), ("triangular", -0.25), ("tv", 0.3)])
    '2·JSD(P, Q) - Δ(P, Q)/4 + 3·TV(P, Q)/10'
    """
    shown = " + ".join(_multiple(c, named(name).title) for name, c in terms)
    return shown.replace(" + -", " - ")


def _multiple(coefficient: float, title: str) -> str:
    """Return a multiple of a divergence as derivations have it, by a fraction where it is one."""
    near = Fraction(coefficient).limit_denominator(LARGEST)
    if float(near) != coefficient:
        return f"{coefficient:g}·{title}"
    top = {1: title, -1: f"-{title}"}.get(near.numerator, f"{near.numerator}·{title}")
    return top if near.denominator == 1 else f"{top}/{near.denominator}"
