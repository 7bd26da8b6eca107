"""A time limit counts work, not waiting."""

import time

import pytest

from gantheory.deadline import OutOfTime, check_time, time_limit


def test_waiting_is_no_work_and_work_is_cut_off():
    with time_limit(0.05):
        time.sleep(0.1)
        check_time()
        with pytest.raises(OutOfTime):  # noqa: PT012 (the alarm may come anywhere)
            while True:
                sum(range(1000))
                check_time()
    check_time()  # nothing is left of it


def test_an_inner_limit_leaves_the_outer_one_in_force():
    with time_limit(100), time_limit(1e-9):
        check_time()
