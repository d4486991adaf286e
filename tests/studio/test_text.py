"""Sentences in two languages: every error, every word, the same fields."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compliance.documents import read_document
from compliance.errors import ConsentPurpose, NotWritable, SignetError, UnknownRecord, registry
from studio import text
from studio.text import _, language, sentences, set_language, word
from tests.compliance.documents import DOCUMENTS, docx

ROOT = Path(__file__).resolve().parents[2]
TRANSLATE = runpy.run_path(str(ROOT / "packaging" / "translate"))


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Each test starts and ends in English."""
    set_language("en")
    yield
    set_language("en")


def fields(sentence: str) -> list[str]:
    """The fields of a sentence, in any order."""
    return sorted(re.findall(r"\{\w*\}", sentence))


@pytest.mark.parametrize("error", sorted(registry().values(), key=lambda kind: kind.__name__))
def test_every_error_is_translated_with_the_same_fields(error: type[SignetError]) -> None:
    """No error class without its two Chinese sentences, and none that loses or invents a field."""
    set_language("zh-CN")
    for message in (error.message, error.next_step):
        translated = _(message)
        assert fields(translated) == fields(message)
        assert message == "{problem}" or translated != message


def test_the_catalogue_is_up_to_date_and_whole(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """packaging/translate --check: every sentence of the program is there, translated, with its fields."""
    monkeypatch.setattr(sys, "argv", ["translate", "--check"])
    code = TRANSLATE["main"]()
    assert (code, capsys.readouterr().err) == (0, "")


def test_the_script_reads_the_words_of_the_lower_wings() -> None:
    """Sentences of classes, stages, reasons of errors, and f-strings as ids with numbered fields."""
    import ast

    source = '''
class Odd(SignetError):
    """data: n."""
    message = "It is odd ({n})."
def f(name, events):
    events(Progress(0, 1, "turning odd"))
    raise Odd(reason=f"the part {name} is odd", other="not a reason")
'''
    found = set(TRANSLATE["spoken"](ast.parse(source), False))
    assert found == {"It is odd ({n}).", "turning odd", "the part {0} is odd"}


def test_words_of_the_lower_wings_are_translated_inside_sentences() -> None:
    """Reasons, roles and purposes are looked up; names and paths of the user are not."""
    set_language("zh-CN")
    assert sentences(NotWritable(path="permission denied", reason="permission denied"))[0] == (
        "permission denied 无法写入（权限不足）。"
    )
    assert (
        "私人使用, 广告"
        in sentences(ConsentPurpose(consent="c", purpose="film", allowed=["private", "advertising"]))[0]
    )
    assert sentences(UnknownRecord(kind="person", id="x"))[0] == "没有编号为 x 的人物。"


def test_words_with_something_filled_in_are_found_by_their_pattern() -> None:
    """A reason that was put together is translated with what was filled in; an unknown one stays English."""
    set_language("zh-CN")
    assert word("the file has 3 AIGC fields; exactly one is allowed") == "文件有 3 个 AIGC 字段，只允许一个"
    assert word("Label is none of 1, 2, 3; the file has no AIGC field") == "Label 不是 1、2、3 之一；文件没有 AIGC 字段"
    assert word("something nobody wrote down") == "something nobody wrote down"
    set_language("en")
    assert word("the file has 3 AIGC fields; exactly one is allowed").startswith("the file has 3")


@pytest.mark.parametrize(
    ("data", "details"),
    [
        (DOCUMENTS["html"].replace(b"At dusk", b"<script>x</script>"), ["script"]),
        (DOCUMENTS["html"].replace(b"<p>", b"<p onclick='x'>").replace(b"</h1>", b"</h2>"), ["onclick", "h1", "h2"]),
        (b"---\nheader-includes: x\n---\n<div>\n", ["header-includes"]),
        (DOCUMENTS["txt"] + "\u202e".encode(), []),
        (docx(**{"word/vbaProject.bin": "x"}), []),
        (docx('<w:p><w:r><w:pict/></w:r></w:p><w:fldChar w:fldCharType="begin"/><w:sectPr/>'), ["pict"]),
    ],
)
def test_why_a_document_is_refused_is_said_in_the_readers_language(data: bytes, details: list[str]) -> None:
    """All reasons, also joined and with a name from the document; that name alone stays as it is written there."""
    set_language("zh-CN")
    hidden = read_document("a", data).hidden
    assert hidden
    told = word("; ".join(hidden))
    assert "；" in told or len(hidden) == 1
    for detail in details:
        assert detail in told
        told = told.replace(detail, "")
    assert set(re.findall("[A-Za-z]+", told)) <= {"HTML"}
    assert len(re.findall("[\u4e00-\u9fff]", told)) > 5 * len(hidden)


def test_a_sentence_with_a_missing_field_still_reads() -> None:
    """An error whose data lacks a field shows a question mark instead of failing."""
    error = NotWritable(path="p", reason="r")
    del error.data["reason"]
    assert sentences(error)[0] == "p cannot be written (?)."


def test_braces_in_the_users_words_are_no_fields() -> None:
    """A file named {reason} is shown as it is."""
    assert sentences(NotWritable(path="{reason}", reason="r"))[0] == "{reason} cannot be written (r)."
    assert _("There is no file at {path}.", path="{path}") == "There is no file at {path}."


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"SIGNET_LANG": "zh-CN", "LANG": "en_GB.UTF-8"}, "zh-CN"),
        ({"SIGNET_LANG": "en", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        ({"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"SIGNET_LANG": "tlh"}, "en"),
    ],
)
def test_the_language_follows_the_variables(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    """SIGNET_LANG first, then the locale; whatever is not Chinese reads English."""
    for name in ("SIGNET_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    set_language(None)
    assert language() == expected


def test_texts_load_no_catalogue_in_english() -> None:
    """An English reader pays nothing: Babel is never imported, and no file is opened."""
    code = "import sys; from studio.text import _, set_language; set_language('en'); _('Sign in.'); "
    code += "sys.exit('babel' in sys.modules or 'studio.workshop' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_compiled_catalogue_is_read_by_gettext() -> None:
    """The .mo file that is shipped answers."""
    set_language("zh-CN")
    assert (text.LOCALE_FOLDER / "zh_CN" / "LC_MESSAGES" / "signet.mo").is_file()
    assert _("Nobody is signed in.") == "当前无人登录。"
