"""Who may ask: only this machine, and only with the token of the address that was printed."""

from __future__ import annotations

import hmac
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

REFUSED = (
    b"This page is for whoever started it: open the address that 'gantheory workbench' printed, "
    b"with its token."
)
HOSTS = ("127.0.0.1", "localhost")


class Gate:
    """ASGI middleware that lets a request through by its token, and remembers it in a cookie.

    The host is checked as well, so that no other site's name can be made to mean this page.
    """

    def __init__(self, app: Any, token: str, port: int) -> None:
        self.app, self.token, self.port = app, token, port
        self.cookie = f"gantheory-{port}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on what is allowed; answer the rest with 403, or refuse a socket."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
        host, _, port = headers.get("host", "").rpartition(":")
        here = host in HOSTS and port == str(self.port)
        if here and self._right(self._remembered(headers.get("cookie", ""))):
            await self.app(scope, receive, send)
        elif here and scope["type"] == "http" and self._right(query.pop("token", "")):
            await self._remember(scope["path"], query, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _answer(send, 403, [(b"content-type", b"text/plain")], REFUSED)

    def _right(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    def _remembered(self, header: str) -> str:
        try:
            found = SimpleCookie(header).get(self.cookie)
        except CookieError:
            return ""
        return "" if found is None else found.value

    async def _remember(self, path: str, query: dict[str, str], send: Any) -> None:
        """Send the browser to the same place without the token, which a cookie now holds."""
        place = f"{path}?{urlencode(query)}" if query else path
        cookie = f"{self.cookie}={self.token}; HttpOnly; SameSite=Strict; Path=/"
        headers = [(b"location", place.encode()), (b"set-cookie", cookie.encode())]
        await _answer(send, 303, headers, b"")


async def _answer(send: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
