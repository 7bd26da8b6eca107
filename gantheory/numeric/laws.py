"""Analytic laws in ball arithmetic: the log-density on the complex plane and bounds on its tails.

Each law knows three things that a rigorous integral needs: its log-density as an analytic
function, an upper bound on what its tail beyond x carries of \\|x\\|^k, and an upper bound on how
fast \\|log density\\| grows. Parameters are read as the decimals that a person writes: 0.1 is 1/10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import flint
from flint import acb, arb, fmpq

from gantheory.errors import GantheoryError

LEFT, RIGHT = -1, 1
Growth = dict[Fraction, arb]  # exponent k -> coefficient c: |log density| <= sum of c |x|^k

CONSTANT, ROOT, LINEAR, SQUARE = Fraction(0), Fraction(1, 2), Fraction(1), Fraction(2)


def exact(value: Any) -> arb:
    """Return the ball around the decimal number that ``value`` is written as.

    >>> exact(0.1).overlaps(arb(1) / 10)
    True
    """
    return _ball(value, flint.ctx.prec)


@lru_cache(maxsize=4096, typed=True)
def _ball(value: Any, precision: int) -> arb:
    """Return the ball at the working precision, which is part of the key."""
    fraction = decimal(value)
    return arb(fmpq(fraction.numerator, fraction.denominator))


def decimal(value: Any) -> Fraction:
    """Return the decimal that a number is written as: 1/10 for the float 0.1."""
    return value if isinstance(value, Fraction) else Fraction(repr(float(value)))


def softplus(w: acb, analytic: bool) -> acb:
    """Return log(1 + e^w), with the branch that is real on the real line, or a non-finite ball."""
    if w.real.mid() > 0:
        return w + (1 + (-w).exp()).log(analytic=analytic)
    return (1 + w.exp()).log(analytic=analytic)


@dataclass(frozen=True)
class Law:
    """A location-scale law on the whole line; z = (x − loc)/scale."""

    loc: Any
    scale: Any

    support: tuple[Any, Any] | None = None
    kinks: tuple[Any, ...] = ()
    heavy = False

    def z(self, x: Any) -> Any:
        """Return the standardised argument."""
        return (x - exact(self.loc)) / exact(self.scale)

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
        rate = self.rate(y, side) - exact(power) / y
        if not rate > 0:
            return arb.pos_inf()
        at_y = self.log_density(acb(side * y), False).real.exp()
        return at_y * y ** exact(power) / rate

    def polynomial(self, constant: arb, linear: arb, square: arb) -> Growth:
        """Return the growth of constant + linear·\\|z\\| + square·z² in powers of \\|x\\|."""
        loc, scale = abs(exact(self.loc)), exact(self.scale)
        return {
            CONSTANT: constant + linear * loc / scale + square * (loc / scale) ** 2,
            LINEAR: linear / scale + 2 * square * loc / scale**2,
            SQUARE: square / scale**2,
        }


class Normal(Law):
    """The normal law; scale is the standard deviation."""

    def log_density(self, x: acb, analytic: bool) -> acb:
        return -(self.z(x) ** 2) / 2 - (exact(self.scale) * (2 * arb.pi()).sqrt()).log()

    def rate(self, y: arb, side: int) -> arb:
        return (y - side * exact(self.loc)) / exact(self.scale) ** 2

    def growth(self, side: int) -> Growth:
        constant = abs((exact(self.scale) * (2 * arb.pi()).sqrt()).log())
        return self.polynomial(constant, arb(0), arb(1) / 2)


class Laplace(Law):
    """The Laplace law, analytic on either side of its kink."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinks", (self.loc,))

    def log_density(self, x: acb, analytic: bool) -> acb:
        return -acb(self.z(x)).real_abs(analytic=analytic) - (2 * exact(self.scale)).log()

    def rate(self, y: arb, side: int) -> arb:
        return 1 / exact(self.scale) if y > side * exact(self.loc) else arb(0)

    def steepest(self, side: int) -> arb:
        return 1 / exact(self.scale)

    def growth(self, side: int) -> Growth:
        return self.polynomial(abs((2 * exact(self.scale)).log()), arb(1), arb(0))


