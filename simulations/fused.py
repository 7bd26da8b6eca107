"""Several calls as one kernel: for a GPU, where a pass over memory or a launch costs most.

`torch.compile` makes the kernel from the very calls of `simulations.plans` and
`simulations.updates`, so nothing is written twice. It takes seconds, once for each shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from simulations.updates import Operation

# Gan-steps from which a run repays compiling: ten to twenty seconds, against 4 µs a gan-step of the
# ring (1 000 members on an H200).
WORTH = 4_000_000
BACKEND = "inductor"


def together(operations: Sequence[Operation]) -> list[Operation]:
    """Return calls on tensors, none of which overlap but by being the same, as a single call."""
    if len(operations) < 2:
        return list(operations)
    tensors: dict[tuple[Any, ...], Tensor] = {}
    steps = [_step(operation, tensors) for operation in operations]
    places = {key: place for place, key in enumerate(tensors)}

    def run(given: list[Tensor]) -> None:
        for function, arguments, named in steps:
            values = [given[places[a]] if isinstance(a, tuple) else a for a in arguments]
            options = {
                name: given[places[a]] if isinstance(a, tuple) else a for name, a in named.items()
            }
            function(*values, **options)

    # torch keeps what it compiled by code object, and at most eight for one: each has its own here
    run.__code__ = run.__code__.replace(co_name=f"run_{len(steps)}_calls")
    compiled = torch.compile(run, fullgraph=True, dynamic=False, backend=BACKEND)
    return [partial(compiled, list(tensors.values()))]


def _step(
    operation: Operation, tensors: dict[tuple[Any, ...], Tensor]
) -> tuple[Callable[..., Any], list[Any], dict[str, Any]]:
    """Return a call's function and arguments, every tensor replaced by its key."""
    function = operation.func if isinstance(operation, partial) else operation
    arguments = list(operation.args) if isinstance(operation, partial) else []
    named = dict(operation.keywords) if isinstance(operation, partial) else {}
    owner = getattr(function, "__self__", None)
    if isinstance(owner, Tensor):  # a method bound to a tensor
        function, arguments = getattr(Tensor, function.__name__), [owner, *arguments]

    def key(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        name = value.data_ptr(), value.shape, value.stride()
        tensors.setdefault(name, value)
        return name

    return function, [key(a) for a in arguments], {k: key(v) for k, v in named.items()}
