"""The pictures on which labels are measured: two portraits and drawings of every class that is hard in its own way.

All are uint8 (height, width, 3) sRGB and the same every time: photographs at several sizes, flat and smooth grounds,
stochastic textures, pages of text, regular patterns, night, and pictures of 0.15 megapixels.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import resources
from compliance.labels.lettering import opencv
from compliance.media import Pixels

cv2 = opencv()
RESOURCES = Path(str(resources.__file__)).parent
Field = NDArray[np.float32]

_TEXT = (
    "AI generated content shows both elements at the edge of the picture; seal ring letter house light and shade "
    "生成 legal notice the reader sees first, then the line below it continues until the margin ends"
)
_WORDS = re.findall(r"\S+", _TEXT)


def sample(name: str, width: int, height: int) -> Pixels:
    """A portrait that the program ships, cut to a shape and brought to a size."""
    picture = Image.open(RESOURCES / "samples" / name).convert("RGB")
    part = min(picture.width / width, picture.height / height)
    wide, high = round(width * part), round(height * part)
    left = (picture.width - wide) // 2
    return np.asarray(
        picture.crop((left, 0, left + wide, high)).resize((width, height), Image.Resampling.LANCZOS), np.uint8
    )


def grained(pixels: Pixels) -> Pixels:
    """With the fine grain that a camera leaves."""
    grain = np.random.default_rng(2).normal(0, 2.5, (*pixels.shape[:2], 1))
    return np.clip(np.rint(pixels + grain), 0, 255).astype(np.uint8)


def clouds(width: int, height: int, slope: float, seed: int) -> Field:
    """Noise whose amplitude falls with frequency to the power of `slope`, 0 to 1."""
    maker = np.random.default_rng(seed)
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    fall = np.hypot(fx, fy)
    fall[0, 0] = 1.0
    field = np.fft.irfft2(np.fft.rfft2(maker.normal(size=(height, width))) / fall**slope, (height, width))
    low, high = np.percentile(field, (0.5, 99.5))
    return np.clip((field - low) / (high - low), 0, 1).astype(np.float32)


def tinted(field: Field, dark: tuple[int, int, int], light: tuple[int, int, int]) -> Pixels:
    """A field as colours between two."""
    first, second = np.array(dark, np.float32), np.array(light, np.float32)
    return np.rint(first + field[..., None] * (second - first)).astype(np.uint8)


def flat(width: int, height: int, colour: tuple[int, int, int]) -> Pixels:
    """One colour."""
    return np.full((height, width, 3), colour, np.uint8)


def ramp(width: int, height: int, dark: tuple[int, int, int], light: tuple[int, int, int]) -> Pixels:
    """A smooth sky from top to bottom."""
    return tinted(np.repeat(np.linspace(0, 1, height, dtype=np.float32)[:, None], width, 1), dark, light)


def glow(side: int) -> Pixels:
    """A soft light in the middle of a dark ground."""
    y, x = np.mgrid[:side, :side].astype(np.float32) / side - 0.5
    return tinted(np.exp(-6 * (x * x + y * y)).astype(np.float32), (30, 24, 60), (250, 220, 170))


def grass(width: int, height: int, seed: int = 3) -> Pixels:
    """Blades: thin strokes of many greens."""
    maker = np.random.default_rng(seed)
    canvas = tinted(clouds(width, height, 0.6, seed), (20, 46, 14), (70, 110, 44)).copy()
    for _ in range(width * height // 60):
        x, y = maker.integers(0, width), maker.integers(0, height)
        lean, tall = maker.normal(0, 5), maker.uniform(8, 26)
        shade = maker.uniform(0.3, 1.1)
        colour = tuple(int(value * shade) for value in (110, 168, 66))
        cv2.line(canvas, (int(x), int(y)), (int(x + lean), int(y - tall)), colour, 1, cv2.LINE_AA)
    return canvas


def gravel(width: int, height: int, seed: int = 4) -> Pixels:
    """Stones: shaded ellipses on one another."""
    maker = np.random.default_rng(seed)
    canvas = flat(width, height, (70, 66, 62)).copy()
    for _ in range(width * height // 45):
        centre = (int(maker.integers(0, width)), int(maker.integers(0, height)))
        axes = (int(maker.integers(3, 9)), int(maker.integers(2, 7)))
        level = float(maker.uniform(60, 215))
        cv2.ellipse(canvas, centre, axes, maker.uniform(0, 180), 0, 360, (level, level * 0.97, level * 0.92), -1, 16)
    return np.clip(canvas + maker.normal(0, 6, (height, width, 1)), 0, 255).astype(np.uint8)


def bricks(width: int, height: int) -> Pixels:
    """A wall with regular joints."""
    canvas = tinted(clouds(width, height, 0.8, 5), (120, 50, 36), (190, 96, 70)).copy()
    for row, y in enumerate(range(0, height, 34)):
        cv2.rectangle(canvas, (0, y), (width, y + 4), (168, 160, 150), -1)
        for x in range(-40 * (row % 2), width, 80):
            cv2.rectangle(canvas, (x, y), (x + 4, y + 34), (168, 160, 150), -1)
    return canvas


def page(width: int, height: int, em_px: int) -> Pixels:
    """Black text on white paper, in the program's own font."""
    canvas = Image.new("RGB", (width, height), (252, 251, 247))
    pen = ImageDraw.Draw(canvas)
    face = ImageFont.truetype(RESOURCES / "fonts" / "interface.otf", em_px)
    maker = np.random.default_rng(em_px)
    margin, y = em_px * 2, em_px * 2
    while y < height - 2 * em_px:
        x = margin
        while x < width - margin - 4 * em_px:
            word = _WORDS[int(maker.integers(len(_WORDS)))]
            pen.text((x, y), word, font=face, fill=(24, 24, 28))
            x += int(pen.textlength(word, font=face)) + em_px // 3
        y += round(em_px * (1.5 if maker.uniform() > 0.12 else 2.6))
    return np.asarray(canvas, np.uint8)


