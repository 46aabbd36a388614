"""Days whose turn passed while a run waited, in a zone whose clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from data_connections.ledger import Ledger
from data_connections.steps.missed_turns import missed_days
from fixtures.outbound import Outbound
from local_stack.partner_sftp import PartnerServer


@pytest.mark.parametrize(
    ("schedule", "since", "now", "missed"),
    [
        ("17 3 * * *", "2026-06-10T01:17", "2026-06-11T01:16", []),
        ("17 3 * * *", "2026-06-10T01:17", "2026-06-11T01:17", []),
        ("17 3 * * *", "2026-06-10T01:17:05", "2026-06-13T12:00", ["2026-06-10", "2026-06-11"]),
        ("30 2 * * *", "2026-03-27T02:00", "2026-03-30T12:00", ["2026-03-27", "2026-03-28"]),
        ("30 2 * * *", "2026-10-23T01:00", "2026-10-26T12:00", ["2026-10-23", "2026-10-24"]),
        ("0 * * * *", "2026-06-10T01:00", "2026-06-12T12:00", ["2026-06-10", "2026-06-11"]),
        ("0 6 * * 1", "2026-06-10T01:00", "2026-06-30T12:00", ["2026-06-08", "2026-06-15"]),
        ("0 6 1 * *", "2026-01-01T05:00", "2026-03-31T12:00", ["2026-01-01"]),
        ("on request", "2026-06-10T01:00", "2026-06-30T12:00", []),
    ],
)
def test_the_last_turn_is_airflows_and_those_before_are_missed(
    ledger: Ledger, tmp_path: Path, sftp_partner: PartnerServer, schedule: str, since: str, now: str, missed: list[str]
) -> None:
    outbound = Outbound.of(ledger, tmp_path, sftp_partner)
    outbound.applied(schedule=schedule)
    instants = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (since, now))
    assert missed_days(ledger, outbound.run(), *instants) == [date.fromisoformat(day) for day in missed]


def test_what_was_sent_is_not_missed_and_not_sent_by_a_run_that_makes_up(
    ledger: Ledger, tmp_path: Path, sftp_partner: PartnerServer
) -> None:
    outbound = Outbound.of(ledger, tmp_path, sftp_partner)
    outbound.applied()
    since, now = datetime(2026, 6, 10, 2, tzinfo=UTC), datetime(2026, 6, 13, 2, tzinfo=UTC)
    outbound.all_steps(date(2026, 6, 10), now=now)
    outbound.all_steps(date(2026, 6, 11), now=now)
    with ledger.connect() as connection:
        connection.execute("update delivery set created_at = business_date + interval '1 hour'")
        connection.execute("update delivery set created_at = now() where business_date = '2026-06-11'")
    assert missed_days(ledger, outbound.run(), since, now) == [date(2026, 6, 10)]
    again = outbound.export(date(2026, 6, 11), made_up=True, now=now)
    assert (again["state"], again["message"]) == (
        "skipped",
        "Nothing was sent: the report of 2026-06-11 was sent by another run.",
    )
