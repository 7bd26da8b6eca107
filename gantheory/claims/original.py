"""The original discriminator with its three generator losses: what is derived, and what is false.

Each entry of `COMBINATIONS` sets a published or folklore combination of divergences against the
derived one. The text on the right is data to be checked; the derivation never sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from gantheory.claims.twins import changed, twin_of
from gantheory.errors import GantheoryError
from gantheory.losses import get_loss
from gantheory.losses.loss import Claim
from gantheory.records import How, Verdict
from gantheory.verify import Check

GOODFELLOW = "Goodfellow et al. (2014), arXiv:1406.2661"
ARJOVSKY = "Arjovsky and Bottou (2017), arXiv:1701.04862, Theorem 2.5"
LEVANS = "Levans' workshop, Some thoughts on the objective functions of GANs"
FOLLOWED = "Frozen-discriminator identity: g''(r) = −h'(r)/r with h(r) = c(t*(r))"

_QUANTITY = {
    "value": "the optimal discriminator's value",
    "loss": "the generator's loss at D*",
    "followed": "what the generator follows with D held at D*",
}


@dataclass(frozen=True)
class Combination:
    """A claim that one of a loss's three quantities is a combination of named divergences."""

    loss: str
    quantity: str
    equals: str
    source: str
    twin: str = ""  # what makes it false, for a false twin
    form: str = ""  # tells apart two true forms of one quantity

    @property
    def id(self) -> str:
        """The check's identifier."""
        form = f".{self.form}" if self.form else ""
        return f"{self.loss}.{self.quantity}{form}{f'-twin-{self.twin}' if self.twin else ''}"

    def check(self) -> Check:
        """Return the check that decides the claim by exact algebra."""
        statement = f"{self.loss}: {_QUANTITY[self.quantity]} is {self.equals}"
        return Check(
            self.id,
            statement,
            partial(_decide, self, statement),
            How.REFUTED if self.twin else How.PROVED,
            source=self.source,
            twin_of=f"{self.loss}.{self.quantity}" if self.twin else None,
        )


COMBINATIONS = (
    Combination("minimax", "value", "2*jsd - 2*log(2)", f"{GOODFELLOW}, Theorem 1"),
    Combination("minimax", "loss", "kl_qm - log(2)", f"{LEVANS}, equation 9"),
    Combination("minimax", "followed", "2*jsd", f"{GOODFELLOW}, Section 4"),
    Combination("non-saturating", "value", "2*jsd - 2*log(2)", GOODFELLOW),
    Combination("non-saturating", "loss", "kl_qp - kl_qm + log(2)", f"{LEVANS}, equation 11"),
    Combination("non-saturating", "followed", "kl_qp - 2*jsd", ARJOVSKY),
    Combination("non-saturating", "followed", "2*kl_mp", FOLLOWED, form="midpoint"),
    Combination("reverse-kl", "value", "2*jsd - 2*log(2)", GOODFELLOW),
    Combination("reverse-kl", "loss", "kl_qp", f"{LEVANS}, equation 13"),
    Combination("reverse-kl", "followed", "kl_qp", "Sønderby et al. (2016), arXiv:1610.04490"),
    # The false twins: each must be refuted.
    Combination("minimax", "value", "jsd - 2*log(2)", GOODFELLOW, "half"),
    Combination("minimax", "value", "2*jsd - log(2)", GOODFELLOW, "constant"),
    Combination("minimax", "loss", "2*jsd - 2*log(2)", GOODFELLOW, "value"),
    Combination("minimax", "followed", "kl_qm", f"{LEVANS}, before equation 9", "loss"),
    Combination("non-saturating", "loss", "kl_qp - 2*jsd + log(2)", ARJOVSKY, "followed"),
    Combination("non-saturating", "followed", "kl_qp - kl_qm", LEVANS, "loss"),
    Combination("non-saturating", "followed", "2*jsd", "folklore: 'a GAN minimises JSD'", "jsd"),
    Combination("reverse-kl", "followed", "kl_pq", "p and q swapped", "swapped"),
)


