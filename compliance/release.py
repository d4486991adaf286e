"""Second half of a release, the one way out. Trusts nothing of the first half.

The protocol, in this order:
 1. the destination is looked at and the permit checked once more,
 2. the draft is prepared in the worker, which tells the digest of the picture,
 3. intent: one transaction enters the release, uses up the permit and appends the intent to the ledger,
 4. the `.part` is opened in the destination folder; the worker writes into the descriptor; fsync,
 5. the part is read back and every layer measured from its bytes,
 6. the credential is signed over those bytes, with the proof of the intent entry inside, into a `.seal` file,
 7. the sealed file is read back and verified as a stranger would; its digest is entered,
 8. a no-replace link (or, with overwrite, a rename) gives it its name; the folder is made durable,
 9. commit: the ledger binds the finished file; a checkpoint is signed.
Formats that cannot hold a credential get it beside them, as NAME.c2pa: both files are written, read back and named
together, the credential first, and recovery finishes or takes back both.
An entry before a file: a crash may leave an entry without a file, never a file without an entry. Recovery at start
finishes what was linked and rolls back everything else.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from compliance import certificates, ledger_mark, operator_profile, store
from compliance.account import Account
from compliance.clock import stamp
from compliance.destination import beside, format_of, place_of, verify_destination, verify_kind
from compliance.errors import (
    DestinationUnsuitable,
    LabelTooWeak,
    SignetError,
    StoreDamaged,
    TargetExists,
)
from compliance.fingerprint.registry import FilmPrints, Prints, enter
from compliance.fingerprint.taking import prints_of
from compliance.gate import Gate
from compliance.imports import read_imports
from compliance.inspection import verify_draft, verify_sealed
from compliance.keys import HomeKeys
from compliance.labels import credential
from compliance.labels.policy import (
    BESIDE,
    FORMATS,
    Drafter,
    LabelPlan,
    Language,
    MediaFormat,
    Prepared,
    system_version,
)
from compliance.labels.styles import USUAL, LabelChoice
from compliance.ledger import Ledger
from compliance.material import Material
from compliance.media import MediaInfo
from compliance.permit import Claim, Permit
from compliance.reading import read_media
from compliance.storage import disk_error, fsync_folder, head_last
from compliance.store import Store

# A finished file is read whole; nothing the house makes comes near this.
# Names of hidden files are made of it, and recovery removes those: nothing but this may stand there.
_RELEASE_ID = re.compile(r"[0-9a-f]{16}")
_LARGEST_BYTES = 1 << 30
_LARGEST_BESIDE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Released:
    """A finished release."""

    id: str
    path: Path
    format: str
    file_sha256: str
    created_at: str
    state: str
    consents: tuple[str, ...]
    ledger_index: int


class Releaser:
    """Releases for one home."""

    def __init__(self, home: Path, home_id: str, demo: bool, rows: Store, ledger: Ledger, gate: Gate) -> None:
        self._home, self._home_id, self._demo = home, home_id, demo
        self._rows, self._ledger, self._gate = rows, ledger, gate

    @contextmanager
    def _alone(self, *, wait: bool) -> Iterator[bool]:
        """One release or recovery at a time in a home, over all processes; the lock dies with its holder."""
        descriptor = os.open(self._home / "release.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(descriptor)

    def plan(
        self,
        info: MediaInfo,
        media_format: MediaFormat,
        language: Language = "zh",
        choice: LabelChoice = USUAL,
    ) -> LabelPlan:
        """The labels of the next release."""
        return LabelPlan(
            release_id=secrets.token_hex(8),
            format=media_format,
            producer=operator_profile.producer_of(self._rows, self._home_id),
            origin=info.origin,
            sample=self._demo,
            version=system_version(),
            language=language,
            style=choice.style,
            position=choice.position,
            jurisdiction=choice.jurisdiction,
        )

    def release(
        self,
        *,
        permit: Permit,
        claim: Claim,
        account: Account,
        keys: HomeKeys,
        info: MediaInfo,
        materials: Sequence[Material],
        drafter: Drafter,
        out: Path,
        overwrite: bool = False,
        assurance: str = "self",
        language: Language = "zh",
        choice: LabelChoice = USUAL,
    ) -> Released:
        """Run the protocol; returns when the file stands under its name, or raises and leaves nothing behind.

        language: of the words spoken in sound; that they are spoken is no choice. choice: presets of the drawn label,
        which only add.
        """
        out = place_of(out)
        with self._alone(wait=True):
            # 1. destination and permit
            verify_destination(out, overwrite)
            verify_kind(out, info)
            plan = self.plan(info, format_of(out), language, choice)
            self._gate.verify_for_release(permit, claim, account)
            ledger_mark.verify(self._home, self._ledger)
            keys = certificates.up_to_date(self._home, self._rows, self._ledger, keys)
            # 2. draft
            prepared = drafter.prepare(plan)
            # 3. intent
            index = self._intend(permit, claim, account, plan, prepared, info, out, overwrite)
            try:
                # 4. part
                data = self._draft_into(_part(out, plan.release_id), drafter, out)
                # 5. measure
                film = FilmPrints()
                pixels = verify_draft(data, plan, prepared, film.add)
                with ThreadPoolExecutor(1) as thread:
                    prints = thread.submit(prints_of, data, pixels, film.prints())
                    # 6. sign
                    signed, aside = self._sign(data, plan, claim, info, materials, keys, index, assurance)
                    verify_sealed(signed, plan, prepared, keys, aside)
                # 7. read back what stands on disk
                digest = self._seal(signed, aside, out, plan.release_id, prints.result())
                # 8. link, unless a consent was withdrawn while the file was being made
                self._gate.verify_still_live(claim)
                self._link(out, plan.release_id, overwrite)
            except BaseException as error:
                if self._roll_back(plan.release_id) == "released" and isinstance(error, Exception):
                    return self.released(plan.release_id)
                raise
            # 9. commit
            return self._commit(plan.release_id, digest, Ledger(self._rows, self._ledger.origin, keys.ledger_key()))

    def _intend(
        self,
        permit: Permit,
        claim: Claim,
        account: Account,
        plan: LabelPlan,
        prepared: Prepared,
        info: MediaInfo,
        out: Path,
        overwrite: bool,
    ) -> int:
        with self._rows.write() as connection:
            index = self._ledger.append(
                connection,
                "release_intended",
                {
                    "release": plan.release_id,
                    "payload_sha256": prepared.payload_sha256,
                    "format": plan.format,
                    "origin": plan.origin,
                    "function": claim.function,
                    "engine": f"{info.engine}/{info.engine_version}",
                    "purpose": claim.purpose,
                    "consents": list(claim.consents),
                    "account": account.id,
                    "permit": permit.permit_id,
                    "sample": plan.sample,
                    **({"declared_nobody": True} if any(use.likeness == "nobody" for use in claim.uses) else {}),
                },
            )
            connection.execute(
                insert(store.permit_use).values(
                    permit_id=permit.permit_id, request_sha256=claim.request_sha256, used_at=stamp()
                )
            )
            connection.execute(
                insert(store.release).values(
                    id=plan.release_id,
                    state="intended",
                    permit_id=permit.permit_id,
                    account_id=account.id,
                    consents=json.dumps(list(claim.consents)),
                    target_path=os.fspath(out),
                    part_path=os.fspath(_part(out, plan.release_id)),
                    overwrite=int(overwrite),
                    format=plan.format,
                    payload_sha256=prepared.payload_sha256,
                    intent_index=index,
                    created_at=stamp(),
                )
            )
        return index

    def _draft_into(self, part: Path, drafter: Drafter, out: Path) -> bytes:
        try:
            descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise disk_error(error, out.parent) from error
        try:
            drafter.write(descriptor)
            os.fsync(descriptor)
            return _read_all(descriptor)
        except OSError as error:
            raise disk_error(error, out.parent) from error
        finally:
            os.close(descriptor)

    def _sign(
        self,
        data: bytes,
        plan: LabelPlan,
        claim: Claim,
        info: MediaInfo,
        materials: Sequence[Material],
        keys: HomeKeys,
        index: int,
        assurance: str,
    ) -> tuple[bytes, bytes | None]:
        """The signed file, and what has to stand beside it where its format cannot hold a credential."""
        proof = Ledger(self._rows, self._ledger.origin, keys.ledger_key()).proof(index)
        relationship = {"target": "parentOf", "source": "componentOf"}
        imported = read_imports(materials, info.marks_read, keys.public.roots())
        recipe = credential.Recipe(
            title=f"release {plan.release_id}",
            mime=FORMATS[plan.format].mime,
            origin=plan.origin,
            engine=info.engine,
            engine_version=info.engine_version,
            when=stamp(),
            ingredients=tuple(
                credential.Ingredient(item.role, item.mime, item.data, relationship[item.role])  # type: ignore[arg-type]  # both values are of the literal
                for item in sorted(materials, key=lambda item: item.role == "source")
                # A mask says where; it is no part of what is seen.
                if item.role != "mask"
            ),
            evidence={
                "release": plan.release_id,
                "consents": list(claim.consents),
                "ledger_index": index,
                "ledger_vkey": keys.public.ledger_vkey,
                "proof": proof.to_json(),
                **({"imported": imported} if imported else {}),
            },
            assurance=assurance,
        )
        if plan.format in BESIDE:
            return data, credential.sign_beside(data, recipe, keys.leaf_key(), keys.chain_pem())
        return credential.sign(data, recipe, keys.leaf_key(), keys.chain_pem()), None

    def _seal(self, signed: bytes, aside: bytes | None, out: Path, release_id: str, prints: Prints) -> str:
        path = _seal_path(out, release_id)
        try:
            digest = _write_synced(path, signed)
            if aside is not None:
                _write_synced(beside(path), aside)
            os.unlink(_part(out, release_id))
        except OSError as error:
            raise disk_error(error, out.parent) from error
        with self._rows.write() as connection:
            connection.execute(
                update(store.release).where(store.release.c.id == release_id).values(state="sealed", file_sha256=digest)
            )
            enter(connection, release_id, prints)
        return digest

    def _link(self, out: Path, release_id: str, overwrite: bool) -> None:
        seal = _seal_path(out, release_id)
        try:
            # The copy beside the seal stays until the file has its name: by it recovery knows what is ours.
            if beside(seal).exists():
                _put(beside(seal), beside(out), overwrite)
                fsync_folder(out.parent)
            if overwrite:
                os.replace(seal, out)
            else:
                os.link(seal, out)
                os.unlink(seal)
            _remove(beside(seal))
            fsync_folder(out.parent)
        except FileExistsError as error:
            raise TargetExists(path=out) from error
        except PermissionError as error:
            raise DestinationUnsuitable(path=out.parent) from error
        except OSError as error:
            raise disk_error(error, out.parent) from error

    def _commit(self, release_id: str, digest: str, ledger: Ledger) -> Released:
        table = store.release
        with self._rows.write() as connection:
            row = connection.execute(select(table).where(table.c.id == release_id)).mappings().one()
            index = ledger.append(
                connection,
                "released",
                {"release": release_id, "file_sha256": digest, "intent_index": row["intent_index"]},
            )
            connection.execute(
                update(table)
                .where(table.c.id == release_id)
                .values(state="released", release_index=index, finished_at=stamp())
            )
        if ledger.can_sign:
            ledger.checkpoint()
        ledger_mark.leave(self._home, ledger)
        return self.released(release_id)

    def _roll_back(self, release_id: str) -> str:
        """Take back everything before the file had its name; a file that already stands is finished instead.

        Returns the state it ends in: "released", "rolled_back", or "open" when the home cannot be written now and the
        next start has to settle it.
        """
        try:
            with self._rows.read() as connection:
                row = connection.execute(select(store.release).where(store.release.c.id == release_id)).mappings().one()
            return self._settle(dict(row))
        except (OSError, SignetError, SQLAlchemyError):
            return "open"

    def _settle(self, row: dict[str, Any]) -> str:
        """Finish or roll back one open release; idempotent. Returns the state it ends in."""
        if not _RELEASE_ID.fullmatch(row["id"]):
            raise StoreDamaged(path=self._home, reason="a release has an impossible id")
        out = Path(row["target_path"])
        seal = _seal_path(out, row["id"])
        if row["state"] == "sealed" and _is_file_with(out, row["file_sha256"]):
            self._verify_entered(row, out)
            _remove(seal)
            _remove(beside(seal))
            self._commit(row["id"], row["file_sha256"], self._ledger)
            return "released"
        if _is_same(beside(seal), beside(out)):
            if row["state"] == "sealed" and row["overwrite"] and _is_file_with(seal, row["file_sha256"]):
                # The old credential beside the old file is gone already: only forward leads to two that fit.
                os.replace(seal, out)
                fsync_folder(out.parent)
                return self._settle(row)
            _remove(beside(out))
        for leftover in (_part(out, row["id"]), beside(seal), _second_name(beside(seal))):
            _remove(leftover)
        _remove(seal)
        if out.parent.is_dir():
            fsync_folder(out.parent)
        with self._rows.write() as connection:
            self._ledger.append(connection, "release_rolled_back", {"release": row["id"]})
            connection.execute(
                update(store.release)
                .where(store.release.c.id == row["id"])
                .values(state="rolled_back", finished_at=stamp())
            )
        return "rolled_back"

    def _verify_entered(self, row: dict[str, Any], path: Path) -> None:
        """Raise StoreDamaged unless the log names this release and the file shows what was entered there.

        A row alone is no release: whoever writes one into the database gets no entry for a file of his own.
        """
        entries = self._ledger.entries(row["intent_index"], row["intent_index"] + 1)
        fields = entries[0]["fields"] if entries and entries[0]["kind"] == "release_intended" else {}
        try:
            shown = read_media(path.name, path.read_bytes()).payload_sha256
        except SignetError:
            shown = ""
        if fields.get("release") != row["id"] or fields.get("payload_sha256") != shown:
            raise StoreDamaged(path=self._home, reason="a release stands in it that was never entered")

    def recover(self) -> list[str]:
        """Settle every release a crash left open; returns their ids. Does nothing while another process releases."""
        table = store.release
        query = select(table).where(table.c.state.in_(("intended", "sealed")))
        with self._rows.read() as connection:
            if connection.execute(query).first() is None:
                return []
        with self._alone(wait=False) as alone:
            if not alone:
                return []
            with self._rows.read() as connection:
                open_rows = [dict(row) for row in connection.execute(query).mappings()]
            return [row["id"] for row in open_rows if self._is_settled(row)]

    def _is_settled(self, row: dict[str, Any]) -> bool:
        """Settle one open release; False when the disk does not let it, which the next start tries again."""
        try:
            self._settle(row)
        except OSError:
            return False
        return True

    def releases(self) -> list[Released]:
        """All finished releases, oldest first."""
        table = store.release
        query = select(table).where(table.c.state == "released").order_by(table.c.release_index)
        with self._rows.read() as connection:
            return [_released(dict(row)) for row in connection.execute(query).mappings()]

    def from_log(
        self, release_id: str, form: str, file_sha256: str, when: str, consents: tuple[str, ...], index: int
    ) -> Released:
        """A finished release whose row is lost, as the ledger tells it: nobody knows its path any more."""
        path = Path("…", f"{release_id}.{form}")
        return Released(release_id, path, form, file_sha256, when, "released", consents, index)

    def released(self, release_id: str) -> Released:
        """One finished release."""
        return next(item for item in self.releases() if item.id == release_id)


def _released(row: dict[str, Any]) -> Released:
    return Released(
        id=row["id"],
        path=Path(row["target_path"]),
        format=row["format"],
        file_sha256=row["file_sha256"],
        created_at=row["created_at"],
        state=row["state"],
        consents=tuple(json.loads(row["consents"])),
        ledger_index=row["release_index"],
    )


def _part(out: Path, release_id: str) -> Path:
    return out.with_name(f".signet-{release_id}.part")


def _seal_path(out: Path, release_id: str) -> Path:
    return out.with_name(f".signet-{release_id}.seal")


def _read_all(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    if size > _LARGEST_BYTES:
        raise LabelTooWeak(layer="container", reason="larger than anything the house makes")
    pieces, offset = [], 0
    while piece := os.pread(descriptor, 1 << 20, offset):
        pieces.append(piece)
        offset += len(piece)
    return b"".join(pieces)


def _write_synced(path: Path, data: bytes) -> str:
    """Make a new file, read it back and return its digest; raises OSError, LabelTooWeak."""
    digest = hashlib.sha256(data).hexdigest()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        for rest in head_last(descriptor, data):
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        os.fchmod(descriptor, 0o666 & ~_umask())
        os.fsync(descriptor)
        if hashlib.sha256(_read_all(descriptor)).hexdigest() != digest:
            raise LabelTooWeak(layer="credential", reason="the disk gave back other bytes than were written")
    finally:
        os.close(descriptor)
    return digest


def _put(source: Path, target: Path, overwrite: bool) -> None:
    """Give a file a second name; with overwrite, whatever had that name gives way at once."""
    if not overwrite:
        os.link(source, target)
        return
    second = _second_name(source)
    _remove(second)
    os.link(source, second)
    os.replace(second, target)
    # Renaming one name of a file onto another name of the same file does nothing (rename(2)).
    _remove(second)


def _second_name(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _is_same(ours: Path, there: Path) -> bool:
    """Whether two names mean the same bytes; False when either is missing. Raises OSError as _is_file_with."""
    try:
        if ours.stat().st_size > _LARGEST_BESIDE_BYTES:
            return False
        digest = hashlib.sha256(ours.read_bytes()).hexdigest()
    except FileNotFoundError:
        return False
    return _is_file_with(there, digest)


def _is_file_with(path: Path, digest: str | None) -> bool:
    """Whether a name means a file of this content.

    Raises OSError when the disk does not say: what cannot be read now may be ours, and is settled at another time.
    """
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    if not stat.S_ISREG(mode):
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):
        # A file that we made can be read by us.
        return False
    try:
        return hashlib.sha256(_read_all(descriptor)).hexdigest() == digest
    except SignetError:
        return False
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        pass


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current
