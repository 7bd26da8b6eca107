"""Where the parts of the GPU script run, and how they are timed."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch


@dataclass(frozen=True)
class Setting:
    """Where the parts run, whether at tiny sizes, and when the part at work must end.

    ``kept`` holds what a part has finished, which stands where the part is ended early, too, and
    ``save`` writes it to the disk, where it stands even if the whole run is killed.
    """

    device: str
    quick: bool
    deadline: float = math.inf
    kept: dict = field(default_factory=dict)
    save: Callable = lambda: None

    @property
    def left(self):
        return self.deadline - time.monotonic()

    def keep(self, name, value):
        """Keep one finished result of the part at work."""
        self.kept[name] = value
        self.save()

    def add(self, name, *rows):
        """Keep finished rows of a table."""
        self.keep(name, [*self.kept.get(name, ()), *rows])


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
