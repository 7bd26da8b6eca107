"""Curves with a penalty on D's slope: the same numbers as one pair at a time, by both entrances."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import gantheory as gt
from gantheory.cli.curve import command
from gantheory.integrals.curves import Family


def test_a_penalised_curve_has_the_reference_numbers_beside_the_unpenalised_one():
    table = gt.curve([], "distance", [1, 2, 6], losses=["minimax"], regulariser="r1(1)")
    assert np.allclose(table["minimax r1(1)"], [-1.251709, -0.918160, -0.037418], atol=1e-6)
    assert np.allclose(table["minimax r1(1)_gradient"], [0.175918, 0.323837, 0.068250], atol=1e-6)
    gained = table["minimax r1(1)_gradient"] - table["minimax_gradient"]
    assert gained[0] < 0 < gained[2]  # R1 trades the gradient near for the gradient far
    assert table["minimax r1(1)_gradient_error"].max() < 1e-8


def test_the_gradient_in_d_is_that_of_the_chain_rule():
    family = Family("normal(0, 1)", "normal(d**2, 1 + d)", range=(0.1, 1.0))
    table = gt.curve([], family, [0.8], losses=["minimax"], regulariser=["r1(1)", "both(2)"])
    for penalty in ("r1(1)", "both(2)"):
        found = gt.optimal_discriminator(
            "minimax", "normal(0, 1)", "normal(0.64, 1.8)", regulariser=penalty
        )
        wanted = 1.6 * found.gradient("q.loc").value + found.gradient("q.scale").value
        assert table[f"minimax {penalty}_gradient"][0] == pytest.approx(wanted, abs=1e-9)


def test_a_family_in_which_the_data_move_is_refused():
    with pytest.raises(gt.GantheoryError, match="p moves"):
        gt.curve([], "separation", [1.0], losses=["minimax"], regulariser="r1(1)")


def test_the_command_line_knows_the_same_option():
    asked = ["-g", "minimax", "--regulariser", "r1(1)", "--from", "1", "--to", "2"]
    shown = json.loads(CliRunner().invoke(command, [*asked, "--points", "2", "--json"]).output)
    assert shown["curves"]["minimax r1(1)"]["gradient"] == pytest.approx([0.175918, 0.323837], 1e-5)
