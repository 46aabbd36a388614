"""Runs that fail, are tried again or were ended: nothing is lost and nothing applied twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from data_connections.ledger import Ledger
from data_connections.settings import PROJECT
from fixtures.airflow_home import SetCredentials
from fixtures.inbound_run import HEADER, line, states
from local_stack.partner_sftp import PartnerServer

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("airflow_database", "airflow_ledger")]


def test_a_day_without_a_file_is_completed(run_dag: Any, ledger: Ledger) -> None:
    run = run_dag(arrival={"wait": 0.5})
    assert str(run.state) == "success"
    assert states(run)["fetch"] == ["skipped"]
    assert ledger.one("select state, reason, files from connection_run") == {
        "state": "completed",
        "reason": None,
        "files": 0,
    }


def test_a_required_file_that_does_not_come_fails_the_run(run_dag: Any, ledger: Ledger) -> None:
    run = run_dag(arrival={"wait": 0.5, "required": True})
    assert str(run.state) == "failed"
    row = ledger.one("select state, reason from connection_run")
    assert row["state"] == "failed"
    assert "no file arrived" in row["reason"]


def test_one_refused_file_does_not_block_the_others_of_its_batch(
    run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer
) -> None:
    inbox = sftp_partner.files / "in"
    (inbox / "a.csv").write_text(HEADER + line("a1"))
    (inbox / "b.csv").write_bytes(b"\x89PNG\r\n\x00\x00")
    (inbox / "c.csv").write_text(HEADER + line("c1"))
    run = run_dag()
    assert str(run.state) == "failed"
    found = {row["file_name"]: row["state"] for row in ledger.all("select file_name, state from submission")}
    assert found == {"a.csv": "applied", "b.csv": "quarantined", "c.csv": "applied"}
    assert "1 of 3 files: refused whole" in ledger.one("select reason from connection_run")["reason"]
    assert len(list((sftp_partner.files / "results").iterdir())) == 6


def test_a_wrong_password_fails_without_another_try_and_says_what_to_do(
    run_dag: Any, ledger: Ledger, set_credentials: SetCredentials
) -> None:
    set_credentials(password="wrong-password")
    run = run_dag()
    assert str(run.state) == "failed"
    (wait,) = [ti for ti in run.get_task_instances() if ti.task_id == "wait_for_files"]
    assert (str(wait.state), wait.try_number) == ("failed", 1)
    reason = ledger.one("select reason from connection_run")["reason"]
    assert "refused the login 'partner'" in reason
    assert "wrong-password" not in reason


def test_a_password_that_changed_after_the_wait_costs_one_login(
    run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer, set_credentials: SetCredentials
) -> None:
    """The account must not be locked: after fetch was refused, acknowledge has nothing to do and does not log in."""
    (sftp_partner.files / "in" / "one.csv").write_text(HEADER + line("1"))

    def prepare(dag: Any) -> None:
        dag.get_task("wait_for_files").on_success_callback = [lambda _: set_credentials(password="wrong-password")]

    run = run_dag(prepare)
    assert str(run.state) == "failed"
    found = states(run)
    assert (found["fetch"], found["acknowledge"], found["wrap_up"]) == (["failed"], ["success"], ["failed"])
    assert tries(run)["fetch"] == 1
    assert "refused the login 'partner'" in ledger.one("select reason from connection_run")["reason"]
    set_credentials()
    assert str(run_dag(arrival={"wait": 0.5}).state) == "success"
    assert ledger.one("select state from submission") == {"state": "applied"}


def test_running_again_applies_nothing_twice(run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer) -> None:
    path = sftp_partner.files / "in" / "one.csv"
    path.write_text(HEADER + line("1") + line("2"))
    assert str(run_dag().state) == "success"
    path.write_bytes(path.read_bytes())
    path.rename(path.with_name("same-bytes.csv"))
    assert str(run_dag().state) == "success"
    found = ledger.all("select file_name, state from submission order by id")
    assert [(row["file_name"], row["state"]) for row in found] == [
        ("one.csv", "applied"),
        ("same-bytes.csv", "duplicate"),
    ]
    assert ledger.one("select count(*) as actions from action") == {"actions": 2}


def test_an_acknowledgement_that_failed_is_made_up_for_by_the_next_run(
    run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The results folder cannot be written at first: only acknowledge runs again."""
    (sftp_partner.files / "in" / "one.csv").write_text(HEADER + line("1"))
    results = sftp_partner.files / "results"
    results.rmdir()
    results.write_text("in the way")
    run = run_dag()
    assert str(run.state) == "failed"
    assert states(run)["acknowledge"] == ["failed"]
    assert ledger.one("select state, acknowledged_at from submission") == {"state": "applied", "acknowledged_at": None}
    assert "results" in ledger.one("select reason from connection_run")["reason"]
    results.unlink()
    run = run_dag(arrival={"wait": 0.5})
    assert str(run.state) == "success"
    assert ledger.one("select count(*) as actions from action") == {"actions": 1}
    assert ledger.one("select acknowledged_at is not null as done from submission") == {"done": True}
    assert sorted(path.name for path in results.iterdir()) == ["receipt_one.csv.txt", "result_one.csv_summary.json"]


