"""Plans for labelling media made elsewhere: pictures, sounds, videos and documents go through the one door."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compliance.destination import format_of
from compliance.documents import DocumentFormat, format_of_document, words_of_document
from compliance.errors import ConsentMissing, FormatUnsupported, VoiceConsentMissing
from compliance.labels.policy import FORMATS
from compliance.media import Kind
from compliance.permit import Likeness
from engines.engine import FoundFace, Input, Request
from engines.sound import sound_mime
from studio.inputs import read_input, unreadable

ENGINES: Final[dict[Kind, str]] = {
    "picture": "foreign.picture",
    "sound": "foreign.sound",
    "video": "foreign.video",
    "document": "foreign.document",
}
_DEFAULT_ORIGIN: Final = "trainedAlgorithmicMedia"


@dataclass(frozen=True, slots=True)
class Sealing:
    """What is to be labelled. words: what a document says, for the review."""

    request: Request
    data: bytes
    faces: tuple[FoundFace, ...]
    words: tuple[tuple[str, str], ...]


def kind_of(data: bytes) -> Kind:
    """What a file is, by its bytes; whatever is none of the others is taken for a picture, whose reader will tell."""
    from compliance.video_containers import PICTURE_BRANDS, is_video

    if is_video(data):
        return "video"
    if data[4:8] == b"ftyp" and data[8:12] not in PICTURE_BRANDS:
        # Without its table of contents, as where the end was cut off, it is a film that cannot be read.
        return "sound" if data[8:11] == b"M4A" or b"moov" in data else "video"
    # The mark of UTF-16 looks like the beginning of an MP3 frame.
    if data[:2] == b"\xff\xfe" and format_of_document(data) is not None:
        return "document"
    if sound_mime(data) is not None and data[4:8] != b"ftyp":
        return "sound"
    return "document" if format_of_document(data) is not None else "picture"


def document_format(path: Path, data: bytes) -> DocumentFormat | None:
    """What a document is: by its bytes; Markdown without front matter has nothing of its own but its name."""
    found = format_of_document(data)
    is_named = path.suffix.lower() in FORMATS["md"].endings
    return "md" if found == "txt" and is_named else found


def plan(
    survey: Callable[[Kind, str, bytes], list[FoundFace]],
    path: Path,
    *,
    made_with: str,
    origin: str,
    nobody_real: bool,
    consents: Sequence[str],
    purpose: str,
) -> Sealing:
    """The request; see Workshop.plan_seal. survey: counts faces; of a film or document where most are seen at once."""
    data = read_input(path)
    kind = kind_of(data)
    digest = hashlib.sha256(data).hexdigest()
    # Whoever is seen in a film that is declared to show nobody real was invented: there is nobody to be counted.
    is_looked_at = kind in ("picture", "document") or (kind == "video" and not nobody_real)
    faces = survey(kind, path.name, data) if is_looked_at else []
    likeness = _likeness(kind, faces, nobody_real, digest, bool(consents))
    options: dict[str, str] = {"made_with": made_with, "origin": origin or _DEFAULT_ORIGIN}
    words: tuple[tuple[str, str], ...] = ()
    if kind == "document":
        options["format"] = document_format(path, data) or ""
        words = (("text", words_of_document(path.name, data)),)
    # Only in one picture is it known that no more people are in it than are seen; else there are as many at least.
    counted = tuple(face.number for face in faces) if likeness == "face" and kind == "picture" else ()
    request = Request(
        function="seal",
        engine=ENGINES[kind],
        inputs=(Input("target", likeness, digest, path.name, counted, len(counted)),),
        options=options,
        purpose=purpose,
        faces_edited=len(faces) if likeness == "face" else 0,
        consents=tuple(dict.fromkeys(consents)),
    )
    return Sealing(request, data, tuple(faces), words)


def _likeness(kind: Kind, faces: Sequence[FoundFace], nobody_real: bool, digest: str, has_consents: bool) -> Likeness:
    """Whose likeness a file carries. Of sounds and films the account has to tell, also where no face is seen.

    Raises ConsentMissing, VoiceConsentMissing where neither a consent is named nor the account says that there is
    nobody real.
    """
    if kind in ("picture", "document") and not faces:
        return "none"
    if nobody_real:
        return "nobody"
    if not has_consents:
        raise (VoiceConsentMissing if kind == "sound" else ConsentMissing)(role="target", asset=digest[:12])
    return "voice" if kind == "sound" else "face"


def default_out(path: Path) -> Path:
    """NAME-sealed with the same ending, where that is one for releases; raises FormatUnsupported."""
    out = path.with_name(f"{path.stem}-sealed{path.suffix}")
    format_of(out)
    return out


def verify_fits(out: Path, path: Path) -> None:
    """A document keeps its format, everything else its kind; raises before any work is done.

    Raises FormatUnsupported, and NotAVideo, NotASound or NotADocument, by the name, for bytes that are no media at all.
    """
    from engines.source import is_picture

    data = read_input(path)
    kind, form, given = kind_of(data), format_of(out), document_format(path, data)
    is_fitting = FORMATS[form].kind == kind and (kind != "document" or form == given)
    if not is_fitting and kind == "picture" and not is_picture(data):
        # By its bytes it is nothing: then its name tells what it should have been.
        raise unreadable(path)(path=path, reason="unknown format")
    if not is_fitting:
        fitting = [
            ending
            for name, rule in FORMATS.items()
            if rule.kind == kind and (kind != "document" or name == given)
            for ending in rule.endings
        ]
        raise FormatUnsupported(path=out, supported=", ".join(fitting))
