"""Games that are in no catalogue give their divergence back, and planted errors are refuted."""

import math
import random
import re
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gantheory import Loss, derive
from gantheory.divergences import DIVERGENCES, named
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import r
from gantheory.ledger.catalogue import theory_of
from gantheory.ledger.published import check_claim
from gantheory.losses import CATALOGUE
from gantheory.losses.loss import Claim
from gantheory.records import How
from gantheory.theory.generator import at_zero, curvature, f_from_curvature, slope_at_infinity
from gantheory.theory.identify import combination_text, identify

SMOOTH = [name for name in DIVERGENCES if name != "tv"]
# Each writes the density ratio as an increasing function of the score.
SCORES = {
    "exp(t)": "(-oo, oo)",
    "exp(2*t)": "(-oo, oo)",
    "t": "(0, oo)",
    "t**2": "(0, oo)",
    "t/(1 - t)": "(0, 1)",
    "D/(1 - D)": "(-oo, oo)",
}
POINTS = [sp.Rational(1, 30), sp.Rational(2, 3), sp.Rational(7, 5), sp.Integer(19)]


def vanishes(expr):
    return all(abs(sp.N(expr.subs(r, point), 40)) < sp.Rational(1, 10**25) for point in POINTS)


coefficients = st.fractions(Fraction(1, 5), 5, max_denominator=6)


def game_of(generator: sp.Expr, score: str) -> Loss:
    """The game with payoffs f'(s) and f(s) - s f'(s) at a score that stands for the ratio s."""
    s = sp.Symbol("s", positive=True)
    f = generator.xreplace({r: s})
    a, b = sp.diff(f, s), f - s * sp.diff(f, s)
    real, fake = (re.sub(r"\bs\b", f"({score})", str(part)) for part in (a, b))
    return Loss("random", real, fake, fake, domain=SCORES[score])


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    st.dictionaries(st.sampled_from(SMOOTH), coefficients, min_size=1, max_size=3),
    st.sampled_from(list(SCORES)),
)
@example({"hellinger2": Fraction(3), "neyman_chi2": Fraction(1, 2)}, "t**2")
def test_a_random_convex_f_made_into_a_game_is_found_again(weights, score):
    total = sum(
        (sp.Rational(w) * f_from_curvature(*curvature(named(n))) for n, w in weights.items()),
        sp.Integer(0),
    )
    derivation = derive(game_of(total, score))
    assert derivation.status == "derived", derivation.undecided
    difference = derivation.value.curvature - sp.diff(total, r, 2)
    assert vanishes(difference)
    assert derivation.value.is_divergence
    assert derivation.zero_sum
    assert derivation.followed.curvature == derivation.value.curvature
    found = derivation.value
    again = sum((value * curvature(named(n))[0] for n, value in found.terms.items()), sp.Integer(0))
    assert vanishes(again - found.curvature)
    assert len(found.terms) <= len(weights)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(SMOOTH), coefficients, min_size=1, max_size=2))
def test_all_minimal_combinations_are_found_and_each_is_right(weights):
    target = sum((sp.Rational(w) * curvature(named(n))[0] for n, w in weights.items()), r * 0)
    found = identify(target, (), Assumptions()).combinations
    assert found
    assert len({len(one) for one in found}) == 1
    assert len(found[0]) <= len(weights)
    if len(found[0]) == len(weights):
        assert {n: sp.Rational(w) for n, w in weights.items()} in found
    for one in found:
        total = sum((v * curvature(named(n))[0] for n, v in one.items()), sp.Integer(0))
        assert vanishes(total - target)
    if any(all(v > 0 for v in one.values()) for one in found):
        assert all(v > 0 for v in found[0].values())


@pytest.mark.parametrize("name", DIVERGENCES)
def test_each_named_divergence_names_itself(name):
    assert combination_text(identify(*curvature(named(name)), Assumptions()).terms) == name


@pytest.mark.parametrize("name", [*SMOOTH, "power_2.5", "power_-1.5", "power_1/3"])
def test_the_generator_is_found_back_from_its_curvature(name):
    entry = named(name)
    f = f_from_curvature(*curvature(entry))
    assert vanishes(sp.diff(f, r, 2) - curvature(entry)[0])
    assert f.subs(r, 1) == 0
    assert sp.diff(f, r).subs(r, 1) == 0
    total = sp.limit(f, r, 0) + sp.limit(f / r, r, sp.oo)
    expected = at_zero(entry) + slope_at_infinity(entry)
    assert total == expected or abs(sp.N(total - expected, 40)) < sp.Rational(1, 10**30)


