from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from data_connections.landing import Landing
from data_connections.steps import manual
from fixtures.desk import RECEIVED, Desk, table

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,Amount"
AT = ("--received-at", "2026-03-01T12:00:00Z")


def rows(*orders: str) -> str:
    return table(HEADER, *(f"1000,2001,2026-02-20T10:00:00Z,{order}" for order in orders))


@pytest.fixture
def good(desk: Desk) -> Path:
    return desk.file(rows("A,1.50", "B,2.50"), "good.csv")


@pytest.fixture
def mixed(desk: Desk) -> Path:
    return desk.file(rows("C,1.00", "D,oops"), "mixed.csv")


def test_submit_prints_the_submission(cli: Callable[..., Any], desk: Desk, good: Path) -> None:
    answer = cli("submit", "orders", good, *AT, "--json")

    assert answer.code == 0
    done = answer.json
    assert done["id"] == 1
    assert (done["state"], done["rows"], done["accepted"], done["rejected"]) == ("applied", 2, 2, 0)
    assert (done["duplicate"], done["held"], done["warned"]) == (0, 0, 0)
    assert (done["amounts"], done["errors"], done["errors_total"], done["file_error"]) == ({"EUR": "4.00"}, [], 0, None)
    assert done["received_at"] == "2026-03-01T12:00:00Z"


def test_submit_ends_with_1_when_rows_are_rejected_and_says_which(
    cli: Callable[..., Any], desk: Desk, mixed: Path, tmp_path: Path
) -> None:
    answer = cli("submit", "orders", mixed, *AT, "--results", tmp_path / "results", "--json")

    assert answer.code == 1
    [error] = answer.json["errors"]
    assert (error["line"], error["column"], error["code"], error["severity"]) == (3, "Amount", "NOT_DECIMAL", "error")
    [rejects] = (tmp_path / "results").glob("result_*_mixed.csv")
    with rejects.open(newline="") as stream:
        [row] = csv.DictReader(stream)
    assert (row["OrderId"], row["Line"], row["SubmissionId"]) == ("D", "3", str(answer.json["id"]))


def test_a_file_that_cannot_be_read_is_bad_not_wrong(cli: Callable[..., Any], desk: Desk) -> None:
    answer = cli("submit", "orders", desk.file(b"", "empty.csv"), *AT, "--json")

    assert answer.code == 1
    assert (answer.json["state"], answer.json["file_error"]["code"]) == ("quarantined", "EMPTY_FILE")


def test_a_file_above_the_limit_is_refused_before_it_is_kept(cli: Callable[..., Any], desk: Desk, good: Path) -> None:
    size = good.stat().st_size
    desk.connect(limits={"max_bytes": size - 1})
    refused = cli("submit", "orders", good, *AT)
    desk.connect(limits={"max_bytes": size})
    taken = cli("submit", "orders", good, *AT)

    assert (refused.code, taken.code) == (2, 0)
    assert f"orders: the file has {size:,} bytes, allowed are {size - 1:,}" in refused.err
    assert len(desk.ledger.all("select from submission")) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("submit", "orderz", "FILE"), "orders"),
        (("submit", "orders", "/nowhere.csv"), "cannot be read"),
        (("submit", "orders", "FILE", "--received-at", "yesterday"), "no date"),
        (("submissions", "show", "77"), "77"),
        (("submissions", "approve", "77"), "77"),
        (("submissions", "list", "--state", "aplied"), "applied"),
        (("check", "FILE"), "--data-type"),
        (("check", "FILE", "--connection", "orders", "--data-type", "other"), "conversions"),
        (("check", "FILE", "--connection", "orderz"), "orders"),
    ],
)
def test_wrong_use_ends_with_2_and_a_hint(
    cli: Callable[..., Any], desk: Desk, good: Path, arguments: tuple[str, ...], said: str
) -> None:
    answer = cli(*(good if each == "FILE" else each for each in arguments))

    assert answer.code == 2
    assert said in answer.err
    assert desk.ledger.one("select count(*) as submissions from submission") == {"submissions": 0}


@pytest.mark.parametrize(
    "arguments", [("/proc/self/mem",), ("FILE", "--accepted", "FILE/copies"), ("FILE", "--rejects", "FILE")]
)
def test_what_the_disk_refuses_is_told_in_a_sentence(
    cli: Callable[..., Any], good: Path, arguments: tuple[str, ...]
) -> None:
    answer = cli("check", "--data-type", "conversions", *(each.replace("FILE", str(good)) for each in arguments))

    assert answer.code == 2
    assert "cannot be read or written" in answer.err


def test_submissions_are_listed_filtered_and_shown(
    cli: Callable[..., Any], desk: Desk, good: Path, mixed: Path
) -> None:
    first, second = cli("submit", "orders", good, *AT, "--json").json, cli("submit", "orders", mixed, "--json").json

    listed = cli("submissions", "list", "--json").json
    assert [(row["id"], row["state"]) for row in listed] == [(second["id"], "partly_applied"), (first["id"], "applied")]
    assert [row["id"] for row in cli("submissions", "list", "--state", "applied", "--json").json] == [first["id"]]
    assert cli("submissions", "list", "--connection", "other", "--json").json == []
    assert cli("submissions", "show", first["trace_id"], "--json").json["id"] == first["id"]
    assert "good.csv" in cli("submissions").out
    assert cli("submissions", "--state", "applied", "--json").json == listed[1:]


