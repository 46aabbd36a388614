"""Performance by day, held against a recount in plain Python."""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from data_connections.ledger import Ledger
from data_connections.reports import Layout, Parameters, Report, load_reports, write_checked
from data_connections.settings import PROJECT
from fixtures.books import Sale, Shop, book, performance_by_day

ZONES = (
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "America/Havana",  # the clock goes back at 01:00, so midnight comes twice
    "America/Sao_Paulo",  # until 2019 the clock went forward at midnight, so that midnight never was
    "Australia/Lord_Howe",  # changes by half an hour
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)
SHOPS = [Shop(1000 + number, f"shop-{number}", f"Shop in {zone}", zone) for number, zone in enumerate(ZONES)]
BERLIN = SHOPS[2]


@pytest.fixture(scope="module")
def report() -> Report:
    return load_reports(PROJECT / "include")["performance_by_day"]


def written(ledger: Ledger, report: Report, parameters: Parameters) -> list[list[str]]:
    """The lines of the report's file, after its check, without the header."""
    target = io.BytesIO()
    write_checked(ledger, Layout.of(report), parameters, target)
    header, *lines = csv.reader(io.StringIO(target.getvalue().decode(), newline=""), strict=True)
    assert tuple(header) == report.header
    return lines


def sale_at(shop: Shop, instant: str, **more: object) -> Sale:
    return Sale(shop, datetime.fromisoformat(instant), **{"amount": Decimal("10.00"), **more})


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2025, 3, 29), date(2025, 3, 31)),
        (date(2025, 10, 4), date(2025, 10, 6)),
        (date(2025, 10, 25), date(2025, 11, 3)),
        (date(2018, 2, 16), date(2018, 2, 19)),
        (date(2018, 11, 3), date(2018, 11, 5)),
        (date(2024, 2, 29), date(2024, 2, 29)),
    ],
)
def test_equals_a_recount_in_every_zone(ledger: Ledger, report: Report, first: date, last: date) -> None:
    chance = random.Random(f"{first}")
    start = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=2)
    quarters = (last - first + timedelta(days=5)) // timedelta(minutes=15)
    sales = [
        Sale(
            shop,
            start + timedelta(minutes=15 * chance.randrange(quarters), microseconds=chance.choice((0, 1, -1))),
            amount=Decimal(chance.randrange(1_000_000)).scaleb(-2),
            currency=chance.choice(("EUR", "USD", "JPY")),
            state=chance.choice(("PENDING", "APPROVED", "REVERSED")),
            pieces=tuple(chance.randrange(5) for _ in range(chance.randrange(3))),
        )
        for shop in SHOPS
        for _ in range(600)
    ]
    book(ledger, sales)
    expected = performance_by_day(sales, first, last)
    assert expected
    assert written(ledger, report, Parameters(first, last)) == expected
    assert written(ledger, report, Parameters(first, last, program=BERLIN.key)) == [
        line for line in expected if line[1] == str(BERLIN.number)
    ]


def test_days_side_by_side_share_no_action_and_leave_none_out(ledger: Ledger, report: Report) -> None:
    start = datetime(2025, 10, 31, tzinfo=UTC)
    sales = [
        Sale(shop, start + timedelta(minutes=15 * quarter), Decimal(1)) for shop in SHOPS for quarter in range(288)
    ]
    book(ledger, sales)
    days = [date(2025, 10, 29) + timedelta(days=number) for number in range(8)]
    counts = [sum(int(line[4]) for line in written(ledger, report, Parameters(day, day))) for day in days]
    assert sum(counts) == len(sales)


@pytest.mark.parametrize(("day", "hours"), [(date(2025, 3, 30), 23), (date(2025, 10, 26), 25), (date(2025, 6, 1), 24)])
def test_a_day_has_as_many_hours_as_the_clock_says(ledger: Ledger, report: Report, day: date, hours: int) -> None:
    start = datetime(day.year, day.month, day.day, 0, 30, tzinfo=UTC) - timedelta(days=1)
    book(ledger, [Sale(BERLIN, start + timedelta(hours=hour), Decimal(1)) for hour in range(72)])
    assert written(ledger, report, Parameters(day, day))[0][4] == str(hours)


def test_the_first_instant_belongs_to_the_day_and_that_of_the_next_does_not(ledger: Ledger, report: Report) -> None:
    instants = ("2026-06-09T21:59:59.999999Z", "2026-06-09T22:00Z", "2026-06-10T21:59:59.999999Z", "2026-06-10T22:00Z")
    book(ledger, [sale_at(BERLIN, instant) for instant in instants])
    assert written(ledger, report, Parameters(date(2026, 6, 10), date(2026, 6, 10)))[0][4] == "2"


def test_days_can_be_those_of_another_zone(ledger: Ledger, report: Report) -> None:
    book(ledger, [sale_at(BERLIN, "2026-06-09T22:30Z")])
    asked = Parameters(date(2026, 6, 9), date(2026, 6, 9), time_zone="UTC")
    assert [line[0] for line in written(ledger, report, asked)] == ["2026-06-09"]


def test_money_is_exact(ledger: Ledger, report: Report) -> None:
    amounts = [Decimal("0.10")] * 3 + [Decimal("99999999999999999999999999.99"), Decimal("0.001")]
    book(ledger, [sale_at(BERLIN, "2026-06-10T12:00Z", amount=amount) for amount in amounts])
    line = written(ledger, report, Parameters(date(2026, 6, 10), date(2026, 6, 10)))[0]
    assert line[7:9] == ["100000000000000000000000000.291"] * 2


def test_a_reversed_action_stays_in_the_gross_columns_only(ledger: Ledger, report: Report) -> None:
    noon = "2026-06-10T12:00Z"
    kept = sale_at(BERLIN, noon, amount=Decimal("20.50"), pieces=(2, 1))
    reversed_one = sale_at(BERLIN, noon, amount=Decimal("7.25"), state="REVERSED", pieces=(5,))
    book(ledger, [kept, reversed_one])
    line = written(ledger, report, Parameters(date(2026, 6, 10), date(2026, 6, 10)))[0]
    assert line[3:9] == ["EUR", "2", "1", "3", "27.75", "20.50"]


def test_a_quiet_range_is_a_header_alone(ledger: Ledger, report: Report) -> None:
    book(ledger, [sale_at(BERLIN, "2026-06-10T12:00Z")])
    assert written(ledger, report, Parameters(date(2026, 6, 11), date(2026, 6, 12))) == []


@pytest.mark.parametrize(
    "name", ["=1+2", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\rx", '=HYPERLINK("x")', "\uff1d1"]
)
def test_a_name_that_is_a_formula_is_written_as_text(ledger: Ledger, report: Report, name: str) -> None:
    evil = Shop(1, "evil", name, "UTC")
    book(ledger, [sale_at(evil, "2026-06-10T12:00Z", amount=Decimal("-5.00"))])
    line = written(ledger, report, Parameters(date(2026, 6, 10), date(2026, 6, 10)))[0]
    assert line[2] == f"'{name}"
    assert line[7] == "-5.00"


def test_partner_data_is_never_a_template(ledger: Ledger, report: Report) -> None:
    odd = Shop(1, "odd", '{{ 7*7 }} %(date_from)s {business_date} é,"\n', "UTC")
    book(ledger, [sale_at(odd, "2026-06-10T12:00Z")])
    assert written(ledger, report, Parameters(date(2026, 6, 10), date(2026, 6, 10)))[0][2] == odd.name
