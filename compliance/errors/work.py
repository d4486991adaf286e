"""Errors of the work itself: the worker died, it was stopped, nobody foresaw it."""

from __future__ import annotations

from compliance.errors.base import ExitCode, SignetError


class WorkerDied(SignetError):
    """data: detail."""

    message = "The engine process ended before the work was done ({detail})."
    next_step = "Try again; nothing was released. If it happens again, run `signet doctor`."


class Unexpected(SignetError):
    """data: kind, report. An unknown exception, reduced to a report without media or names."""

    message = "An unexpected error happened ({kind})."
    next_step = "A report without media or names is at {report}; please send it to the makers."


class WorkStopped(SignetError):
    """The user stopped the work; raised at the door only, never an engine's failure."""

    code = ExitCode.STOPPED
    message = "Stopped; nothing was released."
    next_step = "Start again whenever you like."
