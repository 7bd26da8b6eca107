"""Discriminators trained to their optimum between two known one-dimensional densities."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, ndtr
from torch import Tensor

from gantheory.densities.inherited import of_family
from gantheory.densities.mixing import AnyMixture
from gantheory.errors import GantheoryError, unknown_name
from gantheory.losses.loss import Loss
from simulations.losses import TorchLoss, torch_loss
from simulations.networks import Mlp
from simulations.streams import INITIAL, generator_of
from simulations.threads import one_thread

Array = NDArray[np.float64]
RECIPES = ("adam", "precise")


class _Law(Protocol):
    """A one-dimensional density with quantiles."""

    def logpdf(self, x: Array) -> Array:
        """Return the logarithm of the density at ``x``."""

    def ppf(self, level: Array) -> Array:
        """Return the quantile of each level in (0, 1)."""


@dataclass(frozen=True)
class FittedDiscriminator:
    """A trained discriminator: points (..., 1) -> scores t (...), in the game's domain.

    Attributes:
        loss: the compiled game.
        network, parameters: the network, and its row (1, count).
        centre, width: a point x enters the network as (x − centre)/width.
        value: V(D) in nats on the points it was trained on; not a measurement.
    """

    loss: TorchLoss
    network: Mlp
    parameters: Tensor
    centre: float
    width: float
    value: float

    def __call__(self, x: Tensor) -> Tensor:
        """Return the scores; differentiable in x."""
        inputs = (x.to(self.parameters.dtype).reshape(1, -1, 1) - self.centre) / self.width
        return self.loss.score(self.network(self.parameters, inputs)).reshape(x.shape[:-1])


def _bulk(laws: tuple[_Law, _Law]) -> tuple[float, float]:
    """Return the centre and a width of where both laws have their mass."""
    middle = np.concatenate([law.ppf(np.array([0.05, 0.5, 0.95])) for law in laws])
    return float(np.median(middle)), float(max(np.ptp(middle) / 4, 1e-300))


@one_thread()
def fit_discriminator(
    loss: Loss | str,
    p: _Law | str,
    q: _Law | str,
    *,
    recipe: Literal["adam", "precise"] = "precise",
    seed: int = 0,
    steps: int | None = None,
    batch: int = 512,
    network: Mlp | None = None,
    parameters: Mapping[str, float] | None = None,
    starts: int = 1,
    jumps: bool = False,
    regulariser: str | None = None,
) -> FittedDiscriminator:
    r"""Train a discriminator to its optimum between two one-dimensional densities.

    ``"adam"`` is Algorithm 1's discriminator step on fresh stratified minibatches
    :math:`x_i = F^{-1}((i + u_i)/m)` with Adam, its rate falling from 10⁻² along a cosine.
    ``"precise"`` maximises V by L-BFGS in float64 over fixed nodes of a quadrature rule, each of
    which weighs under p and under q at once: so no D does better on the nodes than D* does, and
    nothing is gained where only one law has nodes. Both are functions of ``seed`` alone.

    Args:
        loss: a catalogue name or a `Loss`.
        p, q: the two densities, as text or with ``logpdf`` and quantiles ``ppf``.
        recipe: see above.
        seed: of initial values and samples.
        steps: of Adam (default 600), or the most iterations of L-BFGS (default 300).
        batch: m, for Adam.
        network: from one input to one output; by default two hidden layers of 32, tanh.
        parameters: values of the game's free parameters.
        starts: initial values that the precise recipe sets out from; the best fit is kept.
        jumps: set out from the log-ratio that the original discriminator learns, made steep: for
            games whose D* is a step, where a random start finds one of several jumps only.
        regulariser: a penalty on the slope that the precise recipe subtracts from V, as
            ``"r1(1)"``, ``"r2(1)"`` or a sum; see `gantheory.optimal_discriminator`.

    Raises:
        GantheoryError: for an unknown recipe, or where V grows without bound.

    >>> best = fit_discriminator("minimax", "normal(0, 1)", "normal(2, 1)")
    >>> bool(abs(best.value - (2 * 0.336831 - 2 * math.log(2))) < 1e-4)  # 2 JSD − 2 log 2
    True
    """
    if recipe not in RECIPES:
        raise unknown_name("recipe", recipe, RECIPES)
    laws = _density(p), _density(q)
    nodes, weights = _rule(*laws)
    network, played = network or Mlp((1, 32, 32, 1), "tanh"), torch_loss(loss, parameters)
    fit = _Fit(played, network, *_bulk(laws), _spread(laws), _penalty(regulariser, recipe))
    if recipe == "adam":
        rng = np.random.default_rng(np.random.SeedSequence([seed, 1]))
        rows = [fit.by_adam(fit.initial(seed), laws, rng, steps or 600, batch)]
        return fit.best(rows, nodes, weights)
    rows = [fit.initial(seed, k) for k in range(starts)]
    rows = [fit.steep(row, nodes, weights) if jumps else row for row in rows]
    rows = [fit.by_lbfgs(row, nodes, weights, steps or 300) for row in rows]
    return fit.best(rows, nodes, weights)


# The first layer's units then bend all over the laws, not near the centre alone, and between the
# modes of a mixture too: on four modes 150 iterations leave gaps of 1e-4 to 4e-4 nats over six
# seeds with 6 and of 2e-4 to 3e-3 with 3, and of 0.1 with 1; on two laws of one mode 6 is no
# better than 3 (measured).
_SPREAD, _SPREAD_OF_A_MODE = 3.0, 1.5


def _spread(laws: tuple[_Law, _Law]) -> float:
    """Return what the first layer's initial parameters are multiplied by."""
    return max(_SPREAD, _SPREAD_OF_A_MODE * max(len(_parts(law)) for law in laws))


