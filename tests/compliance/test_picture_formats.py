"""WebP, TIFF, GIF and AVIF: what we write, what our reader finds in it, and what it refuses."""

from __future__ import annotations

import hashlib
import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffTags
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from compliance.containers import Container, manifest_store, read_container
from compliance.containers_gif import XMP_APPLICATION, XMP_TRAILER
from compliance.encode import encode_picture
from compliance.errors import NotAPicture
from compliance.labels.aigc import AigcField, read_aigc, read_iptc, xmp_packet
from compliance.labels.credential import Recipe, make_leaf, make_root, read_credential, sign
from compliance.labels.policy import FORMATS
from compliance.reading import decode_picture
from tests.compliance.labels.pictures import XMP, decoded, png_chunk, scene, with_png_chunk

NEW = ("webp", "tiff", "gif", "avif")
IDENT = 0x1234_5678_9ABC_DEF0
PACKET = xmp_packet(
    AigcField("1", "signet.local/x", f"{IDENT:x}", "", "signet.local/x", f"{IDENT:x}"),
    origin="algorithmicMedia",
    system="Signet",
    version="1",
)
PIXELS = scene(120, 96)
FILES = {form: encode_picture(PIXELS, form, PACKET) for form in NEW}
ROOT_KEY, ROOT = make_root("root")
LEAF_KEY, LEAF = make_leaf(ROOT_KEY, ROOT, "leaf")


def recipe(form: str) -> Recipe:
    """A credential for one format."""
    when, mime = "2026-01-01T00:00:00Z", FORMATS[form].mime
    return Recipe("t", mime, "algorithmicMedia", "fake.noise", "1", when, (), {"release": f"{IDENT:x}"})


SIGNED = {form: sign(FILES[form], recipe(form), LEAF_KEY, LEAF + ROOT) for form in NEW}


def reason(data: bytes) -> str:
    """Why the bytes are refused."""
    with pytest.raises(NotAPicture) as caught:
        read_container("p", data)
    return str(caught.value.data["reason"])


def saved(form: str, picture: Image.Image | None = None, **options: object) -> bytes:
    """Encode with Pillow."""
    target = io.BytesIO()
    (picture or Image.fromarray(PIXELS)).save(target, form, **options)
    return target.getvalue()


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP file of these chunks."""
    body = b"".join(kind + struct.pack("<I", len(load)) + load + b"\0" * (len(load) & 1) for kind, load in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def webp_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a WebP file."""
    found, at = [], 12
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + (size & 1)
    return found


def gif_extension(body: bytes) -> bytes:
    """Our GIF with one more extension in front of the trailer."""
    return FILES["gif"][:-1] + body + b"\x3b"


def box(kind: bytes, body: bytes) -> bytes:
    """One box of ISO 14496-12."""
    return struct.pack(">I", 8 + len(body)) + kind + body


