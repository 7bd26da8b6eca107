"""What was derived in this process, so that no loss is derived twice."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gantheory import deadline
from gantheory.derivations.derivation import Derivation
from gantheory.divergences import DIVERGENCES
from gantheory.losses.loss import Loss

MOST = 256  # more than the catalogue has; the oldest goes first
_FOUND: dict[tuple[Any, ...], Derivation] = {}


def kept(derived: Callable[[Loss, float], Derivation], loss: Loss, seconds: float) -> Derivation:
    """Return ``derived(loss, seconds)``, or what it returned before for the same question.

    The divergences that have names are a part of the question. Not kept is what a limit of time
    cut short, and what may depend on more: a loss with laws, or of a user's own class.
    """
    if loss.laws or type(loss) is not Loss:
        return derived(loss, seconds)
    question = (pickle.dumps(loss), seconds, *DIVERGENCES.values())
    found = _FOUND.get(question)
    if found is None:
        before = deadline.times_out_of_time()
        found = derived(loss, seconds)
        if deadline.times_out_of_time() == before:
            while len(_FOUND) >= MOST:
                _FOUND.pop(next(iter(_FOUND)), None)  # another thread may have been faster
            _FOUND[question] = found
    return found


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Derive everything anew inside, and forget it then: for tests that change the engine."""
    before = dict(_FOUND)
    _FOUND.clear()
    try:
        yield
    finally:
        _FOUND.clear()
        _FOUND.update(before)
