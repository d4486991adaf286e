"""Cases: nobody decides on their own work, an appeal goes to somebody else, complaints are strangers' files."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from compliance import case_report, complaint, sanctions, store
from compliance.cases import CaseBook, CaseKind, CaseState, due_after
from compliance.complaint import complaint_file, import_complaint, read_complaint
from compliance.errors import (
    AccountSanctioned,
    CaseStateWrong,
    ComplaintInvalid,
    ComplaintKnown,
    FileMissing,
    NotConcerned,
    OwnWork,
    ProofInvalid,
    RoleMissing,
    SameReviewer,
    SanctionUnclear,
    SignetError,
    StatementInvalid,
    UnknownRecord,
)
from compliance.roles import Role
from compliance.sanctions import Measure, Reason, Term, verify_not_sanctioned
from tests.compliance.home import Home
from tests.compliance.people import add_person, add_release

CANARY = "张伟 has a telephone"
NOW = datetime.now(UTC)
WEEK = Term(Measure.SUSPEND, Reason.NO_CONSENT, NOW + timedelta(days=7))


class Desk:
    """A home with a creator, two reviewers, an auditor and a case book."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.book = CaseBook(home.rows, home.ledger)
        self.keys = home.session().require_keys()
        self.maria = home.session().account
        self.ben = add_person(home, "ben", Role.CREATOR)
        self.rita = add_person(home, "rita", Role.REVIEWER)
        self.rolf = add_person(home, "rolf", Role.REVIEWER)
        self.otto = add_person(home, "otto", Role.AUDITOR)

    def hit(self) -> str:
        """A hit of the review in ben's work."""
        made = self.book.open_case(
            CaseKind.REVIEW, by=self.ben, keys=self.keys, rule="list/3@1", account_id=self.ben.id
        )
        return made.id

    def decided(self, upheld: bool = True, term: Term | None = WEEK) -> str:
        """A case of ben that rita has decided."""
        case = self.hit()
        self.book.decide(case, by=self.rita, keys=self.keys, upheld=upheld, text=CANARY, term=term)
        return case


@pytest.fixture
def desk(home: Home) -> Desk:
    """The people of a studio around one case book."""
    return Desk(home)


# --- refusals --------------------------------------------------------------------------------------------------------

Refused = Callable[[Desk], Any]
DECIDE: dict[str, Any] = {"upheld": True, "text": "because"}


def _own_appeal(desk: Desk) -> Any:
    both = add_person(desk.home, "bo", Role.CREATOR, Role.REVIEWER)
    case = desk.book.open_case(CaseKind.REVIEW, by=both, keys=desk.keys, account_id=both.id)
    desk.book.decide(case.id, by=desk.rita, keys=desk.keys, upheld=True, text="because")
    appeal = desk.book.appeal(case.id, by=both, keys=desk.keys, text="no")
    return desk.book.decide(appeal.id, by=both, keys=desk.keys, **DECIDE)


def _same_reviewer(desk: Desk) -> Any:
    appeal = desk.book.appeal(desk.decided(), by=desk.ben, keys=desk.keys, text="no")
    return desk.book.decide(appeal.id, by=desk.rita, keys=desk.keys, **DECIDE)


def _same_reviewer_assigned(desk: Desk) -> Any:
    appeal = desk.book.appeal(desk.decided(), by=desk.ben, keys=desk.keys, text="no")
    return desk.book.assign(appeal.id, by=desk.rolf, reviewer=desk.rita)


def _reviewer_about_self(desk: Desk) -> Any:
    case = desk.book.open_case(CaseKind.REVIEW, by=desk.ben, keys=desk.keys, account_id=desk.rita.id)
    return desk.book.decide(case.id, by=desk.rita, keys=desk.keys, **DECIDE)


def _opener_decides(desk: Desk) -> Any:
    case = desk.book.open_case(CaseKind.REVIEW, by=desk.rita, keys=desk.keys, account_id=desk.ben.id)
    return desk.book.decide(case.id, by=desk.rita, keys=desk.keys, **DECIDE)


