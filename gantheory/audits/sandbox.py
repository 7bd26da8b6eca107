"""Run a user's module in a process of its own, with a limit of time and of memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from gantheory.audits.recovered import Recovered
from gantheory.audits.target import AuditTarget
from gantheory.errors import GantheoryError

SECONDS = 60.0
MEGABYTES = 4096


def recover_apart(
    target: AuditTarget, seconds: float = SECONDS, megabytes: int = MEGABYTES
) -> Recovered:
    """Return what is recovered of a target in a process of its own.

    Raises:
        GantheoryError: where the module fails, hangs, crashes or needs too much memory.
    """
    with tempfile.TemporaryDirectory() as folder:
        request, answer = Path(folder, "request.json"), Path(folder, "answer.json")
        asked = {"target": target.as_dict(), "bytes": megabytes * 2**20}
        try:
            request.write_text(json.dumps(asked))
        except TypeError:
            raise GantheoryError("arguments must be numbers, text, lists or dictionaries") from None
        _run(target, [str(request), str(answer)], seconds, megabytes)
        found = json.loads(answer.read_text()) if answer.is_file() else {}
    if "refused" in found:
        raise GantheoryError(found["refused"])
    if "found" not in found:
        why = found.get("failed", "it ended the process")
        if why.startswith("MemoryError"):
            raise _too_large(target, megabytes)
        raise GantheoryError(f"{target.place} failed: {why}")
    return Recovered.from_dict(found["found"])


def _run(target: AuditTarget, arguments: list[str], seconds: float, megabytes: int) -> None:
    """Run the worker to its end, or end it and say so."""
    command = [sys.executable, "-m", "gantheory.audits.worker", *arguments]
    folder = os.getcwd()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(
        [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")]), folder]
    )}  # fmt: skip
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=environment, start_new_session=True, text=True, errors="replace",
    )  # fmt: skip
    import gantheory.audits.judge  # noqa: F401 -- a second's work while the other process starts

    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise GantheoryError(
            f"{target.place} did not finish in {seconds:g} seconds; does it train or download "
            "when it is imported? --seconds allows more"
        ) from None
    if process.returncode < 0:
        name = signal.Signals(-process.returncode).name
        raise GantheoryError(f"{target.place} crashed the process ({name})")
    if process.returncode and "MemoryError" in said:
        raise _too_large(target, megabytes)


def _too_large(target: AuditTarget, megabytes: int) -> GantheoryError:
    return GantheoryError(f"{target.place} needs more than {megabytes} MB; --megabytes allows more")
