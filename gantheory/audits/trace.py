"""Run torch code as it is, and carry a formula beside every number that depends on the scores.

Python runs natively, so flags, lists, dictionaries, caches and ``.item()`` need no support. The
formulas live beside the storages: each storage that depends on a score has an array of indices
into a table of expressions, so that views, slices and in-place writes are followed by torch's own
strides. An operation without a rule gives an unknown, with the line of the user's that called it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from gantheory.audits.backward import BACKWARD, BACKWARD_LOSSES
from gantheory.audits.elements import (
    LOSSES,
    POINTWISE,
    REDUCTIONS,
    exact,
    log_sum_exp,
    norm,
    sum_over,
    variance,
)
from gantheory.audits.operations import (
    CHOICES,
    COPIES,
    DRAWS,
    FILLED,
    MOST_ENTRIES,
    MOVES,
    ORDERED,
    READS,
    REDUCED,
    Drawn,
    RunRecord,
    Unknown,
)
from gantheory.audits.tensors import address, array_of, tensors_in

HERE = str(Path(__file__).parent)
TORCH = str(Path(torch.__file__).parent)


class Trace(TorchDispatchMode):
    """Carries formulas beside the tensors that depend on the scores it was given.

    >>> x = torch.tensor([0.5, -1.0], dtype=torch.float64)
    >>> with Trace() as trace:
    ...     trace.follow(x, [sp.Symbol("x"), sp.Symbol("y")])
    ...     loss = (x[0] * 2 - torch.nn.functional.softplus(x[1])).mean()
    >>> trace.formula(loss)
    2*x - softplus(y)
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Keep torch from importing its compiler, two seconds, only to switch it off here."""
        return False

    def __init__(self) -> None:
        super().__init__()
        self.record = RunRecord()
        self._table: list[sp.Basic] = []
        self._known: dict[int, Tensor] = {}
        self._alive: list[Tensor] = []  # a freed address must not be taken for another tensor
        self._scores: set[sp.Basic] = set()

    def follow(self, scores: Tensor, expressions: Sequence[sp.Basic]) -> None:
        """Let ``expressions`` stand for the entries of ``scores``."""
        self._enter(scores, self._indices(np.array([*expressions, None], dtype=object)[:-1]))
        self._scores |= set(expressions)

    def formula(self, result: Tensor) -> sp.Basic:
        """Return the formula of a tensor with one entry."""
        return self.entries(result).reshape(-1)[0]

    def depends(self, tensor: Tensor) -> bool:
        """Return whether a tensor depends on the scores."""
        return address(tensor) in self._known

    def entries(self, tensor: Tensor) -> np.ndarray:
        """Return the formulas of a tensor's entries, in its shape; constants are exact."""
        shadow = self._shadow(tensor)
        if shadow is None:
            flat = [exact(value) for value in tensor.detach().cpu().reshape(-1).tolist()]
            return array_of(flat, tuple(tensor.shape))
        return array_of([self._table[k] for k in shadow.reshape(-1).tolist()], tuple(tensor.shape))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        tracked = [one for one in tensors_in((args, kwargs)) if self.depends(one)]
        if tracked and func._schema.is_mutable and not self.depends(args[0]):
            self._note_constants(args[0])
        out = func(*args, **kwargs)
        base = name.rstrip("_") if func._schema.is_mutable else name
        if base in DRAWS or base in ("uniform", "normal", "bernoulli"):
            self._draw(base, out, args, kwargs)
        elif tracked and base not in FILLED:
            self.record.operations.add(base)
            self.record.single |= any(
                one.dtype is torch.float32 for one in tensors_in((args, kwargs))
            )
            if base in READS:
                self.record.reads.append(_line())
            elif func._schema.is_mutable:
                self._write(base, out, args, kwargs)
            elif not self._is_view(out):
                self._compute(base, func, out, args, kwargs)
            elif base == "unbind" and self._only_scores(tracked[0]):
                self.record.iterated = True
        return out

    def _only_scores(self, tensor: Tensor) -> bool:
        """Return whether a tensor holds scores as they were given, and constants."""
        return {e for e in self.entries(tensor).flat if e.free_symbols} <= self._scores

    # --- formulas beside storages

    def _shadow(self, tensor: Tensor) -> Tensor | None:
        known = self._known.get(address(tensor))
        if known is None:
            return None
        return known.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())

    def _indices(self, expressions: np.ndarray) -> Tensor:
        start = len(self._table)
        self._table.extend(expressions.reshape(-1).tolist())
        with _no_mode():
            return torch.arange(start, len(self._table)).reshape(expressions.shape)

    def _enter(self, tensor: Tensor, indices: Tensor) -> None:
        """Note the formulas of a tensor, whose other storage entries keep theirs."""
        place = address(tensor)
        if place not in self._known:
            size = tensor.untyped_storage().nbytes() // max(tensor.element_size(), 1)
            with _no_mode():
                whole = tensor.numel() == size and tensor.is_contiguous()
                everything = tensor.detach().as_strided((size,), (1,), 0)
                self._known[place] = (
                    torch.zeros(size, dtype=torch.long)
                    if whole
                    else self._indices(self.entries(everything))
                )
            self._alive.append(tensor)
        shadow = self._shadow(tensor)
        assert shadow is not None
        with _no_mode():
            shadow.copy_(indices.reshape(tensor.shape))

    def _note_constants(self, target: Tensor) -> None:
        """Note what is in a tensor before scores are written into it."""
        if target.untyped_storage().nbytes() <= MOST_ENTRIES * max(target.element_size(), 1):
            self._set(target, self.entries(target))

    def _is_view(self, out: Any) -> bool:
        found = list(tensors_in(out))
        return bool(found) and all(self.depends(one) for one in found)

    def _set(self, tensor: Tensor, expressions: np.ndarray) -> None:
        self._enter(tensor, self._indices(expressions))

    # --- operations

    def _compute(self, name: str, func: Any, out: Any, args: Any, kwargs: Any) -> None:
        results = list(tensors_in(out))
        if not results:
            return
        if max(one.numel() for one in results) > MOST_ENTRIES:
            return self._lose(name, results)
        try:
            if name in ORDERED:
                self._pick(name, args[0], results)
            elif name in MOVES or name in COPIES:
                indices = self._moved(name, func, args, kwargs)
                self._enter(results[0], indices)
            else:
                self._set(results[0], self._entries_of(name, results[0], args, kwargs))
                self._lose(name, results[1:])
        except (NotImplementedError, TypeError, ValueError, AttributeError, RuntimeError):
            self._lose(name, results)

    def _pick(self, name: str, given: Tensor, results: Sequence[Tensor]) -> None:
        """Follow scores that are picked by their order, each being known by its value."""
        self.record.ordered.append(f"{name} at {_line()}")
        values = dict(zip(given.detach().reshape(-1).tolist(), self.entries(given).reshape(-1),
                          strict=True))  # fmt: skip
        picked = [values[value] for value in results[0].detach().reshape(-1).tolist()]
        self._set(results[0], array_of(picked, tuple(results[0].shape)))

    def _lose(self, name: str, results: Sequence[Tensor]) -> None:
        """Let unknowns stand for results of which no rule is known."""
        for one in results:
            if one.numel() > MOST_ENTRIES:
                continue
            unknowns = [sp.Dummy(f"unknown_{name}", real=True) for _ in range(one.numel())]
            self.record.unknown |= {symbol: Unknown(name, _line()) for symbol in unknowns}
            self._set(one, array_of(unknowns, tuple(one.shape)))

    def _write(self, name: str, out: Any, args: Any, kwargs: Any) -> None:
        """Follow an operation that writes into its first argument."""
        target = args[0]
        try:
            if name == "copy":
                entries = np.broadcast_to(self.entries(args[1]), tuple(target.shape))
            elif name in ("zero", "fill"):
                value = args[1] if name == "fill" else 0
                filled = self.formula(value) if isinstance(value, Tensor) else exact(value)
                entries = array_of([filled] * target.numel(), tuple(target.shape))
            else:
                entries = self._entries_of(name, target, args, kwargs)
            self._set(target, entries)
        except (NotImplementedError, TypeError, ValueError, AttributeError, RuntimeError):
            self._lose(name, [target])

    def _moved(self, name: str, func: Any, args: Any, kwargs: Any) -> Tensor:
        if any(self.depends(one) for one in tensors_in(args[1:])) and name in CHOICES:
            self.record.reads.append(_line())  # which entries are taken depends on the scores
        if name in COPIES:
            shadow = self._shadow(args[0])
            assert shadow is not None
            return shadow.clone()
        first = True

        def of(value: Any) -> Any:
            nonlocal first
            if isinstance(value, Tensor):
                if name in CHOICES and not first:
                    return value
                first = False
                shadow = self._shadow(value)
                return self._indices(self.entries(value)) if shadow is None else shadow
            if isinstance(value, list | tuple):
                return type(value)(of(one) for one in value)
            return value

        with _no_mode():
            moved: Tensor = func(*of(args), **kwargs)
        return moved

    def _entries_of(self, name: str, out: Tensor, args: Any, kwargs: Any) -> np.ndarray:
        if name in LOSSES:
            return self._loss(name, args, kwargs)
        if name in REDUCTIONS or name in ("linalg_vector_norm", "norm", "std", "var"):
            return self._reduce(name, out, args, kwargs)
        if name in ("_log_softmax", "_softmax"):
            return self._along(name, args)
        if name == "nll_loss_forward":
            return self._picked(args)
        if name == "dot":
            return array_of([sum_over(self.entries(args[0]) * self.entries(args[1]))], ())
        if name in ("mm", "mv", "addmm"):
            return self._product(name, args)
        if name in BACKWARD_LOSSES:
            return self._loss_backward(name, args)
        rule = POINTWISE.get(name) or BACKWARD.get(name)
        return _none(name) if rule is None else self._pointwise(rule, args, kwargs)

    def _pointwise(self, rule: Callable[..., Any], args: Any, kwargs: Any) -> np.ndarray:
        kwargs = {k: v for k, v in kwargs.items() if k in ("alpha", "value", "rounding_mode")
                  or isinstance(v, Tensor)}  # fmt: skip
        values = [self.entries(a) if isinstance(a, Tensor) else _scalar(a) for a in args]
        arrays = [v for v in values if isinstance(v, np.ndarray)]
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        wide = [np.broadcast_to(v, shape).reshape(-1) if isinstance(v, np.ndarray) else v
                for v in values]  # fmt: skip
        count = int(np.prod(shape))
        return array_of(
            [
                rule(*(v[k] if isinstance(v, np.ndarray) else v for v in wide), **kwargs)
                for k in range(count)
            ],
            tuple(shape),
        )

    def _loss(self, name: str, args: Any, kwargs: Any) -> np.ndarray:
        tensors, rest = list(args), dict(kwargs)
        reduction = rest.pop("reduction", 1)
        position = {"binary_cross_entropy": 3, "binary_cross_entropy_with_logits": 4}.get(name, 2)
        if len(tensors) > position:
            reduction = tensors.pop(position)
        options = [v for k, v in rest.items() if k in ("beta", "delta")]
        entries = self._pointwise(LOSSES[name], [*tensors, *options], {})
        if REDUCED[reduction] == "none":
            return entries
        total_ = sum_over(entries.reshape(-1).tolist())
        return array_of([total_ / entries.size if reduction == 1 else total_], ())

    def _loss_backward(self, name: str, args: Any) -> np.ndarray:
        position = 4 if name.startswith("binary_cross_entropy") else 3
        given = [one for one in args[:position] if one is not None]
        count = args[1].numel() if args[position] == 1 else 1
        rule = BACKWARD_LOSSES[name]
        return self._pointwise(lambda *v: rule(*v) / count, [*given, *args[position + 1 :]], {})

    def _reduce(self, name: str, out: Tensor, args: Any, kwargs: Any) -> np.ndarray:
        entries = self.entries(args[0])
        rule: Callable[..., Any]
        if name in ("linalg_vector_norm", "norm"):
            order = args[1] if len(args) > 1 else kwargs.get("ord", 2)
            dims, rule = args[2] if len(args) > 2 else kwargs.get("dim"), lambda v: norm(v, order)
        elif name in ("std", "var"):
            dims = args[1] if len(args) > 1 else None
            correction = kwargs.get("correction", 1)
            correction = 1 if correction is None else correction
            rule = (lambda v: variance(v, correction)) if name == "var" else (
                lambda v: sp.sqrt(variance(v, correction)))  # fmt: skip
        else:
            dims, rule = args[1] if len(args) > 1 else kwargs.get("dim"), REDUCTIONS[name]
        dims = [dims] if isinstance(dims, int) else dims
        axes = [d % entries.ndim for d in dims] if dims else list(range(entries.ndim))
        kept = [d for d in range(entries.ndim) if d not in axes]
        rows = entries.transpose([*kept, *axes]).reshape(
            int(np.prod([entries.shape[d] for d in kept])), -1
        )
        return array_of([rule(list(row)) for row in rows], tuple(out.shape))

    def _along(self, name: str, args: Any) -> np.ndarray:
        entries = np.moveaxis(self.entries(args[0]), args[1], -1)
        rows = entries.reshape(-1, entries.shape[-1])
        logs = [[value - log_sum_exp(list(row)) for value in row] for row in rows]
        flat = [value if name == "_log_softmax" else sp.exp(value) for row in logs for value in row]
        return np.moveaxis(array_of(flat, entries.shape), -1, args[1])

    def _picked(self, args: Any) -> np.ndarray:
        entries, target, weight, reduction = self.entries(args[0]), args[1], args[2], args[3]
        if weight is not None or entries.ndim != 2:
            raise NotImplementedError
        picked = [-entries[row, label] for row, label in enumerate(target.tolist())]
        if REDUCED[reduction] == "none":
            return array_of(picked, (len(picked),))
        return array_of([sum_over(picked) / (len(picked) if reduction == 1 else 1)], ())

    def _product(self, name: str, args: Any) -> np.ndarray:
        if name == "addmm":
            return self.entries(args[0]) + self.entries(args[1]) @ self.entries(args[2])
        return self.entries(args[0]) @ self.entries(args[1])

    def _draw(self, name: str, out: Any, args: Any, kwargs: Any) -> None:
        """Let a symbol with the right mean stand for each random number."""
        if not isinstance(out, Tensor) or out.numel() > MOST_ENTRIES:
            return
        law = _law(name, args)
        values = out.detach().reshape(-1).tolist()
        symbols = [sp.Dummy("random", real=True) for _ in values]
        for symbol, value in zip(symbols, values, strict=True):
            if law is None:
                self.record.unknown[symbol] = Unknown(name, _line())
            else:
                self.record.random[symbol] = Drawn(*law, value)
        self._set(out, array_of(symbols, tuple(out.shape)))


def _law(name: str, args: Any) -> tuple[sp.Expr, sp.Expr] | None:
    """Return mean and variance of what an operation draws; None where they are not known."""
    if name in DRAWS:
        return DRAWS[name]
    given = [*args[1:3]]
    first, second = given + [0, 1][len(given) :]
    if isinstance(first, Tensor) or name == "bernoulli":
        return None
    low, high = exact(first), exact(second)
    return ((low + high) / 2, (high - low) ** 2 / 12) if name == "uniform" else (low, high**2)


def _none(name: str) -> np.ndarray:
    raise NotImplementedError(name)


def _scalar(value: Any) -> Any:
    return exact(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _no_mode() -> Any:
    """Return a context in which torch calls are not followed."""
    return torch.utils._python_dispatch._disable_current_modes()


def _line() -> str:
    """Return the innermost line that is neither torch's nor ours, as ``file.py:12``."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith((HERE, TORCH, "<frozen")):
            return f"{Path(file).name}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return "an unknown line"
