"""Every game's loss and gradient as integrated, against its printed formulas with D* inserted."""

from functools import cache

import numpy as np
import pytest
import sympy as sp

from gantheory import derive
from gantheory.densities import density
from gantheory.errors import GantheoryError
from gantheory.functions import r, t, to_sympy
from gantheory.integrals import divergence, divergence_table
from gantheory.integrals.quantities import quantity
from gantheory.losses import CATALOGUE
from gantheory.records import Status

NUMBERS = {
    "a": "0.9", "b": "0.1", "c": "0.25", "prior": "0.3", "eps": "0.001", "m": "2", "alpha": "1/3",
    "alpha_D": "2", "alpha_G": "3",
}  # fmt: skip
SHAPES = (
    ("normal(0, 1.125)", "normal(0.5, 1.25)"),
    ("laplace(0, 1)", "normal(0.5, 1.25)"),
    ("mixture(0.5*normal(-2, 0.125) + 0.5*normal(2, 1))", "normal(0.5, 1.25)"),
    ("normal(0.5, 1)", "uniform(0, 1)"),
    ("uniform(0, 1)", "uniform(2, 3)"),
)
ATOMS = {
    "softplus": lambda x: np.logaddexp(0, x),
    "sigmoid": lambda x: np.exp(-np.logaddexp(0, -x)),
    "relu": lambda x: np.maximum(x, 0),
}
GAUSS = np.polynomial.legendre.leggauss(20)


def numbered(name):
    loss = CATALOGUE[name]
    ordered = {**NUMBERS, "b": "1.5"} if name == "least-squares" else NUMBERS
    return loss.given(**{key: ordered[key] for key in loss.parameters})


def numeric(expr, symbol):
    function = sp.lambdify(symbol, expr, [ATOMS, "numpy"])
    return lambda x: function(x) + np.zeros_like(x)


@cache
def nodes(p_text, q_text):
    """Gauss's nodes on short panels, cut where the densities cross, and p and q there."""
    p, q = density(p_text), density(q_text)
    low, high = max(q.support[0], -30.0), min(q.support[1], 30.0)
    edges = np.unique([*np.linspace(low, high, 513), *np.linspace(-3, -1, 129).clip(low, high)])
    a, b = edges[:-1] + 1e-13, edges[1:] - 1e-13
    with np.errstate(invalid="ignore"):
        ends = [p.logpdf(x) - q.logpdf(x) for x in (a, b)]
        for _ in range(60):  # bisection, all panels at once
            middle = (a + b) / 2
            left = (p.logpdf(middle) - q.logpdf(middle) > 0) == (ends[0] > 0)
            a, b = np.where(left, middle, a), np.where(left, b, middle)
    edges = np.unique([*edges, *a[(ends[0] > 0) != (ends[1] > 0)]])
    half = np.diff(edges)[:, None] / 2
    x = edges[:-1, None] + half * (1 + GAUSS[0])
    with np.errstate(divide="ignore"):
        return x, half * GAUSS[1], p.logpdf(x), q.logpdf(x)


@cache
def composed(generator, score):
    """c(t*(r)); where it is algebraic, without the 1 − (1 − x) that would lose its digits."""
    expr = to_sympy(generator).xreplace({t: score})
    return expr if expr.atoms(sp.Function) else sp.simplify(expr)


def printed(definition, score, p, q, under=None):
    """E_q[c(t*)], or E_q[∂ log q/∂ loc · c(t*)] with D held fixed; and the sum's own size."""
    x, weight, log_p, log_q = nodes(p, q)
    with np.errstate(all="ignore"):
        loss = numeric(composed(definition.generator, score), r)(np.exp(log_p - log_q))
    terms = np.where(np.exp(log_q) > 0, weight * np.exp(log_q) * loss, 0.0)
    if under:
        terms = terms * density(q).score(under, x)
    return float(terms.sum()), float(np.abs(terms).sum())


def score_of(loss, derivation):
    optimum = derivation.optimum or derive(loss.general).optimum
    values = {s: sp.Rational(str(loss.numbers[s.name])) for s in optimum.score.free_symbols - {r}}
    return optimum.score.xreplace(values)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_loss_and_its_gradient_are_its_printed_formula_at_the_optimal_discriminator(name):
    definition = numbered(name)
    derivation = derive(definition)
    score = score_of(definition, derivation)
    loss, followed = (
        getattr(derivation, part) or quantity(definition, part) for part in ("loss", "followed")
    )
    constant, checked = float(loss.constant), 0
    for p, q in SHAPES:
        found = divergence(loss, p, q)
        if found.status is not Status.INFINITE:
            truth, size = printed(definition, score, p, q)
            bound = 10 * found.error + 1e-12 * (size + abs(constant))
            assert abs(found.value - (truth - constant)) <= bound, (p, q)
            checked += 1
        if "uniform" in q:
            continue
        slope = divergence(followed, p, q, wrt="q.loc")  # with D held fixed
        if slope.status is not Status.UNDETERMINED:
            truth, size = printed(definition, score, p, q, under="loc")
            assert abs(slope.value - truth) <= 10 * slope.error + 1e-12 * size, (p, q)
        else:
            assert "inf" in slope.reason, (p, q)
    assert checked >= 3


def test_a_loss_does_not_see_what_p_holds_where_q_is_zero():
    """h = −r for the f-GAN of KL: E_q[−r] = −P(q > 0), and the constant is −1."""
    loss = quantity("f-gan-kl", "loss")
    assert divergence(loss, "uniform(0, 1)", "uniform(2, 3)").value == pytest.approx(1, abs=1e-14)
    assert divergence(loss, "normal(0, 1)", "normal(1, 1)").value == 0


def test_a_negative_curvature_makes_minus_infinity():
    loss = quantity("f-gan-pearson", "loss")
    assert divergence(loss, "normal(0, 2)", "normal(0, 1)").value == -np.inf


def test_what_a_game_lacks_is_said():
    with pytest.raises(GantheoryError, match="free parameters"):
        quantity("alpha-gan", "loss")


@pytest.mark.parametrize("text", ["hinge.loss", "alpha-gan(alpha=2).value", "minimax.followed"])
def test_a_game_and_its_part_are_a_name_like_any_other(text):
    p, q = "normal(0, 1)", "laplace(1, 2)"
    loss, _, part = text.rpartition(".")
    named, given = (divergence(what, p, q, wrt="q.loc") for what in (text, quantity(loss, part)))
    assert named == given
    assert divergence_table([text], p, q)[text, None] == divergence(text, p, q)


def test_an_unknown_part_of_a_game_is_no_name():
    with pytest.raises(GantheoryError, match=r"unknown divergence 'hinge\.gain'"):
        divergence("hinge.gain", "normal(0, 1)", "normal(1, 1)")


def test_a_whole_theory_in_the_place_of_a_divergence_is_answered_with_its_parts():
    from gantheory import derive, divergence

    with pytest.raises(GantheoryError) as error:
        divergence(derive("hinge"), "normal(0, 1)", "normal(1, 1)")
    assert ".followed" in str(error.value)
    assert "\n" not in str(error.value)
    part = divergence(derive("hinge").followed, "normal(0, 1)", "normal(1, 1)")
    assert part.value == pytest.approx(2 * (2 * 0.691462461274013 - 1), rel=1e-9)  # 2(2Φ(1/2) − 1)
