"""Constrained critics and games on pairs, against independent routes."""

import json
import random
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.optimize
import scipy.stats
import sympy as sp
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from letters import undefined

from gantheory.api import derive
from gantheory.cli.derive import command as derive_command
from gantheory.cli.losses import command as games_command
from gantheory.critics import relativistic
from gantheory.critics.constrained import derive_critic
from gantheory.critics.kernels import mean_gaussian_kernel
from gantheory.critics.laws import DiscreteLaw
from gantheory.critics.record import judge_claim
from gantheory.derivations.exposition import Step
from gantheory.divergences import DIVERGENCES
from gantheory.errors import GantheoryError
from gantheory.losses import CRITICS, find, get_loss
from gantheory.records import How, Status
from gantheory.theory.records import known

positive = st.integers(1, 9)
points = st.lists(st.integers(-6, 6), min_size=1, max_size=5, unique=True)


@st.composite
def laws(draw, places=None, size=None):
    chosen = draw(points) if places is None else places
    weights = draw(st.lists(positive, min_size=len(chosen), max_size=len(chosen)))
    return DiscreteLaw.of(chosen, [Fraction(w, sum(weights)) for w in weights])


quick = settings(max_examples=25, derandomize=True, deadline=None)


@pytest.mark.parametrize("name", CRITICS)
def test_every_critic_derives_with_a_reason_for_each_step(name):
    found = derive_critic(name)
    assert found.steps
    assert all(step.text and step.latex and step.how is not How.REFUTED for step in found.steps)
    assert (found.status == "undecided") == bool(found.undecided)
    json.dumps(found.as_dict())
    assert found.definition.title in str(found)
    assert found._repr_html_()
    assert found._repr_latex_()
    assert not undefined(found)


@pytest.mark.parametrize("name", [n for n, c in CRITICS.items() if c.claims])
def test_published_values_are_judged_and_only_the_penalised_one_is_false(name):
    (claim,) = derive_critic(name).claims
    assert (claim.how is How.REFUTED) == (name == "wgan-gp"), claim


def test_the_cramer_value_is_the_root_of_the_energy_distance_over_the_unit_ball():
    found = derive_critic("cramer")
    assert found.named == "sqrt(integral(2*(F_p - F_q)**2))"
    generator = np.random.default_rng(8)
    gap, step = generator.normal(size=12), 0.25  # F_q - F_p on cells of width `step`
    value = np.sqrt(2 * (gap**2).sum() * step)
    best = gap / np.sqrt((gap**2).sum() * step / 2)  # f' with norm 1/2 * integral f'^2 = 1
    assert (gap * best).sum() * step == pytest.approx(value)
    for _ in range(200):
        v = generator.normal(size=12)
        v /= np.sqrt((v**2).sum() * step / 2)
        assert (gap * v).sum() * step <= value


@pytest.mark.parametrize("name", ["wasserstein", "sobolev", "wgan-gp"])
def test_the_optimal_critic_is_a_function_whose_derivative_is_its_slope(name):
    found = derive_critic(name)
    (x,) = (s for s in found.critic.free_symbols if s.name == "x")
    slope = str(sp.diff(found.critic, x).doit()).replace("(x)", "")
    assert sp.simplify(sp.sympify(slope.replace("lambda", "lam"))
                       - sp.sympify(str(found.slope).replace("lambda", "lam"))) == 0  # fmt: skip
    assert found.as_dict()["optimal_critic"] != found.as_dict()["optimal_critic_slope"]


def test_the_penalised_slope_maximises_the_discretised_objective():
    d, weight, n = 3.0, 0.7, 200
    found = derive_critic("wgan-gp")
    slope = float(
        found.slope.subs({s: {"d": d, "lambda": weight}[s.name] for s in found.slope.free_symbols})
    )
    value = float(
        found.value.subs({s: {"d": d, "lambda": weight}[s.name] for s in found.value.free_symbols})
    )
    # f on n + 1 points of the segment; concave quadratic in the increments
    step = d / n

    def loss(increments):
        return -(increments.sum() - weight * np.mean((increments / step - 1) ** 2))

    best = scipy.optimize.minimize(
        loss, np.full(n, step), method="L-BFGS-B", options={"ftol": 1e-15}
    )
    assert -best.fun == pytest.approx(value, rel=1e-6)
    assert best.x.sum() / d == pytest.approx(slope, rel=1e-4)
    assert abs(value - d) > 1  # W1 is another number


@quick
@given(laws([0, 1, 2]), laws([0, 1, 2]))
def test_no_critic_in_the_fisher_ball_beats_the_root_of_twice_triangular(p, q):
    generator = random.Random(str(p) + str(q))
    best = sum((p.mass(x) - q.mass(x)) ** 2 / ((p.mass(x) + q.mass(x)) / 2) for x in p.points)
    f = DIVERGENCES["triangular"].f
    assert best == 2 * sum(  # attained by (p − q)/m; where q = 0, p·f'(oo) = p
        b * eval(f, {"r": p.mass(x) / b}) if (b := q.mass(x)) else p.mass(x)
        for x in {*p.points, *q.points}
    )
    for _ in range(20):
        f = [Fraction(generator.randint(-9, 9)) for _ in range(3)]
        gain = sum((p.mass(Fraction(x)) - q.mass(Fraction(x))) * f[x] for x in range(3))
        size = sum((p.mass(Fraction(x)) + q.mass(Fraction(x))) / 2 * f[x] ** 2 for x in range(3))
        assert gain**2 <= size * best


