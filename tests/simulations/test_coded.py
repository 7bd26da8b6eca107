"""Losses that people have as torch code: trained and measured as their own loops play them."""

import copy
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import gantheory as gt
from gantheory.errors import GantheoryError
from simulations.coded import Logits, as_coded
from simulations.minibatches import portions
from simulations.updates import Sgd
from simulations.watch import Watch, measure

P = "normal(1, 0.5)"
SGD = Sgd()
RATES = {"discriminator_rate": 0.2, "generator_rate": 0.2}


def hinge_d(real_scores, fake_scores):
    return functional.relu(1 - real_scores).mean() + functional.relu(1 + fake_scores).mean()


def hinge_g(fake_scores):
    return -fake_scores.mean()


def fake_first(fake, real):
    return 0.5 * ((real - 1) ** 2).mean() + 0.5 * (fake**2).mean()


def flipped(scores, labels):
    return functional.binary_cross_entropy_with_logits(scores, 0.9 * labels)


class Flagged(nn.Module):
    """A criterion as in pix2pix: told by a flag whether its scores are to be those of real ones."""

    def __init__(self):
        super().__init__()
        self.register_buffer("one", torch.tensor(1.0))
        self.inner = nn.MSELoss()

    def forward(self, prediction, target_is_real):
        label = self.one if target_is_real else 1 - self.one
        return self.inner(prediction, label.expand_as(prediction))


def by_labels(criterion, low=0.0):
    def d_loss(real, fake):
        return criterion(real, torch.ones_like(real)) + criterion(fake, torch.full_like(fake, low))

    return d_loss, lambda fake: criterion(fake, torch.ones_like(fake))


