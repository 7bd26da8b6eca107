"""How gradients move parameters: rules (SGD, Adam, RMSProp), and schedules of their rates.

A rule is a frozen record of numbers. It turns a gradient into a direction, keeping its memory in
buffers beside the parameters, one row per member; the rate of each member multiplies last. Each
says the same twice: for the readable path as a formula on new tensors (`Rule.direction`), for the
fast path as calls on memory laid out once (`Rule.operations`). In which order the players move is
another matter: see `gantheory.dynamics.rules`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from gantheory.errors import GantheoryError


class Schedule(StrEnum):
    """How the rates, or the instance noise, change over a run."""

    CONSTANT = "constant"
    LINEAR = "linear"  # to zero over the run
    HALFWAY = "halfway"  # constant, then linearly to zero in the second half
    COSINE = "cosine"  # to zero along half a cosine
    EARLY = "early"  # linearly to zero in the first half, then zero
    GEOMETRIC = "geometric"  # to a hundredth over the run, by the same ratio at each step

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
            case Schedule.GEOMETRIC:
                return float(0.01**done)
        return 1.0


Operation = Callable[[], Any]


@dataclass(frozen=True)
class Buffers:
    """One player's memory for a block of members, flat: what a fast update reads and writes.

    ``numbers`` holds what changes from update to update, as `Rule.numbers` gives it; it is a
    tensor, so that a captured graph sees it change.
    """

    parameters: Tensor
    gradient: Tensor
    rate: Tensor
    memory: Mapping[str, Tensor]
    scratch: Tensor
    numbers: Tensor


@runtime_checkable
class DirectionRule(Protocol):
    """Turns a gradient into a direction; the parameters move by −rate · direction."""

    @property
    def buffers(self) -> tuple[str, ...]:
        """Return the names of the tensors, shaped like the parameters, that the rule keeps."""

    def direction(
        self, gradient: Tensor, memory: dict[str, Tensor], count: int, parameters: Tensor
    ) -> Tensor:
        """Return the direction of update number ``count`` (from 1), updating ``memory``.

        In a captured graph ``count`` is a tensor of no dimensions.
        """

    def numbers(self, count: int, factor: float) -> tuple[float, float, float]:
        """Return what update number ``count`` reads: ``factor`` is the schedule's."""

    def operations(self, buffers: Buffers) -> list[Operation]:
        """Return one update as calls; they may overwrite the gradient."""


@dataclass(frozen=True)
class Sgd:
    """Gradient descent with heavy-ball momentum: m ← momentum·m + g, direction m.

    Negative momentum is that of Gidel et al. (2019), arXiv:1807.04740. ``weight_decay`` adds that
    multiple of the parameters to the gradient.

    >>> Sgd(momentum=0.5).buffers
    ('momentum',)
    """

    momentum: float = 0.0
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if not -1 < self.momentum < 1:
            raise GantheoryError(f"momentum={self.momentum!r} must lie in (-1, 1)")
        _check_decay(self.weight_decay)

    @property
    def buffers(self) -> tuple[str, ...]:
        """Return ``('momentum',)``, or nothing without momentum."""
        return ("momentum",) if self.momentum else ()

    def direction(
        self, gradient: Tensor, memory: dict[str, Tensor], count: int, parameters: Tensor
    ) -> Tensor:
        """Return the gradient, or its running sum under momentum."""
        gradient = _decayed(gradient, parameters, self.weight_decay)
        if not self.momentum:
            return gradient
        return memory["momentum"].mul_(self.momentum).add_(gradient).clone()

    def numbers(self, count: int, factor: float) -> tuple[float, float, float]:
        """Return the factor on the rate."""
        return factor, 0.0, factor

    def operations(self, buffers: Buffers) -> list[Operation]:
        """Return one update as calls."""
        p, g, coefficient = buffers.parameters, buffers.gradient, buffers.numbers[0]
        calls = _decaying(buffers, self.weight_decay)
        if not self.momentum:
            calls.append(partial(g.mul_, buffers.rate))
        else:
            momentum = buffers.memory["momentum"]
            calls += [
                partial(momentum.mul_, self.momentum),
                partial(momentum.add_, g),
                partial(torch.mul, momentum, buffers.rate, out=g),
            ]
        return [*calls, partial(g.mul_, coefficient), partial(p.sub_, g)]


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba, 2015, arXiv:1412.6980), as torch.optim.Adam computes it.

    ``weight_decay`` adds that multiple of the parameters to the gradient, or, ``decoupled``, to
    the direction: then it is AdamW (Loshchilov and Hutter, 2019, arXiv:1711.05101).
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    decoupled: bool = False

    def __post_init__(self) -> None:
        _check_fraction("beta1", self.beta1)
        _check_fraction("beta2", self.beta2)
        _check_epsilon(self.epsilon)
        _check_decay(self.weight_decay)

    @property
    def buffers(self) -> tuple[str, ...]:
        """Return the names of the two moments."""
        return ("first", "second")

    @property
    def _coupled(self) -> float:
        return 0.0 if self.decoupled else self.weight_decay

    def direction(
        self, gradient: Tensor, memory: dict[str, Tensor], count: int, parameters: Tensor
    ) -> Tensor:
        """Return the first moment over the root of the second, both corrected for their start."""
        gradient = _decayed(gradient, parameters, self._coupled)
        first = memory["first"].lerp_(gradient, 1 - self.beta1)
        second = (
            memory["second"].mul_(self.beta2).addcmul_(gradient, gradient, value=1 - self.beta2)
        )
        correction1, correction2 = 1 - self.beta1**count, 1 - self.beta2**count
        start = correction2.sqrt() if isinstance(correction2, Tensor) else math.sqrt(correction2)
        root = second.sqrt().div_(start).add_(self.epsilon)
        direction = (first / correction1).div_(root)
        return _decayed(direction, parameters, self.weight_decay - self._coupled)

    def numbers(self, count: int, factor: float) -> tuple[float, float, float]:
        """Return the corrections of both moments' start, moved to the rate and to epsilon."""
        start1, start2 = 1 - self.beta1**count, math.sqrt(1 - self.beta2**count)
        return factor * start2 / start1, self.epsilon * start2, factor

    def operations(self, buffers: Buffers) -> list[Operation]:
        """Return one update as calls."""
        p, g, root = buffers.parameters, buffers.gradient, buffers.scratch
        first, second = buffers.memory["first"], buffers.memory["second"]
        coefficient, epsilon, factor = buffers.numbers
        calls = _decaying(buffers, self._coupled)
        if self.weight_decay and self.decoupled:
            calls += [
                partial(torch.mul, p, buffers.rate, out=root),
                partial(root.mul_, factor),
                partial(p.sub_, root, alpha=self.weight_decay),
            ]
        return [
            *calls,
            partial(first.lerp_, g, 1 - self.beta1),
            partial(second.mul_, self.beta2),
            partial(second.addcmul_, g, g, value=1 - self.beta2),
            partial(torch.sqrt, second, out=root),
            partial(root.add_, epsilon),
            partial(torch.mul, first, buffers.rate, out=g),
            partial(g.mul_, coefficient),
            partial(p.addcdiv_, g, root, value=-1),
        ]


