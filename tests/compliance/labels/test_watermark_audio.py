"""The mark in sound: what must not be read, then what is read after everything that happens to sound."""

from __future__ import annotations

import numpy as np
import pytest

from compliance.decode_sound import decode_sound
from compliance.encode_sound import Samples, encode_sound
from compliance.labels import audible
from compliance.labels.voice_clips import resampled
from compliance.labels.watermark_audio import DETECTOR_KEY, Embedded, detect_sound, embed_sound
from tests.compliance.labels.sounds import FORMATS, TAGS, chord, speech

IDENT = 0x0123456789ABCDEF
RATE = 24000
PLAIN = speech(10.0, RATE)


@pytest.fixture(scope="module")
def marked() -> Embedded:
    """Ten seconds with a whole id."""
    return embed_sound(PLAIN, RATE, IDENT, DETECTOR_KEY)


def faster(samples: Samples, factor: float) -> Samples:
    """Pitch and tempo changed together."""
    return resampled(samples[:, 0], round(len(samples) / factor))[:, None]


@pytest.mark.parametrize("seed", range(3))
def test_unmarked_sound_has_no_mark(seed: int) -> None:
    """Speech, chords and noise are never read as marked."""
    noise = np.random.default_rng(seed).normal(size=(6 * RATE, 1)).astype(np.float32) * 0.1
    for sound in (speech(9.0, RATE, seed=seed), chord(9.0, RATE, 2), noise):
        assert not detect_sound(sound, RATE, DETECTOR_KEY, thorough=False).found


def test_another_key_reads_nothing(marked: Embedded) -> None:
    """A mark is read by its own key alone."""
    assert not detect_sound(marked.samples, RATE, b"another key", thorough=False).found


@pytest.mark.parametrize(
    "sound", [np.zeros((0, 1)), np.zeros((9, 2)), np.zeros((30000, 1)), np.full((30000, 1), np.nan)]
)
def test_nothing_is_read_where_nothing_is(sound: Samples) -> None:
    """Empty, short, silent and broken sounds are answered, not stumbled over."""
    assert not detect_sound(sound.astype(np.float32), RATE, DETECTOR_KEY).found


def test_silence_stays_silence() -> None:
    """A mark lies under what is heard; where nothing is heard nothing is added."""
    silent = np.zeros((9 * RATE, 1), np.float32)
    assert not embed_sound(silent, RATE, IDENT, DETECTOR_KEY).samples.any()


def test_the_mark_is_quiet_and_has_no_pre_echo(marked: Embedded) -> None:
    """At most a tenth of what is heard in every 50 ms, and nothing before an onset."""
    assert marked.snr_db > 22
    change = marked.samples - PLAIN
    block = RATE // 20
    levels = [np.sqrt(np.mean(x[: len(x) // block * block].reshape(-1, block) ** 2, axis=1)) for x in (change, PLAIN)]
    assert (levels[0] <= 0.15 * levels[1] + 2e-4).all()
    onset = np.concatenate([np.zeros((2 * RATE, 1), np.float32), PLAIN])
    before = embed_sound(onset, RATE, IDENT, DETECTOR_KEY).samples[: 2 * RATE - RATE // 50]
    assert np.abs(before).max() < 2e-4


def test_the_audible_label_is_still_heard() -> None:
    """Label first, then mark: the label stays intact in every format, and the mark is read after it."""
    spoken = audible.draw_sound(speech(3.0, RATE), RATE, "zh")
    both = embed_sound(spoken, RATE, IDENT, DETECTOR_KEY).samples
    for form in FORMATS:
        samples, rate_hz = decode_sound(form, encode_sound(both, RATE, form, TAGS))
        audible.require_sound(audible.measure_sound(samples, rate_hz))
        found = detect_sound(samples, rate_hz, DETECTOR_KEY, thorough=False)
        assert (found.found, found.ident) == (True, IDENT)


@pytest.mark.parametrize("how", ["quieter", "cut out", "noise", "telephone", "8 kHz", "echo"])
def test_the_mark_survives(marked: Embedded, how: str) -> None:
    """What happens to sound every day, without any search for speed."""
    samples, rate_hz = marked.samples, RATE
    match how:
        case "quieter":
            samples = samples * np.float32(0.1)
        case "cut out":
            samples = samples[RATE * 2 + 777 :]
        case "noise":
            noise = np.random.default_rng(1).normal(size=samples.shape).astype(np.float32)
            samples = samples + noise * np.sqrt(np.mean(samples**2)) * 0.05
        case "telephone":
            spectrum = np.fft.rfft(samples[:, 0])
            spectrum[round(3400 * len(samples) / RATE) :] = 0
            samples = np.fft.irfft(spectrum, len(samples)).astype(np.float32)[:, None]
        case "8 kHz":
            samples, rate_hz = faster(samples, 3), 8000
        case "echo":
            samples = samples + 0.3 * np.roll(samples, RATE // 20, axis=0)
    found = detect_sound(samples, rate_hz, DETECTOR_KEY, thorough=False)
    assert (found.found, found.ident, found.bits) == (True, IDENT, 64)


@pytest.mark.parametrize("speed", [1.1])
def test_the_mark_is_found_at_another_speed(marked: Embedded, speed: float) -> None:
    """Up to a tenth faster or slower; the reader says by how much."""
    found = detect_sound(faster(marked.samples, speed), RATE, DETECTOR_KEY)
    assert (found.found, found.ident) == (True, IDENT)
    assert abs(found.speed - speed) < 0.003


def test_a_short_sound_carries_the_upper_half() -> None:
    """Under eight seconds half an id has to do; it survives an MP3."""
    short = embed_sound(speech(5.0, RATE, seed=8), RATE, IDENT, DETECTOR_KEY)
    assert short.bits == 32
    samples, rate_hz = decode_sound("mp3", encode_sound(short.samples, RATE, "mp3", TAGS))
    found = detect_sound(samples, rate_hz, DETECTOR_KEY, thorough=False)
    assert (found.found, found.ident, found.bits) == (True, IDENT >> 32, 32)


def test_each_channel_carries_the_mark() -> None:
    """Who keeps one side of a stereo sound keeps the mark."""
    sound = np.hstack([speech(12.0, RATE, seed=1), speech(12.0, RATE, seed=2)])
    both = embed_sound(sound, RATE, IDENT, DETECTOR_KEY).samples
    for side in (both, both[:, :1], both[:, 1:]):
        assert detect_sound(side, RATE, DETECTOR_KEY, thorough=False).ident == IDENT


def test_the_same_sound_gets_the_same_mark(marked: Embedded) -> None:
    """No chance in it."""
    assert np.array_equal(embed_sound(PLAIN, RATE, IDENT, DETECTOR_KEY).samples, marked.samples)
