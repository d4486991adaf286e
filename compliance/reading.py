"""Takes any file apart that the house can release: picture or sound, by its first bytes."""

from __future__ import annotations

from typing import Any

from compliance.containers import Container, manifest_store, read_container
from compliance.sound_containers import SoundContainer, is_sound, read_sound_container, sound_manifest_store

# What any file of the house is when taken apart.
AnyContainer = Container | SoundContainer


def read_media(name: str, data: bytes, *, salvage: bool = False) -> AnyContainer:
    """The container of a file; name is only for the message. Raises NotASound for sound, NotAPicture for all else."""
    if is_sound(data):
        return read_sound_container(name, data, salvage=salvage)
    return read_container(name, data, salvage=salvage)


def manifest_of(data: bytes) -> bytes:
    """The C2PA manifest store inside a file; empty when there is none or the file is malformed."""
    return sound_manifest_store(data) if is_sound(data) else manifest_store(data)


# One limit for what goes in, comes out and is checked (engines.source has the same).
LARGEST_PIXELS = 100_000_000


def decode_picture(data: bytes) -> Any:
    """Pixels of a whole PNG or JPEG: uint8, (height, width, 3), sRGB; None when it cannot be decoded to its end."""
    import io
    import warnings

    import numpy as np
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Pillow warns below our own limit, which is judged from the header before anything is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
                if picture.width * picture.height > LARGEST_PIXELS:
                    return None
                return np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError):
        return None
