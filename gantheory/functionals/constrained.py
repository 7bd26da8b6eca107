r"""`optimal_critic` in a constrained class: the best critic of a linear objective, in numbers.

With the objective α·(E_p f − E_q f) and V its supremum, on the line

==================  ========================  =============================
class               f or f'                   V
==================  ========================  =============================
abs(f') ≤ K         f' = K·sign(F_q − F_p)    αK·W1
E_m f² ≤ 1          f = α(p − q)/(mV)         α·(∫ (p − q)²/m)^½
E_m f'² ≤ 1         f' = α(F_q − F_p)/(mV)    α·(∫ (F_q − F_p)²/m)^½
ball of a kernel    f = α(μ_p − μ_q)/V        α·MMD
==================  ========================  =============================

With f held G's loss −c·f moves by −c·∫ ∂q·f, which is the derivative of V only where the class
does not know q (envelope theorem).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from gantheory.compiled import compiled
from gantheory.critics.suprema import density_of_law, linear_part, mu, p, positive_size, q
from gantheory.densities import Density, parse_density
from gantheory.densities.base import Array
from gantheory.densities.univariate import Points, Univariate
from gantheory.errors import GantheoryError
from gantheory.functionals.kernels import KernelMean, mean_of_kernel
from gantheory.functionals.nodes import ROUNDING, Nodes, from_two_resolutions, nodes_of
from gantheory.functions import t, to_sympy
from gantheory.integrals.dispatch import divergence
from gantheory.integrals.transport.gaps import Gap
from gantheory.integrals.units import square_root
from gantheory.losses.critic import Critic
from gantheory.losses.function_classes import (
    GradientMoment,
    GradientPenalty,
    KernelBall,
    SecondMoment,
    Slope,
)
from gantheory.records import Estimate, Status
from gantheory.shown import Shown
from gantheory.wrt import parameter_of_q

METHOD = "two resolutions"
EQUAL = "the value is 0 within its error: no critic of the class is told from another"
BY_SLOPE = "this class is solved through f': ask for slope(x), f is its integral"
NO_SLOPE = "this class is solved for f itself: ask for score(x)"
NO_MASS = "the class's law has no mass where the two laws differ"
LIGHT = (
    "infinite, or beyond the range of binary64: the tails of the class's law are lighter than "
    "those of the two laws' difference"
)
OF_ONE_LAW = "only a law that is moved as a whole has its gradient here: {q} in {name}"


@dataclass(frozen=True, repr=False)
class ConstrainedCritic(Shown):
    """The best critic of a constrained class between two laws.

    Attributes:
        loss: the game.
        p: the data law.
        q: the generator's law.
        value: the supremum of the objective.
        mu: the law that the class is stated with, where there is one.

    >>> from gantheory.losses import find
    >>> best = constrained_critic(find("wasserstein"), "normal(0, 1)", "normal(1, 1)")
    >>> best.value.value, float(best.slope(0.5))
    (1.0, -1.0)
    """

    loss: Critic
    p: Density
    q: Density
    value: Estimate
    mu: Density | None = None

    @property
    def reason(self) -> str | None:
        """Why there is no critic, where there is none."""
        if not self.value.is_finite:
            return self.value.reason or "the value is infinite: no critic attains it"
        return EQUAL if self.value.value <= self.value.error else None

    def score(self, x: float) -> Estimate:
        """Return f(x), for the second moment and for kernels; f + c is as good for the latter."""
        constraint = self.loss.constraint
        if self.reason is not None:
            return Estimate.undetermined(self.reason)
        if isinstance(constraint, SecondMoment):
            found = float(self._on_densities(np.array([float(x)]))[0])
            return self._divided(Estimate(found, 8 * ROUNDING * abs(found)))
        if isinstance(constraint, KernelBall) and (kernel := self._kernel).radial is not None:
            return self._divided(kernel.witness(*self._line(), float(x)))
        raise GantheoryError(f"loss {self.loss.name!r}: {BY_SLOPE}")

    def slope(self, x: float) -> Estimate:
        """Return f'(x), for classes that bound f', and for the energy kernel."""
        if self.reason is not None:
            return Estimate.undetermined(self.reason)
        constraint = self.loss.constraint
        at = Points.at(np.array([float(x)]))
        gap = Gap(*self._line())
        with np.errstate(all="ignore"):
            read = gap.sign(at) if isinstance(constraint, Slope) else gap.at(at)
        found, doubt = (float(part[0]) for part in read)
        if isinstance(constraint, Slope):
            if abs(found) <= doubt:
                return Estimate.undetermined(f"F_p = F_q at x = {float(x):g}: f' may be anything")
            return Estimate(-np.sign(found) * float(positive_size(constraint.most)))
        if isinstance(constraint, GradientMoment):
            weight = float(self._weight(at.x)[0])
            return self._divided(Estimate(-found / weight, (doubt + ROUNDING) / weight))
        if isinstance(constraint, KernelBall) and (kernel := self._kernel).radial is None:
            factor = 2 * kernel.factor
            return self._divided(Estimate(-factor * found, factor * doubt))
        raise GantheoryError(f"loss {self.loss.name!r}: {NO_SLOPE}")

    def gradient(self, wrt: str = "q.loc") -> Estimate:
        """Return the derivative of the generator's loss in a parameter of q, with f held."""
        name = parameter_of_q(wrt)
        pull = sp.simplify(sp.diff(to_sympy(self.loss.generator), t))
        if not pull.is_number:
            raise GantheoryError(
                f"loss {self.loss.name!r}: G's loss {self.loss.generator} is not linear in f"
            )
        if self.reason is not None:
            return Estimate.undetermined(self.reason)
        constraint, factor = self.loss.constraint, -float(pull)  # of −∂E_q f
        if isinstance(constraint, Slope):
            slope = divergence("w1", self.p, self.q, wrt=wrt)
            return _scaled(slope, factor * float(positive_size(constraint.most)))
        if isinstance(constraint, KernelBall):
            kernel = self._kernel
            square = divergence(kernel.name, self.p, self.q)
            slope = square_root(square, divergence(kernel.name, self.p, self.q, wrt=wrt))
            return _scaled(slope, factor * kernel.factor**0.5)
        return self._divided(_scaled(self._moved(name), -factor))

    def as_dict(self, wrt: str | None = None) -> dict[str, Any]:
        """Return the stable JSON keys."""
        numbers = {"value": self.value}
        if wrt is not None:
            numbers["gradient"] = self.gradient(wrt)
        return {
            "loss": self.loss.name, "p": str(self.p), "q": str(self.q), "wrt": wrt,
            "mu": None if self.mu is None else str(self.mu),
            **{name: one.as_dict() for name, one in numbers.items()},
        }  # fmt: skip

    def __str__(self) -> str:
        also = "" if self.mu is None else f", mu = {self.mu}"
        return (
            f"{self.loss.name}: {self.loss.constraint}\non p = {self.p}, q = {self.q}{also}\n"
            f"value = {self.value}"
        )

    @cached_property
    def _factor(self) -> float:
        return balanced(self.loss)

    @cached_property
    def _kernel(self) -> KernelMean:
        assert isinstance(self.loss.constraint, KernelBall)
        return mean_of_kernel(self.loss.constraint.kernel)

    def _line(self) -> tuple[Univariate, Univariate]:
        if not isinstance(self.p, Univariate) or not isinstance(self.q, Univariate):
            raise GantheoryError(f"{self.p} and {self.q}: the critic is known on the line")
        return self.p, self.q

    def _divided(self, estimate: Estimate) -> Estimate:
        """Return α/V of a quantity, V = α·(the norm of the difference)."""
        norm = self.value.value / self._factor
        value = estimate.value / norm
        error = (estimate.error + abs(value) * self.value.error / self._factor) / norm
        return replace(estimate, value=value, error=error + ROUNDING * abs(value), method=METHOD)

    def _weight(self, x: Array) -> Array:
        """Return the density m of the class."""
        return _weight(self.loss, self.p, self.q, self.mu, x)

    def _on_densities(self, x: Array) -> Array:
        with np.errstate(all="ignore"):
            return (self.p.pdf(x) - self.q.pdf(x)) / self._weight(x)

    def _moved(self, name: str) -> Estimate:
        """Return V/α times the derivative of E_q f in a parameter of q, with f held."""
        first, second = self._line()
        gap = Gap(first, second)
        reason = ""

        def terms(nodes: Nodes) -> Array:
            nonlocal reason
            at = Points.at(nodes.x)
            with np.errstate(all="ignore"):
                if isinstance(self.loss.constraint, SecondMoment):
                    return nodes.terms("q", second.scores(name, at) * self._on_densities(nodes.x))
                velocity = second.velocity(name, at)
                if velocity is None:
                    reason = OF_ONE_LAW.format(q=second, name=name)
                    return np.zeros_like(nodes.x)
                return nodes.terms("q", velocity * -gap.at(at)[0] / self._weight(nodes.x))

        found = sum_of_nodes(nodes_of(first, second, self.mu), terms)
        return Estimate.undetermined(reason, METHOD) if reason else found


