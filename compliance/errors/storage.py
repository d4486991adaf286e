"""Errors of keys and of the database."""

from __future__ import annotations

from compliance.errors.base import SignetError


class KeysDamaged(SignetError):
    """data: path."""

    message = "The key file {path} is missing or damaged."
    next_step = "Restore the home folder from a backup; released files stay verifiable."


class Shredded(SignetError):
    """data: owner. The key of this person or account was destroyed; what was sealed with it is gone for good."""

    message = "What was kept about {owner} was erased for good."
    next_step = "It cannot be brought back; if the person agrees again, record them anew."


class StoreDamaged(SignetError):
    """data: path, reason."""

    message = "The database {path} is damaged ({reason})."
    next_step = "Keep the file as it is and restore the home folder from a backup; released files stay verifiable."


class RowMissing(StoreDamaged):
    """data: path, kind, id."""

    message = "The ledger tells of {kind} {id}, and the database {path} does not hold it any more."


class RowChanged(StoreDamaged):
    """data: path, kind, id."""

    message = "What the database {path} says about {kind} {id} is not what the ledger tells."


class StoreBusy(SignetError):
    """data: path."""

    message = "Another Signet is keeping the database {path} busy."
    next_step = "Wait until it is done, then try again."
