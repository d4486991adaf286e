"""Foreign pictures: read small, upright, within limits."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from compliance.errors import FileMissing, NotAPicture
from studio.window.pictures import read_thumbnail, sha256_of
from tests.studio.fake_workshop import draw_picture


def _bomb(path: Path, side: int) -> Path:
    """A PNG that claims side × side pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    )
    return path


def test_a_missing_file_is_said(tmp_path: Path, qapp: object) -> None:
    """Neither thumbnail nor digest of nothing."""
    with pytest.raises(FileMissing):
        read_thumbnail(tmp_path / "gone.png")
    with pytest.raises(FileMissing):
        sha256_of(tmp_path / "gone.png")


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused(tmp_path: Path, qapp: object, content: bytes) -> None:
    """Empty, text, and a signature alone."""
    path = tmp_path / "file.png"
    path.write_bytes(content)
    with pytest.raises(NotAPicture):
        read_thumbnail(path)


def test_a_bomb_is_refused_by_the_allocation_limit(tmp_path: Path, qapp: object) -> None:
    """30,000 × 30,000 pixels are never allocated."""
    with pytest.raises(NotAPicture):
        read_thumbnail(_bomb(tmp_path / "bomb.png", 30_000))


def test_a_turned_photograph_stands_upright(tmp_path: Path, qapp: object) -> None:
    """The orientation in the file is followed, and the size is that of the upright picture."""
    path = tmp_path / "turned.jpg"
    with Image.open(draw_picture(tmp_path / "plain.png")) as picture:
        exif = picture.getexif()
        exif[0x0112] = 6
        picture.save(path, exif=exif)
    thumbnail = read_thumbnail(path, 200)
    assert (thumbnail.width, thumbnail.height) == (480, 640)
    assert (thumbnail.image.width(), thumbnail.image.height()) == (150, 200)
