"""A user's own modules, trained as an ensemble."""

import copy
import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import gantheory as gt
from gantheory.errors import GantheoryError
from simulations.data import Law, as_density
from simulations.ensembles import Member, Recipe
from simulations.losses import discriminator_loss, generator_loss
from simulations.minibatches import portions
from simulations.modules import Given, Stacked, as_network
from simulations.regularisers import ZeroCentred
from simulations.updates import Adam

P = "normal(1, 2)"
OPTIONS = {"latent": 2, "steps": 12, "batch": 8}


def pair(activation=nn.Tanh, last=nn.Identity):
    torch.manual_seed(3)
    kinds = {"dtype": torch.float64}
    maker = nn.Sequential(nn.Linear(2, 8, **kinds), activation(), nn.Linear(8, 1, **kinds))
    critic = nn.Sequential(nn.Linear(1, 8, **kinds), activation(), nn.Linear(8, 1, **kinds))
    return (maker, critic) if last is nn.Identity else (nn.Sequential(*maker, last()), critic)


class Residual(nn.Module):
    """A module that is no chain: with a skip, and a scale that is a bare parameter."""

    def __init__(self, inputs):
        super().__init__()
        self.first = nn.Linear(inputs, 8, dtype=torch.float64)
        self.second = nn.Linear(8, 1, dtype=torch.float64)
        self.scale = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))
        self.register_buffer("shift", torch.tensor(0.25, dtype=torch.float64))

    def forward(self, x):
        hidden = nn.functional.gelu(self.first(x))
        return self.second(hidden) + self.scale * x.sum(1, keepdim=True) + self.shift


class Doubled(nn.Sequential):
    def forward(self, x):
        return 2 * super().forward(x)


class Centred(nn.Linear):
    def forward(self, x):
        return super().forward(x - 1)


class Late(nn.Module):
    """A linear layer, and what is done to its outputs."""

    def __init__(self, done):
        super().__init__()
        self.linear, self.done = nn.Linear(1, 1), done

    def forward(self, x):
        return self.done(self.linear(x))


def odd_chains():
    """Return chains of linear layers that are not what they seem, and what gives them away."""
    kinds = {"dtype": torch.float64}

    def critic(*layers):
        return nn.Sequential(*layers, nn.Tanh(), nn.Linear(4, 1, **kinds))

    frozen, hooked, patched = (critic(nn.Linear(1, 4, **kinds)) for _ in range(3))
    frozen[0].weight.requires_grad_(False)
    hooked[0].register_forward_hook(lambda layer, x, y: y + 1)
    patched[2].forward = lambda x: x.sum(1, keepdim=True) * patched[2].weight[0, 0]
    middle = nn.Linear(4, 4, **kinds)
    shared = critic(nn.Linear(1, 4, **kinds), nn.Tanh(), middle, nn.Tanh(), middle)
    tied = critic(nn.Linear(1, 4, **kinds), nn.Tanh(), nn.Linear(4, 4, **kinds), nn.Tanh(),
                  nn.Linear(4, 4, **kinds))  # fmt: skip
    tied[2].weight = tied[4].weight
    named = nn.Linear(1, 4, **kinds)
    nn.utils.parametrize.register_parametrization(named, "weight", nn.Tanh())
    odd = [
        (frozen, "frozen or shared"), (shared, "frozen or shared"), (tied, "frozen or shared"),
        (hooked, "hooks"), (Doubled(*critic(nn.Linear(1, 4, **kinds))), "Doubled is no"),
        (critic(Centred(1, 4, **kinds)), "not all"), (critic(named), "not all"),
    ]  # fmt: skip
    return [((pair()[0], one), why) for one, why in odd]


def plain_loop(maker, critic, recipe, member):
    """Train as anyone would, on the numbers that the ensemble's member draws."""
    maker, critic = copy.deepcopy(maker), copy.deepcopy(critic)
    moves = [
        torch.optim.Adam([p for p in net.parameters() if p.requires_grad], 1e-3)
        for net in (critic, maker)
    ]
    d_loss, g_loss = discriminator_loss(member.loss), generator_loss(member.loss)
    ((_, samples),) = portions([member], recipe, 0, recipe.steps)
    for step in range(recipe.steps):
        real, latent = samples["real"][0, step, 0], samples["latent"][0, step]
        moves[0].zero_grad()
        d_loss(critic(real), critic(maker(latent[0]).detach())).backward()
        moves[0].step()
        moves[1].zero_grad()
        g_loss(critic(maker(latent[1]))).backward()
        moves[1].step()
    return maker, critic


