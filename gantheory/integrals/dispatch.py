"""One question, several routes: which one answers a divergence between two densities."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, overload

from gantheory.densities import Densities, Density, parse_density, read_laws
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError, NoRuleError, several, shown, unknown_name
from gantheory.integrals.kernels.bounds import within_bounds
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.line.estimates import sweep_line
from gantheory.integrals.resolve import generator_for, resolve
from gantheory.integrals.transport.catalogue import Distance
from gantheory.integrals.units import UNITS, in_unit, square_root
from gantheory.records import Estimate, Estimates, Status
from gantheory.samples import is_sample_like, samples
from gantheory.wrt import split_parameter

if TYPE_CHECKING:
    from gantheory.integrals.certified import Enclosure

METHODS = ("auto", "closed form", "quadrature", "monte carlo", "certified")
VAGUE = 1e-3  # relative error of a quadrature from which on a closed form is asked for
Key = tuple[Any, str | None]


@overload
def divergence(
    name: Any,
    p: Densities,
    q: Any,
    *,
    wrt: str | None = None,
    method: str = "auto",
    unit: str = "nats",
) -> Estimates: ...
@overload
def divergence(
    name: Any,
    p: Any,
    q: Densities,
    *,
    wrt: str | None = None,
    method: str = "auto",
    unit: str = "nats",
) -> Estimates: ...
@overload
def divergence(
    name: Any,
    p: Any,
    q: Any,
    *,
    wrt: str | None = None,
    method: str = "auto",
    unit: str = "nats",
) -> Estimate: ...
def divergence(
    name: Any,
    p: Any,
    q: Any,
    *,
    wrt: str | None = None,
    method: str = "auto",
    unit: str = "nats",
) -> Estimate | Estimates:
    """Return a divergence between two densities, or its derivative, with a bound on its error.

    Samples may stand for either: an array, or a file; see `gantheory.between_samples`. Laws whose
    parameters are arrays are paired like numpy's arrays, and the answer is arrays: `Estimates`.

    Args:
        name: a name or alias such as ``"jsd"``, ``"KL(P||Q)"``, ``"power_0.3"``, ``"jsd_gap"`` or
            ``"w1"``; a generator f as text in r, such as ``"(r - 1)**2"``; a loss's
            ``"hinge.loss"``, ``"minimax.value"`` or ``"minimax.followed"``; an `FDivergence`; or a
            derived curvature, such as ``derive("minimax").followed``, whose divergence is returned
            without its constant.
        p: the data density, its text, an object of SciPy or torch, or samples.
        q: the generator's density, in the same ways.
        wrt: a parameter of p or q to differentiate in, like ``"q.loc"``.
        method: ``"auto"``, ``"closed form"``, ``"quadrature"``, ``"monte carlo"`` or
            ``"certified"``.
        unit: ``"nats"``, or ``"bits"`` for what is measured in nats.

    Raises:
        GantheoryError: for unknown names and illegal parameters, with the remedy.

    >>> print(divergence("kl_pq", "normal(0, 1)", "uniform(-1, 1)"))
    inf (p has mass on (-inf, -1], where q = 0)
    """
    for kind, asked, known in (("method", method, METHODS), ("unit", unit, UNITS)):
        if not isinstance(asked, str) or asked not in known:
            raise unknown_name(kind, asked if isinstance(asked, str) else shown(asked), known)
    if wrt is not None and not isinstance(wrt, str):
        raise GantheoryError(f"wrt={shown(wrt)} must name one parameter of a law, like 'q.loc'")
    if is_sample_like(p) or is_sample_like(q):
        return _of_samples(name, p, q, wrt, method, unit)
    p, q = read_laws(p), read_laws(q)
    if unit != "nats":
        return in_unit(resolve(name), divergence(name, p, q, wrt=wrt, method=method), unit)
    if isinstance(p, Densities) or isinstance(q, Densities):
        return _of_arrays([name], p, q, (wrt,), method)[name, wrt]
    return _answer(name, p, q, wrt, method)


def _of_arrays(
    names: Sequence[Any], p: Density, q: Density, wanted: Sequence[str | None], method: str = "auto"
) -> dict[Key, Estimates]:
    from gantheory.integrals.arrays import sweep_arrays

    def one(what: Kernel | Distance, p: Density, q: Density, wrt: str | None) -> Estimate:
        return _answer(what, p, q, wrt, method)

    asked = [resolve(name) for name in names]
    found = sweep_arrays(asked, p, q, wanted, one, method)
    return {(names[k], wrt): estimates for (k, wrt), estimates in found.items()}


def _of_samples(name: Any, p: Any, q: Any, wrt: str | None, method: str, unit: str) -> Estimate:
    """Return a distance of samples, or what they show of an f-divergence."""
    from gantheory.integrals.empirical import ALIASES, METRICS, between_samples, least_divergence

    if wrt is not None or method != "auto":
        raise GantheoryError("samples have no parameters and one method; leave out wrt and method")
    if unit != "nats":
        raise GantheoryError("what samples show of an information is in nats; leave out unit")
    first, second = (samples(x) if is_sample_like(x) else parse_density(x) for x in (p, q))
    if isinstance(name, str) and name.lower() in {*METRICS, *ALIASES}:
        return between_samples(name.lower(), first, second)
    found = resolve(name)
    if isinstance(found, Distance):
        return between_samples(found.plain_name, first, second, **found.chosen)
    return least_divergence(found, first, second)


def _answer(asked: Any, p: Density, q: Density, wrt: str | None, method: str) -> Estimate:
    if wrt is not None:
        split_parameter(wrt)
    found = resolve(asked)
    if isinstance(found, Distance):
        answer = _distance(found, p, q, wrt, method)
    elif method == "certified":
        answer = _certified(asked, p, q, wrt)
    else:
        answer = _divergence(found, p, q, wrt, method)
    return within_bounds(found, answer) if wrt is None else answer


def _distance(distance: Distance, p: Density, q: Density, wrt: str | None, method: str) -> Estimate:
    if distance.root_of:
        value = _answer(distance.root_of, p, q, None, method)
        return square_root(value, _answer(distance.root_of, p, q, wrt, method) if wrt else None)
    if method in ("monte carlo", "certified"):
        raise GantheoryError(f"{distance.name} is not found by method={method!r}; leave it out")
    answer = _computed(distance, p, q, wrt)
    if not isinstance(answer, Estimate):
        raise GantheoryError(
            f"distance {distance.name!r} returned {shown(answer)}, which is no "
            "gantheory.Estimate(value, error)"
        )
    if math.isnan(answer.value) and answer.status is not Status.UNDETERMINED:
        raise GantheoryError(
            f"distance {distance.name!r} came out as nan; where it is not known it must return "
            "Estimate.undetermined(reason)"
        )
    return answer


def _computed(distance: Distance, p: Density, q: Density, wrt: str | None) -> Estimate:
    """Return what a distance's own rule says; where it has none, in space, what draws show."""
    from gantheory.integrals.empirical import METRICS, between_samples

    try:
        return distance.compute(p, q, wrt)
    except NoRuleError:
        if min(p.dim, q.dim) > 1 and p.dim != q.dim:
            said = f"{p} and {q} differ in dimension: {p.dim} and {q.dim}"
            raise GantheoryError(said) from None
        if wrt or distance.plain_name not in METRICS or min(p.dim, q.dim) < 2:
            raise
    if p == q and distance.plain_name != "sinkhorn":
        return Estimate(0.0, method="equal laws")
    found = between_samples(distance.plain_name, p, q, **distance.chosen)
    error = max(found.upper - found.value, found.value - found.lower)
    return Estimate(
        found.value, error, found.status, found.method, error_probability=found.interval_error
    )


