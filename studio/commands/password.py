"""Where a password comes from: a file, standard input, the variable SIGNET_PASSWORD_FILE, or a prompt. Never argv."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from compliance.errors import FileMissing, PasswordMissing, PasswordUnreadable
from studio.text import _

VARIABLE = "SIGNET_PASSWORD_FILE"
_LIMIT_BYTES = 4096
_LIMIT_CHARACTERS = 1024
_PROMPTS = 3


def source_named(password_file: str | None) -> str | None:
    """The file to read: the option, else the variable; None when neither names one."""
    return password_file or os.environ.get(VARIABLE) or None


def can_ask() -> bool:
    """Whether a person sits at the terminal."""
    return sys.stdin.isatty()


def ask_password(password_file: str | None, account: str, confirm: bool = False) -> str:
    """The password of one line. confirm: a prompt asks twice.

    Raises FileMissing, PasswordUnreadable, PasswordMissing.
    """
    named = source_named(password_file)
    if named == "-":
        return _one_line(sys.stdin.buffer.read(_LIMIT_BYTES + 1), _("the standard input"))
    if named is not None:
        return _read(Path(named))
    if not can_ask():
        raise PasswordMissing
    for _attempt in range(_PROMPTS):
        password = getpass.getpass(_("Password of {account}: ", account=account))
        if not confirm or password == getpass.getpass(_("Once more: ")):
            return password
        print(_("The two are not the same; try again."), file=sys.stderr)
    raise PasswordMissing


def ask_new_password(password_file: str | None, account: str) -> str:
    """A new password: from its own file, else asked for twice; the file of the old one is not taken.

    Raises FileMissing, PasswordUnreadable, PasswordMissing.
    """
    if password_file is not None:
        return read_line(password_file)
    if not can_ask():
        raise PasswordMissing
    for _attempt in range(_PROMPTS):
        password = getpass.getpass(_("New password of {account}: ", account=account))
        if password == getpass.getpass(_("Once more: ")):
            return password
        print(_("The two are not the same; try again."), file=sys.stderr)
    raise PasswordMissing


def ask_code(account: str) -> str:
    """The digits of the second factor, asked for at the terminal."""
    return getpass.getpass(_("Code of {account}: ", account=account))


def read_line(named: str) -> str:
    """One line that shall not stand on a command line, from a file, or from the standard input for "-".

    Raises FileMissing, PasswordUnreadable.
    """
    if named == "-":
        return _one_line(sys.stdin.buffer.read(_LIMIT_BYTES + 1), _("the standard input"))
    return _read(Path(named))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return _one_line(file.read(_LIMIT_BYTES + 1), str(path))
    except FileNotFoundError as error:
        raise FileMissing(path=path) from error
    except OSError as error:
        raise PasswordUnreadable(path=path) from error


def _one_line(data: bytes, name: str) -> str:
    if len(data) > _LIMIT_BYTES:
        raise PasswordUnreadable(path=name)
    try:
        text = data.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise PasswordUnreadable(path=name) from error
    if not text or len(text) > _LIMIT_CHARACTERS or not text.isprintable():
        raise PasswordUnreadable(path=name)
    return text
