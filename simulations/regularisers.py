"""Penalties on the discriminator's gradient in its input, by double differentiation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]  # inputs (K, n, d) -> scores (K, n)


class Regulariser(Protocol):
    """A penalty added to the discriminator's loss."""

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
        """Return one penalty per member, shape (K,), for n inputs of D as D sees them.

        ``real`` and ``fake`` are (K, n, d), d all numbers of one (packed) input; ``mix`` is
        uniform on [0, 1], (K, n, 1).
        """


@dataclass(frozen=True)
class ZeroCentred:
    r"""The penalty :math:`\frac{\gamma}{2} E\,\lVert\nabla_x t(x)\rVert^2` of Mescheder et al.

    On real samples it is R1, on fake ones R2 (2018, arXiv:1801.04406).
    """

    weight: float
    on: Literal["real", "fake"] = "real"

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
        """Return γ/2 times the mean squared norm, shape (K,)."""
        slopes = input_gradient(critic, real if self.on == "real" else fake)
        return self.weight / 2 * slopes.square().sum(-1).mean(-1)


@dataclass(frozen=True)
class GradientPenalty:
    r"""The penalty :math:`\lambda E\,(\lVert\nabla t(\hat x)\rVert - k)^2` between the samples.

    :math:`\hat x` is uniform on the segment from a real to a fake sample (Gulrajani et al.,
    2017, arXiv:1704.00028, with k = 1). One-sided, only norms above k count.
    """

    weight: float = 10.0  # as published
    target: float = 1.0
    one_sided: bool = False

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
        """Return λ times the mean squared excess, shape (K,)."""
        norm = _norm(input_gradient(critic, torch.lerp(fake, real, mix)))
        excess = norm - self.target
        excess = excess.clamp(min=0) if self.one_sided else excess
        return self.weight * excess.square().mean(-1)


def input_gradient(critic: Critic, x: Tensor) -> Tensor:
    """Return ∇t at each input, shape (K, n, d), itself differentiable."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient


def _norm(gradient: Tensor) -> Tensor:
    """Return the Euclidean norm over the last axis, with slope zero where it vanishes."""
    squares = gradient.square().sum(-1)
    positive = squares > 0
    return torch.where(positive, squares, 1).sqrt() * positive
