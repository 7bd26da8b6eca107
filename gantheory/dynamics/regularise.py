"""Regularisers: each returns the game with changed losses, so that its field is derived anew."""

from __future__ import annotations

from typing import Any

from gantheory.dynamics.record import Game


def with_consensus(dynamics: Game, weight: Any) -> Game:
    r"""Let both players also descend half the squared length of the field.

    Adds :math:`\gamma \tfrac12 \|v\|^2` to both losses. Mescheder et al. (2017),
    arXiv:1705.10461. The result is no longer zero-sum.

    >>> import sympy as sp
    >>> from gantheory.dynamics.known import bilinear
    >>> with_consensus(bilinear(), sp.Symbol("gamma", positive=True)).jacobian
    Matrix([
    [-gamma,     -1],
    [     1, -gamma]])
    """
    length = (dynamics.field.T * dynamics.field)[0, 0] / 2
    first, second = (loss + weight * length for loss in dynamics.losses)
    return dynamics.with_losses(first, second, name=f"{dynamics.name} with consensus")
