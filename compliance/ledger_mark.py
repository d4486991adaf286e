"""A mark beside the database: how far the log of this home had come, so that an older copy put in its place is seen.

Whoever can exchange the database can exchange the mark too; it stops mistakes with backups and careless hands. Against
the rest stand the witnesses, and the proof in every released file (`ledger prove-extends`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from compliance.account import Account
from compliance.errors import LedgerRolledBack, SignetError
from compliance.ledger import Ledger
from compliance.storage import write_atomically

MARK_FILE: Final = "ledger-head.json"


def leave(home: Path, ledger: Ledger) -> None:
    """Mark how far the log has come. It is written after the database, so a crash leaves an older mark, which is true.

    A mark that cannot be written is no reason to take a finished release back.
    """
    try:
        size = ledger.size()
        known = _read(home)
        if known is None or known[0] < size:
            _write(home, size, ledger.root(size))
    except (SignetError, OSError):
        return


def verify(home: Path, ledger: Ledger) -> None:
    """Raise LedgerRolledBack when the log is shorter than it was, or another one."""
    known = _read(home)
    if known is None:
        return
    size = ledger.size()
    if size < known[0] or ledger.root(known[0]).hex() != known[1]:
        raise LedgerRolledBack(size=size, known=known[0])


def accept(home: Path, ledger: Ledger, account: Account, reason: str) -> int:
    """Go on with the older log, for good: it is entered who decided so and why. Returns the index of that entry."""
    known = _read(home)
    size = ledger.size()
    index = ledger.append_now(
        "rollback_accepted",
        {"account": account.id, "reason": reason, "size": size, "known": known[0] if known else size},
    )
    _write(home, ledger.size(), ledger.root())
    return index


def _write(home: Path, size: int, root: bytes) -> None:
    write_atomically(home / MARK_FILE, json.dumps({"size": size, "root": root.hex()}).encode())


def _read(home: Path) -> tuple[int, str] | None:
    """Size and root; None where there is no mark that can be read."""
    try:
        told = json.loads((home / MARK_FILE).read_bytes())
        return int(told["size"]), str(told["root"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
