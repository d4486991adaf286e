"""What the ledger itself says of accounts and of the review: rows of the home are only an index of it.

Whoever edits the database takes away no second factor, lifts no sanction and switches no classifier off: what was
entered counts, and a row that says otherwise is told.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from compliance.following import Follower
from compliance.ledger import Ledger

RESTED_ON: Final = frozenset(
    {
        "second_factor_set",
        "second_factor_removed",
        "account_rebound",
        "account_closed",
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


class AccountLog(Follower):
    """The accounts of one home as its ledger tells them; `follow` first, then read the fields."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(
            ledger,
            {
                "second_factor_set": self._read_factor,
                "second_factor_removed": self._read_factor_gone,
                "account_rebound": self._read_factor_gone,
                "account_closed": self._read_factor_gone,
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


_LOGS: WeakKeyDictionary[Ledger, AccountLog] = WeakKeyDictionary()
_LOGS_LOCK = threading.Lock()


def account_log(ledger: Ledger) -> AccountLog:
    """The one reader of a ledger's accounts in this process, up to date; raises LedgerBroken."""
    with _LOGS_LOCK:
        log = _LOGS.get(ledger)
        if log is None:
            log = _LOGS[ledger] = AccountLog(ledger)
    return log.follow()
