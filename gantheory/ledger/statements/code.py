"""Checks that no formula says: enumerations in exact arithmetic, and short trainings.

Each function computes; how its answer is known is said by the functions of `gantheory.verify`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import pairwise, permutations, product

from gantheory.ledger.systems import (
    cycles,
    digits,
    labels,
    likelihoods,
    maps,
    relativistic,
    trace,
    trained,
)
from gantheory.records import Estimate, Verdict
from gantheory.verify import agree, exhausted

Law = tuple[Fraction, ...]
SKEWED: Law = (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6))


def _image(law: Law, move: tuple[int, ...]) -> Law:
    """Return the law of G(z) for z with a law, on as many points."""
    found = [Fraction(0)] * len(law)
    for z, x in enumerate(move):
        found[x] += law[z]
    return tuple(found)


def expectations_of_images(shift: int = 0) -> Verdict:
    """E_z[h(G(z))] = sum of p_g h, for every G from three points to three, and every basis h."""

    def cases() -> Iterator[tuple[str, bool]]:
        for move in product(range(3), repeat=3):
            image = _image(SKEWED, move)
            for at in range(3):
                left = sum((SKEWED[z] for z in range(3) if move[z] == at), Fraction(shift))
                yield f"G = {move}, h = 1 at {at}", left == image[at]

    return exhausted("E_z[h(G(z))] is the mean of h under the law of G(z)", cases())


def relabellings(law: str = "uniform") -> Verdict:
    """G and G∘R have one law for every relabelling R of the latent points."""
    points: Law = (Fraction(1, 4),) * 4 if law == "uniform" else (*SKEWED, Fraction(0))
    target = _image(points, (0, 1, 2, 3))
    cases = ((f"R = {moved}", _image(points, moved) == target) for moved in permutations(range(4)))
    return exhausted(
        "every relabelling of the latent points leaves the law of G(z) as it is", cases
    )


def best_reply_to_a_fixed_discriminator(claim: str = "argmax") -> Verdict:
    """Against a held D the mean of log(1 - D) over a law is least on the points of largest D.

    D is p/(p+q) for three points; the law ranges over all multiples of 1/12. log(1 - D) falls
    with D, so the exact order of D decides which vertex is least; the mean is linear.
    """
    p, q = SKEWED, SKEWED[::-1]
    scores = [a / (a + b) for a, b in zip(p, q, strict=True)]
    best = max(range(3), key=scores.__getitem__)
    reply = tuple(Fraction(int(k == best)) for k in range(3))
    claimed = {"argmax": reply, "data": p}[claim]
    said = {"argmax": "the point of largest D", "data": "the data's law"}[claim]

    def cases() -> Iterator[tuple[str, bool]]:
        for i, j in product(range(13), repeat=2):
            if i + j <= 12:
                law = (Fraction(i, 12), Fraction(j, 12), Fraction(12 - i - j, 12))
                # A law that puts less mass on a better point is worse, so compare tail masses.
                yield f"law {_shown(law)}", _no_worse(claimed, law, scores)

    return exhausted(f"against a held D, G's best law is {said}", cases())


def _no_worse(one: Law, other: Law, scores: list[Fraction]) -> bool:
    """Return whether one law dominates another in the order of D (first-order stochastically)."""
    return all(
        sum(m for m, s in zip(one, scores, strict=True) if s >= level)
        >= sum(m for m, s in zip(other, scores, strict=True) if s >= level)
        for level in scores
    )


def _shown(law: Law) -> str:
    return f"({', '.join(map(str, law))})"


def packed_total_variation(relation: str = "rises") -> Verdict:
    """Total variation of m samples at once, P uniform on 8 and Q on 6 points, by enumeration."""

    def distance(m: int) -> Fraction:
        total = Fraction(0)
        for point in product(range(8), repeat=m):
            p = Fraction(1, 8) ** m
            q = Fraction(1, 6) ** m if max(point) < 6 else Fraction(0)
            total += abs(p - q)
        return total / 2

    found = [distance(m) for m in (1, 2, 3, 4)]
    cases = (
        (f"m = {m}: {a} and {b}", a < b if relation == "rises" else a >= b)
        for m, (a, b) in enumerate(pairwise(found), 1)
    )
    return exhausted("packing m samples raises the total variation of P and Q", cases)


def conditional_from_marginal(claim: str = "undetermined") -> Verdict:
    """One law of x, two laws of x given a label: the marginal does not fix the conditional."""
    half = Fraction(1, 2)
    separate = {(0, 0): half, (1, 1): half, (0, 1): Fraction(0), (1, 0): Fraction(0)}
    mixed = {(x, y): half * half for x, y in separate}
    marginals = [
        [sum((j[x, y] for y in (0, 1)), Fraction(0)) for x in (0, 1)] for j in (separate, mixed)
    ]
    given = [[j[x, 0] / sum(j[s, 0] for s in (0, 1)) for x in (0, 1)] for j in (separate, mixed)]
    fixed = not (marginals[0] == marginals[1] and given[0] != given[1])
    shown = f"p(x) = {_shown(tuple(marginals[0]))} twice, p(x|0) = " + " and ".join(
        _shown(tuple(law)) for law in given
    )
    said = "fixes" if claim == "determined" else "does not fix"
    return exhausted(f"the law of x alone {said} the law of x given a label",
                     [(shown, fixed is (claim == "determined"))])  # fmt: skip


def written_forms(where: str = "float") -> Verdict:
    """log(1 - sigmoid(s)) and -softplus(s) in double precision, at s = 40."""
    score = 40.0
    sigma = 1 / (1 + math.exp(-score))
    direct = math.log(1 - sigma) if sigma < 1 else -math.inf
    stable = -(score + math.log1p(math.exp(-score)))
    return agree("the two code forms give one number at the logit 40",
                 Estimate(direct, 1e-12), Estimate(stable, 1e-12))  # fmt: skip


def noisy_gradient_quartiles(spread: float = 1.0) -> Verdict:
    """The upper quartile of the ratio of two independent centred normals, of a million draws.

    A Cauchy law has it at 1. The inequality of Dvoretzky, Kiefer and Wolfowitz (Massart 1990)
    bounds the error of every empirical quantile; the density there is 1/2π, and at least .15
    nearby.

    Args:
        spread: of the upper normal against the lower one; 1 is right.
    """
    import numpy as np

    draw, count, chance = np.random.default_rng(0), 10**6, 1e-6
    ratio = spread * draw.standard_normal(count) / draw.standard_normal(count)
    error = math.sqrt(math.log(2 / chance) / (2 * count)) / 0.15
    found = Estimate(float(np.quantile(ratio, 0.75)), error, error_probability=chance)
    return agree("the noisy gradient has its upper quartile at 1", found, Estimate(1.0))


_OWN: Mapping[str, Callable[..., Verdict]] = {
    function.__name__: function
    for function in (
        expectations_of_images, relabellings, best_reply_to_a_fixed_discriminator,
        packed_total_variation, conditional_from_marginal, written_forms,
        noisy_gradient_quartiles,
    )
}  # fmt: skip
_OWN_PLANTS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "expectations_of_images": {"1 more": {"shift": 1}},
    "relabellings": {"another law": {"law": "skewed"}},
    "best_reply_to_a_fixed_discriminator": {"another answer": {"claim": "data"}},
    "packed_total_variation": {"the other direction": {"relation": "falls"}},
    "conditional_from_marginal": {"another answer": {"claim": "determined"}},
    "noisy_gradient_quartiles": {"a wider noise": {"spread": 1.1}},
}
_ROOMS = (labels, maps, likelihoods, relativistic, cycles, trained, digits, trace)
FUNCTIONS = {**_OWN, **{name: run for room in _ROOMS for name, run in room.FUNCTIONS.items()}}
PLANTS = {**_OWN_PLANTS, **{name: wrong for room in _ROOMS for name, wrong in room.PLANTS.items()}}
TRAINED = frozenset({*trained.FUNCTIONS, *digits.FUNCTIONS, *trace.FUNCTIONS})
