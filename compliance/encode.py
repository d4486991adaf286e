"""The only media encoders and writers of the program; used by the draft and by the labelled preview."""

from __future__ import annotations

import errno
import io
import os
from typing import Any, Final

from compliance.containers_gif import XMP_APPLICATION, XMP_TRAILER
from compliance.containers_parts import PictureFormat
from compliance.errors import DiskFull, NotWritable
from compliance.media import Pixels
from compliance.storage import head_last

_JPEG_QUALITY = 95
# At 1080p the usual method takes twice as long for a larger file.
_WEBP_QUALITY, _WEBP_METHOD = 92, 2
# The step before takes twice as long for 3 % fewer bytes.
_AVIF_QUALITY, _AVIF_SPEED = 90, 9
_TIFF_XMP = 700
_HALVED_FROM_PX = 512
# zlib's run-length strategy (Z_RLE): on PNG-filtered photographs as small as level 4, in half the time.
_PNG_OPTIONS: Final = {"compress_type": 3, "compress_level": 4}


def encode_picture(pixels: Pixels, fmt: PictureFormat, xmp: bytes) -> bytes:
    """Encode one labelled picture together with its XMP packet.

    pixels: uint8, (height, width, 3), sRGB. The packet stands where TC260-PG-20259A asks: PNG in an uncompressed iTXt
    chunk, JPEG in APP1, WebP in its XMP chunk, TIFF in tag 700, GIF in an application extension, AVIF (which the guide
    does not name) in an item as in HEIF. JPEG and AVIF are without chroma subsampling, so that the drawn label keeps
    its edges. GIF: one frame of 256 colours found for this picture.
    """
    from PIL import Image, PngImagePlugin, TiffTags
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    picture = Image.fromarray(pixels)
    target = io.BytesIO()
    if fmt == "png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        picture.save(target, "PNG", pnginfo=info, **_PNG_OPTIONS)
    elif fmt == "jpeg":
        picture.save(target, "JPEG", quality=_JPEG_QUALITY, subsampling=0, xmp=xmp)
    elif fmt == "webp":
        picture.save(target, "WEBP", quality=_WEBP_QUALITY, method=_WEBP_METHOD, xmp=xmp)
    elif fmt == "tiff":
        # Field type 7, as the guide asks; Pillow would write bytes.
        fields = ImageFileDirectory_v2()
        fields[_TIFF_XMP], fields.tagtype[_TIFF_XMP] = xmp, TiffTags.UNDEFINED
        picture.save(target, "TIFF", compression="tiff_adobe_deflate", tiffinfo=fields)
    elif fmt == "gif":
        return _with_gif_packet(_encode_gif(picture), xmp)
    else:
        picture.save(target, "AVIF", quality=_AVIF_QUALITY, subsampling="4:4:4", speed=_AVIF_SPEED, xmp=xmp)
    return target.getvalue()


def _encode_gif(picture: Any) -> bytes:
    """A still GIF: the colours by median cut, the rest by error diffusion, which keeps local means for the mark."""
    from PIL import Image

    # Half the size shows the same colours in a quarter of the time.
    seen = picture.reduce(2) if min(picture.size) >= _HALVED_FROM_PX else picture
    colours = seen.quantize(256, Image.Quantize.MEDIANCUT)
    target = io.BytesIO()
    picture.quantize(palette=colours, dither=Image.Dither.FLOYDSTEINBERG).save(target, "GIF", optimize=False)
    return target.getvalue()


def _with_gif_packet(data: bytes, xmp: bytes) -> bytes:
    """Put the XMP packet in front of the trailer (Adobe XMP Specification Part 3 §1.1.2), which Pillow does not do."""
    extension = b"\x21\xff" + bytes((len(XMP_APPLICATION),)) + XMP_APPLICATION + xmp + XMP_TRAILER
    return data[:-1] + extension + data[-1:]


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
