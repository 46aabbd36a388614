"""Submissions in the ledger: adding, finding and changing their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from data_connections.errors import UnknownName
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.submission import COLUMNS, UNFINISHED, Submission, rows_of


def get(connection: LedgerConnection, submission_id: int, *, lock: bool = False) -> Submission:
    """Return one submission; with ``lock`` nobody else changes it until the transaction ends.

    Raises:
        UnknownName: There is none of that number.
    """
    query = f"select {COLUMNS} from submission where id = %s" + (" for update" if lock else "")
    found = rows_of(connection, query, [submission_id])
    if not found:
        raise UnknownName("submission", str(submission_id), ())
    return found[0]


def get_all(connection: LedgerConnection, submission_ids: Sequence[int]) -> list[Submission]:
    """Return submissions in the order of their numbers in ``submission_ids``."""
    wanted = "%(ids)s::bigint[]"
    query = f"select {COLUMNS} from submission where id = any({wanted}) order by array_position({wanted}, id)"
    return rows_of(connection, query, {"ids": list(submission_ids)})


def find(connection: LedgerConnection, text: str) -> Submission:
    """Return the submission with that number or trace id.

    Raises:
        UnknownName: There is none.
    """
    query = f"select {COLUMNS} from submission where id::text = %(text)s or trace_id::text = lower(%(text)s)"
    found = rows_of(connection, query, {"text": text.strip()})
    if not found:
        raise UnknownName("submission", text, ())
    return found[0]


def add(
    connection: LedgerConnection,
    *,
    connection_id: int,
    revision: int,
    data_type: str,
    file_name: str,
    received_at: datetime,
    origin: str,
    size: int | None = None,
    sighting_id: int | None = None,
    apply_anyway: bool = False,
    trace_id: UUID | None = None,
    vouched: Mapping[str, Any] | None = None,
) -> int:
    """Add the next submission of a connection, in state ``claimed``, and return its id.

    Numbers follow the order of the calls: the connection's row is locked until the transaction ends.
    """
    connection.execute("select from connection where id = %s for no key update", [connection_id])
    added = connection.execute(
        """
        insert into submission (trace_id, connection_id, revision, number, data_type, file_name, received_at, origin,
                                state, size, sighting_id, apply_anyway, vouched)
        select coalesce(%(trace)s, gen_random_uuid()), %(connection)s, %(revision)s, coalesce(max(number), 0) + 1,
               %(data_type)s, %(file_name)s, %(received_at)s, %(origin)s, 'claimed', %(size)s, %(sighting)s, %(again)s,
               %(vouched)s
        from submission where connection_id = %(connection)s
        returning id
        """,
        {
            "connection": connection_id,
            "revision": revision,
            "data_type": data_type,
            "file_name": file_name,
            "received_at": received_at,
            "origin": origin,
            "size": size,
            "sighting": sighting_id,
            "again": apply_anyway,
            "trace": trace_id,
            "vouched": Jsonb(dict(vouched)) if vouched else None,
        },
    ).fetchone()
    assert added is not None  # noqa: S101 - an aggregate always gives one row
    return int(added["id"])


def add_replay(
    connection: LedgerConnection,
    original: Submission,
    revision: int,
    *,
    run_id: int | None = None,
    apply_anyway: bool = False,
) -> int:
    """Add a submission of the kept bytes of an earlier one, with its received time, and return its id.

    Args:
        connection: The ledger.
        original: The earlier submission.
        revision: Number of the revision that the bytes are judged by.
        run_id: The run that is to bring it to an end; None where a command does.
        apply_anyway: Judge the rows though the same bytes were fully applied before.
    """
    connection.execute("select from connection where id = %s for no key update", [original.connection_id])
    added = connection.execute(
        """
        insert into submission (connection_id, revision, number, data_type, file_name, received_at, origin, state,
                                size, sha256, landing_key, fetched_at, run_id, replays_id, apply_anyway, message_key,
                                signed_by)
        select o.connection_id, %(revision)s,
               (select max(number) + 1 from submission where connection_id = o.connection_id),
               v.spec ->> 'data_type', o.file_name, o.received_at, 'replay', 'fetched', o.size, o.sha256, o.landing_key,
               now(), %(run)s, o.id, %(again)s,
               coalesce(o.message_key, (select p.message_key from submission p where p.id = o.parcel_id)), o.signed_by
        from submission o join connection_revision v on v.connection_id = o.connection_id and v.number = %(revision)s
        where o.id = %(original)s
        returning id
        """,
        {"revision": revision, "run": run_id, "again": apply_anyway, "original": original.id},
    ).fetchone()
    assert added is not None  # noqa: S101 - submissions and revisions are never deleted
    return int(added["id"])


def abandoned(connection: LedgerConnection) -> list[int]:
    """Return the kept submissions that a command left unfinished and nobody works on any more, in order of claims.

    Those of endpoints are taken up by the next run of their connection; those on hold wait for a person.
    """
    rows = connection.execute(
        """
        select s.id from submission s left join connection_run r on r.id = s.run_id
        where s.state in ('fetched', 'validated') and s.origin <> 'endpoint'
          and (s.leased_until is null or s.leased_until < now()) and (r.id is null or r.finished_at is not null)
          and s.claimed_at < now() - interval '10 minutes'
        order by s.connection_id, s.number
        """
    ).fetchall()
    return [row["id"] for row in rows]


def not_fully_applied(connection: LedgerConnection, connection_id: int) -> list[Submission]:
    """Return the final submissions of a connection, oldest first, whose kept bytes are not all in the ledger.

    Of submissions of equal bytes only the newest counts; of a parcel, its members.
    """
    query = f"""
        select {COLUMNS} from submission s
        where connection_id = %(connection)s and state in ('quarantined', 'partly_applied') and landing_key is not null
            and members is null
            and not exists (select from submission later where later.connection_id = s.connection_id
                            and later.sha256 = s.sha256 and later.id > s.id)
        order by turn, number
    """
    return rows_of(connection, query, {"connection": connection_id})


def set_fetched(connection: LedgerConnection, submission_id: int, key: str, sha256: str, size: int) -> bool:
    """Record the kept original; False when another try did so before."""
    return _changed(
        connection,
        """
        update submission
        set state = 'fetched', landing_key = %(key)s, sha256 = %(sha256)s, size = %(size)s, fetched_at = now()
        where id = %(id)s and state = 'claimed'
        """,
        {"id": submission_id, "key": key, "sha256": sha256, "size": size},
    )


def set_unwrapped(
    connection: LedgerConnection,
    submission_id: int,
    key: str,
    sha256: str,
    signed_by: str | None,
    warnings: Iterable[Mapping[str, Any]],
) -> bool:
    """Put what an OpenPGP message holds in the place of the original; False when another try did so before."""
    return _changed(
        connection,
        """
        update submission
        set message_key = landing_key, landing_key = %(key)s, sha256 = %(sha256)s, signed_by = %(signed_by)s,
            warnings = %(warnings)s
        where id = %(id)s and state = 'fetched' and message_key is null
        """,
        {
            "id": submission_id,
            "key": key,
            "sha256": sha256,
            "signed_by": signed_by,
            "warnings": Jsonb(list(warnings)),
        },
    )


def set_sealed(connection: LedgerConnection, submission_id: int, changes: Mapping[str, Any]) -> None:
    """Record a sealed attempt: ``attempt``, ``seal``, ``format``, ``warnings``, ``corrects_id`` and more."""
    values = {name: _json(value) for name, value in changes.items()}
    assignments = ", ".join(f"{name} = %({name})s" for name in values)
    connection.execute(
        f"update submission set {assignments}, validated_at = now() where id = %(id)s".encode(),
        {**values, "id": submission_id},
    )


def set_quarantined(
    connection: LedgerConnection,
    submission_id: int,
    code: str,
    message: str,
    refusal: Mapping[str, Any] | None = None,
) -> bool:
    """Refuse the file whole; False when it had its final state already."""
    return _changed(
        connection,
        """
        update submission
        set state = 'quarantined', code = %(code)s, message = %(message)s, refusal = %(refusal)s,
            finished_at = now(), leased_until = null,
            rows = 0, accepted = 0, warned = 0, rejected = 0, duplicate = 0, held = 0
        where id = %(id)s and state = any(%(unfinished)s)
        """,
        {
            "id": submission_id,
            "code": code,
            "message": message,
            "refusal": Jsonb(dict(refusal)) if refusal else None,
            "unfinished": list(UNFINISHED),
        },
    )


def set_on_hold(connection: LedgerConnection, submission_id: int, code: str, message: str) -> None:
    """Let a validated submission wait until somebody approves or refuses it."""
    connection.execute(
        "update submission set state = 'on_hold', code = %s, message = %s where id = %s and state = 'validated'",
        [code, message, submission_id],
    )


def set_acknowledged(connection: LedgerConnection, submission_id: int) -> None:
    """Record that the sender got the outcome; the first time counts."""
    connection.execute(
        "update submission set acknowledged_at = coalesce(acknowledged_at, now()) where id = %s", [submission_id]
    )


def add_warning(connection: LedgerConnection, submission_id: int, warning: Mapping[str, Any]) -> None:
    """Add what there is to say about a file beside its rows."""
    connection.execute(
        "update submission set warnings = warnings || %s where id = %s", [Jsonb([dict(warning)]), submission_id]
    )


def first_unfinished(connection: LedgerConnection, connection_id: int) -> int | None:
    """Return the submission of a connection that comes first of those that are not final."""
    found = connection.execute(
        """
        select id from submission where connection_id = %s and state in ('claimed', 'fetched', 'validated', 'on_hold')
            and members is null
        order by turn, number limit 1
        """,
        [connection_id],
    ).fetchone()
    return found["id"] if found else None


def corrected(connection: LedgerConnection, submission: Submission, named: Iterable[str]) -> int | None:
    """Return the newest earlier submission of the same connection among those that a file says it corrects."""
    found = connection.execute(
        """
        select max(id) as id from submission
        where connection_id = %(connection)s and id < %(id)s and id::text = any(%(named)s)
        """,
        {"connection": submission.connection_id, "id": submission.id, "named": [text.strip() for text in named]},
    ).fetchone()
    return found["id"] if found else None


def set_duplicate(connection: LedgerConnection, submission_id: int, twin_id: int) -> None:
    """Record that the same bytes were applied before; every row counts as duplicate, with the twin's totals."""
    connection.execute(
        """
        update submission s
        set state = 'duplicate', duplicate_of_id = twin.id, code = 'FILE_DUPLICATE', finished_at = now(),
            message = format('The same bytes were applied as submission %%s.', twin.id),
            rows = twin.rows, duplicate = twin.rows, accepted = 0, warned = 0, rejected = 0, held = 0
        from submission twin where s.id = %(id)s and twin.id = %(twin)s
        """,
        {"id": submission_id, "twin": twin_id},
    )
    connection.execute(
        """
        insert into submission_total (submission_id, outcome, currency, rows, quantity, amount)
        select %(id)s, 'duplicate', currency, sum(rows), sum(quantity), sum(amount)
        from submission_total where submission_id = %(twin)s group by currency
        """,
        {"id": submission_id, "twin": twin_id},
    )


def _changed(connection: LedgerConnection, query: str, parameters: Mapping[str, Any]) -> bool:
    return connection.execute(query.encode(), parameters).rowcount == 1


def _json(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict | list) else value
