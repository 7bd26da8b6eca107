"""Published eigenvalues, thresholds and rates against what differentiation gives."""

import pytest
import sympy as sp

from gantheory import Loss
from gantheory.dynamics import rules
from gantheory.dynamics.analysis import analyse
from gantheory.dynamics.conserved import conserved_by_flow
from gantheory.dynamics.equilibria import equilibria
from gantheory.dynamics.known import bilinear, dirac, gaussian, linear_quadratic
from gantheory.dynamics.lyapunov import distance_along_flow
from gantheory.dynamics.operators import eigenvalues, eta, lamda, operator
from gantheory.dynamics.rates import best_rate, spectral_radius
from gantheory.dynamics.regularise import with_consensus
from gantheory.dynamics.steps import Stability, stability, step_sizes
from gantheory.dynamics.text import read_game
from gantheory.errors import GantheoryError
from gantheory.losses import list_losses
from gantheory.records import How

gamma, sigma = sp.symbols("gamma sigma", positive=True)
i, HALF = sp.I, sp.Rational(1, 2)
WGAN = Loss("wasserstein-score", real="t", fake="-t", generator="-t")
XY = sp.Matrix([[0, -1], [1, 0]])
OPEN = sp.Interval.open


def jacobian(game):
    return game.jacobian_at(game.candidates[0] if game.candidates else dict.fromkeys("xy", 0))


def update(rule, field=XY):
    return operator(rule, field, 1)


def is_spectrum(matrix, claimed):
    """Whether the claimed numbers are the eigenvalues, with multiplicity, by one identity."""
    claim = sp.prod([lamda - value for value in claimed])
    return sp.simplify(sp.expand(matrix.charpoly(lamda).as_expr() - claim)) == 0


def roots_of(*polynomials):
    return [root for p in polynomials for root in sp.roots(p, lamda, multiple=True)]


def pair(a, b):
    return [a + b, a - b]


# name, matrix derived here, eigenvalues as published, a planted error in them
SPECTRA = [
    ("xy flow", jacobian(bilinear()), pair(0, i), pair(0, 2 * i)),
    ("xy simultaneous", update(rules.simultaneous()), pair(1, i * eta), pair(1, eta)),
    (
        "xy alternating",
        update(rules.alternating()),
        roots_of(lamda**2 - (2 - eta**2) * lamda + 1),
        roots_of(lamda**2 - (2 + eta**2) * lamda + 1),
    ),
    (
        "xy proximal",
        update(rules.proximal()),
        [1 / (1 - i * eta), 1 / (1 + i * eta)],
        [1 / (1 - eta), 1 / (1 + eta)],
    ),
    (
        "xy extragradient",
        update(rules.extragradient()),
        pair(1 - eta**2, i * eta),
        pair(1 + eta**2, i * eta),
    ),
    (
        "xy optimistic",
        update(rules.optimistic()),
        roots_of(*(lamda**2 - (1 + 2 * s * eta) * lamda + s * eta for s in (i, -i))),
        roots_of(*(lamda**2 - (1 + s * eta) * lamda + s * eta for s in (i, -i))),
    ),
    (
        "xy consensus",
        update(rules.simultaneous(), with_consensus(bilinear(), gamma).jacobian),
        pair(1 - eta * gamma, i * eta),
        pair(1 - eta * gamma / 2, i * eta),
    ),
    ("dirac minimax", jacobian(dirac("minimax")), pair(0, i / 2), pair(0, i)),
    ("dirac non-saturating", jacobian(dirac("non-saturating")), pair(0, i / 2), pair(0, 1)),
    ("dirac wgan", jacobian(dirac(WGAN)), pair(0, i), pair(0, i / 2)),
    *(
        (
            f"dirac {loss} {name}",
            jacobian(dirac(loss, **{name: gamma})),
            pair(-gamma / 2, sp.sqrt(gamma**2 - 1) / 2),
            pair(-gamma / 2, sp.sqrt(gamma**2 - 4) / 2),
        )
        for loss in ("minimax", "non-saturating")
        for name in ("r1", "r2")
    ),
    (
        "dirac instance noise",
        jacobian(dirac("minimax", noise=sigma)),
        pair(-(sigma**2) / 4, sp.sqrt(sigma**4 - 4) / 4),
        pair(-(sigma**2) / 8, sp.sqrt(sigma**4 - 4) / 4),
    ),
    (
        "dirac consensus",
        jacobian(with_consensus(dirac("minimax"), gamma)),
        pair(-gamma / 4, i / 2),
        pair(-gamma / 2, i / 2),
    ),
    (
        "linear-quadratic GAN",
        jacobian(linear_quadratic()),
        pair(-sp.Rational(1, 20), i * sp.sqrt(391) / 60),
        pair(-sp.Rational(1, 10), i * sp.sqrt(391) / 60),
    ),
    (
        "linear-quadratic WGAN",
        jacobian(linear_quadratic(WGAN)),
        pair(0, 2 * i / 3),
        pair(-sp.Rational(1, 20), 2 * i / 3),
    ),
]


