"""The grid of 25 normals: which recipe covers all of it, on eight fresh seeds.

    python benchmarks/grid25.py --out grid25.json --seconds 290
    python benchmarks/grid25.py --out try.json --seconds 20 --device cpu --quick
    python benchmarks/grid25.py --route noise --out noise.json --seconds 240

`--route noise` (the non-saturating loss, instance noise that falls to nothing) and `--route pairs`
(the relativistic loss with R1 and R2, Huang et al., 2024, arXiv:2501.05441) first try their
candidates on two seeds each, then train the best one on eight seeds that played no part in the
choice. By default the candidate that was found so is trained, on eight seeds more. The file is
written after every part. The law is the published one (spacing 2, deviation 0.05) divided by four;
coverage and high quality do not see the scale.
"""

import argparse
import json
import math
import subprocess
import sys
import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import simulations.train as training
from simulations.coverage import SAMPLES, coverage
from simulations.data import grid
from simulations.ensembles import Member, Recipe
from simulations.networks import Mlp
from simulations.regularisers import ZeroCentred
from simulations.samples import fresh_samples
from simulations.streams import CHUNK
from simulations.train import last, train
from simulations.updates import Adam

LAW = grid(spacing=0.5, scale=0.0125)
SEEDS, TRIED = range(100, 108), range(2)
FRESH = 20_000
WIDTH, DEPTH = 128, 4
MOST = 400_000  # steps
FOUND = 0.35, (1e-3, 1e-3)  # noise, and rates of D and G: the best of `--route pairs`


def recipe(route, device, quick):
    """Return the recipe of a route; its steps are set by the time that is left."""
    hidden = (16,) * 2 if quick else (WIDTH,) * DEPTH
    common = {
        "discriminator": Mlp((2, *hidden, 1), activation="leaky", scale=0.1),
        "generator": Mlp((2, *hidden, 2), activation="leaky", scale=0.1),
        "steps": CHUNK,
        "schedule": "linear",
        "annealing": "early",
        "averaging": 0.999,
        "dtype": torch.float32,
        "device": device,
        "source": "twister" if device == "cpu" else "counter",
    }
    if route == "noise":
        return Recipe(**common, batch=64 if quick else 512, rule=Adam(0.5))
    penalties = ZeroCentred(0.002, "real"), ZeroCentred(0.002, "fake")
    return Recipe(
        **common, batch=64 if quick else 1024, rule=Adam(0.0, 0.99), regularisers=penalties
    )


def candidates(route, quick):
    """Return (deviation of the instance noise, rate of D, rate of G) of each candidate."""
    noises = (0.25, 0.5) if route == "noise" else (0.1, 0.35)
    rates = ((1e-3, 1e-3), (1e-3, 5e-4), (2e-3, 1e-3))[: 3 if route == "noise" else 2]
    return list(product(noises, rates))[: 2 if quick else None]


def members(route, chosen, seeds):
    """Return one member for each candidate and seed."""
    loss = "non-saturating" if route == "noise" else "relativistic"
    return [
        Member(LAW, loss, seed=seed, noise=noise, discriminator_rate=d, generator_rate=g)
        for noise, (d, g) in chosen
        for seed in seeds
    ]


