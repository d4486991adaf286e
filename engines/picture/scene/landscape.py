"""Composes a landscape: which land, which light, what stands where; what the words leave open, the seed decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engines.picture.scene import buildings, land, plants, sky
from engines.picture.scene.canvas import Canvas, Colour, Rng, mix, near, rgb, stream
from engines.picture.scene.land import Place
from engines.picture.scene.palette import COLOURS, Mood, colour_named, mood_of
from engines.picture.scene.parser import Wish

Tick = Callable[[str], None]

# The order in which lands are taken as the main one.
_LANDS = (
    "city",
    "volcano",
    "mountains",
    "desert",
    "beach",
    "island",
    "forest",
    "tundra",
    "hills",
    "meadow",
    "sea",
    "lake",
)
_CHOICES = ("mountains", "mountains", "hills", "forest", "desert", "sea", "city", "meadow", "beach")
_BODIES = ("sun", "moon", "crescent", "stars", "aurora", "milkyway", "rainbow")
_GREEN = (rgb(86, 128, 58), rgb(104, 140, 66), rgb(72, 112, 60))
_SEASON_GREEN = {
    "spring": rgb(118, 164, 74),
    "summer": rgb(88, 140, 58),
    "autumn": rgb(166, 128, 62),
    "winter": rgb(196, 202, 206),
}
_WATER = (rgb(22, 70, 110), rgb(20, 92, 120), rgb(30, 60, 90))
_SAILS = ("white", "red", "yellow", "blue")


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a landscape consists of."""

    lands: frozenset[str]
    main: str
    mood: Mood
    bodies: frozenset[str]
    season: str
    is_snowy: bool
    has_water: bool


def paint_landscape(canvas: Canvas, wish: Wish, seed: int, tick: Tick) -> None:
    """Paint what the words ask for; takes what it paints from the wish."""
    plan = _plan(wish, seed)
    rng = stream(seed, "composition")
    low = plan.main in ("desert", "meadow", "tundra")
    horizon = canvas.height * (rng.uniform(0.45, 0.55) if low else rng.uniform(0.52, 0.62))
    tick("painting the sky")
    heaven = sky.paint_sky(canvas, seed, plan.mood, horizon, plan.bodies)
    place = Place(canvas, plan.mood, heaven, horizon)
    tick("painting the land")
    _paint_land(place, plan, wish, seed)
    tick("painting the details")
    _paint_things(place, plan, wish, seed)
    sky.paint_weather(canvas, seed, plan.mood, horizon)


def _plan(wish: Wish, seed: int) -> _Plan:
    rng = stream(seed, "plan")
    lands = frozenset(mention.value for mention in wish.all("land"))
    main = next((name for name in _LANDS if name in lands), "")
    seasons = wish.all("season")
    season = seasons[0].value if seasons else ""
    chosen = _CHOICES[int(rng.integers(len(_CHOICES)))]
    if not main:
        main = _implied(wish) or ("" if "river" in lands else chosen) or "hills"
        if "river" in lands and main == "hills" and season != "winter" and wish.has("thing:cherry"):
            main = "meadow"
    weather = _weather(wish, rng, main)
    time = _time(wish, rng, weather)
    is_snowy = wish.wants("trait:snowy") is not None or season == "winter" or weather == "snow" or main == "tundra"
    bodies = _bodies(wish, rng, time, weather)
    mood = mood_of(stream(seed, "mood"), time, weather, _sky_colour(wish))
    has_water = bool(lands & {"lake", "sea"}) or main in ("sea", "beach", "island", "city") or wish.has("shape:waves")
    wish.wants("trait:calm")
    return _Plan(lands, main, mood, bodies, season, is_snowy, has_water)


def _implied(wish: Wish) -> str:
    """The land that the named things stand in."""
    if wish.has("thing:pyramids", "thing:cactus"):
        return "desert"
    if wish.has("thing:lighthouse", "thing:boat", "shape:waves"):
        return "sea"
    if wish.has("thing:palms"):
        return "beach"
    if wish.has("thing:flowers"):
        return "meadow"
    if wish.has("thing:pines"):
        return "forest" if not wish.has("trait:snowy") else "mountains"
    if wish.has("trait:snowy"):
        return "tundra"
    if wish.has(
        "thing:house", "thing:tree", "thing:cherry", "thing:path", "thing:bridge", "thing:pagoda", "land:river"
    ):
        return "hills"
    return ""


