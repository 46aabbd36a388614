"""Every built-in data type that its folder keeps: its codes, each with a row beside it that does not get it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from data_connections.catalog.data_type_versions import apply_data_types
from data_connections.errors import ConfigurationError
from data_connections.steps.job import builtin_data_types
from fixtures.desk import Desk, table


class Case(NamedTuple):
    """Cells that get a code, on a row that is good without them."""

    code: str
    column: str
    bad: Mapping[str, str]


GOOD: Mapping[str, Mapping[str, str]] = {
    "clicks": {"ClickId": "c1", "EventDate": "2026-02-20T10:00:00Z", "CampaignId": "1000"},
    "store_locations": {"LocationId": "L1"},
    "product_catalog": {"id": "P1", "title": "Shoe", "link": "https://shop.example/1", "Price": "1.00 EUR"},
    "aggregate_performance": {
        "CampaignId": "1000",
        "EventDateTimeStart": "20260201 00:00:00 UTC",
        "EventDateTimeEnd": "20260201 23:59:59 UTC",
    },
    "classifications": {"Key": "spring", "Market": "DE"},
    "campaign_metrics": {"Date": "02/01/2026", "Tracking Code": "spring", "Orders": "3"},
    "web_events": {"EventDate": "2026-02-20T10:00:00Z", "VisitorId": "v1", "Products": "Shoes;S1", "Events": "scAdd"},
}
TABS = {"classifications", "campaign_metrics"}
CASES = {
    "clicks": [
        Case("REQUIRED", "ClickId", {"ClickId": ""}),
        Case("CAMPAIGN_NOT_FOUND", "CampaignId", {"CampaignId": "1001"}),
        Case("CAMPAIGN_NOT_FOUND", "CampaignId", {"CampaignId": "x"}),
        Case("EVENT_TOO_OLD", "EventDate", {"EventDate": "2025-01-26T10:00:00Z"}),
        Case("EVENT_IN_FUTURE", "EventDate", {"EventDate": "2026-03-05T10:00:00Z"}),
        Case("IP_NOT_HASHED", "IpAddress", {"IpAddress": "192.0.2.1"}),
        Case("NOT_ALLOWED", "DeviceType", {"DeviceType": "TOASTER"}),
        Case("MEDIA_AMBIGUOUS", "MediaId", {"MediaId": "1", "MediaPartnerId": "2"}),
        Case("NOT_DECIMAL", "Payout", {"Payout": "0,05"}),
    ],
    "store_locations": [
        Case("PATTERN", "CountryCode", {"CountryCode": "Germany"}),
        Case("NOT_ALLOWED", "Status", {"Status": "shut"}),
    ],
    "product_catalog": [
        Case("REQUIRED", "CatalogItemId", {"id": ""}),
        Case("REQUIRED", "Name", {"title": ""}),
        Case("PATTERN", "Url", {"link": "shop.example/1"}),
        Case("PRICE_WITHOUT_CURRENCY", "Currency", {"Price": "1.00"}),
        Case("NOT_DECIMAL", "CurrentPrice", {"Price": "EUR 1.00", "Currency": "EUR"}),
        Case("NOT_DECIMAL", "CurrentPrice", {"Price": "1.00 EUR", "Currency": "USD"}),
        Case("TOO_MANY_DECIMALS", "CurrentPrice", {"Price": "1.005 EUR"}),
        Case("TOO_SMALL", "CurrentPrice", {"Price": "-1.00 EUR"}),
        Case("NOT_ALLOWED", "StockAvailability", {"availability": "soon"}),
        Case("PATTERN", "Gtin", {"gtin": "12345"}),
        Case("TOO_LARGE", "DiscountPercentage", {"DiscountPercentage": "101"}),
    ],
    "aggregate_performance": [
        Case("CAMPAIGN_NOT_FOUND", "CampaignId", {"CampaignId": "1001"}),
        Case("NOT_DATETIME", "EventDateTimeStart", {"EventDateTimeStart": "01.02.2026"}),
        Case("NOT_DATETIME", "EventDateTimeStart", {"EventDateTimeStart": "20260201 00:00:00 XYZ"}),
        Case("PERIOD_REVERSED", "EventDateTimeEnd", {"EventDateTimeEnd": "20260131 23:59:59 UTC"}),
        Case("TOO_SMALL", "Quantity", {"Quantity": "-1"}),
    ],
    "classifications": [
        Case("REQUIRED", "Key", {"Key": ""}),
        Case("CARET_REFUSED", "Market", {"Market": "D^E"}),
        Case("CARET_REFUSED", "Key", {"Key": "a^b"}),
        Case("VALUE_ZERO", "Market", {"Market": "0"}),
        Case("TOO_LONG", "Market", {"Market": "x" * 256}),
    ],
    "campaign_metrics": [
        Case("NOT_DATETIME", "Date", {"Date": "13/01/2026"}),
        Case("NOT_DATETIME", "Date", {"Date": "2/1/2026"}),
        Case("DATE_FORM", "Date", {"Date": "2026-02-01"}),
        Case("EVENT_IN_FUTURE", "Date", {"Date": "04/01/2026"}),
        Case("DIMENSION_SEMICOLON", "Tracking Code", {"Tracking Code": "a;b"}),
        Case("DIMENSION_SEMICOLON", "Evar 7", {"Evar 7": "a;b"}),
        Case("NOT_DECIMAL", "Event 1000", {"Event 1000": "many"}),
    ],
    "web_events": [
        Case("REQUIRED", "VisitorId", {"VisitorId": ""}),
        Case("PRODUCTS_MALFORMED", "Products", {"Products": "S1"}),
        Case("PRODUCTS_MALFORMED", "Products", {"Products": "Shoes;S1;one"}),
        Case("EVENTS_MALFORMED", "Events", {"Events": "sc Add"}),
        Case("PURCHASE_ID_FORM", "PurchaseId", {"PurchaseId": "Nº1"}),
        Case("EVENT_TOO_OLD", "EventDate", {"EventDate": "2025-01-26T10:00:00Z"}),
    ],
}
OF_FILES = {
    "classifications": [
        ("NO_CLASSIFICATION", "Key\nspring\n", "Key\tMarket\nspring\tDE\n"),
        ("BOM_REFUSED", "\ufeffKey\tMarket\nspring\tDE\n", "Key\tMarket\nspring\tAT\n"),
    ],
    "campaign_metrics": [
        ("NO_DIMENSION", "Date\tOrders\n02/01/2026\t3\n", "date\tzip\torders\n02/01/2026\t1\t3\n"),
        ("NO_METRIC", "Date\tZip\n02/01/2026\t1\n", "Date\tZip\tEvent 1000\n02/01/2026\t1\t3\n"),
    ],
}


def written(rows: list[Mapping[str, str]], delimiter: str = ",") -> str:
    """Return rows as a delimited file, with the columns of all of them."""
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, columns, restval="", delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def connected(desk: Desk, data_type: str, **changes: Any) -> str:
    """Make a connection that takes a data type, with its table, and return its name."""
    apply_data_types(desk.ledger, [builtin_data_types()[data_type]], "tester")
    desk.connect(data_type.replace("_", "-"), data_type=data_type, **changes)
    return data_type.replace("_", "-")


@pytest.mark.parametrize("data_type", CASES)
def test_every_code_comes_from_a_row_and_not_from_the_one_beside_it(desk: Desk, data_type: str) -> None:
    name, good = connected(desk, data_type), GOOD[data_type]
    for number, case in enumerate(CASES[data_type]):
        delimiter = "\t" if data_type in TABS else ","
        done = desk.submit(written([{**good, **case.bad}, good], delimiter), f"{number}.csv", name)

        found = [(error["line"], error["code"], error["column"]) for error in done["errors"]]
        assert found == [(2, case.code, case.column)], case
        assert (done["accepted"], done["rejected"]) == (1, 1), case


def test_clicks_are_kept_line_by_line(desk: Desk) -> None:
    connected(desk, "clicks")
    good = GOOD["clicks"]
    rows = [
        {**good, "MediaId": "71", "Payout": "0.05", "Browser": "x", "IpAddress": "ab" * 16},
        {**good, "CampaignId": "", "UniqueClick": "yes"},
    ]
    done = desk.submit(written(rows), connection="clicks")

    assert (done["accepted"], done["amounts"]) == (2, {"EUR": "0.05"})
    kept = desk.ledger.all("select program_id, click_id, media_id, unique_click, line, extra from click order by line")
    assert [tuple(row.values()) for row in kept] == [
        (1000, "c1", 71, None, 2, {"Browser": "x", "IpAddress": "ab" * 16}),
        (1000, "c1", None, True, 3, None),
    ]
    assert desk.submit(written(rows), connection="clicks")["state"] == "duplicate"


@pytest.mark.parametrize("data_type", OF_FILES)
def test_every_code_of_a_file_comes_from_one_and_not_from_another(desk: Desk, data_type: str) -> None:
    name = connected(desk, data_type)
    for code, bad, good in OF_FILES[data_type]:
        assert desk.submit(bad, connection=name)["code"] == code
        assert desk.submit(good, connection=name)["state"] == "applied"


def test_a_google_feed_becomes_the_catalog_and_a_delta_changes_it(desk: Desk) -> None:
    name = connected(desk, "product_catalog")
    desk.connect("changes", data_type="product_catalog", dataset={"form": "delta"})
    header = "id\ttitle\tlink\tprice\tsale_price\tavailability\tcondition\tcustom_label_1\tshipping_weight\n"
    link = "https://shop.example/1"
    desk.submit(
        f"{header}A\tOne\t{link}\t15.00 EUR\t12.50 EUR\tin stock\tnew\tsummer\t1.5 kg\n"
        f"B\tTwo\t{link}\t8 eur\t\tout_of_stock\tused\t\t\n",
        "feed.txt",
        name,
    )
    columns = "catalog_item_id, current_price, sale_price, currency, stock_availability, shipping_weight_unit, extra"
    kept = desk.ledger.all(f"select {columns} from catalog_item order by 1")
    assert [[str(value) for value in row.values()] for row in kept] == [
        ["A", "15.00", "12.50", "EUR", "InStock", "kg", "{'CustomLabel1': 'summer'}"],
        ["B", "8.00", "None", "eur", "OutOfStock", "None", "None"],
    ]

    done = desk.submit(
        f"CatalogItemId,Name,Url,CurrentPrice,Currency,Change\nA,One,{link},14.00,EUR,\nC,New,{link},1,EUR,write\n"
        f"B,,,,,delete\n",
        "delta.csv",
        "changes",
    )
    assert (done["accepted"], desk.codes(done)) == (2, {4: ["REQUIRED", "REQUIRED"]})
    done = desk.submit(f"id,title,link,Change\nB,Two,{link},delete\n", "delta2.csv", "changes")
    assert done["accepted"] == 1
    kept = desk.ledger.all("select catalog_item_id, current_price, sale_price from catalog_item order by 1")
    assert [[str(value) for value in row.values()] for row in kept] == [
        ["A", "14.00", "12.50"],
        ["C", "1.00", "None"],
    ]
    held = desk.submit(f"{header}D\tFour\t{link}\t1 EUR\t\tpreorder\tnew\t\t\n", "feed2.txt", name)
    assert (held["state"], held["code"]) == ("on_hold", "ROWS_VANISH")


FEED = """<?xml version="1.0"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item><g:id>A</g:id><title>One</title><link>https://shop.example/1</link><g:price>15.00 EUR</g:price>
<g:availability>in_stock</g:availability></item>
<item><g:id>B</g:id><title>Two</title><link>shop</link><g:price>8.00 EUR</g:price></item>
</channel></rss>
"""


def test_a_google_feed_may_be_xml(desk: Desk) -> None:
    done = desk.submit(FEED, "feed.xml", connected(desk, "product_catalog"))

    assert (done["accepted"], desk.codes(done)) == (1, {5: ["PATTERN"]})
    kept = desk.ledger.one("select catalog_item_id, current_price, currency, stock_availability from catalog_item")
    assert [str(value) for value in kept.values()] == ["A", "15.00", "EUR", "InStock"]


def test_a_corrected_period_takes_the_place_of_the_one_before(desk: Desk) -> None:
    name = connected(desk, "aggregate_performance", time_zone="America/New_York")
    header = "CampaignId,EventDateTimeStart,EventDateTimeEnd,MediaId,EventType,Quantity,Revenue\n"
    period = "20260201 00:00:00 EST,20260201 23:59:59 -0500"
    desk.submit(f"{header}1000,{period},71,SALE,2,10.00\n1000,{period},,SALE,1,1.00\n", connection=name)
    done = desk.submit(f"{header}1000,20260201 00:00:00,2026-02-01T23:59:59,71,SALE,3,15.00\n", connection=name)

    assert (done["amounts"], done["totals"][0]["quantity"]) == ({"EUR": "15.00"}, "3")
    kept = desk.ledger.all(
        "select media_id, quantity, event_date_time_start as start from aggregate_performance order by 1"
    )
    assert [(row["media_id"], row["quantity"], row["start"].isoformat()) for row in kept] == [
        (71, 3, "2026-02-01T05:00:00+00:00"),
        (None, 1, "2026-02-01T05:00:00+00:00"),
    ]


def test_classifications_of_other_files_stay(desk: Desk) -> None:
    name = connected(desk, "classifications")
    first = 'Key\tMarket\t"Campaign ""Name"""\nspring\tDE\t"A \\ b ""c"""\nfall\tAT\t\n'
    desk.submit(first, connection=name)
    desk.submit("Market\tKey\tChannel\n\tspring\tEmail\nCH\tfall\t\n", connection=name)

    kept = desk.ledger.all("select key, classifications from classification order by 1")
    assert [tuple(row.values()) for row in kept] == [
        ("fall", {"Market": "CH"}),
        ("spring", {"Market": "DE", 'Campaign "Name"': 'A \\ b "c"', "Channel": "Email"}),
    ]
    many = "\t".join(["Key", *(f"C{number}" for number in range(31))])
    done = desk.submit(many + "\nspring" + "\tx" * 31 + "\n", connection=name)
    assert "MORE_COLUMNS_THAN_ADVISED" in [warning["code"] for warning in done["file_warnings"]]


