"""Pictures whose label has one thing wrong with it: seed in, pixels and whether SAMPLE was asked for out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from compliance.labels.lettering import CHINESE, ENGLISH, SAMPLE, SEPARATOR, font
from compliance.media import Pixels
from tests.compliance.labels import pictures

Chance = np.random.Generator
Made = tuple[Pixels, bool]
_WORDS: Final = CHINESE + SEPARATOR + ENGLISH
_EM_SHARE: Final = 0.075
_WRONG_WORDS: Final = (
    "AI成生 · AI-generated",
    "IA生成 · IA-generated",
    "AI生成 · AI-degenerated",
    "AI生成 · generated",
    "生成 · generated",
    "AI · AI",
    "AI-generated",
    "AI生成",
    "SAMPLE",
    "AI生生 · AI-generated",
    "LA生成 · LA-generated",
    "AI生成 · AI-generator",
    "SAMPLE · SAMPLE",
    "MAI成 · AM-generated",
    "AI生 · AI-gene",
    "AI生成 · detareneg-IA",
)


def ground(chance: Chance) -> Pixels:
    """A picture of any size and kind without a label."""
    width, height = int(chance.integers(320, 900)), int(chance.integers(240, 700))
    seed = int(chance.integers(1 << 16))
    kinds: tuple[Callable[[], Pixels], ...] = (
        lambda: pictures.scene(width, height, seed),
        lambda: pictures.gradient(width, height),
        lambda: pictures.flat(width, height, seed % 256),
        lambda: pictures.noise(width, height, seed),
    )
    return kinds[int(chance.integers(len(kinds)))]()


def paint(
    pixels: Pixels,
    *,
    words: str = _WORDS,
    em_share: float = _EM_SHARE,
    ink: int = 250,
    plate: int = 26,
    opacity: float = 1.0,
    place: tuple[float, float] = (1.0, 1.0),
    change: Callable[[Image.Image], Image.Image] = lambda image: image,
) -> Pixels:
    """Paint a label with own hands.

    place: where between left and right, top and bottom, 0…1, or beyond for a label that is cut off. change: what
    befalls the finished plate. Words that do not fit are set smaller, which only makes them worse.
    """
    height, width = pixels.shape[:2]
    em_px = max(6, round(em_share * min(width, height)))
    letters = font(em_px)
    across, down = round(letters.getlength(words) + em_px), round(1.6 * em_px)
    label = Image.new("RGB", (across, down), (plate,) * 3)
    ImageDraw.Draw(label).text((em_px // 2, round(1.15 * em_px)), words, font=letters, fill=(ink,) * 3, anchor="ls")
    label = change(label)
    left = round(place[0] * (width - label.width - 4)) + 2
    top = round(place[1] * (height - label.height - 4)) + 2
    over = Image.fromarray(pixels.copy())
    over.paste(label, (left, top))
    if opacity < 1:
        over = Image.blend(Image.fromarray(pixels), over, opacity)
    return np.asarray(over)


def _good_size(chance: Chance) -> Pixels:
    """A ground that is wide enough for the label in one line."""
    while True:
        pixels = ground(chance)
        if pixels.shape[1] >= 1.05 * pixels.shape[0]:
            return pixels


def control(chance: Chance) -> Made:
    """Nothing wrong: shows that the painter paints what is accepted."""
    return paint(_good_size(chance)), False


def _missing(chance: Chance) -> Made:
    return ground(chance), False


def _tiny(chance: Chance) -> Made:
    return paint(_good_size(chance), em_share=float(chance.uniform(0.02, 0.05))), False


def _transparent(chance: Chance) -> Made:
    return paint(_good_size(chance), opacity=float(chance.uniform(0.03, 0.3))), False


def _cut(chance: Chance) -> Made:
    """Cut off by an edge: from a quarter of its width, or a third of its height, on."""
    pixels = _good_size(chance)
    height, width = pixels.shape[:2]
    em_px = round(_EM_SHARE * min(width, height))
    label_px = font(em_px).getlength(_WORDS) + em_px
    if chance.integers(2):
        return paint(pixels, place=((width - label_px * chance.uniform(0.2, 0.8)) / (width - label_px - 4), 1.0)), False
    return paint(
        pixels, place=(1.0, (height - 1.6 * em_px * chance.uniform(0.2, 0.65)) / (height - 1.6 * em_px - 4))
    ), False


def _off_screen(chance: Chance) -> Made:
    return paint(_good_size(chance), place=(-3.0, 1.0)), False


def _wrong_words(chance: Chance) -> Made:
    return paint(_good_size(chance), words=str(chance.choice(_WRONG_WORDS))), False


def _low_contrast(chance: Chance) -> Made:
    plate = int(chance.integers(0, 200))
    step = int(chance.integers(4, 34 if plate > 60 else 70))
    return paint(_good_size(chance), plate=plate, ink=plate + step), False


def _mirrored(chance: Chance) -> Made:
    ways = (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.ROTATE_180)
    way = ways[int(chance.integers(3))]
    return paint(_good_size(chance), change=lambda image: image.transpose(way)), False


def _in_the_middle(chance: Chance) -> Made:
    height, width = 600, 1200
    pixels = pictures.scene(width, height, int(chance.integers(1 << 16)))
    return paint(pixels, place=(float(chance.uniform(0.35, 0.65)), float(chance.uniform(0.3, 0.7)))), False


def _blurred(chance: Chance) -> Made:
    pixels = _good_size(chance)
    radius = 0.3 * _EM_SHARE * min(pixels.shape[:2]) * float(chance.uniform(0.9, 2))
    return paint(pixels, change=lambda image: image.filter(ImageFilter.GaussianBlur(radius))), False


def _struck_out(chance: Chance) -> Made:
    """Bars across the letters."""
    pixels = _good_size(chance)

    def strike(image: Image.Image) -> Image.Image:
        pen = ImageDraw.Draw(image)
        for share in (0.35, 0.5, 0.65):
            pen.rectangle((0, share * image.height, image.width, (share + 0.1) * image.height), fill=(250, 250, 250))
        return image

    return paint(pixels, change=strike), False


def _squeezed(chance: Chance) -> Made:
    """Wide enough and half as high, or the other way round."""
    share = float(chance.uniform(0.35, 0.7))

    def squeeze(image: Image.Image) -> Image.Image:
        if chance.integers(2):
            return image.resize((image.width, round(image.height * share)), Image.Resampling.LANCZOS)
        return image.resize((round(image.width * share), image.height), Image.Resampling.LANCZOS)

    return paint(_good_size(chance), change=squeeze), False


def _without_sample(chance: Chance) -> Made:
    """A whole label that lacks the word SAMPLE where a demo's release must have it."""
    return paint(_good_size(chance)), True


BAD_PICTURES: Final[dict[str, Callable[[Chance], Made]]] = {
    "no label": _missing,
    "tiny": _tiny,
    "transparent": _transparent,
    "cut off by an edge": _cut,
    "off the picture": _off_screen,
    "wrong words": _wrong_words,
    "low contrast": _low_contrast,
    "mirrored or upside down": _mirrored,
    "in the middle": _in_the_middle,
    "blurred": _blurred,
    "struck out": _struck_out,
    "squeezed": _squeezed,
    f"without the word {SAMPLE}": _without_sample,
}
