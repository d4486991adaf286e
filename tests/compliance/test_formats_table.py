"""The table of formats: pictures released through a home and looked at by exiftool and FFmpeg, one row each."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from compliance.labels.policy import FORMATS
from tests.bench import formats
from tests.compliance.home import Home

# PNG and JPEG have tests enough of their own.
PICTURES = [name for name, rule in FORMATS.items() if rule.kind == "picture" and name not in ("png", "jpeg")]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A furnished home."""
    return Home.furnished(tmp_path_factory.mktemp("formats") / "home")


@pytest.mark.parametrize("name", PICTURES)
def test_every_layer_of_every_picture_format_is_seen_by_us_and_by_others(
    home: Home, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All six layers intact, credential trusted and inside; one AIGC field and one source type for exiftool."""
    monkeypatch.setitem(formats.MAKERS, "picture", lambda _name: formats.picture(320, 240))
    line = formats.row(home, name, tmp_path)
    layers = ("explicit", "aigc", "iptc", "credential", "ledger", "watermark")
    assert line.get("problem") is None and line["verdict"] == "sealed"
    assert [line[layer] for layer in layers] == ["intact"] * 6
    assert (line["credential is"], line["trust"], line["FFmpeg"]) == ("inside", "trusted", "1 frames")
    if shutil.which("exiftool"):
        assert (line["exiftool AIGC"], line["exiftool IPTC"]) == ("1×", "1×")
    assert line["format"] in formats.shown([line])
