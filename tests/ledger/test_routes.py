"""The second route agrees with the engines, and refutes what they refute."""

import random

import numpy as np
import pytest

from gantheory.ledger.statements.deciding import all_entries, choose, decide_entry
from gantheory.ledger.statements.floats import NoRoute, grid, read, value
from gantheory.ledger.statements.kinds import Derived, Formula, Inequality, Integral, OnLaws
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


def sample(checks, count):
    return random.Random(7).sample(checks, count)


def test_no_check_of_the_ledger_is_contradicted_by_its_second_route():
    found = [(check, again(check)) for check in sample(TRUE, 70)]
    answers = [(str(check), verdict.counterexample) for check, verdict in found if verdict]
    assert [told for told in answers if told[1]] == []
    assert len(answers) >= 30


def test_what_the_ledger_refutes_is_not_affirmed_by_a_second_route():
    found = [(str(check), again(check)) for check in FALSE]
    assert [told for told, verdict in found if verdict and verdict.holds] == []
    assert sum(verdict is not None for _, verdict in found) >= 25


def test_planted_errors_are_refuted_by_the_second_route_too():
    kinds = (Formula, Derived, Inequality, Integral, OnLaws)
    checks = [c for c in TRUE if isinstance(c, kinds) and not isinstance(c, Inequality)]
    plants = [wrong for check in sample(checks, 60) for _, wrong in check.plants()]
    found = [again(wrong) for wrong in sample(plants, 45)]
    assert not any(verdict and verdict.holds for verdict in found)
    assert sum(verdict is not None for verdict in found) >= 25


@pytest.mark.parametrize(
    ("check", "holds"),
    [
        (Inequality("jsd <= log(2)*tv"), True),
        (Inequality("jsd <= 0.9*log(2)*tv"), False),
        (OnLaws("kl_pq > jsd", ("1/2", "1/2"), ("1/3", "2/3")), True),
        (OnLaws("kl_pq > jsd", ("1/2", "1/2"), ("0", "1")), None),
        (Integral("kl_pq", "normal(0, 1)", "normal(2, 1)", "is", "2.000"), True),
        (Integral("kl_pq", "normal(0, 1)", "normal(2, 1)", "is", "2.002"), False),
        (Integral("kl_pq", "normal(0, 1)", "normal(2, 1)", "is", "2.000", wrt="q.loc"), True),
        (Integral("kl_pq", "laplace(0, 1)", "normal(2, 1)", "is", "2"), None),
        (Formula("diff(x**3, x) == 3*x**2"), True),
        (Formula("diff(diff(x**4, x), x) == 12*x**2"), True),
        (Formula("diff(x**3, x) == 3*x**2 + 1"), False),
        (Formula("limit(1/x, x, oo) == 0"), None),
        (Formula("x < x"), None),
        (Derived(Loss("m", "-relu(1 - t)", "-relu(1 + t)", "-t"), "followed", "2*tv"), True),
        (Derived(Loss("m", "-relu(1 - t)", "-relu(1 + t)", "-t"), "followed", "tv"), False),
        (Derived(Loss("m", "-(t - 1)**2", "-t**2", "t"), "optimal_discriminator", "r/(1 + r)"),
         True),
    ],
)  # fmt: skip
def test_each_kind_has_its_route_or_none(check, holds):
    found = again(check)
    assert (found and found.holds) is holds, found


@pytest.mark.parametrize("seed", range(5))
def test_values_are_those_of_numpy(seed):
    draw = random.Random(seed)
    x, y = draw.uniform(0.1, 3), draw.uniform(-3, 3)
    text = "log(x)*exp(-y) + max(x, y)/sqrt(x) + sigmoid(y) - softplus(-y) + relu(y)*tanh(x)**2"
    expected = (np.log(x) * np.exp(-y) + max(x, y) / np.sqrt(x) + 1 / (1 + np.exp(-y))
                - np.log1p(np.exp(-y)) + max(y, 0) * np.tanh(x) ** 2)  # fmt: skip
    assert value(read(text), {"x": x, "y": y}) == pytest.approx(expected, rel=1e-12)
    for point in grid({"a": (0, 1), "b": (-np.inf, 2), "c": (1, np.inf), "d": (-np.inf, np.inf)}):
        assert 0 < point["a"] < 1
        assert point["b"] < 2
        assert point["c"] > 1


def test_what_has_no_value_in_floating_point_says_so():
    for text in ("log(-x)", "limit(x, x, 0)", "1/(x - x)", "unknown + 1", "sqrt(-x)"):
        with pytest.raises(NoRoute):
            value(read(text), {"x": 1.0})


def test_the_audit_trail_tells_the_steps_and_the_second_route():
    (entry,) = choose(["003-83"])
    told = "\n".join(explained(decide_entry(entry)))
    assert "derived in steps: The game (proved)" in told
    assert "again, by a route of its own: ✕ refuted" in told
    assert "again, by a route of its own: ● measured" in told
