"""Reads any file and says what it carries: one report, seven layers, the marks of other makers, one sentence.

Works signed out and on any machine; nothing here is shared with the code that writes labels but the formats
themselves. "Absent" means that nothing was found; it never says that a picture is authentic.
"""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from compliance import tracing
from compliance.decode_sound import decode_sound
from compliance.documents import DocumentContainer
from compliance.errors import (
    FileMissing,
    LabelPartMissing,
    NotADocument,
    NotAPicture,
    NotASound,
    NotAVideo,
    SignetError,
)
from compliance.film_reading import FilmReading, read_film
from compliance.foreign import C2PA_STATES, ForeignReading, read_foreign
from compliance.keys import PublicKeys
from compliance.labels import aigc, audible, credential, explicit, moving, watermark_audio, watermark_image, written
from compliance.open_databases import is_open_here
from compliance.proof import Proof, parse_vkey
from compliance.reading import AnyContainer, decode_picture, read_media
from compliance.refutation import RefutationList
from compliance.sound_containers import SoundContainer
from compliance.video_containers import VideoContainer

State = Literal["intact", "damaged", "absent", "unchecked"]
Verdict = Literal["sealed", "refuted", "broken", "foreign", "unlabelled", "unchecked", "unreadable"]
LAYERS = ("explicit", "aigc", "iptc", "credential", "ledger", "watermark", "fingerprint")
_LARGEST_BYTES = 1 << 30
_LARGEST_BESIDE_BYTES = 64 << 20

_SEALED = {"trusted": "sealed", "expired signer": "sealed by expired"}
SENTENCES: dict[str, str] = {
    "sealed": "AI-generated or AI-edited; every label is intact and the signer is known here.",
    "sealed by unknown": "AI-generated or AI-edited; every label is intact, but the signer is not known here.",
    "refuted": "AI-generated or AI-edited, and refuted: its maker declares that what is claimed with it is not true.",
    "sealed by expired": "AI-generated or AI-edited; every label is intact, but the signer's certificate has run out.",
    "broken": "This file carries labels of AI-made media, and at least one of them is damaged or missing.",
    "unchecked": "Some labels could not be checked on this machine; those that could are intact.",
    "traced": "The labels were taken off, but this is a copy of an AI-made release that is known here.",
    "foreign": "AI-made by its own marks, which are of another maker; it is not labelled by Signet.",
    "other credential": "What it says of itself does not speak of AI. That does not make the file authentic.",
    "unlabelled": "No label was found. That does not make the file authentic.",
    "unreadable": "The file is of no kind that can be read here, so nothing was checked.",
}


