"""Still lifes: a table with a vase, flowers, fruit, a cup, a bowl or a candle."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engines.picture.scene.canvas import SOFT, Canvas, Colour, Field, Rng, mix, near, ramp, rgb, stream
from engines.picture.scene.palette import COLOURS, colour_named
from engines.picture.scene.parser import Mention, Wish

Tick = Callable[[str], None]

_VASES = ("blue", "white", "green", "red", "teal", "brown")
_FLOWERS = ("red", "yellow", "pink", "white", "purple", "orange")
_FRUITS = ("apple", "orange", "lemon", "pear", "plum", "cherry")
# How much wider and taller than an apple.
_FRUIT_SHAPES = {
    "apple": (1.0, 0.94),
    "orange": (1.0, 1.0),
    "lemon": (1.25, 0.85),
    "pear": (0.85, 1.1),
    "plum": (0.9, 0.85),
    "cherry": (0.5, 0.5),
}
_FRUIT_COLOURS = {
    "apple": "red",
    "orange": "orange",
    "lemon": "yellow",
    "pear": "green",
    "plum": "purple",
    "cherry": "red",
}


def paint_still(canvas: Canvas, wish: Wish, seed: int, tick: Tick) -> None:
    """Paint a table and what the words put on it."""
    rng = stream(seed, "still")
    table = canvas.height - rng.uniform(0.32, 0.38)
    tick("painting the room")
    _room(canvas, wish, seed, table)
    tick("painting the table")
    _surface(canvas, wish, stream(seed, "table"), table)
    tick("painting the details")
    wish.wants("kind:still")
    fruits = wish.all("fruit")
    has_vase = wish.has("thing:vase", "thing:flowers", "thing:cherry") or not (fruits or wish.has("thing"))
    x = canvas.width * (
        rng.uniform(0.36, 0.44) if fruits or wish.has("thing:cup", "thing:bowl", "thing:candle") else 0.5
    )
    if has_vase:
        _vase(canvas, wish, seed, x, table + 0.12)
    spots = (
        [canvas.width / 2 + side * rng.uniform(0.2, 0.27) for side in (1, -1)]
        if has_vase
        else [canvas.width * 0.36, canvas.width * 0.66]
    )
    if (candle := wish.wants("thing:candle")) is not None:
        _candle(canvas, spots[1] - 0.06, table + 0.1, colour_named(candle.colour, rgb(244, 238, 220)))
    if (bowl := wish.wants("thing:bowl")) is not None:
        _bowl(canvas, wish, seed, canvas.width * 0.5 + 0.16, table + 0.2, bowl, fruits)
    elif fruits:
        _fruit_row(canvas, stream(seed, "fruit"), fruits, table)
    if (cup := wish.wants("thing:cup")) is not None:
        _cup(canvas, spots[0] + 0.05, table + 0.22, colour_named(cup.colour, rgb(236, 232, 224)))


def _room(canvas: Canvas, wish: Wish, seed: int, table: float) -> None:
    rng = stream(seed, "room")
    names = ("blue", "green", "teal", "gray", "brown", "purple", "orange")
    mention = wish.wants("place:background")
    name = (mention.colour if mention else None) or (wish.colours[0] if wish.colours else None)
    wall = mix(colour_named(name, COLOURS[names[int(rng.integers(len(names)))]]), rgb(128, 124, 118), 0.35)
    distance = np.sqrt((canvas.x - canvas.width * 0.35) ** 2 + (canvas.y - canvas.height * 0.3) ** 2)
    tone = 1.05 - 0.45 * distance / max(canvas.width, canvas.height) + 0.05 * canvas.noise(rng, 0.6, 0.6, SOFT)
    canvas.pixels[:] = np.clip(wall * tone[..., None], 0, 1)


def _surface(canvas: Canvas, wish: Wish, rng: Rng, table: float) -> None:
    woods = (rgb(150, 98, 58), rgb(226, 222, 214), rgb(70, 54, 48))
    mention = wish.wants("thing:table")
    wood = colour_named(mention.colour if mention else None, woods[int(rng.integers(len(woods)))])
    grain = canvas.noise(rng, 0.12, 0.9, 3)
    depth = (canvas.y - table) / (canvas.height - table)
    lit = 0.78 + 0.3 * np.clip(depth, 0, 1) + 0.06 * grain - 0.15 * (canvas.x / canvas.width - 0.5)
    canvas.over(ramp(table - 0.003, table + 0.003, canvas.y), np.clip(wood * lit[..., None], 0, 1))
    canvas.over(np.exp(-(((canvas.y - table) / 0.004) ** 2)) * 0.35, np.clip(wood * 1.3, 0, 1))


def _shadow(canvas: Canvas, cx: float, y: float, half: float) -> None:
    """A soft shadow to the right of a thing's foot."""
    canvas.ellipse(cx + half * 0.35, y, half * 1.5, half * 0.36, rgb(25, 18, 18), soft=half * 0.3, alpha=0.5)


