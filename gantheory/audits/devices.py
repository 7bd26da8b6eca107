"""Let code that asks for an accelerator run on the CPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

CPU = torch.device("cpu")
ELSEWHERE = ("cuda", "mps", "xpu")


class OnCpu(TorchFunctionMode):
    """Reads every other device as the CPU.

    >>> with OnCpu():
    ...     torch.ones(2, device="cuda").cuda().to("cuda:1").device
    device(type='cpu')
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run a function of torch with the CPU in the place of other devices."""
        if func is Tensor.cuda:
            return args[0]
        given = {k: _here(v) if k == "device" else v for k, v in (kwargs or {}).items()}
        return func(*map(_here, args), **given)


def _here(value: Any) -> Any:
    if isinstance(value, torch.device):
        return CPU if value.type in ELSEWHERE else value
    if isinstance(value, str):
        return CPU if value.split(":")[0] in ELSEWHERE else value
    return value
