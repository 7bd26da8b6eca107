"""A criterion that serves both players: it is told by a flag, or by labels, what is real."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from gantheory.audits.calls import Call
from gantheory.audits.names import FLAGS, FOR_DISCRIMINATOR, FOR_GENERATOR, TARGETS, side_of
from gantheory.audits.results import Sum
from gantheory.audits.signatures import parameters

Function = Callable[..., Any]


@dataclass(frozen=True)
class Labels:
    """What says that scores are of real, or of fake, samples: as a value, and as code."""

    real: Callable[[Tensor], Any]
    fake: Callable[[Tensor], Any]
    written: tuple[str, str]


TENSORS = Labels(
    torch.ones_like, torch.zeros_like, ("torch.ones_like({0})", "torch.zeros_like({0})")
)
SIGNS = Labels(torch.ones_like, lambda x: -torch.ones_like(x),
               ("torch.ones_like({0})", "-torch.ones_like({0})"))  # fmt: skip


def _constant(real: Any, fake: Any) -> Labels:
    return Labels(lambda _: real, lambda _: fake, (repr(real), repr(fake)))


_LOW, _HIGH, _ones = torch.tensor([[0.3], [0.4]]), torch.tensor([[0.6], [0.8]]), torch.ones_like
OTHERS = tuple(_constant(*pair) for pair in ((1.0, 0.0), (True, False), ("real", "fake"), (1, 0)))


def flagged(function: Function, options: Mapping[str, Any], name: str) -> tuple[Call, ...]:
    """Return the calls of a criterion that is told whether its target is real."""
    known = parameters(function)
    flag = flag_name(known) or known[1].name
    score = next(p.name for p in known if p.name != flag)
    named = {p.name for p in known}
    given = {k: v for k, v in options.items() if k in named}
    turns = sorted(named & (FOR_DISCRIMINATOR | FOR_GENERATOR))

    def once(scores: Any, target: bool, player: str) -> Any:
        turn = {p: _turn(p, player) for p in turns}
        return function(scores, **{flag: target}, **turn, **given)

    def said(side: str, target: bool, player: str) -> str:
        more = "".join(f", {p}={_turn(p, player)}" for p in turns)
        more += "".join(f", {k}={v!r}" for k, v in given.items())
        return f"{name}({side}, {flag}={target}{more})"

    return _both(once, said, (score,))


def labelled(function: Function, options: Mapping[str, Any], name: str) -> tuple[Call, ...]:
    """Return the calls of a criterion that compares scores with labels, in whatever form."""
    last = label_place(parameters(function), options) != 0
    if _same(function, options, last, (_LOW, _ones(_LOW)), (_LOW, -_ones(_LOW))):
        return (_with_labels(function, options, name, last, TENSORS)[1],)  # labels say nothing
    silent = _same(function, options, last, (_LOW, 0 * _LOW), (_HIGH, 0 * _HIGH))
    first = SIGNS if silent else TENSORS
    forms = [_with_labels(function, options, name, last, labels) for labels in (first, *OTHERS)]
    return tuple(
        replace(call, variants=tuple(form[k] for form in forms[1:]))
        for k, call in enumerate(forms[0])
    )


def _with_labels(
    function: Function, options: Mapping[str, Any], name: str, last: bool, labels: Labels
) -> tuple[Call, ...]:
    more = "".join(f", {k}={v!r}" for k, v in options.items())

    def once(scores: Any, target: bool, player: str) -> Any:
        label = (labels.real if target else labels.fake)(scores)
        return function(*_ordered(scores, label, last), **options)

    def said(side: str, target: bool, player: str) -> str:
        label = labels.written[0 if target else 1].format(side)
        return f"{name}({', '.join(_ordered(side, label, last))}{more})"

    return _both(once, said, ())


def _both(
    once: Callable[[Any, bool, str], Any], said: Callable[[str, bool, str], str],
    takers: tuple[str, ...],
) -> tuple[Call, ...]:  # fmt: skip
    def discriminator(real: Any, fake: Any) -> Any:
        return Sum(once(real, True, "discriminator"), once(fake, False, "discriminator"))

    def generator(real: Any, fake: Any) -> Any:
        return once(fake, True, "generator")

    both = f"{said('real', True, 'discriminator')} + {said('fake', False, 'discriminator')}"
    return (
        Call("discriminator", discriminator, both, ("real", "fake"), takers, labelled=True),
        Call("generator", generator, said("fake", True, "generator"), ("fake",), takers,
             labelled=True),
    )  # fmt: skip


def _ordered(scores: Any, label: Any, last: bool) -> tuple[Any, Any]:
    return (scores, label) if last else (label, scores)


def _same(
    function: Function, options: Mapping[str, Any], last: bool, *given: tuple[Tensor, Tensor]
) -> bool:
    """Return whether a criterion gives the same for every (scores, labels)."""
    try:
        values = [function(*_ordered(*one, last), **options) for one in given]
        return all(torch.equal(values[0], value) for value in values[1:])
    except Exception:
        return False


def style_of(known: Sequence[inspect.Parameter], options: Mapping[str, Any]) -> str:
    """Return how a signature asks to be called: with pairs, with labels or with a flag."""
    free = [p for p in known if p.name not in options]
    if len(free) >= 2 and flag_name(free):
        return "target_is_real"
    return "pair" if label_place(known, options) is None else "labels"


def label_place(known: Sequence[inspect.Parameter], options: Mapping[str, Any]) -> int | None:
    """Return which of the first two parameters takes labels, if one does."""
    first, second = ([p.name.lower() for p in known if p.name not in options] + ["", ""])[:2]
    if second in TARGETS and (side_of(first) is None or first in ("y_hat", "y_pred")):
        return 1
    return 0 if first in TARGETS and second and side_of(second) is None else None


def flag_name(known: Sequence[inspect.Parameter]) -> str | None:
    """Return the parameter that says whether scores are of real samples."""
    for parameter in known:
        boolean = parameter.annotation in (bool, "bool") or isinstance(parameter.default, bool)
        name = parameter.name
        if name in FLAGS or (boolean and name in ("real", "target", "fake", "label")):
            return name
    names = [p.name for p in known]
    if len(names) >= 2 and names[1] == "real" and "fake" not in " ".join(names):
        return "real"
    return None


def _turn(name: str, player: str) -> bool:
    return (player == "discriminator") == (name in FOR_DISCRIMINATOR)
