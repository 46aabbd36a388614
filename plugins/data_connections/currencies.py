"""Currencies of ISO 4217: which of them are in use, and how money is written in each."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

_STILL_TAKEN = timedelta(days=731)


@lru_cache(maxsize=64)
def in_use(day: date) -> frozenset[str]:
    """Return the codes of the currencies that people pay with somewhere on a day, or paid with two years before.

    Orders come late and are corrected later, so that a currency which was replaced does not vanish at once.
    """
    from babel.core import get_global

    return frozenset(
        code
        for periods in get_global("territory_currencies").values()
        for code, starts, ends, is_tender in periods
        if is_tender and (not starts or date(*starts) <= day) and (not ends or date(*ends) + _STILL_TAKEN >= day)
    )


def money(amount: Decimal | str, currency: str | None, *, grouped: bool = True) -> str:
    """Return an amount with the decimals that its currency is written with: 3.00 EUR, 300 JPY.

    Nothing is rounded: an amount that has more decimals keeps them.

    Args:
        amount: A number, exact.
        currency: ISO 4217 code; None or empty where it is not known, and then the decimals are those of the number.
        grouped: Whether commas stand between thousands.
    """
    exact = Decimal(amount)
    decimals = format(exact, "f").partition(".")[2].rstrip("0")
    places = max(len(decimals), _places(currency) if currency else 0)
    return f"{exact:{',' if grouped else ''}.{places}f}"


@lru_cache(maxsize=512)
def _places(currency: str) -> int:
    from babel.numbers import get_currency_precision

    return get_currency_precision(currency)
