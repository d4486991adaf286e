"""Who somebody is: the declaration, what two people saw, the national service; and what is kept of it."""

from __future__ import annotations

import base64
import json
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc8785
import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from compliance import identity, roles, store
from compliance.account import Account
from compliance.clock import now
from compliance.errors import (
    AccountNameInvalid,
    DeclarationRefused,
    ExitCode,
    IdentityProviderUnusable,
    IdentityRefused,
    IdentityTaken,
    NotAttested,
    NotVerified,
    NumberInvalid,
    OptionUnfit,
    OwnWork,
    RoleMissing,
    SecondPersonNeeded,
    UnknownRecord,
)
from compliance.identity import in_person
from compliance.identity.national import National, NationalSettings
from compliance.identity.provider import verify_url
from compliance.roles import Role
from tests.compliance.home import PASSWORD, Home, prove

# Well formed by their checksums, and nobody's: a day of birth in 1949, and a code of no registered organisation.
RESIDENT, OTHER_RESIDENT, CREDIT = "11010519491231002X", "440524188001010014", "91350100M000100Y43"


@pytest.fixture
def people(home: Home) -> dict[str, Account]:
    """maria (admin, signed in) and three more accounts; paul has proven nothing yet."""
    found = {"maria": home.session().account}
    for name in ("paul", "rosa", "ines"):
        found[name] = home.accounts.create(name, PASSWORD)
        if name != "paul":
            prove(home, found[name], f"{name.title()} Example")
    return found


def declare(home: Home, account: Account, name: str, number: str | None = None) -> identity.IdentityProof:
    """A declaration, whoever is signed in."""
    return identity.declare(home.rows, home.ledger, home.session().require_keys(), account, name, number)


def attest(home: Home, by: Account, account: Account, name: str = "Paul Example", **more: Any) -> str:
    """Say that somebody was seen; the id of the proposal."""
    keys = home.session().require_keys()
    what = {"document": "passport", "number": None, **more}
    return in_person.attest(home.rows, home.ledger, keys, by, account, what["document"], name, what["number"], now()).id


def confirm(home: Home, by: Account, proposal: str, account: Account) -> identity.IdentityProof:
    """Confirm it."""
    keys = home.session().require_keys()
    return in_person.confirm(home.rows, home.ledger, keys, by, proposal, account, now())


def make_admin(home: Home, account: Account) -> None:
    """Give the role past the two people: a starting point."""
    with home.rows.write() as connection:
        roles.give(connection, home.ledger, account.id, (Role.ADMIN,), ["x"], now())


