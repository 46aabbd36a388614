"""Pages and lists of the screen with a thousand connections, a million files and a million actions, within 300 ms."""

from __future__ import annotations

import os
import re
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.pairing import Result, Tell, seconds_of
from data_connections.ledger import Ledger, migrate
from data_connections.postgres import EmbeddedPostgres

CONNECTIONS, RUNS_EACH, FILES_EACH = 1_000, 200, 1_000
ACTIONS, LATER = 1_000_000, 20_000
LIMIT = 0.300
PAGE_LIMIT = 150_000
ROUNDS = 40
PATIENCE = 20.0
"""Seconds after which a page that is far too slow is not asked again."""
VARIANTS = (
    "?page=20",
    "?sort=last_active&descending=true",
    "?status=failed",
    "?search=0999",
    "submissions?before=500000",
    "submissions?errors=true",
    "submissions?search=file_123456",
    "submissions?search=nothing+like+it",
    "submissions?program=acme&data_type=conversions&state=applied",
    "submissions?since=2026-03-02&until=2026-03-02",
    "submissions?since=2026-01-01&until=2026-02-28",
    "submissions?since=2026-01-01&until=2026-12-31",
    "submissions?connection=acme-0500",
    "deliveries?state=failed",
    "deliveries?connection=acme-0009&size=200",
    "activity?what=connection.changed&connection=acme-0500",
    "activity?search=nothing+like+it",
    "actions?page=20",
    "actions?search=order-500000",
    "actions?search=1.7.500000",
    "actions?search=customer-50000",
    "actions?search=nothing+like+it",
    "actions?locks_within=7",
    "actions?state=REVERSED",
    "actions?partner=7&since=2026-10-01&until=2026-10-31",
    "actions/statement?month={months_ago}",
    *(f"actions/statement/rows?figure={figure}&currency=EUR&partner=7" for figure in ("opening", "locked", "closing")),
    "actions/statement/rows?figure=opening&currency=EUR&partner=7&month={months_ago}",
    "expected?week={months_ago}-01",
    "connections/acme-0500/history?before=100000",
    "api/v1/connections?size=200",
    "api/v1/submissions?size=200",
    "api/v1/deliveries?size=200",
    "api/v1/activity?size=200",
    "api/v1/actions?size=200",
    "api/v1/actions?locks_within=7&size=200",
)
"""Lists and searches beside what every page and call is asked for."""
SAMPLE = {
    "name": "acme-0500",
    "credentials": "login-10",
    "host": "sftp-10.example",
    "submission_id": "777777",
    "delivery_id": "5000",
    "action_id": "500000",
    "event_type_id": "7",
    "integration_id": "1",
    "preset": "email_marketing",
    "data_type": "conversions",
    "template": "header.csv",
    "here": "connections",
    "image": "screen-list-dark.png",
}
"""What stands for the parameters of addresses."""
OTHERS = {"/access": "acme-0001", "/logins": "acme-0001", "preview": "acme-0009", "/credentials/{name}": "login-10"}
"""Names where not every connection has such a page."""
QUERIES = {"/by-dag": "?dag=acme-0500", "/actions/statement/rows": "?figure=new&currency=EUR&partner=7"}
NEITHER = re.compile(
    r"/static/|/download/|/files/\{|/preview/file|/report$|/export|replay-preview|withdrawal-preview|/differences|/servers$"
)
"""What is neither page nor list: downloads, what works out a report or a file, and what asks a server of a partner."""
_FILL = """
insert into program (id, key, name, currency) values (1, 'acme', 'Acme', 'EUR');
insert into connection (name, managed_by, revision, built_revision)
select 'acme-' || to_char(n, 'FM0000'), 'screen', 1, 1 from generate_series(0, {connections} - 1) n;
insert into connection_revision (connection_id, number, spec, hash, created_by)
select id, 1, jsonb_build_object(
    'name', name, 'display_name', 'Connection ' || name, 'program', 'acme', 'method', 'sftp', 'schedule', 'daily',
    'credentials', 'login-' || id % 50, 'owner', 'team-' || id % 7, 'description', repeat('x', 400))
    || case when id % 10 = 0 then jsonb_build_object(
           'direction', 'outbound', 'methodology', 'push', 'data_type', 'performance_by_day',
           'details', jsonb_build_object('host', 'sftp-' || id % 50 || '.example', 'folder', '/out',
                                         'file_name', 'performance_{{business_date:%Y-%m-%d}}.csv'))
       else jsonb_build_object(
           'direction', 'inbound', 'methodology', 'pull', 'data_type', 'conversions',
           'expects', '[{{"by": "15:00:00"}}]'::jsonb,
           'details', jsonb_build_object('host', 'sftp-' || id % 50 || '.example', 'folder', '/out',
                                         'file_pattern', '*.csv')) end, 'x', 'bench'
from connection;
update connection_revision v
set spec = spec - 'credentials' || '{{"methodology": "push", "details": {{"folder": "/", "file_pattern": "*.csv"}}}}'
from connection c where c.id = v.connection_id and c.name = 'acme-0001';
insert into hosted_login (connection_id, login, created_by)
select id, name, 'bench' from connection where name = 'acme-0001';
insert into integration (preset, title, program, answers, created_by)
values ('email_marketing', 'E-mails', 'acme', '{{}}', 'bench');
insert into integration_connection select 1, id from connection where name in ('acme-0009', 'acme-0500');
insert into delivery (connection_id, revision, report, business_date, last_date, date_from, version, state, file_name,
                      size, rows, delivered_at)
select id, 1, 'performance_by_day', day, day, day, 1, case n % 50 when 0 then 'failed' else 'delivered' end,
       'performance_' || day || '.csv', 1000, 20, day + interval '1 day 4 hours'
from generate_series(1, {runs}) n, connection, lateral (select '2026-01-01'::date + n as day) x where id % 10 = 0;
insert into delivery_file (delivery_id, number, file_name, rows, size, sha256, landing_key)
select id, 1, file_name, 20, 1000, md5(id::text) || md5(id::text), 'none' from delivery;
insert into expected_files (connection_id, rule, day, opens_at, due_at, closes_at, state, files, met_at, settled_at)
select id, 'By 15:00', day, day, day + interval '15 hours', day + interval '1 day',
       case when (id + n) % 20 = 0 then 'missed' else 'met' end, 1, day + interval '14 hours', day + interval '1 day'
from generate_series(1, 90) n, connection, lateral (select current_date - n as day) x where id % 10 > 0;
insert into connection_run (connection_id, revision, dag_run_id, state, files, rows, accepted, started_at, finished_at)
select c.id, 1, 'scheduled__' || n, case when (c.id + n) % 9 = 0 then 'failed' else 'completed' end, 5, 100, 90,
       '2026-01-01'::timestamptz + n * interval '1 day', '2026-01-01'::timestamptz + n * interval '1 day 1 minute'
from generate_series(1, {runs}) n, connection c;
insert into submission (connection_id, revision, number, run_id, origin, file_name, received_at, state, data_type, code,
                        rows, accepted, rejected, finished_at, sha256, size)
select c.id, 1, n, (n - 1) / 5 * {connections} + c.id, 'endpoint', 'file_' || c.id * 1000 + n || '.csv',
       '2026-01-01'::timestamptz + n * interval '4 hours', case n % 50 when 0 then 'partly_applied' else 'applied' end,
       'conversions', null, 20, case when n % 50 = 0 then 15 else 20 end, case when n % 50 = 0 then 5 else 0 end, now(),
       md5(c.id || '-' || n) || md5(n || '-' || c.id), 1000
from generate_series(1, {files}) n, connection c;
insert into activity (who, what, subject, connection_id, details)
select 'bench', 'connection.changed', c.name, c.id, '{{}}' from generate_series(1, 50) n, connection c;
insert into event_type (id, program_id, code, name) values (7, 1, 'SALE', 'Sale');
insert into partner (id, name) select n, 'Partner ' || n from generate_series(1, 20) n;
insert into action (program_id, event_type_id, order_id, event_at, received_at, amount, currency, partner_id,
                    customer_id, payout, submission_id, line, state, locks_at, locked_at, locked_by)
select 1, 7, 'order-' || n, t, t + interval '1 hour', 10 + n % 90, 'EUR', 1 + n % 20, 'customer-' || n % 100000,
       (10 + n % 90) * 0.05, n, 1 + n % 20,
       case when t + interval '45 days' > now() then 'PENDING' when n % 25 = 0 then 'REVERSED' else 'APPROVED' end,
       t + interval '45 days',
       case when t + interval '45 days' <= now() and n % 25 > 0 then t + interval '45 days' end,
       case when t + interval '45 days' <= now() and n % 25 > 0 then 'date' end
from generate_series(1, {actions}) n,
     lateral (select now() - interval '330 days' + n * (interval '330 days' / {actions}) as t) x;
insert into action_item (action_id, number, sku, quantity, amount, submission_id, line)
select id, k, 'sku-' || (id + k) % 5000, 1, amount / (1 + (id % 3 = 0)::int), submission_id, line
from action, generate_series(1, 1 + (id % 3 = 0)::int) k;
insert into action_update (action_id, kind, received_at, submission_id, line, old_state, new_state, old_amount,
                           new_amount, old_payout, new_payout, currency)
select id, case state when 'REVERSED' then 'reversed' when 'APPROVED' then 'locked' else 'modified' end,
       least(now(), coalesce(locked_at, event_at + interval '10 days')),
       case when state <> 'APPROVED' then submission_id end, case when state <> 'APPROVED' then line end,
       'PENDING', state, amount, amount, payout, payout, currency
from action where state <> 'PENDING' or id % 10 = 0 order by 3;
analyze;
"""
_LATER = """
insert into action (program_id, event_type_id, order_id, event_at, received_at, amount, currency, partner_id,
                    customer_id, payout, submission_id, line, locks_at)
select 1, 7, 'later-' || n, now() - interval '1 day', now(), 10, 'EUR', 1 + n % 20, 'customer-' || n, 1, n, 1,
       now() + interval '45 days'
from generate_series(1, {later}) n;
insert into action_update (action_id, kind, received_at, submission_id, line, old_state, new_state, old_amount,
                           new_amount, old_payout, new_payout, currency)
select id, 'modified', now(), submission_id, line, 'PENDING', 'PENDING', amount + 1, amount, payout, payout, currency
from action where state = 'PENDING' order by id limit {later};
analyze;
"""
"""What came since months were summed."""
_AIRFLOW = """
insert into dag_run (dag_id, queued_at, logical_date, start_date, end_date, state, run_id, creating_job_id, run_type,
                     triggered_by, run_after, log_template_id, clear_number, span_status)
select d.dag_id, t, t, t, t + interval '1 minute', 'success', 'scheduled__' || n, null, 'scheduled', 'TIMETABLE', t,
       (select max(id) from log_template), 0, 'not_started'
from generate_series(1, {runs}) n, dag d, lateral (select '2026-01-01'::timestamptz + n * interval '1 day' as t) x
where d.dag_id like 'acme-%%';
analyze;
"""