def _turned(canvas: Canvas, cx: float, top: float, foot: float, half: Callable[[Field], Field], colour: Colour) -> None:
    """A thing turned on a wheel; half: its half width at a share of its height from the top (0) to the foot (1)."""
    share = np.clip((canvas.y - top) / (foot - top), 0, 1)
    profile = np.maximum(half(share), 1e-4)
    u = (canvas.x - cx) / profile
    sag = 0.02 * (foot - top) / 0.3
    mask = np.clip((1 - np.abs(u)) * profile / canvas.pixel + 0.5, 0, 1)
    mask = (
        mask * ramp(top - 0.002, top + 0.002, canvas.y) * ramp(foot + 0.003, foot - 0.003, canvas.y + sag * (u * u - 1))
    )
    light = np.clip(np.cos((u + 0.35) * 1.25), 0, 1)[..., None]
    shine = (np.exp(-(((u + 0.4) / 0.09) ** 2)) * 0.35)[..., None]
    canvas.over(mask, np.clip(mix(colour * 0.3, np.clip(colour * 1.05, 0, 1), light) + shine, 0, 1))


def _vase(canvas: Canvas, wish: Wish, seed: int, x: float, foot: float) -> None:
    rng = stream(seed, "vase")
    mention = wish.wants("thing:vase")
    colour = colour_named(mention.colour if mention else None, COLOURS[_VASES[int(rng.integers(len(_VASES)))]])
    tall = rng.uniform(0.3, 0.36)
    half = tall * rng.uniform(0.3, 0.36)
    top = foot - tall
    _shadow(canvas, x, foot, half)
    flowers = wish.all("thing:flowers") + wish.all("thing:cherry")
    if (
        flowers
        or wish.has("kind:still")
        or (mention is not None and rng.random() < 0.6 and "thing:flowers" not in wish.excluded)
    ):
        _bouquet(canvas, stream(seed, "bouquet"), x, top, flowers)
    canvas.ellipse(x, top + 0.002, half * 0.62, half * 0.1, colour * 0.25)
    waist = rng.uniform(0.75, 0.95)

    def profile(share: Field) -> Field:
        belly = np.sin(np.pi * np.clip(share * 0.8 + 0.18, 0, 1)) ** waist
        return np.asarray(half * (0.42 + 0.58 * belly) * (1 + 0.1 * np.exp(-share / 0.05)))

    _turned(canvas, x, top, foot, profile, colour)


def _bouquet(canvas: Canvas, rng: Rng, x: float, top: float, named: list[Mention]) -> None:
    count = next((m.count for m in named if m.count), None) or int(rng.integers(5, 9))
    heads = []
    for index in range(min(count, 14)):
        spread = (index + 0.5) / min(count, 14) * 2 - 1
        heads.append((x + spread * 0.2 + rng.uniform(-0.03, 0.03), top - rng.uniform(0.1, 0.26) + 0.07 * abs(spread)))
    for px, py in heads:
        canvas.lines([[(x, top + 0.01), ((x + px) / 2, top - 0.07), (px, py)]], 0.008, rgb(64, 110, 56))
    for px, py in heads:
        mid_x, mid_y = px * 0.55 + x * 0.45, py * 0.5 + top * 0.5
        canvas.ellipse(mid_x + 0.02, mid_y, 0.036, 0.014, rgb(76, 128, 62), turn=rng.uniform(-1, 1))
        canvas.ellipse(mid_x - 0.02, mid_y + 0.02, 0.032, 0.013, rgb(60, 108, 54), turn=rng.uniform(-1, 1))
    usual = _FLOWERS[int(rng.integers(len(_FLOWERS)))]
    for index, (px, py) in enumerate(sorted(heads, key=lambda head: head[1])):
        mention = named[index % len(named)] if named else None
        name = (mention.colour if mention else None) or ("pink" if mention and mention.value == "cherry" else usual)
        colour = COLOURS.get(name, COLOURS["red"])
        radius = rng.uniform(0.045, 0.065)
        petals, phase = int(rng.integers(6, 10)), rng.random() * 6
        for petal in range(petals):
            angle = phase + petal * 2 * np.pi / petals
            dx, dy = float(np.cos(angle)), float(np.sin(angle))
            tone = np.clip(colour * rng.uniform(0.8, 1.06), 0, 1)
            canvas.ellipse(
                px + dx * radius * 0.6, py + dy * radius * 0.6, radius * 0.55, radius * 0.36, tone, turn=angle
            )
        canvas.ball(
            px, py, radius * 0.3, radius * 0.3, rgb(130, 80, 40) if name == "yellow" else rgb(250, 200, 70), shine=0.1
        )


def _fruit(canvas: Canvas, rng: Rng, kind: str, x: float, foot: float, radius: float, colour: Colour) -> None:
    wide, tall = _FRUIT_SHAPES[kind]
    rx, ry = radius * wide, radius * tall
    _shadow(canvas, x, foot, rx)
    tone = near(rng, colour, 0.03)
    if kind == "pear":
        _turned(canvas, x, foot - ry * 2.5, foot, lambda share: rx * _pear(share), tone)
    else:
        canvas.ball(x, foot - ry * 0.95, rx, ry, tone)
    top = foot - ry * (2.4 if kind == "pear" else 1.82)
    if kind in ("apple", "pear", "plum", "cherry"):
        canvas.lines([[(x, top), (x + 0.012, top - ry * 0.42)]], 0.008, rgb(80, 56, 36))
    if kind in ("apple", "pear"):
        canvas.ellipse(x + 0.03, top - ry * 0.28, 0.026, 0.012, rgb(90, 150, 64), turn=-0.5)
    if kind == "lemon":
        canvas.ellipse(x + rx * 0.98, foot - ry * 0.95, rx * 0.14, ry * 0.16, tone * 0.85)


