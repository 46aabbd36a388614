"""Whether a run may go on: all applying and sending may be stopped, its connection or host may be in maintenance."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Literal

from data_connections.catalog import StoredSpec, activity, current
from data_connections.errors import ConfigurationError, StandsStill
from data_connections.ledger import Ledger, runs, standstill
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.standstill import Window
from data_connections.spec import ConnectionSpec
from data_connections.steps.pinned_run import PinnedRun

Rest = Literal["halt", "window"]
"""What a task waits for: the end of a halt, before it applies or sends; that of a window, before it goes to a host."""
LONGEST_REASON = 500


def must_not_be_halted(connection: LedgerConnection) -> None:
    """Make sure that applying and sending is not stopped.

    Raises:
        StandsStill: It is.
    """
    halt = standstill.halted(connection)
    if halt is not None:
        raise StandsStill(
            f"All applying and sending was stopped by {halt.who} at {halt.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC: "
            f"{halt.reason.rstrip('.')}. It goes on by itself after `connections halt --end`."
        )


def must_go_on(ledger: Ledger, run: PinnedRun, rests: Collection[Rest], now: datetime | None = None) -> None:
    """Make sure that nothing keeps a run waiting; what does is noted as the run's reason.

    Args:
        ledger: The ledger.
        run: The run.
        rests: What its next step has to wait for.
        now: The present instant; the clock's where left out.

    Raises:
        StandsStill: Something does.
        LedgerUnavailable: The ledger does not answer.
    """
    try:
        with ledger.connect() as connection:
            if "halt" in rests:
                must_not_be_halted(connection)
            if "window" in rests:
                _must_be_outside(connection, run.connection_id, run.spec, now or datetime.now(UTC))
    except StandsStill as rest:
        with ledger.connect() as connection:
            runs.note_waiting(connection, run.id, str(rest))
        raise


def is_in_maintenance(connection: LedgerConnection, connection_id: int, spec: ConnectionSpec, now: datetime) -> bool:
    """Whether a connection, or its host, is in a maintenance window."""
    return standstill.window_of(connection, connection_id, _host(spec), now) is not None


def outside_maintenance(ledger: Ledger, connections: Iterable[StoredSpec]) -> list[StoredSpec]:
    """Return those connections that are in no maintenance window now, nor is their host."""
    now = datetime.now(UTC)
    with ledger.connect() as connection:
        return [each for each in connections if not is_in_maintenance(connection, each.connection_id, each.spec, now)]


def _must_be_outside(connection: LedgerConnection, connection_id: int, spec: ConnectionSpec, now: datetime) -> None:
    window = standstill.window_of(connection, connection_id, _host(spec), now)
    if window is not None:
        raise StandsStill(
            f"Connection {spec.name}: maintenance of {window.host or 'the connection'} until "
            f"{window.ends_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {window.reason.rstrip('.')}. "
            "It goes on by itself then."
        )


def _host(spec: ConnectionSpec) -> str | None:
    host: str | None = getattr(spec.details, "host", None)
    return host


def halt(ledger: Ledger, who: str, reason: str) -> bool:
    """Stop all applying and sending; False where it was stopped before.

    Raises:
        ConfigurationError: There is no reason.
    """
    with ledger.connect() as connection:
        done = standstill.halt(connection, who, _reason(reason))
        if done:
            activity.record(connection, who, "installation.halted", "applying and sending", details={"reason": reason})
    return done


def go_on(ledger: Ledger, who: str) -> bool:
    """Let applying and sending go on; False where nothing was stopped."""
    with ledger.connect() as connection:
        done = standstill.end_halt(connection, who)
        if done:
            activity.record(connection, who, "installation.resumed", "applying and sending")
    return done


def plan_window(
    ledger: Ledger,
    who: str,
    begins_at: datetime,
    ends_at: datetime,
    reason: str,
    *,
    name: str | None = None,
    host: str | None = None,
) -> int:
    """Plan a maintenance window of a connection or a host, and return its number.

    Raises:
        UnknownName: There is no such connection.
        ConfigurationError: It is for both or neither, ends before it begins, is over, or has no reason.
    """
    if (name is None) == (host is None):
        raise ConfigurationError("A maintenance window is for one connection, or for one host.")
    if ends_at <= begins_at:
        raise ConfigurationError(f"The window would end at {ends_at:%Y-%m-%d %H:%M}, not after its begin.")
    if ends_at <= datetime.now(UTC):
        raise ConfigurationError(f"The window is over: it would have ended at {ends_at:%Y-%m-%d %H:%M}.")
    stored = current(ledger, name) if name is not None else None
    subject = stored.name if stored else f"host {host}"
    number = stored.connection_id if stored else None
    details = {"from": begins_at.isoformat(), "to": ends_at.isoformat(), "reason": reason}
    with ledger.connect() as connection:
        made = standstill.add_window(connection, number, host, begins_at, ends_at, reason=_reason(reason), who=who)
        activity.record(connection, who, "maintenance.planned", subject, connection_id=number, details=details)
    return made


def end_window(ledger: Ledger, window_id: int, who: str) -> Window:
    """End a maintenance window now, or take one back that has not begun.

    Raises:
        ConfigurationError: There is none of that number that goes on or is to come.
    """
    with ledger.connect() as connection:
        window = standstill.end_window(connection, window_id, datetime.now(UTC))
        if window is None:
            raise ConfigurationError(f"No maintenance window {window_id} goes on or is to come.")
        activity.record(connection, who, "maintenance.ended", window.connection or f"host {window.host}")
    return window


def _reason(text: str) -> str:
    if not text.strip() or len(text) > LONGEST_REASON:
        raise ConfigurationError(f"Say why, in at most {LONGEST_REASON} characters: people read it while runs wait.")
    return text.strip()
