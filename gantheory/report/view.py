"""What the page shows of each outcome: groups, words and numbers, decided before any markup."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gantheory.divergences.symbols import in_prose
from gantheory.inequalities.inequality import InequalityVerdict
from gantheory.records import How, Verdict
from gantheory.report.numbers import (
    show_error,
    show_estimate,
    show_number,
    show_probability,
    typeset_powers,
)
from gantheory.verify import Check, Outcome

# A verdict is told by sign and word first; colour only repeats it.
SIGNS = {
    How.PROVED: "■",
    How.CERTIFIED: "◆",
    How.ASSUMED: "□",
    How.MEASURED: "●",
    How.REFUTED: "✕",
    How.UNDECIDED: "?",
}
MEANINGS = {
    How.PROVED: "by exact algebra",
    How.CERTIFIED: "by ball arithmetic over the whole domain",
    How.ASSUMED: "by exact algebra, from a theorem that is quoted",
    How.MEASURED: "numbers agree within their stated errors",
    How.REFUTED: "by a counterexample, or a disagreement beyond the stated errors",
    How.UNDECIDED: "with the reason",
}


@dataclass(frozen=True)
class Group:
    """Outcomes that are read together, under one heading."""

    id: str
    title: str
    explanation: str
    outcomes: tuple[Outcome, ...]


_GROUPS: tuple[tuple[str, str, str, Callable[[Check], bool]], ...] = (
    (
        "twins",
        "Twins that must fail",
        "Each statement here is false: a law with one planted error, or a published claim that "
        "does not hold. The same machinery must refute it, or its approvals would mean nothing.",
        lambda check: check.expected is How.REFUTED,
    ),
    (
        "trained",
        "Trained networks against the theory",
        "A network trained on samples, measured on fresh samples. Intervals miss the truth with "
        "at most the stated error probability.",
        lambda check: check.trains,
    ),
    (
        "proved",
        "Proved from the formulas",
        "Exact algebra, or ball arithmetic on the whole half-line of density ratios. What rests on "
        "a theorem that is quoted is assumed.",
        lambda check: check.expected in (How.PROVED, How.CERTIFIED, How.ASSUMED),
    ),
    (
        "numbers",
        "Computed numbers",
        "Integrals between known densities, each with a bound on its error, found by two routes "
        "that must agree within the two errors.",
        lambda check: check.expected is How.MEASURED,
    ),
    (
        "undecided",
        "Undecided, with the reason",
        "Questions that the toolkit should not answer, and says so.",
        lambda check: True,
    ),
)
DOCUMENT = (
    "Its statements in reading order, in our words. A false one is refuted with a counterexample, "
    "and what is true instead is checked too."
)
_READING_ORDER = ("proved", "numbers", "trained", "twins", "undecided")


def group(outcomes: Iterable[Outcome]) -> tuple[Group, ...]:
    """Sort outcomes into the page's sections, each outcome into exactly one.

    What documents state stands by document, in reading order, after all else.
    """
    found: dict[str, list[Outcome]] = {name: [] for name in _READING_ORDER}
    documents: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.check.document:
            documents.setdefault(outcome.check.document, []).append(outcome)
        else:
            found[next(name for name, *_, fits in _GROUPS if fits(outcome.check))].append(outcome)
    words = {name: (title, explanation) for name, title, explanation, _ in _GROUPS}
    return (
        *(Group(name, *words[name], tuple(found[name])) for name in _READING_ORDER if found[name]),
        *(Group(f"document-{number}", f"Read along: {title}", DOCUMENT, tuple(rows))
          for number, (title, rows) in enumerate(documents.items(), start=1)),
    )  # fmt: skip


def by_document(sections: Iterable[Group]) -> list[tuple[str, Group]]:
    """Return the sections that hold what documents state, each with its document's title."""
    return [(s.title.partition(": ")[2], s) for s in sections if s.id.startswith("document-")]


