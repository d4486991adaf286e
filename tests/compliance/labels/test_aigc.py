"""The GB 45438 field and the IPTC source type."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.containers import Container, read_container
from compliance.encode import encode_picture
from compliance.labels import aigc
from compliance.labels.aigc import AigcField, read_aigc, read_iptc, xmp_packet
from tests.compliance.labels.pictures import png_bytes, scene, with_jpeg_segment, with_png_chunk

ORIGIN = "compositeWithTrainedAlgorithmicMedia"
FIELD = AigcField(
    content_producer="signet.local/0123456789ab",
    produce_id="00112233aabbccdd",
    content_propagator="signet.local/0123456789ab",
    propagate_id="00112233aabbccdd",
)
PACKET = xmp_packet(FIELD, origin=ORIGIN, system="Signet", version="0.1.0")
PIXELS = scene(96, 64)


def holding(*packets: bytes, texts: tuple[bytes, ...] = ()) -> Container:
    """A container with these metadata and nothing else of interest."""
    return Container("png", "image/png", 1, 1, packets, texts, "", False, 0)


def with_value(value: str) -> bytes:
    """The packet with another text in the AIGC property."""
    return re.sub(rb"(<TC260:AIGC>).*(</TC260:AIGC>)", lambda m: m[1] + value.encode() + m[2], PACKET)


def with_json(**changes: object) -> bytes:
    """The packet with some JSON values changed; None removes the key."""
    data = json.loads(FIELD.to_json()) | changes
    return with_value(json.dumps({key: value for key, value in data.items() if value is not None}))


@pytest.mark.parametrize("value", ["a b", 'a"b', "a\\b", "生成", "a\n", "\x7f", "é", "x" * 1025])
def test_characters_outside_the_standard_are_refused(value: str) -> None:
    """Annex E j): no blank, no quote, no backslash, nothing outside ASCII; and a length that readers can take."""
    for name in ("content_producer", "produce_id", "reserved_code1", "content_propagator", "propagate_id"):
        values = {"content_producer": "p", "produce_id": "1", "content_propagator": "p", "propagate_id": "1"}
        with pytest.raises(ValueError, match="ASCII"):
            AigcField(**{**values, name: value})


@pytest.mark.parametrize("name", ["content_producer", "produce_id", "content_propagator", "propagate_id"])
def test_an_empty_producer_or_id_is_refused(name: str) -> None:
    """A field that names nobody is no label."""
    values = {"content_producer": "p", "produce_id": "1", "content_propagator": "p", "propagate_id": "1"}
    with pytest.raises(ValueError, match="empty"):
        AigcField(**{**values, name: ""})


def test_an_unknown_label_or_origin_is_refused() -> None:
    """Only 1, 2, 3; and only source types of AI content."""
    with pytest.raises(ValueError, match="Label"):
        AigcField(label="0", content_producer="p", produce_id="1", content_propagator="p", propagate_id="1")
    for origin in ("digitalCapture", "", aigc.SOURCE_TYPE + ORIGIN):
        with pytest.raises(ValueError, match="source type"):
            xmp_packet(FIELD, origin=origin, system="Signet", version="0")


FULL = json.loads(FIELD.to_json())


@pytest.mark.parametrize(
    ("container", "part"),
    [
        (holding(PACKET, PACKET), "2 AIGC fields"),
        (holding(PACKET, texts=(FIELD.to_json().encode(),)), "2 AIGC fields"),
        (holding(with_json(ReservedCode2=None)), "lacks ReservedCode2"),
        (holding(with_json(Extra="x")), "does not know"),
        (holding(with_json(ReservedCode1=None, ReserveCode1="")), "lacks ReservedCode1"),
        (holding(with_json(Label="AIGC")), "Label is none of"),
        (holding(with_json(Label=1)), "Label holds characters"),
        (holding(with_json(ContentProducer="")), "ContentProducer is empty"),
        (holding(with_json(ContentProducer="某公司")), "ContentProducer holds characters"),
        (holding(with_value(json.dumps(dict(reversed(FULL.items()))))), "standard's order"),
        (holding(with_value(json.dumps({"AIGC": FULL}))), "wrapped once too often"),
        (holding(with_value('{"Label":"1","Label":"1"}')), "not valid JSON"),
        (holding(with_value("AI generated")), "not valid JSON"),
        (holding(with_value("[" * 5000)), "not valid JSON"),
        (holding(with_value("[1]")), "not a JSON object"),
        (holding(with_value("")), "not valid JSON"),
        (holding(PACKET.replace(b"tc260.org.cn/ns/AIGC", b"tc260.org.cn/ns/aigc")), "not as the standard's property"),
        (holding(PACKET.replace(b"</rdf:RDF>", b"")), "cannot be read"),
        (holding(b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + PACKET[57:]), "document type"),
        (holding(PACKET + b"\xff"), "not UTF-8"),
        (holding(texts=(b"\xff\xfe",)), "not valid JSON"),
    ],
)
def test_damaged_fields_are_told_apart(container: Container, part: str) -> None:
    """Two labels, foreign spellings, wrong characters and unreadable packets are damage, each with its reason."""
    reading = read_aigc(container)
    assert reading.state == "damaged"
    assert any(part in reason for reason in reading.reasons), reading.reasons


def test_entities_are_never_expanded() -> None:
    """A packet that would grow to gigabytes is refused unread, in any case of letters."""
    bomb = b'<!doctype x [<!entity a "AIGC"><!entity b "&a;&a;&a;&a;">]><x>&b;</x>'
    assert read_aigc(holding(bomb)).reasons == ("the XMP packet holds a document type, which is not allowed",)


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (ORIGIN, "full address"),
        (aigc.SOURCE_TYPE + "digitalCapture", "does not say that AI made it"),
        ("https://example.org/" + ORIGIN, "full address"),
        ("", "full address"),
    ],
)
def test_other_source_types_are_damage(value: str, part: str) -> None:
    """A bare code or a camera's code does not label AI content."""
    packet = PACKET.replace((aigc.SOURCE_TYPE + ORIGIN).encode(), value.encode())
    reading = read_iptc(holding(packet))
    assert reading.state == "damaged"
    assert part in reading.reasons[0]


