"""How fast 10 000 trajectories of 1000 steps are in one batched call, on one thread.

The competitors loop over the trajectories in Python: once through the same function, one start at
a time, and once through a loop written by hand on plain floats for the one rule at hand, which
knows the game and can do nothing else. Rounds are interleaved and the ratio of the best times is
given. Loops run on a sample of the starts and are scaled up.
"""

import math
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from benchmarks.figures import Figure
from gantheory.dynamics.known import bilinear, dirac
from gantheory.dynamics.motion.fields import compile_field
from gantheory.dynamics.motion.trajectories import trajectories
from gantheory.dynamics.rules import simultaneous

BATCH, STEPS, SIZE = 10_000, 1000, 0.1
SAMPLE = {"same function": 10, "plain floats": 100}  # starts that the loops are timed on
BAR = 50.0


def by_hand_bilinear(x: float, y: float) -> tuple[float, float]:
    for _ in range(STEPS):
        x, y = x - SIZE * y, y + SIZE * x
    return x, y


def by_hand_dirac(x: float, y: float) -> tuple[float, float]:
    exp = math.exp
    for _ in range(STEPS):
        s = 1 / (1 + exp(-x * y))
        x, y = x + SIZE * y * s, y - SIZE * x * s
    return x, y


CASES = {
    "bilinear": (bilinear(), by_hand_bilinear),
    "dirac-minimax": (dirac("minimax"), by_hand_dirac),
}


def seconds(action) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def one_round(name: str, starts: np.ndarray) -> dict[str, float]:
    game, by_hand = CASES[name]
    field = compile_field(game)

    def batched(part: np.ndarray, every: int) -> None:
        trajectories(field, simultaneous(), part, SIZE, STEPS, every=every, split=1)

    def one_by_one() -> None:
        for start in starts[: SAMPLE["same function"]]:
            batched(start, 1)

    def floats() -> None:
        for start in starts[: SAMPLE["plain floats"]].tolist():
            by_hand(*start)

    return {
        "batched, all points": seconds(lambda: batched(starts, 1)),
        "batched, last points": seconds(lambda: batched(starts, STEPS)),
        "loop, same function": seconds(one_by_one) * BATCH / SAMPLE["same function"],
        "loop, plain floats": seconds(floats) * BATCH / SAMPLE["plain floats"],
    }


def figures(quick):
    """Yield how many times as long each loop takes."""
    starts = np.random.default_rng(0).normal(size=(BATCH, 2))
    for name in CASES:
        times = [one_round(name, starts) for _ in range(1 if quick else 5)]
        best = {key: min(found[key] for found in times) for key in times[0]}
        ratio = best["loop, same function"] / best["batched, all points"]
        yield Figure(f"{name}, loop of the same function / batched", ratio, "times", BAR)
        ratio = best["loop, plain floats"] / best["batched, last points"]
        yield Figure(f"{name}, loop of plain floats / batched", ratio, "times")
