"""The part of the workshop that plans work; see studio.workshop for the whole.

A plan holds a request with the bytes it speaks of, read once. Nothing here asks the gate and nothing is made.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.errors import FaceIndexUnknown, NoFaceFound, OptionUnfit
from compliance.material import Material
from compliance.media import Kind
from engines.engine import FoundFace, Input, Request
from engines.sound import sound_mime
from studio import pack_voices, pictures, sealing, voice_changes, voices
from studio.inputs import read_input
from studio.offers import PictureOffer, picture_offers
from studio.recognition import Recognition
from studio.runner import JobRunner

FACE_ENGINE = "face.mesh"
_MAGIC = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"II\*\x00|MM\x00\*"), "image/tiff"),
    (re.compile(rb"....ftyp(avif|avis|mif1)", re.DOTALL), "image/avif"),
)


@dataclass(frozen=True, slots=True)
class SwapPlan:
    """A request with the bytes it speaks of; faces are those found in the target.

    paths: where the bytes were read, so that no release takes the place of an original. words: what a document says.
    """

    request: Request
    materials: tuple[Material, ...]
    faces: tuple[FoundFace, ...]
    paths: tuple[Path, ...] = ()
    words: tuple[tuple[str, str], ...] = ()


class Planning:
    """Plans for faces, pictures, voices, speech and seals; mixed into the workshop."""

    home: Path
    _runner: JobRunner
    _recognition: Recognition

    def survey(self, picture: Path) -> list[FoundFace]:
        """Faces in a picture, left to right; raises FileMissing, NotAPicture, PictureTooLarge."""
        return self._runner.survey(FACE_ENGINE, picture.name, read_input(picture))

    def plan_swap(
        self,
        source: Path,
        target: Path,
        consents: Sequence[str],
        *,
        face: int = 0,
        purpose: str = "private",
        strength: float = 1.0,
        source_face: int = 0,
        declared_uses: Sequence[str] = (),
        territory: str = "",
        project: str = "",
    ) -> SwapPlan:
        """Read both pictures once and look for faces; face 0 means all, source_face 0 the largest.

        The gate is not asked yet. declared_uses, territory, project: what the result is for, as consents restrict it.
        Raises FileMissing, NotAPicture, PictureTooLarge, NoFaceFound, FaceIndexUnknown, OptionUnfit.
        """
        if not 0.0 <= strength <= 1.0:
            raise OptionUnfit(option="--strength", value=strength, allowed="0–1")
        source_data, target_data = read_input(source), read_input(target)
        lent = self._runner.survey(FACE_ENGINE, source.name, source_data)
        if not lent:
            raise NoFaceFound(path=source)
        if source_face > len(lent):
            raise FaceIndexUnknown(path=source, index=source_face, found=len(lent))
        faces = self._runner.survey(FACE_ENGINE, target.name, target_data)
        if not faces:
            raise NoFaceFound(path=target)
        if face > len(faces):
            raise FaceIndexUnknown(path=target, index=face, found=len(faces))
        for path, data in ((source, source_data), (target, target_data)):
            self._recognition.look(path.name, data)
        # The number is named, so that engine and gate speak of one and the same face.
        source_face = source_face or max(lent, key=lambda found: found.box[2] * found.box[3]).number
        edited = (face,) if face else tuple(found.number for found in faces)
        inputs = (
            Input("source", "face", hashlib.sha256(source_data).hexdigest(), source.name, (source_face,), len(lent)),
            Input("target", "face", hashlib.sha256(target_data).hexdigest(), target.name, edited, len(faces)),
        )
        request = Request(
            function="face.swap",
            engine=FACE_ENGINE,
            inputs=inputs,
            options={"face": face, "source_face": source_face, "strength": strength},
            purpose=purpose,
            faces_edited=len(edited),
            consents=tuple(dict.fromkeys(consents)),
            declared_uses=tuple(dict.fromkeys(declared_uses)),
            territory=territory,
            project=project,
        )
        materials = (
            Material("source", mime_of(source_data), source_data),
            Material("target", mime_of(target_data), target_data),
        )
        return SwapPlan(request, materials, tuple(faces), (source, target))

    def plan_picture(
        self,
        engine_id: str,
        options: Mapping[str, Any],
        *,
        seed: int = 0,
        picture: Path | None = None,
        mask: Path | bytes | None = None,
        consents: Sequence[str] = (),
        purpose: str = "private",
    ) -> SwapPlan:
        """A picture from words, or of the one given; whoever is seen on that needs a consent.

        mask: where it is painted into, a file or the bytes of a PNG. The gate is not asked yet.
        Raises OptionUnfit, PackMissing, PackDamaged, FileMissing, NotAPicture, PictureTooLarge.
        """
        request, given, faces = pictures.plan(
            self.home,
            self._look,
            engine_id,
            options,
            seed=seed,
            picture=picture,
            mask=mask,
            consents=consents,
            purpose=purpose,
        )
        materials = tuple(
            Material(item.role, mime_of(data), data) for item, data in zip(request.inputs, given, strict=True)
        )
        return SwapPlan(request, materials, faces, tuple(path for path in (picture, mask) if isinstance(path, Path)))

    def picture_offers(self) -> list[PictureOffer]:
        """What can make or change a picture here; raises PackDamaged."""
        return picture_offers(self.home)

    def find_damage(self, picture: Path, sensitivity: float = 0.5) -> tuple[int, int, bytes]:
        """Where a picture is likely scratched: width, height, and one bit a pixel, each row from a new byte.

        A proposal, to be edited. sensitivity: 0 to 1. Raises FileMissing, NotAPicture, PictureTooLarge.
        """
        return self._runner.find_damage(picture.name, read_input(picture), min(1.0, max(0.0, sensitivity)))

    def plan_voice(
        self,
        engine_id: str,
        options: Mapping[str, Any],
        *,
        target: Path,
        source: Path | None = None,
        consents: Sequence[str] = (),
        purpose: str = "private",
        declared_uses: Sequence[str] = (),
        territory: str = "",
        project: str = "",
    ) -> SwapPlan:
        """A recorded voice leaned towards that of the source (engine voice.lean), changed into it by the model of the
        option "pack" (voice.converter), or edited (voice.attribute).

        Whoever is heard in either recording needs a consent. The gate is not asked yet. Raises OptionUnfit,
        FileMissing, NotASound, SoundTooLong, VoiceNotFound, PackMissing, PackDamaged, PackUnfit.
        """
        request, recordings = voice_changes.plan(
            self.home,
            self._recognition.listen,
            engine_id,
            options,
            target=target,
            source=source,
            consents=consents,
            purpose=purpose,
            declared_uses=declared_uses,
            territory=territory,
            project=project,
        )
        materials = tuple(
            Material(item.role, mime_of(data), data) for item, data in zip(request.inputs, recordings, strict=True)
        )
        return SwapPlan(request, materials, (), tuple(path for path in (source, target) if path is not None))

    def plan_speech(
        self,
        options: Mapping[str, Any],
        *,
        seed: int = 0,
        purpose: str = "private",
        reference: Path | None = None,
        consents: Sequence[str] = (),
        declared_uses: Sequence[str] = (),
        territory: str = "",
        project: str = "",
    ) -> SwapPlan:
        """Speech by a built-in voice or, with the option "pack", by a neural one; options: of that engine.

        These voices are nobody's likeness; reference is a recording whose voice is taken on, which needs a consent,
        and what restricts that consent is said as for a change: declared_uses, territory, project.
        Raises OptionUnfit, TextEmpty, TextTooLong, MarkupUnclear, ScriptUnclear, LanguageUnspoken, PackMissing,
        PackDamaged, PackUnfit, FileMissing, NotASound, SoundTooLong, VoiceNotFound.
        """
        if not options.get("pack"):
            if reference is not None:
                raise OptionUnfit(option="--reference", value=reference.name, allowed="only with --pack")
            return SwapPlan(voices.plan(options, seed=seed, purpose=purpose), (), ())
        request, data = pack_voices.plan(
            self.home,
            self._recognition.listen,
            options,
            seed=seed,
            reference=reference,
            consents=consents,
            purpose=purpose,
            declared_uses=declared_uses,
            territory=territory,
            project=project,
        )
        if data is None or reference is None:
            return SwapPlan(request, (), ())
        return SwapPlan(request, (Material("source", sound_mime(data) or "", data),), (), (reference,))

    def plan_seal(
        self,
        path: Path,
        *,
        made_with: str,
        origin: str = "",
        nobody_real: bool = False,
        consents: Sequence[str] = (),
        purpose: str = "private",
    ) -> SwapPlan:
        """Label what another program made. Whoever is seen or heard needs a consent.

        nobody_real: the account declares instead that there is no real person in it; that stands in the ledger. The
        gate is not asked yet. Raises FileMissing, NotAPicture, NotAVideo, NotADocument, ConsentMissing,
        VoiceConsentMissing.
        """
        made = sealing.plan(
            self._look_into,
            path,
            made_with=made_with,
            origin=origin,
            nobody_real=nobody_real,
            consents=consents,
            purpose=purpose,
        )
        materials = (Material("target", mime_of(made.data), made.data),)
        return SwapPlan(made.request, materials, made.faces, (path,), made.words)

    def _look_into(self, kind: Kind, name: str, data: bytes) -> list[FoundFace]:
        return self._look(name, data) if kind == "picture" else self._runner.sight(name, data)

    def _look(self, name: str, data: bytes) -> list[FoundFace]:
        faces = self._runner.survey(FACE_ENGINE, name, data)
        if faces:
            self._recognition.look(name, data)
        return faces


def mime_of(data: bytes) -> str:
    """The type of a picture or sound by its first bytes."""
    of_picture = next((mime for pattern, mime in _MAGIC if pattern.match(data)), None)
    return of_picture or sound_mime(data) or "application/octet-stream"
