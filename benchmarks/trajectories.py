"""How fast 10 000 trajectories of 1000 steps are in one batched call, on one thread.

The competitors loop over the trajectories in Python: once through the same function, one start at
a time, and once through a loop written by hand on plain floats for the one rule at hand, which
knows the game and can do nothing else. Rounds are interleaved and the ratio of the best times is
printed. Loops run on a sample of the starts and are scaled up.

    python benchmarks/trajectories.py [--rounds 5]
"""

import argparse
import json
import math
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

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


def measure(rounds: int) -> dict[str, dict[str, float]]:
    starts = np.random.default_rng(0).normal(size=(BATCH, 2))
    times = [{name: one_round(name, starts) for name in CASES} for _ in range(rounds)]
    best = {
        name: {key: min(t[name][key] for t in times) for key in times[0][name]} for name in CASES
    }
    for numbers in best.values():
        numbers["ratio, same function"] = (
            numbers["loop, same function"] / numbers["batched, all points"]
        )
        numbers["ratio, plain floats"] = (
            numbers["loop, plain floats"] / numbers["batched, last points"]
        )
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    found = measure(parser.parse_args().rounds)
    print(
        json.dumps({k: {n: round(v, 4) for n, v in d.items()} for k, d in found.items()}, indent=2)
    )
    missed = [name for name, d in found.items() if d["ratio, same function"] < BAR]
    raise SystemExit(f"below {BAR:g} times: {', '.join(missed)}" if missed else 0)


if __name__ == "__main__":
    main()
