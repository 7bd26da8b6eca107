"""Training takes one thread of torch, and the rest of the process keeps its own number."""

from dataclasses import dataclass, field

import pytest
import torch
from torch import nn

from simulations.ensembles import Member, Recipe
from simulations.fit import fit_discriminator
from simulations.models import train_modules
from simulations.networks import Affine, Mlp
from simulations.runs import train_run
from simulations.sweeps.sweep import sweep
from simulations.train import train

TOY = Recipe(Mlp((1, 8, 1)), Affine(), steps=64, batch=16)
LINE = "minimax", "normal(0, 1)", "normal(1, 1)"


@dataclass(frozen=True)
class Counted:
    """Normal data that note how many threads torch has while they are drawn."""

    dim: int = 1
    seen: list[int] = field(default_factory=list)

    def sample(self, n, generator, dtype):
        self.seen.append(torch.get_num_threads())
        return torch.randn(n, self.dim, generator=generator, dtype=dtype)


@pytest.mark.parametrize(
    "work",
    [
        lambda law, folder: next(train([Member(law)], TOY)),
        lambda law, folder: train_run(folder, [Member(law)], TOY),
        lambda law, folder: train_modules(nn.Linear(1, 1), nn.Linear(1, 1), law, steps=1, latent=1),
        lambda law, folder: sweep(*LINE, out=folder, workers=1, steps=64, hidden=(8,)),
        lambda law, folder: fit_discriminator(*LINE, steps=1, starts=1),
    ],
    ids=["train", "train_run", "train_modules", "sweep", "fit_discriminator"],
)
def test_training_uses_one_thread_and_leaves_the_process_its_own(work, tmp_path):
    law, before = Counted(), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        work(law, tmp_path)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert set(law.seen) <= {1}
