"""What a sweep adds to training and measuring its cells, a record on disk for each included.

The cells' own work is taken out: an executor that answers at once stands in its place. The bar is
20 ms a cell, by the clock.
"""

import json
import tempfile
import time
from concurrent.futures import Future

from benchmarks.figures import Figure
from simulations.sweeps.sweep import sweep

LINE = "minimax", "normal(0, 1)", "normal(1, 1)"


class Idle:
    """An executor whose work takes no time."""

    def submit(self, function, text):
        done = Future()
        done.set_result(json.dumps([{"status": "ok"}] * len(json.loads(text)["cells"])))
        return done


def figures(quick):
    """Yield the milliseconds a cell of a new sweep, and of one that is finished."""
    count = 100 if quick else 2000
    with tempfile.TemporaryDirectory() as folder:
        for what, bar in (("a cell measured and kept", 20.0), ("a cell read again", None)):
            begin = time.perf_counter()
            sweep(*LINE, seeds=range(count), out=folder, executor=Idle())
            spent = 1e3 * (time.perf_counter() - begin) / count
            yield Figure(what, spent, "ms", bar, lower=True, note=f"{count} cells")
