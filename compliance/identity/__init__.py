"""Proofs of identity: who an operator is, how strongly that was shown, and until when.

Levels: "self" (the operator's own declaration), "L1" (seen in person by an admin and a second person), "L2" (the
studio's OpenID provider), "L3" (the national network identity). Any of them may release; none of them is kept longer
than a year; no number, card, token or picture is kept at all.
"""

from compliance.identity.declaration import Declaration, declare
from compliance.identity.proofs import (
    LEVELS,
    PROOF_LIFETIME,
    Established,
    IdentityProof,
    IdentityVerifier,
    Level,
    current_proof,
    current_proof_in,
    establish,
    may_declare,
    proofs_of,
    require_proof,
)

__all__ = [
    "LEVELS",
    "PROOF_LIFETIME",
    "Declaration",
    "Established",
    "IdentityProof",
    "IdentityVerifier",
    "Level",
    "current_proof",
    "current_proof_in",
    "declare",
    "establish",
    "may_declare",
    "proofs_of",
    "require_proof",
]
