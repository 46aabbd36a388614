"""Addresses at the gateway that partners mail files to: a third kind of what proves a login."""

from __future__ import annotations

from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Allow the kind; an address is one connection's for ever."""
    op.execute(
        """
        alter table hosted_secret drop constraint hosted_secret_kind_check;
        alter table hosted_secret add constraint hosted_secret_kind_check
            check (kind in ('password', 'public_key', 'address'));
        create unique index hosted_secret_by_address on hosted_secret (verifier) where kind = 'address';
        """
    )
