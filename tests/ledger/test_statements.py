"""The ledger of statements: verdicts are computed, and an error that is planted is refuted."""

import ast
import io
import random
import re
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
import pytest
from rich.console import Console

import gantheory as gt
from gantheory.cli import claims
from gantheory.cli.claims import command
from gantheory.divergences.symbols import in_prose
from gantheory.errors import GantheoryError
from gantheory.ledger import statements, systems
from gantheory.ledger.statements import deciding
from gantheory.ledger.statements.checks import statement_check, verdict_of
from gantheory.ledger.statements.deciding import all_entries, choose, decide_entry, matches
from gantheory.ledger.statements.entry import (
    UNCHECKABLE,
    VERDICTS,
    Correction,
    Row,
)
from gantheory.ledger.statements.kinds import Formula
from gantheory.ledger.statements.routes import again
from gantheory.records import How, Verdict, is_quoted
from gantheory.report.statements import explained, print_rows
from gantheory.verify import Outcome

ENTRIES = all_entries()


@pytest.fixture(scope="module")
def rows():
    return [decide_entry(entry) for entry in choose(quick=True)]


def test_every_statement_gets_its_recorded_verdict_and_every_correction_holds(rows):
    assert [(row.entry.id, row.how, row.reason) for row in rows if not row.as_expected] == []
    outcomes = [Outcome(statement_check(row.entry), verdict_of(row)) for row in rows]
    assert [outcome.check.id for outcome in outcomes if not outcome.as_expected] == []


def test_the_rows_have_their_stable_keys_and_say_where_a_statement_stands(rows):
    found = {row.entry.id: row.as_dict() for row in rows}
    keys = {"id", "source", "statement", "verdict", "how", "counterexample", "corrected", "seconds"}
    assert all(keys <= set(row) for row in found.values())
    assert found["003-84"]["source"].endswith("GANs, line 60")
    assert "line" not in found["bounds"]["source"]
    for row in rows[::6]:
        told = "\n".join(explained(row))
        verdicts = (*row.verdicts, *row.corrected)
        assert all(in_prose(verdict.statement) in told for verdict in verdicts)


@pytest.mark.parametrize("width", [60, 80])
def test_every_claim_is_printed_with_its_whole_id(rows, width):
    console = Console(width=width, file=io.StringIO())
    print_rows(rows, console=console)
    printed = console.file.getvalue()
    assert "…" not in printed
    assert [row.entry.id for row in rows if row.entry.id not in printed] == []


def test_an_exchanged_verdict_makes_the_run_fail(rows):
    trained = [Row(entry, entry.verdict, (), (), 0.0) for entry in ENTRIES if entry.slow]
    for row in [*rows, *trained]:
        for other in set(VERDICTS) - {row.entry.verdict}:
            exchanged = replace(row, entry=replace(row.entry, verdict=other))
            assert not exchanged.as_expected, (row.entry.id, other)


def test_a_run_with_one_exchanged_verdict_fails(rows, monkeypatch):
    """Each recorded verdict in turn is exchanged, and the command decides it beside a right one."""
    draw, right = random.Random(15), rows[0]
    run = partial(command.main, ["--quiet"], standalone_mode=False)
    monkeypatch.setattr("gantheory.report.statements.print_rows", lambda *given, **named: None)
    for row in rows:
        other = draw.choice(sorted(set(VERDICTS) - {row.entry.verdict}))
        wrong = replace(row, entry=replace(row.entry, verdict=other))
        monkeypatch.setattr(claims, "_decide", lambda *given, wrong=wrong, **named: [right, wrong])
        assert run() == 1, (row.entry.id, other)
    monkeypatch.setattr(claims, "_decide", lambda *given, **named: rows)
    assert run() == 0


PUBLISHED = [
    check for entry in ENTRIES if entry.source.key == "published" and entry.verdict != "refuted"
    for check in entry.checks if isinstance(check, Formula)
]  # fmt: skip


