"""Errors of this machine: device, display, memory, disk."""

from __future__ import annotations

from compliance.errors.base import ExitCode, SignetError


class DeviceUnavailable(SignetError):
    """data: device."""

    code = ExitCode.DEVICE
    message = "The device {device} cannot be used."
    next_step = "Run `signet doctor` to see what is there, or choose the processor."


class DisplayMissing(SignetError):
    """No screen for the window."""

    code = ExitCode.DEVICE
    message = "There is no display, so the window cannot open."
    next_step = "Use the commands (`signet --help`), or start Signet from a desktop."


class OutOfMemory(SignetError):
    """data: stage."""

    code = ExitCode.MEMORY
    message = "The memory did not suffice ({stage})."
    next_step = "Close other programs or use a smaller picture."


class TooManyFilesOpen(SignetError):
    """The system lets this process open nothing more."""

    code = ExitCode.MEMORY
    message = "The system lets Signet open no more files."
    next_step = "Close other programs, or raise the limit (`ulimit -n`), and try again."


class DiskError(SignetError):
    """The place to write to cannot be used."""

    code = ExitCode.DISK


class OutputUnwritable(DiskError):
    """data: reason. The standard output takes nothing."""

    message = "What the command has to say cannot be written to the standard output ({reason})."
    next_step = "Send it elsewhere and ask again; what was done until now stands, see `signet ledger show`."


class DiskFull(DiskError):
    """data: path."""

    message = "There is no space left at {path}."
    next_step = "Free some space; nothing was lost and nothing was left behind."


class NotWritable(DiskError):
    """data: path, reason."""

    message = "{path} cannot be written ({reason})."
    next_step = "Choose another folder or change its permissions."


class TargetExists(DiskError):
    """data: path."""

    message = "{path} is already there."
    next_step = "Choose another name, or allow it with --overwrite."


class TargetStays(TargetExists):
    """data: path. Here nothing is ever replaced."""

    next_step = "Choose another name; nothing is replaced here."


class DestinationUnsuitable(DiskError):
    """data: path."""

    message = "A finished file cannot be put into {path}: its file system has no hard links, or forbids them."
    next_step = "Release to a folder on a local disk and copy the finished file from there."


class HomeUnusable(DiskError):
    """data: path, reason."""

    message = "The home folder {path} cannot be used ({reason})."
    next_step = "Point --home or SIGNET_HOME to a folder of your own on a local disk."


class HomeNewer(HomeUnusable):
    """data: path, reason. An older program would not understand it, and so it changes nothing there."""

    next_step = "Bring Signet up to date; nothing in the home was changed. Another home: --home or SIGNET_HOME."
