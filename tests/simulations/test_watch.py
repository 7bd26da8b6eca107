"""A GAN that a user trains, measured: nothing moves, and what is said is true."""

import math
import re
import sys
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from toys import networks

import gantheory as gt
from gantheory.errors import GantheoryError
from gantheory.losses.critic import Pairs
from simulations.ensembles import Member, Recipe
from simulations.losses import discriminator_loss, generator_loss
from simulations.networks import Affine, Mlp
from simulations.points import DataPoints, points
from simulations.train import last, train
from simulations.watch import Watch, measure


def trained(watched, steps=25):
    """Return all parameters and buffers after a plain loop, and the watch."""
    maker, critic = networks()
    data = points(np.random.default_rng(5).normal(size=(300, 2)))
    watch = Watch(maker, critic, data, latent=3, every=10, options={"n": 100, "test": "energy"})
    to_d, to_g = discriminator_loss("non-saturating"), generator_loss("non-saturating")
    d, g = (torch.optim.Adam(net.parameters(), 1e-2) for net in (critic, maker))
    for step in range(steps):
        real, z = data.sample(32), torch.randn(2, 32, 3)
        d.zero_grad()
        to_d(critic(real), critic(maker(z[0]).detach())).backward()
        d.step()
        g.zero_grad()
        to_g(critic(maker(z[1]))).backward()
        if watched:
            watch(step)  # gradients that wait to be used stay as they are, too
        g.step()
    return [*maker.state_dict().values(), *critic.state_dict().values()], watch


def test_a_watched_run_is_bitwise_the_run_that_is_not():
    (plain, unused), (seen, watch) = trained(False), trained(True)
    assert all(torch.equal(a, b) for a, b in zip(plain, seen, strict=True))
    assert not unused.readings
    assert watch.column("step") == [0, 10, 20]
    assert all(0 <= p <= 1 for p in watch.column("same_law"))
    assert len(set(watch.column("value"))) == 3
    reading = watch.readings[-1]
    assert repr(reading) == f"Reading(step 20: 2·JSD(P, Q) >= {reading.bound})"
    table = reading._repr_html_()
    assert all(word in table for word in ("gradient of D, of G", f"{reading.same_law:.3g}"))
    assert watch.draw().axes[0].get_title(loc="left").startswith("lower bound of 2*jsd")


class LogRatio(nn.Module):
    """The optimal score between N(0, 1) and N(d, s²)."""

    def __init__(self, loc, scale):
        super().__init__()
        self.loc, self.scale = loc, scale

    def forward(self, x):
        q = torch.distributions.Normal(self.loc, self.scale)
        return torch.distributions.Normal(0.0, 1.0).log_prob(x) - q.log_prob(x)


class Shift(nn.Module):
    """z -> loc + scale z."""

    def __init__(self, loc, scale):
        super().__init__()
        self.loc, self.scale = (nn.Parameter(torch.tensor(float(v))) for v in (loc, scale))

    def forward(self, z):
        return self.loc + self.scale * z


@pytest.mark.parametrize(("loc", "scale"), [(2.0, 1.0), (0.5, 1.5), (0.0, 1.0)])
@pytest.mark.parametrize(("loss", "name"), [("minimax", "2*jsd"), ("f-gan-kl", "kl_pq")])
def test_the_bound_of_an_optimal_discriminator_is_the_divergence(loss, name, loc, scale):
    optimal = LogRatio(loc, scale)
    critic = optimal if loss == "minimax" else lambda x: 1 + optimal(x)  # f'(r) of r log r
    critic = critic if isinstance(critic, nn.Module) else Function(critic)
    reading = measure(Shift(loc, scale), critic, "normal(0, 1)", loss, latent=1, n=20_000)
    kind = name.removeprefix("2*")
    truth = gt.divergence(kind, "normal(0, 1)", f"normal({loc}, {scale})").value
    truth *= 2 if name.startswith("2*") else 1
    assert reading.divergence == name
    assert abs(reading.bound.value - truth) <= reading.bound.error
    assert reading.bound.error < 0.2
    if (loc, scale) == (0.0, 1.0):
        assert reading.slope == pytest.approx(reading.slope_at_equality)