def test_the_mean_gaussian_kernel_agrees_with_quadrature():
    d, v, ell = sp.Rational(3, 2), sp.Rational(7, 10), sp.Rational(4, 5)
    exact = float(mean_gaussian_kernel(d, v, ell))
    with mpmath.workdps(25):
        numeric = mpmath.quad(
            lambda z: mpmath.exp(-(z**2) / (2 * 0.64)) * mpmath.npdf(z, 1.5, mpmath.sqrt("0.7")),
            [-mpmath.inf, 0, 1.5, mpmath.inf],
        )
    assert exact == pytest.approx(float(numeric), rel=1e-12)
    assert exact != pytest.approx(float(mean_gaussian_kernel(d, 2 * v, ell)), rel=1e-3)


def test_the_squared_mmd_of_normals_agrees_with_a_double_sum_over_quantiles():
    value = derive_critic("mmd").value
    numbers = {"d": 1.3, "ell": 0.9, "sigma_p": 0.7, "sigma_q": 1.6}
    exact = float(value.subs({s: numbers[s.name] for s in value.free_symbols})) ** 2
    levels = (np.arange(1500) + 0.5) / 1500  # midpoint rule in the quantiles
    x = scipy.stats.norm.ppf(levels) * 0.7
    y = scipy.stats.norm.ppf(levels) * 1.6 + 1.3

    def mean(a, b):
        return np.exp(-((a[:, None] - b[None, :]) ** 2) / (2 * 0.81)).mean()

    assert exact == pytest.approx(mean(x, x) + mean(y, y) - 2 * mean(x, y), rel=1e-3)
    same = {"d": 0, "ell": 0.9, "sigma_p": 0.7, "sigma_q": 0.7}
    at_equality = value.subs({s: same[s.name] for s in value.free_symbols})
    assert float(at_equality) == pytest.approx(0, abs=1e-7)


def test_no_critic_in_the_sobolev_ball_beats_the_derived_slope():
    found = derive_critic("sobolev")
    generator = np.random.default_rng(5)
    step = 0.25
    gap, mu = generator.normal(size=12), generator.uniform(0.2, 1, size=12)
    best = np.sqrt((gap**2 / mu).sum() * step)
    names = {"F_p": 0.0, "lambda": best}
    slopes = [
        float(found.slope.subs({s: {**names, "F_q": a, "mu": m}[s.name]
                                for s in found.slope.free_symbols}))
        for a, m in zip(gap, mu, strict=True)
    ]  # fmt: skip
    assert (mu * np.square(slopes)).sum() * step == pytest.approx(1)
    assert (gap * slopes).sum() * step == pytest.approx(best)
    for _ in range(200):
        v = generator.normal(size=12)
        v /= np.sqrt((mu * v**2).sum() * step)
        assert (gap * v).sum() * step <= best


def test_the_derived_paired_value_is_the_whole_divergence_of_the_pairs():
    """`named` is read back as a formula and held against the maximum of the objective."""
    found = derive_critic("relativistic")
    p, q = (np.array([float(w) for w in law.weights]) for law in relativistic.WITNESS)
    pairs, swapped = np.outer(p, q), np.outer(q, p)
    middle = (pairs + swapped) / 2
    jsd = sum((law * np.log(law / middle)).sum() for law in (pairs, swapped)) / 2
    combination, constant = found.named.rsplit(" - ", 1)
    factor = combination.removesuffix("jsd(P x Q, Q x P)").strip("* ") or "1"
    named = float(sp.Rational(factor)) * jsd - float(sp.log(2) if constant == "log(2)" else "nan")

    def objective(c):
        return -(pairs * np.logaddexp(0, c[None, :] - c[:, None])).sum()

    best = scipy.optimize.minimize(lambda c: -objective(c), np.zeros(3), tol=1e-12)
    assert named == pytest.approx(-best.fun, abs=1e-9)
    assert objective(np.log(p / q)) == pytest.approx(named, abs=1e-12)


