"""A released file: every layer of it, what each change breaks, and what a stranger reads."""

from __future__ import annotations

import hashlib
import io
import os
import random
import re
import stat
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from compliance import encode, verify
from compliance.containers import manifest_store
from compliance.errors import LabelTooWeak
from compliance.labels import credential, explicit
from compliance.labels.credential import read_credential
from compliance.labels.jumbf import frame_is_ours
from compliance.labels.policy import LAYERS
from compliance.media import unseal
from tests.compliance.home import PASSWORD, SOURCE, TARGET, Home, HonestDrafter, noise, report

MIME = {"x.png": "image/png", "x.jpg": "image/jpeg"}


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "画像 ✓.PNG", "x.jpeg"])
def test_a_release_carries_every_layer(home: Home, claim, out: Path, name: str) -> None:
    """A released picture is sealed in all layers, readable by others as the umask says, and in the ledger twice."""
    finished = home.release(claim, out / name)
    found = report(home, out / name)
    assert found.verdict == "sealed"
    assert list(found.layers) == [*LAYERS, "watermark", "fingerprint"]
    assert {layer.state for row, layer in found.layers.items() if row != "fingerprint"} == {"intact"}
    assert os.listdir(out) == [name]
    assert stat.S_IMODE((out / name).stat().st_mode) & 0o600 == 0o600
    kinds = home.events()
    assert kinds.count("release_intended") == kinds.count("released") == 1
    assert finished.file_sha256 == hashlib.sha256((out / name).read_bytes()).hexdigest()
    assert home.ledger.entry(finished.ledger_index)["fields"]["file_sha256"] == finished.file_sha256
    assert found.layers["ledger"].evidence["release"] == finished.id


def test_a_release_names_nobody(home: Home, claim, out: Path) -> None:
    """No real name, account name or path stands in the file."""
    home.release(claim, out / "x.png")
    data = (out / "x.png").read_bytes()
    for needle in (b"maria", b"Maria", b"Somebody", os.fsencode(out.parent.name), PASSWORD.encode()):
        assert needle not in data


def test_the_demo_says_sample(tmp_path: Path, out: Path) -> None:
    """Releases of a demo home carry the word SAMPLE in the label, and the release insists on it."""
    demo = Home.furnished(tmp_path / "demo", "demo")
    plan = demo.releaser.plan(noise().info, "png")
    assert plan.sample
    labelled, drawn = explicit.draw(unseal(noise()), sample=True)
    assert "SAMPLE" in drawn.text
    explicit.require(explicit.measure(labelled), sample=True)
    without, _ = explicit.draw(unseal(noise()), sample=False)
    with pytest.raises(LabelTooWeak):
        explicit.require(explicit.measure(without), sample=True)
    demo.rows.close()


TAMPERED = {
    "one byte of the picture": "credential",
    "re-saved": "credential",
    "cropped": "explicit",
    "painted over": "explicit",
    "metadata stripped": "aigc",
    "bytes behind the end": "credential",
}


@pytest.mark.parametrize("name", ["x.png", "x.jpg"])
@pytest.mark.parametrize("how", TAMPERED)
def test_verify_names_the_layer_that_broke(home: Home, claim, out: Path, name: str, how: str) -> None:
    """Each way of meddling with a released file leaves the verdict "broken" and names what broke."""
    home.release(claim, out / name)
    path = out / name
    data = bytearray(path.read_bytes())
    kind = "PNG" if name.endswith("png") else "JPEG"
    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGB")
    box = report(home, path).layers["explicit"].evidence["box"]
    match how:
        case "one byte of the picture":
            place = len(data) // 2 if kind == "JPEG" else data.index(b"IDAT") + 200
            data[place] ^= 0x10
            path.write_bytes(data)
        case "re-saved" | "metadata stripped":
            picture.save(path, kind)
        case "cropped":
            top = 0 if box[1] > picture.height // 2 else box[1] + box[3]
            bottom = box[1] if box[1] > picture.height // 2 else picture.height
            picture.crop((0, top, picture.width, bottom)).save(path, kind)
        case "painted over":
            picture.paste((40, 90, 40), (box[0], box[1], box[0] + box[2], box[1] + box[3]))
            picture.save(path, kind)
        case "bytes behind the end":
            path.write_bytes(bytes(data) + b"extra")
    found = report(home, path)
    assert found.verdict in ("broken", "unreadable", "unlabelled")
    assert found.layers[TAMPERED[how]].state != "intact"
    assert "authentic" not in found.sentence or "not" in found.sentence


