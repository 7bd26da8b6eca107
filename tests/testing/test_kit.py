"""The kit's laws notice a violation just beyond the stated errors, and allow one just within."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import quad

import gantheory
from gantheory import testing
from gantheory.densities.base import Domain
from gantheory.divergences import named
from gantheory.errors import GantheoryError
from gantheory.records import Estimate
from gantheory.testing import laws, oracles, strategies

P, Q = (gantheory.density(text) for text in ("normal(0, 1)", "normal(1, 2)"))
STATED = 1e-10
POINTS, SCORES = [-1.0, 0.5, 2.0], [1.0, 0.25, -0.5, -1.5]
COARSE = testing.on_cells(named("jsd"), testing.masses(P, POINTS), testing.masses(Q, POINTS))
REACHED = sum(
    p * -math.log1p(math.exp(-t)) + q * -math.log1p(math.exp(t))
    for p, q, t in zip(testing.masses(P, POINTS), testing.masses(Q, POINTS), SCORES, strict=True)
)


def estimates(monkeypatch, value, exchanged=None):
    """Let the engine answer ``value`` for every pair; ``exchanged`` where the first law is Q."""

    def answer(name, p, q):
        return Estimate(value if exchanged is None or p is P else exchanged, STATED)

    monkeypatch.setattr(laws, "divergence", answer)


def off(monkeypatch, law, by):
    """Call a law while the engine is ``by`` on the wrong side of it."""
    match law:
        case "not negative":
            estimates(monkeypatch, -by)
            testing.assert_not_negative("jsd", P, Q)
        case "zero for equal laws":
            estimates(monkeypatch, by)
            testing.assert_zero_iff_equal("jsd", P, P)
        case "symmetric":  # both answers carry the stated error
            estimates(monkeypatch, 0.5 - by, 0.5 + by)
            testing.assert_symmetric("jsd", P, Q)
        case "at most":
            estimates(monkeypatch, 0.5 + by)
            testing.assert_at_most("jsd", P, Q, 0.5)
        case "invariant":
            estimates(monkeypatch, 0.5 - by, 0.5 + by)
            testing.assert_invariant("jsd", P, Q, lambda law: Q)
        case "data processing":
            estimates(monkeypatch, COARSE.value - by)
            testing.assert_data_processing("jsd", P, Q, POINTS)
        case "no discriminator wins":
            estimates(monkeypatch, REACHED + math.log(4) - by)
            testing.assert_discriminator_cannot_win("minimax", P, Q, POINTS, SCORES)


LAWS = ["not negative", "zero for equal laws", "symmetric", "at most", "invariant",
        "data processing", "no discriminator wins"]  # fmt: skip


@pytest.mark.parametrize("law", LAWS)
def test_a_law_allows_what_the_stated_error_allows(monkeypatch, law):
    off(monkeypatch, law, 0.9 * STATED)


@pytest.mark.parametrize("law", LAWS)
def test_a_law_refuses_what_the_stated_error_does_not_allow(monkeypatch, law):
    with pytest.raises(AssertionError):
        off(monkeypatch, law, 1.1 * STATED)


@pytest.mark.parametrize("size", [1, -1])
def test_a_torch_loss_may_be_off_by_its_tolerance_and_no_more(size):
    import torch

    def loss(error):
        return lambda t: (torch.nn.functional.softplus(-t) * (1 + size * error)).mean()

    testing.assert_loss_matches_theory(loss(0.9e-6), "non-saturating", tolerance=1e-6)
    with pytest.raises(AssertionError):
        testing.assert_loss_matches_theory(loss(1.1e-6), "non-saturating", tolerance=1e-6)
    with pytest.raises(AssertionError):
        testing.assert_loss_matches_theory(loss(3e-8), "non-saturating")


def test_a_part_that_no_game_has_is_refused():
    with pytest.raises(GantheoryError, match="'generator' or 'discriminator'"):
        testing.assert_loss_matches_theory(lambda t: t, "minimax", part="critic")


def test_the_oracle_of_a_formula_knows_every_function_as_the_standard_library_does():
    plain = {"log": math.log, "exp": math.exp, "sqrt": math.sqrt, "abs": abs, "tanh": math.tanh,
             "atan": math.atan, "relu": lambda x: max(x, 0.0), "max": max, "min": min,
             "softplus": lambda x: math.log(1 + math.exp(x)),
             "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
             "sin": math.sin, "cos": math.cos, "erf": math.erf, "log1p": math.log1p,
             "expm1": math.expm1, "sign": lambda x: math.copysign(1, x),
             "clamp": lambda x, low, high: max(low, min(x, high)),
             "logsumexp": lambda x, y: math.log(math.exp(x) + math.exp(y)),
             "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
             "huber": lambda x, d: x * x / 2 if abs(x) <= d else d * (abs(x) - d / 2)}  # fmt: skip
    others = {"max": (0.5,), "min": (0.5,), "logsumexp": (0.5,), "leaky_relu": (0.25,),
              "huber": (0.5,), "clamp": (-1.0, 1.0)}  # fmt: skip
    means = {"fermi_dirac", "logistic_normal", "logistic_exponential", "logistic_logistic"}
    assert {*plain, *means} == set(oracles.FUNCTIONS)
    for name, function in plain.items():
        more = others.get(name, ())
        for t in (0.3, 1.7, *(() if name in ("log", "sqrt", "log1p") else (-2.1,))):
            found = oracles.payoff(f"{name}({', '.join(['t', *map(str, more)])})", t)
            assert float(found) == pytest.approx(function(t, *more), rel=1e-14)


def test_the_oracle_knows_means_of_softplus_as_quadrature_does():
    def mean(u, s, k):
        softplus = (lambda x: np.logaddexp(0, x), lambda x: 1 / (1 + np.exp(-x)))[k]
        return (
            quad(lambda z: softplus(u + s * z) * np.exp(-z * z / 2), -12, 12)[0]
            / (2 * math.pi) ** 0.5
        )

    for u in (-3.3, 0.4, 5.0):
        below = quad(lambda x: np.logaddexp(0, x), -60, u, limit=200)[0]
        assert float(oracles.payoff("fermi_dirac(1, t)", u)) == pytest.approx(below, rel=1e-12)
        for k in (0, 1):
            found = oracles.payoff(f"logistic_normal({k}, t, 1.5)", u)
            assert float(found) == pytest.approx(mean(u, 1.5, k), rel=1e-10)


@pytest.mark.parametrize("typical", [(0.5, 3.5), (-1.5, 1.2), (2, 4)])
def test_whole_parameters_are_drawn_from_within_their_typical_range(typical):
    from hypothesis import find

    field = SimpleNamespace(metadata={"domain": Domain(-9, 9, typical, integer=True)})
    drawn = strategies._parameters(field)
    low, high = math.ceil(typical[0]), math.floor(typical[1])
    assert find(drawn, lambda k: k <= low) == low
    assert find(drawn, lambda k: k >= high) == high


def test_what_strategies_print_is_code_that_gives_it_again():
    from hypothesis import given, settings

    from gantheory import densities as families
    from gantheory.losses.loss import Loss, Reference

    names = vars(families) | {"Loss": Loss, "Reference": Reference}
    names |= {type(P).__name__: type(P)} | {f.__name__: f for f in families.FAMILIES.values()}

    @settings(max_examples=8, deadline=None, database=None)
    @given(testing.density_pairs(), testing.losses(), testing.convex_generators())
    def printed(pair, loss, f):
        bare = replace(loss, reference=None, claims=())  # a line names no papers
        for drawn in (pair, bare, f):
            assert eval(repr(drawn), dict(names)) == drawn
        assert repr(bare) == repr(loss)

    printed()


def test_drawn_generators_are_convex_and_vanish_at_1():
    from hypothesis import given, settings

    from gantheory.divergences import RATIO
    from gantheory.expressions import parse

    @settings(max_examples=40, deadline=None, database=None)
    @given(testing.convex_generators())
    def convex(f):
        tree = parse(f, RATIO)
        r = [0.2, 0.6, 1.0, 1.4, 1.8, 2.2, 2.6]
        values = [float(oracles.evaluate(tree, {"r": x})) for x in r]
        assert abs(values[2]) < 1e-12
        bends = [
            a + c - 2 * b for a, b, c in zip(values[:-2], values[1:-1], values[2:], strict=True)
        ]
        assert min(bends) >= -1e-12

    convex()


@pytest.mark.parametrize(
    ("update", "game", "said"),
    [
        (lambda x, y: (-y, x), "bilinear", None),
        (lambda x, y: (-y, -x), "bilinear", "player 2 .* climbs its own loss"),
        (lambda x, y: (x, -y), "bilinear", "exchanged"),
        (lambda x, y: (-0.1 * y, 0.1 * x), "bilinear", r"factor=0\.1 would make it pass"),
        (lambda x, y: (-y, x + 0.01 * x**2), "bilinear", "moves y .* it is"),
        (lambda x, y: (-y, x, 0.0), "bilinear", "returned 3 numbers"),
    ],
)
def test_an_update_of_two_players_is_told_from_the_right_one_in_words(update, game, said):
    if said is None:
        return testing.check_game(update, game)
    with pytest.raises((AssertionError, GantheoryError), match=said):
        testing.check_game(update, game)
    return None


def test_a_factor_that_would_explain_a_torch_loss_is_hinted_at():
    import torch.nn.functional as F

    with pytest.raises(AssertionError, match=r"factor=0\.5 would explain"):
        testing.assert_loss_matches_theory(lambda t: 0.5 * F.softplus(-t).mean(), "non-saturating")
    with pytest.raises(AssertionError, match="the sign is turned"):
        testing.assert_loss_matches_theory(lambda t: -F.softplus(-t).mean(), "non-saturating")
