"""Trust: roles, identity levels, data keys, full consent records, cases, sanctions, the operator, witnesses, pruning.

The body of a ledger entry may now be missing, where a row of `pruned` says so. On SQLite every plain value of the small
tables stands a second time in an index, so that the integrity check finds a damaged one; PostgreSQL has page sums.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002_trust"
down_revision = "0001_spine"

_REFUSAL = "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
_MIRRORED = {
    "home": "id kind created_at profile",
    "checkpoint": "size note made_at",
    "pruned": "idx at",
    "witness": "name vkey added_at",
    "cosignature": "size witness line",
    "account": "id username created_at state failed_attempts locked_until cumulative_failures bound last_seen_at "
    "stepped_up_at",
    "account_role": "account_id role granted_by granted_at ledger_index",
    "totp_used": "account_id step",
    "session_state": "account_id opened_at last_active_at stepped_up_at",
    "proposal": "id kind account_id detail proposed_by proposed_at expires_at state decided_by decided_at ledger_index",
    "identity_proof": "id account_id level method commitment made_at expires_at ledger_index verifier_ref second_ref "
    "subject_commitment",
    "data_key": "owner kind made_at shredded_at",
    "subject": "id created_at ledger_index birth_class guardian_subject_id erased_at",
    "consent_grant": "id subject_id likeness purposes asset_sha256 valid_from valid_until evidence_sha256 "
    "evidence_blob recorded_by recorded_at ledger_index withdrawal_code_sha256 max_outputs match approved_by "
    "evidence_level",
    "consent_withdrawal": "grant_id withdrawn_at reason ledger_index",
    "consent_event": "id grant_id type state by at ledger_index",
    "assignment": "asset_sha256 likeness number subject_id assigned_by confirmed_by at ledger_index",
    "nonce": "nonce_sha256 made_at used_at grant_id",
    "template": "id subject_id likeness model_sha256 made_at",
    "permit_use": "permit_id request_sha256 used_at",
    "release": "id state permit_id account_id consents target_path part_path overwrite format payload_sha256 "
    "file_sha256 intent_index release_index created_at finished_at",
    "refutation": "release_id reason by at ledger_index",
    "case_file": "id kind article rule state opened_at opened_by due_at account_id release_id assignee decision "
    "measure ledger_index",
    "case_event": "id case_id type by at note ledger_index",
    "sanction": "id account_id measure reason starts_at ends_at case_id by releases_a_day ledger_index",
    "operator_profile": "id body updated_at ledger_index",
    "agreement": "account_id version accepted_at ledger_index",
}


def _text(name: str, *more: Any, nullable: bool = False, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *more, nullable=nullable, **options)


def _integer(name: str, *, nullable: bool = False, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=nullable, **options)


def _blob(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=nullable)


def _of(name: str, table: str, **options: Any) -> sa.Column[str]:
    return _text(name, sa.ForeignKey(f"{table}.id"), **options)


def _index() -> sa.Column[int]:
    return _integer("ledger_index")


def _create(name: str, *parts: Any, **options: Any) -> None:
    op.create_table(name, *parts, sqlite_strict=True, **options)


def upgrade() -> None:
    """Widen the tables of the first step, add those of trust, and let entries be pruned."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    _upgrade_ledger(is_sqlite)
    _upgrade_accounts()
    _upgrade_consent()
    _upgrade_cases()
    if is_sqlite:
        for table, columns in _MIRRORED.items():
            op.create_index(f"{table}_mirror", table, columns.split())


# --- ledger ----------------------------------------------------------------------------------------------------------


def _upgrade_ledger(is_sqlite: bool) -> None:
    _create("pruned", _integer("idx", primary_key=True, autoincrement=False), _text("at"))
    _create("witness", _text("name", primary_key=True), _text("vkey"), _text("added_at"))
    _create(
        "cosignature",
        _integer("size", primary_key=True, autoincrement=False),
        _text("witness", primary_key=True),
        _text("line"),
    )
    if is_sqlite:
        _let_prune_sqlite()
    else:
        _let_prune_postgresql()


