"""Who earns for an order, and what: attribution to a partner, and the payout by their contract."""

from __future__ import annotations

from psycopg import sql

from data_connections.applying import attribution_queries as queries
from data_connections.applying.rules import Application
from data_connections.applying.statements import Statements


def attribute(run: Statements, application: Application) -> None:
    """Find partner, earlier action and payout of the orders that are open, and refuse orders that have to have them.

    A program without any contract has no payouts, and its orders need no partner. An order whose lines lead to several
    partners belongs to that of its first line.

    Args:
        run: The statements of conversions, after their rules have decided.
        application: What is being applied.
    """
    has_contracts, has_chained = run.any(queries.HAS_CONTRACTS), run.any(queries.HAS_CHAINED)
    if not has_contracts and not has_chained:
        return
    run.put(has_contracts=sql.Literal(has_contracts), holds=sql.Literal(application.holds))
    run.fill(
        clicks=queries.CLICKS if application.has("ClickId") else queries.NO_CLICKS,
        parents=queries.PARENTS if has_chained else queries.NO_PARENTS,
        claimed=queries.CLAIMED,
    )
    run(queries.FIND_CLAIMS)
    run.fill(keys=queries.KEYS)
    run(queries.FIND_TERMS)
    run(queries.PRICE)
    run(queries.REJECT_UNPRICED)
    if run.any(queries.HAS_PASSED_OVER):
        run(queries.TELL_PASSED_OVER)
