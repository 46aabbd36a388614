"""Every report over a small ledger whose figures were worked out by hand."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date

import pytest

from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger
from data_connections.reports import Layout, Parameters, load_reports, write_checked
from data_connections.settings import PROJECT
from data_connections.spec import OutputFormat
from data_connections.steps.job import builtin_data_types
from fixtures.books import Shop, book, open_shop

ACME = Shop(1000, "acme", "Acme", "Europe/Berlin")
OTHER = Shop(2000, "other", "Other", "UTC")
NOVEMBER = Parameters(date(2026, 11, 1), date(2026, 11, 30), program="acme")

# Berlin is an hour ahead: order 4 is of 1 December there, order 5 of 1 November.
LEDGER = """
insert into partner (id, name) values (3001, 'Northwind'), (3002, 'Contoso');
insert into action (id, program_id, event_type_id, order_id, state, event_at, received_at, amount, currency, partner_id,
                    payout, submission_id, line, extra) overriding system value values
    (1, 1000, 1000, 'o-1', 'PENDING', '2026-10-10 12:00Z', '2026-10-10 13:00Z', 90, 'EUR', 3001, 9, 1, 1, null),
    (2, 1000, 1000, 'o-2', 'APPROVED', '2026-11-05 12:00Z', '2026-11-05 13:00Z', 50, 'EUR', 3001, 5, 1, 2,
     '{"SharedId": "spring"}'),
    (3, 1000, 1000, 'o-3', 'REVERSED', '2026-11-06 12:00Z', '2026-11-06 13:00Z', 0, 'EUR', 3001, 0, 1, 3,
     '{"SharedId": "spring"}'),
    (4, 1000, 1000, 'o-4', 'PENDING', '2026-11-30 23:30Z', '2026-11-30 23:40Z', 7, 'EUR', 3001, 0.7, 1, 4, null),
    (5, 1000, 1000, 'o-5', 'PENDING', '2026-10-31 23:30Z', '2026-10-31 23:40Z', 20, 'USD', 3002, 2, 1, 5, null),
    (6, 1000, 1000, 'o-6', 'PENDING', '2026-11-20 12:00Z', '2026-11-20 12:10Z', 11, 'EUR', null, null, 1, 6, null),
    (7, 2000, 2000, 'o-7', 'PENDING', '2026-11-20 12:00Z', '2026-11-20 12:10Z', 99, 'EUR', 3001, 9, 1, 7, null);
insert into action_update (action_id, kind, received_at, reason, old_state, new_state, old_amount, new_amount,
                           old_payout, new_payout, currency) values
    (1, 'modified', '2026-11-10 08:00Z', 'ORDER_UPDATE', 'PENDING', 'PENDING', 100, 80, 10, 8, 'EUR'),
    (3, 'reversed', '2026-11-12 08:00Z', 'ITEM_RETURNED', 'PENDING', 'REVERSED', 30, 0, 3, 0, 'EUR'),
    (2, 'locked', '2026-11-28 08:00Z', null, 'PENDING', 'APPROVED', 50, 50, 5, 5, 'EUR'),
    (1, 'modified', '2026-12-02 08:00Z', 'ORDER_UPDATE', 'PENDING', 'PENDING', 80, 90, 8, 9, 'EUR');
