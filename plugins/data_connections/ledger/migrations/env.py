"""Alembic's entry: runs the migrations on the URL that `ledger.migrate` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, make_url, pool

url = make_url(context.config.attributes["url"]).set(drivername="postgresql+psycopg")
engine = create_engine(url, poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, version_table="schema_version")
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
