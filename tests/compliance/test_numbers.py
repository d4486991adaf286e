"""Numbers of persons and organisations: what the checksums promise is found, and nothing is kept or told."""

from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from compliance.errors import NumberInvalid
from compliance.numbers import (
    ProducerCode,
    ResidentId,
    check_credit_code,
    check_mobile,
    check_producer_code,
    check_resident_id,
)

TODAY = date(2026, 11, 22)
# The two examples printed in GB 11643-1999.
PRINTED = {"11010519491231002X": date(1949, 12, 31), "440524188001010014": date(1880, 1, 1)}
CREDIT_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
PEPPER = bytes(range(32))


def resident_number(place: str, born: date, serial: int) -> str:
    """A number with its check character, worked out by the table of weights in the standard."""
    body = f"{place}{born:%Y%m%d}{serial:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(one) * weight for one, weight in zip(body, weights, strict=True)) % 11]


residents = st.builds(
    resident_number,
    st.sampled_from(["110105", "310104", "440300", "540102", "830000"]),
    st.dates(date(1900, 1, 1), TODAY),
    st.integers(0, 999),
)


def credit_code(body: str) -> str:
    """A credit code with its check character, by the weights printed in GB 32100-2015."""
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    total = sum(CREDIT_SIGNS.index(sign) * weight for sign, weight in zip(body, weights, strict=True))
    return body + CREDIT_SIGNS[(31 - total % 31) % 31]


credits = st.builds(
    lambda head, place, tail: credit_code(head + place + tail),
    st.text(CREDIT_SIGNS, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(CREDIT_SIGNS, min_size=9, max_size=9),
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "17 digits"),
        ("11010519491231002", "17 digits"),
        ("11010519491231002XX", "17 digits"),
        ("110105491231002", "17 digits"),  # the 15 digits of before 1999
        ("1101051949123100X2", "17 digits"),
        ("110105 19491231002X", "17 digits"),
        ("11010519491231002\x00", "17 digits"),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢٨", "17 digits"),  # digits of another script are no digits of the card
        ("\ud800" * 18, "17 digits"),
        ("990105194912310025", "region"),
        (resident_number("000105", date(1949, 12, 31), 2), "region"),
        ("110105194913310028", "day of birth"),
        ("110105194902300020", "day of birth"),
        (resident_number("110105", date(2026, 11, 23), 2), "day of birth"),
        (resident_number("110105", date(1800, 1, 1), 2), "day of birth"),
        ("110105194912310021", "check character"),
    ],
)
def test_a_wrong_resident_number_is_refused(text: str, reason: str) -> None:
    """Length, signs, region, day and check character are each told apart."""
    with pytest.raises(NumberInvalid) as refused:
        check_resident_id(text, today=TODAY)
    assert reason in str(refused.value)