def _divergence(kernel: Kernel, p: Density, q: Density, wrt: str | None, method: str) -> Estimate:
    if not isinstance(p, Univariate) or not isinstance(q, Univariate):
        from gantheory.integrals.dimensions import by_dimension
        from gantheory.integrals.spread import by_the_line

        if method != "monte carlo":
            found = by_the_line(kernel, p, q, wrt, method, _divergence)
            if found is not None:
                return found
        return by_dimension(kernel, p, q, wrt, method)
    if method == "closed form":
        return _closed(kernel, p, q, wrt)
    if method == "monte carlo":
        return _sampled(kernel, p, q, wrt)
    if method == "auto" and wrt is None and (known := _at_once(kernel, p, q)) is not None:
        return known
    answer = _answers([kernel], p, q, (wrt,))[0][0]
    lost = answer.status is Status.UNDETERMINED and answer.log_value is None
    vague = answer.value != 0 and answer.error > VAGUE * abs(answer.value)
    return _by_formula(kernel, p, q, answer) if wrt is None and (lost or vague) else answer


def _at_once(kernel: Kernel, p: Univariate, q: Univariate) -> Estimate | None:
    from gantheory.integrals.bulk.normals import between_two

    return between_two(kernel.known, p, q)


def _by_formula(kernel: Kernel, p: Univariate, q: Univariate, answer: Estimate) -> Estimate:
    """Return the closed form, if there is one, of a value that quadrature cannot give sharply."""
    try:
        known = _closed(kernel, p, q, None)
    except GantheoryError:
        return answer
    sharp = known.error < answer.error
    return known if sharp or known.status is Status.INFINITE else answer


