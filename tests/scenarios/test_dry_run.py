"""The dry run against the ledger: the whole file judged as applying would, its effect in money, and nothing changed."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from command_line.main import app
from data_connections.catalog import current
from data_connections.catalog.data_type_versions import apply_data_types
from data_connections.settings import PROJECT
from data_connections.spec import InboundConnection
from data_connections.steps.dry_run import ledger_review
from data_connections.steps.job import builtin_data_types, spec_options
from data_connections.validation.check import CheckReport, check_file
from fixtures.desk import RECEIVED, Desk, table

ORDERS = "CampaignId,ActionTrackerId,EventDate,OrderId,CurrencyCode,Amount,Category,Sku,Quantity"
CHANGES = "ActionTrackerId,OrderId,Amount,Reason,DispositionCode"
CATALOG = "CatalogItemId,Name,Url"


def dry(
    desk: Desk, text: str | bytes, connection: str = "orders", received: datetime = RECEIVED, *, name: str = "dry.csv"
) -> CheckReport:
    spec = current(desk.ledger, connection).spec
    assert isinstance(spec, InboundConnection)
    kind, options = builtin_data_types()[spec.data_type], spec_options(spec, received, "EUR")
    with ledger_review(desk.ledger, spec, kind, received) as review:
        return check_file(desk.file(text, name), kind, options, file_format=spec.format, review=review)


def effect(report: CheckReport) -> list[tuple[Any, ...]]:
    return [(one.state, one.currency, one.count, one.amount, one.payout) for one in report.effect]


def order(number: str, amount: object, currency: str = "EUR", item: str = ",,", day: str = "2026-02-20") -> str:
    return f"1000,2001,{day}T10:00:00Z,{number},{currency},{amount},{item}"


@pytest.fixture
def shop(desk: Desk) -> Desk:
    desk.connect("changes", data_type="action_modifications", schedule="0 6 * * 1")
    desk.connect("catalog", data_type="product_catalog")
    return desk


def test_the_effect_of_orders_is_money_by_currency_in_pending(shop: Desk) -> None:
    with shop.ledger.connect() as connection:
        connection.execute(
            "insert into partner (id, name) values (1, 'P');"
            "insert into contract (id, program_id, name) values (1, 1000, 'C');"
            "insert into contract_term (contract_id, event_type_id, starts, percent) values (1, 2001, '2026-01-01', 10)"
        )
    header = ORDERS + ",MediaPartnerId"
    rows = [order("A", "10.00"), order("A", "5.00"), order("B", "7.00", "USD"), order("C", "1.00", item="Shoes,S,1")]
    rows += [order("C", "2.00", item="Shoes,T,1"), order("D", "bad")]
    report = dry(shop, table(header, *[f"{row},1" for row in rows]))

    assert effect(report) == [
        ("PENDING", "EUR", 2, Decimal(13), Decimal("1.30")),
        ("PENDING", "USD", 1, Decimal(7), Decimal("0.70")),
    ]
    assert (report.totals.accepted, report.totals.duplicate, report.totals.rejected) == (4, 1, 1)
    assert shop.actions() == []


def test_the_effect_of_modifications_is_money_from_state_to_state(shop: Desk) -> None:
    shop.submit(table(ORDERS, order("A", "10.00"), order("B", "7.00", "USD"), order("C", "4.00"), order("D", "3.00")))
    rows = ["2001,A,8.00,OTHER,", "2001,A,6.00,OTHER,", "2001,B,,,REJECTED", "2001,C,,APPROVED,", "2001,X,1,OTHER,"]
    report = dry(shop, table(CHANGES, *rows, "2001,D,3.00,OTHER,"), "changes")

    assert effect(report) == [
        ("APPROVED", "EUR", 1, Decimal(4), None),
        ("PENDING", "EUR", -1, Decimal(-8), None),
        ("PENDING", "USD", -1, Decimal(-7), None),
        ("REVERSED", "USD", 1, Decimal(0), None),
    ]
    assert [(one.line, one.code) for one in report.errors] == [(6, "ACTION_NOT_FOUND"), (7, "NO_CHANGE")]
    assert report.totals.held == 1
    assert report.totals.amounts == {"EUR": 14}
    dollars = dry(shop, table(CHANGES, "2001,A,8.00,OTHER,", "2001,B,6.00,OTHER,"), "changes")
    assert dollars.totals.amounts == {"EUR": 8, "USD": 6}
    assert shop.ledger.one("select count(*) as updates from action_update") == {"updates": 0}


def test_what_is_foretold_is_what_comes_to_pass(shop: Desk) -> None:
    shop.submit(table(ORDERS, order("A", "10.00"), order("B", "7.00")))
    text = table(CHANGES, "2001,A,0,OTHER,", "2001,A,5.00,OTHER,", "2001,B,,,REJECTED", "2001,B,,,REJECTED")
    report = dry(shop, text, "changes")
    before = _money(shop)
    done = shop.submit(text, "changes.csv", "changes")

    assert {name: getattr(report.totals, name) for name in ("accepted", "rejected")} == {
        name: done[name] for name in ("accepted", "rejected")
    }
    after = _money(shop)
    moved = {key: after.get(key, Decimal(0)) - before.get(key, Decimal(0)) for key in {*before, *after}}
    foretold = {(one.state, one.currency): one.amount for one in report.effect}
    assert {key: value for key, value in moved.items() if value} == {key: v for key, v in foretold.items() if v}


def test_limits_and_the_guard_of_catalogs_are_shown(shop: Desk) -> None:
    items = [f"I{number},Item,https://a.example/{number}" for number in range(10)]
    shop.submit(table(CATALOG, *items), "catalog.csv", "catalog")
    few = dry(shop, table(CATALOG, *items[:3]), "catalog")
    most = dry(shop, table(CATALOG, *items[:6]), "catalog")
    none = dry(shop, table(CATALOG), "catalog")

    assert few.hold == (
        "ROWS_VANISH",
        "The file would take away 7 of the 10 rows that are kept; above 50% somebody has to approve it.",
    )
    assert effect(few) == [("WRITTEN", None, 3, 0, None), ("REMOVED", None, -7, 0, None)]
    assert most.hold is None
    assert effect(most)[-1] == ("REMOVED", None, -4, 0, None)
    assert "10 of the 10" in str(none.hold)
    assert few.as_json()["hold"]["code"] == "ROWS_VANISH"

    shop.connect("orders", limits={"hold_if": {"amount_over": {"EUR": 5}}})
    assert dry(shop, table(ORDERS, order("A", "6.00"))).hold == (
        "HELD_BY_LIMIT",
        "The accepted rows amount to 6.00 EUR; above 5.00 somebody has to approve it.",
    )
    shop.submit(table(ORDERS, order("B", "4.00"), order("C", "1.00")))
    shop.connect("changes", data_type="action_modifications", limits={"hold_if": {"reversed_share_over": "0.4"}})
    assert "1 of the 2 pending" in str(dry(shop, table(CHANGES, "2001,B,0,OTHER,"), "changes").hold)


def test_a_key_is_found_again_however_far_away_it_is(shop: Desk) -> None:
    items = [f"I{number},{'Item ' * 20},https://a.example/{number}" for number in range(25_000)]
    report = dry(shop, table(CATALOG, "I24999,First,https://a.example/1", *items), "catalog")

    assert [(one.line, one.code) for one in report.errors] == [(2, "KEY_REPEATED")]
    assert report.totals.duplicate == 1


def test_actions_that_lock_before_the_next_run_are_worth_a_word(shop: Desk) -> None:
    with shop.ledger.connect() as connection:
        connection.execute("update event_type set locking_after = 'event', locking_days = 10 where id = 2001")
    # Received on a Sunday; the next run is on Monday at 06:00. Actions of 19 February lock that night.
    shop.connect("orders", schedule="0 6 * * 1")
    rows = [
        order("A", "10.00", day="2026-02-19"),
        order("B", "10.00", day="2026-02-20"),
        order("L", "1", day="2026-02-10"),
    ]
    done = shop.submit(table(ORDERS, *rows))
    assert shop.codes(done) == {2: ["LOCKS_BEFORE_NEXT_RUN"]}
    text = table(CHANGES, "2001,A,9.00,OTHER,", "2001,B,9.00,OTHER,")
    report = dry(shop, text, "changes")
    [warning] = report.errors
    assert (warning.line, warning.code, warning.severity) == (2, "LOCKS_BEFORE_NEXT_RUN", "warning")
    assert (
        "locking date, 2026-03-02, comes before the next run of this connection after this file, 2026-03-02 06:00"
        in warning.message
    )
    assert shop.codes(shop.submit(text, "changes.csv", "changes")) == {2: ["LOCKS_BEFORE_NEXT_RUN"]}
    shop.connect("changes", data_type="action_modifications", schedule="on request")
    assert dry(shop, table(CHANGES, "2001,A,8.00,OTHER,"), "changes").errors == ()


def test_two_warnings_about_one_line_are_both_kept(shop: Desk) -> None:
    with shop.ledger.connect() as connection:
        connection.execute("update event_type set locking_after = 'event', locking_days = 10 where id = 2001")
    shop.submit(table(ORDERS, order("A", "0", day="2026-02-19")))
    done = shop.submit(table(CHANGES, "2001,A,0,OTHER,"), "changes.csv", "changes")

    assert shop.codes(done) == {2: ["LOCKS_BEFORE_NEXT_RUN", "ZERO_ON_ZERO"]}
    assert done["warned"] == 1


def test_the_dry_run_knows_what_was_changed_later(shop: Desk) -> None:
    shop.submit(table(ORDERS, order("A", "10.00")))
    shop.submit(table(CHANGES, "2001,A,9.00,OTHER,"), "changes.csv", "changes")
    shop.connect("others", data_type="action_modifications")
    text, earlier = table(CHANGES, "2001,A,8.00,OTHER,"), datetime(2026, 2, 27, tzinfo=UTC)

    assert [one.code for one in dry(shop, text, "others", earlier).errors] == ["SUPERSEDED"]
    assert dry(shop, text, "changes", earlier).errors == ()


def test_bytes_that_were_applied_before_are_told_with_their_submission(shop: Desk) -> None:
    text = table(ORDERS, order("A", "10.00"), order("B", "7.00"))
    assert dry(shop, text).duplicate_of is None
    done = shop.submit(text)
    report = dry(shop, text, name="another-name.csv")

    assert (report.duplicate_of, report.totals.duplicate, report.effect, report.errors) == (done["id"], 2, (), ())
    [told] = [warning for warning in report.file_warnings if warning.code == "FILE_DUPLICATE"]
    assert f"submission {done['id']} (orders.csv, received 2026-03-01 12:00 UTC)" in told.message
    assert not report.good
    assert shop.submit(text)["state"] == "duplicate"
    other = dry(shop, text + order("C", "1.00") + "\n")
    assert (other.duplicate_of, other.totals.duplicate, other.totals.accepted) == (None, 2, 1)
    shop.connect("others")
    assert dry(shop, text, "others").duplicate_of is None


def test_instructions_that_come_again_after_others_are_no_copy(shop: Desk) -> None:
    shop.submit(table(ORDERS, order("A", "10.00")))
    first, second = table(CHANGES, "2001,A,9.00,OTHER,"), table(CHANGES, "2001,A,8.00,OTHER,")
    done = shop.submit(first, "first.csv", "changes")
    assert dry(shop, first, "changes").duplicate_of == done["id"]
    shop.submit(second, "second.csv", "changes")

    again = dry(shop, first, "changes")
    assert (again.duplicate_of, again.totals.accepted) == (None, 1)
    assert effect(again) == [("PENDING", "EUR", 0, Decimal(1), None)]


def test_packed_bytes_are_compared_as_they_were_sent(shop: Desk) -> None:
    packed = gzip.compress(table(ORDERS, order("A", "10.00")).encode(), mtime=0)
    done = shop.submit(packed, "orders.csv.gz")

    assert dry(shop, packed, name="orders.csv.gz").duplicate_of == done["id"]
    assert dry(shop, gzip.decompress(packed)).duplicate_of is None


def test_lines_of_an_order_anywhere_in_the_file_become_one_action(shop: Desk) -> None:
    shop.connect("orders", order_lines="regroup")
    rows = [order("A", "1.00", item="Shoes,S,1"), order("B", "7.00"), order("A", "2.00", item="Shoes,T,2")]
    rows += [order("C", "3.00", item="Shoes,S,1"), order("D", "9.00"), order("C", "x", item="Shoes,T,1")]
    text = table(ORDERS, *rows)
    assert effect(dry(shop, text)) == [("PENDING", "EUR", 3, Decimal(19), None)]
    done = shop.submit(text)

    assert shop.actions() == [("A", 1, 3, "EUR"), ("B", 1, 7, "EUR"), ("D", 1, 9, "EUR")]
    assert shop.codes(done) == {5: ["ORDER_INCOMPLETE"], 7: ["NOT_DECIMAL"]}
    assert "ORDER_LINES_APART" in [warning["code"] for warning in done["file_warnings"]]
    items = shop.ledger.all("select number, sku, line from action_item order by line")
    assert [tuple(item.values()) for item in items] == [(1, "S", 2), (2, "T", 4)]


def test_every_template_is_judged_by_the_ledger_too(shop: Desk) -> None:
    apply_data_types(shop.ledger, [builtin_data_types()["store_locations"]], "tester")
    for folder in sorted(path for path in (PROJECT / "include" / "templates").iterdir() if path.name != "reports"):
        shop.connect("any", data_type=folder.name)
        for template in folder.iterdir():
            text = CliRunner().invoke(app, ["template", folder.name, template.stem, "--example"]).stdout
            report = dry(shop, text, "any", datetime.now(UTC), name=template.name)
            states = {one.state for one in report.effect}
            assert report.file_error is None, template
            assert report.totals.rows > 0, template
            assert states == ({"PENDING"} if folder.name == "conversions" else {"WRITTEN"}) or not states, template
            assert bool(states) == bool(report.totals.accepted), template


def _money(desk: Desk) -> dict[tuple[str, str], Decimal]:
    rows = desk.ledger.all("select state, currency, sum(amount) as amount from action group by 1, 2")
    return {(row["state"], row["currency"]): row["amount"] for row in rows}
