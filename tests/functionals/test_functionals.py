"""Functions of means: closed forms, fixed points, frozen gradients, against direct maximisation."""

import json
import math
from copy import copy

import numpy as np
import pytest
import scipy.integrate
import sympy as sp
from click.testing import CliRunner
from scipy.optimize import minimize
from scipy.special import expit

import gantheory as gt
from gantheory.cli.derive import command as derive_command
from gantheory.cli.divergence import command as divergence_command
from gantheory.critics.concavity import curvature_of
from gantheory.critics.functional import read_means
from gantheory.critics.relativistic import WITNESS, relativistic_average_optimum
from gantheory.functions import r
from gantheory.records import How, Status

P, Q = "normal(0, 1)", "normal(0.7, 1.1)"


@pytest.mark.parametrize(
    ("generator", "zero_sum"),
    [(None, True), ("E_p(t) - log(E_q(exp(2*t)))", False), ("E_p(t) - 2*log(E_q(exp(t)))", False)],
)
def test_a_game_is_said_to_be_zero_sum_where_g_feels_what_the_value_feels(generator, zero_sum):
    found = gt.derive(game("E_p(t) - log(E_q(exp(t)))", generator))
    assert any("zero-sum" in line for line in found.assumptions) is zero_sum


def game(objective, generator=None):
    minimised = generator or objective
    return gt.Critic("mine", "Mine", gt.Functional(objective), gt.AnyFunction(), minimised)


CLOSED = [
    ("E_p(t) - log(E_q(exp(t)))", "kl_pq", "kl_pq"),
    ("E_p(t) - log(E_p(exp(t)) + E_q(exp(t)))", "kl_pm - log(2)", "kl_pm"),
    ("E_p(t)/sqrt(E_q(t**2))", "sqrt(pearson_chi2 + 1)", "pearson_chi2/(2*sqrt(M1))"),
    ("E_p(t) - E_q(t) - E_q((t - E_q(t))**2)/2", "pearson_chi2/2", "pearson_chi2/2"),
    ("exp(E_p(log(D)) + E_q(log(1 - D)))", "exp(kl_pm + kl_qm)/4", None),
]


@pytest.mark.parametrize(("objective", "named", "followed"), CLOSED)
def test_a_value_is_named_where_the_moments_drop_out(objective, named, followed):
    found = gt.derive(game(objective))
    assert sp.sympify(found.named) - sp.sympify(named) == 0
    if followed is not None:
        assert not found.undecided
        assert found.followed.divergence == followed


def test_renyis_bound_is_derived_for_every_order():
    found = gt.derive(game("log(E_p(exp((a - 1)*t)))/(a - 1) - log(E_q(exp(a*t)))/a"))
    assert found.named == "log(E_q[r**a])/(a*(a - 1))"
    assert found.followed.divergence == "power_a/M1"
    assert not found.undecided


def test_the_softmax_generator_repels_where_reals_outnumber_fakes():
    found = gt.derive("softmax-gan")
    assert sp.simplify(found.followed.curvature - (1 - r) / (2 * r**2 * (1 + r) ** 2)) == 0
    assert found.followed.is_divergence is False
    at = gt.optimal_critic("softmax", P, Q).gradient("q.loc")
    p, q = gt.density(P), gt.density(Q)

    def felt(x):  # -t/2 + exp(t) at t = log(r/(1 + r)), against the score in q.loc
        s = float(expit(p.logpdf(x) - q.logpdf(x)))
        return float(q.pdf(x)) * (x - 0.7) / 1.21 * (s - math.log(s) / 2)

    truth = scipy.integrate.quad(felt, -9, 9, epsabs=1e-13)[0]
    assert abs(at.value - truth) < 1e-10 + at.error


