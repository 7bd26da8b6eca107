"""An ensemble of real GANs moving on the line, beside the path that the theory predicts.

The data have the law P; every generator is x = θ + z with z standard normal, so that its law
N(θ, 1) and its distance from P are known exactly. The discriminator is a small network. Were it
at its optimum all the time, θ would follow dθ/ds = −∂(followed divergence)/∂θ, with s the steps
times the generator's rate: that is the theory's path.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gantheory.densities import parse_density
from gantheory.densities.univariate import Univariate
from gantheory.derivations.engine import derive
from gantheory.errors import GantheoryError
from gantheory.integrals.curves import Family, Target, curves
from gantheory.losses import get_loss
from gantheory.workbench.answers import Refused, bounded_number, chart_numbers, reading
from gantheory.workbench.answers.links import python
from simulations.data import Law
from simulations.ensembles import Member, Recipe, State, initial_state
from simulations.losses import TorchLoss, torch_loss
from simulations.networks import Affine, Mlp
from simulations.samples import fresh_samples
from simulations.streams import CHUNK, EVALUATION, generator_of
from simulations.train import train
from simulations.updates import Adam, Sgd

MOST_MEMBERS, MOST_STEPS = 32, 12_800
BATCH, CRITIC_STEPS, CRITIC_RATE = 64, 2, 1e-2
FRESH = 1024  # samples of each member for its losses
CRITIC = Mlp((1, 16, 16, 1), activation="tanh")
SHOWN = 161  # points of a density
GRID = 161  # places at which the theory's slope is integrated
BEYOND = 1.0  # how far past the start and the data that grid reaches
Array = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingSettings:
    """What is trained: a catalogue loss, the data, the start, and how many seeds."""

    loss: str = "non-saturating"
    p: str = "normal(0, 1)"
    start: float = 4.0
    members: int = 8
    seed: int = 0
    rate: float = 0.02
    steps: int = 1600

    def __post_init__(self) -> None:
        with reading("loss"):
            object.__setattr__(self, "loss", get_loss(self.loss).name)
        with reading("p"):
            law = parse_density(self.p)
            if not isinstance(law, Univariate):
                raise Refused("p", f"{self.p[:40]!r} does not lie on the line")
        bounded_number("start", self.start, -20, 20)
        bounded_number("rate", self.rate, 1e-5, 1)
        for field, most in (("members", MOST_MEMBERS), ("steps", MOST_STEPS), ("seed", 2**31)):
            value = bounded_number(field, getattr(self, field), field != "seed", most)
            object.__setattr__(self, field, int(value))


def frames(settings: TrainingSettings, state: State | None = None) -> Iterator[dict[str, Any]]:
    """Train, and yield what there is to see at the start and after every 64 steps."""
    members, recipe = _ensemble(settings)
    state = initial_state(members, recipe) if state is None else state
    compiled = torch_loss(get_loss(settings.loss).at_typical())
    yield _frame(state, recipe, members, compiled)
    for now in train(members, recipe, state=state):
        yield _frame(now, recipe, members, compiled)


def _ensemble(settings: TrainingSettings) -> tuple[list[Member], Recipe]:
    law = Law(parse_density(settings.p))
    loss = get_loss(settings.loss).at_typical()
    members = [
        Member(
            law, loss, seed=settings.seed + k,
            discriminator_rate=CRITIC_RATE, generator_rate=settings.rate,
        )
        for k in range(settings.members)
    ]  # fmt: skip
    recipe = Recipe(
        CRITIC, Affine(loc=settings.start, train="loc"), steps=settings.steps, batch=BATCH,
        discriminator_steps=CRITIC_STEPS, rule=(Adam(beta1=0.5), Sgd()),
    )  # fmt: skip
    return members, recipe


def _frame(
    state: State, recipe: Recipe, members: list[Member], compiled: TorchLoss
) -> dict[str, Any]:
    """Return every member's place and losses on fresh samples."""
    with torch.no_grad():
        rows, law = state.parameters["discriminator"], members[0].real
        source = generator_of(members[0].seed, EVALUATION, 1)
        real = law.sample(FRESH, source, torch.float64).reshape(1, FRESH, 1)
        scores = [
            compiled.score(CRITIC(rows, x)[..., 0])
            for x in (
                real.expand(len(members), -1, -1),
                fresh_samples(state, recipe, members, FRESH),
            )
        ]
        critic = compiled.discriminator_loss(*scores)
        maker = compiled.generator_loss(scores[1])
    return {
        "step": state.step,
        "places": chart_numbers(state.parameters["generator"][:, 0].tolist()),
        "discriminator": chart_numbers(critic.tolist()),
        "generator": chart_numbers(maker.tolist()),
    }


