"""Level "L2": the studio's OpenID provider (OpenID Connect Core 1.0; authorization code with PKCE, RFC 7636).

The person signs in with the provider in a browser of their own; what comes back is a code for this machine alone
(RFC 8252, loopback). Of the ID token only the issuer, acr and amr are kept, and a commitment to the subject.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from compliance.clock import now
from compliance.errors import IdentityProviderUnusable, IdentityRefused
from compliance.identity.proofs import Established, Level
from compliance.identity.provider import Transport, read_json, verify_url, verify_word
from compliance.keys import HomeKeys

ALGORITHMS: Final = ("ES256", "ES384", "EdDSA", "PS256", "RS256")
"""Signatures that are taken; neither "none" nor one with a shared secret is among them."""
LIFETIME_S: Final = 600
"""How long a person may take between the first page and the last."""
_LEEWAY_S = 60
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """What the operator agrees on with the provider. acr: values of which one is demanded; empty for none."""

    issuer: str
    client_id: str
    acr: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> OidcSettings:
        """From a JSON file; raises IdentityProviderUnusable."""
        try:
            content = read_json(path.read_bytes())
        except OSError as error:
            raise IdentityProviderUnusable(reason="its settings cannot be read") from error
        unknown = set(content) - {"issuer", "client_id", "acr"}
        acr = content.get("acr", [])
        if unknown or not isinstance(content.get("client_id"), str) or not isinstance(acr, list):
            raise IdentityProviderUnusable(reason="its settings are not those of an OpenID provider")
        return cls(verify_url(content.get("issuer")).rstrip("/"), content["client_id"], tuple(map(str, acr)))


@dataclass(frozen=True, slots=True)
class _Provider:
    authorization: str
    token: str
    jwks: str
    algorithms: tuple[str, ...]


class Oidc:
    """One sign-in with a provider: begin, send the person there, receive what the browser brings back, verify.

    redirect_uri: the loopback address where the browser comes back to.
    """

    level: Level = "L2"
    method = "oidc"

    def __init__(
        self,
        settings: OidcSettings,
        transport: Transport,
        redirect_uri: str,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._settings, self._transport, self._redirect_uri = settings, transport, redirect_uri
        self._clock = clock
        self._state, self._nonce, self._verifier = (secrets.token_urlsafe(32) for _ in range(3))
        self._began: datetime | None = None
        self._provider: _Provider | None = None
        self._code: str | None = None

    def begin(self) -> str:
        """Ask the provider who it is; returns the address to open in a browser. Raises IdentityProviderUnusable."""
        self._provider = self._discover()
        self._began = self._clock()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self._verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": "openid",
            "state": self._state,
            "nonce": self._nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            # An old session in the browser may be somebody else's.
            "prompt": "login",
            "max_age": "0",
        }
        if self._settings.acr:
            query["acr_values"] = " ".join(self._settings.acr)
        joint = "&" if "?" in self._provider.authorization else "?"
        return f"{self._provider.authorization}{joint}{urlencode(query)}"

    def _discover(self) -> _Provider:
        found = read_json(self._transport.get(f"{self._settings.issuer}/.well-known/openid-configuration"))
        if str(found.get("issuer", "")).rstrip("/") != self._settings.issuer:
            raise IdentityProviderUnusable(reason="it calls itself by another name")
        if "S256" not in found.get("code_challenge_methods_supported", ["S256"]):
            raise IdentityProviderUnusable(reason="it does not know PKCE with S256")
        offered = found.get("id_token_signing_alg_values_supported", ["RS256"])
        algorithms = tuple(name for name in ALGORITHMS if name in offered)
        if not algorithms:
            raise IdentityProviderUnusable(reason="it offers no signature that is taken here")
        page, token, jwks = (
            verify_url(found.get(name)) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        )
        return _Provider(page, token, jwks, algorithms)

    def receive(self, query: Mapping[str, str]) -> None:
        """Take what the browser brought back. Raises IdentityRefused: refused there, late, or not what was begun."""
        if not secrets.compare_digest(query.get("state", "").encode(), self._state.encode()):
            raise IdentityRefused(reason="the answer belongs to another sign-in")
        if "error" in query:
            raise IdentityRefused(reason="the provider did not sign the person in")
        # RFC 9207: a provider that names itself in the answer must be the one that was asked.
        if query.get("iss", self._settings.issuer).rstrip("/") != self._settings.issuer:
            raise IdentityRefused(reason="the answer comes from another provider")
        if self._began is None or abs((self._clock() - self._began).total_seconds()) > LIFETIME_S:
            raise IdentityRefused(reason="the sign-in took too long")
        self._code = verify_word(query.get("code"), IdentityRefused(reason="the answer holds no code"))

    def verify(self, keys: HomeKeys) -> Established:
        """Exchange the code, once, and check the ID token. Raises IdentityRefused, IdentityProviderUnusable."""
        code, provider = self._code, self._provider
        if code is None or provider is None:
            raise IdentityRefused(reason="nobody has signed in")
        self._code = None
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "client_id": self._settings.client_id,
            "code_verifier": self._verifier,
        }
        answer = read_json(self._transport.post(provider.token, urlencode(form).encode(), _FORM))
        claims = self._claims(_token(answer.get("id_token")), provider)
        issuer, subject = (
            self._settings.issuer,
            verify_word(claims["sub"], IdentityRefused(reason="the token names nobody")),
        )
        facts: dict[str, Any] = {"issuer": issuer}
        if "acr" in claims:
            facts["acr"] = verify_word(claims["acr"], IdentityRefused(reason="its acr cannot be read"))
        if "amr" in claims:
            facts["amr"] = [
                verify_word(value, IdentityRefused(reason="its amr cannot be read"))
                for value in _list(claims["amr"])[:16]
            ]
        return Established(None, keys.commitment(f"oidc {issuer} {subject}"), facts)

    def _claims(self, token: str, provider: _Provider) -> dict[str, Any]:
        """The claims of a token that is signed, for us, fresh, and of this very sign-in."""
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        keys = read_json(self._transport.get(provider.jwks))
        moment = int(self._clock().timestamp())
        registry = jwt.JWTClaimsRegistry(
            now=moment,
            leeway=_LEEWAY_S,
            iss={"essential": True},
            aud={"essential": True, "value": self._settings.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": self._nonce},
            auth_time={"essential": True},
        )
        try:
            # Keys that are public alone; a shared secret in the set would not verify what is taken here anyway.
            known = KeySet.import_key_set({"keys": [key for key in _list(keys.get("keys")) if _is_public(key)]})
            claims = jwt.decode(token, known, algorithms=list(provider.algorithms)).claims
            registry.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise IdentityRefused(reason="the token of the provider does not hold") from error
        if str(claims["iss"]).rstrip("/") != self._settings.issuer:
            raise IdentityRefused(reason="the token comes from another provider")
        if len(_list(claims["aud"])) > 1 and claims.get("azp") != self._settings.client_id:
            raise IdentityRefused(reason="the token was made for somebody else")
        if "azp" in claims and claims["azp"] != self._settings.client_id:
            raise IdentityRefused(reason="the token was made for somebody else")
        assert self._began is not None
        since = claims["auth_time"]
        if (
            not isinstance(since, int | float)
            or since < self._began.timestamp() - _LEEWAY_S
            or since > moment + _LEEWAY_S
        ):
            raise IdentityRefused(reason="the person did not sign in just now")
        if self._settings.acr and claims.get("acr") not in self._settings.acr:
            raise IdentityRefused(reason="the provider checked the person less than is demanded")
        return dict(claims)


def _token(value: object) -> str:
    """The compact form of a token, at most 64 KiB; raises IdentityRefused."""
    if not isinstance(value, str) or not 0 < len(value) <= 1 << 16:
        raise IdentityRefused(reason="the provider gave no token")
    return value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_public(key: object) -> bool:
    return isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") and "d" not in key
