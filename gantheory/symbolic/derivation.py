"""The record of what the engine derives from one game, and its stable JSON keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy as sp

from gantheory.game import Game
from gantheory.records import Estimate, How
from gantheory.symbolic.curvature import Atoms
from gantheory.symbolic.generator import f_from_curvature
from gantheory.symbolic.identify import Combination, combination_text
from gantheory.symbolic.limits import DEFAULT_SECONDS, OutOfTime, Undecided, time_limit
from gantheory.symbolic.maxima import Branch
from gantheory.symbolic.positivity import Parameters
from gantheory.symbolic.tangent import Source

UNNAMED = "an f-divergence without a name"
NO_DIVERGENCE = "no divergence"


@dataclass(frozen=True)
class OptimalDiscriminator:
    """t*(r) and D*(r): the global maximiser of r·a(t) + b(t) for every density ratio r.

    ``attained`` is False where the supremum is only approached. ``flats`` are the ratios at
    which a whole interval of scores, from the second to the third entry, is optimal; ``plateaus``
    are the intervals of ratios on which that holds throughout, and ``score`` is one such score.
    """

    score: sp.Expr
    D: sp.Expr
    attained: bool
    branches: tuple[Branch, ...] = ()
    flats: tuple[tuple[sp.Expr, sp.Expr, sp.Expr], ...] = ()
    plateaus: tuple[tuple[tuple[sp.Expr, sp.Expr], sp.Expr, sp.Expr], ...] = ()


@dataclass(frozen=True)
class SecondOrder:
    """Whether the stationary point is a maximum, and how that is known."""

    holds: bool | None
    how: How
    reason: str
    derivative: sp.Expr | None = None


@dataclass(frozen=True)
class Curvature:
    """One curvature: a function on (0, ∞) with point masses, named where it has a name.

    Attributes:
        curvature: the function without its point masses, in ``r``.
        atoms: (location, mass) of the point masses.
        constant: what the quantity equals at P = Q.
        terms: the preferred combination of named divergences; empty where there is none.
        alternatives: the other combinations with as few terms.
        is_divergence: whether the generator is convex on (0, ∞); None where undecided.
        counterexample: a ratio at which the curvature is negative.
        how: how ``is_divergence`` is known; `How.REFUTED` where it is False.
        reason: why, in words.
        condition: for undecided parameters, what decides.
        zero_only_at_equality: whether the divergence vanishes at P = Q alone.
        jumps: (location, height) of the jumps of the generator f; a divergence has none.
        slope: of a loss E_q[h(p/q)], h'(1): it decides what P counts for where Q has nothing.
        source: what the generator f is found from where its curvature has no simple integral.
    """

    curvature: sp.Expr
    atoms: Atoms
    constant: sp.Expr
    terms: Combination
    alternatives: tuple[Combination, ...]
    is_divergence: bool | None
    counterexample: sp.Expr | None
    how: How
    reason: str
    condition: str | None = None
    zero_only_at_equality: bool | None = None
    parameters: Parameters | None = None
    jumps: Atoms = ()
    slope: sp.Expr | None = None
    source: Source | None = field(default=None, repr=False)

    @property
    def divergence(self) -> str:
        """The divergence in words: a named combination, one without a name, or none."""
        if self.is_divergence is False:
            return NO_DIVERGENCE
        if self.terms or (self.curvature == 0 and not self.atoms):
            return combination_text(self.terms)
        return UNNAMED

    @property
    def is_named(self) -> bool:
        """Whether the curvature is a combination of named divergences."""
        return bool(self.terms) or (self.curvature == 0 and not self.atoms)

    @property
    def f(self) -> sp.Expr | None:
        """The generator with this curvature, f(1) = f'(1) = 0; None without a closed form."""
        try:
            with time_limit(DEFAULT_SECONDS):
                return self._f()
        except Undecided:
            return None

    def _f(self) -> sp.Expr:
        if self.jumps:
            raise Undecided("a generator that jumps has no tangent to start from")
        try:
            return f_from_curvature(self.curvature, self.atoms, self.parameters)
        except OutOfTime:
            raise
        except Undecided:
            if self.source is None or self.parameters is None:
                raise
            return self.source.generator(self.parameters)

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys."""
        data: dict[str, Any] = {
            "curvature": text(self.curvature),
            "atoms": [[text(place), text(mass)] for place, mass in self.atoms],
            "constant": text(self.constant),
            "divergence": self.divergence,
            "terms": {name: text(value) for name, value in self.terms.items()},
            "alternatives": [combination_text(other) for other in self.alternatives],
            "is_divergence": self.is_divergence,
            "counterexample": None if self.counterexample is None else text(self.counterexample),
            "how": self.how.value,
            "reason": self.reason,
            "condition": self.condition,
            "zero_only_at_equality": self.zero_only_at_equality,
        }
        if not self.is_named:
            data["f"] = None if self.f is None else text(self.f)
        return data


@dataclass(frozen=True)
class Saturation:
    """The generator's gradient per fake sample, seen from two places.

    ``weight`` is w(r) = r²·g''(r) = −dh/d(log r), its size in log r: what moves the divergence.
    ``in_score`` is c'(t*(r)), what automatic differentiation sees in the discriminator's raw
    score. The hinge's w vanishes where c' is −1. The two agree up to sign where t* = log r.
    None stands for what is not decided.
    """

    weight: sp.Expr
    limit_at_0: sp.Expr | None
    limit_at_inf: sp.Expr | None
    in_score: sp.Expr | None = None
    score_limit_at_0: sp.Expr | None = None
    score_limit_at_inf: sp.Expr | None = None

    @property
    def vanishing(self) -> bool | None:
        """Whether fakes that D recognises (r → 0) give no gradient in log r."""
        return None if self.limit_at_0 is None else bool(self.limit_at_0 == 0)

    @property
    def vanishing_in_score(self) -> bool | None:
        """Whether fakes that D recognises (r → 0) give no gradient in the raw score."""
        return None if self.score_limit_at_0 is None else bool(self.score_limit_at_0 == 0)


@dataclass(frozen=True)
class Disjoint:
    """f(0) + f'(∞): the three quantities, without constants, where P and Q do not overlap.

    ``followed`` is a number with its error, certified, where its integral has no closed form.
    """

    value: sp.Expr | None
    loss: sp.Expr | None
    followed: sp.Expr | Estimate | None


@dataclass(frozen=True)
class Tie:
    """Another optimal score at P = Q: its D and the generator's loss, and when it is one."""

    D: sp.Expr
    generator_loss: sp.Expr
    condition: sp.Basic = sp.true


