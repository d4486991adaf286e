"""Logkeeping: checkpoints, witnesses, what old files prove, and pruning, as window and command line ask for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from compliance import certificates, cosignature, ledger_mark, retention, store
from compliance.account import Accounts
from compliance.clock import stamp
from compliance.cosignature import Cosignature, Extension
from compliance.errors import UnknownRecord
from compliance.keys import HomeKeys, public_keys
from compliance.ledger import Ledger
from compliance.proof import parse_vkey, read_note
from compliance.retention import PrunePlan
from compliance.roles import Action
from compliance.storage import write_atomically
from compliance.witness import read_text


class Logkeeping:
    """What keeps the log of a home honest before others; made by the workshop. keys: the opened keys, or None."""

    def __init__(
        self,
        home: Path,
        rows: store.Store,
        ledger: Ledger,
        accounts: Accounts,
        keys: Callable[[], HomeKeys | None],
    ) -> None:
        self._home, self._rows, self._ledger, self._accounts, self._keys = home, rows, ledger, accounts, keys

    def due_checkpoint(self) -> None:
        """Sign the log when it is time and the keys are open; nothing otherwise."""
        keys = self._keys()
        if keys is not None:
            ledger = self._signing(keys)
            if ledger.due_checkpoint() is not None:
                ledger_mark.leave(self._home, ledger)

    def checkpoint(self, out: Path | None = None) -> str:
        """Sign the log as it is; returns the note with all cosignatures, and writes it. Raises SessionLocked."""
        session = self._accounts.require_for(Action.READ_LEDGER)
        note = self._signing(session.require_keys()).checkpoint()
        text = cosignature.checkpoint_text(self._rows, read_note(note).size)
        if out is not None:
            write_atomically(out, text.encode())
        return text

    def consistency(self, old_size: int, out: Path) -> int:
        """Write what a witness that stands at old_size needs; returns the number of entries it will see."""
        self._accounts.require_for(Action.READ_LEDGER)
        made = cosignature.submission(self._rows, self._ledger, old_size)
        write_atomically(out, made.to_text().encode())
        return read_note(made.note).size

    def log_key(self) -> str:
        """The verifier key of this log, which a witness is told once. Raises UnknownRecord in a home without keys."""
        keys = public_keys(self._home)
        if keys is None:
            raise UnknownRecord(kind="ledger entry", id=0)
        return keys.ledger_vkey

    def add_witness(self, vkey: str) -> str:
        """Make a witness known; an auditor does."""
        return cosignature.add_witness(
            self._rows, self._ledger, self._accounts.require_for(Action.COSIGN_LEDGER).account, vkey
        )

    def witnesses(self) -> dict[str, str]:
        """The known witnesses: verifier key by name."""
        return cosignature.witnesses(self._rows)

    def add_cosignatures(self, path: Path) -> list[Cosignature]:
        """Keep what a witness signed."""
        self._accounts.require()
        return cosignature.add_cosignatures(self._rows, self._ledger, read_text(path))

    def prove_extends(self, path: Path) -> Extension:
        """Show that today's log extends the one a file saw. Works signed out; see cosignature.prove_extends."""
        keys = public_keys(self._home)
        if keys is None:
            raise UnknownRecord(kind="ledger entry", id=0)
        key = parse_vkey(keys.ledger_vkey)[1]
        checked = Ledger(self._rows, self._ledger.origin, None, key)
        return cosignature.prove_extends(checked, key, path, cosignature.seen_by(path))

    def propose_prune(self, before: date) -> tuple[int, PrunePlan]:
        """Propose that payloads older than a day go; an auditor does."""
        session = self._accounts.require_for(Action.COSIGN_LEDGER)
        return retention.propose_prune(self._rows, self._ledger, session.account, before)

    def confirm_prune(self, proposal: int) -> PrunePlan:
        """Carry a proposal out; a consent officer does, with the password given lately."""
        session = self._accounts.require_for(Action.PRUNE)
        return retention.confirm_prune(self._rows, self._ledger, session.account, proposal)

    def accept_rollback(self, reason: str) -> int:
        """Go on with an older copy of the log; an admin does. Returns the index of the entry that says so."""
        session = self._accounts.require_for(Action.ACCEPT_ROLLBACK)
        keys = session.require_keys()
        return ledger_mark.accept(self._home, self._signing(keys), session.account, reason)

    def renew_certificate(self) -> tuple[str, str]:
        """Replace the certificates that sign releases; an admin does. Returns when the new leaf and root run out.

        What was signed before stays this home's own.
        """
        session = self._accounts.require_for(Action.RENEW_CERTIFICATE)
        keys = session.require_keys()
        fresh = certificates.renew(self._home, self._rows, self._ledger, keys, session.account)
        leaf, root = certificates.ends(fresh.public)
        return stamp(leaf), stamp(root)

    def _signing(self, keys: HomeKeys) -> Ledger:
        return Ledger(self._rows, self._ledger.origin, keys.ledger_key())
