"""Faces in files that are not one picture: films, looked at about once a second, and documents, by their pictures.

A face that is seen for less than a second may pass, and so may one in a drawing of a document; what is found counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from compliance.documents import is_document
from compliance.documents_pictures import pictures_of
from compliance.errors import InputError
from compliance.media import Pixels
from compliance.video_containers import is_video
from engines.engine import FoundFace

Look = Callable[[Pixels], list[FoundFace]]


def faces_seen(name: str, data: bytes, look: Look) -> list[FoundFace]:
    """The faces of the frame, or of the picture in a document, that shows most of them; empty where none shows any.

    look: finds the faces in pixels. A film's faces say when they are seen. Raises NotAVideo for a film that cannot be
    decoded, NotADocument for a broken document; InputError for whatever is neither.
    """
    most: list[FoundFace] = []
    for time_s, pixels in _film(name, data) if is_video(data) else _document(name, data):
        found = [replace(face, time_s=round(time_s, 2)) for face in look(pixels)]
        if len(found) > len(most):
            most = found
    return most


def is_looked_through(data: bytes) -> bool:
    """Whether a file is one of those that have more than one picture to look at."""
    return is_video(data) or is_document(data)


def _film(name: str, data: bytes) -> Iterator[tuple[float, Pixels]]:
    from engines.film import glimpses

    return glimpses(name, data)


def _document(name: str, data: bytes) -> Iterator[tuple[float, Pixels]]:
    from engines.source import decode

    for picture in pictures_of(name, data):
        try:
            yield 0.0, decode(name, picture) if isinstance(picture, bytes) else picture
        except InputError:
            continue  # a drawing in vectors, or damaged: no viewer shows a face by it that could be looked for here
