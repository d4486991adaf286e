"""Land and water of the sketch painter: mountains, hills, dunes, plains, beaches, lakes, rivers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines._cv import cv2
from engines.picture.scene.canvas import (
    CLOUD,
    GRAIN,
    ROCK,
    SMOOTH,
    Canvas,
    Colour,
    Field,
    Rng,
    mix,
    near,
    ramp,
    rgb,
    ridge,
)
from engines.picture.scene.palette import Mood
from engines.picture.scene.sky import Heaven

SNOW = rgb(250, 250, 255)


@dataclass(frozen=True, slots=True)
class Place:
    """What every part of a landscape needs to know: the canvas, the light, the sky and the horizon (in units)."""

    canvas: Canvas
    mood: Mood
    heaven: Heaven
    horizon: float

    @property
    def depth(self) -> float:
        """From the horizon to the lower edge."""
        return self.canvas.height - self.horizon

    @property
    def near_share(self) -> Field:
        """0 at the horizon, 1 at the lower edge; (h, 1)."""
        return np.asarray(np.clip((self.canvas.y - self.horizon) / self.depth, 0, 1), np.float32)

    def level(self, near: float) -> float:
        """The y of a share of the way from the horizon (0) to the lower edge (1)."""
        return self.horizon + near * self.depth


def _slope(place: Place, crest: Field, colour: Colour, snow: float, haze: float, rock: float, rng: Rng) -> None:
    """One range below a crest, (1, w): lit from the side of sun or moon, with snow down to `snow` below its top."""
    canvas, mood = place.canvas, place.mood
    lit = mood.lit
    below = canvas.y - crest
    noise = canvas.noise(rng, 0.9, 0.9, (SMOOTH, GRAIN, ROCK)[int(rng.integers(3))])
    side = 1.0 if place.heaven.light_x > canvas.width / 2 else -1.0
    smooth = cv2.GaussianBlur(np.ascontiguousarray(crest, np.float32), (0, 0), max(0.5, canvas.short_px / 90))
    slope = np.gradient(smooth[0]) * canvas.short_px
    # Ridges run down the face: the slope at the crest is looked up along slanted, wavy lines.
    moved = canvas.x + 0.10 * noise * np.clip(below * 4, 0, 1) - below * 0.25 * side
    column = np.clip(moved * canvas.short_px, 0, canvas.width_px - 1).astype(np.int32)
    turned = slope[column] * -side
    light = np.clip(0.5 + turned * 0.55 + noise * 0.16 * rock, 0, 1)[..., None]
    face = mix(colour * 0.45, np.clip(colour * 0.9 + lit * 0.22, 0, 1), light)
    if snow > 0:
        line = below + (crest - float(crest.min())) * 0.45 - 0.03 * noise - 0.02 * np.abs(turned)
        white = ramp(snow + 0.015, snow - 0.015, line)
        shade = rgb(120, 140, 185) * (0.35 + 0.65 * float(lit.mean()))
        face = mix(face, mix(shade, np.clip(SNOW * (0.4 + 0.65 * lit), 0, 1), light), white[..., None])
    fade = np.clip(haze + np.clip(below / 0.45, 0, 1) * 0.25, 0, 1)[..., None]
    canvas.over(np.clip(below / canvas.pixel + 0.5, 0, 1), mix(face, mood.haze, fade))


def paint_mountains(
    place: Place, rng: Rng, colour: Colour, snow: float, *, ranges: int = 3, tallest: float | None = None
) -> None:
    """Ranges one behind the other; tallest: above the horizon, snow: how far it reaches down (0: none), in units."""
    canvas = place.canvas
    room = min(0.5, place.horizon * 0.78)
    height = min(room, tallest) if tallest is not None else room * rng.uniform(0.72, 1.0)
    far = 0.55 * (0.7 if place.mood.is_night else 1)
    for index in range(ranges):
        nearness = index / max(ranges - 1, 1)
        # Ridged noise: the folds of the wave are the peaks.
        waves = ridge(rng, canvas.x, 0.45, 3, rng.uniform(1.6, 2.6))
        crags = ridge(rng, canvas.x, 0.55, 6, 9.0)
        shape = np.clip(1.02 - 1.15 * np.abs(waves) + 0.10 * crags, 0.1, 1.1)
        rise = 0.25 + 0.75 * shape
        if place.heaven.has_light and place.mood.time in ("sunrise", "sunset"):
            # The sun goes down in a gap, where it is seen.
            rise = rise * (1 - 0.62 * np.exp(-(((canvas.x - place.heaven.light_x) / 0.16) ** 2)))
        crest = place.horizon - height * (1 - 0.5 * nearness) * rise + 0.02 * nearness
        haze = far * (1 - nearness) + 0.08 + place.mood.thickness
        _slope(place, crest, colour * place.mood.lit, snow, haze, 0.5, rng)


def paint_volcano(place: Place, rng: Rng, erupts: bool) -> None:
    """One cone, with lava and smoke when it erupts."""
    canvas, mood = place.canvas, place.mood
    cx = canvas.width * rng.uniform(0.35, 0.65)
    height, half = min(0.42, place.horizon * 0.7) * rng.uniform(0.85, 1.0), rng.uniform(0.36, 0.46)
    flank = np.clip(1.12 - np.abs(canvas.x - cx) / half, 0, 0.92) ** 1.35
    crest = place.horizon - height * flank + 0.02 * ridge(rng, canvas.x, 0.6, 7, 6.0)
    _slope(place, crest, rgb(92, 74, 72) * mood.lit, 0, 0.12 + mood.thickness, 0.5, rng)
    if not erupts:
        return
    top = place.horizon - height * 0.88
    canvas.glow(cx, top, 0.07, rgb(255, 110, 30), 0.95)
    for _ in range(3):
        flow = [(cx + rng.uniform(-0.03, 0.03), top + 0.005)]
        drift = (flow[0][0] - cx) * 0.8
        for _ in range(6):
            flow.append((flow[-1][0] + rng.uniform(-0.02, 0.02) + drift, flow[-1][1] + height * 0.11))
        canvas.lines([flow], 0.016, rgb(220, 70, 20), 0.6)
        canvas.lines([flow], 0.007, rgb(255, 190, 80))
    noise = canvas.noise(rng, 0.7, 0.9, SMOOTH)
    up = np.clip(top - canvas.y, 0, None)
    plume = np.exp(-(((canvas.x - cx - 0.3 * up) / (0.035 + 0.38 * up)) ** 2))
    plume = plume * ramp(top + 0.01, top - 0.06, canvas.y) * ramp(-0.7, 0.7, noise + 0.3)
    smoke = mix(rgb(60, 54, 58), rgb(150, 135, 135), np.clip(0.5 + 0.4 * noise, 0, 1)[..., None])
    smoke = smoke * np.maximum(mood.lit, 0.6) + np.exp(-up / 0.09)[..., None] * rgb(200, 80, 20) * 0.6
    canvas.over(plume * 0.85, smoke)


def paint_hills(place: Place, rng: Rng, colour: Colour) -> None:
    """Three soft rows of hills up from the horizon."""
    canvas, mood = place.canvas, place.mood
    for index in range(3):
        nearness = index / 2
        wave = 0.5 + 0.6 * ridge(rng, canvas.x, 0.28, 4, rng.uniform(1.0, 2.0))
        crest = place.horizon - (0.17 - 0.1 * nearness) * wave + 0.03 * nearness
        below = canvas.y - crest
        noise = canvas.noise(rng, 0.4, 0.9, GRAIN)
        tone = mix(colour * mood.lit * (0.78 + 0.2 * nearness), mood.haze, 0.42 * (1 - nearness) + mood.thickness)
        shade = (1.12 - np.clip(below / 0.3, 0, 1) * 0.4 + 0.06 * noise)[..., None]
        canvas.over(np.clip(below / canvas.pixel + 0.5, 0, 1), np.clip(tone * shade, 0, 1))


def paint_dunes(place: Place, rng: Rng, colour: Colour) -> None:
    """Sand in four rows, each with a lit and a shaded side and ripples."""
    canvas, mood = place.canvas, place.mood
    for index in range(4):
        nearness = index / 3
        wave = ridge(rng, canvas.x, 0.2, 3, rng.uniform(1.0, 2.0))
        crest = place.horizon + 0.01 + place.depth * 0.72 * nearness**1.3 - 0.07 * (0.6 + nearness) * wave
        below = canvas.y - crest
        noise = canvas.noise(rng, 0.3, 0.9, CLOUD)
        spine = 0.06 + 0.07 * ridge(rng, canvas.x, 0.3, 2, rng.uniform(1.2, 2.2))
        shaded = ramp(-0.004, 0.03, below - np.maximum(spine, 0.01) + 0.03 * (canvas.x - canvas.width / 2))
        sand = near(rng, colour, 0.03)
        # Ripples finer than three pixels would only flicker.
        ripples = 0.028 * np.sin(below * min(120.0, canvas.short_px * 0.7) + noise * 2.2 + canvas.x * 12)
        tone = mix(np.clip(sand * 1.12, 0, 1), sand * 0.68, shaded[..., None])
        tone = tone * (1 + ripples * np.clip(nearness, 0.2, 1))[..., None] * mood.lit
        haze = 0.35 * (1 - nearness) + mood.thickness
        canvas.over(np.clip(below / canvas.pixel + 0.5, 0, 1), mix(np.clip(tone, 0, 1), mood.haze, haze))


def paint_ground(place: Place, rng: Rng, colour: Colour) -> None:
    """A plain from the horizon down, brighter and rougher near the viewer."""
    canvas, mood = place.canvas, place.mood
    wide, fine = canvas.noise(rng, 0.3, 0.95, GRAIN), canvas.noise(rng, 0.2, 0.5, SMOOTH)
    crest = place.horizon + 0.008 - 0.02 * ridge(rng, canvas.x, 0.3, 4, 1.5)
    share = place.near_share
    tone = colour * mood.lit * (0.86 + 0.22 * share + 0.05 * wide * share + 0.07 * fine)[..., None]
    haze = np.clip(0.3 * (1 - share) + mood.thickness * 0.8, 0, 1)[..., None]
    canvas.over(np.clip((canvas.y - crest) / canvas.pixel + 0.5, 0, 1), np.clip(mix(tone, mood.haze, haze), 0, 1))


def paint_water(place: Place, rng: Rng, deep: Colour, waves: float) -> None:
    """Water from the horizon down: what is above it, mirrored and broken, and the glitter path of sun or moon."""
    canvas, mood = place.canvas, place.mood
    top = int(place.horizon * canvas.short_px)
    rows = canvas.height_px - top
    if rows < 4:
        return
    down = np.arange(rows, dtype=np.float32) / canvas.short_px
    share = down / place.depth
    wide, fine = (
        cv2.resize(canvas.noise(rng, part, 1, kind), (canvas.width_px, rows))
        for part, kind in ((0.35, GRAIN), (0.5, ROCK))
    )
    source = np.clip(top - 1 - (down * rng.uniform(0.85, 1.1) * canvas.short_px), 0, top - 1)[:, None]
    lifted = np.abs(fine) * waves * (0.003 + 0.03 * share[:, None]) * canvas.short_px
    row = np.clip(source - lifted, 0, top - 1).astype(np.int32)
    shift = wide * 0.8 * (0.002 + 0.018 * share[:, None]) * waves * canvas.short_px
    column = np.clip(np.arange(canvas.width_px)[None] + shift, 0, canvas.width_px - 1).astype(np.int32)
    water = mix(canvas.pixels[row, column], deep, (0.25 + 0.4 * share)[:, None, None])
    ripples = (wide * 0.5 + fine * 0.5) * (0.03 + 0.05 * share[:, None]) * waves
    water = water * (1 + ripples[..., None] * 1.3)
    if place.heaven.has_light:
        path = np.exp(-(((canvas.x - place.heaven.light_x) / (0.03 + 0.12 * share[:, None])) ** 2))
        sparkle = path * ramp(0.1, 0.9, fine * 0.5 + 0.45 + 0.25 * wide)
        water = water + (sparkle * (0.55 if mood.time != "day" else 0.4))[..., None] * mood.light
    water = water + np.exp(-down / 0.006)[:, None, None] * 0.06
    canvas.pixels[top:] = np.clip(water, 0, 1.1)


def paint_beach(place: Place, rng: Rng) -> None:
    """Sand in front of water, with a line of foam."""
    canvas, mood = place.canvas, place.mood
    start, end = rng.uniform(0.5, 0.62), rng.uniform(0.66, 0.85)
    run = (canvas.x / canvas.width) ** rng.uniform(0.7, 1.4)
    edge = place.horizon + place.depth * mix(start, end, run if rng.random() < 0.5 else 1 - run)
    edge = edge + 0.012 * ridge(rng, canvas.x, 0.4, 4, 3.0)
    below, noise = canvas.y - edge, canvas.noise(rng, 0.4, 1, GRAIN)
    lit = np.maximum(mood.lit, 0.35)
    canvas.over(ramp(-0.022, -0.006, below + 0.006 * noise) * 0.75, rgb(240, 248, 250) * lit)
    dry = np.clip(below / 0.07, 0, 1)[..., None]
    sand = mix(rgb(190, 155, 110), rgb(238, 212, 160), dry) * mood.lit * (1 + 0.05 * noise)[..., None]
    canvas.over(ramp(-0.004, 0.004, below + 0.004 * noise), np.clip(sand, 0, 1))


def paint_island(place: Place, rng: Rng, colour: Colour) -> tuple[float, float]:
    """A low island on the horizon, to be painted before the water; returns its middle and half width."""
    canvas = place.canvas
    cx, half = canvas.width * rng.uniform(0.35, 0.65), rng.uniform(0.2, 0.3)
    inside = np.abs(canvas.x - cx) < half
    crest = place.horizon - 0.10 * np.clip(1 - ((canvas.x - cx) / half) ** 2, 0, 1)
    crest = crest - 0.012 * (ridge(rng, canvas.x, 0.6, 6, 8.0) + 1) * inside
    crest = np.where(inside, crest, canvas.height + 1)
    _slope(place, np.minimum(crest, canvas.height), colour * place.mood.lit, 0, 0.05 + place.mood.thickness, 0.5, rng)
    return cx, half


def paint_river(place: Place, rng: Rng, deep: Colour) -> None:
    """A river that winds towards the viewer and shows the sky."""
    canvas, mood = place.canvas, place.mood
    share = place.near_share
    start, end = canvas.width * rng.uniform(0.4, 0.6), canvas.width * rng.uniform(0.3, 0.7)
    bend, phase = rng.uniform(4, 6), rng.random() * 6
    middle = start + 0.14 * np.sin(share * bend + phase) * share**0.7 + (end - start) * share
    half = 0.008 + 0.17 * share**1.15
    inside = (half - np.abs(canvas.x - middle)) / canvas.pixel / 1.5 + 0.5
    noise = canvas.noise(rng, 0.35, 1, GRAIN)
    water = mix(mood.horizon, mix(mood.middle, deep, 0.45), share[..., None])
    water = water * (0.95 + 0.05 * noise)[..., None]
    bank = np.clip(inside + 6 * (1 + share), 0, 1) * (share > 0.004)
    canvas.over(bank * 0.45, rgb(70, 66, 48) * mood.lit)
    canvas.over(np.clip(inside, 0, 1) * (share > 0.004), np.clip(water, 0, 1))


def paint_path(place: Place, rng: Rng) -> None:
    """A path of earth towards the horizon."""
    canvas, share = place.canvas, place.near_share
    start, bend = canvas.width * rng.uniform(0.4, 0.6), rng.uniform(3, 5)
    middle = start + 0.1 * np.sin(share * bend + rng.random() * 6) * share
    inside = np.clip((0.006 + 0.10 * share**1.2 - np.abs(canvas.x - middle)) / canvas.pixel / 1.5 + 0.5, 0, 1)
    noise = canvas.noise(rng, 0.6, 0.4, GRAIN)
    tone = rgb(182, 154, 112) * place.mood.lit * (1 + 0.07 * noise)[..., None]
    canvas.over(inside * (share > 0.004), mix(tone, place.mood.haze, (0.25 * (1 - share))[..., None]))
