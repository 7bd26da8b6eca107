"""Critics that are constrained or compare pairs, trained by name."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import gantheory as gt
from gantheory.errors import GantheoryError
from gantheory.losses import CATALOGUE, CRITICS
from gantheory.losses.loss import Loss
from simulations.data import Law, as_density
from simulations.ensembles import Member, Recipe, initial_state
from simulations.minibatches import portions
from simulations.networks import Mlp
from simulations.regularisers import GradientPenalty, ZeroCentred
from simulations.runs import as_plain
from simulations.streams import Draw, generator_of
from simulations.train import engine, last, train
from simulations.trainable import is_paired, trainable
from simulations.updates import Sgd

P = Law(as_density("normal(1, 2)"))
HOW = Recipe(Mlp((1, 8, 1), "tanh"), Mlp((2, 8, 1), "tanh"), steps=7, batch=16, rule=Sgd())


def module(network, row):
    """A network of our ensembles as a torch module with the same numbers."""
    layers = [nn.Linear(i, o, dtype=torch.float64) for i, o in pairwise(network.sizes)]
    matrices = network.matrices(row[None])
    with torch.no_grad():
        for layer, weight, bias in zip(layers, matrices[::2], matrices[1::2], strict=True):
            layer.weight.copy_(weight[0].T)
            layer.bias.copy_(bias[0, 0])
    return nn.Sequential(layers[0], nn.Tanh(), layers[1])


def by_hand(member, how, d_loss, g_loss):
    """Train one member as anyone would, on the same numbers; return both rows."""
    start = initial_state([member], how)
    critic, maker = (
        module(network, start.parameters[player][0]) for player, network in how.networks.items()
    )
    moves = [
        torch.optim.SGD(net.parameters(), rate)
        for net, rate in ((critic, member.discriminator_rate), (maker, member.generator_rate))
    ]
    ((_, samples),) = portions([member], how, 0, how.steps)
    zero = torch.zeros((), dtype=torch.float64)
    for step in range(how.steps):
        at = {name: values[0, step] for name, values in samples.items()}
        for k in range(how.discriminator_steps):
            real = at["real"][k] + (at["real_noise"][k] if member.noise else zero)
            fake = maker(at["latent"][k]).detach() + (at["fake_noise"][k] if member.noise else zero)
            moves[0].zero_grad()
            d_loss(critic, real, fake, at.get("mix", [None] * 9)[k]).backward()
            moves[0].step()
        for j in range(how.generator_steps):
            k = how.discriminator_steps + j
            real = at["paired"][j] + (at["paired_noise"][j] if member.noise else zero)
            fake = maker(at["latent"][k]) + (at["fake_noise"][k] if member.noise else zero)
            moves[1].zero_grad()
            g_loss(critic(real), critic(fake)).backward()
            moves[1].step()
    return [
        torch.cat([x.T.flatten() if x.ndim == 2 else x for x in net.parameters()])
        for net in (critic, maker)
    ]


def softplus_of_pairs(real, fake):
    return functional.softplus(fake - real).mean()


def relativistic(critic, real, fake, mix):
    return softplus_of_pairs(critic(real), critic(fake))


def average(real, fake):
    ones, zeros = torch.ones_like(real), torch.zeros_like(fake)
    bce = functional.binary_cross_entropy_with_logits
    return bce(real - fake.mean(), ones) + bce(fake - real.mean(), zeros)


def r1_and_r2(critic, real, fake, mix):
    total = relativistic(critic, real, fake, mix)
    for x in (real, fake):
        x = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        total = total + 0.3 / 2 * slope.square().sum(1).mean()
    return total


@pytest.mark.parametrize(
    ("loss", "change", "d_loss", "g_loss"),
    [
        ("relativistic", {}, relativistic, lambda r, f: softplus_of_pairs(f, r)),
        ("relativistic", {"discriminator_steps": 3, "generator_steps": 2}, relativistic,
         lambda r, f: softplus_of_pairs(f, r)),
        ("RaGAN", {}, lambda c, r, f, m: average(c(r), c(f)), lambda r, f: average(f, r)),
        ("rpgan", {"regularisers": (ZeroCentred(0.3), ZeroCentred(0.3, "fake"))}, r1_and_r2,
         lambda r, f: softplus_of_pairs(f, r)),
    ],
)  # fmt: skip
def test_pairs_are_trained_as_a_plain_loop_of_torch_trains_them(loss, change, d_loss, g_loss):
    member = Member(P, loss, seed=5, noise=0.2, discriminator_rate=0.1, generator_rate=0.1)
    how = replace(HOW, **change)
    state = last(train([member], how))
    for player, row in zip(("discriminator", "generator"), by_hand(member, how, d_loss, g_loss),
                           strict=True):  # fmt: skip
        assert state.parameters[player][0].numpy() == pytest.approx(
            row.detach().numpy(), rel=1e-11, abs=1e-13
        )


def test_wgan_gp_by_name_is_the_published_penalty_on_the_means():
    def published(critic, real, fake, mix):
        between = (mix * real + (1 - mix) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        return (
            critic(fake).mean() - critic(real).mean() + 10 * (slope.norm(dim=1) - 1).square().mean()
        )

    how = replace(HOW, regularisers=(GradientPenalty(10),), generator_steps=1)
    member = Member(P, "wgan-gp", seed=2)
    start = initial_state([member], how)
    critic = module(how.discriminator, start.parameters["discriminator"][0])
    maker = module(how.generator, start.parameters["generator"][0])
    ((_, samples),) = portions([member], how, 0, 1)
    real, mix = samples["real"][0, 0, 0], samples["mix"][0, 0, 0]
    fake = maker(samples["latent"][0, 0, 0]).detach()
    published(critic, real, fake, mix).backward()
    state = last(train([member], replace(how, steps=1, rule=Sgd(), train="discriminator")))
    moved = start.parameters["discriminator"][0] - state.parameters["discriminator"][0]
    slope = torch.cat([x.grad.T.flatten() if x.ndim == 2 else x.grad for x in critic.parameters()])
    assert moved.numpy() / member.discriminator_rate == pytest.approx(slope.numpy(), abs=1e-10)


def test_wgan_with_clipped_weights_takes_the_fast_path_and_both_paths_agree():
    how = replace(HOW, clip=0.05, steps=20)
    members = [Member(P, "WGAN", seed=k) for k in range(3)]
    assert type(engine(members, how)).__name__ == "Fast"
    fast, plain = (last(train(members, how, path=path)) for path in ("fast", "reference"))
    for player in fast.parameters:
        assert fast.parameters[player].numpy() == pytest.approx(
            plain.parameters[player].numpy(), abs=1e-12
        )


@pytest.mark.parametrize("source", ["twister", "counter"])
def test_who_compares_pairs_does_not_change_what_its_neighbours_draw(source):
    how = replace(HOW, source=source)
    alone, beside = (
        next(portions(team, how, 0, 7))[1]
        for team in ([Member(P, seed=1)], [Member(P, seed=1), Member(P, "relativistic", seed=2)])
    )
    for name, values in alone.items():
        assert torch.equal(values[0], beside[name][0])
    fresh = beside["paired"][1].flatten()
    assert not set(fresh.tolist()) & set(beside["real"][1].flatten().tolist())


def test_pairs_on_counted_numbers_train_too_and_the_noise_falls_on_all_samples():
    how = replace(HOW, source="counter", annealing="early")
    member = Member(P, "relativistic", seed=3, noise=0.5)
    ((_, samples),) = portions([member], how, 0, 7)
    assert (samples["paired_noise"][0, 4:] == 0).all()
    assert (samples["paired_noise"][0, :3] != 0).all()
    assert last(train([member], how)).finite.all()
    drawn = Draw(8, 1, 1, 1, "normal", torch.float64).chunk(
        P, None, 0.5, generator_of(0, 1), paired=True
    )
    assert abs(float(drawn["paired_noise"].std()) - 0.5) < 0.05


@pytest.mark.parametrize(
    ("loss", "change", "message"),
    [
        ("wgan", {}, r"needs a discriminator that is bounded \(f is 1-Lipschitz\).*clip=0.01"),
        ("wgan-gp", {}, r"give the recipe regularisers=\(GradientPenalty\(10\),\)$"),
        ("wgan-gp", {"clip": 0.1}, "needs a discriminator that is bounded"),
        ("fisher", {}, "derived but not trained"),
        ("mmd", {}, "derived but not trained"),
        ("conditional", {}, "needs a condition y beside the samples x.*condition=1"),
        ("wgann", {}, "unknown loss 'wgann'; did you mean"),
    ],
)
def test_a_critic_that_the_recipe_leaves_unbounded_is_refused_in_one_line(loss, change, message):
    with pytest.raises(GantheoryError, match=message):
        train([Member(P, loss)], replace(HOW, **change))


def test_the_fast_path_says_that_it_has_no_pairs():
    with pytest.raises(GantheoryError, match="compare no pairs"):
        train([Member(P, "relativistic")], HOW, path="fast")
    with pytest.raises(GantheoryError, match="has no parameters of its own"):
        trainable("wgan", {"k": 2.0})


def test_every_critic_of_the_catalogue_trains_or_says_why_not():
    how = replace(HOW, steps=2, regularisers=(GradientPenalty(10),))
    said = {}
    for name in CRITICS:
        try:
            state = last(train([Member(P, name)], how))
            said[name] = bool(state.finite.all())
        except GantheoryError as error:
            said[name] = str(error)
    assert "needs a condition" in said.pop("conditional")
    assert all(x is True or "not trained" in str(x) for x in said.values()), said
    trained = {name for name, x in said.items() if x is True}
    assert {"wasserstein", "wgan-gp", "relativistic", "relativistic-average"} <= trained
    assert {name for name in CRITICS if is_paired(name)} <= trained


def test_a_critic_is_recorded_by_what_it_is():
    assert (
        as_plain(Member(P, CRITICS["wasserstein"]))["loss"]["objective"] == "E_p[f(x)] - E_q[f(x)]"
    )
    rng = np.random.default_rng(0)
    real, fake = (torch.from_numpy(rng.normal(size=(2, 6))) for _ in range(2))
    loss = trainable("relativistic")
    assert loss.generator_loss(fake, real).shape == (2,)
    assert torch.equal(loss.discriminator_loss(real, fake), loss.generator_loss(real, fake))


def test_what_a_name_compares_is_what_stands_under_it_now():
    separable = Loss("mine-now", "t", "-t", "-t", domain="[-1, 1]")
    try:
        gt.register(separable)
        assert not is_paired("mine-now")
        gt.unregister(separable)
        paired = gt.register(replace(CRITICS["relativistic"], name="mine-now", aliases=()))
        assert is_paired("mine-now")
        gt.unregister(paired)
    finally:
        for table in (CATALOGUE, CRITICS):
            table.pop("mine-now", None)