@dataclass(frozen=True)
class Equilibrium:
    """What the discriminator and the losses read at P = Q, piecewise where parameters decide.

    Where a whole interval of scores is optimal the centre is given, and ``D_range`` and
    ``generator_range`` say which values are as good; ``others`` are optimal scores apart from it.
    ``generator_loss`` is None where it is not determined.
    """

    D: sp.Expr
    discriminator_loss: sp.Expr
    generator_loss: sp.Expr | None
    D_range: tuple[sp.Expr, sp.Expr] | None = None
    generator_range: tuple[sp.Expr, sp.Expr] | None = None
    others: tuple[Tie, ...] = ()


@dataclass(frozen=True)
class Step:
    """One step of the derivation: what is found, typeset, and how it is known.

    ``theorem`` is what the step quotes and nothing here computes, with its source: the step and
    whatever rests on it are proved under it alone.
    """

    title: str
    text: str
    latex: str
    how: How
    reason: str = ""
    theorem: str = ""

    @property
    def known(self) -> str:
        """How the step is known, in one word: ``"assumed"`` where it quotes a theorem."""
        return "assumed" if self.theorem and self.how is How.PROVED else self.how.value

    @property
    def because(self) -> str:
        """The reason, and the theorem that is quoted."""
        return "; ".join(why for why in (self.reason, self.theorem) if why)


def known(*facts: bool | None) -> How:
    """Return how a step that rests on ``facts`` is known; None stands for what is not decided.

    >>> known(True, None)
    <How.UNDECIDED: 'undecided'>
    """
    if any(fact is False for fact in facts):
        return How.REFUTED
    return How.PROVED if all(facts) else How.UNDECIDED


