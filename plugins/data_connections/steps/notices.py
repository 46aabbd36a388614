"""What people are told about a run: troubles once, again when they go on, and that they are over.

A notice holds no values of rows and no secrets: names of files, counts, codes and the sentence of the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from data_connections.catalog import revision
from data_connections.endpoints.names import shown
from data_connections.errors import LedgerUnavailable
from data_connections.ledger import Ledger, incidents
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.incidents import Incident
from data_connections.spec.alerts import Alerts

FILES_NAMED = 5
_SUBJECTS = {
    "failed": "run failed",
    "rejects": "many rows rejected",
    "held": "file on hold",
    "locking": "actions lock before the next run",
}
_WELL = ("applied", "duplicate", "on_hold", "delivered", "tested")
"""States of files that a failure or rejected rows are not about."""


@dataclass(frozen=True)
class Notice:
    """One thing that people are told.

    Attributes:
        incident: Number of the incident.
        good: Whether it says that a trouble is over.
        subject: One line.
        lines: What happened, which files, and how often.
    """

    incident: int
    good: bool
    subject: str
    lines: tuple[str, ...]


def notices_of(ledger: Ledger, name: str, dag_run_id: str, *, now: datetime | None = None) -> list[Notice]:
    """Record which troubles a finished run has and which it ends, and return what has to be told.

    Args:
        ledger: The ledger.
        name: The connection.
        dag_run_id: Airflow's id of the run; one that has not ended in the ledger tells nothing.
        now: The present instant; the clock's where left out.

    Raises:
        LedgerUnavailable: The ledger does not answer.
    """
    now = now or datetime.now(UTC)
    with ledger.connect() as connection:
        run = _finished_run(connection, name, dag_run_id)
        if run is None:
            return []
        alerts = revision(ledger, name, run["revision"]).spec.alerts
        files = _files(connection, run["id"])
        troubles = dict(_troubles(run, files, alerts))
        if early := _locking_early(connection, run["id"]):
            troubles["locking"] = (
                f"{early:,} rows are about actions that lock before the connection runs again: what comes then is too "
                "late for them. Run it more often, or let the event type lock later."
            )
        connection.execute("select from connection where id = %s for no key update", [run["connection_id"]])
        return [
            notice
            for kind in incidents.OF_RUNS
            if (notice := _notice(connection, name, run, files, alerts, kind, troubles.get(kind), now))
        ]


def without_ledger(name: str, lost: LedgerUnavailable) -> Notice:
    """Return the notice of a run that ended while the ledger did not answer; it belongs to no incident."""
    return Notice(0, good=False, subject=f"Connection {name}: the ledger does not answer", lines=(str(lost),))


def record_told(ledger: Ledger, notice: Notice, channel_troubles: Sequence[str]) -> None:
    """Record that a notice went out, and which channels could not tell it."""
    with ledger.connect() as connection:
        incidents.told(connection, notice.incident, "; ".join(channel_troubles) or None)


def _finished_run(connection: LedgerConnection, name: str, dag_run_id: str) -> dict[str, Any] | None:
    return connection.execute(
        """
        select r.id, r.connection_id, r.revision, r.state, r.reason, r.rejected, r.files
        from connection_run r join connection c on c.id = r.connection_id
        where c.name = %s and r.dag_run_id = %s and r.state <> 'in_progress'
        """,
        [name, dag_run_id],
    ).fetchone()


def _files(connection: LedgerConnection, run_id: int) -> list[dict[str, Any]]:
    """Return the files of a run: those that came in, or the report that was to go out."""
    return connection.execute(
        """
        select 'Submission' as what, id, file_name, state, code, rejected, warned, number as turn
        from submission where run_id = %(run)s
        union all
        select 'Delivery', id, file_name, state, null, 0, 0, id from delivery where run_id = %(run)s
        order by turn
        """,
        {"run": run_id},
    ).fetchall()


def _locking_early(connection: LedgerConnection, run_id: int) -> int:
    row = connection.execute(
        """
        select count(*) as rows from submission s join outcome o on o.submission_id = s.id
        where s.run_id = %s and s.warned > 0 and o.code = 'LOCKS_BEFORE_NEXT_RUN'
        """,
        [run_id],
    ).fetchone()
    return int(row["rows"]) if row else 0


def _troubles(run: Mapping[str, Any], files: Sequence[Mapping[str, Any]], alerts: Alerts) -> Iterator[tuple[str, str]]:
    if run["state"] == "failed":
        yield "failed", run["reason"] or "The run failed; the log of its tasks says why."
    elif alerts.rejects_over is not None and run["rejected"] > alerts.rejects_over:
        yield "rejects", f"{run['rejected']:,} rows were rejected; more than {alerts.rejects_over:,} are told."
    waiting = sum(file["state"] == "on_hold" for file in files)
    if waiting:
        yield "held", f"{waiting} of {len(files)} files wait for somebody to approve or refuse them."


def _notice(
    connection: LedgerConnection,
    name: str,
    run: Mapping[str, Any],
    files: Sequence[Mapping[str, Any]],
    alerts: Alerts,
    kind: str,
    trouble: str | None,
    now: datetime,
) -> Notice | None:
    if trouble is None:
        ended = incidents.close(connection, run["connection_id"], kind) if _ends(connection, run, kind) else None
        return _recovered(name, ended) if ended and ended.told_at and kind in alerts.about else None
    incident = incidents.occur(connection, run["connection_id"], kind, trouble, run_id=run["id"])
    if kind not in alerts.about or not incident.is_to_be_told(now, alerts.again_after):
        return None
    subject = _SUBJECTS[kind]
    times = (f"{incident.runs} runs with it since {incident.opened_at:%Y-%m-%d %H:%M} UTC.",)
    return Notice(
        incident.id,
        good=False,
        subject=f"Connection {name}: {subject}",
        lines=(trouble, *_named(files, kind), *(times if incident.runs > 1 else ())),
    )


def _ends(connection: LedgerConnection, run: Mapping[str, Any], kind: str) -> bool:
    """Whether a run without a trouble ends it: one with files, or for held files that nobody waits any more."""
    if kind in ("rejects", "locking"):
        return bool(run["state"] == "completed" and run["files"])
    if kind == "failed":
        return bool(run["state"] == "completed")
    left = connection.execute(
        """
        select from submission where connection_id = %(id)s and state = 'on_hold'
        union all select from delivery where connection_id = %(id)s and state = 'on_hold' limit 1
        """,
        {"id": run["connection_id"]},
    )
    return not left.fetchall()


def _recovered(name: str, ended: Incident) -> Notice:
    runs = "1 run" if ended.runs == 1 else f"{ended.runs} runs"
    return Notice(
        ended.id,
        good=True,
        subject=f"Connection {name}: recovered",
        lines=(f"It had this trouble in {runs} since {ended.opened_at:%Y-%m-%d %H:%M} UTC: {ended.text}",),
    )


def _named(files: Sequence[Mapping[str, Any]], kind: str) -> list[str]:
    wanted = [file for file in files if _concerns(file, kind)]
    lines = [
        f"{file['what']} {file['id']}, {shown(file['file_name'])}: {file['state']}"
        + (f" ({file['code']})" if file["code"] else "")
        + (f", {file['rejected']:,} rows rejected" if file["rejected"] else "")
        for file in wanted[:FILES_NAMED]
    ]
    return lines + ([f"and {len(wanted) - FILES_NAMED} more files"] if len(wanted) > FILES_NAMED else [])


def _concerns(file: Mapping[str, Any], kind: str) -> bool:
    if kind == "held":
        return bool(file["state"] == "on_hold")
    if kind == "locking":
        return bool(file["warned"])
    return bool(file["rejected"]) or file["state"] not in _WELL