class Ended(nn.Module):
    """A discriminator of probabilities whose sigmoid is in its forward."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, 6), nn.Tanh(), nn.Linear(6, 1))

    def forward(self, x):
        return torch.sigmoid(self.body(x)).view(-1, 1)


def networks(*last, seed=0):
    torch.manual_seed(seed)
    maker = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1)).double()
    return maker, nn.Sequential(nn.Linear(1, 6), nn.Tanh(), nn.Linear(6, 1), *last).double()


def plain_loop(maker, critic, recipe, member, d_loss, g_loss):
    """Train as anyone would, by the code itself, on the numbers that the member draws."""
    maker, critic = copy.deepcopy(maker), copy.deepcopy(critic)
    d, g = (torch.optim.SGD(net.parameters(), 0.2) for net in (critic, maker))
    ((_, samples),) = portions([member], recipe, 0, recipe.steps)
    for step in range(recipe.steps):
        real, z = samples["real"][0, step, 0], samples["latent"][0, step]
        d.zero_grad()
        d_loss(critic(real), critic(maker(z[0]).detach())).backward()
        d.step()
        g.zero_grad()
        g_loss(critic(maker(z[1]))).backward()
        g.step()
    return maker, critic


GIVEN = {
    "logits": (nn.BCEWithLogitsLoss(), by_labels(nn.BCEWithLogitsLoss()), ()),
    "weighted": (
        nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0)),
        by_labels(nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0))),
        (),
    ),
    "probabilities": (nn.BCELoss(), by_labels(nn.BCELoss()), (nn.Sigmoid(),)),
    "squares": (nn.MSELoss(), by_labels(nn.MSELoss()), ()),
    "signs": (nn.SoftMarginLoss(), by_labels(nn.SoftMarginLoss(), -1.0), ()),
    "functional": (functional.mse_loss, by_labels(functional.mse_loss), ()),
    "smoothed": (flipped, by_labels(flipped), ()),
    "flag": (Flagged(), by_labels(nn.MSELoss()), ()),
    "pair": ((hinge_d, hinge_g), (hinge_d, hinge_g), ()),
    "names": ([fake_first, hinge_g], (lambda r, f: fake_first(f, r), hinge_g), ()),
    "both kinds": (
        (nn.BCEWithLogitsLoss(), hinge_g), (by_labels(nn.BCEWithLogitsLoss())[0], hinge_g), (),
    ),
    "logarithms": (
        (
            lambda real, fake: -(real.log() + (1 - fake).log()).mean(),
            lambda fake: -fake.log().mean(),
        ),
        by_labels(nn.BCELoss()), (nn.Sigmoid(),),
    ),
}  # fmt: skip


@cache
def recovered(name):
    """Return what the code computes, which `gt.train` and `gt.measure` take as they take code."""
    return as_coded(GIVEN[name][0])


@pytest.mark.parametrize("name", GIVEN)
def test_code_is_trained_as_a_plain_loop_plays_it(name):
    _, (d_loss, g_loss), last = GIVEN[name]
    code, modules = recovered(name), networks(*last)
    found = gt.train(*modules, P, code, latent=2, steps=12, batch=16, rule=SGD, **RATES)
    theirs = plain_loop(*modules, found.recipe, found.members[0], d_loss, g_loss)
    assert found.path == "fast"
    for mine, other, begun in zip(found.modules(), theirs, modules, strict=True):
        assert mine.state_dict().keys() == other.state_dict().keys()
        for key, value in other.state_dict().items():
            torch.testing.assert_close(mine.state_dict()[key], value, rtol=1e-9, atol=1e-11)
        assert not torch.equal(mine[0].weight, begun[0].weight)
        x = torch.randn(5, 1 if other is theirs[1] else 2, dtype=torch.float64)
        torch.testing.assert_close(mine(x), other(x))


def test_a_sigmoid_in_a_forward_is_trained_as_it_stands():
    maker, critic = networks()[0], Ended().double()
    found = gt.train(maker, critic, P, nn.BCELoss(), latent=2, steps=6, batch=16, rule=SGD, **RATES)
    theirs = plain_loop(maker, critic, found.recipe, found.members[0], *by_labels(nn.BCELoss()))
    assert found.path == "reference"
    for mine, other in zip(found.modules(), theirs, strict=True):
        for key, value in other.state_dict().items():
            torch.testing.assert_close(mine.state_dict()[key], value, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", GIVEN)
def test_code_is_measured_as_it_computes(name):
    _, (d_loss, g_loss), last = GIVEN[name]
    code, (maker, critic) = recovered(name), networks(*last, seed=4)
    rng = np.random.default_rng(1)
    real, z = (torch.from_numpy(rng.normal(size=(60, n))) for n in (1, 2))
    reading = gt.measure(maker, critic, real, code, latent=lambda n, _: z[:n])
    fake = maker(z)
    of_d, of_g = d_loss(critic(real), critic(fake.detach())), g_loss(critic(fake))
    assert reading.value.value == pytest.approx(-of_d.item(), rel=1e-9)
    assert reading.generator_loss.value == pytest.approx(of_g.item(), rel=1e-9)
    for loss, net, norm in (
        (of_d, critic, reading.discriminator_gradient), (of_g, maker, reading.generator_gradient),
    ):  # fmt: skip
        slopes = torch.autograd.grad(loss, list(net.parameters()))
        assert norm == pytest.approx(torch.cat([s.flatten() for s in slopes]).norm().item())


def test_probabilities_of_exactly_zero_and_one_are_measured_as_bceloss_bounds_them():
    maker = nn.Linear(1, 1)
    critic = nn.Sequential(nn.Linear(1, 1), nn.Sigmoid())
    with torch.no_grad():
        critic[0].weight.fill_(-300.0), maker.weight.fill_(-1.0), maker.bias.zero_()
    real, z = torch.linspace(1, 2, 20)[:, None], torch.linspace(1, 2, 20)[:, None]
    of_d, _ = by_labels(nn.BCELoss())
    reading = gt.measure(maker, critic, real, nn.BCELoss(), latent=lambda n, _: z[:n])
    assert reading.value.value == pytest.approx(-of_d(critic(real), critic(maker(z))).item())
    assert reading.value.value == pytest.approx(-200)  # D is sure, and wrong
    loss = of_d(critic(real), critic(maker(z).detach()))
    slopes = torch.autograd.grad(loss, list(critic.parameters()))
    assert reading.discriminator_gradient == pytest.approx(
        torch.cat([s.flatten() for s in slopes]).norm().item(), abs=1e-12
    )
    assert as_coded(nn.BCELoss()).probabilities


def test_code_says_its_labels_and_has_the_theory_of_its_formulas():
    maker, critic = networks()
    found = measure(maker, critic, P, nn.MSELoss(), latent=2, n=100)
    assert "MSELoss(real, torch.ones_like(real)) + MSELoss(fake, torch.zeros_like(f" in found.loss
    assert found.loss.endswith("G minimises MSELoss(fake, torch.ones_like(fake))")
    named = measure(maker, critic, P, "non-saturating", latent=2, n=100)
    coded = measure(maker, critic, P, nn.BCEWithLogitsLoss(), latent=2, n=100)
    assert coded.bound.value == pytest.approx(named.bound.value)
    assert coded.divergence == named.divergence == "2*jsd"


def test_a_watch_follows_the_code_once_and_never_moves_it():
    @dataclass
    class Counting:
        calls: list = field(default_factory=list)

        def d_loss(self, real, fake):
            self.calls.append(len(real))
            return hinge_d(real, fake)

        def g_loss(self, fake):
            return hinge_g(fake)

    code = Counting()
    watch = Watch(*networks(), P, code, latent=2, every=1, options={"n": 50})
    state = torch.get_rng_state()
    assert [watch(step).value.is_finite for step in range(2)] == [True, True]
    assert torch.equal(state, torch.get_rng_state())
    assert not code.calls
    assert isinstance(Logits(nn.Identity())(torch.tensor([0.5])), torch.Tensor)


def detached(real, fake):
    return (real.detach() * real).mean() + fake.mean()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (hinge_d, "hinge_d gives no generator's loss; give a name such as"),
        (hinge_g, "gives no discriminator's loss"),
        (nn.BCEWithLogitsLoss, "is a class, not a loss; give one, as BCEWithLogitsLoss"),
        (nn.CrossEntropyLoss(), "CrossEntropyLoss"),
        (5, "an object of type 'int' is no loss; give a name such as"),
        (torch.zeros(3), "an object of type 'Tensor' is no loss"),
        ((hinge_d, hinge_g, hinge_g), "an object of type 'tuple' is no loss"),
        ((lambda r, f: functional.softplus(f - r).mean(), hinge_g), "'relativistic' and"),
        ((detached, hinge_g), "its gradient is not that of its value"),
        ((lambda real, fake: sum(hinge_d(a, b) for a, b in zip(real, fake, strict=True)), hinge_g),
         "not one tensor of scores"),
        ((lambda r, f: hinge_d(r, f) if r.mean() > 0 else f.mean(), hinge_g), "changes with"),
    ],
)  # fmt: skip
def test_code_without_formulas_is_refused_in_one_line(code, message):
    with pytest.raises(GantheoryError, match=message) as caught:
        as_coded(code)
    assert "\n" not in str(caught.value)
    if code is hinge_d:
        for call in (measure, gt.train):
            with pytest.raises(GantheoryError, match=message):
                call(*networks(), P, code, latent=2)


@pytest.mark.parametrize(
    ("code", "last", "message"),
    [
        (nn.BCELoss(), (), "the loss takes probabilities, and the discriminator"),
        (nn.BCEWithLogitsLoss(), (nn.Sigmoid(),), "ends in a sigmoid, but loss 'BCEWithLogits"),
    ],
)
def test_a_sigmoid_that_is_missing_or_too_many_is_refused(code, last, message):
    for call in (measure, gt.train):
        with pytest.raises(GantheoryError, match=message):
            call(*networks(*last), P, code, latent=2)


def test_a_sum_over_the_minibatch_is_measured_as_its_mean_and_not_trained():
    code, pair = nn.MSELoss(reduction="sum"), networks()
    mean, summed = (measure(*pair, P, one, latent=2, n=50) for one in (nn.MSELoss(), code))
    assert summed.value.value == pytest.approx(mean.value.value)
    with pytest.raises(GantheoryError, match=r"it sums over the minibatch.*reduction='mean'"):
        gt.train(*pair, P, code, latent=2)
    with pytest.raises(GantheoryError, match="leave out parameters="):
        measure(*pair, P, code, latent=2, parameters={"a": 1.0})
