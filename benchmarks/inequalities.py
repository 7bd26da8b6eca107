"""How long the inequalities of the theory take, in one process and from cold.

Every statement has two seconds in one process; from cold it is measured in imports of sympy.
"""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.figures import Figure

STATEMENTS = (
    "triangular/4 <= jsd",
    "jsd <= log(2)/2 * triangular",
    "triangular/2 <= kl_pq",
    "jsd <= kl_pq/2",
    "jsd <= 0.3465*triangular",
    "jsd <= 0.30*kl_pq",
    "jsd <= kl_pq/4",
    "0.2501*triangular <= jsd",
    "jsd <= log(2)*tv",
    "kl_qm <= kl_qp/2",
    "tv**2 <= kl_pq/2",
    "tv <= sqrt(1 - exp(-kl_pq))",
)
BAR = 2.0  # seconds for each


def wall(code: str) -> float:
    """Return the seconds that a fresh interpreter takes for ``code``."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return time.perf_counter() - start


def figures(quick):
    """Yield the seconds of each statement, and its time from cold over that of the import."""
    from gantheory.inequalities.inequality import prove

    base = min(wall("import sympy") for _ in range(3))
    for statement in STATEMENTS:
        found = prove(statement)
        note = f"{found.how}, {found.boxes} boxes"
        yield Figure(statement, found.seconds, "s", BAR, True, note)
        if not quick:
            cold = wall(f"from gantheory import prove; prove({statement!r})")
            yield Figure(f"{statement}, from cold / import sympy", cold / base, "times")
