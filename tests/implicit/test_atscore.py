"""Scores at ratios of any size, near ends of the domain and far out."""

import pytest
import sympy as sp
from flint import arb, ctx

from gantheory.functions import r, t
from gantheory.implicit.atscore import AtScore


@pytest.mark.parametrize("digits", [-390, -211, -100, -3, 0, 1, 77, 250, 390])
@pytest.mark.parametrize(
    ("real", "fake", "score"),
    [
        (sp.Integer(-1), 1 / t, 1 / r),  # the end 0 as r grows, infinity as it falls
        (1 / t, sp.Integer(-1), r),
        (1 / t, 1 / (t - 1), r / (1 + r)),
    ],
)
def test_a_score_is_found_at_ratios_of_any_size(real, fake, score, digits):
    upper = sp.oo if score != r / (1 + r) else sp.Integer(1)
    rising = score != 1 / r
    made = AtScore(t if rising else 1 / t, real, fake, sp.Integer(0), upper, r)
    with ctx.workprec(900):
        ball = made.enclosed({r: arb(2) ** digits})
        truth = arb(2) ** digits
        truth = truth / (1 + truth) if upper == 1 else truth
        assert ball.overlaps(truth)
        assert ball.rad() < 1e-60 * truth


def test_a_value_at_a_pole_is_left_as_it_stands():
    made = AtScore(1 / (t - 1), 1 / t, sp.Integer(-1), sp.Integer(0), sp.oo, sp.Integer(1))
    assert sp.N(made).has(AtScore)  # t* = 1
