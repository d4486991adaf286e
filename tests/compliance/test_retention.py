"""Retention: nothing young goes, nobody prunes alone, leaves and proofs stay."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from compliance import retention
from compliance.account import Account
from compliance.errors import OwnWork, PruneRefused, RetentionTooShort, RoleMissing, SecondPersonNeeded, SignetError
from compliance.ledger import Ledger
from compliance.proof import Proof
from compliance.retention import confirm_prune, plan_prune, propose_prune
from compliance.roles import Role
from tests.compliance.home import Home
from tests.compliance.people import add_person

FUTURE = datetime.now(UTC) + timedelta(days=4 * 366)
DAY = (FUTURE - timedelta(days=200)).date()
TODAY = datetime.now(UTC).date()


class Archive:
    """A home with old entries, an auditor and a consent officer; its clock stands four years ahead."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.otto = add_person(home, "otto", Role.AUDITOR)
        self.cora = add_person(home, "cora", Role.CONSENT_OFFICER)
        keys = home.session().require_keys()
        self.ledger = Ledger(home.rows, home.ledger.origin, keys.ledger_key())
        self.first = self.ledger.append_many([("permit_refused", {"n": n}) for n in range(5)])[0]
        self.ledger.append_now("signed_in", {"account": "acc-1"})
        self.late = Ledger(home.rows, home.ledger.origin, keys.ledger_key(), clock=lambda: FUTURE)
        self.late.append_now("signed_in", {"account": "acc-1"})

    def propose(self, by: Account | None = None, before: date = DAY) -> int:
        return propose_prune(self.home.rows, self.late, by or self.otto, before, FUTURE)[0]

    def confirm(self, proposal: int, by: Account | None = None, at: datetime = FUTURE) -> retention.PrunePlan:
        return confirm_prune(self.home.rows, self.late, by or self.cora, proposal, at)


@pytest.fixture
def archive(home: Home) -> Archive:
    """Old entries and the two people who may prune them."""
    return Archive(home)


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [-1, 0, 1, 100, 182])
def test_nothing_of_the_last_six_months_goes(archive: Archive, days: int) -> None:
    """The floor holds for the plan, the proposal and, with a clock that moved back, the confirmation."""
    day = (FUTURE - timedelta(days=days)).date()
    with pytest.raises(RetentionTooShort):
        plan_prune(archive.home.rows, day, FUTURE)
    with pytest.raises(RetentionTooShort):
        archive.propose(before=day)


def _twice(archive: Archive) -> object:
    number = archive.propose()
    archive.confirm(number)
    return archive.confirm(number)


def _same_person(archive: Archive) -> object:
    both = add_person(archive.home, "both", Role.AUDITOR, Role.CONSENT_OFFICER)
    return archive.confirm(archive.propose(both), both)


def _unproven(archive: Archive) -> object:
    with sqlite3.connect(archive.home.rows.path) as raw:
        raw.execute("UPDATE identity_proof SET expires_at = '2000-01-01T00:00:00Z'")
    raw.close()
    return archive.confirm(archive.propose())


@pytest.mark.parametrize(
    ("refusal", "act"),
    [
        (RoleMissing, lambda a: a.propose(a.cora)),
        (RoleMissing, lambda a: a.propose(a.home.session().account)),
        (RoleMissing, lambda a: a.propose(add_person(a.home, "adam", Role.ADMIN))),
        (RoleMissing, lambda a: a.confirm(a.propose(), a.otto)),
        (RoleMissing, lambda a: a.confirm(a.propose(), add_person(a.home, "adam", Role.ADMIN))),
        (OwnWork, _same_person),
        (SecondPersonNeeded, _unproven),
        (PruneRefused, _twice),
        (PruneRefused, lambda a: a.confirm(a.first)),
        (PruneRefused, lambda a: a.confirm(10_000)),
        (PruneRefused, lambda a: a.confirm(a.propose(), at=FUTURE + timedelta(days=8))),
        (PruneRefused, lambda a: a.confirm(a.propose(), at=FUTURE - timedelta(days=1))),
    ],
    ids=[
        "an officer proposes",
        "a lone operator proposes",
        "an admin proposes",
        "an auditor confirms",
        "an admin confirms",
        "one person alone",
        "nobody proven",
        "twice",
        "not a proposal",
        "no entry",
        "a week old",
        "a clock set back",
    ],
)
def test_nobody_prunes_alone(archive: Archive, refusal: type[SignetError], act: Callable[[Archive], object]) -> None:
    """Each way around the two people is refused, and at most the rightful part was pruned."""
    with pytest.raises(refusal):
        act(archive)
    archive.late.verify()


