"""Payoffs with kinks under a penalty: a convex solver, closed forms, and what stays unanswered."""

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
import scipy.special
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import brentq, linprog

import gantheory as gt
from gantheory.records import Status
from gantheory.regularised import kinks

NORMAL = "normal(0, 1)"


def solved(loss, p, q, regulariser="r1(1)"):
    return gt.optimal_discriminator(loss, p, q, regulariser=regulariser)


def by_convex_program(place, regulariser, size, payoffs, ends=(-7, 8), count=81):
    """The largest objective of piecewise linear scores, by cvxpy: from below."""
    cp = pytest.importorskip("cvxpy")
    x = np.linspace(*ends, count)
    step = x[1] - x[0]
    nodes, weights = np.polynomial.legendre.leggauss(4)
    at = ((x[:-1] + x[1:]) / 2)[:, None] + step / 2 * nodes
    weights = step / 2 * weights
    laws = [np.exp(-((at - m) ** 2) / 2) / np.sqrt(2 * np.pi) * weights for m in (0, place)]
    score = cp.Variable(count)
    slope, total = cp.diff(score) / step, 0
    for j, z in enumerate(nodes):
        t = score[:-1] * ((1 - z) / 2) + score[1:] * ((1 + z) / 2)
        total += sum(law[:, j] @ payoff(cp, t) for law, payoff in zip(laws, payoffs, strict=True))
    held = [cp.abs(slope) <= size] if regulariser == "slope" else []
    if regulariser == "r1":
        total -= size / 2 * cp.sum(cp.multiply(laws[0].sum(1), slope**2))
    if regulariser == "one_sided":
        share, w = np.polynomial.legendre.leggauss(40)
        share, w = (1 + share) / 2, w / 2
        s = np.hypot(share, 1 - share)
        z = (at[..., None] - (1 - share) * place) / s
        between = (np.exp(-(z**2) / 2) / s @ w / np.sqrt(2 * np.pi) * weights).sum(1)
        total -= size * cp.sum(cp.multiply(between, cp.square(cp.pos(cp.abs(slope) - 1))))
    return cp.Problem(cp.Maximize(total), held).solve(solver=cp.CLARABEL)


HINGE = (lambda cp, t: -cp.pos(1 - t), lambda cp, t: -cp.pos(1 + t))
MINIMAX = (lambda cp, t: -cp.logistic(-t), lambda cp, t: -cp.logistic(t))
LINEAR = (lambda cp, t: t, lambda cp, t: -t)


@pytest.mark.parametrize(
    ("loss", "payoffs", "regulariser", "size", "near"),
    [
        ("hinge", HINGE, "r1", 1, 2e-3),
        ("hinge", HINGE, "slope", 0.2, 1e-5),
        ("minimax", MINIMAX, "slope", 0.5, 1e-3),
        ("minimax", MINIMAX, "one_sided", 1, 2e-3),
        ("wgan", LINEAR, "gp", 10, 1e-3),
    ],
)  # fmt: skip
def test_a_convex_solver_comes_near_from_below(loss, payoffs, regulariser, size, near):
    found = solved(loss, NORMAL, "normal(2, 1)", f"{regulariser}({size})").objective
    kind = "one_sided" if regulariser == "gp" else regulariser
    other = by_convex_program(2, kind, size, payoffs, ends=(-6, 8))
    assert found.status is Status.OK
    assert other - 1e-6 <= found.value + found.error <= other + near


def test_a_gradient_penalty_takes_payoffs_with_kinks(monkeypatch):
    monkeypatch.setattr(kinks, "WIDTHS", kinks.WIDTHS[:14])  # the whole path takes seconds
    found = solved("hinge", NORMAL, "normal(2, 1)", "one_sided(1)").objective
    other = by_convex_program(2, "one_sided", 1, HINGE, ends=(-6, 8))
    assert other - 1e-6 <= found.value + found.error <= other + 2e-3


def test_a_hinge_that_no_score_reaches_is_linear():
    """Much penalty keeps abs(t) below 1: it gains 1/(2g) times the integral of (F_p - F_q)^2/w."""
    x = np.linspace(-12, 14, 40001)
    gap = scipy.special.ndtr(x) - scipy.special.ndtr(x - 2)
    gap = np.where(x > 1, scipy.special.ndtr(2 - x) - scipy.special.ndtr(-x), gap)
    w = (np.exp(-(x**2) / 2) + np.exp(-((x - 2) ** 2) / 2)) / np.sqrt(2 * np.pi)
    truth = -2 + np.trapezoid(gap**2 / w, x) / 20
    found = solved("hinge", NORMAL, "normal(2, 1)", "both(10)")
    assert found.objective.value == pytest.approx(truth, abs=1e-9)


def test_two_ways_to_write_a_kink_have_one_optimum():
    cased = gt.Loss("cased", "where(t > 1, 1, t)", "-relu(1 + t)", "-t")
    one, other = (solved(loss, NORMAL, "normal(1, 1)") for loss in (cased, "hinge"))
    assert one.objective.value == pytest.approx(other.objective.value + 1, abs=1e-11)
    assert abs(one.score(2.5).value + 1) < 1e-6  # it stays at the kink


