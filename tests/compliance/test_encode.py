"""The media encoders."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from compliance import encode
from compliance.containers import read_container
from compliance.destination import format_of
from compliance.errors import DiskFull, FormatUnsupported, NotWritable, SignetError
from tests.compliance.labels.pictures import XMP, decoded, scene


@pytest.mark.parametrize("path", ["a", "a.bmp", "a.png.zip", "png", "folder.png/x", "a.jpgx", ""])
def test_other_endings_are_refused(path: str) -> None:
    """Only the endings of the table are released, and the message names them."""
    with pytest.raises(FormatUnsupported) as caught:
        format_of(Path(path))
    assert ".png" in caught.value.data["supported"]


@pytest.mark.parametrize(("path", "form"), [("a.png", "png"), ("b/c.JPG", "jpeg"), ("x.y.Jpeg", "jpeg")])
def test_endings_choose_the_format(path: str, form: str) -> None:
    """In any case of letters."""
    assert format_of(Path(path)) == form


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EROFS, NotWritable),
        (errno.EACCES, NotWritable),
        (errno.EIO, NotWritable),
    ],
)
def test_a_refusing_disk_has_its_own_error(
    number: int, expected: type[SignetError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system says becomes one of ours."""

    def refuse(*_: object) -> int:
        raise OSError(number, "no")

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(expected):
        encode.write_all(1, b"x")


def test_a_full_device_is_told() -> None:
    """The kernel's own full device."""
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(DiskFull):
            encode.write_all(descriptor, b"x")
    finally:
        os.close(descriptor)


def test_short_writes_are_continued(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is lost when the system takes the bytes piecemeal."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data[:3])))
    descriptor = os.open(tmp_path / "f", os.O_WRONLY | os.O_CREAT)
    encode.write_all(descriptor, b"0123456789")
    os.close(descriptor)
    assert (tmp_path / "f").read_bytes() == b"0123456789"


def test_png_keeps_every_pixel_and_jpeg_nearly() -> None:
    """PNG is exact, in the file and in the preview; JPEG stays close and keeps full colour resolution."""
    pixels = scene(150, 100)
    assert np.array_equal(decoded(encode.encode_picture(pixels, "png", XMP)), pixels)
    assert np.array_equal(decoded(encode.encode_preview(pixels)), pixels)
    jpeg = encode.encode_picture(pixels, "jpeg", XMP)
    assert np.abs(decoded(jpeg).astype(int) - pixels).mean() < 4
    frame = jpeg.index(b"\xff\xc0")
    assert jpeg[frame + 11] == 0x11, "the luma sampling factors are 1×1: no chroma subsampling"


def test_the_same_pixels_give_the_same_bytes() -> None:
    """No clock and no chance in the encoders."""
    pixels = scene(80, 60)
    for form in ("png", "jpeg"):
        assert encode.encode_picture(pixels, form, XMP) == encode.encode_picture(pixels, form, XMP)


def test_a_preview_carries_no_metadata() -> None:
    """The preview is pixels only."""
    assert read_container("p", encode.encode_preview(scene(80, 60))).xmp == ()
