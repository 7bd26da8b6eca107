"""How somebody's loss is called: by its signature, as a person would, or as the call given says."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gantheory.audits.names import (
    FOR_DISCRIMINATOR,
    FOR_GENERATOR,
    NETWORK,
    is_network,
    side_of,
    words,
)
from gantheory.audits.network import Score, holds_network
from gantheory.audits.results import Sum
from gantheory.audits.signatures import (
    keyword_only,
    parameters,
    positional,
    required,
    takes_anything,
)
from gantheory.errors import GantheoryError


@dataclass(frozen=True)
class Call:
    """One player's loss as a function of real and fake scores, and how it is written down.

    Attributes:
        player: ``"discriminator"`` or ``"generator"``.
        run: (real, fake) -> whatever the code returns.
        written: the call as code in the names ``real`` and ``fake``.
        sides: which samples the call takes.
        parameters: the names of the parameters that take scores.
        labelled: whether labels, or a flag, tell real from fake samples.
        network: whether the loss calls a network, to which samples are handed.
        variants: how else it may be called, where this fails.
        exchanged: the call in the other order, where no name says which samples are real.
    """

    player: str
    run: Callable[[Any, Any], Any]
    written: str
    sides: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    labelled: bool = False
    network: bool = False
    variants: tuple[Call, ...] = ()
    exchanged: Call | None = None


def one_player(
    function: Callable[..., Any],
    player: str,
    options: Mapping[str, Any],
    name: str,
    ordered: bool = False,
) -> Call:
    """Return the call of one player's loss, its arguments told apart by their names.

    Arguments whose names do not say it are real and fake scores in this order; unless that is
    ``ordered`` by a contract, the call in the other order goes with it.
    """
    if takes_anything(function):
        return _with_any(function, player, options, name)
    known = parameters(function)
    roles = _roles(known, player, options, name)
    call = _with_roles(function, player, options, name, roles)
    network = {
        p.name: "D" for p in known
        if p.default is None and is_network(p.name) and p.name not in options
    }  # fmt: skip
    others = [roles | network] if network else []
    if player == "generator" and {"real", "fake"} <= set(roles.values()):
        turned = {"real": "fake", "fake": "real"}
        others += [
            {p: turned.get(role, role) for p, role in one.items()} for one in (roles, *others)
        ]
    variants = tuple(_with_roles(function, player, options, name, one) for one in others)
    other = None
    if not ordered and player == "discriminator" and _silent(roles):
        turned = {"real": "fake", "fake": "real"}
        back = {p: turned.get(role, role) for p, role in roles.items()}
        other = _with_roles(function, player, options, name, back)
    return replace(call, variants=variants, exchanged=other)


def _silent(roles: Mapping[str, str]) -> bool:
    """Return whether the names of two arguments do not say which is real."""
    taken = [p for p, role in roles.items() if role in ("real", "fake")]
    return len(taken) == 2 and len({side_of(p) for p in taken}) == 1


def _with_roles(
    function: Callable[..., Any], player: str, options: Mapping[str, Any], name: str,
    roles: Mapping[str, str],
) -> Call:  # fmt: skip
    """Return the call in which each parameter is given what its role says."""
    known = parameters(function)
    said = ", ".join(f"{p}={role}" if p in keyword_only(function) else role
                     for p, role in roles.items() if role != "default")  # fmt: skip
    given = {k: v for k, v in options.items() if k in {p.name for p in known}}

    def run(real: Any, fake: Any) -> Any:
        values = {"real": real, "fake": fake, "D": Score()}
        passed = {p: values.get(role, role == "True") for p, role in roles.items()}
        return function(**passed, **given)

    extra = "".join(f", {k}={v!r}" for k, v in given.items())
    sides = tuple(side for side in ("real", "fake") if side in roles.values())
    takers = tuple(p for p, role in roles.items() if role in ("real", "fake"))
    by_place = positional(function)
    network = "D" in roles.values() or holds_network(function)
    call = Call(player, run, f"{name}({said}{extra})", sides, takers, network=network)
    return _by_position(call, function, roles, given) if by_place else call


def _with_any(
    function: Callable[..., Any], player: str, options: Mapping[str, Any], name: str
) -> Call:
    """Return the call of a function without named parameters: the scores in their usual order."""
    sides = ("real", "fake") if player == "discriminator" else ("fake",)

    def run(real: Any, fake: Any) -> Any:
        return function(*({"real": real, "fake": fake}[side] for side in sides), **options)

    return Call(player, run, f"{name}({', '.join(sides)})", sides)


@dataclass(frozen=True)
class BothSides:
    """A discriminator's loss in two functions: one of real scores, one of fake scores."""

    losses: tuple[tuple[Callable[..., Any], str], ...]

    def call(self, options: Mapping[str, Any]) -> Call:
        """Return the call of their sum."""
        if len(self.losses) != 2:
            raise GantheoryError("a sum of losses is that of real and that of fake scores: a+b")
        (on_real, first), (on_fake, second) = self.losses
        for loss, said in self.losses:
            for one in required(parameters(loss))[1:]:
                if one.name not in options:
                    raise GantheoryError(_needs(said, one.name))
        known = [{p.name for p in parameters(loss)} & set(options) for loss, _ in self.losses]
        given = [{name: options[name] for name in names} for names in known]

        def run(real: Any, fake: Any) -> Any:
            return Sum(on_real(real, **given[0]), on_fake(fake, **given[1]))

        return Call("discriminator", run, f"{first}(real) + {second}(fake)", ("real", "fake"))