def _own_release(desk: Desk) -> Any:
    release = add_release(desk.home, desk.rita)
    case = desk.book.open_case(CaseKind.REFUTATION, by=desk.ben, keys=desk.keys, release_id=release)
    return desk.book.decide(case.id, by=desk.rita, keys=desk.keys, **DECIDE)


def _assigned_elsewhere(desk: Desk) -> Any:
    case = desk.hit()
    desk.book.assign(case, by=desk.rita, reviewer=desk.rolf)
    return desk.book.decide(case, by=desk.rita, keys=desk.keys, **DECIDE)


def _appeal_twice(desk: Desk) -> Any:
    case = desk.decided()
    desk.book.appeal(case, by=desk.ben, keys=desk.keys, text="no")
    return desk.book.appeal(case, by=desk.ben, keys=desk.keys, text="no")


def _appeal_of_appeal(desk: Desk) -> Any:
    appeal = desk.book.appeal(desk.decided(), by=desk.ben, keys=desk.keys, text="no")
    desk.book.decide(appeal.id, by=desk.rolf, keys=desk.keys, upheld=False, text="stands")
    return desk.book.appeal(appeal.id, by=desk.ben, keys=desk.keys, text="no")


def _decide(desk: Desk, case: str, **more: Any) -> Any:
    return desk.book.decide(case, by=desk.rita, keys=desk.keys, **{**DECIDE, **more})


REFUSED: list[tuple[str, type[SignetError], Refused]] = [
    ("own appeal", OwnWork, _own_appeal),
    ("appeal to the same reviewer", SameReviewer, _same_reviewer),
    ("appeal assigned to the same reviewer", SameReviewer, _same_reviewer_assigned),
    ("a reviewer about themselves", OwnWork, _reviewer_about_self),
    ("a reviewer's own case", OwnWork, _opener_decides),
    ("a reviewer's own release", OwnWork, _own_release),
    ("assigned to another", CaseStateWrong, _assigned_elsewhere),
    ("second appeal", CaseStateWrong, _appeal_twice),
    ("appeal of an appeal", CaseStateWrong, _appeal_of_appeal),
    ("appeal of another's case", NotConcerned, lambda d: d.book.appeal(d.decided(), by=d.maria, keys=d.keys, text="x")),
    ("an auditor opens", RoleMissing, lambda d: d.book.open_case(CaseKind.REVIEW, by=d.otto, keys=d.keys)),
    ("a creator decides", RoleMissing, lambda d: d.book.decide(d.hit(), by=d.maria, keys=d.keys, **DECIDE)),
    ("an admin assigns", RoleMissing, lambda d: d.book.assign(d.hit(), by=d.maria, reviewer=d.rita)),
    ("assigned to no reviewer", RoleMissing, lambda d: d.book.assign(d.hit(), by=d.rita, reviewer=d.maria)),
    ("decided twice", CaseStateWrong, lambda d: _decide(d, d.decided())),
    ("no such case", UnknownRecord, lambda d: _decide(d, "cas-0")),
    (
        "no such account",
        UnknownRecord,
        lambda d: d.book.open_case(CaseKind.REVIEW, by=d.ben, keys=d.keys, account_id="x"),
    ),
    (
        "no such release",
        UnknownRecord,
        lambda d: d.book.open_case(CaseKind.REVIEW, by=d.ben, keys=d.keys, release_id="x"),
    ),
    ("a rule in prose", UnknownRecord, lambda d: d.book.open_case(CaseKind.REVIEW, by=d.ben, keys=d.keys, rule="a\nb")),
    ("empty reasons", StatementInvalid, lambda d: _decide(d, d.hit(), text=" \n")),
    ("endless reasons", StatementInvalid, lambda d: _decide(d, d.hit(), text="x" * 8001)),
    ("reasons with a bell", StatementInvalid, lambda d: _decide(d, d.hit(), text="a\x07b")),
    ("a measure without a violation", SanctionUnclear, lambda d: _decide(d, d.hit(), upheld=False, term=WEEK)),
    ("no end", SanctionUnclear, lambda d: _decide(d, d.hit(), term=Term(Measure.SUSPEND, Reason.OTHER))),
    (
        "an end in the past",
        SanctionUnclear,
        lambda d: _decide(d, d.hit(), term=Term(Measure.SUSPEND, Reason.OTHER, NOW)),
    ),
    (
        "a limit without a number",
        SanctionUnclear,
        lambda d: _decide(d, d.hit(), term=Term(Measure.LIMIT, Reason.OTHER, WEEK.until)),
    ),
    (
        "a warning with an end",
        SanctionUnclear,
        lambda d: _decide(d, d.hit(), term=Term(Measure.WARN, Reason.OTHER, WEEK.until)),
    ),
]


