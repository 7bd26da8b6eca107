"""A derivation ends within a stated time of work: else `time_limit` raises `OutOfTime`."""

from __future__ import annotations

import gc
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType

from gantheory.errors import GantheoryError, require_finite

DEFAULT_SECONDS = 10.0  # the slowest catalogue loss takes about a fiftieth of it
LONGEST = 3600
AGAIN = 0.5  # seconds after which an alarm is repeated
SOON = 0.001  # seconds after which one that came where it may be swallowed is
PATIENCE = 200  # how many of those are let pass
WEAK = ("weakref", "_weakrefset")  # of which callbacks print what is raised in them
REACHED = "the time limit was reached before the derivation ended"

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


class Undecided(Exception):
    """The engine cannot decide a question; the text says why.

    Formulas that follow the text stand in place of its ``{}``. They are written out when someone
    reads it: of what is tried, most fails unread.

    >>> str(Undecided("the sign of {} is not known", 2)), str(Undecided("no {braces} alone"))
    ('the sign of 2 is not known', 'no {braces} alone')
    """

    def __str__(self) -> str:
        said, formulas = self.args[:1], self.args[1:]
        return str(said[0]).format(*formulas) if formulas else super().__str__()


class OutOfTime(Undecided):
    """The stated time limit has passed."""

    def __init__(self, *reasons: object) -> None:
        super().__init__(*reasons)
        count_cut()


_cuts = 0


def count_cut() -> None:
    """Note that a limit of time cut some work short, so that its result is not kept."""
    global _cuts
    _cuts += 1


def times_out_of_time() -> int:
    """Return how often a limit of time has cut something short in this process."""
    return _cuts


def check_seconds(seconds: object) -> None:
    """Refuse a time limit that is no number of seconds up to an hour.

    >>> check_seconds(2.5)
    """
    if not 0 < (number := require_finite("seconds", seconds)) <= LONGEST:
        raise GantheoryError(f"seconds = {number:g} must be above 0, and at most {LONGEST}")


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `OutOfTime` from the enclosed block once it has worked for ``seconds``.

    The processor's time of this thread is counted, so that what is decided does not depend on
    what else the machine does. In the main thread a timer signal interrupts whatever is running;
    in other threads, and inside compiled code, the next `check_time` does.
    """
    if _deadline.get() is not None:  # the enclosing limit rules
        yield
        return
    check_seconds(seconds)
    deadline = time.thread_time() + seconds
    token = _deadline.set(deadline)
    try:
        if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
            with _alarm(seconds, deadline):
                yield
        else:
            yield
    finally:
        _deadline.reset(token)


@contextmanager
def _alarm(seconds: float, deadline: float) -> Iterator[None]:
    """Let a timer signal raise `OutOfTime` in the enclosed block once the deadline has passed.

    Not where it is swallowed if it can be helped: conversions and comparisons of mpmath take any
    exception for an answer (a bare ``except``), so that a comparison would end in a TypeError, an
    equality in False and a float in nan; callbacks of the garbage collector print theirs.
    """
    let_pass = PATIENCE

    def on_alarm(signum: int, frame: FrameType | None) -> None:
        nonlocal let_pass
        left = deadline - time.thread_time()
        if left <= 0 and let_pass and _is_guarded(frame):
            let_pass -= 1
            signal.setitimer(signal.ITIMER_REAL, SOON)
            return
        # Set again in any case, because the code that it interrupts may swallow the exception.
        signal.setitimer(signal.ITIMER_REAL, max(left, AGAIN))
        if left <= 0:
            raise OutOfTime(REACHED)

    def disarm() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)

    previous = signal.signal(signal.SIGALRM, on_alarm)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        try:
            disarm()
        finally:  # again, where an alarm came in between; the next one is AGAIN away
            disarm()


def _is_guarded(frame: FrameType | None) -> bool:
    """Return whether what is at work for our innermost function may swallow an exception.

    That is a function of mpmath that has a ``try``, and what Python calls on its own: a callback of
    the garbage collector, ``__del__``, and what weak dictionaries and sets do where one dies.
    """
    callbacks = [getattr(callback, "__code__", None) for callback in gc.callbacks]
    while frame is not None:
        if frame.f_code in callbacks or frame.f_code.co_name == "__del__":
            return True
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package == "gantheory":
            return False
        if package in WEAK:
            return True
        if package == "mpmath" and frame.f_code.co_exceptiontable:
            return True
        frame = frame.f_back
    return False


def check_time() -> None:
    """Raise `OutOfTime` if the deadline of the enclosing `time_limit` has passed."""
    deadline = _deadline.get()
    if deadline is not None and time.thread_time() > deadline:
        raise OutOfTime(REACHED)
