"""Divergences on the line: routes that agree, infinities with reasons, refusals, hard regimes."""

import json
import math
import random
import re
from fractions import Fraction

import pytest
from click.testing import CliRunner

from gantheory.cli.divergence import command
from gantheory.densities import density
from gantheory.divergences import COMPLEMENTS, DIVERGENCES, FDivergence, named
from gantheory.errors import GantheoryError
from gantheory.integrals import divergence, divergence_table
from gantheory.integrals.certified import enclose_divergence
from gantheory.integrals.curvature.general import tabulated
from gantheory.integrals.kernels.stable import kernel_of
from gantheory.records import Status
from gantheory.theory.generator import at_zero, curvature, slope_at_infinity

POWERS = ("power_0.3", "power_-0.5", "power_2.5", "power_1/3")
NAMES = (*DIVERGENCES, *POWERS)
MANY = (*DIVERGENCES, *COMPLEMENTS)


def close(a, b, rel=1e-12):
    return a == b or abs(a - b) <= rel * max(abs(a), abs(b))


# --- kernels against the formulas of f --------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_grows_as_the_limits_of_its_formula_say(name):
    kernel, entry = kernel_of(name), named(name)
    assert kernel.at_zero.is_finite == at_zero(entry).is_finite
    finite = kernel.at_infinity.power <= 1 and not kernel.at_infinity.logs
    assert finite == slope_at_infinity(entry).is_finite
    table = tabulated(*curvature(entry), name=f"table of {name}")
    assert (table.at_zero, table.at_infinity) == (kernel.at_zero, kernel.at_infinity)


@pytest.mark.parametrize("wrt", [None, "q.loc", "q.scale", "p.loc", "p.scale"])
@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_agrees_with_the_table_made_from_its_curvature_alone(name, wrt):
    other = FDivergence(f"unnamed_{name}", named(name).f)
    for p, q in [("normal(0, 1)", "normal(1.5, 1.2)"), ("laplace(0, 1)", "laplace(1e-4, 1)")]:
        ours, table = divergence(name, p, q, wrt=wrt), divergence(other, p, q, wrt=wrt)
        gap = 4 * (ours.error + table.error) + 1e-12 * abs(ours.value)
        assert ours.value == table.value or abs(ours.value - table.value) <= gap


def test_every_kernel_reverses_into_the_divergence_with_p_and_q_exchanged():
    p, q = "gamma(2, 1)", "lognormal(0.4, 0.5)"
    for name in [*MANY, *POWERS]:
        there, back = divergence(name, p, q), divergence(kernel_of(name).exchanged(), q, p)
        assert close(there.value, back.value, 1e-14), name


# --- derivatives against differences of values ------------------------------------------------

DIFFERENTIATED = [
    ("normal(0, 1)", "normal(1.3, 0.8)", "q.loc"),
    ("normal(0, 1)", "student_t(3, 1, 2)", "q.df"),
    ("student_t(3, 1, 2)", "logistic(0, 1)", "p.scale"),
    ("gamma(2, 1)", "gamma(2.5, 0.7)", "q.shape"),
    ("gamma(2, 1)", "gamma(2.5, 0.7)", "q.scale"),
    ("beta(2, 3)", "beta(2.5, 2.5)", "q.a"),
    ("lognormal(0, 1)", "lognormal(0.5, 1.2)", "p.loc"),
    ("gumbel(0, 1)", "gumbel(0.4, 1.3)", "q.scale"),
    ("laplace(0, 1)", "laplace(1, 2)", "p.loc"),
    ("truncnormal(0, 1, -1, 2)", "truncnormal(0.5, 1.5, -1, 2)", "q.loc"),
    ("truncnormal(0, 1, -1, 2)", "truncnormal(0.5, 1.5, -1, 2)", "q.scale"),
    ("normal(0, 1)", "affine(logistic(0, 1), 1, 0.5)", "q.scale"),
]
# one support inside the other's, with ends that move: only divergences finite on both sides
MOVING = [
    ("uniform(0, 1)", "uniform(0.5, 1.5)", "q.a"),
    ("uniform(0, 1)", "uniform(0.25, 0.75)", "q.b"),
    ("uniform(0, 1)", "uniform(0.5, 1.5)", "p.b"),
    ("beta(2, 2)", "uniform(0.25, 1.5)", "q.a"),
    ("normal(0, 1)", "uniform(-1, 2)", "q.b"),
    ("truncnormal(0, 1, -1, 2)", "truncnormal(0, 1, -2, 1)", "q.b"),
    ("normal(0, 1)", "gamma(3, 1)", "q.scale"),
    ("uniform(-1, 2)", "restrict(normal(0, 1), -2, 1)", "q.b"),
    # a jump inside of the support moves too
    ("normal(0, 1)", "mixture(0.5*uniform(0, 1) + 0.5*normal(0.5, 2))", "q.loc"),
    ("normal(0, 1)", "mixture(0.5*uniform(0, 1) + 0.5*normal(0.5, 2))", "q.scale"),
    ("normal(0, 1)", "mixture(0.5*uniform(0, 1) + 0.5*normal(0.5, 2))", "q.components[0].b"),
]


