"""A discriminator fitted at quadrature nodes comes to the optimum."""

import pytest
import torch

from gantheory.errors import GantheoryError
from gantheory.integrals import divergence
from simulations.fit import fit_discriminator
from simulations.measure import integrated_value


# two JSD − 2 log 2 by quadrature (40 000 nodes), independent of the fit's own rule
@pytest.mark.parametrize(
    ("q", "optimum"),
    [("normal(2, 1)", -0.712632), ("normal(1, 2)", -1.129944)],
)
def test_a_fitted_discriminator_is_within_a_ten_thousandth_of_the_optimum(q, optimum):
    fit = fit_discriminator("minimax", "normal(0, 1)", q)
    assert -1e-4 < fit.value - optimum < 2e-6
    points = torch.tensor([[-1.0], [0.0], [1.0]], dtype=torch.float64)
    assert fit(points).shape == (3,)
    begun = [fit_discriminator("minimax", "normal(0, 1)", q, seed=s, steps=3) for s in (0, 1)]
    assert begun[0].value != begun[1].value


def fitted_gap(loss, p, q, **how):
    fit = fit_discriminator(loss, p, q, **how)
    reached = integrated_value(loss, fit, p, q)
    assert reached.error < 1e-6
    return (
        divergence({"f-gan-tv": "tv", "f-gan-reverse-kl": "kl_qp"}[loss], p, q).value
        - reached.value
    )


def test_nothing_is_gained_where_one_law_alone_has_nodes():
    # q weighs down to −12, p has no mass there: −E_p[exp(−t)] would let t fall without bound.
    gap = fitted_gap("f-gan-reverse-kl", "normal(0, 1)", "normal(1, 2)", starts=2)
    assert -1e-6 < gap < 1e-3


def test_a_steep_start_finds_both_jumps_where_a_random_start_finds_one():
    laws = "normal(0, 1.5)", "normal(0.5, 1)"  # p and q cross twice
    assert -1e-4 < fitted_gap("f-gan-tv", *laws, jumps=True) < 1e-4
    assert fitted_gap("f-gan-tv", *laws) > 1e-2


def test_adam_on_fresh_minibatches_comes_near_the_optimum_too():
    fit = fit_discriminator("minimax", "normal(0, 1)", "normal(2, 1)", recipe="adam", steps=60)
    assert -0.01 < fit.value + 0.712632 < 2e-6


def test_an_unknown_recipe_is_refused_by_the_fit():
    with pytest.raises(GantheoryError, match="unknown recipe"):
        fit_discriminator("minimax", "normal(0, 1)", "normal(2, 1)", recipe="best")
