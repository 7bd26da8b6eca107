"""Laws that hold for every density and loss; each raises AssertionError with its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gantheory.densities.univariate import Univariate
from gantheory.derivations import derive
from gantheory.divergences import named
from gantheory.errors import MissingExtraError
from gantheory.integrals import divergence
from gantheory.losses import get_loss
from gantheory.losses.loss import Loss
from gantheory.records import Estimate, Status
from gantheory.testing.oracles import masses, on_cells, value_on_cells

try:
    from hypothesis import assume, currently_in_test_context, event
except ImportError:
    raise MissingExtraError("gantheory.testing", "testing") from None


@dataclass
class Tally:
    """How many estimates the laws of this process have asked for, and which came undetermined.

    Attributes:
        asked: estimates that a law asked for.
        undetermined: how often each reason was given for having no value.
    """

    asked: int = 0
    undetermined: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        dropped = self.undetermined.total()
        reasons = "".join(f"; {count}: {why}" for why, count in self.undetermined.most_common())
        return f"{dropped} of {self.asked} estimates undetermined{reasons}"


TALLY = Tally()


def decided_estimate(estimate: Estimate) -> Estimate:
    """Return the estimate where the engine could decide it.

    Inside a hypothesis test an undecided example is dropped, and too many of them fail the test's
    health check; elsewhere it is an AssertionError. What is dropped is counted: in `TALLY`, and in
    hypothesis's own statistics as an event.
    """
    TALLY.asked += 1
    if estimate.status is Status.UNDETERMINED:
        TALLY.undetermined[str(estimate.reason)] += 1
        assert currently_in_test_context(), f"undetermined: {estimate.reason}"
        event(f"dropped, undetermined: {estimate.reason}")
        assume(False)
    return estimate


def assert_not_negative(name: str, p: Univariate, q: Univariate) -> None:
    """D(P‖Q) >= 0.

    >>> from gantheory.densities.normal import Normal
    >>> assert_not_negative("jsd", Normal(0, 1), Normal(1, 1))
    """
    found = decided_estimate(divergence(name, p, q))
    assert found.value >= -found.error, f"{name}({p}, {q}) = {found} is negative"


def assert_zero_iff_equal(name: str, p: Univariate, q: Univariate) -> None:
    """D(P‖P) = 0, and D(P‖Q) = 0 only where cells of the line show no difference.

    >>> from gantheory.densities.normal import Normal
    >>> assert_zero_iff_equal("tv", Normal(0, 1), Normal(1, 1))
    """
    same, found = decided_estimate(divergence(name, p, p)), decided_estimate(divergence(name, p, q))
    assert abs(same.value) <= same.error + 1e-15, f"{name}({p}, {p}) = {same} is not zero"
    if found.value == 0 and p != q:
        points = np.linspace(0.05, 0.95, 19)
        apart = np.max(np.abs(q.cdf(p.ppf(points)) - points))
        assert apart <= 1e-6, f"{name}({p}, {q}) = 0 but their distributions differ by {apart}"


def assert_symmetric(name: str, p: Univariate, q: Univariate) -> None:
    """D(P, Q) = D(Q, P).

    >>> from gantheory.densities.normal import Normal
    >>> assert_symmetric("jsd", Normal(0, 1), Normal(1, 2))
    """
    one, other = decided_estimate(divergence(name, p, q)), decided_estimate(divergence(name, q, p))
    assert_equal(one, other, f"{name}({p}, {q}) and its exchange")


def assert_at_most(name: str, p: Univariate, q: Univariate, bound: float) -> None:
    """D(P‖Q) <= bound.

    >>> from gantheory.densities.normal import Normal
    >>> assert_at_most("tv", Normal(0, 1), Normal(9, 1), 1.0)
    """
    found = decided_estimate(divergence(name, p, q))
    assert found.value <= bound + found.error, f"{name}({p}, {q}) = {found} exceeds {bound}"


def assert_invariant(
    name: str, p: Univariate, q: Univariate, image: Callable[[Univariate], Univariate]
) -> None:
    """D(P‖Q) stays when both laws are carried along by one bijection of the line.

    >>> from gantheory.densities.normal import Normal
    >>> assert_invariant("tv", Normal(0, 1), Normal(1, 1),
    ...                  lambda law: Normal(2 * law.loc, 2))
    """
    here, there = (
        decided_estimate(divergence(name, p, q)),
        decided_estimate(divergence(name, image(p), image(q))),
    )
    assert_equal(here, there, f"{name}({p}, {q}) and its image {image(p)}, {image(q)}")


def assert_data_processing(
    name: str, p: Univariate, q: Univariate, points: Sequence[float]
) -> None:
    """D(P‖Q) is at least the divergence of the two laws on cells: looking coarsely loses.

    >>> from gantheory.densities.normal import Normal
    >>> assert_data_processing("jsd", Normal(0, 1), Normal(1, 1), [0.0, 1.0])
    """
    found = decided_estimate(divergence(name, p, q))
    coarse = on_cells(named(name), masses(p, points), masses(q, points))
    slack = found.error + coarse.error + 1e-14 * abs(coarse.value)
    assert coarse.value <= found.value + slack, (
        f"{name}({p}, {q}) = {found}, but its coarsening at {list(points)} is {coarse}"
    )


def assert_discriminator_cannot_win(
    loss: Loss | str, p: Univariate, q: Univariate, points: Sequence[float], t: Sequence[float]
) -> None:
    """V(D) <= V(D*) for the discriminator with the score ``t[k]`` on the k-th cell.

    >>> from gantheory.densities.normal import Normal
    >>> assert_discriminator_cannot_win(
    ...     "minimax", Normal(0, 1), Normal(1, 1), [0.5], [1.0, -1.0]
    ... )
    """
    loss = get_loss(loss) if isinstance(loss, str) else loss
    value = derive(loss).value
    assert value is not None, f"{loss.name} has no optimal discriminator"
    found = decided_estimate(divergence(value, p, q))
    best = found.value + float(value.constant)
    reached = value_on_cells(loss, masses(p, points), masses(q, points), t)
    slack = found.error + reached.error + 1e-14 * (abs(reached.value) + abs(best))
    assert reached.value <= best + slack, (
        f"{loss.name} on {p}, {q}: a discriminator reaches {reached}, above the optimum {best:.17g}"
    )


def assert_equal(one: Estimate, other: Estimate, what: str) -> None:
    """Two estimates agree within their errors; two infinities of one sign agree."""
    if one.value == other.value:
        return
    slack = one.error + other.error
    assert abs(one.value - other.value) <= slack, f"{what}: {one} and {other}"