def skyline(width: int, height: int, *, night: bool) -> Pixels:
    """Towers with lit windows before a smooth sky."""
    maker = np.random.default_rng(7)
    sky = ((10, 14, 34), (46, 50, 84)) if night else ((96, 150, 214), (226, 232, 236))
    canvas = ramp(width, height, *sky).copy()
    x = 0
    while x < width:
        wide, tall = int(maker.integers(40, 120)), int(maker.uniform(0.2, 0.75) * height)
        shade = int(maker.integers(14, 40) if night else maker.integers(70, 150))
        cv2.rectangle(canvas, (x, height - tall), (x + wide, height), (shade, shade + 4, shade + 12), -1)
        for top in range(height - tall + 10, height - 8, 16):
            for left in range(x + 6, x + wide - 8, 14):
                if maker.uniform() < 0.6:
                    light = (244, 214, 140) if night else (shade + 50, shade + 60, shade + 70)
                    cv2.rectangle(canvas, (left, top), (left + 6, top + 8), light, -1)
        x += wide + int(maker.integers(0, 14))
    return canvas


def stars(width: int, height: int) -> Pixels:
    """A nearly black sky with points of light."""
    maker = np.random.default_rng(8)
    canvas = tinted(clouds(width, height, 1.4, 8), (3, 4, 10), (24, 22, 44)).copy()
    for _ in range(width * height // 900):
        level = int(maker.uniform(60, 255))
        centre = (int(maker.integers(0, width)), int(maker.integers(0, height)))
        cv2.circle(canvas, centre, int(maker.integers(1, 3)), (level, level, level), -1, cv2.LINE_AA)
    return canvas


def chart(width: int, height: int) -> Pixels:
    """Bars, grid lines and a curve on white."""
    canvas = flat(width, height, (255, 255, 255)).copy()
    maker = np.random.default_rng(9)
    for y in range(40, height, 60):
        cv2.line(canvas, (50, y), (width - 20, y), (222, 222, 226), 1)
    for x in range(70, width - 60, 60):
        tall = int(maker.uniform(0.1, 0.8) * height)
        cv2.rectangle(canvas, (x, height - 40 - tall), (x + 36, height - 40), (66, 120, 190), -1)
    curve = [(x, int(height * (0.5 - 0.3 * np.sin(x / 90)))) for x in range(50, width - 20, 6)]
    cv2.polylines(canvas, [np.array(curve, np.int32)], False, (214, 84, 44), 3, cv2.LINE_AA)
    return canvas


def cartoon(side: int) -> Pixels:
    """Large flat shapes with dark outlines."""
    canvas = flat(side, side, (250, 224, 150)).copy()
    maker = np.random.default_rng(10)
    for _ in range(26):
        centre = tuple(int(v) for v in maker.integers(0, side, 2))
        colour = tuple(int(v) for v in maker.integers(40, 256, 3))
        radius = int(maker.integers(side // 16, side // 5))
        cv2.circle(canvas, centre, radius, colour, -1, cv2.LINE_AA)
        cv2.circle(canvas, centre, radius, (26, 22, 30), 5, cv2.LINE_AA)
    return canvas


PICTURES: dict[str, Callable[[], Pixels]] = {
    "portrait 512": partial(sample, "eileen_collins.png", 512, 512),
    "portrait 600x720": partial(sample, "grace_hopper.jpg", 600, 720),
    "portrait 640x427": partial(sample, "grace_hopper.jpg", 640, 427),
    "portrait 1080p, grain": lambda: grained(sample("eileen_collins.png", 1920, 1080)),
    "portrait 0.15 MP": partial(sample, "eileen_collins.png", 448, 336),
    "flat grey": partial(flat, 1280, 720, (128, 128, 128)),
    "flat colour": partial(flat, 960, 720, (44, 92, 150)),
    "sky": partial(ramp, 1280, 720, (70, 120, 200), (235, 240, 250)),
    "glow": partial(glow, 960),
    "clouds 1.3": lambda: tinted(clouds(1600, 900, 1.3, 11), (86, 130, 190), (250, 250, 252)),
    "plasma 1.0": lambda: tinted(clouds(1920, 1080, 1.0, 12), (40, 30, 60), (240, 200, 120)),
    "texture 0.3": lambda: tinted(clouds(800, 600, 0.3, 13), (60, 60, 60), (200, 196, 190)),
    "grass": partial(grass, 800, 600),
    "grass 0.15 MP": partial(grass, 448, 336),
    "gravel": partial(gravel, 800, 600),
    "gravel 1080p": partial(gravel, 1920, 1080),
    "bricks": partial(bricks, 900, 600),
    "page": partial(page, 1000, 720, 22),
    "page, dense": partial(page, 800, 1100, 13),
    "page 0.15 MP": partial(page, 450, 336, 13),
    "skyline": partial(skyline, 1280, 720, night=False),
    "skyline, night": partial(skyline, 1280, 720, night=True),
    "stars": partial(stars, 900, 600),
    "chart": partial(chart, 900, 600),
    "cartoon": partial(cartoon, 800),
    "phone page": partial(page, 540, 1170, 18),
}
