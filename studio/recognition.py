"""Faces compared with the people who agreed: pictures go to the worker, templates stay sealed in the home."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compliance import store
from compliance.consent_record import Biometric
from compliance.errors import (
    EvidenceFaceMismatch,
    EvidenceVoiceMismatch,
    FaceIndexUnknown,
    NoFaceFound,
    RecogniserMissing,
    SignetError,
)
from compliance.gate import FaceMatch
from compliance.keys import HomeKeys
from compliance.matching import Vector, best_similarity, keep_templates, match_faces, templates_of
from studio.packs import list_packs
from studio.runner import JobRunner

KIND = "face-recogniser"
VOICE_ENCODER, SPEAKER_KIND = "speaker-encoder", "speaker"
_REMEMBERED = 32


@dataclass(frozen=True, slots=True)
class HeardVoice:
    """The templates of one recording. stretches: of some seconds each, each with a little more allowance.

    recording_s: how long all of it is.
    """

    model_sha256: str
    threshold: float
    whole: Vector
    stretches: tuple[Vector, ...]
    allowance: float
    recording_s: float

    def score(self, templates: Sequence[Vector]) -> float:
        """How well the recording fits a person, by its least fitting stretch: nobody else may speak in between."""
        least = min((best_similarity(vector, templates) for vector in self.stretches), default=1.0)
        return min(best_similarity(self.whole, templates), least + self.allowance)


class Recognition:
    """The recogniser pack of a home, where there is one. Templates of pictures live in memory only."""

    def __init__(
        self, home: Path, rows: store.Store, runner: JobRunner, keys_if_open: Callable[[], HomeKeys | None]
    ) -> None:
        self._home, self._rows, self._runner, self._keys_if_open = home, rows, runner, keys_if_open
        self._seen: dict[tuple[str, str], dict[int, Vector]] = {}
        self._thresholds: dict[str, float] = {}
        self._heard: dict[tuple[str, str], HeardVoice] = {}

    def pack_id(self, kind: str = KIND) -> str | None:
        """The recogniser pack, or the speaker pack, that is installed: the first by id."""
        return next((pack.id for pack in list_packs(self._home) if pack.kind == kind), None)

    def look(self, name: str, data: bytes) -> tuple[str, dict[int, Vector]] | None:
        """(model, templates by face number) of a picture, remembered for the gate; None without a pack."""
        pack_id = self.pack_id()
        if pack_id is None:
            return None
        model, threshold, faces = self._runner.embed(pack_id, name, data)
        found = {number: np.asarray(values, np.float32) for number, values in faces.items()}
        self._thresholds[model] = threshold
        self._seen[hashlib.sha256(data).hexdigest(), model] = found
        while len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return model, found

    def enrol(self, keys: HomeKeys, subject_id: str, still: bytes, asset: bytes, face: int | None) -> Biometric:
        """Compare the evidence with the asset and keep the evidence's template; what the record says of it.

        still: a picture with the person alone. face: the number in the asset, where it shows several.
        Raises RecogniserMissing, NoFaceFound, FaceIndexUnknown, EvidenceFaceMismatch.
        """
        evidence, shown = self.look("evidence", still), self.look("asset", asset)
        if evidence is None or shown is None:
            raise RecogniserMissing(consent="-", model="-")
        model, own = evidence
        if len(own) != 1:
            raise (
                NoFaceFound(path="evidence") if not own else FaceIndexUnknown(path="evidence", index=1, found=len(own))
            )
        number = face or (next(iter(shown[1])) if len(shown[1]) == 1 else 0)
        if number not in shown[1]:
            raise FaceIndexUnknown(path="asset", index=number, found=len(shown[1]))
        template, threshold = own[1], self._thresholds[model]
        score = best_similarity(shown[1][number], [template])
        if score < threshold:
            raise EvidenceFaceMismatch(
                face=number, role="target", consent="-", score=round(score, 3), threshold=threshold
            )
        keep_templates(self._rows, keys, subject_id, "face", model, [template])
        return Biometric(str(self.pack_id()), model, threshold, round(score, 6), 1)

    def listen(self, name: str, data: bytes) -> HeardVoice:
        """The voice in a recording by the speaker pack or else the built-in encoder, remembered for the gate.

        The built-in encoder listens in either case: consents that were given before the pack came name it. Raises
        NotASound, SoundTooLong, VoiceNotFound, ModelDamaged, PackDamaged.
        """
        pack_id = self.pack_id(SPEAKER_KIND)
        heard = self._hear(name, data, "")
        return heard if pack_id is None else self._hear(name, data, pack_id)

    def _hear(self, name: str, data: bytes, pack_id: str) -> HeardVoice:
        told = self._runner.embed_voice(name, data, pack_id)
        heard = HeardVoice(
            str(told["model_sha256"]),
            float(told["threshold"]),
            np.asarray(told["voice"], np.float32),
            tuple(np.asarray(stretch, np.float32) for stretch in told["stretches"]),
            float(told["allowance"]),
            float(told["recording_s"]),
        )
        self._heard[hashlib.sha256(data).hexdigest(), heard.model_sha256] = heard
        # Two templates of a recording where there is a pack.
        while len(self._heard) > 2 * _REMEMBERED:
            del self._heard[next(iter(self._heard))]
        return heard

    def enrol_voice(self, keys: HomeKeys, subject_id: str, evidence: bytes, asset: bytes) -> Biometric:
        """Compare the spoken evidence with the recording and keep the evidence's template; what the record says of it.

        With a speaker pack its model compares, and the consent is matched by that model from then on. Raises
        NotASound, SoundTooLong, VoiceNotFound, EvidenceVoiceMismatch, PackDamaged.
        """
        own, shown = self.listen("evidence", evidence), self.listen("recording", asset)
        score = shown.score([own.whole])
        if score < own.threshold:
            raise EvidenceVoiceMismatch(
                face=1, role="target", consent="-", score=round(score, 3), threshold=own.threshold
            )
        keep_templates(self._rows, keys, subject_id, "voice", own.model_sha256, [own.whole])
        compared_by = self.pack_id(SPEAKER_KIND) or VOICE_ENCODER
        return Biometric(compared_by, own.model_sha256, own.threshold, round(score, 6), 1)

    def match(
        self, likeness: str, asset_sha256: str, subject_id: str, model_sha256: str, threshold: float
    ) -> list[FaceMatch] | None:
        """What the gate asks: see compliance.gate.Matcher."""
        keys, faces = self._keys_if_open(), self._seen.get((asset_sha256, model_sha256))
        heard = self._heard.get((asset_sha256, model_sha256)) if likeness == "voice" else None
        if keys is None or (heard if likeness == "voice" else faces) is None:
            return None
        try:
            templates = templates_of(self._rows, keys, subject_id, likeness, model_sha256)
        except SignetError:
            # A person whose key was destroyed has no face any more that could be compared.
            templates = []
        if heard is not None:
            score = heard.score(templates)
            return [FaceMatch(1, score, bool(templates) and score >= threshold)]
        return match_faces(faces or {}, templates, threshold)
