"""What ensembles in training have in common, and the child process that trains one.

A scene is a module with ``Settings``, ``frames``, ``picture`` and ``theory``: `line` and `plane`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from gantheory.derivations.engine import derive
from gantheory.errors import GantheoryError
from gantheory.losses import get_loss
from gantheory.losses.loss import Loss
from gantheory.workbench.answers import Refused, bounded_number, chart_numbers, reading
from gantheory.workbench.answers.links import python
from simulations.ensembles import Member, Recipe, State
from simulations.losses import TorchLoss
from simulations.samples import fresh_samples
from simulations.streams import EVALUATION, generator_of

SCENES = ("line", "plane")
MOST_MEMBERS, MOST_STEPS = 32, 12_800
FRESH = 1024  # samples of each member for its losses


@dataclass(frozen=True)
class Ensemble:
    """What every scene's settings hold: a catalogue loss, how many seeds from which, and steps."""

    loss: str = "non-saturating"
    members: int = 8
    seed: int = 0
    steps: int = 1600

    def __post_init__(self) -> None:
        with reading("loss"):
            object.__setattr__(self, "loss", get_loss(self.loss).name)
        for field, most in (("members", MOST_MEMBERS), ("steps", MOST_STEPS), ("seed", 2**31)):
            value = bounded_number(field, getattr(self, field), field != "seed", most)
            object.__setattr__(self, field, int(value))

    @property
    def definition(self) -> Loss:
        """Return the loss, free parameters at their typical values."""
        return get_loss(self.loss).at_typical()

    @property
    def seeds(self) -> range:
        """Return one seed for each member."""
        return range(self.seed, self.seed + self.members)

    def script(self, scene: str, shown: str) -> str:
        """Return Python that trains the same ensemble."""
        given = {k: v for k, v in asdict(self).items() if v != getattr(type(self), k)}
        listed = ", ".join(f"{key}={value!r}" for key, value in given.items())
        return python(
            f"for frame in frames(Settings({listed})):",
            f"    print(frame['step'], {shown})",
            imports=f"from gantheory.workbench.answers.{scene} import Settings, frames",
        )


def fresh_losses(
    state: State, recipe: Recipe, members: Sequence[Member], compiled: TorchLoss
) -> tuple[dict[str, Any], Tensor]:
    """Return the step and every member's losses on fresh samples, and those of the generators.

    The samples have the shape (K, FRESH, dim); all members meet the same real ones.
    """
    made = fresh_samples(state, recipe, members, FRESH)
    with torch.no_grad():
        source = generator_of(members[0].seed, EVALUATION, 1)
        data = members[0].real.sample(FRESH, source, recipe.dtype).expand(len(members), -1, -1)
        rows = state.parameters["discriminator"]
        outputs = [recipe.discriminator(rows, x)[..., 0] for x in (data, made)]
        critic = compiled.discriminator_loss(*outputs)
        maker = compiled.generator_loss(outputs[1])
    return {
        "step": state.step,
        "discriminator": chart_numbers(critic.tolist()),
        "generator": chart_numbers(maker.tolist()),
    }, made


def values_at_equality(loss: Loss) -> dict[str, Any]:
    """Return what both losses read at P = Q, and what G follows with D at its optimum."""
    derivation = derive(loss)
    even = derivation.equilibrium
    values = (even.discriminator_loss, even.generator_loss) if even else (None, None)
    return {
        "equilibrium": [_number(value) for value in values],
        "follows": next((str(x.text) for x in derivation.summary if x.label == "G follows"), ""),
    }


def _number(value: Any) -> float | None:
    return float(value) if value is not None and value.is_number and value.is_finite else None


def serve_in_child(pipe: Any) -> None:
    """Train in a child: settings come first, then one message for every 64 steps wanted."""
    with suppress(EOFError, OSError, KeyboardInterrupt):
        try:
            given = json.loads(pipe.recv_bytes())
            name = given.pop("where", SCENES[0])
            if name not in SCENES:
                raise Refused("where", f"{name!r:.40} is none of {', '.join(SCENES)}")
            scene = import_module(f"gantheory.workbench.answers.{name}")
            settings = scene.Settings(**given)
            asked = scene.frames(settings)
            begun = {"picture": scene.picture(settings), "frame": next(asked)}
            _tell(pipe, {**begun, "python": settings.script(name, scene.SHOWN)})
            _tell(pipe, {"theory": scene.theory(settings)})
            for frame in asked:
                pipe.recv_bytes()
                _tell(pipe, {"frame": frame})
            _tell(pipe, {"done": True})
            pipe.recv_bytes()
        except GantheoryError as error:
            _tell(pipe, {"error": str(error), "field": getattr(error, "field", "")})


def _tell(pipe: Any, message: dict[str, Any]) -> None:
    pipe.send_bytes(json.dumps(message).encode())