def test_a_score_rests_on_the_ends_of_its_domain():
    """t on [-1/2, 1/2] with linear payoffs is hinge's problem in half of the score, less 2."""
    half = solved("f-gan-tv", NORMAL, "normal(1, 1)", "r1(4)").objective.value
    whole = solved("hinge", NORMAL, "normal(1, 1)", "r1(2)").objective.value
    assert half == pytest.approx((whole + 2) / 2, abs=3e-9)


def test_a_bounded_linear_score_of_bounded_slope_is_a_linear_program():
    x = np.linspace(-7, 9, 801)
    h, weights = x[1] - x[0], np.zeros(801)
    nodes, shares = np.polynomial.legendre.leggauss(5)
    for z, w in zip(nodes, shares, strict=True):
        at = (x[:-1] + x[1:] + h * z) / 2
        mass = h / 2 * w * (stats.norm.pdf(at) - stats.norm.pdf(at, 2))
        weights[:-1] += mass * (1 - z) / 2
        weights[1:] += mass * (1 + z) / 2
    steps = scipy.sparse.diags([-1.0, 1.0], [0, 1], shape=(800, 801))
    told = linprog(
        -weights, scipy.sparse.vstack([steps, -steps]), np.full(1600, 0.3 * h), bounds=(0, 1)
    )
    found = solved("linear", NORMAL, "normal(2, 1)", "slope(0.3)").objective
    assert found.error < 1e-6
    assert -told.fun <= found.value + found.error <= -told.fun + 2e-5


def test_the_held_gradient_is_known_where_one_law_is_faint():
    """D rests on the kink where it recognises fakes: there -t pulls no more than -relu(1 + t)."""
    held = gt.Loss("held", "-relu(1 - t)", "-relu(1 + t)", "-relu(1 + t)")
    best = solved("hinge", NORMAL, "normal(5, 1)")
    found, other = best.gradient(), replace(best, loss=held).gradient()
    assert abs(found.value - other.value) < found.error + other.error < 1e-3
    assert other.value == pytest.approx(0.072842, abs=3e-6)  # by differences of V - penalty


@pytest.mark.parametrize(
    ("loss", "regulariser", "says"),
    [
        (gt.Loss("stairs", "sign(t)", "-t**2", "-t"), "r1(1)", "jumps at the score 0"),
        (gt.Loss("bent", "abs(t)", "-t**2", "-t"), "r1(1)", "not concave at the score 0"),
    ],
)
def test_what_kinks_cannot_have_is_said(loss, regulariser, says):
    try:
        said = solved(loss, NORMAL, "normal(1, 1)", regulariser).reason
    except gt.GantheoryError as error:
        said = str(error)
    assert says in said


def between_rests(gamma):
    """The hinge's score of normal(0, 1) and laplace(1, 1) under R1, by its free boundaries.

    It rests on -1, rises to 1, rests, and falls to -1 again; where it moves γ·p·t' = G(c) - G(x),
    G = F_p - F_q, which is 0 at both ends c of a piece, and each piece goes up or down by 2.
    """

    def p(x):
        return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)

    def q(x):
        return math.exp(-abs(x - 1)) / 2

    def gap(x):
        side = 1 if x < 1 else -1
        return side * (math.erfc(-side * x / math.sqrt(2)) / 2 - q(x))

    crossings = [brentq(lambda x: p(x) - q(x), *ends) for ends in ((-5, 0), (0.5, 4))]
    zero = brentq(gap, -2.5, 0)
    total, slope_of_q = 0.0, 0.0
    for turn, way in zip(crossings, (-1, 1), strict=True):

        def other(c, turn=turn, way=way):  # on the outer side of where p = q
            return brentq(lambda x: gap(x) - gap(c), turn + way * 1e-9, turn + way * 12)

        def slope(x, c):
            return (gap(c) - gap(x)) / (gamma * p(x))

        def integral(f, c):
            ends = sorted([c, other(c)])
            return quad(f, *ends, points=[1.0] if ends[0] < 1 < ends[1] else None, epsabs=1e-11)[0]

        inner = turn - way * 0.05, zero + way * 1e-3
        c = brentq(lambda c: integral(lambda x: slope(x, c), c) + 2 * way, *inner)  # noqa: B023
        total += integral(lambda x: gamma * p(x) * slope(x, c) ** 2 / 2, c)  # noqa: B023
        slope_of_q += integral(lambda x: q(x) * slope(x, c), c)  # noqa: B023
    return total, -slope_of_q


def test_a_tail_of_fakes_heavier_than_the_weight_is_solved():
    best = solved("hinge", "normal(0, 1)", "laplace(1, 1)", "r1(1)")
    found = best.penalty, best.gradient()
    for one, held in zip(found, between_rests(1), strict=True):
        assert abs(one.value - held) < one.error < 2e-4
