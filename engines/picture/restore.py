"""picture.restore: scratches and dust found, shown as a mask that can be edited, and filled from their surroundings."""

from __future__ import annotations

from collections.abc import Mapping

from compliance.errors import PictureTooSmallForLabel
from compliance.media import MediaInfo, SyntheticMedia
from compliance.permit import Permit, Role
from engines.engine import FoundFace, Option, Request, engine
from engines.job import CancelToken, Events, Progress
from engines.picture import filters
from engines.picture.enhance import the_target
from engines.picture.options import checked
from engines.source import decode

RESULTS = ("picture", "mask")
_MUCH = 0.08
_SMALLEST_PX = 32


def damage(name: str, data: bytes, sensitivity: float) -> tuple[int, int, bytes]:
    """Where one encoded picture is likely damaged: width, height, and one bit a pixel, each row from a new byte.

    It is drawn from what is given, not from anything made. Raises NotAPicture, PictureTooLarge.
    """
    import numpy as np

    picture = decode(name, data)
    height, width = picture.shape[:2]
    if min(height, width) < _SMALLEST_PX:
        return width, height, bytes((width + 7) // 8 * height)
    return width, height, np.packbits(filters.find_damage(picture, sensitivity) > 0, axis=1).tobytes()


@engine
class Restore:
    """One picture without its scratches. Same request, same bytes."""

    id = "picture.restore"
    version = "1"
    function = "picture.enhance"
    options: tuple[Option, ...] = (
        Option("sensitivity", 0.5, "How faint a scratch may be to be found.", minimum=0, maximum=1),
        Option("radius", 3.0, "From how far around a scratch is filled.", minimum=1, maximum=20, unit="px"),
        Option("fade", 0.0, "How far faded colours are brought back.", minimum=0, maximum=1),
        Option("result", "picture", "The restored picture, or the mask in red, to be edited.", choices=RESULTS),
    )

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """This engine looks for no faces; the worker asks the face engine."""
        decode(name, data)
        return []

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """One restored picture, by the mask given or, without one, by the mask found.

        Raises NotAPicture, OptionUnfit, PictureTooSmallForLabel (below 32 px nothing can be told from damage).
        """
        cancel.check()
        given = the_target(request, inputs, ("mask",))
        settings = checked(request, self.options)
        permit.verify_faces(request.faces_edited)
        picture = given["target"]
        height, width = picture.shape[:2]
        if min(height, width) < _SMALLEST_PX:
            raise PictureTooSmallForLabel(width=width, height=height, minimum=_SMALLEST_PX)
        events(Progress(0, 2, "looking for scratches"))
        cancel.check()
        if "mask" in given:
            mask = filters.read_mask(given["mask"], width, height)
        else:
            mask = filters.find_damage(picture, float(settings["sensitivity"]))
        share = float((mask > 0).mean())
        events(Progress(1, 2, "filling the scratches"))
        cancel.check()
        if settings["result"] == "mask":
            picture = filters.show_mask(picture, mask)
        else:
            picture = filters.inpaint(picture, mask, float(settings["radius"])) if share else picture
            if float(settings["fade"]) > 0:
                picture = filters.unfade(picture, float(settings["fade"]))
        cancel.check()
        events(Progress(2, 2, "finished"))
        warnings = []
        if not share:
            warnings.append("no scratch was found")
        elif share > _MUCH and "mask" not in given:
            warnings.append("much was taken for damage: look at the mask and edit it")
        info = MediaInfo(
            "picture",
            width,
            height,
            "sRGB",
            "algorithmicallyEnhanced",
            self.id,
            self.version,
            faces_edited=request.faces_edited,
            warnings=tuple(warnings),
        )
        return SyntheticMedia(picture, info)
