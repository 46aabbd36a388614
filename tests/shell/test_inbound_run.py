from __future__ import annotations

import hashlib
import json
import os
import threading
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data_connections.catalog.data_type_versions import apply_data_types
from data_connections.formats.openpgp import Keyring, write_message
from data_connections.formats.openpgp.keyring import describe, generate
from data_connections.ledger import Ledger
from data_connections.steps import standstill
from data_connections.steps.backfill import Conduct
from data_connections.steps.job import builtin_data_types
from fixtures.ftp_servers import PASSWORD, FtpServer
from fixtures.inbound_run import HEADER, line, states
from local_stack.partner_sftp import PartnerServer
from triggers import rests
from triggers import standstill as standstill_trigger

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("airflow_database", "airflow_ledger")]

NOW, DAY = datetime.now(UTC), timedelta(days=1)


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
    monkeypatch.setattr(rests, "FRESH", 0.0)
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
