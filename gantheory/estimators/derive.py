r"""What an estimator in a loss follows, by three ways in which its gradient is taken.

Samples x ~ q, r = p/q. With k the estimator, :math:`\partial_\theta` of its mean is

* frozen samples (gradients through r alone):
  :math:`E_q[\partial k(r)] = -\int \partial q\,r k'(r)`, so :math:`g'' = (r k')'/r`;
* a reward (k detached, gradients through the samples' probability alone):
  :math:`\int \partial q\,k(r)`, so :math:`g'' = -k'/r`;
* a differentiable importance weight q/q̄ in front: the sum of both, so :math:`g'' = k''`, which is
  the value's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import sympy as sp

from gantheory.deadline import DEFAULT_SECONDS, OutOfTime, Undecided, time_limit
from gantheory.derivations.exposition import Exposition, Line, Step
from gantheory.derivations.notation import Letter
from gantheory.derivations.typeset import typeset
from gantheory.derivations.wording import (
    atoms_latex,
    atoms_text,
    combination_title,
    constant_text,
)
from gantheory.divergences.symbols import dotted
from gantheory.errors import GantheoryError, require_type
from gantheory.estimators.judging import NOTHING, curve_of, judged
from gantheory.estimators.record import ESTIMATORS, RATIO, Estimator
from gantheory.exact.assumptions import Assumptions
from gantheory.expressions import parse
from gantheory.functions import r, to_sympy
from gantheory.naming import find_entry
from gantheory.records import How, Verdict
from gantheory.theory import consequences
from gantheory.theory.curvature import Curve, followed_curvature, loss_curvature
from gantheory.theory.records import NO_DIVERGENCE, Curvature, pieces_text, text

SAID = {
    "value": "the mean over samples of Q is ",
    "followed": "with frozen samples G follows ",
    "reward": "with k as a detached reward G follows ",
    "weighted": "with a differentiable importance weight G follows ",
}
ASSUMPTIONS = (
    "P and Q have densities p and q, positive in the same places",
    "the samples are drawn from q at the parameters where the gradient is taken",
    "derivatives in the parameters of q pass under the integral",
)


@dataclass(frozen=True, repr=False)
class EstimatorDerivation(Exposition):
    """The theory of one estimator.

    Attributes:
        definition: its formula as written.
        formula: k as an expression in r.
        value: what E_q[k(r)] is.
        followed: whose gradient a loss with frozen samples follows.
        reward: whose gradient k as a detached reward follows.
        weighted: whose gradient k with a differentiable importance weight follows.
        weight: −r·k'(r), what multiplies ∇ log q at each frozen sample.
        noise: its value at r = 1, where all of it is noise: 0 is quietest.
        control: the c for which k + c·(r − 1) has the least variance near P = Q.
        claims: what is said of it, judged; and the three ways of taking its gradient.
        undecided: what is missing -> why.

    >>> from gantheory import derive_estimator
    >>> derive_estimator("k3").value
    Curvature(KL(Q‖P))
    """

    LETTERS: ClassVar = (
        Letter("L", "L", "the loss"),
        Letter("k(r)", "k(r)", "the estimator, a function of the ratio"),
        Letter("D_g, g", "D_g, g", "the divergence E_q[g(r)] whose gradient is followed"),
        Letter("c", "c", "a factor of r - 1, whose mean is 0"),
    )
    definition: Estimator
    formula: sp.Expr | None = None
    value: Curvature | None = None
    followed: Curvature | None = None
    reward: Curvature | None = None
    weighted: Curvature | None = None
    weight: sp.Expr | None = None
    noise: sp.Expr | None = None
    control: sp.Expr | None = None
    claims: tuple[Verdict, ...] = ()
    assumptions: tuple[str, ...] = ASSUMPTIONS
    undecided: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What people call the estimator."""
        return self.definition.title

    @property
    def status(self) -> str:
        """``"derived"`` or ``"undecided"``."""
        return "undecided" if self.undecided else "derived"

    @property
    def no_optimum(self) -> None:
        """An estimator has no discriminator that could have none."""
        return

    @property
    def curvatures(self) -> dict[str, Curvature]:
        """The curvatures that were derived, by name."""
        names = ("value", "followed", "reward", "weighted")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    @property
    def summary(self) -> tuple[Line, ...]:
        """What the mean is, and what G follows by each way of taking the gradient."""
        if not self.curvatures:
            return (Line("undecided", "; ".join(self.undecided.values()), "undecided"),)
        labels = {"value": "mean", "followed": "frozen", "reward": "as reward",
                  "weighted": "weighted"}  # fmt: skip
        found = {name: _meaning(one) for name, one in self.curvatures.items()}
        lines = [Line(labels[name], SAID[name] + said, known)
                 for name, (said, known) in found.items()]  # fmt: skip
        if self.weight is not None and self.noise is not None:
            quiet = "none" if self.noise == 0 else f"each sample pulls with weight {self.noise}"
            lines.append(Line("noise", f"at P = Q {quiet}", How.PROVED.value))
        return tuple(lines)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The derivation step by step, each with how it is known."""
        return tuple(_steps(self))

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys; expressions are text in ``r``."""
        return {
            "definition": self.definition.as_dict(),
            "status": self.status,
            "reason": "; ".join(self.undecided.values()) or None,
            **{
                name: (found := getattr(self, name)) and found.as_dict()
                for name in ("value", "followed", "reward", "weighted")
            },
            "weight": text(self.weight),
            "noise": text(self.noise),
            "control": text(self.control),
            "claims": [claim.as_dict() for claim in self.claims],
            "steps": [step.as_dict() for step in self.steps],
            "assumptions": list(self.assumptions),
            "undecided": dict(self.undecided),
        }  # fmt: skip


