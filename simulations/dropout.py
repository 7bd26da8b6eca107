"""Dropout from counted numbers: a member's masks depend on its seed, never on its company.

Srivastava et al. (2014), Journal of Machine Learning Research 15: in training each number is kept
with probability 1 - p and divided by it, and outside of training nothing is dropped.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from gantheory.errors import InternalError

# layer -> how many axes of one input a mask has; the others, as an image's, are dropped together
KINDS: dict[type[nn.Module], int | None] = {
    nn.Dropout: None, nn.Dropout1d: 1, nn.Dropout2d: 1, nn.Dropout3d: 1,
}  # fmt: skip


class Masks:
    """Uniform numbers of one pass, (n, width), taken by the layers in the order of their calls."""

    def __init__(self) -> None:
        self.numbers: Tensor | None = None
        self.taken = 0

    def begin(self, numbers: Tensor | None) -> None:
        """Start a pass with these numbers; without any, nothing is dropped."""
        self.numbers, self.taken = numbers, 0

    def take(self, shape: torch.Size) -> Tensor:
        """Return the next numbers, (n, *shape)."""
        size = shape.numel()
        assert self.numbers is not None
        part = self.numbers[:, self.taken : self.taken + size]
        if part.shape[1] != size:
            raise InternalError(f"{size} numbers for a dropout mask, {part.shape[1]} left")
        self.taken += size
        return part.unflatten(1, shape)


class CountedDropout(nn.Module):
    """A layer of dropout that reads its numbers from `Masks`."""

    def __init__(self, share: float, axes: int | None, masks: Masks) -> None:
        super().__init__()
        self.share, self.axes, self.masks = share, axes, masks

    def mask_shape(self, x: Tensor) -> torch.Size:
        """Return the shape of one input's mask."""
        own = x.shape[1:]
        kept = len(own) if self.axes is None else self.axes
        return torch.Size([*own[:kept], *[1] * (len(own) - kept)])

    def forward(self, x: Tensor) -> Tensor:
        """Return the inputs (n, ...), some of them dropped."""
        if self.masks.numbers is None:
            return x
        kept = self.masks.take(self.mask_shape(x)) >= self.share
        return torch.where(kept, x / max(1 - self.share, 1e-300), torch.zeros_like(x))


class _Counting(CountedDropout):
    """The same layer, only counting how many numbers it would take."""

    def forward(self, x: Tensor) -> Tensor:
        self.masks.taken += self.mask_shape(x).numel()
        return x


def with_masks(module: nn.Module, *, counting: bool = False) -> tuple[nn.Module, Masks]:
    """Return a copy of a module whose layers of dropout read from masks, and those masks."""
    masks, made = Masks(), copy.deepcopy(module)
    kind = _Counting if counting else CountedDropout
    for parent in list(made.modules()):
        for name, layer in list(parent.named_children()):
            if type(layer) in KINDS:
                share = float(getattr(layer, "p"))  # noqa: B009 - typed as a tensor or a module
                setattr(parent, name, kind(share, KINDS[type(layer)], masks))
    return made, masks


def uniforms_per_pass(module: nn.Module, x: Tensor) -> int:
    """Return how many uniform numbers one input's masks take in a pass."""
    made, masks = with_masks(module, counting=True)
    made(x)
    return masks.taken
