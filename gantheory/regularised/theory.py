"""What a penalty on the slope does to a loss, by exact calculus: equation, limits, envelope."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import sympy as sp
from sympy.calculus.euler import euler_equations

from gantheory.deadline import DEFAULT_SECONDS, Undecided, time_limit
from gantheory.derivations.engine import derive
from gantheory.derivations.exposition import Exposition, Line, Step
from gantheory.derivations.notation import Letter
from gantheory.derivations.typeset import typeset
from gantheory.derivations.wording import combination_title, constant_text
from gantheory.divergences.symbols import dotted
from gantheory.errors import GantheoryError
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import sigmoid, softplus, t, to_sympy
from gantheory.losses import get_loss, plain
from gantheory.losses.loss import Loss
from gantheory.records import How, Verdict
from gantheory.regularised.limits import NAMES, limits, over_gamma
from gantheory.regularised.penalised import optimal_discriminator
from gantheory.theory.records import known, text

x = sp.Symbol("x", real=True)
gamma = sp.Symbol("gamma", positive=True)
p, q, s = (sp.Function(name)(x) for name in "pqs")
score = sp.Function("t")(x)
WEIGHTS = {"r1": p, "r2": q, "both": p + q}
ASSUMPTIONS = (
    "P and Q have densities on the line that are positive and smooth between the ends",
    "the penalty is gamma/2 times the mean of t'^2, and t is otherwise any function",
)
HELD = "and D held"  # in what is said of the generator's gradient
DENSE = (
    "smooth scores with bounded slopes come as near as one likes to the unpenalised supremum "
    "(density of smooth functions in L1, Folland 1999, Real Analysis, 8.14)"
)
PERTURBATION = (
    "the implicit function theorem for a strictly concave problem (Zeidler 1986, Nonlinear "
    "Functional Analysis I, 4.8)"
)
DANSKIN = (
    "the envelope theorem (Milgrom and Segal 2002, Econometrica 70, theorem 2), where the "
    "maximiser is unique"
)


@dataclass(frozen=True, repr=False)
class RegularisedTheory(Exposition):
    """The theory of a loss under R1, R2 or both.

    Attributes:
        definition: the loss.
        regulariser: ``"r1"``, ``"r2"`` or ``"both"``; the weight is a symbol gamma > 0.
        equation: the Euler-Lagrange equation of the score, an expression that is 0.
        concave: whether both payoffs are concave, so that a solution is the maximum.
        small: what V − penalty tends to as gamma → 0, in words.
        large: what it tends to as gamma → oo.
        first_order: the factor of (1/gamma)·∫(F_p − F_q)²/w in V − penalty for large gamma.
        claims: whether a generator that sees D held follows V − penalty, and what that tends to
            for little and much penalty, each with its false twin.

    >>> from gantheory import derive_regularised
    >>> print(derive_regularised("minimax", "r1").title)
    Minimax (saturating) GAN with R1
    """

    LETTERS: ClassVar = (
        Letter("t(x)", "t(x)", "the raw score; t' is its slope in x"),
        Letter("gamma", r"\gamma", "the penalty's weight"),
        Letter("w", "w", "the density under which the penalty means t'^2"),
        Letter("F_p, F_q", "F_p, F_q", "distribution functions of P and Q"),
        Letter("O(u)", "O(u)", "what is at most a constant times u"),
    )
    definition: Loss
    regulariser: str
    equation: sp.Expr
    concave: bool | None
    small: str | None
    large: sp.Expr | None
    first_order: sp.Expr | None
    claims: tuple[Verdict, ...]
    steps: tuple[Step, ...]
    assumptions: tuple[str, ...] = ASSUMPTIONS
    undecided: dict[str, str] = field(default_factory=dict)
    no_optimum: str | None = None

    @property
    def title(self) -> str:
        """The loss with its penalty."""
        return f"{self.definition.title} with {NAMES[self.regulariser]}"

    @property
    def summary(self) -> tuple[Line, ...]:
        """What V - penalty tends to for little and much penalty, and what G descends."""
        known = {step.title: step.known for step in self.steps}
        small = self.small or "the unpenalised optimum"
        lines = [Line("gamma -> 0", f"V - penalty grows to {small}", known["Little penalty"])]
        if self.large is not None:
            order = f"{text(self.large)} + {over_gamma(self.first_order)} times a Sobolev distance"
            lines.append(
                Line("gamma -> ∞", f"V - penalty is {order}, D constant", known["Much penalty"])
            )
        judged = [step for step in self.steps if step.title == "Held"]
        lines += [Line("G follows", step.text, step.known) for step in judged]
        return tuple(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys."""
        return {
            "definition": self.definition.as_dict(),
            "regulariser": self.regulariser,
            "equation": text(self.equation),
            "concave": self.concave,
            "small": self.small,
            "large": text(self.large),
            "first_order": text(self.first_order),
            "claims": [claim.as_dict() for claim in self.claims],
            "steps": [step.as_dict() for step in self.steps],
            "assumptions": list(self.assumptions),
            "undecided": dict(self.undecided),
        }  # fmt: skip