def derive_estimator(
    loss: str | Estimator, *, weight: str | None = None, seconds: float = DEFAULT_SECONDS
) -> EstimatorDerivation:
    """Derive what an estimator of the ratio r = p/q on samples of q is worth in a loss.

    Args:
        loss: a name such as ``"k3"``, a formula in ``r`` or ``u`` = log r, or an `Estimator`.
        weight: what multiplies ∇ log q at a frozen sample, where that is not −r·k'(r): a formula
            in ``r`` or ``u``, as of a loss of which parts are detached.
        seconds: the time limit; what is open by then is undecided.

    >>> found = derive_estimator("r - 1 - log(r)")
    >>> found.value.divergence, found.followed.divergence
    ('kl_qp', 'kl_pq')
    """
    estimator = loss if isinstance(loss, Estimator) else _estimator(loss)
    parameters = Assumptions.of(estimator.parameters)
    try:
        with time_limit(seconds):
            return _derived(estimator, parameters, weight)
    except Undecided as reason:
        return EstimatorDerivation(estimator, undecided={"value": str(reason)})


def _estimator(asked: str) -> Estimator:
    require_type("estimator", asked, str, "an Estimator, its name, or text like 'r - 1 - log(r)'")
    try:
        return find_entry("estimator", asked.strip(), ESTIMATORS.values())
    except GantheoryError:
        words = re.split(r"[-\s]+", asked.strip())
        if all(word.isidentifier() for word in words) and not {"r", "u"} & set(words):
            raise  # a name, not a formula
    return Estimator("yours", asked, "Your estimator")


