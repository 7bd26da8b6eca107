"""Torch on one CPU thread while it trains and measures, and on as many as before afterwards.

With more, small networks spend their time waiting at barriers, and sums round otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Use one CPU thread of torch inside the block, or in a function that this decorates."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
