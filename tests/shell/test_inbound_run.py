from __future__ import annotations

import hashlib
import json
import os
import threading
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from data_connections.catalog.data_type_versions import apply_data_types
from data_connections.catalog.reference import load_reference
from data_connections.catalog.reference_ledger import apply_reference
from data_connections.formats.openpgp import Keyring, write_message
from data_connections.formats.openpgp.keyring import describe, generate
from data_connections.ledger import Ledger
from data_connections.settings import PROJECT
from data_connections.steps import standstill
from data_connections.steps.backfill import Conduct
from data_connections.steps.job import builtin_data_types
from fixtures.airflow_home import SetCredentials
from fixtures.catalog import INBOUND, Apply, changed
from fixtures.ftp_servers import PASSWORD, FtpServer
from local_stack.partner_sftp import PartnerServer
from triggers import standstill as standstill_trigger

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("airflow_database", "airflow_ledger")]

NOW, DAY = datetime.now(UTC), timedelta(days=1)
HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,CustomerId,CurrencyCode,Amount\n"


def line(order: str, amount: str = "10.00", event_type: int = 2001) -> str:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="seconds")
    return f"1000,{event_type},{yesterday},{order},c-{order},EUR,{amount}\n"


@pytest.fixture
def run_dag(
    apply: Apply, ledger: Ledger, sftp_partner: PartnerServer, set_credentials: SetCredentials
) -> Callable[..., Any]:
    """Applies the inbound connection and runs its DAG in this process; returns the run."""
    apply_reference(ledger, load_reference(PROJECT / "include" / "reference"), "tests")
    set_credentials()

    def run(
        prepare: Callable[[Any], None] = lambda dag: None, conf: dict[str, Any] | None = None, **changes: Any
    ) -> Any:
        apply(changed(changed(INBOUND, details={"port": sftp_partner.port}), **changes))
        dag = DagBag(dag_folder=PROJECT / "dags", bundle_name="dags-folder").dags["acme-conversions"]
        for task in dag.tasks:
            task.retry_delay = timedelta(seconds=0.1)
        prepare(dag)
        return dag.test(run_conf=conf)

    return run


