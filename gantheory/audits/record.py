"""What an audit says: one record with stable JSON keys, and its findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gantheory.audits.equals import Equality
    from gantheory.derivations.derivation import Derivation
    from gantheory.losses.loss import Loss


class Kind(StrEnum):
    """The vocabulary of findings."""

    WRONG_NAME = "wrong-name"
    SATURATES = "saturates"
    EPSILON = "epsilon-in-log"
    SQUASHED = "squashed-scores"
    LOGITS = "logits-or-probabilities"
    REDUCTION = "reduction"
    EXCHANGED = "exchanged-arguments"
    WRONG_SIGN = "wrong-sign"
    NO_OPTIMUM = "no-optimum"
    NO_DIVERGENCE = "not-a-divergence"
    NOT_ZERO_SUM = "not-zero-sum"
    OVERFLOW = "overflow"
    BRANCH = "branch-on-value"
    HIDDEN_STATE = "hidden-state"
    NO_GENERATOR_GRADIENT = "no-generator-gradient"
    NO_DISCRIMINATOR_GRADIENT = "no-discriminator-gradient"
    OTHER_GRADIENT = "gradient-of-another-function"
    CONSTANT_PENALTY = "constant-penalty"
    BATCH_PENALTY = "batch-penalty"
    PENALTY_THROUGH_LOSS = "penalty-through-loss"
    DETACHED_PENALTY = "detached-penalty"
    PENALTY_NORM = "penalty-norm"
    FOLLOWS_NOTHING = "follows-nothing"
    FOLLOWS_ANOTHER = "follows-another"


class Severity(StrEnum):
    """How much a finding matters: training fails, training differs, or worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong or surprising.

    Attributes:
        kind: which of the vocabulary.
        severity: how much it matters.
        message: what the code does, as a statement of fact.
        evidence: code that shows it.
        remedy: what to write instead.
    """

    kind: Kind
    severity: Severity
    message: str
    evidence: str
    remedy: str

    def as_dict(self) -> dict[str, str]:
        """Return the stable JSON keys."""
        return {
            "kind": self.kind.value, "severity": self.severity.value, "message": self.message,
            "evidence": self.evidence, "remedy": self.remedy,
        }  # fmt: skip


@dataclass(frozen=True, repr=False)
class Audit:
    """What somebody's loss is, what it does, and what is wrong with it.

    Attributes:
        name: what was audited.
        recovered: whether every formula was recovered and agrees with the code.
        loss: the payoffs, D maximising; a part that was not given or not recovered is None.
        equals: the catalogue's loss, and what the two differ by.
        not_separable: what couples the samples, ``relativistic-paired`` and so on.
        players: whose losses were found.
        heads: ``sum`` or ``mean`` over a list of scores; None for a single tensor.
        reduction: over the batch, ``mean``, ``sum`` or ``none``.
        derivation: the theory, where both payoffs are known.
        penalty: what a gradient penalty does.
        samples_frozen: what a loss with frozen samples estimates and what it follows.
        findings: what is wrong or surprising.
        reasons: why something was not recovered.
        how: how the formulas were checked against the code.

    >>> Audit("mine", False, None, ("generator",), reasons=("no torch code",)).kinds
    ()
    """

    name: str
    recovered: bool
    loss: dict[str, str | None] | None
    players: tuple[str, ...]
    equals: Equality | None = None
    not_separable: str | None = None
    heads: str | None = None
    reduction: str | None = None
    derivation: Derivation | None = None
    penalty: dict[str, Any] | None = None
    samples_frozen: dict[str, Any] | None = None
    findings: tuple[Finding, ...] = ()
    reasons: tuple[str, ...] = ()
    how: tuple[str, ...] = ()
    definition: Loss | None = None
    details: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def saturation(self) -> dict[str, bool | None] | None:
        """Whether fakes that D recognises give no gradient, in the raw score and in log r."""
        found = self.derivation.saturation if self.derivation else None
        if found is None:
            return None
        return {"raw_score": found.vanishing_in_score, "log_ratio": found.vanishing}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the findings."""
        return tuple(finding.kind.value for finding in self.findings)

    def __repr__(self) -> str:
        followed = self.derivation and self.derivation.followed
        frozen = (self.samples_frozen or {}).get("follows")
        known: list[str | None] = [
            f"equals {self.equals.loss}" if self.equals else self.not_separable,
            f"follows {followed.divergence}" if followed else frozen and f"follows {frozen}",
            "not recovered" if self.reasons else None,
            f"{len(self.findings)} finding{'s' * (len(self.findings) > 1)}: {', '.join(self.kinds)}"
            if self.findings
            else "no findings",
        ]  # fmt: skip
        return f"<Audit of {self.name}: {'; '.join(filter(None, known))}>"

    def _repr_html_(self) -> str:
        """Return the audit for a notebook."""
        from gantheory.audits.page import body

        return body(self)

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys."""
        return {
            "name": self.name,
            "recovered": self.recovered,
            "loss": self.loss,
            "equals": self.equals and self.equals.as_dict(),
            "not_separable": self.not_separable,
            "players": list(self.players),
            "heads": self.heads,
            "reduction": self.reduction,
            "derivation": self.derivation and self.derivation.as_dict(),
            "saturation": self.saturation,
            "penalty": self.penalty,
            "samples_frozen": self.samples_frozen,
            "findings": [finding.as_dict() for finding in self.findings],
            "reasons": list(self.reasons),
            "how": list(self.how),
        }
