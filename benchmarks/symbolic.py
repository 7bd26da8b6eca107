"""How long the symbolic engine takes, as multiples of importing sympy, each in a fresh process.

Run it with ``python benchmarks/symbolic.py``: it prints CPU seconds, interleaved, and exits 1
if the whole catalogue takes 15 times the import or more, or one game by the command line 3 times.
"""

import resource
import statistics
import subprocess
import sys

CATALOGUE = """
from gantheory.losses import CATALOGUE
from gantheory.derivations.engine import derive
from gantheory.claims.published import check_claim
for game in CATALOGUE.values():
    found = derive(game)
    for claim in game.claims:
        check_claim(game, claim, found)
"""
COMMANDS = {
    "import sympy": ["-c", "import sympy"],
    "whole catalogue": ["-c", CATALOGUE],
    "gantheory derive minimax": ["-m", "gantheory", "derive", "minimax"],
}
BARS = {"whole catalogue": 15.0, "gantheory derive minimax": 3.0}
REPETITIONS = 5


def cpu_seconds(arguments: list[str]) -> float:
    """Run python with ``arguments`` and return the CPU time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Measure every command, print the ratios, and say whether the bars are met."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(REPETITIONS):
        for name, arguments in COMMANDS.items():
            times[name].append(cpu_seconds(arguments))
    base = statistics.median(times["import sympy"])
    missed = 0
    for name, found in times.items():
        ratio = statistics.median(found) / base
        bar = BARS.get(name)
        missed += bar is not None and ratio >= bar
        limit = f"  (bar: below {bar:g})" if bar else ""
        print(f"{name:28s} {statistics.median(found):7.2f} s  {ratio:6.2f} x{limit}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
