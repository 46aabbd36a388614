"""Chosen days: the report that they would give, and backfills with their days shown first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from data_connections.ledger import Ledger
from fixtures.catalog import INBOUND, OUTBOUND, apply_to

pytestmark = pytest.mark.airflow
TODAY = datetime.now(UTC).date()


@pytest.fixture
def acme(ledger: Ledger) -> Ledger:
    with ledger.connect() as connection:
        connection.execute("insert into program (id, key, name, currency) values (1, 'acme', 'Acme', 'EUR')")
        connection.execute("insert into event_type (id, program_id, name) values (11, 1, 'Sale')")
    apply_to(ledger, INBOUND, OUTBOUND)
    with ledger.connect() as connection:
        connection.execute(
            """insert into action (program_id, event_type_id, order_id, event_at, received_at, amount, currency,
                                   submission_id, line)
               select 1, 11, 'P-' || n, %s::date + time '10:00', now(), 5, 'EUR', 1, n from generate_series(1, 3) n""",
            [TODAY - timedelta(days=2)],
        )
    return ledger


@pytest.fixture
def dag(acme: Ledger, airflow_database: None):
    """The DAG of the outbound connection, as the DAG processor writes it."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    from dag_factory.dag import build_dag
    from data_connections.catalog import current
    from data_connections.settings import Settings

    stored = current(acme, "acme-performance")
    built = build_dag(stored.spec, stored.number, Settings.from_environment())
    with create_session() as session:
        session.merge(DagBundleModel(name="testing"))
        session.flush()
        session.merge(
            DagModel(dag_id=built.dag_id, bundle_name="testing", fileloc="x", timetable_summary="x", is_stale=False)
        )
        session.flush()
        SerializedDagModel.write_dag(LazyDeserializedDAG.from_dag(built), bundle_name="testing", session=session)


def test_a_report_is_previewed_and_downloaded_and_nothing_is_kept(client, acme):
    user = client("user")
    day = TODAY - timedelta(days=2)
    page = user.get(f"connections/acme-performance/preview?first={day}&last={day}")
    assert page.status_code == 200, page.text
    assert "Adds up with the ledger" in page.text
    assert ">15<" in page.text
    file = user.get(f"connections/acme-performance/preview/file?first={day}&last={day}")
    assert ",15" in file.text
    assert file.headers["content-disposition"].startswith("attachment")
    api = user.post(
        "api/v1/connections/acme-performance/report-preview", json={"first": str(day), "last": str(TODAY)}
    ).json()
    assert (api["count"], api["unfinished"]) == (1, ["UTC"])
    assert acme.one("select count(*) as n from delivery")["n"] == 0
    wrong = user.get(f"connections/acme-performance/preview?first={TODAY}&last={day}")
    assert wrong.status_code == 422
    assert "before the first day" in wrong.text
    assert user.get(f"connections/acme-conversions/preview?first={day}").status_code == 422
    assert client("viewer").get("connections/acme-performance/preview").status_code == 403


def test_a_backfill_shows_its_days_first_and_starts_once(client, acme, dag):
    user = client("user")
    first, last = TODAY - timedelta(days=4), TODAY - timedelta(days=2)
    form = {"first": str(first), "last": str(last), "reprocess": "none"}
    shown = user.post("connections/acme-performance/backfill", data={**form, "go": "preview"})
    assert shown.status_code == 200, shown.text
    assert "3 runs would be made" in shown.text
    started = user.post("connections/acme-performance/backfill", data={**form, "go": "start"})
    assert started.status_code == 303, started.text
    again = user.post("connections/acme-performance/backfill", data={**form, "go": "start"})
    assert "is under way" in again.text
    assert acme.one("select what, subject from activity order by id desc limit 1")["what"] == "connection.backfilled"
    unfinished = user.post("connections/acme-performance/backfill", data={**form, "last": str(TODAY), "go": "preview"})
    assert "is not over" in unfinished.text
    assert client("viewer").post("connections/acme-performance/backfill", data=form).status_code == 403


def test_a_held_file_is_sent_or_refused_on_its_page_and_over_the_api(client, acme, dag):
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with acme.connect() as connection:
        held = [
            row["id"]
            for row in connection.execute(
                """insert into delivery (connection_id, revision, report, business_date, last_date, date_from, version,
                                         state, file_name, size, rows, totals, checked_at)
                   select id, 1, 'performance_by_day', d, d, d, 1, 'on_hold', d || '.csv', 1, 1, '{}', now()
                   from connection, unnest(array[date '2026-03-01', date '2026-03-02']) d
                   where name = 'acme-performance' returning id"""
            ).fetchall()
        ]
        connection.execute(
            """insert into delivery_file (delivery_id, number, file_name, rows, size, sha256, landing_key)
               select id, 1, file_name, 1, 1, 'x', 'x' from delivery"""
        )
    user = client("user")
    assert "Files that wait to be sent" in user.get("health").text
    assert client("viewer").post(f"deliveries/{held[0]}/send").status_code == 403
    sent = user.post(f"deliveries/{held[0]}/send")
    assert sent.status_code == 303, sent.text
    again = user.post(f"api/v1/deliveries/{held[0]}/send")
    assert (again.status_code, again.json()) == (201, {"dag_run_id": f"send__{held[0]}.1"})
    with create_session() as session:
        runs = session.query(DagRun.run_id, DagRun.conf).filter(DagRun.run_id.startswith(f"send__{held[0]}.")).all()
    assert [tuple(run) for run in runs] == [(f"send__{held[0]}.1", {"send": held[0]})]
    assert user.post(f"api/v1/deliveries/{held[1]}/refuse?reason=No").status_code == 204
    assert "Refused by user. No" in user.get(f"deliveries/{held[1]}").text
    order = {"first": "2026-03-01", "last": "2026-03-02", "hold": True}
    wrong = user.post("api/v1/connections/acme-conversions/backfills", json=order)
    assert "only files that go out are held" in wrong.text