def _let_prune_sqlite() -> None:
    for act in ("update", "delete"):
        op.execute(f"DROP TRIGGER ledger_entry_no_{act}")
    # SQLite cannot take a NOT NULL away: the table is made anew and filled.
    _create(
        "ledger_entry_new",
        _integer("idx", primary_key=True, autoincrement=False),
        _blob("leaf"),
        _blob("body", nullable=True),
    )
    op.execute("INSERT INTO ledger_entry_new (idx, leaf, body) SELECT idx, leaf, body FROM ledger_entry ORDER BY idx")
    op.execute("DROP TABLE ledger_entry")
    op.execute("ALTER TABLE ledger_entry_new RENAME TO ledger_entry")
    refused = {
        "ledger_entry_no_update": "BEFORE UPDATE ON ledger_entry"
        " WHEN NEW.body IS NOT NULL OR NEW.idx IS NOT OLD.idx OR NEW.leaf IS NOT OLD.leaf"
        " OR NOT EXISTS (SELECT 1 FROM pruned WHERE pruned.idx = OLD.idx)",
        "ledger_entry_no_delete": "BEFORE DELETE ON ledger_entry",
        "ledger_entry_whole": "BEFORE INSERT ON ledger_entry WHEN NEW.body IS NULL",
        "pruned_no_update": "BEFORE UPDATE ON pruned",
        "pruned_no_delete": "BEFORE DELETE ON pruned",
    }
    for name, when in refused.items():
        op.execute(f"CREATE TRIGGER {name} {when} {_REFUSAL}")


def _let_prune_postgresql() -> None:
    op.execute("DROP TRIGGER ledger_entry_no_change ON ledger_entry")
    op.execute("ALTER TABLE ledger_entry ALTER COLUMN body DROP NOT NULL")
    op.execute(
        "CREATE FUNCTION ledger_lets_prune() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.body IS NOT NULL OR NEW.idx <> OLD.idx OR NEW.leaf <> OLD.leaf "
        "OR NOT EXISTS (SELECT 1 FROM pruned WHERE pruned.idx = OLD.idx) THEN RAISE EXCEPTION "
        "USING ERRCODE = 'integrity_constraint_violation', MESSAGE = 'the ledger is append-only'; END IF; "
        "RETURN NEW; END $$"
    )
    rules = {
        "ledger_entry_no_update": "BEFORE UPDATE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_lets_prune()",
        "ledger_entry_no_delete": "BEFORE DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_refuses()",
        "ledger_entry_whole": "BEFORE INSERT ON ledger_entry FOR EACH ROW WHEN (NEW.body IS NULL) "
        "EXECUTE FUNCTION ledger_refuses()",
        "pruned_no_change": "BEFORE UPDATE OR DELETE ON pruned FOR EACH ROW EXECUTE FUNCTION ledger_refuses()",
        "pruned_no_truncate": "BEFORE TRUNCATE ON pruned FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuses()",
    }
    for name, rule in rules.items():
        op.execute(f"CREATE TRIGGER {name} {rule}")


# --- accounts and identity -------------------------------------------------------------------------------------------


def _upgrade_accounts() -> None:
    op.add_column("account", _blob("totp_sealed", nullable=True))
    op.add_column("account", _integer("cumulative_failures", server_default="0"))
    op.add_column("account", _integer("bound", server_default="1"))
    op.add_column("account", _text("last_seen_at", nullable=True))
    op.add_column("account", _text("stepped_up_at", nullable=True))
    op.add_column("home", _text("profile", server_default="personal"))
    for name in ("verifier_ref", "second_ref", "subject_commitment"):
        op.add_column("identity_proof", _text(name, nullable=True))
    _create(
        "account_role",
        _of("account_id", "account", primary_key=True),
        _text("role", primary_key=True),
        _text("granted_by"),
        _text("granted_at"),
        _index(),
    )
    # Until now everybody could do everything: the first account stays able to, the others go on creating.
    roles = {"admin": "=", "consent_officer": "=", "creator": ">="}
    for role, which in roles.items():
        op.execute(
            "INSERT INTO account_role (account_id, role, granted_by, granted_at, ledger_index) "
            f"SELECT id, '{role}', id, created_at, 0 FROM account "
            f"WHERE created_at || id {which} (SELECT MIN(created_at || id) FROM account)"
        )
    _create(
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
        _index(),
        sa.CheckConstraint("state IN ('open', 'confirmed', 'refused')", name="proposal_state"),
    )
    _create(
        "totp_used",
        _of("account_id", "account", primary_key=True),
        _integer("step", primary_key=True, autoincrement=False),
    )
    _create(
        "session_state",
        _of("account_id", "account", primary_key=True),
        _text("opened_at"),
        _text("last_active_at"),
        _text("stepped_up_at", nullable=True),
    )
    _create(
        "data_key",
        _text("owner", primary_key=True),
        _text("kind"),
        _blob("wrapped", nullable=True),
        _text("made_at"),
        _text("shredded_at", nullable=True),
    )


