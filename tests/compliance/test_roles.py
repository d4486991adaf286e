"""Roles: the declared table, who may change it, and what needs two people."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from compliance import migrations, proposals, roles, store
from compliance.account import Account
from compliance.audit import verify_rows
from compliance.clock import now
from compliance.errors import (
    ExitCode,
    LastAdmin,
    OwnWork,
    RoleClash,
    RoleMissing,
    RoleUnknown,
    RowChanged,
    RowMissing,
    SecondPersonNeeded,
    StepUpNeeded,
    UnknownRecord,
)
from compliance.identity.proofs import may_declare
from compliance.ledger import Ledger
from compliance.roles import Action, Role
from tests.compliance.home import PASSWORD, Home, prove

# The whole table once more, written by hand: what an action needs. A new action has to be thought about here as well.
NEEDS: dict[Action, str] = {
    Action.PREVIEW: "creator reviewer",
    Action.RELEASE: "creator",
    Action.ADD_SUBJECT: "creator consent_officer",
    Action.RECORD_CONSENT: "creator consent_officer",
    Action.WITHDRAW_CONSENT: "creator consent_officer reviewer",
    Action.APPROVE_EVIDENCE: "consent_officer",
    Action.CONFIRM_ASSIGNMENT: "consent_officer",
    Action.READ_EVIDENCE: "consent_officer reviewer",
    Action.ERASE_SUBJECT: "consent_officer",
    Action.OPEN_CASE: "creator consent_officer reviewer",
    Action.APPEAL: "creator consent_officer reviewer",
    Action.REVIEW_CASE: "reviewer",
    Action.DECIDE_APPEAL: "reviewer",
    Action.SANCTION: "reviewer",
    Action.REFUTE: "reviewer admin",
    Action.REPORT_CASE: "reviewer admin",
    Action.READ_LEDGER: "creator consent_officer reviewer auditor admin",
    Action.EXPORT_LEDGER: "auditor admin",
    Action.COSIGN_LEDGER: "auditor",
    Action.PRUNE: "consent_officer",
    Action.CREATE_ACCOUNT: "admin",
    Action.VERIFY_IDENTITY: "admin",
    Action.REBIND_ACCOUNT: "admin",
    Action.GRANT_ROLE: "admin",
    Action.CHANGE_PROFILE: "admin",
    Action.SET_OPERATOR: "admin",
    Action.RENEW_CERTIFICATE: "admin",
    Action.ACCEPT_ROLLBACK: "admin",
    Action.CHOOSE_REVIEW: "admin",
}


@dataclass
class Studio:
    """A home with maria, who is admin, and two more verified accounts; one moment for all."""

    home: Home
    maria: Account
    paul: Account
    rosa: Account

    def sign_in(self, account: Account) -> Account:
        self.home.accounts.login(account.username, PASSWORD)
        return account

    def roles(self, account: Account) -> set[Role]:
        return set(roles.roles(self.home.rows, account.id))

    def grant(self, by: Account, account: Account, role: Role) -> proposals.Proposal | None:
        return roles.grant_role(self.home.rows, self.home.ledger, by, account, role, now())

    def revoke(self, by: Account, account: Account, role: Role) -> proposals.Proposal | None:
        return roles.revoke_role(self.home.rows, self.home.ledger, by, account, role, now())

    def confirm(self, by: Account, proposal: proposals.Proposal | None, when: timedelta = timedelta()) -> None:
        assert proposal is not None
        account = self.home.accounts.by_id(proposal.about)
        roles.confirm_role(self.home.rows, self.home.ledger, by, proposal, account, now() + when)

    def prove(self, account: Account, name: str) -> None:
        prove(self.home, account, name)


@pytest.fixture
def studio(home: Home) -> Studio:
    """Three accounts, each proven to be another person."""
    maria = home.session().account
    paul, rosa = (home.accounts.create(name, PASSWORD) for name in ("paul", "rosa"))
    made = Studio(home, maria, paul, rosa)
    made.prove(paul, "Paul Example")
    made.prove(rosa, "Rosa Example")
    return made


def set_roles(home: Home, account: Account, held: set[Role]) -> None:
    """Give roles past all rules, as a starting point."""
    with home.rows.write() as connection:
        roles.take_all(connection, home.ledger, account.id)
    with home.rows.write() as connection:
        roles.give(connection, home.ledger, account.id, sorted(held), ["x"], now())


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_what_the_table_says_and_nothing_else(studio: Studio, role: Role) -> None:
    """Every role × every action, against a table written by hand."""
    assert set(NEEDS) == set(Action)
    set_roles(studio.home, studio.paul, {role})
    for action in Action:
        if role.value in NEEDS[action].split():
            roles.verify_may(studio.home.rows, studio.paul, action)
        else:
            with pytest.raises(RoleMissing) as refusal:
                roles.verify_may(studio.home.rows, studio.paul, action)
            assert refusal.value.code == ExitCode.ACCOUNT
            assert refusal.value.data["roles"].split(", ") == [
                one for one in Role if one.value in NEEDS[action].split()
            ]


def test_several_roles_add_up_and_none_is_nothing(studio: Studio) -> None:
    """Two roles allow what either allows; without a role nothing is allowed."""
    for pair in itertools.combinations(Role, 2):
        set_roles(studio.home, studio.paul, set(pair))
        with studio.home.rows.read() as connection:
            held = roles.roles_of(connection, studio.paul.id)
        assert roles.allowed(held) == roles.TABLE[pair[0]] | roles.TABLE[pair[1]]
    assert roles.allowed(frozenset()) == frozenset()


def test_the_fixed_duties_are_kept_apart() -> None:
    """An admin neither reads evidence nor decides nor cuts the log; an auditor changes nothing of anybody."""
    forbidden = {Action.READ_EVIDENCE, Action.PRUNE, Action.REVIEW_CASE, Action.DECIDE_APPEAL, Action.APPROVE_EVIDENCE}
    assert not roles.TABLE[Role.ADMIN] & forbidden
    assert roles.TABLE[Role.AUDITOR] == {Action.READ_LEDGER, Action.EXPORT_LEDGER, Action.COSIGN_LEDGER}


def test_nobody_decides_about_their_own_work(studio: Studio) -> None:
    """verify_not_own knows the account among any number of authors."""
    with pytest.raises(OwnWork):
        roles.verify_not_own(studio.maria, studio.paul.id, studio.maria.id)
    roles.verify_not_own(studio.maria, studio.paul.id, studio.rosa.id)


def test_only_an_admin_proposes_and_only_known_roles_exist(studio: Studio) -> None:
    """A creator grants nothing, and a role that is not in the table is a misuse of the command."""
    with pytest.raises(RoleMissing):
        studio.grant(studio.paul, studio.paul, Role.ADMIN)
    with pytest.raises(RoleUnknown) as refusal:
        roles.role_named("emperor")
    assert refusal.value.code == ExitCode.USAGE


def test_a_lone_admin_changes_roles_at_once(home: Home) -> None:
    """Where nobody else is, there is nobody to ask; the entry says so."""
    maria = home.session().account
    assert roles.grant_role(home.rows, home.ledger, maria, maria, Role.REVIEWER, now()) is None
    assert Role.REVIEWER in roles.roles(home.rows, maria.id)
    assert home.ledger.entries()[-1]["fields"] == {"account": maria.id, "role": "reviewer", "by": [maria.id]}


def test_where_others_are_a_change_needs_a_second_person(studio: Studio) -> None:
    """A proposal changes nothing; neither who asked nor whom it concerns confirms it; another person does, once."""
    proposal = studio.grant(studio.maria, studio.paul, Role.REVIEWER)
    assert studio.roles(studio.paul) == {Role.CREATOR}
    with pytest.raises(OwnWork):
        studio.confirm(studio.maria, proposal)
    with pytest.raises(OwnWork):
        studio.confirm(studio.paul, proposal)
    studio.confirm(studio.rosa, proposal)
    assert studio.roles(studio.paul) == {Role.CREATOR, Role.REVIEWER}
    with pytest.raises(UnknownRecord):
        studio.confirm(studio.rosa, proposal)


def test_a_second_admin_confirms_where_there_is_one(studio: Studio) -> None:
    """With two admins, somebody without that role is not asked any more."""
    studio.confirm(studio.rosa, studio.grant(studio.maria, studio.paul, Role.ADMIN))
    proposal = studio.grant(studio.maria, studio.maria, Role.REVIEWER)
    with pytest.raises(RoleMissing):
        studio.confirm(studio.rosa, proposal)
    studio.confirm(studio.paul, proposal)
    assert Role.REVIEWER in studio.roles(studio.maria)


def test_the_second_person_is_proven_and_another_one(studio: Studio) -> None:
    """An account without a proof of identity, or proven under the same name, is no second person."""
    nobody = studio.home.accounts.create("nobody", PASSWORD)
    proposal = studio.grant(studio.maria, studio.paul, Role.REVIEWER)
    with pytest.raises(SecondPersonNeeded):
        studio.confirm(nobody, proposal)
    studio.prove(nobody, "MARIA EXAMPLE")
    with pytest.raises(SecondPersonNeeded):
        studio.confirm(nobody, proposal)


def test_a_proposal_grows_old(studio: Studio) -> None:
    """After a week it has to be made again."""
    proposal = studio.grant(studio.maria, studio.paul, Role.REVIEWER)
    with pytest.raises(UnknownRecord):
        studio.confirm(studio.rosa, proposal, timedelta(days=7, seconds=1))
    assert proposals.open_proposals(studio.home.rows, now() + timedelta(days=8)) == []


def test_the_last_admin_stays(studio: Studio) -> None:
    """Neither proposed nor confirmed: also when the other admin went in between."""
    with pytest.raises(LastAdmin):
        studio.revoke(studio.maria, studio.maria, Role.ADMIN)
    studio.confirm(studio.rosa, studio.grant(studio.maria, studio.paul, Role.ADMIN))
    one, other = (studio.revoke(who, who, Role.ADMIN) for who in (studio.maria, studio.paul))
    later = studio.revoke(studio.maria, studio.paul, Role.CREATOR)
    studio.confirm(studio.paul, one)
    with pytest.raises(LastAdmin):
        studio.confirm(studio.rosa, other)
    # What somebody asked for who may not ask any more does not happen.
    with pytest.raises(RoleMissing):
        studio.confirm(studio.rosa, later)
    assert studio.roles(studio.paul) == {Role.CREATOR, Role.ADMIN}


def test_an_auditor_has_no_other_role(studio: Studio) -> None:
    """Whoever checks the log does not write it: neither order of granting mixes the two."""
    with pytest.raises(RoleClash):
        studio.grant(studio.maria, studio.paul, Role.AUDITOR)
    ada = studio.home.accounts.create("ada", PASSWORD, Role.AUDITOR)
    assert studio.roles(ada) == {Role.AUDITOR}
    with pytest.raises(RoleClash):
        studio.grant(studio.maria, ada, Role.CREATOR)


def test_a_role_with_power_is_not_given_at_the_beginning(studio: Studio) -> None:
    """An account cannot be made with a role that needs two people."""
    for role in set(Role) - set(roles.STARTING_ROLES):
        with pytest.raises(ValueError, match="two people"):
            studio.home.accounts.create(f"new-{role}", PASSWORD, role)


def test_a_creator_makes_no_accounts(studio: Studio) -> None:
    """Making accounts is the admin's."""
    studio.sign_in(studio.paul)
    with pytest.raises(RoleMissing):
        studio.home.accounts.create("another", PASSWORD)


