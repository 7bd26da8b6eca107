"""The command line. Each command is a module of this package, loaded when it is used.

A command module defines ``command``, a `click.Command` whose docstring ends in an example, and
imports what it needs inside the function, so that ``gantheory --help`` stays light.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
from contextlib import suppress
from typing import Any

import click

from gantheory import __version__
from gantheory.deadline import Undecided
from gantheory.errors import GantheoryError

COMMANDS = {
    "check": "Run every check of the original GAN and write a report.",
    "claims": "Decide what documents about GANs state, sentence by sentence.",
    "derive": "Derive a loss's theory step by step.",
    "audit": "Say what a torch loss is, does, and does wrong.",
    "prove": "Prove or refute an inequality between divergences.",
    "explain": "Say what a loss's values mean when they stop moving.",
    "divergence": "Integrate a divergence between two densities, with its error.",
    "curve": "Plot divergences and gradients against distance.",
    "simulate": "Train real GANs and judge them against the theory.",
    "sweep": "Train and measure many GANs: a table, one row a cell.",
    "protocols": "Show published toys, their printed numbers, and ours beside them.",
    "game": "Analyse the dynamics of a small two-player game.",
    "workbench": "Open a local page: losses, densities, GANs in training, games.",
    "losses": "List the catalogue of losses.",
    "divergences": "List the named divergences and distances.",
    "densities": "List the families of densities.",
    "cite": "Print a loss's reference as BibTeX.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when it lists them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"gantheory.cli.{name}").command
        if all(parameter.name != "quiet" for parameter in command.params):
            command.params.append(click.Option(_QUIET, expose_value=False, **_QUIETLY))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        unknown = args and not args[0].startswith("-") and args[0] not in COMMANDS
        if unknown and not ctx.resilient_parsing:  # which is a shell that asks for names
            from gantheory.errors import unknown_name

            raise unknown_name("command", args[0], COMMANDS)
        return super().resolve_command(ctx, args)


def _hush(ctx: click.Context, option: click.Parameter, value: bool) -> bool:
    ctx.meta["gantheory.quiet"] = value
    return value


_QUIET = ("--quiet", "-q")
_QUIETLY: Any = {"is_flag": True, "callback": _hush, "help": "Show no progress and no notes."}
quiet_option = click.option(*_QUIET, **_QUIETLY)  # every command has it; these show progress
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON with stable keys.")


def note(text: str, *, err: bool = False) -> None:
    """Say what is no part of the answer, as which file was written, unless with ``--quiet``."""
    if not click.get_current_context().meta.get("gantheory.quiet"):
        click.echo(text, err=err)


def print_json(data: Any) -> None:
    """Print ``data`` as JSON; infinities and nan become the strings "inf", "-inf" and "nan"."""
    click.echo(json.dumps(_jsonable(data), indent=2, ensure_ascii=False, allow_nan=False))


def _jsonable(data: Any) -> Any:
    if isinstance(data, dict):
        return {str(key): _jsonable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_jsonable(value) for value in data]
    if isinstance(data, float) and (data != data or abs(data) == float("inf")):
        return str(data)
    if data is None or isinstance(data, bool | int | float | str):
        return data
    return str(data)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)
@click.version_option(__version__, prog_name="gantheory")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Derive, prove, measure and refute what a GAN loss really does.

    \b
    Example:
      gantheory derive non-saturating
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> None:
    """Run the command line: bad input is one clear line on standard error and exit status 2."""
    _write_what_an_encoding_lacks()
    try:
        status = cli(standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.ClickException as error:
        _fail(f"{error.format_message()}{_where_to_look(error)}")
    except GantheoryError as error:
        _fail(str(error))
    except Undecided as reason:
        _fail(f"undecided: {reason}")
    except (click.Abort, KeyboardInterrupt) as stopped:
        kept = str(stopped.__cause__ or stopped)
        click.echo(f"interrupted; {kept}" if kept else "interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        _drop_output()
        sys.exit(141)
    except OSError as error:
        _drop_output()
        what = f"cannot use {error.filename!r}" if error.filename else "cannot write the output"
        _fail(f"{what}: {error.strerror or error}")
    sys.exit(status if isinstance(status, int) else 0)


def _where_to_look(error: click.ClickException) -> str:
    """Return which help shows what a command takes, where a word on its line fits nowhere."""
    if (
        type(error) is not click.UsageError
        or error.ctx is None
        or "extra argument" not in str(error)
    ):
        return ""
    return f"; what it takes: {error.ctx.command_path} --help"


def _fail(message: str) -> None:
    with suppress(OSError):  # standard error may be full or closed too
        click.echo(f"gantheory: {' '.join(message.split())}", err=True)
    sys.exit(2)


def _write_what_an_encoding_lacks() -> None:
    """Write a character that the terminal's code page lacks in ASCII."""
    from gantheory.cli.ascii import write_in_ascii

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "backslashreplace"):
            write_in_ascii(stream)


def _drop_output() -> None:
    """Send what is still buffered nowhere, so that nothing fails again at exit."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
