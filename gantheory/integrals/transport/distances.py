"""Distances that move mass or compare kernels: W2, energy distance and MMD, with derivatives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import mpmath
from flint import acb, acb_mat, arb, ctx

from gantheory.densities import Density, parse_density
from gantheory.densities.discrete import Discrete
from gantheory.densities.inherited import of_family
from gantheory.densities.mixing import AnyMixture
from gantheory.densities.normal import Normal
from gantheory.densities.plane import Spatial
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError, NoRuleError
from gantheory.integrals.counting.sums import has_masses
from gantheory.integrals.plane.exactly import converged_ball, normal_parts, rounded, smallest_width
from gantheory.integrals.transport.counts import transport_of_counts
from gantheory.integrals.transport.masses import energy_of_masses, wasserstein_of_masses
from gantheory.integrals.transport.quantiles import w2_line
from gantheory.integrals.transport.radial import RadialKernel, kernel_named
from gantheory.records import Estimate
from gantheory.rounding import EPS
from gantheory.wrt import split_parameter

CLOSED = "closed form"
FEW = 30  # components up to which the closed form of all pairs is quick in many digits
SOME = 200  # up to which it takes seconds, as an integral does


def w2(p: Density | str, q: Density | str, wrt: str | None = None) -> Estimate:
    r"""Return the 2-Wasserstein distance of two laws on the line, or of two normals anywhere.

    On the line :math:`W_2^2=\int_0^1(F_p^{-1}-F_q^{-1})^2`; between normals
    :math:`W_2^2=\|m_p-m_q\|^2+\mathrm{tr}(Σ_p+Σ_q-2(Σ_q^{1/2}Σ_pΣ_q^{1/2})^{1/2})`.

    Source: C. R. Givens, R. M. Shortt (1984), Michigan Mathematical Journal 31(2).

    >>> w2("normal(0, 1)", "normal(3, 5)").value
    5.0
    """
    p, q = parse_density(p), parse_density(q)
    if isinstance(p, Univariate) and isinstance(q, Univariate):
        return w2_line(p, q, wrt)
    if of_family(p, Discrete) and of_family(q, Discrete) and wrt is None:
        return wasserstein_of_masses(2, p, q)
    if has_masses(p) and has_masses(q):
        return transport_of_counts("w2", p, q, wrt)
    _check_normals(p, q)
    assert isinstance(p, Spatial)
    assert isinstance(q, Spatial)
    value = _w2_of_normals(p, q)
    if wrt is None:
        return value
    law, name = split_parameter(wrt)
    return _w2_slope(*((p, q) if law == "q" else (q, p)), name, value)


def _w2_of_normals(p: Spatial, q: Spatial) -> Estimate:
    """Return W2 by the eigenvalues of L_qᵀΣ_pL_q, whose roots are summed; L_qL_qᵀ = Σ_q.

    The digits are doubled until two rounds agree.
    """
    found = [_w2_in_digits(p, q, digits) for digits in (60, 120)]
    digits = 120
    while abs(found[-1] - found[-2]) > 1e-18 * abs(found[-1]) and digits < 500:
        digits *= 2
        found.append(_w2_in_digits(p, q, digits))
    value = float(found[-1])
    return Estimate(value, EPS * value + float(abs(found[-1] - found[-2])), method=CLOSED)


def _w2_in_digits(p: Spatial, q: Spatial, digits: int) -> Any:
    with mpmath.workdps(digits), ctx.workdps(digits):
        (mean, ours), (other, theirs) = _moments(p), _moments(q)
        factor = mpmath.cholesky(theirs)
        roots = mpmath.eigsy(factor.T * ours * factor, eigvals_only=True)
        shared = sum(mpmath.sqrt(max(root, 0)) for root in roots)
        apart = sum((x - y) ** 2 for x, y in zip(mean, other, strict=True))
        traces = sum(ours[k, k] + theirs[k, k] for k in range(p.dim))
        return mpmath.sqrt(max(apart + traces - 2 * shared, mpmath.mpf(0)))


def _moments(law: Spatial, name: str | None = None) -> tuple[list[Any], Any]:
    """Return mean and covariance in many digits, or their derivatives in a parameter."""
    step = arb(2) ** -(2 * ctx.prec)
    ((_, mean, cov),) = normal_parts(law, name, acb(0, step) if name else 0)

    def number(x: Any) -> Any:
        kept = (x.imag / step if name else x.real).mid()
        return mpmath.mpf(kept.str(mpmath.mp.dps + 5, radius=False))

    return [number(x) for x in mean], mpmath.matrix([[number(x) for x in row] for row in cov])


def _w2_slope(p: Spatial, q: Spatial, name: str, value: Estimate) -> Estimate:
    """Return ∂W2 = [2(m_q − m_p)·m' + tr (I − T)Σ']/(2 W2), T the matrix that moves q onto p.

    The digits are doubled until two rounds agree.
    """
    if value.value <= value.error:
        return Estimate.undetermined("W2 has a kink where the two laws are equal; move one of them")
    digits = 60
    found = [_w2_slope_in_digits(p, q, name, digits)]
    while digits < 500:
        digits *= 2
        found.append(_w2_slope_in_digits(p, q, name, digits))
        if abs(found[-1] - found[-2]) <= 1e-18 * abs(found[-1]) + mpmath.mpf(10) ** -300:
            break
    slope = float(found[-1])
    error = EPS * abs(slope) + float(abs(found[-1] - found[-2]))
    return Estimate(slope, error, method=CLOSED)


def _w2_slope_in_digits(p: Spatial, q: Spatial, name: str, digits: int) -> Any:
    """Return the slope; with Σ_q = LLᵀ the matrix T is L⁻ᵀ (LᵀΣ_pL)^½ L⁻¹."""
    whole = _w2_in_digits(p, q, digits)
    with mpmath.workdps(digits), ctx.workdps(digits):
        (mean, ours), (other, theirs) = _moments(p), _moments(q)
        speed, growth = _moments(q, name)
        factor = mpmath.cholesky(theirs)
        squares, turn = mpmath.eigsy(factor.T * ours * factor)
        roots = mpmath.diag([mpmath.sqrt(max(x, 0)) for x in squares])
        inverse = factor**-1
        transport = inverse.T * turn * roots * turn.T * inverse
        means = sum(2 * (y - x) * v for x, y, v in zip(mean, other, speed, strict=True))
        widths = (mpmath.eye(p.dim) - transport) * growth
        return (means + sum(widths[k, k] for k in range(p.dim))) / (2 * whole)


def energy_distance(p: Density | str, q: Density | str, wrt: str | None = None) -> Estimate:
    r"""Return the energy distance 2 E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖ (its square root is a metric).

    In closed form for normals and their mixtures; on the line it is 2∫(F_p − F_q)² for any laws,
    with derivatives.

    Source: G. J. Székely, M. L. Rizzo (2013), Journal of Statistical Planning and Inference 143(8).

    >>> round(energy_distance("normal(0, 1)", "normal(1, 1)").value, 12)
    0.541806579306
    """
    p, q = parse_density(p), parse_density(q)
    if of_family(p, Discrete) and of_family(q, Discrete) and wrt is None:
        return energy_of_masses(p, q)
    if has_masses(p) and has_masses(q):
        return transport_of_counts("energy", p, q, wrt)
    few = all(map(_is_of_few_normals, (p, q)))
    if isinstance(p, Univariate) and isinstance(q, Univariate) and not few:
        from gantheory.integrals.transport.energies import energy_on_the_line
        from gantheory.integrals.transport.energy_slopes import energy_slope

        return energy_slope(p, q, wrt) if wrt else energy_on_the_line(p, q)
    return _kernel_distance(p, q, wrt, _mean_distance, -1.0, "energy distance")


def mmd2(
    p: Density | str,
    q: Density | str,
    bandwidth: float = 1.0,
    wrt: str | None = None,
    *,
    kernel: str = "gaussian",
) -> Estimate:
    r"""Return MMD² = E k(X, X') + E k(Y, Y') − 2 E k(X, Y), k a function of ‖x − y‖/bandwidth.

    Between any two laws on the line, or two laws of counts. In space, between normals and their
    mixtures with the Gaussian kernel, where each expectation is
    (h^n/√det(h²I + Σ + Σ')) exp(−½ δᵀ(h²I + Σ + Σ')⁻¹δ).

    Args:
        p, q: the laws.
        bandwidth: h.
        wrt: a parameter to differentiate in, like ``"q.loc"``.
        kernel: ``"gaussian"``, ``"laplacian"`` or ``"imq"`` (inverse multiquadric).

    Source: A. Gretton et al. (2012), Journal of Machine Learning Research 13.

    >>> mmd2("normal(0, 1)", "normal(0, 1)").value
    0.0
    """
    radial = kernel_named(kernel, bandwidth)
    p, q = parse_density(p), parse_density(q)
    if has_masses(p) and has_masses(q):
        from gantheory.integrals.transport.counted import mmd2_of_counts

        return mmd2_of_counts(p, q, radial, bandwidth, wrt)
    closed = radial.name == "gaussian" and all(map(_is_of_few_normals, (p, q)))
    if isinstance(p, Univariate) and isinstance(q, Univariate) and not closed:
        return _mmd2_on_the_line(p, q, radial, bandwidth, wrt)
    if radial.name != "gaussian":
        raise NoRuleError(
            f"mmd2 of {p} and {q}: with kernel={radial.name!r} it is known on the line, of counts "
            "and of samples; take kernel='gaussian', or samples(law.sample(0, 1000))"
        )
    return _kernel_distance(p, q, wrt, partial(_mean_kernel, bandwidth), 1.0, "mmd2")


def _mmd2_on_the_line(
    p: Univariate, q: Univariate, kernel: RadialKernel, bandwidth: float, wrt: str | None
) -> Estimate:
    """Return MMD² by the closed form of all pairs of normals, or by an integral."""
    from gantheory.integrals.transport.embeddings import mmd2_on_the_line
    from gantheory.integrals.transport.normal_sums import MEANS, mmd2_of_normals

    if kernel.name in MEANS and p != q and all(map(_is_of_normals, (p, q))):
        known = mmd2_of_normals(p, q, kernel.name, bandwidth, wrt)
        if known is not None:
            return known
        if kernel.name == "gaussian" and all(len(_leaves(law)) <= SOME for law in (p, q)):
            return _kernel_distance(p, q, wrt, partial(_mean_kernel, bandwidth), 1.0, "mmd2")
    return mmd2_on_the_line(p, q, kernel, bandwidth, wrt)


def _kernel_distance(
    p: Density | str,
    q: Density | str,
    wrt: str | None,
    mean: Callable[[list[Any], list[list[Any]]], Any],
    sign: float,
    name: str,
) -> Estimate:
    """Return ± Σ c_i c_j E k(X_i, X_j) over the signed mixture p − q, or its derivative."""
    laws = [_normals_of(parse_density(law), name, wrt) for law in (p, q)]
    dims = {max(law.dim, 1) for law in laws}
    if len(dims) > 1:
        raise GantheoryError(f"{name}: {p} and {q} have different dimensions")
    if wrt is None and laws[0] == laws[1]:
        return Estimate(0.0, method=CLOSED)
    moved, parameter = split_parameter(wrt) if wrt else (None, "")

    def compute() -> Any:
        step = (
            arb(2) ** -(ctx.prec // 3) * smallest_width(laws["pq".index(moved)])
            if moved
            else arb(0)
        )
        signed = [
            (side * weight, place, covariance)
            for law, side, own in zip(laws, (1, -1), "pq", strict=True)
            for weight, place, covariance in (
                normal_parts(law, parameter, acb(0, step)) if own == moved else normal_parts(law)
            )
        ]
        total = acb(0)
        for i, (a, x, s) in enumerate(signed):
            for j, (b, y, t) in enumerate(signed[: i + 1]):
                apart = [c - d for c, d in zip(x, y, strict=True)]
                both = [[c + d for c, d in zip(*r, strict=True)] for r in zip(s, t, strict=True)]
                total += sign * a * b * mean(apart, both) * (1 if i == j else 2)
        return total.imag / step if moved else total.real

    ball, sure = converged_ball(compute)
    value, error = rounded(ball)
    log = float(ball.log().mid()) if value > 0 and sure else None
    return Estimate(value, error if sure else error + abs(value), method=CLOSED, log_value=log)


def _is_of_normals(law: Density) -> bool:
    return of_family(law, Spatial) or all(of_family(part, Normal) for part in _leaves(law))


def _is_of_few_normals(law: Density) -> bool:
    """Whether a closed form, of as many terms as there are pairs of components, is of use."""
    few = isinstance(law, Spatial) or len(_leaves(law)) <= FEW
    return few and _is_of_normals(law)


def _normals_of(law: Density, name: str, wrt: str | None) -> Density:
    if _is_of_normals(law):
        return law
    if wrt and law.dim <= 1:
        raise GantheoryError(
            f"the derivative of the {name} of {law}: it is known for normals, their mixtures and "
            "counts; take differences of values at two parameters"
        )
    raise NoRuleError(
        f"{name} of {law}: it is known between two laws on the line, two laws of counts, and two "
        "normals or mixtures of them in space; else draw samples: samples(law.sample(0, 1000))"
    )


def _leaves(law: Density) -> list[Density]:
    if not of_family(law, AnyMixture):
        return [law]
    return [leaf for part in law.parts for leaf in _leaves(part)]


def _mean_kernel(bandwidth: float, delta: list[Any], covariance: list[list[Any]]) -> Any:
    square = arb(bandwidth) ** 2
    total = acb_mat(
        [[x / square + (i == j) for j, x in enumerate(row)] for i, row in enumerate(covariance)]
    )
    column = acb_mat([[x] for x in delta])
    exponent = (column.transpose() * total.solve(column))[0, 0] / square
    return (-exponent / 2).exp() / total.det().sqrt()


def _mean_distance(delta: list[Any], covariance: list[list[Any]]) -> Any:
    """Return E‖δ + Z‖ for Z ~ N(0, Σ): on the line by erf, and for isotropic Σ by Kummer's M."""
    size, variance = len(delta), covariance[0][0]
    if size == 1:
        d, s = delta[0], variance.sqrt()
        z = d / (s * arb(2).sqrt())
        return s * (arb(2) / arb.pi()).sqrt() * (-z * z).exp() + d * z.erf()
    for i, row in enumerate(covariance):
        for j, x in enumerate(row):
            if not (x - (variance if i == j else 0)).overlaps(acb(0)):
                raise NoRuleError("energy distance: in the plane only isotropic normals are known")
    # the mean of a noncentral chi variable
    ratio = -sum(d * d for d in delta) / (2 * variance)
    gammas = (arb(size + 1) / 2).gamma() / (arb(size) / 2).gamma()
    return (2 * variance).sqrt() * gammas * ratio.hypgeom_1f1(acb(-0.5), acb(size) / 2)


def _check_normals(p: Density, q: Density) -> None:
    if not (of_family(p, Spatial) and of_family(q, Spatial)) or p.dim != q.dim:
        raise NoRuleError(f"w2 of {p} and {q}: two laws on the line, or two normals, needed")
    if len(p.weights) > 1 or len(q.weights) > 1:
        raise NoRuleError("w2 of mixtures in the plane has no closed form")
