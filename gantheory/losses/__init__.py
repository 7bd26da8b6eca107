"""The catalogue of losses: one literal each. Adding a loss is one entry in one of these files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gantheory.deadline import Undecided
from gantheory.errors import GantheoryError, require_type
from gantheory.losses.alpha import ALPHA
from gantheory.losses.classic import CLASSIC
from gantheory.losses.constrained import CONSTRAINED
from gantheory.losses.critic import Critic
from gantheory.losses.fgan import FGAN
from gantheory.losses.least_squares import LEAST_SQUARES
from gantheory.losses.loss import Loss
from gantheory.losses.margin import MARGIN
from gantheory.losses.smoothing import SMOOTHING
from gantheory.naming import find_entry

_ALL = (*CLASSIC, *SMOOTHING, *LEAST_SQUARES, *FGAN, *MARGIN, *ALPHA)
CATALOGUE: dict[str, Loss] = {entry.name: entry for entry in _ALL}
CRITICS: dict[str, Critic] = {entry.name: entry for entry in CONSTRAINED}


def list_losses() -> tuple[str, ...]:
    """Return the names of all catalogue losses.

    >>> {"minimax", "hinge"} <= set(list_losses())
    True
    """
    return tuple(CATALOGUE)


def find(loss: str | Loss | Critic) -> Loss | Critic:
    """Return the entry that people call so, separable or constrained, or the loss that is given.

    Aliases count, in any case; numbers for parameters follow in brackets.

    >>> str(find("WGAN").constraint)
    'f is 1-Lipschitz'
    >>> find("EBGAN(m=2)").fake
    '-relu(2 - t)'
    """
    if isinstance(loss, Loss | Critic):
        return loss
    require_type("loss", loss, str, "a gantheory.Loss, or a name such as 'non-saturating'")
    name, bracket, rest = loss.partition("(")
    entries: list[Loss | Critic] = [*CATALOGUE.values(), *CRITICS.values()]
    entry = find_entry("loss", name.strip(), entries)
    if not bracket:
        return entry
    return entry.given(**_numbers(rest))


def get_loss(loss: str | Loss) -> Loss:
    """Return the separable loss that people call so, or the one that is given; see `find`.

    >>> get_loss("minimax").generator
    'log(1 - D)'
    """
    entry = find(loss)
    if isinstance(entry, Critic):
        raise GantheoryError(
            f"loss {entry.name!r} is not separable, as is needed here; "
            f"gantheory.derive({entry.name!r}) has its theory"
        )
    return entry


def bound(loss: Loss | str, parameters: Mapping[str, float] | None = None) -> Loss:
    """Return a loss, or the one of that name, with numbers in the place of its parameters.

    >>> bound("energy-based", {"m": 2.0}).fake
    '-relu(2 - t)'
    """
    loss = get_loss(loss)
    if parameters is not None:
        require_type("mapping of parameters", parameters, Mapping, "one, as {'alpha': 2}")
    return plain(loss.given(**(parameters or {})) if loss.parameters or parameters else loss)


def plain(loss: Loss) -> Loss:
    """Return a loss with its means worked out and its heads summed; any other as it is.

    Raises:
        GantheoryError: where a mean has no closed form.
    """
    if not loss.laws and loss.heads == 1:
        return loss
    from gantheory.losses.written import written_out  # loads sympy

    try:
        return written_out(loss)
    except Undecided as reason:
        raise GantheoryError(f"loss {loss.name!r} has no plain formulas: {reason}") from None


def summed(loss: Loss | Critic, heads: int) -> Loss:
    """Return a loss of which several discriminators are summed, each with a score of its own.

    >>> summed(get_loss("least-squares"), 8).title
    'Least squares GAN with labels a < b and target c, 8 heads'
    """
    if isinstance(loss, Critic):
        raise GantheoryError(f"loss {loss.name!r} is not separable; its heads have no sum here")
    return replace(loss, heads=heads, title=f"{loss.title}, {heads} heads")


def _numbers(text: str) -> dict[str, str]:
    """Return the numbers in ``"alpha=0.5, beta=1/3)"`` by name."""
    if not text.rstrip().endswith(")"):
        raise GantheoryError(f"{'(' + text[:40]!r} does not close; write it like LOSS(alpha=0.5)")
    parts = [part.partition("=") for part in text.rstrip()[:-1].split(",") if part.strip()]
    return {name.strip(): value for name, _, value in parts}
