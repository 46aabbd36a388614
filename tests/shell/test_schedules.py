"""Schedules as Airflow's scheduler goes through them, the clock moved over changes of the clocks and ends of months."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG
from airflow.timetables.base import DagRunInfo, TimeRestriction

from dag_factory.dag import build_dag
from data_connections.settings import Settings
from data_connections.spec import parse_spec
from data_connections.steps.business_day import business_days
from data_connections.steps.outbound_spec import base_name, outbound_spec
from fixtures.catalog import OUTBOUND, changed

BERLIN = ZoneInfo("Europe/Berlin")


def runs(begin: datetime, end: datetime, **changes: Any) -> Iterator[DagRunInfo]:
    """Every run that the scheduler makes while the clock goes from ``begin`` to ``end``, without catching up."""
    built = build_dag(parse_spec(changed(OUTBOUND, **changes)), 1, Settings.from_environment())
    dag = DagSerialization.deserialize_dag(LazyDeserializedDAG.from_dag(built).data["dag"])
    earliest = dag.start_date
    last = None
    with time_machine.travel(begin, tick=False) as clock:
        while True:
            found = dag.timetable.next_dagrun_info(
                last_automated_data_interval=last, restriction=TimeRestriction(earliest, None, catchup=False)
            )
            if found is None or found.run_after >= end:
                return
            if found.run_after > datetime.now(UTC):
                clock.move_to(found.run_after)  # the scheduler keeps what it worked out, and waits until it is due
            if found.run_after > begin:
                yield found
            last = found.data_interval


def at(infos: Iterator[DagRunInfo], zone: ZoneInfo = BERLIN) -> list[str]:
    return [f"{info.run_after.astimezone(zone):%m-%d %H:%M}" for info in infos]


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [
        ("hourly", 24),
        ("every 2 hours", 12),
        ("every 4 hours", 6),
        ("every 8 hours", 3),
        ("twice daily", 2),
        ("daily", 1),
    ],
)
def test_presets_come_as_often_as_they_say(schedule: str, hours: int) -> None:
    found = list(runs(local(2026, 6, 1), local(2026, 6, 3), schedule=schedule, time_zone="Europe/Berlin"))
    assert len(found) == 2 * hours
    gaps = {(later.run_after - earlier.run_after).total_seconds() / 3600 for earlier, later in pairwise(found)}
    assert gaps == {24 / hours}
    assert all(info.data_interval.end == info.run_after for info in found)


def test_a_week_and_a_month_are_those_of_the_connection_s_calendar() -> None:
    weeks = list(runs(local(2026, 6, 1), local(2026, 6, 30), schedule="weekly", time_zone="Europe/Berlin"))
    assert {info.run_after.astimezone(BERLIN).weekday() for info in weeks} == {0}
    months = list(runs(local(2026, 1, 15), local(2026, 5, 2), schedule="monthly", time_zone="Europe/Berlin"))
    assert [info.run_after.astimezone(BERLIN).date() for info in months] == [date(2026, m, 1) for m in (2, 3, 4, 5)]
    spec = parse_spec(changed(OUTBOUND, schedule="monthly", time_zone="Europe/Berlin"))
    days = [business_days(spec, info.run_after, interval_start=info.data_interval.start) for info in months]
    assert [(each.first, each.last) for each in days] == [
        (date(2026, 1, 1), date(2026, 1, 31)),
        (date(2026, 2, 1), date(2026, 2, 28)),
        (date(2026, 3, 1), date(2026, 3, 31)),
        (date(2026, 4, 1), date(2026, 4, 30)),
    ]


def test_a_daily_run_keeps_its_time_of_day_over_both_changes_of_the_clocks_and_the_end_of_a_month() -> None:
    spring = runs(local(2026, 3, 27, 12), local(2026, 4, 1, 12), schedule="30 6 * * *", time_zone="Europe/Berlin")
    assert at(spring) == [f"{day} 06:30" for day in ("03-28", "03-29", "03-30", "03-31", "04-01")]
    autumn = list(
        runs(local(2026, 10, 23, 12), local(2026, 11, 1, 12), schedule="30 6 * * *", time_zone="Europe/Berlin")
    )
    spec = parse_spec(changed(OUTBOUND, schedule="30 6 * * *", time_zone="Europe/Berlin"))
    turns = [business_days(spec, info.run_after, interval_start=info.data_interval.start) for info in autumn]
    names = [base_name(outbound_spec(spec), turn.first, turn.last) for turn in turns]
    assert at(iter(autumn)) == [
        f"{day} 06:30" for day in ("10-24", "10-25", "10-26", *(f"10-{d}" for d in range(27, 32)), "11-01")
    ]
    assert names == [f"performance_2026-10-{day}.csv" for day in range(23, 32)]


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        # 02:30 is skipped on 29 March, and comes twice on 25 October: one run each, as `connections apply` says.
        (local(2026, 3, 28, 0), local(2026, 3, 31, 0), ["03-28 02:30", "03-29 03:30", "03-30 02:30"]),
        (local(2026, 10, 24, 0), local(2026, 10, 27, 0), ["10-24 02:30", "10-25 02:30", "10-26 02:30"]),
    ],
)
def test_a_time_that_the_clocks_skip_or_show_twice_has_one_run(
    begin: datetime, end: datetime, expected: list[str]
) -> None:
    found = list(runs(begin, end, schedule="30 2 * * *", time_zone="Europe/Berlin"))
    assert at(iter(found)) == expected


def test_an_hourly_run_comes_23_and_25_times_on_the_days_of_the_changes() -> None:
    for begin, count in ((local(2026, 3, 29), 23), (local(2026, 10, 25), 25)):
        found = list(
            runs(begin, local(begin.year, begin.month, begin.day + 1), schedule="0 * * * *", time_zone="Europe/Berlin")
        )
        assert len({info.run_after for info in found}) == count - 1  # midnight itself belongs to neither side


def test_nothing_runs_for_days_before_active_from() -> None:
    found = list(
        runs(
            local(2026, 6, 1),
            local(2026, 6, 6),
            schedule="30 6 * * *",
            time_zone="Europe/Berlin",
            active_from="2026-06-03",
        )
    )
    assert at(iter(found)) == ["06-04 06:30", "06-05 06:30"]
