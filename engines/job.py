"""Jobs, their five events and the token that cancels them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from compliance.media import MediaInfo, SyntheticMedia


class JobState(StrEnum):
    """A job ends exactly once: finished, failed or cancelled."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Started:
    """The worker has taken the job."""


@dataclass(frozen=True, slots=True)
class Progress:
    """done of total steps; stage is an English message id ("finding faces").

    glimpse: how far a picture has come, sealed, for the worker alone: it looks at it, labels it, and sends a preview.
    """

    done: int
    total: int
    stage: str
    glimpse: SyntheticMedia | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The result lies sealed in the worker."""

    info: MediaInfo


@dataclass(frozen=True, slots=True)
class Failed:
    """error: class name of a SignetError; data: its fields."""

    error: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The user stopped the job; nothing is left of it."""


Event = Started | Progress | Finished | Failed | Cancelled
Events = Callable[[Event], None]


class JobCancelled(Exception):
    """Leaves an engine when its token was cancelled; not a SignetError, since cancel is not an error."""


class CancelToken:
    """Set from any thread; an engine calls `check` between stages and steps."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the engine to stop at its next check."""
        self._event.set()

    def check(self) -> None:
        """Raise JobCancelled when the user has asked to stop."""
        if self._event.is_set():
            raise JobCancelled

    def wait(self, timeout_s: float) -> bool:
        """Sleep for timeout_s or until cancelled; True when cancelled."""
        return self._event.wait(timeout_s)
