"""The first structure."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.core import database
from portal.core.append_only import append_only_statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward."""
    op.create_table(
        "checkpoint_cosignature",
        sa.Column(
            "size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("witness", sa.String(length=255), nullable=False),
        sa.Column("key_id", sa.String(length=8), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("seen_at", database.UTCDateTime(), nullable=False),
        sa.Column("received_at", database.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("size", "witness", "key_id", name=("pk_checkpoint_cosignature")),
    )
    op.create_table(
        "checkpoint_holder",
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("held_at", database.UTCDateTime(), nullable=True),
        sa.Column("given", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.String(length=80), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("tried_at", database.UTCDateTime(), nullable=True),
        sa.Column("next_at", database.UTCDateTime(), nullable=True),
        sa.Column("contradicts_since", database.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=("pk_checkpoint_holder")),
    )
    op.create_table(
        "connector_call",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connector", sa.String(length=40), nullable=False),
        sa.Column("call", sa.String(length=40), nullable=False),
        sa.Column("question", sa.JSON(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.Column("asked_at", database.UTCDateTime(), nullable=False),
        sa.Column("until", database.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=("pk_connector_call")),
    )
    with op.batch_alter_table("connector_call", schema=None) as batch_op:
        batch_op.create_index(("ix_connector_call_asked_at"), ["asked_at"], unique=False)

    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=("pk_counter")),
    )
    op.create_table(
        "http_call",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("entitlement_key", sa.String(length=400), nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("status_url", sa.String(length=2048), nullable=False),
        sa.Column("claim", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.Column("opened_at", database.UTCDateTime(), nullable=False),
        sa.Column("sent_at", database.UTCDateTime(), nullable=True),
        sa.Column("answer_by", database.UTCDateTime(), nullable=False),
        sa.Column("settled_at", database.UTCDateTime(), nullable=True),
        sa.Column("undone_at", database.UTCDateTime(), nullable=True),
        sa.Column("told_at", database.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=("pk_http_call")),
        sa.UniqueConstraint("key", "action", "round", name=("uq_http_call_key_action_round")),
        sa.UniqueConstraint("token", name=("uq_http_call_token")),
    )
    with op.batch_alter_table("http_call", schema=None) as batch_op:
        batch_op.create_index("ix_http_call_entitlement_key", ["entitlement_key"], unique=False)

    op.create_table(
        "ledger_checkpoint",
        sa.Column(
            "size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", database.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=("pk_ledger_checkpoint")),
    )
    op.create_table(
        "ledger_entry",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", database.UTCText(), nullable=False),
        sa.Column("tag", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=("pk_ledger_entry")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_entry_actor_number", ["actor", "number"], unique=False)
        batch_op.create_index("ix_ledger_entry_at", ["at"], unique=False)
        batch_op.create_index("ix_ledger_entry_subject_number", ["subject", "number"], unique=False)
        batch_op.create_index("ix_ledger_entry_tag_number", ["tag", "number"], unique=False)

    op.create_table(
        "ledger_node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=("pk_ledger_node")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_row",
        sa.Column("table_name", sa.String(length=60), nullable=False),
        sa.Column("row_key", sa.String(length=200), nullable=False),
        sa.Column(
            "entry_number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("table_name", "row_key", "entry_number", name=("pk_ledger_row")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("ledger_row", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_row_entry_number", ["entry_number"], unique=False)

    op.create_table(
        "ledger_signing_trouble",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since", database.UTCDateTime(), nullable=False),
        sa.Column("told_at", database.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=("pk_ledger_signing_trouble")),
    )
    op.create_table(
        "offering",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=("pk_offering")),
        sa.UniqueConstraint("slug", name=("uq_offering_slug")),
    )
    op.create_table(
        "personal_value",
        sa.Column(
            "entry_number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("field", sa.String(length=80), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry_number", "field", name=("pk_personal_value")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "queue_attendance",
        sa.Column("queue", sa.String(length=40), nullable=False),
        sa.Column("seen_at", database.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("queue", name=("pk_queue_attendance")),
    )
    op.create_table(
        "rota",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("imported_at", database.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=("pk_rota")),
        sa.UniqueConstraint("slug", name=("uq_rota_slug")),
    )
    op.create_table(
        "row_salt",
        sa.Column("table_name", sa.String(length=60), nullable=False),
        sa.Column("row_key", sa.String(length=200), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("table_name", "row_key", name=("pk_row_salt")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "target_reading",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connector", sa.String(length=40), nullable=False),
        sa.Column("started_at", database.UTCDateTime(), nullable=False),
        sa.Column("finished_at", database.UTCDateTime(), nullable=False),
        sa.Column("was_read", sa.Boolean(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("live", sa.Integer(), nullable=False),
        sa.Column("explained", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=("pk_target_reading")),
    )
    with op.batch_alter_table("target_reading", schema=None) as batch_op:
        batch_op.create_index("ix_target_reading_connector_id", ["connector", "id"], unique=False)

    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("queue", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("run_at", database.UTCDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", database.UTCDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("rung_at", database.UTCDateTime(), nullable=True),
        sa.Column("created_at", database.UTCDateTime(), nullable=False),
        sa.Column("finished_at", database.UTCDateTime(), nullable=True),
        sa.Column("dedupe_key", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=("pk_task")),
        sa.UniqueConstraint("dedupe_key", name=("uq_task_dedupe_key")),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index("ix_task_state_run_at", ["state", "run_at"], unique=False)
        batch_op.create_index("ix_task_subject", ["subject"], unique=False)
        batch_op.create_index(
            "uq_task_running_subject",
            ["subject"],
            unique=True,
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )

    op.create_table(
        "unit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("head_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("country", sa.String(length=10), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name=("fk_unit_parent_id_unit")),
        sa.PrimaryKeyConstraint("id", name=("pk_unit")),
        sa.UniqueConstraint("slug", name=("uq_unit_slug")),
    )
    op.create_table(
        "verification_round",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", database.UTCDateTime(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("entries", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=("pk_verification_round")),
    )
    op.create_table(
        "http_callback",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message", sa.String(length=200), nullable=False),
        sa.Column("received_at", database.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["http_call.id"], name=("fk_http_callback_call_id_http_call")),
        sa.PrimaryKeyConstraint("id", name=("pk_http_callback")),
        sa.UniqueConstraint("call_id", "message", name=("uq_http_callback_call_id_message")),
    )
    op.create_table(
        "pace",
        sa.Column("offering_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("fulfilled", sa.Integer(), nullable=False),
        sa.Column("half_minutes", sa.Integer(), nullable=False),
        sa.Column("most_minutes", sa.Integer(), nullable=False),
        sa.Column("computed_at", database.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=("fk_pace_offering_id_offering")),
        sa.PrimaryKeyConstraint("offering_id", name=("pk_pace")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("issuer", sa.String(length=400), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("user_name", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("manager_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("daily_mail", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["manager_id"], ["person.id"], name=("fk_person_manager_id_person")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=("fk_person_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=("pk_person")),
        sa.UniqueConstraint("issuer", "subject", name=("uq_person_issuer_subject")),
        sa.UniqueConstraint("user_name", name=("uq_person_user_name")),
    )
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.create_index(("ix_person_manager_id"), ["manager_id"], unique=False)
        batch_op.create_index(("ix_person_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "unit_use",
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offering_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=("fk_unit_use_offering_id_offering")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=("fk_unit_use_unit_id_unit")),
        sa.PrimaryKeyConstraint("unit_id", "offering_id", name=("pk_unit_use")),
    )
    op.create_table(
        "access_review",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("at_end", sa.String(length=40), nullable=False),
        sa.Column("more_days", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("opened_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("opened_at", database.UTCDateTime(), nullable=False),
        sa.Column("due_at", database.UTCDateTime(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("closed_at", database.UTCDateTime(), nullable=True),
        sa.Column("closed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("close_reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["closed_by_id"], ["person.id"], name=("fk_access_review_closed_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["opened_by_id"], ["person.id"], name=("fk_access_review_opened_by_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_access_review")),
    )
    with op.batch_alter_table("access_review", schema=None) as batch_op:
        batch_op.create_index(("ix_access_review_state"), ["state"], unique=False)

    op.create_table(
        "api_token",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=12), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", database.UTCDateTime(), nullable=False),
        sa.Column("expires_at", database.UTCDateTime(), nullable=False),
        sa.Column("revoked_at", database.UTCDateTime(), nullable=True),
        sa.Column("last_used_at", database.UTCDateTime(), nullable=True),
        sa.Column("minute", database.UTCDateTime(), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=("fk_api_token_created_by_id_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_api_token_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=("uq_api_token_token_hash")),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(("ix_api_token_person_id"), ["person_id"], unique=False)

    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("ordered_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ordered_at", database.UTCDateTime(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("until", database.UTCDateTime(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("units", sa.JSON(), nullable=False),
        sa.Column("offerings", sa.JSON(), nullable=False),
        sa.Column("controls", sa.JSON(), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("disclosure", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("before_size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("after_size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("as_of", database.UTCDateTime(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("population_digest", sa.String(length=80), nullable=False),
        sa.Column("sample_size", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["ordered_by_id"], ["person.id"], name=("fk_audit_ordered_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_audit")),
        sa.UniqueConstraint("reference", name=("uq_audit_reference")),
    )
    op.create_table(
        "auditor_mandate",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("begins_at", database.UTCDateTime(), nullable=False),
        sa.Column("ends_at", database.UTCDateTime(), nullable=False),
        sa.Column("units", sa.JSON(), nullable=False),
        sa.Column("offerings", sa.JSON(), nullable=False),
        sa.Column("since", database.UTCDateTime(), nullable=True),
        sa.Column("until", database.UTCDateTime(), nullable=True),
        sa.Column("given_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("given_at", database.UTCDateTime(), nullable=False),
        sa.Column("ended_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["given_by_id"], ["person.id"], name=("fk_auditor_mandate_given_by_id_person")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_auditor_mandate_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_auditor_mandate")),
    )
    with op.batch_alter_table("auditor_mandate", schema=None) as batch_op:
        batch_op.create_index(("ix_auditor_mandate_person_id"), ["person_id"], unique=False)

    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", database.UTCDateTime(), nullable=False),
        sa.Column("revoked_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_calendar_feed_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_calendar_feed")),
        sa.UniqueConstraint("token_hash", name=("uq_calendar_feed_token_hash")),
    )
    with op.batch_alter_table("calendar_feed", schema=None) as batch_op:
        batch_op.create_index(("ix_calendar_feed_person_id"), ["person_id"], unique=False)

    op.create_table(
        "delegation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("delegator_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("substitute_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("begins_at", database.UTCDateTime(), nullable=False),
        sa.Column("ends_at", database.UTCDateTime(), nullable=False),
        sa.Column("every_offering", sa.Boolean(), nullable=False),
        sa.Column("created_at", database.UTCDateTime(), nullable=False),
        sa.Column("ended_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["delegator_id"], ["person.id"], name=("fk_delegation_delegator_id_person")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["person.id"], name=("fk_delegation_ended_by_id_person")),
        sa.ForeignKeyConstraint(
            ["substitute_id"], ["person.id"], name=("fk_delegation_substitute_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_delegation")),
    )
    with op.batch_alter_table("delegation", schema=None) as batch_op:
        batch_op.create_index("ix_delegation_delegator_id_ends_at", ["delegator_id", "ends_at"], unique=False)
        batch_op.create_index(
            "ix_delegation_substitute_id_ends_at", ["substitute_id", "ends_at"], unique=False
        )

    op.create_table(
        "favourite",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offering_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("created_at", database.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=("fk_favourite_offering_id_offering")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_favourite_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_favourite")),
        sa.UniqueConstraint(
            "person_id", "offering_id", "name", name=("uq_favourite_person_id_offering_id_name")
        ),
    )
    op.create_table(
        "group",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=("fk_group_owner_id_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_group")),
        sa.UniqueConstraint("slug", name=("uq_group_slug")),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("event", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("subject_line", sa.String(length=400), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("created_at", database.UTCDateTime(), nullable=False),
        sa.Column("sent_at", database.UTCDateTime(), nullable=True),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("held_until", database.UTCDateTime(), nullable=True),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("file_text", sa.Text(), nullable=False),
        sa.Column("holder", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_message_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_message")),
        sa.UniqueConstraint("message_id", name=("uq_message_message_id")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(("ix_message_held_until"), ["held_until"], unique=False)
        batch_op.create_index(("ix_message_person_id"), ["person_id"], unique=False)

    op.create_table(
        "offering_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offering_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("publisher_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("published_at", database.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=("fk_offering_version_author_id_person")),
        sa.ForeignKeyConstraint(
            ["offering_id"], ["offering.id"], name=("fk_offering_version_offering_id_offering")
        ),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["person.id"], name=("fk_offering_version_publisher_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_offering_version")),
        sa.UniqueConstraint("offering_id", "number", name=("uq_offering_version_offering_id_number")),
    )
    with op.batch_alter_table("offering_version", schema=None) as batch_op:
        batch_op.create_index(("ix_offering_version_digest"), ["digest"], unique=False)
        batch_op.create_index(("ix_offering_version_offering_id"), ["offering_id"], unique=False)

    op.create_table(
        "passkey",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("credential_id", sa.String(length=1368), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("aaguid", sa.String(length=36), nullable=False),
        sa.Column("transports", sa.JSON(), nullable=False),
        sa.Column("synced", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("enrolled_at", database.UTCDateTime(), nullable=False),
        sa.Column("last_used_at", database.UTCDateTime(), nullable=True),
        sa.Column("revoked_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_passkey_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=("uq_passkey_credential_id")),
    )
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.create_index(("ix_passkey_person_id"), ["person_id"], unique=False)

    op.create_table(
        "person_absence",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=("fk_person_absence_person_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_person_absence")),
        sa.UniqueConstraint(
            "person_id", "first_day", "last_day", name=("uq_person_absence_person_id_first_day_last_day")
        ),
    )
    with op.batch_alter_table("person_absence", schema=None) as batch_op:
        batch_op.create_index(("ix_person_absence_person_id"), ["person_id"], unique=False)

    op.create_table(
        "rota_shift",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rota_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("starts_at", database.UTCDateTime(), nullable=False),
        sa.Column("ends_at", database.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_rota_shift_person_id_person")),
        sa.ForeignKeyConstraint(["rota_id"], ["rota.id"], name=("fk_rota_shift_rota_id_rota")),
        sa.PrimaryKeyConstraint("id", name=("pk_rota_shift")),
    )
    with op.batch_alter_table("rota_shift", schema=None) as batch_op:
        batch_op.create_index(("ix_rota_shift_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_rota_shift_rota_id_ends_at", ["rota_id", "ends_at"], unique=False)

    op.create_table(
        "web_session",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", database.UTCDateTime(), nullable=False),
        sa.Column("seen_at", database.UTCDateTime(), nullable=False),
        sa.Column("expires_at", database.UTCDateTime(), nullable=False),
        sa.Column("ended_at", database.UTCDateTime(), nullable=True),
        sa.Column("auth_time", database.UTCDateTime(), nullable=True),
        sa.Column("acr", sa.String(length=200), nullable=False),
        sa.Column("amr", sa.JSON(), nullable=False),
        sa.Column("provider_sid", sa.String(length=255), nullable=False),
        sa.Column("id_token", sa.String(length=8000), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_web_session_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_web_session")),
        sa.UniqueConstraint("token_hash", name=("uq_web_session_token_hash")),
    )
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.create_index(("ix_web_session_person_id"), ["person_id"], unique=False)
        batch_op.create_index(("ix_web_session_provider_sid"), ["provider_sid"], unique=False)

    op.create_table(
        "access_review_reviewer",
        sa.Column("review_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("told_at", database.UTCDateTime(), nullable=False),
        sa.Column("remind_at", database.UTCDateTime(), nullable=True),
        sa.Column("last_reminder_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=("fk_access_review_reviewer_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["review_id"], ["access_review.id"], name=("fk_access_review_reviewer_review_id_access_review")
        ),
        sa.PrimaryKeyConstraint("review_id", "person_id", name=("pk_access_review_reviewer")),
    )
    with op.batch_alter_table("access_review_reviewer", schema=None) as batch_op:
        batch_op.create_index(("ix_access_review_reviewer_person_id"), ["person_id"], unique=False)

    op.create_table(
        "asset",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asset_id", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("owner_group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("criticality", sa.String(length=10), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("addresses", sa.JSON(), nullable=False),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(owner_group_id IS NULL) <> (owner_id IS NULL)", name=("ck_asset_one_owner")),
        sa.ForeignKeyConstraint(["owner_group_id"], ["group.id"], name=("fk_asset_owner_group_id_group")),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=("fk_asset_owner_id_person")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=("fk_asset_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=("pk_asset")),
        sa.UniqueConstraint("asset_id", name=("uq_asset_asset_id")),
    )
    with op.batch_alter_table("asset", schema=None) as batch_op:
        batch_op.create_index("ix_asset_name", ["name"], unique=False)

    op.create_table(
        "audit_draw",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("nonce", sa.String(length=200), nullable=False),
        sa.Column("given_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("given_at", database.UTCDateTime(), nullable=False),
        sa.Column("drawn", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("made_size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("made_at", database.UTCDateTime(), nullable=True),
        sa.Column("finished_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=("fk_audit_draw_audit_id_audit")),
        sa.ForeignKeyConstraint(["given_by_id"], ["person.id"], name=("fk_audit_draw_given_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_audit_draw")),
        sa.UniqueConstraint("audit_id", "number", name=("uq_audit_draw_audit_id_number")),
    )
    op.create_table(
        "audit_facts",
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("completeness", sa.JSON(), nullable=False),
        sa.Column("sections", sa.JSON(), nullable=False),
        sa.Column("units", sa.JSON(), nullable=False),
        sa.Column("offerings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=("fk_audit_facts_audit_id_audit")),
        sa.PrimaryKeyConstraint("audit_id", name=("pk_audit_facts")),
    )
    op.create_table(
        "delegation_offering",
        sa.Column("delegation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["delegation_id"],
            ["delegation.id"],
            name=("fk_delegation_offering_delegation_id_delegation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delegation_id", "slug", name=("pk_delegation_offering")),
    )
    op.create_table(
        "membership",
        sa.Column("group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["group.id"], name=("fk_membership_group_id_group"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=("fk_membership_person_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "person_id", name=("pk_membership")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(("ix_membership_person_id"), ["person_id"], unique=False)

    op.create_table(
        "offering_draft",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("created_at", database.UTCDateTime(), nullable=False),
        sa.Column("updated_at", database.UTCDateTime(), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=("fk_offering_draft_author_id_person")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["offering_version.id"], name=("fk_offering_draft_version_id_offering_version")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_offering_draft")),
    )
    with op.batch_alter_table("offering_draft", schema=None) as batch_op:
        batch_op.create_index(("ix_offering_draft_slug"), ["slug"], unique=False)

    op.create_table(
        "order_group",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "offering_version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("created_at", database.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["offering_version_id"],
            ["offering_version.id"],
            name=("fk_order_group_offering_version_id_offering_version"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_order_group_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_order_group")),
        sa.UniqueConstraint("token", name=("uq_order_group_token")),
    )
    with op.batch_alter_table("order_group", schema=None) as batch_op:
        batch_op.create_index(("ix_order_group_person_id"), ["person_id"], unique=False)

    op.create_table(
        "published_replay",
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["offering_version.id"], name=("fk_published_replay_version_id_offering_version")
        ),
        sa.PrimaryKeyConstraint("version_id", name=("pk_published_replay")),
    )
    op.create_table(
        "standing_approval",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offering_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "offering_version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("ends_at", database.UTCDateTime(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("proposer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("proposed_at", database.UTCDateTime(), nullable=False),
        sa.Column("in_force_at", database.UTCDateTime(), nullable=True),
        sa.Column("revoked_at", database.UTCDateTime(), nullable=True),
        sa.Column("revoked_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("revoked_because", sa.Text(), nullable=False),
        sa.CheckConstraint("used <= uses", name=("ck_standing_approval_uses")),
        sa.ForeignKeyConstraint(
            ["offering_id"], ["offering.id"], name=("fk_standing_approval_offering_id_offering")
        ),
        sa.ForeignKeyConstraint(
            ["offering_version_id"],
            ["offering_version.id"],
            name=("fk_standing_approval_offering_version_id_offering_version"),
        ),
        sa.ForeignKeyConstraint(
            ["proposer_id"], ["person.id"], name=("fk_standing_approval_proposer_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by_id"], ["person.id"], name=("fk_standing_approval_revoked_by_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_standing_approval")),
    )
    with op.batch_alter_table("standing_approval", schema=None) as batch_op:
        batch_op.create_index(
            "ix_standing_approval_offering_id_state", ["offering_id", "state"], unique=False
        )

    op.create_table(
        "audit_file",
        sa.Column("draw_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("bytes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["audit_draw.id"], name=("fk_audit_file_draw_id_audit_draw")),
        sa.PrimaryKeyConstraint("draw_id", "name", name=("pk_audit_file")),
    )
    op.create_table(
        "bulk_order",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "offering_version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("created_at", database.UTCDateTime(), nullable=False),
        sa.Column("order_group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["offering_version_id"],
            ["offering_version.id"],
            name=("fk_bulk_order_offering_version_id_offering_version"),
        ),
        sa.ForeignKeyConstraint(
            ["order_group_id"], ["order_group.id"], name=("fk_bulk_order_order_group_id_order_group")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_bulk_order_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_bulk_order")),
        sa.UniqueConstraint("order_group_id", name=("uq_bulk_order_order_group_id")),
        sa.UniqueConstraint("token", name=("uq_bulk_order_token")),
    )
    with op.batch_alter_table("bulk_order", schema=None) as batch_op:
        batch_op.create_index(("ix_bulk_order_person_id"), ["person_id"], unique=False)

    op.create_table(
        "change_restriction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("offering_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("asset_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("times", sa.JSON(), nullable=False),
        sa.Column("begins_at", database.UTCDateTime(), nullable=True),
        sa.Column("ends_at", database.UTCDateTime(), nullable=True),
        sa.Column("set_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("set_at", database.UTCDateTime(), nullable=False),
        sa.Column("ended_at", database.UTCDateTime(), nullable=True),
        sa.Column("ended_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "(CASE WHEN offering_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN unit_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN asset_id IS NULL THEN 0 ELSE 1 END) = (CASE WHEN scope = 'all' THEN 0 ELSE 1 END)",
            name=("ck_change_restriction_one_scope"),
        ),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=("fk_change_restriction_asset_id_asset")),
        sa.ForeignKeyConstraint(
            ["ended_by_id"], ["person.id"], name=("fk_change_restriction_ended_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["offering_id"], ["offering.id"], name=("fk_change_restriction_offering_id_offering")
        ),
        sa.ForeignKeyConstraint(
            ["set_by_id"], ["person.id"], name=("fk_change_restriction_set_by_id_person")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=("fk_change_restriction_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=("pk_change_restriction")),
    )
    with op.batch_alter_table("change_restriction", schema=None) as batch_op:
        batch_op.create_index("ix_change_restriction_ended_at_ends_at", ["ended_at", "ends_at"], unique=False)

    op.create_table(
        "offering_replay",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("draft_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("base_digest", sa.String(length=80), nullable=False),
        sa.Column("asked_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("publisher_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("asked_at", database.UTCDateTime(), nullable=False),
        sa.Column("finished_at", database.UTCDateTime(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("result_digest", sa.String(length=80), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["person.id"], name=("fk_offering_replay_asked_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["offering_draft.id"], name=("fk_offering_replay_draft_id_offering_draft")
        ),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["person.id"], name=("fk_offering_replay_publisher_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_offering_replay")),
    )
    with op.batch_alter_table("offering_replay", schema=None) as batch_op:
        batch_op.create_index(("ix_offering_replay_draft_id"), ["draft_id"], unique=False)

    op.create_table(
        "request",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column(
            "offering_version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("requester_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("beneficiary_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("editor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("likeness", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("submitted_at", database.UTCDateTime(), nullable=False),
        sa.Column("ends_at", database.UTCDateTime(), nullable=True),
        sa.Column("promised_by", database.UTCDateTime(), nullable=True),
        sa.Column("promise_missed_at", database.UTCDateTime(), nullable=True),
        sa.Column("paused_since", database.UTCDateTime(), nullable=True),
        sa.Column("paused_minutes", sa.Integer(), nullable=False),
        sa.Column("risk", sa.JSON(), nullable=False),
        sa.Column("plans", sa.JSON(), nullable=False),
        sa.Column("route", sa.JSON(), nullable=False),
        sa.Column("seal", sa.String(length=80), nullable=False),
        sa.Column("sealed_at", database.UTCDateTime(), nullable=True),
        sa.Column("baton", sa.Text(), nullable=False),
        sa.Column("baton_since", database.UTCDateTime(), nullable=True),
        sa.Column("baton_due", database.UTCDateTime(), nullable=True),
        sa.Column("decided_at", database.UTCDateTime(), nullable=True),
        sa.Column("fulfilled_at", database.UTCDateTime(), nullable=True),
        sa.Column("closed_at", database.UTCDateTime(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["beneficiary_id"], ["person.id"], name=("fk_request_beneficiary_id_person")),
        sa.ForeignKeyConstraint(["editor_id"], ["person.id"], name=("fk_request_editor_id_person")),
        sa.ForeignKeyConstraint(
            ["offering_version_id"],
            ["offering_version.id"],
            name=("fk_request_offering_version_id_offering_version"),
        ),
        sa.ForeignKeyConstraint(
            ["order_group_id"], ["order_group.id"], name=("fk_request_order_group_id_order_group")
        ),
        sa.ForeignKeyConstraint(["requester_id"], ["person.id"], name=("fk_request_requester_id_person")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=("fk_request_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=("pk_request")),
        sa.UniqueConstraint("number", name=("uq_request_number")),
        sa.UniqueConstraint("reference", name=("uq_request_reference")),
    )
    with op.batch_alter_table("request", schema=None) as batch_op:
        batch_op.create_index(("ix_request_beneficiary_id"), ["beneficiary_id"], unique=False)
        batch_op.create_index(("ix_request_likeness"), ["likeness"], unique=False)
        batch_op.create_index(("ix_request_offering_version_id"), ["offering_version_id"], unique=False)
        batch_op.create_index(("ix_request_order_group_id"), ["order_group_id"], unique=False)
        batch_op.create_index("ix_request_promised_by", ["promised_by"], unique=False)
        batch_op.create_index("ix_request_requester_number", ["requester_id", "number"], unique=False)
        batch_op.create_index("ix_request_state_number", ["state", "number"], unique=False)
        batch_op.create_index("ix_request_unit_id_number", ["unit_id", "number"], unique=False)

    op.create_table(
        "standing_signature",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("standing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("signed_at", database.UTCDateTime(), nullable=False),
        sa.Column("auth_time", database.UTCDateTime(), nullable=False),
        sa.Column("acr", sa.String(length=200), nullable=False),
        sa.Column("amr", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=("fk_standing_signature_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["standing_id"],
            ["standing_approval.id"],
            name=("fk_standing_signature_standing_id_standing_approval"),
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_standing_signature")),
        sa.UniqueConstraint("standing_id", "person_id", name=("uq_standing_signature_standing_id_person_id")),
    )
    op.create_table(
        "attachment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("uploader_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", database.UTCDateTime(), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("part", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_attachment_request_id_request")),
        sa.ForeignKeyConstraint(["uploader_id"], ["person.id"], name=("fk_attachment_uploader_id_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_attachment")),
        sa.UniqueConstraint(
            "request_id", "digest", "name", "part", name=("uq_attachment_request_id_digest_name_part")
        ),
    )
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index("ix_attachment_digest", ["digest"], unique=False)
        batch_op.create_index(("ix_attachment_request_id"), ["request_id"], unique=False)
        batch_op.create_index("ix_attachment_uploader_digest", ["uploader_id", "digest"], unique=False)

    op.create_table(
        "audit_row",
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=("fk_audit_row_audit_id_audit")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_audit_row_request_id_request")),
        sa.PrimaryKeyConstraint("audit_id", "position", name=("pk_audit_row")),
    )
    op.create_table(
        "card_opening",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seal", sa.String(length=80), nullable=False),
        sa.Column("opened_at", database.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_card_opening_person_id_person")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_card_opening_request_id_request")),
        sa.PrimaryKeyConstraint("person_id", "request_id", name=("pk_card_opening")),
    )
    with op.batch_alter_table("card_opening", schema=None) as batch_op:
        batch_op.create_index(("ix_card_opening_request_id"), ["request_id"], unique=False)

    op.create_table(
        "draft",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "offering_version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("saves", sa.JSON(), nullable=False),
        sa.Column("updated_at", database.UTCDateTime(), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("order_group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["offering_version_id"],
            ["offering_version.id"],
            name=("fk_draft_offering_version_id_offering_version"),
        ),
        sa.ForeignKeyConstraint(
            ["order_group_id"], ["order_group.id"], name=("fk_draft_order_group_id_order_group")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_draft_person_id_person")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_draft_request_id_request")),
        sa.PrimaryKeyConstraint("id", name=("pk_draft")),
        sa.UniqueConstraint("order_group_id", name=("uq_draft_order_group_id")),
        sa.UniqueConstraint("request_id", name=("uq_draft_request_id")),
        sa.UniqueConstraint("token", name=("uq_draft_token")),
    )
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.create_index(("ix_draft_person_id"), ["person_id"], unique=False)

    op.create_table(
        "evidence_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("story", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("checkpoint_size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("made_at", database.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_evidence_file_request_id_request")),
        sa.PrimaryKeyConstraint("id", name=("pk_evidence_file")),
        sa.UniqueConstraint(
            "request_id", "story", "language", name=("uq_evidence_file_request_id_story_language")
        ),
    )
    with op.batch_alter_table("evidence_file", schema=None) as batch_op:
        batch_op.create_index(("ix_evidence_file_digest"), ["digest"], unique=False)

    op.create_table(
        "glass",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("seal", sa.String(length=80), nullable=False),
        sa.Column("said_at", database.UTCDateTime(), nullable=False),
        sa.Column("ends_at", database.UTCDateTime(), nullable=False),
        sa.Column("auth_time", database.UTCDateTime(), nullable=False),
        sa.Column("acr", sa.String(length=200), nullable=False),
        sa.Column("amr", sa.JSON(), nullable=False),
        sa.Column("broken_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_glass_person_id_person")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_glass_request_id_request")),
        sa.PrimaryKeyConstraint("id", name=("pk_glass")),
    )
    with op.batch_alter_table("glass", schema=None) as batch_op:
        batch_op.create_index("ix_glass_request_id", ["request_id"], unique=False)

    op.create_table(
        "legal_hold",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("placed_at", database.UTCDateTime(), nullable=False),
        sa.Column("lifted_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("lifted_at", database.UTCDateTime(), nullable=True),
        sa.Column("lifted_because", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["lifted_by_id"], ["person.id"], name=("fk_legal_hold_lifted_by_id_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_legal_hold_person_id_person")),
        sa.ForeignKeyConstraint(["placed_by_id"], ["person.id"], name=("fk_legal_hold_placed_by_id_person")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_legal_hold_request_id_request")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=("fk_legal_hold_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=("pk_legal_hold")),
    )
    op.create_table(
        "manual_task",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("entitlement_key", sa.String(length=400), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("instructions", sa.Text(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("holder_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", database.UTCDateTime(), nullable=False),
        sa.Column("closed_at", database.UTCDateTime(), nullable=True),
        sa.Column("closed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("undone_at", database.UTCDateTime(), nullable=True),
        sa.Column("told_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["closed_by_id"], ["person.id"], name=("fk_manual_task_closed_by_id_person")),
        sa.ForeignKeyConstraint(["group_id"], ["group.id"], name=("fk_manual_task_group_id_group")),
        sa.ForeignKeyConstraint(["holder_id"], ["person.id"], name=("fk_manual_task_holder_id_person")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_manual_task_request_id_request")),
        sa.PrimaryKeyConstraint("id", name=("pk_manual_task")),
        sa.UniqueConstraint("key", "action", "round", name=("uq_manual_task_key_action_round")),
    )
    with op.batch_alter_table("manual_task", schema=None) as batch_op:
        batch_op.create_index("ix_manual_task_entitlement_key", ["entitlement_key"], unique=False)
        batch_op.create_index("ix_manual_task_group_state", ["group_id", "state"], unique=False)
        batch_op.create_index(("ix_manual_task_request_id"), ["request_id"], unique=False)

    op.create_table(
        "planned_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offering_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("concerns", sa.JSON(), nullable=False),
        sa.Column("planned_at", database.UTCDateTime(), nullable=True),
        sa.Column("planned_until", database.UTCDateTime(), nullable=True),
        sa.Column("windows", sa.JSON(), nullable=False),
        sa.Column("freezes", sa.JSON(), nullable=False),
        sa.Column("impossible", sa.Boolean(), nullable=False),
        sa.Column("scheduled", sa.Boolean(), nullable=False),
        sa.Column("started_at", database.UTCDateTime(), nullable=True),
        sa.Column("finished_at", database.UTCDateTime(), nullable=True),
        sa.Column("shown_at", database.UTCDateTime(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("updated_at", database.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["offering_id"], ["offering.id"], name=("fk_planned_change_offering_id_offering")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=("fk_planned_change_request_id_request")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=("fk_planned_change_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=("pk_planned_change")),
        sa.UniqueConstraint("request_id", name=("uq_planned_change_request_id")),
        sa.UniqueConstraint("uid", name=("uq_planned_change_uid")),
    )
    with op.batch_alter_table("planned_change", schema=None) as batch_op:
        batch_op.create_index(("ix_planned_change_offering_id"), ["offering_id"], unique=False)
        batch_op.create_index("ix_planned_change_shown_at", ["shown_at"], unique=False)
        batch_op.create_index(("ix_planned_change_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "review",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("seats", sa.JSON(), nullable=False),
        sa.Column("opened_at", database.UTCDateTime(), nullable=False),
        sa.Column("due_at", database.UTCDateTime(), nullable=False),
        sa.Column("closed_at", database.UTCDateTime(), nullable=True),
        sa.Column("undone_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_review_request_id_request")),
        sa.PrimaryKeyConstraint("id", name=("pk_review")),
        sa.UniqueConstraint("request_id", "revision", name=("uq_review_request_id_revision")),
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index("ix_review_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "sealing",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("seal", sa.String(length=80), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("sealed_at", database.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_sealing_request_id_request")),
        sa.PrimaryKeyConstraint("id", name=("pk_sealing")),
        sa.UniqueConstraint("request_id", "revision", name=("uq_sealing_request_id_revision")),
    )
    with op.batch_alter_table("sealing", schema=None) as batch_op:
        batch_op.create_index(("ix_sealing_seal"), ["seal"], unique=False)

    op.create_table(
        "stage",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("part_of", sa.Text(), nullable=False),
        sa.Column("quorum", sa.Integer(), nullable=False),
        sa.Column("target_minutes", sa.Integer(), nullable=False),
        sa.Column("acr", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("opened_at", database.UTCDateTime(), nullable=True),
        sa.Column("due_at", database.UTCDateTime(), nullable=True),
        sa.Column("closed_at", database.UTCDateTime(), nullable=True),
        sa.Column("escalations", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_stage_request_id_request")),
        sa.PrimaryKeyConstraint("id", name=("pk_stage")),
        sa.UniqueConstraint(
            "request_id", "revision", "position", "part", name=("uq_stage_request_id_revision_position_part")
        ),
    )
    with op.batch_alter_table("stage", schema=None) as batch_op:
        batch_op.create_index(("ix_stage_request_id"), ["request_id"], unique=False)
        batch_op.create_index("ix_stage_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "standing_use",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("standing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("spent_at", database.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_standing_use_request_id_request")),
        sa.ForeignKeyConstraint(
            ["standing_id"], ["standing_approval.id"], name=("fk_standing_use_standing_id_standing_approval")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_standing_use")),
        sa.UniqueConstraint("standing_id", "request_id", name=("uq_standing_use_standing_id_request_id")),
    )
    with op.batch_alter_table("standing_use", schema=None) as batch_op:
        batch_op.create_index(("ix_standing_use_request_id"), ["request_id"], unique=False)

    op.create_table(
        "step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("connector", sa.String(length=40), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.Column("read_back", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("drifted", sa.Boolean(), nullable=False),
        sa.Column("started_at", database.UTCDateTime(), nullable=True),
        sa.Column("finished_at", database.UTCDateTime(), nullable=True),
        sa.Column("secret_shown_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_step_request_id_request")),
        sa.PrimaryKeyConstraint("id", name=("pk_step")),
        sa.UniqueConstraint("key", name=("uq_step_key")),
        sa.UniqueConstraint(
            "request_id",
            "revision",
            "attempt",
            "position",
            name=("uq_step_request_id_revision_attempt_position"),
        ),
    )
    with op.batch_alter_table("step", schema=None) as batch_op:
        batch_op.create_index(("ix_step_request_id"), ["request_id"], unique=False)

    op.create_table(
        "approval_link",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("stage_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", database.UTCDateTime(), nullable=False),
        sa.Column("expires_at", database.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_approval_link_person_id_person")),
        sa.ForeignKeyConstraint(["stage_id"], ["stage.id"], name=("fk_approval_link_stage_id_stage")),
        sa.PrimaryKeyConstraint("id", name=("pk_approval_link")),
        sa.UniqueConstraint("token_hash", name=("uq_approval_link_token_hash")),
    )
    with op.batch_alter_table("approval_link", schema=None) as batch_op:
        batch_op.create_index(("ix_approval_link_stage_id"), ["stage_id"], unique=False)

    op.create_table(
        "artefact",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("step_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_artefact_request_id_request")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=("fk_artefact_step_id_step")),
        sa.PrimaryKeyConstraint("id", name=("pk_artefact")),
        sa.UniqueConstraint("step_id", "name", name=("uq_artefact_step_id_name")),
    )
    with op.batch_alter_table("artefact", schema=None) as batch_op:
        batch_op.create_index(("ix_artefact_request_id"), ["request_id"], unique=False)

    op.create_table(
        "by_hand",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("step_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("undone", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("claimed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("claimed_at", database.UTCDateTime(), nullable=False),
        sa.Column("target", sa.JSON(), nullable=False),
        sa.Column("closed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("closed_at", database.UTCDateTime(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["claimed_by_id"], ["person.id"], name=("fk_by_hand_claimed_by_id_person")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["person.id"], name=("fk_by_hand_closed_by_id_person")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_by_hand_request_id_request")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=("fk_by_hand_step_id_step")),
        sa.PrimaryKeyConstraint("id", name=("pk_by_hand")),
    )
    with op.batch_alter_table("by_hand", schema=None) as batch_op:
        batch_op.create_index(("ix_by_hand_request_id"), ["request_id"], unique=False)
        batch_op.create_index(("ix_by_hand_step_id"), ["step_id"], unique=False)
        batch_op.create_index(
            "uq_by_hand_open_step",
            ["step_id"],
            unique=True,
            sqlite_where=sa.text("state = 'claimed'"),
            postgresql_where=sa.text("state = 'claimed'"),
        )

    op.create_table(
        "decision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("stage_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("on_behalf_of_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("verdict", sa.String(length=40), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("seal", sa.String(length=80), nullable=False),
        sa.Column("decided_at", database.UTCDateTime(), nullable=False),
        sa.Column("auth_time", database.UTCDateTime(), nullable=False),
        sa.Column("acr", sa.String(length=200), nullable=False),
        sa.Column("amr", sa.JSON(), nullable=False),
        sa.Column("voided_at", database.UTCDateTime(), nullable=True),
        sa.Column("voided_because", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["on_behalf_of_id"], ["person.id"], name=("fk_decision_on_behalf_of_id_person")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_decision_person_id_person")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_decision_request_id_request")),
        sa.ForeignKeyConstraint(["stage_id"], ["stage.id"], name=("fk_decision_stage_id_stage")),
        sa.PrimaryKeyConstraint("id", name=("pk_decision")),
        sa.UniqueConstraint(
            "request_id",
            "revision",
            "on_behalf_of_id",
            name=("uq_decision_request_id_revision_on_behalf_of_id"),
        ),
        sa.UniqueConstraint(
            "request_id", "revision", "person_id", name=("uq_decision_request_id_revision_person_id")
        ),
        sa.UniqueConstraint("stage_id", "person_id", name=("uq_decision_stage_id_person_id")),
    )
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.create_index(("ix_decision_request_id"), ["request_id"], unique=False)

    op.create_table(
        "entitlement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("step_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connector", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("granted_at", database.UTCDateTime(), nullable=False),
        sa.Column("ends_at", database.UTCDateTime(), nullable=True),
        sa.Column("ended_at", database.UTCDateTime(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.String(length=20), nullable=False),
        sa.Column("review_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_entitlement_person_id_person")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_entitlement_request_id_request")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=("fk_entitlement_step_id_step")),
        sa.PrimaryKeyConstraint("id", name=("pk_entitlement")),
        sa.UniqueConstraint("step_id", name=("uq_entitlement_step_id")),
    )
    with op.batch_alter_table("entitlement", schema=None) as batch_op:
        batch_op.create_index("ix_entitlement_connector_key", ["connector", "key"], unique=False)
        batch_op.create_index("ix_entitlement_person_state", ["person_id", "state"], unique=False)
        batch_op.create_index(("ix_entitlement_request_id"), ["request_id"], unique=False)
        batch_op.create_index("ix_entitlement_state_ends_at", ["state", "ends_at"], unique=False)
        batch_op.create_index("ix_entitlement_state_review_at", ["state", "review_at"], unique=False)

    op.create_table(
        "manual_item",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("ticked_at", database.UTCDateTime(), nullable=True),
        sa.Column("ticked_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["manual_task.id"], name=("fk_manual_item_task_id_manual_task")),
        sa.ForeignKeyConstraint(["ticked_by_id"], ["person.id"], name=("fk_manual_item_ticked_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_manual_item")),
        sa.UniqueConstraint("task_id", "position", name=("uq_manual_item_task_id_position")),
    )
    op.create_table(
        "planned_change_asset",
        sa.Column("change_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asset_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=("fk_planned_change_asset_asset_id_asset")),
        sa.ForeignKeyConstraint(
            ["change_id"],
            ["planned_change.id"],
            name=("fk_planned_change_asset_change_id_planned_change"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("change_id", "asset_id", name=("pk_planned_change_asset")),
    )
    with op.batch_alter_table("planned_change_asset", schema=None) as batch_op:
        batch_op.create_index(("ix_planned_change_asset_asset_id"), ["asset_id"], unique=False)

    op.create_table(
        "planned_change_person",
        sa.Column("change_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_id"],
            ["planned_change.id"],
            name=("fk_planned_change_person_change_id_planned_change"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=("fk_planned_change_person_person_id_person")
        ),
        sa.PrimaryKeyConstraint("change_id", "person_id", name=("pk_planned_change_person")),
    )
    with op.batch_alter_table("planned_change_person", schema=None) as batch_op:
        batch_op.create_index(("ix_planned_change_person_person_id"), ["person_id"], unique=False)

    op.create_table(
        "reassignment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stage_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("to_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", database.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["from_id"], ["person.id"], name=("fk_reassignment_from_id_person")),
        sa.ForeignKeyConstraint(["stage_id"], ["stage.id"], name=("fk_reassignment_stage_id_stage")),
        sa.ForeignKeyConstraint(["to_id"], ["person.id"], name=("fk_reassignment_to_id_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_reassignment")),
    )
    with op.batch_alter_table("reassignment", schema=None) as batch_op:
        batch_op.create_index("ix_reassignment_from_id_stage_id", ["from_id", "stage_id"], unique=True)
        batch_op.create_index(("ix_reassignment_stage_id"), ["stage_id"], unique=False)

    op.create_table(
        "remark",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("stage_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("said_at", database.UTCDateTime(), nullable=False),
        sa.Column("seal", sa.String(length=80), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("replied_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=("fk_remark_author_id_person")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_remark_request_id_request")),
        sa.ForeignKeyConstraint(["stage_id"], ["stage.id"], name=("fk_remark_stage_id_stage")),
        sa.PrimaryKeyConstraint("id", name=("pk_remark")),
    )
    with op.batch_alter_table("remark", schema=None) as batch_op:
        batch_op.create_index("ix_remark_request_id_id", ["request_id", "id"], unique=False)

    op.create_table(
        "review_word",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("review_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("finding", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("said_at", database.UTCDateTime(), nullable=False),
        sa.Column("auth_time", database.UTCDateTime(), nullable=False),
        sa.Column("acr", sa.String(length=200), nullable=False),
        sa.Column("amr", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_review_word_person_id_person")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=("fk_review_word_review_id_review")),
        sa.PrimaryKeyConstraint("id", name=("pk_review_word")),
        sa.UniqueConstraint("review_id", "person_id", name=("uq_review_word_review_id_person_id")),
    )
    op.create_table(
        "reviewer",
        sa.Column("review_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stage", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_reviewer_person_id_person")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=("fk_reviewer_review_id_review")),
        sa.PrimaryKeyConstraint("review_id", "stage", "person_id", name=("pk_reviewer")),
    )
    with op.batch_alter_table("reviewer", schema=None) as batch_op:
        batch_op.create_index("ix_reviewer_person_id", ["person_id"], unique=False)

    op.create_table(
        "stage_approver",
        sa.Column("stage_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.Column("called", sa.Boolean(), nullable=False),
        sa.Column("replaced_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=("fk_stage_approver_person_id_person")),
        sa.ForeignKeyConstraint(["stage_id"], ["stage.id"], name=("fk_stage_approver_stage_id_stage")),
        sa.PrimaryKeyConstraint("stage_id", "person_id", name=("pk_stage_approver")),
    )
    with op.batch_alter_table("stage_approver", schema=None) as batch_op:
        batch_op.create_index("ix_stage_approver_person_id_stage_id", ["person_id", "stage_id"], unique=False)

    op.create_table(
        "stage_timer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stage_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("paused_minutes", sa.Integer(), nullable=False),
        sa.Column("due_at", database.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["stage_id"], ["stage.id"], name=("fk_stage_timer_stage_id_stage")),
        sa.PrimaryKeyConstraint("id", name=("pk_stage_timer")),
        sa.UniqueConstraint("stage_id", "kind", "minutes", name=("uq_stage_timer_stage_id_kind_minutes")),
    )
    with op.batch_alter_table("stage_timer", schema=None) as batch_op:
        batch_op.create_index(("ix_stage_timer_due_at"), ["due_at"], unique=False)

    op.create_table(
        "access_review_item",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("review_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entitlement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("as_opened", sa.JSON(), nullable=False),
        sa.Column("last_used_at", database.UTCDateTime(), nullable=True),
        sa.Column("due_at", database.UTCDateTime(), nullable=False),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("answered_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("answered_at", database.UTCDateTime(), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("ends_at", database.UTCDateTime(), nullable=True),
        sa.Column("ended_before", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["person.id"], name=("fk_access_review_item_answered_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name=("fk_access_review_item_entitlement_id_entitlement")
        ),
        sa.ForeignKeyConstraint(
            ["review_id"], ["access_review.id"], name=("fk_access_review_item_review_id_access_review")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_access_review_item")),
        sa.UniqueConstraint(
            "review_id", "entitlement_id", name=("uq_access_review_item_review_id_entitlement_id")
        ),
    )
    with op.batch_alter_table("access_review_item", schema=None) as batch_op:
        batch_op.create_index(("ix_access_review_item_entitlement_id"), ["entitlement_id"], unique=False)
        batch_op.create_index(
            "ix_access_review_item_review_id_state_due_at", ["review_id", "state", "due_at"], unique=False
        )

    op.create_table(
        "decision_signature",
        sa.Column("decision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("passkey_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("client_data", sa.LargeBinary(), nullable=False),
        sa.Column("authenticator_data", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.String(length=80), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("signed_at", database.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision.id"], name=("fk_decision_signature_decision_id_decision")
        ),
        sa.ForeignKeyConstraint(
            ["passkey_id"], ["passkey.id"], name=("fk_decision_signature_passkey_id_passkey")
        ),
        sa.PrimaryKeyConstraint("decision_id", name=("pk_decision_signature")),
        sa.UniqueConstraint("nonce", name=("uq_decision_signature_nonce")),
    )
    with op.batch_alter_table("decision_signature", schema=None) as batch_op:
        batch_op.create_index(("ix_decision_signature_passkey_id"), ["passkey_id"], unique=False)

    op.create_table(
        "entitlement_owner",
        sa.Column("entitlement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name=("fk_entitlement_owner_entitlement_id_entitlement")
        ),
        sa.PrimaryKeyConstraint("entitlement_id", "rule", name=("pk_entitlement_owner")),
    )
    with op.batch_alter_table("entitlement_owner", schema=None) as batch_op:
        batch_op.create_index(
            "ix_entitlement_owner_rule_entitlement_id", ["rule", "entitlement_id"], unique=False
        )

    op.create_table(
        "extension",
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entitlement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ended_before", database.UTCDateTime(), nullable=False),
        sa.Column("until", database.UTCDateTime(), nullable=False),
        sa.Column("applied_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name=("fk_extension_entitlement_id_entitlement")
        ),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_extension_request_id_request")),
        sa.PrimaryKeyConstraint("request_id", name=("pk_extension")),
    )
    with op.batch_alter_table("extension", schema=None) as batch_op:
        batch_op.create_index(("ix_extension_entitlement_id"), ["entitlement_id"], unique=False)

    op.create_table(
        "finding",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connector", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("open_key", sa.String(length=80), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("entitlement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("first_seen_at", database.UTCDateTime(), nullable=False),
        sa.Column("last_seen_at", database.UTCDateTime(), nullable=False),
        sa.Column("closed_at", database.UTCDateTime(), nullable=True),
        sa.Column("told_at", database.UTCDateTime(), nullable=True),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name=("fk_finding_entitlement_id_entitlement")
        ),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=("fk_finding_request_id_request")),
        sa.PrimaryKeyConstraint("id", name=("pk_finding")),
        sa.UniqueConstraint("open_key", name=("uq_finding_open_key")),
    )
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.create_index(
            "ix_finding_connector_state_last_seen_at", ["connector", "state", "last_seen_at"], unique=False
        )
        batch_op.create_index("ix_finding_owner_state", ["owner", "state"], unique=False)
        batch_op.create_index(("ix_finding_request_id"), ["request_id"], unique=False)
        batch_op.create_index("ix_finding_state_id", ["state", "id"], unique=False)

    op.create_table(
        "recertification",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entitlement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("asked_at", database.UTCDateTime(), nullable=False),
        sa.Column("due_at", database.UTCDateTime(), nullable=False),
        sa.Column("remind_at", database.UTCDateTime(), nullable=True),
        sa.Column("last_used_at", database.UTCDateTime(), nullable=True),
        sa.Column("closed_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name=("fk_recertification_entitlement_id_entitlement")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_recertification")),
    )
    with op.batch_alter_table("recertification", schema=None) as batch_op:
        batch_op.create_index(("ix_recertification_entitlement_id"), ["entitlement_id"], unique=False)
        batch_op.create_index("ix_recertification_state_due_at", ["state", "due_at"], unique=False)
        batch_op.create_index("ix_recertification_state_remind_at", ["state", "remind_at"], unique=False)

    op.create_table(
        "access_review_item_reviewer",
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["access_review_item.id"],
            name=("fk_access_review_item_reviewer_item_id_access_review_item"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=("fk_access_review_item_reviewer_person_id_person")
        ),
        sa.PrimaryKeyConstraint("item_id", "person_id", name=("pk_access_review_item_reviewer")),
    )
    with op.batch_alter_table("access_review_item_reviewer", schema=None) as batch_op:
        batch_op.create_index(("ix_access_review_item_reviewer_person_id"), ["person_id"], unique=False)

    op.create_table(
        "finding_acceptance",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("finding_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("proposed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("proposed_at", database.UTCDateTime(), nullable=False),
        sa.Column("confirmed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("confirmed_at", database.UTCDateTime(), nullable=True),
        sa.Column("ended_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["confirmed_by_id"], ["person.id"], name=("fk_finding_acceptance_confirmed_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["finding_id"], ["finding.id"], name=("fk_finding_acceptance_finding_id_finding")
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by_id"], ["person.id"], name=("fk_finding_acceptance_proposed_by_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_finding_acceptance")),
    )
    with op.batch_alter_table("finding_acceptance", schema=None) as batch_op:
        batch_op.create_index(("ix_finding_acceptance_finding_id"), ["finding_id"], unique=False)

    op.create_table(
        "recertification_voice",
        sa.Column("recertification_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("part", sa.String(length=40), nullable=False),
        sa.Column("rule", sa.String(length=120), nullable=False),
        sa.Column("answer", sa.String(length=40), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("answered_at", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=("fk_recertification_voice_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["recertification_id"],
            ["recertification.id"],
            name=("fk_recertification_voice_recertification_id_recertification"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("recertification_id", "person_id", name=("pk_recertification_voice")),
    )
    with op.batch_alter_table("recertification_voice", schema=None) as batch_op:
        batch_op.create_index(("ix_recertification_voice_person_id"), ["person_id"], unique=False)

    op.create_table(
        "trace",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=400), nullable=False),
        sa.Column("first", sa.String(length=40), nullable=True),
        sa.Column("last", sa.String(length=40), nullable=True),
        sa.Column("entitlement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("step_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("finding_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("since", database.UTCDateTime(), nullable=False),
        sa.Column("until", database.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name=("fk_trace_entitlement_id_entitlement")
        ),
        sa.ForeignKeyConstraint(["finding_id"], ["finding.id"], name=("fk_trace_finding_id_finding")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=("fk_trace_step_id_step")),
        sa.PrimaryKeyConstraint("id", name=("pk_trace")),
    )
    with op.batch_alter_table("trace", schema=None) as batch_op:
        batch_op.create_index(("ix_trace_entitlement_id"), ["entitlement_id"], unique=False)
        batch_op.create_index(("ix_trace_finding_id"), ["finding_id"], unique=False)
        batch_op.create_index("ix_trace_kind_first_last", ["kind", "first", "last"], unique=False)
        batch_op.create_index("ix_trace_kind_value", ["kind", "value"], unique=False)
        batch_op.create_index(("ix_trace_step_id"), ["step_id"], unique=False)

    dialect = op.get_bind().dialect.name
    for table in (
        "checkpoint_cosignature",
        "decision_signature",
        "ledger_checkpoint",
        "ledger_entry",
        "ledger_node",
        "ledger_row",
        "offering_version",
        "published_replay",
    ):
        for statement in append_only_statements(table, dialect):
            op.execute(statement)


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("trace", schema=None) as batch_op:
        batch_op.drop_index("ix_trace_step_id")
        batch_op.drop_index("ix_trace_kind_value")
        batch_op.drop_index("ix_trace_kind_first_last")
        batch_op.drop_index("ix_trace_finding_id")
        batch_op.drop_index("ix_trace_entitlement_id")

    op.drop_table("trace")
    with op.batch_alter_table("recertification_voice", schema=None) as batch_op:
        batch_op.drop_index("ix_recertification_voice_person_id")

    op.drop_table("recertification_voice")
    with op.batch_alter_table("finding_acceptance", schema=None) as batch_op:
        batch_op.drop_index("ix_finding_acceptance_finding_id")

    op.drop_table("finding_acceptance")
    with op.batch_alter_table("access_review_item_reviewer", schema=None) as batch_op:
        batch_op.drop_index("ix_access_review_item_reviewer_person_id")

    op.drop_table("access_review_item_reviewer")
    with op.batch_alter_table("recertification", schema=None) as batch_op:
        batch_op.drop_index("ix_recertification_state_remind_at")
        batch_op.drop_index("ix_recertification_state_due_at")
        batch_op.drop_index("ix_recertification_entitlement_id")

    op.drop_table("recertification")
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.drop_index("ix_finding_state_id")
        batch_op.drop_index("ix_finding_request_id")
        batch_op.drop_index("ix_finding_owner_state")
        batch_op.drop_index("ix_finding_connector_state_last_seen_at")

    op.drop_table("finding")
    with op.batch_alter_table("extension", schema=None) as batch_op:
        batch_op.drop_index("ix_extension_entitlement_id")

    op.drop_table("extension")
    with op.batch_alter_table("entitlement_owner", schema=None) as batch_op:
        batch_op.drop_index("ix_entitlement_owner_rule_entitlement_id")

    op.drop_table("entitlement_owner")
    with op.batch_alter_table("decision_signature", schema=None) as batch_op:
        batch_op.drop_index("ix_decision_signature_passkey_id")

    op.drop_table("decision_signature")
    with op.batch_alter_table("access_review_item", schema=None) as batch_op:
        batch_op.drop_index("ix_access_review_item_review_id_state_due_at")
        batch_op.drop_index("ix_access_review_item_entitlement_id")

    op.drop_table("access_review_item")
    with op.batch_alter_table("stage_timer", schema=None) as batch_op:
        batch_op.drop_index("ix_stage_timer_due_at")

    op.drop_table("stage_timer")
    with op.batch_alter_table("stage_approver", schema=None) as batch_op:
        batch_op.drop_index("ix_stage_approver_person_id_stage_id")

    op.drop_table("stage_approver")
    with op.batch_alter_table("reviewer", schema=None) as batch_op:
        batch_op.drop_index("ix_reviewer_person_id")

    op.drop_table("reviewer")
    op.drop_table("review_word")
    with op.batch_alter_table("remark", schema=None) as batch_op:
        batch_op.drop_index("ix_remark_request_id_id")

    op.drop_table("remark")
    with op.batch_alter_table("reassignment", schema=None) as batch_op:
        batch_op.drop_index("ix_reassignment_stage_id")
        batch_op.drop_index("ix_reassignment_from_id_stage_id")

    op.drop_table("reassignment")
    with op.batch_alter_table("planned_change_person", schema=None) as batch_op:
        batch_op.drop_index("ix_planned_change_person_person_id")

    op.drop_table("planned_change_person")
    with op.batch_alter_table("planned_change_asset", schema=None) as batch_op:
        batch_op.drop_index("ix_planned_change_asset_asset_id")

    op.drop_table("planned_change_asset")
    op.drop_table("manual_item")
    with op.batch_alter_table("entitlement", schema=None) as batch_op:
        batch_op.drop_index("ix_entitlement_state_review_at")
        batch_op.drop_index("ix_entitlement_state_ends_at")
        batch_op.drop_index("ix_entitlement_request_id")
        batch_op.drop_index("ix_entitlement_person_state")
        batch_op.drop_index("ix_entitlement_connector_key")

    op.drop_table("entitlement")
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.drop_index("ix_decision_request_id")

    op.drop_table("decision")
    with op.batch_alter_table("by_hand", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_by_hand_open_step",
            sqlite_where=sa.text("state = 'claimed'"),
            postgresql_where=sa.text("state = 'claimed'"),
        )
        batch_op.drop_index("ix_by_hand_step_id")
        batch_op.drop_index("ix_by_hand_request_id")

    op.drop_table("by_hand")
    with op.batch_alter_table("artefact", schema=None) as batch_op:
        batch_op.drop_index("ix_artefact_request_id")

    op.drop_table("artefact")
    with op.batch_alter_table("approval_link", schema=None) as batch_op:
        batch_op.drop_index("ix_approval_link_stage_id")

    op.drop_table("approval_link")
    with op.batch_alter_table("step", schema=None) as batch_op:
        batch_op.drop_index("ix_step_request_id")

    op.drop_table("step")
    with op.batch_alter_table("standing_use", schema=None) as batch_op:
        batch_op.drop_index("ix_standing_use_request_id")

    op.drop_table("standing_use")
    with op.batch_alter_table("stage", schema=None) as batch_op:
        batch_op.drop_index("ix_stage_state_due_at")
        batch_op.drop_index("ix_stage_request_id")

    op.drop_table("stage")
    with op.batch_alter_table("sealing", schema=None) as batch_op:
        batch_op.drop_index("ix_sealing_seal")

    op.drop_table("sealing")
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_index("ix_review_state_due_at")

    op.drop_table("review")
    with op.batch_alter_table("planned_change", schema=None) as batch_op:
        batch_op.drop_index("ix_planned_change_unit_id")
        batch_op.drop_index("ix_planned_change_shown_at")
        batch_op.drop_index("ix_planned_change_offering_id")

    op.drop_table("planned_change")
    with op.batch_alter_table("manual_task", schema=None) as batch_op:
        batch_op.drop_index("ix_manual_task_request_id")
        batch_op.drop_index("ix_manual_task_group_state")
        batch_op.drop_index("ix_manual_task_entitlement_key")

    op.drop_table("manual_task")
    op.drop_table("legal_hold")
    with op.batch_alter_table("glass", schema=None) as batch_op:
        batch_op.drop_index("ix_glass_request_id")

    op.drop_table("glass")
    with op.batch_alter_table("evidence_file", schema=None) as batch_op:
        batch_op.drop_index("ix_evidence_file_digest")

    op.drop_table("evidence_file")
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.drop_index("ix_draft_person_id")

    op.drop_table("draft")
    with op.batch_alter_table("card_opening", schema=None) as batch_op:
        batch_op.drop_index("ix_card_opening_request_id")

    op.drop_table("card_opening")
    op.drop_table("audit_row")
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.drop_index("ix_attachment_uploader_digest")
        batch_op.drop_index("ix_attachment_request_id")
        batch_op.drop_index("ix_attachment_digest")

    op.drop_table("attachment")
    op.drop_table("standing_signature")
    with op.batch_alter_table("request", schema=None) as batch_op:
        batch_op.drop_index("ix_request_unit_id_number")
        batch_op.drop_index("ix_request_state_number")
        batch_op.drop_index("ix_request_requester_number")
        batch_op.drop_index("ix_request_promised_by")
        batch_op.drop_index("ix_request_order_group_id")
        batch_op.drop_index("ix_request_offering_version_id")
        batch_op.drop_index("ix_request_likeness")
        batch_op.drop_index("ix_request_beneficiary_id")

    op.drop_table("request")
    with op.batch_alter_table("offering_replay", schema=None) as batch_op:
        batch_op.drop_index("ix_offering_replay_draft_id")

    op.drop_table("offering_replay")
    with op.batch_alter_table("change_restriction", schema=None) as batch_op:
        batch_op.drop_index("ix_change_restriction_ended_at_ends_at")

    op.drop_table("change_restriction")
    with op.batch_alter_table("bulk_order", schema=None) as batch_op:
        batch_op.drop_index("ix_bulk_order_person_id")

    op.drop_table("bulk_order")
    op.drop_table("audit_file")
    with op.batch_alter_table("standing_approval", schema=None) as batch_op:
        batch_op.drop_index("ix_standing_approval_offering_id_state")

    op.drop_table("standing_approval")
    op.drop_table("published_replay")
    with op.batch_alter_table("order_group", schema=None) as batch_op:
        batch_op.drop_index("ix_order_group_person_id")

    op.drop_table("order_group")
    with op.batch_alter_table("offering_draft", schema=None) as batch_op:
        batch_op.drop_index("ix_offering_draft_slug")

    op.drop_table("offering_draft")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index("ix_membership_person_id")

    op.drop_table("membership")
    op.drop_table("delegation_offering")
    op.drop_table("audit_facts")
    op.drop_table("audit_draw")
    with op.batch_alter_table("asset", schema=None) as batch_op:
        batch_op.drop_index("ix_asset_name")

    op.drop_table("asset")
    with op.batch_alter_table("access_review_reviewer", schema=None) as batch_op:
        batch_op.drop_index("ix_access_review_reviewer_person_id")

    op.drop_table("access_review_reviewer")
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.drop_index("ix_web_session_provider_sid")
        batch_op.drop_index("ix_web_session_person_id")

    op.drop_table("web_session")
    with op.batch_alter_table("rota_shift", schema=None) as batch_op:
        batch_op.drop_index("ix_rota_shift_rota_id_ends_at")
        batch_op.drop_index("ix_rota_shift_person_id")

    op.drop_table("rota_shift")
    with op.batch_alter_table("person_absence", schema=None) as batch_op:
        batch_op.drop_index("ix_person_absence_person_id")

    op.drop_table("person_absence")
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.drop_index("ix_passkey_person_id")

    op.drop_table("passkey")
    with op.batch_alter_table("offering_version", schema=None) as batch_op:
        batch_op.drop_index("ix_offering_version_offering_id")
        batch_op.drop_index("ix_offering_version_digest")

    op.drop_table("offering_version")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index("ix_message_person_id")
        batch_op.drop_index("ix_message_held_until")

    op.drop_table("message")
    op.drop_table("group")
    op.drop_table("favourite")
    with op.batch_alter_table("delegation", schema=None) as batch_op:
        batch_op.drop_index("ix_delegation_substitute_id_ends_at")
        batch_op.drop_index("ix_delegation_delegator_id_ends_at")

    op.drop_table("delegation")
    with op.batch_alter_table("calendar_feed", schema=None) as batch_op:
        batch_op.drop_index("ix_calendar_feed_person_id")

    op.drop_table("calendar_feed")
    with op.batch_alter_table("auditor_mandate", schema=None) as batch_op:
        batch_op.drop_index("ix_auditor_mandate_person_id")

    op.drop_table("auditor_mandate")
    op.drop_table("audit")
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_index("ix_api_token_person_id")

    op.drop_table("api_token")
    with op.batch_alter_table("access_review", schema=None) as batch_op:
        batch_op.drop_index("ix_access_review_state")

    op.drop_table("access_review")
    op.drop_table("unit_use")
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_index("ix_person_unit_id")
        batch_op.drop_index("ix_person_manager_id")

    op.drop_table("person")
    op.drop_table("pace")
    op.drop_table("http_callback")
    op.drop_table("verification_round")
    op.drop_table("unit")
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_task_running_subject",
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )
        batch_op.drop_index("ix_task_subject")
        batch_op.drop_index("ix_task_state_run_at")

    op.drop_table("task")
    with op.batch_alter_table("target_reading", schema=None) as batch_op:
        batch_op.drop_index("ix_target_reading_connector_id")

    op.drop_table("target_reading")
    op.drop_table("row_salt")
    op.drop_table("rota")
    op.drop_table("queue_attendance")
    op.drop_table("personal_value")
    op.drop_table("offering")
    op.drop_table("ledger_signing_trouble")
    with op.batch_alter_table("ledger_row", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_row_entry_number")

    op.drop_table("ledger_row")
    op.drop_table("ledger_node")
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_entry_tag_number")
        batch_op.drop_index("ix_ledger_entry_subject_number")
        batch_op.drop_index("ix_ledger_entry_at")
        batch_op.drop_index("ix_ledger_entry_actor_number")

    op.drop_table("ledger_entry")
    op.drop_table("ledger_checkpoint")
    with op.batch_alter_table("http_call", schema=None) as batch_op:
        batch_op.drop_index("ix_http_call_entitlement_key")

    op.drop_table("http_call")
    op.drop_table("counter")
    with op.batch_alter_table("connector_call", schema=None) as batch_op:
        batch_op.drop_index("ix_connector_call_asked_at")

    op.drop_table("connector_call")
    op.drop_table("checkpoint_holder")
    op.drop_table("checkpoint_cosignature")
