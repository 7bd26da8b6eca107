"""How fast a GPU trains: steps a second, their share of its ceilings, and plain loops beside."""

import json
import time
from dataclasses import replace
from functools import partial

import torch

from benchmarks.gpu_setting import seconds_of, synchronize
from benchmarks.simulator import TASKS, CarefulLoop, operations_of_a_step
from simulations.data import Law, as_density
from simulations.ensembles import Member, Recipe, initial_state
from simulations.streams import CHUNK
from simulations.train import engine


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
    trainer.advance(state, 2)
    least = 0.01 if setting.quick else 0.2
    (workspace,) = trainer.workspaces.values()

    def one_by_one():
        with torch.no_grad():
            for operation in workspace.operations:
                operation()

    single = seconds_of(one_by_one, setting.device, least)
    with torch.no_grad():
        captured = seconds_of(workspace._step, setting.device, least)
    return {
        "graphs": len(workspace.graphs),
        "operations": len(workspace.operations),
        "us a step, captured": captured * 1e6,
        "us a step, call by call": single * 1e6,
    }


MEMBERS = 1, 100, 1_000, 10_000


def throughput(setting, roofs=None):
    """Measure gan-steps a second of both toys for more and more members.

    A cell that would outlast the part, by what the smaller one of its toy took, is left out.
    """
    for members in (1, 4) if setting.quick else MEMBERS:
        for name in ("one-d", "ring"):
            kinds = ["counter", "twister", "apart"] if members == 1000 else ["counter"]
            for kind in kinds:
                found = {"task": name, "members": members, "kind": kind}
                needed = expected_seconds(found, setting.kept.get("cells", ()))
                if needed > setting.left:
                    found["left out"] = f"about {needed:.0f} s, of {max(setting.left, 0):.0f} s"
                    setting.kept["cut short"] = True
                else:
                    found |= cell(name, members, kind, setting, roofs or {})
                setting.add("cells", found)
                print(json.dumps(found), flush=True)
    return setting.kept


MEASURED = 2.0  # seconds of a cell's steps that are timed


def expected_seconds(cell, before):
    """Return at most how long a cell takes, from the largest earlier one of its toy.

    What it takes beyond the steps that are timed grows no faster than the members.
    """
    done = [c for c in before if c["task"] == cell["task"] and "seconds" in c]
    if not done:
        return 10.0
    last = max(done, key=lambda c: (c["members"], c["seconds"]))
    rest = max(last["seconds"] - MEASURED, 0.0)
    return MEASURED + rest * cell["members"] / last["members"]


def cell(name, members, kind, setting, roofs):
    """Time one toy with so many members; a failure is the cell's own.

    ``kind`` says where numbers come from; "apart" leaves counted ones, and every call alone.
    """
    source = "counter" if kind == "apart" else kind
    found = {}
    on_gpu = setting.device != "cpu"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    begin = time.perf_counter()
    try:
        task = replace(TASKS[name], batch=32) if setting.quick else TASKS[name]
        trainer, state = ensemble(task, members, setting.device, source, kind != "apart")
        steps = 2 if setting.quick and source == "counter" else CHUNK
        trainer.advance(state, steps)
        synchronize(setting.device)
        found["seconds before"] = time.perf_counter() - begin
        least = 0.01 if setting.quick else MEASURED
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
    found["seconds"] = time.perf_counter() - begin
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
            setting.add("cells", found)
    return setting.kept