def states(run: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for ti in sorted(run.get_task_instances(), key=lambda ti: ti.map_index):
        found.setdefault(ti.task_id, []).append(str(ti.state))
    return found


def test_good_and_bad_rows_go_through_the_whole_dag(
    run_dag: Any,
    ledger: Ledger,
    sftp_partner: PartnerServer,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    content = HEADER + line("order-1") + line("order-2", "20.50") + line("order-3", "unreadable")
    (sftp_partner.files / "in" / "one.csv").write_text(content)
    capfd.readouterr()
    run = run_dag(details={"after_read": "move"})
    said = capfd.readouterr()
    logs = said.out + said.err + caplog.text
    assert "Submission 1" in logs
    for hidden in ("order-1", "order-3", "c-order", "unreadable", sftp_partner.login.password):
        assert hidden not in logs
    assert str(run.state) == "success"
    assert set(map(tuple, states(run).values())) == {("success",)}
    (submission,) = ledger.all("select state, rows, accepted, rejected, acknowledged_at from submission")
    assert submission["acknowledged_at"] is not None
    assert (submission["state"], submission["rows"], submission["accepted"], submission["rejected"]) == (
        "partly_applied",
        3,
        2,
        1,
    )
    money = ledger.one("select count(*) as actions, sum(amount) as amount from action")
    assert (money["actions"], str(money["amount"])) == (2, "30.50")
    row = ledger.one("select state, files, rows, accepted, rejected, finished_at from connection_run")
    assert (row["state"], row["files"], row["rows"], row["accepted"], row["rejected"]) == ("completed", 1, 3, 2, 1)
    assert row["finished_at"] is not None
    results = sorted(path.name for path in (sftp_partner.files / "results").iterdir())
    assert [name.split("_")[0] for name in results] == ["receipt", "result", "result"]
    assert (sftp_partner.files / "in" / "done" / "one.csv").exists()
    assert [ti.rendered_map_index for ti in run.get_task_instances() if ti.task_id == "fetch"] == ["one.csv"]


def test_a_run_waits_while_all_is_stopped_or_its_host_is_in_maintenance_and_goes_on_by_itself(
    run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standstill_trigger, "LOOK_EVERY", 0.2)
    (sftp_partner.files / "in" / "one.csv").write_text(HEADER + line("1"))
    window = standstill.plan_window(ledger, "boss", NOW - DAY, NOW + DAY, "New server", host="127.0.0.1")
    standstill.halt(ledger, "boss", "Wrong payouts")
    seen: list[str] = []

    def let_go_on() -> None:
        for reason, end in (
            ("New server", lambda: standstill.end_window(ledger, window, "boss")),
            ("Wrong payouts", lambda: standstill.go_on(ledger, "boss")),
        ):
            while not (row := ledger.one("select reason from connection_run")) or reason not in (row["reason"] or ""):
                time.sleep(0.1)
            seen.append(ledger.one("select coalesce(string_agg(state, ','), '') as s from submission")["s"])
            end()

    helper = threading.Thread(target=let_go_on, daemon=True)
    helper.start()
    run = run_dag()
    helper.join(60)
    assert str(run.state) == "success"
    assert seen == ["", "validated"]
    assert ledger.one("select state, reason from connection_run") == {"state": "completed", "reason": None}
    assert ledger.one("select count(*) as n from action") == {"n": 1}


def test_a_backfill_takes_refused_files_of_its_day_from_our_copy_and_says_nothing_to_the_partner(
    run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer
) -> None:
    path = sftp_partner.files / "in" / "conv_2026-10-05.csv"
    path.write_text((HEADER + line("1")).replace(",", ";"))
    details = {"file_pattern": "conv_{date:%Y-%m-%d}.csv", "result_folder": None}
    assert str(run_dag(details=details, format={"delimiter": "comma"}).state) == "failed"
    path.unlink()
    mended = {"details": {**details, "result_folder": "/results"}, "format": {"delimiter": "semicolon"}}
    conf = {"turn": "2026-10-05T04:30:00+00:00", **Conduct().as_conf()}

    assert str(run_dag(conf=conf, **mended).state) == "success"
    found = ledger.all("select file_name, state, origin from submission order by id")
    assert found[1:] == [{"file_name": path.name, "state": "applied", "origin": "replay"}]
    assert ledger.one("select count(*) as n from action") == {"n": 1}
    assert list((sftp_partner.files / "results").iterdir()) == []
    assert str(run_dag(conf=conf, **mended).state) == "success"
    assert ledger.one("select count(*) as n from submission") == {"n": 2}


def test_the_same_by_ftps(
    run_dag: Any, ledger: Ledger, pyftpdlib_server: FtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = {"conn_type": "ftp", "login": pyftpdlib_server.login, "password": PASSWORD}
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_ACME-SFTP", json.dumps(login))
    (pyftpdlib_server.folder / "in").mkdir()
    (pyftpdlib_server.folder / "in" / "one.csv").write_text(HEADER + line("1") + line("2", "20.50"))
    details = {"port": pyftpdlib_server.port, "certificate": [pyftpdlib_server.tls.fingerprint], "after_read": "move"}
    run = run_dag(method="ftp", details=details)
    assert str(run.state) == "success"
    assert ledger.one("select state, accepted from submission") == {"state": "applied", "accepted": 2}
    assert len(list((pyftpdlib_server.folder / "results").iterdir())) == 2
    assert (pyftpdlib_server.folder / "in" / "done" / "one.csv").exists()


def test_a_file_that_is_encrypted_and_signed_goes_through_the_dag(
    run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, partner = generate("us"), generate("partner")
    partner_public = describe(partner, "theirs", None).public
    keys = {"pgp_private_key": ours, "pgp_certificates": partner_public}
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_ACME_PGP", json.dumps({"conn_type": "generic", "extra": keys}))
    (tmp_path / "plain").write_text(HEADER + line("1") + line("2", "bad"))
    theirs = Keyring("theirs", (partner,), None, (describe(ours, "ours", None).public,))
    message = sftp_partner.files / "in" / "orders.csv.pgp"
    write_message(tmp_path / "plain", message, theirs, encrypt=True, sign=True, armor=True)
    run = run_dag(
        pgp={"credentials": "acme_pgp", "signed": True}, details={"after_read": "move", "file_pattern": "*.pgp"}
    )
    assert str(run.state) == "success"
    (submission,) = ledger.all("select state, accepted, rejected, signed_by from submission")
    signer = describe(partner, "theirs", None).fingerprint
    assert submission == {"state": "partly_applied", "accepted": 1, "rejected": 1, "signed_by": signer}
    assert [path.name for path in (sftp_partner.files / "in" / "done").iterdir()] == [message.name]
    assert len(ledger.all("select from action")) == 1


def test_a_zip_with_several_files_goes_through_the_dag(
    run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer
) -> None:
    with zipfile.ZipFile(sftp_partner.files / "in" / "day.zip", "w") as archive:
        archive.writestr("a.csv", HEADER + line("1"))
        archive.writestr("b.csv", HEADER + line("2") + line("3", "bad"))
    run = run_dag(details={"file_pattern": "*.zip", "after_read": "move"})
    assert str(run.state) == "success"
    found = ledger.all("select file_name, state, acknowledged_at from submission order by turn, number")
    assert [(row["file_name"], row["state"]) for row in found] == [
        ("day.zip", "partly_applied"),
        ("day.zip/a.csv", "applied"),
        ("day.zip/b.csv", "partly_applied"),
    ]
    assert all(row["acknowledged_at"] for row in found)
    row = ledger.one("select state, files, rows, accepted from connection_run")
    assert row == {"state": "completed", "files": 2, "rows": 3, "accepted": 2}
    assert len(list((sftp_partner.files / "results").iterdir())) == 7
    assert (sftp_partner.files / "in" / "done" / "day.zip").exists()


def test_files_are_taken_by_their_manifest_and_compared_with_it(
    run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer
) -> None:
    folder = sftp_partner.files / "in"
    texts = {name: HEADER + line(name) for name in ("good", "other", "short", "unnamed")}
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text)
    sums = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    rows = {"good": 1, "other": 1, "short": 2}
    named = [
        f"Name: {name}.csv\nSHA-256-Digest: {sums['good' if name == 'other' else name]}\nRecord-Count: {count}\n"
        for name, count in rows.items()
    ]
    (folder / "today.manifest").write_text("\n".join(named))
    run = run_dag(details={"file_pattern": "*.csv", "manifest": "*.manifest", "after_read": "move"})
    assert str(run.state) == "failed"
    found = ledger.all("select file_name, state, code from submission order by file_name")
    assert [tuple(row.values()) for row in found] == [
        ("good.csv", "applied", None),
        ("other.csv", "quarantined", "MANIFEST_MISMATCH"),
        ("short.csv", "quarantined", "MANIFEST_ROWS"),
    ]
    seen = {
        row["name"]: row["reason"] for row in ledger.all("select name, reason from sighting where reason is not null")
    }
    assert seen == {"unnamed.csv": "not_vouched", "today.manifest": "manifest"}


def test_a_marker_goes_with_its_file(run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer) -> None:
    folder = sftp_partner.files / "in"
    (folder / "a.csv").write_text(HEADER + line("1"))
    (folder / "a.fin").touch()
    assert str(run_dag(details={"marker": ".fin", "after_read": "move"}).state) == "success"
    assert ledger.one("select state from submission") == {"state": "applied"}
    assert sorted(path.name for path in folder.iterdir()) == ["done"]


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


def test_a_data_type_that_is_only_a_folder_goes_through_the_dag(
    run_dag: Any, ledger: Ledger, sftp_partner: PartnerServer
) -> None:
    apply_data_types(ledger, [builtin_data_types()["store_locations"]], "tests")
    (sftp_partner.files / "in" / "a.csv").write_text("LocationId,City,CountryCode\nL1,Berlin,DE\nL2,Wien,Austria\n")
    run = run_dag(data_type="store_locations")
    assert str(run.state) == "success"
    assert ledger.all("select location_id, city, dataset from store_location") == [
        {"location_id": "L1", "city": "Berlin", "dataset": "main"}
    ]
    (submission,) = ledger.all("select state, data_type_version from submission")
    assert submission["state"] == "partly_applied"
    assert submission["data_type_version"] == builtin_data_types()["store_locations"].version
