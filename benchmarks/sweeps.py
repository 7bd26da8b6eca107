"""What a sweep adds to training and measuring its cells, a record on disk for each included.

The cells' own work is taken out: an executor that answers at once stands in its place. The bar is
20 ms a cell, by the clock. Two workers against one are compared by the processor time of a cell,
which other work on the machine moves less than the clock: workers share nothing but the machine.
"""

import json
import resource
import statistics
import tempfile
import time
from concurrent.futures import Future

from benchmarks.figures import Figure
from simulations.sweeps.engines import Workers
from simulations.sweeps.sweep import sweep

LINE = "minimax", "normal(0, 1)", "normal(1, 1)"


class Idle:
    """An executor whose work takes no time."""

    def submit(self, function, text):
        done = Future()
        done.set_result(json.dumps([{"status": "ok"}] * len(json.loads(text)["cells"])))
        return done


def figures(quick):
    """Yield milliseconds a cell of a new sweep and of a finished one, and what two workers give."""
    count = 100 if quick else 2000
    with tempfile.TemporaryDirectory() as folder:
        for what, bar in (("a cell measured and kept", 20.0), ("a cell read again", None)):
            begin = time.perf_counter()
            sweep(*LINE, seeds=range(count), out=folder, executor=Idle())
            spent = 1e3 * (time.perf_counter() - begin) / count
            yield Figure(what, spent, "ms", bar, lower=True, note=f"{count} cells")
    cells, steps = (32, 64) if quick else (128, 128)
    ratios = sorted(two_against_one(cells, steps) for _ in range(1 if quick else 3))
    note = f"{cells} cells, CPU time; {ratios[0]:.2f} to {ratios[-1]:.2f}"
    yield Figure("two workers against one", statistics.median(ratios), "times", 1.8, note=note)


def two_against_one(cells, steps):
    """Return how much sooner two workers end than one, by the processor time of their cells."""
    (start, _), (one, own), (two, _) = (
        worked(*trial) for trial in ((1, 1, 1), (1, cells, steps), (2, cells, steps))
    )
    return 2 * (one - start) / (two - 2 * start + 2 * own)


def worked(workers, cells, steps):
    """Return the processor seconds of the workers and of this process, in a sweep of cells."""
    kinds = resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF
    before = [_seconds(kind) for kind in kinds]
    engine = Workers(workers)
    with tempfile.TemporaryDirectory() as folder:
        sweep(*LINE, seeds=range(cells), out=folder, executor=engine, steps=steps, workers=workers)
    engine.close()
    return [_seconds(kind) - begin for kind, begin in zip(kinds, before, strict=True)]


def _seconds(kind):
    used = resource.getrusage(kind)
    return used.ru_utime + used.ru_stime
