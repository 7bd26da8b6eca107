"""An audit in sentences: what the loss is, and what it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gantheory.audits.record import Audit


def what_it_is(found: Audit) -> tuple[str, ...]:
    """Return what was recovered, line by line."""
    return tuple(_what_it_is(found))


def what_it_does(found: Audit) -> tuple[str, ...]:
    """Return what the theory says of it, line by line."""
    return tuple(_what_it_does(found))


def _what_it_is(found: Audit) -> Iterator[str]:
    if found.samples_frozen is not None:
        yield from found.details["frozen"].is_said()
    if found.loss is not None:
        for part, said in (("real", "D maximises, on real scores t"),
                           ("fake", "D maximises, on fake scores t"),
                           ("generator", "G minimises, on fake scores t")):  # fmt: skip
            if found.loss[part] is not None:
                yield f"{said}: {found.loss[part]}"
        if found.loss["domain"] != "(-oo, oo)":
            yield f"scores are in {found.loss['domain']}"
    if found.equals is not None:
        up_to = ", ".join(found.equals.up_to)
        yield f"equals {found.equals.loss}" + (f", up to {up_to}" if up_to else "")
    if found.not_separable:
        yield f"not a sum over samples: {found.not_separable}"
    if found.reduction:
        heads = f"; heads: {found.heads}" if found.heads else ""
        yield f"reduction over the batch: {found.reduction}{heads}"
    if found.penalty:
        yield "penalty: " + ", ".join(f"{k} {v}" for k, v in found.penalty.items())
    yield from (f"not recovered, {reason}" for reason in found.reasons)
    yield from found.how


def _what_it_does(found: Audit) -> Iterator[str]:
    if found.samples_frozen is not None:
        yield from found.details["frozen"].does()
        return
    d = found.derivation
    if d is None:
        yield "nothing is derived without both payoffs of the discriminator"
        return
    yield from (f"{line.label}: {line.text} [{line.known}]" for line in d.summary)
