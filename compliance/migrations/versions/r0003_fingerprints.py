"""Fingerprints: what each release looks or sounds like, so that a copy without labels is known again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_fingerprints"
down_revision = "0002_trust"


def upgrade() -> None:
    """Add the register."""
    op.create_table(
        "fingerprint",
        # The method stands first and rows lie in order of it: a search reads all hashes and no key points.
        sa.Column("method", sa.Text, primary_key=True, nullable=False),
        sa.Column("part", sa.Integer, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("release_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("method IN ('pdq', 'orb', 'chromaprint')", name="fingerprint_method"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "sqlite":
        op.create_index("fingerprint_mirror", "fingerprint", ["method", "part", "release_id"])
