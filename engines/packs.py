"""Model packs: a folder with a manifest that names every file by its SHA-256; verified before every load.

Only formats that cannot run code are taken: safetensors and ONNX for weights, plain text and JSON beside them. A file
that the manifest does not name, a link, a pickle or a bent safetensors header refuses the whole pack. Nothing is
written here; studio.packs brings packs into a home.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from compliance.errors import PackDamaged, PackForeign, PackMissing

MANIFEST = "pack.json"
WEIGHTS = frozenset({".safetensors", ".onnx"})
TEXTS = frozenset({".json", ".txt", ".md", ".yaml", ".yml", ".model", ".vocab", ".jinja", ".jsonl"})
_ID = re.compile(r"[a-z0-9][a-z0-9.\-_]{1,63}")
_LARGEST_HEADER, _MOST_TENSORS, _LARGEST_MANIFEST = 10 << 20, 50_000, 4 << 20
_READ_BYTES = 1 << 20
# Bytes of one element by the names that safetensors gives (its format description); halves of a byte as fractions.
_ELEMENT_BYTES = {
    **dict.fromkeys(("F64", "I64", "U64"), 8.0),
    **dict.fromkeys(("F32", "I32", "U32"), 4.0),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2.0),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "I8", "U8", "BOOL"), 1.0),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 0.75),
    "F4": 0.5,
    "C64": 8.0,
}


class LicenceClass(StrEnum):
    """What a pack's licence allows, as far as the gate has to know."""

    OPEN = "open"
    RESPONSIBLE_USE = "responsible-use"
    NON_COMMERCIAL = "non-commercial"
    RESEARCH_ONLY = "research-only"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ModelPack:
    """One pack as its manifest describes it. files: POSIX path inside the folder → SHA-256 (hex)."""

    id: str
    kind: str
    title: str
    version: str
    licence: str
    licence_class: LicenceClass
    source: str
    files: Mapping[str, str]
    folder: Path
    options: Mapping[str, Any] = field(default_factory=dict)

    def digest(self) -> str:
        """SHA-256 (hex) over kind, licence and files: what a request names, so that a permit means these weights."""
        about = {
            "id": self.id,
            "kind": self.kind,
            "licence": self.licence,
            "licence_class": self.licence_class.value,
            "files": dict(self.files),
            "options": dict(self.options),
        }
        return hashlib.sha256(json.dumps(about, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def manifest(self) -> dict[str, Any]:
        """The content of pack.json."""
        return {
            "schema": "signet.pack/1",
            "id": self.id,
            "kind": self.kind,
            "title": self.title,
            "version": self.version,
            "licence": self.licence,
            "licence_class": self.licence_class.value,
            "source": self.source,
            "files": dict(self.files),
            "options": dict(self.options),
        }

    def path(self, name: str) -> Path:
        """One file of the pack; raises PackDamaged for a name that the manifest does not hold."""
        if name not in self.files:
            raise PackDamaged(pack=self.id, file=name, reason="not in the manifest")
        return self.folder / name

    def verify(self) -> None:
        """Check every file of the folder against the manifest and its format; raises PackDamaged, PackForeign."""
        present = {name for name, _ in walk(self.folder, self.id)} - {MANIFEST}
        for name in sorted(present - set(self.files)):
            raise PackDamaged(pack=self.id, file=name, reason="not in the manifest")
        for name, expected in self.files.items():
            if name not in present:
                raise PackDamaged(pack=self.id, file=name, reason="missing")
            path = self.folder / name
            verify_format(path, name, self.id)
            if sha256_of(path) != expected:
                raise PackDamaged(pack=self.id, file=name, reason="changed")


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def walk(folder: Path, pack: str) -> Iterator[tuple[str, Path]]:
    """(POSIX name, path) of every file below a folder; raises PackForeign for links, devices and odd names."""
    for place, folders, files in os.walk(folder, followlinks=False):
        for name in sorted([*folders, *files]):
            path = Path(place) / name
            inside = path.relative_to(folder).as_posix()
            kind = path.lstat().st_mode
            if stat.S_ISLNK(kind) or not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
                raise PackForeign(pack=pack, file=inside, reason="a link or device")
            if stat.S_ISREG(kind):
                yield inside, path


def verify_format(path: Path, name: str, pack: str) -> None:
    """Raise PackForeign unless the file is of a kind that cannot run code and, for weights, is well formed."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".safetensors":
        read_safetensors_header(path, name, pack)
    elif suffix == ".onnx" or suffix in TEXTS:
        _refuse_disguised(path, name, pack)
    else:
        raise PackForeign(pack=pack, file=name, reason="only safetensors, ONNX and text files are taken")


def _refuse_disguised(path: Path, name: str, pack: str) -> None:
    with path.open("rb") as stream:
        head = stream.read(4)
    # Pickle protocols 2 to 5 begin with 0x80 and their number; PyTorch's newer files are ZIP archives.
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        raise PackForeign(pack=pack, file=name, reason="a pickle in disguise")
    if head == b"PK\x03\x04":
        raise PackForeign(pack=pack, file=name, reason="an archive in disguise")


def read_safetensors_header(path: Path, name: str, pack: str) -> dict[str, Any]:
    """The header of a safetensors file, checked: size, JSON, every tensor's bytes inside the file, without overlap.

    Raises PackForeign. Source of the limits: the format's own description (header at most 100 MB; ours is lower).
    """

    def refuse(reason: str) -> PackForeign:
        return PackForeign(pack=pack, file=name, reason=reason)

    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= min(_LARGEST_HEADER, size - 8):
            raise refuse("a safetensors header of impossible length")
        text = stream.read(length)
    try:
        header = json.loads(text)
    except ValueError as error:
        raise refuse("an unreadable safetensors header") from error
    if not isinstance(header, dict) or len(header) > _MOST_TENSORS:
        raise refuse("an unreadable safetensors header")
    spans = []
    for tensor, about in header.items():
        if tensor == "__metadata__":
            continue
        try:
            start, end = about["data_offsets"]
            count = 1
            for side in about["shape"]:
                if not isinstance(side, int) or side < 0:
                    raise ValueError
                count *= side
            expected = count * _ELEMENT_BYTES[about["dtype"]]
        except (KeyError, TypeError, ValueError) as error:
            raise refuse("a tensor without shape, type or place") from error
        if not (isinstance(start, int) and isinstance(end, int)) or not 0 <= start <= end <= size - 8 - length:
            raise refuse("a tensor outside the file")
        if end - start != -(-expected // 1):
            raise refuse("a tensor whose size does not fit its shape")
        spans.append((start, end))
    spans.sort()
    if any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans)):
        raise refuse("tensors that overlap")
    return header


def read_pack(folder: Path) -> ModelPack:
    """Read the manifest of a pack folder, without checking its files; raises PackMissing, PackDamaged."""
    path = folder / MANIFEST
    try:
        if path.stat().st_size > _LARGEST_MANIFEST:
            raise ValueError("too large")
        data = json.loads(path.read_bytes())
        pack = ModelPack(
            id=str(data["id"]),
            kind=str(data["kind"]),
            title=str(data["title"]),
            version=str(data["version"]),
            licence=str(data["licence"]),
            licence_class=LicenceClass(data["licence_class"]),
            source=str(data["source"]),
            files={str(name): str(digest) for name, digest in data["files"].items()},
            folder=folder,
            options=dict(data.get("options", {})),
        )
    except FileNotFoundError as error:
        raise PackMissing(pack=folder.name) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackDamaged(pack=folder.name, file=MANIFEST, reason="unreadable") from error
    if data.get("schema") != "signet.pack/1" or pack.id != folder.name or not is_pack_id(pack.id):
        raise PackDamaged(pack=folder.name, file=MANIFEST, reason="not the manifest of this pack")
    for name in pack.files:
        parts = PurePosixPath(name).parts
        if not parts or PurePosixPath(name).is_absolute() or ".." in parts or "\\" in name or name == MANIFEST:
            raise PackDamaged(pack=pack.id, file=name, reason="a name that leaves the folder")
    return pack


def is_pack_id(text: str) -> bool:
    """Whether a text may name a pack: 2 to 64 lower-case letters, digits, dots, dashes, underscores."""
    return _ID.fullmatch(text) is not None


def load_pack(folder: Path) -> ModelPack:
    """Read and verify a pack; the only way an engine gets at one. Raises PackMissing, PackDamaged, PackForeign."""
    pack = read_pack(folder)
    pack.verify()
    return pack


_ROOT: list[Path] = []


def keep_packs_in(folder: Path) -> None:
    """Where this process finds packs by their ids: the folder `packs` of the home, told to the worker at its start."""
    _ROOT[:] = [folder]


def folders() -> list[Path]:
    """The folder that keep_packs_in named, for the sandbox to leave it readable."""
    return list(_ROOT)


def pack_named(pack_id: str) -> ModelPack:
    """The manifest of a pack by its id; the caller verifies before it loads. Raises PackMissing, PackDamaged."""
    if not _ROOT or not is_pack_id(pack_id) or not (_ROOT[0] / pack_id).is_dir():
        raise PackMissing(pack=pack_id or "-")
    return read_pack(_ROOT[0] / pack_id)
