"""Level L2 against a provider that is a process of its own: every way in which its answer may not hold is refused."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from compliance import identity
from compliance.errors import IdentityProviderUnusable, IdentityRefused, IdentityTaken
from compliance.identity.oidc import Oidc, OidcSettings
from studio.members import Members
from studio.oidc_transport import HttpTransport, Loopback
from tests.compliance.home import PASSWORD, Home

SILVER = ("urn:studio:silver", "urn:studio:gold")
_SERVER = Path(__file__).with_name("oidc_server.py")

Provider = Callable[[str], str]


@pytest.fixture(scope="module")
def server_port() -> Iterator[int]:
    """The port of the provider's process, which ends with the last test of this file."""
    with subprocess.Popen([sys.executable, str(_SERVER)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.kill()


@pytest.fixture
def provider(server_port: int, own_server: Callable[[int], None]) -> Provider:
    """The name of the provider that has this fault, "" for none."""
    own_server(server_port)
    return lambda fault: f"http://127.0.0.1:{server_port}/-{quote(fault)}"


def browse(address: str, own_server: Callable[[int], None]) -> None:
    """Be the browser: open the address, follow the provider back to this machine."""
    parts = urlsplit(address)
    assert parts.hostname and parts.port
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}")
    back = urlsplit(connection.getresponse().headers["Location"])
    connection.close()
    assert back.port
    own_server(back.port)
    connection = http.client.HTTPConnection("127.0.0.1", back.port, timeout=10)
    connection.request("GET", f"{back.path}?{back.query}")
    assert connection.getresponse().status == 200
    connection.close()


def sign_in(issuer: str, own_server: Callable[[int], None], acr: tuple[str, ...] = ()) -> Oidc:
    """The whole way up to the code."""
    settings = OidcSettings(issuer, "signet-studio", acr)
    with Loopback() as loopback:
        verifier = Oidc(settings, HttpTransport(), loopback.uri)
        address = verifier.begin()
        browser = threading.Thread(target=browse, args=(address, own_server))
        browser.start()
        verifier.receive(loopback.wait(20))
        browser.join()
    return verifier


# --- refusals --------------------------------------------------------------------------------------------------------

REFUSED = (
    "foreign issuer",
    "foreign audience",
    "two audiences",
    "foreign azp",
    "expired",
    "of the future",
    "foreign nonce",
    "old sign-in",
    "weak acr",
    "odd subject",
    "no sub",
    "no exp",
    "no iat",
    "no nonce",
    "no auth_time",
    "no aud",
    "no iss",
    "unsigned",
    "shared secret",
    "foreign key",
    "changed claims",
    "refused",
    "foreign state",
    "mixed up",
    "no keys",
    "no token",
)
UNUSABLE = ("other name", "plain http", "weak algorithms", "no pkce", "redirects", "not json", "too long")


@pytest.mark.parametrize("fault", [*REFUSED, *UNUSABLE])
def test_an_answer_that_does_not_hold_proves_nobody(
    home: Home, provider: Provider, own_server: Callable[[int], None], fault: str
) -> None:
    """Wrong, old, foreign, unsigned or missing parts: refused, and no proof is written."""
    before = identity.proofs_of(home.rows, home.session().account.id)
    with pytest.raises(IdentityProviderUnusable if fault in UNUSABLE else IdentityRefused):
        verifier = sign_in(provider(fault), own_server, SILVER)
        identity.establish(home.rows, home.ledger, home.session().require_keys(), home.session().account, verifier)
    assert identity.proofs_of(home.rows, home.session().account.id) == before


def test_nothing_is_proven_before_the_person_came_back(home: Home, provider: Provider) -> None:
    """Neither before the beginning nor between the two pages, and a code is exchanged once."""
    settings = OidcSettings(provider(""), "signet-studio")
    verifier = Oidc(settings, HttpTransport(), "http://127.0.0.1:1/x")
    for begin in (False, True):
        if begin:
            verifier.begin()
        with pytest.raises(IdentityRefused):
            verifier.verify(home.session().require_keys())
    with pytest.raises(IdentityRefused):
        verifier.receive({})


def test_a_provider_that_is_not_there_is_told(home: Home, provider: Provider) -> None:
    """No answer is an error of the provider, not of the program."""
    issuer = provider("")
    transport = HttpTransport(timeout_s=5)
    with pytest.raises(IdentityProviderUnusable):
        transport.get(f"{issuer}/nowhere")
    with pytest.raises(IdentityProviderUnusable):
        Oidc(OidcSettings(f"{issuer}/other", "x"), transport, "http://127.0.0.1:1/x").begin()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        json.dumps({"issuer": "http://provider.example", "client_id": "x"}),
        json.dumps({"issuer": "https://user:pass@provider.example", "client_id": "x"}),
        json.dumps({"issuer": "https://provider.example", "client_id": 7}),
        json.dumps({"issuer": "https://provider.example", "client_id": "x", "client_secret": "y"}),
    ],
)
def test_settings_that_are_none_are_refused(tmp_path: Path, content: str) -> None:
    """Without https, with a password in the address, or with fields that nobody reads: nothing is asked anywhere."""
    path = tmp_path / "provider.json"
    path.write_text(content)
    with pytest.raises(IdentityProviderUnusable):
        OidcSettings.read(path)
    with pytest.raises(IdentityProviderUnusable):
        OidcSettings.read(tmp_path / "nowhere.json")


