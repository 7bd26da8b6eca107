"""Estimators in a loss, preferences, rewards and bounds, each against sums over finite laws."""

import itertools
import json
import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from click.testing import CliRunner
from scipy.integrate import quad

import gantheory as gt
from gantheory.cli.derive import command
from gantheory.critics.laws import DiscreteLaw
from gantheory.estimators import bounds
from gantheory.estimators.judging import NOTHING, said_of
from gantheory.estimators.preference import PREFERENCES
from gantheory.estimators.record import ESTIMATORS
from gantheory.records import How

P = np.array([0.15, 0.3, 0.05, 0.35, 0.15])
LOGITS = np.array([0.4, -0.3, 0.2, 0.9, -0.6])
DIRECTION = np.array([0.5, -0.2, 0.9, 0.3, -0.7])
R = sp.Symbol("r", positive=True)


def law(theta):
    weights = np.exp(LOGITS + theta * DIRECTION)
    return weights / weights.sum()


def slope(function, step=1e-5):
    return (function(step) - function(-step)) / (2 * step)


def weight_of(curvature, ratio):
    """g − r·g' at a ratio, by quadrature of its derivative −r·g'' from 1, and its point masses."""
    bent = sp.lambdify(R, R * curvature.curvature, "numpy")
    cuts = sorted({1.0, ratio, *(float(p) for p, _ in curvature.atoms)})
    parts = [quad(bent, a, b, epsabs=1e-13)[0] for a, b in itertools.pairwise(cuts)
             if min(1, ratio) <= a < b <= max(1, ratio)]  # fmt: skip
    kinks = sum(float(p * m) * (ratio > float(p)) for p, m in curvature.atoms)
    return -(1 if ratio > 1 else -1) * sum(parts) - kinks


def exact(draw, points):
    weights = [int(w) for w in draw.integers(1, 9, points)]
    return DiscreteLaw.of(range(points), [Fraction(w, sum(weights)) for w in weights])


@pytest.mark.parametrize(
    ("name", "value", "followed", "reward"),
    [
        ("k1", "kl_qp", NOTHING, "kl_qp"),
        ("k2", "no divergence", "kl_qp", "no divergence"),
        ("k3", "kl_qp", "kl_pq", "-kl_pq + kl_qp, which is no divergence"),
    ],
)
def test_what_the_three_estimators_of_kl_follow(name, value, followed, reward):
    found = gt.derive_estimator(name)
    parts = (found.value, found.followed, found.reward)
    assert tuple(map(said_of, parts)) == (value, followed, reward)
    assert found.followed.how is How.PROVED


@pytest.mark.parametrize(
    "formula",
    ["-log(r)", "log(r)**2/2", "r - 1 - u", "r*u", "(r - 1)**2", "sqrt(r)", "u**2 + 1/r",
     "exp(-u)*(1 + u)", "max(r - 1, 0)", "abs(u)", "log(1 + r)", "softplus(2*u)",
     "min(3*r, 3) - r"],
)  # fmt: skip
def test_each_gradient_is_that_of_the_divergence_with_the_derived_curvature(formula):
    """Finite differences over five points: the samples' weights frozen, the ratios, or neither."""
    found = gt.derive_estimator(formula)
    k = sp.lambdify(R, found.formula, "numpy")
    q = law(0.0)
    moved = {
        "followed": lambda t: q @ k(P / law(t)),
        "reward": lambda t: law(t) @ k(P / q),
        "weighted": lambda t: (law(t) / q * q) @ k(P / law(t)),
    }
    for name, mean in moved.items():
        felt = [weight_of(getattr(found, name), ratio) for ratio in P / q]
        divergence = slope(law) @ felt
        assert slope(mean) == pytest.approx(divergence, abs=1e-8), name
    per_sample = sp.lambdify(R, found.weight, "numpy")(P / q) * (DIRECTION - q @ DIRECTION)
    assert q @ per_sample == pytest.approx(slope(moved["followed"]), abs=1e-8)


