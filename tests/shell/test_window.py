from __future__ import annotations

from datetime import UTC, datetime

import pytest

from data_connections.spec import InboundConnection, parse_spec
from fixtures.catalog import INBOUND, changed
from operators.wrap_up import wants_follow_up
from sensors.batches import batches_of
from triggers.window import window_end


def spec(**arrival: object) -> InboundConnection:
    parsed = parse_spec({**changed(INBOUND), "arrival": arrival})
    assert isinstance(parsed, InboundConnection)
    return parsed


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("arrival", "started", "due", "end"),
    [
        ({"wait": "PT10M"}, "2026-10-05 04:31", "2026-10-05 04:30", "2026-10-05 04:41"),
        ({"until": "15:00"}, "2026-10-05 04:31", "2026-10-05 04:30", "2026-10-05 13:00"),
        ({"until": "03:00"}, "2026-10-05 20:31", "2026-10-05 20:30", "2026-10-06 01:00"),
        ({"until": "15:00"}, "2026-10-05 08:00", None, "2026-10-05 13:00"),
        ({"until": "15:00", "wait": "PT10M"}, "2026-10-05 18:00", None, "2026-10-05 18:10"),
        ({"mode": "continuous"}, "2026-10-05 04:31", "2026-10-05 04:30", "2026-10-06 04:30"),
        ({"mode": "continuous"}, "2026-10-24 04:31", "2026-10-24 04:30", "2026-10-25 05:30"),
    ],
    ids=["wait", "until", "over-midnight", "by-hand", "by-hand-too-late", "continuous", "continuous-clock-change"],
)
def test_the_window_ends_when_the_spec_says(
    arrival: dict[str, object], started: str, due: str | None, end: str
) -> None:
    found = window_end(spec(**arrival), started_at=utc(started), due_at=utc(due) if due else None)
    assert found.astimezone(UTC) == utc(end)


@pytest.mark.parametrize(
    ("arrival", "event", "follows"),
    [
        ({}, {"files": 0, "more": 0, "waiting": 0}, False),
        ({}, {"files": 3, "more": 0, "waiting": 0}, False),
        ({}, {"files": 3, "more": 1, "waiting": 0}, True),
        ({}, {"files": 3, "more": 0, "waiting": 1}, True),
        ({"until": "15:00"}, {"files": 3, "more": 0, "waiting": 0}, True),
        ({"until": "15:00"}, {"files": 0, "more": 0, "waiting": 0}, False),
        ({}, {"files": 0, "more": 0, "waiting": 0, "left": True}, True),
    ],
)
def test_a_run_that_took_files_is_followed_while_more_may_come(
    arrival: dict[str, object], event: dict[str, object], follows: bool
) -> None:
    event = {**event, "closes_at": "2026-10-05T13:00:00+00:00"}
    assert wants_follow_up(spec(**arrival), event, utc("2026-10-05 12:00")) is follows
    late = wants_follow_up(spec(**arrival), event, utc("2026-10-05 14:00"))
    assert late is bool(event["more"])


class File:
    def __init__(self, number: int, size: int) -> None:
        self.id = number
        self.file_name = f"{number}.csv"
        self.size = size


def test_large_files_go_alone_and_small_ones_together() -> None:
    megabyte = 1024**2
    sizes = [1, 15, 1, 40, 1, 1]
    batches = batches_of([File(number, size * megabyte) for number, size in enumerate(sizes)])
    assert [batch["submissions"] for batch in batches] == [[0, 1], [2], [3], [4, 5]]
    assert batches[0]["names"] == "0.csv, 1.csv"


def test_a_batch_holds_fifty_files_at_most_and_names_the_first() -> None:
    batches = batches_of([File(number, 10) for number in range(60)])
    assert [len(batch["submissions"]) for batch in batches] == [50, 10]
    assert batches[0]["names"] == "0.csv, 1.csv, 2.csv and 47 more"
