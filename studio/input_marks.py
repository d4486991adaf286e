"""Which invisible marks an input carries: of a picture, of a sound, and of a film in what is seen and what is heard."""

from __future__ import annotations

from compliance.documents import is_document
from compliance.errors import InputError
from compliance.imports import read_film_mark, read_mark, read_sound_mark
from compliance.video_containers import is_video


def marks_in(name: str, data: bytes) -> list[str]:
    """Ids as hex digits, each once, what is seen first; empty for documents and for what cannot be read.

    name is only for messages that nobody sees. Raises LabelPartMissing without PyAV.
    """
    if is_document(data):
        return []
    found = _in_film(name, data) if is_video(data) else [_in_picture(name, data) or _in_sound(name, data)]
    return list(dict.fromkeys(mark for mark in found if mark))


def _in_picture(name: str, data: bytes) -> str:
    from engines.source import decode

    try:
        return read_mark(decode(name, data))
    except InputError:
        return ""  # a sound


def _in_sound(name: str, data: bytes) -> str:
    from engines.sound import decode_channels

    try:
        return read_sound_mark(*decode_channels(name, data, lambda: None))
    except InputError:
        return ""


def _in_film(name: str, data: bytes) -> list[str]:
    from compliance.decode_sound import decode_sound

    found = []
    try:
        found.append(read_film_mark(name, data))
        found.append(read_sound_mark(*decode_sound(name, data)))
    except InputError:
        pass  # a film without sound, or one that ends too early: what was read of it counts
    return found
