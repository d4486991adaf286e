"""What the marks of other makers say: AIGC fields, C2PA, IPTC, and the settings that generators leave in their files.

No weights and no library but that of C2PA are needed. A mark is what somebody wrote: it can be false either way, so
one that is found is told with its source, and one that is not found proves nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from compliance.foreign_texts import NamedText, named_texts
from compliance.labels.aigc import AI_CODES, read_aigc, read_iptc
from compliance.labels.credential import SIGNET_ASSERTION, CredentialReading
from compliance.reading import AnyContainer, manifest_of

Kind = Literal["aigc", "c2pa", "iptc", "settings", "software"]

_MOST_MARKS, _LONGEST = 12, 160
_OWN_PRODUCER, _OWN_SYSTEM = "signet.", "Signet"
_OWN_ID = re.compile(r"[0-9a-f]{16}\Z")
C2PA_STATES: Final[Mapping[str, str]] = {
    "trusted": "Trusted",
    "unknown signer": "Valid",
    "expired signer": "Valid",
    "invalid": "Invalid",
}
"""The three words of C2PA 2.2 §14 for what the library and we found of a signature."""
_AIGC_LABELS: Final = {"1": "generated", "2": "possibly generated", "3": "suspected generated", "AIGC": "generated"}
# Programs and services by words that they write into names of software, credits and comments.
_NAMED: Final = (
    (re.compile(r"\b(stable[ -]?diffusion|stability\.ai|dreamstudio)", re.I), "Stable Diffusion"),
    (re.compile(r"\bcomfyui\b", re.I), "ComfyUI"),
    (re.compile(r"\binvoke ?ai\b", re.I), "InvokeAI"),
    (re.compile(r"\bnovelai\b", re.I), "NovelAI"),
    (re.compile(r"\bfooocus\b", re.I), "Fooocus"),
    (re.compile(r"\bswarmui\b", re.I), "SwarmUI"),
    (re.compile(r"\bdraw things\b", re.I), "Draw Things"),
    (re.compile(r"\b(easy diffusion|diffusionbee|mochi diffusion|nmkd)\b", re.I), ""),
    (re.compile(r"\bai[-_ ]diffusion\b|\bkrita ai\b", re.I), "Krita AI Diffusion"),
    (re.compile(r"\bmidjourney\b", re.I), "Midjourney"),
    (re.compile(r"\b(dall[-·. ]?e|openai|chatgpt)\b", re.I), "OpenAI"),
    (re.compile(r"\b(made|edited|created) with google ai\b|\bgoogle (imagen|gemini|veo)\b", re.I), "Google AI"),
    (re.compile(r"\badobe firefly\b|\bfirefly image\b", re.I), "Adobe Firefly"),
    (re.compile(r"\b(bing image creator|designer image creator|microsoft designer)\b", re.I), "Microsoft"),
    (re.compile(r"\b(imagined with ai|meta ai)\b", re.I), "Meta AI"),
    (re.compile(r"\bgrok\b|\bx\.ai\b", re.I), "xAI"),
    (re.compile(r"\b(leonardo\.ai|ideogram|recraft|black forest labs|flux\.1)\b", re.I), ""),
    (re.compile(r"\b(doubao|jimeng|dreamina|seedream|即梦|豆包)|火山引擎", re.I), "Doubao"),
    (re.compile(r"\b(kling|hailuo|minimax|wanx|tongyi)\b|通义万相|可灵", re.I), ""),
    (re.compile(r"\b(runway(ml)?|pika labs|luma dream machine|heygen|synthesia|d-id)\b", re.I), ""),
    (re.compile(r"\b(elevenlabs|suno|udio|play\.ht|resemble ai|stable audio)\b", re.I), ""),
    (re.compile(r"\b(facefusion|deepfacelab|faceswap|roop|rope[- ]next|visomaster)\b", re.I), ""),
)
# Where a name of a program counts; free captions speak of programs for many reasons.
_SOFTWARE: Final = frozenset(
    {
        *("software", "creatortool", "aisystemused", "credit", "source", "encoder", "tool", "too", "swr", "isft"),
        *("generator", "softwareagent", "tsse", "make"),
    }
)
_CAPTIONS: Final = frozenset({"description", "imagedescription", "comment", "cmt", "icmt", "caption", "headline"})
_MADE_WITH = re.compile(r"\b(made|generated|created|edited|imagined) (with|by|using|in)\b|[由用].*(生成|合成)", re.I)
_LONGEST_NOTE = 200
_SETTINGS_OF_A1111 = re.compile(r"\bSteps: \d+.{0,400}?\b(Sampler|CFG scale|Seed|Model)\b", re.S)
_MIDJOURNEY_JOB = re.compile(r"\bJob ID: [0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class ForeignMark:
    """One mark of another maker. program: who it names, "" for nobody; detail: what it says, cut and printable.

    ai: whether it says that AI made or changed the file; a camera's credential does not.
    """

    kind: Kind
    program: str
    detail: str
    ai: bool = True

    def to_json(self) -> dict[str, Any]:
        """Plain data for --json."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ForeignReading:
    """marks: of other makers, each once. is_ours: whether metadata or credential name this program as the maker."""

    marks: tuple[ForeignMark, ...]
    is_ours: bool

    @property
    def says_ai(self) -> bool:
        """Whether any of the marks says that AI was at work."""
        return any(mark.ai for mark in self.marks)


