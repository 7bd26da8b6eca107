"""Forward and backward passes as lists of torch calls bound to preallocated memory.

Nothing is allocated when a plan runs, and autograd takes no part: each operation writes into
memory that was laid out once for a block of members. Where the library multiplies thin matrices
badly, another operation does the same sum (figures: microseconds for 8 members of 512 rows).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gantheory.errors import GantheoryError
from simulations.networks import SOFTPLUS_LINEAR_FROM, Affine, Mlp, Network

Operation = Callable[[], Any]
Join = Callable[[Sequence[Operation]], list[Operation]]
aten = torch.ops.aten

# Above this many weights in a layer each member's product is a call of its own; below, one call
# multiplies a block. Both run at the library's peak; the single call saves dispatch only.
LARGEST_BATCHED = 64 * 64
# Products of so few columns go column by column: (512, 128)·(128, 2) takes 16 µs as two products of
# matrix and vector where the library's own needs 73, and its transpose 31 where it needs 78.
NARROW = 4
# Numbers that one pass of torch's vector loops takes at most (two registers of 512 bits in
# float32). What is left over goes through scalar code, which rounds otherwise; so every member's
# data fills whole passes, or would be split alike wherever it stands.
ALIGNMENT = 32


@dataclass
class Passes:
    """A network's passes for one block: write ``x``, run, read ``output``; write ``slope``, run.

    ``backward`` turns ``slope``, the loss's derivative in the output, into the parameters'
    gradient and, where it was asked for, into ``x_slope``.
    """

    x: Tensor
    output: Tensor
    slope: Tensor
    x_slope: Tensor | None
    forward: list[Operation] = field(default_factory=list)
    backward: list[Operation] = field(default_factory=list)


def aligned(size: int) -> int:
    """Return ``size`` rounded up to whole passes of vector loops, and so to cache lines.

    The library also sums unaligned data in another order: were members not aligned alike, their
    results would depend on their place in the block.
    """
    return -(-size // ALIGNMENT) * ALIGNMENT


def block_memory(shape: Sequence[int], dtype: torch.dtype, device: str) -> Tensor:
    """Return zeroed memory (k, n, w) in which every member starts aligned."""
    k, n, w = shape
    return torch.zeros(k, aligned(n * w), dtype=dtype, device=device)[:, : n * w].view(k, n, w)


class Arena:
    """Scratch memory that several plans share, because they never run at the same time."""

    def __init__(self, dtype: torch.dtype, device: str) -> None:
        self.options: dict[str, Any] = {"dtype": dtype, "device": device}
        self.pieces: dict[str, Tensor] = {}

    def take(self, name: str, k: int, n: int, w: int) -> Tensor:
        """Return the memory called ``name``, in this shape; the largest request comes first."""
        stride = aligned(n * w)
        if name not in self.pieces:
            self.pieces[name] = torch.zeros(k * stride, **self.options)
        members = self.pieces[name][: k * stride].view(k, stride)
        return members[:, : n * w].view(k, n, w)


def has_plan(network: Network | None) -> bool:
    """Return whether a network can run without autograd."""
    if isinstance(network, Mlp):
        return network.norm is None and {network.activation, network.output} <= set(_ACTIVATIONS)
    return network is None or isinstance(network, Affine)


def is_batched(network: Network | None, rows: int) -> bool:
    """Return whether the network's products multiply a whole block in one call.

    The library sums in another order for a block of one, so such blocks hold at least two. It
    takes one call for matrices that follow each other without padding only.
    """
    if not isinstance(network, Mlp) or network.norm:
        return False
    weights = [i * o for i, o in network.shapes[::2]]
    whole = all(size % ALIGNMENT == 0 for size in (*weights, *(rows * w for w in network.sizes)))
    return whole and _largest(network) <= LARGEST_BATCHED


def padded(network: Network) -> Network:
    """Return a network whose hidden layers fill whole passes, where that costs next to nothing.

    Products of width 32 take 0.7 times as long as those of width 30, and no longer than that: the
    units that are added have weights of 0, and keep them where the activation is 0 at 0. Width 33
    stays what it is, as width 40 or 64 takes longer.
    """
    if not isinstance(network, Mlp) or network.norm or network.activation not in _ZERO_AT_ZERO:
        return network
    hidden = [w if aligned(w) > w * 16 / 15 else aligned(w) for w in network.sizes[1:-1]]
    sizes = (network.sizes[0], *hidden, network.sizes[-1])
    made = Mlp(sizes, network.activation, network.output)
    return made if _largest(made) <= LARGEST_BATCHED else network


def padded_rows(network: Network, rows: int) -> int:
    """Return how many rows a minibatch of ``rows`` takes in memory: whole passes, where it pays.

    Else each member's losses are calls of their own. Rows are dear where the products are large.
    """
    whole = aligned(rows)
    small = not isinstance(network, Mlp) or _largest(network) <= LARGEST_BATCHED
    return whole if small or whole <= rows * 17 / 16 else rows


def _largest(network: Mlp) -> int:
    return max(i * o for i, o in network.shapes[::2])


def plan(
    network: Network,
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor] | None,
    x: Tensor,
    arena: Arena,
    *,
    inputs: bool = False,
    join: Join | None = None,
) -> Passes:
    """Lay out the passes of a block.

    Args:
        network: an `Mlp` or `Affine`.
        parameters: its matrices, each contiguous over the block: (k, in, out), (k, 1, out), ...
        gradients: memory of the same shapes; None where only ``x_slope`` is wanted.
        x: the inputs' memory, (k, n, in).
        arena: scratch memory.
        inputs: whether to find the loss's derivative in ``x``.
        join: makes one call of several elementwise ones; None leaves them apart.
    """
    if isinstance(network, Mlp):
        return _mlp(network, parameters, gradients, x, arena, inputs, join)
    if isinstance(network, Affine):
        return _affine(network, parameters, gradients, x, arena)
    raise GantheoryError(f"no plan for {type(network).__name__}; use path='reference'")


def _mlp(
    network: Mlp,
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor] | None,
    x: Tensor,
    arena: Arena,
    inputs: bool,
    join: Join | None,
) -> Passes:
    k, n, depth = x.shape[0], x.shape[1], len(network.sizes) - 1
    batched = is_batched(network, n)
    layers = [x]
    for level, width in enumerate(network.sizes[1:]):
        layers.append(arena.take(f"layer{level}", k, n, width))
    slopes = [_slope_memory(level, layers, arena) for level in range(depth)]
    slopes[0] = arena.take("x_slope", *x.shape) if inputs else x
    slopes.append(arena.take("output_slope", *layers[-1].shape))
    result = Passes(x, layers[-1], slopes[-1], slopes[0] if inputs else None)
    for level in range(depth):
        weight, bias = parameters[2 * level], parameters[2 * level + 1]
        name = network.activation if level < depth - 1 else network.output
        act = _ACTIVATIONS[name][0](layers[level + 1])
        if join is None:
            result.forward += product(layers[level], weight, layers[level + 1], bias, batched)
            result.forward += act
        else:
            result.forward += _joined(layers[level], weight, layers[level + 1], bias, act, join)
    waiting: list[Operation] = []  # elementwise calls that the next ones may join
    for level in reversed(range(depth)):
        name = network.activation if level < depth - 1 else network.output
        slope, below = slopes[level + 1], layers[level]
        masked = [*waiting, *_ACTIVATIONS[name][1](slope, layers[level + 1])]
        result.backward += masked if join is None else join(masked)
        waiting = []
        if level > 0 or inputs:
            weight = parameters[2 * level].mT
            if join is not None and level > 0 and slope.shape[-1] <= NARROW:
                down, waiting = [], _outer(slope, weight, slopes[level], None)
            else:
                down = product(slope, weight, slopes[level], None, batched)
        else:
            down = []
        if gradients is not None:
            result.backward += weight_product(below, slope, gradients[2 * level], batched)
            result.backward.append(
                partial(torch.sum, slope, 1, keepdim=True, out=gradients[2 * level + 1])
            )
        result.backward += down
    return result


def _slope_memory(level: int, layers: Sequence[Tensor], arena: Arena) -> Tensor:
    """Return memory for the slope in a layer's outputs.

    The outputs above it may be overwritten, once they have masked their own slope; those of the
    last hidden layer and of the network may not.
    """
    outputs = layers[level]
    if level < len(layers) - 2 and outputs.shape == layers[level + 1].shape:
        return layers[level + 1]
    return arena.take(f"slope{level}", *outputs.shape)


def _affine(
    network: Affine,
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor] | None,
    z: Tensor,
    arena: Arena,
) -> Passes:
    loc, scale = parameters
    output = arena.take("affine", *z.shape)
    slope, scratch = arena.take("affine_slope", *z.shape), arena.take("scratch", *z.shape)
    result = Passes(z, output, slope, None, [partial(torch.addcmul, loc, z, scale, out=output)])
    if gradients is not None:
        if network.train != "scale":
            result.backward.append(partial(torch.sum, slope, 1, keepdim=True, out=gradients[0]))
        if network.train != "loc":
            result.backward.append(partial(torch.mul, slope, z, out=scratch))
            result.backward.append(partial(torch.sum, scratch, 1, keepdim=True, out=gradients[1]))
    return result


def product(
    a: Tensor, b: Tensor, out: Tensor, bias: Tensor | None, batched: bool
) -> list[Operation]:
    """Return the operations of out = a·b (+ bias) for (k, n, i), (k, i, o) -> (k, n, o)."""
    inner, columns = b.shape[1:]
    if a.is_cuda:  # one launch for the whole block
        return [partial(torch.bmm, a, b, out=out) if bias is None
                else partial(torch.baddbmm, bias, a, b, out=out)]  # fmt: skip
    if inner <= 2:  # outer products: 17 µs where the library needs 55
        return _outer(a, b, out, bias)
    if columns <= NARROW:
        singles = _columns(a, b, out)
    elif not batched:
        singles = [partial(torch.mm, a[k], b[k], out=out[k]) for k in range(len(a))]
    elif bias is None:
        return [partial(torch.bmm, a, b, out=out)]
    else:
        return [partial(torch.baddbmm, bias, a, b, out=out)]
    return singles if bias is None else [*singles, partial(out.add_, bias)]


def _outer(a: Tensor, b: Tensor, out: Tensor, bias: Tensor | None) -> list[Operation]:
    """Return out = a·b (+ bias) as elementwise calls, for few inner rows."""
    first: Operation = partial(torch.mul, a[:, :, :1], b[:, :1], out=out)
    if bias is not None:
        first = partial(torch.addcmul, bias, a[:, :, :1], b[:, :1], out=out)
    rest = [
        partial(torch.addcmul, out, a[:, :, j : j + 1], b[:, j : j + 1], out=out)
        for j in range(1, b.shape[1])
    ]
    return [first, *rest]


def _joined(
    a: Tensor, b: Tensor, out: Tensor, bias: Tensor, act: list[Operation], join: Join
) -> list[Operation]:
    """Return act(a·b + bias) with all that is elementwise in one call."""
    inner, columns = b.shape[1:]
    if inner <= NARROW:
        return join([*_outer(a, b, out, bias), *act])
    if columns <= NARROW:
        return [partial(torch.baddbmm, bias, a, b, out=out), *act]
    return [partial(torch.bmm, a, b, out=out), *join([partial(out.add_, bias), *act])]


def weight_product(a: Tensor, slope: Tensor, out: Tensor, batched: bool) -> list[Operation]:
    """Return the operations of out = aᵀ·slope for (k, n, i), (k, n, o) -> (k, i, o)."""
    if a.is_cuda:
        return [partial(torch.bmm, a.mT, slope, out=out)]
    if batched and slope.shape[-1] == 1:  # as a row, slopeᵀ·a: 19 µs where the library needs 170
        return [partial(torch.bmm, slope.mT, a, out=out.mT)]
    if slope.shape[-1] <= NARROW:
        return _columns(a.mT, slope, out)
    if batched:
        return [partial(torch.bmm, a.mT, slope, out=out)]
    return [partial(torch.mm, a[k].t(), slope[k], out=out[k]) for k in range(len(a))]


def _columns(a: Tensor, b: Tensor, out: Tensor) -> list[Operation]:
    """Return out = a·b member by member and column by column."""
    return [
        partial(torch.mv, a[k], b[k, :, j], out=out[k, :, j])
        for k in range(len(a))
        for j in range(b.shape[-1])
    ]


Bound = Callable[..., list[Operation]]


def _backward(function: Any, *arguments: Any) -> Bound:
    return lambda slope, value: [partial(function, slope, value, *arguments, grad_input=slope)]


_ZERO_AT_ZERO = {"identity", "relu", "leaky", "tanh"}
# name -> operations on the layer's memory, and on (slope, output) on the way back
_ACTIVATIONS: dict[str, tuple[Bound, Bound]] = {
    "identity": (lambda x: [], lambda slope, value: []),
    "relu": (lambda x: [x.relu_], _backward(aten.threshold_backward.grad_input, 0)),
    "leaky": (
        lambda x: [partial(aten.leaky_relu_.default, x, 0.2)],
        _backward(aten.leaky_relu_backward.grad_input, 0.2, True),
    ),
    "tanh": (lambda x: [x.tanh_], _backward(aten.tanh_backward.grad_input)),
    "sigmoid": (lambda x: [x.sigmoid_], _backward(aten.sigmoid_backward.grad_input)),
    # the slope of y = log(1 + e^x) is 1 − e^−y, so x need not be kept
    "softplus": (
        lambda x: [partial(aten.softplus.out, x, 1, SOFTPLUS_LINEAR_FROM, out=x)],
        lambda slope, y: [y.neg_, y.expm1_, partial(slope.mul_, y), slope.neg_],
    ),
}