def derive_regularised(
    loss: str | Loss, regulariser: str = "r1", *, seconds: float = DEFAULT_SECONDS
) -> RegularisedTheory:
    """Derive the equation, the limits and the envelope statement of a penalised loss.

    Args:
        loss: a separable loss, or its name.
        regulariser: ``"r1"``, ``"r2"`` or ``"both"``.
        seconds: the time limit.

    >>> found = derive_regularised("minimax", "r1")
    >>> found.first_order, found.claims[0].how
    (1/8, <How.ASSUMED: 'assumed'>)
    """
    game = plain(get_loss(loss))
    kind = regulariser.strip().lower()
    if kind not in WEIGHTS:
        raise GantheoryError(
            f"regulariser {regulariser!r} is none of {', '.join(WEIGHTS)}, whose weight is a "
            "symbol; a bound, a gradient penalty or a weight has numbers between two laws by "
            'optimal_discriminator, as in `gantheory divergence minimax.value "normal(0, 1)" '
            '"normal(2, 1)" --regulariser "gp(10)"`'
        )
    a, b, c = (_plain(to_sympy(part)) for part in (game.real, game.fake, game.generator))
    undecided: dict[str, str] = {}
    with time_limit(seconds):
        concave = _is_concave(a, b, Assumptions.of(game.parameters))
        if concave is None:
            undecided["concave"] = "the sign of a second derivative of the payoffs is not decided"
        equation, first = _equation(a, b, WEIGHTS[kind])
        large, factor, levels = _large(a, b)
        small, attained = _small(game)
        claims = tuple(_envelope(game, kind, a, b, c))
        if concave and None not in (small, large, factor):
            ways = {"small": (small, DENSE), "large": (large, PERTURBATION)}
            claims += tuple(limits(game, kind, ways, factor))
    if large is None:
        undecided["large"] = "no constant score that maximises a + b was found"
    steps = (
        first,
        _concavity(concave),
        _small_step(small, attained),
        *levels,
        *map(_judged, (claim for claim in claims if HELD in claim.statement)),
        *map(_judged, (one for one in claims if HELD not in one.statement and one.counterexample)),
    )
    return RegularisedTheory(
        game, kind, equation, concave, small, large, factor, claims, steps, undecided=undecided
    )


def _plain(expr: sp.Expr) -> sp.Expr:
    """Return a payoff in exponentials and logarithms alone."""
    expr = expr.replace(softplus, lambda u: sp.log(1 + sp.exp(u)))
    return expr.replace(sigmoid, lambda u: 1 / (1 + sp.exp(-u)))


