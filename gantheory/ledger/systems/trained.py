"""Trained demonstrations of the systems: small networks and tables, all outcomes in exact sums.

A table gives each point of a finite law its own parameter, so that nothing but the loss decides
where training ends. Gradients come from autograd in float64, expectations are sums, and there is
no sampling: an answer is where one deterministic run ended, within a stated distance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gantheory.errors import require
from gantheory.records import Estimate, Verdict
from gantheory.verify import at_least, at_most

if TYPE_CHECKING:
    from torch import Tensor

ROUNDING = 1e-9  # of float64 sums over a dozen points


@dataclass(frozen=True)
class _Player:
    """Who moves: parameters, the loss that they descend, and how many steps in each round."""

    parameters: Sequence[Tensor]
    loss: Callable[[], Tensor]
    steps: int = 1


def play(players: Sequence[_Player], rounds: int, rate: float = 0.05) -> None:
    """Let the players take Adam steps in turn, others held fixed, at a rate that falls to 0."""
    import torch

    rules = [torch.optim.Adam(player.parameters, betas=(0.5, 0.9)) for player in players]
    for made in range(rounds):
        for player, rule in zip(players, rules, strict=True):
            rule.param_groups[0]["lr"] = rate * (1 - made / rounds)
            for _ in range(player.steps):
                gradient = torch.autograd.grad(player.loss(), list(player.parameters))
                for parameter, slope in zip(player.parameters, gradient, strict=True):
                    parameter.grad = slope
                rule.step()


def _table(values: Sequence[Sequence[float]] | Sequence[float]) -> Tensor:
    """Return trainable numbers."""
    import torch

    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def _fixed(values: Sequence[Sequence[float]] | Sequence[float]) -> Tensor:
    """Return numbers that are not trained."""
    import torch

    return torch.tensor(values, dtype=torch.float64)


def _near(statement: str, distance: float, bound: float) -> Verdict:
    return at_most(statement, Estimate(distance, ROUNDING), Estimate(bound))


def conditional(target: str = "data") -> Verdict:
    """A conditional GAN on two labels and three points ends at the joint law.

    Args:
        target: "data", or "marginal": the law of x for each label (a false neighbour).
    """
    from torch.nn.functional import softplus

    p = _fixed([[0.25, 0.15, 0.1], [0.05, 0.15, 0.3]])  # p(y, x)
    of_labels = p.sum(1, keepdim=True)
    g, d = _table([[0.0] * 3] * 2), _table([[0.0] * 3] * 2)

    def q() -> Tensor:
        return of_labels * g.softmax(1)

    play([_Player([d], lambda: (p * softplus(-d) + q().detach() * softplus(d)).sum(), 5),
          _Player([g], lambda: (q() * softplus(-d.detach())).sum())], 100)  # fmt: skip
    goal = p if target == "data" else of_labels * p.sum(0)
    apart = total_variation(q(), goal)
    return _near(f"a trained conditional GAN ends within .01 of the {target}", apart, 0.01)


def informed(goal: str = "information") -> Verdict:
    """InfoGAN's Q, trained against a generator of three outputs and two codes.

    Args:
        goal: the bound ends at I(c; x) ("information"), or at H(c) ("entropy", false: the
            generator's outputs overlap).
    """
    joint = _fixed([[0.3, 0.15, 0.05], [0.05, 0.15, 0.3]])  # p(c, x)
    of_code, of_x = joint.sum(1), joint.sum(0)
    q = _table([[0.0] * 3] * 2)
    entropy = -(of_code * of_code.log()).sum()
    play([_Player([q], lambda: -(joint * q.log_softmax(0)).sum())], 120)
    bound = (joint * q.detach().log_softmax(0)).sum() + entropy
    information = (joint * (joint / (of_code[:, None] * of_x)).log()).sum()
    target = information if goal == "information" else entropy
    said = {"information": "mutual information", "entropy": "entropy of the code"}[goal]
    return _near(f"InfoGAN's trained bound ends within .001 of the {said}",
                 abs(float(bound - target)), 0.001)  # fmt: skip


def auxiliary(goal: str = "biased") -> Verdict:
    """An AC-GAN on two mirrored classes of seven points, the classifier that of the data.

    Args:
        goal: "biased": the optimum that is bounded in `labels.auxiliary_optimum`; "data".
    """
    from torch.nn.functional import softplus

    from gantheory.ledger.systems.labels import SEVEN, optimal_class

    p = _fixed([float(x) for x in SEVEN])
    both = (p + p.flip(0)) / 2
    surprise = -(p / (p + p.flip(0))).log()
    g, d = _table([0.0] * 7), _table([0.0] * 7)

    def q() -> Tensor:
        return g.softmax(0)

    def fakes() -> Tensor:
        return (q() + q().flip(0)) / 2

    def loss() -> Tensor:
        return (fakes() * -softplus(d.detach())).sum() + (q() * surprise).sum()

    play([_Player([d], lambda: (both * softplus(-d) + fakes().detach() * softplus(d)).sum(), 5),
          _Player([g], loss)], 200)  # fmt: skip
    target = _fixed(list(optimal_class())) if goal == "biased" else p
    return _near(f"a trained AC-GAN ends within .02 of the {goal} law",
                 total_variation(q(), target), 0.02)  # fmt: skip


def content(weight: float = 1.0, goal: str = "between") -> Verdict:
    """SRGAN's sum: data on -1 and 1, generated points -1, 0, 1, squared error plus adversary.

    Args:
        weight: of the adversarial loss.
        goal: where the mass m of the average 0 ends: "between": (e^(1/w) - 2)/(e^(1/w) - 1);
            "adversarial": 0; "content": 1.
    """
    from torch.nn.functional import softplus

    p, cost = _fixed([0.5, 0.0, 0.5]), _fixed([2.0, 1.0, 2.0])
    g, d = _table([0.0] * 3), _table([0.0] * 3)

    def q() -> Tensor:
        return g.softmax(0)

    def loss() -> Tensor:
        return (q() * (cost - weight * softplus(d.detach()))).sum()

    play([_Player([d], lambda: (p * softplus(-d) + q().detach() * softplus(d)).sum(), 5),
          _Player([g], loss)], 200)  # fmt: skip
    power = math.exp(1 / weight)
    target = {"between": max(0.0, (power - 2) / (power - 1)), "adversarial": 0.0, "content": 1.0}
    apart = abs(float(q().detach()[1]) - target[goal])
    return _near(f"the average keeps a mass within .01 of the {goal} one", apart, 0.01)


def cycles(claim: str = "different") -> Verdict:
    """Two CycleGANs on three points of equal mass, from two starts, end at loss 0 and apart.

    Args:
        claim: that the maps end "different" (by at least .9), or the "same" (within .1).
    """
    ends, losses = zip(*(_cycle(start) for start in ((0, 1, 2), (1, 2, 0))), strict=True)
    worst = max(losses)
    if worst > 0.01:
        return _near("each CycleGAN ends at a loss below .01", worst, 0.01)
    apart = Estimate(float((ends[0] - ends[1]).abs().max()), ROUNDING)
    if claim == "same":
        return at_most("two CycleGANs of loss 0 end at one map", apart, Estimate(0.1))
    return at_least("two CycleGANs of loss below .01 end at different maps", apart, Estimate(0.9))


def _cycle(start: Sequence[int]) -> tuple[Tensor, float]:
    """Train soft maps G and F that begin near a relabelling; return G and the loss."""
    import torch

    lean = torch.eye(3, dtype=torch.float64)[list(start)]
    g, f = _table(lean.tolist()), _table(lean.T.tolist())
    uniform = torch.full((3,), 1 / 3, dtype=torch.float64)

    def loss() -> Tensor:
        there, back = g.softmax(1), f.softmax(1)
        adversarial = sum((_jsd(uniform, uniform @ move) for move in (there, back)), _fixed([0.0]))
        cycle = 2 - ((there @ back).trace() + (back @ there).trace()) / 3
        return (adversarial + 10 * cycle).sum()

    play([_Player([g, f], loss)], 300)
    return g.detach().softmax(1), float(loss().detach())


def _jsd(p: Tensor, q: Tensor) -> Tensor:
    middle = (p + q) / 2
    return ((p * (p / middle).log()).sum() + (q * (q / middle).log()).sum()) / 2


def total_variation(p: Tensor, q: Tensor) -> float:
    """Return half the sum of absolute differences."""
    return float((p - q).detach().abs().sum() / 2)


def lipschitz(goal: str = "W1") -> Verdict:
    """A critic on six points of the line whose steps are kept within 1 ends at W1.

    Args:
        goal: "W1", or "mean": the difference of the means, which an affine critic reaches.
    """
    p = _fixed([0.5, 0.0, 0.0, 0.0, 0.0, 0.5])
    q = _fixed([0.0, 0.1, 0.3, 0.5, 0.1, 0.0])
    gaps = (q - p).cumsum(0)[:-1]  # a critic of slopes s has the value Σ s (F_q - F_p)
    slopes = _table([0.0] * 5)
    play([_Player([slopes], lambda: -(slopes.clamp(-1, 1) * gaps).sum())], 100)
    value = float((slopes.detach().clamp(-1, 1) * gaps).sum())
    target = {"W1": gaps.abs().sum(), "mean": gaps.sum().abs()}[goal]
    said = {"W1": "W1", "mean": "the difference of the means"}[goal]
    return _near(f"a trained 1-Lipschitz critic ends within .001 of {said}",
                 abs(value - float(target)), 0.001)  # fmt: skip


def penalised(distance: float = 1.0, weight: float = 1.0, slope: str = "1 + d/(2λ)") -> Verdict:
    """A network as WGAN-GP's critic between two points ends at slope 1 + d/(2λ), not 1.

    Gulrajani et al. (2017), arXiv:1704.00028: the penalty is taken on the segment between the
    points, here at 32 places of it.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    shapes = ((1, 8), (1, 8), (8, 1))
    weights = [torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes]
    critic = [_table(weight.tolist()) for weight in weights]
    places = torch.linspace(0, distance, 32, dtype=torch.float64)[:, None].requires_grad_()

    def value(x: Tensor) -> Tensor:
        return (x @ critic[0] + critic[1]).tanh() @ critic[2] + x * critic[2].sum()

    def loss() -> Tensor:
        (along,) = torch.autograd.grad(value(places).sum(), places, create_graph=True)
        ends = value(_fixed([[0.0], [distance]]))
        return (ends[0] - ends[1] + weight * ((along - 1) ** 2).mean()).sum()

    play([_Player(critic, loss)], 250)
    ends = value(_fixed([[0.0], [distance]])).detach()
    found = float((ends[1] - ends[0]).sum()) / distance
    target = 1 + distance / (2 * weight) if slope != "1" else 1.0
    return _near(f"the trained critic's mean slope is within .01 of {slope}",
                 abs(found - target), 0.01)  # fmt: skip


def encoder(steps: str = "trained") -> Verdict:
    """A VAE with two latent states on four points: its bound ends at the data's log-likelihood.

    Args:
        steps: "trained", or "none" (false: the encoder that says 1/2 leaves a gap).
    """
    p = _fixed([0.4, 0.3, 0.2, 0.1])
    prior = _fixed([0.5, 0.5]).log()[:, None]
    decoder, codes = _table([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]), _table([[0.0] * 4] * 2)

    def bound() -> Tensor:
        log_q = codes.log_softmax(0)
        return (p * log_q.exp() * (prior + decoder.log_softmax(1) - log_q)).sum()

    if steps == "trained":
        play([_Player([decoder, codes], lambda: -bound())], 120)
    gap = abs(float(bound().detach() - (p * p.log()).sum()))
    return _near("a VAE's bound ends within .001 of the best log-likelihood", gap, 0.001)


def autoregressive(model: str = "chain") -> Verdict:
    """A likelihood of two pixels, factor by factor: it ends at the data's entropy.

    Args:
        model: "chain", or "independent" (false: it keeps the mutual information as excess).
    """
    p = _fixed([[0.4, 0.1], [0.1, 0.4]])
    first, then = _table([0.0] * 2), _table([[0.0] * 2] * 2)

    def surprise() -> Tensor:
        second = then.log_softmax(1)
        second = second if model == "chain" else second[:1]
        return -(p * (first.log_softmax(0)[:, None] + second)).sum()

    play([_Player([first, then], surprise)], 120)
    excess = float((surprise() + (p * p.log()).sum()).detach())
    return _near(f"the trained {model} likelihood ends within .001 of the entropy", excess, 0.001)


def _needs_torch(run: Callable[..., Verdict]) -> Callable[..., Verdict]:
    """Refuse a training where torch is not installed, with the remedy."""

    def checked(**arguments: object) -> Verdict:
        require("a trained demonstration (leave it out with --quick)", "torch", "torch")
        return run(**arguments)

    return checked


_TRAININGS: Mapping[str, Callable[..., Verdict]] = {
    f"train_{run.__name__}": run
    for run in (conditional, informed, auxiliary, content, cycles, lipschitz, penalised, encoder,
                autoregressive)
}  # fmt: skip
FUNCTIONS = {name: _needs_torch(run) for name, run in _TRAININGS.items()}
PLANTS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "train_conditional": {"another law": {"target": "marginal"}},
    "train_informed": {"another goal": {"goal": "entropy"}},
    "train_auxiliary": {"the data's law": {"goal": "data"}},
    "train_content": {"one term's optimum": {"goal": "adversarial"}},
    "train_cycles": {"the same map": {"claim": "same"}},
    "train_lipschitz": {"another distance": {"goal": "mean"}},
    "train_penalised": {"slope 1": {"slope": "1"}},
    "train_encoder": {"untrained": {"steps": "none"}},
    "train_autoregressive": {"independent pixels": {"model": "independent"}},
}
