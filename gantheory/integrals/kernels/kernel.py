"""What the integrator needs of a divergence: its integrands, and how it behaves at the ends.

The derivative in a parameter of p is that in q of the reversed divergence, with p and q exchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gantheory.divergences import Complement, FDivergence, in_catalogue
from gantheory.divergences.stable import Growth, Integrand


@dataclass(frozen=True, eq=False)  # a kernel is itself alone: its fields are slow to compare
class Kernel:
    """One divergence for the integrator.

    Attributes:
        name: for messages.
        value: the integrand of the value.
        slopes: integrands G − c of a derivative in q's parameters, for one or two constants c.
        exchanged: makes the kernel of the divergence with p and q exchanged.
        at_zero: how f̃ grows as r → 0; power 0 without logs where f(0) is finite.
        at_infinity: how f̃ grows as r → ∞; power 1 without logs where f'(∞) is finite.
        levels: the values of u at which f bends or breaks: panels are cut there.
        kinks: those of the levels at which f' jumps.
        touches: whether the integrand vanishes to second order where p = q.
        sign: −1 for a complement, whose derivative is minus that of its divergence.
        jumps: (u, height) of the jumps of f.
        singular_p: whether p counts at f'(∞) where q = 0; not in a loss E_q[h(p/q)].
        singular_q: whether q counts at f(0) where p = 0; not in such a loss with p and q exchanged.
        entry: the divergence that it integrates, where that has a name.
    """

    name: str
    value: Integrand
    slopes: tuple[Integrand, ...]
    exchanged: Callable[[], Kernel]
    at_zero: Growth
    at_infinity: Growth
    levels: tuple[float, ...] = ()
    touches: bool = True
    sign: int = 1
    jumps: tuple[tuple[float, float], ...] = ()
    singular_p: bool = True
    singular_q: bool = True
    kinks: tuple[float, ...] = ()
    entry: FDivergence | Complement | None = None

    @property
    def known(self) -> str | None:
        """The name in the catalogue, by which closed forms know it; None for anything else."""
        return self.entry.name if self.entry and in_catalogue(self.entry) else None
