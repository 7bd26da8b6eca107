"""``gantheory game``: the dynamics of a small two-player game."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gantheory.cli import completion, json_option, note, print_json
from gantheory.cli.files import file_option
from gantheory.errors import GantheoryError

if TYPE_CHECKING:
    from gantheory.dynamics.analysis import Analysis
    from gantheory.dynamics.record import Game
    from gantheory.dynamics.verdict import Decision


_FORMULA = re.compile(r"[*/^+=]|\s-\s|\*\*|^[a-z]$")  # what no name of a game holds


class _ListsMethods(click.Command):
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name every way of training, those of an update rule from outside too."""
        from gantheory.dynamics.rules import list_methods

        formatter.write_paragraph()
        formatter.write_text(f"Methods: {', '.join(list_methods())}.")


@click.command(name="game", cls=_ListsMethods)
@click.argument("name", required=False, shell_complete=completion.games)
@file_option
@click.option("--value", help="Payoff that player 1 minimises and player 2 maximises.")
@click.option("--value2", help="Payoff that player 2 minimises instead; not zero-sum.")
@click.option("--player1", help="Variables of player 1, as in 'x1, x2'.")
@click.option("--player2", help="Variables of player 2.")
@click.option("--domain", multiple=True, metavar="'x: (0, oo)'", help="Domain of a variable.")
@click.option(
    "--method", default="simultaneous", show_default=True, shell_complete=completion.methods,
    help="Flow or update rule.",
)  # fmt: skip
@click.option("--step", default="0.1", show_default=True, help="Step size.")
@click.option("--inner", default=1, show_default=True, help="Steps of player 2 (alternating).")
@click.option("--consensus", default="0.5", show_default=True, help="Weight (consensus).")
@click.option("--momentum", default="-0.5", show_default=True, help="Coefficient (momentum).")
@click.option("--momentum2", help="Coefficient of player 2, if another.")
@click.option(
    "--order", default="alternating", show_default=True, help="Play under momentum.",
    shell_complete=completion.words("alternating", "simultaneous"),
)  # fmt: skip
@click.option("--r1", default="0", help="Weight of the R1 penalty (Dirac-GAN).")
@click.option("--r2", default="0", help="Weight of the R2 penalty (Dirac-GAN).")
@click.option("--gradient-penalty", default="0", help="Weight of (slope - 1)^2 (Dirac-GAN).")
@click.option("--noise", default="0", help="Standard deviation of instance noise (Dirac-GAN).")
@click.option("--clip", help="Bound on player 2's variables after each step.")
@click.option("--parameter", multiple=True, metavar="NAME=NUMBER", help="A loss's parameter.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw it: PNG, SVG or PDF.")
@json_option
def command(**options: Any) -> None:
    """Analyse NAME or a game of your own: equilibria, spectrum, step sizes, verdict.

    NAME is bilinear, dirac-LOSS, linear-quadratic-LOSS, gaussian-LOSS, or a loss of the
    catalogue, meaning its Dirac-GAN.

    \b
    Example:
      gantheory game bilinear --method optimistic --step 0.5
      gantheory game --value "x*y" --player1 x --player2 y \\
          --method alternating --step 0.1
    """
    from gantheory.dynamics.analysis import analyse
    from gantheory.dynamics.methods import make_method, read_step
    from gantheory.dynamics.motion.orbits import decide_by_orbits

    read_step(options["step"])
    method = make_method(
        options["method"],
        inner=options["inner"],
        consensus=_number("--consensus", options["consensus"]),
        momentum=_number("--momentum", options["momentum"]),
        momentum2=options["momentum2"] and _number("--momentum2", options["momentum2"]),
        order=options["order"],
        clip=options["clip"] and _number("--clip", options["clip"]),
    )
    if options["plot"] is not None:
        _check_place(options["plot"])
    analysis = analyse(_game(options), method, options["step"])
    decision = decide_by_orbits(analysis)
    if options["as_json"]:
        print_json(_with_decision(analysis.as_dict(), decision))
    else:
        _show(analysis, decision)
    if options["plot"] is not None:
        _draw(analysis, decision, options["plot"], beside=options["as_json"])


def _game(options: dict[str, Any]) -> Game:
    from gantheory.dynamics.games import get_game
    from gantheory.dynamics.text import read_game

    name, value, file = (options[key] for key in ("name", "value", "file"))
    if name is None and value is None and file is not None:
        name = file.name
    if (name is None) == (value is None):
        raise GantheoryError(
            "give either the NAME of a game, such as bilinear, or --value with --player1 and "
            "--player2"
        )
    regularisers = {
        key: _number(f"--{key.replace('_', '-')}", options[key])
        for key in ("r1", "r2", "gradient_penalty", "noise")
    }
    if name is not None and _FORMULA.search(name):
        raise GantheoryError(
            f"{name[:40]!r} is a payoff, not the name of a game: write --value {name[:40]!r}, with "
            "--player1 and --player2 for the variables that each player moves"
        )
    given = [key for key in ("value2", "player1", "player2", "domain") if options[key]]
    if name is not None:
        if given:
            raise GantheoryError(f"--{given[0]} belongs to --value, not to the game {name!r}")
        return get_game(name, **regularisers).at(_parameters(options["parameter"]))
    for key in ("player1", "player2"):
        if options[key] is None:
            raise GantheoryError(f"--value needs --{key}: the variables that this player moves")
    if any(regularisers.values()) or options["parameter"]:
        raise GantheoryError(
            "--r1, --r2, --gradient-penalty, --noise and --parameter are for named games; "
            "write the numbers into --value"
        )
    return read_game(
        value, options["player1"], options["player2"], options["value2"], options["domain"]
    )


def _parameters(texts: tuple[str, ...]) -> dict[str, Any]:
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise GantheoryError(f"--parameter {text[:40]!r} is not NAME=NUMBER, as in alpha=2")
        found[name.strip()] = _number(f"--parameter {name.strip()[:30]}", value)
    return found


def _number(flag: str, text: str) -> Any:
    """Read an exact rational number."""
    import sympy as sp

    from gantheory.expressions import Grammar, number, parse

    value = number(parse(text, Grammar(f"value of {flag}", {})))
    if value is None:
        raise GantheoryError(f"{flag} {text[:40]!r} is not a number")
    return sp.Rational(value.numerator, value.denominator)


def _check_place(path: Path) -> None:
    from gantheory.report.phase import check_place

    check_place(path)


def _with_decision(data: dict[str, Any], decision: Decision) -> dict[str, Any]:
    update = {
        "verdict": str(decision.behaviour), "how": str(decision.how), "reason": decision.reason,
        "theorem": decision.theorem or None,
    }  # fmt: skip
    return data | {"update": data["update"] | update}


def _show(analysis: Analysis, decision: Decision) -> None:
    """Print the verdict, and below what it rests on: field, equilibria, spectrum, step sizes."""
    from rich.markup import escape
    from rich.table import Table

    from gantheory.dynamics.description import describe
    from gantheory.report import terminal

    console = terminal.console(highlight=False)
    description = describe(analysis, decision)
    console.print(f"[bold]{escape(description.title)}[/bold]")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    for name, text in description.rows:
        grid.add_row(name, escape(text))
    console.print(grid)


def _draw(analysis: Analysis, decision: Decision, path: Path, beside: bool) -> None:
    from gantheory.report.phase import plot_game
    from gantheory.report.plots import save_figure

    save_figure(plot_game(analysis, decision), path)
    note(f"wrote {path}", err=beside)