def _weather(wish: Wish, rng: Rng, main: str) -> str:
    named = [mention.value for mention in wish.all("weather")]
    for bad in ("storm", "snow", "rain", "fog", "cloudy", "clear"):
        if bad in named:
            return bad
    if "weather:cloudy" in wish.excluded or main == "desert":
        return "clear"
    return "few" if rng.random() < 0.55 else "clear"


def _time(wish: Wish, rng: Rng, weather: str) -> str:
    named = wish.all("time")
    if named:
        # "a morning … sunset" cannot both be: the first one named wins.
        return named[0].value
    if wish.has("sky:moon", "sky:crescent", "sky:stars", "sky:aurora", "sky:milkyway"):
        return "night"
    if weather in ("storm", "rain", "fog", "snow") or wish.has("sky:rainbow", "weather"):
        return "day"
    if wish.has("season", "thing:cherry", "thing:flowers", "trait:snowy"):
        return "day"
    return ("day", "day", "day", "day", "sunset", "sunrise")[int(rng.integers(6))]


def _bodies(wish: Wish, rng: Rng, time: str, weather: str) -> frozenset[str]:
    found = {mention.value for mention in wish.all("sky") if mention.value in _BODIES}
    shut = weather in ("storm", "rain", "snow", "fog")
    implied: set[str] = set()
    if time == "night" and not shut:
        implied.add("stars")
        if not found & {"moon", "crescent", "aurora", "milkyway"} and rng.random() < 0.6:
            implied.add("moon" if rng.random() < 0.6 else "crescent")
    if time in ("sunrise", "sunset") and weather not in ("storm", "rain") and not found & {"moon", "crescent"}:
        implied.add("sun")
    if time == "day" and not shut and not found and rng.random() < 0.6:
        implied.add("sun")
    return frozenset(found | {body for body in implied if f"sky:{body}" not in wish.excluded})


def _sky_colour(wish: Wish) -> str | None:
    wish.wants("sky:itself")
    for mention in (*wish.all("sky:itself"), *wish.all("time"), *wish.all("weather")):
        if mention.colour:
            return mention.colour
    return wish.colours[0] if wish.colours else None


# --- land ------------------------------------------------------------------------------------------------------------


def _colour_of(wish: Wish, concept: str, otherwise: Colour) -> Colour:
    mention = wish.wants(concept)
    return colour_named(mention.colour if mention else None, otherwise)


def _paint_land(place: Place, plan: _Plan, wish: Wish, seed: int) -> None:
    rng = stream(seed, "land")
    green = near(rng, _SEASON_GREEN.get(plan.season, _GREEN[int(rng.integers(len(_GREEN)))]), 0.03)
    ground = rgb(232, 238, 248) * (1.35 if plan.mood.is_night else 1.0) if plan.is_snowy else green
    if "mountains" in plan.lands or plan.main == "mountains":
        _mountains(place, plan, wish, seed)
    if plan.main == "volcano":
        calm = any(mention.text in ("volcano", "火山") for mention in wish.all("land:volcano"))
        erupts = not calm or len(wish.all("land:volcano")) > 1 or stream(seed, "lava").random() < 0.6
        land.paint_volcano(place, stream(seed, "volcano"), erupts)
    if plan.lands & {"hills", "meadow"} or plan.main in ("hills", "meadow"):
        tint = _colour_of(wish, "land:hills", _colour_of(wish, "land:meadow", ground))
        land.paint_hills(place, stream(seed, "hills"), ground if plan.is_snowy else tint)
    if "forest" in plan.lands or plan.main == "forest":
        forest = wish.wants("land:forest")
        named = COLOURS.get(forest.colour or "") if forest else None
        tint_of_trees = named if named is not None else {"autumn": rgb(176, 92, 40)}.get(plan.season)
        plants.paint_forest(place, stream(seed, "forest"), plan.is_snowy, tint_of_trees)
    if "city" in plan.lands or plan.main == "city":
        buildings.paint_city(place, stream(seed, "city"))
    if plan.main == "island" or "island" in plan.lands:
        _island(place, ground, seed)
    _paint_floor(place, plan, wish, seed, ground)


