"""One call for each question, by the name of a loss, by an alias, or with a record of your own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, overload

from gantheory.critics import CriticDerivation, derive_critic
from gantheory.deadline import DEFAULT_SECONDS
from gantheory.derivations import engine
from gantheory.derivations.derivation import Derivation
from gantheory.errors import require, require_simulations, unknown_name
from gantheory.losses import find, summed
from gantheory.losses.critic import Critic
from gantheory.losses.loss import Loss
from gantheory.verify import Check, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    import polars

    from gantheory.densities.base import Density
    from gantheory.ledger.simulated import Simulation
    from simulations.models import Trained
    from simulations.watch import Reading, Watch


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
    asked = find(loss)
    asked = asked if heads is None else summed(asked, heads)
    return derive_critic(asked) if isinstance(asked, Critic) else engine.derive(asked, seconds)


def check(claims: str | Iterable[str] = ()) -> list[Outcome]:
    """Decide checks of the ledger by their ids, or all that need no training.

    An id of a document's statement, as `claims` has them, is one too.

    >>> [str(outcome.verdict.how) for outcome in check("minimax.value")]
    ['proved']
    """
    from gantheory.ledger.checks import (  # the whole ledger: `derive` must not wait for it
        CHECKS,
        run,
    )

    wanted = [claims] if isinstance(claims, str) else list(claims)
    known: Mapping[str, Check] = CHECKS
    if any(name not in CHECKS for name in wanted):
        from gantheory.ledger.statements.checks import statement_checks

        known = {**CHECKS, **statement_checks()}
    for name in wanted:
        if name not in known:
            raise unknown_name("claim", name, known)
    chosen = [known[name] for name in wanted] or [c for c in CHECKS.values() if not c.trains]
    return list(run(chosen))


def simulate(
    name: str, *, quick: bool = False, seed: int = 0, device: str = "cpu",
    data: str | Path | None = None, out: str | Path | None = None,
) -> Simulation:  # fmt: skip
    """Train real GANs for the experiment ``name``, and judge what is measured against the theory.

    As ``gantheory simulate``; `gantheory.ledger.simulated.simulate` says what each option is.
    With ``out``, a folder, an interrupted run goes on where it stopped. Needs the extra ``torch``.

    >>> simulate("sensitivity", quick=True).as_expected  # doctest: +SKIP
    True
    """
    require_simulations("simulate")
    require("simulate", "torch", "torch")
    from gantheory.ledger.simulated import simulate as run

    return run(name, quick=quick, seed=seed, device=device, data=data, out=out)


def measure(
    generator: Any, discriminator: Any, data: Any, loss: Loss | str = "non-saturating",
    **options: Any,
) -> Reading:  # fmt: skip
    """Measure your own generator and discriminator against your data, leaving both as they are.

    The value of the game, the divergence that the discriminator certifies, the gradients and how
    strongly the score reaches the generator; see `simulations.watch.measure`, which has the
    options: ``latent`` is the dimension of the generator's input, or a function that draws it.
    Needs the extra ``torch``.
    """
    require_simulations("measure")
    from simulations.watch import measure as measured

    return measured(generator, discriminator, data, loss, **options)


def watch(
    generator: Any, discriminator: Any, data: Any, loss: Loss | str = "non-saturating",
    **options: Any,
) -> Watch:  # fmt: skip
    """Return a hook that measures your GAN while your own loop trains it: call it at each step.

    The training is bitwise what it is without the hook; see `simulations.watch.Watch`, which has
    the options. Needs the extra ``torch``.
    """
    require_simulations("watch")
    from simulations.watch import Watch

    return Watch(generator, discriminator, data, loss, **options)


def sweep(
    loss: Loss | str | Iterable[Loss | str],
    p: Density | str | Iterable[Density | str],
    q: Density | str | Iterable[Density | str],
    **options: Any,
) -> polars.DataFrame:
    """Train and measure one GAN for every loss, pair of laws and seed; return one row a cell.

    Every cell is kept in the folder ``out`` as soon as it is known, so the same call goes on after
    any crash; see `simulations.sweeps.sweep.sweep`, which has the options. Needs the extras
    ``torch`` and ``samples``.
    """
    require_simulations("sweep")
    from simulations.sweeps.sweep import sweep as swept

    return swept(loss, p, q, **options)


def train(
    generator: Any, discriminator: Any, data: Any, loss: Loss | Critic | str = "non-saturating",
    **options: Any,
) -> Trained:  # fmt: skip
    """Train your own generator and discriminator on your data, as an ensemble of seeds.

    The answer has the trained modules, their samples, the readings where ``every`` asked for any,
    and which path trained them, and why. See `simulations.models.train_modules`, which has the
    options: ``latent``, ``seeds``, and all that a `Recipe` takes. Needs the extra ``torch``.
    """
    require_simulations("train")
    from simulations.models import train_modules

    return train_modules(generator, discriminator, data, loss, **options)