FRAMES = [Image.fromarray(PIXELS), Image.fromarray(255 - PIXELS)]
MOVING = {
    "webp": saved("WEBP", FRAMES[0], save_all=True, append_images=FRAMES[1:]),
    "tiff": saved("TIFF", FRAMES[0], save_all=True, append_images=FRAMES[1:]),
    "gif": saved("GIF", FRAMES[0], save_all=True, append_images=FRAMES[1:]),
    "avif": saved("AVIF", FRAMES[0], save_all=True, append_images=FRAMES[1:]),
    "png": with_png_chunk(encode_picture(PIXELS, "png", XMP), b"acTL", bytes(8)),
    "gif repeated": gif_extension(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"),
    "gif with drawn text": gif_extension(b"\x21\x01\x0c" + bytes(12) + b"\x02Hi\0"),
}

DIRECTORY = FILES["tiff"][: struct.unpack("<I", FILES["tiff"][4:8])[0]]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (FILES["webp"][:-2], "truncated"),
        (FILES["webp"][:20], "truncated"),
        (riff((b"XMP ", b"x")), "no picture data"),
        (riff((b"VP8 ", b"short")), "damaged header"),
        (riff((b"VP8L", b"\x2e" + bytes(9))), "damaged header"),
        (riff(*webp_chunks(FILES["webp"]), webp_chunks(FILES["webp"])[1]), "two frames"),
        (riff((b"VP8X", bytes(10)), webp_chunks(FILES["webp"])[1]), "two sizes"),
        (FILES["gif"][:10], "no header"),
        (FILES["gif"][:-1], "truncated"),
        (FILES["gif"][: len(FILES["gif"]) // 2], "truncated"),
        (FILES["gif"][:6] + bytes(4) + FILES["gif"][10:], "no size"),
        (FILES["gif"][:-1] + b"\x99\x00", "damaged block"),
        (b"GIF89a\x10\0\x10\0\0\0\0\x3b", "no picture data"),
        (FILES["tiff"][:6], "truncated"),
        (FILES["tiff"][: len(FILES["tiff"]) // 2], "truncated"),
        (b"II*\0\x08\0\0\0\0\0", "damaged directory"),
        (
            b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 256, 4, 1, 9) + struct.pack("<I", 8),
            "a directory stands twice",
        ),
        (b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 256, 4, 1, 9) + bytes(4), "no size"),
        (b"II*\0\x08\0\0\0\x02\0" + struct.pack("<HHII", 256, 4, 1, 9) * 2 + bytes(4), "a field stands twice"),
        (FILES["avif"][:-2], "truncated"),
        (FILES["avif"][:40], "truncated"),
        (box(b"ftyp", b"avif\0\0\0\0avif"), "no header"),
        (box(b"ftyp", b"avif\0\0\0\0avif") + box(b"meta", bytes(4)) * 2, "two headers"),
    ],
)
def test_malformed_bytes_are_refused_with_their_reason(data: bytes, expected: str) -> None:
    """Each kind of damage has its own word."""
    assert reason(data) == expected


@settings(max_examples=150, deadline=None)
@given(
    base=st.sampled_from([*FILES.values(), *SIGNED.values()]),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    near=st.booleans(),
    cut=st.floats(0, 1),
)
def test_random_damage_raises_nothing_but_its_own_error(
    base: bytes, edits: list[tuple[float, int]], near: bool, cut: float
) -> None:
    """Bytes changed anywhere, or among the first 600 where the structure stands, or cut: a reading or NotAPicture."""
    damaged = bytearray(base)
    for place, value in edits:
        damaged[int(place * (min(len(damaged), 600 if near else len(damaged)) - 1))] = value
    left = bytes(damaged[: int(len(damaged) * (0.3 + cut))])
    manifest_store(left)
    for salvage in (False, True):
        try:
            found = read_container("p", left, salvage=salvage)
        except NotAPicture:
            continue
        assert salvage or not found.damage


@settings(max_examples=80, deadline=None)
@given(
    head=st.sampled_from(
        [b"RIFF\x40\0\0\0WEBP", b"GIF89a\x10\0\x10\0", b"II*\0\x08\0\0\0", b"MM\0+\0\x08\0\0", b"\0\0\0\x0cftypavif"]
    ),
    tail=st.binary(max_size=200),
)
def test_random_bytes_raise_nothing_but_their_own_error(head: bytes, tail: bytes) -> None:
    """Noise behind a valid signature is refused as a picture and in no other way."""
    for salvage in (False, True):
        try:
            read_container("p", head + tail, salvage=salvage)
        except NotAPicture:
            pass


@pytest.mark.parametrize("name", MOVING)
def test_what_moves_or_has_pages_is_not_still(name: str) -> None:
    """What is measured must be all that is shown; the flag that a release looks at is down."""
    assert not read_container("p", MOVING[name]).is_still


@pytest.mark.parametrize("form", NEW)
def test_our_own_files_are_read(form: str) -> None:
    """Format, size and the one XMP packet come back as written; nothing is left over."""
    found = read_container("p", FILES[form])
    assert (found.format, found.mime, found.width, found.height) == (form, FORMATS[form].mime, 120, 96)
    assert found.xmp == (PACKET,)
    assert (found.text_aigc, found.has_manifest, found.trailing_bytes, found.is_still) == ((), False, 0, True)
    assert read_aigc(found).state == read_iptc(found).state == "intact"


@pytest.mark.parametrize("form", NEW)
def test_a_credential_changes_nothing_of_the_picture(form: str) -> None:
    """Signed bytes have the same payload digest and packet, and no byte that nothing speaks of."""
    plain, signed = read_container("p", FILES[form]), read_container("p", SIGNED[form])
    assert (signed.payload_sha256, signed.xmp) == (plain.payload_sha256, plain.xmp)
    assert (signed.has_manifest, signed.trailing_bytes, signed.is_still) == (True, 0, True)
    assert np.array_equal(decoded(SIGNED[form]), decoded(FILES[form]))
    reading = read_credential(SIGNED[form], FORMATS[form].mime, [ROOT])
    assert (reading.state, reading.trust) == ("intact", "trusted")


def test_a_directory_of_tiff_that_a_credential_replaced_hides_nothing() -> None:
    """The old one is left behind at an even or odd place; a changed byte of it is a byte that nothing speaks of."""
    for width in range(60, 68):
        plain = encode_picture(scene(width, 61), "tiff", PACKET + b" " * (width % 3))
        signed = sign(plain, recipe("tiff"), LEAF_KEY, LEAF + ROOT)
        found = read_container("p", signed)
        assert found.trailing_bytes == 0
        assert found.payload_sha256 == read_container("p", plain).payload_sha256
    (old,) = struct.unpack("<I", plain[4:8])
    assert signed[old : old + 40] == plain[old : old + 40]
    assert read_container("p", signed[: old + 3] + b"\xee" + signed[old + 4 :]).trailing_bytes > 100


@pytest.mark.parametrize("form", NEW)
def test_bytes_behind_the_end_are_counted(form: str) -> None:
    """An appended file does not hide."""
    glued = FILES[form] + (box(b"free", b"PK\x03\x04") if form == "avif" else b"PK\x03\x04")
    assert read_container("p", glued).trailing_bytes == 4


def test_bytes_that_no_field_speaks_of_are_counted() -> None:
    """A file hidden in a gap of TIFF, in AVIF's media data or in its filling."""
    tiff = FILES["tiff"]
    assert read_container("p", tiff + b"hidden and not empty").trailing_bytes == 20
    avif = FILES["avif"]
    at = avif.index(b"mdat") - 4
    size = int.from_bytes(avif[at : at + 4], "big")
    grown = avif[:at] + (size + 6).to_bytes(4, "big") + avif[at + 4 : at + size] + b"hidden" + avif[at + size :]
    assert read_container("p", grown).trailing_bytes == 6


@pytest.mark.parametrize("form", NEW)
def test_metadata_does_not_change_the_payload_digest(form: str) -> None:
    """Another packet comes and goes; the digest of the picture stays."""
    whole = read_container("p", FILES[form]).payload_sha256
    assert read_container("p", encode_picture(PIXELS, form, XMP)).payload_sha256 == whole
    assert read_container("p", encode_picture(255 - PIXELS, form, PACKET)).payload_sha256 != whole


def test_further_metadata_of_each_format_does_not_count_and_what_changes_the_picture_does() -> None:
    """EXIF, comments and authors do not count; orientation, colour profiles, alpha and unknown chunks do."""
    digest = {form: read_container("p", data).payload_sha256 for form, data in FILES.items()}
    chunks = webp_chunks(FILES["webp"])
    assert read_container("p", riff(*chunks, (b"EXIF", b"II*\0"))).payload_sha256 == digest["webp"]
    for extra in ((b"ALPH", b"\0xyz"), (b"ICCP", b"profile"), (b"what", b"else")):
        assert read_container("p", riff(*chunks, extra)).payload_sha256 != digest["webp"]
    assert read_container("p", gif_extension(b"\x21\xfe\x05hello\0")).payload_sha256 == digest["gif"]
    assert read_container("p", gif_extension(b"\x21\xf9\x04\x01\0\0\0\0")).payload_sha256 != digest["gif"]
    plain = read_container("p", saved("TIFF")).payload_sha256
    assert read_container("p", saved("TIFF", tiffinfo={315: "somebody", 306: "today"})).payload_sha256 == plain
    assert read_container("p", saved("TIFF", tiffinfo={274: 3})).payload_sha256 != plain
    assert read_container("p", FILES["avif"] + box(b"what", b"else")).payload_sha256 != digest["avif"]


def test_second_packets_and_fields_elsewhere_are_found() -> None:
    """A second label cannot hide: in sub-blocks, in EXIF of WebP and AVIF, in a comment of GIF, on a second page."""
    doubled = gif_extension(b"\x21\xff\x0b" + XMP_APPLICATION + b"\x09<second/>\0")
    assert read_container("p", doubled).xmp == (PACKET, b"<second/>")
    bare = gif_extension(b"\x21\xff\x0b" + XMP_APPLICATION + b"<second/>" + XMP_TRAILER)
    assert read_container("p", bare).xmp == (PACKET, b"<second/>")
    value = b'{"AIGC":{"Label":"1"}}'
    assert read_container("p", gif_extension(b"\x21\xfe" + bytes((len(value),)) + value + b"\0")).text_aigc == (value,)
    for form in ("webp", "avif", "tiff"):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + value
        assert read_container("p", saved(form.upper(), exif=exif.tobytes())).text_aigc == (value,)
    assert read_container("p", riff(*webp_chunks(FILES["webp"]), (b"XMP ", b"<second/>"))).xmp == (PACKET, b"<second/>")
    fields = ImageFileDirectory_v2()
    fields[700], fields.tagtype[700] = b"<page/>", TiffTags.BYTE
    pages = saved("TIFF", FRAMES[0], save_all=True, append_images=FRAMES[1:], tiffinfo=fields)
    assert len(read_container("p", pages).xmp) == 2


@pytest.mark.parametrize("form", NEW)
def test_a_file_cut_off_still_names_what_is_whole(form: str) -> None:
    """With salvage half a file is read as far as it goes; TIFF, whose directory may stand last, by the packet alone."""
    found = read_container("p", SIGNED[form][: len(SIGNED[form]) * 3 // 4], salvage=True)
    assert found.damage
    if form in ("tiff", "avif"):
        assert read_aigc(found).state == "intact"


@pytest.mark.parametrize("form", NEW)
def test_a_turned_bit_anywhere_in_a_signed_file_is_found(form: str) -> None:
    """In 60 places over the whole file: the credential breaks, or the file cannot be read."""
    data = SIGNED[form]
    mime = FORMATS[form].mime
    maker = np.random.default_rng(7)
    for place in maker.integers(0, len(data), 60):
        changed = bytearray(data)
        changed[place] ^= 1 << int(maker.integers(8))
        try:
            container: Container | None = read_container("p", bytes(changed))
        except NotAPicture:
            container = None
        reading = read_credential(bytes(changed), mime, [ROOT])
        assert container is None or reading.trust != "trusted", f"byte {place} of {len(data)} was turned unseen"


@pytest.mark.parametrize("form", ["png", "webp", "tiff", "gif", "avif"])
def test_a_transparent_picture_is_none_that_a_release_may_show(form: str) -> None:
    """On another ground it would look different; who verifies sees it on white."""
    picture = Image.fromarray(np.dstack([PIXELS, np.full(PIXELS.shape[:2], 9, np.uint8)]))
    if form == "gif":
        picture = Image.fromarray(PIXELS).quantize(255)
        picture.info["transparency"] = 0
    data = saved(form.upper(), picture)
    assert decode_picture(data, opaque=True) is None
    assert decode_picture(data).shape == PIXELS.shape


def test_a_small_file_that_claims_a_huge_picture_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is judged before Pillow opens the file, which for WebP makes room for the whole picture."""

    def opened(*_: object, **__: object) -> None:
        pytest.fail("the file was opened")

    monkeypatch.setattr(Image, "open", opened)
    chunks = dict(webp_chunks(MOVING["webp"]))
    chunks[b"VP8X"] = chunks[b"VP8X"][:4] + b"\xfe\x3f\0" * 2
    assert decode_picture(riff(*chunks.items())) is None


def test_the_same_pixels_give_the_same_bytes() -> None:
    """No clock and no chance in the encoders."""
    for form, data in FILES.items():
        assert hashlib.sha256(encode_picture(PIXELS, form, PACKET)).digest() == hashlib.sha256(data).digest()


def test_a_png_chunk_of_an_animation_alone_is_enough() -> None:
    """A frame without its announcement counts as moving too."""
    data = encode_picture(PIXELS, "png", XMP)
    assert read_container("p", data).is_still
    assert png_chunk(b"fdAT", b"") not in data
    assert not read_container("p", with_png_chunk(data, b"fdAT", bytes(4))).is_still
