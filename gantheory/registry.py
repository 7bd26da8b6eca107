"""Entries from outside: one call, after which a record of your own is known by its name everywhere.

What is entered appears wherever the catalogues are read: `derive`, `divergence`, `curve`,
`explain`, `prove`, the lists of the command line, the ledger of checks, the tables of the docs and
the strategies of `gantheory.testing`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, MutableMapping
from typing import Any, TypeVar

from gantheory.densities import FAMILIES, Density
from gantheory.densities.base import families_by_name
from gantheory.divergences import COMPLEMENTS, DIVERGENCES, FDivergence
from gantheory.dynamics.rules import REGISTERED, Rule, get_rule, register_rule
from gantheory.errors import GantheoryError
from gantheory.integrals.transport.catalogue import DISTANCES, Distance
from gantheory.losses import CATALOGUE, CRITICS
from gantheory.losses.critic import Critic
from gantheory.losses.loss import Loss
from gantheory.naming import Named, refuse_taken
from gantheory.theory.generator import check_generator, is_convex

Entry = TypeVar("Entry", bound=Loss | Critic | FDivergence | Distance | Rule | type[Density])
IN_FORMULAS = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}")  # as the parser takes names
ON_THE_LINE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,60}")  # as the command line does


def register(entry: Entry) -> Entry:
    """Enter a loss, a divergence, a distance, an update rule or a family of densities; return it.

    Args:
        entry: a `Loss` or `Critic`; an `FDivergence`, whose f must be convex with f(1) = 0; a
            `Distance`; a `Rule`, known to games and to training (one with options is entered by
            `gantheory.dynamics.rules.register_rule`); or a subclass of `Density`, for which this
            serves as a decorator.

    Raises:
        GantheoryError: for a name that is taken or malformed, an f that generates nothing, or a
            claim that cannot be read.

    >>> from gantheory.divergences import named
    >>> mine = register(FDivergence("my_jeffreys", "(r - 1)*log(r)/2", title="J/2"))
    >>> named("MY_JEFFREYS") is mine
    True
    >>> unregister(mine)
    """
    if isinstance(entry, type):
        _enter_family(entry)
        return entry
    if isinstance(entry, Rule):
        _enter_rule(entry)
        return entry
    if isinstance(entry, FDivergence):
        _check_divergence(entry)
    kind, pattern, table, others = _room_of(entry)
    if table.get(entry.name) == entry:
        return entry
    _check_name(kind, entry.name, pattern)
    refuse_taken(kind, entry, others)
    if isinstance(entry, Loss) and entry.claims:
        from gantheory.ledger.catalogue import read_claims

        read_claims(entry)
    table[entry.name] = entry
    return entry


def unregister(entry: Loss | Critic | FDivergence | Distance | Rule | type[Density]) -> None:
    """Take an entry out again.

    >>> from gantheory.losses import list_losses
    >>> linear = register(Loss("my-linear", real="t", fake="-t", generator="-t", domain="[-1, 1]"))
    >>> unregister(linear)
    >>> "my-linear" in list_losses()
    False
    """
    if isinstance(entry, type):
        FAMILIES.pop(entry.name, None)
    elif isinstance(entry, Rule):
        REGISTERED.pop(entry.name, None)
    else:
        _room_of(entry)[2].pop(entry.name, None)


def _room_of(
    entry: Loss | Critic | FDivergence | Distance,
) -> tuple[str, re.Pattern[str], MutableMapping[str, Any], Iterable[Named]]:
    """Return what an entry is, how its kind is named, its table, and all that it must not hide."""
    losses: list[Named] = [*CATALOGUE.values(), *CRITICS.values()]
    divergences: list[Named] = [*DIVERGENCES.values(), *COMPLEMENTS.values(), *DISTANCES.values()]
    match entry:
        case Loss():
            return "loss", ON_THE_LINE, CATALOGUE, losses
        case Critic():
            return "loss", ON_THE_LINE, CRITICS, losses
        case FDivergence():
            return "divergence", IN_FORMULAS, DIVERGENCES, divergences
        case Distance():
            return "distance", IN_FORMULAS, DISTANCES, divergences
    raise GantheoryError(
        f"{str(entry)[:60]!r} is no Loss, Critic, FDivergence, Distance, Rule or subclass of "
        "Density"
    )


def _check_name(kind: str, name: str, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(name):
        raise GantheoryError(
            f"{kind} {name!r}: a name has letters, digits and _"
            f"{' or -' if pattern is ON_THE_LINE else ''}, and begins with a letter"
        )


def _enter_rule(rule: Rule) -> None:
    _check_name("update rule", rule.name, ON_THE_LINE)
    if rule.name not in REGISTERED or get_rule(rule.name) != rule:
        register_rule(rule.name, lambda: rule)


def _check_divergence(entry: FDivergence) -> None:
    check_generator(entry)
    convex = is_convex(entry)
    if not convex:
        why = "is not convex" if convex is False else "could not be shown to be convex"
        raise GantheoryError(f"divergence {entry.name!r}: f = {entry.f} {why} on (0, oo)")
    if entry.stable and not entry.reverse:
        raise GantheoryError(
            f"divergence {entry.name!r} has a stable form; name its reverse, the divergence with "
            "p and q exchanged (its own name where it is symmetric)"
        )


def _enter_family(family: type[Density]) -> None:
    if not issubclass(family, Density):
        raise GantheoryError(f"{family.__name__} is no subclass of gantheory.densities.Density")
    if not IN_FORMULAS.fullmatch(family.name):
        raise GantheoryError(f"{family.__name__}.name = {family.name!r} must be letters and digits")
    if FAMILIES.get(family.name, family) is not family:
        raise GantheoryError(f"density {family.name!r} is in the catalogue; choose another name")
    for name in family.aliases:
        if families_by_name().get(name, family) is not family:
            raise GantheoryError(f"{name!r} is a name of a density already; choose another alias")
    FAMILIES[family.name] = family
