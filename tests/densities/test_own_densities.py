"""A density of one's own is believed no further than it can be checked."""

import math

import numpy as np
import pytest
from scipy import stats

from gantheory import GantheoryError, Status, divergence
from gantheory.densities import Tail, own_density

GAUSSIAN = Tail(square=-0.5)
HALF_LOG = 0.5 * np.log(2 * np.pi)


def bell(x):
    return -0.5 * x * x - HALF_LOG


@pytest.mark.parametrize(
    ("log_density", "said"),
    [
        (lambda x: np.where(np.abs(x) > 6, np.nan, bell(x)), "is nan at x="),
        (lambda x: np.where((x > 0) & (x < 1), 0.0, -np.inf), "is -inf at x="),
        (lambda x: np.where(x > 3, -np.inf, bell(x)), "is -inf at x="),
    ],
)
@pytest.mark.parametrize("name", ["jsd", "kl_pq", "kl_qp", "tv"])
def test_holes_inside_the_stated_support_are_refused(log_density, said, name):
    def compared():
        law = own_density(log_density, centers=[(0.5, 1.0)], tails=(GAUSSIAN, GAUSSIAN))
        return divergence(name, law, "normal(0, 1)")

    with pytest.raises(GantheoryError, match=said):
        compared()


@pytest.mark.parametrize(
    "true", [stats.cauchy, stats.t(4), stats.laplace, stats.logistic, stats.norm(0, 2)]
)
def test_a_stated_tail_that_the_density_does_not_follow_is_refused(true):
    with pytest.raises(GantheoryError, match="tail"):
        own_density(true.logpdf, centers=[(0, 1)], tails=(GAUSSIAN, GAUSSIAN))


@pytest.mark.parametrize(
    ("true", "tail"),
    [
        (stats.norm, GAUSSIAN),
        (stats.norm(3, 1), Tail(square=-0.5, linear=3)),
        (stats.laplace(1e3, 2), Tail(linear=-0.5)),
        (stats.cauchy(-40, 2), Tail(log=-2)),
        (stats.gumbel_r, Tail(linear=-1)),
    ],
)
def test_a_tail_that_is_right_is_taken(true, tail):
    center = float(true.median())
    own_density(true.logpdf, centers=[(center, 2)], tails=(None, tail))


@pytest.mark.parametrize(("shape", "taken"), [(0.5, True), (1.5, False), (0.25, False)])
def test_a_tail_at_a_finite_end_grows_with_the_logarithm_of_one_over_the_distance(shape, taken):
    """Gamma's log-density is (1 − shape)·log(1/x) at 0; what is stated here is shape = 1/2."""
    true = stats.gamma(shape).logpdf
    stated = (Tail(finite=True, log=0.5), Tail(linear=-1, log=shape - 1))
    if taken:
        law = own_density(true, support=(0, np.inf), centers=[(1, 1)], tails=stated)
        assert law.tail(0.0, 1).log == 0.5
    else:
        with pytest.raises(GantheoryError, match="tail stated at 0"):
            own_density(true, support=(0, np.inf), centers=[(1, 1)], tails=stated)


def test_a_density_that_only_falls_below_the_range_is_no_hole():
    gumbel = stats.gumbel_r
    law = own_density(
        lambda x: -x - np.exp(-x), centers=[(0, 1)], tails=(Tail(rate=1, linear=1), Tail(linear=-1))
    )
    found, known = (divergence("jsd", p, "normal(0, 2)") for p in (law, "gumbel(0, 1)"))
    assert abs(found.value - known.value) <= found.error + known.error
    assert gumbel.logpdf(0) == law.logpdf(0)


