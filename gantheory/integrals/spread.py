r"""Divergences of products and of radial laws, by those of the laws on the line they are made of.

Two radial laws about one place differ by their radii alone: every f-divergence is that of the
radii. Of two products KL is the sum over the coordinates, and an affinity :math:`\int p^\alpha
q^{1-\alpha}` the product; where all coordinates but one are alike, that one decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from gantheory.densities import Density
from gantheory.densities.inherited import of_family
from gantheory.densities.spread import Product, Radial, of_radius
from gantheory.densities.univariate import Univariate
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.kernels.stable import kernel_of
from gantheory.records import Estimate, Status
from gantheory.rounding import EPS
from gantheory.wrt import split_parameter

METHOD = "coordinate by coordinate"
ADDED = ("kl_pq", "kl_qp", "jeffreys")
Line = Callable[[Kernel, Univariate, Univariate, str | None, str], Estimate]


def by_the_line(
    kernel: Kernel, p: Density, q: Density, wrt: str | None, method: str, line: Line
) -> Estimate | None:
    """Return what laws on the line decide of a divergence, or None where they do not.

    ``line`` answers for two of them.
    """
    if p.dim != q.dim:
        return None
    if of_family(p, Radial) and of_family(q, Radial) and p.loc == q.loc:
        return line(kernel, p.radius, q.radius, of_radius(wrt), method)
    if not (of_family(p, Product) and of_family(q, Product)):
        return None
    return _of_products(kernel, p, q, wrt, method, line)


def _of_products(
    kernel: Kernel, p: Product, q: Product, wrt: str | None, method: str, line: Line
) -> Estimate | None:
    pairs = list(zip(p.laws, q.laws, strict=True))
    moved, inner = _moved(p, q, wrt)
    if kernel.known in ADDED:
        if wrt is not None:
            return line(kernel, *pairs[moved], inner, method)
        return _added([line(kernel, *pair, None, method) for pair in pairs])
    differing = [k for k, (a, b) in enumerate(pairs) if a != b]
    if wrt is None and len(differing) <= 1:
        return line(kernel, *pairs[differing[0] if differing else 0], None, method)
    if wrt is not None and set(differing) <= {moved}:
        return line(kernel, *pairs[moved], inner, method)
    if wrt is None and kernel.known is not None:
        return _by_affinity(kernel, pairs, method, line)
    return None


def _moved(p: Product, q: Product, wrt: str | None) -> tuple[int, str | None]:
    if wrt is None:
        return 0, None
    law, name = split_parameter(wrt)
    k, parameter = (p if law == "p" else q).coordinate(name)
    return k, f"{law}.{parameter}"


def _added(parts: list[Estimate]) -> Estimate:
    for status in (Status.INFINITE, Status.UNDETERMINED):
        if (found := next((part for part in parts if part.status is status), None)) is not None:
            return found
    value = math.fsum(part.value for part in parts)
    error = math.fsum(part.error for part in parts) + EPS * value
    worst = next((part for part in parts if part.status is not Status.OK), parts[0])
    log = math.log(value) if value > 0 else None
    return Estimate(value, error, worst.status, METHOD, worst.reason, log_value=log,
                    evaluations=sum(part.evaluations for part in parts))  # fmt: skip


def _by_affinity(
    kernel: Kernel, pairs: list[tuple[Univariate, Univariate]], method: str, line: Line
) -> Estimate | None:
    """Return what the product of the coordinates' affinities decides: powers, H² and its gap."""
    name = str(kernel.known)
    if name in ("hellinger2", "bc"):
        scale = Fraction(-1)
        parts = [line(kernel_of("hellinger2"), *pair, None, method) for pair in pairs]
    else:
        power = getattr(kernel.entry, "power", None)
        if power is None:
            return None
        scale = power[1] / (power[0] * (power[0] - 1))
        parts = [line(kernel, *pair, None, method) for pair in pairs]
    known = _added(parts)
    if not known.is_finite:
        return known
    # A = 1 + D/scale in every coordinate, and so in all of them
    log, error = 0.0, 0.0
    for part in parts:
        step = part.value / float(scale)
        if step <= -1:
            return Estimate.undetermined("an affinity is below the range of binary64", METHOD)
        log += math.log1p(step)
        error += (part.error / abs(float(scale)) + EPS * abs(step)) / (1 + step)
    if name == "bc":
        value, off = math.exp(log), math.exp(log) * (error + EPS * (1 + abs(log)))
    else:
        if log > 700:
            return Estimate.undetermined("finite, but beyond the range of binary64", METHOD)
        value = float(scale) * math.expm1(log)
        off = abs(float(scale)) * math.exp(log) * error * 1.01 + 4 * EPS * abs(value)
    answer = replace(known, value=value, error=off)
    return replace(answer, log_value=math.log(value) if value > 0 else None)
