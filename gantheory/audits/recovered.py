"""What was recovered of somebody's code, as text and numbers that pass between processes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Player:
    """What was found of one player's loss; every entry is text or a number.

    Attributes:
        written: the call, as code.
        form: how scores are handed over.
        real: what a real sample adds to the mean, in ``t``; None where it was not recovered.
        fake: what a fake sample adds.
        constant: what no score changes.
        reduction: ``mean``, ``sum``, ``none`` or None.
        sums: the sides of the batch that are summed.
        heads: ``sum`` or ``mean`` over a list of scores; None where one tensor is taken.
        coupled: what couples the samples; None where the loss is separable.
        kernel: for a coupled loss, its formula.
        missing: why it was not recovered.
        branches: lines at which a score was read as a Python value and decided something.
        no_gradient: the sides on whose scores the value depends, but through no gradient.
        partial_gradient: whether the gradient is another function than the value's.
        gradient_factor: the factor between the gradient and the value's; -1 if it is reversed.
        hidden_state: whether the same scores gave another value later.
        random: whether it draws random numbers, over which the formula is the mean.
        operations: torch operations that were met.
        checked: how the formula was compared with the code.
        witness: what a second witness says of it.
        taken: how its arguments were told apart, where no name does.
    """

    player: str
    written: str
    form: str = ""
    form_written: str = "{0}"
    sides: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    labelled: bool = False
    real: str | None = None
    fake: str | None = None
    constant: str = "0"
    reduction: str | None = None
    sums: tuple[str, ...] = ()
    heads: str | None = None
    coupled: str | None = None
    kernel: str | None = None
    logistic: bool = False
    missing: str | None = None
    branches: tuple[str, ...] = ()
    no_gradient: tuple[str, ...] = ()
    partial_gradient: bool = False
    gradient_factor: float | None = 1.0
    hidden_state: bool = False
    random: bool = False
    operations: tuple[str, ...] = ()
    domain: str = "(-oo, oo)"
    single: bool = False
    checked: str = ""
    witness: str = ""
    taken: str = ""
    overflows: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return everything under its names, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Recovered:
    """Both players, and the scores that they take."""

    name: str
    players: dict[str, Player]
    domain: str
    probabilities: bool
    style: str
    origin: str = ""
    said: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    penalty: dict[str, Any] | None = None
    absent: tuple[str, ...] = ()  # packages that are not installed, and that were not used
    frozen: dict[str, Any] | None = None  # what is known of a loss with frozen samples

    def as_dict(self) -> dict[str, Any]:
        """Return everything under its names, for JSON."""
        return {**vars(self), "players": {k: v.as_dict() for k, v in self.players.items()}}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Recovered:
        """Return the record of which `as_dict` gave the data, through JSON too."""
        players = {name: _player(one) for name, one in data["players"].items()}
        return cls(**{**data, "players": players, "said": tuple(data["said"]),
                      "absent": tuple(data["absent"])})  # fmt: skip


def _player(data: dict[str, Any]) -> Player:
    lists = {k: v if k == "overflows" else tuple(v) for k, v in data.items() if isinstance(v, list)}
    everything: dict[str, Any] = {**data, **lists}
    return Player(**everything)