def test_an_isolated_zero_is_no_hole():
    law = own_density(
        lambda x: 2 * np.log(np.abs(x)) + bell(x),
        centers=[(-1.4, 0.7), (1.4, 0.7)],
        kinks=[0.0],
        tails=(Tail(square=-0.5, log=2), Tail(square=-0.5, log=2)),
    )
    found = divergence("tv", law, "normal(0, 1)")
    assert found.value == pytest.approx(2 * np.exp(-HALF_LOG - 0.5), rel=1e-9)  # 2φ(1)


def test_a_mass_that_is_off_is_in_the_error():
    law = own_density(lambda x: bell(x) + 9e-8, centers=[(0, 1)], tails=(GAUSSIAN, GAUSSIAN))
    for name, truth in (("bc", 1.0), ("jsd", 0.0), ("kl_pq", 0.0), ("tv", 0.0)):
        found = divergence(name, law, "normal(0, 1)")
        assert found.status is Status.UNDETERMINED or abs(found.value - truth) <= found.error < 1e-6


BOTH = (GAUSSIAN, GAUSSIAN)


def spiked(x):
    """Half a normal law, and half a spike that nobody mentioned."""
    spike = -0.5 * ((x - 3.3) / 1e-5) ** 2 - HALF_LOG + np.log(1e5)
    return np.logaddexp(bell(x), spike) - np.log(2)


def declared(log_density, **stated):
    return own_density(log_density, **({"centers": [(0, 1)], "tails": BOTH} | stated))


def bent(by):
    """The normal law's levels, bent by as much of the smaller tail."""
    return lambda x: stats.norm.cdf(x) * (1 + by * stats.norm.sf(x))


