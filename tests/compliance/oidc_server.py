"""An OpenID provider of one person, as a process of its own on this machine: it prints its port and serves.

Speaks the authorization code flow with PKCE. What it does wrong is the first part of the path and belongs to its name,
so that every fault is a provider of its own, and refusals are tried against answers that came over a wire.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

KEY, FOREIGN = (ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"}) for _ in range(2))
CLIENT = "signet-studio"
codes: dict[str, dict[str, str]] = {}


def _encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def id_token(fault: str, asked: dict[str, str]) -> str:
    """The token for a code, with the fault that was chosen."""
    now = int(time.time())
    claims = {
        "iss": issuer(fault),
        "sub": "person-4711",
        "aud": CLIENT,
        "exp": now + 300,
        "iat": now,
        "auth_time": now,
        "nonce": asked["nonce"],
        "acr": "urn:studio:silver",
        "amr": ["pwd", "otp"],
        "name": "Canary Name",
    }
    changed = {
        "foreign issuer": {"iss": "https://elsewhere.example"},
        "foreign audience": {"aud": "another-client"},
        "two audiences": {"aud": [CLIENT, "another-client"]},
        "foreign azp": {"azp": "another-client"},
        "expired": {"exp": now - 3600, "iat": now - 7200},
        "of the future": {"iat": now + 3600},
        "foreign nonce": {"nonce": "x" * 43},
        "old sign-in": {"auth_time": now - 86400},
        "weak acr": {"acr": "urn:studio:bronze"},
        "odd subject": {"sub": "a\nb"},
    }
    claims |= changed.get(fault, {})
    for missing in ("sub", "exp", "iat", "nonce", "auth_time", "aud", "iss"):
        if f"no {missing}" == fault:
            del claims[missing]
    if fault == "unsigned":
        return ".".join(_encoded(part) for part in ({"alg": "none"}, claims)) + "."
    if fault == "shared secret":
        # The public key used as a secret: what a verifier that trusts the header's word takes.
        signed = ".".join(_encoded(part) for part in ({"alg": "HS256", "kid": "one"}, claims))
        mac = hmac.digest(KEY.as_pem(private=False), signed.encode(), hashlib.sha256)
        return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    token = jwt.encode({"alg": "ES256", "kid": "one"}, claims, FOREIGN if fault == "foreign key" else KEY)
    if fault == "changed claims":
        head, _body, signature = token.split(".")
        return ".".join((head, _encoded({**claims, "sub": "person-1"}), signature))
    return token


class Provider(BaseHTTPRequestHandler):
    """The four endpoints."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        fault, path = self._asked()
        if path == "/.well-known/openid-configuration":
            self._say(
                {
                    "issuer": "https://elsewhere.example" if fault == "other name" else issuer(fault),
                    "authorization_endpoint": f"{issuer(fault)}/authorize",
                    "token_endpoint": "http://plain.example/token"
                    if fault == "plain http"
                    else f"{issuer(fault)}/token",
                    "jwks_uri": f"{issuer(fault)}/jwks",
                    "id_token_signing_alg_values_supported": ["HS256"] if fault == "weak algorithms" else ["ES256"],
                    "code_challenge_methods_supported": ["plain"] if fault == "no pkce" else ["S256"],
                }
            )
        elif path == "/jwks":
            self._say({"keys": [] if fault == "no keys" else [KEY.as_dict(private=False)]})
        elif path == "/authorize":
            # The person signs in, and the browser is sent back.
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            codes["code-1"] = asked
            back = {"state": asked["state"], "code": "code-1", "iss": issuer(fault)}
            if fault == "refused":
                back = {"state": asked["state"], "error": "access_denied"}
            if fault == "foreign state":
                back["state"] = "x" * 43
            if fault == "mixed up":
                back["iss"] = "https://elsewhere.example"
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}?{urlencode(back)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path == "/elsewhere":
            self._say({"id_token": "x"})

    def _asked(self) -> tuple[str, str]:
        """The fault and the endpoint: the first part of the path, and the rest."""
        fault, _, rest = urlsplit(self.path).path[1:].partition("/")
        return unquote(fault).removeprefix("-"), f"/{rest}"

    def do_POST(self) -> None:
        fault, _ = self._asked()
        form = {
            name: values[0]
            for name, values in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()
        }
        asked = codes.pop(form.get("code", ""), None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        fits = asked is not None and asked["code_challenge"] == proof.decode() and form["client_id"] == CLIENT
        if fault == "redirects":
            self.send_response(307)
            self.send_header("Location", f"{issuer(fault)}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif not fits or asked is None or form["redirect_uri"] != asked["redirect_uri"]:
            self._say({"error": "invalid_grant"}, 400)
        elif fault == "not json":
            self._send(b"<html>", 200)
        elif fault == "too long":
            self._send(b" " * (2 << 20), 200)
        elif fault == "no token":
            self._say({"access_token": "x"})
        else:
            self._say({"access_token": "x", "token_type": "Bearer", "id_token": id_token(fault, asked)})

    def _say(self, value: object, status: int = 200) -> None:
        self._send(json.dumps(value).encode(), status)

    def _send(self, body: bytes, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(HTTPServer):
    """Asks nobody for the name of this machine."""

    def server_bind(self) -> None:
        super(HTTPServer, self).server_bind()
        self.server_name, self.server_port = self.server_address[:2]


server = Server(("127.0.0.1", 0), Provider)


def issuer(fault: str) -> str:
    """The address under which the provider with that fault calls itself."""
    return f"http://127.0.0.1:{server.server_port}/-{quote(fault)}"


print(server.server_port, flush=True)
server.serve_forever()
