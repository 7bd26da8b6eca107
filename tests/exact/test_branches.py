"""Branches of roots, powers and logarithms, against formulas as typed; and the final check."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from typed import best_score, value

from gantheory.derivations import confirmation, engine
from gantheory.derivations.derivation import Derivation
from gantheory.derivations.engine import derive
from gantheory.divergences import FDivergence
from gantheory.errors import InternalError
from gantheory.exact import algebra
from gantheory.functions import r
from gantheory.ledger.published import check_claim, equal
from gantheory.losses.loss import Claim, Loss
from gantheory.records import How
from gantheory.theory.generator import curvature

SAMPLES = np.random.default_rng(10)


def with_generator(text: str, **more: object) -> Loss:
    return Loss("own", real="log(D)", fake="log(1 - D)", generator=text, **more)


def hidden_square() -> str:
    """Return the square of a function with a zero, written out so that no square shows."""
    k = Fraction(int(SAMPLES.integers(-9, 10)), int(SAMPLES.integers(3, 8)))
    base = SAMPLES.choice(["t", "D", "exp(t)", "(2*t)", "log(D)"])
    if base in ("D", "exp(t)", "log(D)"):
        k = (abs(k) % 1 + Fraction(1, 10)) * (-1 if base == "log(D)" else 1)
    return f"{base}**2 - 2*({k})*{base} + ({k})**2"


GENERATORS = [
    form.format(hidden_square())
    for form in (
        "sqrt({})", "-t + sqrt({})", "({})**(3/2)", "D*sqrt({})", "-({})**(1/4) - t",
        "sqrt({}) - log(D)", "({})**1.5/(1 + exp(t))", "log(1 + sqrt({}))", "exp(-t)*sqrt({})",
        "sqrt(({})*(1 + D))", "sqrt(1 + exp(t))*({})**0.5", "sqrt(sqrt({}) + 1)",
    )
]  # fmt: skip


@lru_cache
def derived(text: str) -> Derivation:
    return derive(with_generator(text))


@pytest.mark.parametrize("text", GENERATORS)
def test_a_hidden_square_under_a_root_is_an_absolute_value(text):
    found = derived(text)
    if found.loss is None:  # a corner so sharp, or a zero so hard, that the engine says why
        assert found.undecided
        return
    for ratio in map(mp.mpf, SAMPLES.lognormal(0, 1.5, 5)):

        def h(x):
            return value(text, t=mp.log(x))

        expected = {"loss": mp.diff(h, ratio, 2), "followed": -mp.diff(h, ratio) / ratio}
        for name, one in expected.items():
            got = sp.N(found.curvatures[name].curvature.subs(r, sp.Float(ratio)), 15)
            assert float(got) == pytest.approx(float(one), rel=1e-4, abs=1e-8)


def test_most_hidden_squares_are_derived():
    assert sum(derived(text).loss is not None for text in GENERATORS) >= 9


@pytest.mark.parametrize(
    ("text", "place", "mass"),
    [
        ("sqrt(t**2 - 2*t + 1)", sp.E, 2 * sp.exp(-1)),
        ("sqrt(D**2 - D + 1/4)", 1, sp.Rational(1, 2)),
        ("sqrt(1 - 4*D*(1 - D))", 1, 1),
        ("sqrt(exp(2*t) - 2*exp(t) + 1)", 1, 2),
    ],
)
def test_the_corner_of_a_root_is_a_point_mass(text, place, mass):
    assert derive(with_generator(text)).loss.atoms == ((place, mass),)
    assert derive(with_generator(text)).followed.divergence == "no divergence"


def test_a_square_of_parameters_is_an_absolute_value_of_them():
    found = derive(with_generator("-sqrt(a**2 - 2*a + 1)*t"))
    for a in (0.3, 2.5):
        coefficient = found.followed.terms["kl_qp"]
        (symbol,) = coefficient.free_symbols
        assert float(coefficient.subs(symbol, a)) == pytest.approx(abs(1 - a))
    below = derive(with_generator("-sqrt(a**2 - 2*a + 1)*t", parameters={"a": "(0, 1)"}))
    assert below.followed.divergence == "kl_qp*(1 - a)"


@pytest.mark.parametrize("k", [0.5, 1, 2])
def test_squares_in_the_payoffs_of_the_discriminator_are_hills(k):
    real, fake = f"-sqrt(t**2 - 2*({k})*t + ({k})**2)", "-(t**2 + 2*t + 1)**(3/4)"
    found = derive(Loss("own", real=real, fake=fake, generator="-t", domain="[-3, 3]"))
    assert found.optimum is None or found.value is not None
    if found.optimum is not None:
        for ratio in (0.2, 0.9, 1.4, 6):
            score, _ = best_score(real, fake, ratio, -3, 3)
            assert float(found.optimum.score.subs(r, ratio)) == pytest.approx(
                float(score), abs=1e-6
            )


@pytest.mark.parametrize(
    ("text", "smooth", "atoms"),
    [
        ("sqrt(r**2 - 2*r + 1)/2", 0, ((1, 1),)),
        ("sqrt(r - 2*sqrt(r) + 1)", None, ((1, 1),)),
        ("((r - 1)**2)**(3/2)", None, ()),
        ("(r**2 - 2*r + 1)**(3/2)", None, ()),
        ("max(r, 1, 2) - 2", 0, ((2, 1),)),
    ],
)
def test_a_generator_with_a_hidden_square_has_its_corners(text, smooth, atoms):
    expr, masses = curvature(FDivergence("own", text))
    assert masses == atoms
    assert smooth in (None, expr)
    for ratio in (0.3, 0.8, 1.3, 3.1):
        bent = mp.diff(lambda x: value(text, r=x), ratio, 2)
        assert float(expr.subs(r, ratio)) == pytest.approx(float(bent), rel=1e-5, abs=1e-9)


def test_the_text_form_of_total_variation_integrates_to_it():
    from gantheory.densities import parse_density
    from gantheory.integrals import divergence

    p, q = parse_density("normal(0, 1)"), parse_density("normal(1, 1)")
    found = divergence(FDivergence("own", "sqrt(r**2 - 2*r + 1)/2"), p, q)
    assert found.value == pytest.approx(0.382924922548026, abs=1e-12)


def test_equalities_know_the_sign_of_a_root():
    root = "sqrt(r**2 - 2*r + 1)"
    assert equal(1 - r, root, "one side only").how is How.REFUTED
    assert equal(sp.Abs(1 - r), root, "both sides").how is How.PROVED


NESTED = "-sqrt(3 + 2*sqrt(2))*log(D/(1 - D))"


@pytest.mark.parametrize(
    ("claim", "how"),
    [
        ("(1 + sqrt(2))*kl_qp", How.PROVED),
        ("(7 + 5*sqrt(2))**(1/3)*kl_qp", How.UNDECIDED),  # equal, and no rule of ours says so
        ("(1 + sqrt(3))*kl_qp", How.REFUTED),
    ],
)
def test_where_no_point_separates_two_sides_nothing_is_refuted(claim, how):
    verdicts = check_claim(with_generator(NESTED), Claim("me", loss=claim, followed=claim))
    assert {verdict.how for verdict in verdicts} == {how}


def test_a_wrong_branch_is_caught_by_evaluation(monkeypatch):
    wrong = "the loss curvature is not what the formulas give"
    monkeypatch.setattr("gantheory.theory.pieces.opened", lambda expr, *_: expr)
    with pytest.raises(InternalError, match=wrong):
        derive(with_generator("sqrt(D**2 - D + 1/4)"))


@pytest.mark.parametrize("part", ["value", "loss", "followed"])
def test_a_wrong_curvature_is_caught_by_evaluation(monkeypatch, part):
    original = getattr(engine, f"{part}_curvature")
    planted = lambda *given: original(*given).map(lambda e: e * sp.Rational(1001, 1000), given[-1])  # noqa: E731
    monkeypatch.setattr(engine, f"{part}_curvature", planted)
    with pytest.raises(InternalError, match=f"the {part} curvature"):
        derive("non-saturating")


def test_a_wrong_name_and_a_wrong_optimum_are_caught_by_evaluation():
    found = derive("minimax")
    renamed = replace(found, value=replace(found.value, terms={"jsd": sp.Integer(1)}))
    moved = replace(found, optimum=replace(found.optimum, score=-found.optimum.score))
    for planted in (renamed, moved):
        with pytest.raises(InternalError):
            confirmation.confirm(planted)


def test_a_wrong_equality_is_caught_by_evaluation(monkeypatch):
    monkeypatch.setattr(algebra.Algebra, "is_zero", lambda *_: True)
    with pytest.raises(InternalError, match="is not"):
        equal(r, "r**2", "a planted identity")


@pytest.mark.parametrize(
    "change",
    [
        lambda d: replace(d, disjoint=replace(d.disjoint, value=sp.log(2))),
        lambda d: replace(d, disjoint=replace(d.disjoint, loss=sp.Integer(1))),
        lambda d: replace(d, saturation=replace(d.saturation, limit_at_0=sp.Rational(1, 2))),
        lambda d: replace(d, saturation=replace(d.saturation, limit_at_inf=sp.Integer(0))),
        lambda d: replace(d, value=replace(d.value, constant=-2 * sp.log(3))),
        lambda d: replace(d, equilibrium=replace(d.equilibrium, discriminator_loss=sp.log(2))),
    ],
    ids=["value apart", "loss apart", "weight at 0", "weight at oo", "constant", "V at P = Q"],
)
def test_what_is_said_at_the_ends_is_evaluated_against_the_formulas(change):
    found = derive("minimax")
    assert confirmation.confirm(found) is found
    with pytest.raises(InternalError):
        confirmation.confirm(change(found))


@pytest.mark.parametrize("seed", [0, 1, 3])  # 2 draws a game of exp(7/2), ten times as dear
def test_no_right_statement_about_the_ends_of_a_random_game_is_refused(seed):
    draw = np.random.default_rng(seed)
    k = draw.choice(["1/5", "2/3", "7/2"])
    real = draw.choice(["log(D)", f"-softplus({k} - t)", f"-relu({k} - t)**2", f"D**({k})"])
    fake = draw.choice(["log(1 - D)", f"-softplus({k} + t)", f"-relu({k} + t)", "-D"])
    loss = draw.choice(["-t", "-log(D)", "sigmoid(-t)", f"(t - {k})**2", "relu(1 - t)"])
    confirmation.confirm(derive(Loss("ends", str(real), str(fake), str(loss), domain="[-7, 9]")))
