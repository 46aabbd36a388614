"""The performance bonus: marginal tiers over what locked in a month, to the cent."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from data_connections.catalog.reference import load_reference
from data_connections.catalog.reference_ledger import apply_reference
from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger
from data_connections.reports import Layout, Parameters, load_reports, write_checked
from data_connections.settings import PROJECT
from data_connections.spec import OutputFormat

REFERENCE = """
programs:
  - id: 1
    key: shop
    name: Shop
    time_zone: America/New_York
    currency: USD
    event_types: [{id: 11, code: SALE, name: Sale}, {id: 12, code: LEAD, name: Lead}]
  - {id: 2, key: other, name: Other, currency: USD, event_types: [{id: 21, code: SALE, name: Sale}]}
partners:
  - {id: 31, name: Northwind}
  - {id: 32, name: Contoso}
contracts:
  - id: 41
    program: shop
    name: Standard
    terms:
      - {event_type: 11, starts: 2026-01-01, percent: 4}
      - {event_type: 11, starts: 2026-01-01, category: Shoes, percent: 7}
      - {event_type: 12, starts: 2026-01-01, fixed: 3, currency: USD}
    bonuses:
      - id: 51
        name: Monthly volume
        event_types: [11]
        currency: USD
        starts: 2026-01-01
        tiers: [{threshold: 200, percent: 6}, {threshold: 400, percent: 8}]