def shifted(law, parameter, step):
    if parameter in law.parameters:
        return law.replace(**{parameter: law.parameters[parameter] + step})
    if parameter in ("loc", "scale"):
        return density("affine", base=law, **{parameter: (parameter == "scale") + step})
    k, inner = re.fullmatch(r"components\[(\d)\]\.(.+)", parameter).groups()
    parts = list(law.parts)
    parts[int(k)] = shifted(parts[int(k)], inner, step)
    return law.replace(components=tuple(parts))


def difference(name, p, q, wrt, h=1e-4):
    law, _, parameter = wrt.partition(".")
    base = density(p if law == "p" else q)

    def value(step):
        moved = shifted(base, parameter, step)
        return divergence(name, moved, q).value if law == "p" else divergence(name, p, moved).value

    # Richardson's extrapolation of central differences: error of order h⁴
    one, two = (value(h) - value(-h)) / (2 * h), (value(2 * h) - value(-2 * h)) / (4 * h)
    return (4 * one - two) / 3


@pytest.mark.parametrize(("p", "q", "wrt"), DIFFERENTIATED)
@pytest.mark.parametrize("name", ["jsd", "kl_pq", "kl_qp", "tv", "bc"])
def test_a_derivative_is_the_limit_of_differences_of_values(name, p, q, wrt):
    found = divergence(name, p, q, wrt=wrt)
    if not math.isfinite(divergence(name, p, q).value):
        assert found.status is Status.UNDETERMINED
        return
    assert abs(found.value - difference(name, p, q, wrt)) < 2e-8 * max(1, abs(found.value))


@pytest.mark.parametrize(("p", "q", "wrt"), MOVING)
@pytest.mark.parametrize("name", ["jsd", "jsd_gap", "kl_pm", "bc"])
def test_ends_that_move_add_their_boundary_terms(name, p, q, wrt):
    found = divergence(name, p, q, wrt=wrt)
    assert abs(found.value - difference(name, p, q, wrt)) < 1e-7


@pytest.mark.parametrize(
    ("name", "p", "q", "wrt", "said"),
    [
        ("jsd", "uniform(0, 1)", "uniform(0, 2)", "q.a", "derivatives from the two sides differ"),
        ("jsd", "normal(0, 1)", "gamma(0.5, 1)", "q.loc", "unbounded"),
        ("kl_pq", "student_t(1, 0, 1)", "normal(0, 1)", "q.loc", "its value is inf"),
        ("w1", "normal(0, 1)", "normal(0, 1)", "q.loc", "kink"),
    ],
)
def test_a_derivative_that_does_not_exist_is_not_given(name, p, q, wrt, said):
    found = divergence(name, p, q, wrt=wrt)
    assert found.status is Status.UNDETERMINED
    assert math.isnan(found.value)
    assert said in found.reason


# --- routes that share no code ------------------------------------------------------------------

CLOSED = [
    ("normal(0, 1)", "normal(1.3, 0.9)"),
    ("normal(0, 1)", "normal(1e-5, 1)"),
    ("normal(0, 1)", "normal(30, 1)"),
    ("lognormal(0, 1)", "lognormal(0.5, 1.2)"),
    ("laplace(0, 1)", "laplace(-1, 1.5)"),
    ("gumbel(0, 1)", "gumbel(1, 1.5)"),
    ("student_t(1, 0, 1)", "student_t(1, 2, 0.3)"),
    ("gamma(2, 1)", "gamma(3.5, 0.8)"),
    ("gamma(100, 1)", "gamma(101, 1)"),
    ("beta(2, 3)", "beta(1.5, 4)"),
]


