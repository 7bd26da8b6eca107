"""Networks of a whole ensemble at once: member k's parameters are row k of one matrix.

A network is a frozen description. Its parameters live outside, in a tensor of shape (K, count)
for K members, so that optimisers, checkpoints and blocks of members need no knowledge of layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn import functional

from gantheory.errors import GantheoryError, unknown_name

# softplus(x) = x to float64 rounding from here: e^-40 is 4e-18. torch's own default is 20.
SOFTPLUS_LINEAR_FROM = 40.0

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda x: x,
    "relu": torch.relu,
    "leaky": lambda x: functional.leaky_relu(x, 0.2),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": lambda x: functional.softplus(x, threshold=SOFTPLUS_LINEAR_FROM),
}

NORMS = "batch", "spectral"
BATCH_EPSILON = 1e-5  # added to a variance over a minibatch, as torch.nn.BatchNorm1d does


@runtime_checkable
class Network(Protocol):
    """What training needs of a network."""

    @property
    def inputs(self) -> int:
        """Return the dimension of one input."""

    @property
    def outputs(self) -> int:
        """Return the dimension of one output."""

    @property
    def count(self) -> int:
        """Return the length of one member's parameter row."""

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Return the matrices that make up a row, in order."""

    def initial(self, generator: torch.Generator) -> Tensor:
        """Return one member's initial parameters, shape (count,), float64."""

    def __call__(self, parameters: Tensor, x: Tensor, /) -> Tensor:
        """Return the outputs (K, n, outputs) for inputs (K, n, inputs) of K members."""


