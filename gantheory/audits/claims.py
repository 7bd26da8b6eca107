"""Rules: the loss is not what its name says, or follows no divergence."""

from __future__ import annotations

from collections.abc import Iterator

from gantheory.audits.equals import PayoffFormulas, common_factor
from gantheory.audits.facts import ENERGIES, Facts, scores_code
from gantheory.audits.record import Finding, Kind, Severity
from gantheory.functions import relu, t

HINGED = relu(1 - t)  # the generator's part of a hinge loss, in many vocoders


def wrong_name(facts: Facts) -> Iterator[Finding]:
    """The loss is not the one that its name, or the claim, says."""
    if not facts.claimed or facts.claim in ENERGIES:
        return
    if facts.payoffs is None and facts.coupled is None:
        return
    said = facts.claim
    if facts.coupled:
        if said == "relativistic" or (facts.equals and facts.equals.loss in facts.claimed):
            return
        if "relativistic" in facts.coupled:
            yield _misnamed(facts, f"it is {facts.coupled}")
        return
    generator = facts.payoffs is not None and facts.payoffs.generator is not None
    generator = generator and facts.claimed_of != "discriminator"
    if facts.equals and facts.equals.loss.split("(")[0] in facts.claimed:
        return
    if facts.payoffs is not None and _part_of(facts, facts.payoffs):
        g = facts.payoffs.generator
        hinged = said == "hinge" and g is not None and (common_factor([(g, HINGED)]) or 0) > 0
        if not generator or hinged:
            return
    derivation = facts.derivation
    saturation = derivation.saturation if derivation else None
    if said == "non-saturating" and saturation is not None and saturation.vanishing_in_score:
        yield Finding(
                Kind.SATURATES, Severity.ERROR,
                "called non-saturating, and the generator's gradient vanishes on fakes that the "
                "discriminator recognises",
                facts.derive("print(d.saturation.in_score, d.saturation.score_limit_at_0)"),
                "let the generator minimise -log D: softplus(-t) of its scores",
            )  # fmt: skip
        return
    if said == "minimax" and derivation and derivation.zero_sum is False:
        yield Finding(
            Kind.NOT_ZERO_SUM, Severity.WARNING,
            "called minimax, and the generator's loss is not the negative of the "
            "discriminator's: the two players do not play for the same value",
            facts.derive("print(d.zero_sum, d.followed.divergence, d.value.divergence)"),
            "let the generator minimise log(1 - D), -softplus(t), or call the loss non-saturating",
        )  # fmt: skip
        return
    what = f"it equals {facts.equals.loss}" if facts.equals else "it is none of that family"
    yield _misnamed(facts, what)


def _part_of(facts: Facts, p: PayoffFormulas) -> bool:
    """Return whether the given player's payoffs are those of a claimed loss."""
    from gantheory.losses import CATALOGUE

    for name in facts.claimed:
        if name == "wasserstein":
            known = [PayoffFormulas(t, -t, -t)]
        else:
            entry = CATALOGUE.get(name)
            known = [] if entry is None or entry.parameters else [PayoffFormulas.of(entry)]
        for one in known:
            k = common_factor([(p.real, one.real), (p.fake, one.fake)])
            if k is not None and k > 0:
                return True
    return False


def _misnamed(facts: Facts, what: str) -> Finding:
    d = facts.definition
    evidence = (
        facts.derive("print(d.value and d.value.divergence, d.followed and d.followed.divergence)")
        if d is not None else scores_code(facts, next(iter(facts.players)))
    )  # fmt: skip
    return Finding(
        Kind.WRONG_NAME, Severity.WARNING,
        f"called {facts.claim}, and {what}", evidence,
        f"rename it, or write the payoffs of {facts.claim} (gantheory derive {facts.claimed[0]})",
    )  # fmt: skip


def _one_way(facts: Facts) -> bool:
    """Return whether both payoffs are best at the same end, whatever the samples are."""
    assert facts.derivation is not None
    optimum, payoffs = facts.derivation.optimum, facts.payoffs
    if optimum is None or payoffs is None or not (payoffs.real.has(t) and payoffs.fake.has(t)):
        return False
    return len(optimum.branches) == 1 and optimum.branches[0].kind == "limit"


def theory_of_claim(facts: Facts) -> Iterator[Finding]:
    """No optimum, or a followed curvature that changes sign."""
    d = facts.derivation
    if d is None or facts.coupled:
        return
    if d.no_optimum and not (facts.equals and facts.equals.loss == "wasserstein"):
        yield Finding(
            Kind.NO_OPTIMUM, Severity.ERROR, f"the discriminator has no optimum: {d.no_optimum}",
            facts.derive("print(d.no_optimum)"),
            "bound the score, or use payoffs that fall for large scores",
        )  # fmt: skip
    elif d.optimum is not None and not d.optimum.attained and _one_way(facts):
        yield Finding(
            Kind.NO_OPTIMUM, Severity.ERROR,
            f"the best score is {d.optimum.score} on real and on fake samples alike: the "
            "discriminator learns nothing", facts.derive("print(d.optimum)"),
            "let one side's payoff rise with the score and the other's fall",
        )  # fmt: skip
    followed = d.followed
    if followed is not None and followed.is_divergence is False:
        at = followed.counterexample
        yield Finding(
            Kind.NO_DIVERGENCE, Severity.WARNING,
            "with an optimal discriminator the generator follows no divergence: the curvature "
            f"{followed.curvature} is negative" + (f" at r = {at}" if at is not None else ""),
            facts.derive("print(d.followed.curvature, d.followed.counterexample)"),
            "choose labels or a generator's loss with -dh/dr >= 0, such as the same target for "
            "the generator's fakes as for real samples",
        )  # fmt: skip
