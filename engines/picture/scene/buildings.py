"""What people built, in a landscape of the sketch painter: towns, houses, boats, towers, bridges, pyramids."""

from __future__ import annotations

import numpy as np

from engines.picture.scene.canvas import Canvas, Colour, Point, Rng, mix, near, ramp, rgb
from engines.picture.scene.land import Place

Polygon = list[Point]
WINDOW_LIGHT = rgb(255, 214, 120)


def paint_city(place: Place, rng: Rng) -> None:
    """Two rows of towers with windows, lit at night."""
    canvas, mood = place.canvas, place.mood
    far = (rgb(52, 58, 88) if mood.is_night else rgb(110, 120, 145)) * np.maximum(mood.lit, 0.35)
    for row in range(2):
        tone = mix(far * (0.75 if row == 0 else 0.42), mood.haze, (0.55 if row == 0 else 0.08) + mood.thickness)
        x = -0.02
        while x < canvas.width:
            wide = rng.uniform(0.045, 0.11)
            centre = abs(x / canvas.width - 0.5)
            high = rng.uniform(0.10, 0.34 if row == 0 else 0.27) * (1.15 - 0.8 * centre)
            _tower(place, rng, x, wide, high, np.clip(near(rng, tone, 0.02), 0, 1))
            x += wide * rng.uniform(0.75, 1.15)


def _tower(place: Place, rng: Rng, x: float, wide: float, high: float, tone: Colour) -> None:
    canvas, base = place.canvas, place.horizon + 0.005
    canvas.rectangle(x, base - high, x + wide, base, tone)
    canvas.rectangle(x + wide * 0.6, base - high, x + wide, base, tone * 0.88)
    if rng.random() < 0.3:
        middle = x + wide / 2
        canvas.polygons(
            [[(middle - 0.003, base - high), (middle, base - high - 0.05), (middle + 0.003, base - high)]], tone
        )
    lit = rgb(255, 215, 130) if place.mood.is_night else mix(tone, place.mood.haze, 0.45)
    across, down = max(2, int(wide / 0.016)), max(2, int(high / 0.02))
    pane_x, pane_y = wide / (across + 0.6), high / (down + 0.6)
    panes: list[list[Polygon]] = [[], []]
    for column in range(across):
        for level in range(down):
            if rng.random() < (0.42 if place.mood.is_night else 0.3):
                left, top = x + pane_x * (column + 0.5), base - high + pane_y * (level + 0.6)
                right, bottom = left + pane_x * 0.5, top + pane_y * 0.5
                panes[int(rng.random() < 0.4)].append([(left, top), (right, top), (right, bottom), (left, bottom)])
    canvas.polygons(panes[0], lit, 0.95 if place.mood.is_night else 0.6)
    canvas.polygons(panes[1], lit, 0.6)


def paint_house(
    canvas: Canvas, rng: Rng, at: Point, wide: float, lit: Colour, night: bool, snowy: bool, roof: Colour
) -> None:
    """A small house with a chimney; at: the middle of its foot, wide: its width. Its windows are lit at night."""
    x, y = at
    high = wide * 0.62
    wall = (rgb(235, 220, 195), rgb(240, 238, 230), rgb(170, 120, 80))[int(rng.integers(3))]

    def box(left: float, top: float, right: float, bottom: float) -> Polygon:
        return [
            (x + wide * left, y - high * top),
            (x + wide * right, y - high * top),
            (x + wide * right, y - high * bottom),
            (x + wide * left, y - high * bottom),
        ]

    canvas.ellipse(x, y, wide * 0.7, wide * 0.07, rgb(20, 22, 18), soft=wide * 0.1, alpha=0.4)
    canvas.polygons([box(-0.5, 1, 0.5, 0)], wall * lit)
    canvas.polygons([box(0.16, 1, 0.5, 0)], wall * lit * 0.82)
    canvas.polygons([box(0.22, 1.75, 0.34, 0.9)], rgb(110, 80, 75) * lit)
    slates = rgb(240, 243, 250) if snowy else roof
    gable = [(x - wide * 0.62, y - high * 0.95), (x - wide * 0.05, y - high * 1.8), (x + wide * 0.62, y - high * 0.95)]
    canvas.polygons([gable], slates * lit)
    glass = WINDOW_LIGHT if night else rgb(90, 110, 135) * lit
    canvas.polygons([box(-0.36, 0.7, -0.14, 0.35), box(0.26, 0.7, 0.42, 0.35)], glass)
    canvas.lines(
        [[(x - wide * 0.25, y - high * 0.7), (x - wide * 0.25, y - high * 0.35)]], wide * 0.012, wall * lit * 0.7
    )
    canvas.polygons([box(-0.03, 0.5, 0.12, 0)], rgb(85, 58, 42) * lit)
    if night:
        canvas.glow(x - wide * 0.25, y - high * 0.5, wide * 0.35, rgb(255, 190, 90), 0.3)