@pytest.mark.parametrize("seed", range(6))
def test_a_generator_bends_at_every_point_mass_of_its_curvature(seed):
    """f(r) − (r − 1)·slope is the double integral of f'' from 1, its point masses included."""
    rng = random.Random(seed)
    places = [
        sp.Rational(rng.randint(1, 9), 10),
        sp.Integer(1),
        sp.Rational(rng.randint(11, 40), 10),
    ]
    atoms = tuple((c, sp.Rational(rng.randint(1, 20), 7)) for c in places[: 1 + seed % 3])
    f = sp.lambdify(r, f_from_curvature(1 / r, atoms), {"relu": lambda x: max(x, 0)})

    def integrated(x):
        kinks = sum(
            float(m) * (max(x - c, 0) if c > 1 else max(c - x, 0) if c < 1 else abs(x - 1) / 2)
            for c, m in atoms
        )
        return x * math.log(x) - x + 1 + float(kinks)

    assert f(1.0) == pytest.approx(0, abs=1e-14)
    points = [0.05, 0.3, 0.7, 0.97, 1.03, 1.5, 3.0, 6.0]
    slopes = [(f(x) - integrated(x)) / (x - 1) for x in points]
    assert slopes == pytest.approx([slopes[0]] * len(slopes), abs=1e-11)


def test_a_symbolic_power_has_its_name():
    alpha = sp.Symbol("alpha", real=True)
    parameters = Assumptions({"alpha": alpha}, {alpha: (-sp.oo, sp.oo)}, {alpha: 0.7})
    assert identify(3 * r ** (alpha - 3), (), parameters).terms == {"power_(alpha-1)": 3}


def test_a_curvature_outside_of_the_table_has_no_name():
    assert not identify(1 / (r * (3 * r + 1)), (), Assumptions()).combinations


# Published statements, and twins with one planted error.

STATEMENTS = [
    (loss, part, text)
    for loss in CATALOGUE.values()
    for claim in loss.claims
    for part in ("value", "loss", "followed", "optimal_discriminator")
    if (text := getattr(claim, part)) is not None and part not in claim.corrected
]
SWAPS = {"kl_pq": "kl_qp", "kl_qp": "kl_pq", "pearson_chi2": "neyman_chi2", "jsd": "triangular",
         "neyman_chi2": "pearson_chi2", "tv": "hellinger2", "hellinger2": "tv",
         "kl_qm": "kl_pm", "kl_mp": "kl_mq",
         "jeffreys": "kl_pq", "triangular": "jsd", "power_alpha": "power_2"}  # fmt: skip


def verdict(loss, part, text):
    claim = replace(Claim("test"), **{part: text})
    (found,) = check_claim(loss, claim, theory_of(loss.name))
    return found


def twins(part, text):
    if part == "optimal_discriminator":
        yield f"2*({text})"
        yield f"1 - ({text})"
        yield re.sub(r"\br\b", "(1/r)", text)
    else:
        names = re.findall(r"[a-z]\w*_\w+|jsd|tv|triangular|hellinger2|jeffreys", text)
        yield f"2*({text})"
        yield f"-({text})"
        yield f"({text}) + {names[0]}/100"
        yield text.replace(names[0], SWAPS[names[0]])
        if part == "value":
            yield f"({text}) + 1/1000"


@pytest.mark.parametrize(("loss", "part", "text"), STATEMENTS)
def test_every_published_statement_with_one_planted_error_is_refuted(loss, part, text):
    for twin in twins(part, text):
        assert verdict(loss, part, twin).how is How.REFUTED, twin


PLANTS = {
    "minimax": {"fake": "log(D)", "real": "2*log(D)", "generator": "-log(D)"},
    "hinge": {"real": "-relu(2 - t)", "fake": "-2*relu(1 + t)", "generator": "-2*t"},
    "reverse-kl": {"real": "log(D)/2", "generator": "-log(D)"},
    "exponential": {"real": "-exp(-2*t)", "generator": "exp(t)"},
}


@pytest.mark.parametrize("name", PLANTS)
def test_an_error_planted_in_a_payoff_is_refuted_by_the_claims(name):
    for part, formula in PLANTS[name].items():
        loss = replace(CATALOGUE[name], link="", parameters={}, **{part: formula})
        verdicts = [v.how for claim in loss.claims for v in check_claim(loss, claim)]
        assert How.REFUTED in verdicts or How.UNDECIDED in verdicts, (part, formula)
        assert set(verdicts) != {How.PROVED}
