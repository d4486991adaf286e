"""The root of the errors: what every error carries, and the codes of the command line."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, ClassVar


class ExitCode(IntEnum):
    """What the command line answers to the shell."""

    OK = 0
    ERROR = 1
    USAGE = 2
    BLOCKED = 3
    STOPPED = 4
    CONSENT = 5
    ACCOUNT = 6
    LABEL = 7
    MODEL = 8
    DEVICE = 9
    MEMORY = 10
    DISK = 11
    LICENCE = 12


class SignetError(Exception):
    """Base of all expected errors; `data` fills the fields of `message` and `next_step`."""

    code: ClassVar[ExitCode] = ExitCode.ERROR
    message: ClassVar[str] = "Something went wrong."
    next_step: ClassVar[str] = "Run `signet doctor` and try again."

    def __init__(self, **data: Any) -> None:
        self.data = data
        super().__init__(self.message.format(**data))

    @property
    def name(self) -> str:
        """The class name: what a machine reader matches on."""
        return type(self).__name__


def registry() -> dict[str, type[SignetError]]:
    """All error classes by name, so that an error can cross a process border as data."""
    found: dict[str, type[SignetError]] = {}
    pending: list[type[SignetError]] = [SignetError]
    while pending:
        kind = pending.pop()
        found[kind.__name__] = kind
        pending.extend(kind.__subclasses__())
    return found