@pytest.mark.parametrize(
    ("modules", "path", "why"),
    [
        (pair(), "fast", "linear layers with one activation"),
        (pair(nn.ELU), "reference", "generator: ELU.* is no activation of the fast path"),
        *((odd, "reference", why) for odd, why in odd_chains()),
        ((Residual(2), Residual(1)), "reference", "Residual is no nn.Sequential"),
        ((pair()[0], Residual(1)), "reference", "^discriminator: Residual"),
    ],
)
def test_modules_are_trained_as_a_plain_loop_of_torch_trains_them(modules, path, why):
    before = [copy.deepcopy(module.state_dict()) for module in modules]
    found = gt.train(*modules, P, seeds=[4, 5], **OPTIONS)
    assert "non-saturating" in found._repr_html_()
    assert "object at" not in found._repr_html_()
    assert found.path == path
    assert re.search(why, found.why)
    for k, member in enumerate(found.members):
        for mine, theirs in zip(found.modules(k), plain_loop(*modules, found.recipe, member),
                                strict=True):  # fmt: skip
            for name, value in theirs.state_dict().items():
                assert mine.state_dict()[name].numpy() == pytest.approx(
                    value.numpy(), rel=1e-8, abs=1e-10
                )
    for module, kept in zip(modules, before, strict=True):
        assert all(torch.equal(kept[name], value) for name, value in module.state_dict().items())
    assert found.samples(7).shape == (2, 7, 1)


def test_convolutions_and_batch_norm_are_stacked_and_see_their_own_minibatch():
    torch.manual_seed(0)
    maker = nn.Sequential(nn.Linear(2, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 16),
                          nn.Unflatten(1, (1, 4, 4)))  # fmt: skip
    critic = nn.Sequential(nn.Conv2d(1, 3, 3), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(12, 1))
    images = torch.rand(40, 1, 4, 4)
    found = gt.train(maker, critic, images, seeds=[0, 1], latent=2, steps=8, batch=8,
                     fresh=True)  # fmt: skip
    assert found.path == "reference"
    assert found.state.finite.all()
    first, second = (found.modules(k)[1].state_dict()["0.weight"] for k in range(2))
    assert not torch.equal(first, second)  # each seed began afresh
    alone = gt.train(maker, critic, images, seeds=[1], latent=2, steps=8, batch=8, fresh=True)
    assert torch.allclose(alone.modules(0)[1].state_dict()["0.weight"], second, atol=1e-4)
    network, _ = as_network(maker, (2,))
    x = torch.rand(1, 8, 2)
    made, _ = found.modules(0)  # in eval mode too it takes the moments of what it is given
    at = network(found.state.parameters["generator"][:1], x)[0]
    assert torch.allclose(made.eval()(x[0]).flatten(1), at, atol=1e-5)
    own = maker.train()(x[0]).flatten(1)
    assert torch.allclose(network(network.row_of(maker).float()[None], x)[0], own, atol=1e-6)


def test_a_chain_of_linear_layers_becomes_an_mlp_with_the_same_values():
    for activation, last in ((nn.ReLU, nn.Tanh), (nn.Sigmoid, nn.Identity)):
        maker, _ = pair(activation, last)
        network, _ = as_network(maker, (2,))
        assert isinstance(network, Given)
        row = network.row_of(maker)
        x = torch.randn(5, 2, dtype=torch.float64)
        assert torch.allclose(network(row[None], x[None])[0], maker(x), atol=1e-14)
        assert torch.allclose(network.filled(row)(x), maker(x), atol=0)


@pytest.mark.parametrize(
    "module",
    [
        nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 1)),
        nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Linear(3, 1)),
        nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU(0.01), nn.Linear(3, 1)),
        nn.Sequential(nn.Linear(2, 3), nn.Softplus(), nn.Linear(3, 1)),
        nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)),
        nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.ReLU(), nn.Linear(3, 1)),
        nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3), nn.Linear(3, 1)),
        nn.Linear(2, 1),
    ],
)
def test_what_differs_from_an_mlp_keeps_its_own_values(module):
    network, why = as_network(module, (2,))
    assert isinstance(network, Stacked), why
    x = torch.randn(5, 2)
    row = network.row_of(module).float()
    assert torch.allclose(network(row[None], x[None])[0], module(x), atol=1e-6)


def test_readings_are_those_of_the_members_own_networks():
    maker, critic = pair()
    found = gt.train(maker, critic, P, every=64, seeds=[1, 2], **{**OPTIONS, "steps": 64})
    steps = [watch.column("step") for watch in found.watches]
    assert steps == [[64], [64]]
    reading = gt.measure(*found.modules(1), P, latent=2)
    assert reading.value == found.watches[1].readings[-1].value
    assert found.draw(1).axes


class Several(nn.Module):
    """A discriminator that returns its features beside its scores."""

    def __init__(self, chain):
        super().__init__()
        self.first, self.last = chain[:-1], chain[-1]

    def forward(self, x):
        features = self.first(x)
        return {"features": features, "score": self.last(features)}


