"""The second factor: six digits from an authenticator (RFC 6238), each code good once.

The secret is sealed under the account's data key, so it opens only after a right password. A code is good in its own
30 s and in the one before and after; what was used is remembered until it could not be used any more.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from compliance import store
from compliance.data_keys import open_for, seal_for
from compliance.errors import CodeAlreadySetUp, CodeNotSetUp, SecondFactorGone, WrongCode
from compliance.keys import HomeKeys

if TYPE_CHECKING:
    from compliance.account import Account

STEP_S: Final = 30
ISSUER: Final = "Signet"
_DIGITS = 6
_AROUND = 1


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the authenticator needs, once: the secret as text and as an otpauth:// link."""

    secret: str
    uri: str

    def as_text(self) -> str:
        """The link as a QR code of letters, for a terminal."""
        import io

        import segno

        out = io.StringIO()
        segno.make(self.uri, error="m").terminal(out, compact=True)
        return out.getvalue()

    def as_svg(self) -> str:
        """The link as a QR code, an SVG picture."""
        import segno

        return str(segno.make(self.uri, error="m").svg_inline(scale=4))


def _context(account_id: str) -> str:
    return f"account {account_id} totp"


def _sealed(connection: sa.Connection, account_id: str) -> bytes | None:
    table = store.account
    query = sa.select(table.c.totp_sealed).where(table.c.id == account_id)
    found: bytes | None = connection.execute(query).scalar()
    return found


def _secret(connection: sa.Connection, keys: HomeKeys, account_id: str) -> tuple[str, bool] | None:
    sealed = _sealed(connection, account_id)
    if sealed is None:
        return None
    value = open_for(connection, keys, account_id, sealed, _context(account_id))
    return str(value["secret"]), bool(value["confirmed"])


def is_asked_for(connection: sa.Connection, keys: HomeKeys, account_id: str) -> bool:
    """Whether the account signs in with a code as well: a secret is there and was confirmed."""
    found = _secret(connection, keys, account_id)
    return found is not None and found[1]


def has_secret(connection: sa.Connection, account_id: str) -> bool:
    """Whether a secret is there, confirmed or not; needs no keys."""
    return _sealed(connection, account_id) is not None


def has_factor(connection: sa.Connection, account_id: str) -> bool:
    """Whether a code was ever taken for the secret that is there: what is shown where the keys are locked.

    What is asked for at a sign-in depends on the sealed word alone; see is_asked_for.
    """
    used = sa.select(store.totp_used.c.step).where(store.totp_used.c.account_id == account_id)
    return has_secret(connection, account_id) and connection.execute(used.limit(1)).first() is not None


def enroll(connection: sa.Connection, keys: HomeKeys, account: Account) -> Enrolment:
    """Make a secret; it is asked for only after `confirm`. An unconfirmed one is replaced. Raises CodeAlreadySetUp."""
    import pyotp

    if is_asked_for(connection, keys, account.id):
        raise CodeAlreadySetUp(account=account.username)
    secret = pyotp.random_base32(32)
    _keep(connection, keys, account.id, secret, confirmed=False)
    return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=account.username, issuer_name=ISSUER))


def _keep(connection: sa.Connection, keys: HomeKeys, account_id: str, secret: str, *, confirmed: bool) -> str:
    value = {"secret": secret, "confirmed": confirmed}
    sealed = seal_for(connection, keys, account_id, value, _context(account_id))
    connection.execute(sa.update(store.account).where(store.account.c.id == account_id).values(totp_sealed=sealed))
    return hashlib.sha256(sealed).hexdigest()


def verify(connection: sa.Connection, keys: HomeKeys, account: Account, code: str, at: datetime) -> None:
    """Take a code, once; raises CodeNotSetUp, WrongCode (wrong, too early, too late, or used before)."""
    import pyotp

    found = _secret(connection, keys, account.id)
    if found is None:
        raise CodeNotSetUp(account=account.username)
    given = "".join(code.split())
    generator = pyotp.TOTP(found[0], digits=_DIGITS, interval=STEP_S)
    now_step = int(at.timestamp()) // STEP_S
    matching = [
        step
        for step in range(now_step - _AROUND, now_step + _AROUND + 1)
        if secrets.compare_digest(generator.at(step * STEP_S).encode(), given.encode())
    ]
    table = store.totp_used
    used = set(connection.execute(sa.select(table.c.step).where(table.c.account_id == account.id)).scalars())
    # An earlier code than the last one used is refused too: it may have been seen on its way. Steps far ahead were used
    # before the clock was set back; they stay used, and do not lock the account until their time comes again.
    last = max((step for step in used if step <= now_step + _AROUND), default=-1)
    fresh = [step for step in matching if step > last]
    if not fresh:
        raise WrongCode(account=account.username)
    past = (table.c.account_id == account.id) & (table.c.step < now_step - _AROUND)
    connection.execute(sa.delete(table).where(past))
    connection.execute(sa.insert(table).values(account_id=account.id, step=fresh[0]))


def verify_kept(connection: sa.Connection, keys: HomeKeys, account: Account, entered: str) -> None:
    """Raise SecondFactorGone unless the confirmed secret is there that the ledger tells of.

    entered: SHA-256 (hex) of the sealed secret as it was entered, "" where the entry does not say.
    """
    sealed = _sealed(connection, account.id)
    is_same = sealed is not None and (not entered or hashlib.sha256(sealed).hexdigest() == entered)
    if not is_same or not is_asked_for(connection, keys, account.id):
        raise SecondFactorGone(account=account.username)


def confirm(connection: sa.Connection, keys: HomeKeys, account: Account, code: str, at: datetime) -> str:
    """From now on the code is asked for; returns the SHA-256 (hex) of the sealed secret, for the ledger.

    Raises CodeNotSetUp, CodeAlreadySetUp, WrongCode.
    """
    found = _secret(connection, keys, account.id)
    if found is None:
        raise CodeNotSetUp(account=account.username)
    if found[1]:
        raise CodeAlreadySetUp(account=account.username)
    verify(connection, keys, account, code, at)
    return _keep(connection, keys, account.id, found[0], confirmed=True)


def remove(connection: sa.Connection, account_id: str) -> None:
    """Take the second factor away; no error where there is none."""
    connection.execute(sa.update(store.account).where(store.account.c.id == account_id).values(totp_sealed=None))
    connection.execute(sa.delete(store.totp_used).where(store.totp_used.c.account_id == account_id))