@given(residents, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_sign_of_a_resident_number_is_found(number: str, place: int, sign: str) -> None:
    """MOD 11-2 finds every single wrong sign."""
    assume(number[place] != sign)
    with pytest.raises(NumberInvalid):
        check_resident_id(number[:place] + sign + number[place + 1 :], today=TODAY)


@given(residents, st.integers(0, 16))
def test_two_swapped_neighbours_of_a_resident_number_are_found(number: str, place: int) -> None:
    """MOD 11-2 finds every swap of unequal neighbours."""
    assume(number[place] != number[place + 1])
    with pytest.raises(NumberInvalid):
        check_resident_id(number[:place] + number[place + 1] + number[place] + number[place + 2 :], today=TODAY)


@given(credits, st.integers(0, 17), st.sampled_from(CREDIT_SIGNS))
def test_one_wrong_sign_of_a_credit_code_is_found(code: str, place: int, sign: str) -> None:
    """The weights have inverses mod 31, so every single wrong sign is found."""
    assume(code[place] != sign)
    with pytest.raises(NumberInvalid):
        check_credit_code(code[:place] + sign + code[place + 1 :])


@given(credits, st.integers(0, 16))
def test_two_swapped_neighbours_of_a_credit_code_are_found(code: str, place: int) -> None:
    """Neighbouring weights differ mod 31, so every swap of unequal neighbours is found."""
    assume(code[place] != code[place + 1])
    with pytest.raises(NumberInvalid):
        check_credit_code(code[:place] + code[place + 1] + code[place] + code[place + 2 :])


def _message(text: str, check: Callable[[str], object]) -> str:
    """All that an error report could hold: the sentence, the data, the lines and every local of our frames."""
    with pytest.raises(NumberInvalid) as refused:
        check(text)
    error = refused.value
    assert error.__cause__ is None
    assert error.__context__ is None
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if "numbers.py" in frame.f_code.co_filename]
    assert frames, "the error came from elsewhere"
    held = [repr(frame.f_locals) for frame in frames if not frame.f_code.co_filename.endswith("test_numbers.py")]
    assert held
    lines = traceback.format_exception_only(error)
    return " ".join([str(error), repr(error), repr(error.args), repr(error.data), *lines, *held])


@given(residents, st.integers(0, 17), st.sampled_from("0123456789"))
def test_no_part_of_a_resident_number_is_told(number: str, place: int, sign: str) -> None:
    """Neither the sentence nor the data nor a frame of the error holds four of its digits in a row."""
    assume(number[place] != sign)
    wrong = number[:place] + sign + number[place + 1 :]
    told = _message(wrong, lambda text: check_resident_id(text, today=TODAY, pepper=PEPPER))
    told = told.replace(repr(TODAY), "").replace(repr(PEPPER), "")
    assert [wrong[at : at + 4] for at in range(15) if wrong[at : at + 4] in told] == []


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (check_mobile, "23800138000"),
        (check_credit_code, "91440300708461136A"),
        (check_producer_code, "001191440300708461136A1XGW3"),
    ],
)
def test_no_other_number_is_told(check: Callable[[str], object], text: str) -> None:
    """The sentences about codes and mobile numbers do not repeat them either."""
    with pytest.raises(NumberInvalid) as refused:
        check(text)
    assert text[2:8] not in f"{refused.value} {refused.value.data}"


@pytest.mark.parametrize(("number", "born"), PRINTED.items())
def test_the_printed_examples_pass(number: str, born: date) -> None:
    """The examples of GB 11643-1999 are read; the small x and full-width digits are read as meant."""
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in number)
    for text in (number, number.lower(), f"  {number}\n", wide, wide.lower()):
        assert check_resident_id(text, today=TODAY).birth_date == born


@given(residents)
def test_what_is_kept_names_nobody(number: str) -> None:
    """The answer holds the day of birth alone, and shows not even that; the commitment finds the same number again."""
    found = check_resident_id(number, today=TODAY, pepper=PEPPER)
    assert repr(found) == str(found) == "ResidentId(…)"
    assert number[:6].encode() + number[6:14].encode() not in pickle.dumps(found)
    assert number[14:].encode() not in pickle.dumps((found.birth_date,))
    assert found == check_resident_id(number.lower(), today=TODAY, pepper=PEPPER)
    assert found.commitment is not None
    assert found.commitment != check_resident_id(number, today=TODAY, pepper=bytes(32)).commitment
    assert check_resident_id(number, today=TODAY).commitment is None
    assert copy.copy(found) == found


