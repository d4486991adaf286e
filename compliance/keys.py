"""The keys of a home: one random home key, wrapped once per account by argon2id, and what is sealed under it.

File `keys.json` (0600) holds nothing in the clear but public halves. Each account has a slot: its password opens the
slot and thereby the home key, so a right password and an opened slot are one and the same check. Under the home key
lie the signing keys of the ledger and of the credential (AES-256-GCM, the name of the key as associated data).
"""

from __future__ import annotations

import base64
import functools
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from compliance.errors import KeysDamaged, WrongPassword
from compliance.storage import refuse_exhausted, write_atomically

KEYS_FILE = "keys.json"
# How long one password shall take on the machine that tries it, and what is aimed at between the two.
SLOWEST_MS, FASTEST_MS, _AIM_MS = 750, 250, 450
# Above this a slot is no slot of ours but an attempt to occupy the machine.
_MOST_KIB, _MOST_PASSES, _MOST_LANES = 1 << 20, 256, 16


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _seal(key: bytes, plaintext: bytes, context: str) -> bytes:
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, context.encode())


def _open(key: bytes, sealed: bytes, context: str) -> bytes:
    return AESGCM(key).decrypt(sealed[:12], sealed[12:], context.encode())


@dataclass(frozen=True, slots=True)
class Cost:
    """What argon2id is to spend on one password; stands in the slot, so that it can grow with the machines."""

    memory_kib: int
    passes: int
    lanes: int

    def work(self) -> int:
        """Memory written, KiB: what an attacker pays, whatever the lanes."""
        return self.memory_kib * self.passes

    def is_plausible(self) -> bool:
        """Neither below OWASP's floor, so that nobody weakens a slot by editing it, nor beyond any machine."""
        return (
            FLOOR.memory_kib <= self.memory_kib <= _MOST_KIB
            and FLOOR.passes <= self.passes <= _MOST_PASSES
            and FLOOR.lanes <= self.lanes <= _MOST_LANES
        )


FLOOR = Cost(19456, 2, 1)
"""OWASP's Password Storage Cheat Sheet, second choice: 19 MiB, 2 passes, 1 lane."""
# RFC 9106, second recommended profile, and what is left of it on machines that are too slow for it.
_STEPS = (Cost(65536, 3, 4), Cost(65536, 2, 4), Cost(32768, 2, 2), FLOOR)


def _derive(password: str, salt: bytes, cost: Cost) -> bytes:
    from argon2.low_level import Type, hash_secret_raw

    return hash_secret_raw(password.encode(), salt, cost.passes, cost.memory_kib, cost.lanes, 32, Type.ID)


def _measure_ms(cost: Cost) -> float:
    began = time.perf_counter()
    _derive("calibration", b"0" * 16, cost)
    return (time.perf_counter() - began) * 1000


def calibrated(measure_ms: Callable[[Cost], float] = _measure_ms) -> Cost:
    """The cost that takes 250 to 750 ms here; less only where OWASP's floor itself takes longer.

    Passes grow on fast machines (time is linear in them); memory shrinks on slow ones, down to the floor.
    """
    for cost in _STEPS:
        took_ms = measure_ms(cost)
        if took_ms < FASTEST_MS:
            passes = round(cost.passes * _AIM_MS / max(took_ms, 1.0))
            return replace(cost, passes=min(max(passes, cost.passes), _MOST_PASSES))
        if took_ms <= SLOWEST_MS:
            return cost
    return FLOOR


@functools.cache
def choose_cost() -> Cost:
    """The cost for a new slot: measured once a process."""
    return calibrated()


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """What a verifier may know of a home: the ledger's key line and the root and leaf certificates (PEM).

    lists_refuted: whether the home has had its public list of refuted releases from the beginning, so that a missing
    one was taken away.
    former_roots: roots that signed before this one; what they signed stays the home's own.
    """

    ledger_vkey: str
    root_pem: str
    leaf_pem: str
    former_roots: tuple[str, ...] = ()
    lists_refuted: bool = False

    def roots(self) -> list[bytes]:
        """Every root whose credentials are this home's, PEM, the present one first."""
        return [pem.encode() for pem in (self.root_pem, *self.former_roots)]


