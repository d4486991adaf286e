"""Foreign pictures for thumbnails: read by Qt alone, with a limit on memory, turned upright."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QImageIOHandler, QImageReader

from compliance.errors import FileMissing, NotAPicture
from compliance.open_databases import is_open_here

ALLOCATION_LIMIT_MIB = 512
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif")


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small upright copy of a picture and the size (pixels) of the upright original."""

    image: QImage
    width: int
    height: int


def read_thumbnail(path: Path, longest_px: int = 900) -> Thumbnail:
    """Read a picture no larger than longest_px; raises FileMissing or NotAPicture."""
    QImageReader.setAllocationLimit(ALLOCATION_LIMIT_MIB)
    if not path.is_file():
        raise FileMissing(path=path.name)
    if is_open_here(path):
        raise NotAPicture(path=path.name, reason="it is the open database of a studio")
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    reader.setDecideFormatFromContent(True)
    stored = reader.size()
    if stored.isValid() and max(stored.width(), stored.height()) > longest_px:
        reader.setScaledSize(stored.scaled(QSize(longest_px, longest_px), Qt.AspectRatioMode.KeepAspectRatio))
    quarter_turn = bool(reader.transformation() & QImageIOHandler.Transformation.TransformationRotate90)
    image = reader.read()
    if image.isNull():
        raise NotAPicture(path=path.name, reason="damaged or of another kind")
    upright = stored.transposed() if quarter_turn else stored
    return Thumbnail(image, upright.width(), upright.height())


def cut_face(image: QImage, full: QSize, box: tuple[int, int, int, int], side_px: int) -> QImage:
    """A square of one face with some room around it; box: left, top, width, height in pixels of the full picture."""
    if image.isNull() or not full.isValid() or full.width() < 1:
        return QImage()
    scale = image.width() / full.width()
    left, top, width, height = (value * scale for value in box)
    side = max(width, height) * 1.3
    place = QRect(
        round(left + width / 2 - side / 2), round(top + height / 2 - side / 2), max(1, round(side)), max(1, round(side))
    )
    wanted = QSize(side_px, side_px)
    ways = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    return image.copy(place.intersected(image.rect())).scaled(wanted, *ways).copy(0, 0, side_px, side_px)


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file; raises FileMissing."""
    if is_open_here(path):
        raise FileMissing(path=path.name)
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise FileMissing(path=path.name) from error
