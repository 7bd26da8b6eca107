"""The record of what is derived from a constrained critic, and its stable JSON keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import sympy as sp

from gantheory.derivations.derivation import saturation_dict
from gantheory.derivations.exposition import Exposition, Line, Step, weakest_word
from gantheory.derivations.notation import Letter
from gantheory.derivations.summary import FITS, vanishing_line
from gantheory.derivations.wording import quantity_title
from gantheory.divergences.symbols import in_symbols
from gantheory.losses.critic import Critic
from gantheory.records import How, Verdict
from gantheory.theory.records import Curvature, Saturation

ZERO_SUM = "the game is zero-sum: with f held at its optimum, G descends the gradient of the value"

LETTERS = (
    Letter("f", "f", "the critic; f* is the best one, f' its slope"),
    Letter("C", "C", "the critic, whose difference at two samples counts; C* is the best one"),
    Letter("F_p, F_q", "F_p, F_q", "distribution functions of P and Q"),
    Letter("v", "v", "the critic, or its slope, at one point"),
    Letter("g", "g", "what v is multiplied by in the objective"),
    Letter("w", "w", "what v^2 is multiplied by in the constraint"),
    Letter("lambda", r"\lambda", "weight of the penalty, or the multiplier of the constraint"),
    Letter("mu_p, mu_q", r"\mu_p, \mu_q", "means of the kernel, mu_p(x) = E_p[k(x, X)]"),
    Letter("mu", r"\mu", "density under which the squared slope has mean 1 at most"),
    Letter("k", "k", "the kernel"),
    Letter("X, Y", "X, Y", "samples of P and of Q; X' and Y' are independent of them"),
    Letter("ell", r"\ell", "width of the kernel"),
    Letter("sigma_p, sigma_q", r"\sigma_p, \sigma_q", "standard deviations of P and Q"),
    Letter("d", "d", "distance of the two points, or of the means of P and Q"),
    Letter("s, z", "s, z", "places between two points"),
    Letter("W1(P, Q)", "W_1(P,Q)", "the Wasserstein distance"),
    Letter("MMD", r"\mathrm{MMD}", "the maximum mean discrepancy"),
    Letter("energy", r"\mathcal{E}", "the energy distance"),
    Letter("E_y", r"\mathbb{E}_y", "the mean over labels"),
    Letter("y", "y", "a fake sample beside a real one, or the label of a sample"),
    Letter("x_p, x_q", "x_p, x_q", "the points of P and of Q"),
    Letter("P, Q, P x Q", r"P, Q, P \otimes Q", "laws of samples and fakes, and of pairs of them"),
    Letter("phi", r"\varphi", "the payoff of a pair, or any increasing function"),
    Letter("psi", r"\psi", "the generator's loss of a pair"),
    Letter("r_x, r_y", "r_x, r_y", "the ratio p/q at x and at y"),
    Letter("M1, M2, ...", "M_1, M_2", "the means in V, which the first step lists"),
    Letter("u", "u", "a concave function of the score"),
    Letter("m_i, n_i", "m_i, n_i", "moments of P and of Q"),
)


@dataclass(frozen=True, repr=False)
class CriticDerivation(Exposition):
    """The theory of one constrained critic.

    Attributes:
        loss: its definition.
        critic: the optimal critic f, up to a constant; None where it has no formula.
        value: the value at the optimum; None where there is no closed form.
        named: the value in words.
        steps: how it is found, each with how it is known.
        claims: what was published, judged.
        undecided: what is missing -> why.
        slope: f', where the critic is found through it.
        followed: what G descends with the critic held, where that is a curvature in r.
        follows: that in words, where it is none of r alone.
        saturation: G's gradient per fake sample, in log r and in the raw score.

    >>> from gantheory.critics.constrained import derive_critic
    >>> derive_critic("wasserstein").named
    'w1'
    """

    LETTERS: ClassVar = LETTERS
    definition: Critic
    critic: sp.Expr | None
    value: sp.Expr | None
    named: str
    steps: tuple[Step, ...]
    assumptions: tuple[str, ...]
    claims: tuple[Verdict, ...] = ()
    undecided: Mapping[str, str] = field(default_factory=dict)
    no_optimum: str | None = None
    slope: sp.Expr | None = None
    followed: Curvature | None = None
    follows: str | None = None
    saturation: Saturation | None = None

    def __post_init__(self) -> None:
        """Add the theorems that steps quote to the assumptions."""
        named = dict.fromkeys((*self.assumptions, *theorems(self.steps)))
        object.__setattr__(self, "assumptions", tuple(named))

    @property
    def status(self) -> str:
        """``"derived"`` or ``"undecided"``."""
        return "undecided" if self.undecided else "derived"

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys."""
        return {
            "definition": self.definition.as_dict(),
            "status": self.status,
            "summary": [asdict(line) for line in self.summary],
            "reason": "; ".join(self.undecided.values()) or None,
            "optimal_critic": None if self.critic is None else str(self.critic),
            "optimal_critic_slope": None if self.slope is None else str(self.slope),
            "value": {"expression": None if self.value is None else str(self.value),
                      "name": self.named},
            "followed": self.followed and self.followed.as_dict(),
            "follows": self.follows,
            "saturation": saturation_dict(self.saturation),
            "claims": [claim.as_dict() for claim in self.claims],
            "steps": [step.as_dict() for step in self.steps],
            "assumptions": list(self.assumptions),
            "undecided": dict(self.undecided),
        }  # fmt: skip

    @property
    def title(self) -> str:
        """The loss's usual name."""
        return self.definition.title

    @property
    def summary(self) -> tuple[Line, ...]:
        """The value and the optimal critic, as well known as the weakest step."""
        if self.no_optimum or self.undecided:
            label = "no optimum" if self.no_optimum else "undecided"
            why = (self.no_optimum or "").removeprefix("no optimum: ") or "; ".join(
                self.undecided.values()
            )
            return (Line(label, why, "proved" if self.no_optimum else "undecided"),)
        known = weakest_word(step.known for step in self.steps)
        lines = [Line("D reports", self._reported(), known)]
        if self.critic is not None:
            lines.append(Line("optimal f", _critic_text(self.critic), known))
        elif self.slope is not None:
            lines.append(Line("optimal f", f"f' = {self.slope}", known))
        if self.followed is not None:
            followed = quantity_title(self.followed.terms, sp.S.Zero) or self.followed.divergence
            none = self.followed.how is How.REFUTED
            words = f"{followed}, which is no divergence" if none else followed
            lines.append(Line("G follows", words, known if none else self.followed.how.value))
        elif self.follows is not None:
            lines.append(Line("G follows", self.follows, known))
        elif ZERO_SUM in self.assumptions:
            lines.append(Line("G follows", in_symbols(self.named), How.ASSUMED.value))
        if self.saturation is not None:
            lines.append(vanishing_line(self.saturation))
        return tuple(lines)

    def _reported(self) -> str:
        """The value in words, and in parameters where it has such a form."""
        if self.value is None or str(self.value) == self.named or self.value.has(sp.Integral):
            return in_symbols(self.named)
        functions = {"F_p", "F_q"} & {symbol.name for symbol in self.value.free_symbols}
        whole = f"{self.named} = {self.value}"
        return in_symbols(self.named if functions or len(whole) > FITS else whole)


