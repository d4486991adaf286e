"""Where an opened home key waits between two commands: the desktop's keyring, else the kernel's, else nowhere.

The desktop keyring is the Secret Service, Keychain or Credential Locker through `keyring`. Without one, Linux keeps the
key in kernel memory (keyrings(7)), where it dies with the last process of the user or after its time. Without either,
the password is asked for again; the key is never put into a file.
"""

from __future__ import annotations

import base64
import ctypes
import os
import platform
import sys
from typing import ClassVar, Protocol

_SERVICE = "signet-studio"


class SessionKeyring(Protocol):
    """Holds one secret a home for a while."""

    name: str

    def put(self, home_id: str, key: bytes, lifetime_s: int) -> None:
        """Hold the key; OSError when that fails."""

    def get(self, home_id: str) -> bytes | None:
        """The key, or None when it is not there any more."""

    def drop(self, home_id: str) -> None:
        """Forget the key; no error when it is not there."""


class DesktopKeyring:
    """The keyring of the desktop session."""

    name = "desktop keyring"

    def put(self, home_id: str, key: bytes, lifetime_s: int) -> None:
        """Hold the key until it is dropped; the session file carries the end of its life."""
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.set_password(_SERVICE, home_id, base64.b64encode(key).decode())
        except KeyringError as error:
            raise OSError("the keyring refused") from error

    def get(self, home_id: str) -> bytes | None:
        """The key, or None."""
        import keyring
        from keyring.errors import KeyringError

        try:
            value = keyring.get_password(_SERVICE, home_id)
        except KeyringError:
            return None
        return base64.b64decode(value) if value else None

    def drop(self, home_id: str) -> None:
        """Forget the key."""
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.delete_password(_SERVICE, home_id)
        except KeyringError:
            pass


class KernelKeyring:
    """The user keyring of the Linux kernel."""

    name = "kernel keyring"
    _USER = ctypes.c_int(-4)
    _UNLINK, _SEARCH, _READ, _SETPERM, _TIMEOUT = 9, 10, 11, 5, 15
    # Numbers of add_key and keyctl by machine; other machines go without.
    _SYSCALLS: ClassVar = {"x86_64": (248, 250), "aarch64": (217, 219)}

    def __init__(self) -> None:
        self._add_key, self._keyctl = self._SYSCALLS[platform.machine()]
        self._libc = ctypes.CDLL(None, use_errno=True)

    def _call(self, *arguments: object) -> int:
        result = int(self._libc.syscall(*arguments))
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result

    def _find(self, home_id: str) -> int:
        return self._call(self._keyctl, self._SEARCH, self._USER, b"user", f"{_SERVICE}:{home_id}".encode(), 0)

    def put(self, home_id: str, key: bytes, lifetime_s: int) -> None:
        """Hold the key in kernel memory for lifetime_s."""
        name = f"{_SERVICE}:{home_id}".encode()
        serial = self._call(self._add_key, b"user", name, key, len(key), self._USER)
        # Possessor and user may view, read, search and change; nobody else.
        self._call(self._keyctl, self._SETPERM, serial, 0x3F3F0000)
        self._call(self._keyctl, self._TIMEOUT, serial, lifetime_s)

    def get(self, home_id: str) -> bytes | None:
        """The key, or None."""
        try:
            serial = self._find(home_id)
            buffer = ctypes.create_string_buffer(64)
            length = self._call(self._keyctl, self._READ, serial, buffer, len(buffer))
        except OSError:
            return None
        return buffer.raw[:length]

    def drop(self, home_id: str) -> None:
        """Forget the key."""
        try:
            self._call(self._keyctl, self._UNLINK, self._find(home_id), self._USER)
        except OSError:
            pass


def find_keyring() -> SessionKeyring | None:
    """The first keyring that works here, or None."""
    if sys.platform != "linux" or os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        import keyring

        backend = keyring.get_keyring()
        if backend.priority >= 1:
            return DesktopKeyring()
    if sys.platform == "linux" and platform.machine() in KernelKeyring._SYSCALLS:
        kernel = KernelKeyring()
        try:
            kernel.put("probe", b"probe", 5)
        except OSError:
            return None
        if kernel.get("probe") == b"probe":
            return kernel
    return None
