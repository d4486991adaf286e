"""Refutation of rumours: a released id is marked, a signed notice is made, and every check answers "refuted" (DSP 11).

HOME/refuted.json is the public list: what `verify` reads, signed out and without the database. It is signed by the
home's ledger key; a list that was changed or taken away says so instead of an answer: it is there, empty, from the
home's first day. It is made anew from the database whenever it is behind, so that a crash between the two is healed at
the next refutation or start with open keys.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import rfc8785
import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature

from compliance import store
from compliance.account import Account
from compliance.cases import checked_statement
from compliance.clock import stamp
from compliance.errors import ProofInvalid, RefutedAlready, UnknownRecord
from compliance.keys import HomeKeys, PublicKeys
from compliance.ledger import Ledger
from compliance.proof import parse_vkey
from compliance.roles import Action, verify_may_in
from compliance.storage import write_atomically

LIST_FILE: Final = "refuted.json"
LIST_FORMAT: Final = "org.signet.refuted/1"
NOTICE_FORMAT: Final = "org.signet.refutation/1"
LARGEST_BYTES: Final = 16 << 20
MISSING: Final = "the list of refuted releases was taken away from its home"
TAMPERED: Final = "the list of refuted releases was changed or is not signed by its home"

_TEXT = {
    "en": (
        "REFUTATION NOTICE\n\nRelease {release} was made with AI. What is claimed with it or about it is not true.\n"
        "Reason: {reason}\nDate: {at}\nSHA-256 of the file: {file_sha256}\nIssued by: {origin}\n"
    ),
    "zh-CN": (
        "辟谣公告\n\n发布编号 {release} 的内容由人工智能生成。借此或就此所作的说法不属实。\n"
        "理由：{reason}\n日期：{at}\n文件 SHA-256：{file_sha256}\n发布方：{origin}\n"
    ),
}


@dataclass(frozen=True, slots=True)
class Refuted:
    """One refuted release. reason: written for the public; file_sha256: of the file as it was released."""

    release: str
    reason: str
    at: str
    file_sha256: str
    ledger_index: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A signed notice: its JSON to be checked by machines, its text in both languages for people."""

    refuted: Refuted
    content: dict[str, Any]
    text: str


@dataclass(frozen=True, slots=True)
class RefutationList:
    """What a home refuted, by release id; problem: a sentence when the list cannot be relied on, then it is empty."""

    origin: str
    releases: Mapping[str, Refuted]
    problem: str = ""


def refute(
    home: Path, rows: store.Store, ledger: Ledger, keys: HomeKeys, by: Account, release_id: str, reason: str
) -> Notice:
    """Mark a release of this home as refuted and publish that; for good.

    Raises RoleMissing, UnknownRecord, RefutedAlready, StatementInvalid, DiskFull, NotWritable.
    """
    reason = checked_statement(reason)
    table, releases = store.refutation, store.release
    with rows.write() as connection:
        verify_may_in(connection, by, Action.REFUTE)
        known = sa.select(releases.c.file_sha256).where(releases.c.id == release_id, releases.c.state == "released")
        if connection.execute(known).first() is None:
            raise UnknownRecord(kind="release", id=release_id)
        before = connection.execute(sa.select(table.c.at).where(table.c.release_id == release_id)).scalar()
        if before is not None:
            raise RefutedAlready(release=release_id, when=before)
        at = stamp()
        # The reason is public, but it may name people: the ledger gets its digest only.
        digest = hashlib.sha256(reason.encode()).hexdigest()
        fields = {"release": release_id, "by": by.id, "reason_sha256": digest}
        index = ledger.append(connection, "release_refuted", fields)
        connection.execute(
            sa.insert(table).values(release_id=release_id, reason=reason, by=by.id, at=at, ledger_index=index)
        )
    publish(home, rows, ledger.origin, keys)
    return notice(rows, ledger.origin, keys, release_id)


