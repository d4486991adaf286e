"""Consent: what cannot be recorded first, then evidence, approval, withdrawal without an account, erasure."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import rfc8785
import sqlalchemy as sa

from compliance import consent, store, subject, withdrawal
from compliance.assignment import assign_face, assignments
from compliance.consent import FORBIDDEN, ConsentGrant, Terms
from compliance.consent_record import personal_digest, withdrawal_digest
from compliance.data_keys import open_for, seal_for
from compliance.errors import (
    ConsentSuperseded,
    ConsentWithdrawn,
    EvidenceUnconfirmed,
    GuardianMissing,
    LedgerBroken,
    NonceInvalid,
    PassphraseWrong,
    ScopeUnclear,
    SecondPersonNeeded,
    Shredded,
    SubjectErased,
    UnknownRecord,
    WeakPassword,
    WithdrawalCodeUnknown,
)
from compliance.evidence import Evidence, commit_passphrase, new_nonce, nonce_digest
from compliance.notice import LANGUAGES, notice
from tests.compliance.home import DAY, SOURCE, TARGET, Home, lower_the_cost_of_passwords

TODAY = date.today()
FILE = "cd" * 32


def person(home: Home, name: str = "Grace Hopper", **options) -> str:
    """One more person."""
    return subject.add_subject(home.rows, home.ledger, home.session().require_keys(), name, **options).id


def record(home: Home, terms: Terms | None = None, *, who: str | None = None, **options) -> ConsentGrant:
    """A grant that lives from yesterday to tomorrow unless told otherwise."""
    values = {
        "subject_id": who or person(home),
        "likeness": "face",
        "purposes": ("private",),
        "asset_sha256": SOURCE,
        "valid_from": TODAY - DAY,
        "valid_until": TODAY + DAY,
        "recorded_by": home.session().account.id,
    }
    return consent.record_consent(home.rows, home.ledger, terms=terms, **(values | options))


def live_evidence(home: Home, who: str) -> Evidence:
    """A recording with a fresh phrase."""
    words = new_nonce(home.rows, subject_id=who, name="Grace Hopper", studio="Lightworks")
    return Evidence("video", FILE, is_live=True, phrase=words.phrase)


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        (Terms(age="under 14"), GuardianMissing),
        (Terms(age="about thirty"), ScopeUnclear),
        (Terms(allowed_uses=("anything",)), ScopeUnclear),
        (Terms(territories=("China",)), ScopeUnclear),
        (Terms(territories=("CN", "XX")), ScopeUnclear),
        (Terms(territories=("ZZ",)), ScopeUnclear),
        (Terms(projects=("",)), ScopeUnclear),
        (Terms(projects=("a/b",)), ScopeUnclear),
        (Terms(max_outputs=0), ScopeUnclear),
        (Terms(evidence=(Evidence("video", FILE, is_live=True),)), NonceInvalid),
        (Terms(evidence=(Evidence("paper", FILE, is_live=True, phrase="x"),)), NonceInvalid),
        (Terms(evidence=(Evidence("video", FILE, is_live=True, phrase="made up"),)), NonceInvalid),
        (Terms(supersedes="con-none"), UnknownRecord),
    ],
)
def test_terms_outside_the_lists_are_refused(home: Home, terms: Terms, error: type[Exception]) -> None:
    """Nothing is recorded whose words are not of the closed lists, whose guardian or whose phrase is missing."""
    before = home.ledger.size()
    who = person(home)
    with pytest.raises(error):
        record(home, terms, who=who)
    assert home.ledger.size() == before + 1
    assert consent.grants(home.rows, home.ledger) == []


def test_nobody_is_their_own_guardian(home: Home) -> None:
    """A guardian is another person of the home, grown up and not erased."""
    child = person(home)
    with pytest.raises(GuardianMissing):
        record(home, Terms(age="under 14", guardian_id=child), who=child)
    with pytest.raises(GuardianMissing):
        person(home, age="under 14")
    teenager = person(home, age="14-17")
    with pytest.raises(GuardianMissing):
        person(home, age="under 14", guardian_id=teenager)
    mother = person(home, age="adult")
    child = person(home, age="under 14", guardian_id=mother)
    granted = record(home, Terms(age="under 14", guardian_id=mother, allowed_uses=FORBIDDEN), who=child)
    assert granted.guardian_id == mother
    assert granted.forbidden == FORBIDDEN


def test_a_phrase_is_good_once_soon_and_for_one_person(home: Home) -> None:
    """Replayed, late or borrowed phrases are refused; the phrase names person, studio and month and is not kept."""
    who, other = person(home), person(home, "Eileen Collins")
    evidence = live_evidence(home, who)
    assert "Grace Hopper" in evidence.phrase
    assert "Lightworks" in evidence.phrase
    assert str(TODAY.year) in evidence.phrase
    with pytest.raises(NonceInvalid):
        record(home, Terms(evidence=(evidence,)), who=other)
    granted = record(home, Terms(evidence=(evidence,)), who=who)
    assert granted.evidence_level == "live"
    with pytest.raises(NonceInvalid):
        record(home, Terms(evidence=(evidence,)), who=who)
    with home.rows.write() as connection:  # whoever makes the table forget meets the ledger
        connection.execute(sa.update(store.nonce).values(used_at=None, grant_id=None))
    with pytest.raises(NonceInvalid):
        record(home, Terms(evidence=(evidence,)), who=who)
    old = new_nonce(
        home.rows,
        subject_id=who,
        name="Grace Hopper",
        studio="Lightworks",
        language="zh-CN",
        moment=datetime.now(UTC) - timedelta(minutes=31),
    )
    assert "年" in old.phrase
    with pytest.raises(NonceInvalid):
        record(home, Terms(evidence=(Evidence("audio", FILE, is_live=True, phrase=old.phrase),)), who=who)
    everything = b"".join(path.read_bytes() for path in home.folder.rglob("*") if path.is_file())
    assert evidence.phrase.encode() not in everything
    assert nonce_digest(who, evidence.phrase).encode() in everything


def test_two_phrases_differ(home: Home) -> None:
    """No phrase can be recorded ahead: it has words that nobody knows before."""
    who = person(home)
    assert len({new_nonce(home.rows, subject_id=who, name="G", studio="S").phrase for _ in range(8)}) == 8


def test_nobody_approves_what_they_recorded(home: Home) -> None:
    """A second person is needed, there must be something to look at, and a decision is final."""
    granted = record(home, evidence_sha256=FILE)
    with pytest.raises(SecondPersonNeeded):
        withdrawal.approve_evidence(home.rows, home.ledger, granted.id, granted.recorded_by)
    with pytest.raises(SecondPersonNeeded):
        withdrawal.approve_evidence(home.rows, home.ledger, record(home).id, "acc-second")
    assert granted.evidence_level == "operator"
    approved = withdrawal.approve_evidence(home.rows, home.ledger, granted.id, "acc-second")
    assert (approved.evidence_level, approved.approved_by) == ("file+second", "acc-second")
    refused = withdrawal.refuse_evidence(home.rows, home.ledger, granted.id, "acc-third")
    assert refused.state() == "refused"


def test_the_studio_profile_wants_more_than_the_operators_word(home: Home) -> None:
    """In "personal" the operator's word opens the gate; in "studio" approval does, or the subject in a lone studio."""
    account = home.session().account
    words = [record(home, asset_sha256=asset).id for asset in (SOURCE, TARGET)]
    home.gate.authorize(home.claim(*words), account)
    with home.rows.write() as connection:
        connection.execute(sa.update(store.home).values(profile="studio"))
    with pytest.raises(EvidenceUnconfirmed):
        home.gate.authorize(home.claim(*words), account)
    confirmed = record(home, Terms(passphrase_commitment="$argon2id$x"), evidence_sha256=FILE)
    assert confirmed.evidence_level == "file+subject"
    signed = record(home, asset_sha256=TARGET, evidence_sha256=FILE)
    signed = withdrawal.confirm_by_receipt(home.rows, home.ledger, signed.id, FILE)
    assert signed.evidence_level == "file+subject"
    home.gate.authorize(home.claim(confirmed.id, signed.id), account)
    home.accounts.create("second", "correct horse battery")
    with pytest.raises(EvidenceUnconfirmed):  # now there is somebody who can be asked
        home.gate.authorize(home.claim(confirmed.id, signed.id), account)
    for one in (confirmed, signed):
        withdrawal.approve_evidence(home.rows, home.ledger, one.id, "acc-second")
    home.gate.authorize(home.claim(confirmed.id, signed.id), account)