class Logistic(Law):
    """The logistic law."""

    def log_density(self, x: acb, analytic: bool) -> acb:
        z = self.z(x)
        return -z - 2 * softplus(-z, analytic) - exact(self.scale).log()

    def rate(self, y: arb, side: int) -> arb:
        return (side * self.z(side * y) / 2).tanh() / exact(self.scale)

    def steepest(self, side: int) -> arb:
        return 1 / exact(self.scale)

    def growth(self, side: int) -> Growth:
        constant = abs(exact(self.scale).log()) + 2 * arb.const_log2()
        return self.polynomial(constant, arb(1), arb(0))


class Gumbel(Law):
    """The Gumbel law of maxima: its left tail falls double-exponentially."""

    def log_density(self, x: acb, analytic: bool) -> acb:
        z = self.z(x)
        return -z - (-z).exp() - exact(self.scale).log()

    def rate(self, y: arb, side: int) -> arb:
        return side * (1 - (-self.z(side * y)).exp()) / exact(self.scale)

    def steepest(self, side: int) -> arb:
        return 1 / exact(self.scale) if side == RIGHT else arb.pos_inf()

    def growth(self, side: int) -> Growth | None:
        if side == LEFT:
            return None
        scale = exact(self.scale)
        # beyond |x| >= |loc|, which every window contains, z >= 0 and e^-z <= 1
        return self.polynomial(abs(scale.log()) + 1, arb(1), arb(0))


@lru_cache(maxsize=64, typed=True)
def _t_constant(df: Any, scale: Any, precision: int) -> arb:
    df, scale = exact(df), exact(scale)
    log_beta = ((df + 1) / 2).lgamma() - (df / 2).lgamma()
    return log_beta - (arb.pi() * df).sqrt().log() - scale.log()


@dataclass(frozen=True)
class StudentT(Law):
    """Student's t law with ``df`` degrees of freedom: power tails."""

    df: Any = 1
    heavy = True

    def constant(self) -> arb:
        """Return the logarithm of the density's maximum."""
        return _t_constant(self.df, self.scale, flint.ctx.prec)

    def log_density(self, x: acb, analytic: bool) -> acb:
        # by its linear factors: the square of a wide ball would cover the branch cut
        df, w = exact(self.df), acb(0, 1) * self.z(x) / exact(self.df).sqrt()
        logs = (1 + w).log(analytic=analytic) + (1 - w).log(analytic=analytic)
        return self.constant() - (df + 1) / 2 * logs

    def rate(self, y: arb, side: int) -> arb:
        return arb(0)  # it falls slower than any exponential

    def steepest(self, side: int) -> arb:
        return (exact(self.df) + 1) / (2 * exact(self.df).sqrt() * exact(self.scale))

    def tail(self, power: Fraction, y: arb, side: int) -> arb:
        # p <= e^constant df^((df+1)/2) |z|^-(df+1), and |x| <= 2 scale |z| once scale |z| >= |loc|
        df, scale, k = exact(self.df), exact(self.scale), exact(power)
        z = side * self.z(side * y)
        if not (df > k and z * scale >= abs(exact(self.loc)) and z > 0):
            return arb.pos_inf()
        size = self.constant().exp() * scale * df ** ((df + 1) / 2) * (2 * scale) ** k
        return size * z ** (k - df) / (df - k)

    def growth(self, side: int) -> Growth:
        # log(1 + w²) <= 2 log(1 + w) <= 4 √w with w = |z|/√df, and √(a + b) <= √a + √b
        df, scale, loc = exact(self.df), exact(self.scale), abs(exact(self.loc))
        slope = 2 * (df + 1) / (scale * df.sqrt()).sqrt()
        return {CONSTANT: abs(self.constant()) + slope * loc.sqrt(), ROOT: slope}


