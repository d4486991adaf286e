"""The operator: numbers are checked and never invented, the agreement is accepted per account and version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compliance import operator_profile
from compliance.containers import read_container
from compliance.errors import (
    AgreementNotAccepted,
    NumberInvalid,
    ProfileInvalid,
    RoleMissing,
    SignetError,
    UnknownRecord,
)
from compliance.labels import aigc
from compliance.labels.policy import producer_code
from compliance.operator_profile import (
    OperatorProfile,
    accept,
    agreement,
    checked,
    producer_of,
    profile,
    set_profile,
    verify_accepted,
)
from compliance.roles import Role
from tests.compliance.home import SOURCE, TARGET, Home
from tests.compliance.people import add_person

# A code met in public files; its credit code has a valid check character.
PRODUCER = "001191440300708461136T1XGW3"
CREDIT = "91440300708461136T"
GOOD: dict[str, Any] = {"name": "示例工作室", "credit_code": CREDIT, "producer_code": PRODUCER}


@pytest.mark.parametrize(
    ("refusal", "changes"),
    [
        (ProfileInvalid, {"name": " "}),
        (ProfileInvalid, {"name": "a\nb"}),
        (ProfileInvalid, {"name": "x" * 301}),
        (ProfileInvalid, {"contact": "a\x1b[2J"}),
        (NumberInvalid, {"credit_code": "91440300708461136X"}),
        (NumberInvalid, {"producer_code": PRODUCER[:-1]}),
        (NumberInvalid, {"producer_code": PRODUCER.lower()}),
        (NumberInvalid, {"producer_code": "00" + "0" * 25}),
        (NumberInvalid, {"producer_code": "001191110102MACQD9K64028705", "credit_code": ""}),
        (NumberInvalid, {"producer_code": "001191110102MACQD9K64018705"}),
        (ProfileInvalid, {"filing_number": "310110764385705230011"}),
        (ProfileInvalid, {"filing_link": "http://beian.example"}),
        (ProfileInvalid, {"filing_link": "javascript:alert(1)"}),
        (ProfileInvalid, {"filing_link": "https://user:word@host.example"}),
        (ProfileInvalid, {"filing_link": "https://[x"}),
        (ProfileInvalid, {"complaint_hours": "9-18"}),
        (ProfileInvalid, {"complaint_hours": "18:00-09:00"}),
        (ProfileInvalid, {"complaint_hours": "09:00-25:00"}),
        (ProfileInvalid, {"complaint_days": 0}),
        (ProfileInvalid, {"complaint_days": 16}),
    ],
)
def test_a_profile_that_cannot_be(refusal: type[SignetError], changes: dict[str, Any]) -> None:
    """Each field has its form; a code for propagation or of another company is none for labels."""
    with pytest.raises(refusal):
        checked(OperatorProfile(**{**GOOD, **changes}))


def test_only_an_admin_sets_it(home: Home) -> None:
    """The profile is the admin's, and a refusal leaves no trace of the values."""
    ben = add_person(home, "ben", Role.CREATOR)
    with pytest.raises(RoleMissing):
        set_profile(home.rows, home.ledger, ben, **GOOD)
    assert profile(home.rows) is None


def test_a_profile_changes_field_by_field(home: Home) -> None:
    """What is not named stays, an empty text goes, and the ledger gets a digest without the name."""
    by = home.session().account
    set_profile(home.rows, home.ledger, by, **GOOD, complaint_hours="09:00-18:00", complaint_days=5)
    found = set_profile(home.rows, home.ledger, by, contact="desk@studio.example", complaint_hours="")
    assert found == profile(home.rows)
    assert (found.name, found.contact, found.complaint_hours, found.complaint_days) == (
        "示例工作室",
        "desk@studio.example",
        "",
        5,
    )
    assert "示例" not in json.dumps(home.ledger.entries(), ensure_ascii=False)


def test_no_code_is_invented(home: Home) -> None:
    """Without a code the label names the home; with a profile without a code too; with a code the code."""
    own = producer_code("home")
    assert producer_of(home.rows, "home") == own
    set_profile(home.rows, home.ledger, home.session().account, name="Studio")
    assert producer_of(home.rows, "home") == own
    set_profile(home.rows, home.ledger, home.session().account, producer_code=PRODUCER)
    assert producer_of(home.rows, "home") == PRODUCER


def test_the_code_stands_in_the_label(home: Home, tmp_path: Path) -> None:
    """A release carries the operator's code as producer and propagator."""
    set_profile(home.rows, home.ledger, home.session().account, **GOOD)
    out = tmp_path / "out.png"
    home.release(home.claim(home.grant(SOURCE), home.grant(TARGET)), out)
    fields = aigc.read_aigc(read_container("out", out.read_bytes())).fields[0]
    assert (fields["ContentProducer"], fields["ContentPropagator"]) == (PRODUCER, PRODUCER)


def test_a_release_waits_for_the_agreement(home: Home, tmp_path: Path) -> None:
    """With an operator who asks for it nothing is released before the account accepts the present version."""
    account = home.session().account
    verify_accepted(home.rows, account)
    set_profile(home.rows, home.ledger, account, name="Studio", agreement=True)
    claim = home.claim(home.grant(SOURCE), home.grant(TARGET))
    with pytest.raises(AgreementNotAccepted):
        home.release(claim, tmp_path / "out.png")
    with pytest.raises(UnknownRecord):
        accept(home.rows, home.ledger, account, "0")
    version = agreement().version
    accept(home.rows, home.ledger, account, version)
    accept(home.rows, home.ledger, account, version)
    assert home.events().count("agreement_accepted") == 1
    home.release(claim, tmp_path / "out.png")
    with pytest.raises(AgreementNotAccepted):
        verify_accepted(home.rows, add_person(home, "ben", Role.CREATOR))


def test_a_new_version_is_accepted_anew(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever accepted version 1 has not accepted version 2."""
    account = home.session().account
    set_profile(home.rows, home.ledger, account, name="Studio", agreement=True)
    accept(home.rows, home.ledger, account, agreement().version)
    later = operator_profile.Agreement("2", {"en": "x", "zh-CN": "y"}, "0")
    monkeypatch.setattr(operator_profile, "agreement", lambda: later)
    with pytest.raises(AgreementNotAccepted) as caught:
        verify_accepted(home.rows, account)
    assert caught.value.data["version"] == "2"


def test_both_languages_are_one_version() -> None:
    """Both texts name the version and tell of the visible and the hidden label (LM 8)."""
    found = agreement()
    assert found.version == "1"
    for text in found.texts.values():
        head = text.split("\n", 1)[0]
        assert head.endswith((f"version {found.version}", f"版本 {found.version}"))
        assert "AIGC" in text
        assert "AI生成 · AI-generated" in text
