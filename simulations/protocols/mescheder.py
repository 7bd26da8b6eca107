"""The toys of Mescheder et al. (2018), arXiv:1801.04406: the Dirac-GAN, and four in the plane.

The Dirac-GAN has D(x) = psi·x, data at 0 and fakes at theta: whether (theta, psi) comes to rest at
the equilibrium (0, 0) is known for each loss and penalty. Constants are those of the authors'
notebook: rates of 0.2 from (1, 1) on, 500 steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from simulations.counter import Places
from simulations.data import Modes
from simulations.ensembles import Recipe
from simulations.modules import as_network
from simulations.networks import Affine, Mlp
from simulations.points import points
from simulations.protocols.protocol import Protocol
from simulations.regularisers import GradientPenalty, Regulariser, ZeroCentred
from simulations.streams import Sampler
from simulations.updates import RmsProp, Sgd

SOURCE = "Mescheder et al. (2018), arXiv:1801.04406"
DIRAC: dict[str, tuple[str, str, dict[str, Any]]] = {
    "gan": ("the GAN", "minimax", {}),
    "nsgan": ("the non-saturating GAN", "non-saturating", {}),
    "wgan": ("WGAN, clipped at 1", "wgan", {"clip": 1.0}),
    "wgan-gp": ("WGAN-GP of weight 0.7", "wgan-gp", {"regularisers": (GradientPenalty(0.7),)}),
    "r1": ("the GAN with R1 of 0.3", "minimax", {"regularisers": (ZeroCentred(0.3),)}),
    "r1-critical": ("the GAN with R1 of 1", "minimax", {"regularisers": (ZeroCentred(1.0),)}),
    "nsgan-r1": (
        "the non-saturating GAN with R1 of 0.3", "non-saturating",
        {"regularisers": (ZeroCentred(0.3),)},
    ),
}  # fmt: skip


def dirac_protocol(name: str) -> Protocol:
    """Return a Dirac-GAN, trained by alternating gradient descent."""
    title, loss, changes = DIRAC[name]
    critic = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    nn.init.ones_(critic.weight)
    recipe = Recipe(
        as_network(critic, (1,))[0], Affine(loc=1.0, scale=0.0, train="loc"), steps=500, batch=1,
        rule=Sgd(),
    )  # fmt: skip
    return Protocol(
        f"dirac-{name}", f"the Dirac-GAN: {title}", f"{SOURCE}, section 2 and 3",
        points([[0.0]]), loss, (0.2, 0.2), replace(recipe, **changes), metric="distance",
        differs="D moves first in a step, in the authors' notebook G",
    )  # fmt: skip


@dataclass(frozen=True)
class Circle:
    """The uniform law on a circle about 0."""

    radius: float = 1.0

    dim = 2

    def sample(self, n: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        """Return n independent points, shape (n, 2)."""
        return self._placed(torch.rand(n, generator=generator, dtype=dtype))

    def points(self, places: Places) -> Tensor:
        """Return points made from numbers that are counted, for all members at once."""
        return self._placed(places.uniform()[..., 0])

    def _placed(self, u: Tensor) -> Tensor:
        angle = 2 * math.pi * u
        return self.radius * torch.stack([angle.cos(), angle.sin()], -1)


@dataclass(frozen=True)
class Segments:
    """The uniform law on parallel segments of one length, one above the other."""

    heights: tuple[float, ...] = (0.0,)
    length: float = 2.0

    dim = 2

    def sample(self, n: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        """Return n independent points, shape (n, 2)."""
        return self._placed(torch.rand(n, 2, generator=generator, dtype=dtype))

    def points(self, places: Places) -> Tensor:
        """Return points made from numbers that are counted, for all members at once."""
        return self._placed(places.uniform(2))

    def _placed(self, u: Tensor) -> Tensor:
        heights = torch.tensor(self.heights, dtype=u.dtype, device=u.device)
        chosen = (u[..., 0] * len(heights)).long().clamp_(max=len(heights) - 1)
        return torch.stack([self.length * (u[..., 1] - 0.5), heights[chosen]], -1)


PLANE: dict[str, tuple[str, Sampler]] = {
    "gaussian": ("a normal law", Modes(((0.0, 0.0),), 1.0)),
    "line": ("a segment", Segments()),
    "circle": ("a circle", Circle()),
    "lines": ("four segments", Segments((-1.5, -0.5, 0.5, 1.5))),
}
PENALTIES: dict[str, tuple[str, str, tuple[Regulariser, ...]]] = {
    "gan": ("the GAN", "non-saturating", ()),
    "r1": ("R1 of 1", "non-saturating", (ZeroCentred(1.0),)),
    "r2": ("R2 of 1", "non-saturating", (ZeroCentred(1.0, "fake"),)),
    "wgan-gp": ("WGAN-GP of weight 10", "wgan-gp", (GradientPenalty(10.0),)),
}


def plane_protocol(law: str, penalty: str) -> Protocol:
    """Return a law in the plane, on curves or the normal one, trained under a penalty."""
    (where, sampler), (title, loss, regularisers) = PLANE[law], PENALTIES[penalty]
    recipe = Recipe(
        Mlp((2, 16, 16, 16, 16, 1), activation="leaky"),
        Mlp((16, 16, 16, 16, 16, 2), activation="leaky"),
        steps=50_000,
        batch=64,
        rule=RmsProp(),
        regularisers=regularisers,
        dtype=torch.float32,
    )
    return Protocol(
        f"mescheder-{law}-{penalty}", f"{where} by {title}", f"{SOURCE}, 2-D examples", sampler,
        loss, (2e-4, 2e-4), recipe, metric="transport",
        differs=(
            "one of the paper's architectures, rates and weights, where it takes the best of a "
            "grid of them; the laws' places and sizes, the latent dimension and the minibatch are "
            "ours; W1 at the end, in the paper averaged over the last steps"
        ),
    )  # fmt: skip