@dataclass(frozen=True)
class LogGamma(Law):
    """The law of log X for a gamma law of X: loc is the log of its scale."""

    shape: Any = 1

    def log_density(self, x: acb, analytic: bool) -> acb:
        k, y = exact(self.shape), x - exact(self.scale).log()
        return k * y - y.exp() - k.lgamma()

    def rate(self, y: arb, side: int) -> arb:
        grown = (side * y - exact(self.scale).log()).exp()
        return grown - exact(self.shape) if side == RIGHT else exact(self.shape) - grown

    def steepest(self, side: int) -> arb:
        return exact(self.shape) if side == LEFT else arb.pos_inf()

    @property
    def reach(self) -> float:
        return abs(float(exact(self.scale).log())) + 1

    def growth(self, side: int) -> Growth | None:
        if side == RIGHT:
            return None
        k, log_scale = exact(self.shape), abs(exact(self.scale).log())
        # to the left of every window's end, log(scale) − 1 at the latest, e^y/scale is below 1
        return {CONSTANT: abs(k.lgamma()) + k * log_scale + 1, LINEAR: k}


@dataclass(frozen=True)
class LogitBeta(Law):
    """The law of log X/(1 − X) for a beta law of X; loc and scale are its a and b."""

    def log_density(self, x: acb, analytic: bool) -> acb:
        a, b = exact(self.loc), exact(self.scale)
        log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
        return -a * softplus(-x, analytic) - b * softplus(x, analytic) - log_beta

    def rate(self, y: arb, side: int) -> arb:
        near, far = exact(self.scale), exact(self.loc)
        near, far = (near, far) if side == RIGHT else (far, near)
        return near / (1 + (-y).exp()) - far / (1 + y.exp())

    def steepest(self, side: int) -> arb:
        return exact(self.scale) if side == RIGHT else exact(self.loc)

    def growth(self, side: int) -> Growth:
        a, b = exact(self.loc), exact(self.scale)
        log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
        return {CONSTANT: abs(log_beta) + (a + b) * arb.const_log2(), LINEAR: a + b}


@dataclass(frozen=True)
class Uniform(Law):
    """The uniform law on [loc, loc + scale] written by its ends a, b."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "support", (self.loc, self.scale))

    def log_density(self, x: acb, analytic: bool) -> acb:
        return acb(-(exact(self.scale) - exact(self.loc)).log())

    def tail(self, power: Fraction, y: arb, side: int) -> arb:
        return arb(0)  # every window contains the support

    @property
    def reach(self) -> float:
        return max(abs(float(self.loc)), abs(float(self.scale)))

    def growth(self, side: int) -> Growth:
        return {CONSTANT: abs((exact(self.scale) - exact(self.loc)).log())}


@dataclass(frozen=True)
class Mixture:
    """A mixture of laws on the whole line."""

    weights: tuple[Any, ...]
    parts: tuple[Law, ...]
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
            exact(weight).log() + part.log_density(x, analytic)
            for weight, part in zip(self.weights, self.parts, strict=True)
        ]
        top = max(range(len(logs)), key=lambda k: float(logs[k].real.mid()))
        others = [(log - logs[top]).exp() for k, log in enumerate(logs) if k != top]
        return logs[top] + (1 + sum(others, acb(0))).log(analytic=analytic)

    def tail(self, power: Fraction, y: arb, side: int) -> arb:
        """Return the weighted sum of the components' tails."""
        pairs = zip(self.weights, self.parts, strict=True)
        return sum((exact(w) * part.tail(power, y, side) for w, part in pairs), arb(0))

    def growth(self, side: int) -> Growth | None:
        """Return the sum of the components' growths: w_k p_k ≤ p ≤ Σ p_k bounds \\|log p\\|."""
        total: Growth = {CONSTANT: -exact(min(self.weights)).log() + arb(len(self.parts)).log()}
        for part in self.parts:
            growth = part.growth(side)
            if growth is None:
                return None
            for power, size in growth.items():
                total[power] = total.get(power, arb(0)) + size
        return total


def power_tail(order: Fraction, p: Law | Mixture, q: Law | Mixture, y: arb, side: int) -> arb:
    """Return an upper bound of ∫ p^α q^(1−α) beyond y on one side, α > 1, or a non-finite ball.

    A power of a sum of n terms is at most n^(α − 1) times the sum of their powers, and q is at
    least any one of its terms.
    """
    mine, theirs = _terms(p), _terms(q)
    total = arb(0)
    for one in mine:
        bounds = [_term_tail(order, one, other, y, side) for other in theirs]
        finite = [bound for bound in bounds if bound.is_finite()]
        if not finite:
            return arb.pos_inf()
        total += min(finite, key=float)
    return arb(len(mine)) ** exact(order - 1) * total


