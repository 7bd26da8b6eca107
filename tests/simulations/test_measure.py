"""Measured values and gradients against the theory, and how often the verdicts on them err."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from gantheory import density
from gantheory.errors import GantheoryError
from gantheory.integrals import divergence
from gantheory.losses.loss import Loss
from simulations import measure
from simulations.compare import half_width
from simulations.data import quantile, stratified, torch_logpdf
from simulations.experiments.pairs import PAIRS
from simulations.measure import Budget
from simulations.theory import predict

SMALL = Budget(replicates=2048, strata=64)
P, Q = "normal(0, 1)", "normal(1.7, 1)"
# game -> (followed divergence, loss value) in the engine's names, with coefficients, typed here
# from the literature: the oracle for what the derivation is asked for elsewhere.
LITERATURE = {
    "minimax": ({"jsd": 2}, {"kl_qm": 1}),
    "non-saturating": ({"kl_mp": 2}, {"kl_qp": 1, "kl_qm": -1}),
    "reverse-kl": ({"kl_qp": 1}, {"kl_qp": 1}),
}


def slope(combination, p, q, wrt):
    return sum(k * divergence(name, p, q, wrt=wrt).value for name, k in combination.items())


@pytest.mark.parametrize("wrt", ["q.loc", "q.scale"])
@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("definition", LITERATURE)
def test_autograd_with_d_at_its_optimum_follows_the_published_divergence(definition, pair, wrt):
    p, q = PAIRS[pair]
    measured = measure.frozen_gradient(definition, p, q, wrt, seed=1, budget=SMALL)
    followed, loss = (slope(combination, p, q, wrt) for combination in LITERATURE[definition])
    assert abs(measured.value - followed) <= measured.error + 1e-9
    # Where the two differ by less than a hundredth, this small budget cannot tell them apart.
    if abs(followed - loss) > 1e-6 and (pair, wrt) != ("skewed", "q.scale"):
        assert abs(measured.value - loss) > measured.error + 1e-9


def test_the_worked_numbers_of_the_shifted_pair():
    minimax = measure.frozen_gradient("minimax", P, Q, seed=0)
    assert minimax.value == pytest.approx(0.46672, abs=1e-5)
    assert measure.frozen_gradient("non-saturating", P, Q, seed=0).value == pytest.approx(
        1.23328, abs=1e-5
    )
    assert abs(minimax.value - 0.23336) > 1000 * minimax.error  # KL(Q||M), the false twin


def test_a_payoff_that_grows_in_the_tails_is_measured_where_the_law_sends_few_samples():
    """f-gan-neyman follows Neyman's chi², exp(d²) − 1 between N(0, 1) and N(d, 1)."""
    truth = 2 * 1.7 * math.exp(1.7**2)
    measured = measure.frozen_gradient("f-gan-neyman", P, Q, "q.loc", seed=0)
    assert abs(measured.value - truth) <= measured.error < 1e-3 * truth


@pytest.mark.parametrize(
    "text", [Q, "gumbel(1, 1)", "gamma(2, 1)", "uniform(0, 1)", PAIRS["two-modes"][0]]
)
def test_weighted_samples_have_the_mean_and_mass_of_their_law(text):
    x, weight = measure._sampled(text, np.random.default_rng(0), SMALL)
    assert weight.max() <= 2
    law = density(text)
    for moments, truth in ((weight, 1.0), (weight * x[..., 0], expected(law))):
        rows = moments.mean(axis=1)
        assert abs(rows.mean() - truth) <= half_width(rows) + 1e-12


def expected(law):
    return integrate.quad(lambda x: x * law.pdf(x), *np.clip(law.support, -60, 60), points=[0.0])[0]


@pytest.mark.parametrize("pair", PAIRS)
def test_the_value_of_the_optimal_discriminator_is_the_derived_optimum(pair):
    p, q = PAIRS[pair]
    prediction = predict("minimax")
    best = prediction.optimal_discriminator(p, q)
    sampled = measure.value("minimax", best, p, q, seed=2, budget=SMALL)
    integrated = measure.integrated_value("minimax", best, p, q)
    theory = 2 * divergence("jsd", p, q).value - 2 * math.log(2)
    assert abs(sampled.value - theory) <= sampled.error
    assert abs(integrated.value - theory) <= integrated.error + 1e-9