@pytest.mark.parametrize("name", ["x.png", "x.jpg"])
def test_no_changed_byte_goes_unseen(home: Home, claim, out: Path, name: str) -> None:
    """Whatever single byte of a released file changes, it is sealed no more."""
    home.release(claim, out / name)
    whole = (out / name).read_bytes()
    generator = random.Random(5)
    for place in [0, 1, len(whole) - 1, *generator.sample(range(len(whole)), 60)]:
        changed = bytearray(whole)
        changed[place] ^= 1 << generator.randrange(8)
        assert verify.verify_bytes(name, bytes(changed)).verdict != "sealed", place


@pytest.mark.parametrize("name", ["x.png", "x.jpg"])
def test_the_frame_of_the_credential_is_fixed(home: Home, claim, out: Path, name: str) -> None:
    """Box headers, labels, switches and filling, which no hash of the credential covers, cannot be changed either."""
    home.release(claim, out / name)
    whole = (out / name).read_bytes()
    start = whole.index(b"jumb") - 4
    store = manifest_store(whole)
    pad = store.rfind(b"cpad")
    frame = [*range(230), *(place.end() + 16 for place in re.finditer(b"jumd", store)), *range(pad, pad + 20)]
    marks = [place for word in (b"jumb", b"jumd", b"c2sh") for place in (m.start() for m in re.finditer(word, store))]
    changes = [(place, 1 << bit) for place in (*frame, *marks) for bit in (0, 4)]
    assert frame_is_ours(store)
    unseen = []
    for place, bit in changes:
        changed = bytearray(store)
        changed[place] ^= bit
        if not frame_is_ours(bytes(changed)):
            continue
        reading = read_credential(with_store(whole, start, bytes(changed)), MIME[name], [])
        if reading.state == "intact":
            unseen.append((place, bit))
    assert unseen == []
    renamed = store.replace(b"cpad", b"cpzd")
    assert read_credential(with_store(whole, start, renamed), MIME[name], []).state == "damaged"


def with_store(whole: bytes, start: int, store: bytes) -> bytes:
    """The file with another manifest store of the same length, in one piece; a PNG chunk gets its right CRC."""
    changed = whole[:start] + store + whole[start + len(store) :]
    if changed[:4] == b"\x89PNG":
        crc = zlib.crc32(b"caBX" + store).to_bytes(4, "big")
        changed = changed[: start + len(store)] + crc + changed[start + len(store) + 4 :]
    return changed


def test_time_alone_breaks_no_label(home: Home, claim, out: Path) -> None:
    """After the certificate has run out the file is still sealed, and the sentence says what has passed."""
    home.release(claim, out / "x.png")
    reading = read_credential((out / "x.png").read_bytes(), "image/png", [])
    report = {"manifests": {"a": {}}, "active_manifest": "a", "validation_state": "Invalid"}
    for codes, trust in (
        (["signingCredential.expired", "signingCredential.untrusted"], "expired signer"),
        (["signingCredential.expired", "assertion.dataHash.mismatch"], "invalid"),
        (["signingCredential.untrusted"], "invalid"),
    ):
        judged = credential._judge({**report, "validation_status": [{"code": code} for code in codes]}, b"\0")
        assert judged.trust == trust
    assert reading.state == "intact"


def test_a_stripped_copy_still_names_its_release(home: Home, claim, out: Path) -> None:
    """Cropped by 40 %, saved as JPEG 60 and without metadata: the mark alone tells which release it was."""
    finished = home.release(claim, out / "x.png", HonestDrafter(noise(640, 640)))
    with Image.open(out / "x.png") as picture:
        picture.convert("RGB").crop((70, 0, 570, 500)).save(out / "copy.jpg", "JPEG", quality=60)
    found = report(home, out / "copy.jpg")
    assert found.verdict == "broken"
    assert found.layers["watermark"].state == "intact"
    assert found.layers["watermark"].evidence["release"] == finished.id


def test_a_mark_of_another_release_is_damage(home: Home, claim, out: Path) -> None:
    """Pixels of one release under the metadata of another contradict each other."""
    home.release(claim, out / "x.png", HonestDrafter(noise(512, 512)))
    second = home.claim(home.grant(SOURCE), home.grant(TARGET))
    home.release(second, out / "y.png", HonestDrafter(noise(512, 512, 8)))
    with Image.open(out / "x.png") as first, Image.open(out / "y.png") as other:
        packet = PngInfo()
        packet.add_itxt("XML:com.adobe.xmp", other.info["XML:com.adobe.xmp"])
        first.convert("RGB").save(out / "z.png", pnginfo=packet)
    assert report(home, out / "z.png").layers["watermark"].state == "damaged"