def paint_boat(canvas: Canvas, rng: Rng, at: Point, size: float, lit: Colour, sail: Colour) -> None:
    """A sailing boat and its reflection; at: the waterline."""
    x, y = at
    hull_colour = (rgb(120, 60, 40), rgb(60, 70, 100), rgb(150, 40, 45))[int(rng.integers(3))]

    def shapes(up: float) -> tuple[Polygon, Polygon, Polygon]:
        hull = [(-0.5, 0.12), (0.55, 0.14), (0.38, -0.08), (-0.36, -0.08)]
        main = [(0.0, 0.15), (0.02, 1.2), (0.46, 0.22)]
        fore = [(-0.04, 0.15), (-0.02, 1.05), (-0.34, 0.22)]
        floor = 0.08 * size if up < 0 else 0.0
        made = [[(x + px * size, y + floor - py * size * up) for px, py in part] for part in (hull, main, fore)]
        return made[0], made[1], made[2]

    hull, main, fore = shapes(-0.75)
    canvas.polygons([main, fore], sail * lit, 0.28)
    canvas.polygons([hull], hull_colour * lit * 0.8, 0.45)
    hull, main, fore = shapes(1.0)
    canvas.polygons([hull], hull_colour * lit)
    canvas.lines(
        [[(x - size * 0.01, y - size * 0.12), (x - size * 0.01, y - size * 1.22)]], size * 0.02, rgb(80, 60, 45) * lit
    )
    canvas.polygons([main], sail * lit)
    canvas.polygons([fore], sail * lit * 0.86)


def paint_lighthouse(place: Place, rng: Rng, x: float, y: float, height: float) -> None:
    """A striped tower on a rock; its beam is seen at night and in bad weather."""
    canvas, mood = place.canvas, place.mood
    lit = np.maximum(mood.lit, 0.3)
    half = height * 0.11
    rock: Polygon = [(x - height * 0.5, y + height * 0.08)]
    for share in np.linspace(-0.42, 0.42, 9):
        lift = (1 - (share / 0.46) ** 2) * 0.12 + rng.uniform(-0.02, 0.02)
        rock.append((x + height * float(share), y - height * float(lift) + height * 0.05))
    rock.append((x + height * 0.5, y + height * 0.08))
    canvas.polygons([rock], rgb(74, 70, 70) * lit)
    canvas.polygons([[*rock[1:5], (x - height * 0.1, y + height * 0.07), rock[0]]], rgb(96, 92, 90) * lit, 0.7)
    for band in range(5):
        low, high = band / 5, (band + 1) / 5
        below, above = half * (1 - 0.4 * low), half * (1 - 0.4 * high)
        colour = (rgb(225, 60, 50) if band % 2 == 0 else rgb(245, 242, 235)) * lit
        for side, shade in ((-1, 1.0), (1, 0.78)):
            canvas.polygons(
                [
                    [
                        (x, y - height * 0.8 * low),
                        (x + side * below, y - height * 0.8 * low),
                        (x + side * above, y - height * 0.8 * high),
                        (x, y - height * 0.8 * high),
                    ]
                ],
                colour * shade,
            )
    lamp_y = y - height * 0.86
    canvas.polygons(
        [
            [
                (x - half * 0.8, y - height * 0.79),
                (x + half * 0.8, y - height * 0.79),
                (x + half * 0.8, y - height * 0.81),
                (x - half * 0.8, y - height * 0.81),
            ]
        ],
        rgb(60, 40, 40) * lit,
    )
    canvas.rectangle(x - half * 0.5, y - height * 0.92, x + half * 0.5, y - height * 0.8, rgb(255, 240, 160))
    canvas.polygons(
        [[(x - half * 0.7, y - height * 0.92), (x, y - height * 1.03), (x + half * 0.7, y - height * 0.92)]],
        rgb(90, 35, 35) * lit,
    )
    if mood.is_night or mood.is_bad:
        turned = 1.0 if x < canvas.width / 2 else -1.0
        along = (canvas.x - x) * turned
        across = np.abs(canvas.y - lamp_y + along * 0.04) / (0.01 + np.clip(along, 0, None) * 0.12)
        beam = ramp(1, 0.2, across) * (along > 0) * np.exp(-np.abs(along) / 0.5)
        canvas.light(beam * 0.45, rgb(255, 240, 180))
    canvas.glow(x, lamp_y, 0.03, rgb(255, 235, 160), 0.8)


def paint_pyramids(place: Place, rng: Rng, count: int) -> None:
    """Pyramids with a lit and a dark side, the far ones first."""
    canvas, lit = place.canvas, place.mood.lit
    side = 1.0 if place.heaven.light_x > canvas.width / 2 else -1.0
    middles = (np.arange(count) + rng.uniform(0.35, 0.65, count)) / count * canvas.width
    for index in rng.permutation(count):
        x, wide = float(middles[index]), rng.uniform(0.13, 0.24) * (1.0 if count < 4 else 0.7)
        y = place.horizon + 0.06 + wide * 0.12
        apex = (x, y - wide * 1.1)
        ridge_foot = x - side * wide * 0.3
        sand = mix(rgb(222, 178, 110) * lit, place.mood.haze, 0.12 + place.mood.thickness)
        dark = mix(rgb(140, 104, 66) * lit, place.mood.haze, 0.12 + place.mood.thickness)
        canvas.polygons([[(x - wide, y), apex, (x + wide, y)]], sand)
        canvas.polygons([[(ridge_foot, y), apex, (x - side * wide, y)]], dark)
        courses = [
            [(x - wide * s, y - wide * 1.1 * (1 - s)), (x + wide * s, y - wide * 1.1 * (1 - s))]
            for s in np.linspace(0.1, 1, 14)
        ]
        canvas.lines(courses, 0.0015, rgb(90, 64, 40) * lit, 0.16)


