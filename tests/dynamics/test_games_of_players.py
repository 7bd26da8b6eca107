"""Equilibria, verdicts and orbits of small games against iteration and Newton's method."""

import mpmath
import numpy as np
import pytest
import sympy as sp
from flint import arb

from gantheory.dynamics import analysis, rules, verdict, zeros
from gantheory.dynamics.analysis import analyse
from gantheory.dynamics.balls import enclose_on_box
from gantheory.dynamics.known import linear_quadratic
from gantheory.dynamics.lyapunov import distance_along_flow
from gantheory.dynamics.motion.orbits import decide_by_orbits, follow_orbits
from gantheory.dynamics.rates import best_rate
from gantheory.dynamics.text import read_game
from gantheory.dynamics.verdict import Behaviour, on_centre_manifold, reduce
from gantheory.dynamics.zeros import zeros_of_field
from gantheory.records import How

POSITIVE = ["x: (0, oo)", "y: (0, oo)"]
METHODS = [
    "flow", "simultaneous", "alternating", "proximal", "extragradient", "optimistic",
    "consensus", "momentum",
]  # fmt: skip


def game(value, value2=None, domains=()):
    return read_game(value, "x", "y", value2, domains)


def where(found):
    """All isolated points of a `Zeros` as pairs of numbers."""
    exact = [[float(value) for value in p.values()] for p in found.points]
    return sorted(exact + [[float(ball.mid()) for ball in p.values()] for p in found.enclosed])


# value, domains, all equilibria
EQUILIBRIA = [
    ("tanh(x*y)", (), [[0, 0]]),
    ("x*log(x) - y*log(y) + x*y", POSITIVE, [[0.231388657658781, 0.463656481591649]]),
    ("tanh(x)*y - y**2/2", (), [[0, 0]]),
    ("softplus(x) - x/2 - softplus(y) + y/2", (), [[0, 0]]),
    ("x**2 + 1/x - y**2 + x*y", ["x: (0, oo)"], [[0.736806299728077, 0.368403149864039]]),
    ("x**3/3 - x - y**2/2 + x*y", (), [[-1.61803398874989] * 2, [0.618033988749895] * 2]),
    ("exp(x) - 2*x - y**2 + sin(y)", (), [[0.693147180559945, 0.450183611294874]]),
]


@pytest.mark.parametrize(("value", "domains", "points"), EQUILIBRIA)
def test_all_equilibria_are_found_and_no_others(value, domains, points):
    found = zeros_of_field(game(value, domains=domains))
    assert not found.unresolved
    assert np.array(where(found)) == pytest.approx(np.array(points), abs=1e-12)


def hand_field(value, values):
    """The field by numerical differentiation, which shares no code with the project's."""
    functions = {name: getattr(mpmath, name) for name in ("exp", "tanh", "sin", "cos", "log")}
    functions["softplus"] = lambda u: mpmath.log(1 + mpmath.exp(u))
    code = compile(value, "payoff", "eval")

    def payoff(x, y):
        return eval(code, {**functions, "x": x, "y": y})

    x, y = values
    return [-mpmath.diff(payoff, (x, y), (1, 0)), mpmath.diff(payoff, (x, y), (0, 1))]


def random_values(count, seed):
    """Random payoffs: monomials of degree up to 3 and one smooth function a player."""
    rng = np.random.default_rng(seed)
    smooth = ["tanh({})", "softplus({})", "sin({})", "exp({}/2)", "cos({})"]
    for _ in range(count):
        monomials = [
            f"{rng.integers(-4, 5)}*x**{i}*y**{j}/{rng.integers(1, 4)}"
            for i, j in [(1, 1), (2, 0), (0, 2), *rng.integers(0, 3, (1, 2))]
        ]
        extra = [f"{rng.integers(1, 3)}*{rng.choice(smooth).format(v)}" for v in ("x", "y")]
        yield " + ".join([*monomials, *extra])


@pytest.mark.parametrize("value", list(random_values(5, seed=3)))
def test_random_games_have_the_equilibria_that_newtons_method_reaches(value):
    found = zeros_of_field(game(value))
    known = where(found)
    for point in known:
        assert max(abs(v) for v in hand_field(value, point)) < 1e-8
    rng = np.random.default_rng(0)
    for start in rng.uniform(-3, 3, (12, 2)):
        try:
            point = mpmath.findroot(lambda x, y: hand_field(value, (x, y)), list(start), tol=1e-18)
        except (ValueError, ZeroDivisionError):
            continue
        point = np.array([float(mpmath.re(c)) for c in point])
        if np.abs(point).max() < 15 and not found.unresolved:
            assert any(np.abs(point - other).max() < 1e-6 for other in known)


