"""The rules: what of a recovered loss is wrong or surprising, with evidence and remedy.

A rule reads facts that were measured on the code, or proved of its formulas; it reports nothing
else. Where one fault explains another (exchanged labels make a loss with no divergence), the
cause alone is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sympy as sp

from gantheory.audits.equals import Equality, Payoffs, equal_loss, proportion, upright
from gantheory.audits.names import words
from gantheory.audits.penalties import penalties
from gantheory.audits.record import Finding, Kind, Severity
from gantheory.audits.separate import squashed
from gantheory.derivations.derivation import Derivation
from gantheory.functions import relu, sigmoid, softplus, t, to_sympy
from gantheory.losses.loss import Loss

SMOOTHED = ("one-sided-smoothing", "two-sided-smoothing")
FAMILIES: dict[str, tuple[str, ...]] = {
    "hinge": ("hinge",),
    "least-squares": ("least-squares", "least-squares-01", "least-squares-pearson"),
    "non-saturating": ("non-saturating", "non-saturating-epsilon", "f-gan-gan-alternative",
                       *(f"{name}-non-saturating" for name in SMOOTHED)),
    "minimax": ("minimax", "f-gan-gan", "class-priors", *SMOOTHED),
    "wasserstein": ("wasserstein",),
    "relativistic": ("relativistic", "relativistic-average"),
    "energy-based": ("energy-based",),
}  # fmt: skip
FAMILIES["vanilla"] = FAMILIES["minimax"] + FAMILIES["non-saturating"]
ENERGIES = ("energy-based",)
HINGED = relu(1 - t)  # the generator's part of a hinge loss, in many vocoders
FOUR = "torch.full((4,), score)"


@dataclass(frozen=True)
class Facts:
    """Everything that a rule may look at."""

    name: str
    origin: str
    players: dict[str, Any]
    payoffs: Payoffs | None
    equals: Equality | None
    derivation: Derivation | None
    definition: Loss | None
    claim: str | None
    claimed: tuple[str, ...]
    claimed_of: str | None  # the player in whose name alone the claim stands
    probabilities: bool
    coupled: str | None
    options: dict[str, Any]
    penalty: dict[str, Any] | None = None

    @property
    def discriminator(self) -> Any:
        """What was found of the discriminator's loss."""
        return self.players.get("discriminator")

    @property
    def generator(self) -> Any:
        """What was found of the generator's loss."""
        return self.players.get("generator")

    @property
    def parts(self) -> list[tuple[str, sp.Expr]]:
        """Every recovered formula, with the player whose loss it is in."""
        return [
            (name, to_sympy(text))
            for name, one in self.players.items()
            for text in (one.real, one.fake)
            if text is not None
        ]

    def code(self, *lines: str) -> str:
        """Return runnable evidence: the import, then ``lines``."""
        return "\n".join(line for line in (self.origin, "import torch", *lines) if line)

    def derive(self, *lines: str) -> str:
        """Return runnable evidence about the theory."""
        d = self.definition
        assert d is not None
        arguments = ", ".join(repr(x) for x in (d.name, d.real, d.fake, d.generator))
        domain = "" if d.domain == "(-oo, oo)" else f", domain={d.domain!r}"
        return "\n".join(
            ("import gantheory as gt", f"d = gt.derive(gt.Loss({arguments}{domain}))", *lines)
        )


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Return what is wrong or surprising, causes before what follows from them."""
    found: list[Finding] = []
    for rule in RULES:
        for finding in rule(facts):
            if finding.kind not in {one.kind for one in found} and not _explained(finding, found):
                found.append(finding)
    return tuple(found)


def _explained(finding: Finding, found: list[Finding]) -> bool:
    """Return whether a finding is only what an earlier one brings about."""
    causes = {Kind.EXCHANGED, Kind.WRONG_SIGN, Kind.SQUASHED, Kind.LOGITS, Kind.NO_OPTIMUM}
    effects = {Kind.WRONG_NAME, Kind.NO_DIVERGENCE, Kind.NO_OPTIMUM, Kind.SATURATES,
               Kind.NOT_ZERO_SUM}  # fmt: skip
    kinds = {one.kind for one in found}
    if Kind.SQUASHED in kinds and finding.kind in (Kind.LOGITS,):
        return True
    if kinds & {Kind.SATURATES, Kind.NOT_ZERO_SUM} and finding.kind is Kind.WRONG_NAME:
        return True
    return finding.kind in effects and bool(kinds & causes - {finding.kind})


# --- signs and arguments


def exchanged(facts: Facts) -> Iterator[Finding]:
    """Labels or arguments exchanged, and wrong signs."""
    p = facts.payoffs
    if p is None or facts.coupled:
        return
    if p.generator is not None:
        k = proportion([(p.generator, -p.fake)])
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
                _scores(facts, "discriminator"),
                "none is needed where a score is meant to be high on fakes; else exchange the two "
                "labels, or arguments",
            )  # fmt: skip
        return
    followed = facts.derivation.followed if facts.derivation else None
    if followed is None or followed.is_divergence is not True:
        yield from _turned(facts, p)


def _turned(facts: Facts, p: Payoffs) -> Iterator[Finding]:
    """Try the loss with one thing turned round: what is then known is what is wrong."""
    d = facts.derivation
    wrong = d is not None and (d.no_optimum or d.followed is not None)
    if p.generator is not None:
        swapped = equal_loss(Payoffs(p.fake, p.real, p.generator), fit=bool(wrong))
        if swapped and "the sign of the score" not in swapped.up_to:
            yield Finding(
                Kind.EXCHANGED, Severity.ERROR,
                "the discriminator is trained with real and fake exchanged: with the two "
                f"exchanged back, the loss is {swapped.loss}; now the generator moves away from "
                "the data",
                _scores(facts, "discriminator"),
                "exchange the two arguments, or the two labels, of the discriminator's loss",
            )  # fmt: skip
            return
    negative = equal_loss(Payoffs(-p.real, -p.fake, p.generator), fit=bool(wrong))
    if negative and "the sign of the score" not in negative.up_to:
        yield Finding(
            Kind.WRONG_SIGN, Severity.ERROR,
            f"the discriminator's loss has the wrong sign: its negative is that of {negative.loss}",
            _scores(facts, "discriminator"),
            "return the negative: both players minimise what they are given",
        )  # fmt: skip
        return
    if p.generator is not None:
        negative = equal_loss(Payoffs(p.real, p.fake, -p.generator), fit=bool(wrong))
        if negative and "the sign of the score" not in negative.up_to:
            yield Finding(
                Kind.WRONG_SIGN, Severity.ERROR,
                f"the generator's loss has the wrong sign: its negative is that of {negative.loss}",
                _scores(facts, "generator"),
                "return the negative: both players minimise what they are given",
            )  # fmt: skip


def _linear(p: Payoffs) -> bool:
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
            _scores(facts, "generator"), "give the generator's fakes the label of real samples",
        )  # fmt: skip
    return Finding(
        Kind.WRONG_SIGN, Severity.ERROR, f"{message}; the sign of the generator's loss is wrong",
        _scores(facts, "generator"), "return the negative of the generator's loss",
    )  # fmt: skip


def _scores(facts: Facts, player: str) -> str:
    """Return code that prints a player's loss at low and at high scores."""
    one = facts.players[player]
    low, high = ("0.1", "0.9") if facts.probabilities else ("-2.0", "2.0")
    form = one.form_written
    lines = [f"low, high = torch.full((4,), {low}), torch.full((4,), {high})"]
    if player == "discriminator":
        for real, fake in (("high", "low"), ("low", "high")):
            lines.append(f"real, fake = {form.format(real)}, {form.format(fake)}")
            lines.append(f"print('real {real}, fake {fake}:', {one.written})")
    else:
        for fake in ("low", "high"):
            lines.append(f"real, fake = {form.format('high')}, {form.format(fake)}")
            lines.append(f"print('fake {fake}:', {one.written})")
    return facts.code(*lines)


