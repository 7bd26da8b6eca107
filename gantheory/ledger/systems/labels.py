"""Systems with labels or codes: conditional GAN, InfoGAN, AC-GAN, on finite laws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from gantheory.exact.logsums import LogSum, total
from gantheory.ledger.systems.finite import (
    TABLE,
    Law,
    entropy,
    expected_log,
    given,
    information,
    jsd,
    kl,
    law_text,
    laws_on_points,
    marginal,
)
from gantheory.records import How, Verdict
from gantheory.verify import decided, exhausted

QUARTERS = tuple(laws_on_points(TABLE, 4))
Masses = Sequence[Fraction]


def joint_divergence(labels: str = "the same") -> Verdict:
    """JSD of joint laws of (x, y) is Σ p(y) JSD(p(·|y), q(·|y)) where both have one label law.

    Mirza and Osindero (2014), arXiv:1411.1784: D sees the label, so V(D*) is that of the joint
    laws. Labels of different frequencies are a difference that D sees too.
    """

    def cases() -> Iterator[tuple[str, bool]]:
        for p, q in product(QUARTERS, repeat=2):
            of_labels, others = marginal(p, 1), marginal(q, 1)
            if 0 in (*of_labels.values(), *others.values()):
                continue
            if (of_labels == others) or labels == "any":
                mean = total(of_labels[y] * jsd(given(p, 1, y), given(q, 1, y)) for y in (0, 1))
                yield f"p(x, y) = {law_text(p)}, q(x, y) = {law_text(q)}", jsd(p, q) == mean

    return exhausted("JSD of (x, y) is the mean over labels of JSD of x given the label", cases())


def marginals_suffice() -> Verdict:
    """Whether joint laws with the same two marginals are equal."""

    def cases() -> Iterator[tuple[str, bool]]:
        for p, q in product(QUARTERS, repeat=2):
            if all(marginal(p, axis) == marginal(q, axis) for axis in (0, 1)):
                yield (
                    f"p(x, y) = {law_text(p)}, q(x, y) = {law_text(q)}: "
                    f"JSD is {float(jsd(p, q)):.4f}",
                    (jsd(p, q).sign == 0),
                )

    return exhausted("laws of (x, y) with the same laws of x and of y are equal", cases())


def information_gap(gap: str = "posterior to Q") -> Verdict:
    """I(c; x) - (E log Q(c|x) + H(c)) = E KL(p(c|x)‖Q(·|x)), for every joint law and every Q.

    Chen et al. (2016), arXiv:1606.03657, equations 4 and 5, after Barber and Agakov (2003).
    """

    def cases() -> Iterator[tuple[str, bool]]:
        levels = [Fraction(k, 4) for k in (1, 2, 3)]
        for joint in laws_on_points(TABLE, 6, positive=True):  # points (c, x)
            of_x = marginal(joint, 1)
            for choice in product(levels, repeat=2):
                q = {(c, x): choice[x] if c else 1 - choice[x] for c, x in TABLE}
                cross = expected_log(joint, q)
                assert cross is not None
                found = information(joint) - (cross + entropy(marginal(joint, 0)))
                terms = [of_x[x] * _kl(given(joint, 1, x), q, gap) for x in (0, 1)]
                yield f"p(c, x) = {law_text(joint)}, Q = {choice}", found == total(terms)

    return exhausted("the gap of InfoGAN's bound is E KL(p(c|x)‖Q)", cases())


def _kl(posterior: Law, q: Law, gap: str) -> LogSum:
    model = {point: q[point] for point in posterior}
    found = kl(posterior, model) if gap == "posterior to Q" else kl(model, posterior)
    assert found is not None
    return found


def information_bound(where: str = "every Q") -> Verdict:
    """Whether E log Q(c|x) + H(c) is I(c; x): for every Q, or for the posterior alone."""

    def cases() -> Iterator[tuple[str, bool]]:
        for joint in laws_on_points(TABLE, 6, positive=True):
            of_x = marginal(joint, 1)
            posterior = {(c, x): joint[c, x] / of_x[x] for c, x in TABLE}
            even = dict.fromkeys(TABLE, Fraction(1, 2))
            for name, q in (("the posterior", posterior), ("1/2", even)):
                if where == "every Q" or q is posterior:
                    cross = expected_log(joint, q)
                    assert cross is not None
                    bound = cross + entropy(marginal(joint, 0))
                    yield f"p(c, x) = {law_text(joint)}, Q = {name}", bound == information(joint)

    return exhausted("InfoGAN's bound is the mutual information", cases())


def classifier_gap(extra: str = "entropy") -> Verdict:
    """E_q[-log p(c|x)] = E KL(q(c|x)‖p(c|x)) + H_q(c|x): the term that pushes classes apart.

    Odena et al. (2017), arXiv:1610.09585; Gong et al. (2019), arXiv:1907.02690.
    """

    def cases() -> Iterator[tuple[str, bool]]:
        p = dict(zip(TABLE, map(Fraction, ("1/2", "1/6", "1/12", "1/4")), strict=True))
        posterior = {(c, x): p[c, x] / marginal(p, 1)[x] for c, x in TABLE}
        for q in laws_on_points(TABLE, 6, positive=True):
            of_x = marginal(q, 1)
            cross = expected_log(q, posterior)
            assert cross is not None
            parts = [of_x[x] * _kl(given(q, 1, x), posterior, "posterior to Q") for x in (0, 1)]
            left = [entropy(q) - entropy(of_x)] if extra == "entropy" else []
            yield f"q(c, x) = {law_text(q)}", -cross == total([*parts, *left])

    return exhausted("the classifier's cross-entropy on fakes is KL plus H_q(c|x)", cases())


SEVEN = tuple(map(Fraction, ("0.2", "0.25", "0.2", "0.15", "0.1", "0.05", "0.05")))


def auxiliary_optimum(claim: str = "the data's law", half_unit: str = "0") -> Verdict:
    """The least of 2 JSD(p(x), q(x)) + E_q[-log p(c|x)] for two mirrored classes on 7 points.

    D of an AC-GAN sees x and not the class, so that JSD is that of the laws of x. The objective
    is convex in the laws of x given the class, and a law and its mirror may be averaged, so that
    q mirrors too. At a law of rational masses its value bounds the least value from above, and
    the value less the Frank-Wolfe gap g·q - min g bounds it from below, both in balls.

    Args:
        claim: what is least: "the data's law", or the least value as a printed number.
        half_unit: of the printed number.
    """
    value, gap = _objective(_rational(optimal_class()))
    found = f"the least value lies between {value - gap:.7f} and {value:.7f}"
    if claim == "the data's law":
        truth = _objective(SEVEN)[0]
        found = f"{found}, and the data's law has {truth:.7f}"
        statement = "the AC-GAN's objective is least at the data's law"
        return decided(statement, truth <= value, found, how=How.CERTIFIED)
    printed, unit = float(claim), float(half_unit)
    inside = printed - unit <= value - gap and value <= printed + unit
    return decided(f"the least value of the AC-GAN's objective is {claim}", inside, found,
                   how=How.CERTIFIED)  # fmt: skip


def optimal_class() -> NDArray[np.float64]:
    """Return the optimal law of class 0, found by mirror descent in floating point."""
    p = np.array([float(x) for x in SEVEN])
    q = p.copy()
    for step in range(20000):
        total_q = (q + q[::-1]) / 2
        slope = np.log(2 * total_q / ((p + p[::-1]) / 2 + total_q)) - np.log(p / (p + p[::-1]))
        q = q * np.exp(-min(0.5, 0.05 + step / 4000) * (slope - slope.min()))
        q /= q.sum()
    return q


def _rational(law: NDArray[np.float64]) -> Masses:
    parts = [Fraction(round(x * 10**9), 10**9) for x in law]
    return [x / sum(parts) for x in parts]


def _objective(q: Masses) -> tuple[float, float]:
    """Return the objective at a law of class 0, and the largest that it can fall (both above)."""
    before, ctx.prec = ctx.prec, 160
    try:
        p_x = [(a + b) / 2 for a, b in zip(SEVEN, SEVEN[::-1], strict=True)]
        q_x = [(a + b) / 2 for a, b in zip(q, q[::-1], strict=True)]
        half = [(a + b) / 2 for a, b in zip(p_x, q_x, strict=True)]
        surprise = [-_log(a / (2 * m)) for a, m in zip(SEVEN, p_x, strict=True)]
        divergence = [_ball(a) * _log(a / m) if a else arb(0)
                      for law in (p_x, q_x) for a, m in zip(law, half, strict=True)]  # fmt: skip
        value = sum(
            (_ball(x) * s for x, s in zip(q, surprise, strict=True)), sum(divergence, arb(0))
        )
        # d/dq_k of 2 JSD(p(x), q(x)): each class has weight 1/2, and the classes mirror each other
        slope = [_log(a / m) + s for a, m, s in zip(q_x, half, surprise, strict=True)]
        gap = sum((_ball(x) * g for x, g in zip(q, slope, strict=True)), arb(0)) - min(
            slope, key=lambda ball: float(ball.mid())
        )
        return float(value.mid()), float(abs(gap).upper())
    finally:
        ctx.prec = before


def _ball(x: Fraction) -> arb:
    return arb(x.numerator) / x.denominator


def _log(x: Fraction) -> arb:
    return _ball(x).log()


FUNCTIONS: Mapping[str, Callable[..., Verdict]] = {
    function.__name__: function
    for function in (
        joint_divergence, marginals_suffice, information_gap, information_bound, classifier_gap,
        auxiliary_optimum,
    )
}  # fmt: skip
PLANTS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "joint_divergence": {"any labels": {"labels": "any"}},
    "information_gap": {"p and q exchanged": {"gap": "Q to posterior"}},
    "information_bound": {"every Q": {"where": "every Q"}},
    "classifier_gap": {"a term left out": {"extra": "nothing"}},
    "auxiliary_optimum": {"a digit": {"claim": ".311"}},
}