@pytest.mark.parametrize("method", METHODS)
def test_a_zero_eigenvalue_without_a_line_of_equilibria_is_reduced(method):
    for value, attracts in [("-x**4/4 - y**2/2", False), ("x**4/4 - y**2/2", True),
                            ("x**3/3 - y**2/2", False)]:  # fmt: skip
        found = analyse(game(value), method, "0.1")
        reduced = reduce(found)
        assert reduced.attracts is attracts
        assert found.family == 0
        assert (found.decision.behaviour is Behaviour.CONVERGES) is attracts
        assert reduced.order == (2 if value.startswith("x**3") else 3)


def test_the_reduced_coefficient_is_that_of_the_graph_of_the_manifold():
    # V = x^2 y - y^2/2 + x^4/7: the manifold is y = x^2 + ..., so x' = -2 x^3 - 4 x^3/7.
    flow = reduce(analyse(game("x**2*y - y**2/2 + x**4/7"), "flow", "1"))
    assert (flow.order, flow.coefficient) == (3, sp.Rational(-18, 7))
    flip = reduce(analyse(game("x**2/2 + x**4 - y**2/4"), "simultaneous", "2"))
    assert (flip.neutral, flip.order, flip.coefficient) == (-1, 3, 8)


def test_the_reduced_update_is_what_iteration_shows():
    rng = np.random.default_rng(5)
    for _ in range(4):
        a, b, c = rng.integers(-3, 4, 3)
        value = f"{a}*x**4/4 + {b}*x**2*y + {c}*x**3/3 - y**2/2"
        found = reduce(analyse(game(value), "simultaneous", "0.1"))
        if found.attracts is None:
            continue
        moved = []
        for side in (1e-2, -1e-2):
            x, y = side, float(b) * side**2
            for _ in range(300):
                x, y = x - 0.1 * (a * x**3 + 2 * b * x * y + c * x**2), y + 0.1 * (b * x**2 - y)
            moved.append(abs(x) < abs(side))
        assert found.attracts is all(moved)


def test_the_pearson_coding_repels_its_generator_at_the_data():
    found = analyse(linear_quadratic("least-squares-pearson"), "flow", "0.1")
    assert found.decision.behaviour is Behaviour.UNDECIDED
    assert found.decision.reason.endswith("s' = 2*s**2/3")
    assert on_centre_manifold(found) == found.decision


def test_a_line_of_equilibria_is_named_and_attracts_only_where_it_does():
    found = analyse(game("x**2*y**2/2 + y**2/2", "x**2*y**2/2 + y**2/2"), "simultaneous", "0.1")
    assert found.equilibrium.dimension == 1
    assert "a line of equilibria" in found.equilibrium.classification
    assert (found.decision.behaviour, found.decision.how) == (Behaviour.CONVERGES, How.PROVED)
    assert "across the set of equilibria" in found.decision.reason


@pytest.mark.parametrize("seed", range(4))
def test_a_power_with_a_variable_exponent_is_enclosed(seed):
    rng = np.random.default_rng(seed)
    x, y = sp.symbols("x y", positive=True)
    (low, wide), (down, tall) = rng.uniform((0.1, 0), (3, 0.5), (2, 2))
    base, power = (arb(one + half, half) for one, half in ((low, wide), (down - 1, tall)))
    ball = enclose_on_box(x**y, {x: base, y: power})
    corners = [arb(u) ** arb(v) for u in _ends(base) for v in _ends(power)]
    assert all(ball.contains(corner) for corner in corners)
    widest = max(corners).upper() - min(corners).lower()
    assert ball.rad() <= widest


def _ends(ball):
    return ball.mid() - ball.rad(), ball.mid() + ball.rad()


@pytest.mark.parametrize(
    ("values", "attracts"), [(("x*y - y**2/2",), True), (("(x + y)**2/2", "(x + y)**2/2"), False)]
)
def test_where_a_quadratic_dissipation_vanishes_decides_whether_all_starts_converge(
    values, attracts
):
    """−y² and −(x + y)²: the flow leaves the line of no dissipation, or rests on it."""
    x, y = (quadratic := game(*values)).variables
    found = distance_along_flow(quadratic, {x: sp.S.Zero, y: sp.S.Zero})
    eigenvalues = np.linalg.eigvals(np.array(quadratic.field.jacobian([x, y]), float))
    assert (eigenvalues.real.max() < -1e-9) == attracts
    assert (found.sign, found.attracts, found.how) == ("<= 0", attracts, How.PROVED)


