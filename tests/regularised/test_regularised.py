"""Discriminators with R1 and R2: reference numbers, a second solver, duality, and the envelope."""

import itertools
import json
import math

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.special
import scipy.stats
from click.testing import CliRunner

import gantheory as gt
from gantheory.cli.derive import command as derive_command
from gantheory.cli.divergence import command as divergence_command
from gantheory.records import How, Status
from gantheory.regularised.elements import NODES, Solution, climb
from gantheory.regularised.regulariser import Regulariser
from gantheory.regularised.symmetric import RADIUS

# Finite elements of low degree, extrapolated: computed before this code was written.
TABLE = [
    (1, 1, -1.251709, 0.048300, 0.175918, 0.237276),
    (2, 1, -0.918160, 0.124687, 0.323837, 0.869783),
    (2, 10, -1.211911, 0.069052, 0.164071, 0.292791),
    (4, 1, -0.274019, 0.103991, 0.269018, 3.387),
    (6, 1, -0.037418, 0.020637, 0.068250, None),
]
NORMAL = "normal(0, 1)"


def solved(loss, p, q, regulariser="r1(1)"):
    return gt.optimal_discriminator(loss, p, q, regulariser=regulariser)


def holds(estimate, truth, digits):
    return abs(estimate.value - truth) <= 0.5 * 10.0**-digits + estimate.error


@pytest.mark.parametrize(("d", "gamma", "value", "penalty", "minimax", "other"), TABLE)
def test_the_reference_table_is_reproduced(d, gamma, value, penalty, minimax, other):
    found = solved("minimax", NORMAL, f"normal({d}, 1)", f"r1({gamma})")
    assert holds(found.value, value, 6)
    assert holds(found.penalty, penalty, 6)
    assert holds(found.gradient("q.loc"), minimax, 6)
    assert found.value.error < 1e-9
    if other is not None:
        alternative = solved("non-saturating", NORMAL, f"normal({d}, 1)", f"r1({gamma})")
        assert holds(alternative.gradient("q.loc"), other, 3 if d == 4 else 6)


def by_collocation(p, q, weights, low, high):
    """V, penalty and the frozen minimax gradient in q.loc by scipy's solve_bvp: another method."""
    p, q = gt.density(p), gt.density(q)

    def weight(x):
        return weights[0] * p.pdf(x) + weights[1] * q.pdf(x)

    def fields(x, y):  # y = (t, flux)
        force = p.pdf(x) * scipy.special.expit(-y[0]) - q.pdf(x) * scipy.special.expit(y[0])
        return np.array([y[1] / weight(x), -force])

    x = np.linspace(low, high, 400)
    start = np.array([0.1 * np.tanh(-x), 0 * x])
    found = scipy.integrate.solve_bvp(
        fields, lambda a, b: np.array([a[1], b[1]]), x, start, tol=1e-9, max_nodes=200_000
    )
    assert found.success
    nodes, w = np.polynomial.legendre.leggauss(6)
    half = 0.5 * np.diff(found.x)[:, None]
    at = (0.5 * (found.x[:-1] + found.x[1:])[:, None] + half * nodes).ravel()
    w = (half * w).ravel()
    t, flux = found.sol(at)
    slope = flux / weight(at)
    value = w @ (-p.pdf(at) * np.logaddexp(0, -t) - q.pdf(at) * np.logaddexp(0, t))
    gradient = w @ (q.pdf(at) * -scipy.special.expit(t) * slope)
    return value, w @ (0.5 * weight(at) * slope**2), gradient


@pytest.mark.parametrize(
    ("p", "q", "regulariser", "ends"),
    [
        ("normal(0, 1)", "normal(0.7, 1.3)", "both(0.5)", (-9, 9)),
        ("normal(0, 1)", "normal(1, 1)", "r1(2) + r2(1)", (-7, 8)),
        ("uniform(0, 1)", "beta(2, 3)", "r1(0.1)", (1e-12, 1 - 1e-12)),
    ],
)
def test_another_solver_finds_the_same_discriminator(p, q, regulariser, ends):
    penalty = Regulariser.of(regulariser)
    weights = (float(penalty.on_real), float(penalty.on_fake))
    found = solved("minimax", p, q, regulariser)
    numbers = found.value, found.penalty, found.gradient()
    for number, other in zip(numbers, by_collocation(p, q, weights, *ends), strict=True):
        assert number.value == pytest.approx(other, abs=2e-8)


