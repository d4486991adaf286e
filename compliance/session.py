"""How long a session lasts, how long it may rest, and when a step asks for the password again.

State of the open session stands in the store, so that all processes of one home see the same. Its binding to an account
stands in `session.json` beside it and is authenticated under the home key: neither file opens anything by itself.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from compliance import store
from compliance.errors import ProfileUnknown
from compliance.keys import HomeKeys
from compliance.storage import refuse_exhausted, write_atomically

SESSION_FILE: Final = "session.json"
_CLOCK_SLACK = timedelta(minutes=2)
# A touch within this time of the last one is not written: the disk is not woken for every key that is pressed.
_TOUCH_EVERY = timedelta(seconds=10)
_LONG_AGO = "1970-01-01T00:00:00.000000+00:00"


@dataclass(frozen=True, slots=True)
class Profile:
    """Times of a session in seconds: total, rest before the keys are locked, age of the password at a heavy step."""

    name: str
    total_s: int
    idle_s: int
    step_up_s: int


PROFILES: Final[Mapping[str, Profile]] = {
    "personal": Profile("personal", 12 * 3600, 30 * 60, 8 * 3600),
    "studio": Profile("studio", 12 * 3600, 5 * 60, 5 * 60),
}
"""One creator on one machine, or several people on one; a profile changes times and nothing else."""


def profile_named(name: str) -> Profile:
    """Raises ProfileUnknown."""
    if name not in PROFILES:
        raise ProfileUnknown(profile=name, allowed=", ".join(PROFILES))
    return PROFILES[name]


def current_profile(connection: sa.Connection) -> Profile:
    """The profile of the home; a word nobody knows, as after tampering, gives the strict one."""
    name = connection.execute(sa.select(store.home.c.profile)).scalar()
    return PROFILES.get(str(name), PROFILES["studio"])


@dataclass(frozen=True, slots=True)
class Ticket:
    """What `session.json` says: who signed in and when; seal: HMAC under the home key over the two."""

    account_id: str
    opened_at: str
    seal: str

    def is_sealed_by(self, keys: HomeKeys) -> bool:
        """Whether this very home key made the ticket."""
        return hmac.compare_digest(self.seal, _seal(keys, self.account_id, self.opened_at))


def _seal(keys: HomeKeys, account_id: str, opened_at: str) -> str:
    return keys.commitment(f"session {account_id} {opened_at}")


def read_ticket(home: Path) -> Ticket | None:
    """The ticket of the home, or None when there is none that can be read; raises TooManyFilesOpen."""
    try:
        content = json.loads((home / SESSION_FILE).read_bytes())
        parts = [content[name] for name in ("account", "opened_at", "seal")]
    except OSError as error:
        refuse_exhausted(error)
        return None
    except (ValueError, KeyError, TypeError):
        return None
    return Ticket(*parts) if all(isinstance(part, str) for part in parts) else None


def drop_ticket(home: Path) -> None:
    """Forget who is signed in."""
    (home / SESSION_FILE).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class State:
    """The open session as the store has it."""

    opened_at: datetime
    last_active_at: datetime
    stepped_up_at: datetime | None
    profile: Profile

    @property
    def expires_at(self) -> datetime:
        """The end, whatever happens until then."""
        return self.opened_at + timedelta(seconds=self.profile.total_s)

    def is_over(self, at: datetime) -> bool:
        """After its time, or before it began: a clock that was set back ends the session, it does not lengthen it."""
        return at >= self.expires_at or at < self.opened_at - _CLOCK_SLACK

    def is_idle(self, at: datetime) -> bool:
        """Whether nobody did anything for longer than the profile lets the keys lie open."""
        rest = at - self.last_active_at
        return rest > timedelta(seconds=self.profile.idle_s) or rest < -_CLOCK_SLACK

    def is_stepped_up(self, at: datetime) -> bool:
        """Whether the password was given lately enough for a heavy step."""
        if self.stepped_up_at is None:
            return False
        age = at - self.stepped_up_at
        return -_CLOCK_SLACK <= age <= timedelta(seconds=self.profile.step_up_s)


def begin(connection: sa.Connection, home: Path, keys: HomeKeys, account_id: str, at: datetime) -> State:
    """Open the session of an account; any other session of the home ends with it. Signing in counts as a step-up."""
    table, moment = store.session_state, store.utc_text(at)
    connection.execute(sa.delete(table))
    row = {"account_id": account_id, "opened_at": moment, "last_active_at": moment, "stepped_up_at": moment}
    connection.execute(sa.insert(table).values(row))
    content = {"account": account_id, "opened_at": moment, "seal": _seal(keys, account_id, moment)}
    write_atomically(home / SESSION_FILE, json.dumps(content).encode())
    return State(at, at, at, current_profile(connection))


def state_of(connection: sa.Connection, ticket: Ticket) -> State | None:
    """The state that belongs to a ticket; None when that session was ended, also by another process."""
    table = store.session_state
    row = connection.execute(sa.select(table).where(table.c.account_id == ticket.account_id)).one_or_none()
    if row is None or row.opened_at != ticket.opened_at:
        return None
    try:
        return State(
            datetime.fromisoformat(row.opened_at),
            datetime.fromisoformat(row.last_active_at),
            datetime.fromisoformat(row.stepped_up_at) if row.stepped_up_at else None,
            current_profile(connection),
        )
    except ValueError:
        return None


def wants_mark(state: State, at: datetime) -> bool:
    """Whether activity is old enough to be written anew."""
    return at - state.last_active_at >= _TOUCH_EVERY


def mark_active(connection: sa.Connection, account_id: str, at: datetime, *, stepped_up: bool = False) -> None:
    """Somebody is here. stepped_up: and has just given the password."""
    moment = store.utc_text(at)
    values = {"last_active_at": moment} | ({"stepped_up_at": moment} if stepped_up else {})
    table = store.session_state
    connection.execute(sa.update(table).where(table.c.account_id == account_id).values(values))


def lock(connection: sa.Connection, account_id: str) -> None:
    """Let the session rest from now on; the password opens it again."""
    table = store.session_state
    values = {"last_active_at": _LONG_AGO, "stepped_up_at": None}
    connection.execute(sa.update(table).where(table.c.account_id == account_id).values(values))


def end(connection: sa.Connection, account_id: str | None = None) -> None:
    """End the session of an account, or all."""
    table = store.session_state
    wanted = sa.true() if account_id is None else table.c.account_id == account_id
    connection.execute(sa.delete(table).where(wanted))
