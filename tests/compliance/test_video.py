"""Video through the one way out: bad films first, then what does come out, and what is read of it again."""

from __future__ import annotations

import io
import json
import os
import struct
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from compliance import draft, encode, verify
from compliance.decode_sound import decode_sound
from compliance.decode_video import decode_film
from compliance.errors import (
    ExitCode,
    FormatUnsupported,
    LabelTooWeak,
    NotAVideo,
    PictureTooSmallForLabel,
    SignetError,
    VideoUnsuitable,
)
from compliance.fingerprint.registry import FilmPrints
from compliance.fingerprint.taking import prints_of
from compliance.inspection import verify_draft
from compliance.keys import public_keys
from compliance.labels import aigc, moving
from compliance.labels.policy import LAYERS, LabelPlan, Prepared
from compliance.labels.styles import STYLES
from compliance.media import Film, SyntheticMedia, unseal, unseal_film
from compliance.reading import read_media
from compliance.video_containers import VideoContainer
from tests.compliance.films import FRAMES, RATE, film, forged, frames
from tests.compliance.home import Home, HonestDrafter

PLAN = LabelPlan("0123456789abcdef", "mp4", "signet.local/x", "trainedAlgorithmicMedia", False, "1")


@pytest.fixture(scope="module")
def honest() -> dict[str, bytes]:
    """One honest draft a format, unsigned; the MP4 is large enough for the mark."""
    made = {form: draft.prepare(film(), replace(PLAN, format=form))._data for form in ("mov", "mkv", "webm")}
    return {**made, "mp4": draft.prepare(film(256, 256), PLAN)._data}


def release(home: Home, claim, out: Path, drafter: HonestDrafter):
    """Release a film."""
    session = home.session()
    return home.releaser.release(
        permit=home.gate.authorize(claim, session.account),
        claim=claim,
        account=session.account,
        keys=session.require_keys(),
        info=drafter.media.info,
        materials=(),
        drafter=drafter,
        out=out,
    )


def judge(data: bytes, plan: LabelPlan = PLAN, *, digest: str = "") -> None:
    """What the release does with a draft, whose worker tells whatever digest fits."""
    try:
        digest = digest or read_media("draft", data).payload_sha256
    except SignetError:
        digest = "0" * 64
    verify_draft(data, plan, Prepared(digest, len(data)))


class Forger(HonestDrafter):
    """A worker that has been taken over and hands over these bytes."""

    def __init__(self, how: str) -> None:
        super().__init__(film())
        self.how, self.data = how, b""

    def prepare(self, plan: LabelPlan) -> Prepared:
        self.data = forged(plan, self.how, 176, 144)
        return Prepared(read_media("draft", self.data).payload_sha256, len(self.data))

    def write(self, descriptor: int) -> None:
        encode.write_all(descriptor, self.data)


# --- refusals --------------------------------------------------------------------------------------------------------


def test_a_film_with_one_bare_frame_is_never_released(home: Home, claim, out: Path) -> None:
    """The whole protocol: nothing appears, and the try is entered."""
    with pytest.raises(LabelTooWeak, match=r"1 of 26 frames have no label, the first at 1\.62 s"):
        release(home, claim, out / "x.mp4", Forger("one bare frame"))
    assert os.listdir(out) == []
    assert home.events()[-1] == "release_rolled_back"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("no label", "no label was found in any frame"),
        ("a bare first frame", "the first at 0.00 s"),
        ("a bare last frame", "1 of 26 frames"),
        ("no title", "the opening title is missing"),
        ("a short title", r"stands for 1\.6. s only"),
        ("a faint label", "frames have no label|no label was found"),
        ("a label that fades", "frames have no label"),
        ("a sound without a notice", "no audible label"),
    ],
)
def test_a_badly_labelled_film_is_refused(how: str, reason: str) -> None:
    """The label is judged in every frame and by its time."""
    with pytest.raises(LabelTooWeak, match=reason):
        judge(forged(PLAN, how, 176, 144))


class Frame:
    """A frame that was decoded, as the watch sees it."""

    def __init__(self, pixels: np.ndarray, time_s: float) -> None:
        self._pixels, self.time_s = pixels, time_s

    def luma(self) -> np.ndarray:
        return self._pixels[..., 1].copy()

    def pixels(self) -> np.ndarray:
        return self._pixels


