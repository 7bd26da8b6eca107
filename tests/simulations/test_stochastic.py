"""Dropout, conditions and several outputs, against plain loops that are written out here."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import gantheory as gt
from gantheory.errors import GantheoryError
from simulations.captured import can_capture
from simulations.data import Law, as_density, grid
from simulations.dropout import uniforms_per_pass
from simulations.ensembles import Member, Recipe, initial_state
from simulations.minibatches import portions
from simulations.modules import Stacked, as_network
from simulations.networks import Mlp
from simulations.points import points
from simulations.regularisers import ZeroCentred
from simulations.samples import fresh_samples
from simulations.streams import DROPOUT
from simulations.train import last, train
from simulations.updates import Sgd

F64 = {"dtype": torch.float64}
P = Law(as_density("normal(1, 2)"))


def philox(seed, stream, step, place):
    """Return the four words of one counter, in whole numbers of Python."""
    x, key = [place, step % 2**32, stream << 8, step >> 32], [seed % 2**32, seed >> 32]
    for _ in range(10):
        p, q = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(q >> 32) ^ x[1] ^ key[0], q % 2**32, (p >> 32) ^ x[3] ^ key[1], p % 2**32]
        key = [(key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32]
    return x


def uniforms(seed, pass_number, step, n, width):
    words = [w for place in range(-(-n * width // 4))
             for w in philox(seed, DROPOUT + pass_number, step, place)]  # fmt: skip
    return (torch.tensor(words[: n * width], **F64) + 0.5).reshape(n, width) / 2**32


def dropped(x, u, share):
    return x * (u >= share) / (1 - share)


def chain(inputs, outputs, *between):
    torch.manual_seed(inputs + 10 * outputs)
    return nn.Sequential(nn.Linear(inputs, 6, **F64), nn.Tanh(), *between,
                         nn.Linear(6, outputs, **F64))  # fmt: skip


def sgd_by_hand(nets, member, how, d_loss, g_loss, batches):
    """Move copies of (critic, maker) by plain gradient descent; return their parameters."""
    nets = [nn.Sequential(*net) for net in nets]
    rates = member.discriminator_rate, member.generator_rate
    for step in range(how.steps):
        at = {name: values[0, step] for name, values in batches.items()}
        for loss, net, rate in zip((d_loss, g_loss), nets, rates, strict=True):
            slopes = torch.autograd.grad(loss(step, at), list(net.parameters()))
            with torch.no_grad():
                for p, slope in zip(net.parameters(), slopes, strict=True):
                    p -= rate * slope
    return [torch.cat([p.detach().flatten() for p in net.parameters()]) for net in nets]


def test_dropout_is_that_of_a_plain_loop_with_masks_counted_by_hand():
    """D drops 0.3 before its last layer, G 0.5: seven passes a step, in the order of the text."""
    critic, maker = chain(1, 1, nn.Dropout(0.3)), chain(2, 1, nn.Dropout(0.5))
    how = Recipe(
        as_network(critic, (1,))[0], as_network(maker, (2,))[0], steps=3, batch=5, rule=Sgd(),
        regularisers=(ZeroCentred(0.7),),
    )  # fmt: skip
    member = Member(P, seed=2**40 + 7, discriminator_rate=0.3, generator_rate=0.2)
    ((_, batches),) = portions([member], how, 0, how.steps)

    def d(x, number, step):
        return critic[3](dropped(critic[1](critic[0](x)), uniforms(member.seed, number, step, 5, 6),
                                 0.3))  # fmt: skip

    def g(z, number, step):
        return maker[3](dropped(maker[1](maker[0](z)), uniforms(member.seed, number, step, 5, 6),
                                0.5))  # fmt: skip

    def d_loss(step, at):
        real, fake = at["real"][0], g(at["latent"][0], 1, step).detach()
        score = d(real, 2, step), d(fake, 3, step)
        x = real.clone().requires_grad_()
        (slope,) = torch.autograd.grad(d(x, 4, step).sum(), x, create_graph=True)
        penalty = 0.7 / 2 * slope.square().sum(1).mean()
        return (
            functional.softplus(-score[0]).mean() + functional.softplus(score[1]).mean() + penalty
        )

    def g_loss(step, at):
        return functional.softplus(-d(g(at["latent"][1], 5, step), 6, step)).mean()

    other = replace(member, seed=3)
    start = initial_state([member], how)
    state = last(train([other, member], how))
    expected = sgd_by_hand((critic, maker), member, how, d_loss, g_loss, batches)
    for player, row in zip(("discriminator", "generator"), expected, strict=True):
        assert (state.parameters[player][1] - row).abs().max() < 1e-12
        assert (start.parameters[player][0] - row).abs().max() > 1e-3


def test_a_members_masks_do_not_depend_on_its_company_and_drop_the_stated_share():
    maker = chain(2, 1, nn.Dropout(0.25))
    network, _ = as_network(maker, (2,))
    assert isinstance(network, Stacked)
    assert network.randoms == 6
    how = Recipe(Mlp((1, 4, 1)), network, steps=4, batch=8)
    members = [Member(P, seed=seed) for seed in (5, 6, 7)]
    whole = last(train(members, how)).parameters["generator"]
    alone = last(train(members[1:2], how)).parameters["generator"]
    assert (whole[1] - alone[0]).abs().max() < 1e-12
    assert (whole[1] - whole[0]).abs().max() > 1e-4
    layer, _ = as_network(nn.Sequential(nn.Linear(1, 40_000, **F64), nn.Dropout(0.25)), (1,))
    row = torch.ones(1, layer.count, **F64)
    made = layer(row, torch.ones(1, 1, 1, **F64), torch.rand(1, 1, 40_000, **F64))
    assert set(made.unique().tolist()) == {0.0, 2 / 0.75}
    assert float((made == 0).double().mean()) == pytest.approx(0.25, abs=5 * 0.433 / 200)
    assert torch.equal(
        layer(row, torch.ones(1, 1, 1, **F64)), torch.full((1, 1, 40_000), 2.0, **F64)
    )


def test_channels_are_dropped_whole_and_all_or_nothing_is_finite():
    image = nn.Sequential(nn.Conv2d(1, 3, 1, **F64), nn.Dropout2d(0.5), nn.Flatten())
    assert uniforms_per_pass(image, torch.zeros(2, 1, 4, 4, **F64)) == 3
    network, _ = as_network(image, (1, 4, 4))
    rows = network.row_of(image)[None]
    made = network(rows, torch.ones(1, 20, 16, **F64), torch.rand(1, 20, 3, **F64))
    zero = (made.view(20, 3, 16) == 0).sum(-1)
    assert set(zero.unique().tolist()) <= {0, 16}
    assert 0 < int((zero == 16).sum()) < 60
    gone, _ = as_network(nn.Sequential(nn.Linear(1, 3, **F64), nn.Dropout(1.0)), (1,))
    nothing = gone(torch.ones(1, 6, **F64), torch.ones(1, 2, 1, **F64), torch.rand(1, 2, 3, **F64))
    assert torch.equal(nothing, torch.zeros(1, 2, 3, **F64))
    how = Recipe(Mlp((1, 4, 1)), gone and as_network(chain(2, 1, nn.Dropout()), (2,))[0], steps=1,
                 device="cuda")  # fmt: skip
    assert not can_capture([Member(P)], how)
    with pytest.raises(GantheoryError, match="draws random numbers of its own"):
        as_network(nn.Sequential(nn.Linear(1, 3), nn.AlphaDropout()), (1,))


def test_several_outputs_are_means_over_discriminators_that_share_their_layers():
    critic, maker = chain(1, 3), chain(2, 1)
    how = Recipe(
        as_network(critic, (1,))[0], as_network(maker, (2,))[0], steps=4, batch=5, rule=Sgd(),
        regularisers=(ZeroCentred(0.5, "fake"),),
    )  # fmt: skip
    member = Member(P, "least-squares-01", seed=1, discriminator_rate=0.2, generator_rate=0.2)
    ((_, batches),) = portions([member], how, 0, how.steps)

    def d_loss(step, at):
        real, fake = at["real"][0], maker(at["latent"][0]).detach().requires_grad_()
        (slope,) = torch.autograd.grad(critic(fake).sum(), fake, create_graph=True)
        value = ((critic(real) - 1) ** 2).mean() / 2 + (critic(fake) ** 2).mean() / 2
        return value + 0.25 * slope.square().sum(1).mean()

    def g_loss(step, at):
        return ((critic(maker(at["latent"][1])) - 1) ** 2).mean() / 2

    state = last(train([member], how))
    for player, row in zip(("discriminator", "generator"),
                           sgd_by_hand((critic, maker), member, how, d_loss, g_loss, batches),
                           strict=True):  # fmt: skip
        found = how.networks[player].filled(state.parameters[player][0])
        assert (torch.cat([p.flatten() for p in found.parameters()]) - row).abs().max() < 1e-12


def test_a_reading_of_patches_is_the_mean_of_the_readings_of_each():
    torch.manual_seed(0)
    critic, maker = nn.Linear(1, 2), nn.Linear(1, 1)
    whole = gt.measure(maker, critic, "normal(0, 1)", latent=1, n=300)
    parts = []
    for k in range(2):
        one = nn.Linear(1, 1)
        with torch.no_grad():
            one.weight.copy_(critic.weight[k : k + 1])
            one.bias.copy_(critic.bias[k : k + 1])
        parts.append(gt.measure(maker, one, "normal(0, 1)", latent=1, n=300))
    for name in ("value", "generator_loss"):
        mean = np.mean([getattr(part, name).value for part in parts])
        assert getattr(whole, name).value == pytest.approx(mean, rel=1e-6)


def labelled():
    """Points of two classes, the class behind them."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 400)
    return points(np.column_stack([rng.normal(6 * label - 3, 0.5), label]))


