r"""The Wasserstein-1 distance on the line and its derivatives.

.. math:: W_1 = \int |F_p - F_q|\,dx, \qquad
          \partial_\theta W_1 = \int q\,v_\theta\,\mathrm{sign}(F_p - F_q)\,dx

where v is how fast a quantile of q moves with the parameter. For two members of one
location-scale family the distance is E abs(a + bZ), which loses nothing when they are close.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.univariate import Univariate
from gantheory.numeric.inputs import input_noise
from gantheory.numeric.integrals import integral_of, panels_of
from gantheory.numeric.line import finished, split_parameter
from gantheory.numeric.panels import Panels, level_crossings, rays
from gantheory.numeric.quadrature import EPS, Samples, integrate
from gantheory.records import Estimate

# SciPy's distribution functions are held to this relative error by their own tests.
CDF_NOISE = 1e-14


def w1(p: Univariate, q: Univariate, wrt: str | None = None) -> Estimate:
    """Return W1 between two laws on the line, or its derivative in one parameter.

    Args:
        p: the data density; it needs a distribution function.
        q: the generator's density.
        wrt: ``"q.loc"``, ``"p.scale"``, ... for the derivative.
    """
    if wrt:
        law, parameter = split_parameter(wrt)
        p, q = (p, q) if law == "q" else (q, p)
    if p == q:
        reason = "W1 has a kink where the two laws are equal, so it has no derivative there"
        return Estimate.undetermined(reason) if wrt else Estimate(0.0, method="closed form")
    line = _line(p, q)
    if (answer := _without_mean(p, q, line)) is not None:
        if not wrt:
            return answer
        return Estimate.undetermined(f"W1 has no derivative here: its value is {answer}")
    if line and not line.slope and not wrt:
        error = (EPS + input_noise(p, q)) * abs(line.offset)
        return Estimate(abs(line.offset), error, method="closed form")
    return _integrated(p, q, line, parameter if wrt else None)


@dataclass(frozen=True)
class _Line:
    """The optimal coupling of one location-scale family: y − x = offset + slope·z."""

    offset: float
    slope: float

    def at(self, z: Array) -> Array:
        """Return how far mass at the standard point z is moved."""
        return self.offset + (self.slope * z if self.slope else np.zeros_like(z))


def _line(p: Univariate, q: Univariate) -> _Line | None:
    ours, theirs = p.standard_form(), q.standard_form()
    if ours is None or theirs is None or ours[0] != theirs[0]:
        return None
    return _Line(theirs[1] - ours[1], theirs[2] - ours[2])


def _without_mean(p: Univariate, q: Univariate, line: _Line | None) -> Estimate | None:
    """Decide whether W1 is infinite; a pure shift costs its distance whatever the tails."""
    if line and not line.slope:
        return None
    for end, side in ((-math.inf, +1), (math.inf, -1)):
        tails = [d.tail(end, side) for d in (p, q) if d.support[side < 0] == end]
        if any(tail is None for tail in tails):
            return Estimate.undetermined(
                f"a tail at {end:g} is not known, so W1 may be infinite; state the tails"
            )
        heavy = [t.log for t in tails if t and not (t.rate or t.square or t.linear or t.logsquare)]
        without = [power for power in heavy if power >= -2]
        if not without:
            continue
        if len(without) == 2 and without[0] == without[1] and line is None:
            return Estimate.undetermined(
                f"p and q both lack a mean toward {end:g}, with the same order of decay; "
                "whether their tails cancel is not decided"
            )
        return Estimate.infinite(
            f"no mean: a density falls like abs(x)^{max(without):g} at {end:g}"
        )
    return None


def _integrated(p: Univariate, q: Univariate, line: _Line | None, name: str | None) -> Estimate:
    sample = _Sampler(p, q, line, name)
    panels, log_left, resolved = panels_of(sample, rays(p, q))
    with np.errstate(all="ignore"):
        owner, root, _ = level_crossings(panels, sample.moved, (0.0,))
    sums = integrate(sample, panels.split(owner, root))
    found = integral_of(sums, 0, log_left[0], bool(resolved[0]))
    if not found.resolved or not math.isfinite(found.error):
        return Estimate.undetermined(
            "the integral of W1 does not settle; its tails decay too slowly"
        )
    return finished(found, input_noise(p, q), p, q)


@dataclass(frozen=True)
class _Sampler:
    """|F_p − F_q| or its derivative's integrand at nodes."""

    p: Univariate
    q: Univariate
    line: _Line | None
    name: str | None

    @property
    def outputs(self) -> tuple[None]:
        """One integrand."""
        return (None,)

    def moved(self, panels: Panels, xi: Array) -> Array:
        """Return F_p − F_q, or the coupling's displacement: the sign is that of q's distance."""
        at, _ = panels.at(xi)
        if self.line:
            return self.line.at(self._standard(at.x))
        return self._difference(at.x)[0]

    def _standard(self, x: Array) -> Array:
        form = self.q.standard_form()
        assert form is not None
        return (x - form[1]) / form[2]

    def _difference(self, x: Array) -> tuple[Array, Array]:
        """Return F_p − F_q and its rounding error, from the tail in which x lies."""
        below = self.p.cdf(x), self.q.cdf(x)
        above = self.p.sf(x), self.q.sf(x)
        low = below[0] + below[1] < 1
        difference = np.where(low, below[0] - below[1], above[1] - above[0])
        size = np.where(low, below[0] + below[1], above[0] + above[1])
        return difference, CDF_NOISE * size

    def __call__(self, panels: Panels, xi: Array) -> Samples:
        with np.errstate(all="ignore"):
            at, weight = panels.at(xi)
            log_q = self.q.log_density(at)
            noise = EPS * (8 + np.abs(np.where(np.isfinite(log_q), log_q, 0.0)))
            if self.name:
                mantissa = self.q.velocity(self.name, at.x) * np.sign(self.moved(panels, xi))
                weight = weight + log_q
            elif self.line:
                mantissa = np.abs(self.line.at(self._standard(at.x)))
                weight = weight + log_q
            else:
                difference, error = self._difference(at.x)
                mantissa = np.abs(difference)
                noise = error / np.maximum(mantissa, 1e-300)
        dead = ~np.isfinite(mantissa) | np.isnan(weight)
        weight = np.where(dead, -np.inf, weight)
        mantissa = np.where(dead, 0.0, mantissa)
        return Samples(weight[None], mantissa[None], np.minimum(noise, 1.0)[None])


__all__ = ["w1"]