def test_between_two_measurements_a_weaker_label_is_no_label() -> None:
    """Half the contrast about the same mean does not pass for the label that was measured a moment before."""
    shot = next(iter(decode_film("x", forged(PLAN, "", 176, 144)))).pixels()
    first = moving.LabelWatch()
    first.see(Frame(shot, 0.0))
    corner = first.finish().corner
    assert corner is not None
    left, top, width, height = corner.box
    place = (slice(top - 3, top + height + 3), slice(left - 3, left + width + 3))

    def changed(change) -> np.ndarray:
        pixels = shot.astype(np.float64)
        pixels[place] = change(pixels[place])
        return np.clip(pixels, 0, 255).astype(np.uint8)

    weak = changed(lambda part: part.mean() + 0.5 * (part - part.mean()))
    bright = changed(lambda part: 0.9 * part + 25)
    moved = changed(lambda part: np.roll(part, 4, axis=1))
    for number, other in enumerate((weak, bright, moved)):
        watch = moving.LabelWatch()
        for index, pixels in enumerate((shot, shot, other, shot)):
            watch.see(Frame(pixels, 0.1 * index))
        # A label that only moved or became brighter is measured anew and holds.
        assert watch.finish().labelled == (3 if number == 0 else 4), number


def test_sample_films_say_sample_and_others_do_not() -> None:
    """A demo's film without the word, and a real one with it."""
    with pytest.raises(LabelTooWeak, match="SAMPLE"):
        judge(forged(PLAN, "says sample", 176, 144))
    sample = replace(PLAN, sample=True)
    with pytest.raises(LabelTooWeak, match="SAMPLE"):
        judge(forged(sample, "", 176, 144), sample)
    judge(forged(sample, "says sample", 176, 144), sample)


def test_the_mark_is_this_release_or_the_film_is_refused() -> None:
    """From 256 px on it must be read; a foreign one never passes."""
    with pytest.raises(LabelTooWeak, match="another release"):
        judge(forged(PLAN, "", 256, 256, mark=7))
    with pytest.raises(LabelTooWeak, match="cannot be read back"):
        judge(forged(PLAN, "no mark", 256, 256))
    judge(forged(PLAN, "no mark", 176, 144))


def metadata(form: str, named: dict[str, str], *, twice: str = "") -> bytes:
    """A film of one grey frame with these texts in its container."""
    target = io.BytesIO()
    options = {"fflags": "bitexact", "movflags": "use_metadata_tags"} if form in ("mp4", "mov") else {}
    with av.open(target, "w", format={"mkv": "matroska"}.get(form, form), options=options) as container:
        container.metadata.update(named)
        stream = container.add_stream("libx264" if form != "webm" else "libvpx-vp9", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        if twice:
            stream.metadata["AIGC"] = twice
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), 9, np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    return target.getvalue()


def test_the_field_stands_once_and_in_its_place(honest: dict[str, bytes]) -> None:
    """None, a second one in a track's tags, in XMP, and those of another release are damage; the title is no place."""
    field = PLAN.field().to_json()
    for form in ("mp4", "mkv", "webm"):
        assert aigc.read_aigc(read_media("x", metadata(form, {}))).state == "absent"
        assert aigc.read_aigc(read_media("x", metadata(form, {"AIGC": field}))).state == "intact"
        assert aigc.read_aigc(read_media("x", metadata(form, {"MY_AIGC": field}))).state == "damaged"
    two = aigc.read_aigc(read_media("x", metadata("mkv", {"AIGC": field}, twice=field)))
    assert (two.state, len(two.fields)) == ("damaged", 2)
    again = honest["mp4"] + struct.pack(">I4s16s", 24 + len(PLAN.packet()), b"uuid", _XMP) + PLAN.packet()
    with pytest.raises(LabelTooWeak, match="2 AIGC fields"):
        judge(again)
    with pytest.raises(LabelTooWeak, match="names another release"):
        judge(honest["mp4"], replace(PLAN, release_id="1" * 16))


_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def patched(data: bytes, box: bytes, offset: int, new: bytes, *, last: bool = False) -> bytes:
    """A file with bytes changed at an offset from the start of a box's content."""
    place = (data.rindex(box) if last else data.index(box)) + 4 + offset
    return data[:place] + new + data[place + len(new) :]


