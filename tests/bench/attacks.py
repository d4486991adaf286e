"""What happens to pictures on their way: 38 attacks on a watermark, and two harder ones that are told apart.

Each takes and gives uint8 (height, width, 3) sRGB and is the same every time.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image

from compliance.labels.lettering import opencv
from compliance.media import Pixels

Attack = Callable[[Pixels], Pixels]

cv2 = opencv()


def file_of(kind: str, quality: int, pixels: Pixels) -> Pixels:
    """Saved as JPEG or WebP and opened again; a larger side than WebP allows is left alone."""
    if kind == "WEBP" and max(pixels.shape) > 16383:
        return pixels
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


def sized(width: int, height: int, pixels: Pixels) -> Pixels:
    """At another size."""
    smaller = width * height < pixels.shape[0] * pixels.shape[1]
    size = (max(1, width), max(1, height))
    result: Pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return result


def scaled(factor: float, pixels: Pixels) -> Pixels:
    """Both sides times a factor."""
    height, width = pixels.shape[:2]
    return sized(round(width * factor), round(height * factor), pixels)


def cropped(removed: float, pixels: Pixels) -> Pixels:
    """A share of the area cut away; what stays lies off the centre."""
    height, width = pixels.shape[:2]
    side = math.sqrt(1 - removed)
    high, wide = round(height * side), round(width * side)
    top, left = int((height - high) * 0.3), int((width - wide) * 0.6)
    return np.ascontiguousarray(pixels[top : top + high, left : left + wide])


def rotated(angle_deg: float, pixels: Pixels) -> Pixels:
    """Turned about the middle in the same frame, the corners black."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle_deg, 1.0)
    result: Pixels = cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC)
    return result


def brighter(factor: float, pixels: Pixels) -> Pixels:
    """All values times a factor."""
    return np.clip(np.rint(pixels * factor), 0, 255).astype(np.uint8)


def contrast(factor: float, pixels: Pixels) -> Pixels:
    """Distance from the mean times a factor."""
    mean = pixels.mean()
    return np.clip(np.rint((pixels - mean) * factor + mean), 0, 255).astype(np.uint8)


