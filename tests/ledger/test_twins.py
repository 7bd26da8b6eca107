"""Every law of the ledger has its false twin, and every twin is refuted by its own computation."""

import re

import pytest

from gantheory.ledger.bounds import BOUNDS
from gantheory.ledger.checks import CHECKS
from gantheory.ledger.twins import CHANGES, changed, without_twin
from gantheory.records import How

LAWS = [check for check in CHECKS.values() if check.expected is not How.REFUTED]
TWINS = [check for check in CHECKS.values() if check.twin_of]
QUICK = [check for check in CHECKS.values() if not check.trains]


def test_every_law_has_a_false_twin():
    assert {law.id for law in LAWS} <= {twin.twin_of for twin in TWINS}


def test_what_must_be_refuted_says_whose_twin_it_is():
    assert all(
        check.twin_of in CHECKS for check in CHECKS.values() if check.expected is How.REFUTED
    )
    assert all(twin.expected is How.REFUTED for twin in TWINS)


def test_a_twin_states_something_else_than_its_law():
    assert all(twin.statement != CHECKS[twin.twin_of].statement for twin in TWINS)


@pytest.mark.parametrize("check", QUICK, ids=lambda check: check.id)
def test_each_law_holds_and_each_twin_is_refuted(check):
    verdict = check.run()
    assert verdict.how is check.expected, (verdict.reason, verdict.counterexample)
    assert verdict.statement == check.statement  # a twin that runs its law says its law's sentence


def test_all_kinds_of_change_are_used_and_none_leaves_the_formula():
    kinds = {changed(f"{k}", "kl_qp - kl_qm + log(2)")[0] for k in range(40)}
    assert kinds == set(CHANGES)
    assert {changed(f"{k}", "2*jsd")[0] for k in range(40)} == set(CHANGES) - {"p and q exchanged"}
    assert {changed(f"{k}", "0")[0] for k in range(40)} == {"1 more"}
    assert changed("x", "r/(1 + r)")[1] != "r/(1 + r)"


def test_the_laws_without_a_twin_are_found_in_one_pass():
    law, other = LAWS[:2]
    twins = [twin for twin in TWINS if twin.twin_of == law.id]
    assert without_twin(iter([law, other, *twins])) == [other]
    assert without_twin(iter([*twins, law])) == []


def test_numbered_bounds_count_from_one():
    numbers = [int(name.split(".")[1]) for name in CHECKS if re.fullmatch(r"bound\.\d+", name)]
    assert sorted(numbers) == list(range(1, len(BOUNDS) + 1))
