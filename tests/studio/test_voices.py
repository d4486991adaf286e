"""Speech through the real workshop and the command line: review, refusals, labels, scripts, takes, subtitles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from compliance.errors import ContentBlocked, DemoHomeOnly, OptionUnfit, ScriptUnclear, TargetExists, TextEmpty
from compliance.gate import DEMO_REQUESTS
from compliance.media import MediaInfo
from compliance.review import shipped_lists
from engines.job import Cancelled, Failed, Finished, Progress
from studio import demo, voices
from studio.commands import usage
from studio.review import words_of
from studio.workshop import SwapPlan, Workshop, raise_failed
from tests.compliance.home import PASSWORD
from tests.studio import command_line
from tests.studio.command_line import Signet

# Fixtures, under names of this file.
english, signet, template = command_line.english, command_line.signet, command_line.template

LIMIT_S = 60.0


def forbidden() -> str:
    """A phrase that the shipped lists stop at."""
    return next(entry.text for entry in shipped_lists().entries if entry.severity == "stop" and " " not in entry.text)


def finish(workshop: Workshop, plan: SwapPlan) -> Any:
    """Run a plan; raises what the job failed with."""
    running = workshop.start(plan, lambda _event: None)
    last = running.wait(LIMIT_S)
    if isinstance(last, Failed):
        raise_failed(last)
    assert isinstance(last, Finished)
    return running


# --- refusals --------------------------------------------------------------------------------------------------------


def test_words_that_review_stops_are_not_spoken(workshop: Workshop) -> None:
    """In a text, in a script, and cut in two by a tag that nobody hears."""
    word = forbidden()
    halves = f"{word[:1]}<emphasis>{word[1:]}</emphasis>"
    for options in (
        {"text": f"Good morning. {word}"},
        {"text": f"Anna: Hm.\nBo: {word}", "form": "script"},
        {"text": halves},
    ):
        with pytest.raises(ContentBlocked):
            workshop.start(workshop.plan_speech(options), lambda _event: None)
    assert ("text", word) in words_of(workshop.plan_speech({"text": halves}).request)


def test_what_is_wrong_with_a_text_is_told_before_anything_starts(workshop: Workshop, tmp_path: Path) -> None:
    """No permit is asked for; a script that is no text, and subtitles of an unknown kind."""
    for options, error in (
        ({"text": "…"}, TextEmpty),
        ({"text": "Hi.", "form": "script"}, ScriptUnclear),
        ({"text": "Hi.", "rate": 9}, OptionUnfit),
    ):
        with pytest.raises(error):
            workshop.plan_speech(options)
    assert not [entry for entry in workshop.ledger_entries() if entry["kind"].startswith("permit")]
    script = tmp_path / "script.txt"
    script.write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(ScriptUnclear):
        voices.read_script_file(script)
    with pytest.raises(OptionUnfit):
        voices.subtitles_beside(tmp_path / "a.wav", "txt", overwrite=False)
    (tmp_path / "a.srt").touch()
    with pytest.raises(TargetExists):
        voices.subtitles_beside(tmp_path / "a.wav", "srt", overwrite=False)


def test_the_demo_home_speaks_its_own_words_alone(tmp_path: Path) -> None:
    """The gate knows the digest of each request of the demo; one changed letter, and it says no."""
    with Workshop(tmp_path / "home", "demo", None) as workshop:
        workshop.create_account("demo", PASSWORD, "Demo Person")
        workshop.login("demo", PASSWORD)
        plans = [demo.planned(workshop, wish) for wish in demo.WISHES]
        assert {plan.request.digest() for plan in plans} == DEMO_REQUESTS
        assert all(rule.ok for plan in plans for rule in workshop.explain(plan.request))
        for other in (
            workshop.plan_speech({**demo.WISHES[1].options, "text": "Good evening."}, purpose="education"),
            workshop.plan_picture("picture.sketch", {**demo.WISHES[0].options, "prompt": "a boat"}, seed=7),
        ):
            with pytest.raises(DemoHomeOnly):
                workshop.start(other, lambda _event: None)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--text", ""], "TextEmpty"),
        (["--text", "👍"], "TextEmpty"),
        (["--text", "x" * 100_000], "TextTooLong"),
        (["--text", "<b>x</b>"], "MarkupUnclear"),
        (["--text", "ꦗꦮ"], "LanguageUnspoken"),
        (["--text", "Hi.", "--lang", "xx"], "OptionUnfit"),
        (["--text", "Hi.", "--voice", "nobody"], "OptionUnfit"),
        (["--text", "Hi.", "--cast", "Anna=rms"], "OptionUnfit"),
        (["--text", "Hi.", "--script", "x.txt"], "UsageUnclear"),
        (["--script", "none.txt"], "FileMissing"),
        ([], "UsageUnclear"),
    ],
)
def test_bad_words_end_in_a_sentence_and_a_code(
    signet: Signet, signet_home: Path, tmp_path: Path, words: list[str], error: str
) -> None:
    """Nothing is written."""
    out = tmp_path / "a.wav"
    answer = signet("voice", "speak", *words, "--out", out, "--json")
    assert answer.lines[-1]["error"] == error and answer.lines[-1]["next_step"]
    assert answer.code in (1, 2) and not out.exists()


def test_a_stopped_speech_leaves_nothing(workshop: Workshop, tmp_path: Path) -> None:
    """Stopped at its first sentence of many; the next one speaks."""
    plan = workshop.plan_speech({"text": "今天天气很好。" * 400})
    running = workshop.start(plan, lambda event: isinstance(event, Progress) and running.cancel())
    assert isinstance(running.wait(LIMIT_S), Cancelled)
    assert list(tmp_path.glob("*.wav")) == []
    assert finish(workshop, workshop.plan_speech({"text": "你好。"})).info.frames > 0


# --- the language of the command line --------------------------------------------------------------------------------


def test_the_language_of_the_words_is_not_the_readers() -> None:
    """Behind `voice speak` --lang says what is spoken; before it, and anywhere else, who reads."""
    words = usage.arranged(["--lang", "zh-CN", "voice", "speak", "--lang", "en", "--home", "h", "--text", "Hi."])
    assert words == ["--lang", "zh-CN", "--home", "h", "voice", "speak", "--lang", "en", "--text", "Hi."]
    assert (usage.value_of(words, "--lang"), usage.value_of(words, "--home")) == ("zh-CN", "h")
    assert usage.value_of(usage.arranged(["voice", "speak", "--lang=zh"]), "--lang") is None
    assert usage.value_of(usage.arranged(["voice", "list", "--lang", "en"]), "--lang") == "en"


# --- what comes out --------------------------------------------------------------------------------------------------


def test_speech_is_released_sealed_with_subtitles(workshop: Workshop, tmp_path: Path) -> None:
    """Without any consent; the first cue says what it is, the others stand where the sentences are heard."""
    plan = workshop.plan_speech({"text": "Low tide. <break time='1s'/>High & dry."})
    running = finish(workshop, plan)
    out = tmp_path / "a.wav"
    release = workshop.release(running, out, language=voices.notice_language(plan.request))
    assert release.consents == () and workshop.verify([out])[0].verdict == "sealed"
    info: MediaInfo = running.info
    assert info.origin == "trainedAlgorithmicMedia"
    for kind in voices.SUBTITLES:
        voices.write_subtitles(tmp_path / f"a.{kind}", plan.request, info, out, workshop.label_text())
    srt, vtt = (tmp_path / "a.srt").read_text(), (tmp_path / "a.vtt").read_text()
    assert srt.split("\n\n")[0].splitlines()[-1] == workshop.label_text()
    assert vtt.startswith("WEBVTT\n\nNOTE ") and "High &amp; dry." in vtt and "High & dry." in srt
    times = [
        int(h) * 3600_000 + int(m) * 60_000 + int(s) * 1000 + int(ms)
        for h, m, s, ms in re.findall(r"(\d\d):(\d\d):(\d\d),(\d{3})", srt)
    ]
    assert times == sorted(times) and len(times) == 6
    (first, _), (second, end) = info.spans_ms
    assert times[4] - times[2] == second - first
    assert times[5] - times[4] == end - second
    assert times[2] - times[1] == pytest.approx(first, abs=60)


def test_cues_move_with_every_label_before_them() -> None:
    """In a long sound the label is repeated; sentences behind it are heard later by its length."""
    labels = [(0, 4000), (285_000, 4000)]
    assert voices._moved(1000, labels) == 5000
    assert voices._moved(284_000, labels) == 288_000
    assert voices._moved(286_000, labels) == 294_000
    assert voices._clock(3_723_004, ",") == "01:02:03,004"


def test_takes_and_scripts_by_the_command_line(signet: Signet, signet_home: Path, tmp_path: Path) -> None:
    """Each take is a file of its own; a script speaks in several voices; both say that no consent was needed."""
    script = tmp_path / "script.txt"
    script.write_text("Anna: Low tide.\nBo: 退潮。\n", encoding="utf-8")
    arguments = ("--script", script, "--cast", "Anna=slt", "--takes", 2, "--seed", 3, "--out", tmp_path / "a.flac")
    answer = signet("voice", "speak", *arguments, "--subtitles", "vtt", "--json")
    assert answer.code == 0, answer.err
    released = [line for line in answer.lines if line.get("event") == "released"]
    assert [Path(line["path"]).name for line in released] == ["a.flac", "a-2.flac"]
    assert [(line["seed"], line["consent"]) for line in released] == [(3, "not needed"), (4, "not needed")]
    assert "Anna: Low tide." in (tmp_path / "a-2.vtt").read_text()
    assert signet("verify", *[line["path"] for line in released]).code == 0


def test_the_voices_are_listed(signet: Signet) -> None:
    """With honest names, and whether they can speak here."""
    answer = signet("voice", "list", "--json")
    listed = {line["id"]: line for line in answer.lines}
    assert listed["rms"]["name"] == "flite rms" and listed["formant"]["name"] == "formant voice"
    assert listed["formant"]["is_here"] is True
