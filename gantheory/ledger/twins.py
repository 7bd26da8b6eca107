"""The false twin of a law, generated: exchanged laws, a factor of 2, a constant, the sign.

A twin is decided by the same machinery as its law, from its own statement; it is never the law's
verdict turned round. A change that would leave a true statement, such as exchanging P and Q in a
symmetric divergence, is not chosen.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace

import sympy as sp

from gantheory.divergences import DIVERGENCES
from gantheory.errors import InternalError
from gantheory.records import Estimate, How, Verdict
from gantheory.verify import Check

_EXCHANGED = {one.name: one.reverse for one in DIVERGENCES.values() if one.reverse != one.name}
_NAMES = re.compile(rf"\b(?:{'|'.join(_EXCHANGED)}|r)\b")
CHANGES: dict[str, Callable[[str], str]] = {
    "p and q exchanged": lambda text: _NAMES.sub(lambda m: _EXCHANGED.get(m[0], "(1/r)"), text),
    "twice as much": lambda text: f"2*({text})",
    "1 more": lambda text: f"{text} + 1",
    "the sign reversed": lambda text: f"-({text})",
}


def changed(law: str, text: str, *, up_to_constants: bool = False) -> tuple[str, str]:
    """Return what is changed, and a formula that differs from ``text`` by it.

    Which change is tried first depends on the law's id, so that a ledger has all of them. A law
    that holds up to constants is not changed by one.

    >>> changed("a", "jsd")
    ('the sign reversed', '-(jsd)')
    """
    kinds = [kind for kind in CHANGES if not (up_to_constants and kind == "1 more")]
    start = zlib.crc32(law.encode()) % len(kinds)
    for kind in (*kinds[start:], *kinds[:start]):
        candidate = CHANGES[kind](text)
        if differ(text, candidate):
            return kind, candidate
    raise InternalError(f"no change of {text!r} makes it false")


def differ(one: str, other: str) -> bool:
    """Return whether two formulas differ as functions of their names, at a generic point."""
    from gantheory.expressions import parse
    from gantheory.functions import to_sympy
    from gantheory.ledger.published import CLAIM

    left, right = (to_sympy(parse(text, CLAIM), ratio=True) for text in (one, other))
    names = sorted((left - right).free_symbols, key=str)
    point = {name: sp.Rational(2 * k + 3, 7 * k + 11) for k, name in enumerate(names)}
    return bool(abs(sp.N((left - right).xreplace(point), 30)) > 1e-20)


def twin_of(law: Check, statement: str, run: Callable[[], Verdict]) -> Check:
    """Return the check of a law's generated twin."""
    return Check(
        f"{law.id}-twin",
        statement,
        run,
        How.REFUTED,
        source="a false twin, generated",
        trains=law.trains,
        twin_of=law.id,
    )


def without_twin(checks: Iterable[Check]) -> list[Check]:
    """Return the laws among some checks that no other check is the twin of."""
    checks = tuple(checks)
    twinned = {check.twin_of for check in checks}
    return [c for c in checks if c.expected is not How.REFUTED and c.id not in twinned]


def doubled(estimate: Estimate) -> Estimate:
    """Return a theory of twice the size, or of 1 where its size is 0 within its error."""
    if abs(estimate.value) <= estimate.error or estimate.value == 0:
        return replace(estimate, value=estimate.value + 1.0)
    return replace(estimate, value=2 * estimate.value)
