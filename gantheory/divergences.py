r"""The named f-divergences: one table, each entry a name and its generator f.

With r = p/q, :math:`D_f(P\|Q) = \int q f(p/q)\,dx`, plus f(0)·Q(p = 0) and f'(∞)·P(q = 0) where
the supports differ. Nats throughout; f is convex with f(1) = 0. Everything else about a
divergence (its curvature f'', f(0), f'(∞), its symmetry) is derived from f, never stored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from gantheory.errors import GantheoryError, unknown_name
from gantheory.expressions import ELEMENTARY, Grammar, parse

RATIO = Grammar("divergence generator", ELEMENTARY, frozenset({"r"}), parameters=True)


@dataclass(frozen=True)
class FDivergence:
    """An f-divergence, given by its generator.

    Attributes:
        name: identifier, with order (p, q) in it: ``kl_qp`` is KL(Q‖P).
        f: the generator as text in ``r``, convex on (0, ∞), f(1) = 0.
        title: plain-text symbol.
        latex: symbol for typeset output.
        integral: the textbook form of the integral, in LaTeX.
    """

    name: str
    f: str
    title: str = ""
    latex: str = ""
    integral: str = ""

    def __post_init__(self) -> None:
        parse(self.f, RATIO)


@dataclass(frozen=True)
class Complement:
    """A bounded divergence's distance to its maximum: ``maximum - of``, a first-class output.

    Where the divergence saturates, this small number is the information, and subtracting would
    lose it.
    """

    name: str
    of: str
    maximum: str
    title: str
    integral: str


_ENTRIES = (
    FDivergence("kl_pq", "r*log(r)", "KL(P‖Q)", r"\mathrm{KL}(P\|Q)", r"\int p\log\frac pq"),
    FDivergence("kl_qp", "-log(r)", "KL(Q‖P)", r"\mathrm{KL}(Q\|P)", r"\int q\log\frac qp"),
    FDivergence("jsd", "(r*log(r) - (1 + r)*log((1 + r)/2))/2", "JSD(P,Q)", r"\mathrm{JSD}(P,Q)",
                r"\tfrac12\mathrm{KL}(P\|M)+\tfrac12\mathrm{KL}(Q\|M)"),
    FDivergence("kl_pm", "r*log(2*r/(1 + r))", "KL(P‖M)", r"\mathrm{KL}(P\|M)",
                r"\int p\log\frac{2p}{p+q}"),
    FDivergence("kl_qm", "log(2/(1 + r))", "KL(Q‖M)", r"\mathrm{KL}(Q\|M)",
                r"\int q\log\frac{2q}{p+q}"),
    FDivergence("kl_mp", "(1 + r)/2*log((1 + r)/(2*r))", "KL(M‖P)", r"\mathrm{KL}(M\|P)",
                r"\int \frac{p+q}2\log\frac{p+q}{2p}"),
    FDivergence("kl_mq", "(1 + r)/2*log((1 + r)/2)", "KL(M‖Q)", r"\mathrm{KL}(M\|Q)",
                r"\int \frac{p+q}2\log\frac{p+q}{2q}"),
    FDivergence("hellinger2", "1 - sqrt(r)", "H²(P,Q)", r"H^2(P,Q)",
                r"\tfrac12\int(\sqrt p-\sqrt q)^2"),
    FDivergence("tv", "abs(r - 1)/2", "TV(P,Q)", r"\mathrm{TV}(P,Q)", r"\tfrac12\int|p-q|"),
    FDivergence("pearson_chi2", "(r - 1)**2", "χ²(P‖Q)", r"\chi^2(P\|Q)",
                r"\int\frac{(p-q)^2}{q}"),
    FDivergence("neyman_chi2", "(1 - r)**2/r", "χ²(Q‖P)", r"\chi^2(Q\|P)",
                r"\int\frac{(p-q)^2}{p}"),
    FDivergence("triangular", "(r - 1)**2/(r + 1)", "Δ(P,Q)", r"\Delta(P,Q)",
                r"\int\frac{(p-q)^2}{p+q}"),
    FDivergence("jeffreys", "(r - 1)*log(r)", "J(P,Q)", r"J(P,Q)", r"\int(p-q)\log\frac pq"),
)  # fmt: skip

DIVERGENCES = {entry.name: entry for entry in _ENTRIES}

COMPLEMENTS = {
    entry.name: entry
    for entry in (
        Complement("jsd_gap", "jsd", "log(2)", "log 2 − JSD(P,Q)", r"\log 2-\mathrm{JSD}(P,Q)"),
        Complement("tv_gap", "tv", "1", "1 − TV(P,Q)", r"\int\min(p,q)"),
        Complement("bc", "hellinger2", "1", "BC(P,Q)", r"\int\sqrt{pq}"),
    )
}

_POWER = re.compile(r"(?:power|alpha)_(-?\d{1,6}(?:\.\d{1,12})?(?:/\d{1,6})?)")


def named(name: str) -> FDivergence:
    """Return the divergence called ``name``, or ``power_<alpha>`` for any rational alpha.

    The power divergence has f = (r^α − 1 − α(r − 1))/(α(α − 1)), so f'' = r^(α−2); α = 1 and
    α = 0 are its limits KL(P‖Q) and KL(Q‖P).

    >>> named("power_0.5").f
    '(r**(1/2) - 1 - (1/2)*(r - 1))/((1/2)*((1/2) - 1))'
    >>> named("power_1").name
    'kl_pq'
    """
    if name in DIVERGENCES:
        return DIVERGENCES[name]
    if match := _POWER.fullmatch(name):
        return power(_fraction(match[1], name))
    raise unknown_name("divergence", name, [*DIVERGENCES, *COMPLEMENTS, "power_<alpha>"])


def power(alpha: Fraction) -> FDivergence:
    """Return the power divergence of order ``alpha``."""
    if alpha in (0, 1):
        return DIVERGENCES["kl_pq" if alpha == 1 else "kl_qp"]
    if abs(alpha) > 60:
        raise GantheoryError(f"power divergence of order alpha={alpha}; |alpha| <= 60 is supported")
    a = f"({alpha})" if alpha.denominator > 1 or alpha < 0 else str(alpha)
    return FDivergence(
        f"power_{_decimal(alpha)}",
        f"(r**{a} - 1 - {a}*(r - 1))/({a}*({a} - 1))",
        f"D_{alpha}(P‖Q)",
        rf"D_{{{alpha}}}(P\|Q)",
        rf"\frac{{\int p^{{{alpha}}}q^{{1-{alpha}}}-1}}{{{alpha}({alpha}-1)}}",
    )


def _decimal(alpha: Fraction) -> str:
    """Return an order as `named` reads it: a decimal where that is exact, or a fraction."""
    text = f"{float(alpha):.12f}".rstrip("0").rstrip(".")
    return text if Fraction(text) == alpha else str(alpha)


def _fraction(text: str, name: str) -> Fraction:
    try:
        numerator, _, denominator = text.partition("/")
        return Fraction(numerator) / Fraction(denominator or "1")
    except ZeroDivisionError:
        raise GantheoryError(f"divergence {name!r} divides by zero") from None
