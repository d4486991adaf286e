"""signet voice by the command line: parts of recordings, and whatever a person may get wrong."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from engines.sound import decode_sound
from tests.engines.voices import HIGH, LOW, speech, wav
from tests.studio import command_line
from tests.studio.command_line import Signet

# Fixtures, under names of this file.
english, signet, template = command_line.english, command_line.signet, command_line.template

UNTIL = date.today() + timedelta(days=30)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Two made people, three seconds each."""
    (tmp_path / "low.wav").write_bytes(wav(speech(LOW, 3.0)))
    (tmp_path / "high.wav").write_bytes(wav(speech(HIGH, 3.0)))
    return tmp_path


def agreed(signet: Signet, recording: Path) -> str:
    """A consent to the voice in a recording, by the command line."""
    person = signet("subject", "add", recording.stem, "--json").lines[-1]["id"]
    words = ("consent", "record", "--subject", person, "--voice", recording, "--purpose", "private", "--until", UNTIL)
    answer = signet(*words, "--json")
    assert answer.code == 0, answer.err
    return str(answer.lines[-1]["id"])


# --- parts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "option"),
    [
        (("--start", "-1"), "--start"),
        (("--start", "nan"), "--start"),
        (("--start", "9"), "--start"),
        (("--end", "0"), "--end"),
        (("--end", "9"), "--end"),
        (("--start", "2", "--end", "1"), "--end"),
    ],
)
def test_a_wrong_part_is_refused_by_name_and_nothing_is_written(
    signet: Signet, recordings: Path, part: tuple[str, ...], option: str
) -> None:
    """Wrong use, said with what would fit."""
    out = recordings / "a.wav"
    answer = signet("voice", "attribute", "--target", recordings / "low.wav", "--out", out, *part, "--json")
    told = answer.lines[-1]
    assert answer.code == 2 and told["error"] == "OptionUnfit" and not out.exists()
    assert told["message"].startswith(option) and told["next_step"]


def test_a_part_is_edited_under_the_consent_to_the_whole_recording(signet: Signet, recordings: Path) -> None:
    """As long as the part and its labels; without a consent it is refused like the whole."""
    target, out = recordings / "low.wav", recordings / "a.wav"
    words = ("voice", "attribute", "--target", target, "--out", out, "--start", "1", "--end", "2.5", "--json")
    refused = signet(*words)
    assert refused.code == 5 and not out.exists()
    answer = signet(*words, "--consent", agreed(signet, target))
    assert answer.code == 0, answer.err
    whole = signet(*words[:5], recordings / "b.wav", "--json", "--consent", agreed(signet, target))
    assert whole.code == 0, whole.err
    seconds = [decode_sound(name, (recordings / name).read_bytes(), 16000).seconds for name in ("b.wav", "a.wav")]
    assert seconds[0] - seconds[1] == pytest.approx(1.5, abs=0.02)
    assert signet("verify", out).code == 0


def test_a_part_of_a_reference_goes_with_a_reference(signet: Signet, recordings: Path) -> None:
    """Said of speech by a voice that is nobody's it is wrong use, and so is what restricts a consent."""
    speak = ("voice", "speak", "--text", "Hi.", "--out", recordings / "a.wav")
    for more in (
        ("--reference-start", "1"),
        ("--use", "political"),
        ("--territory", "CN"),
        ("--project", "x"),
        ("--consent", "con-1"),
    ):
        answer = signet(*speak, *more, "--json")
        assert answer.code == 2 and answer.lines[-1]["error"] == "UsageUnclear"
    lean = ("voice", "convert", "--source", recordings / "high.wav", "--target", recordings / "low.wav")
    answer = signet(*lean, "--out", recordings / "a.wav", "--reference-end", "9", "--json")
    assert answer.code == 2 and answer.lines[-1]["message"].startswith("--reference-end")


# --- what a person gets wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("--text", "Hi.", "--rate", "9"), "--rate"),
        (("--text", "Hi.", "--rate=nan"), "--rate"),
        (("--text", "Hi.", "--pitch", "inf"), "--pitch"),
        (("--text", "Hi.", "--voice", "nobody"), "--voice"),
        (("--text", "Hi.", "--lang", "xx"), "--lang"),
        (("--script", "SCRIPT", "--cast", "Cy=rms"), "--cast"),
        (("--script", "SCRIPT", "--cast", "Anna=nobody"), "--cast"),
    ],
)
def test_a_refused_setting_is_called_by_its_option(
    signet: Signet, signet_home: Path, tmp_path: Path, words: tuple[str, ...], option: str
) -> None:
    """As it was written, and not as the engine calls it; with what would fit."""
    script = tmp_path / "script.txt"
    script.write_text("Anna: Hello.\nBo: Hi.\n")
    given = [str(script) if word == "SCRIPT" else word for word in words]
    answer = signet("voice", "speak", *given, "--out", tmp_path / "a.wav", "--json")
    told = answer.lines[-1]
    assert answer.code == 2 and told["error"] == "OptionUnfit" and told["next_step"]
    assert told["message"].startswith(f"{option} cannot be ") and not (tmp_path / "a.wav").exists()


def test_what_is_no_file_is_told_and_leaves_nothing(signet: Signet, recordings: Path) -> None:
    """A folder, nothing at all, and a file without a byte."""
    empty = recordings / "empty.wav"
    empty.touch()
    words = ("voice", "attribute", "--out", recordings / "a.wav", "--json", "--target")
    for path, error in ((recordings, "NotASound"), (recordings / "gone.wav", "FileMissing"), (empty, "NotASound")):
        answer = signet(*words, path)
        assert answer.code == 1 and answer.lines[-1]["error"] == error and answer.lines[-1]["next_step"]
    assert not [path for path in recordings.iterdir() if path.name.startswith(("a.", ".a"))]
