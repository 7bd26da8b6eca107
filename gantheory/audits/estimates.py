"""From a recovered loss with frozen samples to what it estimates, what it follows, and its faults.

With E_q[k(r)] the value and E_q[w(r) grad log q] the gradient, what is followed has the curvature
-w'/r, whatever was detached or reweighted on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sympy as sp

from gantheory.audits.cores import alike, formula_text
from gantheory.audits.record import Audit, Finding, Kind, Severity
from gantheory.audits.recovered import Recovered
from gantheory.audits.separate import ratio
from gantheory.errors import GantheoryError
from gantheory.estimators.derive import EstimatorDerivation, derive_estimator
from gantheory.estimators.judging import WAYS, said_of
from gantheory.estimators.preference import PreferenceDerivation, derive_preference
from gantheory.estimators.record import ESTIMATORS, Estimator
from gantheory.estimators.reward import RewardDerivation, derive_reward
from gantheory.functions import r, t, to_sympy
from gantheory.theory.records import Curvature

Derived = EstimatorDerivation | PreferenceDerivation | RewardDerivation
SECONDS = 10.0
NOTHING = "nothing"
MEASURED = """\
import gantheory as gt
mean = torch.zeros((), requires_grad=True)  # samples are of q = N(mean, 1), p = N(1/2, 1)
x = torch.randn(1_000_000, 1, generator=torch.Generator().manual_seed(0))
log_q, log_p = -(x - mean) ** 2 / 2, -(x - 0.5) ** 2 / 2"""


@dataclass(frozen=True)
class Judged:
    """What the theory says of a loss with frozen samples."""

    facts: dict[str, Any]
    way: str | None = None
    derivation: Derived | None = None
    estimates: Curvature | None = None
    follows: Curvature | None = None
    equals: dict[str, str] | None = None
    undecided: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys."""
        reward = self.facts["kind"] == "reward"
        value, weight = (_in_ratio(self.facts[key]) for key in ("value", "weight"))
        if reward or self.facts["kind"] == "preference":
            value, weight = self.facts["value"], None
        return {
            "kind": self.facts["kind"], "call": self.facts["written"], "value": value,
            "weight": weight, "way": self.way, "equals": self.equals,
            "estimates": None if self.estimates is None else said_of(self.estimates),
            "follows": None if self.follows is None else _said(self.follows),
            "inside": self.facts["inside"], "undecided": self.undecided,
            "derivation": None if self.derivation is None else self.derivation.as_dict(),
        }  # fmt: skip

    def is_said(self) -> Iterator[str]:
        """Return what was recovered, line by line."""
        shown = self.as_dict()
        names = {"estimator": "mean over samples of q, r = p/q, of",
                 "reward": "reward of a score t",
                 "preference": "loss of a pair, w and l the ratios pi/pi_ref"}  # fmt: skip
        if shown["value"] is not None:
            yield f"{names[shown['kind']]}: {shown['value']}"
        if shown["weight"] is not None:
            yield f"each sample's gradient is grad log q times {shown['weight']}"
        if self.way is not None:
            yield f"how its gradient is taken: {self.way}"
        if self.equals is not None:
            factor = self.equals["factor"]
            yield f"equals {self.equals['estimator']}" + (
                "" if factor == "1" else f", times {factor}"
            )
        if self.facts["inside"]:
            low, high = self.facts["inside"]
            yield (f"guarded: this holds for log r between {'-oo' if low is None else low} and "
                   f"{'oo' if high is None else high}")  # fmt: skip

    def does(self) -> Iterator[str]:
        """Return what the theory says, line by line."""
        if self.derivation is not None and isinstance(self.derivation, EstimatorDerivation):
            if self.estimates is not None:
                yield f"its mean is {said_of(self.estimates)}"
            if self.follows is not None:
                yield f"its gradient follows {said_of(self.follows)}"
        elif self.derivation is not None:
            for line in self.derivation.summary:
                yield f"{line.label}: {line.text}"
        if self.undecided:
            yield f"undecided, because {self.undecided}"


