"""Statements as checks: what the report and the docs show of them."""

from dataclasses import replace

import gantheory as gt
from gantheory.ledger.statements.checks import statement_check, statement_checks, verdict_of
from gantheory.ledger.statements.deciding import all_entries, choose, decide_entry
from gantheory.ledger.statements.entry import Correction
from gantheory.records import How
from gantheory.report import view
from gantheory.verify import Outcome


def test_every_statement_is_a_check_by_its_id_in_reading_order():
    checks = statement_checks()
    assert list(checks) == [entry.id for entry in all_entries()]
    assert [check.document for check in checks.values()] == [
        entry.source.title for entry in all_entries()
    ]


def test_documents_are_sections_of_the_report_after_all_else():
    outcomes = gt.check(["003-84", "002-35", "minimax.value", "000-1"])
    titles = [section.title for section in view.group(outcomes)]
    assert titles == [
        "Proved from the formulas",
        "Read along: Some thoughts on the objective functions of GANs",
        "Read along: Generative Adversarial Nets (notes)",
        "Read along: The math behind GANs",
    ]
    assert [outcome.as_expected for outcome in outcomes] == [True] * 4
    assert [view.reason_label(outcome) for outcome in outcomes[:2]] == ["In truth", "Reason"]


def test_what_no_machine_decides_says_so_and_a_false_correction_decides_nothing():
    (entry,) = choose(["002-35"])
    verdict = statement_check(entry).run()
    assert verdict.how is How.UNDECIDED
    assert verdict.reason.startswith("not machine-checkable: ")
    (entry,), (wrong,) = choose(["003-84"]), choose(["003-85"])
    row = decide_entry(replace(entry, correction=Correction("false", wrong.checks)))
    assert verdict_of(row).how is How.UNDECIDED
    assert "does not hold" in verdict_of(row).reason
    assert not Outcome(statement_check(entry), verdict_of(row)).as_expected


def test_a_statement_whose_correction_quotes_a_theorem_is_as_it_should_be_as_a_check_too():
    """What a correction quotes caps the correction, and not the statement beside it."""
    for entry in choose(["001-34", "004-117", "dirac-non-saturating"]):
        row = decide_entry(entry)
        assert row.assumptions != row.own_assumptions
        assert Outcome(statement_check(entry), verdict_of(row)).as_expected, entry.id
