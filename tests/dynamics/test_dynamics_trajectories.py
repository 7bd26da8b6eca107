"""Trajectories against the theory: powers of the operator, measured rates, orbits, flows."""

import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from gantheory import Loss
from gantheory.dynamics import rules
from gantheory.dynamics.analysis import analyse
from gantheory.dynamics.known import bilinear, dirac, gaussian, linear_quadratic
from gantheory.dynamics.methods import make_method
from gantheory.dynamics.motion.orbits import Watched, decide_by_orbits, follow_orbits
from gantheory.dynamics.motion.spectra import spectral_map
from gantheory.dynamics.motion.trajectories import flow_trajectories, measured_rate, trajectories
from gantheory.dynamics.operators import LinearField, eta, operator
from gantheory.dynamics.regularise import with_consensus
from gantheory.dynamics.text import read_game
from gantheory.dynamics.verdict import Behaviour
from gantheory.errors import GantheoryError
from gantheory.records import How, Status

WGAN = Loss("wasserstein-score", real="t", fake="-t", generator="-t")
HALF = sp.Rational(1, 2)
RULES = [
    rules.simultaneous(), rules.alternating(), rules.alternating(3), rules.proximal(),
    rules.extragradient(), rules.optimistic(), rules.momentum(-HALF), rules.momentum(HALF, 0),
    rules.momentum(-HALF, order="simultaneous"), rules.midpoint(),
]  # fmt: skip
LINEAR = [
    bilinear(),
    bilinear(sp.Matrix([[1, 2], [-1, 3], [0, 1]])),
    with_consensus(bilinear(), HALF),
    read_game("x**2/4 + 2*x*y - y**2/3", "x", "y"),
]


def names(rule):
    return "-".join([rule.name, *map(str, rule.options.values())])


def operator_of(game, rule, step):
    split = len(game.players[0])
    matrix = operator(rule, game.jacobian, split).subs(eta, sp.Rational(str(step)))
    return np.array(matrix.evalf(30), dtype=float)


@pytest.mark.parametrize("rule", RULES, ids=names)
@pytest.mark.parametrize("game", LINEAR, ids=lambda g: g.name)
def test_trajectories_of_linear_games_are_the_powers_of_the_operator(game, rule):
    n, split, step, steps = len(game.variables), len(game.players[0]), "0.13", 60
    start = np.random.default_rng(3).normal(size=n)
    run = trajectories(game, rule, start, float(step), steps)
    matrix = operator_of(game, rule, step)
    field = LinearField(game.jacobian, split)
    x, y = sp.Matrix(start[:split]), sp.Matrix(start[split:])
    state = np.concatenate([np.array(p, dtype=float).ravel() for p in rule.initial(field, x, y)])
    for k in range(steps + 1):
        scale = max(1.0, np.abs(state).max())
        assert np.abs(run.points[k, 0] - state[:n]).max() <= 1e-12 * scale
        state = matrix @ state
    assert split < n


def test_a_planted_error_in_the_operator_is_seen_by_the_powers():
    start = np.array([0.3, -0.8])
    run = trajectories(bilinear(), rules.alternating(), start, 0.13, 60)
    wrong = operator_of(bilinear(), rules.simultaneous(), "0.13")
    assert np.abs(np.linalg.matrix_power(wrong, 60) @ start - run.points[60, 0]).max() > 1e-2


RATED = {
    "simultaneous": (rules.simultaneous(), bilinear(), None),
    "proximal": (rules.proximal(), bilinear(), None),
    "alternating": (rules.alternating(), bilinear(), 2.0),
    "extragradient": (rules.extragradient(), bilinear(), 1.0),
    "optimistic": (rules.optimistic(), bilinear(), 3**-0.5),
    "consensus": (rules.simultaneous(), with_consensus(bilinear(), HALF), 0.8),
    "momentum": (rules.momentum(-HALF, 0), bilinear(), 2**0.5),
}


