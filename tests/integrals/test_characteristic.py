"""MMD² of wide counts and Zipf laws, against closed forms and sums in many digits."""

import mpmath as mp
import numpy as np
import pytest

import gantheory as gt
from gantheory.integrals.transport.characteristic import _polylogarithm
from gantheory.integrals.transport.counted import mmd2_of_masses
from gantheory.integrals.transport.radial import KERNELS


def laplacian_of_geometric(a, b, h):
    """Σ_m of geometric series: X − Y is two-sided geometric."""
    x = mp.exp(-1 / mp.mpf(h))

    def mean(a, b):
        return a * b / (1 - (1 - a) * (1 - b)) * (
            1 / (1 - (1 - a) * x) + 1 / (1 - (1 - b) * x) - 1
        )  # fmt: skip

    return mean(a, a) + mean(b, b) - 2 * mean(a, b)


@pytest.mark.parametrize(
    ("a", "b", "h"),
    [(1e-9, 2e-9, 1.0), (1e-9, 1.0000001e-9, 3.0), (1.1e-12, 0.5, 2.0), (3e-8, 5e-8, 1e7)],
)
def test_wide_geometric_laws_have_the_laplacian_mmd_of_geometric_series(a, b, h):
    with mp.workdps(80):
        truth = laplacian_of_geometric(mp.mpf(a), mp.mpf(b), h)
        slope = mp.diff(lambda x: laplacian_of_geometric(x, mp.mpf(b), h), mp.mpf(a))
    for wrt, exact in ((None, truth), ("p.p", slope)):
        name = f"mmd2(kernel=laplacian, bandwidth={h})"
        found = gt.divergence(name, f"geometric({a!r})", f"geometric({b!r})", wrt=wrt)
        assert abs(found.value - exact) <= found.error < 1e-11 * abs(exact)


def gaussian_of_normals(pairs, h):
    """Of laws as wide as that a Poisson law is a normal one but for a share of 1/width."""
    total = 0.0
    for i, (m, v) in enumerate(pairs):
        for j, (n, w) in enumerate(pairs):
            s = h * h + v + w
            total += (1 if i == j else -1) * h / np.sqrt(s) * np.exp(-((m - n) ** 2) / (2 * s))
    return total


@pytest.mark.parametrize(("a", "b", "h"), [(1e9, 2e9, 1e4), (1e9, 1.00003e9, 1e4), (9e9, 8e9, 50)])
def test_wide_poisson_laws_have_nearly_the_mmd_of_normal_laws(a, b, h):
    found = gt.divergence(f"mmd2(bandwidth={h})", f"poisson({a!r})", f"poisson({b!r})")
    assert found.value == pytest.approx(gaussian_of_normals([(a, a), (b, b)], h), rel=1e-4)
    assert found.error < 1e-8 * found.value


PAIRS = [
    ("poisson(30)", "poisson(30.001)", "q.rate"),
    ("negative_binomial(2.5, 0.03)", "binomial(200, 0.7)", "p.r"),
    ("binomial(40, 0.99)", "binomial(50, 0.3)", "q.p"),
    ("geometric(0.4)", "negative_binomial(3.5, 0.4)", "q.p"),
    ("discrete([0.2, 0.3, 0.5])", "poisson(12)", None),
]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("h", [0.3, 2.0, 40.0])
def test_characteristic_functions_and_double_sums_agree(kernel, h):
    for p, q, wrt in PAIRS:
        for moved in {None, wrt}:
            name = f"mmd2(kernel={kernel}, bandwidth={h})"
            found = gt.divergence(name, p, q, wrt=moved)
            summed = mmd2_of_masses(gt.density(p), gt.density(q), KERNELS[kernel], h, moved)
            assert abs(found.value - summed.value) <= found.error + summed.error
            assert found.error < 1e-9 * abs(found.value)


def in_digits(s, t, h, start=100, lags=10):
    """MMD² of Zipf laws for a narrow Gaussian kernel, from Σ_k d_k d_(k+m), in many digits."""
    d = [mp.mpf(k) ** -s / mp.zeta(s) - mp.mpf(k) ** -t / mp.zeta(t) for k in range(1, 4 * start)]
    return mp.fsum(
        (2 - (m == 0)) * mp.exp(-(m**2) / (2 * h * h)) * mp.fsum(map(mp.fmul, d, d[m:]))
        for m in range(lags)
    )


@pytest.mark.parametrize(("s", "t"), [(3.0, 4.0), (7.9, 8.1), (5.25, 30.0)])
def test_zipf_laws_have_the_mmd_of_their_sums_and_its_slope(s, t):
    with mp.workdps(30):
        truth = in_digits(mp.mpf(s), mp.mpf(t), mp.mpf(1.5))
        step = mp.mpf(10) ** -10
        slope = (in_digits(s + step, mp.mpf(t), mp.mpf(1.5)) - truth) / step
    for wrt, exact in ((None, truth), ("p.exponent", slope)):
        found = gt.divergence("mmd2(bandwidth=1.5)", f"zipf({s})", f"zipf({t})", wrt=wrt)
        assert abs(found.value - exact) <= found.error + 1e-8 * abs(exact)
        assert found.error < 1e-9 * abs(exact)


@pytest.mark.parametrize("s", [1.001, 1.5, 7.99, 8.0, 30.0])
def test_the_characteristic_function_of_a_zipf_law_is_a_polylogarithm(s):
    def wave(s, t):
        return mp.polylog(s, mp.exp(1j * mp.mpf(t))) / mp.zeta(s)

    for t in (1e-20, 1e-5, 0.7, 3.1):
        (found,), (error,) = _polylogarithm(s, np.array([t]))
        (slope,), (off,) = _polylogarithm(s, np.array([t]), slope=True)
        with mp.workdps(40):
            x, step = mp.mpf(s), mp.mpf(10) ** -12
            exact, moved = wave(x, t), (wave(x + step, t) - wave(x, t)) / step
        assert abs(found - complex(exact)) <= error < 2e-14
        assert abs(slope - complex(moved)) <= off + 1e-8 * abs(slope) + 1e-20
