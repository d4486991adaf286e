"""Bad drafts of the picture formats: what moves, shines through, or hides bytes is not released."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffTags
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from compliance import draft, encode
from compliance.errors import LabelTooWeak, NotAPicture
from compliance.labels import explicit, watermark_image
from compliance.labels.policy import LabelPlan, Prepared
from compliance.media import Pixels, unseal
from tests.compliance.home import SOURCE, TARGET, Home, HonestDrafter, noise
from tests.compliance.labels.pictures import with_png_chunk

Forge = Callable[[Pixels, Pixels, bytes], bytes]


def saved(form: str, *frames: Image.Image, **options: object) -> bytes:
    """Encode one or several pictures with Pillow."""
    target = io.BytesIO()
    frames[0].save(target, form, save_all=len(frames) > 1, append_images=frames[1:], **options)
    return target.getvalue()


def moving_gif(labelled: Pixels, bare: Pixels, xmp: bytes) -> bytes:
    """The label in the first frame alone."""
    frames = [Image.fromarray(pixels).quantize(256) for pixels in (labelled, bare)]
    return encode._with_gif_packet(saved("GIF", *frames, loop=0, duration=9), xmp)


def moving_webp(labelled: Pixels, bare: Pixels, xmp: bytes) -> bytes:
    """Likewise."""
    return saved("WEBP", Image.fromarray(labelled), Image.fromarray(bare), xmp=xmp, quality=95)


def moving_avif(labelled: Pixels, bare: Pixels, xmp: bytes) -> bytes:
    """A sequence whose first picture stands as an item, too."""
    return saved("AVIF", Image.fromarray(labelled), Image.fromarray(bare), xmp=xmp, quality=95)


def two_pages(labelled: Pixels, bare: Pixels, xmp: bytes) -> bytes:
    """A second page that nobody measured."""
    fields = ImageFileDirectory_v2()
    fields[700], fields.tagtype[700] = xmp, TiffTags.UNDEFINED
    return saved("TIFF", Image.fromarray(labelled), Image.fromarray(bare), tiffinfo=fields)


def moving_png(labelled: Pixels, bare: Pixels, xmp: bytes) -> bytes:
    """An animation of PNG: browsers show the frames, decoders of stills the labelled picture."""
    del bare
    still = encode.encode_picture(labelled, "png", xmp)
    return with_png_chunk(still, b"acTL", (2).to_bytes(4, "big") + bytes(4))


def shining_through(form: str) -> Forge:
    """A transparent plate: dark on a white page, gone on a dark one."""

    def forge(labelled: Pixels, bare: Pixels, xmp: bytes) -> bytes:
        alpha = np.full(labelled.shape[:2], 254, np.uint8)
        return saved(form, Image.fromarray(np.dstack([labelled, alpha])), xmp=xmp, quality=95, lossless=True)

    return forge


def hiding(form: str, put: Callable[[bytes], bytes]) -> Forge:
    """Bytes that no viewer shows."""
    return lambda labelled, bare, xmp: put(encode.encode_picture(labelled, form, xmp))


def in_a_free_box(data: bytes) -> bytes:
    """An unlabelled copy in the filling of AVIF."""
    return data + (8 + 600).to_bytes(4, "big") + b"free" + b"\x89PNG" * 150


FORGED: dict[str, Forge] = {
    "moving.gif": moving_gif,
    "moving.webp": moving_webp,
    "moving.avif": moving_avif,
    "pages.tif": two_pages,
    "moving.png": moving_png,
    "through.webp": shining_through("WEBP"),
    "through.avif": shining_through("AVIF"),
    "behind.gif": hiding("gif", lambda data: data + b"\x89PNG" * 9),
    "behind.webp": hiding("webp", lambda data: data + b"\x89PNG" * 9),
    "gap.tiff": hiding("tiff", lambda data: data + b"\x89PNG" * 9),
    "gap.avif": hiding("avif", in_a_free_box),
    "two.gif": hiding("gif", lambda data: encode._with_gif_packet(data, b"<x AIGC='another'/>")),
    "two.png": hiding("png", lambda data: with_png_chunk(data, b"tEXt", b"AIGC\0{}")),
    "cut.webp": hiding("webp", lambda data: data[:-20]),
}


class Forger(HonestDrafter):
    """A worker that has been taken over: label and metadata are right, the file is not.

    mark: whether the invisible mark is there, too; the forgeries are found before it is looked for.
    """

    def __init__(self, forge: Forge, mark: bool = False) -> None:
        super().__init__(noise(320, 240))
        self.forge, self.mark, self.data = forge, mark, b""

    def prepare(self, plan: LabelPlan) -> Prepared:
        bare = unseal(self.media)
        labelled, _ = explicit.draw(bare, sample=plan.sample)
        marked = watermark_image.embed(labelled, int(plan.release_id, 16)).pixels if self.mark else labelled
        self.data = self.forge(marked, bare.copy(), plan.packet())
        try:
            made = draft.Draft(plan, self.data)
        except NotAPicture:  # what cannot be taken apart has no digest either
            return Prepared("0" * 64, len(self.data))
        return Prepared(made.payload_sha256, made.size)

    def write(self, descriptor: int) -> None:
        encode.write_all(descriptor, self.data)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A furnished home."""
    return Home.furnished(tmp_path_factory.mktemp("pictures") / "home")


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_draft_is_not_released(home: Home, tmp_path: Path, name: str) -> None:
    """Each is refused by the bytes alone, and nothing is left in the folder."""
    claim = home.claim(home.grant(SOURCE), home.grant(TARGET))
    with pytest.raises((LabelTooWeak, NotAPicture)) as refusal:
        home.release(claim, tmp_path / name, Forger(FORGED[name]))
    assert os.listdir(tmp_path) == []
    assert refusal.value.data.get("layer") != "watermark"
    if name.startswith(("moving", "pages")):
        assert "more than the one picture" in str(refusal.value.data["reason"])


@pytest.mark.parametrize("name", ["x.webp", "x.tif", "x.gif", "x.avif"])
def test_the_same_draft_without_the_forgery_is_released(home: Home, tmp_path: Path, name: str) -> None:
    """What the refusals above rest on."""
    claim = home.claim(home.grant(SOURCE), home.grant(TARGET))
    form = {".tif": "tiff"}.get(Path(name).suffix, name[2:])
    home.release(claim, tmp_path / name, Forger(hiding(form, lambda data: data), mark=True))
    assert os.listdir(tmp_path) == [name]
