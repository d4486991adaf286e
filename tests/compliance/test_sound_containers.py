"""Our own reader of sound files, and that what the encoder writes is found in the place each guide names."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance import sound_containers
from compliance.encode_sound import encode_sound
from compliance.errors import NotASound
from compliance.labels import aigc, credential
from compliance.sound_containers import MIME, SoundContainer, read_sound_container, sound_manifest_store
from tests.compliance.labels.sounds import FIELD, FORMATS, ORIGIN, TAGS, chord

SHORT = chord(0.4)
FILES = {form: encode_sound(SHORT, 16000, form, TAGS) for form in FORMATS}
SIGNABLE = ("wav", "flac", "mp3", "m4a")


def read(data: bytes, *, salvage: bool = False) -> SoundContainer:
    """A file taken apart."""
    return read_sound_container("test", data, salvage=salvage)


def signed(form: str) -> bytes:
    """A file with a credential in it."""
    root, root_pem = credential.make_root("root")
    leaf, leaf_pem = credential.make_leaf(root, root_pem, "leaf")
    recipe = credential.Recipe("t", MIME[form], ORIGIN, "e", "1", "2026-01-01T00:00:00Z", (), {"release": "x"})
    return credential.sign(FILES[form], recipe, leaf, leaf_pem + root_pem)


@pytest.mark.parametrize(
    "garbage", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"OggS", b"fLaC", b"ID3", b"hello", b"\xff\xfb", bytes(99)]
)
def test_garbage_is_refused(garbage: bytes) -> None:
    """Whatever is no sound ends in NotASound, salvaging or not."""
    for salvage in (False, True):
        with pytest.raises(NotASound):
            read(garbage, salvage=salvage)


@pytest.mark.parametrize("form", FORMATS)
def test_a_cut_file_is_refused_and_can_be_salvaged(form: str) -> None:
    """Half a file is told; salvage reads what is left and says that it is damaged. FLAC frames carry no length."""
    half = FILES[form][: len(FILES[form]) * 2 // 3]
    if form == "flac":
        assert read(half).payload_sha256 != read(FILES[form]).payload_sha256
        return
    with pytest.raises(NotASound):
        read(half)
    if form != "m4a":
        assert read(half, salvage=True).damage


def test_two_sounds_in_one_file_are_refused() -> None:
    """What is measured must be all that is played: a second data chunk, a second stream, frames of another kind."""
    wav = FILES["wav"]
    second = wav[36 : 44 + int.from_bytes(wav[40:44], "little")]
    both = wav[:36] + second + wav[36:]
    both = both[:4] + struct.pack("<I", len(both) - 8) + both[8:]
    with pytest.raises(NotASound, match="two sounds"):
        read(both)
    other = bytearray(FILES["ogg"])
    at = other.index(b"OggS", 4)
    end = other.index(b"OggS", at + 4)
    other[at + 14] ^= 1
    other[at + 22 : at + 26] = bytes(4)
    other[at + 22 : at + 26] = sound_containers._page_sum(bytes(other[at:end])).to_bytes(4, "little")
    with pytest.raises(NotASound, match="several streams"):
        read(bytes(other))
    m4a = FILES["m4a"]
    movie, track = m4a.index(b"moov") - 4, m4a.index(b"trak") - 4
    box = m4a[track : track + int.from_bytes(m4a[track : track + 4], "big")]
    size = int.from_bytes(m4a[movie : movie + 4], "big") + len(box)
    with pytest.raises(NotASound, match="one sound track"):
        read(m4a[:movie] + size.to_bytes(4, "big") + m4a[movie + 4 : track] + box + m4a[track:])
    stereo = encode_sound(chord(0.4, 44100, 2), 44100, "mp3", TAGS)
    start = 10 + int.from_bytes(bytes(stereo[6:10]), "big")
    with pytest.raises(NotASound, match="two kinds"):
        read(FILES["mp3"] + stereo[stereo.index(b"\xff\xfb", start % 999) :])


@pytest.mark.parametrize("form", ["wav", "mp3", "ogg"])
def test_bytes_behind_the_end_are_counted(form: str) -> None:
    """A second file hidden behind the first shows."""
    assert read(FILES[form]).trailing_bytes == 0
    assert read(FILES[form] + b"more").trailing_bytes == 4


@pytest.mark.parametrize("form", ["flac", "m4a"])
def test_bytes_behind_the_end_change_the_sound_or_break_the_file(form: str) -> None:
    """Where the end is not marked, what stands behind it counts as sound."""
    try:
        assert read(FILES[form] + b"more").payload_sha256 != read(FILES[form]).payload_sha256
    except NotASound:
        assert form == "m4a"


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_carries_one_field_in_its_place(form: str) -> None:
    """AIGC and source type are read back intact, and the header says what was encoded."""
    found = read(FILES[form])
    assert [json.loads(value) for value in found.aigc] == [json.loads(FIELD.to_json())]
    assert found.aigc_elsewhere == ()
    assert aigc.read_aigc(found).state == "intact"
    assert aigc.read_iptc(found).state == "intact"
    assert (found.format, found.mime, found.channels) == (form, MIME[form], 1)
    assert found.rate_hz == (48000 if form == "ogg" else 16000)
    assert abs(found.frames / found.rate_hz - 0.4) < 0.2
    assert not found.has_manifest
    assert sound_manifest_store(FILES[form]) == b""


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_samples_give_the_same_bytes(form: str) -> None:
    """No clock and no chance in the encoders."""
    assert encode_sound(SHORT, 16000, form, TAGS) == FILES[form]


@pytest.mark.parametrize(("form", "rate_hz"), [("mp3", 96000), ("m4a", 88200), ("ogg", 44100), ("mp3", 37800)])
def test_a_rate_that_a_format_does_not_know_is_changed(form: str, rate_hz: int) -> None:
    """Two channels, and as long as before."""
    found = read(encode_sound(chord(0.5, rate_hz, 2), rate_hz, form, TAGS))
    assert found.channels == 2
    assert found.rate_hz in (44100, 48000)
    assert abs(found.frames / found.rate_hz - 0.5) < 0.2


@pytest.mark.parametrize("form", ["wav", "flac"])
def test_24_bits_are_kept(form: str) -> None:
    """A sound far below 16 bits is still there."""
    quiet = chord() * 1e-4
    deep, flat = (encode_sound(quiet, 16000, form, TAGS, bits=bits) for bits in (24, 16))
    assert len(deep) > len(flat) * 1.3


@pytest.mark.parametrize("form", SIGNABLE)
def test_a_credential_does_not_change_the_sound(form: str) -> None:
    """Signing adds a manifest store, and neither field nor payload digest change."""
    before, data = read(FILES[form]), signed(form)
    after = read(data)
    assert after.has_manifest
    assert sound_manifest_store(data)[4:8] == b"jumb"
    assert after.payload_sha256 == before.payload_sha256
    assert (after.aigc, after.xmp, after.source_types) == (before.aigc, before.xmp, before.source_types)


def test_a_field_in_a_strange_place_is_damage() -> None:
    """WAV files of some programs carry a second AIGC in LIST/INFO, which is one too many."""
    wav = FILES["wav"]
    value = FIELD.to_json().encode()
    value += bytes(len(value) & 1)
    info = b"INFOAIGC" + struct.pack("<I", len(value)) + value
    more = wav + b"LIST" + struct.pack("<I", len(info)) + info
    more = more[:4] + struct.pack("<I", len(more) - 8) + more[8:]
    found = read(more)
    assert len(found.aigc) == len(found.aigc_elsewhere) == 1
    reading = aigc.read_aigc(found)
    assert reading.state == "damaged"
    assert len(reading.fields) == 2


def test_rf64_is_read() -> None:
    """The 64-bit form has its sizes in ds64, and is the same sound."""
    wav = FILES["wav"]
    size = int.from_bytes(wav[40:44], "little")
    sizes = b"ds64" + struct.pack("<IQQQI", 28, len(wav) + 28, size, size // 2, 0)
    wide = b"RF64" + b"\xff" * 4 + b"WAVE" + sizes + wav[12:40] + b"\xff" * 4 + wav[44:]
    assert read(wide).payload_sha256 == read(wav).payload_sha256


@settings(max_examples=300)
@given(data=st.data())
def test_no_change_of_bytes_breaks_the_reader(data: st.DataObject) -> None:
    """Any bytes changed, cut out or put in: a container or NotASound, and salvage likewise; never another error."""
    form = data.draw(st.sampled_from(FORMATS))
    changed = bytearray(FILES[form])
    head = data.draw(st.booleans())
    for _ in range(data.draw(st.integers(1, 4))):
        limit = min(len(changed), 700) if head else len(changed)
        at = (
            data.draw(st.integers(0, limit))
            if form != "m4a" or head
            else len(changed) - data.draw(st.integers(1, 3000))
        )
        piece = data.draw(st.binary(max_size=6))
        changed[at : at + data.draw(st.sampled_from((0, len(piece), 9)))] = piece
    for salvage in (False, True):
        try:
            found = read(bytes(changed), salvage=salvage)
        except NotASound:
            continue
        aigc.read_aigc(found)
        aigc.read_iptc(found)
    sound_manifest_store(bytes(changed))
