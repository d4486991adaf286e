"""Skies: gradient, stars, aurora, sun, moon, rainbow, clouds, lightning, and what falls from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines._cv import cv2
from engines.picture.scene.canvas import CLOUD, GRAIN, SLOW, SMOOTH, Canvas, Point, Rng, mix, ramp, rgb, ridge, stream
from engines.picture.scene.palette import Mood

_CLOUD_COVER = {"clear": 0.0, "few": 0.35, "cloudy": 0.75, "storm": 1.15, "rain": 1.0, "snow": 0.8, "fog": 0.5}


@dataclass(frozen=True, slots=True)
class Heaven:
    """What stands in the sky. light_x: where sun or moon is; has_light: whether it glitters on water."""

    light_x: float
    light_y: float
    has_light: bool


def paint_sky(canvas: Canvas, seed: int, mood: Mood, horizon: float, bodies: frozenset[str]) -> Heaven:
    """Paint the whole sky down to the horizon (in units); bodies: sun, moon, crescent, stars, aurora …"""
    rng = stream(seed, "sky")
    slope = np.clip(canvas.y / horizon + 0.03 * canvas.noise(rng, 0.6, 0.3, SLOW), 0, 1)[..., None]
    bend = rng.uniform(0.5, 0.65)
    lower = mix(mood.middle, mood.horizon, (slope - bend) / (1 - bend))
    canvas.pixels[:] = np.where(slope < bend, mix(mood.top, mood.middle, slope / bend), lower)
    x = canvas.width * rng.uniform(0.2, 0.8)
    is_low = mood.time in ("sunrise", "sunset")
    y = horizon * (rng.uniform(0.56, 0.7) if is_low else rng.uniform(0.18, 0.42))
    if "stars" in bodies:
        paint_stars(canvas, stream(seed, "stars"), horizon, 150)
    if "milkyway" in bodies:
        _milky_way(canvas, stream(seed, "milkyway"), horizon)
    if "aurora" in bodies:
        _aurora(canvas, stream(seed, "aurora"), horizon)
    if "sun" in bodies:
        _sun(canvas, stream(seed, "sun"), mood, x, y)
    if bodies & {"moon", "crescent"}:
        _moon(canvas, stream(seed, "moon"), x, y, "crescent" in bodies)
    _clouds(canvas, stream(seed, "clouds"), mood, horizon)
    if "rainbow" in bodies:
        _rainbow(canvas, stream(seed, "rainbow"), horizon)
    if mood.weather == "storm":
        _lightning(canvas, stream(seed, "lightning"), horizon)
    canvas.pixels = np.clip(canvas.pixels, 0, 1.15)
    return Heaven(x, y, bool(bodies & {"sun", "moon", "crescent"}))


def paint_stars(canvas: Canvas, rng: Rng, horizon: float, count: int) -> None:
    """Strew stars above the horizon, each a soft dot whose size follows its brightness."""
    count = int(count * canvas.width * canvas.height)
    for _ in range(count):
        x, y = canvas.width * rng.random(), horizon * rng.random() ** 1.1
        bright = rng.random() ** 2
        radius = 0.0012 + 0.0024 * bright
        tint = rgb(255, 245, 225) if rng.random() < 0.6 else rgb(215, 228, 255)
        canvas.ellipse(x, y, radius, radius, tint, soft=0.0025, alpha=0.45 + 0.55 * bright)
        if bright > 0.9:
            canvas.glow(x, y, 0.006, tint, 0.5)


def _milky_way(canvas: Canvas, rng: Rng, horizon: float) -> None:
    angle = rng.uniform(0.3, 0.9) * (1 if rng.random() < 0.5 else -1)
    across = (canvas.x - canvas.width / 2) * np.sin(angle) + (canvas.y - horizon * 0.45) * np.cos(angle)
    dust = np.clip(0.55 + 0.3 * canvas.noise(rng, 0.5, 0.5, SMOOTH), 0, 1.3)
    lane = 1 - 0.5 * np.exp(-((across / 0.035) ** 2)) * np.clip(0.6 + 0.4 * canvas.noise(rng, 0.5, 0.5, GRAIN), 0, 1)
    canvas.light(np.exp(-((across / 0.13) ** 2)) * dust * lane, rgb(110, 100, 160) * 0.9)
    paint_stars(canvas, rng, horizon, 160)


def _aurora(canvas: Canvas, rng: Rng, horizon: float) -> None:
    pairs = ((rgb(60, 255, 150), rgb(120, 80, 220)), (rgb(70, 230, 200), rgb(200, 70, 190)))
    low, high = pairs[int(rng.integers(len(pairs)))]
    for _ in range(3):
        foot = horizon * rng.uniform(0.5, 0.8) + 0.14 * ridge(rng, canvas.x, 0.4, 4, 1.6)
        above = foot - canvas.y
        rays = np.clip(0.6 + 0.6 * ridge(rng, canvas.x, 0.6, 6, 7.0), 0.1, 1.2)
        shine = ramp(0, 0.03, above) * np.exp(-np.maximum(above, 0) / rng.uniform(0.12, 0.24)) * rays
        canvas.pixels += (shine * 0.75)[..., None] * mix(low, high, np.clip(above / 0.35, 0, 1)[..., None])


def _sun(canvas: Canvas, rng: Rng, mood: Mood, x: float, y: float) -> None:
    radius = rng.uniform(0.04, 0.07)
    distance = np.sqrt((canvas.x - x) ** 2 + (canvas.y - y) ** 2)
    shine = np.exp(-distance / 0.10) * 0.5 + np.exp(-distance / 0.32) * 0.32
    strength = 0.8 if mood.time == "day" else 1.0
    canvas.pixels += (mood.light - canvas.pixels * 0.3) * (shine * strength)[..., None]
    canvas.ellipse(x, y, radius, radius, np.clip(mood.light * 1.08 + 0.06, 0, 1))


def _moon(canvas: Canvas, rng: Rng, x: float, y: float, is_crescent: bool) -> None:
    radius = rng.uniform(0.045, 0.075)
    canvas.glow(x, y, 0.14, rgb(190, 205, 240), 0.28)
    place, mask = canvas.ellipse_mask(x, y, radius, radius)
    dx, dy = canvas.x[:, place[1]] - x, canvas.y[place[0]] - y
    spots = 1 - 0.14 * ramp(0.2, 1.2, canvas.noise(rng, 0.9, 0.9, GRAIN)[place])
    if is_crescent:
        shift = radius * rng.uniform(0.4, 0.6) * (1 if rng.random() < 0.5 else -1)
        shade = np.sqrt((dx - shift) ** 2 + (dy + radius * 0.25) ** 2)
        mask = mask * np.clip((shade - radius * 0.98) / canvas.pixel + 0.5, 0, 1)
    part = canvas.pixels[place]
    part += (rgb(248, 244, 226) * spots[..., None] - part) * mask[..., None]


def _rainbow(canvas: Canvas, rng: Rng, horizon: float) -> None:
    radius = rng.uniform(0.42, 0.52) * min(1.0, horizon / 0.55)
    centre = canvas.width * rng.uniform(0.35, 0.65)
    distance = np.sqrt((canvas.x - centre) ** 2 + (canvas.y - horizon - 0.02) ** 2)
    across = (distance - radius) / 0.075
    hue = np.clip(0.78 * (1 - across), 0, 0.8) * 6
    bands = (np.clip(np.abs(hue - 3) - 1, 0, 1), np.clip(2 - np.abs(hue - 2), 0, 1), np.clip(2 - np.abs(hue - 4), 0, 1))
    canvas.over(ramp(0, 0.12, across) * ramp(1, 0.88, across) * 0.5, np.stack(bands, -1))


def _clouds(canvas: Canvas, rng: Rng, mood: Mood, horizon: float) -> None:
    cover = _CLOUD_COVER[mood.weather]
    if not cover:
        return
    kind = (SMOOTH, SMOOTH + 1, CLOUD)[int(rng.integers(3))]
    # Clouds are flatter the nearer they are to the horizon, as seen from below.
    field = canvas.noise(rng, rng.uniform(0.4, 0.6), 1.0, kind) * 0.8 + 0.25 * canvas.noise(rng, 1, 1, GRAIN)
    mask = ramp(0.9 - cover * 1.15, 1.55 - cover * 0.85, field) * ramp(1.02, 0.5, canvas.y / horizon)
    shift = max(1, int(canvas.short_px * 0.03))
    above = np.concatenate([field[:1].repeat(shift, 0), field[:-shift]], 0)
    lit = np.clip((field - above) * 0.9 + 0.55, 0, 1)[..., None]
    bright = {
        "day": rgb(255, 255, 255),
        "sunrise": mix(rgb(255, 235, 225), mood.horizon, 0.3),
        "sunset": mix(mood.light, mood.horizon, 0.45),
        "dusk": mix(mood.horizon, rgb(190, 170, 190), 0.4),
        "night": rgb(70, 80, 115),
    }[mood.time]
    shade = mix(mood.middle, mood.top, 0.5) * 0.85 + 0.06
    dim = {"storm": (0.5, 0.55), "rain": (0.72, 0.8)}.get(mood.weather, (1.0, 1.0))
    canvas.over(mask * 0.9, mix(shade * dim[1], bright * dim[0], lit))


def _lightning(canvas: Canvas, rng: Rng, horizon: float) -> None:
    x, y = canvas.width * (rng.uniform(0.12, 0.35) if rng.random() < 0.5 else rng.uniform(0.65, 0.88)), 0.05 * horizon
    bolt: list[Point] = [(x, y)]
    forks: list[list[Point]] = []
    while y < horizon:
        y += rng.uniform(0.03, 0.07)
        x += rng.uniform(-0.045, 0.045)
        bolt.append((x, y))
        if rng.random() < 0.25:
            fork: list[Point] = [(x, y)]
            for _ in range(3):
                fork.append((fork[-1][0] + rng.uniform(-0.05, 0.06), fork[-1][1] + rng.uniform(0.02, 0.05)))
            forks.append(fork)
    for px, py in bolt[:: max(1, len(bolt) // 6)]:
        canvas.glow(px, py, 0.07, rgb(170, 170, 235), 0.3)
    canvas.lines([bolt], 0.012, rgb(190, 190, 250), 0.35)
    canvas.lines([bolt], 0.005, rgb(250, 248, 255))
    canvas.lines(forks, 0.003, rgb(235, 235, 255), 0.8)


def paint_birds(canvas: Canvas, rng: Rng, horizon: float, count: int) -> None:
    """A loose flock."""
    cx, cy = canvas.width * rng.uniform(0.25, 0.75), horizon * rng.uniform(0.25, 0.6)
    flock: list[list[Point]] = []
    for _ in range(count):
        x, y, size = cx + rng.uniform(-0.16, 0.16), cy + rng.uniform(-0.08, 0.08), rng.uniform(0.012, 0.024)
        lift = rng.uniform(0.3, 0.8) * size
        wing = ((-1.0, -0.7), (-0.4, -1.0), (0.0, 0.0), (0.4, -1.0), (1.0, -0.7))
        flock.append([(x + across * size, y + up * lift) for across, up in wing])
    canvas.lines(flock, 0.004, rgb(35, 35, 45))


def paint_weather(canvas: Canvas, seed: int, mood: Mood, horizon: float) -> None:
    """Fog, rain or falling snow over everything."""
    rng = stream(seed, "weather")
    level = float(mood.lit.mean())
    if mood.weather == "fog":
        density = np.clip(0.62 + 0.25 * canvas.noise(rng, 0.5, 0.25, CLOUD), 0, 0.95)
        canvas.over(np.exp(-(((canvas.y - horizon) / 0.16) ** 2)) * density, np.clip(mood.haze * 1.03, 0, 1))
    area = canvas.width * canvas.height
    if mood.weather in ("rain", "storm"):
        drops: list[list[Point]] = []
        for _ in range(int((260 if mood.weather == "storm" else 200) * area)):
            x, y, length = canvas.width * 1.1 * rng.random(), canvas.height * rng.random(), rng.uniform(0.03, 0.06)
            drops.append([(x, y), (x - length * 0.25, y + length)])
        shades = rgb(215, 225, 235) * max(0.5, level)
        for part, alpha in ((drops[::2], 0.22), (drops[1::2], 0.38)):
            canvas.lines(part, 0.0016, shades, alpha)
    if mood.weather == "snow":
        flakes = np.zeros((canvas.height_px, canvas.width_px), np.uint8)
        for _ in range(int(190 * area)):
            centre = (rng.random() * canvas.width_px * 16, rng.random() * canvas.height_px * 16)
            radius = max(8.0, rng.uniform(0.0018, 0.006) * canvas.short_px * 16)
            shade = int(rng.integers(140, 255))
            cv2.circle(flakes, (int(centre[0]), int(centre[1])), int(radius), shade, -1, cv2.LINE_AA, 4)
        canvas.over(flakes.astype(np.float32) / 255 * 0.9, rgb(250, 250, 255) * max(0.6, level))
