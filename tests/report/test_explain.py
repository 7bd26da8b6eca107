"""What `explain` says of a loss, against losses computed on random laws."""

import json
import math
import random

import mpmath
import numpy as np
import pytest
import sympy as sp
from click.testing import CliRunner

from gantheory import Loss
from gantheory.cli.explain import command
from gantheory.errors import GantheoryError
from gantheory.functions import relu, sigmoid, softplus, t, to_sympy
from gantheory.losses import CATALOGUE, CRITICS
from gantheory.report.explain import explain
from gantheory.report.explanation import as_number

LOG2 = float(sp.log(2))
NUMERIC = [name for name, loss in CATALOGUE.items() if not loss.parameters]
MODULES = [
    {
        "softplus": lambda u: mpmath.log1p(mpmath.exp(-abs(u))) + max(u, 0),
        "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u)),
        "relu": lambda u: max(u, 0),
    },
    "mpmath",
]


def payoffs(loss):
    texts = (loss.real, loss.fake, loss.generator)
    return [sp.lambdify(t, to_sympy(text), MODULES) for text in texts]


def random_pairs(count, seed):
    generator = random.Random(seed)
    for _ in range(count):
        weights = [[generator.random() ** 3 + 1e-6 for _ in range(3)] for _ in "pq"]
        yield [[mpmath.mpf(x) / mpmath.fsum(xs) for x in xs] for xs in weights]


def losses(functions, p, q, scores):
    """Return (−V, mean generator loss) of a discriminator given by its scores."""
    a, b, c = functions
    v = sum(x * a(s) + y * b(s) for x, y, s in zip(p, q, scores, strict=True))
    return float(-v), float(sum(y * c(s) for y, s in zip(q, scores, strict=True)))


def golden(function, low, high):
    """Return the maximiser of a concave function on an interval, sharing nothing with sympy."""
    ratio = (mpmath.sqrt(5) - 1) / 2
    for _ in range(75):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if function(left) > function(right) else (left, high)
    return (low + high) / 2


CONCAVE = ["minimax", "non-saturating", "reverse-kl", "least-squares-01", "least-squares-pearson"]


@pytest.mark.parametrize("name", CONCAVE)
def test_losses_at_the_best_discriminator_stay_in_the_derived_range(name):
    found = explain(name)
    a, b, _ = functions = payoffs(CATALOGUE[name])
    for p, q in random_pairs(8, 3):
        scores = [
            golden(lambda s, x=x, y=y: x * a(s) + y * b(s), mpmath.mpf(-40), mpmath.mpf(40))
            for x, y in zip(p, q, strict=True)
        ]
        for value, known in zip(
            losses(functions, p, q, scores), (found.discriminator, found.generator), strict=True
        ):
            if known.lowest is not None:
                assert as_number(known.lowest) - 1e-9 <= value <= as_number(known.highest) + 1e-9


@pytest.mark.parametrize("name", CONCAVE)
def test_any_discriminator_certifies_its_bound_and_no_more(name):
    found = explain(name)
    a, b, _ = functions = payoffs(CATALOGUE[name])
    generator = random.Random(11)
    tight = 0
    for p, q in random_pairs(8, 5):
        best = [
            golden(lambda s, x=x, y=y: x * a(s) + y * b(s), mpmath.mpf(-40), mpmath.mpf(40))
            for x, y in zip(p, q, strict=True)
        ]
        top, _ = losses(functions, p, q, best)
        reported = found.certify(top).at_least
        scores = [s + generator.gauss(0, 1) for s in best]
        worse, _ = losses(functions, p, q, scores)
        certified = found.certify(worse)
        assert certified.at_least <= reported + 1e-9
        tight += certified.at_least > 0
    assert tight  # the bound says something


def test_the_bound_is_the_divergence_itself_at_the_optimum():
    p, q = [mpmath.mpf("0.8"), mpmath.mpf("0.2")], [mpmath.mpf("0.3"), mpmath.mpf("0.7")]
    m = [(x + y) / 2 for x, y in zip(p, q, strict=True)]
    twice_jsd = sum(x * mpmath.log(x / z) + y * mpmath.log(y / z)
                    for x, y, z in zip(p, q, m, strict=True))  # fmt: skip
    scores = [mpmath.log(x / y) for x, y in zip(p, q, strict=True)]
    loss, _ = losses(payoffs(CATALOGUE["minimax"]), p, q, scores)
    bound = explain("minimax", discriminator_loss=loss).bound
    assert bound.divergence == "2*jsd"
    assert bound.at_least == pytest.approx(float(twice_jsd), rel=1e-12)


@pytest.mark.parametrize(
    ("definition", "stuck", "loss", "words"),
    [
        ("minimax", 1.386, "discriminator", "no evidence of convergence"),
        ("non-saturating", 0.693, "generator", "no evidence of convergence"),
        ("non-saturating", 0.693, "discriminator", "averages"),
        ("minimax", 0.0, "discriminator", "perfectly"),
        ("minimax", 0.0, "generator", "recognised"),
        ("non-saturating", 13.8, "generator", "guard"),
        ("minimax", 13.82, "discriminator", "guard"),
        ("least-squares-01", 0.25, "discriminator", "no evidence of convergence"),
        ("hinge", 2.0, "discriminator", "no evidence of convergence"),
        ("wasserstein", 0.0, "discriminator", "learned nothing"),
    ],
)
def test_a_stuck_value_is_recognised(definition, stuck, loss, words):
    said = [one for one in explain(definition).meanings(stuck) if one.loss == loss]
    assert any(words in one.when + one.meaning for one in said)


