"""One call for each question, by the name of a loss, by an alias, or with a record of your own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, overload

from gantheory.deadline import DEFAULT_SECONDS, check_seconds
from gantheory.derivations import engine
from gantheory.derivations.derivation import Derivation
from gantheory.errors import require_type, several, unknown_name
from gantheory.losses import find, summed
from gantheory.losses.critic import Critic
from gantheory.losses.loss import Loss
from gantheory.progress import tracked
from gantheory.verify import Check, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from gantheory.critics import CriticDerivation


@overload
def derive(loss: Loss, *, seconds: float = ..., heads: int | None = ...) -> Derivation: ...
@overload
def derive(loss: Critic, *, seconds: float = ..., heads: int | None = ...) -> CriticDerivation: ...
@overload
def derive(
    loss: str, *, seconds: float = ..., heads: int | None = ...
) -> Derivation | CriticDerivation: ...
def derive(
    loss: Loss | Critic | str, *, seconds: float = DEFAULT_SECONDS, heads: int | None = None
) -> Derivation | CriticDerivation:
    """Derive the theory of a loss from its formulas alone.

    Args:
        loss: a `Loss`, or what people call one of the catalogue: a name or an alias in any case,
            numbers for parameters in brackets; constrained critics included.
        seconds: the time limit of a separable loss; what is open by then is undecided.
        heads: how many discriminators of the loss are summed; unless given, what the loss says.

    Raises:
        GantheoryError: for an unknown name, with the nearest ones.

    >>> derive("non-saturating").followed.divergence
    '2*kl_mp'
    >>> derive("WGAN").named
    'w1'
    """
    check_seconds(seconds)
    asked = find(loss)
    asked = asked if heads is None else summed(asked, heads)
    if isinstance(asked, Critic):
        from gantheory.critics import derive_critic  # densities and all of scipy come with it

        return derive_critic(asked, seconds)
    return engine.derive(asked, seconds)


def check(
    ids: str | Iterable[str] = (), *, quick: bool = False, out: str | Path | None = None
) -> list[Outcome]:
    """Run every check of the ledger and of the documents' statements, as ``gantheory check`` does.

    Args:
        ids: of single checks or statements; all by default.
        quick: leave out what trains.
        out: a folder for the report, index.html.

    Raises:
        GantheoryError: for an unknown id, with the nearest ones.

    >>> [str(outcome.verdict.how) for outcome in check("minimax.value")]
    ['proved']
    """
    from gantheory.ledger.checks import run  # the whole ledger: `derive` must not wait for it

    checks = choose_checks(ids, quick=quick)
    outcomes = list(tracked(run(checks), len(checks), "checking"))
    if out is not None:
        from gantheory.report.html import write_check

        write_check(out, outcomes, planned=len(checks))
    return outcomes


def choose_checks(ids: str | Iterable[str] = (), *, quick: bool = False) -> list[Check]:
    """Return the checks that `check` runs."""
    from gantheory.ledger.checks import CHECKS
    from gantheory.ledger.statements.checks import statement_checks

    wanted = several("check", ids, str, "an id such as 'minimax.value', or several")
    for name in wanted:
        require_type("check", name, str, "an id such as 'minimax.value'")
    known: Mapping[str, Check] = CHECKS
    if not wanted or any(name not in CHECKS for name in wanted):
        known = {**CHECKS, **statement_checks()}
    for name in wanted:
        if name not in known:
            raise unknown_name("check", name, known)
    chosen = [known[name] for name in wanted] or list(known.values())
    return [check for check in chosen if not (quick and check.trains)]
