"""The one exception that bad input raises, the help it gives, and the one for our own faults."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from numbers import Real
from pathlib import Path
from typing import Any, cast

_LISTED = re.compile(r"([(\[])((?:[-+.\deinf]+,\s*){11,}[-+.\deinf]+),?[)\]]")


def abridged(text: str) -> str:
    """Return a text in which each list of twelve numbers or more is told by how many they are.

    >>> abridged(f"normal_mixture({(0.5,) * 12}, 1)")
    'normal_mixture((12 numbers), 1)'
    """
    return _LISTED.sub(lambda found: f"({found[2].count(',') + 1} numbers)", str(text))


class GantheoryError(ValueError):
    """Input that the toolkit cannot accept: the message names the value and the remedy.

    The command line prints the message as one line and exits with status 2.

    >>> str(unknown_name("loss", "hing", ["hinge", "minimax"]))
    "unknown loss 'hing'; did you mean 'hinge'?"
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(abridged(message))


class MissingExtraError(GantheoryError):
    """An optional dependency that a command needs is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional package: pip install 'gantheory[{extra}]'")


class NoRuleError(GantheoryError):
    """A distance has no rule of its own for two laws; what they are drawn from may still tell."""


class InternalError(AssertionError):
    """A result contradicts its own check: a fault of the toolkit, never of its user."""

    def __init__(self, what: str) -> None:
        super().__init__(f"internal error, please report it: {what}")


def require(feature: str, extra: str, *modules: str) -> None:
    """Refuse, before any work, a feature of which a module is not installed.

    Raises:
        MissingExtraError: naming the extra to install.
    """
    if any(find_spec(module) is None for module in modules):
        raise MissingExtraError(feature, extra)


def require_simulations(feature: str) -> None:
    """Refuse, before any work, where a file or folder of the user hides the package simulations.

    Raises:
        GantheoryError: naming what is in the way.
    """
    spec = find_spec("simulations")
    if spec is None:
        raise MissingExtraError(feature, "torch")
    places = [Path(place) for place in spec.submodule_search_locations or []]
    if not any((place / "experiments" / "base.py").is_file() for place in places):
        hiding = spec.origin or str(places[0] if places else "simulations")
        raise GantheoryError(
            f"{feature} needs the package 'simulations' of gantheory, which {hiding!r} hides; "
            "rename that file or folder, or start in another folder"
        )


LONGEST = 60  # letters of a value in a message


def shown(value: object) -> str:
    """Return a value as a message names it: on one line, and never the whole of a long one.

    >>> shown("wide"), shown(list(range(100)))
    ("'wide'", '[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, ...')
    """
    shape = getattr(value, "shape", None)
    if shape is not None and not isinstance(value, type):
        return f"<array of shape {tuple(shape)}>" if shape else str(value)
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 3].rstrip() + "..."


def require_type(kind: str, value: object, types: type | tuple[type, ...], give: str) -> None:
    """Refuse an object of another type than ``types`` as what a function asks for.

    Raises:
        GantheoryError: saying what the object is, what it is not, and what to give.
    """
    if not isinstance(value, types):
        raise wrong_type(kind, value, give)


def require_finite(kind: str, value: object) -> float:
    """Return a finite real number as a float, and refuse whatever is none.

    A scalar of numpy or torch is a number too.

    >>> require_finite("stuck", 2)
    2.0
    """
    if getattr(value, "shape", None) == ():
        value = value.item()  # type: ignore[attr-defined]
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not math.isfinite(found := float(cast(Real, value))):
        raise GantheoryError(f"{kind} = {shown(value)} must be a finite number")
    return found


def several(kind: str, given: object, one: type | tuple[type, ...], give: str) -> list[Any]:
    """Return what is given as a list, whether it is one thing or several of them.

    Raises:
        GantheoryError: for what is neither.

    >>> several("divergence", "tv", str, "a name"), several("divergence", ("tv", "jsd"), str, "")
    (['tv'], ['tv', 'jsd'])
    """
    if isinstance(given, one):
        return [given]
    if not isinstance(given, Iterable) or isinstance(given, bytes):
        raise wrong_type(kind, given, give)
    return list(given)


def wrong_type(kind: str, value: object, give: str) -> GantheoryError:
    """Return the error for an object that cannot be what a function asks for."""
    return GantheoryError(f"an object of type {type(value).__name__!r} is no {kind}; give {give}")


MANY = 12  # names that a one-line message lists; of more, the first few and how many


LISTS = {"loss": "losses", "divergence": "divergences", "density": "densities"}


def known_names(names: Sequence[str], kind: str = "") -> str:
    """Return the names that there are, of many only the first few, their number, and who has all.

    >>> known_names([str(k) for k in range(30)], "loss")
    "known: 0, 1, 2, 3, 4, 5, ... (30 in all, by 'gantheory losses')"
    """
    if len(names) <= MANY:
        return f"known: {', '.join(names) or 'none'}"
    listed = f", by 'gantheory {LISTS[kind]}'" if kind in LISTS else ""
    return f"known: {', '.join(names[: MANY // 2])}, ... ({len(names)} in all{listed})"


def unknown_name(kind: str, name: object, known: Iterable[str]) -> GantheoryError:
    """Return the error for what is not among the names of a table, with the nearest known one."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5) if isinstance(name, str) else []
    hint = f"did you mean {near[0]!r}?" if near else known_names(names, kind)
    return GantheoryError(f"unknown {kind} {shown(name)}; {hint}")
