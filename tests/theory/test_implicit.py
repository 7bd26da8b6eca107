"""Losses whose optimal score has no closed form, against a search over scores by mpmath."""

import json
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import sympy as sp
from flint import ctx

from gantheory import Loss, derive, divergence
from gantheory.errors import GantheoryError
from gantheory.implicit.solution import Implicit
from gantheory.losses import get_loss
from gantheory.testing.oracles import payoff

RATIOS = (0.05, 3.0)
LOSSES = {
    "conjugate": ("t", "-(4 - t - 4*sqrt(1 - t))", "-t", "(-oo, 1)"),
    "temperatures": ("-softplus(-2*t)/2", "-softplus(t)", "softplus(-t)", "(-oo, oo)"),
    "atan": ("-(2*atan(t) - 1)**2", "-(2*atan(t) + 1)**2", "-(2*atan(t) + 1)**2", "(-1.5, 1.5)"),
    "focal": ("log(D)", "D**4*log(1 - D)", "-log(D)", "(-oo, oo)"),
    "erf": ("erf(t)", "-t**2", "-erf(t)", "(-oo, oo)"),
    "sine": ("sin(t)", "-t**2", "-t", "[-3, 3]"),
    "kinked": ("-softplus(-t) - t**2/9", "-huber(t + 0.9) - exp(t/2)", "softplus(-t)", "(-oo, oo)"),
    "two hills": ("-(t - 1)**2*(t + 1)**2 + t/5", "-t**2/4 - t", "-t", "[-3, 3]"),
}


def best(loss, ratio):
    """Return the score that maximises r·a + b: the best of a grid, then the root of its slope."""
    low, high = (float(e.replace("oo", "inf")) for e in loss.domain.strip("()[]").split(","))

    def total(score):
        return ratio * payoff(loss.real, score) + payoff(loss.fake, score)

    with mpmath.workdps(15):
        low, high = max(low, -9.0), min(high, 9.0)
        grid = np.linspace(low, high, 64)[1:-1]
        k = max(range(len(grid)), key=lambda k: total(grid[k]))
        near = [low + 1e-9, *grid, high - 1e-9]
        ends = [float(near[k]), float(near[k + 2])]
    with mpmath.workdps(50):
        step = mpmath.mpf(10) ** -20
        return mpmath.findroot(
            lambda score: (total(score + step) - total(score - step)) / step,
            ends,
            solver="illinois",
            tol=mpmath.mpf(10) ** -36,
        )


def expected(loss, ratio):
    """Return t*, F'', h'' and g'' by differences of the optima that are searched."""
    step = mpmath.mpf(ratio) / 10**5
    with mpmath.workdps(40):
        scores = [best(loss, ratio + k * step) for k in (-1, 0, 1)]
        real = [payoff(loss.real, score) for score in scores]
        h = [payoff(loss.generator, score) for score in scores]
        slope = (h[2] - h[0]) / (2 * step)
        bend = (h[2] - 2 * h[1] + h[0]) / step**2
        return scores[1], (real[2] - real[0]) / (2 * step), bend, -slope / ratio


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_without_a_closed_form_is_decided_as_a_search_over_scores_finds_it(name):
    real, fake, generator, domain = LOSSES[name]
    loss = Loss(name, real, fake, generator, domain=domain)
    found = derive(loss)
    assert found.status == "derived"
    assert found.value.is_divergence
    data = json.loads(json.dumps(found.as_dict()))
    assert data["value"]["curvature"] is None
    parametric = data["value"]["parametric"]
    assert set(parametric if isinstance(parametric, dict) else parametric[0]) >= {"r", "curvature"}
    for row in found.at(*RATIOS):
        score, value, bend, followed = expected(loss, row.r)
        assert row.t.error <= 1e-14 * (1 + abs(row.t.value))
        assert row.t.value == pytest.approx(float(score), abs=1e-14)
        assert row.value.value == pytest.approx(float(value), rel=1e-7)
        assert row.followed.value == pytest.approx(float(followed), rel=1e-7)
        assert row.loss.value == pytest.approx(float(bend), rel=1e-5)
    if found.followed.is_divergence:
        path = [payoff(generator, best(loss, ratio)) for ratio in np.geomspace(0.02, 50, 9)]
        assert all(later <= earlier + 1e-9 for earlier, later in pairwise(path))
    else:
        (row,) = found.at(str(found.followed.counterexample))
        assert row.followed is None or row.followed.value < 0
    even = found.equilibrium
    at_one = best(loss, 1)
    top = payoff(real, at_one) + payoff(fake, at_one)
    assert float(even.discriminator_loss) == pytest.approx(float(-top), abs=1e-9)


