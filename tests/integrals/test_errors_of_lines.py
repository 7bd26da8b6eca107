"""Each term of the error of an integral on the line, where it once was forgotten.

Truths are closed forms in 40 digits at the exact binary64 parameters; neighbours are drawn at
random. An error bar must hold the truth, and must not be uselessly wide.
"""

import json
import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
from flint import arb

from gantheory import FDivergence, density, divergence
from gantheory.densities import own_density
from gantheory.divergences import COMPLEMENTS, DIVERGENCES
from gantheory.divergences.ratio import Ratio
from gantheory.integrals import divergence_table
from gantheory.integrals.certified import enclosure
from gantheory.integrals.certified.forms import form_of
from gantheory.integrals.certified.reading import analytic_laws
from gantheory.integrals.kernels.bounds import bounds_of, within_bounds
from gantheory.integrals.kernels.infinite import SharedEnds, infinite
from gantheory.integrals.kernels.stable import kernel_of
from gantheory.records import Estimate, Status

mpmath.mp.dps = 40
REFERENCES = json.loads((Path(__file__).parents[1] / "data" / "lines.json").read_text())


def holds(found, truth, width=1e-9):
    """Whether the bar holds the truth and is a small part of it."""
    inside = abs(mpmath.mpf(found.value) - truth) <= found.error + 2e-16 * abs(truth)
    return inside and found.error <= width * abs(truth)


# --- peaks -------------------------------------------------------------------------------------


def test_a_peak_far_from_both_laws_is_not_lost_when_its_panel_is_halved():
    shifts = 10 ** np.random.default_rng(1).uniform(0, 6, 40)
    for shift in (*shifts.tolist(), 25.0, 1000.0, 10000.0):
        found = divergence("pearson_chi2", "normal(0, 1)", density("normal", loc=shift, scale=1))
        log_truth = mpmath.mpf(shift) ** 2
        if log_truth < 700:
            assert holds(found, mpmath.expm1(log_truth))
        elif log_truth > 710:
            assert found.status is Status.UNDETERMINED
            assert "beyond the range" in found.reason
            assert found.log_value == pytest.approx(float(log_truth), rel=1e-13)


# --- ends that move ----------------------------------------------------------------------------


def _normal(x):
    return mpmath.exp(-(mpmath.mpf(x) ** 2) / 2) / mpmath.sqrt(2 * mpmath.pi)


# f(r) − f'(∞) r for a law p of density r and a uniform law q of density 1
UNIFORM = {
    "jsd": lambda r: -(r * mpmath.log(1 + 1 / r) + mpmath.log(1 + r)) / 2,
    "tv": lambda r: -r,
    "hellinger2": lambda r: -mpmath.sqrt(r),
    "kl_pm": lambda r: -r * mpmath.log(1 + 1 / r),
    "kl_qm": lambda r: -mpmath.log(1 + r),
    "triangular": lambda r: -4 * r / (1 + r),
}


@pytest.mark.parametrize("name", UNIFORM)
def test_ends_that_move_where_nearly_nothing_is_leave_no_cancelled_limits(name):
    for a in (5.0, 10.0, *np.random.default_rng(2).uniform(-14, 14, 12).tolist()):
        b = a + 1
        truth = UNIFORM[name](_normal(b)) - UNIFORM[name](_normal(a))
        found = divergence(name, "normal(0, 1)", density("uniform", a=a, b=b), wrt="q.loc")
        assert holds(found, truth), (a, found)


# --- u that rounds to 0 ------------------------------------------------------------------------


def test_tv_to_a_restricted_law_is_the_mass_that_it_leaves_out():
    for far in (9.0, *np.random.default_rng(3).uniform(1, 30, 8).tolist()):
        cut = density("truncnormal", loc=0, scale=1, a=-far, b=far)
        assert holds(divergence("tv", "normal(0, 1)", cut), mpmath.erfc(far / mpmath.sqrt(2)))
        cut = density("restrict", base=density("laplace(0, 1)"), a=-far, b=far)
        assert holds(divergence("tv", cut, "laplace(0, 1)"), mpmath.exp(-far))
    least = 1e-8
    cut = density("restrict", base=density("gamma(2, 1)"), a=least)
    assert holds(divergence("tv", "gamma(2, 1)", cut), mpmath.gammainc(2, 0, least))


def test_where_u_is_below_its_own_rounding_the_error_says_so():
    hidden = "affine(truncnormal(0, 1, -9, 9), 0, 1)"  # whose ratio to a normal law is not known
    for name, truth in (("tv", 2.25717681190768e-19), ("jsd", 2.25717681190768e-19 * 0.3466)):
        found = divergence(name, "normal(0, 1)", hidden)
        assert abs(found.value - truth) <= found.error + 1e-4 * truth
        assert found.error <= 1e-13
    assert found.error <= 1e-25  # a square of what u may be


