"""Each member's randomness: its own generator, read in chunks of fixed length.

A member's samples depend on its seed alone, never on which members train beside it. The chunk
length is part of the format: it fixes the order in which a seed's numbers are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

CHUNK = 64  # steps drawn at once: long enough that drawing costs 6 ns a normal, not 9


@runtime_checkable
class Sampler(Protocol):
    """Draws samples of a distribution in d = ``dim`` dimensions."""

    @property
    def dim(self) -> int:
        """Return d."""

    def sample(self, n: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        """Return n independent samples, shape (n, d)."""


@dataclass(frozen=True)
class Draw:
    """What one member's chunk of steps needs.

    Its tensors have shape (CHUNK, k, n, ...): one minibatch for each of D's k updates in a step.
    Latent draws and the noise on fakes have one minibatch more, the last, for G's update.
    """

    batch: int
    critic_steps: int
    latent_dim: int
    latent: Literal["normal", "uniform"]
    dtype: torch.dtype
    mix: bool  # whether a regulariser interpolates between real and fake samples

    def chunk(
        self, real: Sampler, fake: Sampler | None, noise: float, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Return the tensors of the next chunk, advancing ``generator``."""
        k, more = self.critic_steps, self.critic_steps + 1
        drawn = {"real": self._sampled(real, k, generator)}
        if fake is not None:
            drawn["fake"] = self._sampled(fake, k, generator)
        else:
            size = CHUNK, more, self.batch, self.latent_dim
            drawn["latent"] = draw_latent(size, self.latent, generator, self.dtype)
        if self.mix:
            one = CHUNK, k, self.batch, 1
            drawn["mix"] = torch.rand(one, generator=generator, dtype=self.dtype)
        if noise:
            for name, count in (("real_noise", k), ("fake_noise", more)):
                size = CHUNK, count, self.batch, real.dim
                values = torch.randn(size, generator=generator, dtype=self.dtype)
                drawn[name] = values.mul_(noise)
        return drawn

    def _sampled(self, sampler: Sampler, k: int, generator: torch.Generator) -> Tensor:
        points = sampler.sample(CHUNK * k * self.batch, generator, self.dtype)
        return points.reshape(CHUNK, k, self.batch, sampler.dim)


def draw_latent(
    shape: tuple[int, ...],
    law: Literal["normal", "uniform"],
    generator: torch.Generator,
    dtype: torch.dtype,
) -> Tensor:
    """Return draws of the generator's input: standard normal, or uniform on [−1, 1]."""
    if law == "normal":
        return torch.randn(shape, generator=generator, dtype=dtype)
    return torch.rand(shape, generator=generator, dtype=dtype).mul_(2).sub_(1)


def generator_of(seed: int, stream: int) -> torch.Generator:
    """Return the generator of one independent stream of a seed (0 initial values, 1 samples).

    >>> a, b = generator_of(7, 0), generator_of(7, 1)
    >>> bool(torch.rand(1, generator=a) == torch.rand(1, generator=b))
    False
    """
    word = np.random.SeedSequence([seed, stream]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(word) >> 1)