@pytest.mark.parametrize(
    ("objective", "bends"),
    [
        ("E_p(log(D)) + E_q(log(1 - D))", -1),
        ("E_p(log(D)) - exp(-E_q(log(1 - D)))", -1),
        ("E_p(t) - sqrt(E_q(t**2))", -1),
        ("log(E_q(exp(t))) - E_p(t)", 1),
        ("E_p(log(sigmoid(t - E_q(t))))", -1),
        ("E_p(t)*E_q(t)", None),
        ("log(E_p(D)) + E_q(log(1 - D))", None),
        ("E_p(t) - E_q(t**2)**2", -1),
        ("E_p(t)**3 - E_q(t**2)", None),
        ("E_p(t) - log(E_q(1 + 9*t**2))", None),
    ],
)
def test_concavity_is_claimed_by_rules_and_holds_at_midpoints(objective, bends):
    means = read_means(objective)
    assert curvature_of(means) == bends
    draw, gaps = np.random.default_rng(5), []
    for _ in range(40):
        p, q = draw.dirichlet(np.ones(4)), draw.dirichlet(np.ones(4))
        one, two = draw.normal(0, 2, 4), draw.normal(0, 2, 4)
        ends = [value_of(objective, p, q, t) for t in (one, two, (one + two) / 2)]
        gaps.append(ends[2] - (ends[0] + ends[1]) / 2)
    if bends is not None:
        assert min(bends * gap for gap in gaps) <= 0
        assert max(bends * gap for gap in gaps) <= 1e-12
    else:
        assert min(gaps) < 0 < max(gaps) or objective.startswith("log")


def value_of(objective, p, q, t):
    """V on finitely many points, by Python's own reading of the formula."""
    names = {
        "t": t, "D": expit(t), "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "sigmoid": expit,
        "E_p": lambda f: float(p @ np.broadcast_to(f, p.shape)),
        "E_q": lambda f: float(q @ np.broadcast_to(f, q.shape)),
    }  # fmt: skip
    return float(eval(objective, {"__builtins__": {}}, names))


OPEN = [
    "E_p(log(D)) - exp(-E_q(log(1 - D)))",
    "E_p(t - t**2/2) - E_q(t)**2",
    "E_p(t) - E_q(t) - (E_p(t**2) + E_q(t**2))**2/4",
    "E_p(-(t - E_q(t) - 1)**2) + E_q(-(t - E_p(t) + 1)**2)",
    "E_p(log(sigmoid(t - E_q(t)))) + E_q(log(1 - sigmoid(t - E_p(t))))",
    "E_p(t) - log(E_q(exp(t))) - E_q(t**2)/4",
]


@pytest.mark.parametrize("objective", OPEN)
def test_direct_maximisation_over_all_scores_finds_the_same_value(objective):
    draw = np.random.default_rng(len(objective))
    p, q = draw.dirichlet(3 * np.ones(4)), draw.dirichlet(3 * np.ones(4))
    texts = [f"discrete([{', '.join(map(repr, map(float, law)))}])" for law in (p, q)]
    found = gt.optimal_critic(game(objective), *texts)
    best = minimize(lambda t: -value_of(objective, p, q, t), np.zeros(4), tol=1e-12)
    assert found.best
    assert -best.fun <= found.value.value + 1e-12
    assert found.value.value == pytest.approx(-best.fun, abs=1e-8)
    scores = np.array([found.score(k).value for k in range(4)])
    assert abs(value_of(objective, p, q, scores) - found.value.value) <= 1e-12 + found.value.error


@pytest.mark.parametrize("objective", [OPEN[0], OPEN[5]])
def test_a_zero_sum_generator_follows_the_value_and_another_does_not(objective):
    def solved(place, generator=None):
        return gt.optimal_critic(game(objective, generator), P, f"normal({place}, 1.1)")

    h = 1e-3
    ends = [solved(0.7 + k * h).value.value for k in (-1, 1)]
    slope = (ends[1] - ends[0]) / (2 * h)
    held = solved(0.7).gradient("q.loc")
    assert held.value == pytest.approx(slope, abs=1e-6)
    assert held.error < 1e-9
    twin = solved(0.7, "E_q(-t)").gradient("q.loc").value
    assert abs(twin - slope) > 1e-2


