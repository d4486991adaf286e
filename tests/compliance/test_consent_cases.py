"""A thousand ways in which a consent does not hold: no permit, and no release with a permit from before."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance import consent, sanctions, store, subject, withdrawal
from compliance.assignment import assign_face
from compliance.clock import stamp
from compliance.consent import FORBIDDEN, PURPOSES, Terms
from compliance.errors import LedgerBroken, NonceInvalid, SignetError
from compliance.evidence import Evidence, new_nonce
from compliance.permit import Claim, LikenessUse, PackUse, Permit
from tests.compliance.home import DAY, SOURCE, TARGET, Home

TODAY = date.today()
Bad = Callable[["Cases", st.DataObject], Claim]


class Cases:
    """A home with one good consent for each picture, and the means to spoil a request."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.account = home.session().account
        self.person = subject.add_subject(home.rows, home.ledger, home.session().require_keys(), "Somebody").id
        self.good = (self.record(SOURCE), self.record(TARGET))
        self.undo: list[Callable[[], None]] = []

    def record(self, asset: str, terms: Terms | None = None, **options) -> str:
        values = {
            "subject_id": self.person,
            "likeness": "face",
            "purposes": ("private",),
            "valid_from": TODAY - DAY,
            "valid_until": TODAY + DAY,
            "recorded_by": self.account.id,
        }
        granted = consent.record_consent(
            self.home.rows, self.home.ledger, asset_sha256=asset, terms=terms, **(values | options)
        )
        return granted.id

    def other(self) -> str:
        """One more person."""
        return subject.add_subject(self.home.rows, self.home.ledger, self.home.session().require_keys(), "Other").id

    def claim(self, *consents: str, **changes) -> Claim:
        return replace(self.home.claim(*(consents or self.good)), **changes)

    def mixed(self, data: st.DataObject, bad: str) -> Claim:
        """The bad grant in the place of the good one for its picture; which picture is left to chance."""
        return self.claim(bad, self.good[1]) if self.asset == SOURCE else self.claim(self.good[0], bad)

    def pick(self, data: st.DataObject) -> str:
        self.asset = data.draw(st.sampled_from((SOURCE, TARGET)))
        return self.asset

    def change(self, table: sa.Table, where: sa.ColumnElement[bool], **values) -> None:
        with self.home.rows.write() as connection:
            connection.execute(sa.update(table).where(where).values(**values))

    def permit(self, claim: Claim) -> Permit:
        """A permit of this very gate, as if given before things went wrong."""
        moment = datetime.now(UTC)
        permit = Permit(
            f"per-{secrets.token_hex(8)}",
            claim.function,
            claim.engine,
            claim.request_sha256,
            self.account.id,
            claim.consents,
            claim.purpose,
            claim.faces_edited,
            stamp(moment - timedelta(seconds=1)),
            stamp(moment + timedelta(minutes=15)),
        )
        return replace(permit, signature=self.home.gate._key.sign(permit.signed_bytes()).hex())


def expired(cases: Cases, data: st.DataObject) -> Claim:
    """It ended."""
    ago = data.draw(st.integers(1, 300))
    asset = cases.pick(data)
    bad = cases.record(asset, valid_from=TODAY - (ago + 5) * DAY, valid_until=TODAY - ago * DAY)
    return cases.mixed(data, bad)


def not_yet(cases: Cases, data: st.DataObject) -> Claim:
    """It has not begun."""
    ahead = data.draw(st.integers(1, 300))
    asset = cases.pick(data)
    return cases.mixed(data, cases.record(asset, valid_from=TODAY + ahead * DAY, valid_until=TODAY + (ahead + 9) * DAY))


def withdrawn(cases: Cases, data: st.DataObject) -> Claim:
    """It was withdrawn."""
    bad = cases.record(cases.pick(data))
    withdrawal.withdraw(cases.home.rows, cases.home.ledger, bad)
    return cases.mixed(data, bad)


