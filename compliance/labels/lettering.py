"""The words of the drawn label and the letters they are made of: one pinned font, loaded or the release stops."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from compliance.errors import LabelPartMissing

CHINESE: Final = "AI生成"
ENGLISH: Final = "AI-generated"
SAMPLE: Final = "SAMPLE"
DOT: Final = "·"
SEPARATOR: Final = f" {DOT} "

# The label is drawn and measured with these letters; with others (blank ones, say) both would agree on nothing.
_FONT_SHA256: Final = {
    "label.otf": "839b19fa9bd5cd345996646a64dbe64304e0a167dfc4e4e946f3b37b51284e35",
    "icon.otf": "1164c88f6e96e1737b50bc455a0421cb31920fe780d4d43ddba1b9db803fce92",
}

# Parts of a word that are compared one by one, so that a word with one wrong letter does not pass as a whole.
_GROUPS: Final = {
    CHINESE: ("A", "I", "生", "成"),
    ENGLISH: ("A", "I", "-ge", "ner", "ate", "d"),
    SAMPLE: ("SA", "MP", "LE"),
}
_MASTER_EM_PX = 128
_REMEMBERED_EM_PX = 40.0
# Plate around the ink that belongs to a template, in em: letters count only where they stand on something even.
_QUIET_EM = 0.1

Plane = NDArray[np.float32]


_LOADING = threading.Lock()


def opencv() -> Any:
    """The cv2 module, without the two Qt variables its import leaves behind (they would break PySide6 windows)."""
    names = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")
    # Another thread may be in the middle of the same import: then its module is not whole, and it has these variables.
    with _LOADING:
        before = {name: os.environ.get(name) for name in names}
        try:
            import cv2
        except ImportError as error:
            raise LabelPartMissing(part="opencv") from error
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
    return cv2


@lru_cache(maxsize=2)
def _font_bytes(name: str) -> bytes:
    """A font file of the label; raises LabelPartMissing unless it is the pinned one."""
    try:
        data = files("resources").joinpath("fonts", name).read_bytes()
    except (OSError, ModuleNotFoundError) as error:
        raise LabelPartMissing(part="label font") from error
    if hashlib.sha256(data).hexdigest() != _FONT_SHA256[name]:
        raise LabelPartMissing(part="label font")
    return data


@lru_cache(maxsize=8)
def font(em_px: int, name: str = "label.otf") -> Any:
    """The label font as a Pillow font; raises LabelPartMissing(part="label font") when it does not load.

    name: "icon.otf" has the capitals of the European icon, which the label's own words do without.

    The basic layout engine is asked for, so that the same text is equally wide on machines with and without raqm.
    """
    try:
        from PIL import ImageFont

        return ImageFont.truetype(io.BytesIO(_font_bytes(name)), em_px, layout_engine=ImageFont.Layout.BASIC)
    except (ImportError, OSError) as error:
        raise LabelPartMissing(part="label font") from error


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """One word as it should look.

    coverage: float32, (height, width), 0 plate … 1 ink, with a quiet border of 0.1 em. em_px: its text size.
    groups: (left, right) columns of the parts that are compared one by one. hanzi_columns, cap_columns: those of 生成
    and of the letter I, (0, 0) in a word without them. top: rows of quiet border above the ink.
    """

    word: str
    em_px: float
    coverage: Plane
    groups: tuple[tuple[float, float], ...]
    hanzi_columns: tuple[float, float]
    cap_columns: tuple[float, float]
    top: float

    def scaled(self, em_px: float, through_px: float | None = None) -> Template:
        """The same word at another text size; through_px: the size it was drawn at when it was enlarged since."""
        if em_px <= _REMEMBERED_EM_PX:
            return _small(self, em_px, through_px)
        return self._drawn(em_px, through_px)

    def _drawn(self, em_px: float, through_px: float | None) -> Template:
        cv2 = opencv()
        factor = em_px / self.em_px
        coverage = self.coverage
        height, width = coverage.shape
        if through_px is not None and through_px < em_px:
            small = through_px / self.em_px
            coverage = cv2.resize(
                coverage, (max(2, round(width * small)), max(2, round(height * small))), interpolation=cv2.INTER_AREA
            )
        size = max(2, round(width * factor)), max(2, round(height * factor))
        shrink = size[0] <= coverage.shape[1]
        coverage = cv2.resize(coverage, size, interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC)
        return Template(
            word=self.word,
            em_px=em_px,
            coverage=coverage,
            groups=tuple((left * factor, right * factor) for left, right in self.groups),
            hanzi_columns=(self.hanzi_columns[0] * factor, self.hanzi_columns[1] * factor),
            cap_columns=(self.cap_columns[0] * factor, self.cap_columns[1] * factor),
            top=self.top * factor,
        )


@lru_cache(maxsize=256)
def _small(master: Template, em_px: float, through_px: float | None) -> Template:
    """Small copies are remembered: frames of one film and pictures of one size ask for the same ones."""
    return master._drawn(em_px, through_px)


@lru_cache(maxsize=4)
def template(word: str) -> Template:
    """The template of one word at its master size of 128 px an em."""
    from PIL import Image, ImageDraw

    letters = font(_MASTER_EM_PX)
    border = round(_QUIET_EM * _MASTER_EM_PX)
    left, top, right, bottom = letters.getbbox(word, anchor="ls")
    size = right - left + 2 * border, bottom - top + 2 * border
    image = Image.new("L", size, 0)
    ImageDraw.Draw(image).text((border - left, border - top), word, font=letters, fill=255, anchor="ls")

    def columns(start: int, end: int) -> tuple[float, float]:
        offset = border - left
        return offset + letters.getlength(word[:start]), offset + letters.getlength(word[:end])

    groups = []
    start = 0
    for part in _GROUPS[word]:
        groups.append(columns(start, start + len(part)))
        start += len(part)
    return Template(
        word=word,
        em_px=_MASTER_EM_PX,
        coverage=np.asarray(image, np.float32) / np.float32(255),
        groups=tuple(groups),
        hanzi_columns=columns(2, 4) if word == CHINESE else (0.0, 0.0),
        cap_columns=columns(1, 2) if word != SAMPLE else (0.0, 0.0),
        top=border,
    )
