"""Settings: a small file that can be broken without harm."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from compliance.labels.styles import STANDARD, style_of
from studio.settings import FIELDS, FILE_NAME, Settings


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"language": 7, "preview_longest_px": 99999}'])
def test_a_broken_file_reads_as_defaults(tmp_path: Path, content: bytes) -> None:
    """Nothing in the file can stop the window."""
    (tmp_path / FILE_NAME).write_bytes(content)
    settings = Settings(tmp_path)
    assert all(settings[field.name] == field.default for field in FIELDS)


@pytest.mark.parametrize("values", [{"language": "fr"}, {"preview_longest_px": 10}, {"preview_longest_px": True}])
def test_values_outside_their_range_are_refused(tmp_path: Path, values: dict[str, object]) -> None:
    """What a field does not accept is a mistake of the caller."""
    with pytest.raises(ValueError, match="cannot be"):
        Settings(tmp_path).update(values)
    assert not (tmp_path / FILE_NAME).exists()


def test_an_undeclared_field_is_refused(tmp_path: Path) -> None:
    """Only declared fields exist."""
    with pytest.raises(KeyError):
        Settings(tmp_path).update({"label": False})


def test_a_home_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """The value counts for this session."""
    settings = Settings(tmp_path / "gone")
    settings.update({"language": "en"})
    assert settings["language"] == "en"


def test_values_come_back_and_nothing_else_is_left(tmp_path: Path) -> None:
    """Written as a whole, read as a whole."""
    Settings(tmp_path).update({"language": "zh-CN", "account": "studio"})
    assert Settings(tmp_path)["language"] == "zh-CN"
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert json.loads((tmp_path / FILE_NAME).read_text(encoding="utf-8"))["account"] == "studio"


def test_no_setting_takes_anything_from_the_label() -> None:
    """Three settings choose among presets that only add; there is no switch, no number, and none may come."""
    about = [field for field in FIELDS if "label" in field.name or "mark" in field.name]
    assert [field.name for field in about] == ["label_style", "label_position", "label_jurisdiction"]
    for style, position, jurisdiction in itertools.product(*(field.choices for field in about)):
        assert style_of(style, position, jurisdiction).scale >= STANDARD.scale == 1.0
