"""Complaints from outside: a small signed file that anybody can make, and its reading here (DSP 12).

The complainant signs with a key made for this one file, which shows that the answer reaches whoever complained and that
nobody changed a word on the way; it does not say who they are. A complaint without a signature needs a contact and is
marked so. Everything in such a file is a stranger's claim: it is measured before it is parsed, and kept sealed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from compliance.account import Account
from compliance.cases import LONGEST_STATEMENT, Case, CaseBook, CaseKind, checked_statement
from compliance.clock import stamp
from compliance.errors import (
    ComplaintInvalid,
    ComplaintKnown,
    ComplaintUnclear,
    FileMissing,
    StatementInvalid,
    UnknownRecord,
)
from compliance.keys import HomeKeys
from compliance.ledger import Ledger
from compliance.roles import Action, verify_may_in
from compliance.store import Store

FORMAT: Final = "org.signet.complaint/1"
LARGEST_BYTES: Final = 64 * 1024
LONGEST_CONTACT: Final = 200
CATEGORIES: Final = ("my likeness", "my voice", "false information", "unlawful content", "label missing", "other")
_REQUIRED = {"format", "category", "release", "statement", "contact", "made_at", "nonce"}
_SIGNED = {"key", "signature"}
_RELEASE = re.compile(r"[0-9a-f]{16}")
_NONCE = re.compile(r"[0-9a-f]{32}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a complaint file says. release: an id of ours, or "". sha256: of the file. is_signed: a signature holds."""

    category: str
    release: str
    statement: str
    contact: str
    made_at: str
    is_signed: bool
    sha256: str


def complaint_file(
    *,
    category: str,
    statement: str,
    release: str = "",
    contact: str = "",
    key: Ed25519PrivateKey | None = None,
) -> bytes:
    """The bytes of a complaint file; key: made for this file alone, None for an unsigned one, which needs a contact.

    Raises ComplaintUnclear for what a reader would refuse.
    """
    content: dict[str, Any] = {
        "format": FORMAT,
        "category": category,
        "release": release,
        "statement": statement.strip(),
        "contact": contact.strip(),
        "made_at": stamp(),
        "nonce": secrets.token_hex(16),
    }
    try:
        if key is not None:
            content["key"] = base64.b64encode(key.public_key().public_bytes_raw()).decode()
            content["signature"] = base64.b64encode(key.sign(_signed_bytes(content))).decode()
        data = json.dumps(content, ensure_ascii=False, indent=1).encode()
        read_complaint(Path("complaint"), data)
    except (UnicodeEncodeError, rfc8785.CanonicalizationError) as error:
        raise ComplaintUnclear(reason="it holds signs that are no text") from error
    except ComplaintInvalid as error:
        raise ComplaintUnclear(reason=error.data["reason"]) from error
    return data


def load_complaint(path: Path) -> Complaint:
    """Read a complaint file; raises FileMissing, ComplaintInvalid."""
    try:
        if not path.is_file() and path.exists():
            raise ComplaintInvalid(path=path, reason="it is not a file")
        with path.open("rb") as stream:
            data = stream.read(LARGEST_BYTES + 1)
    except FileNotFoundError as error:
        raise FileMissing(path=path) from error
    except OSError as error:
        raise ComplaintInvalid(path=path, reason=(error.strerror or "unknown").lower()) from error
    return read_complaint(path, data)


def read_complaint(path: Path, data: bytes) -> Complaint:
    """Read the bytes of a complaint; path only names it. Raises ComplaintInvalid on anything that is not one."""

    if len(data) > LARGEST_BYTES:
        raise ComplaintInvalid(path=path, reason="it is too large")
    try:
        content = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ComplaintInvalid(path=path, reason="it is not readable JSON") from error
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise ComplaintInvalid(path=path, reason="it is not an object of texts")
    if content.get("format") != FORMAT:
        raise ComplaintInvalid(path=path, reason="its format is not known")
    if content.keys() - _SIGNED != _REQUIRED or content.keys() & _SIGNED not in (set(), _SIGNED):
        raise ComplaintInvalid(path=path, reason="fields are missing or unknown")
    if content["category"] not in CATEGORIES:
        raise ComplaintInvalid(path=path, reason="its category is not known")
    if content["release"] and not _RELEASE.fullmatch(content["release"]):
        raise ComplaintInvalid(path=path, reason="it names no release")
    if not _TIME.fullmatch(content["made_at"]) or not _NONCE.fullmatch(content["nonce"]):
        raise ComplaintInvalid(path=path, reason="its time or its number is not well formed")
    if not _is_day(content["made_at"]):
        raise ComplaintInvalid(path=path, reason="its time or its number is not well formed")
    contact = content["contact"]
    if len(contact) > LONGEST_CONTACT or not (contact.isprintable() or contact == ""):
        raise ComplaintInvalid(path=path, reason="its contact is not one line of text")
    try:
        statement = checked_statement(content["statement"])
    except StatementInvalid as error:
        raise ComplaintInvalid(path=path, reason=error.data["reason"]) from error
    if "signature" in content:
        _verify_signature(content, path)
    elif not contact:
        raise ComplaintInvalid(path=path, reason="it is neither signed nor does it name a contact")
    return Complaint(
        content["category"],
        content["release"],
        statement,
        contact,
        content["made_at"],
        "signature" in content,
        hashlib.sha256(data).hexdigest(),
    )


def import_complaint(rows: Store, ledger: Ledger, keys: HomeKeys, by: Account, path: Path) -> Case:
    """Make a case of a complaint file; a release of another home is kept in the text, ours also as the case's own.

    Raises FileMissing, ComplaintInvalid, ComplaintKnown, RoleMissing, StatementInvalid.
    """
    complaint = load_complaint(path)
    book = CaseBook(rows, ledger)
    known = book.known_complaint(complaint.sha256)
    if known is not None:
        raise ComplaintKnown(path=path, case=known)
    head = [
        f"category: {complaint.category}",
        f"release: {complaint.release or '-'}",
        f"contact: {complaint.contact or '-'}",
        f"made at: {complaint.made_at}",
        f"signed: {'yes' if complaint.is_signed else 'no'}",
    ]
    text = "\n".join([*head, "", complaint.statement])[:LONGEST_STATEMENT]
    with rows.write() as connection:
        verify_may_in(connection, by, Action.OPEN_CASE)
        options: dict[str, Any] = {
            "by": by.id,
            "keys": keys,
            "rule": f"complaint/{complaint.category}",
            "text": text,
            "writer": "outside",
            "note": ("complaint", complaint.sha256),
        }
        try:
            made = book.open_case_in(connection, CaseKind.COMPLAINT, release_id=complaint.release or None, **options)
        except UnknownRecord:
            made = book.open_case_in(connection, CaseKind.COMPLAINT, **options)
    return book.case(made, keys)


def _signed_bytes(content: Mapping[str, Any]) -> bytes:
    unsigned = {name: value for name, value in content.items() if name != "signature"}
    return b"signet complaint/1\n" + rfc8785.dumps(unsigned)


def _verify_signature(content: Mapping[str, str], path: Path) -> None:
    try:
        key, signature = (base64.b64decode(content[name], validate=True) for name in ("key", "signature"))
        Ed25519PublicKey.from_public_bytes(key).verify(signature, _signed_bytes(content))
    except (InvalidSignature, ValueError, binascii.Error, rfc8785.CanonicalizationError) as error:
        raise ComplaintInvalid(path=path, reason="its signature does not hold") from error


def _is_day(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(_name: str) -> Any:
    raise ValueError("not JSON")