def test_a_refused_confirmation_takes_nothing(archive: Archive) -> None:
    """After a refusal every body is there."""
    number = archive.propose()
    before = archive.late.entries()
    with pytest.raises(RoleMissing):
        archive.confirm(number, archive.otto)
    assert archive.late.entries() == before


# --- what goes and what stays ----------------------------------------------------------------------------------------


def test_leaves_and_proofs_outlive_the_payloads(archive: Archive) -> None:
    """A proof from before still verifies, an old checkpoint is still extended, the log still holds together."""
    held: Proof = archive.ledger.proof(archive.first)
    size, root = archive.late.size(), archive.late.root()
    plan = archive.confirm(archive.propose())
    assert plan.entries > 5
    assert archive.late.root(size) == root
    held.verify(archive.home.session().require_keys().ledger_key().public_key())
    archive.late.prove_extends(held.checkpoint_note)
    archive.late.checkpoint()
    archive.late.verify()
    gone = {index for first, last in plan.ranges for index in range(first, last + 1)}
    assert set(range(archive.first, archive.first + 6)) <= gone
    kinds = archive.home.events()
    assert "permit_refused" not in kinds
    assert {"prune_proposed", "prune_confirmed", "ledger_pruned"} <= set(kinds)


def test_what_rows_rest_on_stays(archive: Archive) -> None:
    """Consents, proofs of identity and roles are read with their entries: those are never pruned."""
    grant = archive.home.grant("7" * 64)
    archive.late.append_now("signed_in", {"account": "acc-1"})
    archive.confirm(archive.propose())
    kinds = archive.home.events()
    assert "identity_declared" in kinds
    assert "consent_recorded" in kinds
    from compliance import consent

    assert consent.grant(archive.home.rows, archive.home.ledger, grant).id == grant


def test_long_and_short_terms(archive: Archive) -> None:
    """A year on, signing in is forgotten, and what consent and review left is not."""
    soon = datetime.now(UTC) + timedelta(days=366)
    plan = plan_prune(archive.home.rows, (soon - timedelta(days=190)).date(), soon)
    gone = {index for first, last in plan.ranges for index in range(first, last + 1)}
    kinds = {archive.late.entry(index)["kind"] for index in gone}
    assert kinds <= retention.SHORT
    assert kinds


def test_a_clock_that_was_behind_makes_nothing_old(archive: Archive, tmp_path: Path) -> None:
    """An entry that claims to be old but stands behind a younger one is as young as that."""
    old = Ledger(archive.home.rows, archive.ledger.origin, None, clock=lambda: datetime(2001, 1, 1, tzinfo=UTC))
    index = old.append_now("permit_refused", {"n": 9})
    plan = plan_prune(archive.home.rows, TODAY - timedelta(days=200))
    assert plan.entries == 0
    archive.confirm(archive.propose())
    assert archive.late.entry(index)["fields"] == {"n": 9}


def test_pruned_text_leaves_the_file(archive: Archive) -> None:
    """The bytes of a pruned payload are in no file of the home any more."""

    def held() -> bytes:
        return b"".join(path.read_bytes() for path in archive.home.folder.rglob("*") if path.is_file())

    text = b'"fields":{"n":4},"kind":"permit_refused"'
    assert text in held()
    archive.confirm(archive.propose())
    assert text not in held()
