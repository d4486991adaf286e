"""A text in the sounds of its language (IPA), its punctuation kept: what many neural voices read instead of letters."""

from __future__ import annotations

import re
from typing import Final

from engines.voice.speech import Speech

# What espeak-ng calls a language, where two letters would give another accent or nothing.
ESPEAK_VOICES: Final = {"en": "en-us", "zh": "cmn", "fr": "fr-fr", "pt": "pt-br"}
_MARKS = re.compile(r"\s*([,.;:!?…，。；：！？、—–\"“”«»()¡¿]+)\s*")
# espeak-ng says in brackets that it changes the language for a word; no voice reads that.
_CHANGES = re.compile(r"\([a-z-]+\)")
_PLAIN_MARKS: Final = str.maketrans({"，": ",", "、": ",", "。": ".", "；": ";", "：": ":", "！": "!", "？": "?"})


def phonemes_of(speech: Speech, text: str, voice: str) -> str:
    """The phonemes of a text by espeak-ng, with its marks in their places; raises VoiceMissing, SpeechFailed.

    voice: a language, or the name of a voice of espeak-ng. Chinese marks become their Latin kin.
    """
    named = ESPEAK_VOICES.get(voice, voice)
    made = ""
    for place, part in enumerate(_MARKS.split(text.strip())):
        if place % 2:
            made = f"{made.rstrip()}{part.translate(_PLAIN_MARKS)} "
        elif any(sign.isalnum() for sign in part):
            made += _CHANGES.sub("", speech.phonemes(named, part)).strip()
    return made.strip()
