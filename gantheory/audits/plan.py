"""How somebody's loss is called: by its signature, as a person would, or as its plan says."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from gantheory.audits.calls import Call, one_player
from gantheory.audits.criteria import flagged, labelled, style_of
from gantheory.audits.names import DISCRIMINATOR, GENERATOR, player_of, side_of, words
from gantheory.audits.penalty import is_penalty
from gantheory.audits.signatures import parameters, required
from gantheory.errors import GantheoryError

STYLES = ("pair", "target_is_real", "labels")


@dataclass(frozen=True)
class Plan:
    """The calls of both players, and the style they were found in.

    ``partner`` is the other player's loss, where it was found beside the one that was named.
    """

    calls: tuple[Call, ...]
    style: str
    partner: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    penalty: Any = None

    def of(self, player: str) -> Call | None:
        """Return the call of a player."""
        return next((call for call in self.calls if call.player == player), None)


def plan_of(
    target: Any, style: str | None, options: Mapping[str, Any], name: str = "criterion"
) -> Plan:
    """Return how a criterion (a module, a class's instance or a function) is called."""
    if style is not None and style not in STYLES:
        raise GantheoryError(f"style={style!r}; it is one of {', '.join(STYLES)}")
    if style is None and not isinstance(target, type) and not inspect.isroutine(target):
        methods = _methods(target, every=not callable(target))
        if methods:
            calls = tuple(
                one_player(method, player, options, f"{name}.{method.__name__}")
                for player, method in methods.items()
            )
            return Plan(calls, "pair", options=options)
    if not callable(target):
        raise GantheoryError(_not_called(target))
    known = parameters(target)
    found = style or style_of(known, options)
    if found == "target_is_real":
        return Plan(flagged(target, options, name), found, options=options)
    if found == "labels":
        return Plan(labelled(target, options, name), found, options=options)
    player = player_of(name.split(".")[-1])
    if player is None:
        sides = {side_of(p.name) for p in known} - {None}
        player = "discriminator" if "real" in sides or len(required(known)) > 1 else None
        if player is None:
            player = "generator"
    return Plan((one_player(target, player, options, name),), "pair", options=options)


def _not_called(target: Any) -> str:
    """Say which methods of an object may be its losses."""
    name = type(target).__name__
    public = [m for m in vars(type(target)) if not m.startswith("_")]
    named = [f"{name}.{m}" for m in public if player_of(m) or {"loss", "losses"} & set(words(m))]
    return (
        f"a {name} is not called as a loss; name its methods, such as "
        f"{', '.join(named[:4]) or f'{name}.d_loss'}"
    )


def _methods(target: Any, every: bool = False) -> dict[str, Callable[..., Any]]:
    """Return the methods of an object that are the two players' losses.

    Of an object that is not called, a player's only method is its loss whatever it is called.
    """
    own = nn.Module if isinstance(target, nn.Module) else object
    found: dict[str, Callable[..., Any]] = {}
    others: dict[str, list[Callable[..., Any]]] = {"discriminator": [], "generator": []}
    for name in dir(target):
        if name.startswith("__") or hasattr(own, name):
            continue
        method = getattr(target, name, None)
        player = player_of(name)
        if not (inspect.ismethod(method) or inspect.isfunction(method)):
            continue
        if player and player not in found and _is_loss(name):
            found[player] = method
        elif player and not is_penalty(name):
            others[player].append(method)
    if every and not found and all(len(one) == 1 for one in others.values()):
        return {player: one[0] for player, one in others.items()}
    return found if "discriminator" in found else {}


def _is_loss(name: str) -> bool:
    said = set(words(name))
    return bool(said & {"loss", "losses", "objective", "criterion"}) or said <= (
        DISCRIMINATOR | GENERATOR
    )
