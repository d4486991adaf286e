"""Asking the speech process for sounds and phonemes.

flite and espeak-ng run in a program of their own (studio.speech), because espeak-ng is under the GPL and because a
library in C may crash. Whoever wires the house says with `talk_through` how a conversation is begun; an engine begins
one for each job and ends it, which also ends what is being spoken.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from compliance.errors import SpeechFailed, VoiceMissing

Mono = NDArray[np.float32]
_FULL_SCALE = 32768.0


class Talk(Protocol):
    """One conversation with the speech process."""

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The answer to one request; raises EOFError when the process has ended, TimeoutError when it hangs."""

    def close(self) -> None:
        """End it; whatever is being spoken stops."""


_begin: Callable[[], Talk] | None = None


def talk_through(begin: Callable[[], Talk] | None) -> Callable[[], Talk] | None:
    """Say how conversations are begun, and hear how they were; begin raises OSError or EOFError when it cannot."""
    global _begin
    before, _begin = _begin, begin
    return before


class Speech:
    """A conversation with the speech process, to be used in a with statement."""

    def __init__(self) -> None:
        self._talk: Talk | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.restart()

    def restart(self) -> None:
        """End the conversation; the next request begins a new one."""
        if self._talk is not None:
            self._talk.close()
            self._talk = None

    def _ask(self, voice: str, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        try:
            if self._talk is None:
                if _begin is None:
                    raise SpeechFailed(voice=voice, reason="the speech process is not running")
                self._talk = _begin()
            body, blob = self._talk.ask(request)
        except TimeoutError as error:
            self.restart()
            raise SpeechFailed(voice=voice, reason="the speech process does not answer") from error
        except (OSError, EOFError) as error:
            self.restart()
            raise SpeechFailed(voice=voice, reason="the speech process ended") from error
        if "missing" in body:
            raise VoiceMissing(voice=voice, library=body["missing"])
        if "refused" in body:
            raise SpeechFailed(voice=voice, reason=body["refused"])
        return body, blob

    def flite(self, voice: str, text: str, *, rate: float = 1.0, pitch_hz: float = 0.0) -> tuple[int, Mono]:
        """(samples a second, sound) of English by flite. voice: "rms", "slt" …; pitch_hz: its mean, 0 as it is.

        Raises VoiceMissing, SpeechFailed.
        """
        plain = text.translate(_ASCII).encode("ascii", "replace").decode()
        asked = {"op": "flite", "voice": voice, "text": plain, "rate": rate, "pitch_hz": pitch_hz}
        body, blob = self._ask(f"flite {voice}", asked)
        return int(body["rate_hz"]), _sound(blob)

    def espeak(self, voice: str, text: str, *, words_a_minute: int = 165, pitch: int = 50) -> tuple[int, Mono]:
        """(samples a second, sound) of any language by espeak-ng. voice: "cmn", "de+f3" …; pitch: 0 to 100.

        Raises VoiceMissing, SpeechFailed.
        """
        asked = {"op": "espeak", "voice": voice, "text": text, "words_a_minute": words_a_minute, "pitch": pitch}
        body, blob = self._ask(voice, asked)
        return int(body["rate_hz"]), _sound(blob)

    def has(self, library: str, voice: str) -> bool:
        """Whether a voice of a library can speak here: "flite", "espeak"."""
        try:
            self._ask(voice, {"op": "look", "library": library, "voice": voice})
        except (VoiceMissing, SpeechFailed):
            return False
        return True

    def phonemes(self, voice: str, text: str) -> str:
        """The text in IPA as espeak-ng reads it, for neural voices; raises VoiceMissing, SpeechFailed."""
        return str(self._ask(voice, {"op": "phonemes", "voice": voice, "text": text})[0]["phonemes"])


# Letters that flite's English does not know, as those that it does.
_ASCII = str.maketrans(
    {
        "‘": "'", "’": "'", "“": '"', "”": '"', "–": ", ", "—": ", ", "…": "...", "，": ", ", "。": ". ", "！": "! ",
        "？": "? ", "；": "; ", "：": ": ", "、": ", ", "é": "e", "è": "e", "ê": "e", "ë": "e", "á": "a", "à": "a",
        "â": "a", "ä": "a", "å": "a", "ã": "a", "í": "i", "ì": "i", "î": "i", "ï": "i", "ó": "o", "ò": "o", "ô": "o",
        "ö": "o", "õ": "o", "ø": "o", "ú": "u", "ù": "u", "û": "u", "ü": "u", "ñ": "n", "ç": "s", "ß": "ss",
        "æ": "ae", "œ": "oe",
    }
)  # fmt: skip


def _sound(blob: bytes) -> Mono:
    return np.frombuffer(blob, "<i2").astype(np.float32) / np.float32(_FULL_SCALE)
