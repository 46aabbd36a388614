"""A ledger restored from an older backup: what the landing area knows comes back, and nothing is sent again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from data_connections.endpoints.contract import RemoteFile
from data_connections.landing import journal
from data_connections.ledger import Ledger
from data_connections.steps import inbound, manual
from data_connections.steps.pinned_run import begin_run
from data_connections.steps.recovery import find_missing, recover
from fixtures.books import Sale, book
from fixtures.desk import Desk, table
from fixtures.outbound import BERLIN, Outbound
from local_stack.partner_sftp import PartnerServer

HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,Amount,CurrencyCode"
DAY = date(2026, 6, 10)
Backup = Callable[[Ledger], Ledger]


def order(number: str) -> str:
    return f"1000,2001,2026-02-20T10:00:00Z,{number},10.00,EUR"


@pytest.fixture
def backup(postgres: str) -> Iterator[Backup]:
    """Copies a ledger as it is now, as `pg_dump` and a restore would."""
    names: list[str] = []

    def copy(ledger: Ledger) -> Ledger:
        old = ledger.url.partition("?")[0].rpartition("/")[2]
        names.append(f"{old}_restored")
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f"create database {names[-1]} template {old} strategy file_copy".encode())
        return Ledger(ledger.url.replace(f"/{old}", f"/{names[-1]}", 1))

    yield copy
    with psycopg.connect(postgres, autocommit=True) as connection:
        for name in names:
            connection.execute(f"drop database {name} with (force)".encode())


def actions(ledger: Ledger) -> list[str]:
    return [row["order_id"] for row in ledger.all("select order_id from action order by order_id")]


def test_files_of_after_the_backup_are_submitted_once_more_and_only_once(desk: Desk, backup: Backup) -> None:
    desk.submit(table(HEADER, order("A")), "a.csv")
    restored = backup(desk.ledger)
    lost = desk.submit(
        table(HEADER, order("B"), order("bad,cell")), "b.csv", received_at=datetime(2026, 3, 2, tzinfo=UTC)
    )
    assert [each.entry.values["file_name"] for each in find_missing(restored, desk.landing)] == ["b.csv"]
    assert find_missing(desk.ledger, desk.landing) == []

    [done] = recover(restored, desk.landing, find_missing(restored, desk.landing), "ada")

    assert (done["state"], done["rows"], done["accepted"], done["obstacle"]) == ("partly_applied", 2, 1, None)
    assert actions(restored) == ["A", "B"]
    kept = restored.one("select trace_id, received_at, origin from submission where id = %s", [done["submission"]])
    assert kept is not None
    assert (str(kept["trace_id"]), kept["received_at"].date().isoformat(), kept["origin"]) == (
        str(lost["trace_id"]),
        "2026-03-02",
        "manual",
    )
    assert find_missing(restored, desk.landing) == []
    entry = restored.all("select who, what, details from activity order by id")[-1]
    assert (entry["who"], entry["what"]) == ("ada", "submission.recovered")


def test_a_file_that_the_backup_knows_as_claimed_gets_its_bytes(
    desk: Desk, backup: Backup, sftp_partner: PartnerServer
) -> None:
    """The partner's copy is gone by then: without the kept bytes it would be quarantined as missing."""
    ftp = Outbound(desk.ledger, desk.landing, sftp_partner, {}).endpoint()  # type: ignore[arg-type]
    path = sftp_partner.files / "in" / "c.csv"
    path.write_text(table(HEADER, order("C")))
    os.utime(path, (desk.received.timestamp(), desk.received.timestamp()))
    row = desk.ledger.one("select revision from connection where name = 'orders'")
    assert row is not None
    run = begin_run(desk.ledger, "orders", row["revision"], "manual__1")
    with ftp() as endpoint:
        [seen] = endpoint.list("/in")
        file = RemoteFile(seen.path, seen.name, seen.size, seen.mtime)
        inbound.claim(desk.ledger, run, [file])
        [claimed] = inbound.lease(desk.ledger, run).submissions
        restored = backup(desk.ledger)
        inbound.fetch(desk.ledger, claimed.id, endpoint, desk.landing)
    path.unlink()

    [missing] = find_missing(restored, desk.landing)
    assert missing.lack == "file not fetched"
    [done] = recover(restored, desk.landing, [missing], "ada")
    assert (done["submission"], done["state"]) == (claimed.id, "applied")
    assert actions(restored) == ["C"]


def test_a_connection_that_the_backup_does_not_have_is_named(desk: Desk, backup: Backup) -> None:
    restored = backup(desk.ledger)
    desk.connect("later")
    desk.submit(table(HEADER, order("D")), "d.csv", connection="later")

    [missing] = find_missing(restored, desk.landing)
    [done] = recover(restored, desk.landing, [missing], "ada")

    assert "apply its spec" in done["obstacle"]
    assert done["state"] is None
    restored_desk = replace(desk, ledger=restored)
    restored_desk.connect("later")
    [done] = recover(restored, desk.landing, find_missing(restored, desk.landing), "ada")
    assert (done["state"], actions(restored)) == ("applied", ["D"])


def test_deliveries_of_after_the_backup_are_noted_and_not_sent_again_by_the_schedule(
    ledger: Ledger, tmp_path: Path, sftp_partner: PartnerServer, backup: Backup
) -> None:
    outbound = Outbound.of(ledger, tmp_path, sftp_partner)
    book(ledger, [Sale(BERLIN, datetime(2026, 6, 10, 12, tzinfo=UTC), Decimal("19.90"))])
    outbound.applied(active_from="2026-06-01", details={"existing": "version"})
    restored = backup(ledger)
    outbound.all_steps(DAY)
    after = replace(outbound, ledger=restored)

    [done] = recover(restored, outbound.landing, find_missing(restored, outbound.landing), "ada")

    assert (done["lack"], done["state"]) == ("unknown delivery", "delivered")
    skipped = after.export(DAY, scheduled=True)
    assert (skipped["state"], skipped["delivery_id"]) == ("skipped", None)
    assert "before the ledger was restored" in skipped["message"]
    assert outbound.names() == ["performance_2026-06-10.csv"]
    assert after.all_steps(DAY)["file_name"] == "performance_2026-06-10_v2.csv"
    assert find_missing(restored, outbound.landing) == []


def test_a_submission_whose_command_was_killed_is_finished_by_maintenance(desk: Desk) -> None:
    file = desk.file(table(HEADER, order("E")))
    left = manual.take(desk.ledger, desk.landing, "orders", file, who="tester", received_at=desk.received)
    assert list(manual.finish_abandoned(desk.ledger, desk.landing)) == []
    with desk.ledger.connect() as connection:
        connection.execute(
            "update submission set leased_until = now() - interval '1 s', claimed_at = now() - interval '1 h'"
        )

    assert list(manual.finish_abandoned(desk.ledger, desk.landing)) == [(left, "applied")]
    assert actions(desk.ledger) == ["E"]


def test_the_journal_is_read_in_order_and_from_a_day_on(desk: Desk) -> None:
    for name in ("1.csv", "2.csv"):
        desk.submit(table(HEADER, order(name)), name)
    [day] = desk.landing.names(journal.FOLDER)
    desk.landing.write(f"{journal.FOLDER}/2020-01-01/x.json", b"{}")
    found = list(journal.entries(desk.landing, date.fromisoformat(day)))
    assert [entry.values["file_name"] for entry in found] == ["1.csv", "2.csv"]
