"""Is this the person who agreed? Templates of faces, sealed under the person's key, and how two of them are compared.

A template is the unit vector that a recogniser makes of one face. Templates are biometric: they lie sealed, leave the
home never, and are destroyed with the last grant that needs them (compliance.withdrawal).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from compliance import store
from compliance.clock import stamp
from compliance.data_keys import data_key, open_bytes, seal_bytes
from compliance.gate import FaceMatch
from compliance.keys import HomeKeys
from compliance.media import Pixels

Vector = npt.NDArray[np.float32]


class Recogniser(Protocol):
    """Makes templates of faces; the same model and the same pixels give the same template on one device."""

    id: str
    model_sha256: str
    threshold: float

    def embed(self, faces: Sequence[Pixels]) -> list[Vector]:
        """One unit vector for each aligned face; faces: uint8, (112, 112, 3), sRGB."""


def similarity(one: Vector, other: Vector) -> float:
    """The cosine of two templates, -1 to 1; 0 when either has no length or they are of different sizes."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other)) if one.shape == other.shape else 0.0
    if not np.isfinite(lengths) or lengths <= 0.0:
        return 0.0
    return float(np.dot(one, other)) / lengths


def best_similarity(face: Vector, templates: Sequence[Vector]) -> float:
    """How well a face fits the best of a person's templates; -1 when there is none."""
    return max((similarity(face, template) for template in templates), default=-1.0)


def match_faces(faces: Mapping[int, Vector], templates: Sequence[Vector], threshold: float) -> list[FaceMatch]:
    """Every face of an asset, by its number, against one person."""
    scored = [(number, best_similarity(face, templates)) for number, face in sorted(faces.items())]
    return [FaceMatch(number, score, bool(templates) and score >= threshold) for number, score in scored]


def keep_templates(
    rows: store.Store, keys: HomeKeys, subject_id: str, likeness: str, model_sha256: str, templates: Sequence[Vector]
) -> None:
    """Seal templates under the person's key."""
    with rows.write() as connection:
        key = data_key(connection, keys, subject_id)
        for template in templates:
            template_id = f"tpl-{secrets.token_hex(5)}"
            data = np.asarray(template, dtype="<f4").tobytes()
            connection.execute(
                sa.insert(store.template).values(
                    id=template_id,
                    subject_id=subject_id,
                    likeness=likeness,
                    model_sha256=model_sha256,
                    sealed=seal_bytes(key, data, f"template {template_id}"),
                    made_at=stamp(),
                )
            )


def templates_of(rows: store.Store, keys: HomeKeys, subject_id: str, likeness: str, model_sha256: str) -> list[Vector]:
    """A person's templates of one model that were not destroyed; raises Shredded after erasure, KeysDamaged."""
    table = store.template
    query = sa.select(table.c.id, table.c.sealed).where(
        table.c.subject_id == subject_id,
        table.c.likeness == likeness,
        table.c.model_sha256 == model_sha256,
        table.c.sealed.is_not(None),
    )
    with rows.read() as connection:
        found = connection.execute(query).all()
        if not found:
            return []
        key = data_key(connection, keys, subject_id)
        return [
            np.frombuffer(open_bytes(key, sealed, f"template {template_id}"), dtype="<f4").astype(np.float32)
            for template_id, sealed in found
        ]
