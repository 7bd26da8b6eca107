"""Everything that a GPU must show, in one run of at most six minutes that writes one JSON file.

    python benchmarks/gpu.py --out gpu.json
    python benchmarks/gpu.py --out try.json --device cpu --quick    # the same code, without a GPU

Each part has a time of its own. What fails is recorded with its traceback, what is ended before its
end is "cut short" and keeps what it has finished, and the next part goes on; the file is written
after every piece of a part, so that it holds them even where the whole run is killed.
"""

import argparse
import json
import math
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.gpu_equality import equality
from benchmarks.gpu_setting import Setting, seconds_of
from benchmarks.gpu_speed import anchors, graph, throughput
from gantheory.errors import GantheoryError
from simulations.counter import Counter
from simulations.experiments import NAMES
from simulations.settings import check_device
from simulations.streams import TRAINING

ROOT = Path(__file__).resolve().parent.parent


# --- the machine ---------------------------------------------------------------------------------


def environment(setting):
    found = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "tf32": torch.backends.cuda.matmul.allow_tf32,
    }
    if setting.device != "cpu":
        card = torch.cuda.get_device_properties(0)
        found |= {
            "card": card.name,
            "memory_gib": card.total_memory / 2**30,
            "multiprocessors": card.multi_processor_count,
            "capability": f"{card.major}.{card.minor}",
            "cuda": torch.version.cuda,
        }
    return found


def ceilings(setting):
    """Measure the rates of matrix products and of copies, on random numbers."""
    n, members = (256, 4) if setting.quick else (8192, 1000)
    least = 0.02 if setting.quick else 0.5
    for dtype in (torch.float32, torch.float64):
        a, b = torch.randn(2, n, n, dtype=dtype, device=setting.device)
        out = torch.empty_like(a)
        taken = seconds_of(partial(torch.mm, a, b, out=out), setting.device, least)
        setting.keep(f"mm {dtype} TFLOP/s", 2 * n**3 / taken / 1e12)
    rows, width = (64, 32) if setting.quick else (1024, 128)
    a = torch.randn(members, rows, width, device=setting.device)
    b = torch.randn(members, width, width, device=setting.device)
    out = torch.empty_like(a)
    taken = seconds_of(partial(torch.bmm, a, b, out=out), setting.device, least)
    setting.keep("bmm of the ring TFLOP/s", 2 * members * rows * width**2 / taken / 1e12)
    source = torch.randn(2**20 if setting.quick else 2**29, device=setting.device)
    target = torch.empty_like(source)
    taken = seconds_of(partial(target.copy_, source), setting.device, least)
    setting.keep("copy GB/s", 2 * source.numel() * 4 / taken / 1e9)  # read and written
    return setting.kept


# --- noise ---------------------------------------------------------------------------------------


def noise(setting):
    """Compare counted numbers of the device with the CPU's, and time them."""
    seeds = (0, 1, 2**32 + 5, 2**64 - 1)
    shape = (2, 1000 if setting.quick else 20_000, 2)
    here = Counter(seeds, TRAINING, 2**32 - 3, 6, "cpu")  # the step's second word counts up, too
    there = replace(here, device=setting.device)
    for kind, name in enumerate(("uniform", "normal")):
        a, b = here.draw(kind, 3, shape), there.draw(kind, 3, shape).cpu()
        found = {
            "numbers": a.numel(),
            "differing float64": int((a != b).sum()),
            "largest difference float64": float((a - b).abs().max()),
            "differing float32": int((a.float() != b.float()).sum()),
            "mean": float(b.mean()),
            "deviation": float(b.std()),
        }
        setting.keep(name, found)
    alone = replace(there, seeds=seeds[2:3]).draw(1, 3, shape).cpu()
    together = there.draw(1, 3, shape).cpu()[2:3]
    setting.keep("same alone and in company", bool(torch.equal(alone, together)))
    many = replace(there, seeds=tuple(range(4 if setting.quick else 1000)), first=0, steps=16)
    size = (1, 512, 2) if setting.quick else (6, 512, 1)
    numbers = many.steps * len(many.seeds) * math.prod(size)
    least = 0.01 if setting.quick else 0.2
    taken = seconds_of(partial(many.draw, 1, 2, size), setting.device, least)
    setting.keep("ns a normal, counted", taken / numbers * 1e9)
    draw = partial(torch.randn, numbers, device=setting.device)
    taken = seconds_of(draw, setting.device, least)
    setting.keep("ns a normal, torch.randn", taken / numbers * 1e9)
    return setting.kept


# --- the experiments -----------------------------------------------------------------------------


