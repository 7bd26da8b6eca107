"""MMD of laws on the line and of counts, against characteristic functions and written-out sums."""

import math

import numpy as np
import pytest
from scipy.special import k0

from gantheory import divergence, samples
from gantheory.densities import parse_density
from gantheory.errors import GantheoryError
from gantheory.integrals.transport.embeddings import mmd2_on_the_line
from gantheory.integrals.transport.normal_sums import MEANS, mmd2_of_normals
from gantheory.integrals.transport.radial import KERNELS
from gantheory.records import Status

SPECTRA = {  # densities of which the kernels of bandwidth 1 are characteristic functions
    "gaussian": lambda w: np.exp(-w * w / 2) / math.sqrt(2 * math.pi),
    "laplacian": lambda w: 1 / (math.pi * (1 + w * w)),
    "imq": lambda w: k0(w) / math.pi,
}
CUTS = np.concatenate(
    [np.geomspace(1e-14, 1, 30), np.arange(3, 400, 2), np.geomspace(400, 1e9, 30)]
)
FORMS = {
    "gaussian": lambda d: np.exp(-d * d / 2),
    "laplacian": lambda d: np.exp(-np.abs(d)),
    "imq": lambda d: 1 / np.sqrt(1 + d * d),
}


def drawn(rng):
    """Return a law's text and its characteristic function."""
    m, s, k = rng.normal(), math.exp(rng.normal() / 2), rng.uniform(0.2, 4)
    return [
        (f"normal({m}, {s})", lambda w: np.exp(1j * m * w - (s * w) ** 2 / 2)),
        (f"laplace({m}, {s})", lambda w: np.exp(1j * m * w) / (1 + (s * w) ** 2)),
        (f"gamma({k}, {s})", lambda w: (1 - 1j * s * w) ** -k),
        (f"cauchy({m}, {s})", lambda w: np.exp(1j * m * w - s * abs(w))),
    ][rng.integers(4)]


@pytest.mark.parametrize("kernel", KERNELS)
def test_mmd_on_the_line_is_a_distance_of_characteristic_functions(kernel):
    rng = np.random.default_rng(len(kernel))
    h = math.exp(rng.uniform(-1, 2))
    (p, of_p), (q, of_q) = drawn(rng), drawn(rng)
    x, weight = np.polynomial.legendre.leggauss(30)
    half = np.diff(CUTS)[:, None] / 2
    w = CUTS[:-1, None] + half * (1 + x)
    with np.errstate(under="ignore"):
        apart = np.abs(of_p(w / h) - of_q(w / h)) ** 2
    truth = 2 * math.fsum((half * weight * apart * SPECTRA[kernel](w)).ravel())
    found = divergence(f"mmd2(kernel={kernel}, bandwidth={h!r})", p, q)
    assert abs(found.value - truth) <= found.error + 1e-11
    assert found.error < 1e-11


@pytest.mark.parametrize(
    ("ends", "h"), [((5, 60), 1.0), ((5, 60), 0.03), ((0, 5), 0.1), ((0.3, 17), 0.4)]
)
def test_the_slowly_falling_kernel_of_two_uniform_laws_is_integrated_twice(ends, h):
    """G(u) = h (u asinh(u/h) − √(u² + h²)) has the second derivative 1/√(1 + u²/h²)."""

    def mean(a, b, c, d):
        total = sum(
            sign * h * (u * math.asinh(u / h) - math.hypot(u, h))
            for u, sign in ((d - a, 1), (c - a, -1), (d - b, -1), (c - b, 1))
        )
        return total / ((b - a) * (d - c))

    truth = mean(0, 1, 0, 1) + mean(*ends, *ends) - 2 * mean(*ends, 0, 1)
    q = f"uniform({ends[0]}, {ends[1]})"
    found = divergence(f"mmd2(kernel=imq, bandwidth={h})", "uniform(0, 1)", q)
    assert abs(found.value - truth) <= found.error + 1e-14
    assert found.error < 1e-8


PAIRS = [
    ("uniform(-1, 2)", "beta(0.4, 0.7)"),
    ("mixture(0.5*normal(-3, 0.01) + 0.5*uniform(2, 5))", "student_t(1.5, 0.2, 2)"),
    ("triangular(0, 1, 4)", "mixture(0.3*uniform(0, 1) + 0.7*uniform(3, 4))"),
]


def test_mmd_of_laws_is_that_of_their_quantiles_in_the_limit():
    n = 1000
    levels = (np.arange(n) + 0.5) / n
    for (p, q), kernel, h in zip(PAIRS, KERNELS, (0.05, 1.0, 8.0), strict=True):
        found = divergence(f"mmd2(kernel={kernel}, bandwidth={h})", p, q)
        x, y = (parse_density(law).ppf(levels) for law in (p, q))
        k = FORMS[kernel]
        near = sum(
            sign * k((a[:, None] - b) / h).mean()
            for a, b, sign in ((x, x, 1), (y, y, 1), (x, y, -2))
        )
        assert found.value == pytest.approx(near, rel=6e-3)
        assert 0 < found.error < 1e-11


