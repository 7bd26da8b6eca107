"""The original discriminator with its three generator losses: what is derived, and what is false.

Each entry of `COMBINATIONS` sets a published or folklore combination of divergences against the
derived one. The text on the right is data to be checked; the derivation never sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from gantheory.errors import GantheoryError
from gantheory.game import Claim
from gantheory.games import get_game
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
    """A claim that one of a game's three quantities is a combination of named divergences."""

    game: str
    quantity: str
    equals: str
    source: str
    twin: str = ""  # what makes it false, for a false twin
    form: str = ""  # tells apart two true forms of one quantity

    @property
    def id(self) -> str:
        """The check's identifier."""
        form = f".{self.form}" if self.form else ""
        return f"{self.game}.{self.quantity}{form}{f'-twin-{self.twin}' if self.twin else ''}"

    def check(self) -> Check:
        """Return the check that decides the claim by exact algebra."""
        statement = f"{self.game}: {_QUANTITY[self.quantity]} is {self.equals}"
        return Check(
            self.id,
            statement,
            partial(_decide, self, statement),
            How.REFUTED if self.twin else How.PROVED,
            source=self.source,
            twin_of=f"{self.game}.{self.quantity}" if self.twin else None,
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
    from gantheory.symbolic.published import check_claim

    claim = Claim(combination.source, **{combination.quantity: combination.equals})
    game = combination.game
    (verdict,) = check_claim(get_game(game), claim, theory_of(game))
    return replace(verdict, statement=statement)


# --- properties that are no combinations ----------------------------------------------------

GAMES = ("minimax", "non-saturating", "reverse-kl")


@dataclass(frozen=True)
class Value:
    """A claim that an entry of the derivation's stable keys equals a formula."""

    game: str
    name: str
    statement: str
    keys: tuple[str, ...]
    equals: str
    source: str = GOODFELLOW
    twin: str = ""

    @property
    def id(self) -> str:
        """The check's identifier."""
        return f"{self.game}.{self.name}{f'-twin-{self.twin}' if self.twin else ''}"

    def check(self) -> Check:
        """Return the check that decides the claim by exact algebra."""
        statement = f"{self.game}: {self.statement} {self.equals}"
        return Check(
            self.id,
            statement,
            partial(_decide_value, self, statement),
            How.REFUTED if self.twin else How.PROVED,
            source=self.source,
            twin_of=f"{self.game}.{self.name}" if self.twin else None,
        )


def _values() -> Iterator[Value]:
    optimum = ("optimum", "D")
    for game in GAMES:
        at_optimum = "with r = p/q, D* ="
        yield Value(game, "optimum", at_optimum, optimum, "r/(1 + r)")
        yield Value(game, "optimum", at_optimum, optimum, "1/(1 + r)", twin="swapped")
        yield Value(game, "equilibrium-d", "at p = q, D =", ("equilibrium", "D"), "1/2")
        said, keys = "at p = q the discriminator's loss is", ("equilibrium", "discriminator_loss")
        yield Value(game, "equilibrium-discriminator", said, keys, "2*log(2)")
        said, keys = "at p = q the generator's loss is", ("equilibrium", "generator_loss")
        right = {"minimax": "-log(2)", "non-saturating": "log(2)", "reverse-kl": "0"}[game]
        yield Value(game, "equilibrium-generator", said, keys, right)
    said, keys = "disjoint supports raise what the generator follows to", ("disjoint", "followed")
    yield Value("minimax", "disjoint", said, keys, "2*log(2)")


def _decide_value(value: Value, statement: str) -> Verdict:
    from gantheory.symbolic.published import equal

    found: Any = theory_of(value.game)
    for key in value.keys:
        found = getattr(found, key)
    return equal(found, value.equals, statement)


@cache
def theory_of(game: str) -> Any:
    """Return the `Derivation` of a game, every part of it present; derived once a process.

    Raises:
        GantheoryError: where the discriminator has no optimum, or the engine cannot decide.
    """
    from gantheory.symbolic import derive

    theory = derive(game)
    if theory.followed is None:
        reason = theory.no_optimum or theory.undecided
        raise GantheoryError(f"{game}: no theory is derived: {reason}")
    return theory


def _property_checks() -> Iterator[Check]:
    for game in GAMES:
        for name, sentence, decide in (
            ("second-order", "D* is the unique global maximum of V, by concavity", _second_order),
            ("is-divergence", "what the generator follows is an f-divergence", _is_divergence),
            ("equality", "what the generator follows is 0 only at p = q", _only_at_equality),
        ):
            statement = f"{game}: {sentence}"
            yield Check(f"{game}.{name}", statement, partial(decide, game, statement), How.PROVED,
                        source=FOLLOWED)  # fmt: skip
        vanishes = game == "minimax"
        statement = f"{game}: the gradient vanishes on fakes that D* recognises"
        yield Check(f"{game}.vanishing", statement, partial(_vanishing, game, statement),
                    How.PROVED if vanishes else How.REFUTED, source=ARJOVSKY)  # fmt: skip


def _second_order(game: str, statement: str) -> Verdict:
    condition = theory_of(game).second_order
    if condition is None or condition.holds is None:
        return Verdict(statement, How.UNDECIDED, reason="no second-order condition is derived")
    if condition.holds and condition.derivative is None:
        return Verdict(statement, How.UNDECIDED, reason=condition.reason)
    how = condition.how if condition.holds else How.REFUTED
    return Verdict(statement, how, left=str(condition.derivative), right="< 0")


def _is_divergence(game: str, statement: str) -> Verdict:
    followed = theory_of(game).followed
    example = None if followed.counterexample is None else f"r = {followed.counterexample}"
    return Verdict(statement, followed.how, str(followed.curvature), ">= 0", counterexample=example)


def _only_at_equality(game: str, statement: str) -> Verdict:
    followed = theory_of(game).followed
    shown = str(followed.curvature)
    if followed.zero_only_at_equality is None:
        reason = "whether the generator bends at r = 1 is not decided"
        return Verdict(statement, How.UNDECIDED, left=shown, right="> 0", reason=reason)
    how = followed.how if followed.zero_only_at_equality else How.REFUTED
    return Verdict(statement, how, left=shown, right="> 0 beside r = 1")


def _vanishing(game: str, statement: str) -> Verdict:
    saturation = theory_of(game).saturation
    if saturation.vanishing is None:
        return Verdict(statement, How.UNDECIDED, reason="the limit of the weight is not decided")
    limit = str(saturation.limit_at_0)
    if saturation.vanishing:
        return Verdict(statement, How.PROVED, left=limit, right="0")
    example = f"the weight r²·g''(r) tends to {limit} as r tends to 0"
    return Verdict(statement, How.REFUTED, left=limit, right="0", counterexample=example)


ORIGINAL: tuple[Check, ...] = (
    *(entry.check() for entry in _values()),
    *(entry.check() for entry in COMBINATIONS),
    *_property_checks(),
)
