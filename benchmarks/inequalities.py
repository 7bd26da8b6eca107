"""Time the inequalities of the theory, in one process and from cold, beside importing sympy.

Run: ``python benchmarks/inequalities.py``. Every statement has two seconds.
"""

from __future__ import annotations

import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

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


def main() -> int:
    from gantheory.inequalities.inequality import prove

    table = Table("statement", "verdict", "boxes", "first ms", "again ms", "from cold s")
    slow = 0
    for statement in STATEMENTS:
        first, again = prove(statement), prove(statement)
        cold = wall(f"from gantheory import prove; prove({statement!r})")
        slow += first.numbers["seconds"] > BAR
        times = [f"{1e3 * v.numbers['seconds']:.1f}" for v in (first, again)]
        table.add_row(statement, first.how, str(first.numbers["boxes"]), *times, f"{cold:.2f}")
    Console().print(table)
    Console().print(f"import sympy: {min(wall('import sympy') for _ in range(3)):.2f} s")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
