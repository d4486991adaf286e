"""What the readers of picture files share: what they find, how they fail, and the EXIF comment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

PictureFormat = Literal["png", "jpeg", "webp", "tiff", "gif", "avif"]


@dataclass(frozen=True, slots=True)
class Container:
    """What one picture file carries; width, height: pixels as stored.

    xmp: every XMP packet, in file order. text_aigc: the values of text fields named AIGC outside XMP (PNG text chunks,
    EXIF UserComment, GIF comments). payload_sha256: hex digest of what makes the picture and not its metadata.
    trailing_bytes: bytes after the end of the picture, or that nothing in the file speaks of. is_still: False when a
    viewer may show more than the one picture (frames, pages). damage: what salvage had to overlook; always empty
    otherwise. source_types: always empty, since pictures have XMP for that.
    """

    format: PictureFormat
    mime: str
    width: int
    height: int
    xmp: tuple[bytes, ...]
    text_aigc: tuple[bytes, ...]
    payload_sha256: str
    has_manifest: bool
    trailing_bytes: int
    is_still: bool = True
    damage: tuple[str, ...] = ()
    source_types: tuple[bytes, ...] = ()


class Broken(Exception):
    """The bytes break the format; args[0] is the reason."""


def overlook(damage: list[str] | None, reason: str) -> None:
    """Note the damage when salvaging, else give up on the file."""
    if damage is None:
        raise Broken(reason)
    damage.append(reason)


def user_comments(tiff: bytes) -> list[bytes]:
    """The EXIF UserComment when it speaks of AIGC (GB 45438-2025 Annex B); a broken EXIF block reads as none."""
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"

    def number(start: int, size: int) -> int:
        field = tiff[start : start + size]
        if len(field) < size:
            raise Broken("truncated")
        return int.from_bytes(field, order)

    def entries(start: int) -> dict[int, tuple[int, int]]:
        """Tag -> (count, offset of the value field) of one directory."""
        found: dict[int, Any] = {}
        for index in range(min(number(start, 2), 512)):
            entry = start + 2 + 12 * index
            found[number(entry, 2)] = (number(entry + 4, 4), entry + 8)
        return found

    try:
        first = entries(number(4, 4))
        if 0x8769 not in first:
            return []
        comment = entries(number(first[0x8769][1], 4)).get(0x9286)
        if comment is None:
            return []
        count, field = comment
        start = number(field, 4) if count > 4 else field
        value = tiff[start : start + count]
    except Broken:
        return []
    text = value[8:] if value[:8] in (b"ASCII\x00\x00\x00", b"UNICODE\x00") else value
    return [text.rstrip(b"\x00 ")] if b"AIGC" in text.replace(b"\x00", b"").upper() else []
