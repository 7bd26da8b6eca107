"""Gradient penalties with a target: closed forms, another maximiser, zigzags, and what is said."""

import itertools

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.special

import gantheory as gt
from gantheory.records import Status
from gantheory.regularised.interpolates import Interpolates, between_laws
from gantheory.regularised.payoffs import penalised_payoffs

NORMAL = "normal(0, 1)"
LINEAR = gt.Loss("linear", "t", "-t", "-t")
TWO = "mixture(0.5*normal(-2, 0.5) + 0.5*normal(3, 1))"


def solved(loss, p, q, regulariser):
    return gt.optimal_discriminator(loss, p, q, regulariser=regulariser)


def by_hand(p, q, x):
    """The density of αX + (1 − α)Y for two normal laws, by the trapezoidal rule in tan(α)."""
    a = (1 + np.tanh(np.sinh(np.linspace(-3, 3, 400)))) / 2
    w = np.gradient(a)
    s = np.hypot(a * p.scale, (1 - a) * q.scale)
    z = (x[:, None] - a * p.loc - (1 - a) * q.loc) / s
    return np.exp(-(z**2) / 2) / s / np.sqrt(2 * np.pi) @ w


@pytest.mark.parametrize(
    ("domain", "low", "high"),
    [
        ("(0, oo)", 0, np.inf),
        ("(-oo, 2)", -np.inf, 2),
        ("(-1, 1)", -1, 1),
        ("(1/2, oo)", 0.5, np.inf),
    ],
)
def test_scores_are_tried_all_over_the_domain_and_nowhere_else(domain, low, high):
    grid = penalised_payoffs(gt.Loss("mine", "-t^2", "-t^2", "-t", domain=domain)).grid
    assert low <= grid.min() < max(low, -100) + 0.1
    assert min(high, 100) - 0.1 < grid.max() <= high


@pytest.mark.parametrize(
    ("fake", "generator", "flat"),
    [("log(1 - D)", "log(1 - D)", True), ("log(1 - D)", "-log(D)", False),
     ("-t^2/2", "log(1 + t^2)", True), ("-t^2/2", "(t - 1)^2/2", False)],
)  # fmt: skip
def test_fakes_that_d_is_sure_of_get_no_gradient_where_the_generator_is_flat_at_its_best_score(
    fake, generator, flat
):
    """The best score of fakes maximises their payoff: t → −∞ and t = 0 here."""
    payoffs = penalised_payoffs(gt.Loss("mine", "-(t - 1)^2/2", fake, generator))
    assert payoffs.is_flat_on_recognised is flat


@pytest.mark.parametrize(("q", "mean", "square"), [("normal(3, 0.2)", 3, 9.04), (TWO, 0.5, 7.125)])
def test_the_law_of_interpolates_has_the_moments_of_a_random_mean(q, mean, square):
    law = Interpolates.of(gt.density("normal(-1, 0.7)"), gt.density(q))
    x = np.linspace(-15, 15, 6001)
    moments = [np.trapezoid(x**k * law(x), x) for k in range(3)]
    assert moments == pytest.approx([1, (mean - 1) / 2, (square + 1.49 - mean) / 3], abs=1e-12)


@pytest.mark.parametrize(
    ("q", "size", "target", "root"),
    [("normal(2, 1)", 10, 1, []), ("normal(1, 2)", 0.5, 0.7, [-1.0]), (TWO, 2, 1, None)],
)
def test_linear_payoffs_reach_a_closed_form_under_both_penalties(q, size, target, root):
    p, q = gt.density(NORMAL), gt.density(q)
    mu = Interpolates.of(p, q)

    def gap(x):
        return p.cdf(x) - q.cdf(x)

    roots = [scipy.optimize.brentq(gap, -1, 2)] if root is None else root
    cuts = sorted([*np.linspace(-14, 16, 31), *roots])

    def cost(x):
        return target * abs(gap(x)) + gap(x) ** 2 / (4 * size * mu(np.array([x]))[0])

    truth = sum(
        scipy.integrate.quad(cost, a, b, epsabs=1e-13)[0] for a, b in itertools.pairwise(cuts)
    )
    for name in ("gp", "one_sided") if size == 2 else ("gp",):
        found = solved(LINEAR, p, q, f"{name}({size}, {target})")
        assert abs(found.objective.value - truth) <= found.objective.error + 1e-10
        assert found.objective.error < 1e-9
        assert found.value.value - found.penalty.value == pytest.approx(truth, abs=1e-9)