def judge_frozen(recovered: Recovered) -> Audit:
    """Return the audit of a loss with frozen samples."""
    assert recovered.frozen is not None
    facts = recovered.frozen
    judged = _judged(facts)
    reasons = (facts["missing"],) if facts["missing"] else ()
    how = [facts["taken"]] if facts["taken"] else []
    if facts["uniform"]:
        how.append("no reference model is given: it is taken as uniform")
    return Audit(
        name=recovered.name, recovered=not reasons, loss=None, players=(),
        reduction=facts["reduction"], samples_frozen=judged.as_dict(),
        findings=tuple(_findings(judged, recovered)), reasons=reasons, how=tuple(how),
        details={"frozen": judged},
    )  # fmt: skip


def _judged(facts: dict[str, Any]) -> Judged:
    try:
        return {"estimator": _estimator, "reward": _reward, "preference": _preference}[
            facts["kind"]
        ](facts)
    except GantheoryError as error:
        return Judged(facts, undecided=str(error))


def _estimator(facts: dict[str, Any]) -> Judged:
    value, weight = (None if facts[k] is None else to_sympy(facts[k]) for k in ("value", "weight"))
    if value is None and weight is None:
        return Judged(facts)
    if value is None or not value.has(t):
        return _by_weight(facts, weight)
    way = _way(value, weight)
    given = _in_ratio(facts["weight"]) if way == "another gradient" else None
    formula = _in_ratio(facts["value"])
    assert formula is not None
    derived = derive_estimator(Estimator("yours", formula, "Your estimator"),
                               weight=given, seconds=SECONDS)  # fmt: skip
    part = {said: name for name, said in WAYS.items()} | {"another gradient": "followed"}
    follows = None if way == "no gradient" else getattr(derived, part[way])
    why = "; ".join(derived.undecided.values()) or None
    return Judged(facts, way, derived, derived.value, follows, _named(value), why)


def _by_weight(facts: dict[str, Any], weight: sp.Expr | None) -> Judged:
    """Judge a loss whose value says nothing: a detached factor in front of log q."""
    formula = _in_ratio(facts["weight"])
    if weight is None or formula is None or not weight.has(t):
        return Judged(facts, undecided="neither its value nor its gradient depends on the ratio")
    derived = derive_estimator(Estimator("yours", formula, "Its weight"), seconds=SECONDS)
    return Judged(facts, "a reward", derived, None, derived.reward, None,
                  derived.undecided.get("reward"))  # fmt: skip


def _way(value: sp.Expr, weight: sp.Expr | None) -> str:
    """Return how the gradient is taken: constants add nothing but noise."""
    if weight is None:
        return "no gradient"
    slope = _slope(value)
    known = (("followed", -slope), ("reward", value), ("weighted", value - slope))
    for close in (alike, _same):
        for name, wanted in known:
            if close(weight, wanted):
                return WAYS[name]
    return "another gradient"


def _slope(value: sp.Expr) -> sp.Expr:
    found = sp.diff(value, t)
    return found.replace(sp.Heaviside, lambda x, *_: sp.Piecewise((1, x > 0), (0, True)))


def _same(left: sp.Expr, right: sp.Expr) -> bool:
    if not left.has(t) or not right.has(t):
        return not left.has(t) and (right == 0 or not sp.simplify(right).has(t))
    found = ratio(left, right)
    return found is not None and abs(found - 1) < 1e-9


def _named(value: sp.Expr) -> dict[str, str] | None:
    """Return the estimator with a name that it is a multiple of, up to a constant."""
    for entry in ESTIMATORS.values():
        known = to_sympy(entry.formula, {"u": t}, ratio=True).xreplace({r: sp.exp(t)})
        factor = ratio(value, known)
        if factor is not None and factor > 0:
            exact = sp.nsimplify(factor, rational=True, tolerance=1e-9)
            return {"estimator": entry.name, "factor": str(exact)}
    return None


