"""What providers of identities are asked through: bytes there, bytes back. The sockets are the caller's."""

from __future__ import annotations

import json
from typing import Any, Protocol
from urllib.parse import urlsplit

from compliance.errors import IdentityProviderUnusable, IdentityRefused

LARGEST_ANSWER = 1 << 20


class Transport(Protocol):
    """Speaks HTTP for this wing, which opens no socket itself."""

    def get(self, url: str) -> bytes:
        """The body of an answer; raises IdentityProviderUnusable for anything but success."""

    def post(self, url: str, body: bytes, content_type: str) -> bytes:
        """Send a body; as get."""


def read_json(body: bytes) -> dict[str, Any]:
    """An answer that must be one JSON object; raises IdentityProviderUnusable."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise IdentityProviderUnusable(reason="the answer is not JSON") from error
    if not isinstance(content, dict):
        raise IdentityProviderUnusable(reason="the answer is not a JSON object")
    return content


def verify_url(url: object, *, loopback: bool = True) -> str:
    """An https address without a password in it, or http to this machine itself; raises IdentityProviderUnusable."""
    try:
        parts = urlsplit(str(url))
        host = parts.hostname
    except ValueError as error:
        raise IdentityProviderUnusable(reason="an address cannot be read") from error
    local = loopback and host in ("127.0.0.1", "::1", "localhost")
    if not host or parts.username or parts.scheme not in (("https", "http") if local else ("https",)):
        raise IdentityProviderUnusable(reason="an address is not https")
    return str(url)


def verify_word(value: object, refusal: IdentityRefused) -> str:
    """A short printable text; raises the refusal where it is none."""
    if not isinstance(value, str) or not 0 < len(value) <= 255 or not value.isprintable():
        raise refusal
    return value
