"""An ensemble of real GANs moving on the line, beside the path that the theory predicts.

The data have the law P; every generator is x = θ + z with z standard normal, so that its law
N(θ, 1) and its distance from P are known exactly. The discriminator is a small network. Were it
at its optimum all the time, θ would follow dθ/ds = −∂(followed divergence)/∂θ, with s the steps
times the generator's rate: that is the theory's path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gantheory.densities import parse_density
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError
from gantheory.integrals.curves import Family, Target, curves
from gantheory.workbench.answers import Refused, bounded_number, chart_numbers, reading
from gantheory.workbench.answers.training import Ensemble, fresh_losses, values_at_equality
from simulations.data import Law
from simulations.ensembles import Member, Recipe, State, initial_state
from simulations.losses import TorchLoss, torch_loss
from simulations.networks import Affine, Mlp
from simulations.streams import CHUNK
from simulations.train import train
from simulations.updates import Adam, Sgd

BATCH, CRITIC_STEPS, CRITIC_RATE = 64, 2, 1e-2
CRITIC = Mlp((1, 16, 16, 1), activation="tanh")
POINTS = 161  # of a density that is shown
GRID = 161  # places at which the theory's slope is integrated
BEYOND = 1.0  # how far past the start and the data that grid reaches
SHOWN = "frame['places']"  # what a script prints
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Settings(Ensemble):
    """What is trained: also the data's law, where θ starts, and the generator's rate."""

    p: str = "normal(0, 1)"
    start: float = 4.0
    rate: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        with reading("p"):
            self.law  # noqa: B018 - refused here where it is no law on the line
        bounded_number("start", self.start, -20, 20)
        bounded_number("rate", self.rate, 1e-5, 1)

    @property
    def law(self) -> Univariate:
        """Return the data's law."""
        law = parse_density(self.p)
        if not isinstance(law, Univariate):
            raise Refused("p", f"{self.p[:40]!r} does not lie on the line")
        return law


def frames(settings: Settings, state: State | None = None) -> Iterator[dict[str, Any]]:
    """Train, and yield what there is to see at the start and after every 64 steps."""
    members, recipe = _ensemble(settings)
    state = initial_state(members, recipe) if state is None else state
    compiled = torch_loss(settings.definition)
    yield _frame(state, recipe, members, compiled)
    for now in train(members, recipe, state=state):
        yield _frame(now, recipe, members, compiled)


def _ensemble(settings: Settings) -> tuple[list[Member], Recipe]:
    law, loss = Law(settings.law), settings.definition
    members = [
        Member(
            law, loss, seed=seed, discriminator_rate=CRITIC_RATE, generator_rate=settings.rate
        )
        for seed in settings.seeds
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
    found, _ = fresh_losses(state, recipe, members, compiled)
    places = state.parameters["generator"][:, 0].tolist()
    return {**found, "places": chart_numbers(places)}


def theory(settings: Settings) -> dict[str, Any]:
    """Return the path of θ with D at its optimum, and what the losses read at P = Q."""
    steps = [CHUNK * k for k in range(settings.steps // CHUNK + 1)]
    found = {**values_at_equality(settings.definition), "steps": steps, "path": [], "why": ""}
    try:
        found["path"] = chart_numbers(_path(settings))
    except GantheoryError as error:
        found["why"] = f"No path of the theory: {error}"
    return found


def _path(settings: Settings) -> Array:
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


def _slopes(settings: Settings) -> tuple[Array, Array]:
    """Return the followed divergence's slope in θ on a grid that holds the start and the data."""
    ends = [settings.start, *(c + side * w for c, w in settings.law.centers for side in (-1, 1))]
    places = np.linspace(min(ends) - BEYOND, max(ends) + BEYOND, GRID)
    family = Family(settings.p, "normal(d, 1)")
    (found,) = curves([Target.followed_by(settings.definition)], family, places)
    if not np.isfinite(found.gradient).all():
        raise GantheoryError("; ".join(found.reasons) or "the followed divergence is infinite here")
    return places, np.asarray(found.gradient)


def picture(settings: Settings) -> dict[str, Any]:
    """Return the data's density on the line that is shown."""
    ends = [settings.start - 4, settings.start + 4]
    ends += [c + side * 4 * w for c, w in settings.law.centers for side in (-1, 1)]
    x = np.linspace(min(ends), max(ends), POINTS)
    with np.errstate(all="ignore"):
        return {"x": chart_numbers(x), "p": chart_numbers(np.exp(settings.law.logpdf(x)))}
