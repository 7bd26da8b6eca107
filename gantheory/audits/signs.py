"""Rules: labels or arguments exchanged, and wrong signs."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from gantheory.audits.equals import PayoffFormulas, common_factor, equal_loss, upright
from gantheory.audits.facts import ENERGIES, Facts, scores_code
from gantheory.audits.record import Finding, Kind, Severity
from gantheory.functions import t


def exchanged(facts: Facts) -> Iterator[Finding]:
    """Labels or arguments exchanged, and wrong signs."""
    p = facts.payoffs
    if p is None or facts.coupled:
        return
    if p.generator is not None:
        k = common_factor([(p.generator, -p.fake)])
        if k is not None and k > 0 and (upright(p) or _linear(p)):
            yield _cooperates(facts)
            return
    if facts.equals is not None and facts.equals.loss.split("(")[0] not in ENERGIES:
        said = facts.equals.up_to
        if "the sign of the score" in said and facts.equals.loss != "wasserstein":
            yield Finding(
                Kind.EXCHANGED,
                Severity.WARNING if facts.players["discriminator"].labelled else Severity.NOTE,
                f"real and fake are exchanged throughout: the loss is {facts.equals.loss} with "
                "the sign of the score turned, so that high scores mean fake",
                scores_code(facts, "discriminator"),
                "none is needed where a score is meant to be high on fakes; else exchange the two "
                "labels, or arguments",
            )  # fmt: skip
        return
    followed = facts.derivation.followed if facts.derivation else None
    if followed is None or followed.is_divergence is not True:
        yield from _turned(facts, p)


def _turned(facts: Facts, p: PayoffFormulas) -> Iterator[Finding]:
    """Try the loss with one thing turned round: what is then known is what is wrong."""
    d = facts.derivation
    wrong = d is not None and (d.no_optimum or d.followed is not None)
    if p.generator is not None:
        swapped = equal_loss(PayoffFormulas(p.fake, p.real, p.generator), fit=bool(wrong))
        if swapped and "the sign of the score" not in swapped.up_to:
            yield Finding(
                Kind.EXCHANGED, Severity.ERROR,
                "the discriminator is trained with real and fake exchanged: with the two "
                f"exchanged back, the loss is {swapped.loss}; now the generator moves away from "
                "the data",
                scores_code(facts, "discriminator"),
                "exchange the two arguments, or the two labels, of the discriminator's loss",
            )  # fmt: skip
            return
    negative = equal_loss(PayoffFormulas(-p.real, -p.fake, p.generator), fit=bool(wrong))
    if negative and "the sign of the score" not in negative.up_to:
        yield Finding(
            Kind.WRONG_SIGN, Severity.ERROR,
            f"the discriminator's loss has the wrong sign: its negative is that of {negative.loss}",
            scores_code(facts, "discriminator"),
            "return the negative: both players minimise what they are given",
        )  # fmt: skip
        return
    if p.generator is not None:
        negative = equal_loss(PayoffFormulas(p.real, p.fake, -p.generator), fit=bool(wrong))
        if negative and "the sign of the score" not in negative.up_to:
            yield Finding(
                Kind.WRONG_SIGN, Severity.ERROR,
                f"the generator's loss has the wrong sign: its negative is that of {negative.loss}",
                scores_code(facts, "generator"),
                "return the negative: both players minimise what they are given",
            )  # fmt: skip


def _linear(p: PayoffFormulas) -> bool:
    return p.real.is_polynomial(t) and sp.degree(p.real, t) == 1


def _cooperates(facts: Facts) -> Finding:
    generator = facts.generator
    labels = generator.labelled or any("loss" in o or "cross" in o for o in generator.operations)
    message = (
        "the generator minimises the discriminator's own loss on fake scores: both players want "
        "fakes to be recognised"
    )
    if labels:
        return Finding(
            Kind.EXCHANGED, Severity.ERROR,
            f"{message}; the generator's label is that of fakes",
            scores_code(facts, "generator"), "give the generator's fakes the label of real samples",
        )  # fmt: skip
    return Finding(
        Kind.WRONG_SIGN, Severity.ERROR, f"{message}; the sign of the generator's loss is wrong",
        scores_code(facts, "generator"), "return the negative of the generator's loss",
    )  # fmt: skip
