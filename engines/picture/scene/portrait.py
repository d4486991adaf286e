"""Cartoon portraits: one head and shoulders, on a plain ground or before a blurred landscape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.picture.scene.canvas import SOFT, Canvas, Colour, Field, Point, Rng, mix, near, ramp, rgb, stream
from engines.picture.scene.palette import COLOURS, HAIR, SKIN, colour_named
from engines.picture.scene.parser import Mention, Wish

_LANDSCAPE = ("land", "time", "weather", "sky", "season", "trait", "thing")
_BACKGROUNDS = ("blue", "green", "teal", "gray", "purple", "orange", "pink", "yellow")
_SHIRTS = ("red", "blue", "green", "purple", "yellow", "teal", "white", "orange")
_EYES = (rgb(70, 50, 36), rgb(60, 100, 160), rgb(70, 120, 80), rgb(90, 90, 90))


@dataclass(frozen=True, slots=True)
class _Person:
    """Who is painted. cx, cy, half, tall: middle and half axes of the face, in units."""

    is_woman: bool
    age: str
    cut: str
    hair: Colour
    skin: Colour
    mood: str
    cx: float
    cy: float
    half: float
    tall: float


def has_landscape(wish: Wish) -> bool:
    """Whether a landscape is asked for behind the person."""
    return wish.has(*_LANDSCAPE)


def paint_plain_ground(canvas: Canvas, wish: Wish, seed: int) -> None:
    """A soft plain background, lit from the upper left."""
    rng = stream(seed, "background")
    mention = wish.wants("place:background")
    name = (mention.colour if mention else None) or (wish.colours[0] if wish.colours else None)
    colour = colour_named(name, COLOURS[_BACKGROUNDS[int(rng.integers(len(_BACKGROUNDS)))]])
    colour = mix(colour, rgb(190, 190, 190), 0.25)
    distance = np.sqrt((canvas.x - canvas.width * 0.4) ** 2 + (canvas.y - canvas.height * 0.35) ** 2)
    tone = 1.05 - 0.45 * distance / max(canvas.width, canvas.height) + 0.04 * canvas.noise(rng, 0.6, 0.6, SOFT)
    canvas.pixels[:] = np.clip(colour * tone[..., None], 0, 1)


def paint_person(canvas: Canvas, wish: Wish, seed: int) -> None:
    """Paint the person the words describe; what they leave open, the seed decides."""
    person = _person(canvas, wish, seed)
    rng = stream(seed, "person")
    _back_hair(canvas, person, rng)
    _body(canvas, person, wish, stream(seed, "clothes"))
    _face(canvas, person)
    _features(canvas, person, rng)
    if (beard := wish.wants("wear:beard")) is not None:
        _beard(canvas, person, HAIR.get(beard.colour or "", colour_named(beard.colour, person.hair)))
    _mouth(canvas, person)
    _front_hair(canvas, person, rng)
    _worn(canvas, person, wish, stream(seed, "worn"))


def _person(canvas: Canvas, wish: Wish, seed: int) -> _Person:
    rng = stream(seed, "who")
    people = [mention.value for mention in wish.all("person") if mention.value != "any"]
    for mention in wish.all("person"):
        if mention.count is not None and mention.count > 1:
            wish.falls_short(f"{mention.count} × {mention.text}")
    is_woman = people[0] == "woman" if people else bool(rng.random() < 0.5) and not wish.has("wear:beard")
    ages = wish.all("age")
    age = ages[0].value if ages else ""
    skin = near(rng, SKIN[int(rng.integers(len(SKIN)))], 0.015)
    names = list(HAIR)
    usual = names[int(rng.integers(2 if age == "old" else 4))]
    if age == "old":
        usual = "gray" if rng.random() < 0.6 else "white"
    hairs = wish.all("hair")
    coloured = next((mention.colour for mention in hairs if mention.colour), None)
    hair = HAIR.get(coloured or usual, COLOURS.get(coloured or "", HAIR[usual]))
    cuts = [mention.value for mention in hairs if mention.value != "itself"]
    usual_cuts = ("long", "long", "short", "bun", "curly") if is_woman else ("short", "short", "short", "curly")
    cut = cuts[0] if cuts else usual_cuts[int(rng.integers(len(usual_cuts)))]
    moods = wish.all("mood")
    mood = moods[0].value if moods else ("smiling", "neutral")[int(rng.random() < 0.4)]
    half = rng.uniform(0.175, 0.195) * (1.05 if age == "young" else 1.0)
    return _Person(
        is_woman,
        age,
        cut,
        near(rng, hair, 0.02),
        skin,
        mood,
        canvas.width / 2 + rng.uniform(-0.02, 0.02),
        canvas.height - 0.55,
        half,
        half * (1.2 if age == "young" else rng.uniform(1.24, 1.36)),
    )


def _shade(canvas: Canvas, person: _Person, share: float = 0.35) -> Field:
    """Light from the left; (h, w, 1)."""
    across = share * np.clip((canvas.x - person.cx) / 0.24, -1, 1)
    down = 0.12 * np.clip((canvas.y - person.cy) / 0.3, -1, 1)
    return np.asarray(np.clip(0.92 - across * 0.6 - down, 0.5, 1.06)[..., None], np.float32)


def _strands(canvas: Canvas, person: _Person, rng: Rng, share: float) -> Field:
    """Strands of hair as a pattern of light; (h, w, 1)."""
    noise = canvas.noise(rng, 0.6, 0.6, SOFT)
    wave = np.sin((canvas.x - person.cx) * 110 + (canvas.y - person.cy) * 24 + noise * 1.5)
    return np.asarray((1 + share * wave)[..., None], np.float32)


def _back_hair(canvas: Canvas, person: _Person, rng: Rng) -> None:
    cx, cy, half, tall = person.cx, person.cy, person.half, person.tall
    if person.cut == "long":
        tone = np.clip(person.hair * 0.8 * _shade(canvas, person) * _strands(canvas, person, rng, 0.07), 0, 1)
        u = (canvas.x - cx) / half
        v = (canvas.y - cy) / tall
        width = np.where(
            v < -0.1, np.sqrt(np.clip(1.36**2 - (v + 0.1) ** 2 * 1.25, 0, None)), 1.36 + 0.07 * np.clip(v, 0, 1.6)
        )
        wave = 0.05 * np.sin(v * 7 + np.sign(u) * 0.7)
        inside = np.clip((width + wave - np.abs(u)) * half / canvas.pixel + 0.5, 0, 1)
        canvas.over(inside * ramp(1.62, 1.5, v + 0.08 * np.cos(u * 3)) * (v > -1.3), tone)
    if person.cut == "curly":
        for angle in np.linspace(0, 2 * np.pi, 19)[:-1]:
            radius = half * rng.uniform(0.36, 0.48)
            x, y = cx + float(np.cos(angle)) * half * 1.05, cy - tall * 0.28 + float(np.sin(angle)) * tall * 0.72
            canvas.ball(x, y, radius, radius, np.clip(person.hair * rng.uniform(0.95, 1.15), 0, 1), shine=0.08)
    if person.cut == "bun":
        canvas.ball(cx, cy - tall * 1.18, half * 0.44, half * 0.4, np.clip(person.hair * 1.15, 0, 1), shine=0.1)


def _body(canvas: Canvas, person: _Person, wish: Wish, rng: Rng) -> None:
    cx, cy, half, tall = person.cx, person.cy, person.half, person.tall
    mention = wish.wants("wear:shirt")
    cloth = colour_named(mention.colour if mention else None, COLOURS[_SHIRTS[int(rng.integers(len(_SHIRTS)))]])
    shoulder = rng.uniform(0.29, 0.33) if person.is_woman else rng.uniform(0.36, 0.41)
    top = cy + tall * 1.2
    across = np.clip(np.abs(canvas.x - cx) / shoulder, 0, 1.2)
    fall = top + 0.15 * across**2.6
    mask = ramp(0, 0.008, canvas.y - fall) * ramp(shoulder * 1.1 + 0.012, shoulder * 1.1, np.abs(canvas.x - cx))
    tone = np.clip(cloth * _shade(canvas, person, 0.3), 0, 1)
    canvas.over(mask, tone)
    for side in (-1, 1):
        canvas.lines(
            [[(cx + side * shoulder * 0.72, top + 0.19), (cx + side * shoulder * 0.68, canvas.height)]],
            0.004,
            cloth * 0.6,
            0.6,
        )
    neck = person.skin * 0.8 * _shade(canvas, person)
    canvas.ellipse(cx, top + 0.02, half * 0.62, 0.05, cloth * 0.62)
    left, right = cx - half * 0.42, cx + half * 0.42
    shape = [(left, cy + tall * 0.6), (cx - half * 0.5, top + 0.03), (cx, top + 0.065)]
    shape += [(cx + half * 0.5, top + 0.03), (right, cy + tall * 0.6)]
    canvas.polygons([shape], np.clip(neck.mean(axis=(0, 1)) * 0.95, 0, 1))


def _face(canvas: Canvas, person: _Person) -> None:
    cx, cy, half, tall = person.cx, person.cy, person.half, person.tall
    for side in (-1, 1):
        canvas.ellipse(
            cx + side * half * 0.99,
            cy + tall * 0.06,
            half * 0.14,
            tall * 0.16,
            person.skin * (0.98 if side < 0 else 0.74),
        )
    v = (canvas.y - cy) / tall
    u = (canvas.x - cx) / (half * (1 - 0.2 * np.clip(v, 0, 1) ** 2))
    mask = np.clip((1 - np.sqrt(u * u + v * v)) * half / canvas.pixel + 0.5, 0, 1)
    canvas.over(mask, np.clip(person.skin * _shade(canvas, person), 0, 1))
    for side in (-1, 1):
        canvas.ellipse(
            cx + side * half * 0.55, cy + tall * 0.34, half * 0.24, half * 0.18, rgb(230, 90, 80), soft=0.03, alpha=0.28
        )


def _features(canvas: Canvas, person: _Person, rng: Rng) -> None:
    cx, half, tall = person.cx, person.half, person.tall
    y, apart = person.cy + tall * 0.02, half * 0.42
    iris = _EYES[int(rng.integers(len(_EYES)))]
    brow = person.hair * 0.7 if person.cut != "bald" else rgb(70, 50, 40)
    wide = 1.35 if person.mood == "surprised" else 1.0
    lift = {"surprised": 0.07, "sad": 0.0, "smiling": 0.02}.get(person.mood, 0.0) * tall
    inner = {"sad": -0.08, "surprised": 0.0}.get(person.mood, 0.03) * tall
    for side in (-1, 1):
        x = cx + side * apart
        canvas.ellipse(x, y, half * 0.2, tall * 0.088 * wide, rgb(250, 250, 248))
        canvas.ellipse(x, y, half * 0.108, half * 0.108, iris)
        canvas.ellipse(x, y, half * 0.056, half * 0.056, rgb(16, 14, 16))
        canvas.ellipse(x - 0.006, y - 0.007, 0.0065, 0.0065, rgb(255, 255, 255))
        lid = [(x + t * half * 0.21, y - tall * 0.088 * wide * (1 - t * t) - 0.001) for t in np.linspace(-1, 1, 9)]
        canvas.lines([lid], 0.008 if person.is_woman else 0.006, rgb(40, 28, 26))
        if person.is_woman:
            end = lid[-1] if side > 0 else lid[0]
            canvas.lines([[end, (end[0] + side * 0.012, end[1] - 0.012)]], 0.006, rgb(40, 28, 26))
        arch = [
            (cx + side * (apart - half * 0.22), y - tall * 0.2 + inner - lift),
            (cx + side * apart, y - tall * 0.25 - lift),
            (cx + side * (apart + half * 0.24), y - tall * 0.2 - lift),
        ]
        canvas.lines([arch], 0.009 if person.is_woman else 0.014, brow)
        if person.age == "old":
            canvas.lines(
                [[(x - half * 0.14, y + tall * 0.15), (x + half * 0.1, y + tall * 0.17)]], 0.004, person.skin * 0.72
            )
    if person.age == "old":
        for level in (-0.42, -0.36):
            canvas.lines(
                [[(cx - half * 0.35, y + tall * level), (cx + half * 0.35, y + tall * level)]],
                0.004,
                person.skin * 0.78,
            )
    nose = [(cx + 0.004, y + tall * 0.05), (cx + half * 0.13, y + tall * 0.3), (cx - half * 0.04, y + tall * 0.33)]
    canvas.lines([nose], 0.007, person.skin * 0.68)


def _mouth(canvas: Canvas, person: _Person) -> None:
    cx, half, tall = person.cx, person.half, person.tall
    y = person.cy + tall * 0.56
    lips = rgb(190, 70, 74) if person.is_woman else person.skin * 0.58
    if person.mood == "surprised":
        canvas.ellipse(cx, y, half * 0.15, tall * 0.11, rgb(90, 30, 34))
        return
    bend = {"smiling": 0.09, "sad": -0.07}.get(person.mood, 0.008) * tall
    line: list[Point] = [(cx + t * half * 0.4, y + bend * (1 - t * t) - bend * 0.4) for t in np.linspace(-1, 1, 11)]
    if person.mood == "smiling":
        lower = [(cx + t * half * 0.4, y + bend * 2.2 * (1 - t * t) - bend * 0.4) for t in np.linspace(1, -1, 11)]
        canvas.polygons([line + lower], rgb(150, 44, 52))
        teeth = [(cx + t * half * 0.36, y + bend * 1.5 * (1 - t * t) - bend * 0.36) for t in np.linspace(1, -1, 11)]
        canvas.polygons([line + teeth], rgb(250, 246, 240))
        canvas.lines([lower], 0.008, lips)
    canvas.lines([line], 0.011 if person.is_woman else 0.009, lips)


def _beard(canvas: Canvas, person: _Person, colour: Colour) -> None:
    cx, cy, half, tall = person.cx, person.cy, person.half, person.tall
    v = (canvas.y - cy) / tall
    u = (canvas.x - cx) / (half * (1 - 0.2 * np.clip(v, 0, 1) ** 2))
    inside = np.clip((1.04 - np.sqrt(u * u + v * v)) * half / canvas.pixel + 0.5, 0, 1)
    mask = ramp(0.22, 0.36, v + 0.18 * np.abs(u) ** 2) * inside
    place, mouth = canvas.ellipse_mask(cx, cy + tall * 0.57, half * 0.36, tall * 0.1, soft=0.012)
    mask[place] *= 1 - mouth
    place, nose = canvas.ellipse_mask(cx, cy + tall * 0.22, half * 0.5, tall * 0.15, soft=0.02)
    mask[place] *= 1 - nose
    canvas.over(mask, np.clip(colour * 0.95 * _shade(canvas, person), 0, 1))


def _front_hair(canvas: Canvas, person: _Person, rng: Rng) -> None:
    if person.cut == "bald":
        return
    cx, cy, half, tall = person.cx, person.cy, person.half, person.tall
    tone = np.clip(person.hair * _shade(canvas, person) * _strands(canvas, person, rng, 0.09) + 0.03, 0, 1)
    u = (canvas.x - cx) / half
    line = cy - tall * rng.uniform(0.42, 0.5) + 0.02 * rng.uniform(-1, 1) * u
    line = (
        line
        + 0.04 * u**2 * (3 if person.cut == "long" else 1)
        - (0.02 * np.abs(u - 0.25) if person.cut == "long" else 0)
    )
    if person.cut in ("short", "curly", "bun"):
        # Down to the ears at the sides, with a parting.
        line = (
            line
            + tall * 0.5 * np.clip((np.abs(u) - 0.72) / 0.3, 0, 1) ** 1.6
            - 0.03 * np.exp(-(((u - 0.3) / 0.2) ** 2))
        )
    front = ramp(0.006, -0.006, canvas.y - line)
    if person.cut == "long":
        sides = ramp(0.8, 0.92, np.abs(u)) * ramp(cy + tall * 0.5, cy + tall * 0.3, canvas.y)
        front = np.maximum(front, sides)
    place, cap = canvas.ellipse_mask(cx, cy - tall * 0.1, half * 1.1, tall * 1.08)
    mask = np.zeros((canvas.height_px, canvas.width_px), np.float32)
    mask[place] = cap * np.broadcast_to(front, mask.shape)[place]
    canvas.over(mask, tone)


def _worn(canvas: Canvas, person: _Person, wish: Wish, rng: Rng) -> None:
    cx, half, tall = person.cx, person.half, person.tall
    y, apart = person.cy + tall * 0.02, half * 0.42
    dark = wish.wants("wear:sunglasses")
    clear = wish.wants("wear:glasses")
    worn: Mention | None = dark or clear
    if worn is not None:
        frame = colour_named(worn.colour, rgb(34, 32, 36))
        for side in (-1, 1):
            turn = np.linspace(0, 2 * np.pi, 33)
            ring = [
                (cx + side * apart + half * 0.3 * float(np.cos(t)), y + tall * 0.19 * float(np.sin(t))) for t in turn
            ]
            if dark is not None:
                canvas.polygons([ring], frame * 0.8, 0.95)
                canvas.ellipse(
                    cx + side * apart - half * 0.1,
                    y - tall * 0.07,
                    half * 0.08,
                    tall * 0.03,
                    rgb(255, 255, 255),
                    turn=-0.5,
                    alpha=0.5,
                )
            canvas.lines([ring], 0.01, frame)
            canvas.lines([[(cx + side * (apart + half * 0.3), y), (cx + side * half, y - 0.01)]], 0.009, frame)
        canvas.lines([[(cx - apart + half * 0.28, y), (cx + apart - half * 0.28, y)]], 0.009, frame)
    ring_mention = wish.wants("wear:earrings")
    if ring_mention is not None:
        for side in (-1, 1):
            canvas.ball(
                cx + side * half * 1.02,
                person.cy + tall * 0.27,
                0.013,
                0.013,
                colour_named(ring_mention.colour, COLOURS["golden"]),
            )
    hat = wish.wants("wear:hat")
    if hat is not None:
        names = ("red", "blue", "black", "green", "brown")
        colour = colour_named(hat.colour, COLOURS[names[int(rng.integers(len(names)))]])
        tone = np.clip(colour * _shade(canvas, person), 0, 1)
        place, dome = canvas.ellipse_mask(cx, person.cy - tall * 0.55, half * 1.18, tall * 0.72)
        mask = np.zeros((canvas.height_px, canvas.width_px), np.float32)
        mask[place] = (
            dome * np.broadcast_to(ramp(0.004, -0.004, canvas.y - (person.cy - tall * 0.5)), mask.shape)[place]
        )
        canvas.over(mask, tone)
        canvas.ellipse(cx, person.cy - tall * 0.5, half * 1.55, tall * 0.11, np.clip(tone * 0.82, 0, 1))
        band = [
            (cx - half * 1.14, person.cy - tall * 0.66),
            (cx, person.cy - tall * 0.6),
            (cx + half * 1.14, person.cy - tall * 0.66),
        ]
        canvas.lines([band], 0.03, colour * 0.5, 0.8)
