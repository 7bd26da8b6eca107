"""What is derived from one loss, part by part: optimum, curvatures, saturation, equilibrium."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from gantheory.deadline import DEFAULT_SECONDS, OutOfTime, Undecided, time_limit
from gantheory.divergences.symbols import in_prose
from gantheory.exact.assumptions import Assumptions
from gantheory.records import Estimate, How
from gantheory.shown import Overview, Shown
from gantheory.theory.curvature import Atoms, joined, sum_text
from gantheory.theory.generator import f_from_curvature
from gantheory.theory.identify import Combination, combination_text
from gantheory.theory.maxima import Branch
from gantheory.theory.printing import plain
from gantheory.theory.tangent import GeneratorSource

UNNAMED = "an f-divergence without a name"
NO_DIVERGENCE = "no divergence"


@dataclass(frozen=True, repr=False)
class OptimalDiscriminator(Shown):
    """t*(r) and D*(r): the global maximiser of r·a(t) + b(t) for every density ratio r.

    ``attained`` is False where the supremum is only approached. ``flats`` are the ratios at
    which a whole interval of scores, from the second to the third entry, is optimal; ``plateaus``
    are the intervals of ratios on which that holds throughout, and ``score`` is one such score.

    >>> from gantheory import derive
    >>> derive("hinge").optimum
    OptimalDiscriminator(D* = -1 where r < 1, else 1)
    """

    score: sp.Expr
    D: sp.Expr
    attained: bool
    branches: tuple[Branch, ...] = ()
    flats: tuple[tuple[sp.Expr, sp.Expr, sp.Expr], ...] = ()
    plateaus: tuple[tuple[tuple[sp.Expr, sp.Expr], sp.Expr, sp.Expr], ...] = ()

    def overview(self) -> Overview:
        """Return D* and t*, and where every score of an interval is as good."""
        rows = [("score t*", in_words(self.score)),
                ("attained", "yes" if self.attained else "no, only approached")]  # fmt: skip
        rows += [(f"at r = {r}", _alike(first, last)) for r, first, last in self.flats]
        rows += [(f"for r from {in_words(a)} to {in_words(b)}", _alike(first, last))
                 for (a, b), first, last in self.plateaus]  # fmt: skip
        return Overview(f"D* = {in_words(self.D)}", tuple(rows))


def _alike(first: sp.Expr, last: sp.Expr) -> str:
    return f"every score from {in_words(first)} to {in_words(last)} is optimal"


@dataclass(frozen=True)
class SecondOrder:
    """Whether the stationary point is a maximum, and how that is known."""

    holds: bool | None
    how: How
    reason: str
    derivative: sp.Expr | None = None


@dataclass(frozen=True)
class Parametric:
    """A curvature with the score t as parameter: at r = ``ratio`` it is ``curvature``.

    It holds between the scores ``start`` and ``stop``, in the order of increasing r.
    """

    ratio: sp.Expr
    curvature: sp.Expr
    start: sp.Expr
    stop: sp.Expr

    def as_dict(self) -> dict[str, str | None]:
        """Return the stable JSON keys."""
        return {
            "r": str(self.ratio),
            "curvature": str(self.curvature),
            "from": text(self.start),
            "to": text(self.stop),
        }


@dataclass(frozen=True, repr=False)
class Curvature(Shown):
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
        parametric: the curvature in the score where it has no closed form in r; ``curvature`` is
            then a function that balls evaluate (`gantheory.implicit.atscore`).

    >>> from gantheory import derive
    >>> derive("minimax").followed
    Curvature(2·JSD(P, Q))
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
    parameters: Assumptions | None = None
    jumps: Atoms = ()
    slope: sp.Expr | None = None
    source: GeneratorSource | None = field(default=None, repr=False)
    parametric: tuple[Parametric, ...] = ()

    def overview(self) -> Overview:
        """Return what the curvature is the curvature of, with how that is known."""
        convex = {True: "yes", False: "no", None: "undecided"}[self.is_divergence]
        rows = [
            (
                "f''",
                "" if self.parametric else sum_text(pieces_text(self.curvature), self.atoms),
            ),
            ("at P = Q", str(self.constant)),
            ("a divergence", f"{convex} ({self.how})"),
            ("because", self.reason),
            ("if", self.condition or ""),
        ]
        return Overview(self.title, tuple((label, in_prose(said)) for label, said in rows))

    def _repr_latex_(self) -> str:
        masses = [rf"{sp.latex(mass)}\,\delta(r - {sp.latex(place)})" for place, mass in self.atoms]
        return f"$\\displaystyle f''(r) = {joined([sp.latex(self.curvature), *masses])}$"

    @property
    def divergence(self) -> str:
        """The divergence in words: a named combination, one without a name, or none."""
        if self.is_divergence is False:
            return NO_DIVERGENCE
        if self.terms or (self.curvature == 0 and not self.atoms):
            return combination_text(self.terms)
        return UNNAMED

    @property
    def title(self) -> str:
        """The divergence as people write it, ``2·JSD(P, Q)`` for ``2*jsd``."""
        return in_prose(self.divergence)

    @property
    def is_named(self) -> bool:
        """Whether the curvature is a combination of named divergences."""
        return bool(self.terms) or (self.curvature == 0 and not self.atoms)

    @property
    def f(self) -> sp.Expr | None:
        """The generator with this curvature, f(1) = f'(1) = 0; None without a closed form."""
        if self.parametric:
            return None
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
            "curvature": None if self.parametric else text(self.curvature),
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
        if self.parametric:
            shown = [one.as_dict() for one in self.parametric]
            data["parametric"] = shown[0] if len(shown) == 1 else shown
        elif not self.is_named:
            data["f"] = text(self.f)
        return data