def read_foreign(
    data: bytes, container: AnyContainer, credential: CredentialReading | None, aside: bytes | None = None
) -> ForeignReading:
    """The marks of other makers in a file; never raises.

    credential: as read from the file, None where it could not be. aside: the manifest store beside it, if any.
    """
    texts = named_texts(data, container)
    fields = read_aigc(container).fields
    names_us = any(_last(one.name) == "aisystemused" and one.text.startswith(_OWN_SYSTEM) for one in texts)
    names_us = names_us or any(_is_own_field(field) for field in fields)
    store = aside if aside is not None else manifest_of(data) if container.has_manifest else b""
    is_own_store = SIGNET_ASSERTION.encode() in store or bool(credential is not None and credential.evidence)
    marks: list[ForeignMark] = []
    if not names_us:
        marks += _of_fields(fields, container.text_aigc)
        marks += _of_iptc(read_iptc(container).uris, texts)
    if credential is not None and not is_own_store:
        marks += _of_credential(credential)
    marks += [mark for one in texts if (mark := _of_text(one)) is not None]
    return ForeignReading(tuple(dict.fromkeys(marks))[:_MOST_MARKS], names_us or is_own_store)


def _last(name: str) -> str:
    """The last part of a key like com.apple.quicktime.software, in lower case."""
    return re.split(r"[.:]", name)[-1].strip().lower()


def _is_own_field(field: Mapping[str, str]) -> bool:
    """Whether an AIGC field is written as this program writes it, whatever code its operator has."""
    if field.get("ContentProducer", "").startswith(_OWN_PRODUCER):
        return True
    ids = {field.get("ProduceID", ""), field.get("PropagateID", "")}
    makers = {field.get("ContentProducer", ""), field.get("ContentPropagator", "")}
    return len(ids) == len(makers) == 1 and bool(_OWN_ID.match(min(ids)))


def _of_fields(fields: Sequence[Mapping[str, str]], raw: Sequence[bytes]) -> Iterator[ForeignMark]:
    for field in fields:
        label = field.get("Label", "")
        said = f"AIGC Label {label}" + (f" ({_AIGC_LABELS[label]})" if label in _AIGC_LABELS else "")
        ids = field.get("ProduceID", "")
        yield _mark("aigc", field.get("ContentProducer", ""), said + (f", ProduceID {ids}" if ids else ""))
    if raw and not fields:
        yield _mark("aigc", "", "AIGC: " + raw[0].decode("utf-8", "replace"))


def _of_iptc(uris: Sequence[str], texts: Sequence[NamedText]) -> Iterator[ForeignMark]:
    systems = {_last(one.name): one.text for one in texts}
    program = next(
        (systems[key] for key in ("aisystemused", "creatortool", "credit", "software") if key in systems), ""
    )
    for uri in uris:
        code = uri.rpartition("/")[2]
        yield _mark("iptc", program, f"DigitalSourceType {code}", ai=_is_ai(code))


def _is_ai(code: str) -> bool:
    """Whether a source type speaks of AI; common slips of the pen are forgiven."""
    return code.lower().replace("composited", "composite") in {one.lower() for one in AI_CODES}


