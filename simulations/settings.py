"""What settings of a recipe and of a member may be: refused in one line, before any work."""

from __future__ import annotations

import math
from numbers import Integral, Real

import torch

from gantheory.errors import GantheoryError, shown

DTYPES = torch.float32, torch.float64


def check_whole(name: str, value: object, least: int) -> None:
    """Raise where a value is no whole number from ``least`` on."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise GantheoryError(f"{name}={shown(value)} must be a whole number")
    if int(value) < least:
        raise GantheoryError(f"{name}={shown(value)} must be at least {least}")


def check_size(name: str, value: object) -> None:
    """Raise where a value is no finite number from 0 on."""
    if not isinstance(value, Real) or not 0 <= float(value) < math.inf:
        raise GantheoryError(f"{name}={shown(value)} must be a finite number from 0 on")


def check_training(clip: object, regularisers: object, dtype: object, device: object) -> None:
    """Raise for a bound, penalties, a type of number or a device that nothing trains with."""
    if clip is not None:
        check_size("clip", clip)
        if clip == 0:
            raise GantheoryError("clip=0 leaves a discriminator that is 0; give a positive number")
    if not isinstance(regularisers, tuple | list) or not all(
        callable(one) and not isinstance(one, type) for one in regularisers
    ):
        raise GantheoryError(
            f"regularisers={shown(regularisers)}: give a tuple of penalties, as "
            "(ZeroCentred(1.0),) of simulations.regularisers"
        )
    if dtype not in DTYPES:
        raise GantheoryError(
            f"dtype={shown(dtype)} does not train here; give torch.float32, or torch.float64"
        )
    try:
        torch.device(str(device))
    except RuntimeError:
        raise GantheoryError(f"device={shown(device)} is none; give 'cpu', or 'cuda'") from None


def check_device(device: str) -> None:
    """Raise where torch has no such device here."""
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        raise GantheoryError(f"device={device!r}: torch sees no CUDA device here; give 'cpu'")
