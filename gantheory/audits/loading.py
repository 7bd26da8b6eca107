"""Import the user's module, find the loss in it, and plan its calls."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from gantheory.audits.absent import absent, importing, seal
from gantheory.audits.calls import BothSides, one_player
from gantheory.audits.devices import OnCpu
from gantheory.audits.names import is_model, partners, player_of, words
from gantheory.audits.network import Score
from gantheory.audits.penalty import holds_a_loss, is_penalty, penalty_of
from gantheory.audits.plan import Plan, plan_of
from gantheory.audits.recover import recover
from gantheory.audits.recovered import Recovered
from gantheory.audits.target import AuditTarget
from gantheory.errors import GantheoryError

Arguments = tuple[list[Any], dict[str, Any]] | None


def recover_target(target: AuditTarget) -> Recovered:
    """Return what is recovered of a loss in a module."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module, origin = load_module(target.place)
    said = [*target.names]
    lines = [origin]
    losses = []
    for name in target.names:
        parts = [_loaded(module, part, target.init, lines) for part in name.split("+")]
        losses.append(parts[0] if len(parts) == 1 else (BothSides(tuple(parts)), name))
    seal()
    if target.samples_frozen:
        return _frozen(losses, target, "\n".join(lines))
    plan = _plan(losses, target, module, lines)
    said += [v for v in _values(target) if isinstance(v, str)]
    called = " and ".join(filter(None, (target.name, plan.partner)))
    found = recover(plan, called, target.witness)
    return Recovered(
        found.name, found.players, found.domain, found.probabilities, plan.style,
        "\n".join(lines), tuple(said), {**(target.init or ([], {}))[1], **target.call},
        found.penalty, absent(),
    )  # fmt: skip


def _frozen(losses: list[tuple[Any, str]], target: AuditTarget, origin: str) -> Recovered:
    """Return what is recovered of a loss with frozen samples."""
    from gantheory.audits.frozen import recover_frozen
    from gantheory.audits.roles import roles_of

    if len(losses) != 1 or not callable(losses[0][0]) or isinstance(losses[0][0], BothSides):
        raise GantheoryError("a loss with frozen samples is one function: losses.py:NAME")
    facts = recover_frozen(roles_of(*losses[0], target.call))
    return Recovered(target.name, {}, "(-oo, oo)", False, "samples frozen", origin,
                     frozen=facts, absent=absent())  # fmt: skip


def _loaded(module: ModuleType, name: str, init: Arguments, lines: list[str]) -> tuple[Any, str]:
    """Return a loss of a module and how it is written; add the code that makes it."""
    lines.append(f"from {module.__name__} import {name.split('.')[0]}")
    method = _method(module, name, init)
    if method is not None:
        owner, _, own = name.rpartition(".")
        lines.append(f"{_variable(owner)} = {owner}(...)  # an instance")
        return method, f"{_variable(owner)}.{own}"
    loss, made = _made(_found(module, name), name, init)
    if not made:
        return loss, name
    lines.append(f"{_variable(name)} = {made}")
    return loss, _variable(name)


def _method(module: ModuleType, name: str, init: Arguments) -> Any:
    """Return a class's own method of an instance, where ``name`` is that of a method.

    Where the class cannot be made without more arguments, the instance has no attributes.
    """
    owner, _, own = name.rpartition(".")
    found = _found(module, owner) if owner else None
    if not inspect.isclass(found) or not inspect.isfunction(
        inspect.getattr_static(found, own, None)
    ):
        return None
    try:
        return getattr(_made(found, owner, init or ([], {}))[0], own)
    except Exception:
        bare = found.__new__(found)
        if isinstance(bare, nn.Module):
            nn.Module.__init__(bare)
        return getattr(bare, own)


def load_module(place: str) -> tuple[ModuleType, str]:
    """Import a module by path or by name; return it and the code that does so."""
    if not place.endswith(".py"):
        return _alone(place), ""
    path = Path(place)
    if not (path.parent / "__init__.py").is_file():
        sys.path.insert(0, str(path.parent))
        origin = f"import sys; sys.path.insert(0, {str(path.parent)!r})"
        return importing(lambda: _from_file(path.stem, path), path.stem), origin
    root, dotted = path.parent, path.stem
    while (root / "__init__.py").is_file():
        root, dotted = root.parent, f"{root.name}.{dotted}"
    sys.path.insert(0, str(root))
    return _alone(dotted), f"import sys; sys.path.insert(0, {str(root)!r})"


def _alone(dotted: str) -> ModuleType:
    """Import a module of a package; alone, where its package does not import whole.

    Packages that are not installed are stood in for, at first in the module alone.
    """
    head, *rest = dotted.split(".")
    attempts = [lambda: importlib.import_module(dotted)]
    if rest:
        attempts.append(lambda: importing(lambda: _without_parents(dotted), head))
    attempts.append(lambda: importing(lambda: _afresh(dotted), head))
    first: BaseException | None = None
    for attempt in attempts:
        try:
            return attempt()
        except (Exception, SystemExit) as error:
            first = first or error
    assert first is not None
    raise first


def _afresh(dotted: str) -> ModuleType:
    _forget(dotted.split(".")[0])
    return importlib.import_module(dotted)


def _forget(head: str) -> None:
    """Drop what is loaded of a package."""
    for name in [m for m in sys.modules if m == head or m.startswith(f"{head}.")]:
        del sys.modules[name]