"""


@pytest.fixture
def books(ledger: Ledger) -> Ledger:
    with ledger.connect() as connection:
        for shop in (ACME, OTHER):
            open_shop(connection, shop)
    book(ledger, [])
    with ledger.connect() as connection:
        connection.execute(LEDGER)
    return ledger


def lines(ledger: Ledger, name: str, parameters: Parameters, *columns: str) -> list[list[str]]:
    """The checked lines of a report, of some columns where they are named."""
    report = load_reports(PROJECT / "include")[name]
    write_checked(ledger, Layout.of(report), parameters, io.BytesIO())
    chosen = io.BytesIO()
    write_checked(ledger, Layout.of(report, OutputFormat(columns=columns or None)), parameters, chosen)
    return list(csv.reader(io.StringIO(chosen.getvalue().decode(), newline="")))[1:]


def test_performance_by_partner(books: Ledger) -> None:
    measures = ("GrossActions", "Actions", "GrossRevenue", "Revenue", "GrossActionCost", "ActionCost")
    assert lines(books, "performance_by_partner", NOVEMBER, "PartnerId", "PartnerName", "Currency", *measures) == [
        ["", "", "EUR", "1", "1", "11", "11", "", ""],
        ["3001", "Northwind", "EUR", "2", "1", "50", "50", "5", "5"],
        ["3002", "Contoso", "USD", "1", "1", "20", "20", "2", "2"],
    ]


def test_performance_by_month(books: Ledger) -> None:
    quarter = Parameters(date(2026, 10, 1), date(2026, 12, 31), program="acme")
    assert lines(books, "performance_by_month", quarter, "Month", "Currency", "Actions", "Revenue") == [
        ["2026-10", "EUR", "1", "90"],
        ["2026-11", "EUR", "2", "61"],
        ["2026-11", "USD", "1", "20"],
        ["2026-12", "EUR", "1", "7"],
    ]


CLICKS = """
insert into click (program_id, dataset, click_id, event_date, media_partner_id, media_id, unique_click, device_type,
                   received_at, submission_id, line)