def test_two_source_types_are_damage() -> None:
    """One file, one answer."""
    assert read_iptc(holding(PACKET, PACKET)).state == "damaged"


def test_a_file_without_labels_is_absent_and_not_clean() -> None:
    """No packet, or a packet on other things."""
    for container in (holding(), holding(b"<x/>"), holding(b"not xml")):
        assert read_aigc(container).state == "absent"
        assert read_iptc(container).state == "absent"
        assert read_aigc(container).reasons


@settings(max_examples=80, deadline=None)
@given(value=st.text(alphabet=[chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"\\'], max_size=60))
def test_every_allowed_value_comes_back(value: str) -> None:
    """Angle brackets and ampersands among them survive the packet."""
    field = AigcField(
        content_producer=value or "p", produce_id="1", reserved_code1=value, content_propagator="p", propagate_id="1"
    )
    reading = read_aigc(holding(xmp_packet(field, origin=ORIGIN, system="a<b&c", version='"1"')))
    assert reading.state == "intact"
    assert reading.fields[0]["ReservedCode1"] == value


@settings(max_examples=80, deadline=None)
@given(packet=st.binary(max_size=200), at=st.integers(0, len(PACKET)), text=st.binary(max_size=60))
def test_reading_never_raises(packet: bytes, at: int, text: bytes) -> None:
    """Whatever stands there."""
    for container in (holding(packet, texts=(text,)), holding(PACKET[:at] + packet + PACKET[at:])):
        read_aigc(container)
        read_iptc(container)


def test_the_field_has_seven_keys_in_order() -> None:
    """As Annex E lists them."""
    assert tuple(json.loads(FIELD.to_json())) == aigc.KEYS
    assert len(aigc.KEYS) == 7


@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_our_own_files_are_intact(form: str) -> None:
    """Written into a file and read from its bytes, the field and the source type are whole."""
    container = read_container("p", encode_picture(PIXELS, form, PACKET))
    reading = read_aigc(container)
    assert (reading.state, reading.reasons) == ("intact", ())
    assert reading.fields == (json.loads(FIELD.to_json()),)
    source = read_iptc(container)
    assert (source.state, source.uris) == ("intact", (aigc.SOURCE_TYPE + ORIGIN,))


def test_the_attribute_form_is_read() -> None:
    """Other writers put properties into attributes."""
    value = FIELD.to_json().replace('"', "&quot;")
    packet = (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{aigc.NS_RDF}"><rdf:Description '
        f'xmlns:TC260="{aigc.NS_AIGC}" TC260:AIGC="{value}" xmlns:e="{aigc.NS_IPTC}" '
        f'e:DigitalSourceType="{aigc.SOURCE_TYPE}trainedAlgorithmicMedia"/></rdf:RDF></x:xmpmeta>'
    ).encode()
    assert read_aigc(holding(packet)).state == "intact"
    assert read_iptc(holding(packet)).state == "intact"


def test_the_wrapped_form_is_right_outside_xmp() -> None:
    """Annex B text fields hold the object within "AIGC"."""
    wrapped = json.dumps({"AIGC": FULL})
    assert read_aigc(read_container("p", png_bytes(PIXELS, AIGC=wrapped))).state == "intact"


@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_a_second_label_in_the_file_is_damage(form: str) -> None:
    """A copy in another place breaks the rule of one label a file."""
    data = encode_picture(PIXELS, form, PACKET)
    if form == "png":
        data = with_png_chunk(data, b"tEXt", b"AIGC\0" + FIELD.to_json().encode())
    else:
        data = with_jpeg_segment(data, 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + PACKET)
    assert read_aigc(read_container("p", data)).state == "damaged"


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is an optional second opinion")
@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_exiftool_reads_the_same(form: str, tmp_path: Path) -> None:
    """A foreign reader shows the seven keys and the full address."""
    path = tmp_path / f"a.{form}"
    path.write_bytes(encode_picture(PIXELS, form, PACKET))
    shown = subprocess.run(
        ["exiftool", "-j", "-G1", "-XMP:all", "-warning", str(path)], capture_output=True, check=True, timeout=60
    )
    tags = json.loads(shown.stdout)[0]
    value = tags["XMP-TC260:Aigc"]
    assert (json.loads(value) if isinstance(value, str) else value) == FULL
    assert tags["XMP-iptcExt:DigitalSourceType"] == aigc.SOURCE_TYPE + ORIGIN
    assert tags["XMP-iptcExt:AISystemUsed"] == "Signet"
    assert not any(key.endswith("Warning") for key in tags)