@pytest.mark.parametrize(
    ("objective", "divergence", "shape"),
    [
        (CLOSED[0][0], "kl_pq", lambda v: v),
        (CLOSED[2][0], "pearson_chi2", lambda v: math.sqrt(1 + v)),
        (CLOSED[4][0], "jsd", lambda v: math.exp(2 * v - 2 * math.log(2))),
    ],
)
def test_the_fixed_point_agrees_with_the_closed_form_on_laws_drawn_at_random(
    objective, divergence, shape
):
    draw = np.random.default_rng(11)
    p = "normal(0, 1)"
    q = f"normal({draw.uniform(-1, 1):.3f}, {draw.uniform(1, 1.4):.3f})"
    for pair in ((p, q), ("gamma(2.5, 1)", "gamma(2, 1.2)")):
        found = gt.optimal_critic(game(objective), *pair).value
        truth = shape(gt.divergence(divergence, *pair).value)
        assert abs(found.value - truth) <= found.error + 1e-13
        assert found.error < 1e-8


def test_the_averaged_relativistic_value_is_zero_for_any_two_normals_and_minus_log_4_at_equality():
    """A critic that is 30/P(A) on a far set A, and likewise for Q, by plain sums on a grid."""
    near = gt.optimal_critic("ragan", "normal(0, 1)", "normal(0.5, 1)")
    assert near.value.value == 0
    assert near.value.error < 1e-3
    assert "not attained" in near.reason
    assert near.gradient("q.loc").status is Status.UNDETERMINED
    equal = gt.optimal_critic("ragan", "normal(0, 1)", "normal(0, 1)").value
    assert equal.value == pytest.approx(-2 * math.log(2), abs=1e-12)
    x = np.linspace(-35, 35, 70_001)
    masses = [np.exp(-((x - c) ** 2) / 2) for c in (0, 1)]
    p, q = (mass / mass.sum() for mass in masses)
    score = np.zeros_like(x)
    for mass, where in ((p, x < -25), (q, x > 25)):
        score[where] = 30 * (1 if mass is p else -1) / mass[where].sum()
    mean_p, mean_q = p @ score, q @ score
    value = -p @ np.logaddexp(0, mean_q - score) - q @ np.logaddexp(0, score - mean_p)
    assert -1e-8 < value < 0
    steps = {step.title: step for step in gt.derive("relativistic-average").steps}
    assert steps["Unbounded ratios"].how is How.PROVED


@pytest.mark.parametrize("q", ["normal(0.01, 1)", "normal(0, 1.001)"])
def test_an_optimum_of_the_mesh_alone_is_none(q):
    """The ratio is nearly 1 on the mesh and unbounded beyond, where no score is high enough."""
    found = gt.optimal_critic(game(OPEN[4]), P, q).value
    assert found.status is Status.UNDETERMINED
    assert "no weight" in found.reason


def test_the_averaged_relativistic_optimum_is_that_of_a_convex_solver():
    pytest.importorskip("cvxpy")
    mine, (other, critic) = (
        gt.optimal_critic("ragan", *WITNESS),
        relativistic_average_optimum(*WITNESS),
    )
    assert abs(mine.value.value - other.value) <= other.error
    apart = mine.score(0).value - mine.score(1).value
    theirs = list(critic.values())
    assert apart == pytest.approx(theirs[0] - theirs[1], abs=1e-4)


def test_what_has_no_optimum_or_no_numbers_says_so():
    assert "V(c*t) = c*V(t)" in gt.derive(game("E_p(t) - sqrt(E_q(t**2))")).no_optimum
    found = gt.optimal_critic(game("E_p(t) - sqrt(E_q(t**2))"), P, Q)
    assert found.value.status is Status.INFINITE
    wide = gt.optimal_critic(game("E_p(t)/sqrt(E_q(t**2))"), "normal(0, 2)", "normal(0, 1)")
    assert wide.value.status is Status.UNDETERMINED  # the chi-square is infinite
    with pytest.raises(gt.GantheoryError, match="outside of a mean"):
        gt.Functional("E_p(t) - t")
    with pytest.raises(gt.GantheoryError, match="in the place of k"):
        gt.optimal_critic(game("E_p(t) - k*log(E_q(exp(t)))"), P, Q)
    with pytest.raises(gt.GantheoryError, match="kink"):
        gt.optimal_critic(game("E_p(t) - E_q(relu(t))**2"), P, Q)
    with pytest.raises(gt.GantheoryError, match="no function of means"):
        gt.optimal_critic("minimax", P, Q)