def _mountains(place: Place, plan: _Plan, wish: Wish, seed: int) -> None:
    mention = wish.wants("land:mountains")
    rng = stream(seed, "mountains")
    stones = (rgb(98, 104, 122), rgb(128, 116, 104), rgb(104, 108, 118), rgb(86, 96, 128))
    stone = colour_named(mention.colour if mention else None, stones[int(rng.integers(len(stones)))])
    if mention and mention.colour:
        stone = mix(stone, rgb(110, 110, 116), 0.35)
    if mention and mention.colour == "white":
        plan_snow = True
    else:
        plan_snow = plan.is_snowy or (
            not plan.season and rng.random() < 0.35 and mention is not None and not mention.colour
        )
    snow = rng.uniform(0.2, 0.28) if plan_snow else 0.0
    is_back = plan.main not in ("mountains",) or bool(plan.lands & {"forest", "city", "desert"})
    land.paint_mountains(
        place, rng, near(rng, stone, 0.03), snow, ranges=2 if is_back else 3, tallest=0.3 if is_back else None
    )


def _island(place: Place, ground: Colour, seed: int) -> None:
    rng = stream(seed, "island")
    cx, half = land.paint_island(place, rng, ground)
    for _ in range(int(rng.integers(2, 4))):
        x = cx + rng.uniform(-0.5, 0.5) * half
        plants.paint_palm(
            place.canvas, rng, x, place.horizon - 0.06, rng.uniform(0.16, 0.22), rgb(44, 72, 42) * place.mood.lit
        )


def _paint_floor(place: Place, plan: _Plan, wish: Wish, seed: int, ground: Colour) -> None:
    rng = stream(seed, "floor")
    if plan.has_water:
        sea = wish.wants("land:sea") or wish.wants("land:lake")
        deep = colour_named(sea.colour if sea else None, _WATER[int(rng.integers(len(_WATER)))])
        deep = mix(deep * np.maximum(place.mood.lit, 0.3), place.mood.middle, 0.25)
        is_lake = "lake" in plan.lands or wish.has("trait:calm")
        waves = rng.uniform(0.4, 0.8) if is_lake else rng.uniform(1.0, 1.8)
        waves *= 1.6 if plan.mood.weather == "storm" or wish.wants("shape:waves") else 1.0
        land.paint_water(place, stream(seed, "water"), deep, waves)
        if "beach" in plan.lands or plan.main == "beach":
            land.paint_beach(place, stream(seed, "beach"))
    elif plan.main == "desert":
        sand = _colour_of(wish, "land:desert", rgb(222, 166, 96))
        if wish.has("thing:pyramids"):
            # Behind the dunes stand the pyramids: dunes start lower then.
            many = wish.wants("thing:pyramids")
            count = many.count if many and many.count else int(stream(seed, "pyramids").integers(2, 4))
            land.paint_ground(place, stream(seed, "ground"), sand)
            buildings.paint_pyramids(place, stream(seed, "pyramids"), min(count, 7))
            lower = Place(place.canvas, place.mood, place.heaven, place.level(0.22))
            land.paint_dunes(lower, stream(seed, "dunes"), sand)
        else:
            land.paint_dunes(place, stream(seed, "dunes"), sand)
    else:
        land.paint_ground(place, stream(seed, "ground"), ground)
    if "river" in plan.lands and not plan.has_water:
        river = wish.wants("land:river")
        land.paint_river(place, stream(seed, "river"), colour_named(river.colour if river else None, _WATER[0]))
    if wish.wants("thing:path") and not plan.has_water:
        land.paint_path(place, stream(seed, "path"))


# --- things ----------------------------------------------------------------------------------------------------------