@pytest.mark.parametrize("seed", range(24))
def test_a_number_changed_at_random_in_a_published_formula_is_not_affirmed(seed):
    """The second route says whether the change made it false; the engine must not affirm it."""
    draw = random.Random(seed)
    check = draw.choice([one for one in PUBLISHED if re.search(r"\d", one.text)])
    place = draw.choice(list(re.finditer(r"(?<![\w.])\d+(\.\d+)?(?![\w.])", check.text)))
    factor = draw.choice(["2", "3", "1/2", "-1"])
    text = f"{check.text[: place.start()]}({factor}*{place[0]}){check.text[place.end() :]}"
    wrong = replace(check, text=text)
    second, found = again(wrong), deciding._decide(wrong)
    if second is not None and second.holds is False:
        assert found.how in (How.REFUTED, How.UNDECIDED), text
    elif second is not None:
        assert found.how is not How.REFUTED, text


def test_an_interrupted_run_says_how_much_was_decided(monkeypatch):
    def interrupted(entries):
        yield decide_entry(choose(["003-84"])[0])
        raise KeyboardInterrupt

    monkeypatch.setattr(deciding, "decide_all", interrupted)
    with pytest.raises(click.Abort) as stopped:
        command.main(["003-84", "003-85", "--quiet"], standalone_mode=False)
    assert str(stopped.value.__cause__) == "1 of 2 claims were decided"


def test_all_117_statements_are_there_and_at_most_twelve_no_machine_can_check():
    numbers = [int(entry.id.split("-")[1]) for entry in ENTRIES if entry.id[:3].isdigit()]
    assert sorted(numbers) == list(range(1, 118))
    assert Counter(entry.verdict for entry in ENTRIES)[UNCHECKABLE] <= 12
    assert all(entry.checks or entry.reason for entry in ENTRIES)


def test_what_a_quick_run_leaves_out_is_well_formed():
    left_out = [check for entry in ENTRIES if entry.slow for check in entry.tests]
    assert left_out
    for check in left_out:
        check.validate()


def test_what_is_false_has_a_counterexample_and_a_correction_that_holds(rows):
    false = [row for row in rows if row.how == How.REFUTED]
    assert len(false) >= 30
    for row in false:
        assert row.counterexample, row.entry.id
        assert row.corrected, row.entry.id
        assert all(verdict.holds for verdict in row.corrected), row.entry.id


def planted(entry):
    """Yield copies with one planted error each, and that check alone, so that no other refutes."""
    for check in entry.checks:
        for what, wrong in check.plants():
            yield what, replace(entry, checks=(wrong,), correction=None)


def test_a_planted_error_is_refuted():
    """One error in a check of a true statement: a sign, a constant, a direction, p and q."""
    plants = [
        (entry.id, what, wrong)
        for entry in ENTRIES
        if entry.verdict in (How.PROVED, How.CERTIFIED, How.MEASURED) and not entry.slow
        for what, wrong in planted(entry)
    ]
    assert len({id for id, _, _ in plants}) >= 60
    for id, what, wrong in random.Random(15).sample(plants, 40):
        assert decide_entry(wrong).how == How.REFUTED, (id, what)


def test_a_correction_that_does_not_hold_makes_the_run_fail():
    (entry,) = choose(["003-84"])
    (wrong,) = choose(["003-85"])
    row = decide_entry(replace(entry, correction=Correction("false", wrong.checks)))
    assert row.how == entry.verdict
    assert not row.as_expected
    assert "does not hold" in row.reason


def test_a_conjunction_is_known_as_its_weakest_part_is():
    proved, certified = choose(["003-92"])[0], choose(["003-89"])[0]
    both = replace(proved, checks=(*proved.checks, *certified.checks))
    assert decide_entry(both).how == How.CERTIFIED
    assert decide_entry(replace(both, checks=())).how == How.UNDECIDED


CHECKING = [
    *(Path(statements.__file__).parent / f"{name}.py"
      for name in ("kinds", "games", "laws", "code", "floats", "routes")),
    *sorted(Path(systems.__file__).parent.glob("*.py")),
]  # fmt: skip