@dataclass(frozen=True)
class Mlp:
    """A fully connected network, for K members at a time.

    Args:
        sizes: widths from input to output, such as ``(1, 32, 32, 1)``.
        activation: of the hidden layers: relu, leaky (slope 0.2), tanh, softplus, sigmoid.
        output: of the last layer.
        scale: None for torch's own initialisation of linear layers, uniform on ±1/√inputs
            for weights and biases; else normal weights of this deviation and zero biases.
        norm: ``"spectral"``: each weight matrix is divided by its largest singular value, found
            exactly (Miyato et al., 2018, arXiv:1802.05957, take a step of the power method for
            it). ``"batch"``: before each hidden activation every unit is shifted and scaled to
            mean 0 and variance 1 over the minibatch, then by numbers that are trained (Ioffe and
            Szegedy, 2015, arXiv:1502.03167); samples too are made from their own batch's moments.

    >>> net = Mlp((2, 8, 1))
    >>> parameters = torch.stack([net.initial(torch.Generator().manual_seed(s)) for s in (0, 1)])
    >>> net(parameters, torch.zeros(2, 5, 2, dtype=torch.float64)).shape
    torch.Size([2, 5, 1])
    """

    sizes: tuple[int, ...]
    activation: str = "relu"
    output: str = "identity"
    scale: float | None = None
    norm: Literal["batch", "spectral"] | None = None

    def __post_init__(self) -> None:
        if self.norm not in (None, *NORMS):
            raise unknown_name("norm", self.norm, NORMS)
        whole = isinstance(self.sizes, tuple | list) and all(
            isinstance(size, Integral) and size >= 1 for size in self.sizes
        )
        if not whole or len(self.sizes) < 2:
            raise GantheoryError(f"sizes={self.sizes!r}: give at least two positive widths")
        for name in (self.activation, self.output):
            if name not in list(ACTIVATIONS):
                raise unknown_name("activation", name, ACTIVATIONS)

    @property
    def inputs(self) -> int:
        """Return the dimension of one input."""
        return self.sizes[0]

    @property
    def outputs(self) -> int:
        """Return the dimension of one output."""
        return self.sizes[-1]

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Return the matrices of a row: weight (in, out) and bias (1, out) of each layer.

        Under batch normalisation each hidden layer's scale (1, out) and shift (1, out) follow.
        """
        layers = [[(i, o), (1, o)] for i, o in pairwise(self.sizes)]
        more = [[(1, o), (1, o)] if self.norm == "batch" else [] for o in self.sizes[1:-1]]
        return [shape for pair in zip(layers, [*more, []], strict=True) for part in pair
                for shape in part]  # fmt: skip

    def layers(self, parameters: Tensor) -> list[list[Tensor]]:
        """Return each layer's matrices: weight, bias, and its scale and shift if it has them."""
        matrices = iter(self.matrices(parameters))
        depth = len(self.sizes) - 1
        width = 4 if self.norm == "batch" else 2
        return [[next(matrices) for _ in range(width)] for _ in range(depth - 1)] + [list(matrices)]

    @property
    def count(self) -> int:
        """Return the length of one member's row."""
        return sum(i * o for i, o in self.shapes)

    def matrices(self, parameters: Tensor) -> list[Tensor]:
        """Return views (K, in, out) and (K, 1, out) of the rows ``parameters``, layer by layer."""
        parts = parameters.split([i * o for i, o in self.shapes], dim=1)
        return [part.unflatten(1, shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def initial(self, generator: torch.Generator) -> Tensor:
        """Return one member's initial parameters."""
        row = torch.zeros(1, self.count, dtype=torch.float64)
        for weight, bias, *norm in self.layers(row):
            if self.scale is None:
                bound = 1 / math.sqrt(weight.shape[1])
                weight.uniform_(-bound, bound, generator=generator)
                bias.uniform_(-bound, bound, generator=generator)
            else:
                weight.normal_(0, self.scale, generator=generator)
            if norm:
                norm[0].fill_(1.0)
        return row[0]

    def __call__(self, parameters: Tensor, x: Tensor) -> Tensor:
        """Return the outputs (K, n, outputs) for inputs (K, n, inputs)."""
        *hidden, last = self.layers(parameters)
        for layer in hidden:
            x = ACTIVATIONS[self.activation](self._linear(layer, x))
        return ACTIVATIONS[self.output](self._linear(last, x))

    def _linear(self, layer: Sequence[Tensor], x: Tensor) -> Tensor:
        weight, bias, *norm = layer
        if self.norm == "spectral":
            weight = weight / torch.linalg.matrix_norm(weight, 2)[:, None, None]
        x = torch.baddbmm(bias, x, weight)
        if not norm:
            return x
        variance, mean = torch.var_mean(x, 1, correction=0, keepdim=True)
        return torch.addcmul(norm[1], (x - mean) / (variance + BATCH_EPSILON).sqrt(), norm[0])


@dataclass(frozen=True)
class Affine:
    """The generator x = loc + scale·z in d dimensions; its parameters are (loc, scale).

    With z standard normal its density is exact: normal(loc, abs(scale)) in each coordinate.

    Args:
        loc, scale: initial values.
        dim: d.
        train: which of the two move.
    """

    loc: float = 0.0
    scale: float = 1.0
    dim: int = 1
    train: Literal["both", "loc", "scale"] = "both"

    @property
    def inputs(self) -> int:
        """Return d."""
        return self.dim

    @property
    def outputs(self) -> int:
        """Return d."""
        return self.dim

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Return the matrices of a row: loc (1, d) and scale (1, d)."""
        return [(1, self.dim), (1, self.dim)]

    @property
    def count(self) -> int:
        """Return 2d: d locations, then d scales."""
        return 2 * self.dim

    def initial(self, generator: torch.Generator) -> Tensor:
        """Return (loc, ..., scale, ...); nothing is random."""
        values = torch.tensor([self.loc, self.scale], dtype=torch.float64)
        return values.repeat_interleave(self.dim)

    def __call__(self, parameters: Tensor, z: Tensor) -> Tensor:
        """Return loc + scale·z, shape (K, n, d)."""
        loc, scale = parameters[:, None, : self.dim], parameters[:, None, self.dim :]
        loc = loc.detach() if self.train == "scale" else loc
        scale = scale.detach() if self.train == "loc" else scale
        return torch.addcmul(loc, scale, z)


def initialise(network: Network, generators: Sequence[torch.Generator]) -> Tensor:
    """Return the initial parameters (K, count) of K members, each from its own generator."""
    return torch.stack([network.initial(generator) for generator in generators])
