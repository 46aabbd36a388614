"""Filters, sorts and pages of the API are those of the pages: the same lines in the same order."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.dependencies.utils import get_flat_dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from data_connections.ledger import Ledger
from fixtures.catalog import INBOUND, OUTBOUND, apply_to, changed

pytestmark = pytest.mark.airflow

LINKS = {
    "connections": (r'<th scope="row"><a href="/connections-app/connections/([\w-]+)"', "name"),
    "submissions": (r'<th scope="row"[^>]*><a href="/connections-app/submissions/(\d+)"', "id"),
    "deliveries": (r'<th scope="row"[^>]*><a href="/connections-app/deliveries/(\d+)"', "id"),
    "actions": (r'<th scope="row"[^>]*><a href="/connections-app/actions/(\d+)"', "id"),
}
QUERIES = {
    "connections": (
        "",
        "program=acme",
        "data_type=conversions",
        "direction=outbound",
        "method=sftp",
        "status=failed",
        "setup=initializing",
        "owner=data-team",
        "search=E-03",
        "active_since=2026-01-01",
        "next_run=none&size=4",
        "sort=last_active&descending=true",
        "sort=program&size=3&page=2",
        "sort=data_type&descending=true",
    ),
    "submissions": (
        "",
        "connection=acme-03",
        "program=acme",
        "data_type=conversions",
        "state=quarantined",
        "errors=true",
        "search=ORDERS_1",
        "since=2026-03-05&until=2026-03-06",
        "before=20&size=5",
    ),
    "deliveries": ("", "connection=acme-performance", "program=acme", "state=delivered", "since=2026-03-02", "size=2"),
    "actions": (
        "",
        "search=o-3",
        "search=1.11.2",
        "search=c-1",
        "program=acme",
        "event_type=11",
        "partner=4",
        "state=REVERSED",
        "since=2026-03-03&until=2026-03-05",
        "locks_within=3650",
        "size=2&page=2",
    ),
}


@pytest.fixture
def acme(ledger: Ledger, airflow_ledger: None) -> Ledger:
    specs = [changed(INBOUND, name=f"acme-{number:02}") for number in range(6)]
    with ledger.connect() as connection:
        connection.execute("insert into program (id, key, name, currency) values (1, 'acme', 'Acme', 'EUR')")
        connection.execute("insert into event_type (id, program_id, name) values (11, 1, 'Sale')")
    apply_to(ledger, *specs, OUTBOUND)
    with ledger.connect() as connection:
        for statement in _FILL.split(";\n"):
            connection.execute(statement.encode())
    return ledger


_FILL = """
insert into connection_run (connection_id, revision, dag_run_id, state, reason, finished_at)
select id, 1, 'manual__1', 'failed', 'away', now() from connection where name in ('acme-03', 'acme-04');
insert into submission (connection_id, revision, number, origin, file_name, received_at, state, data_type, code,
                        message, rejected, rows, finished_at)
select id, 1, n, 'endpoint', 'orders_' || n || '.csv', '2026-03-01'::date + n,
       case n when 1 then 'quarantined' else 'partly_applied' end, 'conversions',
       case n when 1 then 'UNCLOSED_QUOTE' end, case n when 1 then 'A quote.' end, case n when 1 then 0 else n % 2 end,
       case n when 1 then 0 else n % 2 end, now()
from connection, generate_series(1, 30) n where name = 'acme-03';
insert into delivery (connection_id, revision, report, business_date, last_date, date_from, version, state, file_name)
select id, 1, 'performance_by_day', '2026-03-01'::date + n, '2026-03-01'::date + n, '2026-03-01'::date + n, 1,
       case n % 2 when 0 then 'delivered' else 'failed' end, 'report_' || n || '.csv'
from connection, generate_series(0, 5) n where name = 'acme-performance';
insert into action (program_id, event_type_id, order_id, event_at, received_at, amount, currency, partner_id,
                    customer_id, state, locks_at, submission_id, line)
select 1, 11, 'o-' || n, '2026-03-01'::date + n, '2026-03-01'::date + n, n, 'EUR', n % 5, 'c-' || n % 3,
       case n % 4 when 0 then 'REVERSED' else 'PENDING' end, now() + n % 3 * interval '1 day', 1, n
from generate_series(1, 12) n
"""


@pytest.mark.parametrize("what", QUERIES)
def test_each_filter_and_sort_gives_the_page_and_the_api_the_same_lines(client, acme, what):
    viewer = client("viewer")
    link, key = LINKS[what]
    told = set()
    for query in QUERIES[what]:
        page = viewer.get(f"{'' if what == 'connections' else what}?{query}")
        listed = viewer.get(f"api/v1/{what}?{query}", headers={"accept": "application/json"})
        assert (page.status_code, listed.status_code) == (200, 200), (query, listed.text)
        lines = [str(each[key]) for each in listed.json()["items"]]
        assert re.findall(link, page.text) == lines, query
        assert lines, f"{query} finds nothing, so that nothing is compared"
        told.add(tuple(lines))
    assert len(told) > len(QUERIES[what]) / 2, "filters that all give the same lines prove nothing"


def parameters(path: str) -> set[str]:
    """The query parameters of a route, those of models one by one."""
    from ui.app import make_app

    (route,) = (
        each for each in make_app().routes if isinstance(each, APIRoute) and each.path == path and "GET" in each.methods
    )
    found: set[str] = set()
    for each in get_flat_dependant(route.dependant).query_params:
        kind: Any = each.field_info.annotation
        is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
        found |= set(kind.model_fields) if is_model else {each.name}
    return found


@pytest.mark.parametrize(
    "path",
    [
        "/connections",
        "/submissions",
        "/deliveries",
        "/actions",
        "/actions/statement",
        "/actions/statement/rows",
        "/activity",
    ],
)
def test_the_parameters_of_the_api_are_those_of_the_page(path):
    ours = parameters("/" if path == "/connections" else path)
    assert ours
    assert parameters(f"/api/v1{path}") == ours
