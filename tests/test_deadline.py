"""A time limit counts work, not waiting."""

import gc
import inspect
import math
import random
import signal
import time
import weakref

import pytest
from mpmath import iv, mpf

import gantheory as gt
from gantheory import deadline
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


def test_a_limit_that_passes_at_any_moment_leaves_nothing_behind():
    """Also while it is being set or taken back, where an alarm may come between two lines."""
    rng, passed = random.Random(0), 0
    before = signal.getsignal(signal.SIGALRM)
    for _ in range(3000):
        try:
            with time_limit(rng.choice([1e-9, 1e-6, 1e-5, 1e-4])):
                for _ in range(rng.randrange(400)):
                    pass
        except OutOfTime:
            passed += 1
        check_time()  # raises where the limit still stands
        assert signal.getsignal(signal.SIGALRM) is before
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert passed > 100


@pytest.fixture
def soon(monkeypatch):
    """Repeat an alarm at once: the first may come before so much work is done."""
    monkeypatch.setattr(deadline, "AGAIN", 1e-3)


def work():
    end = time.thread_time() + 0.03
    while time.thread_time() < end:
        pass


def test_a_limit_that_passes_while_garbage_is_collected_is_not_lost_there(soon):
    """What a callback of the collector or ``__del__`` raises is printed, and goes no further."""

    class Dying:
        def __del__(self):
            work()

    def callback(phase, info):
        work()

    gc.collect()  # so that nothing else dies below
    for collect in (lambda: gc.collect(0), Dying):
        gc.callbacks.append(callback)
        try:
            with pytest.raises(OutOfTime), time_limit(0.01):  # noqa: PT012
                collect()
                check_time()
        finally:
            gc.callbacks.remove(callback)


def test_a_limit_that_passes_where_a_weak_dictionary_forgets_is_not_lost_there(soon):
    class Key:
        pass

    class Slow(dict):
        def __delitem__(self, key):
            work()
            super().__delitem__(key)

    lost, key = weakref.WeakKeyDictionary(), Key()
    lost.data = Slow({weakref.ref(key, lost._remove): 1})
    with pytest.raises(OutOfTime), time_limit(0.01):  # noqa: PT012
        del key
        check_time()
    assert not lost.data


def test_a_limit_that_passes_inside_a_comparison_is_no_answer_to_it():
    """mpmath takes any exception within a comparison for "cannot be compared"."""
    rng, ends, interval, number = random.Random(1), set(), iv.mpf([1, 2]), mpf("1.5")
    for _ in range(80):
        try:
            with time_limit(rng.uniform(1e-4, 2e-3)):
                while True:
                    assert interval >= 1
                    assert interval == interval + 0.0
                    assert number == 1.5
        except Exception as error:
            ends.add(type(error))
    assert ends == {OutOfTime}


def test_a_derivation_without_time_takes_none_from_the_next():
    for seconds in (1e-9, 1e-6, 1e-5):
        assert gt.derive("minimax", seconds=seconds).undecided
    assert gt.derive("minimax", seconds=60).optimum is not None


def limited():
    """Every public function that takes a time limit, with a call of it."""
    called = {
        gt.derive: "minimax", gt.derive_estimator: "k3", gt.derive_preference: "dpo",
        gt.derive_regularised: "minimax", gt.derive_reward: "gail", gt.prove: "jsd <= tv",
    }  # fmt: skip
    public = (getattr(gt, name) for name in gt.__all__)
    functions = [one for one in public if inspect.isfunction(one)]
    taking = {one for one in functions if "seconds" in inspect.signature(one).parameters}
    assert taking == called.keys()
    return called.items()


@pytest.mark.parametrize("seconds", [-1, 0, 3601, math.nan, math.inf, "5", None])
def test_a_time_limit_that_is_none_is_refused_alike_everywhere(seconds):
    for function, asked in limited():
        with pytest.raises(
            gt.GantheoryError,
            match=r"^seconds = .* must be (above 0, and at most 3600|a finite number)$",
        ):
            function(asked, seconds=seconds)


def test_a_loss_of_means_keeps_the_time_that_is_given():
    found = gt.derive("softmax", seconds=1e-4)
    assert "the time limit was reached" in " ".join(found.undecided.values())
    assert not gt.derive("softmax").undecided
