"""The option ``--file``: a loss of the user's own, known by its name while the command runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gantheory.errors import GantheoryError

if TYPE_CHECKING:
    from gantheory.losses.critic import Critic
    from gantheory.losses.loss import Loss

F = TypeVar("F", bound=Callable[..., Any])


def _entered(
    ctx: click.Context, option: click.Parameter, path: Path | None
) -> Loss | Critic | None:
    if path is None:
        return None
    from gantheory.losses.file import read_entry
    from gantheory.registry import register, unregister

    loss = register(read_entry(path))
    ctx.call_on_close(lambda: unregister(loss))
    return loss


file_option: Callable[[F], F] = click.option(
    "--file",
    type=click.Path(path_type=Path),
    metavar="LOSS.toml",
    callback=_entered,
    help="A loss of your own as TOML: real, fake, generator, ..., or objective.",
)


heads_option: Callable[[F], F] = click.option(
    "--heads", type=int, metavar="K", help="How many discriminators of the loss are summed."
)


def with_heads(loss: Loss | str, heads: int | None) -> Loss | str:
    """Return a loss with its number of heads.

    Raises:
        GantheoryError: for a constrained critic, which has none.
    """
    if heads is None:
        return loss
    from gantheory.losses import find, summed

    return summed(find(loss), heads)


def loss_named(name: str | None, file: Loss | None) -> str:
    """Return the name of the loss that is asked for: by name, or else that of the file.

    Raises:
        GantheoryError: where there is neither.
    """
    if name is not None:
        return name
    if file is None:
        raise GantheoryError("name a loss, or give a file that defines one: --file LOSS.toml")
    return file.name