@pytest.mark.parametrize("path", CHECKING, ids=lambda path: path.stem)
def test_no_check_types_its_own_proof(path):
    """Verdicts come from engines and verify; who decides by hand says how, and never proved."""
    assert typed_proofs(path.read_text()) == []


def typed_proofs(text):
    """Return the lines that say proved, build a verdict, or leave to a default how it is known."""
    return [node.lineno for node in ast.walk(ast.parse(text)) if is_typed_proof(node)]


def is_typed_proof(node):
    if isinstance(node, ast.Attribute):
        return node.attr == "PROVED"
    if isinstance(node, ast.Constant):
        return node.value == "proved"
    called = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
    says_how = called and "how" in {keyword.arg for keyword in node.keywords}
    return called == "Verdict" or (called == "decided" and not says_how)


@pytest.mark.parametrize(
    "planted_text",
    ["x = How.PROVED", 'How("proved")', "Verdict(s, how)", "decided(s, True, why)",
     "records.How.PROVED"],
)  # fmt: skip
def test_a_proof_that_a_check_typed_would_be_noticed(planted_text):
    assert typed_proofs(f"import os\n{planted_text}\n") == [2]


QUOTED = [
    "Kantorovich-Rubinstein duality (Villani 2009, Optimal Transport, 5.10)",
    "integration by parts",
    "by the Cauchy-Schwarz inequality",
    "Fubini's theorem",
    "Hoelder",
    "Mescheder et al., Lemma 4",
]


@pytest.mark.parametrize("theorem", QUOTED)
@pytest.mark.parametrize("how", [How.PROVED, How.CERTIFIED])
def test_no_verdict_that_quotes_a_theorem_is_known_better_than_assumed(theorem, how):
    assert Verdict("s", how, assumptions=(theorem, "p > 0")).how is How.ASSUMED
    assert Verdict("s", how, assumptions=("p > 0", "D is held fixed")).how is how
    assert Verdict("s", How.REFUTED, assumptions=(theorem,)).how is How.REFUTED


@pytest.mark.parametrize("id", ["003-82", "003-89", "004-107"])
def test_a_theorem_planted_into_the_assumptions_of_a_statement_caps_its_verdict(id):
    (entry,) = choose([id])
    how = decide_entry(entry).how
    planted_one = replace(entry, assumptions=(*entry.assumptions, QUOTED[0]))
    row = decide_entry(planted_one)
    assert row.how == (how if how == How.REFUTED else How.MEASURED)
    assert row.as_expected is (how == How.REFUTED)  # it was recorded as proved, or certified
    assert row.quoted == (QUOTED[0],)


def test_what_rests_on_a_quoted_theorem_is_measured_on_instances_or_undecided(monkeypatch):
    (entry,) = choose(["wgan-w1"])
    row = decide_entry(replace(entry, checks=entry.checks[:1]))
    assert row.how == How.MEASURED
    assert row.verdict == "true under assumptions"
    assert all(map(is_quoted, row.quoted))
    assert any("by parts" in text for text in row.as_dict()["quoted"])
    monkeypatch.setattr(deciding, "again", lambda check: None)
    row = decide_entry(entry)
    assert row.how == How.UNDECIDED
    assert "quoted" in row.reason


def test_no_statement_that_is_proved_or_certified_quotes_a_theorem(rows):
    known = [row for row in rows if row.how in (How.PROVED, How.CERTIFIED)]
    assert [(row.entry.id, row.quoted) for row in known if row.quoted] == []
    assert any(row.quoted for row in rows)


def test_claims_are_chosen_by_id_source_and_verdict():
    assert [row.entry.id for row in gt.claims(["003-84", "003-89"], verdict="false")] == ["003-84"]
    assert {entry.source.key for entry in choose(source="objective functions")} == {"003"}
    for wrong in ({"ids": "003-840"}, {"source": "xyz"}, {"verdict": "prooved"}):
        with pytest.raises(GantheoryError, match=r"unknown"):
            gt.claims(**wrong)
    assert matches(decide_entry(choose(["003-84"])[0]), "refuted")
