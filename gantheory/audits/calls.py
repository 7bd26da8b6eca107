"""How somebody's loss is called: by its signature, as a person would, or as told."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gantheory.audits.names import (
    DISCRIMINATOR,
    FLAGS,
    FOR_DISCRIMINATOR,
    FOR_GENERATOR,
    GENERATOR,
    NETWORK,
    TARGETS,
    is_network,
    player_of,
    side_of,
    words,
)
from gantheory.audits.results import Sum
from gantheory.errors import GantheoryError

STYLES = ("pair", "target_is_real", "labels")


class Score(nn.Module):
    """The network handed to losses that call it: its output is what it is given, in a form.

    A discriminator's scores carry a gradient into its parameters, however detached the samples
    are: scores that are known are the leaves, whether or not ``x`` is attached to them.
    """

    answer: ClassVar[Callable[[Any], Any]] = staticmethod(lambda x: x)
    known: ClassVar[Sequence[Tensor]] = ()

    def forward(self, x: Any, *_: Any, **__: Any) -> Any:
        with torch.utils._python_dispatch._disable_current_modes():
            leaf = next((k for k in Score.known if _equal(k, x)), None)
        if leaf is not None and not x.requires_grad:
            leaf = leaf.reshape(x.shape)
            x = x + (leaf - leaf.detach())
        return Score.answer(x)


def _equal(known: Tensor, x: Any) -> bool:
    return (
        isinstance(x, Tensor)
        and known.numel() == x.numel()
        and torch.equal(known.detach().reshape(-1), x.detach().reshape(-1))
    )


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
    """

    player: str
    run: Callable[[Any, Any], Any]
    written: str
    sides: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    labelled: bool = False
    network: bool = False
    variants: tuple[Call, ...] = ()


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
        methods = _methods(target)
        if methods:
            calls = tuple(
                one_player(method, player, options, f"{name}.{method.__name__}")
                for player, method in methods.items()
            )
            return Plan(calls, "pair", options=options)
    parameters = _parameters(target)
    found = style or _style(parameters, options)
    if found == "target_is_real":
        return Plan(_flagged(target, parameters, options, name), found, options=options)
    if found == "labels":
        return Plan(_labelled(target, options, name), found, options=options)
    player = player_of(name.split(".")[-1])
    if player is None:
        sides = {side_of(p.name) for p in parameters} - {None}
        player = "discriminator" if "real" in sides or len(_required(parameters)) > 1 else None
        if player is None:
            player = "generator"
    return Plan((one_player(target, player, options, name),), "pair", options=options)


def one_player(
    function: Callable[..., Any], player: str, options: Mapping[str, Any], name: str
) -> Call:
    """Return the call of one player's loss, its arguments told apart by their names."""
    parameters = _parameters(function)
    roles = _roles(parameters, player, options, name)
    call = _with_roles(function, player, options, name, roles)
    networks = {p.name: "D" for p in parameters
                if p.default is None and is_network(p.name) and p.name not in options}  # fmt: skip
    if not networks:
        return call
    return replace(call, variants=(_with_roles(function, player, options, name, roles | networks),))


def _with_roles(
    function: Callable[..., Any], player: str, options: Mapping[str, Any], name: str,
    roles: Mapping[str, str],
) -> Call:  # fmt: skip
    """Return the call in which each parameter is given what its role says."""
    parameters = _parameters(function)
    said = ", ".join(f"{p}={role}" if p in _keyword_only(function) else role
                     for p, role in roles.items() if role != "default")  # fmt: skip
    given = {k: v for k, v in options.items() if k in {p.name for p in parameters}}

    def run(real: Any, fake: Any) -> Any:
        values = {"real": real, "fake": fake, "D": Score()}
        passed = {p: values.get(role, role == "True") for p, role in roles.items()}
        return function(**passed, **given)

    extra = "".join(f", {k}={v!r}" for k, v in given.items())
    sides = tuple(side for side in ("real", "fake") if side in roles.values())
    takers = tuple(p for p, role in roles.items() if role in ("real", "fake"))
    positional = _positional(function)
    network = "D" in roles.values() or _holds_network(function)
    call = Call(player, run, f"{name}({said}{extra})", sides, takers, network=network)
    return _by_position(call, function, roles, given) if positional else call


@dataclass(frozen=True)
class BothSides:
    """A discriminator's loss in two functions: one of real scores, one of fake scores."""

    losses: tuple[tuple[Callable[..., Any], str], ...]

    def call(self, options: Mapping[str, Any]) -> Call:
        """Return the call of their sum."""
        if len(self.losses) != 2:
            raise GantheoryError("a sum of losses is that of real and that of fake scores: a+b")
        (on_real, first), (on_fake, second) = self.losses
        known = [{p.name for p in _parameters(loss)} & set(options) for loss, _ in self.losses]
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


def _holds_network(function: Callable[..., Any]) -> bool:
    """Return whether the network that was handed to a constructor is in an object."""
    owner = getattr(function, "__self__", function)
    held = (
        owner.modules() if isinstance(owner, nn.Module) else getattr(owner, "__dict__", {}).values()
    )
    return any(isinstance(one, Score) for one in held)


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
        raise GantheoryError(
            f"{name} needs a value for {', '.join(map(repr, left))}; give it with "
            f"--call '{left[0]}=...' (call={{{left[0]!r}: ...}} in Python)"
        )
    return roles


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


