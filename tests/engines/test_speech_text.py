"""The text front end of voices: what is refused, what is left out, and what is said for what is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import (
    ExitCode,
    LanguageUnspoken,
    MarkupUnclear,
    OptionUnfit,
    ScriptUnclear,
    SignetError,
    TextEmpty,
    TextTooLong,
)
from engines.voice import numbers_en, numbers_zh
from engines.voice.casting import cast
from engines.voice.length import expected_s, is_plausible
from engines.voice.markup import Pause, Words, read_markup
from engines.voice.script import read_script
from engines.voice.text import LONGEST_TEXT, chunks, clean, language_runs, read_text, sentences

SETTINGS = {"text": "", "form": "text", "language": "auto", "voice": "auto", "voices": ""}


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", " \n\t ", "👍🏽🎉", "…!?", "\x00\x07\x1b", "<break/>", "\u200b\u202e"])
def test_a_text_without_words_is_refused(text: str) -> None:
    """Nothing, space, emoji, signs, control characters, pauses alone."""
    with pytest.raises(TextEmpty) as refusal:
        read_text(text)
    assert refusal.value.code == ExitCode.USAGE


def test_an_endless_text_is_refused_before_it_is_read() -> None:
    """Also as a script; the limit itself is fine."""
    for length in (LONGEST_TEXT + 1, 100_000):
        with pytest.raises(TextTooLong):
            read_text("x" * length)
        with pytest.raises(TextTooLong):
            read_script("x" * length)
    assert read_text("word " * (LONGEST_TEXT // 5)).pieces


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a <b>c</b>", 3),
        ("<break", 1),
        ("<break>", 1),
        ('<break time="soon"/>', 1),
        ('a<break time="11s"/>', 2),
        ("<break time=500ms/>", 1),
        ('<break strength="huge"/>', 1),
        ("<emphasis>x", 1),
        ("x</emphasis>", 2),
        ("<emphasis><prosody rate='slow'>x</emphasis></prosody>", 33),
        ("<emphasis level='wild'>x</emphasis>", 1),
        ("<prosody rate='9999%'>x</prosody>", 1),
        ("<prosody pitch='+20st'>x</prosody>", 1),
        ("<emphasis>" * 9 + "x" + "</emphasis>" * 9, 81),
    ],
)
def test_a_malformed_tag_is_told_with_its_place(text: str, place: int) -> None:
    """Nothing of the text is said then."""
    with pytest.raises(MarkupUnclear) as refusal:
        read_text(text)
    assert refusal.value.data["place"] == place


@pytest.mark.parametrize("text", ["ꦗꦮ", "Hello ᚠᚢᚦ", "東京へ行きます"])
def test_a_language_nobody_speaks_is_refused(text: str) -> None:
    """Not swallowed and not read as something else."""
    with pytest.raises(LanguageUnspoken):
        cast({**SETTINGS, "text": text})


@pytest.mark.parametrize(
    ("script", "line"),
    [("Good morning.", 1), ("\n# note\nhttp://example.org/x", 3), ("Anna:", 1), ("Anna: Hi.\nBo:\nAnna: Hm.", 2)],
)
def test_a_script_without_speaker_or_words_is_refused(script: str, line: int) -> None:
    """With the number of the line."""
    with pytest.raises(ScriptUnclear) as refusal:
        read_script(script)
    assert refusal.value.data["line"] == line


@pytest.mark.parametrize("voices", ["Anna", "Anna=nobody", "=rms", "Cleo=rms"])
def test_a_cast_that_fits_nobody_is_refused(voices: str) -> None:
    """An unknown voice, an unknown speaker; and a cast without a script."""
    with pytest.raises(OptionUnfit):
        cast({**SETTINGS, "form": "script", "text": "Anna: Hi.", "voices": voices})
    with pytest.raises(OptionUnfit):
        cast({**SETTINGS, "text": "Hi.", "voices": "Anna=rms"})


@given(st.text(max_size=200))
def test_no_text_breaks_the_front_end(text: str) -> None:
    """Whatever is written, it is read or refused in a sentence."""
    try:
        pieces = cast({**SETTINGS, "text": text}).parts
    except SignetError:
        return
    assert all(any(sign.isalnum() for sign in part.piece.text) for part in pieces)


# --- what is left out ------------------------------------------------------------------------------------------------


def test_what_cannot_be_said_is_left_out_and_told() -> None:
    """Emoji and control characters; joiners and directions go without a word."""
    text, notes = clean("Thumbs\x07 up 👍🏽\u200d\ufe0f \u202eok\u202c")
    assert text.split() == ["Thumbs", "up", "ok"]
    assert len(notes) == 2
    assert clean("Grüße, 你好。\r\n5 °C")[1] == ()


# --- languages and sentences -----------------------------------------------------------------------------------------


def test_languages_are_found_by_their_letters() -> None:
    """Mostly Chinese keeps its Latin words; mostly English hands the Chinese ones on; others by script."""
    assert language_runs("今天用iPhone打电话。") == [("zh", "今天用iPhone打电话。")]
    assert [name for name, _ in language_runs("The word 你好 means hello to us.")] == ["en", "zh", "en"]
    assert [name for name, _ in language_runs("Привет, world")] == ["ru", "en"]
    assert language_runs("12:30 ...") == [("en", "12:30 ...")]
    assert language_runs("12:30", "zh") == [("zh", "12:30")]
    assert language_runs("Guten Tag", "de") == [("de", "Guten Tag")]


def test_sentences_end_where_they_end() -> None:
    """Not behind an abbreviation or inside a number; in Chinese without spaces."""
    assert [one for one, _ in sentences("Dr. Low paid 3.50 today. Really? Yes!")] == [
        "Dr. Low paid 3.50 today.",
        "Really?",
        "Yes!",
    ]
    assert [one for one, _ in sentences("你好。再见！“好吗？”他说")] == ["你好。", "再见！", "“好吗？”", "他说"]
    assert [last for _, last in sentences("One.\n\nTwo. Three.")] == [True, False, False]


@given(st.text(alphabet="ab ,。", min_size=1, max_size=300), st.integers(5, 60))
def test_chunks_hold_every_letter_and_are_short(text: str, longest: int) -> None:
    """Nothing is lost between chunks."""
    parts = chunks(text, longest)
    assert all(len(part) <= longest + 1 for part in parts)
    letters = [sign for sign in text if sign.isalpha()]
    assert [sign for part in parts for sign in part if sign.isalpha()] == letters


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("$3.50", "three dollars and fifty cents"),
        ("£1.01 and $2 million", "one pound and one penny and two million dollars"),
        ("3.5%", "three point five percent"),
        ("22 November 2026", "the twenty-second of November twenty twenty-six"),
        ("Nov 3, 1905", "November third, nineteen oh five"),
        ("2026-11-22", "the twenty-second of November twenty twenty-six"),
        ("2026-19-40", "two thousand and twenty-six to nineteen to forty"),
        ("14:05", "fourteen oh five"),
        ("9:00 am", "nine A M"),
        ("-5 °C", "minus five degrees Celsius"),
        ("1,200,017", "one million two hundred thousand and seventeen"),
        ("007", "zero zero seven"),
        ("the 21st", "the twenty-first"),
        ("10-12 km", "ten to twelve kilometres"),
        ("Dr. Low & Mr. High", "Doctor Low and Mister High"),
    ],
)
def test_english_is_written_out(written: str, said: str) -> None:
    """Numbers, dates, times, money, percent, units."""
    assert numbers_en.in_words(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2026年11月22日", "二零二六年十一月二十二日"),
        ("2026-11-22 14:05", "二零二六年十一月二十二日 十四点零五分"),
        ("涨了3.5%", "涨了百分之三点五"),
        ("¥1,200.50", "一千二百点五零元"),
        ("2个人, 2:00", "两个人, 两点整"),
        ("10500 10005 110 1000100", "一万零五百 一万零五 一百一十 一百万零一百"),
        ("-5℃, 3-5天", "负五摄氏度, 三到五天"),
        ("13912345678", "一三九一二三四五六七八"),
    ],
)
def test_chinese_is_written_out(written: str, said: str) -> None:
    """Numbers, dates, times, money, percent, measures."""
    assert numbers_zh.in_words(written) == said


@given(st.integers(0, 10**16 - 1))
def test_chinese_numbers_mean_what_they_were(number: int) -> None:
    """Read back by place value, every number up to sixteen digits is itself."""
    total = part = digit = 0
    scales = {"万": 10**4, "亿": 10**8}
    places = {"十": 10, "百": 100, "千": 1000}
    said = numbers_zh.cardinal(number)
    whole = 0
    for place, sign in enumerate(said):
        if sign in places:
            part += (digit or (1 if place == 0 else 0)) * places[sign]
            digit = 0
        elif sign in scales:
            total += part + digit
            part = digit = 0
            if sign == "亿":
                whole, total = whole + total * 10**8, 0
            else:
                total *= 10**4
                if said[place + 1 : place + 2] == "亿":
                    continue
        else:
            digit = "零一二三四五六七八九".index(sign)
    assert whole + total + part + digit == number
    assert "零零" not in said and not (number and said.endswith("零"))


# --- tags and scripts ------------------------------------------------------------------------------------------------


def test_tags_change_the_manner_and_plain_signs_stay() -> None:
    """Nested tags add up; 3 < 5 is no tag, &lt; is a sign."""
    parts = read_markup('a <prosody rate="slow" pitch="+2st">b<emphasis>c</emphasis></prosody> 3 < 5 &lt;x&gt;')
    words = [part for part in parts if isinstance(part, Words)]
    assert [(part.text.strip(), part.manner.rate, part.manner.pitch_st, part.manner.emphasis) for part in words] == [
        ("a", 1.0, 0.0, 0),
        ("b", 0.8, 2.0, 0),
        ("c", 0.8, 2.0, 1),
        ("3 < 5 <x>", 1.0, 0.0, 0),
    ]
    assert read_markup("<break/>x<break time='1.5s'/>")[::2] == [Pause(500), Pause(1500)]
    assert read_text("<break time='2s'/>Now. <break time='700ms'/>Then.").lead_ms == 2000
    assert read_text("Now. <break time='700ms'/>Then.").pieces[0].pause_ms == 700


def test_a_script_gives_every_speaker_a_voice() -> None:
    """By turns where none is named; a line without a name goes on; English voices hand Chinese on, and that is told."""
    play = cast(
        {
            **SETTINGS,
            "form": "script",
            "text": "# x\nAnna: Good morning.\n  It is 9:00.\nBo: 早上好。\nCleo: Hi.",
            "voices": "Bo=slt",
        }
    )
    assert [(part.speaker, part.voice.id) for part in play.parts] == [
        ("Anna", "rms"),
        ("Anna", "rms"),
        ("Bo", "formant"),
        ("Cleo", "awb"),
    ]
    assert len(play.notes) == 1
    assert play.lines() == ["Anna: Good morning.", "Anna: It is 9:00.", "Bo: 早上好。", "Cleo: Hi."]


def test_a_length_that_cannot_be_is_noticed() -> None:
    """Three times too long, a tenth of what it should be."""
    text = "The old harbour was quiet, and three boats lay on the sand."
    usual_s = expected_s(text, "en")
    assert is_plausible(usual_s, text, "en") and is_plausible(usual_s / 2, text, "en", rate=2.0)
    assert not is_plausible(usual_s * 3, text, "en")
    assert not is_plausible(usual_s / 10, text, "en")
