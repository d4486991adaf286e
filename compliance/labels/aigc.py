"""The machine-readable field of GB 45438-2025 and the IPTC source type, together in one XMP packet.

Sources: GB 45438-2025 6.1 and Annex E, TC260-PG-20259A (place in PNG and JPEG), IPTC Photo Metadata 2025.1.
A file has exactly one such field (6.1 c): writing replaces, reading more than one is damage.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal
from xml.sax.saxutils import escape

from compliance.containers import Container
from compliance.documents import DocumentContainer
from compliance.sound_containers import SoundContainer
from compliance.video_containers import VideoContainer

State = Literal["intact", "damaged", "absent"]

KEYS: Final = (
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
)
NS_AIGC: Final = "http://www.tc260.org.cn/ns/AIGC/1.0/"
NS_IPTC: Final = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
NS_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
SOURCE_TYPE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
AI_CODES: Final = frozenset(
    {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
        "compositeSynthetic",
        "algorithmicMedia",
        "algorithmicallyEnhanced",
    }
)

# Annex E j): no blank, no quote, no backslash, nothing outside ASCII.
_VALUE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]*\Z")
_VALUE_LIMIT = 1024
_PACKET_LIMIT = 4 << 20


@dataclass(frozen=True, slots=True)
class AigcField:
    """The seven values of Annex E; label "1" says that the content is AI-generated.

    Raises ValueError for a character that Annex E j) does not allow, an unknown label or a missing producer or id.
    """

    label: str = "1"
    content_producer: str = ""
    produce_id: str = ""
    reserved_code1: str = ""
    content_propagator: str = ""
    propagate_id: str = ""
    reserved_code2: str = ""

    def __post_init__(self) -> None:
        for key, value in zip(KEYS, self._values(), strict=True):
            if not _VALUE.match(value) or len(value) > _VALUE_LIMIT:
                raise ValueError(f"{key} may hold up to 1024 ASCII characters without blanks, quotes and backslashes")
        if self.label not in ("1", "2", "3"):
            raise ValueError("Label must be 1, 2 or 3")
        if not (self.content_producer and self.produce_id and self.content_propagator and self.propagate_id):
            raise ValueError("producer, propagator and their ids must not be empty")

    def _values(self) -> tuple[str, ...]:
        return (
            self.label,
            self.content_producer,
            self.produce_id,
            self.reserved_code1,
            self.content_propagator,
            self.propagate_id,
            self.reserved_code2,
        )

    def to_json(self) -> str:
        """Compact JSON with exactly seven keys in the order of the standard."""
        return json.dumps(dict(zip(KEYS, self._values(), strict=True)), separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class AigcReading:
    """What a file's AIGC fields say; fields: every one found, as written. reasons: English, empty when intact."""

    state: State
    fields: tuple[dict[str, str], ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IptcReading:
    """What a file's IPTC source types say; uris: every value found. reasons: English, empty when intact."""

    state: State
    uris: tuple[str, ...]
    reasons: tuple[str, ...]


def xmp_packet(field: AigcField | None, *, origin: str, system: str, version: str) -> bytes:
    """The one XMP packet of a release, as UTF-8; field: None where the format has another place for it (sound).

    origin: an IPTC source type code of AI content, written as its full URI (a bare code is a common error).
    system, version: IPTC 2025.1 AISystemUsed and AISystemVersionUsed. Raises ValueError for any other origin.
    """
    if origin not in AI_CODES:
        raise ValueError(f"{origin!r} is not a source type of AI content")
    namespace = element = ""
    if field is not None:
        namespace = f' xmlns:TC260="{NS_AIGC}"'
        value = escape(field.to_json(), {'"': "&quot;"})
        element = f"   <TC260:AIGC>{value}</TC260:AIGC>\n"
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        f' <rdf:RDF xmlns:rdf="{NS_RDF}">\n'
        f'  <rdf:Description rdf:about=""{namespace} xmlns:Iptc4xmpExt="{NS_IPTC}">\n'
        f"{element}"
        f"   <Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPE}{origin}</Iptc4xmpExt:DigitalSourceType>\n"
        f"   <Iptc4xmpExt:AISystemUsed>{escape(system)}</Iptc4xmpExt:AISystemUsed>\n"
        f"   <Iptc4xmpExt:AISystemVersionUsed>{escape(version)}</Iptc4xmpExt:AISystemVersionUsed>\n"
        "  </rdf:Description>\n"
        " </rdf:RDF>\n"
        "</x:xmpmeta>\n"
        '<?xpacket end="w"?>'
    ).encode()


