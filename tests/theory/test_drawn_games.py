"""Random games with kinks and gaps, solved in fractions among finitely many scores.

Payoffs are sums of hinges on a bounded domain. So r·a(t) + b(t) is linear between kinks, its
maximum is at a kink or an end, and all that follows (jumps, point masses, flat stretches, weights)
is an exact statement on a handful of fractions.
"""

import random
from fractions import Fraction
from itertools import pairwise

import pytest
import sympy as sp

from gantheory import Loss, derive
from gantheory.records import How

SEEDS = range(16)
LOW, HIGH = Fraction(-3), Fraction(3)


class Hinges:
    """slope·t + Σ weight·relu(t − place), as text and as a function on fractions."""

    def __init__(self, draw, bends):
        self.slope = Fraction(draw.randint(-9, 9), draw.choice((2, 3, 5)))
        self.places = [Fraction(draw.randint(-29, 29), 10) for _ in range(bends)]
        self.weights = [
            Fraction(draw.choice((-1, 1)) * draw.randint(1, 19), 7) for _ in range(bends)
        ]

    @property
    def text(self):
        bends = zip(self.weights, self.places, strict=True)
        return f"({self.slope})*t" + "".join(f" + ({w})*relu(t - ({k}))" for w, k in bends)

    def __call__(self, t):
        bends = zip(self.weights, self.places, strict=True)
        return self.slope * t + sum(w * max(t - k, 0) for w, k in bends)


class Solved:
    """The game of one seed: the best score for each interval of ratios, found in fractions."""

    def __init__(self, seed):
        draw = random.Random(seed)
        self.a, self.b, self.c = Hinges(draw, 2), Hinges(draw, 2), Hinges(draw, 1)
        bends = (*self.a.places, *self.b.places, *self.c.places)
        self.scores = sorted({LOW, HIGH, *bends})
        self.loss = Loss(
            f"drawn-{seed}", self.a.text, self.b.text, self.c.text, domain=f"[{LOW}, {HIGH}]"
        )
        lines = [(self.a(t), self.b(t)) for t in self.scores]
        crossings = {
            (d - b) / (a - c)
            for a, b in lines
            for c, d in lines
            if a != c and (d - b) / (a - c) > 0
        }
        edges = [Fraction(0), *sorted(crossings), max(crossings, default=Fraction(1)) + 1]
        best = [(self.best((low + high) / 2), low) for low, high in pairwise(edges)]
        self.first = best[0][0]
        self.jumps = [
            (edge, before, after)
            for (before, _), (after, edge) in pairwise(best)
            if before != after
        ]

    def total(self, r, t):
        return r * self.a(t) + self.b(t)

    def best(self, r):
        return max(self.scores, key=lambda t: self.total(r, t))

    def flats(self):
        """Return the neighbouring scores that are equally good at a ratio, and best there."""
        for r, *_ in self.jumps:
            top = max(self.total(r, t) for t in self.scores)
            yield from (
                (r, *pair) for pair in pairwise(self.scores)
                if all(self.total(r, t) == top for t in pair)
            )  # fmt: skip


@pytest.fixture(scope="module", params=SEEDS)
def solved(request):
    return Solved(request.param)


@pytest.fixture(scope="module")
def derived(solved):
    return derive(solved.loss)


def masses(atoms):
    return {Fraction(str(place)): Fraction(str(mass)) for place, mass in atoms}


def test_the_optimum_is_the_best_of_finitely_many_scores(solved, derived):
    edges = [Fraction(0), *(r for r, *_ in solved.jumps)]
    for low, high in pairwise([*edges, edges[-1] + 2]):
        r = low + (high - low) * Fraction(2, 5)
        t = solved.best(r)
        branch = next(b for b in derived.optimum.branches if b.ratios[0] <= r < b.ratios[1])
        at = {s: sp.Rational(r.numerator, r.denominator) for s in branch.supremum.free_symbols}
        assert Fraction(str(branch.supremum.subs(at))) == solved.total(r, t)
        assert Fraction(str(branch.generator)) == solved.c(t)


def test_a_jump_of_the_optimum_is_a_point_mass(solved, derived):
    value = {r: solved.a(after) - solved.a(before) for r, before, after in solved.jumps}
    followed = {r: (solved.c(before) - solved.c(after)) / r for r, before, after in solved.jumps}
    assert masses(derived.value.atoms) == value
    assert masses(derived.followed.atoms) == {r: mass for r, mass in followed.items() if mass}
    assert derived.value.is_divergence
    assert derived.value.how is How.PROVED
    assert derived.followed.is_divergence == all(mass >= 0 for mass in followed.values())


def test_a_loss_that_jumps_is_no_divergence(solved, derived):
    jumps = [r for r, before, after in solved.jumps if solved.c(before) != solved.c(after)]
    assert derived.loss.is_divergence == (not jumps)
    assert derived.loss.how is (How.REFUTED if jumps else How.PROVED)


def test_a_flat_stretch_is_reported_exactly_where_it_is_optimal(solved, derived):
    reported = {}
    for ratio, low, high in derived.optimum.flats:
        r = Fraction(str(ratio))
        ends = (*reported.get(r, ()), Fraction(str(low)), Fraction(str(high)))
        reported[r] = (min(ends), max(ends))
    expected = {}
    for r, low, high in solved.flats():
        ends = (*expected.get(r, ()), low, high)
        expected[r] = (min(ends), max(ends))
    assert reported == expected