def test_log_r_is_optimal_for_pairs_and_not_for_averages():
    p, q = relativistic.WITNESS
    a, b = ([float(w) for w in law.weights] for law in (p, q))
    ratio = np.log(np.array(a) / np.array(b))

    def paired(c):
        return sum(
            x * y * -np.logaddexp(0, c[j] - c[i])
            for i, x in enumerate(a) for j, y in enumerate(b)
        )  # fmt: skip

    def average(c):
        return relativistic.average_objective(a, b, list(c))

    start = np.zeros(3)
    best = scipy.optimize.minimize(lambda c: -paired(c), start, tol=1e-12)
    assert paired(ratio) == pytest.approx(-best.fun, abs=1e-9)
    found, critic = relativistic.relativistic_average_optimum(p, q)
    best = scipy.optimize.minimize(lambda c: -average(c), start, tol=1e-12)
    assert found.status is Status.OK
    assert found.value == pytest.approx(-best.fun, abs=1e-7)
    assert average(ratio) < found.value - 0.05
    assert sum(w * c for w, c in zip(a, critic.values(), strict=True)) == pytest.approx(0, abs=1e-6)


def test_the_enclosed_slope_of_the_average_objective_is_its_derivative():
    p, q = relativistic.WITNESS
    a, b = ([float(w) for w in law.weights] for law in (p, q))
    ratio = [float(np.log(x / y)) for x, y in zip(a, b, strict=True)]
    for k, slope in enumerate(relativistic.gradient_at_log_ratio(p, q)):
        moved = [
            relativistic.average_objective(a, b, [c + h * (i == k) for i, c in enumerate(ratio)])
            for h in (1e-5, -1e-5)
        ]
        assert float(slope.mid()) == pytest.approx((moved[0] - moved[1]) / 2e-5, rel=1e-6)


@pytest.mark.parametrize(
    "call",
    [
        lambda: DiscreteLaw.of([0, 1], ["1/2", "1/3"]),
        lambda: DiscreteLaw.of([0], ["1/2", "1/2"]),
        lambda: derive_critic("wasserstain"),
        lambda: find("wasserstain"),
        lambda: get_loss("wasserstein"),
    ],
)
def test_what_is_no_law_or_no_game_is_refused(call):
    with pytest.raises(GantheoryError):
        call()


def test_the_commands_know_the_critics():
    listed = CliRunner().invoke(games_command, ["--json"])
    assert set(CRITICS) <= {row["name"] for row in json.loads(listed.output)}
    done = CliRunner().invoke(derive_command, ["fisher", "--json"])
    assert json.loads(done.output)["value"]["name"] == "sqrt(2*triangular)"
    assert "W1" in CliRunner().invoke(derive_command, ["wasserstein", "--steps"]).output
    assert r"\sup" in CliRunner().invoke(derive_command, ["wasserstein", "--latex"]).output


@pytest.mark.parametrize("fact", [None, False])
def test_a_claim_stands_only_on_proved_steps(fact):
    step = Step("Lemma", "", "", known(True, fact))
    (verdict,) = judge_claim(CRITICS["wasserstein"], True, "W1", [step])
    assert verdict.how is How.UNDECIDED
    assert "Lemma" in verdict.reason
    (verdict,) = judge_claim(CRITICS["wasserstein"], True, "W1", [replace(step, how=known(True))])
    assert verdict.how is How.PROVED


@pytest.mark.parametrize("name", ["wasserstein", "wgan-gp", "cramer", "mmd", "sobolev"])
def test_a_step_in_words_is_shown_as_assumed_and_listed(name):
    found = derive_critic(name)
    quoted = [step for step in found.steps if step.theorem]
    assert quoted
    for step in quoted:
        assert step.theorem in found.assumptions
        assert f"{step.title}  [assumed: " in str(found)
    assert [s["how"] for s in found.as_dict()["steps"]].count("assumed") == len(quoted)
    assert all(set(s.theorem for s in quoted) == set(claim.assumptions) for claim in found.claims)


@pytest.mark.parametrize("name", ["wasserstein", "fisher"])
def test_g_is_said_to_follow_the_value_exactly_where_its_gradient_with_f_held_is_the_values(name):
    """The two gradients are integrals over a grid; Fisher's class moves with Q."""
    x, dx = np.linspace(-14, 16, 60_001, retstep=True)

    def law(loc):
        return np.exp(-((x - loc) ** 2) / 2) / np.sqrt(2 * np.pi)

    def best(loc):
        p, q = law(0.0), law(loc)
        if name == "wasserstein":  # for shifted laws, the line of slope -1
            return -x
        f = 2 * (p - q) / (p + q)
        return f / np.sqrt((f**2 * (p + q) / 2).sum() * dx)

    def payoff(f, loc):
        return ((law(0.0) - law(loc)) * f).sum() * dx

    d, h = 1.5, 1e-4
    of_value = payoff(best(d + h), d + h) - payoff(best(d - h), d - h)
    held = payoff(best(d), d + h) - payoff(best(d), d - h)
    same = bool(abs(of_value - held) < 1e-6 * abs(held) + 1e-12)
    lines = {line.label: line for line in derive_critic(name).summary}
    assert ("G follows" in lines) is same
    if same:
        assert lines["G follows"].text == lines["D reports"].text


def test_a_critics_g_that_follows_no_divergence_is_told_so_and_not_as_a_refuted_line():
    lines = {line.label: line for line in derive("softmax").summary}
    assert lines["G follows"].text.endswith("which is no divergence")
    assert lines["G follows"].known != "refuted"