def withdrawn_and_the_row_deleted(cases: Cases, data: st.DataObject) -> Claim:
    """Somebody deleted the rows that say so."""
    claim = withdrawn(cases, data)
    with cases.home.rows.write() as connection:
        connection.execute(sa.delete(store.consent_withdrawal))
        connection.execute(sa.delete(store.consent_event))
    return claim


def superseded(cases: Cases, data: st.DataObject) -> Claim:
    """A newer one stands in its place."""
    bad = cases.record(cases.pick(data))
    cases.record(cases.asset, Terms(supersedes=bad), purposes=("research",))
    return cases.mixed(data, bad)


def other_asset(cases: Cases, data: st.DataObject) -> Claim:
    """It means another file."""
    role = data.draw(st.integers(0, 1))
    uses = list(cases.claim().uses)
    uses[role] = replace(uses[role], asset_sha256=data.draw(st.binary(min_size=32, max_size=32)).hex())
    return cases.claim(uses=tuple(uses))


def other_likeness(cases: Cases, data: st.DataObject) -> Claim:
    """It means the voice."""
    return cases.mixed(data, cases.record(cases.pick(data), likeness="voice"))


def other_purpose(cases: Cases, data: st.DataObject) -> Claim:
    """It does not name the purpose."""
    return cases.claim(purpose=data.draw(st.one_of(st.sampled_from(PURPOSES[1:]), st.text(max_size=8))))


def forbidden_use(cases: Cases, data: st.DataObject) -> Claim:
    """It forbids what the result is for."""
    uses = data.draw(st.lists(st.sampled_from(FORBIDDEN), min_size=1, unique=True))
    return cases.claim(declared_uses=tuple(uses))


def other_place(cases: Cases, data: st.DataObject) -> Claim:
    """Another territory or project."""
    bad = cases.record(cases.pick(data), Terms(territories=("CN", "HK"), projects=("winter",)))
    places = data.draw(st.sampled_from([("", ""), ("CN", ""), ("US", "winter"), ("", "winter"), ("CN", "summer")]))
    return replace(cases.mixed(data, bad), territory=places[0], project=places[1])


def outputs_used_up(cases: Cases, data: st.DataObject) -> Claim:
    """All releases were made."""
    limit = data.draw(st.integers(1, 3))
    bad = cases.record(cases.pick(data), Terms(max_outputs=limit))
    told = [("release_intended", {"release": secrets.token_hex(8), "consents": [bad]}) for _ in range(limit)]
    cases.home.ledger.append_many(told)
    return cases.mixed(data, bad)


def nonce_reused(cases: Cases, data: st.DataObject) -> Claim:
    """The phrase of the recording was used before, and the table says it was not."""
    asset = cases.pick(data)
    words = new_nonce(cases.home.rows, subject_id=cases.person, name="Somebody", studio="Studio")
    terms = Terms(evidence=(Evidence("video", "ab" * 32, is_live=True, phrase=words.phrase),))
    first = cases.record(asset, terms)
    withdrawal.withdraw(cases.home.rows, cases.home.ledger, first)
    if data.draw(st.booleans()):
        cases.change(store.nonce, sa.true(), used_at=None)
    with pytest.raises(NonceInvalid):
        cases.record(asset, terms)
    return cases.mixed(data, first)


def edited_record(cases: Cases, data: st.DataObject) -> Claim:
    """A record with one word changed."""
    bad = cases.record(cases.pick(data), evidence_sha256="cd" * 32)
    table = store.consent_grant
    old, new = data.draw(
        st.sampled_from(
            [
                (b'"private"', b'"research","private"'),
                ((TODAY + DAY).isoformat().encode(), (TODAY + 90 * DAY).isoformat().encode()),
                (b"cd" * 32, b"ef" * 32),
                (b'"sexual",', b""),
                (b'"worldwide"', b'"CN"'),
                (b"{", b"["),
            ]
        )
    )
    with cases.home.rows.write() as connection:
        record = connection.execute(sa.select(table.c.record).where(table.c.id == bad)).scalar_one()
        assert old in record
        connection.execute(sa.update(table).where(table.c.id == bad).values(record=record.replace(old, new)))
    return cases.mixed(data, bad)