"""
SHOP = Parameters(date(2026, 11, 1), date(2026, 11, 30), program="shop")
MEASURES = ("PartnerId", "Currency", "Tier", "ThresholdValue", "ActionCount", "Revenue", "DefaultPayout", "BonusPayout")

Booked = Callable[..., None]


@pytest.fixture
def contracts(ledger: Ledger, tmp_path: Path) -> Callable[[str], None]:
    def applied(text: str = REFERENCE) -> None:
        (tmp_path / "reference.yaml").write_text(text)
        apply_reference(ledger, load_reference(tmp_path), "test")

    applied()
    return applied


@pytest.fixture
def locked(ledger: Ledger, contracts: object) -> Booked:
    """Book an action that is locked, each by itself; ``items`` are amounts with the category whose term paid them."""

    def booked(
        amount: str, at: str = "2026-11-20 12:00Z", items: tuple[tuple[str, str], ...] = (), **other: Any
    ) -> None:
        values = {"state": "APPROVED", "currency": "USD", "partner": 31, "type": 11, "payout": None, **other}
        with ledger.connect() as connection:
            row = connection.execute(
                """insert into action (program_id, event_type_id, order_id, state, event_at, received_at, amount,
                       currency, partner_id, payout, term_id, locked_at, locked_by, submission_id, line)
                   select 1, %(type)s::bigint, 'o-' || count(*), %(state)s, '2026-10-01', '2026-10-01', %(amount)s,
                       %(currency)s, %(partner)s, %(payout)s::numeric,
                       (select id from contract_term where event_type_id = %(type)s::bigint and category is null),
                       %(at)s::timestamptz, case when %(at)s::timestamptz is not null then 'date' end, 1, 1
                   from action returning id""",
                {**values, "amount": amount, "at": at},
            ).fetchone()
            for number, (part, category) in enumerate(items, start=1):
                connection.execute(
                    """insert into action_item (action_id, number, sku, category, quantity, amount, term_id,
                           submission_id, line)
                       select %(id)s, %(number)s, 'sku', %(category)s, 1, %(part)s, id, 1, 1 from contract_term
                       where event_type_id = 11 and (category = %(category)s or category is null)
                       order by category is null limit 1""",
                    {"id": row["id"], "number": number, "category": category or None, "part": part},
                )

    return booked


def lines(
    ledger: Ledger,
    parameters: Parameters = SHOP,
    columns: tuple[str, ...] | None = MEASURES,
    name: str = "performance_bonus",
) -> list[list[str]]:
    report = load_reports(PROJECT / "include")[name]
    write_checked(ledger, Layout.of(report), parameters, io.BytesIO())
    chosen = io.BytesIO()
    write_checked(ledger, Layout.of(report, OutputFormat(columns=columns)), parameters, chosen)
    return list(csv.reader(io.StringIO(chosen.getvalue().decode(), newline="")))[1:]


def test_500_of_revenue_at_4_percent_with_6_from_200_and_8_from_400_is_a_bonus_of_8(
    ledger: Ledger, locked: Booked
) -> None:
    ways = [("500",), ("200", "200", "100"), ("100",) * 5, ("199.99", "0.01", "300"), ("166.67", "166.67", "166.66")]
    for partner, amounts in enumerate(ways, start=100):
        for amount in amounts:
            locked(amount, partner=partner)
    found = lines(ledger, columns=("PartnerId", "Tier", "Revenue", "DefaultPayout", "BonusPayout"))
    assert [(int(partner), tier, float(revenue), *money) for partner, tier, revenue, *money in found] == [
        line
        for partner in range(100, 105)
        for line in (
            (partner, "0", 200, "8.00", "0.00"),
            (partner, "1", 200, "8.00", "4.00"),
            (partner, "2", 100, "4.00", "4.00"),
        )
    ]


def test_a_threshold_is_reached_and_only_what_goes_beyond_it_earns_more(ledger: Ledger, locked: Booked) -> None:
    expected = {
        "199.99": [("0", 199.99, "0.00")],
        "200": [("0", 200, "0.00")],
        "200.24": [("0", 200, "0.00"), ("1", 0.24, "0.00")],
        "200.25": [("0", 200, "0.00"), ("1", 0.25, "0.01")],
        "400": [("0", 200, "0.00"), ("1", 200, "4.00")],
        "400.13": [("0", 200, "0.00"), ("1", 200, "4.00"), ("2", 0.13, "0.01")],
        "0": [("0", 0, "0.00")],
    }
    for partner, amount in enumerate(expected, start=100):
        locked(amount, partner=partner)
    found = lines(ledger, columns=("PartnerId", "Tier", "Revenue", "BonusPayout"))
    for partner, amount in enumerate(expected, start=100):
        of_partner = [(tier, float(revenue), bonus) for number, tier, revenue, bonus in found if number == str(partner)]
        assert of_partner == expected[amount], amount


def test_an_action_counts_where_it_begins(ledger: Ledger, locked: Booked) -> None:
    for amount in ("150", "150", "150"):
        locked(amount)
    assert [row[:5] for row in lines(ledger)] == [
        ["31", "USD", "0", "0", "2"],
        ["31", "USD", "1", "200", "1"],
        ["31", "USD", "2", "400", "0"],
    ]


def test_only_what_is_locked_and_stands_counts(ledger: Ledger, locked: Booked) -> None:
    locked("300")
    locked("300", state="REVERSED")
    locked("300", at=None, state="PENDING")
    assert sum(float(row[5]) for row in lines(ledger)) == 300


def test_currencies_and_partners_are_kept_apart(
    ledger: Ledger, contracts: Callable[[str], None], locked: Booked
) -> None:
    euro = REFERENCE.split("    bonuses:\n")[1].replace("51", "52").replace("USD", "EUR").replace("200", "100")
    contracts(REFERENCE + euro)
    locked("300")
    locked("150", currency="EUR")
    locked("900", currency="GBP")
    locked("250", partner=32)
    found = lines(ledger, columns=("PartnerId", "Currency", "Tier", "BonusPayout"))
    assert found == [
        ["31", "USD", "0", "0.00"],
        ["31", "USD", "1", "2.00"],
        ["31", "EUR", "0", "0.00"],
        ["31", "EUR", "1", "1.00"],
        ["32", "USD", "0", "0.00"],
        ["32", "USD", "1", "1.00"],
    ]


def test_months_end_in_the_program_s_zone(ledger: Ledger, locked: Booked) -> None:
    locked("1", at="2026-11-01 03:59:59Z")  # 31 October, 23:59:59 in New York
    locked("20", at="2026-11-01 04:00Z")
    locked("300", at="2026-12-01 04:59:59Z")
    locked("4000", at="2026-12-01 05:00Z")
    columns = ("Month", "Tier", "Revenue", "LockedThrough")
    assert lines(ledger, columns=columns) == [
        ["2026-11", "0", "200", "2026-11-30"],
        ["2026-11", "1", "120", "2026-11-30"],
    ]
    october = Parameters(date(2026, 10, 1), date(2026, 10, 31), program="shop")
    assert lines(ledger, october, columns) == [["2026-10", "0", "1", "2026-10-31"]]
    in_utc = Parameters(date(2026, 11, 1), date(2026, 11, 30), program="shop", time_zone="UTC")
    assert [row[2] for row in lines(ledger, in_utc, columns)] == ["21"]


def test_a_range_has_the_whole_months_that_end_in_it(ledger: Ledger, locked: Booked) -> None:
    locked("100", at="2026-10-02 12:00Z")
    locked("300", at="2026-11-02 12:00Z")
    run_of_the_fourth = Parameters(date(2026, 10, 4), date(2026, 11, 3), program="shop")
    assert lines(ledger, run_of_the_fourth, ("Month", "Revenue")) == [["2026-10", "100"]]
    both = Parameters(date(2026, 10, 31), date(2026, 11, 30), program="shop")
    assert [row[0] for row in lines(ledger, both, ("Month",))] == ["2026-10", "2026-11", "2026-11"]
    assert lines(ledger, Parameters(date(2026, 11, 1), date(2026, 11, 29), program="shop")) == []


def test_each_item_is_held_against_the_term_that_paid_it(ledger: Ledger, locked: Booked) -> None:
    # Shoes earn 7 % anyway: nothing is taken away where the tier pays 6 %, and 1 % comes on top where it pays 8 %.
    locked("500", items=(("200", ""), ("200", "Shoes"), ("100", "Shoes")))
    assert [row[4:] for row in lines(ledger)] == [
        ["1", "200", "8.00", "0.00"],
        ["0", "200", "14.00", "0.00"],
        ["0", "100", "7.00", "1.00"],
    ]


def test_a_bonus_for_many_actions(ledger: Ledger, contracts: Callable[[str], None], locked: Booked) -> None:
    leads = """      - id: 53
        name: Many leads
        event_types: [12]
        currency: USD
        measure: actions
        starts: 2026-01-01
        tiers: [{threshold: 2, fixed: 5}, {threshold: 3, fixed: 9.50}]