def test_metrics_without_a_time_are_at_noon_and_comments_are_none(desk: Desk) -> None:
    name = connected(desk, "campaign_metrics", time_zone="Europe/Berlin")
    text = "# a comment\nDate\tTracking Code\tEvar 12\tEvent 3\tPrice\n02/01/2026\ts\tx\t7\t1.5\n#more\n"
    done = desk.submit(f"{text}02/01/2026/18/30/00\ts\t\t\t2\n", connection=name)

    kept = desk.ledger.all("select date, tracking_code, price, line, extra from campaign_metric order by line")
    assert done["accepted"] == 2
    assert [(row["date"].isoformat(), str(row["price"]), row["line"], row["extra"]) for row in kept] == [
        ("2026-02-01T11:00:00+00:00", "1.5000", 3, {"Evar 12": "x", "Event 3": 7.0}),
        ("2026-02-01T17:30:00+00:00", "2.0000", 5, None),
    ]


def test_ninety_days_and_4096_bytes_are_the_most(desk: Desk) -> None:
    name = connected(desk, "campaign_metrics")
    first = date(2025, 11, 1)

    def days(number: int) -> str:
        moments = [first + timedelta(days=day) for day in range(number)]
        return "Date\tZip\tOrders\n" + "".join(f"{day:%m/%d/%Y}\t1\t1\n" * 2 for day in moments)

    assert desk.submit(days(91), connection=name)["code"] == "TOO_MANY_DATES"
    assert desk.submit(days(90), connection=name)["accepted"] == 180

    evars = [f"Evar {number}" for number in range(1, 18)]
    header = "\t".join(["Date", "Orders", *evars])
    wide = ["x" * 240] * 16
    room = 4096 - len("02/01/2026\t1") - 17 - sum(map(len, wide))
    rows = ["\t".join(["02/01/2026", "1", *wide, "y" * length]) for length in (room, room + 1)]
    done = desk.submit("\n".join([header, *rows]) + "\n", connection=name)
    assert (done["accepted"], desk.codes(done)) == (1, {3: ["ROW_TOO_LONG"]})


