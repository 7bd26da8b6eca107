"""Where the parts of the GPU script run, and how they are timed."""

import math
import statistics
import time
from dataclasses import dataclass, field

import torch


@dataclass(frozen=True)
class Setting:
    """Where the parts run, whether at tiny sizes, and when the part at work must end.

    ``kept`` holds what a part has finished, which stands where the part is ended early, too.
    """

    device: str
    quick: bool
    deadline: float = math.inf
    kept: dict = field(default_factory=dict)

    @property
    def left(self):
        return self.deadline - time.monotonic()


def synchronize(device):
    if device != "cpu":
        torch.cuda.synchronize()


def seconds_of(work, device, least=0.5, most=200):
    """Return the median seconds of a call, after one that is not counted."""
    work()
    synchronize(device)
    spent = []
    while sum(spent) < least and len(spent) < most:
        begin = time.perf_counter()
        work()
        synchronize(device)
        spent.append(time.perf_counter() - begin)
    return statistics.median(spent)