def test_a_withdrawal_code_needs_no_account(home: Home) -> None:
    """The code withdraws its one grant, however it is typed; a wrong code, and a second time, are refused."""
    granted, other = record(home), record(home)
    code = granted.withdrawal_code
    assert code is not None
    home.accounts.logout()
    for wrong in ("", "SW-0000-0000-0000-0000", code[:-1], f"{code}0"):
        with pytest.raises(WithdrawalCodeUnknown):
            withdrawal.withdraw_by_code(home.rows, home.ledger, wrong)
    spoken = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert withdrawal.withdraw_by_code(home.rows, home.ledger, spoken).state() == "withdrawn"
    with pytest.raises(ConsentWithdrawn) as told:
        withdrawal.withdraw_by_code(home.rows, home.ledger, code)
    assert re.search(r" on \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\.$", str(told.value))
    assert consent.grant(home.rows, home.ledger, other.id).state() == "live"
    everything = b"".join(path.read_bytes() for path in home.folder.rglob("*") if path.is_file())
    assert code.encode() not in everything
    assert withdrawal_digest(code).encode() in everything


def test_a_code_works_although_its_index_was_emptied(home: Home) -> None:
    """The column is an index alone; the record is what counts."""
    granted = record(home)
    with home.rows.write() as connection:
        connection.execute(sa.update(store.consent_grant).values(withdrawal_code_sha256=None))
    assert withdrawal.withdraw_by_code(home.rows, home.ledger, granted.withdrawal_code or "").id == granted.id


