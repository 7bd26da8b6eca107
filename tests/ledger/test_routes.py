"""The second route agrees with the engines, and refutes what they refute."""

import random
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from gantheory.dynamics.text import read_game
from gantheory.ledger.statements import code, drawn, played
from gantheory.ledger.statements.deciding import all_entries, choose, decide_entry
from gantheory.ledger.statements.floats import PRECISE, NoRoute, float_value, grid_in, mp, read
from gantheory.ledger.statements.games import Play
from gantheory.ledger.statements.kinds import (
    Code,
    Derived,
    Formula,
    Inequality,
    Integral,
    Known,
    OnLaws,
)
from gantheory.ledger.statements.routes import again
from gantheory.losses.loss import Loss
from gantheory.report.statements import explained

QUICK = [entry for entry in all_entries() if not entry.slow]
TRUE = [
    check
    for entry in QUICK
    for check in entry.tests
    if entry.verdict != "refuted" or check not in entry.checks
]
FALSE = [check for entry in QUICK if entry.verdict == "refuted" for check in entry.checks]


MINE = Loss("mine", "log(D)", "log(1 - D)", "log(1 - D)")


def sample(checks, count):
    return random.Random(7).sample(checks, count)


def test_no_check_of_the_ledger_is_contradicted_by_its_second_route():
    found = [(check, again(check)) for check in sample(TRUE, 24)]
    answers = [(str(check), verdict.counterexample) for check, verdict in found if verdict]
    assert [told for told in answers if told[1]] == []
    assert len(answers) >= 22


def test_every_check_by_code_has_a_second_route_but_facts_of_one_run():
    without = set(code.FUNCTIONS) - set(drawn.ROUTES)
    assert without == {"trace_updates", "trace_runs", "train_dcgan"}


def test_what_the_ledger_refutes_is_not_affirmed_by_a_second_route():
    found = [(str(check), again(check)) for check in sample(FALSE, 20)]
    assert [told for told, verdict in found if verdict and verdict.holds] == []
    assert sum(verdict is not None for _, verdict in found) >= 18


def test_planted_errors_are_refuted_by_the_second_route_too():
    kinds = (Formula, Derived, Integral, OnLaws, Play, Known, Code)
    plants = [
        wrong for check in sample([c for c in TRUE if isinstance(c, kinds)], 60)
        for _, wrong in check.plants()
    ]  # fmt: skip
    found = [(str(wrong), again(wrong)) for wrong in sample(plants, 20)]
    assert [told for told, verdict in found if verdict and verdict.holds] == []
    assert sum(verdict is not None for _, verdict in found) >= 18


@pytest.mark.parametrize(
    ("check", "holds"),
    [
        (Inequality("jsd <= log(2)*tv"), True),
        (Inequality("jsd <= 0.9*log(2)*tv"), False),
        (OnLaws("kl_pq > jsd", ("1/2", "1/2"), ("1/3", "2/3")), True),
        (OnLaws("kl_pq > jsd", ("1/2", "1/2"), ("0", "1")), True),
        (OnLaws("jsd > 0.7", ("1", "0"), ("0", "1")), False),
        (OnLaws("kl_qp < 0.7", ("1/2", "1/2"), ("0", "1")), True),
        (Integral("kl_pq", "normal(0, 1)", "normal(2, 1)", "is", "2.000"), True),
        (Integral("kl_pq", "normal(0, 1)", "normal(2, 1)", "is", "2.002"), False),
        (Integral("kl_pq", "normal(0, 1)", "normal(2, 1)", "is", "2.000", wrt="q.loc"), True),
        (Integral("kl_pq", "laplace(0, 1)", "normal(2, 1)", "is", "2.226"), True),
        (Integral("kl_pq", "gamma(2, 1)", "normal(2, 1)", "is", "2"), None),
        (Integral("w1", "normal(0, 1)", "normal(3, 1)", "is", "3.000", wrt="q.loc"), False),
        (Integral("tv", "uniform(0, 1)", "uniform(2, 3)", "is", "1.0"), True),
        (Formula("diff(x**3, x) == 3*x**2"), True),
        (Formula("diff(diff(x**4, x), x) == 12*x**2"), True),
        (Formula("diff(x**3, x) == 3*x**2 + 1"), False),
        (Formula("limit(1/x, x, oo) == 0"), True),
        (Formula("limit(log(x), x, 0) == -oo"), True),
        (Formula("limit(x*log(x), x, 0) == 1"), False),
        (Formula("1 - exp(-9/2) < 0.9889"), True),
        (Formula("x < x + 1/10**9"), None),
        (Formula("exp(-381) < exp(-228)"), None),
        (Formula("x < x"), False),
        (Derived(Loss("m", "-relu(1 - t)", "-relu(1 + t)", "-t"), "followed", "2*tv"), True),
        (Derived(Loss("m", "-relu(1 - t)", "-relu(1 + t)", "-t"), "followed", "tv"), False),
        (Derived(Loss("m", "-(t - 1)**2", "-t**2", "t"), "optimal_discriminator", "r/(1 + r)"),
         True),
        (Derived(MINE, "disjoint", "2*log(2)"), True),
        (Derived(MINE, "disjoint", "log(2)"), False),
        (Derived(MINE, "followed", "no divergence"), False),
        (Derived(MINE, "loss", "no divergence"), False),
        (Derived(MINE, "law", "is-divergence"), True),
        (Derived(replace(MINE, generator="log(D)"), "law", "is-divergence"), False),
        (Derived(MINE, "law", "vanishing"), True),
        (Derived(MINE, "law", "not-vanishing"), False),
        (Derived(MINE, "law", "second-order"), True),
        (Derived(MINE, "value", "2*jsd - 2*log(2)"), True),
        (Derived(MINE, "value", "2*jsd - log(2)"), False),
        (Derived(MINE, "loss", "kl_qm - log(2)"), True),
        (Derived(MINE, "loss", "kl_pm - log(2)"), False),
        (Derived(MINE, "followed", "2*jsd"), True),
        (Derived(MINE, "followed", "jsd"), False),
        (Derived(MINE, "zero_sum", "true"), True),
        (Derived(replace(MINE, generator="-log(D)"), "zero_sum", "true"), False),
        (Known("sobolev.value"), True),
        (Known("wasserstein.value-twin"), False),
        (Known("f-gan-jeffreys.slope"), True),
        (Known("f-gan-jeffreys.slope-twin"), False),
    ],
)  # fmt: skip
def test_each_kind_has_its_route_or_none(check, holds):
    found = again(check)
    assert (found and found.holds) is holds, found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("method", ["simultaneous", "alternating", "extragradient", "proximal"])
