"""Names that are not there, and what is meant by them."""

import math
import re

import pytest
import sympy as sp
from click.testing import CliRunner

import gantheory as gt
from gantheory.cli import cli


def test_a_name_that_the_package_lacks_is_answered_by_those_that_are_near():
    with pytest.raises(AttributeError, match=r"did you mean .*get_game"):
        _ = gt.game
    with pytest.raises(AttributeError, match=r"dir\(gantheory\)"):
        _ = gt.qqqq
    assert not hasattr(gt, "__wrapped__")
    assert all(hasattr(gt, name) for name in ("derive", "density", "get_game"))


@pytest.mark.parametrize("order", [0.5, 2, 3])
def test_renyi_and_tsallis_are_what_the_message_says_of_the_power_divergence(order):
    mean = 1.5
    p, q = gt.density("normal", 0, 1), gt.density("normal", mean, scale=1)
    D = gt.divergence(f"power_{order}", p, q).value
    with pytest.raises(gt.GantheoryError) as renyi:
        gt.divergence(f"renyi({order})", p, q)
    formula = re.search(r"is (log.*) of D", str(renyi.value))[1]
    renyi_of_normals = order * mean**2 / 2
    assert float(sp.sympify(formula).subs({"a": order, "D": D})) == pytest.approx(renyi_of_normals)
    with pytest.raises(gt.GantheoryError, match="a times power_<a>"):
        gt.divergence("Tsallis", p, q)
    integral = math.exp((order - 1) * renyi_of_normals)
    assert order * D == pytest.approx((integral - 1) / (order - 1))


@pytest.mark.parametrize("name", ["fid", "ks", "sliced_w1"])
def test_what_is_no_divergence_of_laws_is_said_to_be_what_it_is(name):
    with pytest.raises(gt.GantheoryError, match=r"unknown divergence .*samples|features"):
        gt.divergence(name, "normal(0, 1)", "normal(1, 1)")


def test_parameters_come_in_the_order_of_the_text_of_a_law():
    assert gt.density("gamma", 2, 3) == gt.density("gamma(2, 3)")
    assert gt.density("normal", 1, scale=2) == gt.density("normal", loc=1, scale=2)
    assert gt.density("normal", [0, 1], 1).shape == (2,)
    for given, named, said in [((0, 1, 2), {}, "3 parameters"), ((0,), {"loc": 1}, "loc twice")]:
        with pytest.raises(gt.GantheoryError, match=said):
            gt.density("normal", *given, **named)
    with pytest.raises(gt.GantheoryError, match="no family"):
        gt.density("normal(0, 1)", 2)


def test_the_game_of_a_critic_is_named_where_it_is_one():
    with pytest.raises(gt.GantheoryError, match="'dirac-linear'"):
        gt.get_game("dirac-wasserstein")
    field = gt.analyse(gt.get_game("dirac-linear"), gt.make_method("simultaneous"), 0.1).as_dict()
    assert field["field"] == {"theta": "psi", "psi": "-theta"}  # Mescheder et al. (2018), WGAN


def test_a_value_in_the_place_of_a_loss_is_pointed_to_its_option():
    with pytest.raises(gt.GantheoryError, match=r"--stuck 0\.69"):
        CliRunner().invoke(cli, ["explain", "0.69"], catch_exceptions=False)


def test_of_many_names_the_command_that_lists_them_is_said():
    with pytest.raises(gt.GantheoryError, match="by 'gantheory divergences'"):
        gt.divergence("nothing", "normal(0, 1)", "normal(1, 1)")