def refutations(rows: store.Store) -> list[Refuted]:
    """All refuted releases, oldest first."""
    table, releases = store.refutation, store.release
    query = (
        sa.select(table.c.release_id, table.c.reason, table.c.at, releases.c.file_sha256, table.c.ledger_index)
        .join(releases, releases.c.id == table.c.release_id)
        .order_by(table.c.ledger_index)
    )
    with rows.read() as connection:
        return [Refuted(*row) for row in connection.execute(query)]


def notice(rows: store.Store, origin: str, keys: HomeKeys, release_id: str) -> Notice:
    """The signed notice of a refuted release; raises UnknownRecord."""
    found = next((one for one in refutations(rows) if one.release == release_id), None)
    if found is None:
        raise UnknownRecord(kind="refutation", id=release_id)
    texts = {language: text.format(**asdict(found), origin=origin) for language, text in _TEXT.items()}
    content = _signed({"format": NOTICE_FORMAT, "origin": origin, **asdict(found), "text": texts}, keys)
    return Notice(found, content, f"{texts['zh-CN']}\n{texts['en']}")


def publish(home: Path, rows: store.Store, origin: str, keys: HomeKeys) -> None:
    """Write the public list as the database has it, when it is behind or was changed."""
    wanted = {one.release: one for one in refutations(rows)}
    found = read_list(home, keys.public)
    if found is not None and not found.problem and dict(found.releases) == wanted:
        return
    content = {"format": LIST_FORMAT, "origin": origin, "releases": [asdict(one) for one in wanted.values()]}
    write_atomically(home / LIST_FILE, json.dumps(_signed(content, keys), ensure_ascii=False, indent=1).encode())


def read_list(home: Path, public: PublicKeys) -> RefutationList | None:
    """The public list of a home, checked with its verifier key; None when there was none yet. Raises nothing."""
    try:
        origin, key = parse_vkey(public.ledger_vkey)
        with (home / LIST_FILE).open("rb") as stream:
            data = stream.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        return RefutationList(origin, {}, MISSING) if public.lists_refuted else None
    except (OSError, ProofInvalid):
        return RefutationList("", {}, TAMPERED)
    try:
        if len(data) > LARGEST_BYTES:
            raise ValueError("too large")
        content = json.loads(data)
        signature = base64.b64decode(content["signature"], validate=True)
        key.verify(signature, _signed_bytes(content))
        if content["format"] != LIST_FORMAT or content["origin"] != origin:
            raise ValueError("another list")
        releases = {one["release"]: Refuted(**one) for one in content["releases"]}
    except (
        InvalidSignature,
        binascii.Error,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        rfc8785.CanonicalizationError,
    ):
        return RefutationList(origin, {}, TAMPERED)
    return RefutationList(origin, releases)


def verify_notice(content: Mapping[str, Any], vkey: str) -> Refuted:
    """What a notice says, when the home with this verifier key signed it; raises ProofInvalid."""
    origin, key = parse_vkey(vkey)
    try:
        key.verify(base64.b64decode(content["signature"], validate=True), _signed_bytes(content))
        if content["format"] != NOTICE_FORMAT or content["origin"] != origin:
            raise ValueError("another notice")
        return Refuted(**{name: content[name] for name in Refuted.__slots__})
    except (InvalidSignature, binascii.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProofInvalid(reason="the notice is not signed by this home") from error


def _signed(content: dict[str, Any], keys: HomeKeys) -> dict[str, Any]:
    signature = keys.ledger_key().sign(_signed_bytes(content))
    return {**content, "signature": base64.b64encode(signature).decode()}


def _signed_bytes(content: Mapping[str, Any]) -> bytes:
    # The first line keeps these signatures apart from those over checkpoints and entries of the same key.
    unsigned = {name: value for name, value in content.items() if name != "signature"}
    return b"signet refutation/1\n" + rfc8785.dumps(unsigned)
