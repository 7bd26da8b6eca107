"""An audit in sentences: what the loss is, and what it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gantheory.theory.records import text

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
    if d.no_optimum:
        yield f"no optimal discriminator: {d.no_optimum}"
    if d.optimum is not None:
        yield f"optimal score t = {text(d.optimum.score)}, r = p/q"
    for name, said in (("value", "D reports"), ("loss", "G's loss reads"),
                       ("followed", "G follows")):  # fmt: skip
        curvature = getattr(d, name)
        if curvature is not None:
            yield f"{said}: {curvature.divergence}"
    if d.equilibrium is not None:
        generator = text(d.equilibrium.generator_loss)
        known = "" if generator is None else f", G's loss {generator}"
        yield f"at P = Q: D's loss {text(d.equilibrium.discriminator_loss)}{known}"
    if found.saturation is not None:
        places = (("raw score", found.saturation["raw_score"]),
                  ("log r", found.saturation["log_ratio"]))  # fmt: skip
        vanishing = [name for name, vanishes in places if vanishes]
        yield ("on recognised fakes the gradient vanishes in " + " and in ".join(vanishing)
               if vanishing else "on recognised fakes the gradient does not vanish")  # fmt: skip
    for name, reason in (d.undecided or {}).items():
        yield f"undecided: {name}, because {reason}"