def test_scores_are_taken_from_what_a_discriminator_returns_beside_them(tmp_path):
    maker, critic = pair()
    both = maker, Several(critic)
    found = gt.train(*both, P, score=lambda out: out["score"], every=64, seeds=[4],
                     **{**OPTIONS, "steps": 64})  # fmt: skip
    mine, theirs = found.modules()[1], plain_loop(maker, critic, found.recipe, found.members[0])[1]
    assert type(mine) is Several
    assert mine.last.weight.detach().numpy() == pytest.approx(
        theirs[-1].weight.detach().numpy(), rel=1e-8
    )
    plain = gt.measure(found.modules()[0], theirs, P, latent=2)
    assert found.watches[0].readings[-1].value.value == pytest.approx(plain.value.value, rel=1e-7)

    def named(key):
        return lambda out: out[key][:, :1]

    gt.train(*both, P, score=named("score"), out=tmp_path, **OPTIONS)
    with pytest.raises(GantheoryError, match="another run"):
        gt.train(*both, P, score=named("features"), out=tmp_path, **OPTIONS)
    with pytest.raises(GantheoryError, match=r"returned a dict; .* give score="):
        gt.train(*both, P, **OPTIONS)
    with pytest.raises(GantheoryError, match="score=3 must be a function"):
        gt.train(*both, P, score=3, **OPTIONS)


@pytest.mark.parametrize(
    ("loss", "change"), [("wgan", {"clip": 0.1}), ("relativistic", {}), ("hinge", {})]
)
def test_readings_of_a_bounded_or_paired_critic_are_those_of_its_members_networks(loss, change):
    found = gt.train(*pair(), P, loss, every=64, **change, **{**OPTIONS, "steps": 64})
    (reading,) = found.watches[0].readings
    assert reading.value == gt.measure(*found.modules(), P, loss, latent=2).value


def test_a_run_of_modules_goes_on_from_its_folder_to_the_same_end(tmp_path):
    options = {**OPTIONS, "steps": 192, "batch": 4}
    whole = gt.train(*pair(), P, out=tmp_path / "a", **options)

    def stop(done, total):
        if done == 128:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gt.train(*pair(), P, out=tmp_path / "b", progress=stop, **options)
    again = gt.train(*pair(), P, out=tmp_path / "b", **options)
    for player, rows in whole.state.parameters.items():
        assert torch.equal(rows, again.state.parameters[player])
    other = pair()
    with torch.no_grad():
        other[0][0].bias[0] += 1
    with pytest.raises(GantheoryError, match="belongs to another run"):
        gt.train(*other, P, out=tmp_path / "b", **options)


def test_recipes_are_all_there_and_the_reason_for_the_path_is_said():
    found = gt.train(*pair(), P, "relativistic", averaging=0.9, rule=Adam(0.5), **OPTIONS)
    assert (found.path, "autograd" in found.why) == ("reference", True)
    assert found.recipe == replace(found.recipe, averaging=0.9, batch=8, rule=Adam(0.5))
    asked = gt.train(*pair(), P, path="reference", **OPTIONS)
    assert "was asked for" in asked.why
    for kind, size in ((nn.PReLU, 1), (nn.LayerNorm, 8)):
        layer = partial(kind, size, dtype=torch.float64)
        assert f"{layer()} is no activation" in gt.train(*pair(layer), P, **OPTIONS).why


