"""The process in which the user's module runs: a target in, what was recovered out, as JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any


def main(request: str, answer: str) -> None:
    """Read a target from the file ``request`` and write what is recovered to ``answer``."""
    asked = json.loads(Path(request).read_text())
    for limit, amount in ((resource.RLIMIT_DATA, asked["bytes"]), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (amount, amount))
    Path(answer).write_text(json.dumps(_answer(asked["target"])))


def _answer(target: dict[str, Any]) -> dict[str, Any]:
    from gantheory.audits.target import AuditTarget
    from gantheory.errors import GantheoryError

    init = target["init"]
    pairs = {"names": tuple(target["names"]), "init": None if init is None else tuple(init)}
    asked = AuditTarget(**target | pairs)
    try:
        from gantheory.audits.loading import recover_target

        return {"found": recover_target(asked).as_dict()}
    except GantheoryError as error:
        return {"refused": str(error)}
    except (Exception, SystemExit) as error:
        return {"failed": f"{type(error).__name__}: {str(error)[:300]}"}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
    os._exit(0)  # threads that the module started are not waited for
