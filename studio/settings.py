"""Settings of the window and of the label: one declared field each, kept in a small JSON file in the home folder."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.labels.styles import CHOICES, POSITIONS, STYLES, LabelChoice

FILE_NAME = "window.json"


@dataclass(frozen=True, slots=True)
class Field:
    """One setting: its name, default, what values it may have, its unit and one sentence (English message id)."""

    name: str
    default: Any
    sentence: str
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""

    def accepts(self, value: Any) -> bool:
        """Whether a value read from the file can be used."""
        if self.choices:
            return value in self.choices
        if isinstance(self.default, bool) or not isinstance(self.default, int | float):
            return isinstance(value, type(self.default))
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


FIELDS = (
    Field("language", "", "Language of the window; empty follows the system.", choices=("", "en", "zh-CN")),
    Field("geometry", "", "Place and size of the window, as Qt saves them (base64)."),
    Field("account", "", "Account that was signed in last."),
    Field("release_folder", "", "Folder of the last release."),
    Field("label_style", "standard", "Look of the drawn label; it may only add.", choices=tuple(STYLES)),
    Field("label_position", "auto", "Corner of the drawn label, unless a face is there.", choices=POSITIONS),
    Field("label_jurisdiction", "ALL", "Whose rules the label meets, besides China's.", choices=CHOICES),
    Field("preview_longest_px", 1400, "Longest side of the preview.", minimum=256, maximum=4096, unit="px"),
)


class Settings:
    """The settings of one home; unknown or unusable values fall back to their default."""

    def __init__(self, home: Path, fields: tuple[Field, ...] = FIELDS) -> None:
        self._path = home / FILE_NAME
        self._fields = {field.name: field for field in fields}
        self._values = {name: field.default for name, field in self._fields.items()}
        self._values.update(self._read())

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def label(self) -> LabelChoice:
        """The presets of the drawn label."""
        return LabelChoice(self["label_style"], self["label_position"], self["label_jurisdiction"])

    def update(self, values: Mapping[str, Any]) -> None:
        """Set fields and write the file; raises KeyError or ValueError on what is not declared.

        A folder that cannot be written leaves the old file: settings are a comfort and stop no work.
        """
        for name, value in values.items():
            if not self._fields[name].accepts(value):
                raise ValueError(f"{name} cannot be {value!r}")
        self._values.update(values)
        try:
            self._write()
        except OSError:
            return

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {
            name: found[name] for name, field in self._fields.items() if name in found and field.accepts(found[name])
        }

    def _write(self) -> None:
        text = json.dumps(self._values, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        handle, part = tempfile.mkstemp(prefix=".window-", suffix=".part", dir=self._path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(text.encode())
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(part, self._path)
        except OSError:
            Path(part).unlink(missing_ok=True)
            raise
