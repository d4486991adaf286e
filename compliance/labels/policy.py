"""What must stand on a release, and the plan that says so to the worker."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Literal, Protocol

from compliance.containers_parts import PictureFormat
from compliance.documents import MIME as DOCUMENT_MIME
from compliance.documents import DocumentFormat
from compliance.labels.aigc import SOURCE_TYPE, AigcField, xmp_packet
from compliance.labels.lettering import CHINESE, ENGLISH, SAMPLE, SEPARATOR
from compliance.labels.styles import ALL, LabelStyle, style_of
from compliance.media import Kind, Origin
from compliance.sound_containers import SoundFormat
from compliance.video_containers import VideoFormat

SYSTEM_NAME = "Signet"
MediaFormat = PictureFormat | SoundFormat | VideoFormat | DocumentFormat


@dataclass(frozen=True, slots=True)
class FormatRule:
    """What a format is and where its layers go.

    endings: of file names, the usual one first. credential "beside": where the format cannot hold it, in NAME.c2pa.
    """

    kind: Kind
    endings: tuple[str, ...]
    mime: str
    credential: Literal["inside", "beside"] = "inside"


# Every format that a release may have. There is no other table.
FORMATS: Final[dict[MediaFormat, FormatRule]] = {
    "png": FormatRule("picture", (".png",), "image/png"),
    "jpeg": FormatRule("picture", (".jpg", ".jpeg"), "image/jpeg"),
    "webp": FormatRule("picture", (".webp",), "image/webp"),
    "tiff": FormatRule("picture", (".tif", ".tiff"), "image/tiff"),
    "gif": FormatRule("picture", (".gif",), "image/gif"),
    "avif": FormatRule("picture", (".avif",), "image/avif"),
    "wav": FormatRule("sound", (".wav",), "audio/wav"),
    "flac": FormatRule("sound", (".flac",), "audio/flac"),
    "mp3": FormatRule("sound", (".mp3",), "audio/mpeg"),
    "m4a": FormatRule("sound", (".m4a",), "audio/mp4"),
    "ogg": FormatRule("sound", (".ogg", ".opus"), "audio/ogg", "beside"),
    "mp4": FormatRule("video", (".mp4", ".m4v"), "video/mp4"),
    "mov": FormatRule("video", (".mov",), "video/quicktime"),
    "mkv": FormatRule("video", (".mkv",), "video/x-matroska", "beside"),
    "webm": FormatRule("video", (".webm",), "video/webm", "beside"),
    "txt": FormatRule("document", (".txt",), "text/plain", "beside"),
    "md": FormatRule("document", (".md", ".markdown"), "text/markdown", "beside"),
    "html": FormatRule("document", (".html", ".htm"), "text/html", "beside"),
    "docx": FormatRule("document", (".docx",), DOCUMENT_MIME["docx"], "beside"),
    "pdf": FormatRule("document", (".pdf",), DOCUMENT_MIME["pdf"], "beside"),
}
Language = Literal["zh", "en"]
LABEL_TEXT = f"{CHINESE}{SEPARATOR}{ENGLISH}"
SAMPLE_TEXT = f"{SAMPLE}{SEPARATOR}{LABEL_TEXT}"
# From this shorter side on a picture must carry the invisible mark: all of 40 kinds tried could be read from 200 px on.
MARKED_FROM_PX = 256
# Every release of every kind carries all of these; one that lacks any does not happen.
LAYERS = ("explicit", "aigc", "iptc", "credential", "ledger")
BESIDE: Final[frozenset[MediaFormat]] = frozenset(name for name, rule in FORMATS.items() if rule.credential == "beside")


def system_version() -> str:
    """The version of this program as installed."""
    try:
        return version("signet-studio")
    except PackageNotFoundError:
        return "0"


@dataclass(frozen=True, slots=True)
class SoundTags:
    """What the metadata of a sound file says. aigc: the JSON of GB 45438 Annex E; xmp: a packet with the IPTC source
    type and without the AIGC field; source_type: the same as its full URI, for formats that have no place for XMP.
    """

    aigc: str
    xmp: bytes
    source_type: str
    system: str
    version: str


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """What the labels of one release say; made by compliance.release, carried out by compliance.draft.

    release_id: 16 hex digits, the one id of this release in every layer. sample: the demo's releases say SAMPLE.
    language: of the spoken words in sound. style, position, jurisdiction: presets of the drawn label (see styles).
    """

    release_id: str
    format: MediaFormat
    producer: str
    origin: Origin
    sample: bool
    version: str
    language: Language = "zh"
    style: str = "standard"
    position: str = "auto"
    jurisdiction: str = ALL

    def look(self) -> LabelStyle:
        """How the drawn label looks; a name that is not known means the standard."""
        return style_of(self.style, self.position, self.jurisdiction)

    def field(self) -> AigcField:
        """The GB 45438 field; on first writing the propagator is the producer (Annex E, note 1)."""
        return AigcField(
            content_producer=self.producer,
            produce_id=self.release_id,
            content_propagator=self.producer,
            propagate_id=self.release_id,
        )

    def packet(self) -> bytes:
        """The one XMP packet of the file."""
        return xmp_packet(self.field(), origin=self.origin, system=SYSTEM_NAME, version=self.version)

    def tags(self) -> SoundTags:
        """The metadata of a sound file."""
        return SoundTags(
            aigc=self.field().to_json(),
            xmp=xmp_packet(None, origin=self.origin, system=SYSTEM_NAME, version=self.version),
            source_type=SOURCE_TYPE + self.origin,
            system=SYSTEM_NAME,
            version=self.version,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data for the worker's pipe."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LabelPlan:
        """Read what to_json wrote."""
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the worker says of its draft; every word of it is checked against the bytes."""

    payload_sha256: str
    size: int


class Drafter(Protocol):
    """The worker's half, as seen from here."""

    def prepare(self, plan: LabelPlan) -> Prepared:
        """Label and encode in memory."""

    def write(self, descriptor: int) -> None:
        """Write the draft into an open descriptor."""


def producer_code(home_id: str) -> str:
    """The ContentProducer of a home without an operator's code: a plain ASCII name, never an invented 27-digit code."""
    return f"signet.local/{hashlib.sha256(home_id.encode()).hexdigest()[:12]}"