def discrete(p, q, size, target):
    """The largest V − one-sided penalty of piecewise linear scores on 161 points: from below."""
    x = np.linspace(-6, 9, 161)
    nodes, weights = np.polynomial.legendre.leggauss(6)
    share = (1 + nodes) / 2
    half = (x[1] - x[0]) / 2
    at = ((x[:-1] + x[1:]) / 2)[:, None] + half * nodes
    real, fake = (half * weights * law.pdf(at) for law in (p, q))
    stiff = size * (half * weights * by_hand(p, q, at.ravel()).reshape(at.shape)).sum(1)

    def loss(c):
        t = c[:-1, None] * (1 - share) + c[1:, None] * share
        slope = np.diff(c) / (2 * half)
        excess = np.maximum(np.abs(slope) - target, 0)
        total = (real * np.logaddexp(0, -t) + fake * np.logaddexp(0, t)).sum()
        force = fake * scipy.special.expit(t) - real * scipy.special.expit(-t)
        pull = 2 * stiff * excess * np.sign(slope) / (2 * half)
        steep = np.zeros_like(c)
        steep[:-1] += (force * (1 - share)).sum(1) - pull
        steep[1:] += (force * share).sum(1) + pull
        return total + (stiff * excess**2).sum(), steep

    found = scipy.optimize.minimize(
        loss, -x / 4, jac=True, method="L-BFGS-B", options={"maxiter": 4000, "maxfun": 8000}
    )
    return -found.fun


@pytest.mark.parametrize(
    ("q", "size", "target"), [("normal(2, 1.5)", 1, 1), ("normal(3, 1)", 0.2, 0.5)]
)
def test_another_maximiser_comes_near_from_below(q, size, target):
    p, q = gt.density(NORMAL), gt.density(q)
    found = solved("minimax", p, q, f"one_sided({size}, {target})")
    below = discrete(p, q, size, target)
    assert below - 1e-9 <= found.objective.value <= below + 3e-4
    assert found.penalty.value > 1e-4


def zigzag(found, q, teeth, size, target):
    """V − two-sided penalty of a score with slopes of at least the target near the best one."""
    p, q = gt.density(NORMAL), gt.density(q)
    x = np.linspace(-7, 8, 60001)
    best = np.array([found.finer[0].at(x)]).ravel()
    steps = np.diff(x)
    score, direction = np.empty_like(x), 1.0
    score[0] = best[0]
    for k, step in enumerate(steps):
        score[k + 1] = score[k] + direction * target * step
        if direction * (score[k + 1] - best[k + 1]) > 1 / teeth:
            direction = -direction
    middle, t = x[:-1] + steps / 2, (score[:-1] + score[1:]) / 2
    real, fake = p.pdf(middle) * steps, q.pdf(middle) * steps
    return -(real @ np.logaddexp(0, -t) + fake @ np.logaddexp(0, t))


def test_two_sided_there_is_no_best_score_where_it_would_be_flat_and_zigzags_come_near():
    p, q = NORMAL, "normal(0.5, 1)"  # log r has the slope 1/2 < 1
    free = solved("minimax", p, q, "one_sided(10)")
    truth = gt.divergence("minimax.value", p, q).value - 2 * np.log(2)
    assert free.objective.value == pytest.approx(truth, abs=1e-9)
    assert free.penalty.value == pytest.approx(0, abs=1e-12)
    found = solved("minimax", p, q, "gp(10)")
    assert found.objective.value == free.objective.value
    for number in (found.value, found.penalty, found.gradient(), found.score(0)):
        assert number.status is Status.UNDETERMINED
        assert "no best discriminator" in number.reason
    assert str(found).count("no best discriminator") == 1
    assert str(found).endswith(f"supremum of V - penalty = {free.objective}")
    short = [truth - zigzag(free, q, teeth, 10, 1) for teeth in (4, 16, 64)]
    assert 0 < short[2] < short[1] / 4 < short[0] / 16


def test_a_two_sided_penalty_has_the_one_sided_optimum_where_it_is_steep():
    pair = "minimax", NORMAL, "normal(2, 1)"  # log r has the slope 2 > 1
    one, two = (solved(*pair, f"{name}(10)") for name in ("one_sided", "gp"))
    assert two.value.value == pytest.approx(one.value.value, abs=1e-12)
    assert two.gradient().value == pytest.approx(one.gradient().value, abs=1e-9)
    bound = solved(*pair, "slope(1)").value.value
    assert bound < one.objective.value < one.value.value
    much = solved(*pair, "one_sided(1e3)").objective.value
    assert 0 < much - bound < 2e-5


