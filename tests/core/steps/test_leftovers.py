"""What dead processes left in the landing area and in staging goes; what somebody is writing stays."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from data_connections.landing import journal
from data_connections.settings import Keep
from data_connections.steps.leftovers import sweep
from data_connections.steps.retention import clean_up
from fixtures.desk import Desk, table

NOW = datetime.now(UTC)
ORDERS = table("CampaignId,ActionTrackerId,EventDate,OrderId,Amount", "1000,2001,2026-02-20T10:00:00Z,A,1.00")


def test_files_that_nobody_goes_on_writing_and_rows_of_no_submission_go(desk: Desk) -> None:
    done = desk.submit(ORDERS)
    incoming = desk.folder.parent / "landing" / "incoming"
    for name, hours in (("dead", 25), ("alive", 23)):
        (incoming / name).write_bytes(b"half a fi")
        then = (NOW - timedelta(hours=hours)).timestamp()
        os.utime(incoming / name, (then, then))
    with desk.ledger.connect() as connection:
        for name in (f"rows_{done['id']}_a1", "rows_999999_a1", "findings_999999_a1"):
            connection.execute(f"create unlogged table staging.{name} (line bigint)".encode())

    assert sweep(desk.ledger, desk.landing, NOW) == {"files": 1, "tables": 2}

    assert [path.name for path in incoming.iterdir()] == ["alive"]
    left = desk.ledger.all("select tablename from pg_tables where schemaname = 'staging'")
    assert [row["tablename"] for row in left] == [f"rows_{done['id']}_a1"]
    assert sweep(desk.ledger, desk.landing, NOW) == {"files": 0, "tables": 0}


def test_the_journal_is_shortened_by_whole_days(desk: Desk) -> None:
    desk.submit(ORDERS)
    for days in (91, 89):
        day = (NOW - timedelta(days=days)).date()
        desk.landing.write(f"{journal.FOLDER}/{day}/{days}.json", b"{}")

    assert clean_up(desk.ledger, desk.landing, Keep(), NOW, dry_run=True).journal == 1
    assert len(desk.landing.names(journal.FOLDER)) == 3
    assert clean_up(desk.ledger, desk.landing, Keep(), NOW).journal == 1
    assert [len(desk.landing.names(f"{journal.FOLDER}/{day}")) for day in desk.landing.names(journal.FOLDER)] == [1, 1]
    assert clean_up(desk.ledger, desk.landing, Keep(journal=None), NOW + timedelta(days=999)).journal == 0