def test_what_a_player_would_show_differently_is_refused(honest: dict[str, bytes]) -> None:
    """Turned, scaled, cut away, hidden by an edit, with a lying header: the measured frames must be the shown ones."""
    data = honest["mp4"]
    turned = bytes.fromhex("00000000 00010000 00000000 ffff0000")
    changes = {
        "turned or scaled": patched(data, b"tkhd", 40, turned),
        "whole film is turned": patched(data, b"mvhd", 36, turned),
        "switched off": patched(data, b"tkhd", 3, b"\0"),
        "scaled when shown": patched(data, b"tkhd", 76, struct.pack(">I", 128 << 16)),
        "pixels are not square": data.replace(b"btrt" + data[data.index(b"btrt") + 4 :][:8], b"pasp\0\0\0\2\0\0\0\1"),
        "cut away when shown": data.replace(b"btrt", b"clap"),
        "changes its coding": patched(data, b"stsd", 7, b"\2"),
    }
    for reason, changed in changes.items():
        assert changed != data
        with pytest.raises(LabelTooWeak, match=reason):
            judge(changed)
    fragment = data + struct.pack(">I4s", 8, b"moof")
    with pytest.raises(LabelTooWeak, match="fragments"):
        judge(fragment)
    with pytest.raises(LabelTooWeak, match="boxes that a release does not have"):
        judge(data + struct.pack(">I4s", 8, b"abcd"))
    mkv = honest["mkv"]
    width = mkv.index(b"\xb0", mkv.index(b"V_MPEG4"))
    assert mkv[width + 1] == 0x81
    lying = mkv[: width + 2] + b"\x60" + mkv[width + 3 :]
    with pytest.raises(LabelTooWeak, match=r"another film|scaled when shown|cannot be decoded"):
        judge(lying, replace(PLAN, format="mkv"))


