"""Orders that nobody may earn for: by the program's and the event type's rules in the reference data."""

from __future__ import annotations

from data_connections.applying import eligibility_queries as queries
from data_connections.applying.rules import Application
from data_connections.applying.statements import Statements


def refuse_unwanted(run: Statements, application: Application) -> None:
    """Refuse the open orders that come from blocked addresses, use blocked promo codes, or are of other customers.

    Args:
        run: The statements of conversions, after known orders were found.
        application: What is being applied.
    """
    run.put(ip_address=application.field("IpAddress"), customer_status=application.field("CustomerStatus"))
    if run.any(queries.HAS_RULES):
        run(queries.REJECT_UNWANTED)
    if run.any(queries.HAS_MOST):
        run(queries.REJECT_RECURRING)
