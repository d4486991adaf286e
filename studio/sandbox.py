"""Takes rights away from the worker process: it may compute, but neither write files nor use the network.

Landlock (kernel 5.13 and later) leaves the file system readable where the program and its libraries lie and writable
nowhere; a seccomp filter refuses new sockets, new programs and looking into other processes. Files come and go as
descriptors that the parent opened. What could not be taken away is reported and lowers the assurance word.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 4, 38, 22
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_READ = _EXECUTE | _READ_FILE | _READ_DIR


@dataclass(frozen=True, slots=True)
class Confinement:
    """What holds the worker: landlock is the kernel's ABI number (0: none), seccomp whether the filter is in force."""

    landlock: int
    seccomp: bool

    @property
    def is_complete(self) -> bool:
        """Whether files and network are both out of reach."""
        return self.landlock > 0 and self.seccomp


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def readable_folders() -> list[Path]:
    """Where the program, its libraries and the system's own files lie."""
    here = Path(__file__).resolve().parent.parent
    system = (Path(name) for name in ("/usr", "/lib", "/lib64", "/etc", "/proc", "/sys/devices/system"))
    libraries = (Path(entry) for entry in sys.path if entry)
    folders = [here, Path(sys.prefix), Path(sys.base_prefix), *libraries, *system]
    return [folder for folder in dict.fromkeys(folders) if folder.exists()]


def _landlock(libc: ctypes.CDLL, readable: Sequence[Path]) -> int:
    abi = int(libc.syscall(_LANDLOCK_CREATE, None, 0, 1))
    if abi <= 0:
        return 0
    # Rights known to each ABI (linux/landlock.h): 13 at first, REFER, TRUNCATE, then IOCTL_DEV.
    handled = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)) - 1
    fields = [handled, *([3] if abi >= 4 else []), *([3] if abi >= 6 else [])]
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = int(libc.syscall(_LANDLOCK_CREATE, attributes, len(attributes), 0))
    if ruleset < 0:
        return 0
    try:
        rules = [(folder, _READ) for folder in (*readable_folders(), *readable)]
        rules += [(Path(name), _READ_FILE | _WRITE_FILE) for name in ("/dev/null", "/dev/urandom")]
        for path, rights in rules:
            if not path.exists():
                continue
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = struct.pack("=Qi", rights & handled, descriptor)
            added = libc.syscall(_LANDLOCK_ADD, ruleset, 1, rule, 0)
            os.close(descriptor)
            if added != 0:
                return 0
        return abi if libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0) == 0 else 0
    finally:
        os.close(ruleset)


class _Filter:
    """The numbers of the refused calls by machine, from the kernel's tables."""

    # socket, connect, bind, execve, execveat, ptrace, process_vm_readv, process_vm_writev, io_uring_setup
    CALLS: ClassVar = {
        "x86_64": (0xC000003E, (41, 42, 49, 59, 322, 101, 310, 311, 425)),
        "aarch64": (0xC00000B7, (198, 203, 200, 221, 281, 117, 270, 271, 425)),
    }
    LOAD, EQUAL, ABOVE, RETURN = 0x20, 0x15, 0x35, 0x06
    ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ERRNO with EPERM


def _seccomp(libc: ctypes.CDLL) -> bool:
    known = _Filter.CALLS.get(platform.machine())
    if known is None:
        return False
    architecture, calls = known
    step = struct.Struct("=HBBI").pack
    count = len(calls)
    # After the last comparison comes "allow"; every jump lands on the refusal behind it.
    program = [
        step(_Filter.LOAD, 0, 0, 4),  # the architecture
        step(_Filter.EQUAL, 0, count + 3, architecture),
        step(_Filter.LOAD, 0, 0, 0),  # the number of the call
        step(_Filter.ABOVE, count + 1, 0, 0x40000000),  # the x32 table would go round the numbers
        *(step(_Filter.EQUAL, count - place, 0, call) for place, call in enumerate(calls)),
        step(_Filter.RETURN, 0, 0, _Filter.ALLOW),
        step(_Filter.RETURN, 0, 0, _Filter.REFUSE),
    ]
    code = ctypes.create_string_buffer(b"".join(program))
    block = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code))
    return bool(libc.prctl(_PR_SET_SECCOMP, 2, ctypes.create_string_buffer(block), 0, 0) == 0)


def _close_memory(libc: ctypes.CDLL) -> None:
    """Keep results that are not labelled yet out of core files and from the user's other programs.

    A process that is not dumpable has no core written, by whatever the system does with cores, and its memory in /proc
    is not open to others of the same user (prctl(2)).
    """
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def confine(readable: Sequence[Path] = ()) -> Confinement:
    """Take the rights away from this process and its threads to come; call it before the first foreign byte.

    readable: further folders that may be read, where they exist.
    """
    if sys.platform != "linux":
        return Confinement(0, False)
    libc = _libc()
    _close_memory(libc)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return Confinement(0, False)
    return Confinement(_landlock(libc, readable), _seccomp(libc))
