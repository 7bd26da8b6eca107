"""Measurements of a discriminator and of a generator's gradient, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gantheory.densities.base import Density
from gantheory.densities.images import AffineImage
from gantheory.densities.inherited import of_family
from gantheory.densities.mixing import AnyMixture
from gantheory.densities.mixtures import Mixture
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError
from gantheory.functions import to_sympy
from gantheory.losses import bound
from gantheory.losses.loss import Loss
from gantheory.records import Estimate
from simulations.compare import ERROR_PROBABILITY, mean_of
from simulations.data import as_density, bulk, quantile, stratified
from simulations.losses import Payoff
from simulations.quadrature import BEYOND, integral
from simulations.theory import predict

Array = NDArray[np.float64]
Discriminator = Callable[[Tensor], Tensor]  # points (..., dim) -> scores t (...)
_CHUNK = 65536  # points at once: the hidden layers of a 32-32 network then fit the cache


@dataclass(frozen=True)
class Budget:
    """How much is sampled: R independent replicates of n stratified points each.

    ``error_probability`` is the chance that one interval misses the truth.
    """

    replicates: int = 1024
    strata: int = 1024
    error_probability: float = ERROR_PROBABILITY

    @property
    def shape(self) -> tuple[int, int]:
        """Return (R, n)."""
        return self.replicates, self.strata


def value(
    loss: Loss | str,
    discriminator: Discriminator,
    p: Density | str,
    q: Density | str,
    *,
    seed: int,
    budget: Budget = Budget(),
    parameters: Mapping[str, float] | None = None,
) -> Estimate:
    """Return V(D) = E_p[a(t)] + E_q[b(t)] in nats, measured on fresh stratified samples."""
    definition = bound(loss, parameters)
    rng = np.random.default_rng(seed)
    means = np.zeros(budget.replicates)
    for law, text in ((p, definition.real), (q, definition.fake)):
        points, weights = _sampled(law, rng, budget)
        means += _row_means(_payoff_of(text, discriminator), points, weights)
    return mean_of(means, budget.error_probability, _METHOD, 2 * math.prod(budget.shape))


def integrated_value(
    loss: Loss | str,
    discriminator: Discriminator,
    p: Density | str,
    q: Density | str,
    *,
    parameters: Mapping[str, float] | None = None,
) -> Estimate:
    """Return the same V(D) by quadrature in x: no samples at all (see `simulations.quadrature`)."""
    definition = bound(loss, parameters)
    ends = [bulk(as_density(law), BEYOND) for law in (p, q)]
    # What D gives where only q has mass may weigh under p too: -exp(-t) is there -q/p.
    whole = min(low for low, _ in ends), max(high for _, high in ends)
    parts = [
        _expectation(law, text, discriminator, whole)
        for law, text in ((p, definition.real), (q, definition.fake))
    ]
    if lost := next((part for part in parts if not part.is_finite), None):
        return lost
    return Estimate(
        sum(part.value for part in parts),
        sum(part.error for part in parts),
        method="quadrature of the trained D",
    )


def _expectation(
    law: Density | str, text: str, discriminator: Discriminator, ends: tuple[float, float]
) -> Estimate:
    return integral(law, _payoff_of(text, discriminator), ends)


def _payoff_of(text: str, discriminator: Discriminator) -> Callable[[Tensor], Tensor]:
    payoff = Payoff(to_sympy(text))
    return lambda x: payoff.measured(discriminator(x))


def generator_payoff(loss: Loss | str, parameters: Mapping[str, float] | None = None) -> Payoff:
    """Return the generator's loss c as a torch function of the score."""
    return Payoff(to_sympy(bound(loss, parameters).generator))


def generator_gradient(
    loss: Loss | str,
    discriminator: Discriminator,
    q: Density | str,
    wrt: str,
    *,
    seed: int,
    budget: Budget = Budget(),
    parameters: Mapping[str, float] | None = None,
) -> Estimate:
    """Return dE_q[c(t(x))]/dθ by autograd through samples x = G_θ(z), this D held fixed.

    ``wrt`` is ``"q.loc"`` or ``"q.scale"``: G moves a sample of q by a shift or about its
    location. The interval is for the gradient that this very discriminator gives.
    """
    law, name = as_density(q), _parameter(q, wrt)
    payoff = generator_payoff(loss, parameters)
    points, weights = _sampled(law, np.random.default_rng(seed), budget)
    parts = zip(_chunks(points), _chunks(weights), strict=True)
    gradients = np.concatenate(
        [_pathwise(payoff, discriminator, law, name, x, weight) for x, weight in parts]
    )
    return mean_of(gradients, budget.error_probability, _PATHWISE, math.prod(budget.shape))


