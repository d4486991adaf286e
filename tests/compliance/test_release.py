"""The one way out: bad drafts, bad places, full disks, crashes; then the file that does come out."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import random
import re
import shutil
import stat
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image, ImageFilter
from PIL.PngImagePlugin import PngInfo

from compliance import consent, draft, encode, store, verify
from compliance.containers import manifest_store, read_container
from compliance.errors import (
    ConsentWithdrawn,
    DiskFull,
    ExitCode,
    FormatUnsupported,
    LabelPartMissing,
    LabelTooWeak,
    NotVerified,
    NotWritable,
    PermitInvalid,
    PictureTooSmallForLabel,
    SignetError,
    StoreDamaged,
    TargetExists,
    WorkerDied,
)
from compliance.keys import public_keys
from compliance.labels import credential, explicit, watermark_image
from compliance.labels.credential import read_credential
from compliance.labels.jumbf import frame_is_ours
from compliance.labels.policy import LAYERS, LabelPlan, Prepared
from compliance.media import unseal
from tests.compliance.home import PASSWORD, SOURCE, TARGET, Home, HonestDrafter, noise

MIME = {"x.png": "image/png", "x.jpg": "image/jpeg"}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An empty folder to release into."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def claim(home: Home):
    """A swap that the gate allows."""
    return home.claim(home.grant(SOURCE), home.grant(TARGET))


def report(home: Home, path: Path) -> verify.Report:
    """What verify says of a file, knowing the home."""
    keys = public_keys(home.folder)
    assert keys is not None
    return verify.verify_file(path, [keys])


class Forger(HonestDrafter):
    """A worker that has been taken over: it labels as it likes and tells whatever digest fits its bytes."""

    def __init__(self, how: str) -> None:
        super().__init__(noise())
        self.how = how

    def prepare(self, plan: LabelPlan) -> Prepared:
        honest = draft.prepare(self.media, plan)
        pixels, packet = self.pixels(plan, honest), plan.packet()
        match self.how:
            case "no metadata":
                packet = b""
            case "another release":
                packet = replace(plan, release_id="0" * 16).packet()
            case "captured, not generated":
                packet = packet.replace(b"compositeWithTrainedAlgorithmicMedia", b"digitalCapture")
            case "two fields":
                start = packet.index(b"<TC260:AIGC>")
                end = packet.index(b"</TC260:AIGC>") + len(b"</TC260:AIGC>")
                packet = packet[:end] + packet[start:end] + packet[end:]
        self.data = encode.encode_picture(pixels, plan.format, packet)
        match self.how:
            case "trailing picture":
                self.data += encode.encode_picture(unseal(self.media), "png", b"")
            case "no picture":
                self.data = b"not a picture"
            case "nothing":
                self.data = b""
            case "truncated":
                self.data = self.data[:-200]
            case "another format":
                self.data = encode.encode_picture(pixels, "jpeg", packet)
        try:
            digest = read_container("forged", self.data).payload_sha256
        except SignetError:
            digest = honest.payload_sha256
        if self.how == "another digest":
            digest = hashlib.sha256(b"x").hexdigest()
        return Prepared(digest, len(self.data))

    def pixels(self, plan: LabelPlan, honest: draft.Draft) -> np.ndarray:
        """The picture with the label this forger puts on it."""
        plain = unseal(self.media)
        labelled, drawn = explicit.draw(plain, sample=plan.sample)
        left, top, width, height = drawn.box
        box = (slice(top, top + height), slice(left, left + width))
        forged = labelled.copy()
        match self.how:
            case "no label":
                return plain.copy()
            case "transparent":
                forged[box] = (plain[box] * 0.94 + labelled[box] * 0.06).astype(np.uint8)
            case "low contrast":
                forged[box] = 118 + labelled[box] // 24
            case "half covered":
                forged[top : top + height, left : left + width // 2] = 90
            case "blurred":
                picture = Image.fromarray(labelled).filter(ImageFilter.GaussianBlur(9))
                forged[box] = np.asarray(picture)[box]
            case "tiny":
                small = Image.fromarray(labelled[box]).resize((width // 3, height // 3))
                forged = plain.copy()
                forged[-height // 3 :, : width // 3] = np.asarray(small)[-(height // 3 + 1) :, :][: height // 3 + 1]
            case "one word":
                forged[top : top + height, left + int(width * 0.36) : left + width] = labelled[
                    top + 2, left + width // 2
                ]
        return forged

    def write(self, descriptor: int) -> None:
        encode.write_all(descriptor, self.data)


FORGERIES = """no label|transparent|low contrast|half covered|blurred|tiny|one word|no metadata|another release|
captured, not generated|two fields|trailing picture|no picture|nothing|truncated|another format|another digest"""


@pytest.mark.parametrize("how", [how.strip() for how in FORGERIES.split("|")])
def test_a_bad_draft_is_never_released(home: Home, claim, out: Path, how: str) -> None:
    """Whatever a worker hands over, the release measures the bytes: nothing appears, and the try is entered."""
    with pytest.raises(SignetError) as refusal:
        home.release(claim, out / "forged.png", Forger(how))
    assert refusal.value.code in (ExitCode.LABEL, ExitCode.ERROR)
    assert os.listdir(out) == []
    assert home.events()[-1] == "release_rolled_back"
    assert home.releaser.releases() == []


def test_a_release_without_live_consent_leaves_nothing(home: Home, out: Path) -> None:
    """Consent withdrawn after the permit was given, before the release: refused, and no file."""
    source = home.grant(SOURCE)
    claim = home.claim(source, home.grant(TARGET))
    session = home.session()
    permit = home.gate.authorize(claim, session.account)
    consent.withdraw_consent(home.rows, home.ledger, source)
    media = noise()
    with pytest.raises(ConsentWithdrawn):
        home.releaser.release(
            permit=permit,
            claim=claim,
            account=session.account,
            keys=session.require_keys(),
            info=media.info,
            materials=(),
            drafter=HonestDrafter(media),
            out=out / "late.png",
        )
    assert os.listdir(out) == []


def test_no_proof_no_release(home: Home, claim, out: Path) -> None:
    """An account whose proof has ended may not release."""
    with home.rows.write() as connection:
        connection.execute(sa.delete(store.identity_proof))
    with pytest.raises(NotVerified):
        home.release(claim, out / "x.png")
    assert os.listdir(out) == []


def test_a_permit_works_once(home: Home, claim, out: Path) -> None:
    """The same permit cannot be used for a second release."""
    session, media = home.session(), noise()
    options = {
        "permit": home.gate.authorize(claim, session.account),
        "claim": claim,
        "account": session.account,
        "keys": session.require_keys(),
        "info": media.info,
        "materials": (),
        "drafter": HonestDrafter(media),
    }
    home.releaser.release(**options, out=out / "first.png")
    with pytest.raises(PermitInvalid):
        home.releaser.release(**options, out=out / "second.png")
    assert os.listdir(out) == ["first.png"]


def test_bad_places_are_refused_before_any_work(home: Home, claim, out: Path) -> None:
    """Existing files, missing folders, folders as targets and foreign endings are refused and stay as they are."""
    (out / "there.png").write_bytes(b"mine")
    (out / "dangling.png").symlink_to(out / "nowhere")
    (out / "folder.png").mkdir()
    table = [
        (out / "there.png", TargetExists, ExitCode.DISK),
        (out / "dangling.png", TargetExists, ExitCode.DISK),
        (out / "folder.png", NotWritable, ExitCode.DISK),
        (out / "no" / "such.png", NotWritable, ExitCode.DISK),
        (out / "x.bmp", FormatUnsupported, ExitCode.USAGE),
        (out / "x", FormatUnsupported, ExitCode.USAGE),
    ]
    for path, error, code in table:
        with pytest.raises(error) as refusal:
            home.release(claim, path)
        assert refusal.value.code == code
    assert (out / "there.png").read_bytes() == b"mine"
    assert sorted(os.listdir(out)) == ["dangling.png", "folder.png", "there.png"]
    assert "release_intended" not in home.events()


def test_a_file_that_appears_meanwhile_is_kept(home: Home, claim, out: Path) -> None:
    """A foreign file that takes the name during the release is neither replaced nor touched."""

    class Slow(HonestDrafter):
        def write(self, descriptor: int) -> None:
            super().write(descriptor)
            (out / "x.png").write_bytes(b"mine")

    with pytest.raises(TargetExists):
        home.release(claim, out / "x.png", Slow(noise()))
    assert (out / "x.png").read_bytes() == b"mine"
    assert os.listdir(out) == ["x.png"]


def test_overwrite_replaces_as_a_whole(home: Home, claim, out: Path) -> None:
    """With overwrite the old file gives way to the finished one, and only to it."""
    (out / "x.png").write_bytes(b"old")
    with pytest.raises(LabelTooWeak):
        home.release(claim, out / "x.png", Forger("no label"), overwrite=True)
    assert (out / "x.png").read_bytes() == b"old"
    home.release(claim, out / "x.png", overwrite=True)
    assert report(home, out / "x.png").verdict == "sealed"
    assert os.listdir(out) == ["x.png"]


@pytest.mark.parametrize(
    ("code", "error"), [(errno.ENOSPC, DiskFull), (errno.EIO, NotWritable), (errno.EDQUOT, DiskFull)]
)
@pytest.mark.parametrize("call", ["open", "write", "fsync", "link", "unlink", "fchmod"])
def test_a_failing_disk_leaves_nothing(
    home: Home, claim, out: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int, error: type[SignetError]
) -> None:
    """Each storage call of the release may fail once: a clear error or a finished file, never something in between."""
    real = getattr(os, call)
    failed = []

    def fails_once(*arguments, **options):
        frame = sys._getframe(1)
        if not failed and frame.f_globals["__name__"] in ("compliance.release", "compliance.encode"):
            if call == "open" and not arguments[1] & os.O_EXCL:
                return real(*arguments, **options)
            failed.append(1)
            raise OSError(code, os.strerror(code))
        return real(*arguments, **options)

    monkeypatch.setattr(os, call, fails_once)
    try:
        home.release(claim, out / "x.png")
    except SignetError as refusal:
        assert isinstance(refusal, error)
        assert refusal.code == ExitCode.DISK
        assert os.listdir(out) == []
    else:
        assert report(home, out / "x.png").verdict == "sealed"
        assert os.listdir(out) == ["x.png"]
    assert failed


def test_a_worker_that_dies_while_writing_leaves_nothing(home: Home, claim, out: Path) -> None:
    """Half a draft and then silence: the part is removed and the release rolled back."""

    class Dying(HonestDrafter):
        def write(self, descriptor: int) -> None:
            os.write(descriptor, b"\x89PNG half")
            raise WorkerDied(detail="signal 9")

    with pytest.raises(WorkerDied):
        home.release(claim, out / "x.png", Dying(noise()))
    assert os.listdir(out) == []
    assert home.events()[-1] == "release_rolled_back"


def test_a_missing_label_library_stops_the_release(
    home: Home, claim, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the C2PA library there is no release, not one with fewer layers."""
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(LabelPartMissing):
        home.release(claim, out / "x.png")
    assert os.listdir(out) == []


