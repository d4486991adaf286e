"""What grows in a landscape of the sketch painter: firs, trees, palms, flowers, cactuses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engines._cv import cv2
from engines.picture.scene.canvas import ROCK, Canvas, Colour, Field, Point, Rng, mix, near, ramp, rgb, ridge
from engines.picture.scene.land import Place

Polygon = list[Point]


def pines(rng: Rng, width: float, foot: Callable[[float], float], height: float, count: int) -> list[Polygon]:
    """Firs along a line, as polygons; foot: the y of the ground at an x, width: of the stretch, all in units."""
    found: list[Polygon] = []
    tiers = 5
    for _ in range(count):
        x = rng.uniform(-0.05, width + 0.05)
        y, tall = foot(x), height * rng.uniform(0.55, 1.15)
        half = tall * rng.uniform(0.17, 0.25)
        left: Polygon = []
        right: Polygon = []
        for tier in range(1, tiers + 1):
            share = tier / tiers
            arm, level = half * share, y - tall * (1 - share)
            left += [(x - arm, level), (x - arm * 0.55, level - tall * 0.02)]
            right += [(x + arm, level), (x + arm * 0.55, level - tall * 0.02)]
        trunk: Polygon = [(x + half * 0.15, y + 0.03), (x - half * 0.15, y + 0.03)]
        found.append([(x, y - tall), *right, *trunk, *reversed(left)])
    return found


def paint_forest(place: Place, rng: Rng, snowy: bool, tint: Colour | None) -> None:
    """Three rows of firs, paler the farther they are."""
    canvas, mood = place.canvas, place.mood
    for index in range(3):
        nearness = index / 2
        base = place.horizon + 0.03 * nearness
        line = ridge(rng, canvas.x, 0.4, 4, 2.0)[0]

        def foot(x: float, base: float = base, line: Field = line) -> float:
            return float(base - 0.04 * line[int(np.clip(x * canvas.short_px, 0, canvas.width_px - 1))])

        green = mix(rgb(38, 78, 56), rgb(24, 58, 44), nearness) if tint is None else tint * (0.9 - 0.25 * nearness)
        tone = mix(green * mood.lit * 1.1, mood.haze, 0.5 * (1 - nearness) + 0.05 + mood.thickness)
        if snowy:
            tone = mix(tone, rgb(225, 232, 245) * mood.lit, 0.45)
        count = int((46 - 16 * nearness) * canvas.width)
        canvas.polygons(pines(rng, canvas.width, foot, 0.13 + 0.09 * nearness, count), np.clip(tone, 0, 1))


def paint_pines(place: Place, rng: Rng, count: int, snowy: bool) -> None:
    """Single firs on the near ground, the farther ones first."""
    canvas = place.canvas
    feet = sorted(rng.uniform(0.12, 0.85, count))
    for share in feet:
        level = place.level(float(share))
        x = canvas.width * rng.random()
        shape = pines(rng, 0.0, lambda _x: 0.0, 0.16 + 0.24 * share, 1)[0]
        moved = [(px - shape[0][0] + x, py + level) for px, py in shape]
        tone = mix(rgb(30, 66, 48), rgb(225, 232, 245), 0.4 if snowy else 0.0) * place.mood.lit
        canvas.ellipse(x, level + 0.01, 0.05 + 0.04 * share, 0.01, rgb(20, 24, 22), soft=0.02, alpha=0.3)
        canvas.polygons([moved], near(rng, np.clip(tone, 0, 1), 0.02))


def paint_tree(canvas: Canvas, rng: Rng, at: Point, height: float, leaves: Colour, lit: Colour) -> None:
    """One leafy tree; at: its foot."""
    x, y = at
    canvas.ellipse(x, y + 0.005, height * 0.3, height * 0.05, rgb(20, 24, 18), soft=height * 0.05, alpha=0.35)
    trunk = rgb(78, 54, 38) * lit
    canvas.polygons(
        [
            [
                (x - height * 0.045, y),
                (x - height * 0.025, y - height * 0.5),
                (x + height * 0.025, y - height * 0.5),
                (x + height * 0.045, y),
            ]
        ],
        trunk,
    )
    for lean in (-0.16, 0.14):
        canvas.lines([[(x, y - height * 0.35), (x + lean * height, y - height * 0.62)]], height * 0.022, trunk)
    crown_y = y - height * 0.68
    noise = canvas.noise(rng, 0.35, 0.35, ROCK)
    mask = np.zeros((canvas.height_px, canvas.width_px), np.float32)
    for turn in np.linspace(0, 2 * np.pi, 9)[:-1]:
        reach = rng.uniform(0.1, 0.22) * height
        radius = height * rng.uniform(0.14, 0.21)
        place, part = canvas.ellipse_mask(
            x + float(np.cos(turn)) * reach,
            crown_y + float(np.sin(turn)) * reach * 0.8,
            radius,
            radius * 0.9,
            soft=0.03,
        )
        mask[place] = np.maximum(mask[place], np.clip(ramp(0.3, 0.6, part + 0.2 * noise[place] * (part > 0)), 0, 1))
    light = np.clip(0.52 - (canvas.y - crown_y) / height * 1.1 + 0.2 * noise, 0, 1)[..., None]
    tones = mix(leaves * 0.62, np.clip(leaves * 1.12 + 0.04, 0, 1), light) * np.maximum(lit, 0.42)
    canvas.over(mask, tones)
    # Single leaves, lighter above and darker below.
    for _ in range(130):
        angle, reach = rng.random() * 2 * np.pi, rng.random() ** 0.5 * height * 0.4
        px, py = x + float(np.cos(angle)) * reach, crown_y + float(np.sin(angle)) * reach * 0.85
        tone = np.clip(leaves * (1.12 - (py - crown_y) / height * 1.1 + rng.uniform(-0.12, 0.12)), 0, 1)
        size = height * rng.uniform(0.012, 0.024)
        turn = rng.uniform(0, 3.1)
        canvas.ellipse(px, py, size, size * 0.6, tone * np.maximum(lit, 0.42), turn=turn, alpha=0.7)


def paint_palm(canvas: Canvas, rng: Rng, x: float, y: float, height: float, tone: Colour) -> None:
    """One palm as a silhouette with a little light on it."""
    lean = rng.uniform(-0.25, 0.25) * height
    stem = [(x + lean * share**2, y - height * share) for share in np.linspace(0, 1, 9)]
    half = [height * 0.022 * (1.2 - 0.6 * index / 8) for index in range(9)]
    sides = [(px - w, py) for (px, py), w in zip(stem, half, strict=True)]
    sides += [(px + w, py) for (px, py), w in reversed(list(zip(stem, half, strict=True)))]
    canvas.polygons([sides], tone * 0.85 + rgb(24, 14, 6))
    top_x, top_y = stem[-1]
    for angle in np.linspace(-0.2, 3.34, 9) + rng.uniform(-0.1, 0.1, 9):
        length = height * rng.uniform(0.32, 0.45)
        upper: Polygon = []
        lower: Polygon = []
        for share in np.linspace(0, 1, 8):
            px = top_x + float(np.cos(angle)) * length * share
            py = top_y - float(np.sin(angle)) * length * share * 0.8 + 0.45 * length * share * share * 1.3
            thick = height * 0.045 * float(np.sin(np.pi * min(share * 0.9 + 0.1, 1)))
            upper.append((px, py - thick))
            lower.append((px, py + thick * 0.6))
        canvas.polygons([upper + lower[::-1]], near(rng, np.clip(tone, 0, 1), 0.03))


def paint_flowers(place: Place, rng: Rng, colour: Colour, count: int) -> None:
    """Flowers strewn over the ground, small dots far away and blossoms near by."""
    canvas = place.canvas
    lit = np.maximum(place.mood.lit, 0.25)
    shares = np.sort(rng.random(int(count * canvas.width)) ** 0.7)
    for tone in (0.82, 0.95, 1.1):
        dots = np.zeros((canvas.height_px, canvas.width_px), np.uint8)
        for share in shares[int(rng.integers(3)) :: 3]:
            x, y = canvas.width * rng.random(), place.level(0.08 + 0.92 * float(share))
            radius = 0.0022 + 0.0085 * float(share)
            centre = (int(x * canvas.short_px * 16), int(y * canvas.short_px * 16))
            cv2.circle(dots, centre, max(6, int(radius * canvas.short_px * 16)), 255, -1, cv2.LINE_AA, 4)
        canvas.over(dots.astype(np.float32) / 255, np.clip(colour * tone * lit, 0, 1))


def paint_cactus(place: Place, rng: Rng, x: float, y: float) -> None:
    """One saguaro."""
    canvas, height = place.canvas, (0.12 + 0.25 * (y - place.horizon) / place.depth) * rng.uniform(0.8, 1.1)
    green = rgb(62, 104, 62) * place.mood.lit
    canvas.ellipse(x, y, height * 0.25, height * 0.04, rgb(30, 22, 16), soft=0.02, alpha=0.4)
    arms: list[Polygon] = [
        [(x, y - height * 0.4), (x - height * 0.25, y - height * 0.42), (x - height * 0.25, y - height * 0.7)],
        [(x, y - height * 0.5), (x + height * 0.25, y - height * 0.52), (x + height * 0.25, y - height * 0.82)],
    ]
    canvas.lines(arms, height * 0.1, green * 0.9)
    canvas.lines([[(x, y), (x, y - height)]], height * 0.15, green)
    canvas.lines(
        [[(x - height * 0.03, y), (x - height * 0.03, y - height)]], height * 0.02, np.clip(green * 1.35, 0, 1), 0.6
    )