def readable(statement: str) -> str:
    """Return a statement as people write it: symbols of divergences, products, powers of ten.

    >>> readable("its value is 2*jsd - kl_qm")
    'its value is 2·JSD(P, Q) − KL(Q‖M)'
    >>> readable("2*log(2) to 1e-12")
    '2·log(2) to 1e−12'
    """
    found = in_prose(typeset_powers(statement))
    return found.replace(" + -", " - ").replace(" - ", " − ")


def headline(outcomes: Sequence[Outcome], planned: int | None = None) -> str:
    """Return the one sentence that a reader needs: of an interrupted run that it was one.

    >>> headline([]), headline([], planned=3)
    ('No check was run', 'Interrupted after 0 of 3 checks')
    """
    total = len(outcomes)
    wrong = sum(not outcome.as_expected for outcome in outcomes)
    if planned is not None and planned > total:
        said = f"Interrupted after {total} of {planned} checks"
        if not total:
            return said
        return f"{said}: {f'{wrong} not as they should be' if wrong else 'all as they should be'}"
    if not total:
        return "No check was run"
    if wrong:
        number = "is not as it should be" if wrong == 1 else "are not as they should be"
        return f"{wrong} of {total} verdicts {number}"
    return f"All {total} verdicts are as they should be" if total > 1 else "The verdict is right"


COUNTED = {
    "proved": ("statement proved from formulas", "statements proved from formulas"),
    "numbers": ("number computed by two routes", "numbers computed by two routes"),
    "trained": ("comparison of trained networks", "comparisons of trained networks"),
    "twins": ("planted error or false claim", "planted errors and false claims"),
    "undecided": ("question without an answer", "questions without an answer"),
}


def counted(section: Group) -> str:
    """Say how many outcomes a section has, and whether they are as they should be.

    >>> counted(Group("twins", "", "", ()))
    'no planted errors and false claims'
    """
    one, many = COUNTED.get(section.id, ("statement", "statements"))
    total = len(section.outcomes)
    wrong = sum(not outcome.as_expected for outcome in section.outcomes)
    if not total:
        return f"no {many}"
    said = f"{total} {one if total == 1 else many}"
    if section.id == "twins":
        return f"{said}, {'all caught' if not wrong else f'{wrong} not caught'}"
    return f"{said}, {'all as they should be' if not wrong else f'{wrong} not as they should be'}"


def in_plain_words(outcomes: Iterable[Outcome]) -> str:
    """Return what was checked and what came out, in one paragraph for any reader."""
    sections = group(outcomes)
    said = [
        f"{len(s.outcomes)} {COUNTED[s.id][len(s.outcomes) != 1]}"
        for s in sections
        if s.id in COUNTED and s.id != "twins"
    ]
    documents = [section for section in sections if section.id not in COUNTED]
    if documents:
        stated = sum(len(section.outcomes) for section in documents)
        said.append(f"{stated} sentences of {len(documents)} documents")
    twins = " ".join(f"There were {counted(s)}." for s in sections if s.id == "twins")
    return f"This run checked {'; '.join(said)}. {twins}".strip() if said else twins


def remarks_on_run(outcomes: Sequence[Outcome], planned: int | None) -> list[str]:
    """Return what the headline leaves out: an interrupted run, training left out."""
    found = []
    if planned is not None and planned > len(outcomes):
        missing = planned - len(outcomes)
        found.append(
            f"{missing} check{'s were' if missing != 1 else ' was'} not run, so this page says "
            "nothing of them; run the command again for the whole."
        )
    elif outcomes and not any(outcome.check.trains for outcome in outcomes):
        found.append("No network was trained in this run; run without --quick to include it.")
    return found


def reason_label(outcome: Outcome) -> str:
    """Say what a verdict's reason is: of a document's statement, what is true beside it.

    >>> check = Check("x", "1 = 2", lambda: verdict, How.REFUTED, document="A book")
    >>> verdict = Verdict("1 = 2", How.REFUTED, reason="1 = 1")
    >>> reason_label(Outcome(check, verdict))
    'In truth'
    """
    if not outcome.check.document or outcome.verdict.holds is None:
        return "Reason"
    return "But" if outcome.verdict.holds else "In truth"