@pytest.mark.parametrize("formula", ["1/(1 + r)^2 - 1/4", "1/sqrt(1 + r) - 1/sqrt(2)"])
def test_a_divergence_of_ones_own_leaves_no_cancelled_limits_either(formula):
    """With f'(∞) = 0 the derivative is f(φ(a + 1)) − f(φ(a)): of 1e-22 at a = 10."""

    def f(r):
        return (1 + r) ** -2 if "4" in formula else (1 + r) ** mpmath.mpf("-0.5")

    for a in (10.0, *np.random.default_rng(9).uniform(-11, 11, 2).tolist()):
        law = density("uniform", a=a, b=a + 1)
        found = divergence(FDivergence("own", formula), "normal(0, 1)", law, wrt="q.loc")
        assert holds(found, f(_normal(law.b)) - f(_normal(law.a)))


def test_tv_has_no_derivative_where_p_equals_q_and_says_why():
    by_formula = FDivergence("kinked", "abs(r - 1)/2")
    for name in ("tv", by_formula):
        for p, q in (("normal(0, 1)",) * 2, ("logistic(1, 2)", "affine(logistic(0, 1), 1, 2)")):
            found = divergence(name, p, q, wrt="q.scale")
            assert found.status is Status.UNDETERMINED
            assert "two sides differ" in found.reason
    assert divergence("jsd", "normal(0, 1)", "normal(0, 1)", wrt="q.loc").value == 0
    close = divergence("tv", "normal(0, 1)", "normal(1e-12, 1)", wrt="q.loc")
    assert holds(close, 1 / mpmath.sqrt(2 * mpmath.pi))


def test_the_place_of_a_crossing_is_no_binary64_number_which_a_slope_of_tv_feels():
    """∫ min(p, q) for a Laplace law in a wide uniform one of width w: (2b/w)·(log(w/2b) + 1)."""
    rng = np.random.default_rng(8)
    for _ in range(10):
        b, low, high = 10 ** rng.uniform(-60, -2), -rng.uniform(1, 50), 10 ** rng.uniform(0, 4)
        p, q = density("laplace", loc=0.0, scale=b), density("uniform", a=low, b=high)
        w = mpmath.mpf(high) - mpmath.mpf(low)
        log = mpmath.log(w / (2 * mpmath.mpf(b)))
        stretched = divergence("tv_gap", p, q, wrt="p.scale")
        assert holds(stretched, 2 / w * log, 1e-10)
        moved = divergence("tv_gap", p, q, wrt="p.loc")
        assert abs(moved.value) <= moved.error <= 1e-10 * log / w  # the truth is 0


def test_a_part_that_is_nothing_beside_the_bulk_is_as_exact_as_any():
    """Where q < p, all that counts for ∂∫ min(p, q): there q is 1e-300 times its peak, or less."""
    rng = np.random.default_rng(9)
    for _ in range(6):
        place, b = 10 ** rng.uniform(-8, -7), 10 ** rng.uniform(-15, -14)
        a, c = (mpmath.mpf(x) for x in rng.uniform([40, 1], [43, 4]))
        place, b = mpmath.mpf(float(place)), mpmath.mpf(float(b))
        level = -mpmath.log(mpmath.beta(a, c))

        def log_beta(x, a=a, c=c, level=level):
            return (a - 1) * mpmath.log(x) + (c - 1) * mpmath.log1p(-x) + level

        sides = []
        for side in (1, -1):
            z = mpmath.mpf(740)
            for _ in range(60):  # log of the Laplace law at its crossing: −z − log 2b = log p
                z = -log_beta(place + side * b * z) - mpmath.log(2 * b)
            sides.append(mpmath.exp(log_beta(place + side * b * z)))
        truth = sides[0] - sides[1]
        p = density("laplace", loc=float(place), scale=float(b))
        found = divergence("tv_gap", p, density("beta", a=float(a), b=float(c)), wrt="p.loc")
        assert abs(found.value - truth) <= found.error + 1e-320
        assert found.error <= 1e-7 * abs(truth) + 1e-317


# --- thresholds --------------------------------------------------------------------------------


def ulps(x, k):
    for _ in range(abs(k)):
        x = math.nextafter(x, math.copysign(math.inf, k))
    return x


def is_infinite(name, p, q):
    found = infinite(kernel_of(name), SharedEnds(density(p), density(q)))
    return found is not None and found.status is Status.INFINITE