@dataclass(frozen=True, repr=False)
class Saturation(Shown):
    """The generator's gradient per fake sample, seen from two places.

    ``weight`` is w(r) = r²·g''(r) = −dh/d(log r), its size in log r: what moves the divergence.
    ``in_score`` is c'(t*(r)), what automatic differentiation sees in the discriminator's raw
    score. The hinge's w vanishes where c' is −1. The two agree up to sign where t* = log r.
    None stands for what is not decided.

    >>> from gantheory import derive
    >>> derive("minimax").saturation.vanishing, derive("hinge").saturation.vanishing_in_score
    (True, False)
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

    def overview(self) -> Overview:
        """Return whether the gradient vanishes, and what it is, seen from either place."""
        words = {True: "vanishes", False: "does not vanish", None: "is undecided"}
        title = (
            f"gradient on fakes that D recognises: {words[self.vanishing]} in log r, "
            f"{words[self.vanishing_in_score]} in the raw score"
        )
        log_r = (self.weight, self.limit_at_0, self.limit_at_inf)
        score = (self.in_score, self.score_limit_at_0, self.score_limit_at_inf)
        return Overview(title, (("in log r", _tending(*log_r)), ("in the score", _tending(*score))))


def _tending(value: sp.Expr | None, first: sp.Expr | None, last: sp.Expr | None) -> str:
    return f"{in_words(value)}: {in_words(first)} as r → 0, {in_words(last)} as r → ∞"


@dataclass(frozen=True, repr=False)
class Disjoint(Shown):
    """f(0) + f'(∞): the three quantities, without constants, where P and Q do not overlap.

    ``followed`` is a number with its error, certified, where its integral has no closed form.

    >>> from gantheory import derive
    >>> derive("minimax").disjoint.loss
    log(2)
    """

    value: sp.Expr | None
    loss: sp.Expr | None
    followed: sp.Expr | Estimate | None

    def overview(self) -> Overview:
        """Return the three quantities."""
        names = ("value", "loss", "followed")
        rows = tuple((name, in_words(getattr(self, name))) for name in names)
        told = ", ".join(f"{name} {text}" for name, text in rows)
        return Overview(f"where P and Q do not overlap: {told}", rows)


@dataclass(frozen=True)
class Tie:
    """Another optimal score at P = Q: its D and the generator's loss, and when it is one."""

    D: sp.Expr
    generator_loss: sp.Expr
    condition: sp.Basic = sp.true


