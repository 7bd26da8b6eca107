"""What the rules of an audit may look at, and the code that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp

from gantheory.audits.equals import Equality, PayoffFormulas
from gantheory.derivations.derivation import Derivation
from gantheory.functions import to_sympy
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
FOUR = "torch.full((4,), score)"


@dataclass(frozen=True)
class Facts:
    """Everything that a rule may look at."""

    name: str
    origin: str
    players: dict[str, Any]
    payoffs: PayoffFormulas | None
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


def scores_code(facts: Facts, player: str) -> str:
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
