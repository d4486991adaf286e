"""The built-in voices and what languages they speak, under honest names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Voice:
    """One built-in voice. name: what people are told it is; own: its name in the library; trained: on recordings.

    mean_hz: its mean pitch where the library can shift it; 0: it is shifted by stretching, vocal tract and all.
    """

    id: str
    name: str
    library: Literal["flite", "espeak"]
    own: str
    sentence: str
    trained: bool
    pace: float = 1.0
    mean_hz: float = 0.0


VOICES: Final = (
    Voice("rms", "flite rms", "flite", "rms", "English, a man; statistical, from recordings", True, 0.92),
    Voice("slt", "flite slt", "flite", "slt", "English, a woman; statistical, from recordings", True, 0.9, 165.0),
    Voice("awb", "flite awb", "flite", "awb", "English, a Scot; statistical, from recordings", True, 0.94, 125.0),
    Voice("formant", "formant voice", "espeak", "", "any language; by rules, like a robot", False),
    Voice("formant-high", "formant voice, high", "espeak", "f3", "any language; by rules, higher", False),
    Voice("formant-deep", "formant voice, deep", "espeak", "m7", "any language; by rules, deeper", False),
    Voice("formant-clear", "formant voice, Klatt", "espeak", "klatt5", "any language; by rules, buzzing", False),
)
BY_ID: Final = {voice.id: voice for voice in VOICES}
ENGLISH, ANY = BY_ID["rms"], BY_ID["formant"]
# Who speaks in a script where nobody is named: by turns.
TURNS: Final = {"en": ("rms", "slt", "awb", "formant-high"), "": ("formant", "formant-high", "formant-deep")}

# Languages as ISO 639-1, and what espeak-ng calls them. Japanese is left out: it reads no kanji.
_SAME: Final = (
    "af", "ar", "bg", "bn", "ca", "cs", "cy", "da", "de", "el", "eo", "es", "et", "eu", "fa", "fi",
    "fr", "ga", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ka", "ko", "lt", "lv", "mk", "ms",
    "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "sw", "ta", "te", "th", "tr",
    "uk", "ur", "vi",
)  # fmt: skip
LANGUAGES: Final = {
    "en": "en-us",
    "zh": "cmn",
    **{name: name for name in _SAME},
}
FULL_LANGUAGES: Final = ("en", "zh")