def test_a_linear_game_fares_as_its_spectrum_says(seed, method):
    """min over x, max over y of a xy + b x²/2 - c y²/2, against eigenvalues of the update."""
    draw = random.Random(f"{method}{seed}")
    spans = ((0.3, 2), (-0.3, 1), (-0.3, 1), (0.1, 1))
    a, b, c, h = (round(draw.uniform(*span), 2) for span in spans)
    one, v = np.eye(2), np.array([[-b, -a], [a, -c]])
    x, y = one + h * np.array([v[0], [0, 0]]), one + h * np.array([[0, 0], v[1]])
    update = {
        "simultaneous": one + h * v, "alternating": y @ x,
        "extragradient": one + h * v @ (one + h * v), "proximal": np.linalg.inv(one - h * v),
    }[method]  # fmt: skip
    radius = max(abs(np.linalg.eigvals(update)))
    if abs(radius - 1) > 1e-3:
        arena = played.PlayedGame(read_game(f"{a}*x*y + ({b})*x**2/2 - ({c})*y**2/2", "x", "y"))
        expected = "converges" if radius < 1 else "diverges"
        assert played.behaviour(arena, method, h, {}) == expected


@pytest.mark.parametrize("seed", range(5))
def test_derivatives_and_limits_of_many_digits_are_those_of_sympy(seed):
    draw = random.Random(seed)
    a, b, k = draw.randint(1, 5), draw.randint(1, 5), draw.randint(1, 4)
    x = sp.Symbol("x")
    text = f"log({a} + x**{k})/({b} + sqrt(x)) + exp(-{b}*x)*x**{k}"
    expected = sp.diff(sp.sympify(text), x, 2).subs(x, sp.Rational(2, 3)).evalf(30)
    found = float_value(read(f"diff(diff({text}, x), x)"), {"x": mp.mpf(2) / 3}, PRECISE)
    assert abs(found - mp.mpf(str(expected))) < 1e-20
    for ratio, limit in ((f"({a}*x + 1)/({b}*x + 2)", sp.Rational(a, b)), (f"x**{k}/exp(x)", 0)):
        found = float_value(read(f"limit({ratio}, x, oo)"), {"x": mp.mpf(1)}, PRECISE)
        assert abs(found - mp.mpf(str(sp.Float(limit, 30)))) < 1e-15


@pytest.mark.parametrize("seed", range(5))
def test_values_are_those_of_numpy(seed):
    draw = random.Random(seed)
    x, y = draw.uniform(0.1, 3), draw.uniform(-3, 3)
    text = "log(x)*exp(-y) + max(x, y)/sqrt(x) + sigmoid(y) - softplus(-y) + relu(y)*tanh(x)**2"
    expected = (np.log(x) * np.exp(-y) + max(x, y) / np.sqrt(x) + 1 / (1 + np.exp(-y))
                - np.log1p(np.exp(-y)) + max(y, 0) * np.tanh(x) ** 2)  # fmt: skip
    assert float_value(read(text), {"x": x, "y": y}) == pytest.approx(expected, rel=1e-12)
    for point in grid_in(
        {"a": (0, 1), "b": (-np.inf, 2), "c": (1, np.inf), "d": (-np.inf, np.inf)}
    ):
        assert 0 < point["a"] < 1
        assert point["b"] < 2
        assert point["c"] > 1


def test_what_has_no_value_in_floating_point_says_so():
    for text in ("log(-x)", "limit(x, x, 0)", "1/(x - x)", "unknown + 1", "sqrt(-x)"):
        with pytest.raises(NoRoute):
            float_value(read(text), {"x": 1.0})


def test_the_audit_trail_tells_the_steps_and_the_second_route():
    (entry,) = choose(["003-83"])
    told = "\n".join(explained(decide_entry(entry)))
    assert "derived in steps: The game (proved)" in told
    assert "again, by a route of its own: ✕ refuted" in told
    assert "again, by a route of its own: ● measured" in told
