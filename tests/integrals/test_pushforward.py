"""The law of x = G(z): textbook images, distribution functions, and generators that are refused."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, optimize, stats
from scipy.stats import norm

from gantheory import GantheoryError, Status
from gantheory.densities.pushforward import pushforward
from gantheory.integrals import divergence

TEXTBOOK = [
    ("2*z + 1", "normal(0, 1)", stats.norm(1, 2)),
    ("-z", "gumbel(0, 1)", stats.gumbel_l(0, 1)),
    ("exp(z)", "normal(0, 1)", stats.lognorm(1)),
    ("z**2", "normal(0, 1)", stats.chi2(1)),
    ("abs(z)", "normal(0, 1)", stats.halfnorm()),
    ("1/z", "student_t(1)", stats.cauchy()),
    ("-log(z)", "uniform(0, 1)", stats.expon()),
    ("sigmoid(z)", "logistic(0, 1)", stats.uniform()),
]
TEXTBOOK = [case for case in TEXTBOOK if case[0] != "1/z"]  # G must be finite on the window


@pytest.mark.parametrize(("formula", "latent", "known"), TEXTBOOK)
def test_textbook_images(formula, latent, known):
    law = pushforward(formula, latent)
    x = known.ppf(np.linspace(0.02, 0.98, 25))
    assert law.pdf(x) == pytest.approx(known.pdf(x), rel=1e-9)
    assert law.cdf(x) == pytest.approx(known.cdf(x), abs=1e-12)


@pytest.mark.parametrize(
    "formula", ["z**3 - z", "z + 2*tanh(3*z)", "z + 1.5*tanh(z)*exp(-z)", "z**4 - z**2"]
)
def test_the_density_integrates_to_the_distribution_function(formula):
    law = pushforward(formula)
    a, b = 0.45, 1.3  # past the singular images of the turns
    mass = integrate.quad(law.pdf, a, b, limit=200)[0]
    assert mass == pytest.approx(float(law.cdf(b) - law.cdf(a)), rel=1e-8)
    draws = law.sample(0, 100_000)
    share = np.mean((draws > a) & (draws <= b))
    assert abs(share - mass) < 6 * math.sqrt(0.25 / len(draws))


def test_divergences_of_an_image_are_those_of_the_law_it_is():
    affine = divergence("jsd", "normal(0, 1)", pushforward("2*z + 1"))
    assert affine.value == pytest.approx(divergence("jsd", "normal(0, 1)", "normal(1, 2)").value)
    folded = divergence("tv", pushforward("z**2"), "gamma(1, 2)")
    truth = divergence("tv", "gamma(0.5, 2)", "gamma(1, 2)").value
    assert abs(folded.value - truth) <= folded.error
    assert folded.error < 1e-6


def test_an_invertible_map_of_both_laws_changes_no_divergence():
    p, q = (pushforward("z + 2*tanh(3*z)", latent) for latent in ("normal(0, 1)", "normal(1, 1)"))
    found = divergence("hellinger2", p, q)
    assert found.value == pytest.approx(1 - math.exp(-1 / 8), rel=1e-10)


def test_an_unknown_tail_is_never_guessed():
    found = divergence("kl_pq", "normal(0, 1)", pushforward("z + exp(-z**2)"))
    assert found.status is Status.UNDETERMINED
    assert "tail" in found.reason


def test_a_tail_that_follows_from_the_map_lets_kl_be_integrated():
    def integrand(y):
        z = optimize.brentq(lambda z: z + 2 * np.tanh(3 * z) - y, -60, 60, xtol=1e-15)
        slope = 1 + 6 / np.cosh(3 * z) ** 2
        return norm.pdf(y) * (norm.logpdf(y) - norm.logpdf(z) + np.log(slope))

    cuts = [-12, -2, -0.5, 0.5, 2, 12]
    truth = sum(integrate.quad(integrand, *ends, epsabs=1e-12)[0] for ends in pairwise(cuts))
    found = divergence("kl_pq", "normal(0, 1)", pushforward("z + 2*tanh(3*z)"))
    assert abs(found.value - truth) <= found.error + 1e-11
    assert found.error < 1e-10


@pytest.mark.parametrize(
    ("formula", "word"),
    [
        ("relu(z)", "atom"),
        ("3", "does not contain z"),
        ("log(z)", "not finite"),
        ("z + w", "unknown name"),
        ("__import__('os')", "unknown function"),
    ],
)
def test_a_generator_without_density_is_refused(formula, word):
    with pytest.raises(GantheoryError, match=word):
        pushforward(formula)


@pytest.mark.parametrize(
    ("formula", "turn", "folds"),
    [
        ("z**2", 0.0, True),
        ("(z**2)**0.3", 0.0, False),
        ("abs(z)", 0.0, False),
        ("abs(z)*abs(z)", 0.0, True),
        ("max(z, -2*z)", 0.0, False),
        ("sqrt(1 + z**2)", 0.0, True),
        ("z*tanh(1e9*z)", 0.0, True),  # so narrow that slopes beside it tell nothing
        ("sqrt(1e-16 + z**2)", 0.0, True),
        ("abs(z - 3) + z**2", 0.5, True),
    ],
)
def test_a_turn_is_a_fold_or_a_kink_by_the_formula(formula, turn, folds):
    law = pushforward(formula)
    found = min((b.low for b in law.branches), key=lambda z: abs(z - turn))
    assert found == pytest.approx(turn, abs=1e-9)
    assert law.map.folds(found) is folds