def _decide(combination: Combination, statement: str) -> Verdict:
    from gantheory.claims.published import check_claim

    claim = Claim(combination.source, **{combination.quantity: combination.equals})
    loss = combination.loss
    (verdict,) = check_claim(get_loss(loss), claim, theory_of(loss))
    return replace(verdict, statement=statement)


def _formula_checks(entries: Iterable[Combination | Value]) -> Iterator[Check]:
    """Yield the check of each formula, and of its twin: the same quantity, another formula."""
    for entry in entries:
        yield entry.check()
        if not entry.twin:
            kind, false = changed(entry.id, entry.equals, up_to_constants=_is_gradient(entry))
            other = replace(entry, equals=false, source=f"a false twin, generated: {kind}")
            law, check = entry.check(), other.check()
            yield twin_of(law, check.statement, check.run)


def _is_gradient(entry: Combination | Value) -> bool:
    """Return whether it states what is followed, which a constant does not change."""
    return isinstance(entry, Combination) and entry.quantity == "followed"


# --- properties that are no combinations ----------------------------------------------------

GAMES = ("minimax", "non-saturating", "reverse-kl")


@dataclass(frozen=True)
class Value:
    """A claim that an entry of the derivation's stable keys equals a formula."""

    loss: str
    name: str
    statement: str
    keys: tuple[str, ...]
    equals: str
    source: str = GOODFELLOW
    twin: str = ""

    @property
    def id(self) -> str:
        """The check's identifier."""
        return f"{self.loss}.{self.name}{f'-twin-{self.twin}' if self.twin else ''}"

    def check(self) -> Check:
        """Return the check that decides the claim by exact algebra."""
        statement = f"{self.loss}: {self.statement} {self.equals}"
        return Check(
            self.id,
            statement,
            partial(_decide_value, self, statement),
            How.REFUTED if self.twin else How.PROVED,
            source=self.source,
            twin_of=f"{self.loss}.{self.name}" if self.twin else None,
        )


def _values() -> Iterator[Value]:
    optimum = ("optimum", "D")
    for loss in GAMES:
        at_optimum = "with r = p/q, D* ="
        yield Value(loss, "optimum", at_optimum, optimum, "r/(1 + r)")
        yield Value(loss, "optimum", at_optimum, optimum, "1/(1 + r)", twin="swapped")
        yield Value(loss, "equilibrium-d", "at p = q, D =", ("equilibrium", "D"), "1/2")
        said, keys = "at p = q the discriminator's loss is", ("equilibrium", "discriminator_loss")
        yield Value(loss, "equilibrium-discriminator", said, keys, "2*log(2)")
        said, keys = "at p = q the generator's loss is", ("equilibrium", "generator_loss")
        right = {"minimax": "-log(2)", "non-saturating": "log(2)", "reverse-kl": "0"}[loss]
        yield Value(loss, "equilibrium-generator", said, keys, right)
    said, keys = "disjoint supports raise what the generator follows to", ("disjoint", "followed")
    yield Value("minimax", "disjoint", said, keys, "2*log(2)")


def _decide_value(value: Value, statement: str) -> Verdict:
    from gantheory.claims.published import equal

    found: Any = theory_of(value.loss)
    for key in value.keys:
        found = getattr(found, key)
    return equal(found, value.equals, statement)


@cache
def theory_of(loss: str) -> Any:
    """Return the `Derivation` of a loss, every part of it present; derived once a process.

    Raises:
        GantheoryError: where the discriminator has no optimum, or the engine cannot decide.
    """
    from gantheory.derivations import derive

    theory = derive(loss)
    if theory.followed is None:
        reason = theory.no_optimum or theory.undecided
        raise GantheoryError(f"{loss}: no theory is derived: {reason}")
    return theory