def screen_pages(tell: Tell) -> Result:
    """Measure the 95th percentile of every page and list, warm, in process; the slowest one counts."""
    with tempfile.TemporaryDirectory(prefix="connections-bench-") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder) / "postgres", durable=False).ensure_running()
        try:
            with _screen(server, Path(folder), tell) as get:
                return _measured(get, tell)
        finally:
            server.stop()


def _measured(get: Callable[[str], Any], tell: Tell) -> Result:
    slowest: dict[str, float] = {}
    sizes: dict[str, int] = {}
    pages = all_pages()
    for page in pages:
        answer = get(page)
        assert answer.status_code == 200, (page, answer.status_code, answer.text[:500])
        sizes[page] = len(answer.content)
        seconds: list[float] = []
        while len(seconds) < ROUNDS and (sum(seconds) < PATIENCE or len(seconds) < 2):
            seconds.append(seconds_of(lambda page=page: get(page)))
        slowest[page] = statistics.quantiles(seconds, n=20)[-1]
        tell(f"{slowest[page] * 1000:6.0f} ms  {sizes[page] / 1000:6.1f} kB  /{page}")
    assert "of 1,000" in get("").text
    assert sizes[""] < PAGE_LIMIT, f"The list page has {sizes['']} bytes."
    worst = max(slowest.values())
    late = {page: seconds for page, seconds in slowest.items() if seconds > LIMIT}
    tell(f"{len(pages)} pages and calls, above {LIMIT * 1000:.0f} ms: {late or 'none'}")
    details = {"p95_seconds": slowest, "bytes": sizes, "rounds": ROUNDS, "connections": CONNECTIONS, "actions": ACTIONS}
    return Result("screen_pages", "s", worst, LIMIT, "the limit of 300 ms", LIMIT / worst, 1.0, details)


