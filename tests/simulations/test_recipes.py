"""Every recipe against a plain loop of torch modules and optimisers, written here from scratch."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from gantheory.losses.loss import Loss
from simulations.data import Law, parse_density
from simulations.ensembles import Member, Recipe, initial_state
from simulations.minibatches import drawn
from simulations.networks import Mlp
from simulations.regularisers import GradientPenalty, ZeroCentred
from simulations.streams import CHUNK
from simulations.train import last, train
from simulations.updates import Adam, RmsProp, Sgd

GAMES = {"wasserstein": Loss("mean difference", real="t", fake="-t", generator="-t")}
STEPS, RATES = 70, (2e-2, 1e-2)  # past one chunk; of D and of G
MEMBER = Member(
    Law(parse_density("normal(2, 1)")), "minimax", seed=3,
    discriminator_rate=RATES[0], generator_rate=RATES[1],
)  # fmt: skip
PLAIN = Recipe(Mlp((1, 8, 1), "tanh"), Mlp((2, 8, 1), "tanh"), STEPS, batch=16, rule=Sgd())
PACKED = {"packing": 2, "discriminator": Mlp((2, 8, 1), "tanh")}

RECIPES = {  # name -> game, noise, what differs from the plain recipe
    "sgd": ("minimax", 0.0, {}),
    "momentum": ("non-saturating", 0.0, {"rule": Sgd(0.6)}),
    "adam, k = 3": ("non-saturating", 0.0, {"rule": Adam(0.5, 0.9), "discriminator_steps": 3}),
    "clipped, simultaneous": ("wasserstein", 0.0, {"order": "simultaneous", "clip": 0.2}),
    "clipped, cosine": ("wasserstein", 0.0, {"clip": 0.2, "schedule": "cosine"}),
    "extragradient": ("minimax", 0.0, {"order": "extragradient"}),
    "optimistic": ("minimax", 0.0, {"order": "optimistic", "schedule": "halfway"}),
    "R1": ("non-saturating", 0.0, {"regularisers": (ZeroCentred(2.0),)}),
    "R1 on a score that is not the output": (
        "f-gan-reverse-kl", 0.0, {"regularisers": (ZeroCentred(2.0),)},
    ),
    "R1 and R2, packed": (
        "non-saturating", 0.0,
        {**PACKED, "regularisers": (ZeroCentred(2.0), ZeroCentred(1.0, on="fake"))},
    ),
    "WGAN-GP": ("wasserstein", 0.0, {"regularisers": (GradientPenalty(),), "rule": Adam()}),
    "WGAN-GP, packed": ("wasserstein", 0.0, {**PACKED, "regularisers": (GradientPenalty(3.0),)}),
    "one-sided penalty": (
        "non-saturating", 0.0, {"regularisers": (GradientPenalty(5.0, 0.3, one_sided=True),)},
    ),
    "annealed noise": ("non-saturating", 0.5, {"annealing": "linear", "rule": Adam()}),
    "several steps of G": (
        "non-saturating", 0.3, {"generator_steps": 3, "discriminator_steps": 2, "averaging": 0.9},
    ),
    "RMSProp, clipped, k = 5": (
        # the last bias has gradient 0 up to rounding, which a small epsilon would blow up
        "wasserstein", 0.0, {"rule": RmsProp(0.9, 1e-2), "clip": 0.1, "discriminator_steps": 5},
    ),
    "weight decay, a rule each": (
        "minimax", 0.0, {"rule": (Sgd(0.5, weight_decay=0.1), RmsProp(weight_decay=0.2))},
    ),
    "AdamW": ("minimax", 0.0, {"rule": Adam(weight_decay=0.3, decoupled=True)}),
    "spectral norm": (
        "non-saturating", 0.0, {"discriminator": Mlp((1, 8, 8, 1), "tanh", norm="spectral")},
    ),
    "batch norm, averaged": (
        "non-saturating", 0.0,
        {"generator": Mlp((2, 8, 8, 1), "tanh", norm="batch"), "averaging": 0.95,
         "rule": Adam(epsilon=1e-2)},
    ),
    "packed, uniform latents": ("minimax", 0.0, {**PACKED, "latent": "uniform"}),
}  # fmt: skip

LOSSES = {  # game -> D's loss of its scores on real and fake, G's loss, score of an output
    "minimax": (
        lambda r, f: functional.softplus(-r).mean() + functional.softplus(f).mean(),
        lambda f: -functional.softplus(f).mean(), lambda v: v,
    ),
    "non-saturating": (
        lambda r, f: functional.softplus(-r).mean() + functional.softplus(f).mean(),
        lambda f: functional.softplus(-f).mean(), lambda v: v,
    ),
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda f: -f.mean(), lambda v: v),
    # D maximises E[t] on real and E[1 + log(-t)] on fake samples, for scores t = -exp(-v) < 0
    "f-gan-reverse-kl": (
        lambda r, f: -r.mean() - (1 + torch.log(-f)).mean(),
        lambda f: (1 + torch.log(-f)).mean(), lambda v: -torch.exp(-v),
    ),
}  # fmt: skip
FACTORS = {  # of a schedule, given the share of the run that is done
    "constant": lambda done: 1.0,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    "halfway": lambda done: min(1.0, 2 - 2 * done),
    "linear": lambda done: 1 - done,
}


def module(network, row):
    """Return a module with these initial values: weight (in, out) and bias of each layer."""
    layers = []
    for i, o in zip(network.sizes, network.sizes[1:], strict=False):
        linear = nn.Linear(i, o, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(row[: i * o].reshape(i, o).T)
            linear.bias.copy_(row[i * o : i * o + o])
        row = row[i * o + o :]
        if network.norm == "spectral":
            nn.utils.parametrize.register_parametrization(linear, "weight", Divided())
        layers += [linear, nn.Tanh()]
        if network.norm == "batch" and len(row) > 1 and len(layers) < 2 * len(network.sizes):
            layers.insert(-1, nn.BatchNorm1d(o, dtype=torch.float64))
            row = row[2 * o :]  # its scale is 1 and its shift 0 at first
    layers = layers[:-1]
    last = max(k for k, layer in enumerate(layers) if isinstance(layer, nn.Linear))
    return nn.Sequential(*layers[: last + 1])


class Divided(nn.Module):
    """A matrix over its largest singular value."""

    def forward(self, weight):
        return weight / torch.linalg.svdvals(weight)[0]


def originals(net):
    """Return the trained tensors in the order of a row: weight before bias."""
    parts = []
    for layer in net:
        if hasattr(layer, "parametrizations"):
            parts += [layer.parametrizations.weight.original, layer.bias]
        else:
            parts += list(layer.parameters())
    return parts


def values(net):
    return torch.cat([part.detach().t().reshape(-1) for part in originals(net)])


class Loop:
    """One GAN, trained as a paper's pseudocode reads."""

    def __init__(self, loss, sigma, recipe, rows, samples):
        self.d = module(recipe.discriminator, rows["discriminator"])
        self.g = module(recipe.generator, rows["generator"])
        self.d_loss, self.g_loss, self.score = LOSSES[loss]
        self.recipe, self.sigma, self.samples = recipe, sigma, samples
        self.optimisers = [
            self.optimiser(net, lr) for net, lr in zip(self.nets, RATES, strict=True)
        ]

    @property
    def nets(self):
        return self.d, self.g

    def optimiser(self, net, rate):
        rule = self.recipe.rule
        if isinstance(rule, tuple):
            rule = rule[net is self.g]
        own = {"lr": rate, "weight_decay": rule.weight_decay}
        if isinstance(rule, Adam):
            kind = torch.optim.AdamW if rule.decoupled else torch.optim.Adam
            return kind(net.parameters(), betas=(rule.beta1, rule.beta2), eps=rule.epsilon, **own)
        if isinstance(rule, RmsProp):
            return torch.optim.RMSprop(net.parameters(), alpha=rule.alpha, eps=rule.epsilon, **own)
        return torch.optim.SGD(net.parameters(), momentum=rule.momentum, **own)

    def seen(self, x, step, kind, k):
        """Return what D sees: instance noise added, packs side by side."""
        if self.sigma:
            factor = FACTORS[self.recipe.annealing](step / STEPS)
            x = x + factor * self.samples[step][kind][k]
        return torch.cat([x[i :: self.recipe.packing] for i in range(self.recipe.packing)], dim=1)

    def d_objective(self, step, k=0):
        draws = self.samples[step]
        real = self.seen(draws["real"][k], step, "real_noise", k)
        fake = self.seen(self.g(draws["latent"][k]).detach(), step, "fake_noise", k)
        loss = self.d_loss(*(self.score(self.d(x)) for x in (real, fake)))
        for penalty in self.recipe.regularisers:
            loss = loss + self.penalty(penalty, real, fake, draws.get("mix", [None] * (k + 1))[k])
        return loss

    def penalty(self, penalty, real, fake, mix):
        if isinstance(penalty, ZeroCentred):
            x = (real if penalty.on == "real" else fake).clone().requires_grad_()
        else:
            x = (mix * real + (1 - mix) * fake).requires_grad_()
        slope = torch.autograd.grad(self.score(self.d(x)).sum(), x, create_graph=True)[0]
        if isinstance(penalty, ZeroCentred):
            return penalty.weight / 2 * (slope**2).sum(1).mean()
        excess = slope.norm(dim=1) - penalty.target
        return penalty.weight * (excess.relu() if penalty.one_sided else excess).pow(2).mean()

    def g_objective(self, step, j=0):
        place = self.recipe.discriminator_steps + j
        fake = self.g(self.samples[step]["latent"][place])
        return self.g_loss(self.score(self.d(self.seen(fake, step, "fake_noise", place))))

    def move(self, who, gradient):
        for part, slope in zip(originals(self.nets[who]), gradient, strict=True):
            part.grad = slope.detach().clone()
        self.optimisers[who].step()
        if who == 0 and self.recipe.clip:
            with torch.no_grad():
                for part in self.d.parameters():
                    part.clamp_(-self.recipe.clip, self.recipe.clip)

    def gradients(self, step):
        objectives = self.d_objective(step), self.g_objective(step)
        return [
            torch.autograd.grad(objective, list(originals(net)))
            for objective, net in zip(objectives, self.nets, strict=True)
        ]

    def run(self):
        before, self.average = None, values(self.g)
        for step in range(STEPS):
            for optimiser, rate in zip(self.optimisers, RATES, strict=True):
                optimiser.param_groups[0]["lr"] = rate * FACTORS[self.recipe.schedule](step / STEPS)
            if self.recipe.order == "alternating":
                for k in range(self.recipe.discriminator_steps):
                    loss = self.d_objective(step, k)
                    self.move(0, torch.autograd.grad(loss, originals(self.d)))
                for j in range(self.recipe.generator_steps):
                    loss = self.g_objective(step, j)
                    self.move(1, torch.autograd.grad(loss, originals(self.g)))
                if self.recipe.averaging:
                    weight = self.recipe.averaging
                    self.average = weight * self.average + (1 - weight) * values(self.g)
                continue
            now = self.gradients(step)
            if self.recipe.order == "extragradient":
                here = [[part.detach().clone() for part in net.parameters()] for net in self.nets]
                self.both(now)
                now = self.gradients(step)
                for net, kept in zip(self.nets, here, strict=True):
                    for part, value in zip(net.parameters(), kept, strict=True):
                        part.data.copy_(value)
            moves = now
            if self.recipe.order == "optimistic" and before is not None:
                moves = [
                    [2 * a - b for a, b in zip(*pair, strict=True)]
                    for pair in zip(now, before, strict=True)
                ]
            before = now
            self.both(moves)
        return [values(net) for net in self.nets]

    def both(self, gradients):
        for who, gradient in enumerate(gradients):
            self.move(who, gradient)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_trains_as_an_independent_plain_loop_does(name):
    loss, sigma, changes = RECIPES[name]
    recipe = replace(PLAIN, **changes)
    member = replace(MEMBER, loss=GAMES.get(loss, loss), noise=sigma)
    start = initial_state([member], recipe)
    rows = {player: values[0] for player, values in start.parameters.items()}
    constant = replace(recipe, annealing="constant")  # the loop below anneals by itself
    chunks = [drawn([member], constant, step) for step in range(0, STEPS, CHUNK)]
    samples = [
        {kind: tensor[0, step % CHUNK] for kind, tensor in chunks[step // CHUNK].items()}
        for step in range(STEPS)
    ]
    loop = Loop(loss, sigma, recipe, rows, samples)
    theirs = loop.run()
    state = last(train([member], recipe))
    ours = state.parameters
    if recipe.averaging:
        averaged = state.averaged.parameters["generator"][0]
        assert (averaged - loop.average).abs().max() < 1e-12
        assert (averaged - ours["generator"][0]).abs().max() > 1e-3
    for player, expected in zip(("discriminator", "generator"), theirs, strict=True):
        assert (ours[player][0] - expected).abs().max() < 1e-12
        assert (expected - rows[player]).abs().max() > 1e-3