FAULTS = {
    "twice the mass": lambda: declared(lambda x: bell(x) + np.log(2)),
    "a mass off by a thousandth": lambda: declared(lambda x: bell(x) + 1e-3),
    "no constant at all": lambda: declared(lambda x: -0.5 * x * x),
    "a logarithm to base ten": lambda: declared(lambda x: bell(x) / np.log(10)),
    "the density itself": lambda: declared(lambda x: np.exp(bell(x))),
    "nan in the middle": lambda: declared(lambda x: np.where(np.abs(x) < 0.1, np.nan, bell(x))),
    "nan far out": lambda: declared(lambda x: np.where(x > 3, np.nan, bell(x))),
    "a negative density": lambda: declared(
        lambda x: np.log(np.where(np.abs(x) > 2, -1e-3, np.exp(bell(x))))
    ),
    "an infinite density": lambda: declared(lambda x: np.where(np.abs(x) < 0.01, np.inf, bell(x))),
    "a support too small": lambda: declared(bell, support=(-1, 1), tails=(None, None)),
    "a support too wide": lambda: declared(
        lambda x: np.where((x > 0) & (x < 1), 0.0, -np.inf), centers=[(0.5, 0.25)]
    ),
    "a support from nan": lambda: declared(bell, support=(np.nan, 1)),
    "half a line": lambda: declared(lambda x: np.where(x < 0, -np.inf, bell(x) + np.log(2))),
    "a tail too light": lambda: declared(lambda x: -np.abs(x) - np.log(2)),
    "a tail too heavy": lambda: declared(bell, tails=(Tail(log=-2), Tail(log=-2))),
    "a tail of another width": lambda: declared(bell, tails=(Tail(square=-2),) * 2),
    "a tail of infinite mass": lambda: declared(
        lambda x: -np.log1p(np.abs(x)), tails=(Tail(log=-1), Tail(log=-1))
    ),
    "a tail that grows": lambda: declared(lambda x: 0.5 * x * x, tails=(Tail(square=0.5),) * 2),
    "tails that are words": lambda: declared(bell, tails=("gaussian", "gaussian")),
    "a spike unstated": lambda: declared(spiked),
    "a mode left out": lambda: declared(
        lambda x: np.logaddexp(bell(x), bell(x - 50)) - np.log(2), tails=(GAUSSIAN, None)
    ),
    "a jump unstated": lambda: declared(
        lambda x: np.where(x < 0.123456, np.log(0.4), np.log(0.1)), support=(-1, 2),
        tails=(None, None),
    ),
    "a number for all": lambda: declared(lambda x: 0.0),
    "complex numbers": lambda: declared(lambda x: bell(x) + 1j),
    "a function that fails": lambda: declared(lambda x: 1 / 0),
    "no function": lambda: declared(3),
    "noise": lambda: declared(
        lambda x: bell(x) + 1e-3 * np.random.default_rng(x.size).standard_normal(x.shape)
    ),
    "a center at nan": lambda: declared(bell, centers=[(np.nan, 1)]),
    "a center without width": lambda: declared(bell, centers=(0, 1)),
    "a kink at nan": lambda: declared(bell, kinks=[np.nan]),
    "another law's levels": lambda: declared(bell, cdf=stats.logistic.cdf),
    "levels from above": lambda: declared(bell, cdf=stats.norm.sf),
    "another law's quantiles": lambda: declared(bell, ppf=stats.norm(0, 2).ppf),
    "a slope of the wrong sign": lambda: declared(bell, slope=lambda x: x),
    "another law's mean": lambda: declared(bell, mean=0.5),
    "levels bent by a thousandth": lambda: declared(bell, cdf=bent(1e-3)),
    "quantiles stretched by a thousandth": lambda: declared(
        bell, ppf=lambda u: 1.001 * stats.norm.ppf(u)
    ),
    "a slope a millionth too steep": lambda: declared(bell, slope=lambda x: -1.000001 * x),
    "a mean off by a thousandth": lambda: declared(bell, mean=1e-3),
    "infinite at its center": lambda: declared(lambda x: np.where(x == 0, np.inf, bell(x))),
    "infinite at a tenth": lambda: declared(lambda x: np.where(x == 0.7, np.inf, bell(x))),
    "nan between": lambda: declared(lambda x: np.where(abs(x - 0.31) < 0.02, np.nan, bell(x))),
    "a center beside the bump": lambda: declared(bell, centers=[(5, 1)]),
    "a center far from the bump": lambda: declared(bell, centers=[(-1e4, 1)]),
    "a width ten thousand times too large": lambda: declared(bell, centers=[(0, 1e4)]),
    "a width ten thousand times too small": lambda: declared(bell, centers=[(0, 1e-4)]),
    "a small step against the slope": lambda: declared(
        lambda x: bell(x) + np.where(x < 0.17, np.log(0.999), 0.0013112515672333)
    ),
    "a box on top": lambda: declared(
        lambda x: bell(x) + np.where(abs(x - 0.25) < 0.65, np.log(1.2), -0.19735)
    ),
    "a mass off by a ten millionth": lambda: declared(lambda x: bell(x) - 1e-7),
    "a line for half of it": lambda: declared(
        stats.invgamma(3).logpdf, centers=[(0.4, 0.5)], tails=(None, None)
    ),
    "a misspelt function": lambda: declared(bell, pdf=stats.norm.pdf),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_planted_in_a_declaration_is_refused_or_flagged(fault):
    said, statuses = [], set()
    for name in ("jsd",) if fault == "noise" else ("jsd", "tv"):
        try:
            statuses.add(divergence(name, FAULTS[fault](), "normal(0.5, 2)").status)
        except GantheoryError as refusal:
            said.append(str(refusal))
    assert Status.OK not in statuses
    assert all("\n" not in text and len(text) < 250 for text in said)


@pytest.mark.parametrize("by", [2e-7, 1e-12, 0.0])
def test_what_a_cdf_is_seen_to_be_off_by_is_in_the_error_of_what_is_made_of_it(by):
    law = declared(bell, cdf=bent(by))
    for name in ("w1", "energy"):
        found, known = (divergence(name, p, "normal(0.5, 2)") for p in (law, "normal(0, 1)"))
        assert abs(found.value - known.value) <= found.error + known.error
        assert found.error < 20 * by + 1e-13


RIGHT = {
    "normal(3, 2)": (stats.norm(3, 2), 3, 2, ()),
    "laplace(0, 1)": (stats.laplace(), 0, 1, (0,)),
    "student_t(3)": (stats.t(3), 0, 1, ()),
    "cauchy(-2, 3)": (stats.cauchy(-2, 3), -2, 3, ()),
    "gumbel(0, 1)": (stats.gumbel_r(), 0.3, 1.2, ()),
    "exponential(5)": (stats.expon(scale=5), 3.4, 5, ()),
    "gamma(0.5, 1)": (stats.gamma(0.5), 0.5, 0.7, ()),
    "gamma(0.05, 1)": (stats.gamma(0.05), 0.05, 0.22, ()),
    "lognormal(0, 2)": (stats.lognorm(2), 1, 54, ()),
    "weibull(0.7, 1)": (stats.weibull_min(0.7), 1, 1.8, ()),
    "pareto(2.5, 1)": (stats.pareto(2.5), 1.6, 2, ()),
    "inverse_gamma(3, 1)": (stats.invgamma(3), 0.4, 0.5, ()),
    "uniform(2, 5)": (stats.uniform(2, 3), 3.5, 0.1, ()),
    "beta(0.1, 0.3)": (stats.beta(0.1, 0.3), 0.25, 0.37, ()),
    "triangular(0, 0.3, 1)": (stats.triang(0.3), 0.3, 0.2, (0.3,)),
    "skew_normal(shape=5)": (stats.skewnorm(5), 0.7, 0.6, ()),
    "generalised_normal(shape=8)": (stats.gennorm(8), 0, 0.6, ()),
}


@pytest.mark.parametrize("text", RIGHT)
def test_a_log_density_and_its_bump_are_enough_for_what_the_family_gives(text):
    """Poles at ends that binary64 does not reach, and densities that underflow, included."""
    true, center, width, kinks = RIGHT[text]
    law = own_density(true.logpdf, support=true.support(), centers=[(center, width)], kinks=kinks)
    found, known = (divergence("jsd", p, f"normal({center}, {2 * width})") for p in (law, text))
    assert abs(found.value - known.value) <= found.error + known.error
    assert found.error < 2e-9 * found.value
    assert found.status is not Status.UNDETERMINED


def test_a_center_that_another_one_explains_and_a_pole_that_is_named_are_taken():
    law = own_density(
        lambda x: np.logaddexp(bell(x) + np.log1p(-1e-6), bell(x - 5) + np.log(1e-6)),
        centers=[(0, 1), (5, 1)],
    )
    assert divergence("jsd", law, "normal(0, 3)").status is Status.OK
    both = stats.gamma(0.5).logpdf
    pole = own_density(lambda x: both(abs(x)) - np.log(2), centers=[(0, 1)], kinks=[0])
    assert divergence("jsd", pole, "normal(0, 3)").error < 1e-11
    with pytest.raises(GantheoryError, match="inf at x=0, inside its support; name that place"):
        own_density(lambda x: both(abs(x)) - np.log(2), centers=[(0, 1)])


def test_what_underflows_is_counted_in_the_error_of_what_needs_its_logarithm():
    line = Tail(linear=-1)
    law = own_density(stats.laplace.logpdf, centers=[(0, 1)], kinks=[0], tails=(line, line))
    for name in ("jsd", "kl_qp"):
        found, known = (divergence(name, p, "student_t(3)") for p in (law, "laplace(0, 1)"))
        assert abs(found.value - known.value) <= found.error
        assert (found.error < 1e-14) == (name == "jsd")


@pytest.mark.parametrize(
    ("true", "tails"),
    [
        (stats.norm(), BOTH),
        (stats.norm(3, 2), (Tail(square=-1 / 8, linear=-0.75), Tail(square=-1 / 8, linear=0.75))),
        (stats.logistic(1, 0.5), (Tail(linear=-2), Tail(linear=-2))),
        (stats.t(3), (Tail(log=-4), Tail(log=-4))),
    ],
)
def test_what_is_declared_rightly_is_believed(true, tails):
    center = float(true.median()), float(true.std())
    law = own_density(true.logpdf, centers=[center], tails=tails, cdf=true.cdf, ppf=true.ppf,
                      mean=float(true.mean()))  # fmt: skip
    assert divergence("jsd", law, "normal(0.5, 3)").status is Status.OK


@pytest.mark.parametrize("start", [0.0, 0.3, -1.0])
def test_a_support_that_is_declared_too_large_is_refused_wherever_its_center_lies(start):
    """A half of a normal law, declared on the whole line with its center at, in or out of it."""
    log = stats.halfnorm(loc=start).logpdf
    with pytest.raises(GantheoryError, match="log-density is -inf at x="):
        own_density(log, centers=[(0.0, 1.0)])
    own = own_density(log, centers=[(start + 1, 1.0)], support=(start, math.inf))
    half = divergence("jsd", "normal(0, 1)", f"affine(half_normal(1), {start}, 1)")
    found = divergence("jsd", "normal(0, 1)", own)
    assert abs(found.value - half.value) <= found.error + half.error


def test_a_single_zero_at_the_center_is_no_end_of_a_support():
    found = divergence("jsd", "normal(0, 1)", own_density(
        lambda x: stats.maxwell.logpdf(np.abs(x)) - math.log(2), centers=[(0.0, 1.5)], kinks=[0.0]
    ))  # fmt: skip
    assert 0 < found.value < math.log(2)
    assert found.error < 1e-10


@pytest.mark.parametrize("off", [1e-6, -1e-6])
def test_a_mass_that_is_off_by_a_millionth_is_said_in_digits_that_show_it(off):
    law = own_density(lambda x: bell(x) + off, centers=[(0, 1)], tails=(GAUSSIAN, GAUSSIAN))
    found = divergence("jsd", law, "normal(1, 1)")
    assert found.status is Status.UNDETERMINED
    assert f"{np.exp(off):.6f}" in found.reason


NOTHING = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf, "a negative density": np.nan}