@pytest.mark.parametrize(("refusal", "act"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_not_right_is_refused(desk: Desk, refusal: type[SignetError], act: Refused) -> None:
    """Each refusal has its error, and nobody is sanctioned by it."""
    before = len(sanctions.sanctions(desk.home.ledger))
    with pytest.raises(refusal):
        act(desk)
    # What the preparation of a row imposed is the suspension of the decided case alone.
    assert len(sanctions.sanctions(desk.home.ledger)) - before <= 1
    desk.home.ledger.verify()


def test_a_refused_decision_leaves_nothing(desk: Desk) -> None:
    """A measure that cannot be imposed takes the whole decision back: case, events, ledger."""
    case = desk.hit()
    before, size = desk.book.case(case, desk.keys), desk.home.ledger.size()
    with pytest.raises(SanctionUnclear):
        _decide(desk, case, term=Term(Measure.SUSPEND, Reason.OTHER))
    assert desk.book.case(case, desk.keys) == before
    assert desk.home.ledger.size() == size


# --- the way of a case -----------------------------------------------------------------------------------------------


def test_a_case_from_hit_to_lifted_suspension(desk: Desk) -> None:
    """A suspension bars the account, an upheld appeal to another reviewer lifts it, every step is in the ledger."""
    case = desk.decided()
    with pytest.raises(AccountSanctioned) as caught:
        verify_not_sanctioned(desk.home.ledger, desk.ben)
    assert (caught.value.data["measure"], caught.value.data["reason"]) == ("suspend", "no consent")
    assert caught.value.data["case"] == case
    verify_not_sanctioned(desk.home.ledger, desk.maria)
    appeal = desk.book.appeal(case, by=desk.ben, keys=desk.keys, text="I had consent")
    assert appeal.parent == case
    assert desk.book.case(case).state is CaseState.APPEALED
    desk.book.assign(appeal.id, by=desk.rolf, reviewer=desk.rolf)
    desk.book.decide(appeal.id, by=desk.rolf, keys=desk.keys, upheld=True, text="shown")
    verify_not_sanctioned(desk.home.ledger, desk.ben)
    assert desk.book.case(case).state is CaseState.CLOSED
    kinds = [kind for kind in desk.home.events() if kind.startswith(("case_", "sanction_"))]
    assert kinds == [
        "case_opened",
        "sanction_imposed",
        "case_decided",
        "case_opened",
        "case_appealed",
        "case_assigned",
        "case_decided",
        "sanction_lifted",
        "case_closed",
    ]


def test_an_appeal_that_fails_leaves_the_measure(desk: Desk) -> None:
    """Dismissed means: the first decision stands."""
    case = desk.decided()
    appeal = desk.book.appeal(case, by=desk.ben, keys=desk.keys, text="no")
    desk.book.decide(appeal.id, by=desk.rolf, keys=desk.keys, upheld=False, text="stands")
    with pytest.raises(AccountSanctioned):
        verify_not_sanctioned(desk.home.ledger, desk.ben)


def test_a_hit_nobody_has_looked_at_can_be_appealed(desk: Desk) -> None:
    """The machine decided first; a reviewer answers."""
    appeal = desk.book.appeal(desk.hit(), by=desk.ben, keys=desk.keys, text="a false alarm")
    made = desk.book.decide(appeal.id, by=desk.rita, keys=desk.keys, upheld=True, text="so it is")
    assert made.decision == "upheld"


@pytest.mark.parametrize(
    ("term", "bars"),
    [
        (Term(Measure.WARN, Reason.OTHER), False),
        (Term(Measure.LIMIT, Reason.OTHER, WEEK.until, 2), False),
        (Term(Measure.LIMIT, Reason.OTHER, WEEK.until, 1), True),
        (Term(Measure.LIMIT, Reason.OTHER, WEEK.until, 0), True),
        (WEEK, True),
        (Term(Measure.CLOSE, Reason.OTHER), True),
    ],
    ids=["warn", "limit of two", "limit of one", "limit of none", "suspend", "close"],
)
def test_what_a_measure_does(desk: Desk, term: Term, bars: bool) -> None:
    """With one release today: a warning bars nothing, a limit what goes beyond it, a suspension and a closure all."""
    add_release(desk.home, desk.ben)
    desk.decided(term=term)
    if bars:
        with pytest.raises(AccountSanctioned):
            verify_not_sanctioned(desk.home.ledger, desk.ben)
    else:
        verify_not_sanctioned(desk.home.ledger, desk.ben)


@pytest.mark.parametrize(
    "edit",
    [
        "DELETE FROM sanction",
        "UPDATE sanction SET ends_at = '2020-01-01T00:00:00Z'",
        "UPDATE sanction SET measure = 'warn'",
    ],
)
def test_the_database_lifts_no_sanction(desk: Desk, edit: str) -> None:
    """What was entered in the ledger counts, and an appeal still ends it."""
    case = desk.decided()
    with desk.home.rows.write() as connection:
        connection.execute(sa.text(edit))
    with pytest.raises(AccountSanctioned):
        verify_not_sanctioned(desk.home.ledger, desk.ben)
    appeal = desk.book.appeal(case, by=desk.ben, keys=desk.keys, text="no")
    desk.book.decide(appeal.id, by=desk.rolf, keys=desk.keys, upheld=True, text="lifted")
    verify_not_sanctioned(desk.home.ledger, desk.ben)


def test_a_limit_counts_releases_whose_rows_are_gone(desk: Desk) -> None:
    """Two a day, one made: after its row is deleted it still counts."""
    add_release(desk.home, desk.ben)
    desk.decided(term=Term(Measure.LIMIT, Reason.OTHER, WEEK.until, 1))
    with desk.home.rows.write() as connection:
        connection.execute(sa.text("DELETE FROM release"))
    with pytest.raises(AccountSanctioned):
        verify_not_sanctioned(desk.home.ledger, desk.ben)


def test_a_term_ends(desk: Desk) -> None:
    """A suspension ends by its day, a closure never, and a clock set back frees nobody."""
    desk.decided()
    verify_not_sanctioned(desk.home.ledger, desk.ben, NOW + timedelta(days=8))
    with pytest.raises(AccountSanctioned):
        verify_not_sanctioned(desk.home.ledger, desk.ben, NOW - timedelta(days=400))


def test_texts_are_sealed(desk: Desk, tmp_path: Path) -> None:
    """What people write stands in no file of the home and no entry; with keys it is read again."""
    case = desk.decided()
    assert [said.text for said in desk.book.case(case, desk.keys).statements or ()] == [CANARY]
    assert desk.book.case(case).statements is None
    held = b"".join(path.read_bytes() for path in desk.home.folder.rglob("*") if path.is_file())
    assert CANARY.encode() not in held
    assert "张伟".encode() not in held
    assert "ben" not in json.dumps(desk.home.ledger.entries())


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        ("2026-11-23", "2026-11-26"),
        ("2026-11-26", "2026-12-01"),
        ("2026-11-27", "2026-12-02"),
        ("2026-11-28", "2026-12-02"),
    ],
    ids=["Monday", "Thursday", "Friday", "Saturday"],
)
def test_three_working_days(opened: str, due: str) -> None:
    """The day itself does not count, Saturday and Sunday neither; the last day counts whole."""
    moment = datetime.combine(date.fromisoformat(opened), datetime.min.time()).astimezone() + timedelta(hours=10)
    assert due_after(moment, 3).date() == date.fromisoformat(due)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)), st.integers(1, 10))