@pytest.mark.parametrize("source", ["twister", "counter"])
def test_a_conditional_gan_is_that_of_a_plain_loop(source):
    critic, maker = chain(2, 1), chain(3, 1)
    how = Recipe(
        as_network(critic, (2,))[0], as_network(maker, (3,))[0], steps=4, batch=6, rule=Sgd(),
        condition=1, source=source,
    )  # fmt: skip
    member = Member(labelled(), seed=4, noise=0.3, discriminator_rate=0.2, generator_rate=0.2)
    ((_, batches),) = portions([member], how, 0, how.steps)
    assert batches["latent"].shape[-1] == 2
    zero = torch.tensor([1.0, 0.0], **F64)  # no noise on the class

    def fakes(latent, real, noise):
        made = maker(torch.cat([latent, real[:, 1:]], 1))
        return torch.cat([made, real[:, 1:]], 1) + noise * zero

    def d_loss(step, at):
        fake = fakes(at["latent"][0], at["real"][0], at["fake_noise"][0]).detach()
        real = at["real"][0] + at["real_noise"][0] * zero
        return functional.softplus(-critic(real)).mean() + functional.softplus(critic(fake)).mean()

    def g_loss(step, at):
        fake = fakes(at["latent"][1], at["paired"][0], at["fake_noise"][1])
        return functional.softplus(-critic(fake)).mean()

    state = last(train([member], how))
    for player, row in zip(("discriminator", "generator"),
                           sgd_by_hand((critic, maker), member, how, d_loss, g_loss, batches),
                           strict=True):  # fmt: skip
        found = how.networks[player].filled(state.parameters[player][0])
        assert (torch.cat([p.flatten() for p in found.parameters()]) - row).abs().max() < 1e-12


