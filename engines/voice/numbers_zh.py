"""Chinese numbers, dates, times, money and percentages as characters, for voices that read digits one by one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_DIGITS: Final = "零一二三四五六七八九"
_PLACES: Final = ("", "十", "百", "千")
_SCALES: Final = ("", "万", "亿", "万亿")
_CURRENCIES: Final = {"¥": "元", "￥": "元", "$": "美元", "€": "欧元", "£": "英镑"}
_UNITS: Final = {
    "km/h": "公里每小时",
    "km": "公里",
    "cm": "厘米",
    "mm": "毫米",
    "kg": "公斤",
    "°C": "摄氏度",
    "℃": "摄氏度",
    "GB": "吉字节",
    "MB": "兆字节",
}
_MOST_DIGITS = 16


def digits(text: str) -> str:
    """Digit by digit, as years and telephone numbers are read."""
    return "".join(_DIGITS[int(sign)] for sign in text if sign.isdigit())


def _group(number: int) -> str:
    """A number below ten thousand, without 零 in front."""
    said, gap = "", False
    for place in range(3, -1, -1):
        digit = number // 10**place % 10
        if digit:
            said += ("零" if gap and said else "") + _DIGITS[digit] + _PLACES[place]
            gap = False
        else:
            gap = True
    return said


def cardinal(number: int) -> str:
    """A whole number in characters: 10500 is 一万零五百; digit by digit beyond sixteen digits."""
    if number < 0:
        return f"负{cardinal(-number)}"
    if number == 0:
        return "零"
    if len(str(number)) > _MOST_DIGITS:
        return digits(str(number))
    said, rest, scale = "", number, 0
    while rest:
        rest, group = divmod(rest, 10_000)
        if group:
            joint = "零" if rest and group < 1000 else ""
            said = joint + _group(group) + _SCALES[scale] + said
        elif said and not said.startswith("零"):
            said = f"零{said}"
        scale += 1
    return said[1:] if said.startswith("一十") else said


def decimal(text: str) -> str:
    """A number with or without a fraction: 3.14 is 三点一四."""
    whole, _, fraction = text.replace(",", "").partition(".")
    if len(whole) > 1 and whole.startswith("0") and not fraction:
        return digits(whole)
    said = cardinal(int(whole or "0"))
    return f"{said}点{digits(fraction)}" if fraction else said


_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"


def _iso(found: re.Match[str]) -> str:
    month, day = int(found[2]), int(found[3])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return found[0]
    return f"{digits(found[1])}年{cardinal(month)}月{cardinal(day)}日"


def _time(found: re.Match[str]) -> str:
    hour, minute = int(found[1]), int(found[2])
    if hour > 24 or minute > 59:
        return found[0]
    said = "两点" if hour == 2 else f"{cardinal(hour)}点"
    return said + (f"{'零' if minute < 10 else ''}{cardinal(minute)}分" if minute else "整")


_RULES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(r"(?<!\d)(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)"), _iso),
    (re.compile(r"(?<!\d)(\d{4}|\d{2})(?=年(?!级|代表|以上|之))"), lambda found: digits(found[1])),
    (re.compile(r"(?<![\dA-Za-z])[-−](?=\d)"), lambda _found: "负"),
    (re.compile(r"(\d)\s*[–~～-]\s*(?=\d)"), lambda found: f"{found[1]}到"),
    (re.compile(r"(?<!\d)(\d{1,2})[:：](\d{2})(?!\d)"), _time),
    (
        re.compile(rf"([¥￥$€£]) ?({_NUMBER})([万亿]?)"),
        lambda found: decimal(found[2]) + found[3] + _CURRENCIES[found[1]],
    ),
    (re.compile(rf"({_NUMBER}) ?[%％]"), lambda found: f"百分之{decimal(found[1])}"),
    (
        re.compile(rf"({_NUMBER}) ?({'|'.join(map(re.escape, _UNITS))})(?![A-Za-z])"),
        lambda found: decimal(found[1]) + _UNITS[found[2]],
    ),
    (re.compile(r"(?<![\d.])1\d{10}(?!\d)"), lambda found: digits(found[0])),
    (re.compile(r"(?<![\d.])2(?=[个只本张位次条天点件块种])"), lambda _found: "两"),
    (re.compile(_NUMBER), lambda found: decimal(found[0])),
    (re.compile(r"(?<=[^A-Za-z])&(?=[^A-Za-z])"), lambda _found: "和"),
)


def in_words(text: str) -> str:
    """Chinese text with every number, date, time, sum of money and percentage in characters."""
    for pattern, said in _RULES:
        text = pattern.sub(said, text)
    return text
