"""The gate: what it refuses first, then what it lets through."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance import consent, store
from compliance.consent import PURPOSES
from compliance.errors import (
    ConsentDates,
    ConsentError,
    ConsentExpired,
    ConsentForOtherPicture,
    ConsentMissing,
    ConsentNotYetValid,
    ConsentPurpose,
    ConsentTooNarrow,
    ConsentWithdrawn,
    ContentBlocked,
    DemoHomeOnly,
    ExitCode,
    LedgerBroken,
    NotVerified,
    PermitInvalid,
    PurposeUnknown,
    ReviewUnavailable,
    StepUpNeeded,
)
from compliance.gate import RULES
from compliance.permit import Claim
from tests.compliance.home import DAY, SOURCE, TARGET, Home, HonestDrafter, noise

TODAY = date.today()
OTHER = "ab" * 32


def authorize(home: Home, *consents: str, **options):
    """Ask the gate as the operator who is signed in."""
    return home.gate.authorize(home.claim(*consents, **options), home.session().account)


def test_no_consent_at_all_is_refused(home: Home) -> None:
    """Without any named grant nothing is authorised, with the exit code of consent."""
    with pytest.raises(ConsentMissing) as refusal:
        authorize(home)
    assert refusal.value.code == ExitCode.CONSENT
    assert home.events()[-1] == "permit_refused"


def test_a_purpose_that_no_grant_can_name_is_refused(home: Home) -> None:
    """Also where nobody is shown, so that no grant is asked: the purpose stands in the ledger for good."""
    nobody = replace(home.claim(), uses=(), purpose="whatever")
    with pytest.raises(PurposeUnknown) as refusal:
        home.gate.authorize(nobody, home.session().account)
    assert refusal.value.code == ExitCode.USAGE
    home.gate.authorize(replace(nobody, purpose="private"), home.session().account)


def test_each_person_needs_a_grant(home: Home) -> None:
    """The lent face and the edited face both need a grant; one of them is not enough, whichever it is."""
    for asset in (SOURCE, TARGET):
        with pytest.raises(ConsentMissing):
            authorize(home, home.grant(asset))


REFUSED = [
    ("expired yesterday", {"until": TODAY - DAY, "since": TODAY - 9 * DAY}, ConsentExpired),
    ("starts tomorrow", {"since": TODAY + DAY, "until": TODAY + 9 * DAY}, ConsentNotYetValid),
    ("another purpose", {"purposes": ("film", "research")}, ConsentPurpose),
    ("a voice, not a face", {"likeness": "voice"}, ConsentMissing),
]


@pytest.mark.parametrize(("options", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_grant_that_does_not_fit_is_refused(home: Home, options: dict, error: type[ConsentError]) -> None:
    """Each way in which a grant may fail to cover the request has its own refusal."""
    with pytest.raises((error, ConsentForOtherPicture)) as refusal:
        authorize(home, home.grant(SOURCE, **options), home.grant(TARGET))
    assert refusal.value.code == ExitCode.CONSENT


def test_consent_for_another_picture_or_person_is_refused(home: Home) -> None:
    """A live grant of somebody else, or for a file that has changed since, opens nothing."""
    with pytest.raises(ConsentForOtherPicture):
        authorize(home, home.grant(OTHER), home.grant(TARGET))


def test_withdrawn_consent_is_refused_at_once(home: Home) -> None:
    """After a withdrawal the very next request is refused."""
    source, target = home.grant(SOURCE), home.grant(TARGET)
    authorize(home, source, target)
    consent.withdraw_consent(home.rows, home.ledger, source)
    with pytest.raises(ConsentWithdrawn):
        authorize(home, source, target)
    with pytest.raises(ConsentWithdrawn):
        consent.withdraw_consent(home.rows, home.ledger, source)


def test_an_invented_consent_is_refused(home: Home) -> None:
    """A consent id that the store does not hold is refused with the exit code of consent."""
    with pytest.raises(ConsentMissing) as refusal:
        authorize(home, "con-0000000000", home.grant(TARGET))
    assert refusal.value.code == ExitCode.CONSENT


def test_more_faces_than_persons_are_refused(home: Home) -> None:
    """Two faces of the target cannot be edited on the consent of one person, nor on two consents of the same one."""
    source, target = home.grant(SOURCE), home.grant(TARGET)
    with pytest.raises(ConsentTooNarrow):
        authorize(home, source, target, faces=2)
    permit = authorize(home, source, target, home.grant(TARGET), faces=2)
    assert permit.faces_edited == 2


def test_an_account_without_proof_is_refused(home: Home) -> None:
    """No proof of identity, no permit; an expired proof counts as none."""
    consents = home.grant(SOURCE), home.grant(TARGET)
    with home.rows.write() as connection:
        connection.execute(sa.update(store.identity_proof).values(expires_at="2020-01-01T00:00:00Z"))
    with pytest.raises(NotVerified) as refusal:
        authorize(home, *consents)
    assert refusal.value.code == ExitCode.ACCOUNT


def test_the_demo_home_knows_two_pictures_only(tmp_path: Path) -> None:
    """In a demo home even a recorded consent opens no other picture."""
    demo = Home.furnished(tmp_path / "demo", "demo")
    with pytest.raises(DemoHomeOnly):
        authorize(demo, demo.grant(SOURCE), demo.grant(TARGET))
    demo.rows.close()


def test_an_edited_consent_row_is_found(home: Home) -> None:
    """Whoever edits a consent in the database gets LedgerBroken: the record's digest stands in the ledger."""
    grant = home.grant(SOURCE, until=TODAY - DAY, since=TODAY - 9 * DAY)
    table = store.consent_grant
    with home.rows.write() as connection:
        connection.execute(
            sa.update(table).where(table.c.id == grant).values(valid_until=(TODAY + 300 * DAY).isoformat())
        )
    with pytest.raises(ConsentExpired):  # the columns are only an index; the sealed record counts
        authorize(home, grant, home.grant(TARGET))
    with home.rows.write() as connection:
        record = connection.execute(sa.select(table.c.record).where(table.c.id == grant)).scalar_one()
        changed = record.replace((TODAY - DAY).isoformat().encode(), (TODAY + DAY).isoformat().encode())
        assert changed != record
        connection.execute(sa.update(table).where(table.c.id == grant).values(record=changed))
    with pytest.raises(LedgerBroken):
        authorize(home, grant, home.grant(TARGET))