def test_a_passphrase_withdraws(home: Home) -> None:
    """What the subject typed withdraws, another passphrase does not, and a short one is not taken."""
    lower_the_cost_of_passwords()
    with pytest.raises(WeakPassword):
        commit_passphrase("short")
    granted = record(home, Terms(passphrase_commitment=commit_passphrase("my own words")), evidence_sha256=FILE)
    for wrong in ("", "other words"):
        with pytest.raises(PassphraseWrong):
            withdrawal.withdraw_by_passphrase(home.rows, home.ledger, granted.id, wrong)
    with pytest.raises(PassphraseWrong):
        withdrawal.withdraw_by_passphrase(home.rows, home.ledger, record(home).id, "")
    assert withdrawal.withdraw_by_passphrase(home.rows, home.ledger, granted.id, " my own words ").withdrawn_at


def test_deleted_and_removed_entries_revive_nothing(home: Home) -> None:
    """A withdrawal counts without its row; a ledger whose entries were blanked is told as broken."""
    granted = record(home)
    withdrawal.withdraw(home.rows, home.ledger, granted.id)
    with home.rows.write() as connection:
        connection.execute(sa.delete(store.consent_withdrawal))
    assert Home.open(home.folder).ledger is not home.ledger
    fresh = Home.open(home.folder)
    assert consent.grant(fresh.rows, fresh.ledger, granted.id).state() == "withdrawn"
    with pytest.raises(ConsentWithdrawn):
        withdrawal.withdraw(fresh.rows, fresh.ledger, granted.id)
    with home.rows.write() as connection:
        for trigger in (
            connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type='trigger'").scalars().all()
        ):
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        entry = store.ledger_entry
        last = connection.execute(sa.select(sa.func.max(entry.c.idx))).scalar_one()
        connection.execute(sa.update(entry).where(entry.c.idx == last).values(body=None))
        connection.execute(sa.insert(store.pruned).values(idx=last, at="2026-01-01T00:00:00Z"))
    robbed = Home.open(home.folder)
    with pytest.raises(LedgerBroken):
        consent.grant(robbed.rows, robbed.ledger, granted.id)


def test_a_newer_consent_takes_the_place_of_the_old_one(home: Home) -> None:
    """Superseding ends the old grant for good; only the same person's grant of the same likeness can do it."""
    old = record(home)
    with pytest.raises(UnknownRecord):
        record(home, Terms(supersedes=old.id))
    new = record(home, Terms(supersedes=old.id), who=old.subject_id, purposes=("film",))
    ended = consent.grant(home.rows, home.ledger, old.id)
    assert (ended.state(), ended.ended_by) == ("superseded", new.id)
    with pytest.raises(ConsentSuperseded):
        ended.verify_live()
    with pytest.raises(ConsentSuperseded):
        record(home, Terms(supersedes=old.id), who=old.subject_id)


