"""Strategies and laws for your own test suite: random densities and losses, and what must hold.

The strategies draw from what each family and loss declares, so a family or a loss that is added
to a catalogue is tested at once. A law raises AssertionError with the numbers. Its oracle is a
direct sum over cells in many digits (`on_cells`), which shares no code with the quadrature, nor
with the derivation. What the engine could not decide is no failure of a law; `TALLY` counts it.

.. code-block:: python

    from hypothesis import given
    from gantheory import testing

    @given(testing.densities(), testing.densities())
    def test_jsd_is_symmetric(p, q):
        testing.assert_symmetric("jsd", p, q)

    def test_my_loss_is_the_non_saturating_one():
        testing.assert_loss_matches_theory(my_generator_loss, "non-saturating")
"""

from gantheory.testing.checks import check_divergence, check_gradient_penalty, check_losses
from gantheory.testing.games import check_game
from gantheory.testing.laws import (
    TALLY,
    Tally,
    assert_at_most,
    assert_data_processing,
    assert_discriminator_cannot_win,
    assert_equal,
    assert_invariant,
    assert_not_negative,
    assert_symmetric,
    assert_zero_iff_equal,
)
from gantheory.testing.oracles import masses, on_cells, payoff
from gantheory.testing.strategies import (
    convex_generators,
    cuts,
    densities,
    density_pairs,
    divergences,
    losses,
    score_range,
    scores,
)
from gantheory.testing.torch_losses import assert_loss_matches_theory

__all__ = [
    "TALLY",
    "Tally",
    "assert_at_most",
    "assert_data_processing",
    "assert_discriminator_cannot_win",
    "assert_equal",
    "assert_invariant",
    "assert_loss_matches_theory",
    "assert_not_negative",
    "assert_symmetric",
    "assert_zero_iff_equal",
    "check_divergence",
    "check_game",
    "check_gradient_penalty",
    "check_losses",
    "convex_generators",
    "cuts",
    "densities",
    "density_pairs",
    "divergences",
    "losses",
    "masses",
    "on_cells",
    "payoff",
    "score_range",
    "scores",
]