def constrained_critic(
    loss: Critic, p: Density | str, q: Density | str, mu: Density | str | None = None
) -> ConstrainedCritic:
    """Return the best critic of a linear objective in a constrained class between two laws.

    Raises:
        GantheoryError: for objectives and classes that have no numbers here, with the remedy.
    """
    first, second = parse_density(p), parse_density(q)
    third = None if mu is None else parse_density(mu)
    factor, constraint = balanced(loss), loss.constraint
    if isinstance(constraint, Slope):
        size = positive_size(constraint.most)
        if size.free_symbols:
            raise GantheoryError(f"loss {loss.name!r}: put a number in the place of {size}")
        value = _scaled(divergence("w1", first, second), factor * float(size))
    elif isinstance(constraint, KernelBall):
        kernel = mean_of_kernel(constraint.kernel)
        square = divergence(kernel.name, first, second)
        value = _scaled(square_root(square), factor * kernel.factor**0.5)
    else:
        value = _scaled(square_root(_square(loss, first, second, third)), factor)
    return ConstrainedCritic(loss, first, second, value, third)


def balanced(loss: Critic) -> float:
    """Return α of the objective α·(E_p f − E_q f).

    Raises:
        GantheoryError: for any other objective.
    """
    linear = linear_part(loss)
    if isinstance(loss.constraint, GradientPenalty):
        raise GantheoryError(
            f"loss {loss.name!r}: a penalised critic has numbers by optimal_discriminator("
            f"{loss.name!r}, p, q, regulariser='gp(10)'), on the command line --regulariser "
            "'gp(10)'; `derive` has its theory on two points"
        )
    if linear is None or not linear.balanced or linear.constant != 0 or not linear.real > 0:
        raise GantheoryError(
            f"loss {loss.name!r}: in a constrained class only objectives c*(E_p f - E_q f) are "
            "solved on laws; payoffs of a slope-bounded D have `optimal_discriminator` with "
            "regulariser='slope(K)'"
        )
    return float(linear.real)


