"""A second witness: the graph that ``make_fx`` records of a call, run at scores it has not seen.

The graph and the formula come from one code by two ways that share nothing: operations of torch,
backward pass included, and rules in sympy. Loading ``make_fx`` takes two seconds, so it is asked
for. It does not run on code that reads a score as a Python value.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from gantheory.audits.agreement import GRADIENT, VALUE, slopes_of_formula, value_of_formula
from gantheory.audits.forms import Batch, Runner, quiet
from gantheory.audits.recovered import Player
from gantheory.audits.results import taken
from gantheory.audits.running import batch, said

CENTRES = ((0.4, -0.3), (-1.7, 1.2), (1.9, 0.8))  # of real and fake scores; the first is recorded
Graph = Callable[..., tuple[Tensor, ...]]


def testimony(player: Player, runner: Runner) -> str:
    """Return what the graph of ``make_fx`` says of a recovered loss."""
    if player.random:
        return "no second witness: random numbers are drawn"
    if player.real is None or player.fake is None:
        return ""
    recorded, *others = (batch(runner, 3, centre) for centre in CENTRES)
    try:
        graph = _recorded(runner, recorded)
        worst = max(_difference(player, runner, graph, given) for given in (recorded, *others))
    except Exception as error:
        return f"no second witness: make_fx does not run on this code ({said(error)})"
    loose = 1e4 if player.single else 1.0
    if worst > loose * max(VALUE, GRADIENT):
        return (
            f"make_fx, a second witness, does not agree: its graph differs by {worst:.1e} at "
            "other scores than those it recorded; trust what is said here only where the code "
            "itself was compared"
        )
    count = len(CENTRES) * recorded.fake.size * (2 if player.player == "discriminator" else 1)
    return (
        f"make_fx, a second witness, agrees in value and gradient at {count} scores (worst "
        f"difference {worst:.1e})"
    )


def _recorded(runner: Runner, given: Batch) -> Graph:
    """Return value and gradients of a call as the graph that ``make_fx`` records."""
    from torch.fx.experimental.proxy_tensor import make_fx

    heads = len(given.real)

    def run(*scores: Tensor) -> tuple[Tensor, ...]:
        leaves = [x.detach().requires_grad_() for x in scores]
        assert runner.selection is not None
        value, _ = taken(runner.result(leaves[:heads], leaves[heads:]), runner.selection)
        slopes = torch.autograd.grad(value, leaves, allow_unused=True)
        found = [torch.zeros_like(x) if s is None else s
                 for x, s in zip(leaves, slopes, strict=True)]  # fmt: skip
        return value, *found

    with quiet(runner.dtype, 0):
        graph: Graph = make_fx(run)(*_tensors(runner, given))
    return graph


def _tensors(runner: Runner, given: Batch) -> list[Tensor]:
    return [torch.tensor(row, dtype=runner.dtype) for row in (*given.real, *given.fake)]


def _difference(player: Player, runner: Runner, graph: Graph, given: Batch) -> float:
    """Return the largest difference of graph and formula, relative to their size or 1."""
    with quiet(runner.dtype, 0):
        value, *slopes = graph(*_tensors(runner, given))
    expected = value_of_formula(player, runner, given)
    if expected is None:
        raise ValueError("the formula has no value there")
    worst = abs(float(value) - expected) / max(1.0, abs(expected))
    if player.gradient_factor is None:  # a part is detached: said elsewhere
        return worst
    rows = np.array([x.detach().double().numpy() for x in slopes])
    heads = len(given.real)
    for side, found in (("real", rows[:heads]), ("fake", rows[heads:])):
        if side == "real" and player.player == "generator":
            continue
        true = player.gradient_factor * slopes_of_formula(
            player, runner, side, getattr(given, side)
        )
        worst = max(worst, float(np.max(np.abs(found - true) / np.maximum(1.0, np.abs(true)))))
    return worst
