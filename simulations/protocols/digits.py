"""Stacked digits: three digits as the colours of one image, a thousand modes in all.

Metz et al. (2017), arXiv:1611.02163, stacked MNIST's; here scikit-learn's 8x8 digits are stacked,
or MNIST where its files are at hand. A classifier that the GAN never saw reads the three digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simulations.counter import Places
from simulations.data import digits
from simulations.ensembles import Recipe
from simulations.networks import Mlp
from simulations.protocols.protocol import Protocol
from simulations.regularisers import Regulariser, ZeroCentred
from simulations.updates import Adam

Array = NDArray[np.float64]
MODES = 1000


@dataclass(frozen=True)
class StackedDigits:
    """Three independent digit images side by side, pixels from 0 to 1.

    Args:
        folder: of MNIST's IDX files; None for scikit-learn's 1797 8x8 digits.
    """

    folder: str | None = None

    @property
    def dim(self) -> int:
        """Return the number of pixels of all three."""
        return 3 * _pixels(self.folder).shape[1]

    def sample(self, n: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        """Return n stacks, shape (n, dim)."""
        pixels = _pixels(self.folder)
        chosen = torch.randint(len(pixels), (n, 3), generator=generator)
        return pixels[chosen].flatten(1).to(dtype)

    def points(self, places: Places) -> Tensor:
        """Return points made from numbers that are counted, for all members at once."""
        u = places.uniform(3)
        pixels = _pixels(self.folder).to(u.device)
        return pixels[(u * len(pixels)).long()].flatten(-2)

    def modes_of(self, points: Array) -> NDArray[np.int64]:
        """Return the three digits of each stack as a number below 1000, as the classifier reads."""
        read = _classifier(self.folder).predict(points.reshape(len(points) * 3, -1))
        return np.asarray(read.reshape(-1, 3) @ np.array([100, 10, 1]))


@lru_cache(maxsize=2)
def _pixels(folder: str | None) -> Tensor:
    return torch.from_numpy(digits(folder).pixels)


@lru_cache(maxsize=2)
def _classifier(folder: str | None) -> Any:
    """Return scikit-learn's nearest-neighbour classifier, fitted on the data."""
    from sklearn.neighbors import KNeighborsClassifier

    data = digits(folder)
    return KNeighborsClassifier(1).fit(data.pixels, data.labels)


R1, R2 = ZeroCentred(1.0), ZeroCentred(1.0, "fake")
KINDS: dict[str, tuple[str, str, tuple[Regulariser, ...], int]] = {
    "gan": ("the GAN", "non-saturating", (), 1),
    "pac2": ("the GAN, 2 packed", "non-saturating", (), 2),
    "r3gan": ("relativistic with R1 and R2", "relativistic", (R1, R2), 1),
    "gan-r1-r2": ("the GAN with R1 and R2", "non-saturating", (R1, R2), 1),
    "relativistic-r1": ("relativistic with R1", "relativistic", (R1,), 1),
    "gan-r1": ("the GAN with R1", "non-saturating", (R1,), 1),
}
SOURCES = {
    "gan": "Lin et al. (2018), arXiv:1712.04086, table 2",
    "pac2": "Lin et al. (2018), arXiv:1712.04086, table 2",
}


def stacked(kind: str) -> Protocol:
    """Return stacked digits under one of the losses and penalties."""
    title, loss, regularisers, packing = KINDS[kind]
    law = StackedDigits()
    recipe = Recipe(
        Mlp((law.dim * packing, 256, 256, 1), activation="leaky"),
        Mlp((64, 256, 256, law.dim), activation="relu", output="sigmoid"),
        steps=20_000,
        batch=64 * packing,
        rule=Adam(0.0, 0.99) if regularisers else Adam(0.5),
        regularisers=regularisers,
        packing=packing,
        dtype=torch.float32,
    )
    return Protocol(
        f"stacked-digits-{kind}", f"stacked digits by {title}",
        SOURCES.get(kind, "Huang et al. (2024), arXiv:2501.05441, figure 2"), law, loss,
        (2e-4, 2e-4), recipe, metric="stacked",
        differs=(
            "8x8 digits of scikit-learn in place of MNIST, linear layers in place of "
            "convolutions; rates, penalties' weights and 20 000 steps are ours; one nearest "
            "neighbour reads the digits, in the papers a convolutional network"
        ),
    )  # fmt: skip
