"""What every command goes through: its home, the workshop, the password when the keys are locked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from compliance.errors import CodeNeeded, PartNotInstalled, SessionLocked, StepUpNeeded
from studio.commands.password import ask_code, ask_password, can_ask, source_named
from studio.text import N_

if TYPE_CHECKING:
    from studio.workshop import Workshop

Answer = TypeVar("Answer")

# Where none of these is there, the light set was installed, which checks files; one that is lost has its own sentence.
_OF_THE_REST = ("onnxruntime", "torch", "PySide6")

JsonOption = Annotated[bool, typer.Option("--json", help=N_("Print JSON lines on standard output and nothing else."))]
PasswordOption = Annotated[
    str | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help=N_("Read the password from this file; - reads the standard input. Also: SIGNET_PASSWORD_FILE."),
    ),
]
CodeOption = Annotated[
    str | None,
    typer.Option("--code", metavar="DIGITS", help=N_("The code that the authenticator shows, where there is one.")),
]


@dataclass(frozen=True, slots=True)
class Call:
    """The options before the command. home: None means SIGNET_HOME or the system's place for program data."""

    home: Path | None = None


def call_of(context: typer.Context) -> Call:
    """The global options of a running command."""
    found = context.find_object(Call)
    return found if found is not None else Call()


@contextmanager
def opened(context: typer.Context) -> Iterator[Workshop]:
    """The workshop of this command's home; closed at the end. Raises PartNotInstalled where the rest was left out."""
    if not any(_is_installed(name) for name in _OF_THE_REST):
        raise PartNotInstalled(part=_OF_THE_REST[0])
    from studio.workshop import Workshop

    with Workshop.open(call_of(context).home) as workshop:
        yield workshop


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:
        return False


def with_keys(workshop: Workshop, password_file: str | None, act: Callable[[], Answer]) -> Answer:
    """Do something that may need keys or a fresh password: then ask for it once, and for a code, and do it again.

    Raises what act raises; SessionLocked, StepUpNeeded and CodeNeeded when there is nowhere to ask.
    """
    try:
        return act()
    except SessionLocked as error:
        if source_named(password_file) is None and not can_ask():
            raise
        locked: SessionLocked = error
    session = workshop.session()
    name = session.username if session else ""
    password = ask_password(password_file, name)
    if not isinstance(locked, StepUpNeeded):
        workshop.unlock(password)
        try:
            return act()
        except StepUpNeeded:
            # A password alone opens the keys; where there is a second factor, a heavy step wants that as well.
            pass
    with_code(name, None, lambda code: workshop.members.step_up(password, code))
    return act()


def with_code(account: str, given: str | None, act: Callable[[str | None], Answer]) -> Answer:
    """Do something that may want a code of the second factor; ask for it where nobody gave one.

    Raises what act raises; CodeNeeded when there is nowhere to ask.
    """
    try:
        return act(given)
    except CodeNeeded:
        if given is not None or not can_ask():
            raise
        return act(ask_code(account))


def unlocked_if_named(workshop: Workshop, password_file: str | None) -> None:
    """Open the keys when a password file is named; listings show more then, and go on without it."""
    session = workshop.session()
    if session is not None and not session.unlocked and source_named(password_file) is not None:
        workshop.unlock(ask_password(password_file, session.username))


def home_folder(home: Path | None) -> Path:
    """Where this call keeps its data: --home, SIGNET_HOME, or the system's place for program data."""
    if home is not None:
        return home
    from studio.checking import default_home

    return default_home()


def split_words(values: list[str]) -> tuple[str, ...]:
    """Option values given several times, separated by commas, or both: each once, in order."""
    words = (word.strip() for value in values for word in value.split(","))
    return tuple(dict.fromkeys(word for word in words if word))
