"""A game written by a user: payoffs and variables as text, checked and never evaluated."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

import sympy as sp

from gantheory.dynamics.record import Game
from gantheory.errors import GantheoryError, require_type
from gantheory.expressions import ELEMENTARY, Grammar, parse
from gantheory.formulas import Interval, interval
from gantheory.functions import to_sympy

SMOOTH = {**ELEMENTARY, "sin": (1, 1), "cos": (1, 1)}  # the functions of a payoff


def read_game(
    value: str,
    player1: str,
    player2: str,
    value2: str | None = None,
    domains: Iterable[str] = (),
) -> Game:
    """Return the game in which player 1 minimises ``value``.

    Args:
        value: payoff in the variables; player 2 maximises it unless ``value2`` is given.
        player1: variables of player 1, separated by commas or spaces.
        player2: variables of player 2.
        value2: for a game that is not zero-sum, the payoff that player 2 minimises.
        domains: texts like ``"x: (0, oo)"``, needed where a payoff is not smooth.

    Raises:
        GantheoryError: one clear line, for anything malformed.

    >>> read_game("x*y", "x", "y").field.T
    Matrix([[-y, x]])
    """
    for text in (value, player1, player2):
        require_type("part of a game", text, str, "text: payoff and variables, as 'x*y', 'x', 'y'")
    names = [_variables(text, k) for k, text in enumerate((player1, player2), 1)]
    for shared in set(names[0]) & set(names[1]):
        raise GantheoryError(f"variable {shared!r} belongs to both players; give it to one")
    declared = dict(_domain(text, {*names[0], *names[1]}) for text in domains)
    symbols = {name: _symbol(name, declared.get(name)) for name in (*names[0], *names[1])}
    grammar = Grammar("payoff", SMOOTH, frozenset(symbols), example="x*y")
    payoffs = [to_sympy(parse(text, grammar), symbols) for text in (value, value2 or value)]
    if value2 is None:
        payoffs[1] = -payoffs[1]
    return Game(
        value if value2 is None else f"{value}; {value2}",
        (payoffs[0], payoffs[1]),
        (tuple(symbols[n] for n in names[0]), tuple(symbols[n] for n in names[1])),
        domains={symbols[name]: span for name, span in declared.items()},
        title=f"min over {', '.join(names[0])} of {value}; "
        + (f"max over {', '.join(names[1])}" if value2 is None else f"player 2 minimises {value2}"),
    )


def _variables(text: str, player: int) -> list[str]:
    names = re.split(r"[,\s]+", text.strip()) if text.strip() else []
    if not names:
        raise GantheoryError(f"player {player} has no variables; name at least one, as in 'x'")
    for name in names:
        good = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,30}", name) and "__" not in name
        if not good or name in SMOOTH:
            raise GantheoryError(
                f"{name[:40]!r} cannot name a variable of player {player}; use letters and "
                "digits, starting with a letter, and no name of a function"
            )
    if len(set(names)) < len(names):
        raise GantheoryError(f"player {player} names a variable twice: {text[:60]!r}")
    return names


def _domain(text: str, known: set[str]) -> tuple[str, sp.Set]:
    name, colon, span = (part.strip() for part in text.partition(":"))
    if not colon or name not in known:
        raise GantheoryError(
            f"domain {text[:60]!r} declares no variable of the game; write it like 'x: (0, oo)'"
        )
    return name, _set(interval(span), span)


def _set(span: Interval, text: str) -> sp.Set:
    ends = [_end(end, text) for end in (span.lower, span.upper)]
    if not ends[0] < ends[1]:
        raise GantheoryError(f"domain {text[:60]!r} is empty; its first end must be the smaller")
    return sp.Interval(*ends, not span.closed_lower, not span.closed_upper)


def _end(node: ast.expr, text: str) -> sp.Expr:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_end(node.operand, text)
    if isinstance(node, ast.Name) and node.id in {"oo", "inf"}:
        return sp.oo
    end = to_sympy(node)
    if end.free_symbols:
        raise GantheoryError(f"domain {text[:60]!r} has an end that is not a number")
    return end


def _symbol(name: str, span: sp.Set | None) -> sp.Symbol:
    """A real symbol that knows its sign where its domain fixes one."""
    if span is None:
        return sp.Symbol(name, real=True)
    open_ends = (span.inf >= 0 and 0 not in span, span.sup <= 0 and 0 not in span)
    return sp.Symbol(
        name,
        real=True,
        positive=True if open_ends[0] else None,
        negative=True if open_ends[1] else None,
    )
