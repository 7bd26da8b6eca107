"""Rules: reductions, gradients that do not flow, and state."""

from __future__ import annotations

from collections.abc import Iterator

from gantheory.audits.facts import FOUR, Facts
from gantheory.audits.names import words
from gantheory.audits.record import Finding, Kind, Severity


def reduction(facts: Facts) -> Iterator[Finding]:
    """A sum for a mean, or different reductions in one loss."""
    asked = any(k == "reduction" or "reduc" in k for k in facts.options)
    kinds = {name: one.reduction for name, one in facts.players.items() if one.reduction}
    if "mixed" in kinds.values():
        player = next(name for name, kind in kinds.items() if kind == "mixed")
        yield _batch_sizes(facts, player, "one side of the batch is summed and the other averaged")
    elif len(set(kinds.values()) - {"none"}) > 1:
        said = ", ".join(f"the {name}'s is a {kind}" for name, kind in kinds.items())
        player = next(name for name, kind in kinds.items() if kind == "sum")
        yield _batch_sizes(facts, player, f"the two losses are reduced differently: {said}")
    elif "sum" in kinds.values() and not asked:
        player = next(iter(kinds))
        yield _batch_sizes(
            facts, player, "the loss is a sum over the batch, so that it grows with the batch size"
        )
    heads = {one.heads for one in facts.players.values() if one.heads}
    if len(heads) > 1:
        said = ", ".join(f"{name}: {one.heads}" for name, one in facts.players.items())
        yield Finding(
            Kind.REDUCTION, Severity.WARNING,
            f"heads are summed in one player's loss and averaged in the other's ({said})",
            _batch_sizes(facts, "discriminator", "").evidence,
            "reduce heads in the same way in both",
        )  # fmt: skip


def _batch_sizes(facts: Facts, player: str, message: str) -> Finding:
    one = facts.players[player]
    score = "0.3" if facts.probabilities or "-oo, oo" in one.domain else "-0.3"
    lines = [
        f"for size in (2, 8):\n    real = fake = "
        f"{one.form_written.format(f'torch.full((size,), {score})')}\n"
        f"    print(size, {one.written})"
    ]
    return Finding(
        Kind.REDUCTION, Severity.WARNING, message, facts.code(*lines),
        "take the mean over the batch in both losses (.mean(), reduction='mean')",
    )  # fmt: skip


def gradients(facts: Facts) -> Iterator[Finding]:
    """Losses that change with the scores, and carry no gradient into them."""
    for name, one in facts.players.items():
        if one.no_gradient and "reward" not in words(facts.name):
            kind = (Kind.NO_GENERATOR_GRADIENT if name == "generator"
                    else Kind.NO_DISCRIMINATOR_GRADIENT)  # fmt: skip
            yield Finding(
                kind, Severity.ERROR,
                f"the {name}'s loss changes with the {' and the '.join(one.no_gradient)} scores "
                "and has no gradient in them: they are detached",
                _backward(facts, name, one.no_gradient[0]),
                "remove .detach(), .data, .item() and torch.no_grad() from the path of the scores",
            )  # fmt: skip
        factor = one.gradient_factor
        if factor is not None and factor > 0 and factor != 1:
            yield Finding(
                Kind.OTHER_GRADIENT, Severity.WARNING,
                f"the gradient of the {name}'s loss is {factor:g} times that of its value",
                _backward(facts, name, "fake"), "scale the loss itself, or the learning rate",
            )  # fmt: skip
        if one.partial_gradient:
            yield Finding(
                Kind.OTHER_GRADIENT, Severity.WARNING,
                f"the gradient of the {name}'s loss is not that of its value: a part that depends "
                "on the scores is detached",
                _backward(facts, name, "fake"),
                "keep the whole path of the scores attached, unless the part is meant as a weight",
            )  # fmt: skip


def _backward(facts: Facts, name: str, side: str) -> str:
    one = facts.players[name]
    score = "0.3" if facts.probabilities or "-oo, oo" in one.domain else "-0.3"
    other = "real" if side == "fake" else "fake"
    return facts.code(
        f"t = torch.full((4,), {score}, requires_grad=True)",
        f"{side}, {other} = {one.form_written.format('t')}, "
        f"{one.form_written.format('t.detach()')}",
        f"loss = {one.written}",
        "loss = loss[0] if isinstance(loss, tuple) else loss",
        "print(getattr(loss, 'requires_grad', False), loss)",
        "if getattr(loss, 'requires_grad', False): loss.sum().backward()",
        "print(t.grad)",
    )


def leaking_state(facts: Facts) -> Iterator[Finding]:
    """State that leaks between calls, and branches on a score's value."""
    for name, one in facts.players.items():
        score = "0.3" if facts.probabilities or "-oo, oo" in one.domain else "-0.3"
        if one.hidden_state:
            yield Finding(
                Kind.HIDDEN_STATE, Severity.WARNING,
                f"the {name}'s loss of the same scores changes after other scores were seen: it "
                "keeps state between calls",
                facts.code(f"for score in ({score}, 3 * {score}, {score}):",
                           f"    real = fake = {one.form_written.format(FOUR)}",
                           f"    print(score, {one.written})"),
                "hand the state in as an argument, or keep it outside of the loss",
            )  # fmt: skip
        if one.branches and not one.hidden_state and not one.no_gradient:
            yield Finding(
                Kind.BRANCH, Severity.WARNING,
                f"the formula of the {name}'s loss depends on where the scores lie: their values "
                f"decide at {', '.join(one.branches)}",
                facts.code("for score in (-2.0, 2.0):",
                           f"    real = fake = {one.form_written.format(FOUR)}",
                           f"    print(score, {one.written})"),
                "decide entry by entry with torch.where, torch.relu or torch.clamp",
            )  # fmt: skip
