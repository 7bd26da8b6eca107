"""The plane, more dimensions and masses: boxes find every mode, sampling says what it is."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gantheory import GantheoryError, Status
from gantheory.densities import density, parse_density
from gantheory.densities.sampled import own_density_nd
from gantheory.integrals import divergence
from gantheory.integrals.kernels.stable import kernel_of
from gantheory.integrals.montecarlo import by_sampling
from gantheory.integrals.plane.boxes import divergence_in_space

RING = "ring_mixture_2d(8, 2, 0.02)"
ROUND = "normal_2d_iso((0, 0), 1)"

# Two methods that agree to 1e-23 (trapezoid at two steps, closed forms), computed elsewhere
KNOWN = [
    (RING, ROUND, "kl_pq", 6.74500446917645618898580521145),
    (RING, ROUND, "jsd", 0.684401377720529887736807071762),
    (RING, ROUND, "jsd_gap", 0.00874580283941542168042504969647),
    (RING, ROUND, "triangular", 1.98657613797479132638713357075),
    (ROUND, "normal_2d_iso((1.2, 1.6), 1)", "jsd", 0.336830820346831612004804799983),
]


@pytest.mark.parametrize(("p", "q", "name", "value"), KNOWN)
def test_ring_and_round_normals_meet_the_reference(p, q, name, value):
    found = divergence(name, p, q)
    assert found.value == pytest.approx(value, rel=1e-12)
    assert abs(found.value - value) <= 10 * found.error
    assert found.error <= 1e-10 * value


@pytest.mark.parametrize("kept", [1, 4, 7])
def test_dropping_modes_is_the_closed_form_of_disjoint_modes(kept):
    n = 8
    found = divergence("jsd", RING, f"ring_mixture_2d(8, 2, 0.02, keep={list(range(kept))})")
    gap = kept / 2 * (math.log1p(n / kept) / n + math.log1p(kept / n) / kept)
    # n·(1/n) and k·(1/k) masses meet on k modes: log 2 minus what they share
    shared = 0.5 * (kept / n * math.log(1 + n / kept) + math.log(1 + kept / n))
    assert gap == pytest.approx(shared)
    assert found.value == pytest.approx(math.log(2) - shared, rel=1e-11)
    assert found.value != pytest.approx(math.log(2), rel=1e-2)


def test_a_grid_of_twenty_five_narrow_modes_is_found_whole():
    grid = parse_density("grid_mixture_2d(5, 2, 0.1)")
    found = divergence("jsd_gap", grid, "normal_2d_iso((0, 0), 3)")
    sampled = by_sampling(kernel_of("jsd_gap"), grid, parse_density("normal_2d_iso((0, 0), 3)"),
                          seed=3, draws=100_000, error_probability=1e-8)  # fmt: skip
    assert abs(found.value - sampled.value) <= sampled.error
    assert found.error <= 1e-10 * found.value
    assert sampled.error < 0.1 * found.value


def test_equal_covariances_reduce_to_the_line_in_any_dimension():
    covariance = ((2, 0.5, 0), (0.5, 1, 0.2), (0, 0.2, 3))
    p = f"normal_nd((0, 0, 0), {covariance})"
    q = f"normal_nd((1, -1, 2), {covariance})"
    delta = np.array([1, -1, 2.0])
    distance = math.sqrt(delta @ np.linalg.solve(np.array(covariance, float), delta))
    line = divergence("jsd", "normal(0, 1)", f"normal({distance!r}, 1)")
    assert divergence("jsd", p, q).value == pytest.approx(line.value, rel=1e-13)
    assert divergence("kl_pq", p, q).value == pytest.approx(distance**2 / 2, rel=1e-13)


@pytest.mark.parametrize("name", ["kl_pq", "kl_qp", "jeffreys", "bc", "hellinger2"])
def test_closed_forms_of_normals_agree_with_boxes(name):
    p = parse_density("normal_nd((0, 0), ((1, 0.3), (0.3, 0.5)))")
    q = parse_density("normal_nd((1, 0.5), ((2, -0.4), (-0.4, 1)))")
    formula = divergence(name, p, q, method="closed form")
    boxes = divergence_in_space(kernel_of(name), p, q)
    assert abs(formula.value - boxes.value) <= formula.error + boxes.error
    swapped = divergence(name, q, p)
    symmetric = name in ("jeffreys", "bc", "hellinger2")
    assert (swapped.value == pytest.approx(formula.value, rel=1e-9)) is symmetric


def test_the_derivative_in_a_scale_is_the_slope_of_the_values():
    p, step = "ring_mixture_2d(8, 2, 0.5)", 1e-3
    at = [divergence("jsd", p, f"normal_2d_iso((0, 0), {1 + k * step})").value for k in (-1, 1)]
    found = divergence("jsd", p, "normal_2d_iso((0, 0), 1)", wrt="q.scale")
    assert found.value == pytest.approx((at[1] - at[0]) / (2 * step), rel=1e-5)


def test_the_interval_of_sampling_holds_the_truth_as_often_as_it_says():
    # 200 seeds at 95%: fewer than 175 hits has probability below 2e-6 for an honest interval
    p, q = parse_density("ring_mixture_2d(8, 2, 0.2)"), parse_density(ROUND)
    kernel = kernel_of("jsd")
    truth = divergence_in_space(kernel, p, q).value
    own = [own_density_nd(law.logpdf, law.sample, dim=2) for law in (p, q)]  # no structure known
    found = [
        by_sampling(kernel, *own, seed=seed, draws=2000, error_probability=0.05)
        for seed in range(200)
    ]
    hits = sum(abs(one.value - truth) <= one.error for one in found)
    narrow = sum(abs(one.value - truth) <= one.error / 5 for one in found)
    assert hits >= 175
    assert narrow < 175  # a fifth of the width would be refuted
    assert {one.method for one in found} == {"monte carlo"}
    assert {one.error_probability for one in found} == {0.05}


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(0.5, 2), st.floats(0, 3))
def test_rotation_changes_nothing(x, y, scale, angle):
    c, s = math.cos(angle), math.sin(angle)
    shape = np.diag([scale, 1.0])
    turn = np.array([[c, -s], [s, c]])
    turned = turn @ shape @ turn.T
    turned = 0.5 * (turned + turned.T)
    first = divergence("triangular", ROUND, density("normal_nd", loc=(x, y), cov=shape.tolist()))
    place = tuple(turn @ [x, y])
    second = divergence("triangular", ROUND, density("normal_nd", loc=place, cov=turned.tolist()))
    assert abs(first.value - second.value) <= 1e-9 * first.value + first.error + second.error


def test_masses_are_summed_with_what_is_missing():
    p, q = "discrete([0.5, 0.5, 0])", "discrete([0.25, 0.25, 0.5])"
    assert divergence("kl_pq", p, q).value == pytest.approx(math.log(2), rel=1e-15)
    missing = divergence("kl_qp", p, q)
    assert missing.status is Status.INFINITE
    assert "p = 0" in missing.reason
    assert divergence("tv", p, q).value == pytest.approx(0.5, rel=1e-15)
    assert divergence("jsd", "discrete([1, 0])", "discrete([0, 1])").value == math.log(2)
    assert divergence("pearson_chi2", "discrete([0.2, 0.8])", "discrete([0.5, 0.5])").value == (
        pytest.approx(0.36, rel=1e-14)
    )


@pytest.mark.parametrize(
    ("p", "q", "word"),
    [
        (ROUND, "normal(0, 1)", "dimension"),
        (ROUND, "normal_2d_iso((0, 0, 0), 1)", "2 numbers"),
        (ROUND, "normal_nd((0, 0), ((1, 2), (2, 1)))", "positive definite"),
        (ROUND, "normal_nd((0, 0), ((1, 0), (2, 1)))", "symmetric"),
        (RING, "ring_mixture_2d(8, 2, 0.02, keep=[8])", "0 to 7"),
        (RING, "ring_mixture_2d(8, 2, -1)", "scale=-1"),
        ("discrete([0.5, 0.4])", "discrete([0.5, 0.5])", "sum to 0.9"),
        ("discrete([1.5, -0.5])", "discrete([0.5, 0.5])", ">= 0"),
    ],
)
def test_bad_laws_are_named(p, q, word):
    with pytest.raises(GantheoryError, match=word):
        divergence("jsd", p, q)


def test_a_law_without_structure_is_sampled_and_labelled_so():
    law = parse_density("normal_2d_iso((1, 0), 1)")
    found = divergence("jsd", ROUND, own_density_nd(law.logpdf, law.sample, dim=2))
    assert found.method == "monte carlo"
    assert 0 < found.error_probability <= 0.05
    assert abs(found.value - 0.11142148218473618) <= 3 * found.error
    with pytest.raises(GantheoryError, match="log-density"):
        divergence("jsd", ROUND, own_density_nd(lambda x: x, law.sample, dim=2))


@pytest.mark.parametrize(
    "text",
    [RING, ROUND, "ring_mixture_2d(8, 2, 0.02, keep=[0, 3])", "discrete([0.5, 0.5])",
     "normal_nd((0, 1), ((1, 0), (0, 2)))", "mixture(0.5*normal_2d_iso((0, 0), 1) + "
     "0.5*normal_2d_iso((3, 0), 2))"],
)  # fmt: skip
def test_a_law_reads_back_what_it_writes(text):
    law = parse_density(text)
    assert str(parse_density(str(law))) == str(law)
    draws = law.sample(0, 5)
    assert np.all(np.isfinite(law.logpdf(draws)))


RIDGES = (
    "mixture(0.5*normal_nd((0, 0), ((1, 0), (0, 2))) + 0.5*normal_nd((1, 0), ((2, 0), (0, 1))))"
)
OVERLAPPING = (
    "mixture(0.5*normal_nd((0, 0), ((1.2, 0), (0, 2))) + 0.5*normal_nd((0, 0), ((2, 0), (0, 1.2))))"
)


def on_a_grid(function, p, q, reach=20.0, count=1601):
    """The sum over a fine grid: exponentially exact for smooth integrands."""
    x = np.linspace(-reach, reach, count)
    at = np.stack(np.meshgrid(x, x), axis=-1)
    log_p, log_q = (parse_density(law).logpdf(at) for law in (p, q))
    return float(function(log_p, log_q).sum()) * (x[1] - x[0]) ** 2


@pytest.mark.parametrize(
    ("p", "q"),
    [("ring_mixture_2d(8, 2, 0.5)", ROUND), (RIDGES, OVERLAPPING), (OVERLAPPING, RIDGES)],
)
def test_chi_squared_of_mixtures_is_the_sum_over_a_grid(p, q):
    found = divergence("pearson_chi2", p, q)
    truth = on_a_grid(lambda log_p, log_q: np.exp(2 * log_p - log_q), p, q) - 1
    assert found.value == pytest.approx(truth, rel=1e-10)
    assert found.error < 1e-12 * found.value
    assert divergence("neyman_chi2", q, p).value == pytest.approx(truth, rel=1e-10)


@pytest.mark.parametrize("name", ["pearson_chi2", "power_1.5", "power_3"])
def test_powers_of_normals_by_boxes_meet_their_closed_forms(name):
    p = parse_density("normal_nd((0, 0), ((1, 0.3), (0.3, 0.5)))")
    q = parse_density("normal_nd((1, 0.5), ((2, -0.4), (-0.4, 1)))")
    formula = divergence(name, p, q, method="closed form")
    boxes = divergence_in_space(kernel_of(name), p, q)
    assert abs(formula.value - boxes.value) <= formula.error + boxes.error
    assert boxes.error < 1e-12 * boxes.value


@pytest.mark.parametrize(
    ("name", "p", "q", "status"),
    [
        ("pearson_chi2", ROUND, "ring_mixture_2d(8, 2, 0.5)", Status.INFINITE),
        ("neyman_chi2", ROUND, "ring_mixture_2d(8, 2, 0.5)", Status.OK),
        # twice the variance is the brink, and beyond: along the first axis alone
        ("pearson_chi2", "normal_nd((0, 0), ((2, 0), (0, 1)))", ROUND, Status.INFINITE),
        ("pearson_chi2", "normal_nd((0, 0), ((1.9, 0), (0, 1)))", ROUND, Status.OK),
        ("power_1.5", "normal_nd((0, 0), ((2, 0), (0, 1)))", ROUND, Status.OK),
        # each of q's two ridges is wide enough in half of the directions only
        ("pearson_chi2", ROUND, "mixture(0.5*normal_nd((0, 0), ((4, 0), (0, 0.3))) + "
         "0.5*normal_nd((0, 0), ((0.3, 0), (0, 4))))", Status.UNDETERMINED),
        ("pearson_chi2", ROUND, "mixture(0.5*normal_nd((0, 0), ((4, 0), (0, 0.3))) + "
         "0.5*normal_nd((0, 0), ((4, 0), (0, 0.4))))", Status.INFINITE),
    ],
)  # fmt: skip
def test_unbounded_divergences_are_infinite_by_the_widths_in_each_direction(name, p, q, status):
    found = divergence(name, p, q)
    assert found.status is status
    if status is not Status.OK:
        assert "direction" in found.reason or "together" in found.reason


def test_where_two_ridges_cross_decides_between_infinite_and_finite():
    """In the direction d the integrand of χ² lives on 2dᵀAd − min over j of dᵀB_j d > 0."""
    rng = np.random.default_rng(5)
    circle = np.exp(1j * np.linspace(0, np.pi, 2001))
    d = np.stack([circle.real, circle.imag])
    tried = 0
    while tried < 6:
        precisions = []
        for _ in "qq":
            turn = np.linalg.qr(rng.normal(size=(2, 2)))[0]
            precisions.append(turn @ np.diag(np.exp(rng.uniform(-1.5, 1.5, 2))) @ turn.T)
        forms = np.array([2 * (d * d).sum(0) - (d * (b @ d)).sum(0) for b in precisions])
        alone = forms.max(axis=0)[forms.argmin(axis=1)]  # where one of the two is least
        if forms.max(axis=0).min() > -0.05 or alone.min() < 0.05:
            continue
        tried += 1
        inverses = [np.linalg.inv(b) for b in precisions]
        parts = [density("normal_nd", (0, 0), (c + c.T) / 2) for c in inverses]
        found = divergence("pearson_chi2", ROUND, f"mixture(0.5*{parts[0]} + 0.5*{parts[1]})")
        assert found.status is Status.INFINITE, precisions


@pytest.mark.parametrize(("p", "q"), [(RIDGES, OVERLAPPING), (RIDGES, ROUND)])
def test_tv_of_overlapping_mixtures_is_the_sum_over_a_fine_grid(p, q):
    found = divergence("tv", p, q)
    truth = on_a_grid(lambda a, b: 0.5 * np.abs(np.exp(a) - np.exp(b)), p, q, 12.0, 1500)
    assert abs(found.value - truth) <= found.error + 2e-6  # the grid misses O(step²) at the kink
    assert found.error < 1e-5
    assert found.status is Status.ILL_CONDITIONED


PLANAR_SLOPES = [
    ("jsd", "ring_mixture_2d(8, {}, 0.5)", 2.0, "radius"),
    ("jsd", "grid_mixture_2d(2, {}, 0.6)", 1.5, "spacing"),
    ("kl_pq", "normal_nd((1, {}), ((2, -0.4), (-0.4, 1)))", 0.5, "loc[1]"),
    ("kl_pq", "normal_nd((1, 0.5), ((2, {0}), ({0}, 1)))", -0.4, "cov[0][1]"),
    ("hellinger2", "normal_nd((1, 0.5), ((2, -0.4), (-0.4, {})))", 1.0, "cov[1][1]"),
    ("pearson_chi2", "normal_nd((0.5, {}), ((2, -0.4), (-0.4, 1)))", 0.5, "loc[1]"),
    ("jsd", "mixture(0.3*ring_mixture_2d(4, {}, 0.5) + 0.7*normal_2d_iso((1, 1), 1))", 1.0,
     "components[0].radius"),
    ("jsd", "mixture(0.3*normal_2d_iso((0, {}), 0.5) + 0.7*normal_2d_iso((1, 1), 1))", 0.2,
     "components[0].loc[1]"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "q", "value", "parameter"), PLANAR_SLOPES)
def test_planar_derivatives_are_the_slopes_of_the_values(name, q, value, parameter):
    p, step = "normal_nd((0, 0), ((1, 0.3), (0.3, 0.5)))", 1e-2
    at = {k: divergence(name, p, q.format(value + k * step)).value for k in (-2, -1, 1, 2)}
    slope = (at[-2] - 8 * at[-1] + 8 * at[1] - at[2]) / (12 * step)
    found = divergence(name, p, q.format(value), wrt=f"q.{parameter}")
    assert found.value == pytest.approx(slope, rel=3e-6)
    assert found.error < 1e-11


def test_every_planar_law_has_the_parameters_of_its_affine_image():
    p = "normal_nd((0, 0), ((1, 0.3), (0.3, 0.5)))"
    q = "normal_nd((1, 0.5), ((2, -0.4), (-0.4, 1)))"
    shifts = [divergence("kl_pq", p, q, wrt=f"{law}.loc[0]").value for law in "pq"]
    assert shifts[0] == pytest.approx(-shifts[1], rel=1e-12)
    widths = [divergence("kl_pq", p, q, wrt=f"{law}.scale").value for law in "pq"]
    assert widths[0] == pytest.approx(-widths[1], rel=1e-12)
    assert abs(widths[1]) > 0.1
    with pytest.raises(GantheoryError, match=r"cov\[1\]\[1\]"):
        divergence("kl_pq", p, q, wrt="q.cov[1][2]")