@pytest.mark.parametrize(
    ("since", "until"),
    [(TODAY, TODAY - DAY), (TODAY, TODAY + timedelta(days=367)), (TODAY, TODAY + timedelta(days=4000))],
)
def test_impossible_dates_are_refused(home: Home, since: date, until: date) -> None:
    """A consent cannot end before it starts nor last longer than twelve months."""
    with pytest.raises(ConsentDates):
        home.grant(SOURCE, since=since, until=until)


def test_unknown_or_missing_purposes_are_refused(home: Home) -> None:
    """Purposes come from the closed list; none is not a purpose."""
    for purposes in ((), ("anything",), ("private", "endorsement")):
        with pytest.raises(PurposeUnknown):
            home.grant(SOURCE, purposes=purposes)


def test_permits_are_bound_signed_and_short(home: Home) -> None:
    """A permit is worthless for another request, with any field changed, from another gate, or after its time."""
    claim = home.claim(home.grant(SOURCE), home.grant(TARGET))
    permit = home.gate.authorize(claim, home.session().account)
    key = home.gate.public_key
    permit.verify(key, claim.request_sha256)
    changed = [
        replace(permit, faces_edited=9),
        replace(permit, account="acc-other"),
        replace(permit, expires_at="2099-01-01T00:00:00Z"),
        replace(permit, signature="00" * 64),
        replace(permit, signature="not hex"),
    ]
    for forged in changed:
        with pytest.raises(PermitInvalid):
            forged.verify(key, claim.request_sha256)
    with pytest.raises(PermitInvalid):
        permit.verify(key, "0" * 64)
    with pytest.raises(PermitInvalid):
        permit.verify(key, claim.request_sha256, datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(PermitInvalid):
        permit.verify(Home.open(home.folder).gate.public_key, claim.request_sha256)


def test_the_ledger_tells_of_the_decision_without_names(home: Home) -> None:
    """Both answers of the gate are entered, with pseudonyms alone."""
    source, target = home.grant(SOURCE), home.grant(TARGET)
    authorize(home, source, target)
    entry = home.ledger.entries()[-1]
    assert entry["kind"] == "permit_granted"
    assert entry["fields"]["consents"] == [source, target]
    assert "Somebody" not in str(home.ledger.entries())
    assert "Maria Example" not in str(home.ledger.entries())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    assets=st.lists(st.sampled_from((SOURCE, TARGET, OTHER)), max_size=3),
    starts=st.integers(-20, 5),
    lasts=st.integers(0, 12),
    purposes=st.sets(st.sampled_from(PURPOSES), min_size=1),
    withdrawn=st.booleans(),
    faces=st.integers(1, 3),
)
def test_only_complete_live_consent_opens_the_gate(
    home: Home, assets: list[str], starts: int, lasts: int, purposes: set[str], withdrawn: bool, faces: int
) -> None:
    """For random sets of grants the gate says yes exactly when every rule of the law's reading is met."""
    since = TODAY + starts * DAY
    grants = [
        home.grant(asset, since=since, until=since + lasts * DAY, purposes=tuple(sorted(purposes))) for asset in assets
    ]
    if withdrawn and grants:
        consent.withdraw_consent(home.rows, home.ledger, grants[0])
    is_live = since <= TODAY <= since + lasts * DAY and not (withdrawn and grants)
    persons = assets.count(TARGET)
    allowed = is_live and SOURCE in assets and persons >= faces and "private" in purposes
    if allowed:
        authorize(home, *grants, faces=faces)
    else:
        with pytest.raises(ConsentError):
            authorize(home, *grants, faces=faces)


