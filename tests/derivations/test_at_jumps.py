"""What is read at the one ratio at which the optimum changes, against the best of a grid."""

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

import gantheory as gt
from gantheory.cli.derive import command

GRID = np.linspace(-9, 9, 180_001)
D = np.linspace(0, 1, 100_001)


def best(function, grid, ratio):
    return [grid[np.argmax(function(grid, ratio * (1 + side * 1e-4)))] for side in (-1, 1)]


@pytest.mark.parametrize(
    ("real", "fake", "ratio", "total"),
    [
        ("D", "-D**2", 2, lambda x, r: r * x - x**2),
        ("D", "-D**2*exp(D - 1)", 3, lambda x, r: r * x - x**2 * np.exp(x - 1)),
        ("D", "-D - D**3", 1, lambda x, r: (r - 1) * x - x**3),
        ("log(D)", "-D**2", 2, lambda x, r: r * np.log(x + 1e-300) - x**2),
    ],
)
def test_a_score_that_is_infinite_from_there_on_is_infinite_there(real, fake, ratio, total):
    (at,) = gt.derive(gt.Loss("mine", real, fake, "-t")).at(ratio)
    before, after = best(total, D, ratio)
    assert at.D.value == pytest.approx((before + after) / 2, abs=1e-2)
    assert at.t.value == (np.inf if at.D.value == 1 else -np.inf)
    assert "jumps" in at.reasons["value"]


@pytest.mark.parametrize(
    ("real", "fake", "ratio", "total"),
    [
        ("D**2", "(1 - D)**2/2", "1/2", lambda p, r: r * p**2 + (1 - p) ** 2 / 2),
        ("-3/(1 + D)", "3*(1 - D)**2", 2, lambda p, r: -3 * r / (1 + p) + 3 * (1 - p) ** 2),
    ],
)
def test_a_jump_is_said_with_both_sides(real, fake, ratio, total):
    (at,) = gt.derive(gt.Loss("mine", real, fake, "-t")).at(ratio)
    assert at.D is None
    said = [float(one) for one in re.findall(r"-?[\d.]+", at.reasons["D"])]
    assert said == pytest.approx(best(total, D, at.r), abs=1e-3)


def test_a_kink_is_continuous_at_its_ratio_however_the_ratio_was_rounded():
    loss = gt.Loss("mine", "-relu(1 - t) - t**2/9", "-relu(1 + t) + tanh(t)/5", "-t")
    found = gt.derive(loss)
    for ratio in {float(branch.ratios[1]) for branch in found.optimum.branches} - {np.inf}:
        (at,) = found.at(ratio)

        def total(t, r):
            return -r * (np.maximum(1 - t, 0) + t**2 / 9) - np.maximum(1 + t, 0) + np.tanh(t) / 5

        assert at.t.value == pytest.approx(np.mean(best(total, GRID, ratio)), abs=1e-2)
        assert {"value", "followed"} <= set(at.reasons)


def test_where_all_scores_of_an_interval_are_as_good_they_are_named():
    one, kink, other = gt.derive("hinge").at(np.array([0.5, 1]), [2.0])
    assert (one.reasons, other.reasons) == ({}, {})
    assert kink.reasons["t"] == "every score from -1 to 1 is optimal"
    heights = -np.maximum(1 - GRID, 0) - np.maximum(1 + GRID, 0)
    good = GRID[heights > heights.max() - 1e-9]
    assert (good.min(), good.max()) == pytest.approx((-1, 1), abs=1e-3)
    assert kink.reasons["value"] == "a point mass of 2 at r = 1"
    (given,) = gt.derive("energy-based").at(1, parameters={"m": 3})
    assert given.reasons["t"] == "every score from 0 to 3 is optimal"


def test_the_command_line_says_why_there_is_no_number():
    shown = CliRunner().invoke(command, ["hinge", "--at", "1"]).output
    assert "not determined there: every score from -1 to 1" in " ".join(shown.split())
    output = CliRunner().invoke(command, ["hinge", "--at", "1,2", "--json"]).output
    row, last = json.loads(output)["at"]
    assert row["reasons"]["followed"] == "a point mass of 2 at r = 1"
    assert "reasons" not in last
