"""The only media encoders and writers of the program; used by the draft and by the labelled preview."""

from __future__ import annotations

import errno
import io
import os
from typing import Final

from compliance.errors import DiskFull, NotWritable
from compliance.labels.policy import PictureFormat
from compliance.media import Pixels
from compliance.storage import head_last

_JPEG_QUALITY = 95
# zlib's run-length strategy (Z_RLE): on PNG-filtered photographs as small as level 4, in half the time.
_PNG_OPTIONS: Final = {"compress_type": 3, "compress_level": 4}


def encode_picture(pixels: Pixels, fmt: PictureFormat, xmp: bytes) -> bytes:
    """Encode one labelled picture together with its XMP packet.

    pixels: uint8, (height, width, 3), sRGB. PNG: the packet as an uncompressed iTXt chunk, as TC260-PG-20259A asks.
    JPEG: quality 95 without chroma subsampling, so that the drawn label keeps its edges; the packet in APP1.
    """
    from PIL import Image, PngImagePlugin

    picture = Image.fromarray(pixels)
    target = io.BytesIO()
    if fmt == "png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        picture.save(target, "PNG", pnginfo=info, **_PNG_OPTIONS)
    else:
        picture.save(target, "JPEG", quality=_JPEG_QUALITY, subsampling=0, xmp=xmp)
    return target.getvalue()


def encode_preview(pixels: Pixels) -> bytes:
    """Encode pixels that already carry the drawn label as a PNG in memory; uint8, (height, width, 3), sRGB."""
    from PIL import Image

    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG", **_PNG_OPTIONS)
    return target.getvalue()


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte to an open descriptor of an empty file, the head last: half a draft cannot be decoded.

    Raises DiskFull when space or quota is used up and NotWritable when the place refuses; any other OSError as it is.
    """
    try:
        for rest in head_last(descriptor, data):
            while rest:
                rest = rest[os.write(descriptor, rest) :]
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(path="the target folder") from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EBADF):
            raise NotWritable(path="the target", reason=os.strerror(error.errno)) from error
        raise
