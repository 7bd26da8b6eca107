"""The optimum along its path: kinks, jumps, poles, ends and masses, against grids."""

import contextlib

import mpmath
import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx
from scipy import integrate, optimize, special

from gantheory import Loss, derive
from gantheory.deadline import Undecided
from gantheory.implicit.atscore import function_of
from gantheory.implicit.envelope import _Overtaken, _prove
from gantheory.implicit.reals import Real
from gantheory.implicit.sections import sections_of
from gantheory.implicit.solution import Implicit
from gantheory.testing.oracles import payoff

LOSSES = {
    "three hills": ("sin(3*t) + t/9", "-t**2/3", "-t", "[-3, 3]"),
    "kinks": (
        "-abs(t - 1) - softplus(-t)/3",
        "-relu(t + 1/2)**2 - abs(t)/5",
        "exp(-t)",
        "(-2, oo)",
    ),
    "jump in a": ("where(t > 1/2, 2*t - t**2, t)", "-t**2/4 - erf(t)/9", "t**2", "[-2, 3)"),
    "jump with its value below": ("where(t >= 1/2, t/2, 1)", "-erf(t)", "-t", "[-2, 2]"),
    "plateau": ("clamp(t, -1, 1) + atan(t)/99*0", "-clamp(t, -1, 1)**3/3", "-erf(t)", "[-3, 3]"),
    "end": ("erf(t)", "-t/9 - erf(t/2)/9", "-t", "[-1/2, 1/3]"),
    "pole": ("-1/t**2 + t/9", "-atan(t) - t**2/4", "-t", "(-oo, oo)"),
    "powers": ("-abs(t - 1)**1.5", "-abs(t + 1/3)**1.2", "softplus(-t)", "(-oo, oo)"),
}
RATIOS = (0.04, 0.37, 0.93, 1.6, 7.7)


def solved(name):
    real, fake, generator, domain = LOSSES[name]
    with ctx.workprec(192):
        return Implicit.of(Loss(name, real, fake, generator, domain=domain))


def grid_of(name):
    low, high = LOSSES[name][3].strip("()[]").split(",")
    low, high = (float(sp.sympify(end).evalf()) if "oo" not in end else None for end in (low, high))
    return np.linspace(-6 if low is None else low, 6 if high is None else high, 601)[1:-1]


@pytest.mark.parametrize("name", LOSSES)
def test_the_path_is_as_high_as_a_grid_everywhere_and_curvatures_are_differences(name):
    found = solved(name)
    real, fake, generator, _ = LOSSES[name]
    grid = grid_of(name)
    known = [(payoff(real, x), payoff(fake, x)) for x in grid if x != 0]
    with ctx.workprec(192):
        for ratio in RATIOS:
            segment = found.path.at(arb(ratio))
            score = segment.local.score(arb(ratio))
            a, b = segment.local.payoffs_at(arb(ratio))
            top = max(float(ratio * one + two) for one, two in known)
            height = float((arb(ratio) * a + b).mid())
            assert top <= height + 1e-12
            assert height <= top + 1e-2 * (1 + abs(top))
            place = float(score.mid())
            if np.isfinite(place) and segment.local.kind == "stationary":
                typed = ratio * payoff(real, place) + payoff(fake, place)
                assert height == pytest.approx(float(typed), abs=1e-9)
                step = 1e-4 * ratio
                scores = [float(segment.local.score(arb(ratio + k * step)).mid()) for k in (-1, 1)]
                slopes = [payoff(generator, one) for one in scores]
                expected = -float(slopes[1] - slopes[0]) / (2 * step) / ratio
                k = found.path.segments.index(segment)
                made = function_of(found.formulas[k]["followed"]).value(arb(place))
                assert float(made.mid()) == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_a_jump_is_closed_where_the_formula_has_its_value():
    parts = sections_of(Loss("mine", "where(t > 1, t, 0)", "-erf(t)", "-t", domain="[0, 2]"))
    assert [(one.closed_lower, one.closed_upper, one.joined) for one in parts] == [
        (True, True, False),
        (False, True, False),
    ]
    other = sections_of(Loss("mine", "where(t >= 1, t, 0)", "-erf(t)", "-t", domain="(0, 2)"))
    assert [(one.closed_lower, one.closed_upper) for one in other] == [
        (False, False),
        (True, False),
    ]


def test_a_pole_parts_the_axis_and_says_where_there_is_no_bound():
    for real, said in (("1/(t - 1)", "t -> 1 for every r > 0"), ("1/(t - 1)**2", "t -> 1")):
        with ctx.workprec(192):
            found = Implicit.of(Loss("mine", real, "-t**2 - erf(t)", "-t", domain="[-3, 3]"))
        assert said in found.path.unbounded
    with ctx.workprec(192):
        both = Implicit.of(Loss("mine", "-1/t**2", "1/t**2 - t**2 - erf(t)", "-t"))
    assert "t -> 0 for r < 1" in both.path.unbounded
    parts = sections_of(Loss("mine", "-1/t**2", "-t**2 - erf(t)", "-t"))
    assert [one.joined for one in parts] == [False, False]
    with pytest.raises(Undecided, match="not positive"):
        sections_of(Loss("mine", "log(t)", "-erf(t)", "-t", domain="(-1, 2)"))


