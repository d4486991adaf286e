"""Measures changed voices and the match of speakers: `python -m tests.bench.voice_conversion [--json FILE]`.

conversion_similarity_before, …_after: cosine of the voice encoder between speech and held-out speech of the person it
is leaned towards, before and after, mean over pairs of flite voices, without mix and with 0.5. conversion_wer_…:
share of wrong words by pocketsphinx in the first pair. conversion_rtf: seconds of computing for a second of speech.
speaker_match_eer: where false acceptances and false refusals of single sentences are equal, all voices; …_flite: those
of flite alone, which are different people, while the formant voices are variants of one. All voices are synthetic:
recordings of people are worse on both sides, and these figures promise nothing about them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np

from engines.sound import Wave, resampled
from engines.voice.speaker import RATE_HZ, THRESHOLD, speaker_encoder
from tests.bench import voice as bench
from tests.engines.voices import wav

FLITE = ("rms", "slt", "awb", "kal16")
FORMANT = ("en-us", "en-us+f2", "en-us+f4", "en-us+m3", "en-us+klatt3")
PAIRS = (("rms", "slt"), ("rms", "awb"), ("slt", "rms"), ("kal16", "rms"))
_REFERENCE, _HELD_OUT, _SPEECH = range(6), range(6, 12), range(12, 18)
_FOR_MATCH = range(10)
# Writing down takes longer than everything else.
_LISTENED = PAIRS[:1]


@cache
def said(voice: str, number: int) -> Wave:
    """One of the sentences by one of the voices; float64 at 16 kHz."""
    from engines.voice.speech import Speech

    text = bench.SENTENCES[number].capitalize() + "."
    with Speech() as asked:
        rate_hz, samples = asked.flite(voice, text) if voice in FLITE else asked.espeak(voice, text)
    return resampled(samples.astype(np.float64), rate_hz, RATE_HZ)


def template(samples: Wave) -> np.ndarray:
    """Of a recording at 16 kHz."""
    return speaker_encoder().embed("made", samples).vector


def leaned(reference: Wave, speech: Wave, mix: float) -> Wave:
    """Speech after the engine, at 16 kHz."""
    from compliance.media import unseal_sound
    from compliance.permit import Permit
    from engines.engine import Input, Request, load_engine
    from engines.job import CancelToken

    inputs = tuple(Input(role, "voice", "0" * 64, role) for role in ("source", "target"))
    request = Request("voice.convert", "voice.lean", inputs, {"mix": mix}, faces_edited=1)
    permit = Permit("per", request.function, request.engine, request.digest(), "acc", (), "private", 1, "", "")
    data: Any = {"source": wav(reference), "target": wav(speech)}
    media = load_engine("voice.lean").run(request, permit, data, lambda _event: None, CancelToken())
    return resampled(unseal_sound(media)[:, 0].astype(np.float64), media.info.rate_hz, RATE_HZ)


def measure_conversion() -> Mapping[str, Any]:
    """Similarity, words and time of leaning."""
    listen = bench._listener()
    before, after, pairs, took = [], {0.5: [], 0.0: []}, {}, []
    wrong = {"before": [0, 0], "after": [0, 0]}
    for own, other in PAIRS:
        reference = np.concatenate([said(other, number) for number in _REFERENCE])
        held_out = template(np.concatenate([said(other, number) for number in _HELD_OUT]))
        sentences = [said(own, number) for number in _SPEECH]
        speech = np.concatenate(sentences)
        before.append(float(template(speech) @ held_out))
        for mix, found in after.items():
            start = time.thread_time()
            made = leaned(reference, speech, mix)
            took.append((time.thread_time() - start) / (len(speech) / RATE_HZ))
            found.append(float(template(made) @ held_out))
        pairs[f"{own} to {other}"] = [round(value[-1], 3) for value in (before, after[0.0], after[0.5])]
        # `made` is that without mix, cut where the sentences were.
        ends = np.cumsum([0, *(len(sentence) for sentence in sentences)])
        for place, number in enumerate(_SPEECH if (own, other) in _LISTENED else ()):
            for name, samples in (("before", sentences[place]), ("after", made[ends[place] : ends[place + 1]])):
                errors, words = bench.word_errors(bench.SENTENCES[number], listen(samples, RATE_HZ))
                wrong[name][0] += errors
                wrong[name][1] += words
    return {
        "conversion_similarity_before": round(float(np.mean(before)), 3),
        "conversion_similarity_after": round(float(np.mean(after[0.0])), 3),
        "conversion_similarity_after_with_mix": round(float(np.mean(after[0.5])), 3),
        "conversion_similarity_by_pair": pairs,
        "conversion_wer_before": round(wrong["before"][0] / wrong["before"][1], 3),
        "conversion_wer_after": round(wrong["after"][0] / wrong["after"][1], 3),
        "conversion_rtf": round(max(took), 3),
    }


def equal_error(same: list[float], other: list[float]) -> float:
    """The rate at which as many of the same are refused as of the others are accepted."""
    right, wrong = np.array(same), np.array(other)
    steps = np.unique(np.concatenate([right, wrong]))
    refused = np.array([(right < step).mean() for step in steps])
    accepted = np.array([(wrong >= step).mean() for step in steps])
    best = int(np.argmin(np.abs(refused - accepted)))
    return float(refused[best] + accepted[best]) / 2


def measure_match() -> Mapping[str, Any]:
    """Errors of the speaker match on single sentences."""
    start = time.perf_counter()
    vectors = {voice: [template(said(voice, number)) for number in _FOR_MATCH] for voice in (*FLITE, *FORMANT)}
    embed_ms = (time.perf_counter() - start) * 1000 / sum(map(len, vectors.values()))

    def scores(voices: tuple[str, ...]) -> tuple[list[float], list[float]]:
        same = [float(one @ two) for voice in voices for one, two in combinations(vectors[voice], 2)]
        pairs = (product(vectors[left], vectors[right]) for left, right in combinations(voices, 2))
        return same, [float(one @ two) for pair in pairs for one, two in pair]

    everybody, flite = scores((*FLITE, *FORMANT)), scores(FLITE)
    return {
        "speaker_match_eer": round(equal_error(*everybody), 4),
        "speaker_match_eer_flite": round(equal_error(*flite), 4),
        "speaker_match_refused_at_threshold": round(float(np.mean(np.array(flite[0]) < THRESHOLD)), 4),
        "speaker_match_accepted_at_threshold": round(float(np.mean(np.array(flite[1]) >= THRESHOLD)), 4),
        "speaker_match_ms": round(embed_ms, 1),
    }


SECTIONS: dict[str, Callable[[], Mapping[str, Any]]] = {"conversion": measure_conversion, "match": measure_match}


def main() -> None:
    """Measure and print."""
    from engines.voice import speech
    from studio.speech import SpeechProcess

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("section", nargs="*", help=f"some of: {', '.join(SECTIONS)}; all when left out")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    process = SpeechProcess()
    before = speech.talk_through(process.begin)
    found: dict[str, Any] = {}
    try:
        for name in chosen.section or SECTIONS:
            found.update(SECTIONS[name]())
    finally:
        speech.talk_through(before)
        process.close()
    for key, value in found.items():
        print(f"{key}: {value}")
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