class HomeKeys:
    """The opened keys of a home, in memory only."""

    def __init__(self, home_key: bytes, sealed: dict[str, bytes], public: PublicKeys) -> None:
        self._home_key = home_key
        self._sealed = sealed
        self.public = public

    def _derived(self, purpose: str) -> bytes:
        return HKDF(hashes.SHA256(), 32, None, f"signet {purpose}".encode()).derive(self._home_key)

    def ledger_key(self) -> Ed25519PrivateKey:
        """The key that signs checkpoints."""
        return Ed25519PrivateKey.from_private_bytes(_open(self._home_key, self._sealed["ledger"], "ledger"))

    def leaf_key(self) -> EllipticCurvePrivateKey:
        """The P-256 key that signs credentials."""
        try:
            key = serialization.load_der_private_key(_open(self._home_key, self._sealed["leaf"], "leaf"), None)
        except (InvalidTag, KeyError, ValueError) as error:
            raise KeysDamaged(path=KEYS_FILE) from error
        assert isinstance(key, EllipticCurvePrivateKey)
        return key

    def root_key(self) -> EllipticCurvePrivateKey:
        """The P-256 key that signs certificates of leaves; raises KeysDamaged."""
        try:
            key = serialization.load_der_private_key(_open(self._home_key, self._sealed["root"], "root"), None)
        except (InvalidTag, KeyError, ValueError) as error:
            raise KeysDamaged(path=KEYS_FILE) from error
        assert isinstance(key, EllipticCurvePrivateKey)
        return key

    def chain_pem(self) -> bytes:
        """Leaf, then root, as PEM."""
        return (self.public.leaf_pem + self.public.root_pem).encode()

    def seal_personal(self, value: dict[str, Any], context: str) -> bytes:
        """AES-256-GCM over JSON; context (table and row id) is authenticated, so rows cannot be swapped."""
        return _seal(self._derived("personal"), json.dumps(value).encode(), context)

    def open_personal(self, sealed: bytes, context: str) -> dict[str, Any]:
        """Inverse of seal_personal; raises KeysDamaged when the row was touched."""
        try:
            opened = json.loads(_open(self._derived("personal"), sealed, context))
            if not isinstance(opened, dict):
                raise ValueError("no object")
        except (InvalidTag, ValueError, TypeError) as error:
            raise KeysDamaged(path=context) from error
        return opened

    def wrap_key(self, key: bytes, context: str) -> bytes:
        """Seal a data key; context (whose key it is) is authenticated, so that keys cannot be swapped."""
        return _seal(self._derived("data keys"), key, f"data key {context}")

    def unwrap_key(self, wrapped: bytes, context: str) -> bytes:
        """Inverse of wrap_key; raises KeysDamaged when the row was touched."""
        try:
            return _open(self._derived("data keys"), wrapped, f"data key {context}")
        except (InvalidTag, ValueError) as error:
            raise KeysDamaged(path=context) from error

    def vault_key(self) -> bytes:
        """32 bytes for sealed blobs."""
        return self._derived("vault")

    def commitment(self, text: str) -> str:
        """HMAC-SHA-256 (hex) of a text under the home's pepper: equal texts are found again, nothing can be read."""
        mac = hmac.HMAC(self._derived("pepper"), hashes.SHA256())
        mac.update(text.encode())
        return mac.finalize().hex()

    def home_key(self) -> bytes:
        """The raw home key, for the session keyring and for new slots."""
        return self._home_key


@dataclass(frozen=True, slots=True)
class Slot:
    """One account's way to the home key: ready to be written, without the password."""

    account_id: str
    content: Mapping[str, Any]


def make_slot(keys: HomeKeys, account_id: str, password: str, cost: Cost | None = None) -> Slot:
    """Wrap the home key for one account; takes as long as the cost says and writes nothing."""
    return _slot(account_id, password, keys.home_key(), cost or choose_cost())


def _slot(account_id: str, password: str, home_key: bytes, cost: Cost) -> Slot:
    salt = secrets.token_bytes(16)
    content = {
        "kdf": "argon2id",
        "memory_kib": cost.memory_kib,
        "passes": cost.passes,
        "lanes": cost.lanes,
        "salt": _b64(salt),
        "wrapped": _b64(_seal(_derive(password, salt, cost), home_key, f"slot {account_id}")),
    }
    return Slot(account_id, content)


def _read(home: Path) -> dict[str, Any]:
    path = home / KEYS_FILE
    try:
        content = json.loads(path.read_bytes())
        if content["version"] != 1:
            raise ValueError("version")
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, OSError):
            refuse_exhausted(error)
        raise KeysDamaged(path=path) from error
    return dict(content)


def has_keys(home: Path) -> bool:
    """Whether the home has a key file."""
    return (home / KEYS_FILE).exists()


def create_keys(home: Path, home_id: str, account_id: str, password: str) -> HomeKeys:
    """Make all keys of a new home and the slot of its first account."""
    from compliance.labels.credential import make_leaf, make_root
    from compliance.proof import vkey

    home_key = secrets.token_bytes(32)
    ledger = Ed25519PrivateKey.generate()
    root_key, root_pem = make_root(f"Signet home {home_id} root")
    leaf_key, leaf_pem = make_leaf(root_key, root_pem, f"Signet home {home_id}")
    plain = {"ledger": ledger.private_bytes_raw(), "root": _der(root_key), "leaf": _der(leaf_key)}
    content = {
        "version": 1,
        "slots": {account_id: dict(_slot(account_id, password, home_key, choose_cost()).content)},
        "sealed": {name: _b64(_seal(home_key, value, name)) for name, value in plain.items()},
        "public": {
            "ledger_vkey": vkey(f"signet.local/{home_id}", ledger.public_key()),
            "root_pem": root_pem.decode(),
            "leaf_pem": leaf_pem.decode(),
            "lists_refuted": True,
        },
    }
    write_atomically(home / KEYS_FILE, json.dumps(content, indent=1).encode())
    return open_keys(home, home_key)