def paint_bridge(place: Place, rng: Rng) -> None:
    """A stone bridge of one arch over the near water."""
    canvas, lit = place.canvas, np.maximum(place.mood.lit, 0.25)
    cx, y = canvas.width * rng.uniform(0.45, 0.55), place.level(0.42)
    half, rise = min(0.42, canvas.width * 0.42), 0.15
    angles = np.linspace(np.pi, 0, 25)
    deck = [(cx + half * 1.25 * float(np.cos(a)), y - rise * 1.35 * float(np.sin(a))) for a in angles]
    arch = [(cx + half * 0.7 * float(np.cos(a)), y - rise * 0.85 * float(np.sin(a))) for a in angles[::-1]]
    stone = rgb(150, 142, 130) * lit
    canvas.polygons([[(px, 2 * y - py * 1.0) for px, py in deck + arch]], stone * 0.6, 0.3)
    canvas.polygons([deck + arch], stone)
    canvas.lines([[(px, py + 0.004) for px, py in arch]], 0.012, stone * 0.7)
    canvas.lines([[(px, py - 0.022) for px, py in deck]], 0.009, np.clip(stone * 1.18, 0, 1))
    canvas.lines([[(px, py), (px, py - 0.022)] for px, py in deck[2:-2:2]], 0.006, np.clip(stone * 1.1, 0, 1))


def paint_pagoda(canvas: Canvas, at: Point, height: float, lit: Colour, night: bool) -> None:
    """A tower of five roofs; at: the middle of its foot."""
    x, y = at
    storeys = 5
    floor = y
    for level in range(storeys):
        shrink = 1 - 0.14 * level
        tall, half = height * 0.17 * shrink, height * 0.13 * shrink
        canvas.rectangle(x - half, floor - tall, x + half, floor, rgb(168, 62, 46) * lit)
        canvas.rectangle(x + half * 0.4, floor - tall, x + half, floor, rgb(128, 44, 36) * lit)
        glass = WINDOW_LIGHT if night else rgb(70, 40, 32) * lit
        canvas.rectangle(x - half * 0.25, floor - tall * 0.6, x + half * 0.25, floor - tall * 0.1, glass)
        eave = floor - tall * 0.78
        roof = [
            (x - half * 1.75, eave - tall * 0.12),
            (x - half * 1.2, eave),
            (x + half * 1.2, eave),
            (x + half * 1.75, eave - tall * 0.12),
        ]
        roof += [(x + half * 0.85, eave - tall * 0.42), (x - half * 0.85, eave - tall * 0.42)]
        canvas.polygons([roof], rgb(54, 62, 66) * lit)
        floor -= tall
    canvas.polygons(
        [
            [
                (x - height * 0.012, floor - height * 0.02),
                (x, floor - height * 0.16),
                (x + height * 0.012, floor - height * 0.02),
            ]
        ],
        rgb(200, 160, 70) * lit,
    )
    if night:
        canvas.glow(x, y - height * 0.4, height * 0.2, rgb(255, 190, 90), 0.25)


def paint_balloon(canvas: Canvas, at: Point, size: float, lit: Colour, colour: Colour) -> None:
    """A hot-air balloon in stripes; at: the middle of the envelope, size: its radius."""
    x, y = at
    second = rgb(245, 240, 225)
    for index, reach in enumerate((1.0, 0.72, 0.4)):
        canvas.ball(x, y, size * reach, size * 1.08, (colour if index % 2 == 0 else second) * lit, shine=0.1)
    canvas.polygons(
        [
            [
                (x - size * 0.62, y + size * 0.82),
                (x + size * 0.62, y + size * 0.82),
                (x + size * 0.16, y + size * 1.45),
                (x - size * 0.16, y + size * 1.45),
            ]
        ],
        colour * lit * 0.8,
    )
    for side in (-1, 1):
        canvas.lines(
            [[(x + side * size * 0.15, y + size * 1.45), (x + side * size * 0.11, y + size * 1.75)]],
            size * 0.03,
            rgb(60, 45, 35) * lit,
        )
    canvas.polygons(
        [
            [
                (x - size * 0.14, y + size * 1.72),
                (x + size * 0.14, y + size * 1.72),
                (x + size * 0.12, y + size * 1.95),
                (x - size * 0.12, y + size * 1.95),
            ]
        ],
        rgb(120, 84, 50) * lit,
    )
