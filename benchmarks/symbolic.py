"""How long the symbolic engine takes, as multiples of importing sympy, each in a fresh process.

CPU seconds, the commands taking turns; medians. The bars: the whole catalogue with all its claims
below 12 times the import, one loss by the command line below 3 times. A round that is not counted
writes the bytecode of all modules, as installing a package does, for those of sympy have it too.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping

from benchmarks.figures import Figure

CATALOGUE = """
from gantheory.ledger.published import check_claim
from gantheory.derivations.engine import derive
from gantheory.losses import CATALOGUE
for loss in CATALOGUE.values():
    found = derive(loss)
    for claim in loss.claims:
        check_claim(loss, claim, found)
"""
COMMANDS = {
    "import sympy": ["-c", "import sympy"],
    "whole catalogue": ["-c", CATALOGUE],
    "gantheory derive minimax": ["-m", "gantheory", "derive", "minimax"],
}
BARS = {"whole catalogue": 12.0, "gantheory derive minimax": 3.0}


def cpu_seconds(arguments: list[str], environment: Mapping[str, str]) -> float:
    """Run python with ``arguments`` and return the CPU time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def figures(quick: bool) -> Iterator[Figure]:
    """Yield the time of each command over that of the import."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as bytecode:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for arguments in COMMANDS.values():
            cpu_seconds(arguments, environment)
        for _ in range(1 if quick else 5):
            for name, arguments in COMMANDS.items():
                times[name].append(cpu_seconds(arguments, environment))
    middle = {name: statistics.median(found) for name, found in times.items()}
    base = middle.pop("import sympy")
    for name, spent in middle.items():
        note = f"{spent:.2f} s"
        yield Figure(f"{name} / import sympy", spent / base, "times", BARS[name], True, note)
