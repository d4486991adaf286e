"""Certificates run out and keys are replaced: a home renews its own, and what it signed before stays its own.

The leaf, which signs releases, lives a year and is renewed in its last month by the next release. The root lives ten
years; it is replaced in its last year, or at once when somebody may have copied the keys. Each change is an entry of
the ledger, so that a certificate nobody ordered is seen.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from compliance.account import Account
from compliance.clock import now
from compliance.keys import HomeKeys, PublicKeys, open_keys, replace_certificates
from compliance.labels.credential import make_leaf, make_root
from compliance.ledger import Ledger
from compliance.store import Store

_LEAF_LEFT, _ROOT_LEFT = timedelta(days=30), timedelta(days=366)


def ends(public: PublicKeys) -> tuple[datetime, datetime]:
    """When the leaf and the root run out, UTC."""
    leaf, root = (x509.load_pem_x509_certificate(pem.encode()) for pem in (public.leaf_pem, public.root_pem))
    return leaf.not_valid_after_utc, root.not_valid_after_utc


def is_due(public: PublicKeys, moment: datetime | None = None) -> bool:
    """Whether the leaf has a month left or less, or is not valid yet because the clock once stood elsewhere."""
    moment = moment or now()
    leaf = x509.load_pem_x509_certificate(public.leaf_pem.encode())
    return not leaf.not_valid_before_utc <= moment < leaf.not_valid_after_utc - _LEAF_LEFT


def up_to_date(home: Path, rows: Store, ledger: Ledger, keys: HomeKeys) -> HomeKeys:
    """The keys with certificates that hold today: as they stand on disk, or renewed where those would not."""
    keys = open_keys(home, keys.home_key())
    if not is_due(keys.public):
        return keys
    return _renew(home, rows, ledger, keys, account_id="", new_root=False)


def renew(home: Path, rows: Store, ledger: Ledger, keys: HomeKeys, account: Account) -> HomeKeys:
    """Replace leaf and root now, whatever time they have left. The caller has checked that the account may."""
    return _renew(home, rows, ledger, keys, account_id=account.id, new_root=True)


def _renew(home: Path, rows: Store, ledger: Ledger, keys: HomeKeys, *, account_id: str, new_root: bool) -> HomeKeys:
    with rows.write() as connection:
        # Another process may have renewed them since these keys were opened.
        keys = open_keys(home, keys.home_key())
        if not new_root and not is_due(keys.public):
            return keys
        moment = now()
        old = x509.load_pem_x509_certificate(keys.public.root_pem.encode())
        name = _common_name(x509.load_pem_x509_certificate(keys.public.leaf_pem.encode()))
        root = None
        if new_root or not old.not_valid_before_utc <= moment < old.not_valid_after_utc - _ROOT_LEFT:
            root = make_root(_common_name(old))
        key, pem = root or (keys.root_key(), keys.public.root_pem.encode())
        fresh = replace_certificates(home, keys, leaf=make_leaf(key, pem, name), root=root)
        ledger.append(
            connection,
            "certificate_renewed",
            {
                "account": account_id,
                "leaf_sha256": _digest(fresh.public.leaf_pem),
                "root_sha256": _digest(fresh.public.root_pem),
                "former_root_sha256": _digest(keys.public.root_pem) if root else "",
            },
        )
    return fresh


def _common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _digest(pem: str) -> str:
    return hashlib.sha256(pem.encode()).hexdigest()
