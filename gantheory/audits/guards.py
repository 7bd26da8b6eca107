"""Rules: what enters a logarithm or a kink, and what is not finite there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy as sp

from gantheory.audits.facts import Facts, scores_code
from gantheory.audits.names import words
from gantheory.audits.record import Finding, Kind, Severity
from gantheory.audits.separate import squashed
from gantheory.functions import sigmoid, softplus, t


def squashes(facts: Facts) -> Iterator[Finding]:
    """Scores squashed before a hinge or a least-squares loss."""
    p = facts.payoffs
    if p is None or facts.probabilities:
        return
    parts = [x for x in (p.real, p.fake) if x.has(t)]
    if parts and all(squashed(x) for x in parts):
        yield Finding(
            Kind.SQUASHED, Severity.WARNING,
            f"the score passes through a sigmoid or tanh before a loss that is made for raw "
            f"scores: real payoff {p.real}",
            scores_code(facts, "discriminator"), "hand the raw score to the loss",
        )  # fmt: skip
    elif facts.claim == "wasserstein" and p.real.has(sigmoid):
        yield Finding(
            Kind.SQUASHED, Severity.WARNING,
            "a Wasserstein critic's score passes through a sigmoid, which bounds it",
            scores_code(facts, "discriminator"), "hand the raw score to the loss",
        )  # fmt: skip


def logits(facts: Facts) -> Iterator[Finding]:
    """Logits into BCELoss, or probabilities into BCEWithLogitsLoss."""
    for player, part in facts.parts:
        if _twice(part):
            yield Finding(
                Kind.LOGITS, Severity.ERROR,
                "a sigmoid is applied twice: probabilities reach a loss that takes logits "
                f"({part} on scores t)", scores_code(facts, player),
                "hand the logits to BCEWithLogitsLoss, or the probabilities to BCELoss",
            )  # fmt: skip
            return
    domains = {one.domain for one in facts.players.values() if not one.missing}
    if {"(0, 1)", "(-oo, oo)"} <= domains:
        yield Finding(
            Kind.LOGITS, Severity.ERROR,
            "one player's loss takes probabilities and the other's takes any score",
            scores_code(facts, "discriminator"),
            "use one of BCELoss and BCEWithLogitsLoss for both",
        )  # fmt: skip
    for one in facts.players.values():
        named = [x for x in one.parameters if {"logit", "logits"} & set(words(x))]
        if one.domain == "(0, 1)" and named and not one.missing:
            yield Finding(
                Kind.LOGITS, Severity.ERROR,
                f"{named[0]!r} is named after logits, and the loss takes probabilities alone: it "
                "fails, or is not a number, outside of (0, 1)",
                facts.code(f"real = fake = {one.form_written.format('torch.full((4,), 2.0)')}",
                           "try:", f"    print({one.written})",
                           "except RuntimeError as error:", "    print(error)"),
                "use BCEWithLogitsLoss, or apply a sigmoid first",
            )  # fmt: skip


def _twice(part: sp.Expr) -> bool:
    """Return whether a sigmoid or softplus takes a sigmoid of the score."""
    for atom in part.atoms(softplus, sigmoid):
        inner = atom.args[0]
        if inner.has(sigmoid) and not inner.has(sp.log, softplus):
            return True
    return False


def epsilon(facts: Facts) -> Iterator[Finding]:
    """An epsilon, or a clamp, inside of a logarithm."""
    for player, part in facts.parts:
        guard = _guard_in(part)
        if guard is not None:
            size = float(guard)
            yield Finding(
                Kind.EPSILON, Severity.WARNING,
                f"{size:.0e} inside a logarithm of the {player}'s loss: where D is below it the "
                f"loss stops at {-sp.log(guard).evalf(5)} and its gradient vanishes",
                _at(facts, player, "-40.0", "40.0"),
                "use the form in the logit: softplus(-t) for -log D, softplus(t) for -log(1 - D) "
                "(BCEWithLogitsLoss)",
            )  # fmt: skip
            return


def _guard_in(part: sp.Expr) -> sp.Expr | None:
    """Return the small number inside of a logarithm of a probability."""
    for atom in part.atoms(sp.log):
        inner = atom.args[0]
        if not inner.has(sigmoid):
            continue
        small = [
            n for n in inner.atoms(sp.Rational)
            if 0 < n <= sp.Rational(1, 50) or 0 < 1 - n <= sp.Rational(1, 50)
        ]  # fmt: skip
        if small:
            n = min(small, key=lambda x: min(x, 1 - x))
            return min(n, 1 - n) if n != 1 else n
    return None


def _at(facts: Facts, player: str, low: str, high: str) -> str:
    one = facts.players[player]
    given = "torch.sigmoid(torch.tensor([{0}]))" if facts.probabilities else "torch.tensor([{0}])"
    lines = []
    for real, fake in ((low, high), (high, low)):
        lines.append(f"t = torch.tensor([{fake}], requires_grad=True)")
        source = "torch.sigmoid(t)" if facts.probabilities else "t"
        lines.append(f"real, fake = {one.form_written.format(given.format(real))}, "
                     f"{one.form_written.format(source)}")  # fmt: skip
        lines.append(f"loss = {one.written}; (loss[0] if isinstance(loss, tuple) else loss)"
                     ".sum().backward()")  # fmt: skip
        lines.append("print('fake score', t.item(), 'loss', loss, 'gradient', t.grad)")
    return facts.code(*lines)


def not_numbers(facts: Facts) -> Iterator[Finding]:
    """Values or gradients that are not numbers where the formula's are."""
    for name, one in facts.players.items():
        for item in one.overflows:
            yield Finding(
                Kind.OVERFLOW,
                Severity.WARNING if item["dtype"] == "float32" else Severity.NOTE,
                f"the {name}'s loss at the {item['side']} score {item['score']:g} has the "
                f"{item['what']} {item['found']} in {item['dtype']}; it is {item['true']:.6g}",
                _overflow_code(facts, name, item),
                "use the form in the logit: softplus(-t) for -log D, softplus(t) for -log(1 - D) "
                "(BCEWithLogitsLoss)",
            )  # fmt: skip
            return


def _overflow_code(facts: Facts, name: str, item: dict[str, Any]) -> str:
    one = facts.players[name]
    dtype = f"torch.{item['dtype']}"
    sides = {
        side: f"torch.tensor([{item['score'] if side == item['side'] else 0.0}], dtype={dtype})"
        for side in ("real", "fake")
    }
    return facts.code(
        f"t = {sides[item['side']]}.requires_grad_()",
        *(f"{side} = {one.form_written.format('t' if side == item['side'] else text)}"
          for side, text in sides.items()),
        f"loss = {one.written}",
        "loss = loss[0] if isinstance(loss, tuple) else loss",
        "loss.sum().backward()",
        "print(loss, t.grad)",
    )  # fmt: skip
