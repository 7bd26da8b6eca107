"""Fresh samples of an ensemble's generators, in any dimension, and tests of them against data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gantheory.errors import GantheoryError
from simulations.compare import classifier_test, energy_test, kolmogorov_smirnov
from simulations.ensembles import Member, Recipe, State
from simulations.streams import COMPARISON, EVALUATION, Sampler, draw_latent, generator_of

Array = NDArray[np.float64]
TESTS = {
    "energy": lambda x, y, seed: energy_test(x, y, seed),
    "classifier": lambda x, y, seed: classifier_test(x, y, seed)[1],
    "kolmogorov-smirnov": lambda x, y, seed: kolmogorov_smirnov(x, y),
}


def fresh_samples(state: State, recipe: Recipe, members: Sequence[Member], n: int) -> Tensor:
    """Return n samples of every member's generator, (K, n, dim), on the CPU.

    Their latent draws come from a stream of each member's seed that training does not read; so do
    the conditions, those of fresh real samples, which stand behind the samples as in the data.
    """
    if recipe.generator is None:
        raise GantheoryError("this recipe has no generator; sample the members' fake laws instead")
    shape = n, recipe.draw.latent_dim
    z = torch.stack(
        [
            draw_latent(shape, recipe.latent, generator_of(member.seed, EVALUATION), recipe.dtype)
            for member in members
        ]
    )
    rows = state.parameters["generator"].cpu()
    with torch.no_grad():
        if not recipe.condition:
            return recipe.generator(rows, z)
        conditions = torch.stack([_conditions(member, recipe, n) for member in members])
        return torch.cat([recipe.generator(rows, torch.cat([z, conditions], -1)), conditions], -1)


def _conditions(member: Member, recipe: Recipe, n: int) -> Tensor:
    """Return the conditions of n fresh real samples, (n, condition)."""
    source = generator_of(member.seed, EVALUATION, 1)  # latents come from another chunk
    return member.real.sample(n, source, recipe.dtype)[:, -recipe.condition :]


def two_sample_tests(
    samples: Tensor,
    real: Sampler,
    seed: int,
    test: Literal["energy", "classifier", "kolmogorov-smirnov"] = "energy",
) -> Array:
    """Return each member's p-value for "these samples are drawn from ``real``", shape (K,).

    Args:
        samples: (K, n, dim), as `fresh_samples` gives them.
        real: the data; as many fresh points are drawn for each member.
        seed: of those points, and of permutations; each member has a stream of its own.
        test: energy (permutations, any dimension), classifier (nearest neighbours, any
            dimension), kolmogorov-smirnov (on the line only).
    """
    if samples.ndim != 3 or samples.shape[2] != real.dim:
        raise GantheoryError(
            f"samples of shape {tuple(samples.shape)} against data of dimension {real.dim}; "
            "give (members, points, dimension)"
        )
    if test == "kolmogorov-smirnov" and real.dim > 1:
        raise GantheoryError(f"test={test!r} is for the line, not {real.dim} dimensions")
    results = []
    for k, points in enumerate(samples.double().cpu().numpy()):
        source = generator_of(seed, COMPARISON, k)  # latents come from another stream
        fresh = real.sample(len(points), source, torch.float64).numpy()
        results.append(TESTS[test](points, fresh, (seed, k)))
    return np.array(results)
