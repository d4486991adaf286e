"""Review of texts: signed lists of phrases, and where a text holds one of them (DSP 10).

The law asks for a library of features with a standard of entry, rules and a procedure: each list says in itself who
keeps it, where it comes from, what may enter and why, and is signed by its owner (Ed25519 over RFC 8785 JSON).
A list that is damaged, unsigned or signed by a stranger stops the review; nothing is passed unseen.

The two shipped lists hold orders and offers, and no single words on purpose: hardly anyone's innocent sentence is in
them. Their private key was made for one signing and thrown away, so that nobody can extend them quietly: an operator
replaces them by own lists, signed with `sign_list`, and gives the own public key to `load_lists`; a new release of the
project ships lists and key together.

A phrase says what was written, not why: a warning against fraud may be found as well as the fraud. So all hits but the
hard stops are cases for a person to judge.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import ahocorasick
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from compliance.content import ContentHit
from compliance.errors import ContentBlocked, ReviewListDamaged, ReviewUnavailable
from compliance.review_text import Form, Text, forms

Severity = Literal["stop", "case"]
EntrySeverity = Severity | Literal["pass"]

LIST_KEY: Final = Ed25519PublicKey.from_public_bytes(
    bytes.fromhex("1873979ca99d07afa03aaa8f04530f1465b97fc0159d3277c58f8f5a7156a64b")
)
"""Checks the lists that are shipped."""

CATEGORIES: Final[Mapping[str, Severity]] = {
    "minors": "stop",
    "nonconsensual-sexual": "case",
    "fraud": "case",
    "threat": "case",
    "weapons": "case",
    "self-harm": "case",
}
"""What a list may be about, and the least that follows: a "stop" is never judged away, a "case" goes to a reviewer.