@pytest.mark.parametrize(
    ("matrix", "claimed"), [s[1:3] for s in SPECTRA], ids=[s[0] for s in SPECTRA]
)
def test_the_published_eigenvalues_are_derived(matrix, claimed):
    assert is_spectrum(matrix, claimed)
    assert is_spectrum(matrix, eigenvalues(matrix))


@pytest.mark.parametrize(
    ("matrix", "planted"), [(s[1], s[3]) for s in SPECTRA], ids=[s[0] for s in SPECTRA]
)
def test_a_planted_error_in_the_eigenvalues_is_refuted(matrix, planted):
    assert not is_spectrum(matrix, planted)


# rule, steps that converge, steps that stay bounded besides, a wrong set
THRESHOLDS = [
    (rules.simultaneous(), sp.S.EmptySet, sp.S.EmptySet, OPEN(0, 1)),
    (rules.alternating(), sp.S.EmptySet, OPEN(0, 2), OPEN(0, 2)),
    (rules.alternating(3), sp.S.EmptySet, OPEN(0, 2 / sp.sqrt(3)), OPEN(0, 2)),
    (rules.proximal(), OPEN(0, sp.oo), sp.S.EmptySet, OPEN(0, 1)),
    (rules.extragradient(), OPEN(0, 1), sp.FiniteSet(1), OPEN(0, 1 / sp.sqrt(2))),
    (rules.optimistic(), OPEN(0, 1 / sp.sqrt(3)), sp.S.EmptySet, OPEN(0, HALF)),
    (rules.momentum(-HALF, 0), OPEN(0, sp.sqrt(2)), sp.S.EmptySet, OPEN(0, sp.Rational(3, 2))),
    (rules.momentum(-HALF), OPEN(0, 1), sp.FiniteSet(1), OPEN(0, sp.Rational(3, 2))),
    (rules.momentum(HALF / 2), sp.S.EmptySet, sp.S.EmptySet, OPEN(0, 1)),
]


@pytest.mark.parametrize(
    ("rule", "converges", "bounded", "wrong"),
    THRESHOLDS,
    ids=[f"{r[0].name}-{'-'.join(map(str, r[0].options.values()))}" for r in THRESHOLDS],
)
def test_the_step_sizes_that_converge_on_xy_are_exact(rule, converges, bounded, wrong):
    found = step_sizes(update(rule))
    assert found.converges == converges
    assert found.bounded == bounded
    assert found.converges != wrong


@pytest.mark.parametrize(
    ("rule", "left", "right"),
    [
        (rules.optimistic(), "0.577350269", "0.577350270"),
        (rules.extragradient(), "0.999999999", "1.000000001"),
    ],
    ids=["optimistic", "extragradient"],
)
def test_behaviour_changes_across_the_threshold_and_nowhere_near_it(rule, left, right):
    matrix = update(rule)
    assert stability(matrix.subs(eta, sp.Rational(left))) is Stability.CONVERGES
    assert stability(matrix.subs(eta, sp.Rational(right))) is Stability.DIVERGES


@pytest.mark.parametrize(
    ("rule", "step", "radius"),
    [
        (rules.extragradient(), 1 / sp.sqrt(2), sp.sqrt(3) / 2),
        (rules.optimistic(), HALF, 1 / sp.sqrt(2)),
        (rules.momentum(-HALF, 0), sp.sqrt(sp.Rational(3, 2)), 2 ** sp.Rational(-1, 3)),
    ],
    ids=["extragradient", "optimistic", "momentum"],
)
def test_the_best_rate_on_xy_is_exact_and_no_other_step_beats_it(rule, step, radius):
    best = best_rate(update(rule))
    assert sp.simplify(best.step - step) == 0
    assert sp.simplify(best.radius - radius) == 0
    for other in (step * sp.Rational(9, 10), step * sp.Rational(11, 10)):
        assert spectral_radius(update(rule).subs(eta, other)) > radius.evalf(20) + 1e-6


def test_the_published_best_radius_under_negative_momentum_is_not_quite_the_best():
    best = best_rate(update(rules.momentum(-HALF, 0)))
    assert abs(float(best.step) - 1.22) < 0.005
    assert 0.7937 < float(best.radius) < 0.7946  # the published figure comes from a grid


