"""The network that is handed to losses which call one: its outputs are the scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class Score(nn.Module):
    """The network handed to losses that call it: its output is what it is given, in a form.

    A discriminator's scores carry a gradient into its parameters, however detached the samples
    are: scores that are known are the leaves, whether or not ``x`` is attached to them.
    """

    answer: ClassVar[Callable[[Any], Any]] = staticmethod(lambda x: x)
    known: ClassVar[Sequence[Tensor]] = ()

    def forward(self, x: Any, *_: Any, **__: Any) -> Any:
        with torch.utils._python_dispatch._disable_current_modes():
            leaf = next((k for k in Score.known if _equal(k, x)), None)
        if leaf is not None and not x.requires_grad:
            leaf = leaf.reshape(x.shape)
            x = x + (leaf - leaf.detach())
        return Score.answer(x)


def _equal(known: Tensor, x: Any) -> bool:
    return (
        isinstance(x, Tensor)
        and known.numel() == x.numel()
        and torch.equal(known.detach().reshape(-1), x.detach().reshape(-1))
    )


def holds_network(function: Callable[..., Any]) -> bool:
    """Return whether the network that was handed to a constructor is in an object."""
    owner = getattr(function, "__self__", function)
    held = (
        owner.modules() if isinstance(owner, nn.Module) else getattr(owner, "__dict__", {}).values()
    )
    return any(isinstance(one, Score) for one in held)
