"""Sound through the one way out: bad drafts, two files that stand or fall together, then what does come out."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compliance import draft, encode, encode_sound, store, verify
from compliance.decode_sound import decode_sound
from compliance.destination import beside
from compliance.errors import (
    ExitCode,
    FormatUnsupported,
    LabelTooWeak,
    NotWritable,
    SignetError,
    SoundUnsuitable,
    TargetExists,
)
from compliance.labels import audible
from compliance.labels.policy import LAYERS, LabelPlan, Prepared
from compliance.labels.watermark_audio import DETECTOR_KEY, embed_sound
from compliance.media import MediaInfo, SyntheticMedia, unseal_sound
from compliance.reading import read_media
from tests.compliance.home import Home, HonestDrafter, noise, report
from tests.compliance.labels.sounds import speech

NAMES = ("x.wav", "x.flac", "x.mp3", "x.m4a", "x.ogg", "x.OPUS")


def voice(seconds: float = 1.0, rate_hz: int = 8000, channels: int = 1) -> SyntheticMedia:
    """A sealed voice."""
    samples = speech(seconds, rate_hz, channels)
    info = MediaInfo.of_sound(
        samples, rate_hz, origin="trainedAlgorithmicMedia", engine="fake.tone", engine_version="1"
    )
    return SyntheticMedia(samples, info)


def release(
    home: Home, claim, out: Path, drafter: HonestDrafter | None = None, *, overwrite: bool = False, language="zh"
):
    """Release a sound."""
    session = home.session()
    media = drafter.media if drafter else voice()
    return home.releaser.release(
        permit=home.gate.authorize(claim, session.account),
        claim=claim,
        account=session.account,
        keys=session.require_keys(),
        info=media.info,
        materials=(),
        drafter=drafter or HonestDrafter(media),
        out=out,
        overwrite=overwrite,
        language=language,
    )


class Forger(HonestDrafter):
    """A worker that has been taken over: it labels as it likes and tells whatever digest fits its bytes."""

    def __init__(self, how: str) -> None:
        super().__init__(voice())
        self.how = how

    def prepare(self, plan: LabelPlan) -> Prepared:
        rate_hz, plain = self.media.info.rate_hz, unseal_sound(self.media)
        spoken = audible.draw_sound(plain, rate_hz, plan.language, sample=plan.sample)
        side = (len(spoken) - len(plain)) // 2
        tags, fmt = plan.tags(), plan.format
        match self.how:
            case "no label":
                spoken = plain
            case "muted":
                spoken = spoken * np.concatenate([np.zeros(side), np.ones(len(plain)), np.zeros(side)])[:, None]
            case "very quiet":
                spoken = (
                    spoken * np.concatenate([np.full(side, 0.01), np.ones(len(plain)), np.full(side, 0.01)])[:, None]
                )
            case "only at the start":
                spoken = spoken[:-side]
            case "says sample":
                spoken = audible.draw_sound(plain, rate_hz, plan.language, sample=True)
            case "the mark of another release":
                spoken = embed_sound(spoken, rate_hz, 0x1234, DETECTOR_KEY).samples
            case "another release":
                tags = replace(plan, release_id="0" * 16).tags()
            case "captured, not generated":
                tags = replace(tags, xmp=tags.xmp.replace(b"trainedAlgorithmicMedia", b"digitalCapture"))
            case "field in the XMP as well":
                tags = replace(tags, xmp=plan.packet())
            case "another format":
                fmt = "flac"
        self.data = encode_sound.encode_sound(spoken.astype(np.float32), rate_hz, fmt, tags)
        match self.how:
            case "no field":
                self.data = self.data.replace(b"AIGC", b"NOTE", 1)
            case "two fields":
                value = tags.aigc.encode() + bytes(len(tags.aigc) & 1)
                self.data += b"AIGC" + len(value).to_bytes(4, "little") + value
                self.data = self.data[:4] + (len(self.data) - 8).to_bytes(4, "little") + self.data[8:]
            case "trailing sound":
                self.data += encode_sound.encode_sound(plain, rate_hz, "wav", tags)
            case "truncated":
                self.data = self.data[:-3000]
            case "a picture":
                self.data = encode.encode_preview(np.zeros((120, 120, 3), np.uint8))
            case "nothing":
                self.data = b""
        try:
            digest = read_media("forged", self.data).payload_sha256
        except SignetError:
            digest = "0" * 64
        return Prepared("1" * 64 if self.how == "another digest" else digest, len(self.data))

    def write(self, descriptor: int) -> None:
        encode.write_all(descriptor, self.data)


FORGERIES = """no label|muted|very quiet|only at the start|says sample|another release|the mark of another release|
captured, not generated|
field in the XMP as well|no field|two fields|trailing sound|truncated|a picture|nothing|another format|another digest"""


@pytest.mark.parametrize("how", [how.strip() for how in FORGERIES.split("|")])
def test_a_bad_sound_is_never_released(home: Home, claim, out: Path, how: str) -> None:
    """Whatever a worker hands over, the release listens to the bytes: nothing appears, and the try is entered."""
    with pytest.raises(SignetError) as refusal:
        release(home, claim, out / "forged.wav", Forger(how))
    assert refusal.value.code in (ExitCode.LABEL, ExitCode.ERROR)
    assert os.listdir(out) == []
    assert home.events()[-1] == "release_rolled_back"


def test_a_picture_leaves_under_no_sound_name_and_the_other_way_round(home: Home, claim, out: Path) -> None:
    """The ending has to fit the kind, and the message names those that do."""
    with pytest.raises(FormatUnsupported) as refusal:
        release(home, claim, out / "x.png")
    assert ".wav" in refusal.value.data["supported"] and ".png" not in refusal.value.data["supported"]
    with pytest.raises(FormatUnsupported):
        home.release(claim, out / "x.wav")
    assert os.listdir(out) == []
    for media, form in ((noise(), "wav"), (voice(), "png")):
        plan = replace(home.releaser.plan(media.info, "png"), format=form)
        with pytest.raises(FormatUnsupported):
            draft.prepare(media, plan)


def test_sound_that_cannot_carry_the_label_is_refused(home: Home, claim, out: Path) -> None:
    """Six channels have no label of ours."""
    samples = np.zeros((16000, 6), np.float32)
    info = MediaInfo.of_sound(samples, 16000, origin="trainedAlgorithmicMedia", engine="x", engine_version="1")
    with pytest.raises(SoundUnsuitable):
        release(home, claim, out / "x.wav", HonestDrafter(SyntheticMedia(samples, info)))
    assert os.listdir(out) == []


def test_a_foreign_credential_in_the_way_is_kept(home: Home, claim, out: Path) -> None:
    """Where the file beside is there already, or appears meanwhile, nothing of either name is touched."""
    (out / "x.ogg.c2pa").write_bytes(b"mine")
    with pytest.raises(TargetExists):
        release(home, claim, out / "x.ogg")

    class Slow(HonestDrafter):
        def __init__(self, name: str) -> None:
            super().__init__(voice())
            self.name = name

        def write(self, descriptor: int) -> None:
            super().write(descriptor)
            (out / self.name).write_bytes(b"mine")

    for name in ("y.ogg", "z.ogg.c2pa"):
        with pytest.raises(TargetExists):
            release(home, claim, out / name.removesuffix(".c2pa"), Slow(name))
    assert sorted(os.listdir(out)) == ["x.ogg.c2pa", "y.ogg", "z.ogg.c2pa"]
    assert {path.read_bytes() for path in out.iterdir()} == {b"mine"}
    (out / "w.ogg.c2pa").mkdir()
    with pytest.raises(NotWritable):
        release(home, claim, out / "w.ogg", overwrite=True)


@pytest.mark.parametrize(
    ("call", "after", "overwrite"),
    [
        *((call, after, False) for call in ("link", "unlink", "fsync") for after in range(3)),
        *((call, after, True) for call in ("link", "unlink", "replace", "fsync") for after in range(3)),
    ],
)
def test_file_and_credential_stand_or_fall_together(
    home: Home, claim, out: Path, monkeypatch: pytest.MonkeyPatch, call: str, after: int, overwrite: bool
) -> None:
    """Whichever storage call fails, for good until the next start, both files are ours and fit, or none is."""
    if overwrite:
        release(home, claim, out / "x.ogg")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    real, count = getattr(os, call), 0

    def fails(*arguments, **options):
        nonlocal count
        if sys._getframe(1).f_globals["__name__"] in ("compliance.release", "compliance.storage"):
            count += 1
            if count > after:
                raise OSError(errno.EIO, "no")
        return real(*arguments, **options)

    monkeypatch.setattr(os, call, fails)
    try:
        release(home, claim, out / "x.ogg", overwrite=overwrite)
    except SignetError:
        pass
    monkeypatch.undo()
    home.releaser.recover()
    left = {path.name: path.read_bytes() for path in out.iterdir()}
    assert sorted(left) in ([], ["x.ogg", "x.ogg.c2pa"])
    if left != before:
        assert report(home, out / "x.ogg").verdict == "sealed"
    with home.rows.read() as connection:
        states = {row.state for row in connection.execute(store.release.select())}
    assert states <= {"released", "rolled_back"}


# --- what does come out ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_released_sound_carries_every_layer(home: Home, claim, out: Path, name: str) -> None:
    """Five rows intact, the credential inside or beside; a stranger's check finds the same."""
    finished = release(home, claim, out / name, language="en" if name.endswith("3") else "zh")
    found = report(home, finished.path)
    assert found.verdict == "sealed", found
    assert set(found.layers) == {*LAYERS, "watermark", "fingerprint"}
    assert found.layers["watermark"].evidence["release"] == finished.id
    assert {layer.state for row, layer in found.layers.items() if row != "fingerprint"} == {"intact"}
    assert found.layers["credential"].evidence["trust"] == "trusted"
    assert found.layers["ledger"].evidence["release"] == finished.id
    assert verify.verify_file(finished.path).verdict == "sealed"
    is_beside = finished.format == "ogg"
    assert sorted(os.listdir(out)) == [name, *([f"{name}.c2pa"] if is_beside else [])]
    samples, rate_hz = decode_sound(name, finished.path.read_bytes())
    assert audible.measure_sound(samples, rate_hz).languages == ("en",) if name.endswith("3") else ("zh",)