def test_due_days_are_working_days(opened: datetime, days: int) -> None:
    """An answer is due on a working day, after exactly that many working days."""
    start = opened.astimezone()
    due = due_after(start, days)
    assert due.weekday() < 5
    between = [start.date() + timedelta(days=n) for n in range(1, (due.date() - start.date()).days + 1)]
    assert sum(day.weekday() < 5 for day in between) == days


def test_late_answers_are_listed(desk: Desk) -> None:
    """An undecided case is overdue after its day, a decided one never."""
    late, decided = desk.hit(), desk.decided()
    assert desk.book.overdue() == []
    found = [case.id for case in desk.book.overdue(NOW + timedelta(days=8))]
    assert found == [late]
    assert decided not in found


# --- complaints ------------------------------------------------------------------------------------------------------

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def signed(**changes: Any) -> bytes:
    """A good signed complaint, with fields changed afterwards."""
    content = json.loads(complaint_file(category="my likeness", statement=CANARY, key=KEY))
    content.update(changes)
    return json.dumps({name: value for name, value in content.items() if value is not None}).encode()


GOOD = signed()
HOSTILE: list[tuple[str, bytes]] = [
    ("empty", b""),
    ("not JSON", b"{"),
    ("not UTF-8", b"\xff\xfe{}"),
    ("a list", b"[]"),
    ("a number", b"7"),
    ("deep", b"[" * 40_000),
    ("large", b" " * complaint.LARGEST_BYTES + GOOD),
    ("a name twice", GOOD.replace(b'"contact"', b'"category": "other", "contact"')),
    ("not a number", GOOD.replace(b'"contact": ""', b'"contact": NaN')),
    ("other format", signed(format="org.signet.complaint/2")),
    ("no format", signed(format=None)),
    ("unknown field", signed(more="x")),
    ("missing field", signed(nonce=None)),
    ("key without signature", signed(signature=None)),
    ("signature without key", signed(key=None)),
    ("changed statement", signed(statement="somebody else")),
    ("changed release", signed(release="0" * 16)),
    ("changed time", signed(made_at="2020-01-01T00:00:00Z")),
    (
        "another key",
        signed(key=base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()),
    ),
    ("signature of nothing", signed(signature=base64.b64encode(bytes(64)).decode())),
    ("no base64", signed(signature="!!!")),
    ("short key", signed(key="AAAA")),
    ("a path for a release", signed(release="../../etc")),
    ("no day", signed(made_at="2026-02-31T00:00:00Z")),
    ("a list for a text", signed(contact=[])),
    ("control signs in the contact", signed(contact="a\x1b[2J")),
    ("long contact", signed(contact="x" * 201)),
    ("unknown category", signed(category="everything")),
    ("empty statement", signed(statement="  ")),
    ("long statement", signed(statement="x" * 8001)),
    ("half a character", GOOD.replace(b'"contact": ""', b'"contact": "\\ud800"')),
    ("unsigned without contact", signed(key=None, signature=None)),
]


