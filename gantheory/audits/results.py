"""Find a player's loss within what somebody's code returned: a tensor, a tuple, a dictionary.

A part that depends on every score that any part depends on is the loss; where there is none, parts
that depend on different scores, such as one on real and one on fake samples, are added up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

from gantheory.audits.names import DISCRIMINATOR, GENERATOR, words
from gantheory.errors import GantheoryError

TOTALS = ("loss", "total", "total_loss", "adv_loss", "loss_adv", "gan_loss", "loss_gan")
Path = tuple[Any, ...]  # keys and positions, from the result inwards
Depends = Callable[[Tensor], set[Any]]


@dataclass(frozen=True)
class Sum:
    """The two results that a caller adds up."""

    first: Any
    second: Any


@dataclass(frozen=True)
class Selection:
    """The parts of a result that are added up to one player's loss, and the others."""

    parts: tuple[Path, ...]
    others: tuple[Path, ...] = ()

    @property
    def suffix(self) -> str:
        """How the parts are written behind a call, where it is one part of a whole."""
        path = self.parts[0] if len(self.parts) == 1 else ()
        return "".join(f"[{key!r}]" for key in path)


def select(result: Any, player: str, wanted: set[Any], depends: Depends, written: str) -> Selection:
    """Return which parts of a result are a player's loss.

    Args:
        result: what the code returned.
        player: whose loss is looked for.
        wanted: the symbols of the scores that the loss should depend on.
        depends: the symbols that a tensor depends on.
        written: the call as code, for messages.
    """
    if isinstance(result, Sum):
        sides = [(key, select(getattr(result, key), player, wanted, depends, written))
                 for key in ("first", "second")]  # fmt: skip
        return Selection(tuple((key, *path) for key, one in sides for path in one.parts))
    if isinstance(result, bool) or not _parts(result):
        _refuse(result, written)
    parts = _parts(_narrowed(result, player)) or _parts(result)
    attached = {p: x for p, x in parts.items() if isinstance(x, Tensor) and x.requires_grad}
    tensors = attached or {p: x for p, x in parts.items() if isinstance(x, Tensor)}
    if not tensors:
        return Selection((next(iter(parts)),))
    used = {path: depends(tensor) & wanted for path, tensor in tensors.items()}
    chosen = _chosen(used)
    return Selection(chosen, tuple(path for path in attached if path not in chosen))


def _chosen(used: Mapping[Path, set[Any]]) -> tuple[Path, ...]:
    everything = set().union(*used.values())
    whole = [path for path, symbols in used.items() if everything and symbols >= everything]
    if whole:
        return (min(whole, key=len),)
    alone = [path for path, symbols in used.items() if symbols]
    if alone and sum(len(used[path]) for path in alone) == len(everything):  # none in two parts
        return tuple(alone)
    return (next(iter(alone or used)),)


def taken(result: Any, selection: Selection) -> tuple[Tensor, str]:
    """Return the selected parts' sum as one number, and what was done to get it."""
    values = [_at(result, path) for path in selection.parts]
    numbers = [_number(value) for value in values]
    total = numbers[0][0]
    for value, _ in numbers[1:]:
        total = total + value
    return total, next((how for _, how in numbers if how), "")


def _number(value: Any) -> tuple[Tensor, str]:
    if not isinstance(value, Tensor):
        return torch.tensor(float(value)), "number"
    return (value.reshape(()), "") if value.numel() == 1 else (value.mean(), "none")


def _at(result: Any, path: Path) -> Any:
    for key in path:
        result = dict(_children(result))[key]
    return result


def _children(result: Any) -> list[tuple[Any, Any]]:
    if isinstance(result, Sum) or (is_dataclass(result) and not isinstance(result, type)):
        return [(field.name, getattr(result, field.name)) for field in fields(result)]
    if isinstance(result, Mapping):
        return list(result.items())
    return list(enumerate(result)) if isinstance(result, Sequence) else []


def _parts(result: Any) -> dict[Path, Any]:
    """Return the tensors and numbers in a result, in the order in which it holds them."""
    if isinstance(result, Tensor | int | float) and not isinstance(result, bool):
        return {(): result}
    if isinstance(result, str | bytes | bool):
        return {}
    return {(key, *path): x for key, one in _children(result) for path, x in _parts(one).items()}


def _narrowed(result: Any, player: str) -> Any:
    """Return the entries of a dictionary whose names say that they are the player's loss."""
    if not isinstance(result, Mapping):
        return result
    names = DISCRIMINATOR if player == "discriminator" else GENERATOR
    chosen = [key for key in result if set(words(str(key))) & names] or [
        key for key in result if str(key) in TOTALS
    ]
    totals = [key for key in chosen if str(key) in TOTALS][:1]
    return {key: result[key] for key in totals or chosen or result}


def _refuse(result: Any, written: str) -> None:
    if isinstance(result, Mapping):
        raise GantheoryError(f"{written} returned a dictionary without a tensor")
    if isinstance(result, bool):
        raise GantheoryError(f"{written} returned {result!r}, not a loss")
    raise GantheoryError(
        f"{written} returned {type(result).__name__}, in which no loss is found; a tensor, "
        "a tuple with one, or a dictionary with 'loss' is"
    )