def experiments(setting):
    """Run every experiment in quick form on the device, side by side, and keep its verdicts."""
    names = NAMES[-1:] if setting.quick else NAMES
    most = max(setting.left - 10, 1)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        running = {name: started(name, folder, setting) for name in names}
        try:
            for name, process in running.items():
                found[name] = ended(process, Path(folder) / name, begin + most)
                setting.keep("experiments", found)
        finally:  # where this part is ended early, none goes on beside the next
            for process in running.values():
                process.kill()
                process.wait()
    setting.keep("all as expected", all(e.get("as expected") for e in found.values()))
    return setting.kept


def started(name, folder, setting):
    place = Path(folder) / name
    place.mkdir()
    arguments = ["simulate", name, "--quick", "--device", setting.device, "--json"]
    with (place / "stdout").open("w") as out, (place / "stderr").open("w") as err:
        return subprocess.Popen(
            [sys.executable, "-m", "gantheory", *arguments, "--out", str(place / "run")],
            cwd=ROOT, stdout=out, stderr=err, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip


def ended(process, place, deadline):
    """Wait for one experiment until ``deadline`` and return its verdicts."""
    try:
        status = process.wait(max(deadline - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        record = place / "run" / "record.json"
        done = json.loads(record.read_text())["measurements"] if record.exists() else []
        return {"error": "out of time", "cases done": [m["case"] for m in done]}
    try:
        report = json.loads((place / "stdout").read_text())
    except ValueError:
        said = (place / "stderr").read_text().strip()
        short = (
            said.splitlines()[-1:] if status == 2 else [said[-2000:]]
        )  # 2: one line for a person
        return {"error": "".join(short), "status": status}
    record = json.loads((place / "run" / "record.json").read_text())
    return {
        "as expected": report["as_expected"],
        "verdicts": len(report["verdicts"]),
        "unexpected": [v for v in report["verdicts"] if not v["as_expected"]],
        "seconds by case": {m["case"]: m["seconds"] for m in record["measurements"]},
    }


# --- the run -------------------------------------------------------------------------------------

# part -> function, and the seconds that it may take on a GPU
PARTS = {
    "environment": (environment, 20),
    "ceilings": (ceilings, 10),
    "noise": (noise, 45),
    "graph": (graph, 40),
    "throughput": (throughput, 170),
    "anchors": (anchors, 20),
    "equality": (equality, 70),
    "experiments": (experiments, 60),
}


WHOLE = 350  # seconds for all parts together
GRACE = 5  # seconds that a part has to see for itself that its time is over


class OutOfTime(BaseException):  # no part takes it for a failure of its own
    """This part's time is over."""


def expire(number, frame):
    raise OutOfTime


def run(parts, setting, write):
    """Run the parts one after the other, handing ``write`` all results after each piece of one."""
    results = {"device": setting.device, "quick": setting.quick}
    signal.signal(signal.SIGALRM, expire)
    end = time.monotonic() + WHOLE
    for name in parts:
        work, most = PARTS[name]
        most = min(most, math.floor(end - time.monotonic()) - GRACE)
        print(f"{name}: at most {most} s", flush=True)
        begin = time.monotonic()
        results[name] = finished(name, work, most, setting, results, write)
        results[name]["seconds"] = round(time.monotonic() - begin, 2)
        print(json.dumps(strict(results[name]))[:3000], flush=True)
        write(results)
    return results


def finished(name, work, most, setting, results, write):
    """Return what one part finds in ``most`` seconds, writing it piece by piece."""
    kept = {}

    def save():
        write(results | {name: kept | {"cut short": True}})

    if most + GRACE < 1:
        return {"cut short": True, "left out": "the time of the whole run is over"}
    own = replace(setting, deadline=time.monotonic() + most, kept=kept, save=save)
    options = {"roofs": results.get("ceilings")} if work is throughput else {}
    signal.alarm(most + GRACE)
    try:
        return work(own, **options)
    except OutOfTime:
        return kept | {"cut short": True}
    except Exception:  # whatever a part meets is its result, and the next part goes on
        error = traceback.format_exc()
        print(error, flush=True)
        return kept | {"error": error}
    finally:
        signal.alarm(0)


def strict(data):
    """Return data as strict JSON: numbers that are not finite become text."""
    if isinstance(data, dict):
        return {str(key): strict(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [strict(value) for value in data]
    if isinstance(data, float) and not math.isfinite(data):
        return str(data)
    return data


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the JSON file")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to try the code itself")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    given = parser.parse_args(arguments)
    try:
        check_device(given.device)
    except GantheoryError as error:
        parser.error(str(error))
    torch.set_num_threads(1)

    def write(results):
        text = json.dumps(strict(results), indent=1, allow_nan=False)
        beside = given.out.with_suffix(".part")
        beside.write_text(text, encoding="utf-8")
        beside.replace(given.out)

    results = run(given.parts, Setting(given.device, given.quick), write)
    failed = [name for name in given.parts if "error" in results[name]]
    short = [name for name in given.parts if results[name].get("cut short")]
    print(f"parts cut short: {', '.join(short) or 'none'}")
    print(f"failed parts: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