def _by_position(
    call: Call, function: Callable[..., Any], roles: Mapping[str, str], given: Mapping[str, Any]
) -> Call:
    """Return the call with positional arguments, for parameters that have no keywords."""

    def run(real: Any, fake: Any) -> Any:
        values = {"real": real, "fake": fake, "D": Score()}
        return function(*(values.get(role, role == "True") for role in roles.values()), **given)

    return replace(call, run=run)


def _roles(
    parameters: Sequence[inspect.Parameter], player: str, options: Mapping[str, Any], name: str
) -> dict[str, str]:
    """Return what each parameter is given: ``real``, ``fake``, ``D``, ``True`` or ``False``."""
    roles: dict[str, str] = {}
    open_: list[str] = []
    for parameter in parameters:
        if parameter.name in options:
            continue
        role = _role(parameter, player)
        optional = parameter.default is not inspect.Parameter.empty
        if role is None and not optional:
            open_.append(parameter.name)
            role = "?"
        left_alone = role is None or (optional and (role == "D" or not _may_be_scores(parameter)))
        if role is not None and not left_alone:
            roles[parameter.name] = role
    if player == "discriminator":
        open_ += _undecided(roles, open_)
    scored = [p for p, role in roles.items() if role in ("real", "fake", "?")]
    if player == "generator" and len(scored) == 1:
        roles[scored[0]] = "fake"
        open_ = []
    taken = set(roles.values())
    expected = [side for side in ("real", "fake") if side not in taken]
    if player == "generator" and "fake" not in taken:
        expected = ["fake", "real"] if "real" not in taken else ["fake"]
    for parameter_name, side in zip(open_, expected, strict=False):
        roles[parameter_name] = side
    left = open_[len(expected) :]
    if left:
        raise GantheoryError(_needs(name, *left))
    return roles


def _needs(name: str, *left: str) -> str:
    return (
        f"{name} needs a value for {', '.join(map(repr, left))}; give it with "
        f"--call '{left[0]}=...' (call={{{left[0]!r}: ...}} in Python)"
    )


def _undecided(roles: dict[str, str], open_: Sequence[str]) -> list[str]:
    """Let names that all speak of one side, such as f_s and f_t, speak of none."""
    sided = [name for name, role in roles.items() if role in ("real", "fake")]
    if open_ or len(sided) != 2 or roles[sided[0]] != roles[sided[1]]:
        return []
    roles |= dict.fromkeys(sided, "?")
    return sided


def _role(parameter: inspect.Parameter, player: str) -> str | None:
    name = parameter.name
    if name in FOR_DISCRIMINATOR:
        return str(player == "discriminator")
    if name in FOR_GENERATOR:
        return str(player == "generator")
    if name in NETWORK and isinstance(parameter.default, type(inspect.Parameter.empty)):
        annotated = str(parameter.annotation)
        if "Tensor" not in annotated and name not in ("disc", "dis"):
            return "D"
    if isinstance(parameter.default, bool | int | float | str):
        return None
    return side_of(name)


def _may_be_scores(parameter: inspect.Parameter) -> bool:
    return parameter.default is None and "label" not in words(parameter.name)
