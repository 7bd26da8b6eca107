"""Child processes that answer questions within a stated time, or are ended."""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from gantheory.errors import GantheoryError

Json = dict[str, Any]
SECONDS = 12.0  # for one answer; a derivation is told to end well before
MEGABYTES = 4096
STARTING = 120.0  # for a child to load sympy and scipy
VIEWS = ("loss", "densities", "distance", "game")


class Child:
    """A process of our own at the other end of a pipe; messages are JSON text, never pickles."""

    def __init__(self, serve: Callable[[Connection], None]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=serve, args=(other,), daemon=True)
        self.process.start()
        other.close()
        self._ready = False

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.is_alive()

    def wait(self) -> None:
        """Wait until the child has said that it has loaded what it needs."""
        if not self._ready and self.receive(STARTING) is None:
            self.end()
            raise GantheoryError("no process could be started to calculate in; is there memory?")
        self._ready = True

    def send(self, message: Json) -> None:
        """Send one message."""
        self.pipe.send_bytes(json.dumps(message).encode())

    def receive(self, seconds: float) -> Json | None:
        """Return the next message, or None where none comes within ``seconds``."""
        if not self.pipe.poll(seconds):
            return None
        found: Json = json.loads(self.pipe.recv_bytes())
        return found

    def end(self) -> None:
        """End the process, whatever it does."""
        with suppress(ValueError, OSError):
            self.process.kill()
            self.process.join(5)
        self.pipe.close()


class Answers:
    """A few children that take questions in turn, so that one window does not wait for another."""

    def __init__(self, children: int = 2) -> None:
        self._free = threading.Semaphore(children)
        self._lock = threading.Lock()
        self._idle: list[Child] = []

    def warm(self) -> None:
        """Start one child before the first question comes."""
        with self._lock:
            self._idle.append(Child(serve_answers))

    def ask(self, view: str, given: Mapping[str, Any], seconds: float = SECONDS) -> Json:
        """Return a view's answer; refusals come as ``{"error": ..., "field": ...}``.

        Raises:
            GantheoryError: where there is no answer within ``seconds``.
        """
        with self._free:
            child = self._borrow()
            try:
                child.send({"view": view, "given": dict(given)})
                found = child.receive(seconds)
            except (EOFError, OSError):
                child.end()
                raise GantheoryError("the calculation ended without an answer") from None
            if found is None:
                child.end()
                raise GantheoryError(
                    f"no answer within {seconds:g} seconds; ask for something simpler"
                )
            with self._lock:
                self._idle.append(child)
        return found

    def _borrow(self) -> Child:
        """Return a child that is ready, a new one if need be."""
        with self._lock:
            child = self._idle.pop() if self._idle else None
        child = child if child is not None and child.alive else Child(serve_answers)
        child.wait()
        return child

    def end(self) -> None:
        """End all children."""
        with self._lock:
            while self._idle:
                self._idle.pop().end()


def serve_answers(pipe: Connection) -> None:
    """Answer questions until the other end closes; runs in a child."""
    limit_memory()
    for view in VIEWS:
        import_module(f"gantheory.workbench.answers.{view}")
    with suppress(EOFError, OSError, KeyboardInterrupt):
        pipe.send_bytes(b'{"ready": true}')
        while True:
            asked = json.loads(pipe.recv_bytes())
            pipe.send_bytes(json.dumps(_answered(asked["view"], asked["given"])).encode())


def serve_training(pipe: Connection) -> None:
    """Train an ensemble until the other end closes; runs in a child."""
    limit_memory()
    from gantheory.workbench.answers.training import serve_in_child  # loads torch

    serve_in_child(pipe)


def _answered(view: str, given: Json) -> Json:
    from gantheory.workbench.answers import Refused

    if view not in VIEWS:
        return {"error": f"unknown view {view!r}", "field": ""}
    try:
        found: Json = import_module(f"gantheory.workbench.answers.{view}").answer(**given)
        return found
    except Refused as refused:
        return {"error": str(refused), "field": refused.field}
    except GantheoryError as error:
        return {"error": str(error), "field": ""}
    except Exception as error:  # a fault of ours must not take the page down
        return {"error": f"internal error, please report it: {type(error).__name__}", "field": ""}


def limit_memory() -> None:
    """Bound this process's memory, where the system knows how."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEGABYTES * 2**20, MEGABYTES * 2**20))
