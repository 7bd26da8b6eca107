"""Analytic laws in ball arithmetic: the log-density on the complex plane and bounds on its tails.

Each law knows three things that a rigorous integral needs: its log-density as an analytic
function, an upper bound on what its tail beyond x carries of \\|x\\|^k, and an upper bound on how
fast \\|log density\\| grows. Parameters are taken exactly as they are stored: a float is a binary64
number, here as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import flint
from flint import acb, arb

from gantheory.exact.arb import exact_ball, softplus

LEFT, RIGHT = -1, 1
Growth = dict[Fraction, arb]  # exponent k -> coefficient c: |log density| <= sum of c |x|^k

CONSTANT, ROOT, LINEAR, SQUARE = Fraction(0), Fraction(1, 2), Fraction(1), Fraction(2)


@dataclass(frozen=True)
class AnalyticLaw:
    """A location-scale law on the whole line; z = (x − loc)/scale."""

    loc: Any
    scale: Any

    support: tuple[Any, Any] | None = None
    kinks: tuple[Any, ...] = ()
    heavy = False

    def z(self, x: Any) -> Any:
        """Return the standardised argument."""
        return (x - exact_ball(self.loc)) / exact_ball(self.scale)

    def log_density(self, x: acb, analytic: bool) -> acb:
        """Return the analytic continuation of the log-density."""
        raise NotImplementedError

    def rate(self, y: arb, side: int) -> arb:
        """Return a lower bound of −d log p/dy for \\|x\\| ≥ y on one side."""
        raise NotImplementedError

    def growth(self, side: int) -> Growth | None:
        """Return what bounds \\|log p\\| on one side, or None where no power of \\|x\\| does."""
        raise NotImplementedError

    def steepest(self, side: int) -> arb:
        """Return an upper bound of −d log p/d\\|x\\| everywhere on one side."""
        return arb.pos_inf()

    @property
    def reach(self) -> float:
        """An \\|x\\| beyond which the bounds on a side hold."""
        return 2 * abs(float(self.loc)) + float(self.scale)

    def tail(self, power: Fraction, y: arb, side: int) -> arb:
        r"""Return an upper bound of ∫ p \|x\|^k over \|x\| > y on one side, or a non-finite ball.

        From y on, log(p·\|x\|^k) falls at least as fast as its slope bound at y.
        """
        rate = self.rate(y, side) - exact_ball(power) / y
        if not rate > 0:
            return arb.pos_inf()
        at_y = self.log_density(acb(side * y), False).real.exp()
        return at_y * y ** exact_ball(power) / rate

    def polynomial(self, constant: arb, linear: arb, square: arb) -> Growth:
        """Return the growth of constant + linear·\\|z\\| + square·z² in powers of \\|x\\|."""
        loc, scale = abs(exact_ball(self.loc)), exact_ball(self.scale)
        return {
            CONSTANT: constant + linear * loc / scale + square * (loc / scale) ** 2,
            LINEAR: linear / scale + 2 * square * loc / scale**2,
            SQUARE: square / scale**2,
        }


class AnalyticNormal(AnalyticLaw):
    """The normal law; scale is the standard deviation."""

    def log_density(self, x: acb, analytic: bool) -> acb:
        return -(self.z(x) ** 2) / 2 - (exact_ball(self.scale) * (2 * arb.pi()).sqrt()).log()

    def rate(self, y: arb, side: int) -> arb:
        return (y - side * exact_ball(self.loc)) / exact_ball(self.scale) ** 2

    def growth(self, side: int) -> Growth:
        constant = abs((exact_ball(self.scale) * (2 * arb.pi()).sqrt()).log())
        return self.polynomial(constant, arb(0), arb(1) / 2)


class AnalyticLaplace(AnalyticLaw):
    """The Laplace law, analytic on either side of its kink."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinks", (self.loc,))

    def log_density(self, x: acb, analytic: bool) -> acb:
        return -acb(self.z(x)).real_abs(analytic=analytic) - (2 * exact_ball(self.scale)).log()

    def rate(self, y: arb, side: int) -> arb:
        return 1 / exact_ball(self.scale) if y > side * exact_ball(self.loc) else arb(0)

    def steepest(self, side: int) -> arb:
        return 1 / exact_ball(self.scale)

    def growth(self, side: int) -> Growth:
        return self.polynomial(abs((2 * exact_ball(self.scale)).log()), arb(1), arb(0))


