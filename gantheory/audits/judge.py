"""From what was recovered to an audit: the loss, its theory, its name, and its faults."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy as sp

from gantheory.api import derive
from gantheory.audits.equals import Equality, Payoffs, equal_loss
from gantheory.audits.findings import FAMILIES, Facts, findings
from gantheory.audits.names import claim_in
from gantheory.audits.record import Audit
from gantheory.derivations.derivation import Derivation
from gantheory.errors import GantheoryError
from gantheory.functions import to_sympy
from gantheory.losses import find
from gantheory.losses.loss import Loss

SECONDS = 4.0  # for the derivation of one loss


def judge(
    name: str,
    players: dict[str, Any],
    domain: str,
    probabilities: bool,
    *,
    origin: str = "",
    claims: str | None = None,
    said: tuple[str, ...] = (),
    options: dict[str, Any] | None = None,
) -> Audit:
    """Return the audit of recovered players.

    Args:
        name: what was audited.
        players: what was found of each player's loss (`recover.Player`).
        domain: the scores that it takes.
        probabilities: whether it takes probabilities, t being their logit.
        origin: the import that evidence begins with.
        claims: the loss that it is said to be.
        said: the names in the code that may say it, too.
        options: the arguments that were given.
    """
    d, g = players.get("discriminator"), players.get("generator")
    coupled = next((one.coupled for one in players.values() if one.coupled), None)
    payoffs = _payoffs(d, g)
    definition = None if coupled else _definition(name, payoffs, domain)
    equals = _equality(d, g, payoffs, coupled, probabilities)
    derivation = _derivation(definition, equals, payoffs)
    claim, claimed = _claim(claims, said)
    facts = Facts(
        name, origin, players, payoffs, equals, derivation, definition, claim, claimed,
        probabilities, coupled, options or {},
    )  # fmt: skip
    reasons = tuple(f"{one.player}: {one.missing}" for one in players.values() if one.missing)
    return Audit(
        name=name,
        recovered=not reasons and coupled is None and bool(players),
        loss=_formulas(d, g, payoffs, definition, domain),
        players=tuple(players),
        equals=equals,
        not_separable=coupled,
        heads=next((one.heads for one in players.values() if one.heads), None),
        reduction=_reduction(players),
        derivation=derivation,
        findings=findings(facts),
        reasons=reasons,
        how=tuple(f"{one.player}: {one.checked}" for one in players.values() if one.checked),
        definition=definition,
    )


def _payoffs(d: Any, g: Any) -> Payoffs | None:
    """Return the payoffs with the sign of a discriminator that maximises."""
    given = d is not None and d.real is not None and d.fake is not None
    generator = to_sympy(g.fake) if g is not None and g.fake is not None else None
    if not given:
        return None
    return Payoffs(-to_sympy(d.real), -to_sympy(d.fake), generator)


def _definition(name: str, payoffs: Payoffs | None, domain: str) -> Loss | None:
    """Return the loss as a record; without a generator's loss the game is taken as zero-sum."""
    if payoffs is None:
        return None
    generator = payoffs.fake if payoffs.generator is None else payoffs.generator
    try:
        return Loss(name, str(payoffs.real), str(payoffs.fake), str(generator), domain=domain)
    except GantheoryError:
        return None


def _equality(
    d: Any, g: Any, payoffs: Payoffs | None, coupled: str | None, probabilities: bool
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
    definition: Loss | None, equals: Equality | None, payoffs: Payoffs | None
) -> Derivation | None:
    """Derive the theory; on the catalogue's domain where that alone has an optimum."""
    if definition is None:
        return None
    derived = derive(definition, seconds=SECONDS)
    entry = equals.entry if equals else None
    if derived.no_optimum and entry is not None and entry.domain != definition.domain:
        derived = derive(replace(definition, domain=entry.domain), seconds=SECONDS)
    if payoffs is not None and payoffs.generator is None:
        derived = replace(derived, loss=None, followed=None, saturation=None, zero_sum=None)
    return derived


def _claim(claims: str | None, said: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """Return what the loss is claimed to be, and the catalogue's names that would be it."""
    if claims is not None:
        folded = claim_in(claims) or claims
        if folded in FAMILIES:
            return folded, FAMILIES[folded]
        entry = find(claims)
        family = next((f for f, names in FAMILIES.items() if entry.name == f and f in names), None)
        return entry.name, FAMILIES[family] if family else (entry.name,)
    for text in said:
        found = claim_in(text)
        if found is not None:
            return found, FAMILIES[found]
    return None, ()


def _formulas(
    d: Any, g: Any, payoffs: Payoffs | None, definition: Loss | None, domain: str
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


def _reduction(players: dict[str, Any]) -> str | None:
    found = {name: one.reduction for name, one in players.items() if one.reduction}
    if len(set(found.values())) <= 1:
        return next(iter(found.values()), None)
    return ", ".join(f"{name}: {kind}" for name, kind in found.items())