@dataclass(frozen=True, slots=True)
class LayerReport:
    """One layer: its state, what was found, and in English why it is not intact."""

    state: State
    evidence: dict[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What one file carries. sentence is one of SENTENCES.

    refuted: the entry of a known home's list that means this file, or why such a list cannot be relied on; else None.
    foreign: marks of other makers, each with kind, program, detail and whether it says that AI was at work ("ai").
    sha256: hex digest of the file; "" where it was not read.
    """

    file: str
    verdict: Verdict
    sentence: str
    layers: dict[str, LayerReport]
    refuted: dict[str, Any] | None = None
    foreign: tuple[dict[str, Any], ...] = ()
    sha256: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data for --json."""
        return {
            "file": self.file,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "refuted": self.refuted,
            "foreign": list(self.foreign),
            "sha256": self.sha256,
            "layers": {
                name: {"state": layer.state, "evidence": layer.evidence, "reasons": list(layer.reasons)}
                for name, layer in self.layers.items()
            },
        }


def verify_file(
    path: Path,
    known: Sequence[PublicKeys] = (),
    refuted: Sequence[RefutationList] = (),
    registers: Sequence[tracing.KnownReleases] = (),
) -> Report:
    """Check one file. known: public keys of the homes on this machine; refuted: what they refuted; registers: of what
    they released, by which copies without labels are known again.

    Raises FileMissing; an unreadable file is a report, not an error.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            return _unreadable(path, "it is not a file")
        if is_open_here(path):
            return _unreadable(path, "it is the open database of a studio")
        if about.st_size > _LARGEST_BYTES:
            return _unreadable(path, "larger than 1 GiB")
        with path.open("rb") as stream:
            # Files of the system may be endless and say that they are empty.
            data = stream.read(_LARGEST_BYTES + 1)
        if len(data) > _LARGEST_BYTES:
            return _unreadable(path, "larger than 1 GiB")
        aside = _beside(path)
    except FileNotFoundError as error:
        raise FileMissing(path=path) from error
    except OSError as error:
        return _unreadable(path, (error.strerror or "unknown").lower())
    return verify_bytes(str(path), data, known, refuted, aside, registers)


def _beside(path: Path) -> bytes | None:
    """The credential that stands beside a file as NAME.c2pa; None when there is none."""
    try:
        other = path.with_name(f"{path.name}.c2pa")
        return other.read_bytes() if other.stat().st_size <= _LARGEST_BESIDE_BYTES else None
    except OSError:
        return None


def verify_bytes(
    name: str,
    data: bytes,
    known: Sequence[PublicKeys] = (),
    refuted: Sequence[RefutationList] = (),
    aside: bytes | None = None,
    registers: Sequence[tracing.KnownReleases] = (),
) -> Report:
    """Check the bytes of one file. aside: the credential beside it, which counts where none is inside."""
    report = _judge(name, data, known, refuted, aside, registers)
    return replace(report, sha256=hashlib.sha256(data).hexdigest())


def _judge(
    name: str,
    data: bytes,
    known: Sequence[PublicKeys],
    refuted: Sequence[RefutationList],
    aside: bytes | None,
    registers: Sequence[tracing.KnownReleases],
) -> Report:
    try:
        container = read_media(name, data, salvage=True)
    except (NotADocument, NotAPicture, NotASound, NotAVideo) as error:
        return _unreadable(Path(name), str(error.data["reason"]))
    reading = _read_credential(data, container, known, None if container.has_manifest else aside)
    film = _film(data, container)
    layers = {
        "explicit": _explicit(data, container) if film is None else _watched(film, data, container),
        "aigc": _aigc(container),
        "iptc": _iptc(container),
        "credential": _credential(reading),
        "ledger": _ledger(reading, container, known),
    }
    states = {layer.state for layer in layers.values()}
    layers["watermark"] = _watermark(data, container, layers, film)
    if layers["watermark"].state == "damaged":
        states.add("damaged")
    layers["fingerprint"] = _fingerprint(data, container, layers, registers)
    mark = _refuted(layers, refuted)
    others = read_foreign(data, container, reading, None if container.has_manifest else aside)
    told = tuple(one.to_json() for one in others.marks)
    if states == {"intact"} and not container.damage:
        if mark is not None and mark["state"] == "refuted":
            return Report(name, "refuted", SENTENCES["refuted"], layers, mark, told)
        trust = reading.trust if reading is not None else "none"
        return Report(name, "sealed", SENTENCES[_SEALED.get(trust, "sealed by unknown")], layers, mark, told)
    if others.marks and not _is_ours(layers, container, others):
        layers.update(_in_foreign_words(layers, others))
        if others.says_ai:
            return Report(name, "foreign", SENTENCES["foreign"], layers, mark, told)
        return Report(name, "unlabelled", SENTENCES["other credential"], layers, mark, told)
    verdict: Verdict = "broken"
    if "unchecked" in states and states <= {"intact", "unchecked"} and not container.damage:
        verdict = "unchecked"
    elif not any(layer.evidence for layer in layers.values()) and states <= {"absent", "unchecked", "damaged"}:
        # No layer found anything of its own: what is damaged is the file, not a label.
        verdict = "unreadable" if container.damage or "unchecked" in states else "unlabelled"
    own = [layer for layer in LAYERS if layer not in ("watermark", "fingerprint")]
    is_traced = verdict == "broken" and all(not layers[layer].evidence for layer in own)
    return Report(name, verdict, SENTENCES["traced" if is_traced else verdict], layers, mark, told)


def _is_ours(layers: Mapping[str, LayerReport], container: AnyContainer, others: ForeignReading) -> bool:
    """Whether anything in a file speaks for a release of this program: then what is missing was taken away.

    The drawn label is our own; rhythms, words and written notices follow the standard, as those of others do.
    """
    is_drawn = not isinstance(container, SoundContainer | DocumentContainer) and layers["explicit"].state == "intact"
    found = any(layers[layer].evidence for layer in ("ledger", "watermark", "fingerprint"))
    return others.is_ours or is_drawn or found


def _in_foreign_words(layers: Mapping[str, LayerReport], others: ForeignReading) -> dict[str, LayerReport]:
    """The rows of what others wrote: their spelling is no damage of ours, and what does not speak of AI is no label."""
    told = dict.fromkeys(mark.kind for mark in others.marks if mark.ai)
    changed = {}
    for layer in ("aigc", "iptc"):
        row = layers[layer]
        if row.evidence:
            state: State = "intact" if layer in told else "absent"
            changed[layer] = LayerReport(state, row.evidence, ("written by another maker", *row.reasons))
    return changed


def _fingerprint(
    data: bytes, container: AnyContainer, layers: dict[str, LayerReport], registers: Sequence[tracing.KnownReleases]
) -> LayerReport:
    """What the file looks or sounds like. A hint and no label: no verdict but that of a stripped copy rests on it."""
    marked = layers["watermark"].evidence.get("release")
    when = tracing.time_of(str(marked), registers) if marked else None
    if when is not None:
        layers["watermark"].evidence["released_at"] = when
    found, reason = tracing.matches(data, container, registers)
    if found is None:
        return LayerReport("unchecked", {}, (reason,))
    if not found:
        return LayerReport("absent", {}, ("it is like nothing that was released here",))
    return LayerReport("intact", {"matches": found})


def _refuted(layers: Mapping[str, LayerReport], lists: Sequence[RefutationList]) -> dict[str, Any] | None:
    """What the homes known here say of the release that a file names, whole or damaged; None when nothing.

    A file with labels and a list that was tampered with: then nobody can say, and that is said.
    """
    ledger = layers["ledger"].evidence
    ids = [(ledger.get("release"), ledger.get("origin"))]
    ids += [(fields.get("ProduceID"), None) for fields in layers["aigc"].evidence.get("fields", ())]
    ids += [(layers["watermark"].evidence.get("release"), None)]
    # A file that proves its own number is that release; that it looks like another one says nothing about it.
    if layers["ledger"].state != "intact":
        ids += [(match["release"], None) for match in layers["fingerprint"].evidence.get("matches", ())]
    for one in lists:
        for release, origin in ids:
            found = one.releases.get(str(release))
            if found is not None and origin in (None, one.origin):
                return {"state": "refuted", "origin": one.origin, **asdict(found)}
    broken = next((one for one in lists if one.problem), None)
    if broken is not None and any(release for release, _ in ids):
        return {"state": "unchecked", "origin": broken.origin, "reason": broken.problem}
    return None


def _unreadable(path: Path, reason: str) -> Report:
    layers = {name: LayerReport("unchecked", {}, (reason,)) for name in LAYERS}
    return Report(str(path), "unreadable", SENTENCES["unreadable"], layers)


def _explicit(data: bytes, container: AnyContainer) -> LayerReport:
    if isinstance(container, SoundContainer):
        return _heard(data, container)
    if isinstance(container, DocumentContainer):
        return _read(data, container)
    pixels = decode_picture(data)
    if pixels is None:
        state: State = "damaged" if container.has_manifest or container.xmp else "unchecked"
        return LayerReport(state, {}, ("the picture cannot be decoded whole", *container.damage))
    found = explicit.measure(pixels)
    evidence = {
        "box": list(found.box) if found.box else None,
        "elements": list(found.elements),
        "ink_share": round(found.ink_share, 4),
        "contrast": round(found.contrast, 2),
        "correlation": round(found.correlation, 3),
        "sample": found.sample,
    }
    state = explicit.state(found)
    return LayerReport(state, evidence if found.found else {}, () if state == "intact" else explicit.reasons(found))


def _read(data: bytes, container: DocumentContainer) -> LayerReport:
    """The written notice."""
    if container.damage:
        return LayerReport("unchecked", {}, container.damage)
    try:
        found = written.measure(data, container)
    except LabelPartMissing:
        return LayerReport("unchecked", {}, ("the library that draws the pages did not load",))
    return LayerReport(written.state(found), written.evidence(found) if found.found else {}, written.reasons(found))


def _heard(data: bytes, container: SoundContainer | VideoContainer) -> LayerReport:
    """The audible label."""
    try:
        samples, rate_hz = decode_sound("", data)
    except LabelPartMissing:
        return LayerReport("unchecked", {}, ("the library that decodes sound did not load",))
    except NotASound:
        state: State = "damaged" if container.has_manifest or container.aigc else "unchecked"
        return LayerReport(state, {}, ("the sound cannot be decoded whole", *container.damage))
    found = audible.measure_sound(samples, rate_hz)
    evidence = {
        "rhythms": [asdict(item) for item in found.rhythms],
        "words": [asdict(item) for item in found.words],
        "languages": list(found.languages),
        "programme_dbfs": round(found.programme_dbfs, 1),
        "sample": found.sample,
    }
    state = audible.state(found)
    return LayerReport(state, {} if state == "absent" else evidence, audible.reasons(found))


def _film(data: bytes, container: AnyContainer) -> FilmReading | LayerReport | None:
    """What is seen in a video, or why that cannot be said; None for other media."""
    if not isinstance(container, VideoContainer):
        return None
    try:
        return read_film("", data, container, "similar")
    except LabelPartMissing:
        return LayerReport("unchecked", {}, ("the library that decodes video did not load",))
    except NotAVideo:
        state: State = "damaged" if container.has_manifest or container.aigc else "unchecked"
        return LayerReport(state, {}, ("the video cannot be decoded whole", *container.damage))


def _watched(film: FilmReading | LayerReport, data: bytes, container: AnyContainer) -> LayerReport:
    """The label in the frames of a video and, where it has sound, the audible one."""
    if isinstance(film, LayerReport) or not isinstance(container, VideoContainer):
        return film if isinstance(film, LayerReport) else LayerReport("unchecked")
    found = film.label
    evidence: dict[str, Any] = {
        "frames": found.frames,
        "labelled_share": round(found.labelled / max(1, found.frames), 4),
        "title_s": round(found.title_s, 2),
        "duration_s": round(found.duration_s, 2),
    }
    if found.corner is not None:
        evidence["box"] = list(found.corner.box)
        evidence["ink_share"] = round(found.corner.ink_share, 4)
        evidence["contrast"] = round(found.corner.contrast, 2)
        evidence["sample"] = found.corner.sample
    heard = _heard(data, container) if container.has_sound else None
    state: State = moving.state(found)
    reasons = () if state == "intact" else moving.film_reasons(found)
    if heard is not None:
        evidence["sound"] = heard.evidence
        reasons += heard.reasons
        if {state, heard.state} != {"absent"} and state != heard.state:
            state = "unchecked" if heard.state == "unchecked" and state == "intact" else "damaged"
    if container.oddities:
        # A release has none, and its credential covers them; common tools write some, so they are told and not judged.
        evidence["oddities"] = list(container.oddities)
    if state != "absent" and not film.as_told:
        state, reasons = "damaged", (*reasons, "its header means another film")
    return LayerReport(state, {} if state == "absent" else evidence, reasons)


def _watermark(
    data: bytes, container: AnyContainer, layers: Mapping[str, LayerReport], film: FilmReading | LayerReport | None
) -> LayerReport:
    """The invisible mark. It stands above the five layers that every file must carry: small pictures have none."""
    if isinstance(container, DocumentContainer):
        return LayerReport("absent", {}, ("documents carry no invisible mark",))
    try:
        if isinstance(container, SoundContainer):
            samples, rate_hz = decode_sound("", data)
            heard = watermark_audio.detect_sound(samples, rate_hz, watermark_audio.DETECTOR_KEY)
            found, ident, z, digits = heard.found, heard.ident, heard.pilot_z, heard.bits // 4
            error_rate = heard.error_rate
        elif isinstance(film, FilmReading):
            found, ident, z, digits = film.mark.found, film.mark.ident, film.mark.z, 16
            error_rate = film.mark.error_rate
        elif film is not None:
            return LayerReport("unchecked", {}, film.reasons)
        else:
            pixels = decode_picture(data)
            if pixels is None:
                return LayerReport("unchecked", {}, ("the picture cannot be decoded whole",))
            seen = watermark_image.detect(pixels)
            found, ident, z, digits, error_rate = seen.found, seen.ident, seen.pilot_z, 16, seen.error_rate
    except (NotASound, LabelPartMissing):
        return LayerReport("unchecked", {}, ("the sound cannot be decoded whole",))
    if not found:
        return LayerReport("absent", {}, ("no invisible mark was found",))
    release = f"{ident:0{digits}x}"
    evidence = {"release": release, "pilots_z": round(z, 1), "corrected": round(error_rate, 4)}
    named = [str(fields.get("ProduceID")) for fields in layers["aigc"].evidence.get("fields", ())]
    named += [str(layers["ledger"].evidence["release"])] if "release" in layers["ledger"].evidence else []
    if any(not name.startswith(release) for name in named):
        return LayerReport("damaged", evidence, ("the mark and the other labels name different releases",))
    return LayerReport("intact", evidence)


def _aigc(container: AnyContainer) -> LayerReport:
    reading = aigc.read_aigc(container)
    return LayerReport(reading.state, {"fields": list(reading.fields)} if reading.fields else {}, reading.reasons)


def _iptc(container: AnyContainer) -> LayerReport:
    reading = aigc.read_iptc(container)
    return LayerReport(reading.state, {"source_type": list(reading.uris)} if reading.uris else {}, reading.reasons)


def _read_credential(
    data: bytes, container: AnyContainer, known: Sequence[PublicKeys], aside: bytes | None
) -> credential.CredentialReading | None:
    try:
        roots = [root for keys in known for root in keys.roots()]
        return credential.read_credential(data, container.mime, roots, aside)
    except LabelPartMissing:
        return None


def _credential(reading: credential.CredentialReading | None) -> LayerReport:
    if reading is None:
        return LayerReport("unchecked", {}, ("the C2PA library did not load",))
    evidence: dict[str, Any] = {}
    if reading.state != "absent":
        evidence = {
            "trust": reading.trust,
            "c2pa": C2PA_STATES.get(reading.trust, "Invalid"),
            "issuer": reading.issuer,
            "actions": list(reading.actions),
            "codes": list(reading.codes),
            "assurance": (reading.evidence or {}).get("assurance"),
            "consents": (reading.evidence or {}).get("consents", []),
            "imported": (reading.evidence or {}).get("imported", []),
        }
        if not reading.issuer and not reading.codes and reading.evidence is None:
            evidence = {}  # there is something that calls itself a credential, and nothing can be read from it
    return LayerReport(reading.state, evidence, reading.reasons)


def _ledger(
    reading: credential.CredentialReading | None, container: AnyContainer, known: Sequence[PublicKeys]
) -> LayerReport:
    """The file's own proof: its intent entry stands in a signed log and means this very picture or sound."""
    if reading is None or reading.state == "unchecked":
        return LayerReport("unchecked", {}, ("the credential that carries the proof was not read",))
    evidence = reading.evidence
    if reading.state == "absent" or not evidence or "proof" not in evidence:
        return LayerReport("absent", {}, ("the file carries no proof of a ledger entry",))
    try:
        vkey = str(evidence["ledger_vkey"])
        origin, key = parse_vkey(vkey)
        proof = Proof.from_json(evidence["proof"])
        checkpoint = proof.verify(key)
        entry = json.loads(proof.entry)
        fields = entry["fields"]
    except (SignetError, KeyError, TypeError, ValueError) as error:
        return LayerReport("damaged", {}, (f"the proof does not hold ({type(error).__name__})",))
    found = {
        "origin": origin,
        "index": proof.index,
        "size": checkpoint.size,
        "time": entry.get("time"),
        "release": fields.get("release"),
        "log": "known here" if any(keys.ledger_vkey == vkey for keys in known) else "not known here",
    }
    produced = [item.get("ProduceID") for item in aigc.read_aigc(container).fields]
    reasons = []
    if fields.get("payload_sha256") != container.payload_sha256:
        reasons.append("the entry means another picture or sound")
    if produced and produced != [fields.get("release")]:
        reasons.append("the entry and the AIGC field name different releases")
    if reading.state == "damaged":
        reasons.append("the credential that carries the proof is damaged")
    return LayerReport("damaged" if reasons else "intact", found, tuple(reasons))
