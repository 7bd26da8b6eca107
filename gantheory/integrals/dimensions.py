"""Which route answers for laws that do not live on the line: planes, more dimensions, masses."""

from __future__ import annotations

from gantheory.densities import Density
from gantheory.densities.discrete import Discrete
from gantheory.densities.inherited import of_family
from gantheory.densities.plane import Spatial
from gantheory.densities.simplex import Dirichlet
from gantheory.errors import GantheoryError
from gantheory.integrals.affinity.normals import by_affinity
from gantheory.integrals.counting.sums import divergence_of_counts, has_masses
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.montecarlo import by_sampling
from gantheory.integrals.plane.boxes import (
    divergence_in_space,
    divergence_of_masses,
    on_the_line,
)
from gantheory.integrals.plane.normals import closed_form_of_normals
from gantheory.integrals.simplex import NAMES as DIRICHLET
from gantheory.integrals.simplex import divergence_of_dirichlets
from gantheory.integrals.singular import are_singular, divergence_of_singular_laws
from gantheory.records import Estimate
from gantheory.wrt import split_parameter


def by_dimension(
    kernel: Kernel, p: Density, q: Density, wrt: str | None = None, method: str = "auto"
) -> Estimate:
    """Return a divergence of two laws of which at least one is not a density on the line.

    See `gantheory.divergence`, which calls this.
    """
    if are_singular(p, q):
        return divergence_of_singular_laws(kernel, p, q, wrt)
    if p.dim != q.dim:
        raise GantheoryError(f"{p} has dimension {p.dim} and {q} has {q.dim}; they must agree")
    if of_family(p, Discrete) and of_family(q, Discrete):
        if wrt is not None:
            raise GantheoryError(f"wrt={wrt!r}: a discrete law has no parameters; leave it out")
        return divergence_of_masses(kernel, p, q)
    if has_masses(p) and has_masses(q):
        return divergence_of_counts(kernel, p, q, wrt)
    if (
        of_family(p, Dirichlet)
        and of_family(q, Dirichlet)
        and kernel.known in DIRICHLET
        and method != "monte carlo"
    ):
        return divergence_of_dirichlets(str(kernel.known), p, q, wrt)
    spatial = of_family(p, Spatial) and of_family(q, Spatial)
    if method == "monte carlo" or not spatial:
        return _sampled(kernel, p, q, wrt)
    assert isinstance(p, Spatial)
    assert isinstance(q, Spatial)
    return _of_normals(kernel, p, q, wrt, method)


def _sampled(kernel: Kernel, p: Density, q: Density, wrt: str | None) -> Estimate:
    if wrt is not None:
        raise GantheoryError(f"wrt={wrt!r}: sampling gives values only; leave it out")
    return by_sampling(kernel, p, q)


def _of_normals(kernel: Kernel, p: Spatial, q: Spatial, wrt: str | None, method: str) -> Estimate:
    """Return a divergence of normals in space, or of their mixtures, by the sharpest route."""
    single = len(p.weights) == len(q.weights) == 1
    if method in ("auto", "closed form") and single and kernel.known:
        known = closed_form_of_normals(kernel.known, p, q, wrt)
        alone = p.dim > 2 and on_the_line(p, q) is None  # then nothing else is known
        sharp = known is not None and (wrt or known.error <= 1e-13 * known.value)
        if known is not None and (method == "closed form" or alone or sharp):
            return known
    if method == "closed form":
        raise GantheoryError(
            f"no closed form of {kernel.name} between {p} and {q}; use method='auto'"
        )
    if single and (method == "auto" or p.dim > 2):
        found = by_affinity(kernel.known, p, q, wrt)
        if found is not None:
            return found
    if p.dim > 2 and on_the_line(p, q) is None:
        return _sampled(kernel, p, q, wrt)
    if wrt is None:
        return divergence_in_space(kernel, p, q)
    law, parameter = split_parameter(wrt)
    if law == "p":
        return divergence_in_space(kernel.exchanged(), q, p, parameter)
    return divergence_in_space(kernel, p, q, parameter)