@pytest.mark.parametrize("name", ["k1", "k2", "k3"])
def test_samples_measure_what_is_derived_and_tell_the_other_direction(name):
    p, q = "normal(0, 1)", "normal(0.7, 1.2)"
    found, measured = gt.derive_estimator(name), gt.measure_estimator(name, p, q)
    for part in ("followed", "weighted"):
        curvature = getattr(found, part)
        truth = gt.divergence(curvature, p, q, wrt="q.loc").value
        assert abs(measured[part].value - truth) < measured[part].error < 0.2
    wrong = "kl_pq" if name == "k2" else "kl_qp"
    twin = gt.divergence(wrong, p, q, wrt="q.loc").value
    assert abs(measured["followed"].value - twin) > measured["followed"].error


def test_what_is_said_of_an_estimator_is_judged_and_its_twins_are_refuted():
    verdicts = {v.statement: v for v in gt.derive_estimator("k3").claims}
    assert [str(v.how) for v in verdicts.values()] == [
        "proved", "refuted", "refuted", "refuted", "proved",
    ]  # fmt: skip
    assert all(v.counterexample for v in verdicts.values() if v.how is How.REFUTED)
    right = gt.Claim("me", value="kl_qp", followed="kl_pq")
    mine = gt.Estimator("mine", "r - 1 - u", claims=(right,))
    assert [v.how for v in gt.derive_estimator(mine).claims[:2]] == [How.PROVED] * 2
    kinked = gt.Estimator("mine", "abs(r - 1)/2", claims=(gt.Claim("me", value="tv"),))
    assert gt.derive_estimator(kinked).claims[0].how is How.PROVED


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_control_variate_quietens_the_value(name):
    """Near P = Q the variance of k + c(r − 1) is least at the derived c."""
    found = gt.derive_estimator(name)
    q = P * (1 + 0.01 * (DIRECTION - P @ DIRECTION))
    k = sp.lambdify(R, found.formula, "numpy")(P / q)

    def variance(c):
        values = k + c * (P / q - 1)
        return q @ values**2 - (q @ values) ** 2

    assert variance(float(found.control)) < min(
        variance(float(found.control) + shift) for shift in (-0.3, 0.3)
    )


def test_parameters_are_kept_and_numbers_without_a_ratio_refused():
    found = gt.derive_estimator(gt.Estimator("mine", "r**a", parameters={"a": "(0, 1)"}))
    assert found.followed.divergence == "a**2*power_a"
    for text in ("1 + a", "log(r", "k4", "t**2"):
        with pytest.raises(gt.GantheoryError):
            gt.derive_estimator(text)
    with pytest.raises(gt.GantheoryError, match="numbers for a"):
        gt.measure_estimator("r**a", "normal(0, 1)", "normal(1, 1)")
    assert gt.derive_estimator("abs(a*u)").followed.divergence == "2*a*tv"
    assert "zeros" in gt.derive_estimator("min(r - 1 - u, 5)").undecided["value"]


@pytest.mark.parametrize(
    ("outer", "link", "slope_"),
    [
        ("-log(sigmoid({}))", "log(x)", "1/s"),
        ("({} - 1)**2", "x", "1"),
        ("relu(1 - ({}))", "x + log(x)", "(1 + 1/s)/2"),
        ("exp(-({}))", "-1/x", "1/s**2"),
        ("-log(sigmoid({}))", "sqrt(x)", "1/sqrt(s)"),
    ],
)
def test_a_loss_of_a_difference_is_free_of_the_prompt_and_names_its_regulariser(
    outer, link, slope_
):
    inside = f"({link.replace('x', 'w')}) - ({link.replace('x', 'l')})"
    found = gt.derive_preference(outer.format(inside))
    s = sp.Symbol("s", positive=True)
    assert found.free is True
    assert sp.simplify(sp.diff(found.link, s) - sp.sympify(slope_, {"s": s})) == 0
    bent = sp.sympify(slope_, {"s": s}).subs(s, 1 / R) / R**3
    assert sp.simplify(found.regulariser.curvature - bent) == 0
    assert found.reaches_zero == (link in ("x", "sqrt(x)"))


@pytest.mark.parametrize(
    "loss",
    ["-log(sigmoid(log(w) - 2*log(l)))", "-sigmoid(log(w))", "-log(w) + l", "log(w)*log(l)",
     "-log(sigmoid(log(w) - log(l))) - log(w)/10"],
)  # fmt: skip
def test_a_loss_that_is_no_difference_is_not_free_of_the_prompt(loss):
    found = gt.derive_preference(loss)
    assert found.free is False
    assert found.counterexample