def _without_parents(dotted: str) -> ModuleType:
    """Import a module, its packages being empty: their own code does not run."""
    head, *rest = dotted.split(".")
    _forget(head)
    spec = importlib.util.find_spec(head)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"No module named {head!r}", name=head)
    places, package = list(spec.submodule_search_locations), head
    for part in rest:
        empty = ModuleType(package)
        empty.__path__ = places
        sys.modules[package] = empty
        package, places = f"{package}.{part}", [str(Path(place, part)) for place in places]
    return importlib.import_module(dotted)


def _from_file(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise GantheoryError(f"{str(path)!r} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _found(module: ModuleType, name: str) -> Any:
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            near = ", ".join(n for n in vars(module) if "loss" in n.lower() or "gan" in n.lower())
            raise GantheoryError(
                f"{module.__name__} has no {name!r}; it has {near[:200] or 'no losses by name'}"
            )
        found = getattr(found, part)
    return found


def _made(found: Any, name: str, init: Arguments) -> tuple[Any, str]:
    """Return the loss, an instance where a class was named, and the code that made it."""
    if not isinstance(found, type) and init is None:
        return found, ""
    given, named = init or ([], {})
    networks = _networks(found, len(given), named)
    written = ", ".join([*map(repr, given), *(f"{k}={v!r}" for k, v in named.items())])
    written = ", ".join(filter(None, [written, *(f"{n}=torch.nn.Identity()" for n in networks)]))
    try:
        with OnCpu():
            made = found(*given, **named, **{n: Score() for n in networks})
        return made, f"{name}({written})"
    except TypeError as error:
        needed = str(error).split(")", 1)[-1].strip() or str(error)
        missing = re.findall(r"'(\w+)'", needed) or ["gan_mode"]
        raise GantheoryError(
            f"{name}({written}) cannot be made: {needed}; give its arguments, as in "
            f"--init '{missing[0]}=...'"
        ) from None


def _networks(made: Any, given: int, named: dict[str, Any]) -> list[str]:
    """Return the parameters of a constructor that take a network and were not given."""
    try:
        parameters = list(inspect.signature(made).parameters.values())[given:]
    except (TypeError, ValueError):
        return []
    return [
        p.name for p in parameters
        if p.name not in named and p.default is p.empty and is_model(p.name)
    ]  # fmt: skip


def _variable(name: str) -> str:
    return "_".join(words(name)) or "criterion"


def _plan(
    losses: list[tuple[Any, str]], target: AuditTarget, module: ModuleType, lines: list[str]
) -> Plan:
    options = target.call
    if isinstance(losses[0][0], tuple) and len(losses) == 1:  # a function that makes both
        pair = losses[0][0][:2]
        losses = [(loss, f"{losses[0][1]}[{k}]") for k, loss in enumerate(pair)]
        if player_of(getattr(pair[0], "__name__", type(pair[0]).__name__)) == "generator":
            losses.reverse()
    if len(losses) == 2:
        return Plan(_pair(losses, options), "pair", options=options)
    (loss, name), style = losses[0], target.style
    if isinstance(loss, BothSides):
        return Plan((loss.call(options),), "pair", options=options)
    plan = plan_or_penalty(loss, style, options, name)
    if plan.penalty is not None:
        return plan
    if len(plan.calls) == 1 and plan.style == "pair":
        other = _partner(target, module, lines)
        if other is not None:
            ordered = [losses[0], other]
            if plan.calls[0].player == "generator":
                ordered.reverse()
            return Plan(_pair(ordered, options), "pair", other[1], options)
    return plan


def plan_or_penalty(loss: Any, style: str | None, options: dict[str, Any], name: str) -> Plan:
    """Return how a criterion is called, or a gradient penalty where its name says so."""
    named = style is None and callable(loss) and is_penalty(name)
    if style == "penalty" or (named and not holds_a_loss(loss, name, options)):
        return Plan((), "penalty", options=options, penalty=penalty_of(loss, name, options))
    return plan_of(loss, style, options, name)


def _pair(losses: list[tuple[Any, str]], options: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(
        loss.call(options)
        if isinstance(loss, BothSides)
        else one_player(loss, player, options, name)
        for (loss, name), player in zip(losses, ("discriminator", "generator"), strict=True)
    )


def _partner(target: AuditTarget, module: ModuleType, lines: list[str]) -> tuple[Any, str] | None:
    """Return the other player's loss, where the same module has it under the matching name."""
    owner, _, name = target.names[0].rpartition(".")
    place = _found(module, owner) if owner else module
    if player_of(name) is None:
        return None
    for other in [*partners(name), *_only_other(place, player_of(name))]:
        found = getattr(place, other, None)
        if not (inspect.isclass(found) or inspect.isfunction(found)):
            continue
        if player_of(other) in (None, player_of(name)):
            continue
        try:
            said: list[str] = []
            loss = _loaded(module, ".".join(filter(None, (owner, other))), target.init, said)
        except Exception:
            continue
        lines += said
        return loss
    return None


def _only_other(place: Any, player: str | None) -> list[str]:
    """Return the one loss in a module, or class, that is the other player's, if it is one."""
    home = getattr(place, "__name__", "")
    others = [
        name for name, one in vars(place).items()
        if {"loss", "losses", "objective"} & set(words(name))
        and player_of(name) not in (None, player)
        and not is_penalty(name)
        and (inspect.isclass(place) or getattr(one, "__module__", "") == home)
    ]  # fmt: skip
    return others if len(others) == 1 else []


def _values(target: AuditTarget) -> list[Any]:
    given, named = target.init or ([], {})
    return [*given, *named.values(), *target.call.values()]
