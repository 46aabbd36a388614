"""Outbound runs with a real ledger and a real SFTP server: what is exported is what arrives, whole and once."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data_connections.errors import (
    ConfigurationError,
    FatalEndpointError,
    RetriableEndpointError,
    TotalsMismatch,
)
from data_connections.landing.area import OriginalDamaged
from data_connections.ledger import Ledger, outbound_runs
from data_connections.steps.expected_files import rules_of
from data_connections.steps.outbound import fail_run
from fixtures.books import Sale, Shop, book
from fixtures.outbound import BERLIN, NOW, Outbound
from local_stack.partner_sftp import PartnerServer

DAY = date(2026, 6, 10)
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
NAME = "performance_2026-06-10.csv"


@pytest.fixture
def outbound(ledger: Ledger, tmp_path: Path, sftp_partner: PartnerServer) -> Outbound:
    made = Outbound.of(ledger, tmp_path, sftp_partner)
    book(ledger, [Sale(BERLIN, NOON, Decimal("19.90"), pieces=(2,)), Sale(BERLIN, NOON, Decimal("5.10"), "USD")])
    made.applied()
    return made


def sell_more(outbound: Outbound, amount: str = "1.00") -> None:
    book(outbound.ledger, [Sale(BERLIN, NOON, Decimal(amount))], first_order=1000 + int(Decimal(amount) * 100))


def test_the_report_of_the_day_arrives(outbound: Outbound) -> None:
    done = outbound.all_steps(DAY)
    assert done["state"] == "delivered"
    assert (outbound.out / NAME).read_bytes() == (
        b"Date,ProgramId,ProgramName,Currency,GrossActions,Actions,Quantity,GrossRevenue,Revenue,"
        b"GrossActionCost,ActionCost,OtherCost,Clicks,CR,EPA,EPC,ActionsByEventType\r\n"
        b'2026-06-10,1000,Acme,EUR,1,1,2,19.90,19.90,,,,0,,,,"{""1000"": 1}"\r\n'
        b'2026-06-10,1000,Acme,USD,1,1,,5.10,5.10,,,,0,,,,"{""1000"": 1}"\r\n'
    )
    assert done["sha256"] == hashlib.sha256((outbound.out / NAME).read_bytes()).hexdigest()
    assert done["rows"] == 2
    assert done["totals"]["EUR"]["Revenue"] == "19.90"
    assert outbound.names() == [NAME]


def test_the_run_is_completed_with_what_it_sent(outbound: Outbound) -> None:
    run = outbound.run("manual__x")
    outbound.all_steps(DAY, run=run)
    row = outbound.ledger.one("select state, files, rows, finished_at from connection_run where id = %s", [run.id])
    assert row is not None
    assert (row["state"], row["files"], row["rows"]) == ("completed", 1, 2)
    assert row["finished_at"] is not None


def test_a_quiet_day_is_a_header_alone(outbound: Outbound) -> None:
    done = outbound.all_steps(date(2026, 6, 9))
    assert (done["state"], done["rows"]) == ("delivered", 0)
    assert len((outbound.out / "performance_2026-06-09.csv").read_bytes().splitlines()) == 1


def test_every_step_may_be_run_again(outbound: Outbound) -> None:
    run = outbound.run()
    first = outbound.export(DAY, run=run)
    again = outbound.export(DAY, run=run)
    assert again["delivery_id"] == first["delivery_id"]
    assert outbound.check(first["delivery_id"]) == outbound.check(first["delivery_id"])
    sent = outbound.deliver(first["delivery_id"])
    before = (outbound.out / NAME).stat().st_mtime_ns
    assert outbound.deliver(first["delivery_id"]) == sent
    assert (outbound.out / NAME).stat().st_mtime_ns == before
    assert outbound.ledger.one("select count(*) as n from delivery")["n"] == 1


def test_a_retry_of_the_export_takes_what_is_new_into_the_same_delivery(outbound: Outbound) -> None:
    run = outbound.run()
    first = outbound.export(DAY, run=run)
    sell_more(outbound)
    again = outbound.export(DAY, run=run)
    assert again["delivery_id"] == first["delivery_id"]
    assert again["totals"]["EUR"]["GrossActions"] == "2"
    assert outbound.deliver(outbound.check(again["delivery_id"])["delivery_id"])["sha256"] == again["sha256"]


def test_a_day_that_is_run_again_replaces_its_file(outbound: Outbound) -> None:
    first = outbound.all_steps(DAY)
    sell_more(outbound)
    second = outbound.all_steps(DAY)
    assert (first["version"], second["version"]) == (1, 2)
    assert outbound.names() == [NAME]
    assert b"20.90" in (outbound.out / NAME).read_bytes()


def test_a_day_that_is_run_again_can_add_a_version(outbound: Outbound) -> None:
    outbound.applied(details={"existing": "version"})
    originals = [outbound.all_steps(DAY) for _ in range(3)]
    assert outbound.names() == [
        "performance_2026-06-10.csv",
        "performance_2026-06-10_v2.csv",
        "performance_2026-06-10_v3.csv",
    ]
    assert [done["version"] for done in originals] == [1, 2, 3]


def test_a_version_that_was_never_sent_takes_no_name(outbound: Outbound) -> None:
    outbound.applied(details={"existing": "version"})
    outbound.export(DAY)
    assert outbound.all_steps(DAY)["file_name"] == NAME


def test_a_file_of_somebody_else_is_not_overwritten_where_versions_are_kept(outbound: Outbound) -> None:
    outbound.applied(details={"existing": "version"})
    (outbound.out / NAME).write_text("theirs")
    assert outbound.all_steps(DAY)["file_name"] == "performance_2026-06-10_v2.csv"
    assert (outbound.out / NAME).read_text() == "theirs"


def test_what_arrives_after_the_export_does_not_disturb_the_check(outbound: Outbound) -> None:
    exported = outbound.export(DAY)
    sell_more(outbound)
    assert outbound.check(exported["delivery_id"])["state"] == "checked"


def test_kept_bytes_that_do_not_add_up_are_never_sent(outbound: Outbound) -> None:
    exported = outbound.export(DAY)
    outbound.ledger.all(
        "update delivery set totals = jsonb_set(totals, '{EUR,Revenue}', '\"20.00\"') where id = %s returning id",
        [exported["delivery_id"]],
    )
    with pytest.raises(TotalsMismatch, match=r"Revenue EUR: 19\.90 in the file, 20\.00 in the ledger"):
        outbound.check(exported["delivery_id"])
    assert outbound.state(exported["delivery_id"]) == "failed"
    with pytest.raises(ConfigurationError, match="was not checked"):
        outbound.deliver(exported["delivery_id"])
    assert outbound.names() == []


def kept_file(outbound: Outbound, tmp_path: Path, delivery_id: int) -> Path:
    row = outbound.ledger.one("select landing_key from delivery_file where delivery_id = %s", [delivery_id])
    return tmp_path / "landing" / row["landing_key"]


def test_kept_bytes_that_changed_are_found_by_the_check(outbound: Outbound, tmp_path: Path) -> None:
    exported = outbound.export(DAY)
    kept = kept_file(outbound, tmp_path, exported["delivery_id"])
    kept.chmod(0o644)
    kept.write_bytes(kept.read_bytes().replace(b"Acme", b"Acne"))
    with pytest.raises(TotalsMismatch, match="not those that were exported"):
        outbound.check(exported["delivery_id"])


def test_kept_bytes_that_changed_after_the_check_never_get_the_final_name(outbound: Outbound, tmp_path: Path) -> None:
    exported = outbound.check(outbound.export(DAY)["delivery_id"])
    kept = kept_file(outbound, tmp_path, exported["delivery_id"])
    kept.chmod(0o644)
    kept.write_bytes(kept.read_bytes().replace(b"Acme", b"Acne"))
    with pytest.raises(OriginalDamaged):
        outbound.deliver(exported["delivery_id"])
    assert outbound.names() == []
    assert outbound.state(exported["delivery_id"]) == "failed"


def test_an_older_version_is_not_sent_over_a_newer_one(outbound: Outbound) -> None:
    old = outbound.check(outbound.export(DAY)["delivery_id"])
    outbound.all_steps(DAY)
    assert outbound.state(old["delivery_id"]) == "failed"
    with pytest.raises(ConfigurationError, match="version 2 was sent already"):
        outbound.deliver(old["delivery_id"])


def test_a_wrong_password_fails_the_delivery_and_a_mended_one_sends_it(outbound: Outbound) -> None:
    checked = outbound.check(outbound.export(DAY)["delivery_id"])
    right = outbound.endpoint
    outbound.endpoint = lambda: right(password="wrong")  # type: ignore[method-assign]
    with pytest.raises(FatalEndpointError):
        outbound.deliver(checked["delivery_id"])
    assert outbound.state(checked["delivery_id"]) == "failed"
    outbound.endpoint = right  # type: ignore[method-assign]
    assert outbound.deliver(checked["delivery_id"])["state"] == "delivered"


def test_a_missing_folder_fails_with_its_name(outbound: Outbound) -> None:
    outbound.applied(details={"folder": "/nowhere"})
    with pytest.raises(FatalEndpointError, match="no folder '/nowhere' at sftp://"):
        outbound.all_steps(DAY)


def test_only_one_task_sends_for_a_connection(outbound: Outbound) -> None:
    checked = outbound.check(outbound.export(DAY)["delivery_id"])
    with outbound.ledger.connect(autocommit=True) as other:
        other.execute(
            "select pg_advisory_lock(hashtext('data_connections.deliver'), id::integer) from connection "
            "where name = 'acme-daily'"
        )
        with pytest.raises(RetriableEndpointError, match="another task is sending"):
            outbound.deliver(checked["delivery_id"])
    assert outbound.deliver(checked["delivery_id"])["state"] == "delivered"


def test_a_run_that_failed_for_good_says_so(outbound: Outbound) -> None:
    run = outbound.run()
    exported = outbound.export(DAY, run=run)
    fail_run(outbound.ledger, run.id, "the server does not answer")
    row = outbound.ledger.one("select state, reason from connection_run where id = %s", [run.id])
    assert row == {"state": "failed", "reason": "the server does not answer"}
    assert outbound.state(exported["delivery_id"]) == "failed"
    assert outbound.deliver(outbound.check(exported["delivery_id"])["delivery_id"])["state"] == "delivered"


def test_a_delivery_that_does_not_exist_is_named(outbound: Outbound) -> None:
    with pytest.raises(ConfigurationError, match="no delivery '99'"):
        outbound.check(99)


@pytest.mark.parametrize(
    ("changes", "more", "sent"),
    [
        ({"active_from": "2026-06-10"}, {"interval_start": NOON}, True),
        ({"active_from": "2026-06-11"}, {"interval_start": NOON}, False),
        ({"active_from": "2026-06-11"}, {"interval_start": NOON, "scheduled": False}, True),
        ({"active_from": "2026-06-11"}, {"day": DAY, "scheduled": False}, True),
        ({}, {"interval_start": NOON}, False),
        ({}, {"interval_start": NOON, "scheduled": False}, True),
    ],
)
def test_nothing_is_sent_unasked(outbound: Outbound, changes: dict[str, Any], more: dict[str, Any], sent: bool) -> None:
    outbound.applied(**changes)
    run = outbound.run()
    done = outbound.export(more.pop("day", None), run=run, **{"scheduled": True, **more})
    assert (done["state"] == "exported") is sent
    if not sent:
        assert "Nothing was sent: 2026-06-10 is before" in done["message"]
        row = outbound.ledger.one("select state, reason from connection_run where id = %s", [run.id])
        assert row == {"state": "completed", "reason": done["message"]}


def test_a_connection_sends_by_itself_from_its_last_beginning(outbound: Outbound) -> None:
    def since(**times: str) -> datetime:
        with outbound.ledger.connect() as connection:
            for number, (table, time) in enumerate(times.items()):
                column = {"connection": "created_at", "connection_revision": "created_at"}.get(table, "started_at")
                where = " where number > 1" if table == "connection_revision" else ""
                connection.execute(f"update {table} set {column} = %s{where}", [time])
                assert number >= 0
            row = connection.execute("select id from connection where name = 'acme-daily'").fetchone()
            return outbound_runs.first_own_instant(connection, row["id"])

    assert since(connection="2026-01-01Z", connection_revision="2026-01-01Z").year == 2026
    outbound.applied(paused=True)
    outbound.applied(paused=False)
    outbound.ledger.all("update connection_revision set created_at = '2026-01-01Z' returning 1")
    assert since(connection="2026-01-01Z", connection_revision="2026-03-01Z") == datetime(2026, 3, 1, tzinfo=UTC)
    outbound.run("manual__early")
    assert since(connection_run="2026-04-01Z") == datetime(2026, 3, 1, tzinfo=UTC)
    outbound.run("scheduled__2026-05-01")
    assert since(connection_run="2026-05-01Z") == datetime(2026, 5, 1, tzinfo=UTC)


def test_a_day_that_has_not_begun_is_refused(outbound: Outbound) -> None:
    with pytest.raises(ConfigurationError, match="has not begun"):
        outbound.export(date(2026, 6, 12))


def test_a_day_that_is_not_over_is_sent_when_asked_for_and_noted(outbound: Outbound) -> None:
    done = outbound.all_steps(date(2026, 6, 11))
    assert done["state"] == "delivered"
    assert "was not over in Europe/Berlin" in done["message"]


def test_a_connection_whose_day_ends_before_the_programs_is_refused(outbound: Outbound) -> None:
    with outbound.ledger.connect() as connection:
        connection.execute("update program set time_zone = 'America/Los_Angeles'")
    with pytest.raises(ConfigurationError, match="program's time zone") as refused:
        outbound.export(interval_start=NOON)
    assert refused.value.suggestion == "America/Los_Angeles"
    assert "2026-06-11 07:00 UTC" in str(refused.value)


def test_a_weekly_connection_sends_its_whole_week(outbound: Outbound) -> None:
    outbound.applied(
        schedule="0 6 * * 1", details={"file_name": "{program}_{business_date:%Y%m%d}-{last_date:%Y%m%d}.csv"}
    )
    book(outbound.ledger, [Sale(BERLIN, datetime(2026, 6, 1, 12, tzinfo=UTC), Decimal(3))], first_order=500)
    book(outbound.ledger, [Sale(BERLIN, datetime(2026, 6, 7, 21, tzinfo=UTC), Decimal(4))], first_order=501)
    done = outbound.all_steps(interval_start=datetime(2026, 6, 1, 4, tzinfo=UTC), now=NOW)
    assert (done["file_name"], done["rows"]) == ("acme_20260601-20260607.csv", 2)


def test_another_program_is_not_in_the_report(outbound: Outbound) -> None:
    book(outbound.ledger, [Sale(Shop(2000, "other", "Other", "UTC"), NOON, Decimal(7))], first_order=500)
    outbound.all_steps(DAY)
    assert b",Other," not in (outbound.out / NAME).read_bytes()


def test_a_report_that_is_tried_out_is_made_and_checked_and_sent_to_nobody(outbound: Outbound) -> None:
    outbound.applied(status="testing")
    run = outbound.run()
    tried = outbound.all_steps(DAY, run=run)

    assert (tried["state"], tried["rows"], tried["remote_path"]) == ("tested", 2, None)
    assert "testing" in tried["message"]
    assert outbound.names() == []
    (kept,) = outbound.ledger.all("select delivered_at, intended_at, checked_at from delivery")
    assert (kept["delivered_at"], kept["intended_at"]) == (None, None)
    assert kept["checked_at"] is not None
    ended = outbound.ledger.one("select state, files, rows, reason from connection_run where id = %s", [run.id])
    assert ended is not None
    assert (ended["state"], ended["files"], ended["rows"]) == ("completed", 0, 0)
    assert "nothing was sent" in ended["reason"]
    again = outbound.deliver(tried["delivery_id"])
    assert again == tried
    fail_run(outbound.ledger, run.id, "killed")
    assert outbound.state(tried["delivery_id"]) == "tested"


def test_what_was_only_tried_out_counts_for_nothing_once_the_connection_is_live(outbound: Outbound) -> None:
    changes = {"details": {"existing": "version"}, "covers": {"since_last_delivery": True}}
    outbound.applied(status="testing", **changes)
    outbound.all_steps(DAY)
    outbound.applied(**changes)
    sent = outbound.all_steps(DAY)
    assert (sent["state"], sent["file_name"]) == ("delivered", NAME)
    outbound.applied(status="testing", **changes)
    outbound.all_steps(date(2026, 6, 11), now=datetime(2026, 6, 12, 3, tzinfo=UTC))
    outbound.applied(**changes)
    later = outbound.all_steps(date(2026, 6, 12), now=datetime(2026, 6, 13, 3, tzinfo=UTC))
    assert (later["date_from"], later["last_date"]) == ("2026-06-11", "2026-06-12")


def test_nothing_is_expected_of_a_connection_that_sends_nothing(outbound: Outbound) -> None:
    expects = [{"by": "06:00"}]
    outbound.applied(expects=expects)
    assert rules_of(outbound.run().spec)
    outbound.applied(expects=expects, status="testing")
    assert not rules_of(outbound.run().spec)
