"""What a class that changes the law of a family may keep of it: nothing that it does not restate.

A family states its density, and *facts* that follow: distribution functions, tails, scores, closed
forms. Of a class derived from it that overrides anything else (its density, its support, what its
parameters mean) these facts would be another law's. So they are given back to what is said of a law
of which the density alone is known (``known_alone`` of each kind of law), and relations between
members of a family (`of_family`) do not hold for it.
"""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any, TypeGuard, TypeVar

from gantheory.errors import GantheoryError

L = TypeVar("L")
# what may be said anew without another law
HINTS = frozenset({"name", "aliases", "center", "centers", "kinks", "log_magnitude", "misplaced"})
SUPPORT = frozenset({"support", "breakpoints", "exact_pieces", "exact_breaks"})  # by ``pieces``


def of_family(law: Any, family: type[L]) -> TypeGuard[L]:
    """Whether a law is of a family, and no class in between changes its law.

    >>> from gantheory.densities import density
    >>> from gantheory.densities.normal import Normal
    >>> of_family(density("normal(0, 1)"), Normal)
    True
    """
    return is_family(type(law), family)


def is_family(kind: type, family: type[L]) -> TypeGuard[type[L]]:
    """Whether a class is a family or derived from it without a change of its law."""
    return _keeps_law(kind, family)  # type: ignore[arg-type]


@lru_cache(maxsize=1024)  # classes do not change, and every answer asks
def _keeps_law(kind: type, family: type) -> bool:
    if not issubclass(kind, family):
        return False
    between = kind.__mro__[: kind.__mro__.index(family)]
    return all("known_of" not in vars(one) for one in between)


def disown(kind: Any) -> None:
    """Take from a class derived from a family what does not belong to its own law.

    Raises:
        GantheoryError: where it keeps the name of the family whose law it changes, or states its
            density where no answer reads it.
    """
    family = next((one for one in kind.__bases__ if getattr(one, "name", "")), None)
    if family is None:
        return
    if "aliases" not in vars(kind):
        kind.aliases = ()
    alone = kind.known_alone
    facts = {name: fact for name, fact in vars(alone).items() if not _is_inner(name)}
    changed = {name for name in dir(family) if _is_restated(kind, family, name)}
    if not changed - facts.keys() - HINTS:
        return
    if "name" not in vars(kind):
        kind.name = kind.__name__
    if kind.name == family.name:
        raise GantheoryError(
            f"{kind.__name__} changes the law {family.name!r}: give it a name of its own"
        )
    if (wrapped := changed & kind.wrappers) and kind.wraps not in changed:
        raise GantheoryError(
            f"{kind.__name__} overrides {sorted(wrapped)[0]}: override {kind.wraps}, from which "
            "every answer is computed"
        )
    kind.known_of = family
    kept = SUPPORT if "pieces" not in changed else frozenset()
    for name in facts.keys() - changed - kept:
        setattr(kind, name, facts[name])


def _is_restated(kind: type, family: type, name: str) -> bool:
    """Whether a class says anew what its family says; another default of a parameter is no news."""
    if _is_inner(name) or name in ("wraps", "wrappers", "known_alone", "known_of"):
        return False
    ours, theirs = (inspect.getattr_static(one, name) for one in (kind, family))
    data = name in getattr(family, "__dataclass_fields__", {}) and not hasattr(ours, "__get__")
    return (name in vars(kind) or ours is not theirs) and not data


def _is_inner(name: str) -> bool:
    return name.startswith("__") and name != "__str__"
