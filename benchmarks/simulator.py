"""Time the simulator against plain PyTorch loops, a vmapped one and torchgan's trainer.

    python benchmarks/simulator.py [--task one-d ring grid] [--members 1 8 128] [--repeats 7]

Every figure is a ratio of gan-steps per second of CPU time (one D and one G update of one member)
on one thread, with the two sides taking turns in the same process: medians over the repeats, with
their range. The customary plain loop is `torch.nn` modules, autograd and `torch.optim.Adam` as
tutorials have them; the careful one makes one pass of D over both halves of a minibatch, builds no
graph for fakes that only D learns from, and has the fused Adam.
"""

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
import types
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn

from simulations.data import grid, ring
from simulations.ensembles import Member, Recipe, initial_state
from simulations.networks import Affine, Mlp
from simulations.streams import CHUNK
from simulations.train import engine

# task, members -> (least, aim), against the customary loop
BARS = {
    ("one-d", 128): (8.0, 15.0),
    ("ring", 8): (1.6, 2.3),
    ("grid", 8): (1.6, 2.3),
    ("one-d", 1): (2.5, None),
    ("ring", 1): (1.5, None),
}
VMAP_BAR = 1.5  # one-d, 128 members


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


class PlainLoop:
    """The usual training loop of one GAN."""

    members = 1

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


class CarefulLoop(PlainLoop):
    """The same loop as one who looks at the profile writes it."""

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


class VmapLoop:
    """K members by torch.func: vmap(grad) of the plain loss, Adam on the stacked tensors."""

    def __init__(self, task, members):
        from torch.func import functional_call, grad, stack_module_state, vmap

        torch.manual_seed(0)
        self.task, self.members = task, members
        pairs = [modules(task) for _ in range(members)]
        g, d = pairs[0]
        self.theta = stack_module_state([pair[0] for pair in pairs])[0]
        self.psi = stack_module_state([pair[1] for pair in pairs])[0]
        self.moments = {
            id(p): {k: (torch.zeros_like(v), torch.zeros_like(v)) for k, v in p.items()}
            for p in (self.theta, self.psi)
        }
        self.count = 0
        bce = nn.functional.binary_cross_entropy_with_logits
        ones, zeros = torch.ones(task.batch, 1), torch.zeros(task.batch, 1)

        def d_loss(psi, theta, real, z):
            fake = functional_call(g, theta, (z,)).detach()
            to_real, to_fake = (functional_call(d, psi, (x,)) for x in (real, fake))
            return bce(to_real, ones) + bce(to_fake, zeros)

        def g_loss(theta, psi, z):
            return bce(functional_call(d, psi, (functional_call(g, theta, (z,)),)), ones)

        self.d_grad, self.g_grad = vmap(grad(d_loss)), vmap(grad(g_loss))

    @torch.no_grad()
    def adam(self, parameters, gradients, rate):
        correction1, correction2 = 1 - 0.9**self.count, 1 - 0.999**self.count
        for name, p in parameters.items():
            m, v = self.moments[id(parameters)][name]
            m.lerp_(gradients[name], 0.1)
            v.mul_(0.999).addcmul_(gradients[name], gradients[name], value=0.001)
            p.addcdiv_(m, (v / correction2).sqrt().add_(1e-8), value=-rate / correction1)

    def run(self, steps):
        shape = self.members, self.task.batch
        for _ in range(steps):
            self.count += 1
            real = self.task.real.sample(shape[0] * shape[1], None, torch.float32)
            real = real.reshape(*shape, -1)
            z, again = torch.randn(2, *shape, self.task.latent)
            self.adam(self.psi, self.d_grad(self.psi, self.theta, real, z), self.task.rates[1])
            self.adam(self.theta, self.g_grad(self.theta, self.psi, again), self.task.rates[0])


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


