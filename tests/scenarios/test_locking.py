"""Locking dates: what locks when, what it waits for, and what still counts afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from data_connections.steps import approval, manual
from data_connections.steps.locking import Locked, lock_due
from fixtures.desk import Desk, table

HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,CurrencyCode,Amount"
LOCKS = datetime(2026, 3, 4, tzinfo=UTC)


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """Orders that lock on 4 March, one that stays open a month longer, and one that is reversed."""
    with desk.ledger.connect() as connection:
        connection.execute("update event_type set locking_after = 'event', locking_days = 11 where id = 2001")
        connection.execute("update event_type set locking_after = 'event', locking_days = 40 where id = 2002")
    desk.connect("changes", data_type="action_modifications")
    rows = ("2001,2026-02-20T10:00:00Z,A", "2001,2026-02-20T20:00:00Z,B", "2002,2026-02-20T10:00:00Z,LATER")
    desk.submit(table(HEADER, *(f"1000,{row},EUR,10.00" for row in rows)))
    return desk


def change(shop: Desk, order: str, amount: object, received: datetime) -> dict[str, object]:
    text = table("ActionTrackerId,OrderId,Amount,Reason", f"2001,{order},{amount},OTHER")
    return shop.submit(text, "changes.csv", "changes", received_at=received)


def states(shop: Desk) -> dict[str, tuple[str, object]]:
    rows = shop.ledger.all("select order_id, state, amount from action order by id")
    return {row["order_id"]: (row["state"], row["amount"]) for row in rows}


def test_what_is_due_locks_once_and_each_is_an_update(shop: Desk) -> None:
    change(shop, "B", 0, LOCKS - timedelta(days=2))
    assert lock_due(shop.ledger, LOCKS - timedelta(seconds=1)) == []
    assert lock_due(shop.ledger, LOCKS) == [Locked("acme", 1, 0, (), ())]
    assert lock_due(shop.ledger, LOCKS) == []

    assert states(shop) == {"A": ("APPROVED", 10), "B": ("REVERSED", 0), "LATER": ("PENDING", 10)}
    [update] = shop.ledger.all("select * from action_update where kind = 'locked'")
    assert (update["old_state"], update["new_state"], update["submission_id"]) == ("PENDING", "APPROVED", None)
    assert (update["received_at"], update["new_amount"]) == (LOCKS, 10)
    assert shop.ledger.one("select locked_at, locked_by from action where order_id = 'A'") == {
        "locked_at": LOCKS,
        "locked_by": "date",
    }


def test_an_order_that_comes_after_its_locking_date_locks_when_it_came(shop: Desk) -> None:
    came = LOCKS + timedelta(days=3)
    shop.submit(table(HEADER, "1000,2001,2026-02-20T10:00:00Z,LATE,EUR,7.00"), "late.csv", received_at=came)
    lock_due(shop.ledger, came + timedelta(days=1))

    found = shop.ledger.one(
        "select a.locked_at, u.received_at from action a join action_update u on u.action_id = a.id "
        "where a.order_id = 'LATE' and u.kind = 'locked'"
    )
    assert found == {"locked_at": came, "received_at": came}  # no statement of an earlier day changes


def test_locking_waits_for_files_that_came_before_and_at_last_goes_past_them(shop: Desk) -> None:
    shop.connect("changes", data_type="action_modifications", limits={"hold_if": {"rows_over": 0}})
    waiting = change(shop, "A", 5, LOCKS - timedelta(hours=1))
    assert waiting["state"] == "on_hold"
    number = waiting["id"]

    assert lock_due(shop.ledger, LOCKS) == [Locked("acme", 0, 2, (number,), ())]  # type: ignore[arg-type]
    assert lock_due(shop.ledger, LOCKS + timedelta(days=4)) == [
        Locked("acme", 2, 0, (), (number,))  # type: ignore[arg-type]
    ]
    approval.approve(shop.ledger, int(str(number)), "tester")
    assert manual.finish(shop.ledger, shop.landing, int(str(number)))["state"] == "applied"
    assert states(shop)["A"] == ("APPROVED", 5)


def test_a_file_that_came_after_the_locking_date_is_not_waited_for(shop: Desk) -> None:
    shop.connect("changes", data_type="action_modifications", limits={"hold_if": {"rows_over": 0}})
    change(shop, "A", 5, LOCKS)

    assert lock_due(shop.ledger, LOCKS + timedelta(hours=2)) == [Locked("acme", 2, 0, (), ())]


def test_it_is_the_received_time_that_decides_whether_locked_or_not(shop: Desk) -> None:
    too_late = change(shop, "A", 5, LOCKS)
    assert shop.codes(too_late) == {2: ["ALREADY_LOCKED"]}
    lock_due(shop.ledger, LOCKS)
    in_time = change(shop, "A", 0, LOCKS - timedelta(seconds=1))
    assert in_time["state"] == "applied"
    assert states(shop)["A"] == ("REVERSED", 0)
    change(shop, "A", 7, LOCKS - timedelta(seconds=1))
    assert states(shop)["A"] == ("PENDING", 7)
    lock_due(shop.ledger, LOCKS)
    assert states(shop)["A"] == ("APPROVED", 7)


@pytest.mark.parametrize("zone", ["Atlantic/Azores", "America/Havana"])
@pytest.mark.parametrize("after", ["event", "month_end"])
def test_every_moment_of_the_days_around_a_change_of_clocks_locks_by_its_own_day(
    desk: Desk, zone: str, after: str
) -> None:
    with desk.ledger.connect() as connection:
        connection.execute("update program set time_zone = %s where id = 1000", [zone])
        connection.execute("update event_type set locking_after = %s, locking_days = 9 where id = 2001", [after])
    moments = [
        first + timedelta(minutes=30 * half_hour)
        for first in (datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC))
        for half_hour in range(96)
    ]
    rows = (f"1000,2001,{moment:%Y-%m-%dT%H:%M:%SZ},O{number},EUR,1" for number, moment in enumerate(moments))
    desk.submit(table(HEADER, *rows), received_at=datetime(2026, 11, 3, tzinfo=UTC))

    found = desk.ledger.one(
        """
        select count(*) as actions, count(*) filter (where a.locks_at = locking_date(
            a.event_at, p.time_zone, t.locking_after, t.locking_months, t.locking_days)) as right
        from action a join event_type t on t.id = a.event_type_id join program p on p.id = t.program_id
        """
    )
    assert found == {"actions": len(moments), "right": len(moments)}