def test_a_withdrawal_in_the_middle_of_a_release_leaves_no_file(home: Home, tmp_path: Path) -> None:
    """The consent ends while the labelled draft is being written: nothing gets a name, and nothing is left."""
    source, target = home.grant(SOURCE), home.grant(TARGET)

    class Meanwhile(HonestDrafter):
        def write(self, descriptor: int) -> None:
            super().write(descriptor)
            consent.withdraw_consent(home.rows, home.ledger, target)

    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(ConsentWithdrawn):
        home.release(home.claim(source, target), out / "x.png", Meanwhile(noise()))
    assert list(out.iterdir()) == []
    assert home.events()[-1] == "release_rolled_back"
    assert home.releaser.releases() == []


def test_the_release_asks_for_a_fresh_password_where_the_profile_says_so(home: Home) -> None:
    """A permit to make is not a permit to release: for that the password must have been given lately."""
    claim = home.claim(home.grant(SOURCE), home.grant(TARGET))
    home.gate.is_stepped_up = lambda _account: False
    permit = home.gate.authorize(claim, home.session().account)
    with pytest.raises(StepUpNeeded):
        home.gate.verify_for_release(permit, claim, home.session().account)


def test_what_the_review_refuses_is_refused(home: Home) -> None:
    """The decision about the content is one of the rules; its own error comes out."""

    def review(_claim: Claim) -> None:
        raise ContentBlocked(rule="r1", category="test", place="prompt")

    home.gate.content = review
    with pytest.raises(ContentBlocked):
        authorize(home, home.grant(SOURCE), home.grant(TARGET))


def test_a_gate_without_a_review_says_no(home: Home) -> None:
    """Nothing passes because nobody looked."""
    home.gate.content = None
    with pytest.raises(ReviewUnavailable):
        authorize(home, home.grant(SOURCE), home.grant(TARGET))


def test_the_rules_are_numbered_in_their_order() -> None:
    """The number in each docstring is the place in the list."""
    assert [int((rule.__doc__ or "").split(".")[0]) for rule in RULES] == list(range(1, len(RULES) + 1))
    assert all(rule.__name__.startswith("verify_") for rule in RULES)
