"""Densities as the textbooks write them, in balls of 96 digits; nothing of the package is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flint import arb

from benchmarks.campaigns.laws import (
    HALF,
    LOG_SQRT_2PI,
    ONE,
    PI,
    TWO,
    ZERO,
    Law,
    Place,
    law,
    restrict,
)


def of_location(
    m: arb, s: arb, log: Any, tail: Any = None, anchors: Any = None, kink: Any = None
) -> Law:
    """Return the law of m + s·Z from Z's log-density and tails; ``kink``: soft or not, at m."""
    c = s.log()
    places = [(m, s)] if anchors is None else [(m + s * z, s * w) for z, w in anchors]
    ends = () if kink is None else ((m, kink),)
    return law(
        lambda at: log(at.minus(m) / s) - c,
        places,
        ends,
        tail=tail and (lambda x, up: tail((x - m) / s, up)),
    )


def phi(z: arb, up: bool) -> arb:
    """Return the standard normal law's mass above z, or below it."""
    return ((z if up else -z) / TWO.sqrt()).erfc() / 2


def normal(m: arb, s: arb) -> Law:
    return of_location(m, s, lambda z: -z * z / 2 - LOG_SQRT_2PI, phi)


def laplace(m: arb, s: arb) -> Law:
    def tail(z: arb, up: bool) -> arb:
        half = (-abs(z)).exp() / 2
        return half if bool(z > 0) == up else 1 - half

    return of_location(m, s, lambda z: -abs(z) - TWO.log(), tail, kink=False)


def logistic(m: arb, s: arb) -> Law:
    def log(z: arb) -> arb:
        return -abs(z) - 2 * (-abs(z)).exp().log1p()

    return of_location(m, s, log, lambda z, up: 1 / (1 + (z if up else -z).exp()))


def gumbel(m: arb, s: arb) -> Law:
    def tail(z: arb, up: bool) -> arb:
        e = -(-z).exp()
        return -e.expm1() if up else e.exp()

    return of_location(m, s, lambda z: -z - (-z).exp(), tail)


def student_t(df: arb, m: arb, s: arb) -> Law:
    c = ((df + 1) / 2).lgamma() - (df / 2).lgamma() - (PI * df).log() / 2

    def tail(z: arb, up: bool) -> arb:
        square = z * z
        share = df / (df + square)
        if share < HALF:
            half = share.beta_lower(df / 2, HALF, 1) / 2
        else:
            half = HALF - (square / (df + square)).beta_lower(HALF, df / 2, 1) / 2
        return half if bool(z > 0) == up else 1 - half

    width = df.sqrt() if df < 1 else ONE
    anchors = [(ZERO, width)]
    return of_location(m, s, lambda z: c - (df + 1) / 2 * (z * z / df).log1p(), tail, anchors)


def cauchy(m: arb, s: arb) -> Law:
    return student_t(ONE, m, s)


def generalised_normal(m: arb, s: arb, shape: arb) -> Law:
    c = (2 * (1 + 1 / shape).gamma()).log()

    def log(z: arb) -> arb:
        return -(abs(z) ** shape) - c if not z.contains(0) else -c

    def tail(z: arb, up: bool) -> arb:
        half = (abs(z) ** shape).gamma_upper(1 / shape, 1) / 2
        return half if bool(z > 0) == up else 1 - half

    width = ONE if shape > 1 else 1 / (1 + 1 / shape).gamma() / 4
    edge = [(side, 1 / shape) for side in (-ONE, ONE)] if shape > 4 else []
    return of_location(m, s, log, tail, [(ZERO, width), *edge], kink=True)


def skew_normal(m: arb, s: arb, shape: arb) -> Law:
    def log(z: arb) -> arb:
        return TWO.log() - z * z / 2 - LOG_SQRT_2PI + phi(shape * z, False).log()

    edge = [(ZERO, 1 / abs(shape))] if abs(shape) > 1 else [(ZERO, ONE)]
    return of_location(m, s, log, None, edge)


def uniform(a: arb, b: arb) -> Law:
    c, w = (b - a).log(), (b - a) / 2
    ends = ((a, False), (b, False))
    return law(
        lambda at: -c,
        [(a, w), (b, w)],
        ends,
        (a, b),
        lambda x, up: (b - x if up else x - a) / (b - a),
    )


