"""Fingerprints: copies without labels are known again, and strangers are not."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import insert, select, update

import resources
from compliance import store
from compliance.clock import stamp
from compliance.fingerprint import chroma, keypoints, pdq, registry
from compliance.fingerprint.registry import Register
from compliance.keys import public_keys
from compliance.media import Pixels, Samples
from compliance.verify import verify_bytes
from tests.bench import pictures
from tests.compliance.home import SOURCE, TARGET, Home, HonestDrafter, noise

SAMPLES = Path(str(resources.__file__)).parent / "samples"


def portrait() -> Pixels:
    """Grace Hopper."""
    return np.asarray(Image.open(SAMPLES / "grace_hopper.jpg").convert("RGB"))


def saved(pixels: Pixels, quality: int) -> Pixels:
    """After JPEG."""
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", quality=quality)
    return np.asarray(Image.open(target).convert("RGB"))


def melody(seconds: float, seed: int) -> tuple[Samples, int]:
    """Some notes with overtones."""
    rate, chance = 16000, np.random.default_rng(seed)
    notes = chance.choice([220, 262, 294, 330, 392, 440, 523, 587], int(seconds * 4))
    turns = np.cumsum(np.repeat(notes, rate // 4)) / rate
    wave = sum(np.sin(2 * np.pi * turns * k) / k for k in (1, 2, 3)) + 0.05 * chance.normal(size=len(turns))
    return (0.3 * wave[:, None]).astype(np.float32), rate


def entered(home: Home, release_id: str, prints: registry.Prints) -> None:
    """A finished release with these prints, without the file."""
    with home.rows.write() as connection:
        connection.execute(
            insert(store.release).values(
                id=release_id,
                state="released",
                permit_id="p",
                account_id="a",
                consents="[]",
                target_path="/x",
                part_path="/y",
                overwrite=0,
                format="png",
                payload_sha256="0",
                intent_index=0,
                created_at=stamp(),
                finished_at=stamp(),
            )
        )
        registry.enter(connection, release_id, prints)


# --- strangers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gravel", "skyline", "portrait 640x427", "flat grey", "page"])
def test_another_picture_is_not_known(home: Home, name: str) -> None:
    """Whatever it shows: no release is named for a picture that is like none."""
    entered(home, "0" * 16, registry.of_picture(portrait()))
    shown = pictures.PICTURES[name]()
    if name.startswith("portrait"):
        shown = np.asarray(Image.open(SAMPLES / "eileen_collins.png").convert("RGB"))
    assert Register(home.rows).like_picture(shown) == []


def test_two_flat_pictures_are_not_alike(home: Home) -> None:
    """A picture that shows nothing has no fingerprint, else everything blank would be a copy of it."""
    blank = np.full((300, 400, 3), 90, np.uint8)
    assert registry.of_picture(blank).rows == ()
    assert Register(home.rows).like_picture(blank) == []


def test_another_melody_is_not_known(home: Home) -> None:
    """Sounds of the same kind with other notes."""
    entered(home, "0" * 16, registry.of_sound(*melody(12, 1)))
    assert Register(home.rows).like_sound(*melody(12, 2)) == []


def test_unfinished_releases_are_not_named(home: Home) -> None:
    """What was rolled back was never released."""
    entered(home, "0" * 16, registry.of_picture(portrait()))
    with home.rows.write() as connection:
        connection.execute(update(store.release).values(state="rolled_back"))
    report = verify_bytes("a", _png(portrait()), registers=[Register(home.rows)])
    assert report.layers["fingerprint"].state == "absent"


# --- copies ----------------------------------------------------------------------------------------------------------


def _png(pixels: Pixels) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG")
    return target.getvalue()


COPIES: dict[str, Callable[[Pixels], Pixels]] = {
    "jpeg 15": lambda p: saved(p, 15),
    "a third of the size": lambda p: np.asarray(Image.fromarray(p).resize((p.shape[1] // 3, p.shape[0] // 3))),
    "brighter": lambda p: np.clip(p * 1.3 + 10, 0, 255).astype(np.uint8),
    "turned": lambda p: np.rot90(p).copy(),
    "mirrored": lambda p: p[:, ::-1].copy(),
    "half cut away": lambda p: p[: int(p.shape[0] * 0.7), int(p.shape[1] * 0.3) :].copy(),
    "in a collage": lambda p: np.pad(p, ((40, 300), (500, 20), (0, 0)), constant_values=200),
    "turned by 9 degrees": lambda p: np.asarray(Image.fromarray(p).rotate(9, expand=True)),
}


@pytest.mark.parametrize("name", list(COPIES))
def test_a_copy_is_known(home: Home, name: str) -> None:
    """Saved, scaled, turned, mirrored, cropped, pasted into something else."""
    entered(home, "0" * 16, registry.of_picture(pictures.PICTURES["gravel"]()))
    entered(home, "f" * 16, registry.of_picture(portrait()))
    found = Register(home.rows).like_picture(COPIES[name](portrait()))
    assert [match.release for match in found] == ["f" * 16]


@pytest.mark.parametrize("speed", [1.0, 1.02, 0.98])
def test_a_sound_is_known(home: Home, speed: float) -> None:
    """Cut at both ends, quieter, with noise, a little faster or slower."""
    samples, rate = melody(20, 3)
    entered(home, "0" * 16, registry.of_sound(*melody(20, 4)))
    entered(home, "f" * 16, registry.of_sound(samples, rate))
    part = chroma.stretched(samples[3 * rate : 17 * rate] * 0.4, speed)
    part = part + np.random.default_rng(1).normal(0, 0.005, part.shape).astype(np.float32)
    found = Register(home.rows).like_sound(part, rate)
    assert [match.release for match in found] == ["f" * 16]


def test_a_film_is_known_by_its_seconds(home: Home) -> None:
    """One frame of it in another film is enough."""
    frames = [pictures.PICTURES[name]() for name in ("skyline", "gravel", "page")]
    entered(home, "f" * 16, registry.of_film(frames))
    found = Register(home.rows).like_film([saved(frames[2], 40)])
    assert [(match.release, match.second) for match in found] == [("f" * 16, 2)]


def test_a_stripped_copy_of_a_release_is_placed(home: Home, tmp_path: Path) -> None:
    """Without any label left, verify names the release and its time, and does not call the file authentic."""
    claim = home.claim(home.grant(SOURCE), home.grant(TARGET))
    released = home.release(claim, tmp_path / "a.png", HonestDrafter(noise(640, 480)))
    pixels = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
    copy = saved(pixels[20:400, 100:].copy(), 60)
    known = public_keys(home.folder)
    assert known is not None
    report = verify_bytes("copy.png", _png(copy), [known], registers=[Register(home.rows)])
    assert report.verdict == "broken" and "copy of an AI-made release" in report.sentence
    assert report.layers["watermark"].evidence["release"] == released.id
    assert report.layers["watermark"].evidence["released_at"]


def test_the_bits_of_a_turned_picture_are_those_of_the_turned_hash() -> None:
    """The eight variants are the hashes of the eight pictures, up to what sampling moves."""
    plain = portrait()
    turned = [np.rot90(side, k) for side in (plain, plain[:, ::-1]) for k in range(4)]
    variants, _ = pdq.variants_of(plain)
    for picture in turned:
        hashed, _ = pdq.hash_of(np.ascontiguousarray(picture))
        assert pdq.distances(variants, hashed).min() <= 20


def test_points_come_back_from_bytes() -> None:
    """What is stored is what is compared."""
    points = keypoints.points_of(portrait())
    again = keypoints.Points.from_bytes(points.to_bytes())
    assert np.array_equal(points.words, again.words) and np.abs(points.places - again.places).max() <= 0.5
    with pytest.raises(ValueError):
        keypoints.Points.from_bytes(b"\0" * 37)


def test_a_damaged_row_is_passed_over(home: Home) -> None:
    """One changed byte in each row of a release: it is not known any more, and nothing is raised."""
    pixels = portrait()
    entered(home, "a" * 16, registry.of_picture(pixels))
    assert Register(home.rows).like_picture(pixels)
    table = store.fingerprint
    with home.rows.write() as connection:
        for method, part, data in connection.execute(select(table.c.method, table.c.part, table.c.data)).all():
            changed = bytes([data[0] ^ 1]) + data[1:]
            connection.execute(update(table).where(table.c.method == method, table.c.part == part).values(data=changed))
    assert Register(home.rows).like_picture(pixels) == []
