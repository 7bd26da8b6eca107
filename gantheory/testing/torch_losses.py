"""Your torch loss against the formula that it should be."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import mpmath
import numpy as np

from gantheory.errors import GantheoryError
from gantheory.losses import get_loss
from gantheory.losses.loss import Loss
from gantheory.testing.oracles import DIGITS, payoff
from gantheory.testing.strategies import score_range


def assert_loss_matches_theory(
    loss: Callable[..., Any],
    definition: Loss | str,
    part: Literal["generator", "discriminator"] = "generator",
    *,
    largest_score: float = 30.0,
    tolerance: float = 1e-8,  # torch's softplus is linear beyond 20, where e⁻²⁰ = 2e-9
    factor: float = 1.0,
) -> None:
    """Assert that a torch loss is the loss's formula, in value and in gradient.

    Args:
        loss: ``fake_scores -> loss`` for the generator, ``(real_scores, fake_scores) -> loss``
            for the discriminator, which minimises −V; means over the batch, raw scores in.
        definition: a catalogue name or your own `Loss`, without free parameters.
        part: which of the two losses it is.
        largest_score: scores up to this size are tried; 30 finds a log(1 − sigmoid(t)) that has
            lost its digits.
        tolerance: relative to the larger of the true value and 1e-3.
        factor: what your loss is multiplied by against the formula, such as 0.5.

    Raises:
        AssertionError: naming the score, your number and the formula's.

    >>> import torch
    >>> assert_loss_matches_theory(
    ...     lambda fake: torch.nn.functional.softplus(-fake).mean(), "non-saturating"
    ... )
    """
    definition = get_loss(definition) if isinstance(definition, str) else definition
    low, high = score_range(definition, largest_score)
    inside = np.linspace(0.0041, 0.9963, 121)  # of the range: off the kinks at round numbers
    grid = low + (high - low) * inside
    for name, text, one_sided in _parts(loss, definition, part, factor):
        for score in grid:
            try:
                _match(
                    f"{definition.name}: {name}", one_sided, text, float(score), factor, tolerance
                )
            except AssertionError as error:
                raise AssertionError(f"{error}{_hint(one_sided, text, grid, factor)}") from None
        _match_batch(f"{definition.name}: {name}", one_sided, grid)


def _parts(
    loss: Callable[..., Any], definition: Loss, part: str, factor: float
) -> list[tuple[str, str, Callable[[Any], Any]]]:
    """Return (what it is, its formula, the loss as a function of those scores alone)."""
    if part == "generator":
        return [("generator loss", definition.generator, loss)]
    if part != "discriminator":
        raise GantheoryError(f"part={part!r}; it is 'generator' or 'discriminator'")
    import torch

    low, high = score_range(definition)
    inside = low + 0.4 * (high - low)  # where the other side's score is held
    at_rest = torch.full((1,), inside, dtype=torch.float64)

    def rest(text: str) -> float:
        return factor * float(payoff(text, inside))

    return [
        (
            "loss on real",
            f"-({definition.real})",
            lambda t: loss(t, at_rest) + rest(definition.fake),
        ),
        (
            "loss on fake",
            f"-({definition.fake})",
            lambda t: loss(at_rest, t) + rest(definition.real),
        ),
    ]


def _match(
    what: str,
    loss: Callable[[Any], Any],
    text: str,
    score: float,
    factor: float,
    tolerance: float,
) -> None:
    import torch

    scores = torch.tensor([score], dtype=torch.float64, requires_grad=True)
    value = loss(scores)
    (slope,) = torch.autograd.grad(value.sum(), scores)
    digits = DIGITS + math.ceil(abs(score))  # 1 − sigmoid(t) loses t/2.3 digits
    with mpmath.workdps(digits):
        formula = lambda t: payoff(text, t)  # noqa: E731
        true = [float(factor * formula(score)), float(factor * mpmath.diff(formula, score))]
    for found, expected, kind in zip(
        (value.item(), slope.item()), true, ("value", "gradient"), strict=True
    ):
        assert abs(found - expected) <= tolerance * max(abs(expected), 1e-3), (
            f"{what} at the score t = {score:g}: its {kind} is {found!r}, the formula "
            f"{text!r} gives {expected!r}"
        )


def _hint(loss: Callable[[Any], Any], text: str, grid: np.ndarray, factor: float) -> str:
    """Say which factor would explain the gradients at all scores, if one does."""
    ratios = []
    for score in grid[10:-10:20]:
        slope = float(mpmath.diff(lambda t: payoff(text, t), float(score)))
        if abs(slope) > 1e-6:
            ratios.append(_slope(loss, float(score)) / slope)
    if len(ratios) < 2 or max(ratios) - min(ratios) > 1e-6 * abs(ratios[0]) or not ratios[0]:
        return ""
    k = ratios[0]
    if math.isclose(k, factor, rel_tol=1e-6):
        return ""
    if k < 0:
        return f"; its gradient is {k:.6g} times the formula's at every score: the sign is turned"
    return f"; its gradient is {k:.6g} times the formula's: factor={k:.6g} would explain that"


def _slope(loss: Callable[[Any], Any], score: float) -> float:
    import torch

    scores = torch.tensor([score], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(loss(scores).sum(), scores)
    return float(slope)


def _match_batch(what: str, loss: Callable[[Any], Any], grid: np.ndarray) -> None:
    import torch

    scores = torch.as_tensor(grid, dtype=torch.float64)
    singles = [float(loss(scores[k : k + 1])) for k in range(len(scores))]
    found, mean = float(loss(scores)), float(np.mean(singles))
    assert abs(found - mean) <= 1e-9 * max(abs(mean), 1.0), (
        f"{what} of a batch is {found!r}, the mean over its samples is {mean!r}; "
        "losses here are means over the batch"
    )
