"""Takes any file apart that the house can release: picture or sound, by its first bytes."""

from __future__ import annotations

from compliance.containers import Container, manifest_store, read_container
from compliance.sound_containers import SoundContainer, is_sound, read_sound_container, sound_manifest_store


def read_media(name: str, data: bytes, *, salvage: bool = False) -> Container | SoundContainer:
    """The container of a file; name is only for the message. Raises NotASound for sound, NotAPicture for all else."""
    if is_sound(data):
        return read_sound_container(name, data, salvage=salvage)
    return read_container(name, data, salvage=salvage)


def manifest_of(data: bytes) -> bytes:
    """The C2PA manifest store inside a file; empty when there is none or the file is malformed."""
    return sound_manifest_store(data) if is_sound(data) else manifest_store(data)
