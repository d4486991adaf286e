"""Small films for the tests: a pan over the shipped portrait, with and without sound."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

import resources
from compliance import encode_video
from compliance.labels import moving, watermark_video
from compliance.labels.policy import LabelPlan
from compliance.media import Film, MediaInfo, Pixels, SyntheticMedia

RATE = Fraction(8)
FRAMES = 26


@lru_cache(maxsize=1)
def _portrait() -> Pixels:
    path = Path(str(resources.__file__)).parent / "samples" / "eileen_collins.png"
    return np.asarray(Image.open(path).convert("RGB").resize((400, 400)), np.uint8)


def frames(width: int = 176, height: int = 144, count: int = FRAMES) -> Iterator[Pixels]:
    """A slow pan with a little grain, the same every time."""
    chance = np.random.default_rng(3)
    for index in range(count):
        left, top = min(2 * index, 400 - width), min(index, 400 - height)
        grain = chance.integers(-2, 3, (height, width, 1))
        yield np.clip(_portrait()[top : top + height, left : left + width] + grain, 0, 255).astype(np.uint8)


def film(width: int = 176, height: int = 144, count: int = FRAMES, *, sound_s: float = 0.0) -> SyntheticMedia:
    """A sealed film."""
    sound = None
    if sound_s:
        times = np.arange(round(sound_s * 16000)) / 16000
        sound = (0.2 * np.sin(2 * np.pi * (300 + 60 * np.sin(5 * times)) * times)).astype(np.float32)[:, None]
    info = MediaInfo(
        "video",
        width,
        height,
        "sRGB",
        "trainedAlgorithmicMedia",
        "fake.film",
        "1",
        rate_hz=16000 if sound_s else 0,
        channels=1 if sound_s else 0,
        frames=0 if sound is None else len(sound),
        pictures=count,
        picture_rate=str(RATE),
    )
    return SyntheticMedia(Film(lambda: frames(width, height, count), sound), info)


def forged(plan: LabelPlan, how: str, width: int, height: int, *, mark: int | None = None) -> bytes:
    """A film whose labels a worker drew as it liked; `how` is a word of the table in test_video."""
    pictures = list(frames(width, height))
    plates = moving.Plates.of(pictures[0], RATE, sample=how == "says sample")
    sound = None
    if how == "a sound without a notice":
        sound = np.full((16000 * 9, 1), 0.05, np.float32)
        pictures += [pictures[-1]] * 46
    encoder = encode_video.FilmEncoder(plan.format, (width, height), RATE, plan.tags(), sound, 16000)
    ident = int(plan.release_id, 16) if mark is None else mark
    marker = watermark_video.FrameMarker(height, width, ident, watermark_video.LADDER[0])
    for index, pixels in enumerate(pictures):
        frame, planes = encoder.planes(pixels)
        if how != "no mark":
            marker.mark(planes.luma)
        before = [plane.copy() for plane in (planes.luma, planes.blue, planes.red)]
        is_titled = index < plates.title_frames and how != "no title" and not (how == "a short title" and index > 12)
        bare = {"no label": range(99), "one bare frame": (13,), "a bare first frame": (0,), "a bare last frame": (25,)}
        if index not in bare.get(how, ()):
            plates.corner.lay(planes.luma, planes.blue, planes.red)
        if is_titled and how != "no label":
            plates.title.lay(planes.luma, planes.blue, planes.red)
        if how == "a faint label":
            for plane, old in zip((planes.luma, planes.blue, planes.red), before, strict=True):
                plane[:] = (0.85 * old + 0.15 * plane).astype(np.uint8)
        if how == "a label that fades" and index > 12:
            planes.luma[:] = (0.6 * before[0] + 0.4 * planes.luma).astype(np.uint8)
        encoder.push(frame)
    return encoder.finish()
