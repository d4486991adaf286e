"""Were the agreed words spoken? An English recogniser of fixed grammar listens to the end of a consent phrase.

pocketsphinx with its own English model. The sentence before the words is let through by a loop of likely words, and
six slots then take words of the list alone; an open loop would insert words. What was said is shown, not that it was
said live: a synthetic voice passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from engines.sound import Wave, decode_sound

RATE_HZ: Final = 16_000
LONGEST_S: Final = 60.0
_PIECE = 480
_CLEAN_DB = 60.0
_QUIET_BEFORE_S, _QUIET_AFTER_S = 0.2, 0.3
_LEVEL, _DITHER = 0.6, 3e-4


def signal_to_noise_db(samples: Wave) -> float:
    """How far speech stands above what is heard in the pauses; at most 60 dB, at least 0.

    From the power of pieces of 30 ms: the loud twentieth against the quiet tenth.
    """
    count = len(samples) // _PIECE
    if count < 2:
        return 0.0
    powers = (samples[: count * _PIECE].reshape(count, _PIECE) ** 2).mean(axis=1)
    quiet, loud = np.percentile(powers, 10), np.percentile(powers, 95)
    if loud <= 0:
        return 0.0
    return float(np.clip(10 * np.log10(max(loud - quiet, 1e-15) / max(quiet, 1e-15)), 0.0, _CLEAN_DB))


def heard_words(samples: Wave, before: Sequence[str], anchor: str, words: Sequence[str], slots: int) -> list[str]:
    """The words heard after the anchor, of the list alone and in order; nothing when the sentence was not made out.

    before: words that may come first, in any number; anchor: the fixed words right before the list; lower case.
    """
    from pocketsphinx import Decoder

    grammar = (
        "#JSGF V1.0; grammar consent; public <said> = [ <before> ] "
        f"{anchor} {' '.join(['<word>'] * slots)} ; <before> = ( {' | '.join(before)} )+ ; "
        f"<word> = ( {' | '.join(words)} ) ;"
    )
    peak = float(np.abs(samples).max(initial=0.0))
    if peak <= 0:
        return []
    padded = np.concatenate(
        [np.zeros(int(_QUIET_BEFORE_S * RATE_HZ)), samples / peak * _LEVEL, np.zeros(int(_QUIET_AFTER_S * RATE_HZ))]
    )
    # Digital silence misleads the recogniser's estimate of noise.
    padded += np.random.default_rng(0).normal(0.0, _DITHER, len(padded))
    decoder: Any = Decoder(samprate=RATE_HZ, loglevel="FATAL", lm=None)
    decoder.add_jsgf_string("consent", grammar)
    decoder.activate_search("consent")
    decoder.start_utt()
    decoder.process_raw((padded * 32767).astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    said = found.hypstr.split() if found else []
    last = anchor.split()[-1]
    start = len(said) - said[::-1].index(last) if last in said else 0
    return [word for word in said[start:] if word in set(words)]


def hear(
    name: str, data: bytes, before: Sequence[str], anchor: str, words: Sequence[str], slots: int, least_snr_db: float
) -> dict[str, Any]:
    """{"snr_db", "heard"} of an encoded recording; heard is None where it is too noisy to be judged.

    Only the first minute is listened to. Raises NotASound.
    """
    samples = decode_sound(name, data, RATE_HZ, first_s=LONGEST_S).samples
    snr_db = round(signal_to_noise_db(samples), 1)
    clear = snr_db >= least_snr_db
    return {"snr_db": snr_db, "heard": heard_words(samples, before, anchor, words, slots) if clear else None}