def test_a_proof_of_another_picture_proves_nothing(home: Home, claim, out: Path) -> None:
    """A picture signed by the home's own key with the proof of another release: the ledger row says so."""
    home.release(claim, out / "x.png")
    stolen = read_credential((out / "x.png").read_bytes(), "image/png", []).evidence
    assert stolen is not None
    plan = home.releaser.plan(noise().info, "png")
    packet = replace(plan, release_id=str(stolen["release"])).packet()
    labelled, _ = explicit.draw(unseal(noise(seed=9)), sample=False)
    keys = home.session().require_keys()
    recipe = credential.Recipe(
        title="t",
        mime="image/png",
        origin=plan.origin,
        engine="fake.noise",
        engine_version="1",
        when="2026-01-01T00:00:00Z",
        ingredients=(),
        evidence={name: stolen[name] for name in ("release", "consents", "ledger_index", "ledger_vkey", "proof")},
    )
    other = encode.encode_picture(labelled, "png", packet)
    signed = credential.sign(other, recipe, keys.leaf_key(), keys.chain_pem())
    found = verify.verify_bytes("z.png", signed)
    assert found.layers["credential"].state == "intact"
    assert found.layers["ledger"].state == "damaged"
    assert found.verdict == "broken"


def test_special_files_are_unreadable_at_once(tmp_path: Path) -> None:
    """A pipe, a device without end and a folder are told, and never read."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/full"), tmp_path):
        assert verify.verify_file(path).verdict == "unreadable"


def test_a_broken_picture_without_labels_is_not_accused(tmp_path: Path) -> None:
    """Damage of a file that never had a label reads as an unreadable file, not as damaged labels."""
    stream = io.BytesIO()
    Image.fromarray(unseal(noise())).save(stream, "PNG")
    plain = stream.getvalue()
    flipped = bytearray(plain)
    flipped[len(plain) // 2] ^= 1
    for data in (plain[: len(plain) // 2], bytes(flipped), plain[:33], b"\xff\xd8\xff\xe0" + bytes(40)):
        assert verify.verify_bytes("plain.png", data).verdict in ("unreadable", "unlabelled")


def test_without_the_library_labels_are_unchecked(
    home: Home, claim, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the C2PA library does not load, nothing is called absent or damaged that was not looked at."""
    home.release(claim, out / "x.png")
    monkeypatch.setitem(sys.modules, "c2pa", None)
    found = report(home, out / "x.png")
    assert found.verdict == "unchecked"
    assert found.layers["credential"].state == found.layers["ledger"].state == "unchecked"


@pytest.mark.parametrize("name", ["x.png", "x.jpg"])
def test_a_damaged_file_still_names_what_is_whole(home: Home, claim, out: Path, name: str) -> None:
    """Cut in half, a file is broken, not unreadable: metadata before the cut is read, the credential is damaged."""
    home.release(claim, out / name)
    whole = (out / name).read_bytes()
    found = verify.verify_bytes(name, whole[: len(whole) * 3 // 4])
    assert found.verdict == "broken"
    assert found.layers["credential"].state == "damaged"
    assert found.layers["aigc"].state == "intact"


def test_an_unlabelled_picture_is_not_called_authentic(tmp_path: Path) -> None:
    """A picture without any label is "unlabelled", and the sentence says what that does not mean."""
    path = tmp_path / "plain.png"
    Image.fromarray(unseal(noise())).save(path)
    found = verify.verify_file(path)
    assert found.verdict == "unlabelled"
    assert {layer.state for name, layer in found.layers.items() if name != "fingerprint"} == {"absent"}
    assert "does not make the file authentic" in found.sentence


def test_a_stranger_can_verify(home: Home, claim, out: Path) -> None:
    """Without the home's keys everything still verifies; the signer is then called unknown."""
    home.release(claim, out / "x.png")
    found = verify.verify_file(out / "x.png")
    assert found.verdict == "sealed"
    assert found.layers["credential"].evidence["trust"] == "unknown signer"
    assert found.layers["ledger"].evidence["log"] == "not known here"