def triangular(a: arb, mode: arb, b: arb) -> Law:
    left, right, whole = mode - a, b - mode, b - a
    c = TWO.log() - whole.log()

    def log(at: Place) -> arb:
        if left > 0 and not at.minus(mode) > 0:
            return c + at.minus(a).log() - left.log()
        return c + (-at.minus(b)).log() - right.log()

    def tail(x: arb, up: bool) -> arb:
        rising = left > 0 and x < mode
        part = (x - a) ** 2 / (whole * left) if rising else (b - x) ** 2 / (whole * right)
        return part if up != bool(rising) else 1 - part

    ends = [(a, bool(left > 0)), (b, bool(right > 0))]
    if left > 0 and right > 0:
        ends.append((mode, False))
    sides = [w for w in (left, right) if w > 0]
    anchors = [(place, min(sides) / 2) for place, _ in ends]
    return law(log, anchors, ends, (a, b), tail)


def of_positive(log: Any, scale: arb, middle: arb, width: arb, tail: Any, soft: bool = True) -> Law:
    """Return the law of scale·Y on the half-line from log-density, middle and tails of Y > 0."""
    c = scale.log()
    anchors = [(ZERO, scale * middle / 2), (scale * middle, scale * width)]
    return law(
        lambda at: log(at.x / scale) - c,
        anchors,
        ((ZERO, soft),),
        (ZERO, None),
        lambda x, up: tail(x / scale, up),
    )


def gamma(k: arb, s: arb) -> Law:
    c = k.lgamma()
    middle = k - 1 if k > 2 else k / 2 if k > 1 / arb(4) else ONE
    width = k.sqrt() if k > 1 else middle / 4
    return of_positive(
        lambda y: (k - 1) * y.log() - y - c,
        s,
        middle,
        width,
        lambda y, up: y.gamma_upper(k, 1) if up else y.gamma_lower(k, 1),
    )


def exponential(s: arb) -> Law:
    return gamma(ONE, s)


def chi_squared(df: arb) -> Law:
    return gamma(df / 2, TWO)


def lognormal(m: arb, s: arb) -> Law:
    width = s if s < HALF else HALF / 2
    return of_positive(
        lambda y: -((y.log() / s) ** 2) / 2 - y.log() - LOG_SQRT_2PI - s.log(),
        m.exp(),
        ONE,
        width,
        lambda y, up: phi(y.log() / s, up),
    )


def weibull(k: arb, s: arb) -> Law:
    def tail(y: arb, up: bool) -> arb:
        return (-(y**k)).exp() if up else -(-(y**k)).expm1()

    width = 1 / k if k > 2 else 1 / arb(4)
    return of_positive(lambda y: k.log() + (k - 1) * y.log() - y**k, s, ONE, width, tail)


def rayleigh(s: arb) -> Law:
    return weibull(TWO, s * TWO.sqrt())


def inverse_gamma(k: arb, s: arb) -> Law:
    c = k.lgamma()
    middle = 1 / (k + 1)
    width = middle / (k + 1).sqrt() / 2
    return of_positive(
        lambda y: -(k + 1) * y.log() - 1 / y - c,
        s,
        middle,
        width,
        lambda y, up: (1 / y).gamma_lower(k, 1) if up else (1 / y).gamma_upper(k, 1),
    )


def log_logistic(k: arb, s: arb) -> Law:
    def log(y: arb) -> arb:
        t = k * y.log()
        return k.log() - y.log() - abs(t) - 2 * (-abs(t)).exp().log1p()

    width = 1 / k if k > 2 else 1 / arb(4)
    return of_positive(log, s, ONE, width, lambda y, up: 1 / (1 + y ** (k if up else -k)))


def half_normal(s: arb) -> Law:
    def tail(y: arb, up: bool) -> arb:
        return 2 * phi(y, True) if up else 1 - 2 * phi(y, True)

    log = lambda y: TWO.log() - y * y / 2 - LOG_SQRT_2PI  # noqa: E731
    return of_positive(log, s, ONE, ONE, tail, soft=False)


def half_cauchy(s: arb) -> Law:
    def tail(y: arb, up: bool) -> arb:
        return 2 / PI * ((1 / y) if up else y).atan()

    log = lambda y: (2 / PI).log() - (y * y).log1p()  # noqa: E731
    return of_positive(log, s, ONE, ONE, tail, soft=False)


