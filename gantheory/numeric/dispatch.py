"""One question, several routes: which one answers a divergence between two densities."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gantheory.densities import Density, parse_density
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError, unknown_name
from gantheory.numeric.line import split_parameter, sweep_line
from gantheory.numeric.names import kernel_of
from gantheory.records import Estimate

METHODS = ("auto", "closed form", "quadrature", "monte carlo", "certified")
Key = tuple[str, str | None]


def divergence(
    name: Any, p: Density | str, q: Density | str, wrt: str | None = None, method: str = "auto"
) -> Estimate:
    """Return a divergence between two densities, or its derivative, with a bound on its error.

    Args:
        name: a name such as ``"jsd"``, ``"power_0.3"``, ``"jsd_gap"`` or ``"w1"``.
        p: the data density, or its text.
        q: the generator's density, or its text.
        wrt: a parameter of p or q to differentiate in, like ``"q.loc"``.
        method: ``"auto"``, ``"closed form"``, ``"quadrature"``, ``"monte carlo"`` or
            ``"certified"``.

    Raises:
        GantheoryError: for unknown names and illegal parameters, with the remedy.

    >>> print(f'{divergence("kl_pq", "normal(0, 1)", "normal(1, 1)").value:.12f}')
    0.500000000000
    """
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    found = sweep([name], p, q, wrt)
    return found[name, wrt]


def sweep(
    names: Iterable[str],
    p: Density | str,
    q: Density | str,
    wrt: str | Iterable[str | None] | None = None,
) -> dict[Key, Estimate]:
    """Return many divergences and derivatives of one pair, from one set of quadrature nodes.

    Args:
        names: divergences by name.
        p: the data density, or its text.
        q: the generator's density, or its text.
        wrt: one parameter such as ``"q.loc"``, or several; None stands for the value.

    Returns:
        The estimate of each (name, parameter).
    """
    p, q = parse_density(p), parse_density(q)
    wanted = (wrt,) if wrt is None or isinstance(wrt, str) else tuple(wrt)
    names = tuple(names)
    for parameter in wanted:
        if parameter is not None:
            split_parameter(parameter)
    if not isinstance(p, Univariate) or not isinstance(q, Univariate):
        raise GantheoryError(f"{p} and {q}: sweep needs two densities on the line")
    return sweep_line({name: kernel_of(name) for name in names}, p, q, wanted)
