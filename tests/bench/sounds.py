"""The 21 attacks on the mark in sound, and the sounds they are tried on: `python -m tests.bench.sounds [VOICES]`."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np

from compliance.decode_sound import decode_sound
from compliance.labels.voice_clips import resampled
from compliance.labels.watermark_audio import DETECTOR_KEY, detect_sound, embed_sound
from compliance.media import Samples
from tests.compliance.labels.sounds import speech

Attack = Callable[[Samples, int], tuple[Samples, int]]
_PLAIN = (
    "Every voice that this program makes says of itself that it was made. The label is heard at the beginning and at "
    "the end, and a quiet mark lies under all of it, so that even a piece cut out of the middle can be traced to its "
    "release. Whoever finds such a piece can ask the program whether it knows it, and gets an answer without network. "
)


def voices(seconds: float, count: int) -> dict[str, tuple[Samples, int]]:
    """Speech of some length: by espeak-ng where it is installed, else from formants; 22050 or 24000 Hz, one channel."""
    found: dict[str, tuple[Samples, int]] = {}
    program = shutil.which("espeak-ng")
    for number, (name, pitch) in enumerate((("en-us", 50), ("en-gb", 20), ("de", 60), ("fr", 80))[:count]):
        if program is None:
            found[f"formants {number}"] = speech(seconds, 24000, seed=number), 24000
            continue
        made = subprocess.run(
            [program, "-v", name, "-p", str(pitch), "--stdout", _PLAIN * (1 + int(seconds // 15))],
            capture_output=True,
            check=True,
        ).stdout
        sound, rate_hz = decode_sound(name, _sized(made))
        start = number * rate_hz
        found[f"espeak {name}"] = sound[start : start + round(seconds * rate_hz)], rate_hz
    return found


def _sized(wave: bytes) -> bytes:
    """A WAV file from a pipe, whose header does not know its length."""
    at = wave.index(b"data")
    size = len(wave) - at - 8
    return wave[:4] + (size + at).to_bytes(4, "little") + wave[8 : at + 4] + size.to_bytes(4, "little") + wave[at + 8 :]


def _through(codec: str, container: str, bit_rate: int, rate_hz: int | None = None) -> Attack:
    """Encode and decode."""

    def attack(samples: Samples, from_hz: int) -> tuple[Samples, int]:
        to_hz = rate_hz or (44100 if from_hz % 11025 == 0 else 48000)
        target = io.BytesIO()
        with av.open(target, "w", format=container) as file:
            stream: Any = file.add_stream(codec, rate=to_hz)
            stream.layout, stream.bit_rate = "mono", bit_rate
            context = stream.codec_context
            context.open()
            change = av.AudioResampler(
                format=context.format, layout="mono", rate=to_hz, frame_size=context.frame_size or None
            )
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = from_hz, 0, Fraction(1, from_hz)
            for piece in (*change.resample(frame), *change.resample(None)):
                file.mux(stream.encode(piece))
            file.mux(stream.encode(None))
        return decode_sound(codec, target.getvalue())

    return attack


def _at(rate_hz: int) -> Attack:
    return lambda samples, from_hz: (resampled(samples[:, 0], len(samples) * rate_hz // from_hz)[:, None], rate_hz)


def _band(low_hz: float, high_hz: float) -> Attack:
    def attack(samples: Samples, rate_hz: int) -> tuple[Samples, int]:
        spectrum = np.fft.rfft(samples[:, 0])
        at_hz = np.fft.rfftfreq(len(samples), 1 / rate_hz)
        spectrum[(at_hz < low_hz) | (at_hz > high_hz)] = 0
        return np.fft.irfft(spectrum, len(samples)).astype(np.float32)[:, None], rate_hz

    return attack


def _noise(snr_db: float) -> Attack:
    def attack(samples: Samples, rate_hz: int) -> tuple[Samples, int]:
        level = float(np.sqrt(np.mean(samples**2))) * 10 ** (-snr_db / 20)
        noise = np.random.default_rng(4).normal(size=samples.shape) * level
        return (samples + noise).astype(np.float32), rate_hz

    return attack


def _kept(share: float) -> Attack:
    def attack(samples: Samples, rate_hz: int) -> tuple[Samples, int]:
        start = round(len(samples) * (1 - share) * 0.37)
        return samples[start : start + round(len(samples) * share)], rate_hz

    return attack


def _speed(factor: float) -> Attack:
    return lambda samples, rate_hz: (resampled(samples[:, 0], round(len(samples) / factor))[:, None], rate_hz)


def _tempo(factor: float) -> Attack:
    """Faster or slower with its pitch kept, by FFmpeg's atempo."""

    def attack(samples: Samples, rate_hz: int) -> tuple[Samples, int]:
        graph = av.filter.Graph()
        source = graph.add_abuffer(sample_rate=rate_hz, format="fltp", layout="mono", time_base=Fraction(1, rate_hz))
        change, sink = graph.add("atempo", str(factor)), graph.add("abuffersink")
        source.link_to(change)
        change.link_to(sink)
        graph.configure()
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, 0, Fraction(1, rate_hz)
        graph.push(frame)
        graph.push(None)
        pieces = []
        while True:
            try:
                pieces.append(graph.pull().to_ndarray())
            except (av.FFmpegError, EOFError):
                break
        return np.concatenate(pieces, axis=1).T.astype(np.float32), rate_hz

    return attack


