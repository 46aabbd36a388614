"""What is expected by a time of day, as a list or a calendar: what became of the past, and what is to come."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from psycopg.rows import class_row

from data_connections.catalog.revisions import read_current
from data_connections.errors import Mistakes
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.expected import ExpectedState

LONGEST = timedelta(days=92)
"""Most days that are shown at once."""


@dataclass(frozen=True)
class Expectation:
    """One day's turn of a rule; instants are UTC.

    Attributes:
        connection: The connection's present name.
        rule: The rule in words.
        day: The day, in the rule's time zone.
        due_at: By when it is expected.
        state: ``expected`` also where the day has not begun.
        files: How many came.
        met_at: When the last that was needed came.
        business_date: Outbound: of the report.
        findings: What is not as usual.
    """

    connection: str
    rule: str
    day: date
    due_at: datetime
    state: ExpectedState
    files: int
    met_at: datetime | None
    business_date: date | None
    findings: list[str]

    @property
    def look(self) -> Literal["good", "bad", "warned", "open"]:
        """How it is shown: bad where files are late or missed, warned where they came late or not as usual."""
        if self.state in ("late", "missed"):
            return "bad"
        if self.findings or self.state == "met_late":
            return "warned"
        return "good" if self.state == "met" else "open"


class CalendarPage(NamedTuple):
    """One page of a calendar.

    Attributes:
        found: What is expected of the connections on this page, by time.
        troubles: How many turns on all pages are late, missed or not as usual so far.
        more: Whether there is a next page.
    """

    found: list[Expectation]
    troubles: int
    more: bool


_COLUMNS = ", ".join(f"e.{field.name}" for field in fields(Expectation) if field.name != "connection")


def expectations(
    connection: LedgerConnection, visible: Collection[int] | None, first: date, last: date, *, name: str | None = None
) -> list[Expectation]:
    """Return what is expected from one day to another, both included, by time.

    What is recorded comes from the ledger; what lies further ahead is worked out from the current revisions.

    Args:
        connection: The ledger.
        visible: Ids of the connections that may be seen; None means every one.
        first: First day.
        last: Last day; at most ``LONGEST`` after the first.
        name: Only this connection.
    """
    last = min(last, first + LONGEST)
    found = _recorded(connection, visible, first, last, name)
    known = {(each.connection, each.rule, each.due_at) for each in found}
    for each in _to_come(connection, visible, first, last, name):
        if (each.connection, each.rule, each.due_at) not in known:
            found.append(each)
    return sorted(found, key=lambda each: (each.due_at, each.connection, each.rule))


def calendar_page(
    connection: LedgerConnection,
    visible: Collection[int] | None,
    first: date,
    last: date,
    *,
    name: str | None = None,
    page: int = 1,
    size: int = 50,
) -> CalendarPage:
    """Return what is expected of one page of the connections that expect anything, by their names.

    Args:
        connection: The ledger.
        visible: Ids of the connections that may be seen; None means every one.
        first: First day.
        last: Last day; at most ``LONGEST`` after the first.
        name: Only this connection.
        page: Page, from 1.
        size: Connections on a page.
    """
    bound: dict[str, Any] = {
        "visible": None if visible is None else list(visible),
        "first": first,
        "last": min(last, first + LONGEST),
        "name": name,
        "limit": size + 1,
        "offset": (page - 1) * size,
    }
    ids = [row["id"] for row in connection.execute(_WITH_RULES, bound)]
    troubles = connection.execute(_TROUBLES, bound).fetchone()
    found = expectations(connection, ids[:size], first, last, name=name)
    return CalendarPage(found, troubles["troubles"] if troubles else 0, len(ids) > size)


_WITH_RULES = b"""
    select c.id from connection c join connection_revision v on v.connection_id = c.id and v.number = c.revision
    where (%(name)s::text is null or c.name = %(name)s) and (%(visible)s::bigint[] is null or c.id = any(%(visible)s))
      and (c.deleted_at is null and v.spec -> 'expects' <> '[]'
           or c.id in (select e.connection_id from expected_files e where e.day between %(first)s and %(last)s))
    order by c.name limit %(limit)s offset %(offset)s
"""
_TROUBLES = b"""
    select count(*) as troubles from expected_files e join connection c on c.id = e.connection_id
    where e.day between %(first)s and %(last)s and (%(name)s::text is null or c.name = %(name)s)
      and (%(visible)s::bigint[] is null or c.id = any(%(visible)s))
      and (e.state in ('late', 'missed', 'met_late') or e.findings <> '[]')
"""


def _recorded(
    connection: LedgerConnection, visible: Collection[int] | None, first: date, last: date, name: str | None
) -> list[Expectation]:
    bound: dict[str, Any] = {
        "visible": None if visible is None else list(visible),
        "first": first,
        "last": last,
        "name": name,
    }
    with connection.cursor(row_factory=class_row(Expectation)) as cursor:
        return cursor.execute(
            f"""
            select c.name as connection, {_COLUMNS} from expected_files e join connection c on c.id = e.connection_id
            where e.day between %(first)s and %(last)s and (%(name)s::text is null or c.name = %(name)s)
              and (%(visible)s::bigint[] is null or c.id = any(%(visible)s))
            """.encode(),
            bound,
        ).fetchall()


def _to_come(
    connection: LedgerConnection, visible: Collection[int] | None, first: date, last: date, name: str | None
) -> Iterator[Expectation]:
    now = datetime.now(UTC)
    for stored in read_current(connection, only=name, ids=visible):
        if not stored.content.get("expects"):
            continue
        try:
            spec = stored.spec
        except Mistakes:
            continue
        for rule in spec.expects if spec.is_watched else ():
            zone: ZoneInfo = rule.zone(spec.time_zone)
            begin = max(first, now.astimezone(zone).date(), spec.active_from or first)
            for each in rule.occasions(spec.time_zone, begin, last):
                if each.due_at > now:
                    words = rule.in_words(spec.time_zone)
                    yield Expectation(stored.name, words, each.day, each.due_at, "expected", 0, None, None, [])
