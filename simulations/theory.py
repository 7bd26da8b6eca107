"""What the theory predicts for one game and one pair of densities: the side to be met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy
from torch import Tensor

from gantheory.densities.base import Density
from gantheory.derivations import derive
from gantheory.errors import GantheoryError
from gantheory.functions import r, t
from gantheory.integrals import divergence
from gantheory.losses import bound
from gantheory.losses.loss import Loss
from gantheory.records import Estimate
from gantheory.theory.records import Curvature
from simulations.data import torch_logpdf
from simulations.losses import Payoff

Pointwise = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Prediction:
    """A game's theory, ready for densities: the optimal score and three divergences."""

    definition: Loss
    score: Pointwise  # t*(log r), in torch
    value: Curvature
    loss: Curvature
    followed: Curvature
    value_constant: float

    def optimal_discriminator(self, p: Density | str, q: Density | str) -> Pointwise:
        """Return D*: points (..., dim) -> scores t*(log p − log q) of shape (...)."""
        log_p, log_q = torch_logpdf(p), torch_logpdf(q)

        def scores(x: Tensor) -> Tensor:
            at = x[..., 0] if x.shape[-1] == 1 else x
            return self.score(log_p(at) - log_q(at))

        return scores

    def optimal_value(self, p: Density | str, q: Density | str) -> Estimate:
        """Return V(D*) by quadrature of the value's divergence, its constant added."""
        part = _integrate(self.value, p, q)
        return replace(part, value=part.value + self.value_constant)

    def followed_gradient(self, p: Density | str, q: Density | str, wrt: str) -> Estimate:
        """Return the derivative of the followed divergence in ``wrt`` by quadrature."""
        return _integrate(self.followed, p, q, wrt)

    def loss_value_gradient(self, p: Density | str, q: Density | str, wrt: str) -> Estimate:
        """Return the derivative of the loss's value at D*, which training need not follow."""
        return _integrate(self.loss, p, q, wrt)


def _integrate(
    curvature: Curvature, p: Density | str, q: Density | str, wrt: str | None = None
) -> Estimate:
    """Return the divergence with a derived curvature, or its derivative in ``wrt``.

    It is summed from the named divergences that the derivation found, where all are finite.
    """
    parts = {name: divergence(name, p, q, wrt=wrt) for name in curvature.terms}
    if not parts or not all(part.is_finite for part in parts.values()):
        return divergence(curvature, p, q, wrt=wrt)
    weights = {name: float(weight) for name, weight in curvature.terms.items()}
    return Estimate(
        sum(weights[name] * part.value for name, part in parts.items()),
        sum(abs(weights[name]) * part.error for name, part in parts.items()),
        method="quadrature",
    )


@lru_cache(maxsize=128)
def _predict(formulas: tuple[str, ...]) -> Prediction:
    real, fake, generator, domain, link = formulas
    loss = Loss("loss", real, fake, generator, domain, link)
    derivation = derive(loss)
    if derivation.optimum is None:
        raise GantheoryError(
            f"V = E_p[{real}] + E_q[{fake}] has no known optimal discriminator: "
            f"{derivation.no_optimum or 'the derivation is undecided'}"
        )
    if derivation.implicit is not None:
        raise GantheoryError(
            f"the optimal discriminator of E_p[{real}] + E_q[{fake}] has no closed form in p/q, so "
            "that a network is not compared with it; `gantheory derive --at` gives its values"
        )
    of_log_ratio = sympy.simplify(_as_steps(derivation.optimum.score).xreplace({r: sympy.exp(t)}))
    return Prediction(
        loss,
        Payoff(of_log_ratio),
        derivation.value,
        derivation.loss,
        derivation.followed,
        float(derivation.value.constant),
    )


def _as_steps(score: sympy.Expr) -> sympy.Expr:
    """Rewrite an optimum that is pieced together over ratios as a sum of steps in log r.

    At a boundary itself, where a whole interval of scores is optimal, the upper piece is taken.
    """
    if not isinstance(score, sympy.Piecewise):
        return score
    (result, condition), *rest = score.args
    before = result
    for piece, following in rest:
        if not isinstance(condition, sympy.StrictLessThan) or condition.lhs != r:
            raise GantheoryError(f"the optimum {score} is not pieced together over ratios")
        result += (piece - before) * sympy.Heaviside(sympy.log(r) - sympy.log(condition.rhs), 1)
        before, condition = piece, following
    return result


def predict(loss: Loss | str, parameters: Mapping[str, float] | None = None) -> Prediction:
    """Derive ``loss`` and make its optimum and divergences ready for numbers."""
    one = bound(loss, parameters)
    return _predict((one.real, one.fake, one.generator, one.domain, one.link))
