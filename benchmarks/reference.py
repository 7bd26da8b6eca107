"""How the engine meets high-precision references: on the line, in the plane, certified, sampled."""

from __future__ import annotations

import json
import math
import statistics
import time
from pathlib import Path

import gantheory
from benchmarks.figures import Figure
from gantheory.densities.sampled import own_density_nd
from gantheory.integrals.certified import enclose_divergence
from gantheory.integrals.kernels.stable import kernel_of
from gantheory.integrals.montecarlo import by_sampling
from gantheory.records import Status

BANK = json.loads((Path(__file__).parents[1] / "tests" / "data" / "bank.json").read_text())
WRONG = "tn_n/jsd/d_loc"  # the one entry known to be wrong: see tests/integrals/test_bank.py
DRAWS = 20_000
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
    """Yield how references are met: errors by difficulty, flags, stated errors exceeded."""
    rows = {True: [], False: []}
    flagged = exceeded = missed = 0
    for e in entries:
        found = gantheory.divergence(e["divergence"], law(e["p"]), law(e["q"]), wrt=e.get("wrt"))
        truth = float(e["value"])
        if math.isinf(truth):
            missed += found.value != truth
            continue
        off = abs(found.value - truth)
        exceeded += off > found.error + 1e-16 * abs(truth)
        if found.status is Status.ILL_CONDITIONED:
            flagged += 1
        elif truth:
            rows[e["hard"]].append(off / abs(truth))
    for hard, errors in rows.items():
        if errors:
            kind = "hard" if hard else "easy"
            note = f"{len(errors)} entries"
            yield Figure(f"{label}, {kind}: worst error", max(errors), "relative", note=note)
    yield Figure(f"{label}: infinite values not seen", missed, "entries", 0, True)
    yield Figure(f"{label}: flagged ill conditioned", flagged, "entries")
    yield Figure(f"{label}: stated errors exceeded", exceeded, "entries", 0, True)


def certified(digits):
    """Yield the time of an enclosure; the median of seven."""
    spent = []
    for _ in range(7):
        start = time.process_time()
        p, q = (gantheory.density("normal", loc=loc) for loc in (0, 2))
        found = enclose_divergence("jsd", p, q, digits=digits)
        spent.append(time.process_time() - start)
    note = f"{found.mid} ± {found.radius}"
    yield Figure(
        f"JSD(N(0,1), N(2,1)) to {digits} digits", statistics.median(spent), "s", note=note
    )


def sampled(seeds):
    """Yield how often the 95% interval of sampling holds the truth."""
    for label, pair in PLANES.items():
        known = [gantheory.density(text) for text in pair]
        truth = gantheory.divergence("jsd", *known).value
        blind = [own_density_nd(one.logpdf, one.sample, dim=2) for one in known]
        options = {"draws": DRAWS, "error_probability": 0.05}
        found = [by_sampling(kernel_of("jsd"), *blind, seed=k, **options) for k in range(seeds)]
        share = sum(abs(one.value - truth) <= one.error for one in found) / seeds
        yield Figure(
            f"{label}: truth in the 95% interval", share, "of seeds", note=f"{seeds} seeds"
        )


def figures(quick):
    """Yield all of them."""
    yield from bank([e for e in BANK if e["dim"] == 1 and e["id"] != WRONG], "line")
    yield from bank([e for e in BANK if e["dim"] == 2], "plane")
    yield from certified(30)
    yield from sampled(20 if quick else 200)
