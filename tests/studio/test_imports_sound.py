"""Sounds and films that come in labelled stay named, also when nothing but their invisible mark is left."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from compliance import verify
from compliance.decode_sound import decode_sound
from compliance.decode_video import decode_film
from compliance.imports import ids_of, read_film_mark, read_imports, read_sound_mark
from compliance.labels import watermark_audio
from compliance.release import Material
from studio.input_marks import marks_in
from studio.workshop import Workshop
from tests.compliance.documents import DOCUMENTS
from tests.compliance.home import PASSWORD
from tests.engines.films import encoded
from tests.engines.voices import HIGH, LOW, speech, wav
from tests.studio.test_pictures import finish

TOOL = "Some Tool"


@dataclass(frozen=True)
class Chain:
    """A home, what was released there first, and copies of it without any metadata."""

    home: Path
    sound: str
    film: str
    bare_sound: Path
    bare_film: Path


def bare_wav(data: bytes) -> bytes:
    """The same samples and nothing else."""
    samples, rate_hz = decode_sound("a", data)
    return wav(samples.mean(axis=1).astype(np.float64), rate_hz)


def bare_film(data: bytes, sound: bytes = b"") -> bytes:
    """The same pictures in another container and coding, without metadata, silent or with the sound of another file."""
    target = io.BytesIO()
    with av.open(target, "w", format="matroska") as out:
        stream = out.add_stream("libx264", rate=8, options={"crf": "20"})
        voice = out.add_stream("aac", rate=16000) if sound else None
        if voice is not None:
            voice.layout = "mono"
        for index, shot in enumerate(decode_film("a", data)):
            pixels = shot.pixels()
            if index == 0:
                stream.width, stream.height, stream.pix_fmt = pixels.shape[1], pixels.shape[0], "yuv420p"
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 8)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if voice is not None:
            samples, rate_hz = decode_sound("a", sound)
            piece = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout="mono")
            piece.sample_rate = rate_hz
            out.mux(voice.encode(piece))
            out.mux(voice.encode(None))
    return target.getvalue()


@pytest.fixture(scope="module")
def chain(studio_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """A sound and a film, labelled by this program."""
    place = tmp_path_factory.mktemp("chain")
    shutil.copytree(studio_folder, place / "home")
    (place / "a.wav").write_bytes(wav(speech(LOW, 9.0)))
    (place / "a.mp4").write_bytes(encoded(26, size=(320, 256)))
    ids = []
    with Workshop(place / "home", "own", None) as workshop:
        workshop.unlock(PASSWORD)
        for name in ("a.wav", "a.mp4"):
            plan = workshop.plan_seal(place / name, made_with=TOOL, nobody_real=True)
            ids.append(workshop.release(finish(workshop, plan), place / f"out-{name}").id)
    (place / "bare.wav").write_bytes(bare_wav((place / "out-a.wav").read_bytes()))
    (place / "bare.mkv").write_bytes(bare_film((place / "out-a.mp4").read_bytes()))
    return Chain(place / "home", ids[0], ids[1], place / "bare.wav", place / "bare.mkv")


@pytest.fixture
def opened(chain: Chain, tmp_path: Path):
    """The home of the chain."""
    shutil.copytree(chain.home, tmp_path / "home")
    with Workshop(tmp_path / "home", "own", None) as workshop:
        workshop.unlock(PASSWORD)
        yield workshop


def imported(path: Path) -> list[dict[str, object]]:
    """What a released file says of its inputs."""
    found = verify.verify_file(path)
    assert found.verdict in ("sealed", "unchecked"), found
    return list(found.layers["credential"].evidence.get("imported", []))


# --- refusals --------------------------------------------------------------------------------------------------------


def test_what_carries_no_mark_or_cannot_be_read_names_nothing() -> None:
    """Plain sound and film, broken ones, texts, and words of a worker that are no ids."""
    film = encoded(3)
    for data in (wav(speech(HIGH, 2.0)), film, film[:-300], b"", b"RIFF" + bytes(60), *DOCUMENTS.values()):
        assert marks_in("a", data) == []
    sound = Material("target", "audio/wav", wav(speech(LOW, 1.0)))
    forged = [("target", "../../x"), ("target", "1" * 15), ("source", "1" * 16), ("target", "G" * 16)]
    assert read_imports([sound], forged, []) == []
    assert read_sound_mark(np.zeros((0, 1), np.float32), 16000) == ""


# --- what works ------------------------------------------------------------------------------------------------------


def test_a_stripped_sound_is_named_when_it_is_sealed_again(chain: Chain, opened: Workshop, tmp_path: Path) -> None:
    """By its mark, as the ingredient's; the new mark is the new release's."""
    plan = opened.plan_seal(chain.bare_sound, made_with=TOOL, nobody_real=True)
    released = opened.release(finish(opened, plan), tmp_path / "again.flac")
    (said,) = imported(released.path)
    assert (said["role"], said["mark"]) == ("target", chain.sound)
    assert "release" not in said and "ids" not in said


def test_a_stripped_recording_is_named_when_it_is_edited(chain: Chain, opened: Workshop, tmp_path: Path) -> None:
    """The person agreed; the recording was labelled before, and that stays known."""
    person, until = opened.add_subject("Anna"), date.today() + timedelta(days=9)
    grant = opened.record_consent(person.id, chain.bare_sound, ["private"], date.today(), until, likeness="voice")
    plan = opened.plan_voice("voice.attribute", {"pitch": 2}, target=chain.bare_sound, consents=[grant.id])
    made = finish(opened, plan)
    assert dict(made.info.marks_read)["target"] == chain.sound


def test_a_stripped_film_is_named_by_its_pictures(chain: Chain, opened: Workshop, tmp_path: Path) -> None:
    """In another container and coding."""
    plan = opened.plan_seal(chain.bare_film, made_with=TOOL, nobody_real=True)
    released = opened.release(finish(opened, plan), tmp_path / "again.webm")
    (said,) = imported(released.path)
    assert (said["role"], said["mark"]) == ("target", chain.film)


def test_a_film_with_other_sound_is_named_by_both(chain: Chain) -> None:
    """What is seen first; and where one id stands in both it is told once."""
    dubbed = bare_film(chain.bare_film.read_bytes(), chain.bare_sound.read_bytes())
    assert marks_in("a", dubbed) == [chain.film, chain.sound]
    assert marks_in("a", chain.bare_film.read_bytes()) == [chain.film]
    item = Material("target", "video/mp4", b"no media")
    (said,) = read_imports([item], [("target", chain.film), ("target", chain.sound)], [])
    assert (said["mark"], said["sound_mark"]) == (chain.film, chain.sound)
    assert ids_of([said]) == [chain.film, chain.sound]


def test_half_an_id_is_not_told_beside_the_whole() -> None:
    """Short sounds have room for the first half alone."""
    rate_hz, ident = 16000, 0x1234567890ABCDEF
    samples = speech(LOW, 5.0).astype(np.float32)[:, None]
    marked = watermark_audio.embed_sound(samples, rate_hz, ident, watermark_audio.DETECTOR_KEY).samples
    assert read_sound_mark(marked, rate_hz) == "12345678"
    assert ids_of([{"mark": "12345678", "ids": ["1234567890abcdef"]}]) == ["1234567890abcdef"]
    assert ids_of([{"mark": "12345678", "ids": ["other"]}]) == ["12345678", "other"]


def test_a_film_without_anything_in_it_has_no_mark() -> None:
    """And is read to its end."""
    assert read_film_mark("a", encoded(2)) == ""