def test_no_best_rate_is_given_where_no_step_converges():
    assert best_rate(update(rules.alternating())) is None


@pytest.mark.parametrize(
    ("beta1", "beta2", "step", "published"),
    [
        (-0.5, 0, 0.1, 0.9989), (-0.5, 0, 1, 0.8722),
        (-0.5, -0.5, 0.1, 0.9985), (-0.5, -0.5, 0.5, 0.9625), (-0.5, -0.5, 1, 1.000),
        (-0.5, -0.5, 1.5, 1.78), (0.25, 0.25, 0.1, 1.006), (0.25, 0.25, 1, 1.27),
    ],
)  # fmt: skip
def test_radii_under_momentum_are_the_published_ones(beta1, beta2, step, published):
    matrix = update(rules.momentum(sp.Rational(str(beta1)), sp.Rational(str(beta2))))
    digits = len(str(published).split(".")[1])
    found = float(spectral_radius(matrix.subs(eta, sp.Rational(str(step)))))
    assert abs(found - published) <= 0.6 * 10**-digits


@pytest.mark.parametrize("beta", ["-0.99", "-0.5", "-0.1", "0.1", "0.5", "0.9"])
@pytest.mark.parametrize("step", ["0.01", "0.5", "1.5"])
def test_simultaneous_momentum_diverges_on_xy(beta, step):
    matrix = update(rules.momentum(sp.Rational(beta), order="simultaneous"))
    assert stability(matrix.subs(eta, sp.Rational(step))) is Stability.DIVERGES


@pytest.mark.parametrize(
    ("game", "symbol", "critical", "wrong"),
    [
        (dirac("minimax", r1=gamma), gamma, 1, 2),
        (dirac("minimax", noise=sigma), sigma, sp.sqrt(2), 2),
    ],
    ids=["R1", "noise"],
)
def test_the_critical_regulariser_makes_the_eigenvalues_meet(game, symbol, critical, wrong):
    discriminant = jacobian(game).charpoly(lamda).discriminant()
    assert sp.simplify(discriminant.subs(symbol, critical)) == 0
    assert sp.simplify(discriminant.subs(symbol, wrong)) != 0


def test_the_half_in_the_public_consensus_field_is_refuted():
    game = read_game("-softplus(-psi*theta)", "theta", "psi")  # the published sign of psi
    theta, psi = game.variables
    f1, f2 = (1 / (1 + sp.exp(psi * theta)), -sp.exp(psi * theta) / (1 + sp.exp(psi * theta)) ** 2)
    added = (game.field - with_consensus(game, 1).field)[0]

    def typed_in(factor):
        return theta * f1**2 + factor * psi * (theta**2 + psi**2) * f1 * f2

    def at(expression, *point):
        return float(expression.subs({theta: point[0], psi: point[1]}).evalf())

    for point in [(1, 1), (HALF, -2), (-1, 3)]:
        assert at(added, *point) == pytest.approx(at(typed_in(1), *point), abs=1e-14)
        assert abs(at(added, *point) - at(typed_in(HALF), *point)) > 1e-3
    assert at(added, 1, 1) == pytest.approx(-0.0334, abs=5e-5)
    assert at(typed_in(HALF), 1, 1) == pytest.approx(0.0195, abs=5e-5)


def test_conserved_quantities_are_found_and_no_others():
    x, y = bilinear().variables
    assert conserved_by_flow(bilinear()) == (x**2 + y**2,)
    assert conserved_by_flow(dirac("non-saturating")) == ()


def test_the_non_saturating_flow_comes_closer_and_converges():
    game = dirac("non-saturating")
    found = distance_along_flow(game, game.candidates[0])
    assert found.attracts
    assert found.how in {How.PROVED, How.CERTIFIED}
    theta, psi = game.variables
    s = theta * psi
    claimed = -s * sp.tanh(s / 2)
    assert float((found.rate - claimed).subs({theta: 0.7, psi: -1.3}).evalf()) == pytest.approx(
        0, abs=1e-14
    )


@pytest.mark.parametrize("name", ["minimax", "linear"])
def test_the_flow_of_a_zero_sum_dirac_gan_keeps_its_distance(name):
    found = distance_along_flow(dirac(name), dirac(name).candidates[0])
    assert found.sign == "= 0"
    assert not found.attracts


@pytest.mark.parametrize("name", [n for n in list_losses() if n != "least-squares"])
def test_every_catalogue_game_has_a_dirac_gan_at_rest_at_the_data(name):
    game = dirac(name)
    assert game.field_at(game.candidates[0]).is_zero_matrix
    assert game.jacobian_at(game.candidates[0])[0, 0] == 0


