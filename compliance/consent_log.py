"""What the ledger itself says of consents: the database's rows are only an index, and a deleted row revives nothing."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from weakref import WeakKeyDictionary

from compliance.clock import now
from compliance.database import utc_text
from compliance.following import LEAP, Follower
from compliance.ledger import Ledger

End = Literal["withdrawn", "superseded", "refused"]


@dataclass(frozen=True, slots=True)
class Ended:
    """How and when a grant ended for good. by: a pseudonym, "code", "passphrase" or "erasure"; or the newer grant."""

    state: End
    when: str
    by: str
    ledger_index: int


@dataclass(frozen=True, slots=True)
class Assigned:
    """Whose face one number of one asset is. confirmed_by: the second person, None while nobody else has looked."""

    subject_id: str
    assigned_by: str
    confirmed_by: str | None
    when: str
    ledger_index: int


@dataclass(frozen=True, slots=True)
class ReleaseTold:
    """A finished release as the ledger tells it."""

    consents: tuple[str, ...]
    format: str
    file_sha256: str
    when: str
    ledger_index: int


class ConsentLog(Follower):
    """The consents of one home as its ledger tells them; `follow` first, then read the fields."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(
            ledger,
            {
                "consent_recorded": self._read_recorded,
                "consent_withdrawn": self._read_withdrawn,
                "consent_superseded": self._read_superseded,
                "consent_refused": self._read_refused,
                "consent_approved": self._read_approved,
                "consent_confirmed": self._read_confirmed,
                "face_assigned": self._read_assigned,
                "face_confirmed": self._read_assignment_confirmed,
                "subject_erased": self._read_erased,
                "data_key_shredded": self._read_shredded,
                "release_intended": self._read_intended,
                "release_rolled_back": self._read_rolled_back,
                "released": self._read_released,
            },
        )
        self.recorded: dict[str, tuple[int, str]] = {}
        """Grant → ledger index and SHA-256 of its record."""
        self.ended: dict[str, Ended] = {}
        self.approved: dict[str, str] = {}
        """Grant → the second person who approved the evidence."""
        self.confirmed: dict[str, str] = {}
        """Grant → what the subject themselves did: "passphrase", or the SHA-256 of the signed receipt."""
        self.nonces: set[str] = set()
        self.erased: dict[str, str] = {}
        """Subject → when their data were erased."""
        self.assignments: dict[tuple[str, str], dict[int, Assigned]] = {}
        """(asset, likeness) → face number → whose."""
        self._outputs: dict[str, set[str]] = {}
        self._released_under: dict[str, tuple[str, ...]] = {}
        self._formats: dict[str, str] = {}
        self.released: dict[str, ReleaseTold] = {}
        """Release → what the ledger tells of it, oldest first; its row in the home may be lost."""

    def latest_day(self, index: int) -> date:
        """The calendar day, where the machine stands, of the latest time that an entry tells from this one on."""
        try:
            return datetime.fromisoformat(self.latest_since(index)).astimezone().date()
        except (ValueError, OverflowError):
            return date.min

    def leap_over(self, index: int, day: str) -> tuple[str, str] | None:
        """As Follower's; also from the last entry to the present moment, which has entered nothing yet."""
        found = super().leap_over(index, day)
        newest, moment = self.newest_time(), utc_text(now())
        with contextlib.suppress(ValueError):
            gap = datetime.fromisoformat(moment) - datetime.fromisoformat(newest)
            if not found and newest[:10] <= day < moment[:10] and gap >= LEAP:
                return newest, moment
        return found

    def outputs(self, grant_id: str) -> int:
        """How many releases were made, or are being made, under a grant."""
        return len(self._outputs.get(grant_id, ()))

    def _read_recorded(self, index: int, _when: str, fields: dict[str, Any]) -> None:
        self.recorded[fields["consent"]] = (index, fields["record_sha256"])
        self.nonces.update(fields.get("nonces", ()))
        if fields.get("confirmed"):
            self.confirmed[fields["consent"]] = fields["confirmed"]

    def _end(self, grant_id: str, ended: Ended) -> None:
        self.ended.setdefault(grant_id, ended)

    def _read_withdrawn(self, index: int, when: str, fields: dict[str, Any]) -> None:
        self._end(fields["consent"], Ended("withdrawn", when, fields.get("by", ""), index))

    def _read_superseded(self, index: int, when: str, fields: dict[str, Any]) -> None:
        self._end(fields["consent"], Ended("superseded", when, fields["successor"], index))

    def _read_refused(self, index: int, when: str, fields: dict[str, Any]) -> None:
        self._end(fields["consent"], Ended("refused", when, fields["by"], index))

    def _read_approved(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        self.approved[fields["consent"]] = fields["by"]

    def _read_confirmed(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        self.confirmed[fields["consent"]] = fields["receipt_sha256"]

    def _read_assigned(self, index: int, when: str, fields: dict[str, Any]) -> None:
        numbers = self.assignments.setdefault((fields["asset_sha256"], fields["likeness"]), {})
        numbers[int(fields["number"])] = Assigned(fields["subject"], fields["by"], None, when, index)

    def _read_assignment_confirmed(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        numbers = self.assignments.get((fields["asset_sha256"], fields["likeness"]), {})
        known = numbers.get(int(fields["number"]))
        if known is not None and known.subject_id == fields["subject"] and known.assigned_by != fields["by"]:
            numbers[int(fields["number"])] = Assigned(
                known.subject_id, known.assigned_by, fields["by"], known.when, known.ledger_index
            )

    def _read_erased(self, _index: int, when: str, fields: dict[str, Any]) -> None:
        self.erased[fields["subject"]] = when

    def _read_shredded(self, _index: int, when: str, fields: dict[str, Any]) -> None:
        self.erased.setdefault(fields["owner"], when)

    def _read_intended(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        self._released_under[fields["release"]] = tuple(fields["consents"])
        self._formats[fields["release"]] = str(fields.get("format", ""))
        for grant_id in fields["consents"]:
            self._outputs.setdefault(grant_id, set()).add(fields["release"])

    def _read_rolled_back(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        for grant_id in self._released_under.pop(fields["release"], ()):
            self._outputs[grant_id].discard(fields["release"])
        self.released.pop(fields["release"], None)

    def _read_released(self, index: int, when: str, fields: dict[str, Any]) -> None:
        release = fields["release"]
        self.released[release] = ReleaseTold(
            self._released_under.get(release, ()), self._formats.get(release, ""), fields["file_sha256"], when, index
        )


_LOGS: WeakKeyDictionary[Ledger, ConsentLog] = WeakKeyDictionary()
_LOGS_LOCK = threading.Lock()


def log_of(ledger: Ledger) -> ConsentLog:
    """The one reader of a ledger's consents in this process, up to date."""
    with _LOGS_LOCK:
        log = _LOGS.get(ledger)
        if log is None:
            log = _LOGS[ledger] = ConsentLog(ledger)
    return log.follow()
