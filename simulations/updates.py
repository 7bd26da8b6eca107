"""How gradients move parameters: rules (SGD, Adam), the order of the players' moves, schedules.

A rule is a frozen record of numbers. It turns a gradient into a direction, keeping its memory in
buffers beside the parameters, one row per member; the rate of each member multiplies last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import torch
from torch import Tensor

from gantheory.errors import GantheoryError


class Order(StrEnum):
    """In which order the players move."""

    ALTERNATING = "alternating"  # D's steps, then G against the new D: Algorithm 1
    SIMULTANEOUS = "simultaneous"  # both gradients at the same point, then both move
    EXTRAGRADIENT = "extragradient"  # move with the gradients found after a trial move
    OPTIMISTIC = "optimistic"  # move by twice the direction less the previous direction


class Schedule(StrEnum):
    """How the rates, or the instance noise, change over a run."""

    CONSTANT = "constant"
    LINEAR = "linear"  # to zero over the run
    HALFWAY = "halfway"  # constant, then linearly to zero in the second half
    COSINE = "cosine"  # to zero along half a cosine
    EARLY = "early"  # linearly to zero in the first half, then zero

    def factor(self, step: int, steps: int) -> float:
        """Return the factor at ``step`` (from 0) of ``steps``.

        >>> Schedule.HALFWAY.factor(75, 100)
        0.5
        """
        done = step / max(steps, 1)
        match self:
            case Schedule.LINEAR:
                return 1 - done
            case Schedule.HALFWAY:
                return min(1.0, 2 - 2 * done)
            case Schedule.COSINE:
                return (1 + math.cos(math.pi * done)) / 2
            case Schedule.EARLY:
                return max(0.0, 1 - 2 * done)
        return 1.0


class Rule(Protocol):
    """Turns a gradient into a direction; the parameters move by −rate · direction."""

    @property
    def buffers(self) -> tuple[str, ...]:
        """Return the names of the tensors, shaped like the parameters, that the rule keeps."""

    def direction(self, gradient: Tensor, memory: dict[str, Tensor], count: int) -> Tensor:
        """Return the direction of update number ``count`` (from 1), updating ``memory``."""


@dataclass(frozen=True)
class Sgd:
    """Gradient descent with heavy-ball momentum: m ← momentum·m + g, direction m.

    >>> Sgd(momentum=0.5).buffers
    ('momentum',)
    """

    momentum: float = 0.0

    def __post_init__(self) -> None:
        _check_fraction("momentum", self.momentum)

    @property
    def buffers(self) -> tuple[str, ...]:
        """Return ``('momentum',)``, or nothing without momentum."""
        return ("momentum",) if self.momentum else ()

    def direction(self, gradient: Tensor, memory: dict[str, Tensor], count: int) -> Tensor:
        """Return the gradient, or its running sum under momentum."""
        if not self.momentum:
            return gradient
        return memory["momentum"].mul_(self.momentum).add_(gradient).clone()


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba, 2015, arXiv:1412.6980), as torch.optim.Adam computes it."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _check_fraction("beta1", self.beta1)
        _check_fraction("beta2", self.beta2)

    @property
    def buffers(self) -> tuple[str, ...]:
        """Return the names of the two moments."""
        return ("first", "second")

    def direction(self, gradient: Tensor, memory: dict[str, Tensor], count: int) -> Tensor:
        """Return the first moment over the root of the second, both corrected for their start."""
        first = memory["first"].lerp_(gradient, 1 - self.beta1)
        second = (
            memory["second"].mul_(self.beta2).addcmul_(gradient, gradient, value=1 - self.beta2)
        )
        correction1, correction2 = 1 - self.beta1**count, 1 - self.beta2**count
        root = second.sqrt().div_(math.sqrt(correction2)).add_(self.epsilon)
        return (first / correction1).div_(root)


def memory_of(rule: Rule, order: str, parameters: Tensor) -> dict[str, Tensor]:
    """Return a rule's zeroed memory for one player."""
    names = (*rule.buffers, "previous") if order == Order.OPTIMISTIC else rule.buffers
    return {name: torch.zeros_like(parameters) for name in names}


def _check_fraction(name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise GantheoryError(f"{name}={value!r} must lie in [0, 1)")