HITS = "EventDate,VisitorId,Products,Events,PurchaseId"


def hit(products: str, events: str, purchase: str = "", visitor: str = "v", at: str = "2026-02-20T10:00:00Z") -> str:
    return f'{at},{visitor},"{products}","{events}",{purchase}'


def test_products_of_hits_are_kept_one_by_one(desk: Desk) -> None:
    name = connected(desk, "web_events")
    rows = [
        hit(";cat", "scAdd"),
        hit("Shoes;S1;2;50.5;event1=3|event2;eVar1=red,;S2;;", "purchase,event7=2", "P1"),
        hit(";S3", ""),
        hit(";S4", "event5"),
        hit("", "event5"),
    ]
    done = desk.submit(table(HITS, *rows), connection=name)

    assert (done["accepted"], done["warned"]) == (5, 0)
    kept = desk.ledger.all(
        "select line, number, category, product, quantity, price, events, merchandising, hit_events from web_product"
        " order by line, number"
    )
    assert [tuple(row.values()) for row in kept] == [
        (2, 1, None, "cat", None, None, None, None, ["scAdd"]),
        *[
            (3, 1, "Shoes", "S1", 2, Decimal("50.5"), {"event1": "3", "event2": "1"}, {"eVar1": "red"}, PURCHASE),
            (3, 2, None, "S2", None, None, None, None, PURCHASE),
        ],
        (4, 1, None, "S3", None, None, None, None, ["prodView"]),
        (5, 1, None, "S4", None, None, None, None, ["event5", "prodView"]),
    ]