def _is_concave(a: sp.Expr, b: sp.Expr, parameters: Assumptions) -> bool | None:
    """Return whether a'' and b'' are nowhere positive, with exp(t) as a positive symbol."""
    z = sp.Symbol("z", positive=True)
    signs = []
    for part in (a, b):
        bend = sp.diff(part, t, 2)
        image = sp.simplify(bend.subs(t, sp.log(z)))
        one = parameters.sign(bend, {t: (-sp.oo, sp.oo)}) if not bend.has(sp.exp) else None
        signs.append(one if one is not None else parameters.sign(image, {z: (sp.S.Zero, sp.oo)}))
    if any(sign == 1 for sign in signs):
        return False
    return None if None in signs else True


def _equation(a: sp.Expr, b: sp.Expr, weight: sp.Expr) -> tuple[sp.Expr, Step]:
    """Vary the functional p·a + q·b − γ/2·w·t'² in t."""
    lagrangian = p * a.subs(t, score) + q * b.subs(t, score)
    lagrangian -= gamma / 2 * weight * sp.diff(score, x) ** 2
    (varied,) = euler_equations(lagrangian, score, x)
    slopes = [sp.diff(part, t).subs(t, score) for part in (a, b)]
    wanted = gamma * sp.diff(weight * sp.diff(score, x), x) + p * slopes[0] + q * slopes[1]
    same = sp.simplify(sp.expand(varied.lhs - varied.rhs - wanted)) == 0
    written = f"({weight})" if weight.is_Add else str(weight)
    shown = f"gamma*({written}*t')' + p*({sp.diff(a, t)}) + q*({sp.diff(b, t)}) = 0"
    bracketed = rf"\left({typeset(weight)}\right)" if weight.is_Add else typeset(weight)
    return wanted, Step(
        "The equation of the score",
        f"The best score solves {shown.replace('(x)', '')}, with no flux {written}*t' at the "
        "ends.".replace("(x)", ""),
        rf"{typeset(wanted)} = 0,\qquad {bracketed}\,t' \to 0",
        known(same),
        "variation of the objective in t, by differentiation",
    )


def _concavity(concave: bool | None) -> Step:
    said = {
        True: "Both payoffs are concave: a solution is the maximum, unique up to a constant.",
        False: "A payoff is not concave: a solution need not be the maximum.",
        None: "Whether both payoffs are concave is not decided.",
    }[concave]
    how = {True: How.PROVED, False: How.REFUTED, None: How.UNDECIDED}[concave]
    return Step("Concavity", said, r"a'' \le 0,\quad b'' \le 0", how, "the signs of a'' and b''")


def _small(game: Loss) -> tuple[str | None, bool]:
    try:
        found = derive(game)
    except Undecided:
        return None, False
    if found.value is None:
        return None, False
    named = combination_title(found.value.terms) if found.value.terms else found.value.divergence
    return f"{named}{dotted(constant_text(found.value.constant))}", True


def _small_step(small: str | None, derived: bool) -> Step:
    limit = small or "the unpenalised optimum"
    return Step(
        "Little penalty",
        f"As gamma -> 0, V - penalty grows to {limit}, the value without a penalty.",
        r"\lim_{\gamma\to0}\left(V-\tfrac\gamma2\int w\,t'^2\right) = V(D^*)",
        How.PROVED if derived else How.UNDECIDED,
        "for every score with a bounded slope the penalty tends to 0, and V never exceeds V(D*)",
        DENSE,
    )