def test_the_conditional_loss_by_name_is_minimax_on_whole_rows():
    nets = nn.Linear(3, 1), nn.Linear(2, 1)
    rows = [
        gt.train(*nets, labelled(), loss, latent=2, condition=1, steps=8, batch=16).state.parameters
        for loss in ("conditional", "minimax")
    ]
    for player, row in rows[0].items():
        assert torch.equal(row, rows[1][player])
        assert not torch.equal(row, torch.zeros_like(row))


def test_a_conditional_gan_learns_each_class_and_samples_keep_their_condition():
    maker = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))
    critic = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))
    torch.manual_seed(1)
    found = gt.train(maker, critic, labelled(), latent=2, condition=1, steps=320, batch=64,
                     discriminator_rate=1e-2, generator_rate=1e-2)  # fmt: skip
    assert found.path == "reference"
    x, label = found.samples(500)[0].unbind(1)
    assert set(label.tolist()) == {0.0, 1.0}
    assert float(x[label == 1].mean() - x[label == 0].mean()) > 2
    for change, message in (
        ({"condition": 1, "every": 64}, "nothing is measured under out=, condition=, packing="),
        ({"condition": 2}, "dimensions"),
    ):
        nets = nn.Linear(2 + change["condition"], 1), nn.Linear(1 + change["condition"], 1)
        with pytest.raises(GantheoryError, match=message):
            gt.train(*nets, labelled(), latent=2, steps=64, **change)
    with pytest.raises(GantheoryError, match="condition=2 must leave"):
        Recipe(Mlp((2, 1)), Mlp((2, 1)), steps=1, condition=2)
    with pytest.raises(GantheoryError, match="no fast path"):
        train([Member(labelled())], Recipe(Mlp((2, 1)), Mlp((3, 1)), steps=1, condition=1),
              path="fast")  # fmt: skip
    how = Recipe(Mlp((2, 1)), Mlp((3, 1)), steps=1, condition=1)
    members = [Member(grid(2), seed=9)]
    made = fresh_samples(initial_state(members, how), how, members, 50)
    assert math.isclose(float(made[..., 1].abs().min()), 1.0, abs_tol=0.5)


@pytest.mark.parametrize(
    "rule",
    [(Sgd(),), (Sgd(), Sgd(), Sgd()), [Sgd(), Sgd()], (Sgd(), None), "adam", (Sgd(), "adam")],
)
def test_a_rule_that_is_no_pair_is_refused_in_one_line(rule):
    with pytest.raises(GantheoryError, match="give Sgd") as caught:
        Recipe(Mlp((1, 1)), Mlp((1, 1)), steps=1, rule=rule)
    assert "\n" not in str(caught.value)
