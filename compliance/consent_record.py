"""The document of a consent: closed lists, terms, and the record that is hashed into the ledger."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import rfc8785

from compliance.errors import GuardianMissing, NonceInvalid, PurposeUnknown, ScopeUnclear
from compliance.evidence import Evidence
from compliance.notice import Notice

SCHEMA = "signet.consent/2"
PURPOSES = ("private", "film", "advertising", "education", "research", "satire")
FORBIDDEN = ("political", "sexual", "endorsement", "testimony", "minors")
"""Uses that a person forbids or allows one by one; a request declares which of them it is. Unsaid means forbidden."""
AGES = ("adult", "14-17", "under 14")
ALWAYS_FORBIDDEN_TO_MINORS = FORBIDDEN
WORLDWIDE = "worldwide"
NOT_STATED = "not stated"
RETENTION_YEARS = 3
_TERRITORY = re.compile(r"[A-Z]{2}")
_NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})
"""Two-letter codes of the list that name a union, a test or nothing."""
_PROJECT = re.compile(r"[\w.\- ]{1,60}")
# Crockford's base 32: no letters that look like numbers; 80 random bits cannot be guessed.
_CODE_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Biometric:
    """How a match by template was made: which model, at which threshold, how well, over how many templates."""

    model: str
    model_sha256: str
    threshold: float
    score: float
    templates: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What a consent says beyond person, likeness, purposes, file and days. The defaults are the narrowest or unsaid.

    allowed_uses: words of FORBIDDEN that the person allows after all. territories: country codes, none for anywhere.
    projects: none for any. max_outputs: releases, None for no limit. age: a word of AGES, None where nobody asked.
    recipients: names of those who get results; they are sealed. match: None binds the grant to the exact file.
    """

    allowed_uses: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    max_outputs: int | None = None
    recipients: tuple[str, ...] = ()
    age: str | None = None
    guardian_id: str | None = None
    relation: str | None = None
    notice: Notice | None = None
    notice_shown_at: str | None = None
    evidence: tuple[Evidence, ...] = ()
    passphrase_commitment: str | None = None
    match: Biometric | None = None
    witness: str | None = None
    supersedes: str | None = None
    language: str = "en"
    jurisdiction: str = "CN"

    def with_file(self, sha256: str | None) -> Terms:
        """The same, with a plain file as evidence where none is named."""
        if sha256 is None or self.evidence:
            return self
        return replace(self, evidence=(Evidence("file", sha256),))

    def verify(self, subject_id: str) -> None:
        """Raise ScopeUnclear or GuardianMissing unless every word is of its list and the age branch is complete."""
        for use in self.allowed_uses:
            if use not in FORBIDDEN:
                raise ScopeUnclear(kind="use", value=use, allowed=", ".join(FORBIDDEN))
        for territory in self.territories:
            if not _is_country(territory):
                raise ScopeUnclear(kind="territory", value=territory, allowed="CN, HK, JP, DE, US …")
        for project in self.projects:
            if not _PROJECT.fullmatch(project):
                raise ScopeUnclear(kind="project", value=project, allowed="1–60 × A–Z a–z 0–9 . - _")
        if self.max_outputs is not None and not 1 <= self.max_outputs <= 1_000_000:
            raise ScopeUnclear(kind="number of releases", value=self.max_outputs, allowed="1–1000000")
        if self.age is not None and self.age not in AGES:
            raise ScopeUnclear(kind="age", value=self.age, allowed=", ".join(AGES))
        for item in self.evidence:
            if item.is_live and (item.phrase is None or item.kind not in ("video", "audio")):
                raise NonceInvalid(reason="a live recording is a film or a sound with a fresh phrase")
        if self.age == "under 14" and self.guardian_id is None:
            raise GuardianMissing(reason="no guardian is named")
        if self.guardian_id == subject_id:
            raise GuardianMissing(reason="nobody is their own guardian")

    def forbidden(self) -> tuple[str, ...]:
        """The uses that stay forbidden; for minors all of them, whatever was ticked."""
        if self.age in ("14-17", "under 14"):
            return ALWAYS_FORBIDDEN_TO_MINORS
        return tuple(use for use in FORBIDDEN if use not in self.allowed_uses)


def _is_country(code: str) -> bool:
    """Whether two letters are a country or territory of today (ISO 3166-1, as the Unicode CLDR lists them)."""
    # Imported here: only whoever records a consent pays for it.
    from babel import Locale

    return _TERRITORY.fullmatch(code) is not None and code in Locale("en").territories.keys() - _NO_COUNTRIES


