"""From what was recovered to an audit: the loss, its theory, its name, and its faults."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy as sp

from gantheory.audits.equals import Equality, PayoffFormulas, equal_loss
from gantheory.audits.facts import ENERGIES, FAMILIES, Facts
from gantheory.audits.findings import findings
from gantheory.audits.names import claim_in, player_of
from gantheory.audits.record import Audit
from gantheory.audits.recovered import Recovered
from gantheory.derivations.derivation import Derivation
from gantheory.derivations.engine import derive
from gantheory.errors import GantheoryError
from gantheory.functions import to_sympy
from gantheory.losses import find
from gantheory.losses.loss import Loss

NO_GENERATOR = "the code gives no generator's loss"
SECONDS = 10.0  # for the derivation of one loss


def judge(recovered: Recovered, claims: str | None = None) -> Audit:
    """Return the audit of what was recovered; ``claims`` is the loss that it is said to be."""
    if recovered.frozen is not None:
        from gantheory.audits.estimates import judge_frozen  # of estimators alone

        return judge_frozen(recovered)
    name, players, probabilities = recovered.name, recovered.players, recovered.probabilities
    claim, claimed, of = claim_of(claims, recovered.said)
    domain = (
        "[0, oo)" if claim in ENERGIES and recovered.domain == "(-oo, oo)" else recovered.domain
    )
    d, g = players.get("discriminator"), players.get("generator")
    coupled = next((one.coupled for one in players.values() if one.coupled), None)
    payoffs = _payoffs(d, g)
    definition = None if coupled else _definition(name, payoffs, domain)
    equals = _equality(d, g, payoffs, coupled, probabilities)
    derivation = _derivation(definition, equals, payoffs)
    facts = Facts(
        name, recovered.origin, players, payoffs, equals, derivation, definition, claim, claimed,
        of, probabilities, coupled, recovered.options, recovered.penalty,
    )  # fmt: skip
    reasons = tuple(f"{one.player}: {one.missing}" for one in players.values() if one.missing)
    return Audit(
        name=name,
        recovered=not reasons and coupled is None and bool(players or recovered.penalty),
        loss=_formulas(d, g, payoffs, definition, domain),
        players=tuple(players),
        equals=equals,
        not_separable=coupled,
        heads=next((one.heads for one in players.values() if one.heads), None),
        reduction=_reduction(players),
        derivation=derivation,
        penalty=_penalty(recovered.penalty),
        findings=findings(facts),
        details={"penalty": recovered.penalty},
        reasons=reasons,
        how=_how(recovered),
        definition=definition,
    )


def _how(recovered: Recovered) -> tuple[str, ...]:
    """Return how the answer was come by."""
    checked = [f"{one.player}: {one.checked}" for one in recovered.players.values() if one.checked]
    checked += [
        f"{one.player}: {said}"
        for one in recovered.players.values() for said in (one.taken, one.witness) if said
    ]  # fmt: skip
    checked += [
        f"{one.player}: the gradient is {one.gradient_factor:g} times that of the value: what is "
        "before it plays against the discriminator"
        for one in recovered.players.values() if one.gradient_factor and one.gradient_factor < 0
    ]  # fmt: skip
    if recovered.absent:
        absent = ", ".join(recovered.absent)
        checked.append(f"imported without {absent}: not installed, and not used by the loss")
    return tuple(checked)


def _payoffs(d: Any, g: Any) -> PayoffFormulas | None:
    """Return the payoffs with the sign of a discriminator that maximises."""
    given = d is not None and d.real is not None and d.fake is not None
    generator = to_sympy(g.fake) if g is not None and g.fake is not None else None
    if not given:
        return None
    return PayoffFormulas(-to_sympy(d.real), -to_sympy(d.fake), generator)


def _definition(name: str, payoffs: PayoffFormulas | None, domain: str) -> Loss | None:
    """Return the loss as a record; without a generator's loss the game is taken as zero-sum."""
    if payoffs is None:
        return None
    generator = payoffs.fake if payoffs.generator is None else payoffs.generator
    try:
        return Loss(name, str(payoffs.real), str(payoffs.fake), str(generator), domain=domain)
    except GantheoryError:
        return None