def read_aigc(container: Container | SoundContainer | VideoContainer | DocumentContainer) -> AigcReading:
    """Read the GB 45438 field of a file; intact only as exactly one, bare in XMP, with seven keys and allowed values.

    In sound and video it has to stand in the place that the guide names for the format, which is never XMP. Other
    spellings seen in the wild are read and reported as damage. Never raises.
    """
    reasons: list[str] = []
    texts: list[tuple[str, str]] = []
    for packet in container.xmp:
        found, reason = _properties(packet, NS_AIGC, "AIGC")
        texts += [("XMP", value) for value in found]
        if reason and b"AIGC" in packet:
            reasons.append(reason)
        elif not found and b"AIGC" in packet:
            reasons.append("the XMP speaks of AIGC, but not as the standard's property")
    texts += [("text field", value.decode("utf-8", "replace")) for value in container.text_aigc]
    if isinstance(container, SoundContainer | VideoContainer) and texts and len(container.aigc) < len(texts):
        reasons.append("an AIGC field stands in another place than the guide names for the format")
    if not texts and not reasons:
        return AigcReading("absent", (), ("the file has no AIGC field",))
    if len(texts) > 1:
        reasons.append(f"the file has {len(texts)} AIGC fields; exactly one is allowed")
    fields = []
    for place, text in texts:
        field, short = _read_field(text, wrapped_is_fine=place != "XMP")
        reasons += short
        if field is not None:
            fields.append(field)
    return AigcReading("damaged" if reasons else "intact", tuple(fields), tuple(dict.fromkeys(reasons)))


def read_iptc(container: Container | SoundContainer | VideoContainer | DocumentContainer) -> IptcReading:
    """Read the IPTC source type of a file: intact only as one full URI of an AI code. Never raises."""
    reasons: list[str] = []
    uris = [value.decode("utf-8", "replace").strip() for value in container.source_types]
    for packet in container.xmp:
        found, reason = _properties(packet, NS_IPTC, "DigitalSourceType")
        uris += found
        if reason and b"DigitalSourceType" in packet:
            reasons.append(reason)
    if not uris and not reasons:
        return IptcReading("absent", (), ("the file names no digital source type",))
    if len(uris) > 1:
        reasons.append(f"the file names {len(uris)} digital source types; one is allowed")
    for uri in uris:
        code = uri.removeprefix(SOURCE_TYPE)
        if not uri.startswith(SOURCE_TYPE):
            reasons.append("the digital source type is not written as its full address")
        elif code not in AI_CODES:
            reasons.append(f"the digital source type {code} does not say that AI made it")
    return IptcReading("damaged" if reasons else "intact", tuple(uris), tuple(dict.fromkeys(reasons)))


# --- reading ---------------------------------------------------------------------------------------------------------


def _properties(packet: bytes, namespace: str, name: str) -> tuple[list[str], str]:
    """Values of one XMP property, in element and in attribute form, and the reason when the packet cannot be read.

    A packet with a document type is refused unread: entities could blow up or fetch files, and XMP forbids them.
    """
    try:
        text = packet.decode("utf-8-sig").strip("\x00 \t\r\n")
    except UnicodeDecodeError:
        return [], "the XMP packet is not UTF-8"
    if len(packet) > _PACKET_LIMIT:
        return [], "the XMP packet is too large"
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        return [], "the XMP packet holds a document type, which is not allowed"
    try:
        tree = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        return [], "the XMP packet cannot be read"
    qualified = f"{{{namespace}}}{name}"
    return list(_values(tree.iter(), qualified)), ""


def _values(elements: Iterable[ElementTree.Element], qualified: str) -> Iterator[str]:
    for element in elements:
        if element.tag == qualified:
            resource = element.get(f"{{{NS_RDF}}}resource")
            yield (resource if resource is not None else "".join(element.itertext())).strip()
        if qualified in element.attrib:
            yield element.attrib[qualified].strip()


def _printable(value: Any) -> str:
    """A JSON value as text that can be encoded: half of a surrogate pair becomes a question mark."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode()


def _read_field(text: str, *, wrapped_is_fine: bool) -> tuple[dict[str, str] | None, list[str]]:
    """One field's values as written and what is wrong with them."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise ValueError("a key stands twice")
        return dict(pairs)

    try:
        data = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        return None, ["the AIGC field is not valid JSON"]
    reasons = []
    if isinstance(data, dict) and set(data) == {"AIGC"} and isinstance(data["AIGC"], dict):
        data = data["AIGC"]
        if not wrapped_is_fine:
            reasons.append("the AIGC field is wrapped once too often for XMP")
    if not isinstance(data, dict):
        return None, ["the AIGC field is not a JSON object"]
    field = {_printable(key): _printable(value) for key, value in data.items()}
    missing, foreign = [key for key in KEYS if key not in data], [key for key in data if key not in KEYS]
    if missing:
        reasons.append(f"the AIGC field lacks {', '.join(missing)}")
    if foreign:
        reasons.append(f"the AIGC field has keys that the standard does not know ({len(foreign)})")
    if not missing and not foreign and tuple(data) != KEYS:
        reasons.append("the keys of the AIGC field are not in the standard's order")
    for key in KEYS:
        if key in data and not (isinstance(data[key], str) and _VALUE.match(data[key])):
            reasons.append(f"{key} holds characters that the standard does not allow")
    if "Label" in data and data["Label"] not in ("1", "2", "3"):
        reasons.append("Label is none of 1, 2, 3")
    for key in ("ContentProducer", "ProduceID"):
        if data.get(key) == "":
            reasons.append(f"{key} is empty")
    return field, reasons
