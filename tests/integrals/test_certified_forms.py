"""What certified mode integrates is the entry's formula, and what bounds its tails bounds it."""

from fractions import Fraction

import numpy as np
import pytest
from flint import acb, arb

from gantheory.divergences import COMPLEMENTS, DIVERGENCES, named
from gantheory.exact.signs.balls import enclose
from gantheory.integrals.certified.forms import form_of
from gantheory.integrals.certified.formulas import integrand_of
from gantheory.theory.generator import at_zero, slope_at_infinity


def drawn_logs():
    """Log-densities of both laws, near and far apart, and log p/q."""
    for a, gap in np.random.default_rng(4).normal(0, (3, 8), (40, 2)).tolist():
        yield acb(a), acb(a) - acb(gap), acb(gap)


@pytest.mark.parametrize("name", [*DIVERGENCES, "power_0.3", "power_-2", "power_1.5"])
def test_the_balls_of_an_entry_hold_its_formula_and_its_bound_of_tails(name):
    form, f = form_of(named(name)), named(name).f
    slope = f" + {Fraction(1, 2)}*(r - 1)" if name == "hellinger2" else ""  # (√p - √q)²/2
    formula = integrand_of(f + slope)
    for a, b, u in drawn_logs():
        ours, truth = form.integrand(a, b, u, False), formula(a, b, u, False)
        assert ours.overlaps(truth)
        assert float(ours.rad()) <= 1e-12 * (1 + float(abs(truth).mid()))
        masses = sum(w * x.exp().real for w, x in zip(form.weights, (a, b), strict=True))
        if form.tail is not None:
            assert not abs(truth) > form.tail() * masses
        elif form.order is None:
            assert not abs(truth) > form.factor * masses * (arb.const_log2() + abs(a) + abs(b))


@pytest.mark.parametrize("name", COMPLEMENTS)
def test_the_balls_of_a_complement_are_what_is_left_of_the_maximum(name):
    form, whole = form_of(COMPLEMENTS[name]), named(COMPLEMENTS[name].of)
    formula, ends = integrand_of(whole.f), (at_zero(whole), slope_at_infinity(whole))
    for a, b, u in drawn_logs():
        most = enclose(ends[0]) * b.exp() + enclose(ends[1]) * a.exp()
        ours, truth = form.integrand(a, b, u, False), most - formula(a, b, u, False)
        assert ours.overlaps(truth)
        assert not ours.real > form.tail() * (a.exp() + b.exp()).real
