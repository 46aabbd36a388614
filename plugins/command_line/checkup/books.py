"""The ledger and the landing area: reachable, in order, and complete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

from command_line.checkup.finding import Finding, bad, good, warning
from data_connections.landing import Landing
from data_connections.ledger import Ledger

_OLDEST_SERVER = 150000
_SAMPLE = 5
_CLOCK_WARNING = timedelta(seconds=2)
_CLOCK_BAD = timedelta(seconds=30)


class _TriedOut(Exception):
    """Ends a trial to write, so that nothing of it is kept."""


def server(ledger: Ledger) -> Iterator[Finding]:
    """Look at the database server of the ledger."""
    row = _one(
        ledger,
        """
        select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
               pg_encoding_to_char(encoding) as encoding, current_setting('max_connections')::int as most,
               (select count(*) from pg_stat_activity where backend_type = 'client backend') as used
        from pg_database where datname = current_database()
        """,
    )
    if row["number"] < _OLDEST_SERVER:
        yield bad("ledger", f"PostgreSQL {row['version']} is too old.", "Use PostgreSQL 15 or later.")
    elif row["encoding"] != "UTF8":
        yield bad("ledger", f"The database's encoding is {row['encoding']}.", "Make it anew with encoding UTF8.")
    else:
        yield good("ledger", f"PostgreSQL {row['version']} answers.")
    text = f"{row['used']} of {row['most']} database connections are in use."
    if row["used"] > 0.8 * row["most"]:
        yield warning("ledger", text, "Raise max_connections, or put PgBouncer in front of Airflow's database.")
    else:
        yield good("ledger", text)


def standstill(ledger: Ledger) -> Iterator[Finding]:
    """Say whether all applying and sending is stopped."""
    from data_connections.ledger.standstill import halted

    with ledger.connect() as connection:
        halt = halted(connection)
    if halt is not None:
        text = f"All applying and sending is stopped since {halt.since:%Y-%m-%d %H:%M} UTC by {halt.who}: {halt.reason}"
        yield warning("standstill", text, "`connections halt --end` lets it go on.")


def schema(ledger: Ledger) -> Iterator[Finding]:
    """Compare the ledger's schema with what this version of Connections knows."""
    from data_connections.ledger.database import newest_schema, schema_of

    found, newest = schema_of(ledger), newest_schema()
    if found == newest:
        yield good("ledger's schema", f"Schema {newest}, the newest.")
    elif found is None or found < newest:
        advice = "Any other command of `connections`, or a start of the stack, brings it to the newest."
        yield bad("ledger's schema", f"Schema {found or 'none'}, this Connections knows {newest}.", advice)
    else:
        advice = "It serves the release before its own, too; update Connections here before long."
        yield warning("ledger's schema", f"Schema {found} is newer than {newest}, which is known here.", advice)


def reports_role(ledger: Ledger) -> Iterator[Finding]:
    """Look whether the role that reports read as is there and may read; a restore on a new server loses both."""
    row = _one(
        ledger,
        """
        select coalesce(bool_or(has_table_privilege(oid, 'action', 'select')
                                and pg_has_role(current_user, oid, 'member')), false) as reads
        from pg_roles where rolname = 'connections_reports'
        """,
    )
    if row["reads"]:
        yield good("reports", "Their role may read the ledger.")
        return
    advice = "Make it (docs/reports.md); after a restore make it first, and restore the ledger again."
    yield bad("reports", "The role connections_reports is missing, or may not read: no report can be made.", advice)


def clock(ledger: Ledger) -> Iterator[Finding]:
    """Compare this machine's clock with the database's."""
    before = datetime.now(UTC)
    there = _one(ledger, "select clock_timestamp() as now")["now"]
    yield clock_finding("the ledger", there, before)


def clock_finding(whose: str, there: datetime, before: datetime) -> Finding:
    """Return what is to be said about a clock that showed ``there`` between ``before`` and now."""
    now = datetime.now(UTC)
    off = max(before - there, there - now, timedelta(0))
    text = f"The clocks here and of {whose} differ by {off.total_seconds():.1f} s."
    if off > _CLOCK_BAD:
        return bad("clocks", text, "Have both follow the same time servers: tokens and leases end at the wrong time.")
    if off > _CLOCK_WARNING:
        return warning("clocks", text, "Have both follow the same time servers.")
    return good("clocks", text)


def locks(ledger: Ledger) -> Iterator[Finding]:
    """Look for sessions that keep others waiting, expired claims, and rows that dead attempts staged."""
    row = _one(
        ledger,
        """
        select (select count(*) from pg_stat_activity where datname = current_database()
                and state like 'idle in transaction%%' and state_change < now() - interval '5 minutes') as idle,
               (select count(*) from pg_stat_activity where datname = current_database()
                and wait_event_type = 'Lock' and state_change < now() - interval '1 minute') as waiting,
               (select count(*) from submission where state in ('claimed', 'fetched', 'validated')
                and coalesce(leased_until, claimed_at) < now() - interval '1 hour') as expired,
               (select count(*) from connection_run where state = 'in_progress'
                and started_at < now() - interval '1 day') as runs
        """,
    )
    said = {
        "idle": ("sessions do nothing inside an open transaction", "End them with pg_terminate_backend()."),
        "waiting": ("sessions have waited for a lock for more than a minute", "See pg_locks for who holds it."),
        "expired": (
            "submissions are unfinished, and whoever had claimed them is gone",
            "The next run of their connection takes them up, or `connections submissions finish ID`.",
        ),
        "runs": (
            "runs have been in progress for more than a day",
            "The DAG connections_maintenance ends what Airflow has ended; is it running?",
        ),
    }
    found = [warning("locks", f"{row[name]} {text}.", advice) for name, (text, advice) in said.items() if row[name]]
    yield from found or [good("locks", "Nobody waits, and no claim has run out.")]


def landing_area(ledger: Ledger, landing: Landing) -> Iterator[Finding]:
    """Try to write to the landing area, and read the newest originals against their hashes."""
    try:
        with suppress(_TriedOut), landing.keep() as incoming:
            incoming.write(b"Connections tries out whether it may write here.\n")
            raise _TriedOut
    except OSError as refused:
        advice = "Mend its rights, or CONNECTIONS_LANDING_URL."
        yield bad("landing area", f"It cannot be written to: {refused.strerror}.", advice)
        return
    rows = ledger.all(
        "select landing_key from submission where landing_key is not null and size < 16000000"
        " and fetched_at > now() - interval '60 days' order by id desc limit %s",
        [_SAMPLE],
    )
    for row in rows:
        with landing.open_verified(row["landing_key"]) as original:
            while original.read(1024 * 1024):
                pass
    yield good("landing area", f"It can be written to; the newest {len(rows)} originals have the bytes that came.")


def completeness(ledger: Ledger, landing: Landing, since: date | None) -> Iterator[Finding]:
    """Compare the journal of the landing area with the ledger."""
    from data_connections.steps.recovery import find_missing

    missing = find_missing(ledger, landing, since)
    if missing:
        yield bad(
            "recovery",
            f"The landing area knows of {len(missing)} files or deliveries that the ledger lacks: it was restored from "
            "an older backup.",
            "Run `connections doctor --recover`, before Airflow starts.",
        )
    else:
        yield good("recovery", "The ledger knows every file that was landed and every delivery that was sent.")


def _one(ledger: Ledger, query: str) -> dict[str, Any]:
    return dict(ledger.one(query.replace("%%", "%")) or {})
