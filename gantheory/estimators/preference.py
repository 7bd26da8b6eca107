r"""Preference losses: whether the prompt's constant drops out, and which divergence they imply.

The policy π that maximises :math:`E_\pi[R] - \beta D_f(\pi\|\pi_{ref})` has
:math:`R = \beta f'(\pi/\pi_{ref}) + c(\text{prompt})` wherever π > 0: a loss of a chosen and a
rejected answer is free of c exactly where it is a function of f'(w) − f'(l), w and l their ratios
π/π_ref. That f is derived from the loss: with L = Φ(m(w) − m(l)), L_w/L_l = −m'(w)/m'(l).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import sympy as sp

from gantheory.deadline import DEFAULT_SECONDS, Undecided, time_limit
from gantheory.derivations.exposition import Exposition, Line, Step
from gantheory.derivations.notation import Letter
from gantheory.derivations.typeset import typeset
from gantheory.derivations.wording import quantity_title
from gantheory.errors import GantheoryError, require_type
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.limits import limit
from gantheory.expressions import ELEMENTARY, Grammar, parse
from gantheory.formulas import names_in
from gantheory.functions import r, sigmoid, softplus, to_sympy
from gantheory.losses.loss import Reference
from gantheory.records import How
from gantheory.theory import consequences
from gantheory.theory.curvature import Curve
from gantheory.theory.records import Curvature, text

ANSWERS = Grammar("preference loss", ELEMENTARY, frozenset({"w", "l"}), parameters=True,
                  example="softplus(log(l/w))")  # fmt: skip
W, L, S = sp.symbols("w l s", positive=True)
PREFERENCES = {
    "dpo": "-log(sigmoid(beta*(log(w) - log(l))))",
    "ipo": "(log(w) - log(l) - 1/(2*beta))**2",
    "slic": "relu(1 - beta*(log(w) - log(l)))",
    "chi-po": "-log(sigmoid(beta*(w + log(w) - l - log(l))))",
}
ASSUMPTIONS = (
    "w and l are pi/pi_ref at the chosen and at the rejected answer of one prompt",
    "pi > 0 wherever pi_ref > 0",
)


@dataclass(frozen=True)
class Preference:
    """A loss of the ratios w and l of a chosen and a rejected answer."""

    name: str
    formula: str
    title: str
    reference: Reference | None = None

    def as_dict(self) -> dict[str, object]:
        """Return the definition, for printing and JSON."""
        return {"name": self.name, "title": self.title, "loss": self.formula}


@dataclass(frozen=True, repr=False)
class PreferenceDerivation(Exposition):
    """The theory of one preference loss.

    Attributes:
        definition: the loss.
        free: whether it is free of the prompt's constant.
        link: m(s), up to a factor and a constant: the reward of a ratio s = π/π_ref.
        regulariser: the curvature in r = π_ref/π of the divergence, up to a factor.
        counterexample: two answers at which it is not a function of a difference.
        reaches_zero: whether the optimal policy may put probability 0 on an answer.

    >>> from gantheory import derive_preference
    >>> print(derive_preference("dpo").title)
    Preference loss -log(sigmoid(beta*(log(w) - log(l))))
    """

    LETTERS: ClassVar = (
        Letter("L", "L, L_w, L_l", "the loss, and its derivatives in w and l"),
        Letter("w, l", "w, l", "ratios s of the answer that is preferred and of the other"),
        Letter("m(s)", "m(s)", "the reward that a ratio stands for"),
        Letter("s", "s", "pi/pi_ref"),
        Letter("pi, pi_ref", r"\pi, \pi_{ref}", "probability under the policy and the reference"),
        Letter("f", "f", "generator of the divergence that holds the policy"),
        Letter("Phi", r"\Phi", "any function"),
    )
    definition: Preference
    free: bool | None = None
    link: sp.Expr | None = None
    regulariser: Curvature | None = None
    counterexample: str | None = None
    reaches_zero: bool | None = None
    steps: tuple[Step, ...] = ()
    assumptions: tuple[str, ...] = ASSUMPTIONS
    undecided: dict[str, str] = field(default_factory=dict)
    no_optimum: str | None = None

    @property
    def title(self) -> str:
        """The loss."""
        return self.definition.title

    @property
    def summary(self) -> tuple[Line, ...]:
        """Whether the prompt's constant drops out, what holds the policy, and what it may drop."""
        if self.free is None:
            return (Line("undecided", "; ".join(self.undecided.values()), "undecided"),)
        if not self.free:
            return (Line("prompt", self.steps[0].text, self.steps[0].known),)
        first, held, end = (step.known for step in self.steps)
        free = f"a constant of the prompt drops out: the loss is of m(w) - m(l), m = {self.link}"
        assert self.regulariser is not None
        named = quantity_title(self.regulariser.terms, sp.S.Zero) or self.regulariser.divergence
        zero = "may put" if self.reaches_zero else "never puts"
        return (
            Line("prompt", free, first),
            Line("held by", f"{named} of P = pi_ref and Q = pi", held),
            Line("at 0", f"the optimal policy {zero} probability 0 on an answer", end),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys."""
        return {
            "definition": self.definition.as_dict(),
            "free_of_the_prompt": self.free,
            "link": text(self.link),
            "regulariser": self.regulariser and self.regulariser.as_dict(),
            "counterexample": self.counterexample,
            "reaches_zero": self.reaches_zero,
            "steps": [step.as_dict() for step in self.steps],
            "assumptions": list(self.assumptions),
            "undecided": dict(self.undecided),
        }  # fmt: skip


def derive_preference(preference: str, *, seconds: float = DEFAULT_SECONDS) -> PreferenceDerivation:
    """Derive whether a preference loss is free of the prompt's constant, and what it implies.

    Args:
        preference: a formula in ``w`` and ``l``, or one of ``dpo``, ``ipo``, ``slic``, ``chi-po``.
        seconds: the time limit.

    >>> found = derive_preference("dpo")
    >>> found.free, found.regulariser.divergence
    (True, 'kl_qp')
    """
    require_type(
        "preference loss", preference, str, "a name such as 'dpo', or a formula in w and l"
    )
    formula = PREFERENCES.get(preference.strip().lower(), preference)
    named = formula != preference
    definition = Preference(
        preference.strip().lower() if named else "yours", formula, f"Preference loss {formula}"
    )
    tree = parse(formula, ANSWERS)
    if not names_in(tree) & {"w", "l"}:
        raise GantheoryError(f"preference loss {formula[:60]!r} depends on neither w nor l")
    expr = to_sympy(tree, {"w": W, "l": L})
    try:
        with time_limit(seconds):
            return _derived(definition, expr)
    except Undecided as reason:
        return PreferenceDerivation(definition, undecided={"link": str(reason)})


def _derived(definition: Preference, loss: sp.Expr) -> PreferenceDerivation:
    by_w, by_l = (sp.diff(loss, answer) for answer in (W, L))
    if sp.simplify(by_w) == 0 or sp.simplify(by_l) == 0:
        which = "chosen" if by_l == 0 or sp.simplify(by_l) == 0 else "rejected"
        return _not_free(definition, f"it depends on the {which} answer alone")
    ratio = sp.simplify(_plain(by_w / by_l))
    slope = sp.simplify(-ratio.subs(L, 2).subs(W, S))  # m'(s)/m'(2), as 1 is where logs vanish
    unit = slope.subs(S, 1)
    slope = sp.simplify(slope / unit) if unit.is_finite and unit != 0 else slope
    same = sp.simplify(ratio + slope.subs(S, W) / slope.subs(S, L))
    if same != 0:
        return _apart(definition, same)
    if slope.has(sp.Heaviside):
        raise Undecided("the loss has a kink that does not cancel between the two answers")
    link = sp.simplify(sp.integrate(slope, S))
    parameters = Assumptions()
    bent = sp.simplify(slope.subs(S, 1 / r) / r**3)
    curvature = consequences.describe_curvature(
        Curve((((sp.S.Zero, sp.oo), bent),)), sp.S.Zero, parameters
    )
    end = limit(link.xreplace({S: r}), r, sp.S.Zero, 1, parameters)
    steps = (
        Step(
            "A function of a difference",
            f"L_w/L_l = {ratio} = -m'(w)/m'(l) with m' = {slope}: the loss is a function of "
            f"m(w) - m(l), m = {link}, and a constant of the prompt in m drops out.",
            rf"\frac{{L_w}}{{L_l}} = {typeset(ratio)} = -\frac{{m'(w)}}{{m'(l)}}",
            How.PROVED,
            "by differentiation and exact algebra",
        ),
        Step(
            "The regulariser",
            f"m = f' up to a factor, so the policy is held to the reference by "
            f"{curvature.divergence} of P = pi_ref and Q = pi, f'' = {slope} in s = pi/pi_ref.",
            rf"f''(s) = {typeset(slope)},\qquad s = \pi/\pi_{{ref}}",
            curvature.how,
            curvature.reason,
        ),
        Step(
            "Answers of probability 0",
            f"m tends to {text(end)} at s -> 0: the optimal policy "
            + ("may put probability 0 on an answer, where R = f' + c does not hold"
               if end.is_finite else "is positive wherever the reference is") + ".",
            rf"m(s) \to {typeset(end)}\quad (s \to 0)",
            How.PROVED,
            "limits by leading terms",
        ),
    )  # fmt: skip
    return PreferenceDerivation(definition, True, link, curvature, None, bool(end.is_finite), steps)


def _plain(expr: sp.Expr) -> sp.Expr:
    """Return an expression in exponentials alone."""
    expr = expr.replace(softplus, lambda x: sp.log(1 + sp.exp(x)))
    return expr.replace(sigmoid, lambda x: 1 / (1 + sp.exp(-x)))


def _apart(definition: Preference, rest: sp.Expr) -> PreferenceDerivation:
    """Return two answers at which L_w/L_l is no quotient of one function at both."""
    sample = {s: sp.Rational(7, 5) for s in rest.free_symbols - {W, L}}
    for w, l in ((2, 3), (sp.Rational(1, 2), 3), (3, sp.Rational(1, 3))):  # noqa: E741
        value = sp.N(rest.xreplace({W: sp.sympify(w), L: sp.sympify(l), **sample}), 20)
        if value.is_real and abs(value) > sp.Float("1e-12"):
            where = f"w = {w}, l = {l}"
            return _not_free(
                definition, f"at {where}, L_w/L_l misses -m'(w)/m'(l) by {float(value):.4g}", where
            )
    raise Undecided("neither algebra nor an example says whether the loss is of a difference")


def _not_free(definition: Preference, why: str, where: str | None = None) -> PreferenceDerivation:
    step = Step(
        "A function of a difference",
        f"The loss is no function of m(w) - m(l) for any m, as {why}: a constant of the prompt "
        "in the reward does not drop out.",
        r"L \ne \Phi(m(w) - m(l))",
        How.REFUTED,
        why,
    )
    return PreferenceDerivation(definition, False, counterexample=where or why, steps=(step,))
