"""From whatever a user asks for to what integrates it: the one place where names are read."""

from __future__ import annotations

import re
from typing import Any

from gantheory.divergences import COMPLEMENTS, DIVERGENCES, Complement, FDivergence, find_among
from gantheory.errors import GantheoryError, shown
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.kernels.stable import stable_kernel
from gantheory.integrals.transport.catalogue import DISTANCES, Distance
from gantheory.naming import folded

# A formula in r, and no name: it has the letter on its own, and something is done with it.
_FORMULA = re.compile(r"(?=.*\br\b)(?=.*[-+*/^(])(?!.*(?:\|\||‖))")


def resolve(asked: Any) -> Kernel | Distance:
    """Return the kernel, or the distance, that is asked for.

    Args:
        asked: the name, title or alias of a divergence, complement or distance; a generator f as
            text in r, such as ``"r*log(r)"``; a loss's ``"hinge.loss"``; an `FDivergence`; or a
            derived curvature, such as ``derive("minimax").followed``.

    Raises:
        GantheoryError: for anything else, with what could be meant.

    >>> resolve("JS").name, resolve("EMD").name, resolve("(sqrt(r) - 1)^2").name
    ('jsd', 'w1', '(sqrt(r) - 1)^2')
    """
    if isinstance(asked, str):
        asked = _read(asked)
    if isinstance(asked, Kernel | Distance):
        return asked
    if isinstance(asked, FDivergence | Complement) and (kernel := stable_kernel(asked)):
        return kernel
    from gantheory.integrals.curvature.general import kernel_of_formula  # loads sympy

    _refuse_loss(asked)
    return kernel_of_formula(asked)


def _refuse_loss(asked: Any) -> None:
    from gantheory.losses.critic import Critic
    from gantheory.losses.loss import Loss

    if isinstance(asked, Loss):
        raise GantheoryError(
            f"the loss {asked.name!r} has three divergences; give one of derive(loss).value, "
            "derive(loss).loss and derive(loss).followed"
        )
    if isinstance(asked, Critic):
        raise GantheoryError(f"the loss {asked.name!r} has no f-divergence; see derive(loss).value")


def kernel_for(asked: Any) -> Kernel:
    """Return the kernel that is asked for: see `resolve`; a distance has none."""
    found = resolve(asked)
    if isinstance(found, Distance):
        raise GantheoryError(f"{found.name} ({found.title}) is no f-divergence")
    return found


def generator_for(asked: Any) -> FDivergence | Complement:
    """Return what is asked for with its generator f, for routes that start from a formula."""
    if isinstance(asked, str):
        asked = _read(asked)
    if isinstance(asked, Complement) or (isinstance(asked, FDivergence) and stable_kernel(asked)):
        return asked
    if isinstance(asked, FDivergence):
        from gantheory.theory.generator import check_convex  # loads sympy

        check_convex(asked)
        return asked
    kernel = kernel_for(asked)
    if kernel.entry is not None:
        return kernel.entry
    from gantheory.integrals.curvature.general import divergence_of_curvature

    if kernel is asked or not (kernel.singular_p and kernel.singular_q):
        raise GantheoryError(f"{kernel.name} is no f-divergence with a formula f")
    return divergence_of_curvature(asked)


def _read(text: str) -> Any:
    """Return what a text names: an entry, a loss's curvature, or the divergence of a formula."""
    loss, dot, part = text.rpartition(".")
    if dot and part.isalpha():
        from gantheory.integrals.quantities import QUANTITIES, quantity

        if part.casefold() in QUANTITIES:
            return quantity(loss, part.casefold())
    if (optioned := _with_options(text)) is not None:
        return optioned
    if _FORMULA.match(text) and text not in DISTANCES:
        return FDivergence(text.strip(), text)
    return find_among(text, DISTANCES.values())


# mmd2(kernel=laplacian, bandwidth=2): a name, and options whose values are words or numbers
_CALL = re.compile(r"\s*([\w²-]+)\s*\((.*)\)\s*")
_OPTION = re.compile(r"""\s*(\w+)\s*=\s*(?:"([\w-]+)"|'([\w-]+)'|([\w.+-]+))\s*""")


def _with_options(text: str) -> Distance | None:
    """Return the distance of a name with options, or None for any other text."""
    called = _CALL.fullmatch(text)
    if not called:  # as most names: nothing needs to be looked up
        return None
    optional = [entry for entry in DISTANCES.values() if entry.options]
    known = {folded(said): e for e in optional for said in (e.name, e.title, *e.aliases)}
    if folded(called[1]) not in known:
        return None
    entry, given = known[folded(called[1])], {}
    for part in called[2].split(","):
        if not (option := _OPTION.fullmatch(part)):
            raise GantheoryError(
                f"{shown(text)}: options of {entry.name} are written like "
                f"{entry.name}({entry.options[0]}=...); known: {', '.join(entry.options)}"
            )
        given[option[1]] = _value(option[2] or option[3] or option[4])
    return entry.with_options(given)


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def list_divergences() -> tuple[str, ...]:
    """Return the names of all divergences, of their gaps to a maximum, and of the distances.

    >>> {"jsd", "jsd_gap", "w1"} <= set(list_divergences())
    True
    """
    return (*DIVERGENCES, *COMPLEMENTS, *DISTANCES)


__all__ = ["Distance", "generator_for", "kernel_for", "list_divergences", "resolve"]