def test_no_bytes_follow_and_none_are_missing(honest: dict[str, bytes]) -> None:
    """Cut short, with a second segment behind, of another format, or another digest than was entered."""
    for form, data in honest.items():
        plan = replace(PLAN, format=form)
        with pytest.raises(SignetError):
            judge(data[: len(data) * 2 // 3], plan)
        with pytest.raises(SignetError):
            judge(data + data, plan)
        with pytest.raises(LabelTooWeak, match="not what was entered"):
            judge(data, plan, digest="1" * 64)
    for form in ("mkv", "webm"):
        with pytest.raises(LabelTooWeak, match="bytes after its end"):
            judge(honest[form] + b"\x42\x86\x81\x01", replace(PLAN, format=form))
    with pytest.raises(LabelTooWeak, match="not the planned format"):
        judge(honest["mkv"], replace(PLAN, format="webm"))


def test_damaged_films_are_sentences(honest: dict[str, bytes]) -> None:
    """Cut or changed anywhere, a file is read, refused or reported; no other error leaves the readers."""
    chance = np.random.default_rng(1)
    for data in honest.values():
        for _ in range(60):
            broken = bytearray(data)
            place = int(chance.integers(0, min(len(data), 4000))) if chance.random() < 0.5 else -1
            broken[place if place >= 0 else -int(chance.integers(1, 3000))] ^= int(chance.integers(1, 256))
            cut = bytes(broken[: int(chance.integers(8, len(broken)))]) if chance.random() < 0.4 else bytes(broken)
            for salvage in (False, True):
                try:
                    read_media("x", cut, salvage=salvage)
                except SignetError:
                    pass
    assert verify.verify_bytes("x", honest["mp4"][:-9000]).verdict in ("broken", "unreadable")
    for data in (b"\x1aE\xdf\xa3", b"\x1aE\xdf\xa3" + bytes(40), b"\0\0\0\x0cftypisom"):
        with pytest.raises(SignetError):
            read_media("x", data)


def test_a_film_that_cannot_carry_the_label_is_refused() -> None:
    """Under 128 px, and so narrow that the words do not fit."""
    for width, height in ((126, 300), (300, 120)):
        with pytest.raises(PictureTooSmallForLabel):
            draft.prepare(film(width, height, 3), PLAN)


def test_a_film_over_the_limit_is_refused_while_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not fill the memory first."""
    monkeypatch.setattr("compliance.encode_video.LARGEST_BYTES", 2000)
    good = film(count=90)

    def walk():
        for index, frame in enumerate(frames(count=90)):
            assert index < 88, "all frames were taken"
            yield frame

    with pytest.raises(VideoUnsuitable, match="1 GiB"):
        draft.prepare(SyntheticMedia(Film(walk), good.info), PLAN)


def test_kinds_and_endings_fit(home: Home, claim, out: Path) -> None:
    """No film under a picture's name, and no picture under a film's."""
    with pytest.raises(FormatUnsupported) as refusal:
        release(home, claim, out / "x.png", HonestDrafter(film()))
    assert ".webm" in refusal.value.data["supported"]
    assert refusal.value.code == ExitCode.USAGE
    with pytest.raises(FormatUnsupported):
        home.release(claim, out / "x.mkv")
    assert os.listdir(out) == []


def test_a_sealed_film_tells_the_truth() -> None:
    """Wrong frames, sizes, counts and sounds end the draft or the sealing."""
    good = film()
    with pytest.raises(ValueError, match="sealed as video"):
        SyntheticMedia(np.zeros((144, 176, 3), np.uint8), good.info)
    with pytest.raises(ValueError, match="picture"):
        unseal(good)
    for info in (replace(good.info, pictures=0), replace(good.info, picture_rate="0"), replace(good.info, frames=9)):
        with pytest.raises(ValueError, match="video"):
            SyntheticMedia(Film(frames), info)
    for count, shape in ((FRAMES - 1, 176), (FRAMES + 1, 176), (FRAMES, 174)):
        lying = SyntheticMedia(Film(lambda count=count, shape=shape: frames(shape, 144, count)), good.info)
        with pytest.raises(ValueError, match=r"frames must|ends early"):
            list(unseal_film(lying).frames())
    first = next(iter(unseal_film(good).frames()))
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0, 0] = 1


def test_an_info_of_video_survives_the_pipe() -> None:
    """It is plain data, and the rate is exact."""
    info = replace(film().info, picture_rate="30000/1001")
    told = json.loads(json.dumps(asdict(info)))
    assert replace(info, picture_rate=told["picture_rate"], pictures=told["pictures"]) == info
    assert info.per_second == Fraction(30000, 1001)


# --- what does come out ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.mp4", "x.mov", "x.mkv", "x.webm"])
def test_a_released_film_carries_every_layer(home: Home, claim, out: Path, name: str) -> None:
    """All rows intact, the credential inside or beside; a stranger's check finds the same."""
    finished = release(home, claim, out / name, HonestDrafter(film(256, 256, 22)))
    keys = public_keys(home.folder)
    assert keys is not None
    found = verify.verify_file(finished.path, [keys])
    assert found.verdict == "sealed", found
    assert set(found.layers) == {*LAYERS, "watermark", "fingerprint"}
    assert found.layers["watermark"].evidence["release"] == finished.id
    seen = found.layers["explicit"].evidence
    assert (seen["frames"], seen["labelled_share"], seen["title_s"]) == (22, 1.0, 2.5)
    assert seen["ink_share"] >= 0.055
    is_beside = name in ("x.mkv", "x.webm")
    assert sorted(os.listdir(out)) == [name, *([f"{name}.c2pa"] if is_beside else [])]
    container = read_media(name, finished.path.read_bytes())
    assert isinstance(container, VideoContainer)
    assert (container.width, container.height, container.pictures, container.oddities) == (256, 256, 22, ())


def test_the_fingerprint_of_a_film_is_taken_while_it_is_measured(honest: dict[str, bytes]) -> None:
    """One walk through the frames gives the same rows as a second one would."""
    data, seen = honest["mp4"], FilmPrints()
    verify_draft(data, PLAN, Prepared(read_media("draft", data).payload_sha256, len(data)), seen.add)
    assert len(seen.prints().rows) == 4
    assert prints_of(data, film=seen.prints()) == prints_of(data) == seen.prints()


def test_picture_and_sound_wait_for_the_notice_together(out: Path) -> None:
    """The notice is spoken before and behind the film while the picture stands still; nothing of the film is lost."""
    made = draft.prepare(film(sound_s=3.25), PLAN)._data
    judge(made)
    container = read_media("x", made)
    assert isinstance(container, VideoContainer)
    samples, rate_hz = decode_sound("x", made)
    assert abs(container.pictures / RATE - len(samples) / rate_hz) < 0.15
    waits = moving.holds((0, 52000), 80000, 16000, RATE)
    assert waits == {0: 40, FRAMES: 40}
    numbers = [
        int(frame[0, 0, 0]) for frame in moving.held((np.full((2, 2, 3), n, np.uint8) for n in range(3)), {0: 2, 3: 1})
    ]
    assert numbers == [0, 0, 0, 1, 2, 2]
    # However many notices there are, picture and sound drift by less than a frame.
    many = moving.holds(range(0, 900_000, 90_000), 70_001, 16000, Fraction(30000, 1001))
    assert abs(sum(many.values()) - 10 * 70_001 * 30000 / 1001 / 16000) < 1


def test_the_same_film_gives_the_same_bytes() -> None:
    """Also where a number by chance or the clock could get in."""
    for form in ("mp4", "webm"):
        plan = replace(PLAN, format=form)
        assert draft.prepare(film(count=6), plan).sha256 == draft.prepare(film(count=6), plan).sha256


def test_a_short_film_has_its_title_to_the_end(honest: dict[str, bytes]) -> None:
    """One frame is enough; there the title stands as long as the film."""
    judge(draft.prepare(film(count=1), PLAN)._data)
    found = verify.verify_bytes("x", draft.prepare(film(count=8), PLAN)._data).layers["explicit"]
    assert (found.state, found.evidence["title_s"], found.evidence["duration_s"]) == ("intact", 1.0, 1.0)


def test_a_copy_without_its_labels_is_known_by_the_mark(honest: dict[str, bytes]) -> None:
    """Encoded again at a low rate, without metadata: the id is read from many frames laid together."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=8, options={"crf": "23"})
        stream.width, stream.height, stream.pix_fmt = 256, 256, "yuv420p"
        for shot in decode_film("x", honest["mp4"]):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shot.pixels(), format="rgb24")))
        container.mux(stream.encode(None))
    found = verify.verify_bytes("x", target.getvalue())
    assert found.layers["watermark"].evidence["release"] == PLAN.release_id
    assert found.layers["explicit"].state == "intact"
    assert found.layers["aigc"].state == "absent"
    assert found.verdict == "broken"


@pytest.mark.parametrize("size", [(128, 128), (144, 176), (320, 180), (128, 600), (600, 128)])
@pytest.mark.parametrize("style", sorted(STYLES))
def test_corner_and_title_find_room_in_every_style(size: tuple[int, int], style: str) -> None:
    """In small, narrow and wide frames, with SAMPLE: both are measured as they should be."""
    width, height = size
    ground = np.full((height, width, 3), 120, np.uint8)
    plates = moving.Plates.of(ground, RATE, sample=True, style=STYLES[style])
    luma, blue, red = (np.full((height // part, width // part), 118, np.uint8) for part in (1, 2, 2))
    plates.lay(0, luma, blue, red)
    grey = np.clip(np.rint((luma.astype(float) - 16) * 255 / 219), 0, 255).astype(np.uint8)
    watch = moving.LabelWatch()
    watch.see(Frame(np.repeat(grey[..., None], 3, axis=2), 0.0))
    moving.require_film(watch.finish(), sample=True)


def test_an_unlabelled_film_is_not_called_authentic() -> None:
    """All rows absent, and the sentence says what that does not mean."""
    found = verify.verify_bytes("x", metadata("mp4", {}))
    assert found.verdict == "unlabelled"
    assert {found.layers[name].state for name in (*LAYERS, "watermark")} == {"absent"}


def test_a_preview_of_a_film_is_a_labelled_picture() -> None:
    """The first frame, with the label burnt in."""
    from compliance.labels import explicit
    from compliance.reading import decode_picture

    pixels = decode_picture(draft.preview(film(), sample=False, longest_px=160))
    assert explicit.state(explicit.measure(pixels)) == "intact"


def test_what_is_no_film_is_told() -> None:
    """A film that lost its frames cannot be walked through."""
    with pytest.raises(NotAVideo):
        list(decode_film("x", metadata("mp4", {})[:200]))