# --- people and consent ----------------------------------------------------------------------------------------------


def _upgrade_consent() -> None:
    # Written out, because Alembic adds a constraint by itself only where the database can alter one.
    op.execute(
        "ALTER TABLE subject ADD COLUMN birth_class TEXT "
        "CONSTRAINT subject_birth_class CHECK (birth_class IN ('adult', '14-17', 'under 14'))"
    )
    op.execute("ALTER TABLE subject ADD COLUMN guardian_subject_id TEXT REFERENCES subject (id)")
    op.add_column("subject", _text("erased_at", nullable=True))
    op.add_column("consent_grant", _text("withdrawal_code_sha256", nullable=True))
    op.add_column("consent_grant", _blob("sealed_personal", nullable=True))
    op.add_column("consent_grant", _integer("max_outputs", nullable=True))
    op.add_column("consent_grant", _text("match", server_default="asset"))
    op.add_column("consent_grant", _text("approved_by", nullable=True))
    op.add_column("consent_grant", _text("evidence_level", nullable=True))
    op.create_index("ix_consent_grant_withdrawal_code_sha256", "consent_grant", ["withdrawal_code_sha256"], unique=True)
    _create(
        "consent_event",
        _integer("id", primary_key=True),
        _of("grant_id", "consent_grant", index=True),
        _text("type"),
        _text("state"),
        _text("by"),
        _text("at"),
        _index(),
        sqlite_autoincrement=True,
    )
    _create(
        "assignment",
        _text("asset_sha256", primary_key=True),
        _text("likeness", primary_key=True),
        _integer("number", primary_key=True, autoincrement=False),
        _of("subject_id", "subject"),
        _text("assigned_by"),
        _text("confirmed_by", nullable=True),
        _text("at"),
        _index(),
    )
    _create(
        "nonce",
        _text("nonce_sha256", primary_key=True),
        _text("made_at"),
        _text("used_at", nullable=True),
        _text("grant_id", nullable=True),
    )
    _create(
        "template",
        _text("id", primary_key=True),
        _of("subject_id", "subject", index=True),
        _text("likeness"),
        _text("model_sha256"),
        _blob("sealed", nullable=True),
        _text("made_at"),
    )


# --- cases and the operator ------------------------------------------------------------------------------------------


def _upgrade_cases() -> None:
    _create("refutation", _text("release_id", primary_key=True), _text("reason"), _text("by"), _text("at"), _index())
    _create(
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
        _index(),
    )
    _create(
        "case_event",
        _integer("id", primary_key=True),
        _of("case_id", "case_file", index=True),
        _text("type"),
        _text("by"),
        _text("at"),
        _text("note"),
        _index(),
        sqlite_autoincrement=True,
    )
    _create(
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
        _index(),
    )
    _create(
        "operator_profile",
        _integer("id", primary_key=True, autoincrement=False),
        _text("body"),
        _text("updated_at"),
        _index(),
        sa.CheckConstraint("id = 1", name="operator_profile_one"),
    )
    _create(
        "agreement",
        _of("account_id", "account", primary_key=True),
        _text("version", primary_key=True),
        _text("accepted_at"),
        _index(),
    )