def _der(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def replace_certificates(
    home: Path,
    keys: HomeKeys,
    *,
    leaf: tuple[EllipticCurvePrivateKey, bytes],
    root: tuple[EllipticCurvePrivateKey, bytes] | None = None,
) -> HomeKeys:
    """Put a new leaf, and with it a new root, in place of the old ones; each is its key and its certificate (PEM).

    The old root stays known as a former one; its key is forgotten. The caller holds the store's writing place.
    """
    content = _read(home)
    fresh = {"leaf": leaf, **({"root": root} if root else {})}
    if root:
        content["public"]["former_roots"] = [content["public"]["root_pem"], *content["public"].get("former_roots", ())]
    for name, (key, pem) in fresh.items():
        content["sealed"][name] = _b64(_seal(keys.home_key(), _der(key), name))
        content["public"][f"{name}_pem"] = pem.decode()
    write_atomically(home / KEYS_FILE, json.dumps(content, indent=1).encode())
    return open_keys(home, keys.home_key())


def _public(content: Mapping[str, Any]) -> PublicKeys:
    """Raises KeyError, TypeError."""
    fields = dict(content["public"])
    return PublicKeys(**{**fields, "former_roots": tuple(fields.get("former_roots", ()))})


def open_keys(home: Path, home_key: bytes) -> HomeKeys:
    """The keys under a home key that is already known; raises KeysDamaged when it does not fit."""
    content = _read(home)
    try:
        sealed = {name: base64.b64decode(value) for name, value in content["sealed"].items()}
        public = _public(content)
        _open(home_key, sealed["ledger"], "ledger")
    except (InvalidTag, KeyError, TypeError, ValueError) as error:
        raise KeysDamaged(path=home / KEYS_FILE) from error
    return HomeKeys(home_key, sealed, public)


def unlock(home: Path, account_id: str, username: str, password: str) -> HomeKeys:
    """Open the slot of one account; raises WrongPassword, KeysDamaged."""
    try:
        slot = _read(home)["slots"][account_id]
        cost = _cost(slot)
        salt, wrapped = base64.b64decode(slot["salt"]), base64.b64decode(slot["wrapped"])
        wrapping = _derive(password, salt, cost)
    except (KeyError, TypeError, ValueError) as error:
        raise KeysDamaged(path=home / KEYS_FILE) from error
    try:
        home_key = _open(wrapping, wrapped, f"slot {account_id}")
    except InvalidTag as error:
        raise WrongPassword(account=username) from error
    return open_keys(home, home_key)


def _cost(slot: Mapping[str, Any]) -> Cost:
    """The cost that a slot names; raises KeyError, TypeError, ValueError where it cannot be ours."""
    cost = Cost(int(slot["memory_kib"]), int(slot["passes"]), int(slot["lanes"]))
    if slot["kdf"] != "argon2id" or not cost.is_plausible():
        raise ValueError("weak slot")
    return cost


def slot_cost(home: Path, account_id: str) -> Cost:
    """What the slot of an account costs to try; raises KeysDamaged."""
    try:
        return _cost(_read(home)["slots"][account_id])
    except (KeyError, TypeError, ValueError) as error:
        raise KeysDamaged(path=home / KEYS_FILE) from error


def put_slot(home: Path, slot: Slot) -> None:
    """Write a slot in place of the account's old one.

    The caller holds the store's writing place, so that two processes cannot lose each other's slots.
    """
    content = _read(home)
    content["slots"][slot.account_id] = dict(slot.content)
    write_atomically(home / KEYS_FILE, json.dumps(content, indent=1).encode())


def add_slot(home: Path, keys: HomeKeys, account_id: str, password: str) -> None:
    """Let another account open the home; the caller holds the opened keys and the store's writing place."""
    put_slot(home, make_slot(keys, account_id, password))


def drop_slot(home: Path, account_id: str) -> None:
    """Take an account's way to the home key away; the caller holds the store's writing place."""
    content = _read(home)
    if content["slots"].pop(account_id, None) is not None:
        write_atomically(home / KEYS_FILE, json.dumps(content, indent=1).encode())


def public_keys(home: Path) -> PublicKeys | None:
    """The public halves of a home, readable by everybody who can read the home; None when there is none."""
    try:
        return _public(_read(home))
    except (KeysDamaged, TypeError, KeyError):
        return None


def waste_time(home: Path, password: str) -> None:
    """Spend what the dearest slot of the home costs, so that an unknown name takes as long as a wrong password."""
    costs = []
    try:
        for slot in _read(home)["slots"].values():
            costs.append(_cost(slot))
    except (KeysDamaged, KeyError, TypeError, ValueError, AttributeError):
        pass
    _derive(password, os.urandom(16), max(costs, key=Cost.work, default=FLOOR))