def by_polynomials(p, q):
    """The largest V - penalty under R1 of scores that are polynomials in x/10, on (0, 10)."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    x, w = 5 * (nodes + 1), 5 * weights
    real, fake = w * p.pdf(x), w * q.pdf(x)
    values = np.polynomial.legendre.legvander(nodes, 14)
    slopes = np.column_stack(
        [np.polynomial.legendre.legval(nodes, np.polynomial.legendre.legder(np.eye(15)[k])) / 5
         for k in range(15)]
    )  # fmt: skip

    def loss(c):
        t, slope = values @ c, slopes @ c
        total = real @ np.logaddexp(0, -t) + fake @ np.logaddexp(0, t) + real @ slope**2 / 2
        force = fake * scipy.special.expit(t) - real * scipy.special.expit(-t)
        return total, values.T @ force + slopes.T @ (real * slope)

    found = scipy.optimize.minimize(loss, np.zeros(15), jac=True, tol=1e-14, method="BFGS")
    return -found.fun


def test_concentric_normals_in_five_dimensions_are_a_problem_in_the_radius():
    def law(s):
        return f"normal_nd([0, 0, 0, 0, 0], {np.diag([s**2] * 5).tolist()})"

    found = solved("minimax", law(1), law(1.5), "r1(1)")
    laws = scipy.stats.chi(5), scipy.stats.chi(5, scale=1.5)
    assert found.objective.value == pytest.approx(by_polynomials(*laws), abs=1e-7)
    assert found.symmetry == RADIUS
    ends = [solved("minimax", law(1), law(s), "r1(1)").objective.value for s in (1.499, 1.501)]
    slope = (ends[1] - ends[0]) / 2e-3
    assert found.gradient("q.scale").value == pytest.approx(slope, abs=1e-6)


def test_normals_of_one_width_in_the_plane_are_a_problem_along_the_line_through_their_means():
    plane = solved("minimax", "normal_2d_iso((1, 1), 1)", "normal_2d_iso((1.6, 1.8), 1)")
    line = solved("minimax", NORMAL, "normal(1, 1)")
    assert plane.value.value == pytest.approx(line.value.value, abs=1e-12)
    assert plane.gradient().value == pytest.approx(line.gradient().value, abs=1e-12)
    with pytest.raises(gt.GantheoryError, match="one width or one mean"):
        solved("minimax", *(f"normal_nd(({x}, 0, 0), {np.diag([s] * 3).tolist()})"
                            for x, s in ((0, 1), (1, 2))))  # fmt: skip


PAIRS = [
    ("normal(0.3, 1.2)", "normal(-0.5, 0.9)"),
    ("laplace(0, 1)", "normal(1, 1)"),
    ("logistic(0, 1)", "mixture(0.5*normal(-2, 0.5) + 0.5*normal(2, 1))"),
    ("gamma(2, 1)", "gamma(3, 1)"),
    ("normal(-0.865, 0.69)", "gumbel(1.887, 0.866)"),  # p and q vanish at different rates
]


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_no_other_score_does_better_and_duality_bounds_the_best(p, q):
    found = solved("least-squares-01" if "gamma" in p else "minimax", p, q, "both(0.7)")
    (fine,) = found.finer
    assert float(fine.gap.sum()) < 1e-12
    draw = np.random.default_rng(len(p))
    places = np.concatenate([fine.x.min(1), fine.x.max(1)[-1:]])
    for _ in range(2):  # piecewise linear bumps, continuous over the mesh
        bump = 0.1 * draw.normal() * np.sin(draw.uniform(0.2, 2) * places + draw.normal())
        share = (1 + NODES) / 2
        moved = fine.nodes + bump[:-1, None] * (1 - share) + bump[1:, None] * share
        rival = Solution(fine.edges, moved, fine.payoffs, fine.densities, fine.energy)
        assert rival.value.sum() - rival.penalty.sum() < found.objective.value
        climbed = climb(rival)
        reached = climbed.value.sum() - climbed.penalty.sum()
        assert reached == pytest.approx(found.objective.value, abs=1e-12)


@pytest.mark.parametrize("gap", [1e-3, 1e-2])
def test_the_bound_by_duality_holds_what_a_coarse_mesh_misses(gap):
    """A score off the best by ε·sin: the bound is never below what it misses, and of its size."""
    (fine,) = solved("minimax", NORMAL, "normal(1, 1)").finer
    best = fine.value.sum() - fine.penalty.sum()
    bump = gap * np.sin(np.linspace(0, 40, len(fine.edges)))
    share = (1 + NODES) / 2
    nodes = fine.nodes + bump[:-1, None] * (1 - share) + bump[1:, None] * share
    off = Solution(fine.edges, nodes, fine.payoffs, fine.densities, fine.energy)
    missed = best - (off.value.sum() - off.penalty.sum())
    assert 0 < missed <= off.gap.sum() * (1 + 1e-6)


@pytest.mark.parametrize(
    ("wrt", "laws"),
    [
        ("q.loc", ("normal(0, 1)", "normal({}, 1)", 1.0)),
        ("q.shape", ("gamma(2, 1)", "gamma({}, 1)", 2.6)),
    ],
)
def test_under_r1_a_zero_sum_generator_follows_v_less_the_penalty_and_under_r2_it_does_not(
    wrt, laws
):
    p, q, here = laws

    def objective(place, regulariser):
        return solved("minimax", p, q.format(place), regulariser)

    for regulariser, follows in (("r1(1)", True), ("r2(1)", False)):
        h = 1e-3
        ends = [objective(here + k * h, regulariser).objective.value for k in (-2, -1, 1, 2)]
        slope = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * h)
        held = objective(here, regulariser).gradient(wrt)
        assert bool(abs(slope - held.value) < 1e-8 + held.error) is follows


def test_a_linear_payoff_under_r1_is_a_sobolev_distance():
    """t' = −(F_p − F_q)/(γp): V = 2·penalty = ∫ (F_p − F_q)²/(γp), by quadrature."""
    loss = gt.Loss("linear", "t", "-t", "-t")
    found = solved(loss, NORMAL, "normal(0.5, 1)", "r1(2)")
    p, q = gt.density(NORMAL), gt.density("normal(0.5, 1)")

    def apart(x):  # from the nearer tail
        return p.cdf(x) - q.cdf(x) if x < 0 else q.sf(x) - p.sf(x)

    whole = sum(
        scipy.integrate.quad(lambda x: apart(x) ** 2 / (2 * p.pdf(x)), a, b, epsabs=1e-12)[0]
        for a, b in ((-9, 0), (0, 9.5))
    )
    assert found.value.value == pytest.approx(whole, abs=1e-9)
    assert found.penalty.value == pytest.approx(whole / 2, abs=1e-9)


