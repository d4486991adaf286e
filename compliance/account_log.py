"""What the ledger itself says of accounts and of the review: rows of the home are only an index of it.

Whoever edits the database takes away no second factor, lifts no sanction, switches no classifier off and gives nobody
a role: what was entered counts, and a row that says otherwise is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from compliance.database import Store
from compliance.following import Follower, Reader
from compliance.ledger import CLOCK_REGRESSED, Ledger

RESTED_ON: Final = frozenset(
    {
        "second_factor_set",
        "second_factor_removed",
        "account_rebound",
        "account_closed",
        "account_created",
        "role_granted",
        "role_revoked",
        "sanction_imposed",
        "sanction_lifted",
        "review_chosen",
        "identity_declared",
        "identity_proven",
    }
)
"""Kinds whose entries are never pruned: they hold ids and digests alone, and what they say is still in force."""


@dataclass(frozen=True, slots=True)
class Imposed:
    """A sanction as it was entered. lifted_at: when an appeal ended it."""

    index: int
    when: str
    fields: dict[str, Any]
    lifted_at: str | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The classifier that an admin chose: a model pack by id and digest."""

    pack: str
    sha256: str


INHERITED: Final = 0
"""The ledger index of a role that the change to roles gave to an account older than roles; it entered nothing."""
_INHERITED_FIRST: Final = ("admin", "consent_officer", "creator")
_INHERITED_LATER: Final = ("creator",)


class RolesTold:
    """The roles of each account as the entries tell them; given to a Follower by `readers`.

    An account is made with its roles in one transaction, so the entry of the first role stands directly behind its own.
    One without is older than roles, and has what it was given when they came (migration r0002_trust).
    """

    def __init__(self) -> None:
        self.held: dict[str, dict[str, int]] = {}
        """Account → role → index of the entry that gave it, or INHERITED."""
        self._made = ("", -1)

    def readers(self) -> dict[str, Reader]:
        """By kind of entry."""
        return {
            "account_created": self._read_created,
            CLOCK_REGRESSED: self._read_regressed,
            "role_granted": self._read_granted,
            "role_revoked": self._read_revoked,
        }

    def _read_created(self, index: int, _when: str, fields: dict[str, Any]) -> None:
        inherited = _INHERITED_LATER if self.held else _INHERITED_FIRST
        self.held[fields["account"]] = dict.fromkeys(inherited, INHERITED)
        self._made = (fields["account"], index + 1)

    def _read_regressed(self, index: int, _when: str, _fields: dict[str, Any]) -> None:
        # The clock may be set back at any entry; this one comes between two that were written together.
        if index == self._made[1]:
            self._made = (self._made[0], index + 1)

    def _read_granted(self, index: int, _when: str, fields: dict[str, Any]) -> None:
        if self._made == (fields["account"], index):
            self.held[fields["account"]] = {}
        self.held.setdefault(fields["account"], {})[fields["role"]] = index

    def _read_revoked(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        self.held.get(fields["account"], {}).pop(fields["role"], None)

    def close(self, account_id: str) -> None:
        """Nothing is left of a closed account."""
        self.held[account_id] = {}


class AccountLog(Follower):
    """The accounts of one home as its ledger tells them; `follow` first, then read the fields."""

    def __init__(self, rows: Store) -> None:
        self.roles = RolesTold()
        super().__init__(
            rows,
            {
                **self.roles.readers(),
                "second_factor_set": self._read_factor,
                "second_factor_removed": self._read_factor_gone,
                "account_rebound": self._read_factor_gone,
                "account_closed": self._read_closed,
                "sanction_imposed": self._read_imposed,
                "sanction_lifted": self._read_lifted,
                "release_intended": self._read_intended,
                "release_rolled_back": self._read_rolled_back,
                "release_refuted": self._read_refuted,
                "review_chosen": self._read_chosen,
            },
        )
        self.factors: dict[str, str] = {}
        """Account → SHA-256 (hex) of the sealed secret of its second factor; "" where the entry does not say."""
        self.sanctions: dict[str, Imposed] = {}
        """Sanction → what was entered, in order."""
        self.releases: dict[str, dict[str, str]] = {}
        """Account → release → when it began."""
        self.refuted: set[str] = set()
        self.classifier: Chosen | None = None

    def _read_factor(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        self.factors[fields["account"]] = str(fields.get("sealed_sha256", ""))

    def _read_factor_gone(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        self.factors.pop(fields["account"], None)

    def _read_closed(self, index: int, when: str, fields: dict[str, Any]) -> None:
        self._read_factor_gone(index, when, fields)
        self.roles.close(fields["account"])

    def _read_imposed(self, index: int, when: str, fields: dict[str, Any]) -> None:
        self.sanctions[fields["sanction"]] = Imposed(index, when, fields)

    def _read_lifted(self, _index: int, when: str, fields: dict[str, Any]) -> None:
        known = self.sanctions[fields["sanction"]]
        self.sanctions[fields["sanction"]] = Imposed(known.index, known.when, known.fields, when)

    def _read_intended(self, _index: int, when: str, fields: dict[str, Any]) -> None:
        self.releases.setdefault(fields.get("account", ""), {})[fields["release"]] = when

    def _read_rolled_back(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        for begun in self.releases.values():
            begun.pop(fields["release"], None)

    def _read_refuted(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        self.refuted.add(fields["release"])

    def _read_chosen(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        self.classifier = Chosen(fields["pack"], fields["sha256"]) if fields["pack"] else None


def account_log(ledger: Ledger) -> AccountLog:
    """The one reader of a ledger's accounts in this process, up to date; raises LedgerBroken."""
    return account_log_of(ledger.store)


def account_log_of(rows: Store) -> AccountLog:
    """As account_log, by the database that holds the ledger."""
    return rows.remembered(AccountLog).follow()


def roles_told(connection: Connection, account_id: str) -> dict[str, int]:
    """The roles that the ledger tells of an account, with the index of the entry of each.

    What the transaction of the caller entered itself is not among them yet. Raises LedgerBroken.
    """
    return dict(account_log_of(Store.of(connection)).roles.held.get(account_id, {}))
