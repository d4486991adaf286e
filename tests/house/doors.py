"""Which file may use which way out, and why. A line that is not used any more fails as well: take it away."""

from __future__ import annotations

_FOLDER = "opens folders to make a rename or link in them durable"
_NAMES = "looks up a constant of Qt by its name"

DOORS: dict[str, dict[str, str]] = {
    "compliance/draft.py": {"unseal": "draws the labels: the one reader of sealed media"},
    "compliance/encode.py": {
        "save": "the only encoder: into memory",
        "os.write": "the only media writer: into the draft's descriptor",
    },
    "compliance/media.py": {"_SyntheticMedia__": "defines the seal and its one opener"},
    "compliance/release.py": {
        "os.link": "the one way out: the finished file appears under its name",
        "os.open": "opens the draft's file, re-reads it, syncs the folder",
        "os.replace": "the one way out where --overwrite was asked for",
        "os.write": "writes the signed bytes beside the target",
    },
    "compliance/session_keys.py": {"import ctypes": "system calls of the kernel's keyring: a key, never media"},
    "compliance/storage.py": {
        "os.open": "own records of a home: bytes of JSON, never media",
        "os.replace": "own records appear as a whole",
        "os.write": "own records of a home",
    },
    "engines/engine.py": {"import importlib": "loads an engine when it is asked for, from a fixed table"},
    "studio/settings.py": {
        "import tempfile": "settings are written beside their file first",
        "os.fdopen": "writes the settings as text",
        "os.replace": "settings appear as a whole",
    },
}