@pytest.mark.parametrize(
    ("real", "fake", "domain", "said"),
    [
        ("1/(t - 1) + erf(t)", "-t**2", "[-3, 3]", "as t -> 1 for every r > 0"),
        ("erf(t) + t", "-t/2 - atan(t)", "(-oo, oo)", "as t -> oo for r > 1/2"),
        ("t", "erf(t) - 2*t", "(-oo, oo)", "as t -> -oo for r < 2"),
    ],
)
def test_a_payoff_without_a_bound_is_found_with_its_scores_and_ratios(real, fake, domain, said):
    found = derive(Loss("endless", real, fake, "-t", domain=domain))
    assert found.status == "no optimum"
    assert said in found.no_optimum


def test_the_vanishing_of_gradients_and_disjoint_values_are_limits_in_the_score():
    found = derive(Loss("mine", *LOSSES["temperatures"]))
    assert (found.saturation.limit_at_0, found.saturation.limit_at_inf) == (1, 0)
    assert found.disjoint.value == 3 * sp.log(2) / 2
    assert found.disjoint.loss == sp.oo == found.disjoint.followed
    assert found.equilibrium.generator_loss == sp.log(2)


@pytest.mark.parametrize(("kink", "bends"), [("relu(-1 - t)", False), ("relu(1 - t)", True)])
def test_a_loss_that_is_flat_around_equality_follows_what_vanishes_elsewhere_too(kink, bends):
    found = derive(Loss("flat", "-softplus(-t) - t**4/9", "-softplus(t)", kink), seconds=100)
    assert found.followed.is_divergence
    assert found.followed.zero_only_at_equality is bends
    assert found.value.zero_only_at_equality
    zero = found.at(1)[0].followed.value == 0
    assert zero is not bends


def test_a_mass_beyond_equality_is_certified_with_the_score_as_variable():
    real, fake, generator, domain = LOSSES["conjugate"]
    found = derive(Loss("mine", real, fake, generator, domain=domain))
    followed = found.disjoint.followed
    # r = (2 - s)/s with s = sqrt(1 - t), c = -t: 3 - integral of dc/r = 3 - ∫₀¹ 2s²/(2 - s) ds
    exact = 3 - (5 - 8 * mpmath.log(2))
    assert followed.error < 1e-14
    assert abs(followed.value - exact) <= followed.error + 1e-15


def test_numbers_at_ratios_are_those_of_the_closed_form_and_none_at_a_point_mass():
    row, last = derive("non-saturating").at("1/20", 3)
    assert abs(row.followed.value - 1 / (0.05**2 * 1.05)) <= 1e-12
    assert (last.D.value, last.D.error) == (0.75, 0)
    kink, beyond = derive("hinge").at(1, "3/2")
    assert kink.value is None
    assert (beyond.t.value, beyond.value.value) == (1, 0)


@pytest.mark.parametrize(
    ("asked", "ratio", "said"),
    [
        ("minimax", 0, "positive"),
        ("minimax", "x", "unknown name"),
        ("alpha-gan", 2, "free parameters"),
        (Loss("endless", "t", "-t", "-t"), 2, "no optimal"),
    ],
)
def test_a_ratio_that_cannot_be_read_ends_in_one_line(asked, ratio, said):
    with pytest.raises(GantheoryError, match=said):
        derive(asked).at(ratio)