def test_thresholds_are_decided_on_the_exact_parameters():
    rng = np.random.default_rng(4)
    for _ in range(100):
        wide, k = float(rng.uniform(0.3, 3)), int(rng.integers(-6, 7))
        narrow, rate, df = ulps(wide / math.sqrt(2), k), ulps(wide / 2, k), ulps(2.0, k)
        assert is_infinite("pearson_chi2", f"normal(0, {wide!r})", f"normal(0, {narrow!r})") is (
            2 * Fraction(narrow) ** 2 <= Fraction(wide) ** 2
        )
        assert is_infinite("pearson_chi2", f"laplace(0, {wide!r})", f"laplace(0, {rate!r})") is (
            2 * Fraction(rate) <= Fraction(wide)
        )
        assert is_infinite("kl_pq", f"student_t({df!r})", "normal(0, 1)") is (df <= 2)
        assert is_infinite("neyman_chi2", f"gamma({wide!r}, 1)", f"gamma({rate!r}, 1)") is (
            2 * Fraction(rate) <= Fraction(wide)
        )


@pytest.mark.parametrize("df", [2.000000000000001, 2.01, 2.05, 2.1, 2.2, 2.5])
def test_a_tail_that_binary64_cannot_hold_is_not_called_finite_and_small(df):
    nu = mpmath.mpf(df)
    half = nu / 2
    entropy = (nu + 1) / 2 * (mpmath.digamma(half + 0.5) - mpmath.digamma(half))
    entropy += mpmath.log(mpmath.sqrt(nu) * mpmath.beta(half, 0.5))
    truth = mpmath.log(2 * mpmath.pi) / 2 + nu / (nu - 2) / 2 - entropy
    found = divergence("kl_pq", f"student_t({df!r})", "normal(0, 1)")
    assert holds(found, truth)
    assert holds(divergence("kl_qp", "normal(0, 1)", f"student_t({df!r})"), truth)
    (swept,) = divergence_table(
        ["kl_pq"], f"student_t({df!r})", "normal(0, 1)"
    ).values()  # quadrature alone
    assert swept.status is Status.UNDETERMINED or holds(swept, truth)
    assert df < 2.2 or swept.status is Status.OK


def test_what_rounding_leaves_no_digit_of_is_given_in_closed_form():
    exact = mpmath.mpf(0.7071067811865476) ** 2
    truth = exact / mpmath.sqrt(2 * exact - 1) - 1
    found = divergence("pearson_chi2", "normal(0, 1)", "normal(0, 0.7071067811865476)")
    assert holds(found, truth)


def test_a_tail_is_cut_where_it_falls():
    found = divergence("kl_pq", "uniform(40, 40.001)", "normal(0, 1)")
    a, b = mpmath.mpf(40), mpmath.mpf(40.001)
    truth = mpmath.log(2 * mpmath.pi) / 2 + (b**3 - a**3) / 6 / (b - a) - mpmath.log(b - a)
    assert holds(found, truth, 1e-13)


# --- what every pair keeps ---------------------------------------------------------------------


@pytest.mark.parametrize(("name", "most"), [("jsd", math.log(2)), ("bc", 1), ("tv", 1),
                                            ("triangular", 2), ("hellinger2", 1)])  # fmt: skip
def test_an_answer_outside_of_the_known_bounds_is_undetermined_and_not_repaired(name, most):
    kernel = kernel_of(name)
    assert bounds_of(kernel) == pytest.approx((0, most))
    for value in (-1e-9, most + 1e-9):
        kept = Estimate(value, 1e-8)
        assert within_bounds(kernel, kept) is kept
        found = within_bounds(kernel, Estimate(value, 1e-12))
        assert found.status is Status.UNDETERMINED
        assert math.isnan(found.value)


def test_the_mass_that_a_density_of_ones_own_misses_is_in_its_error():
    heavy = own_density(lambda x: density("normal(0, 1)").logpdf(x) + 9e-8, centers=[(0, 1)])
    for name, truth in (("bc", 1.0), ("jsd", 0.0), ("tv_gap", 1.0)):
        found = divergence(name, heavy, "normal(0, 1)")
        assert found.status is Status.UNDETERMINED or abs(found.value - truth) <= found.error
        assert not found.error <= 1e-9


def test_the_tail_beyond_a_certified_window_is_in_its_ball(monkeypatch):
    pair = analytic_laws(density("laplace(0, 1)"), density("laplace(2, 1)"))
    whole = arb(1) / 10**9
    monkeypatch.setattr(enclosure, "_window", lambda *_: (arb(60), whole))
    form = form_of(DIVERGENCES["jsd"])
    found, tail = enclosure._integrate(form, *pair, arb(10) ** -15, enclosure._Counter())
    assert tail is whole
    assert 1e-9 <= float(found.rad()) <= 1.1e-9


TWO_SLOPES = [name for name in (*DIVERGENCES, *COMPLEMENTS) if len(kernel_of(name).slopes) > 1]