@pytest.mark.parametrize("name", RATED)
@given(fraction=st.floats(0.1, 1.5))
@example(fraction=0.9)
@example(fraction=1.1)
@settings(max_examples=10, deadline=None, derandomize=True)
def test_the_measured_rate_is_the_spectral_radius_on_both_sides_of_the_threshold(name, fraction):
    rule, game, threshold = RATED[name]
    step = round(fraction * (threshold or 1.0), 4)
    radius = np.abs(np.linalg.eigvals(operator_of(game, rule, step))).max()
    assume(threshold is None or abs(fraction - 1) > 1e-3)
    starts = np.random.default_rng(0).normal(size=(8, 2))
    steps = 600 if radius < 3 else 200  # 6.9^600 would leave the floating-point range
    found = measured_rate(trajectories(game, rule, starts, step, steps))
    assert found.status is Status.OK
    assert abs(found.value - radius) <= found.error
    assert found.error < 0.05 * radius
    if threshold is not None and name != "alternating" and abs(fraction - 1) > 0.05:
        assert (found.value < 1) == (fraction < 1)


def test_a_wrong_radius_lies_outside_the_measured_interval():
    starts = np.random.default_rng(0).normal(size=(8, 2))
    found = measured_rate(trajectories(bilinear(), rules.extragradient(), starts, 0.5, 600))
    assert abs(found.value - np.sqrt(1 - 0.25 + 0.0625)) <= found.error
    assert abs(found.value - np.sqrt(1 + 0.25)) > 100 * found.error
    assert abs(found.value - np.sqrt(1 - 0.25)) > 10 * found.error


@pytest.mark.parametrize("rule", RULES, ids=names)
@pytest.mark.parametrize("game", [dirac("non-saturating"), bilinear()], ids=lambda g: g.name)
def test_torch_and_numpy_follow_the_same_rule(game, rule):
    starts = np.random.default_rng(5).normal(size=(4, 2))
    left = trajectories(game, rule, starts, 0.2, 50).points
    right = trajectories(game, rule, torch.as_tensor(starts), 0.2, 50, library="torch").points
    assert isinstance(right, torch.Tensor)
    assert np.abs(left - right.numpy()).max() < 1e-12


@pytest.mark.parametrize("order", ["simultaneous", "alternating"])
@pytest.mark.parametrize("loss", ["minimax", "non-saturating"])
def test_torch_optimisers_on_the_losses_walk_the_same_path(loss, order):
    theta, psi = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.9, -0.4))
    players = [torch.optim.SGD([p], lr=0.2) for p in (theta, psi)]
    log_sigmoid = torch.nn.functional.logsigmoid

    def generator():
        return (1 if loss == "minimax" else -1) * log_sigmoid(
            (-1 if loss == "minimax" else 1) * psi * theta
        )

    def discriminator():
        return -log_sigmoid(0 * psi) - log_sigmoid(-psi * theta)

    path = [(theta.item(), psi.item())]
    for _ in range(40):
        for optimiser in players:
            optimiser.zero_grad()
        if order == "simultaneous":
            (theta.grad,) = torch.autograd.grad(generator(), theta)
            (psi.grad,) = torch.autograd.grad(discriminator(), psi)
            players[0].step()
        else:
            (theta.grad,) = torch.autograd.grad(generator(), theta)
            players[0].step()
            (psi.grad,) = torch.autograd.grad(discriminator(), psi)
        players[1].step()
        path.append((theta.item(), psi.item()))
    rule = make_method(order).update
    run = trajectories(dirac(loss), rule, [0.9, -0.4], 0.2, 40)
    assert np.abs(run.points[:, 0] - np.array(path)).max() < 1e-13


def test_step_sizes_may_differ_between_trajectories():
    steps = np.array([0.1, 0.7])
    together = trajectories(bilinear(), rules.extragradient(), np.ones((2, 2)), steps, 30)
    for k, step in enumerate(steps):
        alone = trajectories(bilinear(), rules.extragradient(), [1.0, 1.0], step, 30)
        assert (together.points[:, k] == alone.points[:, 0]).all()