def test_a_sound_without_its_credential_is_broken(home: Home, claim, out: Path) -> None:
    """The file beside lost, of another release, or the sound changed: each is told and none reads as sealed."""
    first, second = (release(home, claim, out / name).path for name in ("a.ogg", "b.ogg"))
    shutil.copy(beside(second), beside(first))
    assert report(home, first).layers["credential"].state == "damaged"
    beside(first).unlink()
    found = report(home, first)
    assert (found.verdict, found.layers["credential"].state) == ("broken", "absent")
    wav = release(home, claim, out / "c.wav").path
    data = bytearray(wav.read_bytes())
    data[2000] ^= 1
    wav.write_bytes(data)
    found = report(home, wav)
    assert found.verdict == "broken"
    assert found.layers["credential"].state == found.layers["ledger"].state == "damaged"


def test_an_unlabelled_sound_is_not_called_authentic(tmp_path: Path) -> None:
    """All rows absent, and the sentence says what that does not mean."""
    path = tmp_path / "plain.ogg"
    path.write_bytes(encode_sound.encode_sound_preview(speech(2.0), 16000))
    found = verify.verify_file(path)
    assert found.verdict == "unlabelled"
    assert {layer.state for name, layer in found.layers.items() if name != "fingerprint"} == {"absent"}
    assert "does not make the file authentic" in found.sentence


