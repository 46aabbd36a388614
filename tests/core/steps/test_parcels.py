"""Zip files that hold several files: each a submission of its own, in its parcel's turn, or none of them taken."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import Any

import pytest

from data_connections.errors import ConfigurationError
from data_connections.ledger import runs
from data_connections.steps import approval, inbound, manual, replay
from fixtures.desk import Desk
from fixtures.sender import Partner, orders_file


def zipped(**members: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv").replace("_txt", ".txt"), content)
    return target.getvalue()


def states(desk: Desk) -> dict[str, tuple[str, str | None]]:
    rows = desk.ledger.all("select file_name, state, code from submission order by turn, number")
    return {row["file_name"]: (row["state"], row["code"]) for row in rows}


def test_every_file_of_a_zip_is_a_submission_that_names_its_parcel(desk: Desk) -> None:
    content = zipped(a_csv=orders_file("A,1.00"), in__b_csv=orders_file("B,2.00", "C,oops"), c_csv=b"\x89PNG\r\n\x00")
    parcel = desk.submit(content, "day.zip")

    assert (parcel["state"], parcel["rows"]) == ("partly_applied", 0)
    assert "1 applied, 1 partly applied, 1 quarantined" in parcel["message"]
    assert [(each["file"], each["state"]) for each in parcel["members"]] == [
        ("day.zip/a.csv", "applied"),
        ("day.zip/in/b.csv", "partly_applied"),
        ("day.zip/c.csv", "quarantined"),
    ]
    assert desk.actions() == [("A", 1, 1, "EUR"), ("B", 1, 2, "EUR")]
    rows = desk.ledger.all("select parcel_id, origin, received_at, sha256 from submission where parcel_id is not null")
    assert {(row["parcel_id"], row["origin"], row["received_at"]) for row in rows} == {
        (parcel["id"], "manual", desk.received)
    }
    assert len({row["sha256"] for row in rows}) == 3


def test_a_zip_of_which_nothing_can_be_taken_is_refused(desk: Desk) -> None:
    image = b"\x89PNG\r\n\x00"
    none = desk.submit(zipped(a_csv=image, b_csv=image + b"!"), "none.zip")
    one = desk.submit(zipped(a_csv=image + b"?", b_csv=orders_file("A,1.00")), "one.zip")

    assert (none["state"], none["code"]) == ("quarantined", "PARCEL_REFUSED")
    assert (one["state"], one["code"]) == ("partly_applied", None)


def test_the_same_zip_again_and_a_member_that_comes_alone_are_duplicates(desk: Desk) -> None:
    content = zipped(a_csv=orders_file("A,1.00"), b_csv=orders_file("B,2.00"))
    first = desk.submit(content, "day.zip")
    again = desk.submit(content, "renamed.zip")
    alone = desk.submit(orders_file("B,2.00"), "alone.csv")
    repacked = desk.submit(zipped(b_csv=orders_file("B,2.00"), a_csv=orders_file("A,1.00")), "repacked.zip")

    assert (first["state"], again["state"], again["duplicate_of"]) == ("applied", "duplicate", first["id"])
    assert alone["state"] == "duplicate"
    assert repacked["state"] == "duplicate"
    assert len(desk.actions()) == 2


@pytest.mark.parametrize(
    ("content", "changes", "code"),
    [
        (zipped(a_csv=orders_file("A,1.00"), A_csv=orders_file("B,1.00")), {}, "ZIP_UNSOUND"),
        (zipped(a_csv=orders_file("A,1.00"), b_csv=gzip.compress(orders_file("B,1.00"))), {}, "PACKED_TWICE"),
        (zipped(a_csv=orders_file("A,1.00"), b_csv=orders_file("B,1.00"))[:-60], {}, "PACKED_DAMAGED"),
        (
            zipped(a_csv=orders_file("A,1.00"), b_csv=b"OrderId\n" + b"1\n" * 5_000),
            {"limits": {"max_bytes": 5_000}},
            "PACKED_TOO_LARGE",
        ),
        (zipped(a_txt=b"x", b_txt=b"y"), {"details": {"member_pattern": "*.csv"}}, "PARCEL_EMPTY"),
        (zipped(**{f"f{number}_csv": b"" for number in range(1_001)}), {}, "ZIP_UNSOUND"),
    ],
    ids=["same name twice", "packed inside", "cut", "more than allowed", "nothing that fits", "too many"],
)
def test_a_zip_that_cannot_be_taken_whole_is_refused_whole(
    desk: Desk, content: bytes, changes: dict[str, Any], code: str
) -> None:
    desk.connect(**changes)
    parcel = desk.submit(content, "day.zip")

    assert (parcel["state"], parcel["code"], parcel["members"]) == ("quarantined", code, None)
    assert desk.ledger.one("select count(*) as submissions from submission") == {"submissions": 1}
    assert desk.actions() == []


def test_the_packed_bound_follows_the_limit_of_the_connection(desk: Desk) -> None:
    content = gzip.compress(orders_file(*(f"A{number},1.00" for number in range(500))))
    desk.connect(limits={"max_bytes": 10_000})
    assert desk.submit(content, "a.csv.gz")["code"] == "PACKED_TOO_LARGE"
    desk.connect(limits={"max_bytes": 100_000})
    assert desk.submit(content, "a.csv.gz")["state"] == "applied"


def test_files_that_do_not_fit_are_left_and_named(desk: Desk) -> None:
    desk.connect(details={"member_pattern": "*.csv"})
    parcel = desk.submit(zipped(a_csv=orders_file("A,1.00"), readme_txt=b"hello"), "day.zip")

    assert parcel["state"] == "applied"
    [warning] = parcel["file_warnings"]
    assert (warning["code"], "readme.txt" in warning["message"]) == ("MEMBERS_LEFT", True)


def test_members_stand_before_files_that_came_later(desk: Desk) -> None:
    """Modifications are applied in order: what came after the zip waits for what is in it."""
    desk.submit(orders_file("A,10.00"))
    desk.connect("changes", data_type="action_modifications", details={"file_pattern": "*"})
    header = b"OrderId,ActionTrackerId,Amount,Reason\n"
    ledger, landing = desk.ledger, desk.landing
    texts = {
        "x.zip": zipped(a_csv=header + b"A,2001,8.00,ORDER_UPDATE\n", b_csv=header + b"A,2001,7.00,ORDER_UPDATE\n")
    }
    texts["y.csv"] = header + b"A,2001,5.00,ORDER_UPDATE\n"
    parcel, later = (
        manual.take(ledger, landing, "changes", desk.file(text, name), who="tester", received_at=desk.received)
        for name, text in texts.items()
    )
    inbound.validate(ledger, later, landing)
    inbound.validate(ledger, parcel, landing)
    with pytest.raises(Exception, match="waits for submission"):
        inbound.apply(ledger, later, landing)
    assert manual.finish(ledger, landing, parcel)["state"] == "applied"
    assert manual.finish(ledger, landing, later)["state"] == "applied"
    assert [amount for _, _, amount, _ in desk.actions()] == [5]
    updates = desk.ledger.all("select new_amount from action_update where old_amount is not null order by id")
    assert [row["new_amount"] for row in updates] == [8, 7, 5]

    again = desk.submit(texts["x.zip"], "x.zip", "changes")
    assert again["state"] == "applied"
    assert [amount for _, _, amount, _ in desk.actions()] == [7]


def test_the_sender_is_answered_for_every_file_and_the_zip_is_cleared_away(partner: Partner) -> None:
    content = zipped(a_csv=orders_file("A,1.00"), b_csv=orders_file("B,oops"))
    partner.put_bytes("day.zip", content)
    run = partner.begin()
    [parcel] = partner.claim(run)
    partner.steps(parcel)
    ids = [row["id"] for row in partner.desk.ledger.all("select id from submission where parcel_id = %s", [parcel])]
    for member in ids:
        inbound.acknowledge(partner.desk.ledger, member, partner.endpoint, partner.desk.landing)

    assert partner.names("out/done") == ["day.zip"]
    names = partner.names("results")
    assert {name for name in names if "summary" in name} == {
        "result_day.zip_summary.json",
        "result_day.zip_a.csv_summary.json",
        "result_day.zip_b.csv_summary.json",
    }
    summary = json.loads((partner.server.files / "results" / "result_day.zip_summary.json").read_text())
    assert [(each["file"], each["rejected"]) for each in summary["files"]] == [
        ("day.zip/a.csv", 0),
        ("day.zip/b.csv", 1),
    ]
    with partner.desk.ledger.connect() as connection:
        finished = runs.finish(connection, run.id)
    assert (finished["files"], finished["rows"], finished["accepted"]) == (2, 2, 1)
    assert partner.claim(partner.begin("next")) == []


def test_a_dead_run_leaves_its_parcel_with_all_that_came_in_it(partner: Partner) -> None:
    partner.put_bytes("day.zip", zipped(a_csv=orders_file("A,1.00"), b_csv=orders_file("B,2.00")))
    dead = partner.begin("dead")
    [parcel] = partner.claim(dead)
    ledger, landing = partner.desk.ledger, partner.desk.landing
    inbound.fetch(ledger, parcel, partner.endpoint, landing)
    inbound.validate(ledger, parcel, landing)
    with ledger.connect() as connection:
        runs.finish(connection, dead.id, failure="killed")

    assert partner.claim(partner.begin("alive")) == [parcel]
    assert partner.steps(parcel)["state"] == "applied"
    assert len(partner.desk.actions()) == 2


def test_a_file_on_hold_keeps_its_parcel_open(desk: Desk) -> None:
    desk.connect(limits={"hold_if": {"rows_over": 1}})
    parcel = desk.submit(zipped(a_csv=orders_file("A,1.00"), b_csv=orders_file("B,1.00", "C,1.00")), "day.zip")
    assert (parcel["state"], [each["state"] for each in parcel["members"]]) == ("validated", ["applied", "on_hold"])

    approval.refuse(desk.ledger, parcel["members"][1]["id"], "the boss")
    assert states(desk)["day.zip"] == ("partly_applied", None)


def test_members_can_be_taken_again_and_their_parcel_cannot(desk: Desk) -> None:
    parcel = desk.submit(zipped(a_csv=orders_file("A,1.00"), b_csv=orders_file("B,oops")), "day.zip")
    with pytest.raises(ConfigurationError, match="zip of 2 files"):
        replay.take_again(desk.ledger, parcel["id"], who="tester")
    again = replay.take_again(desk.ledger, parcel["members"][1]["id"], who="tester")
    assert manual.finish(desk.ledger, desk.landing, again)["rejected"] == 1