# Far past the scores where a bounded domain saturates: 3 leaves a jump of "two-modes" unfound.
_STEEPER = 20.0


@dataclass(frozen=True)
class _Fit:
    loss: TorchLoss
    network: Mlp
    centre: float
    width: float
    spread: float
    penalty: tuple[float, float] = (0.0, 0.0)

    def best(
        self, rows: Sequence[Tensor], nodes: Tensor, weights: tuple[Tensor, Tensor]
    ) -> FittedDiscriminator:
        """Return the row of the largest value, as a function."""
        values = [-float(self.objective(row, nodes, weights).detach()) for row in rows]
        # A line search that left the range of numbers ends in nan, and loses against any other.
        value, row = max(
            zip(values, rows, strict=True), key=lambda pair: np.nan_to_num(pair[0], nan=-math.inf)
        )
        if not math.isfinite(value):
            raise GantheoryError(
                f"the value of loss {self.loss.loss.name!r} grows without bound in training; "
                "does it have an optimal discriminator?"
            )
        return FittedDiscriminator(self.loss, self.network, row, self.centre, self.width, value)

    def initial(self, seed: int, start: int = 0) -> Tensor:
        """Return initial parameters (1, count); each start has a chunk of its own."""
        row = self.network.initial(generator_of(seed, INITIAL, start))[None]
        for first in self.network.matrices(row)[:2]:
            first.mul_(self.spread)
        return row

    def steep(self, row: Tensor, nodes: Tensor, weights: tuple[Tensor, Tensor]) -> Tensor:
        """Return the original discriminator's parameters, its last layer made 20 times steeper."""
        original = replace(self, loss=torch_loss("minimax"))
        row = original.by_lbfgs(row, nodes, weights, 60)
        for last in self.network.matrices(row)[-2:]:
            last.mul_(_STEEPER)
        return row

    def outputs(self, row: Tensor, x: Tensor) -> Tensor:
        inputs = (x.reshape(1, -1, 1) - self.centre) / self.width
        return self.network(row, inputs)[0, :, 0]

    def objective(self, row: Tensor, nodes: Tensor, weights: tuple[Tensor, Tensor]) -> Tensor:
        """Return penalty − V by the rule with these nodes, their weights under p and under q."""
        if any(self.penalty):
            nodes = nodes.clone().requires_grad_()
        outputs = self.outputs(row, nodes)
        loss = -(self.loss.real(outputs) @ weights[0]) - (self.loss.fake(outputs) @ weights[1])
        if not any(self.penalty):
            return loss
        score = self.loss.score(outputs)
        (slopes,) = torch.autograd.grad(score.sum(), nodes, create_graph=True)
        weight = self.penalty[0] * weights[0] + self.penalty[1] * weights[1]
        return loss + 0.5 * (weight @ slopes.square())

    def by_lbfgs(
        self, row: Tensor, nodes: Tensor, weights: tuple[Tensor, Tensor], steps: int
    ) -> Tensor:
        row = row.clone().requires_grad_()
        optimiser = torch.optim.LBFGS(
            [row],
            max_iter=steps,
            max_eval=2 * steps,
            history_size=50,
            tolerance_grad=1e-9,
            tolerance_change=1e-13,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Tensor:
            loss = self.objective(row, nodes, weights)
            (row.grad,) = torch.autograd.grad(loss, row)
            return loss

        optimiser.step(closure)
        return row.detach()

    def by_adam(
        self,
        row: Tensor,
        laws: tuple[_Law, _Law],
        rng: np.random.Generator,
        steps: int,
        batch: int,
    ) -> Tensor:
        strata = (np.arange(batch) + rng.random((2, steps, batch))) / batch
        samples = [torch.from_numpy(law.ppf(u)) for law, u in zip(laws, strata, strict=True)]
        # A node of one law's sample weighs under that law alone.
        weights = torch.eye(2, dtype=torch.float64).repeat_interleave(batch, 1).div(batch)
        row = row.clone().requires_grad_()
        optimiser = torch.optim.Adam([row], lr=1e-2)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        for nodes in torch.cat(samples, 1):
            loss = self.objective(row, nodes, (weights[0], weights[1]))
            (row.grad,) = torch.autograd.grad(loss, row)
            optimiser.step()
            schedule.step()
        return row.detach()


def _penalty(text: str | None, recipe: str) -> tuple[float, float]:
    """Return the weights of E_p t'^2 and of E_q t'^2, twice what is subtracted from V."""
    from gantheory.regularised.regulariser import Regulariser

    if text is None:
        return 0.0, 0.0
    found = Regulariser.of(text)
    if found.everywhere or recipe != "precise":
        raise GantheoryError(
            f"regulariser {text!r}: a fit takes r1, r2 or both, by the recipe 'precise'"
        )
    return float(found.on_real), float(found.on_fake)


def _density(law: _Law | str) -> _Law:
    from gantheory.densities import parse_density

    found: Any = parse_density(law) if isinstance(law, str) else law
    if not hasattr(found, "ppf"):
        raise GantheoryError(f"{found} has no quantiles; a fit needs a one-dimensional density")
    quantiles: _Law = found
    return quantiles


# Φ(±6.5) leaves 4e-11 of the mass in each tail; 513 nodes are 2⁹ intervals of 0.025 deviations.
# The parts of a mixture share them, down to 193 each (0.068 deviations).
_REACH, _NODES, _NODES_OF_A_PART = 6.5, 513, 193


def _parts(law: _Law) -> list[tuple[float, _Law]]:
    """Return the laws that a law mixes, each with its share."""
    if not of_family(law, AnyMixture):
        return [(1.0, law)]
    return list(zip(law.probabilities, law.parts, strict=True))


def _stretched(law: _Law) -> Array:
    """Return the nodes of a rule for one law, and their weights, (2, n)."""
    parts = _parts(law)
    s = np.linspace(-_REACH, _REACH, max(1 + (_NODES - 1) // len(parts), _NODES_OF_A_PART))
    normal = np.exp(-(s**2) / 2)
    normal /= normal.sum()
    rules = [(np.asarray(part.ppf(ndtr(s))), share * normal) for share, part in parts]
    return np.concatenate(rules, axis=1)


def _rule(p: _Law, q: _Law) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    r"""Return the nodes of a rule for E_p and E_q at once, and their weights under each.

    E_p[g] is E_m[g·2p/(p + q)] with m = (p + q)/2, and E_m is half of E_p and half of E_q. Each of
    these is a trapezoidal rule in s, with x = F⁻¹(Φ(s)) and the normal density at s for weight: it
    is exact to rounding for smooth g and normal laws, and resolves every law on its own scale.
    A mixture is the sum of the rules of its parts, for between two modes its own F⁻¹ jumps.
    """
    nodes, weights = np.concatenate([_stretched(law) for law in (p, q)], axis=1)
    with np.errstate(invalid="ignore"):
        log_ratio = np.asarray(p.logpdf(nodes)) - np.asarray(q.logpdf(nodes))
    real, fake = (torch.from_numpy(weights * expit(sign * log_ratio)) for sign in (1, -1))
    return torch.from_numpy(nodes), (real, fake)