@pytest.mark.parametrize(
    ("law", "parameter", "kernel"),
    [("uniform(-0.5, {})", "b", "laplacian"), ("gamma({}, 0.7)", "shape", "gaussian")],
)
def test_the_derivative_of_mmd_is_a_difference_of_values(law, parameter, kernel):
    at, step = 1.2, 1e-3
    name = f"mmd2(kernel={kernel}, bandwidth=0.8)"
    far, near = (
        (
            divergence(name, "laplace(0, 1)", law.format(at + e)).value
            - divergence(name, "laplace(0, 1)", law.format(at - e)).value
        )
        / (2 * e)
        for e in (2 * step, step)
    )
    found = divergence(name, "laplace(0, 1)", law.format(at), wrt=f"q.{parameter}")
    assert found.value == pytest.approx((4 * near - far) / 3, abs=1e-9)
    assert found.error < 1e-11


@pytest.mark.parametrize("kernel", KERNELS)
def test_mmd_of_counts_is_a_double_sum(kernel):
    p, q = parse_density("poisson(2.5)"), parse_density("negative_binomial(3, 0.4)")
    k = np.arange(120)
    apart = p.pdf(k) - q.pdf(k)
    truth = apart @ FORMS[kernel]((k[:, None] - k) / 1.7) @ apart
    name = f"mmd2(kernel={kernel}, bandwidth=1.7)"
    found = divergence(name, p, q)
    assert abs(found.value - truth) <= found.error + 1e-15
    assert found.error < 1e-12
    slope = divergence(name, p, q, wrt="q.p")
    values = [divergence(name, p, f"negative_binomial(3, {0.4 + e})").value for e in (1e-5, -1e-5)]
    assert slope.value == pytest.approx((values[0] - values[1]) / 2e-5, abs=1e-8)
    wide = divergence(name, "poisson(3000)", "poisson(3100)")  # by convolution
    k = np.arange(2000, 4200)
    apart = np.subtract(*(parse_density(f"poisson({rate})").pdf(k) for rate in (3000, 3100)))
    assert abs(wide.value - apart @ FORMS[kernel]((k[:, None] - k) / 1.7) @ apart) <= wide.error


def test_equal_laws_have_no_mmd_and_scales_far_apart_stay_honest():
    same = divergence("mmd2(kernel=imq)", "gamma(2, 1)", "gamma(2, 1)")
    assert (same.value, same.error) == (0.0, 0.0)
    for h, s in ((1e-4, 1.0), (1.0, 1e-6)):
        p, q = f"normal(0, {s})", f"normal({s}, {2 * s})"
        exact = divergence(f"mmd2(bandwidth={h})", p, q)
        found = divergence(f"mmd2(bandwidth={h})", f"affine({p}, 0, 1)", q)
        assert found.status in (Status.OK, Status.ILL_CONDITIONED)
        assert abs(found.value - exact.value) <= found.error + exact.error
        assert found.error < 1e-6 * found.value


@pytest.mark.parametrize(
    ("name", "p", "q", "said"),
    [
        ("mmd2(bandwith=2)", "normal(0, 1)", "gamma(2, 1)", "did you mean 'bandwidth'"),
        ("mmd2(2)", "normal(0, 1)", "gamma(2, 1)", "written like mmd2(kernel=...)"),
        ("mmd2(kernel=cubic)", "normal(0, 1)", "gamma(2, 1)", "unknown kernel 'cubic'"),
        ("mmd2(bandwidth=0)", "normal(0, 1)", "gamma(2, 1)", "must be positive"),
        ("mmd2", "normal_nd((0, 0), ((1, 0), (0, 1)))", "poisson(3)", "two laws of counts"),
    ],
)
def test_options_that_mean_nothing_are_refused_in_one_line(name, p, q, said):
    with pytest.raises(GantheoryError, match=r"^[^\n]*$") as caught:
        divergence(name, p, q)
    assert said in str(caught.value)


def test_options_reach_samples_too():
    x, y = np.arange(5.0), np.arange(3.0) / 2
    found = divergence("MMD²(kernel='laplace', bandwidth=2)", x, y)
    forms = ((x, x, 1), (y, y, 1), (x, y, -2))
    truth = sum(s * np.exp(-np.abs(a[:, None] - b) / 2).mean() for a, b, s in forms)
    assert found.value == pytest.approx(truth, abs=1e-14)
    assert found.value == divergence("mmd2(kernel=laplacian, bandwidth=2)", samples(x), y).value


@pytest.mark.parametrize("seed", range(2))
def test_closed_forms_of_normals_and_the_integral_of_the_witness_agree(seed):
    rng = np.random.default_rng(seed)
    weight, h = rng.uniform(), math.exp(1.5 * rng.normal())
    a, b, c = (f"normal({rng.normal()}, {math.exp(rng.normal())})" for _ in range(3))
    p, q = map(parse_density, (f"mixture({weight}*{a} + {1 - weight}*{b})", c))
    for kernel in MEANS:
        for wrt in (None, "q.loc", "p.components[1].scale"):
            known = mmd2_of_normals(p, q, kernel, h, wrt)
            found = mmd2_on_the_line(p, q, KERNELS[kernel], h, wrt)
            if known is not None:  # None: it cancels too far
                assert abs(known.value - found.value) <= known.error + found.error
                assert known.error <= 1e-10 * abs(known.value)
