"""What a sweep adds to training and measuring its cells, a record on disk for each included.

The cells' own work is taken out: an executor that answers at once stands in its place. The bar is
20 ms a cell, by the clock. Two workers against one are compared by the processor time of a cell,
which other work on the machine moves less than the clock: workers share nothing but the machine.
"""

import json
import resource
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
    (start, _), (one, own), (two, _) = (
        worked(*trial) for trial in ((1, 1, 1), (1, cells, steps), (2, cells, steps))
    )
    a_cell = (one - start) / cells
    ratio = 2 * a_cell / ((two - 2 * start) / cells + 2 * own / cells)
    yield Figure("two workers against one", ratio, "times", 1.8, note=f"{cells} cells, CPU time")


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