"""
    contracts(REFERENCE + leads)
    for minute in range(5):
        locked("0", at=f"2026-11-20 12:0{minute}Z", type=12, payout="3")
    found = lines(ledger, columns=("ThresholdType", "Tier", "Fixed", "ActionCount", "DefaultPayout", "BonusPayout"))
    assert found == [
        ["actions", "0", "", "2", "6.00", "0.00"],
        ["actions", "1", "5", "1", "3.00", "2.00"],
        ["actions", "2", "9.5", "2", "6.00", "13.00"],
    ]


def test_a_bonus_holds_from_its_first_day_to_its_last(
    ledger: Ledger, contracts: Callable[[str], None], locked: Booked
) -> None:
    contracts(
        REFERENCE.replace(
            "starts: 2026-01-01\n        tiers", "starts: 2026-11-10\n        ends: 2026-11-20\n        tiers"
        )
    )
    for day in (9, 10, 20, 21):
        locked(f"{day}", at=f"2026-11-{day:02} 12:00Z")
    assert [row[5] for row in lines(ledger)] == ["30"]


def test_a_changed_tier_replaces_the_old_one_and_is_told(
    ledger: Ledger, contracts: Callable[[str], None], locked: Booked
) -> None:
    locked("500")
    contracts(REFERENCE.replace("percent: 8", "percent: 10").replace("{threshold: 200, percent: 6}, ", ""))
    assert [row[2:] for row in lines(ledger)] == [
        ["0", "0", "1", "400", "16.00", "0.00"],
        ["1", "400", "0", "100", "4.00", "6.00"],
    ]
    told = {row["what"] for row in ledger.all("select what from activity")}
    assert {"bonus.created", "bonus_tier.created", "bonus_tier.changed", "bonus_tier.replaced"} <= told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("threshold: 200", "threshold: 400"), "above the one before it"),
        (("percent: 6", "fixed: 6"), "`fixed` is for `measure: actions`"),
        (("percent: 6", "percent: 6, fixed: 1"), "either `percent` or `fixed`"),
        (("tiers: [{threshold: 200, percent: 6}, {threshold: 400, percent: 8}]", "tiers: []"), "tiers"),
        (
            ("starts: 2026-01-01\n        tiers", "starts: 2026-01-01\n        ends: 2025-12-31\n        tiers"),
            "before it",
        ),
    ],
)
def test_a_bonus_that_cannot_be_is_refused_where_it_stands(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    (tmp_path / "reference.yaml").write_text(REFERENCE.replace(*change))
    with pytest.raises(ConfigurationError, match=r"reference\.yaml:\d+: contracts\.0\.bonuses\.0") as refused:
        load_reference(tmp_path)
    assert said in str(refused.value)


def test_a_bonus_stays_with_its_contract_and_program(contracts: Callable[[str], None]) -> None:
    for event_type in ("21", "99"):
        with pytest.raises(ConfigurationError, match="not one of its program"):
            contracts(REFERENCE.replace("event_types: [11]", f"event_types: [{event_type}]"))
    with pytest.raises(ConfigurationError, match="cannot move"):
        contracts(REFERENCE.replace("id: 41", "id: 42\n    partner: 31"))


def test_a_bonus_is_the_other_cost_of_its_partner_on_the_last_day_of_its_month(
    ledger: Ledger, contracts: Callable[[str], None], locked: Booked
) -> None:
    contracts(REFERENCE.replace("name: Northwind}", "name: Northwind, value1: Gold, value3: Jo}"))
    locked("500", payout=20)
    locked("300", partner=32, payout=12)
    locked("100", partner=33)
    measures = ("Currency", "Actions", "Revenue", "ActionCost", "OtherCost", "Clicks", "EPA")
    partner = ("PartnerId", "PartnerValue1", "PartnerValue2", "PartnerValue3")
    quarter = Parameters(date(2026, 9, 1), date(2026, 11, 30), program="shop")

    assert lines(ledger, SHOP, (*partner, *measures), "performance_by_partner") == [
        ["31", "Gold", "", "Jo", "USD", "0", "0", "", "8.00", "0", ""],
        ["32", "", "", "", "USD", "0", "0", "", "2.00", "0", ""],
    ]
    assert lines(ledger, quarter, (*partner, *measures), "performance_by_partner") == [
        ["31", "Gold", "", "Jo", "USD", "1", "500", "20", "8.00", "0", "20.000000"],
        ["32", "", "", "", "USD", "1", "300", "12", "2.00", "0", "12.000000"],
        ["33", "", "", "", "USD", "1", "100", "", "", "0", ""],
    ]
    assert lines(ledger, quarter, ("Month", *measures), "performance_by_month") == [
        ["2026-09", "USD", "3", "900", "32", "", "0", "10.666667"],
        ["2026-11", "USD", "0", "0", "", "10.00", "0", ""],
    ]
    assert lines(ledger, SHOP, ("Date", *measures), "performance_by_day") == [
        ["2026-11-30", "USD", "0", "0", "", "10.00", "0", ""]
    ]


def test_other_costs_stand_beside_clicks_and_in_their_own_currency(
    ledger: Ledger, contracts: Callable[[str], None], locked: Booked
) -> None:
    contracts(REFERENCE.replace("currency: USD\n        starts", "currency: EUR\n        starts"))
    locked("500", currency="EUR")
    with ledger.connect() as connection:
        connection.execute(
            """insert into click (program_id, dataset, click_id, event_date, received_at, submission_id, line)
               values (1, 'c', 'k', '2026-11-30 12:00Z', now(), 1, 1),
                      (1, 'c', 'k', '2026-11-29 00:00Z', now(), 1, 2)"""
        )
    measures = ("Currency", "OtherCost", "Clicks", "EPC")

    assert lines(ledger, SHOP, ("Date", *measures), "performance_by_day") == [
        ["2026-11-28", "USD", "", "1", ""],
        ["2026-11-30", "EUR", "8.00", "1", ""],
    ]
