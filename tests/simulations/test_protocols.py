"""Published toys as recipes, and what they needed: unrolling, maxout, the swiss roll."""

import copy
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
from sklearn.datasets import make_swiss_roll
from torch import nn
from torch.func import functional_call
from torch.nn.functional import softplus

from gantheory.errors import GantheoryError
from simulations.compare import energy_test
from simulations.counter import Counter, Places
from simulations.data import Law, SwissRoll, as_density
from simulations.ensembles import Member, Recipe
from simulations.minibatches import portions
from simulations.modules import Given, Maxout, as_network
from simulations.networks import Mlp
from simulations.protocols import get_protocol, list_protocols
from simulations.protocols.catalogue import _made
from simulations.protocols.told import told_recipe
from simulations.regularisers import ZeroCentred
from simulations.train import last, train
from simulations.updates import Sgd


def chain(*widths):
    torch.manual_seed(len(widths))
    layers = []
    for i, o in pairwise(widths):
        layers += [nn.Linear(i, o, dtype=torch.float64), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_unrolling_is_the_gradient_through_steps_of_the_discriminator(steps):
    """One step of both players, against torch.func and a loop that is written out."""
    maker, critic = chain(2, 5, 1), chain(1, 5, 1)
    networks = [as_network(net, (n,))[0] for net, n in ((critic, 1), (maker, 2))]
    assert all(isinstance(net, Given) for net in networks)
    how = Recipe(*networks, steps=1, batch=8, rule=Sgd(), unrolling=steps)
    member = Member(Law(as_density("normal(1, 1)")), seed=3, noise=0.1, discriminator_rate=0.7,
                    generator_rate=1.0)  # fmt: skip
    ((_, samples),) = portions([member], how, 0, 1)
    at = {name: x[0, 0] for name, x in samples.items()}
    real = at["real"][0] + at["real_noise"][0]

    def loss_of_d(psi, theta):
        fake = functional_call(maker, theta, (at["latent"][0],)) + at["fake_noise"][0]
        score = [functional_call(critic, psi, (x,)) for x in (real, fake)]
        return softplus(-score[0]).mean() + softplus(score[1]).mean()

    def down(psi, theta):
        slopes = torch.autograd.grad(loss_of_d(psi, theta), list(psi.values()), create_graph=True)
        return {name: x - 0.7 * g for (name, x), g in zip(psi.items(), slopes, strict=True)}

    theta = {name: x.detach().clone().requires_grad_() for name, x in maker.named_parameters()}
    psi = {name: x.detach().clone().requires_grad_() for name, x in critic.named_parameters()}
    psi = {name: x.detach().requires_grad_() for name, x in down(psi, theta).items()}  # D's own
    moved = dict(psi)
    for _ in range(steps):
        moved = down(moved, theta)
    fake = functional_call(maker, theta, (at["latent"][1],)) + at["fake_noise"][1]
    loss = softplus(-functional_call(critic, moved, (fake,))).mean()
    slopes = torch.autograd.grad(loss, list(theta.values()))
    state = last(train([member], how))
    after = [net.filled(state.parameters[player][0]) for net, player in
             zip(networks, ("discriminator", "generator"), strict=True)]  # fmt: skip
    for found, expected in zip(after[0].parameters(), psi.values(), strict=True):
        assert torch.allclose(found, expected, atol=1e-13)
    for found, begin, slope in zip(after[1].parameters(), theta.values(), slopes, strict=True):
        assert torch.allclose(found, begin - slope, atol=1e-13)


def test_unrolling_that_cannot_be_is_refused_in_one_line():
    nets = Mlp((1, 4, 1)), Mlp((1, 4, 1))
    for change in ({"regularisers": (ZeroCentred(1.0),)}, {"train": "generator"}):
        with pytest.raises(GantheoryError, match="unrolling looks ahead"):
            Recipe(*nets, steps=1, unrolling=1, **change)
    with pytest.raises(GantheoryError, match="unrolling=-1"):
        Recipe(*nets, steps=1, unrolling=-1)
    with pytest.raises(GantheoryError, match="unrolling"):
        train([Member(Law(as_density("normal(0, 1)")))], Recipe(*nets, steps=1, unrolling=1),
              path="fast")  # fmt: skip


def test_maxout_is_the_largest_of_its_pieces_and_is_stacked():
    layer = Maxout(3, 4, pieces=2).double()
    x = torch.randn(6, 3, dtype=torch.float64)
    every = layer.linear(x).detach().numpy().reshape(6, 4, 2)
    assert layer(x).detach().numpy() == pytest.approx(every.max(-1))
    network, _ = as_network(copy.deepcopy(layer), (3,))
    assert torch.allclose(network(network.row_of(layer)[None], x[None])[0], layer(x))


def test_the_swiss_roll_is_that_of_scikit_learn_from_either_source():
    theirs = make_swiss_roll(400, noise=0.25, random_state=1)[0][:, [0, 2]] / 7.5
    ours = SwissRoll().sample(400, torch.Generator().manual_seed(0), torch.float64).numpy()
    places = Places(Counter((5,), 1, 0, 1), 0, 1, 400)
    counted = SwissRoll().points(places)[0, 0, 0].numpy()
    for sample in (ours, counted):
        assert energy_test(sample, theirs, 0, resamples=199) > 0.01
        assert energy_test(sample * 1.2, theirs, 0, resamples=199) < 0.01
    assert np.abs(ours).max() < 2.2


KINDS = [  # one of each maker; the others differ by a number
    "pacgan-ring-2", "unrolled-ring-5", "wgan-gp-swissroll", "r3gan-grid", "dirac-wgan-gp",
    "mescheder-lines-r1", "stacked-digits-pac2",
]  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_every_protocol_trains_its_own_networks(name):
    protocol = get_protocol(name)
    how = protocol.changed(steps=1, batch=8 * protocol.recipe.packing)
    state = last(train(protocol.members([0, 1]), how))
    assert state.finite.all()
    first, second = state.parameters["generator"]
    assert torch.equal(first, second) == (protocol.metric == "distance")  # nothing is random there
    _made.cache_clear()
    assert get_protocol(name) == protocol  # the same in every process
    assert state.updates["discriminator"] == how.discriminator_steps
    assert protocol.source
    assert ("packed" in protocol.title) == (protocol.recipe.packing > 1)
    assert protocol.differs
    assert replace(how, steps=protocol.recipe.steps, batch=protocol.recipe.batch) == protocol.recipe


def test_recipes_are_told_apart_where_they_differ_and_alike_where_they_do_not():
    recipes = [get_protocol(name).recipe for name in list_protocols()]
    told = [(told_recipe(recipe), recipe) for recipe in recipes]
    for (text, one), (other_text, other) in combinations(told, 2):
        assert (text == other_text) == (one == other)
    texts = [told_recipe(replace(recipes[0], **change)) for change in (
        {}, {"clip": 0.1}, {"rule": (Sgd(), Sgd(0.5))}, {"dtype": torch.float64})]  # fmt: skip
    assert len(set(texts)) == 4


def test_an_unknown_protocol_is_one_line():
    with pytest.raises(GantheoryError, match="did you mean 'pacgan-ring'"):
        get_protocol("pacgan-rings")