def _derived(
    estimator: Estimator, parameters: Assumptions, given: str | None = None
) -> EstimatorDerivation:
    names = {**parameters.symbols, "u": sp.log(r)}
    k, own = (
        None if text is None
        else curve_of(to_sympy(parse(text, RATIO), names, ratio=True), parameters)
        for text in (estimator.formula, given)
    )  # fmt: skip
    assert k is not None
    slope = k.map(lambda expr: sp.diff(expr, r), parameters)
    weight = own or k.map(lambda expr: -r * sp.diff(expr, r), parameters)
    undecided: dict[str, str] = {}

    def attempt(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except OutOfTime:
            raise
        except Undecided as reason:
            undecided[name] = str(reason)
            return None

    if k.jumps(parameters):
        raise Undecided("the estimator jumps, so that its derivative does not say how it moves")
    constant = attempt("constant", k.at, sp.S.One, parameters)

    def described(name: str, curve: Curve | None, start: sp.Expr) -> Curvature | None:
        if curve is None:
            return None
        found: Curvature | None = attempt(
            name, consequences.describe_curvature, curve, start, parameters
        )
        return found

    value = described("value", attempt("value", loss_curvature, k, parameters), constant)
    followed, reward = (
        described(name, attempt(name, followed_curvature, h, parameters), sp.S.Zero)
        for name, h in (("followed", weight), ("reward", k))
    )
    noise = attempt("noise", weight.at, sp.S.One, parameters)
    steep = attempt("control", slope.at, sp.S.One, parameters)
    derived = EstimatorDerivation(
        estimator,
        k.expression,
        value,
        followed,
        reward,
        value and replace(value, constant=sp.S.Zero),
        weight=weight.expression,
        noise=noise,
        control=None if steep is None else -steep,
        undecided=undecided,
    )
    return replace(derived, claims=tuple(judged(derived, parameters)))


def _steps(derived: EstimatorDerivation) -> Iterator[Step]:
    formula = derived.definition.formula
    yield Step("The estimator", f"The mean of k(r) = {formula} over samples x ~ q, with r = p/q.",
               r"L = \mathbb{E}_{x\sim q}[k(r(x))],\qquad r = p/q", How.PROVED,
               "by definition")  # fmt: skip
    if derived.value is not None:
        constant = dotted(constant_text(derived.value.constant or sp.S.Zero))
        yield _answer("What it estimates", f"k'' = {atoms_text(derived.value)}", derived.value,
                      rf"k''(r) = {atoms_latex(derived.value)}", constant)  # fmt: skip
    formulas = {
        "followed": ("Frozen samples", "gradients pass through r alone: g'' = (r*k')'/r",
                     r"g''(r)=\frac{(r\,k'(r))'}{r}"),
        "reward": ("As a detached reward", "k multiplies grad log q: g'' = -k'/r",
                   r"g''(r)=-\frac{k'(r)}{r}"),
        "weighted": ("With a differentiable importance weight", "the sum of both: g'' = k''",
                     r"g''(r)=\frac{(r\,k')'}{r}-\frac{k'}{r}=k''(r)"),
    }  # fmt: skip
    for name, (title, said, latex) in formulas.items():
        curvature = getattr(derived, name)
        if curvature is not None:
            yield _answer(title, f"{said} = {atoms_text(curvature)}", curvature,
                          f"{latex} = {atoms_latex(curvature)}")  # fmt: skip
    if derived.weight is not None and derived.noise is not None:
        quiet = (
            "it vanishes at P = Q, and with it the noise"
            if derived.noise == 0
            else f"at P = Q, where no gradient is left, it is {derived.noise}: pure noise"
        )
        weight = pieces_text(derived.weight)
        along = weight if derived.weight.is_Atom else f"({weight})"
        yield Step(
            "Noise of the gradient",
            f"With frozen samples each one moves the parameters along "
            f"{along} times grad log q; {quiet}.",
            rf"-r\,k'(r) = {typeset(derived.weight)}",
            How.PROVED,
            "the mean of grad log q is 0",
        )
    if derived.control is not None:
        yield Step(
            "Control variate",
            f"E_q[r - 1] = 0, so k + c*(r - 1) has the same mean for every c; near P = Q its "
            f"variance is least for c = {derived.control}. With frozen samples such a term "
            "follows c*KL(P||Q): what is added to quieten the value changes the gradient.",
            rf"c = -k'(1) = {typeset(derived.control)},\quad \frac{{(r\,c)'}}{{r}}=\frac cr",
            How.PROVED,
            "k(r) - k(1) = k'(1)*(r - 1) to first order; by differentiation",
        )
    for claim in derived.claims:
        yield Step("Judged", f"{claim.statement}.", "", claim.how,
                   claim.counterexample or claim.reason or "exact algebra")  # fmt: skip


def _meaning(curvature: Curvature) -> tuple[str, str]:
    """Return what a curvature is in symbols, and how that is known."""
    if curvature.curvature == 0 and not curvature.atoms:
        return NOTHING, How.PROVED.value
    if curvature.divergence == NO_DIVERGENCE:
        terms = f" ({combination_title(curvature.terms)})" if curvature.terms else ""
        return f"no divergence{terms}, as {curvature.reason}", How.REFUTED.value
    if curvature.is_named:
        return combination_title(curvature.terms), "proved"
    return curvature.divergence, curvature.how


def _answer(title: str, how: str, curvature: Curvature, latex: str, constant: str = "") -> Step:
    said, known = _meaning(curvature)
    if said == NOTHING:
        return Step(title, f"{how}: {NOTHING}.", latex, How.PROVED, "by differentiation")
    said, known = said if known == How.REFUTED else said + constant, How(known)
    return Step(title, f"{how}: {said}.", latex, known, f"by differentiation; {curvature.reason}")
