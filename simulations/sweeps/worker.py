"""A worker of a sweep: requests in on standard input, answers out on standard output, as JSON.

It ends when its input does, in the middle of its work too, so that it never outlives its parent.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
from queue import SimpleQueue


def main() -> None:
    """Answer until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)  # what others print must not stand between answers
        requests: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=_listen, args=(requests,), daemon=True).start()
        while True:
            out.write(json.dumps(_answer(requests.get())) + "\n")
            out.flush()


def _listen(requests: SimpleQueue[str]) -> None:
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


def _answer(line: str) -> tuple[str, str]:
    name, text = json.loads(line)
    module, _, function = name.partition(":")
    try:
        return "found", getattr(importlib.import_module(module), function)(text)
    except Exception as error:
        return "failed", f"{type(error).__name__}: {str(error)[:300]}"


if __name__ == "__main__":
    main()
