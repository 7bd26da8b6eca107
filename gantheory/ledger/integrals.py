"""What a paper prints, integrated again by another rule, against the derived divergences.

The divergence engine integrates named divergences in u = log p − log q;
`gantheory.integrals.expectation` integrates E_p[a(t*)] + E_q[b(t*)], E_q[c(t*)] and the gradient of
the latter with D held fixed, with a rule and kernels of its own. The two must agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from gantheory.ledger.catalogue import theory_of
from gantheory.ledger.twins import twin_of
from gantheory.losses.classic import CLASSIC
from gantheory.records import Estimate, How, Verdict
from gantheory.verify import Check, agree

# Normal pairs (P, Q): shifted, narrowed and moved, and nearly disjoint.
PAIRS = (
    ("shift", "normal(0, 1)", "normal(1.7, 1)"),
    ("narrow", "normal(0, 1)", "normal(1, 0.5)"),
    ("apart", "normal(0, 1)", "normal(5, 1)"),
)


def _definition_checks() -> Iterator[Check]:
    for loss in (entry.name for entry in CLASSIC):
        for name, p, q in PAIRS:
            for quantity, (sentence, part, wrt) in _QUANTITIES.items():
                place = f"{loss}, {p}, {q}:"
                law = _check(f"{loss}.{quantity}.{name}", f"{place} {sentence}", loss, p, q, part,
                             wrt)  # fmt: skip
                yield law
                false = f"{place} {sentence}, twice over"
                yield twin_of(law, false, partial(_decide, false, loss, p, q, part, wrt, part, 2))
            if loss != "reverse-kl":  # whose loss value and followed divergence are the same
                false = f"{place} {_FROZEN_TWIN}"
                run = partial(_decide, false, loss, p, q, "followed", "q.loc", "loss")
                yield Check(f"{loss}.frozen-twin.{name}", false, run, How.REFUTED,
                            twin_of=f"{loss}.frozen.{name}")  # fmt: skip


def _check(id: str, statement: str, loss: str, p: str, q: str, part: str, wrt: str | None) -> Check:
    run = partial(_decide, statement, loss, p, q, part, wrt, part)
    return Check(id, statement, run, How.MEASURED)


def _decide(
    statement: str,
    loss: str,
    p: str,
    q: str,
    part: str,
    wrt: str | None,
    claimed: str,
    factor: int = 1,
) -> Verdict:
    """Compare what is integrated from the payoffs with ``factor`` times a derived divergence."""
    theory = _derived(loss, p, q, claimed, wrt)
    scaled = replace(theory, value=factor * theory.value, error=factor * theory.error)
    return agree(statement, _integrated(loss, p, q, part), scaled)


@cache
def _integrated(loss: str, p: str, q: str, part: str) -> Estimate:
    law = _Law.of(loss, p, q)
    if part == "value":
        return law.expected_value()
    return law.expected_loss() if part == "loss" else law.frozen_gradient()


@cache
def _derived(loss: str, p: str, q: str, part: str, wrt: str | None) -> Estimate:
    return _Law.of(loss, p, q).integrated(part, wrt)


# Quantity -> (what is said, the part of the theory, the parameter of a derivative)
_QUANTITIES: dict[str, tuple[str, str, str | None]] = {
    "value-integrated": ("E_p[a(t*)] + E_q[b(t*)] equals the value's divergence", "value", None),
    "loss-integrated": ("E_q[c(t*)] equals the loss's divergence", "loss", None),
    "frozen": ("the gradient with D held at D* is the followed divergence's", "followed", "q.loc"),
}
_FROZEN_TWIN = "the gradient with D held at D* is that of the loss's value"


@dataclass(frozen=True)
class _Law:
    """One loss on one pair of densities: its payoffs along u = log p − log q."""

    loss: str
    p: Any
    q: Any

    @classmethod
    def of(cls, loss: str, p: str, q: str) -> _Law:
        from gantheory.densities import parse_density

        return cls(loss, parse_density(p), parse_density(q))

    def expected_value(self) -> Estimate:
        real = self._expectation("real", under=self.p)
        fake = self._expectation("fake", under=self.q)
        return replace(real, value=real.value + fake.value, error=real.error + fake.error)

    def expected_loss(self) -> Estimate:
        return self._expectation("generator", under=self.q)

    def frozen_gradient(self) -> Estimate:
        return self._expectation("generator", under=self.q, score_of="loc")

    def integrated(self, part: str, wrt: str | None = None) -> Estimate:
        """Return the derived divergence by the engine, its constant added where it has one."""
        from gantheory.integrals import divergence

        derived = getattr(theory_of(self.loss), part)
        estimate = divergence(derived, self.p, self.q, wrt=wrt)
        if wrt is not None:
            return estimate
        return replace(estimate, value=estimate.value + float(derived.constant))

    def _expectation(self, part: str, **options: Any) -> Estimate:
        from gantheory.integrals.expectation import expectation

        return expectation(_along_u(self.loss, part), p=self.p, q=self.q, **options)


def _along_u(loss: str, part: str) -> Callable[..., Any]:
    """Return payoff ``part`` at the derived optimum t*(e^u), as a numpy function of u."""
    import sympy as sp

    from gantheory.compiled import compiled
    from gantheory.functions import r, t, to_sympy
    from gantheory.losses import get_loss

    u = sp.Symbol("u", real=True)
    score = sp.expand_log(theory_of(loss).optimum.score.subs(r, sp.exp(u)), force=True)
    payoff = to_sympy(getattr(get_loss(loss), part)).subs(t, score)
    return compiled([u], payoff)


INTEGRALS = tuple(_definition_checks())