def test_the_record_is_canonical_pseudonymous_and_whole(home: Home) -> None:
    """RFC 8785, its digest in the ledger, every part of TS 27560, and the name under the person's key alone."""
    keys = home.session().require_keys()
    who = person(home)

    def seal(value: dict, context: str) -> bytes:
        with home.rows.write() as connection:
            return seal_for(connection, keys, who, value, context)

    terms = Terms(recipients=("A broadcaster",), notice=notice("face", "zh-CN"), age="adult", max_outputs=2)
    granted = record(home, terms, who=who, seal=seal, personal={"name": "Grace Hopper"})
    with home.rows.read() as connection:
        row = connection.execute(sa.select(store.consent_grant).where(store.consent_grant.c.id == granted.id)).one()
        personal = open_for(connection, keys, who, row.sealed_personal, f"consent {granted.id}")
    document = json.loads(row.record)
    assert rfc8785.dumps(document) == row.record
    entry = home.ledger.entry(granted.ledger_index)
    assert entry["fields"]["record_sha256"] == hashlib.sha256(row.record).hexdigest()
    parts = "header controller notice subject evidence match scope validity storage recipients withdrawal operator_ref"
    assert set(parts.split()) | {"witness_ref", "events", "log", "signatures"} <= document.keys()
    assert b"Grace" not in row.record
    assert b"broadcaster" not in row.record
    assert personal["recipients"] == ["A broadcaster"]
    assert document["personal_sha256"] == personal_digest(personal)
    assert granted.evidence_level == "operator"
    with home.rows.read() as connection:
        states = connection.execute(sa.select(store.consent_event.c.state)).scalars().all()
    assert states == ["given"]


def test_erasing_ends_everything_about_a_person(home: Home) -> None:
    """After erasure no name can be read, no consent lives, no new one is recorded, and the ledger still holds."""
    keys = home.session().require_keys()
    who = person(home, "Canary Person")
    granted = record(home, who=who, evidence_sha256=FILE)
    shared = record(home, evidence_sha256="ab" * 32)
    record(home, who=who, evidence_sha256="ab" * 32)
    assert subject.erase_subject(home.rows, home.ledger, who) == [FILE]
    gone = subject.subject(home.rows, keys, who)
    assert (gone.name, bool(gone.erased_at)) == (None, True)
    assert consent.grant(home.rows, home.ledger, granted.id).state() == "withdrawn"
    assert consent.grant(home.rows, home.ledger, shared.id).state() == "live"
    with pytest.raises(SubjectErased):
        record(home, who=who)
    with pytest.raises(Shredded), home.rows.write() as connection:
        seal_for(connection, keys, who, {}, "x")
    subject.erase_subject(home.rows, home.ledger, who)
    home.ledger.verify()
    with pytest.raises(UnknownRecord):
        subject.erase_subject(home.rows, home.ledger, "sub-none")


def test_an_assignment_is_said_by_one_and_confirmed_by_another(home: Home) -> None:
    """Saying it twice confirms nothing; a second account does; another name starts anew."""
    who, other = person(home), person(home)

    def said(by: str, whose: str, number: int = 1):
        return assign_face(home.rows, home.ledger, asset_sha256=SOURCE, number=number, subject_id=whose, by=by)

    for number in (0, -1, 1001):
        with pytest.raises(ScopeUnclear):
            said("acc-a", who, number)
    assert said("acc-a", who).confirmed_by is None
    assert said("acc-a", who).confirmed_by is None
    assert said("acc-b", who).confirmed_by == "acc-b"
    assert said("acc-b", other).confirmed_by is None
    assert assignments(home.ledger, SOURCE)[1].subject_id == other
    assert assignments(home.ledger, TARGET) == {}


def test_every_notice_has_a_version_and_a_digest() -> None:
    """Each likeness has its text in both languages, with one version; they are not the same text."""
    texts = [notice(likeness, language) for likeness in ("face", "voice") for language in LANGUAGES]
    assert len({text.sha256 for text in texts}) == 4
    assert len({text.version for text in texts}) == 1
    assert notice("face", "tlh").language == "en"
    assert all("-->" not in text.text for text in texts)
