"""Relativistic discriminators on finite laws: where log p/q is the optimum, and where not.

Jolicoeur-Martineau (2018), arXiv:1807.00734; (2020), arXiv:1901.02474.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import product

from flint import arb

from gantheory.exact.logsums import log_of_rational, total
from gantheory.ledger.systems.finite import Law, jsd, law_text, laws_on_points
from gantheory.records import How, Verdict
from gantheory.verify import decided, exhausted

PAIRS = tuple(product(laws_on_points(range(3), 6, positive=True), repeat=2))
LEAN: tuple[Law, Law] = (
    dict(enumerate(map(Fraction, ("1/2", "1/3", "1/6")))),
    dict(enumerate(map(Fraction, ("1/6", "1/6", "2/3")))),
)


def relativistic_optimum(power: int = 1) -> Verdict:
    """C = log(p/q) is stationary for E[log σ(C(x) - C(y))], which is concave in C.

    Args:
        power: of p/q; 1 is right, 2 is not.
    """

    def cases() -> Iterator[tuple[str, bool]]:
        for p, q in PAIRS:
            ratio = {x: (p[x] / q[x]) ** power for x in p}
            slope = {z: sum(p[z] * q[y] * ratio[y] / (ratio[z] + ratio[y])
                            - p[y] * q[z] * ratio[z] / (ratio[y] + ratio[z]) for y in p)
                     for z in p}  # fmt: skip
            yield f"p = {law_text(p)}, q = {law_text(q)}", not any(slope.values())

    said = "log(p/q)" if power == 1 else f"{power} log(p/q)"
    return exhausted(f"C = {said} is the optimum of the relativistic discriminator", cases())


def relativistic_value(value: str = "of pairs") -> Verdict:
    """At C = log(p/q) the value is JSD(P x Q, Q x P) - log 2.

    Args:
        value: "of pairs", or "of points": JSD(P, Q) - log 2 (false).
    """

    def cases() -> Iterator[tuple[str, bool]]:
        for p, q in PAIRS:
            there = {(x, y): p[x] * q[y] for x, y in product(p, repeat=2)}
            back = {(x, y): there[y, x] for x, y in there}
            found = total(m * log_of_rational(m / (m + back[xy])) for xy, m in there.items())
            divergence = jsd(there, back) if value == "of pairs" else jsd(p, q)
            yield (
                f"p = {law_text(p)}, q = {law_text(q)}",
                found == divergence - log_of_rational(Fraction(2)),
            )

    return exhausted(f"the relativistic value is JSD {value} less log 2", cases())


def average_optimum() -> Verdict:
    """Whether log(p/q) is stationary for the relativistic average loss, on one pair of laws."""
    p, q = LEAN
    score = {x: _ball(p[x] / q[x]).log() for x in p}
    of_p, of_q = (sum((_ball(law[x]) * score[x] for x in law), arb(0)) for law in (p, q))
    real = {x: 1 - _sigmoid(score[x] - of_q) for x in p}
    fake = {x: _sigmoid(score[x] - of_p) for x in p}
    all_real = sum((_ball(p[x]) * real[x] for x in p), arb(0))
    all_fake = sum((_ball(q[x]) * fake[x] for x in p), arb(0))
    slopes = [_ball(p[z]) * (real[z] + all_fake) - _ball(q[z]) * (fake[z] + all_real) for z in p]
    steep = next((k for k, slope in enumerate(slopes) if not slope.contains(0)), None)
    why = f"p = {law_text(p)}, q = {law_text(q)}: the slopes at log(p/q) are " + ", ".join(
        f"{float(slope.mid()):.4f}" for slope in slopes
    )
    holds = None if steep is None else False  # balls that hold 0 do not show that it is 0
    return decided("log(p/q) is the optimum of the relativistic average discriminator", holds, why,
                   how=How.CERTIFIED)  # fmt: skip


def _ball(x: Fraction) -> arb:
    return arb(x.numerator) / x.denominator


def _sigmoid(score: arb) -> arb:
    return 1 / (1 + (-score).exp())


FUNCTIONS: Mapping[str, Callable[..., Verdict]] = {
    function.__name__: function
    for function in (relativistic_optimum, relativistic_value, average_optimum)
}
PLANTS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "relativistic_optimum": {"twice as much": {"power": 2}},
    "relativistic_value": {"single points": {"value": "of points"}},
}