def _equality(
    d: Any, g: Any, payoffs: PayoffFormulas | None, coupled: str | None, probabilities: bool
) -> Equality | None:
    if coupled:
        return _relativistic(d, coupled)
    return None if payoffs is None else equal_loss(payoffs, probabilities)


def _relativistic(d: Any, coupled: str) -> Equality | None:
    """Return the relativistic loss of the catalogue with this kernel, if it is the logistic one."""
    names = {"relativistic-paired": "relativistic", "relativistic-average": "relativistic-average"}
    if d is None or d.kernel is None or coupled not in names:
        return None
    if not d.logistic:
        return None
    return Equality(names[coupled], ("a factor",))


def _derivation(
    definition: Loss | None, equals: Equality | None, payoffs: PayoffFormulas | None
) -> Derivation | None:
    """Derive the theory; on the catalogue's domain where that alone has an optimum."""
    if definition is None:
        return None
    derived = derive(definition, SECONDS)
    entry = equals.entry if equals else None
    if derived.no_optimum and entry is not None and entry.domain != definition.domain:
        derived = derive(replace(definition, domain=entry.domain), SECONDS)
    if payoffs is not None and payoffs.generator is None:
        return _of_the_discriminator(derived)
    return derived


def _of_the_discriminator(derivation: Derivation) -> Derivation:
    """Return what holds whatever the generator's loss is, which the code does not give."""
    equilibrium, disjoint = derivation.equilibrium, derivation.disjoint
    return replace(
        derivation,
        loss=None, followed=None, saturation=None, zero_sum=None,
        equilibrium=equilibrium
        and replace(equilibrium, generator_loss=None, generator_range=None, others=()),
        disjoint=disjoint and replace(disjoint, loss=None, followed=None),
        undecided=dict.fromkeys(("loss", "followed"), NO_GENERATOR)
        | dict(derivation.undecided or {}),
    )  # fmt: skip


def claim_of(
    claims: str | None, said: tuple[str, ...]
) -> tuple[str | None, tuple[str, ...], str | None]:
    """Return what the loss is claimed to be, the catalogue's names that would be it, and whose.

    A claim in the name of the generator's loss goes before one in that of the discriminator's,
    which says nothing about the generator.
    """
    if claims is not None:
        folded = claim_in(claims) or claims
        if folded in FAMILIES:
            return folded, FAMILIES[folded], None
        entry = find(claims)
        return entry.name, FAMILIES.get(entry.name, (entry.name,)), None
    ordered = sorted(said, key=lambda text: player_of(text) == "discriminator")
    for text in ordered:
        found = claim_in(text)
        if found is not None:
            of = "discriminator" if player_of(text) == "discriminator" else None
            return found, FAMILIES[found], of
    return None, (), None


def _formulas(
    d: Any, g: Any, payoffs: PayoffFormulas | None, definition: Loss | None, domain: str
) -> dict[str, str | None] | None:
    if payoffs is None and (g is None or g.fake is None):
        return None
    shown: dict[str, sp.Expr | None] = {
        "real": payoffs.real if payoffs else None,
        "fake": payoffs.fake if payoffs else None,
        "generator": to_sympy(g.fake) if g is not None and g.fake is not None else None,
    }
    return {
        **{part: None if value is None else str(value) for part, value in shown.items()},
        "domain": definition.domain if definition else domain,
    }


def _penalty(found: dict[str, Any] | None) -> dict[str, Any] | None:
    shown = ("target", "per_sample", "through", "weight")
    return None if found is None else {key: found.get(key) for key in shown}


def _reduction(players: dict[str, Any]) -> str | None:
    found = {name: one.reduction for name, one in players.items() if one.reduction}
    if len(set(found.values())) <= 1:
        return next(iter(found.values()), None)
    return ", ".join(f"{name}: {kind}" for name, kind in found.items())
