"""Actions on the screen and in the API: found by any id, their story, and a statement whose figures are their rows."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from data_connections.catalog.reference import load_reference
from data_connections.catalog.reference_ledger import apply_reference
from data_connections.ledger import Ledger
from data_connections.queries.statement import rows_of_figure
from data_connections.reports import load_reports
from data_connections.settings import PROJECT, Settings
from data_connections.steps.month_sums import sum_up_months
from fixtures.desk import Desk, table

pytestmark = pytest.mark.airflow
ORDERS = (
    "CampaignId,ActionTrackerId,EventDate,OrderId,CustomerId,MediaPartnerId,CurrencyCode,Amount,Category,Sku,Quantity"
)
NOW = datetime.now(UTC)
EVIL = '"><script>alert(1)</script>'


@pytest.fixture
def shop(desk: Desk) -> Ledger:
    """Orders of a program with contracts, changed by a connection of another role."""
    with desk.ledger.connect() as connection:
        connection.execute("truncate program, event_type cascade")
    apply_reference(desk.ledger, load_reference(PROJECT / "include" / "reference"), "tests")
    desk.connect("acme-orders", program="globex")
    desk.connect("zenith-changes", program="globex", data_type="action_modifications")
    day = f"{NOW:%Y-%m-%d}"
    rows = (
        f"1001,2101,{day},G-1,C-1,3001,USD,80.00,Shoes,BOOT,1",
        f"1001,2101,{day},G-1,C-1,3001,USD,25.00,Gift cards,GIFT,1",
        f"1001,2101,{day},G-2,C-1,3002,USD,100.00,,,",
        f"1001,2101,{day},G-3,{EVIL.replace(chr(34), '')},3002,USD,10.00,,,",
    )
    desk.submit(table(ORDERS, *rows), connection="acme-orders", received_at=NOW)
    changes = table("ActionTrackerId,OrderId,Amount,Reason", "2101,G-2,40.00,ORDER_UPDATE", "2101,G-2,0,CONS_FRAUD")
    desk.submit(changes, "secret-returns.csv", "zenith-changes", received_at=NOW)
    return desk.ledger


def orders(text: str) -> list[str]:
    return re.findall(r'<th scope="row" class="cut"><a href="/connections-app/actions/\d+">([^<]+)</a>', text)


def of(ledger: Ledger, order: str) -> int:
    row = ledger.one("select id from action where order_id = %s", [order])
    assert row is not None
    return int(row["id"])


def test_actions_are_found_by_each_of_their_ids_and_by_when_they_lock(client, shop):
    viewer = client("viewer")
    number = of(shop, "G-2")
    assert orders(viewer.get(f"actions?search=1001.2101.{number}").text) == ["G-2"]
    assert orders(viewer.get(f"actions?search={number}").text) == ["G-2"]
    assert orders(viewer.get("actions?search=G-1").text) == ["G-1"]
    assert orders(viewer.get("actions?search=C-1").text) == ["G-1", "G-2"]
    assert orders(viewer.get("actions?state=REVERSED").text) == ["G-2"]
    assert orders(viewer.get("actions?size=1&page=2").text) == ["G-3"]
    assert orders(viewer.get("actions?program=acme").text) == []
    with shop.connect() as connection:
        connection.execute("update action set locks_at = now() + interval '6 days' where order_id = 'G-1'")
    assert orders(viewer.get("actions?locks_within=7").text) == ["G-1"]
    assert "<script>alert" not in viewer.get("actions").text


def test_an_action_tells_its_story_and_what_it_earns(client, shop):
    page = client("viewer").get(f"actions/{of(shop, 'G-1')}").text
    for words in ("× 6.5 %", "= 5.20", "1.50 each", "= 1.50", "45 days after the event", "Globex with Northwind Media"):
        assert words in page, words
    changed_page = client("viewer").get(f"actions/{of(shop, 'G-2')}").text
    assert "secret-returns.csv" in changed_page
    assert "CONS_FRAUD" in changed_page


def test_only_actions_of_visible_connections_are_there_and_foreign_files_stay_unnamed(client, shop):
    insider, stranger = client("acme-only"), client("zenith-only")
    assert orders(insider.get("actions").text) == ["G-1", "G-3", "G-2"]
    page = insider.get(f"actions/{of(shop, 'G-2')}").text
    assert "CONS_FRAUD" in page
    assert "secret-returns" not in page
    assert "zenith-changes" not in page
    assert orders(stranger.get("actions").text) == []
    assert stranger.get(f"actions/{of(shop, 'G-2')}").status_code == 404
    assert "Nothing was open" in stranger.get("actions/statement").text
    assert client("viewer").get("actions/999999").status_code == 404


def test_the_statement_adds_up_is_the_reports_and_each_figure_is_its_rows(client, shop):
    api = client("viewer")
    api.headers["accept"] = "application/json"
    asked = {"program": "globex", "month": f"{NOW:%Y-%m}"}
    found = api.get("api/v1/actions/statement", params=asked).json()
    lines = {line["partner_id"]: line for line in found["lines"]}
    assert (lines[3002]["new_amount"], lines[3002]["modified_amount"]) == ("110.00", "-60.00")
    assert (lines[3002]["reversed_amount"], lines[3002]["closing_amount"]) == ("40.00", "10.00")
    for line in found["lines"]:
        for figure in ("opening", "new", "modified", "reversed", "locked", "closing"):
            question = {**asked, "figure": figure, "currency": line["currency"], "partner": line["partner_id"]}
            rows = api.get("api/v1/actions/statement/rows", params=question).json()
            for what in ("amount", "payout"):
                together = sum((Decimal(str(row[what])) for row in rows), Decimal(0))
                assert together == Decimal(line[f"{figure}_{what}"]), (figure, what)
    assert _reported(shop, load_reports(Settings.from_environment().include)["month_statement"]) == [
        [Decimal(line[f"{figure}_{what}"]) for what in ("amount", "payout") for figure in _FIGURES]
        for line in found["lines"]
    ]
    assert api.get("api/v1/actions/statement", params={"program": "nope"}).status_code == 404


@pytest.mark.parametrize("months_ago", [0, 1, 2, 3, 4])
def test_the_statement_of_any_month_is_what_its_report_says(client, shop, months_ago: int):
    with shop.connect() as connection:
        connection.execute("update action set received_at = received_at - id % 4 * interval '30 days'")
        connection.execute("update action_update set received_at = received_at - id % 3 * interval '29 days'")
    first = NOW.date().replace(day=1)
    for _ in range(months_ago):
        first = (first - timedelta(days=1)).replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    asked = {"program": "globex", "month": f"{first:%Y-%m}"}
    lines = client("viewer").get("api/v1/actions/statement", params=asked).json()["lines"]
    assert sum_up_months(shop) == ["acme", "closed", "globex"] or sum_up_months(shop) == []
    assert client("viewer").get("api/v1/actions/statement", params=asked).json()["lines"] == lines
    report = load_reports(Settings.from_environment().include)["month_statement"]
    assert _reported(shop, report, first, last) == [
        [Decimal(line[f"{figure}_{what}"]) for what in ("amount", "payout") for figure in _FIGURES] for line in lines
    ]
    for line in lines:
        for figure in _FIGURES:
            question = {"figure": figure, "currency": line["currency"], "partner": line["partner_id"]}
            with shop.connect() as connection:
                rows = rows_of_figure(connection, None, "globex", first, **question)
            assert sum(row["amount"] for row in rows) == Decimal(line[f"{figure}_amount"])
            assert all(row["day"] <= last for row in rows)


_FIGURES = ("opening", "new", "modified", "reversed", "locked", "closing")


def _reported(ledger: Ledger, report: Any, first: date | None = None, last: date | None = None) -> list[list[Decimal]]:
    first, last = first or NOW.date().replace(day=1), last or NOW.date()
    bound = {"program": "globex", "time_zone": None, "date_from": first, "date_to": last}
    with ledger.connect() as connection:
        rows = connection.execute(report.query.sql.encode(), bound).fetchall()
    return [list(row.values())[5:] for row in rows]


def test_the_api_pages_actions(client, shop):
    api = client("viewer")
    first = api.get("api/v1/actions?size=2").json()
    assert [each["order_id"] for each in first["items"]] == ["G-1", "G-3"]
    rest = api.get("api/v1/actions", params={"size": 2, "page": first["next_page"]}).json()
    assert ([each["order_id"] for each in rest["items"]], rest["next_page"]) == (["G-2"], None)
    one = api.get(f"api/v1/actions/{rest['items'][0]['id']}").json()
    assert [event["kind"] for event in one["timeline"]] == ["created", "modified", "reversed"]
    assert one["earned"][0]["percent"] == "5"


def test_withdrawing_shows_what_it_would_undo_first(client, shop):
    user, number = client("user"), shop.one("select id from submission where data_type = 'action_modifications'")["id"]
    page = user.post(f"submissions/{number}/withdrawal-preview")
    assert page.status_code == 200, page.text
    assert "It goes back to what it was before" in page.text
    assert "100.00" in page.text
    assert shop.one("select state from action where order_id = 'G-2'")["state"] == "REVERSED"
    assert client("viewer").post(f"submissions/{number}/withdraw").status_code == 403
    assert client("acme-only").post(f"submissions/{number}/withdraw").status_code == 404
    assert user.post(f"submissions/{number}/withdraw").status_code == 303
    assert shop.one("select state, amount from action where order_id = 'G-2'") == {"state": "PENDING", "amount": 100}
    assert "Withdrawn" in user.get(f"submissions/{number}").text
    assert user.post(f"submissions/{number}/withdraw").status_code == 422


def test_the_api_withdraws_too(client, shop):
    api, number = client("user"), shop.one("select min(id) as id from submission")["id"]
    planned = api.get(f"api/v1/submissions/{number}/withdrawal-preview").json()
    assert [each["order_id"] for each in planned["undone"]] == ["G-3", "G-1"]
    assert [each["order_id"] for each in planned["kept"]] == ["G-2"]
    assert api.post(f"api/v1/submissions/{number}/withdraw").json() == planned
    assert shop.one("select count(*) as n from action where state = 'REVERSED'")["n"] == 3