def _terms(one: Law | Mixture) -> list[tuple[arb, Law]]:
    if isinstance(one, Law):
        return [(arb(1), one)]
    return [(exact(w), part) for w, part in zip(one.weights, one.parts, strict=True)]


def _term_tail(
    order: Fraction, one: tuple[arb, Law], other: tuple[arb, Law], y: arb, side: int
) -> arb:
    alpha, (w, p), (v, q) = exact(order), one, other
    if p.support:
        return arb(0)
    rate = _power_rate(alpha, p, q, y, side)
    if not rate > 0:
        return arb.pos_inf()
    logs = [part.log_density(acb(side * y), False).real + c.log() for c, part in ((w, p), (v, q))]
    return (alpha * logs[0] + (1 - alpha) * logs[1]).exp() / rate


def _power_rate(alpha: arb, p: Law, q: Law, y: arb, side: int) -> arb:
    """Return a lower bound of how fast p^α q^(1−α) falls beyond y, or a negative number."""
    if type(p) is type(q) and isinstance(p, Normal | LogGamma):
        # both rates are exact, and linear in y or in e^y: growing once, they grow for ever
        here, further = (
            alpha * p.rate(k * y, side) - (alpha - 1) * q.rate(k * y, side) for k in (1, 2)
        )
        return here if further >= here else arb(-1)
    bound = q.steepest(side)
    return alpha * p.rate(y, side) - (alpha - 1) * bound if bound.is_finite() else arb(-1)


def parts_of(one: Law | Mixture) -> tuple[Law, ...]:
    """Return the components of a mixture, or the law itself."""
    return one.parts if isinstance(one, Mixture) else (one,)


def log_ratio(p: Law | Mixture, q: Law | Mixture, x: acb, analytic: bool) -> acb | None:
    """Return log p/q without subtracting logarithms, for two normals or two t laws of one df.

    A ball around the difference of two logarithms is as wide as they are; where the laws are close,
    or in tails of one order, that hides the sign of the ratio. None for other pairs.
    """
    if isinstance(p, Normal) and isinstance(q, Normal):
        return _normal_ratio(p, q, x)
    if isinstance(p, StudentT) and isinstance(q, StudentT) and p.df == q.df:
        return _t_ratio(p, q, x, analytic)
    return None


def _normal_ratio(p: Normal, q: Normal, x: acb) -> acb:
    """Return (b − a)(b + a)/2 + log(s_q/s_p) with a, b the standardised x of p and of q."""
    s, k = exact(q.scale), exact(p.scale)
    apart = x * (1 / s - 1 / k) + (exact(p.loc) / k - exact(q.loc) / s)
    return apart * (p.z(x) + q.z(x)) / 2 + (s / k).log()


def _t_ratio(p: StudentT, q: StudentT, x: acb, analytic: bool) -> acb:
    df, s, k = exact(p.df), exact(q.scale), exact(p.scale)
    y, z = x - exact(q.loc), x - exact(p.loc)
    # (df s² + y²)/(df k² + z²) with the large parts cancelled by hand
    shift = (exact(p.loc) - exact(q.loc)) * (y + z) + df * (s**2 - k**2)
    ratio = 1 + shift / (df * k**2 + z**2)
    return (df + 1) / 2 * ratio.log(analytic=analytic) + df * (k / s).log()


_LAWS = {"normal": Normal, "laplace": Laplace, "logistic": Logistic, "gumbel": Gumbel}
_LINE = (*_LAWS, "student_t", "cauchy", "uniform", "normal_mixture", "mixture", "affine")
_HALF_LINE = ("gamma", "lognormal")  # by y = log x
_INTERVAL = ("beta", "uniform(0, 1)")  # by y = log x/(1 − x)


