"""English numbers, dates, times, money and units as words, for voices that read words better than digits."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_ONES: Final = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS: Final = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES: Final = ("", " thousand", " million", " billion", " trillion", " quadrillion")
_ORDINALS: Final = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_CURRENCIES: Final = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yuan", "yuan", "fen", "fen"),
}
_UNITS: Final = {
    "km": "kilometres",
    "cm": "centimetres",
    "mm": "millimetres",
    "kg": "kilograms",
    "ml": "millilitres",
    "kHz": "kilohertz",
    "Hz": "hertz",
    "km/h": "kilometres an hour",
    "°C": "degrees Celsius",
    "°F": "degrees Fahrenheit",
    "°": "degrees",
    "px": "pixels",
    "GB": "gigabytes",
    "MB": "megabytes",
}
_WORDS: Final = {
    "Mr.": "Mister",
    "Mrs.": "Missis",
    "Dr.": "Doctor",
    "e.g.": "for example",
    "i.e.": "that is",
    "etc.": "et cetera",
    "vs.": "versus",
    "&": "and",
    "@": "at",
    "+": "plus",
    "=": "equals",
    "№": "number",
}
_LARGEST = 10 ** (3 * len(_SCALES))


def cardinal(number: int) -> str:
    """A whole number in words; digit by digit from ten to the eighteenth on."""
    if number < 0:
        return f"minus {cardinal(-number)}"
    if number >= _LARGEST:
        return digits(str(number))
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (f"-{_ONES[number % 10]}" if number % 10 else "")
    if number < 1000:
        rest = f" and {cardinal(number % 100)}" if number % 100 else ""
        return f"{_ONES[number // 100]} hundred{rest}"
    groups: list[str] = []
    for scale in _SCALES:
        number, group = divmod(number, 1000)
        if group:
            groups.insert(0, ("and " if not scale and group < 100 else "") + cardinal(group) + scale)
        if not number:
            break
    return " ".join(groups)


def ordinal(number: int) -> str:
    """The ordinal in words: 21 is "twenty-first"."""
    words = cardinal(number)
    head, separator, last = re.fullmatch(r"(?:(.*)([ -]))?(.+)", words).groups(default="")  # type: ignore[union-attr]  # it fits any word
    end = _ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return f"{head}{separator}{end}"


def digits(text: str) -> str:
    """Digit by digit: "0.5" is not for this, "007" is."""
    return " ".join(_ONES[int(sign)] for sign in text if sign.isdigit())


def year(number: int) -> str:
    """A year as it is said: 1987 "nineteen eighty-seven", 2005 "two thousand and five"."""
    century, rest = divmod(number, 100)
    if not 1100 <= number < 2100 or (number // 10 % 100 == 0 and number >= 2000) or 2000 <= number < 2010:
        return cardinal(number)
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def decimal(text: str) -> str:
    """A number with or without a fraction: "1,200.50" is "one thousand two hundred point five zero"."""
    whole, _, fraction = text.replace(",", "").partition(".")
    if len(whole) > 1 and whole.startswith("0") and not fraction:
        return digits(whole)
    said = cardinal(int(whole or "0"))
    return f"{said} point {digits(fraction)}" if fraction else said


_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_MONTH = "|".join(f"{month}|{month[:3]}\\.?" for month in MONTHS)


def _date(day: str, month: int, of_year: str | None) -> str:
    said = f"the {ordinal(int(day))} of {MONTHS[month - 1]}"
    return f"{said} {year(int(of_year))}" if of_year else said


def _iso(found: re.Match[str]) -> str:
    month, day = int(found[2]), int(found[3])
    return _date(found[3], month, found[1]) if 1 <= month <= 12 and 1 <= day <= 31 else found[0]


def _month(name: str) -> int:
    return next(place for place, month in enumerate(MONTHS, 1) if month.startswith(name.rstrip(".")))


def _day_first(found: re.Match[str]) -> str:
    return _date(found[1], _month(found[2]), found[3]) if 1 <= int(found[1]) <= 31 else found[0]


def _month_first(found: re.Match[str]) -> str:
    if not 1 <= int(found[2]) <= 31:
        return found[0]
    said = f"{MONTHS[_month(found[1]) - 1]} {ordinal(int(found[2]))}"
    return f"{said}, {year(int(found[3]))}" if found[3] else said


def _time(found: re.Match[str]) -> str:
    hour, minute, half = int(found[1]), int(found[2]), found[3]
    if hour > 23 or minute > 59:
        return found[0]
    said = cardinal(hour) + (f" {'oh ' if minute < 10 else ''}{cardinal(minute)}" if minute else "")
    if half:
        return f"{said} {half[0].upper()} M"
    return said if minute else f"{said} o'clock"


def _money(found: re.Match[str]) -> str:
    one, several, small_one, small = _CURRENCIES[found[1]]
    whole, _, fraction = found[2].replace(",", "").partition(".")
    scale = found[3]
    if scale or len(fraction) not in (0, 2):
        return f"{decimal(found[2])}{f' {scale}' if scale else ''} {several}"
    said = f"{cardinal(int(whole))} {one if int(whole) == 1 else several}"
    cents = int(fraction or "0")
    return f"{said} and {cardinal(cents)} {small_one if cents == 1 else small}" if cents else said


def _unit(found: re.Match[str]) -> str:
    name = _UNITS[found[2]]
    return f"{decimal(found[1])} {re.sub('s(?= |$)', '', name, count=1) if found[1] == '1' else name}"


_RULES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b"), _iso),
    (re.compile(r"(?<![\w.])[-−](?=\d)"), lambda _found: "minus "),
    (re.compile(r"(\d)\s*[–-]\s*(?=\d)"), lambda found: f"{found[1]} to "),
    (re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({_MONTH})(?:,? (\d{{4}}))?\b"), _day_first),
    (re.compile(rf"\b({_MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?(?:,? (\d{{4}}))?\b(?![.,]?\d)"), _month_first),
    (re.compile(r"\b(\d{1,2}):(\d{2})(?: ?([ap])\.?m\b\.?)?", re.IGNORECASE), _time),
    (re.compile(rf"([$€£¥]) ?({_NUMBER})(?: (thousand|million|billion|trillion))?\b"), _money),
    (re.compile(rf"(?<![\w.])({_NUMBER}) ?%"), lambda found: f"{decimal(found[1])} percent"),
    (re.compile(rf"(?<![\w.])({_NUMBER}) ?({'|'.join(map(re.escape, _UNITS))})(?!\w)"), _unit),
    (re.compile(r"\b(\d+)(?:st|nd|rd|th)\b"), lambda found: ordinal(int(found[1])) if len(found[1]) < 16 else found[0]),
    (re.compile(r"(?<=\b[Ii]n )(1[1-9]\d\d|20\d\d)\b(?![.,]\d)"), lambda found: year(int(found[1]))),
    (re.compile(_NUMBER), lambda found: f" {decimal(found[0])} "),
)
_ABBREVIATIONS = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, _WORDS)) + r")(?!\w)")


def in_words(text: str) -> str:
    """English text with every number, date, time, sum of money, percentage and common unit written out."""
    text = _ABBREVIATIONS.sub(lambda found: _WORDS[found[0]], text)
    for pattern, said in _RULES:
        text = pattern.sub(said, text)
    return re.sub(r" +([.,;:!?)]|$)", r"\1", re.sub(r" {2,}", " ", text)).strip()
