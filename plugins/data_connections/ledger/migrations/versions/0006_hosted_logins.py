"""Logins at the endpoints that we host, and what of our reports partners have collected there."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

LOGINS = """
create table hosted_login (
    id bigint generated always as identity primary key,
    connection_id bigint not null references connection,
    login text not null unique,
    created_at timestamptz not null default now(),
    created_by text not null,
    retired_at timestamptz,
    failures bigint not null default 0,
    last_failure_at timestamptz
);
create table hosted_secret (
    id bigint generated always as identity primary key,
    login_id bigint not null references hosted_login,
    kind text not null check (kind in ('password', 'public_key')),
    verifier text not null,
    fingerprint text check ((fingerprint is null) = (kind = 'password')),
    label text not null default '',
    created_at timestamptz not null default now(),
    created_by text not null,
    valid_until timestamptz,
    retired_at timestamptz,
    uses bigint not null default 0,
    last_used_at timestamptz,
    last_used_from text
);
create index hosted_secret_by_login on hosted_secret (login_id);
"""

COLLECTED = """
alter table delivery
    add column collected_at timestamptz,
    add column collected_by text,
    add column expired_at timestamptz;
"""


def upgrade() -> None:
    """Add the tables, and the columns of deliveries that wait to be collected."""
    for part in (LOGINS, COLLECTED):
        op.execute(part)