def frozen_gradient(
    loss: Loss | str,
    p: Density | str,
    q: Density | str,
    wrt: str = "q.loc",
    *,
    discriminator: Discriminator | None = None,
    seed: int,
    budget: Budget = Budget(),
    parameters: Mapping[str, float] | None = None,
) -> Estimate:
    """Measure the generator's gradient at the optimal discriminator, by autograd.

    With ``discriminator=None`` D* itself is frozen. With a trained one the error also holds
    `gradient_gap`, the most that its distance from D* can move the gradient.
    """
    best = predict(loss, parameters).optimal_discriminator(p, q)
    frozen = discriminator or best
    sampled = generator_gradient(
        loss, frozen, q, wrt, seed=seed, budget=budget, parameters=parameters
    )
    if discriminator is None:
        return sampled
    gap = gradient_gap(loss, discriminator, p, q, wrt, parameters=parameters)
    return replace(
        sampled,
        error=sampled.error + gap.value + gap.error,
        method=f"{_PATHWISE}; error includes the Cauchy-Schwarz bound of D against D*",
    )


def gradient_gap(
    loss: Loss | str,
    discriminator: Discriminator,
    p: Density | str,
    q: Density | str,
    wrt: str,
    *,
    parameters: Mapping[str, float] | None = None,
    best: Discriminator | None = None,
) -> Estimate:
    r"""Bound how far this discriminator's gradient can lie from that of D*, or of ``best``.

    Integrating by parts, the two frozen gradients differ by :math:`E_q[s\,(c(t)-c(t^*)-k)]` with
    s = ∂ log q/∂θ and any constant k (since E_q[s] = 0), hence by at most

    .. math:: \sqrt{E_q[s^2]}\,\sqrt{E_q[(c(t)-c(t^*)-k)^2]} .

    Both factors are integrated in x, so the bound rests on no sample.
    """
    law, name = as_density(q), _parameter(q, wrt)
    best = best or predict(loss, parameters).optimal_discriminator(p, q)
    payoff = generator_payoff(loss, parameters)

    def change(x: Tensor) -> Tensor:
        return payoff(discriminator(x)) - payoff(best(x))

    def score(x: Tensor) -> Tensor:
        return torch.from_numpy(law.score(name, x[..., 0].numpy()))

    k = integral(law, change).value
    variance = integral(law, lambda x: (change(x) - k) ** 2)
    information = integral(law, lambda x: score(x) ** 2)
    middle = math.sqrt(variance.value * information.value)
    upper = math.sqrt((variance.value + variance.error) * (information.value + information.error))
    return Estimate(middle, upper - middle, method="Cauchy-Schwarz, by quadrature")


@dataclass(frozen=True)
class MeasuredDistance:
    """How far a discriminator is from the optimal one, in the output that papers call D(x).

    ``l2`` is the root mean square under m = (p + q)/2, by quadrature; ``sup`` the largest
    difference on a grid of quantiles of p and q from 0.001 to 0.999.
    """

    l2: Estimate
    sup: Estimate


def discriminator_distance(
    loss: Loss | str,
    discriminator: Discriminator,
    p: Density | str,
    q: Density | str,
    *,
    parameters: Mapping[str, float] | None = None,
) -> MeasuredDistance:
    """Measure the distance between D(x) and D*(x)."""
    definition = bound(loss, parameters)
    best = predict(loss, parameters).optimal_discriminator(p, q)
    link = Payoff(to_sympy(definition.link))

    def difference(x: Tensor) -> Tensor:
        return link(discriminator(x)) - link(best(x))

    squares = [integral(law, lambda x: difference(x) ** 2) for law in (p, q)]
    mean, error = (sum(getattr(part, k) for part in squares) / 2 for k in ("value", "error"))
    root = math.sqrt(max(mean, 0.0))
    levels = np.linspace(0.001, 0.999, 999)
    places = np.concatenate([quantile(as_density(law), levels) for law in (p, q)])
    largest = float(np.abs(_evaluate(difference, places[None, :, None])).max())
    return MeasuredDistance(
        Estimate(root, math.sqrt(max(mean, 0.0) + error) - root, method="quadrature"),
        Estimate(largest, 0.0, method="largest on a grid of quantiles"),
    )


def normal_jsd(loc: Array, scale: Array) -> Array:
    """Return JSD(N(0, 1), N(loc, scale)) in nats for whole arrays of normals, by the trapezoid.

    Each half is an expectation over z in [−10, 10] in steps of 1/400, exact to 1e-9 for scales
    from 0.03 to 30: what follows an ensemble at every step, where `gantheory.divergence` would
    give each law its own adaptive integral.
    """
    z = np.linspace(-10, 10, 8001)
    weights = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    loc, scale = np.asarray(loc)[..., None], np.abs(np.asarray(scale))[..., None]

    def log_ratio(x: Array) -> Array:  # log p − log q
        return np.asarray(-(x**2) / 2 + ((x - loc) / scale) ** 2 / 2 + np.log(scale))

    under_p = np.log(2) - np.logaddexp(0, -log_ratio(np.broadcast_to(z, loc.shape[:-1] + z.shape)))
    under_q = np.log(2) - np.logaddexp(0, log_ratio(loc + scale * z))
    return np.asarray(((under_p + under_q) * weights).sum(axis=-1) / 2)


