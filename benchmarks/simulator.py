"""How fast the simulator trains, against a customary and a careful plain PyTorch loop.

Every figure is a ratio of gan-steps per second of CPU time (one D and one G update of one member)
on one thread, with the two sides taking turns in the same process: medians over the repeats, with
their range. The customary plain loop is `torch.nn` modules, autograd and `torch.optim.Adam` as
tutorials have them; the careful one makes one pass of D over both halves of a minibatch, builds no
graph for fakes that only D learns from, and has the fused Adam.
"""

import statistics
import time
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn

from benchmarks.figures import Figure
from simulations.data import grid, ring
from simulations.ensembles import Member, Recipe, initial_state
from simulations.networks import Affine, Mlp
from simulations.streams import CHUNK
from simulations.train import engine


@dataclass(frozen=True)
class Normal:
    """The normal law of the one-dimensional toy."""

    loc: float = 2.0
    dim: int = 1

    def sample(self, n, generator, dtype):
        return torch.randn(n, 1, generator=generator, dtype=dtype) + self.loc


@dataclass(frozen=True)
class Task:
    """One toy: data, networks, minibatch and rates."""

    real: object
    discriminator: Mlp
    generator: Mlp | Affine
    batch: int
    rates: tuple[float, float] = (1e-3, 1e-4)  # of G and of D

    @property
    def latent(self):
        return self.generator.inputs


WIDE = Mlp((2, 128, 128, 2)), Mlp((2, 128, 128, 1))
TASKS = {
    "one-d": Task(Normal(), Mlp((1, 32, 32, 1)), Affine(), 256),
    "ring": Task(ring(), WIDE[1], WIDE[0], 512),
    "grid": Task(grid(), WIDE[1], WIDE[0], 512),
}


class Shift(nn.Module):
    """x = loc + scale z, as a plain module."""

    def __init__(self):
        super().__init__()
        self.loc = nn.Parameter(torch.zeros(1))
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, z):
        return self.loc + self.scale * z