def test_a_signer_that_lies_is_caught(home: Home, claim, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If signing hands back unsigned bytes, the check behind it refuses them."""
    monkeypatch.setattr(credential, "sign", lambda data, *_: data)
    with pytest.raises(LabelTooWeak) as refusal:
        home.release(claim, out / "x.png")
    assert refusal.value.data["layer"] == "credential"
    assert os.listdir(out) == []


def test_a_picture_too_small_for_the_label_is_refused(home: Home, claim, out: Path) -> None:
    """Where the label cannot be read nothing is released."""
    with pytest.raises(PictureTooSmallForLabel):
        home.release(claim, out / "x.png", HonestDrafter(noise(64, 48)))
    assert os.listdir(out) == []


# --- what does come out ----------------------------------------------------------------------------------------------


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


class Unmarked(HonestDrafter):
    """A worker that leaves the invisible mark out, or writes another release's."""

    def __init__(self, ident: int | None) -> None:
        super().__init__(noise(512, 512))
        self.ident = ident

    def prepare(self, plan: LabelPlan) -> Prepared:
        labelled, _ = explicit.draw(unseal(self.media), sample=plan.sample)
        pixels = labelled if self.ident is None else watermark_image.embed(labelled, self.ident).pixels
        self.draft = draft.Draft(plan, encode.encode_picture(pixels, plan.format, plan.packet()))
        return Prepared(self.draft.payload_sha256, self.draft.size)


@pytest.mark.parametrize("ident", [None, 7])
def test_the_invisible_mark_is_read_before_anything_is_signed(home: Home, claim, out: Path, ident: int | None) -> None:
    """A draft without its mark, or with another one, is not released."""
    with pytest.raises(LabelTooWeak) as refusal:
        home.release(claim, out / "x.png", Unmarked(ident))
    assert refusal.value.data["layer"] == "watermark"
    assert os.listdir(out) == []


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


def test_recovery_removes_only_its_own_files(home: Home, claim, out: Path) -> None:
    """A row that names other files, or an id that makes such a name, removes nothing."""
    home.release(claim, out / "x.png")
    with home.rows.write() as connection:
        connection.execute(sa.update(store.release).values(state="intended", part_path=str(home.folder / "keys.json")))
    home.releaser.recover()
    assert (home.folder / "keys.json").exists()
    assert (out / "x.png").exists()
    with home.rows.write() as connection:
        connection.execute(sa.update(store.release).values(state="intended", id="x/../../keys"))
    with pytest.raises(StoreDamaged):
        home.releaser.recover()


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


# --- crashes ---------------------------------------------------------------------------------------------------------


def test_kill_at_thirty_moments(furnished_folder: Path, tmp_path: Path, out: Path) -> None:
    """A process killed at 30 random calls of a release never leaves an unlabelled file or one without an entry."""
    folder = tmp_path / "home"
    shutil.copytree(furnished_folder, folder)
    driver = subprocess.Popen(
        [sys.executable, "-m", "tests.compliance.killed_release", folder, out],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert driver.stdin is not None
    assert driver.stdout is not None

    def tell(number: int) -> str:
        driver.stdin.write(f"{number}\n")
        driver.stdin.flush()
        return driver.stdout.readline().strip()

    calls = int(tell(0))
    generator = random.Random(20260901)
    # The last part of the calls is where files get their names; it gets its share of the moments.
    moments = [generator.randint(1, calls) for _ in range(18)] + [
        generator.randint(int(calls * 0.9), calls) for _ in range(12)
    ]
    home = None
    for moment in moments:
        assert tell(moment) == "signal 9"
        keys = public_keys(folder)
        assert keys is not None
        for path in out.iterdir():
            if not path.name.startswith("."):
                assert verify.verify_file(path, [keys]).verdict == "sealed"
        home = Home.open(folder)
        home.releaser.recover()
        names = {path.name for path in out.iterdir()}
        assert not [name for name in names if name.startswith(".")]
        assert names == {item.path.name for item in home.releaser.releases()}
        assert home.releaser.recover() == []
        home.rows.close()
    driver.stdin.close()
    assert driver.wait() == 0
    driver.stdout.close()
    assert home is not None
    home = Home.open(folder)
    home.ledger.verify()
    entered = {e["fields"]["release"] for e in home.ledger.entries() if e["kind"] == "release_intended"}
    assert {item.id for item in home.releaser.releases()} <= entered
    home.rows.close()


def test_recovery_leaves_foreign_files_alone(home: Home, claim, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the name was taken by another file after the crash, recovery rolls back and keeps that file."""

    class PowerCut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise PowerCut

    monkeypatch.setattr(home.releaser, "_roll_back", lambda _id: "open")
    monkeypatch.setattr(home.releaser, "_link", cut)
    with pytest.raises(PowerCut):
        home.release(claim, out / "x.png")
    (out / "x.png").write_bytes(b"mine")
    (settled,) = home.releaser.recover()
    assert home.events()[-1] == "release_rolled_back"
    assert (out / "x.png").read_bytes() == b"mine"
    assert os.listdir(out) == ["x.png"]
    assert settled not in {item.id for item in home.releaser.releases()}
