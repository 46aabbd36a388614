"""Many files are claimed in one go: each once, in order, whoever claims at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from data_connections.endpoints.contract import RemoteFile
from data_connections.endpoints.vouching import Voucher
from data_connections.ledger import Ledger, runs
from data_connections.steps.claiming import claim, lease
from data_connections.steps.pinned_run import PinnedRun, begin_run
from fixtures.desk import Desk

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILES = [
    RemoteFile(f"/in/{number}.csv", f"{number}.csv", number, AT + timedelta(seconds=number)) for number in range(300)
]


@pytest.fixture
def runs_of_orders(desk: Desk) -> list[PinnedRun]:
    desk.connect(limits={"files_per_run": 200})
    row = desk.ledger.one("select revision from connection where name = 'orders'")
    assert row is not None
    return [begin_run(desk.ledger, "orders", row["revision"], name) for name in ("one", "two", "three")]


def numbered(ledger: Ledger) -> list[str]:
    rows = ledger.all("select number, file_name from submission order by number")
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["file_name"] for row in rows]


def test_two_who_claim_the_same_at_once_claim_each_file_once_and_in_order(
    desk: Desk, runs_of_orders: list[PinnedRun]
) -> None:
    start = Barrier(2)

    def together(run: PinnedRun) -> int:
        start.wait(30)
        return claim(desk.ledger, run, FILES)

    with ThreadPoolExecutor(2) as threads:
        counts = list(threads.map(together, runs_of_orders[:2]))
    assert sorted(counts) == [0, len(FILES)]
    assert numbered(desk.ledger) == [file.name for file in FILES]


def test_runs_that_lease_at_once_never_share_a_submission(desk: Desk, runs_of_orders: list[PinnedRun]) -> None:
    claim(desk.ledger, runs_of_orders[0], FILES)
    start = Barrier(2)

    def together(run: PinnedRun) -> list[int]:
        start.wait(30)
        return [each.number for each in lease(desk.ledger, run).submissions]

    with ThreadPoolExecutor(2) as threads:
        first, second = sorted(threads.map(together, runs_of_orders[:2]))
    assert first == list(range(1, 201))
    assert second == list(range(201, 301))


def test_what_a_dead_run_left_comes_beside_as_many_new_ones_as_ever(
    desk: Desk, runs_of_orders: list[PinnedRun]
) -> None:
    dead, alive, _ = runs_of_orders
    claim(desk.ledger, dead, FILES)
    assert len(lease(desk.ledger, dead).submissions) == 200
    with desk.ledger.connect() as connection:
        runs.finish(connection, dead.id, failure="killed")

    leased = lease(desk.ledger, alive)
    assert [each.number for each in leased.submissions] == list(range(1, 301))
    assert (leased.new, leased.more) == (100, 0)


def test_a_claim_goes_on_where_the_last_one_ended_and_a_changed_file_is_another(
    desk: Desk, runs_of_orders: list[PinnedRun]
) -> None:
    run = runs_of_orders[0]
    assert claim(desk.ledger, run, FILES[:3]) == 3
    grown = replace(FILES[1], size=9_999)
    assert claim(desk.ledger, run, [FILES[4], FILES[0], grown, FILES[4]]) == 2
    assert numbered(desk.ledger) == ["0.csv", "1.csv", "2.csv", "4.csv", "1.csv"]
    assert claim(desk.ledger, run, []) == 0


def test_a_claim_keeps_who_vouched_and_the_time_of_arrival_never_later_than_now(
    desk: Desk, runs_of_orders: list[PinnedRun]
) -> None:
    ahead = replace(FILES[0], mtime=datetime.now(UTC) + timedelta(days=2))
    voucher = Voucher("/in/0.csv.fin", marker=True)
    claim(desk.ledger, runs_of_orders[0], [ahead, FILES[1]], {ahead.path: voucher})
    first, second = desk.ledger.all("select vouched, received_at, size from submission order by number")
    assert first["vouched"] == voucher.as_json()
    assert first["received_at"] <= datetime.now(UTC)
    assert second == {"vouched": None, "received_at": FILES[1].mtime, "size": 1}