select 1000, 'c', 'k', at::timestamptz, partner, media, repeated is null, device, now(), 1, row_number() over ()
from (values
    ('2026-11-05 09:00Z', 3001, null, null, 'PHONE'),
    ('2026-11-05 09:00Z', null, 6001, null, null),
    ('2026-11-05 10:00Z', 3001, null, 'repeated', null),
    ('2026-11-05 10:00Z', 3001, null, null, 'ROBOT'),
    ('2026-11-05 11:00Z', null, null, null, null),
    ('2026-11-07 11:00Z', 3002, null, null, null),
    ('2026-11-30 23:00Z', 3002, null, null, null)
) as c (at, partner, media, repeated, device)
"""


def test_clicks_stand_beside_the_actions(books: Ledger) -> None:
    with books.connect() as connection:
        connection.execute("insert into media (id, partner_id, name) values (6001, 3001, 'site')")
        connection.execute(CLICKS)
        connection.execute("update program set currency = 'CHF' where id = 1000")
    measures = ("Currency", "Actions", "ActionCost", "Clicks", "CR", "EPA", "EPC", "ActionsByEventType")
    assert lines(books, "performance_by_partner", NOVEMBER, "PartnerId", *measures) == [
        ["", "EUR", "1", "", "1", "1.000000", "", "", '{"1000": 1}'],
        ["3001", "EUR", "1", "5", "2", "0.500000", "5.000000", "2.500000", '{"1000": 1}'],
        ["3002", "USD", "1", "2", "1", "1.000000", "2.000000", "2.000000", '{"1000": 1}'],
    ]
    assert lines(books, "performance_by_day", NOVEMBER, "Date", *measures) == [
        ["2026-11-01", "USD", "1", "2", "0", "", "2.000000", "", '{"1000": 1}'],
        ["2026-11-05", "EUR", "1", "5", "3", "0.333333", "5.000000", "1.666667", '{"1000": 1}'],
        ["2026-11-06", "EUR", "0", "", "0", "", "", "", ""],
        ["2026-11-07", "CHF", "0", "", "1", "0.000000", "", "", ""],
        ["2026-11-20", "EUR", "1", "", "0", "", "", "", '{"1000": 1}'],
    ]
    two_months = Parameters(date(2026, 11, 1), date(2026, 12, 31), program="acme")
    assert lines(books, "performance_by_month", two_months, "Month", "Currency", "Clicks", "CR", "EPC") == [
        ["2026-11", "EUR", "4", "0.500000", "1.250000"],
        ["2026-11", "USD", "4", "0.250000", "0.500000"],
        ["2026-12", "EUR", "1", "1.000000", "0.700000"],
    ]


@pytest.mark.parametrize("report", ["action_listing", "action_items"])
def test_another_date_decides_what_is_listed(books: Ledger, report: str) -> None:
    with books.connect() as connection:
        connection.execute(
            "update action set locked_at = '2026-11-30 23:30Z', locked_by = 'date' where id = 2;"
            "update action set received_at = '2026-12-05 08:00Z' where id = 6"
        )
    found = {
        basis: [row[0] for row in lines(books, report, replace(NOVEMBER, date_basis=basis), "OrderId")]
        for basis in (None, "event", "created", "updated", "locked")
    }
    assert found[None] == found["event"] == ["o-2", "o-3", "o-5", "o-6"]
    assert found["created"] == ["o-2", "o-3", "o-5"]
    assert found["updated"] == ["o-2", "o-3", "o-5"]
    assert found["locked"] == []
    december = Parameters(date(2026, 12, 1), date(2026, 12, 31), program="acme")
    assert [row[0] for row in lines(books, report, replace(december, date_basis="updated"), "OrderId")] == [
        "o-1",
        "o-4",
        "o-6",
    ]
    locked = replace(december, date_basis="locked")
    assert lines(books, report, locked, "OrderId") == [["o-2"]]
    assert lines(books, "performance_by_day", locked, "Date", "Revenue") == [["2026-12-01", "50"]]
    with pytest.raises(ConfigurationError, match="month_statement has no date basis 'locked'; it has updated"):
        lines(books, "month_statement", locked)


def test_items_of_actions_stand_one_by_one(books: Ledger) -> None:
    with books.connect() as connection:
        connection.execute(
            """insert into action_item (action_id, number, sku, category, quantity, amount, payout, submission_id, line)
               values (2, 1, 'hat', 'Hats', 2, 20, 2, 1, 2), (2, 2, 'shoe', null, 1, 30, 3, 1, 3)"""
        )
    columns = ("OrderId", "CurrencyCode", "Amount", "Category", "Sku", "Quantity", "State", "Payout")
    assert lines(books, "action_items", NOVEMBER, *columns) == [
        ["o-2", "EUR", "20", "Hats", "hat", "2", "APPROVED", "2"],
        ["o-2", "EUR", "30", "", "shoe", "1", "APPROVED", "3"],
        ["o-3", "EUR", "0", "", "", "", "REVERSED", "0"],
        ["o-5", "USD", "20", "", "", "", "PENDING", "2"],
        ["o-6", "EUR", "11", "", "", "", "PENDING", ""],
    ]


def test_action_listing(books: Ledger) -> None:
    listed = lines(books, "action_listing", NOVEMBER, "ActionId", "State", "OrderId", "Amount", "Payout", "EventDate")
    assert listed == [
        ["1000.1000.2", "APPROVED", "o-2", "50", "5", "2026-11-05T12:00:00Z"],
        ["1000.1000.3", "REVERSED", "o-3", "0", "0", "2026-11-06T12:00:00Z"],
        ["1000.1000.5", "PENDING", "o-5", "20", "2", "2026-10-31T23:30:00Z"],
        ["1000.1000.6", "PENDING", "o-6", "11", "", "2026-11-20T12:00:00Z"],
    ]


def test_action_updates(books: Ledger) -> None:
    changes = lines(books, "action_updates", NOVEMBER, "OrderId", "Kind", "Reason", "DeltaAmount", "NewPayout")
    assert changes == [
        ["o-1", "modified", "ORDER_UPDATE", "-20", "8"],
        ["o-3", "reversed", "ITEM_RETURNED", "-30", "0"],
        ["o-2", "locked", "", "0", "5"],
    ]


def test_month_statement(books: Ledger) -> None:
    # Northwind: 100 were open; orders of 50 and 30 came; 20 were taken off; 30 reversed; 50 locked: 80 stay open.
    who, amounts = ("PartnerId", "Currency"), ("Opening", "New", "Modified", "Reversed", "Locked", "Closing")
    statement = lines(books, "month_statement", NOVEMBER, *who, *(f"{name}Amount" for name in amounts))
    assert statement == [
        ["", "EUR", "0", "11", "0", "0", "0", "11"],
        ["3001", "EUR", "100", "80", "-20", "30", "50", "80"],
        ["3002", "USD", "0", "20", "0", "0", "0", "20"],
    ]
    payouts = lines(books, "month_statement", NOVEMBER, *who, *(f"{name}Payout" for name in amounts))
    assert payouts[1] == ["3001", "EUR", "10", "8", "-2", "3", "5", "8"]


def test_the_next_statement_opens_with_what_the_last_closed_with(books: Ledger) -> None:
    december = Parameters(date(2026, 12, 1), date(2026, 12, 31), program="acme")
    columns = ("PartnerId", "OpeningAmount", "NewAmount", "ModifiedAmount", "ClosingAmount")
    assert lines(books, "month_statement", december, *columns) == [
        ["", "11", "0", "0", "11"],
        ["3001", "80", "7", "10", "97"],
        ["3002", "20", "0", "0", "20"],
    ]


def test_file_submissions(books: Ledger) -> None:
    with books.connect() as connection:
        connection.execute(
            "update submission"
            " set received_at = '2026-11-30 23:59Z', rows = 5, accepted = 3, rejected = 1, duplicate = 1"
        )
        connection.execute(
            """insert into connection (id, name, managed_by, revision) overriding system value
               values (77, 'theirs', 'test', 1)"""
        )
        connection.execute(
            """insert into connection_revision (connection_id, number, spec, hash, created_by)
               select id, 1, jsonb_build_object('program', case id when 77 then 'other' else 'acme' end), '', 'test'
               from connection;
               insert into submission (connection_id, revision, number, origin, file_name, received_at, state,
                                       data_type, finished_at)
               values (77, 1, 1, 'manual', 'theirs.csv', '2026-11-30 23:59Z', 'applied', 'clicks',
                       '2026-12-02 10:00Z')"""
        )
    columns = (
        "Connection",
        "Program",
        "FileName",
        "State",
        "TotalRecords",
        "Accepted",
        "Rejected",
        "Duplicate",
        "Held",
    )
    december = Parameters(date(2026, 12, 1), date(2026, 12, 2))
    assert lines(books, "file_submissions", NOVEMBER, *columns) == []
    assert lines(books, "file_submissions", replace(december, program="acme"), *columns) == [
        ["books", "acme", "books.csv", "applied", "5", "3", "1", "1", "0"]
    ]
    assert lines(books, "file_submissions", replace(NOVEMBER, program="other"), "FileName") == [["theirs.csv"]]
    assert lines(books, "file_submissions", december, "FileName") == [["books.csv"]]
    assert lines(books, "file_submissions", replace(december, date_basis="updated"), "FileName") == [["theirs.csv"]]


def test_clicks_of_a_day(books: Ledger) -> None:
    with books.connect() as connection:
        connection.execute(
            """insert into click (program_id, dataset, click_id, event_date, media_partner_id, unique_click, payout,
                                  payout_currency, received_at, submission_id, line) values
               (1000, 'c', 'a', '2026-11-21 22:59Z', 3001, true, 0.10, 'EUR', now(), 1, 1),
               (1000, 'c', 'b', '2026-11-21 23:00Z', 3001, true, 0.20, 'EUR', now(), 1, 2),
               (1000, 'c', 'b', '2026-11-22 22:59Z', null, false, null, null, now(), 1, 3),
               (2000, 'c', 'd', '2026-11-22 12:00Z', 3001, true, 0.40, 'EUR', now(), 1, 4)"""
        )
    day = Parameters(date(2026, 11, 22), date(2026, 11, 22), program="acme")
    assert lines(books, "clicks_of_day", day, "Id", "MediaPartnerId", "UniqueClick", "Payout") == [
        ["b", "3001", "true", "0.20"],
        ["b", "", "false", ""],
    ]


def test_the_whole_catalog(books: Ledger) -> None:
    with books.connect() as connection:
        connection.execute(
            """insert into catalog_item (program_id, dataset, catalog_item_id, name, url, current_price, currency,
                                         received_at, submission_id, line) values
               (1000, 'c', 'p-2', '=Shoe', 'https://x.example/2', 20.50, 'EUR', now(), 1, 1),
               (1000, 'c', 'p-1', 'Hat', 'https://x.example/1', 5, 'EUR', now(), 1, 2),
               (2000, 'c', 'p-9', 'Bag', 'https://x.example/9', 5, 'EUR', now(), 1, 3)"""
        )
        connection.execute(
            """update catalog_item set extra = '{"Text1": "own", "Numeric2": "1.50"}', adult = false, weight = 0.25
               where catalog_item_id = 'p-1'"""
        )
    columns = set(load_reports(PROJECT / "include")["catalog_items"].header)
    kept = builtin_data_types()["product_catalog"].columns
    assert {column.name for column in kept} - {"Change"} <= columns
    assert lines(books, "catalog_items", NOVEMBER, "Catalog", "Text1", "Numeric2", "Adult", "Weight")[0] == [
        "c",
        "own",
        "1.50",
        "false",
        "0.25",
    ]
    assert lines(books, "catalog_items", NOVEMBER, "CatalogItemId", "Name", "CurrentPrice") == [
        ["p-1", "Hat", "5"],
        ["p-2", "'=Shoe", "20.50"],
    ]


def test_campaign_performance(books: Ledger) -> None:
    with books.connect() as connection:
        connection.execute(
            """insert into campaign_metric (program_id, dataset, received_at, submission_id, line, date, tracking_code,
                                            cart_opens, cart_adds, orders, price, extra)
               select 1000, 'm', now(), 1, row_number() over (), day::timestamptz, code, opens, adds, orders, price,
                      events::jsonb
               from (values
                   ('2026-11-02 12:00Z', 'spring', null, 4, 2, 19.90, '{"Event 2": 420.0, "Evar 1": "x"}'),
                   ('2026-11-03 12:00Z', 'spring', 3, 1, null, 0.10, '{"Event 2": 5.5, "Event 10": 1}'),
                   ('2026-12-03 12:00Z', 'spring', 9, 9, 9, 9, '{"Event 2": 9}'),
                   ('2026-11-03 12:00Z', null, 5, 5, 5, 5, null),
                   ('2026-11-03 12:00Z', 'winter', null, 7, null, null, null)
               ) as m (day, code, opens, adds, orders, price, events);
               insert into classification (program_id, dataset, key, classifications, received_at, submission_id, line)
               values (1000, 'k', 'spring', '{"Campaign": "Spring sale"}', now(), 1, 1);
               update action set currency = 'USD', extra = '{"SharedId": "spring"}' where order_id = 'o-6'"""
        )
    columns = ("TrackingCode", "Classifications", "Currency", "CartOpens", "CartAdds", "Orders", "Price", "Events")
    events = '{"Event 2": 425.5, "Event 10": 1}'
    spring = ["spring", '{"Campaign": "Spring sale"}']
    assert lines(books, "campaign_performance", NOVEMBER, *columns, "Actions", "Revenue", "ActionCost") == [
        [*spring, "EUR", "3", "5", "2", "20", events, "1", "50", "5"],
        [*spring, "USD", "", "", "", "", "", "1", "11", ""],
        ["winter", "", "EUR", "", "7", "", "", "", "0", "0", ""],
    ]


# Anna adds a hat, looks at it again and buys it; Ben adds a shoe and buys nothing; Cleo only looks, without any event;
# Dan buys, adds afterwards, and his purchase is told once more by another visitor, with 20 equal bytes of purchaseID.
HITS = """
insert into web_hit (program_id, dataset, event_date, visitor_id, recipient_id, message_id, products, events,
                     purchase_id, received_at, submission_id, line) values
    (1000, 'w', '2026-11-22 08:00Z', 'anna', null, null, ';hat', 'scAdd', null, now(), 1, 1),
    (1000, 'w', '2026-11-22 09:00Z', 'anna', null, null, ';hat', 'prodView', null, now(), 1, 2),
    (1000, 'w', '2026-11-22 10:00Z', 'anna', null, null, ';hat;1;20', 'purchase', 'A1', now(), 1, 3),
    (1000, 'w', '2026-11-22 08:00Z', 'ben', 'r-1', 'm-1', ';shoe', 'scAdd', null, now(), 1, 4),
    (1000, 'w', '2026-11-22 08:30Z', 'ben', null, null, ';shoe', 'scAdd,event3', null, now(), 1, 5),
    (1000, 'w', '2026-11-22 11:00Z', null, 'r-2', 'm-2', ';hat,;shoe', null, null, now(), 1, 6),
    (1000, 'w', '2026-11-22 12:00Z', 'dan', null, null, 'x;bag;2;50,;hat;1;9.5', 'purchase', '12345678901234567890-a',
     now(), 1, 7),
    (1000, 'w', '2026-11-22 13:00Z', 'dan', null, null, ';hat', 'scAdd', null, now(), 1, 8),
    (1000, 'v', '2026-11-22 14:00Z', 'eve', null, null, ';bag;2;50', 'purchase', '12345678901234567890-b', now(), 1, 9),
    (1000, 'w', '2026-11-23 08:00Z', 'ben', null, null, ';shoe;1;70', 'purchase', null, now(), 1, 10);