def _of_credential(reading: CredentialReading) -> Iterator[ForeignMark]:
    if reading.state in ("absent", "unchecked") or not (reading.issuer or reading.actions):
        return
    state = C2PA_STATES.get(reading.trust, "Invalid")
    said = ", ".join(
        (f"C2PA {state}", *dict.fromkeys(reading.actions[:4]), *([reading.origin] if reading.origin else []))
    )
    yield _mark("c2pa", reading.issuer, said, ai=_is_ai(reading.origin))


def _of_text(one: NamedText) -> ForeignMark | None:
    """The mark that one text is, if any."""
    name = _last(one.name)
    if one.text.startswith(_OWN_SYSTEM) and name in _SOFTWARE:
        return None
    found = _settings(name, one)
    if found is not None:
        return _mark("settings", *found)
    if name not in _SOFTWARE | _CAPTIONS:
        return None
    for words, program in _NAMED:
        match = words.search(one.text[:4096])
        if match and (name in _SOFTWARE or _is_note(one.text, match.start())):
            return _mark("software", program or match.group(0), f"{one.name}: {one.text}")
    return None


def _is_note(text: str, start: int) -> bool:
    """Whether a caption tells what made the file; others only speak of a program."""
    return len(text) <= _LONGEST_NOTE and (start == 0 or bool(_MADE_WITH.search(text[: start + 20])))


def _settings(name: str, one: NamedText) -> tuple[str, str] | None:
    """(program, detail) of a text that holds the settings of a generator."""
    text = one.text
    if name in ("invokeai_metadata", "invokeai_graph", "invokeai_workflow", "sd-metadata", "dream"):
        return "InvokeAI", one.name
    if name == "fooocus_scheme":
        return "Fooocus", one.name
    if name in ("make", "model"):
        # ComfyUI keeps its graphs here in WebP and AVIF, behind their names.
        head, _, text = text.partition(":")
        name = head.strip().lower() if head.strip().lower() in ("prompt", "workflow") else name
    if name in ("prompt", "workflow", "comment", "usercomment", "parameters", "cmt", "icmt", "extra_pnginfo"):
        found = _graph(name, text)
        if found is not None:
            return found
    if name in ("parameters", "usercomment", "comment", "cmt", "icmt", "imagedescription", "description"):
        if _SETTINGS_OF_A1111.search(text[:65536]):
            model = re.search(r"\bModel: ([^,\n]{1,60})", text)
            return "Stable Diffusion web UI", f"{one.name}" + (f": {model.group(1)}" if model else "")
        if _MIDJOURNEY_JOB.search(text[:65536]):
            return "Midjourney", f"{one.name}: {_MIDJOURNEY_JOB.findall(text[:65536])[0]}"
    return None


def _graph(name: str, text: str) -> tuple[str, str] | None:
    """(program, detail) of settings that are written as JSON."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return ("ComfyUI", name) if '"class_type"' in text[:65536] else None
    if not isinstance(data, dict):
        return None
    if any(isinstance(node, dict) and "class_type" in node for node in data.values()):
        return "ComfyUI", f"{name} ({len(data)} nodes)"
    if isinstance(data.get("nodes"), list) and ("links" in data or "last_node_id" in data):
        return "ComfyUI", f"{name} ({len(data['nodes'])} nodes)"
    if "sui_image_params" in data:
        return "SwarmUI", name
    if {"prompt", "workflow"} & data.keys() and isinstance(next(iter(data.values())), dict | str):
        inner = data.get("prompt", data.get("workflow"))
        inner_text = inner if isinstance(inner, str) else json.dumps(inner)
        if '"class_type"' in inner_text or '"last_node_id"' in inner_text:
            return "ComfyUI", name
    if {"steps", "sampler"} <= data.keys() and ("uc" in data or "request_type" in data):
        return "NovelAI", name
    if {"steps", "seed"} <= data.keys() and {"sampler", "scale", "cfg", "guidance_scale"} & data.keys():
        return "Draw Things" if "v2" in data or "c" in data else "Stable Diffusion", name
    return None


def _mark(kind: Kind, program: str, detail: str, ai: bool = True) -> ForeignMark:
    return ForeignMark(kind, _short(program, 80), _short(detail, _LONGEST), ai)


def _short(text: str, longest: int) -> str:
    """Foreign text, cut and without anything that cannot be printed."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * longest])
    plain = " ".join(plain.split())
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def names_of(marks: Iterable[Mapping[str, Any]]) -> list[str]:
    """Who the marks name, each once."""
    return [name for name in dict.fromkeys(str(mark.get("program", "")) for mark in marks) if name]
