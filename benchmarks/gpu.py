"""Everything that a GPU must show, in one run of at most six minutes that writes one JSON file.

    python benchmarks/gpu.py --out gpu.json
    python benchmarks/gpu.py --out try.json --device cpu --quick    # the same code, without a GPU

Each part has a time of its own. What fails is recorded with its traceback, the file is written
after every part, and the next part goes on.
"""

import argparse
import json
import math
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.simulator import TASKS, CarefulLoop
from simulations.counter import Counter
from simulations.data import Law, as_density, ring
from simulations.ensembles import Member, Recipe, initial_state
from simulations.experiments import NAMES
from simulations.fast import Fast, is_fast
from simulations.fused import together
from simulations.networks import Affine, Mlp
from simulations.regularisers import ZeroCentred
from simulations.streams import CHUNK, TRAINING
from simulations.train import engine, last, train
from simulations.updates import Adam, RmsProp, Sgd

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Setting:
    """Where the parts run, whether at tiny sizes, and when the part at work must end."""

    device: str
    quick: bool
    deadline: float = math.inf

    @property
    def left(self):
        return self.deadline - time.monotonic()


def synchronize(device):
    if device != "cpu":
        torch.cuda.synchronize()


def seconds_of(work, device, least=0.5, most=200):
    """Return the median seconds of a call, after one that is not counted."""
    work()
    synchronize(device)
    spent = []
    while sum(spent) < least and len(spent) < most:
        begin = time.perf_counter()
        work()
        synchronize(device)
        spent.append(time.perf_counter() - begin)
    return statistics.median(spent)


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
    found = {}
    for dtype in (torch.float32, torch.float64):
        a, b = torch.randn(2, n, n, dtype=dtype, device=setting.device)
        out = torch.empty_like(a)
        taken = seconds_of(partial(torch.mm, a, b, out=out), setting.device, least)
        found[f"mm {dtype} TFLOP/s"] = 2 * n**3 / taken / 1e12
    rows, width = (64, 32) if setting.quick else (1024, 128)
    a = torch.randn(members, rows, width, device=setting.device)
    b = torch.randn(members, width, width, device=setting.device)
    out = torch.empty_like(a)
    taken = seconds_of(partial(torch.bmm, a, b, out=out), setting.device, least)
    found["bmm of the ring TFLOP/s"] = 2 * members * rows * width**2 / taken / 1e12
    source = torch.randn(2**20 if setting.quick else 2**29, device=setting.device)
    target = torch.empty_like(source)
    taken = seconds_of(partial(target.copy_, source), setting.device, least)
    found["copy GB/s"] = 2 * source.numel() * 4 / taken / 1e9  # read and written
    return found


# --- noise ---------------------------------------------------------------------------------------


def noise(setting):
    """Compare counted numbers of the device with the CPU's, and time them."""
    seeds = (0, 1, 2**32 + 5, 2**64 - 1)
    shape = (2, 1000 if setting.quick else 20_000, 2)
    here = Counter(seeds, TRAINING, 2**32 - 3, 6, "cpu")  # the step's second word counts up, too
    there = replace(here, device=setting.device)
    found = {}
    for kind, name in enumerate(("uniform", "normal")):
        a, b = here.draw(kind, 3, shape), there.draw(kind, 3, shape).cpu()
        found[name] = {
            "numbers": a.numel(),
            "differing float64": int((a != b).sum()),
            "largest difference float64": float((a - b).abs().max()),
            "differing float32": int((a.float() != b.float()).sum()),
            "mean": float(b.mean()),
            "deviation": float(b.std()),
        }
    alone = replace(there, seeds=seeds[2:3]).draw(1, 3, shape).cpu()
    together = there.draw(1, 3, shape).cpu()[2:3]
    found["same alone and in company"] = bool(torch.equal(alone, together))
    many = replace(there, seeds=tuple(range(4 if setting.quick else 1000)), first=0, steps=16)
    size = (1, 512, 2) if setting.quick else (6, 512, 1)
    numbers = many.steps * len(many.seeds) * math.prod(size)
    taken = seconds_of(partial(many.draw, 1, 2, size), setting.device, least=0.2)
    found["ns a normal, counted"] = taken / numbers * 1e9
    taken = seconds_of(partial(torch.randn, numbers, device=setting.device), setting.device, 0.2)
    found["ns a normal, torch.randn"] = taken / numbers * 1e9
    return found


# --- equal to the CPU ----------------------------------------------------------------------------