def _large(a: sp.Expr, b: sp.Expr) -> tuple[sp.Expr | None, sp.Expr | None, tuple[Step, ...]]:
    """Expand V − penalty about the best constant: t = k + s/γ, (w·s')' = −(p·a' + q·b')."""
    level = _best_constant(a, b)
    if level is None:
        return None, None, ()
    slope = sp.simplify(sp.diff(a, t).subs(t, level))
    value = sp.simplify((a + b).subs(t, level))
    balanced = sp.simplify((sp.diff(a, t) + sp.diff(b, t)).subs(t, level)) == 0
    w, gap = sp.symbols("w G", positive=True)  # G = F_p − F_q
    flux = -slope * gap / w  # s', as w·s' = −∫(p·a' + q·b') = −a'·(F_p − F_q)
    # to first order ∫(p·a' + q·b')·s = −∫a'·G·s' by parts, less the penalty w·s'²/2, over γ
    factor = sp.simplify((-slope * gap * flux - w * flux**2 / 2) * w / gap**2)
    steps = (
        Step(
            "Much penalty",
            f"As gamma -> oo the score tends to the constant {level}, which maximises a + b, and "
            f"V - penalty to {value}.",
            rf"t \to {typeset(level)},\qquad V \to {typeset(value)}",
            known(balanced or None),
            "a' + b' = 0 there; a score that is not constant costs without bound",
            PERTURBATION,
        ),
        Step(
            "To first order",
            f"V - penalty = {value} + {over_gamma(factor)} * integral of (F_p - F_q)^2/w + "
            "O(1/gamma^2), a Sobolev distance under the penalty's weight w, where finite.",
            rf"V - \tfrac\gamma2\int w\,t'^2 = {typeset(value)} + {typeset(factor / gamma)}"
            rf"\int\frac{{(F_p-F_q)^2}}{{w}}\,dx + O(\gamma^{{-2}})",
            known(balanced or None),
            "t = k + s/gamma with w*s' = -a'*(F_p - F_q), by parts",
            PERTURBATION,
        ),
    )
    return value, factor, steps


def _best_constant(a: sp.Expr, b: sp.Expr) -> sp.Expr | None:
    """Return the score at which a + b is stationary, where it is one."""
    try:
        found = sp.solve(sp.diff(a + b, t), t)
    except NotImplementedError:
        return None
    real = [one for one in found if one.is_real]
    return real[0] if len(real) == 1 else None


def _envelope(game: Loss, kind: str, a: sp.Expr, b: sp.Expr, c: sp.Expr) -> Iterator[Verdict]:
    """Compare the objective's derivative in q at a held score with the generator's payoff."""
    slope, real, fake = sp.Symbol("t'", real=True), sp.Symbol("p"), sp.Symbol("q")
    weight = {"r1": real, "r2": fake, "both": real + fake}[kind]
    integrand = real * a + fake * b - gamma / 2 * weight * slope**2
    felt = sp.diff(integrand, fake)  # what a change of q at x moves, D at its optimum
    rest = sp.simplify(felt - c)
    is_constant = not rest.has(t, slope)
    statement = f"with {NAMES[kind]} and D held, the generator descends the gradient of V - penalty"
    twin = f"with {NAMES[kind]} and D held, the generator descends the gradient of V alone"
    if is_constant:
        yield Verdict(
            statement, How.PROVED, left=str(felt), right=str(c), assumptions=(DANSKIN,),
            reason="the penalty does not depend on q, and c = b up to a constant",
        )  # fmt: skip
        yield Verdict(
            twin, How.REFUTED, left=str(felt), right=str(c),
            counterexample=_example(game),
        )  # fmt: skip
        return
    example = f"at a fixed score the objective feels {felt}, the generator {c}"
    yield Verdict(
        statement, How.REFUTED, left=str(felt), right=str(c),
        counterexample=f"{example}; they differ by {rest}, which is not constant",
    )  # fmt: skip


def _example(game: Loss) -> str:
    """Return two laws on which V alone has another derivative than the one that G descends."""
    try:
        below, here, above = (
            optimal_discriminator(game, "normal(0, 1)", f"normal({place}, 1)", regulariser="r1(1)")
            for place in (0.99, 1.0, 1.01)
        )
    except GantheoryError as reason:
        return f"V alone is not stationary in D; no numbers, because {reason}"
    slope = (above.value.value - below.value.value) / 0.02
    return (
        f"at p = normal(0, 1), q = normal(1, 1), gamma = 1, V has the slope {slope:.4f} in q.loc, "
        f"V - penalty and what G descends {here.gradient().value:.4f}"
    )


def _judged(claim: Verdict) -> Step:
    reason = claim.reason or claim.counterexample or ""
    theorem = claim.assumptions[0] if claim.assumptions else ""
    title = "Held" if HELD in claim.statement else "Limit"
    return Step(title, f"{claim.statement}.", "", claim.how, reason, theorem)
