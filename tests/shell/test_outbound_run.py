from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from airflow.dag_processing.dagbag import DagBag
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from sqlalchemy import select

from data_connections.catalog.reference import load_reference
from data_connections.catalog.reference_ledger import apply_reference
from data_connections.formats.openpgp import Keyring, open_message
from data_connections.formats.openpgp.keyring import describe, generate
from data_connections.ledger import Ledger
from data_connections.settings import PROJECT
from data_connections.steps import held_deliveries
from data_connections.steps.backfill import Conduct
from data_connections.steps.missed_turns import missed_days
from data_connections.steps.pinned_run import find_run
from fixtures.airflow_home import SetCredentials
from fixtures.catalog import OUTBOUND, Apply, changed
from fixtures.ftp_servers import PASSWORD, FtpServer
from local_stack.partner_sftp import PartnerServer

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("airflow_database", "airflow_ledger")]


@pytest.fixture
def run_dag(
    apply: Apply, ledger: Ledger, sftp_partner: PartnerServer, set_credentials: SetCredentials
) -> Callable[..., Any]:
    """Applies the outbound connection and runs its DAG in this process; returns the run."""
    apply_reference(ledger, load_reference(PROJECT / "include" / "reference"), "tests")
    set_credentials()

    def run(
        business_date: str | None = None,
        conf: dict[str, Any] | None = None,
        prepare: Callable[[Any], None] = lambda dag: None,
        **changes: Any,
    ) -> Any:
        apply(changed(changed(OUTBOUND, details={"port": sftp_partner.port}), **changes))
        dag = DagBag(dag_folder=PROJECT / "dags", bundle_name="dags-folder").dags["acme-performance"]
        for task in dag.tasks:
            task.retry_delay = timedelta(seconds=0.1)
        prepare(dag)
        asked = {"business_date": business_date} if business_date else {}
        return dag.test(run_conf={**asked, **(conf or {})} or None)

    return run


def add_actions(ledger: Ledger, *days: str) -> None:
    with ledger.connect() as connection:
        connection.execute(
            """
            with submitted as (
                insert into submission (connection_id, revision, number, origin, file_name, received_at, state,
                                        data_type)
                select id, 1, 1, 'manual', 'x.csv', now(), 'applied', 'conversions' from connection limit 1
                returning id
            )
            insert into action (program_id, event_type_id, order_id, event_at, received_at, amount, currency,
                                submission_id, line)
            select 1000, 2001, day || '-' || number, (day || ' 10:00+00')::timestamptz, now(), 12.50, 'EUR',
                   submitted.id, number
            from submitted, unnest(%s::text[]) with ordinality as given(day, number)
            """,
            [list(days)],
        )


def states(run: Any) -> dict[str, str]:
    return {ti.task_id: str(ti.state) for ti in run.get_task_instances()}


def test_the_report_of_a_day_is_delivered_whole(run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer) -> None:
    run = run_dag("2026-10-05")
    assert str(run.state) == "success"
    delivered = sftp_partner.files / "out" / "performance_2026-10-05.csv"
    header = delivered.read_text().splitlines()[0]
    assert "," in header
    assert [path.name for path in delivered.parent.iterdir()] == [delivered.name]
    delivery = ledger.one("select state, file_name, size, business_date::text as day from delivery")
    assert delivery == {
        "state": "delivered",
        "file_name": delivered.name,
        "size": delivered.stat().st_size,
        "day": "2026-10-05",
    }
    assert ledger.one("select state, files from connection_run") == {"state": "completed", "files": 1}