def test_a_file_on_hold_is_approved_or_refused_by_somebody(cli: Callable[..., Any], desk: Desk, good: Path) -> None:
    desk.connect(limits={"hold_if": {"rows_over": 1}})
    first = cli("submit", "orders", good, *AT, "--json").json
    assert first["state"] == "on_hold"

    approved = cli("submissions", "approve", first["id"], "--by", "boss", "--json")
    assert (approved.code, approved.json["state"], approved.json["approved_by"]) == (0, "applied", "boss")
    assert cli("submissions", "refuse", first["id"]).code == 2

    second = cli("submit", "orders", desk.file(rows("E,1", "F,2"), "more.csv"), *AT, "--json").json
    refused = cli("submissions", "refuse", second["id"], "--reason", "A test.", "--json").json
    assert (refused["state"], refused["code"]) == ("quarantined", "REFUSED")
    assert [action[0] for action in desk.actions()] == ["A", "B"]


def test_check_with_a_connection_asks_the_ledger_and_changes_nothing(
    cli: Callable[..., Any], desk: Desk, good: Path
) -> None:
    cli("submit", "orders", good, *AT)
    before = desk.ledger.all("select * from submission")
    other = desk.file(rows("A,1.50", "E,3.00").replace("2001,2026-02-20T10:00:00Z,E", "77,2026-02-20,E"), "other.csv")
    answer = cli("check", "--data-type", "conversions", "--connection", "orders", other, good, *AT, "--json")

    assert answer.code == 1
    reports = [json.loads(line) for line in answer.out.splitlines()]
    assert [(each["rows"], each["accepted"], each["rejected"], each["duplicate"]) for each in reports] == [
        (2, 0, 1, 1),
        (2, 0, 0, 2),
    ]
    assert [error["code"] for error in reports[0]["errors"]] == ["CONV_DUPLICATE", "ACTIONTRACKER_NOT_FOUND"]
    assert reports[0]["amounts"] == {}
    assert desk.ledger.all("select * from submission") == before
    assert desk.ledger.all("select tablename from pg_tables where schemaname = 'staging'") == []


def test_check_with_a_connection_takes_its_format_and_zone(cli: Callable[..., Any], desk: Desk) -> None:
    desk.connect("odd", format={"delimiter": ";"}, default_currency="USD")
    path = desk.file(rows("A,1.50").replace(",", ";"), "odd.csv")

    answer = cli("check", "--connection", "odd", path, *AT, "--json")

    assert answer.code == 0
    assert answer.json["amounts"] == {"USD": "1.50"}


def test_a_submission_that_was_left_is_finished(
    cli: Callable[..., Any], desk: Desk, good: Path, tmp_path: Path
) -> None:
    left = manual.take(
        desk.ledger, Landing(tmp_path / "home" / "landing"), "orders", good, who="x", received_at=RECEIVED
    )

    finished = cli("submissions", "finish", left, "--json")

    assert (finished.code, finished.json["state"], finished.json["accepted"]) == (0, "applied", 2)


def test_did_you_get_my_file(cli: Callable[..., Any], desk: Desk, good: Path) -> None:
    done = cli("submit", "orders", good, *AT, "--json").json
    seen = [
        ("orders_1.txt", 5, "ignored", "pattern", 1),
        ("orders_2.csv", 5, "waiting", "first_look", 2),
        ("orders_2.csv", 9, "waiting", "changing", 3),
        ("orders_3.csv", 5, "waiting", "first_look", 4),
        ("orders_3.csv", 7, "claimed", None, 5),
    ]
    with desk.ledger.connect() as connection:
        for name, size, decision, reason, minute in seen:
            connection.execute(
                """
                insert into sighting (connection_id, path, name, size, mtime, decision, reason, last_seen_at)
                select id, '/in/' || %(name)s, %(name)s, %(size)s, now(), %(decision)s, %(reason)s,
                       now() + %(minute)s * interval '1 minute' from connection where name = 'orders'
                """,
                {"name": name, "size": size, "decision": decision, "reason": reason, "minute": minute},
            )

    listed = cli("submissions", "--json").json
    assert [(row["file_name"], row["state"], row["code"], row["rows"]) for row in listed] == [
        ("orders_2.csv", "not_taken", "changing", 0),
        ("orders_1.txt", "not_taken", "pattern", 0),
        ("good.csv", "applied", None, 2),
    ]
    assert listed[0]["message"] == "Not taken: it is still growing."
    assert "does not fit the connection's file pattern" in listed[1]["message"]

    for text in ("GOOD", done["trace_id"], done["sha256"][:8].upper(), "B"):
        assert [row["id"] for row in cli("submissions", "--find", text, "--json").json] == [done["id"]], text
    assert [row["file_name"] for row in cli("submissions", "--find", "orders_2", "--json").json] == ["orders_2.csv"]
    assert cli("submissions", "--find", "100%", "--json").json == []
    assert [row["file_name"] for row in cli("submissions", "--state", "applied", "--json").json] == ["good.csv"]
    assert len(cli("submissions", "--state", "not_taken", "--json").json) == 2
