"""The derivation as a reader follows it, step by step."""

from __future__ import annotations

from gantheory.symbolic.derivation import Derivation, Step


def steps_of(derivation: Derivation, *rest: object) -> tuple[Step, ...]:
    """Placeholder."""
    return ()