def judgement(outcome: Outcome) -> str:
    """Say whether the verdict is the one that the check should get, and which that is.

    >>> check = Check("x.twin", "1 = 2", lambda: verdict, How.REFUTED)
    >>> verdict = Verdict("1 = 2", How.REFUTED)
    >>> judgement(Outcome(check, verdict))
    'as it should be'
    """
    if outcome.as_expected:
        return "as it should be"
    return f"should be {outcome.check.expected}"


@dataclass(frozen=True)
class Gauge:
    """How far two sides lie apart, in units of the stated error.

    ``position`` is clipped to [-1.4, 1.4]; the band that agreement allows is [-1, 1].
    """

    position: float
    words: str


def gauge(verdict: Verdict) -> Gauge | None:
    """Return the gauge of a verdict on two numbers, or None where there are not two.

    A bound that is kept by more than the error has none: there the distance is no disagreement.
    """
    left, right, error = verdict.left, verdict.right, verdict.error
    if not isinstance(left, int | float) or not isinstance(right, int | float) or not error:
        return None
    if not all(map(math.isfinite, (left, right, error))):
        return None
    ratio = (left - right) / error
    if verdict.relation in BOUNDS and verdict.holds and abs(ratio) > 1:
        return None
    return Gauge(max(-1.4, min(1.4, ratio)), _in_words(ratio))


def _in_words(ratio: float) -> str:
    if abs(ratio) > 2:
        return f"difference: {abs(ratio):.3g} × the stated error"
    return f"difference: {abs(ratio):.0%} of the stated error"


def sides(verdict: Verdict) -> list[tuple[str, str]]:
    """Return the labelled numbers of a verdict, as text."""
    error = None if _is_an_end(verdict) else verdict.error
    tolerance = show_error(error) if verdict.left is None else ""
    rows = [
        ("found", readable(show_estimate(verdict.left, error))),
        (BOUNDS.get(verdict.relation, "theory"), readable(show_number(verdict.right, error))),
        ("error", tolerance),
        ("error probability", show_probability(verdict.error_probability)),
    ]
    return [(label, text) for label, text in rows if text]


BOUNDS = {"<=": "at most", "<": "less than", ">=": "at least", ">": "more than"}


def details(verdict: Verdict) -> list[tuple[str, str]]:
    """Return what a verdict on an inequality holds besides, labelled: nothing for others.

    >>> from gantheory.inequalities.inequality import InequalityVerdict
    >>> details(InequalityVerdict("", How.PROVED, boxes=9, seconds=0.0601226))
    [('seconds taken', '0.0601'), ('boxes enclosed', '9')]
    """
    if not isinstance(verdict, InequalityVerdict):
        return []
    rows = [
        ("seconds taken", typeset_powers(f"{verdict.seconds:.3g}")),
        ("boxes enclosed", show_number(verdict.boxes)),
        ("ratio p/q where it fails", verdict.ratio or ""),
        ("masses of P", ", ".join(verdict.p)),
        ("masses of Q", ", ".join(verdict.q)),
    ]
    return [(label, text) for label, text in rows if text]


def refutations(outcomes: Iterable[Outcome]) -> str:
    """Say what was refuted where all that is refuted should be.

    >>> refutations([])
    'by a counterexample, or a disagreement beyond the stated errors'
    """
    refuted = [outcome for outcome in outcomes if outcome.verdict.how is How.REFUTED]
    stated = sum(bool(outcome.check.document) for outcome in refuted)
    planted = len(refuted) - stated
    said = [f"{planted} {COUNTED['twins'][planted != 1]}"] if planted else []
    said += [f"{stated} sentence{'s' * (stated != 1)} of documents"] if stated else []
    return f"{' and '.join(said)}, all caught" if said else MEANINGS[How.REFUTED]


def _is_an_end(verdict: Verdict) -> bool:
    """Whether a side is the end of an interval, which holds the error already."""
    return verdict.error == 0 and verdict.error_probability > 0
