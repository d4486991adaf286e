"""Colours of the sketch painter: skies by time of day, named colours, hair, skin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from engines.picture.scene.canvas import Colour, Rng, mix, near, rgb

COLOURS: Final[dict[str, Colour]] = {
    "red": rgb(214, 52, 48),
    "orange": rgb(240, 140, 46),
    "yellow": rgb(244, 206, 66),
    "golden": rgb(226, 176, 62),
    "green": rgb(92, 160, 72),
    "teal": rgb(50, 150, 150),
    "blue": rgb(62, 108, 196),
    "purple": rgb(134, 84, 176),
    "pink": rgb(238, 138, 170),
    "white": rgb(242, 240, 234),
    "black": rgb(38, 38, 44),
    "brown": rgb(128, 84, 54),
    "gray": rgb(140, 144, 150),
}
HAIR: Final[dict[str, Colour]] = {
    "black": rgb(34, 28, 30),
    "brown": rgb(92, 58, 36),
    "yellow": rgb(226, 186, 104),
    "red": rgb(176, 76, 36),
    "gray": rgb(158, 158, 162),
    "white": rgb(226, 226, 230),
}
SKIN: Final = (
    rgb(250, 214, 186),
    rgb(238, 190, 154),
    rgb(214, 158, 114),
    rgb(176, 118, 78),
    rgb(128, 82, 54),
    rgb(96, 60, 42),
)


@dataclass(frozen=True, slots=True)
class Mood:
    """The light of a scene. top, middle, horizon: the sky; light: of sun or moon; brightness: 0 to 1."""

    top: Colour
    middle: Colour
    horizon: Colour
    light: Colour
    brightness: float
    time: str
    weather: str

    @property
    def is_bad(self) -> bool:
        """Whether the sky is shut."""
        return self.weather in ("storm", "rain", "snow", "fog")

    @property
    def is_night(self) -> bool:
        """Whether windows and lamps are lit."""
        return self.time in ("night", "dusk")

    @property
    def lit(self) -> Colour:
        """What every colour on the ground is multiplied with."""
        if self.time == "night":
            tint = rgb(176, 192, 240)
        else:
            tint = mix(np.ones(3, np.float32), self.light, 0.2 if self.time == "day" else 0.5)
        return np.asarray(np.maximum(tint * self.brightness * (0.78 if self.is_bad else 1), 0.16), np.float32)

    @property
    def haze(self) -> Colour:
        """The colour of the air far away."""
        return np.asarray(self.horizon * 0.9 + self.middle * 0.1, np.float32)

    @property
    def thickness(self) -> float:
        """How much haze there is besides distance."""
        return 0.22 if self.weather == "fog" else 0.0


# top, middle, horizon, light, brightness
_SKIES: Final[dict[str, tuple[tuple[Colour, Colour, Colour, Colour, float], ...]]] = {
    "day": (
        (rgb(52, 120, 205), rgb(118, 178, 232), rgb(205, 228, 240), rgb(255, 250, 225), 1.0),
        (rgb(38, 104, 190), rgb(96, 170, 225), rgb(222, 236, 236), rgb(255, 248, 220), 1.0),
    ),
    "sunrise": (
        (rgb(98, 140, 200), rgb(236, 182, 170), rgb(255, 220, 165), rgb(255, 235, 190), 0.85),
        (rgb(120, 150, 210), rgb(245, 190, 190), rgb(255, 228, 190), rgb(255, 240, 205), 0.9),
    ),
    "sunset": (
        (rgb(70, 60, 120), rgb(225, 110, 90), rgb(255, 190, 95), rgb(255, 225, 150), 0.78),
        (rgb(95, 50, 100), rgb(215, 85, 70), rgb(255, 160, 70), rgb(255, 215, 140), 0.74),
    ),
    "dusk": (
        (rgb(28, 30, 72), rgb(92, 70, 130), rgb(215, 130, 130), rgb(255, 215, 190), 0.45),
        (rgb(24, 36, 80), rgb(70, 80, 140), rgb(180, 140, 165), rgb(250, 225, 210), 0.45),
    ),
    "night": (
        (rgb(6, 10, 30), rgb(14, 24, 58), rgb(34, 52, 92), rgb(225, 230, 245), 0.40),
        (rgb(8, 8, 34), rgb(22, 22, 66), rgb(48, 48, 100), rgb(230, 232, 240), 0.40),
    ),
}
# A named sky colour: top, middle, horizon.
_NAMED_SKIES: Final[dict[str, tuple[Colour, Colour, Colour]]] = {
    "red": (rgb(70, 20, 40), rgb(190, 45, 45), rgb(255, 120, 70)),
    "orange": (rgb(150, 70, 50), rgb(240, 130, 50), rgb(255, 205, 110)),
    "pink": (rgb(150, 100, 170), rgb(240, 140, 180), rgb(255, 205, 205)),
    "purple": (rgb(45, 25, 95), rgb(120, 70, 165), rgb(220, 150, 200)),
    "golden": (rgb(170, 120, 60), rgb(235, 180, 80), rgb(255, 230, 150)),
    "yellow": (rgb(190, 150, 70), rgb(240, 200, 90), rgb(255, 240, 170)),
    "green": (rgb(10, 40, 50), rgb(30, 110, 95), rgb(150, 220, 150)),
    "blue": (rgb(20, 50, 130), rgb(60, 120, 205), rgb(170, 210, 240)),
    "teal": (rgb(15, 90, 110), rgb(60, 175, 180), rgb(190, 235, 215)),
    "gray": (rgb(96, 102, 112), rgb(140, 146, 154), rgb(196, 200, 204)),
    "white": (rgb(190, 200, 212), rgb(222, 228, 234), rgb(244, 244, 242)),
    "black": (rgb(6, 7, 12), rgb(16, 18, 28), rgb(44, 48, 62)),
}
# How far bad weather takes the colour out, and how bright what is left is.
_WEATHER_GREY = {"storm": (0.75, 0.55), "rain": (0.55, 0.75), "fog": (0.45, 1.05), "snow": (0.4, 0.98)}


def mood_of(rng: Rng, time: str, weather: str, sky_colour: str | None) -> Mood:
    """The light for a time of day, a weather and, where one is named, a colour of the sky."""
    top, middle, horizon, light, brightness = _SKIES[time][int(rng.integers(len(_SKIES[time])))]
    named = _NAMED_SKIES.get(sky_colour or "")
    if named is not None:
        share = {"night": 0.75, "dusk": 0.85}.get(time, 0.9)
        dark = {"night": 0.45, "dusk": 0.75}.get(time, 1.0)
        top, middle, horizon = (
            mix(before, colour * dark, share) for before, colour in zip((top, middle, horizon), named, strict=True)
        )
        light = mix(light, np.clip(named[2] * 1.15, 0, 1), 0.4)
    top, middle, horizon = near(rng, top), near(rng, middle), near(rng, horizon)
    if weather in _WEATHER_GREY:
        share, bright = _WEATHER_GREY[weather]
        share = share * (0.45 if named is not None else 1)
        top, middle, horizon = (
            np.clip(mix(colour, colour.mean() * bright * rgb(235, 245, 262), share), 0, 1).astype(np.float32)
            for colour in (top, middle, horizon)
        )
    return Mood(top, middle, horizon, light.astype(np.float32), brightness, time, weather)


def colour_named(name: str | None, otherwise: Colour) -> Colour:
    """A named colour, or another where none is named."""
    return COLOURS.get(name or "", otherwise)
