"""A derivation whose limits are not those of its formulas is refused before anyone sees it."""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx

from gantheory import Loss
from gantheory.derivations.confirmation import confirm
from gantheory.derivations.engine import derive
from gantheory.errors import InternalError
from gantheory.exact.signs.balls import enclose
from gantheory.implicit.atscore import as_expression
from gantheory.implicit.reals import Real

LOSSES = {
    "in the score": Loss("mine", "-softplus(-2*t)/2", "-softplus(t)", "softplus(-t)"),
    "bounded": Loss("mine", "erf(t)", "-t**2", "-atan(t)"),
    "slow": Loss("mine", "t", "-exp(t**2)", "-t", domain="[0, oo)"),
    "closed": Loss("mine", "log(D)", "log(1 - D)", "-log(D)"),
}
PARTS = ["limit_at_0", "limit_at_inf", "score_limit_at_0", "score_limit_at_inf"]


@pytest.fixture(scope="module", params=LOSSES)
def found(request):
    return derive(LOSSES[request.param])


def test_what_is_derived_is_confirmed_and_every_limit_is_looked_at(found):
    assert confirm(found) is found
    assert not found.undecided


@pytest.mark.parametrize("part", PARTS)
def test_a_wrong_limit_of_a_weight_is_refused(found, part):
    stated = getattr(found.saturation, part)
    wrong = sp.Integer(3) if stated.is_infinite else stated + sp.Rational(1, 5)
    with pytest.raises(InternalError, match="weight"):
        confirm(replace(found, saturation=replace(found.saturation, **{part: wrong})))


def test_a_wrong_value_on_disjoint_supports_or_at_equality_is_refused(found):
    finite = found.disjoint.value.is_finite
    wrong = found.disjoint.value + sp.Rational(1, 5) if finite else sp.Integer(1)
    with pytest.raises(InternalError, match="disjoint"):
        confirm(replace(found, disjoint=replace(found.disjoint, value=wrong)))
    even = found.equilibrium.discriminator_loss + sp.Rational(1, 10**6)
    with pytest.raises(InternalError, match="P = Q"):
        confirm(replace(found, equilibrium=replace(found.equilibrium, discriminator_loss=even)))


@pytest.mark.parametrize(
    ("real", "fake", "domain"),
    [
        # t* grows like 1/r, so that it is beyond every score tried at 2**-400
        ("2*-softplus(t/2)", "2*-exp(-t) + 3/2*log1p((t - 0.7)**2)/2", "[0, oo)"),
        # a curvature that is 0 at a ratio has no name, and divides nothing
        ("2*log(D) + tanh(t - 1)/2", "log(D)/2 + 1/(1 + (t + 1/2)**2)/5", "[0, oo)"),
    ],
)
def test_a_score_out_of_reach_is_passed_over(real, fake, domain):
    assert derive(Loss("mine", real, fake, "relu(1 - t)", domain=domain)).status == "derived"


def test_limits_at_a_finite_end_are_taken_from_inside():
    loss = Loss("mine", "t", "-(4 - t - 4*sqrt(1 - t))", "-t/sqrt(1 - t)", domain="(-oo, 1)")
    found = derive(loss)
    assert not found.undecided
    assert found.saturation.score_limit_at_inf == -sp.oo


def test_infinity_where_nothing_grows_is_refused():
    found = derive(LOSSES["bounded"])
    with pytest.raises(InternalError, match="grow"):
        confirm(replace(found, disjoint=replace(found.disjoint, value=sp.oo)))


def test_a_number_that_is_shown_stands_for_all_of_its_ball():
    draw = np.random.default_rng(0)
    with ctx.workprec(300):
        for _ in range(200):
            centre = arb(draw.normal()) * arb(10) ** int(draw.integers(-8, 8)) * arb(2).sqrt()
            radius = abs(centre) * arb(2) ** -int(draw.integers(5, 190))
            ball = arb(centre.mid(), radius)
            shown = enclose(as_expression(Real(ball)))
            assert shown.contains(ball)
            assert shown.rad() < 16 * ball.rad()
