"""Sums of months: whatever is summed and whatever came since, a statement is the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from data_connections import applying
from data_connections.ledger.database import LedgerConnection
from data_connections.queries.statement import FIGURES, month_statement, rows_of_figure
from data_connections.steps.locking import lock_due
from data_connections.steps.month_sums import sum_up_months
from data_connections.steps.reconciliation import MONTHS, reconcile
from data_connections.steps.withdrawal import withdraw
from fixtures.desk import Desk, table

ORDERS = "CampaignId,ActionTrackerId,EventDate,OrderId,MediaPartnerId,CurrencyCode,Amount"
JANUARY, FEBRUARY, MARCH = (datetime(2026, month, 20, 22, 30, tzinfo=UTC) for month in (1, 2, 3))
MONTHS_ASKED = [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]


def orders(shop: Desk, received: datetime, *rows: str, connection: str = "orders") -> int:
    day = f"{received:%Y-%m-%d}"
    text = table(ORDERS, *(f"1000,2001,{day}," + row for row in rows))
    return int(shop.submit(text, f"{received:%m%d}-{connection}.csv", connection, received_at=received)["id"])


def change(shop: Desk, received: datetime, *rows: str) -> int:
    text = table("ActionTrackerId,OrderId,Amount,Reason", *(f"2001,{row},OTHER" for row in rows))
    return int(shop.submit(text, f"{received:%m%d}.csv", "changes", received_at=received)["id"])


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """Two connections that bring orders and one that changes them; orders lock 40 days after their event."""
    with desk.ledger.connect() as connection:
        connection.execute("update event_type set locking_after = 'event', locking_days = 40 where id = 2001")
        connection.execute("insert into partner (id, name) values (7, 'Seven'), (8, 'Eight')")
    desk.connect("others")
    desk.connect("changes", data_type="action_modifications")
    return desk


def live(shop: Desk) -> Any:
    """Do what happens to orders in three months, and yield after each step."""
    orders(shop, JANUARY, "A,7,EUR,10.00", "B,7,EUR,20.00", "C,8,USD,30.00", "D,,EUR,40.00")
    yield "orders"
    orders(shop, JANUARY + timedelta(days=1), "E,7,EUR,50.00", connection="others")
    yield "orders of another connection"
    change(shop, JANUARY + timedelta(days=2), "A,5.00", "B,0")
    yield "changed and reversed in their month"
    change(shop, FEBRUARY, "B,19.00", "C,31.00")
    yield "restored and changed a month later"
    lock_due(shop.ledger, MARCH)
    yield "locked"
    late = orders(shop, JANUARY + timedelta(days=3), "F,8,EUR,60.00")
    yield "a file of long ago"
    withdraw(shop.ledger, late, FEBRUARY + timedelta(hours=1), who="tester")
    yield "withdrawn"


def statements(shop: Desk) -> dict[tuple[date, bool], list[dict[str, Any]]]:
    """The statements of all months, for all connections and for one of them."""
    with shop.ledger.at_one_moment() as connection:
        return {
            (month, visible is None): month_statement(connection, visible, "acme", month)
            for month in MONTHS_ASKED
            for visible in (None, only_orders(connection))
        }


def only_orders(connection: LedgerConnection) -> list[int]:
    return [row["id"] for row in connection.execute("select id from connection where name = 'orders'")]


def compare_rows(shop: Desk) -> None:
    """Compare each figure of all statements with the rows behind it."""
    for (month, everything), lines in statements(shop).items():
        with shop.ledger.at_one_moment() as connection:
            visible = None if everything else only_orders(connection)
            for line, figure in product(lines, FIGURES):
                of_line = {"currency": line["currency"], "partner": line["partner_id"]}
                rows = rows_of_figure(connection, visible, "acme", month, figure=figure, **of_line)
                for what in ("amount", "payout"):
                    together = sum(each[what] for each in rows)
                    assert together == line[f"{figure}_{what}"], (month, figure, what, line)
                    assert {each[f"total_{what}"] for each in rows} <= {together}
                assert {each["count"] for each in rows} <= {len(rows)}


def test_statements_are_the_same_however_much_of_them_is_summed(shop: Desk) -> None:
    by_step = []
    for step in live(shop):
        unsummed = statements(shop)
        if step == "locked":
            compare_rows(shop)
        assert sum_up_months(shop.ledger), step
        assert statements(shop) == unsummed, step
        if step == "withdrawn":
            compare_rows(shop)
        assert sum_up_months(shop.ledger) == []
        by_step.append(unsummed)
    january = {line["partner_id"]: line for line in by_step[2][date(2026, 1, 1), True]}
    assert (january[7]["new_amount"], january[7]["modified_amount"], january[7]["reversed_amount"]) == (80, -5, 20)
    assert by_step[-1][date(2026, 1, 1), True] != by_step[2][date(2026, 1, 1), True]
    found = reconcile(shop.ledger)
    assert found.mismatches == {}
    with shop.ledger.connect() as connection:  # nothing was read that is not in the sums
        connection.execute("delete from month_sum")
    assert not any(statements(shop).values())


def test_months_are_those_of_the_time_zone_that_the_program_has_now(shop: Desk) -> None:
    orders(shop, datetime(2026, 1, 31, 22, 30, tzinfo=UTC), "A,7,EUR,10.00")
    sum_up_months(shop.ledger)
    for zone, month in (("Asia/Tokyo", 2), ("America/New_York", 1)):
        with shop.ledger.connect() as connection:
            connection.execute("update program set time_zone = %s where id = 1000", [zone])
        for _ in range(2):
            found = statements(shop)
            assert [line["new_amount"] for line in found[date(2026, month, 1), True]] == [10], zone
            assert sum(line["new_amount"] for lines in found.values() for line in lines) == 20, zone
            sum_up_months(shop.ledger)
        assert reconcile(shop.ledger).mismatches == {}


def test_a_program_whose_actions_are_being_written_is_left_for_the_next_time(shop: Desk) -> None:
    orders(shop, JANUARY, "A,7,EUR,10.00")
    with shop.ledger.connect() as connection:
        applying.lock_actions(connection, "acme")
        assert "acme" not in sum_up_months(shop.ledger)
    assert "acme" in sum_up_months(shop.ledger)


def test_sums_that_are_wrong_are_found_and_made_again(shop: Desk) -> None:
    orders(shop, JANUARY, "A,7,EUR,10.00", "B,8,EUR,20.00")
    right = statements(shop)
    sum_up_months(shop.ledger)
    with shop.ledger.connect() as connection:
        connection.execute("update month_sum set new_amount = new_amount + 1 where partner_id = 7")
        connection.execute("delete from month_sum where partner_id = 8")
    found = reconcile(shop.ledger)

    assert found.mismatches[MONTHS]["count"] == 3
    assert statements(shop) == right
    sum_up_months(shop.ledger)
    assert reconcile(shop.ledger).good
    assert statements(shop) == right
