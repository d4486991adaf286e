"""What works on this machine: the findings behind `signet doctor`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from compliance.errors import SignetError
from compliance.session_keys import SessionKeyring
from studio.runner import JobRunner
from studio.workshop import Finding

_SPARSE_BYTES = 500 << 20


def examine(
    home: Path,
    held: SessionKeyring | None,
    runner: JobRunner,
    verify_ledger: Callable[[], tuple[int, str]],
    free_bytes: int,
) -> list[Finding]:
    """Look at everything a release needs; changes nothing."""
    return [
        Finding("Python", "ok", ".".join(str(part) for part in sys.version_info[:3])),
        _space(home, free_bytes),
        _keyring(held),
        _ledger(verify_ledger),
        _credential(),
        _font(),
        _models(),
        _voices(),
        _compiler(),
        _worker(runner),
    ]


def _space(home: Path, free_bytes: int) -> Finding:
    state = "ok" if free_bytes >= _SPARSE_BYTES else "warn"
    return Finding("home", state, f"{home}, {free_bytes >> 20} MiB", "" if state == "ok" else "Free some disk space.")


def _keyring(held: SessionKeyring | None) -> Finding:
    if held is None:
        return Finding("keyring", "warn", "none: the password is asked for at each command", "Start a desktop keyring.")
    return Finding("keyring", "ok", held.name)


def _ledger(verify_ledger: Callable[[], tuple[int, str]]) -> Finding:
    try:
        entries, _root = verify_ledger()
    except SignetError as error:
        return Finding("ledger", "fail", str(error), error.next_step)
    return Finding("ledger", "ok", str(entries))


def _credential() -> Finding:
    try:
        import c2pa  # noqa: F401 - whether it loads is the question
    except (ImportError, OSError) as error:
        return Finding("credential", "fail", f"c2pa: {type(error).__name__}", "Run `packaging/setup` again.")
    return Finding("credential", "ok", "c2pa")


def _font() -> Finding:
    from compliance.labels.lettering import font

    try:
        font(32)
    except SignetError as error:
        return Finding("label font", "fail", str(error), error.next_step)
    return Finding("label font", "ok", "Noto Sans CJK SC")


def _models() -> Finding:
    # The digests are checked at every load; here the files are only asked for, since loading them takes OpenCV.
    import hashlib
    import json

    import resources

    folder = Path(resources.__file__).parent / "models"
    listed: dict[str, dict[str, str]] = json.loads((folder / "models.json").read_text(encoding="utf-8"))["files"]
    for name, item in listed.items():
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != item["sha256"]:
            return Finding("face models", "fail", name, "Run `packaging/setup` again.")
    return Finding("face models", "ok", ", ".join(listed))


def _voices() -> Finding:
    from studio.voices import voices

    found = voices()
    missing = [voice.id for voice in found if not voice.is_here]
    if missing:
        return Finding("built-in voices", "warn", f"missing: {', '.join(missing)}", "Run `packaging/setup` again.")
    return Finding("built-in voices", "ok", ", ".join(voice.id for voice in found))


def _compiler() -> Finding:
    # Inductor starts a C++ compiler or Triton's ptxas; a confined process can start neither, whatever is installed.
    return Finding("model compiler", "ok", "not used: the engine process starts no other programs")


def _worker(runner: JobRunner) -> Finding:
    try:
        held = runner.confinement
    except SignetError as error:
        return Finding("engine process", "fail", str(error), error.next_step)
    detail = f"Landlock {held.landlock}, seccomp {'on' if held.seccomp else 'off'}"
    if held.is_complete:
        return Finding("engine process", "ok", detail)
    return Finding("engine process", "warn", detail, "Use Linux 5.13 or newer; releases say “self-unconfined”.")