class AnalyticLogistic(AnalyticLaw):
    """The logistic law."""

    def log_density(self, x: acb, analytic: bool) -> acb:
        z = self.z(x)
        return -z - 2 * softplus(-z, analytic) - exact_ball(self.scale).log()

    def rate(self, y: arb, side: int) -> arb:
        return (side * self.z(side * y) / 2).tanh() / exact_ball(self.scale)

    def steepest(self, side: int) -> arb:
        return 1 / exact_ball(self.scale)

    def growth(self, side: int) -> Growth:
        constant = abs(exact_ball(self.scale).log()) + 2 * arb.const_log2()
        return self.polynomial(constant, arb(1), arb(0))


class AnalyticGumbel(AnalyticLaw):
    """The Gumbel law of maxima: its left tail falls double-exponentially."""

    def log_density(self, x: acb, analytic: bool) -> acb:
        z = self.z(x)
        return -z - (-z).exp() - exact_ball(self.scale).log()

    def rate(self, y: arb, side: int) -> arb:
        return side * (1 - (-self.z(side * y)).exp()) / exact_ball(self.scale)

    def steepest(self, side: int) -> arb:
        return 1 / exact_ball(self.scale) if side == RIGHT else arb.pos_inf()

    def growth(self, side: int) -> Growth | None:
        if side == LEFT:
            return None
        scale = exact_ball(self.scale)
        # beyond |x| >= |loc|, which every window contains, z >= 0 and e^-z <= 1
        return self.polynomial(abs(scale.log()) + 1, arb(1), arb(0))


@lru_cache(maxsize=64, typed=True)
def _t_constant(df: Any, scale: Any, precision: int) -> arb:
    df, scale = exact_ball(df), exact_ball(scale)
    log_beta = ((df + 1) / 2).lgamma() - (df / 2).lgamma()
    return log_beta - (arb.pi() * df).sqrt().log() - scale.log()


@dataclass(frozen=True)
class AnalyticStudentT(AnalyticLaw):
    """Student's t law with ``df`` degrees of freedom: power tails."""

    df: Any = 1
    heavy = True

    def constant(self) -> arb:
        """Return the logarithm of the density's maximum."""
        return _t_constant(self.df, self.scale, flint.ctx.prec)

    def log_density(self, x: acb, analytic: bool) -> acb:
        # by its linear factors: the square of a wide ball would cover the branch cut
        df, w = exact_ball(self.df), acb(0, 1) * self.z(x) / exact_ball(self.df).sqrt()
        logs = (1 + w).log(analytic=analytic) + (1 - w).log(analytic=analytic)
        return self.constant() - (df + 1) / 2 * logs

    def rate(self, y: arb, side: int) -> arb:
        return arb(0)  # it falls slower than any exponential

    def steepest(self, side: int) -> arb:
        return (exact_ball(self.df) + 1) / (2 * exact_ball(self.df).sqrt() * exact_ball(self.scale))

    def tail(self, power: Fraction, y: arb, side: int) -> arb:
        # p <= e^constant df^((df+1)/2) |z|^-(df+1), and |x| <= 2 scale |z| once scale |z| >= |loc|
        df, scale, k = exact_ball(self.df), exact_ball(self.scale), exact_ball(power)
        z = side * self.z(side * y)
        if not (df > k and z * scale >= abs(exact_ball(self.loc)) and z > 0):
            return arb.pos_inf()
        size = self.constant().exp() * scale * df ** ((df + 1) / 2) * (2 * scale) ** k
        return size * z ** (k - df) / (df - k)

    def growth(self, side: int) -> Growth:
        # log(1 + w²) <= 2 log(1 + w) <= 4 √w with w = |z|/√df, and √(a + b) <= √a + √b
        df, scale, loc = exact_ball(self.df), exact_ball(self.scale), abs(exact_ball(self.loc))
        slope = 2 * (df + 1) / (scale * df.sqrt()).sqrt()
        return {CONSTANT: abs(self.constant()) + slope * loc.sqrt(), ROOT: slope}