def test_the_pearson_coding_gives_the_dirac_generator_no_push_at_the_data():
    matrix = jacobian(dirac("least-squares-pearson"))
    assert matrix[0, 1] == 0
    assert matrix[1, 0] != 0


def test_a_gaussian_gan_is_stable_where_its_wasserstein_twin_only_turns():
    assert {sp.re(e) for e in eigenvalues(jacobian(gaussian()))} == {-HALF / 2, -3 * HALF / 2}
    assert {sp.re(e) for e in eigenvalues(jacobian(gaussian(WGAN)))} == {0}


# value, value2, how the equilibrium at 0 should read
CLASSES = [
    ("x*y", None, ("Nash (global)", "centre", "not dominant for either")),
    ("x*y + x**2/2 - y**2/2", None, ("Nash (global)", "; differential", "asymptotically stable")),
    ("-x**2/2 + 2*x*y - 3*y**2/2", None, ("stable but not Nash",)),
    ("x**4 + x*y", None, ("Nash (global)", "not differential")),
    ("x**2 - x**4 + x*y - y**2", None, ("Nash (local)", "; differential")),
    ("x**3 + x*y - y**2", None, ("not Nash",)),
    ("x**2", "y**2", ("dominant for player 1 and player 2",)),
    ("x**2", "y**2 + x*y", ("dominant for player 1",)),
]


@pytest.mark.parametrize(("value", "value2", "words"), CLASSES)
def test_equilibria_are_classified_by_the_definition(value, value2, words):
    found = [
        e
        for e in equilibria(read_game(value, "x", "y", value2))
        if all(c == 0 for c in e.point.values())
    ]
    assert len(found) == 1
    for word in words:
        assert word in found[0].classification


def test_all_equilibria_of_a_cubic_game_are_found():
    game = read_game("x**3 - 3*x + x*y - y**2", "x", "y")
    found = equilibria(game)
    assert len(found) == 2
    assert all(sp.simplify(f) == 0 for e in found for f in game.field.subs(e.point))
    assert sorted(e.nash.kind for e in found) == ["Nash (local)", "not Nash"]


def test_an_equilibrium_without_a_formula_is_enclosed_and_says_so():
    (found,) = equilibria(read_game("exp(x) + x**2 + x*y - y**2", "x", "y"))
    assert found.how is How.CERTIFIED
    assert found.flow is Stability.CONVERGES


def test_a_line_of_equilibria_converges_across_it():
    found = analyse(bilinear(sp.Matrix([[1, 2], [2, 4]])), "extragradient", "0.1")
    assert found.decision.behaviour == "converges"
    assert found.step_sizes.converges == OPEN(0, HALF * sp.Rational(2, 5))


VERDICTS = """
    bilinear          flow           0.1   bounded orbit
    bilinear          simultaneous   0.1   diverges
    bilinear          alternating    0.1   bounded orbit
    bilinear          alternating    2     diverges
    bilinear          alternating    2.1   diverges
    bilinear          proximal       7     converges
    bilinear          extragradient  0.9   converges
    bilinear          extragradient  1     bounded orbit
    bilinear          extragradient  1.1   diverges
    bilinear          optimistic     0.57  converges
    bilinear          optimistic     0.58  diverges
    bilinear          consensus      0.79  converges
    bilinear          consensus      0.81  diverges
    bilinear          momentum       0.9   converges
    dirac             flow           0.1   bounded orbit
    dirac             simultaneous   0.1   diverges
    non-saturating    flow           0.1   converges
    linear-quadratic  flow           0.1   converges
"""
VERDICTS = [line.split(maxsplit=3) for line in VERDICTS.strip().splitlines()]


@pytest.mark.parametrize(("name", "method", "step", "verdict"), VERDICTS)
def test_the_verdict_of_the_theory(name, method, step, verdict):
    from gantheory.dynamics.games import get_game

    found = analyse(get_game(name), method, step).decision
    assert found.behaviour == verdict
    assert found.how is How.PROVED


def test_a_jump_of_the_field_is_never_linearised():
    game = dirac(WGAN, gradient_penalty=1)
    (found,) = equilibria(game)
    assert game.discontinuous
    assert found.jacobian is None
    assert analyse(game, "simultaneous", "0.1").decision.behaviour == "undecided"


@pytest.mark.parametrize("step", ["0", "-0.1", "oo", "x"])
def test_a_step_that_is_not_a_positive_number_is_refused(step):
    with pytest.raises(GantheoryError):
        analyse(bilinear(), "simultaneous", step)
