"""A card that is none: tensors said to be on "cuda" lie in ordinary memory, and graphs are lists.

What a real card refuses is refused here too: numbers of two devices in one call, numbers taken off
the device while a graph is recorded. A graph's replay makes the recorded calls on the recorded
memory and nothing else, so whatever Python changed since then is as invisible to it as to a card.
"""

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

ATEN = torch.ops.aten
MOVES = ATEN.copy_.default, ATEN._to_copy.default  # between devices
# by places that may be on the CPU
PICKS = ATEN.index.Tensor, ATEN.index_put.default, ATEN.index_put_.default
LEAVES = ATEN._local_scalar_dense.default, ATEN.nonzero.default  # waits for the card
ON_CARD, AT_HOME = torch.device("cuda", 0), torch.device("cpu")


def tensors(*values):
    """Return all tensors in values and in the lists among them."""
    found = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += tensors(*value)
    return found


class Memory(TorchDispatchMode):
    """Keeps account of which memory is the card's, and records a graph's calls."""

    def __init__(self):
        super().__init__()
        self.card, self.kept, self.calls = set(), [], None
        self.within = False  # a call on the card's tensors, whose own scratch is the card's

    @classmethod
    def _should_skip_dynamo(cls):
        """Compile nothing, and so need no compiler, whose import takes seconds."""
        return False

    def holds(self, tensor):
        return tensor.untyped_storage().data_ptr() in self.card

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        given = tensors(*args, *kwargs.values())
        sides = {self.holds(t) for t in given if t.dim() and t.numel()}
        asked = kwargs.get("device")
        if len(sides) == 2 and func not in MOVES and not (func in PICKS and self.holds(args[0])):
            raise RuntimeError(f"{func}: expected all tensors to be on the same device")
        if asked is not None:
            kwargs["device"] = AT_HOME
            card = asked.type == "cuda" or self.within
        else:
            card = any(self.holds(t) for t in given)
        if self.calls is not None and (func in LEAVES or (func in MOVES and len(sides) == 2)):
            raise RuntimeError(f"{func}: operation not permitted when stream is capturing")
        result = func(*args, **kwargs)
        if self.calls is not None:
            self.calls.append((func, args, kwargs, result))
        if card:
            old = {t.untyped_storage().data_ptr() for t in given}
            new = [t.untyped_storage() for t in tensors(result)]
            self.kept += new  # so that their places are nobody else's
            self.card.update({s.data_ptr() for s in new} - old)
        return result


class Said(TorchFunctionMode):
    """Says of a tensor in the card's memory that it is on the card."""

    def __init__(self, memory):
        super().__init__()
        self.memory = memory

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func == torch.Tensor.is_cuda.__get__:
            return self.memory.holds(args[0])
        if func == torch.Tensor.device.__get__:
            return ON_CARD if self.memory.holds(args[0]) else AT_HOME
        if func == torch.Tensor.numpy and self.memory.holds(args[0]):
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        if func == torch.Tensor.to and isinstance(args[1], torch.Tensor):
            like = args[1]
            args = (args[0], ON_CARD if self.memory.holds(like) else AT_HOME, like.dtype)
        if func == torch.Tensor.cpu or (func == torch.Tensor.to and "cpu" in map(str, args[1:])):
            args = (ATEN._to_copy(args[0], device=AT_HOME), *args[1:])
        numbered = [ON_CARD if is_card(value) else value for value in args]
        named = {name: ON_CARD if is_card(v) else v for name, v in (kwargs or {}).items()}
        if func in (torch.tensor, torch.as_tensor) and named.get("device") == ON_CARD:
            return ATEN._to_copy(func(*args, **{**named, "device": AT_HOME}), device=ON_CARD)
        within = self.memory.within
        home = any(isinstance(v, str | torch.device) and str(v) == "cpu"
                   for v in (*numbered, *named.values()))  # fmt: skip
        self.memory.within = not home and any(
            map(self.memory.holds, tensors(*numbered, *named.values()))
        )
        try:
            return func(*numbered, **named)
        finally:
            self.memory.within = within


def is_card(value):
    return isinstance(value, str | torch.device) and str(value) == "cuda"


class Generator(torch.Generator):
    """One generator serves both sides."""

    def __new__(cls, device="cpu"):
        return super().__new__(cls, "cpu")


class Graph:
    """Stands for a CUDA graph."""

    def register_generator_state(self, generator):
        """Need nothing: a generator's own state is read when a call is made again."""

    def replay(self):
        unseen = torch._C.DisableTorchFunction(), _disable_current_modes()
        with unseen[0], unseen[1], torch._C._AutoDispatchBelowAutograd():
            for func, args, kwargs, before in self.calls:
                again = func(*args, **kwargs)
                for old, new in zip(tensors(before), tensors(again), strict=True):
                    if old.data_ptr() != new.data_ptr():
                        old.copy_(new)


@contextmanager
def card(monkeypatch):
    """Put a card into this process that is none, and yield its memory."""
    memory = Memory()

    @contextmanager
    def recording(graph):
        memory.calls = graph.calls = []
        yield
        memory.calls = None

    stream = SimpleNamespace(wait_stream=lambda other: None)
    properties = SimpleNamespace(
        name="no card", total_memory=2**34, multi_processor_count=1, major=0, minor=0
    )
    for name, value in {
        "_lazy_init": lambda: None, "is_available": lambda: True, "synchronize": lambda: None,
        "Stream": lambda: stream, "current_stream": lambda: stream,
        "stream": lambda one: nullcontext(), "CUDAGraph": Graph, "graph": recording,
        "empty_cache": lambda: None, "reset_peak_memory_stats": lambda: None,
        "max_memory_allocated": lambda: 2**30, "get_device_properties": lambda k: properties,
        "get_device_name": lambda: "no card",
    }.items():  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, value)
    monkeypatch.setattr(torch, "Generator", Generator)
    monkeypatch.setattr(torch, "compile", lambda function, **options: function)
    with memory, Said(memory):
        yield memory
