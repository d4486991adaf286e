"""picture.enhance: a clearer picture by rules: less noise, more pixels, more contrast, colours that faded.

With a model pack it is enlarged by a neural model instead, which invents what it does not see.

Nobody is made to look like somebody else, but whoever is seen is edited: a picture with faces needs their consent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from compliance.errors import NotAPicture, PictureTooLarge
from compliance.media import MediaInfo, Origin, Pixels, SyntheticMedia
from compliance.permit import Permit, Role
from engines._cv import cv2
from engines.engine import FoundFace, Option, Request, engine
from engines.job import CancelToken, Events, Progress
from engines.picture import filters, upscaling
from engines.picture.networks import Network, Shelf
from engines.picture.options import checked
from engines.source import LIMIT_MEGAPIXELS, decode

METHODS = ("nlm", "tv")


def the_target(request: Request, inputs: Mapping[Role, bytes], extra: tuple[Role, ...] = ()) -> dict[Role, Pixels]:
    """The decoded inputs; raises NotAPicture when the target is missing or there is one that is not asked for."""
    names: dict[Role, str] = {item.role: item.name for item in request.inputs}
    given = {role: decode(names.get(role, role), data) for role, data in inputs.items()}
    for role in given:
        if role not in ("target", *extra):
            raise NotAPicture(path=names.get(role, role), reason="this engine works on one picture")
    if "target" not in given:
        raise NotAPicture(path="target", reason="a picture to work on is needed")
    return given


def verify_size(name: str, pixels: Pixels, scale: int) -> None:
    """Raise PictureTooLarge when the enlarged picture would be over the limit of the decoder."""
    height, width = (side * scale for side in pixels.shape[:2])
    if width * height > LIMIT_MEGAPIXELS * 1_000_000:
        raise PictureTooLarge(path=name, width=width, height=height, limit_mp=LIMIT_MEGAPIXELS)


@engine
class Enhance:
    """One picture, clearer. Same request, same bytes."""

    id = "picture.enhance"
    version = "1"
    function = "picture.enhance"
    options: tuple[Option, ...] = (
        Option("denoise", 0.3, "How much noise is taken away.", minimum=0, maximum=1),
        Option("method", "nlm", "How noise is found: nlm for photographs, tv for drawings.", choices=METHODS),
        Option("scale", 1, "How many times wider and higher.", minimum=1, maximum=4, choices=(1, 2, 4)),
        Option("sharpness", 0.5, "How sharp an enlarged picture is made.", minimum=0, maximum=1),
        Option("contrast", 0.3, "How much contrast each part of the picture gains.", minimum=0, maximum=1),
        Option("fade", 0.0, "How far faded colours are brought back.", minimum=0, maximum=1),
        Option("pack", "", "A model pack that enlarges; without a scale as many times as it does."),
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
        """One enhanced picture.

        Raises NotAPicture, PictureTooLarge, OptionUnfit; of a pack PackMissing, PackUnfit, PackDamaged, ModelUnfit.
        """
        cancel.check()
        given = the_target(request, inputs)
        settings = checked(request, self.options)
        permit.verify_faces(request.faces_edited)
        picture = given["target"]
        scale, denoise = int(settings["scale"]), float(settings["denoise"])
        contrast, fade, sharpness = (float(settings[name]) for name in ("contrast", "fade", "sharpness"))
        network = self._shelf.network(str(settings["pack"]), upscaling.KINDS) if settings["pack"] else None
        factor = upscaling.factor_of(network) if network is not None else 1
        scale = factor if network is not None and scale == 1 else scale
        # A model may make more of it than was asked for; what is too much is taken back afterwards.
        verify_size("target", picture, max(scale, factor))
        remove = filters.denoise_tv if settings["method"] == "tv" else filters.denoise_nlm
        steps: list[tuple[str, Callable[[Pixels], Pixels]]] = []
        if denoise > 0:
            steps.append(("removing noise", lambda pixels: remove(pixels, denoise, cancel.check)))
        if fade > 0:
            steps.append(("bringing colours back", lambda pixels: filters.unfade(pixels, fade)))
        if contrast > 0:
            steps.append(("raising the contrast", lambda pixels: filters.equalise(pixels, contrast)))
        if network is not None:
            steps.append(
                (
                    "enlarging the picture",
                    lambda pixels: _by_model(network, factor, scale, pixels, cancel),
                )
            )
        elif scale > 1:
            steps.append(
                ("enlarging the picture", lambda pixels: filters.enlarge(pixels, scale, sharpness, cancel.check))
            )
        for done, (stage, act) in enumerate(steps):
            events(Progress(done, len(steps), stage))
            cancel.check()
            picture = act(picture)
        cancel.check()
        events(Progress(len(steps), len(steps), "finished"))
        height, width = picture.shape[:2]
        origin: Origin = "algorithmicallyEnhanced" if network is None else "compositeWithTrainedAlgorithmicMedia"
        info = MediaInfo(
            "picture",
            width,
            height,
            "sRGB",
            origin,
            self.id,
            self.version,
            faces_edited=request.faces_edited,
            warnings=() if steps else ("every strength is zero, so nothing was changed",),
        )
        return SyntheticMedia(picture, info)


def _by_model(network: Network, factor: int, scale: int, pixels: Pixels, cancel: CancelToken) -> Pixels:
    """Enlarged by the model, then brought to the scale that was asked for."""
    large = upscaling.enlarge(network, factor, pixels, cancel.check)
    if factor == scale:
        return large
    height, width = (side * scale for side in pixels.shape[:2])
    how = cv2.INTER_AREA if scale < factor else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(large, (width, height), interpolation=how), np.uint8)