def _square(loss: Critic, first: Density, second: Density, third: Density | None) -> Estimate:
    """Return ∫ (p − q)²/m, or ∫ (F_p − F_q)²/m."""
    constraint = loss.constraint
    if not isinstance(constraint, SecondMoment | GradientMoment):
        raise GantheoryError(
            f"loss {loss.name!r}: the best critic of the class {str(constraint)!r} has no numbers "
            "here; `derive` says what it reaches"
        )
    weight = density_of_law(constraint.law)
    if weight.has(mu) and third is None:
        raise GantheoryError(f"loss {loss.name!r}: its class needs the law mu; give mu=...")
    if isinstance(constraint, SecondMoment) and not weight.has(mu):
        ratio = sp.Symbol("r", positive=True)
        f = sp.simplify((ratio - 1) ** 2 / weight.subs({p: ratio, q: 1}, simultaneous=True))
        return divergence(str(f), first, second)
    if not isinstance(first, Univariate) or not isinstance(second, Univariate):
        raise GantheoryError(f"{first} and {second}: this class is solved on the line")
    gap = Gap(first, second)

    def terms(nodes: Nodes) -> Array:
        weights = _weight(loss, first, second, third, nodes.x)
        with np.errstate(all="ignore"):
            if isinstance(constraint, SecondMoment):
                size = first.pdf(nodes.x) - second.pdf(nodes.x)
            else:
                size = gap.at(Points.at(nodes.x))[0]
            return np.where(size == 0, 0.0, nodes.lengths * size * (size / weights))

    both = nodes_of(first, second, third)
    named = {p: first, q: second, mu: third}
    laws = [law for symbol, law in named.items() if weight.has(symbol) and law is not None]
    return _without_mass(laws, gap, both[1].x) or sum_of_nodes(both, terms)


def _without_mass(laws: list[Density], gap: Gap, x: Array) -> Estimate | None:
    """Return an infinite value where the class's law has no mass and the two laws differ."""
    with np.errstate(all="ignore"):
        bare = np.all([np.isneginf(law.logpdf(x)) for law in laws], axis=0)
        found, doubt = gap.at(Points.at(x))
    return Estimate.infinite(NO_MASS, METHOD) if np.any(bare & (abs(found) > doubt)) else None


def _weight(
    loss: Critic, first: Density, second: Density, third: Density | None, x: Array
) -> Array:
    constraint = loss.constraint
    assert isinstance(constraint, SecondMoment | GradientMoment)
    weight = compiled((p, q, mu), density_of_law(constraint.law))
    with np.errstate(all="ignore"):
        at = x if third is None else third.pdf(x)
        return np.asarray(weight(first.pdf(x), second.pdf(x), at) + np.zeros_like(x))


def sum_of_nodes(both: tuple[Nodes, Nodes], terms: Callable[[Nodes], Array]) -> Estimate:
    """Return a sum over nodes at two resolutions, with its error."""
    coarse, fine = (terms(nodes) for nodes in both)
    if not np.all(np.isfinite(fine)):
        return Estimate.undetermined(LIGHT, METHOD)
    size = float(np.abs(fine).sum())
    error = 64 * ROUNDING * size + both[1].at_ends(fine)
    return from_two_resolutions(float(fine.sum()), float(coarse.sum()), error, METHOD)


def _scaled(estimate: Estimate, factor: float) -> Estimate:
    if estimate.status is Status.UNDETERMINED or factor == 1:
        return estimate
    return replace(
        estimate, value=factor * estimate.value, error=abs(factor) * estimate.error, log_value=None
    )
