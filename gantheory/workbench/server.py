"""Start the workbench: a server on this machine alone, with a token in its address."""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
import webbrowser
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlencode

from gantheory.errors import GantheoryError, require

VIEWS = ("loss", "densities", "train", "game")
HOST = "127.0.0.1"
PATIENCE = 20.0  # seconds that a busy browser may stay silent before its page starts anew


def serve(
    view: str = "loss",
    *,
    port: int = 0,
    browser: bool = True,
    state: Mapping[str, str] | None = None,
    as_json: bool = False,
) -> None:
    """Serve the page until it is interrupted; ``port`` 0 takes a free one.

    Raises:
        GantheoryError: where a package is missing or the port is taken.
    """
    require("the workbench", "workbench", "nicegui")
    from nicegui import app, ui

    from gantheory.workbench.access import Gate
    from gantheory.workbench.pages import ANSWERS, register_view

    port, token = _free(port), secrets.token_urlsafe(24)
    address = f"http://{HOST}:{port}/{view}?{urlencode({**(state or {}), 'token': token})}"
    register_view()
    app.add_middleware(Gate, token=token, port=port)
    app.on_startup(ANSWERS.warm)
    threading.Thread(target=_announce, args=(address, port, browser, as_json), daemon=True).start()
    app.on_shutdown(ANSWERS.end)
    ui.run(
        host=HOST, port=port, title="gantheory workbench", show=False, reload=False, dark=None,
        show_welcome_message=False, favicon="📈", uvicorn_logging_level="error",
        reconnect_timeout=PATIENCE,
    )  # fmt: skip


def _announce(address: str, port: int, browser: bool, as_json: bool) -> None:
    """Print the address once the server listens, and open it."""
    for _ in range(600):
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            break
        time.sleep(0.1)
    line = f"workbench: {address}\nCtrl-C ends it."
    print(json.dumps({"address": address}) if as_json else line, flush=True)
    if browser:
        webbrowser.open(address)


def _free(port: int) -> int:
    """Return the port, or a free one for 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise GantheoryError(
                f"port {port} is taken; leave --port out, or name another"
            ) from None
        return int(probe.getsockname()[1])
