"""Decoding: what is refused first, then what each kind of picture becomes."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from compliance.errors import NotAPicture, PictureTooLarge
from compliance.media import Pixels
from engines import source
from engines.source import decode
from tests.engines.conftest import png


def _encoded(picture: Image.Image, kind: str, **how: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **how)
    return buffer.getvalue()


def _colourful(width: int = 64, height: int = 48) -> Pixels:
    y, x = np.mgrid[0:height, 0:width]
    return np.dstack([x * 255 // width, y * 255 // height, (x + y) % 256]).astype(np.uint8)


def _png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rest = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + rest + chunk(b"IEND", b"")


def _jpeg_claiming(width: int, height: int) -> bytes:
    data = bytearray(_encoded(Image.fromarray(_colourful()), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def _bmp_claiming(width: int, height: int) -> bytes:
    data = bytearray(_encoded(Image.fromarray(_colourful()), "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def _webp_claiming(width: int, height: int) -> bytes:
    data = bytearray(_encoded(Image.fromarray(_colourful()), "WEBP", lossless=True))
    at = data.index(b"VP8L") + 9
    data[at : at + 4] = struct.pack("<I", (width - 1) | (height - 1) << 14)
    return bytes(data)


def _extended_webp_claiming(width: int, height: int) -> bytes:
    data = bytearray(_encoded(Image.new("RGBA", (64, 48)), "WEBP", save_all=True, exif=b"Exif\0\0" + bytes(8)))
    at = data.index(b"VP8X") + 12
    data[at : at + 6] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


def _gif_claiming(width: int, height: int) -> bytes:
    data = bytearray(_encoded(Image.fromarray(_colourful()), "GIF"))
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


def _tiff_claiming(width: int, height: int) -> bytes:
    data = _encoded(Image.fromarray(_colourful()), "TIFF", compression="tiff_lzw")
    for tag, old, new in ((256, 64, width), (257, 48, height)):
        for entry in (struct.pack("<HHII", tag, 4, 1, old), struct.pack("<HHIHH", tag, 3, 1, old, 0)):
            data = data.replace(entry, struct.pack("<HHII", tag, 4, 1, new))
    return data


def _avif_claiming(width: int, height: int) -> bytes:
    data = bytearray(_encoded(Image.fromarray(_colourful()), "AVIF"))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", width, height)
    return bytes(data)


_PNG = png(_colourful())
_JPEG = _encoded(Image.fromarray(_colourful(300, 200)), "JPEG")
_KINDS = {
    "PNG": _PNG,
    "JPEG": _JPEG,
    "WEBP": _encoded(Image.fromarray(_colourful()), "WEBP"),
    "TIFF": _encoded(Image.fromarray(_colourful()), "TIFF", compression="tiff_lzw"),
    "BMP": _encoded(Image.fromarray(_colourful()), "BMP"),
    "GIF": _encoded(Image.fromarray(_colourful()), "GIF"),
    "AVIF": _encoded(Image.fromarray(_colourful()), "AVIF"),
}

BAD = {
    "empty file": b"",
    "text": b"Dear all, please find the portrait attached.\n" * 20,
    "only zeros": bytes(4096),
    "PNG magic alone": _PNG[:8],
    "PNG cut off": _PNG[: len(_PNG) // 2],
    "PNG with a broken chunk": _PNG[:40] + b"\xff" * 20 + _PNG[60:],
    "JPEG magic alone": _JPEG[:3],
    "JPEG cut off": _JPEG[: len(_JPEG) // 2],
    "JPEG header alone": _JPEG[:200],
    "WebP cut off": _KINDS["WEBP"][:60],
    "TIFF cut off": _KINDS["TIFF"][:30],
    "BMP cut off": _KINDS["BMP"][:100],
    "GIF cut off": _KINDS["GIF"][:20],
    "AVIF cut off": _KINDS["AVIF"][:-40],
    "AVIF header alone": _KINDS["AVIF"][:40],
    "a film": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(40),
    "RIFF that is sound": b"RIFF\x24\0\0\0WAVEfmt " + bytes(32),
    "PNG of no width": _png_header(0, 5),
    "another format Pillow knows": b"P6 2 2 255 " + bytes(12),
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "float TIFF": _encoded(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_is_refused(name: str) -> None:
    """Every kind of damage ends in NotAPicture that names the file and says why in a few words."""
    with pytest.raises(NotAPicture) as refusal:
        decode(name, BAD[name])
    assert refusal.value.data["path"] == name
    assert 0 < len(refusal.value.data["reason"]) < 60


@pytest.mark.parametrize(
    "data",
    [
        _png_header(30_000, 30_000),
        _png_header(100_000_001, 1),
        _jpeg_claiming(40_000, 40_000),
        _bmp_claiming(40_000, 40_000),
        _webp_claiming(16_383, 16_383),
        _extended_webp_claiming(16_383, 16_383),
        _gif_claiming(40_000, 40_000),
        _tiff_claiming(40_000, 40_000),
        _avif_claiming(15_000, 15_000),
    ],
    ids=["png", "long png", "jpeg", "bmp", "webp", "extended webp", "gif", "tiff", "avif"],
)
def test_too_many_pixels_are_refused_before_decoding(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The header is enough: a small file that would unfold to gigabytes is never unfolded."""

    def unfold(self: object) -> None:
        pytest.fail("the picture was decoded")

    for kind in source._FORMATS:
        monkeypatch.setattr(kind.open, "load", unfold)
    with pytest.raises(PictureTooLarge) as refusal:
        decode("bomb", data)
    assert refusal.value.data["width"] * refusal.value.data["height"] > 100_000_000
    assert refusal.value.data["limit_mp"] == 100