def _property_checks() -> Iterator[Check]:
    for loss in GAMES:
        for name, sentence, false, decide in (
            ("second-order", "D* is the unique global maximum of V, by concavity",
             "D* is the unique global maximum of -V, by concavity", _second_order),
            ("is-divergence", "what the generator follows is an f-divergence",
             "what the generator climbs is an f-divergence", _is_divergence),
            ("equality", "what the generator follows is 0 only at p = q",
             "what the generator follows, its curvature at r = 2 taken off, is 0 only at p = q",
             _only_at_equality),
        ):  # fmt: skip
            statement, twin = f"{loss}: {sentence}", f"{loss}: {false}"
            law = Check(f"{loss}.{name}", statement, partial(decide, loss, statement), How.PROVED,
                        source=FOLLOWED)  # fmt: skip
            yield law
            yield twin_of(law, twin, partial(decide, loss, twin, twin=True))
        vanishes = loss == "minimax"
        statement = f"{loss}: the gradient vanishes on fakes that D* recognises"
        yield Check(f"{loss}.vanishing", statement, partial(_vanishing, loss, statement),
                    How.PROVED if vanishes else How.REFUTED, source=ARJOVSKY,
                    twin_of=None if vanishes else "minimax.vanishing")  # fmt: skip


def _second_order(loss: str, statement: str, twin: bool = False) -> Verdict:
    """Decide the sign of d²V/dt² at D* for every r."""
    from gantheory.exact.signs import sign_on_positive
    from gantheory.functions import r

    condition = theory_of(loss).second_order
    if condition is None or condition.derivative is None:
        return Verdict(statement, How.UNDECIDED, reason="no second-order condition is derived")
    bend = -condition.derivative if twin else condition.derivative
    return _signed(statement, sign_on_positive(-bend, r), -bend, ">0")


def _is_divergence(loss: str, statement: str, twin: bool = False) -> Verdict:
    from gantheory.exact.signs import sign_on_positive
    from gantheory.functions import r

    followed = theory_of(loss).followed.curvature
    bend = -followed if twin else followed
    return _signed(statement, sign_on_positive(bend, r), bend, ">=0")


def _only_at_equality(loss: str, statement: str, twin: bool = False) -> Verdict:
    """Decide f'' >= 0: isolated zeros of an analytic f'' leave f strictly convex."""
    from gantheory.exact.signs import sign_on_positive
    from gantheory.functions import r

    curvature = theory_of(loss).followed.curvature
    bend = curvature - curvature.subs(r, 2) if twin else curvature
    return _signed(statement, sign_on_positive(bend, r), bend, ">=0")


_MEETS = {">0": {">0"}, ">=0": {">0", ">=0"}}  # ">=0" excludes a function that is 0 throughout


def _signed(statement: str, found: Any, expression: Any, wanted: str) -> Verdict:
    """Return the verdict on a sign for all r > 0; an undecided sign decides nothing."""
    sides = str(expression), f"{wanted.removesuffix('0')} 0"
    if found.sign == "undecided" or (wanted == ">0" and found.sign == ">=0"):
        return Verdict(statement, How.UNDECIDED, *sides, reason=found.reason)
    if found.sign in _MEETS[wanted]:
        return Verdict(statement, found.how, *sides, reason=found.reason)
    where = "everywhere" if found.counterexample is None else f"at r = {found.counterexample}"
    return Verdict(statement, How.REFUTED, *sides, counterexample=f"it is {found.sign}: {where}")


def _vanishing(loss: str, statement: str) -> Verdict:
    """Decide whether the weight r²·g''(r) tends to 0; without a limit nothing is decided."""
    saturation = theory_of(loss).saturation
    if saturation.vanishing is None:
        return Verdict(statement, How.UNDECIDED, reason="the limit of the weight is not decided")
    limit = str(saturation.limit_at_0)
    if saturation.vanishing:
        return Verdict(statement, How.PROVED, left=limit, right="0")
    example = f"the weight r²·g''(r) tends to {limit} as r tends to 0"
    return Verdict(statement, How.REFUTED, left=limit, right="0", counterexample=example)


ORIGINAL: tuple[Check, ...] = (
    *_formula_checks(_values()),
    *_formula_checks(COMBINATIONS),
    *_property_checks(),
)
