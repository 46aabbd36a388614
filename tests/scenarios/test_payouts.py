"""Who earns for an order and what: attribution, contracts, chained actions, late orders, locking dates."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data_connections.catalog import apply_reference, load_reference
from fixtures.desk import Desk, table

REFERENCE = """programs:
  - id: 1000
    key: acme
    name: Acme
    time_zone: Europe/Berlin
    currency: EUR
    modification_terms: {terms}
    event_types:
      - {{id: 2001, code: SALE, name: Online sale, locking: {{after: month_end, months: 0, days: 27}}}}
      - {{id: 2002, code: SIGNUP, name: Sign-up, locking: {{after: event, days: 10}}}}
      - {{id: 2004, name: Second order, chained_to: 2002}}
      - {{id: 2005, name: Late sale, late_after_days: 7, locking: {{after: event, days: 10}}}}
partners:
  - {{id: 1, name: One, media: [{{id: 11, name: one.example}}, {{id: 12, name: old, active: false}}]}}
  - {{id: 2, name: Two, promo_codes: [{{program: acme, code: Two10}}, {{program: globex, code: GLOB}}]}}
  - {{id: 3, name: Three, active: false}}
contracts:
  - id: 5
    program: acme
    name: Standard
    terms:
      - {{event_type: 2001, starts: 2026-01-01, percent: {rate}}}
      - {{event_type: 2001, starts: 2026-01-01, category: Shoes, percent: 10}}
      - {{event_type: 2001, starts: 2026-02-21, ends: 2026-02-22, percent: 20}}
      - {{event_type: 2004, starts: 2026-01-01, percent: 50}}
      - {{event_type: 2005, starts: 2026-01-01, percent: 1}}
  - id: 6
    program: acme
    partner: 2
    name: Two
    terms:
      - {{event_type: 2002, starts: 2026-01-01, fixed: 4.50, currency: EUR}}
      - {{event_type: 2001, starts: 2026-01-01, category: Gifts, fixed: 1, currency: EUR}}
      - {{event_type: 2001, starts: 2026-02-15, percent: 3}}
