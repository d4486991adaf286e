"""Plans for speech, what is told of the built-in voices, and subtitles beside a released sound."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from compliance.errors import FileMissing, OptionUnfit, ScriptUnclear, TargetExists, TextTooLong
from compliance.labels.policy import Language
from compliance.media import MediaInfo
from compliance.storage import write_atomically
from engines.engine import Request
from engines.voice import neural
from engines.voice.casting import Cast
from engines.voice.catalogue import VOICES, Voice
from engines.voice.speech import Speech
from engines.voice.stock import outline
from engines.voice.text import LONGEST_TEXT

STOCK: Final = "voice.stock"
SUBTITLES: Final = ("srt", "vtt")
SubtitleFormat = Literal["srt", "vtt"]
_LARGEST_SCRIPT_BYTES = 1 << 20
_READABLE_BY_ALL = 0o644
_SHORTEST_CUE_MS = 200


def plan(options: Mapping[str, Any], *, seed: int, purpose: str) -> Request:
    """The request for speech by a built-in voice; it uses nobody's likeness, so it names no consent.

    Raises what is wrong with the text before anything starts: OptionUnfit, TextEmpty, TextTooLong, MarkupUnclear,
    ScriptUnclear, LanguageUnspoken.
    """
    request = Request("voice.speak", STOCK, (), dict(options), purpose=purpose, seed=seed)
    outline(request)
    return request


def notice_language(request: Request) -> Language:
    """The language in which a speech is announced as synthetic: that of most of its words, Chinese or else English."""
    return "zh" if _outline(request).language == "zh" else "en"


def _outline(request: Request) -> Cast:
    return outline(request) if request.engine == STOCK else neural.outline(request)


def read_script_file(path: Path) -> str:
    """The text of a script in UTF-8; raises FileMissing, TextTooLong, ScriptUnclear."""
    if not path.is_file():
        raise FileMissing(path=path)
    try:
        size = path.stat().st_size
        if size > _LARGEST_SCRIPT_BYTES:
            raise TextTooLong(characters=size, limit=LONGEST_TEXT)
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScriptUnclear(line=1, reason="it is not text in UTF-8") from error
    except OSError as error:
        raise ScriptUnclear(line=1, reason=(error.strerror or "unreadable").lower()) from error


@dataclass(frozen=True, slots=True)
class VoiceView:
    """A built-in voice as listed. is_here: whether its library is installed."""

    id: str
    name: str
    sentence: str
    library: str
    is_here: bool


def voices() -> list[VoiceView]:
    """Every built-in voice, and whether it can speak on this machine; asks the speech process."""
    from engines.voice import speech
    from studio.speech import SpeechProcess

    try:
        process = SpeechProcess()
    except OSError:
        return [_view(voice, False) for voice in VOICES]
    before = speech.talk_through(process.begin)
    try:
        with Speech() as asked:
            return [_view(voice, asked.has(voice.library, voice.own)) for voice in VOICES]
    finally:
        speech.talk_through(before)
        process.close()


def _view(voice: Voice, is_here: bool) -> VoiceView:
    return VoiceView(voice.id, voice.name, voice.sentence, voice.library, is_here)


# --- subtitles -------------------------------------------------------------------------------------------------------


def subtitles_beside(out: Path, kind: str, overwrite: bool) -> Path:
    """Where the subtitles of a sound go; raises OptionUnfit, TargetExists."""
    if kind not in SUBTITLES:
        raise OptionUnfit(option="--subtitles", value=kind[:40], allowed=", ".join(SUBTITLES))
    path = out.with_suffix(f".{kind}")
    if os.path.lexists(path) and not overwrite:
        raise TargetExists(path=path)
    return path


def write_subtitles(path: Path, request: Request, info: MediaInfo, released: Path, label: str) -> None:
    """Write subtitles for a released speech; their first cue says that it is synthetic.

    info: of the result before it was labelled: the labels in the released sound move its sentences, so they are looked
    for in the file itself. Raises DiskFull, NotWritable.
    """
    from compliance.decode_sound import decode_sound

    lines = _outline(request).lines()
    samples, rate_hz = decode_sound(released.name, released.read_bytes())
    labels = labels_in(samples, rate_hz, info.frames * 1000 / info.rate_hz)
    cues = [(0, labels[0][1], label)] if labels else [(0, _SHORTEST_CUE_MS, label)]
    for (start_ms, end_ms), line in zip(info.spans_ms, lines, strict=True):
        cues.append((_moved(start_ms, labels), _moved(end_ms - 1, labels) + 1, line))
    text = _vtt(cues, label) if path.suffix == ".vtt" else _srt(cues)
    write_atomically(path, text.encode(), _READABLE_BY_ALL)


def labels_in(samples: NDArray[np.float32], rate_hz: int, speech_ms: float) -> list[tuple[int, int]]:
    """(place in the speech, length) in ms of every label of a labelled sound, in order.

    samples: (frames, channels); speech_ms: how long the sound was before it was labelled.
    """
    from compliance.labels.listening import measure_sound

    starts = [rhythm.start_s for rhythm in measure_sound(samples, rate_hz).rhythms]
    if not starts:
        return []
    length_ms = (len(samples) * 1000 / rate_hz - speech_ms) / len(starts)
    before_ms = starts[0] * 1000
    return [
        (max(0, round(start * 1000 - before_ms - place * length_ms)), round(length_ms))
        for place, start in enumerate(starts)
    ]


def _moved(ms: int, labels: Sequence[tuple[int, int]]) -> int:
    """A moment of the speech in the labelled sound."""
    return ms + sum(length_ms for place_ms, length_ms in labels if place_ms <= ms)


def _clock(ms: int, point: str) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"


def _srt(cues: Sequence[tuple[int, int, str]]) -> str:
    blocks = [
        f"{number}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{line}\n"
        for number, (start, end, line) in enumerate(cues, 1)
    ]
    return "\n".join(blocks)


def _vtt(cues: Sequence[tuple[int, int, str]], label: str) -> str:
    def escaped(line: str) -> str:
        return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    blocks = [f"{_clock(start, '.')} --> {_clock(end, '.')}\n{escaped(line)}\n" for start, end, line in cues]
    return "\n".join(["WEBVTT\n", f"NOTE {escaped(label)}\n", *blocks])