LOSSES = "minimax", "non-saturating", "minimax", "reverse-kl", "least-squares-01"
LINE = [
    Member(
        Law(as_density(f"normal({1 + k / 2}, 1)")),
        loss,
        seed=k,
        discriminator_rate=1e-2,
        generator_rate=3e-3 * (1 + k),
        noise=0.1 * (k == 1),
    )
    for k, loss in enumerate(LOSSES)
]
PLANE = [replace(member, real=ring(), noise=0.0) for member in LINE]
TOY = Recipe(Mlp((1, 16, 16, 1)), Affine(), steps=70, batch=64)
WIDE = {
    "discriminator": Mlp((2, 128, 128, 1)),
    "generator": Mlp((2, 128, 128, 2)),
    # Adam divides a gradient that cancels to a rounding by its own size, and so moves a parameter
    # by a whole rate this way or that; a larger ε keeps such out of the comparison.
    "rule": Adam(epsilon=1e-3),
}
CASES = {
    "line": (LINE, {}),
    "momentum": (LINE, {"rule": Sgd(0.5), "schedule": "cosine"}),
    "packed": (LINE, {"packing": 2, "discriminator": Mlp((2, 16, 1), "tanh"), "clip": 0.2}),
    "k=3": (LINE, {"discriminator_steps": 3, "latent": "uniform", "annealing": "linear"}),
    "rules": (LINE, {"rule": (RmsProp(epsilon=1e-3), Adam(weight_decay=0.1, decoupled=True)),
                     "generator_steps": 2, "averaging": 0.9}),
    "norms": (PLANE, {"discriminator": Mlp((2, 32, 32, 1), norm="spectral"), "steps": 20,
                      "generator": Mlp((2, 32, 2), norm="batch"), "order": "optimistic",
                      "rule": Sgd()}),
    "wide": (PLANE, {**WIDE, "batch": 128, "steps": 40}),
    "R1": (PLANE, {**WIDE, "steps": 20, "regularisers": (ZeroCentred(1.0),)}),
}  # fmt: skip
# After 20 to 70 steps at rates of 1e-2, the largest difference of a parameter.
BOUNDS = {torch.float64: 1e-10, torch.float32: 1e-3}


def equality(setting):
    """Train on the device by either path and source, and compare with the CPU's reference path."""
    rows = []
    for name, (members, changes) in CASES.items():
        for source in ("twister", "counter"):
            for dtype in BOUNDS:
                if setting.left < 5:
                    return {"cases": rows, "cut short": True}
                recipe = replace(TOY, dtype=dtype, source=source, **changes)
                rows += compared(name, members, recipe, setting)
    return {"cases": rows, "all within bounds": all(row["within"] for row in rows)}


def compared(name, members, recipe, setting):
    recipe = replace(recipe, steps=8) if setting.quick else recipe
    expected = last(train(members, recipe, path="reference"))
    start = initial_state(members, recipe)
    rows = []
    there = replace(recipe, device=setting.device)
    for path in ("fast", "fused", "reference") if is_fast(recipe) else ("reference",):
        if path == "fused":
            if recipe.source == "twister" or setting.device == "cpu" or setting.left < 20:
                continue  # it compiles, which takes seconds
            found = fused(members, there)
        else:
            found = last(train(members, there, path=path))
        largest = max(
            float((values - found.parameters[player].cpu()).abs().max())
            for player, values in expected.parameters.items()
        )
        moved = min(
            float((expected.parameters[player] - start.parameters[player]).abs().amax(1).min())
            for player in recipe.players
        )
        rows.append(
            {
                "case": name,
                "path": path,
                "source": recipe.source,
                "dtype": str(recipe.dtype),
                "steps": recipe.steps,
                "difference": largest,
                "least movement": moved,
                "within": largest <= min(BOUNDS[recipe.dtype], moved / 3),
            }
        )
    return rows


def fused(members, recipe):
    """Train with elementwise calls joined, as runs long enough to repay compiling do."""
    trainer, state = Fast(members, recipe), initial_state(members, recipe)
    trainer._workspace(len(members)).join = together
    while state.step < recipe.steps:
        trainer.advance(state, min(CHUNK, recipe.steps - state.step))
    return state


# --- speed ---------------------------------------------------------------------------------------


def ensemble(task, members, device, source, joined=True):
    """Return a toy's engine and its state before the first step."""
    recipe = Recipe(
        task.discriminator,
        task.generator,
        steps=10**9,
        batch=task.batch,
        dtype=torch.float32,
        device=device,
        source=source,
    )
    rate, slower = task.rates
    law = Law(as_density("normal(2, 1)")) if task.real.dim == 1 else task.real
    group = [
        Member(law, seed=k, generator_rate=rate, discriminator_rate=slower) for k in range(members)
    ]
    trainer = engine(group, recipe, "fast")
    if not joined:
        trainer._workspace(members).join = None
    return trainer, initial_state(group, recipe)