def test_little_penalty_gives_the_divergence_and_much_a_sobolev_distance():
    p, q = NORMAL, "normal(1, 1)"
    plain = gt.divergence("minimax.value", p, q).value - 2 * math.log(2)
    gaps = [plain - solved("minimax", p, q, f"r1({g})").objective.value for g in (1e-2, 1e-4)]
    assert gaps[0] > gaps[1] > 0
    assert gaps[1] < 1e-4
    sobolev = solved(gt.Loss("linear", "t", "-t", "-t"), p, q).value.value
    theory = gt.derive_regularised("minimax", "r1")
    excess = [
        g * (solved("minimax", p, q, f"r1({g})").objective.value + 2 * math.log(2))
        for g in (1e3, 1e4)
    ]
    assert excess[1] == pytest.approx(float(theory.first_order) * sobolev, rel=1e-3)
    assert abs(excess[1] - sobolev / 8) < abs(excess[0] - sobolev / 8)


def test_disjoint_supports_and_free_places_are_answered():
    apart = solved("minimax", "uniform(0, 1)", "uniform(2, 3)", "both(1)")
    assert (apart.value.value, apart.penalty.value) == (pytest.approx(0, abs=1e-12), 0)
    assert apart.gradient().value == 0
    half = solved("minimax", "uniform(0, 1)", "uniform(0.5, 1.5)")
    assert half.value.value == pytest.approx(-0.945914543450, abs=1e-9)
    assert half.gradient().status is Status.UNDETERMINED
    assert "jump" in half.gradient().reason
    squares = solved("least-squares-01", "uniform(0, 1)", "uniform(2, 3)", "both(1)")
    assert squares.value.value == pytest.approx(0, abs=1e-12)


