"""Sealed blobs at rest: evidence of consent lies here, AES-256-GCM under the home's vault key, named by its digest."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance.errors import HomeUnusable, KeysDamaged
from compliance.keys import HomeKeys
from compliance.storage import refuse_exhausted, write_atomically


def put(home: Path, keys: HomeKeys, data: bytes) -> str:
    """Seal data and return its SHA-256 (hex), which is also its name."""
    digest = hashlib.sha256(data).hexdigest()
    folder = home / "vault"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise HomeUnusable(path=home, reason=(error.strerror or "unknown").lower()) from error
    nonce = secrets.token_bytes(12)
    sealed = nonce + AESGCM(keys.vault_key()).encrypt(nonce, data, digest.encode())
    write_atomically(folder / f"{digest}.sealed", sealed)
    return digest


def get(home: Path, keys: HomeKeys, digest: str) -> bytes:
    """Open a sealed blob; raises KeysDamaged when it is gone or touched."""
    path = home / "vault" / f"{digest}.sealed"
    try:
        sealed = path.read_bytes()
        return AESGCM(keys.vault_key()).decrypt(sealed[:12], sealed[12:], digest.encode())
    except (OSError, InvalidTag, ValueError) as error:
        if isinstance(error, OSError):
            refuse_exhausted(error)
        raise KeysDamaged(path=path) from error


def drop(home: Path, digest: str) -> None:
    """Take a sealed blob away for good; no error when it is not there."""
    (home / "vault" / f"{digest}.sealed").unlink(missing_ok=True)
