"""Measures voices: `python -m tests.bench.voice [SECTION…] [--json FILE]`.

wer_en: share of wrong words when pocketsphinx (US English, no grammar) writes down twenty sentences of everyday words
spoken by flite rms; section every-voice, on request: the same for each built-in voice. rtf_builtin: seconds of
computing for a second of speech, the slower of English and Chinese, in the speech process and here; load_ms_…: from a
fresh speech process to the first short word. Neural voices: see tests.bench.voice_neural.
conversion_similarity_before, …_after and speaker_match_eer come from tests.bench.voice_conversion.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

SENTENCES = (
    "the green boat came home before the storm",
    "put the bread and the salt on the long table",
    "a small dog slept under the old wooden chair",
    "she washed the window with cold clean water",
    "the train to the city leaves at ten in the morning",
    "he found a silver coin in the deep sand",
    "four men carried the heavy stone up the hill",
    "the lamp in the kitchen was still warm",
    "rain fell on the roof all through the night",
    "take the left road and cross the narrow bridge",
    "the farmer sold his last horse in the spring",
    "children ran along the beach and laughed out loud",
    "her brother wrote the letter with a blue pen",
    "the soup is hot so please wait a little",
    "we saw two white birds above the quiet lake",
    "the doctor asked him to open his mouth",
    "a thick book lay on the floor beside the bed",
    "the wind blew the hat off his head",
    "they built the house with red brick and glass",
    "most people in the village know the story well",
)
SPEED_TEXTS = (
    ("en", " ".join(f"{line.capitalize()}." for line in SENTENCES[:6])),
    ("zh", "今天天气很好，我们去公园散步。" * 4),
)
_ROUNDS = 3


def word_errors(said: str, heard: str) -> tuple[int, int]:
    """(words to insert, drop or change, words said): the edit distance of two lines of words."""
    left, right = said.split(), heard.split()
    row = list(range(len(right) + 1))
    for place, word in enumerate(left, 1):
        before, row[0] = row[0], place
        for other, candidate in enumerate(right, 1):
            change = before + (word != candidate)
            before, row[other] = row[other], min(change, row[other] + 1, row[other - 1] + 1)
    return row[-1], len(left)


def _spoken(text: str, **options: Any) -> tuple[np.ndarray, int]:
    from compliance.media import unseal_sound
    from compliance.permit import Permit
    from engines.engine import Request, load_engine
    from engines.job import CancelToken

    request = Request("voice.speak", "voice.stock", (), {"text": text, **options})
    permit = Permit("per", request.function, request.engine, request.digest(), "acc", (), "private", 0, "", "")
    media = load_engine("voice.stock").run(request, permit, {}, lambda _event: None, CancelToken())
    return unseal_sound(media)[:, 0].copy(), media.info.rate_hz


def _listener() -> Callable[[np.ndarray, int], str]:
    """Writes down what it hears."""
    from pocketsphinx import Decoder

    from engines.voice.joining import resample

    decoder = Decoder(samprate=16000, loglevel="FATAL")
    chance = np.random.default_rng(0)

    def heard(samples: np.ndarray, rate_hz: int) -> str:
        wave = np.pad(resample(samples, rate_hz, 16000) * (0.6 / np.abs(samples).max()), (3200, 4800))
        # Digital silence misleads its estimate of the noise.
        wave = wave + chance.normal(0, 3e-4, len(wave))
        decoder.start_utt()
        decoder.process_raw((wave * 32767).astype("<i2").tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return re.sub(r"\(\d+\)|<.*?>|\[.*?\]|\+\+.*?\+\+", "", found.hypstr if found else "").strip()

    return heard


def _wrong_words(listen: Callable[[np.ndarray, int], str], voice: str) -> float:
    wrong = total = 0
    for line in SENTENCES:
        errors, words = word_errors(line, listen(*_spoken(f"{line.capitalize()}.", voice=voice, language="en")))
        wrong, total = wrong + errors, total + words
    return round(wrong / total, 3)


def measure_words() -> dict[str, Any]:
    """wer_en: of the voice that speaks English where none is chosen."""
    return {"wer_en": _wrong_words(_listener(), "rms")}


def measure_every_voice() -> dict[str, Any]:
    """wer_en_by_voice: takes minutes, since the listener searches long where it understands little."""
    from engines.voice.catalogue import VOICES

    listen = _listener()
    return {"wer_en_by_voice": {voice.id: _wrong_words(listen, voice.id) for voice in VOICES}}


def measure_speed() -> dict[str, Any]:
    """rtf_builtin and how long the first word takes."""
    from engines.voice import speech
    from studio.speech import SpeechProcess

    loads: dict[str, float] = {}
    for name, text in (("en", "Yes."), ("zh", "好。")):
        times = []
        for _ in range(_ROUNDS):
            start = time.perf_counter()
            process = SpeechProcess()
            before = speech.talk_through(process.begin)
            _spoken(text)
            times.append(time.perf_counter() - start)
            speech.talk_through(before)
            process.close()
        loads[f"load_ms_{name}"] = round(statistics.median(times) * 1000, 1)
    factors: dict[str, float] = {}
    for name, text in SPEED_TEXTS:
        shares = []
        for _ in range(_ROUNDS):
            start = time.perf_counter()
            samples, rate_hz = _spoken(text)
            shares.append((time.perf_counter() - start) / (len(samples) / rate_hz))
        factors[name] = round(min(shares), 4)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "rtf_builtin": max(factors.values()),
        "rtf_by_language": factors,
        **loads,
        "peak_memory_mib": round(peak_mib, 1),
    }


SECTIONS: dict[str, Callable[[], Mapping[str, Any]]] = {"words": measure_words, "speed": measure_speed}
ON_REQUEST: dict[str, Callable[[], Mapping[str, Any]]] = {"every-voice": measure_every_voice}


def sections() -> dict[str, Callable[[], Mapping[str, Any]]]:
    """What can be measured, by name."""
    from tests.bench import voice_neural

    if importlib.util.find_spec("tests.bench.voice_conversion") is None:
        return {**SECTIONS, **voice_neural.SECTIONS}
    from tests.bench import voice_conversion

    return {**SECTIONS, **voice_neural.SECTIONS, **voice_conversion.SECTIONS}


def main() -> None:
    """Measure and print."""
    from engines.voice import speech
    from studio.speech import SpeechProcess

    known = sections()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("section", nargs="*", help=f"some of: {', '.join(known)} (all when left out), every-voice")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    process = SpeechProcess()
    speech.talk_through(process.begin)
    found: dict[str, Any] = {}
    try:
        for name in chosen.section or known:
            found.update({**known, **ON_REQUEST}[name]())
    finally:
        process.close()
    for key, value in found.items():
        print(f"{key}: {value}")
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