@dataclass(frozen=True)
class LogGamma(AnalyticLaw):
    """The law of log X for a gamma law of X: loc is the log of its scale."""

    shape: Any = 1

    def log_density(self, x: acb, analytic: bool) -> acb:
        k, y = exact_ball(self.shape), x - exact_ball(self.scale).log()
        return k * y - y.exp() - k.lgamma()

    def rate(self, y: arb, side: int) -> arb:
        grown = (side * y - exact_ball(self.scale).log()).exp()
        return grown - exact_ball(self.shape) if side == RIGHT else exact_ball(self.shape) - grown

    def steepest(self, side: int) -> arb:
        return exact_ball(self.shape) if side == LEFT else arb.pos_inf()

    @property
    def reach(self) -> float:
        return abs(float(exact_ball(self.scale).log())) + 1

    def growth(self, side: int) -> Growth | None:
        if side == RIGHT:
            return None
        k, log_scale = exact_ball(self.shape), abs(exact_ball(self.scale).log())
        # to the left of every window's end, log(scale) − 1 at the latest, e^y/scale is below 1
        return {CONSTANT: abs(k.lgamma()) + k * log_scale + 1, LINEAR: k}


@dataclass(frozen=True)
class LogitBeta(AnalyticLaw):
    """The law of log X/(1 − X) for a beta law of X; loc and scale are its a and b."""

    def log_density(self, x: acb, analytic: bool) -> acb:
        a, b = exact_ball(self.loc), exact_ball(self.scale)
        log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
        return -a * softplus(-x, analytic) - b * softplus(x, analytic) - log_beta

    def rate(self, y: arb, side: int) -> arb:
        near, far = exact_ball(self.scale), exact_ball(self.loc)
        near, far = (near, far) if side == RIGHT else (far, near)
        return near / (1 + (-y).exp()) - far / (1 + y.exp())

    def steepest(self, side: int) -> arb:
        return exact_ball(self.scale) if side == RIGHT else exact_ball(self.loc)

    def growth(self, side: int) -> Growth:
        a, b = exact_ball(self.loc), exact_ball(self.scale)
        log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
        return {CONSTANT: abs(log_beta) + (a + b) * arb.const_log2(), LINEAR: a + b}


@dataclass(frozen=True)
class AnalyticUniform(AnalyticLaw):
    """The uniform law on [loc, loc + scale] written by its ends a, b."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "support", (self.loc, self.scale))

    def log_density(self, x: acb, analytic: bool) -> acb:
        return acb(-(exact_ball(self.scale) - exact_ball(self.loc)).log())

    def tail(self, power: Fraction, y: arb, side: int) -> arb:
        return arb(0)  # every window contains the support

    @property
    def reach(self) -> float:
        return max(abs(float(self.loc)), abs(float(self.scale)))

    def growth(self, side: int) -> Growth:
        return {CONSTANT: abs((exact_ball(self.scale) - exact_ball(self.loc)).log())}


@dataclass(frozen=True)
class AnalyticMixture:
    """A mixture of laws on the whole line."""

    weights: tuple[Any, ...]
    parts: tuple[AnalyticLaw, ...]
    support = None

    @property
    def kinks(self) -> tuple[Any, ...]:
        """Return the kinks of all components."""
        return tuple(kink for part in self.parts for kink in part.kinks)

    @property
    def heavy(self) -> bool:
        """Whether any component has power tails."""
        return any(part.heavy for part in self.parts)

    def log_density(self, x: acb, analytic: bool) -> acb:
        """Return the log-density with the dominant component factored out."""
        logs = [
            exact_ball(weight).log() + part.log_density(x, analytic)
            for weight, part in zip(self.weights, self.parts, strict=True)
        ]
        top = max(range(len(logs)), key=lambda k: float(logs[k].real.mid()))
        others = [(log - logs[top]).exp() for k, log in enumerate(logs) if k != top]
        return logs[top] + (1 + sum(others, acb(0))).log(analytic=analytic)

    def tail(self, power: Fraction, y: arb, side: int) -> arb:
        """Return the weighted sum of the components' tails."""
        pairs = zip(self.weights, self.parts, strict=True)
        return sum((exact_ball(w) * part.tail(power, y, side) for w, part in pairs), arb(0))

    def growth(self, side: int) -> Growth | None:
        """Return the sum of the components' growths: w_k p_k ≤ p ≤ Σ p_k bounds \\|log p\\|."""
        total: Growth = {
            CONSTANT: -exact_ball(min(self.weights)).log() + arb(len(self.parts)).log()
        }
        for part in self.parts:
            growth = part.growth(side)
            if growth is None:
                return None
            for power, size in growth.items():
                total[power] = total.get(power, arb(0)) + size
        return total


Analytic = AnalyticLaw | AnalyticMixture


def analytic_parts(one: Analytic) -> tuple[AnalyticLaw, ...]:
    """Return the components of a mixture, or the law itself."""
    return one.parts if isinstance(one, AnalyticMixture) else (one,)