def test_a_divergence_without_a_closed_form_is_integrated_over_densities():
    found = derive(Loss("mine", *LOSSES["temperatures"])).value
    integral = divergence(found, "normal(0, 1)", "normal(1, 1)")
    # scipy's quad of q*F(p/q), F by a bounded search over scores
    assert integral.value == pytest.approx(0.15864187379924877, abs=1e-12)
    assert integral.error < 1e-13


@pytest.mark.parametrize(
    ("real", "fake", "domain", "ratio"),
    [
        # the second hill is the higher one just below r = 1 only, and up to r = 1
        ("-huber(t - 1)", "-relu(1 + t) + relu(t/2)/9", "(-1, 3)", 0.998534961637491),
        (
            "-2*leaky_relu(t/2, 0.2) + sin(t + 1/2)/2",
            "abs(t/2)**1.5/2",
            "[-2, 2]",
            1.47727829598954,
        ),
        ("-(t - 1)**2*(t + 1)**2 + t/5", "-t**2/4 - t", "[-3, 3]", 5),
    ],
)
def test_the_ratio_at_which_the_optimum_jumps_is_found_wherever_it_lies(real, fake, domain, ratio):
    loss = Loss("jumping", real, fake, "-t", domain=domain)
    ((place, mass),) = derive(loss).value.atoms
    assert float(place) == pytest.approx(ratio, rel=1e-12)
    assert mass > 0
    assert derive(loss).loss.is_divergence is False


@pytest.mark.parametrize("name", ["minimax", "non-saturating"])
def test_names_found_and_proved_in_the_score_are_those_of_the_closed_form(name):
    closed = derive(name)
    with ctx.workprec(192):
        found = Implicit.of(get_loss(name))
        level = found.determined()
        parts = (found.value(), found.loss_curvature(level), found.followed())
    for made, known in zip(parts, closed.curvatures.values(), strict=True):
        assert (made.terms, made.is_divergence) == (known.terms, known.is_divergence)
        assert sp.simplify(made.constant - known.constant) == 0


REAL = ["-softplus(-t)", "erf(t)", "-huber(t - 1, 1/2)", "-logsumexp(-t, -2*t)", "-exp(-t)"]
FAKE = [
    "-softplus(t)",
    "-t**2/2",
    "-abs(t)**1.5",
    "-exp(t/2)",
    "-atan(t) - t**2/9",
]
ADDED = [
    "tanh(2*t)/9",
    "-sqrt(1 + t**2)/3",
    "clamp(t, -1, 1/2)/4",
    "D/5",
    "-(t + 1/2)**4/30",
    "atan(t)/7",
]
DOMAINS = ["(-oo, oo)", "[-2, 2]", "(-1, 3)", "(-oo, log(2)]"]


@pytest.mark.parametrize("seed", range(4))
def test_no_score_of_a_search_does_better_in_a_loss_composed_at_random(seed):
    draw = np.random.default_rng(seed)
    real, fake, added, domain = (str(draw.choice(texts)) for texts in (REAL, FAKE, ADDED, DOMAINS))
    loss = Loss("composed", f"{real} + {added}", fake, "softplus(-t)", domain=domain)
    found = derive(loss)
    assert found.status == "derived"
    low, high = (end.strip() for end in domain[1:-1].split(","))
    low, high = float(low.replace("oo", "inf")), {"oo": 12.0, "log(2)": np.log(2)}.get(high, high)
    grid = np.linspace(max(low, -12.0), float(high), 82)[1:-1]
    for row in found.at(0.07, 0.9, 8):
        assert row.t is not None
        if np.isfinite(row.t.value):
            at = [
                row.r * payoff(loss.real, score) + payoff(loss.fake, score)
                for score in (row.t.value, *grid)
            ]
            assert at[0] >= max(at[1:]) - 1e-12
