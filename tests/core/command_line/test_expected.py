from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import time_machine

from data_connections.steps.expected_files import watch
from fixtures.desk import Desk


def test_the_weeks_before_and_to_come_are_listed(cli: Callable[..., Any], desk: Desk) -> None:
    desk.connect(expects=[{"by": "15:00", "time_zone": "Europe/Berlin", "on": "weekdays"}])
    watch(desk.ledger, datetime(2026, 10, 22, 8, tzinfo=UTC))
    watch(desk.ledger, datetime(2026, 10, 22, 22, tzinfo=UTC))

    with time_machine.travel(datetime(2026, 10, 23, 8, tzinfo=UTC), tick=True):
        answer = cli("expected", "--json")
        bad = cli("expected", "orders", "--bad")
        later = cli("expected", "--from", "2026-10-24", "--to", "2026-10-25")

    days = [(each["day"], each["due_at"], each["state"]) for each in answer.json]
    assert days[:3] == [
        ("2026-10-22", "2026-10-22T13:00:00+00:00", "missed"),
        ("2026-10-23", "2026-10-23T13:00:00+00:00", "expected"),
        ("2026-10-26", "2026-10-26T14:00:00+00:00", "expected"),
    ]
    assert days[-1][0] == "2026-10-30"
    assert (bad.code, bad.out.count("missed")) == (1, 1)
    assert (later.code, later.out, later.err) == (0, "", "Nothing is expected from 2026-10-24 to 2026-10-25.\n")
