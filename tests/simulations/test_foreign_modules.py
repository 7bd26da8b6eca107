"""Modules as others have them: shared or complex parameters, buffers that count, wrappers."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import gantheory as gt
from simulations.forwards import untouched

DATA = np.random.default_rng(0).normal(size=(200, 2))
SMALL = {"latent": 2, "steps": 64, "batch": 8}


def chain(outputs=1):
    return nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, outputs))


def read(maker, critic):
    return gt.measure(maker, critic, DATA, latent=2, n=200)


class After(nn.Module):
    """A layer that may be another network's too, and one of its own."""

    def __init__(self, first):
        super().__init__()
        self.first, self.last = first, nn.Linear(4, 1)

    def forward(self, x):
        return self.last(F.relu(self.first(x)))


class Complex(nn.Module):
    """Scores from sizes of complex numbers."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(2, 4, dtype=torch.cfloat))
        self.last = nn.Linear(4, 1)

    def forward(self, x):
        return self.last((torch.complex(x, x) @ self.weight).abs())


class Counting(nn.Module):
    """A network that counts its calls, in its modes alike, and replaces one of its buffers."""

    def __init__(self):
        super().__init__()
        self.inner = chain(2)
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("same", self.calls)
        self.register_buffer("seen", torch.zeros(2))
        self.register_buffer("none", None)

    def forward(self, x):
        self.calls += 1
        self.seen = self.seen + x.detach().sum(0)
        return self.inner(x)


def by_hand(maker, critic):
    """Return the norms of both gradients, as backward() leaves them in the modules' parameters."""
    drawn = {}

    def keep(module, inputs):
        drawn.setdefault(module, inputs[0].detach().clone())

    for module in (maker, critic):
        module.register_forward_pre_hook(keep)
    read(maker, critic)  # shows the first inputs: latents, and real samples
    z, real = drawn[maker], drawn[critic]
    norms = []
    for which in (critic, maker):
        maker.zero_grad()
        critic.zero_grad()
        fake = maker(z)
        if which is critic:
            loss = F.softplus(-critic(real)).mean() + F.softplus(critic(fake.detach())).mean()
        else:
            loss = F.softplus(-critic(fake)).mean()
        loss.backward()
        slopes = [p.grad.abs().square().sum() for p in which.parameters() if p.grad is not None]
        norms.append(math.sqrt(float(sum(slopes))))
    return norms


@pytest.mark.parametrize("kind", ["shared", "complex"])
def test_gradients_are_those_that_backward_leaves(kind):
    torch.manual_seed(0)
    maker = chain(2)
    critic = After(maker[0]) if kind == "shared" else Complex()
    reading = read(maker, critic)
    found = [reading.discriminator_gradient, reading.generator_gradient]
    assert found == pytest.approx(by_hand(maker, critic), rel=1e-5)


def test_buffers_that_every_call_changes_are_left_as_they_are():
    maker, critic = Counting(), chain()
    maker(torch.ones(3, 2))
    own = [
        (name, buffer, buffer._version, buffer.clone()) for name, buffer in maker.named_buffers()
    ]
    with untouched(maker):
        maker(torch.ones(1, 2))
        assert maker.calls is maker.same  # one buffer in two places stays one
    read(maker, critic)
    for name, buffer, version, before in own:
        assert getattr(maker, name) is buffer
        assert buffer._version == version
        assert torch.equal(buffer, before)
    assert maker.same is maker.calls


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_wrappers_and_scripts_are_read_as_what_they_hold():
    maker, critic = chain(2), chain()
    bare = read(maker, critic)
    assert read(nn.DataParallel(maker), nn.DataParallel(critic)) == bare
    assert read(torch.jit.script(maker), torch.jit.trace(critic, torch.ones(2, 2))) == bare
    trained = gt.train(maker, critic, DATA, **SMALL).state
    again = gt.train(nn.DataParallel(maker), nn.DataParallel(critic), DATA, **SMALL).state
    assert torch.equal(trained.parameters["generator"], again.parameters["generator"])


def test_what_has_no_numbers_or_is_not_two_networks_is_one_line():
    maker, critic = chain(2), chain()
    lazy, meta = nn.LazyLinear(1), nn.Linear(2, 1, device="meta")
    for wrong, message in ((lazy, "lazy layers without numbers"), (meta, "on the device 'meta'")):
        for call in (read, lambda g, d: gt.train(g, d, DATA, **SMALL)):
            with pytest.raises(gt.GantheoryError, match=message):
                call(maker, wrong)
    with pytest.raises(gt.GantheoryError, match=r"first.weight is a parameter of the generator"):
        gt.train(maker, After(maker[0]), DATA, **SMALL)
    assert not math.isnan(read(maker, critic).generator_gradient)


@pytest.mark.parametrize("path", ["fast", "reference"])
def test_inference_mode_around_it_or_when_modules_were_made_changes_nothing(path):
    def made():
        torch.manual_seed(0)
        middle = nn.Tanh() if path == "fast" else nn.BatchNorm1d(4)
        critic = chain() if path == "fast" else nn.Sequential(chain(), nn.PReLU())
        critic[0].requires_grad_(path == "fast")
        return nn.Sequential(nn.Linear(2, 4), middle, nn.Linear(4, 2)), critic

    pair = made()
    trained = gt.train(*pair, DATA, every=64, **SMALL)
    reading = read(*pair)
    with torch.inference_mode():
        within = made()
        for one in (pair, within):
            again = gt.train(*one, DATA, every=64, **SMALL)
            assert again.path == path
            for player, rows in trained.state.parameters.items():
                assert torch.equal(again.state.parameters[player], rows)
            assert again.watches[0].readings == trained.watches[0].readings
            assert read(*one) == reading
    assert read(*within) == reading