@pytest.mark.parametrize(
    ("objective", "value"),
    [("log(E_p(exp(t))) - E_q(t)", lambda t, p, q: np.log(p @ np.exp(t)) - q @ t),
     ("E_q(t**2) - E_p(t)", lambda t, p, q: q @ t**2 - p @ t),
     ("E_p(t) - E_q(t) + 1", lambda t, p, q: p @ t - q @ t + 1)],
)  # fmt: skip
def test_a_convex_objective_has_no_best_score_but_an_infinite_supremum(objective, value):
    p, q, t = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6]), np.array([1.0, 0.0, -1.0])
    assert max(value(k * t, p, q) for k in (-500, 500)) > 100  # nothing bounds it
    assert "is infinite" in gt.derive(game(objective)).no_optimum
    laws = "discrete([1/2, 3/10, 1/5])", "discrete([1/5, 1/5, 3/5])"
    assert gt.optimal_critic(game(objective), *laws).value.value == math.inf


def test_a_variance_that_is_written_out_is_that_of_its_definition():
    """sup E_p t - E_q t - Var_q(t)/2 is half of Pearson's: e - 1 at N(0, 1) and N(1, 1)."""
    spread = game("E_p(t) - E_q(t) - (E_q(t**2) - E_q(t)**2)/2")
    found = gt.derive(spread)
    assert found.named == "pearson_chi2/2"
    assert not found.undecided
    best = gt.optimal_critic(spread, "normal(0, 1)", "normal(1, 1)")
    assert abs(best.value.value - (math.e - 1) / 2) <= best.value.error < 1e-10
    assert best.best
    rises = gt.derive(game("E_p(t) - E_q(t) + (E_q(t**2) - E_q(t)**2)/2"))
    assert rises.undecided or rises.no_optimum  # a variance that is rewarded has no best score


def test_the_command_line_derives_and_solves_with_the_same_names():
    run = CliRunner().invoke
    shown = run(derive_command, ["--objective", "E_p(t) - log(E_q(exp(t)))", "--json"])
    assert json.loads(shown.output)["value"]["name"] == "kl_pq"
    asked = ["softmax.value", P, P, "--wrt", "q.loc", "--json"]
    found = json.loads(run(divergence_command, asked).output)
    assert found["value"]["value"] == pytest.approx(-math.log(2), abs=1e-12)
    assert found["gradient"]["value"] == pytest.approx(0, abs=1e-10)
    assert run(derive_command, ["minimax", "--objective", "E_p(t)"]).exit_code != 0


def test_a_file_defines_a_function_of_means(tmp_path):
    path = tmp_path / "renyi.toml"
    path.write_text('objective = "log(E_p(exp(t))) - log(E_q(exp(2*t)))/2"\n')
    entry = gt.read_entry(path)
    assert (entry.name, entry.generator) == ("renyi", entry.objective.formula)
    asked = ["renyi.value", P, "normal(0.5, 1)", "--file", str(path), "--json"]
    found = json.loads(CliRunner().invoke(divergence_command, asked).output)
    assert found["value"]["value"] == pytest.approx(0.125, abs=1e-10)  # d^2/2 for every order
    with pytest.raises(gt.GantheoryError, match="read_entry"):
        gt.read_loss(path)
    path.write_text('name = "mine"\nobjective = "E_p(t) - t"\n')
    with pytest.raises(gt.GantheoryError, match="line 2: functional"):
        gt.read_entry(path)


def test_a_score_never_starts_from_that_of_places_which_are_gone():
    laws = "discrete([1/2, 1/4, 1/4])", "discrete([1/5, 2/5, 2/5])"
    found = gt.optimal_critic(game(OPEN[0]), *laws)
    nodes, means, values, _ = found.solved[-1]
    for _ in range(20):  # an address that is free again is taken by the next places
        assert means.score(copy(nodes), values).shape == nodes.u.shape
        assert found.score(0).value == pytest.approx(found.score(0).value)
