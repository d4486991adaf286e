"""Who is who in a picture: each face number of an asset, left to right from 1, belongs to one person.

One person says it, a second one confirms it. What counts is the ledger; the table is an index for listings.
"""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa

from compliance import store
from compliance.clock import stamp
from compliance.consent_log import Assigned, log_of
from compliance.errors import ScopeUnclear
from compliance.ledger import Ledger

HIGHEST_NUMBER = 1000


def assign_face(
    rows: store.Store,
    ledger: Ledger,
    *,
    asset_sha256: str,
    number: int,
    subject_id: str,
    by: str,
    likeness: Literal["face", "voice"] = "face",
) -> Assigned:
    """Say whose face a number is, or confirm what another account has said; the caller has checked the right to.

    Saying something else than was said before replaces it, and nobody has confirmed it then. Raises ScopeUnclear.
    """
    if not 1 <= number <= HIGHEST_NUMBER:
        raise ScopeUnclear(kind="face number", value=number, allowed=f"1–{HIGHEST_NUMBER}")
    known = assignments(ledger, asset_sha256, likeness).get(number)
    confirms = known is not None and known.subject_id == subject_id and known.assigned_by != by
    if known is not None and known.subject_id == subject_id and (not confirms or known.confirmed_by is not None):
        return known
    table = store.assignment
    told = {"asset_sha256": asset_sha256, "likeness": likeness, "number": number, "subject": subject_id, "by": by}
    here = (table.c.asset_sha256 == asset_sha256, table.c.likeness == likeness, table.c.number == number)
    with rows.write() as connection:
        if confirms:
            ledger.append(connection, "face_confirmed", told)
            connection.execute(sa.update(table).where(*here).values(confirmed_by=by))
        else:
            index = ledger.append(connection, "face_assigned", told)
            connection.execute(sa.delete(table).where(*here))
            connection.execute(
                sa.insert(table).values(
                    asset_sha256=asset_sha256,
                    likeness=likeness,
                    number=number,
                    subject_id=subject_id,
                    assigned_by=by,
                    at=stamp(),
                    ledger_index=index,
                )
            )
    return assignments(ledger, asset_sha256, likeness)[number]


def assignments(ledger: Ledger, asset_sha256: str, likeness: str = "face") -> dict[int, Assigned]:
    """What is known of one asset, by face number."""
    return dict(log_of(ledger).assignments.get((asset_sha256, likeness), {}))
