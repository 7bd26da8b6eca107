"""Exact densities of generators: against samples, other formulas and the Jacobian itself."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from scipy import stats

from gantheory.errors import GantheoryError
from simulations.ensembles import Member, Recipe, initial_state
from simulations.flows import KINDS, Flow
from simulations.networks import Affine, Mlp
from simulations.pushforward import GeneratorLaw
from simulations.streams import generator_of
from simulations.train import last, train


def member(network, seed=0, factor=1.0):
    return GeneratorLaw(network, network.initial(generator_of(seed, 0)) * factor)


FOLDED = member(Mlp((1, 16, 16, 1), "tanh"), seed=1, factor=2.5)  # no draw of the tests at a fold
SAMPLES = 200_000
# Dvoretzky-Kiefer-Wolfowitz at an error probability of 1e-9
BAND = math.sqrt(math.log(2 / 1e-9) / (2 * SAMPLES))


@pytest.mark.parametrize(("loc", "scale"), [(0.0, 1.0), (1.5, -0.3), (-4.0, 20.0)])
def test_an_affine_generator_is_normal_with_the_absolute_scale(loc, scale):
    law = GeneratorLaw(Affine(), torch.tensor([loc, scale], dtype=torch.float64))
    exact = stats.norm(loc, abs(scale))
    x = exact.ppf(np.linspace(0.001, 0.999, 41))
    np.testing.assert_allclose(law.logpdf(x), exact.logpdf(x), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(law.cdf(x), exact.cdf(x), rtol=1e-11)


def test_a_folded_generators_distribution_is_that_of_its_samples():
    drawn = np.sort(FOLDED(np.random.default_rng(1).standard_normal(SAMPLES))[0])
    index, _ = FOLDED.preimages(np.linspace(drawn[0], drawn[-1], 101))
    assert np.bincount(index).max() >= 2  # it does fold
    x = np.quantile(drawn, np.linspace(0.02, 0.98, 25))
    gap = np.abs(FOLDED.cdf(x) - np.searchsorted(drawn, x) / SAMPLES)
    assert gap.max() < BAND
    shifted = np.abs(FOLDED.cdf(x + 0.05) - np.searchsorted(drawn, x) / SAMPLES)
    assert shifted.max() > 2 * BAND


def test_a_folded_generators_density_is_the_slope_of_its_distribution():
    drawn = FOLDED(np.random.default_rng(2).standard_normal(9))[0]
    width = 1e-5
    slope = (FOLDED.cdf(drawn + width) - FOLDED.cdf(drawn - width)) / (2 * width)
    np.testing.assert_allclose(np.exp(FOLDED.logpdf(drawn)), slope, rtol=1e-5)
    beyond = FOLDED(np.linspace(-8, 8, 4001))[0].max() + 1.0
    assert FOLDED.logpdf(np.array([beyond]))[0] == -np.inf


def test_where_a_relu_generator_is_constant_it_has_an_atom():
    net = Mlp((1, 1, 1))  # x = relu(z)
    law = GeneratorLaw(net, torch.tensor([1.0, 0.0, 1.0, 0.0], dtype=torch.float64))
    assert law.flat_mass == pytest.approx(0.5, abs=1e-12)
    assert law.logpdf(np.array([1.0]))[0] == pytest.approx(stats.norm.logpdf(1.0), abs=1e-12)
    assert FOLDED.flat_mass == 0


def test_an_exact_density_on_the_line_needs_one_input_and_one_output():
    with pytest.raises(GantheoryError, match="maps 2 numbers to 1"):
        member(Mlp((2, 4, 1)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_flows_density_is_the_change_of_variables_of_its_samples(kind):
    flow = Flow(kind=kind, hidden=(8,), transforms=2)
    row = flow.initial(generator_of(3, 0))
    z = torch.randn(4, 2, generator=generator_of(3, 1), dtype=torch.float64)
    x = flow(row[None], z[None])[0]
    density = flow.log_density(row, x)
    for k in range(4):
        jacobian = torch.autograd.functional.jacobian(
            lambda point: flow(row[None], point[None, None])[0, 0], z[k]
        )
        volume = torch.linalg.slogdet(jacobian)[1]
        wanted = -z[k].square().sum() / 2 - math.log(2 * math.pi) - volume
        assert density[k].item() == pytest.approx(wanted.item(), rel=1e-8)
        assert abs(volume) > 1e-6
    other = flow.initial(generator_of(4, 0))
    assert (flow(other[None], z[None])[0] - x).abs().max() > 1e-2
    assert (flow.log_density(other, x) - density).abs().max() > 1e-2


@dataclass(frozen=True)
class Plane:
    """Normal data in the plane."""

    dim: int = 2

    def sample(self, n, generator, dtype):
        return torch.randn(n, 2, generator=generator, dtype=dtype) + 1


def test_flows_train_from_seeds_and_do_not_touch_the_global_generator():
    flow = Flow(hidden=(8,), transforms=2)
    recipe = Recipe(Mlp((2, 16, 1)), flow, steps=4, batch=16)
    members = [Member(Plane(), seed=seed, generator_rate=1e-2) for seed in range(2)]
    before = torch.random.get_rng_state()
    end = last(train(members, recipe))
    assert torch.equal(before, torch.random.get_rng_state())
    start = initial_state(members, recipe)
    assert (end.parameters["generator"] - start.parameters["generator"]).abs().max() > 1e-3
    assert not torch.equal(*start.parameters["generator"])
    alone = last(train([replace(members[1])], recipe)).parameters["generator"][0]
    torch.testing.assert_close(alone, end.parameters["generator"][1], rtol=0, atol=1e-10)


def test_one_hidden_layer_of_pixels_is_a_network_like_any_other():
    net = Mlp((100, 128, 784), output="sigmoid")
    row = net.initial(generator_of(0, 0))
    assert net.count == 100 * 128 + 128 + 128 * 784 + 784
    pixels = net(row[None], torch.randn(1, 3, 100, dtype=torch.float64))
    assert pixels.shape == (1, 3, 784)
    assert 0 < pixels.min() < pixels.max() < 1
