"""From a wish to a picture: which kind of picture it is, and who paints it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from compliance.media import Pixels
from engines.picture.scene.canvas import Canvas
from engines.picture.scene.cosmos import paint_abstract, paint_space
from engines.picture.scene.landscape import paint_landscape
from engines.picture.scene.parser import Wish
from engines.picture.scene.portrait import has_landscape, paint_person, paint_plain_ground
from engines.picture.scene.still import paint_still

Tick = Callable[[str], None]

KINDS: Final = ("landscape", "portrait", "still", "space", "abstract")
_STILL = ("fruit", "kind:still", "thing:vase", "thing:table", "thing:candle", "thing:cup", "thing:bowl")


def kind_of(wish: Wish) -> str:
    """One of KINDS; takes nothing from the wish."""
    if wish.has("person", "hair", "wear", "mood") and not wish.has("kind:abstract"):
        return "portrait"
    if wish.has("kind:abstract"):
        return "abstract"
    if wish.has(*_STILL):
        return "still"
    if wish.has("cosmos:planet", "cosmos:nebula", "cosmos:galaxy", "cosmos:rings", "kind:space"):
        return "space"
    if wish.has("shape") and not wish.has("land", "time", "sky", "weather", "thing"):
        return "abstract"
    if wish.colours and not wish.mentions:
        return "abstract"
    return "landscape"


def paint(wish: Wish, width_px: int, height_px: int, seed: int, tick: Tick) -> Pixels:
    """Paint a wish; the same wish, size and seed give the same bytes. Tick is told each stage and may raise.

    Returns uint8, (height, width, 3), sRGB.
    """
    canvas = Canvas(width_px, height_px)
    match kind_of(wish):
        case "portrait":
            if has_landscape(wish):
                paint_landscape(canvas, wish, seed, tick)
                canvas.blurred(0.008)
            else:
                tick("painting the background")
                paint_plain_ground(canvas, wish, seed)
            tick("painting the person")
            wish.wants("place:background")
            paint_person(canvas, wish, seed)
        case "still":
            paint_still(canvas, wish, seed, tick)
        case "space":
            paint_space(canvas, wish, seed, tick)
        case "abstract":
            paint_abstract(canvas, wish, seed, tick)
        case _:
            paint_landscape(canvas, wish, seed, tick)
    return canvas.finished()
