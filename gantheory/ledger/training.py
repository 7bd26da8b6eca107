"""What training says of the original GAN: `gantheory simulate`'s spine, one check a statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache, partial

from gantheory.errors import unknown_name
from gantheory.ledger.simulated import judge_comparison
from gantheory.ledger.twins import doubled, twin_of, without_twin
from gantheory.records import How, Verdict
from gantheory.verify import Check
from simulations.experiments.base import Comparison, Setting

_PAIR = "P = N(0, 1), Q = N(1.7, 1)"
_DISCRIMINATOR = {
    "bound": "a trained discriminator's value on fresh samples is at most V(D*)",
    "reached": "a trained discriminator comes within 0.001 nats of V(D*)",
    "samples": "the value on fresh samples is the value by quadrature",
    "distance": "the trained D(x) is p/(p+q), to 0.02 in root mean square",
    "bound-twin": "a trained discriminator's value is at most V(D*) - 0.002",
}
# Loss -> (what its generator follows, what its loss equals at D*); None where they agree.
_FOLLOWED = {
    "minimax": ("2·JSD(P, Q)", "KL(Q‖M)"),
    "non-saturating": ("2·KL(M‖P)", "KL(Q‖P) - KL(Q‖M)"),
    "reverse-kl": ("KL(Q‖P)", None),
}
_KINDS = {"optimal": "D fixed at D*", "trained": "the trained D fixed"}


def _discriminator_checks() -> Iterator[Check]:
    for part, statement in _DISCRIMINATOR.items():
        yield _check(
            f"optimal-discriminator.minimax.shifted.{part}",
            f"{statement}, at {_PAIR}",
            "Goodfellow et al. (2014), Proposition 1",
            "optimal-discriminator.minimax.shifted.bound" if part == "bound-twin" else None,
        )


def _gradient_checks() -> Iterator[Check]:
    for name, (followed, loss) in _FOLLOWED.items():
        for wrt in ("q.loc", "q.scale"):
            for kind, held in _KINDS.items():
                law = f"frozen-gradient.{name}.shifted.{wrt}.{kind}"
                text = f"the {name} generator's gradient in {wrt}, {held}, is that of"
                source = "the followed curvature −h'(r)/r"
                yield _check(law, f"{text} {followed}, at {_PAIR}", source)
                if loss:
                    yield _check(f"{law}.twin", f"{text} {loss}, at {_PAIR}", source, law)


def _check(name: str, statement: str, source: str, twin_of: str | None = None) -> Check:
    return Check(
        name,
        statement,
        partial(_decide, name, statement),
        How.REFUTED if twin_of else How.MEASURED,
        source=source,
        trains=True,
        twin_of=twin_of,
    )


def _decide(name: str, statement: str) -> Verdict:
    return _judged(name, statement, lambda comparison: comparison)


def _judged(name: str, statement: str, change: Callable[[Comparison], Comparison]) -> Verdict:
    measured = _measured(name.partition(".")[0])
    found = measured.get(name)
    if found is None:
        if _law_of(name) not in measured:
            raise unknown_name("measurement", name, measured)
        # The interval is too wide to tell the twin from the law.
        return Verdict(statement, How.UNDECIDED, reason="the stated error hides the difference")
    return replace(judge_comparison(change(found)), statement=statement)


def _law_of(name: str) -> str:
    """Return the id of the law that an id is the twin of, which is measured with it."""
    law = name.removesuffix(".twin").removesuffix("-twin")
    return "" if law == name else law


def _falsified(law: Comparison) -> Comparison:
    """Return an equality with twice the theory, or a bound the other way round."""
    if law.relation == "=":
        return replace(law, right=doubled(law.right))
    return replace(law, left=law.right, right=law.left)


def _twins(laws: Iterable[Check]) -> Iterator[Check]:
    for law in without_twin(laws):
        false = f"{law.statement}: of twice the theory, or the other way round"
        yield twin_of(law, false, partial(_judged, law.id, false, _falsified))


@cache
def _measured(experiment: str) -> dict[str, Comparison]:
    """Return the comparisons of the quick run of an experiment, measured once a process."""
    from simulations.experiments import load

    measured = load(experiment).run(Setting(quick=True))
    return {c.id: c for measurement in measured for c in measurement.comparisons}


_LAWS = (*_discriminator_checks(), *_gradient_checks())
TRAINING: tuple[Check, ...] = (*_LAWS, *_twins(_LAWS))
