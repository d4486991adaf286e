"""Marks of other makers are told as theirs: never as damage of ours, never as authentic, and never in place of ours."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from compliance import foreign_texts, verify
from compliance.foreign_texts import named_texts
from compliance.keys import public_keys
from compliance.labels import credential
from compliance.labels.aigc import NS_AIGC, NS_IPTC, NS_RDF, SOURCE_TYPE
from compliance.reading import read_media
from compliance.verify import LayerReport, verify_bytes
from tests.compliance.home import Home

FIELD = {
    "Label": "1",
    "ContentProducer": "001191110102MACQD9K64010000",
    "ProduceID": "20260905-abc",
    "ReservedCode1": "",
    "ContentPropagator": "",
    "PropagateID": "",
    "ReservedCode2": "",
}
A1111 = "a castle, oil\nNegative prompt: text\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Model: sd_xl"
INFO_FIELD = b"INFOAIGC" + struct.pack("<I", len(json.dumps(FIELD)) + 4) + json.dumps(FIELD).encode() + b"    "
KRITA = "<I:DigitalSourceType>trainedAlgorithmicMedia</I:DigitalSourceType><xmp:CreatorTool>Krita</xmp:CreatorTool>"
GRAPH = json.dumps({"3": {"class_type": "KSampler", "inputs": {"seed": 5}}})
WORKFLOW = json.dumps({"nodes": [{"id": 1}], "links": [], "last_node_id": 1})


def picture() -> Image.Image:
    """Nothing of ours: a smooth ground with some noise."""
    chance = np.random.default_rng(1)
    return Image.fromarray(chance.integers(90, 120, (96, 128, 3), np.uint8))


def png(*texts: tuple[str, str], packed: bool = False, xmp: str = "") -> bytes:
    """A PNG with text chunks."""
    info = PngImagePlugin.PngInfo()
    for key, value in texts:
        info.add_text(key, value, zip=packed)
    if xmp:
        info.add_itxt("XML:com.adobe.xmp", xmp)
    target = io.BytesIO()
    picture().save(target, "PNG", pnginfo=info)
    return target.getvalue()


def with_exif(kind: str, tags: dict[int, object]) -> bytes:
    """A picture with EXIF fields."""
    exif = Image.Exif()
    for tag, value in tags.items():
        if tag == 0x9286:
            exif.get_ifd(0x8769)[tag] = value
        else:
            exif[tag] = value
    target = io.BytesIO()
    picture().save(target, kind, exif=exif.tobytes())
    return target.getvalue()


def packet(inner: str) -> str:
    """An XMP packet."""
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{NS_RDF}"><rdf:Description rdf:about="" '
        f'xmlns:TC260="{NS_AIGC}" xmlns:I="{NS_IPTC}" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        f'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">{inner}</rdf:Description></rdf:RDF></x:xmpmeta>'
    )


def escaped(value: object) -> str:
    """JSON for an XMP element."""
    return json.dumps(value).replace('"', "&quot;")


def wav(*chunks: tuple[bytes, bytes]) -> bytes:
    """Half a second of quiet noise with further chunks."""
    sound = np.random.default_rng(2).integers(-200, 200, 8000, np.int16).tobytes()
    body = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
    for name, value in (*chunks, (b"data", sound)):
        body += name + struct.pack("<I", len(value)) + value + b"\0" * (len(value) & 1)
    return b"RIFF" + struct.pack("<I", len(body)) + body


UNICODE = b"UNICODE\0" + A1111.encode("utf-16-be")
ELEMENT = "<TC260:AIGC>{}</TC260:AIGC>"
FILES: dict[str, tuple[bytes, str, str]] = {
    "AIGC in XMP": (png(xmp=packet(ELEMENT.format(escaped(FIELD)))), "aigc", FIELD["ContentProducer"]),
    "AIGC wrapped in XMP": (png(xmp=packet(ELEMENT.format(escaped({"AIGC": FIELD})))), "aigc", "001191110102"),
    "AIGC text chunk": (png(("AIGC", json.dumps({"AIGC": FIELD}))), "aigc", "001191110102"),
    "AIGC with another key": (png(("AIGC", json.dumps({**FIELD, "ReserveCode1": "x"}))), "aigc", "001191110102"),
    "AIGC of MiniMax": (
        png(("AIGC", '{"Label":"AIGC","ContentProducer":"minimax","ProduceID":"7"}')),
        "aigc",
        "minimax",
    ),
    "AIGC in a comment": (
        with_exif("JPEG", {0x9286: b"ASCII\0\0\0" + json.dumps({"AIGC": FIELD}).encode()}),
        "aigc",
        "001191110102",
    ),
    "AIGC not JSON": (png(("AIGC", "made by a machine")), "aigc", ""),
    "AIGC chunk of sound": (wav((b"AIGC", json.dumps(FIELD).encode())), "aigc", "001191110102"),
    "AIGC in INFO": (
        wav((b"LIST", INFO_FIELD)),
        "aigc",
        "001191110102",
    ),
    "IPTC": (
        png(xmp=packet(f"<I:DigitalSourceType>{SOURCE_TYPE}trainedAlgorithmicMedia</I:DigitalSourceType>")),
        "iptc",
        "",
    ),
    "IPTC with a bare code": (
        png(xmp=packet(KRITA)),
        "iptc",
        "Krita",
    ),
    "A1111": (png(("parameters", A1111)), "settings", "Stable Diffusion web UI"),
    "A1111, packed": (png(("parameters", A1111), packed=True), "settings", "Stable Diffusion web UI"),
    "A1111 in JPEG": (with_exif("JPEG", {0x9286: UNICODE}), "settings", "Stable Diffusion web UI"),
    "A1111 in WebP": (with_exif("WEBP", {0x9286: UNICODE}), "settings", "Stable Diffusion web UI"),
    "A1111 in AVIF": (with_exif("AVIF", {0x9286: UNICODE}), "settings", "Stable Diffusion web UI"),
    "ComfyUI prompt": (png(("prompt", GRAPH)), "settings", "ComfyUI"),
    "ComfyUI workflow": (png(("workflow", WORKFLOW)), "settings", "ComfyUI"),
    "ComfyUI in WebP": (
        with_exif("WEBP", {0x010F: "workflow:" + WORKFLOW, 0x0110: "prompt:" + GRAPH}),
        "settings",
        "ComfyUI",
    ),
    "InvokeAI": (png(("invokeai_metadata", '{"positive_prompt":"x"}')), "settings", "InvokeAI"),
    "InvokeAI, old": (png(("Dream", '"a castle" -s 50')), "settings", "InvokeAI"),
    "NovelAI": (
        png(("Software", "NovelAI"), ("Comment", '{"steps":28,"sampler":"k","uc":"x"}')),
        "software",
        "NovelAI",
    ),
    "Fooocus": (png(("parameters", "{}"), ("fooocus_scheme", "fooocus")), "settings", "Fooocus"),
    "SwarmUI": (png(("parameters", '{"sui_image_params":{"prompt":"x"}}')), "settings", "SwarmUI"),
    "Midjourney": (
        png(("Description", "a castle --v 6 Job ID: 01234567-89ab-cdef-0123-456789abcdef")),
        "settings",
        "Midjourney",
    ),
    "Google's credit": (
        png(xmp=packet("<photoshop:Credit>Made with Google AI</photoshop:Credit>")),
        "software",
        "Google AI",
    ),
    "Krita's plugin": (
        png(xmp=packet("<xmp:CreatorTool>Krita AI Diffusion 1.53</xmp:CreatorTool>")),
        "software",
        "Krita",
    ),
    "EXIF Software": (with_exif("JPEG", {0x0131: "Adobe Firefly"}), "software", "Adobe Firefly"),
    "EXIF description": (with_exif("JPEG", {0x010E: "Generated with DALL-E 3"}), "software", "OpenAI"),
    "sound of Suno": (wav((b"LIST", b"INFOISFT" + struct.pack("<I", 8) + b"Suno v4 ")), "software", "Suno"),
}
INNOCENT: dict[str, bytes] = {
    "nothing": png(),
    "GIMP": png(("Software", "GIMP 2.10"), ("Comment", "Created with GIMP")),
    "a caption that speaks of a program": png(("Description", "A talk about Midjourney and Stable Diffusion in Graz")),
    "parameters of a microscope": png(("parameters", "gain=3, exposure=20 ms")),
    "a prompt that is no graph": png(("prompt", "what do you see?"), ("workflow", '{"step": 1}')),
    "a camera": with_exif("JPEG", {0x010F: "Google", 0x0110: "Pixel 8", 0x0131: "HDR+ 1.0"}),
}


@pytest.fixture
def no_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    """These files have no invisible mark and are not searched for one, which takes most of the time."""
    monkeypatch.setattr(verify, "_watermark", lambda *_: LayerReport("absent", {}, ()))


@pytest.mark.usefixtures("no_mark")
@pytest.mark.parametrize("name", FILES)
def test_a_foreign_mark_is_told_as_foreign(name: str) -> None:
    """The verdict says AI and another maker; the mark names its kind and, where it does, the program."""
    data, kind, program = FILES[name]
    found = verify_bytes("a.file", data)
    assert found.verdict == "foreign", (found.sentence, found.layers)
    assert "another maker" in found.sentence and "Signet" in found.sentence
    mark = next(mark for mark in found.foreign if mark["kind"] == kind)
    assert program in mark["program"] and mark["ai"]
    assert found.to_json()["foreign"] == list(found.foreign)
    assert "damaged" not in {found.layers[layer].state for layer in ("iptc", "credential", "ledger", "explicit")}
    if kind == "aigc" and program:
        assert found.layers["aigc"].state == "intact" and found.layers["aigc"].evidence["fields"]


@pytest.mark.usefixtures("no_mark")
@pytest.mark.parametrize("name", INNOCENT)
def test_what_says_nothing_of_ai_is_no_mark(name: str) -> None:
    """Programs, cameras and captions are not accused; nothing is called authentic either."""
    found = verify_bytes("a.file", INNOCENT[name])
    assert found.verdict == "unlabelled" and not any(mark["ai"] for mark in found.foreign)
    assert "not make the file authentic" in found.sentence


@pytest.mark.usefixtures("no_mark")
def test_a_source_type_of_a_camera_is_told_and_is_no_label() -> None:
    """DigitalSourceType digitalCapture: told, but it neither accuses nor proves."""
    data = png(xmp=packet(f"<I:DigitalSourceType>{SOURCE_TYPE}digitalCapture</I:DigitalSourceType>"))
    found = verify_bytes("a.png", data)
    assert found.verdict == "unlabelled" and found.layers["iptc"].state == "absent"
    assert found.foreign[0]["detail"].endswith("digitalCapture") and not found.foreign[0]["ai"]
    assert "authentic" in found.sentence


def signed(data: bytes, origin: str, signer: str = "Somebody") -> bytes:
    """A C2PA credential of another program: without our assertion."""
    root_key, root = credential.make_root("Root of others")
    key, leaf = credential.make_leaf(root_key, root, signer)
    recipe = credential.Recipe("x", "image/png", "trainedAlgorithmicMedia", "e", "1", "2026-11-01T00:00:00Z", (), {})
    ours = credential._manifest

    def theirs(recipe: credential.Recipe) -> dict[str, object]:
        made = ours(recipe)
        made["claim_generator_info"] = [{"name": "Other", "version": "1"}]
        made["assertions"] = made["assertions"][:1]
        for action in made["assertions"][0]["data"]["actions"]:
            if "digitalSourceType" in action:
                action["digitalSourceType"] = SOURCE_TYPE + origin
        return made

    credential._manifest = theirs
    try:
        return credential.sign(data, recipe, key, leaf + root)
    finally:
        credential._manifest = ours


@pytest.mark.usefixtures("no_mark")
def test_a_foreign_credential_is_valid_and_not_ours() -> None:
    """C2PA Valid: the signature holds, the signer is not known; the source type says AI."""
    found = verify_bytes("a.png", signed(png(), "trainedAlgorithmicMedia"))
    assert found.verdict == "foreign"
    assert found.layers["credential"].state == "intact"
    assert found.layers["credential"].evidence["c2pa"] == "Valid"
    mark = next(mark for mark in found.foreign if mark["kind"] == "c2pa")
    assert mark["program"] == "Somebody" and "C2PA Valid" in mark["detail"]


@pytest.mark.usefixtures("no_mark")
def test_a_changed_foreign_credential_is_invalid() -> None:
    """One changed pixel chunk: C2PA Invalid, and the AI in it is told all the same."""
    whole = signed(png(("Comment", "aaaa")), "trainedAlgorithmicMedia")
    at = whole.index(b"aaaa")
    body = b"tEXt" + whole[at - 8 : at] + b"bbbb"
    changed = whole[: at - 12] + body + struct.pack(">I", zlib.crc32(body)) + whole[at + 8 :]
    found = verify_bytes("a.png", changed)
    assert found.layers["credential"].evidence["c2pa"] == "Invalid"
    assert found.verdict == "foreign" and found.layers["credential"].state == "damaged"


@pytest.mark.usefixtures("no_mark")
def test_a_credential_of_a_camera_accuses_nobody() -> None:
    """A credential that does not speak of AI is told, and is no proof of anything."""
    found = verify_bytes("a.png", signed(png(), "digitalCapture"))
    assert found.verdict == "unlabelled" and "authentic" in found.sentence
    assert [mark["ai"] for mark in found.foreign] == [False]


@pytest.mark.parametrize("name", ["out.png", "out.jpg"])
def test_our_own_release_has_no_foreign_mark(home: Home, claim, tmp_path: Path, name: str) -> None:
    """Trusted at home, Valid elsewhere; never a mark of another maker."""
    out = home.release(claim, tmp_path / name).path
    known = [public_keys(home.folder)]
    at_home, abroad = (verify_bytes(name, out.read_bytes(), keys) for keys in (known, ()))
    assert at_home.verdict == abroad.verdict == "sealed"
    assert at_home.foreign == abroad.foreign == ()
    assert at_home.layers["credential"].evidence["c2pa"] == "Trusted"
    assert abroad.layers["credential"].evidence["c2pa"] == "Valid"


def test_a_foreign_mark_does_not_hide_that_ours_was_broken(home: Home, claim, tmp_path: Path) -> None:
    """Our release without its credential and with settings of another program: broken, not foreign."""
    out = home.release(claim, tmp_path / "out.png").path
    kept = PngImagePlugin.PngInfo()
    kept.add_text("parameters", A1111)
    target = io.BytesIO()
    Image.open(out).save(target, "PNG", pnginfo=kept)
    found = verify_bytes("a.png", target.getvalue(), [public_keys(home.folder)])
    assert found.verdict == "broken" and found.foreign


@pytest.mark.usefixtures("no_mark")
def test_our_field_alone_is_ours() -> None:
    """A release of which only the AIGC field is left was stripped: no other maker is blamed."""
    own = {
        **FIELD,
        "ContentProducer": "signet.local/abc",
        "ProduceID": "0" * 16,
        "ContentPropagator": "signet.local/abc",
        "PropagateID": "0" * 16,
    }
    for field in (own, {**own, "ContentProducer": "001191110102X", "ContentPropagator": "001191110102X"}):
        found = verify_bytes("a.png", png(xmp=packet(ELEMENT.format(escaped(field)))))
        assert found.verdict == "broken" and not found.foreign


SEEDS = [data for data, _, _ in FILES.values()]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_broken_files_are_read_without_an_error(draw: st.DataObject) -> None:
    """Any bytes changed, cut or repeated: the texts are read as far as they go."""
    data = bytearray(draw.draw(st.sampled_from(SEEDS)))
    for _ in range(draw.draw(st.integers(1, 6))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    data = data[: draw.draw(st.integers(16, len(data)))]
    container = read_media("seed", SEEDS[0])
    for form in ("png", "jpeg", "webp", "tiff", "gif", "avif", "mp4", "mkv", "mp3", "flac", "ogg", "wav"):
        other = type("C", (), {"format": form, "xmp": (bytes(data),), "has_manifest": False})()
        assert len(named_texts(bytes(data), other)) <= 200
    assert container.format == "png"


def texts_of(form: str, data: bytes) -> int:
    """How many texts are found in bytes that are taken for a format."""
    return len(named_texts(data, type("C", (), {"format": form, "xmp": ()})()))


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("mkv", b"\x1aE\xdf\xa3\x12\x54\xc3\x67"),
        ("png", png()[:33] + chunk(b"zTXt", b"parameters\0\0no deflate") + png()[33:]),
        ("mp4", b"\0\0\0\x18ftypisom\0\0\0\0isomiso2\xff\xff\xff\xffmoov"),
        ("tiff", b"II*\0\x08\0\0\0\xff\xff"),
        ("mp3", b"ID3\x04\0\0\xff\xff\xff\xff"),
    ],
)
def test_a_broken_part_ends_its_reading(form: str, data: bytes) -> None:
    """What cannot be read is passed over, whatever it breaks."""
    assert texts_of(form, data) == 0


def test_a_bomb_of_packed_text_is_cut() -> None:
    """Text that unpacks to 64 MiB is unpacked for one mebibyte and no further."""
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(b"a" * (1 << 20)) for _ in range(64)) + packer.flush()
    assert len(foreign_texts._inflated(bomb)) == 1 << 20
    assert texts_of("png", png()[:33] + chunk(b"zTXt", b"parameters\0\0" + bomb) + png()[33:]) == 1