def test_thinning_keeps_every_so_many_points_of_the_same_path():
    whole = trajectories(bilinear(), rules.optimistic(), [1.0, 0.2], 0.3, 30)
    thin = trajectories(bilinear(), rules.optimistic(), [1.0, 0.2], 0.3, 30, every=10)
    assert (thin.points == whole.points[::10]).all()
    assert thin.times.tolist() == [0, 10, 20, 30]


def test_the_non_saturating_flow_falls_like_eight_over_t():
    run = flow_trajectories(dirac("non-saturating"), [1.0, 1.0], [0, 1000, 2000])
    squares = run.radii()[:, 0] ** 2
    assert squares[2] == pytest.approx(8 / 2000, rel=0.01)
    assert squares[2] != pytest.approx(4 / 2000, rel=0.5)


def test_the_minimax_flow_keeps_its_circle():
    run = flow_trajectories(dirac("minimax"), [1.0, 1.0], np.linspace(0, 200, 50))
    assert np.abs(run.radii() ** 2 - 2).max() < 1e-6


def test_alternating_play_at_two_grows_linearly():
    run = trajectories(bilinear(), rules.alternating(), [1.0, 0.3], 2.0, 4000)
    radii = run.radii()[:, 0]
    assert radii[4000] / radii[2000] == pytest.approx(2, rel=1e-3)
    found = analyse(bilinear(), "alternating", "2").decision
    assert found.behaviour == "diverges"
    assert "power" in found.reason
    below = trajectories(bilinear(), rules.alternating(), [1.0, 0.3], 1.99, 4000).radii()
    assert below.max() < 20


def test_alternating_play_stays_on_its_ellipse():
    run = trajectories(bilinear(), rules.alternating(), [1.0, 0.3], 0.5, 5000)
    x, y = run.points[:, 0].T
    assert np.ptp(x**2 + y**2 - 0.5 * x * y) < 1e-11
    assert np.ptp(x**2 + y**2) > 0.1


def return_map(start, weight=0.7):
    """Where a trajectory of the penalised game next crosses psi = 0, by an independent solver."""

    def field(_, z):
        return [z[1], -z[0] - 2 * weight * (abs(z[1]) - 1) * np.sign(z[1])]

    def crossing(time, z):
        return z[1] if time > 1e-3 else 1.0

    crossing.terminal = True
    run = solve_ivp(field, (0, 50), [-start, 1e-9], events=crossing, rtol=1e-9, atol=1e-12)
    return run.y_events[0][0][0]


def test_the_gradient_penalty_leads_to_a_limit_cycle_and_is_not_called_convergent():
    game = dirac(WGAN, gradient_penalty=sp.Rational(7, 10))
    found = decide_by_orbits(analyse(game, "flow", "0.1"))
    assert found.behaviour == "limit cycle"
    assert found.how is How.MEASURED
    assert return_map(0.2) > 0.2
    assert return_map(3.0) < 3.0
    low, high = 0.2, 3.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if return_map(middle) > middle else (low, middle)
    run = trajectories(game, rules.midpoint(), [0.5, 0.5], 0.01, 20000)
    theta, psi = run.points[10000:, 0].T
    crossings = np.abs(theta[1:][np.diff(np.sign(psi)) != 0])
    assert crossings.mean() == pytest.approx(low, rel=0.02)


@pytest.mark.parametrize("method", ["simultaneous", "alternating"])
def test_discrete_gradient_penalty_cycles_too(method):
    game = dirac(WGAN, gradient_penalty=sp.Rational(7, 10))
    assert decide_by_orbits(analyse(game, method, "0.2")).behaviour == "limit cycle"


def test_orbits_that_rest_elsewhere_are_not_taken_for_a_cycle():
    game = dirac("minimax", gradient_penalty=sp.Rational(7, 10))
    found = decide_by_orbits(analyse(game, "alternating", "0.2"))
    assert found.behaviour != "limit cycle"
    assert "come to rest, as at (2.8, " in found.reason


