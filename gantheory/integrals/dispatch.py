"""One question, several routes: which one answers a divergence between two densities."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gantheory.densities import Density, parse_density
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError, unknown_name
from gantheory.integrals.kernels.bounds import within_bounds
from gantheory.integrals.kernels.names import DISTANCES
from gantheory.integrals.line.estimates import split_parameter, sweep_line
from gantheory.integrals.lookup import kernel_for
from gantheory.integrals.quantities import as_quantity
from gantheory.records import Estimate, Status

METHODS = ("auto", "closed form", "quadrature", "monte carlo", "certified")
VAGUE = 1e-3  # relative error of a quadrature from which on a closed form is asked for
Key = tuple[Any, str | None]


def divergence(
    name: Any, p: Density | str, q: Density | str, wrt: str | None = None, method: str = "auto"
) -> Estimate:
    """Return a divergence between two densities, or its derivative, with a bound on its error.

    Args:
        name: a name such as ``"jsd"``, ``"power_0.3"``, ``"jsd_gap"`` or ``"w1"``; a loss's
            ``"hinge.loss"``, ``"minimax.value"`` or ``"minimax.followed"``; an
            `FDivergence`; or a derived curvature, such as ``derive("minimax").followed``, whose
            divergence is returned without its constant.
        p: the data density, or its text.
        q: the generator's density, or its text.
        wrt: a parameter of p or q to differentiate in, like ``"q.loc"``.
        method: ``"auto"``, ``"closed form"``, ``"quadrature"``, ``"monte carlo"`` or
            ``"certified"``.

    Raises:
        GantheoryError: for unknown names and illegal parameters, with the remedy.

    >>> print(divergence("kl_pq", "normal(0, 1)", "uniform(-1, 1)"))
    inf (p has mass on (-inf, -1], where q = 0)
    """
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    answer = _answer(name, parse_density(p), parse_density(q), wrt, method)
    return _checked(name, answer) if wrt is None else answer


def _answer(name: Any, p: Density, q: Density, wrt: str | None, method: str) -> Estimate:
    if wrt is not None:
        split_parameter(wrt)
    if isinstance(name, str) and name in DISTANCES and not _is_w1(name):
        return _distance(name, p, q, wrt)
    if method == "certified":
        return _certified(name, p, q, wrt)
    name = as_quantity(name)
    if not isinstance(p, Univariate) or not isinstance(q, Univariate):
        from gantheory.integrals.beyond import beyond_the_line

        return beyond_the_line(name, p, q, wrt, method)
    if method == "closed form":
        return _closed(name, p, q, wrt)
    if method == "monte carlo":
        return _sampled(name, p, q, wrt)
    answer = _answers([name], p, q, (wrt,))[0][0]
    lost = answer.status is Status.UNDETERMINED and answer.log_value is None
    vague = answer.value != 0 and answer.error > VAGUE * abs(answer.value)
    return _by_formula(name, p, q, answer) if wrt is None and (lost or vague) else answer


def _by_formula(name: Any, p: Univariate, q: Univariate, answer: Estimate) -> Estimate:
    """Return the closed form, if there is one, of a value that quadrature cannot give sharply."""
    if not isinstance(name, str) or _is_w1(name):
        return answer
    try:
        known = _closed(name, p, q, None)
    except GantheoryError:
        return answer
    sharp = known.error < answer.error
    return known if sharp or known.status is Status.INFINITE else answer


def _checked(name: Any, answer: Estimate) -> Estimate:
    """Return a value that is known to keep the bounds of what was asked."""
    distance = isinstance(name, str) and name in DISTANCES
    return within_bounds(name if distance else kernel_for(name), answer)


def sweep(
    names: Iterable[Any],
    p: Density | str,
    q: Density | str,
    wrt: str | Iterable[str | None] | None = None,
) -> dict[Key, Estimate]:
    """Return many divergences and derivatives of one pair, from one set of quadrature nodes.

    Args:
        names: divergences by name, or as `FDivergence`.
        p: the data density, or its text.
        q: the generator's density, or its text.
        wrt: one parameter such as ``"q.loc"``, or several; None stands for the value.

    Returns:
        The estimate of each (name, parameter).
    """
    p, q = parse_density(p), parse_density(q)
    wanted = (wrt,) if wrt is None or isinstance(wrt, str) else tuple(wrt)
    if not isinstance(p, Univariate) or not isinstance(q, Univariate):
        raise GantheoryError(f"{p} and {q}: sweep needs two densities on the line")
    listed = list(names)
    answers = _answers(listed, p, q, wanted)
    return {
        (name, parameter): estimate if parameter else _checked(name, estimate)
        for name, row in zip(listed, answers, strict=True)
        for parameter, estimate in zip(wanted, row, strict=True)
    }


def _answers(
    names: list[Any], p: Univariate, q: Univariate, wanted: tuple[str | None, ...]
) -> list[list[Estimate]]:
    """Return the estimates of each name (rows) in each parameter (columns)."""
    kernels = {k: kernel_for(name) for k, name in enumerate(names) if not _is_w1(name)}
    found = sweep_line(kernels, p, q, wanted) if kernels else {}
    return [
        [_w1(p, q, w) if _is_w1(name) else found[k, w] for w in wanted]
        for k, name in enumerate(names)
    ]


def _is_w1(name: Any) -> bool:
    return isinstance(name, str) and name == "w1"


def _w1(p: Univariate, q: Univariate, wrt: str | None) -> Estimate:
    from gantheory.integrals.transport.wasserstein import w1

    return w1(p, q, wrt)


def _distance(name: str, p: Density, q: Density, wrt: str | None) -> Estimate:
    from gantheory.integrals.transport.distances import DISTANCES

    return DISTANCES[name](p, q, wrt=wrt)


def _certified(name: Any, p: Density, q: Density, wrt: str | None) -> Estimate:
    from gantheory.integrals.certified import enclose

    if wrt is not None:
        raise GantheoryError(f"method='certified' encloses values only; leave out wrt={wrt!r}")
    return enclose(name, p, q).estimate


def _closed(name: Any, p: Univariate, q: Univariate, wrt: str | None) -> Estimate:
    from gantheory.integrals.closed_forms import closed_form

    return closed_form(name, p, q, wrt)


def _sampled(name: Any, p: Univariate, q: Univariate, wrt: str | None) -> Estimate:
    from gantheory.integrals.montecarlo import by_sampling

    if wrt is not None:
        raise GantheoryError(f"method='monte carlo' samples values only; leave out wrt={wrt!r}")
    return by_sampling(kernel_for(name), p, q)
