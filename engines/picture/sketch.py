"""picture.sketch: a painter of simple scenes by rules. It is not a neural model and says so.

It reads a prompt in English or Chinese, paints what it knows by numpy, and tells which words it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping

from compliance.errors import NotAPicture, OptionUnfit
from compliance.media import MediaInfo, SyntheticMedia
from compliance.permit import Permit, Role
from engines.engine import FoundFace, Option, Request, engine
from engines.job import CancelToken, Events, Progress
from engines.picture.options import SHORTEST_SIDE_PX, checked
from engines.picture.scene.painting import paint
from engines.picture.scene.parser import Wish, parse
from engines.source import decode

TITLE = "sketch painter, not a neural model"
_TOLD_WORDS, _TOLD_LETTERS = 12, 24
_STAGES = 5


@engine
class Sketch:
    """Scenes painted by rules from words. Same request, same bytes."""

    id = "picture.sketch"
    version = "1"
    function = "picture.generate"
    options: tuple[Option, ...] = (
        Option("prompt", "", "What the picture shows."),
        Option("negative", "", "What it does not show."),
        Option("width", 512, "Width of the picture.", minimum=SHORTEST_SIDE_PX, maximum=2048, unit="px"),
        Option("height", 512, "Height of the picture.", minimum=SHORTEST_SIDE_PX, maximum=2048, unit="px"),
    )

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """This engine looks for no faces: it takes no picture."""
        decode(name, data)
        return []

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """Paint one picture; raises OptionUnfit, and NotAPicture when it is given a picture to work on."""
        cancel.check()
        names: dict[Role, str] = {item.role: item.name for item in request.inputs}
        for role, data in inputs.items():
            name = names.get(role, role)
            decode(name, data)
            raise NotAPicture(path=name, reason="the sketch painter paints from words alone")
        settings = checked(request, self.options)
        for name in ("width", "height"):
            if settings[name] != int(settings[name]):
                raise OptionUnfit(option=name, value=settings[name], allowed=f"{SHORTEST_SIDE_PX} – 2048")
        if not str(settings["prompt"]).strip():
            raise OptionUnfit(option="prompt", value="empty", allowed="words for what the picture shows")
        events(Progress(0, _STAGES, "reading the words"))
        wish = parse(str(settings["prompt"]), str(settings["negative"]))
        done = 0

        def tick(stage: str) -> None:
            nonlocal done
            cancel.check()
            done = min(done + 1, _STAGES - 1)
            events(Progress(done, _STAGES, stage))

        pixels = paint(wish, int(settings["width"]), int(settings["height"]), request.seed, tick)
        cancel.check()
        events(Progress(_STAGES, _STAGES, "finished"))
        height, width = pixels.shape[:2]
        info = MediaInfo(
            "picture", width, height, "sRGB", "algorithmicMedia", self.id, self.version, warnings=_warnings(wish)
        )
        return SyntheticMedia(pixels, info)


def _warnings(wish: Wish) -> tuple[str, ...]:
    """What the painter could not do, in words for the user."""
    found = []
    if not wish.mentions and not wish.colours:
        found.append("the painter knows none of these words and chose a scene itself")
    elif wish.ignored:
        found.append(f"the painter does not know: {_listed(wish.ignored)}")
    if wish.left():
        found.append(f"this does not fit into the picture: {_listed(wish.left())}")
    return tuple(found)


def _listed(words: tuple[str, ...]) -> str:
    told = ", ".join(word[:_TOLD_LETTERS] for word in words[:_TOLD_WORDS])
    return f"{told} …" if len(words) > _TOLD_WORDS else told