def _theory(settings: TrainingSettings) -> dict[str, Any]:
    """Return the path of θ with D at its optimum, and what the losses read at P = Q."""
    loss = get_loss(settings.loss).at_typical()
    derivation = derive(loss)
    even = derivation.equilibrium
    values = (even.discriminator_loss, even.generator_loss) if even else (None, None)
    found: dict[str, Any] = {
        "equilibrium": [_number(value) for value in values],
        "follows": next((str(x.text) for x in derivation.summary if x.label == "G follows"), ""),
        "steps": [CHUNK * k for k in range(settings.steps // CHUNK + 1)],
        "path": [], "why": "",
    }  # fmt: skip
    try:
        found["path"] = chart_numbers(_path(settings))
    except GantheoryError as error:
        found["why"] = str(error)
    return found


def _number(value: Any) -> float | None:
    return float(value) if value is not None and value.is_number and value.is_finite else None


def _path(settings: TrainingSettings) -> Array:
    """Integrate dθ/ds = −slope(θ) by Heun's rule, one step of the rule for each of training's."""
    places, slopes = _slopes(settings)
    step, place = settings.rate, settings.start
    path = [place]
    for k in range(1, settings.steps + 1):
        first = np.interp(place, places, slopes)
        second = np.interp(place - step * first, places, slopes)
        place = float(place - 0.5 * step * (first + second))
        if k % CHUNK == 0:
            path.append(place)
    return np.array(path)


def _slopes(settings: TrainingSettings) -> tuple[Array, Array]:
    """Return the followed divergence's slope in θ on a grid that holds the start and the data."""
    law = parse_density(settings.p)
    assert isinstance(law, Univariate)
    ends = [settings.start, *(c + side * w for c, w in law.centers for side in (-1, 1))]
    places = np.linspace(min(ends) - BEYOND, max(ends) + BEYOND, GRID)
    loss = get_loss(settings.loss).at_typical()
    family = Family(settings.p, "normal(d, 1)")
    (found,) = curves([Target.followed_by(loss)], family, places)
    if not np.isfinite(found.gradient).all():
        raise GantheoryError("; ".join(found.reasons) or "the followed divergence is infinite here")
    return places, np.asarray(found.gradient)


def picture(settings: TrainingSettings) -> dict[str, Any]:
    """Return the data's density on the line that is shown."""
    law = parse_density(settings.p)
    assert isinstance(law, Univariate)
    ends = [settings.start - 4, settings.start + 4]
    ends += [c + side * 4 * w for c, w in law.centers for side in (-1, 1)]
    x = np.linspace(min(ends), max(ends), SHOWN)
    with np.errstate(all="ignore"):
        return {"x": chart_numbers(x), "p": chart_numbers(np.exp(law.logpdf(x)))}


def script(settings: TrainingSettings) -> str:
    """Return Python that trains the same ensemble."""
    given = {k: v for k, v in asdict(settings).items() if v != getattr(TrainingSettings, k)}
    listed = ", ".join(f"{key}={value!r}" for key, value in given.items())
    return python(
        f"for frame in frames(TrainingSettings({listed})):",
        "    print(frame['step'], frame['places'])",
        imports="from gantheory.workbench.answers.training import TrainingSettings, frames",
    )


def serve(pipe: Any) -> None:
    """Train in a child: settings come first, then one message for every 64 steps wanted."""
    with suppress(EOFError, OSError, KeyboardInterrupt):
        try:
            settings = TrainingSettings(**json.loads(pipe.recv_bytes()))
            asked = frames(settings)
            begun = {"picture": picture(settings), "frame": next(asked), "python": script(settings)}
            _tell(pipe, begun)
            _tell(pipe, {"theory": _theory(settings)})
            for frame in asked:
                pipe.recv_bytes()
                _tell(pipe, {"frame": frame})
            _tell(pipe, {"done": True})
            pipe.recv_bytes()
        except GantheoryError as error:
            _tell(pipe, {"error": str(error), "field": getattr(error, "field", "")})


def _tell(pipe: Any, message: dict[str, Any]) -> None:
    pipe.send_bytes(json.dumps(message).encode())