def test_sizes_near_the_limit_bring_no_warning_of_pillow() -> None:
    """Pillow warns from 89 megapixels on; that never leaks, whatever the warning filters say."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(NotAPicture):
            decode("nearly", _png_header(9_900, 10_000))


@given(st.binary(max_size=300), st.sampled_from(sorted(_KINDS)), st.integers(0, 400))
def test_damaged_bytes_never_end_in_another_error(noise: bytes, kind: str, at: int) -> None:
    """Noise written over a valid file: a picture or a refusal, nothing else."""
    data = _KINDS[kind]
    try:
        picture = decode("damaged", data[:at] + noise + data[at + len(noise) :])
    except (NotAPicture, PictureTooLarge):
        return
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3


@pytest.mark.parametrize("kind", sorted(_KINDS))
def test_every_kind_becomes_rgb_of_the_same_size(kind: str) -> None:
    """The name is never looked at: the bytes say what a file is."""
    width, height = (300, 200) if kind == "JPEG" else (64, 48)
    picture = decode("portrait.txt", _KINDS[kind])
    assert picture.shape == (height, width, 3) and picture.dtype == np.uint8
    assert picture.flags.writeable and picture.flags.c_contiguous
    off = np.abs(picture.astype(int) - _colourful(width, height)).mean()
    assert off < (1 if kind in ("PNG", "TIFF", "BMP") else 16)


def test_modes_of_pixels_all_become_rgb() -> None:
    """Grey, two-level, palette and CMYK pictures show the colours that they mean."""
    grey = Image.new("L", (8, 6), 90)
    assert (decode("grey", png(grey)) == 90).all()
    assert (decode("levels", png(Image.new("1", (8, 6), 1))) == 255).all()
    palette = Image.new("RGB", (8, 6), (200, 10, 30)).convert("P", palette=Image.Palette.ADAPTIVE)
    assert (decode("palette", png(palette)) == (200, 10, 30)).all()
    cmyk = decode("cmyk", _encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"))
    assert cmyk[..., 0].min() > 200 and cmyk[..., 1:].max() < 60


def test_sixteen_bits_become_eight() -> None:
    """The full range is kept: 65535 is 255."""
    wide = np.array([[0, 257 * 100, 65535]], np.uint16)
    assert decode("wide", png(Image.fromarray(wide)))[0, :, 0].tolist() == [0, 100, 255]


def test_transparency_lies_on_white() -> None:
    """Invisible pixels are white, half visible ones halfway there; palette transparency too."""
    clear = np.zeros((2, 2, 4), np.uint8)
    clear[0, 0] = (10, 20, 30, 255)
    clear[1, 1] = (0, 0, 0, 128)
    picture = decode("clear", png(Image.fromarray(clear)))
    assert picture[0, 0].tolist() == [10, 20, 30]
    assert picture[0, 1].tolist() == [255, 255, 255]
    assert picture[1, 1].tolist() == [127, 127, 127]
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([9, 9, 9])
    assert (decode("palette", _encoded(palette, "PNG", transparency=0)) == 255).all()


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))])
def test_pictures_stand_upright(orientation: int, corner: tuple[int, int]) -> None:
    """The orientation of EXIF is applied: the bright corner is where a viewer shows it."""
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[:8, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode("turned", _encoded(Image.fromarray(pixels), "JPEG", exif=exif.tobytes(), quality=95))
    assert picture.shape[:2] == ((64, 32) if orientation in (6, 8) else (32, 64))
    assert picture[corner].min() > 200


def test_a_broken_exif_turns_nothing() -> None:
    """The picture is whole without it."""
    data = _encoded(Image.fromarray(_colourful()), "JPEG", exif=b"Exif\0\0" + b"\xff" * 40)
    assert decode("exif", data).shape == (48, 64, 3)


def test_colour_profiles_become_srgb() -> None:
    """A profile that swaps red and green turns a red picture green; a broken one is ignored."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"tmp_").replace(b"gXYZ", b"rXYZ").replace(b"tmp_", b"gXYZ")
    red = Image.new("RGB", (4, 4), (255, 0, 0))
    assert decode("swapped", _encoded(red, "PNG", icc_profile=swapped))[0, 0].argmax() == 1
    assert decode("plain", _encoded(red, "PNG", icc_profile=profile))[0, 0].argmax() == 0
    assert decode("broken", _encoded(red, "PNG", icc_profile=b"no profile"))[0, 0].tolist() == [255, 0, 0]
    assert decode("grey", _encoded(Image.new("L", (4, 4), 90), "PNG", icc_profile=profile))[0, 0].tolist() == [90] * 3


def test_only_the_first_frame_counts() -> None:
    """Of an animation, viewers show it and engines see it."""
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((250, 0, 0), (0, 0, 250))]
    data = _encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode("moving", data)[0, 0].argmax() == 0