@dataclass(frozen=True, repr=False)
class Equilibrium(Shown):
    """What the discriminator and the losses read at P = Q, piecewise where parameters decide.

    Where a whole interval of scores is optimal the centre is given, and ``D_range`` and
    ``generator_range`` say which values are as good; ``others`` are optimal scores apart from it.
    ``generator_loss`` is None where it is not determined.

    >>> from gantheory import derive
    >>> derive("minimax").equilibrium.discriminator_loss
    2*log(2)
    """

    D: sp.Expr
    discriminator_loss: sp.Expr
    generator_loss: sp.Expr | None
    D_range: tuple[sp.Expr, sp.Expr] | None = None
    generator_range: tuple[sp.Expr, sp.Expr] | None = None
    others: tuple[Tie, ...] = ()

    def overview(self) -> Overview:
        """Return what D and the losses read at P = Q, and what is as good."""
        losses = {"discriminator": self.discriminator_loss, "generator": self.generator_loss}
        rows = [("D", in_words(self.D))]
        rows += [(f"{player}'s loss", in_words(loss)) for player, loss in losses.items()]
        told = ", ".join(f"{name} {text}" for name, text in rows)
        for name, ends in (("D", self.D_range), ("generator's loss", self.generator_range)):
            if ends is not None:
                rows.append(
                    (f"{name}, as good", f"from {in_words(ends[0])} to {in_words(ends[1])}")
                )
        for tie in self.others:
            rows.append(
                ("another optimum", f"D {in_words(tie.D)}, loss {in_words(tie.generator_loss)}")
            )
        return Overview(f"at P = Q: {told}", tuple(rows))


def known(*facts: bool | None) -> How:
    """Return how a step that rests on ``facts`` is known; None stands for what is not decided.

    >>> known(True, None)
    <How.UNDECIDED: 'undecided'>
    """
    if any(fact is False for fact in facts):
        return How.REFUTED
    return How.PROVED if all(facts) else How.UNDECIDED


def text(expr: sp.Expr | Estimate | None) -> str | None:
    """Return an expression as plain text, infinity as ``inf``, a number with its error."""
    if expr is None:
        return None
    if isinstance(expr, Estimate):
        return f"{expr} (certified)"
    return {sp.oo: "inf", -sp.oo: "-inf"}.get(expr) or plain(expr)


def in_words(value: sp.Expr | Estimate | None) -> str:
    """Return a value as people read it; what is not known is undecided.

    >>> in_words(sp.sqrt(2) * sp.log(sp.Symbol("r"))), in_words(None)
    ('sqrt(2)·log(r)', 'undecided')
    """
    if value is None:
        return "undecided"
    return in_prose(pieces_text(value) if isinstance(value, sp.Expr) else str(value))


def pieces_text(expr: sp.Expr) -> str:
    """Return an expression as text, its pieces with their conditions in words.

    >>> r = sp.Symbol("r")
    >>> pieces_text(sp.Piecewise((-1, r < 1), (1, True)))
    '-1 where r < 1, else 1'
    >>> pieces_text(2 - sp.Piecewise((-1, r < 1), (1, True)))
    '3 where r < 1, else 1'
    """
    if not expr.has(sp.Piecewise):
        return plain(expr)
    folded = sp.piecewise_fold(expr)
    pieces = [(plain(value), condition) for value, condition in folded.args]
    return ", ".join(
        f"else {value}" if condition == sp.true else f"{value} where {_condition_text(condition)}"
        for value, condition in pieces
    )


def _condition_text(condition: sp.Basic) -> str:
    if isinstance(condition, sp.Eq):
        return f"{condition.lhs} = {condition.rhs}"
    return str(condition)
