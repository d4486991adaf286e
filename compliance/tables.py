"""The tables of a home, on SQLite and PostgreSQL alike; the steps that make them are in compliance.migrations.

All times are ISO 8601 text in UTC. `ledger_index` is the entry of the ledger that speaks of the row.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

metadata = sa.MetaData()


def _table(name: str, *parts: sa.schema.SchemaItem, **options: Any) -> sa.Table:
    # STRICT: SQLite otherwise stores a text where a number belongs and says nothing.
    return sa.Table(name, metadata, *parts, sqlite_strict=True, **options)


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, **{"nullable": False, **options})


def _integer(name: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, **{"nullable": False, **options})


def _blob(name: str, **options: Any) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, **{"nullable": False, **options})


def _of(name: str, table: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, sa.ForeignKey(f"{table}.id"), **{"nullable": False, **options})


# --- home and ledger -------------------------------------------------------------------------------------------------


home = _table(
    "home",
    _text("id", primary_key=True),
    _text("kind"),
    _text("created_at"),
    _text("profile", server_default="personal"),
    sa.CheckConstraint("kind IN ('own', 'demo')", name="home_kind"),
)

ledger_entry = _table(
    "ledger_entry", _integer("idx", primary_key=True, autoincrement=False), _blob("leaf"), _blob("body", nullable=True)
)
ledger_node = _table(
    "ledger_node",
    _integer("level", primary_key=True, autoincrement=False),
    _integer("idx", primary_key=True, autoincrement=False),
    _blob("hash"),
    sqlite_with_rowid=False,
)
checkpoint = _table(
    "checkpoint", _integer("size", primary_key=True, autoincrement=False), _text("note"), _text("made_at")
)
pruned = _table("pruned", _integer("idx", primary_key=True, autoincrement=False), _text("at"))
"""Entries whose body was removed when its time was over; only such a body may be missing."""
witness = _table("witness", _text("name", primary_key=True), _text("vkey"), _text("added_at"))
cosignature = _table(
    "cosignature",
    _integer("size", primary_key=True, autoincrement=False),
    _text("witness", primary_key=True),
    _text("line"),
)


# --- accounts and identity -------------------------------------------------------------------------------------------

account = _table(
    "account",
    _text("id", primary_key=True),
    _text("username", unique=True),
    _text("created_at"),
    _text("state"),
    _integer("failed_attempts", server_default="0"),
    _text("locked_until", nullable=True),
    _blob("sealed_person", nullable=True),
    _blob("totp_sealed", nullable=True),
    _integer("cumulative_failures", server_default="0"),
    _integer("bound", server_default="1"),
    _text("last_seen_at", nullable=True),
    # Never written: a step-up belongs to a session (session_state). Taken away with the next table that is made anew.
    _text("stepped_up_at", nullable=True),
)
account_role = _table(
    "account_role",
    _of("account_id", "account", primary_key=True),
    _text("role", primary_key=True),
    _text("granted_by"),
    _text("granted_at"),
    _integer("ledger_index"),
)
totp_used = _table(
    "totp_used",
    _of("account_id", "account", primary_key=True),
    _integer("step", primary_key=True, autoincrement=False),
)
session_state = _table(
    "session_state",
    _of("account_id", "account", primary_key=True),
    _text("opened_at"),
    _text("last_active_at"),
    _text("stepped_up_at", nullable=True),
)
proposal = _table(
    "proposal",
    _text("id", primary_key=True),
    _text("kind"),
    _of("account_id", "account", index=True),
    _text("detail"),
    _text("proposed_by"),
    _text("proposed_at"),
    _text("expires_at"),
    _text("state"),
    _text("decided_by", nullable=True),
    _text("decided_at", nullable=True),
    _blob("sealed", nullable=True),
    _integer("ledger_index"),
    sa.CheckConstraint("state IN ('open', 'confirmed', 'refused')", name="proposal_state"),
)
"""What one person asked for and a second one has to confirm: a role, an identity, a new binding."""
identity_proof = _table(
    "identity_proof",
    _text("id", primary_key=True),
    _of("account_id", "account", index=True),
    _text("level"),
    _text("method"),
    _text("commitment"),
    _text("made_at"),
    _text("expires_at"),
    _integer("ledger_index"),
    _text("verifier_ref", nullable=True),
    _text("second_ref", nullable=True),
    _text("subject_commitment", nullable=True),
)
data_key = _table(
    "data_key",
    _text("owner", primary_key=True),
    _text("kind"),
    _blob("wrapped", nullable=True),
    _text("made_at"),
    _text("shredded_at", nullable=True),
)


# --- people and consent ----------------------------------------------------------------------------------------------

subject = _table(
    "subject",
    _text("id", primary_key=True),
    _text("created_at"),
    _blob("sealed_person"),
    _integer("ledger_index"),
    _text("birth_class", nullable=True),
    _of("guardian_subject_id", "subject", nullable=True),
    _text("erased_at", nullable=True),
    sa.CheckConstraint("birth_class IN ('adult', '14-17', 'under 14')", name="subject_birth_class"),
)
consent_grant = _table(
    "consent_grant",
    _text("id", primary_key=True),
    _of("subject_id", "subject", index=True),
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
    _text("withdrawal_code_sha256", nullable=True),
    _blob("sealed_personal", nullable=True),
    _integer("max_outputs", nullable=True),
    _text("match", server_default="asset"),
    _text("approved_by", nullable=True),
    _text("evidence_level", nullable=True),
    sa.Index("ix_consent_grant_withdrawal_code_sha256", "withdrawal_code_sha256", unique=True),
)
consent_withdrawal = _table(
    "consent_withdrawal",
    _of("grant_id", "consent_grant", primary_key=True),
    _text("withdrawn_at"),
    _text("reason"),
    _integer("ledger_index"),
)
consent_event = _table(
    "consent_event",
    _integer("id", primary_key=True),
    _of("grant_id", "consent_grant", index=True),
    _text("type"),
    _text("state"),
    _text("by"),
    _text("at"),
    _integer("ledger_index"),
    sqlite_autoincrement=True,
)
assignment = _table(
    "assignment",
    _text("asset_sha256", primary_key=True),
    _text("likeness", primary_key=True),
    _integer("number", primary_key=True, autoincrement=False),
    _of("subject_id", "subject"),
    _text("assigned_by"),
    _text("confirmed_by", nullable=True),
    _text("at"),
    _integer("ledger_index"),
)
nonce = _table(
    "nonce",
    _text("nonce_sha256", primary_key=True),
    _text("made_at"),
    _text("used_at", nullable=True),
    _text("grant_id", nullable=True),
)
template = _table(
    "template",
    _text("id", primary_key=True),
    _of("subject_id", "subject", index=True),
    _text("likeness"),
    _text("model_sha256"),
    _blob("sealed", nullable=True),
    _text("made_at"),
)


# --- permits and releases --------------------------------------------------------------------------------------------

permit_use = _table("permit_use", _text("permit_id", primary_key=True), _text("request_sha256"), _text("used_at"))
release = _table(
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
fingerprint = _table(
    "fingerprint",
    _text("method", primary_key=True),
    _integer("part", primary_key=True, autoincrement=False),
    _text("release_id", primary_key=True),
    _blob("data"),
    sa.CheckConstraint("method IN ('pdq', 'orb', 'chromaprint')", name="fingerprint_method"),
    sqlite_with_rowid=False,
)
refutation = _table(
    "refutation",
    _text("release_id", primary_key=True),
    _text("reason"),
    _text("by"),
    _text("at"),
    _integer("ledger_index"),
)


# --- cases and the operator ------------------------------------------------------------------------------------------

case_file = _table(
    "case_file",
    _text("id", primary_key=True),
    _text("kind"),
    _text("article"),
    _text("rule"),
    _text("state", index=True),
    _text("opened_at"),
    _text("opened_by"),
    _text("due_at", nullable=True),
    _text("account_id", nullable=True),
    _text("release_id", nullable=True),
    _text("assignee", nullable=True),
    _blob("sealed_detail", nullable=True),
    _text("decision", nullable=True),
    _text("measure", nullable=True),
    _integer("ledger_index"),
)
case_event = _table(
    "case_event",
    _integer("id", primary_key=True),
    _of("case_id", "case_file", index=True),
    _text("type"),
    _text("by"),
    _text("at"),
    _text("note"),
    _integer("ledger_index"),
    sqlite_autoincrement=True,
)
sanction = _table(
    "sanction",
    _text("id", primary_key=True),
    _of("account_id", "account", index=True),
    _text("measure"),
    _text("reason"),
    _text("starts_at"),
    _text("ends_at", nullable=True),
    _text("case_id", nullable=True),
    _text("by"),
    _integer("releases_a_day", nullable=True),
    _integer("ledger_index"),
)
operator_profile = _table(
    "operator_profile",
    _integer("id", primary_key=True, autoincrement=False),
    _text("body"),
    _text("updated_at"),
    _integer("ledger_index"),
    sa.CheckConstraint("id = 1", name="operator_profile_one"),
)
agreement = _table(
    "agreement",
    _of("account_id", "account", primary_key=True),
    _text("version", primary_key=True),
    _text("accepted_at"),
    _integer("ledger_index"),
)


# --- what may not change ----------------------------------------------------------------------------------------------

APPEND_ONLY: Final = ("ledger_entry", "ledger_node", "checkpoint", "pruned")


def sqlite_triggers() -> dict[str, str]:
    """The triggers of a SQLite home, name → statement: the ledger takes new rows and nothing else.

    The one exception: an entry whose removal stands in `pruned` may lose its body. Triggers stop mistakes, not an owner
    of the file: against him stand the hashes and the checkpoints.
    """
    refusal = "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    refused = {f"{table}_no_{act.lower()}": f"BEFORE {act} ON {table}" for table in APPEND_ONLY for act in _ACTS}
    refused["ledger_entry_no_update"] += (
        " WHEN NEW.body IS NOT NULL OR NEW.idx IS NOT OLD.idx OR NEW.leaf IS NOT OLD.leaf"
        " OR NOT EXISTS (SELECT 1 FROM pruned WHERE pruned.idx = OLD.idx)"
    )
    refused["ledger_entry_whole"] = "BEFORE INSERT ON ledger_entry WHEN NEW.body IS NULL"
    return {name: f"CREATE TRIGGER {name} {when} {refusal}" for name, when in refused.items()}


_ACTS: Final = ("UPDATE", "DELETE")


# --- every plain value stands twice ----------------------------------------------------------------------------------

HASHED: Final = frozenset({"ledger_entry", "ledger_node"})
"""The tables whose every byte the ledger itself recomputes."""


def _mirror(table: sa.Table) -> None:
    """Keep a table's plain values a second time, in an index, so that a damaged one is found by the integrity check.

    SQLite has no page sums; sealed and signed columns prove themselves. PostgreSQL brings sums of its own.
    """
    plain = [column for column in table.c if not isinstance(column.type, sa.LargeBinary)]
    index = sa.Index(f"{table.name}_mirror", *plain)
    index.ddl_if(dialect="sqlite")


for _one in metadata.sorted_tables:
    if _one.name not in HASHED:
        _mirror(_one)
