"""An audit in sentences: what the loss is, and what it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gantheory.audits.record import Audit


def what_it_is(audit: Audit) -> tuple[str, ...]:
    """Return what was recovered, line by line."""
    return tuple(_what_it_is(audit))


def what_it_does(audit: Audit) -> tuple[str, ...]:
    """Return what the theory says of it, line by line."""
    return tuple(_what_it_does(audit))


def _what_it_is(audit: Audit) -> Iterator[str]:
    if audit.samples_frozen is not None:
        yield from audit.details["frozen"].is_said()
    if audit.loss is not None:
        for part, said in (("real", "D maximises, on real scores t"),
                           ("fake", "D maximises, on fake scores t"),
                           ("generator", "G minimises, on fake scores t")):  # fmt: skip
            if audit.loss[part] is not None:
                yield f"{said}: {audit.loss[part]}"
        if audit.loss["domain"] != "(-oo, oo)":
            yield f"scores are in {audit.loss['domain']}"
    if audit.equals is not None:
        up_to = ", ".join(audit.equals.up_to)
        yield f"equals {audit.equals.loss}" + (f", up to {up_to}" if up_to else "")
    if audit.not_separable:
        yield f"not a sum over samples: {audit.not_separable}"
    if audit.reduction:
        heads = f"; heads: {audit.heads}" if audit.heads else ""
        yield f"reduction over the batch: {audit.reduction}{heads}"
    if audit.penalty:
        yield "penalty: " + ", ".join(f"{k} {v}" for k, v in audit.penalty.items())
    yield from (f"not recovered, {reason}" for reason in audit.reasons)
    yield from audit.how


def _what_it_does(audit: Audit) -> Iterator[str]:
    if audit.samples_frozen is not None:
        yield from audit.details["frozen"].does()
        return
    d = audit.derivation
    if d is None:
        yield "nothing is derived without both payoffs of the discriminator"
        return
    yield from (f"{line.label}: {line.text} [{line.known}]" for line in d.summary)
