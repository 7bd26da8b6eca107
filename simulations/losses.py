"""Torch losses, compiled from a game's formulas alone: no GAN loss is written by hand here.

A payoff becomes a short list of torch operations through sympy, in a form whose values and
gradients stay finite for scores of size 800 in float32 and float64. A game on a bounded domain
of scores is composed with a map from the real line, so that any network may play it.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from typing import Any

import sympy
import torch
from sympy import Expr
from torch import Tensor

from gantheory.errors import GantheoryError
from gantheory.formulas import interval
from gantheory.functions import sigmoid, softplus, t, to_sympy
from gantheory.losses import bound, get_loss
from gantheory.losses.loss import Loss
from simulations.stable import LARGEST_EXPONENT, program, stabilise
from simulations.stable import preallocated as bound_program

LossFunction = Callable[..., Tensor]


@dataclass(frozen=True)
class Payoff:
    """A function of the network's output as torch operations, with its exact slope.

    >>> payoff = torch_loss("minimax").fake
    >>> payoff(torch.tensor([-800.0, 0.0, 800.0]))
    tensor([-0.0000e+00, -6.9315e-01, -8.0000e+02])
    >>> payoff.slope(torch.tensor([-800.0, 0.0, 800.0]))
    tensor([-0.0000, -0.5000, -1.0000])
    """

    expression: Expr

    @cached_property
    def _value(self) -> Callable[[Tensor], Tensor]:
        return program(stabilise(self.expression), t)

    @cached_property
    def derivative(self) -> Expr:
        """Return the symbolic derivative, in the form that is evaluated."""
        return stabilise(sympy.diff(self.expression, t))

    @cached_property
    def _slope(self) -> Callable[[Tensor], Tensor]:
        return program(self.derivative, t, slope=True)

    def __call__(self, output: Tensor) -> Tensor:
        """Return the payoff elementwise; differentiable by autograd to any order."""
        return self._value(output)

    def measured(self, output: Tensor) -> Tensor:
        """Return the payoff, infinite where training goes on along a tangent (`stable.exp`)."""
        made = self._value(output)
        largest = math.exp(LARGEST_EXPONENT.get(made.dtype, 70.0))
        return torch.where(made.abs() < largest, made, made.sign() * math.inf)

    def slope(self, output: Tensor) -> Tensor:
        """Return the derivative elementwise, compiled from the symbolic derivative."""
        return self._slope(output)

    def bound_slope(self, output: Tensor, out: Tensor, scale: float) -> list[Callable[[], Any]]:
        """Return calls that write ``scale`` times the derivative at ``output`` into ``out``."""
        return [
            *bound_program(self.derivative, t, output, out, slope=True),
            partial(out.mul_, scale),
        ]


@dataclass(frozen=True, eq=False)
class TorchLoss:
    """A game's payoffs as functions of an unconstrained network output v.

    ``score`` maps v into the game's domain of scores t; on the real line t = v. The
    discriminator's loss is the negative of its value, so that both players minimise.
    """

    loss: Loss
    score: Payoff
    real: Payoff
    fake: Payoff
    generator: Payoff

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return −mean a(real) − mean b(fake) over the last dimension."""
        return -self.real(real).mean(-1) - self.fake(fake).mean(-1)

    def generator_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Return mean c(fake) over the last dimension; real samples have no part in it."""
        return self.generator(fake).mean(-1)


def torch_loss(loss: Loss | str, parameters: Mapping[str, float] | None = None) -> TorchLoss:
    """Compile ``loss`` for networks whose output is any real number.

    Raises:
        GantheoryError: for an unknown loss, or a parameter without a value.
    """
    return _compiled(_Key(bound(loss, parameters)))


def discriminator_loss(
    loss: Loss | str, parameters: Mapping[str, float] | None = None
) -> LossFunction:
    """Return the function (real scores, fake scores) -> −V, to be minimised.

    Scores are t, in the game's domain, of any shape; the loss is a scalar in nats.

    >>> float(discriminator_loss("minimax")(torch.zeros(4), torch.zeros(4)))  # 2 log 2
    1.3862943649291992
    """
    real, fake = (_payoff(loss, part, parameters) for part in ("real", "fake"))
    return lambda real_scores, fake_scores: -real(real_scores).mean() - fake(fake_scores).mean()


def generator_loss(loss: Loss | str, parameters: Mapping[str, float] | None = None) -> LossFunction:
    """Return the function fake scores -> the generator's loss, to be minimised.

    >>> float(generator_loss("non-saturating")(torch.zeros(4)))  # log 2
    0.6931471824645996
    """
    payoff = _payoff(loss, "generator", parameters)
    return lambda fake_scores: payoff(fake_scores).mean()


def smooth_labels(loss: Loss | str, real: float = 0.9, fake: float = 0.0) -> Loss:
    """Return ``loss`` with the labels of real and fake samples softened for the discriminator.

    Real samples are labelled 1 with weight ``real`` and fake ones with weight ``fake``:
    a' = real·a + (1−real)·b and b' = fake·a + (1−fake)·b; one-sided smoothing (Salimans et al.,
    2016, arXiv:1606.03498) keeps ``fake`` at 0. The answer is a `Loss`, so theory applies to it.
    """
    loss = get_loss(loss) if isinstance(loss, str) else loss
    for label, value in (("real", real), ("fake", fake)):
        if not 0 <= value <= 1:
            raise GantheoryError(f"label {label}={value!r} must lie between 0 and 1")

    def mixture(label: float) -> str:
        terms = [f"{w!r}*({p})" for w, p in ((label, loss.real), (1 - label, loss.fake)) if w]
        return " + ".join(terms)

    name = f"{loss.name}-labels-{real:g}-{fake:g}"
    return replace(loss, name=name, real=mixture(real), fake=mixture(fake), title="", claims=())


@dataclass(frozen=True, eq=False)
class _Key:
    """A game as a dictionary key: equal when its formulas are."""

    loss: Loss

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.loss == other.loss

    def __hash__(self) -> int:
        return hash((self.loss.name, self.loss.real, self.loss.fake, self.loss.generator))


def _payoff(loss: Loss | str, part: str, parameters: Mapping[str, float] | None) -> Payoff:
    return Payoff(to_sympy(getattr(bound(loss, parameters), part)))


@lru_cache(maxsize=256)
def _compiled(key: _Key) -> TorchLoss:
    loss = key.loss
    payoffs = [to_sympy(text) for text in (loss.real, loss.fake, loss.generator)]
    best = min(_maps(loss), key=lambda score: _overflows(score, payoffs))
    composed = [Payoff(payoff.xreplace({t: best})) for payoff in payoffs]
    return TorchLoss(loss, Payoff(best), *composed)


def _maps(loss: Loss) -> list[Expr]:
    """Return smooth increasing maps from the real line onto the inside of the game's domain."""
    ends = interval(loss.domain)
    lower, upper = (end_of_domain(end) for end in (ends.lower, ends.upper))
    match lower.is_finite, upper.is_finite:
        case True, True:
            return [lower + (upper - lower) * sigmoid(t)]
        case True, False:
            return [lower + sympy.exp(t), lower + softplus(t)]
        case False, True:
            return [upper - sympy.exp(-t), upper - softplus(-t)]
    return [t]


def end_of_domain(tree: ast.expr) -> Expr:
    """Return an end of a domain as a number, perhaps infinite."""
    infinite = {"oo": sympy.oo, "inf": sympy.oo, "-oo": -sympy.oo, "-inf": -sympy.oo}
    text = ast.unparse(tree)
    return infinite[text] if text in infinite else to_sympy(tree)


def _overflows(score: Expr, payoffs: list[Expr]) -> int:
    """Count non-finite values and slopes of the composed payoffs at outputs up to 800."""
    outputs = torch.linspace(-800, 800, 161)
    composed = [Payoff(payoff.xreplace({t: score})) for payoff in payoffs]
    results = [f(outputs) for payoff in composed for f in (payoff, payoff.slope)]
    return sum(int((~result.isfinite()).sum()) for result in results)
