"""Lists and pages ask the databases the same number of questions, however much there is to show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from data_connections.ledger import Ledger
from fixtures.catalog import INBOUND, OUTBOUND, apply_to, changed
from fixtures.screen_routes import address, routes

pytestmark = pytest.mark.airflow

MORE = 40
_MANY = """
insert into submission (connection_id, revision, number, origin, file_name, received_at, state, data_type)
select id, 1, 100 + n, 'endpoint', 'more.csv', now(), 'on_hold', 'conversions'
from connection c, generate_series(1, 40) n where c.name like 'acme-more-%';
insert into delivery (connection_id, revision, report, business_date, last_date, date_from, version, state, file_name)
select id, 1, 'performance_by_day', '2026-03-01', '2026-03-01', '2026-03-01', n, 'delivered', 'more.csv'
from connection c, generate_series(10, 50) n where c.name = 'acme-performance';
insert into connection_run (connection_id, revision, dag_run_id, state, reason)
select id, 1, 'more__' || n, 'failed', 'no answer' from connection c, generate_series(1, 40) n;
insert into action (program_id, event_type_id, order_id, event_at, received_at, amount, currency, submission_id, line)
select a.program_id, a.event_type_id, 'more-' || n, a.event_at, a.received_at, 1, 'EUR', a.submission_id, 100 + n
from (select * from action order by id limit 1) a, generate_series(1, 40) n
"""


@contextmanager
def questions(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collect every statement that is sent to the ledger and to Airflow's metadata database."""
    from airflow import settings

    asked: list[str] = []
    execute = psycopg.Cursor.execute

    def noted(self, query, *arguments, **options):
        asked.append(str(query))
        return execute(self, query, *arguments, **options)

    def heard(_connection, _cursor, statement, *_arguments):
        asked.append(statement)

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Cursor, "execute", noted)
        event.listen(settings.engine, "before_cursor_execute", heard)
        yield asked
        event.remove(settings.engine, "before_cursor_execute", heard)


def test_pages_ask_as_much_of_many_lines_as_of_few(
    client: Callable[[str], TestClient], sample: dict[str, str], ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = client("viewer")
    paths = [address(path, sample) for method, path in routes() if method == "GET" and "download" not in path]

    def counted() -> dict[str, int]:
        found = {}
        for path in paths:
            with questions(monkeypatch) as asked:
                answer = viewer.get(path)
            if answer.status_code == 200:
                found[path] = len(asked)
        return found

    counted()  # what is kept from a first answer on is not asked again
    before = counted()
    specs = [changed(INBOUND, name=f"acme-more-{number}", credentials=f"login-{number}") for number in range(MORE)]
    apply_to(ledger, *specs, *(changed(OUTBOUND, name=f"acme-out-{n}", credentials=f"o-{n}") for n in range(MORE)))
    with ledger.connect() as connection:
        for statement in _MANY.split(";"):
            connection.execute(statement.encode())
    after = counted()
    assert len(before) > 30
    assert {path: (before[path], after[path]) for path in before if before[path] != after.get(path)} == {}
    assert max(after.values()) < 25
    assert len(viewer.get("").content) < 150_000
