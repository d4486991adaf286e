"""The database of a home: a SQLite file or a PostgreSQL server, and which of them.

Only one machine may use a home's folder, so network file systems are refused. Which database a home uses is said by
HOME/store.json, {"url": "postgresql+psycopg://user@host/name"}; without that file it is HOME/signet.db. No password
stands there: libpq finds it (PGPASSFILE, PGPASSWORD), or the server knows the user by other means.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path
from typing import Final

from compliance.database import HEAD, Home, HomeKind, Store, bring_up_to_date, utc_now, utc_text
from compliance.errors import HomeUnusable
from compliance.sqlite import DATABASE_NAME, open_sqlite
from compliance.storage import refuse_exhausted
from compliance.tables import (
    account,
    account_role,
    agreement,
    assignment,
    case_event,
    case_file,
    checkpoint,
    consent_event,
    consent_grant,
    consent_withdrawal,
    cosignature,
    data_key,
    fingerprint,
    home,
    identity_proof,
    ledger_entry,
    ledger_node,
    metadata,
    nonce,
    operator_profile,
    permit_use,
    proposal,
    pruned,
    refutation,
    release,
    sanction,
    session_state,
    subject,
    template,
    totp_used,
    witness,
)

__all__ = [
    "DATABASE_NAME",
    "HEAD",
    "NETWORK_FILE_SYSTEMS",
    "SETTINGS_NAME",
    "Home",
    "HomeKind",
    "Store",
    "account",
    "account_role",
    "agreement",
    "assignment",
    "case_event",
    "case_file",
    "checkpoint",
    "consent_event",
    "consent_grant",
    "consent_withdrawal",
    "cosignature",
    "data_key",
    "file_system_of",
    "fingerprint",
    "home",
    "identity_proof",
    "ledger_entry",
    "ledger_node",
    "metadata",
    "nonce",
    "open_store",
    "operator_profile",
    "permit_use",
    "proposal",
    "pruned",
    "refutation",
    "release",
    "sanction",
    "session_state",
    "subject",
    "template",
    "totp_used",
    "utc_now",
    "utc_text",
    "witness",
]

SETTINGS_NAME: Final = "store.json"

NETWORK_FILE_SYSTEMS: Final = frozenset(
    {"9p", "afs", "ceph", "cifs", "coda", "davfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
    | {f"fuse.{name}" for name in ("ceph", "davfs2", "glusterfs", "juicefs", "rclone", "s3fs", "smbnetfs", "sshfs")}
)
"""File systems as /proc/mounts names them, whose files may change under another machine's hand."""

_MOUNTS = Path("/proc/mounts")


def open_store(home: Path, url: str | None = None) -> Store:
    """Open the database of a home folder; a new home is made with its tables, an old one brought up to date.

    url: a PostgreSQL database, "postgresql+psycopg://user@host/name"; None takes what HOME/store.json says, or the file
    in the home. The folder is made with mode 0700 where the one above it is there, the file has mode 0600. Raises
    HomeUnusable (read-only, not a folder, on a network file system, made by a newer Signet, no such server),
    StoreDamaged (not our database, or unreadable), DiskFull, StoreBusy.
    """
    folder = home.expanduser().absolute()
    url = url or _settled_url(folder)
    store: Store
    _prepare_folder(folder)
    if url is None:
        store = open_sqlite(folder)
    else:
        # Imported here: the driver is an extra, and a home on a file does not pay for it.
        from compliance.postgres import PostgresStore

        if (folder / DATABASE_NAME).exists():
            raise HomeUnusable(path=str(folder), reason="it has a database of its own beside the server's")
        store = PostgresStore(folder, url)
    try:
        bring_up_to_date(store)
    except BaseException:
        store.close()
        raise
    return store


def _settled_url(folder: Path) -> str | None:
    """What HOME/store.json says; None when there is no such file."""
    try:
        url = json.loads((folder / SETTINGS_NAME).read_bytes())["url"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, OSError):
            refuse_exhausted(error)
        raise HomeUnusable(path=str(folder), reason="store.json names no database") from error
    if not isinstance(url, str) or not url:
        raise HomeUnusable(path=str(folder), reason="store.json names no database")
    return url


def _prepare_folder(folder: Path) -> None:
    """Make the folder where it is missing, and refuse a place where a database would not be safe."""
    try:
        _refuse_network(folder, next(one for one in [folder, *folder.parents] if one.exists()))
        if not folder.parent.exists():
            # A mistyped place, or a disk that is not mounted: a home there would be a new one, and soon hidden.
            raise HomeUnusable(path=str(folder), reason="the folder above it is not there")
        folder.mkdir(mode=0o700, exist_ok=True)
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise HomeUnusable(path=str(folder), reason="it is read-only")
        _close_to_others(folder)
    except FileExistsError as error:
        raise HomeUnusable(path=str(folder), reason="it is not a folder") from error
    except OSError as error:
        raise HomeUnusable(path=str(folder), reason=error.strerror or "it cannot be made") from error


def _close_to_others(folder: Path) -> None:
    """A folder that somebody made for a new home is closed to everybody else; one with things in it stays as it is."""
    if folder.stat().st_mode & 0o077 and not any(folder.iterdir()):
        # Whoever may write here without owning the folder cannot close it; the files inside are closed all the same.
        with contextlib.suppress(PermissionError):
            folder.chmod(0o700)


def _refuse_network(folder: Path, existing: Path) -> None:
    try:
        mounts = _MOUNTS.read_text(errors="surrogateescape")
    except OSError:  # not Linux: the kind of the file system is not told
        return
    kind = file_system_of(existing.resolve(), mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        raise HomeUnusable(path=str(folder), reason=f"it lies on a network file system, {kind}")


def file_system_of(path: Path, mounts: str) -> str:
    """The kind of file system that holds an absolute path, from the text of /proc/mounts; "" when none is named."""
    kind, depth = "", -1
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        # Spaces and backslashes in a mount point are written as octal numbers (proc(5), getmntent(3)).
        point = Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[1]))
        # A later line hides an earlier one at the same place.
        if path.is_relative_to(point) and len(point.parts) >= depth:
            kind, depth = fields[2], len(point.parts)
    return kind
