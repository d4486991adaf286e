"""picture.cutout: what stands in front of a picture, on a plain colour, by a neural model on a pack.

The model (kind "picture.cutout") follows U²-Net or IS-Net: one picture (1, 3, side, side) goes in, and the first output
is how much each place belongs to the front. IS-Net is told by its side of 1024. Other sides and numbers stand in
cutout.json: size, mean, deviation. The result has no transparency: the label stands on every pixel that is released.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from compliance.errors import ModelUnfit, OptionUnfit
from compliance.media import MediaInfo, Pixels, SyntheticMedia
from compliance.permit import Permit, Role
from engines._cv import cv2
from engines.engine import FoundFace, Option, Request, engine
from engines.job import CancelToken, Events, Progress
from engines.packs import pack_named
from engines.picture.enhance import the_target
from engines.picture.networks import Network, Shelf
from engines.picture.options import checked
from engines.source import decode

KINDS: Final = ("picture.cutout",)
SETTINGS: Final = "cutout.json"
COLOURS: Final = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "grey": (128, 128, 128),
    "green": (0, 177, 64),
    "blue": (0, 71, 187),
}
N_ALL, N_NOTHING = "the model took the whole picture for the front", "the model found nothing in front"
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_USUAL_SIDE, _ISNET_SIDE, _SIDES = 320, 1024, (32, 2048)
_OF_ISNET = ((0.5, 0.5, 0.5), (1.0, 1.0, 1.0))
_OF_U2NET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@engine
class Cutout:
    """The front of one picture on a plain colour, or its mask. Same request, same bytes."""

    id = "picture.cutout"
    version = "1"
    function = "picture.enhance"
    options: tuple[Option, ...] = (
        Option("pack", "", "The model pack."),
        Option("background", "white", "The colour behind: white, black, grey, green, blue or #rrggbb."),
        Option("result", "picture", "The picture, or the mask of what is in front.", choices=("picture", "mask")),
    )

    def __init__(self) -> None:
        self._shelf = Shelf()

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """This engine looks for no faces; the worker asks the face engine."""
        decode(name, data)
        return []

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """One picture; raises NotAPicture, OptionUnfit, PackMissing, PackUnfit, PackDamaged, ModelUnfit."""
        cancel.check()
        picture = the_target(request, inputs)["target"]
        settings = checked(request, self.options)
        colour = colour_of(str(settings["background"]))
        permit.verify_faces(request.faces_edited)
        events(Progress(0, 2, "loading the model"))
        network = self._shelf.network(str(settings["pack"]), KINDS)
        cancel.check()
        events(Progress(1, 2, "finding what is in front"))
        front = find_front(network, picture)
        cancel.check()
        if settings["result"] == "mask":
            made = np.repeat((front * 255 + 0.5).astype(np.uint8)[..., None], 3, axis=2)
        else:
            weight = front[..., None]
            made = (picture * weight + np.array(colour, np.float32) * (1 - weight) + 0.5).astype(np.uint8)
        cancel.check()
        events(Progress(2, 2, "finished"))
        height, width = made.shape[:2]
        share = float(front.mean())
        warnings = (N_NOTHING,) if share < 0.001 else (N_ALL,) if share > 0.999 else ()
        info = MediaInfo(
            "picture",
            width,
            height,
            "sRGB",
            "compositeWithTrainedAlgorithmicMedia",
            self.id,
            self.version,
            faces_edited=request.faces_edited,
            warnings=warnings,
        )
        return SyntheticMedia(made, info)


def colour_of(text: str) -> tuple[int, int, int]:
    """Red, green, blue of a name or #rrggbb; raises OptionUnfit, also for a transparent background."""
    if text in COLOURS:
        return COLOURS[text]
    if not _HEX.fullmatch(text):
        allowed = "white, black, grey, green, blue or six hexadecimal digits behind a cross; nothing transparent"
        raise OptionUnfit(option="background", value=text[:40], allowed=allowed)
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def find_front(network: Network, pixels: Pixels) -> NDArray[np.float32]:
    """How much each pixel belongs to the front: float32, (height, width), 0 to 1. Raises ModelUnfit."""
    side, mean, deviation = _settings(network)
    small = cv2.resize(pixels, side[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    planes = ((small - np.array(mean, np.float32)) / np.array(deviation, np.float32)).transpose(2, 0, 1)[None]
    found = network.ask(np.ascontiguousarray(planes, np.float32))[0, 0]
    if min(found.shape) < _SIDES[0] // 4:
        raise ModelUnfit(pack=network.pack, reason="its model answers with something other than a mask")
    low, high = float(found.min()), float(found.max())
    # Both papers stretch the answer to its whole range; one that is flat has nothing to stretch: all of it or nothing.
    spread = (found - low) / (high - low) if high - low > 1e-3 else np.full_like(found, float(low >= 0.5))
    size = pixels.shape[1], pixels.shape[0]
    return np.asarray(np.clip(cv2.resize(spread, size, interpolation=cv2.INTER_LINEAR), 0, 1), np.float32)


def _settings(network: Network) -> tuple[tuple[int, int], tuple[float, ...], tuple[float, ...]]:
    pack = pack_named(network.pack)
    told: dict[str, Any] = {}
    try:
        if SETTINGS in pack.files:
            told = dict(json.loads(pack.path(SETTINGS).read_bytes()))
        usual = int(told.get("size", _USUAL_SIDE))
        side = network.fixed_px or (usual, usual)
        usual_mean, usual_deviation = _OF_ISNET if side[0] == _ISNET_SIDE else _OF_U2NET
        mean = tuple(float(value) for value in told.get("mean", usual_mean))
        deviation = tuple(float(value) for value in told.get("deviation", usual_deviation))
        if len(mean) != 3 or len(deviation) != 3 or min(deviation) <= 0:
            raise ValueError
        if not all(_SIDES[0] <= value <= _SIDES[1] for value in side):
            raise ValueError
    except (ValueError, TypeError, OSError) as error:
        raise ModelUnfit(pack=pack.id, reason="its settings cannot be read") from error
    return side, mean, deviation