def record_of_another(cases: Cases, data: st.DataObject) -> Claim:
    """The good record under the id of a withdrawn grant, with the right index."""
    bad = cases.record(cases.pick(data))
    withdrawal.withdraw(cases.home.rows, cases.home.ledger, bad)
    good = cases.record(cases.asset)
    table = store.consent_grant
    with cases.home.rows.write() as connection:
        row = connection.execute(sa.select(table.c.record, table.c.ledger_index).where(table.c.id == good)).one()
        values = {"record": row.record, "ledger_index": row.ledger_index}
        connection.execute(sa.update(table).where(table.c.id == bad).values(**values))
    return cases.mixed(data, bad)


def unapproved_in_a_studio(cases: Cases, data: st.DataObject) -> Claim:
    """Nobody but a forged row has approved the evidence."""
    bad = cases.record(cases.pick(data), evidence_sha256="cd" * 32 if data.draw(st.booleans()) else None)
    cases.change(store.consent_grant, store.consent_grant.c.id == bad, approved_by="acc-forged", evidence_level="live")
    cases.change(store.home, sa.true(), profile=data.draw(st.sampled_from(("studio", "lax"))))
    cases.undo.append(lambda: cases.change(store.home, sa.true(), profile="personal"))
    return cases.mixed(data, bad)


def unassigned_face(cases: Cases, data: st.DataObject) -> Claim:
    """Nobody said whose face it is."""
    found = data.draw(st.integers(2, 6))
    number = data.draw(st.integers(1, found))
    uses = list(cases.claim().uses)
    role = data.draw(st.integers(0, 1))
    uses[role] = replace(uses[role], faces=(number,), faces_found=found)
    return cases.claim(uses=tuple(uses))


def face_of_another(cases: Cases, data: st.DataObject) -> Claim:
    """The face was said to be somebody else's, and the row that says so is gone."""
    number, asset = data.draw(st.integers(1, 9)), data.draw(st.binary(min_size=32, max_size=32)).hex()
    own = cases.record(asset)
    assign_face(
        cases.home.rows,
        cases.home.ledger,
        asset_sha256=asset,
        number=number,
        subject_id=cases.other(),
        by=cases.account.id,
    )
    with cases.home.rows.write() as connection:
        connection.execute(sa.delete(store.assignment))
    use = LikenessUse("target", "face", asset, (number,), data.draw(st.integers(1, 9)))
    return cases.claim(cases.good[0], own, uses=(cases.claim().uses[0], use))


def too_many_faces(cases: Cases, data: st.DataObject) -> Claim:
    """More faces than persons."""
    return cases.claim(faces_edited=data.draw(st.integers(2, 50)))


def erased_person(cases: Cases, data: st.DataObject) -> Claim:
    """The person was erased, and the rows that say so were changed."""
    somebody = cases.other()
    bad = cases.record(cases.pick(data), subject_id=somebody)
    subject.erase_subject(cases.home.rows, cases.home.ledger, somebody)
    if data.draw(st.booleans()):
        cases.change(store.subject, store.subject.c.id == somebody, erased_at=None)
        with cases.home.rows.write() as connection:
            connection.execute(sa.delete(store.consent_withdrawal))
    return cases.mixed(data, bad)


def refused_evidence(cases: Cases, data: st.DataObject) -> Claim:
    """A second person refused the evidence."""
    bad = cases.record(cases.pick(data), evidence_sha256="cd" * 32)
    withdrawal.refuse_evidence(cases.home.rows, cases.home.ledger, bad, "acc-second")
    return cases.mixed(data, bad)


def sanctioned_account(cases: Cases, data: st.DataObject) -> Claim:
    """The account is suspended or closed by a sanction."""
    term = data.draw(
        st.sampled_from(
            [
                sanctions.Term(sanctions.Measure.CLOSE, sanctions.Reason.NO_CONSENT),
                sanctions.Term(
                    sanctions.Measure.SUSPEND, sanctions.Reason.OTHER, datetime.now(UTC) + timedelta(days=9)
                ),
            ]
        )
    )
    home = cases.home
    with home.rows.write() as connection:
        sanctions.impose(
            connection, home.ledger, account_id=cases.account.id, term=term, by="acc-judge", case_id="cas-1"
        )

    def lift() -> None:
        with home.rows.write() as connection:
            sanctions.lift(connection, home.ledger, case_id="cas-1", by="acc-judge")

    cases.undo.append(lift)
    return cases.claim()


