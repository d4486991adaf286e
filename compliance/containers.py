"""Our own reader of picture bytes: what is in the file, without trusting any library that wrote it.

It shares no code with the encoders, so what it finds after a release is evidence. Each format has its own module;
places of the labels: Adobe XMP Specification Part 3, C2PA 2.2 Annex A, GB 45438-2025 with TC260-PG-20259A.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from compliance.containers_avif import avif_manifest, is_avif, read_avif
from compliance.containers_gif import gif_manifest, is_gif, read_gif
from compliance.containers_jpeg import jpeg_manifest, read_jpeg
from compliance.containers_parts import Broken, Container, PictureFormat
from compliance.containers_png import PNG_SIGNATURE, png_manifest, read_png
from compliance.containers_tiff import is_tiff, read_tiff, tiff_manifest
from compliance.containers_webp import is_webp, read_webp, webp_manifest
from compliance.errors import NotAPicture

__all__ = ["Container", "PictureFormat", "manifest_store", "read_container"]


class _Reader(NamedTuple):
    is_mine: Callable[[bytes], bool]
    read: Callable[[bytes, list[str] | None], Container]
    manifest: Callable[[bytes], bytes]


_READERS = (
    _Reader(lambda data: data.startswith(PNG_SIGNATURE), read_png, png_manifest),
    _Reader(lambda data: data.startswith(b"\xff\xd8"), read_jpeg, jpeg_manifest),
    _Reader(is_webp, read_webp, webp_manifest),
    _Reader(is_tiff, read_tiff, tiff_manifest),
    _Reader(is_gif, read_gif, gif_manifest),
    _Reader(is_avif, read_avif, avif_manifest),
)


def read_container(name: str, data: bytes, *, salvage: bool = False) -> Container:
    """Take a picture file apart; with salvage, read a damaged one as far as it goes and say what is damaged.

    name is only for the message. The payload digest covers all that changes the picture and none of its metadata, so
    neither an XMP packet nor a C2PA manifest changes it. Raises NotAPicture for anything malformed.
    """
    reader = next((reader for reader in _READERS if reader.is_mine(data)), None)
    if reader is None:
        raise NotAPicture(path=name, reason="neither PNG nor JPEG nor WebP, TIFF, GIF, AVIF" if data else "empty file")
    try:
        return reader.read(data, [] if salvage else None)
    except Broken as error:
        raise NotAPicture(path=name, reason=error.args[0]) from error


def manifest_store(data: bytes) -> bytes:
    """The C2PA manifest store of a picture file as one piece; empty when there is none or the file is malformed."""
    reader = next((reader for reader in _READERS if reader.is_mine(data)), None)
    try:
        return reader.manifest(data) if reader is not None else b""
    except Broken:
        return b""
