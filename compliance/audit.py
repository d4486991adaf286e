"""Holds the rows of a home against its ledger: what was entered must stand there, and nothing that never was.

The rows are an index of the log. Most reads follow the log anyway; here what was cut or changed is told by name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, cast

import sqlalchemy as sa

from compliance import store
from compliance.account_log import RolesTold
from compliance.errors import RowChanged, RowMissing
from compliance.following import Follower
from compliance.identity.proofs import method_of
from compliance.ledger import Ledger

_NAMED_AT_ONCE: Final = 5

Told = dict[str, tuple[object, ...]]
"""Id → what the ledger, or a row, says of it."""


class _Entered(Follower):
    """What the log says about rows that have to be there."""

    def __init__(self, ledger: Ledger) -> None:
        self._roles = RolesTold()
        super().__init__(
            ledger,
            {
                **self._roles.readers(),
                "consent_recorded": self._read_consent,
                "consent_withdrawn": self._read_withdrawn,
                "released": self._read_released,
                "release_rolled_back": self._read_rolled_back,
                "release_refuted": self._read_refuted,
                "case_opened": self._read_case,
                "identity_declared": self._read_proof,
                "identity_proven": self._read_proof,
                "account_closed": self._read_closed,
            },
        )
        self.consents: Told = {}
        self.withdrawals: Told = {}
        self.releases: Told = {}
        self.refutations: Told = {}
        self.cases: Told = {}
        self.proofs: Told = {}

    @property
    def roles(self) -> Told:
        """Account and role → where it was given."""
        return {
            _role(account, role): (index,) for account, held in self._roles.held.items() for role, index in held.items()
        }

    def is_pruned(self, index: int | None) -> bool:
        """Whether the body of an entry was removed when its time was over: then the log cannot tell any more."""
        return index in self._blank

    def _read_consent(self, index: int, _when: str, fields: dict[str, Any]) -> None:
        self.consents[fields["consent"]] = (index, fields["record_sha256"])

    def _read_withdrawn(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        self.withdrawals[fields["consent"]] = ()

    def _read_released(self, index: int, _when: str, fields: dict[str, Any]) -> None:
        self.releases[fields["release"]] = (index, "released", fields["file_sha256"])

    def _read_rolled_back(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        self.releases.pop(fields["release"], None)

    def _read_refuted(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        self.refutations[fields["release"]] = ()

    def _read_case(self, index: int, _when: str, fields: dict[str, Any]) -> None:
        self.cases[fields["case"]] = (index, fields["kind"])

    def _read_proof(self, index: int, _when: str, fields: dict[str, Any]) -> None:
        self.proofs[fields["proof"]] = (index, fields["account"], fields["level"], method_of(fields), fields["until"])

    def _read_closed(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        # What is closed is erased, its proofs too.
        self._roles.close(fields["account"])
        gone = [proof for proof, told in self.proofs.items() if told[1] == fields["account"]]
        for proof in gone:
            del self.proofs[proof]


def verify_rows(rows: store.Store, ledger: Ledger) -> None:
    """Compare consents, withdrawals, releases, refutations, cases, proofs of identity and roles with the log.

    Raises RowMissing for what was entered and is not there, RowChanged for what differs or was never entered, and
    LedgerBroken.
    """
    # The rows first: what is added in between stands in the log that is read afterwards, with a row that is not missed.
    with rows.read() as connection:
        held = _held(connection)
        count = connection.execute(sa.select(sa.func.max(store.ledger_entry.c.idx))).scalar()
    entered = _Entered(ledger).follow()
    for compared in (
        Compared(entered.consents, held["consent"], kind="consent"),
        Compared(entered.withdrawals, held["withdrawal"], kind="withdrawal"),
        Compared(entered.releases, held["release"], kind="release"),
        Compared(entered.refutations, held["refutation"], kind="refutation"),
        Compared(entered.cases, held["case"], kind="case"),
        Compared(entered.proofs, held["proof"], kind="proof of identity"),
        # While a role is held its entry is never pruned: a row that points to nothing was put there.
        Compared(entered.roles, held["role"], kind="role", is_kept=True),
    ):
        _compare(rows, entered, -1 if count is None else count, compared)


class Compared(NamedTuple):
    """What the log tells, and what the rows hold, of one kind."""

    told: Told
    present: Told
    kind: str
    is_kept: bool = False


def _role(account_id: str, role: str) -> str:
    return f"{role} of {account_id}"


def _compare(rows: store.Store, entered: _Entered, last: int, compared: Compared) -> None:
    told, present, kind, is_kept = compared
    old = {key: said for key, said in told.items() if not said or cast(int, said[0]) <= last}
    _raise_for(RowMissing, rows, kind, old.keys() - present.keys())
    differ = {key for key in old.keys() & present.keys() if old[key] != present[key]}
    # A row that was never entered; withdrawals and refutations without one take nothing away.
    for key in present.keys() - told.keys():
        if present[key] and (is_kept or not entered.is_pruned(cast("int | None", present[key][0]))):
            differ.add(key)
    _raise_for(RowChanged, rows, kind, differ)


def _raise_for(error: type[RowMissing] | type[RowChanged], rows: store.Store, kind: str, ids: Iterable[str]) -> None:
    named = sorted(ids)
    if named:
        more = ", …" if len(named) > _NAMED_AT_ONCE else ""
        raise error(path=str(rows.path), kind=kind, id=", ".join(named[:_NAMED_AT_ONCE]) + more)


def _held(connection: sa.Connection) -> dict[str, Told]:
    grant, release, proof, case = store.consent_grant.c, store.release.c, store.identity_proof.c, store.case_file.c

    def read(*columns: sa.ColumnElement[Any]) -> Told:
        return {row[0]: tuple(row[1:]) for row in connection.execute(sa.select(*columns))}

    consents = connection.execute(sa.select(grant.id, grant.ledger_index, grant.record))
    finished = sa.select(release.id, release.release_index, release.state, release.file_sha256).where(
        release.state == "released"
    )
    given = store.account_role.c
    roles = connection.execute(sa.select(given.account_id, given.role, given.ledger_index))
    return {
        "role": {_role(row[0], row[1]): (row[2],) for row in roles},
        "consent": {row[0]: (row[1], hashlib.sha256(row[2]).hexdigest()) for row in consents},
        "withdrawal": read(store.consent_withdrawal.c.grant_id),
        "release": {row[0]: tuple(row[1:]) for row in connection.execute(finished)},
        "refutation": read(store.refutation.c.release_id),
        "case": read(case.id, case.ledger_index, case.kind),
        "proof": read(proof.id, proof.ledger_index, proof.account_id, proof.level, proof.method, proof.expires_at),
    }
