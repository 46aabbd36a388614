"""Codes that a row or a file gets by what came before it, or by its connection: each beside one that does not get it.

A case returns the codes of what is bad and of its good sibling. All of them share one ledger, each with orders and
connections of its own, which keeps the table fast.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from data_connections.steps import approval, manual
from data_connections.steps.withdrawal import withdraw
from fixtures.desk import RECEIVED, Desk, table

ORDERS = "CampaignId,ActionTrackerId,EventDate,OrderId,CurrencyCode,Amount,CustomerId"
CHANGES = "ActionTrackerId,OrderId,Amount,Reason"
ITEMS = "CatalogItemId,Name,Url"
HITS = "EventDate,VisitorId,Products,Events,PurchaseId"

Codes = list[str]
Found = tuple[Codes, Codes]


def order(name: str, amount: str = "10.00", day: str = "2026-02-20", customer: str = "c") -> str:
    return f"1000,2001,{day}T10:00:00Z,{name},EUR,{amount},{customer}"


def change(name: str, amount: str = "8.00") -> str:
    return f"2001,{name},{amount},OTHER"


def item(name: str, more: str = "") -> str:
    return f"{name},N,https://shop.example/{name}{more}"


class Counter:
    """A desk on which each case has file names and connections of its own."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.files = 0

    def orders(self, *rows: str, connection: str = "orders", header: str = ORDERS, **options: Any) -> dict[str, Any]:
        self.files += 1
        return self.desk.submit(table(header, *rows), f"{self.files}.csv", connection, **options)

    def changes(self, *rows: str, connection: str = "changes", **options: Any) -> dict[str, Any]:
        return self.orders(*rows, connection=connection, header=CHANGES, **options)

    def lines(self, done: dict[str, Any], bad: int, good: int) -> Found:
        codes = self.desk.codes(done)
        return codes.get(bad, []), codes.get(good, [])


def of_file(done: dict[str, Any]) -> Codes:
    return [done["code"] or "", *(warning["code"] for warning in done["file_warnings"])]


def locks_before_next_run(at: Counter) -> Found:
    with at.desk.ledger.connect() as connection:
        connection.execute("update event_type set locking_after = 'event', locking_days = 20 where id = 2001")
    at.desk.connect("nightly", schedule="0 6 * * *")
    found = at.lines(at.orders(order("L1", day="2026-02-09"), order("L2"), connection="nightly"), 2, 3)
    with at.desk.ledger.connect() as connection:
        connection.execute("update event_type set locking_after = 'approval', locking_days = 730 where id = 2001")
    return found


def zero_on_zero(at: Counter) -> Found:
    at.orders(order("Z1", "0"), order("Z2"))
    return at.lines(at.changes(change("Z1", "0"), change("Z2", "0")), 2, 3)


def superseded(at: Counter) -> Found:
    at.orders(order("S1"), order("S2"))
    at.changes(change("S1"))
    at.desk.connect("slow", data_type="action_modifications")
    earlier = RECEIVED - timedelta(days=1)
    return at.lines(at.changes(change("S1", "7"), change("S2", "7"), connection="slow", received_at=earlier), 2, 3)


def too_many_modifications(at: Counter) -> Found:
    at.orders(order("M1"), order("M2"))
    with at.desk.ledger.connect() as connection:
        connection.execute("update action set modifications = 1000 where order_id = 'M1'")
        connection.execute("update action set modifications = 999 where order_id = 'M2'")
    return at.lines(at.changes(change("M1"), change("M2")), 2, 3)


def withdrawn(at: Counter) -> Found:
    taken_back, kept = at.changes(change("W1")), at.changes(change("W2"))
    withdraw(at.desk.ledger, taken_back["id"], RECEIVED, who="ada")
    at.orders(order("W1"), order("W2"))
    return at.desk.codes(taken_back).get(2, []), at.desk.codes(kept).get(2, [])


def held_by_limit(at: Counter) -> Found:
    at.desk.connect("small", limits={"hold_if": {"rows_over": 1}})
    over = at.orders(order("H1"), order("H2"), connection="small")
    return of_file(over), of_file(at.orders(order("H3"), connection="small"))


def refused(at: Counter) -> Found:
    first, second = (at.orders(order(f"R{n}"), order(f"Q{n}"), connection="small") for n in "12")
    approval.refuse(at.desk.ledger, first["id"], "ada", "A test.")
    approval.approve(at.desk.ledger, second["id"], "ada")
    done = [manual.finish(at.desk.ledger, at.desk.landing, each["id"]) for each in (first, second)]
    return of_file(done[0]), of_file(done[1])