@dataclass(frozen=True)
class RmsProp:
    """RMSProp (Tieleman and Hinton, 2012), as torch.optim.RMSprop computes it.

    v ← alpha·v + (1 − alpha)·g², direction g/(√v + epsilon): what WGAN with clipped weights trains
    by (Arjovsky et al., 2017, arXiv:1701.07875).
    """

    alpha: float = 0.99
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _check_fraction("alpha", self.alpha)
        _check_epsilon(self.epsilon)
        _check_decay(self.weight_decay)

    @property
    def buffers(self) -> tuple[str, ...]:
        """Return the name of the second moment."""
        return ("second",)

    def direction(
        self, gradient: Tensor, memory: dict[str, Tensor], count: int, parameters: Tensor
    ) -> Tensor:
        """Return the gradient over the root of its running mean square."""
        gradient = _decayed(gradient, parameters, self.weight_decay)
        second = (
            memory["second"].mul_(self.alpha).addcmul_(gradient, gradient, value=1 - self.alpha)
        )
        return gradient / second.sqrt().add_(self.epsilon)

    def numbers(self, count: int, factor: float) -> tuple[float, float, float]:
        """Return the factor on the rate."""
        return factor, 0.0, factor

    def operations(self, buffers: Buffers) -> list[Operation]:
        """Return one update as calls."""
        p, g, root = buffers.parameters, buffers.gradient, buffers.scratch
        second = buffers.memory["second"]
        return [
            *_decaying(buffers, self.weight_decay),
            partial(second.mul_, self.alpha),
            partial(second.addcmul_, g, g, value=1 - self.alpha),
            partial(torch.sqrt, second, out=root),
            partial(root.add_, self.epsilon),
            partial(g.mul_, buffers.rate),
            partial(g.mul_, buffers.numbers[0]),
            partial(p.addcdiv_, g, root, value=-1),
        ]


def _decayed(direction: Tensor, parameters: Tensor, weight: float) -> Tensor:
    return direction.add(parameters, alpha=weight) if weight else direction


def _decaying(buffers: Buffers, weight: float) -> list[Operation]:
    add = partial(buffers.gradient.add_, buffers.parameters, alpha=weight)
    return [add] if weight else []


def _check_fraction(name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise GantheoryError(f"{name}={value!r} must lie in [0, 1)")


def _check_epsilon(value: float) -> None:
    if not 0 < value < math.inf:
        raise GantheoryError(
            f"epsilon={value!r} must be a number above 0: a unit without a gradient would become "
            "nan; torch has 1e-8"
        )


def _check_decay(value: float) -> None:
    if not 0 <= value < math.inf:
        raise GantheoryError(f"weight_decay={value!r} must be a number from 0 on")