def _flagged(
    function: Callable[..., Any],
    parameters: Sequence[inspect.Parameter],
    options: Mapping[str, Any],
    name: str,
) -> tuple[Call, ...]:
    """Return the calls of a criterion that is told whether its target is real."""
    flag = _flag_name(parameters) or parameters[1].name
    score = next(p.name for p in parameters if p.name != flag)
    named = {p.name for p in parameters}
    given = {k: v for k, v in options.items() if k in named}

    def once(scores: Any, target: bool, player: str) -> Any:
        turn = {p: _flag(p, player) for p in named & (FOR_DISCRIMINATOR | FOR_GENERATOR)}
        return function(scores, **{flag: target}, **turn, **given)

    def discriminator(real: Any, fake: Any) -> Any:
        return Sum(once(real, True, "discriminator"), once(fake, False, "discriminator"))

    turns = named & (FOR_DISCRIMINATOR | FOR_GENERATOR)

    def said(side: str, target: bool, player: str) -> str:
        more = "".join(f", {p}={_flag(p, player)}" for p in sorted(turns))
        more += "".join(f", {k}={v!r}" for k, v in given.items())
        return f"{name}({side}, {flag}={target}{more})"

    both = f"{said('real', True, 'discriminator')} + {said('fake', False, 'discriminator')}"
    return (
        Call("discriminator", discriminator, both, ("real", "fake"), (score,), labelled=True),
        Call(
            "generator",
            lambda real, fake: once(fake, True, "generator"),
            said("fake", True, "generator"),
            ("fake",),
            (score,),
            labelled=True,
        ),
    )


def _labelled(
    function: Callable[..., Any], options: Mapping[str, Any], name: str
) -> tuple[Call, ...]:
    """Return the calls of a criterion that compares scores with a tensor of labels."""

    low = _label_of_fakes(function, options)

    def at(scores: Any, label: float) -> Any:
        return function(scores, torch.full_like(scores, label), **options)

    of_fakes = "torch.zeros_like(fake)" if low == 0 else "-torch.ones_like(fake)"
    written = (
        f"{name}(real, torch.ones_like(real)) + {name}(fake, {of_fakes})",
        f"{name}(fake, torch.ones_like(fake))",
    )
    return (
        Call(
            "discriminator",
            lambda real, fake: Sum(at(real, 1.0), at(fake, low)),
            written[0],
            ("real", "fake"),
            labelled=True,
        ),
        Call("generator", lambda real, fake: at(fake, 1.0), written[1], ("fake",), labelled=True),
    )


def _label_of_fakes(function: Callable[..., Any], options: Mapping[str, Any]) -> float:
    """Return 0, or -1 where a label of 0 would say nothing about the score."""
    scores = torch.tensor([[0.3], [0.4]])
    try:
        first, second = (
            function(x, torch.zeros_like(x), **options) for x in (scores, scores + 0.3)
        )
        return -1.0 if torch.equal(first, second) else 0.0
    except Exception:
        return 0.0


def _methods(target: Any) -> dict[str, Callable[..., Any]]:
    """Return the methods of an object that are the two players' losses."""
    own = nn.Module if isinstance(target, nn.Module) else object
    found: dict[str, Callable[..., Any]] = {}
    for name in dir(target):
        if name.startswith("__") or hasattr(own, name):
            continue
        method = getattr(target, name, None)
        player = player_of(name)
        if not (inspect.ismethod(method) or inspect.isfunction(method)):
            continue
        if player and player not in found and _is_loss(name):
            found[player] = method
    return found if "discriminator" in found else {}


def _is_loss(name: str) -> bool:
    said = set(words(name))
    return bool(said & {"loss", "losses", "objective", "criterion"}) or said <= (
        DISCRIMINATOR | GENERATOR
    )


def _style(parameters: Sequence[inspect.Parameter], options: Mapping[str, Any]) -> str:
    free = [p for p in parameters if p.name not in options]
    if len(free) >= 2 and _flag_name(free):
        return "target_is_real"
    if len(free) >= 2 and free[1].name.lower() in TARGETS and side_of(free[0].name) is None:
        return "labels"
    return "pair"


def _flag_name(parameters: Sequence[inspect.Parameter]) -> str | None:
    for parameter in parameters:
        boolean = parameter.annotation in (bool, "bool") or isinstance(parameter.default, bool)
        name = parameter.name
        if name in FLAGS or (boolean and name in ("real", "target", "fake", "label")):
            return name
    names = [p.name for p in parameters]
    if len(names) >= 2 and names[1] == "real" and "fake" not in " ".join(names):
        return "real"
    return None


def _flag(name: str, player: str) -> bool:
    return (player == "discriminator") == (name in FOR_DISCRIMINATOR)


def _parameters(function: Any) -> list[inspect.Parameter]:
    own = type(function).__call__ is not nn.Module.__call__
    called = function.forward if isinstance(function, nn.Module) and not own else function
    try:
        signature = inspect.signature(called)
    except (TypeError, ValueError):
        raise GantheoryError(f"{function!r} cannot be called, or hides its signature") from None
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p for p in signature.parameters.values() if p.kind not in kinds]


def _required(parameters: Sequence[inspect.Parameter]) -> list[inspect.Parameter]:
    return [p for p in parameters if p.default is inspect.Parameter.empty]


def _positional(function: Any) -> bool:
    return any(p.kind is inspect.Parameter.POSITIONAL_ONLY for p in _parameters(function))


def _keyword_only(function: Any) -> set[str]:
    kind = inspect.Parameter.KEYWORD_ONLY
    return {p.name for p in _parameters(function) if p.kind is kind}
