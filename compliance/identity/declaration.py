"""Level "self": the operator's own declaration of name and number. It proves nothing about anybody else."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from compliance.errors import DeclarationRefused, NumberInvalid
from compliance.identity.proofs import Established, IdentityProof, Level, establish, may_declare
from compliance.keys import HomeKeys
from compliance.numbers import check_credit_code, check_resident_id
from compliance.store import Store

if TYPE_CHECKING:
    from compliance.account import Account
    from compliance.ledger import Ledger

NumberKind = Literal["resident", "credit"]
_LOOKS_RESIDENT: Final = re.compile(r"[0-9]{17}[0-9X]")


def pepper(keys: HomeKeys) -> bytes:
    """The secret of the home under which numbers are committed to, 32 bytes."""
    return bytes.fromhex(keys.commitment("pepper of numbers"))


def commit_number(keys: HomeKeys, number: str) -> tuple[NumberKind, str]:
    """Check a resident's number or a unified social credit code; (which it is, its commitment in hex).

    The number is dropped here. Eighteen digits may look like either: the checksum decides. Raises NumberInvalid,
    without the number.
    """
    found = _read(keys, number)
    del number
    if isinstance(found, NumberInvalid):
        # Raised anew, so that no frame that held the number hangs on it.
        raise NumberInvalid(**found.data)
    return found


def _read(keys: HomeKeys, number: str) -> tuple[NumberKind, str] | NumberInvalid:
    try:
        mark = check_resident_id(number, pepper=pepper(keys)).commitment
        assert mark is not None
        return "resident", mark.hex()
    except NumberInvalid as error:
        first = error
    try:
        code = check_credit_code(number)
        return "credit", hmac.digest(pepper(keys), code.encode(), hashlib.sha256).hex()
    except NumberInvalid as error:
        looks_resident = _LOOKS_RESIDENT.fullmatch(unicodedata.normalize("NFKC", number).strip().upper())
        return NumberInvalid(**(first if looks_resident else error).data)


@dataclass(frozen=True, slots=True, repr=False)
class Declaration:
    """A name, and a number that was checked and dropped already: see `of`."""

    name: str
    number: tuple[NumberKind, str] | None = None
    level: Level = "self"
    method: str = "declaration"

    @classmethod
    def of(cls, keys: HomeKeys, name: str, number: str | None = None) -> Declaration:
        """Check the number at once, so that it lives no longer than this call. Raises NumberInvalid."""
        checked = commit_number(keys, number) if number is not None else None
        del number
        return cls(name, checked)

    def verify(self, keys: HomeKeys) -> Established:
        """The declaration as it was made; a declared name is nobody's alone, a number is."""
        kind, subject = self.number if self.number is not None else (None, None)
        return Established(self.name, subject, {"number": kind or "none"})


def declare(
    rows: Store,
    ledger: Ledger,
    keys: HomeKeys,
    account: Account,
    name: str,
    number: str | None = None,
    at: datetime | None = None,
) -> IdentityProof:
    """Record the operator's own declaration: the name is sealed for the account, the number checked and dropped.

    Raises DeclarationRefused (the account is no admin's and not the only one), AccountNameInvalid, NumberInvalid,
    IdentityTaken.
    """
    with rows.read() as connection:
        if not may_declare(connection, account.id):
            raise DeclarationRefused(account=account.username)
    declaration = Declaration.of(keys, name, number)
    del number
    return establish(rows, ledger, keys, account, declaration, at)