def test_a_value_counts_the_points_at_which_d_was_asked():
    asked = []
    best = predict("minimax").optimal_discriminator(P, Q)

    def watched(x):
        asked.append(math.prod(x.shape))
        return best(x)

    assert measure.value("minimax", watched, P, Q, seed=3, budget=SMALL).evaluations == sum(asked)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3), st.sampled_from(sorted(PAIRS)))
def test_no_discriminator_beats_the_optimum(coefficients, pair):
    a, b, c = coefficients
    p, q = PAIRS[pair]

    def wiggly(x):
        return a + b * x[..., 0] + c * torch.sin(3 * x[..., 0])

    best = predict("minimax").optimal_value(p, q)
    value = measure.integrated_value("minimax", wiggly, p, q)
    assert value.value <= best.value + value.error + best.error


@pytest.mark.parametrize("power", [0.3, 0.5, 0.7])
def test_the_error_of_an_integral_covers_what_lies_beyond_its_ends(power):
    # E|X|^s = 1/cos(πs/2) under the Cauchy law: the tails beyond 1e-15 of mass weigh 1e-5 to 1e-11
    loss = Loss("mean difference", real="t", fake="-t", generator="-t")
    critic = lambda x: x[..., 0].abs() ** power  # noqa: E731
    found = measure.integrated_value(loss, critic, "student_t(1, 0, 1)", "uniform(0, 1)")
    truth = 1 / math.cos(math.pi * power / 2) - 1 / (1 + power)
    assert abs(found.value - truth) <= found.error
    tail = 4 / math.pi * (1e15 / math.pi) ** (power - 1) / (1 - power)
    assert found.error < 3 * tail + 1e-7


@pytest.mark.parametrize(
    "p", ["student_t(3, 0, 1)", "student_t(1, 0, 1e-3)", "laplace(0, 1)", "lognormal(0, 2)"]
)
def test_an_integral_finds_the_middle_of_a_heavy_tailed_law(p):
    q = "normal(1, 1)" if "log" not in p else "gamma(2, 1)"
    best = predict("minimax")
    value = measure.integrated_value("minimax", best.optimal_discriminator(p, q), p, q)
    assert abs(value.value - best.optimal_value(p, q).value) <= value.error + 1e-9


@pytest.mark.parametrize("change", [1.1, 0.8])
def test_the_gap_bounds_what_a_wrong_discriminator_does_to_the_gradient(change):
    best = predict("minimax").optimal_discriminator(P, Q)

    def wrong(x):
        return change * best(x)

    gap = measure.gradient_gap("minimax", wrong, P, Q, "q.loc")
    mine = measure.generator_gradient("minimax", wrong, Q, "q.loc", seed=3)
    truth = slope({"jsd": 2}, P, Q, "q.loc")
    assert mine.error < abs(mine.value - truth) <= gap.value + gap.error + mine.error


def test_the_gap_of_the_optimum_itself_is_nothing():
    best = predict("minimax").optimal_discriminator(P, Q)
    gap = measure.gradient_gap("minimax", best, P, Q, "q.scale")
    assert gap.value + gap.error < 1e-5


def test_the_distance_of_a_shifted_discriminator_is_that_of_its_definition():
    best = predict("minimax").optimal_discriminator(P, Q)
    distance = measure.discriminator_distance("minimax", lambda x: best(x) + 0.1, P, Q)
    x = np.linspace(-12, 14, 200001)
    p, q = stats.norm.pdf(x), stats.norm.pdf(x, 1.7)
    u = stats.norm.logpdf(x) - stats.norm.logpdf(x, 1.7)
    difference = 1 / (1 + np.exp(-u - 0.1)) - 1 / (1 + np.exp(-u))
    exact = math.sqrt(((p + q) / 2 * difference**2).sum() * (x[1] - x[0]))
    assert abs(distance.l2.value - exact) <= distance.l2.error + 1e-7
    assert distance.sup.value == pytest.approx(difference.max(), rel=1e-3)