def test_a_falling_distance_does_not_attract_along_a_line_of_rest():
    x, y = (line := game("x**2/2", "x**2*y**2/2")).variables
    found = distance_along_flow(line, {x: sp.S.Zero, y: sp.S.Zero})
    assert found.sign == "<= 0"
    assert not found.attracts


# value, domains, method, step, behaviour, period
ORBITS = [
    (
        "softplus(x) - x/2 - softplus(y) + y/2",
        (),
        "simultaneous",
        "9",
        Behaviour.PERIODIC,
        "period 2",
    ),
    (
        "x**2 + 1/x - y**2 + x*y",
        ["x: (0, oo)"],
        "optimistic",
        "0.1",
        Behaviour.PERIODIC,
        "period 2",
    ),
    ("-x**4/4 - y**2/2", (), "simultaneous", "0.1", Behaviour.DIVERGES, "repels"),
    ("-x**4/4 - y**2/2", (), "flow", "0.1", Behaviour.DIVERGES, "repels"),
    ("x*y", ["x: (-3, 3)"], "simultaneous", "0.1", Behaviour.LEAVES, ""),
    ("tanh(x*y)", (), "simultaneous", "0.1", Behaviour.DIVERGES, "conserves"),
    ("-x**2 - y**2/2 + x**3/9", ["x: (-2, 2)"], "simultaneous", "0.1", Behaviour.LEAVES, ""),
]


@pytest.mark.parametrize(("value", "domains", "method", "step", "behaviour", "words"), ORBITS)
def test_orbits_are_told_apart(value, domains, method, step, behaviour, words):
    found = decide_by_orbits(analyse(game(value, domains=domains), method, step))
    assert found.behaviour is behaviour
    assert words in found.reason
    assert found.how is not How.UNDECIDED


@pytest.mark.parametrize(("slope", "period"), [("3.2", 2), ("3.5", 4), ("3.83", 3)])
def test_the_logistic_map_has_its_known_periods(slope, period):
    # x + v(x) with v = (s - 1) x - s x^2 is the logistic map s x (1 - x).
    logistic = game(f"{slope}*x**3/3 - ({slope} - 1)*x**2/2", "y**2/4", ["x: (0, 1)"])
    found = follow_orbits(
        logistic, rules.simultaneous(), 1.0, np.array([1 - 1 / float(slope), 0.0])
    ).decide()
    assert (found.behaviour, f"period {period}:" in found.reason) == (Behaviour.PERIODIC, True)


@pytest.mark.parametrize(
    ("value", "value2", "method"),
    [("x**2/2 - y**2/2", None, "simultaneous"), ("x*y", "x*y", "proximal"),
     ("tanh(x)*y - y**2/2", None, "momentum"), ("sin(x)*y - y**2/2", None, "optimistic"),
     ("2*softplus(x*y) - x*y - y**3 - y**2/2", None, "simultaneous")],
)  # fmt: skip
def test_games_that_once_crashed_are_answered(monkeypatch, value, value2, method):
    for module in (analysis, zeros, verdict):  # what is exact may be left out: an answer comes
        monkeypatch.setattr(module, "SECONDS", 1.0)
    found = analyse(game(value, value2), method, "0.1")
    assert found.as_dict()["update"]["verdict"] in set(Behaviour)
    assert found.best is None or 0 <= found.best.radius < 1


def test_the_best_step_of_a_separable_game_reaches_radius_zero():
    eta = sp.Symbol("eta", positive=True)
    assert best_rate(sp.Matrix([[1 - eta]])).radius == 0
    assert best_rate(sp.Matrix([[1 / (1 + eta), 0], [0, 1 / (1 + 2 * eta)]])) is None


def test_enclosures_hold_the_values_and_are_not_much_wider():
    from flint import arb

    rng = np.random.default_rng(1)
    for text in ("exp(-x) + x**2", "sin(x)*log(x)", "x**4 - 3*x**(3/2)", "tanh(x)/(1 + x)"):
        expression = game(text + " + 0*y + y", domains=["x: (0, oo)"]).losses[0]
        (own,) = (s for s in expression.free_symbols if s.name == "x")
        expression = expression.subs({s: 0 for s in expression.free_symbols if s.name == "y"})
        for middle in rng.uniform(0.5, 4, 5):
            ball = enclose_on_box(expression, {own: arb(middle, 1e-4)})
            values = [float(expression.subs(own, middle + d)) for d in np.linspace(-1e-4, 1e-4, 9)]
            assert float(ball.lower()) <= min(values)
            assert max(values) <= float(ball.upper())
            assert float(ball.rad()) < 1e-4 * 1e3
