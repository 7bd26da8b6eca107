"""``gantheory cite``: a loss's reference as BibTeX."""

from __future__ import annotations

import click

from gantheory.cli import completion, json_option, print_json
from gantheory.cli.files import file_option, loss_named
from gantheory.errors import GantheoryError
from gantheory.losses.loss import Loss


@click.command(name="cite")
@click.argument("loss", shell_complete=completion.losses, required=False)
@file_option
@json_option
def command(loss: str | None, file: Loss | None, as_json: bool) -> None:
    """Print the reference of LOSS as BibTeX.

    \b
    Example:
      gantheory cite hinge
    """
    from gantheory.losses import find

    loss = loss_named(loss, file)
    reference = find(loss).reference
    if reference is None:
        raise GantheoryError(f"loss {loss!r} has no reference in the catalogue")
    if as_json:
        print_json(vars(reference))
    else:
        click.echo(reference.bibtex())
