"""How conversions are applied: which orders the ledger takes, and the actions and items that they become."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg import sql

from data_connections.applying import conversion_queries as queries
from data_connections.applying.extras import extra_object
from data_connections.applying.rules import Application, Rules
from data_connections.applying.statements import Statements
from data_connections.applying.sums import merged
from data_connections.errors import TotalsMismatch
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.staging import Sum

PLACED = frozenset(
    {"CampaignId", "ActionTrackerId", "EventTypeCode", "EventCode", "EventDate", "OrderId", "Amount", "CurrencyCode"}
    | {"OrderPromoCode", "ClickId", "CustomerId", "MediaId", "MediaPartnerId"}
)
"""Columns of an order that have a column in the ledger; all others of a file go to ``extra``."""

ITEM_PLACED = frozenset({"Sku", "Category", "Quantity"})
ITEM_OWN = frozenset(
    {"ItemPrice", "ItemSubTotal", "SubCategory", "Name", "Mpn", "Brand", "PromoCode", "Discount", "DiscountRate"}
    | {"TotalDiscount", "DeliveryType"}
)
"""Columns that say something about a line's item, not about its order; so do those that begin with ``Item``."""

NO_CURRENCY = "XXX"
"""ISO 4217's code for "no currency", under which validation adds up rows that name none."""


def decide(connection: LedgerConnection, application: Application) -> list[Sum]:
    """Find the rows whose program or event type is not right, and the orders that the ledger has already."""
    run = _Queries(connection, application)
    run(queries.RESOLVE, program=sql.Literal(application.program))
    run.choose_key()
    if run.any(queries.HAS_UNRESOLVED):
        run(queries.REJECT_UNRESOLVED)
    if any(each.currency == NO_CURRENCY for each in application.seal.sums):
        run(queries.REJECT_WITHOUT_CURRENCY)
    if run.any(queries.KEYS_MEET):
        run(queries.MARK_REPEATED)
    if len([each for each in application.seal.sums if each.outcome == "accepted"]) > 1:
        run(queries.REJECT_MIXED_CURRENCIES)
    run(queries.CREATE_KNOWN)
    if run.any(queries.HAS_ACTIONS):
        run(queries.FIND_KNOWN)
        run(queries.MARK_KNOWN)
    return []


def write(connection: LedgerConnection, application: Application) -> list[Sum]:
    """Write actions and items, and return what was written, by currency."""
    run = _Queries(connection, application)
    run.choose_key()
    run.leave_out_what_is_empty()
    [last] = run(queries.LAST_ACTION)
    run(queries.WRITE_ORDERS, extra=extra_object(application, _order_columns(application, with_items=False)))
    sums = run(queries.ORDERS_WRITTEN, last_action=sql.Literal(last["id"]))
    if application.has("Sku"):
        run(queries.FIND_ITEM_LINES)
        sums += run(
            queries.WRITE_ITEM_ORDERS,
            extra=extra_object(application, _order_columns(application, with_items=True)),
            item_extra=extra_object(application, _item_columns(application)),
        )
    return merged(map(_checked, sums))


RULES = Rules(family="actions", strict_order=False, decide=decide, write=write)
"""Conversions of a connection may apply in any order: rows that meet in the ledger are told apart by their order."""


class _Queries(Statements):
    """Runs the queries of this data type, with the staged table and columns of one application filled in."""

    def __init__(self, connection: LedgerConnection, application: Application) -> None:
        fields = {
            column.field: application.field(column.name)
            for column in application.data_type.columns
            if column.name in PLACED | ITEM_PLACED
        }
        parts: dict[str, sql.Composable] = {
            **fields,
            "rows": application.attempt.rows,
            "submission": sql.Literal(application.submission_id),
            "received_at": sql.Literal(application.received_at),
        }
        super().__init__(connection, parts)
        self.fill(keyed=queries.KEYED_BY_MANY)
        self.fill(open=queries.OPEN)

    def choose_key(self) -> None:
        """Look no row's key up where all have the same."""
        if not self.any(queries.HAS_MANY_KEYS):
            self.fill(keyed=queries.KEYED_BY_ONE)
            self.fill(open=queries.OPEN)

    def leave_out_what_is_empty(self) -> None:
        """Join neither verdicts nor known orders to a million rows where there are none."""
        self.fill(occurrence=queries.FIRST_OCCURRENCE)
        if self.any(queries.HAS_KNOWN):
            self.fill(keyed=queries.WITH_KNOWN, occurrence=queries.NEXT_OCCURRENCE)
        self.fill(open=queries.OPEN if self.any(queries.HAS_VERDICTS) else queries.OPEN_WITHOUT_VERDICTS)


def _order_columns(application: Application, *, with_items: bool) -> Iterable[str]:
    for column in application.data_type.columns:
        is_item = column.name in ITEM_PLACED | ITEM_OWN or column.name.startswith("Item")
        if column.name not in PLACED and not (with_items and is_item):
            yield column.name


def _item_columns(application: Application) -> Iterable[str]:
    for column in application.data_type.columns:
        if column.name in ITEM_OWN or column.name.startswith("Item"):
            yield column.name


def _checked(row: dict[str, Any]) -> dict[str, Any]:
    if row.get("order_amount", row["amount"]) != row["amount"]:
        raise TotalsMismatch(
            f"The items of the orders in {row['currency']} add up to {row['amount']}, the orders to "
            f"{row['order_amount']}, and nothing was applied. This is a defect of Connections; please report it."
        )
    return row
