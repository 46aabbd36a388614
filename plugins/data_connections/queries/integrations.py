"""Integrations and their dashboards: what came in and went out by the connections that were made together."""

from __future__ import annotations

from collections.abc import Collection

from psycopg.rows import DictRow

from data_connections.ledger.database import LedgerConnection

DAYS = 30


def list_integrations(connection: LedgerConnection, number: int | None = None) -> list[DictRow]:
    """Return the integrations, by title, each with the names of its ``connections``; with a number that one alone.

    Those that were removed are not on the list; asked for by its number, one that was removed is still there.
    """
    return connection.execute(
        """
        select i.id, i.preset, i.title, i.program, i.created_at, i.created_by, i.removed_at,
               array_agg(c.name order by c.name) filter (where c.deleted_at is null) as connections
        from integration i join integration_connection l on l.integration_id = i.id
        join connection c on c.id = l.connection_id
        where case when %(number)s::bigint is null then i.removed_at is null else i.id = %(number)s end
        group by i.id order by i.title, i.id
        """,
        {"number": number},
    ).fetchall()


def moved(connection: LedgerConnection, ids: Collection[int]) -> dict[int, DictRow]:
    """Return by connection what came in and went out in the last 30 days.

    Each has ``files``, ``rows``, ``accepted``, ``rejected``, ``amounts`` (accepted money by currency), ``deliveries``
    and ``sent_rows``.
    """
    rows = connection.execute(
        """
        select c.id, coalesce(s.files, 0) as files, coalesce(s.rows, 0) as rows, coalesce(s.accepted, 0) as accepted,
               coalesce(s.rejected, 0) as rejected, m.amounts, coalesce(d.deliveries, 0) as deliveries,
               coalesce(d.rows, 0) as sent_rows
        from unnest(%(ids)s::bigint[]) as c (id)
        left join lateral (
            select count(*) as files, sum(rows)::bigint as rows, sum(accepted)::bigint as accepted,
                   sum(rejected)::bigint as rejected
            from submission where connection_id = c.id and received_at > now() - make_interval(days => %(days)s)
        ) s on true
        left join lateral (
            select jsonb_object_agg(currency, amount) as amounts from (
                select t.currency, sum(t.amount)::text as amount from submission s
                join submission_total t on t.submission_id = s.id and t.outcome = 'accepted' and t.currency <> ''
                where s.connection_id = c.id and s.received_at > now() - make_interval(days => %(days)s)
                group by t.currency having sum(t.amount) <> 0) by_currency
        ) m on true
        left join lateral (
            select count(*) as deliveries, sum(rows)::bigint as rows from delivery
            where connection_id = c.id and delivered_at > now() - make_interval(days => %(days)s)
        ) d on true
        """,
        {"ids": list(ids), "days": DAYS},
    ).fetchall()
    return {row["id"]: row for row in rows}


def rows_by_day(connection: LedgerConnection, ids: Collection[int]) -> list[DictRow]:
    """Return rows accepted and rejected of each of the last 30 days, oldest first, days without any too."""
    return connection.execute(
        """
        select day::date as day, coalesce(sum(s.accepted), 0)::bigint as accepted,
               coalesce(sum(s.rejected), 0)::bigint as rejected
        from generate_series((now() at time zone 'UTC')::date - (%(days)s - 1), (now() at time zone 'UTC')::date,
                             interval '1 day') as day
        left join submission s on s.connection_id = any(%(ids)s)
          and s.received_at >= day at time zone 'UTC' and s.received_at < (day + interval '1 day') at time zone 'UTC'
        group by day order by day
        """,
        {"ids": list(ids), "days": DAYS},
    ).fetchall()
