"""Tensors among arguments, where their numbers are, and arrays of expressions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from torch import Tensor


def array_of(values: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
    """Return objects as an array of the given shape, whatever numpy thinks of them."""
    made = np.empty(len(values), dtype=object)
    for k, value in enumerate(values):
        made[k] = value
    return made.reshape(shape)


def address(tensor: Tensor) -> int:
    """Return where the numbers of a tensor begin; its views share it."""
    return tensor.untyped_storage().data_ptr()


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield every tensor among the arguments of an operation."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from tensors_in(one)