class Torchgan:
    """torchgan's own trainer step on the same toy networks, fed by the same sampler."""

    members = 1

    def __init__(self, task):
        trainer, models, losses = torchgan_parts()
        plain_g, plain_d = modules(task)

        class ToyGenerator(models.Generator):
            def __init__(self):
                super().__init__(encoding_dims=task.latent, label_type="none")
                self.net = plain_g

            def forward(self, z):
                return self.net(z)

        class ToyDiscriminator(models.Discriminator):
            def __init__(self):
                super().__init__(input_dims=task.real.dim, label_type="none")
                self.net = plain_d

            def forward(self, x, feature_matching=False):
                return self.net(x)

        adam = torch.optim.Adam
        networks = {
            "generator": {
                "name": ToyGenerator,
                "optimizer": {"name": adam, "args": {"lr": task.rates[0]}},
            },
            "discriminator": {
                "name": ToyDiscriminator,
                "optimizer": {"name": adam, "args": {"lr": task.rates[1]}},
            },
        }
        criteria = [losses.MinimaxGeneratorLoss(), losses.MinimaxDiscriminatorLoss()]
        self.trainer = trainer(
            networks, criteria, device=torch.device("cpu"), sample_size=8, epochs=1,
            checkpoints=tempfile.mkdtemp() + "/none", retain_checkpoints=0, log_dir=None,
        )  # fmt: skip
        self.trainer.batch_size = task.batch
        self.task = task

    def run(self, steps):
        for _ in range(steps):
            self.trainer.real_inputs = self.task.real.sample(self.task.batch, None, torch.float32)
            self.trainer.train_iter()


def torchgan_parts():
    """Import torchgan's parts; it hard-imports torchvision, which its losses never use."""
    for name in ("torchvision", "torchvision.utils", "torchvision.transforms"):
        if name not in sys.modules:
            try:
                __import__(name)
            except ImportError:
                sys.modules[name] = types.ModuleType(name)
    import torchgan.losses
    import torchgan.models
    import torchgan.trainer

    return torchgan.trainer.Trainer, torchgan.models, torchgan.losses


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


def report(name, rates, ratios, bar, rows):
    middle = statistics.median(ratios)
    least, aim = bar or (None, None)
    verdict = "" if least is None else ("meets" if middle >= least else "MISSES") + f" {least}x"
    aimed = f", aim {aim}x" if aim else ""
    print(
        f"{name:34s} {middle:6.2f}x [{ratios[0]:.2f}, {ratios[-1]:.2f}]  "
        f"{rates[1]:8.0f} vs {rates[0]:7.0f} gan-steps/s  {verdict}{aimed}",
        flush=True,
    )
    rows.append({"what": name, "ratio": middle, "range": [ratios[0], ratios[-1]], "rates": rates})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--members", nargs="+", type=int, default=None)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU time of one turn")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda: a captured graph")
    parser.add_argument("--peers", action="store_true", help="also vmap and torchgan")
    parser.add_argument("--json", type=argparse.FileType("w"), help="also write the figures here")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    print(f"torch {torch.__version__}, {platform.processor() or platform.machine()}, one thread")
    for name in arguments.task:
        task = TASKS[name]
        for members in arguments.members or (1, 8, 128 if name == "one-d" else 16):
            sides = (
                PlainLoop(task, arguments.device),
                Ours(task, members, device=arguments.device),
            )
            measured = compare(*sides, arguments.repeats, arguments.seconds)
            bar = BARS.get((name, 8 if name != "one-d" and members >= 8 else members))
            report(f"{name}, K={members}, against customary", *measured, bar, rows)
            sides = (
                CarefulLoop(task, arguments.device),
                Ours(task, members, device=arguments.device),
            )
            measured = compare(*sides, arguments.repeats, arguments.seconds)
            report(f"{name}, K={members}, against careful", *measured, None, rows)
        if arguments.peers:
            sides = PlainLoop(task), Ours(task, 8, "reference")
            measured = compare(*sides, arguments.repeats, arguments.seconds)
            report(f"{name}, K=8, reference path", *measured, None, rows)
            if name == "one-d":
                sides = VmapLoop(task, 128), Ours(task, 128)
                measured = compare(*sides, arguments.repeats, arguments.seconds)
                report("one-d, K=128, against vmap", *measured, (VMAP_BAR, None), rows)
            try:
                sides = Torchgan(task), Ours(task, 8)
            except ImportError as error:
                print(f"torchgan left out ({error}); pip install --no-deps torchgan==0.1.0")
            else:
                measured = compare(*sides, arguments.repeats, arguments.seconds)
                report(f"{name}, K=8, against torchgan", *measured, None, rows)
    if arguments.json:
        json.dump({"torch": torch.__version__, "figures": rows}, arguments.json, indent=1)


if __name__ == "__main__":
    main()