def operations_of_a_step(task):
    """Return the floating-point operations of one gan-step: products of matrices alone."""

    def passes(network):
        if not isinstance(network, Mlp):
            return 0, 0
        layers = [2 * i * o for i, o in network.shapes[::2]]
        return sum(layers), sum(layers[1:])  # one way, and back to the first layer's outputs

    critic, below = passes(task.discriminator)
    maker, beneath = passes(task.generator)
    of_d = 2 * (2 * critic + below) + maker
    of_g = 2 * maker + beneath + 2 * critic
    return task.batch * (of_d + of_g)


def traffic_of_a_step(trainer):
    """Return the bytes that one step's operations read and write, as if none were in a cache."""
    (workspace,) = trainer.workspaces.values()
    calls = [*workspace.operations, *(c for calls in workspace.slopes.values() for c in calls)]
    return sum(_bytes(call) for call in calls)


def _bytes(call):
    if not isinstance(call, partial):
        return 0
    owner = getattr(call.func, "__self__", None)
    given = [owner, *call.args, *call.keywords.values()]
    # calls that are joined take all their tensors as one list
    tensors = [t for x in given for t in (x if isinstance(x, list) else [x])]
    return sum(t.numel() * t.element_size() for t in tensors if isinstance(t, torch.Tensor))


def graph(setting):
    """Ask whether a step is captured, and how much faster it is than its calls one by one."""
    trainer, state = ensemble(
        TASKS["one-d"], 4 if setting.quick else 100, setting.device, "counter"
    )
    trainer.advance(state, 8)
    (workspace,) = trainer.workspaces.values()

    def one_by_one():
        with torch.no_grad():
            for operation in workspace.operations:
                operation()

    single = seconds_of(one_by_one, setting.device, 0.2)
    with torch.no_grad():
        captured = seconds_of(workspace._step, setting.device, 0.2)
    return {
        "graphs": len(workspace.graphs),
        "operations": len(workspace.operations),
        "us a step, captured": captured * 1e6,
        "us a step, call by call": single * 1e6,
    }


MEMBERS = 1, 100, 1_000, 10_000


def throughput(setting, roofs=None):
    """Measure gan-steps a second of both toys for more and more members."""
    cells = []
    for members in (1, 4) if setting.quick else MEMBERS:
        for name in ("one-d", "ring"):
            kinds = ["counter", "twister", "apart"] if members == 1000 else ["counter"]
            for kind in kinds:
                if setting.left < 10:
                    return {"cells": cells, "cut short": True}
                cells.append(cell(name, members, kind, setting, roofs or {}))
                print(json.dumps(cells[-1]), flush=True)
    return {"cells": cells}


def cell(name, members, kind, setting, roofs):
    """Time one toy with so many members; a failure is the cell's own.

    ``kind`` says where numbers come from; "apart" leaves counted ones, and every call alone.
    """
    source = "counter" if kind == "apart" else kind
    found = {"task": name, "members": members, "kind": kind}
    on_gpu = setting.device != "cpu"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    try:
        begin = time.perf_counter()
        task = replace(TASKS[name], batch=32) if setting.quick else TASKS[name]
        trainer, state = ensemble(task, members, setting.device, source, kind != "apart")
        steps = 8 if setting.quick and source == "counter" else CHUNK
        trainer.advance(state, steps)
        synchronize(setting.device)
        found["seconds before"] = time.perf_counter() - begin
        least = 0.01 if setting.quick else 2.0
        taken = seconds_of(partial(trainer.advance, state, steps), setting.device, least) / steps
    except (RuntimeError, MemoryError) as error:
        return found | {"error": f"{type(error).__name__}: {str(error)[:300]}"}
    rate = members / taken
    found |= {"gan-steps/s": rate, "us a step": taken * 1e6}
    found["TFLOP/s"] = rate * operations_of_a_step(task) / 1e12
    found["GB/s"] = traffic_of_a_step(trainer) / taken / 1e9 if on_gpu else None
    for share, achieved, roof in (
        ("share of mm", "TFLOP/s", "mm torch.float32 TFLOP/s"),
        ("share of bmm", "TFLOP/s", "bmm of the ring TFLOP/s"),
        ("share of copy", "GB/s", "copy GB/s"),
    ):
        if roofs.get(roof) and found[achieved]:
            found[share] = found[achieved] / roofs[roof]
    if on_gpu:
        found["peak GiB"] = torch.cuda.max_memory_allocated() / 2**30
    found["finite"] = bool(state.finite.all())
    return found


