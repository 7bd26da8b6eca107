"""The distances that are no f-divergences: one entry each, a name and what computes it.

What computes is imported when it is used: a divergence by name must not wait for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from gantheory.densities import Density
from gantheory.densities.discrete import Discrete
from gantheory.densities.elliptical import StudentTNd
from gantheory.densities.inherited import of_family
from gantheory.densities.plane import Spatial
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError, InternalError, NoRuleError, shown, unknown_name
from gantheory.records import Estimate
from gantheory.rounding import EPS


@dataclass(frozen=True)
class Distance:
    """A distance between two laws, by what computes it.

    Attributes:
        name: identifier.
        compute: ``(p, q, wrt) -> Estimate``: the distance, or its derivative in a parameter such as
            ``"q.loc"``; it raises `GantheoryError` for laws that it does not know.
        title: plain-text symbol or usual name.
        latex: symbol for typeset output.
        integral: the textbook definition, in LaTeX.
        aliases: what else people call it; two entries may share one, which then names neither.
        root_of: the divergence whose square root it is: that is then integrated, and not computed.
        options: the keywords that it takes beside the laws, as in ``"mmd2(bandwidth=2)"``.
        chosen: those that were given.

    >>> Distance("apart", lambda p, q, wrt: Estimate(abs(p.loc - q.loc)), title="|Δloc|").plain_name
    'apart'
    """

    name: str
    compute: Callable[..., Estimate]
    title: str = ""
    latex: str = ""
    integral: str = ""
    aliases: tuple[str, ...] = ()
    root_of: str = ""
    options: tuple[str, ...] = ()
    chosen: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not callable(self.compute):
            raise GantheoryError(
                f"distance {self.name!r}: compute={shown(self.compute)} must be a function of "
                "(p, q, wrt)"
            )
        object.__setattr__(self, "title", self.title or self.name)
        object.__setattr__(
            self, "latex", self.latex or rf"\mathrm{{{self.name.replace('_', ' ')}}}"
        )

    def with_options(self, given: Mapping[str, Any]) -> Distance:
        """Return the distance with some of its options chosen; its name then says which."""
        for option in given:
            if option not in self.options:
                raise unknown_name(f"option of {self.name}", option, self.options)
        said = ", ".join(f"{option}={value}" for option, value in given.items())
        compute = partial(self.compute, **given)
        return replace(self, name=f"{self.name}({said})", compute=compute, chosen=dict(given))

    @property
    def plain_name(self) -> str:
        """Its name without options."""
        return self.name.partition("(")[0]


def _mixed(name: str, p: Density, q: Density, wrt: str | None, **options: Any) -> Estimate | None:
    """Return a distance of a law of counts and a density; None of any other two laws."""
    from gantheory.integrals.counting.sums import has_masses

    if not (has_masses(p) and isinstance(q, Univariate)):
        return (
            None
            if not (has_masses(q) and isinstance(p, Univariate))
            else _mixed(name, q, p, wrt, **options)
        )
    from gantheory.integrals.transport.points import of_counts_and_density

    if wrt is not None:
        raise GantheoryError(
            f"wrt={wrt!r}: between counts and a density only the value of {name} is known"
        )
    return of_counts_and_density(name, p, q, **options)


def _w1(p: Density, q: Density, wrt: str | None) -> Estimate:
    from gantheory.integrals.counting.sums import has_masses
    from gantheory.integrals.transport.counts import transport_of_counts
    from gantheory.integrals.transport.masses import wasserstein_of_masses
    from gantheory.integrals.transport.parts import from_lines
    from gantheory.integrals.transport.wasserstein import w1

    if isinstance(p, Univariate) and isinstance(q, Univariate):
        return w1(p, q, wrt)
    if (mixed := _mixed("w1", p, q, wrt)) is not None:
        return mixed
    if of_family(p, Discrete) and of_family(q, Discrete) and wrt is None:
        return wasserstein_of_masses(1, p, q)
    if has_masses(p) and has_masses(q):
        return transport_of_counts("w1", p, q, wrt)
    if (shift := _shifted(p, q, wrt)) is not None:
        return shift
    if (parts := from_lines(_w1, 1, p, q, wrt)) is not None:
        return parts
    if of_family(p, Spatial) and of_family(q, Spatial) and wrt is None:
        from gantheory.integrals.transport.shifts import w1_of_normals

        if (found := w1_of_normals(p, q)) is not None:
            return found
    raise NoRuleError(
        f"w1 of {p} and {q}: two densities on the line, two laws of counts, or normal laws "
        "shifted or widened are needed"
    )


def _w2(p: Density, q: Density, wrt: str | None) -> Estimate:
    from gantheory.integrals.transport.distances import w2
    from gantheory.integrals.transport.parts import from_lines

    found = _mixed("w2", p, q, wrt)
    if found is None:
        found = _shifted(p, q, wrt)
    if found is None:
        found = from_lines(_w2, 2, p, q, wrt)
    return w2(p, q, wrt) if found is None else found


def _shifted(p: Density, q: Density, wrt: str | None) -> Estimate | None:
    """Return W1 and W2 of one law of the t family and its translate: the length of the way."""
    if wrt is not None or not (of_family(p, StudentTNd) and of_family(q, StudentTNd)):
        return None
    if (p.df, p.shape) != (q.df, q.shape) or p.dim != q.dim:
        return None
    length = math.dist(p.loc, q.loc)
    return Estimate(length, 4 * EPS * length, method="closed form")


def _energy(p: Density, q: Density, wrt: str | None) -> Estimate:
    from gantheory.integrals.transport.distances import energy_distance

    mixed = _mixed("energy", p, q, wrt)
    return energy_distance(p, q, wrt) if mixed is None else mixed


def _mmd2(p: Density, q: Density, wrt: str | None, **options: Any) -> Estimate:
    from gantheory.integrals.transport.distances import mmd2

    mixed = _mixed("mmd2", p, q, wrt, **options)
    return mmd2(p, q, wrt=wrt, **options) if mixed is None else mixed


def _sinkhorn(p: Density, q: Density, wrt: str | None, **options: Any) -> Estimate:
    raise NoRuleError(
        f"sinkhorn of {p} and {q}: it is known between samples; draw them: "
        "samples(law.sample(0, 1000))"
    )


def _as_root(p: Density, q: Density, wrt: str | None) -> Estimate:
    raise InternalError("the root of a divergence is taken where divergences are integrated")


_ENTRIES = (
    Distance(
        "w1",
        _w1,
        "W1",
        "W_1(P,Q)",
        r"\int|F_p-F_q|",
        aliases=("wasserstein", "wasserstein-1", "earth-mover", "emd"),
    ),
    Distance(
        "w2",
        _w2,
        "W2",
        "W_2(P,Q)",
        r"\bigl(\int_0^1(F_p^{-1}-F_q^{-1})^2\bigr)^{1/2}",
        aliases=("wasserstein", "wasserstein-2"),
    ),
    Distance(
        "energy",
        _energy,
        "Energy distance",
        r"\mathcal{E}(P,Q)",
        r"2\,E\|X-Y\|-E\|X-X'\|-E\|Y-Y'\|",
        aliases=("energy-distance",),
    ),
    Distance(
        "mmd2",
        _mmd2,
        "MMD²",
        r"\mathrm{MMD}^2(P,Q)",
        r"E\,k(X,X')+E\,k(Y,Y')-2\,E\,k(X,Y)",
        aliases=("squared-mmd",),
        options=("kernel", "bandwidth"),
    ),
    Distance(
        "sinkhorn",
        _sinkhorn,
        "Sinkhorn cost",
        r"S_\varepsilon(P,Q)",
        r"\min_\pi\int c\,d\pi+\varepsilon\,\mathrm{KL}(\pi\|P\otimes Q)",
        aliases=("entropic-transport", "entropic-ot"),
        options=("eps", "order"),
    ),
    Distance(
        "js_distance",
        _as_root,
        "√JSD",
        r"\sqrt{\mathrm{JSD}(P,Q)}",
        r"\sqrt{\mathrm{JSD}(P,Q)}",
        aliases=("jensen-shannon", "jensen-shannon-distance", "jensen-shannon-metric"),
        root_of="jsd",
    ),
    Distance(
        "hellinger_distance",
        _as_root,
        "H",
        r"H(P,Q)",
        r"\bigl(1-\int\!\sqrt{pq}\bigr)^{1/2}",
        aliases=("hellinger", "hellinger-metric"),
        root_of="hellinger2",
    ),
)

DISTANCES: dict[str, Distance] = {entry.name: entry for entry in _ENTRIES}
