"""The records of a ledger: a statement of a source, how it is checked, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from gantheory.records import How, Verdict, is_quoted, weakest
from gantheory.shown import Overview, Shown

UNCHECKABLE = "not machine-checkable"
# What rests on a quoted theorem is known as far as instances of it were computed, or not at all.
VERDICTS = (*(str(how) for how in How if how is not How.ASSUMED), UNCHECKABLE)


class Test(Protocol):
    """What a check computes: a verdict, and false neighbours of itself that must be refuted."""

    @property
    def slow(self) -> bool:
        """Whether it takes more than a few seconds."""

    def validate(self) -> None:
        """Refuse malformed input, before any work."""

    def decide(self) -> Verdict:
        """Compute the verdict."""

    def plants(self) -> Iterator[tuple[str, Test]]:
        """Yield copies with one planted error each, with what is planted."""


@dataclass(frozen=True)
class Source:
    """A document whose statements are decided, in reading order."""

    key: str
    title: str
    author: str = ""


@dataclass(frozen=True)
class Correction:
    """What is true instead of a statement, or beyond its assumptions, itself checked."""

    statement: str
    checks: tuple[Test, ...]


@dataclass(frozen=True)
class Entry:
    """A statement of a source, in our own words.

    Attributes:
        id: stable identifier.
        source: the document.
        line: where it is stated there.
        statement: what is claimed.
        kind: what kind of claim it is: identity, inequality, definition, dynamics, ...
        assumptions: what it rests on that no check derives, each with its citation.
        verdict: the verdict that the checks must get; it is never evidence.
        checks: all of them must hold.
        correction: what is true instead.
        reason: why no machine decides it, or what is missing.
        place: file and line of the entry, for messages.
        system: the model that it speaks of, where it is not the original GAN.
    """

    id: str
    source: Source
    line: str
    statement: str
    kind: str
    verdict: str
    assumptions: tuple[str, ...] = ()
    checks: tuple[Test, ...] = ()
    correction: Correction | None = None
    reason: str = ""
    place: str = ""
    system: str = ""

    @property
    def stated(self) -> str:
        """Where it is stated: the document, and the line or place in it."""
        where = f"line {self.line}" if self.line[:1].isdigit() else self.line
        return f"{self.source.title}, {where}" if where else self.source.title

    @property
    def slow(self) -> bool:
        """Whether one of its checks is left out of a quick run."""
        return any(check.slow for check in self.tests)

    @property
    def tests(self) -> tuple[Test, ...]:
        """All its checks, those of what corrects it too."""
        return (*self.checks, *(self.correction.checks if self.correction else ()))


@dataclass(frozen=True, repr=False)
class Row(Shown):
    """What became of one entry.

    >>> from gantheory.ledger.statements.deciding import claims
    >>> claims("000-1")[0].verdict
    'true'
    """

    entry: Entry
    how: str
    verdicts: tuple[Verdict, ...]
    corrected: tuple[Verdict, ...]
    seconds: float

    def overview(self) -> Overview:
        """Return the statement with its verdict, who states it, and what is true instead."""
        correction = self.entry.correction
        rows = [
            ("stated", self.entry.stated),
            ("counterexample", self.counterexample or ""),
            ("because", self.reason or ""),
            ("in truth", correction.statement if correction else ""),
            ("assuming", "; ".join(self.entry.assumptions)),
        ]
        return Overview(f"{self.entry.id} {self.verdict}: {self.entry.statement}", tuple(rows))

    @property
    def counterexample(self) -> str | None:
        """Why the statement is false, where it is."""
        return next((v.counterexample for v in self.verdicts if v.how is How.REFUTED), None)

    @property
    def verdict(self) -> str:
        """The verdict in one of five words."""
        if self.how == How.REFUTED:
            return "false"
        if self.how in (How.UNDECIDED, UNCHECKABLE):
            return self.how
        return "true under assumptions" if self.entry.assumptions or self.quoted else "true"

    @property
    def quoted(self) -> tuple[str, ...]:
        """The theorems and steps in words that the verdict rests on: they cap it."""
        return tuple(filter(is_quoted, self.own_assumptions))

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the recorded one, and what corrects the statement holds."""
        return self.how == self.entry.verdict and self.corrects

    @property
    def corrects(self) -> bool:
        """Whether what corrects the statement holds, where there is such a thing."""
        return all(v.holds for v in self.corrected)

    @property
    def reason(self) -> str | None:
        """Why nothing is decided, or why the row is not as it should be."""
        failed = next((v for v in self.corrected if not v.holds), None)
        if failed is not None:
            return f"the correction does not hold: {failed.counterexample or failed.reason}"
        open_ones = (v.reason for v in self.verdicts if v.how is How.UNDECIDED)
        return next(open_ones, None) or self.entry.reason or None

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys."""
        correction = self.entry.correction
        return {
            "id": self.entry.id,
            "source": self.entry.stated,
            "statement": self.entry.statement,
            "verdict": self.verdict,
            "how": self.how,
            "counterexample": self.counterexample,
            "corrected": correction and correction.statement,
            "seconds": round(self.seconds, 3),
            "as_expected": self.as_expected,
            "reason": self.reason,
            "assumptions": list(self.assumptions),
            "quoted": list(self.quoted),
        }

    @property
    def own_assumptions(self) -> tuple[str, ...]:
        """What the verdict rests on: of the entry, and of the engine's own results."""
        found = (a for v in self.verdicts for a in v.assumptions)
        return tuple(dict.fromkeys((*self.entry.assumptions, *found)))

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the verdict, and what corrects the statement, rest on."""
        corrections = (a for v in self.corrected for a in v.assumptions)
        return tuple(dict.fromkeys((*self.own_assumptions, *corrections)))


def conjunction(verdicts: Iterable[Verdict], assumptions: Iterable[str] = ()) -> How:
    """Return how several statements together are known: never better than the weakest.

    What is quoted in words lies between the checks and the statement, and caps it at measured.
    """
    known = {verdict.how for verdict in verdicts}
    if How.REFUTED in known:
        return How.REFUTED
    if known and How.UNDECIDED not in known and any(map(is_quoted, assumptions)):
        known.add(How.MEASURED)
    return How.UNDECIDED if How.ASSUMED in known else weakest(known)