"""
HEADER = (
    "CampaignId,ActionTrackerId,EventDate,OrderId,CurrencyCode,Amount,MediaPartnerId,MediaId,ClickId,OrderPromoCode,"
    "CustomerId,Category,Sku,Quantity"
)


def refer(desk: Desk, tmp_path: Path, *, rate: str = "5", terms: str = "original") -> None:
    path = tmp_path / "reference.yaml"
    path.write_text(REFERENCE.format(rate=rate, terms=terms))
    apply_reference(desk.ledger, load_reference(path), "tester")


@pytest.fixture
def shop(desk: Desk, tmp_path: Path) -> Desk:
    """A program with contracts."""
    refer(desk, tmp_path)
    return desk


def order(number: str, amount: object = "100.00", **cells: object) -> str:
    given = {
        "CampaignId": 1000,
        "ActionTrackerId": 2001,
        "EventDate": "2026-02-20T10:00:00Z",
        "OrderId": number,
        "CurrencyCode": "EUR",
        "Amount": amount,
        **cells,
    }
    return ",".join(str(given.get(name, "")) for name in HEADER.split(","))


def paid(desk: Desk) -> dict[str, tuple[Any, ...]]:
    rows = desk.ledger.all("select order_id, partner_id, attributed_by, payout from action order by id")
    return {row["order_id"]: (row["partner_id"], row["attributed_by"], row["payout"]) for row in rows}


def test_orders_lead_to_their_partner_in_this_order(shop: Desk) -> None:
    clicks = "ClickId,CampaignId,EventDate,MediaId,MediaPartnerId"
    shop.connect("clicks", data_type="clicks")
    seen = [f"{name},1000,2026-02-19T10:00:00Z,{media}" for name, media in (("k1", "11,"), ("k2", ",2"), ("k3", ","))]
    assert shop.submit(table(clicks, *seen), "clicks.csv", "clicks")["state"] == "applied"
    done = shop.submit(
        table(
            HEADER,
            order("PARTNER", MediaPartnerId=1, OrderPromoCode="TWO10"),
            order("MEDIA", MediaId=11, OrderPromoCode="TWO10"),
            order("PROMO", OrderPromoCode="two10", ClickId="clk-unknown"),
            order("OLD", MediaId=12, OrderPromoCode="TWO10"),
            order("NOBODY", MediaPartnerId=99),
            order("CLICK", ClickId="clk-unknown"),
            order("OTHER", OrderPromoCode="GLOB"),
            order("LEFT", MediaPartnerId=3),
            order("CLICKED", ClickId="k1", OrderPromoCode="TWO10"),
            order("CLICKED2", ClickId="k2"),
            order("PROMO2", ClickId="k3", OrderPromoCode="TWO10"),
        )
    )

    assert paid(shop) == {
        "PARTNER": (1, "partner", 5),
        "MEDIA": (1, "media", 5),
        "PROMO": (2, "promo_code", 3),
        "CLICKED": (1, "click", 5),
        "CLICKED2": (2, "click", 3),
        "PROMO2": (2, "promo_code", 3),
    }
    assert shop.codes(done) == {
        **{line: ["NO_VALID_REFERRAL"] for line in (5, 6, 7, 8)},
        9: ["PARTNER_NOT_ACTIVE"],
    }


def test_without_contracts_no_partner_is_needed_and_nothing_is_paid(desk: Desk) -> None:
    done = desk.submit(table(HEADER, order("A", CustomerId="c"), order("B", MediaPartnerId=99)))

    assert done["state"] == "applied"
    assert paid(desk) == {"A": (None, None, None), "B": (99, None, None)}


def test_terms_hold_from_their_day_in_the_program_s_time_zone(shop: Desk) -> None:
    shop.submit(
        table(
            HEADER,
            order("BEFORE", MediaPartnerId=1, EventDate="2026-02-20T22:59:59Z"),
            order("FIRST", MediaPartnerId=1, EventDate="2026-02-20T23:00:00Z"),
            order("LAST", MediaPartnerId=1, EventDate="2026-02-22T22:59:59Z"),
            order("AFTER", MediaPartnerId=1, EventDate="2026-02-22T23:00:00Z"),
            order("CENTS", "33.33", MediaPartnerId=1),
            order("HALF", "0.50", MediaPartnerId=1),
        )
    )

    payouts = [str(row[2]) for row in paid(shop).values()]
    assert payouts == ["5.00", "20.00", "20.00", "5.00", "1.67", "0.03"]


def test_a_partner_s_own_contract_stands_alone(shop: Desk) -> None:
    done = shop.submit(
        table(
            HEADER,
            order("SIGNUP", "", ActionTrackerId=2002, MediaPartnerId=2),
            order("NONE", "", ActionTrackerId=2002, MediaPartnerId=1),
            order("DOLLAR", "", ActionTrackerId=2002, MediaPartnerId=2, CurrencyCode="USD"),
            order("EARLY", MediaPartnerId=2, EventDate="2026-02-14T10:00:00Z"),
        )
    )

    assert paid(shop) == {"SIGNUP": (2, "partner", Decimal("4.50"))}
    assert shop.codes(done) == {3: ["ACTIONTERMS_NOT_FOUND"], 4: ["CONTRACT_NOT_FOUND"], 5: ["CONTRACT_NOT_FOUND"]}


def test_items_are_paid_by_their_category_and_an_order_stands_or_falls_whole(shop: Desk) -> None:
    done = shop.submit(
        table(
            HEADER,
            order("MIXED", "60.00", MediaPartnerId=1, Category="shoes", Sku="BOOT", Quantity=2),
            order("MIXED", "40.00", MediaPartnerId=1, Category="Socks", Sku="SOCK", Quantity=1),
            order("GIFTS", "10.00", MediaPartnerId=2, Category="Gifts", Sku="CARD", Quantity=3),
            order("GIFTS", "20.00", MediaPartnerId=2, Category="Hats", Sku="HAT", Quantity=1),
            order(
                "BROKEN",
                "10.00",
                MediaPartnerId=2,
                Category="Gifts",
                Sku="CARD",
                Quantity=1,
                EventDate="2026-02-10T10:00:00Z",
            ),
            order(
                "BROKEN",
                "20.00",
                MediaPartnerId=2,
                Category="Hats",
                Sku="HAT",
                Quantity=1,
                EventDate="2026-02-10T10:00:00Z",
            ),
        )
    )

    assert paid(shop) == {"MIXED": (1, "partner", 8), "GIFTS": (2, "partner", Decimal("1.60"))}
    assert shop.codes(done) == {6: ["CONTRACT_NOT_FOUND"], 7: ["CONTRACT_NOT_FOUND"]}
    rows = shop.ledger.all("select payout, term_id is not null as priced from action_item order by action_id, number")
    assert [(row["payout"], row["priced"]) for row in rows] == [
        (6, True),
        (2, True),
        (1, True),
        (Decimal("0.60"), True),
    ]


def test_a_chained_action_follows_its_parent_s_partner(shop: Desk) -> None:
    shop.submit(table(HEADER, order("P", "", ActionTrackerId=2002, MediaPartnerId=2, CustomerId="c1")))
    done = shop.submit(
        table(
            HEADER,
            order("C1", ActionTrackerId=2004, CustomerId="c1"),
            order("C3", ActionTrackerId=2004, MediaPartnerId=1),
            order("C4", ActionTrackerId=2004, CustomerId="c1", MediaPartnerId=1),
        )
    )

    assert shop.codes(done) == {2: ["ACTIONTERMS_NOT_FOUND"], 3: ["NO_VALID_ACTION_REF"]}
    assert paid(shop)["C4"] == (1, "partner", 50)
    [child] = shop.ledger.all("select parent_id from action where order_id = 'C4'")
    [parent] = shop.ledger.all("select id from action where order_id = 'P'")
    assert child["parent_id"] == parent["id"]


def modify(shop: Desk, *rows: str, **options: Any) -> dict[str, Any]:
    shop.connect("changes", data_type="action_modifications")
    header = "ActionTrackerId,OrderId,Sku,Quantity,Amount,Reason"
    return shop.submit(table(header, *(f"2001,{row},OTHER" for row in rows)), "changes.csv", "changes", **options)


def test_a_modified_amount_is_paid_by_the_terms_it_was_taken_with(shop: Desk, tmp_path: Path) -> None:
    shop.submit(table(HEADER, order("A", MediaPartnerId=1), order("B", MediaPartnerId=1)))
    refer(shop, tmp_path, rate="8")
    assert paid(shop)["A"][2] == 5
    modify(shop, "A,,,50.00", "B,,,0")
    assert (paid(shop)["A"][2], paid(shop)["B"][2]) == (Decimal("2.50"), 0)
    shop.submit(table(HEADER, order("C", MediaPartnerId=1)), "more.csv")
    assert paid(shop)["C"][2] == 8
    rows = shop.ledger.all("select old_payout, new_payout from action_update order by id")
    assert [tuple(row.values()) for row in rows] == [(5, Decimal("2.50")), (5, 0)]


def test_or_by_the_terms_of_the_day_it_was_received_where_the_program_says_so(shop: Desk, tmp_path: Path) -> None:
    items = [order("I", "40.00", MediaPartnerId=1, Category=name, Sku=name, Quantity=1) for name in ("Shoes", "Socks")]
    shop.submit(table(HEADER, order("A", MediaPartnerId=1), *items, order("T", MediaPartnerId=2)))
    assert paid(shop)["I"][2] == 6
    refer(shop, tmp_path, rate="8", terms="current")
    done = modify(shop, "A,,,50.00", "I,Socks,1,20.00")
    assert done["state"] == "applied"
    assert (paid(shop)["A"][2], paid(shop)["I"][2]) == (4, Decimal("5.60"))
    with shop.ledger.connect() as connection:
        connection.execute("update contract_term set replaced_at = now() where contract_id = 6")
    assert shop.codes(modify(shop, "T,,,1.00", "A,,,60.00")) == {2: ["CONTRACT_NOT_FOUND"]}


@pytest.mark.parametrize(
    ("event_type", "sent", "event", "locks"),
    [
        (2001, "2026-02-20T10:00:00Z", "2026-02-20T10:00:00Z", "2026-03-27T23:00:00Z"),
        (2002, "2026-02-20T23:30:00Z", "2026-02-20T23:30:00Z", "2026-03-03T23:00:00Z"),
        (2005, "2026-02-23T12:00:00Z", "2026-02-23T12:00:00Z", "2026-03-05T23:00:00Z"),
        (2005, "2026-02-22T11:59:59Z", "2026-03-01T12:00:00Z", "2026-03-11T23:00:00Z"),
    ],
)
def test_an_action_has_its_locking_date_and_late_orders_take_the_received_time(
    shop: Desk, event_type: int, sent: str, event: str, locks: str
) -> None:
    shop.submit(
        table(
            HEADER,
            order("A", ActionTrackerId=event_type, MediaPartnerId=2 if event_type == 2002 else 1, EventDate=sent),
        )
    )

    row = shop.ledger.one("select event_at, locks_at, extra from action")
    assert row is not None
    assert (row["event_at"], row["locks_at"]) == (datetime.fromisoformat(event), datetime.fromisoformat(locks))
    kept = datetime.fromisoformat(row["extra"]["EventDate"]) if sent != event else None
    assert kept == (datetime.fromisoformat(sent).astimezone(UTC) if sent != event else None)
