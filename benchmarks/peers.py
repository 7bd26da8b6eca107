"""How fast the simulator trains, against torch.func's vmap and torchgan's own trainer.

Ratios of gan-steps per second of CPU time as in `simulator`. torchgan wants
``pip install --no-deps torchgan==0.1.0``; without it its figures are left out.
"""

import sys
import tempfile
import types

import torch
from torch import nn

from benchmarks.simulator import TASKS, CustomaryLoop, Ours, compare, figure, modules


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


def figures(quick):
    """Yield how many times as fast as each peer the simulator is, and its own reference path."""
    torch.set_num_threads(1)
    turns = (3, 0.2) if quick else (7, 1.0)
    for name, task in TASKS.items():
        found = compare(CustomaryLoop(task), Ours(task, 8, "reference"), *turns)
        yield figure(f"{name}, K = 8, reference path / customary loop", found)
        try:
            peer = Torchgan(task)
        except ImportError:
            continue
        yield figure(f"{name}, K = 8, ours / torchgan", compare(peer, Ours(task, 8), *turns))
    task = TASKS["one-d"]
    found = compare(VmapLoop(task, 128), Ours(task, 128), *turns)
    yield figure("one-d, K = 128, ours / vmap", found, 1.5)
