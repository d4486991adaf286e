"""The small grammar of spoken text: pauses, emphasis and pace, in tags that SSML knows too.

    <break time="500ms"/>   <break/>   <emphasis>…</emphasis>   <emphasis level="strong">…</emphasis>
    <prosody rate="slow" pitch="+2st">…</prosody>

A "<" that begins no tag is a plain sign; &lt; &gt; &amp; stand for the three signs. Source: SSML 1.1, W3C 2010.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from compliance.errors import MarkupUnclear

LONGEST_PAUSE_MS: Final = 10_000
USUAL_PAUSE_MS: Final = 500
RATES: Final = {"x-slow": 0.6, "slow": 0.8, "medium": 1.0, "fast": 1.25, "x-fast": 1.6}
PITCHES_ST: Final = {"x-low": -4.0, "low": -2.0, "medium": 0.0, "high": 2.0, "x-high": 4.0}
EMPHASES: Final = {"reduced": -1, "none": 0, "moderate": 1, "strong": 2}
_STRENGTHS_MS: Final = {"none": 0, "x-weak": 100, "weak": 200, "medium": 500, "strong": 800, "x-strong": 1200}
SLOWEST, FASTEST = 0.5, 2.0
MOST_PITCH_ST = 8.0
_DEEPEST = 8

_TAG = re.compile(r"<(/?)([A-Za-z][\w:-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)(/?)>")
_OPENING = re.compile(r"</?[A-Za-z]")
_ATTRIBUTE = re.compile(r"\s*([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')\s*")
_SIGNS: Final = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}


@dataclass(frozen=True, slots=True)
class Manner:
    """How words are said. rate: 1 is the voice's own pace; pitch_st: semitones; emphasis: -1 to 2."""

    rate: float = 1.0
    pitch_st: float = 0.0
    emphasis: int = 0


@dataclass(frozen=True, slots=True)
class Words:
    """Words that are said in one manner."""

    text: str
    manner: Manner = Manner()


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence between words."""

    ms: int


def read_markup(text: str) -> list[Words | Pause]:
    """The words and pauses of a text with tags; raises MarkupUnclear with the place of the first tag that is wrong."""
    found: list[Words | Pause] = []
    manners: list[tuple[str, Manner, int]] = []
    place = 0
    while place < len(text):
        opening = _OPENING.search(text, place)
        end = opening.start() if opening else len(text)
        if end > place:
            manner = manners[-1][1] if manners else Manner()
            found.append(Words(_plain(text[place:end]), manner))
        if opening is None:
            break
        tag = _TAG.match(text, end)
        if tag is None:
            raise MarkupUnclear(place=end + 1, reason="the tag has no end")
        _take(tag, found, manners)
        place = tag.end()
    if manners:
        raise MarkupUnclear(place=manners[-1][2] + 1, reason="the tag is never closed")
    return found


def without_tags(text: str) -> str:
    """What remains for the ear when every tag is taken away, without judging any; for the review of words."""
    return _plain(_TAG.sub("", text))


def _take(tag: re.Match[str], found: list[Words | Pause], manners: list[tuple[str, Manner, int]]) -> None:
    closing, name, rest, empty = tag[1], tag[2].lower(), tag[3], tag[4]
    at = tag.start() + 1
    if name not in ("break", "emphasis", "prosody", "speak"):
        raise MarkupUnclear(place=at, reason="there is no such tag")
    if closing:
        if not manners or manners[-1][0] != name or rest.strip():
            raise MarkupUnclear(place=at, reason="this closes a tag that is not open")
        manners.pop()
        return
    values = _attributes(rest, at)
    if name == "break":
        if not empty:
            raise MarkupUnclear(place=at, reason="a break ends in />")
        found.append(Pause(_pause_ms(values, at)))
        return
    if empty:
        return
    if len(manners) >= _DEEPEST:
        raise MarkupUnclear(place=at, reason="too many tags inside each other")
    manners.append((name, _manner(name, values, manners[-1][1] if manners else Manner(), at), tag.start()))


def _attributes(rest: str, at: int) -> dict[str, str]:
    values: dict[str, str] = {}
    place = 0
    while rest[place:].strip():
        attribute = _ATTRIBUTE.match(rest, place)
        if attribute is None:
            raise MarkupUnclear(place=at, reason='a value stands in quotes, as in rate="slow"')
        values[attribute[1].lower()] = attribute[2] if attribute[2] is not None else attribute[3]
        place = attribute.end()
    return values


def _pause_ms(values: dict[str, str], at: int) -> int:
    if "time" in values:
        time = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s)", values["time"].strip())
        if time is None:
            raise MarkupUnclear(place=at, reason='a time is written like "500ms" or "1.5s"')
        length_ms = round(float(time[1]) * (1000 if time[2] == "s" else 1))
    elif values.get("strength", "medium") in _STRENGTHS_MS:
        length_ms = _STRENGTHS_MS[values.get("strength", "medium")]
    else:
        raise MarkupUnclear(place=at, reason="there is no such strength")
    if length_ms > LONGEST_PAUSE_MS:
        raise MarkupUnclear(place=at, reason="a break lasts ten seconds at most")
    return length_ms


def _manner(name: str, values: dict[str, str], outer: Manner, at: int) -> Manner:
    if name == "emphasis":
        level = values.get("level", "moderate")
        if level not in EMPHASES:
            raise MarkupUnclear(place=at, reason="an emphasis is reduced, none, moderate or strong")
        return Manner(outer.rate, outer.pitch_st, EMPHASES[level])
    if name == "speak":
        return outer
    rate, pitch_st = outer.rate, outer.pitch_st
    if "rate" in values:
        rate *= _rate(values["rate"].strip(), at)
    if "pitch" in values:
        pitch_st += _pitch_st(values["pitch"].strip(), at)
    return Manner(min(max(rate, SLOWEST), FASTEST), min(max(pitch_st, -MOST_PITCH_ST), MOST_PITCH_ST), outer.emphasis)


def _rate(value: str, at: int) -> float:
    if value in RATES:
        return RATES[value]
    share = re.fullmatch(r"(\d{1,3})%", value)
    rate = int(share[1]) / 100 if share else 0.0
    if not SLOWEST <= rate <= FASTEST:
        raise MarkupUnclear(place=at, reason="a rate is x-slow, slow, medium, fast, x-fast, or 50% to 200%")
    return rate


def _pitch_st(value: str, at: int) -> float:
    if value in PITCHES_ST:
        return PITCHES_ST[value]
    steps = re.fullmatch(r"([+-]?\d{1,2}(?:\.\d)?)st", value)
    pitch_st = float(steps[1]) if steps else MOST_PITCH_ST + 1
    if abs(pitch_st) > MOST_PITCH_ST:
        raise MarkupUnclear(place=at, reason="a pitch is x-low, low, medium, high, x-high, or -8st to +8st")
    return pitch_st


def _plain(text: str) -> str:
    return re.sub(r"&(?:lt|gt|quot|apos|amp);", lambda found: _SIGNS[found[0]], text)
