"""What settings of a recipe and of a member may be: refused in one line, before any work."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from numbers import Integral, Real

import torch

from gantheory.errors import GantheoryError, shown
from simulations.streams import CHUNK

DTYPES = torch.float32, torch.float64


def check_whole(name: str, value: object, least: int) -> int:
    """Return a whole number from ``least`` on as Python's own; raise where it is none."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise GantheoryError(f"{name}={shown(value)} must be a whole number")
    if int(value) < least:
        raise GantheoryError(f"{name}={shown(value)} must be at least {least}")
    return int(value)


def check_seeds(seeds: object) -> list[int]:
    """Return several seeds as Python's whole numbers: of a range, a list, an array, a tensor."""
    if isinstance(seeds, str | bytes) or not isinstance(seeds, Iterable):
        raise GantheoryError(f"seeds={shown(seeds)}: give several, as range(4), or [0]")
    try:
        given = [seed.item() if getattr(seed, "shape", None) == () else seed for seed in seeds]
    except TypeError:  # an array without an axis
        raise GantheoryError(f"seeds={shown(seeds)}: give several, as [{seeds}]") from None
    found = [check_whole("seed", seed, 0) for seed in given]
    twice = [seed for seed, count in Counter(found).items() if count > 1]
    if twice:
        raise GantheoryError(f"seed {twice[0]} is given twice; one seed is one run, give each once")
    return found


def check_progress(progress: object) -> None:
    """Raise where progress is to be told to what is no function."""
    if progress is not None and not callable(progress):
        raise GantheoryError(f"progress={shown(progress)} must be a function of (done, total)")


def check_chunks(name: str, value: object) -> int:
    """Return a number of steps that are whole chunks, and raise where they are none."""
    steps = check_whole(name, value, 1)
    if steps % CHUNK:
        raise GantheoryError(f"{name}={steps} must be a multiple of {CHUNK} steps")
    return steps


def check_size(name: str, value: object) -> float:
    """Return a finite number from 0 on as Python's own; raise where it is none."""
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= float(value) < math.inf:
        raise GantheoryError(f"{name}={shown(value)} must be a finite number from 0 on")
    return float(value)


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
