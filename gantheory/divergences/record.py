"""What a divergence is: one entry, from which everything else about it is derived."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from gantheory.divergences.stable import Balls, Integrand, Stable
from gantheory.expressions import ELEMENTARY, Grammar, parse
from gantheory.shown import Overview, Shown, constructor

RATIO = Grammar("divergence generator", ELEMENTARY, frozenset({"r"}), parameters=True,
                example="r*log(r)")  # fmt: skip


@dataclass(frozen=True, repr=False)
class FDivergence(Shown):
    r"""An f-divergence, given by its generator.

    With r = p/q, :math:`D_f(P\|Q) = \int q f(p/q)\,dx`, plus f(0)·Q(p = 0) and f'(∞)·P(q = 0) where
    the supports differ. The curvature f'', f(0), f'(∞), the growth of f and the integrand are
    derived from f; a ``stable`` form only says how to compute the last two without losing digits,
    and a test holds it against what is derived.

    Attributes:
        name: identifier, with order (p, q) in it: ``kl_qp`` is KL(Q‖P).
        f: the generator as text in ``r``, convex on (0, ∞), f(1) = 0.
        title: plain-text symbol.
        latex: symbol for typeset output.
        integral: the textbook form of the integral, in LaTeX.
        aliases: what else people call it; two entries may share one, which then names neither.
        reverse: the name of the divergence with p and q exchanged; empty where it has none.
        power: (α, c) where it is c times the power divergence of order α.
        stable: how to integrate it where f itself loses digits; without it the engine tabulates f.

    >>> FDivergence("half_chi2", "(r - 1)**2/2").meaning
    'half_chi2: f = (r - 1)**2/2'
    """

    name: str
    f: str
    title: str = ""
    latex: str = ""
    integral: str = ""
    aliases: tuple[str, ...] = ()
    reverse: str = ""
    power: tuple[Fraction, Fraction | int] | None = None
    stable: Stable | None = field(default=None, compare=False, repr=False)

    def __repr__(self) -> str:
        return constructor(self)

    def overview(self) -> Overview:
        """Return the symbol, the generator and the aliases."""
        rows = (("f", self.f), ("name", self.name), ("also", ", ".join(self.aliases)))
        return Overview(self.title, rows)

    def __post_init__(self) -> None:
        parse(self.f, RATIO)
        spelled = self.name.replace("_", r"\_")
        defaults = {
            "title": self.name,
            "latex": rf"\mathrm{{{spelled}}}",
            "integral": r"\int q\,f(p/q)",
        }
        for part, default in defaults.items():
            object.__setattr__(self, part, getattr(self, part) or default)

    @property
    def meaning(self) -> str:
        """What the name stands for, in one line."""
        return f"{self.title}: f = {self.f}"


@dataclass(frozen=True)
class Complement:
    """A bounded divergence's distance to its maximum: ``maximum - of``, a first-class output.

    Where the divergence saturates, this small number is the information, and subtracting would
    lose it: ``stable`` is its own integrand, and ``balls`` the same in ball arithmetic.
    """

    name: str
    of: str
    maximum: str
    title: str
    integral: str
    stable: Integrand = field(compare=False, repr=False)
    balls: Balls = field(compare=False, repr=False)
    aliases: tuple[str, ...] = ()

    @property
    def meaning(self) -> str:
        """What the name stands for, in one line."""
        return f"{self.title} = {self.maximum} - {self.of}"