class Function(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def test_every_number_is_that_of_plain_torch_on_the_same_samples():
    rng = np.random.default_rng(1)
    real = torch.from_numpy(rng.normal(size=(400, 2))).float()
    z = torch.from_numpy(rng.normal(size=(400, 3))).float()
    maker, critic = networks(3)
    maker.eval(), critic.eval()
    reading = gt.measure(maker, critic, real, "non-saturating", latent=lambda n, _: z[:n])
    fake = maker(z)
    scores = critic(fake).detach()
    soft = nn.functional.softplus
    of_d = soft(-critic(real)).mean() + soft(critic(fake.detach())).mean()
    of_g = soft(-critic(fake)).mean()
    assert reading.value.value == pytest.approx(-of_d.item(), abs=1e-6)
    assert reading.generator_loss.value == pytest.approx(of_g.item(), abs=1e-6)
    assert reading.slope == pytest.approx(float(torch.sigmoid(-scores).mean()), abs=1e-6)
    for loss, net, found in (
        (of_d, critic, reading.discriminator_gradient),
        (of_g, maker, reading.generator_gradient),
    ):
        parts = torch.autograd.grad(loss, list(net.parameters()), retain_graph=True)
        norm = torch.cat([part.flatten() for part in parts]).norm()
        assert found == pytest.approx(float(norm), rel=1e-5)


def test_a_loss_without_an_optimum_is_measured_and_its_bound_left_open():
    maker, critic = networks()
    linear = gt.Loss("mean difference", real="t", fake="-t", generator="-t")
    reading = measure(maker, critic, np.zeros((500, 2)), linear, latent=3, n=500)
    assert reading.value.is_finite
    assert reading.bound.status == "undetermined"
    assert reading.slope == 1


def scored(n=400):
    """Return the pair's scores of n samples of either side, and what `measure` is given."""
    maker, critic = networks(3)
    maker.eval(), critic.eval()
    real, z = torch.randn(2, n, 3, generator=torch.Generator().manual_seed(2)).split(1)
    real, z = real[0, :, :2].contiguous(), z[0]
    data = types.SimpleNamespace(dim=2, sample=lambda n, generator, dtype: real[:n])  # in order
    latent = lambda n, _: z[:n]  # noqa: E731
    return critic(real)[:, 0], critic(maker(z))[:, 0], (maker, critic, data), n, latent


def test_a_loop_of_wgan_gp_is_measured_as_its_means_and_bounds_nothing():
    real, fake, modules, n, latent = scored()
    reading = measure(*modules, "wgan-gp", latent=latent, n=n)
    assert reading.value.value == pytest.approx((real.mean() - fake.mean()).item(), rel=1e-5)
    assert reading.generator_loss.value == pytest.approx(-fake.mean().item(), rel=1e-5)
    assert (reading.bound.status, reading.slope) == ("undetermined", 1)
    assert "its class" in reading.bound.method + str(reading.bound)
    watch = Watch(*modules, "wgan", latent=latent, every=1, options={"n": n})
    assert repr(watch) == "Watch(nothing measured yet)"
    watch(0)
    assert watch.draw().axes[0].get_title(loc="left").startswith("value of the game")
    assert "1 reading(s), the last at step 0" in repr(watch)
    assert len(repr(watch)) < 200


@pytest.mark.parametrize("name", ["relativistic", "relativistic-average"])
def test_a_loop_of_a_relativistic_gan_is_measured_on_pairs(name):
    real, fake, modules, n, latent = scored()
    soft, nets = nn.functional.softplus, modules[:2]
    if name == "relativistic":
        of_d, of_g = soft(fake - real).mean(), soft(real - fake).mean()
    else:
        over, under = real - fake.mean(), fake - real.mean()
        of_d = soft(-over).mean() + soft(under).mean()
        of_g = soft(-under).mean() + soft(over).mean()
    reading = measure(*modules, name, latent=latent, n=n)
    assert reading.value.value == pytest.approx(-of_d.item(), rel=1e-5)
    assert reading.generator_loss.value == pytest.approx(of_g.item(), rel=1e-5)
    for loss, net, found in (
        (of_g, nets[0], reading.generator_gradient),
        (of_d, nets[1], reading.discriminator_gradient),
    ):
        slopes = torch.autograd.grad(loss, list(net.parameters()), retain_graph=True)
        assert found == pytest.approx(torch.cat([s.flatten() for s in slopes]).norm().item(), 1e-4)
    if name == "relativistic":
        assert reading.bound.value == pytest.approx(math.log(2) - of_d.item(), abs=1e-6)
    else:
        assert reading.bound.status == "undetermined"


@pytest.mark.parametrize(
    ("payoff", "status"), [("-t**2 + 2*t", "ok"), ("log(sigmoid(t)) + 5e-14*t**2", "undetermined")]
)
def test_a_payoff_of_pairs_bounds_only_where_it_is_shown_to_be_concave(payoff, status):
    _, _, modules, n, latent = scored()
    loss = replace(gt.find("relativistic"), name="mine", objective=Pairs(payoff), aliases=())
    assert measure(*modules, loss, latent=latent, n=n).bound.status == status


def test_intervals_of_relativistic_averages_hold_the_value_as_often_as_they_say():
    class Plain:
        dim = 1

        def sample(self, n, generator, dtype):
            return 0.5 + torch.randn(n, 1, generator=generator, dtype=dtype)

    maker, critic = Function(lambda z: z), Function(lambda x: x)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    weight, soft = torch.exp(-x * x / 2) / torch.exp(-x * x / 2).sum(), nn.functional.softplus
    truth = -float((weight * (soft(-x - 0.5) + soft(x - 0.5))).sum())
    readings = [
        measure(maker, critic, Plain(), "relativistic-average", latent=1, n=300, seed=seed,
                error_probability=0.2).value
        for seed in range(100)
    ]  # fmt: skip
    held = sum(abs(one.value - truth) <= one.error for one in readings)
    assert 68 <= held <= 92  # 80 expected, of a standard deviation of 4


def test_the_score_is_taken_from_what_a_discriminator_returns():
    _, _, (maker, critic, real), n, latent = scored()
    several = Function(lambda x: {"features": x, "score": critic(x)})
    several.critic = critic
    plain = measure(maker, critic, real, latent=latent, n=n)
    taken = measure(maker, several, real, latent=latent, n=n, score=lambda out: out["score"])
    assert taken == plain
    with pytest.raises(GantheoryError, match=r"returned a dict; .* score=lambda out: out\[0\]"):
        measure(maker, several, real, latent=latent, n=n)
    with pytest.raises(GantheoryError, match=r"score= does not fit what .* a dict .KeyError"):
        measure(maker, several, real, latent=latent, n=n, score=lambda out: out["scores"])
    with pytest.raises(GantheoryError, match="a function of means is derived, not measured"):
        measure(maker, critic, real, "donsker-varadhan", latent=latent, n=n)


@pytest.mark.parametrize("source", ["twister", "counter"])
def test_an_ensemble_trains_on_a_users_points(source):
    data = points(np.random.default_rng(0).normal(3, 0.1, size=200))
    recipe = Recipe(Mlp((1, 8, 1)), Affine(), steps=64, batch=16, source=source)
    state = last(train([Member(data, generator_rate=1e-2)], recipe))
    assert state.finite.all()
    assert float(state.parameters["generator"][0, 0]) > 0.05
    with pytest.raises(GantheoryError, match="data of type ndarray cannot be sampled"):
        train([Member(np.zeros((5, 1)))], replace(recipe, source="twister"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "f-gan-reverse-kl"}, "where 'f-gan-reverse-kl' has"),
        ({"data": np.zeros((30, 3))}, "they must have as many numbers a point"),
        ({"test": "dice"}, "unknown test 'dice'"),
        ({"discriminator": nn.Flatten(0)}, "a row for each"),
        ({"discriminator": nn.Linear(3, 1)}, r"discriminator does not take inputs of shape .n, 2"),
        ({"generator": nn.Linear(2, 2)}, r"generator does not take inputs of shape .n, 3"),
        ({"generator": lambda z: z}, "no generator; give a torch nn.Module"),
        ({"discriminator": nn.Sequential(nn.Linear(2, 1), nn.Sigmoid(), nn.Flatten())}, "sigmoid"),
        ({"data": np.ones((3, 2))}, "measured on 3 point"),
        ({"error_probability": 2}, "error_probability=2 must lie between"),
        ({"error_probability": "1"}, "error_probability='1' must lie between"),
        ({"test": "kolmogorov-smirnov"}, "is for the line, not 2 dimensions"),
        ({"seed": 1.5}, "seed=1.5 must be a whole number"),
        ({"latent": lambda n, g: torch.zeros(7, 3)}, r"gave shape \(7, 3\); n=30 rows"),
        ({"latent": lambda n, g: None}, "gave NoneType; n=30 rows of a tensor fit"),
        ({"latent": lambda n: torch.zeros(n, 3)}, "failed: .*takes 1 positional argument"),
    ],
)
def test_what_does_not_fit_is_refused_and_modes_come_back(change, message):
    maker, critic = networks()
    given = {"generator": maker, "discriminator": critic, "data": np.ones((30, 2)), **change}
    with pytest.raises(GantheoryError, match=message):
        measure(**{"n": 30, "latent": 3, **given})
    assert maker.training
    assert critic.training
    assert isinstance(points([1.0]), DataPoints)


