"""The files that the demo's partner sends, and what has to become of each of their lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,ClickId,CustomerId,CurrencyCode,Amount,Category,Sku,Quantity\r\n"
ZONE = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Line:
    """One line of a demo file and its expected outcome.

    Attributes:
        order: End of the OrderId; the demo puts its own mark before it, so that every demo sends new orders.
        code: Expected code, or None for an accepted line.
        why: What the line shows, for the reader.
    """

    order: str
    why: str
    code: str | None = None
    outcome: str = "accepted"
    amount: str = "0"
    currency: str = "EUR"
    event_type: str = "2001"
    days_ago: int = 1
    item: str = ",,"

    def text(self, mark: str, today: date) -> str:
        """Return the CSV line, its event at noon of that day in Berlin."""
        happened = datetime.combine(today - timedelta(days=self.days_ago), time(12), ZONE).isoformat()
        customer = f"c-{self.order}"
        fields = f"1000,{self.event_type},{happened},{mark}-{self.order},click-{self.order},{customer},{self.currency},"
        return f"{fields}{self.amount},{self.item}\r\n"


LINES = (
    Line("1", "an order", amount="120.00"),
    Line("2", "an order in another currency", amount="80.50", currency="USD"),
    Line("3", "an order of two items", amount="30.00", item="Shoes,SKU-1,1"),
    Line("3", "its second item", amount="12.25", item="Socks,SKU-2,3"),
    Line("4", "a decimal comma is not a decimal", "NOT_DECIMAL", "rejected", amount='"12,50"'),
    Line("5", "an event type that nobody knows", "ACTIONTRACKER_NOT_FOUND", "rejected", "9.99", event_type="9999"),
    Line("6", "89 days is a day too old", "EVENT_TOO_OLD", "rejected", "15.00", days_ago=90),
    Line("7", "an item that is fine ...", "ORDER_INCOMPLETE", "rejected", "5.00", item="Hats,SKU-3,1"),
    Line("7", "... with a sibling that is not", "NOT_INTEGER", "rejected", "6.00", item="Hats,SKU-4,two"),
    Line("1", "an order that comes again", "OID_DUPLICATE", "duplicate", "120.00"),
    Line("8", "the last order", amount="44.44"),
)


def conversions_file(mark: str, today: date) -> str:
    """Return the whole file of the demo's partner."""
    return HEADER + "".join(line.text(mark, today) for line in LINES)


def expected_counts() -> dict[str, int]:
    """Return how many lines have each outcome."""
    counted = Counter(line.outcome for line in LINES)
    return {outcome: counted[outcome] for outcome in ("accepted", "rejected", "duplicate", "held")}


def expected_amounts() -> dict[str, Decimal]:
    """Return the money of the accepted lines by currency."""
    amounts: dict[str, Decimal] = {}
    for line in LINES:
        if line.outcome == "accepted":
            amounts[line.currency] = amounts.get(line.currency, Decimal(0)) + Decimal(line.amount)
    return amounts


def expected_orders() -> dict[str, int]:
    """Return how many actions the accepted lines make by currency."""
    orders = {(line.order, line.currency) for line in LINES if line.outcome == "accepted"}
    return dict(Counter(currency for _, currency in orders))


def expected_rejects() -> list[tuple[int, str]]:
    """Return (line, code) of what has to stand in the rejects file; the header is line 1."""
    return [(number, line.code or "") for number, line in enumerate(LINES, start=2) if line.outcome == "rejected"]