def test_a_preview_of_sound_carries_the_label() -> None:
    """What can be listened to before the release is labelled, in the language chosen."""
    data = draft.preview_sound(voice(), sample=True, language="en")
    found = audible.measure_sound(*decode_sound("preview", data))
    audible.require_sound(found, sample=True)
    assert found.languages == ("en",)


def test_sealed_sound_is_no_picture() -> None:
    """Shapes, types and kinds that do not fit are refused."""
    info = voice().info
    for bad in (np.zeros((9, 1), np.float32), np.zeros((info.frames, 1), np.float64)):
        with pytest.raises(ValueError, match="float32"):
            SyntheticMedia(bad, info)
    with pytest.raises(ValueError, match="sound"):
        unseal_sound(noise())


def test_a_sound_that_lies_about_its_rate_is_refused(home: Home) -> None:
    """A header of another rate than the frames' would make a player play something else than was measured."""
    media = voice()
    plan = home.releaser.plan(media.info, "flac")
    made = draft.prepare(media, plan)
    from compliance.inspection import verify_draft

    verify_draft(made._data, plan, Prepared(made.payload_sha256, made.size))
    cut = made._data[: len(made._data) * 3 // 4]
    with pytest.raises(LabelTooWeak):
        verify_draft(cut, plan, Prepared(read_media("cut", cut).payload_sha256, len(cut)))