def test_clipped_wasserstein_play_never_converges():
    method = make_method("alternating", clip=1)
    found = decide_by_orbits(analyse(dirac(WGAN), method, "0.1"))
    assert found.behaviour in {"bounded orbit", "limit cycle", "undecided"}
    run = trajectories(dirac(WGAN), method.update, [2.0, 0.5], 0.1, 5000)
    assert np.abs(run.points[:, 0, 1]).max() <= 1
    assert run.radii()[-500:].max() > 0.5


@pytest.mark.parametrize(
    ("loss", "method", "behaviour"),
    [
        ("minimax", "alternating", "bounded orbit"),
        ("non-saturating", "alternating", "converges"),
        ("non-saturating", "simultaneous", "limit cycle"),
    ],
)
def test_orbits_are_named_by_what_they_do(loss, method, behaviour):
    found = decide_by_orbits(analyse(dirac(loss), method, "0.1"))
    assert (found.behaviour, found.how) == (behaviour, How.MEASURED)


def test_the_cycle_of_the_simultaneous_non_saturating_game_has_the_averaged_radius():
    # Averaging: r^2 grows by step^2 r^2 / 4 and falls by step r^4 / 8 a step, so r^2 = 2 step.
    seen = follow_orbits(dirac("non-saturating"), rules.simultaneous(), 0.1, np.zeros(2))
    assert seen.sizes[-1].max() == pytest.approx(np.sqrt(2 * 0.1), rel=0.02)


@pytest.mark.parametrize("game", [linear_quadratic(), gaussian()], ids=lambda g: g.name)
def test_games_with_noise_converge_at_the_rate_of_their_spectrum(game):
    center = np.array([float(game.candidates[0][v]) for v in game.variables])
    start = center + 1e-4 * np.random.default_rng(1).normal(size=(4, len(center)))
    found = measured_rate(trajectories(game, rules.simultaneous(), start, 0.2, 250), center)
    jacobian = game.jacobian_at(game.candidates[0])
    matrix = operator(rules.simultaneous(), jacobian, len(game.players[0]))
    radius = np.abs(np.linalg.eigvals(np.array(matrix.subs(eta, 0.2), dtype=float))).max()
    assert abs(found.value - radius) <= found.error
    assert found.error < 0.02


def test_a_map_of_radii_agrees_with_single_radii():
    gamma = sp.Symbol("gamma", positive=True)
    matrix = operator(rules.simultaneous(), dirac("minimax", r1=gamma).jacobian, 1)
    matrix = matrix.subs(dict.fromkeys(dirac("minimax").variables, 0))
    found = spectral_map(matrix, gamma, [0.1, 0.5], [0.3, 1.0, 2.0])
    single = np.array(matrix.subs({eta: 0.5, gamma: 2.0}), dtype=float)
    assert found.shape == (3, 2)
    assert found[2, 1] == pytest.approx(np.abs(np.linalg.eigvals(single)).max(), abs=1e-12)


@pytest.mark.parametrize(
    ("step", "steps", "every"), [(0, 5, 1), (-0.1, 5, 1), (0.1, -1, 1), (0.1, 5, 0)]
)
def test_sizes_that_make_no_sense_are_refused(step, steps, every):
    with pytest.raises(GantheoryError, match="must be positive"):
        trajectories(bilinear(), rules.simultaneous(), [1.0, 0.0], step, steps, every=every)


def test_free_parameters_are_named_before_any_work():
    game = dirac("minimax", r1=sp.Symbol("gamma", positive=True))
    with pytest.raises(GantheoryError, match="gamma"):
        trajectories(game, rules.simultaneous(), [1.0, 0.0], 0.1, 3)


def test_orbits_that_leap_to_a_cycle_in_one_step_are_on_a_cycle():
    """What counts is where they began, well inside, and not where the first step put them."""
    turn = 2.4 * np.arange(400.0)[:, None] + np.array([0.0, 1.0])
    points = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    points[0] *= 0.01
    free = np.full(2, np.inf)
    seen = Watched(points, np.zeros(2), (-free, free), lambda point: None, updates=True)
    assert seen.decide().behaviour is Behaviour.CYCLE
