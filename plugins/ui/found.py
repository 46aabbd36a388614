"""The connection, submission or delivery that an address names, if the user may see it; else there is none."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import HTTPException, Path

from data_connections.errors import ConfigurationError
from data_connections.ledger import deliveries
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.delivery import Delivery
from data_connections.queries import submissions
from data_connections.queries.connections import line_of
from data_connections.queries.filters import LARGEST_ID
from ui.visitor import Visitor

Name = Annotated[str, Path(max_length=100, pattern="^[a-z0-9][a-z0-9_-]*$")]
Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]


def connection_line(ledger: LedgerConnection, visitor: Visitor, name: str) -> dict[str, Any]:
    """Return the line of a connection.

    Raises:
        HTTPException: 404, whether it does not exist or is not to be seen.
    """
    line = line_of(ledger, name) if visitor.may_see(name) else None
    if line is None:
        raise HTTPException(404, f"There is no connection {name!r}.")
    return line


def submission_owner(ledger: LedgerConnection, visitor: Visitor, submission_id: int) -> str:
    """Return the name of a submission's connection.

    Raises:
        HTTPException: 404, whether it does not exist or is not to be seen.
    """
    name = submissions.connection_of(ledger, submission_id)
    if name is None or not visitor.may_see(name):
        raise HTTPException(404, f"There is no submission {submission_id}.")
    return name


def visible_delivery(ledger: LedgerConnection, visitor: Visitor, delivery_id: int) -> Delivery:
    """Return a delivery.

    Raises:
        HTTPException: 404, whether it does not exist or is not to be seen.
    """
    try:
        delivery = deliveries.get(ledger, delivery_id)
    except ConfigurationError:
        delivery = None
    if delivery is None or not visitor.may_see(delivery.connection):
        raise HTTPException(404, f"There is no delivery {delivery_id}.")
    return delivery
