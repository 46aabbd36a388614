from datetime import date
from decimal import Decimal

import pytest

from data_connections.currencies import in_use, money

TODAY = date(2026, 6, 15)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("3", "EUR", "3.00"),
        ("0", "USD", "0.00"),
        ("10.5000", "EUR", "10.50"),
        ("1234567.5", "GBP", "1,234,567.50"),
        ("300.00", "JPY", "300"),
        ("1.5", "KWD", "1.500"),
        ("0.001", "EUR", "0.001"),
        ("-12.5", "EUR", "-12.50"),
        ("99999999999999999999999999999999.991", "EUR", "99,999,999,999,999,999,999,999,999,999,999.991"),
        ("7", "", "7"),
        ("7.50", None, "7.5"),
    ],
)
def test_money_has_the_decimals_of_its_currency_and_is_never_rounded(amount, currency, shown):
    assert money(amount, currency) == shown
    assert money(Decimal(amount), currency, grouped=False) == shown.replace(",", "")


def test_currencies_that_nobody_pays_with_are_not_in_use():
    assert {"EUR", "USD", "JPY", "CHF", "XOF"} <= in_use(TODAY)
    assert not {"XYZ", "XXX", "XTS", "XAU", "DEM", "FRF", "EURO"} & in_use(TODAY)


def test_a_currency_that_was_replaced_is_taken_for_two_years():
    assert "HRK" in in_use(date(2024, 12, 1))
    assert "HRK" not in in_use(date(2025, 6, 1))
