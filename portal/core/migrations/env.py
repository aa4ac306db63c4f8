"""Alembic's way into the database: the connection that portal.core.migrate opened."""

from __future__ import annotations

from alembic import context

from portal.core.database import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    compare_type=True,
    render_as_batch=connection.dialect.name == "sqlite",
    user_module_prefix="database.",
)
with context.begin_transaction():
    context.run_migrations()