def logistic_of(p, q, score):
    """V of the original GAN at a given score, by quadrature."""
    p, q = gt.density(p), gt.density(q)
    low, high = (min(p.ppf(1e-16), q.ppf(1e-16)), max(p.isf(1e-16), q.isf(1e-16)))
    cuts = np.linspace(low, high, 25)
    return sum(
        scipy.integrate.quad(
            lambda x: -p.pdf(x) * np.logaddexp(0, -score(x)) - q.pdf(x) * np.logaddexp(0, score(x)),
            a, b, epsabs=1e-14,
        )[0]
        for a, b in itertools.pairwise(cuts)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("p", "q", "most", "score"),
    [
        (NORMAL, "normal(1, 1)", 0.5, lambda x: 0.5 * (0.5 - x)),  # log r is steeper throughout
        (NORMAL, "normal(1, 1)", 2.0, lambda x: 0.5 - x),  # and here flatter: the bound is idle
        ("uniform(0, 1)", "uniform(2, 3)", 1.0, lambda x: 1.5 - x),
    ],
)
def test_a_bound_on_the_slope_is_kept_and_known_optima_are_found(p, q, most, score):
    found = solved("minimax", p, q, f"slope({most})")
    truth = logistic_of(p, q, score)
    assert abs(found.value.value - truth) <= found.value.error < 1e-8
    assert found.penalty.value == 0
    assert np.abs(found.finer[0].slope).max() <= most


def test_under_a_bound_a_zero_sum_generator_follows_v():
    h = 1e-3
    below, here, above = (
        solved("minimax", NORMAL, f"normal({place}, 1)", "slope(0.5)")
        for place in (1 - h, 1, 1 + h)
    )
    slope = (above.value.value - below.value.value) / (2 * h)
    assert slope == pytest.approx(here.gradient("q.loc").value, abs=1e-6)


def test_a_linear_payoff_under_a_bound_is_the_wasserstein_distance():
    loss = gt.Loss("linear", "t", "-t", "-t")
    found = solved(loss, NORMAL, "normal(1, 2)", "slope(2)")
    truth = 2 * gt.divergence("w1", NORMAL, "normal(1, 2)").value
    assert abs(found.value.value - truth) <= found.value.error < 1e-8


def test_a_score_is_given_with_its_error_where_the_penalty_holds_it():
    found = solved("minimax", NORMAL, "normal(1, 1)")
    middle = found.score(0.5)
    assert abs(middle.value) > 10 * middle.error
    slope = (found.score(0.51).value - found.score(0.49).value) / 0.02
    assert -1 < slope < 0  # flatter than log r, whose slope is -1
    assert found.score(1e3).status is Status.UNDETERMINED
    with pytest.raises(gt.GantheoryError, match="only a parameter of q"):
        found.gradient("p.loc")
    symmetric = solved("minimax", NORMAL, "normal(1, 1)", "both(1)")
    assert symmetric.score(0.5).value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("loss", "p", "q", "regulariser", "says"),
    [
        (gt.Loss("cubic", "t**3", "-t**2", "-t"), NORMAL, NORMAL, "r1(1)", "not concave"),
        ("minimax", NORMAL, "normal(60, 1)", "r1(1)", "too far apart"),
    ],
)
def test_what_is_ill_posed_says_so(loss, p, q, regulariser, says):
    found = solved(loss, p, q, regulariser)
    for number in (found.value, found.penalty, found.objective, found.gradient(), found.score(0)):
        assert number.status is Status.UNDETERMINED
        assert says in number.reason


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("minimax", NORMAL, NORMAL, "r3(1)"), "r3"),
        (("minimax", NORMAL, NORMAL, "r1(0)"), "weight"),
        (("minimax", NORMAL, NORMAL, "r1(1)*2"), "no sum"),
        (("minimax", NORMAL, NORMAL, "slope(1) + r1(1)"), "stands alone"),
        (("minimax", NORMAL, "normal_2d_iso((0, 0), 1)", "r1(1)"), "line"),
        (("alpha-gan", NORMAL, NORMAL, "r1(1)"), "numbers"),
        (("wasserstein", NORMAL, NORMAL, "r1(1)"), "class holds D's slope"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments, says):
    loss, p, q, regulariser = arguments
    with pytest.raises(gt.GantheoryError, match=says):
        solved(loss, p, q, regulariser)


