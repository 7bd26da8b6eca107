"""How the engine meets high-precision references: on the line, in the plane, certified, sampled.

python benchmarks/reference.py
"""

from __future__ import annotations

import json
import math
import statistics
import time
from pathlib import Path

import gantheory
from gantheory.densities.sampled import own_density_nd
from gantheory.integrals.certified import enclose
from gantheory.integrals.kernels.names import kernel_of
from gantheory.integrals.plane.boxes import by_sampling
from gantheory.records import Status

BANK = json.loads((Path(__file__).parents[1] / "tests" / "data" / "bank.json").read_text())
WRONG = "tn_n/jsd/d_loc"  # the one entry known to be wrong: see tests/test_bank.py
SEEDS, DRAWS = 200, 20_000
# (p, q) without structure for the sampler, with structure for the truth
PLANES = {
    "ring of 8 and a normal": ("ring_mixture_2d(8, 2, 0.2)", "normal_2d_iso((0, 0), 1)"),
    "grid of 25 and a normal": ("grid_mixture_2d(5, 2, 0.3)", "normal_2d_iso((0, 0), 3)"),
}


def number(value):
    return [number(x) for x in value] if isinstance(value, list) else float(value)


def law(entry):
    return gantheory.density(entry["family"], **{k: number(v) for k, v in entry["params"].items()})


def bank(entries, label):
    """Print how references are met: errors by difficulty, flags, stated errors exceeded."""
    rows = {True: [], False: []}
    flagged = exceeded = infinite = 0
    start = time.process_time()
    for e in entries:
        found = gantheory.divergence(e["divergence"], law(e["p"]), law(e["q"]), wrt=e.get("wrt"))
        truth = float(e["value"])
        if math.isinf(truth):
            infinite += found.value == truth
            continue
        off = abs(found.value - truth)
        exceeded += off > 10 * found.error + 1e-16 * abs(truth)
        if found.status is Status.ILL_CONDITIONED:
            flagged += 1
        elif truth:
            rows[e["hard"]].append(off / abs(truth))
    seconds = time.process_time() - start
    for hard, errors in rows.items():
        if errors:
            kind = "hard" if hard else "easy"
            print(f"{label}, {kind}: {len(errors)} entries, worst {max(errors):.1e} relative")
    print(
        f"{label}: {infinite} infinite found, {flagged} flagged ill conditioned, "
        f"{exceeded} stated errors exceeded tenfold, {seconds:.1f} s"
    )


def certified(digits):
    """Print the time of an enclosure; the median of seven."""
    spent = []
    for _ in range(7):
        start = time.process_time()
        p, q = (gantheory.density("normal", loc=loc) for loc in (0, 2))
        found = enclose("jsd", p, q, digits=digits)
        spent.append(time.process_time() - start)
    print(f"JSD(N(0,1), N(2,1)) = {found.mid} ± {found.radius}: {statistics.median(spent):.3f} s")


def sampled():
    """Print how often the 95% interval of sampling holds the truth."""
    for label, pair in PLANES.items():
        known = [gantheory.density(text) for text in pair]
        truth = gantheory.divergence("jsd", *known).value
        blind = [own_density_nd(one.logpdf, one.sample, dim=2) for one in known]
        found = [by_sampling(kernel_of("jsd"), *blind, seed=k, draws=DRAWS) for k in range(SEEDS)]
        share = sum(abs(one.value - truth) <= one.error for one in found) / SEEDS
        print(
            f"{label}, sampled: the truth lies in the 95% interval for {share:.1%} of {SEEDS} seeds"
        )


if __name__ == "__main__":
    bank([e for e in BANK if e["dim"] == 1 and e["id"] != WRONG], "line")
    bank([e for e in BANK if e["dim"] == 2], "plane")
    certified(30)
    sampled()