PURCHASE = ["event7", "purchase"]


@pytest.mark.parametrize("events", ["scAdd", "purchase", "prodView", "event1,scRemove", "scOpen:12,event2=3"])
def test_an_event_without_product_is_counted_and_warned(desk: Desk, events: str) -> None:
    name = connected(desk, "web_events")
    done = desk.submit(table(HITS, hit("", events), hit("", "event9"), hit(";S1", events)), connection=name)

    assert (done["accepted"], done["warned"], desk.codes(done)) == (3, 1, {2: ["EVENT_WITHOUT_PRODUCT"]})
    assert "no product ID" in done["errors"][0]["message"]


def test_a_purchase_counts_once_in_37_months_whoever_the_visitor_is(desk: Desk) -> None:
    name = connected(desk, "web_events")
    long = "A" * 20
    done = desk.submit(
        table(
            HITS,
            hit(";S", "purchase", "P1"),
            hit(";S", "event1,purchase:9", "P1", visitor="other"),
            hit(";S", "scAdd", "P1"),
            hit(";S", "purchase", f"{long}1"),
            hit(";S", "purchase", f"{long}2"),
            hit(";S", "purchase", "P-2"),
        ),
        connection=name,
    )
    assert (done["accepted"], done["duplicate"]) == (4, 2)
    assert desk.codes(done) == {
        3: ["PURCHASE_DUPLICATE"],
        5: ["PURCHASE_ID_CUT"],
        6: ["PURCHASE_ID_CUT", "PURCHASE_DUPLICATE"],
        7: ["PURCHASE_ID_FORM"],
    }
    again = desk.submit(table(HITS, hit(";S", "purchase", "P1"), hit(";S", "purchase", "P3")), connection=name)
    assert desk.codes(again) == {2: ["PURCHASE_DUPLICATE"]}

    with desk.ledger.connect() as connection:
        connection.execute("update web_hit set event_date = event_date - interval '37 months 1 day'")
    assert desk.submit(table(HITS, hit(";S", "purchase", "P1"), "2026-02-21,v,,,"), connection=name)["accepted"] == 2
    counted = desk.ledger.one("select count(*) as products from web_product where 'purchase' = any(hit_events)")
    assert counted == {"products": 5}