@pytest.mark.parametrize(
    ("loss", "kind", "first_order", "verdicts"),
    [
        ("minimax", "r1", "1/8", ["assumed", "refuted"]),
        ("minimax", "r2", "1/8", ["refuted"]),
        ("f-gan-kl", "r1", "1/2", ["assumed", "refuted"]),
    ],
)
def test_the_equation_the_limits_and_the_envelope_are_derived(loss, kind, first_order, verdicts):
    found = gt.derive_regularised(loss, kind)
    assert str(found.first_order) == first_order
    assert found.concave is True
    hows = [str(claim.how) for claim in found.claims]
    assert hows == [*verdicts, "assumed", "refuted", "assumed", "refuted"]
    assert all(step.how is How.PROVED for step in found.steps[:5])
    json.dumps(found.as_dict())


def test_both_limits_have_twins_that_numbers_refute():
    """The first order bounds what is gained at any weight, and little penalty gains at once."""
    little, stays, much, twice = gt.derive_regularised("f-gan-kl", "r2").claims[-4:]
    assert little.statement.endswith("tends to KL(P‖Q) as gamma -> 0")
    assert "it is 0.12" in stays.counterexample  # KL is 1/8
    gained = solved("f-gan-kl", NORMAL, "normal(1/2, 1)", "r2(100)").objective.value * 100
    bound = solved(gt.Loss("linear", "t", "-t", "-t"), NORMAL, "normal(1/2, 1)", "r2(1)")
    assert 0.95 * bound.objective.value < gained < bound.objective.value
    assert f"{gained:.6f}/gamma, and the first order {bound.objective.value:.6f}" in much.reason
    assert twice.statement == much.statement.replace(" 1/(2*gamma)", " 1/gamma")
    shown = [step.title for step in gt.derive_regularised("f-gan-kl", "r2").steps]
    assert shown.count("Limit") == 2


def test_the_derived_first_order_of_another_loss_is_what_much_penalty_gives():
    loss = gt.Loss("squares", "-(t - 1)**2", "-2*t**2", "(t - 1)**2")
    theory = gt.derive_regularised(loss, "r1")
    sobolev = solved(gt.Loss("linear", "t", "-t", "-t"), NORMAL, "normal(0.5, 1)").value.value
    gamma = 1e5
    excess = solved(loss, NORMAL, "normal(0.5, 1)", f"r1({gamma})").objective.value
    excess = gamma * (excess - float(theory.large))
    assert excess == pytest.approx(float(theory.first_order) * sobolev, rel=1e-4)


def test_the_commands_answer_for_a_penalised_discriminator():
    pair = [NORMAL, "normal(2, 1)", "--regulariser", "r1(1)"]
    done = CliRunner().invoke(
        divergence_command, ["minimax.value", *pair, "--wrt", "q.loc", "--json"]
    )
    data = json.loads(done.output)
    assert data["value"]["value"] == pytest.approx(-0.918160340733, abs=1e-9)
    assert data["gradient"]["value"] == pytest.approx(0.323837128491, abs=1e-9)
    for wrong in (["jsd", *pair], ["minimax.value", *pair, "--method", "certified"]):
        done = CliRunner().invoke(divergence_command, wrong)
        assert isinstance(done.exception, gt.GantheoryError)
    done = CliRunner().invoke(derive_command, ["minimax", "--regulariser", "r1"])
    assert "Sobolev" in done.output