@pytest.mark.parametrize(
    ("born", "day", "age", "adult", "guardian"),
    [
        (date(2008, 11, 22), date(2026, 11, 21), 17, False, False),
        (date(2008, 11, 22), date(2026, 11, 22), 18, True, False),
        (date(2012, 11, 23), date(2026, 11, 22), 13, False, True),
        (date(2012, 11, 22), date(2026, 11, 22), 14, False, False),
        (date(2008, 2, 29), date(2026, 2, 28), 17, False, False),
        (date(2008, 2, 29), date(2026, 3, 1), 18, True, False),
    ],
)
def test_age_is_counted_in_birthdays(born: date, day: date, age: int, adult: bool, guardian: bool) -> None:
    """Adults have had their eighteenth birthday; below fourteen a guardian is needed."""
    person = ResidentId(born)
    assert (person.age_on(day), person.is_adult_on(day), person.needs_guardian_on(day)) == (age, adult, guardian)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "18 digits"),
        ("91440300708461136", "18 digits"),
        ("9144030070846113 6T", "18 digits"),
        ("9I440300708461136T", "without I"),
        ("9144O300708461136T", "without I"),
        ("91440300708461136A", "check character"),
    ],
)
def test_a_wrong_credit_code_is_refused(text: str, reason: str) -> None:
    """Length, letters that do not occur, and the check character."""
    with pytest.raises(NumberInvalid) as refused:
        check_credit_code(text)
    assert reason in str(refused.value)


@given(credits)
def test_a_credit_code_passes_in_any_width_and_case(code: str) -> None:
    """Plain, small and full-width forms give the same plain code."""
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in code)
    assert {check_credit_code(text) for text in (code, code.lower(), wide, f" {code} ")} == {code}


@pytest.mark.parametrize(
    ("code", "service", "application"),
    [
        ("001191440300708461136T1XGW3", "generation", "XGW3"),
        ("001191110102MACQD9K64018705", "generation", "8705"),
        ("001191110102MACQD9K64028705", "propagation", "8705"),
        ("001191110102MAD55U9H0F10002", "generation", "0002"),
        ("001191310104MACE0YX63918020", "generation", "8020"),
        ("001191440300708461136T1308L", "generation", "308L"),
        ("001191440300708461136T00000", None, ""),
    ],
)
def test_producer_codes_met_in_public_files_pass(code: str, service: str | None, application: str) -> None:
    """Codes of real providers are taken apart."""
    assert check_producer_code(code) == ProducerCode(code, code[4:22], service, application)  # type: ignore[arg-type] # from a table


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "25 digits"),
        ("00119111010218xliu00000000", "25 digits"),  # 26 signs: met in a public file
        ("001191440300708461136t1XGW3", "25 digits"),
        ("011191440300708461136T1XGW3", "25 digits"),
        ("002191440300708461136T1XGW3", "organisations"),
        ("001291440300708461136T1XGW3", "organisations"),
        ("001191440300708461136A1XGW3", "check character"),
        ("001191440300708461136T3XGW3", "position 23"),
        ("001191440300708461136T00001", "position 23"),
    ],
)
def test_a_wrong_producer_code_is_refused(text: str, reason: str) -> None:
    """Form, kind of subject, the credit code within and the service are each told apart."""
    with pytest.raises(NumberInvalid) as refused:
        check_producer_code(text)
    assert reason in str(refused.value)


@pytest.mark.parametrize("text", ["", "12800138000", "1380013800", "138001380000", "+44 13800138000", "1380013800a"])
def test_a_wrong_mobile_number_is_refused(text: str) -> None:
    """Only numbers of mainland China have the form."""
    with pytest.raises(NumberInvalid):
        check_mobile(text)


@pytest.mark.parametrize(
    "text", ["13800138000", "+86 138 0013 8000", "0086-138-0013-8000", "8613800138000", "１３８００１３８０００"]
)
def test_a_mobile_number_passes_in_the_usual_spellings(text: str) -> None:
    """Prefix, spaces, dashes and full-width digits are read as meant."""
    assert check_mobile(text) == "+8613800138000"


@given(st.text(max_size=40))
def test_any_text_is_answered(text: str) -> None:
    """Whatever is typed is a number or NumberInvalid."""
    for check in (check_resident_id, check_credit_code, check_producer_code, check_mobile):
        try:
            check(text)
        except NumberInvalid:
            pass