def noisy(sigma: float, pixels: Pixels) -> Pixels:
    """With Gaussian noise."""
    noise = np.random.default_rng(5).normal(0, sigma, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def screenshot(pixels: Pixels) -> Pixels:
    """Shown at 83 % in a window with bars and margins, and the screen saved as JPEG 80."""
    small = scaled(0.83, pixels)
    height, width = small.shape[:2]
    bar, margin = round(0.09 * height), round(0.06 * width)
    screen = np.full((height + 2 * bar, width + 2 * margin, 3), 243, np.uint8)
    screen[:bar] = (52, 58, 70)
    for index in range(4):
        x = margin + index * width // 6
        screen[bar // 3 : bar // 3 + max(2, bar // 4), x : x + width // 9] = (210, 214, 222)
    screen[bar : bar + height, margin : margin + width] = small
    return file_of("JPEG", 80, screen)


def grey(pixels: Pixels) -> Pixels:
    """Without colour."""
    result: Pixels = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return result


def narrowed(pixels: Pixels) -> Pixels:
    """Nine tenths as wide."""
    height, width = pixels.shape[:2]
    return sized(round(width * 0.9), height, pixels)


def to_480(pixels: Pixels) -> Pixels:
    """Shrunk to a longer side of 480."""
    return scaled(min(1.0, 480 / max(pixels.shape)), pixels)


def social(pixels: Pixels) -> Pixels:
    """A longer side of at most 1080, JPEG 70."""
    return file_of("JPEG", 70, scaled(min(1.0, 1080 / max(pixels.shape)), pixels))


def video(crf: int, pixels: Pixels) -> Pixels:
    """The fourth frame of a still H.264 clip at a constant rate factor. Needs PyAV."""
    import av

    height, width = (side - side % 2 for side in pixels.shape[:2])
    frame = np.ascontiguousarray(pixels[:height, :width])
    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as target:
        track = target.add_stream("libx264", rate=25, options={"crf": str(crf), "preset": "medium", "threads": "1"})
        track.width, track.height, track.pix_fmt = width, height, "yuv420p"
        for _ in range(4):
            target.mux(track.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        target.mux(track.encode())
    stream.seek(0)
    with av.open(stream) as source:
        frames = [picture.to_ndarray(format="rgb24") for picture in source.decode(video=0)]
    return np.asarray(frames[-1], np.uint8)


def photographed(pixels: Pixels) -> Pixels:
    """A photo of a screen: perspective, soft lens, uneven light, a faint grid, noise, JPEG 75."""
    height, width = pixels.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + np.array([[0.03, 0.04], [-0.05, 0.015], [-0.02, -0.035], [0.045, -0.02]]) * (width, height)
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    view = cv2.warpPerspective(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=(24, 24, 26))
    view = cv2.GaussianBlur(view, (0, 0), 0.0012 * min(height, width) + 0.4).astype(np.float32)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    light = 0.92 + 0.12 * x / width - 0.10 * y / height + 0.015 * np.sin(x * 1.9) * np.sin(y * 1.7)
    noise = np.random.default_rng(6).normal(0, 3.0, pixels.shape)
    return file_of("JPEG", 75, np.clip(view * light[..., None] + noise, 0, 255).astype(np.uint8))


def after(*steps: Attack) -> Attack:
    """Several attacks one after the other."""

    def run(pixels: Pixels) -> Pixels:
        for step in steps:
            pixels = step(pixels)
        return pixels

    return run


def jpeg(quality: int) -> Attack:
    """Saved as JPEG."""
    return partial(file_of, "JPEG", quality)


ATTACKS: dict[str, Attack] = {
    "none": lambda pixels: pixels,
    "JPEG 95": jpeg(95),
    "JPEG 75": jpeg(75),
    "JPEG 50": jpeg(50),
    "JPEG 30": jpeg(30),
    "JPEG 15": jpeg(15),
    "WebP 50": partial(file_of, "WEBP", 50),
    "resize 0.5": partial(scaled, 0.5),
    "resize 0.75": partial(scaled, 0.75),
    "resize 1.5": partial(scaled, 1.5),
    "to 480 px": to_480,
    "crop 10 %": partial(cropped, 0.1),
    "crop 25 %": partial(cropped, 0.25),
    "crop 50 %": partial(cropped, 0.5),
    "crop 75 %": partial(cropped, 0.75),
    "crop 50 %, x0.7, JPEG 70": after(partial(cropped, 0.5), partial(scaled, 0.7), jpeg(70)),
    "rotate 2": partial(rotated, 2),
    "rotate 5": partial(rotated, 5),
    "rotate 15": partial(rotated, 15),
    "rotate 90": lambda pixels: np.ascontiguousarray(np.rot90(pixels)),
    "rotate 3, crop 10 %, JPEG 60": after(partial(rotated, 3), partial(cropped, 0.1), jpeg(60)),
    "mirror": lambda pixels: np.ascontiguousarray(pixels[:, ::-1]),
    "aspect 0.9": narrowed,
    "brightness +20 %": partial(brighter, 1.2),
    "brightness -20 %": partial(brighter, 0.8),
    "contrast +20 %": partial(contrast, 1.2),
    "contrast -20 %": partial(contrast, 0.8),
    "greyscale": grey,
    "blur 1.5": lambda pixels: cv2.GaussianBlur(pixels, (0, 0), 1.5),
    "median 5": lambda pixels: cv2.medianBlur(pixels, 5),
    "bilateral": lambda pixels: cv2.bilateralFilter(pixels, 7, 40, 5),
    "noise 8": partial(noisy, 8),
    "noise 20": partial(noisy, 20),
    "screenshot": screenshot,
    "x0.83, JPEG 80": after(partial(scaled, 0.83), jpeg(80)),
    "social": social,
    "H.264 CRF 23": partial(video, 23),
    "H.264 CRF 28": partial(video, 28),
}
HARDER: dict[str, Attack] = {
    "photo of a screen": photographed,
    "WebP 20": partial(file_of, "WEBP", 20),
}
