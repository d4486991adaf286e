"""The two speech libraries by ctypes: flite for English, espeak-ng for everything else.

This file is used in the speech process alone, a program of its own (studio.speech): espeak-ng is under the GPL and is
never part of the program itself. Both libraries answer with whole sounds in memory.

Sources: flite.h and cst_wave.h of Flite 2.2; speak_lib.h of eSpeak NG 1.52.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, ClassVar

Sound = tuple[int, bytes]
"""Samples a second, and samples: 16 bits, little-endian, one channel."""


class LibraryMissing(Exception):
    """A library or its data cannot be loaded; the argument is its name."""


class SpeechRefused(Exception):
    """A library did not speak; the argument says why, in a word or two."""


class _Wave(ctypes.Structure):
    _fields_: ClassVar = [
        ("type", ctypes.c_char_p),
        ("rate_hz", ctypes.c_int),
        ("count", ctypes.c_int),
        ("channels", ctypes.c_int),
        ("samples", ctypes.c_void_p),
    ]


class _Voice(ctypes.Structure):
    _fields_: ClassVar = [("name", ctypes.c_char_p), ("features", ctypes.c_void_p)]


class Flite:
    """English by flite; each voice is a library of its own."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL("libflite.so.1")
        except OSError as error:
            raise LibraryMissing("flite") from error
        self._library.flite_init()
        self._library.flite_text_to_wave.restype = ctypes.POINTER(_Wave)
        self._library.flite_text_to_wave.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
        self._library.flite_feat_set_float.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float]
        self._library.delete_wave.argtypes = [ctypes.POINTER(_Wave)]
        self._voices: dict[str, int] = {}

    def load(self, name: str) -> int:
        """The address of a voice, loaded when it is first asked for; raises LibraryMissing."""
        if name not in self._voices:
            try:
                register = ctypes.CDLL(f"libflite_cmu_us_{name}.so.1")[f"register_cmu_us_{name}"]
            except (OSError, AttributeError) as error:
                raise LibraryMissing(f"flite {name}") from error
            register.restype, register.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
            found = register(None)
            if not found:
                raise LibraryMissing(f"flite {name}")
            self._voices[name] = found
        return self._voices[name]

    def speak(self, voice: str, text: str, *, rate: float, pitch_hz: float) -> Sound:
        """Speak ASCII text. rate: 1 is the voice's own. pitch_hz: mean of the voice, 0 leaves it as it is.

        Raises LibraryMissing, SpeechRefused.
        """
        pointer = self.load(voice)
        features = ctypes.cast(pointer, ctypes.POINTER(_Voice)).contents.features
        self._library.flite_feat_set_float(features, b"duration_stretch", 1 / rate)
        if pitch_hz:
            self._library.flite_feat_set_float(features, b"int_f0_target_mean", pitch_hz)
        wave = self._library.flite_text_to_wave(text.encode("ascii", "ignore"), pointer)
        if not wave:
            raise SpeechRefused("no sound")
        try:
            found = wave.contents
            return int(found.rate_hz), ctypes.string_at(found.samples, 2 * found.count * found.channels)
        finally:
            self._library.delete_wave(wave)


# speak_lib.h: AUDIO_OUTPUT_SYNCHRONOUS, espeakINITIALIZE_DONT_EXIT, espeakCHARS_UTF8, espeakENDPAUSE, POS_CHARACTER.
_SYNCHRONOUS, _DO_NOT_EXIT, _UTF8, _END_PAUSE, _CHARACTERS, _IPA = 2, 0x8000, 1, 0x1000, 1, 0x02
_RATE, _PITCH, _RANGE = 1, 3, 4
_MiB = 1 << 20
_LONGEST = 120 * _MiB
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """A hundred languages by formant synthesis; the library and its data come with the package espeakng_loader."""

    def __init__(self) -> None:
        try:
            import espeakng_loader

            data = espeakng_loader.get_data_path()
            self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        except (ImportError, OSError, RuntimeError) as error:
            raise LibraryMissing("espeak-ng") from error
        self._library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        self.rate_hz = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DO_NOT_EXIT))
        if self.rate_hz <= 0:
            raise LibraryMissing("espeak-ng")
        self._library.espeak_Synth.argtypes = [
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
        self._pieces: list[bytes] = []
        self._size = 0
        # The library keeps only the address: the object has to live as long as the library is used.
        self._callback: Callable[..., int] = _Callback(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    def _take(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int) -> int:
        if samples and count > 0:
            self._pieces.append(ctypes.string_at(samples, 2 * count))
            self._size += 2 * count
        return int(self._size > _LONGEST)

    def _choose(self, voice: str) -> None:
        if self._library.espeak_SetVoiceByName(voice.encode("ascii", "ignore")) != 0:
            raise SpeechRefused("no such voice")

    def speak(self, voice: str, text: str, *, words_a_minute: int, pitch: int) -> Sound:
        """Speak text. voice: language and variant as "cmn+f3"; pitch: 0 to 100, 50 is the voice's own.

        Raises SpeechRefused.
        """
        self._choose(voice)
        self._library.espeak_SetParameter(_RATE, words_a_minute, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        self._pieces, self._size = [], 0
        data = text.encode() + b"\0"
        if self._library.espeak_Synth(data, len(data), 0, _CHARACTERS, 0, _UTF8 | _END_PAUSE, None, None) != 0:
            raise SpeechRefused("no sound")
        self._library.espeak_Synchronize()
        if self._size > _LONGEST:
            raise SpeechRefused("endless sound")
        return self.rate_hz, b"".join(self._pieces)

    def phonemes(self, voice: str, text: str) -> str:
        """The text in IPA, clauses separated by spaces; for neural voices. Raises SpeechRefused."""
        self._choose(voice)
        buffer = ctypes.create_string_buffer(text.encode() + b"\0")
        place = ctypes.c_char_p(ctypes.addressof(buffer))
        found = []
        while place.value is not None:
            clause = self._library.espeak_TextToPhonemes(ctypes.byref(place), _UTF8, _IPA)
            if clause is None:
                break
            found.append(clause.decode("utf-8", "ignore").strip())
        return " ".join(part for part in found if part)


class Speakers:
    """The libraries of one conversation, each loaded when it is first asked for."""

    def __init__(self) -> None:
        self._flite: Flite | None = None
        self._espeak: Espeak | None = None

    def answer(self, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Answer one request of engines.voice.speech: a body and, for a sound, its samples."""
        try:
            match asked["op"]:
                case "flite":
                    self._flite = self._flite or Flite()
                    rate_hz, samples = self._flite.speak(
                        asked["voice"], asked["text"], rate=asked["rate"], pitch_hz=asked["pitch_hz"]
                    )
                    return {"rate_hz": rate_hz}, samples
                case "espeak":
                    self._espeak = self._espeak or Espeak()
                    rate_hz, samples = self._espeak.speak(
                        asked["voice"], asked["text"], words_a_minute=asked["words_a_minute"], pitch=asked["pitch"]
                    )
                    return {"rate_hz": rate_hz}, samples
                case "look":
                    if asked["library"] == "flite":
                        self._flite = self._flite or Flite()
                        self._flite.load(asked["voice"])
                    else:
                        self._espeak = self._espeak or Espeak()
                    return {}, b""
                case "phonemes":
                    self._espeak = self._espeak or Espeak()
                    return {"phonemes": self._espeak.phonemes(asked["voice"], asked["text"])}, b""
                case _:
                    return {"refused": "unknown request"}, b""
        except LibraryMissing as error:
            return {"missing": str(error)}, b""
        except SpeechRefused as error:
            return {"refused": str(error)}, b""