def test_heavy_steps_want_a_fresh_password(home: Home) -> None:
    """With the times of a studio, a change of roles six minutes after the password is refused until it is given."""
    home.accounts.set_profile("studio")
    moment = now() + timedelta(minutes=4)
    later = Home.open(home.folder, clock=lambda: moment)
    later.accounts.unlock(PASSWORD)
    moment += timedelta(minutes=4)
    later.accounts.mark_active()
    moment += timedelta(minutes=2)
    with pytest.raises(StepUpNeeded) as refusal:
        later.accounts.require_for(Action.GRANT_ROLE)
    assert refusal.value.data["minutes"] == 5
    later.accounts.require_for(Action.READ_LEDGER)
    later.accounts.step_up(PASSWORD)
    later.accounts.require_for(Action.GRANT_ROLE)
    later.rows.close()


def test_a_home_of_the_first_version_keeps_working(tmp_path: Path) -> None:
    """Its first account gets what it needs to work alone, the others stay creators."""
    folder = tmp_path / "old"
    folder.mkdir(mode=0o700)
    config = Config()
    config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
    engine = sa.create_engine(f"sqlite:///{folder / store.DATABASE_NAME}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        connection.exec_driver_sql(f"PRAGMA application_id={0x53474E54}")
        command.upgrade(config, "0001_spine")
    engine.dispose()
    raw = sqlite3.connect(folder / store.DATABASE_NAME)
    for account_id, day in (("acc-b", "2026-01-02"), ("acc-a", "2026-01-01")):
        raw.execute(
            "INSERT INTO account (id, username, created_at, state) VALUES (?, ?, ?, 'active')",
            (account_id, account_id, day),
        )
    raw.commit()
    raw.close()
    opened = store.open_store(folder)
    ledger = Ledger(opened, "signet.local/old", None)
    # What its accounts entered when they were made: no role, for there were none.
    made = [("account_created", {"account": one, "by": "acc-a"}) for one in ("acc-a", "acc-b")]
    ledger.append_many([*made, ("signed_in", {"account": "acc-a"})])
    assert roles.roles(opened, "acc-a") == set(roles.FIRST_ROLES)
    assert roles.roles(opened, "acc-b") == {Role.CREATOR}
    verify_rows(opened, ledger)
    with opened.write() as connection:
        roles.give(connection, ledger, "acc-b", (Role.REVIEWER,), ["acc-a"], now())
    assert roles.roles(opened, "acc-b") == {Role.CREATOR, Role.REVIEWER}
    verify_rows(opened, ledger)
    opened.close()


# --- roles that only the database knows -------------------------------------------------------------------------------


def edit(home: Home, statement: str, *values: object) -> None:
    """What somebody with an editor of databases does."""
    with contextlib.closing(sqlite3.connect(home.folder / store.DATABASE_NAME)) as raw:
        raw.execute(statement, values)
        raw.commit()


PUT = "INSERT INTO account_role (account_id, role, granted_by, granted_at, ledger_index) VALUES (?, ?, 'x', 't', ?)"


@pytest.mark.parametrize("place", ["inherited", "own entry", "another's entry", "none"])
def test_a_role_put_into_the_database_gives_no_right_and_is_named(studio: Studio, place: str) -> None:
    """Whatever entry the row points to: the log gave this role to nobody."""
    ledger = studio.home.ledger
    entries = list(ledger.entries())
    given = {one["fields"]["account"]: at for at, one in enumerate(entries) if one["kind"] == "role_granted"}
    admin = next(at for at, one in enumerate(entries) if one["fields"].get("role") == "admin")
    index = {"inherited": 0, "own entry": given[studio.paul.id], "another's entry": admin, "none": 999}[place]
    verify_rows(studio.home.rows, ledger)
    edit(studio.home, PUT, studio.paul.id, "admin", index)
    assert studio.roles(studio.paul) == {Role.CREATOR}
    with pytest.raises(RoleMissing):
        roles.verify_may(studio.home.rows, studio.paul, Action.GRANT_ROLE)
    with studio.home.rows.read() as connection:
        assert roles.admins(connection) == {studio.maria.id}
        assert not may_declare(connection, studio.paul.id)
    with pytest.raises(RowChanged) as refusal:
        verify_rows(studio.home.rows, ledger)
    assert refusal.value.data["kind"] == "role"
    assert studio.paul.id in str(refusal.value.data["id"])
    assert "admin" in str(refusal.value.data["id"])


def test_a_role_that_was_taken_away_does_not_come_back_by_its_old_row(studio: Studio) -> None:
    """The entry that gave it is still in the log, and so is the later one that took it."""
    index = studio.home.ledger
    with studio.home.rows.write() as connection:
        roles.give(connection, index, studio.paul.id, (Role.REVIEWER,), ["x"], now())
    with studio.home.rows.read() as connection:
        row = connection.execute(
            sa.select(store.account_role.c.ledger_index).where(store.account_role.c.role == "reviewer")
        ).scalar_one()
    with studio.home.rows.write() as connection:
        roles.take_all(connection, index, studio.paul.id)
    edit(studio.home, PUT, studio.paul.id, "reviewer", row)
    assert studio.roles(studio.paul) == set()
    with pytest.raises(RowChanged):
        verify_rows(studio.home.rows, index)


def test_a_role_cut_from_the_database_is_named(studio: Studio) -> None:
    """Nobody holds it any more, and the check of the ledger says that it is missing."""
    edit(studio.home, "DELETE FROM account_role WHERE role = 'admin'")
    assert Role.ADMIN not in studio.roles(studio.maria)
    with pytest.raises(RowMissing) as refusal:
        verify_rows(studio.home.rows, studio.home.ledger)
    assert refusal.value.data["kind"] == "role"


def test_an_account_made_while_the_clock_goes_back_holds_its_first_role_alone(studio: Studio) -> None:
    """The entry about the clock stands between the account's and its role's; nothing is inherited by that."""
    moments = iter([now(), now() - timedelta(days=1), *(now() for _ in range(50))])
    ledger = Ledger(studio.home.rows, "signet.local/x", None, clock=lambda: next(moments))
    with studio.home.rows.write() as connection:
        values = {"id": "acc-x", "username": "xenia", "created_at": "t", "state": "active"}
        connection.execute(sa.insert(store.account).values(**values))
        ledger.append(connection, "account_created", {"account": "acc-x", "by": "x"})
        roles.give(connection, ledger, "acc-x", (Role.AUDITOR,), ["x"], now())
    assert roles.roles(studio.home.rows, "acc-x") == {Role.AUDITOR}
    verify_rows(studio.home.rows, ledger)
    edit(studio.home, PUT, "acc-x", "creator", 0)
    assert roles.roles(studio.home.rows, "acc-x") == {Role.AUDITOR}
