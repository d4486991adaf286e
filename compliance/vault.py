"""Sealed blobs at rest: evidence of consent lies here, AES-256-GCM under the data key of the person it is about.

A blob is named by its owner and its digest. Erasing a person destroys that key: a copy of a blob, in a backup or on a
disk that keeps what was deleted, opens no more. Blobs of earlier versions lie under the home's own key; they are read.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance.data_keys import open_bytes, seal_bytes
from compliance.errors import HomeUnusable, KeysDamaged
from compliance.keys import HomeKeys
from compliance.storage import refuse_exhausted, write_atomically


def put(home: Path, owner: str, key: bytes, data: bytes) -> str:
    """Seal data under its owner's data key (compliance.data_keys) and return its SHA-256 (hex)."""
    digest = hashlib.sha256(data).hexdigest()
    folder = home / "vault"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise HomeUnusable(path=home, reason=(error.strerror or "unknown").lower()) from error
    write_atomically(folder / _name(owner, digest), seal_bytes(key, data, _context(owner, digest)))
    return digest


def get(home: Path, owner: str, key: bytes, digest: str, keys: HomeKeys | None = None) -> bytes:
    """Open a sealed blob; keys: open one of an earlier version. Raises KeysDamaged when it is gone or touched."""
    path, earlier = home / "vault" / _name(owner, digest), home / "vault" / f"{digest}.sealed"
    try:
        if keys is not None and not path.exists():
            sealed = earlier.read_bytes()
            return AESGCM(keys.vault_key()).decrypt(sealed[:12], sealed[12:], digest.encode())
        return open_bytes(key, path.read_bytes(), _context(owner, digest))
    except (OSError, InvalidTag, ValueError) as error:
        if isinstance(error, OSError):
            refuse_exhausted(error)
        raise KeysDamaged(path=path) from error


def drop_all(home: Path, owner: str) -> None:
    """Take everything away that lies here for an owner; no error where there is nothing."""
    for path in (home / "vault").glob(_name(owner, "*")):
        path.unlink(missing_ok=True)


def drop(home: Path, digest: str) -> None:
    """Take a blob of an earlier version away for good; no error when it is not there."""
    (home / "vault" / f"{digest}.sealed").unlink(missing_ok=True)


def _name(owner: str, digest: str) -> str:
    return f"{owner}.{digest}.sealed"


def _context(owner: str, digest: str) -> str:
    return f"evidence {owner} {digest}"
