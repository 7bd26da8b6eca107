"""``gantheory workbench``: a local page to look at."""

from __future__ import annotations

import click

from gantheory.cli import json_option

VIEWS = ("loss", "densities", "train", "game")


@click.command(name="workbench")
@click.argument("view", type=click.Choice(VIEWS), default="loss")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port; 0 takes a free one.")
@click.option("--browser/--no-browser", default=True, help="Open a browser, or print the address.")
@click.option("--set", "state", multiple=True, metavar="FIELD=VALUE", help="What a field holds.")
@json_option
def command(view: str, port: int, browser: bool, state: tuple[str, ...], as_json: bool) -> None:
    """Open a page on this machine: a loss, two densities, GANs in training, or a game of players.

    It needs no network and is for this machine alone; its address has a token.

    \b
    Example:
      gantheory workbench
      gantheory workbench train --set loss=minimax --set start=6
    """
    from gantheory.workbench.server import serve

    serve(view, port=port, browser=browser, state=dict(map(_field, state)), as_json=as_json)


def _field(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.UsageError(f"--set {text[:40]!r}: write it like loss=minimax")
    return name, value
