"""Invertible generators in the plane from zuko: samples one way, an exact density the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from gantheory.errors import GantheoryError, require, unknown_name

KINDS = ("NICE", "MAF", "NSF")  # those whose inverse is exact


@dataclass(frozen=True)
class Flow:
    """A normalising flow as generator: x = F(z), z standard normal, F invertible.

    log q(x) = log φ(F⁻¹(x)) + log |det ∂F⁻¹/∂x|, which zuko (Rozet et al., github.com/probabilists)
    computes exactly.

    Args:
        dim: dimension of samples and of z.
        kind: the flow's class in `zuko.flows`: NICE (couplings, fast both ways), MAF, NSF.
        transforms: how many are composed.
        hidden: widths of each transform's network.

    >>> flow = Flow()
    >>> row = flow.initial(torch.Generator().manual_seed(0))
    >>> flow.log_density(row, torch.zeros(3, 2, dtype=torch.float64)).shape
    torch.Size([3])
    """

    dim: int = 2
    kind: str = "NICE"
    transforms: int = 4
    hidden: tuple[int, ...] = (64, 64)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise unknown_name("flow", self.kind, KINDS)
        require("a flow", "torch", "zuko")
        if self.dim < 2:
            raise GantheoryError(f"a flow needs dim >= 2, got {self.dim}; on the line use an Mlp")

    @property
    def inputs(self) -> int:
        """Return the dimension of z."""
        return self.dim

    @property
    def outputs(self) -> int:
        """Return the dimension of samples."""
        return self.dim

    @cached_property
    def _module(self) -> nn.Module:
        """Return one flow, whose own values are never used: parameters come from rows."""
        import zuko

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            module: nn.Module = getattr(zuko.flows, self.kind)(
                self.dim, transforms=self.transforms, hidden_features=self.hidden
            )
        return module.double()

    @cached_property
    def _sizes(self) -> list[tuple[str, torch.Size]]:
        return [(name, value.shape) for name, value in self._module.named_parameters()]

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Return the parameters as matrices of one row each."""
        return [(1, shape.numel()) for _, shape in self._sizes]

    @property
    def count(self) -> int:
        """Return the length of one member's row."""
        return sum(o for _, o in self.shapes)

    def initial(self, generator: torch.Generator) -> Tensor:
        """Return one member's initial parameters, as zuko draws them."""
        import zuko

        with torch.random.fork_rng(devices=[]):
            torch.random.set_rng_state(generator.get_state())  # all of it: a seed has 32 bits
            flow: Any = getattr(zuko.flows, self.kind)(
                self.dim, transforms=self.transforms, hidden_features=self.hidden
            )
        return torch.cat([value.detach().reshape(-1).double() for value in flow.parameters()])

    def __call__(self, parameters: Tensor, z: Tensor) -> Tensor:
        """Return the samples (K, n, dim) of K members, one after the other."""
        members = zip(parameters, z, strict=True)
        return torch.stack([self._with(row, _Samples(self._module), x) for row, x in members])

    def log_density(self, row: Tensor, x: Tensor) -> Tensor:
        """Return one member's exact log-density at x (n, dim), shape (n,)."""
        return self._with(row, _LogDensity(self._module), x.to(row.dtype))

    def _with(self, row: Tensor, module: nn.Module, x: Tensor) -> Tensor:
        """Return what ``module`` makes of ``x`` with a row's parameters in the flow's place."""
        parts = row.split([shape.numel() for _, shape in self._sizes])
        named = {
            f"flow.{name}": part.view(shape)
            for part, (name, shape) in zip(parts, self._sizes, strict=True)
        }
        result: Tensor = torch.func.functional_call(module.to(row.dtype), named, (x,))
        return result


class _Samples(nn.Module):
    """z -> x, all of it in one forward pass, while the parameters are in place."""

    def __init__(self, flow: nn.Module) -> None:
        super().__init__()
        self.flow = flow

    def forward(self, z: Tensor) -> Tensor:
        samples: Tensor = self.flow().transform.inv(z)
        return samples


class _LogDensity(_Samples):
    """x -> log q(x)."""

    def forward(self, x: Tensor) -> Tensor:
        z, log_volume = self.flow().transform.call_and_ladj(x)
        normal = torch.distributions.Normal(x.new_zeros(()), 1, validate_args=False)
        log_base: Tensor = normal.log_prob(z).sum(-1)
        return log_base + log_volume