def new_withdrawal_code() -> str:
    """A code for the subject: SW-XXXX-XXXX-XXXX-XXXX; it is shown once and kept as a digest."""
    signs = "".join(secrets.choice(_CODE_SIGNS) for _ in range(_CODE_LENGTH))
    return "SW-" + "-".join(signs[start : start + 4] for start in range(0, _CODE_LENGTH, 4))


def withdrawal_digest(code: str) -> str:
    """SHA-256 (hex) of a code however it was typed: small letters, spaces, O for 0, I or L for 1."""
    typed = unicodedata.normalize("NFKC", code).upper().strip()
    signs = re.sub(r"[^0-9A-Z]", "", typed.removeprefix("SW"))
    signs = signs.translate(str.maketrans("OIL", "011"))
    return hashlib.sha256(f"signet.withdrawal/1\n{signs}".encode()).hexdigest()


def record_of(
    *,
    subject_id: str,
    likeness: Literal["face", "voice"],
    purposes: Sequence[str],
    asset_sha256: str,
    valid_from: date,
    valid_until: date,
    recorded_by: str,
    recorded_at: str,
    code_sha256: str,
    origin: str,
    terms: Terms,
    personal: Mapping[str, Any] | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The public record and the personal part to be sealed; raises PurposeUnknown, ScopeUnclear, GuardianMissing.

    The personal part holds a salt, so that its digest in the record tells nobody a name that was guessed.
    """
    purposes = tuple(dict.fromkeys(purposes))
    unknown = [purpose for purpose in purposes if purpose not in PURPOSES]
    if unknown or not purposes:
        raise PurposeUnknown(purpose=", ".join(unknown) or "-", allowed=", ".join(PURPOSES))
    terms.verify(subject_id)
    private: dict[str, Any] = {"salt": secrets.token_hex(16), **(personal or {})}
    private["recipients"] = list(terms.recipients)
    private["transcripts"] = [item.transcript for item in terms.evidence if item.transcript]
    match: dict[str, Any] = {"mode": "asset", "asset_sha256": asset_sha256}
    if terms.match is not None:
        match |= {
            "mode": "biometric",
            "model": terms.match.model,
            "model_sha256": terms.match.model_sha256,
            "threshold": terms.match.threshold,
            "score": terms.match.score,
            "templates": terms.match.templates,
        }
    record: dict[str, Any] = {
        "header": {
            "schema": SCHEMA,
            "record_id": f"con-{secrets.token_hex(5)}",
            "receipt_id": f"rcp-{secrets.token_hex(5)}",
            "subject_ref": subject_id,
            "language": terms.language,
            "jurisdiction": terms.jurisdiction,
        },
        "controller": {"id": origin, "type": "operator"},
        "notice": terms.notice.to_record(terms.notice_shown_at) if terms.notice else None,
        "subject": {
            "age": terms.age or NOT_STATED,
            "adult_attested": terms.age == "adult",
            "is_minor": terms.age in ("14-17", "under 14"),
            "guardian_ref": terms.guardian_id,
            "relation": terms.relation,
        },
        "evidence": [item.to_record(subject_id) for item in terms.evidence],
        "match": match,
        "scope": {
            "modalities": [likeness],
            "special_category": "biometric",
            "purposes": list(purposes),
            "forbidden": list(terms.forbidden()),
            "project_ids": list(terms.projects),
            "channels": list(terms.channels),
            "territories": list(terms.territories) or [WORLDWIDE],
            "max_outputs": terms.max_outputs,
        },
        "validity": {"not_before": valid_from.isoformat(), "not_after": valid_until.isoformat()},
        "storage": {"location": "this machine, encrypted", "retention_years": RETENTION_YEARS},
        "recipients": {"count": len(terms.recipients)},
        "withdrawal": {
            "how": ["code", "operator"] + (["passphrase"] if terms.passphrase_commitment else []),
            "code_sha256": code_sha256,
            "passphrase": terms.passphrase_commitment,
        },
        "operator_ref": recorded_by,
        "witness_ref": terms.witness,
        "supersedes": terms.supersedes,
        "events": [{"type": "consent", "state": "given", "time": recorded_at, "entity": subject_id}],
        "personal_sha256": personal_digest(private) if personal is not None else None,
        "log": {"origin": origin},
        # The ledger signs for the record: its checkpoint covers the entry with the digest.
        "signatures": [],
    }
    return record, private


def personal_digest(private: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a personal part, salt included."""
    return hashlib.sha256(rfc8785.dumps(dict(private))).hexdigest()
