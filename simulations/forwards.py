"""Calling a user's modules: what a forward pass lacks is said in one line."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gantheory.errors import GantheoryError, require_type
from gantheory.losses.loss import Loss

# operations of autograd's graph that only give the same numbers another shape or type
SHAPING = (
    "Alias", "Clone", "Expand", "Permute", "ReshapeAlias", "Select", "Slice", "Squeeze", "ToCopy",
    "Transpose", "T", "UnsafeView", "Unsqueeze", "View",
)  # fmt: skip

SEVERAL = ", it returned a {}; if that holds D's scores, give score=lambda out: out[0]"


def first_line(error: Exception, most: int = 120) -> str:
    """Return the beginning of an error's text, for a message of one line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:most]


def minibatch(shape: tuple[int, ...] | torch.Size) -> str:
    """Return the shape of n inputs as a message names it.

    >>> minibatch((3, 8)), minibatch(())
    ('(n, 3, 8)', '(n,)')
    """
    return f"(n, {', '.join(map(str, shape))})" if shape else "(n,)"


def check_module(name: str, module: object) -> None:
    """Raise where an object is no network, or one that has no numbers yet."""
    require_type(name, module, nn.Module, "a torch nn.Module")
    assert isinstance(module, nn.Module)
    kind = type(module).__name__
    if any(nn.parameter.is_lazy(x) for x in (*module.parameters(), *module.buffers())):
        raise GantheoryError(f"{kind} has lazy layers without numbers; call it once on a minibatch")
    if any(x.is_meta for x in (*module.parameters(), *module.buffers())):
        raise GantheoryError(f"{kind} is on the device 'meta', without numbers; make it on another")


def bare(module: nn.Module) -> nn.Module:
    """Return the network inside a wrapper that parts minibatches among devices or processes."""
    while isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        module = module.module
    return module


@contextmanager
def recording() -> Iterator[None]:
    """Let autograd record, in full precision, whatever mode of torch the caller is in."""
    plain = [torch.autocast(device, enabled=False) for device in ("cpu", "cuda")]
    with torch.inference_mode(False), torch.enable_grad(), plain[0], plain[1]:
        yield


@contextmanager
def untouched(*modules: nn.Module) -> Iterator[None]:
    """Put modules into eval mode, and their modes and all random states back afterwards."""
    modes = [(part, part.training) for module in modules for part in module.modules()]
    devices = {p.device.index for module in modules for p in module.parameters() if p.is_cuda}
    others = random.getstate(), np.random.get_state()  # noqa: NPY002 - a module's own may be these
    with torch.random.fork_rng(devices=sorted(devices)), recording():
        own = [_with_copied_buffers(module) for module in modules]
        try:
            for module in modules:
                module.eval()
            yield
        finally:
            for part, mode in modes:
                part.training = mode
            for part, buffers in itertools.chain.from_iterable(reversed(own)):  # some share parts
                part._buffers.update(buffers)
            random.setstate(others[0])
            np.random.set_state(others[1])  # noqa: NPY002


def _with_copied_buffers(module: nn.Module) -> list[tuple[nn.Module, dict[str, Tensor | None]]]:
    """Put copies in the place of all buffers; return those that were there, part by part."""
    parts = [part for part in module.modules() if not isinstance(part, torch.jit.ScriptModule)]
    found = [(part, dict(part._buffers)) for part in parts if part._buffers]
    copies = {id(b): b.clone() for _, own in found for b in own.values() if b is not None}
    for part, own in found:
        part._buffers.update({name: b if b is None else copies[id(b)] for name, b in own.items()})
    return found


class Selected(nn.Module):
    """A module of whose outputs one function takes the scores."""

    def __init__(self, inner: nn.Module, select: Callable[[Any], Tensor]) -> None:
        super().__init__()
        if not callable(select):
            raise GantheoryError(f"score={select!r:.40} must be a function, as lambda out: out[0]")
        self.inner, self.select = inner, select

    def extra_repr(self) -> str:
        """Return what tells one function from another in a run's record."""
        code = getattr(self.select, "__code__", None)
        if code is None:
            return repr(self.select)
        closed = [cell.cell_contents for cell in self.select.__closure__ or ()]
        constants = [*code.co_consts, *closed, *(self.select.__defaults__ or ())]
        plain = [one for one in constants if isinstance(one, str | int | float | None)]
        said = repr((code.co_code, plain, code.co_names))
        return hashlib.sha256(said.encode()).hexdigest()[:12]

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores."""
        made = self.inner(x)
        try:
            return self.select(made)
        except (LookupError, TypeError, AttributeError) as error:
            raise GantheoryError(
                f"score= does not fit what the discriminator returns, a {type(made).__name__} "
                f"({type(error).__name__}: {first_line(error)})"
            ) from None


def output_of(name: str, call: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return what a network makes of n inputs: one tensor with a row for each.

    Raises:
        GantheoryError: saying which network took which inputs, or returned something else.
    """
    try:
        made = call(x)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        if isinstance(error, GantheoryError):
            raise
        raise GantheoryError(
            f"the {name} does not take inputs of shape {minibatch(x.shape[1:])}: "
            f"{first_line(error)}"
        ) from None
    if not isinstance(made, Tensor):
        hint = SEVERAL.format(type(made).__name__) if name == "discriminator" else ""
        raise GantheoryError(f"the {name} must return one tensor{hint}")
    if made.shape[:1] != x.shape[:1] or not made.numel():
        raise GantheoryError(
            f"the {name} returned shape {tuple(made.shape)} for {len(x)} inputs; it must return a "
            "row for each"
        )
    return made


def beyond_numbers(
    generator: nn.Module, discriminator: nn.Module, fake: Tensor, scores: Sequence[Tensor]
) -> str | None:
    """Return in which way a training has left the numbers; None where it has not."""
    looked: dict[str, Iterable[Tensor]] = {
        "generator's parameters": generator.parameters(),
        "discriminator's parameters": discriminator.parameters(),
        "generator's samples": [fake],
        "discriminator's scores": scores,
    }
    for what, tensors in looked.items():
        if not all(bool(x.detach().isfinite().all()) for x in tensors):
            return f"the {what} are not all finite; lower the learning rates"
    return None


def check_raw(scores: Tensor, loss: Loss) -> None:
    """Raise where scores of a graph come from a sigmoid, and the loss applies its own to them."""
    if loss.link != "t" and last_operation(scores) == "Sigmoid":
        raise GantheoryError(
            f"the discriminator ends in a sigmoid, but loss {loss.name!r} takes the raw score t, "
            f"of which D(x) = {loss.link}; leave the sigmoid out"
        )


def last_operation(tensor: Tensor) -> str:
    """Return the name of the operation that made a tensor's numbers, as in autograd's graph."""
    node = tensor.grad_fn
    while node is not None:
        name = node.name().removesuffix("0").rstrip("0123456789").removesuffix("Backward")
        if name not in SHAPING:
            return name
        node = next((parent for parent, _ in node.next_functions if parent is not None), None)
    return ""