def _paint_things(place: Place, plan: _Plan, wish: Wish, seed: int) -> None:
    canvas, mood = place.canvas, place.mood
    lit = np.maximum(mood.lit, 0.25)
    dry = not plan.has_water or plan.main == "beach"
    if not plan.has_water and wish.has("thing:flowers"):
        flowers = wish.all("thing:flowers")
        for index, mention in enumerate(flowers):
            rng = stream(seed, f"flowers {index}")
            colours = ("red", "yellow", "purple", "white", "pink", "blue")
            colour = COLOURS.get(mention.colour or colours[int(rng.integers(len(colours)))], COLOURS["red"])
            plants.paint_flowers(place, rng, colour, 420 // len(flowers))
    if wish.wants("thing:balloon"):
        _balloons(place, wish, seed)
    if wish.wants("thing:birds"):
        flock = wish.wants("thing:birds")
        count = (flock.count if flock else None) or 7
        sky.paint_birds(canvas, stream(seed, "birds"), place.horizon, max(2, count))
    if wish.has("thing:house"):
        _houses(place, plan, wish, seed)
    if wish.wants("thing:pagoda"):
        rng = stream(seed, "pagoda")
        x = canvas.width * rng.uniform(0.62, 0.82)
        foot = place.level(0.3 if dry else 0.06)
        if not dry:
            canvas.ellipse(x, foot + 0.01, 0.16, 0.025, rgb(60, 70, 50) * lit, soft=0.01)
        buildings.paint_pagoda(canvas, (x, foot), rng.uniform(0.36, 0.46), lit, mood.is_night)
    if wish.wants("thing:bridge"):
        buildings.paint_bridge(place, stream(seed, "bridge"))
    if wish.wants("thing:lighthouse"):
        rng = stream(seed, "lighthouse")
        x = canvas.width * (rng.uniform(0.15, 0.3) if rng.random() < 0.5 else rng.uniform(0.7, 0.85))
        buildings.paint_lighthouse(place, rng, x, place.horizon + 0.08, rng.uniform(0.36, 0.46))
    if wish.has("thing:boat") and plan.has_water:
        _boats(place, wish, seed)
    _trees(place, plan, wish, seed, dry)
    if plan.main == "desert" and wish.wants("thing:cactus"):
        cactus = wish.wants("thing:cactus")
        rng = stream(seed, "cactus")
        count = (cactus.count if cactus else None) or int(rng.integers(2, 4))
        for level in np.sort(rng.uniform(0.45, 0.85, min(count, 8))):
            x = canvas.width * rng.uniform(0.08, 0.92)
            plants.paint_cactus(place, rng, x, place.level(float(level)))


def _houses(place: Place, plan: _Plan, wish: Wish, seed: int) -> None:
    mention = wish.wants("thing:house")
    rng = stream(seed, "house")
    is_village = mention is not None and mention.text in ("village", "村庄", "村")
    count = min((mention.count if mention else None) or (5 if is_village else 1), 8)
    roofs = (rgb(170, 60, 50), rgb(90, 100, 130), rgb(120, 80, 55))
    shares = np.sort(rng.uniform(0.22, 0.62, count)) if not plan.has_water else np.sort(rng.uniform(0.02, 0.05, count))
    columns = (rng.permutation(count) + rng.uniform(0.3, 0.7, count)) / count
    for share, column in zip(shares, columns, strict=True):
        roof = colour_named(mention.colour if mention else None, roofs[int(rng.integers(len(roofs)))])
        wide = (0.11 + 0.22 * float(share)) * rng.uniform(0.85, 1.1)
        x, y = place.canvas.width * float(0.1 + 0.8 * column), place.level(float(share))
        if plan.has_water:
            place.canvas.ellipse(x, y + 0.008, wide, 0.02, rgb(66, 80, 52) * place.mood.lit, soft=0.008)
        buildings.paint_house(
            place.canvas, rng, (x, y), wide, np.maximum(place.mood.lit, 0.25), place.mood.is_night, plan.is_snowy, roof
        )


def _boats(place: Place, wish: Wish, seed: int) -> None:
    mention = wish.wants("thing:boat")
    rng = stream(seed, "boat")
    count = min((mention.count if mention else None) or 1, 8)
    shares = np.sort(rng.uniform(0.12, 0.42, count))
    columns = (rng.permutation(count) + rng.uniform(0.25, 0.75, count)) / count
    for share, column in zip(shares, columns, strict=True):
        sail = colour_named(mention.colour if mention else None, COLOURS[_SAILS[int(rng.integers(len(_SAILS)))]])
        at = (place.canvas.width * float(0.12 + 0.76 * column), place.level(float(share)))
        size = 0.08 + 0.22 * float(share)
        buildings.paint_boat(place.canvas, rng, at, size, np.maximum(place.mood.lit, 0.45), sail)


def _balloons(place: Place, wish: Wish, seed: int) -> None:
    mention = wish.wants("thing:balloon")
    rng = stream(seed, "balloon")
    usual = 3 if mention is not None and mention.text.endswith("s") else 1
    count = min((mention.count if mention else None) or usual, 8)
    names = ("red", "yellow", "blue", "purple", "orange", "teal")
    columns = (rng.permutation(count) + rng.uniform(0.3, 0.7, count)) / count
    for column in columns:
        colour = colour_named(mention.colour if mention else None, COLOURS[names[int(rng.integers(len(names)))]])
        size = rng.uniform(0.07, 0.11) / (1 + 0.12 * (count - 1))
        at = (place.canvas.width * float(0.08 + 0.84 * column), place.horizon * rng.uniform(0.25, 0.6))
        buildings.paint_balloon(place.canvas, at, size, np.maximum(place.mood.lit, 0.3), colour)


def _trees(place: Place, plan: _Plan, wish: Wish, seed: int, dry: bool) -> None:
    canvas, lit = place.canvas, np.maximum(place.mood.lit, 0.2)
    if wish.has("thing:palms"):
        mention = wish.wants("thing:palms")
        rng = stream(seed, "palms")
        count = min((mention.count if mention else None) or int(rng.integers(2, 4)), 6)
        for index in range(count):
            side = rng.uniform(0.1, 0.28) if index % 2 == 0 else rng.uniform(0.72, 0.9)
            foot, height = place.level(rng.uniform(0.75, 0.95)), rng.uniform(0.45, 0.6)
            plants.paint_palm(canvas, rng, canvas.width * side, foot, height, rgb(40, 66, 40) * place.mood.lit)
    if wish.has("thing:pines") and plan.main != "forest" and dry:
        mention = wish.wants("thing:pines")
        count = (mention.count if mention else None) or 7
        plants.paint_pines(place, stream(seed, "pines"), min(count, 12), plan.is_snowy)
    wish.wants("thing:pines")
    leafy = {"spring": rgb(126, 168, 74), "autumn": rgb(212, 118, 42), "winter": rgb(206, 210, 216)}
    for concept, otherwise in (
        ("thing:tree", leafy.get(plan.season, rgb(78, 128, 54))),
        ("thing:cherry", rgb(242, 176, 200)),
    ):
        if not wish.has(concept) or not dry:
            continue
        mention = wish.wants(concept)
        rng = stream(seed, concept)
        is_plain = mention is not None and mention.count is None
        is_many = is_plain and mention is not None and (mention.text.endswith(("s", "樱花", "树木")))
        count = min((mention.count if mention else None) or (4 if is_many else 1), 8)
        shares = np.sort(rng.uniform(0.2, 0.7, count))
        columns = (rng.permutation(count) + rng.uniform(0.25, 0.75, count)) / count
        for share, column in zip(shares, columns, strict=True):
            x = float(0.06 + 0.88 * column)
            if "river" in plan.lands and abs(x - 0.5) < 0.22:
                # Trees stand on the banks, not in the river.
                x = 0.5 + (0.3 if x >= 0.5 else -0.3)
            height = (0.3 + 0.32 * float(share)) * rng.uniform(0.9, 1.1)
            leaves = near(rng, colour_named(mention.colour if mention else None, otherwise), 0.04)
            at = (canvas.width * x, place.level(float(share)))
            plants.paint_tree(canvas, rng, at, height, leaves, lit)
