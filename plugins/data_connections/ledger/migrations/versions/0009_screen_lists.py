"""Indexes by which pages find the newest run and the newest files fast, whatever the number of them."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add them."""
    op.execute(
        """
        create index connection_run_newest on connection_run (connection_id, started_at desc, id desc);
        create index connection_run_in_order on connection_run (connection_id, id desc);
        create index submission_newest on submission (connection_id, id desc);
        create index submission_by_run on submission (run_id);
        create index submission_by_file_name on submission (lower(file_name) text_pattern_ops, id desc);
        create index submission_with_errors on submission (id desc) where rejected > 0 or state = 'quarantined';
        create index submission_by_receipt on submission (received_at);
        create index submission_under_way on submission (id desc)
            where state in ('claimed', 'fetched', 'validated', 'on_hold');
        create index submission_follows on submission (corrects_id) where corrects_id is not null;
        create index submission_replays on submission (replays_id) where replays_id is not null;
        create index submission_copies on submission (duplicate_of_id) where duplicate_of_id is not null;
        create index delivery_newest on delivery (connection_id, id desc);
        create index sighting_not_taken on sighting (connection_id, last_seen_at) where decision <> 'claimed';
        """
    )