class DeviceLoop(CarefulLoop):
    """The careful plain loop of `benchmarks.simulator`, all its numbers made on the device."""

    def __init__(self, task, device):
        super().__init__(task, device)
        self.source = torch.Generator(device).manual_seed(0)
        self.real = points(task, device, self.source)

    def latent(self):
        shape = self.task.batch, self.task.latent
        return torch.randn(shape, generator=self.source, device=self.device)

    def run(self, steps):
        for _ in range(steps):
            with torch.no_grad():
                both = torch.cat([self.real(), self.g(self.latent())])
            self.step(both)

    def step(self, both):
        self.d_optimiser.zero_grad(set_to_none=True)
        (2 * self.loss(self.d(both), self.labels)).backward()
        self.d_optimiser.step()
        for parameter in self.d_parameters:
            parameter.requires_grad_(False)
        self.g_optimiser.zero_grad(set_to_none=True)
        self.loss(self.d(self.g(self.latent())), self.ones).backward()
        self.g_optimiser.step()
        for parameter in self.d_parameters:
            parameter.requires_grad_(True)


def points(task, device, source):
    """Return a function that makes one minibatch of a toy's data on a device."""
    options = {"generator": source, "device": device}
    if task.real.dim == 1:
        return lambda: torch.randn(task.batch, 1, **options) + 2
    centres = torch.tensor(task.real.centres, device=device)

    def sample():
        chosen = torch.randint(len(centres), (task.batch,), **options)
        return centres[chosen] + task.real.scale * torch.randn(task.batch, 2, **options)

    return sample


class CapturedLoop(DeviceLoop):
    """The same loop with its whole step captured as a graph, as torch's manual has it."""

    def __init__(self, task, device):
        super().__init__(task, device)
        for name, network, rate in zip("gd", (self.g, self.d), task.rates, strict=True):
            adam = torch.optim.Adam(network.parameters(), lr=rate, fused=True, capturable=True)
            setattr(self, f"{name}_optimiser", adam)
        self.graph = torch.cuda.CUDAGraph()
        self.graph.register_generator_state(self.source)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            super().run(3)
        torch.cuda.current_stream().wait_stream(side)
        with torch.cuda.graph(self.graph):
            super().run(1)

    def run(self, steps):
        for _ in range(steps):
            self.graph.replay()


def anchors(setting):
    """Time one GAN by plain torch on the device: a careful loop, and that loop as a graph."""
    cells = []
    kinds = (DeviceLoop,) if setting.device == "cpu" else (DeviceLoop, CapturedLoop)
    for name in ("one-d", "ring"):
        for kind in kinds:
            found = {"task": name, "loop": kind.__name__}
            try:
                loop = kind(TASKS[name], setting.device)
                steps = 2 if setting.quick else 100
                work = partial(loop.run, steps)
                least = 0.01 if setting.quick else 1.5
                found["gan-steps/s"] = steps / seconds_of(work, setting.device, least)
            except RuntimeError as error:
                found["error"] = f"{type(error).__name__}: {str(error)[:300]}"
            cells.append(found)
    return {"cells": cells}


# --- the experiments -----------------------------------------------------------------------------


def experiments(setting):
    """Run every experiment in quick form on the device, side by side, and keep its verdicts."""
    names = NAMES[-1:] if setting.quick else NAMES
    most = max(setting.left - 10, 1)
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        running = {name: started(name, folder, setting) for name in names}
        found = {}
        for name, process in running.items():
            found[name] = ended(process, Path(folder) / name, begin + most)
    return {"experiments": found, "all as expected": all(e.get("as expected")
                                                         for e in found.values())}  # fmt: skip


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
        return {"error": (place / "stderr").read_text()[-2000:], "status": status}
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


def expire(number, frame):
    raise TimeoutError("this part's time is over")


def run(parts, setting, write):
    """Run the parts one after the other, handing ``write`` all results after each."""
    results = {"device": setting.device, "quick": setting.quick}
    signal.signal(signal.SIGALRM, expire)
    for name in parts:
        work, most = PARTS[name]
        print(f"{name}: at most {most} s", flush=True)
        begin = time.monotonic()
        own = replace(setting, deadline=begin + most)
        options = {"roofs": results.get("ceilings")} if work is throughput else {}
        signal.alarm(most + 5)
        try:
            results[name] = work(own, **options)
        except Exception:  # whatever a part meets is its result, and the next part goes on
            results[name] = {"error": traceback.format_exc()}
            print(results[name]["error"], flush=True)
        finally:
            signal.alarm(0)
        results[name]["seconds"] = round(time.monotonic() - begin, 2)
        print(json.dumps(strict(results[name]))[:3000], flush=True)
        write(results)
    return results


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
    torch.set_num_threads(1)

    def write(results):
        text = json.dumps(strict(results), indent=1, allow_nan=False)
        beside = given.out.with_suffix(".part")
        beside.write_text(text, encoding="utf-8")
        beside.replace(given.out)

    results = run(given.parts, Setting(given.device, given.quick), write)
    failed = [name for name in given.parts if "error" in results[name]]
    print(f"failed parts: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