def trained(team, how, seconds, path="captured"):
    """Train for about so many seconds; return the state, the recipe and what it took."""
    if path == "eager":
        training.can_capture = lambda members, recipe: False
    begin = time.monotonic()
    times = []
    for _ in train(team, replace(how, steps=6 * CHUNK)):  # the first captures graphs and compiles
        synchronize(how.device)
        times.append(time.monotonic())
    each = (times[-1] - times[1]) / (len(times) - 2) / CHUNK
    left = 0.9 * seconds - 2 * (times[0] - begin) - (times[-1] - times[0])
    steps = max(1, min(MOST, int(left / each)) // CHUNK) * CHUNK
    how = replace(how, steps=steps)
    return last(train(team, how)), how, time.monotonic() - begin


def synchronize(device):
    if device != "cpu":
        torch.cuda.synchronize()


def judged(state, how, team):
    """Return what every member covers, by the generator itself and by its running average."""
    found = []
    for name, seen in (("last", state), ("averaged", state.averaged)):
        for member, points in zip(team, fresh_samples(seen, how, team, FRESH), strict=True):
            at = points.double().numpy()
            whole, few = coverage(at, LAW), coverage(at[:SAMPLES], LAW)
            found.append({
                "weights": name, "seed": member.seed, "noise": member.noise,
                "rates": [member.discriminator_rate, member.generator_rate],
                "modes": few.modes, "modes of all": whole.modes,
                "quality": whole.quality.value, "reverse_kl": _number(whole.reverse_kl),
            })  # fmt: skip
    return found


def _number(value):
    return value if math.isfinite(value) else None


def merit(rows):
    """Return what ranks a candidate: its poorest seed's modes, quality, and evenness of shares."""
    kls = [math.inf if row["reverse_kl"] is None else row["reverse_kl"] for row in rows]
    return min(row["modes"] for row in rows), min(row["quality"] for row in rows), -max(kls)


def run(route, seconds, device, quick, out):
    """Try the candidates, then confirm the best one; write the file after each part."""
    begin, how, tried = time.monotonic(), recipe(route, device, quick), candidates(route, quick)
    team = members(route, tried, TRIED)
    state, used, spent = trained(team, how, 0.4 * seconds)
    rows = judged(state, used, team)
    record = {
        "route": route, "recipe": repr(used), "explored": rows, "explored steps": used.steps,
        "explored seconds": round(spent, 1),
    }  # fmt: skip
    write(out, record)
    best = max(
        product(tried, ("last", "averaged")),
        key=lambda pair: merit([
            row for row in rows
            if row["weights"] == pair[1] and (row["noise"], tuple(row["rates"])) == pair[0]
        ]),
    )  # fmt: skip
    team = members(route, [best[0]], SEEDS)
    state, used, spent = trained(team, how, seconds - (time.monotonic() - begin) - 3)
    final = judged(state, used, team)
    record |= {
        "chosen": {"noise": best[0][0], "rates": best[0][1], "weights": best[1]},
        "confirmed": final, "confirmed steps": used.steps, "confirmed seconds": round(spent, 1),
    }  # fmt: skip
    write(out, record)
    kept = [row for row in final if row["weights"] == best[1]]
    modes, worst = [row["modes"] for row in kept], min(row["quality"] for row in kept)
    chosen = f"noise {best[0][0]}, rates {best[0][1]}, {best[1]} weights, {used.steps} steps"
    print(f"{route}: {chosen}: modes {modes}, lowest quality {worst:.3f}", flush=True)


def write(path, record):
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def confirm(seconds, device, quick, out, seeds, path):
    """Train the recipe that was found, on seeds of their own; write what it covers."""
    begin, how = time.monotonic(), recipe("pairs", device, quick)
    team = members("pairs", [FOUND], seeds)
    state, used, spent = trained(team, how, seconds - 4, path)
    rows = judged(state, used, team)
    write(out, {
        "card": torch.cuda.get_device_name() if device != "cpu" else "cpu",
        "torch": torch.__version__, "recipe": repr(used), "noise": FOUND[0], "rates": FOUND[1],
        "loss": "relativistic", "steps": used.steps, "engine": path,
        "training seconds": round(spent, 1), "seconds": round(time.monotonic() - begin, 1),
        "seeds": rows,
    })  # fmt: skip
    for name in ("last", "averaged"):
        kept = [row for row in rows if row["weights"] == name]
        print(f"pairs, {used.steps} steps, {name}: modes {[row['modes'] for row in kept]}, quality "
              f"{[round(row['quality'], 3) for row in kept]}", flush=True)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("grid25.json"))
    parser.add_argument("--seconds", type=float, default=290)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="tiny: to see that all runs")
    parser.add_argument("--route", choices=("noise", "pairs"))
    parser.add_argument("--first-seed", type=int, default=200)
    parser.add_argument("--path", choices=("captured", "eager"))
    options = parser.parse_args()
    where = options.device, options.quick, options.out
    if options.route:
        run(options.route, options.seconds, *where)
        return 0
    seeds = range(options.first_seed, options.first_seed + 8)
    if options.path:
        confirm(options.seconds, *where, seeds, options.path)
        return 0
    begin, status = time.monotonic(), 1
    for path in ("captured", "eager"):  # in processes of their own: one may spoil its device
        left = options.seconds - (time.monotonic() - begin) - 5
        line = [sys.executable, __file__, "--path", path, "--seconds", str(left), "--out",
                str(options.out), "--device", options.device, "--first-seed",
                str(options.first_seed), *(["--quick"] if options.quick else [])]  # fmt: skip
        status = subprocess.call(line)
        if status == 0:
            break
    return status


if __name__ == "__main__":
    sys.exit(main())
