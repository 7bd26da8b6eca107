"""Systems of maps and of distances: CycleGAN, SRGAN, WGAN, on finite laws, in exact arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import accumulate, product

from gantheory.ledger.systems.finite import Law, image, law_text, laws_on_points
from gantheory.records import Verdict
from gantheory.verify import exhausted

UNIFORM: Law = dict.fromkeys(range(3), Fraction(1, 3))
DISTINCT: Law = dict(enumerate(map(Fraction, ("1/2", "1/3", "1/6"))))
POINTS = range(3)


def cycle_solutions(law: str = "uniform", claim: str = "relabellings") -> Verdict:
    """All pairs (G, F) of maps between three points whose CycleGAN loss is 0.

    Zhu et al. (2017), arXiv:1703.10593: both adversarial losses are 0 where G and F carry the
    laws to one another, and the cycle loss where F∘G and G∘F are the identity. X and Y have the
    same law here; the map that is wanted is the identity.
    Galanti et al. (2018), arXiv:1709.00074; Moriakov et al. (2020), arXiv:2006.14773.

    Args:
        law: of both: "uniform", or "distinct" masses.
        claim: that the zeros are the pairs (φ, φ⁻¹) of all relabellings φ ("relabellings"), or
            the identity alone ("identity").
    """
    masses = UNIFORM if law == "uniform" else DISTINCT

    def cases() -> Iterator[tuple[str, bool]]:
        maps = list(product(POINTS, repeat=3))
        for g, f in product(maps, repeat=2):
            zero = all(f[g[x]] == x == g[f[x]] for x in POINTS) and all(
                _carries(masses, move) for move in (g, f)
            )
            inverse = sorted(g) == list(POINTS) and all(f[g[x]] == x for x in POINTS)
            said = inverse if claim == "relabellings" else g == f == tuple(POINTS)
            yield f"G = {g}, F = {f}: the loss is {'0' if zero else 'positive'}", zero == said

    what = "every relabelling and its inverse" if claim == "relabellings" else "the identity"
    return exhausted(f"the zeros of the CycleGAN's loss, {law} masses, are {what}", cases())


def _carries(law: Law, move: tuple[int, ...]) -> bool:
    """Return whether a map carries a law to itself."""
    found = image(law, move.__getitem__)
    return all(found.get(x, 0) == mass for x, mass in law.items())


def transport_duality(critic: str = "1-Lipschitz", sign: int = 1) -> Verdict:
    """W1 on four points of the line is the best value of a critic; Kantorovich's duality.

    The monotone coupling costs Σ|F_p - F_q|; a 1-Lipschitz critic changes by at most 1 between
    neighbours and is best at an end of that cube, which is enumerated. Affine critics w x with
    |w| ≤ 1 are what clipping leaves of one linear layer. Arjovsky et al. (2017), arXiv:1701.07875.
    """

    def cases() -> Iterator[tuple[str, bool]]:
        points = range(4)
        slopes = list(product((-1, 1), repeat=3))
        if critic == "clipped":
            slopes = [(-1, -1, -1), (1, 1, 1)]
        for p, q in product(laws_on_points(points, 4), repeat=2):
            gaps = [p[x] - q[x] for x in points]
            cost = sum(abs(total) for total in list(accumulate(gaps))[:-1])
            values = (sum(f * gap for f, gap in zip((0, *accumulate(s)), gaps, strict=True))
                      for s in slopes)  # fmt: skip
            yield f"p = {law_text(p)}, q = {law_text(q)}: W1 is {cost}", sign * max(values) == cost

    return exhausted(f"the best value of a {critic} critic is W1", cases())


FUNCTIONS: Mapping[str, Callable[..., Verdict]] = {
    "cycle_solutions": cycle_solutions,
    "transport_duality": transport_duality,
}
PLANTS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "cycle_solutions": {"another claim": {"claim": "identity", "law": "uniform"}},
    "transport_duality": {
        "a smaller class": {"critic": "clipped"},
        "the sign reversed": {"sign": -1},
    },
}
