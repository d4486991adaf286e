"""Space and abstract pictures: planets with rings, nebulae, galaxies; waves, circles, stripes, marble, spirals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engines.picture.scene.canvas import GRAIN, SMOOTH, Canvas, Colour, Field, Rng, mix, near, ramp, rgb, ridge, stream
from engines.picture.scene.palette import COLOURS, colour_named
from engines.picture.scene.parser import Wish
from engines.picture.scene.sky import paint_stars

Tick = Callable[[str], None]

_NEBULAE = {
    "purple": rgb(120, 50, 170),
    "blue": rgb(40, 80, 190),
    "red": rgb(190, 50, 60),
    "green": rgb(40, 140, 110),
    "orange": rgb(210, 110, 40),
    "pink": rgb(200, 80, 150),
    "teal": rgb(40, 140, 150),
}
_PLANETS = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "brown")
_NAMED_PLANETS = {
    "mars": "red",
    "火星": "red",
    "jupiter": "orange",
    "木星": "orange",
    "saturn": "yellow",
    "土星": "yellow",
}
_SHAPES = ("waves", "circles", "stripes", "marble", "spiral", "mosaic")


def paint_space(canvas: Canvas, wish: Wish, seed: int, tick: Tick) -> None:
    """Dark sky, nebula, stars, and the planets and galaxies that the words name."""
    rng = stream(seed, "space")
    tick("painting the sky")
    canvas.pixels[:] = rgb(6, 6, 18)
    nebula = wish.wants("cosmos:nebula")
    wish.wants("kind:space")
    if nebula is not None or rng.random() < 0.6:
        names = list(_NEBULAE)
        usual = _NEBULAE[names[int(rng.integers(len(names)))]]
        loose = wish.colours[0] if wish.colours else None
        colour = _NEBULAE.get((nebula.colour if nebula else None) or loose or "", usual)
        strength = 0.85 if nebula is not None else 0.45
        canvas.light(ramp(-0.3, 2.0, canvas.noise(rng, 0.6, 0.6, SMOOTH)) * strength, colour)
        canvas.light(ramp(0.2, 2.2, canvas.noise(rng, 0.5, 0.5, SMOOTH)) * strength * 0.55, np.roll(colour, 1))
    wish.all("sky:stars")
    paint_stars(canvas, stream(seed, "stars"), canvas.height, 240)
    tick("painting the details")
    if (galaxy := wish.wants("cosmos:galaxy")) is not None:
        _galaxy(canvas, stream(seed, "galaxy"), colour_named(galaxy.colour, rgb(150, 160, 255)))
    planets = wish.all("cosmos:planet")
    rings = wish.wants("cosmos:rings")
    if not planets and (rings is not None or not (nebula or galaxy)):
        _planet(canvas, stream(seed, "planet 0"), canvas.width / 2, canvas.height / 2, 0.22, None, rings is not None)
    for index, mention in enumerate(planets):
        ringed = rings is not None or mention.text in ("saturn", "土星")
        name = mention.colour or _NAMED_PLANETS.get(mention.text)
        count = min(mention.count or 1, 6)
        for number in range(count):
            own = stream(seed, f"planet {index} {number}")
            share = (number + 0.5) / count
            x = canvas.width * (own.uniform(0.4, 0.6) if count == 1 else 0.12 + 0.76 * share)
            y = canvas.height * own.uniform(0.38, 0.62)
            radius = own.uniform(0.18, 0.25) / (1 + 0.35 * (count - 1))
            _planet(canvas, own, x, y, radius, name, ringed)
    if wish.wants("sky:moon") is not None:
        own = stream(seed, "moon")
        spots = 0.9 - 0.12 * ramp(0.2, 1.2, canvas.noise(own, 0.9, 0.9, GRAIN))
        side = 0.16 if own.random() < 0.5 else 0.84
        canvas.ball(
            canvas.width * side, canvas.height * 0.22, 0.055, 0.055, rgb(205, 205, 208) * spots[..., None], shine=0.05
        )
    wish.all("time")


def _planet(canvas: Canvas, rng: Rng, x: float, y: float, radius: float, name: str | None, ringed: bool) -> None:
    colour = colour_named(name, COLOURS[_PLANETS[int(rng.integers(len(_PLANETS)))]])
    tilt = rng.uniform(0.15, 0.5) * (1 if rng.random() < 0.5 else -1)
    bands = canvas.noise(rng, 0.12 if ringed or rng.random() < 0.6 else 0.9, 0.9, GRAIN)
    surface = mix(colour, np.roll(colour, 1) * 0.55 + 0.25, np.clip(0.35 + 0.3 * bands, 0, 1)[..., None])
    canvas.glow(x, y, radius * 0.75, colour, 0.3)
    dx, dy = canvas.x - x, canvas.y - y
    u = dx * np.cos(tilt) + dy * np.sin(tilt)
    v = (dy * np.cos(tilt) - dx * np.sin(tilt)) / 0.28
    distance = np.sqrt(u * u + v * v)
    gaps = 0.7 + 0.25 * np.sin(distance / radius * 26) - 0.4 * np.exp(-(((distance / radius - 1.7) / 0.04) ** 2))
    ring = (
        ramp(1.25 * radius, 1.3 * radius, distance) * ramp(2.05 * radius, 1.95 * radius, distance) * np.clip(gaps, 0, 1)
    )
    dust = mix(colour, rgb(240, 225, 200), 0.6)
    if ringed:
        canvas.over(ring * (v <= 0), dust * 0.85)
    canvas.ball(x, y, radius, radius, np.clip(surface, 0, 1), shine=0.05)
    if ringed:
        # The ring's shadow on the planet.
        inside = np.clip((radius - np.sqrt(dx * dx + dy * dy)) / canvas.pixel + 0.5, 0, 1)
        canvas.over(
            np.exp(-(((v - 1.25 * radius) / (0.12 * radius)) ** 2)) * inside * 0.35,
            rgb(8, 8, 14),
        )
        canvas.over(ring * (v > 0), dust)


def _galaxy(canvas: Canvas, rng: Rng, colour: Colour) -> None:
    x, y = canvas.width * rng.uniform(0.4, 0.6), canvas.height * rng.uniform(0.4, 0.6)
    tilt, arms = rng.uniform(-0.8, 0.8), 2
    dx, dy = canvas.x - x, canvas.y - y
    u = dx * np.cos(tilt) + dy * np.sin(tilt)
    v = (dy * np.cos(tilt) - dx * np.sin(tilt)) / 0.5
    distance = np.sqrt(u * u + v * v) + 1e-3
    spiral = 0.5 + 0.5 * np.cos(
        arms * np.arctan2(v, u) - 9 * np.log(distance + 0.06) + 0.5 * canvas.noise(rng, 0.6, 0.6, SMOOTH)
    )
    dust = np.clip(0.75 + 0.3 * canvas.noise(rng, 0.9, 0.9, GRAIN), 0, 1.4)
    canvas.light(spiral**2 * np.exp(-distance / 0.17) * dust * 1.5, colour)
    canvas.light(np.exp(-((distance / 0.07) ** 2)) * 1.2 + np.exp(-distance / 0.1) * 0.35, rgb(255, 236, 205))


def paint_abstract(canvas: Canvas, wish: Wish, seed: int, tick: Tick) -> None:
    """A pattern in the named colours."""
    rng = stream(seed, "abstract")
    tick("painting the pattern")
    named = [*wish.colours, *(m.colour for m in (*wish.all("shape"), *wish.all("kind:abstract")) if m.colour)]
    found = [colour_named(name, COLOURS["blue"]) for name in named[:5]]
    if len(found) < 2:
        others = [name for name in COLOURS if name not in named and name not in ("black", "gray", "brown")]
        found += [COLOURS[str(name)] for name in rng.permutation(others)[: 3 - len(found)]]
    # Two named colours stay two: the third is one of them, lighter or darker.
    colours = found if len(found) > 2 else [*found, mix(found[0], rgb(250, 248, 240), 0.45)]
    shapes = [mention.value for mention in wish.all("shape")]
    shape = shapes[0] if shapes else _SHAPES[int(rng.integers(len(_SHAPES)))]
    noise, fine = canvas.noise(rng, 0.6, 0.6, SMOOTH), canvas.noise(rng, 0.6, 0.6, SMOOTH)
    {
        "waves": _waves,
        "circles": _circles,
        "stripes": _stripes,
        "marble": _marble,
        "spiral": _spiral,
        "mosaic": _mosaic,
    }[shape](canvas, rng, colours, noise, fine)


def _waves(canvas: Canvas, rng: Rng, colours: list[Colour], noise: Field, fine: Field) -> None:
    canvas.pixels[:] = np.clip(colours[0] * (1.05 - 0.2 * canvas.y / canvas.height + 0.03 * noise)[..., None], 0, 1)
    layers = int(rng.integers(6, 10))
    for layer in range(layers):
        level = canvas.height * (layer + 0.7) / (layers + 0.5) + 0.05 * ridge(rng, canvas.x, 0.3, 3, 1.5)
        below = canvas.y - level
        colour = near(rng, colours[1 + layer % (len(colours) - 1)], 0.05)
        canvas.over(ramp(-0.06, 0, below) * 0.3 * (below < 0), rgb(10, 10, 20))
        canvas.over(
            np.clip(below / canvas.pixel + 0.5, 0, 1),
            np.clip(colour * (1.12 - below * 1.1 + 0.02 * fine)[..., None], 0, 1),
        )


def _circles(canvas: Canvas, rng: Rng, colours: list[Colour], noise: Field, fine: Field) -> None:
    canvas.pixels[:] = np.clip(colours[0] * (1 + 0.08 * noise)[..., None], 0, 1)
    for index in range(int(rng.integers(16, 28) * canvas.width * canvas.height)):
        radius = rng.uniform(0.04, 0.17)
        colour = near(rng, colours[1 + index % (len(colours) - 1)], 0.06)
        x, y = canvas.width * rng.random(), canvas.height * rng.random()
        canvas.ellipse(x, y, radius, radius, colour, alpha=rng.uniform(0.6, 1))
        if rng.random() < 0.5:
            canvas.ellipse(x, y, radius * 0.6, radius * 0.6, np.clip(colour * 1.2, 0, 1), alpha=0.7)


def _stripes(canvas: Canvas, rng: Rng, colours: list[Colour], noise: Field, fine: Field) -> None:
    angle = rng.uniform(0, np.pi)
    place = (canvas.x * np.cos(angle) + canvas.y * np.sin(angle)) * rng.uniform(5, 10) + 0.06 * noise
    index = np.floor(place).astype(np.int64) % len(colours)
    canvas.pixels[:] = np.stack(colours)[index]
    canvas.blurred(0.0012)
    edge = np.abs(place - np.round(place))
    canvas.pixels *= (1 + 0.04 * fine - 0.12 * np.exp(-((edge / 0.06) ** 2)))[..., None]


def _marble(canvas: Canvas, rng: Rng, colours: list[Colour], noise: Field, fine: Field) -> None:
    wave = 0.5 + 0.5 * np.sin((canvas.x * rng.uniform(2, 5) + canvas.y * rng.uniform(2, 5) + noise * 1.1) * 3)
    base = mix(mix(colours[0], colours[1], wave[..., None]), colours[2], ramp(0.0, 1.4, fine)[..., None] * 0.8)
    canvas.pixels[:] = base
    vein = np.exp(-((np.abs(noise + 0.4 * fine) / 0.04) ** 2))
    canvas.over(vein * 0.5, np.clip(colours[-1] * 1.35, 0, 1))


def _spiral(canvas: Canvas, rng: Rng, colours: list[Colour], noise: Field, fine: Field) -> None:
    x, y = canvas.width * rng.uniform(0.42, 0.58), canvas.height * rng.uniform(0.42, 0.58)
    angle = np.arctan2(canvas.y - y, canvas.x - x)
    distance = np.sqrt((canvas.x - x) ** 2 + (canvas.y - y) ** 2)
    turns = int(rng.integers(3, 7)) * angle + np.log(distance + 0.03) * rng.uniform(4, 9) * (
        1 if rng.random() < 0.5 else -1
    )
    wave = ramp(0.35, 0.65, 0.5 + 0.5 * np.sin(turns + 0.15 * noise))[..., None]
    tone = mix(mix(colours[0], colours[1], wave), colours[2], np.exp(-distance / 0.18)[..., None] * 0.8)
    canvas.pixels[:] = np.clip(tone * (1.05 - 0.25 * distance + 0.03 * fine)[..., None], 0, 1)


def _mosaic(canvas: Canvas, rng: Rng, colours: list[Colour], noise: Field, fine: Field) -> None:
    columns = int(np.ceil(canvas.width * 8))
    rows = int(np.ceil(canvas.height * 8))
    count = columns * rows
    place_y, place_x = np.divmod(np.arange(count), columns)
    # A grid shaken a little has no slivers.
    seeds_x = (place_x + rng.uniform(0.05, 0.95, count)) / columns * canvas.width
    seeds_y = (place_y + rng.uniform(0.05, 0.95, count)) / rows * canvas.height
    first = np.full((canvas.height_px, canvas.width_px), np.inf, np.float32)
    second, owner = first.copy(), np.zeros(first.shape, np.int64)
    for index in range(count):
        distance = np.sqrt((canvas.x - seeds_x[index]) ** 2 + (canvas.y - seeds_y[index]) ** 2).astype(np.float32)
        closer = distance < first
        second = np.where(closer, first, np.minimum(second, distance))
        owner[closer] = index
        first = np.where(closer, distance, first)
    tones = np.stack([near(rng, colours[int(rng.integers(len(colours)))], 0.09) for index in range(count)])
    glass = tones[owner] * (1 + 0.06 * noise + 0.04 * fine)[..., None]
    canvas.pixels[:] = np.clip(glass, 0, 1) * ramp(0.003, 0.012, second - first)[..., None]
