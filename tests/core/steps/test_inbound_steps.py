"""Claim, fetch and acknowledge with a real SFTP server: leases, lost files, results, and the partner's own file."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from data_connections.ledger import runs
from data_connections.steps import inbound, manual
from fixtures.desk import parsed, table
from fixtures.sender import HEADER, Partner, orders_file


def test_a_run_takes_files_in_order_and_answers_the_sender(partner: Partner) -> None:
    partner.put("b.csv", "B,2.00", "C,oops")
    partner.put("a.csv", "A,1.00")
    run = partner.begin()
    claimed = partner.claim(run)
    results = [partner.steps(submission) for submission in claimed]

    assert [result["state"] for result in results] == ["applied", "partly_applied"]
    numbers = partner.desk.ledger.all("select number, file_name, received_at from submission order by number")
    assert [(row["number"], row["file_name"]) for row in numbers] == [(1, "a.csv"), (2, "b.csv")]
    assert numbers[0]["received_at"] == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (partner.names("out"), partner.names("out/done")) == ([], ["a.csv", "b.csv"])
    sent = set(partner.names("results"))
    [rejects] = [name for name in sent if name.endswith("_b.csv")]
    assert rejects.startswith("result_")
    assert sent == {
        rejects,
        "receipt_a.csv.txt",
        "receipt_b.csv.txt",
        "result_a.csv_summary.json",
        "result_b.csv_summary.json",
    }
    [rejected] = parsed((partner.server.files / "results" / rejects).read_bytes())
    assert (rejected["OrderId"], rejected["Line"], rejected["ErrorCode"]) == ("C", "3", "NOT_DECIMAL")
    summary = json.loads((partner.server.files / "results" / "result_b.csv_summary.json").read_text())
    assert summary["updates"]["errorRowCount"] == 1
    assert summary["constants"]["originalFileUrl"] == "sftp://localhost:22/out/b.csv"
    with partner.desk.ledger.connect() as connection:
        finished = runs.finish(connection, run.id)
    assert (finished["state"], finished["files"], finished["rows"], finished["accepted"]) == ("completed", 2, 3, 2)


def test_every_step_may_be_run_twice(partner: Partner) -> None:
    partner.put("a.csv", "A,1.00")
    run = partner.begin()
    [submission] = partner.claim(run)
    first = partner.steps(submission)
    ledger, landing = partner.desk.ledger, partner.desk.landing
    for step in (inbound.fetch, inbound.acknowledge):
        step(ledger, submission, partner.endpoint, landing)
    for again in (inbound.validate, inbound.apply):
        again(ledger, submission, landing)

    assert partner.claim(run) == []
    assert inbound.result_of(ledger, submission) == first
    assert partner.desk.actions() == [("A", 1, 1, "EUR")]


def test_a_claim_is_made_once_however_often_it_is_tried(partner: Partner) -> None:
    partner.put("a.csv", "A,1.00")
    run = partner.begin()

    assert partner.claim(run) == partner.claim(run)
    assert partner.desk.ledger.one("select count(*) as submissions from submission") == {"submissions": 1}


def test_the_next_run_takes_up_what_a_dead_run_left(partner: Partner) -> None:
    partner.put("a.csv", "A,1.00")
    dead = partner.begin("dead")
    claimed = partner.claim(dead)
    alive = partner.begin("alive")
    assert partner.claim(alive) == []

    with partner.desk.ledger.connect() as connection:
        runs.finish(connection, dead.id, failure="killed")
    assert partner.claim(alive) == claimed
    assert partner.steps(claimed[0])["state"] == "applied"
    assert partner.claim(partner.begin("later")) == []


def test_a_lease_that_ran_out_is_taken_up_too(partner: Partner) -> None:
    partner.put("a.csv", "A,1.00")
    claimed = partner.claim(partner.begin("silent"))
    with partner.desk.ledger.connect() as connection:
        connection.execute("update submission set leased_until = now() - interval '1 second'")

    assert partner.claim(partner.begin("alive")) == claimed


def test_a_manual_submission_whose_process_died_is_taken_up_too(partner: Partner) -> None:
    desk = partner.desk
    path = desk.file(table(HEADER, "1000,2001,2026-02-20T10:00:00Z,A,1.00"), "by hand.csv")
    left = manual.take(desk.ledger, desk.landing, "orders", path, who="tester", received_at=desk.received)
    run = partner.begin()
    assert partner.claim(run) == []

    with desk.ledger.connect() as connection:
        connection.execute("update submission set leased_until = now() - interval '1 second'")
    assert partner.claim(run) == [left]
    assert partner.steps(left)["state"] == "applied"
    assert partner.names("results") == []
    assert partner.claim(run) == []


def test_a_file_that_is_written_again_is_another_submission(partner: Partner) -> None:
    partner.put("a.csv", "A,1.00")
    run = partner.begin()
    [first] = partner.claim(run)
    partner.steps(first)
    partner.put("a.csv", "B,2.00", "C,3.00")
    [second] = partner.claim(run)
    partner.steps(second)

    assert [action[0] for action in partner.desk.actions()] == ["A", "B", "C"]
    names = partner.names("out/done")
    assert len(names) == 2
    assert "a.csv" in names


def test_a_file_that_vanished_or_changed_before_it_was_fetched(partner: Partner) -> None:
    partner.put("gone.csv", "A,1.00")
    partner.put("grown.csv", "B,1.00")
    claimed = partner.claim(partner.begin())
    (partner.server.files / "out" / "gone.csv").unlink()
    partner.put("grown.csv", "B,1.00", "C,2.00")
    results = [partner.steps(submission) for submission in claimed]

    assert [(result["state"], result["code"]) for result in results] == [
        ("quarantined", "FILE_MISSING"),
        ("quarantined", "FILE_CHANGED"),
    ]
    assert partner.names("out") == ["grown.csv"]
    assert partner.desk.actions() == []


def test_a_refused_file_goes_to_the_failed_folder_and_the_run_fails(partner: Partner) -> None:
    (partner.server.files / "out" / "bad.csv").write_text('CampaignId,OrderId\n1000,"open\n')
    run = partner.begin()
    [submission] = partner.claim(run)
    result = partner.steps(submission)

    assert result["state"] == "quarantined"
    assert partner.names("out/failed") == ["bad.csv"]
    assert partner.names("results") == ["receipt_bad.csv.txt", "result_bad.csv_summary.json"]
    with partner.desk.ledger.connect() as connection:
        finished = runs.finish(connection, run.id)
    assert finished["state"] == "failed"
    assert result["code"] in finished["reason"]


def test_a_file_on_hold_stays_where_it_is_until_it_is_decided(partner: Partner) -> None:
    from data_connections.steps import approval

    desk = partner.desk
    desk.connect(details={"result_folder": "/results", "after_read": "delete"}, limits={"hold_if": {"rows_over": 1}})
    partner.put("a.csv", "A,1.00", "B,2.00")
    first = partner.begin("first")
    [submission] = partner.claim(first)
    assert partner.steps(submission)["state"] == "on_hold"
    assert (partner.names("out"), partner.names("results")) == (["a.csv"], [])
    with desk.ledger.connect() as connection:
        assert runs.finish(connection, first.id)["state"] == "completed"

    approval.approve(desk.ledger, submission, "the boss")
    manual.finish(desk.ledger, desk.landing, submission)
    second = partner.begin("second")
    assert partner.claim(second) == [submission]
    partner.steps(submission)

    assert (partner.names("out"), len(partner.names("results"))) == ([], 2)


@pytest.mark.parametrize(
    ("files", "max_rejects", "state"),
    [
        ([], None, "completed"),
        ([("applied", 0, 0, 0)], None, "completed"),
        ([("partly_applied", 5, 5, 0)], None, "completed"),
        ([("partly_applied", 5, 5, 0)], 5, "completed"),
        ([("partly_applied", 5, 6, 0)], 5, "failed"),
        ([("partly_applied", 0, 5, 0)], None, "failed"),
        ([("partly_applied", 0, 5, 1)], None, "completed"),
        ([("duplicate", 0, 0, 3)], None, "completed"),
        ([("quarantined", 0, 0, 0), ("applied", 1, 0, 0)], None, "failed"),
        ([("fetched", 0, 0, 0)], None, "failed"),
        ([("on_hold", 0, 0, 0)], None, "completed"),
    ],
)
def test_the_state_of_a_run_follows_from_its_files(
    files: list[tuple[str, int, int, int]], max_rejects: int | None, state: str
) -> None:
    results = [
        runs.FileResult(kind, "CODE", accepted + rejected + duplicate, accepted, rejected, duplicate, max_rejects)
        for kind, accepted, rejected, duplicate in files
    ]

    assert runs.state_of(results)[0] == state


def test_a_file_above_the_limit_is_refused_unread_and_the_same_bytes_are_a_duplicate(partner: Partner) -> None:
    folders = {"result_folder": "/results", "after_read": "keep"}
    partner.desk.connect(details=folders, limits={"max_bytes": len(orders_file("A,1.00"))})
    partner.put("a.csv", "A,1.00")
    partner.put("b.csv", "B,10.00")
    partner.put("c.csv", "A,1.00")
    results = [partner.steps(submission) for submission in partner.claim(partner.begin())]

    assert [(result["state"], result["code"]) for result in results] == [
        ("applied", None),
        ("quarantined", "FILE_TOO_LARGE"),
        ("duplicate", "FILE_DUPLICATE"),
    ]
    assert partner.desk.actions() == [("A", 1, 1, "EUR")]