@pytest.mark.parametrize(
    ("real", "fake", "generator"),
    [
        ("t", "-exp(t) - erf(t)/9", "exp(-t)"),
        ("-exp(-t)", "-exp(t) - atan(t)/9", "-tanh(t)"),
        ("-exp(-t) + erf(t)/9", "-exp(t)", "exp(-t) + softplus(-t)"),
        ("erf(t)", "-t**2", "-atan(t)"),
        ("-erf(t)", "-t**2", "atan(t)"),
    ],
)
def test_the_mass_beyond_equality_is_the_integral_of_the_followed_curvature(real, fake, generator):
    with ctx.workprec(192):
        found = Implicit.of(Loss("mine", real, fake, generator))
        stated = found.disjoint(found.determined()).followed
        (segment,) = found.path.segments
        start = mpmath.mpf(float(segment.local.score(arb(1)).mid()))
        first = found.end_of_loss(False)
    if first.is_infinite:
        assert stated == sp.oo
        return

    def density(score):
        slopes = [mpmath.diff(lambda x, p=p: payoff(p, x), score) for p in (generator, real, fake)]
        return slopes[0] * slopes[1] / slopes[2]

    way = 1 if segment.local.rises else -1
    beyond = mpmath.quad(density, [start, start + way, start + 3 * way, 9 * way])
    truth = float(first - payoff(generator, start) + beyond)
    assert stated.value == pytest.approx(truth, abs=1e-8)
    assert stated.error < 1e-12


@pytest.mark.parametrize(("weight", "followed"), [("3", -2 / 3), ("1/3", -2)])
def test_a_point_mass_beyond_equality_counts_and_one_before_does_not(weight, followed):
    """The score is 2 for r < weight and 0 beyond it: h(0) - h(1), and -2/weight where it counts."""
    loss = Loss("mine", f"-t/({weight})", "t", "-t", domain="[0, 2]")
    with ctx.workprec(192):
        found = Implicit.of(loss)
        assert float(found.disjoint(found.determined()).followed) == pytest.approx(followed)


def test_a_payoff_along_the_path_has_its_derivative_in_the_ratio():
    found, r = solved("powers"), sp.Symbol("r", positive=True)
    payoff_of = found.payoff("generator")
    with ctx.workprec(192):
        step = sp.Rational(1, 10**6)
        ends = [payoff_of.xreplace({r: sp.Rational(8, 5) + k * step}).evalf(30) for k in (-1, 1)]
        slope = sp.diff(payoff_of, r).xreplace({r: sp.Rational(8, 5)}).evalf(30)
    assert float(slope) == pytest.approx(float((ends[1] - ends[0]) / (2 * step)), rel=1e-6)


def test_equally_good_scores_for_an_interval_of_ratios_leave_the_loss_open():
    with ctx.workprec(192), pytest.raises(Undecided, match="equally good"):
        Implicit.of(
            Loss("mine", "-(t**2 - 1)**2", "-(t**2 - 2)**2 + cos(t)/99", "-t", domain="[-2, 2]")
        )


def test_an_integral_to_far_scores_is_not_stopped_by_a_sigmoid_on_wide_intervals():
    loss = Loss(
        "wide", "-softplus(t - 3/2) - 3/10*atan(t + 1)", "-relu(-t - 1/2)**2 - max(t, -1)/10",
        "softplus(-t)",
    )  # fmt: skip
    found = derive(loss)
    assert found.undecided == {}

    def ratio(t):
        rise = -2 * (t + 0.5) - (0.1 if t > -1 else 0)
        return rise / (special.expit(t - 1.5) + 0.3 / (1 + (t + 1) ** 2))

    even = optimize.brentq(lambda t: ratio(t) - 1, -1, -0.55)
    tails = [
        integrate.quad(lambda t: special.expit(-t) / ratio(t), *ends, epsabs=1e-13)[0]
        for ends in ((-np.inf, -30), (-30, -1), (-1, even))
    ]
    at_ends = [np.logaddexp(0, -t) for t in (-0.55, even)]
    truth = at_ends[0] - at_ends[1] - sum(tails)
    assert abs(found.disjoint.followed.value - truth) < 1e-10
    assert found.disjoint.followed.error < 1e-12


@pytest.mark.parametrize(
    ("real", "fake"),
    [
        ("-(t/2)**4/8 + cos(t/2)/3", "-(t/2)**4/8 + sign(2*t)/3"),
        ("-t**4/8 + cos(t/2)/3", "-t**2 + where(t >= 0, 1/3, 0)"),
        ("cos(t)/7 - t**4 + sign(t)", "-sqrt(1 + t**4)"),
    ],
)
def test_two_sides_of_a_jump_with_one_limit_of_the_other_payoff_are_told_apart(real, fake):
    found = derive(Loss("jump", real, fake, "-t", domain="[-4, 5]"))
    assert found.status == "derived"
    assert [row.t.value for row in found.at(0.01, 1, 90)] == [0, 0, 0]


class _Parabola:
    """F(r) = c + k (r − 2)², the value of a score, with its payoffs F' and F − r F'."""

    def __init__(self, c, k):
        self.c, self.k = c, k

    def payoffs_at(self, ratio):
        slope = 2 * self.k * (ratio - 2)
        return slope, self.c + self.k * (ratio - 2) ** 2 - ratio * slope


@pytest.mark.parametrize(("c", "holds"), [("1e-2", False), ("-1e-2", True)])
def test_a_score_that_is_best_at_both_ends_of_a_cell_is_not_taken_for_best_between(c, holds):
    """(r − 2)² against a constant c on (1, 3): higher at both ends, lower at 2 if c > 0."""
    cell = Real.of(sp.Integer(1)), Real.of(sp.Integer(3))
    with contextlib.nullcontext() if holds else pytest.raises(_Overtaken):
        _prove(_Parabola(arb(0), arb(1)), _Parabola(arb(c), arb(0)), cell)
