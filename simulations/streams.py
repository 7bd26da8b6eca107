"""Each member's randomness: a function of its seed, the stream and the number of the chunk.

A member's samples depend on its seed alone, never on which members train beside it, on the device,
or on where a run was interrupted. The chunk length is part of the format: it fixes the order in
which a seed's numbers are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from numbers import Integral
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gantheory.errors import GantheoryError

# the streams of one seed; those from DROPOUT on are the masks of the passes of one step, in order
INITIAL, TRAINING, EVALUATION, COMPARISON, DROPOUT = range(5)
CHUNK = 64  # steps drawn at once: long enough that drawing costs 6 ns a normal, not 9


@runtime_checkable
class Sampler(Protocol):
    """Draws samples of a distribution in d = ``dim`` dimensions."""

    @property
    def dim(self) -> int:
        """Return d."""

    def sample(self, n: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        """Return n independent samples, shape (n, d)."""


def drawn(
    sampler: Sampler, n: int, generator: torch.Generator, dtype: torch.dtype, what: str = "data"
) -> Tensor:
    """Return n points of a sampler, which may be a user's own, shape (n, d).

    Raises:
        GantheoryError: where it takes other arguments, or gives something else.
    """
    kind = type(sampler).__name__
    try:
        found = sampler.sample(n, generator, dtype)
    except TypeError as error:
        raise GantheoryError(
            f"{what}: sample(n, generator, dtype) of {kind} failed: {str(error)[:120]}"
        ) from None
    shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
    if shape != (n, sampler.dim):
        raise GantheoryError(
            f"{what}: sample({n}, generator, dtype) of {kind} gave {shape}; a tensor of shape "
            f"(n, dim) = ({n}, {sampler.dim}) is wanted"
        )
    if found.is_complex():
        raise GantheoryError(f"{what}: sample() of {kind} gave complex numbers; real are wanted")
    return found


@dataclass(frozen=True)
class Draw:
    """What one member's chunk of steps needs.

    Its tensors have shape (CHUNK, k, n, ...): one minibatch for each of D's k updates in a step.
    Latent draws and the noise on fakes have more, the last, one for each of G's updates.
    """

    batch: int
    critic_steps: int
    maker_steps: int
    latent_dim: int
    latent: Literal["normal", "uniform"]
    dtype: torch.dtype
    mixes: int = 0  # places between real and fake inputs of D that its regularisers need

    def chunk(
        self,
        real: Sampler,
        fake: Sampler | None,
        noise: float,
        generator: torch.Generator,
        *,
        paired: bool = False,
    ) -> dict[str, Tensor]:
        """Return the tensors of the next chunk, advancing ``generator``.

        ``paired`` draws real samples for G's updates too, last, so that the rest stays as it is.
        """
        k, more = self.critic_steps, self.critic_steps + self.maker_steps
        drawn = {"real": self._sampled(real, k, generator)}
        if fake is not None:
            drawn["fake"] = self._sampled(fake, k, generator)
        else:
            size = CHUNK, more, self.batch, self.latent_dim
            drawn["latent"] = draw_latent(size, self.latent, generator, self.dtype)
        if self.mixes:
            one = CHUNK, k, self.mixes, 1
            drawn["mix"] = torch.rand(one, generator=generator, dtype=self.dtype)
        if noise:
            for name, count in (("real_noise", k), ("fake_noise", more)):
                size = CHUNK, count, self.batch, real.dim
                values = torch.randn(size, generator=generator, dtype=self.dtype)
                drawn[name] = values.mul_(noise)
        if paired:
            drawn["paired"] = self._sampled(real, self.maker_steps, generator)
            if noise:
                values = torch.randn(drawn["paired"].shape, generator=generator, dtype=self.dtype)
                drawn["paired_noise"] = values.mul_(noise)
        return drawn

    def _sampled(self, sampler: Sampler, k: int, generator: torch.Generator) -> Tensor:
        points = drawn(sampler, CHUNK * k * self.batch, generator, self.dtype)
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


def generator_of(seed: int, stream: int, chunk: int = 0) -> torch.Generator:
    """Return the source of one chunk of one stream of a seed, the same in every process.

    The seed and the stream are the two halves of a Philox key and the chunk is its counter (Salmon
    et al., 2011, Parallel random numbers: as easy as 1, 2, 3), so that no two can share a state by
    a hash; its 19 968 bits are the state of torch's Mersenne twister, which makes normals faster.

    >>> a, b = generator_of(7, INITIAL), generator_of(7, TRAINING)
    >>> bool(torch.rand(1, generator=a) == torch.rand(1, generator=b))
    False
    """
    for name, value in (("seed", seed), ("stream", stream), ("chunk", chunk)):
        if not isinstance(value, Integral) or not 0 <= value < 2**64:
            raise GantheoryError(f"{name}={value!r} must be a whole number from 0 to 2**64 - 1")
    key, counter = np.array([seed, stream], np.uint64), np.array([0, 0, 0, chunk], np.uint64)
    state, words = _fresh_state().clone(), np.random.Philox(key=key, counter=counter)
    _words_of(state)[:] = words.random_raw(_WORDS // 2).view(np.uint32)
    generator = torch.Generator()
    generator.set_state(state)
    return generator


_WORDS = 624  # of 32 bits, each in the low half of 8 bytes; 24 bytes of seed and position before


def _words_of(state: Tensor) -> NDArray[np.uint64]:
    return state.numpy()[24 : 24 + 8 * _WORDS].view(np.uint64)


@cache
def _fresh_state() -> Tensor:
    """Return the state of a generator that has drawn nothing, where its words are as expected."""
    state = torch.Generator().manual_seed(5489).get_state()
    # the first word is the seed, the second the recurrence of Matsumoto and Nishimura (1998)
    if _words_of(state)[:2].tolist() != [5489, 1301868182]:
        raise GantheoryError(
            f"torch {torch.__version__} keeps its generator's state in another form; "
            "use torch 2.9 to 2.13"
        )
    return state
