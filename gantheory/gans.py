"""Train, measure and watch real GANs, each by one call; all of it needs the extra ``torch``.

``gans.pyi`` says where each signature is defined; what follows here waits for torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gantheory.errors import require, require_simulations
from gantheory.losses.loss import Loss

if TYPE_CHECKING:
    import polars

    from gantheory.densities.base import Density
    from gantheory.ledger.simulated import Simulation
    from simulations.models import Trained
    from simulations.protocols import Protocol, ProtocolOutcome
    from simulations.readings import Reading
    from simulations.watch import Watch


def simulate(name: str, **options: Any) -> Simulation:
    """Train real GANs for the experiment ``name``, and judge what is measured against the theory.

    As ``gantheory simulate``; see `gantheory.ledger.simulated.simulate`, which has the options.
    With ``out``, a folder, an interrupted run goes on where it stopped. Needs the extra ``torch``.

    >>> simulate("sensitivity", quick=True).as_expected  # doctest: +SKIP
    True
    """
    require_simulations("simulate")
    require("simulate", "torch", "torch")
    from gantheory.ledger.simulated import simulate as run

    return run(name, **options)


def measure(
    generator: Any, discriminator: Any, data: Any, loss: Any = "non-saturating",
    **options: Any,
) -> Reading:  # fmt: skip
    """Measure your own generator and discriminator against your data, leaving both as they are.

    The value of the game, the divergence that the discriminator certifies, the gradients and how
    strongly the score reaches the generator. ``loss`` is a name, a `Loss`, or your torch code, as
    ``nn.BCEWithLogitsLoss()`` or ``(d_loss, g_loss)``. See `simulations.watch.measure`, which has
    the options: ``latent`` is the dimension of the generator's input, or a function that draws it.
    Needs the extra ``torch``.

    >>> from torch import nn
    >>> reading = measure(nn.Linear(1, 1), nn.Linear(1, 1), "normal(0, 1)", latent=1, n=100)
    >>> reading.divergence
    '2*jsd'
    """
    require_simulations("measure")
    from simulations.watch import measure as measured

    return measured(generator, discriminator, data, loss, **options)


def watch(
    generator: Any, discriminator: Any, data: Any, loss: Any = "non-saturating",
    **options: Any,
) -> Watch:  # fmt: skip
    """Return a hook that measures your GAN while your own loop trains it: call it at each step.

    The training is bitwise what it is without the hook; see `simulations.watch.Watch`, which has
    the options. Needs the extra ``torch``.

    >>> from torch import nn
    >>> G, D = nn.Linear(1, 1), nn.Linear(1, 1)
    >>> hook = watch(G, D, "normal(0, 1)", latent=1)
    >>> len(hook.readings)
    0
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

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = sweep("minimax", "normal(0, 1)", "normal(1, 1)", out=folder, workers=1, steps=2)
    >>> table.height
    1
    """
    require_simulations("sweep")
    from simulations.sweeps.sweep import sweep as swept

    return swept(loss, p, q, **options)


def train(
    generator: Any, discriminator: Any, data: Any, loss: Any = "non-saturating",
    **options: Any,
) -> Trained:  # fmt: skip
    """Train your own generator and discriminator on your data, as an ensemble of seeds.

    The answer has the trained modules, their samples, the readings where ``every`` asked for any,
    and which path trained them, and why. ``loss`` may be torch code, as `measure` takes it. See
    `simulations.models.train_modules`, which has the options: ``latent``, ``seeds``, and all that a
    `Recipe` takes. Needs the extra ``torch``.

    >>> from torch import nn
    >>> trained = train(nn.Linear(1, 1), nn.Linear(1, 1), "normal(0, 1)", latent=1, steps=2)
    >>> trained.samples(5).shape
    torch.Size([1, 5, 1])
    """
    require_simulations("train")
    from simulations.models import train_modules

    return train_modules(generator, discriminator, data, loss, **options)


def list_protocols() -> tuple[str, ...]:
    """Return the names of the published toys that come as ready recipes.

    Needs the extra ``torch``.

    >>> "unrolled-ring-5" in list_protocols()
    True
    """
    require_simulations("list_protocols")
    from simulations.protocols import list_protocols as names

    return names()


def get_protocol(name: str) -> Protocol:
    """Return a published toy by name: its law, its recipe, its members, and how it differs.

    Needs the extra ``torch``.

    >>> get_protocol("unrolled-ring-5").recipe.unrolling
    5
    """
    require_simulations("get_protocol")
    from simulations.protocols import get_protocol as get

    return get(name)


def run_protocol(protocol: Protocol | str, **options: Any) -> ProtocolOutcome:
    """Train a published toy, whole or shortened, and measure it by the published protocol.

    See `simulations.protocols.run_protocol`, which has the options: ``seeds``, ``steps``,
    ``device`` and ``out``. Needs the extra ``torch``.

    >>> run_protocol("pacgan-ring", seeds=(0,), steps=1).steps
    1
    """
    require_simulations("run_protocol")
    from simulations.protocols import run_protocol as run

    return run(protocol, **options)