def pareto(k: arb, s: arb) -> Law:
    def log(at: Place) -> arb:
        return k.log() - s.log() - (k + 1) * (at.minus(s) / s).log1p()

    width = s / k if k > 1 else s
    support = (s, None)

    def tail(x: arb, up: bool) -> arb:
        depth = -k * (x / s).log()
        return depth.exp() if up else -depth.expm1()

    return law(log, [(s, width)], ((s, False),), support, tail)


def of_unit(log: Any, middle: arb, width: arb, tail: Any) -> Law:
    """Return a law on (0, 1) from its log-density in x and 1 − x."""
    edges = [(end, min((abs(end - middle) / 2, ONE / 8))) for end in (ZERO, ONE)]
    width = min((width, abs(middle) / 4, abs(1 - middle) / 4))
    return law(
        lambda at: log(at.x, -at.minus(ONE)),
        [*edges, (middle, width)],
        ((ZERO, True), (ONE, True)),
        (ZERO, ONE),
        tail,
    )


def beta(a: arb, b: arb) -> Law:
    c = a.lgamma() + b.lgamma() - (a + b).lgamma()
    mean = a / (a + b)
    spread = (mean * (1 - mean) / (a + b + 1)).sqrt()
    middle = (a - 1) / (a + b - 2) if a > 1 and b > 1 else mean
    return of_unit(
        lambda x, y: (a - 1) * x.log() + (b - 1) * y.log() - c,
        middle,
        spread,
        lambda x, up: (1 - x).beta_lower(b, a, 1) if up else x.beta_lower(a, b, 1),
    )


def kumaraswamy(a: arb, b: arb) -> Law:
    c = a.log() + b.log()

    def log(x: arb, y: arb) -> arb:
        left = (a * (-y).log1p()).expm1() if y < HALF else x**a - 1
        return c + (a - 1) * x.log() + (b - 1) * (-left).log()

    def tail(x: arb, up: bool) -> arb:
        depth = b * (1 - x**a).log()
        return depth.exp() if up else -depth.expm1()

    middle = (1 - arb("0.5") ** (1 / b)) ** (1 / a)
    return of_unit(log, middle, middle / (a + 1), tail)


def von_mises(m: arb, k: arb) -> Law:
    c = (2 * PI).log() + k.bessel_i(ZERO).log()
    direction = m - 2 * PI * ((m / (2 * PI)).mid() + HALF).floor().mid()
    width = 1 / k.sqrt() if k > 1 else ONE
    opposite = direction - PI if direction > 0 else direction + PI
    anchors = [(direction, width), (opposite, width), (-PI, width / 2), (PI, width / 2)]
    ends = ((-PI, False), (PI, False))
    return law(lambda at: k * (at.minus(direction)).cos() - c, anchors, ends, (-PI, PI))


def truncnormal(m: arb, s: arb, a: arb | None, b: arb | None) -> Law:
    return restrict(normal(m, s), a, b)


FAMILIES: dict[str, tuple[Callable[..., Law], tuple[str, ...]]] = {
    "normal": (normal, ("loc", "scale")),
    "laplace": (laplace, ("loc", "scale")),
    "logistic": (logistic, ("loc", "scale")),
    "gumbel": (gumbel, ("loc", "scale")),
    "student_t": (student_t, ("df", "loc", "scale")),
    "cauchy": (cauchy, ("loc", "scale")),
    "generalised_normal": (generalised_normal, ("loc", "scale", "shape")),
    "skew_normal": (skew_normal, ("loc", "scale", "shape")),
    "uniform": (uniform, ("a", "b")),
    "triangular": (triangular, ("a", "mode", "b")),
    "gamma": (gamma, ("shape", "scale")),
    "exponential": (exponential, ("scale",)),
    "chi_squared": (chi_squared, ("df",)),
    "lognormal": (lognormal, ("loc", "scale")),
    "weibull": (weibull, ("shape", "scale")),
    "rayleigh": (rayleigh, ("scale",)),
    "inverse_gamma": (inverse_gamma, ("shape", "scale")),
    "log_logistic": (log_logistic, ("shape", "scale")),
    "half_normal": (half_normal, ("scale",)),
    "half_cauchy": (half_cauchy, ("scale",)),
    "pareto": (pareto, ("shape", "scale")),
    "beta": (beta, ("a", "b")),
    "kumaraswamy": (kumaraswamy, ("a", "b")),
    "von_mises": (von_mises, ("loc", "concentration")),
    "truncnormal": (truncnormal, ("loc", "scale", "a", "b")),
}
