"""Level "L3": the national network identity (in force since 15 July 2025), as the operator's contract describes it.

The wire differs between the platforms that offer it and is not public, so a file of the operator says it: where to ask,
which fields to send and which to read, and the key that signs the answers. Only the result comes back. A file that
would send a name, a number or a picture is refused: the measures forbid asking again for what the service knows.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import rfc8785
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from compliance.clock import now
from compliance.errors import IdentityProviderUnusable, IdentityRefused
from compliance.identity.proofs import Established, Level
from compliance.identity.provider import Transport, read_json, verify_url, verify_word
from compliance.keys import HomeKeys

_FIELDS: Final = frozenset(
    {"version", "service", "url", "send", "result", "accept", "subject", "nonce", "signature", "key"}
)
_PLACES: Final = frozenset({"credential", "nonce"})
_FORBIDDEN = re.compile(r"(?i)name|idcard|id_?no|id_?num|number|photo|face|image|姓名|证件|号码|照片|人脸")


@dataclass(frozen=True, slots=True)
class NationalSettings:
    """The wire. send: fields with the places {credential} and {nonce}; the rest name fields of the answer by dots.

    accept: the values of the field `result` that mean yes. key: PEM of Ed25519, P-256 or RSA (2048 bits or more), which
    signs the canonical JSON (RFC 8785) of the answer without its field `signature`.
    """

    service: str
    url: str
    send: Mapping[str, str]
    result: str
    accept: tuple[str, ...]
    subject: str
    nonce: str
    signature: str
    key: str

    @classmethod
    def read(cls, path: Path) -> NationalSettings:
        """From the operator's JSON file; raises IdentityProviderUnusable."""
        try:
            content = read_json(path.read_bytes())
        except OSError as error:
            raise IdentityProviderUnusable(reason="its settings cannot be read") from error
        if set(content) != _FIELDS or content.pop("version") != 1:
            raise IdentityProviderUnusable(reason="its settings do not have the fields of version 1")
        send, accept = content.pop("send"), content.pop("accept")
        if not isinstance(send, dict) or not isinstance(accept, list) or not accept:
            raise IdentityProviderUnusable(reason="its settings do not have the fields of version 1")
        if not all(isinstance(value, str) for value in (*content.values(), *send.values())):
            raise IdentityProviderUnusable(reason="its settings do not have the fields of version 1")
        if any(_FORBIDDEN.search(field) for field in send):
            raise IdentityProviderUnusable(reason="it would send what the service may not be sent")
        if {place for text in send.values() for place in re.findall(r"\{(\w*)\}", text)} != _PLACES:
            raise IdentityProviderUnusable(reason="its settings do not send credential and nonce")
        verify_url(content["url"])
        _key(content["key"])
        return cls(send=send, accept=tuple(map(str, accept)), **content)


def _key(pem: str) -> Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except UnsupportedAlgorithm as error:
        # Keys of SM2, which such services prefer, are read by no released version of the library.
        if _is_sm2(pem):
            raise IdentityProviderUnusable(reason="its key is of SM2, which cannot be checked here") from error
        raise IdentityProviderUnusable(reason="its key is of no kind that is taken here") from error
    except ValueError as error:
        raise IdentityProviderUnusable(reason="its key cannot be read") from error
    if isinstance(key, EllipticCurvePublicKey) and key.curve.name == "secp256r1":
        return key
    if isinstance(key, Ed25519PublicKey) or (isinstance(key, RSAPublicKey) and key.key_size >= 2048):
        return key
    raise IdentityProviderUnusable(reason="its key is of no kind that is taken here")


def _is_sm2(pem: str) -> bool:
    """Whether a PEM names the curve sm2p256v1 (GB/T 32918; OID 1.2.156.10197.1.301)."""
    encoded = "".join(line for line in pem.splitlines() if not line.startswith("-"))
    try:
        return bytes.fromhex("06082a811ccf5501822d") in base64.b64decode(encoded)
    except ValueError:
        return False


class National:
    """One question to the service. credential: what the person's own app handed out for this once."""

    level: Level = "L3"
    method = "national network identity"

    def __init__(
        self,
        settings: NationalSettings,
        transport: Transport,
        credential: str,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._settings, self._transport, self._credential, self._clock = settings, transport, credential, clock

    def verify(self, keys: HomeKeys) -> Established:
        """Ask, check the signature and that the answer is to this question. Raises IdentityRefused and the like."""
        settings, nonce = self._settings, secrets.token_hex(16)
        credential = verify_word(self._credential.strip(), IdentityRefused(reason="the credential cannot be read"))
        places = {"credential": credential, "nonce": nonce}
        body = {
            field: re.sub(r"\{(\w+)\}", lambda place: places[place[1]], text) for field, text in settings.send.items()
        }
        answer = read_json(self._transport.post(settings.url, json.dumps(body).encode(), "application/json"))
        self._verify_signature(answer)
        if _at(answer, settings.nonce) != nonce:
            raise IdentityRefused(reason="the answer is to another question")
        if str(_at(answer, settings.result)) not in settings.accept:
            raise IdentityRefused(reason="the service does not confirm this person")
        subject = verify_word(_at(answer, settings.subject), IdentityRefused(reason="the answer names nobody"))
        service = settings.service
        return Established(None, keys.commitment(f"national {service} {subject}"), {"service": service})

    def _verify_signature(self, answer: dict[str, Any]) -> None:
        signed = answer.pop(self._settings.signature, None)
        try:
            signature = base64.b64decode(str(signed), validate=True)
            message = rfc8785.dumps(answer)
            key = _key(self._settings.key)
            if isinstance(key, Ed25519PublicKey):
                key.verify(signature, message)
            elif isinstance(key, EllipticCurvePublicKey):
                key.verify(signature, message, ECDSA(hashes.SHA256()))
            else:
                key.verify(signature, message, PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError) as error:
            raise IdentityRefused(reason="the signature of the service is wrong") from error


def _at(answer: object, place: str) -> object:
    """The value at a place like "data.pid"; None where there is none."""
    for part in place.split("."):
        answer = answer.get(part) if isinstance(answer, dict) else None
    return answer