@pytest.mark.parametrize(
    ("laws", "regulariser", "says"),
    [
        ((NORMAL, "normal(1e9, 1)"), "gp(10)", "too narrow"),
        (("normal_2d_iso((0, 0), 1)", "normal_2d_iso((1, 0), 1)"), "gp(10)", "line"),
        ((NORMAL, NORMAL), "gp(1) + r1(1)", "stands alone"),
        ((NORMAL, NORMAL), "gp", "lacks its weight"),
        ((NORMAL, NORMAL), "penalty", "known: none"),
        ((NORMAL, NORMAL), "gp(1, 0)", "weight"),
    ],
)
def test_what_a_gradient_penalty_cannot_do_is_refused(laws, regulariser, says):
    with pytest.raises(gt.GantheoryError, match=says):
        solved("minimax", *laws, regulariser)


def test_a_critic_of_bounded_slope_takes_a_gradient_penalty_in_the_place_of_its_class():
    p, q, x = NORMAL, "normal(2, 1)", np.linspace(-9, 11, 2001)
    nodes, weights = np.polynomial.legendre.leggauss(120)
    share, s = (1 + nodes) / 2, np.sqrt((1 + nodes**2) / 2)
    between = np.exp(-(((x[:, None] - 2 * share) / s) ** 2) / 2) @ (
        weights / s / np.sqrt(8 * np.pi)
    )
    gap = scipy.special.ndtr(x) - scipy.special.ndtr(x - 2)
    for name in ("wgan-gp", "wgan"):
        found = solved(name, p, q, "gp(10)")
        # t' = 1 + gap/(20 m) is the best slope, place by place
        value = np.trapezoid(gap + gap**2 / (20 * between), x)
        assert found.value.value == pytest.approx(value, rel=1e-10)
        assert found.objective.value == pytest.approx((value + 2) / 2, rel=1e-10)
    assert solved("wgan", p, q, "slope(1)").value.value == pytest.approx(2, abs=1e-6)


@pytest.mark.parametrize(("name", "penalty"), [("wgan", "r1(1)"), ("fisher", "gp(10)")])
def test_no_class_is_left_out_in_silence(name, penalty):
    with pytest.raises(gt.GantheoryError, match=r"its class holds D's slope|not separable"):
        solved(name, NORMAL, "normal(2, 1)", penalty)


def between_uniforms(x):
    """The density between uniform(0, 1) and uniform(2, 3): the integral of 1/(b - a), by hand."""

    def g(z):
        return z * np.log(z) - z

    x = np.minimum(x, 3 - x)
    return np.where(x < 1, g(3) - g(2) - g(3 - x) + g(2 - x), g(3) - 2 * g(2) + g(1))


def test_laws_of_other_families_have_the_law_between_them():
    x = np.linspace(0, 3, 30002)[1:-1]
    gap = np.minimum(np.minimum(x, 3 - x), 1)
    truth = np.trapezoid(gap + gap**2 / (40 * between_uniforms(x)), x) + 0.5e-8
    found = solved("wgan", "uniform(0, 1)", "uniform(2, 3)", "gp(10)")
    assert found.objective.value == pytest.approx(truth, abs=3e-7)
    law = between_laws(gt.density("uniform(0, 1)"), gt.density("uniform(2, 3)"))
    places = np.array([1e-3, 0.2, 0.9999, 1.5, 2.7])
    assert law(places) == pytest.approx(between_uniforms(places), rel=1e-9)


@pytest.mark.parametrize(
    "laws", [("exponential(1)", "exponential(2)"), ("beta(2, 3)", "uniform(0, 1)")]
)
def test_the_law_between_is_that_of_draws(laws):
    p, q = map(gt.density, laws)
    law, draw = between_laws(p, q), np.random.default_rng(3)
    a = draw.random(200_000)
    z = a * p.sample(draw, len(a)) + (1 - a) * q.sample(draw, len(a))
    nodes, weights = np.polynomial.legendre.leggauss(200)
    for place in np.quantile(z, [0.1, 0.5, 0.9]):
        below = place / 2 * weights @ law(place / 2 * (1 + nodes))
        assert abs(np.mean(z < place) - below) < 5 * np.sqrt(below * (1 - below) / len(z))


def test_concentric_normals_in_the_plane_are_a_problem_in_the_radius_under_a_gradient_penalty():
    x = np.linspace(0, 16, 8001)
    gap = np.exp(-(x**2) / 8) - np.exp(-(x**2) / 2)
    share = np.linspace(0, 1, 2001)[:, None]
    square = share**2 + 4 * (1 - share) ** 2
    mu = np.trapezoid(x / square * np.exp(-(x**2) / 2 / square), share[:, 0], axis=0)
    with np.errstate(invalid="ignore"):
        truth = np.trapezoid(np.nan_to_num(gap + gap**2 / (40 * mu)), x)
    laws = ("normal_2d_iso((0, 0), 1)", "normal_2d_iso((0, 0), 2)")
    assert solved("wgan", *laws, "gp(10)").objective.value == pytest.approx(truth, abs=1e-5)
