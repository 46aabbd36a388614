"""When a connection's DAG runs, for Airflow and in words."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from airflow.sdk import CronDataIntervalTimetable

from data_connections.spec import ConnectionSpec, cron_line

LONG_AGO = datetime(2024, 1, 1, tzinfo=ZoneInfo("UTC"))
"""Start of DAGs without ``active_from``: early enough for the latest interval to be due at once."""


def timetable_of(spec: ConnectionSpec) -> CronDataIntervalTimetable | None:
    """Return the timetable, each run standing for the interval before it; None when it runs on request only.

    A paused spec has none either: Airflow's own switch is set when a DAG is created and belongs to people from then
    on, so a revision could not pause or resume with it.
    """
    line = None if spec.paused else cron_line(spec.schedule, spec.name)
    return None if line is None else CronDataIntervalTimetable(line, timezone=spec.time_zone)


def start_of(spec: ConnectionSpec) -> datetime:
    """Return the moment before which nothing is scheduled: midnight of ``active_from`` in the connection's zone."""
    if spec.active_from is None:
        return LONG_AGO
    return datetime.combine(spec.active_from, time.min, ZoneInfo(spec.time_zone))


def schedule_in_words(spec: ConnectionSpec) -> str:
    """Return the schedule as an English phrase, such as ``At 06:30, time zone Europe/Berlin``."""
    from cron_descriptor import Options, get_description

    line = cron_line(spec.schedule, spec.name)
    if spec.paused:
        return "paused: only when somebody starts it"
    if line is None:
        return "only when somebody starts it"
    options = Options()
    options.locale_code = "en_US"
    options.use_24hour_time_format = True
    return f"{get_description(line, options)} (`{line}`, time zone {spec.time_zone})"
