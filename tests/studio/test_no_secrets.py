"""After a whole session nothing that identifies a person, and no secret, stands in any file of the home."""

from __future__ import annotations

import base64
import logging
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import pyotp
import pytest

from compliance.cases import CaseKind
from compliance.consent_record import Terms
from compliance.errors import ContentBlocked, NumberInvalid, SignetError, WrongPassword
from engines.engine import Request
from engines.job import Failed
from studio.commands.root import run
from studio.workshop import SwapPlan, Workshop, raise_failed
from tests.compliance.home import lower_the_cost_of_passwords
from tests.studio.conftest import COLLINS, HOPPER

LIMIT_S = 60.0
# Each says where it goes in; none may come out again. The ID number is the published example of GB 11643.
CANARIES = {
    "password": "Kanarien-Passwort-8841",
    "new password": "Kanarien-Passwort-9952",
    "wrong password": "Kanarien-Fehlwort-1177",
    "operator's name": "Ottilie Kanarienberg",
    "ID number": "11010519491231002X",
    "subject's name": "Gwendolyn Kanarientochter",
    "second subject": "Kasimir Kanariensohn",
    "passphrase": "kanarien flogen ueber den see",
    "evidence": "KANARIENBEWEIS dies ist ein unterschriebenes Blatt",
    "recipient": "Kanarienfilm Verleih",
    "case statement": "Kanarienfall: es wurde gesungen",
    "appeal": "Kanarieneinspruch gegen den Fall",
    "prompt": "a kanarienprompt over the mountains",
}


def session(home: Path, outside: Path) -> set[str]:
    """Everything a studio does in a day, by hand and by command; returns the secrets that were made on the way."""
    made: set[str] = set()
    evidence = outside / "evidence.txt"
    evidence.write_text(CANARIES["evidence"])
    words = outside / "password.txt"
    with Workshop(home, "own", None) as workshop:
        workshop.create_account("creator", CANARIES["password"])
        with suppress(WrongPassword):
            workshop.login("creator", CANARIES["wrong password"])
        workshop.login("creator", CANARIES["password"])
        with pytest.raises(NumberInvalid):
            workshop.members.declare(CANARIES["operator's name"], CANARIES["ID number"][:-1] + "1")
        workshop.members.declare(CANARIES["operator's name"], CANARIES["ID number"])
        until = date.today() + timedelta(days=30)
        grants = []
        for name, picture in ((CANARIES["subject's name"], HOPPER), (CANARIES["second subject"], COLLINS)):
            person = workshop.add_subject(name)
            nonce = workshop.new_nonce(person.id)
            made.add(nonce.phrase)
            grant = workshop.record_consent(
                person.id,
                picture,
                ["private"],
                date.today(),
                until,
                evidence=evidence,
                evidence_kind="video",
                nonce_phrase=nonce.phrase,
                passphrase=CANARIES["passphrase"],
                terms=Terms(recipients=(CANARIES["recipient"],)),
            )
            assert grant.withdrawal_code is not None
            made.add(grant.withdrawal_code)
            workshop.write_receipt(grant.id, outside / f"{grant.id}.pdf", grant.withdrawal_code)
            grants.append(grant)
        running = workshop.start(
            workshop.plan_swap(HOPPER, COLLINS, [grant.id for grant in grants]), lambda _event: None
        )
        running.wait(LIMIT_S)
        released = workshop.release(running, outside / "released.png")
        workshop.discard(running)
        broken = Request("fake.noise", "fake.noise", (), {"width": CANARIES["prompt"]})
        failed = workshop.start(SwapPlan(broken, (), ()), lambda _event: None).wait(LIMIT_S)
        assert isinstance(failed, Failed)
        with pytest.raises(SignetError):
            raise_failed(failed)  # leaves a report
        with suppress(ContentBlocked, SignetError):
            workshop.plan_picture("picture.sketch", {"prompt": CANARIES["prompt"]}, seed=1)
        workshop.casework.open_case(CaseKind.REVIEW, CANARIES["case statement"], release=released.id)
        workshop.casework.refute(released.id, "a test of the machine")
        factor = workshop.members.enroll_factor()
        made.add(factor.secret)
        workshop.members.confirm_factor(pyotp.TOTP(factor.secret).now())
        workshop.members.disable_factor()
        workshop.members.change_password(CANARIES["password"], CANARIES["new password"])
        workshop.withdraw_by_code(next(code for code in made if code == grants[0].withdrawal_code))
    words.write_text(CANARIES["new password"])
    common = ["--home", str(home), "--lang", "en"]
    run([*common, "account", "login", "creator", "--password-file", str(words)])
    run([*common, "subject", "add", CANARIES["second subject"], "--password-file", str(words)])
    run([*common, "subject", "list", "--json", "--password-file", str(words)])
    run([*common, "account", "logout"])
    return made


def spellings(text: str) -> list[bytes]:
    """A secret as it might stand in a file: plain, in other cases and codings."""
    data = text.encode()
    return [
        data,
        text.upper().encode(),
        text.lower().encode(),
        text.encode("utf-16-le"),
        data.hex().encode(),
        base64.b64encode(data).rstrip(b"=")[:-1],
    ]


def test_no_secret_reaches_the_disk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Passwords, numbers, names, phrases, codes and evidence: a scan of home, reports and logs finds none of them."""
    lower_the_cost_of_passwords()
    home, outside = tmp_path / "home", tmp_path / "outside"
    outside.mkdir()
    with caplog.at_level(logging.DEBUG):
        made = session(home, outside)
    told = capfd.readouterr()
    secrets = {**CANARIES, **{f"made {number}": text for number, text in enumerate(sorted(made))}}
    assert len(made) == 5
    files = [path for path in home.rglob("*") if path.is_file()]
    assert {path.parent.name for path in files} >= {"home", "vault", "reports"}
    found = [
        (path.name, name)
        for path in files
        for data in (path.read_bytes(),)
        for name, text in secrets.items()
        if any(spelling in data for spelling in spellings(text))
    ]
    assert found == []
    assert [name for name, text in secrets.items() if text in caplog.text] == []
    shown = {"second subject", "subject's name"}  # names are shown to whoever has the keys
    assert [name for name, text in secrets.items() if text in told.err + told.out and name not in shown] == []
    assert [path.name for path in files if path.stat().st_mode & 0o077] == []
    released = (outside / "released.png").read_bytes()
    assert [name for name, text in secrets.items() if text.encode() in released] == []
