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
