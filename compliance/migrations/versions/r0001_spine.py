"""The first tables: ledger, accounts, subjects, consents, permits, releases.

The ledger's three tables refuse every change but an added row. That stops mistakes, not an owner of the file: against
him stand the hashes and the checkpoints.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001_spine"
down_revision = None

_APPEND_ONLY = ("ledger_entry", "ledger_node", "checkpoint")


def _text(name: str, *more: Any, nullable: bool = False, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *more, nullable=nullable, **options)


def _integer(name: str, *, nullable: bool = False, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=nullable, **options)


def _blob(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=nullable)


def _create(name: str, *parts: Any, **options: Any) -> None:
    op.create_table(name, *parts, sqlite_strict=True, **options)


def upgrade() -> None:
    """Make all tables, and the triggers that keep the ledger append-only."""
    _create(
        "home",
        _text("id", primary_key=True),
        _text("kind"),
        _text("created_at"),
        sa.CheckConstraint("kind IN ('own', 'demo')", name="home_kind"),
    )
    _upgrade_ledger()
    _upgrade_people()
    _create("permit_use", _text("permit_id", primary_key=True), _text("request_sha256"), _text("used_at"))
    _create(
        "release",
        _text("id", primary_key=True),
        _text("state", index=True),
        _text("permit_id"),
        _text("account_id"),
        _text("consents"),
        _text("target_path"),
        _text("part_path"),
        _integer("overwrite"),
        _text("format"),
        _text("payload_sha256"),
        _text("file_sha256", nullable=True),
        _integer("intent_index"),
        _integer("release_index", nullable=True),
        _text("created_at"),
        _text("finished_at", nullable=True),
        sa.CheckConstraint("state IN ('intended', 'sealed', 'released', 'rolled_back')", name="release_state"),
    )


def _upgrade_ledger() -> None:
    _create("ledger_entry", _integer("idx", primary_key=True, autoincrement=False), _blob("leaf"), _blob("body"))
    _create(
        "ledger_node",
        _integer("level", primary_key=True, autoincrement=False),
        _integer("idx", primary_key=True, autoincrement=False),
        _blob("hash"),
        sqlite_with_rowid=False,
    )
    _create("checkpoint", _integer("size", primary_key=True, autoincrement=False), _text("note"), _text("made_at"))
    if op.get_bind().dialect.name == "postgresql":
        _refuse_changes_postgresql()
        return
    for table in _APPEND_ONLY:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
            )


def _refuse_changes_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION ledger_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
        "USING ERRCODE = 'integrity_constraint_violation', MESSAGE = 'the ledger is append-only'; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION ledger_refuses()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuses()"
        )


def _upgrade_people() -> None:
    _create(
        "account",
        _text("id", primary_key=True),
        _text("username", unique=True),
        _text("created_at"),
        _text("state"),
        _integer("failed_attempts", server_default="0"),
        _text("locked_until", nullable=True),
        _blob("sealed_person", nullable=True),
    )
    _create(
        "identity_proof",
        _text("id", primary_key=True),
        _text("account_id", sa.ForeignKey("account.id"), index=True),
        _text("level"),
        _text("method"),
        _text("commitment"),
        _text("made_at"),
        _text("expires_at"),
        _integer("ledger_index"),
    )
    _create(
        "subject", _text("id", primary_key=True), _text("created_at"), _blob("sealed_person"), _integer("ledger_index")
    )
    _create(
        "consent_grant",
        _text("id", primary_key=True),
        _text("subject_id", sa.ForeignKey("subject.id"), index=True),
        _text("likeness"),
        _text("purposes"),
        _text("asset_sha256", index=True),
        _text("valid_from"),
        _text("valid_until"),
        _text("evidence_sha256", nullable=True),
        _text("evidence_blob", nullable=True),
        _text("recorded_by"),
        _text("recorded_at"),
        _blob("record"),
        _integer("ledger_index"),
    )
    _create(
        "consent_withdrawal",
        _text("grant_id", sa.ForeignKey("consent_grant.id"), primary_key=True),
        _text("withdrawn_at"),
        _text("reason"),
        _integer("ledger_index"),
    )