@pytest.mark.parametrize("data", [row[1] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_hostile_complaints_are_refused(desk: Desk, tmp_path: Path, data: bytes) -> None:
    """A file that is not exactly a complaint makes no case and no entry."""
    path = tmp_path / "complaint.json"
    path.write_bytes(data)
    size = desk.home.ledger.size()
    with pytest.raises(ComplaintInvalid):
        import_complaint(desk.home.rows, desk.home.ledger, desk.keys, desk.ben, path)
    assert (desk.book.cases(), desk.home.ledger.size()) == ([], size)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    """Anything is either a complaint or refused."""
    with pytest.raises(ComplaintInvalid):
        read_complaint(Path("x"), data)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 7))
def test_every_flipped_bit_is_found(place: int, bit: int) -> None:
    """A signed complaint says the same or nothing: no flipped bit gives another complaint."""
    data = GOOD[:place] + bytes([GOOD[place] ^ 1 << bit]) + GOOD[place + 1 :]
    try:
        found = read_complaint(Path("x"), data)
    except ComplaintInvalid:
        return
    sound = read_complaint(Path("x"), GOOD)
    assert (found.statement, found.release, found.is_signed) == (sound.statement, sound.release, True)


def test_a_folder_or_nothing_is_no_complaint(desk: Desk, tmp_path: Path) -> None:
    """What is no file is told as that."""
    for path, error in ((tmp_path, ComplaintInvalid), (tmp_path / "none", FileMissing)):
        with pytest.raises(error):
            import_complaint(desk.home.rows, desk.home.ledger, desk.keys, desk.ben, path)