def tries(run: Any) -> dict[str, int]:
    return {ti.task_id: ti.try_number for ti in run.get_task_instances()}


def test_what_passes_is_tried_again_and_nothing_is_applied_twice(
    run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer, tmp_path: Path
) -> None:
    """The landing area cannot be written at the first fetch; the partner is away at the first acknowledgement."""
    (sftp_partner.files / "in" / "one.csv").write_text(HEADER + line("1"))
    landing = tmp_path / "landing"
    landing.write_text("in the way")

    def prepare(dag: Any) -> None:
        dag.get_task("fetch").on_retry_callback = [lambda _: landing.unlink()]
        dag.get_task("apply_modifications").on_success_callback = [lambda _: sftp_partner.stop()]
        dag.get_task("acknowledge").on_retry_callback = [lambda _: sftp_partner.start()]

    run = run_dag(prepare)
    assert str(run.state) == "success"
    assert tries(run) == {
        "wait_for_files": 1,
        "fetch": 2,
        "validate": 1,
        "apply_modifications": 1,
        "acknowledge": 2,
        "wrap_up": 1,
    }
    assert ledger.one("select count(*) as actions from action") == {"actions": 1}
    assert ledger.one("select state, files, accepted from connection_run") == {
        "state": "completed",
        "files": 1,
        "accepted": 1,
    }


def test_apply_that_runs_again_changes_nothing(run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer) -> None:
    """It is killed after its transaction: Airflow runs it again, and does not know that it was done."""
    (sftp_partner.files / "in" / "one.csv").write_text(HEADER + line("1") + line("2"))

    class Killed(BaseException):
        pass

    def prepare(dag: Any) -> None:
        task, done = dag.get_task("apply_modifications"), []

        def kill_once(context: Any, result: Any = None) -> None:
            done.append(result)
            if len(done) == 1:
                raise Killed

        task.post_execute = kill_once

    run = run_dag(prepare)
    assert str(run.state) == "success"
    assert tries(run)["apply_modifications"] == 2
    assert ledger.one("select count(*) as actions, sum(amount)::text as amount from action") == {
        "actions": 2,
        "amount": "20.00",
    }


def test_maintenance_ends_what_airflow_ended(run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer) -> None:
    (sftp_partner.files / "in" / "one.csv").write_text(HEADER + line("1"))
    run = run_dag()
    with ledger.connect() as connection:
        connection.execute(
            "update connection_run set state = 'in_progress', finished_at = null, files = 0, started_at = '2026-01-01'"
        )
        connection.execute(
            """
            insert into connection_run (connection_id, revision, dag_run_id, state, started_at)
            select id, revision, 'manual__gone', 'in_progress', '2026-01-02' from connection
            """
        )
        connection.execute("create table staging.rows_1_abandoned ()")
        connection.execute("create table staging.findings_1_abandoned ()")
    maintenance = DagBag(dag_folder=PROJECT / "dags", bundle_name="dags-folder").dags["connections_maintenance"]
    assert str(maintenance.test().state) == "success"
    rows = ledger.all("select dag_run_id, state, files, reason from connection_run order by id")
    assert [(row["dag_run_id"], row["state"], row["files"]) for row in rows] == [
        (run.run_id, "completed", 1),
        ("manual__gone", "failed", 0),
    ]
    assert "before its last task" in rows[1]["reason"]
    assert ledger.all("select tablename from pg_tables where schemaname = 'staging'") == []
