"""A watch as a callback of Lightning, which need not be installed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gantheory.errors import GantheoryError

if TYPE_CHECKING:
    from simulations.watch import Watch

PACKAGES = "lightning.pytorch", "pytorch_lightning"
LOGGED = "value", "bound", "generator_loss", "discriminator_gradient", "generator_gradient"


def callback(watch: Watch) -> Any:
    """Return a Lightning callback that measures after every ``watch.every`` training batches.

    Batches are counted from 1 through all epochs, whatever number of optimisers steps in each. The
    numbers are logged too, as ``gantheory/bound`` and so on; nothing of the training changes.

    Raises:
        GantheoryError: where Lightning is not installed.
    """
    base: Any = _base()

    class Watching(base):
        """Calls the watch at the end of each training batch."""

        def __init__(self) -> None:
            super().__init__()
            self.batches = 0

        def on_train_batch_end(self, trainer: Any, module: Any, *arguments: Any) -> None:
            """Measure where it is time to, and log what was measured."""
            self.batches += 1
            reading = watch(self.batches)
            if reading is not None:
                module.log_dict(
                    {f"gantheory/{name}": float(getattr(reading, name)) for name in LOGGED}
                )

        def state_dict(self) -> dict[str, Any]:
            """Return what a checkpoint keeps: the number of batches."""
            return {"batches": self.batches}

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            """Go on counting."""
            self.batches = state_dict["batches"]

    return Watching()


def _base() -> Any:
    for package in PACKAGES:
        try:
            return import_module(package).Callback
        except ImportError:
            continue
    raise GantheoryError(
        "Lightning is not installed: pip install lightning; or call the watch in your own loop"
    )