Where a case is the least, a list may also name a "pass": a harmless thing that holds such a phrase ("how to build a
bomb shelter"). It takes away the hits of its own list and category that share a letter with it, and nothing else.
"""

_FIELDS = {"id", "version", "language", "owner", "source", "entry_rule", "procedure", "entries", "signature"}
_ENTRY_FIELDS = {"rule", "text", "category", "severity"}
# Phrases of this many hanzi are also found by their sound; shorter ones sound like too much else.
_SPOKEN_HANZI = 4
_LEAST_LATIN, _LEAST_HANZI, _MOST_SIGNS = 5, 2, 80
_LIST_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase of a list in a text.

    severity: "stop" ends the work, "case" asks a reviewer. start, end: where in the original text, [start, end).
    matched: that part of the text as written. Never write it to a log: it is the user's text.
    """

    rule: str
    list_id: str
    list_version: str
    category: str
    severity: Severity
    start: int
    end: int
    matched: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One phrase of a list."""

    rule: str
    text: str
    category: str
    severity: EntrySeverity
    list_id: str
    list_version: str


@dataclass(frozen=True, slots=True)
class ListInfo:
    """What a list says of itself. entries: how many phrases."""

    id: str
    version: str
    language: str
    owner: str
    source: str
    entry_rule: str
    procedure: str
    entries: int


class ReviewLists:
    """Lists whose signatures were checked, ready to be looked for; made by load_lists alone."""

    def __init__(self, lists: Iterable[tuple[ListInfo, tuple[Entry, ...]]]) -> None:
        given = tuple(lists)
        self.info = tuple(info for info, _ in given)
        self.entries = tuple(entry for _, entries in given for entry in entries)
        said = [{**asdict(info), "entries": [asdict(entry) for entry in entries]} for info, entries in given]
        self.sha256 = hashlib.sha256(rfc8785.dumps(said)).hexdigest()
        """What records name the lists by: SHA-256 (hex) of all that they say."""
        wanted: dict[str, list[tuple[Entry, Form]]] = {}
        for entry in self.entries:
            for form in forms(entry.text, spoken=_hanzi(entry.text) >= _SPOKEN_HANZI):
                wanted.setdefault(form.letters, []).append((entry, form))
        self._automaton = ahocorasick.Automaton()
        for letters, found in wanted.items():
            self._automaton.add_word(letters, tuple(found))
        self._automaton.make_automaton()

    def find(self, text: str) -> tuple[Hit, ...]:
        """Every phrase in the text, each place once, in the order of the text; what a pass names is left out."""
        found: dict[tuple[int, int, str, str], Hit] = {}
        passed: list[tuple[int, int, str, str]] = []
        for reading in Text(text).readings():
            for last_run, candidates in self._automaton.iter(reading.letters):
                for entry, form in candidates:
                    span = reading.span(form, last_run)
                    if span is not None:
                        start, end = span
                        if entry.severity == "pass":
                            passed.append((start, end, entry.list_id, entry.category))
                            continue
                        place = (start, end, entry.list_id, entry.rule)
                        found[place] = Hit(
                            entry.rule,
                            entry.list_id,
                            entry.list_version,
                            entry.category,
                            entry.severity,
                            start,
                            end,
                            text[start:end],
                        )
        hits = (found[place] for place in sorted(found))
        return tuple(hit for hit in hits if not any(_is_within(hit, one) for one in passed))


def _is_within(hit: Hit, passed: tuple[int, int, str, str]) -> bool:
    """Whether a pass takes a hit away."""
    start, end, list_id, category = passed
    return (list_id, category) == (hit.list_id, hit.category) and start < hit.end and hit.start < end


def review_text(text: str, lists: ReviewLists) -> tuple[Hit, ...]:
    """Find the phrases of the lists in a text, however they are spelled.

    text: any string. Returns the hits in the order of the text; none when nothing was found. Raises nothing.
    """
    return lists.find(text)


def refuse_stops(hits: Iterable[Hit], place: str) -> tuple[ContentHit, ...]:
    """Raise ContentBlocked at the first hard stop; `place` says which text it was, never what stood there.

    Returns the other hits without their words: what a reviewer is asked about.
    """
    found = tuple(
        ContentHit(f"{hit.list_id}/{hit.rule}", hit.category, hit.severity, place, start=hit.start) for hit in hits
    )
    refuse_blocked(found)
    return found


def refuse_blocked(hits: Iterable[ContentHit]) -> None:
    """Raise ContentBlocked at the first hard stop."""
    for hit in hits:
        if hit.severity == "stop":
            raise ContentBlocked(
                rule=hit.rule, category=hit.category, place=hit.place, score=round(hit.score, 3), start=hit.start
            )


# --- lists on disk ---------------------------------------------------------------------------------------------------


def sign_list(unsigned: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """A list with its signature, as it is to be written to a file; raises ReviewListDamaged when it breaks a rule.

    unsigned: id, version, language, owner, source, entry_rule, procedure (all text) and entries: rule, text, category,
    severity. An old signature is replaced.
    """
    plain = {name: value for name, value in unsigned.items() if name != "signature"}
    _read_list(str(plain.get("id")), {**plain, "signature": {}})
    signature = base64.b64encode(key.sign(rfc8785.dumps(plain))).decode()
    return {**plain, "signature": {"algorithm": "Ed25519", "key": _key_id(key.public_key()), "value": signature}}


def load_lists(folder: Path, keys: Iterable[Ed25519PublicKey] = (LIST_KEY,)) -> ReviewLists:
    """Read all lists (*.json) of a folder whose signature one of the keys made.

    Raises ReviewListDamaged when one of them is unreadable, unsigned, signed by another key, against the rules or there
    twice; ReviewUnavailable when there is none at all.
    """
    trusted = {_key_id(key): key for key in keys}
    lists = [_read_list(path.name, _signed(path, trusted)) for path in sorted(folder.glob("*.json"))]
    if not lists:
        raise ReviewUnavailable(part="lists", reason="there is no list")
    ids = [info.id for info, _ in lists]
    for one in ids:
        if ids.count(one) > 1:
            raise ReviewListDamaged(list=one, reason="it is there twice")
    return ReviewLists(lists)


def shipped_lists() -> ReviewLists:
    """The lists that come with the program; see load_lists for what it raises."""
    import resources

    return load_lists(Path(str(resources.__file__)).parent / "review")


def _key_id(key: Ed25519PublicKey) -> str:
    return key.public_bytes_raw().hex()


def _signed(path: Path, trusted: Mapping[str, Ed25519PublicKey]) -> dict[str, Any]:
    """The list in a file, its signature checked."""

    def damaged(reason: str) -> ReviewListDamaged:
        return ReviewListDamaged(list=path.name, reason=reason)

    try:
        data = path.read_bytes()
        if len(data) > _LIST_LIMIT:
            raise damaged("it is too large")
        found = json.loads(data.decode(), object_pairs_hook=_without_repeats)
    except (OSError, ValueError, RecursionError) as error:
        raise damaged("it cannot be read") from error
    signature = found.get("signature") if isinstance(found, dict) else None
    if not isinstance(signature, dict) or signature.keys() != {"algorithm", "key", "value"}:
        raise damaged("it is not signed")
    key = trusted.get(str(signature["key"]))
    if key is None or signature["algorithm"] != "Ed25519":
        raise damaged("its signer is not known")
    try:
        value = base64.b64decode(str(signature["value"]), validate=True)
        key.verify(value, rfc8785.dumps({name: one for name, one in found.items() if name != "signature"}))
    except (InvalidSignature, binascii.Error, ValueError) as error:  # rfc8785's errors are ValueErrors
        raise damaged("its signature is wrong") from error
    return dict(found)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _read_list(name: str, data: Mapping[str, Any]) -> tuple[ListInfo, tuple[Entry, ...]]:
    """A list by its rules, whatever its signature."""

    def refuse(reason: str) -> ReviewListDamaged:
        return ReviewListDamaged(list=name, reason=reason)

    if data.keys() != _FIELDS or not isinstance(data["entries"], list) or not data["entries"]:
        raise refuse("it lacks a field or has one too many")
    told = [data[field] for field in sorted(_FIELDS - {"entries", "signature"})]
    if not all(isinstance(one, str) and one.strip() for one in told):
        raise refuse("a field is empty")
    entries = []
    for raw in data["entries"]:
        if (
            not isinstance(raw, dict)
            or raw.keys() != _ENTRY_FIELDS
            or not all(isinstance(v, str) for v in raw.values())
        ):
            raise refuse("an entry lacks a field or has one too many")
        entry = Entry(**raw, list_id=data["id"], list_version=data["version"])
        if entry.category not in CATEGORIES or entry.severity not in ("stop", "case", "pass"):
            raise refuse(f"entry {entry.rule} has an unknown category or severity")
        if CATEGORIES[entry.category] == "stop" and entry.severity != "stop":
            raise refuse(f"entry {entry.rule} may not be less than a stop")
        if not _is_long_enough(entry.text):
            raise refuse(f"entry {entry.rule} is too short or too long to be told from ordinary words")
        entries.append(entry)
    if len({entry.rule for entry in entries}) != len(entries):
        raise refuse("a rule is there twice")
    info = ListInfo(**{f: data[f] for f in _FIELDS - {"entries", "signature"}}, entries=len(entries))
    return info, tuple(entries)


def _hanzi(text: str) -> int:
    return sum("\u3400" <= sign < "\ua000" for sign in text)


def _is_long_enough(text: str) -> bool:
    try:
        written = forms(text, spoken=False)[0]
    except ValueError:
        return False
    enough = _LEAST_HANZI if _hanzi(text) else _LEAST_LATIN
    return len(text) <= _MOST_SIGNS and len(written.letters) >= enough
