"""Watching what is expected by a time of day: planned ahead, judged at every look, and told when it is not there."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from data_connections.catalog import StoredSpec, all_current
from data_connections.errors import Mistakes
from data_connections.ledger import Ledger, expected, incidents
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.expected import ExpectedDay
from data_connections.spec import ConnectionSpec, ExpectedDelivery, ExpectedFiles
from data_connections.spec.alerts import Alerts
from data_connections.steps import expected_notices
from data_connections.steps.business_day import business_days
from data_connections.steps.judging import counted_files, is_final, judge
from data_connections.steps.notices import Notice
from data_connections.steps.standstill import is_in_maintenance

Rule = ExpectedFiles | ExpectedDelivery
AHEAD = timedelta(days=2)
"""How long before their time days are recorded."""
BEFORE = 20
"""Files before that say what is usual."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Told:
    """A notice of one connection, and whom it is for."""

    connection: str
    alerts: Alerts
    notice: Notice


def watch(ledger: Ledger, now: datetime) -> list[Told]:
    """Look at everything that is expected, record what became of it, and return what has to be told.

    Raises:
        LedgerUnavailable: The ledger does not answer.
    """
    watched = list(_watched(ledger))
    _plan_ahead(ledger, watched, now)
    told: list[Told] = []
    for stored in watched:
        with ledger.connect() as connection:
            connection.execute("select from connection where id = %s for no key update", [stored.connection_id])
            told += (Told(stored.name, stored.spec.alerts, each) for each in _look(connection, stored, now))
    return told


def rules_of(spec: ConnectionSpec) -> Mapping[str, Rule]:
    """Return what a connection expects, by the rule in words; nothing while it is not watched."""
    return {rule.in_words(spec.time_zone): rule for rule in spec.expects} if spec.is_watched else {}


def days_of(spec: ConnectionSpec, words: str, rule: Rule, first: date, last: date) -> Iterator[dict[str, Any]]:
    """Yield the days of a rule as the ledger records them, not before the connection is active.

    Args:
        spec: The connection.
        words: The rule in words.
        rule: The rule.
        first: First day, in the rule's zone.
        last: Last day.
    """
    first = max(first, spec.active_from or first)
    for each in rule.occasions(spec.time_zone, first, last):
        is_report = isinstance(rule, ExpectedDelivery)
        yield {
            "rule": words,
            "day": each.day,
            "business_date": business_days(spec, each.due_at).first if is_report else None,
            "opens_at": each.opens_at,
            "warn_at": each.warn_at,
            "due_at": each.due_at,
            "closes_at": each.closes_at,
        }


def _watched(ledger: Ledger) -> Iterator[StoredSpec]:
    for stored in all_current(ledger):
        if not stored.content.get("expects"):
            continue
        try:
            if rules_of(stored.spec):
                yield stored
        except Mistakes:
            _log.warning("Connection %s: what it expects is not watched, as its spec cannot be read.", stored.name)


def _plan_ahead(ledger: Ledger, watched: list[StoredSpec], now: datetime) -> None:
    rules = {(stored.connection_id, words) for stored in watched for words in rules_of(stored.spec)}
    with ledger.connect() as connection:
        for connection_id, words in expected.forget(connection, rules):
            for kind in expected_notices.KINDS:
                incidents.close(connection, connection_id, kind, subject=words)
        known = expected.last_due(connection)
        for stored in watched:
            for words, rule in rules_of(stored.spec).items():
                since = known.get((stored.connection_id, words), now)
                zone = rule.zone(stored.spec.time_zone)
                first, last = (each.astimezone(zone).date() for each in (since, now + AHEAD))
                days = days_of(stored.spec, words, rule, first, last)
                expected.plan(connection, stored.connection_id, [day for day in days if day["due_at"] > since])


def _look(connection: LedgerConnection, stored: StoredSpec, now: datetime) -> Iterator[Notice]:
    rules = rules_of(stored.spec)
    is_resting = is_in_maintenance(connection, stored.connection_id, stored.spec, now)
    for day in expected.unsettled(connection, stored.connection_id, opened_by=now):
        rule = rules[day.rule]
        came = _came(connection, day, rule)
        found = judge(rule, day, came, _before(connection, day, rule) if came else [], now)
        is_over = not is_resting and is_final(day, counted_files(rule, day, came), now)
        expected.settle(connection, found, final=is_over)
        if not is_resting:
            yield from expected_notices.notices_of(connection, stored, rule, found, now)


def _came(connection: LedgerConnection, day: ExpectedDay, rule: Rule) -> list[expected.Came]:
    if isinstance(rule, ExpectedDelivery):
        assert day.business_date is not None  # noqa: S101 - recorded with every report
        return expected.report_of(connection, day.connection_id, day.business_date, rule.state)
    return expected.files_between(connection, day.connection_id, day.opens_at, day.closes_at)


def _before(connection: LedgerConnection, day: ExpectedDay, rule: Rule) -> list[expected.Came]:
    if isinstance(rule, ExpectedDelivery):
        assert day.business_date is not None  # noqa: S101 - recorded with every report
        return expected.reports_before(connection, day.connection_id, day.business_date, BEFORE)
    return expected.files_before(connection, day.connection_id, day.opens_at, BEFORE)