def test_named_preferences_are_kl_but_one():
    said = {name: gt.derive_preference(name).regulariser.divergence for name in PREFERENCES}
    assert said == {
        "dpo": "kl_qp", "ipo": "kl_qp", "slic": "kl_qp", "chi-po": "kl_qp/2 + neyman_chi2/4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reward", "followed", "sign"),
    [
        ("gail", "2*jsd", "positive"),
        ("negative-gail", "2*kl_mp", "negative"),
        ("airl", "kl_qp", "both"),
        ("fairl", "no divergence", "both"),
        ("-exp(-t)", "neyman_chi2/2", "negative"),
        ("D - 1/2", "kl_pm", "both"),
        ("(t - 1)**2", "no divergence", "positive"),
    ],
)
def test_rewards_have_a_divergence_and_a_sign(reward, followed, sign):
    found = gt.derive_reward(reward)
    assert (found.followed.divergence, found.sign) == (followed, sign)
    if found.range is not None:
        t, D = np.linspace(-30, 30, 2001), sp.Symbol("D")
        text = found.reward.replace("t", "x") if "t" in found.reward else found.reward
        at = sp.lambdify([sp.Symbol("x"), D], sp.sympify(text.replace("exp", "exp")))
        values = at(t, 1 / (1 + np.exp(-t)))
        low, high = (float(end) for end in found.range)
        assert low <= values.min()
        assert values.max() <= high
        near = [end if math.isinf(end) else edge for end, edge in
                zip((low, high), (values.min(), values.max()), strict=True)]  # fmt: skip
        assert near == pytest.approx([low, high], abs=1e-3)  # a turn lies between two scores


@pytest.mark.parametrize(
    ("reward", "low", "high", "sign"),
    [
        ("tanh(t)", -1, 1, "both"),
        ("t*exp(-t**2)", -math.exp(-0.5) / math.sqrt(2), math.exp(-0.5) / math.sqrt(2), "both"),
        ("erf(t) - 2", -3, -1, "negative"),
        ("D*(1 - D)", 0, 0.25, "positive"),
        ("fairl", -math.inf, math.exp(-1), "both"),
        ("atan(t) + 2", 2 - math.pi / 2, 2 + math.pi / 2, "positive"),
    ],
)
def test_a_reward_has_its_range_where_it_turns_or_has_no_rational_form(reward, low, high, sign):
    found = gt.derive_reward(reward)
    assert [float(end) for end in found.range] == pytest.approx([low, high], rel=1e-14)
    assert found.sign == sign


def exactly(mass):
    return sp.Rational(mass.numerator, mass.denominator)


def kl(p, q):
    other = dict(q.items())
    return sum(exactly(a) * sp.log(exactly(a) / exactly(other[x])) for x, a in p.items())


def jsd(p, q):
    weights = [(a + b) / 2 for a, b in zip(p.weights, q.weights, strict=True)]
    middle = DiscreteLaw.of(p.points, weights)
    return (kl(p, middle) + kl(q, middle)) / 2


def is_equal(one, other):
    return abs(sp.N(one - other, 40)) < 1e-35


def gap_of_donsker_varadhan(p, q, weights):
    """KL(P‖Q) − V(t) at t = log w, less KL(P‖Q_t): 0 if the derived gap is right."""
    at = dict(zip(q.points, weights, strict=True))
    total = sum(exactly(b) * at[x] for x, b in q.items())
    reached = sum(exactly(a) * sp.log(at[x]) for x, a in p.items()) - sp.log(total)
    tilted = DiscreteLaw.of(q.points, [str(exactly(b) * at[x] / total) for x, b in q.items()])
    return kl(p, q) - reached - kl(p, tilted)


