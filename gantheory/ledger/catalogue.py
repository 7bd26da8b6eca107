"""What publications say of the catalogue's losses: every part of every claim, and its twins.

Nothing is typed here: a claim is data of its loss, and the derivation never sees it. A part that
is false as printed must be refuted, and what is said to be true instead must be proved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from gantheory.critics import derive_critic
from gantheory.errors import GantheoryError, unknown_name
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import r
from gantheory.ledger.properties import LAWS
from gantheory.ledger.published import (
    CURVATURES,
    PARTS,
    check_part,
    claimed_curvature,
    claimed_parts,
)
from gantheory.ledger.twins import changed, twin_of
from gantheory.losses import CRITICS, get_loss
from gantheory.losses.critic import Critic, Functional
from gantheory.losses.function_classes import GradientMoment, GradientPenalty, KernelBall, Slope
from gantheory.losses.loss import Claim, Loss
from gantheory.records import How, Verdict, weakest
from gantheory.theory.records import NO_DIVERGENCE
from gantheory.verify import Check


def theory_of(loss: str) -> Any:
    """Return the `Derivation` of a loss, every part of it present.

    Raises:
        GantheoryError: where the discriminator has no optimum, or the engine cannot decide.
    """
    from gantheory.derivations import derive

    theory = derive(loss)
    if theory.followed is None:
        reason = theory.no_optimum or theory.undecided
        raise GantheoryError(f"{loss}: no theory is derived: {reason}")
    return theory


def read_claims(loss: Loss) -> None:
    """Refuse claims of which no check can be made, before their loss is entered.

    Raises:
        GantheoryError: for a malformed formula, what is no sum of divergences, an unknown law.
    """
    for claim in loss.claims:
        for part, printed in claimed_parts(claim):
            for text in {printed, claim.corrected.get(part, printed)} - {NO_DIVERGENCE}:
                if part in CURVATURES:
                    claimed_curvature(text, Assumptions.of(loss.parameters))
        for law in claim.laws:
            if law not in LAWS:
                raise unknown_name("law", law, LAWS)
    tuple(loss_checks(loss))


def loss_checks(loss: Loss) -> Iterator[Check]:
    """Yield the check of every part of every claim of a loss, each with its false twins.

    A part that several claims state alike is one check; stated otherwise, it is numbered.
    """
    sources: dict[tuple[str, str], str] = {}
    confused = _confusions(loss)
    count: Counter[str] = Counter()
    for claim in loss.claims:
        for part, printed in claimed_parts(claim):
            text = claim.corrected.get(part, printed)
            known = sources.get((part, text))
            if known is None:
                count[part] += 1
                id = f"{loss.name}.{part.replace('_', '-')}"
                known = id if count[part] == 1 else f"{id}.{count[part]}"
                sources[part, text] = known
                law = _formula_check(loss.name, known, part, text, claim)
                yield law
                if text != NO_DIVERGENCE:  # of which what was printed is the twin
                    yield _generated_twin(loss.name, law, part, text, claim)
                if count[part] == 1 and part in confused:
                    other, wrong = confused[part]
                    yield _false(loss.name, law, f"twin-{other}", part, wrong, claim)
            if text != printed:
                law = _formula_check(loss.name, known, part, text, claim)
                yield _false(loss.name, law, "printed", part, printed, claim)
        yield from _law_checks(loss, claim)


def _formula_check(loss: str, id: str, part: str, text: str, claim: Claim) -> Check:
    statement = f"{loss}: {PARTS[part]} is {text}"
    printed = part not in claim.corrected
    source = claim.source if printed else f"corrects {claim.source}"
    run = partial(_decide, loss, part, text, claim.f)
    return Check(id, statement, run, How.PROVED, source=source)


def _false(loss: str, law: Check, kind: str, part: str, text: str, claim: Claim) -> Check:
    """Return the check of a false statement about a part of which ``law`` says what is true."""
    statement = f"{loss}: {PARTS[part]} is {text}"
    run = partial(_decide, loss, part, text, claim.f)
    return Check(f"{law.id}-{kind}", statement, run, How.REFUTED, source=claim.source,
                 twin_of=law.id)  # fmt: skip


def _generated_twin(loss: str, law: Check, part: str, text: str, claim: Claim) -> Check:
    _, false = changed(law.id, text, up_to_constants=part == "followed")
    statement = f"{loss}: {PARTS[part]} is {false}"
    return twin_of(law, statement, partial(_decide, loss, part, false, claim.f))


def _decide(loss: str, part: str, text: str, f: str | None) -> Verdict:
    return check_part(get_loss(loss), part, text, theory_of(loss), f=f)


def _confusions(loss: Loss) -> dict[str, tuple[str, str]]:
    """Return part -> (another, its formula), where the loss's value and what is followed differ.

    Taking one for the other is the commonest error about a GAN loss.
    """
    said = {part: claim.corrected.get(part, text)
            for claim in reversed(loss.claims) for part, text in claimed_parts(claim)}  # fmt: skip
    if not {"loss", "followed"} <= set(said) or loss.parameters:
        return {}
    at_loss, followed = (
        claimed_curvature(said[part], Assumptions())[0].curvature for part in ("loss", "followed")
    )
    if not (at_loss - followed).subs(r, 3).evalf():
        return {}
    return {"loss": ("followed", said["followed"]), "followed": ("loss", said["loss"])}


def _law_checks(loss: Loss, claim: Claim) -> Iterator[Check]:
    for name in claim.laws:
        law = LAWS[name]
        statement, false = f"{loss.name}: {law.says}", f"{loss.name}: {law.twin}"
        check = Check(f"{loss.name}.{name}", statement,
                      partial(_decide_law, loss.name, name, statement, False), How.PROVED,
                      source=claim.source)  # fmt: skip
        yield check
        yield twin_of(check, false, partial(_decide_law, loss.name, name, false, True))


def _decide_law(loss: str, name: str, statement: str, twin: bool) -> Verdict:
    return LAWS[name].decide(statement, theory_of(loss), twin)


def critic_checks(critic: Critic) -> Iterator[Check]:
    """Yield the check of what is published of a constrained critic's value, and of its twins."""
    for number, claim in enumerate(critic.claims, start=1):
        if claim.value is None:
            continue
        true = claim.corrected.get("value", claim.value)
        id = f"{critic.name}.value" if number == 1 else f"{critic.name}.value.{number}"
        law = _critic_check(critic, id, claim, true, _known(critic))
        yield law
        if true == claim.value:
            wrong = _critic_check(critic, id, claim, f"2*({true})", How.REFUTED)
            yield twin_of(law, wrong.statement, wrong.run)
        else:  # what was printed is the twin
            printed = _critic_check(critic, id, claim, claim.value, How.REFUTED)
            yield replace(printed, id=f"{id}-printed", twin_of=id)


# Their values are suprema over classes of functions, found by a theorem that is quoted.
QUOTING = (Slope, GradientPenalty, KernelBall, GradientMoment, Functional)


def _known(critic: Critic) -> How:
    quotes = isinstance(critic.constraint, QUOTING) or isinstance(critic.objective, QUOTING)
    return How.ASSUMED if quotes else How.PROVED


def _critic_check(critic: Critic, id: str, claim: Claim, value: str, expected: How) -> Check:
    statement = f"{critic.name}: the value at the optimal critic is {value}"
    run = partial(_decide_critic, critic.name, value, statement)
    return Check(id, statement, run, expected, source=claim.source)


def _decide_critic(critic: str, value: str, statement: str) -> Verdict:
    theory = derive_critic(replace(CRITICS[critic], claims=()))
    if value == theory.named:  # letter by letter: as known as the weakest step
        how = weakest(step.how for step in theory.steps)
        return Verdict(statement, how, value, theory.named, assumptions=theory.assumptions)
    (verdict,) = derive_critic(replace(CRITICS[critic], claims=(Claim("", value=value),))).claims
    return replace(verdict, statement=statement)