@pytest.mark.parametrize(
    ("data_type", "text", "bad", "good"),
    [
        ("classifications", "Key\tMarket\tChannel\nspring\t^\tMail, or post\nfall\tAT\t\n", "^", "DE"),
        ("campaign_metrics", "#\nDate\tZip\tOrders\n02/01/2026\t1\tx\n02/01/2026/10/00/00\t2\t1\n", "x", "1"),
    ],
)
def test_a_corrected_rejects_file_comes_back_as_it_was_sent(
    desk: Desk, data_type: str, text: str, bad: str, good: str
) -> None:
    name = connected(desk, data_type)
    done = desk.submit(text, "first.txt", name)
    [rejects] = [content.decode() for file, content in desk.results(done).items() if file.endswith(".csv")]
    head, row = rejects.splitlines()
    again = desk.submit(f"{head}\n{row.replace(f',{bad},', f',{good},')}\n", "second.csv", name)

    assert (done["accepted"], done["rejected"]) == (1, 1)
    assert (again["state"], again["accepted"], again["corrects"]) == ("applied", 1, done["id"])


def test_two_data_types_that_share_a_table_are_refused(desk: Desk) -> None:
    stores = builtin_data_types()["store_locations"]
    copied = stores.model_copy(update={"name": "shops"})

    with pytest.raises(ConfigurationError, match="store_locations and shops both keep"):
        apply_data_types(desk.ledger, [stores, copied], "tester", dry_run=True)
