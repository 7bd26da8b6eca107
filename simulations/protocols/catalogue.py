"""The published toys by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import torch

from gantheory.errors import require_type, unknown_name
from simulations.protocols import digits, mescheder, plane
from simulations.protocols.protocol import Protocol

MAKERS: dict[str, Callable[[], Protocol]] = {
    "pacgan-ring": partial(plane.pacgan, "ring", 1),
    "pacgan-ring-2": partial(plane.pacgan, "ring", 2),
    "pacgan-grid": partial(plane.pacgan, "grid", 1),
    "pacgan-grid-2": partial(plane.pacgan, "grid", 2),
    "unrolled-ring-0": partial(plane.unrolled, 0),
    "unrolled-ring-5": partial(plane.unrolled, 5),
    **{
        f"wgan-gp-{law}": partial(plane.wgan_gp, law)
        for law in ("8gaussians", "25gaussians", "swissroll")
    },
    "r3gan-grid": plane.r3gan_grid,
    **{f"dirac-{name}": partial(mescheder.dirac_protocol, name) for name in mescheder.DIRAC},
    **{
        f"mescheder-{law}-{penalty}": partial(mescheder.plane_protocol, law, penalty)
        for law in mescheder.PLANE
        for penalty in mescheder.PENALTIES
    },
    **{f"stacked-digits-{kind}": partial(digits.stacked, kind) for kind in digits.KINDS},
}


def list_protocols() -> tuple[str, ...]:
    """Return the names of all published toys."""
    return tuple(MAKERS)


def get_protocol(name: str) -> Protocol:
    """Return a published toy by name.

    Raises:
        GantheoryError: for an unknown name.

    >>> get_protocol("unrolled-ring-5").recipe.unrolling
    5
    """
    require_type("protocol", name, str, f"a name such as {next(iter(MAKERS))!r}")
    if name not in MAKERS:
        raise unknown_name("protocol", name, MAKERS)
    return _made(name)


@cache
def _made(name: str) -> Protocol:
    with torch.random.fork_rng(devices=[]):  # modules draw their initial numbers when made
        return MAKERS[name]()