# --- how it works ----------------------------------------------------------------------------------------------------


def test_a_person_who_signs_in_there_is_proven(
    home: Home, provider: Provider, own_server: Callable[[int], None], tmp_path: Path
) -> None:
    """Level L2 with acr and amr in the log, name and subject in no file; and nobody proves two accounts."""
    settings = tmp_path / "provider.json"
    settings.write_text(json.dumps({"issuer": provider(""), "client_id": "signet-studio", "acr": SILVER}))
    members = Members(home.rows, home.ledger, home.accounts)
    threads: list[threading.Thread] = []

    def show(address: str) -> None:
        query = parse_qs(urlsplit(address).query)
        assert query["code_challenge_method"] == ["S256"]
        assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
        threads.append(threading.Thread(target=browse, args=(address, own_server)))
        threads[-1].start()

    found = members.prove_with_provider(settings, show, 20)
    assert (found.level, found.method) == ("L2", "oidc")
    entry = home.ledger.entries()[-1]
    assert entry["kind"] == "identity_proven"
    assert entry["fields"]["facts"]["acr"] == "urn:studio:silver"
    assert entry["fields"]["facts"]["amr"] == ["pwd", "otp"]
    home.accounts.create("paul", PASSWORD)
    home.accounts.login("paul", PASSWORD)
    with pytest.raises(IdentityTaken):
        members.prove_with_provider(settings, show, 20)
    for thread in threads:
        thread.join()
    for path in (path for path in home.folder.rglob("*") if path.is_file()):
        assert b"person-4711" not in path.read_bytes(), path.name
        assert b"Canary Name" not in path.read_bytes(), path.name


def test_only_the_secret_path_is_answered(own_server: Callable[[int], None]) -> None:
    """Another program on this machine that finds the port gets nothing, and hands in nothing."""
    with Loopback() as loopback:
        port = urlsplit(loopback.uri).port
        assert port is not None
        own_server(port)
        said: list[int] = []

        def ask() -> None:
            for path in ("/?code=x", urlsplit(loopback.uri).path + "?code=right"):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                connection.request("GET", path)
                said.append(connection.getresponse().status)
                connection.close()

        asking = threading.Thread(target=ask)
        asking.start()
        assert dict(loopback.wait(20)) == {"code": "right"}
        asking.join()
    assert said == [404, 200]


def test_nobody_waits_for_ever() -> None:
    """Who does not come back in time has to begin again."""
    with Loopback() as loopback, pytest.raises(IdentityRefused):
        loopback.wait(0)
