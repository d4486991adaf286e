"""How long a text takes to say, to notice voices that repeat themselves, babble, or swallow words."""

from __future__ import annotations

import re
from typing import Final

# Seconds for a letter or sign at a usual pace, measured on the built-in voices.
_SECONDS_A_SIGN: Final = {"zh": 0.26, "ja": 0.2, "ko": 0.2, "th": 0.1}
_SECONDS_A_LETTER = 0.068
_SECONDS_A_CLAUSE = 0.18
_START_S = 0.25
LONGEST_SHARE: Final = 2.6
SHORTEST_SHARE: Final = 0.35


def expected_s(text: str, language: str, rate: float = 1.0) -> float:
    """About how long a text takes, written out in words. rate: 1 is the usual pace."""
    latin = sum(sign.isalnum() and sign.isascii() for sign in text)
    other = sum(sign.isalnum() and not sign.isascii() for sign in text)
    clauses = len(re.findall(r"[,;:.!?，；：、。！？]", text))
    seconds = latin * _SECONDS_A_LETTER + other * _SECONDS_A_SIGN.get(language, _SECONDS_A_LETTER)
    return (_START_S + seconds + clauses * _SECONDS_A_CLAUSE) / rate


def is_plausible(seconds: float, text: str, language: str, rate: float = 1.0) -> bool:
    """Whether a sound of this length can be that text, neither repeated nor swallowed."""
    share = seconds / expected_s(text, language, rate)
    return SHORTEST_SHARE <= share <= LONGEST_SHARE
