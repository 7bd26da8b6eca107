"""What a published toy is here: its data, networks and numbers, and how it is measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from gantheory.shown import Overview, Shown
from simulations.ensembles import Member, Recipe
from simulations.modules import Maxout
from simulations.protocols.told import told_recipe
from simulations.streams import Sampler


@dataclass(frozen=True, repr=False)
class Protocol(Shown):
    """One published toy.

    Attributes:
        name, title, source: what it is, and who published it.
        law: the data.
        loss, rates, noise: of its members; rates of D and of G.
        recipe: how they are trained, with as many steps as were published.
        metric: how the generator is judged: ``"coverage"`` of modes, ``"stacked"`` digits,
            ``"transport"`` (the distance W1 to fresh data), or ``"distance"`` of the parameters
            from the equilibrium (see `simulations.protocols.metrics`).
        differs: how this differs from what was published.
    """

    name: str
    title: str
    source: str
    law: Sampler
    loss: str
    rates: tuple[float, float]
    recipe: Recipe
    metric: str = "coverage"
    noise: float = 0.0
    differs: str = ""

    def overview(self) -> Overview:
        """Return what it is, who published it, and how it is trained."""
        rates = f"{self.rates[0]:g} of D, {self.rates[1]:g} of G"
        recipe = told_recipe(self.recipe)
        if self.noise:
            recipe += f"; instance noise of {self.noise:g}"
        rows = (("source", self.source), ("loss", self.loss), ("rates", rates),
                ("recipe", recipe), ("differs", self.differs))  # fmt: skip
        return Overview(f"{self.name}: {self.title}", rows)

    def members(self, seeds: Iterable[int]) -> list[Member]:
        """Return one member a seed."""
        return [
            Member(
                self.law, self.loss, seed=seed, noise=self.noise,
                discriminator_rate=self.rates[0], generator_rate=self.rates[1],
            )
            for seed in seeds
        ]  # fmt: skip

    def changed(self, **changes: Any) -> Recipe:
        """Return the recipe with other fields, as ``steps=1000`` or ``device="cuda"``."""
        return replace(self.recipe, **changes)


class DrawnLinear(nn.Linear):
    """A linear layer whose weights begin as published, and whose biases begin at zero.

    Args:
        inputs, outputs: its widths.
        deviation: of normal weights; or
        gain: of an orthogonal matrix in their place.
        bias: whether it has one.
    """

    def __init__(
        self, inputs: int, outputs: int, *, deviation: float = 0.0, gain: float = 0.0,
        bias: bool = True,
    ) -> None:  # fmt: skip
        self.deviation, self.gain = deviation, gain
        super().__init__(inputs, outputs, bias=bias)

    def reset_parameters(self) -> None:
        """Draw the weights again."""
        with torch.no_grad():
            if self.gain:
                nn.init.orthogonal_(self.weight, self.gain)
            else:
                self.weight.normal_(0.0, self.deviation)
            if self.bias is not None:
                self.bias.zero_()


class DrawnMaxout(Maxout):
    """A `Maxout` whose weights begin normal, of one deviation, and whose biases begin at zero."""

    def __init__(self, inputs: int, outputs: int, pieces: int, deviation: float) -> None:
        super().__init__(inputs, outputs, pieces)
        self.linear = DrawnLinear(inputs, outputs * pieces, deviation=deviation)
