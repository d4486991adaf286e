"""Read-only decoding of pictures into what engines work on: uint8, (height, width, 3), sRGB, upright.

Bytes come from anywhere, so the decoder is narrow: seven formats by their first bytes, the size read from the header
before anything is decoded, and every way in which a decoder can fail becomes NotAPicture.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms, ImageOps
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from compliance.errors import InputError, NotAPicture, OutOfMemory, PictureTooLarge
from compliance.media import Pixels

LIMIT_MEGAPIXELS = 100
_PIXELS_PER_MEGAPIXEL = 1_000_000


class _Format(NamedTuple):
    is_mine: Callable[[bytes], bool]
    open: type[ImageFile]


# Pillow's classes are called directly: Image.open would judge the size by a limit of its own before telling it.
_FORMATS = (
    _Format(lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"), PngImageFile),
    _Format(lambda head: head.startswith(b"\xff\xd8\xff"), JpegImageFile),
    _Format(lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP", WebPImageFile),
    _Format(lambda head: head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), TiffImageFile),
    _Format(lambda head: head.startswith(b"BM"), BmpImageFile),
    _Format(lambda head: head[:6] in (b"GIF87a", b"GIF89a"), GifImageFile),
    _Format(lambda head: head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis", b"mif1"), AvifImageFile),
)


def decode(name: str, data: bytes) -> Pixels:
    """Decode one picture: PNG, JPEG, WebP, TIFF, BMP, GIF or AVIF (the first frame or page).

    name is only for messages. The orientation of EXIF is applied, an ICC profile converted to sRGB, transparency laid
    on white, 16 bits reduced to 8. Returns uint8, (height, width, 3), contiguous and writable.
    Raises NotAPicture, PictureTooLarge (over 100 megapixels, judged before decoding), OutOfMemory.
    """
    if not data:
        raise NotAPicture(path=name, reason="the file is empty")
    kind = next((kind for kind in _FORMATS if kind.is_mine(data[:16])), None)
    if kind is None:
        raise NotAPicture(path=name, reason="unknown format")
    try:
        # Pillow warns about oddities of a file and about sizes near its own limit; neither is the reader's concern.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind.open is WebPImageFile:
                _require_size(name, *_webp_size(data))
            return _decode(name, kind.open(io.BytesIO(data)))
    except InputError:
        raise
    except MemoryError as error:
        raise OutOfMemory(stage="reading pictures") from error
    except Exception as error:
        # Decoders meet hostile bytes with any exception there is (struct.error, IndexError, SyntaxError, OSError ...).
        raise NotAPicture(path=name, reason=_reason(error)) from error


def is_picture(data: bytes) -> bool:
    """Whether the first bytes are those of a picture that is read here."""
    return any(kind.is_mine(data[:16]) for kind in _FORMATS)


def count_frames(data: bytes) -> int:
    """How many frames or pages a picture has; 1 for whatever is none and lets itself not be opened."""
    kind = next((kind for kind in _FORMATS if kind.is_mine(data[:16])), None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return 1 if kind is None else int(getattr(kind.open(io.BytesIO(data)), "n_frames", 1))
    except Exception:
        # What cannot be opened is told by decode, with its reason.
        return 1


def _decode(name: str, picture: Image.Image) -> Pixels:
    _require_size(name, *picture.size)
    picture.load()
    profile = picture.info.get("icc_profile")
    upright = _upright(picture)
    alpha = _alpha(upright)
    pixels = _srgb(_eight_bits(name, upright), profile)
    if alpha is None:
        return pixels
    flattened = Image.new("RGB", upright.size, "white")
    flattened.paste(Image.fromarray(pixels), mask=alpha)
    return np.array(flattened, np.uint8)


def _require_size(name: str, width: int, height: int) -> None:
    if width * height > LIMIT_MEGAPIXELS * _PIXELS_PER_MEGAPIXEL:
        raise PictureTooLarge(path=name, width=width, height=height, limit_mp=LIMIT_MEGAPIXELS)


def _webp_size(data: bytes) -> tuple[int, int]:
    """(width, height) from the first chunk of a WebP file, since Pillow prepares its decoder already when opening.

    Layout: RFC 9649, sections 2.5 (VP8), 2.6 (VP8L) and 2.7 (VP8X). Raises struct.error when the file ends before.
    """
    if data[12:16] == b"VP8X":
        low_width, high_width, low_height, high_height = struct.unpack_from("<HBHB", data, 24)
        return (low_width | high_width << 16) + 1, (low_height | high_height << 16) + 1
    if data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _upright(picture: Image.Image) -> Image.Image:
    """The picture turned as its EXIF says; a broken EXIF turns nothing."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:
        # Any exception may come out of a damaged EXIF block, and the picture is whole without it.
        return picture


def _alpha(picture: Image.Image) -> Image.Image | None:
    if not picture.has_transparency_data or picture.mode.startswith("I"):
        return None
    return picture.convert("RGBA").getchannel("A")


def _eight_bits(name: str, picture: Image.Image) -> Image.Image:
    """The picture as L, RGB or CMYK: the modes that colour profiles speak of."""
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture
    if picture.mode.startswith("I;16") or picture.mode == "I":
        wide = np.clip(np.asarray(picture).astype(np.int64), 0, 65535)
        return Image.fromarray(((wide * 255 + 32767) // 65535).astype(np.uint8))
    if picture.mode == "F":
        raise NotAPicture(path=name, reason="floating-point samples are not supported")
    if picture.mode in ("1", "LA", "La"):
        return picture.convert("L")
    return picture.convert("RGB")


def _srgb(picture: Image.Image, profile: bytes | None) -> Pixels:
    """Convert by the ICC profile when there is one that fits; the plain conversion otherwise."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                picture,
                source,
                ImageCms.createProfile("sRGB"),
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
            if converted is not None:
                return np.array(converted, np.uint8)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            # A profile that is damaged or meant for another kind of pixel: viewers ignore it, and so do we.
            pass
    return np.array(picture.convert("RGB"), np.uint8)


def _reason(error: Exception) -> str:
    """A few words about a failed decoder; its own text may hold anything and is not shown."""
    text = str(error).lower()
    if "truncated" in text or "end of file" in text or isinstance(error, EOFError):
        return "the file is cut off"
    return "the file is damaged"