def torn(kind, low, high):
    return lambda x: np.where((x > low) & (x < high), NOTHING[kind], bell(x))


@pytest.mark.parametrize("kind", NOTHING)
def test_a_short_stretch_without_numbers_is_found_by_the_mass_it_holds(kind):
    """Stretches at drawn places, each of a 20 000th of the mass: wider than a 32 768th."""
    rng = np.random.default_rng(5)
    for _ in range(6):
        level = rng.uniform(0.01, 0.98)
        low, high = stats.norm.ppf([level, level + 5e-5])
        with pytest.raises(GantheoryError, match=f"log-density is {NOTHING[kind]} at x="):
            declared(torn(kind, low, high))


@pytest.mark.parametrize("name", ["jsd", "kl_qp"])
def test_a_stretch_far_out_is_found_where_the_other_law_gives_it_weight(name):
    """It holds 1e-13 of the law's own mass, and a thousandth of the other's."""
    low, high = 7 + stats.norm.ppf([0.35, 0.353])
    law = declared(torn("nan", low, high))
    with pytest.raises(GantheoryError, match="log-density is nan at x="):
        divergence(name, law, "normal(7, 1)")


def test_a_law_of_ones_own_that_is_right_is_looked_at_and_believed():
    calls = []

    def log_density(x):
        calls.append(np.size(x))
        return bell(x)

    law = own_density(log_density, centers=[(0, 1)], tails=BOTH)
    assert 2**15 < sum(calls) < 2**17
    calls.clear()
    found, known = (divergence("jsd", p, "normal(7, 1)") for p in (law, "normal(0, 1)"))
    assert abs(found.value - known.value) <= found.error
    assert 2**13 < sum(calls) < 2**16
