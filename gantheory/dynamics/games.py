"""The games of players that have names: Dirac, linear-quadratic and Gaussian GANs of every loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gantheory.dynamics.known import bilinear, dirac, gaussian, linear_quadratic
from gantheory.dynamics.record import Game
from gantheory.errors import GantheoryError, require_type, unknown_name
from gantheory.losses import find, get_loss, list_losses
from gantheory.losses.constrained import MEANS
from gantheory.losses.critic import Critic
from gantheory.naming import folded

FAMILIES: Mapping[str, Callable[..., Game]] = {
    "dirac": dirac,
    "linear-quadratic": linear_quadratic,
    "gaussian": gaussian,
}


def list_games() -> tuple[str, ...]:
    """Return the names of all games; a family alone stands for its minimax loss.

    >>> {"bilinear", "dirac-minimax"} <= set(list_games())
    True
    """
    families = [f"{family}-{game}" for family in FAMILIES for game in list_losses()]
    return ("bilinear", *FAMILIES, *families)


def get_game(
    name: str, *, r1: Any = 0, r2: Any = 0, gradient_penalty: Any = 0, noise: Any = 0
) -> Game:
    """Return a game by name: ``bilinear``, ``dirac``, ``dirac-LOSS``, ``gaussian-LOSS``, ...

    A bare name of a catalogue loss means its Dirac-GAN.

    Args:
        name: as `list_games` says them.
        r1, r2: weights of half the squared slope of the score at the data and at the fakes.
        gradient_penalty: weight of the squared distance of the slope's length from 1.
        noise: standard deviation of instance noise; it and the penalties are for Dirac-GANs.

    >>> get_game("non-saturating").name
    'dirac-non-saturating'
    """
    asked = {"r1": r1, "r2": r2, "gradient_penalty": gradient_penalty, "noise": noise}
    given = {key: value for key, value in asked.items() if value}
    family, loss = _read(name)
    if given and family != "dirac":
        raise GantheoryError(
            f"{', '.join(given)} needs a score to regularise, which {name!r} has not; "
            "use a Dirac-GAN such as 'dirac-minimax'"
        )
    return bilinear() if family == "bilinear" else FAMILIES[family](loss, **given)


def _read(name: str) -> tuple[str, str]:
    """Return the family and the loss that a name says; the loss under any of its own names."""
    require_type("game", name, str, "a gantheory.Game, or a name such as 'bilinear'")
    typed = name.strip()
    if folded(typed) == "bilinear":
        return "bilinear", ""
    starts = (family for family in FAMILIES if typed.casefold().startswith(family))
    family = next(starts, None)
    loss = (typed[len(family) :].strip("-_ ") or "minimax") if family else typed
    try:
        return family or "dirac", get_loss(loss).name
    except GantheoryError as error:
        if " may mean " in str(error):
            raise
        _refuse_critic(loss)
        raise unknown_name("game", name, {*list_games(), *list_losses()}) from None


def _refuse_critic(loss: str) -> None:
    """Say of a critic that a class of functions holds which game has its payoffs t and -t."""
    try:
        entry = find(loss)
    except GantheoryError:
        return
    if isinstance(entry, Critic) and entry.objective == MEANS:
        raise GantheoryError(
            f"{entry.name!r} holds its critic in a class of functions, which a game of numbers has "
            "not; a linear critic of its objective plays 'dirac-linear', with gradient_penalty=1 "
            "(--gradient-penalty 1) for WGAN-GP's"
        )