def infonce(p, q, weights, samples):
    """The InfoNCE value at the critic t = log w: a sum over all tuples of points."""
    at, total = dict(zip(q.points, weights, strict=True)), sp.S.Zero
    for first, a in p.items():
        for rest in itertools.product(q.items(), repeat=samples - 1):
            chance = exactly(a) * sp.Mul(*(exactly(b) for _, b in rest))
            mean = (at[first] + sum(at[x] for x, _ in rest)) / samples
            total += chance * sp.log(at[first] / mean)
    return total


@pytest.mark.parametrize("seed", range(2))
def test_no_critic_beats_a_bound_and_the_gap_is_what_is_derived(seed):
    draw = np.random.default_rng(seed)
    p, q = exact(draw, 3), exact(draw, 3)
    weights = [sp.Rational(int(a), int(b)) for a, b in draw.integers(1, 9, (3, 2))]
    assert is_equal(gap_of_donsker_varadhan(p, q, weights), sp.S.Zero)
    ratios = [sp.Rational(str(p.mass(x) / q.mass(x))) for x in q.points]
    best = infonce(p, q, ratios, 2)
    first, second = ({(x, y): a * b for x, a in one.items() for y, b in other.items()}
                     for one, other in ((p, q), (q, p)))  # fmt: skip
    places = {pair: k for k, pair in enumerate(sorted(first))}
    pairs = [
        DiscreteLaw.of([places[k] for k in one], list(one.values())) for one in (first, second)
    ]
    assert is_equal(best, jsd(*pairs))
    assert not is_equal(best, kl(p, q))  # the twin: the bound is not tight
    for samples in (2, 3):
        reached = float(infonce(p, q, weights, samples))
        assert reached <= float(infonce(p, q, ratios, samples)) + 1e-12
        assert reached <= float(gt.derive_bound("infonce", samples=samples).limit)


@pytest.mark.parametrize("name", bounds.SEPARABLE)
def test_the_gap_of_a_separable_bound_is_its_distance_to_the_optimum(name):
    found, loss = gt.derive_bound(name), bounds.SEPARABLE[name]
    t = sp.Symbol("t", real=True)
    draw = np.random.default_rng(2)
    q, score = law(0.0), draw.normal(size=5)
    from gantheory.functions import sigmoid, softplus, to_sympy

    plain = {"softplus": lambda x: np.logaddexp(0, x), "sigmoid": lambda x: 1 / (1 + np.exp(-x))}
    a, b, best = (
        sp.lambdify([t, R], expr, [plain, "numpy"])
        for expr in (to_sympy(loss.real), to_sympy(loss.fake), found.optimum)
    )
    gap = sp.lambdify([R, t], to_sympy_gap(found.gap, softplus, sigmoid), [plain, "numpy"])
    top = np.broadcast_to(best(0.0, P / q), 5)
    missed = P @ (a(top, 0) - a(score, 0)) + q @ (b(top, 0) - b(score, 0))
    assert q @ gap(P / q, score) == pytest.approx(missed)
    assert np.all(gap(P / q, score) > 0)


def to_sympy_gap(text, softplus, sigmoid):
    names = {"r": R, "t": sp.Symbol("t", real=True), "softplus": softplus, "sigmoid": sigmoid}
    return sp.sympify(text.removeprefix("E_q[").removesuffix("]"), names)


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (["--frozen", "samples", "--loss", "r - 1 - log(r)"], "followed"),
        (["--preference", "dpo"], "regulariser"),
        (["--reward", "gail"], "sign"),
        (["--bound", "infonce", "--samples", "9"], "limit"),
    ],
)
def test_the_command_derives_what_has_frozen_samples(arguments, key):
    done = CliRunner().invoke(command, [*arguments, "--json"])
    assert json.loads(done.output)[key]
    if key == "regulariser":
        assert "proved" in CliRunner().invoke(command, arguments).output
        assert r"\paragraph" in CliRunner().invoke(command, [*arguments, "--latex"]).output


@pytest.mark.parametrize(
    "arguments",
    [["--loss", "k3"], ["--frozen", "samples"], ["hinge", "--bound", "nwj"],
     ["--bound", "nwj", "--reward", "gail"], ["--bound", "nwk"]],
)  # fmt: skip
def test_the_command_refuses_what_is_two_questions_or_none(arguments):
    done = CliRunner().invoke(command, arguments)
    assert isinstance(done.exception, gt.GantheoryError)