insert into web_product (program_id, dataset, submission_id, line, number, category, product, quantity, price,
                         hit_events)
select program_id, dataset, submission_id, line, number, nullif(split_part(text, ';', 1), ''), split_part(text, ';', 2),
       nullif(split_part(text, ';', 3), '')::numeric, nullif(split_part(text, ';', 4), '')::numeric,
       web_hit_events(events)
from web_hit, string_to_table(products, ',') with ordinality as p (text, number);
"""
DAY = Parameters(date(2026, 11, 22), date(2026, 11, 22), program="acme")


@pytest.fixture
def hits(books: Ledger) -> Ledger:
    with books.connect() as connection:
        connection.execute(HITS)
    return books


def test_cart_abandonment(hits: Ledger) -> None:
    columns = ("VisitorId", "RecipientId", "MessageId", "ProductId", "CartAdds", "LastAdded")
    assert lines(hits, "segment_cart_abandonment", DAY, *columns) == [
        ["ben", "r-1", "m-1", "shoe", "2", "2026-11-22T08:30:00Z"],
        ["dan", "", "", "hat", "1", "2026-11-22T13:00:00Z"],
    ]
    two_days = Parameters(date(2026, 11, 22), date(2026, 11, 23), program="acme")
    assert [row[0] for row in lines(hits, "segment_cart_abandonment", two_days, "VisitorId")] == ["dan"]


def test_who_buys_under_the_other_of_two_names_abandoned_nothing(books: Ledger) -> None:
    hits = HITS.replace("'anna', null, null, ';hat;1;20'", "null, 'r-9', null, ';hat;1;20'")
    with books.connect() as connection:
        connection.execute(hits)
    visitors = lines(books, "segment_cart_abandonment", DAY, "VisitorId")
    assert visitors == [["anna"], ["ben"], ["dan"]]
    with books.connect() as connection:
        connection.execute("update web_hit set recipient_id = 'r-9' where line = 1")
    assert lines(books, "segment_cart_abandonment", DAY, "VisitorId") == [["ben"], ["dan"]]


def test_purchases_count_once_for_all_visitors(hits: Ledger) -> None:
    columns = ("VisitorId", "PurchaseId", "ProductId", "Category", "Quantity", "Revenue", "Currency")
    with hits.connect() as connection:
        connection.execute("update web_hit set currency = 'GBP' where line = 7")
    assert lines(hits, "segment_purchases", DAY, *columns) == [
        ["anna", "A1", "hat", "", "1", "20", "EUR"],
        ["dan", "12345678901234567890", "bag", "x", "2", "50", "GBP"],
        ["dan", "12345678901234567890", "hat", "", "1", "9.5", "GBP"],
    ]


@pytest.mark.parametrize(("first", "counted"), [("2023-10-22 14:00Z", 1), ("2023-10-22 13:59Z", 2)])
def test_a_purchase_is_forgotten_after_37_months(books: Ledger, first: str, counted: int) -> None:
    with books.connect() as connection:
        connection.execute(HITS.replace("'2026-11-22 12:00Z', 'dan'", f"'{first}', 'dan'"))
    days = Parameters(date(2023, 10, 1), date(2026, 11, 22), program="acme")
    bags = [row for row in lines(books, "segment_purchases", days, "ProductId") if row == ["bag"]]
    assert len(bags) == counted


def test_product_views_with_and_without_an_event(hits: Ledger) -> None:
    columns = ("VisitorId", "RecipientId", "MessageId", "ProductId", "ProductViews")
    assert lines(hits, "segment_product_views", DAY, *columns) == [
        ["anna", "", "", "hat", "1"],
        ["", "r-2", "m-2", "hat", "1"],
        ["", "r-2", "m-2", "shoe", "1"],
    ]


def test_the_two_calculated_metrics(hits: Ledger) -> None:
    assert lines(hits, "segment_metrics", DAY) == [
        ["bag", "0", "1", "0", "", "0.000000"],
        ["hat", "2", "2", "2", "1.000000", "1.000000"],
        ["shoe", "2", "0", "1", "0.000000", ""],
    ]