def all_pages() -> list[str]:
    """Return an address of each page and call that reads, as the app has them, and the variants of lists."""
    from ui.app import make_app

    found = []
    for route in make_app().routes:
        path = getattr(route, "path", "")
        if "GET" not in getattr(route, "methods", ()) or NEITHER.search(path):
            continue
        values = dict(SAMPLE)
        for part, name in OTHERS.items():
            if part in path:
                values["name"] = name
        found.append(re.sub(r"{(\w+)}", lambda part, values=values: values[part[1]], path).lstrip("/") + _query(path))
    months_ago = (datetime.now(UTC) - timedelta(days=180)).strftime("%Y-%m")
    return found + [variant.replace("{months_ago}", months_ago) for variant in VARIANTS]


def _query(path: str) -> str:
    return QUERIES.get(path.removeprefix("/api/v1"), "")


@contextmanager
def _screen(server: EmbeddedPostgres, folder: Path, tell: Tell) -> Iterator[Callable[[str], Any]]:
    """Give out what asks the app for a page, as an administrator, on full databases."""
    for name in ("ledger", "airflow"):
        server.ensure_database(name)
    os.environ.update(
        AIRFLOW_HOME=str(folder / "airflow"),
        CONNECTIONS_HOME=str(folder),
        CONNECTIONS_DATABASE_URL=server.url("ledger"),
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=server.url("airflow").replace("postgresql", "postgresql+psycopg2", 1),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__LOGGING__LOGGING_LEVEL="ERROR",
        _AIRFLOW_PROCESS_CONTEXT="server",
    )
    sys.path.insert(0, str(Path(__file__).parents[1] / "plugins"))
    migrate(server.url("ledger"))
    tell(
        f"filling: {CONNECTIONS:,} connections, {CONNECTIONS * RUNS_EACH:,} runs, {CONNECTIONS * FILES_EACH:,} files, "
        f"{ACTIONS:,} actions with items and updates"
    )
    _run(server.url("ledger"), _FILL)
    from data_connections.steps.month_sums import sum_up_months

    sum_up_months(Ledger(server.url("ledger")))
    _run(server.url("ledger"), _LATER)
    from airflow.utils.db import initdb

    initdb()
    _add_dags()
    _run(server.url("airflow"), _AIRFLOW)
    yield _client().get


def _run(url: str, script: str) -> None:
    filled = script.format(connections=CONNECTIONS, runs=RUNS_EACH, files=FILES_EACH, actions=ACTIONS, later=LATER)
    with Ledger(url).connect(autocommit=True) as connection:
        for statement in filled.split(";\n"):
            if statement.strip():
                connection.execute(statement.replace("%%", "%").encode())


def _add_dags() -> None:
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.session import create_session

    with create_session() as session:
        session.add(DagBundleModel(name="bench"))
        session.flush()
        names = [f"acme-{number:04}" for number in range(CONNECTIONS)]
        session.add_all([DagModel(dag_id=name, bundle_name="bench", is_stale=False, is_paused=False) for name in names])


def _client() -> Any:
    from airflow.api_fastapi import app as airflow_app
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from ui.app import make_app

    manager = airflow_app.init_auth_manager()
    outer = FastAPI()
    outer.mount("/connections-app", make_app())
    client = TestClient(outer, headers={"accept": "text/html"})
    client.cookies.set("_token", manager.generate_jwt(SimpleAuthManagerUser(username="admin", role="ADMIN")))
    client.base_url = client.base_url.join("/connections-app/")
    return client