def _pear(share: Field) -> Field:
    """Half the width of a pear by the share of its height from the top."""
    belly = np.sqrt(np.clip(1 - ((share - 0.66) / 0.34) ** 2, 0, 1))
    neck = 0.52 * np.sqrt(np.clip(1 - ((share - 0.24) / 0.24) ** 2, 0, 1))
    between = mix(0.5, 1.0, ramp(0.2, 0.66, share)) * ((share > 0.24) & (share < 0.66))
    return np.asarray(
        np.maximum(np.where(share >= 0.66, belly, 0), np.maximum(between, np.where(share <= 0.24, neck, 0)))
    )


def _basket(rng: Rng, fruits: list[Mention]) -> list[tuple[str, Colour]]:
    """Kinds and colours of single fruits."""
    found: list[tuple[str, Colour]] = []
    for mention in fruits:
        plural = mention.text.endswith("s") or mention.text in ("水果", "fruit")
        count = mention.count or (3 if plural else 1)
        for _ in range(min(count, 9)):
            kind = mention.value if mention.value in _FRUIT_SHAPES else _FRUITS[int(rng.integers(len(_FRUITS)))]
            name = mention.colour if mention.value in _FRUIT_SHAPES else None
            found.append((kind, COLOURS.get(name or _FRUIT_COLOURS[kind], COLOURS["red"])))
    return found[:12]


def _fruit_row(canvas: Canvas, rng: Rng, fruits: list[Mention], table: float) -> None:
    basket = _basket(rng, fruits)
    columns = (np.arange(len(basket)) + rng.uniform(0.3, 0.7, len(basket))) / len(basket)
    order = rng.permutation(len(basket))
    feet = np.sort(rng.uniform(table + 0.15, canvas.height - 0.04, len(basket)))
    for index, foot in enumerate(feet):
        kind, colour = basket[index]
        x = canvas.width * float(0.12 + 0.76 * columns[order[index]])
        _fruit(canvas, rng, kind, x, float(foot), rng.uniform(0.068, 0.082), colour)


def _bowl(canvas: Canvas, wish: Wish, seed: int, x: float, foot: float, bowl: Mention, fruits: list[Mention]) -> None:
    rng = stream(seed, "bowl")
    colour = colour_named(bowl.colour, rgb(216, 208, 196))
    half, tall = 0.2, 0.12
    _shadow(canvas, x, foot, half * 0.8)
    canvas.ellipse(x, foot - tall, half, half * 0.16, colour * 0.4)
    basket = _basket(rng, fruits)[:6]
    for index, (kind, tone) in enumerate(basket):
        place = (index + 0.5) / len(basket) * 2 - 1
        _fruit(canvas, rng, kind, x + place * half * 0.66, foot - tall + 0.02 - 0.03 * (1 - place * place), 0.058, tone)
    _turned(
        canvas,
        x,
        foot - tall,
        foot,
        lambda share: np.asarray(half * np.sqrt(np.clip(1 - share**1.7 * 0.86, 0.02, 1))),
        colour,
    )


def _cup(canvas: Canvas, x: float, foot: float, colour: Colour) -> None:
    _shadow(canvas, x, foot, 0.07)
    turn = np.linspace(-1.4, 1.4, 15)
    canvas.lines(
        [[(x + 0.06 + 0.05 * float(np.cos(t)), foot - 0.07 + 0.045 * float(np.sin(t))) for t in turn]],
        0.016,
        colour * 0.75,
    )
    canvas.ellipse(x, foot - 0.13, 0.075, 0.018, colour)
    canvas.ellipse(x, foot - 0.129, 0.064, 0.013, rgb(84, 50, 30))
    _turned(canvas, x, foot - 0.13, foot, lambda share: np.asarray(0.075 - 0.018 * share**2), colour)
    canvas.ellipse(x, foot - 0.131, 0.067, 0.0135, rgb(84, 50, 30))


def _candle(canvas: Canvas, x: float, foot: float, colour: Colour) -> None:
    _shadow(canvas, x, foot, 0.05)
    _turned(canvas, x, foot - 0.2, foot, lambda share: np.asarray(0.032 + 0 * share), colour)
    canvas.lines([[(x, foot - 0.2), (x + 0.002, foot - 0.222)]], 0.005, rgb(40, 30, 26))
    canvas.glow(x, foot - 0.245, 0.12, rgb(255, 190, 90), 0.6)
    canvas.ellipse(x, foot - 0.242, 0.014, 0.032, rgb(255, 190, 70), soft=0.01)
    canvas.ellipse(x, foot - 0.236, 0.007, 0.018, rgb(255, 248, 210), soft=0.006)
