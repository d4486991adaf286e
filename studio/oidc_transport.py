"""Speaks HTTP with a provider of identities, and waits on this machine for the browser to come back (RFC 8252).

Nothing but an operator's own proof of identity goes this way: no media, no ledger, no person of a consent.
"""

from __future__ import annotations

import http.client
import secrets
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from compliance.errors import IdentityProviderUnusable, IdentityRefused
from compliance.identity.provider import LARGEST_ANSWER, verify_url
from studio.text import _

TIMEOUT_S = 15.0
_LONGEST_QUERY = 8192


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An endpoint that sends us elsewhere is not the one that was agreed on."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class HttpTransport:
    """GET and POST over https (or http to this machine), without proxies for this machine, redirects and cookies."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        handlers: list[Any] = [_NoRedirect, urllib.request.HTTPSHandler(context=ssl.create_default_context())]
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)
        self._outside = urllib.request.build_opener(*handlers)

    def get(self, url: str) -> bytes:
        """The body of an answer with the status 200; raises IdentityProviderUnusable."""
        return self._speak(urllib.request.Request(verify_url(url), headers={"Accept": "application/json"}))

    def post(self, url: str, body: bytes, content_type: str) -> bytes:
        """Send a body; as get."""
        headers = {"Accept": "application/json", "Content-Type": content_type}
        return self._speak(urllib.request.Request(verify_url(url), data=body, headers=headers, method="POST"))

    def _speak(self, question: urllib.request.Request) -> bytes:
        is_here = urlsplit(question.full_url).hostname in ("127.0.0.1", "::1", "localhost")
        opener = self._direct if is_here else self._outside
        try:
            with opener.open(fullurl=question, timeout=self._timeout_s) as answer:
                body: bytes = answer.read(LARGEST_ANSWER + 1)
                status = answer.status
        except urllib.error.HTTPError as error:
            error.close()
            raise IdentityProviderUnusable(reason="it answers with an error") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise IdentityProviderUnusable(reason="it cannot be reached") from error
        if status != 200 or len(body) > LARGEST_ANSWER:
            raise IdentityProviderUnusable(reason="its answer is too long, or none")
        return body


class _Server(HTTPServer):
    """Does not ask anybody for the name of this machine."""

    def server_bind(self) -> None:
        """Bind, as HTTPServer does, without looking up a name."""
        super(HTTPServer, self).server_bind()
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def handle_error(self, *_: object) -> None:
        """A browser that hangs up is no news, and a report of it would hold the code."""


class Loopback:
    """Where the browser comes back to: one page on a free port of this machine, for one answer."""

    def __init__(self) -> None:
        self._path = f"/{secrets.token_urlsafe(16)}"
        self._answer: dict[str, str] | None = None
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._server.timeout = 0.2

    @property
    def uri(self) -> str:
        """The redirect address, with a path that nobody else on this machine knows."""
        return f"http://127.0.0.1:{self._server.server_port}{self._path}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Page(BaseHTTPRequestHandler):
            """Answers the browser; keeps no log, because the address holds the code."""

            timeout = 5

            def do_GET(self) -> None:
                """Take the query of the right path; anything else is not there."""
                parts = urlsplit(self.path[:_LONGEST_QUERY])
                found = secrets.compare_digest(parts.path.encode(), loopback._path.encode())
                if found and loopback._answer is None:
                    loopback._answer = dict(parse_qsl(parts.query, max_num_fields=16))
                body = _("You can close this page and go back to Signet.").encode() if found else b""
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Page

    def wait(self, longest_s: float) -> Mapping[str, str]:
        """What the browser brought; raises IdentityRefused when it did not come in time."""
        end = time.monotonic() + longest_s
        while self._answer is None:
            if time.monotonic() > end:
                raise IdentityRefused(reason="nobody came back from the provider in time")
            self._server.handle_request()
        return self._answer

    def close(self) -> None:
        """Give the port back."""
        self._server.server_close()

    def __enter__(self) -> Loopback:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
