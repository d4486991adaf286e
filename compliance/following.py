"""Reads a ledger forward, each entry once for a process: what the log itself says, whatever the rows of a home say.

What is asked between two requests costs only the new entries. Recomputing every hash from the first entry on is
Ledger.verify; here each body that is used is compared with its leaf.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Self

import sqlalchemy as sa

from compliance import store
from compliance.errors import LedgerBroken
from compliance.ledger import PRUNED, Ledger
from compliance.proof import leaf_hash

Reader = Callable[[int, str, dict[str, Any]], None]
"""Takes index, time and fields of an entry."""

# How every body ends: its time, and the version that stands last in canonical order.
_TIME = re.compile(rb'"time":"([^"]+)","v":\d+\}\Z')
_TIME_BYTES = 64
_ROWS_AT_ONCE = 2000

LEAP: Final = timedelta(days=180)
"""Where two neighbouring entries lie this far apart nobody worked for half a year, or the clock was set ahead."""


class Follower:
    """Gives the entries of some kinds to their readers; `follow` first, then read the fields.

    readers: by kind. Whoever follows may rest on what is not there: a body that is missing unannounced is an error.
    """

    def __init__(self, source: Ledger | store.Store, readers: Mapping[str, Reader]) -> None:
        self._rows = source.store if isinstance(source, Ledger) else source
        self._next = 0
        self._blank: set[int] = set()
        self._pruned: list[tuple[int, int]] = []
        self._lock = threading.Lock()
        self._peaks: list[tuple[int, str]] = []
        """(index, time) of the entries that tell a later time than all entries after them."""
        self._newest = ""
        self._leaps: list[tuple[int, str, str]] = []
        """(index, time before, time) of the entries that lie LEAP after the one before them."""
        self._readers = {**readers, PRUNED: self._read_pruned}
        # Canonical JSON escapes quotes inside values, so this can stand in a body only as the kind itself.
        kinds = b"|".join(re.escape(kind.encode()) for kind in sorted(self._readers))
        self._ours = re.compile(rb'"kind":"(?:' + kinds + rb')"')

    def follow(self) -> Self:
        """Read what was added since the last call; raises LedgerBroken when entries are missing or changed."""
        with self._lock, self._rows.read() as connection:
            self._follow(connection)
        return self

    def _follow(self, connection: sa.Connection) -> None:
        entry = store.ledger_entry
        size = connection.execute(sa.select(sa.func.max(entry.c.idx))).scalar()
        count = 0 if size is None else size + 1
        if count < self._next:
            raise LedgerBroken(index=count, reason="entries are missing")
        query = (
            sa.select(entry.c.idx, entry.c.leaf, entry.c.body)
            .where(entry.c.idx >= self._next)
            .order_by(entry.c.idx)
            .execution_options(yield_per=_ROWS_AT_ONCE)
        )
        for index, leaf, body in connection.execute(query):
            if index != self._next:
                raise LedgerBroken(index=self._next, reason="the entry is missing")
            if body is None:
                self._blank.add(index)
            elif found := _TIME.search(body[-_TIME_BYTES:]):
                self._remember(index, found[1].decode())
            if body is not None and self._ours.search(body):
                if leaf_hash(body) != leaf:
                    raise LedgerBroken(index=index, reason="the entry was changed")
                self._read(index, body)
            self._next = index + 1
        # A body is removed when its time is over, and an entry says so; any other may have been a withdrawal.
        for index in sorted(self._blank):
            if not any(first <= index <= last for first, last in self._pruned):
                raise LedgerBroken(index=index, reason="the entry was removed")

    def _read(self, index: int, body: bytes) -> None:
        try:
            told = json.loads(body)
            reader = self._readers.get(told["kind"])
            if reader is not None:
                reader(index, told["time"], told["fields"])
        except (KeyError, TypeError, ValueError) as error:
            raise LedgerBroken(index=index, reason="the entry was changed") from error

    def latest_since(self, index: int) -> str:
        """The latest time that an entry tells from this one on: what a clock that was set back cannot take away.

        Entries before it say nothing: else one day with a clock far ahead would end everything that begins later.
        """
        place = bisect_left(self._peaks, (index, ""))
        return self._peaks[place][1] if place < len(self._peaks) else ""

    def leap_over(self, index: int, day: str) -> tuple[str, str] | None:
        """The times on both sides of a leap from this entry on that began by the end of a day and ended after it."""
        for at, before, after in self._leaps:
            if at >= index and before[: len(day)] <= day < after[: len(day)]:
                return before, after
        return None

    def newest_time(self) -> str:
        """What the last entry tells."""
        return self._newest

    def _remember(self, index: int, time: str) -> None:
        # Times of one month are never that far apart: hardly any have to be read.
        if self._newest and time[:7] > self._newest[:7]:
            with contextlib.suppress(ValueError):
                if datetime.fromisoformat(time) - datetime.fromisoformat(self._newest) >= LEAP:
                    self._leaps.append((index, self._newest, time))
        self._newest = time
        while self._peaks and self._peaks[-1][1] <= time:
            self._peaks.pop()
        self._peaks.append((index, time))

    def _read_pruned(self, _index: int, _when: str, fields: dict[str, Any]) -> None:
        self._pruned.append((int(fields["first"]), int(fields["last"])))
