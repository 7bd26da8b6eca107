"""What is no loss, no text and no law is refused in one line, whichever function is asked."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

import gantheory as gt

ASKED = {
    "loss": gt.derive,
    "separable loss": gt.get_loss,
    "explanation": gt.explain,
    "loss under a penalty": gt.derive_regularised,
    "estimator": gt.derive_estimator,
    "preference": gt.derive_preference,
    "reward": gt.derive_reward,
    "bound": gt.derive_bound,
    "game": gt.get_game,
    "inequality": gt.prove,
    "density": gt.density,
    "payoff": lambda x: gt.Loss("mine", real=x, fake="-t", generator="-t"),
    "divergence": lambda x: gt.divergence(x, "normal(0, 1)", "normal(1, 1)"),
    "law": lambda x: gt.divergence("jsd", x, "normal(1, 1)"),
    "audit": gt.audit,
    "curve": lambda x: gt.curve([x], values=[1.0]),
    "family": lambda x: gt.curve("jsd", x, values=[1.0]),
    "values": lambda x: gt.curve("jsd", values=[x if isinstance(x, str | bytes) else "x"]),
    "moving law": lambda x: gt.curve("jsd", p=3 if x in (None, "", {}) else x, values=[1.0]),
    "regulariser": lambda x: gt.optimal_discriminator(*MINIMAX, regulariser=x),
    "penalised loss": lambda x: gt.optimal_discriminator(x, *MINIMAX[1:], regulariser="r1(1)"),
    "table": lambda x: gt.divergence_table([x], "normal(0, 1)", "normal(1, 1)"),
    "analysis": gt.analyse,
    "method": lambda x: gt.analyse("bilinear", method=x),
    "experiment": gt.simulate,
    "check": lambda x: gt.check([x]),
    "claim": lambda x: gt.claims([x]),
    "file": gt.read_loss,
    "protocol": gt.get_protocol,
    "protocol to run": gt.run_protocol,
}
MINIMAX = ("minimax", "normal(0, 1)", "normal(1, 1)")
NUMBERS = {
    "stuck": lambda x: gt.explain("minimax", stuck=x),
    "discriminator_loss": lambda x: gt.explain("minimax", discriminator_loss=x),
    "seconds": lambda x: gt.derive("minimax", seconds=x),
    "a value of d": lambda x: gt.curve("jsd", values=[x]),
}
PARTS = {
    "name": lambda x: gt.Loss(x, real="t", fake="-t", generator="-t"),
    "domain": lambda x: gt.Loss("mine", real="t", fake="-t", generator="-t", domain=x),
    "parameters": lambda x: gt.Loss("mine", real="c*t", fake="-t", generator="-t", parameters=x),
}

WRONG = [None, 3, -1.5, float("nan"), object(), b"minimax", {}, "", "nonsense((", True]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: type(wrong).__name__)
@pytest.mark.parametrize("asked", ASKED)
def test_what_no_function_knows_is_refused_in_one_line(asked, wrong):
    with pytest.raises(gt.GantheoryError) as refused:
        ASKED[asked](wrong)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("wrong", [math.nan, math.inf, True, "1", b"1", [1.0], object()])
@pytest.mark.parametrize("asked", NUMBERS)
def test_what_is_no_finite_number_is_refused_by_name(asked, wrong):
    with pytest.raises(gt.GantheoryError, match=f"{asked} = .* must be a finite number"):
        NUMBERS[asked](wrong)


@pytest.mark.parametrize(
    "number", [np.float32(0.5), np.array(0.5), torch.tensor(0.5), Fraction(1, 2)]
)
def test_a_scalar_of_any_library_is_a_number(number):
    assert gt.explain("minimax", stuck=number) == gt.explain("minimax", stuck=0.5)
    assert gt.curve("tv", values=[number])["d"].tolist() == [0.5]


@pytest.mark.parametrize("wrong", [None, 3, b"x", ["x"]])
@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_loss_of_another_type_is_refused(part, wrong):
    with pytest.raises(gt.GantheoryError, match=rf"an object of type .* is no .*{part}"):
        PARTS[part](wrong)


@pytest.mark.parametrize("wrong", [None, 3, object(), b"jsd", True])
def test_what_is_neither_a_name_nor_several_is_refused(wrong):
    for call in (gt.curve, gt.check, gt.claims, lambda x: gt.divergence_table(x, *MINIMAX[1:])):
        with pytest.raises(gt.GantheoryError, match="an object of type"):
            call(wrong)


def test_an_object_that_is_no_loss_is_named_with_what_to_give():
    with pytest.raises(gt.GantheoryError, match="'int' is no loss; give a"):
        gt.derive(3)


def test_several_divergences_at_once_have_a_function_of_their_own():
    with pytest.raises(gt.GantheoryError, match="divergence_table takes several"):
        gt.divergence(["jsd", "tv"], *MINIMAX[1:])


def test_a_misspelt_setting_of_a_sweep_is_refused_by_its_name():
    with pytest.raises(TypeError, match="stepz"):
        gt.sweep("minimax", "normal(0, 1)", "normal(1, 1)", out="unused", stepz=3)