def outputs(
    loss: Loss | str,
    discriminator: Discriminator,
    x: Array,
    parameters: Mapping[str, float] | None = None,
) -> Array:
    """Return what papers call D(x), the link of the score, at points x of shape (n,)."""
    link = Payoff(to_sympy(bound(loss, parameters).link))
    with torch.no_grad():
        return np.asarray(link(discriminator(torch.from_numpy(x)[:, None])).numpy())


_METHOD = "fresh stratified and weighted samples, replicates, Student's t with skewness"
_PATHWISE = "autograd through weighted samples, replicates, Student's t with skewness"


def _sampled(
    density: Density | str, rng: np.random.Generator, budget: Budget
) -> tuple[Array, Array]:
    """Return R replicates of n points (R, n, dim) and their weights (R, n), of mean 1.

    On the line they are stratified, and half of them come from the law twice as wide, each weighted
    by the ratio of the law to the mean of both (the balance heuristic of Veach and Guibas, 1995,
    SIGGRAPH). No weight exceeds 2, and a payoff that grows in the tails does not rest on the few
    samples that a law sends there.
    """
    law = as_density(density)
    if not isinstance(law, Univariate):
        points = law.sample(rng, math.prod(budget.shape)).reshape(*budget.shape, law.dim)
        return points, np.ones(budget.shape)
    if (wide := _twice_as_wide(law)) is None:
        return stratified(law, rng, budget.shape)[..., None], np.ones(budget.shape)
    half = budget.strata // 2
    sizes = (law, budget.strata - half), (wide, half)
    x = np.concatenate([stratified(d, rng, (budget.replicates, n)) for d, n in sizes], axis=1)
    log_law = law.logpdf(x)
    either = [np.log(n / budget.strata) + d.logpdf(x) for d, n in sizes]
    return x[..., None], np.exp(log_law - np.logaddexp(*either))


def _twice_as_wide(law: Univariate) -> Univariate | None:
    """Return the law stretched about its median, or about its only end; None where it has two."""
    if of_family(law, AnyMixture):
        parts = [_twice_as_wide(part) or part for part in law.parts]
        return Mixture(law.weights, tuple(parts))
    ends = [end for end in law.support if math.isfinite(end)]
    if len(ends) == 2:
        return None
    centre = ends[0] if ends else float(quantile(law, np.array([0.5]))[0])
    return AffineImage(law, -centre, 2.0)


def _chunks(points: Array) -> list[Tensor]:
    rows = max(1, _CHUNK // points.shape[1])
    return list(torch.from_numpy(np.ascontiguousarray(points)).split(rows))


def _evaluate(function: Callable[[Tensor], Tensor], points: Array) -> Array:
    with torch.no_grad():
        return np.concatenate([function(part).numpy() for part in _chunks(points)])


def _row_means(function: Callable[[Tensor], Tensor], points: Array, weights: Array) -> Array:
    return np.asarray((_evaluate(function, points) * weights).mean(axis=1))


def _parameter(q: Density | str, wrt: str) -> str:
    side, _, name = wrt.partition(".")
    law = as_density(q)
    moved = side == "q" and name in ("loc", "scale") and {name, "loc"} <= law.parameters.keys()
    if not moved or not isinstance(law.parameters[name], int | float):
        raise GantheoryError(
            f"wrt={wrt!r}: the generator moves 'q.loc' or 'q.scale', and {law} must have a "
            "location, and one number there"
        )
    return name


def _pathwise(
    payoff: Payoff,
    discriminator: Discriminator,
    law: Density,
    name: str,
    x: Tensor,
    weight: Tensor,
) -> Array:
    """Return one gradient for each row of x: every row's generator is a parameter of its own."""
    start = float(law.parameters[name])
    loc = torch.as_tensor(law.parameters["loc"], dtype=x.dtype)
    theta = torch.full((x.shape[0], 1, 1), start, dtype=x.dtype, requires_grad=True)
    moved = x + (theta - start) if name == "loc" else loc + theta * ((x - loc) / start)
    loss = (weight * payoff(discriminator(moved))).mean(-1).sum()
    if not loss.requires_grad:  # D is a sum of steps: flat wherever it has a slope at all
        return np.zeros(x.shape[0])
    (gradient,) = torch.autograd.grad(loss, theta)
    return gradient[:, 0, 0].numpy()


def integrated_penalty(discriminator: Discriminator, law: Density | str, weight: float) -> Estimate:
    """Return weight/2·E[t'(x)^2] under a law, by quadrature in x."""
    return integral(law, lambda x: 0.5 * weight * _slope(discriminator, x).square())


def integrated_gradient(
    loss: Loss | str, discriminator: Discriminator, q: Density | str
) -> Estimate:
    """Return dE_q[c(t(x))]/d loc = E_q[c'(t)·t'(x)] for this discriminator, by quadrature in x."""
    payoff = generator_payoff(loss)

    def pull(x: Tensor) -> Tensor:
        return _slope(lambda y: payoff(discriminator(y)), x)

    return integral(q, pull)


def _slope(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        (found,) = torch.autograd.grad(function(x).sum(), x)
    return found[..., 0]
