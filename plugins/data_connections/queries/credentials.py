"""Where credentials are used, and how old they are."""

from __future__ import annotations

from collections.abc import Collection

from psycopg.rows import DictRow

from data_connections.ledger.database import LedgerConnection


def credentials_in_use(connection: LedgerConnection, visible: Collection[int] | None) -> list[DictRow]:
    """Return each name of credentials with its connections, their host, last success and last change, by name."""
    return connection.execute(
        """
        with used as (
            select named.name, c.name as connection, named.host, r.finished_at
            from connection c
            join connection_revision v on v.connection_id = c.id and v.number = c.revision
            cross join lateral (values
                (v.spec ->> 'credentials', v.spec #>> '{details,host}'),
                (v.spec #>> '{pgp,credentials}', null),
                (case when v.spec #>> '{details,return_address}' is not null then v.spec #>> '{details,smtp}' end, null)
            ) named (name, host)
            left join lateral (
                select finished_at from connection_run where connection_id = c.id and state = 'completed'
                order by started_at desc, id desc limit 1
            ) r on true
            where c.deleted_at is null and (%(visible)s::bigint[] is null or c.id = any(%(visible)s))
        )
        select name, array_agg(distinct connection order by connection) as used_by, array_agg(distinct host) as hosts,
               max(finished_at) as last_success,
               (select max(a.at) from activity a where a.subject = name and a.what like 'credentials.%%') as changed_at
        from used where name is not null group by name order by name
        """,
        {"visible": None if visible is None else list(visible)},
    ).fetchall()


def servers_of(connection: LedgerConnection, visible: Collection[int] | None, name: str) -> list[DictRow]:
    """Return ``host``, ``port``, ``method`` and ``tls`` of each server that a login is used at."""
    return connection.execute(
        """
        select distinct host, method, tls,
               coalesce(port, case when method = 'sftp' then 22 when tls = 'implicit' then 990 else 21 end) as port
        from (select v.spec ->> 'method' as method, v.spec #>> '{details,host}' as host,
                     (v.spec #>> '{details,port}')::int as port,
                     coalesce(v.spec #>> '{details,tls}', 'explicit') as tls
              from connection c join connection_revision v on v.connection_id = c.id and v.number = c.revision
              where c.deleted_at is null and v.spec ->> 'credentials' = %(name)s
                and (%(visible)s::bigint[] is null or c.id = any(%(visible)s))) used
        where host is not null and (method = 'sftp' or tls <> 'none') order by host, port
        """,
        {"name": name, "visible": None if visible is None else list(visible)},
    ).fetchall()


def hosted_logins(connection: LedgerConnection, visible: Collection[int] | None) -> list[DictRow]:
    """Return the logins of partners at the gateway, each with its newest secret that is valid."""
    return connection.execute(
        """
        select l.login, c.name as connection, l.created_at, l.created_by, l.failures, l.last_failure_at,
               s.kind, s.fingerprint, s.valid_until, s.last_used_at, s.created_at as secret_created_at
        from hosted_login l join connection c on c.id = l.connection_id
        left join lateral (
            select * from hosted_secret where login_id = l.id and retired_at is null order by id desc limit 1
        ) s on true
        where l.retired_at is null and (%(visible)s::bigint[] is null or c.id = any(%(visible)s))
        order by l.login
        """,
        {"visible": None if visible is None else list(visible)},
    ).fetchall()