def files_hold(home: Home, text: str) -> list[str]:
    """The files of a home in which a text stands."""
    return [path.name for path in home.folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


# --- the declaration -------------------------------------------------------------------------------------------------


def test_only_the_operator_declares(home: Home, people: dict[str, Account]) -> None:
    """A later account proves nothing by its own word, until it is an admin; nothing is entered."""
    paul, before = people["paul"], home.ledger.size()
    with pytest.raises(DeclarationRefused) as refusal:
        declare(home, paul, "Paul Example")
    assert refusal.value.code == ExitCode.ACCOUNT
    assert "signet identity attest paul" in refusal.value.next_step.format(**refusal.value.data)
    assert home.ledger.size() == before
    make_admin(home, paul)
    assert declare(home, paul, "Paul Example").level == "self"


def test_whoever_locks_the_others_out_is_not_alone(home: Home) -> None:
    """An account that cannot sign in for now is still there."""
    paul, opened = home.accounts.create("paul", PASSWORD), home.session().require_keys()
    with home.rows.write() as connection:
        connection.execute(sa.update(store.account).where(store.account.c.id != paul.id).values(bound=0))
    with pytest.raises(DeclarationRefused):
        identity.declare(home.rows, home.ledger, opened, paul, "Paul Example")


def test_a_declaration_counts_for_the_operator_alone(home: Home, people: dict[str, Account]) -> None:
    """Whoever is no admin any more, and not alone, has nothing left of an old one."""
    maria = people["maria"]
    assert identity.require_proof(home.rows, maria).level == "self"
    with home.rows.write() as connection:
        connection.execute(sa.delete(store.account_role).where(store.account_role.c.role == "admin"))
    with pytest.raises(NotAttested):
        identity.require_proof(home.rows, maria)
    assert identity.current_proof(home.rows, maria.id) is None


def test_a_level_raised_in_the_database_is_not_believed(home: Home, people: dict[str, Account]) -> None:
    """The ledger tells the level, and a row without an entry of its own proves nothing."""
    table = store.identity_proof
    with home.rows.write() as connection:
        connection.execute(sa.update(table).values(level="L3", expires_at="2999-01-01T00:00:00Z"))
    proof = identity.require_proof(home.rows, people["maria"])
    assert proof.level == "self"
    assert proof.expires_at < "2999"
    with home.rows.write() as connection:
        connection.execute(
            sa.update(table).where(table.c.account_id == people["rosa"].id).values(account_id=people["paul"].id)
        )
    assert identity.current_proof(home.rows, people["paul"].id) is None


@pytest.mark.parametrize("name", ["", " ", "x", "n" * 201])
def test_a_name_that_is_none_is_refused(home: Home, name: str) -> None:
    """Empty, of one letter or longer than a line."""
    with pytest.raises(AccountNameInvalid):
        declare(home, home.session().account, name)


@pytest.mark.parametrize("number", ["", "123", RESIDENT[:-1] + "1", CREDIT[:-1] + "2", "9135 0100", "身份证"])
def test_a_number_that_is_none_is_refused_and_not_told(home: Home, number: str) -> None:
    """Neither the error nor its trace tells the number, and nothing is written."""
    before = home.ledger.size()
    with pytest.raises(NumberInvalid) as refusal:
        declare(home, home.session().account, "Maria Example", number)
    assert refusal.value.code == ExitCode.USAGE
    told = repr(traceback.format_exception(refusal.value)) + repr(refusal.value.data)
    assert not number or number not in told
    assert home.ledger.size() == before


def test_one_number_proves_one_account(home: Home, people: dict[str, Account]) -> None:
    """The same person or organisation is found again, however the number is written; another one is not."""
    declare(home, people["maria"], "Maria Example", RESIDENT)
    declare(home, people["maria"], "Maria Example", RESIDENT)
    with pytest.raises(IdentityTaken):
        prove(home, people["paul"], "Paul Example", " 11010519491231002x ")
    prove(home, people["paul"], "Paul Example", OTHER_RESIDENT)
    prove(home, people["rosa"], "Rosa Ltd", CREDIT)
    with pytest.raises(IdentityTaken):
        prove(home, people["ines"], "Ines Ltd", CREDIT.lower())


def test_a_shared_name_is_entered_and_not_refused(home: Home, people: dict[str, Account]) -> None:
    """Two people may have one name; the log says that it was seen."""
    prove(home, people["paul"], "MARIA  EXAMPLE".replace("  ", " "))
    fields = home.ledger.entries()[-1]["fields"]
    assert fields["same_name_as"] == [people["maria"].id]
    assert fields["facts"] == {"document": "passport"}


def test_of_a_declaration_nothing_can_be_read(home: Home) -> None:
    """Neither name nor number stands in a file, nor a plain digest of them; the log's mark dies with the data key."""
    declare(home, home.session().account, "Canary Person", RESIDENT)
    assert files_hold(home, "Canary Person") == []
    assert files_hold(home, RESIDENT) == []
    fields = home.ledger.entries()[-1]["fields"]
    with home.rows.read() as connection:
        row = connection.execute(sa.select(store.identity_proof).order_by(sa.desc("ledger_index")).limit(1)).one()
    assert fields["commitment"] not in (row.commitment, row.subject_commitment)


def test_the_strongest_proof_counts_while_it_lasts(home: Home, people: dict[str, Account]) -> None:
    """A later declaration does not weaken what two people saw; after a year nothing is left of it."""
    paul = people["paul"]
    confirm(home, people["rosa"], attest(home, people["maria"], paul), paul)
    make_admin(home, paul)
    declare(home, paul, "Paul Example")
    proof = identity.require_proof(home.rows, paul)
    assert (proof.level, proof.verifier, proof.second) == ("L1", people["maria"].id, people["rosa"].id)
    with pytest.raises(NotVerified):
        identity.require_proof(home.rows, paul, now() + timedelta(days=365, minutes=1))


# --- in person -------------------------------------------------------------------------------------------------------


def test_nobody_proves_themselves(home: Home, people: dict[str, Account]) -> None:
    """Neither by attesting nor by confirming, nor by doing both halves for somebody else."""
    maria, paul = people["maria"], people["paul"]
    with pytest.raises(OwnWork):
        attest(home, maria, maria, "Maria Example")
    proposal = attest(home, maria, paul)
    with pytest.raises(OwnWork):
        confirm(home, maria, proposal, paul)
    with pytest.raises((OwnWork, SecondPersonNeeded)):
        confirm(home, paul, proposal, paul)
    with pytest.raises(NotVerified):
        identity.require_proof(home.rows, paul)


def test_where_nobody_else_is_proven_the_one_who_was_seen_confirms(home: Home) -> None:
    """Else no studio could begin; neither the admin alone nor anybody unproven may, and only once is it so."""
    maria = home.session().account
    paul, rosa = (home.accounts.create(name, PASSWORD) for name in ("paul", "rosa"))
    proposal = attest(home, maria, paul)
    for by in (maria, rosa):
        with pytest.raises((OwnWork, SecondPersonNeeded)):
            confirm(home, by, proposal, paul)
    proof = confirm(home, paul, proposal, paul)
    assert (proof.level, proof.verifier, proof.second) == ("L1", maria.id, paul.id)
    proposal = attest(home, maria, rosa, "Rosa Example")
    with pytest.raises((OwnWork, SecondPersonNeeded)):
        confirm(home, rosa, proposal, rosa)
    assert confirm(home, paul, proposal, rosa).second == paul.id


def test_who_attests_is_a_proven_admin(home: Home, people: dict[str, Account]) -> None:
    """No other role, and no admin without an identity of their own."""
    with pytest.raises(RoleMissing):
        attest(home, people["rosa"], people["paul"])
    with home.rows.write() as connection:
        connection.execute(sa.delete(store.identity_proof))
    with pytest.raises(NotVerified):
        attest(home, people["maria"], people["paul"])


def test_who_confirms_is_proven_too(home: Home, people: dict[str, Account]) -> None:
    """An account that has shown nobody who it is, is no second person."""
    proposal = attest(home, people["maria"], people["rosa"], "Rosa Example")
    with pytest.raises(SecondPersonNeeded):
        confirm(home, people["paul"], proposal, people["rosa"])


@pytest.mark.parametrize("role", ["attests", "confirms"])
def test_a_second_account_of_the_same_person_is_no_second_person(
    home: Home, people: dict[str, Account], role: str
) -> None:
    """Whoever has two accounts cannot prove one with the other: by name, and by number under another name."""
    paul, number = people["paul"], {"number": RESIDENT}
    prove(home, people["maria" if role == "attests" else "rosa"], "Paul Example", RESIDENT)
    for name, more in (("paul example", {}), ("Somebody Else", number)):
        with pytest.raises(SecondPersonNeeded):
            confirm(home, people["rosa"], attest(home, people["maria"], paul, name, **more), paul)
    assert identity.current_proof(home.rows, paul.id) is None


def test_a_document_of_no_kind_and_a_bad_number_are_refused(home: Home, people: dict[str, Account]) -> None:
    """What was seen is one of a closed list; a number that is read from it fits its checksum."""
    with pytest.raises(OptionUnfit) as refusal:
        attest(home, people["maria"], people["paul"], document="library card")
    assert refusal.value.code == ExitCode.USAGE
    assert "passport" in refusal.value.data["allowed"]
    with pytest.raises(NumberInvalid):
        attest(home, people["maria"], people["paul"], number="110105194912310021")


def test_a_proposal_is_confirmed_once_and_for_its_own_account(home: Home, people: dict[str, Account]) -> None:
    """It fits no other account, no other kind, and no second time."""
    proposal = attest(home, people["maria"], people["paul"])
    with pytest.raises(UnknownRecord):
        confirm(home, people["rosa"], proposal, people["ines"])
    wanted = roles.grant_role(home.rows, home.ledger, people["maria"], people["paul"], Role.REVIEWER, now())
    assert wanted is not None
    with pytest.raises(UnknownRecord):
        confirm(home, people["rosa"], wanted.id, people["paul"])
    confirm(home, people["rosa"], proposal, people["paul"])
    with pytest.raises(UnknownRecord):
        confirm(home, people["ines"], proposal, people["paul"])


def test_of_what_two_people_saw_the_kind_of_document_is_kept(home: Home, people: dict[str, Account]) -> None:
    """The entry names the two by their ids; number and name are in no file, before and after the confirmation."""
    paul = people["paul"]
    proposal = attest(home, people["maria"], paul, "Canary Person", number=RESIDENT)
    for _ in range(2):
        assert files_hold(home, "Canary Person") == []
        assert files_hold(home, RESIDENT) == []
        if identity.current_proof(home.rows, paul.id) is None:
            confirm(home, people["rosa"], proposal, paul)
    fields = home.ledger.entries()[-1]["fields"]
    assert fields["facts"] == {"document": "passport"}
    assert (fields["by"], fields["second"], fields["level"]) == (people["maria"].id, people["rosa"].id, "L1")


# --- the national service --------------------------------------------------------------------------------------------

Key = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def pem_of(key: Key) -> str:
    """The public half as the settings hold it."""
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key.public_key().public_bytes(*form).decode()


def wire(signing: Key, **changes: Any) -> dict[str, Any]:
    """Settings of a service with that key."""
    return {
        "version": 1,
        "service": "cyber-id",
        "url": "https://id.example.cn/verify",
        "send": {"token": "{credential}", "challenge": "{nonce}", "app": "studio"},
        "result": "data.code",
        "accept": ["0", "YES"],
        "subject": "data.pid",
        "nonce": "data.challenge",
        "signature": "sign",
        "key": pem_of(signing),
        **changes,
    }


class Platform:
    """Answers in memory as the settings say; `change` may spoil the answer before it is signed, `spoil` after."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.asked: list[dict[str, str]] = []
        self.change: Callable[[dict[str, Any]], None] = lambda _answer: None
        self.spoil: Callable[[dict[str, Any]], None] = lambda _answer: None

    def get(self, url: str) -> bytes:
        raise AssertionError(url)

    def post(self, url: str, body: bytes, content_type: str) -> bytes:
        assert (url, content_type) == ("https://id.example.cn/verify", "application/json")
        self.asked.append(json.loads(body))
        answer: dict[str, Any] = {
            "data": {"code": "0", "pid": "pid-canary", "challenge": self.asked[-1]["challenge"]},
            "time": 1_790_000_000,
        }
        self.change(answer)
        message = rfc8785.dumps(answer)
        match self.key:
            case ed25519.Ed25519PrivateKey():
                signature = self.key.sign(message)
            case ec.EllipticCurvePrivateKey():
                signature = self.key.sign(message, ec.ECDSA(hashes.SHA256()))
            case _:
                signature = self.key.sign(message, PKCS1v15(), hashes.SHA256())
        answer["sign"] = base64.b64encode(signature).decode()
        self.spoil(answer)
        return json.dumps(answer).encode()


@pytest.fixture(scope="module")
def service_key() -> Key:
    """A P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def settings_in(folder: Path, content: object) -> NationalSettings:
    """Write settings and read them."""
    path = folder / "service.json"
    path.write_text(json.dumps(content))
    return NationalSettings.read(path)


SM2_KEY = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAE+HHDCsHvG7GTja/fdYkx7at2GSYY
/8nIPfro9Fq83v7p8zvGDi7m/OGnPOrU6fRJMOHLZ9zI7TJ5OWH5nh59Hg==
-----END PUBLIC KEY-----
"""


def test_a_key_of_sm2_is_refused_by_its_name(tmp_path: Path, service_key: Key) -> None:
    """The library reads no SM2; the operator learns that it is that, and not that the file is broken."""
    with pytest.raises(IdentityProviderUnusable) as refused:
        settings_in(tmp_path, {**wire(service_key), "key": SM2_KEY})
    assert "SM2" in str(refused.value)


SPOILED: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "says no": ("change", lambda answer: answer["data"].update(code="1")),
    "says nothing": ("change", lambda answer: answer["data"].pop("code")),
    "names nobody": ("change", lambda answer: answer["data"].pop("pid")),
    "names a number": ("change", lambda answer: answer["data"].update(pid=7)),
    "to another question": ("change", lambda answer: answer["data"].update(challenge="0" * 32)),
    "to no question": ("change", lambda answer: answer["data"].pop("challenge")),
    "another form": ("change", lambda answer: answer.update(data=[])),
    "changed afterwards": ("spoil", lambda answer: answer["data"].update(pid="somebody else")),
    "yes afterwards": ("spoil", lambda answer: answer.update(code="0")),
    "unsigned": ("spoil", lambda answer: answer.pop("sign")),
    "signed with nothing": ("spoil", lambda answer: answer.update(sign="")),
    "signed with words": ("spoil", lambda answer: answer.update(sign="not base64!")),
}


@pytest.mark.parametrize("fault", SPOILED)
def test_an_answer_of_the_service_that_does_not_hold_is_refused(
    home: Home, tmp_path: Path, service_key: Key, fault: str
) -> None:
    """No, nobody, another question, changed or unsigned: no proof."""
    service = Platform(service_key)
    setattr(service, *SPOILED[fault])
    verifier = National(settings_in(tmp_path, wire(service_key)), service, "credential")
    with pytest.raises(IdentityRefused):
        identity.establish(home.rows, home.ledger, home.session().require_keys(), home.session().account, verifier)
    assert identity.require_proof(home.rows, home.session().account).level == "self"


def test_a_foreign_key_and_an_empty_credential_are_refused(home: Home, tmp_path: Path, service_key: Key) -> None:
    """The key of the settings decides; without a credential nothing is asked."""
    keys = home.session().require_keys()
    foreign = Platform(ec.generate_private_key(ec.SECP256R1()))
    settings = settings_in(tmp_path, wire(service_key))
    with pytest.raises(IdentityRefused):
        National(settings, foreign, "credential").verify(keys)
    asked = len(foreign.asked)
    for credential in ("", " ", "a\nb", "c" * 256):
        with pytest.raises(IdentityRefused):
            National(settings, foreign, credential).verify(keys)
    assert len(foreign.asked) == asked


BAD_WIRES: dict[str, dict[str, Any]] = {
    "http": {"url": "http://id.example.cn/verify"},
    "a version nobody knows": {"version": 2},
    "an unknown field": {"proxy": "x"},
    "a name is sent": {"send": {"token": "{credential}", "n": "{nonce}", "real_name": "Maria"}},
    "a number is sent": {"send": {"token": "{credential}", "n": "{nonce}", "idNumber": "1"}},
    "a picture is sent": {"send": {"token": "{credential}", "n": "{nonce}", "人脸": "1"}},
    "no question": {"send": {"token": "{credential}"}},
    "an unknown place": {"send": {"token": "{credential}", "n": "{nonce}", "x": "{name}"}},
    "nothing is a yes": {"accept": []},
    "not a text": {"subject": 7},
    "no key": {"key": "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"},
}


@pytest.mark.parametrize("fault", BAD_WIRES)
def test_settings_of_a_service_that_are_none_are_refused(tmp_path: Path, service_key: Key, fault: str) -> None:
    """A wire that would be open, unsigned, or ask again for what the service knows is not used."""
    with pytest.raises(IdentityProviderUnusable):
        settings_in(tmp_path, wire(service_key, **BAD_WIRES[fault]))


def test_a_weak_key_of_the_service_is_refused(tmp_path: Path) -> None:
    """RSA below 2048 bits and curves nobody agreed on."""
    for key in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256K1())):
        with pytest.raises(IdentityProviderUnusable):
            settings_in(tmp_path, wire(key))


@pytest.mark.parametrize("kind", ["ed25519", "p256", "rsa"])
def test_the_result_of_the_service_is_the_proof(
    home: Home, tmp_path: Path, service_key: Key, kind: str, people: dict[str, Account]
) -> None:
    """Level L3; of the person only a commitment is kept, which nobody else can prove again."""
    made: dict[str, Callable[[], Key]] = {
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "p256": lambda: service_key,
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
    }
    key = made[kind]()
    service, keys = Platform(key), home.session().require_keys()
    verifier = National(settings_in(tmp_path, wire(key)), service, "secret-credential")
    proof = identity.establish(home.rows, home.ledger, keys, people["paul"], verifier)
    assert (proof.level, service.asked[0]["token"], service.asked[0]["app"]) == ("L3", "secret-credential", "studio")
    assert len(service.asked[0]["challenge"]) == 32
    assert home.ledger.entries()[-1]["fields"]["facts"] == {"service": "cyber-id"}
    for text in ("pid-canary", "secret-credential"):
        assert files_hold(home, text) == []
    with pytest.raises(IdentityTaken):
        identity.establish(home.rows, home.ledger, keys, people["rosa"], verifier)


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://a.example", "https://", "https://u:p@a.example", "http://a.example", "http://[::1", None]
)
def test_addresses_that_are_not_safe_are_refused(url: object) -> None:
    """Only https, or this machine itself."""
    with pytest.raises(IdentityProviderUnusable):
        verify_url(url)
    assert verify_url("http://127.0.0.1:8080/x") == "http://127.0.0.1:8080/x"
