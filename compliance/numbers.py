"""Numbers that name a person or an organisation: read, checked by their checksum and dropped.

A good checksum says that a number is well formed, and nothing about who gave it. Neither the answers nor the errors
of this file hold a resident's number, and no frame of it does when an error leaves: a report of an error shows none.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from compliance.errors import NumberInvalid

_OLDEST_YEARS = 150
# First two digits of GB/T 2260; 83 is that of the residence permits for residents of Taiwan.
_PROVINCE = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
_RESIDENT = re.compile(r"[0-9]{17}[0-9X]")
_RESIDENT_CHECKS = "10X98765432"
_CREDIT_SIGNS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 signs of GB 32100-2015: no I, O, S, V, Z."""
_CREDIT = re.compile(rf"[{_CREDIT_SIGNS}]{{2}}[0-9]{{6}}[{_CREDIT_SIGNS}]{{10}}")
_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})")
_PRODUCER = re.compile(r"00[0-9A-Z]{25}")
_SERVICES: dict[str, Literal["generation", "propagation"]] = {"1": "generation", "2": "propagation"}


@dataclass(frozen=True, slots=True, repr=False)
class ResidentId:
    """What is kept of a resident's number: never the number, its place or its serial part.

    commitment: HMAC-SHA-256 of the number under the caller's pepper, None without one; finds the same person again.
    """

    birth_date: date
    commitment: bytes | None = None

    def __repr__(self) -> str:
        return "ResidentId(…)"

    def age_on(self, day: date) -> int:
        """Completed years of life on a day; who was born on 29 February turns a year older on 1 March."""
        had_birthday = (day.month, day.day) >= (self.birth_date.month, self.birth_date.day)
        return day.year - self.birth_date.year - (not had_birthday)

    def is_adult_on(self, day: date) -> bool:
        """Whether the person has completed 18 years (Civil Code 17)."""
        return self.age_on(day) >= 18

    def needs_guardian_on(self, day: date) -> bool:
        """Whether the person is under 14, so that a guardian consents (PIPL 31)."""
        return self.age_on(day) < 14


@dataclass(frozen=True, slots=True)
class ProducerCode:
    """A 27-character code of a service provider, and its parts.

    credit_code: 18 characters. service: None where the code names no application (positions 23 to 27 are zeros).
    """

    code: str
    credit_code: str
    service: Literal["generation", "propagation"] | None
    application: str


def check_resident_id(text: str, *, today: date | None = None, pepper: bytes | None = None) -> ResidentId:
    """Check an 18-character resident's number (GB 11643-1999) and keep the day of birth alone.

    Full-width digits and a small x are read as meant. today: the latest possible day of birth, this day when None.
    pepper: a secret of the home, at least 16 bytes, for the commitment. Raises NumberInvalid, without the number.
    """
    # The work is done one frame below, and the text forgotten here, so that the traceback holds no number.
    found = _read_resident_id(text, today or date.today(), pepper)
    del text
    if isinstance(found, str):
        raise NumberInvalid(kind="resident ID number", reason=found)
    return found


def _read_resident_id(text: str, today: date, pepper: bytes | None) -> ResidentId | str:
    """The checked number, or what is wrong with it; raises nothing."""
    number = _plain(text)
    if not _RESIDENT.fullmatch(number):
        return "it needs 17 digits and a digit or X"
    if not _PROVINCE.match(number):
        return "there is no such region"
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return "there is no such day of birth"
    if not today - timedelta(days=366 * _OLDEST_YEARS) <= born <= today:
        return "there is no such day of birth"
    # ISO 7064 MOD 11-2: weight 2^(17 - place) mod 11.
    if _RESIDENT_CHECKS[sum(int(one) * (1 << 17 - place) for place, one in enumerate(number[:17])) % 11] != number[17]:
        return "the check character does not fit"
    return ResidentId(born, hmac.digest(pepper, number.encode(), hashlib.sha256) if pepper else None)


def check_credit_code(text: str) -> str:
    """Check a unified social credit code (GB 32100-2015); returns its 18 characters in plain form.

    Raises NumberInvalid.
    """
    found = _plain(text)
    problem = _credit_problem(found)
    if problem:
        del text, found
        raise NumberInvalid(kind="unified social credit code", reason=problem)
    return found


def check_producer_code(text: str) -> ProducerCode:
    """Check the 27-character code of a service provider (网安秘字〔2025〕29号) and take it apart.

    Small letters are refused: the code goes into files as it is given. Only organisations bound by their credit code
    are known; other codes are refused rather than guessed at. Raises NumberInvalid.
    """
    found = _read_producer_code(unicodedata.normalize("NFKC", text).strip())
    if isinstance(found, str):
        del text
        raise NumberInvalid(kind="producer code", reason=found)
    return found


def _read_producer_code(code: str) -> ProducerCode | str:
    if not _PRODUCER.fullmatch(code):
        return "it needs 00 and 25 digits or capital letters"
    if code[2:4] != "11":
        return "only organisations with a unified social credit code are known"
    problem = _credit_problem(code[4:22])
    if problem:
        return f"its credit code is wrong: {problem}"
    if code[22:] == "00000":
        return ProducerCode(code, code[4:22], None, "")
    if code[22] not in _SERVICES:
        return "position 23 is 1 for generation or 2 for propagation"
    return ProducerCode(code, code[4:22], _SERVICES[code[22]], code[23:])


def check_mobile(text: str) -> str:
    """Check the form of a mobile number of mainland China; returns it as +86 and 11 digits.

    Spaces, dashes and the country's prefix may stand; whether the number is in use is not known.
    Raises NumberInvalid, without the number.
    """
    found = _MOBILE.fullmatch(re.sub(r"[ \-]", "", _plain(text)))
    if found is None:
        del text
        raise NumberInvalid(kind="mobile number", reason="it needs 11 digits, the first 1 and the second 3 to 9")
    return f"+86{found[1]}"


def _plain(text: str) -> str:
    """Full-width forms and small letters as plain capitals, without space around."""
    return unicodedata.normalize("NFKC", text).strip().upper()


def _credit_problem(code: str) -> str | None:
    """What is wrong with a credit code; None when nothing is."""
    if not _CREDIT.fullmatch(code):
        return "it needs 18 digits or capital letters, without I, O, S, V, Z"
    # GB 32100-2015, 5.5: weight 3^(place) mod 31, the check character fills the sum up to a multiple of 31.
    total = sum(_CREDIT_SIGNS.index(sign) * pow(3, place, 31) for place, sign in enumerate(code[:17]))
    if _CREDIT_SIGNS[-total % 31] != code[17]:
        return "the check character does not fit"
    return None
