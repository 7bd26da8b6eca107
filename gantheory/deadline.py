"""A derivation ends within a stated time: `time_limit` raises `OutOfTime` where it would not."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType

DEFAULT_SECONDS = 10.0  # the slowest catalogue loss takes about a fiftieth of it

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


class Undecided(Exception):
    """The engine cannot decide a question; the text says why."""


class OutOfTime(Undecided):
    """The stated time limit has passed."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `OutOfTime` from the enclosed block once ``seconds`` have passed.

    In the main thread a timer signal interrupts whatever is running; in other threads, and
    inside compiled code, the next `check_time` does.
    """
    if _deadline.get() is not None:  # the enclosing limit rules
        yield
        return
    token = _deadline.set(time.monotonic() + seconds)
    alarmed = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    if alarmed:
        previous = signal.signal(signal.SIGALRM, _on_alarm)
        # Repeated, because the code that it interrupts may swallow the first exception.
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        yield
    finally:
        if alarmed:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
        _deadline.reset(token)


def check_time() -> None:
    """Raise `OutOfTime` if the deadline of the enclosing `time_limit` has passed."""
    deadline = _deadline.get()
    if deadline is not None and time.monotonic() > deadline:
        raise OutOfTime("the time limit was reached before the derivation ended")


def _on_alarm(signum: int, frame: FrameType | None) -> None:
    raise OutOfTime("the time limit was reached before the derivation ended")
