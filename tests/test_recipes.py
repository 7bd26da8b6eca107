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
from simulations.updates import Adam, Sgd

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
        layers += [linear, nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def values(net):
    return torch.cat([part.detach().t().reshape(-1) for part in net.parameters()])


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
        if isinstance(rule, Adam):
            return torch.optim.Adam(net.parameters(), rate, (rule.beta1, rule.beta2), rule.epsilon)
        return torch.optim.SGD(net.parameters(), rate, momentum=rule.momentum)

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

    def g_objective(self, step):
        fake = self.g(self.samples[step]["latent"][-1])
        return self.g_loss(self.score(self.d(self.seen(fake, step, "fake_noise", -1))))

    def move(self, who, gradient):
        for part, slope in zip(self.nets[who].parameters(), gradient, strict=True):
            part.grad = slope.detach().clone()
        self.optimisers[who].step()
        if who == 0 and self.recipe.clip:
            with torch.no_grad():
                for part in self.d.parameters():
                    part.clamp_(-self.recipe.clip, self.recipe.clip)

    def gradients(self, step):
        objectives = self.d_objective(step), self.g_objective(step)
        return [
            torch.autograd.grad(objective, list(net.parameters()))
            for objective, net in zip(objectives, self.nets, strict=True)
        ]

    def run(self):
        before = None
        for step in range(STEPS):
            for optimiser, rate in zip(self.optimisers, RATES, strict=True):
                optimiser.param_groups[0]["lr"] = rate * FACTORS[self.recipe.schedule](step / STEPS)
            if self.recipe.order == "alternating":
                for k in range(self.recipe.discriminator_steps):
                    loss = self.d_objective(step, k)
                    self.move(0, torch.autograd.grad(loss, list(self.d.parameters())))
                loss = self.g_objective(step)
                self.move(1, torch.autograd.grad(loss, list(self.g.parameters())))
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
    theirs = Loop(loss, sigma, recipe, rows, samples).run()
    ours = last(train([member], recipe)).parameters
    for player, expected in zip(("discriminator", "generator"), theirs, strict=True):
        assert (ours[player][0] - expected).abs().max() < 1e-12
        assert (expected - rows[player]).abs().max() > 1e-3
