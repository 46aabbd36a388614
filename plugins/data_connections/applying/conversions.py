"""How conversions are applied: which orders the ledger takes, and the actions and items that they become."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg import sql

from data_connections.applying import conversion_queries as queries
from data_connections.applying.attribution import attribute
from data_connections.applying.eligibility import refuse_unwanted
from data_connections.applying.extras import extra_object
from data_connections.applying.rules import ACTIONS, Application, Effect, Rules
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
    run(queries.RESOLVE)
    run.choose_key()
    run.choose_dates()
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
    refuse_unwanted(run, application)
    attribute(run, application)
    next_run = application.bounds.next_run
    if next_run is not None:
        run.put(next_run=sql.Literal(next_run))
        if run.any(queries.LOCKS_SOON):
            run(queries.WARN_OF_LOCKING)
    return []


def write(connection: LedgerConnection, application: Application) -> list[Sum]:
    """Write actions and items, and return what was written, by currency."""
    run = _decided(connection, application)
    [last] = run(queries.LAST_ACTION)
    run(queries.WRITE_ORDERS, extra=run.kept(_order_columns(application, with_items=False), application))
    sums = run(queries.ORDERS_WRITTEN, last_action=sql.Literal(last["id"]))
    if application.has("Sku"):
        run(queries.FIND_ITEM_LINES)
        sums += run(
            queries.WRITE_ITEM_ORDERS,
            extra=run.kept(_order_columns(application, with_items=True), application),
            item_extra=extra_object(application, _item_columns(application)),
        )
    return merged(map(_checked, sums))


def effect(connection: LedgerConnection, application: Application) -> list[Effect]:
    """Return the actions that would be there, by currency."""
    return [Effect(**row) for row in _decided(connection, application)(queries.EFFECT)]


RULES = Rules(family=ACTIONS, strict_order=False, decide=decide, write=write, effect=effect)
"""Conversions of a connection may apply in any order: rows that meet in the ledger are told apart by their order."""


def _decided(connection: LedgerConnection, application: Application) -> _Queries:
    run = _Queries(connection, application)
    run.choose_key()
    run.choose_dates()
    run.leave_out_what_is_empty()
    return run


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
            "program": sql.Literal(application.program),
        }
        super().__init__(connection, parts)
        self.fill(is_open=queries.IS_OPEN)
        self._key_by(queries.KEYED_BY_MANY)

    def _key_by(self, keyed: str) -> None:
        self.fill(keyed=keyed)
        self.fill(joined=queries.JOINED)
        self.fill(open=queries.OPEN)

    def choose_key(self) -> None:
        """Look no row's key up where all have the same."""
        self.is_alike = not self.any(queries.HAS_MANY_KEYS)
        if self.is_alike:
            self._key_by(queries.KEYED_BY_ONE)

    def choose_dates(self) -> None:
        """Ask no row whether it is late where no event type has a limit."""
        self.is_dated = self.any(queries.HAS_LATE)
        self.fill(event_at=queries.EVENT_AT_UNLESS_LATE if self.is_dated else queries.EVENT_AT)
        self.fill(locks_at=queries.LOCKS_AT)

    def leave_out_what_is_empty(self) -> None:
        """Join neither verdicts, nor known orders, nor payouts to a million rows where there are none."""
        has_known = self.any(queries.HAS_KNOWN)
        has_priced = self(queries.HAS_PRICED)[0]["found"] is not None
        self.fill(occurrence=queries.FIRST_OCCURRENCE)
        if has_known:
            self.fill(keyed=queries.WITH_KNOWN, occurrence=queries.NEXT_OCCURRENCE)
        if has_priced:
            self.fill(keyed=queries.WITH_PRICED)
        self.fill(**(queries.PRICED if has_priced else queries.UNPRICED))
        joins = has_known or has_priced or not self.is_alike
        self.fill(in_order=queries.IN_ORDER if joins else "")
        self.fill(joined=queries.JOINED)
        self.fill(open=queries.OPEN if self.any(queries.HAS_VERDICTS) else queries.OPEN_WITHOUT_VERDICTS)

    def kept(self, columns: Iterable[str], application: Application) -> sql.Composable:
        """Return what is kept with an order beside its own columns; of a late one also the date that was sent."""
        extra = extra_object(application, columns)
        if not self.is_dated:
            return extra
        self.put(sent=extra)
        self.fill(dated=queries.KEEP_LATE_DATE)
        return self.part("dated")


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
