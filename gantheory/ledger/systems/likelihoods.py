"""Explicit densities: the VAE's bound and autoregressive likelihood, on finite laws, exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import product

from gantheory.exact.logsums import log_of_rational, total
from gantheory.ledger.systems.finite import (
    TABLE,
    entropy,
    expected_log,
    given,
    information,
    kl,
    law_text,
    laws_on_points,
    marginal,
)
from gantheory.records import Verdict
from gantheory.verify import exhausted

LEVELS = tuple(Fraction(k, 4) for k in (1, 2, 3))


def evidence_gap(encoder: str = "any", gap: str = "KL") -> Verdict:
    """log p(x) - ELBO = KL(q(z|x)‖p(z|x)), for every joint law of (z, x) and every encoder.

    Kingma and Welling (2014), arXiv:1312.6114, equation 1.

    Args:
        encoder: "any", or the true "posterior" alone.
        gap: what is claimed: "KL", or "0".
    """

    def cases() -> Iterator[tuple[str, bool]]:
        for joint, x in product(laws_on_points(TABLE, 6, positive=True), (0, 1)):
            evidence = marginal(joint, 1)[x]
            true = joint[1, x] / evidence
            for share in LEVELS if encoder == "any" else (true,):
                q = {(z, x): share if z else 1 - share for z in (0, 1)}
                expected = expected_log(q, joint)
                assert expected is not None
                found = log_of_rational(evidence) - (expected + entropy(q))
                claimed = kl(q, given(joint, 1, x)) if gap == "KL" else total(())
                yield f"p(z, x) = {law_text(joint)}, x = {x}, q(1|x) = {share}", found == claimed

    said = "KL from the encoder to the posterior" if gap == "KL" else "0"
    return exhausted(f"the gap of the ELBO is {said}", cases())


def chain_of_likelihoods(model: str = "chain", excess: str = "both") -> Verdict:
    """E[-log q(x, y)] = H(p) + KL(p(x)‖q(x)) + E KL(p(y|x)‖q(y|x)) for q(x, y) = q(x) q(y|x).

    van den Oord et al. (2016), arXiv:1601.06759: each factor is a table, so the likelihood is
    known and its least value is the data's entropy.

    Args:
        model: "chain", or "independent": q(x, y) = p(x) p(y), the best that ignores x.
        excess: over the entropy: "both" terms of KL, "first" alone, "information" or "0".
    """

    def cases() -> Iterator[tuple[str, bool]]:
        for p in laws_on_points(TABLE, 6, positive=True):
            for name, q in _models(p, model):
                cross = expected_log(p, q)
                assert cross is not None
                of_x, q_of_x = marginal(p, 0), marginal(q, 0)
                first = kl(of_x, q_of_x)
                rest = [kl(given(p, 0, x), given(q, 0, x)) for x in (0, 1)]
                assert first is not None
                then = total(of_x[x] * term for x, term in enumerate(rest) if term is not None)
                said = {"both": first + then, "first": first, "0": total(()),
                        "information": information(p)}[excess]  # fmt: skip
                yield f"p = {law_text(p)}, q = {name}", -cross - entropy(p) == said

    return exhausted(f"the likelihood's excess over the entropy, {model}: {excess}", cases())


def _models(p: Mapping[tuple[int, int], Fraction], model: str) -> Iterator[tuple[str, dict]]:
    if model == "independent":
        of_x, of_y = marginal(p, 0), marginal(p, 1)
        yield "p(x) p(y)", {(x, y): of_x[x] * of_y[y] for x, y in TABLE}
        return
    for a, b, c in product(LEVELS, repeat=3):
        one = {0: 1 - a, 1: a}
        then = {(0, 1): b, (0, 0): 1 - b, (1, 1): c, (1, 0): 1 - c}
        yield f"({a}, {b}, {c})", {(x, y): one[x] * then[x, y] for x, y in TABLE}


FUNCTIONS: Mapping[str, Callable[..., Verdict]] = {
    "evidence_gap": evidence_gap,
    "chain_of_likelihoods": chain_of_likelihoods,
}
PLANTS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "evidence_gap": {"no gap": {"gap": "0", "encoder": "any"}},
    "chain_of_likelihoods": {"a term left out": {"excess": "first", "model": "chain"}},
}
