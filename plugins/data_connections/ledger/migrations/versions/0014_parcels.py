"""Parcels: zip files that hold several files, each of them a submission of its own."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add which parcel a submission came in, how many came in it, and the turn in which it is applied."""
    op.execute(
        """
        alter table submission add column parcel_id bigint references submission;
        alter table submission add column parcel_number bigint;
        alter table submission add column members integer check (members > 0);
        alter table submission add column turn bigint
            generated always as (coalesce(parcel_number, number)) stored;
        alter table submission add constraint submission_parcel_check
            check ((parcel_id is null) = (parcel_number is null) and (parcel_id is null or members is null));
        create index submission_by_parcel on submission (parcel_id) where parcel_id is not null;
        """
    )