# --- what enters a logarithm or a kink


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
            _scores(facts, "discriminator"), "hand the raw score to the loss",
        )  # fmt: skip
    elif facts.claim == "wasserstein" and p.real.has(sigmoid):
        yield Finding(
            Kind.SQUASHED, Severity.WARNING,
            "a Wasserstein critic's score passes through a sigmoid, which bounds it",
            _scores(facts, "discriminator"), "hand the raw score to the loss",
        )  # fmt: skip


def logits(facts: Facts) -> Iterator[Finding]:
    """Logits into BCELoss, or probabilities into BCEWithLogitsLoss."""
    for player, part in facts.parts:
        if _twice(part):
            yield Finding(
                Kind.LOGITS, Severity.ERROR,
                "a sigmoid is applied twice: probabilities reach a loss that takes logits "
                f"({part} on scores t)", _scores(facts, player),
                "hand the logits to BCEWithLogitsLoss, or the probabilities to BCELoss",
            )  # fmt: skip
            return
    domains = {one.domain for one in facts.players.values() if not one.missing}
    if {"(0, 1)", "(-oo, oo)"} <= domains:
        yield Finding(
            Kind.LOGITS, Severity.ERROR,
            "one player's loss takes probabilities and the other's takes any score",
            _scores(facts, "discriminator"), "use one of BCELoss and BCEWithLogitsLoss for both",
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


# --- reductions, gradients, state


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
        for side in one.no_gradient:
            kind = (Kind.NO_GENERATOR_GRADIENT if name == "generator"
                    else Kind.NO_DISCRIMINATOR_GRADIENT)  # fmt: skip
            yield Finding(
                kind, Severity.ERROR,
                f"the {name}'s loss changes with the {side} scores and has no gradient in them: "
                "they are detached",
                _backward(facts, name, side),
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


def state(facts: Facts) -> Iterator[Finding]:
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


def overflows(facts: Facts) -> Iterator[Finding]:
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


# --- what the theory says


def names(facts: Facts) -> Iterator[Finding]:
    """The loss is not the one that its name, or the claim, says."""
    if (
        not facts.claimed
        or facts.claim in ENERGIES
        or (facts.payoffs is None and facts.coupled is None)
    ):
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
        if not generator or (g is not None and said == "hinge" and proportion([(g, HINGED)])):
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


def _part_of(facts: Facts, p: Payoffs) -> bool:
    """Return whether the given player's payoffs are those of a claimed loss."""
    from gantheory.losses import CATALOGUE

    for name in facts.claimed:
        if name == "wasserstein":
            known = [Payoffs(t, -t, -t)]
        else:
            entry = CATALOGUE.get(name)
            known = [] if entry is None or entry.parameters else [Payoffs.of(entry)]
        for one in known:
            k = proportion([(p.real, one.real), (p.fake, one.fake)])
            if k is not None and k > 0:
                return True
    return False


def _misnamed(facts: Facts, what: str) -> Finding:
    d = facts.definition
    evidence = (
        facts.derive("print(d.value and d.value.divergence, d.followed and d.followed.divergence)")
        if d is not None else _scores(facts, next(iter(facts.players)))
    )  # fmt: skip
    return Finding(
        Kind.WRONG_NAME, Severity.WARNING,
        f"called {facts.claim}, and {what}", evidence,
        f"rename it, or write the payoffs of {facts.claim} (gantheory derive {facts.claimed[0]})",
    )  # fmt: skip


def theory(facts: Facts) -> Iterator[Finding]:
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


RULES: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    penalties,
    gradients,
    squashes,
    logits,
    exchanged,
    theory,
    names,
    epsilon,
    overflows,
    reduction,
    state,
)