def test_a_frozen_parameter_that_counts_does_not_decide_the_type_of_numbers():
    plain, other = pair(), pair()
    other[0].insert(0, nn.Identity())
    other[0][0].calls = nn.Parameter(torch.tensor(3), requires_grad=False)
    first, second = (gt.train(*one, P, path="reference", **OPTIONS) for one in (plain, other))
    assert second.recipe.dtype == torch.float64
    assert torch.equal(first.samples(3), second.samples(3))
    measured = [gt.measure(*one, P, latent=2, n=64).generator_loss for one in (plain, other)]
    assert measured[0] == measured[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"generator": nn.Sequential(nn.Linear(2, 1), nn.AlphaDropout())}, "draws random numbers"),
        ({"generator": nn.Identity()}, "has no parameters to train"),
        ({"latent": 3}, r"does not take inputs of shape \(n, 3\)"),
        ({"latent": lambda n, g: None}, "latent= must be a number of dimensions or a shape"),
        ({"latent": 0}, "latent=0 must be at least 1"),
        ({"seeds": 3}, r"seeds=3: give several"),
        ({"seeds": [1.5]}, "seed=1.5 must be a whole number"),
        ({"steps": 4.5}, "steps=4.5 must be a whole number"),
        ({"steps": 0}, "steps=0 must be at least 1"),
        ({"rule": Adam}, r"cannot train; give Sgd\(\), Adam\(\)"),
        ({"regularisers": (ZeroCentred,)}, "give a tuple of penalties"),
        (
            {"generator": nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1)), "batch": 1},
            "does not take a minibatch of 1: Expected more than 1 value",
        ),
        ({"discriminator_rate": -1.0}, "discriminator_rate=-1.0 must be a finite number from 0"),
        ({"noise": float("nan")}, "noise=nan must be a finite number"),
        ({"clip": -1.0}, "clip=-1.0 must be"),
        ({"dtype": torch.float16}, "does not train here; give torch.float32"),
        ({"device": "gpu"}, "device='gpu' is none"),
        ({"train": "nobody"}, "unknown train 'nobody'; known: both"),
        ({"regularisers": ("r1",)}, "give a tuple of penalties"),
        ({"data": np.full((9, 1), 1e39)}, "beyond torch.float32"),
        ({"discriminator": nn.Sequential(nn.Linear(1, 1), nn.Sigmoid())}, "ends in a sigmoid"),
        ({"discriminator": Late(lambda x: x.sigmoid().squeeze(1))}, "ends in a sigmoid"),
        ({"discriminator": Late(lambda x: x.detach())}, "does not let gradients pass"),
        ({"discriminator": Late(lambda x: (x, x))}, "must return one tensor"),
        (
            {"discriminator": nn.utils.parametrizations.spectral_norm(nn.Linear(1, 9))},
            "cannot be stacked|buffer",
        ),
        ({"discriminator": nn.LazyLinear(1)}, "lazy layers"),
        ({"discriminator": nn.Linear(1, 1, device="meta")}, "device 'meta', without numbers"),
        ({"discriminator": lambda x: x}, "give a torch nn.Module"),
        ({"discriminator": nn.Linear(2, 1)}, "does not take inputs of shape"),
        ({"data": np.zeros((5, 3))}, "makes samples of 1 number.*dimensions of 3"),
        ({"data": {}}, "is no data"),
        ({"stepz": 3}, "unknown option 'stepz'; did you mean 'steps'"),
        ({"every": 100}, "multiple of 64"),
        ({"fresh": True, "discriminator": Residual(1).float()}, "no reset_parameters"),
        ({"loss": "wgan"}, "needs a discriminator that is bounded"),
    ],
)
def test_what_does_not_fit_is_one_line(change, message):
    line = {"generator": nn.Linear(2, 1), "discriminator": nn.Linear(1, 1), "data": P,
            **OPTIONS, **change}  # fmt: skip
    with pytest.raises(GantheoryError, match=message):
        gt.train(**line)


def test_a_member_may_hold_modules_in_a_recipe_of_ones_own():
    maker, critic = (as_network(m, (n,))[0] for m, n in zip(pair(), (2, 1), strict=True))
    recipe = Recipe(critic, maker, steps=3, batch=4)
    assert recipe.discriminator.count == sum(p.numel() for p in pair()[1].parameters())
    assert Member(Law(as_density(P))).real.dim == 1


def test_packed_samples_stand_one_behind_the_other_and_latents_may_be_images():
    images = torch.rand(30, 1, 4, 4)
    maker = nn.ConvTranspose2d(3, 1, 4)
    critic = nn.Sequential(nn.Conv2d(2, 2, 4), nn.Flatten(), nn.Linear(2, 1))
    found = gt.train(maker, critic, images, latent=(3, 1, 1), packing=2, steps=3, batch=8)
    assert (found.finite, found.samples(5).shape) == ([True], (1, 5, 16))
    network = found.recipe.discriminator
    row, x = network.row_of(critic).float()[None], images[:6].flatten(1)
    packed = images[:6].reshape(3, 2, 4, 4)  # what PacGAN feeds its discriminator
    assert torch.allclose(network(row, x.reshape(1, 3, -1))[0], critic(packed), atol=1e-6)
    assert not torch.equal(found.modules()[1][0].weight, critic[0].weight)


def test_who_is_asked_for_after_training_is_there_and_a_device_is_one_of_torchs():
    found = gt.train(*pair(), P, device=torch.device("cpu"), **OPTIONS)
    assert found.recipe.device == "cpu"
    assert torch.equal(found.samples(4), gt.train(*pair(), P, **OPTIONS).samples(4))
    with pytest.raises(GantheoryError, match="k=1: members count from 0 to 0"):
        found.modules(1)
    with pytest.raises(GantheoryError, match="n=-1 must be at least 1"):
        found.samples(-1)


def test_a_member_that_leaves_the_numbers_is_named():
    found = gt.train(*pair(), P, seeds=[7], discriminator_rate=1e308, **OPTIONS)
    assert found.finite == [False]
    assert "seed(s) 7: parameters are no numbers" in repr(found)