def _reward(facts: dict[str, Any]) -> Judged:
    if facts["value"] is None:
        return Judged(facts)
    derived = derive_reward(facts["value"], seconds=SECONDS)
    why = derived.undecided.get("followed")
    return Judged(facts, "a reward", derived, derived.value, derived.followed, None, why)


def _preference(facts: dict[str, Any]) -> Judged:
    if facts["value"] is None:
        return Judged(facts)
    derived = derive_preference(facts["value"], seconds=SECONDS)
    why = "; ".join(derived.undecided.values()) or None
    return Judged(facts, None, derived, None, derived.regulariser, None, why)


def _in_ratio(formula: str | None) -> str | None:
    """Return a formula in t = log r as one in r; None for one that jumps."""
    if formula is None:
        return None
    return formula_text(sp.expand_log(to_sympy(formula).xreplace({t: sp.log(r)})))


def _said(curvature: Curvature) -> str:
    said = said_of(curvature)
    return NOTHING if said.startswith(NOTHING) else said


# --- findings


def _findings(judged: Judged, recovered: Recovered) -> Iterator[Finding]:
    facts = judged.facts
    if facts["kind"] == "preference":
        yield from _of_a_preference(facts, recovered)
    elif facts["kind"] == "reward":
        yield from _of_a_reward(judged, recovered)
    elif facts["missing"] is None:
        yield from _of_an_estimator(judged, recovered)


def _code(recovered: Recovered, *lines: str) -> str:
    return "\n".join(line for line in (recovered.origin, "import torch", *lines) if line)


def _gradient(recovered: Recovered, wrt: str = "") -> str:
    """Return code that shows the gradient of a loss on a million samples beside the truth."""
    assert recovered.frozen is not None
    print_ = "print(torch.autograd.grad(loss.mean(), mean))"
    lines = [
        MEASURED,
        f"loss = {recovered.frozen['written']}",
        "loss = loss[0] if isinstance(loss, tuple) else loss",
        print_,
    ]
    if wrt:
        lines.append(f"print(gt.divergence({wrt!r}, 'normal(1/2, 1)', 'normal(0, 1)', "
                     "wrt='q.loc'))")  # fmt: skip
    return _code(recovered, *lines)


def _of_an_estimator(judged: Judged, recovered: Recovered) -> Iterator[Finding]:
    follows, estimates = judged.follows, judged.estimates
    if judged.way == "no gradient":
        reward = getattr(judged.derivation, "reward", None)
        said = "; as a detached penalty in a reward the policy follows "
        said = "" if reward is None else said + _said(reward)
        yield Finding(
            Kind.NO_GENERATOR_GRADIENT, Severity.NOTE,
            f"no gradient reaches the trained model: in a loss it does nothing{said}",
            _code(recovered, MEASURED, f"print({judged.facts['written']})"),
            "leave the trained model's log probabilities attached, if it is meant as a loss",
        )  # fmt: skip
        return
    if follows is None:
        return
    if follows.curvature == 0 and not follows.atoms:
        value = "" if estimates is None else f", although its mean is {said_of(estimates)}"
        yield Finding(
            Kind.FOLLOWS_NOTHING, Severity.ERROR,
            f"its gradient is pure noise and follows nothing{value}: every sample is pulled alike",
            _gradient(recovered),
            "minimise log(r)**2/2 (k2), which follows kl_qp, or multiply by a differentiable "
            "importance weight",
        )  # fmt: skip
    elif follows.is_divergence is False:
        yield from _no_divergence(judged, recovered)
    elif estimates is not None and estimates.is_divergence and _differ(estimates, follows):
        yield Finding(
            Kind.FOLLOWS_ANOTHER, Severity.WARNING,
            f"its mean is {said_of(estimates)}, and its gradient follows {_said(follows)}",
            _gradient(recovered, _said(follows) if follows.is_named else ""),
            "take the one whose gradient is meant: k2 follows kl_qp, k3 follows kl_pq; a "
            "differentiable importance weight follows the mean",
        )  # fmt: skip