def test_the_same_by_ftps(run_dag: Any, pyftpdlib_server: FtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    login = {"conn_type": "ftp", "login": pyftpdlib_server.login, "password": PASSWORD}
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_ACME-SFTP", json.dumps(login))
    details = {"port": pyftpdlib_server.port, "certificate": [pyftpdlib_server.tls.fingerprint], "folder": "."}
    assert str(run_dag("2026-10-05", method="ftp", details=details).state) == "success"
    assert [path.name for path in pyftpdlib_server.folder.iterdir()] == ["performance_2026-10-05.csv"]


def test_a_report_is_tried_out_and_then_goes_encrypted_and_signed(
    run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, partner = generate("us"), generate("partner")
    keys = {"pgp_private_key": ours, "pgp_certificates": describe(partner, "theirs", None).public}
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_ACME_PGP", json.dumps({"conn_type": "generic", "extra": keys}))
    pgp = {"credentials": "acme_pgp", "encrypt": True, "sign": True}

    tried = run_dag("2026-10-05", pgp=pgp, status="testing")
    assert str(tried.state) == "success"
    assert ledger.one("select state from delivery") == {"state": "tested"}
    assert not list((sftp_partner.files / "out").iterdir())

    assert str(run_dag("2026-10-05", pgp=pgp).state) == "success"
    (message,) = (sftp_partner.files / "out").iterdir()
    opener = Keyring("theirs", (partner,), None, (describe(ours, "ours", None).public,))
    opened = open_message(message, tmp_path / "plain", opener, name=message.name, signed=True, most=10_000)
    assert opened.signed_by == describe(ours, "ours", None).fingerprint
    assert (tmp_path / "plain").read_text().startswith("Date,")
    assert ledger.one("select state from delivery order by version desc limit 1") == {"state": "delivered"}


def test_a_day_that_is_run_again_replaces_its_file_and_is_a_new_delivery(
    run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer
) -> None:
    run_dag("2026-10-05")
    before = (sftp_partner.files / "out" / "performance_2026-10-05.csv").read_text()
    add_actions(ledger, "2026-10-05", "2026-10-05", "2026-10-07")
    assert str(run_dag("2026-10-05").state) == "success"
    after = (sftp_partner.files / "out" / "performance_2026-10-05.csv").read_text()
    assert "25.00" in after
    assert before != after
    assert ledger.all("select version, state, rows from delivery order by version") == [
        {"version": 1, "state": "delivered", "rows": 0},
        {"version": 2, "state": "delivered", "rows": 1},
    ]


def test_a_wrong_password_fails_without_another_try_and_says_what_to_do(
    run_dag: Any, ledger: Ledger, set_credentials: SetCredentials
) -> None:
    set_credentials(password="wrong-password")
    run = run_dag("2026-10-05")
    assert str(run.state) == "failed"
    assert states(run) == {"export_report": "success", "check_report": "success", "deliver": "failed"}
    assert [ti.try_number for ti in run.get_task_instances() if ti.task_id == "deliver"] == [1]
    row = ledger.one("select state, reason from connection_run")
    assert row["state"] == "failed"
    assert "refused the login 'partner'" in row["reason"]
    assert "wrong-password" not in row["reason"]
    assert ledger.one("select state from delivery") == {"state": "failed"}


def test_missing_credentials_are_named(run_dag: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ACME-SFTP")
    run = run_dag("2026-10-05")
    assert str(run.state) == "failed"
    assert "connections credentials set acme-sftp" in ledger.one("select reason from connection_run")["reason"]


def test_a_day_that_has_not_begun_is_refused(run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer) -> None:
    run = run_dag("2999-01-01")
    assert str(run.state) == "failed"
    assert states(run)["deliver"] == "upstream_failed"
    assert "has not begun" in ledger.one("select reason from connection_run")["reason"]
    assert list((sftp_partner.files / "out").iterdir()) == []


def test_a_backfill_s_file_is_held_until_somebody_sends_it_and_then_sent_once(
    run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer
) -> None:
    out = sftp_partner.files / "out"
    held = run_dag("2026-10-05", Conduct(hold=True).as_conf())
    assert str(held.state) == "success"
    assert list(out.iterdir()) == []
    row = ledger.one("select d.id, d.state, r.state as run, r.reason from delivery d join connection_run r on true")
    assert (row["state"], row["run"]) == ("on_hold", "completed")
    assert f"connections deliveries send {row['id']}" in row["reason"]
    refused = run_dag(conf={held_deliveries.SEND: row["id"]})
    assert str(refused.state) == "failed"
    assert list(out.iterdir()) == []

    held_deliveries.approve(ledger, row["id"], "boss")
    sent = run_dag(conf={held_deliveries.SEND: row["id"]})

    assert str(sent.state) == "success"
    assert [path.name for path in out.iterdir()] == ["performance_2026-10-05.csv"]
    delivery = ledger.one(
        "select state, approved_by, (select dag_run_id from connection_run where id = run_id) from delivery"
    )
    assert delivery == {"state": "delivered", "approved_by": "boss", "dag_run_id": sent.run_id}
    assert held_deliveries.approve(ledger, row["id"], "boss") is None


def test_days_whose_turn_passed_while_a_run_waited_are_made_up_by_runs_of_their_own(
    run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer
) -> None:
    began = datetime.now(UTC)
    until = datetime.combine(began.date() + timedelta(days=4), time(12, 30), UTC)
    later = time_machine.travel(until)

    def prepare(dag: Any) -> None:
        dag.get_task("check_report").on_success_callback = [lambda context: later.start()]

    try:
        run = run_dag("2026-10-05", prepare=prepare)
    finally:
        later.stop()
    assert str(run.state) == "success"
    pinned = find_run(ledger, "acme-performance", 1, run.run_id)
    missed = [day.isoformat() for day in missed_days(ledger, pinned, began, until)]
    assert len(missed) >= 2
    with create_session() as session:
        started = session.execute(select(DagRun.run_id, DagRun.conf).where(DagRun.run_id.startswith("made_up"))).all()
    assert sorted(started) == [(f"made_up__{day}", {"business_date": day, "made_up": True}) for day in missed]
