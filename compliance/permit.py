"""The permit: a short-lived, signed answer of the gate to one request.

Only compliance.gate makes permits, with a key that exists for one run of the program. The worker gets the public half
and checks the permit before the first pixel is touched; compliance.release checks it again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from compliance.errors import ConsentTooNarrow, PermitInvalid

Role = Literal["source", "target", "mask"]
# "nobody": no real person is shown or heard, says the account; only what was made elsewhere may be called so.
Likeness = Literal["face", "voice", "none", "nobody"]


@dataclass(frozen=True, slots=True)
class LikenessUse:
    """One person's picture or voice that a request feeds to an engine.

    role: "source" is the likeness that is lent, "target" the person who is edited; a mask shows nobody.
    asset_sha256: hex digest of the exact file. faces: the numbers that are used or edited, from left to right, from 1;
    faces_found: how many the file shows. Nothing and 0 where nobody has counted.
    """

    role: Role
    likeness: Likeness
    asset_sha256: str
    faces: tuple[int, ...] = ()
    faces_found: int = 0


@dataclass(frozen=True, slots=True)
class PackUse:
    """A model pack that a request loads. sha256: digest of the pack; licence_class: what its licence allows."""

    id: str
    sha256: str
    licence_class: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request asks the gate for; made by Request.claim().

    function: the engine family and act, for example "face.swap". request_sha256: hex digest of the whole request.
    faces_edited: how many faces of the target are to be edited (0 when none is).
    declared_uses: words of compliance.consent.FORBIDDEN that the result is for. territory: country code, "" unsaid.
    """

    function: str
    engine: str
    request_sha256: str
    uses: tuple[LikenessUse, ...]
    purpose: str
    faces_edited: int
    consents: tuple[str, ...]
    declared_uses: tuple[str, ...] = ()
    territory: str = ""
    project: str = ""
    packs: tuple[PackUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Permit:
    """Proof that gate.authorize said yes to one request digest; plain data with an Ed25519 signature (hex).

    content_sha256: by what the content is judged (ContentDecision.digest). classifier, classifier_sha256: the model
    pack that the worker has to look at pictures with, "" where none was chosen; the built-in rules look always.
    """

    permit_id: str
    function: str
    engine: str
    request_sha256: str
    account: str
    consents: tuple[str, ...]
    purpose: str
    faces_edited: int
    issued_at: str
    expires_at: str
    content_sha256: str = ""
    classifier: str = ""
    classifier_sha256: str = ""
    signature: str = ""

    def signed_bytes(self) -> bytes:
        """The bytes under the signature: all fields but the signature, as sorted compact JSON."""
        fields = {key: value for key, value in asdict(self).items() if key != "signature"}
        return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()

    def to_json(self) -> dict[str, Any]:
        """Plain data for the worker's pipe."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Permit:
        """Read what to_json wrote; raises PermitInvalid on anything else."""
        try:
            return cls(**{**data, "consents": tuple(data["consents"])})
        except (TypeError, KeyError) as error:
            raise PermitInvalid(reason="unreadable") from error

    def verify(self, key: Ed25519PublicKey, request_sha256: str, now: datetime | None = None) -> None:
        """Raise PermitInvalid unless signed by the gate, for this request, and not expired."""
        try:
            key.verify(bytes.fromhex(self.signature), self.signed_bytes())
        except (InvalidSignature, ValueError) as error:
            raise PermitInvalid(reason="not signed by the gate") from error
        if self.request_sha256 != request_sha256:
            raise PermitInvalid(reason="made for another request")
        if (
            not datetime.fromisoformat(self.issued_at)
            <= (now or datetime.now(UTC))
            <= datetime.fromisoformat(self.expires_at)
        ):
            raise PermitInvalid(reason="expired")

    def verify_faces(self, count: int) -> None:
        """Raise ConsentTooNarrow when an engine is about to edit more faces than the gate allowed."""
        if count > self.faces_edited:
            raise ConsentTooNarrow(faces=count, persons=self.faces_edited)