@pytest.mark.parametrize("key", [KEY, None], ids=["signed", "unsigned"])
def test_a_complaint_becomes_a_case_once(desk: Desk, tmp_path: Path, key: Ed25519PrivateKey | None) -> None:
    """It names our release and thereby its maker, says whether it was signed, and cannot be brought twice."""
    release = add_release(desk.home, desk.ben)
    path = tmp_path / "complaint.json"
    path.write_bytes(
        complaint_file(category="my likeness", statement=CANARY, release=release, contact="desk 4", key=key)
    )
    case = import_complaint(desk.home.rows, desk.home.ledger, desk.keys, desk.rita, path)
    assert (case.kind, case.release_id, case.account_id) == (CaseKind.COMPLAINT, release, desk.ben.id)
    assert case.statements is not None
    assert ("signed: yes" in case.statements[0].text) is (key is not None)
    assert case.statements[0].by == "outside"
    with pytest.raises(ComplaintKnown):
        import_complaint(desk.home.rows, desk.home.ledger, desk.keys, desk.rita, path)
    # Who took it in has not written it, and may decide.
    desk.book.decide(case.id, by=desk.rita, keys=desk.keys, upheld=True, text="so it is")


def test_a_complaint_about_another_home_is_taken_in(desk: Desk, tmp_path: Path) -> None:
    """A number that is not ours stays in the text."""
    path = tmp_path / "complaint.json"
    path.write_bytes(complaint_file(category="other", statement="x", release="f" * 16, key=KEY))
    case = import_complaint(desk.home.rows, desk.home.ledger, desk.keys, desk.ben, path)
    assert case.release_id is None
    assert "f" * 16 in (case.statements or ())[0].text


# --- report ----------------------------------------------------------------------------------------------------------


def test_a_report_is_signed_and_proves_its_steps(desk: Desk) -> None:
    """The pack holds statements, measure and proofs; a changed word or another home's key breaks it; PDF is made."""
    from compliance.ledger import Ledger

    case = desk.decided()
    ledger = Ledger(desk.home.rows, desk.home.ledger.origin, desk.keys.ledger_key())
    report = case_report.build_report(desk.home.rows, ledger, desk.home.session(), case)
    vkey = desk.keys.public.ledger_vkey
    read = json.loads(case_report.report_json(report))
    case_report.verify_report(read, vkey)
    assert read["statements"][0]["text"] == CANARY
    assert len(read["proofs"]) == 2
    assert read["sanctions"][0]["measure"] == "suspend"
    for name, value in (("made_at", "2020"), ("statements", []), ("signature", "AAAA"), ("proofs", [])):
        with pytest.raises(ProofInvalid):
            case_report.verify_report({**read, name: value}, vkey)
    pdf = case_report.report_pdf(read)
    assert pdf.startswith(b"%PDF-")
    assert desk.book.case(case).events[-1].type == "reported"


def test_a_creator_reports_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pack is for those whose office it is."""
    from dataclasses import replace

    session = replace(desk.home.session(), account=desk.ben)
    with pytest.raises(RoleMissing):
        case_report.build_report(desk.home.rows, desk.home.ledger, session, desk.hit())


def test_a_deleted_account_row_does_not_free_a_case(desk: Desk) -> None:
    """Rows of cases point to accounts that are there: the store refuses to lose one of them."""
    desk.decided()
    with pytest.raises(sa.exc.IntegrityError), desk.home.rows.write() as connection:
        connection.execute(sa.delete(store.account).where(store.account.c.id == desk.ben.id))
