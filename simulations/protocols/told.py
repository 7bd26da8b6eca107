"""How a recipe is told in a line: as the call that makes it, without what is usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from torch import nn

from simulations.ensembles import Recipe
from simulations.modules import Maxout, Stacked


def told_recipe(recipe: Recipe) -> str:
    """Return both networks, the steps and the minibatch, and what else differs from the usual.

    >>> from simulations.networks import Affine, Mlp
    >>> told_recipe(Recipe(Mlp((1, 8, 1)), Affine(), steps=5000, clip=0.1))
    'D Mlp((1, 8, 1)); G Affine(); 5,000 steps; batch=256; clip=0.1; float64'
    """
    return "; ".join(
        [
            f"D {_told(recipe.discriminator)}", f"G {_told(recipe.generator)}",
            f"{recipe.steps:,} steps", f"batch={recipe.batch}",
            *_changed(recipe, besides=("discriminator", "generator", "steps", "batch", "dtype")),
            _told(recipe.dtype),
        ]
    )  # fmt: skip


def _told(value: Any) -> str:
    if isinstance(value, Stacked):
        return _layers(value.module)
    if is_dataclass(value):
        return f"{type(value).__name__}({', '.join(_changed(value))})"
    if isinstance(value, tuple):
        return f"({', '.join(map(_told, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).removeprefix("torch.")


def _changed(value: Any, besides: Sequence[str] = ()) -> list[str]:
    """Return the arguments of a dataclass: those without a default bare, others where changed."""
    made = []
    for field in fields(value):
        given = getattr(value, field.name)
        if field.name in besides:
            continue
        if field.default is MISSING and field.default_factory is MISSING:
            made.append(_told(given))
        elif given != field.default:
            made.append(f"{field.name}={_told(given)}")
    return made


def _layers(module: nn.Module) -> str:
    if isinstance(module, nn.Sequential):
        return " → ".join(map(_layers, module))
    if isinstance(module, Maxout):
        outputs = module.linear.out_features // module.pieces
        return f"Maxout({module.linear.in_features}, {outputs}, pieces={module.pieces})"
    if isinstance(module, nn.Linear):
        bias = "" if module.bias is not None else ", bias=False"
        return f"Linear({module.in_features}, {module.out_features}{bias})"
    return type(module).__name__
