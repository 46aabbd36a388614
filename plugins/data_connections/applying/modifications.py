"""How action modifications are applied: every row an update of its action, in line order, in sets."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from data_connections.applying import modification_queries as queries
from data_connections.applying import modification_turns as turns
from data_connections.applying.attribution_queries import FIND_TERMS
from data_connections.applying.reasons import AS_REASONS, REVERSING
from data_connections.applying.rules import ACTIONS, Application, Effect, Hold, Rules
from data_connections.applying.statements import Statements
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.staging import Sum

MOST_MODIFICATIONS = 1000
"""More modifications than this of one action are rejected."""


def decide(connection: LedgerConnection, application: Application) -> list[Sum]:
    """Work out what the rows make of their actions, one after the other, and refuse what changes nothing or may not."""
    run = _statements(connection, application)
    _locate(run, application)
    run(queries.REJECT_LOCATED)
    _take_turns(run)
    run(turns.REJECT_STEPS)
    run(turns.WARN_OF_ZERO)
    if application.bounds.next_run is not None:
        run(turns.WARN_OF_LOCKING, next_run=sql.Literal(application.bounds.next_run))
    return _moved_money(run, application)


def hold(connection: LedgerConnection, application: Application) -> Hold | None:
    """Return why a file that would reverse a large share of the pending actions has to be approved, if it has to."""
    most = application.bounds.reversed_share
    if most is None:
        return None
    [found] = _statements(connection, application)(turns.REVERSED_OF_PENDING)
    if found["reversed"] <= most * found["pending"]:
        return None
    return Hold(
        "HELD_BY_LIMIT",
        f"The file would reverse {found['reversed']:,} of the {found['pending']:,} pending actions; above {most:.0%} "
        "somebody has to approve it.",
    )


def write(connection: LedgerConnection, application: Application) -> list[Sum]:
    """Write updates, actions and items, and return what the updates were given, by currency."""
    run = _statements(connection, application)
    sums = run(turns.WRITE_UPDATES)
    run.fill(last_steps=turns.LAST_OF_SEVERAL if run.any(turns.HAS_SECOND_TURN) else turns.LAST_STEPS)
    run(turns.WRITE_ACTIONS)
    if run.any(queries.HAS_ITEMS):
        run(turns.WRITE_ITEMS)
    return [Sum("accepted", row["currency"], row["rows"], str(row["quantity"]), str(row["amount"])) for row in sums]


def effect(connection: LedgerConnection, application: Application) -> list[Effect]:
    """Return how many actions, worth how much, go from state to state, by currency."""
    return [Effect(**row) for row in _statements(connection, application)(turns.EFFECT)]


RULES = Rules(family=ACTIONS, strict_order=True, decide=decide, write=write, effect=effect, hold=hold)
"""Modifications say what is to be, so that of two the later one has to come last."""


def _statements(connection: LedgerConnection, application: Application) -> Statements:
    fields = {column.field: application.field(column.name) for column in application.data_type.columns}
    status = "a.extra ->> 'CustomerStatus'" if application.has("CustomerStatus") else "null::text"
    program = connection.execute(b"select id from program where key = %s", [application.program]).fetchone()
    run = Statements(
        connection,
        {
            **fields,
            "rows": application.attempt.rows,
            "submission": sql.Literal(application.submission_id),
            "connection_id": sql.Literal(application.connection_id),
            "received_at": sql.Literal(application.received_at),
            "program_id": sql.Literal(program["id"] if program else None),
            "status_before": sql.SQL(status),
            "reasons": sql.Literal(list(AS_REASONS)),
            "dispositions": sql.Literal(list(REVERSING)),
            "most": sql.Literal(MOST_MODIFICATIONS),
            "holds": sql.Literal(application.holds),
            "until_it_comes": sql.Literal(" The row waits for it."),
        },
    )
    run.fill(counts_at=queries.COUNTS_AT)
    return run


def _locate(run: Statements, application: Application) -> None:
    ways = [
        way for way, column in ((queries.BY_ORDER, "OrderId"), (queries.BY_ID, "ActionId")) if application.has(column)
    ]
    run.fill(found=" union all ".join(ways))
    run(queries.LOCATE)
    if run.any(queries.HAS_OLDER):
        run(queries.LEAVE_NEWEST)
    if run.any(queries.HAS_UPDATED):
        run(queries.MARK_SUPERSEDED)
    run(queries.FIND_ITEMS)
    if run.any(queries.HAS_SKUS):
        run(queries.FIND_SKUS)
    if run.any(queries.USES_CURRENT_TERMS):
        run.fill(keys=queries.CURRENT_KEYS)
        run(FIND_TERMS)
        run(queries.USE_CURRENT_TERMS)


def _take_turns(run: Statements) -> None:
    run(turns.CREATE_STEPS)
    has_items = run.any(queries.HAS_ITEMS)
    has_terms = run.any(turns.HAS_TERMS)
    run.fill(terms=turns.TERMS if has_terms else "", rates=turns.RATES if has_terms else turns.WITHOUT_TERMS)
    run.fill(instruction=turns.INSTRUCTION)
    for number, current in _turns(run):
        run.put(turn=sql.Literal(number))
        run.fill(current=current)
        if has_items:
            run(turns.PLAN_ITEMS)
        run.fill(totals=turns.TOTALS if has_items else turns.WITHOUT_TOTALS)
        run(turns.TAKE_TURN)
        if has_items:
            run(turns.KEEP_ITEMS)


def _turns(run: Statements) -> Iterator[tuple[int, str]]:
    """Yield the number of each turn and the query of its rows, with the actions as the turns before left them."""
    if not run.any(turns.HAS_REPEATED):
        yield 1, turns.ONLY_TURN
        return
    run(turns.NUMBER_TURNS)
    [last] = run(turns.LAST_TURN)
    for number in range(1, last["number"] + 1):
        yield number, turns.FIRST_TURN if number == 1 else turns.NEXT_TURN


def _moved_money(run: Statements, application: Application) -> list[Sum]:
    """Count rows that name no currency in that of their action, and return what that changes in the file's sums."""
    moved = run(turns.MOVED_MONEY)
    if not moved:
        return []
    run(turns.MOVE_MONEY)
    return [
        Sum("accepted", row[side], sign * row["rows"], str(sign * row["quantity"]), str(sign * row["amount"]))
        for row in moved
        for side, sign in (("old", -1), ("new", 1))
    ]