def laws(p: Any, q: Any) -> tuple[Law | Mixture, Law | Mixture]:
    """Return the analytic laws of two densities, on the axis on which both live on the whole line.

    Divergences do not change under a bijection: gamma and lognormal laws meet in log x, beta laws
    and the uniform law on (0, 1) in log x/(1 − x).

    Raises:
        GantheoryError: for a family that is not analytic piece by piece, or two that share no axis.
    """
    names = {p.name, q.name}
    if names <= {"gamma", "lognormal"}:
        return _in_logarithms(p), _in_logarithms(q)
    if "beta" in names and all(one.name == "beta" or _is_unit(one) for one in (p, q)):
        return _in_log_odds(p), _in_log_odds(q)
    for one in (p, q):
        if one.name in ("gamma", "lognormal", "beta"):
            raise GantheoryError(
                f"certified mode meets {' and '.join(sorted(names))} on no common axis; it takes "
                "gamma and lognormal laws together, and beta laws with uniform(0, 1)"
            )
    return law(p.name, p.parameters), law(q.name, q.parameters)


def _is_unit(one: Any) -> bool:
    return one.name == "uniform" and (one.parameters["a"], one.parameters["b"]) == (0, 1)


def _in_logarithms(one: Any) -> Law:
    v = one.parameters
    if one.name == "lognormal":
        return Normal(v.get("loc", 0), v.get("scale", 1))
    return LogGamma(0, v.get("scale", 1), shape=v["shape"])


def _in_log_odds(one: Any) -> Law:
    return LogitBeta(1, 1) if one.name == "uniform" else LogitBeta(*one.parameters.values())


def law(name: str, parameters: Mapping[str, Any]) -> Law | Mixture:
    """Return the analytic law of a density's name and parameters.

    Raises:
        GantheoryError: for a family that is not analytic piece by piece.
    """
    if name in _LAWS:
        return _LAWS[name](parameters.get("loc", 0), parameters.get("scale", 1))
    if name in ("student_t", "cauchy"):
        df = parameters.get("df", 1)
        return StudentT(parameters.get("loc", 0), parameters.get("scale", 1), df=df)
    if name == "uniform":
        return Uniform(parameters["a"], parameters["b"])
    if name in ("normal_mixture", "mixture"):
        return _mixture(parameters)
    if name == "affine":
        return _affine(**parameters)
    raise GantheoryError(
        f"certified mode does not know the density {name!r}; it has "
        f"{', '.join((*_LINE, *_HALF_LINE, *_INTERVAL))}; take one, or leave --certified out"
    )


def _affine(base: Any, loc: Any, scale: Any) -> Law | Mixture:
    """Return loc + scale·X as a member of X's own family."""
    inner, shift, stretch = law(base.name, base.parameters), decimal(loc), decimal(scale)
    if isinstance(inner, Mixture):
        parts = tuple(_moved(part, shift, stretch) for part in inner.parts)
        return Mixture(inner.weights, parts)
    return _moved(inner, shift, stretch)


def _moved(one: Law, shift: Fraction, stretch: Fraction) -> Law:
    if isinstance(one, Gumbel) and stretch < 0:
        raise GantheoryError("certified mode does not know a reflected gumbel; use scale > 0")
    loc = shift + stretch * decimal(one.loc)
    if isinstance(one, Uniform):
        low, high = sorted((loc, shift + stretch * decimal(one.scale)))
        return Uniform(low, high)
    return replace(one, loc=loc, scale=abs(stretch) * decimal(one.scale))


def _mixture(parameters: Mapping[str, Any]) -> Mixture:
    weights: Sequence[Any] = parameters["weights"]
    if "components" in parameters:
        parts: tuple[Law, ...] = tuple(_component(part) for part in parameters["components"])
    else:
        pairs = zip(parameters["locs"], parameters["scales"], strict=True)
        parts = tuple(Normal(loc, scale) for loc, scale in pairs)
    total = sum((decimal(w) for w in weights), Fraction(0))
    kept = [(decimal(w) / total, part) for w, part in zip(weights, parts, strict=True) if w > 0]
    return Mixture(tuple(w for w, _ in kept), tuple(part for _, part in kept))


def _component(part: Any) -> Law:
    one = law(part.name, part.parameters)
    if isinstance(one, Mixture) or one.support:
        raise GantheoryError("certified mode takes mixtures of laws on the whole line only")
    return one