@pytest.mark.parametrize(("p", "q"), CLOSED)
def test_closed_forms_and_quadrature_agree_within_their_errors(p, q):
    compared = 0
    for name in (*MANY, "power_0.3", "power_-0.5", "power_1.5"):
        parameters = ("q.loc", "q.scale", "p.scale", "q.shape", "p.a")
        for wrt in (None, *parameters * (name in ("kl_pq", "bc", "power_-0.5"))):
            try:
                exact = divergence(name, p, q, wrt=wrt, method="closed form")
            except GantheoryError:
                continue
            found = divergence(name, p, q, wrt=wrt)
            if found.status is Status.UNDETERMINED:
                assert not math.isfinite(exact.value)
                continue
            compared += 1
            assert found.value == exact.value or (
                abs(found.value - exact.value) <= 4 * (found.error + exact.error)
            ), (name, wrt)
    assert compared >= 3


@pytest.mark.parametrize("name", ["jsd", "hellinger2", "kl_pm", "tv"])
def test_sampling_agrees_at_its_stated_error_probability(name):
    """Each interval misses with probability 1e-6."""
    p, q = "mixture(0.9*normal(0, 1) + 0.1*normal(5, 0.1))", "student_t(3, 1, 1)"
    drawn, found = divergence(name, p, q, method="monte carlo"), divergence(name, p, q)
    assert drawn.error_probability == 1e-6
    assert abs(drawn.value - found.value) <= drawn.error < 0.02


def random_law(rng):
    """Return a law in an easy or hard regime: spikes, far shifts, unequal scales and weights."""
    loc = rng.choice(
        [0, rng.uniform(-3, 3), rng.choice([-60, -8, 5, 20]), rng.uniform(-1e-3, 1e-3)]
    )
    scale = rng.choice([1, 10 ** rng.uniform(-0.5, 0.5), 10 ** rng.uniform(-3, 2)])
    kind = rng.choice(["normal", "laplace", "logistic", "student_t", "uniform", "mixture"])
    if kind == "uniform":
        return f"uniform({loc:.3g}, {float(f'{loc:.3g}') + float(f'{scale:.3g}')})"
    if kind == "student_t":
        return f"student_t({rng.choice([1, 2.5, 5])}, {loc:.3g}, {scale:.3g})"
    if kind == "mixture":
        small = rng.choice([0.5, 0.1, 0.001])
        spike = f"normal({rng.uniform(-5, 5):.3g}, {10 ** rng.uniform(-3, 0):.3g})"
        return f"mixture({1 - small}*normal({loc:.3g}, {scale:.3g}) + {small}*{spike})"
    return f"{kind}({loc:.3g}, {scale:.3g})"