def _critic_text(critic: sp.Expr) -> str:
    """Return a critic as text; one that is known by its slope alone by that slope."""
    if isinstance(critic, sp.Integral) and len(critic.limits) == 1:
        ((name, _, upper),) = critic.limits
        return f"f' = {critic.function.xreplace({name: upper})}"
    return str(critic)


def theorems(steps: Iterable[Step]) -> tuple[str, ...]:
    """Return what the steps quote and nothing here computes, each once."""
    return tuple(dict.fromkeys(step.theorem for step in steps if step.theorem))


def judge_claim(
    loss: Critic,
    holds: bool,
    derived: str,
    steps: Iterable[Step] = (),
    counterexample: str | None = None,
) -> tuple[Verdict, ...]:
    """Judge the published value, as far as the ``steps`` that it rests on are proved.

    The theorems that the steps quote are the verdict's assumptions.
    """
    steps = tuple(steps)
    if not loss.claims:
        return ()
    claim = loss.claims[0]
    statement = f"{claim.source}: the value is {claim.value}"
    if open_step := next((step for step in steps if step.how is not How.PROVED), None):
        reason = f"the step {open_step.title!r} is {open_step.how}"
        return (Verdict(statement, How.UNDECIDED, reason=reason),)
    return (
        Verdict(
            statement,
            How.PROVED if holds else How.REFUTED,
            left=claim.value,
            right=derived,
            counterexample=None if holds else counterexample or f"the value is {derived}",
            assumptions=theorems(steps),
        ),
    )