@pytest.mark.parametrize("package", ["lightning.pytorch", "pytorch_lightning"])
def test_a_callback_of_lightning_measures_every_so_many_batches(monkeypatch, package):
    class Callback:
        pass

    for name in ("lightning", "lightning.pytorch", "pytorch_lightning"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, package.partition(".")[0], types.ModuleType("package"))
    monkeypatch.setitem(sys.modules, package, types.SimpleNamespace(Callback=Callback))
    maker, critic = networks()
    watch = Watch(maker, critic, np.ones((30, 2)), latent=3, every=3, options={"n": 30})
    made, logged = watch.lightning(), []
    module = types.SimpleNamespace(log_dict=logged.append)
    for index in range(7):
        made.on_train_batch_end(None, module, None, None, index)
    assert watch.column("step") == [3, 6]
    assert [row["gantheory/bound"] for row in logged] == [float(b) for b in watch.column("bound")]
    other = watch.lightning()
    other.load_state_dict(made.state_dict())
    assert (other.batches, isinstance(made, Callback)) == (7, True)


def test_without_lightning_its_callback_is_one_line(monkeypatch):
    for name in ("lightning", "lightning.pytorch", "pytorch_lightning"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(GantheoryError, match="pip install lightning"):
        Watch(*networks(), np.ones((3, 2)), latent=3).lightning()


def test_a_gan_on_a_table_is_trained_measured_and_plotted_as_the_page_shows(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "own-gan.md").read_text()
    (block,) = re.findall(r"^```python\n(.*?)^```", page, re.S | re.M)
    assert len([line for line in block.splitlines() if line]) <= 15
    np.savetxt(tmp_path / "my.csv", np.random.default_rng(0).normal(size=(200, 2)), delimiter=",")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(re.sub("steps=[0-9]+, every=[0-9]+", "steps=128, every=64", block), names)
    assert names["found"].path == "fast"
    assert names["found"].watches[0].column("step") == [64, 128]
    assert (tmp_path / "run.png").stat().st_size > 5000


def test_the_loop_that_the_page_shows_runs_in_fifteen_lines(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text()
    (block,) = [b for b in re.findall(r"^```python\n(.*?)^```", page, re.S | re.M) if "my.csv" in b]
    code = [line for line in block.splitlines() if line and not re.match("import|from", line)]
    assert len(code) <= 15
    np.savetxt(tmp_path / "my.csv", np.random.default_rng(0).normal(size=(200, 2)), delimiter=",")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(block.replace("range(2001)", "range(101)"), names)
    assert names["watch"].column("step") == [0, 100]
    assert (tmp_path / "run.png").stat().st_size > 5000


def test_the_readme_measures_a_gan_in_ten_lines():
    page = (Path(__file__).parents[2] / "README.md").read_text()
    (block,) = [
        b for b in re.findall(r"^```python\n(.*?)^```", page, re.S | re.M) if "measure(" in b
    ]
    assert len([line for line in block.splitlines() if line]) <= 10
    names = {"gantheory": gt}
    exec(block, names)
    assert names["reading"].divergence == "2*jsd"
    assert 0 <= names["reading"].same_law < 0.01  # an untrained generator is told apart


def test_a_tensor_is_data_whatever_its_type_and_graph():
    given = torch.tensor([[1.0, 2.0], [3.0, 4.5]])
    for like in (given.bfloat16(), given.half(), given.double().requires_grad_(), list(given)):
        assert torch.equal(points(like).rows, given.double())


def test_a_bounded_discriminator_is_measured_where_the_loss_has_no_sigmoid_of_its_own():
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(1, 1), nn.Sigmoid())
    data = np.linspace(-1, 1, 300)
    reading = measure(nn.Linear(1, 1), critic, data, "least-squares-01", latent=1)
    assert reading.value.is_finite
    changing = nn.Sequential(nn.Linear(1, 1), nn.ReLU(inplace=True))
    inputs = torch.ones(30, 1)
    assert measure(nn.Identity(), changing, inputs, latent=1).generator_gradient == 0
    assert torch.equal(inputs, torch.ones(30, 1))
