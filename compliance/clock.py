"""Time as the records keep it."""

from __future__ import annotations

from datetime import UTC, date, datetime


def now() -> datetime:
    """The present moment, UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime | None = None) -> str:
    """ISO 8601 in UTC with seconds, ending in Z."""
    return (moment or now()).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_the_second(when: str | None) -> str:
    """A time of the ledger, ISO 8601 in UTC, without its fractions: as `stamp` writes it and as people read it."""
    return stamp(datetime.fromisoformat(when)) if when else ""


def today() -> date:
    """The calendar day where the machine stands; consents run from day to day of the people concerned."""
    return datetime.now().astimezone().date()