def modules(task):
    """Return the task's generator and discriminator as plain modules."""

    def mlp(sizes):
        layers = []
        for i, o in pairwise(sizes):
            layers += [nn.Linear(i, o), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    g = Shift() if isinstance(task.generator, Affine) else mlp(task.generator.sizes)
    return g, mlp(task.discriminator.sizes)


class CustomaryLoop:
    """The usual training loop of one GAN."""

    called, members = "customary loop", 1

    def __init__(self, task, device="cpu"):
        torch.manual_seed(0)
        self.task, self.device = task, device
        self.g, self.d = (network.to(device) for network in modules(task))
        self.g_optimiser = torch.optim.Adam(self.g.parameters(), lr=task.rates[0])
        self.d_optimiser = torch.optim.Adam(self.d.parameters(), lr=task.rates[1])
        self.loss = nn.BCEWithLogitsLoss()
        self.ones = torch.ones(task.batch, 1, device=device)
        self.zeros = torch.zeros_like(self.ones)
        self.source = torch.Generator().manual_seed(0)

    def latent(self):
        shape = self.task.batch, self.task.latent
        return torch.randn(shape, generator=self.source).to(self.device)

    def run(self, steps):
        for _ in range(steps):
            real = self.task.real.sample(self.task.batch, self.source, torch.float32)
            real = real.to(self.device)
            fake = self.g(self.latent()).detach()
            loss = self.loss(self.d(real), self.ones) + self.loss(self.d(fake), self.zeros)
            self.d_optimiser.zero_grad()
            loss.backward()
            self.d_optimiser.step()
            loss = self.loss(self.d(self.g(self.latent())), self.ones)
            self.g_optimiser.zero_grad()
            loss.backward()
            self.g_optimiser.step()


class CarefulLoop(CustomaryLoop):
    """The same loop as one who looks at the profile writes it."""

    called = "careful loop"

    def __init__(self, task, device="cpu"):
        super().__init__(task, device)
        for name, network, rate in zip("gd", (self.g, self.d), task.rates, strict=True):
            fused = torch.optim.Adam(network.parameters(), lr=rate, fused=True)
            setattr(self, f"{name}_optimiser", fused)
        self.labels = torch.cat([self.ones, self.zeros])
        self.d_parameters = list(self.d.parameters())

    def run(self, steps):
        for _ in range(steps):
            real = self.task.real.sample(self.task.batch, self.source, torch.float32)
            with torch.no_grad():
                both = torch.cat([real.to(self.device), self.g(self.latent())])
            self.d_optimiser.zero_grad(set_to_none=True)
            (2 * self.loss(self.d(both), self.labels)).backward()  # a mean over both halves
            self.d_optimiser.step()
            for parameter in self.d_parameters:
                parameter.requires_grad_(False)
            self.g_optimiser.zero_grad(set_to_none=True)
            self.loss(self.d(self.g(self.latent())), self.ones).backward()
            self.g_optimiser.step()
            for parameter in self.d_parameters:
                parameter.requires_grad_(True)


class Ours:
    """The simulator, by either path."""

    def __init__(self, task, members, path="fast", device="cpu"):
        self.members = members
        recipe = Recipe(
            task.discriminator,
            task.generator,
            steps=10**9,
            batch=task.batch,
            dtype=torch.float32,
            device=device,
        )
        g, d = task.rates
        ensemble = [
            Member(task.real, seed=k, generator_rate=g, discriminator_rate=d)
            for k in range(members)
        ]
        self.state = initial_state(ensemble, recipe)
        self.engine = engine(ensemble, recipe, path)

    def run(self, steps):
        for _ in range(steps // CHUNK):
            self.engine.advance(self.state, CHUNK)


# the least ratio that is good enough, by loop, task and members
BARS = {
    (CustomaryLoop, "one-d", 1): 2.5,
    (CustomaryLoop, "one-d", 128): 11.0,
    (CarefulLoop, "one-d", 128): 7.5,
    (CustomaryLoop, "ring", 1): 1.5,
    (CustomaryLoop, "ring", 8): 1.65,
    (CarefulLoop, "ring", 8): 1.5,
    (CustomaryLoop, "grid", 8): 1.6,
}


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


def peak(repeats=5):
    """Return the operations a second of one thread's largest products in float32, the best seen."""
    a, b = torch.randn(2, 1024, 1024)
    out, seconds = torch.empty_like(a), []
    for _ in range(repeats):
        begin = time.process_time()
        torch.mm(a, b, out=out)
        seconds.append(time.process_time() - begin)
    return 2 * 1024**3 / min(seconds)


def clock():
    """Return CPU seconds, or on a GPU, where the CPU waits, seconds by the wall."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def compare(first, second, repeats, seconds):
    """Return the ratios of gan-steps per second, the two taking turns."""
    counts = []
    for side in (first, second):
        side.run(CHUNK)
        begin = clock()
        side.run(CHUNK)
        spent = clock() - begin
        counts.append(CHUNK * max(1, round(seconds / spent)))
    rates = [[], []]
    for _ in range(repeats):
        for rate, side, count in zip(rates, (first, second), counts, strict=True):
            begin = clock()
            side.run(count)
            rate.append(count * side.members / (clock() - begin))
    ratios = sorted(b / a for a, b in zip(*rates, strict=True))
    return [statistics.median(rate) for rate in rates], ratios


def figure(what, measured, bar=None, task=None):
    """Return the middle of some ratios, with their range, the rates, and our share of the peak."""
    (other, mine), ratios = measured
    note = f"{ratios[0]:.2f} to {ratios[-1]:.2f}; {mine:.0f} and {other:.0f} gan-steps/s"
    if task is not None:
        share = mine * operations_of_a_step(task) / peak()
        note += f"; {share:.0%} of the machine's measured matrix-product peak"
    return Figure(what, statistics.median(ratios), "times", bar, note=note)


def figures(quick):
    """Yield how many times as fast as the two plain loops the simulator is."""
    torch.set_num_threads(1)
    turns = (3, 0.2) if quick else (7, 1.0)  # how many, of how many seconds of CPU time
    for name, task in TASKS.items():
        for members in (1, 8, 128) if name == "one-d" else (1, 8):
            for loop in (CustomaryLoop, CarefulLoop):
                found = compare(loop(task), Ours(task, members), *turns)
                bar = BARS.get((loop, name, members))
                yield figure(f"{name}, K = {members}, ours / {loop.called}", found, bar, task)
