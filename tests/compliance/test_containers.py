"""The reader of PNG and JPEG bytes."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from compliance.containers import Container, read_container
from compliance.encode import encode_picture
from compliance.errors import NotAPicture
from tests.compliance.labels.pictures import (
    XMP,
    jpeg_bytes,
    noise,
    png_bytes,
    png_chunk,
    scene,
    with_jpeg_segment,
    with_png_chunk,
)

PIXELS = scene(120, 96)
PNG = encode_picture(PIXELS, "png", XMP)
JPEG = encode_picture(PIXELS, "jpeg", XMP)
PROGRESSIVE = jpeg_bytes(noise(64, 48), progressive=True, restart_marker_blocks=2)


def reason(data: bytes) -> str:
    """Why the bytes are refused."""
    with pytest.raises(NotAPicture) as caught:
        read_container("p", data)
    assert caught.value.data["path"] == "p"
    return str(caught.value.data["reason"])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty file"),
        (b"BM" + bytes(40), "neither PNG nor JPEG nor WebP, TIFF, GIF, AVIF"),
        (PNG[:-1], "truncated"),
        (PNG[: len(PNG) // 2], "truncated"),
        (PNG[:8], "truncated"),
        (PNG[:8] + png_chunk(b"IEND", b""), "no header"),
        (PNG[:33] + png_chunk(b"IEND", b""), "no picture data"),
        (PNG[:8] + png_chunk(b"IHDR", bytes(13)), "no size"),
        (PNG[:33] + PNG[8:], "two headers"),
        (PNG[:100] + bytes((PNG[100] ^ 1,)) + PNG[101:], "damaged chunk"),
        (with_png_chunk(PNG, b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(9 << 20))), "a text field is too large"),
        (JPEG[:-2], "truncated"),
        (JPEG[:2], "truncated"),
        (JPEG[:2] + b"\xff\xd9", "no picture data"),
        (JPEG[:2] + b"\x00" + JPEG[2:], "damaged segment"),
        (b"\xff\xd8\xff\xda\x00\x02\xff\xd9", "no header"),
    ],
)
def test_malformed_bytes_are_refused_with_their_reason(data: bytes, expected: str) -> None:
    """Each kind of damage has its own word."""
    assert reason(data) == expected


@settings(max_examples=150, deadline=None)
@given(
    base=st.sampled_from([PNG, JPEG, PROGRESSIVE]),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    cut=st.floats(0, 1),
)
def test_random_damage_raises_nothing_but_its_own_error(
    base: bytes, edits: list[tuple[float, int]], cut: float
) -> None:
    """Bytes changed or cut anywhere either read or raise NotAPicture."""
    damaged = bytearray(base)
    for place, value in edits:
        damaged[int(place * (len(damaged) - 1))] = value
    left = bytes(damaged[: int(len(damaged) * (0.3 + cut))])
    for salvage in (False, True):
        try:
            found = read_container("p", left, salvage=salvage)
        except NotAPicture:
            continue
        assert salvage or not found.damage


@settings(max_examples=100, deadline=None)
@given(
    head=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"\xff\xd8\xff\xe1"]), tail=st.binary(max_size=200)
)
def test_random_bytes_raise_nothing_but_their_own_error(head: bytes, tail: bytes) -> None:
    """Noise behind a valid signature is refused as a picture and in no other way."""
    with pytest.raises(NotAPicture):
        read_container("p", head + tail)


@settings(max_examples=60, deadline=None)
@given(exif=st.binary(max_size=120), order=st.sampled_from([b"II*\0", b"MM\0*"]))
def test_random_exif_never_stops_the_reader(exif: bytes, order: bytes) -> None:
    """A broken EXIF block reads as no comment."""
    payload = b"Exif\0\0" + order + exif
    assert isinstance(read_container("p", with_jpeg_segment(JPEG, 0xE1, payload)), Container)


@pytest.mark.parametrize(("data", "form", "mime"), [(PNG, "png", "image/png"), (JPEG, "jpeg", "image/jpeg")])
def test_our_own_files_are_read(data: bytes, form: str, mime: str) -> None:
    """Format, size and the one XMP packet come back as written."""
    found = read_container("p", data)
    assert (found.format, found.mime, found.width, found.height) == (form, mime, 120, 96)
    assert found.xmp == (XMP,)
    assert (found.text_aigc, found.has_manifest, found.trailing_bytes) == ((), False, 0)


def test_progressive_jpeg_with_restarts_is_read() -> None:
    """Several scans and restart markers are walked through to the end."""
    found = read_container("p", PROGRESSIVE)
    assert (found.width, found.height, found.trailing_bytes) == (64, 48, 0)


@pytest.mark.parametrize("data", [PNG, JPEG])
def test_bytes_behind_the_end_are_counted(data: bytes) -> None:
    """An appended file does not hide."""
    assert read_container("p", data + b"PK\x03\x04").trailing_bytes == 4


def test_metadata_does_not_change_the_payload_digest() -> None:
    """XMP, text, EXIF and comments come and go; the digest of the picture stays."""
    png, jpeg = read_container("p", PNG).payload_sha256, read_container("p", JPEG).payload_sha256
    assert png != jpeg
    for other in (
        encode_picture(PIXELS, "png", XMP + b" "),
        with_png_chunk(PNG, b"tEXt", b"Comment\0hello"),
        with_png_chunk(PNG, b"eXIf", b"II*\0"),
        with_png_chunk(PNG, b"caBX", b"anything"),
    ):
        assert read_container("p", other).payload_sha256 == png
    for other in (
        encode_picture(PIXELS, "jpeg", XMP + b" "),
        with_jpeg_segment(JPEG, 0xFE, b"a comment"),
        with_jpeg_segment(JPEG, 0xEB, b"JP\0\1\0\0\0\1 c2pa"),
    ):
        assert read_container("p", other).payload_sha256 == jpeg


def test_whatever_changes_the_picture_changes_the_payload_digest() -> None:
    """Pixels, colour chunks, hidden animation frames and colour transforms all count."""
    png, jpeg = read_container("p", PNG).payload_sha256, read_container("p", JPEG).payload_sha256
    changed = PIXELS.copy()
    changed[0, 0, 0] ^= 1
    for other in (
        encode_picture(changed, "png", XMP),
        with_png_chunk(PNG, b"gAMA", (99999).to_bytes(4, "big")),
        with_png_chunk(PNG, b"acTL", bytes(8)),
    ):
        assert read_container("p", other).payload_sha256 != png
    for other in (
        encode_picture(255 - PIXELS, "jpeg", XMP),
        with_jpeg_segment(JPEG, 0xEE, b"Adobe\0\x64\0\0\0\0\0"),
        with_jpeg_segment(JPEG, 0xE2, b"ICC_PROFILE\0\1\1profile"),
    ):
        assert read_container("p", other).payload_sha256 != jpeg


def test_compressed_and_doubled_xmp_is_found() -> None:
    """A second packet cannot hide by being compressed; a broken one reads as empty."""
    packed = with_png_chunk(PNG, b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<second/>"))
    assert read_container("p", packed).xmp == (b"<second/>", XMP)
    broken = with_png_chunk(PNG, b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0junk")
    assert read_container("p", broken).xmp == (b"", XMP)
    doubled = with_jpeg_segment(JPEG, 0xE1, b"http://ns.adobe.com/xap/1.0/\0<second/>")
    assert read_container("p", doubled).xmp == (b"<second/>", XMP)


def test_aigc_outside_xmp_is_found() -> None:
    """The standard's Annex B places are read: PNG text fields and the EXIF user comment."""
    value = '{"AIGC":{"Label":"1"}}'
    assert read_container("p", png_bytes(PIXELS, AIGC=value)).text_aigc == (value.encode(),)
    packed = with_png_chunk(PNG, b"zTXt", b"aigc\0\0" + zlib.compress(b"{}"))
    assert read_container("p", packed).text_aigc == (b"{}",)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + value.encode()
    assert read_container("p", jpeg_bytes(PIXELS, exif=exif)).text_aigc == (value.encode(),)
    holiday = Image.Exif()
    holiday.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0by the sea"
    assert read_container("p", jpeg_bytes(PIXELS, exif=holiday)).text_aigc == ()


def test_a_loop_in_exif_ends() -> None:
    """A directory that points to itself is read once."""
    tiff = b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x8769, 4, 1, 8)
    assert read_container("p", with_jpeg_segment(JPEG, 0xE1, b"Exif\0\0" + tiff)).text_aigc == ()
