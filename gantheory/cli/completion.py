"""Names that a shell completes, for every argument and option that takes one of a list.

Turn it on with ``eval "$(_GANTHEORY_COMPLETE=bash_source gantheory)"``, or zsh_source, fish_source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def one_of(names: Callable[[], Iterable[str]], *, or_files: bool = False) -> Complete:
    """Return a completer; it asks for the names only when a shell does.

    With ``or_files``, what begins no name is completed as a file. Where the names stand in an
    extra that is missing, there are none. A name of two words is left out: bash would not quote it.
    """

    def complete(
        ctx: click.Context, parameter: click.Parameter, begun: str
    ) -> list[CompletionItem]:
        try:
            found = [one for one in names() if one.startswith(begun) and " " not in one]
        except ImportError:
            found = []
        if or_files and not found:
            return [CompletionItem(begun, type="file")]
        return list(map(CompletionItem, found))

    return complete


def words(*names: str) -> Complete:
    """Return a completer of a few names that are known beforehand."""
    return one_of(lambda: names)


def _losses() -> Iterable[str]:
    from gantheory.losses import CATALOGUE, CRITICS

    called = Counter(alias for loss in CATALOGUE.values() for alias in loss.aliases)
    called.update(alias for critic in CRITICS.values() for alias in critic.aliases)
    return (*CATALOGUE, *CRITICS, *(alias for alias, count in called.items() if count == 1))


def _divergences() -> Iterable[str]:
    from gantheory.cli.divergences import known_divergences

    return (str(entry["name"]) for entry in known_divergences())


def _units() -> Iterable[str]:
    from gantheory.integrals.units import UNITS

    return UNITS


def _densities() -> Iterable[str]:
    from gantheory.densities.base import families_by_name

    return (f"{name}(" for name in families_by_name())


def _pairs() -> Iterable[str]:
    from gantheory.integrals.curves import FAMILIES

    return FAMILIES


def _penalties() -> Iterable[str]:
    from gantheory.regularised.regulariser import ZERO_CENTRED

    return ZERO_CENTRED


def _regularisers() -> Iterable[str]:
    from gantheory.regularised.regulariser import ARGUMENTS

    return (f"{name}(" for name in ARGUMENTS)


def _games() -> Iterable[str]:
    from gantheory.dynamics.games import list_games
    from gantheory.losses import CATALOGUE

    return (*list_games(), *CATALOGUE)


def _methods() -> Iterable[str]:
    from gantheory.dynamics.rules import list_methods

    return list_methods()


def _estimators() -> Iterable[str]:
    from gantheory.estimators.record import ESTIMATORS

    return ESTIMATORS


def _bounds() -> Iterable[str]:
    from gantheory.estimators.bounds import BOUNDS

    return BOUNDS


def _rewards() -> Iterable[str]:
    from gantheory.estimators.reward import REWARDS

    return REWARDS


def _checks() -> Iterable[str]:
    from gantheory.ledger.checks import CHECKS

    return (*CHECKS, *_claims())


def _claims() -> Iterable[str]:
    from gantheory.ledger.statements.deciding import all_entries

    return (entry.id for entry in all_entries())


def _sources() -> Iterable[str]:
    from gantheory.ledger.statements.deciding import all_entries

    return dict.fromkeys(entry.source.key for entry in all_entries())


def _verdicts() -> Iterable[str]:
    from gantheory.ledger.statements.deciding import SAID
    from gantheory.ledger.statements.entry import VERDICTS

    return (*VERDICTS, *SAID)


def _experiments() -> Iterable[str]:
    from simulations.experiments import names

    return names()


def _protocols() -> Iterable[str]:
    from simulations.protocols import list_protocols

    return list_protocols()


def _activations() -> Iterable[str]:
    from simulations.networks import ACTIVATIONS

    return ACTIVATIONS


losses, games, methods, pairs = map(one_of, (_losses, _games, _methods, _pairs))
divergences, penalties, regularisers = map(one_of, (_divergences, _penalties, _regularisers))
estimators, bounds, rewards = map(one_of, (_estimators, _bounds, _rewards))
checks, claims, sources, verdicts = map(one_of, (_checks, _claims, _sources, _verdicts))
experiments, protocols, activations = map(one_of, (_experiments, _protocols, _activations))
units = one_of(_units)
densities = one_of(_densities, or_files=True)
code = one_of(tuple, or_files=True)
