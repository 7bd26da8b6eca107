"""The rules: what of a recovered loss is wrong or surprising, with evidence and remedy.

A rule reads facts that were measured on the code, or proved of its formulas; it reports nothing
else. Where one fault explains another (exchanged labels make a loss with no divergence), the
cause alone is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gantheory.audits.claims import theory_of_claim, wrong_name
from gantheory.audits.facts import Facts
from gantheory.audits.flow import gradients, leaking_state, reduction
from gantheory.audits.guards import epsilon, logits, not_numbers, squashes
from gantheory.audits.penalties import penalties
from gantheory.audits.record import Finding, Kind
from gantheory.audits.signs import exchanged

RULES: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    penalties,
    gradients,
    squashes,
    logits,
    exchanged,
    theory_of_claim,
    wrong_name,
    epsilon,
    not_numbers,
    reduction,
    leaking_state,
)


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Return what is wrong or surprising, causes before what follows from them."""
    found: list[Finding] = []
    for rule in RULES:
        for finding in rule(facts):
            if finding.kind not in {one.kind for one in found} and not _explained(finding, found):
                found.append(finding)
    return tuple(found)


def _explained(finding: Finding, found: list[Finding]) -> bool:
    """Return whether a finding is only what an earlier one brings about."""
    causes = {Kind.EXCHANGED, Kind.WRONG_SIGN, Kind.SQUASHED, Kind.LOGITS, Kind.NO_OPTIMUM}
    effects = {Kind.WRONG_NAME, Kind.NO_DIVERGENCE, Kind.NO_OPTIMUM, Kind.SATURATES,
               Kind.NOT_ZERO_SUM}  # fmt: skip
    kinds = {one.kind for one in found}
    if Kind.SQUASHED in kinds and finding.kind in (Kind.LOGITS,):
        return True
    if kinds & {Kind.SATURATES, Kind.NOT_ZERO_SUM} and finding.kind is Kind.WRONG_NAME:
        return True
    return finding.kind in effects and bool(kinds & causes - {finding.kind})