def rows_vanish(at: Counter) -> Found:
    at.desk.connect("catalog", data_type="product_catalog")
    rows = [item(f"P{n}") for n in range(4)]
    at.orders(*rows, connection="catalog", header=ITEMS)
    good = at.orders(*rows[:-1], item("P9"), connection="catalog", header=ITEMS)
    bad = at.orders(rows[0], connection="catalog", header=ITEMS)
    return of_file(bad), of_file(good)


def key_repeated(at: Counter) -> Found:
    at.desk.connect("delta", data_type="product_catalog", dataset={"name": "delta", "form": "delta"})
    rows = (item("K"), item("K", "x"), item("K2"), item("K3"))
    return at.lines(at.orders(*rows, connection="delta", header=ITEMS), 2, 3)


def nothing_to_remove(at: Counter) -> Found:
    rows = (item("N", ",delete"), item("K", ",delete"))
    return at.lines(at.orders(*rows, connection="delta", header=f"{ITEMS},Change"), 2, 3)


def line_known(at: Counter) -> Found:
    at.desk.connect("clicks", data_type="clicks")
    text = table("Id,EventDate,MediaId", "1,2026-02-20T10:00:00Z,6001", "2,yesterday,6001")
    first = at.desk.submit(text, "clicks.csv", "clicks")
    again = at.desk.submit(text, "clicks.csv", "clicks")
    return at.desk.codes(again).get(2, []), at.desk.codes(first).get(2, [])


def purchase_duplicate(at: Counter) -> Found:
    at.desk.connect("hits", data_type="web_events")
    rows = [f"2026-02-20T10:00:0{n}Z,v{n},Shoes;S;1;5.00,purchase,{name}" for n, name in enumerate("AAB")]
    return at.lines(at.orders(*rows, connection="hits", header=HITS), 3, 4)


def vanished_column(at: Counter) -> Found:
    at.desk.connect("shop")
    at.orders(order("V1"), connection="shop")
    narrow = ORDERS.removesuffix(",CustomerId") + ",ClickId"
    return of_file(at.orders(order("V2"), connection="shop", header=narrow)), of_file(
        at.orders(order("V3"), connection="shop", header=narrow)
    )


def file_duplicate(at: Counter) -> Found:
    text = table(ORDERS, order("F1"))
    first, again = (at.desk.submit(text, "same.csv") for _ in range(2))
    return of_file(again), of_file(first)


def empty(at: Counter) -> Found:
    at.desk.connect("full", allow_empty=False)
    return of_file(at.orders(connection="full")), of_file(at.orders(order("E1"), connection="full"))


def parcel_refused(at: Counter) -> Found:
    return parcel(at, "\0", "\0x"), parcel(at, "\0", table(ORDERS, order("Y1")))


def parcel_empty(at: Counter) -> Found:
    at.desk.connect("parcels", details={"member_pattern": "*_2.csv"})
    rows = [table(ORDERS, order(f"X{n}")) for n in "1234"]
    return parcel(at, *rows[:1], rows[0] + " ", connection="parcels", ending="b"), parcel(
        at, *rows[2:], connection="parcels"
    )


def parcel(at: Counter, *texts: str, connection: str = "orders", ending: str = "csv") -> Codes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number, text in enumerate(texts, start=1):
            archive.writestr(f"orders_{number}.{ending}", text)
    at.files += 1
    return of_file(at.desk.submit(target.getvalue(), f"{at.files}.zip", connection))


CASES: dict[str, Callable[[Counter], Found]] = {
    "LOCKS_BEFORE_NEXT_RUN": locks_before_next_run,
    "ZERO_ON_ZERO": zero_on_zero,
    "SUPERSEDED": superseded,
    "TOO_MANY_MODIFICATIONS": too_many_modifications,
    "WITHDRAWN": withdrawn,
    "HELD_BY_LIMIT": held_by_limit,
    "REFUSED": refused,
    "ROWS_VANISH": rows_vanish,
    "KEY_REPEATED": key_repeated,
    "NOTHING_TO_REMOVE": nothing_to_remove,
    "LINE_KNOWN": line_known,
    "PURCHASE_DUPLICATE": purchase_duplicate,
    "VANISHED_COLUMN": vanished_column,
    "FILE_DUPLICATE": file_duplicate,
    "EMPTY": empty,
    "PARCEL_REFUSED": parcel_refused,
    "PARCEL_EMPTY": parcel_empty,
}


def test_every_code_has_one_that_gets_it_and_one_beside_it_that_does_not(desk: Desk) -> None:
    desk.connect("orders", schedule="on request")
    desk.connect("changes", data_type="action_modifications", schedule="on request")
    at = Counter(desk)
    for code, case in CASES.items():
        bad, good = case(at)
        assert code in bad, (code, bad, good)
        assert code not in good, (code, bad, good)
