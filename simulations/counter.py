"""Randomness by counting: every number a function of seed, step, purpose and place, on any device.

Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3: Philox4x32-10 turns a key of 64
bits, the seed, and a counter of 128 bits into four words of 32. Nothing is kept between draws, so
all members' numbers are made at once where they are needed, and member k's are the same whoever
stands beside it and whatever device counts. The words are integers and agree to the last bit;
uniforms are those words scaled exactly; normals agree up to the last place or two of float64 (the
logarithm and cosine of the device's library), and so almost always to the last bit of float32.

torch has no such generator, and on one CPU thread this one takes 45 ns a normal where the Mersenne
twister of `simulations.streams` takes 6: on a CPU the twister is the better source.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85  # added to the key in each round
_ROUNDS = 10
_LOW = 0xFFFFFFFF
_WORD = 2.0**-32

Words = tuple[Tensor, Tensor, Tensor, Tensor]


def philox(counter: Words, key: tuple[Tensor, Tensor]) -> Words:
    """Return Philox4x32-10 of counters and keys: words of 32 bits, each in an int64.

    >>> zero = torch.zeros(1, dtype=torch.int64)
    >>> [f"{int(word):08x}" for word in philox((zero,) * 4, (zero, zero))]  # as published
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    a, b, c, d = counter
    first, second = key
    for _ in range(_ROUNDS):
        # a product of 64 bits may wrap below zero; its bits are the same
        p, q = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]
        a, b, c, d = (q >> 32 & _LOW) ^ b ^ first, q & _LOW, (p >> 32 & _LOW) ^ d ^ second, p & _LOW
        first, second = first + _WEYL[0] & _LOW, second + _WEYL[1] & _LOW
    return a, b, c, d


def uniforms(counter: Words, key: tuple[Tensor, Tensor]) -> Tensor:
    """Return four numbers a counter, uniform on (0, 1): (w + ½)/2³², along a new last axis."""
    return torch.stack(philox(counter, key), -1).double().add(0.5).mul(_WORD)


def normals(counter: Words, key: tuple[Tensor, Tensor]) -> Tensor:
    """Return four standard normals a counter, along a new last axis.

    By Box and Muller (1958): √(−2 log u)·(cos 2πv, sin 2πv). With words of 32 bits none is beyond
    6.8, where the normal law has a mass of 1e-11.
    """
    u, v, other_u, other_v = uniforms(counter, key).unbind(-1)
    radius, other = torch.sqrt(-2 * torch.log(u)), torch.sqrt(-2 * torch.log(other_u))
    angle, turn = 2 * math.pi * v, 2 * math.pi * other_v
    pairs = radius * angle.cos(), radius * angle.sin(), other * turn.cos(), other * turn.sin()
    return torch.stack(pairs, -1)


@cache
def _on(device: str) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    """Return `uniforms` and `normals` for a device: one kernel each on a GPU, made on first use."""
    if device == "cpu":
        return uniforms, normals
    return torch.compile(uniforms, dynamic=True), torch.compile(normals, dynamic=True)


@dataclass(frozen=True)
class Counter:
    """The random numbers of K members in some consecutive steps.

    Args:
        seeds: one a member, from 0 to 2⁶⁴ − 1.
        stream: what for, below 2²⁴ (see `simulations.streams`).
        first, steps: the steps from ``first`` on.
        device: where the numbers are made.
    """

    seeds: tuple[int, ...]
    stream: int
    first: int
    steps: int
    device: str = "cpu"

    def draw(self, kind: int, purpose: int, shape: Sequence[int]) -> Tensor:
        """Return numbers (K, steps, *shape) in float64: uniform (kind 0) or normal (kind 1)."""
        count = math.prod(shape)
        place = torch.arange(-(-count // 4), device=self.device)[None, None, :]
        steps = torch.arange(self.first, self.first + self.steps, device=self.device)
        step = steps[None, :, None]
        tag = torch.full_like(step[:, :1], self.stream << 8 | 2 * purpose + kind)
        counter = place, step & _LOW, tag, step >> 32
        numbers = _on(self.device)[kind](counter, _keys(self.seeds, self.device))
        return numbers.flatten(2)[:, :, :count].unflatten(2, tuple(shape))


@lru_cache(maxsize=64)  # ten thousand seeds take longer to send than their numbers to make
def _keys(seeds: tuple[int, ...], device: str) -> tuple[Tensor, Tensor]:
    low, high = (seed & _LOW for seed in seeds), (seed >> 32 for seed in seeds)
    return _integers(low, device)[:, None, None], _integers(high, device)[:, None, None]


def _integers(values: Iterable[int], device: str) -> Tensor:
    return torch.tensor(list(values), dtype=torch.int64).to(device)


@dataclass(frozen=True)
class Places:
    """The numbers behind the points of one sampler: k minibatches of n points a step.

    A sampler asks for so many uniform and so many normal numbers a point.
    """

    counter: Counter
    purpose: int
    minibatches: int
    batch: int

    def uniform(self, width: int = 1) -> Tensor:
        """Return uniform numbers on (0, 1), shape (K, steps, k, n, width), float64."""
        return self.counter.draw(0, self.purpose, (self.minibatches, self.batch, width))

    def normal(self, width: int = 1) -> Tensor:
        """Return standard normal numbers, shape (K, steps, k, n, width), float64."""
        return self.counter.draw(1, self.purpose, (self.minibatches, self.batch, width))

    def order(self) -> Tensor:
        """Return each point's number in the whole run, shape (steps, k, n)."""
        size = self.minibatches * self.batch
        begin = self.counter.first * size
        order = torch.arange(begin, begin + self.counter.steps * size, device=self.counter.device)
        return order.view(self.counter.steps, self.minibatches, self.batch)


@runtime_checkable
class Countable(Protocol):
    """A sampler whose points are a function of uniform and normal numbers, made all at once."""

    def points(self, places: Places) -> Tensor:
        """Return the points, shape (K, steps, k, n, dim)."""