@pytest.mark.parametrize("wrt", ["p.loc", "q.shape", "loc"])
def test_a_parameter_that_the_generator_does_not_move_is_refused(wrt):
    with pytest.raises(GantheoryError, match=r"'q\.loc' or 'q\.scale'"):
        measure.frozen_gradient("minimax", P, Q, wrt, seed=0, budget=SMALL)


LAWS = [
    "normal(1, 2)", "laplace(0, 1)", "student_t(5, 0, 1)", "gumbel(0, 1)", "logistic(1, 0.5)",
    "uniform(-1, 2)", "lognormal(0, 0.5)", "gamma(2, 0.5)", "beta(2, 3)",
    "normal_mixture((0.3, 0.7), (-1, 2), (0.5, 1))",
]  # fmt: skip


@pytest.mark.parametrize("text", LAWS)
def test_torch_and_the_engine_agree_on_every_log_density(text):
    from gantheory.densities import parse_density

    x = stratified(text, np.random.default_rng(0), (1, 101))[0]
    assert torch_logpdf(text)(torch.from_numpy(x)).numpy() == pytest.approx(
        parse_density(text).logpdf(x), rel=1e-10, abs=1e-10
    )


def test_the_seam_between_two_parts_of_a_mixture_maps_to_a_number():
    law = density("normal_mixture((0.5, 0.5), (-2, 2), (1, 1))")
    assert np.isfinite(quantile(law, np.array([0.0, 0.5, 1.0]))).all()


def test_stratified_samples_have_one_point_in_every_slice():
    x = stratified("normal(0, 1)", np.random.default_rng(0), (3, 50))
    slices = np.floor(stats.norm.cdf(x) * 50).astype(int)
    assert (slices == np.arange(50)).all()


@pytest.mark.parametrize(("loc", "scale"), [(3.0, 0.5), (0.0, 1.0), (-1.0, 4.0), (0.2, 0.05)])
def test_the_jsd_of_an_ensemble_is_that_of_the_engine(loc, scale):
    fast = measure.normal_jsd(np.array([loc]), np.array([-scale]))[0]
    assert fast == pytest.approx(divergence("jsd", P, f"normal({loc}, {scale})").value, abs=1e-9)


# --- how often the verdict errs -----------------------------------------------------------------

RERUNS, DELTA, BY_CHANCE = 10_000, 1e-2, 1e-9
REPLICATES, STRATA = 512, 8


def gradients_of(loss, seed, runs):
    """Re-run the frozen gradient of a game ``runs`` times: (runs, replicates) replicate means."""
    best = predict(loss).optimal_discriminator(P, Q)
    rows = stratified(Q, np.random.default_rng(seed), (runs * REPLICATES, STRATA))
    x = torch.from_numpy(rows)[..., None].requires_grad_()
    payoff = measure.generator_payoff(loss)
    (slopes,) = torch.autograd.grad(payoff(best(x)).sum(), x)
    return slopes[..., 0].mean(-1).reshape(runs, REPLICATES).numpy()


@pytest.mark.parametrize("loss", ["minimax", "non-saturating"])
def test_reruns_of_the_verdict_reject_the_truth_no_more_often_than_stated_and_see_5_percent(loss):
    truth = slope(LITERATURE[loss][0], P, Q, "q.loc")
    false_alarms = seen = 0
    for part in range(10):
        means = gradients_of(loss, part, RERUNS // 10)
        difference = np.abs(means.mean(axis=-1) - truth)
        false_alarms += int((difference > half_width(means, DELTA)).sum())
        planted = np.abs(means.mean(axis=-1) - 1.05 * truth)
        seen += int((planted > half_width(means, 1e-8)).sum())
    assert false_alarms <= stats.binom.isf(BY_CHANCE, RERUNS, DELTA)
    assert seen >= 0.99 * RERUNS
