"""The daily look at endpoints, at real servers: what it finds, told once when one breaks and once when it is over."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from data_connections.ledger import Ledger
from data_connections.queries.health import health
from data_connections.settings import PROJECT
from data_connections.steps.standstill import plan_window
from fixtures.airflow_home import SetCredentials
from fixtures.catalog import INBOUND, OUTBOUND, Apply, changed
from fixtures.ftp_servers import PASSWORD, FtpServer
from fixtures.mail_catcher import CaughtMails
from local_stack.partner_sftp import PartnerServer
from operators.endpoint_health import ForgetLooks, LookAtEndpoints

pytestmark = pytest.mark.usefixtures("airflow_ledger")
ALERTS = {"email": ["ops@example.test"]}


def look(*names: str) -> dict[str, list[str]]:
    return LookAtEndpoints(task_id="look", connections=names).execute({})  # type: ignore[typeddict-item]


def not_well(ledger: Ledger) -> dict[str, str]:
    with ledger.connect() as connection:
        return {row["name"]: row["message"] for row in health(connection, None)["endpoints"]}


@pytest.fixture
def three(apply: Apply, sftp_partner: PartnerServer, set_credentials: SetCredentials) -> list[str]:
    """Three connections at one partner, two of them with the same folder."""
    set_credentials()
    port = {"port": sftp_partner.port}
    specs = [
        changed(INBOUND, alerts=ALERTS, details=port),
        changed(INBOUND, name="second", alerts=ALERTS, details=port),
        changed(OUTBOUND, alerts=ALERTS, details=port),
    ]
    apply(*specs)
    return sorted(spec["name"] for spec in specs)


def test_what_breaks_is_told_once_for_all_and_once_that_it_is_over(
    three: list[str], ledger: Ledger, set_credentials: SetCredentials, caught_mails: CaughtMails
) -> None:
    assert look(*three) == {"works": three, "broken": []}
    set_credentials(password="changed by the partner")
    assert look(*three)["broken"] == three
    assert look(*three)["broken"] == three
    assert all("refused the login" in text for text in not_well(ledger).values())
    assert len(not_well(ledger)) == 3
    set_credentials()
    assert look(*three)["works"] == three
    assert not_well(ledger) == {}

    assert caught_mails.subjects == [
        "Connections acme-conversions, acme-performance, second: the endpoint does not work",
        "Connection acme-conversions: its endpoint works again",
    ]
    assert "changed by the partner" not in "".join(caught_mails.bodies)


def test_a_folder_that_vanished_is_that_connections_own_trouble(
    three: list[str], ledger: Ledger, sftp_partner: PartnerServer
) -> None:
    shutil.rmtree(sftp_partner.files / "out")
    assert look(*three) == {"works": ["acme-conversions", "second"], "broken": ["acme-performance"]}
    assert "/out" in not_well(ledger)["acme-performance"]


def test_another_host_key_is_found(three: list[str], ledger: Ledger, set_credentials: SetCredentials) -> None:
    set_credentials(host_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFMsTq5oFAbGNlAbyY2FIbcGrzCGVUSyOc6vmXX3MAaQ")
    assert look(*three)["broken"] == three
    assert "host key" in not_well(ledger)["second"]


def test_an_address_that_may_not_be_reached_is_not_reached(
    three: list[str], ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTIONS_ALLOW_ADDRESSES", "")
    assert look(*three)["broken"] == three
    assert "CONNECTIONS_ALLOW_ADDRESSES" in not_well(ledger)["second"]


def test_a_server_that_does_not_answer_is_looked_at_again_before_anybody_is_told(
    three: list[str], ledger: Ledger, apply: Apply, caught_mails: CaughtMails
) -> None:
    from hooks.failures import TaskFailed

    apply(changed(INBOUND, alerts=ALERTS, details={"port": 9}))
    task = LookAtEndpoints(task_id="look", connections=three[:1])
    for tried in (1, 2):
        ti: Any = type("Try", (), {"try_number": tried, "max_tries": 2})()
        with pytest.raises(TaskFailed, match="looked again later"):
            task.execute({"ti": ti})
    assert (not_well(ledger), caught_mails.mails) == ({}, [])
    ti = type("Try", (), {"try_number": 3, "max_tries": 2})()
    assert task.execute({"ti": ti})["broken"] == three[:1]
    assert len(caught_mails.mails) == 1


def test_what_is_paused_is_not_looked_at_and_its_trouble_is_over(
    three: list[str], ledger: Ledger, apply: Apply, set_credentials: SetCredentials
) -> None:
    set_credentials(password="wrong")
    look("second")
    apply(changed(INBOUND, name="second", paused=True))
    assert look("second", "never-there") == {"works": [], "broken": []}
    with ledger.connect() as connection:
        connection.execute("update endpoint_look set looked_at = now() - interval '4 days'")
    assert ForgetLooks(task_id="forget").execute({}) == 1  # type: ignore[typeddict-item]
    assert ledger.all("select kind from incident where closed_at is null") == []


def test_a_host_in_maintenance_is_not_looked_at(
    three: list[str], ledger: Ledger, set_credentials: SetCredentials
) -> None:
    set_credentials(password="wrong")
    now = datetime.now(UTC)
    window = {"begins_at": now - timedelta(hours=1), "ends_at": now + timedelta(hours=1), "reason": "they move"}
    plan_window(ledger, "ada", **window, host="127.0.0.1")
    assert look(*three) == {"works": [], "broken": []}


def test_the_end_of_a_servers_certificate_is_seen(
    apply: Apply, ledger: Ledger, pyftpdlib_server: FtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    details = {"host": "127.0.0.1", "port": pyftpdlib_server.port, "folder": "/", "file_pattern": "*.csv"}
    apply({**INBOUND, "name": "by-ftps", "method": "ftp", "credentials": "ftps", "details": details})
    kept = {
        "conn_type": "ftp",
        "login": pyftpdlib_server.login,
        "password": PASSWORD,
        "extra": {"certificate": pyftpdlib_server.tls.fingerprint},
    }
    monkeypatch.setenv("AIRFLOW_CONN_FTPS", json.dumps(kept))
    assert look("by-ftps")["works"] == ["by-ftps"]
    [row] = ledger.all("select certificate_until from endpoint_look")
    assert row["certificate_until"] > datetime.now(UTC)


@pytest.mark.airflow
@pytest.mark.usefixtures("airflow_database")
def test_the_dag_looks_in_the_pool_of_the_server(three: list[str], ledger: Ledger, sftp_partner: PartnerServer) -> None:
    dag = DagBag(dag_folder=PROJECT / "dags" / "endpoint_health.py", bundle_name="dags-folder").dags[
        "connections_endpoints"
    ]
    pool = f"sftp-127.0.0.1-{sftp_partner.port}"
    assert {task.task_id: task.pool for task in dag.tasks} == {
        "forget_looks": "default_pool",
        f"look_at.{pool}": pool,
    }
    run = dag.test(logical_date=datetime(2026, 3, 20, tzinfo=UTC))
    assert {str(ti.state) for ti in run.get_task_instances()} == {"success"}
    assert len(ledger.all("select from endpoint_look where works")) == 3
