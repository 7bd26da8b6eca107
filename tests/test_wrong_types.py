"""What is no loss, no text and no law is refused in one line, whichever function is asked."""

import pytest

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
}
WRONG = [None, 3, -1.5, float("nan"), object(), b"minimax", {}, "", "nonsense((", True]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: type(wrong).__name__)
@pytest.mark.parametrize("asked", ASKED)
def test_what_no_function_knows_is_refused_in_one_line(asked, wrong):
    with pytest.raises(gt.GantheoryError) as refused:
        ASKED[asked](wrong)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_an_object_that_is_no_loss_is_named_with_what_to_give():
    with pytest.raises(gt.GantheoryError, match="'int' is no loss; give a"):
        gt.derive(3)
