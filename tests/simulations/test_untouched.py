"""What is measured is left as it was, in whatever mode a loop is, and steps are whole numbers."""

import random

import numpy as np
import pytest
import torch
from torch import nn
from toys import networks

import gantheory as gt
from gantheory.errors import GantheoryError
from simulations.protocols import catalogue, get_protocol
from simulations.watch import measure


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_gradients_are_measured_in_whatever_mode_of_autograd_a_loop_is(mode):
    """Lightning validates in inference mode, where no gradient was found: a norm of 0."""
    pair = networks()
    free = measure(*pair, np.ones((30, 2)), latent=3)
    with mode():
        found = measure(*pair, np.ones((30, 2)), latent=3)
        assert torch.is_inference_mode_enabled() == (mode is torch.inference_mode)
    for name in ("discriminator_gradient", "generator_gradient", "slope"):
        assert getattr(found, name) == getattr(free, name)
    assert min(free.discriminator_gradient, free.generator_gradient) > 0


class Noisy(nn.Linear):
    """A layer that draws from Python's and numpy's random numbers, as augmentations do."""

    def forward(self, x):
        return super().forward(x) + random.random() + np.random.rand()  # noqa: NPY002


def test_the_random_numbers_of_python_and_numpy_are_where_they_were():
    maker, _ = networks()
    random.seed(3)
    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    measure(maker, Noisy(2, 1), np.ones((30, 2)), latent=3)
    assert before == (random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002


class Own:
    """A sampler that draws from torch's own random numbers, whatever it is given."""

    dim = 2

    def sample(self, n, generator, dtype):
        return torch.randn(n, 2, dtype=dtype) + np.random.rand()  # noqa: NPY002


def test_neither_a_test_of_two_samples_nor_a_new_watch_moves_random_numbers():
    pair = networks()
    before = torch.get_rng_state(), np.random.get_state()[1:3]  # noqa: NPY002
    measure(*pair, np.random.default_rng(0).normal(size=(40, 2)), latent=3, test="classifier")
    gt.watch(*pair, Own(), latent=3)
    assert torch.equal(before[0], torch.get_rng_state())
    after = np.random.get_state()[1:3]  # noqa: NPY002
    assert before[1][0].tolist() == after[0].tolist()
    assert before[1][1] == after[1]


def test_what_is_measured_or_trained_within_autocast_is_in_full_precision():
    pair = nn.Sequential(nn.Linear(3, 2), nn.PReLU()), nn.Linear(2, 1)
    data = np.random.default_rng(0).normal(size=(300, 2))
    plain = measure(*pair, data, latent=3)
    options = {"latent": 3, "steps": 3, "batch": 8, "path": "reference"}
    rows = [gt.train(*pair, data, **options).state.parameters["generator"]]
    with torch.autocast("cpu", torch.bfloat16):
        assert measure(*pair, data, latent=3) == plain
        rows.append(gt.train(*pair, data, **options).state.parameters["generator"])
    assert torch.equal(*rows)


@pytest.mark.parametrize("every", [0, -3, 1.5, "100", True])
def test_a_watch_that_measures_at_no_whole_number_of_steps_is_refused(every):
    with pytest.raises(GantheoryError, match=r"every=.* must be"):
        gt.watch(*networks(), np.ones((30, 2)), latent=3, every=every)


@pytest.mark.parametrize("name", ["unrolled-ring-0", "dirac-r1"])
def test_a_published_toy_is_made_without_torchs_random_numbers(name):
    catalogue._made.cache_clear()
    before = torch.get_rng_state()
    get_protocol(name)
    assert torch.equal(before, torch.get_rng_state())


def test_buffers_of_a_part_that_both_networks_share_are_put_back_themselves():
    shared = nn.BatchNorm1d(1)
    pair = nn.Sequential(nn.Linear(3, 1), shared), nn.Sequential(shared, nn.Linear(1, 1))
    before = dict(shared.named_buffers())
    measure(*pair, np.arange(30.0)[:, None], latent=3)
    assert all(buffer is before[name] for name, buffer in shared.named_buffers())