@pytest.mark.parametrize("seed", range(10))
def test_random_hard_pairs_lie_in_their_certified_enclosures(seed):
    rng = random.Random(seed)
    p, q = density(random_law(rng)), density(random_law(rng))
    name = rng.choice(["jsd", "jsd_gap", "hellinger2", "bc", "tv", "triangular"])
    found, ball = divergence(name, p, q), enclose_divergence(name, p, q, 16)
    assert found.status in (Status.OK, Status.ILL_CONDITIONED)
    lower, upper = Fraction(ball.lower), Fraction(ball.upper)
    off = max(lower - Fraction(found.value), Fraction(found.value) - upper, Fraction(0))
    assert off <= 10 * Fraction(found.error)
    if found.status is Status.OK and upper > Fraction(1, 10**300):
        assert off <= upper * Fraction(1, 10**12)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        # a spike whose tail reaches past a neighbouring wide component: once 4e-8 off, unnoticed
        ("normal_mixture((0.9, 0.1), (3.62, 3.58), (7.91, 0.00832))", "gumbel(25, 1)"),
        ("beta(40, 2)", "beta(200, 0.7)"),  # rounding of log x next to 1
        ("gumbel(2.59, 0.002)", "laplace(2.9, 1)"),  # a double exponential that underflows
        ("student_t(2.5, -60, 0.3)", "normal(0, 1)"),
        ("beta(0.05, 0.05)", "beta(0.1, 10)"),
        ("lognormal(0, 4)", "gamma(0.05, 1)"),
        ("truncnormal(-1.94, 0.00197, 0, 0.0012)", "student_t(1, 20, 0.484)"),  # 984 sigma out
        # components that pair up, where q has no mass
        ("mixture(0.5*uniform(0, 1) + 0.5*uniform(0, 0.0068))", "uniform(0.351, 1.351)"),
        ("restrict(normal(0, 1), 8, 9)", "restrict(restrict(normal(0, 1), 7, inf), 8.5, 10)"),
    ],
)
def test_found_counterexamples_stay_fixed(p, q):
    """The identities JSD + gap = log 2, H² + BC = 1 and TV + gap = 1 join separate integrals."""
    found = {name: answer for (name, _), answer in divergence_table(MANY, p, q).items()}
    wholes = [("jsd", "jsd_gap", math.log(2)), ("tv", "tv_gap", 1.0), ("hellinger2", "bc", 1.0)]
    for name, gap, whole in wholes:
        total = found[name].value + found[gap].value
        assert abs(total - whole) <= found[name].error + found[gap].error + 2e-16
        assert found[name].error < 1e-9
    half = (found["kl_pm"].value + found["kl_qm"].value) / 2
    assert close(half, found["jsd"].value, 1e-13)


def test_tiny_gaps_keep_their_digits_in_log_space():
    exact = -(70.0**2) / 8
    found = divergence("bc", "normal(0, 1)", "normal(70, 1)")
    assert close(found.log_value, exact, 1e-14)
    beyond = divergence("bc", "normal(0, 1)", "normal(100, 1)")
    assert beyond.value == 0 < beyond.error
    assert close(beyond.log_value, -1250.0, 1e-14)
    assert "log_value" in beyond.reason


def test_a_finite_value_beyond_binary64_is_not_called_infinite():
    found = divergence("pearson_chi2", "normal(0, 1)", "normal(40, 1)")
    assert found.status is Status.UNDETERMINED
    assert close(found.log_value, 1600.0, 1e-13)


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("jds", {}, "did you mean 'jsd'"),
        ("jsd", {"wrt": "loc"}, "like 'q.loc'"),
        ("jsd", {"wrt": "q.mean"}, "unknown parameter of normal(1, 1)"),
        ("jsd", {"method": "exact"}, "unknown method"),
        ("jsd", {"method": "closed form"}, "no closed form of jsd between normal(0, 1) and"),
        ("jsd", {"method": "certified", "wrt": "q.loc"}, "encloses values only"),
    ],
)
def test_bad_questions_are_refused_with_the_remedy(name, options, said):
    with pytest.raises(GantheoryError) as caught:
        divergence(name, "normal(0, 1)", "normal(1, 1)", **options)
    assert said in str(caught.value)


# --- the command --------------------------------------------------------------------------------


def test_the_command_prints_json_with_stable_keys():
    done = CliRunner().invoke(command, ["jsd", "normal(0, 1)", "normal(2, 1)", "--json"])
    record = json.loads(done.output)
    assert list(record) == [
        "divergence", "p", "q", "wrt", "value", "error", "status", "method", "reason",
        "error_probability", "log_value", "evaluations", "warnings", "unit",
    ]  # fmt: skip
    assert close(record["value"], 0.336830820346831612, 1e-15)


def test_the_command_certifies_to_thirty_digits():
    arguments = ["jsd", "normal(0, 1)", "normal(2, 1)", "--method", "certified", "--json"]
    record = json.loads(CliRunner().invoke(command, arguments).output)
    assert record["mid"].startswith("0.33683082034683161200480479998")
    assert Fraction(record["lower"]) < Fraction(record["upper"])


def test_the_command_shows_an_infinity_with_its_reason_and_a_games_divergence():
    shown = CliRunner().invoke(command, ["kl_pq", "normal(0, 1)", "uniform(-1, 1)"]).output
    assert "inf (p has mass on (-inf, -1], where q = 0)" in shown
    followed = ["minimax.followed", "normal(0, 1)", "normal(1.7, 1)", "--wrt", "q.loc"]
    assert "0.466724177329" in CliRunner().invoke(command, followed).output
