"""Ends of images are decided exactly: no rounding makes a divergence infinite, or finite."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from gantheory import Status, divergence
from gantheory.densities import density
from gantheory.integrals import divergence_table

RNG = np.random.default_rng(7)
DECIMALS = [round(float(x), 1) for x in RNG.uniform(0.1, 9.9, size=120)]


def image(loc, scale, base="uniform(0, 1)"):
    """An image and its exact ends, in fractions of the binary64 parameters."""
    ends = sorted((Fraction(loc), Fraction(loc) + Fraction(scale)))
    return f"affine({base}, {loc!r}, {scale!r})", ends


def length(low, high):
    return max(high - low, Fraction(0))


def pairs():
    """Images, and uniform laws whose ends are those of the image but for rounding."""
    for loc, width in zip(DECIMALS[:60], DECIMALS[60:], strict=True):
        low, high = loc, round(loc + width, 1)
        turned = RNG.integers(2)
        yield image(high, -width) if turned else image(loc, width), (low, high)


def test_of_uniform_laws_whose_ends_all_but_agree_the_exact_ends_decide():
    seen = set()
    for (text, (a, b)), (low, high) in pairs():
        c, d = Fraction(low), Fraction(high)
        covered = {"kl_pq": c <= a and b <= d, "kl_qp": a <= c and d <= b}
        both = length(max(a, c), min(b, d))
        truths = {
            "kl_pq": math.log1p(float((d - c) / (b - a) - 1)),
            "kl_qp": math.log1p(float((b - a) / (d - c) - 1)),
            "tv": float(1 - both / max(b - a, d - c)),
        }
        for name, truth in truths.items():
            found = divergence(name, text, density("uniform", a=low, b=high))
            if covered.get(name, True):
                assert abs(found.value - truth) <= found.error < 1e-12 * (1 + low), text
            else:
                assert math.isinf(found.value), (name, text, low, high)
        seen |= {(name, known) for name, known in covered.items()}
    assert len(seen) == 4


@pytest.mark.parametrize("wrapped", ["{}", "restrict({}, -100, 100)", "affine({}, 0, 1)"])
def test_the_exact_ends_reach_through_images_of_images(wrapped):
    for (text, (a, b)), (low, high) in list(pairs())[:30]:
        found = divergence("kl_pq", wrapped.format(text), density("uniform", a=low, b=high))
        assert math.isinf(found.value) is not (Fraction(low) <= a and b <= Fraction(high))


def test_a_gap_narrower_than_rounding_is_a_gap_and_closes_where_the_ends_meet():
    for (text, (_, b)), (low, high) in list(pairs())[:60]:
        above = density("uniform", a=high, b=high + 1)
        mixed = f"mixture(0.5*{text} + 0.5*{above})"
        inner = density("uniform", a=(low + high) / 2, b=high + 0.5)
        found = divergence("kl_pq", inner, mixed)
        assert math.isinf(found.value) is (b < Fraction(high)), text


def test_singular_ends_that_meet_only_in_rounding_are_in_the_error():
    """The law of |sin|: TV of two arcsine laws moved by d is (2/π)·√(2d) at first order."""
    checked = 0
    for (text, (a, b)), (low, high) in pairs():
        other = f"affine(beta(0.5, 0.5), {low!r}, {high - low!r})"
        c, d = Fraction(low), Fraction(low) + Fraction(high - low)
        arcs = text.replace("uniform(0, 1)", "beta(0.5, 0.5)")
        found = divergence("tv", arcs, other)
        apart = max(abs(a - c), abs(b - d)) / (b - a)
        size = 2 / math.pi * math.sqrt(apart)  # the mass that one law has beyond the other's end
        assert found.value - found.error <= 3 * size
        assert found.value + found.error >= 0.5 * size
        assert found.error < 1e-6
        checked += size > 0
    assert checked > 15


DISJOINT = {
    "kl_pm": math.log(2),
    "kl_qm": math.log(2),
    "jsd": math.log(2),
    "jsd_gap": 0.0,
    "tv": 1.0,
    "tv_gap": 0.0,
    "bc": 0.0,
    "hellinger2": 1.0,
    "triangular": 2.0,
    "power_0.5": 4.0,
}


@pytest.mark.parametrize("seed", range(20))
def test_disjoint_supports_decide_the_value_however_narrow_they_are(seed):
    rng = np.random.default_rng(seed)
    place, width = rng.uniform(-1, 1), 10 ** rng.uniform(-40, -14)
    shapes = [float(x) for x in 10 ** rng.uniform(-1, 4, 2)]
    narrow = f"affine(beta({shapes[0]!r}, {shapes[1]!r}), {place!r}, {width!r})"
    wide = f"uniform({place + rng.uniform(1, 2)!r}, {place + rng.uniform(3, 4)!r})"
    cut = f"restrict(normal(0, 1), -inf, {place - rng.uniform(0.1, 1)!r})"
    for other in (wide, cut, f"mixture(0.3*{wide} + 0.7*{cut})"):
        for p, q in ((narrow, other), (other, narrow)):
            for (name, _), found in divergence_table(list(DISJOINT), p, q).items():
                assert abs(found.value - DISJOINT[name]) <= found.error + 1e-300
                assert found.error <= 1e-14 * DISJOINT[name]


@pytest.mark.parametrize("seed", range(12))
def test_an_image_keeps_its_end_where_its_centre_rounds_to_it(seed):
    rng = np.random.default_rng(seed)
    shapes = [float(x) for x in rng.uniform(1, 4, 2)]
    scales = [float(x) for x in 10 ** rng.uniform(-19, -18, 2)]
    loc = float(rng.uniform(1, 9)) * (-1) ** seed
    plain = [f"gamma({k!r}, {s!r})" for k, s in zip(shapes, scales, strict=True)]
    moved = [f"affine({law}, {loc!r}, 1)" for law in plain]
    names = ["jsd", "tv", "hellinger2", "triangular", "kl_pm"]
    there, here = divergence_table(names, *moved), divergence_table(names, *plain)
    for key, found in there.items():
        off = abs(found.value - here[key].value)
        assert off <= min(found.error + here[key].error, 1e-9 * found.value)


def test_a_piece_that_rounding_leaves_nothing_of_is_no_number():
    narrow, far = "affine(beta(2, 3), 0.7, 2e-19)", "affine(beta(2, 3), 0.3, 2e-19)"
    p, q = (f"mixture(0.5*normal(0, 1) + 0.5*{law})" for law in (far, narrow))
    found = divergence("jsd", p, q)
    assert found.status is Status.UNDETERMINED
    assert "next to 0" in found.reason
    assert divergence("jsd", "normal(0, 1)", narrow).value == pytest.approx(math.log(2), rel=1e-15)


@pytest.mark.parametrize("seed", range(10))
def test_moving_both_laws_far_away_changes_no_divergence_and_no_w1(seed):
    """Their centres and ends round to the same few numbers there; what is exact is their place."""
    rng = np.random.default_rng(100 + seed)
    width = float(10 ** rng.uniform(-30, -14))
    place, ratio, shape = (float(x) for x in rng.uniform(1, 3, 3))
    laws = [
        f"gumbel({width * place!r}, {width!r})",
        f"normal({-width * place!r}, {width * ratio!r})",
        f"gamma({shape!r}, {width!r})",
        f"uniform({-2 * width!r}, {5 * width * ratio!r})",
        f"restrict(laplace(0, {width!r}), {-width!r}, inf)",
    ]
    first, second, third = (laws[k] for k in rng.choice(len(laws), 3, replace=False))
    loc = float(rng.uniform(0.5, 2)) * 10.0 ** int(rng.integers(-12, 5))

    def pair(loc):
        p, q, r = (f"affine({law}, {loc!r}, 1)" for law in (first, second, third))
        return p, q if seed % 2 else f"mixture(0.25*{q} + 0.75*{r})"

    for name in ("jsd", "tv", "bc", "kl_qm", "w1"):
        there, here = divergence(name, *pair(loc)), divergence(name, *pair(0.0))
        assert abs(there.value - here.value) <= there.error + here.error, (name, pair(loc))
        assert there.error <= max(1e-11 * abs(here.value), 4 * here.error), (name, pair(loc))


@pytest.mark.parametrize("name", ["kl_pq", "bc", "pearson_chi2"])
def test_what_no_move_makes_exact_is_in_the_error(name):
    """Two images far from each other: one of them stays where its centre is rounded."""
    rng = np.random.default_rng(5)
    sharp = 0
    for _ in range(12):
        width = float(10 ** rng.uniform(-12.5, -6))
        places = float(rng.uniform(0.1, 1)), float(rng.uniform(100, 900))
        shifts = [width * float(x) for x in rng.normal(size=4) * 10 ** rng.uniform(-1, 1.2)]
        laws = [
            f"mixture(0.5*affine(normal({a!r}, {width!r}), {places[0]!r}, 1)"
            f" + 0.5*affine(normal({b!r}, {width!r}), {places[1]!r}, 1))"
            for a, b in (shifts[:2], shifts[2:])
        ]
        squares = [((shifts[k] - shifts[k + 2]) / width) ** 2 for k in (0, 1)]
        of = {
            "kl_pq": lambda d: d / 2,
            "bc": lambda d: math.exp(-d / 8),
            "pearson_chi2": math.expm1,
        }
        if max(squares) > 600:
            continue
        truth = sum(map(of[name], squares)) / 2
        found = divergence(name, *laws)
        assert abs(found.value - truth) <= found.error + 1e-13 * truth, (laws, truth)
        far = 1e-13 / width * (1 + max(squares)) ** 0.5
        if far < 0.01:
            assert found.error <= 40 * far * (truth + truth**0.5) + 1e-11 * truth, (laws, truth)
            sharp += 1
    assert sharp > 5


BESIDE = {
    "hellinger2": lambda r: -mpmath.sqrt(r),
    "kl_qm": lambda r: -mpmath.log1p(r),
    "triangular": lambda r: -4 * r / (1 + r),
}


def exactly(x):
    return mpmath.mpf(Fraction(x).numerator) / Fraction(x).denominator


def test_an_end_that_moves_beside_a_singular_one_is_off_by_its_rounding_times_the_slope():
    """∂∫ q f(p/q) = [f(p(b)/q) − f(p(a)/q)]·q for a uniform law on [a, b], with p a beta image."""
    rng = np.random.default_rng(6)
    with mpmath.workdps(40):
        for _ in range(14):
            a, b = (float(x) for x in 10 ** rng.uniform(-1, 0.3, 2))
            place, scale = float(rng.uniform(-9, 9)), float(10 ** rng.uniform(-2, 1))
            low = place + scale * float(10 ** rng.uniform(-11, -5))
            width = scale * float(rng.uniform(0.3, 0.8))
            shift = float(rng.uniform(-1, 1))
            inner = [low - shift, low + width - shift]
            q = f"affine(uniform({inner[0]!r}, {inner[1]!r}), {shift!r}, 1)"
            ends = [Fraction(x) + Fraction(shift) for x in inner]
            p = f"affine(beta({a!r}, {b!r}), {place!r}, {scale!r})"

            whole = exactly(ends[1] - ends[0])

            def r(x, a=a, b=b, place=place, scale=scale, whole=whole):
                y = exactly((x - Fraction(place)) / Fraction(scale))
                shape = y ** (mpmath.mpf(a) - 1) * (1 - y) ** (mpmath.mpf(b) - 1)
                return shape / mpmath.beta(a, b) / mpmath.mpf(scale) * whole

            for name, f in BESIDE.items():
                truth = (f(r(ends[1])) - f(r(ends[0]))) / whole
                found = divergence(name, p, q, wrt="q.loc")
                steep = 1e-14 / (low - place) * abs(f(r(ends[0]))) / width
                assert abs(found.value - truth) <= found.error, (name, p, q)
                assert found.error <= 1e-12 * abs(truth) + steep, (name, p, q)


@pytest.mark.parametrize("seed", range(5))
def test_a_bump_whose_centre_rounds_to_its_end_or_to_another_is_not_lost(seed):
    """It lies far nearer to its end than the spacing there, and is far narrower than that."""
    rng = np.random.default_rng(seed)
    loc, far = float(10 ** rng.uniform(-12, 0)), float(rng.uniform(0.5, 2))
    place, width = float(rng.uniform(-300, -100)), float(10 ** rng.uniform(-4, -2))
    bump = f"affine(lognormal({place!r}, {width!r}), {-loc!r}, {(-1) ** seed * far!r})"
    wide = f"affine(gumbel({far!r}, 1.5), {far / 3!r}, 0.7)"
    for name, truth in (("jsd", math.log(2)), ("tv", 1.0), ("triangular", 2.0)):
        for pair in ((bump, wide), (wide, bump)):
            found = divergence(name, *pair)
            assert abs(found.value - truth) <= found.error <= 1e-12, pair
    slope = divergence(
        "bc", wide, f"mixture(0.5*{bump} + 0.5*normal(3, 1))", wrt="q.components[1].loc"
    )
    alone = divergence("bc", wide, "normal(3, 1)", wrt="q.loc")
    assert abs(slope.value - alone.value * math.sqrt(0.5)) <= slope.error + alone.error
    others = [f"affine(normal(3e-20, 1e-20), {x!r}, 1)" for x in (far, far / 3)]
    for name in ("jsd", "bc"):
        assert divergence(name, *others).status is Status.UNDETERMINED
    apart = divergence("w1", *others)
    assert abs(apart.value - (far - far / 3)) <= apart.error + 1e-16


def test_an_end_of_one_image_is_no_end_of_the_other_and_a_far_centre_costs_no_near_digit():
    rng = np.random.default_rng(10)
    for _ in range(4):
        a, b, c, d = sorted(float(x) for x in rng.uniform(1, 9, 4))
        loc = float(rng.uniform(1, 20))
        plain = divergence("jsd", f"uniform({a!r}, {d!r})", f"uniform({b!r}, {c!r})", wrt="q.a")
        images = [f"affine(uniform({x!r}, {y!r}), {loc!r}, 1)" for x, y in ((a, d), (b, c))]
        found = divergence("jsd", *images, wrt="q.base.a")
        assert abs(found.value - plain.value) <= found.error + plain.error < 1e-12
        far = f"affine(lognormal({10 * a + 150!r}, 1), {d * 1e-9!r}, {-b!r})"
        apart = divergence("tv", f"gamma({c + 9!r}, 1)", far)
        assert abs(apart.value - 1) <= apart.error < 1e-12
