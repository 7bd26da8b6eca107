"""What can be handed to somebody's function, and how."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from torch import nn

from gantheory.errors import GantheoryError

ANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def parameters(function: Any) -> list[inspect.Parameter]:
    """Return the named parameters of a function, a module or a scripted function."""
    return [p for p in _signature(function) if p.kind not in ANY]


def takes_anything(function: Any) -> bool:
    """Return whether a function has no named parameter, and takes any number of arguments."""
    kinds = [p.kind for p in _signature(function)]
    return inspect.Parameter.VAR_POSITIONAL in kinds and set(kinds) <= set(ANY)


def _signature(function: Any) -> list[inspect.Parameter]:
    own = type(function).__call__ is not nn.Module.__call__
    called = function.forward if isinstance(function, nn.Module) and not own else function
    schema = getattr(called, "schema", None)
    if schema is not None:  # of torch.jit.script
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        named = [one for one in schema.arguments if one.name != "self"]
        return [
            inspect.Parameter(one.name, kind, default=one.default_value)
            if one.has_default_value()
            else inspect.Parameter(one.name, kind)
            for one in named
        ]
    try:
        return list(inspect.signature(called).parameters.values())
    except (TypeError, ValueError):
        raise GantheoryError(f"{function!r} cannot be called, or hides its signature") from None


def required(known: Sequence[inspect.Parameter]) -> list[inspect.Parameter]:
    """Return the parameters that have no default."""
    return [p for p in known if p.default is inspect.Parameter.empty]


def positional(function: Any) -> bool:
    """Return whether a function has parameters without a keyword."""
    return any(p.kind is inspect.Parameter.POSITIONAL_ONLY for p in parameters(function))


def keyword_only(function: Any) -> set[str]:
    """Return the parameters that are given by keyword alone."""
    kind = inspect.Parameter.KEYWORD_ONLY
    return {p.name for p in parameters(function) if p.kind is kind}
