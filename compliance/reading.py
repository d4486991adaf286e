"""Takes any file apart that the house can release: picture, sound, video or document, by its first bytes."""

from __future__ import annotations

from typing import Any

from compliance.containers import Container, manifest_store, read_container
from compliance.documents import DocumentContainer, is_document, read_document
from compliance.errors import NotAPicture
from compliance.sound_containers import SoundContainer, is_sound, read_sound_container, sound_manifest_store
from compliance.video_containers import VideoContainer, is_video, read_video_container, video_manifest_store

# What any file of the house is when taken apart.
AnyContainer = Container | SoundContainer | VideoContainer | DocumentContainer


def read_media(name: str, data: bytes, *, salvage: bool = False) -> AnyContainer:
    """The container of a file; name is only for the message.

    Raises NotAVideo for video, NotASound for sound, NotADocument for documents, NotAPicture for all else.
    """
    if is_video(data):
        return read_video_container(name, data, salvage=salvage)
    if is_sound(data):
        return read_sound_container(name, data, salvage=salvage)
    if is_document(data):
        return read_document(name, data, salvage=salvage)
    return read_container(name, data, salvage=salvage)


def manifest_of(data: bytes) -> bytes:
    """The C2PA manifest store inside a file; empty when there is none or the file is malformed."""
    if is_video(data):
        return video_manifest_store(data)
    return sound_manifest_store(data) if is_sound(data) else manifest_store(data)


# One limit for what goes in, comes out and is checked (engines.source has the same).
LARGEST_PIXELS = 100_000_000
_DECODED = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "AVIF")


def decode_picture(data: bytes, *, opaque: bool = False) -> Any:
    """Pixels of a whole picture: uint8, (height, width, 3), sRGB; None when it cannot be decoded to its end.

    Transparent places are laid on white; opaque: None for a picture that may have any, since on another ground it would
    look different. Of several frames or pages the first.
    """
    import io
    import warnings

    import numpy as np
    from PIL import Image

    try:
        # Some decoders make room for the whole picture when a file is opened, so the size is read first.
        known = read_container("", data, salvage=True)
        if known.width * known.height > LARGEST_PIXELS:
            return None
        with warnings.catch_warnings():
            # Pillow warns below our own limit, which is judged from the header before anything is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_DECODED) as picture:
                if picture.width * picture.height > LARGEST_PIXELS:
                    return None
                if picture.has_transparency_data:
                    if opaque:
                        return None
                    ground = Image.new("RGBA", picture.size, "white")
                    ground.alpha_composite(picture.convert("RGBA"))
                    return np.asarray(ground.convert("RGB"))
                return np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))
    except (NotAPicture, OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError):
        return None
