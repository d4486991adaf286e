"""What the worker looks at pictures with: the built-in rules always, and the classifier that the permit names.

It stands between permit and engine, and between engine and everything else: a caller cannot leave it out, since the
permit is signed by the gate and the worker keeps no result that was not looked at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from copy import copy
from typing import TYPE_CHECKING, Any

from compliance.content import ContentHit
from compliance.errors import (
    ClassifierUnusable,
    ContentBlocked,
    PackDamaged,
    PackForeign,
    PackMissing,
    ReviewUnavailable,
)
from compliance.media import Pixels, SyntheticMedia
from compliance.permit import Permit
from engines import packs

if TYPE_CHECKING:
    from compliance.review_pictures import OnnxClassifier
    from engines.engine import Input

KIND = "content-classifier"
"""The kind of pack that looks at pictures."""
SETTINGS = "classifier.json"
"""The file of the pack that says how the model is used: model, labels, thresholds and so on; see OnnxClassifier."""
_NEEDED = {"model", "labels", "thresholds", "input_size"}
_ALLOWED = {*_NEEDED, "case_thresholds", "mean", "deviation", "output"}
# Pictures in an MPEG-4 container, by their brand.
_PICTURE_BRANDS = (b"avif", b"avis", b"mif1", b"msf1", b"heic", b"heix")
# The first bytes of sounds: FLAC, Ogg, MP3 with and without a tag; WAVE and MPEG-4 sound are told by more.
_SOUNDS = (b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")

_loaded: dict[str, OnnxClassifier] = {}


def load_classifier(pack_id: str, sha256: str) -> OnnxClassifier:
    """Verify and load the classifier pack with this digest, once a process; raises ClassifierUnusable alone."""

    try:
        if packs.pack_named(pack_id).digest() != sha256:
            raise ClassifierUnusable(part=pack_id, reason="it is not the pack that was chosen")
        if sha256 not in _loaded:
            pack = packs.pack_named(pack_id)
            pack.verify()
            _loaded[sha256] = _from_pack(pack)
    except PackMissing as error:
        raise ClassifierUnusable(part=pack_id, reason="the pack is missing") from error
    except (PackDamaged, PackForeign) as error:
        raise ClassifierUnusable(part=pack_id, reason="the pack is damaged") from error
    except ClassifierUnusable:
        raise
    except ReviewUnavailable as error:
        raise ClassifierUnusable(part=pack_id, reason=str(error.data["reason"])) from error
    return _loaded[sha256]


def _from_pack(pack: packs.ModelPack) -> OnnxClassifier:
    import json

    from compliance.review_pictures import OnnxClassifier

    try:
        told: dict[str, Any] = json.loads(pack.path(SETTINGS).read_bytes())
        if not _NEEDED <= told.keys() <= _ALLOWED:
            raise ValueError("fields")
        model = str(told.pop("model"))
        width, height = map(int, told.pop("input_size"))
        for name in ("mean", "deviation"):
            if name in told:
                told[name] = tuple(float(value) for value in told[name])
        return OnnxClassifier(
            id=pack.id, path=pack.path(model), sha256=pack.files[model], input_size=(width, height), **told
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ClassifierUnusable(part=pack.id, reason="its settings cannot be read") from error


class Looking:
    """The looks of one job. hits: what was found so far; a hard stop ends the job at the picture it stands in."""

    def __init__(self, permit: Permit) -> None:
        self.hits: list[ContentHit] = []
        self._told = 0
        self._classifier = load_classifier(permit.classifier, permit.classifier_sha256) if permit.classifier else None

    def untold(self) -> list[ContentHit]:
        """What was found since this was asked last."""
        new, self._told = self.hits[self._told :], len(self.hits)
        return new

    def look(self, frames: Iterable[Pixels], place: str, first: int = 0) -> None:
        """Look at one picture, or at every frame of a film: one frame is enough. Raises ContentBlocked.

        frames: uint8, (height, width, 3), sRGB. first: the number of the first frame.
        """
        from compliance.review import refuse_blocked
        from compliance.review_pictures import review_frames

        found: list[ContentHit] = []
        watched = self._by_rules(frames, place, first, found)
        if self._classifier is None:
            deque(watched, maxlen=0)
        else:
            for hit in review_frames(self._classifier, watched):
                rule = f"{self._classifier.id}/{hit.category}"
                found.append(ContentHit(rule, hit.category, hit.severity, place, hit.score, first + hit.frame))
        # A film is walked through more than once; what is known of a frame is told once.
        self.hits += [hit for hit in found if hit not in self.hits]
        refuse_blocked(found)

    def _by_rules(self, frames: Iterable[Pixels], place: str, first: int, found: list[ContentHit]) -> Iterator[Pixels]:
        from compliance import review_rules

        for number, pixels in enumerate(frames, start=first):
            found += review_rules.look(pixels, place, number)
            yield pixels

    def finds_nothing(self, unfinished: SyntheticMedia) -> bool:
        """Whether a picture that is not finished may be shown: nothing at all is found in it.

        It makes no hits, for the noise of the first steps looks like many things; the finished picture is looked at
        in any case. Raises ReviewUnavailable.
        """
        apart = copy(self)
        apart.hits = []
        try:
            apart.watched(unfinished)
        except ContentBlocked:
            return False
        return not apart.hits

    def look_at_input(self, item: Input, data: bytes, is_speech: bool = False) -> None:
        """Look at a picture or film that goes in; a mask shows nothing, and of a sound its words were reviewed.

        is_speech: the engine makes speech and looks at no picture itself. Raises ContentBlocked, NotAPicture and what
        else a picture may be refused for.
        """
        if item.role == "mask" or _is_sound(data) or (is_speech and _is_film(data)):
            return
        if _is_film(data):
            from compliance.decode_video import decode_film

            self.look((shot.pixels() for shot in decode_film(item.name, data)), item.role)
        else:
            from engines.source import decode

            self.look([decode(item.name, data)], item.role)

    def watched(self, media: SyntheticMedia) -> SyntheticMedia:
        """What was made, to be kept: looked at now, or frame by frame. Raises ContentBlocked, ReviewUnavailable."""
        from compliance.review_result import watched

        return watched(media, self.look)


def _is_sound(data: bytes) -> bool:
    return data.startswith(_SOUNDS) or (data[:4] == b"RIFF" and data[8:12] == b"WAVE") or data[4:11] == b"ftypM4A"


def _is_film(data: bytes) -> bool:
    """Whether these are the first bytes of a container for films: MPEG-4 but for its pictures, Matroska, AVI."""
    is_mpeg = data[4:8] == b"ftyp" and data[8:12] not in _PICTURE_BRANDS
    return is_mpeg or data.startswith(b"\x1aE\xdf\xa3") or (data[:4] == b"RIFF" and data[8:12] == b"AVI ")
