"""How far a score next to the best one may be off is bounded, and the bound is of use."""

from dataclasses import replace

import numpy as np
import pytest

import gantheory as gt
from gantheory.records import Estimate
from gantheory.regularised.bounds import change, missed_by, moved, off_by
from gantheory.regularised.elements import NODES
from gantheory.regularised.payoffs import penalised_payoffs

DIGITS = 2e-6  # of the reference numbers, which another program found
REFERENCE = [
    ("r1(1)", "normal(1, 1)", 0.048300, 0.175918),
    ("r1(1)", "normal(2, 1)", 0.124687, 0.323837),
    ("r1(10)", "normal(2, 1)", 0.069052, 0.164071),
]


def neighbours(best, draw):
    """Scores that differ by bumps and waves of every size."""
    edges = best.edges
    x = 0.5 * (edges[:-1] + edges[1:])[:, None] + 0.5 * np.diff(edges)[:, None] * NODES
    for _ in range(25):
        size, pace, width = 10 ** draw.uniform(-4, -2), draw.uniform(0.2, 4), draw.uniform(0.3, 3)
        bump = np.exp(-(((x - draw.uniform(-2, 4)) / width) ** 2) / 2)
        yield replace(best, nodes=best.nodes + size * bump * np.sin(pace * x + draw.uniform(0, 7)))


@pytest.mark.parametrize(("regulariser", "q", "penalty", "gradient"), REFERENCE)
def test_a_neighbours_penalty_and_gradient_are_as_near_as_the_gap_allows(
    regulariser, q, penalty, gradient
):
    found = gt.optimal_discriminator("minimax", "normal(0, 1)", q, regulariser=regulariser)
    payoffs, shares = penalised_payoffs(found.loss), []
    for one in neighbours(found.finer[0], np.random.default_rng(7)):
        gap, cost = float(one.gap.sum()), float(one.penalty.sum())
        slope = float(moved(found.q, "loc", payoffs, one).sum())
        bounds = (off_by(gap, Estimate(cost)),
                  missed_by(one, *change(found.q, "loc", payoffs, one)))  # fmt: skip
        off = abs(cost - penalty), abs(slope - gradient)
        assert all(a <= b + DIGITS for a, b in zip(off, bounds, strict=True))
        shares.append([a / b for a, b in zip(off, bounds, strict=True)])
    assert np.all(np.median(shares, axis=0) > 0.02)  # within a factor of fifty
    assert np.all(np.max(shares, axis=0) > 0.2)


def test_errors_hold_what_the_gap_allows():
    """max V - penalty is bounded by duality alone; V and the penalty by the root of that bound."""
    found = gt.optimal_discriminator("hinge", "normal(0, 1)", "normal(1, 1)", regulariser="r1(1)")
    (best,) = found.finer
    gap = float(best.gap.sum())
    least = 2 * np.sqrt(gap * found.penalty.value)
    assert gap > 1e-10
    assert least <= found.penalty.error <= 1.2 * least
    assert least <= found.value.error <= 1.2 * least
    assert 1e-7 < found.gradient().error < 2e-4