def _echo(samples: Samples, rate_hz: int) -> tuple[Samples, int]:
    echoed = samples.copy()
    for delay_s, gain in ((0.05, 0.4), (0.12, 0.2)):
        shift = round(delay_s * rate_hz)
        echoed[shift:] += gain * samples[:-shift]
    return echoed, rate_hz


SOUND_ATTACKS: Final[dict[str, Attack]] = {
    "none": lambda samples, rate_hz: (samples, rate_hz),
    "MP3 128": _through("libmp3lame", "mp3", 128_000),
    "MP3 64": _through("libmp3lame", "mp3", 64_000),
    "AAC 128": _through("aac", "ipod", 128_000),
    "16 kHz": _at(16000),
    "300 to 3400 Hz": _band(300, 3400),
    "-12 dB": lambda samples, rate_hz: (samples * np.float32(0.25), rate_hz),
    "MP3 32": _through("libmp3lame", "mp3", 32_000),
    "AAC 48": _through("aac", "ipod", 48_000),
    "Opus 32": _through("libopus", "ogg", 32_000, 48000),
    "Opus 16": _through("libopus", "ogg", 16_000, 48000),
    "8 kHz": _at(8000),
    "noise 30 dB": _noise(30),
    "noise 20 dB": _noise(20),
    "noise 10 dB": _noise(10),
    "60 % kept": _kept(0.6),
    "30 % kept": _kept(0.3),
    "speed +2 %": _speed(1.02),
    "speed -2 %": _speed(0.98),
    "tempo +5 %": _tempo(1.05),
    "echo": _echo,
}
HARDER_SOUND_ATTACKS: Final[dict[str, Attack]] = {
    "speed +10 %": _speed(1.1),
    "speed -10 %": _speed(0.9),
    "tempo -8 %": _tempo(0.92),
}


def sound_part(say: Callable[[str], None], *, count: int = 2, harder: bool = True) -> dict[str, Any]:
    """Marks read whole after each attack, for 10 and 30 s of speech, and ids read where no mark is.

    count: voices. Figures: survived of tried per length; snr_db: the lowest; the longest embedding and reading in s.
    """
    ident = 0x0123456789ABCDEF
    result: dict[str, Any] = {"attacks": len(SOUND_ATTACKS), "false_positives": 0}
    attacks = {**SOUND_ATTACKS, **(HARDER_SOUND_ATTACKS if harder else {})}
    for seconds in (10, 30):
        survived, tried, snr_db, embed_s, read_s = 0, 0, 99.0, 0.0, 0.0
        for name, (sound, rate_hz) in voices(seconds, count).items():
            began = time.thread_time()
            marked = embed_sound(sound, rate_hz, ident, DETECTOR_KEY)
            embed_s, snr_db = max(embed_s, time.thread_time() - began), min(snr_db, marked.snr_db)
            result["false_positives"] += detect_sound(sound, rate_hz, DETECTOR_KEY).found
            lost = []
            for title, attack in attacks.items():
                attacked = attack(marked.samples, rate_hz)
                began = time.thread_time()
                found = detect_sound(*attacked, DETECTOR_KEY)
                read_s = max(read_s, time.thread_time() - began)
                is_whole = found.found and (found.ident, found.bits) == (ident, 64)
                survived += is_whole and title in SOUND_ATTACKS
                tried += title in SOUND_ATTACKS
                lost += [] if is_whole else [title]
            say(f"{seconds} s {name}: {marked.snr_db:.1f} dB, lost: {', '.join(lost) or 'none'}")
        result[f"{seconds}s"] = {
            "survived": survived,
            "tried": tried,
            "snr_db": round(snr_db, 1),
            "embed_s": round(embed_s, 1),
            "read_s": round(read_s, 1),
        }
    return result


if __name__ == "__main__":
    print(sound_part(lambda line: print(line, flush=True), count=int(sys.argv[1]) if sys.argv[1:] else 2))