def closed_account(cases: Cases, data: st.DataObject) -> Claim:
    """The account is not active."""
    cases.change(store.account, sa.true(), state=data.draw(st.sampled_from(("closed", "suspended", ""))))
    cases.undo.append(lambda: cases.change(store.account, sa.true(), state="active"))
    return cases.claim()


def unlicensed_pack(cases: Cases, data: st.DataObject) -> Claim:
    """The licence of a pack forbids it."""
    licence = data.draw(st.sampled_from(("research-only", "unknown", "", "OPEN")))
    return cases.claim(packs=(PackUse("p", "00", licence),))


def no_such_consent(cases: Cases, data: st.DataObject) -> Claim:
    """Invented ids, or not enough of them."""
    named = data.draw(st.lists(st.one_of(st.text(max_size=14), st.sampled_from(cases.good[:1])), max_size=4))
    return cases.claim(consents=tuple(named))


BAD: list[Bad] = [
    expired,
    not_yet,
    withdrawn,
    withdrawn_and_the_row_deleted,
    superseded,
    other_asset,
    other_likeness,
    other_purpose,
    forbidden_use,
    other_place,
    outputs_used_up,
    nonce_reused,
    edited_record,
    record_of_another,
    unapproved_in_a_studio,
    unassigned_face,
    face_of_another,
    too_many_faces,
    erased_person,
    refused_evidence,
    sanctioned_account,
    closed_account,
    unlicensed_pack,
    no_such_consent,
]


@pytest.fixture
def cases(home: Home) -> Cases:
    """A home to spoil."""
    return Cases(home)


def refused(cases: Cases, claim: Claim) -> None:
    """Neither a permit nor a release, whatever permit is brought."""
    with pytest.raises(SignetError):
        cases.home.gate.authorize(claim, cases.account)
    with pytest.raises(SignetError):
        cases.home.gate.verify_for_release(cases.permit(claim), claim, cases.account)


def explained(cases: Cases, claim: Claim) -> None:
    """The explanation names a rule that says no; a record that was changed makes the store itself unreadable."""
    try:
        results = cases.home.gate.explain(claim, cases.account)
    except LedgerBroken:
        return
    assert [result.number for result in results] == list(range(1, len(results) + 1))
    assert any(not result.ok and result.reason for result in results)


@settings(
    max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(kind=st.sampled_from(BAD), data=st.data())
def test_no_bad_consent_opens_the_gate(cases: Cases, kind: Bad, data: st.DataObject) -> None:
    """A thousand generated bad cases: 0 permits, 0 releases."""
    try:
        refused(cases, kind(cases, data))
    finally:
        while cases.undo:
            cases.undo.pop()()


@pytest.mark.parametrize("kind", BAD, ids=lambda kind: kind.__name__)
def test_each_kind_of_badness_is_tried(cases: Cases, kind: Bad) -> None:
    """Every kind at least once, and the same home lets the good request through before and after."""
    cases.home.gate.authorize(cases.claim(), cases.account)

    @settings(max_examples=2, suppress_health_check=list(HealthCheck), database=None)
    @given(data=st.data())
    def twice(data: st.DataObject) -> None:
        try:
            claim = kind(cases, data)
            refused(cases, claim)
            explained(cases, claim)
        finally:
            while cases.undo:
                cases.undo.pop()()

    twice()
    permit = cases.home.gate.authorize(cases.claim(), cases.account)
    cases.home.gate.verify_for_release(permit, cases.claim(), cases.account)


def test_an_account_without_a_role_is_refused(cases: Cases) -> None:
    """Taking the roles away closes the gate at once."""
    with cases.home.rows.write() as connection:
        connection.execute(sa.delete(store.account_role))
    refused(cases, cases.claim())