@pytest.mark.parametrize("name", TWO_SLOPES)
def test_both_forms_of_a_slope_differ_by_one_constant(name):
    u = np.linspace(-30, 30, 121)
    with np.errstate(all="ignore"):
        n = Ratio.of(u, np.zeros_like(u))
        near, far = (np.exp(w) * m for w, m in (slope(n) for slope in kernel_of(name).slopes))
    size = np.abs(near) + np.abs(far)
    gap = near - far
    middle = gap[60]
    assert np.all(np.abs(gap - middle) <= 1e-14 * (1 + size))
    assert abs(middle) > 0.1


# --- random pairs ------------------------------------------------------------------------------


# derivatives: from exact shifts of the parameter, by Richardson's rule
@pytest.mark.parametrize(("kind", "digits"), [("values", 2e-16), ("derivatives", 1e-12)])
def test_random_pairs_of_all_families_are_right_within_bars_that_are_not_too_wide(kind, digits):
    for name, p, q, wrt, truth in REFERENCES[kind]:
        found = divergence(name, p, q, wrt=wrt)
        off = float(abs(Decimal(found.value) - Decimal(truth)))
        assert off <= found.error + digits * abs(float(truth)), (name, p, q, wrt)
        assert found.error <= 1e-6 * abs(float(truth)), (name, p, q, wrt)


@pytest.mark.parametrize("seed", range(10))
def test_the_overlap_of_laws_hundreds_of_widths_apart_is_right_in_any_unit(seed):
    """∫ min(p, q) = 2/(1 + exp(d/2s)) of logistic laws a distance d apart: all of it at a seam.

    There two charts meet in which a rounding of the logarithm of a distance is d/s roundings of p.
    """
    rng = np.random.default_rng(seed)
    scale = float(10 ** rng.uniform(-100, 100))
    p = density("logistic", loc=scale * rng.uniform(-1e6, 1e6), scale=scale)
    q = p.replace(loc=p.loc + scale * rng.uniform(300, 1300))
    found = divergence("tv_gap", p, q)
    apart = (mpmath.mpf(q.loc) - mpmath.mpf(p.loc)) / mpmath.mpf(scale)
    truth = 2 / (1 + mpmath.exp(apart / 2))
    assert abs(mpmath.mpf(found.value) - truth) <= found.error <= 1e-12 * found.value


@pytest.mark.parametrize("wide", [1e5, 1.3e6, 4e7])
def test_an_integral_that_never_settles_leaves_those_beside_it_alone(wide):
    names = ("kl_qp", "jeffreys", "bc", "tv", "kl_pq", "jsd_gap")  # the first two: −∞ in binary64
    pair, wrt = ("gumbel(5, 1.5)", density("normal", loc=-0.3, scale=wide)), "p.scale"
    found = divergence_table(names, *pair, wrt=wrt)
    for name in names[2:]:
        alone = divergence(name, *pair, wrt=wrt)
        assert alone.status is Status.OK
        off = abs(found[name, wrt].value - alone.value)
        assert off <= found[name, wrt].error + alone.error
        assert found[name, wrt].error <= 1e-10 * abs(alone.value)


def test_an_expectation_holds_a_value_that_its_own_estimate_misses():
    from gantheory.integrals.expectation import expectation

    p = density("mixture(0.5*normal(0.82, 0.58) + 0.5*normal(-2.75, 0.08))")
    q = density("mixture(0.5*normal(1.88, 1.85) + 0.5*normal(0.64, 1.54))")
    found, known = expectation(lambda u: u, p, p, q), divergence("kl_pq", p, q)
    assert abs(found.value - known.value) <= found.error + known.error < 1e-11


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0, 60.0])
@pytest.mark.parametrize("wrt", ["q.loc", "q.scale"])
def test_a_gradient_of_tv_counts_each_place_where_p_exceeds_q(scale, wrt):
    """Its integrand is 0 between two crossings: what lies beyond the last of them is no tail."""
    p = density("lognormal", loc=-1.63, scale=scale)
    h, name = 1e-5, wrt.removeprefix("q.")

    def value(step):
        return divergence("tv", p, density("normal", **{"loc": 0.0, "scale": 1.0} | step)).value

    middle = 1.0 if name == "scale" else 0.0
    slope = (value({name: middle + h}) - value({name: middle - h})) / (2 * h)
    assert divergence("tv", p, "normal(0, 1)", wrt=wrt).value == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("name", ["pearson_chi2", "power_1.5", "power_2.5"])
@pytest.mark.parametrize("far", [1.0, 5.0, 40.0])
def test_a_moving_end_where_the_other_law_has_died_down_ends_in_a_sentence(name, far):
    p = density("truncnormal", loc=-far, scale=1e-10, a=-far, b=math.inf)
    found = divergence(name, p, "logistic(1.6, 0.0015)", wrt="p.a")
    assert found.status is Status.UNDETERMINED
    assert found.reason