def _no_divergence(judged: Judged, recovered: Recovered) -> Iterator[Finding]:
    assert judged.follows is not None
    at = judged.follows.counterexample
    turned = _is_negative(judged.follows)
    yield Finding(
        Kind.WRONG_SIGN if turned else Kind.NO_DIVERGENCE,
        Severity.ERROR if turned else Severity.WARNING,
        "its gradient leads away from the reference: the curvature of what it follows is nowhere "
        "positive" if turned else
        f"its gradient follows no divergence: the curvature {judged.follows.curvature} is negative"
        + (f" at r = {at}" if at is not None else ""),
        _gradient(recovered),
        "turn the sign, or exchange the two models' log probabilities" if turned else
        "minimise log(r)**2/2 (k2), which follows kl_qp, or r - 1 - log(r) (k3), which follows "
        "kl_pq",
    )  # fmt: skip


def _is_negative(curvature: Curvature) -> bool:
    """Return whether a curvature is nowhere positive, at ratios over many decades."""
    values = [sp.N(curvature.curvature.xreplace({r: sp.Float(2.0**k)})) for k in range(-12, 13)]
    return all(v.is_real and v <= 0 for v in values) and all(
        mass <= 0 for _, mass in curvature.atoms
    )


def _differ(left: Curvature, right: Curvature) -> bool:
    """Return whether two curvatures are not multiples of each other."""
    if bool(left.atoms) or bool(right.atoms):
        return [place for place, _ in left.atoms] != [place for place, _ in right.atoms]
    factors = [float(sp.N((left.curvature / right.curvature).xreplace({r: sp.Float(x)})))
               for x in (0.3, 0.9, 1.7, 4.1)]  # fmt: skip
    return any(abs(x - factors[0]) > 1e-9 * abs(factors[0]) for x in factors)


def _of_a_reward(judged: Judged, recovered: Recovered) -> Iterator[Finding]:
    follows = judged.follows
    if follows is None or follows.is_divergence is not False:
        return
    written = judged.facts["written"]
    shown = _code(recovered, "scores = torch.tensor([[-2.0], [2.0]])", f"print({written})")
    if _is_negative(follows):
        yield Finding(
            Kind.EXCHANGED, Severity.NOTE,
            "the reward falls where the score rises: it is one for scores that are high on the "
            "policy's samples", shown,
            "turn the sign of the score, where the discriminator is trained to be high on the "
            "expert's samples",
        )  # fmt: skip
    else:
        yield Finding(
            Kind.NO_DIVERGENCE, Severity.WARNING,
            f"the policy follows no divergence: the curvature {follows.curvature} is negative"
            + (f" at r = {follows.counterexample}" if follows.counterexample is not None else ""),
            shown, "choose a reward that rises with the score",
        )  # fmt: skip


def _of_a_preference(facts: dict[str, Any], recovered: Recovered) -> Iterator[Finding]:
    signs = facts["weights"]
    if signs is None:
        return
    shown = _code(
        recovered, "chosen_q = torch.tensor([-1.0], requires_grad=True)",
        "rejected_q = torch.tensor([-1.2], requires_grad=True)",
        "chosen_p, rejected_p = torch.tensor([-1.1]), torch.tensor([-0.9])",
        f"loss = {facts['written']}", "loss = loss[0] if isinstance(loss, tuple) else loss",
        "print(torch.autograd.grad(loss.sum(), (chosen_q, rejected_q), allow_unused=True))",
    )  # fmt: skip
    for end, answer in (("+", "chosen"), ("-", "rejected")):
        if not any(signs[end]):
            yield Finding(
                Kind.NO_GENERATOR_GRADIENT, Severity.ERROR,
                f"no gradient reaches the policy through the {answer} answer", shown,
                "leave both of the policy's log probabilities attached",
            )  # fmt: skip
            return
    if min(signs["+"]) > 0 and max(signs["-"]) < 0:
        yield Finding(
            Kind.EXCHANGED, Severity.ERROR,
            "the loss rises with the probability of the chosen answer and falls with that of the "
            "rejected one", shown, "exchange the two answers, or turn the sign",
        )  # fmt: skip
