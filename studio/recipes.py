"""How releases were made, and presets: sealed under the home's key, each read by the account that kept it alone.

Words of a prompt may tell of somebody's life: they stand in no ledger and never in plain text on the disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from compliance.account import Account
from compliance.errors import DiskError, KeysDamaged, OptionUnfit
from compliance.keys import HomeKeys
from compliance.storage import write_atomically
from engines.engine import Request

FOLDER: Final = "recipes"
LONGEST_NAME: Final = 80
MOST_PRESETS: Final = 200
_LARGEST_BYTES: Final = 1 << 20

Open = Callable[[], tuple[Account, HomeKeys]]
"""Who is signed in, with the keys; raises NotSignedIn, SessionLocked."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What makes one and the same result again: JSON values only. inputs: names of the files that went in."""

    engine: str
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    inputs: tuple[str, ...] = ()

    @classmethod
    def of(cls, request: Request) -> Recipe:
        """The recipe of a request."""
        names = tuple(item.name for item in request.inputs if item.role != "mask")
        return cls(request.engine, dict(request.options), request.seed, names)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "engine": self.engine,
            "options": dict(self.options),
            "seed": self.seed,
            "inputs": list(self.inputs),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recipe:
        """Read what to_json wrote; raises KeyError, TypeError, ValueError on anything else."""
        inputs = tuple(str(name) for name in data["inputs"])
        return cls(str(data["engine"]), dict(data["options"]), int(data["seed"]), inputs)


class Recipes:
    """The recipes and presets of one home."""

    def __init__(self, home: Path, opened: Open) -> None:
        self._folder = home / FOLDER
        self._opened = opened

    def keep(self, release_id: str, request: Request) -> bool:
        """Keep how a release was made; False where the disk refuses: the release stands all the same."""
        account, keys = self._opened()
        try:
            self._write(f"release {account.id} {release_id}", Recipe.of(request).to_json(), keys)
        except DiskError:
            return False
        return True

    def of_release(self, release_id: str) -> Recipe | None:
        """How a release was made; None when it was not kept, or by another account."""
        account, keys = self._opened()
        try:
            return Recipe.from_json(self._read(f"release {account.id} {release_id}", keys))
        except (KeyError, TypeError, ValueError):
            return None

    def presets(self, engine: str) -> dict[str, Recipe]:
        """Own presets of an engine by name, in the order of their names."""
        account, keys = self._opened()
        found = self._read(f"presets {account.id} {engine}", keys)
        made: dict[str, Recipe] = {}
        for name in sorted(found):
            try:
                made[name] = Recipe.from_json(found[name])
            except (KeyError, TypeError, ValueError):
                continue
        return made

    def save_preset(self, name: str, recipe: Recipe) -> None:
        """Keep a set of options under a name; one of that name is replaced. Raises OptionUnfit, DiskError."""
        name = _verified(name)
        presets = self.presets(recipe.engine)
        if name not in presets and len(presets) >= MOST_PRESETS:
            raise OptionUnfit(option="preset", value=name, allowed=f"0 – {MOST_PRESETS}")
        self._write_presets(recipe.engine, {**presets, name: recipe})

    def rename_preset(self, engine: str, name: str, new: str) -> None:
        """Give a preset another name; raises OptionUnfit for a name that is taken or unknown."""
        new = _verified(new)
        presets = self.presets(engine)
        if name not in presets or (new in presets and new != name):
            raise OptionUnfit(option="preset", value=new if name in presets else name, allowed=", ".join(presets))
        self._write_presets(engine, {new if one == name else one: recipe for one, recipe in presets.items()})

    def delete_preset(self, engine: str, name: str) -> None:
        """Forget a preset; one that is not there is no error."""
        presets = self.presets(engine)
        presets.pop(name, None)
        self._write_presets(engine, presets)

    def _write_presets(self, engine: str, presets: Mapping[str, Recipe]) -> None:
        account, keys = self._opened()
        self._write(f"presets {account.id} {engine}", {name: one.to_json() for name, one in presets.items()}, keys)

    def _path(self, context: str) -> Path:
        # A digest for a name: neither accounts nor engines can be read off the folder.
        return self._folder / f"{hashlib.sha256(context.encode()).hexdigest()[:32]}.sealed"

    def _write(self, context: str, value: dict[str, Any], keys: HomeKeys) -> None:
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
        except OSError:
            pass  # the write below says what is wrong with the folder
        write_atomically(self._path(context), keys.seal_personal(value, f"recipes {context}"))

    def _read(self, context: str, keys: HomeKeys) -> dict[str, Any]:
        """What was kept; nothing where there is no file, or one that was bent: a comfort stops no work."""
        try:
            path = self._path(context)
            if path.stat().st_size > _LARGEST_BYTES:
                return {}
            return keys.open_personal(path.read_bytes(), f"recipes {context}")
        except (OSError, KeysDamaged):
            return {}


def _verified(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise OptionUnfit(option="preset", value=name[:LONGEST_NAME], allowed=f"1 – {LONGEST_NAME}")
    return name
