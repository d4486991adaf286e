"""The one way out: bad drafts, bad places, full disks; nothing is left behind."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image, ImageFilter

from compliance import consent, draft, encode, store
from compliance.containers import read_container
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
    TargetExists,
    WorkerDied,
)
from compliance.labels import credential, explicit, watermark_image
from compliance.labels.policy import LabelPlan, Prepared
from compliance.media import unseal
from tests.compliance.home import SOURCE, TARGET, Home, HonestDrafter, noise, report


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