def certify(name: Any, p: Any, q: Any, *, digits: int = 30) -> Enclosure:
    """Return an interval that holds a divergence for certain, to as many digits as asked for.

    ``divergence(..., method="certified")`` is the same answer in binary64.

    Args:
        name: as `divergence` takes it; a divergence with a convex f, or a complement.
        p: the data density, or its text.
        q: the generator's density, or its text.
        digits: significant decimal digits wanted.

    Raises:
        GantheoryError: for a divergence, density or number of digits outside of this mode.

    >>> certify("jsd", "normal(0, 1)", "normal(2, 1)", digits=20).mid
    '0.33683082034683161200'
    """
    from gantheory.integrals.certified import enclose_divergence

    first, second = (parse_density(x) if isinstance(x, str) else x for x in (p, q))
    return enclose_divergence(generator_for(name), first, second, digits)


@overload
def divergence_table(
    names: Iterable[Any], p: Densities, q: Any, wrt: str | Iterable[str | None] | None = None
) -> dict[Key, Estimates]: ...
@overload
def divergence_table(
    names: Iterable[Any], p: Any, q: Densities, wrt: str | Iterable[str | None] | None = None
) -> dict[Key, Estimates]: ...
@overload
def divergence_table(
    names: Iterable[Any], p: Any, q: Any, wrt: str | Iterable[str | None] | None = None
) -> dict[Key, Estimate]: ...
def divergence_table(
    names: Iterable[Any], p: Any, q: Any, wrt: str | Iterable[str | None] | None = None
) -> dict[Key, Estimate] | dict[Key, Estimates]:
    """Return many divergences and derivatives of one pair: on the line, from one set of nodes.

    Of laws whose parameters are arrays, each answer is `Estimates`.

    Args:
        names: divergences by name, or as `FDivergence`.
        p: the data density, or its text.
        q: the generator's density, or its text.
        wrt: one parameter such as ``"q.loc"``, or several; None stands for the value.

    Returns:
        The estimate of each (name, parameter).

    >>> found = divergence_table(["tv", "jsd"], "normal(0, 1)", "normal(1, 1)", [None, "q.loc"])
    >>> round(found["tv", None].value, 6), len(found)
    (0.382925, 4)
    """
    p, q = read_laws(p), read_laws(q)
    wanted = (wrt,) if wrt is None or isinstance(wrt, str) else tuple(wrt)
    listed = several("divergence", names, str, "a name such as 'jsd', or several")
    if isinstance(p, Densities) or isinstance(q, Densities):
        return _of_arrays(listed, p, q, wanted)
    if not isinstance(p, Univariate) or not isinstance(q, Univariate):
        return {(name, w): _answer(name, p, q, w, "auto") for name in listed for w in wanted}
    asked = [resolve(name) for name in listed]
    answers = _answers(asked, p, q, wanted)
    return {
        (name, parameter): estimate if parameter else within_bounds(what, estimate)
        for name, what, row in zip(listed, asked, answers, strict=True)
        for parameter, estimate in zip(wanted, row, strict=True)
    }


def _answers(
    asked: Sequence[Kernel | Distance], p: Univariate, q: Univariate, wanted: tuple[str | None, ...]
) -> list[list[Estimate]]:
    """Return the estimates of what is asked for (rows) in each parameter (columns)."""
    kernels = {k: what for k, what in enumerate(asked) if isinstance(what, Kernel)}
    found = sweep_line(kernels, p, q, wanted) if kernels else {}
    return [
        [
            found[k, w] if isinstance(what, Kernel) else _distance(what, p, q, w, "auto")
            for w in wanted
        ]
        for k, what in enumerate(asked)
    ]


def _certified(asked: Any, p: Density, q: Density, wrt: str | None) -> Estimate:
    if wrt is not None:
        raise GantheoryError(f"method='certified' encloses values only; leave out wrt={wrt!r}")
    return certify(asked, p, q).estimate


def _closed(kernel: Kernel, p: Univariate, q: Univariate, wrt: str | None) -> Estimate:
    from gantheory.integrals.closed_forms import closed_form

    if kernel.known is None:
        raise GantheoryError(
            f"no closed form of {kernel.name} between {p} and {q} is known here; "
            "use method='quadrature'"
        )
    return closed_form(kernel.known, p, q, wrt)


def _sampled(kernel: Kernel, p: Univariate, q: Univariate, wrt: str | None) -> Estimate:
    from gantheory.integrals.montecarlo import by_sampling

    if wrt is not None:
        raise GantheoryError(f"method='monte carlo' samples values only; leave out wrt={wrt!r}")
    return by_sampling(kernel, p, q)