@dataclass(frozen=True)
class Derivation:
    """The theory of one game.

    Where the engine cannot decide, ``undecided`` maps the name of what is missing to the reason,
    and the attribute is None; where the discriminator has no optimum, ``no_optimum`` says why.
    """

    game: Game
    optimum: OptimalDiscriminator | None = None
    second_order: SecondOrder | None = None
    value: Curvature | None = None
    loss: Curvature | None = None
    followed: Curvature | None = None
    zero_sum: bool | None = None
    saturation: Saturation | None = None
    disjoint: Disjoint | None = None
    equilibrium: Equilibrium | None = None
    assumptions: tuple[str, ...] = ()
    no_optimum: str | None = None
    undecided: dict[str, str] | None = None
    tell: Callable[[Derivation], tuple[Step, ...]] | None = field(
        default=None, repr=False, compare=False
    )

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The derivation step by step, each with how it is known."""
        return self.tell(self) if self.tell is not None else ()

    @property
    def status(self) -> str:
        """``"derived"``, ``"no optimum"`` or ``"undecided"``."""
        if self.no_optimum:
            return "no optimum"
        return "undecided" if self.optimum is None else "derived"

    @property
    def curvatures(self) -> dict[str, Curvature]:
        """The three curvatures that were derived, by name."""
        found = {"value": self.value, "loss": self.loss, "followed": self.followed}
        return {name: one for name, one in found.items() if one is not None}

    def as_dict(self) -> dict[str, Any]:
        """Return the derivation under its stable JSON keys; expressions are text in ``r``."""
        second = self.second_order
        return {
            "game": self.game.as_dict(),
            "status": self.status,
            "reason": self.no_optimum or "; ".join((self.undecided or {}).values()) or None,
            "optimal_discriminator": _optimum_dict(self.optimum),
            "second_order": second
            and {"holds": second.holds, "how": second.how.value, "reason": second.reason},
            "value": self.value and self.value.as_dict(),
            "loss": self.loss and self.loss.as_dict(),
            "followed": self.followed and self.followed.as_dict(),
            "zero_sum": self.zero_sum,
            "saturation": _saturation_dict(self.saturation),
            "disjoint": self.disjoint
            and {
                name: _number_or_text(getattr(self.disjoint, name))
                for name in ("value", "loss", "followed")
            },
            "equilibrium": _equilibrium_dict(self.equilibrium),
            "steps": [
                {
                    "title": s.title,
                    "text": s.text,
                    "latex": s.latex,
                    "how": s.known,
                    "reason": s.because,
                }
                for s in self.steps
            ],
            "assumptions": list(self.assumptions),
            "undecided": dict(self.undecided or {}),
        }

    def __str__(self) -> str:
        from gantheory.symbolic.rendering import as_text

        return as_text(self)

    def _repr_latex_(self) -> str:
        from gantheory.symbolic.rendering import as_latex

        return as_latex(self)

    def _repr_html_(self) -> str:
        from gantheory.symbolic.rendering import as_html

        return as_html(self)


def _number_or_text(found: sp.Expr | Estimate | None) -> str | dict[str, Any] | None:
    """Return an expression as text, and a certified number with its error."""
    if isinstance(found, Estimate):
        return {"value": found.value, "error": found.error, "how": How.CERTIFIED.value}
    return text(found)


def text(expr: sp.Expr | Estimate | None) -> str | None:
    """Return an expression as plain text, infinity as ``inf``, a number with its error."""
    if expr is None:
        return None
    if isinstance(expr, Estimate):
        return f"{expr.value:.15g} ± {expr.error:.1e} (certified)"
    return {sp.oo: "inf", -sp.oo: "-inf"}.get(expr, str(expr))


def _optimum_dict(optimum: OptimalDiscriminator | None) -> dict[str, Any]:
    if optimum is None:
        return {"t": None, "D": None, "attained": False, "flat": [], "plateaus": []}
    flats = [
        {"r": text(ratio), "from": text(lower), "to": text(upper)}
        for ratio, lower, upper in optimum.flats
    ]
    return {
        "t": text(optimum.score),
        "D": text(optimum.D),
        "attained": optimum.attained,
        "flat": flats,
        "plateaus": [
            {"r": [text(low), text(high)], "from": text(lower), "to": text(upper)}
            for (low, high), lower, upper in optimum.plateaus
        ],
    }


def _saturation_dict(saturation: Saturation | None) -> dict[str, Any] | None:
    if saturation is None:
        return None
    return {
        "weight": text(saturation.weight),
        "limit_at_0": text(saturation.limit_at_0),
        "limit_at_inf": text(saturation.limit_at_inf),
        "vanishing": saturation.vanishing,
        "score_weight": text(saturation.in_score),
        "score_limit_at_0": text(saturation.score_limit_at_0),
        "score_limit_at_inf": text(saturation.score_limit_at_inf),
        "score_vanishing": saturation.vanishing_in_score,
    }


def _equilibrium_dict(found: Equilibrium | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "D": text(found.D),
        "discriminator_loss": text(found.discriminator_loss),
        "generator_loss": text(found.generator_loss),
        "D_range": found.D_range and [text(e) for e in found.D_range],
        "generator_loss_range": found.generator_range and [text(e) for e in found.generator_range],
        "other_optima": [
            {"D": text(o.D), "generator_loss": text(o.generator_loss), "when": str(o.condition)}
            for o in found.others
        ],
    }