@pytest.mark.parametrize(("stuck", "said"), [("13.82", "guard"), ("0.123", "no plateau")])
def test_the_command_repeats_the_stuck_value_with_what_it_may_be(stuck, said):
    shown = CliRunner().invoke(command, ["minimax", f"--stuck={stuck}"]).output
    assert said in shown[shown.index(f"stuck at {stuck}:") :]


SINGLE_23 = -math.log(2.0**-23)  # what single precision makes of -log(1 - (1 - 1e-7))


@pytest.mark.parametrize(
    ("stuck", "exact", "words"),
    [
        (16.0302, (SINGLE_23 - math.log(1e-7)) / 2, "averages"),
        (15.942, SINGLE_23, "single precision"),
        (16.1181, -math.log(1e-7), "1e-07"),
        (13.8023, -math.log(float(1 - np.float32(1 - 1e-6))), "1e-06"),
        (100.0, 100, "BCELoss"),
        (32.06, SINGLE_23 - math.log(1e-7), "wrong on real and on fake"),
    ],
)
def test_guards_are_told_apart_as_single_precision_stores_them(stuck, exact, words):
    assert float(1 - np.float32(1 - 1e-7)) == 2.0**-23
    nearest = explain("minimax").meanings(stuck)[0]
    assert nearest.number == pytest.approx(exact, rel=1e-12)
    assert words in nearest.when


@pytest.mark.parametrize("heads", [3, 5, 8, 13])
def test_summed_heads_are_recognised_with_or_without_the_factor_one_half(heads):
    said = explain("least-squares-01").meanings(heads * 0.5)
    bare = [one for one in said if f"{heads} heads" in one.when and "factor 1/2" in one.when]
    assert any(one.loss == "discriminator" for one in bare)
    assert all(one.number == pytest.approx(heads * 0.5) for one in said)


def test_a_bounded_domain_has_no_plateaus_that_its_scores_cannot_reach():
    bounded = Loss("yours", "log(D)", "log(1 - D)", "-log(D)", domain="[-5, 5]")
    highest = math.log1p(math.exp(5))
    assert all(one.number <= 2 * highest for one in explain(bounded).plateaus)
    assert max(one.number for one in explain("non-saturating").plateaus) > 13


@pytest.mark.parametrize(
    ("loss", "stuck"),
    [("minimax", 0.9), ("hinge", 1.386), ("minimax", 9.0),
     ("hinge", 14.8155), ("hinge", 13.8155)],  # no guard holds a raw score
)  # fmt: skip
def test_an_ordinary_value_is_not_taken_for_a_plateau(loss, stuck):
    assert explain(loss).meanings(stuck) == ()


@pytest.mark.parametrize(
    ("loss", "discriminator", "generator"),
    [
        ("minimax", False, True),
        ("non-saturating", False, False),
        ("reverse-kl", False, True),
        ("hinge", False, True),
        ("least-squares-01", False, False),
        ("f-gan-kl", True, True),
        ("wasserstein", True, True),
    ],
)
def test_it_says_which_losses_may_be_negative(loss, discriminator, generator):
    found = explain(loss)
    assert found.discriminator.may_be_negative is discriminator
    if loss != "reverse-kl":  # its mean is KL(Q‖P) at D*, yet a fooled D makes it negative
        assert found.generator.may_be_negative is generator


def test_a_loss_that_no_discriminator_can_reach_is_called_impossible():
    assert "impossible" in explain("minimax", discriminator_loss=-0.1).bound.remark
    assert "nothing" in explain("minimax", discriminator_loss=1.5).bound.remark
    assert "certifies" in explain("minimax", discriminator_loss=1.0).bound.remark


def test_the_gradient_vanishes_for_minimax_and_not_for_non_saturating():
    assert explain("minimax").vanishing is True
    assert explain("non-saturating").vanishing is False
    assert explain("non-saturating-epsilon").vanishing is True


SAMPLED = [
    "one-sided-smoothing",
    "least-squares",
    "f-gan-jsd",
    "energy-based",
    "linear",
    "alpha-gan",
]


@pytest.mark.parametrize("name", [*SAMPLED, *CRITICS])
def test_every_kind_of_entry_is_explained_or_refused_with_a_reason(name):
    done = CliRunner().invoke(command, [name, "--json"])
    if isinstance(done.exception, GantheoryError):
        assert name in str(done.exception)
    else:
        assert done.exit_code == 0, done.exception
        assert set(json.loads(done.output)) >= {
            "definition",
            "discriminator_loss",
            "bound",
            "gradient",
        }


def test_bad_names_and_bounds_with_free_parameters_are_refused():
    with pytest.raises(GantheoryError, match="did you mean 'minimax'"):
        explain("minimx")
    with pytest.raises(GantheoryError, match="finite"):
        explain("minimax", discriminator_loss=float("nan"))
    with pytest.raises(GantheoryError, match="free parameters"):
        explain("least-squares", discriminator_loss=1.0)


def test_the_atoms_used_here_are_all_there_are():
    assert {a.__name__ for a in (softplus, sigmoid, relu)} == set(MODULES[0])


def test_a_plateau_with_free_parameters_is_printed_as_a_formula_alone():
    shown = CliRunner().invoke(command, ["least-squares"])
    assert shown.exit_code == 0
    assert "discriminator loss (-a + b)^2/4: D = a/2 + b/2 everywhere" in shown.output
